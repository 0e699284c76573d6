/* The life of a request: made when its head was read, signed in, its body taken in, handed to the
 * route, freed when its answer was sent. */
#include <netdb.h>
#include <string.h>

#include "http/http_priv.h"

struct http_request *http_request_new(struct http_connection *c)
{
    struct http_server *s = c->loop->server;
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    struct http_request *r = a ? arena_calloc(a, 1, sizeof *r) : NULL;
    if (!r) {
        arena_free(a);
        return NULL;
    }
    r->server = s;
    r->connection = c;
    r->arena = a;
    r->number = atomic_fetch_add(&s->numbers, 1) + 1;
    r->begun_us = monotonic_us();
    r->method = HTTP_OTHER;
    buf_init(&r->body, 0);
    atomic_fetch_add(&s->active, 1);
    return r;
}

void http_body_drop(struct http_request *r)
{
    r->dropping = true;
    buf_done(&r->body);
    atomic_fetch_sub(&r->server->bodies_bytes, r->body_counted);
    r->body_counted = 0;
}

void http_request_free(struct http_request *r)
{
    struct http_server *s = r->server;
    http_body_drop(r);
    buf_done(&r->reply);
    http_release(r);
    atomic_fetch_sub(&s->replies_bytes, r->reply_counted);
    arena_free(r->arena);
    atomic_fetch_sub(&s->active, 1);
}

/* Runs `fn` with the session that the loop has for this round. */
static bool with_session(struct http_request *r, http_route_fn *fn, struct err *e)
{
    struct http_loop *l = r->connection->loop;
    if (!l->session && !http_session_take(r->server, &l->session, e))
        return false;
    r->session = l->session;
    fn(r);
    exchange_session_linger(l->session);
    return true;
}

/* ---- before a body is read ---- */

static enum http_method method_of(struct str name)
{
    if (str_eq(name, STR("GET")) || str_eq(name, STR("HEAD")))
        return HTTP_GET;
    if (str_eq(name, STR("POST")))
        return HTTP_POST;
    return str_eq(name, STR("DELETE")) ? HTTP_DELETE : HTTP_OTHER;
}

/* Who asks is known; what is asked is looked at. */
static bool admit(struct http_request *r, struct err *e)
{
    const struct exchange_config *c = exchange_config(r->server->exchange);
    uint64_t most = c->max_body_bytes;
    if (!http_rate_ok(&r->server->rates, r->who.user, c->max_requests, r->begun_us)) {
        atomic_fetch_add(&r->server->figures.limited, 1);
        return err_set(e, ERR_TOO_MANY, "more than max-requests-per-second, %llu",
                       (unsigned long long)c->max_requests);
    }
    if (!r->server->admit(r, e))
        return false;
    if (r->head.framing != HTTP_NO_BODY && http_header(r, "Content-Encoding").n)
        return err_set(e, ERR_MEDIA_TYPE, "send the body as it is, without Content-Encoding");
    if (r->head.framing == HTTP_LENGTH && r->head.length > most)
        return err_set(e, ERR_TOO_LARGE, "the body is larger than max_content_length, %llu bytes",
                       (unsigned long long)most);
    r->dropping = r->method != HTTP_POST;
    r->body.cap_bytes = most + BASE_PADDING;
    return true;
}

/* Credentials were shown, and nobody has them. */
static void note_failure(struct http_request *r, const struct err *e)
{
    const struct sockaddr_storage *from = &r->connection->from;
    char host[INET6_ADDRSTRLEN + 2] = "";
    if (e->code != ERR_UNAUTHORIZED || !http_header(r, "Authorization").n)
        return;
    (void)getnameinfo((const struct sockaddr *)from, sizeof *from, host, sizeof host, NULL, 0,
                      NI_NUMERICHOST);
    exchange_sign_in_failed(r->server->exchange, str_of(host));
}

