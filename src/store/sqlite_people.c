/* The SQLite driver: organisations and users. */
#include "store/sqlite_priv.h"

/* ---- organisations ---- */

bool store_org_get(struct store *s, struct arena *arena, int64_t id, struct store_org *out,
                   struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_ORG_GET, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    if (!store_step(s, stmt, &row, e))
        return false;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no organisation %lld", (long long)id);
    struct store_org org = {id, arena_str(arena, store_column(stmt, 1)),
                            arena_str(arena, store_column(stmt, 2)),
                            arena_str(arena, store_column(stmt, 3))};
    sqlite3_reset(stmt); /* else it holds on to its snapshot */
    if (!arena_ok(arena, e))
        return false;
    *out = org;
    return true;
}

bool store_org_by_identity(struct store *s, struct str identity, int64_t *id, struct err *e)
{
    *id = 0;
    if (identity.n == 0)
        return true;
    sqlite3_stmt *stmt = store_statement(s, STORE_ORG_BY_IDENTITY, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, identity);
    return store_find_id(s, stmt, id, e);
}

/* Runs a statement that writes an identity, which only one organisation may have. */
static bool run_identity(struct store *s, sqlite3_stmt *stmt, struct str identity, struct err *e)
{
    if (store_run(s, stmt, e))
        return true;
    if (e->code == ERR_CONFLICT)
        err_set(e, ERR_CONFLICT, "%.*s is another organisation's identity: give this one its own",
                STR_FMT(identity));
    return false;
}

bool store_org_put(struct store *s, struct str nation, struct str name, struct str identity,
                   int64_t *id, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_ORG_FIND, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, nation);
    store_bind_str(stmt, 2, name);
    if (!store_find_id(s, stmt, id, e))
        return false;
    if (*id && identity.n == 0)
        return true;
    stmt = store_statement(s, *id ? STORE_ORG_IDENTITY : STORE_ORG_ADD, e);
    if (!stmt)
        return false;
    if (*id) {
        sqlite3_bind_int64(stmt, 1, *id);
        store_bind_str(stmt, 2, identity);
        return run_identity(s, stmt, identity, e);
    }
    store_bind_str(stmt, 1, nation);
    store_bind_str(stmt, 2, name);
    store_bind_str(stmt, 3, identity);
    if (!run_identity(s, stmt, identity, e))
        return false;
    *id = sqlite3_last_insert_rowid(s->db);
    return true;
}

/* ---- users ---- */

bool store_user_add(struct store *s, const struct store_user_new *u, int64_t *id, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_USER_ADD, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, u->name);
    store_bind_str(stmt, 2, u->role);
    sqlite3_bind_int64(stmt, 3, u->org);
    store_bind_str(stmt, 4, u->password);
    store_bind_blob(stmt, 5, u->token_hash, CRYPT_SHA256_BYTES);
    store_bind_blob(stmt, 6, u->cert_hash, CRYPT_SHA256_BYTES);
    sqlite3_bind_int64(stmt, 7, now_us());
    sqlite3_bind_int64(stmt, 8, u->expires_us);
    if (!store_run(s, stmt, e)) {
        if (e->code == ERR_CONFLICT)
            err_set(e, ERR_CONFLICT, "user \"%.*s\" or this certificate exists already",
                    STR_FMT(u->name));
        return false;
    }
    *id = sqlite3_last_insert_rowid(s->db);
    return true;
}

bool store_user_revoke(struct store *s, struct str name, int64_t at_us, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_USER_REVOKE, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, name);
    sqlite3_bind_int64(stmt, 2, at_us);
    if (!store_run(s, stmt, e))
        return false;
    if (sqlite3_changes(s->db) == 0)
        return err_set(e, ERR_NOT_FOUND, "no user \"%.*s\" that is not revoked yet", STR_FMT(name));
    return true;
}

static bool user_columns(sqlite3_stmt *stmt, struct arena *arena, struct store_user *u,
                         struct err *e)
{
    *u = (struct store_user){
        .id = sqlite3_column_int64(stmt, 0),
        .org = sqlite3_column_int64(stmt, 1),
        .name = arena_str(arena, store_column(stmt, 2)),
        .role = arena_str(arena, store_column(stmt, 3)),
        .nation = arena_str(arena, store_column(stmt, 4)),
        .org_name = arena_str(arena, store_column(stmt, 5)),
        .identity = arena_str(arena, store_column(stmt, 6)),
        .password = arena_str(arena, store_column(stmt, 7)),
        .created_us = sqlite3_column_int64(stmt, 8),
        .expires_us = sqlite3_column_int64(stmt, 9),
        .revoked_us = sqlite3_column_int64(stmt, 10),
        .token_hash = arena_str(arena, store_column(stmt, 11)),
        .cert_hash = arena_str(arena, store_column(stmt, 12)),
    };
    return arena_ok(arena, e);
}

/* The key is bound already. */
static bool user_get(struct store *s, sqlite3_stmt *stmt, struct arena *arena,
                     struct store_user *out, struct err *e)
{
    bool row;
    if (!store_step(s, stmt, &row, e))
        return false;
    bool ok = row ? user_columns(stmt, arena, out, e) : err_set(e, ERR_NOT_FOUND, "no such user");
    sqlite3_reset(stmt);
    return ok;
}

bool store_user_by_name(struct store *s, struct arena *arena, struct str name,
                        struct store_user *out, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_USER_BY_NAME, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, name);
    return user_get(s, stmt, arena, out, e);
}

bool store_user_get(struct store *s, struct arena *arena, int64_t id, struct store_user *out,
                    struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_USER_GET, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    return user_get(s, stmt, arena, out, e);
}

static bool user_by_hash(struct store *s, enum store_statement which, struct arena *arena,
                         const unsigned char hash[32], struct store_user *out, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, which, e);
    if (!stmt)
        return false;
    store_bind_blob(stmt, 1, hash, CRYPT_SHA256_BYTES);
    return user_get(s, stmt, arena, out, e);
}

bool store_user_by_token(struct store *s, struct arena *arena, const unsigned char hash[32],
                         struct store_user *out, struct err *e)
{
    return user_by_hash(s, STORE_USER_BY_TOKEN, arena, hash, out, e);
}

bool store_user_by_cert(struct store *s, struct arena *arena, const unsigned char hash[32],
                        struct store_user *out, struct err *e)
{
    return user_by_hash(s, STORE_USER_BY_CERT, arena, hash, out, e);
}

bool store_user_each(struct store *s, struct arena *arena, store_user_fn *each, void *ctx,
                     struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_USER_EACH, e);
    bool row, ok = stmt != NULL;
    while (ok && (ok = store_step(s, stmt, &row, e)) && row) {
        struct store_user u;
        ok = user_columns(stmt, arena, &u, e);
        if (ok && !each(ctx, &u))
            break;
    }
    if (stmt)
        sqlite3_reset(stmt);
    return ok;
}
