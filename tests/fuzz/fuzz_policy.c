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

static void check_policy(const struct policy *p, const struct policy_facts *f)
{
    static const struct policy_party others[] = {
        {{"IN", 2}, {"zz", 2}}, {{"JP", 2}, {"nisc", 4}}, {{"ZZ", 2}, {"zz", 2}}};
    struct policy_rule_ref rule;
    struct err e;
    struct buf b;
    buf_init(&b, 0);
    must(policy_audience(p, f, NULL, &b, &e));
    struct check c = {p, f, buf_view(&b)};
    policy_each_party(p, check_party, &c);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        check_party(&c, &others[i], false);
    policy_arrival_from(p, f, STR("IN"), &rule);
    must(rule.text.n > 0);
    buf_done(&b);
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
    struct policy_check_options o = {
        .name = "policy.conf", .warn = count_warning, .ctx = &warnings};
    if (!policy_check(text, &o, &p, &e)) {
        must(e.code != ERR_NONE && e.msg[0] && e.at <= n);
        return 0;
    }
    for (int tlp = STIX_TLP_NONE; tlp <= STIX_TLP_RED; tlp++) {
        struct policy_facts f = {.type = tlp % 2 ? STR("indicator") : STR("url"),
                                 .tlp = (enum stix_tlp)tlp,
                                 .labels = tlp % 3 ? &array : NULL,
                                 .source = {tlp % 2 ? STR("IN") : STR("JP"), STR("a")},
                                 .home = STR("IN")};
        check_policy(p, &f);
    }
    policy_free(p);
    return 0;
}