/* On a thread of the verifiers. */
static void sign_in(struct http_request *r)
{
    struct err e = {0};
    bool known = exchange_login_basic(r->session, r->arena, r->name, r->secret, &r->who, &e);
    if (!known)
        note_failure(r, &e);
    if (known && admit(r, &e))
        http_go_on(r);
    else
        http_reply_err(r, &e);
}

static bool can_read(struct http_server *s)
{
    struct err ignored = {0};
    struct exchange_session *session;
    if (atomic_load(&s->stopping) || !http_session_take(s, &session, &ignored))
        return false;
    http_session_give(s, session);
    return true;
}

/* For who watches over the process: /healthz, does it answer; /readyz, does it serve. They tell no
 * more, so no one has to sign in. */
static bool answer_health(struct http_request *r)
{
    struct str what = http_segment(r, 0);
    bool health = str_eq(what, STR("healthz")), ready = str_eq(what, STR("readyz"));
    struct buf b;
    if (http_segment_count(r) != 1 || r->method != HTTP_GET || !(health || ready))
        return false;
    bool ok = health || can_read(r->server);
    http_note_route(r, health ? "healthz" : "readyz");
    buf_init(&b, 0);
    buf_lit(&b, ok ? "{\"status\":\"ok\"}" : "{\"status\":\"not ready\"}");
    http_reply(r, ok ? 200 : 503, "application/json", &b);
    return true;
}

static void route(struct http_request *r)
{
    http_move(r, HTTP_ROUTED);
    r->server->route(r);
}

static void begin_with(struct http_request *r)
{
    struct err e = {0};
    /* Who only asks, and has said all, is answered here and now, of one state of the node. */
    bool asks = r->method == HTTP_GET && r->head.framing == HTTP_NO_BODY;
    if (asks && !exchange_session_hold(r->session, &e)) {
        http_reply_err(r, &e);
        return;
    }
    enum exchange_login login = http_authenticate(r, &e);
    if (login == EXCHANGE_LOGIN_REFUSED)
        note_failure(r, &e);
    if (login == EXCHANGE_LOGIN_SLOW)
        http_pool_put(&r->server->verifiers, r, HTTP_SIGNING_IN, sign_in);
    else if (login == EXCHANGE_LOGIN_REFUSED || !admit(r, &e))
        http_reply_err(r, &e);
    else if (asks)
        route(r);
}

void http_begin(struct http_request *r)
{
    struct err e = {0};
    r->method = method_of(r->head.method);
    if (http_uri_parse(r, &e) && (answer_health(r) || with_session(r, begin_with, &e)))
        return;
    http_reply_err(r, &e);
}

/* ---- the body ---- */

void http_body_put(struct http_request *r, struct str data)
{
    if (r->dropping)
        return;
    if (data.n > r->body.cap_bytes - BASE_PADDING - r->body.n) {
        r->body_too_large = true;
        http_body_drop(r);
        return;
    }
    size_t before = r->body.room;
    buf_put(&r->body, data.p, data.n);
    size_t grown = r->body.room - before;
    r->body_counted += grown;
    size_t all = atomic_fetch_add(&r->server->bodies_bytes, grown) + grown;
    /* One alone is bounded by max-body-bytes. */
    if (grown && all > LIMIT_HTTP_BODIES_BYTES && all > r->body_counted) {
        r->bodies_too_many = true;
        http_body_drop(r);
    }
}

void http_body_end(struct http_request *r)
{
    struct err e = {0};
    bool ok = true;
    if (r->bodies_too_many) {
        http_reply_busy(r, "too much is being taken in at once; try again soon");
        return;
    }
    if (r->body_too_large)
        ok = err_set(&e, ERR_TOO_LARGE, "the body is larger than max_content_length");
    else if (buf_reserve(&r->body, BASE_PADDING))
        memset(r->body.p + r->body.n, 0, BASE_PADDING);
    ok = ok && buf_ok(&r->body, &e);
    if (!ok || !with_session(r, route, &e))
        http_reply_err(r, &e);
}
