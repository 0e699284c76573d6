/* The file of an index: its numbers, its buckets, and asking it. The layout is in index_priv.h. */
#include <endian.h>
#include <string.h>

#include "sensor/index_priv.h"

/* ---- numbers ----------------------------------------------------------------------------- */

void sensor_index_put_u32(struct buf *b, uint32_t v)
{
    v = htole32(v);
    buf_put(b, &v, sizeof v);
}

void sensor_index_put_u64(struct buf *b, uint64_t v)
{
    v = htole64(v);
    buf_put(b, &v, sizeof v);
}

static uint32_t u32_at(struct str s, size_t at)
{
    uint32_t v;
    must(at + sizeof v <= s.n);
    memcpy(&v, s.p + at, sizeof v);
    return le32toh(v);
}

static uint64_t u64_at(struct str s, size_t at)
{
    uint64_t v;
    must(at + sizeof v <= s.n);
    memcpy(&v, s.p + at, sizeof v);
    return le64toh(v);
}

uint64_t sensor_index_sum(const struct str *parts, size_t count)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    crypt_sha256_parts(parts, count, digest);
    return u64_at((struct str){(const char *)digest, sizeof digest}, 0);
}

void sensor_index_put_row(struct buf *b, const struct index_row *r)
{
    sensor_index_put_u64(b, r->at);
    sensor_index_put_u32(b, r->n);
    sensor_index_put_u32(b, r->from);
    sensor_index_put_u32(b, r->until);
    sensor_index_put_u32(b, r->any);
    sensor_index_put_u64(b, r->line);
    buf_put(b, r->digest, sizeof r->digest);
}

struct index_row sensor_index_row(const struct index_segment *s, size_t i)
{
    must(i < s->blocks);
    struct str row = str_slice(s->rows, i * INDEX_ROW_BYTES, (i + 1) * INDEX_ROW_BYTES);
    struct index_row r = {.at = u64_at(row, 0),
                          .n = u32_at(row, 8),
                          .from = u32_at(row, 12),
                          .until = u32_at(row, 16),
                          .any = u32_at(row, 20),
                          .line = u64_at(row, 24)};
    memcpy(r.digest, row.p + 32, sizeof r.digest);
    return r;
}

void sensor_index_put_footer(struct buf *b, const struct index_footer *f)
{
    sensor_index_put_u64(b, f->directory_at);
    sensor_index_put_u32(b, f->path_n);
    sensor_index_put_u32(b, f->segments);
    sensor_index_put_u64(b, f->seed);
    sensor_index_put_u64(b, f->size);
    sensor_index_put_u64(b, f->mtime_ns);
    sensor_index_put_u64(b, f->inode);
    sensor_index_put_u64(b, f->made_us);
}

static struct index_footer footer_at(struct str s)
{
    return (struct index_footer){.directory_at = u64_at(s, 0),
                                 .path_n = u32_at(s, 8),
                                 .segments = u32_at(s, 12),
                                 .seed = u64_at(s, 16),
                                 .size = u64_at(s, 24),
                                 .mtime_ns = u64_at(s, 32),
                                 .inode = u64_at(s, 40),
                                 .made_us = u64_at(s, 48),
                                 .sum = u64_at(s, 56)};
}

/* ---- keys -------------------------------------------------------------------------------- */

#define DIGIT_BITS  11
#define SORTED_BITS (INDEX_MOST_BITS + INDEX_ENTRY_BITS)
_Static_assert(SORTED_BITS % DIGIT_BITS == 0, "sorted digit by digit");

