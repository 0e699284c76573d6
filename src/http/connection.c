/* A connection: its handshake, its requests one after another, its end. Nothing here waits: each
 * step goes on until the socket has nothing to give or takes nothing more. */
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "http/http_priv.h"

/* Rows: from; columns: to. Any but HTTP_BUSY may be closed. */
static const bool moves[HTTP_PHASES][HTTP_PHASES] = {
    [HTTP_HANDSHAKE] = {[HTTP_IDLE] = true, [HTTP_CLOSED] = true},
    [HTTP_IDLE] = {[HTTP_HEAD] = true, [HTTP_CLOSED] = true},
    [HTTP_HEAD] =
        {[HTTP_BODY] = true, [HTTP_BUSY] = true, [HTTP_SENDING] = true, [HTTP_CLOSED] = true},
    [HTTP_BODY] = {[HTTP_BUSY] = true, [HTTP_SENDING] = true, [HTTP_CLOSED] = true},
    [HTTP_BUSY] = {[HTTP_BODY] = true, [HTTP_SENDING] = true},
    [HTTP_SENDING] = {[HTTP_IDLE] = true, [HTTP_LINGER] = true, [HTTP_CLOSED] = true},
    [HTTP_LINGER] = {[HTTP_CLOSED] = true},
};

static void move(struct http_connection *c, enum http_phase to)
{
    must(moves[c->phase][to]);
    c->phase = to;
    c->since_us = c->moved_us = monotonic_us();
    c->moved_bytes = 0;
    c->taken_bytes = 0;
    c->taken_from = INT64_MIN;
    http_source_list(c);
}

static void moved(struct http_connection *c, size_t bytes)
{
    c->moved_us = monotonic_us();
    c->moved_bytes += bytes;
}

void http_connection_close(struct http_connection *c)
{
    struct http_loop *l = c->loop;
    if (c->phase == HTTP_CLOSED)
        return;
    move(c, HTTP_CLOSED);
    /* What was asked was done, though the client did not stay for the whole answer. */
    if (c->request && atomic_load(&c->request->state) == HTTP_ANSWERED)
        http_record(c->request, c->sent);
    if (c->request)
        http_request_free(c->request);
    c->request = NULL;
    http_source_leave(c);
    crypt_tls_close(c->tls);
    c->tls = NULL;
    close(c->fd);
    http_loop_forget(l, c);
}

void http_connection_free(struct http_connection *c)
{
    buf_done(&c->in);
    buf_done(&c->head);
    base_free(c);
}

/* ---- reading ---- */

/* What was read and is not used yet outlives the loop's scratch. While `in` holds anything, `fresh`
 * is its end. */
static bool keep(struct http_connection *c)
{
    if (c->fresh.n == 0) {
        buf_done(&c->in);
        return true;
    }
    if (c->in.n == 0) {
        buf_put(&c->in, c->fresh.p, c->fresh.n);
    } else if (c->in.n > c->fresh.n) {
        memmove(c->in.p, c->fresh.p, c->fresh.n);
        c->in.n = c->fresh.n;
    }
    c->fresh = buf_view(&c->in);
    return !c->in.failed;
}

static enum crypt_tls_step receive(struct http_connection *c, char *to, size_t room, size_t *got)
{
    enum crypt_tls_step step = CRYPT_TLS_DONE;
    if (c->tls) {
        step = crypt_tls_read(c->tls, to, room, got);
    } else {
        ssize_t n = recv(c->fd, to, room, 0);
        if (n > 0)
            *got = (size_t)n;
        else if (n == 0)
            step = CRYPT_TLS_ENDED;
        else
            step = errno == EAGAIN ? CRYPT_TLS_AGAIN : CRYPT_TLS_BROKEN;
    }
    if (step == CRYPT_TLS_AGAIN)
        c->readable = false;
    return step;
}

/* Puts more behind `fresh`. False: the connection waits, or was closed. */
static bool read_more(struct http_connection *c)
{
    size_t got = 0;
    char *scratch = c->loop->scratch;
    if (!c->readable)
        return false;
    bool room = keep(c);
    enum crypt_tls_step step =
        room ? receive(c, scratch, HTTP_SCRATCH_BYTES, &got) : CRYPT_TLS_BROKEN;
    if (step == CRYPT_TLS_DONE && c->in.n)
        buf_put(&c->in, scratch, got);
    if (step == CRYPT_TLS_AGAIN)
        return false;
    if (step != CRYPT_TLS_DONE || c->in.failed) {
        http_connection_close(c);
        return false;
    }
    moved(c, got);
    c->fresh = c->in.n ? buf_view(&c->in) : (struct str){scratch, got};
    return true;
}

