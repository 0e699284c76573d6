/* Heads of requests (RFC 9112 §2 to §6): what is read, and what is refused with which status. */
#include "test.h"

#include "http/http_priv.h"

#define H "Host: x\r\n"

static const struct {
    const char *head;
    int status; /* 0: it is read */
    const char *method, *target;
    enum http_framing framing;
    bool closes;
} rows[] = {
    {"GET / HTTP/1.1\r\n" H "\r\n", 0, "GET", "/", HTTP_NO_BODY, false},
    {"GET /a?b=c%20d&e HTTP/1.1\r\n" H "\r\n", 0, "GET", "/a?b=c%20d&e", HTTP_NO_BODY, false},
    {"GET http://h:1/a HTTP/1.1\r\n" H "\r\n", 0, "GET", "/a", HTTP_NO_BODY, false},
    {"GET http://h:1?x=1 HTTP/1.1\r\n" H "\r\n", 0, "GET", "/?x=1", HTTP_NO_BODY, false},
    {"GET http://h HTTP/1.1\r\n" H "\r\n", 0, "GET", "/", HTTP_NO_BODY, false},
    {"GET https://h?a HTTP/1.1\r\n" H "\r\n", 0, "GET", "/?a", HTTP_NO_BODY, false},
    {"OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, "OPTIONS", "/", HTTP_NO_BODY, false},
    {"GET / HTTP/1.0\r\n\r\n", 0, "GET", "/", HTTP_NO_BODY, true},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0, "GET", "/", HTTP_NO_BODY, false},
    {"GET / HTTP/1.1\r\n" H "Connection: x, close\r\n\r\n", 0, "GET", "/", HTTP_NO_BODY, true},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", 0, "POST", "/", HTTP_LENGTH, false},
    {"POST / HTTP/1.1\r\n" H "content-length:0\r\n\r\n", 0, "POST", "/", HTTP_NO_BODY, false},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", 0, "POST", "/", HTTP_CHUNKED,
     false},
    {"GET / HTTP/1.1\r\n" H "A:\t b \xC3\xA9 \t\r\nA: c\r\n\r\n", 0, "GET", "/", HTTP_NO_BODY,
     false},

    {"GET / HTTP/1.1\r\n\r\n", 400, 0, 0, 0, 0},                 /* no Host */
    {"GET / HTTP/1.1\r\n" H "Host: y\r\n\r\n", 400, 0, 0, 0, 0}, /* two */
    {"GET / HTTP/1.1\r\n" H "host: x\r\n\r\n", 400, 0, 0, 0, 0}, /* two that say the same */
    {"GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400, 0, 0, 0, 0},
    {"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400, 0, 0, 0, 0},
    {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, 0, 0, 0, 0},   /* a blank before the colon */
    {"GET / HTTP/1.1\r\n" H " a: b\r\n\r\n", 400, 0, 0, 0, 0}, /* obs-fold */
    {"GET / HTTP/1.1\r\n" H "a: b\r\n\tc\r\n\r\n", 400, 0, 0, 0, 0},
    {"GET / HTTP/1.1\r\n" H "a\r\n\r\n", 400, 0, 0, 0, 0}, /* no colon */
    {"GET / HTTP/1.1\r\n" H ": b\r\n\r\n", 400, 0, 0, 0, 0},
    {"GET / HTTP/1.1\r\n" H "a(: b\r\n\r\n", 400, 0, 0, 0, 0},
    {"GET / HTTP/1.1\r\n" H "a: b\x01\r\n\r\n", 400, 0, 0, 0, 0},
    {"GET / HTTP/1.1\r\n" H "a: b\rc\r\n\r\n", 400, 0, 0, 0, 0}, /* a CR alone */
    {"GET / HTTP/1.1\r\n" H "a: b\x7F\r\n\r\n", 400, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n", 400, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n", 400, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\n", 400, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 400, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, 0, 0,
     0, 0},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400, 0, 0,
     0, 0},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     400, 0, 0, 0, 0},
    {"POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 400, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 501, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 501, 0, 0, 0, 0},
    {"GET / HTTP/1.1\r\n" H "Authorization: a\r\nAuthorization: a\r\n\r\n", 400, 0, 0, 0, 0},
    {"POST / HTTP/1.1\r\n" H "Content-Type: a\r\nContent-Type: b\r\n\r\n", 400, 0, 0, 0, 0},
    {"GET / HTTP/2.0\r\n" H "\r\n", 505, 0, 0, 0, 0},
    {"PRI * HTTP/2.0\r\n\r\n", 505, 0, 0, 0, 0},
    {"GET / HTTP/1.12\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET / http/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET /\r\n" H "\r\n", 400, 0, 0, 0, 0}, /* HTTP/0.9 */
    {"GET / HTTP/1.1 \r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET  / HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET /a b HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET /\xC3\xA9 HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET /a\x01 HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET /a#b HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET http:///a HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET http://?a HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET http:// HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"GET http://user@h/a HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"G(T / HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {" / HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
    {"\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 400, 0, 0, 0, 0},
};

static bool read_whole(struct str text, struct arena *a, struct http_head *out, struct err *e)
{
    size_t seen = 0, end = 0;
    return http_head_end(text, &seen, &end, e) &&
           (end == text.n || err_set(e, ERR_SYNTAX, "the end is at %zu", end)) &&
           http_head_read(text, a, out, e);
}

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *a = arena_new(1 << 20);
        struct http_head head;
        struct err e = {0};
        bool ok = read_whole(str_of(rows[i].head), a, &head, &e);
        CHECK_ROW(ok == (rows[i].status == 0), "row %zu: %s", i, e.msg);
        if (ok)
            CHECK_ROW(str_eq(head.method, str_of(rows[i].method)) &&
                          str_eq(head.target, str_of(rows[i].target)) &&
                          head.framing == rows[i].framing && head.closes == rows[i].closes,
                      "row %zu", i);
        else
            CHECK_ROW(err_http(e.code) == rows[i].status, "row %zu: %d", i, err_http(e.code));
        arena_free(a);
    }
}

