/* The life of a request: every step from every state by either side; lives that are written out
 * with what is due in between. */
#include "test.h"

#include "dialogue/dialogue.h"

#define HOUR  ((int64_t)3600 * 1000000)
#define START ((int64_t)1772928000 * 1000000)

/* A way into each state, as moves of one hour each. */
static const struct way {
    enum dialogue_state to[4];
    size_t n;
} ways[DIALOGUE_STATE_COUNT] = {
    [DIALOGUE_DRAFT] = {{DIALOGUE_DRAFT}, 0},
    [DIALOGUE_SENT] = {{DIALOGUE_SENT}, 1},
    [DIALOGUE_ACKNOWLEDGED] = {{DIALOGUE_SENT, DIALOGUE_ACKNOWLEDGED}, 2},
    [DIALOGUE_IN_PROGRESS] = {{DIALOGUE_SENT, DIALOGUE_ACKNOWLEDGED, DIALOGUE_IN_PROGRESS}, 3},
    [DIALOGUE_ANSWERED] = {{DIALOGUE_SENT, DIALOGUE_ANSWERED}, 2},
    [DIALOGUE_PARTLY_ANSWERED] = {{DIALOGUE_SENT, DIALOGUE_PARTLY_ANSWERED}, 2},
    [DIALOGUE_DECLINED] = {{DIALOGUE_SENT, DIALOGUE_DECLINED}, 2},
    [DIALOGUE_REFERRED] = {{DIALOGUE_SENT, DIALOGUE_REFERRED}, 2},
    [DIALOGUE_WITHDRAWN] = {{DIALOGUE_SENT, DIALOGUE_WITHDRAWN}, 2},
    [DIALOGUE_EXPIRED] = {{DIALOGUE_SENT}, 1},
};

static enum dialogue_party mover(enum dialogue_state to)
{
    return to == DIALOGUE_SENT || to == DIALOGUE_WITHDRAWN ? DIALOGUE_ASKING : DIALOGUE_ASKED;
}

/* To be acknowledged in 6 hours and answered in 24. The clock stands at hour 5, or 25 of what
 * expired. */
static void live(struct dialogue_life *l, enum dialogue_state state)
{
    const struct way *w = &ways[state];
    struct err e;
    dialogue_life_begin(l, START + 6 * HOUR, START + 24 * HOUR);
    for (size_t i = 0; i < w->n; i++) {
        struct dialogue_step s = {DIALOGUE_MOVES, l->state, w->to[i], mover(w->to[i]),
                                  START + (int64_t)i * HOUR};
        CHECK_ROW(dialogue_life_take(l, &s, &e), "%s", e.msg);
    }
    dialogue_life_until(l, START + (state == DIALOGUE_EXPIRED ? 25 : 5) * HOUR);
    CHECK_ROW(l->state == state, "%s is %s", dialogue_state_name(state),
              dialogue_state_name(l->state));
}

static bool same_life(const struct dialogue_life *a, const struct dialogue_life *b)
{
    bool same = a->state == b->state && a->acknowledge_by_us == b->acknowledge_by_us &&
                a->answer_by_us == b->answer_by_us && a->sent_us == b->sent_us &&
                a->acknowledged_us == b->acknowledged_us && a->replied_us == b->replied_us &&
                a->answered_us == b->answered_us && a->withdrawn_us == b->withdrawn_us &&
                a->escalated_us == b->escalated_us && a->paused == b->paused &&
                a->pause_count == b->pause_count;
    for (size_t i = 0; same && i < a->pause_count; i++)
        same = a->pauses[i].from_us == b->pauses[i].from_us &&
               a->pauses[i].to_us == b->pauses[i].to_us;
    return same;
}

/* A life takes the moves that the table allows to the sides, and no others. */
static void test_moves(void)
{
    for (int from = 0; from < DIALOGUE_STATE_COUNT; from++)
        for (int to = 0; to < DIALOGUE_STATE_COUNT; to++)
            for (int by = 0; by < 3; by++) {
                struct dialogue_life l, before;
                struct err e = {0}, ignored;
                enum dialogue_state f = (enum dialogue_state)from, t = (enum dialogue_state)to;
                bool allowed = by != DIALOGUE_CLOCK &&
                               dialogue_move_allowed(f, t, (enum dialogue_party)by, &ignored);
                live(&l, f);
                before = l;
                struct dialogue_step s = {DIALOGUE_MOVES, f, t, (enum dialogue_party)by,
                                          START + 26 * HOUR};
                s.at_us = START + (from == DIALOGUE_EXPIRED ? 26 : 6) * HOUR;
                bool took = dialogue_life_take(&l, &s, &e);
                CHECK_ROW(took == allowed, "%d to %d by %d: %s", from, to, by, e.msg);
                CHECK(took ? l.state == t : same_life(&l, &before) && e.msg[0]);
                /* It says where it begins, and begins nowhere else. */
                s.from = (enum dialogue_state)((from + 1) % DIALOGUE_STATE_COUNT);
                live(&l, f);
                CHECK(!dialogue_life_take(&l, &s, &e) && e.code == ERR_CONFLICT);
            }
}

