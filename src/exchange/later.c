/*
 * Envelopes that were acknowledged before anything was decided about them (TAXII 2.1 §4.3: a status
 * that is pending). The store keeps their bodies; one thread takes them up, the oldest of each
 * organisation in turn, checks them, and has the writer decide, as the policy, the user and the
 * collection are by then. The transaction that writes the objects also notes how far it has come;
 * the last one takes the body out and completes the status: whatever ends the process, an object is
 * decided about once. What fails for a reason that may go away is tried again, after longer and
 * longer pauses; what nothing would mend is refused.
 */
#include <string.h>
#include <time.h>

#include "exchange/batch_priv.h"

/* When it was sent its body stood beside the arena, in which the rest then fitted. */
#define TAKEN_BYTES                                                                                \
    (LIMIT_ARENA_REQUEST_BYTES + LIMIT_EXCHANGE_PENDING_USER_BYTES + 2 * BASE_PADDING)
#define RULE  STR("setu-pending")
#define S_US  ((int64_t)1000000)
#define NEVER INT64_MAX

/* One that failed, and when it is tried again. */
struct retry {
    int64_t id, due_us; /* of the monotonic clock */
    int64_t pause_s;
    bool waits; /* seen since, so that what another process decided about is forgotten */
};

/* The thread's own. */
struct taker {
    struct exchange *x;
    struct exchange_session *s; /* NULL until it could be opened */
    int64_t org;                /* whose turn was last */
    struct retry *retries;
    size_t count, room;
};

/* One envelope on its way, with all that it needs. */
struct taken {
    struct exchange *x;
    struct exchange_session *s;
    struct arena *arena;
    struct store_envelope v; /* id 0: it does not wait any more */
    struct principal who;
    struct exchange_collection collection;
};

/* ---- one ---- */

static void copy_envelope(void *ctx, const struct store_envelope *v)
{
    struct taken *t = ctx;
    t->v = *v;
    t->v.uuid = arena_str(t->arena, v->uuid);
    char *body = arena_calloc(t->arena, v->body.n + BASE_PADDING, 1);
    if (body)
        memcpy(body, v->body.p, v->body.n);
    t->v.body = (struct str){body, body ? v->body.n : 0};
}

/* The user as it is now; one that is not there any more is named by its number. */
static bool look_for_user(struct taken *t, struct str *why, struct err *e)
{
    bool usable;
    if (exchange_principal_of(t->s, t->arena, t->v.user, &t->who, &usable, e)) {
        *why = !usable ? STR("its sender was revoked, or expired, before it was decided about")
               : !exchange_role_writes(t->who.role) ? STR("its sender may not add objects any more")
                                                    : STR_NONE;
        return true;
    }
    *why = STR("its sender is not there any more");
    return e->code == ERR_NOT_FOUND;
}

/* The user and the collection as they are now. *why: as they are, nothing may come in any more. */
static bool look_again(struct taken *t, struct str *why, struct err *e)
{
    struct exchange_collection *list;
    size_t count, i = 0;
    if (!look_for_user(t, why, e) || !exchange_collections(t->s, t->arena, &list, &count, e))
        return false;
    while (i < count && list[i].id != t->v.collection)
        i++;
    t->collection = i < count ? list[i] : (struct exchange_collection){.id = t->v.collection};
    if (i == count && !why->n)
        *why = STR("its collection is not there any more");
    return true;
}

/* Of `text`, what its status, and the ledger, are to be told. */
static bool make_batch(struct taken *t, struct str text, const struct json *first, size_t count,
                       struct exchange_batch **b, struct err *e)
{
    struct exchange_submission sub = {
        .who = &t->who, .collection = &t->collection, .status = t->x->later.how.status};
    if (!exchange_batch_make(&sub, text, first, count, b, e))
        return false;
    (*b)->waiting = t->v.id;
    (*b)->at_us = t->v.at_us;
    if (t->v.uuid.n == CRYPT_UUID_TEXT - 1)
        memcpy((*b)->uuid, t->v.uuid.p, CRYPT_UUID_TEXT - 1);
    return true;
}

