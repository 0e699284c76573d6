/* Sessions and reading: which audiences contain a party, and the queries that follow only those. */
#include <string.h>

#include "exchange/gate_priv.h"

static void forget_audiences(struct exchange_session *s)
{
    for (size_t i = 0; i < s->audience_count; i++)
        base_free(s->audiences[i].ids);
    s->audience_count = 0;
    arena_reset(s->arena);
}

bool exchange_session_open(struct exchange *x, struct exchange_session **out, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    struct exchange_session *s = base_alloc(sizeof *s);
    if (!s)
        return err_set(e, ERR_MEMORY, "out of memory");
    s->x = x;
    s->arena = arena_new(64u << 20);
    s->json = json_reader_new();
    if (!s->arena || !s->json) {
        exchange_session_close(s);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    if (!store_open(exchange_path(x, "setu.db", path), STORE_READ, &s->store, e)) {
        exchange_session_close(s);
        return false;
    }
    *out = s;
    return true;
}

void exchange_session_close(struct exchange_session *s)
{
    if (!s)
        return;
    if (s->arena)
        forget_audiences(s);
    base_free(s->audiences);
    store_close(s->store);
    json_reader_free(s->json);
    arena_free(s->arena);
    base_free(s);
}

struct exchange *exchange_of(const struct exchange_session *s)
{
    return s->x;
}

struct json_reader *exchange_session_json(struct exchange_session *s)
{
    return s->json;
}

/* ---- audiences of a reader ---- */

#define PARTIES_CACHED 1024

/* The cache's entry for a party; a full cache is emptied, which costs time and nothing else. */
static struct exchange_audiences *entry_of(struct exchange_session *s,
                                           const struct policy_party *party, struct err *e)
{
    for (size_t i = 0; i < s->audience_count; i++)
        if (str_eq(s->audiences[i].party.nation, party->nation) &&
            str_eq(s->audiences[i].party.org, party->org))
            return &s->audiences[i];
    if (s->audience_count == PARTIES_CACHED)
        forget_audiences(s);
    void *items = s->audiences;
    if (!base_grow(&items, &s->audience_room, s->audience_count + 1, sizeof *s->audiences)) {
        err_set(e, ERR_MEMORY, "out of memory");
        return NULL;
    }
    s->audiences = items;
    struct exchange_audiences *a = &s->audiences[s->audience_count];
    *a = (struct exchange_audiences){
        .party = {arena_str(s->arena, party->nation), arena_str(s->arena, party->org)}};
    if (!arena_ok(s->arena, e)) {
        forget_audiences(s); /* or the arena would fail for ever */
        return NULL;
    }
    s->audience_count++;
    return a;
}

struct look {
    struct exchange_audiences *a;
    bool failed;
};

static bool look_at_audience(void *ctx, int64_t id, struct str text)
{
    struct look *l = ctx;
    l->a->upto = id;
    if (!policy_audience_has(text, &l->a->party))
        return true;
    void *items = l->a->ids;
    if (!base_grow(&items, &l->a->room, l->a->n + 1, sizeof *l->a->ids)) {
        l->failed = true;
        return false;
    }
    l->a->ids = items;
    l->a->ids[l->a->n++] = id;
    return true;
}

/* Inside the reader's transaction: an audience that is new in its snapshot is in the list, so no
 * row can be passed over by a poller. */
struct exchange_audiences *exchange_audiences_of(struct exchange_session *s,
                                                 const struct policy_party *party, struct err *e)
{
    int64_t state;
    struct look l = {entry_of(s, party, e), false};
    if (!l.a || !store_state(s->store, &state, e))
        return NULL;
    if (l.a->known && l.a->state == state)
        return l.a;
    int64_t before = l.a->upto;
    bool ok = store_audience_each(s->store, before, look_at_audience, &l, e);
    if (ok && l.failed)
        ok = err_set(e, ERR_MEMORY, "out of memory");
    if (!ok) {
        l.a->upto = 0;
        l.a->n = 0;
        return NULL;
    }
    l.a->state = state;
    l.a->known = true;
    for (size_t i = 0; i < EXCHANGE_STANDS; i++)
        l.a->stands[i].collection = 0;
    return l.a;
}

bool exchange_stand_of(struct exchange_session *s, struct exchange_audiences *a, int64_t collection,
                       struct store_stand *out, struct err *e)
{
    struct exchange_stand *known = &a->stands[(uint64_t)collection % EXCHANGE_STANDS];
    const struct store_query q = {
        .collection = collection, .audiences = a->ids, .audience_count = a->n};
    if (known->collection != collection) {
        if (!store_stand(s->store, &q, &known->stand, e))
            return false;
        known->collection = collection;
    }
    *out = known->stand;
    return true;
}

struct store_query exchange_store_query(const struct exchange_query *q,
                                        const struct exchange_audiences *a)
{
    return (struct store_query){
        .collection = q->collection->id,
        .audiences = a->ids,
        .audience_count = a->n,
        .after_us = q->after_us,
        .limit = q->limit,
        .limit_bytes = q->limit_bytes,
        .ids = q->ids,
        .types = q->types,
        .id_count = q->id_count,
        .type_count = q->type_count,
        .versions = q->versions,
        .version_us = q->version_us,
        .version_count = q->version_count,
        .with_bytes = q->with_bytes,
        .skip_limit = q->skip_limit,
        .upto_us = q->upto_us,
    };
}

struct counting {
    struct exchange_reading reading;
    store_row_fn *each;
    void *ctx;
};

static bool count_row(void *ctx, const struct store_row *row)
{
    struct counting *c = ctx;
    exchange_reading_row(&c->reading, row);
    return c->each(c->ctx, row);
}

/* NOLINTNEXTLINE(readability-function-size): a function and its context are one argument */
bool exchange_read(struct exchange_session *s, const struct principal *who,
                   const struct exchange_query *q, store_row_fn *each, void *ctx, bool *more,
                   struct err *e)
{
    if (!exchange_role_reads(who->role))
        return err_set(e, ERR_FORBIDDEN, "a %s may not read objects",
                       exchange_role_name(who->role));
    if (!store_begin(s->store, e))
        return false;
    const struct exchange_audiences *a = exchange_audiences_of(s, &who->party, e);
    struct counting c = {.reading = {.collection = q->collection->uuid}, .each = each, .ctx = ctx};
    bool ok = a != NULL, counted = q->with_bytes && exchange_reads_recorded(s->x, &c.reading.from);
    if (ok) {
        struct store_query sq = exchange_store_query(q, a);
        ok = counted ? store_read(s->store, &sq, count_row, &c, more, e)
                     : store_read(s->store, &sq, each, ctx, more, e);
    }
    store_rollback(s->store);
    return ok && exchange_reading_done(s->x, who, &c.reading, e);
}

static bool note_row(void *ctx, const struct store_row *r)
{
    struct store_object *o = ctx;
    *o = *r->object;
    return false;
}

/* The first row of an id that `who` may see; o->object is 0 when there is none. */
static bool first_seen(struct exchange_session *s, const struct principal *who,
                       const struct exchange_collection *c, struct str id, struct store_object *o,
                       struct err *e)
{
    bool more;
    struct exchange_query q = {.collection = c,
                               .after_us = INT64_MIN,
                               .limit = 1,
                               .ids = &id,
                               .id_count = 1,
                               .versions = STORE_ALL};
    *o = (struct store_object){0};
    return exchange_read(s, who, &q, note_row, o, &more, e);
}

bool exchange_sees(struct exchange_session *s, const struct principal *who,
                   const struct exchange_collection *c, struct str id, bool *yes, struct err *e)
{
    struct store_object o;
    if (!first_seen(s, who, c, id, &o, e))
        return false;
    *yes = o.object != 0;
    return true;
}

bool exchange_status(struct exchange_session *s, const struct principal *who, struct str uuid,
                     struct buf *json, struct err *e)
{
    return store_status_get(s->store, uuid, who->user, json, e);
}

/* ---- taking back ---- */

/* The versions that were asked for; few, so a fixed room with a named bound. */
struct withdraw_job {
    struct exchange_waiter w;
    const struct principal *who;
    struct str id;
    int64_t collection, org; /* org: as store_removal */
    int64_t versions[LIMIT_EXCHANGE_WITHDRAW_VERSIONS];
    size_t count;
    bool all, full;
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

static bool record_taken(struct taking *t, const struct withdraw_job *w, struct err *e)
{
    if (!gate_act_for(t->g, w->who, e))
        return false;
    for (struct taken *n = t->rows; n; n = n->next) {
        struct gate_told told = {.id = n->id,
                                 .version = n->version,
                                 .audience = n->row.audience_text,
                                 .readers = n->row.audience};
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

/* Inside the writing transaction: who may take back what is judged by what stands there now. */
static bool withdraw_apply(struct exchange *x, struct store *s, struct exchange_job *j,
                           struct err *e)
{
    struct withdraw_job *w = (struct withdraw_job *)j;
    struct store_known known;
    struct store_object o = {.id = w->id, .has_version = true, .version_us = INT64_MIN};
    struct taking t = {.g = x->gate, .collection = w->collection, .e = e};
    size_t removed = 0;
    if (!store_object_known(s, &o, NULL, NULL, &known, e))
        return false;
    if (known.name == 0)
        return err_set(e, ERR_NOT_FOUND, "no such object");
    struct store_removal r = {w->collection, known.name, w->org, w->all ? NULL : w->versions,
                              w->all ? 0 : w->count};
    if (!wake_referenced(x, s, w->id, e) || !rows_before(&t, w->id) ||
        !store_release_remove(s, &r, &removed, e))
        return false;
    if (removed == 0)
        return err_set(e, ERR_FORBIDDEN,
                       "only the organisation that submitted an object removes it");
    return record_taken(&t, w, e) && wake_referrers(x, s, w->id, e);
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

static bool withdraw(struct exchange_session *s, const struct principal *who,
                     const struct exchange_query *q, struct str id, struct err *e)
{
    struct store_object o;
    struct exchange_query versions = *q;
    struct withdraw_job j = {.who = who,
                             .id = id,
                             .collection = q->collection->id,
                             .org = is_home_admin(s, who) ? 0 : who->org,
                             .all = q->versions & STORE_ALL};
    bool more;
    if (!exchange_role_writes(who->role) || who->role == EXCHANGE_SENSOR)
        return err_set(e, ERR_FORBIDDEN, "a %s may not remove objects",
                       exchange_role_name(who->role));
    if (!first_seen(s, who, q->collection, id, &o, e))
        return false;
    if (o.object == 0)
        return err_set(e, ERR_NOT_FOUND, "no such object");
    versions.ids = &id;
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
    j.w.job.apply = withdraw_apply;
    return exchange_run(s->x, &j.w, e);
}

bool exchange_withdraw(struct exchange_session *s, const struct principal *who,
                       const struct exchange_query *q, struct str id, struct err *e)
{
    struct arena *a = arena_new(1 << 16);
    bool ok = (a || err_set(e, ERR_MEMORY, "out of memory")) && original_of(s, who, a, &id, e) &&
              withdraw(s, who, q, id, e);
    arena_free(a);
    return ok;
}

/* ---- who is called what ---- */

/* What policy.conf names comes before organisations that only users have, these before users'
 * names; two different parties of one name are no answer. */
struct party_search {
    struct str name;
    struct policy_party *out;
    bool by_user_name;
    unsigned found;
};

static void found_party(struct party_search *f, struct str nation, struct str org)
{
    if (f->found && str_eq(f->out->nation, nation) && str_eq(f->out->org, org))
        return;
    f->found++;
    *f->out = (struct policy_party){nation, org};
}

static void match_party(void *ctx, const struct policy_party *p, bool is_operator)
{
    struct party_search *f = ctx;
    (void)is_operator;
    if (str_eq(p->org, f->name))
        found_party(f, p->nation, p->org);
}

static bool match_user(void *ctx, const struct store_user *u)
{
    struct party_search *f = ctx;
    if (str_eq(f->by_user_name ? u->name : u->org_name, f->name))
        found_party(f, u->nation, u->org_name);
    return true;
}

bool exchange_party_find(struct exchange_session *s, struct arena *a, struct str org,
                         struct policy_party *out, struct err *e)
{
    struct party_search f = {.name = org, .out = out};
    policy_each_party(exchange_policy(s->x), match_party, &f);
    if (!f.found && !store_user_each(s->store, a, match_user, &f, e))
        return false;
    f.by_user_name = true;
    if (!f.found && !store_user_each(s->store, a, match_user, &f, e))
        return false;
    if (f.found > 1)
        return err_set(e, ERR_CONFLICT,
                       "several nations have an organisation \"%.*s\": name a user", STR_FMT(org));
    if (!f.found)
        return err_set(e, ERR_NOT_FOUND,
                       "nobody is called \"%.*s\": name an organisation of policy.conf or a user",
                       STR_FMT(org));
    return true;
}
