/* Chunked bodies (RFC 9112 §7.1), in one piece and byte by byte. */
#include "test.h"

#include "http/http_priv.h"

static const struct {
    const char *body, *want; /* NULL: it is refused */
    const char *rest;
} rows[] = {
    {"0\r\n\r\n", "", ""},
    {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
    {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET", "hello world", "GET"},
    {"00a\r\n0123456789\r\n000\r\n\r\n", "0123456789", ""},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
    {"\r\n", NULL, NULL},
    {"g\r\n", NULL, NULL},
    {"-1\r\n", NULL, NULL},
    {"0x1\r\na\r\n", NULL, NULL},
    {" 1\r\na\r\n", NULL, NULL},
    {"1 \r\na\r\n", NULL, NULL},
    {"1\na\r\n", NULL, NULL},
    {"1\r\nab\r\n", NULL, NULL},
    {"1\r\na\n0\r\n\r\n", NULL, NULL},
    {"1;a=b\r\na\r\n0\r\n\r\n", NULL, NULL},
    {"0\r\nTrailer: x\r\n\r\n", NULL, NULL},
    {"0\r\n\n", NULL, NULL},
    {"1000000000000000\r\n", NULL, NULL}, /* 16 digits */
    {"fffffffffffffffff\r\n", NULL, NULL},
};

/* Feeds `step` bytes at a time; false where it is refused. */
static bool feed(struct str body, size_t step, struct buf *out, struct str *rest)
{
    struct http_chunks k = {0};
    struct err e = {0};
    while (body.n && k.state != HTTP_CHUNK_END) {
        struct str piece = str_slice(body, 0, step), data;
        body = str_from(body, piece.n);
        while (piece.n && k.state != HTTP_CHUNK_END) {
            if (!http_chunks_take(&k, &piece, &data, &e))
                return false;
            buf_put(out, data.p, data.n);
        }
        *rest = (struct str){piece.p, piece.n + body.n};
    }
    return k.state == HTTP_CHUNK_END;
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str body = str_of(rows[i].body);
        for (size_t step = 1; step <= body.n; step++) {
            struct buf b;
            struct str rest = STR("");
            buf_init(&b, 0);
            bool ok = feed(body, step, &b, &rest);
            CHECK_ROW(ok == (rows[i].want != NULL), "row %zu by %zu", i, step);
            if (ok)
                CHECK_ROW(str_eq(buf_view(&b), str_of(rows[i].want)) &&
                              str_eq(rest, str_of(rows[i].rest)),
                          "row %zu by %zu: %.*s", i, step, STR_FMT(buf_view(&b)));
            buf_done(&b);
        }
    }
    TEST_END();
}
