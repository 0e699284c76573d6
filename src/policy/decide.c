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

size_t policy_slot_of(const struct policy *p, const struct policy_party *party)
{
    size_t k = policy_names_find(&p->nation_codes, party->nation);
    if (k == SIZE_MAX)
        return 0;
    const struct nation *n = &p->nations[k];
    size_t i = policy_names_find(&(struct names){n->orgs, n->org_count}, party->org);
    return i == SIZE_MAX ? n->slot : n->slot + 1 + i;
}

bool policy_same_party(const struct policy_party *a, const struct policy_party *b)
{
    return str_eq(a->nation, b->nation) && str_eq(a->org, b->org);
}

/* ---- tests ---- */

/* An unmarked object whose collection has no default either is amber, never clear by silence. */
enum stix_tlp policy_effective(enum stix_tlp tlp)
{
    must((unsigned)tlp < STIX_TLP_COUNT);
    return tlp == STIX_TLP_NONE ? STIX_TLP_AMBER : tlp;
}

/* What tests ask of an object, looked up once. */
struct query {
    const struct policy *p;
    const struct policy_facts *f;
    size_t type; /* index into the policy's types or SIZE_MAX */
    bool observable;
    size_t source, creator; /* slots, or SIZE_MAX for nobody */
    uint64_t labels[SET_WORDS_MOST];
};

static size_t slot_or_none(const struct policy *p, const struct policy_party *party)
{
    return policy_party_valid(party) ? policy_slot_of(p, party) : SIZE_MAX;
}

static void look_up(const struct policy *p, const struct policy_facts *f, struct query *q)
{
    q->p = p;
    q->f = f;
    q->type = policy_names_find(&p->types, f->type);
    q->observable = stix_class_of(f->type) == STIX_SCO;
    q->source = slot_or_none(p, &f->source);
    q->creator = slot_or_none(p, &f->creator);
    size_t words = SET_WORDS(p->labels.count);
    for (size_t w = 0; w < words; w++)
        q->labels[w] = 0;
    if (words == 0 || !json_is(f->labels, JSON_ARRAY))
        return;
    for (const struct json *l = f->labels->u.child; l; l = l->next) {
        size_t i = json_is(l, JSON_STRING) ? policy_names_find(&p->labels, l->u.s) : SIZE_MAX;
        if (i != SIZE_MAX)
            set_add(q->labels, i);
    }
}

/* Of a slot, or a type. */
static bool slot_holds(const struct test *t, size_t slot)
{
    return slot != SIZE_MAX && set_has(t->set, slot);
}

static bool label_holds(const struct test *t, const struct query *q)
{
    for (size_t w = 0; w < SET_WORDS(q->p->labels.count); w++)
        if (t->set[w] & q->labels[w])
            return true;
    return false;
}

static bool identity_holds(const struct test *t, struct str identity)
{
    for (size_t i = 0; i < t->text_count; i++)
        if (str_eq(t->texts[i], identity))
            return true;
    return false;
}

static bool compared(enum compare how, int order)
{
    switch (how) {
    case COMPARE_EQ:
        return order == 0;
    case COMPARE_NE:
        return order != 0;
    case COMPARE_LT:
        return order < 0;
    case COMPARE_LE:
        return order <= 0;
    case COMPARE_GT:
        return order > 0;
    case COMPARE_GE:
        return order >= 0;
    }
    return false;
}

static int order_of(double a, double b)
{
    return (a > b) - (a < b);
}

static double number_of(const struct json *v)
{
    return v->type == JSON_INTEGER ? (double)v->u.i : v->u.d;
}

static bool is_number(const struct json *v)
{
    return json_is(v, JSON_INTEGER) || json_is(v, JSON_NUMBER);
}

static bool confidence_holds(const struct test *t, const struct json *object)
{
    const struct json *c = json_get(object, STR("confidence"));
    return is_number(c) && compared(t->compare, order_of(number_of(c), (double)t->number));
}

/* `how` is EQ or an order. */
static bool operand_holds(const struct operand *o, enum compare how, const struct json *v)
{
    struct instant t;
    struct err e;
    if (is_number(v))
        return o->is_number && compared(how, order_of(number_of(v), o->number));
    if (v->type == JSON_TRUE || v->type == JSON_FALSE)
        return how == COMPARE_EQ && (v->type == JSON_TRUE ? o->is_true : o->is_false);
    if (v->type != JSON_STRING)
        return false;
    if (how == COMPARE_EQ)
        return str_eq(v->u.s, o->text);
    return o->is_time && instant_parse(v->u.s, &t, &e) && compared(how, instant_cmp(t, o->time));
}

struct where {
    const struct test *t;
    enum compare how;
    bool seen;
};

static bool where_value(void *ctx, const struct json *v)
{
    struct where *w = ctx;
    w->seen = true;
    for (size_t i = 0; i < w->t->operand_count; i++)
        if (operand_holds(&w->t->operands[i], w->how, v))
            return true;
    return false;
}

