/* The SQLite driver: envelopes that were acknowledged and wait to be decided about. */
#include "store/sqlite_priv.h"

bool store_envelope_put(struct store *s, const struct store_envelope *v, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_PUT, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, v->uuid);
    sqlite3_bind_int64(stmt, 2, v->user);
    sqlite3_bind_int64(stmt, 3, v->collection);
    sqlite3_bind_int64(stmt, 4, v->at_us);
    sqlite3_bind_int64(stmt, 5, (int64_t)v->body.n);
    store_bind_blob(stmt, 6, v->body.p, v->body.n);
    bool ok = store_run(s, stmt, e);
    sqlite3_clear_bindings(stmt); /* the body is the caller's */
    return ok;
}

bool store_envelope_bytes(struct store *s, int64_t user, int64_t org,
                          struct store_waiting_bytes *out, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_BYTES, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, user);
    sqlite3_bind_int64(stmt, 2, org);
    if (!store_step(s, stmt, &row, e))
        return false;
    *out = (struct store_waiting_bytes){.all = (uint64_t)sqlite3_column_int64(stmt, 0),
                                        .org = (uint64_t)sqlite3_column_int64(stmt, 1),
                                        .user = (uint64_t)sqlite3_column_int64(stmt, 2)};
    sqlite3_reset(stmt);
    return true;
}

bool store_envelope_backlog(struct store *s, struct store_backlog *out, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_BACKLOG, e);
    if (!stmt || !store_step(s, stmt, &row, e))
        return false;
    *out = (struct store_backlog){.count = (uint64_t)sqlite3_column_int64(stmt, 0),
                                  .bytes = (uint64_t)sqlite3_column_int64(stmt, 1),
                                  .oldest_us = sqlite3_column_int64(stmt, 2)};
    sqlite3_reset(stmt);
    return true;
}

static bool each_waiting(struct store *s, sqlite3_stmt *stmt, store_waiting_fn *each, void *ctx,
                         struct err *e)
{
    bool row = true, ok = true;
    while ((ok = store_step(s, stmt, &row, e)) && row)
        each(ctx, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1));
    sqlite3_reset(stmt);
    return ok;
}

bool store_envelope_waiting(struct store *s, store_waiting_fn *each, void *ctx, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_WAITING, e);
    return stmt && each_waiting(s, stmt, each, ctx, e);
}

/* NOLINTNEXTLINE(readability-function-size): three words of a question, and who hears the answer */
bool store_envelope_naming(struct store *s, int64_t collection, int64_t org, struct str text,
                           store_waiting_fn *each, void *ctx, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_NAMING, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, collection);
    sqlite3_bind_int64(stmt, 2, org);
    store_bind_blob(stmt, 3, text.p, text.n);
    return each_waiting(s, stmt, each, ctx, e);
}

bool store_envelope_get(struct store *s, int64_t id, store_envelope_fn *each, void *ctx,
                        struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_GET, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    if (!store_step(s, stmt, &row, e))
        return false;
    if (row) {
        struct store_envelope v = {.id = sqlite3_column_int64(stmt, 0),
                                   .uuid = store_column(stmt, 1),
                                   .user = sqlite3_column_int64(stmt, 2),
                                   .collection = sqlite3_column_int64(stmt, 3),
                                   .at_us = sqlite3_column_int64(stmt, 4),
                                   .decided = (uint64_t)sqlite3_column_int64(stmt, 5),
                                   .body = store_column(stmt, 6)};
        each(ctx, &v);
    }
    sqlite3_reset(stmt);
    return true;
}

bool store_envelope_advance(struct store *s, int64_t id, uint64_t from, uint64_t upto, bool *there,
                            struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_ADVANCE, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, (int64_t)from);
    sqlite3_bind_int64(stmt, 3, (int64_t)upto);
    if (!store_run(s, stmt, e))
        return false;
    *there = sqlite3_changes(s->db) == 1;
    return true;
}

bool store_envelope_take(struct store *s, int64_t id, uint64_t from, bool *there, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_TAKE, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, (int64_t)from);
    if (!store_run(s, stmt, e))
        return false;
    *there = sqlite3_changes(s->db) == 1;
    return true;
}

bool store_envelope_waits(struct store *s, int64_t id, bool *waits, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_DECIDED, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    if (!store_step(s, stmt, waits, e))
        return false;
    sqlite3_reset(stmt);
    return true;
}

bool store_piece_put(struct store *s, int64_t id, uint64_t first, struct str results, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_PIECE_PUT, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, (int64_t)first);
    store_bind_blob(stmt, 3, results.p, results.n);
    return store_run(s, stmt, e);
}

bool store_piece_each(struct store *s, int64_t id, store_piece_fn *each, void *ctx, struct err *e)
{
    bool row = true, ok = true;
    sqlite3_stmt *stmt = store_statement(s, STORE_PIECE_EACH, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    while (row && (ok = store_step(s, stmt, &row, e)) && row)
        row = each(ctx, (uint64_t)sqlite3_column_int64(stmt, 0), store_column(stmt, 1));
    sqlite3_reset(stmt);
    return ok;
}

bool store_envelope_withdraw(struct store *s, int64_t id, struct str stix_id, bool *noted,
                             struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_ENVELOPE_WITHDRAW, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    store_bind_str(stmt, 2, stix_id);
    if (!store_run(s, stmt, e))
        return false;
    *noted = sqlite3_changes(s->db) == 1;
    return true;
}

bool store_envelope_withdrawn(struct store *s, int64_t id, struct str stix_id, bool *yes,
                              struct err *e)
{
    sqlite3_stmt *stmt =
        store_statement(s, stix_id.p ? STORE_ENVELOPE_WITHDRAWN : STORE_ENVELOPE_WITHDRAWN_ANY, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    if (stix_id.p)
        store_bind_str(stmt, 2, stix_id);
    if (!store_step(s, stmt, yes, e))
        return false;
    sqlite3_reset(stmt);
    return true;
}

static bool end_of(struct store *s, enum store_statement which, int64_t id, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, which, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    return store_run(s, stmt, e);
}

bool store_envelope_end(struct store *s, int64_t id, struct err *e)
{
    return end_of(s, STORE_ENVELOPE_END, id, e) && end_of(s, STORE_PIECE_END, id, e);
}
