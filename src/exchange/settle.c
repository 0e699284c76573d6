/* Settling: the record follows a decision. Rows keep their date where their readers stay; who is
 * new to an object gets a row of today, so that no poller misses it. */
#include <string.h>

#include "exchange/gate_priv.h"

/* ---- comparing ---- */

struct reading {
    struct gate *g;
    struct gate_subject *s;
    bool failed;
    struct err *e;
};

static bool note_row(void *ctx, const struct store_release *r)
{
    struct reading *c = ctx;
    struct gate_row *row = arena_calloc(c->g->arena, 1, sizeof *row);
    c->failed = !row && !arena_ok(c->g->arena, c->e);
    if (!row)
        return false;
    row->row = *r;
    row->row.audience_text = arena_str(c->g->arena, r->audience_text);
    row->next = c->s->rows;
    c->s->rows = row;
    return true;
}

bool gate_rows(struct gate *g, struct gate_subject *s, struct err *e)
{
    struct reading c = {.g = g, .s = s, .e = e};
    if (s->has_rows)
        return true;
    s->has_rows = true;
    return store_release_each(g->store, s->row, note_row, &c, e) && !c.failed &&
           (!g->has_copies ||
            (store_release_copies(g->store, s->row, note_row, &c, e) && !c.failed)) &&
           arena_ok(g->arena, e);
}

struct comparing {
    struct gate *g;
    struct gate_subject *s;
    const struct gate_decision *d;
    struct gate_change *changes;
    struct err *e;
};

/* The next row of the collection that is looked at. */
static struct gate_row *here(const struct comparing *c, struct gate_row *r)
{
    while (r && r->row.collection != c->s->collection->id)
        r = r->next;
    return r;
}

static bool add_change(struct comparing *c, const struct gate_change *change)
{
    struct gate_change *copy = arena_alloc(c->g->arena, sizeof *copy);
    if (!copy)
        return arena_ok(c->g->arena, c->e);
    *copy = *change;
    copy->next = c->changes;
    c->changes = copy;
    return true;
}

/* What of a row stands, and what of the share is new. */
static bool compare_row(struct comparing *c, struct gate_row *r, const struct gate_share *share,
                        struct str *missing)
{
    struct str keep;
    if (!gate_combine(c->g, r->row.audience_text, share->audience, POLICY_BOTH, &keep, c->e) ||
        !gate_combine(c->g, *missing, keep, POLICY_WITHOUT, missing, c->e))
        return false;
    r->share = share;
    struct gate_change change = {
        .share = share, .row = r->row, .before = r->row.audience_text, .after = keep};
    return str_eq(keep, r->row.audience_text) || add_change(c, &change);
}

/* An observable's copy may stand there already, made of another original: its rows count too. */
static bool shared_rows(struct comparing *c, int64_t object)
{
    struct reading more = {.g = c->g, .s = c->s, .e = c->e};
    for (const struct gate_row *r = c->s->rows; r; r = r->next)
        if (r->row.object == object)
            return true;
    return object == 0 || c->s->object->class != STIX_SCO ||
           (store_release_each(c->g->store, object, note_row, &more, c->e) && !more.failed &&
            arena_ok(c->g->arena, c->e));
}

static bool compare_share(struct comparing *c, const struct gate_share *share)
{
    int64_t object = c->s->row;
    struct str missing = share->audience;
    if (share->copy_id.n &&
        (!gate_copy_row(c->g, c->s, share, &object, c->e) || !shared_rows(c, object)))
        return false;
    for (struct gate_row *r = here(c, c->s->rows); r; r = here(c, r->next))
        if (object && r->row.object == object && !r->share && !compare_row(c, r, share, &missing))
            return false;
    struct gate_change change = {.share = share, .before = STR(""), .after = missing};
    return missing.n == 0 || add_change(c, &change);
}

