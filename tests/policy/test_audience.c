/*
 * Audiences: exact texts, malformed texts, and the property that holds the gate together: for
 * random policies, facts and parties, whoever an audience has is whom policy_release_to releases
 * to, and both are what a naive reading of the same rules says. SETU_TEST_SEED repeats a run.
 */
#include "test.h"

#include "policy/policy.h"

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

/* ---- random policies, and a naive reading of them ---- */

enum { NATION_COUNT = 5, ORG_COUNT = 3, RULES_MOST = 8, TERMS_MOST = 3 };
/* The policies name the first NATION_COUNT; facts know QQ too; XX only stands for all the others.
 */
static const char codes[NATION_COUNT + 2][3] = {"AU", "IN", "JP", "US", "ZA", "QQ", "XX"};
static const char *const types[] = {"indicator", "incident", "url", "file", "x-note"};
enum { TYPE_OBSERVABLES = 5, TYPE_COUNT = 6, LABEL_COUNT = 3 };

static uint64_t random_state;

static unsigned below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % n;
}

enum term_kind { TERM_ANY, TERM_NATION, TERM_COMMUNITY, TERM_ORG, TERM_AGENCIES, TERM_OPERATORS };

struct term {
    enum term_kind kind;
    unsigned nation, org;
};

struct random_rule {
    bool release;
    unsigned tlp, types, labels; /* masks; 0: no such condition */
    struct term who[TERMS_MOST], except[TERMS_MOST];
    unsigned who_count, except_count;
};

enum org_kind { ORG_UNNAMED, ORG_AGENCY, ORG_OPERATOR };

struct random_policy {
    bool named[NATION_COUNT];
    enum org_kind orgs[NATION_COUNT][ORG_COUNT]; /* names in0, in1 …: lower-case code and number */
    unsigned community;                          /* mask of nations, 0: none */
    struct random_rule rules[RULES_MOST];
    unsigned rule_count;
};

/* A party of the universe: any nation, and any organisation's name of any nation, or "other", or
 * "witness", which facts never know either. */
struct place {
    unsigned nation, org; /* org: nation * ORG_COUNT + number */
};
enum { OTHER = NATION_COUNT * ORG_COUNT, ORGS_ALL = OTHER + 2 };
enum { PLACES = (NATION_COUNT + 2) * ORGS_ALL };

static struct place place_of(unsigned i)
{
    return (struct place){i / ORGS_ALL, i % ORGS_ALL};
}

static struct policy_party party_at(struct place at)
{
    static char names[ORGS_ALL][8];
    char *name = names[at.org];
    if (at.org >= OTHER)
        snprintf(name, 8, "%s", at.org == OTHER ? "other" : "witness");
    else
        snprintf(name, 8, "%c%c%u", codes[at.org / ORG_COUNT][0] + 32,
                 codes[at.org / ORG_COUNT][1] + 32, at.org % ORG_COUNT);
    return (struct policy_party){str_of(codes[at.nation]), str_of(name)};
}

/* What the policy calls this party: only an organisation in its own nation is one that it names. */
static enum org_kind kind_at(const struct random_policy *rp, struct place at)
{
    if (at.nation >= NATION_COUNT || at.org / ORG_COUNT != at.nation || !rp->named[at.nation])
        return ORG_UNNAMED;
    return rp->orgs[at.nation][at.org % ORG_COUNT];
}

static bool term_has(const struct random_policy *rp, const struct term *t, struct place at)
{
    switch (t->kind) {
    case TERM_ANY:
        return true;
    case TERM_NATION:
        return at.nation == t->nation;
    case TERM_COMMUNITY:
        return rp->community >> at.nation & 1;
    case TERM_ORG:
        return at.nation == t->nation && at.org == t->nation * ORG_COUNT + t->org;
    case TERM_AGENCIES:
        return at.nation == t->nation && kind_at(rp, at) == ORG_AGENCY;
    case TERM_OPERATORS:
        return at.nation == t->nation && kind_at(rp, at) == ORG_OPERATOR;
    }
    return false;
}

static bool rule_has(const struct random_policy *rp, const struct random_rule *r, struct place at)
{
    bool in = false;
    for (unsigned i = 0; i < r->who_count; i++)
        in = in || term_has(rp, &r->who[i], at);
    for (unsigned i = 0; i < r->except_count; i++)
        in = in && !term_has(rp, &r->except[i], at);
    return in;
}

struct random_facts {
    unsigned type, labels;
    enum stix_tlp tlp;
    struct place source;
    unsigned home;
    bool granular;
};

