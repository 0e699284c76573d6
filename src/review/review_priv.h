/* Inside the room: the facts that are counted, and cases on their way to a number. */
#ifndef REVIEW_REVIEW_PRIV_H
#define REVIEW_REVIEW_PRIV_H

#include "dialogue/dialogue.h"
#include "review/review.h"

enum facts_way {
    FACTS_SHARED, /* both sides hold it */
    FACTS_OURS    /* home holds it, of whomever but the partner: indicators, sightings, attack
                     patterns, and which indicates which */
};
/* Whose an object is. What a third party made, and both sides may have from it, is neither's: two
 * nodes would not agree on who sent it. */
enum facts_side { FACTS_HOMES = REVIEW_HOME, FACTS_PARTNERS = REVIEW_PARTNER, FACTS_NEITHERS };
/* An object in its newest version up to the as-of instant. */
struct facts_object {
    enum facts_way way;
    bool got; /* it came from the partner; else it is released to it */
    enum facts_side side;
    struct str id, type, version, creator;
    int64_t version_us;
    int64_t added_us; /* the first date_added here of any version */
    enum stix_tlp tlp;
    bool revoked, advisory;
    struct str ref;          /* a sighting: of what; an indicator: its pattern; an attack pattern:
                                who describes it; a relationship `indicates`: its source, … */
    struct str target;       /* … and what that indicates */
    int64_t seen_us;         /* a sighting: when, the first time */
    struct str text;         /* of a dialogue's object: its bytes, … */
    const struct json *json; /* … parsed, and sound by its schema; else NULL */
};
/* A record of the ledger that is about the partner. */
struct facts_record {
    enum ledger_kind kind;
    uint64_t index;
    int64_t at_us;
    struct str object;
    struct str label; /* a refusal: its rule */
};
/* A request that both sides have, with its life by the steps that both have. */
struct facts_request {
    struct str id, kind;
    enum review_side asked; /* who is to answer */
    struct dialogue_life life;
};
struct review_facts {
    struct policy_party home, partner, reader;
    struct str identities[2]; /* of home and partner */
    bool home_reads;          /* the reader is home's own */
    int64_t as_of_us;
    struct facts_object *objects; /* sorted by way, then id */
    size_t count, starts[FACTS_OURS + 2];
    const struct facts_record *records; /* in order of the log */
    size_t record_count;
    const struct facts_request *requests; /* in order of `created` */
    size_t request_count;
    uint64_t leaves;    /* of the log up to the as-of instant */
    uint64_t witnessed; /* of these, under a checkpoint that the partner countersigned */
    bool has_witness;
    const struct store_witness *witness;
};
/* As review_facts_load. */
bool facts_load(struct exchange_session *s, struct arena *a, const struct review_asked *q,
                struct review_facts **out, struct err *e) BASE_CHECKED;
/* What both hold of that id, or home alone; or NULL. */
const struct facts_object *facts_find_way(const struct review_facts *f, enum facts_way way,
                                          struct str id);
/* What both hold of that id, or NULL. */
const struct facts_object *facts_find(const struct review_facts *f, struct str id);
/* Says whose each object is: by its creator, one of the identities of a side; without a creator, by
 * where it came from. `parties`: further identities by nation, from an instrument, or NULL. */
void facts_attribute(struct review_facts *f, const struct json *parties);
/* Requests, once the objects are there (facts_requests.c). */
bool facts_requests_load(struct exchange_session *s, struct arena *a, const struct principal *home,
                         struct review_facts *f, struct err *e) BASE_CHECKED;
/* The ledger's part of the facts (facts_ledger.c). */
bool facts_ledger_load(struct exchange_session *s, struct arena *a, const struct principal *reader,
                       struct review_facts *f, struct err *e) BASE_CHECKED;

/* ---- cases ---- */

struct gather_case {
    struct str id, label, more;
    struct str key; /* cases of one key count once; STR_NONE: each counts */
    uint64_t index;
    int64_t value;
};
struct gather {
    const struct review_facts *f;
    const struct review_counting *c;
    struct gather_case *cases;
    size_t count, room;
    uint64_t aside;
    uint64_t yes, all; /* a share that is known without cases; all 0: it is not */
    struct arena *a;
    const char *why; /* not measurable */
    bool failed;     /* no memory */
};
void gather_add(struct gather *g, const struct gather_case *c);
static inline bool gather_in_window(const struct gather *g, int64_t at_us)
{
    return at_us > g->c->window.from_us && at_us <= g->c->window.to_us;
}
/* Does only the other node count it for this side? Then that is said. */
bool gather_elsewhere(struct gather *g);
/* Whose the objects of the side are that is counted for. */
enum facts_side gather_side(const struct gather *g);
typedef void gather_fn(struct gather *g);
/* technique.c */
gather_fn technique_detected, technique_sighted, technique_covered;
/* By enum review_measure_id. */
extern gather_fn *const gather_functions[REVIEW_MEASURE_COUNT];

#endif
