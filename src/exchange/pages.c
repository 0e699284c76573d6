/*
 * Pages that are kept and given out again. A page is a function of its reader's rows, so it stays
 * what it is until one of those changes: rows left or joined the reader's audiences, or rows were
 * added behind. The first counts for every page, the second for a page that reaches the end, and
 * for one with a row of which another version was added, since `last` and `first` may then be
 * others. What was asked by id changes when rows of these ids are added, and not by others. All
 * this is read in the transaction in which a new page would be read: after the commit of a
 * withdrawal no reading can find the old state, so no page is given out that shows it.
 *
 * A page is its party's own, though others may see the same rows: else how long an answer takes
 * would tell who else has read.
 */
#include <stdio.h>
#include <string.h>

#include "exchange/exchange_priv.h"

#define KEY_MOST 1024u
#define TAG_MAC  16u
#define FORESEEN 16u /* rows */

struct coded {
    struct buf bytes;
};

struct exchange_kept {
    struct exchange_page page; /* the first member */
    atomic_uint holders;
    _Atomic(struct coded *) forms[EXCHANGE_PAGE_FORMS];
    struct buf body, key;
    uint64_t hash;
    bool by_version, by_id, with_bytes;
    char collection[40]; /* its id */
    int64_t *names;      /* of what was asked, where `by_id`; of the rows, where `by_version` */
    size_t name_count, name_room;
    uint64_t marked[STIX_TLP_COUNT]; /* rows of each marking */
    struct exchange_pages *in;       /* NULL: never kept. What follows is guarded by its lock. */
    struct exchange_kept *chain, *newer, *older;
    size_t bytes;
    bool placed;
    struct store_stand stand;
};

/* ---- holding ---- */

bool exchange_pages_init(struct exchange_pages *p)
{
    pthread_mutex_init(&p->lock, NULL);
    p->buckets = base_alloc(EXCHANGE_PAGE_BUCKETS * sizeof *p->buckets);
    return p->buckets;
}

static struct exchange_kept *kept_of(struct exchange_page *p)
{
    return (struct exchange_kept *)p;
}

static void form_free(struct coded *c)
{
    if (!c)
        return;
    buf_done(&c->bytes);
    base_free(c);
}

void exchange_page_drop(struct exchange_page *p)
{
    struct exchange_kept *k = kept_of(p);
    if (!k || atomic_fetch_sub(&k->holders, 1) != 1)
        return;
    for (size_t i = 0; i < EXCHANGE_PAGE_FORMS; i++)
        form_free(atomic_load(&k->forms[i]));
    buf_done(&k->body);
    buf_done(&k->key);
    base_free(k->names);
    base_free(k);
}

/* ---- places; the lock is held ---- */

static struct exchange_kept **slot_of(struct exchange_pages *p, const struct exchange_kept *k)
{
    struct exchange_kept **slot = &p->buckets[k->hash % EXCHANGE_PAGE_BUCKETS];
    while (*slot &&
           !((*slot)->hash == k->hash && str_eq(buf_view(&(*slot)->key), buf_view(&k->key))))
        slot = &(*slot)->chain;
    return slot;
}

static void unlist(struct exchange_pages *p, struct exchange_kept *k)
{
    *(k->newer ? &k->newer->older : &p->newest) = k->older;
    *(k->older ? &k->older->newer : &p->oldest) = k->newer;
}

static void list_first(struct exchange_pages *p, struct exchange_kept *k)
{
    k->newer = NULL;
    k->older = p->newest;
    *(p->newest ? &p->newest->newer : &p->oldest) = k;
    p->newest = k;
}

static void displace(struct exchange_pages *p, struct exchange_kept *k)
{
    if (!k->placed)
        return;
    *slot_of(p, k) = k->chain;
    unlist(p, k);
    p->bytes -= k->bytes;
    k->placed = false;
    exchange_page_drop(&k->page);
}

static void make_room(struct exchange_pages *p)
{
    while (p->bytes > LIMIT_EXCHANGE_PAGES_BYTES)
        displace(p, p->oldest);
}

/* Of the two states of one reader's rows, is `a` later than `b`, or the same? */
static bool not_before(const struct store_stand *a, const struct store_stand *b)
{
    return a->moved != b->moved ? a->moved > b->moved : a->newest_us >= b->newest_us;
}

