/*
 * Following collections: a thread for each asks what is new, and what is gone. A server that is a
 * Setu answers when it has something; others are asked again and again. What is gone is found in
 * the manifest, and asked for by its id before it is believed. A directory is looked at, which
 * costs two steps in an index.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/live_priv.h"

/* A directory is looked at so often; a long pull is shown in between; who stops is noticed. */
#define LOOK_MS 300
#define SHOW_US 200000
#define NAP_MS  100
/* Of the time that looking for what is gone takes, so many times as much passes before the next. */
#define GONE_SHARE 20

/* The stop of the thread's requests. */
static _Thread_local struct sensor_live *here;

static bool stopped(void)
{
    return atomic_load(&here->stop);
}

static void nap(int64_t ms)
{
    int64_t until = monotonic_us() + ms * 1000, left;
    while (!stopped() && (left = until - monotonic_us()) > 0)
        (void)poll(NULL, 0, left / 1000 < NAP_MS ? (int)(left / 1000) + 1 : NAP_MS);
}

/* ---- telling; the lock is held --------------------------------------------------------------- */

static void tell(struct live_feed *f, const char *why)
{
    struct sensor_live *l = f->live;
    const struct sensor_news n = {str_of(f->of->where.p), f->taken, f->gone, why,
                                  f->failing && !why};
    if (!why && !n.again && !f->taken && !f->gone)
        return;
    f->taken = f->gone = 0;
    f->failing = why != NULL;
    if (l->how.news)
        l->how.news(l->how.ctx, &n);
}

static bool show(struct live_feed *f, struct err *e)
{
    return live_set_publish(&f->live->set, &f->taken, &f->gone, e);
}

/* ---- what is gone ---------------------------------------------------------------------------- */

/* What a feed holds now, and what it knew that is not there. */
struct absence {
    struct live_feed *f;
    struct sensor_feed now; /* only what it knows is used */
    uint64_t *missing;
    size_t missing_count;
    struct arena *text;
    struct str *ids; /* of those missing that are looked for */
    size_t id_count, id_room;
    bool full;
};

static size_t sort_once(uint64_t *list, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(list, n, sizeof *list, live_by_number);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || list[i] != list[kept - 1])
            list[kept++] = list[i];
    return kept;
}

/* Does another collection hold it still? */
static bool elsewhere(const struct absence *a, uint64_t hash)
{
    const struct sensor_live *l = a->f->live;
    for (size_t i = 0; i < l->count; i++) {
        const struct sensor_feed *other = l->feeds[i].of;
        if (other != a->f->of && live_has(other->known, other->known_count, hash))
            return true;
    }
    return false;
}

static bool add_id(void *ctx, struct str id)
{
    struct absence *a = ctx;
    void *ids = a->ids;
    a->full = !base_grow(&ids, &a->id_room, a->id_count + 1, sizeof *a->ids);
    if (a->full)
        return false;
    a->ids = ids;
    a->ids[a->id_count++] = arena_str(a->text, id);
    return true;
}

/* From what it holds now, which is sorted, to the ids that are missing. */
static bool find_missing(struct absence *a, struct err *e)
{
    struct sensor_feed *was = a->f->of;
    size_t bytes, missing = 0;
    a->now.known_count = sort_once(a->now.known, a->now.known_count);
    for (size_t i = 0; i < a->f->live->count; i++) {
        struct sensor_feed *f = a->f->live->feeds[i].of;
        f->known_count = sort_once(f->known, f->known_count);
    }
    if (size_mul(was->known_count + 1, sizeof *a->missing, &bytes))
        a->missing = base_alloc(bytes);
    if (!a->missing)
        return err_set(e, ERR_MEMORY, "no memory for the ids of a collection");
    for (size_t i = 0; i < was->known_count; i++)
        if (!live_has(a->now.known, a->now.known_count, was->known[i]) &&
            !elsewhere(a, was->known[i]))
            a->missing[missing++] = was->known[i];
    const struct live_ids of = {a->missing, missing, was->seed};
    if (missing)
        live_set_each(&a->f->live->set, &of, add_id, a);
    return (!a->full && arena_ok(a->text, e)) ||
           err_set(e, ERR_MEMORY, "no memory for the ids of a collection");
}

/* What it holds now is what it is known for. */
static void keep_now(struct absence *a)
{
    struct sensor_feed *f = a->f->of;
    uint64_t *old = f->known;
    f->known = a->now.known;
    f->known_count = a->now.known_count;
    f->known_room = a->now.known_room;
    a->now.known = old;
}

static bool take_back(struct absence *a, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; i < a->id_count && ok; i++)
        ok = a->ids[i].n == 0 || sensor_take_back(a->f->live->set.changes, a->ids[i], e);
    keep_now(a);
    return ok && (a->id_count == 0 || show(a->f, e));
}

