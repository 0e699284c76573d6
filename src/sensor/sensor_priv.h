/* Between the files that read indicators, build their set and count sightings. */
#ifndef SENSOR_SENSOR_PRIV_H
#define SENSOR_SENSOR_PRIV_H

#include <sys/types.h>

#include "sensor/sensor.h"
#include "stix/stix.h"

/* The newest version of one STIX indicator; text lives in the arena `kept`. */
struct sensor_entry {
    struct str source, id, name, labels, pattern;
    size_t line;
    struct str reason; /* why it cannot be used, or empty */
    int64_t version_us, from_us, until_us;
    enum stix_tlp tlp;
    struct str marks; /* ids of its other markings, each with a blank behind it */
    bool revoked, stix20;
    bool outdated; /* a compiled set holds a newer version */
    /* Of changes: it was taken back; it came again afterwards, whatever its version; nothing was
     * said of it yet. */
    bool gone, again, fresh;
};

/* A collection that a set was loaded from, and how far. */
struct sensor_feed {
    struct sensor_feed *next;
    struct buf where;      /* URL or directory, with a NUL behind it */
    struct buf collection; /* URL of its objects, or id in the directory */
    bool node;             /* a directory */
    enum stix_tlp tlp;     /* of unmarked objects */
    struct buf after;      /* date_added of what a server gave last */
    int64_t after_us;      /* the same of a directory */
    /* Hashes of the ids that it holds; those of one come several times. */
    uint64_t *known, seed;
    size_t known_count, known_room;
};
void sensor_feed_free(struct sensor_feed *f);
/* Remembers that it holds an indicator. */
bool sensor_feed_knows(struct sensor_feed *f, struct str id, struct err *e) BASE_CHECKED;

struct sensor_indicators {
    sensor_note_fn *note;
    void *ctx;
    struct sensor_counts counts;
    struct match_set *compiled; /* a file that is used as it is, or NULL */
    struct match_set *set;      /* what was read besides, and when sealed lies over it */
    unsigned char blind_key[CRYPT_KEY_BYTES];
    bool has_key;
    bool alone;   /* there was nothing besides */
    bool guarded; /* values on a warning list are left out */
    struct json_reader *reader;
    struct arena *kept, *scratch; /* of entries; of one document or pattern */
    struct sensor_entry *entries;
    size_t entry_count, entry_room;
    struct buf marks; /* of the object that is being taken */
    uint32_t *slots;  /* open addressing by id: number of the entry + 1; 0 is empty */
    size_t slot_mask;
    bool follows;
    uint64_t seed;             /* of the hashes of what feeds know */
    struct sensor_feed *feeds; /* where it follows */
};

/* Where an object came from, and what marks it when it carries no marking. */
struct sensor_origin {
    struct str source;
    size_t line;
    enum stix_tlp tlp;
};

/* False, and the list's name in `why`, for a value that is left out. */
bool sensor_accepts(const struct sensor_indicators *s, const struct observable *o,
                    struct err *why) BASE_CHECKED;
/* Takes one object of any type; what is no indicator is passed over. */
bool sensor_take(struct sensor_indicators *s, const struct sensor_origin *from,
                 const struct json *v, struct err *e) BASE_CHECKED;
/* The entry of an id, or NULL. */
struct sensor_entry *sensor_entry_of(const struct sensor_indicators *s, struct str id);
/* Notes that the indicator was taken back. */
bool sensor_take_back(struct sensor_indicators *s, struct str id, struct err *e) BASE_CHECKED;
/* Adds to s->set what the entries say, over what a set below holds of the same id. */
typedef bool sensor_below_fn(void *ctx, struct str id, struct match_indicator *out);
bool sensor_indicators_build(struct sensor_indicators *s, sensor_below_fn *below, void *ctx,
                             int64_t now_us, struct err *e) BASE_CHECKED;
bool sensor_take_siblings(struct sensor_indicators *s, const struct sensor_origin *from,
                          const struct json *first, size_t count, struct err *e) BASE_CHECKED;