static void place(struct exchange_pages *p, struct exchange_kept *k)
{
    struct exchange_kept **slot = slot_of(p, k);
    if (*slot && not_before(&(*slot)->stand, &k->stand))
        return;
    if (*slot)
        displace(p, *slot);
    slot = slot_of(p, k);
    k->chain = *slot;
    *slot = k;
    list_first(p, k);
    p->bytes += k->bytes;
    k->placed = true;
    atomic_fetch_add(&k->holders, 1);
    make_room(p);
}

void exchange_pages_done(struct exchange_pages *p)
{
    while (p->oldest)
        displace(p, p->oldest);
    base_free(p->buckets);
    pthread_mutex_destroy(&p->lock);
}

/* ---- forms ---- */

/* What is kept for long takes no more memory than it needs. */
static void fit(struct buf *b)
{
    char *p = base_realloc(b->p, b->n);
    if (!p)
        return;
    b->p = p;
    b->room = b->n;
}

static struct str bytes_of(const struct exchange_kept *k, unsigned form)
{
    const struct coded *c;
    if (form == EXCHANGE_PAGE_PLAIN)
        return buf_view(&k->body);
    c = atomic_load(&k->forms[form]);
    return c ? buf_view(&c->bytes) : STR_NONE;
}

bool exchange_page_has(const struct exchange_page *p, unsigned form)
{
    return bytes_of((const struct exchange_kept *)p, form).n > 0;
}

static void count_form(struct exchange_kept *k, size_t bytes)
{
    struct exchange_pages *p = k->in;
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    k->bytes += bytes;
    if (k->placed) {
        p->bytes += bytes;
        make_room(p);
    }
    pthread_mutex_unlock(&p->lock);
}

bool exchange_page_code(struct exchange_page *p, unsigned form, exchange_coding_fn *code,
                        struct err *e)
{
    struct exchange_kept *k = kept_of(p);
    struct coded *c, *none = NULL;
    if (exchange_page_has(p, form))
        return true;
    if (!(c = base_alloc(sizeof *c)))
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&c->bytes, 0);
    if (!code(form, buf_view(&k->body), &c->bytes) || c->bytes.failed || c->bytes.n == 0) {
        form_free(c);
        return err_set(e, ERR_MEMORY, "a page could not be coded");
    }
    fit(&c->bytes);
    size_t bytes = sizeof *c + c->bytes.room;
    if (atomic_compare_exchange_strong(&k->forms[form], &none, c))
        count_form(k, bytes);
    else
        form_free(c); /* another thread was first */
    return true;
}

/* ---- making ---- */

static void key_put(struct buf *b, const struct principal *who, const struct exchange_query *q,
                    char kind)
{
    const int64_t numbers[] = {q->collection->id,     q->after_us,
                               (int64_t)q->limit,     (int64_t)q->versions,
                               q->with_bytes,         (int64_t)q->version_count,
                               q->bytes_only,         (int64_t)q->limit_bytes,
                               (int64_t)q->type_count};
    buf_init(b, KEY_MOST);
    buf_byte(b, kind);
    buf_put(b, numbers, sizeof numbers);
    buf_put(b, q->version_us, q->version_count * sizeof *q->version_us);
    buf_str(b, who->party.nation);
    buf_byte(b, '\0');
    buf_str(b, who->party.org);
    for (size_t i = 0; i < q->type_count; i++) {
        buf_byte(b, '\0');
        buf_str(b, q->types[i]);
    }
    for (size_t i = 0; i < q->id_count; i++) {
        buf_byte(b, '\0');
        buf_str(b, q->ids[i]);
    }
}

struct writing {
    const struct exchange_paging *how;
    struct exchange_kept *k;
    struct buf dates; /* what the tag follows from */
    size_t limit;     /* of rows */
    bool failed;
};

static void note_name(struct writing *w, int64_t name)
{
    struct exchange_kept *k = w->k;
    void *items = k->names;
    w->failed = !base_grow(&items, &k->name_room, k->name_count + 1, sizeof *k->names);
    k->names = items;
    if (!w->failed)
        k->names[k->name_count++] = name;
}

/* Once the first rows have shown how long they are, room for all is made in one step. What of it
 * stays unused was never touched, and is given back. */
static void foresee(struct buf *b, size_t rows, size_t limit)
{
    size_t each = b->n / rows + 1, most = LIMIT_EXCHANGE_PAGE_BYTES / each;
    (void)buf_reserve(b, each * (limit < most ? limit : most));
}

