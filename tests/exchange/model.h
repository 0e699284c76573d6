/*
 * The naive model of a node: what was submitted, by whom, into which collection, who approved what;
 * and for every organisation what it is to read of that, in what form. It is the documents' reading
 * (docs/POLICY.md), computed anew at every question.
 */
#ifndef TESTS_EXCHANGE_MODEL_H
#define TESTS_EXCHANGE_MODEL_H

#include "world.h"

enum {
    OBJECTS_MOST = 24,
    VERSIONS_MOST = 90,
    REFS_MOST = 3,
    STORED_MOST = 96,
    COLLECTIONS = 2,
    ID_BYTES = 80
};
enum { OFFICERS = 3, ENTRIES_MOST = 128, COPIES_MOST = 256, LIMITS_MOST = 64 };
/* The defaults of the collections. */
static const unsigned defaults[COLLECTIONS] = {STIX_TLP_GREEN, STIX_TLP_AMBER};

/* ---- objects ---- */

/* One version of an object, as it is submitted. */
struct content {
    unsigned object, version; /* from 1 */
    enum thing_type type;
    unsigned tlp, labels, value, granular; /* tlp 0: unmarked; value 0: "v0" */
    bool old_tlp;                          /* TLP 1's marking definitions */
    int confidence, creator;               /* -1: none */
    bool a, b, revoked, other;             /* other: says something else under the same version */
    char refs[REFS_MOST][ID_BYTES];
    unsigned ref_count;
};

#define UUID_OF_OBJECT "00000000-0000-%c000-8000-%012u"

static void put_id(unsigned object, enum thing_type type, char out[ID_BYTES])
{
    snprintf(out, ID_BYTES, "%s--" UUID_OF_OBJECT, type_names[type], type == ADDRESS ? '5' : '4',
             object);
}

static void put_identity(unsigned party, char out[ID_BYTES])
{
    snprintf(out, ID_BYTES, "identity--00000000-0000-4000-9000-%012u", party);
}

/* The version counts milliseconds, so that versions are seconds or less apart. */
static int64_t modified_us(const struct content *c)
{
    return day_us(1 + c->object % 5) + c->version * INT64_C(10000);
}

static const char *marking_id(unsigned tlp, bool old)
{
    static const char *const ids[] = {[STIX_TLP_CLEAR] = "94868c89-83c2-464b-929b-a1a8aa3c8487",
                                      [STIX_TLP_GREEN] = "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
                                      [STIX_TLP_AMBER] = "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
                                      [STIX_TLP_AMBER_STRICT] =
                                          "939a9414-2ddd-4d32-a0cd-375ea402b003",
                                      [STIX_TLP_RED] = "e828b379-4e03-4974-9ac4-e53a884c97c1"};
    static const char *const olds[] = {[STIX_TLP_CLEAR] = "613f2e26-407d-48c7-9eca-b8e91df99dc9",
                                       [STIX_TLP_GREEN] = "34098fce-860f-48ae-8e50-ebd3cc5e41da",
                                       [STIX_TLP_AMBER] = "f88d31f6-486f-44da-b317-01333bde0b82",
                                       [STIX_TLP_AMBER_STRICT] = NULL,
                                       [STIX_TLP_RED] = "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"};
    return old && olds[tlp] ? olds[tlp] : ids[tlp];
}

#define CANARY "CNRY-%03u-%02u-%c"

static void put_refs(struct buf *b, const struct content *c)
{
    switch (c->type) {
    case RELATIONSHIP:
        buf_printf(b, ",\"source_ref\":\"%s\",\"target_ref\":\"%s\"", c->refs[0], c->refs[1]);
        return;
    case SIGHTING:
        buf_printf(b, ",\"sighting_of_ref\":\"%s\"", c->refs[0]);
        return;
    case REPORT:
    case NOTE:
        for (unsigned i = 0; i < c->ref_count; i++)
            buf_printf(b, "%s\"%s\"", i ? "," : ",\"object_refs\":[", c->refs[i]);
        buf_byte(b, ']');
        return;
    case INDICATOR:
    case ADDRESS:
    case MALWARE:
    case TYPES:
        return;
    }
}

