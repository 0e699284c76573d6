/* Answers: success bodies as they are, errors in the form of TAXII 2.1 §3.6.1. */
#include <stdio.h>

#include "http/http_priv.h"

void http_move(struct http_request *r, enum http_state to)
{
    /* Rows: from; columns: to. */
    static const bool allowed[HTTP_STATES][HTTP_STATES] = {
        [HTTP_READING] = {[HTTP_SIGNING_IN] = true, [HTTP_ROUTED] = true, [HTTP_ANSWERED] = true},
        [HTTP_SIGNING_IN] = {[HTTP_READING] = true, [HTTP_ANSWERED] = true},
        [HTTP_ROUTED] = {[HTTP_WORKING] = true, [HTTP_ANSWERED] = true},
        [HTTP_WORKING] = {[HTTP_ANSWERED] = true},
        [HTTP_ANSWERED] = {false},
    };
    int from = atomic_load(&r->state);
    must(allowed[from][to]);
    atomic_store(&r->state, (int)to);
}

void http_reply_header(struct http_request *r, const char *name, struct str value)
{
    must(r->header_count < sizeof r->headers / sizeof *r->headers);
    struct str copy = arena_str(r->arena, value);
    for (size_t i = 0; i < value.n; i++)
        must(value.p[i] >= ' ' || value.p[i] < 0); /* a line break would begin another header */
    if (copy.p)
        r->headers[r->header_count++] = (struct http_pair){str_of(name), copy};
}

/* Once its loop has the connection again the request may be sent and freed, and once nothing is
 * working the server may be. */
static void wake(struct http_request *r, enum http_state to)
{
    struct http_server *s = r->server;
    bool suspended = r->suspended;
    http_move(r, to);
    if (!suspended)
        return;
    http_loop_put(r->connection);
    atomic_fetch_sub(&s->working, 1);
}

void http_go_on(struct http_request *r)
{
    wake(r, HTTP_READING);
}

/* Clients that read slowly must not fill the memory with their pages. What was changed is told
 * whatever it takes. */
static bool may_be_sent(struct http_request *r, size_t bytes)
{
    size_t all = atomic_fetch_add(&r->server->replies_bytes, bytes) + bytes;
    if (all > LIMIT_HTTP_REPLIES_BYTES && all > bytes && r->method == HTTP_GET) {
        atomic_fetch_sub(&r->server->replies_bytes, bytes);
        return false;
    }
    r->reply_counted = bytes;
    return true;
}

void http_reply(struct http_request *r, int status, const char *type, struct buf *body)
{
    struct err e = {0};
    bool whole = buf_ok(body, &e);
    if (!whole || !may_be_sent(r, body->n)) {
        buf_done(body);
        r->header_count = 0; /* they were the page's */
        if (whole)
            http_reply_busy(r, "too much is being sent at once; try again soon");
        else
            http_reply_err(r, &e);
        return;
    }
    r->status = status;
    r->type = type;
    r->reply = *body;
    buf_init(body, 0);
    wake(r, HTTP_ANSWERED);
}

void http_release(struct http_request *r)
{
    if (r->release)
        r->release(r->release_ctx);
    r->release = NULL;
}

void http_reply_shared(struct http_request *r, int status, const char *type, struct str bytes,
                       http_release_fn *release, void *ctx)
{
    r->shared = bytes;
    r->release = release;
    r->release_ctx = ctx;
    if (!may_be_sent(r, bytes.n)) {
        http_release(r);
        r->header_count = 0; /* they were the page's */
        http_reply_busy(r, "too much is being sent at once; try again soon");
        return;
    }
    r->status = status;
    r->type = type;
    wake(r, HTTP_ANSWERED);
}

