/*
 * Taking back: the release rows of an object's versions in a collection, and of their copies, are
 * removed and recorded, and what referred to it is decided again.
 */
#include <string.h>

#include "exchange/gate_priv.h"

struct waking {
    struct store *s;
    bool failed;
    struct err *e;
};

static bool wake_referrer(void *ctx, int64_t object, struct str type)
{
    struct waking *w = ctx;
    (void)type;
    w->failed = !store_pending_put(w->s, object, w->e);
    return !w->failed;
}

static bool wake_of_copy(void *ctx, struct str copy_id, bool varied)
{
    struct waking *w = ctx;
    (void)varied;
    w->failed =
        !store_referrers(w->s, store_name(w->s, copy_id), wake_referrer, w, w->e) || w->failed;
    return !w->failed;
}

/* Whoever refers to it, or to a copy of it, is decided again: nobody has it any more. */
static bool wake_referrers(struct exchange *x, struct store *s, struct str id, struct err *e)
{
    struct waking w = {.s = s, .e = e};
    return store_referrers(s, store_name(s, id), wake_referrer, &w, e) && !w.failed &&
           store_copies_of(s, id, wake_of_copy, &w, e) && !w.failed &&
           gate_pending(x->gate, LIMIT_GATE_PENDING, &x->gate->left, e);
}

/* A row that may be taken back, under the name by which its readers know the object. */
struct taken {
    struct taken *next;
    struct store_release row;
    struct str id, version;
    int64_t source_org; /* as store_withdrawal */
    bool stands;
};

struct taking {
    struct gate *g;
    int64_t collection;
    struct taken *rows;
    bool failed;
    struct err *e;
};

static bool note_taken(void *ctx, const struct store_release *r)
{
    struct taking *t = ctx;
    if (r->collection != t->collection)
        return true;
    /* Several versions may have one copy; date_added tells rows of a collection apart. */
    for (const struct taken *k = t->rows; k; k = k->next)
        if (k->row.date_added == r->date_added)
            return true;
    struct taken *n = arena_calloc(t->g->arena, 1, sizeof *n);
    t->failed = n == NULL;
    if (!n)
        return false;
    *n = (struct taken){.next = t->rows, .row = *r};
    n->row.audience_text = arena_str(t->g->arena, r->audience_text);
    t->rows = n;
    return true;
}

static bool note_versions(void *ctx, const struct store_object *o)
{
    struct taking *t = ctx;
    t->failed = t->failed || !store_release_each(t->g->store, o->object, note_taken, t, t->e) ||
                !store_release_copies(t->g->store, o->object, note_taken, t, t->e);
    return !t->failed;
}

static bool name_taken(void *ctx, const struct store_object *o)
{
    struct taking *t = ctx;
    for (struct taken *n = t->rows; n; n = n->next)
        if (n->row.object == o->object) {
            n->id = arena_str(t->g->arena, o->id);
            n->version = arena_str(t->g->arena, o->version);
            n->source_org = o->copy ? 0 : o->source_org;
        }
    return true;
}

/* All rows of the id and of its copies, as they stand before anything is taken back. */
static bool rows_before(struct taking *t, struct str id)
{
    struct err none = {0};
    *t->e = none;
    if (!store_object_versions(t->g->store, id, note_versions, t, t->e))
        return false;
    if (t->failed)
        return t->e->code != ERR_NONE ? false : err_set(t->e, ERR_MEMORY, "out of memory");
    for (const struct taken *n = t->rows; n; n = n->next)
        if (!store_object_get(t->g->store, n->row.object, name_taken, t, t->e))
            return false;
    return arena_ok(t->g->arena, t->e);
}

static bool note_standing(void *ctx, const struct store_release *r)
{
    struct taken *n = ctx;
    n->stands =
        n->stands || (r->collection == n->row.collection && r->date_added == n->row.date_added);
    return !n->stands;
}

