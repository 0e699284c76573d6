/* The release desk: what waits for officers, and what their approvals open. */
#include <string.h>

#include "exchange/batch_priv.h"

#define HOUR_US ((int64_t)3600 * 1000000)

/* ---- approvals ---- */

/* Who is approved of one entry: each party that has enough officers, or all of them. Votes come by
 * party, those for all first; an officer who voted for all is not counted again for one. */
struct counting {
    struct gate *g;
    struct str audience, party, approved;
    unsigned officers, have, have_all;
    int64_t for_all[LIMIT_POLICY_OFFICERS];
    bool by_name, failed;
    struct err *e;
};

static bool close_party(struct counting *c)
{
    struct str one = STR("");
    if (c->party.n == 0)
        c->have_all = c->have;
    if (c->have == 0 || c->have + (c->party.n && !c->by_name ? c->have_all : 0) < c->officers)
        return true;
    if (c->party.n == 0)
        one = c->by_name ? one : c->audience;
    else
        one = arena_printf(c->g->arena, "+%.*s", STR_FMT(c->party));
    return arena_ok(c->g->arena, c->e) &&
           gate_combine(c->g, one, c->approved, POLICY_EITHER, &c->approved, c->e);
}

static bool count_vote(void *ctx, const struct store_vote *v)
{
    struct counting *c = ctx;
    if (!str_eq(v->party, c->party)) {
        c->failed = !close_party(c);
        c->party = arena_str(c->g->arena, v->party);
        c->have = 0;
    }
    for (unsigned i = 0; i < c->have_all && c->party.n && !c->by_name; i++)
        if (c->for_all[i] == v->user)
            return !c->failed;
    if (c->party.n == 0 && c->have < LIMIT_POLICY_OFFICERS) /* no rule asks for more */
        c->for_all[c->have] = v->user;
    if (c->have < LIMIT_POLICY_OFFICERS)
        c->have++;
    return !c->failed;
}

static bool approved_of(struct gate *g, const struct store_desk *d, struct str *out, struct err *e)
{
    struct counting c = {.g = g,
                         .audience = d->audience,
                         .party = STR(""),
                         .approved = STR(""),
                         .officers = d->officers,
                         .by_name = d->by_name,
                         .e = e};
    return store_vote_each(g->store, d->id, count_vote, &c, e) && !c.failed && close_party(&c) &&
           gate_combine(g, c.approved, d->audience, POLICY_BOTH, out, e);
}

struct desk_item {
    struct store_desk d;
    struct desk_item *next;
};

struct desk_items {
    struct gate *g;
    struct desk_item *first;
    bool failed;
    struct err *e;
};

static bool note_item(void *ctx, const struct store_desk *d)
{
    struct desk_items *l = ctx;
    struct desk_item *i = arena_calloc(l->g->arena, 1, sizeof *i);
    l->failed = !i && !arena_ok(l->g->arena, l->e);
    if (!i)
        return false;
    i->d = *d;
    i->d.audience = arena_str(l->g->arena, d->audience);
    i->next = l->first;
    l->first = i;
    return true;
}

static bool items_of(struct gate *g, const struct gate_subject *s, struct desk_item **out,
                     struct err *e)
{
    struct desk_items l = {.g = g, .e = e};
    if (s->row &&
        (!store_desk_of_object(g->store, s->row, s->collection->id, note_item, &l, e) || l.failed))
        return false;
    *out = l.first;
    return arena_ok(g->arena, e);
}

bool gate_approved(struct gate *g, const struct gate_subject *s, const struct gate_share *share,
                   struct str *out, struct err *e)
{
    struct desk_item *items;
    struct str all = STR("");
    (void)share;
    if (!items_of(g, s, &items, e))
        return false;
    for (const struct desk_item *i = items; i; i = i->next) {
        struct str some;
        /* What enough officers approved stays open when the rest is refused or has waited too long.
         */
        if (i->d.state == STORE_DESK_VOID)
            continue;
        if (!approved_of(g, &i->d, &some, e) || !gate_combine(g, some, all, POLICY_EITHER, &all, e))
            return false;
    }
    *out = all;
    return true;
}

bool gate_holds(struct gate *g, const struct gate_subject *s, gate_hold_fn *each, void *ctx,
                struct err *e)
{
    struct desk_item *items;
    if (!items_of(g, s, &items, e))
        return false;
    for (const struct desk_item *i = items; i; i = i->next)
        if (i->d.state != STORE_DESK_VOID && !each(ctx, i->d.audience))
            break;
    return true;
}

