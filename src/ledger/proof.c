#include "ledger/ledger.h"

#include "ledger/ledger_priv.h"

enum { TILE_HEIGHT = 8, RANGES = 64 };

/* ---- reading subtrees from tiles ---- */

/* The tile looked at last: whoever asks goes down the tree, so no other is asked for again. */
struct view {
    const struct ledger_tiles *tiles;
    uint64_t size;
    struct ledger_tile tile; /* width 0: none yet */
    struct ledger_hash hashes[LEDGER_TILE_WIDTH];
};

static bool view_tile(struct view *v, unsigned level, uint64_t index, struct err *e)
{
    struct ledger_tile t = {level, index, ledger_tile_width(level, index, v->size)};
    must(t.width > 0);
    if (v->tile.width && v->tile.level == level && v->tile.index == index)
        return true;
    v->tile.width = 0;
    if (!v->tiles->read(v->tiles->ctx, &t, v->hashes, e))
        return false;
    v->tile = t;
    return true;
}

/* The root of the full subtree of 2^height leaves that begins at leaf `start`. */
static bool subtree(struct view *v, uint64_t start, unsigned height, struct ledger_hash *out,
                    struct err *e)
{
    uint64_t first = start >> (height / TILE_HEIGHT * TILE_HEIGHT); /* of its hashes in the level */
    size_t count = (size_t)1 << height % TILE_HEIGHT;
    if (!view_tile(v, height / TILE_HEIGHT, first / LEDGER_TILE_WIDTH, e))
        return false;
    ledger_full_root(&v->hashes[first % LEDGER_TILE_WIDTH], count, out);
    return true;
}

/* floor(log2(n)), n > 0 */
static unsigned log2_of(uint64_t n)
{
    return 63 - (unsigned)__builtin_clzll(n);
}

/* The full subtrees of leaves [start, end), the largest first; `start` is a multiple of its size.
 */
static bool subtrees(struct view *v, uint64_t start, uint64_t end, struct ledger_hash *out,
                     struct err *e)
{
    for (size_t n = 0; start < end; n++) {
        unsigned height = log2_of(end - start);
        if (!subtree(v, start, height, &out[n], e))
            return false;
        start += (uint64_t)1 << height;
    }
    return true;
}

bool ledger_tree_read(const struct ledger_tiles *tiles, uint64_t size, struct ledger_tree *out,
                      struct err *e)
{
    struct view v = {.tiles = tiles, .size = size};
    struct ledger_tree t = {.size = size};
    must(size <= LIMIT_LEDGER_LEAVES);
    if (!subtrees(&v, 0, size, t.edge, e))
        return false;
    *out = t;
    return true;
}

/* ---- proving ---- */

/* The leaves that each hash of a proof stands for, from the root down. */
struct range {
    uint64_t start, end;
};
struct ranges {
    size_t count;
    struct range r[RANGES];
};

/* RFC 6962 §2.1: a tree of more than one leaf splits at the largest power of two below its size. */
static uint64_t split_of(const struct range *r)
{
    return r->start + ((uint64_t)1 << log2_of(r->end - r->start - 1));
}

/* Goes down to the half that holds leaf `index`, and notes the other. */
static void descend(struct ranges *out, struct range *r, uint64_t index)
{
    uint64_t split = split_of(r);
    struct range left = {r->start, split}, right = {split, r->end};
    out->r[out->count++] = index < split ? right : left;
    *r = index < split ? left : right;
}

/* A proof has its hashes from the leaves up. */
static bool fill(const struct ledger_tiles *tiles, uint64_t size, const struct ranges *ranges,
                 struct ledger_proof *out, struct err *e)
{
    struct view v = {.tiles = tiles, .size = size};
    struct ledger_proof p = {.count = ranges->count};
    for (size_t i = 0; i < ranges->count; i++) {
        struct ledger_hash parts[63];
        const struct range *r = &ranges->r[i];
        if (!subtrees(&v, r->start, r->end, parts, e))
            return false;
        ledger_fold(parts, (size_t)__builtin_popcountll(r->end - r->start),
                    &p.hash[p.count - 1 - i]);
    }
    *out = p;
    return true;
}

bool ledger_inclusion_prove(const struct ledger_tiles *tiles, uint64_t index, uint64_t size,
                            struct ledger_proof *out, struct err *e)
{
    struct ranges ranges = {0};
    struct range r = {0, size};
    if (index >= size || size > LIMIT_LEDGER_LEAVES)
        return err_set(e, ERR_INVALID, "the ledger has no such leaf");
    while (r.end - r.start > 1)
        descend(&ranges, &r, index);
    return fill(tiles, size, &ranges, out, e);
}

/* RFC 6962 §2.1.2: down along the old tree's last leaf, until a subtree is the old tree's too. If
 * that is the old tree itself, its root is known. */
