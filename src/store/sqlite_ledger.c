/*
 * The SQLite driver: the ledger. What one transaction adds is one row: the entries side by side,
 * and salts and records side by side (leaves.h), so that a leaf costs less than its bytes. The
 * hashes of level 0 follow from the entries; of the levels above each complete subtree's root is
 * kept.
 */
#include <pthread.h>
#include <string.h>

#include "store/leaves.h"
#include "store/sqlite_priv.h"

/* ---- size ---- */

bool store_ledger_size(struct store *s, uint64_t *size, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_LEDGER_SIZE, e);
    if (!stmt || !store_step(s, stmt, &row, e))
        return false;
    *size = row ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return true;
}

/* ---- reading ---- */

/* The rows that hold the leaves from `first` on. */
static sqlite3_stmt *rows_from(struct store *s, enum store_statement which, uint64_t first,
                               struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, which, e);
    if (stmt)
        sqlite3_bind_int64(stmt, 1, (int64_t)first);
    return stmt;
}

static bool bad_row(struct err *e, uint64_t first)
{
    return err_set(e, ERR_STORE, "the ledger's leaves from %llu on are damaged",
                   (unsigned long long)first);
}

bool store_ledger_entries(struct store *s, uint64_t first, size_t count, struct ledger_hash *out,
                          struct err *e)
{
    bool row = true, ok = true;
    size_t have = 0;
    sqlite3_stmt *stmt = rows_from(s, STORE_LEDGER_ENTRIES, first, e);
    if (!stmt)
        return false;
    while (have < count && (ok = store_step(s, stmt, &row, e)) && row) {
        uint64_t at = (uint64_t)sqlite3_column_int64(stmt, 0);
        struct str entries = store_column(stmt, 2);
        size_t n = entries.n / LEDGER_HASH_BYTES, skip = (size_t)(first + have - at);
        if (at > first + have || (uint64_t)sqlite3_column_int64(stmt, 1) != n || skip >= n) {
            ok = bad_row(e, at);
            break;
        }
        n = n - skip < count - have ? n - skip : count - have;
        memcpy(out + have, entries.p + skip * LEDGER_HASH_BYTES, n * LEDGER_HASH_BYTES);
        have += n;
    }
    sqlite3_reset(stmt);
    return ok && (have == count || bad_row(e, first + have));
}

struct walk {
    uint64_t first, end;
    store_leaf_fn *each;
    void *ctx;
    bool stopped;
    struct leaf_past past;
};

static bool walk_row(struct walk *w, sqlite3_stmt *stmt, struct err *e)
{
    uint64_t at = (uint64_t)sqlite3_column_int64(stmt, 0);
    uint64_t n = (uint64_t)sqlite3_column_int64(stmt, 1);
    struct str entries = store_column(stmt, 2);
    struct str rest = store_column(stmt, 3);
    struct store_leaf leaf;
    leaf_past_clear(&w->past);
    if (entries.n % LEDGER_HASH_BYTES || n != entries.n / LEDGER_HASH_BYTES)
        return bad_row(e, at);
    for (uint64_t i = 0; i < n && !w->stopped; i++) {
        if (!leaf_take(&w->past, &rest, &leaf, e))
            return e->code == ERR_STORE ? bad_row(e, at) : false;
        leaf.index = at + i;
        memcpy(leaf.entry.b, entries.p + i * LEDGER_HASH_BYTES, LEDGER_HASH_BYTES);
        if (leaf.index >= w->end)
            w->stopped = true;
        else if (leaf.index >= w->first)
            w->stopped = !w->each(w->ctx, &leaf);
    }
    return w->stopped || rest.n == 0 || bad_row(e, at);
}

bool store_ledger_each(struct store *s, uint64_t first, uint64_t end, store_leaf_fn *each,
                       void *ctx, struct err *e)
{
    struct walk w = {.first = first, .end = end, .each = each, .ctx = ctx};
    bool row, ok = true;
    sqlite3_stmt *stmt = rows_from(s, STORE_LEDGER_ROWS, first, e);
    if (!stmt)
        return false;
    leaf_past_init(&w.past);
    while (ok && !w.stopped && (ok = store_step(s, stmt, &row, e)) && row)
        ok = walk_row(&w, stmt, e);
    sqlite3_reset(stmt);
    leaf_past_done(&w.past);
    return ok;
}