/* Several shares may give one object: as the rules say, and to further submitters. */
static bool join_shares(struct comparing *c, struct gate_share **out)
{
    *out = NULL;
    for (const struct gate_share *s = c->d->shares; s; s = s->next) {
        struct gate_share *same = *out;
        if (s->verdict != POLICY_RELEASED)
            continue;
        while (same &&
               !(str_eq(same->copy_id, s->copy_id) && str_eq(same->copy_bytes, s->copy_bytes)))
            same = same->next;
        if (same) {
            same->serial = 0;
            if (same->group->rule.line == 0)
                same->group = s->group;
            if (!gate_combine(c->g, same->audience, s->audience, POLICY_EITHER, &same->audience,
                              c->e))
                return false;
            continue;
        }
        struct gate_share *copy = arena_alloc(c->g->arena, sizeof *copy);
        if (!copy)
            return arena_ok(c->g->arena, c->e);
        *copy = *s;
        copy->next = *out;
        *out = copy;
    }
    return true;
}

/* ---- observables' copies that several originals share ---- */

struct others {
    struct comparing *c;
    struct str copy_id, copy_bytes;
    struct str wanted;
    size_t count;
    bool failed;
};

static bool add_wanted(struct others *o, const struct gate_decision *d)
{
    for (const struct gate_share *s = d->shares; s; s = s->next)
        if (s->verdict == POLICY_RELEASED && str_eq(s->copy_id, o->copy_id) &&
            str_eq(s->copy_bytes, o->copy_bytes) &&
            !gate_combine(o->c->g, o->wanted, s->audience, POLICY_EITHER, &o->wanted, o->c->e))
            return false;
    return true;
}

/* An original always has a row of its own where it stands: its submitter's. */
static bool stands_in(const struct gate_subject *s, int64_t collection)
{
    for (const struct gate_row *r = s->rows; r; r = r->next)
        if (r->row.object == s->row && r->row.collection == collection)
            return true;
    return false;
}

static bool decide_other(void *ctx, const struct store_object *stored)
{
    struct others *o = ctx;
    struct gate *g = o->c->g;
    struct stix_object object;
    struct gate_decision d;
    struct store_object kept = *stored;
    kept.bytes = arena_str(g->arena, stored->bytes);
    kept.id = arena_str(g->arena, stored->id);
    const struct json *v;
    struct gate_subject s;
    o->failed = !arena_ok(g->arena, o->c->e) ||
                !json_parse(g->json, g->arena, kept.bytes, false, &v, o->c->e) ||
                !stix_object_read(v, &object, o->c->e);
    if (o->failed)
        return false;
    s = gate_subject_of(&kept, &object, o->c->s->collection);
    o->failed = !gate_rows(g, &s, o->c->e);
    if (o->failed || !stands_in(&s, s.collection->id))
        return !o->failed;
    o->failed = !gate_decide(g, &s, &d, o->c->e) || !add_wanted(o, &d);
    return !o->failed;
}

static bool note_origin(void *ctx, int64_t origin)
{
    struct others *o = ctx;
    struct err gone;
    if (origin == o->c->s->row)
        return true;
    if (++o->count > LIMIT_GATE_ORIGINS)
        return false;
    /* An original may be gone. */
    return store_object_get(o->c->g->store, origin, decide_other, o, &gone) || !o->failed;
}

static bool note_copy(void *ctx, const struct store_object *stored)
{
    struct others *o = ctx;
    o->copy_id = arena_str(o->c->g->arena, stored->id);
    o->copy_bytes = arena_str(o->c->g->arena, stored->bytes);
    return false;
}

/* A row of such a copy shrinks to what any of its originals still gives. */
static bool keep_for_others(struct comparing *c, struct gate_row *r, struct str *after)
{
    struct others o = {.c = c, .wanted = *after};
    struct err gone;
    if (r->row.object == c->s->row || c->s->object->class != STIX_SCO)
        return true;
    if (!store_object_get(c->g->store, r->row.object, note_copy, &o, &gone) ||
        !store_derived_origins(c->g->store, r->row.object, note_origin, &o, c->e) || o.failed)
        return false;
    return gate_combine(c->g, r->row.audience_text, o.wanted, POLICY_BOTH, after, c->e);
}