static bool absence_init(struct absence *a, struct live_feed *f, struct err *e)
{
    *a = (struct absence){.f = f, .text = arena_new(LIMIT_ARENA_FILE_BYTES)};
    a->now.seed = f->of->seed;
    return a->text || err_set(e, ERR_MEMORY, "out of memory");
}

static void absence_done(struct absence *a)
{
    arena_free(a->text);
    base_free(a->missing);
    base_free(a->ids);
    base_free(a->now.known);
}

/* ---- a server -------------------------------------------------------------------------------- */

struct server {
    struct live_feed *f;
    struct peer_client *c;
    bool waits, blind;         /* blind: it shows no manifest */
    int64_t shown_us, gone_us; /* when something was shown; when to look for what is gone */
    struct absence *absence;
};

static bool each_page(void *ctx, const struct peer_page *p, struct err *e)
{
    struct server *v = ctx;
    struct sensor_live *l = v->f->live;
    const struct sensor_origin from = {.source = str_of(v->f->of->where.p), .tlp = v->f->of->tlp};
    if (!p->count)
        return true;
    pthread_mutex_lock(&l->lock);
    bool ok = sensor_take_siblings(l->set.changes, &from, p->first, p->count, e) &&
              sensor_feed_page(v->f->of, p, e);
    int64_t now = monotonic_us();
    if (ok && (!p->more || now - v->shown_us > SHOW_US)) {
        ok = show(v->f, e);
        v->shown_us = now;
    }
    pthread_mutex_unlock(&l->lock);
    return ok;
}

static bool ask_new(struct server *v, struct err *e)
{
    struct sensor_feed *f = v->f->of;
    int64_t left_s = (v->gone_us - monotonic_us()) / 1000000;
    struct buf after; /* the pull's, while that of the feed moves */
    buf_init(&after, 0);
    buf_str(&after, buf_view(&f->after));
    struct peer_pull what = {.collection_url = buf_view(&f->collection),
                             .added_after = buf_view(&after),
                             .type = STR("indicator")};
    if (v->waits)
        what.wait_s = left_s < 1                     ? 1
                      : left_s < LIMIT_SENSOR_WAIT_S ? (unsigned)left_s
                                                     : LIMIT_SENSOR_WAIT_S;
    bool ok = buf_ok(&after, e) && peer_client_pull(v->c, &what, each_page, v, e);
    buf_done(&after);
    return ok;
}

/* A page of the manifest: its ids are there. */
static bool each_there(void *ctx, const struct peer_page *p, struct err *e)
{
    struct server *v = ctx;
    size_t left = p->count;
    for (const struct json *o = p->first; o && left; o = o->next, left--)
        if (json_is(o, JSON_OBJECT) &&
            !sensor_feed_knows(&v->absence->now, json_get_str(o, STR("id")), e))
            return false;
    return true;
}

/* Those that are there all the same are crossed out. */
static bool each_found(void *ctx, const struct peer_page *p, struct err *e)
{
    struct absence *a = ((struct server *)ctx)->absence;
    size_t left = p->count;
    if (!each_there(ctx, p, e))
        return false;
    for (const struct json *o = p->first; o && left; o = o->next, left--)
        for (size_t i = 0; i < a->id_count; i++)
            if (json_is(o, JSON_OBJECT) && str_eq(a->ids[i], json_get_str(o, STR("id"))))
                a->ids[i].n = 0;
    return true;
}

/* TAXII 2.1 §3.4.1: match[id] with commas between the ids. */
static bool ask_missing(struct server *v, struct peer_pull *what, struct err *e)
{
    struct absence *a = v->absence;
    struct buf ids;
    bool ok = true;
    buf_init(&ids, 0);
    for (size_t i = 0; i < a->id_count && ok;) {
        buf_clear(&ids);
        for (size_t n = 0; n < LIMIT_SENSOR_ASK_IDS && i < a->id_count; n++, i++) {
            buf_lit(&ids, n ? "," : "");
            buf_str(&ids, a->ids[i]);
        }
        what->ids = buf_view(&ids);
        ok = buf_ok(&ids, e) && peer_client_pull(v->c, what, each_found, v, e);
    }
    buf_done(&ids);
    return ok;
}

static bool ask_gone(struct server *v, struct err *e)
{
    struct sensor_live *l = v->f->live;
    struct absence a;
    struct peer_pull what = {.collection_url = buf_view(&v->f->of->collection),
                             .type = STR("indicator"),
                             .manifest = true};
    v->absence = &a;
    bool ok = absence_init(&a, v->f, e) && peer_client_pull(v->c, &what, each_there, v, e);
    pthread_mutex_lock(&l->lock);
    ok = ok && find_missing(&a, e);
    pthread_mutex_unlock(&l->lock);
    ok = ok && ask_missing(v, &what, e);
    pthread_mutex_lock(&l->lock);
    if (ok) {
        a.now.known_count = sort_once(a.now.known, a.now.known_count);
        ok = take_back(&a, e);
    }
    pthread_mutex_unlock(&l->lock);
    absence_done(&a);
    v->absence = NULL;
    return ok;
}