bool ledger_consistency_prove(const struct ledger_tiles *tiles, uint64_t old_size, uint64_t size,
                              struct ledger_proof *out, struct err *e)
{
    struct ranges ranges = {0};
    struct range r = {0, size};
    if (old_size > size || size > LIMIT_LEDGER_LEAVES)
        return err_set(e, ERR_INVALID, "the ledger was never that long");
    while (old_size && r.end != old_size)
        descend(&ranges, &r, old_size - 1);
    if (r.start > 0)
        ranges.r[ranges.count++] = r;
    return fill(tiles, size, &ranges, out, e);
}

/* ---- verifying ---- */

/* RFC 9162 §2.1.3.2 and §2.1.4.2 climb the same way: step 4 and step 6. */
struct climb {
    uint64_t fn, sn;
};

/* Is the next hash of the proof to the left? */
static bool left_next(const struct climb *c)
{
    return (c->fn & 1) || c->fn == c->sn;
}

static void climb_up(struct climb *c)
{
    if (left_next(c))
        while (!(c->fn & 1) && c->fn) {
            c->fn >>= 1;
            c->sn >>= 1;
        }
    c->fn >>= 1;
    c->sn >>= 1;
}

bool ledger_inclusion_verify(const struct ledger_proof *p, uint64_t index,
                             const struct ledger_hash *leaf, const struct ledger_head *head)
{
    struct climb c = {index, head->size - 1};
    struct ledger_hash r = *leaf;
    if (index >= head->size || p->count > LIMIT_LEDGER_PROOF_HASHES)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        if (c.sn == 0)
            return false;
        if (left_next(&c))
            ledger_node_hash(&p->hash[i], &r, &r);
        else
            ledger_node_hash(&r, &p->hash[i], &r);
        climb_up(&c);
    }
    return c.sn == 0 && ledger_hash_eq(&r, &head->root);
}

static bool power_of_two(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

/* The two roots that a proof leads to; false if it has not the form of one between these sizes,
 * 0 < older < newer. */
static bool roots_of(const struct ledger_proof *p, const struct ledger_head *older, uint64_t newer,
                     struct ledger_hash *old_root, struct ledger_hash *new_root)
{
    struct climb c = {older->size - 1, newer - 1};
    bool whole = power_of_two(older->size); /* then the old root is the first hash, left out */
    if (p->count > LIMIT_LEDGER_PROOF_HASHES || (p->count == 0 && !whole))
        return false;
    for (; c.fn & 1; c.fn >>= 1)
        c.sn >>= 1;
    *old_root = *new_root = whole ? older->root : p->hash[0];
    for (size_t i = whole ? 0 : 1; i < p->count; i++) {
        if (c.sn == 0)
            return false;
        if (left_next(&c)) {
            ledger_node_hash(&p->hash[i], old_root, old_root);
            ledger_node_hash(&p->hash[i], new_root, new_root);
        } else {
            ledger_node_hash(new_root, &p->hash[i], new_root);
        }
        climb_up(&c);
    }
    return c.sn == 0;
}

static enum ledger_relation relation_of(const struct ledger_proof *p,
                                        const struct ledger_head *older,
                                        const struct ledger_head *newer)
{
    struct ledger_hash old_root, new_root;
    if (newer->size < older->size)
        return LEDGER_ROLLBACK;
    if (newer->size == older->size && !ledger_hash_eq(&newer->root, &older->root))
        return LEDGER_FORK;
    if (newer->size == older->size || older->size == 0)
        return p && p->count ? LEDGER_BAD_PROOF : LEDGER_CONSISTENT;
    if (!p || !roots_of(p, older, newer->size, &old_root, &new_root) ||
        !ledger_hash_eq(&new_root, &newer->root))
        return LEDGER_BAD_PROOF;
    /* The proof's hashes are in the newer tree, so the old root they give is that of its beginning.
     */
    return ledger_hash_eq(&old_root, &older->root) ? LEDGER_CONSISTENT : LEDGER_FORK;
}

bool ledger_consistency_verify(const struct ledger_proof *p, const struct ledger_head *older,
                               const struct ledger_head *newer)
{
    struct ledger_head empty;
    ledger_tree_head(&(struct ledger_tree){0}, &empty);
    if (older->size == 0 && !ledger_hash_eq(&older->root, &empty.root))
        return false;
    return relation_of(p, older, newer) == LEDGER_CONSISTENT;
}

enum ledger_relation ledger_compare(const struct ledger_checkpoint *older,
                                    const struct ledger_checkpoint *newer,
                                    const struct ledger_proof *p)
{
    if (!str_eq(older->origin, newer->origin))
        return LEDGER_OTHER_LOG;
    return relation_of(p, &older->head, &newer->head);
}

const char *ledger_relation_name(enum ledger_relation r)
{
    static const char *const names[] = {"consistent", "fork", "rollback", "bad-proof", "other-log"};
    return names[r];
}
