/* Answers: success bodies as they are, errors in the form of TAXII 2.1 §3.6.1. */
#include <stdio.h>

#include "http/http_priv.h"

void http_move(struct http_request *r, enum http_state to)
{
    /* Rows: from; columns: to. */
    static const bool allowed[5][5] = {
        [HTTP_READING] = {[HTTP_ROUTED] = true, [HTTP_ANSWERED] = true},
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
static void finish(struct http_request *r)
{
    bool suspended = r->suspended;
    struct http_server *s = r->server;
    struct MHD_Connection *connection = r->connection;
    http_move(r, HTTP_ANSWERED);
    if (suspended) {
        MHD_resume_connection(connection);
        atomic_fetch_sub(&s->working, 1);
    }
}

void http_reply(struct http_request *r, int status, const char *type, struct buf *body)
{
    struct err e;
    if (!buf_ok(body, &e)) {
        buf_done(body);
        http_reply_err(r, &e);
        return;
    }
    r->status = status;
    r->type = type;
    r->reply = *body;
    buf_init(body, 0);
    finish(r);
}

void http_reply_err(struct http_request *r, const struct err *e)
{
    struct buf b;
    char status[12];
    int code = err_http(e->code);
    bool internal = code >= 500 && e->code != ERR_BUSY;
    if (internal)
        log_line(LOG_ERROR, "request %llu: %s: %s", (unsigned long long)r->number,
                 err_name(e->code), e->msg);
    buf_init(&b, 0);
    snprintf(status, sizeof status, "%d", code);
    buf_byte(&b, '{');
    json_put_member(&b, "title", str_of(err_text(e->code)));
    if (internal)
        json_put_member_u64(&b, "x_setu_request", r->number);
    else
        json_put_member(&b, "description", str_of(e->msg));
    json_put_member(&b, "error_code", str_of(err_name(e->code)));
    json_put_member(&b, "http_status", str_of(status));
    buf_byte(&b, '}');
    if (e->code == ERR_UNAUTHORIZED)
        http_reply_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                          STR("Basic realm=\"Setu\", charset=\"UTF-8\""));
    if (e->code == ERR_BUSY)
        http_reply_header(r, MHD_HTTP_HEADER_RETRY_AFTER, STR("2"));
    /* Too little memory even for this: an empty body, the status still stands. */
    if (b.failed)
        buf_done(&b);
    r->status = code;
    r->type = HTTP_TAXII_TYPE;
    r->reply = b;
    finish(r);
}

enum MHD_Result http_send(struct http_request *r)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(r->reply.n, r->reply.p, base_free);
    if (!response)
        return MHD_NO;
    buf_init(&r->reply, 0); /* the response owns its bytes now */
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