static bool record_taken(struct taking *t, const struct exchange_taking *w, struct err *e)
{
    if (!gate_act_for(t->g, w->who, e))
        return false;
    for (struct taken *n = t->rows; n; n = n->next) {
        struct gate_told told = {.id = n->id,
                                 .version = n->version,
                                 .audience = n->row.audience_text,
                                 .reason = w->reason,
                                 .readers = n->row.audience,
                                 .source_org = n->source_org};
        if (!store_release_each(t->g->store, n->row.object, note_standing, n, e))
            return false;
        if (!n->stands && (!gate_collection(t->g, w->collection, &told.collection, e) ||
                           !gate_record_object(t->g, LEDGER_WITHDRAWAL_RECORD, &told, e)))
            return false;
    }
    return true;
}

/* What a withdrawn object refers to, where rules ask by what an object is referenced. */
struct waking_referenced {
    struct exchange *x;
    struct waking w;
};

static bool wake_version(void *ctx, const struct store_object *o)
{
    struct waking_referenced *r = ctx;
    return o->copy || wake_referrer(&r->w, o->object, o->type);
}

static bool wake_target(void *ctx, struct str id)
{
    struct waking_referenced *r = ctx;
    struct store *s = r->w.s;
    r->w.failed = !store_object_versions(s, id, wake_version, r, r->w.e) || r->w.failed;
    return !r->w.failed;
}

struct bodies {
    struct arena *a;
    struct str list[LIMIT_EXCHANGE_WITHDRAW_VERSIONS];
    size_t count;
};

static bool note_body(void *ctx, const struct store_object *o)
{
    struct bodies *b = ctx;
    b->list[b->count++] = arena_str(b->a, o->bytes);
    return b->count < LIMIT_EXCHANGE_WITHDRAW_VERSIONS;
}

static bool wake_referenced(struct exchange *x, struct store *s, struct str id, struct err *e)
{
    struct gate *g = x->gate;
    struct waking_referenced r = {.x = x, .w = {.s = s, .e = e}};
    struct bodies *b;
    const struct json *v;
    if (!(policy_asks(g->policy) & POLICY_ASKS_REFERENCED))
        return true;
    if (!(b = arena_calloc(g->arena, 1, sizeof *b)))
        return arena_ok(g->arena, e);
    b->a = g->arena;
    bool ok = store_object_versions(s, id, note_body, b, e) && arena_ok(g->arena, e);
    for (size_t i = 0; i < b->count && ok; i++)
        ok = json_parse(g->json, g->arena, b->list[i], false, &v, e) &&
             (gate_references(v, wake_target, &r) || !r.w.failed);
    gate_next(g);
    return ok;
}

bool exchange_take(struct exchange *x, struct store *s, const struct exchange_taking *w,
                   size_t *removed, struct err *e)
{
    struct store_known known;
    struct store_object o = {.id = w->id, .has_version = true, .version_us = INT64_MIN};
    struct taking t = {.g = x->gate, .collection = w->collection, .e = e};
    *removed = 0;
    if (!store_object_known(s, &o, NULL, NULL, &known, e))
        return false;
    struct store_removal r = {w->collection, known.name, w->org, w->version_us, w->version_count};
    if (known.name == 0)
        return true;
    return wake_referenced(x, s, w->id, e) && rows_before(&t, w->id) &&
           store_release_remove(s, &r, removed, e) &&
           (*removed == 0 || (record_taken(&t, w, e) && wake_referrers(x, s, w->id, e)));
}

/* ---- what waits ---- */

/* Envelopes that wait and hold an id. */
struct waiting {
    struct waiting *next;
    int64_t envelope;
};

struct waiting_list {
    struct arena *arena;
    struct waiting *first;
};

static void note_waiting(void *ctx, int64_t envelope, int64_t org)
{
    struct waiting_list *l = ctx;
    struct waiting *w = arena_calloc(l->arena, 1, sizeof *w);
    (void)org;
    if (!w)
        return; /* the arena says so */
    *w = (struct waiting){l->first, envelope};
    l->first = w;
}

/* Beside the writer, for there may be much to look through; what is sent behind this moment was not
 * meant. TAXII 2.1 §4.3.1: the status of an envelope names all in it. `collection`: 0 is any. */
