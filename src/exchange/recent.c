/*
 * Which names got release rows lately. A full page that others follow stays what it is when rows
 * are added, but for those of names that are on it. So that not every page looks at all that was
 * added since it was made, the rows of a party in a collection are read once, into a table of
 * names, and a page looks its own names up.
 *
 * The table is the party's own: what it tells, and how long that takes, follows from the party's
 * rows and from what the party asked for.
 */
#include <string.h>

#include "exchange/exchange_priv.h"

#define SLOTS ((size_t)LIMIT_EXCHANGE_RECENT_NAMES * 2)
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "a mask finds a slot");
_Static_assert(LIMIT_EXCHANGE_RECENT_ROWS < LIMIT_EXCHANGE_RECENT_NAMES, "one reading fits");

struct exchange_recent {
    struct exchange_recent *next;
    int64_t collection;
    struct buf names; /* of the party */
    struct policy_party party;
    int64_t from_us, upto_us; /* the table has all rows behind the one, up to the other */
    size_t count;
    struct store_name slots[SLOTS]; /* date_added 0: free; else of the name's last row */
};

void exchange_recents_init(struct exchange_recents *r)
{
    pthread_mutex_init(&r->lock, NULL);
}

static void free_recent(struct exchange_recent *t)
{
    buf_done(&t->names);
    base_free(t);
}

void exchange_recents_done(struct exchange_recents *r)
{
    for (struct exchange_recent *t = r->first, *next; t; t = next) {
        next = t->next;
        free_recent(t);
    }
    pthread_mutex_destroy(&r->lock);
}

/* ---- the tables; the lock is held ---- */

static struct exchange_recent *make_table(const struct policy_party *party, int64_t collection)
{
    struct exchange_recent *t = base_alloc(sizeof *t);
    if (!t)
        return NULL;
    t->collection = collection;
    buf_init(&t->names, 0);
    buf_str(&t->names, party->nation);
    buf_str(&t->names, party->org);
    struct str both = buf_view(&t->names);
    t->party.nation = str_slice(both, 0, party->nation.n);
    t->party.org = str_from(both, party->nation.n);
    if (!t->names.failed)
        return t;
    free_recent(t);
    return NULL;
}

/* Brings it to the front; NULL without one. */
static struct exchange_recent *find_table(struct exchange_recents *r,
                                          const struct policy_party *party, int64_t collection)
{
    for (struct exchange_recent **at = &r->first, *t; (t = *at) != NULL; at = &t->next) {
        if (t->collection != collection || !str_eq(t->party.org, party->org) ||
            !str_eq(t->party.nation, party->nation))
            continue;
        *at = t->next;
        t->next = r->first;
        r->first = t;
        return t;
    }
    return NULL;
}

static void drop_last(struct exchange_recents *r)
{
    struct exchange_recent **at = &r->first;
    while ((*at)->next)
        at = &(*at)->next;
    free_recent(*at);
    *at = NULL;
    r->count--;
}

static struct exchange_recent *get_table(struct exchange_recents *r,
                                         const struct policy_party *party, int64_t collection,
                                         int64_t from_us)
{
    struct exchange_recent *t = find_table(r, party, collection);
    if (t || !(t = make_table(party, collection)))
        return t;
    t->from_us = t->upto_us = from_us;
    t->next = r->first;
    r->first = t;
    if (++r->count > LIMIT_EXCHANGE_RECENTS)
        drop_last(r);
    return t;
}

static struct store_name *slot_of(struct exchange_recent *t, int64_t name)
{
    /* A name is a keyed hash already. */
    size_t i = (size_t)name & (SLOTS - 1);
    while (t->slots[i].date_added && t->slots[i].name != name)
        i = (i + 1) & (SLOTS - 1);
    return &t->slots[i];
}

static void start_anew(struct exchange_recent *t, int64_t at_us)
{
    memset(t->slots, 0, sizeof t->slots);
    t->count = 0;
    t->from_us = t->upto_us = at_us;
}

/* All rows behind a date that the table had come to, up to upto_us. */
static void put_rows(struct exchange_recent *t, const struct store_name *rows, size_t count,
                     int64_t upto_us)
{
    if (t->count + count > LIMIT_EXCHANGE_RECENT_NAMES) {
        start_anew(t, upto_us > t->upto_us ? upto_us : t->upto_us);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct store_name *slot = slot_of(t, rows[i].name);
        t->count += slot->date_added == 0;
        if (slot->date_added < rows[i].date_added)
            *slot = rows[i];
    }
    if (t->upto_us < upto_us)
        t->upto_us = upto_us;
}

static bool has_any(struct exchange_recent *t, const struct exchange_names *n)
{
    bool yes = n->since_us < t->from_us || t->upto_us < n->upto_us;
    for (size_t i = 0; i < n->count && !yes; i++)
        yes = slot_of(t, n->list[i])->date_added > n->since_us;
    return yes;
}

/* ---- asking ---- */

/* Reads what the table lacks; the lock is not held. */
static bool catch_up(struct exchange_session *s, const struct policy_party *party,
                     const struct store_query *query, int64_t from_us, int64_t upto_us,
                     struct err *e)
{
    struct exchange_recents *r = &s->x->recents;
    struct store_query q = *query;
    struct store_name *rows = base_alloc(LIMIT_EXCHANGE_RECENT_ROWS * sizeof *rows);
    size_t count;
    bool more;
    if (!rows)
        return err_set(e, ERR_MEMORY, "out of memory");
    q.after_us = from_us;
    q.limit = LIMIT_EXCHANGE_RECENT_ROWS;
    bool ok = store_names_after(s->store, &q, rows, &count, &more, e);
    pthread_mutex_lock(&r->lock);
    struct exchange_recent *t = ok ? find_table(r, party, q.collection) : NULL;
    if (t && more)
        start_anew(t, upto_us > t->upto_us ? upto_us : t->upto_us);
    else if (t)
        put_rows(t, rows, count, upto_us);
    pthread_mutex_unlock(&r->lock);
    base_free(rows);
    return ok;
}

bool exchange_recent_has(struct exchange_session *s, const struct policy_party *party,
                         const struct store_query *q, const struct exchange_names *n, bool *yes,
                         struct err *e)
{
    struct exchange_recents *r = &s->x->recents;
    pthread_mutex_lock(&r->lock);
    struct exchange_recent *t = get_table(r, party, q->collection, n->since_us);
    bool known = t && n->since_us >= t->from_us;
    int64_t from_us = t ? t->upto_us : n->upto_us;
    pthread_mutex_unlock(&r->lock);
    if (known && from_us < n->upto_us && !catch_up(s, party, q, from_us, n->upto_us, e))
        return false;
    pthread_mutex_lock(&r->lock);
    t = known ? find_table(r, party, q->collection) : NULL;
    *yes = !t || has_any(t, n);
    pthread_mutex_unlock(&r->lock);
    return true;
}