static void put_own(struct buf *b, const struct content *c)
{
    static const char *const names[TYPES] = {"name",        NULL,   "name",   "description",
                                             "description", "name", "content"};
    if (c->type == ADDRESS)
        buf_printf(b, ",\"value\":\"198.51.%u.%u\"", c->object, c->version);
    else
        buf_printf(b, ",\"%s\":\"" CANARY "\"", names[c->type], c->object, c->version, 'n');
    if (c->type == INDICATOR)
        buf_lit(b, ",\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\",\"pattern_type\":\"stix\","
                   "\"valid_from\":\"2026-01-01T00:00:00Z\"");
    if (c->type == MALWARE)
        buf_lit(b, ",\"is_family\":false");
    if (c->type == RELATIONSHIP)
        buf_lit(b, ",\"relationship_type\":\"related-to\"");
    if (c->type == REPORT)
        buf_lit(b, ",\"published\":\"2026-01-01T00:00:00Z\"");
    put_refs(b, c);
}

static void put_markings(struct buf *b, const struct content *c)
{
    if (c->tlp)
        buf_printf(b, ",\"object_marking_refs\":[\"marking-definition--%s\"]",
                   marking_id(c->tlp, c->old_tlp));
    if (c->granular)
        buf_printf(b,
                   ",\"granular_markings\":[{\"marking_ref\":\"marking-definition--%s\","
                   "\"selectors\":[\"x_a\"]}]",
                   marking_id(c->granular, false));
}

static void put_content(struct buf *b, const struct content *c)
{
    char id[ID_BYTES], when[INSTANT_TEXT_BYTES];
    put_id(c->object, c->type, id);
    buf_printf(b, "{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s\"", type_names[c->type],
               id);
    if (c->type != ADDRESS) {
        int64_t created = day_us(1 + c->object % 5);
        buf_printf(b, ",\"created\":\"%s\"", instant_text(instant_of_us(created), 3, when).p);
        buf_printf(b, ",\"modified\":\"%s\"",
                   instant_text(instant_of_us(modified_us(c)), 3, when).p);
        if (c->revoked)
            buf_lit(b, ",\"revoked\":true");
        if (c->creator >= 0) {
            put_identity((unsigned)c->creator, id);
            buf_printf(b, ",\"created_by_ref\":\"%s\"", id);
        }
        if (c->confidence >= 0)
            buf_printf(b, ",\"confidence\":%d", c->confidence);
        if (c->labels)
            buf_printf(b, ",\"labels\":[%s%s%s]", c->labels & 1 ? "\"l0\"" : "",
                       c->labels == 3 ? "," : "", c->labels & 2 ? "\"l1\"" : "");
    }
    put_own(b, c);
    buf_printf(b, ",\"x_tag\":\"" CANARY "\"", c->object, c->version, 't');
    if (c->a)
        buf_printf(b, ",\"x_a\":\"" CANARY "\"", c->object, c->version, 'a');
    if (c->b)
        buf_printf(b, ",\"x_b\":\"" CANARY "\"", c->object, c->version, 'b');
    buf_printf(b, ",\"x_w\":\"v%u%s\"", c->value, c->other ? "!" : "");
    put_markings(b, c);
    buf_byte(b, '}');
}

/* ---- what the node holds ---- */

enum entry_state { WAITING, APPROVED, TURNED_DOWN, EXPIRED, VOID };

/* What waits for officers: a hold, or an arrival in quarantine. */
struct entry {
    int64_t id;
    bool quarantine, by_name, dead; /* dead: what it is about is gone */
    unsigned stored, collection;    /* of a hold */
    unsigned who, officers;
    unsigned all, party[OFFICERS]; /* votes: of officers for all; of each officer for parties */
    unsigned refused;              /* once refused or expired: who still waited then */
    int user;                      /* officer who submitted it; -1: somebody else */
    int64_t expires_us;
    enum entry_state state;
    struct content content; /* of an arrival */
    unsigned from;
};

