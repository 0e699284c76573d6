/* The life of a request for assistance: one table of moves, and who may make them. What a side has
 * said stays said: a step is an object of its own, made by whoever takes it. */
#include "dialogue/dialogue.h"

enum { ASKING = 1 << DIALOGUE_ASKING, ASKED = 1 << DIALOGUE_ASKED, CLOCK = 1 << DIALOGUE_CLOCK };

/* A row is left by: asking side, asked side, clock. Nothing leaves declined and withdrawn: who
 * still wants help makes a new request. An answer after the last day is an answer, and counted as
 * late. */
static const unsigned char moves[DIALOGUE_STATE_COUNT][DIALOGUE_STATE_COUNT] = {
    [DIALOGUE_DRAFT] =
        {
            [DIALOGUE_SENT] = ASKING,
            [DIALOGUE_WITHDRAWN] = ASKING,
        },
    [DIALOGUE_SENT] =
        {
            [DIALOGUE_ACKNOWLEDGED] = ASKED,
            [DIALOGUE_ANSWERED] = ASKED,
            [DIALOGUE_PARTLY_ANSWERED] = ASKED,
            [DIALOGUE_DECLINED] = ASKED,
            [DIALOGUE_REFERRED] = ASKED,
            [DIALOGUE_WITHDRAWN] = ASKING,
            [DIALOGUE_EXPIRED] = CLOCK,
        },
    [DIALOGUE_ACKNOWLEDGED] =
        {
            [DIALOGUE_IN_PROGRESS] = ASKED,
            [DIALOGUE_ANSWERED] = ASKED,
            [DIALOGUE_PARTLY_ANSWERED] = ASKED,
            [DIALOGUE_DECLINED] = ASKED,
            [DIALOGUE_REFERRED] = ASKED,
            [DIALOGUE_WITHDRAWN] = ASKING,
            [DIALOGUE_EXPIRED] = CLOCK,
        },
    [DIALOGUE_IN_PROGRESS] =
        {
            [DIALOGUE_ANSWERED] = ASKED,
            [DIALOGUE_PARTLY_ANSWERED] = ASKED,
            [DIALOGUE_DECLINED] = ASKED,
            [DIALOGUE_REFERRED] = ASKED,
            [DIALOGUE_WITHDRAWN] = ASKING,
            [DIALOGUE_EXPIRED] = CLOCK,
        },
    [DIALOGUE_ANSWERED] = {[DIALOGUE_IN_PROGRESS] = ASKING},
    [DIALOGUE_PARTLY_ANSWERED] =
        {
            [DIALOGUE_IN_PROGRESS] = ASKED,
            [DIALOGUE_ANSWERED] = ASKED,
            [DIALOGUE_DECLINED] = ASKED,
            [DIALOGUE_REFERRED] = ASKED,
            [DIALOGUE_WITHDRAWN] = ASKING,
            [DIALOGUE_EXPIRED] = CLOCK,
        },
    [DIALOGUE_REFERRED] =
        {
            [DIALOGUE_IN_PROGRESS] = ASKED,
            [DIALOGUE_ANSWERED] = ASKED,
            [DIALOGUE_PARTLY_ANSWERED] = ASKED,
            [DIALOGUE_DECLINED] = ASKED,
            [DIALOGUE_WITHDRAWN] = ASKING,
            [DIALOGUE_EXPIRED] = CLOCK,
        },
    [DIALOGUE_EXPIRED] = {[DIALOGUE_ANSWERED] = ASKED, [DIALOGUE_PARTLY_ANSWERED] = ASKED},
};

static const char *const state_names[] = {
#define X(id, text) text,
    DIALOGUE_STATES(X)
#undef X
};
_Static_assert(sizeof state_names / sizeof state_names[0] == DIALOGUE_STATE_COUNT, "states");

const char *dialogue_state_name(enum dialogue_state s)
{
    must((size_t)s < DIALOGUE_STATE_COUNT);
    return state_names[s];
}

bool dialogue_state_parse(struct str name, enum dialogue_state *out)
{
    for (size_t i = 0; i < DIALOGUE_STATE_COUNT; i++)
        if (str_eq(name, str_of(state_names[i]))) {
            *out = (enum dialogue_state)i;
            return true;
        }
    return false;
}

static const char *party_name(unsigned parties)
{
    return parties == ASKING  ? "the side that asks"
           : parties == ASKED ? "the side that is asked"
                              : "the clock";
}

bool dialogue_move_allowed(enum dialogue_state from, enum dialogue_state to, enum dialogue_party by,
                           struct err *e)
{
    must((size_t)from < DIALOGUE_STATE_COUNT && (size_t)to < DIALOGUE_STATE_COUNT);
    must(by == DIALOGUE_ASKING || by == DIALOGUE_ASKED || by == DIALOGUE_CLOCK);
    unsigned who = moves[from][to];
    if (who & (1u << by))
        return true;
    if (who)
        return err_set(e, ERR_CONFLICT, "a request goes from %s to %s by %s only",
                       state_names[from], state_names[to], party_name(who));
    return err_set(e, ERR_CONFLICT, "a request does not go from %s to %s", state_names[from],
                   state_names[to]);
}

bool dialogue_move_needs_reason(enum dialogue_state to)
{
    return to == DIALOGUE_DECLINED || to == DIALOGUE_REFERRED;
}

bool dialogue_state_final(enum dialogue_state s)
{
    for (size_t i = 0; i < DIALOGUE_STATE_COUNT; i++)
        if (moves[s][i])
            return false;
    return true;
}
