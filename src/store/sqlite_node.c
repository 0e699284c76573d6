/* The SQLite driver: what a node has few of: collections, audiences, values, partners; and the
 * status of envelopes. */
#include "store/sqlite_priv.h"

/* ---- collections ---- */

bool store_collection_add(struct store *s, const struct store_collection *c, int64_t *id,
                          struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_COLLECTION_ADD, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, c->uuid);
    store_bind_str(stmt, 2, c->root);
    store_bind_str(stmt, 3, c->title);
    store_bind_str(stmt, 4, c->alias);
    store_bind_str(stmt, 5, c->description);
    sqlite3_bind_int64(stmt, 6, c->marking);
    if (!store_run(s, stmt, e)) {
        if (e->code == ERR_CONFLICT)
            err_set(e, ERR_CONFLICT,
                    "alias \"%.*s\" or id %.*s is taken in API root %.*s: choose another",
                    STR_FMT(c->alias), STR_FMT(c->uuid), STR_FMT(c->root));
        return false;
    }
    *id = sqlite3_last_insert_rowid(s->db);
    return true;
}

bool store_collection_each(struct store *s, store_collection_fn *each, void *ctx, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_COLLECTION_EACH, e);
    bool row, ok = stmt != NULL;
    while (ok && (ok = store_step(s, stmt, &row, e)) && row) {
        struct store_collection c = {
            .id = sqlite3_column_int64(stmt, 0),
            .uuid = store_column(stmt, 1),
            .root = store_column(stmt, 2),
            .title = store_column(stmt, 3),
            .alias = store_column(stmt, 4),
            .description = store_column(stmt, 5),
            .marking = (unsigned)sqlite3_column_int(stmt, 6),
        };
        if (!each(ctx, &c))
            break;
    }
    if (stmt)
        sqlite3_reset(stmt);
    return ok;
}

/* ---- audiences ---- */

bool store_audience_put(struct store *s, struct str text, int64_t *id, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_AUDIENCE_FIND, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, text);
    if (!store_find_id(s, stmt, id, e))
        return false;
    if (*id)
        return true;
    stmt = store_statement(s, STORE_AUDIENCE_ADD, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, text);
    if (!store_run(s, stmt, e))
        return false;
    *id = sqlite3_last_insert_rowid(s->db);
    return true;
}

bool store_audience_each(struct store *s, int64_t after, store_audience_fn *each, void *ctx,
                         struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_AUDIENCE_EACH, e);
    bool row, ok = stmt != NULL;
    if (ok)
        sqlite3_bind_int64(stmt, 1, after);
    while (ok && (ok = store_step(s, stmt, &row, e)) && row)
        if (!each(ctx, sqlite3_column_int64(stmt, 0), store_column(stmt, 1)))
            break;
    if (stmt)
        sqlite3_reset(stmt);
    return ok;
}

/* ---- status, values, partners ---- */

bool store_status_put(struct store *s, const char *uuid, int64_t user, int64_t at_us,
                      struct str json, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_STATUS_PUT, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, str_of(uuid));
    sqlite3_bind_int64(stmt, 2, user);
    sqlite3_bind_int64(stmt, 3, at_us);
    store_bind_blob(stmt, 4, json.p, json.n);
    return store_run(s, stmt, e);
}

/* Appends the first column of the one row. */
static bool get_blob(struct store *s, sqlite3_stmt *stmt, struct buf *out, const char *what,
                     struct err *e)
{
    bool row;
    if (!store_step(s, stmt, &row, e))
        return false;
    if (row)
        buf_str(out, store_column(stmt, 0));
    sqlite3_reset(stmt);
    return row ? buf_ok(out, e) : err_set(e, ERR_NOT_FOUND, "no such %s", what);
}

bool store_status_get(struct store *s, struct str uuid, int64_t user, struct buf *json,
                      struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_STATUS_GET, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, uuid);
    sqlite3_bind_int64(stmt, 2, user);
    return get_blob(s, stmt, json, "status", e);
}

bool store_status_expire(struct store *s, int64_t before_us, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_STATUS_EXPIRE, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, before_us);
    return store_run(s, stmt, e);
}

bool store_value_get(struct store *s, struct str key, struct buf *out, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_VALUE_GET, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, key);
    return get_blob(s, stmt, out, "value", e);
}

bool store_value_put(struct store *s, struct str key, struct str value, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_VALUE_PUT, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, key);
    store_bind_blob(stmt, 2, value.p, value.n);
    return store_run(s, stmt, e);
}

bool store_peer_add(struct store *s, const struct store_peer *p, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_PEER_ADD, e);
    if (!stmt)
        return false;
    const struct str texts[] = {p->name, p->url, p->ca, p->auth, p->remote, p->nation, p->org};
    for (int i = 0; i < 7; i++)
        store_bind_str(stmt, i + 1, texts[i]);
    sqlite3_bind_int64(stmt, 8, p->collection);
    if (store_run(s, stmt, e))
        return true;
    if (e->code == ERR_CONFLICT)
        err_set(e, ERR_CONFLICT,
                "partner \"%.*s\" already pulls \"%.*s\": `setu peer list` shows it",
                STR_FMT(p->name), STR_FMT(p->remote));
    return false;
}

bool store_peer_cursor(struct store *s, int64_t id, struct str cursor, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_PEER_CURSOR, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    store_bind_str(stmt, 2, cursor);
    return store_run(s, stmt, e);
}

bool store_peer_withdrawn(struct store *s, int64_t id, uint64_t next, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_PEER_WITHDRAWN, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, (int64_t)next);
    return store_run(s, stmt, e);
}

bool store_peer_again(struct store *s, struct str party, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_PEER_AGAIN, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, party);
    return store_run(s, stmt, e);
}

bool store_peer_each(struct store *s, struct arena *arena, store_peer_fn *each, void *ctx,
                     struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_PEER_EACH, e);
    bool row, ok = stmt != NULL;
    while (ok && (ok = store_step(s, stmt, &row, e)) && row) {
        struct str t[8];
        for (int i = 0; i < 8; i++)
            t[i] = arena_str(arena, store_column(stmt, i + 2));
        struct store_peer p = {sqlite3_column_int64(stmt, 0),
                               sqlite3_column_int64(stmt, 1),
                               t[0],
                               t[1],
                               t[2],
                               t[3],
                               t[4],
                               t[5],
                               t[6],
                               t[7],
                               (uint64_t)sqlite3_column_int64(stmt, 10)};
        ok = arena_ok(arena, e);
        if (ok && !each(ctx, &p))
            break;
    }
    if (stmt)
        sqlite3_reset(stmt);
    return ok;
}
