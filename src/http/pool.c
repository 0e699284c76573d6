/* Worker threads and the sessions that threads share in turn. */
#include "http/http_priv.h"

bool http_session_take(struct http_server *s, struct exchange_session **out, struct err *e)
{
    *out = NULL;
    pthread_mutex_lock(&s->session_lock);
    if (s->session_count)
        *out = s->sessions[--s->session_count];
    pthread_mutex_unlock(&s->session_lock);
    return *out || exchange_session_open(s->exchange, out, e);
}

void http_session_give(struct http_server *s, struct exchange_session *session)
{
    const size_t most = sizeof s->sessions / sizeof *s->sessions;
    pthread_mutex_lock(&s->session_lock);
    if (s->session_count < most) {
        s->sessions[s->session_count++] = session;
        session = NULL;
    }
    pthread_mutex_unlock(&s->session_lock);
    exchange_session_close(session);
}

static void run(struct http_server *s, struct http_request *r)
{
    struct err e = {0};
    struct exchange_session *session;
    if (!http_session_take(s, &session, &e)) {
        http_reply_err(r, &e);
        return;
    }
    r->session = session;
    r->work(r); /* afterwards the request may be gone */
    http_session_give(s, session);
}

static void *worker_main(void *arg)
{
    struct http_pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->first && !p->closing)
            pthread_cond_wait(&p->wake, &p->lock);
        struct http_request *r = p->first;
        if (!r)
            break;
        p->first = r->next_work;
        if (!p->first)
            p->last = &p->first;
        p->waiting--;
        pthread_mutex_unlock(&p->lock);
        run(p->server, r);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

void http_suspend(struct http_request *r, enum http_state state)
{
    http_move(r, state);
    r->suspended = true;
    atomic_fetch_add(&r->server->working, 1);
}

void http_pool_put(struct http_pool *p, struct http_request *r, enum http_state state,
                   http_route_fn *fn)
{
    pthread_mutex_lock(&p->lock);
    bool closing = p->closing, room = !closing && p->waiting < p->most_waiting;
    if (room) {
        /* Suspended before a worker can see it, so that its answer finds it so. */
        r->work = fn;
        r->next_work = NULL;
        if (!r->suspended)
            http_suspend(r, state);
        *p->last = r;
        p->last = &r->next_work;
        p->waiting++;
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    if (!room)
        http_reply_busy(r, closing ? "the server is stopping; try again soon" : p->full);
}

void http_work(struct http_request *r, http_route_fn *fn)
{
    http_pool_put(&r->server->workers, r, HTTP_WORKING, fn);
}

bool http_pool_start(struct http_pool *p, struct err *e)
{
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->last = &p->first;
    for (; p->thread_count < p->most_threads; p->thread_count++) {
        if (pthread_create(&p->threads[p->thread_count], NULL, worker_main, p) != 0) {
            http_pool_stop(p);
            http_pool_done(p);
            return err_set(e, ERR_MEMORY, "cannot start a worker thread");
        }
    }
    return true;
}

void http_pool_stop(struct http_pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
}

void http_pool_done(struct http_pool *p)
{
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
}
