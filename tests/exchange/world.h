/*
 * A small universe of organisations, random policies over it and a naive reading of them: every
 * rule is asked again for every organisation, as docs/POLICY.md has it, with sets of organisations
 * as plain bits. Nothing here calls the policy room.
 */
#ifndef TESTS_EXCHANGE_WORLD_H
#define TESTS_EXCHANGE_WORLD_H

#include "test.h"

#include "stix/stix.h"

#define DAY_US   INT64_C(86400000000)
#define YEAR_US  INT64_C(1767225600000000) /* 2026-01-01; day d begins d - 1 days later */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t world_state;

static unsigned below(unsigned n)
{
    world_state ^= world_state << 13;
    world_state ^= world_state >> 7;
    world_state ^= world_state << 17;
    return (unsigned)(world_state >> 33) % n;
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

/* The seed of the case that `number` counts in a run that began with `first`. */
static uint64_t world_seed(uint64_t first, uint64_t number)
{
    uint64_t z = first + number * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return number ? z | 1 : first | 1;
}

static uint64_t world_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t n;
    return text && str_to_u64(str_of(text), &n) ? n : otherwise;
}

/* The suite repeats itself, so that what fails is the change's own; SETU_TEST_SEED=random looks
 * further, as `make prove` does, and a number repeats a run. */