static bool naive_conditions(const struct random_rule *r, const struct random_facts *f)
{
    enum stix_tlp tlp = f->tlp ? f->tlp : STIX_TLP_AMBER;
    bool observable = f->type == 2 || f->type == 3;
    if (r->tlp && !(r->tlp >> tlp & 1))
        return false;
    if (r->labels && !(r->labels & f->labels))
        return false;
    return !r->types || r->types >> f->type & 1 || (observable && r->types >> TYPE_OBSERVABLES & 1);
}

static bool naive_release(const struct random_policy *rp, const struct random_facts *f,
                          struct place to)
{
    if (to.nation == f->source.nation && to.org == f->source.org)
        return true;
    if (f->tlp == STIX_TLP_RED || f->tlp == STIX_TLP_AMBER_STRICT || f->granular)
        return false;
    bool open = f->tlp == STIX_TLP_CLEAR || f->tlp == STIX_TLP_GREEN;
    if (!open && f->source.nation != f->home && to.nation != f->home &&
        to.nation != f->source.nation)
        return false;
    for (unsigned i = 0; i < rp->rule_count; i++)
        if (naive_conditions(&rp->rules[i], f) && rule_has(rp, &rp->rules[i], to))
            return rp->rules[i].release;
    return false;
}

static unsigned orgs_of_kind(const struct random_policy *rp, unsigned nation, enum org_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < ORG_COUNT; i++)
        n += rp->orgs[nation][i] == kind;
    return n;
}

static struct term random_term(const struct random_policy *rp)
{
    struct term t = {TERM_ANY, below(NATION_COUNT), below(ORG_COUNT)};
    while (!rp->named[t.nation])
        t.nation = below(NATION_COUNT);
    t.kind = (enum term_kind)below(TERM_OPERATORS + 1);
    bool empty = (t.kind == TERM_COMMUNITY && !rp->community) ||
                 (t.kind == TERM_ORG && rp->orgs[t.nation][t.org] == ORG_UNNAMED) ||
                 (t.kind == TERM_AGENCIES && !orgs_of_kind(rp, t.nation, ORG_AGENCY)) ||
                 (t.kind == TERM_OPERATORS && !orgs_of_kind(rp, t.nation, ORG_OPERATOR));
    if (empty)
        t.kind = TERM_NATION;
    return t;
}

static struct random_rule random_rule(const struct random_policy *rp)
{
    struct random_rule r = {.release = below(3) > 0};
    if (below(3) == 0)
        r.tlp = below(31) << 1;
    if (below(3) == 0)
        r.types = below(1 << TYPE_COUNT);
    if (below(4) == 0)
        r.labels = below(1 << LABEL_COUNT);
    r.who_count = 1 + below(TERMS_MOST);
    r.except_count = below(2) * below(TERMS_MOST + 1);
    for (unsigned i = 0; i < r.who_count; i++)
        r.who[i] = random_term(rp);
    for (unsigned i = 0; i < r.except_count; i++)
        r.except[i] = random_term(rp);
    return r;
}

static struct random_policy random_policy(void)
{
    struct random_policy rp = {0};
    rp.named[below(NATION_COUNT)] = true;
    for (unsigned i = 0; i < NATION_COUNT; i++) {
        rp.named[i] = rp.named[i] || below(3) > 0;
        for (unsigned k = 0; k < ORG_COUNT; k++)
            rp.orgs[i][k] = rp.named[i] ? (enum org_kind)below(3) : ORG_UNNAMED;
        if (rp.named[i] && below(2))
            rp.community |= 1u << i;
    }
    rp.rule_count = below(RULES_MOST + 1);
    for (unsigned i = 0; i < rp.rule_count; i++)
        rp.rules[i] = random_rule(&rp);
    return rp;
}

/* ---- its text ---- */

static void put_terms(struct buf *b, const struct term *terms, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct term *t = &terms[i];
        const char *code = codes[t->nation];
        buf_lit(b, i ? ", " : " ");
        switch (t->kind) {
        case TERM_ANY:
            buf_lit(b, "any");
            break;
        case TERM_NATION:
            buf_lit(b, code);
            break;
        case TERM_COMMUNITY:
            buf_lit(b, "some");
            break;
        case TERM_ORG:
            buf_printf(b, "%c%c%u", code[0] + 32, code[1] + 32, t->org);
            break;
        case TERM_AGENCIES:
            buf_printf(b, "agency of %s", code);
            break;
        case TERM_OPERATORS:
            buf_printf(b, "operator of %s", code);
            break;
        }
    }
}

