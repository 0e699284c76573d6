/* The SQLite driver: what waits for officers, and their approvals. */
#include "store/sqlite_priv.h"

bool store_desk_add(struct store *s, const struct store_desk *d, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_DESK_ADD, e);
    if (!stmt)
        return false;
    sqlite3_bind_int(stmt, 1, (int)d->kind);
    sqlite3_bind_int64(stmt, 2, d->object);
    sqlite3_bind_int64(stmt, 3, d->collection);
    store_bind_str(stmt, 4, d->audience);
    sqlite3_bind_int64(stmt, 5, d->org);
    sqlite3_bind_int64(stmt, 6, d->user);
    store_bind_str(stmt, 7, d->stix_id);
    store_bind_str(stmt, 8, d->type);
    sqlite3_bind_int64(stmt, 9, d->rule_line);
    store_bind_str(stmt, 10, d->rule);
    sqlite3_bind_int64(stmt, 11, d->officers);
    sqlite3_bind_int(stmt, 12, d->by_name);
    sqlite3_bind_int64(stmt, 13, d->at_us);
    sqlite3_bind_int64(stmt, 14, d->expires_us);
    store_bind_blob(stmt, 15, d->bytes.p, d->bytes.n);
    return store_run(s, stmt, e);
}

/* Columns of STORE_DESK_COLUMNS and, in quarantine, the bytes behind them. */
static struct store_desk desk_columns(sqlite3_stmt *stmt)
{
    return (struct store_desk){
        .id = sqlite3_column_int64(stmt, 0),
        .kind = (enum store_desk_kind)sqlite3_column_int(stmt, 1),
        .state = (enum store_desk_state)sqlite3_column_int(stmt, 2),
        .object = sqlite3_column_int64(stmt, 3),
        .collection = sqlite3_column_int64(stmt, 4),
        .audience = store_column(stmt, 5),
        .org = sqlite3_column_int64(stmt, 6),
        .user = sqlite3_column_int64(stmt, 7),
        .stix_id = store_column(stmt, 8),
        .type = store_column(stmt, 9),
        .rule_line = (unsigned)sqlite3_column_int64(stmt, 10),
        .rule = store_column(stmt, 11),
        .officers = (unsigned)sqlite3_column_int64(stmt, 12),
        .by_name = sqlite3_column_int(stmt, 13) != 0,
        .at_us = sqlite3_column_int64(stmt, 14),
        .expires_us = sqlite3_column_int64(stmt, 15),
        .reason = store_column(stmt, 16),
        .bytes = sqlite3_column_count(stmt) > 17 ? store_column(stmt, 17) : STR_NONE,
    };
}

static bool each_desk(struct store *s, sqlite3_stmt *stmt, store_desk_fn *each, void *ctx,
                      size_t *count, struct err *e)
{
    bool row, ok;
    *count = 0;
    while ((ok = store_step(s, stmt, &row, e)) && row) {
        struct store_desk d = desk_columns(stmt);
        ++*count;
        if (!each(ctx, &d))
            break;
    }
    sqlite3_reset(stmt);
    return ok;
}

bool store_desk_get(struct store *s, int64_t id, store_desk_fn *each, void *ctx, struct err *e)
{
    size_t count;
    sqlite3_stmt *stmt = store_statement(s, STORE_DESK_GET, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    if (!each_desk(s, stmt, each, ctx, &count, e))
        return false;
    return count ||
           err_set(e, ERR_NOT_FOUND, "nothing at the release desk is numbered %lld", (long long)id);
}

bool store_desk_each(struct store *s, bool all, store_desk_fn *each, void *ctx, struct err *e)
{
    size_t count;
    sqlite3_stmt *stmt = store_statement(s, all ? STORE_DESK_ALL : STORE_DESK_OPEN, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, 0);
    return each_desk(s, stmt, each, ctx, &count, e);
}

bool store_desk_of_object(struct store *s, int64_t object, int64_t collection, store_desk_fn *each,
                          void *ctx, struct err *e)
{
    size_t count;
    sqlite3_stmt *stmt = store_statement(s, STORE_DESK_OF_OBJECT, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, object);
    sqlite3_bind_int64(stmt, 2, collection);
    return each_desk(s, stmt, each, ctx, &count, e);
}

bool store_desk_any(struct store *s, bool *any, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_DESK_ANY, e);
    if (!stmt || !store_step(s, stmt, any, e))
        return false;
    sqlite3_reset(stmt);
    return true;
}

bool store_desk_close(struct store *s, int64_t id, enum store_desk_state state, struct str reason,
                      struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_DESK_CLOSE, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int(stmt, 2, (int)state);
    store_bind_str(stmt, 3, reason);
    if (!store_run(s, stmt, e))
        return false;
    return sqlite3_changes(s->db) == 1 ||
           err_set(e, ERR_CONFLICT, "%lld does not wait at the release desk any more",
                   (long long)id);
}

bool store_desk_expire(struct store *s, int64_t now_us, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_DESK_EXPIRE, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, now_us);
    return store_run(s, stmt, e);
}

/* NOLINTNEXTLINE(readability-function-size): a vote's four columns */
bool store_vote_put(struct store *s, int64_t desk, struct str party, int64_t user, int64_t at_us,
                    struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_VOTE_PUT, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, desk);
    store_bind_str(stmt, 2, party);
    sqlite3_bind_int64(stmt, 3, user);
    sqlite3_bind_int64(stmt, 4, at_us);
    return store_run(s, stmt, e);
}

bool store_vote_each(struct store *s, int64_t desk, store_vote_fn *each, void *ctx, struct err *e)
{
    bool row, ok;
    sqlite3_stmt *stmt = store_statement(s, STORE_VOTE_EACH, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, desk);
    while ((ok = store_step(s, stmt, &row, e)) && row) {
        struct store_vote v = {store_column(stmt, 0), store_column(stmt, 1),
                               sqlite3_column_int64(stmt, 2), sqlite3_column_int64(stmt, 3)};
        if (!each(ctx, &v))
            break;
    }
    sqlite3_reset(stmt);
    return ok;
}
