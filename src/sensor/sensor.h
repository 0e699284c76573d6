/*
 * Detection at the edge: reads indicators from wherever they are kept, scans logs with them, writes
 * alerts, and tells the producers what was sighted. It holds no rule of matching (`match`) or of
 * release (`exchange`), and lets no byte of a log out but in an alert or as evidence that was asked
 * for. One thread an object; a
 * scan starts threads of its own for large files.
 */
#ifndef SENSOR_SENSOR_H
#define SENSOR_SENSOR_H

#include "base/base.h"
#include "match/match.h"
#include "packet/packet.h"
#include "peer/peer.h"

/* ---- indicators -------------------------------------------------------------------------- */

/* What could not be used as it stands; valid only during the call. */
struct sensor_note {
    struct str source; /* as it was named */
    size_t line;       /* of a list or of JSON lines; else 0 */
    struct str id;     /* the indicator's id, or the line of a list */
    struct str reason;
    bool in_part; /* some of its values are used nevertheless */
};
typedef void sensor_note_fn(void *ctx, const struct sensor_note *n);

struct sensor_counts {
    size_t used; /* in force when the set was sealed */
    size_t in_part, unusable, revoked, not_in_force;
};

struct sensor_indicators;
/* NULL without memory; `note` may be NULL. */
struct sensor_indicators *sensor_indicators_new(sensor_note_fn *note, void *ctx);
void sensor_indicators_free(struct sensor_indicators *s); /* NULL is allowed */
/* A plain list (one value a line), or STIX: a bundle, an envelope, an array, one object, JSON
 * lines; what is compressed or UTF-16 is an error that says so. `text` has BASE_PADDING readable
 * bytes behind it and may be freed afterwards. Of several versions of one id the newest counts,
 * whatever source it came from. */
bool sensor_indicators_text(struct sensor_indicators *s, struct str source, struct str text,
                            struct err *e) BASE_CHECKED;
/* `where` is a file, `-`, a node's directory (read as its own organisation) or a URL (reached as
 * `how` says, whose own url is not looked at). A file may be one that sensor_indicators_compile
 * wrote; it is used where it lies, and all its indicators count as used. `collection`, when not
 * empty, is the one to read. */
bool sensor_indicators_load(struct sensor_indicators *s, const char *where,
                            const struct peer_endpoint *how, struct str collection,
                            struct err *e) BASE_CHECKED;
/* Before loading: the key (CRYPT_KEY_BYTES, copied) of a compiled set that is blinded. */
void sensor_indicators_key(struct sensor_indicators *s, const unsigned char *key);
/* Before loading: values that a built-in warning list names (observable/warninglist.h; all but
 * `documentation`) are left out, and noted. Not those of a compiled set. */
void sensor_indicators_guard(struct sensor_indicators *s);
/* Ends reading: builds the set. `now_us` is used for counting only. */
bool sensor_indicators_seal(struct sensor_indicators *s, int64_t now_us,
                            struct err *e) BASE_CHECKED;
/* False when a compiled set must not be written there: it is a file of another kind. */
bool sensor_may_replace(const char *path, struct err *e) BASE_CHECKED;
/* Writes what was sealed as a compiled set. */
bool sensor_indicators_compile(const struct sensor_indicators *s, const char *path,
                               struct err *e) BASE_CHECKED;
/* The same, blinded under `key`: in which nothing can be read (match_set_blind). */
bool sensor_indicators_blind(const struct sensor_indicators *s, const unsigned char *key,
                             const char *path, struct err *e) BASE_CHECKED;
const struct match_set *sensor_indicators_set(const struct sensor_indicators *s);
const struct sensor_counts *sensor_indicators_counts(const struct sensor_indicators *s);
bool sensor_is_url(struct str where); /* http:// or https:// */

/* ---- collections that live ------------------------------------------------------------------ */

/* Before loading: remembers how far each URL and directory was read, for sensor_live_start. */
void sensor_indicators_follow(struct sensor_indicators *s);

