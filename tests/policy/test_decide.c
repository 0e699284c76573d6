/*
 * Outcomes row by row, and the property that holds the gate together: for random policies, facts
 * and parties, policy_decide's groups, policy_answer_for and the naive reading of world.h say the
 * same; groups are disjoint; a memo never changes an answer. Then a property for each floor.
 */
#include "world.h"

#define NATIONS                                                                                    \
    "nation IN \"India\" { agency cert-in, nciipc  operator airtel }\n"                            \
    "nation JP \"Japan\" { agency nisc, jpcert     operator docomo }\n"                            \
    "nation AU \"Australia\" { agency acsc }\n"                                                    \
    "agreement moc \"M\" from 2026-01-02 until 2026-01-05\n" /* the rules begin on line 5 */

static struct policy_party party(const char *text) /* "IN/cert-in" */
{
    struct str org = str_of(text), nation = str_cut(&org, '/');
    return (struct policy_party){nation, org.p ? org : STR_NONE};
}

static struct policy *parsed(struct str text)
{
    struct policy *p = NULL;
    struct err e = {0};
    bool ok = policy_parse(text, "policy.conf", &p, &e);
    CHECK_ROW(ok, "%.*s: %s", STR_FMT(text), e.msg);
    return ok ? p : NULL;
}

/* ---- rows ---- */

/* A group as VERDICT AUDIENCE and, where it has them, officers/hours, `by name`, [lines of steps],
 * drop:colours; groups in the order of their audiences' first parties. */
static void put_group(struct buf *b, const struct policy_group *g)
{
    buf_printf(b, "%s%s %.*s", b->n ? "; " : "", g->verdict == POLICY_HELD ? "hold" : "release",
               STR_FMT(g->audience));
    if (g->verdict == POLICY_HELD)
        buf_printf(b, " %u/%u%s", g->officers, g->within_hours, g->by_name ? " by name" : "");
    for (size_t i = 0; g->view && i < g->view->step_count; i++)
        buf_printf(b, "%s%u", i ? "," : " [", g->view->rules[i].line);
    if (g->view)
        buf_lit(b, g->view->step_count ? "]" : " []");
    for (int c = 0; g->view && c < STIX_TLP_COUNT; c++)
        if (g->view->drop_tlps >> c & 1)
            buf_printf(b, " drop:%s", stix_tlp_name((enum stix_tlp)c));
}

#define CLEAR  STIX_TLP_CLEAR
#define GREEN  STIX_TLP_GREEN
#define AMBER  STIX_TLP_AMBER
#define STRICT STIX_TLP_AMBER_STRICT
#define RED    STIX_TLP_RED
#define BIT(x) (1u << STIX_TLP_##x)