/* ---- holding ---- */

/* An entry that nobody waits for any more: the rules hold it no longer. */
static bool void_items(struct gate *g, struct desk_item *items, const struct gate_decision *d,
                       struct err *e)
{
    for (const struct desk_item *i = items; i; i = i->next) {
        struct str left;
        if (i->d.state != STORE_DESK_WAITING)
            continue;
        if (!gate_combine(g, i->d.audience, d->held, POLICY_BOTH, &left, e))
            return false;
        if (left.n == 0 && !store_desk_close(g->store, i->d.id, STORE_DESK_VOID,
                                             STR("nobody waits for it any more"), e))
            return false;
    }
    return true;
}

static bool hold_share(struct gate *g, const struct gate_subject *s, const struct gate_share *share,
                       const struct desk_item *items, struct err *e)
{
    struct str missing = share->audience;
    for (const struct desk_item *i = items; i; i = i->next)
        if (i->d.state != STORE_DESK_VOID &&
            !gate_combine(g, missing, i->d.audience, POLICY_WITHOUT, &missing, e))
            return false;
    if (missing.n == 0)
        return true;
    struct store_desk d = {
        .kind = STORE_DESK_HOLD,
        .object = s->row,
        .collection = s->collection->id,
        .org = s->source_org,
        .user = s->user,
        .audience = missing,
        .stix_id = s->object->id,
        .type = s->object->type,
        .rule = share->group->rule.text,
        .rule_line = share->group->rule.line,
        .officers = share->group->officers,
        .by_name = share->group->by_name,
        .at_us = g->now_us,
        .expires_us = g->now_us + share->group->within_hours * HOUR_US,
    };
    struct gate_told t = {.id = s->object->id,
                          .version = s->object->version,
                          .bytes = json_source(s->source, s->object->json),
                          .audience = missing,
                          .line = share->group->rule.line};
    return gate_collection(g, s->collection->id, &t.collection, e) &&
           gate_record_object(g, LEDGER_HOLD_RECORD, &t, e) && store_desk_add(g->store, &d, e);
}

bool gate_hold(struct gate *g, const struct gate_subject *s, const struct gate_decision *d,
               struct err *e)
{
    struct desk_item *items;
    bool any = false;
    for (const struct gate_share *share = d->shares; share; share = share->next)
        any = any || share->verdict == POLICY_HELD;
    if (!any && !g->has_desk)
        return true;
    if (!items_of(g, s, &items, e) || !void_items(g, items, d, e))
        return false;
    for (const struct gate_share *share = d->shares; share; share = share->next)
        if (share->verdict == POLICY_HELD && !hold_share(g, s, share, items, e))
            return false;
    g->has_desk = g->has_desk || any;
    return true;
}

/* ---- officers at work ---- */

struct listing {
    struct exchange_session *s;
    struct arena *a;
    exchange_desk_fn *each;
    void *ctx;
    struct desk_item *items;
    bool failed;
    struct err *e;
};

static bool list_item(void *ctx, const struct store_desk *d)
{
    struct listing *l = ctx;
    struct desk_item *i = arena_calloc(l->a, 1, sizeof *i), **end = &l->items;
    if (!i) {
        l->failed = true;
        return false;
    }
    i->d = *d;
    i->d.audience = arena_str(l->a, d->audience);
    i->d.stix_id = arena_str(l->a, d->stix_id);
    i->d.type = arena_str(l->a, d->type);
    i->d.rule = arena_str(l->a, d->rule);
    i->d.reason = arena_str(l->a, d->reason);
    while (*end)
        end = &(*end)->next;
    *end = i;
    return true;
}

struct voting {
    struct arena *a;
    struct exchange_vote *list;
    size_t count, room;
    bool failed;
};

static bool list_vote(void *ctx, const struct store_vote *v)
{
    struct voting *l = ctx;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 8;
        struct exchange_vote *more = arena_calloc(l->a, room, sizeof *more);
        l->failed = more == NULL;
        if (!more)
            return false;
        if (l->count)
            memcpy(more, l->list, l->count * sizeof *more);
        l->list = more;
        l->room = room;
    }
    l->list[l->count++] =
        (struct exchange_vote){arena_str(l->a, v->user_name), arena_str(l->a, v->party), v->at_us};
    return true;
}

