/* The life of a request, every pair of states for every party; clocks with pauses; instants as the
 * clocks of several zones show them, over the ends of daylight saving. */
#include "test.h"

#include "dialogue/dialogue.h"

#define HOUR ((int64_t)3600 * 1000000)

static int64_t us(const char *text)
{
    struct instant t = {0, 0};
    struct err e;
    CHECK_ROW(instant_parse(str_of(text), &t, &e), "%s", text);
    return instant_us(t);
}

/* ---- states ---- */

/* By row: who may go from the first to which others. a: the asking side, d: the asked side,
 * c: the clock; the order is that of DIALOGUE_STATES. */
static const char *const table[DIALOGUE_STATE_COUNT] = {
    /*               dr sent ack prog ans part decl ref with exp */
    /* draft */ ".a......a.",
    /* sent */ "..d.ddddac",
    /* acknowledged */ "...dddddac",
    /* in-progress */ "....ddddac",
    /* answered */ "...a......",
    /* partly-answered */ "...dd.ddac",
    /* declined */ "..........",
    /* referred */ "...dddd.ac",
    /* withdrawn */ "..........",
    /* expired */ "....dd....",
};

static void test_states(void)
{
    static const char parties[] = "adc";
    for (int from = 0; from < DIALOGUE_STATE_COUNT; from++)
        for (int to = 0; to < DIALOGUE_STATE_COUNT; to++)
            for (int by = 0; by < 3; by++) {
                struct err e = {0};
                bool allowed =
                    dialogue_move_allowed((enum dialogue_state)from, (enum dialogue_state)to,
                                          (enum dialogue_party)by, &e);
                CHECK_ROW(allowed == (table[from][to] == parties[by]), "%s to %s by %c",
                          dialogue_state_name((enum dialogue_state)from),
                          dialogue_state_name((enum dialogue_state)to), parties[by]);
                CHECK(allowed || (e.code == ERR_CONFLICT && e.msg[0]));
            }
}

static void test_names(void)
{
    enum dialogue_state s;
    for (int i = 0; i < DIALOGUE_STATE_COUNT; i++) {
        const char *name = dialogue_state_name((enum dialogue_state)i);
        CHECK_ROW(dialogue_state_parse(str_of(name), &s) && (int)s == i, "%s", name);
    }
    CHECK(!dialogue_state_parse(STR("open"), &s) && !dialogue_state_parse(STR(""), &s));
    CHECK(dialogue_state_final(DIALOGUE_DECLINED) && dialogue_state_final(DIALOGUE_WITHDRAWN));
    CHECK(!dialogue_state_final(DIALOGUE_ANSWERED) && !dialogue_state_final(DIALOGUE_EXPIRED));
    CHECK(dialogue_move_needs_reason(DIALOGUE_DECLINED));
    CHECK(!dialogue_move_needs_reason(DIALOGUE_ANSWERED));
}

/* ---- clocks ---- */

#define NEVER INT64_MAX

static const struct clock_row {
    const char *what;
    int hours;
    bool pausable;
    int64_t pauses[3][2]; /* hours behind the start, to 0: goes on; from -1: none */
    int now, stopped;     /* hours behind the start; stopped 0: not yet */
    int due;              /* hours behind the start */
    enum dialogue_clock_state state;
} clock_rows[] = {
    {"runs", 6, true, {{-1}, {-1}, {-1}}, 5, 0, 6, DIALOGUE_CLOCK_RUNNING},
    {"at its last instant", 6, true, {{-1}, {-1}, {-1}}, 6, 0, 6, DIALOGUE_CLOCK_RUNNING},
    {"ran out", 6, true, {{-1}, {-1}, {-1}}, 7, 0, 6, DIALOGUE_CLOCK_OVERDUE},
    {"was met", 6, true, {{-1}, {-1}, {-1}}, 9, 6, 6, DIALOGUE_CLOCK_MET},
    {"was met late", 6, true, {{-1}, {-1}, {-1}}, 9, 8, 6, DIALOGUE_CLOCK_MET_LATE},
    {"one pause", 6, true, {{2, 5}, {-1}, {-1}}, 8, 0, 9, DIALOGUE_CLOCK_RUNNING},
    {"a pause that goes on", 6, true, {{2, 0}, {-1}, {-1}}, 50, 0, 54, DIALOGUE_CLOCK_PAUSED},
    {"before its pause", 6, true, {{2, 5}, {-1}, {-1}}, 1, 0, 9, DIALOGUE_CLOCK_RUNNING},
    {"in its pause", 6, true, {{2, 5}, {-1}, {-1}}, 3, 0, 9, DIALOGUE_CLOCK_PAUSED},
    {"pauses that overlap", 6, true, {{2, 5}, {4, 7}, {3, 4}}, 9, 0, 11, DIALOGUE_CLOCK_RUNNING},
    {"pauses out of order", 6, true, {{8, 9}, {2, 5}, {-1}}, 9, 0, 10, DIALOGUE_CLOCK_RUNNING},
    {"a pause behind the end", 6, true, {{7, 9}, {-1}, {-1}}, 10, 0, 6, DIALOGUE_CLOCK_OVERDUE},
    {"a second pause that the first lets count",
     6,
     true,
     {{1, 3}, {7, 9}, {-1}},
     9,
     0,
     10,
     DIALOGUE_CLOCK_RUNNING},
    {"a pause before the start", 6, true, {{-5, 2}, {-1}, {-1}}, 3, 0, 8, DIALOGUE_CLOCK_RUNNING},
    {"the law's clock", 6, false, {{2, 5}, {-1}, {-1}}, 3, 0, 6, DIALOGUE_CLOCK_RUNNING},
    {"the law's clock, late", 6, false, {{2, 0}, {-1}, {-1}}, 8, 0, 6, DIALOGUE_CLOCK_OVERDUE},
    {"an empty pause", 6, true, {{2, 2}, {-1}, {-1}}, 3, 0, 6, DIALOGUE_CLOCK_RUNNING},
    {"a day", 24, true, {{-1}, {-1}, {-1}}, 23, 0, 24, DIALOGUE_CLOCK_RUNNING},
};