/* Who may pause, go on, escalate, in which state: by the order of DIALOGUE_STATES. */
static const struct event_row {
    enum dialogue_event event;
    bool paused;
    const char *asking, *asked; /* x: it counts */
} event_rows[] = {
    /*                                dsaiapdrwe     dsaiapdrwe */
    {DIALOGUE_PAUSES, false, "..........", "..xx.x.x.."},
    {DIALOGUE_PAUSES, true, "..........", ".........."},
    {DIALOGUE_RESUMES, false, "..........", ".........."},
    {DIALOGUE_RESUMES, true, "..........", "..xx.x.x.."},
    {DIALOGUE_ESCALATES, false, ".xxx.x.x.x", ".xxx.x.x.x"},
    {DIALOGUE_NOTES, false, "xxxxxxxxxx", "xxxxxxxxxx"},
    {DIALOGUE_NOTES, true, "xxxxxxxxxx", "xxxxxxxxxx"},
};

static void check_event(const struct event_row *r, enum dialogue_state state,
                        enum dialogue_party by)
{
    bool expired = state == DIALOGUE_EXPIRED;
    struct dialogue_step s = {r->event, DIALOGUE_DRAFT, DIALOGUE_DRAFT, by,
                              START + (expired ? 27 : 7) * HOUR};
    struct dialogue_step pause = {DIALOGUE_PAUSES, DIALOGUE_DRAFT, DIALOGUE_DRAFT, DIALOGUE_ASKED,
                                  START + (expired ? 26 : 6) * HOUR};
    struct dialogue_life l;
    struct err e = {0};
    live(&l, state);
    if (r->paused && !dialogue_life_take(&l, &pause, &e))
        return; /* such a state is never paused */
    bool counts = (by == DIALOGUE_ASKING ? r->asking : r->asked)[state] == 'x';
    CHECK_ROW(dialogue_life_take(&l, &s, &e) == counts, "%s of %s by %d: %s",
              dialogue_event_name(r->event), dialogue_state_name(state), by, e.msg);
    CHECK(l.state == state &&
          (!counts || l.paused == (r->event == DIALOGUE_PAUSES ||
                                   (r->paused && r->event != DIALOGUE_RESUMES))));
}

static void test_events(void)
{
    for (size_t i = 0; i < sizeof event_rows / sizeof *event_rows; i++)
        for (int state = 0; state < DIALOGUE_STATE_COUNT; state++) {
            check_event(&event_rows[i], (enum dialogue_state)state, DIALOGUE_ASKING);
            check_event(&event_rows[i], (enum dialogue_state)state, DIALOGUE_ASKED);
        }
    for (int i = 0; i < DIALOGUE_EVENT_COUNT; i++) {
        enum dialogue_event v;
        CHECK(dialogue_event_parse(str_of(dialogue_event_name((enum dialogue_event)i)), &v) &&
              (int)v == i);
    }
    enum dialogue_event v;
    CHECK(!dialogue_event_parse(STR("moves"), &v) && !dialogue_event_parse(STR(""), &v));
}

/* ---- lives ---- */

#define S DIALOGUE_SENT
#define A DIALOGUE_ACKNOWLEDGED
#define I DIALOGUE_IN_PROGRESS
#define X DIALOGUE_ANSWERED
#define P DIALOGUE_PARTLY_ANSWERED
#define D DIALOGUE_DECLINED
#define R DIALOGUE_REFERRED
#define W DIALOGUE_WITHDRAWN
#define E DIALOGUE_EXPIRED