/* `description` STR_NONE: the request's number, by which the log tells more. */
static void reply_error(struct http_request *r, enum err_code code, struct str description)
{
    struct buf b;
    char status[12];
    buf_init(&b, 0);
    snprintf(status, sizeof status, "%d", err_http(code));
    buf_byte(&b, '{');
    json_put_member(&b, "title", str_of(err_text(code)));
    if (description.p)
        json_put_member(&b, "description", description);
    else
        json_put_member_u64(&b, "x_setu_request", r->number);
    json_put_member(&b, "error_code", str_of(err_name(code)));
    json_put_member(&b, "http_status", str_of(status));
    buf_byte(&b, '}');
    if (code == ERR_UNAUTHORIZED)
        http_reply_header(r, "WWW-Authenticate", STR("Basic realm=\"Setu\", charset=\"UTF-8\""));
    if (code == ERR_BUSY || code == ERR_TOO_MANY)
        http_reply_header(r, "Retry-After", code == ERR_BUSY ? STR("2") : STR("1"));
    /* Too little memory even for this: an empty body, the status still stands. */
    if (b.failed)
        buf_done(&b);
    r->status = err_http(code);
    r->type = HTTP_TAXII_TYPE;
    r->reply = b;
    wake(r, HTTP_ANSWERED);
}

void http_reply_busy(struct http_request *r, const char *text)
{
    reply_error(r, ERR_BUSY, str_of(text));
}

void http_reply_err(struct http_request *r, const struct err *e)
{
    /* These say what the client did, and not what went wrong here. */
    bool outside = e->code == ERR_NOT_IMPLEMENTED || e->code == ERR_HTTP_VERSION;
    bool internal = err_http(e->code) >= 500 && !outside;
    if (internal)
        log_line(e->code == ERR_BUSY ? LOG_WARNING : LOG_ERROR, "request %llu: %s: %s",
                 (unsigned long long)r->number, err_name(e->code), e->msg);
    reply_error(r, e->code, internal ? STR_NONE : str_of(e->msg));
}

/* ---- on the wire (RFC 9112 §4) ---- */

/* Clients go by the number; these are for who reads along. */
static const char *phrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 202:
        return "Accepted";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 406:
        return "Not Acceptable";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return status < 400 ? "Success" : status < 500 ? "Refused" : "Failed";
    }
}

static struct str whole_body(const struct http_request *r)
{
    return r->release ? r->shared : buf_view(&r->reply);
}

#define HEAD_USUAL_BYTES 640u /* so that a head mostly grows once */

/* Without printf, which would take a fifth of the time that a kept page takes. */
static void put_field(struct buf *out, const char *name, const char *value)
{
    buf_str(out, str_of(name));
    buf_str(out, str_of(value));
}

void http_reply_head(struct http_request *r, bool last, struct buf *out)
{
    (void)buf_reserve(out, HEAD_USUAL_BYTES);
    buf_lit(out, "HTTP/1.1 ");
    buf_u64(out, (uint64_t)r->status);
    buf_byte(out, ' ');
    buf_str(out, str_of(phrase(r->status)));
    put_field(out, "\r\nDate: ", http_loop_date(r->connection->loop));
    put_field(out, "\r\nContent-Type: ", r->type);
    /* RFC 9110 §8.6: a 304 would have to say the length of the 200 that it stands for. */
    if (r->status != 304) {
        buf_lit(out, "\r\nContent-Length: ");
        buf_u64(out, whole_body(r).n);
    }
    buf_lit(out, "\r\n");
    buf_lit(out, "X-Content-Type-Options: nosniff\r\n");
    if (!r->server->plain)
        buf_lit(out, "Strict-Transport-Security: max-age=31536000\r\n");
    for (size_t i = 0; i < r->header_count; i++) {
        buf_str(out, r->headers[i].name);
        buf_lit(out, ": ");
        buf_str(out, r->headers[i].value);
        buf_lit(out, "\r\n");
    }
    if (last)
        buf_lit(out, "Connection: close\r\n");
    else if (r->head.old)
        buf_lit(out, "Connection: keep-alive\r\n");
    buf_lit(out, "\r\n");
}

struct str http_reply_body(const struct http_request *r)
{
    bool none = r->status == 304 || str_eq(r->head.method, STR("HEAD"));
    return none ? STR_NONE : whole_body(r);
}