static void check_clock(const struct clock_row *r)
{
    struct dialogue_pause pauses[3];
    struct dialogue_clock c = {.start_us = us("2026-03-08T00:00:00Z"),
                               .length_s = r->hours * 3600,
                               .pausable = r->pausable,
                               .pauses = pauses,
                               .stopped_us = NEVER};
    struct err e;
    int64_t due = 0;
    enum dialogue_clock_state state;
    for (size_t i = 0; i < 3 && r->pauses[i][0] != -1; i++)
        pauses[c.pause_count++] =
            (struct dialogue_pause){c.start_us + r->pauses[i][0] * HOUR,
                                    r->pauses[i][1] ? c.start_us + r->pauses[i][1] * HOUR : NEVER};
    if (r->stopped)
        c.stopped_us = c.start_us + r->stopped * HOUR;
    CHECK_ROW(dialogue_clock_due(&c, c.start_us + r->now * HOUR, &due, &e), "%s", r->what);
    CHECK_ROW(due == c.start_us + r->due * HOUR, "%s: due after %g h", r->what,
              (double)(due - c.start_us) / (double)HOUR);
    CHECK_ROW(dialogue_clock_state(&c, c.start_us + r->now * HOUR, &state, &e) && state == r->state,
              "%s: state %d", r->what, (int)state);
}

static void test_clocks(void)
{
    struct dialogue_pause many[LIMIT_DIALOGUE_PAUSES + 1] = {{5, 4}};
    struct dialogue_clock c = {
        .length_s = 60, .pausable = true, .pauses = many, .pause_count = 1, .stopped_us = NEVER};
    int64_t due;
    struct err e;
    for (size_t i = 0; i < sizeof clock_rows / sizeof clock_rows[0]; i++)
        check_clock(&clock_rows[i]);
    CHECK(!dialogue_clock_due(&c, 0, &due, &e) && e.code == ERR_INVALID);
    c.pause_count = LIMIT_DIALOGUE_PAUSES + 1;
    CHECK(!dialogue_clock_due(&c, 0, &due, &e) && e.code == ERR_LIMIT);
    c.pause_count = 0;
    c.length_s = LIMIT_DIALOGUE_CLOCK_S + (int64_t)1;
    CHECK(!dialogue_clock_due(&c, 0, &due, &e) && e.code == ERR_LIMIT);
}

/* A clock of six hours that the test's clock runs through, shown in both capitals. */
static void test_six_hours(void)
{
    char in[DIALOGUE_LOCAL_BYTES], jp[DIALOGUE_LOCAL_BYTES];
    struct dialogue_clock c = {
        .start_us = us("2026-03-07T21:30:00Z"), .length_s = 6 * 3600, .stopped_us = NEVER};
    enum dialogue_clock_state state;
    int64_t due;
    struct err e;
    base_clock_set(us("2026-03-08T03:30:00Z"));
    CHECK(dialogue_clock_due(&c, now_us(), &due, &e) && due == us("2026-03-08T03:30:00Z"));
    CHECK(dialogue_clock_state(&c, now_us(), &state, &e) && state == DIALOGUE_CLOCK_RUNNING);
    base_clock_set(us("2026-03-08T03:30:00.000001Z"));
    CHECK(dialogue_clock_state(&c, now_us(), &state, &e) && state == DIALOGUE_CLOCK_OVERDUE);
    base_clock_set(INT64_MIN);
    CHECK(dialogue_local(due, STR("Asia/Kolkata"), in, &e) &&
          strcmp(in, "2026-03-08T09:00:00+05:30") == 0);
    CHECK(dialogue_local(due, STR("Asia/Tokyo"), jp, &e) &&
          strcmp(jp, "2026-03-08T12:30:00+09:00") == 0);
}

