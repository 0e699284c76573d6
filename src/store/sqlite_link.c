/* The SQLite driver: what ties objects to each other. References, redacted copies, submitters, and
 * the objects whose release is to be looked at again. */
#include "store/sqlite_priv.h"

/* Runs a statement that writes up to three numbers. */
static bool put_numbers(struct store *s, enum store_statement which, const int64_t *v, int n,
                        struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, which, e);
    if (!stmt)
        return false;
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(stmt, i + 1, v[i]);
    return store_run(s, stmt, e);
}

bool store_reference_put(struct store *s, int64_t target, int64_t object, struct err *e)
{
    return put_numbers(s, STORE_REFERENCE_PUT, (int64_t[]){target, object}, 2, e);
}

bool store_referrers(struct store *s, int64_t target, store_referrer_fn *each, void *ctx,
                     struct err *e)
{
    bool row, ok;
    sqlite3_stmt *stmt = store_statement(s, STORE_REFERRERS, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, target);
    while ((ok = store_step(s, stmt, &row, e)) && row)
        if (!each(ctx, sqlite3_column_int64(stmt, 0), store_column(stmt, 1)))
            break;
    sqlite3_reset(stmt);
    return ok;
}

bool store_copy_put(struct store *s, const struct store_copy *c, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_COPY_PUT, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, store_name(s, c->origin_id));
    store_bind_blob(stmt, 2, c->profile, sizeof c->profile);
    sqlite3_bind_int64(stmt, 3, store_name(s, c->copy_id));
    store_bind_str(stmt, 4, c->origin_id);
    store_bind_str(stmt, 5, c->copy_id);
    sqlite3_bind_int(stmt, 6, c->varied);
    return store_run(s, stmt, e);
}

bool store_copies_of(struct store *s, struct str origin_id, store_copy_fn *each, void *ctx,
                     struct err *e)
{
    bool row, ok;
    sqlite3_stmt *stmt = store_statement(s, STORE_COPIES_OF, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, store_name(s, origin_id));
    while ((ok = store_step(s, stmt, &row, e)) && row)
        if (!each(ctx, store_column(stmt, 0), sqlite3_column_int(stmt, 1) != 0))
            break;
    sqlite3_reset(stmt);
    return ok;
}

bool store_copy_origin(struct store *s, struct arena *a, struct str copy_id, struct str *origin_id,
                       struct err *e)
{
    bool row, more = false;
    sqlite3_stmt *stmt = store_statement(s, STORE_COPY_ORIGIN, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, store_name(s, copy_id));
    if (!store_step(s, stmt, &row, e))
        return false;
    struct str one = row ? arena_str(a, store_column(stmt, 0)) : STR_NONE;
    if (row && !store_step(s, stmt, &more, e))
        return false;
    *origin_id = more ? STR_NONE : one;
    sqlite3_reset(stmt);
    return arena_ok(a, e);
}

bool store_derived_put(struct store *s, int64_t origin, int64_t copy, struct err *e)
{
    return put_numbers(s, STORE_DERIVED_PUT, (int64_t[]){origin, copy}, 2, e);
}

static bool each_number(struct store *s, sqlite3_stmt *stmt, store_number_fn *each, void *ctx,
                        struct err *e)
{
    bool row, ok;
    while ((ok = store_step(s, stmt, &row, e)) && row)
        if (!each(ctx, sqlite3_column_int64(stmt, 0)))
            break;
    sqlite3_reset(stmt);
    return ok;
}

bool store_derived_copies(struct store *s, int64_t origin, store_object_fn *each, void *ctx,
                          struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_DERIVED_COPIES, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, origin);
    return store_each_object(s, stmt, each, ctx, e);
}

bool store_copy_any(struct store *s, bool *any, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_COPY_ANY, e);
    if (!stmt || !store_step(s, stmt, any, e))
        return false;
    sqlite3_reset(stmt);
    return true;
}

bool store_derived_origins(struct store *s, int64_t copy, store_number_fn *each, void *ctx,
                           struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_DERIVED_ORIGINS, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, copy);
    return each_number(s, stmt, each, ctx, e);
}

bool store_submitter_put(struct store *s, int64_t object, int64_t collection, int64_t org,
                         struct err *e)
{
    return put_numbers(s, STORE_SUBMITTER_PUT, (int64_t[]){object, collection, org}, 3, e);
}

bool store_submitter_each(struct store *s, int64_t object, int64_t collection, store_org_fn *each,
                          void *ctx, struct err *e)
{
    bool row, ok;
    sqlite3_stmt *stmt = store_statement(s, STORE_SUBMITTER_EACH, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, object);
    sqlite3_bind_int64(stmt, 2, collection);
    while ((ok = store_step(s, stmt, &row, e)) && row) {
        struct store_org o = {sqlite3_column_int64(stmt, 0), store_column(stmt, 1),
                              store_column(stmt, 2), STR_NONE};
        if (!each(ctx, &o))
            break;
    }
    sqlite3_reset(stmt);
    return ok;
}

bool store_pending_put(struct store *s, int64_t object, struct err *e)
{
    return put_numbers(s, STORE_PENDING_PUT, &object, 1, e);
}

bool store_pending_take(struct store *s, size_t most, int64_t *out, size_t *count, struct err *e)
{
    bool row = false, ok = true;
    sqlite3_stmt *stmt = store_statement(s, STORE_PENDING_NEXT, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, (int64_t)most);
    *count = 0;
    while (*count < most && (ok = store_step(s, stmt, &row, e)) && row)
        out[(*count)++] = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    for (size_t i = 0; i < *count && ok; i++)
        ok = put_numbers(s, STORE_PENDING_DELETE, &out[i], 1, e);
    return ok;
}