static const struct outcome_row {
    const char *rules;
    enum stix_tlp tlp;
    const char *source, *also;
    unsigned granular, day;
    bool subscriber;
    const char *text;
} outcome_rows[] = {
    {"", CLEAR, "IN/cert-in", NULL, 0, 1, false, "release +IN/cert-in"},
    {"", CLEAR, "/", NULL, 0, 1, false, ""},
    {"release to IN", CLEAR, "IN/cert-in", "FR/x", 0, 1, false, "release +FR/x +IN"},
    /* holds */
    {"hold to JP", CLEAR, "/", NULL, 0, 1, false, "hold +JP 1/720"},
    {"hold to JP for 2 officers within 3 days", CLEAR, "/", NULL, 0, 1, false, "hold +JP 2/72"},
    {"hold to JP for 1 officer within 3 hours", CLEAR, "/", NULL, 0, 1, false, "hold +JP 1/3"},
    {"hold to nisc release to JP", CLEAR, "/", NULL, 0, 1, false,
     "release +JP -JP/nisc; hold +JP/nisc 1/720"},
    {"deny to nisc hold to JP", CLEAR, "/", NULL, 0, 1, false, "hold +JP -JP/nisc 1/720"},
    {"hold to nisc hold to jpcert for 2 officers", CLEAR, "/", NULL, 0, 1, false,
     "hold +JP/jpcert 2/720; hold +JP/nisc 1/720"},
    {"hold to any", CLEAR, "IN/cert-in", NULL, 0, 1, false,
     "hold +* -IN/cert-in 1/720; release +IN/cert-in"},
    /* dates and agreements: day 1 is 2026-01-02 */
    {"release to JP from 2026-01-03", CLEAR, "/", NULL, 0, 1, false, ""},
    {"release to JP from 2026-01-03", CLEAR, "/", NULL, 0, 2, false, "release +JP"},
    {"release to JP until 2026-01-03", CLEAR, "/", NULL, 0, 2, false, "release +JP"},
    {"release to JP until 2026-01-03", CLEAR, "/", NULL, 0, 3, false, ""},
    {"release to JP until 2026-01-03", CLEAR, "/", NULL, 0, 0, false, ""},
    {"release to JP", CLEAR, "/", NULL, 0, 0, false, "release +JP"},
    {"deny to JP until 2026-01-03 release to JP", CLEAR, "/", NULL, 0, 0, false, ""},
    {"deny to JP until 2026-01-03 release to JP", CLEAR, "/", NULL, 0, 3, false, "release +JP"},
    {"release to JP under moc", CLEAR, "/", NULL, 0, 1, false, "release +JP"},
    {"release to JP under moc", CLEAR, "/", NULL, 0, 4, false, "release +JP"},
    {"release to JP under moc", CLEAR, "/", NULL, 0, 5, false, ""},
    {"release to JP under moc until 2026-01-03", CLEAR, "/", NULL, 0, 3, false, ""},
    {"release to JP under moc until 2026-02-03", CLEAR, "/", NULL, 0, 5, false, ""},
    /* redactions */
    {"release to JP redact drop $.x to any", CLEAR, "/", NULL, 0, 1, false, "release +JP [5]"},
    {"release to IN, JP redact drop $.x to any except IN", CLEAR, "/", NULL, 0, 1, false,
     "release +IN; release +JP [5]"},
    {"release to IN redact drop $.x to IN", CLEAR, "IN/cert-in", "IN/x", 0, 1, false,
     "release +IN -IN/cert-in -IN/x [5]; release +IN/cert-in +IN/x"},
    {"release to JP\nredact drop $.x to nisc\nredact mask $.y to JP", CLEAR, "/", NULL, 0, 1, false,
     "release +JP -JP/nisc [7]; release +JP/nisc [6,7]"},
    {"release to JP redact drop $.x tlp:red to JP", CLEAR, "/", NULL, 0, 1, false,
     "release +JP []"},
    {"release to JP redact drop $.x to JP until 2026-01-03", CLEAR, "/", NULL, 0, 3, false,
     "release +JP"},
    {"release to JP redact drop $.x to JP until 2026-01-03", CLEAR, "/", NULL, 0, 0, false,
     "release +JP [5]"},
    {"hold to JP redact drop $.x to JP", CLEAR, "/", NULL, 0, 1, false, "hold +JP 1/720 [5]"},
    /* floors */
    {"release to any", RED, "IN/cert-in", NULL, 0, 1, false, "release +IN/cert-in"},
    {"hold to JP", RED, "IN/cert-in", NULL, 0, 1, false,
     "release +IN/cert-in; hold +JP 1/720 by name"},
    {"release to JP hold to JP", RED, "IN/cert-in", NULL, 0, 1, false,
     "release +IN/cert-in; hold +JP 1/720 by name"},
    {"deny to JP hold to JP", RED, "IN/cert-in", NULL, 0, 1, false, "release +IN/cert-in"},
    {"hold to JP, AU", RED, "JP/nisc", NULL, 0, 1, false,
     "hold +JP -JP/nisc 1/720 by name; release +JP/nisc"},
    {"hold to any release to any", STRICT, "IN/cert-in", NULL, 0, 1, false, "release +IN/cert-in"},
    {"release to any", AMBER, "JP/nisc", NULL, 0, 1, false, "release +IN +JP"},
    {"hold to any", AMBER, "JP/nisc", NULL, 0, 1, false,
     "hold +IN +JP -JP/nisc 1/720; release +JP/nisc"},
    {"release to any", CLEAR, "JP/nisc", NULL, 0, 1, true, "release +IN +JP/nisc"},
    {"hold to any", CLEAR, "IN/cert-in", "JP/nisc", 0, 1, true,
     "hold +IN -IN/cert-in 1/720; release +IN/cert-in +JP/nisc"},
    /* granular markings */
    {"release to any", CLEAR, "IN/cert-in", NULL, BIT(RED), 1, false,
     "release +* -IN/cert-in [] drop:red; release +IN/cert-in"},
    {"release tlp:clear to JP, AU release tlp:green to JP", CLEAR, "/", NULL, BIT(GREEN), 1, false,
     "release +AU [] drop:green; release +JP"},
    {"release tlp:green to JP", GREEN, "/", NULL, BIT(CLEAR), 1, false,
     "release +JP [] drop:clear"},
    {"release to any", GREEN, "JP/nisc", NULL, BIT(AMBER), 1, false,
     "release +* -IN -JP [] drop:amber; release +IN +JP"},
    {"release tlp:clear to JP hold tlp:amber to JP", CLEAR, "/", NULL,
     BIT(AMBER) | BIT(AMBER_STRICT), 1, false, "release +JP [] drop:amber drop:amber+strict"},
    {"hold tlp:clear to JP release tlp:amber to JP", CLEAR, "IN/x", NULL, BIT(AMBER), 1, false,
     "release +IN/x; hold +JP 1/720"},
    {"release to JP redact drop $.x to JP", CLEAR, "/", NULL, BIT(RED), 1, false,
     "release +JP [5] drop:red"},
};