/* ---- zones ---- */

static const struct zone_row {
    const char *zone, *at, *shown;
} zone_rows[] = {
    {"UTC", "2026-03-08T06:59:59Z", "2026-03-08T06:59:59+00:00"},
    {"Asia/Kolkata", "2022-06-30T20:00:00Z", "2022-07-01T01:30:00+05:30"},
    {"Asia/Tokyo", "2022-06-30T20:00:00Z", "2022-07-01T05:00:00+09:00"},
    /* The hour that is missing, and the one that is twice. */
    {"America/New_York", "2026-03-08T06:59:59Z", "2026-03-08T01:59:59-05:00"},
    {"America/New_York", "2026-03-08T07:00:00Z", "2026-03-08T03:00:00-04:00"},
    {"America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T01:30:00-04:00"},
    {"America/New_York", "2026-11-01T06:30:00Z", "2026-11-01T01:30:00-05:00"},
    {"Europe/London", "2026-03-29T00:59:59Z", "2026-03-29T00:59:59+00:00"},
    {"Europe/London", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00+01:00"},
    {"Europe/Brussels", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00+01:00"},
    {"Australia/Sydney", "2026-01-15T00:00:00Z", "2026-01-15T11:00:00+11:00"},
    {"Australia/Sydney", "2026-07-15T00:00:00Z", "2026-07-15T10:00:00+10:00"},
    {"Europe/Dublin", "2026-07-15T00:00:00Z", "2026-07-15T01:00:00+01:00"},
    {"America/Sao_Paulo", "2026-01-15T00:00:00Z", "2026-01-14T21:00:00-03:00"},
    /* Behind the last transition that a file lists: its rule goes on. */
    {"America/New_York", "2150-07-15T12:00:00Z", "2150-07-15T08:00:00-04:00"},
    {"America/New_York", "2150-12-15T12:00:00Z", "2150-12-15T07:00:00-05:00"},
    {"Australia/Sydney", "2150-12-15T12:00:00Z", "2150-12-15T23:00:00+11:00"},
    {"Pacific/Auckland", "2150-07-15T12:00:00Z", "2150-07-16T00:00:00+12:00"},
};

static void test_zones(void)
{
    char shown[DIALOGUE_LOCAL_BYTES];
    struct err e;
    bool tzdata = file_exists("/usr/share/zoneinfo/America/New_York");
    if (!tzdata)
        TEST_SKIP("zones other than India's and Japan's: tzdata is not installed");
    for (size_t i = 0; i < sizeof zone_rows / sizeof zone_rows[0] && (tzdata || i < 3); i++) {
        const struct zone_row *r = &zone_rows[i];
        bool ok = dialogue_local(us(r->at), str_of(r->zone), shown, &e);
        CHECK_ROW(ok && strcmp(shown, r->shown) == 0, "%s %s: %s", r->zone, r->at,
                  ok ? shown : e.msg);
    }
    static const char *const none[] = {
        "", "Nowhere/None", "../../etc/passwd", "/etc/passwd", ".", "America/..", "a\nb"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        CHECK_ROW(!dialogue_local(0, str_of(none[i]), shown, &e), "%s", none[i]);
}

/* Every prefix of a file, in memory of its exact size: an error or an offset, and no over-read. */
static void test_zone_files(void)
{
    static const char *const paths[] = {"/usr/share/zoneinfo/America/New_York",
                                        "/usr/share/zoneinfo/Europe/Dublin"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct str all;
        struct err e;
        int32_t offset;
        size_t good = 0;
        if (!file_exists(paths[i]) || !file_read(paths[i], 0, &all, &e))
            continue;
        for (size_t n = 0; n <= all.n; n += n + 100 < all.n ? 7 : 1) {
            char *exact = malloc(n ? n : 1);
            memcpy(exact, all.p, n);
            for (int64_t at = -4000000000; at < 8000000000; at += 1999999999)
                good += dialogue_zone_offset((struct str){exact, n}, at, &offset, &e);
            free(exact);
        }
        CHECK(good > 0);
        base_free((void *)(uintptr_t)all.p);
    }
}

int main(void)
{
    test_states();
    test_names();
    test_clocks();
    test_six_hours();
    test_zones();
    test_zone_files();
    TEST_END();
}