/* ---- from the request to its answer; these return true where there is more to do at once ---- */

/* The answer is there. */
static bool answer(struct http_connection *c)
{
    struct http_request *r = c->request;
    http_body_drop(r);
    c->last = c->last || r->head.closes || atomic_load(&r->server->stopping);
    http_reply_head(r, c->last, &c->head);
    struct str body = http_reply_body(r);
    /* One record in the place of two. */
    c->merged = c->tls && c->head.n < CRYPT_TLS_RECORD_BYTES
                    ? str_slice(body, 0, CRYPT_TLS_RECORD_BYTES - c->head.n).n
                    : 0;
    if (c->merged)
        buf_put(&c->head, body.p, c->merged);
    c->sent = 0;
    move(c, HTTP_SENDING);
    if (!c->head.failed)
        return true;
    http_connection_close(c);
    return false;
}

/* RFC 9110 §10.1.1. Where the socket takes nothing, the sender waits no longer than it likes. */
static bool say_continue(struct http_connection *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const size_t n = sizeof text - 1;
    size_t put = 0;
    if (c->tls) {
        enum crypt_tls_step step = crypt_tls_write(c->tls, text, n, &put);
        return step == CRYPT_TLS_DONE && put == n;
    }
    ssize_t rc = send(c->fd, text, n, MSG_NOSIGNAL);
    return rc == (ssize_t)n || (rc < 0 && errno == EAGAIN);
}

/* A refused body that is short and on its way already is read to its end, so that the connection
 * lives on. Any other ends it. */
static bool body_is_awaited(const struct http_request *r)
{
    return r->head.framing == HTTP_NO_BODY ||
           (r->head.framing == HTTP_LENGTH && r->head.length <= LIMIT_HTTP_DROP_BYTES &&
            !r->head.expects);
}

/* The request has got somewhere. */
static bool go_on(struct http_connection *c)
{
    struct http_request *r = c->request;
    if (r->suspended) {
        if (c->phase != HTTP_BUSY)
            move(c, HTTP_BUSY);
        return true;
    }
    bool answered = atomic_load(&r->state) == HTTP_ANSWERED;
    c->body_whole = c->body_whole || (answered && r->head.framing == HTTP_NO_BODY);
    must(answered || !c->body_whole);
    if (answered && !c->body_whole && !body_is_awaited(r)) {
        c->last = true;
        c->body_whole = true;
    }
    if (c->body_whole)
        return answer(c);
    if (answered)
        http_body_drop(r);
    bool asked = r->head.expects && !r->head.old && !answered && c->fresh.n == 0;
    if (asked && r->head.framing != HTTP_NO_BODY && !say_continue(c)) {
        http_connection_close(c);
        return false;
    }
    if (c->phase != HTTP_BODY)
        move(c, HTTP_BODY);
    return true;
}

/* No more of this request is read. */
static bool refuse(struct http_connection *c, const struct err *e)
{
    c->last = true;
    c->body_whole = true;
    if (atomic_load(&c->request->state) == HTTP_READING)
        http_reply_err(c->request, e);
    return go_on(c);
}

static bool new_request(struct http_connection *c)
{
    c->request = http_request_new(c);
    c->body_whole = false;
    c->chunks = (struct http_chunks){0};
    c->dropped = 0;
    c->sent = 0;
    if (!c->request)
        http_connection_close(c);
    return c->request;
}

/* ---- the steps ---- */

static bool shake_hands(struct http_connection *c)
{
    if (!c->readable && !c->writable)
        return false;
    switch (crypt_tls_handshake(c->tls)) {
    case CRYPT_TLS_DONE:
        c->readable = true; /* the library may have read on */
        move(c, HTTP_IDLE);
        return true;
    case CRYPT_TLS_AGAIN:
        c->readable = false;
        return false;
    case CRYPT_TLS_ENDED:
    case CRYPT_TLS_BROKEN:
        break;
    }
    http_connection_close(c);
    return false;
}

static bool await_request(struct http_connection *c)
{
    if (c->fresh.n == 0 && !read_more(c))
        return false;
    c->seen = 0;
    c->skipped = false;
    move(c, HTTP_HEAD);
    return true;
}

