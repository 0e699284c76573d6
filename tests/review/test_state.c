/* The table of a commitment's states: every combination has a row, and the rows keep what a reader
 * of a review takes for granted. */
#include "review/review.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* -1: nothing; -2: the two sides differ. */
enum { NOTHING = -1, DIFFER = -2 };
enum { UNKNOWN, ZERO, SHORT, REACHED, LATE, REACHES };
enum { OPEN, BEFORE, AFTER, ENDED, TERMS };

static enum review_state state(int said, int reach, int term)
{
    struct review_grounds g = {.said = said == DIFFER    ? REVIEW_SAID_DIFFERENT
                                       : said == NOTHING ? REVIEW_SAID_NOTHING
                                                         : REVIEW_SAID_STATE,
                               .state = said < 0 ? REVIEW_MET : (enum review_state)said,
                               .reach = (enum review_reach)reach,
                               .term = (enum review_term)term};
    return review_state_of(&g);
}

static void check_one(int said, int reach, int term)
{
    enum review_state s = state(said, reach, term);
    bool met = s == REVIEW_MET || s == REVIEW_MET_LATE;
    const char *what = review_state_name(s);
    if (reach == ZERO || reach == SHORT)
        CHECK_ROW(!met, "said %d, short, term %d: %s", said, term, what);
    if (term == AFTER || term == ENDED)
        CHECK_ROW(s != REVIEW_ON_TRACK && s != REVIEW_NOT_STARTED, "said %d, reach %d: %s", said,
                  reach, what);
    if (said == DIFFER)
        CHECK_ROW(s == REVIEW_DISPUTED, "reach %d, term %d: %s", reach, term, what);
    if (s == REVIEW_UNMEASURABLE)
        CHECK_ROW(reach == UNKNOWN, "said %d, reach %d, term %d", said, reach, term);
    if (s == REVIEW_SUPERSEDED)
        CHECK_ROW(said == REVIEW_SUPERSEDED, "said %d, reach %d, term %d", said, reach, term);
    /* What nobody can count is what both say, while it is not too late for it. */
    if (reach == UNKNOWN && said >= 0 && (term == OPEN || term == BEFORE))
        CHECK_ROW((int)s == said, "said %d, term %d: %s", said, term, what);
    if (reach == REACHED && said == NOTHING)
        CHECK_ROW(s == (term == OPEN ? REVIEW_ON_TRACK : REVIEW_MET), "term %d: %s", term, what);
    if (reach == LATE && met)
        CHECK_ROW(s == REVIEW_MET_LATE, "said %d, term %d", said, term);
}

static void test_all(void)
{
    for (int said = DIFFER; said < REVIEW_STATE_COUNT; said++)
        for (int reach = 0; reach < REACHES; reach++)
            for (int term = 0; term < TERMS; term++)
                check_one(said, reach, term);
    struct review_grounds g = {.superseded = true,
                               .said = REVIEW_SAID_STATE,
                               .state = REVIEW_MET,
                               .reach = REVIEW_REACH_MET};
    CHECK(review_state_of(&g) == REVIEW_SUPERSEDED);
}

static void test_rows(void)
{
    static const struct {
        int said, reach, term;
        enum review_state state;
    } rows[] = {
        {NOTHING, UNKNOWN, OPEN, REVIEW_UNMEASURABLE},
        {NOTHING, UNKNOWN, AFTER, REVIEW_UNMEASURABLE},
        {NOTHING, ZERO, BEFORE, REVIEW_NOT_STARTED},
        {NOTHING, SHORT, BEFORE, REVIEW_ON_TRACK},
        {NOTHING, SHORT, OPEN, REVIEW_SLIPPED},
        {NOTHING, ZERO, AFTER, REVIEW_SLIPPED},
        {NOTHING, SHORT, ENDED, REVIEW_LAPSED},
        {NOTHING, LATE, AFTER, REVIEW_MET_LATE},
        {REVIEW_MET, UNKNOWN, AFTER, REVIEW_MET},
        {REVIEW_MET, SHORT, BEFORE, REVIEW_DISPUTED},
        {REVIEW_MET, LATE, AFTER, REVIEW_MET_LATE},
        {REVIEW_MET_LATE, ZERO, AFTER, REVIEW_DISPUTED},
        {REVIEW_MET_LATE, REACHED, AFTER, REVIEW_MET_LATE},
        {REVIEW_ON_TRACK, SHORT, OPEN, REVIEW_DISPUTED},
        {REVIEW_ON_TRACK, SHORT, BEFORE, REVIEW_ON_TRACK},
        {REVIEW_ON_TRACK, REACHED, BEFORE, REVIEW_MET},
        {REVIEW_ON_TRACK, UNKNOWN, AFTER, REVIEW_SLIPPED},
        {REVIEW_ON_TRACK, UNKNOWN, ENDED, REVIEW_LAPSED},
        {REVIEW_NOT_STARTED, REACHED, BEFORE, REVIEW_DISPUTED},
        {REVIEW_NOT_STARTED, UNKNOWN, AFTER, REVIEW_SLIPPED},
        {REVIEW_NOT_STARTED, SHORT, BEFORE, REVIEW_NOT_STARTED},
        {REVIEW_SLIPPED, LATE, AFTER, REVIEW_MET_LATE},
        {REVIEW_SLIPPED, REACHED, AFTER, REVIEW_DISPUTED},
        {REVIEW_SLIPPED, SHORT, AFTER, REVIEW_SLIPPED},
        {REVIEW_SLIPPED, UNKNOWN, ENDED, REVIEW_LAPSED},
        {REVIEW_LAPSED, REACHED, ENDED, REVIEW_DISPUTED},
        {REVIEW_LAPSED, UNKNOWN, ENDED, REVIEW_LAPSED},
        {REVIEW_SUPERSEDED, SHORT, AFTER, REVIEW_SUPERSEDED},
        {REVIEW_DISPUTED, REACHED, AFTER, REVIEW_DISPUTED},
        {REVIEW_UNMEASURABLE, UNKNOWN, AFTER, REVIEW_UNMEASURABLE},
        {REVIEW_UNMEASURABLE, REACHED, BEFORE, REVIEW_MET},
        {DIFFER, REACHED, BEFORE, REVIEW_DISPUTED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum review_state got = state(rows[i].said, rows[i].reach, rows[i].term);
        CHECK_ROW(got == rows[i].state, "row %zu: %s is not %s", i, review_state_name(got),
                  review_state_name(rows[i].state));
    }
}

static void test_names(void)
{
    enum review_state s;
    for (int i = 0; i < REVIEW_STATE_COUNT; i++)
        CHECK(review_state_parse(str_of(review_state_name((enum review_state)i)), &s) &&
              (int)s == i);
    CHECK(!review_state_parse(STR("done"), &s));
}

int main(void)
{
    test_all();
    test_rows();
    test_names();
    TEST_END();
}
