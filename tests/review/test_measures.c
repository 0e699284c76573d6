/*
 * Each measure against a naive count. A node lives through a made-up year: both sides publish,
 * see, refuse, hold and take back, and the test writes down what it did. What the room then counts
 * must be what a loop over the test's own list finds, for several windows and readers.
 */
#include "dialogue/dialogue.h"
#include "exchange/node.h"
#include "review/review.h"

#define HOUR  INT64_C(3600000000)
#define DAY   (24 * HOUR)
#define START INT64_C(1767225600000000) /* 2026-01-01 */

#define POLICY                                                                                     \
    "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"                             \
    "nation JP \"Japan\" { agency jpcert operator docomo }\n"                                      \
    "nation US \"United States\" { agency cisa }\n"                                                \
    "accept from JP types indicator, malware, sighting, vulnerability\n"                           \
    "hold label \"ask\" to JP for 1 officer\n"                                                     \
    "release to IN\n"                                                                              \
    "release tlp:clear to any\n"                                                                   \
    "release tlp:green to JP\n"                                                                    \
    "release tlp:amber types indicator, sighting to agency of JP\n"

/* What was done, one line a deed. */
struct deed {
    char id[80], pattern[40];
    const char *type;
    bool japan; /* by jpcert; else by home */
    enum stix_tlp tlp;
    int64_t at_us, seen_us;
    int ref; /* a sighting: of which deed; else -1 */
    bool refused, held, withdrawn;
    int64_t withdrawn_us;
};
enum { DEEDS = 400 };
static struct deed deeds[DEEDS];
static int deed_count;

static uint64_t seed = 88172645463325252u;
static unsigned below(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % n;
}

static const char *const types[] = {"indicator", "malware", "vulnerability", "sighting", "tool"};

static void put_text(const struct deed *d, bool ask, char *out, size_t room)
{
    char at_text[INSTANT_TEXT_BYTES], seen[INSTANT_TEXT_BYTES], more[400] = "";
    instant_text(instant_of_us(d->at_us), 3, at_text);
    instant_text(instant_of_us(d->seen_us), 3, seen);
    if (strcmp(d->type, "indicator") == 0)
        snprintf(more, sizeof more,
                 ",\"pattern\":\"[domain-name:value = '%s']\",\"pattern_type\":\"stix\","
                 "\"valid_from\":\"2026-01-01T00:00:00Z\"",
                 d->pattern);
    else if (strcmp(d->type, "malware") == 0)
        snprintf(more, sizeof more, ",\"name\":\"m\",\"is_family\":false");
    else if (strcmp(d->type, "sighting") == 0)
        snprintf(more, sizeof more, ",\"first_seen\":\"%s\",\"sighting_of_ref\":\"%s\"", seen,
                 deeds[d->ref].id);
    else
        snprintf(more, sizeof more, ",\"name\":\"v\"");
    snprintf(out, room,
             "{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":\"%s\","
             "\"modified\":\"%s\"%s%s%s}",
             d->type, d->id, at_text, at_text, more, d->tlp ? marked(d->tlp) : "",
             ask ? ",\"labels\":[\"ask\"]" : "");
}

/* Does jpcert get it by POLICY? Unmarked counts as amber, the collection's marking. */
static bool goes_to_japan(const struct deed *d)
{
    bool seen = strcmp(d->type, "indicator") == 0 || strcmp(d->type, "sighting") == 0;
    if (d->held)
        return false;
    if (d->tlp == STIX_TLP_AMBER || d->tlp == STIX_TLP_NONE)
        return seen;
    return d->tlp == STIX_TLP_CLEAR || d->tlp == STIX_TLP_GREEN;
}

static int find_target(bool japan)
{
    for (unsigned tries = 0; tries < 50 && deed_count; tries++) {
        int i = (int)below((unsigned)deed_count);
        if (deeds[i].japan == japan && deeds[i].ref < 0 && !deeds[i].refused &&
            !deeds[i].withdrawn && (japan || goes_to_japan(&deeds[i])))
            return i;
    }
    return -1;
}