static bool drop_rows(struct comparing *c)
{
    for (struct gate_row *r = here(c, c->s->rows); r; r = here(c, r->next)) {
        struct gate_change change = {
            .row = r->row, .before = r->row.audience_text, .after = STR("")};
        if (r->share)
            continue;
        if (!keep_for_others(c, r, &change.after))
            return false;
        if (!str_eq(change.before, change.after) && !add_change(c, &change))
            return false;
    }
    for (struct gate_change **at = &c->changes; *at;) {
        struct gate_change *ch = *at;
        struct gate_row r = {.row = ch->row};
        if (ch->row.object && ch->share && !keep_for_others(c, &r, &ch->after))
            return false;
        if (str_eq(ch->before, ch->after))
            *at = ch->next; /* others give it to all who have it */
        else
            at = &ch->next;
    }
    return true;
}

bool gate_compare(struct gate *g, struct gate_subject *s, const struct gate_decision *d,
                  struct gate_change **out, struct err *e)
{
    struct comparing c = {.g = g, .s = s, .d = d, .e = e};
    struct gate_share *shares;
    if (!gate_rows(g, s, e) || !join_shares(&c, &shares))
        return false;
    for (struct gate_row *r = s->rows; r; r = r->next)
        r->share = NULL;
    for (const struct gate_share *share = shares; share; share = share->next)
        if (!compare_share(&c, share))
            return false;
    if (!drop_rows(&c))
        return false;
    *out = c.changes;
    return true;
}

/* ---- writing ---- */

/* Of a share that was seen before, all is known; others find their place in `own`. */
static bool audience_of(struct gate *g, struct str text, uint64_t serial, struct gate_interned *own,
                        const struct gate_interned **out, struct err *e)
{
    struct gate_interned *slot = serial ? &g->interned[serial % GATE_INTERNED] : own;
    *out = slot;
    if (serial && slot->serial == serial)
        return true;
    slot->serial = 0;
    ledger_audience_digest(g->x, text, slot->digest);
    if (!store_audience_put(g->store, text, &slot->id, e))
        return false;
    slot->serial = serial;
    return true;
}

static struct store_object row_of(const struct gate_subject *s)
{
    return (struct store_object){
        .object = s->row,
        .name = s->name,
        .version_us = s->version_us,
        .type = s->object->type,
        .first = s->first,
    };
}

static bool add_row(struct gate *g, const struct gate_subject *s, const struct gate_change *c,
                    struct err *e)
{
    struct store_object o = row_of(s);
    struct gate_interned own;
    const struct gate_interned *to;
    int64_t date;
    bool whole = str_eq(c->after, c->share->audience);
    bool copy = c->share->copy_id.n > 0;
    if (copy && !gate_copy_put(g, s, c->share, &o, e))
        return false;
    if (copy && c->share->group->view && !gate_copy_marking(g, s->collection->id, c->after, e))
        return false;
    struct gate_told t = {
        .id = copy ? c->share->copy_id : s->object->id,
        .version = copy ? o.version : s->object->version,
        .bytes = copy ? c->share->copy_bytes : json_source(s->source, s->object->json),
        .digest = copy ? STR_NONE : s->digest,
        .audience = c->after,
        .group = c->share->group,
    };
    if (!audience_of(g, c->after, whole ? c->share->serial : 0, &own, &to, e) ||
        !gate_collection(g, s->collection->id, &t.collection, e))
        return false;
    t.readers = to->id;
    t.audience_digest = (struct str){to->digest, sizeof to->digest};
    o.leaf = gate_next_leaf(g);
    return gate_record_object(g, LEDGER_RELEASE_RECORD, &t, e) &&
           store_release_add(g->store, s->collection->id, to->id, &o, &date, e);
}

struct naming {
    struct gate *g;
    struct gate_told *t;
};

