/* Requests that wait for something: one thread goes on with each when it is woken, or its time is
 * up. */
#include <time.h>

#include "http/http_priv.h"

/* Deadlines are met in steps, so that many of them do not mean many looks at all who wait. */
#define STEP_US 100000

/* ---- the lists; the lock is held ---- */

static void put_waiting(struct http_parking *p, struct http_request *r)
{
    r->next_parked = p->waiting;
    r->parked_at = &p->waiting;
    if (r->next_parked)
        r->next_parked->parked_at = &r->next_parked;
    p->waiting = r;
    if (r->deadline_us < p->next_us)
        p->next_us = r->deadline_us;
}

static void put_ready(struct http_parking *p, struct http_request *r)
{
    r->next_parked = NULL;
    r->parked_at = NULL;
    *p->ready_end = r;
    p->ready_end = &r->next_parked;
    pthread_cond_signal(&p->wake);
}

static void make_ready(struct http_parking *p, struct http_request *r)
{
    *r->parked_at = r->next_parked;
    if (r->next_parked)
        r->next_parked->parked_at = r->parked_at;
    put_ready(p, r);
}

/* Whose time is up. */
static void look_at_clock(struct http_parking *p)
{
    int64_t now = monotonic_us();
    if (!p->stopping && now < p->next_us)
        return;
    p->next_us = INT64_MAX;
    for (struct http_request *r = p->waiting, *next; r; r = next) {
        next = r->next_parked;
        if (p->stopping || r->deadline_us <= now)
            make_ready(p, r);
        else if (r->deadline_us < p->next_us)
            p->next_us = r->deadline_us;
    }
}

/* ---- the thread ---- */

static void go_on(struct http_server *s, struct http_request *r, bool over)
{
    struct err e = {0};
    struct exchange_session *session;
    if (!http_session_take(s, &session, &e)) {
        /* Who would wake it must be told that it ends. */
        r->session = NULL;
        r->parked(r, true);
        return;
    }
    r->session = session;
    r->parked(r, over); /* afterwards the request may be gone */
    http_session_give(s, session);
}

static void wait_for_next(struct http_parking *p)
{
    struct timespec until;
    int64_t left = p->next_us == INT64_MAX ? 3600000000 : p->next_us - monotonic_us();
    left = left > 0 ? left : 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(left / 1000000);
    until.tv_nsec += (long)(left % 1000000) * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_clockwait(&p->wake, &p->lock, CLOCK_MONOTONIC, &until);
}

static void *parking_main(void *arg)
{
    struct http_parking *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        look_at_clock(p);
        struct http_request *r = p->ready;
        if (!r && p->ended)
            break;
        if (!r) {
            wait_for_next(p);
            continue;
        }
        p->ready = r->next_parked;
        if (!p->ready)
            p->ready_end = &p->ready;
        r->woken = false;
        bool over = p->stopping || r->gone || r->deadline_us <= monotonic_us();
        pthread_mutex_unlock(&p->lock);
        go_on(p->server, r, over);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- from outside ---- */

void http_park(struct http_request *r, int64_t deadline_us, http_parked_fn *fn)
{
    struct http_parking *p = &r->server->parking;
    pthread_mutex_lock(&p->lock);
    bool ended = p->ended;
    if (!ended) {
        r->parked = fn;
        r->deadline_us = (deadline_us + STEP_US - 1) / STEP_US * STEP_US;
        if (!r->suspended)
            http_suspend(r, HTTP_WORKING);
        if (r->woken || r->gone || p->stopping) {
            put_ready(p, r);
        } else {
            int64_t next = p->next_us;
            put_waiting(p, r);
            if (p->next_us < next)
                pthread_cond_signal(&p->wake);
        }
    }
    pthread_mutex_unlock(&p->lock);
    /* Whoever is to wake it must be told that it ends; http_session is still this thread's. */
    if (ended)
        fn(r, true);
}

void http_wake(struct http_request *r)
{
    struct http_parking *p = &r->server->parking;
    pthread_mutex_lock(&p->lock);
    r->woken = true;
    if (r->parked_at)
        make_ready(p, r);
    pthread_mutex_unlock(&p->lock);
}

void http_parking_gone(struct http_request *r)
{
    struct http_parking *p = &r->server->parking;
    pthread_mutex_lock(&p->lock);
    r->gone = true;
    if (r->parked_at)
        make_ready(p, r);
    pthread_mutex_unlock(&p->lock);
}

bool http_parking_end(struct http_request *r)
{
    struct http_parking *p = &r->server->parking;
    pthread_mutex_lock(&p->lock);
    bool waits = r->parked_at != NULL;
    if (waits) {
        r->gone = true;
        make_ready(p, r);
    }
    pthread_mutex_unlock(&p->lock);
    return waits;
}

bool http_parking_start(struct http_parking *p, struct err *e)
{
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->next_us = INT64_MAX;
    p->ready_end = &p->ready;
    if (pthread_create(&p->thread, NULL, parking_main, p) == 0)
        return true;
    http_parking_done(p);
    return err_set(e, ERR_MEMORY, "cannot start a thread for those who wait");
}

void http_parking_hurry(struct http_parking *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

void http_parking_stop(struct http_parking *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    p->ended = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
}

void http_parking_done(struct http_parking *p)
{
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
}