/* Has the writer decide, piece by piece. With a reason, all objects that are left are refused for
 * it; between two pieces one may come up. */
static bool commit(struct taken *t, struct exchange_batch *b, struct str why, struct err *e)
{
    bool waits = false, ok = exchange_pieces_resume(b, t->s->store, t->v.decided, e);
    while (ok && (ok = exchange_commit_wait(t->x, b, e)) && !b->gone && b->upto < b->count) {
        t->v.decided = b->from = b->upto;
        if (atomic_load(&t->x->later.closing))
            return err_set(e, ERR_BUSY, "the node stops");
        if (!why.n)
            ok = look_again(t, &why, e) && (!why.n || exchange_batch_refuse(b, RULE, why, e));
    }
    if (!ok || !b->gone)
        return ok;
    /* Whoever took it out wrote its status. */
    return store_envelope_waits(t->s->store, t->v.id, &waits, e) &&
           (!waits || err_set(e, ERR_BUSY, "another server of this node is at it"));
}

/* Has the writer decide. With a reason, all objects are refused for it. */
static bool decide(struct taken *t, const struct json *doc, struct str why, struct err *e)
{
    const struct exchange_taking_up *how = &t->x->later.how;
    enum stix_container kind;
    const struct json *first;
    size_t count;
    struct exchange_batch *b;
    if (!stix_container_open(doc, &kind, &first, &count, e) ||
        !make_batch(t, t->v.body, first, count, &b, e))
        return false;
    bool ok = (why.n ? exchange_batch_refuse(b, RULE, why, e) : exchange_batch_check(t->x, b, e)) &&
              commit(t, b, why, e);
    if (ok)
        how->done(how->ctx, b, true, e);
    exchange_batch_free(b);
    return ok;
}

static bool decide_as_it_is(struct taken *t, struct err *e)
{
    const struct json *doc;
    struct str why;
    return look_again(t, &why, e) &&
           json_parse(exchange_session_json(t->s), t->arena, t->v.body, true, &doc, e) &&
           decide(t, doc, why, e);
}

/* ---- one that fails ---- */

/* What may go away by itself, or when the node's people have mended the node. */
static bool may_pass(enum err_code code)
{
    static const enum err_code codes[] = {
        ERR_BUSY, ERR_MEMORY, ERR_IO, ERR_FULL, ERR_STORE, ERR_STORE_VERSION, ERR_COMMIT_UNKNOWN};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (code == codes[i])
            return true;
    return false;
}

/* Puts before a message of whom it tells. */
static bool name_it(const struct taken *t, const char *what, struct err *e)
{
    return err_prefix(e, "the pending envelope of status %.*s from %.*s (%.*s of %.*s) %s: %s",
                      STR_FMT(t->v.uuid), STR_FMT(t->who.name), STR_FMT(t->who.party.org),
                      STR_FMT(t->who.party.nation), what, err_name(e->code));
}

/* Of the objects that a status names. */
static bool refuse_named(struct taken *t, struct arena *a, struct str status, struct str why,
                         struct err *e)
{
    const struct json *doc;
    struct exchange_batch *b;
    size_t count = 0;
    if (!json_parse(exchange_session_json(t->s), a, status, false, &doc, e))
        return false;
    const struct json *list = json_get(doc, STR("pendings"));
    const struct json *first = json_is(list, JSON_ARRAY) ? list->u.child : NULL;
    for (const struct json *v = first; v; v = v->next)
        count++;
    if (!make_batch(t, status, first, count, &b, e))
        return false;
    bool ok = exchange_batch_refuse_named(b, RULE, why, e) && commit(t, b, why, e);
    exchange_batch_free(b);
    return ok;
}

/* Nothing would mend it: every object that is left is refused, so that its sender hears of it. The
 * body, which may be what fails, is not looked at. Of limits the message tells, of the rest it may
 * tell what is inside. */
