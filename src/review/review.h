/*
 * Measures of an exchange between two organisations, and the review of a round of their dialogue.
 * Every number is counted from records of the ledger and objects of the store, through the rights
 * of who reads the review; none is typed in, and what no record can show is said to be not
 * measurable. It changes nothing. One thread a session; everything lives in the caller's arena.
 */
#ifndef REVIEW_REVIEW_H
#define REVIEW_REVIEW_H

#include "base/base.h"
#include "exchange/exchange.h"

/* ---- what there is to count ---- */

struct review_asked {
    struct policy_party partner; /* of whom and of home the review is */
    struct policy_party reader;  /* through whose rights it looks; org empty: home's own */
    int64_t as_of_us;            /* what is later does not count */
};
/* The objects that home and the partner have from each other, and the ledger's records of it, as
 * far as the reader may see them. */
struct review_facts;
bool review_facts_load(struct exchange_session *s, struct arena *a, const struct review_asked *q,
                       const struct review_facts **out, struct err *e) BASE_CHECKED;

/* ---- measures ---- */

/* Whose doing a number is about. */
enum review_side { REVIEW_HOME, REVIEW_PARTNER };

/* name, unit, from what both sides hold?, floored?, norms (letters), what it counts for a side.
 * COUNTED from what both hold, a number is the same on both nodes; else it is one node's own. */
#define REVIEW_MEASURES(X)                                                                         \
    X(OBJECTS_EXCHANGED, "objects-exchanged", OBJECTS, true, true, "a",                            \
      "objects that the other side has from this one, in versions of the time")                    \
    X(OBJECTS_USED, "objects-used", OBJECTS, true, true, "ag",                                     \
      "objects of the other side that this one reported as sighted")                               \
    X(TIME_TO_DETECTION, "time-to-detection", SECONDS, false, true, "g",                           \
      "from the release of an object of this side to its first sighting by the other")             \
    X(NOVELTY, "novelty", PERCENT, false, true, "",                                                \
      "indicators that came from the other side whose pattern nobody had told before")             \
    X(LEAD_TIME, "lead-time", SECONDS, false, true, "g",                                           \
      "from the arrival of an object of the other side to this side's first sighting of it")       \
    X(REQUESTS_IN_TIME, "requests-in-time", PERCENT, true, false, "bcdhj",                         \
      "requests to this side, due or answered, that were answered in time")                        \
    X(REQUESTS_DECLINED, "requests-declined", REQUESTS, true, false, "h",                          \
      "requests that this side declined")                                                          \
    X(REQUEST_TIME_TO_ACKNOWLEDGE, "request-time-to-acknowledge", SECONDS, true, false, "h",       \
      "from a request to this side's first step")                                                  \
    X(REQUEST_TIME_TO_ANSWER, "request-time-to-answer", SECONDS, true, false, "cdh",               \
      "from a request to this side's answer")                                                      \
    X(WITHDRAWALS_CONFIRMED, "withdrawals-confirmed", PERCENT, false, true, "",                    \
      "objects that this side took back of which the other confirmed it")                          \
    X(WITHDRAWAL_TIME, "withdrawal-time", SECONDS, false, true, "",                                \
      "from taking an object back to the other side's confirmation")                               \
    X(PINGS_ANSWERED, "pings-answered", PERCENT, true, false, "a",                                 \
      "tests of this side's contact points that were answered")                                    \
    X(REFUSALS, "refusals", OBJECTS, false, true, "e",                                             \
      "objects of the other side that this one refused or put aside, by rule")                     \
    X(HOLDS, "holds", OBJECTS, false, true, "",                                                    \
      "objects of this side that officers were to decide about, for the other")                    \
    X(PARTNER_AVAILABILITY, "partner-availability", PERCENT, false, false, "",                     \
      "times that this side found the other's node reachable")                                     \
    X(LEDGER_WITNESSED, "ledger-witnessed", PERCENT, false, false, "",                             \
      "records of this side's ledger under a checkpoint that the other countersigned")             \
    X(REDACTIONS_PERSONAL, "redactions-personal", OBJECTS, false, true, "e",                       \
      "objects of this side that went out without what is personal")                               \
    X(ROUNDS_HELD, "rounds-held", ROUNDS, true, false, "a", "rounds of the dialogue held")         \
    X(ADVISORIES_EXCHANGED, "advisories-exchanged", ADVISORIES, true, true, "ij",                  \
      "vulnerabilities, and reports of vulnerabilities, that the other side has from this one")    \
    X(TECHNIQUES_DETECTED, "techniques-detected", TECHNIQUES, true, false, "",                     \
      "attack patterns that this side tied to an indicator both hold, or ever reported as "        \
      "sighted")                                                                                   \
    X(TECHNIQUES_SIGHTED, "techniques-sighted", TECHNIQUES, true, true, "",                        \
      "attack patterns that this side reported as sighted, themselves or by an indicator of them") \
    X(TECHNIQUES_COVERED, "techniques-covered", PERCENT, false, false, "",                         \
      "attack patterns this side holds that an indicator or a rule of signalling detects")