/* A word a step: hour, then a move's letter or p(ause), r(esume), n(ote); read by `lives`. */
static const struct life_row {
    const char *steps;
    int now;
    enum dialogue_state state;
    const char *acknowledge, *answer; /* state of the clock and hour; law: 6 hours from noticing */
    const char *law;
} life_rows[] = {
    {"0S", 5, S, "running 6", "running 24", "running 6"},
    {"0S", 7, S, "overdue 6", "running 24", "overdue 6"},
    {"0S", 24, S, "overdue 6", "running 24", "overdue 6"},
    {"0S", 25, E, "overdue 6", "overdue 24", "overdue 6"},
    {"0S 6A", 7, A, "met 6", "running 24", "overdue 6"},
    {"0S 7A", 7, A, "met-late 6", "running 24", "overdue 6"},
    {"0S 4X", 9, X, "met 6", "met 24", "met 6"},
    {"0S 9D", 9, D, "met-late 6", "met 24", "met-late 6"},
    {"0S 4A 5P", 9, P, "met 6", "running 24", "met 6"},
    {"0S 4A 5P", 30, E, "met 6", "overdue 24", "met 6"},
    {"0S 4A 5P 30X", 30, X, "met 6", "met-late 24", "met 6"},
    {"0S 30X", 40, X, "met-late 6", "met-late 24", "met-late 6"},
    {"0S 4W", 30, W, "void 6", "void 24", "void 6"},
    {"0S 4A 5W", 30, W, "met 6", "void 24", "void 6"},
    /* Pauses move the answer, and nothing else. */
    {"0S 4A 10p", 12, A, "met 6", "paused 26", "overdue 6"},
    {"0S 4A 10p", 500, A, "met 6", "paused 514", "overdue 6"},
    {"0S 4A 10p 20r", 30, A, "met 6", "running 34", "overdue 6"},
    {"0S 4A 10p 20r", 35, E, "met 6", "overdue 34", "overdue 6"},
    {"0S 4A 10p 20r 34X", 50, X, "met 6", "met 34", "met-late 6"},
    {"0S 4A 10p 20r 22p 23r", 24, A, "met 6", "running 35", "overdue 6"},
    {"0S 4A 10p 20I", 30, I, "met 6", "running 34", "overdue 6"},
    {"0S 4A 10p 20W", 30, W, "met 6", "void 34", "void 6"},
    {"0S 4A 10p 20X 22I", 99, I, "met 6", "met 34", "met-late 6"},
    /* Who was answered and asks on has no last day. */
    {"0S 4X 9I", 99, I, "met 6", "met 24", "met 6"},
    {"0S 4X 9I 50X", 99, X, "met 6", "met 24", "met 6"},
    /* Steps that do not count change nothing: a pause before the acknowledgement, or behind the
       end. */
    {"0S 2p 4A", 9, A, "met 6", "running 24", "overdue 6"},
    {"0S 4A 26p", 30, E, "met 6", "overdue 24", "overdue 6"},
    {"0S 4A 5A 6r 7n", 9, A, "met 6", "running 24", "overdue 6"},
    {"0S 26A", 30, E, "overdue 6", "overdue 24", "overdue 6"},
    /* A referral goes on. */
    {"0S 4R 9I 12X", 30, X, "met 6", "met 24", "met-late 6"},
    {"0S 4R", 30, E, "met 6", "overdue 24", "overdue 6"},
};

static void check_deadline(const struct life_row *r, const char *which, const char *want,
                           const struct dialogue_deadline *d)
{
    char text[64];
    snprintf(text, sizeof text, "%s %g", dialogue_clock_name(d->state),
             (double)(d->due_us - START) / (double)HOUR);
    CHECK_ROW(strcmp(text, want) == 0, "%s at %d: %s: %s, not %s", r->steps, r->now, which, text,
              want);
}

static struct dialogue_step step_of(struct str word)
{
    static const char letters[] = "-SAIXPDRWE"; /* of states; small ones are events */
    static const enum dialogue_state states[] = {DIALOGUE_DRAFT, S, A, I, X, P, D, R, W, E};
    struct dialogue_step s = {.event = DIALOGUE_NOTES, .by = DIALOGUE_ASKED};
    uint64_t hour;
    char letter = word.p[word.n - 1];
    CHECK(str_to_u64(str_slice(word, 0, word.n - 1), &hour));
    s.at_us = START + (int64_t)hour * HOUR;
    if (letter == 'p' || letter == 'r' || letter == 'n') {
        s.event = letter == 'p'   ? DIALOGUE_PAUSES
                  : letter == 'r' ? DIALOGUE_RESUMES
                                  : DIALOGUE_NOTES;
        return s;
    }
    s.event = DIALOGUE_MOVES;
    s.to = states[strchr(letters, letter) - letters];
    return s;
}

