/*
 * Audiences: exact texts, malformed texts, and the property that holds the gate together: for
 * random policies, facts and parties, whoever an audience has is whom policy_release_to releases
 * to, and both are what a naive reading of the same rules says. SETU_TEST_SEED repeats a run.
 */
#include "world.h"

static struct policy_party party(const char *text) /* "IN/cert-in" */
{
    struct str org = str_of(text), nation = str_cut(&org, '/');
    return (struct policy_party){nation, org.p ? org : STR_NONE};
}

/* ---- exact texts ---- */

#define NATIONS                                                                                    \
    "nation IN \"India\" { agency cert-in, nciipc  operator airtel }\n"                            \
    "nation JP \"Japan\" { agency nisc, jpcert     operator docomo }\n"                            \
    "nation US \"United States\" { }\n"

#define CLEAR STIX_TLP_CLEAR
#define AMBER STIX_TLP_AMBER
#define RED   STIX_TLP_RED

static const struct text_row {
    const char *rules;
    enum stix_tlp tlp;
    const char *source, *also, *text;
} text_rows[] = {
    {"", CLEAR, "/", NULL, ""},
    {"", CLEAR, "IN/cert-in", NULL, "+IN/cert-in"},
    {"", CLEAR, "IN/x", "FR/y", "+FR/y +IN/x"},
    {"", CLEAR, "FR/y", "FR/y", "+FR/y"},
    {"", CLEAR, "FR/y", "FR/a", "+FR/a +FR/y"},
    {"release to IN", CLEAR, "IN/cert-in", "IN/x", "+IN"},
    {"release to any", CLEAR, "IN/cert-in", "FR/x", "+*"},
    {"release to any except JP", CLEAR, "IN/cert-in", "FR/x", "+* -JP"},
    {"release to any except JP", CLEAR, "JP/nisc", "JP/x", "+* -JP +JP/nisc +JP/x"},
    {"release to any except nisc, airtel", CLEAR, "/", NULL, "+* -IN/airtel -JP/nisc"},
    {"release to nisc, jpcert, docomo", CLEAR, "/", NULL, "+JP/docomo +JP/jpcert +JP/nisc"},
    {"deny to nisc release to JP release to any", CLEAR, "/", NULL, "+* -JP/nisc"},
    {"release to JP except nisc", CLEAR, "/", NULL, "+JP -JP/nisc"},
    {"release to agency of JP, US", CLEAR, "/", NULL, "+JP/jpcert +JP/nisc +US"},
    {"release to any", RED, "IN/cert-in", NULL, "+IN/cert-in"},
    {"release to any", RED, "IN/cert-in", "JP/x", "+IN/cert-in +JP/x"},
    {"release to any", AMBER, "IN/cert-in", NULL, "+*"},
    {"release to any", AMBER, "JP/nisc", NULL, "+IN +JP"},
    {"release to any", AMBER, "FR/x", NULL, "+FR +IN"},
    {"release to any except docomo", AMBER, "FR/x", "US/b", "+FR +IN +US/b"},
    {"release to any", AMBER, "/", NULL, "+IN"},
    {"release to any", AMBER, "FR", NULL, "+FR +IN"},
};

static void check_text(const struct text_row *r)
{
    char text[2048];
    struct policy_facts f = {
        .type = STR("indicator"), .tlp = r->tlp, .source = party(r->source), .home = STR("IN")};
    struct policy_party also = party(r->also ? r->also : "");
    struct policy *p = NULL;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, "> "); /* appended, not overwritten */
    snprintf(text, sizeof text, NATIONS "%s", r->rules);
    bool ok = policy_parse(str_of(text), "p", &p, &e) &&
              policy_audience(p, &f, r->also ? &also : NULL, &b, &e);
    struct str got = str_from(buf_view(&b), 2);
    CHECK_ROW(ok && str_eq(got, str_of(r->text)), "%s from %s: not %s but %.*s%s", r->rules,
              r->source, r->text, STR_FMT(got), e.msg);
    policy_free(p);
    buf_done(&b);
}

static void test_texts(void)
{
    for (size_t i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++)
        check_text(&text_rows[i]);
}

static void test_bad_submitter(void)
{
    struct policy_facts f = {
        .type = STR("indicator"), .tlp = CLEAR, .source = party("IN/a"), .home = STR("IN")};
    struct policy *p = NULL;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    CHECK(policy_parse(STR("release to any"), "p", &p, &e));
    static const char *const bad[] = {"IN", "/a", "in/a", "IN/A", "IN/a b", "IND/a"};
    for (size_t i = 0; p && i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct policy_party also = party(bad[i]);
        CHECK(!policy_audience(p, &f, &also, &b, &e) && e.code == ERR_INVALID && b.n == 0);
    }
    policy_free(p);
    buf_done(&b);
}

