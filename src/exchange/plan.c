/*
 * Planning: what another policy would change, computed on what the node holds by the gate itself.
 * Objects whose records change alike are counted together (a pattern), so that recipients are
 * looked at once a pattern and not once an object.
 */
#include <stdlib.h>
#include <string.h>

#include "exchange/gate_priv.h"

static const char *const effect_names[] = {"released", "withdrawn", "redacted", "restored", "held"};

const char *exchange_plan_effect_name(enum exchange_plan_effect f)
{
    return effect_names[f];
}

/* ---- patterns ---- */

/* One audience that had, or is to have, an object in some form. */
struct side {
    struct side *next;
    struct str audience;
    bool now, copy, held; /* now: recorded; else decided */
};

/* Objects whose sides are the same. */
struct pattern {
    struct pattern *next; /* of one slot of the table */
    uint64_t key;
    struct side *sides;
    uint64_t count, first; /* first: its number among all objects */
    struct str samples[EXCHANGE_PLAN_SAMPLES];
};

#define SLOTS 1024

struct planning {
    struct gate g;
    struct arena *a; /* patterns and results */
    struct pattern *slots[SLOTS];
    const struct exchange_plan_options *o;
    struct exchange_plan *out;
    uint64_t all;
    struct side *sides;    /* of the object that is looked at, in the gate's arena */
    bool changed, touched; /* touched: or it is held somewhere */
    struct err *e;
};

static bool add_side(struct planning *p, const struct side *side)
{
    struct side *copy = arena_alloc(p->g.arena, sizeof *copy);
    if (!copy)
        return arena_ok(p->g.arena, p->e);
    *copy = *side;
    copy->next = p->sides;
    p->sides = copy;
    return true;
}

struct recorded {
    struct planning *p;
    bool failed;
};

static bool add_recorded(struct planning *p, const struct gate_subject *s)
{
    for (const struct gate_row *r = s->rows; r; r = r->next) {
        struct side side = {
            .audience = r->row.audience_text, .now = true, .copy = r->row.object != s->row};
        if (r->row.collection == s->collection->id && !add_side(p, &side))
            return false;
    }
    return true;
}

static bool note_hold(void *ctx, struct str audience)
{
    struct recorded *x = ctx;
    struct side side = {.audience = audience, .now = true, .held = true};
    x->failed = !add_side(x->p, &side);
    return !x->failed;
}

/* Copies may be new versions under an old id; what counts for a recipient is the id. */
static bool add_decided(struct planning *p, const struct gate_decision *d)
{
    for (const struct gate_share *s = d->shares; s; s = s->next) {
        struct side side = {
            .audience = s->audience, .copy = s->copy_id.n > 0, .held = s->verdict == POLICY_HELD};
        if (!add_side(p, &side))
            return false;
    }
    return true;
}

/* An observable's copy stays with those to whom other originals give it. */
static bool add_given_by_others(struct planning *p, const struct gate_subject *s,
                                const struct gate_change *changes)
{
    for (const struct gate_row *r = s->rows; r && s->object->class == STIX_SCO; r = r->next) {
        const struct gate_change *c = changes;
        while (c && (c->row.object != r->row.object || c->row.collection != r->row.collection ||
                     c->row.date_added != r->row.date_added))
            c = c->next;
        struct side side = {.audience = c ? c->after : r->row.audience_text, .copy = true};
        if (r->row.object != s->row && r->row.collection == s->collection->id && side.audience.n &&
            !add_side(p, &side))
            return false;
    }
    return true;
}

static bool plan_in(void *ctx, struct gate_subject *s, struct err *e)
{
    struct planning *p = ctx;
    struct gate_decision d;
    struct gate_change *changes;
    struct recorded r = {.p = p};
    bool held = false;
    if (!gate_decide(&p->g, s, &d, e) || !gate_compare(&p->g, s, &d, &changes, e))
        return false;
    for (const struct gate_share *share = d.shares; share; share = share->next)
        held = held || share->verdict == POLICY_HELD;
    p->changed = p->changed || changes;
    p->touched = p->touched || changes || held;
    return add_recorded(p, s) && (!held || (gate_holds(&p->g, s, note_hold, &r, e) && !r.failed)) &&
           add_decided(p, &d) && add_given_by_others(p, s, changes);
}

static uint64_t key_of(const struct side *sides)
{
    uint64_t key = 0;
    for (const struct side *s = sides; s; s = s->next)
        key = str_hash(s->audience,
                       key * 31 + (s->now ? 1 : 0) + (s->copy ? 2 : 0) + (s->held ? 4 : 0));
    return key;
}