/* A server without a manifest, or not for us, is followed all the same. */
static bool blind(struct server *v, const struct err *e)
{
    v->blind = e->code == ERR_NOT_FOUND || e->code == ERR_FORBIDDEN ||
               e->code == ERR_NOT_ACCEPTABLE || e->code == ERR_INVALID;
    if (!v->blind)
        return false;
    struct sensor_live *l = v->f->live;
    struct err why = *e;
    (void)err_prefix(&why, "what is taken back there is not seen");
    pthread_mutex_lock(&l->lock);
    tell(v->f, why.msg);
    v->f->failing = false;
    pthread_mutex_unlock(&l->lock);
    return true;
}

static bool server_round(struct server *v, struct err *e)
{
    if (!ask_new(v, e))
        return false;
    int64_t begun = monotonic_us();
    if (begun >= v->gone_us && !v->blind) {
        if (!ask_gone(v, e) && !blind(v, e))
            return false;
        int64_t now = monotonic_us(), pause = (now - begun) * GONE_SHARE;
        int64_t poll_us = (int64_t)v->f->live->how.poll_s * 1000000;
        v->gone_us = now + (pause > poll_us ? pause : poll_us);
    }
    pthread_mutex_lock(&v->f->live->lock);
    tell(v->f, NULL);
    pthread_mutex_unlock(&v->f->live->lock);
    if (!v->waits)
        nap((int64_t)v->f->live->how.poll_s * 1000);
    return true;
}

static bool follow_server(struct live_feed *f, struct err *e)
{
    struct server v = {.f = f};
    struct peer_endpoint at = f->live->how.how;
    at.url = str_of(f->of->where.p);
    at.stop = stopped;
    if (!peer_client_open(&at, &v.c, e))
        return false;
    bool ok = true;
    v.waits = peer_client_waits(v.c);
    while (ok && !stopped())
        ok = server_round(&v, e);
    peer_client_close(v.c);
    return ok;
}

/* ---- a directory ----------------------------------------------------------------------------- */

struct node {
    struct live_feed *f;
    struct exchange_session *s;
    struct principal who;
    struct exchange_collection c;
    uint64_t moved; /* as it was when what is gone was looked for */
    bool any;
    struct absence *absence;
    struct err *e;
};

static bool each_row(void *ctx, const struct store_row *row)
{
    struct node *n = ctx;
    struct sensor_indicators *into = n->f->live->set.changes;
    const struct sensor_origin from = {.source = str_of(n->f->of->where.p), .tlp = n->f->of->tlp};
    const struct json *doc;
    n->f->of->after_us = row->date_added;
    n->any = true;
    arena_reset(into->scratch);
    return json_parse(into->reader, into->scratch, row->object->bytes, false, &doc, n->e) &&
           sensor_take(into, &from, doc, n->e) &&
           sensor_feed_knows(n->f->of, json_get_str(doc, STR("id")), n->e);
}

static bool each_id(void *ctx, const struct store_row *row)
{
    struct node *n = ctx;
    struct sensor_feed *now = &n->absence->now;
    now->after_us = row->date_added;
    return sensor_feed_knows(now, row->object->id, n->e);
}

static bool read_rows(struct node *n, const int64_t *after_us, bool bytes, store_row_fn *each,
                      struct err *e)
{
    const struct sensor_reading r = {.s = n->s,
                                     .who = &n->who,
                                     .collection = &n->c,
                                     .after_us = after_us,
                                     .with_bytes = bytes,
                                     .each = each,
                                     .ctx = n};
    n->e = e;
    return sensor_read_indicators(&r, e);
}

static bool look_new(struct node *n, struct err *e)
{
    n->any = false;
    return read_rows(n, &n->f->of->after_us, true, each_row, e) && (!n->any || show(n->f, e));
}

static bool look_gone(struct node *n, struct err *e)
{
    struct absence a;
    n->absence = &a;
    bool ok = absence_init(&a, n->f, e);
    a.now.after_us = INT64_MIN;
    ok = ok && read_rows(n, &a.now.after_us, false, each_id, e) && find_missing(&a, e) &&
         take_back(&a, e);
    absence_done(&a);
    n->absence = NULL;
    return ok;
}

