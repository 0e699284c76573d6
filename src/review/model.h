/* Inside the room: a review before it is written, as JSON or as a page. */
#ifndef REVIEW_MODEL_H
#define REVIEW_MODEL_H

#include "review/review_priv.h"

/* What one side said of a commitment at a date. */
struct model_assessment {
    const struct facts_object *said;
    size_t column;
    int64_t at_us;
    enum review_state state;
    bool last; /* of its side: this one counts */
};
/* A dialogue-measure: what is counted, and what is aimed at. */
struct model_aim {
    const struct facts_object *said;
    const struct review_measure *measure;
    const char *unknown; /* why it decides nothing; NULL: it decides */
    enum review_reach reach;
    bool counted;                    /* both sides can count it alike: */
    struct review_number numbers[2]; /* by column */
};
struct model_commitment {
    const struct facts_object *said;
    const struct facts_object *successor; /* that takes its place, or NULL */
    struct model_assessment *assessments; /* in order of time */
    size_t assessment_count;
    struct model_aim *aims;
    size_t aim_count;
    int64_t due_us; /* the end of the day; 0: no due date */
    struct review_grounds grounds;
    enum review_state state;
};
struct review {
    struct review_facts *facts;
    struct policy_party parties[2]; /* by column: in the order of the instrument's sides */
    enum review_side sides[2];      /* whose column it is */
    const struct facts_object *instrument, *round;
    struct str ordinal;
    struct review_window window; /* from the round to the as-of instant */
    struct model_commitment *commitments;
    size_t commitment_count;
    struct review_number numbers[REVIEW_MEASURE_COUNT][2]; /* by column */
    const struct json *norms;                              /* data/norms.json */
    const struct str *findings; /* what was left out of the shared part, and why */
    size_t finding_count;
    const struct facts_object **basis; /* the statements that the shared part is made of, by id */
    size_t basis_count;
    char objects_digest[65]; /* SHA-256 of the lines `id version` of all that both hold, by id */
    struct str checkpoint;   /* of home's ledger, now */
};

bool model_is_slipped(enum review_state s); /* slipped, lapsed, met late or disputed */
/* The names in a member by side, as in owners; NULL: none. */
const struct json *model_names(const struct json *by_side, struct str side);

/* ---- words, the same in both forms ---- */

/* "fewer than 5", "12 of 40", "median 2 h 5 min, 9 of 10 within 3 d 1 h" … */
void words_number(struct buf *b, const struct review_measure *m, const struct review_number *n);
void words_seconds(struct buf *b, int64_t seconds); /* "2 h 5 min" */
void words_tenths(struct buf *b, int64_t tenths);   /* "97.5" */
struct str words_instant(int64_t us, char out[INSTANT_TEXT_BYTES]);
/* The object `shared`; its SHA-256 names what both sides have before them. */
void json_shared(const struct review *r, struct buf *b);

#endif
