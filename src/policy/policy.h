/*
 * The release language (docs/POLICY.md): reads policy.conf, decides about arrivals and releases,
 * says which rule decided. A parsed policy is read-only and may be shared between threads. It knows
 * nothing of storage: facts go in, a verdict comes out. Default is deny; every doubt is a deny.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/base.h"
#include "stix/stix.h"

struct policy;

/* Parses the text of a policy. `name` stands in messages (policy.conf). ERR_SYNTAX names line,
 * column, what was read and what was expected; e->at is the offset. */
bool policy_parse(struct str text, const char *name, struct policy **out,
                  struct err *e) BASE_CHECKED;
void policy_free(struct policy *p);

/* The same, and `warn` hears of each rule that can never decide. A warning does not make parsing
 * fail. `message` is a sentence and valid only during the call. */
typedef void policy_warning_fn(void *ctx, unsigned line, struct str message);
bool policy_check(struct str text, const char *name, policy_warning_fn *warn, void *ctx,
                  struct policy **out, struct err *e) BASE_CHECKED;

/* The names that the language, parties and audiences know: a nation is two capital letters (ISO
 * 3166-1 alpha-2), an organisation 1 to LIMIT_NAME_BYTES of a-z, 0-9, `.`, `_` and `-`, beginning
 * with a letter or digit. Whoever makes users or reads a nation from a setting checks with these.
 */
bool policy_nation_valid(struct str nation);
bool policy_org_valid(struct str org);

/* Appends the policy that `setu init` writes: releases at home, nothing abroad, with comments that
 * teach. An empty nation_name stands for the code. ERR_INVALID on names that would not parse. */
bool policy_default_text(struct str nation, struct str nation_name, struct str org, struct buf *out,
                         struct err *e) BASE_CHECKED;

/* An organisation of a nation, by the names that policy.conf and `setu user add` use (lower case
 * organisations, upper-case ISO 3166 nation codes). */
struct policy_party {
    struct str nation, org;
};

/* What rules and floors may ask of an object. What is missing never opens anything: an empty
 * `home` or `source` is equal to no nation, STIX_TLP_NONE counts as amber. */
struct policy_facts {
    struct str type;
    enum stix_tlp tlp;          /* effective: the collection's default where the object has none */
    const struct json *labels;  /* array of strings or NULL */
    struct policy_party source; /* who submitted it */
    struct str home;            /* the nation of this node */
    bool granular;              /* has granular markings */
};

/* The rule that decided; line 0 when none did. `text` is then a sentence for the floor or the
 * default, else the rule as written, on one line. Borrowed from the policy. */
struct policy_rule_ref {
    unsigned line;
    struct str text;
};

enum policy_release { POLICY_DENY, POLICY_RELEASE };
enum policy_arrival { POLICY_REFUSE, POLICY_ACCEPT, POLICY_QUARANTINE, POLICY_NO_RULE };

/* May `to` see such an object? The one decision of the gate: first the floors that no rule lifts
 * (docs/POLICY.md), then the first matching rule, else no. `rule` may be NULL. */
enum policy_release policy_release_to(const struct policy *p, const struct policy_facts *f,
                                      const struct policy_party *to, struct policy_rule_ref *rule);
/* May such an object come in from its source? POLICY_NO_RULE when the policy holds no arrival rule
 * at all; with rules but no match, what comes from home is accepted and all else refused. */
enum policy_arrival policy_arrival_from(const struct policy *p, const struct policy_facts *f,
                                        struct str home_nation, struct policy_rule_ref *rule);

/*
 * An audience: a set of organisations, also of those a policy does not name, in one canonical line.
 * Parts separated by blanks, sorted, each +X or -X with X one of `*` (everyone), `NATION`, or
 * `NATION/org`; the most specific part decides, nobody is the empty text. Only what differs from
 * the less specific part is written, so one set has one text.
 */
/* Appends the audience of such an object: exactly those to whom policy_release_to says release, and
 * `also` (the submitter) when not NULL. ERR_INVALID when `also` has no valid names. */
bool policy_audience(const struct policy *p, const struct policy_facts *f,
                     const struct policy_party *also, struct buf *out, struct err *e) BASE_CHECKED;
/* False for a text that is not canonical and for a party without valid names. */
bool policy_audience_has(struct str audience, const struct policy_party *who);

/* For messages and the demo's story: calls `each` for every organisation that the policy names,
 * sorted by nation and name. */
typedef void policy_party_fn(void *ctx, const struct policy_party *party, bool operator_);
void policy_each_party(const struct policy *p, policy_party_fn *each, void *ctx);

#endif