static bool same_sides(const struct side *a, const struct side *b)
{
    for (; a && b; a = a->next, b = b->next)
        if (a->now != b->now || a->copy != b->copy || a->held != b->held ||
            !str_eq(a->audience, b->audience))
            return false;
    return a == b;
}

static bool new_pattern(struct planning *p, uint64_t key, struct pattern **out)
{
    struct pattern *n = arena_calloc(p->a, 1, sizeof *n);
    struct side **end = n ? &n->sides : NULL;
    for (const struct side *s = p->sides; s && n; s = s->next) {
        struct side *copy = arena_alloc(p->a, sizeof *copy);
        if (!copy)
            break;
        *copy = *s;
        copy->audience = arena_str(p->a, s->audience);
        copy->next = NULL;
        *end = copy;
        end = &copy->next;
    }
    if (!arena_ok(p->a, p->e) || !n)
        return false;
    n->key = key;
    n->first = p->out->objects;
    n->next = p->slots[key % SLOTS];
    p->slots[key % SLOTS] = n;
    *out = n;
    return true;
}

static bool count_pattern(struct planning *p, struct str id)
{
    uint64_t key = key_of(p->sides);
    struct pattern *n = p->slots[key % SLOTS];
    while (n && !(n->key == key && same_sides(n->sides, p->sides)))
        n = n->next;
    if (!n && !new_pattern(p, key, &n))
        return false;
    if (n->count < EXCHANGE_PLAN_SAMPLES)
        n->samples[n->count] = arena_str(p->a, id);
    n->count++;
    return arena_ok(p->a, p->e);
}

static bool plan_object(void *ctx, const struct store_object *o, struct err *e)
{
    struct planning *p = ctx;
    p->sides = NULL;
    p->changed = p->touched = false;
    if (p->o->progress && (p->out->objects & 4095) == 0)
        p->o->progress(p->o->ctx, p->out->objects, p->all);
    if (!gate_each_standing(&p->g, o, plan_in, p, e))
        return false;
    p->out->objects++;
    p->out->changed += p->changed;
    return !p->touched || count_pattern(p, o->id);
}

/* ---- recipients ---- */

struct recipients {
    struct arena *a;
    struct exchange_plan_party *list;
    size_t count, room;
    bool failed;
};

static void add_recipient(struct recipients *r, struct str nation, struct str org)
{
    void *items = r->list;
    for (size_t i = 0; i < r->count; i++)
        if (str_eq(r->list[i].party.nation, nation) && str_eq(r->list[i].party.org, org))
            return;
    r->failed = r->failed || !base_grow(&items, &r->room, r->count + 1, sizeof *r->list);
    if (r->failed)
        return;
    r->list = items;
    r->list[r->count++] =
        (struct exchange_plan_party){.party = {arena_str(r->a, nation), arena_str(r->a, org)}};
}

static void add_party(void *ctx, const struct policy_party *party, bool is_operator)
{
    (void)is_operator;
    add_recipient(ctx, party->nation, party->org);
    add_recipient(ctx, party->nation, STR(""));
}

static bool add_user(void *ctx, const struct store_user *u)
{
    add_recipient(ctx, u->nation, u->org_name);
    return true;
}

/* For whom an audience can say something of its own: the policies' organisations and the users',
 * the others of their nations, everybody else. */
static bool all_recipients(struct exchange_session *s, const struct policy *next,
                           struct recipients *r, struct err *e)
{
    policy_each_party(exchange_policy(s->x), add_party, r);
    policy_each_party(next, add_party, r);
    if (!store_user_each(s->store, r->a, add_user, r, e))
        return false;
    add_recipient(r, STR(""), STR(""));
    if (r->failed)
        return err_set(e, ERR_MEMORY, "out of memory");
    return arena_ok(r->a, e);
}

/* Names that nobody has, for "all others": a nation of ISO 3166's user-assigned codes, and an
 * organisation that policies cannot name apart. */
static struct policy_party probe_of(const struct policy_party *p)
{
    return (struct policy_party){p->nation.n ? p->nation : STR("ZZ"),
                                 p->org.n ? p->org : STR("0-others")};
}