static void test_outcomes(void)
{
    struct buf b;
    buf_init(&b, 0);
    for (size_t i = 0; i < sizeof(outcome_rows) / sizeof(outcome_rows[0]); i++) {
        const struct outcome_row *r = &outcome_rows[i];
        struct policy_facts f = {.type = STR("indicator"),
                                 .tlp = r->tlp,
                                 .source = party(r->source),
                                 .home = STR("IN"),
                                 .granular_tlps = r->granular,
                                 .subscriber = r->subscriber,
                                 .now_us = r->day ? FIRST_US + r->day * DAY_US : 0};
        struct policy_party also = party(r->also ? r->also : "");
        struct policy_memo *m = policy_memo_new();
        const struct policy_outcome *o;
        struct err e = {0};
        buf_clear(&b);
        buf_lit(&b, NATIONS);
        buf_lit(&b, r->rules);
        struct policy *p = parsed(buf_view(&b));
        buf_clear(&b);
        if (p && policy_decide(p, m, &f, r->also ? &also : NULL, &o, &e))
            for (size_t k = 0; k < o->count; k++)
                put_group(&b, &o->groups[k]);
        CHECK_ROW(str_eq(buf_view(&b), str_of(r->text)), "row %zu: %s: not \"%s\" but \"%.*s\" %s",
                  i, r->rules, r->text, STR_FMT(buf_view(&b)), e.msg);
        policy_memo_free(m);
        policy_free(p);
    }
    buf_done(&b);
}

/* ---- the property ---- */

/* What the redact rules of a mask say, which names a profile. */
static struct str owns_of(struct random_policy *rp, unsigned mask, struct buf *b)
{
    buf_clear(b);
    for (unsigned i = 0; i < rp->rule_count; i++)
        if (mask >> i & 1) {
            put_own(b, &rp->rules[i]);
            buf_byte(b, '\n');
        }
    return buf_view(b);
}

static bool view_is(const struct random_policy *rp, const struct policy_view *v,
                    const struct naive *n)
{
    size_t count = 0;
    bool references = false;
    if (!v)
        return !n->redacts && !n->drop;
    for (unsigned i = 0; i < rp->rule_count; i++) {
        if (!(n->steps >> i & 1))
            continue;
        if (count == v->step_count || v->rules[count++].line != rp->rules[i].line)
            return false;
        references = references || rp->rules[i].transform == DROP_REFERENCES;
    }
    return count == v->step_count && v->drop_tlps == n->drop && v->drop_references == references &&
           (n->redacts || n->drop);
}

/* Two recipients have one profile exactly when they are under the same rules and lose the same. */
static bool profiles_agree(struct random_policy *rp, const struct naive *a,
                           const struct policy_view *va, const struct naive *b,
                           const struct policy_view *vb)
{
    struct buf x, y;
    if (!va || !vb)
        return true;
    buf_init(&x, 0);
    buf_init(&y, 0);
    bool same =
        str_eq(owns_of(rp, a->redacts, &x), owns_of(rp, b->redacts, &y)) && a->drop == b->drop;
    buf_done(&x);
    buf_done(&y);
    return same == (memcmp(va->profile, vb->profile, sizeof va->profile) == 0);
}

