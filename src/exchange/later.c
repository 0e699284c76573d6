/*
 * Envelopes that were acknowledged before anything was decided about them (TAXII 2.1 §4.3: a status
 * that is pending). The store keeps their bodies; one thread takes them up in their order, checks
 * them, and has the writer decide, as the policy, the user and the collection are by then. The
 * transaction that writes the objects also takes the body out and completes the status: whatever
 * ends the process, an envelope is decided about once.
 */
#include <string.h>
#include <time.h>

#include "exchange/batch_priv.h"

/* When it was sent its body stood beside the arena, in which the rest then fitted. */
#define TAKEN_BYTES                                                                                \
    (LIMIT_ARENA_REQUEST_BYTES + LIMIT_EXCHANGE_PENDING_USER_BYTES + 2 * BASE_PADDING)

/* One envelope on its way, with all that it needs. */
struct taken {
    struct exchange *x;
    struct exchange_session *s;
    struct arena *arena;
    struct store_envelope v; /* id 0: none waits */
    struct principal who;
    struct exchange_collection collection;
};

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

/* The user and the collection as they are now. *why: as they are, nothing may come in any more. */
static bool look_again(struct taken *t, struct str *why, struct err *e)
{
    struct exchange_collection *list;
    size_t count, i = 0;
    bool usable;
    if (!exchange_collections(t->s, t->arena, &list, &count, e) ||
        !exchange_principal_of(t->s, t->arena, t->v.user, &t->who, &usable, e))
        return false;
    while (i < count && list[i].id != t->v.collection)
        i++;
    t->collection = i < count ? list[i] : (struct exchange_collection){.id = t->v.collection};
    *why = !usable ? STR("its sender was revoked, or expired, before it was decided about")
           : !exchange_role_writes(t->who.role) ? STR("its sender may not add objects any more")
           : i == count                         ? STR("its collection is not there any more")
                                                : STR_NONE;
    return true;
}

/* Has the writer decide. With a reason, all objects are refused for it. */
static bool decide(struct taken *t, const struct json *doc, struct str why, struct err *e)
{
    const struct exchange_taking_up *how = &t->x->later.how;
    enum stix_container kind;
    const struct json *first;
    size_t count;
    struct exchange_batch *b;
    struct exchange_submission sub = {
        .who = &t->who, .collection = &t->collection, .status = how->status};
    if (!stix_container_open(doc, &kind, &first, &count, e) ||
        !exchange_batch_make(&sub, t->v.body, first, count, &b, e))
        return false;
    b->waiting = t->v.id;
    b->at_us = t->v.at_us;
    memcpy(b->uuid, t->v.uuid.p, sizeof b->uuid - 1);
    bool ok = (why.n ? exchange_batch_refuse(b, STR("setu-pending"), why, e)
                     : exchange_batch_check(t->x, b, e)) &&
              exchange_commit_wait(t->x, b, e);
    if (ok)
        how->done(how->ctx, b, true, e);
    exchange_batch_free(b);
    return ok;
}

static bool decide_as_it_is(struct taken *t, struct err *e)
{
    const struct json *doc;
    struct str why;
    if (t->v.uuid.n != CRYPT_UUID_TEXT - 1)
        return err_set(e, ERR_STORE, "an envelope that waits has no status");
    if (!json_parse(exchange_session_json(t->s), t->arena, t->v.body, true, &doc, e) ||
        !look_again(t, &why, e))
        return false;
    if (decide(t, doc, why, e))
        return true;
    /* Another try would not mend this, so its sender hears of it. */
    return !why.n && e->code == ERR_LIMIT &&
           decide(t, doc, STR("the envelope takes more memory than one may; send it in parts"), e);
}

/* Takes up the first envelope behind *after; *after is 0 when there was none. */
static bool take_up(struct exchange *x, struct exchange_session *s, int64_t *after, struct err *e)
{
    struct taken t = {.x = x, .s = s, .arena = arena_new(TAKEN_BYTES)};
    int64_t last = *after;
    if (!t.arena)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = store_envelope_next(s->store, last, copy_envelope, &t, e);
    if (ok)
        *after = t.v.id;
    ok = ok && arena_ok(t.arena, e) && (!t.v.id || decide_as_it_is(&t, e));
    arena_free(t.arena);
    return ok;
}

/* All that wait, one after the other; one that fails keeps nobody's waiting but its own. */
static bool take_up_all(struct exchange *x, struct exchange_session *s)
{
    const struct exchange_taking_up *how = &x->later.how;
    int64_t after = 0;
    bool all = true;
    do {
        struct err e = {0};
        int64_t before = after;
        if (!take_up(x, s, &after, &e) && !atomic_load(&x->later.closing)) {
            how->done(how->ctx, NULL, false, &e);
            all = false;
            if (after == before)
                break;
        }
    } while (after && !atomic_load(&x->later.closing));
    return all;
}

/* Until one was added, or for a while: another server of this node may have ended before it took up
 * its own. After a failure, for a shorter while. */
static void wait_for_more(struct exchange_later *l, bool failed)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += failed ? LIMIT_EXCHANGE_PENDING_PAUSE_S : LIMIT_EXCHANGE_PENDING_LOOK_S;
    pthread_mutex_lock(&l->lock);
    while (!atomic_load(&l->closing) && !l->more &&
           pthread_cond_clockwait(&l->wake, &l->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    l->more = false;
    pthread_mutex_unlock(&l->lock);
}

/* A node that came back from a backup may be older than what has happened since: its policy, its
 * users. What it was told before, it decides about when an officer has confirmed the restore. */
static bool is_confirmed(struct exchange_session *s, bool *yes, struct err *e)
{
    struct exchange_restored r;
    if (!exchange_restored(s, &r, e))
        return false;
    *yes = r.count == 0;
    return true;
}

/* False: to be looked at again soon. */
static bool look(struct exchange *x, struct exchange_session **s)
{
    const struct exchange_taking_up *how = &x->later.how;
    struct err e = {0};
    bool confirmed;
    if ((*s || exchange_session_open(x, s, &e)) && is_confirmed(*s, &confirmed, &e))
        return confirmed && take_up_all(x, *s);
    how->done(how->ctx, NULL, false, &e);
    return false;
}

static void *later_main(void *arg)
{
    struct exchange *x = arg;
    struct exchange_session *s = NULL;
    while (!atomic_load(&x->later.closing))
        wait_for_more(&x->later, !look(x, &s));
    exchange_session_close(s);
    return NULL;
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
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
}