static bool write_row(void *ctx, const struct store_row *row)
{
    struct writing *w = ctx;
    struct exchange_page *p = &w->k->page;
    unsigned tlp = row->object->tlp ? row->object->tlp : row->object->marking;
    if (p->count == 0)
        p->first_us = row->date_added;
    p->last_us = row->date_added;
    w->how->row(&w->k->body, p->count++, row);
    if (p->count == FORESEEN && w->limit > FORESEEN)
        foresee(&w->k->body, FORESEEN, w->limit);
    w->k->marked[tlp < STIX_TLP_COUNT ? tlp : STIX_TLP_COUNT - 1]++;
    buf_put(&w->dates, &row->date_added, sizeof row->date_added);
    if (w->k->by_version && !w->k->by_id)
        note_name(w, row->object->name);
    return !w->failed && !w->k->body.failed;
}

/* A row's date names its bytes in its collection for ever, so the tag follows from the dates, and
 * from what else stands on the page. */
static void tag(struct exchange *x, const struct exchange_query *q, struct writing *w, int64_t upto)
{
    unsigned char mac[CRYPT_SHA256_BYTES];
    struct buf text;
    buf_init(&text, sizeof w->k->page.tag);
    buf_put(&w->dates, &upto, sizeof upto);
    buf_byte(&w->dates, w->k->page.more ? '+' : '.');
    buf_byte(&w->dates, w->how->kind);
    buf_str(&w->dates, q->collection->uuid);
    exchange_mac(x, buf_view(&w->dates), mac);
    crypt_base64_put(&text, (struct str){(const char *)mac, TAG_MAC}, true);
    must(text.n < sizeof w->k->page.tag);
    if (text.n)
        memcpy(w->k->page.tag, text.p, text.n);
    w->failed = w->failed || text.failed || w->dates.failed;
    buf_done(&text);
}

static bool finish(struct exchange *x, const struct exchange_query *q, struct writing *w,
                   int64_t upto, struct err *e)
{
    struct exchange_kept *k = w->k;
    if (k->page.count && k->page.last_us > upto)
        upto = k->page.last_us;
    w->how->end(w->how->ctx, &k->body, k->page.count, k->page.more, upto);
    tag(x, q, w, k->page.more ? upto : 0);
    if (w->failed || !buf_ok(&k->body, e))
        return err_set(e, ERR_MEMORY, "out of memory");
    fit(&k->body);
    k->page.body_bytes = k->body.n;
    k->bytes = sizeof *k + k->body.room + k->key.room + k->name_room * sizeof *k->names;
    return true;
}

static bool make(struct exchange_session *s, const struct exchange_query *q,
                 const struct exchange_audiences *a, struct writing *w, struct err *e)
{
    int64_t upto = INT64_MIN;
    struct store_query sq = exchange_store_query(q, a);
    struct exchange_kept *k = base_alloc(sizeof *k);
    if (!k)
        return err_set(e, ERR_MEMORY, "out of memory");
    w->k = k;
    atomic_store(&k->holders, 1);
    k->with_bytes = q->with_bytes;
    snprintf(k->collection, sizeof k->collection, "%.*s", STR_FMT(q->collection->uuid));
    k->by_version = (q->versions & (STORE_LAST | STORE_FIRST)) != 0;
    k->by_id = q->id_count > 0;
    for (size_t i = 0; i < q->id_count && !w->failed; i++)
        note_name(w, store_name(s->store, q->ids[i]));
    sq.upto_us = &upto;
    buf_init(&w->dates, 0);
    bool ok =
        store_read(s->store, &sq, write_row, w, &k->page.more, e) && finish(s->x, q, w, upto, e);
    buf_done(&w->dates);
    if (!ok)
        exchange_page_drop(&k->page);
    return ok;
}

/* ---- finding ---- */

/* A party's page under a key, as it stands in the transaction of `s`. */
struct seeking {
    struct exchange_session *s;
    const struct exchange_query *q;
    const struct exchange_audiences *a;
    struct buf key;
    uint64_t hash;
    struct store_stand stand;
};

enum freshness { FRESH, STALE, UNSURE };

static enum freshness judge(const struct exchange_kept *k, const struct store_stand *now)
{
    if (not_before(&k->stand, now))
        return FRESH;
    if (k->stand.moved != now->moved || !(k->page.more || k->by_id))
        return STALE;
    return k->by_version || k->by_id ? UNSURE : FRESH;
}

