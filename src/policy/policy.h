/*
 * The release language (docs/POLICY.md): reads policy.conf, decides about arrivals and releases, says
 * which rule decided. A parsed policy is read-only and may be shared between threads. It knows
 * nothing of storage: facts go in, a verdict comes out. Default is deny; every doubt is a deny.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/base.h"
#include "stix/stix.h"

struct policy;

/* Parses the text of a policy. `name` stands in messages (policy.conf). ERR_SYNTAX names line,
 * column, what was read and what was expected; e->at is the offset. */
bool policy_parse(struct str text, const char *name, struct policy **out, struct err *e)
    BASE_CHECKED;
void policy_free(struct policy *p);

/* An organisation of a nation, by the names that policy.conf and `setu user add` use (lower case
 * organisations, upper-case ISO 3166 nation codes). */
struct policy_party {
    struct str nation, org;
};

/* What rules may ask of an object. */
struct policy_facts {
    struct str type;
    enum stix_tlp tlp;          /* effective: the collection's default where the object has none */
    const struct json *labels;  /* array of strings or NULL */
    struct policy_party source; /* who submitted it */
    bool granular;              /* has granular markings */
};

/* The rule that decided; line 0 when none matched (the default). `text` is the rule as written,
 * or a sentence for a floor or a default. Borrowed from the policy. */
struct policy_rule_ref {
    unsigned line;
    struct str text;
};

enum policy_release { POLICY_DENY, POLICY_RELEASE };
enum policy_arrival { POLICY_REFUSE, POLICY_ACCEPT, POLICY_QUARANTINE, POLICY_NO_RULE };

/* May `to` see such an object? The one decision of the gate. */
enum policy_release policy_release_to(const struct policy *p, const struct policy_facts *f,
                                      const struct policy_party *to, struct policy_rule_ref *rule);
/* May such an object come in? POLICY_NO_RULE when the policy holds no arrival rule at all. */
enum policy_arrival policy_arrival_from(const struct policy *p, const struct policy_facts *f,
                                        struct str home_nation, struct policy_rule_ref *rule);

/*
 * An audience: a set of organisations, also of those a policy does not name, in one canonical line.
 * Parts separated by blanks, sorted, each +X or -X with X one of `*` (everyone), `NATION`, or
 * `NATION/org`; the most specific part decides, nobody is the empty text. Only what differs from
 * the less specific part is written, so one set has one text.
 */
/* Appends the audience of such an object; `also` (the submitter), when not NULL, is added. */
bool policy_audience(const struct policy *p, const struct policy_facts *f,
                     const struct policy_party *also, struct buf *out, struct err *e) BASE_CHECKED;
bool policy_audience_has(struct str audience, const struct policy_party *who);

/* For messages and the demo's story: calls `each` for every organisation that the policy names. */
typedef void policy_party_fn(void *ctx, const struct policy_party *party, bool operator_);
void policy_each_party(const struct policy *p, policy_party_fn *each, void *ctx);

#endif
