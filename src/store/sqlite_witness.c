/* The SQLite driver: what this node and its partners have seen of each other's ledgers. */
#include "store/sqlite_priv.h"

enum { TEXTS = 7 };

static struct store_witness row_of(struct arena *a, sqlite3_stmt *stmt)
{
    struct str t[TEXTS];
    for (int i = 0; i < TEXTS; i++)
        t[i] = arena_str(a, store_column(stmt, i));
    return (struct store_witness){
        .party = t[0],
        .log_key = t[1],
        .witness_key = t[2],
        .seen = t[3],
        .state = t[4],
        .evidence = t[5],
        .cosigned = t[6],
        .seen_us = sqlite3_column_int64(stmt, TEXTS),
        .cosigned_us = sqlite3_column_int64(stmt, TEXTS + 1),
        .accepted_us = sqlite3_column_int64(stmt, TEXTS + 2),
    };
}

bool store_witness_get(struct store *s, struct arena *a, struct str party,
                       struct store_witness *out, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_WITNESS_GET, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, party);
    if (!store_step(s, stmt, &row, e))
        return false;
    *out = row ? row_of(a, stmt) : (struct store_witness){.party = arena_str(a, party)};
    sqlite3_reset(stmt);
    return arena_ok(a, e);
}

bool store_witness_put(struct store *s, const struct store_witness *w, struct err *e)
{
    const struct str texts[TEXTS] = {w->party, w->log_key,  w->witness_key, w->seen,
                                     w->state, w->evidence, w->cosigned};
    sqlite3_stmt *stmt = store_statement(s, STORE_WITNESS_PUT, e);
    if (!stmt)
        return false;
    for (int i = 0; i < TEXTS; i++)
        store_bind_str(stmt, i + 1, texts[i].p ? texts[i] : STR(""));
    sqlite3_bind_int64(stmt, TEXTS + 1, w->seen_us);
    sqlite3_bind_int64(stmt, TEXTS + 2, w->cosigned_us);
    sqlite3_bind_int64(stmt, TEXTS + 3, w->accepted_us);
    return store_run(s, stmt, e);
}

bool store_witness_each(struct store *s, struct arena *a, store_witness_fn *each, void *ctx,
                        struct err *e)
{
    bool row = true, ok = true;
    sqlite3_stmt *stmt = store_statement(s, STORE_WITNESS_EACH, e);
    if (!stmt)
        return false;
    while (row && (ok = store_step(s, stmt, &row, e)) && row) {
        struct store_witness w = row_of(a, stmt);
        ok = arena_ok(a, e);
        row = ok && each(ctx, &w);
    }
    sqlite3_reset(stmt);
    return ok;
}
