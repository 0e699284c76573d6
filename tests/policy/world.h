/*
 * Random policies over a small universe of parties, random facts, and a naive reading of both: what
 * each rule says is computed again for every party, as docs/POLICY.md has it, without sets, memos
 * or audiences. SETU_TEST_SEED repeats a run.
 */
#ifndef TESTS_POLICY_WORLD_H
#define TESTS_POLICY_WORLD_H

#include "test.h"

#include "policy/policy.h"

enum { NATION_COUNT = 5, ORG_COUNT = 3, RULES_MOST = 10, TERMS_MOST = 3 };
/* The policies name the first NATION_COUNT; facts know QQ too; XX only stands for all the others.
 */
static const char codes[NATION_COUNT + 2][3] = {"AU", "IN", "JP", "US", "ZA", "QQ", "XX"};
static const char *const types[] = {"indicator", "incident", "url", "file", "x-note"};
enum { TYPE_OBSERVABLES = 5, TYPE_COUNT = 6, LABEL_COUNT = 3, IDENTITY_COUNT = 2, DAYS = 12 };
static const char *const identities[IDENTITY_COUNT] = {
    "identity--11111111-1111-4111-8111-111111111111",
    "identity--22222222-2222-4222-8222-222222222222"};
#define DAY_US   INT64_C(86400000000)
#define FIRST_US INT64_C(1767225600000000) /* 2026-01-01; day d is d days later */

static uint64_t random_state;

static unsigned below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % n;
}

static void seed_world(void)
{
    const char *seed = getenv("SETU_TEST_SEED");
    if (!seed || !str_to_u64(str_of(seed), &random_state))
        base_random(&random_state, sizeof random_state);
    random_state |= 1; /* xorshift stays at 0 for ever */
    fprintf(stderr, "SETU_TEST_SEED=%llu\n", (unsigned long long)random_state);
}

/* ---- the universe ---- */

enum term_kind { TERM_ANY, TERM_NATION, TERM_COMMUNITY, TERM_ORG, TERM_AGENCIES, TERM_OPERATORS };

struct term {
    enum term_kind kind;
    unsigned nation, org;
};

enum org_kind { ORG_UNNAMED, ORG_AGENCY, ORG_OPERATOR };

/* A party: any nation, and any organisation's name of any nation, or "other", or "witness", which
 * facts never know either. */
struct place {
    unsigned nation, org; /* org: nation * ORG_COUNT + number */
};
enum { OTHER = NATION_COUNT * ORG_COUNT, ORGS_ALL = OTHER + 2 };
enum { PLACES = (NATION_COUNT + 2) * ORGS_ALL };

static struct place place_of(unsigned i)
{
    return (struct place){i / ORGS_ALL, i % ORGS_ALL};
}