static bool refuse_whole(struct taken *t, const struct err *cause, struct err *e)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    struct buf status;
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&status, 0);
    struct str why = cause->code == ERR_LIMIT
                         ? arena_printf(a, "%s: send it in parts", cause->msg)
                         : arena_printf(a, "it can no longer be decided about (%s); send it again",
                                        err_text(cause->code));
    bool ok =
        store_status_get(t->s->store, t->v.uuid, t->v.user, &status, e) || e->code == ERR_NOT_FOUND;
    if (ok && !status.n)
        buf_lit(&status, "{}");
    ok =
        ok && buf_ok(&status, e) && arena_ok(a, e) && refuse_named(t, a, buf_view(&status), why, e);
    buf_done(&status);
    arena_free(a);
    return ok;
}

/* False: it has to be tried again. */
static bool decide_somehow(struct taken *t, struct err *e)
{
    const struct exchange_taking_up *how = &t->x->later.how;
    struct err cause;
    if (decide_as_it_is(t, e))
        return true;
    cause = *e;
    if (may_pass(cause.code) || !refuse_whole(t, &cause, e)) {
        name_it(t, "waits on", e);
        return false;
    }
    name_it(t, "is refused", &cause);
    how->done(how->ctx, NULL, false, &cause);
    return true;
}

static bool take_up(struct taker *k, int64_t id, struct err *e)
{
    struct taken t = {.x = k->x, .s = k->s, .arena = arena_new(TAKEN_BYTES)};
    if (!t.arena)
        return err_set(e, ERR_MEMORY, "an envelope that is pending waits on: out of memory");
    bool ok = store_envelope_get(k->s->store, id, copy_envelope, &t, e);
    if (ok && t.v.id) {
        /* Until it is known who that is. */
        t.who = (struct principal){.user = t.v.user,
                                   .name = arena_printf(t.arena, "user %lld", (long long)t.v.user),
                                   .party = {STR("?"), STR("?")}};
        ok = (arena_ok(t.arena, e) || name_it(&t, "waits on", e)) && decide_somehow(&t, e);
    }
    arena_free(t.arena);
    return ok;
}

/* ---- one after the other ---- */

static struct retry *retry_of(const struct taker *k, int64_t id)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->retries[i].id == id)
            return &k->retries[i];
    return NULL;
}

/* Longer each time, so that what lasts neither fills the log nor holds up others. */
static bool put_off(struct taker *k, int64_t id)
{
    struct retry *r = retry_of(k, id);
    if (!r) {
        void *items = k->retries;
        if (!base_grow(&items, &k->room, k->count + 1, sizeof *k->retries))
            return false;
        k->retries = items;
        r = &k->retries[k->count++];
        *r = (struct retry){.id = id, .pause_s = LIMIT_EXCHANGE_PENDING_PAUSE_S};
    } else if ((r->pause_s *= 2) > LIMIT_EXCHANGE_PENDING_PAUSE_MOST_S) {
        r->pause_s = LIMIT_EXCHANGE_PENDING_PAUSE_MOST_S;
    }
    r->due_us = monotonic_us() + r->pause_s * S_US;
    return true;
}

struct choice {
    struct taker *k;
    int64_t now_us, id, org; /* id 0: none */
    int64_t due_us;          /* when the first that was put off is due */
};

/* Is it the turn of one organisation before that of another? They come by their numbers, round and
 * round. */
static bool before(const struct taker *k, int64_t org, int64_t other)
{
    return (org > k->org) != (other > k->org) ? org > k->org : org < other;
}

/* They come oldest first. */
static void consider(void *ctx, int64_t id, int64_t org)
{
    struct choice *c = ctx;
    struct retry *r = retry_of(c->k, id);
    if (r)
        r->waits = true;
    if (r && r->due_us > c->now_us) {
        c->due_us = r->due_us < c->due_us ? r->due_us : c->due_us;
    } else if (!c->id || before(c->k, org, c->org)) {
        c->id = id;
        c->org = org;
    }
}

/* Whose turn it is of those that are due. */
static bool choose(struct taker *k, struct choice *c, struct err *e)
{
    size_t kept = 0;
    *c = (struct choice){.k = k, .now_us = monotonic_us(), .due_us = NEVER};
    for (size_t i = 0; i < k->count; i++)
        k->retries[i].waits = false;
    if (!store_envelope_waiting(k->s->store, consider, c, e))
        return err_prefix(e, "envelopes that are pending wait on");
    for (size_t i = 0; i < k->count; i++)
        if (k->retries[i].waits)
            k->retries[kept++] = k->retries[i];
    k->count = kept;
    return true;
}