struct stored {
    bool used;
    struct content content;
    char *text;
    size_t length;
    unsigned source, marking;
    int owner;
    int user;                             /* the officer who was first, or -1 */
    unsigned first;                       /* who submitted the first version */
    unsigned users;                       /* officers who submitted it */
    int64_t version_us, received_us, row; /* row: its number in the store, once it was read */
    struct {
        bool in;
        int user; /* the officer who brought it in, or -1 */
        unsigned submitters;
    } at[COLLECTIONS];
};

/* An id under which the node gave out a redacted copy. */
struct copy_id {
    char id[ID_BYTES];
    unsigned object;
};

struct limit {
    char key[640];
    int64_t window;
    unsigned count;
};

struct model {
    struct world_policy policy;
    int64_t now_us;
    struct stored stored[STORED_MOST];
    unsigned count;
    struct entry entries[ENTRIES_MOST];
    unsigned entry_count;
    struct copy_id copies[COPIES_MOST];
    unsigned copy_count;
    struct limit limits[LIMITS_MOST];
    unsigned limit_count;
    /* Which object has which type, once it was made. */
    enum thing_type types[OBJECTS_MOST + 1];
    unsigned object_count;
    unsigned versions[OBJECTS_MOST + 1];
    /* Who read a version that another brought in, and lost it. */
    unsigned taken[OBJECTS_MOST + 1][VERSIONS_MOST];
};

static inline void model_free(struct model *m)
{
    for (unsigned i = 0; i < m->count; i++)
        base_free(m->stored[i].text);
}

static const struct copy_id *copy_of_id(const struct model *m, const char *id)
{
    for (unsigned i = 0; i < m->copy_count; i++)
        if (strcmp(m->copies[i].id, id) == 0)
            return &m->copies[i];
    return NULL;
}

/* The object that an id names, whether its own or a copy's; 0: none. */
static inline unsigned object_of_id(const struct model *m, const char *id)
{
    unsigned n;
    const char *at = strstr(id, "-8000-");
    const struct copy_id *c = copy_of_id(m, id);
    if (c)
        return c->object;
    return at && strncmp(id, "identity", 8) != 0 && sscanf(at + 6, "%12u", &n) == 1 ? n : 0;
}

/* ---- facts ---- */

static bool refers_to(const struct content *c, const char *id)
{
    for (unsigned i = 0; i < c->ref_count; i++)
        if (strcmp(c->refs[i], id) == 0)
            return true;
    return false;
}

static unsigned referenced_by(const struct model *m, const struct content *c)
{
    char id[ID_BYTES];
    unsigned types = 0;
    put_id(c->object, c->type, id);
    for (unsigned i = 0; i < m->count; i++)
        if (m->stored[i].used && refers_to(&m->stored[i].content, id))
            types |= bit(m->stored[i].content.type);
    return types;
}

static struct facts facts_of_content(const struct model *m, const struct content *c,
                                     unsigned marking)
{
    unsigned tlp = c->tlp ? c->tlp : marking;
    return (struct facts){.type = c->type,
                          .tlp = tlp ? tlp : STIX_TLP_AMBER,
                          .labels = c->type == ADDRESS ? 0 : c->labels,
                          .value = c->other ? 99 : c->value,
                          .granular = c->granular,
                          .confidence = c->type == ADDRESS ? -1 : c->confidence,
                          .creator = c->type == ADDRESS ? -1 : c->creator,
                          .made_us = modified_us(c),
                          .now_us = m->now_us,
                          .referenced = referenced_by(m, c)};
}

/* What came from abroad stays bound to its nation whoever hands it in. */
static struct facts facts_of(const struct model *m, const struct stored *s)
{
    struct facts f = facts_of_content(m, &s->content, s->marking);
    if (s->content.type == ADDRESS)
        f.made_us = s->received_us;
    f.source =
        f.creator >= 0 && parties[f.creator].nation != NATION_IN ? f.creator : (int)s->source;
    return f;
}