static const struct has_row {
    const char *text, *who;
    bool has;
} has_rows[] = {
    {"", "IN/a", false},
    {"+*", "IN/a", true},
    {"+* -IN", "IN/a", false},
    {"+* -IN", "JP/a", true},
    {"+* -IN +IN/a", "IN/a", true},
    {"+* -IN +IN/a", "IN/b", false},
    {"+* -IN/a", "IN/a", false},
    {"+* -IN/a", "JP/a", true},
    {"+IN", "IN/a", true},
    {"+IN", "JP/a", false},
    {"+IN -IN/a", "IN/a", false},
    {"+IN -IN/a", "IN/aa", true},
    {"+IN/a", "IN/a", true},
    {"+IN/a", "IN/b", false},
    {"+IN/a +JP", "JP/b", true},
    {"+IN +IN2", "IN/a", false},
    /* no party */
    {"+*", "IN", false},
    {"+*", "/a", false},
    {"+*", "in/a", false},
    {"+IN", "IN/A", false},
    {"+IN", "IN/*", false},
    /* malformed: nobody, not even those whom a part would name */
    {" ", "IN/a", false},
    {"+", "IN/a", false},
    {"+* ", "IN/a", false},
    {" +*", "IN/a", false},
    {"+IN  +JP", "IN/a", false},
    {"+IN +", "IN/a", false},
    {"IN", "IN/a", false},
    {"+* .IN", "JP/a", false},
    {"+*a", "IN/a", false},
    {"+IN/", "IN/a", false},
    {"+IN/a/b", "IN/a", false},
    {"+IN/A +IN/a", "IN/a", false},
    {"+IN\n", "IN/a", false},
    {"+IN +in", "IN/a", false},
    {"+IN +JP/", "IN/a", false},
    {"+I", "IN/a", false},
    {"+IN:a", "IN/a", false},
    {"+INa", "IN/a", false},
    {"*", "IN/a", false},
    /* not canonical: unsorted, twice, or saying what already holds */
    {"-*", "IN/a", false},
    {"-* +IN", "IN/a", false},
    {"+JP +IN", "IN/a", false},
    {"+IN +IN", "IN/a", false},
    {"+IN +*", "IN/a", false},
    {"+IN -IN", "IN/a", false},
    {"+* +IN", "IN/a", false},
    {"+* +IN/a", "IN/a", false},
    {"-JP +IN", "IN/a", false},
    {"+IN -JP", "IN/a", false},
    {"+IN +IN/a", "IN/a", false},
    {"+IN/a -IN/b", "IN/a", false},
    {"+IN/b +IN/a", "IN/a", false},
    {"+IN/a +IN", "IN/a", false},
};

static void test_has(void)
{
    for (size_t i = 0; i < sizeof(has_rows) / sizeof(has_rows[0]); i++) {
        const struct has_row *r = &has_rows[i];
        struct policy_party who = party(r->who);
        CHECK_ROW(policy_audience_has(str_of(r->text), &who) == r->has, "\"%s\" has %s", r->text,
                  r->who);
    }
}

/* ---- the properties ---- */

/* Equal sets have equal texts, and different sets different ones, also of different policies. */
struct seen {
    uint64_t set[(PLACES + 63) / 64];
    char text[1000];
};
enum { SEEN_MOST = 256 };
static struct seen seen[SEEN_MOST];
static size_t seen_count;

static void check_canonical(const struct seen *now)
{
    for (size_t i = 0; i < seen_count && i < SEEN_MOST; i++) {
        bool same = memcmp(seen[i].set, now->set, sizeof now->set) == 0;
        if (same != (strcmp(seen[i].text, now->text) == 0))
            CHECK_ROW(false, "\"%s\" and \"%s\" are%s the same set", seen[i].text, now->text,
                      same ? "" : " not");
    }
    seen[seen_count++ % SEEN_MOST] = *now;
    test_passed++;
}

/* The old functions release what is released whole, and nothing that is granular. */
static bool naive_release(const struct random_policy *rp, const struct random_facts *rf,
                          struct place to)
{
    struct naive n = naive_answer(rp, rf, NULL, to);
    return same_place(to, rf->source) ||
           (n.verdict == POLICY_RELEASED && !n.redacts && !rf->granular && !rf->granular_tlps);
}