/* What happened in a collection since it was told of last; valid only during the call. */
struct sensor_news {
    struct str source;
    size_t taken, gone; /* indicators that are new or changed; that were taken back */
    const char *why;    /* not NULL: it cannot be followed now; the set stays as it is */
    bool again;         /* it can be followed again */
};
struct sensor_living {
    struct peer_endpoint how; /* of the URLs; its `stop` is not used */
    unsigned poll_s;          /* a server that does not wait is asked so often */
    /* Called by threads of the following, one at a time. */
    void (*news)(void *ctx, const struct sensor_news *n);
    sensor_note_fn *note; /* what cannot be used of what came; may be NULL */
    void *ctx;
};
/*
 * Follows the collections that a sealed set was loaded from, on threads of its own. What is added
 * or taken back there lies beside the set in memory, in a set over it, and scans that are given
 * `live` take the newest from block to block, without a lock: one that was replaced is freed when
 * no scan looks at it. `s` stays until sensor_live_stop. ERR_USAGE when nothing in it lives.
 */
struct sensor_live;
bool sensor_live_start(struct sensor_indicators *s, const struct sensor_living *how,
                       struct sensor_live **out, struct err *e) BASE_CHECKED;
void sensor_live_stop(struct sensor_live *l); /* NULL is allowed; no scan may run any more */

/* ---- scanning ---------------------------------------------------------------------------- */

/* One alert; valid only during the call. */
struct sensor_alert {
    struct str input;
    struct str time; /* when the bytes were read: RFC 3339, microseconds */
    int64_t time_us;
    uint64_t line, offset; /* from 1; bytes from the start of the input */
    /* Of a capture: the frame from 1 (0: no capture); `offset` counts from its start and is
     * UINT64_MAX where the bytes do not stand there as they are; where it was found; and through
     * which tunnel, or NULL. The time is the packet's. */
    uint64_t frame;
    const char *field;
    const struct packet_gpdu *gpdu;
    const char *sender; /* address and port, of syslog; else NULL */
    const struct match_hit *hit;
    const struct match_indicator *indicator;
    struct str around; /* the text that `seen` of the hit is in; STR_NONE of a capture */
};
typedef bool sensor_alert_fn(void *ctx, const struct sensor_alert *a); /* false stops */

/* What a rule of signalling says; valid only during the call. */
struct sensor_signal {
    struct str input, time;
    const struct packet_alert *alert;
};

/* The start of a line in a file, or the end of what ended without a line feed. */
struct sensor_place {
    uint64_t offset, line; /* of the text, when it is packed; line: from 1 */
    uint64_t tail; /* where it is followed: the hash of the last LIMIT_SENSOR_TAIL_BYTES before it,
                    * or all that there are, as sensor_text_hash says; else 0 */
};

/* Names of fields, with commas between: of lines of JSON, as src.ip; or numbers of columns between
 * tabs, from 1. Of one thread at a time. ERR_USAGE. */
struct sensor_fields;
bool sensor_fields_new(struct str names, struct sensor_fields **out, struct err *e) BASE_CHECKED;
void sensor_fields_free(struct sensor_fields *f); /* NULL is allowed */

