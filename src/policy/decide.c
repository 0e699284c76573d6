#include "policy/policy_priv.h"

/* ---- looking up ---- */

size_t policy_names_find(const struct names *names, struct str name)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = str_cmp(name, names->v[mid]);
        if (order == 0)
            return mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return SIZE_MAX;
}

bool policy_party_valid(const struct policy_party *party)
{
    return policy_nation_valid(party->nation) && policy_org_valid(party->org);
}

/* The slot that stands for a valid party. */
static size_t slot_of(const struct policy *p, const struct policy_party *party)
{
    size_t k = policy_names_find(&p->nation_codes, party->nation);
    if (k == SIZE_MAX)
        return 0;
    const struct nation *n = &p->nations[k];
    size_t i = policy_names_find(&(struct names){n->orgs, n->org_count}, party->org);
    return i == SIZE_MAX ? n->slot : n->slot + 1 + i;
}

static bool same_party(const struct policy_party *a, const struct policy_party *b)
{
    return str_eq(a->nation, b->nation) && str_eq(a->org, b->org);
}

/* ---- floors ---- */

/* An unmarked object whose collection has no default either is amber, never clear by silence. */
static enum stix_tlp effective(const struct policy_facts *f)
{
    return f->tlp == STIX_TLP_NONE ? STIX_TLP_AMBER : f->tlp;
}

bool policy_floor_withholds(const struct policy_facts *f, struct str *why)
{
    struct str text;
    if (f->tlp >= STIX_TLP_RED)
        /* FIRST TLP 2.0, TLP:RED: for the eyes and ears of individual recipients only. */
        text = STR("TLP:RED is for the eyes and ears of individual recipients only "
                   "(FIRST TLP 2.0): it stays with the organisation that submitted it");
    else if (f->tlp == STIX_TLP_AMBER_STRICT)
        /* FIRST TLP 2.0, TLP:AMBER: +STRICT restricts sharing to the organization only. */
        text = STR("TLP:AMBER+STRICT restricts sharing to the organization only "
                   "(FIRST TLP 2.0): it stays with the organisation that submitted it");
    else if (f->granular)
        /* STIX 2.1 §7.2.3: a granular marking covers single properties, which cannot be left out
         * yet. */
        text = STR("an object with granular markings (STIX 2.1 section 7.2.3) stays whole with the "
                   "organisation that submitted it");
    else
        return false;
    if (why)
        *why = text;
    return true;
}

bool policy_floor_third(const struct policy_facts *f, struct str nation)
{
    enum stix_tlp tlp = effective(f);
    if (tlp == STIX_TLP_CLEAR || tlp == STIX_TLP_GREEN)
        return false;
    if (policy_nation_valid(f->home) && str_eq(f->source.nation, f->home))
        return false;
    return !policy_nation_valid(nation) ||
           (!str_eq(nation, f->home) && !str_eq(nation, f->source.nation));
}

/* FIRST TLP 2.0, TLP:AMBER: recipients spread it within their organization and its clients. */
#define THIRD_TEXT                                                                                 \
    STR("TLP:AMBER goes no further than the recipients' organization and its clients (FIRST TLP "  \
        "2.0): what one nation shared goes to no third nation")

/* ---- rules ---- */

void policy_query(const struct policy *p, const struct policy_facts *f, struct query *q)
{
    must((unsigned)f->tlp < STIX_TLP_COUNT);
    *q = (struct query){.tlp = 1u << effective(f),
                        .type = policy_names_find(&p->types, f->type),
                        .observable = stix_class_of(f->type) == STIX_SCO};
    if (p->labels.count == 0 || !json_is(f->labels, JSON_ARRAY))
        return;
    for (const struct json *l = f->labels->u.child; l; l = l->next) {
        size_t i = json_is(l, JSON_STRING) ? policy_names_find(&p->labels, l->u.s) : SIZE_MAX;
        if (i != SIZE_MAX)
            set_add(q->labels, i);
    }
}

static bool test_holds(const struct policy *p, const struct test *t, const struct query *q)
{
    switch (t->kind) {
    case CONDITION_TLP:
        return (t->tlp & q->tlp) != 0;
    case CONDITION_TYPE:
        return (t->observables && q->observable) ||
               (q->type != SIZE_MAX && set_has(t->set, q->type));
    case CONDITION_LABEL:
        for (size_t w = 0; w < SET_WORDS(p->labels.count); w++)
            if (t->set[w] & q->labels[w])
                return true;
        return false;
    }
    return false;
}

bool policy_rule_matches(const struct policy *p, const struct rule *r, const struct query *q)
{
    for (size_t i = 0; i < r->test_count; i++)
        if (!test_holds(p, &r->tests[i], q))
            return false;
    return true;
}

/* The first rule that names the slot and whose conditions hold, or NULL. */
static const struct rule *first_match(const struct policy *p, const struct rule *rules,
                                      size_t count, size_t slot, const struct policy_facts *f)
{
    struct query q;
    policy_query(p, f, &q);
    for (size_t i = 0; i < count; i++)
        if (set_has(rules[i].who, slot) && policy_rule_matches(p, &rules[i], &q))
            return &rules[i];
    return NULL;
}

/* ---- decisions ---- */

static struct policy_rule_ref sentence(struct str text)
{
    return (struct policy_rule_ref){0, text};
}

enum policy_release policy_release_to(const struct policy *p, const struct policy_facts *f,
                                      const struct policy_party *to, struct policy_rule_ref *rule)
{
    struct policy_rule_ref unused;
    struct str why;
    if (!rule)
        rule = &unused;
    if (!policy_party_valid(to)) {
        *rule = sentence(STR("the recipient has no valid nation and organisation"));
        return POLICY_DENY;
    }
    if (same_party(to, &f->source)) {
        *rule = sentence(STR("an organisation always reads what it submitted itself"));
        return POLICY_RELEASE;
    }
    if (policy_floor_withholds(f, &why)) {
        *rule = sentence(why);
        return POLICY_DENY;
    }
    if (policy_floor_third(f, to->nation)) {
        *rule = sentence(THIRD_TEXT);
        return POLICY_DENY;
    }
    size_t slot = slot_of(p, to);
    const struct rule *r = first_match(p, p->releases, p->release_count, slot, f);
    *rule = r ? (struct policy_rule_ref){r->line, r->text} : sentence(p->defaults[slot]);
    return r && r->verb == WORD_RELEASE ? POLICY_RELEASE : POLICY_DENY;
}

enum policy_arrival policy_arrival_from(const struct policy *p, const struct policy_facts *f,
                                        struct str home_nation, struct policy_rule_ref *rule)
{
    struct policy_rule_ref unused;
    if (!rule)
        rule = &unused;
    if (p->arrival_count == 0) {
        *rule = sentence(STR("the policy holds no rule about arrivals"));
        return POLICY_NO_RULE;
    }
    if (!policy_party_valid(&f->source)) {
        *rule = sentence(STR("the source has no valid nation and organisation"));
        return POLICY_REFUSE;
    }
    const struct rule *r = first_match(p, p->arrivals, p->arrival_count, slot_of(p, &f->source), f);
    if (r) {
        *rule = (struct policy_rule_ref){r->line, r->text};
        return r->verb == WORD_ACCEPT ? POLICY_ACCEPT : POLICY_REFUSE;
    }
    bool home = str_eq(f->source.nation, home_nation);
    *rule = sentence(home ? STR("no arrival rule matches, and it comes from home")
                          : STR("no arrival rule accepts it, and it comes from elsewhere"));
    return home ? POLICY_ACCEPT : POLICY_REFUSE;
}