static bool find_waiting(struct exchange_session *s, const struct exchange_taking *what,
                         struct waiting_list *l, struct err *e)
{
    struct buf name;
    buf_init(&name, 0);
    buf_byte(&name, '{');
    json_put_member(&name, "id", what->id);
    bool ok = buf_ok(&name, e) && store_envelope_naming(s->store, what->collection, what->org,
                                                        buf_view(&name), note_waiting, l, e);
    buf_done(&name);
    return ok && arena_ok(l->arena, e);
}

/* It stays away when they are taken up. An envelope that was taken up meanwhile has brought it, and
 * it is taken back like any other. Nothing was released, so the ledger hears of it as of a refusal,
 * when it is refused. */
static bool take_waiting(struct store *s, const struct waiting_list *l, struct str id,
                         size_t *noted, struct err *e)
{
    bool one;
    *noted = 0;
    for (const struct waiting *w = l->first; w; w = w->next) {
        if (!store_envelope_withdraw(s, w->envelope, id, &one, e))
            return false;
        *noted += one;
    }
    return true;
}

/* ---- who asks for it ---- */

/* The versions that were asked for; few, so a fixed room with a named bound. */
struct withdraw_job {
    struct exchange_waiter w;
    struct exchange_taking what;
    int64_t versions[LIMIT_EXCHANGE_WITHDRAW_VERSIONS];
    size_t count;
    bool all, full, seen;
    struct waiting_list waiting; /* when all */
};

static bool note_withdrawn(void *ctx, const struct store_row *r)
{
    struct withdraw_job *w = ctx;
    if (w->count == LIMIT_EXCHANGE_WITHDRAW_VERSIONS) {
        w->full = true;
        return false;
    }
    w->versions[w->count++] = r->object->version_us;
    return true;
}

/* Inside the writing transaction: who may take back what is judged by what stands there now. */
static bool withdraw_apply(struct exchange *x, struct store *s, struct exchange_job *j,
                           struct err *e)
{
    struct withdraw_job *w = (struct withdraw_job *)j;
    size_t removed, noted;
    if (!exchange_take(x, s, &w->what, &removed, e) ||
        !take_waiting(s, &w->waiting, w->what.id, &noted, e))
        return false;
    if (removed || noted)
        return true;
    return w->what.org && w->seen
               ? err_set(e, ERR_FORBIDDEN,
                         "only the organisation that submitted an object removes it")
               : err_set(e, ERR_NOT_FOUND, "no such object");
}

/* At home a copy stands for what it was made of. */
static bool original_of(struct exchange_session *s, const struct principal *who, struct arena *a,
                        struct str *id, struct err *e)
{
    struct str origin;
    if (!str_eq(who->party.nation, s->x->config.nation))
        return true;
    if (!store_copy_origin(s->store, a, *id, &origin, e))
        return false;
    *id = origin.n ? origin : *id;
    return true;
}

static bool is_home_admin(const struct exchange_session *s, const struct principal *who)
{
    const struct exchange_config *c = &s->x->config;
    return who->role == EXCHANGE_ADMIN && str_eq(who->party.org, c->org) &&
           str_eq(who->party.nation, c->nation);
}

bool exchange_officer_says(const struct exchange *x, const struct principal *officer,
                           const char *what, struct str reason, struct err *e)
{
    struct err ignored;
    if (!exchange_home_officer(x, officer))
        return err_set(e, ERR_FORBIDDEN, "only officers of %.*s %s", STR_FMT(x->config.org), what);
    return (reason.n && exchange_reason_ok(reason, &ignored)) ||
           err_set(e, ERR_USAGE, "--reason takes 1 to %d bytes of text without control characters",
                   LIMIT_EXCHANGE_MESSAGE_BYTES);
}

bool exchange_reason_ok(struct str reason, struct err *e)
{
    return (reason.n <= LIMIT_EXCHANGE_MESSAGE_BYTES && utf8_valid(reason) &&
            !exchange_has_control(reason)) ||
           err_set(e, ERR_USAGE, "the reason takes %d bytes of text without control characters",
                   LIMIT_EXCHANGE_MESSAGE_BYTES);
}