/* All that are due. *due_us: when others will be. */
static bool take_up_all(struct taker *k, int64_t *due_us, struct err *e)
{
    const struct exchange_taking_up *how = &k->x->later.how;
    struct choice c;
    do {
        struct err failed = {0};
        if (!choose(k, &c, e))
            return false;
        *due_us = c.due_us;
        if (!c.id)
            return true;
        k->org = c.org;
        if (take_up(k, c.id, &failed) || atomic_load(&k->x->later.closing))
            continue;
        how->done(how->ctx, NULL, false, &failed);
        if (!put_off(k, c.id))
            return err_set(e, ERR_MEMORY, "envelopes that are pending wait on: out of memory");
    } while (!atomic_load(&k->x->later.closing));
    return true;
}

/* A node that came back from a backup may be older than what has happened since: its policy, its
 * users. What it was told before, it decides about when an officer has confirmed the restore. */
static bool is_confirmed(struct exchange_session *s, bool *yes, struct err *e)
{
    struct exchange_restored r;
    if (!exchange_restored(s, &r, e))
        return err_prefix(e, "envelopes that are pending wait on");
    *yes = r.count == 0;
    return true;
}

/* Until when there is nothing to do, unless one is added: another server of this node may have
 * ended before it took up its own. */
static int64_t look(struct taker *k)
{
    const struct exchange_taking_up *how = &k->x->later.how;
    int64_t due_us = NEVER, soon_us, then_us;
    struct err e = {0};
    bool confirmed = false;
    bool ok = (k->s || exchange_session_open(k->x, &k->s, &e)) &&
              is_confirmed(k->s, &confirmed, &e) && (!confirmed || take_up_all(k, &due_us, &e));
    if (!ok)
        how->done(how->ctx, NULL, false, &e);
    soon_us = monotonic_us() + LIMIT_EXCHANGE_PENDING_PAUSE_S * S_US;
    then_us = monotonic_us() + LIMIT_EXCHANGE_PENDING_LOOK_S * S_US;
    if (!ok || !confirmed)
        return soon_us;
    return due_us < then_us ? due_us : then_us;
}

static void wait_for_more(struct exchange_later *l, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / S_US, .tv_nsec = until_us % S_US * 1000};
    pthread_mutex_lock(&l->lock);
    while (!atomic_load(&l->closing) && !l->more &&
           pthread_cond_clockwait(&l->wake, &l->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    l->more = false;
    pthread_mutex_unlock(&l->lock);
}

static void *later_main(void *arg)
{
    struct taker k = {.x = arg};
    while (!atomic_load(&k.x->later.closing))
        wait_for_more(&k.x->later, look(&k));
    exchange_session_close(k.s);
    base_free(k.retries);
    return NULL;
}

/* ---- of the exchange ---- */

bool exchange_backlog(struct exchange_session *s, struct store_backlog *out, struct err *e)
{
    return store_envelope_backlog(s->store, out, e);
}

void exchange_later_init(struct exchange_later *l)
{
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->wake, NULL);
}

bool exchange_take_up(struct exchange *x, const struct exchange_taking_up *how, struct err *e)
{
    struct exchange_later *l = &x->later;
    must(!l->runs);
    l->how = *how;
    if (pthread_create(&l->thread, NULL, later_main, x) != 0)
        return err_set(e, ERR_MEMORY, "cannot start a thread");
    l->runs = true;
    return true;
}

void exchange_later_wake(struct exchange *x)
{
    pthread_mutex_lock(&x->later.lock);
    x->later.more = true;
    pthread_cond_signal(&x->later.wake);
    pthread_mutex_unlock(&x->later.lock);
}

void exchange_later_stop(struct exchange *x)
{
    struct exchange_later *l = &x->later;
    pthread_mutex_lock(&l->lock);
    atomic_store(&l->closing, true);
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    if (l->runs)
        pthread_join(l->thread, NULL);
    l->runs = false;
}

void exchange_later_done(struct exchange_later *l)
{
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
}
