/* Accept-Encoding (RFC 9110 §12.5.3), and what is coded read back by the libraries. */
#include <zlib.h>
#include <zstd.h>

#include "test.h"

#include "http/http.h"

static const struct {
    const char *header; /* NULL: absent */
    enum http_coding want;
} wishes[] = {
    {NULL, HTTP_IDENTITY},
    {"", HTTP_IDENTITY},
    {" , ,", HTTP_IDENTITY},
    {"gzip", HTTP_GZIP},
    {"GZip", HTTP_GZIP},
    {"x-gzip", HTTP_GZIP},
    {"zstd", HTTP_ZSTD},
    {"gzip, zstd", HTTP_ZSTD},
    {"zstd,gzip", HTTP_ZSTD},
    {"gzip, deflate, br, zstd", HTTP_ZSTD},
    {"gzip, deflate", HTTP_GZIP},
    {"br, deflate", HTTP_IDENTITY},
    {"gzipped", HTTP_IDENTITY},
    {"identity", HTTP_IDENTITY},
    {"*", HTTP_IDENTITY},
    {"gzip, *", HTTP_GZIP},
    {"gzip;q=1, zstd;q=0.5", HTTP_GZIP},
    {"gzip;q=0.5, zstd;q=0.501", HTTP_ZSTD},
    {"gzip;q=0.001", HTTP_GZIP},
    {"gzip ; Q=1.000 , zstd ; q=0", HTTP_GZIP},
    {"gzip;q=0", HTTP_IDENTITY},
    {"gzip;q=0.", HTTP_IDENTITY},
    {"gzip;q=0.000, zstd;q=0", HTTP_IDENTITY},
    {"gzip;q=0.5, identity", HTTP_IDENTITY},
    {"gzip;q=0.5, identity;q=0.5", HTTP_GZIP},
    {"gzip;q=0.2, identity;q=0.1", HTTP_GZIP},
    {"gzip;q=0, *", HTTP_IDENTITY},
    {"identity;q=0", HTTP_IDENTITY}, /* nothing fits: it is answered all the same */
    {"identity;q=0, *", HTTP_GZIP},
    {"identity;q=0, *;q=0.1", HTTP_GZIP},
    {"*;q=0", HTTP_IDENTITY},
    {"*;q=0, gzip", HTTP_GZIP},
    {"identity;q=0, gzip;q=0, *", HTTP_IDENTITY},
    /* no weights */
    {"gzip;q=", HTTP_IDENTITY},
    {"gzip;q=2", HTTP_IDENTITY},
    {"gzip;q=1.001", HTTP_IDENTITY},
    {"gzip;q=0.1234", HTTP_IDENTITY},
    {"gzip;q=1a", HTTP_IDENTITY},
    {"gzip;q=x", HTTP_IDENTITY},
    {"gzip;q=-1", HTTP_IDENTITY},
    {"gzip;q", HTTP_IDENTITY},
    {"gzip;level=9", HTTP_GZIP},
};

static bool gunzip(struct str in, char *out, size_t room, size_t *n)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in.p,
                  .avail_in = (uInt)in.n,
                  .next_out = (Bytef *)out,
                  .avail_out = (uInt)room};
    bool ok = inflateInit2(&z, 15 + 16) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END &&
              z.avail_in == 0;
    *n = z.total_out;
    inflateEnd(&z);
    return ok;
}

static bool unzstd(struct str in, char *out, size_t room, size_t *n)
{
    *n = ZSTD_decompress(out, room, in.p, in.n);
    return !ZSTD_isError(*n);
}

static void test_coded(void)
{
    static char text[300000], back[300001];
    static const size_t sizes[] = {0, 1, 1000, sizeof text};
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i * i % 23);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned c = HTTP_GZIP; c <= HTTP_ZSTD; c++) {
            struct str plain = {text, sizes[i]};
            struct buf b;
            size_t n = 0;
            buf_init(&b, 0);
            buf_lit(&b, "before");
            CHECK_ROW(http_code((enum http_coding)c, plain, &b), "%zu", plain.n);
            struct str coded = str_from(buf_view(&b), 6);
            CHECK_ROW(c == HTTP_GZIP ? gunzip(coded, back, sizeof back, &n)
                                     : unzstd(coded, back, sizeof back, &n),
                      "%u: %zu", c, plain.n);
            CHECK_ROW(n == plain.n && memcmp(back, text, n) == 0, "%u: %zu", c, n);
            CHECK_ROW(plain.n < 300000 || coded.n < plain.n / 20, "%u: %zu", c, coded.n);
            buf_done(&b);
            buf_init(&b, 10); /* no room */
            CHECK_ROW(!http_code((enum http_coding)c, (struct str){text, 1000}, &b), "%u", c);
            buf_done(&b);
        }
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        struct str header = wishes[i].header ? str_of(wishes[i].header) : STR_NONE;
        enum http_coding got = http_coding_choose(header);
        CHECK_ROW(got == wishes[i].want, "%s: %.*s", wishes[i].header ? wishes[i].header : "absent",
                  STR_FMT(http_coding_name(got)));
    }
    test_coded();
    TEST_END();
}