static uint64_t world_first_seed(void)
{
    uint64_t seed;
    base_random(&seed, sizeof seed);
    seed = world_number("SETU_TEST_SEED", getenv("SETU_TEST_SEED") ? seed >> 1 : 20261126);
    printf("SETU_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

/* Is the time over that a long run may take (SETU_SECONDS)? */
static bool world_ended(void)
{
    static int64_t end;
    if (end == 0)
        end = monotonic_us() + (int64_t)world_number("SETU_SECONDS", 1000000) * 1000000;
    return monotonic_us() > end;
}

/* ---- organisations ---- */

enum { NATION_IN, NATION_JP, NATION_US, NATION_AU, NATION_FR, NATION_ZZ, NATIONS };
static const char codes[NATIONS][3] = {"IN", "JP", "US", "AU", "FR", "ZZ"};
enum org_kind { ORG_UNNAMED, ORG_AGENCY, ORG_OPERATOR };
enum { PARTIES = 15, HOME = 0 };
/* Witnesses submit nothing and are named nowhere: each stands for all others of its nation, the
 * last for all other nations. */
static const struct party {
    const char *org;
    unsigned nation;
    enum org_kind kind;
    bool witness;
} parties[PARTIES] = {
    {"cert-in", NATION_IN, ORG_AGENCY, false},  {"nciipc", NATION_IN, ORG_AGENCY, false},
    {"airtel", NATION_IN, ORG_OPERATOR, false}, {"in-new", NATION_IN, ORG_UNNAMED, false},
    {"jpcert", NATION_JP, ORG_AGENCY, false},   {"docomo", NATION_JP, ORG_OPERATOR, false},
    {"jp-other", NATION_JP, ORG_UNNAMED, true}, {"cisa", NATION_US, ORG_AGENCY, false},
    {"us-other", NATION_US, ORG_UNNAMED, true}, {"acsc", NATION_AU, ORG_AGENCY, false},
    {"au-other", NATION_AU, ORG_UNNAMED, true}, {"anssi", NATION_FR, ORG_UNNAMED, false},
    {"in-other", NATION_IN, ORG_UNNAMED, true}, {"fr-other", NATION_FR, ORG_UNNAMED, true},
    {"nobody", NATION_ZZ, ORG_UNNAMED, true},
};

/* Who submits, or creates. */
static unsigned random_party(void)
{
    unsigned p;
    do
        p = below(PARTIES);
    while (parties[p].witness);
    return p;
}

enum { EVERYBODY = (1 << PARTIES) - 1 };

static unsigned bit(unsigned n)
{
    return 1u << n;
}

/* ---- objects, as far as rules ask ---- */

enum thing_type { INDICATOR, ADDRESS, MALWARE, RELATIONSHIP, SIGHTING, REPORT, NOTE, TYPES };
static const char *const type_names[TYPES] = {"indicator", "ipv4-addr", "malware", "relationship",
                                              "sighting",  "report",    "note"};
enum { LABELS = 2, VALUES = 3 };

struct facts {
    enum thing_type type;
    unsigned tlp; /* enum stix_tlp of the whole */
    unsigned labels, value, granular;
    int confidence;
    int creator, source; /* parties; creator -1: none */
    int64_t made_us, now_us;
    unsigned referenced; /* types that refer to it */
    bool owner;
};

/* ---- rules ---- */

enum verb { RELEASE, DENY, HOLD, REDACT, ACCEPT, REFUSE, QUARANTINE };
static const char *const verb_names[] = {"release", "deny",   "hold",      "redact",
                                         "accept",  "refuse", "quarantine"};
enum transform { DROP_A, DROP_AB, MASK_B, REPLACE_NAME, PREFIX_VALUE, DROP_REFERENCE, TRANSFORMS };
/* What a transform changes. */
enum { PROPERTY_NAME = 1, PROPERTY_A = 2, PROPERTY_B = 4, PROPERTY_VALUE = 8 };

struct rule {
    enum verb verb;
    enum transform transform;
    unsigned who; /* parties */
    unsigned tlp, types, labels, value, confidence, older, newer, referenced;
    unsigned creator, source; /* nation and one; 0: none */
    bool owner, under;
    unsigned from, until; /* days of January; 0: none */
    unsigned officers, hours, limit;
    unsigned line;
    char who_text[160], text[600];
};

enum { RULES_MOST = 20 };
struct world_policy {
    bool au;               /* Australia is declared */
    unsigned quad;         /* nations of the community; 0: none */
    unsigned from, until;  /* the agreement's days */
    unsigned delegate, of; /* parties; equal: none */
    struct rule rules[RULES_MOST];
    unsigned count;
    char text[8000];
};

static bool is_arrival(enum verb v)
{
    return v == ACCEPT || v == REFUSE || v == QUARANTINE;
}

static int64_t day_us(unsigned day)
{
    return YEAR_US + (day - 1) * DAY_US;
}

static bool rule_active(const struct world_policy *p, const struct rule *r, int64_t now)
{
    if ((r->from && now < day_us(r->from)) || (r->until && now >= day_us(r->until + 1)))
        return false;
    return !r->under || (now >= day_us(p->from) && now < day_us(p->until + 1));
}

static bool rule_holds(const struct rule *r, const struct facts *f, unsigned tlp)
{
    int64_t age = f->now_us - f->made_us;
    if ((r->tlp && !(r->tlp & bit(tlp))) || (r->types && !(r->types & bit(f->type))) ||
        (r->labels && !(r->labels & f->labels)) || (r->value && r->value != f->value))
        return false;
    if (r->confidence && f->confidence < (int)r->confidence)
        return false;
    if ((r->older && age <= r->older * DAY_US) || (r->newer && age > r->newer * DAY_US))
        return false;
    if (r->creator && (f->creator < 0 || parties[f->creator].nation != r->creator - 1))
        return false;
    if (r->source && parties[f->source].nation != r->source - 1)
        return false;
    if (r->owner && f->owner)
        return false;
    return !r->referenced || (r->referenced & f->referenced);
}

/* ---- who gets it ---- */

enum answer { DENIED, HELD, RELEASED };
struct verdict {
    enum answer answer;
    const struct rule *rule;
};

/* The floors, then the first rule that names the party, for an object of this colour. */
static struct verdict read_rules(const struct world_policy *p, const struct facts *f, unsigned tlp,
                                 unsigned to)
{
    struct verdict denied = {DENIED, NULL};
    unsigned from = parties[f->source].nation, nation = parties[to].nation;
    bool open = tlp == STIX_TLP_CLEAR || tlp == STIX_TLP_GREEN;
    if (tlp == STIX_TLP_AMBER_STRICT)
        return denied;
    if (!open && from != NATION_IN && nation != NATION_IN && nation != from)
        return denied;
    for (unsigned i = 0; i < p->count; i++) {
        const struct rule *r = &p->rules[i];
        if (r->verb > HOLD || (r->verb == RELEASE && tlp == STIX_TLP_RED) || !(r->who & bit(to)) ||
            !rule_active(p, r, f->now_us) || !rule_holds(r, f, tlp))
            continue;
        return (struct verdict){r->verb == RELEASE ? RELEASED : r->verb == HOLD ? HELD : DENIED, r};
    }
    return denied;
}

/* What redactions do to it for one recipient. */
struct view {
    unsigned rules;      /* those that name the recipient, by number */
    unsigned properties; /* that change */
    bool drop_references;
};

static unsigned changes_of(enum transform t)
{
    static const unsigned changes[TRANSFORMS] = {[DROP_A] = PROPERTY_A,
                                                 [DROP_AB] = PROPERTY_A | PROPERTY_B,
                                                 [MASK_B] = PROPERTY_B,
                                                 [REPLACE_NAME] = PROPERTY_NAME,
                                                 [PREFIX_VALUE] = PROPERTY_VALUE};
    return changes[t];
}

static struct view read_redactions(const struct world_policy *p, const struct facts *f, unsigned to)
{
    struct view v = {0};
    for (unsigned i = 0; i < p->count; i++) {
        const struct rule *r = &p->rules[i];
        if (r->verb != REDACT || !(r->who & bit(to)) || !rule_active(p, r, f->now_us))
            continue;
        v.rules |= bit(i);
        if (!rule_holds(r, f, f->tlp))
            continue;
        v.properties |= changes_of(r->transform);
        v.drop_references = v.drop_references || r->transform == DROP_REFERENCE;
    }
    /* STIX 2.1 §7.2.3: what a granular marking keeps from them is x_a. */
    if (f->granular && read_rules(p, f, f->granular, to).answer != RELEASED) {
        v.properties |= PROPERTY_A;
        v.rules |= bit(31);
    }
    return v;
}

/* ---- making ---- */

struct term {
    const char *text;
    unsigned who;
};

static unsigned of_nation(unsigned nation, int kind)
{
    unsigned who = 0;
    for (unsigned i = 0; i < PARTIES; i++)
        if (parties[i].nation == nation && (kind < 0 || parties[i].kind == (enum org_kind)kind))
            who |= bit(i);
    return who;
}

static struct term random_term(const struct world_policy *p)
{
    static const struct {
        const char *text;
        unsigned nation;
        int kind; /* -1: all */
    } groups[] = {{"IN", NATION_IN, -1},
                  {"JP", NATION_JP, -1},
                  {"US", NATION_US, -1},
                  {"agency of IN", NATION_IN, ORG_AGENCY},
                  {"agency of JP", NATION_JP, ORG_AGENCY},
                  {"operator of JP", NATION_JP, ORG_OPERATOR},
                  {"operator of IN", NATION_IN, ORG_OPERATOR},
                  {"AU", NATION_AU, -1}};
    static const unsigned named[] = {0, 1, 2, 4, 5, 7};
    unsigned k = below(12);
    if (k < 2)
        return (struct term){"any", EVERYBODY};
    if (k == 2 && p->quad) {
        unsigned who = 0;
        for (unsigned n = 0; n < NATIONS; n++)
            who |= p->quad & bit(n) ? of_nation(n, -1) : 0;
        return (struct term){"quad", who};
    }
    if (k < 5) {
        unsigned i = named[below(COUNT(named))];
        return (struct term){parties[i].org, bit(i)};
    }
    unsigned g = below(p->au ? COUNT(groups) : COUNT(groups) - 1);
    return (struct term){groups[g].text, of_nation(groups[g].nation, groups[g].kind)};
}

static void random_who(const struct world_policy *p, struct rule *r)
{
    do {
        size_t n = 0;
        unsigned terms = 1 + one_in(3), excepts = one_in(4);
        r->who = 0;
        for (unsigned i = 0; i < terms + excepts; i++) {
            struct term t = random_term(p);
            r->who = i < terms ? r->who | t.who : r->who & ~t.who;
            n += (size_t)snprintf(r->who_text + n, sizeof r->who_text - n, "%s%s",
                                  i == 0       ? ""
                                  : i == terms ? " except "
                                               : ", ",
                                  t.text);
        }
    } while (r->who == 0);
}

static void random_conditions(struct rule *r)
{
    if (one_in(2))
        r->tlp = (1 + below(31)) << 1;
    if (one_in(4))
        r->types = 1 + below((1 << TYPES) - 1);
    if (one_in(6))
        r->labels = 1 + below((1 << LABELS) - 1);
    if (one_in(8))
        r->value = 1 + below(VALUES - 1);
    if (one_in(10))
        r->confidence = 1 + below(100);
    if (one_in(12))
        r->creator = 1 + below(NATION_US + 1);
    if (one_in(12))
        r->source = 1 + below(NATION_US + 1);
    if (is_arrival(r->verb))
        return;
    if (one_in(12))
        r->referenced = 1 + below((1 << TYPES) - 1);
    /* The age of what has no version of its own counts from its arrival at any time of a day; here
     * days alone pass. */
    if (one_in(12)) {
        r->types = r->types & ~bit(ADDRESS) ? r->types & ~bit(ADDRESS) : bit(INDICATOR);
        *(one_in(2) ? &r->older : &r->newer) = 4 + below(12);
    }
}

static void random_clauses(struct rule *r)
{
    if (one_in(8))
        r->from = 5 + below(12);
    if (one_in(8))
        r->until = (r->from ? r->from : 6) + below(12);
    if (is_arrival(r->verb)) {
        r->owner = one_in(4);
        r->limit = r->verb == ACCEPT && one_in(4) ? 1 + below(4) : 0;
        return;
    }
    r->under = one_in(8);
    if (r->verb == HOLD) {
        r->officers = below(3);
        r->hours = one_in(2) ? 1 + below(40) : 0;
    }
}

/* ---- as text ---- */

static void put_list(struct buf *b, const char *word, unsigned mask, const char *const *names,
                     bool quoted)
{
    const char *before = word;
    for (unsigned i = 0; i < 8; i++)
        if (mask >> i & 1) {
            buf_printf(b, quoted ? "%s\"%s\"" : "%s%s", before, names[i]);
            before = ", ";
        }
}

static void put_conditions(struct buf *b, const struct rule *r, bool types)
{
    static const char *const colours[] = {"",          "tlp:clear",        "tlp:green",
                                          "tlp:amber", "tlp:amber+strict", "tlp:red"};
    static const char *const labels[] = {"l0", "l1"};
    put_list(b, " ", r->tlp, colours, false);
    if (types)
        put_list(b, " types ", r->types, type_names, false);
    put_list(b, " labels ", r->labels, labels, true);
    if (r->value)
        buf_printf(b, " where x_w \"v%u\"", r->value);
    if (r->confidence)
        buf_printf(b, " confidence >= %u", r->confidence);
    if (r->creator)
        buf_printf(b, " creator %s", codes[r->creator - 1]);
    if (r->source)
        buf_printf(b, " source %s", codes[r->source - 1]);
    if (r->older)
        buf_printf(b, " older than %u days", r->older);
    if (r->newer)
        buf_printf(b, " newer than %u days", r->newer);
    put_list(b, " where referenced by ", r->referenced, type_names, false);
}

static void put_clauses(struct buf *b, const struct rule *r)
{
    if (r->owner)
        buf_lit(b, " unless owner");
    if (r->under)
        buf_lit(b, " under pact");
    if (r->from)
        buf_printf(b, " from 2026-01-%02u", r->from);
    if (r->until)
        buf_printf(b, " until 2026-01-%02u", r->until);
    if (r->officers)
        buf_printf(b, " for %u officer%s", r->officers, r->officers == 1 ? "" : "s");
    if (r->hours)
        buf_printf(b, " within %u hours", r->hours);
    if (r->limit)
        buf_printf(b, " limit %u/day", r->limit);
}

static void put_rule(struct buf *b, const struct rule *r)
{
    static const char *const transforms[TRANSFORMS] = {
        " drop $.x_a", " drop $.x_a, $.x_b",          " mask $.x_b",
        " replace ",   " prefix ipv4-addr value /24", " drop-reference"};
    buf_lit(b, verb_names[r->verb]);
    if (is_arrival(r->verb)) {
        buf_printf(b, " from %s", r->who_text);
        put_conditions(b, r, true);
        put_clauses(b, r);
        return;
    }
    if (r->verb == REDACT) {
        buf_lit(b, transforms[r->transform]);
        if (r->transform == REPLACE_NAME) {
            put_list(b, "", r->types, type_names, false);
            buf_lit(b, " name with \"withheld\"");
        }
    }
    put_conditions(b, r, r->transform != REPLACE_NAME && r->transform != PREFIX_VALUE);
    buf_printf(b, " to %s", r->who_text);
    put_clauses(b, r);
}

/* ---- policies ---- */

static void random_rule(const struct world_policy *p, struct rule *r, enum verb verb)
{
    *r = (struct rule){.verb = verb};
    random_conditions(r);
    random_clauses(r);
    if (verb == REDACT) {
        r->transform = (enum transform)below(TRANSFORMS);
        if (r->transform == REPLACE_NAME)
            r->types = one_in(2) ? bit(INDICATOR) : one_in(2) ? bit(MALWARE) : bit(REPORT);
        if (r->transform == PREFIX_VALUE) {
            r->types = bit(ADDRESS);
            r->older = r->newer = 0;
        }
    }
    random_who(p, r);
}

/* `redacts` of them are redactions at the most; `arrivals` as well. */
static void random_rules(struct world_policy *p, unsigned redacts, unsigned arrivals)
{
    static const enum verb verbs[] = {RELEASE, RELEASE, RELEASE, RELEASE, DENY, DENY, HOLD};
    unsigned n = 0, a = below(arrivals + 1), d = below(redacts + 1), r = 1 + below(8);
    for (unsigned i = 0; i < a; i++)
        random_rule(p, &p->rules[n++], (enum verb)(ACCEPT + below(2) * below(3)));
    for (unsigned i = 0; i < r; i++)
        random_rule(p, &p->rules[n++], verbs[below(COUNT(verbs))]);
    for (unsigned i = 0; i < d; i++)
        random_rule(p, &p->rules[n++], REDACT);
    p->count = n;
}

static void policy_put(struct world_policy *p)
{
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"
                "nation JP \"Japan\" { agency jpcert operator docomo }\n"
                "nation US \"United States\" { agency cisa }\n");
    if (p->au)
        buf_lit(&b, "nation AU \"Australia\" { agency acsc }\n");
    if (p->quad) {
        const char *before = "community quad { ";
        for (unsigned i = 0; i < NATIONS; i++)
            if (p->quad & bit(i)) {
                buf_printf(&b, "%s%s", before, codes[i]);
                before = ", ";
            }
        buf_lit(&b, " }\n");
    }
    if (p->delegate != p->of)
        buf_printf(&b, "delegate %s for %s\n", parties[p->delegate].org, parties[p->of].org);
    buf_printf(&b, "agreement pact \"Pact\" from 2026-01-%02u until 2026-01-%02u\n", p->from,
               p->until);
    unsigned line = 1;
    for (size_t i = 0; i < b.n; i++)
        line += b.p[i] == '\n';
    for (unsigned i = 0; i < p->count; i++) {
        struct rule *r = &p->rules[i];
        size_t from = b.n;
        put_rule(&b, r);
        r->line = line++;
        snprintf(r->text, sizeof r->text, "%.*s", (int)(b.n - from), b.p + from);
        buf_byte(&b, '\n');
    }
    must(b.n < sizeof p->text && !b.failed);
    memcpy(p->text, b.p, b.n);
    p->text[b.n] = '\0';
    buf_done(&b);
}

static void random_policy(struct world_policy *p, unsigned redacts, unsigned arrivals)
{
    static const unsigned pairs[][2] = {{0, 1}, {1, 2}, {2, 0}, {4, 5}, {5, 4}, {0, 0}, {0, 0}};
    const unsigned *pair = pairs[below(COUNT(pairs))];
    *p = (struct world_policy){.au = one_in(2), .from = 4 + below(6)};
    p->quad = one_in(3) ? 0 : 1 + below(7);
    p->until = p->from + below(14);
    p->delegate = pair[0];
    p->of = pair[1];
    random_rules(p, redacts, arrivals);
    policy_put(p);
}

/* Another policy that differs from it a little. */
static void edit_policy(struct world_policy *p, unsigned redacts, unsigned arrivals)
{
    unsigned i = p->count ? below(p->count) : 0;
    if (one_in(5) || p->count == 0) {
        random_policy(p, redacts, arrivals);
        return;
    }
    struct rule *r = &p->rules[i];
    if (one_in(3)) { /* one goes */
        memmove(r, r + 1, (p->count - i - 1) * sizeof *r);
        p->count--;
    } else if (one_in(3) && i + 1 < p->count && is_arrival(r->verb) == is_arrival(r[1].verb)) {
        struct rule swap = r[0];
        r[0] = r[1];
        r[1] = swap;
    } else {
        random_rule(p, r, r->verb == REDACT || is_arrival(r->verb) ? r->verb : (enum verb)below(3));
    }
    policy_put(p);
}

#endif