static void check_facts(const struct policy *p, const struct random_policy *rp, const char *text)
{
    struct random_facts rf = random_facts();
    struct facts_room room;
    struct policy_facts f = facts_in(&room, &rf);
    struct place also_at = known_place();
    struct policy_party also = party_at(also_at);
    bool with_also = below(2);
    struct seen now = {0};
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    CHECK(policy_audience(p, &f, with_also ? &also : NULL, &b, &e));
    struct str audience = buf_view(&b);
    for (unsigned i = 0; i < PLACES; i++) {
        struct place at = place_of(i);
        struct policy_party who = party_at(at);
        bool is_also = with_also && same_place(at, also_at);
        bool naive = naive_release(rp, &rf, at);
        bool gate = policy_release_to(p, &f, &who, NULL) == POLICY_RELEASE;
        bool has = policy_audience_has(audience, &who);
        if (gate != naive || has != (gate || is_also))
            CHECK_ROW(false,
                      "to %.*s/%.*s: naive %d, gate %d, audience %d (\"%.*s\"); %s %s from "
                      "%.*s/%.*s, home %s, granular %d, labels %u\n%s",
                      STR_FMT(who.nation), STR_FMT(who.org), naive, gate, has, STR_FMT(audience),
                      types[rf.type], stix_tlp_name(rf.tlp), STR_FMT(f.source.nation),
                      STR_FMT(f.source.org), codes[rf.home], rf.granular, rf.labels, text);
        if (has)
            now.set[i / 64] |= (uint64_t)1 << (i % 64);
    }
    test_passed++;
    snprintf(now.text, sizeof now.text, "%.*s", STR_FMT(audience));
    check_canonical(&now);
    buf_done(&b);
}

static void test_random(unsigned policies)
{
    unsigned failed = test_failed; /* before; the first random failure ends the run */
    for (unsigned i = 0; i < policies && test_failed == failed; i++) {
        struct random_policy rp = random_policy();
        struct policy *p = NULL;
        struct err e = {0};
        struct buf b;
        buf_init(&b, 0);
        put_policy(&b, &rp);
        bool ok = policy_parse(buf_view(&b), "random", &p, &e);
        buf_byte(&b, 0);
        CHECK_ROW(ok != names_nobody(&rp), "%s\n%s", ok ? "accepted" : e.msg, b.p);
        for (unsigned k = 0; ok && k < 2; k++)
            check_facts(p, &rp, b.p);
        policy_free(p);
        buf_done(&b);
    }
}

/* ---- combining ---- */

static bool naive_combined(enum policy_set how, bool a, bool b)
{
    return how == POLICY_BOTH ? a && b : how == POLICY_EITHER ? a || b : a && !b;
}

/* Each member of the result is one by the members of both; the text is the one text of that set. */
static void check_combined(const struct seen *a, const struct seen *b, enum policy_set how)
{
    struct seen now = {0};
    struct err e = {0};
    struct buf out;
    bool good = true;
    buf_init(&out, 0);
    buf_lit(&out, "> ");
    CHECK(policy_audience_combine(str_of(a->text), str_of(b->text), how, &out, &e));
    struct str text = str_from(buf_view(&out), 2);
    for (unsigned i = 0; i < PLACES; i++) {
        struct policy_party who = party_at(place_of(i));
        bool in_a = a->set[i / 64] >> (i % 64) & 1, in_b = b->set[i / 64] >> (i % 64) & 1;
        bool want = naive_combined(how, in_a, in_b), has = policy_audience_has(text, &who);
        good = good && want == has;
        if (has)
            now.set[i / 64] |= (uint64_t)1 << (i % 64);
    }
    CHECK_ROW(good, "\"%s\" %d \"%s\" is not \"%.*s\"", a->text, how, b->text, STR_FMT(text));
    snprintf(now.text, sizeof now.text, "%.*s", STR_FMT(text));
    check_canonical(&now);
    buf_done(&out);
}

static const struct combine_row {
    const char *a, *b;
    enum policy_set how;
    const char *text;
} combine_rows[] = {
    {"", "", POLICY_EITHER, ""},
    {"+*", "+IN", POLICY_BOTH, "+IN"},
    {"+*", "+IN", POLICY_EITHER, "+*"},
    {"+*", "+IN", POLICY_WITHOUT, "+* -IN"},
    {"+IN", "+*", POLICY_WITHOUT, ""},
    {"+* -JP", "+IN", POLICY_WITHOUT, "+* -IN -JP"},
    {"+IN", "+* -JP", POLICY_WITHOUT, ""},
    {"+IN +JP", "+* -JP", POLICY_WITHOUT, "+JP"},
    {"+* -JP", "+* -IN", POLICY_BOTH, "+* -IN -JP"},
    {"+* -JP", "+* -IN", POLICY_EITHER, "+*"},
    {"+* -IN +IN/a", "+IN/b", POLICY_EITHER, "+* -IN +IN/a +IN/b"},
    {"+* -IN +IN/a", "+IN/b", POLICY_BOTH, ""},
    {"+IN -IN/a", "+IN/a", POLICY_EITHER, "+IN"},
    {"+IN", "+IN/a +JP/a", POLICY_WITHOUT, "+IN -IN/a"},
    {"+IN/a +IN/b", "+IN/b +IN/c", POLICY_BOTH, "+IN/b"},
    {"+IN -IN/a", "+JP -JP/b", POLICY_EITHER, "+IN -IN/a +JP -JP/b"},
    {"+IN/a", "+* -IN +IN/a", POLICY_BOTH, "+IN/a"},
};