/* Remembers the page's ids, and its end. */
bool sensor_feed_page(struct sensor_feed *f, const struct peer_page *p, struct err *e) BASE_CHECKED;
void sensor_note_unusable(struct sensor_indicators *s, const struct sensor_origin *from,
                          struct str id, struct str reason);

/* Opens a compiled set, of which one may be used. */
bool sensor_indicators_open(struct sensor_indicators *s, const char *path,
                            struct err *e) BASE_CHECKED;

/* Waits for something to read, but not for long: a signal that comes just before a read would not
 * interrupt it, and whoever stops the work is to be asked again (EINTR). Files are always ready. */
ssize_t sensor_read_soon(int fd, char *to, size_t room);

/* Sightings of one envelope. */
#define SENSOR_ENVELOPE 1000
/* Hands over one envelope, with BASE_PADDING readable bytes behind it, and counts what became of
 * it. */
bool sensor_target_put(struct sensor_target *t, struct str envelope, struct sensor_sent *out,
                       struct err *e) BASE_CHECKED;

/* ---- unpack.c ---- */

/* Does it start like gzip, Zstandard or xz? So many bytes tell. */
#define SENSOR_PACKED_HEAD 6
bool sensor_packed(struct str head);
struct sensor_unpack;
/* Of a packed input that begins with `head`, up to LIMIT_SENSOR_READ_BYTES. NULL: ERR_MEMORY. */
struct sensor_unpack *sensor_unpack_new(struct str head, struct err *e);
void sensor_unpack_free(struct sensor_unpack *u); /* NULL is allowed */
/* Unpacks up to `room` bytes, reading on where it must. *got: 0 at the end, -1: nothing for now.
 * ERR_INVALID when it is damaged or cut off, ERR_IO. */
struct sensor_unpacking {
    int fd;
    const char *name; /* of the input */
    char *to;
    size_t room;
};
bool sensor_unpack_read(struct sensor_unpack *u, const struct sensor_unpacking *r, ssize_t *got,
                        struct err *e) BASE_CHECKED;

/* Exactly n bytes of the text of a packed file at `offset`, read from its start; where it is read
 * stays. False when it has not so many. */
bool sensor_unpack_at(int fd, uint64_t offset, char *to, size_t n) BASE_CHECKED;

/* ---- syslog_frame.c ---- */

/* Where in a stream of syslog reading stands. Starts zeroed. */
struct sensor_frame {
    enum { FRAME_HEAD, FRAME_COUNTED, FRAME_LINE } in;
    char head[LIMIT_SENSOR_SYSLOG_DIGITS + 1]; /* what may be a length */
    size_t head_n;
    uint64_t left; /* of a message whose length was told */
};
/* Takes bytes of a stream and puts its messages to `out`, each with a line feed behind it and none
 * within; `out` has room for as many bytes and sizeof f->head. Returns how many it put. */
size_t sensor_frame_take(struct sensor_frame *f, struct str bytes, char *out);
/* Ends the stream: what is left is a message too. As sensor_frame_take, with one byte more. */
size_t sensor_frame_end(struct sensor_frame *f, char *out);

/* ---- fields.c ---- */

/* The last line of `text` that starts at `from` or later and names columns as Zeek does, with
 * `#fields`; or STR_NONE. */
struct str sensor_fields_header(struct str text, size_t from);
/* A number for a line, by which it is known again: JSON is read once for all that is asked of it
 * while no other line is asked for. Many threads may call this and the next. */
uint64_t sensor_fields_line(struct sensor_fields *f);
/* Does what stands at `at` of the line with this number belong to one of the fields? True of all in
 * a line that begins as JSON and is none. `header` is what sensor_fields_header found before it. */
bool sensor_fields_have(struct sensor_fields *f, uint64_t number, struct str header,
                        struct str line, size_t at);

/* ---- line_time.c ---- */