struct sensor_scan {
    const struct match_set *set;
    struct sensor_live *live; /* not NULL: in the place of `set`, which changes */
    const int64_t *as_of_us;  /* judge validity at this instant; NULL: when the bytes are read */
    sensor_alert_fn *alert;
    /* After each piece: bytes of this input so far; false stops. May be NULL. */
    bool (*block)(void *ctx, uint64_t bytes);
    /* Lines that say they were written before or after (microseconds since 1970, the latter not
     * included) are not told; those that do not say when are. NULL: all. */
    const struct sensor_span {
        int64_t from_us, until_us;
    } * span;
    /* Only what begins in one of these fields of its line is told; of a line without fields
     * nothing, of one that begins as JSON and is none, or is longer than a piece, all. NULL: all.
     * Not of captures. */
    struct sensor_fields *fields;
    /* A file was opened; *from, the beginning, may be set to where a scan got to before, of what is
     * packed in its text. `later`: it came to a folder that was followed already, and may hold what
     * was told under another name. May be NULL. */
    void (*begin)(void *ctx, struct str input, int fd, bool later, struct sensor_place *from);
    /* After `block`, also when that stops: all that stands before this place of the file was told.
     * Of what is packed only in a folder that is followed, and not of a capture. May be NULL. */
    void (*told)(void *ctx, struct str input, const struct sensor_place *upto);
    /* A file of a folder that is followed has another name now, and what comes of it is told under
     * that; `to` is STR_NONE: it is not followed any more, or was read as a whole. May be NULL. */
    void (*moved)(void *ctx, struct str from, struct str to);
    /* A file that is followed by its name has taken that, and will be read when those before it
     * are; `begin` comes then. May be NULL. */
    void (*comes)(void *ctx, struct str input, int fd);
    /* A file goes on as others write to it: of sensor_follow alone. */
    bool follow;
    /* A sentence on an input whose text cannot be seen (compressed, UTF-16). May be NULL. */
    void (*warn)(void *ctx, struct str input, const char *text);
    /* For what rules of signalling say of captures; false stops. NULL: they do not run. */
    bool (*signal)(void *ctx, const struct sensor_signal *s);
    /* One of several captures that are read together, or of what is followed, cannot be read, or
     * not further; or it was not read when following was stopped. */
    void (*lost)(void *ctx, const struct err *e);
    /* After each capture, or all that are read together. May be NULL. */
    void (*figures)(void *ctx, struct str input, const struct packet_figures *f);
    const struct packet_config *config; /* of the rules; may be NULL */
    const unsigned char *handle_key;    /* CRYPT_KEY_BYTES; NULL: one of this run */
    void *ctx;
    /* Threads that look at one file; 0: as many as there are processors. The callbacks are called
     * by one at a time, in the order of the input, but not all by the thread that called. */
    size_t threads;
    /* 0: LIMIT_SENSOR_BLOCK_BYTES, and twice LIMIT_OBSERVABLE_BYTES. Tests set less. */
    size_t block_bytes, context_bytes;
};
/* Scans a file, a pipe, or `-` for standard input to its end, in memory that does not depend on
 * its length. What is complete is reported before more is waited for. A line longer than a block
 * is looked at in pieces that overlap: a hit is told once, and as if the line had been whole as
 * long as it and what surrounds it fit in `context_bytes`. *to_end: it was read to its end, not
 * stopped before by `alert` or `block`. A capture (pcap, pcapng) is decoded instead. */
bool sensor_scan_input(const struct sensor_scan *s, const char *input, bool *to_end,
                       struct err *e) BASE_CHECKED;

/* Is it a file that holds a capture? */
bool sensor_is_capture(const char *input);
/* Decodes captures together, in the order of time, with one table of sessions: what a tap of N4 or
 * N2 tells is known for the packets of a tap of N3, in whatever order they are named. After more
 * than a day without a frame what was learned is forgotten. One that cannot be read (further) is
 * told to `lost`; at most LIMIT_SENSOR_CAPTURES may be of the same time. One thread reads. */
bool sensor_scan_captures(const struct sensor_scan *s, const char *const *inputs, size_t count,
                          bool *to_end, struct err *e) BASE_CHECKED;

/* Follows files until a callback stops it, each on a thread of its own, through what log rotation
 * does: a file whose name is another's is read until it has not grown for a second, then those that
 * took its name, in turn, each from its beginning. They are opened when they are seen, ten times a
 * second, and LIMIT_SENSOR_ROTATED wait at the most; one that was seen and cannot wait is told to
 * `lost`. Callbacks are called by one thread at a time. At most LIMIT_SENSOR_FOLLOWED files, all
 * regular. What has text that was not read at the end is told to `lost`, too.
 * Folders among the inputs are looked through each second (file_walk): a file in one is followed
 * from where `begin` says for as long as it is there, whatever its name becomes, and the next one
 * of its name is begun when it was read to its end. One that is packed or a capture is read as a
 * whole once it has stopped growing. What cannot be read is told to `lost`, once, and tried again.
 * A file that is named beside its folder is one of the folder. */
bool sensor_follow(const struct sensor_scan *s, const char *const *inputs, size_t count,
                   struct err *e) BASE_CHECKED;

/* Could log rotation have given the name `name` to what was in the log `of`, which may have such a
 * name itself? So app.log.2.gz for app.log.1 and app.log. */
bool sensor_is_rotated(struct str name, struct str of);
/* The hash of `n` bytes of a file's text at `offset`, at most LIMIT_SENSOR_TAIL_BYTES; of what is
 * packed, it is read from its start. Where the file is read stays. False when it has not so many
 * bytes, or cannot be read. */
bool sensor_text_hash(int fd, uint64_t offset, size_t n, uint64_t *out) BASE_CHECKED;
bool sensor_is_packed(int fd); /* gzip, Zstandard or xz, by its first bytes */