static bool same_place(struct place a, struct place b)
{
    return a.nation == b.nation && a.org == b.org;
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

static struct place known_place(void)
{
    return (struct place){below(NATION_COUNT + 1), below(OTHER + 1)};
}

/* ---- rules ---- */

enum verb { VERB_RELEASE, VERB_DENY, VERB_HOLD, VERB_REDACT };
enum where {
    WHERE_NONE,
    WHERE_TEXT,     /* x_a "v1", "v2" */
    WHERE_NOT_TEXT, /* x_a != "v1" */
    WHERE_LEAST,    /* x_n >= 5 */
    WHERE_LIST,     /* $.x_l[*] = v3 */
    WHERE_COUNT
};
enum transform_kind { DROP_A, COARSEN_T, DROP_REFERENCES, TRANSFORMS };

struct random_rule {
    enum verb verb;
    unsigned tlp, pap, types, labels; /* masks; 0: no such condition */
    unsigned confidence;              /* 0: none; else >= of this less one */
    unsigned older, newer;            /* days; 0: none */
    enum where where;
    unsigned referenced;      /* mask of types */
    unsigned source, creator; /* nation and one; 0: none */
    unsigned identity;        /* and one */
    unsigned from, until;     /* days; 0: none */
    bool under;
    unsigned officers, hours;
    enum transform_kind transform;
    struct term who[TERMS_MOST], except[TERMS_MOST];
    unsigned who_count, except_count;
    unsigned line;
};

struct random_policy {
    bool named[NATION_COUNT];
    enum org_kind orgs[NATION_COUNT][ORG_COUNT]; /* names in0, in1 …: lower-case code and number */
    unsigned community;                          /* mask of nations, 0: none */
    unsigned from, until;                        /* the agreement's days */
    struct random_rule rules[RULES_MOST];
    unsigned rule_count;
};

struct random_facts {
    unsigned type, labels;
    enum stix_tlp tlp;
    enum stix_pap pap;
    struct place source, creator;
    bool has_creator;
    unsigned identity; /* and one; 0: none */
    unsigned home;
    bool granular; /* of the old functions */
    unsigned granular_tlps;
    int confidence;     /* -1: none */
    int x_a, x_n, x_l;  /* -1: none; x_a "v<x_a>", x_l a list of "v0" to that */
    unsigned now, made; /* days; 0: unknown */
    bool subscriber;
    unsigned referenced; /* mask of types */
};

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

/* ---- the naive reading ---- */

static bool naive_where(enum where where, const struct random_facts *f)
{
    switch (where) {
    case WHERE_NONE:
        return true;
    case WHERE_TEXT:
        return f->x_a == 1 || f->x_a == 2;
    case WHERE_NOT_TEXT:
        return f->x_a >= 0 && f->x_a != 1;
    case WHERE_LEAST:
        return f->x_n >= 5;
    case WHERE_LIST:
        return f->x_l >= 3;
    case WHERE_COUNT:
        break;
    }
    return false;
}

static bool naive_conditions(const struct random_rule *r, const struct random_facts *f,
                             enum stix_tlp tlp)
{
    bool observable = f->type == 2 || f->type == 3;
    int age = (int)f->now - (int)f->made;
    if (r->tlp && !(r->tlp >> (tlp ? tlp : STIX_TLP_AMBER) & 1))
        return false;
    if ((r->pap && !(r->pap >> f->pap & 1)) || (r->labels && !(r->labels & f->labels)))
        return false;
    if (r->types && !(r->types >> f->type & 1) && !(observable && r->types >> TYPE_OBSERVABLES & 1))
        return false;
    if (r->confidence && f->confidence < (int)r->confidence - 1)
        return false;
    if ((r->older || r->newer) && (!f->now || !f->made))
        return false;
    if ((r->older && age <= (int)r->older) || (r->newer && age > (int)r->newer))
        return false;
    if (r->source && f->source.nation != r->source - 1)
        return false;
    bool nation = r->creator && f->has_creator && f->creator.nation == r->creator - 1;
    bool identity = r->identity && f->identity == r->identity;
    if ((r->creator || r->identity) && !nation && !identity)
        return false;
    return naive_where(r->where, f) && (!r->referenced || r->referenced & f->referenced);
}

/* From is the first day, until the last. */
static bool naive_active(const struct random_policy *rp, const struct random_rule *r, unsigned now)
{
    if (!r->from && !r->until && !r->under)
        return true;
    if (!now)
        return r->verb != VERB_RELEASE;
    return now >= r->from && (!r->until || now <= r->until) &&
           (!r->under || (now >= rp->from && now <= rp->until));
}

struct naive {
    enum policy_verdict verdict;
    unsigned line; /* of the rule; 0: floor, default or submitter */
    unsigned officers, hours;
    bool by_name;
    unsigned drop;           /* colours */
    unsigned redacts, steps; /* masks of rules: those that name the party, those that hold too */
};

static struct naive naive_colour(const struct random_policy *rp, const struct random_facts *f,
                                 enum stix_tlp tlp, struct place to)
{
    struct naive n = {POLICY_DENIED, 0, 0, 0, false, 0, 0, 0};
    bool open = tlp == STIX_TLP_CLEAR || tlp == STIX_TLP_GREEN;
    if (tlp == STIX_TLP_AMBER_STRICT || (f->subscriber && to.nation != f->home))
        return n;
    if (!open && f->source.nation != f->home && to.nation != f->home &&
        to.nation != f->source.nation)
        return n;
    for (unsigned i = 0; i < rp->rule_count; i++) {
        const struct random_rule *r = &rp->rules[i];
        if (r->verb == VERB_REDACT || (r->verb == VERB_RELEASE && tlp == STIX_TLP_RED) ||
            !naive_active(rp, r, f->now) || !naive_conditions(r, f, tlp) || !rule_has(rp, r, to))
            continue;
        n.line = r->verb == VERB_DENY && tlp == STIX_TLP_RED ? 0 : r->line;
        n.verdict = r->verb == VERB_RELEASE ? POLICY_RELEASED
                    : r->verb == VERB_HOLD  ? POLICY_HELD
                                            : POLICY_DENIED;
        if (r->verb == VERB_HOLD) {
            n.officers = r->officers ? r->officers : 1;
            n.hours = r->hours ? r->hours : 720;
            n.by_name = tlp == STIX_TLP_RED;
        }
        return n;
    }
    return n;
}

static struct naive naive_answer(const struct random_policy *rp, const struct random_facts *f,
                                 const struct place *also, struct place to)
{
    struct naive n = naive_colour(rp, f, f->tlp, to);
    if (same_place(to, f->source) || (also && same_place(to, *also)))
        return (struct naive){POLICY_RELEASED, 0, 0, 0, false, 0, 0, 0};
    if (n.verdict == POLICY_DENIED)
        return n;
    for (int c = STIX_TLP_CLEAR; c < STIX_TLP_COUNT; c++)
        if (f->granular_tlps >> c & 1 &&
            naive_colour(rp, f, (enum stix_tlp)c, to).verdict != POLICY_RELEASED)
            n.drop |= 1u << c;
    for (unsigned i = 0; i < rp->rule_count; i++) {
        const struct random_rule *r = &rp->rules[i];
        if (r->verb != VERB_REDACT || !naive_active(rp, r, f->now) || !rule_has(rp, r, to))
            continue;
        n.redacts |= 1u << i;
        if (naive_conditions(r, f, f->tlp))
            n.steps |= 1u << i;
    }
    return n;
}

/* ---- making ---- */

static unsigned orgs_of_kind(const struct random_policy *rp, unsigned nation, enum org_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < ORG_COUNT; i++)
        n += rp->orgs[nation][i] == kind;
    return n;
}