static bool name_row(void *ctx, const struct store_object *o)
{
    struct naming *n = ctx;
    n->t->id = arena_str(n->g->arena, o->id);
    n->t->version = arena_str(n->g->arena, o->version);
    return false;
}

/* What is taken back, by the name under which its readers know it. */
static bool gate_row_id(struct gate *g, const struct store_release *row,
                        const struct gate_subject *s, struct gate_told *t, struct err *e)
{
    struct naming n = {g, t};
    return row->object == s->row ||
           (store_object_get(g->store, row->object, name_row, &n, e) && arena_ok(g->arena, e));
}

static bool change_row(struct gate *g, const struct gate_subject *s, const struct gate_change *c,
                       struct err *e)
{
    int64_t id = 0;
    struct gate_told t = {.id = s->object->id,
                          .version = s->object->version,
                          .source_org = c->row.object == s->row ? s->source_org : 0};
    if (!gate_combine(g, c->before, c->after, POLICY_WITHOUT, &t.audience, e) ||
        !store_audience_put(g->store, t.audience, &t.readers, e) ||
        !gate_collection(g, s->collection->id, &t.collection, e) ||
        !gate_row_id(g, &c->row, s, &t, e) ||
        !gate_record_object(g, LEDGER_WITHDRAWAL_RECORD, &t, e))
        return false;
    return (c->after.n == 0 || store_audience_put(g->store, c->after, &id, e)) &&
           store_release_set(g->store, &c->row, id, e);
}

static bool put_pending(void *ctx, int64_t object, struct str type)
{
    struct gate *g = ctx;
    struct err ignored;
    (void)type;
    g->pending_failed = g->pending_failed || !store_pending_put(g->store, object, &ignored);
    return true;
}

static bool wake_of_copy(void *ctx, struct str copy_id, bool varied)
{
    struct gate *g = ctx;
    struct err ignored;
    (void)varied;
    g->pending_failed =
        g->pending_failed ||
        !store_referrers(g->store, store_name(g->store, copy_id), put_pending, g, &ignored);
    return !g->pending_failed;
}

/* Whoever refers to an object, or to a copy of it, is decided again when its readers, or their
 * names for it, changed. */
static bool wake_referrers(struct gate *g, const struct gate_subject *s, struct err *e)
{
    if (!(policy_asks(g->policy) & POLICY_REDACTS) && !g->has_copies)
        return true;
    g->pending_failed = false;
    if (!store_referrers(g->store, s->name, put_pending, g, e) ||
        !store_copies_of(g->store, s->object->id, wake_of_copy, g, e))
        return false;
    return !g->pending_failed || err_set(e, ERR_STORE, "what refers to it cannot be noted");
}

bool gate_write(struct gate *g, const struct gate_subject *s, const struct gate_decision *d,
                const struct gate_change *changes, bool withdrawals, struct err *e)
{
    /* A copy that was there before is this original's too. */
    for (const struct gate_share *share = d->shares; share && !withdrawals; share = share->next) {
        struct store_object o;
        if (share->copy_id.n && s->object->class == STIX_SCO && share->verdict == POLICY_RELEASED &&
            !gate_copy_put(g, s, share, &o, e))
            return false;
    }
    /* What is taken back goes first. */
    for (const struct gate_change *c = changes; c; c = c->next)
        if (c->row.object && !change_row(g, s, c, e))
            return false;
    for (const struct gate_change *c = changes; c && !withdrawals; c = c->next)
        if (!c->row.object && !add_row(g, s, c, e))
            return false;
    if (!withdrawals && !gate_hold(g, s, d, e))
        return false;
    return changes == NULL || wake_referrers(g, s, e);
}

bool gate_settle(struct gate *g, struct gate_subject *s, struct gate_decision *d, struct err *e)
{
    struct gate_change *changes;
    return gate_rows(g, s, e) && gate_decide(g, s, d, e) && gate_compare(g, s, d, &changes, e) &&
           gate_write(g, s, d, changes, false, e);
}