static bool read_head(struct http_connection *c)
{
    struct err e = {0};
    size_t end;
    /* RFC 9112 §2.2: one empty line before it counts for nothing. */
    if (!c->skipped && c->seen == 0 && str_starts(c->fresh, STR("\r\n"))) {
        c->skipped = true;
        c->fresh = str_from(c->fresh, 2);
    }
    bool ok = http_head_end(c->fresh, &c->seen, &end, &e);
    if (ok && end == 0)
        return read_more(c);
    if (!new_request(c))
        return false;
    struct http_request *r = c->request;
    if (!ok)
        return refuse(c, &e);
    struct str head = arena_str(r->arena, str_slice(c->fresh, 0, end));
    c->fresh = str_from(c->fresh, end);
    if (!arena_ok(r->arena, &e) || !http_head_read(head, r->arena, &r->head, &e))
        return refuse(c, &e);
    c->left = r->head.length;
    http_begin(r);
    return go_on(c);
}

/* Takes what is there of the body. */
static bool take_body(struct http_connection *c, struct str *data, struct err *e)
{
    bool ok = true;
    *data = STR_NONE;
    switch (c->request->head.framing) {
    case HTTP_NO_BODY:
        c->body_whole = true;
        break;
    case HTTP_LENGTH:
        *data = c->left < c->fresh.n ? str_slice(c->fresh, 0, (size_t)c->left) : c->fresh;
        c->fresh = str_from(c->fresh, data->n);
        c->left -= data->n;
        c->body_whole = c->left == 0;
        break;
    case HTTP_CHUNKED:
        ok = http_chunks_take(&c->chunks, &c->fresh, data, e);
        c->body_whole = ok && c->chunks.state == HTTP_CHUNK_END;
        break;
    }
    return ok;
}

static bool read_body(struct http_connection *c)
{
    struct http_request *r = c->request;
    struct str data;
    struct err e = {0};
    if (!take_body(c, &data, &e))
        return refuse(c, &e);
    if (data.n)
        http_body_put(r, data);
    if (r->dropping)
        c->dropped += data.n;
    if (c->dropped > LIMIT_HTTP_DROP_BYTES && !c->body_whole) {
        c->last = true;
        c->body_whole = true;
    }
    if (!c->body_whole)
        return data.n || c->fresh.n || read_more(c);
    if (atomic_load(&r->state) == HTTP_READING)
        http_body_end(r);
    return go_on(c);
}

/* The loop calls when the request is another thread's no more. */
static bool look_at_request(struct http_connection *c)
{
    struct http_request *r = c->request;
    if (!r->suspended)
        return go_on(c);
    if (c->hung_up && !r->gone)
        http_parking_gone(r);
    return false;
}