/* != holds where there is a value and none of the values is equal. */
static bool where_holds(const struct test *t, const struct json *object)
{
    bool unequal = t->compare == COMPARE_NE;
    struct where w = {t, unequal ? COMPARE_EQ : t->compare, false};
    bool any = policy_path_any(t->path, object, where_value, &w);
    return unequal ? w.seen && !any : any;
}

/* Without both instants no age holds. */
static bool age_holds(const struct test *t, const struct policy_facts *f)
{
    int64_t age;
    if (f->now_us == 0 || f->made_us == 0 || __builtin_sub_overflow(f->now_us, f->made_us, &age))
        return false;
    return t->kind == CONDITION_OLDER ? age > t->number : age <= t->number;
}

static bool referenced_holds(const struct test *t, const struct policy_facts *f)
{
    for (size_t i = 0; f->referenced && i < t->text_count; i++)
        if (f->referenced(f->referenced_ctx, t->texts[i]))
            return true;
    return false;
}

static bool test_holds(const struct test *t, const struct query *q)
{
    const struct policy_facts *f = q->f;
    switch (t->kind) {
    case CONDITION_TLP:
        return t->mask >> policy_effective(f->tlp) & 1;
    case CONDITION_PAP:
        return t->mask >> f->pap & 1;
    case CONDITION_OWNER:
        return !f->owner;
    case CONDITION_LISTS:
        return (t->lists & f->lists) != 0;
    case CONDITION_TYPE:
        return slot_holds(t, q->type) || (t->observables && q->observable);
    case CONDITION_LABEL:
        return label_holds(t, q);
    case CONDITION_CREATOR:
        return slot_holds(t, q->creator) || identity_holds(t, f->creator_identity);
    case CONDITION_SOURCE:
        return slot_holds(t, q->source);
    case CONDITION_OLDER:
    case CONDITION_NEWER:
        return age_holds(t, f);
    case CONDITION_CONFIDENCE:
        return confidence_holds(t, f->object);
    case CONDITION_WHERE:
        return where_holds(t, f->object);
    case CONDITION_REFERENCED:
        return referenced_holds(t, f);
    }
    return false;
}

/* Whether some rule that asks for it could hold if it did: who refers to an object is found out
 * elsewhere, at a cost. Colours count as holding, because each may be asked about. */
static bool wanted(const struct policy *p, const struct test *t, const uint64_t *bits)
{
    for (size_t i = 0; i < t->rule_count; i++) {
        const struct rule *r = &p->rules[t->rules[i]];
        size_t k = 0;
        while (k < r->test_count &&
               (p->tests[r->tests[k]].kind == CONDITION_TLP ||
                p->tests[r->tests[k]].kind == CONDITION_REFERENCED || set_has(bits, r->tests[k])))
            k++;
        if (k == r->test_count)
            return true;
    }
    return false;
}

void policy_tests_run(const struct policy *p, const struct policy_facts *f, uint64_t *bits)
{
    struct query q;
    look_up(p, f, &q);
    for (size_t w = 0; w < SET_WORDS(p->test_count); w++) {
        bits[w] = 0;
        for (uint64_t left = p->release_tests[w]; left; left &= left - 1) {
            size_t i = w * 64 + (size_t)__builtin_ctzll(left);
            const struct test *t = &p->tests[i];
            if ((t->kind != CONDITION_REFERENCED || wanted(p, t, bits)) && test_holds(t, &q))
                set_add(bits, i);
        }
    }
}

/* ---- rules ---- */

bool policy_span_has(const struct span *s, int64_t now_us)
{
    return s->from_us <= now_us && now_us < s->until_us;
}

/* Without a clock a dated rule that opens does not hold, and one that closes does. */
bool policy_rule_active(const struct rule *r, int64_t now_us)
{
    if (r->span.from_us == INT64_MIN && r->span.until_us == INT64_MAX)
        return true;
    if (now_us == 0)
        return r->verb != WORD_RELEASE && r->verb != WORD_ACCEPT;
    return policy_span_has(&r->span, now_us);
}

bool policy_rule_holds(const struct walk *w, const struct rule *r)
{
    if (!policy_rule_active(r, w->f->now_us))
        return false;
    for (size_t i = 0; i < r->test_count; i++) {
        const struct test *t = &w->p->tests[r->tests[i]];
        if (t->kind == CONDITION_TLP ? !(t->mask >> w->tlp & 1) : !set_has(w->bits, r->tests[i]))
            return false;
    }
    return true;
}

void policy_walk(const struct walk *w, uint64_t *open, const struct rule **rules)
{
    const struct policy *p = w->p;
    uint64_t some = 1;
    for (size_t i = 0; i < p->release_count && some; i++) {
        const struct rule *r = &p->releases[i];
        /* FIRST TLP 2.0, TLP:RED: no rule releases it, so such a rule does not decide. */
        if ((r->verb == WORD_RELEASE && w->tlp == STIX_TLP_RED) || !policy_rule_holds(w, r))
            continue;
        some = 0;
        for (size_t k = 0; k < SET_WORDS(p->slot_count); k++) {
            for (uint64_t now = open[k] & r->who[k]; now; now &= now - 1)
                rules[k * 64 + (size_t)__builtin_ctzll(now)] = r;
            some |= open[k] &= ~r->who[k];
        }
    }
}