static unsigned named_nation(const struct random_policy *rp)
{
    unsigned n = below(NATION_COUNT);
    while (!rp->named[n])
        n = below(NATION_COUNT);
    return n;
}

static struct term random_term(const struct random_policy *rp)
{
    struct term t = {(enum term_kind)below(TERM_OPERATORS + 1), named_nation(rp), below(ORG_COUNT)};
    bool empty = (t.kind == TERM_COMMUNITY && !rp->community) ||
                 (t.kind == TERM_ORG && rp->orgs[t.nation][t.org] == ORG_UNNAMED) ||
                 (t.kind == TERM_AGENCIES && !orgs_of_kind(rp, t.nation, ORG_AGENCY)) ||
                 (t.kind == TERM_OPERATORS && !orgs_of_kind(rp, t.nation, ORG_OPERATOR));
    if (empty)
        t.kind = TERM_NATION;
    return t;
}

static void random_conditions(const struct random_policy *rp, struct random_rule *r)
{
    if (below(3) == 0)
        r->tlp = below(31) << 1;
    if (below(4) == 0)
        r->types = below(1 << TYPE_COUNT);
    if (below(5) == 0)
        r->labels = below(1 << LABEL_COUNT);
    if (below(8) == 0)
        r->pap = below(15) << 1;
    if (below(8) == 0)
        r->confidence = 1 + below(101);
    if (below(8) == 0)
        r->older = 1 + below(DAYS);
    if (below(8) == 0)
        r->newer = 1 + below(DAYS);
    if (below(5) == 0)
        r->where = (enum where)below(WHERE_COUNT);
    if (below(8) == 0)
        r->referenced = below(1 << TYPE_OBSERVABLES);
    if (below(8) == 0)
        r->source = 1 + named_nation(rp);
    if (below(8) == 0)
        r->creator = 1 + named_nation(rp);
    if (below(8) == 0)
        r->identity = 1 + below(IDENTITY_COUNT);
}