/* ---- approvals ---- */

/* Who of an entry has enough officers, each counted once. */
static unsigned approved_of(const struct entry *e)
{
    unsigned approved = 0;
    for (unsigned p = 0; p < PARTIES; p++) {
        unsigned officers = 0;
        for (unsigned o = 0; o < OFFICERS; o++)
            officers += (e->all >> o & 1 && !e->by_name) || (e->party[o] >> p & 1);
        if (e->who & bit(p) && officers >= e->officers)
            approved |= bit(p);
    }
    return approved;
}

static unsigned approved(const struct model *m, unsigned s, unsigned c)
{
    unsigned who = 0;
    for (unsigned i = 0; i < m->entry_count; i++) {
        const struct entry *e = &m->entries[i];
        if (!e->quarantine && e->stored == s && e->collection == c && e->state != VOID)
            who |= approved_of(e);
    }
    return who;
}

static inline unsigned covered(const struct model *m, unsigned s, unsigned c)
{
    unsigned who = 0;
    for (unsigned i = 0; i < m->entry_count; i++) {
        const struct entry *e = &m->entries[i];
        if (!e->quarantine && e->stored == s && e->collection == c && e->state != VOID)
            who |= e->who;
    }
    return who;
}

/* ---- who is to read it ---- */

enum form { FORM_NONE, FORM_HELD, FORM_OWN, FORM_PLAIN, FORM_VIEW };

struct due {
    enum form form;
    const struct rule *rule; /* that decided; NULL: floor or submitter */
    struct view view;        /* of FORM_VIEW */
};

static inline struct due due(const struct model *m, unsigned i, unsigned c, unsigned to)
{
    const struct stored *s = &m->stored[i];
    struct due d = {.form = FORM_NONE};
    if (!s->used || !s->at[c].in)
        return d;
    struct facts f = facts_of(m, s);
    d.form = FORM_OWN;
    if (to == s->source || to == (unsigned)f.source || s->at[c].submitters & bit(to))
        return d;
    struct verdict v = read_rules(&m->policy, &f, f.tlp, to);
    d.rule = v.rule;
    d.form = v.answer == DENIED                                   ? FORM_NONE
             : v.answer == HELD && !(approved(m, i, c) & bit(to)) ? FORM_HELD
                                                                  : FORM_PLAIN;
    if (d.form != FORM_PLAIN)
        return d;
    d.view = read_redactions(&m->policy, &f, to);
    d.form = d.view.rules ? FORM_VIEW : FORM_PLAIN;
    return d;
}

/* Whom the rules hold, whether approved or not. */
static unsigned held_by_rules(const struct model *m, unsigned i, unsigned c)
{
    const struct stored *s = &m->stored[i];
    struct facts f = facts_of(m, s);
    unsigned who = 0;
    for (unsigned p = 0; p < PARTIES; p++)
        if (s->used && s->at[c].in && p != s->source && p != (unsigned)f.source &&
            !(s->at[c].submitters & bit(p)) && read_rules(&m->policy, &f, f.tlp, p).answer == HELD)
            who |= bit(p);
    return who;
}

/* ---- arrivals ---- */

enum outcome { ACCEPTED, UNCHANGED, REFUSED, QUARANTINED };
struct arrival {
    enum outcome outcome;
    const struct rule *rule; /* NULL: a floor or the default */
    const char *clause;      /* of STIX, or NULL */
    unsigned stored;         /* where it stands, when accepted or unchanged */
};

struct arriving {
    const struct content *content;
    unsigned collection, from;
    int user;
    bool from_partner, approved;
};

/* The versions of its id that are stored. */
struct known {
    int any, same, own; /* indices or -1; own: the sender's latest of what has no versions */
    unsigned first;     /* who submitted the id first */
    int owner;
    bool revoked_before;
};

