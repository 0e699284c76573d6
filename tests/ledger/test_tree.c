/* The tree, its tiles and proofs: the vectors of Certificate Transparency, and every shape up to
 * 300 leaves and random sizes up to 10^6 against the definitions of RFC 6962 §2.1 as written. */
#include "ledger/log.h"

/* ---- vectors: the reference tree of Certificate Transparency ---- */

static const struct str ct_leaves[] = {
    {"", 0},
    {"\0", 1},
    {"\x10", 1},
    {"\x20\x21", 2},
    {"\x30\x31", 2},
    {"\x40\x41\x42\x43", 4},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
};

static const char *const ct_roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

struct ct_proof {
    uint64_t a, b; /* leaf and size, or old and new size */
    size_t count;
    const char *hash[3];
};

static const struct ct_proof ct_inclusion[] = {
    {0,
     8,
     3,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {5,
     8,
     3,
     {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2, 3, 1, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
    {1,
     5,
     3,
     {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
    {0, 1, 0, {0}},
};

static const struct ct_proof ct_consistency[] = {
    {1, 1, 0, {0}},
    {0, 8, 0, {0}},
    {1,
     8,
     3,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {6,
     8,
     3,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2,
     5,
     2,
     {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
    {6,
     7,
     3,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
};

static struct ledger_head ct_head(uint64_t size)
{
    return (struct ledger_head){size, hash_of_hex(ct_roots[size])};
}

static bool same_proof(const struct ledger_proof *p, const struct ct_proof *row)
{
    bool same = p->count == row->count;
    for (size_t i = 0; i < row->count && same; i++) {
        struct ledger_hash h = hash_of_hex(row->hash[i]);
        same = ledger_hash_eq(&p->hash[i], &h);
    }
    return same;
}

static void test_vectors(void)
{
    struct log l = {0};
    struct ledger_tiles tiles = log_tiles(&l);
    struct ledger_tree t = {0};
    struct ledger_hash leaf[8];
    struct ledger_proof p;
    struct err e;
    for (uint64_t n = 0; n <= 8; n++) {
        struct ledger_head head, want = ct_head(n);
        ledger_tree_head(&t, &head);
        CHECK_ROW(head.size == n && ledger_hash_eq(&head.root, &want.root), "size %d", (int)n);
        if (n == 8)
            break;
        ledger_leaf_hash(ct_leaves[n], &leaf[n]);
        ledger_tree_append(&t, &leaf[n]);
        CHECK(ledger_tiles_append(&tiles, n, &leaf[n], 1, &e));
    }
    for (size_t i = 0; i < sizeof ct_inclusion / sizeof *ct_inclusion; i++) {
        const struct ct_proof *row = &ct_inclusion[i];
        struct ledger_head head = ct_head(row->b);
        CHECK_ROW(ledger_inclusion_prove(&tiles, row->a, row->b, &p, &e) && same_proof(&p, row) &&
                      ledger_inclusion_verify(&p, row->a, &leaf[row->a], &head),
                  "inclusion %zu", i);
    }
    for (size_t i = 0; i < sizeof ct_consistency / sizeof *ct_consistency; i++) {
        const struct ct_proof *row = &ct_consistency[i];
        struct ledger_head a = ct_head(row->a), b = ct_head(row->b);
        CHECK_ROW(ledger_consistency_prove(&tiles, row->a, row->b, &p, &e) && same_proof(&p, row) &&
                      ledger_consistency_verify(&p, &a, &b),
                  "consistency %zu", i);
    }
    log_done(&l);
}

/* ---- the definitions, as RFC 6962 writes them ---- */

enum { SMALL = 300, LARGE = 1000000, HEIGHTS = 20 };
static struct ledger_hash known[SMALL + 1][SMALL + 1]; /* MTH of [start, end), small ones */
static bool is_known[SMALL + 1][SMALL + 1];
/* … and, by height, of the subtrees with 2^height leaves, for they recur in each tree. */
static struct ledger_hash *full[HEIGHTS];
static bool *is_full[HEIGHTS];

/* Nothing of the code under test: 0x00 before a leaf, 0x01 before two nodes. */
static struct ledger_hash naive_hash(char prefix, const void *bytes, size_t n)
{
    struct str parts[] = {{&prefix, 1}, {bytes, n}};
    struct ledger_hash h;
    crypt_sha256_parts(parts, 2, h.b);
    return h;
}

static struct ledger_hash naive_leaf(uint64_t number)
{
    return naive_hash('\0', &number, sizeof number);
}

/* Where the root of [start, end) is kept, or NULL; *there: it is. */
static struct ledger_hash *kept(uint64_t start, uint64_t end, bool **there)
{
    uint64_t span = end - start;
    unsigned height = (unsigned)__builtin_ctzll(span);
    if (end <= SMALL) {
        *there = &is_known[start][end];
        return &known[start][end];
    }
    if (span & (span - 1) || start % span || height >= HEIGHTS || end > LARGE)
        return NULL;
    if (!full[height]) {
        full[height] = calloc(LARGE >> height, sizeof **full);
        is_full[height] = calloc(LARGE >> height, 1);
        must(full[height] && is_full[height]);
    }
    *there = &is_full[height][start >> height];
    return &full[height][start >> height];
}

static uint64_t naive_split(uint64_t n)
{
    uint64_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return k;
}

static struct ledger_hash naive_root(uint64_t start, uint64_t end)
{
    struct ledger_hash pair[2], h, *place;
    bool *there = NULL;
    if (end - start == 1)
        return naive_leaf(start);
    place = kept(start, end, &there);
    if (place && *there)
        return *place;
    uint64_t middle = start + naive_split(end - start);
    pair[0] = naive_root(start, middle);
    pair[1] = naive_root(middle, end);
    h = naive_hash('\1', pair, sizeof pair);
    if (place) {
        *place = h;
        *there = true;
    }
    return h;
}

/* PATH(m, D[n]) */
static void naive_path(uint64_t m, uint64_t start, uint64_t end, struct ledger_proof *p)
{
    if (end - start == 1)
        return;
    uint64_t k = start + naive_split(end - start);
    naive_path(m, m < k ? start : k, m < k ? k : end, p);
    p->hash[p->count++] = m < k ? naive_root(k, end) : naive_root(start, k);
}

/* SUBPROOF(m, D[n], b), m counted from the first leaf of all */
static void naive_subproof(uint64_t m, uint64_t start, uint64_t end, bool b, struct ledger_proof *p)
{
    if (m == end) {
        if (!b)
            p->hash[p->count++] = naive_root(start, end);
        return;
    }
    uint64_t k = start + naive_split(end - start);
    naive_subproof(m, m <= k ? start : k, m <= k ? k : end, m <= k && b, p);
    p->hash[p->count++] = m <= k ? naive_root(k, end) : naive_root(start, k);
}

static bool proofs_equal(const struct ledger_proof *a, const struct ledger_proof *b)
{
    return a->count == b->count && memcmp(a->hash, b->hash, a->count * sizeof *a->hash) == 0;
}

static struct ledger_head naive_head(uint64_t size)
{
    struct ledger_head head = {size, hash_of_hex(ct_roots[0])};
    if (size)
        head.root = naive_root(0, size);
    return head;
}

static bool inclusion_as_defined(struct log *l, uint64_t index, const struct ledger_head *head)
{
    struct ledger_tiles tiles = log_tiles(l);
    struct ledger_proof p, want = {0};
    struct ledger_hash leaf = naive_leaf(index);
    struct err e;
    l->reads = 0;
    naive_path(index, 0, head->size, &want);
    return ledger_inclusion_prove(&tiles, index, head->size, &p, &e) && proofs_equal(&p, &want) &&
           l->reads <= 6 && ledger_inclusion_verify(&p, index, &leaf, head) &&
           !ledger_inclusion_verify(&p, index ^ 1, &leaf, head);
}

static bool consistency_as_defined(struct log *l, const struct ledger_head *a,
                                   const struct ledger_head *b)
{
    struct ledger_tiles tiles = log_tiles(l);
    struct ledger_proof p, want = {0};
    struct err e;
    l->reads = 0;
    if (a->size)
        naive_subproof(a->size, 0, b->size, true, &want);
    return ledger_consistency_prove(&tiles, a->size, b->size, &p, &e) && proofs_equal(&p, &want) &&
           l->reads <= 6 && ledger_consistency_verify(&p, a, b);
}

static bool same_tree(const struct ledger_tree *a, const struct ledger_tree *b)
{
    size_t n = (size_t)__builtin_popcountll(a->size);
    return a->size == b->size && memcmp(a->edge, b->edge, n * sizeof *a->edge) == 0;
}

static void test_every_size(void)
{
    struct log l = {0};
    struct ledger_tiles tiles = log_tiles(&l);
    struct ledger_tree t = {0}, read;
    struct ledger_head head;
    struct err e;
    for (uint64_t n = 1; n <= SMALL; n++) {
        struct ledger_head want = naive_head(n);
        log_grow(&l, &t, n, 1);
        ledger_tree_head(&t, &head);
        CHECK_ROW(ledger_hash_eq(&head.root, &want.root), "root of %d", (int)n);
        CHECK_ROW(ledger_tree_read(&tiles, n, &read, &e) && same_tree(&read, &t), "edge of %d",
                  (int)n);
        bool all = true;
        for (uint64_t i = 0; i < n; i++)
            all &= inclusion_as_defined(&l, i, &want);
        CHECK_ROW(all, "inclusion, size %d", (int)n);
        for (uint64_t i = 0; i <= n; i++) {
            struct ledger_head old = naive_head(i);
            all &= consistency_as_defined(&l, &old, &want);
        }
        CHECK_ROW(all, "consistency, size %d", (int)n);
    }
    log_done(&l);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

/* Random sizes, other ones in each run: what fails names the seed. One log grows through them. */
static void test_large_sizes(void)
{
    enum { SIZES = 300, PLACES = 16 };
    static uint64_t sizes[SIZES];
    struct log l = {0};
    struct ledger_tree t = {0};
    uint64_t seed;
    base_random(&seed, sizeof seed);
    unsigned long long first = seed;
    sizes[0] = 65536 + 256 + 1;
    sizes[1] = LARGE;
    for (size_t i = 2; i < SIZES; i++)
        sizes[i] = 1 + log_random(&seed) % LARGE;
    qsort(sizes, SIZES, sizeof *sizes, by_size);
    for (size_t i = 0; i < SIZES; i++) {
        struct ledger_head head = naive_head(sizes[i]), grown;
        log_grow(&l, &t, sizes[i], 1 + log_random(&seed) % 3000);
        ledger_tree_head(&t, &grown);
        CHECK_ROW(ledger_hash_eq(&head.root, &grown.root), "seed %llu, root of %ld", first,
                  (long)sizes[i]);
        for (size_t k = 0; k < PLACES; k++) {
            uint64_t index = log_random(&seed) % sizes[i];
            struct ledger_head old = naive_head(index);
            CHECK_ROW(inclusion_as_defined(&l, index, &head), "seed %llu, leaf %ld of %ld", first,
                      (long)index, (long)sizes[i]);
            CHECK_ROW(consistency_as_defined(&l, &old, &head), "seed %llu, %ld of %ld", first,
                      (long)index, (long)sizes[i]);
        }
    }
    log_done(&l);
}

static void naive_done(void)
{
    for (size_t i = 0; i < HEIGHTS; i++) {
        free(full[i]);
        free(is_full[i]);
    }
}

/* Every hash of every tile is what tlog-tiles defines, however the leaves came. */
static void test_tiles(void)
{
    static const size_t steps[] = {1, 255, 256, 257, 1000, 70000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct log l = {0};
        struct ledger_tree t = {0};
        bool right = true;
        log_grow(&l, &t, steps[i] == 1 ? 2000 : 70000, steps[i]);
        for (unsigned level = 0; level < LOG_LEVELS; level++) {
            uint64_t span = (uint64_t)1 << (8 * level);
            right &= l.count[level] == t.size / span;
            for (uint64_t n = 0; n < l.count[level]; n += level ? 1 : 97) {
                struct ledger_hash want = naive_root(n * span, (n + 1) * span);
                right &= ledger_hash_eq(&l.level[level][n], &want);
            }
        }
        CHECK_ROW(right, "steps of %zu", steps[i]);
        CHECK_ROW(steps[i] != 70000 || l.writes == 274 + 2 + 1, "%u writes", l.writes);
        log_done(&l);
    }
}

/* ---- names and shapes of tiles ---- */

struct path_row {
    const char *path;
    unsigned level;
    uint64_t index;
    unsigned width; /* 0: no path */
};

static const struct path_row paths[] = {
    {"tile/0/x001/x234/067", 0, 1234067, 256},
    {"tile/0/000", 0, 0, 256},
    {"tile/63/999.p/255", 63, 999, 255},
    {"tile/2/x001/000.p/1", 2, 1000, 1},
    {"tile/entries/x001/x234/067.p/8", LEDGER_ENTRIES, 1234067, 8},
    {"tile/entries/000", LEDGER_ENTRIES, 0, 256},
    {"tile/0/x009/x223/x372/x036/x854/x774/806", 0, 9223372036854774806u, 256},
    {"tile/0/x009/x223/x372/x036/x854/x776/806", 0, 0, 0},
    {"tile/0/x999/x999/x999/x999/x999/x999/x999/999", 0, 0, 0},
    {"tile/64/000", 0, 0, 0},
    {"tile/00/000", 0, 0, 0},
    {"tile/0/0", 0, 0, 0},
    {"tile/0/x000/001", 0, 0, 0},
    {"tile/0/001/002", 0, 0, 0},
    {"tile/0/x001", 0, 0, 0},
    {"tile/0/001/", 0, 0, 0},
    {"tile/0//001", 0, 0, 0},
    {"tile/0/000.p/0", 0, 0, 0},
    {"tile/0/000.p/256", 0, 0, 0},
    {"tile/0/000.p/01", 0, 0, 0},
    {"tile/0/000.p/", 0, 0, 0},
    {"tile/0/000.q/1", 0, 0, 0},
    {"tile/0/000.p/1/", 0, 0, 0},
    {"tile/-1/000", 0, 0, 0},
    {"/tile/0/000", 0, 0, 0},
    {"tile/data/000", 0, 0, 0},
    {"tile/0", 0, 0, 0},
    {"tile/", 0, 0, 0},
    {"", 0, 0, 0},
};

static void test_paths(void)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const struct path_row *row = &paths[i];
        char text[LEDGER_TILE_PATH_BYTES];
        struct ledger_tile t = {0};
        struct err e;
        bool ok = ledger_tile_parse(str_of(row->path), &t, &e);
        CHECK_ROW(ok == (row->width > 0), "%s", row->path);
        CHECK_ROW(t.level == row->level && t.index == row->index && t.width == row->width, "%s",
                  row->path);
        if (ok)
            CHECK(str_eq(ledger_tile_path(&t, text), str_of(row->path)));
    }
}

struct width_row {
    uint64_t size;
    unsigned level;
    uint64_t index;
    unsigned width;
};

/* tlog-tiles: "a tree of size 70,000 will be represented by …" */
static const struct width_row widths[] = {
    {70000, 0, 272, 256},
    {70000, 0, 273, 112},
    {70000, 0, 274, 0},
    {70000, 1, 0, 256},
    {70000, 1, 1, 17},
    {70000, 1, 2, 0},
    {70000, 2, 0, 1},
    {70000, 3, 0, 0},
    {70000, LEDGER_ENTRIES, 273, 112},
    {256, 0, 0, 256},
    {256, 0, 1, 0},
    {256, 1, 0, 1},
    {0, 0, 0, 0},
    {LIMIT_LEDGER_LEAVES, 7, 0, 127},
    {LIMIT_LEDGER_LEAVES, 8, 0, 0},
    {LIMIT_LEDGER_LEAVES, 63, 0, 0},
    {LIMIT_LEDGER_LEAVES, 0, UINT64_MAX, 0},
};

static void test_widths(void)
{
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        CHECK_ROW(ledger_tile_width(widths[i].level, widths[i].index, widths[i].size) ==
                      widths[i].width,
                  "row %zu", i);
}

static void test_bundles(void)
{
    struct ledger_hash in[3], out[3];
    struct buf b;
    struct err e;
    buf_init(&b, 0);
    for (size_t i = 0; i < 3; i++)
        in[i] = log_leaf(i);
    ledger_bundle_put(in, 3, &b);
    CHECK(b.n == 3 * 34 && b.p[0] == 0 && b.p[1] == 32);
    CHECK(ledger_bundle_get(buf_view(&b), out, 3, &e) && memcmp(in, out, sizeof in) == 0);
    CHECK(!ledger_bundle_get(buf_view(&b), out, 2, &e));
    for (size_t n = 0; n < b.n; n++)
        CHECK(!ledger_bundle_get(str_slice(buf_view(&b), 0, n), out, 3, &e));
    b.p[34] = 1;
    CHECK(!ledger_bundle_get(buf_view(&b), out, 3, &e));
    CHECK(ledger_bundle_get(STR_NONE, out, 0, &e));
    buf_done(&b);
}

/* ---- states ---- */

static void test_states(void)
{
    struct ledger_tree t = {0}, again;
    struct buf b;
    struct err e;
    buf_init(&b, 0);
    for (int n = 0; n < 40; n++) {
        buf_clear(&b);
        ledger_tree_put(&t, &b);
        CHECK(ledger_tree_get(buf_view(&b), &again, &e) && same_tree(&t, &again));
        for (size_t cut = 0; cut < b.n; cut++)
            CHECK(!ledger_tree_get(str_slice(buf_view(&b), 0, cut), &again, &e));
        buf_byte(&b, 0);
        CHECK(!ledger_tree_get(buf_view(&b), &again, &e));
        struct ledger_hash leaf = log_leaf(t.size);
        ledger_tree_append(&t, &leaf);
    }
    CHECK(!ledger_tree_get(STR("\xff\xff\xff\xff\xff\xff\xff\xff"), &again, &e));
    buf_done(&b);
}

/* ---- tampering ---- */

/* What stands wrong in a tile is in the proof of its neighbour, which then does not hold. */
static void test_tampered_tiles(void)
{
    struct log l = {0};
    struct ledger_tiles tiles = log_tiles(&l);
    struct ledger_tree t = {0};
    struct ledger_head head;
    struct ledger_proof p;
    struct err e;
    log_grow(&l, &t, 517, 100); /* level 1 has two hashes, so each has a neighbour */
    ledger_tree_head(&t, &head);
    for (unsigned level = 0; level < 2; level++) {
        unsigned caught = 0, bytes = 0;
        for (uint64_t n = 0; n < l.count[level]; n++) {
            uint64_t index = n == 516 ? 0 : (n ^ 1) << (8 * level); /* 516 stands alone */
            struct ledger_hash leaf = log_leaf(index);
            for (size_t i = 0; i < LEDGER_HASH_BYTES; i++, bytes++) {
                l.level[level][n].b[i] ^= 1;
                caught += ledger_inclusion_prove(&tiles, index, 517, &p, &e) &&
                          !ledger_inclusion_verify(&p, index, &leaf, &head);
                l.level[level][n].b[i] ^= 1;
            }
        }
        CHECK_ROW(caught == bytes && bytes >= 64, "level %u: %u of %u", level, caught, bytes);
    }
    log_done(&l);
}

static void test_tampered_proofs(void)
{
    struct log l = {0};
    struct ledger_tiles tiles = log_tiles(&l);
    struct ledger_tree t = {0};
    struct err e;
    log_grow(&l, &t, 300, 300);
    struct ledger_head head = naive_head(300), old = naive_head(77);
    for (uint64_t index = 0; index < 300; index += 23) {
        struct ledger_proof in, con;
        struct ledger_hash leaf = log_leaf(index);
        CHECK(ledger_inclusion_prove(&tiles, index, 300, &in, &e));
        CHECK(ledger_consistency_prove(&tiles, 77, 300, &con, &e));
        for (size_t i = 0; i < in.count * LEDGER_HASH_BYTES; i++) {
            unsigned char *p = &in.hash[i / LEDGER_HASH_BYTES].b[i % LEDGER_HASH_BYTES];
            *p ^= 0x80;
            CHECK(!ledger_inclusion_verify(&in, index, &leaf, &head));
            *p ^= 0x80;
        }
        for (size_t i = 0; i < con.count * LEDGER_HASH_BYTES; i++) {
            unsigned char *p = &con.hash[i / LEDGER_HASH_BYTES].b[i % LEDGER_HASH_BYTES];
            *p ^= 1;
            CHECK(!ledger_consistency_verify(&con, &old, &head));
            *p ^= 1;
        }
        for (size_t i = 0; i < LEDGER_HASH_BYTES; i++) {
            leaf.b[i] ^= 1;
            CHECK(!ledger_inclusion_verify(&in, index, &leaf, &head));
            leaf.b[i] ^= 1;
            head.root.b[i] ^= 1;
            CHECK(!ledger_inclusion_verify(&in, index, &leaf, &head));
            CHECK(!ledger_consistency_verify(&con, &old, &head));
            head.root.b[i] ^= 1;
        }
        for (size_t n = 0; n <= LIMIT_LEDGER_PROOF_HASHES + 1; n++) {
            struct ledger_proof a = in, b = con;
            a.count = b.count = n;
            CHECK_ROW(ledger_inclusion_verify(&a, index, &leaf, &head) == (n == in.count), "%zu",
                      n);
            CHECK_ROW(ledger_consistency_verify(&b, &old, &head) == (n == con.count), "%zu", n);
        }
        for (uint64_t size = 0; size < 700; size++) {
            struct ledger_head other = {size, head.root};
            bool same = ledger_inclusion_verify(&in, index, &leaf, &other);
            CHECK_ROW(!same || size >= 257, "size %d", (int)size); /* the path has no other form */
            CHECK_ROW(ledger_consistency_verify(&con, &old, &other) == (size == 300) || size > 256,
                      "size %d", (int)size);
        }
    }
    CHECK(!ledger_inclusion_prove(&tiles, 300, 300, &(struct ledger_proof){0}, &e));
    CHECK(!ledger_consistency_prove(&tiles, 301, 300, &(struct ledger_proof){0}, &e));
    log_done(&l);
}

/* ---- what two checkpoints say ---- */

static enum ledger_relation compare(struct ledger_head a, struct ledger_head b,
                                    const struct ledger_proof *p)
{
    struct ledger_checkpoint older = {.origin = STR("a"), .head = a};
    struct ledger_checkpoint newer = {.origin = STR("a"), .head = b};
    return ledger_compare(&older, &newer, p);
}

static void test_compare(void)
{
    struct log l = {0};
    struct ledger_tiles tiles = log_tiles(&l);
    struct ledger_tree t = {0};
    struct ledger_proof p, none = {0};
    struct ledger_checkpoint a = {.origin = STR("a")}, b = {.origin = STR("b")};
    struct err e;
    log_grow(&l, &t, 300, 300);
    struct ledger_head head = naive_head(300), old = naive_head(100), power = naive_head(128);
    CHECK(ledger_consistency_prove(&tiles, 100, 300, &p, &e));
    CHECK(compare(old, head, &p) == LEDGER_CONSISTENT);
    CHECK(compare(head, head, NULL) == LEDGER_CONSISTENT);
    CHECK(compare(naive_head(0), head, NULL) == LEDGER_CONSISTENT);
    CHECK(compare(naive_head(0), head, &none) == LEDGER_CONSISTENT);
    CHECK(compare(naive_head(0), head, &p) == LEDGER_BAD_PROOF);
    CHECK(compare(head, old, &p) == LEDGER_ROLLBACK);
    CHECK(compare(old, head, NULL) == LEDGER_BAD_PROOF);
    CHECK(compare(old, head, &none) == LEDGER_BAD_PROOF);
    CHECK(ledger_compare(&a, &b, NULL) == LEDGER_OTHER_LOG);
    old.root.b[0] ^= 1; /* the log now tells another story of its first 100 leaves */
    CHECK(compare(old, head, &p) == LEDGER_FORK);
    p.hash[1].b[0] ^= 1;
    CHECK(compare(old, head, &p) == LEDGER_BAD_PROOF);
    struct ledger_head other = head;
    other.root.b[0] ^= 1;
    CHECK(compare(head, other, NULL) == LEDGER_FORK);
    CHECK(ledger_consistency_prove(&tiles, 128, 300, &p, &e));
    CHECK(compare(power, head, &p) == LEDGER_CONSISTENT);
    power.root.b[0] ^= 1;
    CHECK(compare(power, head, &p) == LEDGER_BAD_PROOF);
    CHECK(strcmp(ledger_relation_name(LEDGER_OTHER_LOG), "other-log") == 0);
    log_done(&l);
}

int main(void)
{
    struct err e;
    CHECK(crypt_init(&e));
    test_vectors();
    test_every_size();
    test_large_sizes();
    test_tiles();
    test_paths();
    test_widths();
    test_bundles();
    test_states();
    test_tampered_tiles();
    test_tampered_proofs();
    test_compare();
    naive_done();
    TEST_END();
}