static void put_rule(struct buf *b, const struct random_rule *r)
{
    const char *before = " ";
    buf_lit(b, r->release ? "\nrelease" : "\ndeny");
    for (int i = STIX_TLP_CLEAR; i <= STIX_TLP_RED; i++)
        if (r->tlp >> i & 1) {
            buf_printf(b, "%stlp:%s", before, stix_tlp_name((enum stix_tlp)i));
            before = ", ";
        }
    before = " types ";
    for (unsigned i = 0; i < TYPE_COUNT; i++)
        if (r->types >> i & 1) {
            buf_printf(b, "%s%s", before, i == TYPE_OBSERVABLES ? "observables" : types[i]);
            before = ", ";
        }
    before = " label ";
    for (unsigned i = 0; i < LABEL_COUNT; i++)
        if (r->labels >> i & 1) {
            buf_printf(b, "%s\"l%u\"", before, i);
            before = ", ";
        }
    buf_lit(b, " to");
    put_terms(b, r->who, r->who_count);
    if (r->except_count)
        buf_lit(b, " except");
    put_terms(b, r->except, r->except_count);
}

static void put_policy(struct buf *b, const struct random_policy *rp)
{
    for (unsigned i = 0; i < NATION_COUNT; i++) {
        if (!rp->named[i])
            continue;
        buf_printf(b, "nation %s \"N\" {", codes[i]);
        for (unsigned k = 0; k < ORG_COUNT; k++)
            if (rp->orgs[i][k])
                buf_printf(b, " %s %c%c%u", rp->orgs[i][k] == ORG_AGENCY ? "agency" : "operator",
                           codes[i][0] + 32, codes[i][1] + 32, k);
        buf_lit(b, " }\n");
    }
    const char *before = "community some { ";
    for (unsigned i = 0; i < NATION_COUNT; i++)
        if (rp->community >> i & 1) {
            buf_printf(b, "%s%s", before, codes[i]);
            before = ", ";
        }
    if (rp->community)
        buf_lit(b, " }");
    for (unsigned i = 0; i < rp->rule_count; i++)
        put_rule(b, &rp->rules[i]);
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

static struct place known_place(void)
{
    return (struct place){below(NATION_COUNT + 1), below(OTHER + 1)};
}

static struct random_facts random_facts(void)
{
    return (struct random_facts){.type = below(TYPE_OBSERVABLES),
                                 .labels = below(1 << LABEL_COUNT),
                                 .tlp = (enum stix_tlp)below(STIX_TLP_COUNT),
                                 .source = known_place(),
                                 .home = below(NATION_COUNT + 1),
                                 .granular = below(8) == 0};
}

static void check_facts(const struct policy *p, const struct random_policy *rp, const char *text)
{
    static const struct str label_names[LABEL_COUNT] = {{"l0", 2}, {"l1", 2}, {"l2", 2}};
    struct json labels = {.type = JSON_ARRAY}, items[LABEL_COUNT];
    struct random_facts rf = random_facts();
    struct policy_facts f = {.type = str_of(types[rf.type]),
                             .tlp = rf.tlp,
                             .labels = &labels,
                             .source = party_at(rf.source),
                             .home = str_of(codes[rf.home]),
                             .granular = rf.granular};
    struct place also_at = known_place();
    struct policy_party also = party_at(also_at);
    bool with_also = below(2);
    struct seen now = {0};
    struct err e = {0};
    struct buf b;
    for (unsigned i = 0; i < LABEL_COUNT; i++)
        if (rf.labels >> i & 1) {
            items[i] =
                (struct json){.type = JSON_STRING, .u.s = label_names[i], .next = labels.u.child};
            labels.u.child = &items[i];
        }
    buf_init(&b, 0);
    CHECK(policy_audience(p, &f, with_also ? &also : NULL, &b, &e));
    struct str audience = buf_view(&b);
    for (unsigned i = 0; i < PLACES; i++) {
        struct place at = place_of(i);
        struct policy_party who = party_at(at);
        bool is_also = with_also && at.nation == also_at.nation && at.org == also_at.org;
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

/* A rule whose exceptions leave nobody is refused, and no other. */
static bool names_nobody(const struct random_policy *rp)
{
    for (unsigned i = 0; i < rp->rule_count; i++) {
        bool somebody = false;
        for (unsigned k = 0; k < PLACES; k++)
            somebody = somebody || rule_has(rp, &rp->rules[i], place_of(k));
        if (!somebody)
            return true;
    }
    return false;
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
        for (unsigned k = 0; ok && k < 4; k++)
            check_facts(p, &rp, b.p);
        policy_free(p);
        buf_done(&b);
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
    const char *seed = getenv("SETU_TEST_SEED");
    if (!seed || !str_to_u64(str_of(seed), &random_state))
        base_random(&random_state, sizeof random_state);
    random_state |= 1; /* xorshift stays at 0 for ever */
    fprintf(stderr, "SETU_TEST_SEED=%llu\n", (unsigned long long)random_state);
    test_texts();
    test_bad_submitter();
    test_has();
    test_wide();
    test_random(3000);
    TEST_END();
}
