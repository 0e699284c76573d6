/*
 * Indicator sets and the scanner. A set maps normal forms to indicators; the scanner reads bytes,
 * finds what could be an observable and looks it up in constant time, whatever the set's size.
 * A set is built by one thread and sealed; it is then read-only and shared by any number of
 * threads. A scan keeps its state on its own stack.
 *
 * A sealed set can be written to a file and opened again in a moment, however large it is. Over a
 * sealed set another can be laid that adds indicators and silences some: that is how a set follows
 * a collection that lives. The layout of the file stands in match_priv.h.
 */
#ifndef MATCH_MATCH_H
#define MATCH_MATCH_H

#include "base/base.h"
#include "observable/observable.h"

/* What an alert says of the indicator; strings are copied into the set. */
struct match_indicator {
    struct str id, name, tlp;
    struct str labels;  /* a JSON array, or STR_NONE */
    int64_t from_us;    /* valid from this instant (INT64_MIN: always) */
    int64_t until_us;   /* until before this one (INT64_MAX: no end) */
    bool stix;          /* a STIX object, not the line of a list; the next two are of those only */
    int64_t version_us; /* its `modified`; kept, not looked at */
    struct str marks;   /* ids of its markings but TLP, a blank behind each; kept, not looked at */
};

/* ---- building ----------------------------------------------------------------------------- */

struct match_set;
struct match_set *match_set_new(void); /* NULL without memory */
void match_set_free(struct match_set *s);
/* Adds an indicator and returns its number in *index; values are then tied to it. */
bool match_set_indicator(struct match_set *s, const struct match_indicator *i, uint32_t *index,
                         struct err *e) BASE_CHECKED;
/* Ties a value in normal form to an indicator. Several indicators may hold one value: each is
 * reported. The same value twice under one indicator counts once. */
bool match_set_value(struct match_set *s, uint32_t index, const struct observable *o,
                     struct err *e) BASE_CHECKED;
/* Copies the indicators and values of a sealed set. */
bool match_set_copy(struct match_set *s, const struct match_set *from, struct err *e) BASE_CHECKED;
/* Ends building. */
bool match_set_seal(struct match_set *s, struct err *e) BASE_CHECKED;

/* Called for a line that holds no observable: its number from 1, its trimmed text and the reason.
 */
typedef void match_unknown_fn(void *ctx, size_t line, struct str text, const struct err *why);
struct match_list_options {
    struct match_indicator like; /* tlp, labels and validity of each; `id` empty: the line's text */
    match_unknown_fn *unknown;   /* may be NULL */
    /* May be NULL; false and the reason: the line counts as one that is not understood. */
    bool (*accept)(void *ctx, const struct observable *o, struct err *why);
    void *ctx;
    /* Filled: indicators added, lines that were not understood. */
    size_t added_count, unknown_count;
};
/* Adds an indicator for each line of a plain list: one value a line, blank lines and what follows
 * `#` at a line's start or after a blank is left out. Unknown lines are counted and do not fail. */
bool match_set_load_list(struct match_set *s, struct str text, struct match_list_options *options,
                         struct err *e) BASE_CHECKED;

/* ---- files -------------------------------------------------------------------------------- */

/* Writes a sealed set that lies over no other; replaces the file as a whole. */
bool match_set_write(const struct match_set *s, const char *path, struct err *e) BASE_CHECKED;
/* Opens a file that match_set_write made. It is mapped: what a scan does not need is not read. The
 * bytes are not trusted: each block is checked against its sum before it is first used, and what
 * it says against the file's bounds. */
bool match_set_open(const char *path, struct match_set **out, struct err *e) BASE_CHECKED;
/* If a block read since opening was not what had been written. What it held was not found then. */
bool match_set_damaged(const struct match_set *s);
bool match_is_set(struct str head); /* by the first bytes of a file */

/* ---- blinding ------------------------------------------------------------------------------- */

/* Makes a copy of a sealed set, which lies over no other, in which values can be found but not
 * read: a MAC of each under `key` (32 random bytes, in no set) stands in its place, names and
 * labels of indicators are left out, and the line of a list has another id. It finds what the set
 * finds. ERR_INVALID for an IPv4 block wider than a /20. The caller frees it. */
bool match_set_blind(const struct match_set *plain, const unsigned char *key,
                     struct match_set **out, struct err *e) BASE_CHECKED;
