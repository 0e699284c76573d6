/*
 * The index of a log that somebody spoilt: the input is a segment; around it the file is made good,
 * and where there is room the sums of the segment and of the bucket that is asked for are too.
 * Opening and asking end, inside the file.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/index_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { SIZE = 1 << 20 };

static uint32_t u32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

static void put_u32(char *p, uint32_t v)
{
    for (size_t i = 0; i < 4; i++)
        p[i] = (char)(v >> 8 * i);
}

/* Makes the sums fit what is there. */
static void make_good(char *s, size_t n, uint64_t key)
{
    if (n < INDEX_SEGMENT_BYTES)
        return;
    size_t blocks = u32(s) % (LIMIT_SENSOR_INDEX_BLOCKS + 1), bits = u32(s + 4) % 7;
    size_t ends = INDEX_SEGMENT_BYTES + blocks * INDEX_ROW_BYTES;
    size_t buckets = ends + ((size_t)4 << bits), bucket = bits ? (size_t)(key >> (64 - bits)) : 0;
    if (buckets > n)
        return;
    put_u32(s, (uint32_t)blocks);
    put_u32(s + 4, (uint32_t)bits);
    put_u32(s + 8, (uint32_t)(n - buckets));
    struct str rows[] = {{s, 12}, {s + INDEX_SEGMENT_BYTES, ends - INDEX_SEGMENT_BYTES}};
    put_u32(s + 12, (uint32_t)sensor_index_sum(rows, 2));
    size_t from = bucket ? u32(s + ends + 4 * (bucket - 1)) : 0, to = u32(s + ends + 4 * bucket);
    if (from > to || to > n - buckets || to - from < 4)
        return;
    char number[4];
    put_u32(number, (uint32_t)bucket);
    struct str parts[] = {{number, 4}, {s + buckets + from + 4, to - from - 4}};
    put_u32(s + buckets + from, (uint32_t)sensor_index_sum(parts, 2));
}

static void put_file(struct buf *b, const uint8_t *data, size_t n, bool good, uint64_t key)
{
    const struct str path = STR("/log");
    struct index_footer f = {.path_n = (uint32_t)path.n, .segments = 1, .size = SIZE};
    buf_lit(b, INDEX_MAGIC);
    sensor_index_put_u32(b, INDEX_VERSION);
    sensor_index_put_u32(b, 0);
    buf_put(b, data, n);
    if (good)
        make_good(b->p + INDEX_HEAD_BYTES, n, key);
    f.directory_at = b->n;
    buf_str(b, path);
    sensor_index_put_u64(b, INDEX_HEAD_BYTES);
    sensor_index_put_u64(b, n);
    sensor_index_put_footer(b, &f);
    struct str summed = str_from(buf_view(b), (size_t)f.directory_at);
    sensor_index_put_u64(b, sensor_index_sum(&summed, 1));
}

static void ask(const char *path, uint64_t key)
{
    unsigned char blocks[LIMIT_SENSOR_INDEX_BLOCKS / 8] = {0};
    struct index_segment s;
    struct index ix;
    struct err e;
    if (!sensor_index_open(path, &ix, &e))
        return;
    for (size_t i = 0; i < ix.footer.segments; i++)
        if (sensor_index_segment(&ix, i, &s, &e)) {
            (void)!sensor_index_ask(&s, key, blocks, &e);
            (void)!sensor_index_ask(&s, ~key, blocks, &e);
        }
    sensor_index_close(&ix);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int fd = -1;
    char path[40];
    uint64_t key = 0;
    struct buf b;
    struct err e;
    if (n < 9 || n > 65536)
        return 0;
    if (fd < 0)
        must(crypt_init(&e) && (fd = memfd_create("index", 0)) >= 0);
    memcpy(&key, data + 1, sizeof key);
    buf_init(&b, 0);
    put_file(&b, data + 9, n - 9, data[0] & 1, key);
    must(ftruncate(fd, 0) == 0 && pwrite(fd, b.p, b.n, 0) == (ssize_t)b.n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ask(path, key);
    buf_done(&b);
    return 0;
}
