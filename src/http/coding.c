/*
 * Content codings of answers. That the size of compressed text tells of its parts (BREACH) needs
 * who can put a guess into the same page as a secret, and measure the page, very often. Here each
 * guess is an object that is accepted, released to the very reader and recorded; it makes a page
 * of its own date, which a poller asks for once; and there is no secret of a session in any body.
 */
#define ZLIB_CONST
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "http/http_priv.h"

#define GZIP_LEVEL  6
#define GZIP_WINDOW (15 + 16) /* 32 KiB, with gzip's own head and tail */
#define GZIP_MEMORY 8
#define ZSTD_LEVEL  3

struct str http_coding_name(enum http_coding coding)
{
    switch (coding) {
    case HTTP_IDENTITY:
        return STR("");
    case HTTP_GZIP:
        return STR("gzip");
    case HTTP_ZSTD:
        return STR("zstd");
    }
    return STR("");
}

/* Thousandths; RFC 9110 §12.4.2. What is no weight counts as 0: it was not asked for. */
static unsigned weight(struct str q)
{
    unsigned value = 0, scale = 1000;
    if (q.n == 0 || q.n > 5 || (q.p[0] != '0' && q.p[0] != '1') || (q.n > 1 && q.p[1] != '.'))
        return 0;
    for (size_t i = 0; i < q.n; i++) {
        if (i == 1)
            continue;
        if (q.p[i] < '0' || q.p[i] > '9')
            return 0;
        value += (unsigned)(q.p[i] - '0') * scale;
        scale /= 10;
    }
    return value <= 1000 ? value : 0;
}

/* Weights by coding, and of `*`; 0 where it is excluded, NONE where it is not named. */
#define NONE 1001u
struct wishes {
    unsigned of[HTTP_ZSTD + 1], any;
};

static void note_wish(struct wishes *w, struct str element)
{
    struct str name = str_trim(str_cut(&element, ';'));
    unsigned q = 1000;
    while (element.p) {
        struct str value = str_trim(str_cut(&element, ';')), key = str_trim(str_cut(&value, '='));
        if (str_eq_nocase(key, STR("q")))
            q = weight(str_trim(value));
    }
    if (str_eq(name, STR("*")))
        w->any = q;
    else if (str_eq_nocase(name, STR("identity")))
        w->of[HTTP_IDENTITY] = q;
    else if (str_eq_nocase(name, STR("gzip")) || str_eq_nocase(name, STR("x-gzip")))
        w->of[HTTP_GZIP] = q;
    else if (str_eq_nocase(name, STR("zstd")))
        w->of[HTTP_ZSTD] = q;
}

/* RFC 9110 §12.5.3. `*` stands for codings that a client may not know by name, so it alone changes
 * nothing unless identity is excluded. */
enum http_coding http_coding_choose(struct str accept_encoding)
{
    struct wishes w = {{NONE, NONE, NONE}, NONE};
    enum http_coding best = HTTP_IDENTITY;
    unsigned most = 0;
    while (accept_encoding.p)
        note_wish(&w, str_cut(&accept_encoding, ','));
    bool plain = w.of[HTTP_IDENTITY] != NONE ? w.of[HTTP_IDENTITY] > 0 : w.any != 0;
    for (unsigned c = HTTP_ZSTD; c >= HTTP_GZIP; c--) {
        if (w.of[c] != NONE && w.of[c] > most) {
            most = w.of[c];
            best = (enum http_coding)c;
        }
    }
    if (best && w.of[HTTP_IDENTITY] != NONE && w.of[HTTP_IDENTITY] > most)
        return HTTP_IDENTITY;
    if (!best && !plain && w.any != NONE && w.any > 0 && w.of[HTTP_GZIP] == NONE)
        return HTTP_GZIP;
    return best;
}

static bool gzip(struct str bytes, struct buf *out)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return false;
    size_t room = deflateBound(&z, bytes.n);
    bool ok = room <= UINT_MAX && bytes.n <= UINT_MAX && buf_reserve(out, room);
    if (ok) {
        z.next_in = (const unsigned char *)bytes.p;
        z.avail_in = (unsigned)bytes.n;
        z.next_out = (unsigned char *)out->p + out->n;
        z.avail_out = (unsigned)room;
        ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
        out->n += ok ? z.total_out : 0;
    }
    deflateEnd(&z);
    return ok;
}

static bool zstd(struct str bytes, struct buf *out)
{
    size_t room = ZSTD_compressBound(bytes.n);
    if (!buf_reserve(out, room))
        return false;
    size_t n = ZSTD_compress(out->p + out->n, room, bytes.p, bytes.n, ZSTD_LEVEL);
    if (ZSTD_isError(n))
        return false;
    out->n += n;
    return true;
}

bool http_code(enum http_coding coding, struct str bytes, struct buf *out)
{
    return coding == HTTP_GZIP ? gzip(bytes, out) : zstd(bytes, out);
}