/* Takes hold of it. */
static struct exchange_kept *look_up(struct seeking *f, enum freshness *is, int64_t *since)
{
    struct exchange_pages *p = &f->s->x->pages;
    struct exchange_kept wanted = {.key = f->key, .hash = f->hash};
    pthread_mutex_lock(&p->lock);
    struct exchange_kept *k = *slot_of(p, &wanted);
    *is = k ? judge(k, &f->stand) : STALE;
    if (k && *is == STALE) {
        displace(p, k);
        k = NULL;
    }
    if (k) {
        *since = k->stand.newest_us;
        atomic_fetch_add(&k->holders, 1);
        unlist(p, k);
        list_first(p, k);
    }
    pthread_mutex_unlock(&p->lock);
    return k;
}

/* Has a version been added of what stands on the page? */
static bool settle(struct seeking *f, struct exchange_kept **k, int64_t since, struct err *e)
{
    struct exchange_pages *p = &f->s->x->pages;
    const struct store_query q = exchange_store_query(f->q, f->a);
    const struct exchange_names names = {(*k)->names, (*k)->name_count, since, f->stand.newest_us};
    bool added = true;
    bool ok = exchange_recent_has(f->s, &f->a->party, &q, &names, &added, e);
    pthread_mutex_lock(&p->lock);
    if (ok && added)
        displace(p, *k);
    else if (ok && (*k)->stand.moved == f->stand.moved && !not_before(&(*k)->stand, &f->stand))
        (*k)->stand = f->stand;
    pthread_mutex_unlock(&p->lock);
    if (ok && !added)
        return true;
    exchange_page_drop(&(*k)->page);
    *k = NULL;
    return ok;
}

/* *out is NULL where none is kept, or none that is still right. */
static bool find(struct seeking *f, struct exchange_kept **out, struct err *e)
{
    enum freshness is;
    int64_t since = 0;
    struct exchange_kept *k = look_up(f, &is, &since);
    if (k && is == UNSURE && !settle(f, &k, since, e))
        return false;
    *out = k;
    return true;
}

static void keep(struct seeking *f, struct exchange_kept *k)
{
    struct exchange_pages *p = &f->s->x->pages;
    k->key = f->key;
    buf_init(&f->key, 0);
    k->hash = f->hash;
    k->stand = f->stand;
    k->in = p;
    if (k->bytes > LIMIT_EXCHANGE_PAGE_BYTES)
        return;
    pthread_mutex_lock(&p->lock);
    place(p, k);
    pthread_mutex_unlock(&p->lock);
}

static bool find_or_make(struct seeking *f, const struct principal *who, struct writing *w,
                         struct err *e)
{
    key_put(&f->key, who, f->q, w->how->kind);
    bool keeps = !f->key.failed; /* one whose key is too long is not */
    f->hash = str_hash(buf_view(&f->key), 0);
    struct exchange_audiences *a = exchange_audiences_of(f->s, &who->party, e);
    f->a = a;
    bool ok = a && (!keeps || (exchange_stand_of(f->s, a, f->q->collection->id, &f->stand, e) &&
                               find(f, &w->k, e)));
    if (ok && !w->k) {
        ok = make(f->s, f->q, a, w, e);
        /* Nothing is kept of ids that found nothing: there is no end of them. */
        if (ok && keeps && (w->k->page.count || !w->k->by_id))
            keep(f, w->k);
    }
    buf_done(&f->key);
    return ok;
}

bool exchange_page_read(struct exchange_session *s, const struct principal *who,
                        const struct exchange_query *q, const struct exchange_paging *how,
                        struct exchange_page **out, struct err *e)
{
    struct seeking f = {.s = s, .q = q};
    struct writing w = {.how = how, .limit = q->limit};
    must(!q->as); /* a page is kept for whom it is shown to */
    if (!exchange_role_reads(who->role))
        return err_set(e, ERR_FORBIDDEN, "a %s may not read objects",
                       exchange_role_name(who->role));
    if (!store_begin(s->store, e))
        return false;
    bool ok = find_or_make(&f, who, &w, e);
    store_rollback(s->store);
    if (ok)
        *out = &w.k->page;
    return ok;
}

bool exchange_page_give(struct exchange_session *s, const struct principal *who,
                        const struct exchange_page *p, unsigned form, struct str *out,
                        struct err *e)
{
    const struct exchange_kept *k = (const struct exchange_kept *)p;
    struct exchange_reading r = {.collection = str_of(k->collection)};
    if (k->with_bytes && exchange_reads_recorded(s->x, &r.from)) {
        for (unsigned tlp = r.from; tlp < STIX_TLP_COUNT; tlp++) {
            r.count += k->marked[tlp];
            r.strictest = k->marked[tlp] ? tlp : r.strictest;
        }
        if (!exchange_reading_done(s->x, who, &r, e))
            return false;
    }
    *out = bytes_of(k, form);
    return true;
}
