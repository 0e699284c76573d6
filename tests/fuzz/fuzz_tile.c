/* Any bytes as the path of a tile, as an entry bundle, as the state of a tree, and as the tiles
 * that proofs of any leaf and size are made from. These take milliseconds, so only inputs of one
 * length in eight are asked for them. */
#include "crypt/crypt.h"
#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void check_path(struct str text)
{
    char again[LEDGER_TILE_PATH_BYTES];
    struct ledger_tile t;
    struct err e;
    if (!ledger_tile_parse(text, &t, &e))
        return;
    must(t.width > 0 && t.width <= LEDGER_TILE_WIDTH && t.level <= LEDGER_ENTRIES);
    must(str_eq(ledger_tile_path(&t, again), text));
    must(ledger_tile_width(t.level, t.index, LIMIT_LEDGER_LEAVES) <= LEDGER_TILE_WIDTH);
}

static void check_bundle(struct str bytes)
{
    struct ledger_hash entries[LEDGER_TILE_WIDTH];
    struct buf again;
    struct err e;
    size_t count = bytes.n / 34;
    if (count > LEDGER_TILE_WIDTH || !ledger_bundle_get(bytes, entries, count, &e))
        return;
    buf_init(&again, 0);
    ledger_bundle_put(entries, count, &again);
    must(str_eq(buf_view(&again), bytes));
    buf_done(&again);
}

static void check_state(struct str bytes)
{
    struct ledger_tree t;
    struct ledger_head head;
    struct ledger_hash leaf = {{1}};
    struct buf again;
    struct err e;
    if (!ledger_tree_get(bytes, &t, &e))
        return;
    buf_init(&again, 0);
    ledger_tree_put(&t, &again);
    must(str_eq(buf_view(&again), bytes));
    buf_done(&again);
    ledger_tree_head(&t, &head);
    if (t.size < LIMIT_LEDGER_LEAVES)
        ledger_tree_append(&t, &leaf);
}

/* Every tile has the input's bytes, over and over. */
static bool read_bytes(void *ctx, const struct ledger_tile *t, struct ledger_hash *out,
                       struct err *e)
{
    const struct str *bytes = ctx;
    unsigned char *p = (unsigned char *)out;
    must(t->width > 0 && t->width <= LEDGER_TILE_WIDTH && t->level < 8);
    if (bytes->n < 20)
        return err_set(e, ERR_IO, "no bytes");
    for (size_t i = 0; i < t->width * LEDGER_HASH_BYTES; i++)
        p[i] = (unsigned char)bytes->p[i % bytes->n];
    return true;
}

static void check_proofs(struct str bytes)
{
    struct ledger_tiles tiles = {&bytes, read_bytes, NULL};
    struct ledger_proof p;
    struct ledger_tree t;
    struct err e;
    uint64_t index, size;
    if (bytes.n < 16 || bytes.n % 8)
        return;
    memcpy(&index, bytes.p, 8);
    memcpy(&size, bytes.p + 8, 8);
    if (ledger_inclusion_prove(&tiles, index, size, &p, &e))
        must(index < size && p.count <= 63);
    if (ledger_consistency_prove(&tiles, index, size, &p, &e))
        must(index <= size && p.count <= 64);
    if (size <= LIMIT_LEDGER_LEAVES && ledger_tree_read(&tiles, size, &t, &e))
        must(t.size == size);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct str bytes = {(const char *)data, n};
    struct err e;
    static bool ready;
    must(ready || (ready = crypt_init(&e)));
    check_path(bytes);
    check_bundle(bytes);
    check_state(bytes);
    check_proofs(bytes);
    return 0;
}
