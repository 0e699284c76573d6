/* States of commitments: one table over what was said, what was counted, and the date. */
#include "review/review.h"

static const struct {
    const char *name, *words;
} states[] = {
#define X(id, name, words) {name, words},
    REVIEW_STATES(X)
#undef X
};
_Static_assert(sizeof states / sizeof states[0] == REVIEW_STATE_COUNT, "states");

const char *review_state_name(enum review_state s)
{
    must((size_t)s < REVIEW_STATE_COUNT);
    return states[s].name;
}

const char *review_state_words(enum review_state s)
{
    must((size_t)s < REVIEW_STATE_COUNT);
    return states[s].words;
}

bool review_state_parse(struct str name, enum review_state *out)
{
    for (size_t i = 0; i < REVIEW_STATE_COUNT; i++)
        if (str_eq(name, str_of(states[i].name))) {
            *out = (enum review_state)i;
            return true;
        }
    return false;
}

/* Sets of what may stand in a column. SAYS: a state that was said. */
#define SAYS(state) (1u << REVIEW_##state)
enum { NOTHING = 1u << REVIEW_STATE_COUNT };
#define BIT(x) (1u << (x))
enum {
    ANY = ~0u >> 1,
    UNKNOWN = BIT(REVIEW_REACH_UNKNOWN),
    ZERO = BIT(REVIEW_REACH_ZERO),
    SHORT = BIT(REVIEW_REACH_ZERO) | BIT(REVIEW_REACH_SHORT),
    REACHED = BIT(REVIEW_REACH_MET),
    LATE = BIT(REVIEW_REACH_LATE),
    OPEN = BIT(REVIEW_TERM_OPEN),
    BEFORE = BIT(REVIEW_TERM_BEFORE),
    AFTER = BIT(REVIEW_TERM_AFTER),
    ENDED = BIT(REVIEW_TERM_ENDED),
    /* Nobody said more than that it is not measurable: the count alone speaks. */
    SILENT = NOTHING | SAYS(UNMEASURABLE)
};

/* The first row that fits decides. */
static const struct {
    unsigned said, reach, term;
    enum review_state state;
} rows[] = {
    {SAYS(DISPUTED), ANY, ANY, REVIEW_DISPUTED},
    {SAYS(SUPERSEDED), ANY, ANY, REVIEW_SUPERSEDED},
    {SAYS(MET) | SAYS(MET_LATE), SHORT, ANY, REVIEW_DISPUTED},
    {SAYS(MET_LATE), ANY, ANY, REVIEW_MET_LATE},
    {SAYS(MET), LATE, ANY, REVIEW_MET_LATE},
    {SAYS(MET), ANY, ANY, REVIEW_MET},
    {SAYS(LAPSED), REACHED | LATE, ANY, REVIEW_DISPUTED},
    {SAYS(LAPSED), ANY, ANY, REVIEW_LAPSED},
    {SAYS(NOT_STARTED), REACHED | LATE, ANY, REVIEW_DISPUTED},
    {SAYS(SLIPPED), REACHED, ANY, REVIEW_DISPUTED},
    {SAYS(ON_TRACK), SHORT, OPEN, REVIEW_DISPUTED},
    {SAYS(ON_TRACK), REACHED | UNKNOWN, OPEN, REVIEW_ON_TRACK},
    {SAYS(ON_TRACK) | SAYS(SLIPPED) | SILENT, LATE, ANY, REVIEW_MET_LATE},
    {SILENT, REACHED, OPEN, REVIEW_ON_TRACK},
    {SAYS(ON_TRACK) | SILENT, REACHED, ANY, REVIEW_MET},
    {SAYS(ON_TRACK) | SAYS(NOT_STARTED) | SAYS(SLIPPED), ANY, ENDED, REVIEW_LAPSED},
    {SILENT, SHORT, ENDED, REVIEW_LAPSED},
    {SAYS(ON_TRACK) | SAYS(NOT_STARTED), ANY, AFTER, REVIEW_SLIPPED},
    {SAYS(SLIPPED), ANY, ANY, REVIEW_SLIPPED},
    {SAYS(NOT_STARTED), ANY, ANY, REVIEW_NOT_STARTED},
    {SAYS(ON_TRACK), ANY, ANY, REVIEW_ON_TRACK},
    {SILENT, UNKNOWN, ANY, REVIEW_UNMEASURABLE},
    {SILENT, SHORT, AFTER | OPEN, REVIEW_SLIPPED},
    {SILENT, ZERO, BEFORE, REVIEW_NOT_STARTED},
    {SILENT, SHORT, BEFORE, REVIEW_ON_TRACK},
};

enum review_state review_state_of(const struct review_grounds *g)
{
    unsigned said = g->said == REVIEW_SAID_STATE ? 1u << g->state : NOTHING;
    if (g->superseded)
        return REVIEW_SUPERSEDED;
    if (g->said == REVIEW_SAID_DIFFERENT)
        return REVIEW_DISPUTED;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].said & said && rows[i].reach & BIT(g->reach) && rows[i].term & BIT(g->term))
            return rows[i].state;
    must(false); /* every combination has a row */
    return REVIEW_UNMEASURABLE;
}