static struct known known_of(const struct model *m, const struct arriving *a)
{
    struct known k = {-1, -1, -1, 0, -1, false};
    for (unsigned i = 0; i < m->count; i++) {
        const struct stored *s = &m->stored[i];
        if (!s->used || s->content.object != a->content->object)
            continue;
        if (k.any < 0) { /* the list is in order of arrival */
            k.any = (int)i;
            k.first = s->first;
            k.owner = s->owner;
        }
        if (s->content.version == a->content->version && s->content.type != ADDRESS)
            k.same = (int)i;
        if (s->source == a->from && (k.own < 0 || s->version_us > m->stored[k.own].version_us))
            k.own = (int)i;
        k.revoked_before =
            k.revoked_before || (s->content.revoked && s->content.version < a->content->version);
    }
    if (a->content->type == ADDRESS)
        k.same = k.own;
    return k;
}

static bool same_content(const struct content *a, const struct content *b)
{
    struct buf x, y;
    buf_init(&x, 0);
    buf_init(&y, 0);
    put_content(&x, a);
    put_content(&y, b);
    bool same = str_eq(buf_view(&x), buf_view(&y));
    buf_done(&x);
    buf_done(&y);
    return same;
}

static bool within_limit(struct model *m, const struct rule *r, unsigned from)
{
    char key[sizeof m->limits[0].key];
    unsigned i = 0;
    int64_t window = m->now_us / DAY_US;
    snprintf(key, sizeof key, "%u %s", from, r->text);
    while (i < m->limit_count && strcmp(m->limits[i].key, key) != 0)
        i++;
    if (i == m->limit_count) {
        must(m->limit_count < LIMITS_MOST);
        m->limit_count++;
        memcpy(m->limits[i].key, key, sizeof key);
        m->limits[i].count = 0;
    }
    struct limit *l = &m->limits[i];
    if (l->window != window)
        l->count = 0;
    l->window = window;
    if (l->count >= r->limit)
        return false;
    l->count++;
    return true;
}

static const struct rule *arrival_rule(const struct model *m, const struct arriving *a, bool owner)
{
    struct facts f = facts_of_content(m, a->content, defaults[a->collection]);
    f.source = (int)a->from;
    f.owner = owner;
    for (unsigned i = 0; i < m->policy.count; i++) {
        const struct rule *r = &m->policy.rules[i];
        if (is_arrival(r->verb) && r->who & bit(a->from) && rule_active(&m->policy, r, m->now_us) &&
            rule_holds(r, &f, f.tlp))
            return r;
    }
    return NULL;
}

static bool has_arrival_rules(const struct model *m)
{
    for (unsigned i = 0; i < m->policy.count; i++)
        if (is_arrival(m->policy.rules[i].verb))
            return true;
    return false;
}

static bool delegated(const struct world_policy *p, unsigned who, int owner)
{
    return p->delegate != p->of && p->delegate == who && (int)p->of == owner;
}

static unsigned model_add(struct model *m, const struct arriving *a, const struct known *k)
{
    struct buf b;
    must(m->count < STORED_MOST);
    struct stored *s = &m->stored[m->count];
    *s = (struct stored){.used = true,
                         .content = *a->content,
                         .source = a->from,
                         .user = a->user,
                         .first = k->any >= 0 ? k->first : a->from,
                         .marking = defaults[a->collection],
                         .received_us = m->now_us,
                         .version_us = modified_us(a->content)};
    s->owner = k->any >= 0 && a->content->type != ADDRESS                ? k->owner
               : a->content->type != ADDRESS && a->content->creator >= 0 ? a->content->creator
                                                                         : (int)a->from;
    if (a->content->type == ADDRESS) {
        s->version_us = m->now_us;
        for (unsigned i = 0; i < m->count; i++)
            if (m->stored[i].used && m->stored[i].content.object == a->content->object &&
                m->stored[i].version_us >= s->version_us)
                s->version_us = m->stored[i].version_us + 1;
    }
    buf_init(&b, 0);
    put_content(&b, a->content);
    s->text = b.p;
    s->length = b.n;
    return m->count++;
}