#define REVIEW_UNITS(X)                                                                            \
    X(OBJECTS, "objects")                                                                          \
    X(PERCENT, "percent")                                                                          \
    X(SECONDS, "seconds")                                                                          \
    X(REQUESTS, "requests")                                                                        \
    X(ROUNDS, "rounds")                                                                            \
    X(ADVISORIES, "advisories")                                                                    \
    X(TECHNIQUES, "techniques")
enum review_unit {
#define X(id, text) REVIEW_##id##_UNIT,
    REVIEW_UNITS(X)
#undef X
};
const char *review_unit_name(enum review_unit u);

enum review_measure_id {
#define X(id, name, unit, shared, floored, norms, what) REVIEW_##id,
    REVIEW_MEASURES(X)
#undef X
};
#define REVIEW_MEASURE_COUNT 22

struct review_measure {
    enum review_measure_id id;
    const char *name, *norms, *what;
    enum review_unit unit;
    bool shared, floored;
};
const struct review_measure *review_measure(enum review_measure_id id);
/* NULL: there is no measure of this name. */
const struct review_measure *review_measure_find(struct str name);
/* May the measure be computed for the UN norm of that letter? ERR_FORBIDDEN for f and k, which are
 * declaratory: no record of an exchange can show what a State abstains from. ERR_INVALID where the
 * measure says nothing of the norm. */
bool review_measure_speaks(const struct review_measure *m, struct str norm,
                           struct err *e) BASE_CHECKED;

enum review_outcome {
    REVIEW_COUNTED,
    REVIEW_FLOORED,       /* there are some, fewer than LIMIT_REVIEW_FLOOR */
    REVIEW_NO_CASES,      /* of which to state a share or a time; a count of none is counted */
    REVIEW_NOT_MEASURABLE /* no record can show it: `why` */
};
#define REVIEW_NO_INDEX UINT64_MAX
struct review_evidence {
    struct str id;  /* of the object, or empty */
    uint64_t index; /* of the ledger's leaf, or REVIEW_NO_INDEX */
    int64_t value;  /* percent: 1 yes, 0 no; seconds: how many; else 1 */
};
/* Cases of one label: a type and its marking, a kind of request, a rule. */
struct review_part {
    struct str label, more;
    uint64_t cases;
    bool floored; /* some, fewer than LIMIT_REVIEW_FLOOR; `cases` is 0 */
};
struct review_number {
    enum review_outcome outcome;
    const char *why;
    /* A count; tenths of a percent; the median in seconds. Where `at_least`, of the parts that are
     * stated: the others are too few to be told. */
    int64_t value;
    bool at_least;
    int64_t p90;    /* seconds: not passed by 90 percent of the cases (nearest rank) */
    uint64_t cases; /* from which it follows */
    uint64_t
        aside; /* seconds: cases that came before what is waited for; 0 too where they are few */
    bool aside_floored;
    const struct review_part *parts; /* sorted by label */
    size_t part_count;
    const struct review_evidence *evidence; /* the first LIMIT_REVIEW_EVIDENCE, by id and index */
    size_t evidence_count;
};
struct review_window {
    int64_t from_us, to_us; /* from: not included */
};
/* Counts one measure for one side. ERR_LIMIT where the arena is full. */
struct review_counting {
    const struct review_measure *measure;
    enum review_side side;
    struct review_window window;
};
bool review_count(const struct review_facts *f, struct arena *a, const struct review_counting *c,
                  struct review_number *out, struct err *e) BASE_CHECKED;