static enum crypt_tls_step transmit(struct http_connection *c, struct str first, struct str second,
                                    size_t *put)
{
    if (c->tls)
        return first.n ? crypt_tls_write(c->tls, first.p, first.n, put)
                       : crypt_tls_write(c->tls, second.p, second.n, put);
    struct iovec parts[2] = {{(void *)(uintptr_t)first.p, first.n},
                             {(void *)(uintptr_t)second.p, second.n}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN ? CRYPT_TLS_AGAIN : CRYPT_TLS_BROKEN;
    *put = (size_t)n;
    return CRYPT_TLS_DONE;
}

static void end_request(struct http_connection *c)
{
    http_record(c->request, c->sent);
    http_request_free(c->request);
    c->request = NULL;
    buf_done(&c->head);
    if (!c->last) {
        move(c, HTTP_IDLE);
        return;
    }
    /* RFC 9112 §9.6: closed with bytes unread, the client might never see the answer. */
    crypt_tls_close(c->tls);
    c->tls = NULL;
    shutdown(c->fd, SHUT_WR);
    c->readable = true;
    move(c, HTTP_LINGER);
}

static bool send_answer(struct http_connection *c)
{
    struct str body = str_from(http_reply_body(c->request), c->merged);
    struct str head = str_from(buf_view(&c->head), c->sent);
    size_t put = 0;
    if (!c->writable)
        return false;
    if (head.n == 0)
        body = str_from(body, c->sent - c->head.n);
    switch (transmit(c, head, body, &put)) {
    case CRYPT_TLS_DONE:
        break;
    case CRYPT_TLS_AGAIN:
        c->writable = false;
        return false;
    case CRYPT_TLS_ENDED:
    case CRYPT_TLS_BROKEN:
        http_connection_close(c);
        return false;
    }
    moved(c, put);
    c->sent += put;
    if (put == head.n + body.n)
        end_request(c);
    return true;
}

static bool drop_rest(struct http_connection *c)
{
    ssize_t n = recv(c->fd, c->loop->scratch, HTTP_SCRATCH_BYTES, 0);
    if (n > 0)
        return true;
    if (n == 0 || errno != EAGAIN)
        http_connection_close(c);
    return false;
}

static bool stay_closed(struct http_connection *c)
{
    (void)c;
    return false;
}

void http_connection_run(struct http_connection *c)
{
    static bool (*const steps[HTTP_PHASES])(struct http_connection *) = {
        [HTTP_HANDSHAKE] = shake_hands, [HTTP_IDLE] = await_request,   [HTTP_HEAD] = read_head,
        [HTTP_BODY] = read_body,        [HTTP_BUSY] = look_at_request, [HTTP_SENDING] = send_answer,
        [HTTP_LINGER] = drop_rest,      [HTTP_CLOSED] = stay_closed,
    };
    bool more = true;
    /* A busy one has no turn to wait for. */
    for (int turn = 0; more && (turn < LIMIT_HTTP_TURN || c->phase == HTTP_BUSY); turn++)
        more = steps[c->phase](c);
    if (c->phase == HTTP_CLOSED)
        return;
    if (c->phase == HTTP_LINGER)
        c->fresh = STR_NONE;
    if (keep(c)) {
        if (more)
            http_loop_again(c);
    } else if (c->phase == HTTP_BUSY) { /* it is closed when it has answered */
        c->fresh = STR_NONE;
        c->last = true;
    } else {
        http_connection_close(c);
    }
}

/* ---- time ---- */

/* How far the reader of an answer has come since this was asked first: the kernel takes megabytes
 * at once, and then none until much of them has left, which says nothing of the reader. */
static void look_at_reader(struct http_connection *c, int64_t now_us)
{
    int queued = 0;
    (void)ioctl(c->fd, SIOCOUTQ, &queued);
    int64_t at = (int64_t)c->moved_bytes - queued;
    if (c->taken_from == INT64_MIN)
        c->taken_from = at;
    if (at - c->taken_from <= (int64_t)c->taken_bytes)
        return;
    c->taken_bytes = (uint64_t)(at - c->taken_from);
    c->moved_us = now_us;
}

/* Is it slower than what may be expected of anybody? */
static bool is_slow(const struct http_connection *c, uint64_t bytes, int64_t now_us)
{
    int64_t slow = LIMIT_HTTP_SLOW_MS * INT64_C(1000);
    int64_t more = (int64_t)(bytes / LIMIT_HTTP_SLOW_BYTES) * 1000000;
    return now_us - c->moved_us > slow || now_us - c->since_us > slow + more;
}

static void give_up(struct http_connection *c)
{
    atomic_fetch_add(&c->loop->server->figures.slow, 1);
    http_connection_close(c);
}

/* It is told, if there is a request that can be answered. */
static void refuse_slow(struct http_connection *c, const char *what)
{
    struct err e = {0};
    atomic_fetch_add(&c->loop->server->figures.slow, 1);
    err_set(&e, ERR_TIMEOUT, "%s came too slowly", what);
    if (refuse(c, &e))
        http_connection_run(c);
}

void http_connection_look_at_clock(struct http_connection *c, int64_t now_us)
{
    int64_t age = now_us - c->since_us;
    switch (c->phase) {
    case HTTP_HANDSHAKE:
        if (age > LIMIT_HTTP_SLOW_MS * INT64_C(1000))
            give_up(c);
        break;
    case HTTP_IDLE:
        if (age > LIMIT_HTTP_IDLE_MS * INT64_C(1000))
            http_connection_close(c);
        break;
    case HTTP_HEAD:
        if (age > LIMIT_HTTP_SLOW_MS * INT64_C(1000) && new_request(c))
            refuse_slow(c, "the head");
        break;
    case HTTP_BODY:
        if (is_slow(c, c->moved_bytes, now_us))
            refuse_slow(c, "the body");
        break;
    case HTTP_SENDING:
        look_at_reader(c, now_us);
        if (is_slow(c, c->taken_bytes, now_us))
            give_up(c);
        break;
    case HTTP_LINGER:
        if (age > LIMIT_HTTP_LINGER_MS * INT64_C(1000))
            http_connection_close(c);
        break;
    case HTTP_BUSY:
    case HTTP_CLOSED:
        break;
    }
}
