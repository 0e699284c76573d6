/* A log in memory: leaves that a number stands for, and its tiles level by level. */
#ifndef TESTS_LEDGER_LOG_H
#define TESTS_LEDGER_LOG_H

#include "crypt/crypt.h"
#include "ledger/ledger.h"
#include "test.h"

enum { LOG_LEVELS = 4 };

struct log {
    struct ledger_hash *level[LOG_LEVELS];
    uint64_t count[LOG_LEVELS];
    size_t room[LOG_LEVELS];
    unsigned reads, writes;
};

static inline bool log_read(void *ctx, const struct ledger_tile *t, struct ledger_hash *out,
                            struct err *e)
{
    struct log *l = ctx;
    uint64_t first = t->index * LEDGER_TILE_WIDTH;
    l->reads++;
    if (t->level >= LOG_LEVELS || first + t->width > l->count[t->level])
        return err_set(e, ERR_NOT_FOUND, "tile %u/%llu", t->level, (unsigned long long)t->index);
    memcpy(out, &l->level[t->level][first], t->width * sizeof *out);
    return true;
}

/* A tile only grows, and only at the end of its level. */
static inline bool log_write(void *ctx, const struct ledger_tile *t, unsigned kept,
                             const struct ledger_hash *hashes, struct err *e)
{
    struct log *l = ctx;
    uint64_t first = t->index * LEDGER_TILE_WIDTH;
    (void)e;
    must(t->level < LOG_LEVELS && t->width > kept && t->width <= LEDGER_TILE_WIDTH);
    must(l->count[t->level] == first + kept);
    void *p = l->level[t->level];
    must(base_grow(&p, &l->room[t->level], first + t->width, sizeof *hashes));
    l->level[t->level] = p;
    must(kept == 0 || memcmp(&l->level[t->level][first], hashes, kept * sizeof *hashes) == 0);
    memcpy(&l->level[t->level][first], hashes, t->width * sizeof *hashes);
    l->count[t->level] = first + t->width;
    l->writes++;
    return true;
}

static inline struct ledger_tiles log_tiles(struct log *l)
{
    return (struct ledger_tiles){l, log_read, log_write};
}

static inline void log_done(struct log *l)
{
    for (size_t i = 0; i < LOG_LEVELS; i++)
        base_free(l->level[i]);
}

static inline struct ledger_hash log_leaf(uint64_t number)
{
    struct ledger_hash h;
    ledger_leaf_hash((struct str){(const char *)&number, sizeof number}, &h);
    return h;
}

/* Appends leaves up to `size` in batches of `step`. */
static inline void log_grow(struct log *l, struct ledger_tree *t, uint64_t size, size_t step)
{
    struct ledger_tiles tiles = log_tiles(l);
    struct ledger_hash *leaves = calloc(step, sizeof *leaves);
    struct err e;
    while (t->size < size) {
        size_t n = 0;
        uint64_t before = t->size;
        for (; n < step && t->size < size; n++) {
            leaves[n] = log_leaf(t->size);
            ledger_tree_append(t, &leaves[n]);
        }
        must(ledger_tiles_append(&tiles, before, leaves, n, &e));
    }
    free(leaves);
}

/* A small generator, the same in every run. */
static inline uint64_t log_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 20;
}

static inline struct ledger_hash hash_of_hex(const char *hex)
{
    struct ledger_hash h;
    for (size_t i = 0; i < sizeof h; i++) {
        unsigned v = 0;
        sscanf(hex + 2 * i, "%2x", &v);
        h.b[i] = (unsigned char)v;
    }
    return h;
}

#endif