static void test_combine_rows(void)
{
    struct buf out;
    buf_init(&out, 0);
    for (size_t i = 0; i < sizeof(combine_rows) / sizeof(combine_rows[0]); i++) {
        const struct combine_row *r = &combine_rows[i];
        struct err e = {0};
        buf_clear(&out);
        bool ok = policy_audience_combine(str_of(r->a), str_of(r->b), r->how, &out, &e);
        CHECK_ROW(ok && str_eq(buf_view(&out), str_of(r->text)), "\"%s\" %d \"%s\": \"%.*s\"", r->a,
                  r->how, r->b, STR_FMT(buf_view(&out)));
    }
    buf_done(&out);
}

static void test_combine(unsigned pairs)
{
    static const char *const bad[] = {"-IN", "+IN +IN", "+JP +IN", "IN", "+IN ", "+* +IN/a"};
    unsigned failed = test_failed;
    struct err e = {0};
    struct buf out;
    CHECK(policy_audience_empty(STR("")) && !policy_audience_empty(STR("+IN")));
    buf_init(&out, 0);
    buf_lit(&out, "> ");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        e.code = ERR_NONE;
        CHECK_ROW(!policy_audience_combine(str_of(bad[i]), STR("+ZA"), POLICY_EITHER, &out, &e) &&
                      e.code == ERR_INVALID && out.n == 2,
                  "%s", bad[i]);
        CHECK_ROW(!policy_audience_combine(STR("+ZA"), str_of(bad[i]), POLICY_EITHER, &out, &e) &&
                      out.n == 2,
                  "%s", bad[i]);
    }
    buf_done(&out);
    for (unsigned i = 0; i < pairs && test_failed == failed; i++) {
        struct seen a = seen[below(SEEN_MOST)], b = seen[below(SEEN_MOST)];
        check_combined(&a, &b, (enum policy_set)below(3));
    }
}

/* Sets of many words: every fourth of 300 organisations, by every third of 200 labels. */
static void test_wide(void)
{
    struct policy *p = NULL;
    struct err e = {0};
    struct buf b, out;
    buf_init(&b, 0);
    buf_init(&out, 0);
    buf_lit(&b, "nation IN \"I\" { agency a");
    for (unsigned i = 0; i < 300; i++)
        buf_printf(&b, ", a%u", i);
    buf_lit(&b, " }\ndeny labels \"l\"");
    for (unsigned i = 0; i < 200; i++)
        buf_printf(&b, ", \"l%u\"", 3 * i);
    buf_lit(&b, " to any release to a");
    for (unsigned i = 0; i < 300; i += 4)
        buf_printf(&b, ", a%u", i);
    bool ok = policy_parse(buf_view(&b), "wide", &p, &e);
    CHECK_ROW(ok, "%s", e.msg);
    for (unsigned k = 0; ok && k < 600; k++) {
        char text[16];
        snprintf(text, sizeof text, "l%u", k);
        struct json label = {.type = JSON_STRING, .u.s = str_of(text)};
        struct json labels = {.type = JSON_ARRAY, .count = 1, .u.child = &label};
        struct policy_facts f = {.type = STR("tool"),
                                 .tlp = CLEAR,
                                 .labels = &labels,
                                 .source = party("FR/x"),
                                 .home = STR("IN")};
        bool good = policy_audience(p, &f, NULL, &out, &e);
        for (unsigned i = 0; i < 300; i++) {
            char name[16];
            snprintf(name, sizeof name, "a%u", i);
            struct policy_party who = {STR("IN"), str_of(name)};
            bool want = k % 3 != 0 && i % 4 == 0;
            good = good && (policy_release_to(p, &f, &who, NULL) == POLICY_RELEASE) == want &&
                   (i % 50 != k % 50 || policy_audience_has(buf_view(&out), &who) == want);
        }
        CHECK_ROW(good, "label %s", text);
        buf_clear(&out);
    }
    policy_free(p);
    buf_done(&b);
    buf_done(&out);
}

int main(void)
{
    seed_world();
    test_texts();
    test_bad_submitter();
    test_has();
    test_wide();
    test_combine_rows();
    test_random(1500);
    test_combine(4000);
    TEST_END();
}
