/*
 * Asks a node's routes without sockets, so that valgrind counts nothing but the answers:
 * probe DIR TOKEN < URIS, a URI a line. Prints status, type and body of each. Not a test by itself;
 * tests/e2e/test_timing.py runs it.
 */
#include <stdio.h>
#include <string.h>

#include "crypt/crypt.h"
#include "http/http_priv.h"
#include "taxii/taxii.h"

static void must_do(bool ok, const struct err *e)
{
    if (!ok)
        fprintf(stderr, "probe: %s\n", e->msg);
    must(ok);
}

/* One request, from who asks to the answer. What callgrind's --toggle-collect names. */
__attribute__((noinline)) void probe_answer(struct http_request *r, struct str token);
void probe_answer(struct http_request *r, struct str token)
{
    struct err e = {0};
    must_do(exchange_login_token(r->session, r->arena, token, &r->who, &e), &e);
    atomic_store(&r->state, HTTP_ROUTED);
    if (http_uri_parse(r, &e) && taxii_admit(r, &e))
        taxii_route(r);
    else
        http_reply_err(r, &e);
}

int main(int argc, char **argv)
{
    static struct http_server server;
    static char line[2000];
    struct exchange_session *s = NULL;
    struct err e = {0};
    if (argc != 3)
        return 2;
    must_do(crypt_init(&e), &e);
    must_do(exchange_open(argv[1], &server.exchange, &e), &e);
    must_do(exchange_session_open(server.exchange, &s, &e), &e);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        struct http_request r = {.server = &server,
                                 .arena = arena_new(1 << 20),
                                 .session = s,
                                 .method = HTTP_GET,
                                 .head.target = str_of(line)};
        probe_answer(&r, str_of(argv[2]));
        struct str body = r.release ? r.shared : buf_view(&r.reply);
        printf("%d %s %.*s\n", r.status, r.type, (int)body.n, body.p ? body.p : "");
        http_release(&r);
        buf_done(&r.reply);
        arena_free(r.arena);
    }
    exchange_session_close(s);
    exchange_close(server.exchange);
    return 0;
}
