/*
 * The index of one log. A file of numbers in little-endian order:
 *
 *     "SETUIDX\n"  version, 4 bytes  0, 4 bytes
 *     segments     one behind the other
 *     path         of the log
 *     directory    place and length of each segment, 8 bytes each
 *     footer       INDEX_FOOTER_BYTES, see index_footer
 *
 * A log is cut into blocks of whole lines (a line longer than 1 MiB: into blocks that overlap), and
 * up to 256 blocks are a segment:
 *
 *     blocks, 4    bits, 4    bytes of the buckets, 4    sum, 4
 *     rows         INDEX_ROW_BYTES for each block, see index_row
 *     ends         where each of 2^bits buckets ends, 4 bytes each
 *     buckets
 *
 * Keys are those of match_record under the footer's seed. The first `bits` bits of a key name its
 * bucket, the next 24 are the entry; others are not kept. A bucket is a sum of 4 bytes and entries
 * in rising order:
 *
 *     24 bits, 3    count, 1    the numbers of `count` blocks, 1 each
 *     24 bits, 3    0           a bit for each block of the segment
 *
 * So a value costs one bucket for 64 MiB of log. Sums are the first bytes of SHA-256: of a bucket
 * with its number, 4 bytes, before it; of the segment's first 12 bytes and rows; of path, directory
 * and footer. They find damage, not forgery: whatever is read is checked against its bounds too.
 */
#ifndef SENSOR_INDEX_PRIV_H
#define SENSOR_INDEX_PRIV_H

#include <sys/stat.h>

#include "crypt/crypt.h"
#include "sensor/sensor_priv.h"

#define INDEX_MAGIC         "SETUIDX\n"
#define INDEX_VERSION       1u
#define INDEX_HEAD_BYTES    16
#define INDEX_SEGMENT_BYTES 16 /* before its rows */
#define INDEX_ROW_BYTES     48
#define INDEX_FOOTER_BYTES  64
#define INDEX_ENTRY_BITS    24
#define INDEX_MOST_BITS     20
#define INDEX_DIGEST_BYTES  16

/* A block: hits that start in [from, until) are its own. */
struct index_row {
    uint64_t at;                              /* of its text in the log */
    uint32_t n, from, until;                  /* bytes of the text; places in it */
    uint32_t any;                             /* 1: it has no keys, anything may stand in it */
    uint64_t line;                            /* number of the line in which `from` stands */
    unsigned char digest[INDEX_DIGEST_BYTES]; /* of the text */
};

/* How the log looked: size, and time of its last change in nanoseconds. */
struct index_footer {
    uint64_t directory_at; /* where the path begins */
    uint32_t path_n, segments;
    uint64_t seed, size, mtime_ns, inode;
    uint64_t made_us; /* when the index was made */
    uint64_t sum;     /* of all before, from directory_at on */
};

/* The first 8 bytes of the digest of some parts. */
uint64_t sensor_index_sum(const struct str *parts, size_t count);
void sensor_index_put_u32(struct buf *b, uint32_t v);
void sensor_index_put_u64(struct buf *b, uint64_t v);
void sensor_index_put_row(struct buf *b, const struct index_row *r);
void sensor_index_put_footer(struct buf *b, const struct index_footer *f); /* without its sum */

/* Sorts keys by their upper 44 bits, equal ones in the order they had, and returns where they are
 * then: `keys` or `spare`, which is as long. */
uint64_t *sensor_index_sort(uint64_t *keys, uint64_t *spare, size_t n);
/* Writes ends and buckets of keys sorted by sensor_index_sort, whose last 8 bits are a block's
 * number. */
unsigned sensor_index_bits(size_t keys);
void sensor_index_put_buckets(struct buf *ends, struct buf *buckets, const uint64_t *keys, size_t n,
                              unsigned bits, size_t blocks);

/* An index that is open. */
struct index {
    struct str file; /* mapped */
    struct index_footer footer;
    struct str path; /* of the log */
};
bool sensor_index_open(const char *path, struct index *out, struct err *e) BASE_CHECKED;
void sensor_index_close(struct index *ix); /* once more is allowed */

/* One segment of it. */
struct index_segment {
    size_t blocks;
    unsigned bits;
    struct str rows, ends, buckets;
};
bool sensor_index_segment(const struct index *ix, size_t i, struct index_segment *out,
                          struct err *e) BASE_CHECKED;
/* Sets the bit of each block that may hold the key. */
bool sensor_index_ask(const struct index_segment *s, uint64_t key,
                      unsigned char blocks[LIMIT_SENSOR_INDEX_BLOCKS / 8],
                      struct err *e) BASE_CHECKED;
struct index_row sensor_index_row(const struct index_segment *s, size_t i);

/* Time of the last change in nanoseconds. */
uint64_t sensor_index_mtime(const struct stat *st);
/* Where in `dir` the index of a log lies, whose real path and inode these are. The name is made of
 * its folder and inode, which stay when it is rotated by renaming. */
void sensor_index_path(struct buf *out, const char *dir, struct str log, uint64_t inode);

#endif