/* The one group that has the party, or NULL; *disjoint: no two have it. */
static const struct policy_group *group_of(const struct policy_outcome *o,
                                           const struct policy_party *who, bool *disjoint)
{
    const struct policy_group *g = NULL;
    for (size_t i = 0; i < o->count; i++) {
        if (!policy_audience_has(o->groups[i].audience, who))
            continue;
        *disjoint = *disjoint && !g;
        g = &o->groups[i];
    }
    return g;
}

static bool group_is(const struct random_policy *rp, const struct policy_group *g,
                     const struct naive *n)
{
    if (!g)
        return n->verdict == POLICY_DENIED;
    return g->verdict == n->verdict && g->officers == n->officers && g->within_hours == n->hours &&
           g->by_name == n->by_name && view_is(rp, g->view, n);
}

static bool same_outcome(const struct policy_outcome *a, const struct policy_outcome *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        const struct policy_group *x = &a->groups[i], *y = &b->groups[i];
        same = x->verdict == y->verdict && str_eq(x->audience, y->audience) &&
               str_eq(x->rule.text, y->rule.text) && x->rule.line == y->rule.line &&
               str_eq(x->lines_text, y->lines_text) && x->officers == y->officers &&
               x->within_hours == y->within_hours && x->by_name == y->by_name &&
               !x->view == !y->view &&
               (!x->view || (memcmp(x->view->profile, y->view->profile, 16) == 0 &&
                             x->view->step_count == y->view->step_count &&
                             (x->view->step_count == 0 ||
                              memcmp(x->view->steps, y->view->steps,
                                     x->view->step_count * sizeof *x->view->steps) == 0)));
    }
    return same;
}

/* The outcomes of one memo that a policy has had. */
enum { KEPT_MOST = 32 };
static const struct policy_outcome *kept[KEPT_MOST];
static size_t kept_count;

static void check_serials(const struct policy_outcome *o)
{
    bool good = true;
    for (size_t i = 0; i < kept_count; i++)
        good = good && (kept[i]->serial == o->serial) == same_outcome(kept[i], o);
    CHECK_ROW(good, "serial %llu", (unsigned long long)o->serial);
    if (kept_count < KEPT_MOST)
        kept[kept_count++] = o;
}

struct trial {
    struct random_policy *rp;
    struct random_facts rf;
    const struct policy *p;
    struct policy_memo *m;
    const char *text;
};

static void check_places(struct trial *t, const struct policy_facts *f, const struct place *also_at,
                         const struct policy_outcome *o)
{
    struct policy_party also = party_at(also_at ? *also_at : t->rf.source);
    struct naive first = {0};
    const struct policy_view *first_view = NULL;
    for (unsigned i = 0; i < PLACES; i++) {
        struct place at = place_of(i);
        struct policy_party who = party_at(at);
        struct policy_asked q = {.facts = f, .also = also_at ? &also : NULL, .to = &who};
        struct naive n = naive_answer(t->rp, &t->rf, also_at, at);
        struct policy_answer a = {0};
        struct err e = {0};
        bool disjoint = true, answered = policy_answer_for(t->p, t->m, &q, &a, &e);
        const struct policy_group *g = group_of(o, &who, &disjoint);
        bool good = answered && disjoint && group_is(t->rp, g, &n) && a.verdict == n.verdict &&
                    a.group == g && a.rule.line == n.line && a.rule.text.n > 0 &&
                    profiles_agree(t->rp, &first, first_view, &n, g ? g->view : NULL);
        if (!good)
            CHECK_ROW(
                false,
                "to %.*s/%.*s: naive %d line %u drop %x redacts %x steps %x; group %d, answer "
                "%d line %u, disjoint %d; %s from %.*s/%.*s, home %s, day %u, granular %x\n%s",
                STR_FMT(who.nation), STR_FMT(who.org), n.verdict, n.line, n.drop, n.redacts,
                n.steps, g ? (int)g->verdict : 0, a.verdict, a.rule.line, disjoint,
                stix_tlp_name(t->rf.tlp), STR_FMT(f->source.nation), STR_FMT(f->source.org),
                codes[t->rf.home], t->rf.now, t->rf.granular_tlps, t->text);
        if (!first_view && g && g->view) {
            first_view = g->view;
            first = n;
        }
    }
    test_passed++;
}

