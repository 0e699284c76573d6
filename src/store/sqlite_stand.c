/* The SQLite driver: whether anything has changed for a reader, in steps that follow only its rows.
 */
#include "store/sqlite_priv.h"

bool store_moved(struct store *s, int64_t collection, int64_t audience, int64_t other,
                 struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_MOVED_ADD, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, collection);
    sqlite3_bind_int64(stmt, 2, audience);
    sqlite3_bind_int64(stmt, 3, other);
    return store_run(s, stmt, e);
}

void store_note_added(struct store *s, int64_t collection, int64_t audience)
{
    /* Rows come in long runs of one audience. */
    for (size_t i = s->added_count; i-- > 0;)
        if (i < LIMIT_STORE_ADDED && s->added[i].collection == collection &&
            s->added[i].audience == audience)
            return;
    if (s->added_count < LIMIT_STORE_ADDED)
        s->added[s->added_count] = (struct store_added){collection, audience};
    if (s->added_count <= LIMIT_STORE_ADDED)
        s->added_count++;
}

bool store_added(struct store *s, const struct store_added **list, size_t *count)
{
    bool all = s->added_count <= LIMIT_STORE_ADDED;
    *list = s->added;
    *count = all ? s->added_count : LIMIT_STORE_ADDED;
    s->added_count = 0;
    return all;
}

static bool contains(const int64_t *sorted, size_t count, int64_t number)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (sorted[middle] == number)
            return true;
        if (sorted[middle] < number)
            low = middle + 1;
        else
            count = middle;
    }
    return false;
}

static sqlite3_stmt *of_audience(struct store *s, enum store_statement which,
                                 const struct store_query *q, size_t i, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, which, e);
    if (!stmt)
        return NULL;
    sqlite3_bind_int64(stmt, 1, q->collection);
    sqlite3_bind_int64(stmt, 2, q->audiences[i]);
    return stmt;
}

static bool add_newest(struct store *s, const struct store_query *q, size_t i,
                       struct store_stand *out, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = of_audience(s, STORE_RELEASE_NEWEST_DATE, q, i, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 3, out->newest_us);
    if (!store_step(s, stmt, &row, e))
        return false;
    if (row)
        out->newest_us = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return true;
}

static bool add_moved(struct store *s, const struct store_query *q, size_t i,
                      struct store_stand *out, struct err *e)
{
    bool row, ok;
    sqlite3_stmt *stmt = of_audience(s, STORE_MOVED_EACH, q, i, e);
    if (!stmt)
        return false;
    while ((ok = store_step(s, stmt, &row, e)) && row)
        if (!contains(q->audiences, q->audience_count, sqlite3_column_int64(stmt, 0)))
            out->moved += (uint64_t)sqlite3_column_int64(stmt, 1);
    sqlite3_reset(stmt);
    return ok;
}

bool store_stand(struct store *s, const struct store_query *q, struct store_stand *out,
                 struct err *e)
{
    struct store_stand stand = {.newest_us = INT64_MIN};
    must(s->in_transaction);
    for (size_t i = 0; i < q->audience_count; i++)
        if (!add_newest(s, q, i, &stand, e) || !add_moved(s, q, i, &stand, e))
            return false;
    *out = stand;
    return true;
}

bool store_names_after(struct store *s, const struct store_query *q, struct store_name *out,
                       size_t *count, bool *more, struct err *e)
{
    const struct store_release_row *row = NULL;
    int64_t audience;
    size_t n = 0;
    bool ok = store_merge_start(s, q, NULL, 0, e);
    while (ok && (ok = store_merge_next(s, &row, &audience, e)) && row && n < q->limit)
        out[n++] = (struct store_name){row->name, row->date_added};
    if (!ok)
        return false;
    *count = n;
    *more = row != NULL;
    return true;
}

bool store_state(struct store *s, int64_t *state, struct err *e)
{
    bool row = s->held && s->state_known;
    sqlite3_stmt *stmt = row ? NULL : store_statement(s, STORE_DATA_VERSION, e);
    if (!row && (!stmt || !store_step(s, stmt, &row, e)))
        return false;
    if (row && stmt)
        s->state = sqlite3_column_int64(stmt, 0);
    if (stmt)
        sqlite3_reset(stmt);
    if (row)
        *state = s->state;
    s->state_known = row;
    return row || err_set(e, ERR_STORE, "no data_version");
}