static void publish(struct node *n, int day, int hour)
{
    struct deed *d = &deeds[deed_count];
    char text[1500];
    unsigned kind = below(20);
    *d = (struct deed){.ref = -1,
                       .japan = below(2) == 1,
                       .tlp = (enum stix_tlp)below(4),
                       .at_us = START + day * DAY + (hour + (int64_t)below(10)) * HOUR};
    d->type = types[kind < 9 ? 0 : kind < 11 ? 1 : kind < 13 ? 2 : kind < 18 ? 3 : 4];
    if (strcmp(d->type, "sighting") == 0 && (d->ref = find_target(!d->japan)) < 0)
        d->type = "indicator";
    d->seen_us = d->at_us - (int64_t)below(400) * HOUR; /* often before the release */
    d->seen_us -= d->seen_us % 1000;
    snprintf(d->pattern, sizeof d->pattern, "host-%u.example", below(60));
    snprintf(d->id, sizeof d->id, "%s--" UUID_OF, d->type, deed_count);
    d->refused = d->japan && strcmp(d->type, "tool") == 0;
    d->held = !d->japan && strcmp(d->type, "indicator") == 0 && below(8) == 0;
    put_text(d, d->held, text, sizeof text);
    base_clock_set(d->at_us);
    const char *got = submit(n, d->japan ? 'j' : 'a', &n->c, text, false);
    const char *want = d->refused ? "refused" : d->held ? "held" : "accepted";
    CHECK_ROW(strncmp(got, want, strlen(want)) == 0, "%s: %s is not %s", d->id, got, want);
    deed_count++;
}

static void take_back(struct node *n, int day)
{
    int i = find_target(false);
    struct err e = {0};
    struct exchange_query q = {.collection = &n->c, .after_us = INT64_MIN, .versions = STORE_ALL};
    if (i < 0)
        return;
    base_clock_set(deeds[i].withdrawn_us = START + day * DAY + 23 * HOUR);
    CHECK_ROW(exchange_withdraw(n->s, person(n, 'a'), &q, str_of(deeds[i].id), STR(""), &e), "%s",
              e.msg);
    deeds[i].withdrawn = true;
}

/* ---- the naive count ---- */

struct naive {
    uint64_t count[REVIEW_MEASURE_COUNT][2], yes[REVIEW_MEASURE_COUNT][2];
    uint64_t aside[REVIEW_MEASURE_COUNT][2];
    int64_t values[REVIEW_MEASURE_COUNT][2][DEEDS];
};

static bool is_in(const struct review_window *w, int64_t at_us)
{
    return at_us > w->from_us && at_us <= w->to_us;
}

static bool held_by_both(const struct deed *d)
{
    return d->japan ? !d->refused : goes_to_japan(d) && !d->withdrawn;
}

/* When side `japan` first saw deed i; INT64_MAX: it did not. */
static int64_t first_seen(int i, bool japan, int64_t as_of_us)
{
    int64_t first = INT64_MAX;
    for (int k = 0; k < deed_count; k++)
        if (deeds[k].ref == i && deeds[k].japan == japan && deeds[k].at_us <= as_of_us &&
            !deeds[k].refused && !deeds[k].withdrawn && deeds[k].seen_us < first)
            first = deeds[k].seen_us;
    return first;
}

static void note(struct naive *v, enum review_measure_id m, int side, int64_t value)
{
    v->values[m][side][v->count[m][side]++] = value;
    v->yes[m][side] += value != 0;
}

static void note_time(struct naive *v, enum review_measure_id m, int64_t from, int64_t to)
{
    if (to < from)
        v->aside[m][REVIEW_HOME]++;
    else
        note(v, m, REVIEW_HOME, (to - from) / 1000000);
}