static void check_trial(struct trial *t)
{
    struct facts_room room;
    struct policy_facts f = facts_in(&room, &t->rf);
    struct place also_at = known_place();
    struct policy_party also = party_at(also_at);
    const struct place *with = below(2) ? &also_at : NULL;
    struct policy_memo *fresh = policy_memo_new();
    const struct policy_outcome *o, *again, *alone;
    struct err e = {0};
    bool ok = policy_decide(t->p, t->m, &f, with ? &also : NULL, &o, &e) &&
              policy_decide(t->p, t->m, &f, with ? &also : NULL, &again, &e) &&
              policy_decide(t->p, fresh, &f, with ? &also : NULL, &alone, &e);
    CHECK_ROW(ok && o == again && same_outcome(o, alone), "%s", e.msg);
    if (ok) {
        check_serials(o);
        check_places(t, &f, with, o);
    }
    policy_memo_free(fresh);
}

static void test_random(unsigned policies)
{
    unsigned failed = test_failed; /* the first random failure ends the run */
    struct policy_memo *m = policy_memo_new();
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
        kept_count = 0;
        for (unsigned k = 0; ok && k < 4 && test_failed == failed; k++) {
            struct trial t = {&rp, random_facts(), p, m, b.p};
            check_trial(&t);
        }
        policy_free(p);
        buf_done(&b);
    }
    size_t before = policy_memo_bytes(m);
    policy_memo_reset(m);
    CHECK(policy_memo_bytes(m) < before);
    policy_memo_free(m);
}

/* ---- floors: whatever the rules say ---- */

/* Who may not have such an object, by the floor's own words. */
typedef bool floor_fn(const struct random_facts *rf, struct place at, const struct policy_group *g);

static bool red(const struct random_facts *rf, struct place at, const struct policy_group *g)
{
    (void)at;
    return rf->tlp == RED && !(g->verdict == POLICY_HELD && g->by_name);
}

static bool strict(const struct random_facts *rf, struct place at, const struct policy_group *g)
{
    (void)at, (void)g;
    return rf->tlp == STRICT;
}

static bool third(const struct random_facts *rf, struct place at, const struct policy_group *g)
{
    (void)g;
    return rf->tlp != CLEAR && rf->tlp != GREEN && rf->source.nation != rf->home &&
           at.nation != rf->home && at.nation != rf->source.nation;
}

static bool subscriber(const struct random_facts *rf, struct place at, const struct policy_group *g)
{
    (void)g;
    return rf->subscriber && at.nation != rf->home;
}

/* Red and amber+strict parts go to nobody but the submitter, amber parts to no third nation. */
static bool granular(const struct random_facts *rf, struct place at, const struct policy_group *g)
{
    unsigned must_go = rf->granular_tlps & (BIT(RED) | BIT(AMBER_STRICT));
    bool abroad =
        rf->source.nation != rf->home && at.nation != rf->home && at.nation != rf->source.nation;
    if (abroad)
        must_go |= rf->granular_tlps & BIT(AMBER);
    return must_go & ~(g->view ? g->view->drop_tlps : 0);
}

