/*
 * Logs that are packed: gzip (RFC 1952), Zstandard (RFC 8878) and xz, each as the tools write it,
 * with any number of members one behind the other. Memory is bounded whatever the file asks for.
 */
#include <errno.h>
#include <lzma.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "sensor/sensor_priv.h"

struct sensor_unpack {
    const char *name; /* of the format */
    bool (*step)(struct sensor_unpack *u, char *to, size_t room, size_t *got);
    z_stream gzip;
    ZSTD_DStream *zstd;
    lzma_stream xz;
    unsigned char in[LIMIT_SENSOR_READ_BYTES];
    size_t at, n;   /* what of `in` is not unpacked yet */
    bool end;       /* nothing more is to be read */
    bool between;   /* no member is begun */
    uint64_t taken; /* packed bytes that were unpacked */
};

/* ---- formats: each unpacks some of u->in; false: it is damaged ---- */

static bool step_gzip(struct sensor_unpack *u, char *to, size_t room, size_t *got)
{
    z_stream *z = &u->gzip;
    /* Zeros that fill up the last block of a tape, as gzip passes over them. The first member
     * begins at once: by that it was known. */
    while (u->between && u->at < u->n && u->in[u->at] == 0)
        u->at++;
    if (u->between && u->n > u->at && inflateReset(z) != Z_OK)
        return false;
    z->next_in = u->in + u->at;
    z->avail_in = (uInt)(u->n - u->at);
    z->next_out = (unsigned char *)to;
    z->avail_out = (uInt)room;
    u->between = u->between && u->n == u->at;
    int rc = u->between ? Z_BUF_ERROR : inflate(z, Z_NO_FLUSH);
    *got = room - z->avail_out;
    u->at = u->n - z->avail_in;
    u->between = u->between || rc == Z_STREAM_END;
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
}

static bool step_zstd(struct sensor_unpack *u, char *to, size_t room, size_t *got)
{
    ZSTD_inBuffer in = {u->in, u->n, u->at};
    ZSTD_outBuffer out = {to, room, 0};
    size_t rc = ZSTD_decompressStream(u->zstd, &out, &in);
    if (in.pos > u->at || out.pos)
        u->between = rc == 0;
    *got = out.pos;
    u->at = in.pos;
    return !ZSTD_isError(rc);
}

static bool step_xz(struct sensor_unpack *u, char *to, size_t room, size_t *got)
{
    lzma_stream *x = &u->xz;
    x->next_in = u->in + u->at;
    x->avail_in = u->n - u->at;
    x->next_out = (unsigned char *)to;
    x->avail_out = room;
    lzma_ret rc = lzma_code(x, u->end ? LZMA_FINISH : LZMA_RUN);
    *got = room - x->avail_out;
    u->at = u->n - x->avail_in;
    u->between = rc == LZMA_STREAM_END;
    return rc == LZMA_OK || rc == LZMA_STREAM_END || rc == LZMA_BUF_ERROR;
}

/* ---- opening ---- */

static bool open_gzip(struct sensor_unpack *u)
{
    return inflateInit2(&u->gzip, 15 + 16) == Z_OK; /* 16: gzip's head and tail */
}

static bool open_zstd(struct sensor_unpack *u)
{
    u->zstd = ZSTD_createDStream();
    return u->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax,
                                                           LIMIT_SENSOR_WINDOW_BITS));
}

static bool open_xz(struct sensor_unpack *u)
{
    u->xz = (lzma_stream)LZMA_STREAM_INIT;
    return lzma_stream_decoder(&u->xz, (uint64_t)2 << LIMIT_SENSOR_WINDOW_BITS,
                               LZMA_CONCATENATED) == LZMA_OK;
}

