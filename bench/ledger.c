/*
 * Recomputing a ledger's tree from its records, and making inclusion proofs from tiles, each
 * against SHA-256 alone over the same bytes, in turns, in one thread: ledger [LEAVES]. Prints one
 * line of JSON. Times are the processor's, so that other work on the machine counts little; the
 * least of each counts, of proofs the mean and the worst.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypt/crypt.h"
#include "ledger/ledger.h"

enum { RECORDS = 1 << 18, RECORD_BYTES = 200, SALT_BYTES = 16, ROUNDS = 7, PROOFS = 2000 };

static double used_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void least(double *best, double s)
{
    if (s < *best)
        *best = s;
}

/* ---- recomputing ---- */

static void recompute(const char *bytes, struct ledger_head *head)
{
    struct ledger_tree t = {0};
    struct ledger_hash h;
    for (size_t i = 0; i < RECORDS; i++, bytes += SALT_BYTES + RECORD_BYTES) {
        ledger_entry_hash((struct str){bytes, SALT_BYTES},
                          (struct str){bytes + SALT_BYTES, RECORD_BYTES}, &h);
        ledger_leaf_hash((struct str){(const char *)h.b, sizeof h.b}, &h);
        ledger_tree_append(&t, &h);
    }
    ledger_tree_head(&t, head);
}

static bool measure_leaves(void)
{
    struct ledger_head head;
    unsigned char digest[CRYPT_SHA256_BYTES];
    double tree = 1e9, alone = 1e9;
    size_t n = (size_t)RECORDS * (SALT_BYTES + RECORD_BYTES);
    char *bytes = malloc(n);
    if (!bytes)
        return false;
    base_random(bytes, n);
    for (int i = 0; i < ROUNDS; i++) {
        double start = used_s();
        crypt_sha256((struct str){bytes, n}, digest);
        least(&alone, used_s() - start);
        start = used_s();
        recompute(bytes, &head);
        least(&tree, used_s() - start);
    }
    free(bytes);
    printf(
        "{\"record_bytes\":%d,\"leaves_per_s\":%.0f,\"sha256_mb_per_s\":%.0f,\"leaves_ratio\":%.3f",
        RECORD_BYTES, RECORDS / tree, (double)n / alone / 1e6, alone / tree);
    return true;
}

/* ---- proving ---- */

/* All tiles of a level side by side. */
struct shelf {
    struct ledger_hash *level[8];
    size_t tiles_read;
};

static bool shelf_read(void *ctx, const struct ledger_tile *t, struct ledger_hash *out,
                       struct err *e)
{
    struct shelf *s = ctx;
    (void)e;
    s->tiles_read++;
    memcpy(out, &s->level[t->level][t->index * LEDGER_TILE_WIDTH], t->width * sizeof *out);
    return true;
}

static bool shelf_write(void *ctx, const struct ledger_tile *t, unsigned kept,
                        const struct ledger_hash *hashes, struct err *e)
{
    struct shelf *s = ctx;
    struct ledger_hash *tile = &s->level[t->level][t->index * LEDGER_TILE_WIDTH];
    (void)e;
    memcpy(&tile[kept], &hashes[kept], (t->width - kept) * sizeof *tile);
    return true;
}

static bool shelf_fill(struct shelf *s, uint64_t leaves, struct ledger_head *head)
{
    static struct ledger_hash batch[4096];
    struct ledger_tiles tiles = {s, shelf_read, shelf_write};
    struct ledger_tree t = {0};
    struct err e;
    for (unsigned i = 0; i < 8; i++)
        if (!(s->level[i] = calloc((size_t)(leaves >> 8 * i) + LEDGER_TILE_WIDTH, sizeof *batch)))
            return false;
    while (t.size < leaves) {
        uint64_t before = t.size;
        size_t n = 0;
        for (; n < 4096 && t.size < leaves; n++) {
            ledger_leaf_hash((struct str){(const char *)&t.size, sizeof t.size}, &batch[n]);
            ledger_tree_append(&t, &batch[n]);
        }
        if (!ledger_tiles_append(&tiles, before, batch, n, &e))
            return false;
    }
    ledger_tree_head(&t, head);
    s->tiles_read = 0;
    return true;
}

static bool measure_proofs(uint64_t leaves)
{
    static char bytes[LEDGER_TILE_BYTES];
    struct shelf s = {0};
    struct ledger_tiles tiles = {&s, shelf_read, NULL};
    struct ledger_head head;
    struct ledger_proof p;
    struct err e;
    double all = 0, worst = 0, alone = 0;
    bool ok = shelf_fill(&s, leaves, &head);
    for (uint64_t i = 0; i < PROOFS && ok; i++) {
        uint64_t index = i * 0x9E3779B97F4A7C15u % leaves;
        struct ledger_hash leaf;
        ledger_leaf_hash((struct str){(const char *)&index, sizeof index}, &leaf);
        size_t before = s.tiles_read;
        double start = used_s();
        ok = ledger_inclusion_prove(&tiles, index, leaves, &p, &e);
        double time = used_s() - start;
        ok = ok && ledger_inclusion_verify(&p, index, &leaf, &head);
        start = used_s();
        for (size_t n = before; n < s.tiles_read; n++)
            crypt_sha256((struct str){bytes, sizeof bytes}, leaf.b);
        alone += used_s() - start;
        all += time;
        worst = time > worst ? time : worst;
    }
    for (unsigned i = 0; i < 8; i++)
        free(s.level[i]);
    printf(",\"leaves\":%llu,\"proof_us\":%.1f,\"proof_worst_us\":%.0f,\"proof_tiles\":%.1f,"
           "\"proof_ratio\":%.3f}\n",
           (unsigned long long)leaves, all / PROOFS * 1e6, worst * 1e6,
           (double)s.tiles_read / PROOFS, alone / all);
    return ok;
}

int main(int argc, char **argv)
{
    struct err e;
    uint64_t leaves = 10000000;
    if (argc > 1 && (!str_to_u64(str_of(argv[1]), &leaves) || leaves == 0)) {
        fprintf(stderr, "usage: ledger [LEAVES]\n");
        return 2;
    }
    return crypt_init(&e) && measure_leaves() && measure_proofs(leaves) ? 0 : 3;
}