static void check_floor(const char *name, floor_fn *breaks, enum stix_tlp tlp, unsigned rounds)
{
    struct policy_memo *m = policy_memo_new();
    unsigned groups = 0;
    for (unsigned i = 0; i < rounds; i++) {
        struct random_policy rp = random_policy();
        struct random_facts rf = random_facts();
        struct facts_room room;
        struct policy *p = NULL;
        const struct policy_outcome *o;
        struct err e = {0};
        struct buf b;
        if (tlp != STIX_TLP_NONE)
            rf.tlp = tlp;
        rf.subscriber = rf.subscriber || breaks == subscriber;
        struct policy_facts f = facts_in(&room, &rf);
        buf_init(&b, 0);
        put_policy(&b, &rp);
        buf_lit(&b, "\nrelease to any except ");
        buf_lit(&b, codes[rp.named[0] ? 0 : below(NATION_COUNT)]);
        bool good = true;
        if (policy_parse(buf_view(&b), "p", &p, &e) && policy_decide(p, m, &f, NULL, &o, &e))
            for (unsigned k = 0; k < PLACES; k++) {
                struct place at = place_of(k);
                struct policy_party who = party_at(at);
                bool disjoint = true;
                const struct policy_group *g = group_of(o, &who, &disjoint);
                groups += g != NULL;
                if (g && !same_place(at, rf.source) && breaks(&rf, at, g))
                    good = false;
            }
        CHECK_ROW(good, "%s: %.*s", name, STR_FMT(buf_view(&b)));
        policy_free(p);
        buf_done(&b);
    }
    CHECK_ROW(groups > 0, "%s", name);
    policy_memo_free(m);
}

/* ---- the rest ---- */

static void test_memo(void)
{
    struct policy_facts f = {.type = STR("tool"), .tlp = CLEAR, .home = STR("IN")};
    struct policy_memo *m = policy_memo_new();
    struct policy *a = parsed(STR("release to any")), *b = parsed(STR("deny to any"));
    struct policy_party bad = party("in/a");
    const struct policy_outcome *o, *none;
    struct err e = {0};
    CHECK(policy_decide(a, m, &f, NULL, &o, &e) && o->count == 1);
    CHECK(policy_decide(b, m, &f, NULL, &none, &e) && none->count == 0);
    CHECK(o->serial != none->serial);
    CHECK(!policy_decide(a, m, &f, &bad, &o, &e) && e.code == ERR_INVALID);
    policy_memo_reset(m);
    CHECK(policy_decide(a, m, &f, NULL, &o, &e) && o->count == 1);
    struct policy_asked q = {.facts = &f, .to = &bad};
    struct policy_answer answer;
    CHECK(policy_answer_for(a, m, &q, &answer, &e) && answer.verdict == POLICY_DENIED);
    CHECK(!answer.group && answer.rule.text.n > 0);
    policy_memo_free(m);
    policy_memo_free(NULL);
    policy_free(a);
    policy_free(b);
}

/* Each input alone changes what a memo answers: facts that differ in one of them, one after the
 * other, are answered as by a memo that knows nothing. */
static void test_memo_inputs(void)
{
    struct policy_facts base = {.type = STR("tool"),
                                .tlp = CLEAR,
                                .source = party("JP/nisc"),
                                .home = STR("IN"),
                                .now_us = FIRST_US + DAY_US};
    struct policy_facts facts[8];
    struct policy_party also = party("FR/x");
    struct policy_memo *m = policy_memo_new();
    struct policy *p = parsed(STR("nation JP \"J\" { agency nisc }\n"
                                  "deny to JP from 2026-01-03 release to any"));
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        facts[i] = base;
    facts[1].tlp = AMBER;
    facts[2].source = party("FR/x");
    facts[3].home = STR("JP");
    facts[3].subscriber = facts[4].subscriber = true;
    facts[5].now_us += 2 * DAY_US;
    facts[6].granular_tlps = BIT(AMBER);
    facts[7].granular_tlps = BIT(RED);
    for (size_t i = 0; p && i < 2 * sizeof(facts) / sizeof(facts[0]); i++) {
        const struct policy_party *with = i % 2 ? &also : NULL;
        struct policy_memo *fresh = policy_memo_new();
        const struct policy_outcome *o, *alone;
        struct err e = {0};
        CHECK_ROW(policy_decide(p, m, &facts[i / 2], with, &o, &e) &&
                      policy_decide(p, fresh, &facts[i / 2], with, &alone, &e) &&
                      same_outcome(o, alone),
                  "%zu", i);
        policy_memo_free(fresh);
    }
    policy_memo_free(m);
    policy_free(p);
}

static bool count_asked(void *ctx, struct str type)
{
    (void)type;
    ++*(unsigned *)ctx;
    return true;
}