static bool is_new(int i)
{
    for (int k = 0; k < deed_count; k++) {
        const struct deed *d = &deeds[k];
        bool stays = !d->refused && !d->withdrawn && strcmp(d->type, "indicator") == 0;
        if (k != i && stays && strcmp(d->pattern, deeds[i].pattern) == 0 &&
            d->at_us < deeds[i].at_us)
            return false;
    }
    return true;
}

static void count_naively(const struct review_window *w, struct naive *v)
{
    *v = (struct naive){0};
    for (int i = 0; i < deed_count; i++) {
        const struct deed *d = &deeds[i];
        int side = d->japan ? REVIEW_PARTNER : REVIEW_HOME;
        bool both = held_by_both(d), in = is_in(w, d->at_us);
        if (d->at_us > w->to_us)
            continue;
        if (both && in)
            note(v, REVIEW_OBJECTS_EXCHANGED, side, 1);
        if (both && in && strcmp(d->type, "vulnerability") == 0)
            note(v, REVIEW_ADVISORIES_EXCHANGED, side, 1);
        if (d->refused && in)
            note(v, REVIEW_REFUSALS, REVIEW_HOME, 1);
        if (d->held && in)
            note(v, REVIEW_HOLDS, REVIEW_HOME, 1);
        if (d->japan && in && !d->refused && strcmp(d->type, "indicator") == 0)
            note(v, REVIEW_NOVELTY, REVIEW_HOME, is_new(i));
        if (d->withdrawn && is_in(w, d->withdrawn_us))
            note(v, REVIEW_WITHDRAWALS_CONFIRMED, REVIEW_HOME, 0);
        /* of deed i by the other side: once, whoever saw it how often */
        bool used = false;
        for (int k = 0; k < deed_count; k++)
            used = used || (deeds[k].ref == i && held_by_both(&deeds[k]) && both &&
                            is_in(w, deeds[k].at_us));
        if (used)
            note(v, REVIEW_OBJECTS_USED, !side, 1);
        int64_t seen = first_seen(i, !d->japan, w->to_us);
        if (seen == INT64_MAX || !is_in(w, seen))
            continue;
        if (!d->japan && goes_to_japan(d))
            note_time(v, REVIEW_TIME_TO_DETECTION, d->at_us, seen);
        if (d->japan && !d->refused)
            note_time(v, REVIEW_LEAD_TIME, d->at_us, seen);
    }
}