bool exchange_desk_each(struct exchange_session *s, struct arena *a, bool all,
                        exchange_desk_fn *each, void *ctx, struct err *e)
{
    struct listing l = {.s = s, .a = a, .each = each, .ctx = ctx, .e = e};
    int64_t now = now_us();
    if (!store_desk_each(s->store, all, list_item, &l, e))
        return false;
    for (const struct desk_item *i = l.items; i && !l.failed; i = i->next) {
        struct voting v = {.a = a};
        struct store_org org;
        if (!store_vote_each(s->store, i->d.id, list_vote, &v, e) ||
            !store_org_get(s->store, a, i->d.org, &org, e))
            return false;
        struct exchange_desk_entry entry = {
            .desk = i->d, .from = {org.nation, org.name}, .votes = v.list, .vote_count = v.count};
        if (entry.desk.state == STORE_DESK_WAITING && entry.desk.expires_us <= now)
            entry.desk.state = STORE_DESK_EXPIRED;
        if (v.failed || !arena_ok(a, e))
            return v.failed ? err_set(e, ERR_MEMORY, "out of memory") : false;
        if ((all || entry.desk.state == STORE_DESK_WAITING) && !each(ctx, &entry))
            break;
    }
    return !l.failed || err_set(e, ERR_MEMORY, "out of memory");
}

const char *exchange_desk_state_name(enum store_desk_state s)
{
    static const char *const names[] = {"waiting", "approved", "refused", "expired", "void"};
    return names[s];
}

/* An officer of the node's own organisation, and none who submitted it. */
static bool may_decide(const struct exchange *x, const struct principal *who,
                       const struct store_desk *d, struct err *e)
{
    if (!exchange_home_officer(x, who))
        return err_set(e, ERR_FORBIDDEN, "only officers of %.*s decide about releases",
                       STR_FMT(x->config.org));
    if (d->user && d->user == who->user)
        return err_set(e, ERR_FORBIDDEN, "%.*s submitted it: another officer must decide",
                       STR_FMT(who->name));
    return true;
}

struct desk_job {
    struct exchange_waiter w;
    const struct principal *who;
    int64_t id;
    struct str party, reason;     /* party: empty for all; reason: of a refusal */
    struct exchange_batch *batch; /* what leaves quarantine */
    struct store_desk d;
    bool refuse;
    enum store_desk_state state; /* filled */
};

struct keeping {
    struct gate *g;
    struct desk_job *j;
};

static bool keep_desk(void *ctx, const struct store_desk *d)
{
    struct keeping *k = ctx;
    k->j->d = *d;
    k->j->d.audience = arena_str(k->g->known, d->audience);
    k->j->d.stix_id = arena_str(k->g->known, d->stix_id);
    k->j->d.bytes = arena_str(k->g->known, d->bytes);
    return false;
}

static bool keep_bytes(void *ctx, const struct store_object *o)
{
    struct keeping *k = ctx;
    k->j->d.bytes = arena_str(k->g->known, o->bytes);
    return false;
}

static bool vote(struct gate *g, struct desk_job *j, struct err *e)
{
    struct str approved, left, one = STR("");
    if (j->party.n) {
        one = arena_printf(g->arena, "+%.*s", STR_FMT(j->party));
        if (!arena_ok(g->arena, e) ||
            !gate_combine(g, one, j->d.audience, POLICY_WITHOUT, &left, e))
            return false;
        if (left.n)
            return err_set(e, ERR_USAGE, "%.*s does not wait for it", STR_FMT(j->party));
    } else if (j->d.by_name) {
        return err_set(e, ERR_USAGE,
                       "TLP:RED is approved for each recipient by name (FIRST TLP 2.0): name one");
    }
    if (!store_vote_put(g->store, j->id, j->party, j->who->user, g->now_us, e))
        return false;
    if (j->d.kind == STORE_DESK_QUARANTINE) {
        j->state = STORE_DESK_APPROVED;
        return exchange_arrive(g, j->batch, e);
    }
    if (!approved_of(g, &j->d, &approved, e) ||
        !gate_combine(g, j->d.audience, approved, POLICY_WITHOUT, &left, e))
        return false;
    if (left.n == 0)
        j->state = STORE_DESK_APPROVED;
    return store_pending_put(g->store, j->d.object, e) &&
           gate_pending(g, LIMIT_GATE_PENDING, &g->left, e);
}

