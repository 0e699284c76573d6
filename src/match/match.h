/*
 * Indicator sets and the scanner. A set maps normal forms to indicators; the scanner reads bytes,
 * finds what could be an observable and looks it up in constant time, whatever the set's size.
 * A set is built by one thread, then read-only and shared; a scan keeps its state on its own stack.
 */
#ifndef MATCH_MATCH_H
#define MATCH_MATCH_H

#include "base/base.h"
#include "observable/observable.h"

/* What an alert says of the indicator; strings are copied into the set. */
struct match_indicator {
    struct str id, name, tlp;
    struct str labels; /* a JSON array, or STR_NONE */
    int64_t from_us;   /* valid from this instant (INT64_MIN: always) */
    int64_t until_us;  /* until before this one (INT64_MAX: no end) */
};

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
/* Ends building. */
bool match_set_seal(struct match_set *s, struct err *e) BASE_CHECKED;
size_t match_set_values(const struct match_set *s); /* different values */
size_t match_set_indicators(const struct match_set *s);
const struct match_indicator *match_set_get(const struct match_set *s, uint32_t index);

/* Called for a line that holds no observable: its number from 1, its trimmed text and the reason.
 */
typedef void match_unknown_fn(void *ctx, size_t line, struct str text, const struct err *why);
struct match_list_options {
    struct match_indicator like; /* tlp, labels and validity of each; `id` empty: the line's text */
    match_unknown_fn *unknown;   /* may be NULL */
    void *ctx;
    /* Filled: indicators added, lines that were not understood. */
    size_t added_count, unknown_count;
};
/* Adds an indicator for each line of a plain list: one value a line, blank lines and what follows
 * `#` at a line's start or after a blank is left out. Unknown lines are counted and do not fail. */
bool match_set_load_list(struct match_set *s, struct str text, struct match_list_options *options,
                         struct err *e) BASE_CHECKED;

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

#endif