/* ---- stored objects ---- */

struct gate_subject gate_subject_of(const struct store_object *o, const struct stix_object *object,
                                    const struct exchange_collection *c)
{
    return (struct gate_subject){
        .object = object,
        .source = o->bytes,
        .row = o->object,
        .name = o->name,
        .version_us = o->version_us,
        .received_us = o->received_us,
        .source_org = o->source_org,
        .user = o->user,
        .collection = c,
        .marking = o->marking,
    };
}

bool gate_each_standing(struct gate *g, const struct store_object *o, gate_standing_fn *each,
                        void *ctx, struct err *e)
{
    int64_t ids[LIMIT_GATE_COLLECTIONS];
    size_t count = 0;
    struct stix_object object = {0};
    const struct json *v;
    struct gate_subject all = gate_subject_of(o, &object, NULL);
    if (!gate_rows(g, &all, e) || !json_parse(g->json, g->arena, o->bytes, false, &v, e) ||
        !stix_object_read(v, &object, e))
        return false;
    for (const struct gate_row *r = all.rows; r; r = r->next) {
        struct exchange_collection c = {.id = r->row.collection};
        struct gate_subject s = all;
        size_t i = 0;
        while (i < count && ids[i] != c.id)
            i++;
        /* Rows of a copy may be another original's, in another collection. */
        if (i < count || r->row.object != o->object)
            continue;
        if (count == LIMIT_GATE_COLLECTIONS)
            return err_set(e, ERR_LIMIT, "%.*s stands in more than %d collections", STR_FMT(o->id),
                           LIMIT_GATE_COLLECTIONS);
        ids[count++] = c.id;
        s.collection = &c;
        if (!each(ctx, &s, e))
            return false;
    }
    return true;
}

struct resettling {
    struct gate *g;
    bool withdrawals;
};

static bool resettle(void *ctx, struct gate_subject *s, struct err *e)
{
    struct resettling *r = ctx;
    struct gate_decision d;
    struct gate_change *changes;
    return gate_decide(r->g, s, &d, e) && gate_compare(r->g, s, &d, &changes, e) &&
           gate_write(r->g, s, &d, changes, r->withdrawals, e);
}

bool gate_settle_stored(struct gate *g, const struct store_object *o, bool withdrawals,
                        struct err *e)
{
    struct resettling r = {g, withdrawals};
    return gate_each_standing(g, o, resettle, &r, e);
}

/* ---- what waits to be decided again ---- */

struct pending {
    struct gate *g;
    struct err *e;
    bool failed;
};

/* Its bytes are the statement's, which may be used again while it is decided about. */
static bool settle_pending(void *ctx, const struct store_object *o)
{
    struct pending *p = ctx;
    struct store_object kept = *o;
    kept.bytes = arena_str(p->g->arena, o->bytes);
    kept.id = arena_str(p->g->arena, o->id);
    p->failed = !arena_ok(p->g->arena, p->e) || !gate_settle_stored(p->g, &kept, false, p->e);
    return true;
}

bool gate_pending(struct gate *g, size_t most, bool *left, struct err *e)
{
    int64_t objects[64];
    const size_t room = sizeof objects / sizeof *objects;
    size_t count, done = 0;
    *left = false;
    for (;;) {
        if (!store_pending_take(g->store, room, objects, &count, e))
            return false;
        for (size_t i = 0; i < count; i++) {
            struct pending p = {.g = g, .e = e};
            struct err gone;
            bool there = store_object_get(g->store, objects[i], settle_pending, &p, &gone);
            if (!there && gone.code != ERR_NOT_FOUND)
                *e = gone;
            if (p.failed || (!there && gone.code != ERR_NOT_FOUND))
                return false;
            gate_next(g);
        }
        /* What was decided may have touched others. */
        done += count;
        if (count == 0)
            return true;
        if (done >= most) {
            *left = true;
            return true;
        }
    }
}