static int by_value(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

/* The value that `percent` of them do not pass, by going through all of them. */
static int64_t ranked(int64_t *values, uint64_t n, unsigned percent)
{
    qsort(values, n, sizeof *values, by_value);
    for (uint64_t i = 0; i < n; i++)
        if ((i + 1) * 100 >= n * percent)
            return values[i];
    return -1;
}

static void compare(const struct review_measure *m, int side, struct naive *v,
                    const struct review_number *got)
{
    uint64_t n = v->count[m->id][side], yes = v->yes[m->id][side];
    uint64_t shown = 0, few = 0;
    for (size_t i = 0; i < got->part_count; i++) {
        shown += got->parts[i].cases;
        few += got->parts[i].floored;
    }
    if (m->unit == REVIEW_PERCENT_UNIT) {
        bool floored = (n && n < 5) || (yes && yes < 5) || (n - yes && n - yes < 5);
        enum review_outcome want = n == 0    ? REVIEW_NO_CASES
                                   : floored ? REVIEW_FLOORED
                                             : REVIEW_COUNTED;
        CHECK_ROW(got->outcome == want, "%s %d: outcome %d of %llu, %llu", m->name, side,
                  got->outcome, (unsigned long long)yes, (unsigned long long)n);
        if (want == REVIEW_COUNTED)
            CHECK_ROW(got->value == (int64_t)((double)yes * 1000 / (double)n + 0.5), "%s", m->name);
    } else if (m->unit == REVIEW_SECONDS_UNIT) {
        CHECK_ROW(got->outcome == (n == 0  ? REVIEW_NO_CASES
                                   : n < 5 ? REVIEW_FLOORED
                                           : REVIEW_COUNTED),
                  "%s %d: outcome %d of %llu", m->name, side, got->outcome, (unsigned long long)n);
        uint64_t aside = v->aside[m->id][side];
        if (got->outcome == REVIEW_COUNTED)
            CHECK_ROW(got->value == ranked(v->values[m->id][side], n, 50) &&
                          got->p90 == ranked(v->values[m->id][side], n, 90) && got->cases == n &&
                          got->aside == (aside < 5 ? 0 : aside) &&
                          got->aside_floored == (aside > 0 && aside < 5),
                      "%s %d: %lld %lld", m->name, side, (long long)got->value,
                      (long long)got->p90);
    } else if (n > 0 && n < 5) {
        CHECK_ROW(got->outcome == REVIEW_FLOORED && got->value == 0 && got->cases == 0 &&
                      got->evidence_count == 0 && got->part_count == 0,
                  "%s %d: few of them are told", m->name, side);
    } else {
        CHECK_ROW(got->outcome == REVIEW_COUNTED && (few || got->value == (int64_t)n) &&
                      got->value <= (int64_t)n && got->at_least == (few > 0) &&
                      (!got->part_count || got->value == (int64_t)(shown < 5 && few ? 5 : shown)),
                  "%s %d: %lld is not %llu", m->name, side, (long long)got->value,
                  (unsigned long long)n);
    }
    CHECK_ROW(got->outcome == REVIEW_COUNTED || got->evidence_count == 0, "%s", m->name);
}

/* ---- the tests ---- */

static const struct review_facts *load(struct node *n, struct arena *a, const char *nation,
                                       const char *org, int64_t as_of_us)
{
    struct err e = {0};
    const struct review_facts *f = NULL;
    struct review_asked q = {.partner = {STR("JP"), STR("jpcert")},
                             .reader = {str_of(nation), str_of(org)},
                             .as_of_us = as_of_us};
    CHECK_ROW(review_facts_load(n->s, a, &q, &f, &e), "%s", e.msg);
    return f;
}

static unsigned compared; /* numbers that are not zero */

static const enum review_measure_id counted[] = {
    REVIEW_OBJECTS_EXCHANGED,
    REVIEW_OBJECTS_USED,
    REVIEW_TIME_TO_DETECTION,
    REVIEW_NOVELTY,
    REVIEW_LEAD_TIME,
    REVIEW_REFUSALS,
    REVIEW_HOLDS,
    REVIEW_ADVISORIES_EXCHANGED,
};

static void compare_one(const struct review_facts *f, struct arena *a,
                        const struct review_counting *c, struct naive *v)
{
    struct review_number got = {0};
    struct err e = {0};
    CHECK_ROW(review_count(f, a, c, &got, &e), "%s", e.msg);
    compared += got.outcome == REVIEW_COUNTED && got.cases > 0;
    if (c->side == REVIEW_PARTNER && !c->measure->shared)
        CHECK_ROW(got.outcome == REVIEW_NOT_MEASURABLE && got.why, "%s", c->measure->name);
    else
        compare(c->measure, c->side, v, &got);
}

static void test_against_naive(struct node *n)
{
    static struct naive v;
    static const struct {
        int from, to;
    } windows[] = {{-1, 366}, {0, 60}, {60, 130}, {100, 101}, {150, 366}, {-1, 0}, {20, 31}};
    for (size_t i = 0; i < COUNT(windows); i++) {
        struct review_window w = {START + windows[i].from * DAY, START + windows[i].to * DAY};
        struct arena *a = arena_new(64 << 20);
        const struct review_facts *f = load(n, a, "", "", w.to_us);
        count_naively(&w, &v);
        for (size_t k = 0; k < 2 * COUNT(counted); k++) {
            struct review_counting c = {review_measure(counted[k / 2]), (enum review_side)(k % 2),
                                        w};
            compare_one(f, a, &c, &v);
        }
        arena_free(a);
    }
    CHECK_ROW(compared > 30, "%u numbers are few to compare", compared);
}

/* Records that nobody keeps are not made up; withdrawals without a receipt are not confirmed. */
static void test_not_measurable(struct node *n)
{
    static const enum review_measure_id none[] = {
        REVIEW_WITHDRAWALS_CONFIRMED, REVIEW_WITHDRAWAL_TIME, REVIEW_PARTNER_AVAILABILITY,
        REVIEW_LEDGER_WITNESSED, REVIEW_REDACTIONS_PERSONAL};
    struct arena *a = arena_new(64 << 20);
    const struct review_facts *f = load(n, a, "", "", START + 366 * DAY);
    for (size_t i = 0; i < COUNT(none); i++) {
        struct review_counting c = {
            review_measure(none[i]), REVIEW_HOME, {START, START + 366 * DAY}};
        struct review_number got = {0};
        struct err e = {0};
        CHECK_ROW(review_count(f, a, &c, &got, &e) && got.outcome == REVIEW_NOT_MEASURABLE &&
                      got.why && got.value == 0,
                  "%s", c.measure->name);
    }
    arena_free(a);
}

/* Nobody finds in a number, or behind it, what he may not read. */
static void test_rights(struct node *n)
{
    struct arena *a = arena_new(64 << 20);
    struct err e = {0};
    struct review_number all = {0}, its = {0}, others = {0};
    struct review_counting c = {
        review_measure(REVIEW_OBJECTS_EXCHANGED), REVIEW_HOME, {START - DAY, START + 366 * DAY}};
    const struct review_facts *home = load(n, a, "", "", c.window.to_us);
    const struct review_facts *japan = load(n, a, "JP", "jpcert", c.window.to_us);
    const struct review_facts *docomo = load(n, a, "JP", "docomo", c.window.to_us);
    const struct review_facts *cisa = load(n, a, "US", "cisa", c.window.to_us);
    /* The two sides of the review see the same of what both hold. */
    CHECK_ROW(review_count(home, a, &c, &all, &e) && review_count(japan, a, &c, &its, &e), "%s",
              e.msg);
    CHECK(all.value == its.value && all.evidence_count == its.evidence_count && all.value > 20);
    uint64_t clear = 0, green = 0;
    for (int i = 0; i < deed_count; i++) {
        bool both = !deeds[i].japan && held_by_both(&deeds[i]);
        clear += both && deeds[i].tlp == STIX_TLP_CLEAR;
        green += both && deeds[i].tlp == STIX_TLP_GREEN;
    }
    CHECK_ROW(review_count(docomo, a, &c, &others, &e), "%s", e.msg);
    CHECK_ROW(others.value <= (int64_t)(clear + green) && others.value > 0 &&
                  others.value < all.value,
              "an operator counts %lld of %llu", (long long)others.value,
              (unsigned long long)(clear + green));
    for (size_t i = 0; i < others.part_count; i++)
        CHECK(str_eq(others.parts[i].more, STR("clear")) ||
              str_eq(others.parts[i].more, STR("green")));
    CHECK_ROW(review_count(cisa, a, &c, &others, &e), "%s", e.msg);
    for (size_t i = 0; i < others.part_count; i++)
        CHECK(str_eq(others.parts[i].more, STR("clear")));
    /* Arrivals and refusals are home's own records. */
    c.measure = review_measure(REVIEW_REFUSALS);
    CHECK(review_count(home, a, &c, &all, &e) && all.value >= 5 &&
          review_count(japan, a, &c, &its, &e) && its.value == 0);
    c.measure = review_measure(REVIEW_LEAD_TIME);
    CHECK(review_count(home, a, &c, &all, &e) && all.cases >= 5 &&
          review_count(japan, a, &c, &its, &e) && its.outcome == REVIEW_NO_CASES);
    arena_free(a);
}

/* The leaf that a number names is the record that it was counted from. */
struct looking {
    uint64_t index;
    char record[2000];
};

static bool look_at(void *ctx, const struct exchange_leaf *l)
{
    struct looking *k = ctx;
    if (l->index == k->index)
        snprintf(k->record, sizeof k->record, "%.*s", STR_FMT(l->record));
    return l->index < k->index;
}

static void test_evidence(struct node *n)
{
    struct arena *a = arena_new(64 << 20);
    struct err e = {0};
    struct review_number got = {0};
    struct review_counting c = {
        review_measure(REVIEW_TIME_TO_DETECTION), REVIEW_HOME, {START - DAY, START + 366 * DAY}};
    const struct review_facts *f = load(n, a, "", "", c.window.to_us);
    CHECK(review_count(f, a, &c, &got, &e) && got.evidence_count == got.cases && got.cases >= 5);
    for (size_t i = 0; i < got.evidence_count; i++) {
        struct looking k = {.index = got.evidence[i].index};
        CHECK(exchange_ledger_each(n->s, NULL, k.index, k.index + 1, look_at, &k, &e));
        CHECK_ROW(strstr(k.record, "\"kind\":\"release\"") &&
                      strstr(k.record, arena_cstr(a, got.evidence[i].id)),
                  "%s", k.record);
    }
    arena_free(a);
}

static bool lists(const struct json *norm, const struct review_measure *m)
{
    for (const struct json *k = json_get(norm, STR("measures"))->u.child; k; k = k->next)
        if (str_eq(k->u.s, str_of(m->name)))
            return true;
    return false;
}

static void check_norm(const struct json *norm, const struct review_measure *m)
{
    struct err e = {0};
    struct str letter = json_get_str(norm, STR("id"));
    bool declared = json_is(json_get(norm, STR("declaratory")), JSON_TRUE);
    bool speaks = review_measure_speaks(m, letter, &e);
    CHECK_ROW(speaks == lists(norm, m), "%s, norm %.*s", m->name, STR_FMT(letter));
    CHECK_ROW(!declared || (!speaks && e.code == ERR_FORBIDDEN), "%s", m->name);
}

/* What speaks to which norm is what data/norms.json says. */
static void test_norms(struct json_reader *jr, struct arena *a)
{
    const struct json *v;
    struct err e = {0};
    CHECK(json_parse(jr, a, dialogue_reference(DIALOGUE_REFERENCE_NORMS), false, &v, &e));
    v = json_get(json_get(v, STR("norms")), STR("items"));
    for (v = v->u.child; v; v = v->next)
        for (size_t i = 0; i < REVIEW_MEASURE_COUNT; i++)
            check_norm(v, review_measure((enum review_measure_id)i));
}

static void test_table(void)
{
    struct arena *a = arena_new(64 << 20);
    struct json_reader *jr = json_reader_new();
    const struct json *v;
    struct err e = {0};
    size_t named = 0;
    /* What a dialogue-measure may name is what there is. */
    CHECK(json_parse(jr, a, dialogue_schema(DIALOGUE_MEASURE), false, &v, &e));
    v = json_get(json_get(json_get(v, STR("properties")), STR("query")), STR("enum"));
    for (v = v->u.child; v; v = v->next, named++)
        CHECK_ROW(review_measure_find(v->u.s) != NULL, "%.*s", STR_FMT(v->u.s));
    CHECK(named == REVIEW_MEASURE_COUNT && !review_measure_find(STR("none")));
    test_norms(jr, a);
    CHECK(!review_measure_speaks(review_measure(REVIEW_HOLDS), STR("l"), &e) &&
          e.code == ERR_INVALID);
    json_reader_free(jr);
    arena_free(a);
}

int main(void)
{
    struct node n;
    folder_make("measures");
    test_table();
    node_make(&n, "node", POLICY);
    for (int day = 0; day < 200; day++) {
        publish(&n, day, 0);
        if (day % 3)
            publish(&n, day, 11);
        if (day % 20 == 19)
            take_back(&n, day);
    }
    test_against_naive(&n);
    test_not_measurable(&n);
    test_rights(&n);
    test_evidence(&n);
    base_clock_set(INT64_MIN);
    node_done(&n);
    folder_remove();
    TEST_END();
}
