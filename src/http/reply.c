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
        [HTTP_ANSWERED] = {[HTTP_SENT] = true},
        [HTTP_SENT] = {false},
    };
    int from = atomic_load(&r->state);
    must(allowed[from][to]);
    atomic_store(&r->state, (int)to);
}

void http_reply_header(struct http_request *r, const char *name, struct str value)
{
    must(r->header_count < sizeof r->headers / sizeof *r->headers);
    struct str copy = arena_str(r->arena, value);
    if (copy.p)
        r->headers[r->header_count++] = (struct http_pair){str_of(name), copy};
}

/* After http_move the connection's thread may send and free the request, so the last step is to
 * wake it. */
static void wake(struct http_request *r, enum http_state to)
{
    bool suspended = r->suspended;
    struct http_server *s = r->server;
    struct MHD_Connection *connection = r->connection;
    http_move(r, to);
    if (suspended) {
        MHD_resume_connection(connection);
        atomic_fetch_sub(&s->working, 1);
    }
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
        http_reply_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                          STR("Basic realm=\"Setu\", charset=\"UTF-8\""));
    if (code == ERR_BUSY)
        http_reply_header(r, MHD_HTTP_HEADER_RETRY_AFTER, STR("2"));
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
    bool internal = err_http(e->code) >= 500;
    if (internal)
        log_line(e->code == ERR_BUSY ? LOG_WARNING : LOG_ERROR, "request %llu: %s: %s",
                 (unsigned long long)r->number, err_name(e->code), e->msg);
    reply_error(r, e->code, internal ? STR_NONE : str_of(e->msg));
}

static struct MHD_Response *response_of(struct http_request *r)
{
    if (r->release)
        return MHD_create_response_from_buffer_with_free_callback_cls(
            r->shared.n, (void *)(uintptr_t)r->shared.p, r->release, r->release_ctx);
    return MHD_create_response_from_buffer_with_free_callback(r->reply.n, r->reply.p, base_free);
}

enum MHD_Result http_send(struct http_request *r)
{
    struct MHD_Response *response = response_of(r);
    if (!response)
        return MHD_NO;
    buf_init(&r->reply, 0); /* the response owns its bytes now */
    r->release = NULL;
    bool ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->type) == MHD_YES;
    ok = ok && MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES;
    for (size_t i = 0; i < r->header_count; i++)
        ok = ok && MHD_add_response_header(response, r->headers[i].name.p, r->headers[i].value.p) ==
                       MHD_YES;
    if (atomic_load(&r->server->stopping))
        ok =
            ok && MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    enum MHD_Result result =
        ok ? MHD_queue_response(r->connection, (unsigned)r->status, response) : MHD_NO;
    MHD_destroy_response(response);
    http_move(r, HTTP_SENT);
    return result;
}