/* Listens on an interface of this machine until it is stopped. */
bool sensor_scan_interface(const struct sensor_scan *s, const char *name, bool *to_end,
                           struct err *e) BASE_CHECKED;

/* What came to one address. */
struct sensor_heard {
    uint64_t messages, bytes; /* bytes: with a line feed behind each message */
    uint64_t connections;
    uint64_t dropped; /* datagrams that the kernel had no room for */
};
enum sensor_hearing { SENSOR_LISTENS, SENSOR_LOSES, SENSOR_HEARD }; /* LOSES: the first time */
struct sensor_syslog {
    /* `udp:HOST:PORT` or `tcp:HOST:PORT`, at most LIMIT_SENSOR_SYSLOG_ADDRESSES. An IPv6 address
     * stands in brackets; port 0 is one that is free. */
    struct str address[LIMIT_SENSOR_SYSLOG_ADDRESSES];
    size_t count;
    /* `where` is the address as an alert's `input` names it. */
    void (*heard)(void *ctx, struct str where, enum sensor_hearing now,
                  const struct sensor_heard *h);
    void *ctx;
};
/* ERR_USAGE when it has not the form of an address. */
bool sensor_syslog_check(struct str address, struct err *e) BASE_CHECKED;
/* Takes messages of syslog as lines, whatever their format, until a callback of `s` stops it: a
 * datagram is one (RFC 5426), and of a stream what ends with a line feed or, where it starts so,
 * has its length before it (RFC 6587). `line` and `offset` of an alert count all that came to its
 * address. While alerts are not taken nothing is read: who sends over TCP has to wait, and over UDP
 * the kernel drops and counts. What had arrived when it is stopped is still looked at. ERR_USAGE,
 * and ERR_NETWORK for an address that cannot be listened on. */
bool sensor_syslog_listen(const struct sensor_scan *s, const struct sensor_syslog *from,
                          struct err *e) BASE_CHECKED;

/* One line of JSON with its line feed. */
void sensor_alert_put(struct buf *out, const struct sensor_alert *a);
void sensor_signal_put(struct buf *out, const struct sensor_signal *s);
/* The same as others read it: Elastic Common Schema 8 (threat.enrichments), OCSF 1.3 (Detection
 * Finding), both with our own line within, and ArcSight's Common Event Format 0. */
enum sensor_format { SENSOR_JSON, SENSOR_ECS, SENSOR_OCSF, SENSOR_CEF };
bool sensor_format_parse(struct str name, enum sensor_format *out); /* "json", "ecs", ... */
void sensor_alert_put_as(struct buf *out, enum sensor_format format, const struct sensor_alert *a);
void sensor_signal_put_as(struct buf *out, enum sensor_format format,
                          const struct sensor_signal *s);

/* ---- looking back -------------------------------------------------------------------------- */

/*
 * An index of a log says which parts of it can hold a value, so that an indicator which arrives
 * today is looked for in the logs of half a year by reading little of them. It never says "no"
 * wrongly: what an index cannot tell, or was changed since, by its size and time, is read. Indexes
 * hold no text of the log but its path. One thread calls; making an index starts threads of its
 * own.
 */
enum sensor_indexed {
    SENSOR_INDEX_MADE,
    SENSOR_INDEX_FRESH, /* there was one, and the log is as it was */
    SENSOR_INDEX_NONE   /* a pipe, a capture, compressed: what is no text in a file has none */
};
struct sensor_index_is {
    enum sensor_indexed is;
    const char *why; /* there is none: what the input is; NULL: `block` stopped it */
};
struct sensor_indexing {
    size_t threads; /* 0: as many as there are processors */
    /* Bytes of this log so far, by one thread at a time; false stops. May be NULL. */
    bool (*block)(void *ctx, uint64_t bytes);
    void *ctx;
    size_t block_bytes, segment_bytes; /* 0: the limits of those names. Tests set less. */
};
/* Writes the index of the log `input` into the directory `dir`, which is made if absent; one that
 * is there is replaced as a whole. When `block` stops it, nothing is written: SENSOR_INDEX_NONE. */
bool sensor_index_log(const char *dir, const char *input, const struct sensor_indexing *how,
                      struct sensor_index_is *out, struct err *e) BASE_CHECKED;