static void test_nul(void)
{
    static const char nul[] = "GET /a\0b HTTP/1.1\r\n" H "\r\n",
                      in_name[] = "GET / HTTP/1.1\r\n" H "a\0: b\r\n\r\n";
    struct arena *a = arena_new(1 << 20);
    struct http_head head;
    struct err e = {0};
    CHECK(!read_whole((struct str){nul, sizeof nul - 1}, a, &head, &e) && err_http(e.code) == 400);
    CHECK(!read_whole((struct str){in_name, sizeof in_name - 1}, a, &head, &e) &&
          err_http(e.code) == 400);
    arena_free(a);
}

/* However the bytes come, the end is found at the same place. */
static void test_pieces(void)
{
    struct str text = STR("GET / HTTP/1.1\r\n" H "a: b\r\n\r\nGET /next");
    const size_t want = text.n - strlen("GET /next");
    for (size_t cut = 0; cut <= text.n; cut++) {
        size_t seen = 0, end = 0;
        struct err e = {0};
        CHECK_ROW(http_head_end(str_slice(text, 0, cut), &seen, &end, &e), "%zu", cut);
        CHECK_ROW(end == (cut >= want ? want : 0), "%zu: %zu", cut, end);
        if (end == 0)
            CHECK_ROW(http_head_end(text, &seen, &end, &e) && end == want, "%zu: %zu", cut, end);
    }
    size_t seen = 0, end = 0;
    struct err e = {0};
    CHECK(!http_head_end(STR("GET / HTTP/1.1\n"), &seen, &end, &e) && err_http(e.code) == 400);
    seen = 0;
    CHECK(!http_head_end(STR("GET / HTTP/1.1\r\n" H "\n"), &seen, &end, &e));
}

static int status_of(struct buf *b)
{
    size_t seen = 0, end = 0;
    struct http_head head;
    struct arena *a = arena_new(4 << 20);
    struct err e = {0};
    bool ok = http_head_end(buf_view(b), &seen, &end, &e) &&
              (end == 0 || http_head_read(buf_view(b), a, &head, &e));
    arena_free(a);
    return ok ? 200 : err_http(e.code);
}

static void put_many(struct buf *b, size_t n, char c)
{
    while (n--)
        buf_byte(b, c);
}

static void test_limits(void)
{
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, "GET /");
    put_many(&b, LIMIT_HTTP_HEADER_BYTES, 'a');
    CHECK(status_of(&b) == 414); /* before its end has come */
    buf_clear(&b);
    buf_lit(&b, "GET / HTTP/1.1\r\n" H "a: ");
    put_many(&b, LIMIT_HTTP_HEADER_BYTES, 'a');
    CHECK(status_of(&b) == 431);
    for (int n = LIMIT_HTTP_FIELDS - 1; n < LIMIT_HTTP_FIELDS + 1; n++) {
        buf_clear(&b);
        buf_lit(&b, "GET / HTTP/1.1\r\n" H);
        for (int i = 0; i < n; i++)
            buf_lit(&b, "a: b\r\n");
        buf_lit(&b, "\r\n");
        CHECK_ROW(status_of(&b) == (n < LIMIT_HTTP_FIELDS ? 200 : 431), "%d: %d", n, status_of(&b));
    }
    buf_done(&b);
}

int main(void)
{
    test_rows();
    test_nul();
    test_pieces();
    test_limits();
    TEST_END();
}