/* Its digest is that of what waits, which is the object's bytes as they stand in the store. */
static bool record_decision(struct gate *g, const struct desk_job *j, struct err *e)
{
    struct gate_told t = {
        .id = j->d.stix_id,
        .bytes = j->d.bytes,
        .audience = j->party.n ? j->party : (j->d.audience.n ? j->d.audience : STR("quarantine")),
        .outcome = j->refuse ? STR("refused") : STR("approved"),
        .reason = j->reason,
        .line = j->d.rule_line,
    };
    return gate_collection(g, j->d.collection, &t.collection, e) && gate_act_for(g, j->who, e) &&
           gate_record_object(g, LEDGER_APPROVAL_RECORD, &t, e);
}

static bool desk_apply(struct exchange *x, struct store *s, struct exchange_job *job, struct err *e)
{
    struct desk_job *j = (struct desk_job *)job;
    struct keeping k = {x->gate, j};
    if (!store_desk_get(s, j->id, keep_desk, &k, e) ||
        (j->d.object && !store_object_get(s, j->d.object, keep_bytes, &k, e)) ||
        !arena_ok(x->gate->known, e) || !may_decide(x, j->who, &j->d, e))
        return false;
    j->state = STORE_DESK_WAITING;
    if (j->d.state != STORE_DESK_WAITING)
        return err_set(e, ERR_CONFLICT, "%lld is %s", (long long)j->id,
                       exchange_desk_state_name(j->d.state));
    if (!record_decision(x->gate, j, e))
        return false;
    if (j->refuse)
        j->state = STORE_DESK_REFUSED;
    else if (!vote(x->gate, j, e))
        return false;
    return j->state == STORE_DESK_WAITING || store_desk_close(s, j->id, j->state, j->reason, e);
}

/* What waits in quarantine is parsed in the caller's thread, as any submission. */
struct leaving {
    struct arena *a;
    struct store_desk d;
};

static bool keep_leaving(void *ctx, const struct store_desk *d)
{
    struct leaving *l = ctx;
    l->d = *d;
    l->d.bytes = arena_str(l->a, d->bytes);
    return false;
}

static bool collection_by_id(struct exchange_session *s, struct arena *a, int64_t id,
                             struct exchange_collection *out, struct err *e)
{
    struct exchange_collection *list;
    size_t n;
    if (!exchange_collections(s, a, &list, &n, e))
        return false;
    for (size_t i = 0; i < n; i++)
        if (list[i].id == id) {
            *out = list[i];
            return true;
        }
    return err_set(e, ERR_NOT_FOUND, "its collection is gone");
}

static bool prepare_leaving(struct exchange_session *s, struct leaving *l,
                            struct exchange_batch **out, struct err *e)
{
    struct exchange_collection c;
    struct store_org org;
    const struct json *v;
    if (!collection_by_id(s, l->a, l->d.collection, &c, e) ||
        !store_org_get(s->store, l->a, l->d.org, &org, e) ||
        !json_parse(s->json, l->a, l->d.bytes, false, &v, e))
        return false;
    struct principal who = {.user = l->d.user,
                            .org = l->d.org,
                            .name = STR("(quarantine)"),
                            .role = EXCHANGE_CONTRIBUTOR,
                            .party = {org.nation, org.name}};
    struct exchange_submission sub = {
        .who = &who, .collection = &c, .from_partner = true, .approved = true};
    return exchange_prepare(s, &sub, l->d.bytes, v, 1, out, e);
}

bool exchange_desk_decide(struct exchange_session *s, const struct exchange_verdict *v,
                          enum store_desk_state *state, struct err *e)
{
    struct desk_job j = {.who = v->officer, .id = v->id, .reason = v->reason, .refuse = v->refuse};
    struct leaving l = {.a = arena_new(LIMIT_ARENA_REQUEST_BYTES)};
    bool ok = l.a || err_set(e, ERR_MEMORY, "out of memory");
    if (ok && v->to)
        j.party = arena_printf(l.a, "%.*s/%.*s", STR_FMT(v->to->nation), STR_FMT(v->to->org));
    ok = ok && store_desk_get(s->store, v->id, keep_leaving, &l, e) && arena_ok(l.a, e);
    if (ok && l.d.kind == STORE_DESK_QUARANTINE && !v->refuse)
        ok = prepare_leaving(s, &l, &j.batch, e);
    j.w.job.apply = desk_apply;
    ok = ok && exchange_run(s->x, &j.w, e);
    if (ok)
        *state = j.state;
    exchange_batch_free(j.batch);
    arena_free(l.a);
    return ok;
}
