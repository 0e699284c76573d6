/*
 * Waiting for releases. Who waits stands under its party and collection, with the audiences of that
 * party; a commit wakes those of whose audiences rows were added, and costs nothing for the others.
 */
#include <stdlib.h>
#include <string.h>

#include "exchange/exchange_priv.h"

/* Those of one party who wait at one collection. */
struct exchange_watched {
    struct exchange_watched *next;
    int64_t collection;
    struct policy_party party;
    struct buf names;
    int64_t *audiences; /* in rising order */
    size_t count, room;
    int64_t upto;      /* audiences up to this number are looked at */
    int64_t newest_us; /* rows up to here are no news */
    struct exchange_watch *first;
    bool failed;
};

void exchange_watches_init(struct exchange_watches *w)
{
    pthread_mutex_init(&w->lock, NULL);
    atomic_store(&w->count, 0);
}

void exchange_watches_done(struct exchange_watches *w)
{
    must(!w->first); /* nobody waits any more */
    store_close(w->store);
    pthread_mutex_destroy(&w->lock);
}

/* ---- coming and going ---- */

static void free_watched(struct exchange_watched *g)
{
    buf_done(&g->names);
    base_free(g->audiences);
    base_free(g);
}

static bool add_audience(struct exchange_watched *g, int64_t id)
{
    void *items = g->audiences;
    if (!base_grow(&items, &g->room, g->count + 1, sizeof *g->audiences))
        return false;
    g->audiences = items;
    g->audiences[g->count++] = id;
    return true;
}

static struct exchange_watched *make_watched(const struct policy_party *party, int64_t collection,
                                             const struct exchange_audiences *a,
                                             const struct store_stand *stand)
{
    struct exchange_watched *g = base_alloc(sizeof *g);
    if (!g)
        return NULL;
    g->collection = collection;
    g->upto = a->upto;
    g->newest_us = stand->newest_us;
    buf_init(&g->names, 0);
    buf_str(&g->names, party->nation);
    buf_str(&g->names, party->org);
    struct str both = buf_view(&g->names);
    g->party.nation = str_slice(both, 0, party->nation.n);
    g->party.org = str_from(both, party->nation.n);
    bool ok = !g->names.failed;
    for (size_t i = 0; i < a->n && ok; i++)
        ok = add_audience(g, a->ids[i]);
    if (ok)
        return g;
    free_watched(g);
    return NULL;
}

static struct exchange_watched *find_watched(struct exchange_watches *w,
                                             const struct policy_party *party, int64_t collection)
{
    struct exchange_watched *g = w->first;
    while (g && !(g->collection == collection && str_eq(g->party.org, party->org) &&
                  str_eq(g->party.nation, party->nation)))
        g = g->next;
    return g;
}

static void link_watch(struct exchange_watched *g, struct exchange_watch *w)
{
    w->of = g;
    w->next = g->first;
    w->at = &g->first;
    if (w->next)
        w->next->at = &w->next;
    g->first = w;
}

/* True when nobody is left under its party. */
static bool unlink_watch(struct exchange_watch *w)
{
    struct exchange_watched *g = w->of;
    must(w->at);
    *w->at = w->next;
    if (w->next)
        w->next->at = w->at;
    w->at = NULL;
    return g->first == NULL;
}

static void drop_empty(struct exchange_watches *w)
{
    for (struct exchange_watched **at = &w->first, *g; (g = *at) != NULL;) {
        if (g->first) {
            at = &g->next;
            continue;
        }
        *at = g->next;
        atomic_fetch_sub(&w->count, 1);
        free_watched(g);
    }
}

static bool look_up(struct exchange_session *s, const struct principal *who,
                    const struct exchange_collection *c, struct exchange_watched **out,
                    struct err *e)
{
    struct store_stand stand;
    struct exchange_audiences *a;
    if (!store_begin(s->store, e))
        return false;
    bool ok = (a = exchange_audiences_of(s, &who->party, e)) != NULL &&
              exchange_stand_of(s, a, c->id, &stand, e);
    store_rollback(s->store);
    if (ok && !(*out = make_watched(&who->party, c->id, a, &stand)))
        ok = err_set(e, ERR_MEMORY, "out of memory");
    return ok;
}