static struct random_rule random_rule(const struct random_policy *rp)
{
    static const enum verb verbs[] = {VERB_RELEASE, VERB_RELEASE, VERB_RELEASE, VERB_DENY,
                                      VERB_DENY,    VERB_HOLD,    VERB_REDACT,  VERB_REDACT};
    struct random_rule r = {.verb = verbs[below(8)]};
    random_conditions(rp, &r);
    if (below(6) == 0)
        r.from = 1 + below(DAYS);
    if (below(6) == 0)
        r.until = r.from + 1 + below(DAYS);
    r.under = below(8) == 0;
    r.officers = r.verb == VERB_HOLD ? below(3) : 0;
    r.hours = r.verb == VERB_HOLD ? below(2) * (1 + below(48)) : 0;
    r.transform = (enum transform_kind)below(TRANSFORMS);
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
    struct random_policy rp = {.from = 1 + below(4)};
    rp.until = rp.from + below(DAYS);
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

static struct random_facts random_facts(void)
{
    return (struct random_facts){.type = below(TYPE_OBSERVABLES),
                                 .labels = below(1 << LABEL_COUNT),
                                 .tlp = (enum stix_tlp)below(STIX_TLP_COUNT),
                                 .pap = (enum stix_pap)below(5),
                                 .source = known_place(),
                                 .creator = known_place(),
                                 .has_creator = below(2),
                                 .identity = below(IDENTITY_COUNT + 1),
                                 .home = below(NATION_COUNT + 1),
                                 .granular = below(8) == 0,
                                 .granular_tlps = below(3) ? 0 : below(32) << 1,
                                 .confidence = below(3) ? (int)below(101) : -1,
                                 .x_a = (int)below(5) - 1,
                                 .x_n = (int)below(11) - 1,
                                 .x_l = (int)below(6) - 1,
                                 .now = below(8) ? 1 + below(2 * DAYS) : 0,
                                 .made = below(8) ? 1 + below(DAYS) : 0,
                                 .subscriber = below(8) == 0,
                                 .referenced = below(1 << TYPE_OBSERVABLES)};
}

/* ---- the text of a policy ---- */

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

static void put_types(struct buf *b, const char *before, unsigned mask)
{
    for (unsigned i = 0; i < TYPE_COUNT; i++)
        if (mask >> i & 1) {
            buf_printf(b, "%s%s", before, i == TYPE_OBSERVABLES ? "observables" : types[i]);
            before = ", ";
        }
}

static void put_conditions(struct buf *b, const struct random_rule *r)
{
    static const char *const paps[] = {"", "clear", "green", "amber", "red"};
    static const char *const wheres[] = {"", " where x_a \"v1\", v2", " where $.x_a != v1",
                                         " where x_n >= 5", " where $.x_l[*] = v3"};
    const char *before = " ";
    for (int i = STIX_TLP_CLEAR; i <= STIX_TLP_RED; i++)
        if (r->tlp >> i & 1) {
            buf_printf(b, "%stlp:%s", before, stix_tlp_name((enum stix_tlp)i));
            before = ", ";
        }
    before = " ";
    for (int i = STIX_PAP_CLEAR; i <= STIX_PAP_RED; i++)
        if (r->pap >> i & 1) {
            buf_printf(b, "%spap:%s", before, paps[i]);
            before = ", ";
        }
    put_types(b, " types ", r->types);
    before = " label ";
    for (unsigned i = 0; i < LABEL_COUNT; i++)
        if (r->labels >> i & 1) {
            buf_printf(b, "%s\"l%u\"", before, i);
            before = ", ";
        }
    if (r->confidence)
        buf_printf(b, " confidence >= %u", r->confidence - 1);
    if (r->older)
        buf_printf(b, " older than %u days", r->older);
    if (r->newer)
        buf_printf(b, " newer than %u hours", 24 * r->newer);
    buf_lit(b, wheres[r->where]);
    put_types(b, " where referenced by ", r->referenced);
    if (r->source)
        buf_printf(b, " source %s", codes[r->source - 1]);
    if (r->creator)
        buf_printf(b, " creator %s", codes[r->creator - 1]);
    if (r->identity)
        buf_printf(b, "%s\"%s\"", r->creator ? ", " : " creator ", identities[r->identity - 1]);
}

static void put_date(struct buf *b, const char *word, unsigned day)
{
    char text[INSTANT_TEXT_BYTES];
    if (day)
        buf_printf(b, " %s %.10s", word,
                   instant_text(instant_of_us(FIRST_US + day * DAY_US), 0, text).p);
}

/* The transform and the conditions. */
static void put_own(struct buf *b, const struct random_rule *r)
{
    static const char *const transforms[] = {"redact drop $.x_a", "redact coarsen $.x_t to day",
                                             "redact drop-reference"};
    static const char *const verbs[] = {"release", "deny", "hold"};
    buf_lit(b, r->verb == VERB_REDACT ? transforms[r->transform] : verbs[r->verb]);
    put_conditions(b, r);
}

static void put_rule(struct buf *b, struct random_rule *r)
{
    buf_byte(b, '\n');
    r->line = 1;
    for (size_t i = 0; i < b->n; i++)
        r->line += b->p[i] == '\n';
    put_own(b, r);
    buf_lit(b, " to");
    put_terms(b, r->who, r->who_count);
    if (r->except_count)
        buf_lit(b, " except");
    put_terms(b, r->except, r->except_count);
    if (r->under)
        buf_lit(b, " under moc");
    put_date(b, "from", r->from);
    put_date(b, "until", r->until);
    if (r->officers)
        buf_printf(b, " for %u officers", r->officers);
    if (r->hours)
        buf_printf(b, " within %u hours", r->hours);
}

static void put_policy(struct buf *b, struct random_policy *rp)
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
    buf_lit(b, "\nagreement moc \"M\"");
    put_date(b, "from", rp->from);
    put_date(b, "until", rp->until);
    for (unsigned i = 0; i < rp->rule_count; i++)
        put_rule(b, &rp->rules[i]);
}

