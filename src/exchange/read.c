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
    exchange_known_done(&s->known);
    store_close(s->store);
    json_reader_free(s->json);
    arena_free(s->arena);
    base_free(s);
}

bool exchange_session_hold(struct exchange_session *s, struct err *e)
{
    return store_hold(s->store, e);
}

void exchange_session_let_go(struct exchange_session *s)
{
    store_let_go(s->store);
}

void exchange_session_linger(struct exchange_session *s)
{
    store_linger(s->store);
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
        .bytes_only = q->bytes_only,
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
    if (q->as && !exchange_home_officer(s->x, who))
        return err_set(e, ERR_FORBIDDEN, "what others are shown is for officers of this node");
    if (!store_begin(s->store, e))
        return false;
    const struct exchange_audiences *a = exchange_audiences_of(s, q->as ? q->as : &who->party, e);
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

bool exchange_moved(struct exchange_session *s, const struct principal *who,
                    const struct exchange_collection *c, uint64_t *moved, struct err *e)
{
    struct store_stand stand;
    if (!exchange_role_reads(who->role))
        return err_set(e, ERR_FORBIDDEN, "a %s may not read objects",
                       exchange_role_name(who->role));
    if (!store_begin(s->store, e))
        return false;
    struct exchange_audiences *a = exchange_audiences_of(s, &who->party, e);
    bool ok = a && exchange_stand_of(s, a, c->id, &stand, e);
    store_rollback(s->store);
    if (ok)
        *moved = stand.moved;
    return ok;
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