bool exchange_watch(struct exchange_session *s, const struct principal *who,
                    const struct exchange_collection *c, struct exchange_watch *w, struct err *e)
{
    struct exchange_watches *all = &s->x->watches;
    struct exchange_watched *g, *made = NULL;
    if (!exchange_role_reads(who->role))
        return err_set(e, ERR_FORBIDDEN, "a %s may not read objects",
                       exchange_role_name(who->role));
    pthread_mutex_lock(&all->lock);
    g = find_watched(all, &who->party, c->id);
    if (!g) {
        pthread_mutex_unlock(&all->lock);
        if (!look_up(s, who, c, &made, e))
            return false;
        pthread_mutex_lock(&all->lock);
        g = find_watched(all, &who->party, c->id); /* another thread may have been first */
    }
    bool first = g == NULL;
    if (first) {
        g = made;
        g->next = all->first;
        all->first = g;
        atomic_fetch_add(&all->count, 1);
    }
    link_watch(g, w);
    pthread_mutex_unlock(&all->lock);
    if (made && !first)
        free_watched(made);
    if (first) { /* the writer looks more often from now on */
        pthread_mutex_lock(&s->x->lock);
        pthread_cond_signal(&s->x->wake);
        pthread_mutex_unlock(&s->x->lock);
    }
    store_let_go(s->store); /* what is read from here on is not older than the watch */
    return true;
}

void exchange_unwatch(struct exchange *x, struct exchange_watch *w)
{
    pthread_mutex_lock(&x->watches.lock);
    if (w->at && unlink_watch(w))
        drop_empty(&x->watches);
    pthread_mutex_unlock(&x->watches.lock);
}

/* ---- telling; the lock is held, on the writer's thread ---- */

static void wake_all(struct exchange_watched *g)
{
    while (g->first) {
        struct exchange_watch *w = g->first;
        (void)unlink_watch(w);
        w->wake(w->ctx);
    }
}

static bool look_at_audience(void *ctx, int64_t id, struct str text)
{
    struct exchange_watched *g = ctx;
    g->upto = id;
    if (policy_audience_has(text, &g->party))
        g->failed = !add_audience(g, id);
    return !g->failed;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Is the audience one of the party's? What cannot be found out wakes it. */
static bool is_of(struct exchange_watched *g, struct store *s, int64_t audience)
{
    struct err ignored;
    if (audience > g->upto &&
        (!store_audience_each(s, g->upto, look_at_audience, g, &ignored) || g->failed))
        return true;
    return g->count &&
           bsearch(&audience, g->audiences, g->count, sizeof audience, by_number) != NULL;
}

static void tell_added(struct exchange *x, const struct store_added *list, size_t count)
{
    for (struct exchange_watched *g = x->watches.first; g; g = g->next)
        for (size_t i = 0; i < count && g->first; i++)
            if (list[i].collection == g->collection && is_of(g, x->writer_store, list[i].audience))
                wake_all(g);
}

/* Whoever's newest row is another; where it cannot be found out, everybody. */
static void tell_by_looking(struct exchange *x)
{
    char path[LIMIT_PATH_BYTES];
    struct err ignored;
    struct exchange_watches *all = &x->watches;
    bool ok = all->store ||
              store_open(exchange_path(x, "setu.db", path), STORE_READ, &all->store, &ignored);
    ok = ok && store_begin(all->store, &ignored);
    for (struct exchange_watched *g = all->first; g; g = g->next) {
        struct store_stand stand = {0};
        bool known = ok && store_audience_each(all->store, g->upto, look_at_audience, g, &ignored);
        struct store_query q = {
            .collection = g->collection, .audiences = g->audiences, .audience_count = g->count};
        known = known && !g->failed && store_stand(all->store, &q, &stand, &ignored);
        if (!known || stand.newest_us > g->newest_us)
            wake_all(g);
    }
    if (ok)
        store_rollback(all->store);
}

void exchange_watches_tell(struct exchange *x)
{
    const struct store_added *list;
    size_t count;
    int64_t state = 0;
    struct err ignored;
    struct exchange_watches *all = &x->watches;
    if (atomic_load(&all->count) == 0)
        return;
    bool complete = store_added(x->writer_store, &list, &count);
    bool looked = store_state(x->writer_store, &state, &ignored) && state == all->state;
    all->state = state;
    pthread_mutex_lock(&all->lock);
    tell_added(x, list, count);
    if (!complete || !looked)
        tell_by_looking(x);
    drop_empty(all);
    pthread_mutex_unlock(&all->lock);
}