/* ---- tiles ---- */

static bool read_nodes(struct store *s, const struct ledger_tile *t, struct ledger_hash *out,
                       struct err *e)
{
    bool row = true, ok = true;
    unsigned have = 0;
    sqlite3_stmt *stmt = store_statement(s, STORE_LEDGER_NODES, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, t->level);
    sqlite3_bind_int64(stmt, 2, (int64_t)(t->index * LEDGER_TILE_WIDTH));
    while (have < t->width && (ok = store_step(s, stmt, &row, e)) && row) {
        struct str hash = store_column(stmt, 1);
        if ((uint64_t)sqlite3_column_int64(stmt, 0) != t->index * LEDGER_TILE_WIDTH + have ||
            hash.n != LEDGER_HASH_BYTES)
            break;
        memcpy(out[have++].b, hash.p, LEDGER_HASH_BYTES);
    }
    sqlite3_reset(stmt);
    return ok && (have == t->width || err_set(e, ERR_STORE, "the ledger's tiles are damaged"));
}

static bool read_tile(void *ctx, const struct ledger_tile *t, struct ledger_hash *out,
                      struct err *e)
{
    struct store *s = ctx;
    if (t->level > 0)
        return read_nodes(s, t, out, e);
    if (!store_ledger_entries(s, t->index * LEDGER_TILE_WIDTH, t->width, out, e))
        return false;
    for (unsigned i = 0; i < t->width; i++)
        ledger_leaf_hash((struct str){(const char *)out[i].b, LEDGER_HASH_BYTES}, &out[i]);
    return true;
}

static bool write_tile(void *ctx, const struct ledger_tile *t, unsigned kept,
                       const struct ledger_hash *hashes, struct err *e)
{
    struct store *s = ctx;
    for (unsigned i = kept; i < t->width && t->level > 0; i++) {
        sqlite3_stmt *stmt = store_statement(s, STORE_LEDGER_NODE_PUT, e);
        if (!stmt)
            return false;
        sqlite3_bind_int64(stmt, 1, t->level);
        sqlite3_bind_int64(stmt, 2, (int64_t)(t->index * LEDGER_TILE_WIDTH + i));
        store_bind_blob(stmt, 3, hashes[i].b, LEDGER_HASH_BYTES);
        if (!store_run(s, stmt, e))
            return false;
    }
    return true;
}

struct ledger_tiles store_ledger_tiles(struct store *s)
{
    return (struct ledger_tiles){s, read_tile, write_tile};
}

/* ---- appending ---- */

static bool put_row(struct store *s, uint64_t size, struct str entries, struct str body,
                    struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_LEDGER_ADD, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, (int64_t)size);
    sqlite3_bind_int64(stmt, 2, (int64_t)(entries.n / LEDGER_HASH_BYTES));
    store_bind_blob(stmt, 3, entries.p, entries.n);
    store_bind_blob(stmt, 4, body.p, body.n);
    return store_run(s, stmt, e);
}

struct added {
    struct store_leaf *leaves;
    struct ledger_hash *hashes; /* of the leaves: level 0 */
    size_t count;
};

static void *hash_added(void *ctx)
{
    const struct added *a = ctx;
    for (size_t i = 0; i < a->count; i++) {
        struct store_leaf *l = &a->leaves[i];
        ledger_entry_hash(l->salt, l->record, &l->entry);
        ledger_leaf_hash((struct str){(const char *)l->entry.b, LEDGER_HASH_BYTES}, &a->hashes[i]);
    }
    return NULL;
}

/* Hashing and packing take about as long: of many leaves they go side by side. */
static void hash_and_pack(struct added *a, struct buf *entries, struct buf *body)
{
    struct leaf_past past;
    pthread_t thread;
    bool beside =
        a->count > LIMIT_LEDGER_HASHED_ALONE && pthread_create(&thread, NULL, hash_added, a) == 0;
    if (!beside)
        hash_added(a);
    leaf_past_init(&past);
    for (size_t i = 0; i < a->count; i++)
        leaf_put(&past, &a->leaves[i], body);
    leaf_past_done(&past);
    if (beside)
        must(pthread_join(thread, NULL) == 0);
    for (size_t i = 0; i < a->count; i++)
        buf_put(entries, a->leaves[i].entry.b, LEDGER_HASH_BYTES);
}