static const struct {
    const char *name, *magic;
    size_t n;
    bool (*open)(struct sensor_unpack *u);
    bool (*step)(struct sensor_unpack *u, char *to, size_t room, size_t *got);
} formats[] = {
    {"gzip", "\x1f\x8b\x08", 3, open_gzip, step_gzip},
    {"zstd", "\x28\xb5\x2f\xfd", 4, open_zstd, step_zstd},
    {"xz",
     "\xfd"
     "7zXZ\0",
     6, open_xz, step_xz},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static size_t format_of(struct str head)
{
    size_t i = 0;
    while (i < FORMATS && !str_starts(head, (struct str){formats[i].magic, formats[i].n}))
        i++;
    return i;
}

bool sensor_packed(struct str head)
{
    return format_of(head) < FORMATS;
}

struct sensor_unpack *sensor_unpack_new(struct str head, struct err *e)
{
    size_t i = format_of(head);
    struct sensor_unpack *u = base_alloc(sizeof *u);
    must(i < FORMATS && head.n <= sizeof u->in);
    if (u) {
        u->name = formats[i].name;
        u->step = formats[i].step;
        u->between = true;
        memcpy(u->in, head.p, head.n);
        u->n = head.n;
    }
    if (u && formats[i].open(u))
        return u;
    sensor_unpack_free(u);
    (void)err_set(e, ERR_MEMORY, "no memory to unpack");
    return NULL;
}

void sensor_unpack_free(struct sensor_unpack *u)
{
    if (!u)
        return;
    if (u->step == step_gzip)
        inflateEnd(&u->gzip);
    if (u->step == step_xz)
        lzma_end(&u->xz);
    ZSTD_freeDStream(u->zstd);
    base_free(u);
}

/* ---- reading ---- */

static bool damaged(const struct sensor_unpack *u, const char *how, struct err *e)
{
    return err_set(e, ERR_INVALID,
                   "the %s data %s after %llu packed bytes; what stands before is read", u->name,
                   how, (unsigned long long)u->taken);
}

/* More of the file into u->in; *got is -1 when there is nothing to read for now. */
static bool refill(struct sensor_unpack *u, int fd, ssize_t *got, const char *name, struct err *e)
{
    *got = sensor_read_soon(fd, (char *)u->in, sizeof u->in);
    if (*got < 0)
        return errno == EINTR || err_errno(e, "cannot read", name);
    u->at = 0;
    u->n = (size_t)*got;
    u->end = *got == 0;
    return true;
}

bool sensor_unpack_read(struct sensor_unpack *u, const struct sensor_unpacking *r, ssize_t *got,
                        struct err *e)
{
    size_t n = 0;
    ssize_t more = 1;
    *got = 0;
    while (n == 0) {
        size_t before = u->at;
        if (!u->step(u, r->to, r->room, &n))
            return damaged(u, "is damaged", e);
        u->taken += u->at - before;
        if (n || u->at > before)
            continue;
        if (u->end) /* all is unpacked */
            return u->between || damaged(u, "ends too early", e);
        if (u->n > u->at)
            return damaged(u, "is damaged", e);
        if (!refill(u, r->fd, &more, r->name, e))
            return false;
        if (more < 0) {
            *got = -1;
            return true;
        }
    }
    *got = (ssize_t)n;
    return true;
}

/* Copies what of text[0, got) at `at` belongs to [offset, offset + n). */
static void take_part(char *to, uint64_t offset, size_t n, struct str text, uint64_t at)
{
    size_t i = at < offset ? (size_t)(offset - at < text.n ? offset - at : text.n) : 0;
    for (; i < text.n && at + i - offset < n; i++)
        to[at + i - offset] = text.p[i];
}

bool sensor_unpack_at(int fd, uint64_t offset, char *to, size_t n)
{
    struct err ignored;
    off_t was = lseek(fd, 0, SEEK_CUR);
    char head[SENSOR_PACKED_HEAD], *text = base_alloc(LIMIT_SENSOR_READ_BYTES);
    ssize_t got = was >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? read(fd, head, sizeof head) : 0;
    struct sensor_unpack *u =
        text && got > 0 ? sensor_unpack_new((struct str){head, (size_t)got}, &ignored) : NULL;
    const struct sensor_unpacking r = {fd, "", text, LIMIT_SENSOR_READ_BYTES};
    uint64_t at = 0;
    while (u && at < offset + n && sensor_unpack_read(u, &r, &got, &ignored) && got != 0) {
        if (got < 0)
            continue;
        take_part(to, offset, n, (struct str){text, (size_t)got}, at);
        at += (uint64_t)got;
    }
    sensor_unpack_free(u);
    base_free(text);
    return lseek(fd, was, SEEK_SET) == was && at >= offset + n;
}