static bool node_round(struct node *n, bool first, struct err *e)
{
    struct sensor_live *l = n->f->live;
    uint64_t moved;
    if (!exchange_moved(n->s, &n->who, &n->c, &moved, e))
        return false;
    pthread_mutex_lock(&l->lock);
    bool ok = look_new(n, e) && ((!first && moved == n->moved) || look_gone(n, e));
    n->moved = moved;
    if (ok)
        tell(n->f, NULL);
    pthread_mutex_unlock(&l->lock);
    nap(LOOK_MS);
    return ok;
}

static bool follow_session(struct node *n, struct arena *a, struct err *e)
{
    if (!exchange_login_home(n->s, a, &n->who, e) ||
        !exchange_collection_find(n->s, a, buf_view(&n->f->of->collection), false, &n->c, e))
        return false;
    bool ok = true;
    for (bool first = true; ok && !stopped(); first = false)
        ok = node_round(n, first, e);
    return ok;
}

static bool follow_node(struct live_feed *f, struct err *e)
{
    struct node n = {.f = f};
    struct exchange *x = NULL;
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool ok = a || err_set(e, ERR_MEMORY, "out of memory");
    ok = ok && exchange_open(f->of->where.p, &x, e) && exchange_session_open(x, &n.s, e) &&
         follow_session(&n, a, e);
    exchange_session_close(n.s);
    exchange_close(x);
    arena_free(a);
    return ok;
}

/* ---- threads --------------------------------------------------------------------------------- */

/* Until it is stopped; a failure is told once, and tried again after longer and longer pauses. */
static void *follow(void *arg)
{
    struct live_feed *f = arg;
    int64_t pause_ms = 1000;
    unsigned char jitter;
    here = f->live;
    while (!stopped()) {
        struct err e = {0};
        bool ok = f->of->node ? follow_node(f, &e) : follow_server(f, &e);
        if (ok || stopped())
            break;
        pthread_mutex_lock(&f->live->lock);
        if (!f->failing) {
            tell(f, e.msg);
            pause_ms = 1000;
        } else if (pause_ms < LIMIT_SENSOR_PAUSE_S * 500) {
            pause_ms *= 2;
        }
        pthread_mutex_unlock(&f->live->lock);
        base_random(&jitter, sizeof jitter);
        nap(pause_ms + pause_ms * jitter / 1024);
    }
    return NULL;
}

static void on_note(void *ctx, const struct sensor_note *n)
{
    struct sensor_live *l = ctx;
    if (l->how.note)
        l->how.note(l->how.ctx, n);
}

static bool list_feeds(struct sensor_live *l, const struct sensor_indicators *s, struct err *e)
{
    for (struct sensor_feed *f = s->feeds; f; f = f->next)
        l->count++;
    if (!l->count)
        return err_set(e, ERR_USAGE, "there is nothing to follow: name a URL or a directory");
    if (l->count > LIMIT_SENSOR_FEEDS)
        return err_set(e, ERR_LIMIT, "at most %d collections are followed at once",
                       LIMIT_SENSOR_FEEDS);
    l->feeds = base_alloc(l->count * sizeof *l->feeds);
    if (!l->feeds)
        return err_set(e, ERR_MEMORY, "out of memory");
    size_t i = 0;
    for (struct sensor_feed *f = s->feeds; f; f = f->next)
        l->feeds[i++] = (struct live_feed){.live = l, .of = f};
    return true;
}

/* Signals are for the thread that scans. */
static bool start(struct sensor_live *l, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (l->started < l->count &&
           pthread_create(&l->feeds[l->started].thread, NULL, follow, &l->feeds[l->started]) == 0)
        l->started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return l->started == l->count ||
           err_set(e, ERR_MEMORY, "cannot start a thread for each collection");
}

bool sensor_live_start(struct sensor_indicators *s, const struct sensor_living *how,
                       struct sensor_live **out, struct err *e)
{
    if (s->compiled && match_set_blinded(s->compiled))
        return err_set(e, ERR_USAGE,
                       "a set that follows others cannot hold a blinded one: it could not be made "
                       "anew when they change; run a second `setu detect` for it");
    struct sensor_live *l = base_alloc(sizeof *l);
    if (!l)
        return err_set(e, ERR_MEMORY, "out of memory");
    l->how = *how;
    pthread_mutex_init(&l->lock, NULL);
    if (list_feeds(l, s, e) && live_set_init(&l->set, s, on_note, l, e) && start(l, e)) {
        *out = l;
        return true;
    }
    sensor_live_stop(l);
    return false;
}

void sensor_live_stop(struct sensor_live *l)
{
    if (!l)
        return;
    atomic_store(&l->stop, true);
    for (size_t i = 0; i < l->started; i++)
        pthread_join(l->feeds[i].thread, NULL);
    live_set_done(&l->set);
    base_free(l->feeds);
    pthread_mutex_destroy(&l->lock);
    base_free(l);
}