bool match_set_blinded(const struct match_set *s); /* or what lies below it */
/* A blinded set that was opened needs its key, once, before anything is looked for or it is laid
 * below another. ERR_INVALID when it is another's. Such a set cannot be copied. */
bool match_set_unblind(struct match_set *s, const unsigned char *key, struct err *e) BASE_CHECKED;

/* ---- following a collection ----------------------------------------------------------------- */

/* Lays a new set over a sealed one, which must outlive it: looked up in both, as if one set had
 * been built of the indicators of `base`, without those silenced, and then those of `s`. If `base`
 * lies over another itself, what it added and silenced is taken over, and only the lowest must
 * stay. So a change is: a new set over the one in use, silence and add, seal, let scans take the
 * new one, free the old one when the last scan with it has ended. Costs what was added since the
 * lowest set was built, and a copy of its filters. May be called at any time before sealing, once.
 */
void match_set_over(struct match_set *s, const struct match_set *base);
/* Silences the indicators of `base` with this id: it was withdrawn, or is replaced by what is added
 * to `s`. Unknown ids are no error. */
bool match_set_silence(struct match_set *s, struct str id, struct err *e) BASE_CHECKED;

/* ---- asking ------------------------------------------------------------------------------- */

size_t match_set_values(const struct match_set *s); /* different values; 0 before sealing */
/* Indicators, with those of the set below and also those silenced there. */
size_t match_set_indicators(const struct match_set *s);
/* Of a sealed set. Its strings live as long as the set; the id is empty where a file is damaged. */
struct match_indicator match_set_get(const struct match_set *s, uint32_t index);

/* ---- scanning ----------------------------------------------------------------------------- */

enum match_relation { MATCH_EXACT, MATCH_SUBDOMAIN, MATCH_INSIDE };
const char *match_relation_name(enum match_relation r);

struct match_hit {
    uint32_t indicator;
    enum match_relation relation;
    enum observable_kind kind;
    struct str observable; /* normal form of what stood there; valid during the call */
    struct str seen;       /* the bytes as they stood; points into the scanned text */
};
/* Returns false to stop the scan. */
typedef bool match_hit_fn(void *ctx, const struct match_hit *hit);
/* Scans `text` (whole lines; a token does not run across its ends). Hits come in order of `seen`:
 * by where it starts; at one place the whole (URL, e-mail address, full name) before its parts.
 * Indicators outside [from, until) at `now_us` are silent. Allocates nothing, but for names that
 * are not ASCII. */
void match_scan(const struct match_set *s, struct str text, int64_t now_us, match_hit_fn *each,
                void *ctx);
size_t match_count_lines(struct str text); /* line feeds */

/* ---- recording ---------------------------------------------------------------------------- */

/* What a text could be asked for, kept as 64-bit keys, so that later an indicator is known not to
 * stand in it without reading it again. Keys depend on the recorder's seed. An address is recorded
 * with the blocks of some lengths around it, a name with all names above it. One recorder serves
 * any number of threads. */
struct match_recorder;
bool match_recorder_new(uint64_t seed, struct match_recorder **out, struct err *e) BASE_CHECKED;
void match_recorder_free(struct match_recorder *r); /* NULL is allowed */
typedef void match_key_fn(void *ctx, uint64_t key);
/* Tells the keys of all that match_scan would look up in `text` for whatever set, some several
 * times. False: hostile text would cost too much to be told all of; anything may stand in it. */
bool match_record(const struct match_recorder *r, struct str text, match_key_fn *each, void *ctx);
/* Tells a key for each value of a sealed set, silenced ones too: where none of them was recorded,
 * match_scan finds nothing. False: for some value of the set no key is recorded (a name of one
 * label, IPv4 blocks wider than a /8, IPv6 blocks wider than a /32); it may stand anywhere. */
bool match_record_ask(const struct match_recorder *r, const struct match_set *s, match_key_fn *each,
                      void *ctx);

/* The ways to scan, quickest first; all find the same. The last, "reference", is the plain scanner
 * alone. match_scan takes the first that the processor can run, or the one that the environment
 * variable SETU_KERNEL names. */
const char *match_kernel_name(size_t i); /* NULL behind the last */
bool match_kernel_runs(size_t i);        /* if the processor can run it */
/* For tests: from now on all scans go this way; NULL: as at the start. False if there is none of
 * that name or the processor cannot run it. */
bool match_kernel_force(const char *name);

#endif