uint64_t *sensor_index_sort(uint64_t *keys, uint64_t *spare, size_t n)
{
    for (unsigned shift = 64 - SORTED_BITS; shift < 64; shift += DIGIT_BITS) {
        uint32_t start[1 << DIGIT_BITS] = {0}, sum = 0;
        const uint64_t mask = (1u << DIGIT_BITS) - 1;
        for (size_t i = 0; i < n; i++)
            start[keys[i] >> shift & mask]++;
        for (size_t d = 0; d <= mask; d++) {
            uint32_t count = start[d];
            start[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            spare[start[keys[i] >> shift & mask]++] = keys[i];
        uint64_t *sorted = spare;
        spare = keys;
        keys = sorted;
    }
    return keys;
}

/* Some 32 entries to a bucket. */
unsigned sensor_index_bits(size_t keys)
{
    unsigned bits = 0;
    while (bits < INDEX_MOST_BITS && keys >> bits > 32)
        bits++;
    return bits;
}

static uint32_t bucket_of(uint64_t key, unsigned bits)
{
    return bits > 0 ? (uint32_t)(key >> (64 - bits)) : 0;
}

static uint32_t entry_of(uint64_t key, unsigned bits)
{
    return (uint32_t)(key << bits >> (64 - INDEX_ENTRY_BITS));
}

static uint32_t bucket_sum(uint32_t number, struct str entries)
{
    char n[4];
    for (size_t i = 0; i < sizeof n; i++)
        n[i] = (char)(number >> 8 * i);
    return (uint32_t)sensor_index_sum((const struct str[]){{n, sizeof n}, entries}, 2);
}

static void put_entry(struct buf *b, uint32_t entry, const unsigned char *set, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += (size_t)__builtin_popcount(set[i]);
    for (size_t i = 0; i < 3; i++)
        buf_byte(b, (char)(entry >> 8 * i));
    if (count >= bytes) {
        buf_byte(b, 0);
        buf_put(b, set, bytes);
        return;
    }
    buf_byte(b, (char)count);
    for (size_t i = 0; i < 8 * bytes; i++)
        if (set[i / 8] >> i % 8 & 1)
            buf_byte(b, (char)i);
}

void sensor_index_put_buckets(struct buf *ends, struct buf *buckets, const uint64_t *keys, size_t n,
                              unsigned bits, size_t blocks)
{
    struct buf entries;
    size_t i = 0;
    buf_init(&entries, 0);
    for (uint32_t bucket = 0; bucket < 1u << bits; bucket++) {
        buf_clear(&entries);
        while (i < n && bucket_of(keys[i], bits) == bucket) {
            unsigned char set[LIMIT_SENSOR_INDEX_BLOCKS / 8] = {0};
            uint32_t entry = entry_of(keys[i], bits);
            for (; i < n && bucket_of(keys[i], bits) == bucket && entry_of(keys[i], bits) == entry;
                 i++)
                set[(keys[i] & 0xff) / 8] |= (unsigned char)(1u << keys[i] % 8);
            put_entry(&entries, entry, set, (blocks + 7) / 8);
        }
        sensor_index_put_u32(buckets, bucket_sum(bucket, buf_view(&entries)));
        buf_str(buckets, buf_view(&entries));
        sensor_index_put_u32(ends, (uint32_t)buckets->n);
    }
    if (entries.failed)
        buckets->failed = entries.failed;
    buf_done(&entries);
}

/* ---- opening ----------------------------------------------------------------------------- */

static bool damaged(struct err *e)
{
    return err_set(e, ERR_INVALID, "the index is damaged");
}

static bool read_footer(struct index *ix, struct err *e)
{
    struct str file = ix->file;
    if (file.n < INDEX_HEAD_BYTES + INDEX_FOOTER_BYTES || !str_starts(file, STR(INDEX_MAGIC)))
        return err_set(e, ERR_INVALID, "it is no index of a log");
    if (u32_at(file, 8) != INDEX_VERSION)
        return err_set(e, ERR_INVALID, "it is an index of version %u, and this program knows %u",
                       u32_at(file, 8), INDEX_VERSION);
    size_t at = file.n - INDEX_FOOTER_BYTES;
    struct index_footer f = footer_at(str_from(file, at));
    if (f.directory_at < INDEX_HEAD_BYTES || f.directory_at > at ||
        f.path_n > at - f.directory_at || f.path_n > LIMIT_PATH_BYTES ||
        (uint64_t)f.segments * 16 != at - f.directory_at - f.path_n)
        return damaged(e);
    struct str summed = str_slice(file, (size_t)f.directory_at, file.n - sizeof f.sum);
    if (sensor_index_sum(&summed, 1) != f.sum)
        return damaged(e);
    ix->footer = f;
    ix->path = str_slice(file, (size_t)f.directory_at, (size_t)f.directory_at + f.path_n);
    return ix->path.n > 0 || damaged(e);
}

bool sensor_index_open(const char *path, struct index *out, struct err *e)
{
    struct index ix = {0};
    if (!file_map(path, &ix.file, e))
        return false;
    if (!read_footer(&ix, e)) {
        file_unmap(ix.file);
        return err_prefix(e, "%s", path);
    }
    *out = ix;
    return true;
}

void sensor_index_close(struct index *ix)
{
    file_unmap(ix->file);
    *ix = (struct index){0};
}

bool sensor_index_segment(const struct index *ix, size_t i, struct index_segment *out,
                          struct err *e)
{
    must(i < ix->footer.segments);
    struct str entry = str_from(ix->file, (size_t)ix->footer.directory_at + ix->path.n + 16 * i);
    uint64_t at = u64_at(entry, 0), n = u64_at(entry, 8);
    if (at > ix->footer.directory_at || n > ix->footer.directory_at - at || n < INDEX_SEGMENT_BYTES)
        return damaged(e);
    struct str all = str_slice(ix->file, (size_t)at, (size_t)(at + n));
    struct index_segment s = {.blocks = u32_at(all, 0), .bits = u32_at(all, 4)};
    if (s.blocks == 0 || s.blocks > LIMIT_SENSOR_INDEX_BLOCKS || s.bits > INDEX_MOST_BITS)
        return damaged(e);
    size_t ends = INDEX_SEGMENT_BYTES + s.blocks * INDEX_ROW_BYTES;
    size_t buckets = ends + ((size_t)4 << s.bits);
    if (buckets > n || n - buckets != u32_at(all, 8))
        return damaged(e);
    s.rows = str_slice(all, INDEX_SEGMENT_BYTES, ends);
    s.ends = str_slice(all, ends, buckets);
    s.buckets = str_from(all, buckets);
    struct str summed[] = {{all.p, 12}, s.rows};
    if ((uint32_t)sensor_index_sum(summed, 2) != u32_at(all, 12))
        return damaged(e);
    for (size_t k = 0; k < s.blocks; k++) {
        struct index_row r = sensor_index_row(&s, k);
        if (r.from > r.until || r.until > r.n || r.n > LIMIT_SENSOR_BLOCK_BYTES || r.line == 0 ||
            r.at > ix->footer.size || r.n > ix->footer.size - r.at)
            return damaged(e);
    }
    *out = s;
    return true;
}

/* ---- asking ------------------------------------------------------------------------------ */

/* Takes the bits of one entry over into `blocks`; false when it runs over the bucket's end. */
static bool take_entry(struct str entries, size_t *at, size_t bytes, unsigned char *blocks)
{
    size_t count = (unsigned char)entries.p[*at + 3];
    size_t n = count == 0 ? bytes : count;
    if (entries.n - *at - 4 < n)
        return false;
    const unsigned char *p = (const unsigned char *)entries.p + *at + 4;
    for (size_t i = 0; i < n && blocks != NULL; i++) {
        if (count == 0)
            blocks[i] |= p[i];
        else
            blocks[p[i] / 8] |= (unsigned char)(1u << p[i] % 8);
    }
    *at += 4 + n;
    return true;
}

bool sensor_index_ask(const struct index_segment *s, uint64_t key,
                      unsigned char blocks[LIMIT_SENSOR_INDEX_BLOCKS / 8], struct err *e)
{
    uint32_t bucket = bucket_of(key, s->bits), entry = entry_of(key, s->bits);
    size_t begin = bucket > 0 ? u32_at(s->ends, (bucket - 1) * (size_t)4) : 0;
    size_t end = u32_at(s->ends, bucket * (size_t)4), at = 0;
    if (begin > end || end > s->buckets.n || end - begin < 4)
        return damaged(e);
    struct str entries = str_slice(s->buckets, begin + 4, end);
    if (bucket_sum(bucket, entries) != u32_at(s->buckets, begin))
        return damaged(e);
    while (entries.n - at >= 4) {
        const unsigned char *p = (const unsigned char *)entries.p + at;
        uint32_t its = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
        if (!take_entry(entries, &at, (s->blocks + 7) / 8, its == entry ? blocks : NULL))
            return damaged(e);
        if (its >= entry)
            return true;
    }
    return at == entries.n || damaged(e);
}

uint64_t sensor_index_mtime(const struct stat *st)
{
    return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

void sensor_index_path(struct buf *out, const char *dir, struct str log, uint64_t inode)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    char number[sizeof inode];
    while (log.n > 0 && log.p[log.n - 1] != '/')
        log.n--;
    for (size_t i = 0; i < sizeof number; i++)
        number[i] = (char)(inode >> 8 * i);
    crypt_sha256_parts((const struct str[]){log, {number, sizeof number}}, 2, digest);
    buf_lit(out, dir);
    buf_byte(out, '/');
    buf_hex(out, digest, 16);
    buf_str(out, STR(".idx"));
    buf_byte(out, 0);
}