/* ---- the state of a commitment ---- */

#define REVIEW_STATES(X)                                                                           \
    X(NOT_STARTED, "not-started", "not started")                                                   \
    X(ON_TRACK, "on-track", "on track")                                                            \
    X(MET, "met", "met")                                                                           \
    X(MET_LATE, "met-late", "met late")                                                            \
    X(SLIPPED, "slipped", "slipped")                                                               \
    X(LAPSED, "lapsed", "lapsed")                                                                  \
    X(SUPERSEDED, "superseded", "superseded")                                                      \
    X(DISPUTED, "disputed", "disputed")                                                            \
    X(UNMEASURABLE, "not-measurable", "not measurable")
enum review_state {
#define X(id, name, words) REVIEW_##id,
    REVIEW_STATES(X)
#undef X
};
#define REVIEW_STATE_COUNT 9
const char *review_state_name(enum review_state s);
const char *review_state_words(enum review_state s);
bool review_state_parse(struct str name, enum review_state *out) BASE_CHECKED;

/* What the sides have said last. */
enum review_said {
    REVIEW_SAID_NOTHING,
    REVIEW_SAID_DIFFERENT,
    REVIEW_SAID_STATE /* one side, or both alike: `state` */
};
/* What its measures show, as far as both sides can count it. */
enum review_reach {
    REVIEW_REACH_UNKNOWN, /* no measure, or one of them shows nothing */
    REVIEW_REACH_ZERO,    /* nothing has happened yet */
    REVIEW_REACH_SHORT,
    REVIEW_REACH_MET,
    REVIEW_REACH_LATE /* reached, but not by the due date */
};
enum review_term {
    REVIEW_TERM_OPEN,   /* no due date */
    REVIEW_TERM_BEFORE, /* the due date is to come */
    REVIEW_TERM_AFTER,
    REVIEW_TERM_ENDED /* the instrument is in force no more */
};
struct review_grounds {
    bool superseded; /* another commitment says that it takes its place */
    enum review_said said;
    enum review_state state; /* of REVIEW_SAID_STATE */
    enum review_reach reach;
    enum review_term term;
};
/* By one table, of which every combination meets one row. Words do not outrank numbers, nor numbers
 * words: where they contradict each other the commitment is disputed. */
enum review_state review_state_of(const struct review_grounds *g);

/* ---- the review of a round ---- */

struct review;
struct review_options {
    struct str instrument; /* its id or title; empty: the only one that both hold */
    uint64_t round;        /* its ordinal */
    struct review_asked asked;
};
/* ERR_NOT_FOUND without such an instrument or round, ERR_CONFLICT where several are meant,
 * ERR_INVALID when the instrument is not between these two, ERR_LIMIT over what limits.h names. */
bool review_make(struct exchange_session *s, struct arena *a, const struct review_options *o,
                 const struct review **out, struct err *e) BASE_CHECKED;
/* One JSON object: `shared`, the same bytes on both nodes for the same as-of instant, its SHA-256,
 * and `own`, which this node alone can count. */
bool review_json(const struct review *r, struct buf *out, struct err *e) BASE_CHECKED;
/* The same as one HTML page that needs nothing else: no script, no image, no font; in two sections,
 * of which the first has the same bytes on both nodes. */
bool review_html(const struct review *r, struct buf *out, struct err *e) BASE_CHECKED;

#endif