/* ---- floors ---- */

/* FIRST TLP 2.0, TLP:AMBER: recipients spread it within their organization and its clients. Who
 * has no valid home and source is abroad. */
static bool third(const struct walk *w, struct str nation)
{
    const struct policy_facts *f = w->f;
    if (w->tlp == STIX_TLP_CLEAR || w->tlp == STIX_TLP_GREEN)
        return false;
    if (policy_nation_valid(f->home) && str_eq(f->source.nation, f->home))
        return false;
    return !policy_nation_valid(nation) ||
           (!str_eq(nation, f->home) && !str_eq(nation, f->source.nation));
}

/* The sentence of the floor that withholds, or STR_NONE. */
static struct str withheld(const struct walk *w, const struct rule *r, struct str nation)
{
    /* FIRST TLP 2.0, TLP:AMBER: +STRICT restricts sharing to the organization only. */
    if (w->tlp == STIX_TLP_AMBER_STRICT)
        return STR("TLP:AMBER+STRICT restricts sharing to the organization only "
                   "(FIRST TLP 2.0): it stays with the organisation that submitted it");
    /* FIRST TLP 2.0, TLP:RED: for the eyes and ears of individual recipients only. */
    if (w->tlp == STIX_TLP_RED && (!r || r->verb != WORD_HOLD))
        return STR("TLP:RED is for the eyes and ears of individual recipients only "
                   "(FIRST TLP 2.0): it stays with the organisation that submitted it");
    /* 3GPP TS 23.003 §2, §3, §6: these numbers name one subscriber of one network. */
    if (w->f->subscriber && !(policy_nation_valid(nation) && str_eq(nation, w->f->home)))
        return STR("it holds subscriber identifiers (IMSI or SUPI, MSISDN, IMEI or PEI; 3GPP TS "
                   "23.003), which cross no border");
    if (third(w, nation))
        return STR("TLP:AMBER goes no further than the recipients' organization and its clients "
                   "(FIRST TLP 2.0): what one nation shared goes to no third nation");
    return STR_NONE;
}

enum policy_verdict policy_floor(const struct walk *w, const struct rule *r, struct str nation,
                                 struct str *why)
{
    struct str text = withheld(w, r, nation);
    if (text.n) {
        if (why)
            *why = text;
        return POLICY_DENIED;
    }
    if (!r || r->verb == WORD_DENY)
        return POLICY_DENIED;
    return r->verb == WORD_HOLD ? POLICY_HELD : POLICY_RELEASED;
}

/* ---- arrivals ---- */

static struct policy_rule_ref sentence(struct str text)
{
    return (struct policy_rule_ref){0, text};
}

static enum policy_arrival arrival_of(enum word verb)
{
    return verb == WORD_ACCEPT       ? POLICY_ACCEPT
           : verb == WORD_QUARANTINE ? POLICY_QUARANTINE
                                     : POLICY_REFUSE;
}

const struct rule *policy_first(const struct rule_list *l, const struct policy_facts *f,
                                size_t slot)
{
    struct query q;
    look_up(l->p, f, &q);
    for (size_t i = 0; i < l->count; i++) {
        const struct rule *r = &l->rules[i];
        size_t k = 0;
        if (!set_has(r->who, slot) || !policy_rule_active(r, f->now_us))
            continue;
        while (k < r->test_count && test_holds(&l->p->tests[r->tests[k]], &q))
            k++;
        if (k == r->test_count)
            return r;
    }
    return NULL;
}

void policy_arrive(const struct policy *p, const struct policy_facts *f,
                   struct policy_arrival_answer *out)
{
    *out = (struct policy_arrival_answer){.verdict = POLICY_REFUSE};
    if (p->arrival_count == 0) {
        out->verdict = POLICY_NO_RULE;
        out->rule = sentence(STR("the policy holds no rule about arrivals"));
        return;
    }
    if (!policy_party_valid(&f->source)) {
        out->rule = sentence(STR("the source has no valid nation and organisation"));
        return;
    }
    struct rule_list arrivals = {p, p->arrivals, p->arrival_count};
    const struct rule *r = policy_first(&arrivals, f, policy_slot_of(p, &f->source));
    if (r) {
        *out = (struct policy_arrival_answer){
            arrival_of(r->verb), {r->line, r->text}, r->limit_count, r->limit_us};
        return;
    }
    bool home = str_eq(f->source.nation, f->home);
    out->verdict = home ? POLICY_ACCEPT : POLICY_REFUSE;
    out->rule = sentence(home ? STR("no arrival rule matches, and it comes from home")
                              : STR("no arrival rule accepts it, and it comes from elsewhere"));
}

enum policy_arrival policy_arrival_from(const struct policy *p, const struct policy_facts *f,
                                        struct str home_nation, struct policy_rule_ref *rule)
{
    struct policy_arrival_answer answer;
    struct policy_facts facts = *f;
    facts.home = home_nation;
    policy_arrive(p, &facts, &answer);
    if (rule)
        *rule = answer.rule;
    return answer.verdict;
}