/* When a line says that it was written: RFC 3339 and its relatives, Common Log Format, syslog (RFC
 * 3164, in local time), seconds or milliseconds since 1970 at its start or in JSON as ts, time,
 * timestamp; the first of these. False when it says nothing known. */
bool sensor_line_time(struct str line, int64_t now_us, int64_t *out);

/* ---- live_set.c ---- */

/* The set that is looked at now; it stays until it is let go. Takes no lock. */
struct sensor_hold {
    const struct match_set *set;
    uint64_t number; /* grows with each set; 0 of one that does not change */
    size_t slot;
};
struct sensor_hold sensor_hold_set(const struct sensor_scan *s);
void sensor_let_go(const struct sensor_scan *s, const struct sensor_hold *h);

/* ---- scan.c ---- */

/* What to do about bytes in which no text would be found (compressed, UTF-16), by the first 64 of
 * them; else NULL. */
const char *sensor_unreadable(struct str head);

/* How the scan of an input ended. A file that is packed or a capture is read to its end, followed
 * or not. */
struct sensor_end {
    bool reached; /* nothing stopped it before */
    bool is_text;
};
/* A file that somebody else opened, and closes. */
struct sensor_opened {
    int fd; /* at its start */
    const char *input;
    bool is_of_folder, came_later; /* of one that is followed */
    /* Of what is followed: asked ten times a second where there is nothing to read for now. Returns
     * the name that the file has now, which stays until the next call, or NULL when nothing more
     * comes; not asked of what is packed or a capture. */
    const char *(*quiet)(void *ctx);
    void *ctx;
};
bool sensor_scan_opened(const struct sensor_scan *s, const struct sensor_opened *o,
                        struct sensor_end *end, struct err *e) BASE_CHECKED;

/* Fails when the set turned out to be damaged while it was used: something may have been missed. */
bool sensor_scan_intact(const struct sensor_scan *s, struct err *e) BASE_CHECKED;

/* A part of an input that was read already: alerts are those whose bytes start in [from, until). */
struct sensor_part {
    struct str input, text;
    size_t from, until;
    uint64_t base, line; /* offset of `text` in the input; number of the line that `from` is in */
};
/* False when a callback ended the scan. */
bool sensor_scan_part(const struct sensor_scan *s, const struct sensor_part *part);

/* A capture of which `head` was read already. */
bool sensor_capture_scan(const struct sensor_scan *s, int fd, struct str head, const char *input,
                         bool *to_end, struct err *e) BASE_CHECKED;

/* ---- captures.c ---- */

/* Several captures, read in the order of time. */
struct sensor_captures;
/* Files that are captures; one that cannot be read fails when it is its turn. The names stay the
 * caller's. */
bool sensor_captures_new(const char *const *inputs, size_t count, struct sensor_captures **out,
                         struct err *e) BASE_CHECKED;
void sensor_captures_free(struct sensor_captures *m); /* NULL is allowed */
void sensor_captures_stop(struct sensor_captures *m, bool (*stop)(void *ctx), void *ctx);
/* The next frame; its source is the number of its file. FAILED: that file's (f->source) ends here,
 * and the others go on. */
enum packet_read sensor_captures_next(struct sensor_captures *m, struct packet_frame *f,
                                      struct err *e) BASE_CHECKED;

/* The newest versions of a collection's indicators behind *after_us, which `each` moves on. False
 * also when `each` returned false, which has filled `e` then. */
struct sensor_reading {
    struct exchange_session *s;
    const struct principal *who;
    const struct exchange_collection *collection;
    const int64_t *after_us;
    bool with_bytes; /* and nothing else of an object */
    store_row_fn *each;
    void *ctx;
};
bool sensor_read_indicators(const struct sensor_reading *r, struct err *e) BASE_CHECKED;

/* A node's collection by id, alias or title; the only one when `key` is empty. */
bool sensor_collection(struct exchange_session *s, struct arena *a, struct str key,
                       struct exchange_collection *out, struct err *e) BASE_CHECKED;

#endif