/* ---- facts as the policy gets them ---- */

/* Room for the JSON values of one object. */
struct facts_room {
    struct json object, labels, confidence, x_a, x_n, x_l;
    struct json label_items[LABEL_COUNT], x_l_items[8];
};

static bool world_referenced(void *ctx, struct str type)
{
    const struct random_facts *rf = ctx;
    for (unsigned i = 0; i < TYPE_OBSERVABLES; i++)
        if (str_eq(type, str_of(types[i])))
            return rf->referenced >> i & 1;
    return false;
}

static void add_member(struct facts_room *room, struct json *m, const char *key)
{
    m->key = str_of(key);
    m->next = room->object.u.child;
    room->object.u.child = m;
    room->object.count++;
}

static void fill_object(struct facts_room *room, const struct random_facts *rf)
{
    static const char *const values[] = {"v0", "v1", "v2", "v3", "v4"};
    room->object.type = JSON_OBJECT;
    room->confidence = (struct json){.type = JSON_INTEGER, .u.i = rf->confidence};
    room->x_n = (struct json){.type = JSON_INTEGER, .u.i = rf->x_n};
    room->x_l.type = JSON_ARRAY;
    if (rf->confidence >= 0)
        add_member(room, &room->confidence, "confidence");
    if (rf->x_n >= 0)
        add_member(room, &room->x_n, "x_n");
    if (rf->x_a >= 0) {
        room->x_a = (struct json){.type = JSON_STRING, .u.s = str_of(values[rf->x_a])};
        add_member(room, &room->x_a, "x_a");
    }
    for (int i = 0; i <= rf->x_l; i++) {
        room->x_l_items[i] =
            (struct json){.type = JSON_STRING, .u.s = str_of(values[i]), .next = room->x_l.u.child};
        room->x_l.u.child = &room->x_l_items[i];
        room->x_l.count++;
    }
    add_member(room, &room->x_l, "x_l");
}

static struct policy_facts facts_in(struct facts_room *room, const struct random_facts *rf)
{
    static const struct str label_names[LABEL_COUNT] = {{"l0", 2}, {"l1", 2}, {"l2", 2}};
    *room = (struct facts_room){.labels.type = JSON_ARRAY};
    for (unsigned i = 0; i < LABEL_COUNT; i++)
        if (rf->labels >> i & 1) {
            room->label_items[i] = (struct json){
                .type = JSON_STRING, .u.s = label_names[i], .next = room->labels.u.child};
            room->labels.u.child = &room->label_items[i];
        }
    fill_object(room, rf);
    struct policy_facts f = {.type = str_of(types[rf->type]),
                             .tlp = rf->tlp,
                             .pap = rf->pap,
                             .labels = &room->labels,
                             .source = party_at(rf->source),
                             .home = str_of(codes[rf->home]),
                             .granular = rf->granular,
                             .granular_tlps = rf->granular_tlps,
                             .object = &room->object,
                             .subscriber = rf->subscriber,
                             .referenced = world_referenced,
                             .referenced_ctx = (void *)(uintptr_t)rf};
    if (rf->has_creator)
        f.creator = party_at(rf->creator);
    if (rf->identity)
        f.creator_identity = str_of(identities[rf->identity - 1]);
    if (rf->now) /* at noon */
        f.now_us = FIRST_US + rf->now * DAY_US + DAY_US / 2;
    if (rf->made)
        f.made_us = FIRST_US + rf->made * DAY_US + DAY_US / 2;
    return f;
}

#endif