struct sensor_hunt {
    /* As for sensor_scan_input; `block` is told the bytes of all logs that are dealt with. */
    struct sensor_scan scan;
    /* What is to be known of a log: it was read as a whole, or could not be, and why. */
    void (*note)(void *ctx, struct str log, const char *text);
};
struct sensor_hunted {
    size_t logs, whole, failed; /* of an index; read as a whole; not or not all read */
    uint64_t bytes, read;       /* of all logs; of those that were read */
};
/* Looks for the set of `h->scan` in all logs that the directory (or the one file) `index` knows, in
 * order of their paths; alerts are those of sensor_scan_input. A log that cannot be read is noted
 * and counted, and the others are looked at. *to_end: nothing stopped it. */
bool sensor_hunt(const char *index, const struct sensor_hunt *h, struct sensor_hunted *out,
                 bool *to_end, struct err *e) BASE_CHECKED;
/* Bytes of all logs of an index, for a bar of progress; 0 when it cannot be read. */
uint64_t sensor_hunt_bytes(const char *index);

/* ---- sightings --------------------------------------------------------------------------- */

/* Numbers of the indicators that were seen, from 0, by their ids: those that hits carry are another
 * set's when the set changes. Their name and markings are those that were said last. */
struct sensor_tally;
bool sensor_tally_new(struct sensor_tally **out, struct err *e) BASE_CHECKED;
void sensor_tally_free(struct sensor_tally *t); /* NULL is allowed */
/* False without memory. */
bool sensor_tally_of(struct sensor_tally *t, const struct match_indicator *m,
                     size_t *number) BASE_CHECKED;
size_t sensor_tally_count(const struct sensor_tally *t);
/* Its id, name, tlp, marks and stix; the texts live as long as the tally. */
struct match_indicator sensor_tally_get(const struct sensor_tally *t, size_t number);

/* Counts by indicator, and by rule of signalling; indicators of plain lists are no STIX objects and
 * are not counted. A rule is counted for its technique of FiGHT: the sighting is of the
 * attack-pattern that stix_fight_bundle makes of it, which has one id for everybody. */
struct sensor_sightings;
bool sensor_sightings_new(struct sensor_sightings **out, struct err *e) BASE_CHECKED;
void sensor_sightings_free(struct sensor_sightings *s); /* NULL is allowed */
void sensor_sightings_add(struct sensor_sightings *s, const struct sensor_alert *a);
void sensor_sightings_signal(struct sensor_sightings *s, const struct packet_alert *a);
/* From now on the first lines in which an indicator is seen are kept too,
 * LIMIT_SENSOR_EVIDENCE_LINES of so many bytes at the most, and each sighting is written behind an
 * observed-data object that refers to them, as artifacts with the sighting's markings. */
void sensor_sightings_evidence(struct sensor_sightings *s);
bool sensor_sightings_any(const struct sensor_sightings *s); /* was anything counted? */
/* What was counted, to go on with it in another run: appends a line of JSON for each indicator,
 * with a member `sighting_of`, and the lines that are kept with it; and adds what stands in such
 * lines, of those of the log only what this run would keep too. ERR_INVALID. */
void sensor_sightings_save(const struct sensor_sightings *s, struct buf *out);
bool sensor_sightings_restore(struct sensor_sightings *s, struct str lines,
                              struct err *e) BASE_CHECKED;
/* Ends counting: writes one sighting for each indicator and rule seen, by `identity` (may be
 * empty). */
bool sensor_sightings_write(struct sensor_sightings *s, struct str identity, int64_t now_us,
                            struct err *e) BASE_CHECKED;
size_t sensor_sightings_count(const struct sensor_sightings *s); /* after writing */
/* A TAXII envelope of `count` sightings from the one numbered `first`. */
void sensor_sightings_put(const struct sensor_sightings *s, size_t first, size_t count,
                          struct buf *out);

/* Where sightings go: a collection of a server or of a node's directory. */
struct sensor_target;
/* As sensor_indicators_load. Asks who the caller is there; fails when that is not known and
 * `identity` is empty. A directory's only collection needs no name. */
bool sensor_target_open(const char *where, const struct peer_endpoint *how, struct str collection,
                        struct str identity, struct sensor_target **out,
                        struct err *e) BASE_CHECKED;
void sensor_target_close(struct sensor_target *t); /* NULL is allowed */
struct str sensor_target_identity(const struct sensor_target *t);