/* Who refers to an object is asked only where a rule could hold, and once for each rule's types. */
static void test_referenced_lazy(void)
{
    unsigned asked = 0;
    struct policy *p = parsed(STR("nation JP \"J\" { }\n"
                                  "deny types url where referenced by incident to JP\n"
                                  "deny types file where referenced by incident to JP\n"
                                  "release to JP"));
    struct policy_memo *m = policy_memo_new();
    struct policy_facts f = {.type = STR("tool"),
                             .tlp = CLEAR,
                             .home = STR("IN"),
                             .referenced = count_asked,
                             .referenced_ctx = &asked};
    const struct policy_outcome *o;
    struct err e = {0};
    CHECK(policy_asks(p) == POLICY_ASKS_REFERENCED);
    CHECK(policy_decide(p, m, &f, NULL, &o, &e) && o->count == 1 && asked == 0);
    f.type = STR("url");
    CHECK(policy_decide(p, m, &f, NULL, &o, &e) && o->count == 0 && asked == 1);
    policy_memo_free(m);
    policy_free(p);
    /* a colour that only a part has */
    p = parsed(STR("nation JP \"J\" { }\n"
                   "deny tlp:amber where referenced by incident to JP release to JP"));
    m = policy_memo_new();
    f.granular_tlps = BIT(AMBER);
    f.source = party("IN/x");
    CHECK(policy_decide(p, m, &f, NULL, &o, &e) && o->count == 2 && o->groups[1].view &&
          o->groups[1].view->drop_tlps == BIT(AMBER));
    policy_memo_free(m);
    policy_free(p);
}

/* What is not known is nobody: no home, no creator, no source. */
static void test_unknown(void)
{
    static const char *const rules[] = {"release creator any to any", "release source any to any",
                                        "hold creator any to any"};
    struct policy_facts f = {.type = STR("tool"), .tlp = CLEAR, .subscriber = true};
    struct policy_memo *m = policy_memo_new();
    struct policy *p = parsed(STR("release to any"));
    const struct policy_outcome *o;
    struct err e = {0};
    CHECK(policy_decide(p, m, &f, NULL, &o, &e) && o->count == 0);
    policy_free(p);
    f.subscriber = false;
    f.home = STR("IN");
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        p = parsed(str_of(rules[i]));
        CHECK_ROW(policy_decide(p, m, &f, NULL, &o, &e) && o->count == 0, "%s", rules[i]);
        policy_free(p);
    }
    policy_memo_free(m);
}

/* The k-th allocation fails, for every k until all succeed. */
static void test_memory(void)
{
    static const struct str text = {
        "nation JP \"J\" { agency nisc }\n"
        "release label \"a\" where x = 1 to JP\nredact drop $.x to nisc",
        sizeof "nation JP \"J\" { agency nisc }\n"
               "release label \"a\" where x = 1 to JP\nredact drop $.x to nisc" -
            1};
    struct policy_facts f = {.type = STR("tool"), .tlp = CLEAR, .home = STR("IN")};
    bool done = false;
    for (long k = 1; !done && k < 1000; k++) {
        struct policy *p = NULL;
        struct policy_memo *m = NULL;
        const struct policy_outcome *o;
        struct err e = {0};
        base_fail_allocation(k, false);
        bool ok = policy_parse(text, "p", &p, &e) && (m = policy_memo_new()) != NULL &&
                  policy_decide(p, m, &f, NULL, &o, &e);
        done = !base_fail_allocation(0, false);
        CHECK_ROW(ok || !m || e.code == ERR_MEMORY, "%ld: %s", k, e.msg);
        CHECK_ROW(!done || ok, "%ld: %s", k, e.msg);
        policy_memo_free(m);
        policy_free(p);
    }
    CHECK(done);
}

int main(void)
{
    seed_world();
    test_outcomes();
    test_memo();
    test_memo_inputs();
    test_referenced_lazy();
    test_unknown();
    test_memory();
    test_random(2000);
    check_floor("TLP:RED", red, RED, 300);
    check_floor("TLP:AMBER+STRICT", strict, STRICT, 300);
    check_floor("third nation, amber", third, AMBER, 300);
    check_floor("third nation, unmarked", third, STIX_TLP_NONE, 300);
    check_floor("subscriber identifiers", subscriber, STIX_TLP_NONE, 300);
    check_floor("granular markings", granular, CLEAR, 300);
    TEST_END();
}
