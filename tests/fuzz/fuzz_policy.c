/* A policy text: parsing must end, and where it succeeds the audience and the gate must agree for
 * every party the policy names and some that it does not. The same bytes are read as an audience.
 */
#include "base/base.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

struct check {
    const struct policy *p;
    const struct policy_facts *f;
    struct str audience;
};

static void check_party(void *ctx, const struct policy_party *party, bool operator_)
{
    const struct check *c = ctx;
    struct policy_rule_ref rule;
    bool gate = policy_release_to(c->p, c->f, party, &rule) == POLICY_RELEASE;
    (void)operator_;
    must(rule.text.n > 0);
    must(gate == policy_audience_has(c->audience, party));
}

static void count_warning(void *ctx, unsigned line, struct str message)
{
    unsigned *count = ctx;
    *count += line > 0 && message.n > 0;
}

struct decided {
    const struct policy *p;
    struct policy_memo *m;
    const struct policy_facts *f;
    const struct policy_outcome *o;
};

/* The party is in one group at most, and the answer for it is that group's. */
static void check_group(void *ctx, const struct policy_party *party, bool operator_)
{
    const struct decided *d = ctx;
    struct policy_asked q = {.facts = d->f, .to = party};
    const struct policy_group *g = NULL;
    struct policy_answer a;
    struct err e;
    (void)operator_;
    for (size_t i = 0; i < d->o->count; i++)
        if (policy_audience_has(d->o->groups[i].audience, party)) {
            must(!g);
            g = &d->o->groups[i];
        }
    must(policy_answer_for(d->p, d->m, &q, &a, &e));
    must(a.group == g && a.rule.text.n > 0);
}

static void check_policy(const struct policy *p, struct policy_memo *m,
                         const struct policy_facts *f)
{
    static const struct policy_party others[] = {
        {{"IN", 2}, {"zz", 2}}, {{"JP", 2}, {"nisc", 4}}, {{"ZZ", 2}, {"zz", 2}}};
    struct policy_arrival_answer arrival;
    struct decided d = {p, m, f, NULL};
    struct err e;
    struct buf b;
    buf_init(&b, 0);
    must(policy_audience(p, f, NULL, &b, &e));
    must(policy_decide(p, m, f, NULL, &d.o, &e));
    struct check c = {p, f, buf_view(&b)};
    policy_each_party(p, check_party, &c);
    policy_each_party(p, check_group, &d);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        check_party(&c, &others[i], false);
        check_group(&d, &others[i], false);
    }
    policy_arrive(p, f, &arrival);
    must(arrival.rule.text.n > 0);
    buf_done(&b);
}

/* Two lines as audiences: what comes out is canonical, and the same for both orders. */
static void check_sets(struct str text)
{
    struct str b = text, a = str_cut(&b, '\n');
    struct policy_party who = {STR("IN"), STR("a")};
    struct buf x, y;
    struct err e;
    buf_init(&x, 0);
    buf_init(&y, 0);
    if (policy_audience_combine(a, b, POLICY_EITHER, &x, &e)) {
        must(policy_audience_combine(b, a, POLICY_EITHER, &y, &e));
        must(str_eq(buf_view(&x), buf_view(&y)));
        must(policy_audience_has(buf_view(&x), &who) ==
             (policy_audience_has(a, &who) || policy_audience_has(b, &who)));
        buf_clear(&y);
        must(policy_audience_combine(buf_view(&x), buf_view(&x), POLICY_WITHOUT, &y, &e));
        must(policy_audience_empty(buf_view(&y)));
    }
    buf_done(&x);
    buf_done(&y);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static const char *const labels[] = {"a", "national-only"};
    struct str text = {(const char *)data, n};
    struct policy_party who = {STR("IN"), STR("a")};
    struct json items[2] = {{.type = JSON_STRING}, {.type = JSON_STRING}};
    struct json array = {.type = JSON_ARRAY, .count = 2, .u.child = items};
    struct policy *p;
    struct err e;
    unsigned warnings = 0;
    items[0].next = &items[1];
    for (int i = 0; i < 2; i++)
        items[i].u.s = str_of(labels[i]);
    policy_audience_has(text, &who);
    check_sets(text);
    struct policy_check_options o = {
        .name = "policy.conf", .now_us = 1, .warn = count_warning, .ctx = &warnings};
    if (!policy_check(text, &o, &p, &e)) {
        must(e.code != ERR_NONE && e.msg[0] && e.at <= n);
        return 0;
    }
    struct policy_memo *m = policy_memo_new();
    for (int tlp = STIX_TLP_NONE; tlp <= STIX_TLP_RED; tlp++) {
        struct policy_facts f = {.type = tlp % 2 ? STR("indicator") : STR("url"),
                                 .tlp = (enum stix_tlp)tlp,
                                 .labels = tlp % 3 ? &array : NULL,
                                 .source = {tlp % 2 ? STR("IN") : STR("JP"), STR("a")},
                                 .home = STR("IN")};
        f.granular_tlps = tlp % 2 ? 1u << STIX_TLP_RED | 1u << STIX_TLP_GREEN : 0;
        f.object = &array; /* has no member */
        f.now_us = tlp * INT64_C(400000000000000);
        check_policy(p, m, &f);
    }
    policy_memo_free(m);
    policy_free(p);
    return 0;
}
