/* The SQLite driver: what was withdrawn from whom, and the receipts for it. */
#include <string.h>

#include "store/sqlite_priv.h"

/* ---- withdrawals ---- */

bool store_withdrawal_add(struct store *s, const struct store_withdrawal *w, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_WITHDRAWAL_ADD, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, (int64_t)w->leaf);
    store_bind_str(stmt, 2, w->collection);
    sqlite3_bind_int64(stmt, 3, w->audience);
    sqlite3_bind_int64(stmt, 4, w->at_us);
    sqlite3_bind_int64(stmt, 5, w->source_org);
    sqlite3_bind_int64(stmt, 6, store_name(s, w->id));
    store_bind_str(stmt, 7, w->id);
    store_bind_str(stmt, 8, w->version);
    return store_run(s, stmt, e);
}

bool store_withdrawal_each(struct store *s, const struct store_withdrawn *q,
                           store_withdrawal_fn *each, void *ctx, struct err *e)
{
    bool row = true, ok = true;
    sqlite3_stmt *stmt = store_statement(s, STORE_WITHDRAWAL_OF_READER, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, q->collection);
    sqlite3_bind_int64(stmt, 2, q->audience);
    sqlite3_bind_int64(stmt, 3, (int64_t)q->first);
    sqlite3_bind_int64(stmt, 4, (int64_t)q->limit);
    while (row && (ok = store_step(s, stmt, &row, e)) && row) {
        struct store_withdrawal w = {.leaf = (uint64_t)sqlite3_column_int64(stmt, 0),
                                     .audience = q->audience,
                                     .collection = q->collection,
                                     .id = store_column(stmt, 1),
                                     .version = store_column(stmt, 2)};
        row = each(ctx, &w);
    }
    sqlite3_reset(stmt);
    return ok;
}

/* Steps through a statement of all columns. */
static bool each_withdrawal(struct store *s, sqlite3_stmt *stmt, store_withdrawal_fn *each,
                            void *ctx, struct err *e)
{
    bool row = true, ok = true;
    while (row && (ok = store_step(s, stmt, &row, e)) && row) {
        struct store_withdrawal w = {.leaf = (uint64_t)sqlite3_column_int64(stmt, 0),
                                     .collection = store_column(stmt, 1),
                                     .audience = sqlite3_column_int64(stmt, 2),
                                     .at_us = sqlite3_column_int64(stmt, 3),
                                     .source_org = sqlite3_column_int64(stmt, 4),
                                     .id = store_column(stmt, 5),
                                     .version = store_column(stmt, 6),
                                     .audience_text = store_column(stmt, 7)};
        row = each(ctx, &w);
    }
    sqlite3_reset(stmt);
    return ok;
}

bool store_withdrawal_any(struct store *s, bool *any, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_WITHDRAWAL_ANY, e);
    if (!stmt || !store_step(s, stmt, any, e))
        return false;
    sqlite3_reset(stmt);
    return true;
}

bool store_withdrawal_of(struct store *s, struct str id, store_withdrawal_fn *each, void *ctx,
                         struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_WITHDRAWAL_OF_NAME, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, store_name(s, id));
    return each_withdrawal(s, stmt, each, ctx, e);
}

bool store_withdrawal_all(struct store *s, store_withdrawal_fn *each, void *ctx, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_WITHDRAWAL_EACH, e);
    return stmt && each_withdrawal(s, stmt, each, ctx, e);
}

bool store_withdrawal_get(struct store *s, uint64_t leaf, store_withdrawal_fn *each, void *ctx,
                          struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_WITHDRAWAL_GET, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, (int64_t)leaf);
    return each_withdrawal(s, stmt, each, ctx, e);
}

/* ---- receipts ---- */

bool store_receipt_put(struct store *s, const struct store_receipt *r, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_RECEIPT_PUT, e);
    if (!stmt)
        return false;
    sqlite3_bind_int(stmt, 1, r->given);
    store_bind_str(stmt, 2, r->party);
    store_bind_blob(stmt, 3, r->entry.b, LEDGER_HASH_BYTES);
    sqlite3_bind_int64(stmt, 4, (int64_t)r->leaf);
    sqlite3_bind_int64(stmt, 5, (int64_t)r->own);
    sqlite3_bind_int64(stmt, 6, r->at_us);
    store_bind_str(stmt, 7, r->outcome);
    store_bind_str(stmt, 8, r->proof.p ? r->proof : STR(""));
    return store_run(s, stmt, e);
}

static bool each_receipt(struct store *s, sqlite3_stmt *stmt, bool given, store_receipt_fn *each,
                         void *ctx, struct err *e)
{
    bool row = true, ok = true;
    while (row && (ok = store_step(s, stmt, &row, e)) && row) {
        struct str entry = store_column(stmt, 1);
        struct store_receipt r = {.given = given,
                                  .party = store_column(stmt, 0),
                                  .leaf = (uint64_t)sqlite3_column_int64(stmt, 2),
                                  .own = (uint64_t)sqlite3_column_int64(stmt, 3),
                                  .at_us = sqlite3_column_int64(stmt, 4),
                                  .outcome = store_column(stmt, 5),
                                  .proof = store_column(stmt, 6)};
        if (entry.n == LEDGER_HASH_BYTES)
            memcpy(r.entry.b, entry.p, LEDGER_HASH_BYTES);
        row = each(ctx, &r);
    }
    sqlite3_reset(stmt);
    return ok;
}

bool store_receipt_get(struct store *s, const struct store_receipt *r, store_receipt_fn *each,
                       void *ctx, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_RECEIPT_GET, e);
    if (!stmt)
        return false;
    sqlite3_bind_int(stmt, 1, r->given);
    store_bind_str(stmt, 2, r->party);
    store_bind_blob(stmt, 3, r->entry.b, LEDGER_HASH_BYTES);
    return each_receipt(s, stmt, r->given, each, ctx, e);
}

bool store_receipt_each(struct store *s, uint64_t leaf, store_receipt_fn *each, void *ctx,
                        struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_RECEIPT_OF_LEAF, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, (int64_t)leaf);
    return each_receipt(s, stmt, false, each, ctx, e);
}

bool store_receipt_all(struct store *s, bool given, store_receipt_fn *each, void *ctx,
                       struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_RECEIPT_EACH, e);
    if (!stmt)
        return false;
    sqlite3_bind_int(stmt, 1, given);
    return each_receipt(s, stmt, given, each, ctx, e);
}