static bool withdraw(struct exchange_session *s, struct arena *a,
                     const struct exchange_taking *what, const struct exchange_query *q,
                     struct err *e)
{
    const struct principal *who = what->who;
    struct exchange_query versions = *q;
    struct withdraw_job j = {
        .what = *what, .all = q->versions & STORE_ALL, .waiting = {.arena = a}};
    bool more;
    if (!exchange_role_writes(who->role) || who->role == EXCHANGE_SENSOR)
        return err_set(e, ERR_FORBIDDEN, "a %s may not remove objects",
                       exchange_role_name(who->role));
    if (!exchange_sees(s, who, q->collection, what->id, &j.seen, e) ||
        (j.all && !find_waiting(s, what, &j.waiting, e)))
        return false;
    if (!j.seen && !j.waiting.first)
        return err_set(e, ERR_NOT_FOUND, "no such object");
    versions.ids = &what->id;
    versions.id_count = 1;
    versions.after_us = INT64_MIN;
    versions.limit = SIZE_MAX;
    if (!j.all && !exchange_read(s, who, &versions, note_withdrawn, &j, &more, e))
        return false;
    if (j.full)
        return err_set(e, ERR_LIMIT, "more than %d versions at once",
                       LIMIT_EXCHANGE_WITHDRAW_VERSIONS);
    if (!j.all && j.count == 0)
        return err_set(e, ERR_NOT_FOUND, "no such object");
    j.what.version_us = j.all ? NULL : j.versions;
    j.what.version_count = j.count;
    j.w.job.apply = withdraw_apply;
    return exchange_run(s->x, &j.w, e);
}

bool exchange_withdraw(struct exchange_session *s, const struct principal *who,
                       const struct exchange_query *q, struct str id, struct str reason,
                       struct err *e)
{
    struct arena *a = arena_new(1 << 20);
    struct exchange_taking what = {.who = who,
                                   .id = id,
                                   .reason = reason,
                                   .collection = q->collection->id,
                                   .org = is_home_admin(s, who) ? 0 : who->org};
    bool ok = exchange_reason_ok(reason, e) && (a || err_set(e, ERR_MEMORY, "out of memory")) &&
              original_of(s, who, a, &what.id, e) && withdraw(s, a, &what, q, e);
    arena_free(a);
    return ok;
}

/* ---- the node itself takes it back ---- */

struct recall_job {
    struct exchange_waiter w;
    struct exchange_taking what;
    const struct exchange_collection *collections;
    size_t count, taken;
    struct waiting_list waiting;
};

static bool recall_apply(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    struct recall_job *r = (struct recall_job *)j;
    size_t noted;
    r->taken = 0;
    if (!take_waiting(s, &r->waiting, r->what.id, &noted, e))
        return false;
    for (size_t i = 0; i < r->count; i++) {
        size_t removed;
        r->what.collection = r->collections[i].id;
        if (!exchange_take(x, s, &r->what, &removed, e))
            return false;
        r->taken += removed;
    }
    return r->taken || noted || err_set(e, ERR_NOT_FOUND, "no collection has it");
}

static bool recall(struct exchange_session *s, struct arena *a, struct recall_job *r, struct err *e)
{
    struct exchange_collection *all;
    struct str origin;
    if (!store_copy_origin(s->store, a, r->what.id, &origin, e))
        return false;
    if (origin.n)
        r->what.id = origin;
    r->what.collection = r->collections ? r->collections->id : 0;
    if (!find_waiting(s, &r->what, &r->waiting, e))
        return false;
    if (!r->collections) {
        if (!exchange_collections(s, a, &all, &r->count, e))
            return false;
        r->collections = all;
    }
    r->w.job.apply = recall_apply;
    return exchange_run(s->x, &r->w, e);
}

bool exchange_recall(struct exchange_session *s, struct str id, struct str reason,
                     const struct exchange_collection *only, size_t *taken, struct err *e)
{
    struct recall_job r = {
        .what = {.id = id, .reason = reason}, .collections = only, .count = only ? 1 : 0};
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    r.waiting.arena = a;
    bool ok = exchange_reason_ok(reason, e) && (a || err_set(e, ERR_MEMORY, "out of memory")) &&
              recall(s, a, &r, e);
    *taken = r.taken;
    arena_free(a);
    return ok;
}
