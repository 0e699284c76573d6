#include "ledger/ledger.h"

#include <string.h>

#include "crypt/crypt.h"
#include "ledger/ledger_priv.h"

_Static_assert(LEDGER_HASH_BYTES == CRYPT_SHA256_BYTES, "the hash of RFC 6962 is SHA-256");
_Static_assert(sizeof(struct ledger_hash) == LEDGER_HASH_BYTES, "arrays of hashes are bytes");

/* ---- hashes ---- */

void ledger_entry_hash(struct str salt, struct str record, struct ledger_hash *entry)
{
    const struct str parts[] = {salt, record};
    crypt_sha256_parts(parts, 2, entry->b);
}

void ledger_leaf_hash(struct str entry, struct ledger_hash *leaf)
{
    const struct str parts[] = {{"\0", 1}, entry};
    crypt_sha256_parts(parts, 2, leaf->b);
}

void ledger_node_hash(const struct ledger_hash *left, const struct ledger_hash *right,
                      struct ledger_hash *node)
{
    char both[1 + 2 * LEDGER_HASH_BYTES] = {1};
    memcpy(both + 1, left, LEDGER_HASH_BYTES);
    memcpy(both + 1 + LEDGER_HASH_BYTES, right, LEDGER_HASH_BYTES);
    crypt_sha256((struct str){both, sizeof both}, node->b);
}

bool ledger_hash_eq(const struct ledger_hash *a, const struct ledger_hash *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

void ledger_full_root(const struct ledger_hash *hashes, size_t count, struct ledger_hash *root)
{
    struct ledger_tree t = {0};
    for (size_t i = 0; i < count; i++)
        ledger_tree_append(&t, &hashes[i]);
    *root = t.edge[0];
}

void ledger_fold(const struct ledger_hash *subtrees, size_t count, struct ledger_hash *root)
{
    struct ledger_hash h = subtrees[count - 1];
    for (size_t i = count - 1; i-- > 0;)
        ledger_node_hash(&subtrees[i], &h, &h);
    *root = h;
}

/* ---- the right edge ---- */

static size_t edge_count(uint64_t size)
{
    return (size_t)__builtin_popcountll(size);
}

void ledger_tree_append(struct ledger_tree *t, const struct ledger_hash *leaf)
{
    size_t n = edge_count(t->size);
    struct ledger_hash h = *leaf;
    must(t->size < LIMIT_LEDGER_LEAVES);
    for (uint64_t carry = t->size; carry & 1; carry >>= 1)
        ledger_node_hash(&t->edge[--n], &h, &h);
    t->edge[n] = h;
    t->size++;
}

void ledger_tree_head(const struct ledger_tree *t, struct ledger_head *out)
{
    out->size = t->size;
    if (t->size)
        ledger_fold(t->edge, edge_count(t->size), &out->root);
    else
        crypt_sha256(STR_NONE, out->root.b);
}

void ledger_tree_put(const struct ledger_tree *t, struct buf *out)
{
    for (unsigned shift = 64; shift > 0; shift -= 8)
        buf_byte(out, (char)(t->size >> (shift - 8)));
    buf_put(out, t->edge, edge_count(t->size) * LEDGER_HASH_BYTES);
}

bool ledger_tree_get(struct str bytes, struct ledger_tree *out, struct err *e)
{
    uint64_t size = 0;
    for (size_t i = 0; i < 8 && i < bytes.n; i++)
        size = size << 8 | (unsigned char)bytes.p[i];
    size_t edge_bytes = edge_count(size) * LEDGER_HASH_BYTES;
    if (bytes.n < 8 || size > LIMIT_LEDGER_LEAVES || bytes.n - 8 != edge_bytes)
        return err_set(e, ERR_SYNTAX, "no state of a ledger's tree");
    *out = (struct ledger_tree){.size = size};
    memcpy(out->edge, bytes.p + 8, edge_bytes);
    return true;
}
