/* What is told of requests: the access log, a JSON line for each, and figures for Prometheus. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

#include "http/http_priv.h"

/* ---- the access log ---- */

bool http_log_open(struct http_log *l, struct str path, struct err *e)
{
    char name[LIMIT_PATH_BYTES];
    int fd = -1;
    if (path.n >= sizeof name)
        return err_set(e, ERR_SYNTAX, "access-log: the path is longer than %zu bytes",
                       sizeof name - 1);
    snprintf(name, sizeof name, "%.*s", STR_FMT(path));
    if (path.n) {
        fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
        if (fd < 0)
            return err_errno(e, "cannot write the access log", name);
    }
    pthread_mutex_lock(&l->lock);
    int before = l->fd;
    l->fd = fd;
    l->torn = false;
    pthread_mutex_unlock(&l->lock);
    atomic_store(&l->on, fd >= 0);
    if (before >= 0)
        close(before);
    return true;
}

void http_log_init(struct http_log *l)
{
    *l = (struct http_log){.fd = -1};
    pthread_mutex_init(&l->lock, NULL);
}

void http_log_done(struct http_log *l)
{
    if (l->fd >= 0)
        close(l->fd);
    pthread_mutex_destroy(&l->lock);
}

/* What cannot be written is counted and given up: a full disk must not stop the serving. */
void http_log_flush(struct http_log *l, struct buf *lines)
{
    size_t done = 0;
    pthread_mutex_lock(&l->lock);
    if (l->fd >= 0 && l->torn && lines->n) /* or the next line would be none either */
        l->torn = write(l->fd, "\n", 1) != 1;
    while (l->fd >= 0 && !l->torn && done < lines->n) {
        ssize_t n = write(l->fd, lines->p + done, lines->n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (done && lines->p[done - 1] != '\n')
        l->torn = true;
    pthread_mutex_unlock(&l->lock);
    for (; done < lines->n; done++)
        if (lines->p[done] == '\n')
            atomic_fetch_add(&l->lost, 1);
    buf_clear(lines);
}

static void put_address(struct buf *b, const struct sockaddr_storage *from)
{
    char host[INET6_ADDRSTRLEN + 2] = "";
    (void)getnameinfo((const struct sockaddr *)from, sizeof *from, host, sizeof host, NULL, 0,
                      NI_NUMERICHOST);
    json_put_member(b, "address", str_of(host));
}

static void put_line(struct http_request *r, uint64_t bytes, int64_t took_us, struct buf *b)
{
    const struct principal *who = &r->who;
    struct buf user;
    char time[INSTANT_TEXT_BYTES];
    buf_init(&user, 0);
    if (who->name.n)
        buf_printf(&user, "%.*s/%.*s/%.*s", STR_FMT(who->party.nation), STR_FMT(who->party.org),
                   STR_FMT(who->name));
    buf_byte(b, '{');
    json_put_member(b, "time", instant_text(instant_of_us(now_us()), 6, time));
    json_put_member_u64(b, "request", r->number);
    put_address(b, &r->connection->from);
    if (user.n)
        json_put_member(b, "user", buf_view(&user));
    json_put_member(b, "method", str_slice(r->head.method, 0, LIMIT_HTTP_LOG_METHOD_BYTES));
    json_put_member(b, "route", str_of(r->what ? r->what : ""));
    json_put_member_u64(b, "status", (uint64_t)r->status);
    json_put_member_u64(b, "bytes", bytes);
    json_put_member_u64(b, "objects", r->objects);
    json_put_member_u64(b, "us", (uint64_t)took_us);
    buf_lit(b, "}\n");
    buf_done(&user);
}

/* ---- figures ---- */

static const struct {
    int64_t us;
    const char *text; /* in seconds */
} buckets[HTTP_BUCKETS] = {{1000, "0.001"}, {5000, "0.005"}, {20000, "0.02"},    {100000, "0.1"},
                           {500000, "0.5"}, {2000000, "2"},  {INT64_MAX, "+Inf"}};

void http_record(struct http_request *r, uint64_t bytes)
{
    struct http_server *s = r->server;
    struct http_loop *l = r->connection->loop;
    int64_t took_us = monotonic_us() - r->begun_us;
    int bucket = 0;
    while (took_us > buckets[bucket].us)
        bucket++;
    atomic_fetch_add(&s->figures.took[bucket], 1);
    atomic_fetch_add(&s->figures.took_us, (unsigned long long)took_us);
    atomic_fetch_add(&s->figures.answers[r->status / 100 % 6], 1);
    atomic_fetch_add(&s->figures.bytes, bytes);
    if (!atomic_load(&s->log.on))
        return;
    put_line(r, bytes, took_us, &l->log);
    if (l->log.failed || l->log.n > LIMIT_HTTP_LOG_BYTES)
        http_log_flush(&s->log, &l->log);
}

static void put_type(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_figure(struct buf *b, const char *name, const char *type, const char *help,
                       unsigned long long value)
{
    put_type(b, name, type, help);
    buf_printf(b, "%s %llu\n", name, value);
}

void http_metrics(const struct http_request *r, struct buf *b)
{
    struct http_server *s = r->server;
    struct http_figures *f = &s->figures;
    unsigned long long all = 0;
    put_type(b, "setu_http_answers_total", "counter", "Answers, by kind of status.");
    for (int i = 2; i < 6; i++)
        buf_printf(b, "setu_http_answers_total{status=\"%dxx\"} %llu\n", i,
                   atomic_load(&f->answers[i]));
    put_type(b, "setu_http_request_seconds", "histogram",
             "From the last byte of a request's head to the last of its answer that was sent.");
    for (int i = 0; i < HTTP_BUCKETS; i++) {
        all += atomic_load(&f->took[i]);
        buf_printf(b, "setu_http_request_seconds_bucket{le=\"%s\"} %llu\n", buckets[i].text, all);
    }
    unsigned long long us = atomic_load(&f->took_us);
    buf_printf(b,
               "setu_http_request_seconds_sum %llu.%06llu\nsetu_http_request_seconds_count %llu\n",
               us / 1000000, us % 1000000, all);
    put_figure(b, "setu_http_sent_bytes_total", "counter", "Bytes of answers, heads included.",
               atomic_load(&f->bytes));
    put_figure(b, "setu_http_connections", "gauge", "Connections that are open.",
               atomic_load(&f->connections));
    put_figure(b, "setu_http_requests_working", "gauge",
               "Requests that wait for a thread, for the writer or for objects.",
               atomic_load(&s->working));
    put_figure(b, "setu_http_evicted_total", "counter",
               "Connections that were closed, or not taken, because there were too many.",
               atomic_load(&f->evicted));
    put_figure(b, "setu_http_slow_total", "counter",
               "Connections that were closed because they were too slow.", atomic_load(&f->slow));
    put_figure(b, "setu_http_limited_total", "counter",
               "Requests refused because their user had made too many in a second.",
               atomic_load(&f->limited));
    put_figure(b, "setu_http_log_lost_total", "counter",
               "Lines of the access log that could not be written.", atomic_load(&s->log.lost));
}