struct sensor_sent {
    uint64_t success, failure, pending;
    size_t handed; /* sightings whose fate is known; on failure those from here on are not */
    struct buf *first_failure; /* or NULL: receives the first refusal's message */
};
/* Hands over everything in envelopes of at most 1,000. On failure `out` tells how far it came. */
bool sensor_target_send(struct sensor_target *t, const struct sensor_sightings *s,
                        struct sensor_sent *out, struct err *e) BASE_CHECKED;

/* What is thought of an object: false-positive, doubtful, useful or confirmed. */
struct sensor_feedback {
    struct str id, verdict, comment; /* comment may be empty */
    struct str marking;              /* the id of a marking, or STR_NONE */
};
bool sensor_verdict_known(struct str verdict);
/* Is there an object of this id in the node? ERR_NOT_FOUND when not; of a server it is not known.
 */
bool sensor_target_knows(struct sensor_target *t, struct str id, struct err *e) BASE_CHECKED;
/* Hands over an Opinion; `out` tells whether it was taken. */
bool sensor_feedback_send(struct sensor_target *t, const struct sensor_feedback *f,
                          struct sensor_sent *out, struct err *e) BASE_CHECKED;

/* ---- notices ------------------------------------------------------------------------------- */

/*
 * What an incident in a mobile core touched: counted from alerts as sensor_alert_put and
 * sensor_signal_put wrote them, for one's own authority exactly and for others in bands. Of a
 * session its handle is counted, which is a user's where the signalling named him on that day, else
 * the session's: so a number of users is one that they are not more than. Nothing that stands in
 * an alert as text comes into what is for others.
 */
struct sensor_notice_asked {
    int64_t from_us, until_us; /* alerts of this time; until: not included */
    const struct str *of;      /* names of rules, techniques, ids of indicators; none: all */
    size_t of_count;
    const struct packet_config *config; /* says areas of nodes; may be NULL */
};
struct sensor_notice;
/* What `q` points to stays the caller's, who keeps it. ERR_USAGE when an `of` is nothing that an
 * alert can name. */
bool sensor_notice_new(const struct sensor_notice_asked *q, struct sensor_notice **out,
                       struct err *e) BASE_CHECKED;
void sensor_notice_free(struct sensor_notice *n); /* NULL is allowed */
/* Counts one alert. ERR_INVALID when it is none, ERR_LIMIT over LIMIT_SENSOR_NOTICE_KEYS. */
bool sensor_notice_take(struct sensor_notice *n, const struct json *alert,
                        struct err *e) BASE_CHECKED;
uint64_t sensor_notice_alerts(const struct sensor_notice *n); /* that counted */
/* The exact figures, members of a JSON object without its braces: to stay at home. */
void sensor_notice_figures(const struct sensor_notice *n, struct buf *out);
/* For others: a bundle with one incident of bands, whole hours and words of our own tables. */
struct sensor_notice_release {
    struct str identity, name;
    struct str marking; /* the id of a marking, or STR_NONE */
    int64_t now_us;
    const struct json *earlier; /* the incident that this is a later version of, or NULL */
};
/* ERR_NOT_FOUND when nothing was counted; ERR_INVALID when `earlier` is no notice of this identity;
 * ERR_CONFLICT when it told of more: a later notice only grows. */
bool sensor_notice_incident(const struct sensor_notice *n, const struct sensor_notice_release *r,
                            struct buf *out, struct err *e) BASE_CHECKED;

/* ---- what could not be handed over ---------------------------------------------------------- */

/* A folder in which envelopes of sightings wait, over restarts; it is made if absent. */
bool sensor_spool_open(const char *dir, struct err *e) BASE_CHECKED;
bool sensor_spool_count(const char *dir, size_t *count, struct err *e) BASE_CHECKED;
/* Keeps the sightings from the one numbered `first` on. ERR_LIMIT over LIMIT_SENSOR_SPOOL_FILES. */
bool sensor_spool_keep(const char *dir, const struct sensor_sightings *s, size_t first,
                       struct err *e) BASE_CHECKED;
/* Hands over what waits, the oldest first, and deletes what arrived. Adds to `out`. A file that is
 * no envelope is counted as a failure and kept under the name NAME.bad. */
bool sensor_spool_send(const char *dir, struct sensor_target *t, struct sensor_sent *out,
                       struct err *e) BASE_CHECKED;

#endif