/* What a pattern does to one recipient; false: nothing. */
static bool effect_of(const struct pattern *n, const struct policy_party *who,
                      enum exchange_plan_effect *out)
{
    bool had = false, had_copy = false, has = false, has_copy = false;
    bool was_held = false, held = false;
    for (const struct side *s = n->sides; s; s = s->next) {
        if (!policy_audience_has(s->audience, who))
            continue;
        was_held = was_held || (s->now && s->held);
        had = had || (s->now && !s->copy && !s->held);
        had_copy = had_copy || (s->now && s->copy);
        has = has || (!s->now && !s->held && !s->copy);
        has_copy = has_copy || (!s->now && !s->held && s->copy);
        held = held || (!s->now && s->held);
    }
    bool any_before = had || had_copy, any_after = has || has_copy;
    if (any_after && !any_before)
        *out = EXCHANGE_PLAN_RELEASED;
    else if (any_before && !any_after)
        *out = EXCHANGE_PLAN_WITHDRAWN;
    else if (had && !has && has_copy)
        *out = EXCHANGE_PLAN_REDACTED;
    else if (had_copy && !had && has)
        *out = EXCHANGE_PLAN_RESTORED;
    else if (held && !any_before && !was_held)
        *out = EXCHANGE_PLAN_HELD;
    else
        return false;
    return true;
}

static int by_first(const void *a, const void *b)
{
    const struct pattern *x = *(const struct pattern *const *)a;
    const struct pattern *y = *(const struct pattern *const *)b;
    return (x->first > y->first) - (x->first < y->first);
}

static void count_effect(struct exchange_plan_party *r, const struct pattern *n)
{
    enum exchange_plan_effect f;
    struct policy_party who = probe_of(&r->party);
    if (!effect_of(n, &who, &f))
        return;
    for (size_t i = 0; i < EXCHANGE_PLAN_SAMPLES && i < n->count; i++) {
        size_t at = (size_t)(r->counts[f] < EXCHANGE_PLAN_SAMPLES ? r->counts[f] : SIZE_MAX);
        if (at == SIZE_MAX || at + i >= EXCHANGE_PLAN_SAMPLES)
            break;
        r->samples[f][at + i] = n->samples[i];
    }
    r->counts[f] += n->count;
}

static bool is_touched(const struct exchange_plan_party *r)
{
    for (size_t f = 0; f < EXCHANGE_PLAN_EFFECTS; f++)
        if (r->counts[f])
            return true;
    return false;
}

static bool sum_up(struct planning *p, struct recipients *r)
{
    size_t count = 0, n = 0;
    for (size_t i = 0; i < SLOTS; i++)
        for (const struct pattern *x = p->slots[i]; x; x = x->next)
            count++;
    struct pattern **sorted = arena_calloc(p->a, count + 1, sizeof(struct pattern *));
    struct exchange_plan_party *list = arena_calloc(p->a, r->count, sizeof *list);
    if (!sorted || !list)
        return arena_ok(p->a, p->e);
    for (size_t i = 0; i < SLOTS; i++)
        for (struct pattern *x = p->slots[i]; x; x = x->next)
            sorted[n++] = x;
    qsort(sorted, n, sizeof *sorted, by_first);
    for (size_t k = 0; k < r->count; k++) {
        for (size_t i = 0; i < n; i++)
            count_effect(&r->list[k], sorted[i]);
        if (is_touched(&r->list[k]))
            list[p->out->party_count++] = r->list[k];
    }
    p->out->parties = list;
    return true;
}

/* ---- the plan ---- */

static bool look_at_all(struct planning *p, struct exchange_session *s, const struct policy *next,
                        struct err *e)
{
    struct recipients r = {.a = p->a};
    struct gate_walk all = {.most = SIZE_MAX};
    bool ok = gate_begin(&p->g, s->store, e) && all_recipients(s, next, &r, e) &&
              store_object_count(s->store, &p->all, e) && gate_foresee(&p->g, e) &&
              gate_each_stored(&p->g, &all, plan_object, p, e) && sum_up(p, &r);
    base_free(r.list);
    return ok;
}

bool exchange_policy_plan(struct exchange_session *s, const struct exchange_plan_options *o,
                          struct arena *a, struct exchange_plan *out, struct err *e)
{
    struct policy *next;
    *out = (struct exchange_plan){0};
    struct planning *p = arena_calloc(a, 1, sizeof *p);
    if (!p)
        return arena_ok(a, e);
    p->a = a;
    p->o = o;
    p->out = out;
    p->e = e;
    if (!policy_parse(o->text, o->name, &next, e))
        return false;
    bool ok = gate_init(&p->g, s->x, next, e);
    if (ok && (ok = store_begin(s->store, e))) {
        ok = look_at_all(p, s, next, e);
        store_rollback(s->store);
    }
    gate_done(&p->g);
    policy_free(next);
    return ok;
}