static struct arrival refused_by(const struct rule *r, const char *clause)
{
    return (struct arrival){REFUSED, r, clause, 0};
}

/* What the rules say; outcome ACCEPTED lets it go on. */
static struct arrival ask_rules(struct model *m, const struct arriving *a, bool owner)
{
    const struct rule *r = arrival_rule(m, a, owner);
    bool home = parties[a->from].nation == NATION_IN;
    if (!r) {
        bool in = home || (!has_arrival_rules(m) && a->from_partner);
        return in ? (struct arrival){ACCEPTED, NULL, NULL, 0} : refused_by(NULL, "policy-default");
    }
    if (r->verb == REFUSE || (r->verb == ACCEPT && r->limit && !within_limit(m, r, a->from)))
        return refused_by(r, NULL);
    return (struct arrival){r->verb == QUARANTINE && !a->approved ? QUARANTINED : ACCEPTED, r, NULL,
                            0};
}

static inline struct arrival model_arrive(struct model *m, const struct arriving *a)
{
    const struct content *c = a->content;
    struct known k = known_of(m, a);
    bool versioned = c->type != ADDRESS, exists = k.any >= 0;
    int whose = exists ? k.owner : c->creator;
    bool owner = !versioned || whose < 0 || whose == (int)a->from ||
                 (exists && k.first == a->from) || delegated(&m->policy, a->from, whose);
    bool same = k.same >= 0 && same_content(&m->stored[k.same].content, c);
    struct arrival r = ask_rules(m, a, owner || !exists);
    if (r.outcome != ACCEPTED)
        return r;
    r.rule = NULL;
    if (versioned && k.same < 0 && parties[a->from].nation != NATION_IN &&
        m->taken[c->object][c->version] & bit(a->from))
        return refused_by(NULL, "setu-withdrawn");
    if (versioned && k.same >= 0 && !same)
        return refused_by(NULL, "stix21-3.6-versioning");
    if (!exists && versioned && c->creator >= 0 && parties[c->creator].nation == NATION_IN &&
        parties[a->from].nation != NATION_IN && !owner)
        return refused_by(NULL, "stix21-3.6-creator");
    if (versioned && exists && k.same < 0 && !owner)
        return refused_by(NULL, "stix21-3.6-creator");
    if (versioned && k.revoked_before && k.same < 0)
        return refused_by(NULL, "stix21-3.6-revoked");
    r.stored = same ? (unsigned)k.same : model_add(m, a, &k);
    struct stored *s = &m->stored[r.stored];
    if (s->marking < defaults[a->collection])
        s->marking = defaults[a->collection];
    r.outcome = s->at[a->collection].in ? UNCHANGED : ACCEPTED;
    if (a->user >= 0)
        s->users |= bit((unsigned)a->user);
    if (r.outcome == ACCEPTED)
        s->at[a->collection].user = a->user;
    s->at[a->collection].in = true;
    if (s->source != a->from)
        s->at[a->collection].submitters |= bit(a->from);
    return r;
}

/* ---- holds ---- */

/* What the passing of time closes. */
static inline void model_expire(struct model *m)
{
    for (unsigned i = 0; i < m->entry_count; i++)
        if (m->entries[i].state == WAITING && m->entries[i].expires_us <= m->now_us)
            m->entries[i].state = EXPIRED;
}

/* An entry is void once the rules hold nobody of it any more. */
static inline void model_void(struct model *m)
{
    for (unsigned i = 0; i < m->entry_count; i++) {
        struct entry *e = &m->entries[i];
        if (e->quarantine)
            continue;
        const struct stored *s = &m->stored[e->stored];
        e->dead = !s->used || !s->at[e->collection].in;
        if (!e->dead && e->state == WAITING &&
            !(held_by_rules(m, e->stored, e->collection) & e->who))
            e->state = VOID;
    }
}

#endif