static void check_life(const struct life_row *r)
{
    const struct dialogue_law law = {.id = STR("law"), .seconds = 6 * 3600};
    struct dialogue_life l;
    struct dialogue_deadline d;
    struct err ignored;
    struct str rest = str_of(r->steps);
    int64_t now = START + r->now * HOUR;
    dialogue_life_begin(&l, START + 6 * HOUR, START + 24 * HOUR);
    CHECK(!dialogue_life_acknowledge(&l, now, &d) && !dialogue_life_answer(&l, now, &d));
    CHECK(!dialogue_life_law(&l, &law, 0, now, &d));
    while (rest.p) {
        struct dialogue_step s = step_of(str_cut(&rest, ' '));
        dialogue_life_until(&l, s.at_us);
        s.from = l.state;
        s.by = s.to == S || s.to == W || (s.to == I && l.state == X) ? DIALOGUE_ASKING
                                                                     : DIALOGUE_ASKED;
        (void)!dialogue_life_take(&l, &s, &ignored);
    }
    dialogue_life_until(&l, now);
    CHECK_ROW(l.state == r->state, "%s at %d: %s", r->steps, r->now, dialogue_state_name(l.state));
    CHECK(dialogue_life_acknowledge(&l, now, &d));
    check_deadline(r, "acknowledge", r->acknowledge, &d);
    CHECK(dialogue_life_answer(&l, now, &d));
    check_deadline(r, "answer", r->answer, &d);
    CHECK(dialogue_life_law(&l, &law, START, now, &d));
    check_deadline(r, "law", r->law, &d);
    CHECK(dialogue_life_law(&l, &law, START - HOUR, now, &d) && d.due_us == START + 5 * HOUR);
}

/* ---- at the edges ---- */

static void test_edges(void)
{
    struct dialogue_life l;
    struct dialogue_deadline d;
    struct err e = {0};
    struct dialogue_step s = {DIALOGUE_MOVES, DIALOGUE_DRAFT, S, DIALOGUE_ASKING, START};
    /* Without deadlines nothing is due and nothing expires. */
    dialogue_life_begin(&l, 0, 0);
    CHECK(dialogue_life_take(&l, &s, &e));
    dialogue_life_until(&l, START + 100000 * HOUR);
    CHECK(l.state == S && !dialogue_life_answer(&l, START, &d));
    /* The last instant counts, the one behind it does not. */
    dialogue_life_begin(&l, 0, START + HOUR);
    CHECK(dialogue_life_take(&l, &s, &e));
    dialogue_life_until(&l, START + HOUR);
    CHECK(l.state == S);
    dialogue_life_until(&l, START + HOUR + 1);
    CHECK(l.state == E);
    /* Deadlines before sending, or of another age, are what they say. */
    dialogue_life_begin(&l, START - HOUR, START - HOUR);
    CHECK(dialogue_life_take(&l, &s, &e));
    CHECK(dialogue_life_answer(&l, START, &d) && d.due_us == START - HOUR &&
          d.state == DIALOGUE_CLOCK_OVERDUE);
    dialogue_life_begin(&l, 0, START + INT64_C(100) * LIMIT_DIALOGUE_CLOCK_S * 1000000);
    CHECK(dialogue_life_take(&l, &s, &e));
    CHECK(dialogue_life_answer(&l, START, &d) && d.state == DIALOGUE_CLOCK_RUNNING &&
          d.due_us == l.answer_by_us);
}

static void test_many_pauses(void)
{
    struct dialogue_life l;
    struct err e = {0};
    live(&l, A);
    for (int i = 0; i <= LIMIT_DIALOGUE_PAUSES; i++) {
        struct dialogue_step p = {DIALOGUE_PAUSES, A, A, DIALOGUE_ASKED, START + 6 * HOUR + 2 * i};
        struct dialogue_step r = {DIALOGUE_RESUMES, A, A, DIALOGUE_ASKED, p.at_us + 1};
        bool took = dialogue_life_take(&l, &p, &e);
        CHECK_ROW(took == (i < LIMIT_DIALOGUE_PAUSES), "pause %d", i);
        CHECK(took ? dialogue_life_take(&l, &r, &e) : e.code == ERR_LIMIT);
    }
}

int main(void)
{
    test_moves();
    test_events();
    for (size_t i = 0; i < sizeof life_rows / sizeof *life_rows; i++)
        check_life(&life_rows[i]);
    test_edges();
    test_many_pauses();
    TEST_END();
}