bool store_ledger_append(struct store *s, uint64_t size, struct store_leaf *leaves, size_t count,
                         struct err *e)
{
    struct buf entries, body;
    struct added a = {leaves, base_alloc((count ? count : 1) * sizeof *a.hashes), count};
    struct ledger_tiles tiles = store_ledger_tiles(s);
    if (!a.hashes)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&entries, 0);
    buf_init(&body, 0);
    hash_and_pack(&a, &entries, &body);
    bool ok = buf_ok(&entries, e) && buf_ok(&body, e) &&
              ledger_tiles_append(&tiles, size, a.hashes, count, e) &&
              put_row(s, size, buf_view(&entries), buf_view(&body), e);
    buf_done(&entries);
    buf_done(&body);
    base_free(a.hashes);
    return ok;
}

/* ---- what it records ---- */

bool store_ledger_node_count(struct store *s, uint64_t *count, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_LEDGER_NODE_COUNT, e);
    if (!stmt || !store_step(s, stmt, &row, e))
        return false;
    *count = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return true;
}

bool store_ledger_objects(struct store *s, store_object_fn *each, void *ctx, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_LEDGER_OBJECTS, e);
    return stmt && store_each_object(s, stmt, each, ctx, e);
}

bool store_ledger_releases(struct store *s, int64_t first, int64_t last, store_release_fn *each,
                           void *ctx, struct err *e)
{
    bool row = true, ok = true;
    sqlite3_stmt *stmt = store_statement(s, STORE_LEDGER_RELEASES, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, first);
    sqlite3_bind_int64(stmt, 2, last);
    while (row && (ok = store_step(s, stmt, &row, e)) && row) {
        struct store_release r = {
            .collection = sqlite3_column_int64(stmt, 0),
            .audience = sqlite3_column_int64(stmt, 1),
            .date_added = sqlite3_column_int64(stmt, 2),
            .object = sqlite3_column_int64(stmt, 3),
            .name = sqlite3_column_int64(stmt, 4),
            .version_us = sqlite3_column_int64(stmt, 5),
            .leaf = (uint64_t)sqlite3_column_int64(stmt, 6),
        };
        row = each(ctx, &r);
    }
    sqlite3_reset(stmt);
    return ok;
}

/* ---- erasing ---- */

struct erasing {
    uint64_t index;
    struct leaf_past past;
    struct buf body;
};

static bool copy_leaf(void *ctx, const struct store_leaf *l)
{
    struct erasing *x = ctx;
    static const char none[STORE_LEDGER_SALT_BYTES];
    struct store_leaf kept = *l;
    if (l->index == x->index) {
        kept.salt = (struct str){none, sizeof none};
        kept.record = STR("");
        kept.audience = 0;
    }
    leaf_put(&x->past, &kept, &x->body);
    return true;
}

bool store_ledger_erase(struct store *s, uint64_t index, struct err *e)
{
    struct erasing x = {.index = index};
    bool row;
    sqlite3_stmt *stmt = rows_from(s, STORE_LEDGER_ENTRIES, index, e);
    if (!stmt || !store_step(s, stmt, &row, e))
        return false;
    uint64_t first = row ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    uint64_t count = row ? (uint64_t)sqlite3_column_int64(stmt, 1) : 0;
    sqlite3_reset(stmt);
    if (index < first || index - first >= count)
        return err_set(e, ERR_NOT_FOUND, "the ledger has no leaf %llu", (unsigned long long)index);
    buf_init(&x.body, 0);
    leaf_past_init(&x.past);
    bool ok = store_ledger_each(s, first, first + count, copy_leaf, &x, e) && buf_ok(&x.body, e) &&
              (stmt = store_statement(s, STORE_LEDGER_BODY, e)) != NULL;
    if (ok) {
        sqlite3_bind_int64(stmt, 1, (int64_t)first);
        store_bind_blob(stmt, 2, x.body.p, x.body.n);
        ok = store_run(s, stmt, e);
    }
    leaf_past_done(&x.past);
    buf_done(&x.body);
    return ok;
}
