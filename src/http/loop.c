/* Event loops: each has its connections for itself, and hears of those that are new or were
 * answered elsewhere by a queue. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "http/http_priv.h"

#define EVENTS    256
#define TICK_MS   500 /* deadlines are met so much too late at the most */
#define EPOLL_ALL (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* ---- connections come and go ---- */

void http_loop_put(struct http_connection *c)
{
    struct http_loop *l = c->loop;
    uint64_t one = 1;
    pthread_mutex_lock(&l->lock);
    bool first = !l->queue;
    c->next_queued = NULL;
    *l->queue_end = c;
    l->queue_end = &c->next_queued;
    /* Under the lock, for afterwards the server may be gone. */
    if (first && write(l->event_fd, &one, sizeof one) < 0)
        must(errno == EAGAIN); /* the counter is full, so the loop is awake */
    pthread_mutex_unlock(&l->lock);
}

void http_loop_again(struct http_connection *c)
{
    struct http_loop *l = c->loop;
    if (c->again)
        return;
    c->again = true;
    c->next_again = NULL;
    *l->again_end = c;
    l->again_end = &c->next_again;
}

void http_loop_forget(struct http_loop *l, struct http_connection *c)
{
    if (c->previous)
        c->previous->next = c->next;
    else
        l->all = c->next;
    if (c->next)
        c->next->previous = c->previous;
    l->count--;
    atomic_fetch_sub(&l->server->figures.connections, 1);
    c->next = l->dead;
    l->dead = c;
}

static void free_dead(struct http_loop *l)
{
    struct http_connection *kept = NULL, *next;
    for (struct http_connection *c = l->dead; c; c = next) {
        next = c->next;
        if (c->again) { /* still in that list */
            c->next = kept;
            kept = c;
        } else {
            http_connection_free(c);
        }
    }
    l->dead = kept;
}

/* The session keeps the credentials of now, whatever is loaded later. */
static bool begin_tls(struct http_loop *l, struct http_connection *c, struct err *e)
{
    struct http_server *s = l->server;
    bool ok = true;
    c->phase = s->plain ? HTTP_IDLE : HTTP_HANDSHAKE;
    pthread_mutex_lock(&s->tls_lock);
    if (!s->plain)
        ok = crypt_tls_new(s->tls, c->fd, &c->tls, e);
    pthread_mutex_unlock(&s->tls_lock);
    return ok;
}

static void welcome(struct http_loop *l, struct http_connection *c)
{
    struct epoll_event ev = {.events = EPOLL_ALL, .data.ptr = c};
    struct err e = {0};
    int one = 1;
    if (!begin_tls(l, c, &e) || !http_source_enter(l, c)) {
        crypt_tls_close(c->tls);
        close(c->fd);
        http_connection_free(c);
        return;
    }
    c->next = l->all;
    if (l->all)
        l->all->previous = c;
    l->all = c;
    l->count++;
    atomic_fetch_add(&l->server->figures.connections, 1);
    c->since_us = c->moved_us = monotonic_us();
    c->readable = c->writable = true;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) == 0)
        http_connection_run(c);
    else
        http_connection_close(c);
}

/* ---- the thread ---- */

/* Before it waits: nobody is kept from anything by what it would hold meanwhile. */
static void end_round(struct http_loop *l)
{
    if (!l->session)
        return;
    exchange_session_let_go(l->session);
    http_session_give(l->server, l->session);
    l->session = NULL;
}

static void take_event(struct http_loop *l, const struct epoll_event *ev)
{
    struct http_connection *c = ev->data.ptr;
    if (!c) {
        uint64_t count;
        must(read(l->event_fd, &count, sizeof count) > 0 || errno == EAGAIN);
        return;
    }
    bool over = ev->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    c->hung_up = c->hung_up || over;
    c->readable = c->readable || over || ev->events & EPOLLIN;
    c->writable = c->writable || over || ev->events & EPOLLOUT;
    http_connection_run(c);
}

/* Returns whether the loop is to end. */
static bool take_queue(struct http_loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct http_connection *c = l->queue, *next;
    bool stopping = l->stopping;
    l->queue = NULL;
    l->queue_end = &l->queue;
    pthread_mutex_unlock(&l->lock);
    for (; c; c = next) {
        next = c->next_queued;
        if (!c->request) {
            welcome(l, c);
            continue;
        }
        c->request->suspended = false;
        http_connection_run(c);
    }
    return stopping;
}

static void take_turns(struct http_loop *l)
{
    struct http_connection *c = l->again, *next;
    l->again = NULL;
    l->again_end = &l->again;
    for (; c; c = next) {
        next = c->next_again;
        c->again = false;
        http_connection_run(c);
    }
}

static void look_at_clock(struct http_loop *l, int64_t now_us)
{
    struct http_connection *next;
    for (struct http_connection *c = l->all; c; c = next) {
        next = c->next;
        http_connection_look_at_clock(c, now_us);
    }
}

static void *loop_main(void *arg)
{
    struct http_loop *l = arg;
    struct epoll_event events[EVENTS];
    int64_t tick_us = monotonic_us() + TICK_MS * 1000;
    for (bool stopping = false; !stopping;) {
        int n = epoll_wait(l->epoll_fd, events, EVENTS, l->again ? 0 : TICK_MS);
        for (int i = 0; i < n; i++)
            take_event(l, &events[i]);
        end_round(l); /* what follows is mostly no asking */
        stopping = take_queue(l);
        take_turns(l);
        int64_t now_us = monotonic_us();
        if (now_us >= tick_us) {
            look_at_clock(l, now_us);
            tick_us = now_us + TICK_MS * 1000;
        }
        free_dead(l);
        end_round(l);
        if (l->log.n)
            http_log_flush(&l->server->log, &l->log);
    }
    take_turns(l);
    while (l->all)
        http_connection_close(l->all);
    for (struct http_connection *c = l->again; c; c = c->next_again)
        c->again = false;
    free_dead(l);
    end_round(l);
    http_log_flush(&l->server->log, &l->log);
    return NULL;
}

const char *http_loop_date(struct http_loop *l)
{
    time_t now = time(NULL);
    struct tm tm;
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (now != l->date_s && gmtime_r(&now, &tm))
        snprintf(l->date, sizeof l->date, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                 days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
                 tm.tm_hour, tm.tm_min, tm.tm_sec);
    l->date_s = now;
    return l->date;
}

/* ---- starting and stopping ---- */

static void done(struct http_loop *l)
{
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    if (l->event_fd >= 0)
        close(l->event_fd);
    base_free(l->scratch);
    buf_done(&l->log);
    pthread_mutex_destroy(&l->lock);
}

bool http_loop_start(struct http_loop *l, struct http_server *s, struct err *e)
{
    struct epoll_event wake = {.events = EPOLLIN};
    *l = (struct http_loop){.server = s};
    l->again_end = &l->again;
    l->queue_end = &l->queue;
    pthread_mutex_init(&l->lock, NULL);
    base_random(&l->seed, sizeof l->seed);
    l->scratch = base_alloc(HTTP_SCRATCH_BYTES);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->runs = l->scratch && l->epoll_fd >= 0 && l->event_fd >= 0 &&
              epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->event_fd, &wake) == 0 &&
              pthread_create(&l->thread, NULL, loop_main, l) == 0;
    if (!l->runs)
        done(l);
    return l->runs || err_set(e, ERR_MEMORY, "cannot start a thread that serves connections");
}

void http_loop_stop(struct http_loop *l)
{
    uint64_t one = 1;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    if (write(l->event_fd, &one, sizeof one) < 0)
        must(errno == EAGAIN);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    done(l);
}
