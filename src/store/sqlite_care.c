/* The SQLite driver: copying a database that others write, looking for damage, instants given out.
 */
#include <string.h>

#include "store/sqlite_priv.h"

/* What others wait for at most while a copy reads on. */
#define COPY_PAGES 1024

unsigned store_schema(void)
{
    return STORE_SCHEMA_VERSION;
}

/* ---- copying ---- */

static bool copy_failed(struct err *e, sqlite3 *to, const char *path)
{
    return err_set(e, store_code(sqlite3_errcode(to)), "cannot write %s: %s", path,
                   sqlite3_errmsg(to));
}

/* The source is in a transaction, so that all steps see one state, whatever others write. */
static bool copy_pages(struct store *s, sqlite3 *to, const struct store_copying *c, struct err *e)
{
    int rc = SQLITE_OK;
    sqlite3_backup *b = sqlite3_backup_init(to, "main", s->db, "main");
    if (!b)
        return copy_failed(e, to, c->path);
    while (rc == SQLITE_OK) {
        rc = sqlite3_backup_step(b, COPY_PAGES);
        int all = sqlite3_backup_pagecount(b);
        if (rc == SQLITE_OK && c->progress &&
            !c->progress(c->ctx, (uint64_t)(all - sqlite3_backup_remaining(b)), (uint64_t)all)) {
            sqlite3_backup_finish(b);
            return err_set(e, ERR_BUSY, "stopped");
        }
    }
    rc = sqlite3_backup_finish(b);
    return rc == SQLITE_OK || copy_failed(e, to, c->path);
}

bool store_copy(struct store *s, const struct store_copying *c, struct err *e)
{
    sqlite3 *to = NULL;
    must(s->in_transaction && !s->writable);
    bool ok = sqlite3_open_v2(c->path, &to, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
              sqlite3_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL,
                           NULL) == SQLITE_OK;
    ok = ok ? copy_pages(s, to, c, e) : copy_failed(e, to, c->path);
    sqlite3_close(to);
    return ok;
}

/* ---- damage ---- */

bool store_check(struct store *s, bool thorough, store_text_fn *each, void *ctx, struct err *e)
{
    bool row = true, ok = true;
    sqlite3_stmt *stmt =
        store_statement(s, thorough ? STORE_INTEGRITY_CHECK : STORE_QUICK_CHECK, e);
    if (!stmt)
        return false;
    while ((ok = store_step(s, stmt, &row, e)) && row) {
        struct str text = store_column(stmt, 0);
        if (!str_eq(text, STR("ok")) && !each(ctx, text))
            break;
    }
    sqlite3_reset(stmt);
    return ok;
}

/* ---- instants ---- */

bool store_dates_last(struct store *s, int64_t *us, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_DATES_LAST, e);
    if (!stmt || !store_step(s, stmt, &row, e))
        return false;
    *us = row ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return true;
}

bool store_dates_raise(struct store *s, int64_t floor_us, int64_t ahead_us, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_DATES_RAISE, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, floor_us);
    sqlite3_bind_int64(stmt, 2, ahead_us);
    return store_run(s, stmt, e);
}
