/* The SQLite driver: release rows. Adding them, changing their audience, taking them back. */
#include "store/sqlite_priv.h"

static bool read_last(struct store *s, int64_t collection, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_COLLECTION_LAST, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, collection);
    if (!store_step(s, stmt, &row, e))
        return false;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no such collection");
    s->dates = (struct store_dates){collection, sqlite3_column_int64(stmt, 0), false};
    sqlite3_reset(stmt);
    return true;
}

bool store_dates_write(struct store *s, struct err *e)
{
    if (!s->dates.changed)
        return true;
    sqlite3_stmt *stmt = store_statement(s, STORE_COLLECTION_SET_LAST, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, s->dates.collection);
    sqlite3_bind_int64(stmt, 2, s->dates.last_us);
    s->dates.changed = false;
    return store_run(s, stmt, e);
}

/* date_added is unique and strictly increasing in a collection. The last one is read inside the
 * transaction, so that two processes that write one database keep the order too. */
static bool next_date(struct store *s, int64_t collection, int64_t *date, struct err *e)
{
    must(s->in_transaction);
    if (s->dates.collection != collection &&
        (!store_dates_write(s, e) || !read_last(s, collection, e)))
        return false;
    int64_t now = now_us();
    *date = now > s->dates.last_us ? now : s->dates.last_us + 1;
    s->dates.last_us = *date;
    s->dates.changed = true;
    return true;
}

/* Binds (collection, name, version_us); NULL on failure. */
static sqlite3_stmt *bind_version(struct store *s, enum store_statement which, int64_t collection,
                                  const struct store_object *o, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, which, e);
    if (!stmt)
        return NULL;
    sqlite3_bind_int64(stmt, 1, collection);
    sqlite3_bind_int64(stmt, 2, o->name);
    sqlite3_bind_int64(stmt, 3, o->version_us);
    return stmt;
}

static bool one_row(struct store *s, sqlite3_stmt *stmt, bool *row, struct err *e)
{
    if (!stmt || !store_step(s, stmt, row, e))
        return false;
    sqlite3_reset(stmt);
    return true;
}

/* Does the collection hold an older version that passes for the newest, and a newer one? Only rows
 * that nothing supersedes are looked at, however many versions there are; where none is left, since
 * the newest was taken back, the others are. */
static bool look_at_others(struct store *s, int64_t collection, const struct store_object *o,
                           bool *older, bool *newer, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_RELEASE_STANDING, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, collection);
    sqlite3_bind_int64(stmt, 2, o->name);
    if (!store_step(s, stmt, &row, e))
        return false;
    bool any = sqlite3_column_type(stmt, 0) != SQLITE_NULL;
    *older = any && sqlite3_column_int64(stmt, 0) < o->version_us;
    *newer = any && sqlite3_column_int64(stmt, 1) > o->version_us;
    sqlite3_reset(stmt);
    if (any)
        return true;
    return one_row(s, bind_version(s, STORE_RELEASE_NEWER, collection, o, e), newer, e);
}

static bool mark_superseded(struct store *s, int64_t collection, const struct store_object *o,
                            struct err *e)
{
    sqlite3_stmt *stmt = bind_version(s, STORE_RELEASE_SUPERSEDE, collection, o, e);
    return stmt && store_run(s, stmt, e);
}

bool store_release_add(struct store *s, int64_t collection, int64_t audience,
                       const struct store_object *o, int64_t *date_added, struct err *e)
{
    int64_t type, date = 0;
    bool older = false, newer = false;
    if ((!o->first && !look_at_others(s, collection, o, &older, &newer, e)) ||
        (older && !mark_superseded(s, collection, o, e)))
        return false;
    if (!store_type_id(s, o->type, true, &type, e) || !next_date(s, collection, &date, e))
        return false;
    sqlite3_stmt *stmt = store_statement(s, STORE_RELEASE_ADD, e);
    if (!stmt)
        return false;
    const int64_t columns[] = {collection,    audience, date,  o->object,       o->name,
                               o->version_us, type,     newer, (int64_t)o->leaf};
    for (int i = 0; i < 9; i++)
        sqlite3_bind_int64(stmt, i + 1, columns[i]);
    if (!store_run(s, stmt, e))
        return false;
    *date_added = date;
    store_note_added(s, collection, audience);
    return true;
}

static bool each_release(struct store *s, enum store_statement which, int64_t object,
                         store_release_fn *each, void *ctx, struct err *e)
{
    bool row, ok;
    sqlite3_stmt *stmt = store_statement(s, which, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, object);
    while ((ok = store_step(s, stmt, &row, e)) && row) {
        struct store_release r = {
            .collection = sqlite3_column_int64(stmt, 0),
            .audience = sqlite3_column_int64(stmt, 1),
            .date_added = sqlite3_column_int64(stmt, 2),
            .object = sqlite3_column_int64(stmt, 3),
            .name = sqlite3_column_int64(stmt, 4),
            .audience_text = store_column(stmt, 5),
            .version_us = sqlite3_column_int64(stmt, 6),
            .leaf = (uint64_t)sqlite3_column_int64(stmt, 7),
        };
        if (!each(ctx, &r))
            break;
    }
    sqlite3_reset(stmt);
    return ok;
}

bool store_release_each(struct store *s, int64_t object, store_release_fn *each, void *ctx,
                        struct err *e)
{
    return each_release(s, STORE_RELEASE_OF_OBJECT, object, each, ctx, e);
}

bool store_release_copies(struct store *s, int64_t origin, store_release_fn *each, void *ctx,
                          struct err *e)
{
    return each_release(s, STORE_RELEASE_OF_COPIES, origin, each, ctx, e);
}

bool store_release_readers(struct store *s, int64_t name, store_text_fn *each, void *ctx,
                           struct err *e)
{
    bool row, ok;
    sqlite3_stmt *stmt = store_statement(s, STORE_RELEASE_READERS, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, name);
    while ((ok = store_step(s, stmt, &row, e)) && row)
        if (!each(ctx, store_column(stmt, 0)))
            break;
    sqlite3_reset(stmt);
    return ok;
}

bool store_release_set(struct store *s, const struct store_release *r, int64_t audience,
                       struct err *e)
{
    sqlite3_stmt *stmt =
        store_statement(s, audience ? STORE_RELEASE_SET_AUDIENCE : STORE_RELEASE_DELETE, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, r->collection);
    sqlite3_bind_int64(stmt, 2, r->audience);
    sqlite3_bind_int64(stmt, 3, r->date_added);
    if (audience)
        sqlite3_bind_int64(stmt, 4, audience);
    if (!store_run(s, stmt, e) || !store_moved(s, r->collection, r->audience, audience, e))
        return false;
    if (audience)
        return store_moved(s, r->collection, audience, r->audience, e);
    if (!(stmt = store_statement(s, STORE_OBJECT_DELETE, e)))
        return false;
    sqlite3_bind_int64(stmt, 1, r->object);
    return store_run(s, stmt, e);
}

static bool removal_wants(const struct store_removal *r, int64_t version_us, int64_t source,
                          int64_t owner)
{
    if (r->org && r->org != source && r->org != owner)
        return false;
    for (size_t i = 0; i < r->version_count; i++)
        if (r->version_us[i] == version_us)
            return true;
    return r->version_us == NULL;
}

struct copies {
    struct store *s;
    int64_t collection;
    struct store_release *list;
    size_t n, room;
    int64_t object; /* what is taken back */
    bool stands, failed;
};

static bool note_copy_row(void *ctx, const struct store_release *r)
{
    struct copies *c = ctx;
    void *items = c->list;
    if (r->collection != c->collection)
        return true;
    c->failed = !base_grow(&items, &c->room, c->n + 1, sizeof *c->list);
    if (c->failed)
        return false;
    c->list = items;
    c->list[c->n++] = *r;
    return true;
}

static bool note_standing(void *ctx, const struct store_release *r)
{
    struct copies *c = ctx;
    c->stands = c->stands || r->collection == c->collection;
    return !c->stands;
}

/* Another original that stands in the collection: what it gives remains, and it is decided about
 * again. */
static bool note_other_origin(void *ctx, int64_t origin)
{
    struct copies *c = ctx;
    struct err ignored;
    bool before = c->stands;
    c->stands = false;
    if (origin == c->object || !store_release_each(c->s, origin, note_standing, c, &ignored))
        c->stands = false;
    c->failed = c->failed || (c->stands && !store_pending_put(c->s, origin, &ignored));
    c->stands = c->stands || before;
    return !c->failed;
}

/* Takes back the copies of what was taken back, but for those of observables that others give. */
static bool remove_copies(struct store *s, int64_t collection, int64_t object, struct err *e)
{
    struct copies c = {.s = s, .collection = collection, .object = object};
    bool ok = store_release_copies(s, object, note_copy_row, &c, e) && !c.failed;
    for (size_t i = 0; i < c.n && ok; i++) {
        c.stands = false;
        ok = store_derived_origins(s, c.list[i].object, note_other_origin, &c, e) && !c.failed &&
             (c.stands || store_release_set(s, &c.list[i], 0, e));
    }
    base_free(c.list);
    if (c.failed)
        return err_set(e, ERR_MEMORY, "out of memory");
    sqlite3_stmt *stmt = ok ? store_statement(s, STORE_OBJECT_DELETE_COPIES, e) : NULL;
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, object);
    return store_run(s, stmt, e);
}

bool store_release_remove(struct store *s, const struct store_removal *r, size_t *removed,
                          struct err *e)
{
    struct store_release *list = NULL;
    size_t n = 0, room = 0;
    bool row = false, ok;
    sqlite3_stmt *stmt = store_statement(s, STORE_RELEASE_OF_NAME, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, r->collection);
    sqlite3_bind_int64(stmt, 2, r->name);
    while ((ok = store_step(s, stmt, &row, e)) && row) {
        void *items = list;
        if (!removal_wants(r, sqlite3_column_int64(stmt, 3), sqlite3_column_int64(stmt, 4),
                           sqlite3_column_int64(stmt, 5)))
            continue;
        if (!base_grow(&items, &room, n + 1, sizeof *list)) {
            ok = err_set(e, ERR_MEMORY, "out of memory");
            break;
        }
        list = items;
        list[n++] = (struct store_release){.collection = r->collection,
                                           .audience = sqlite3_column_int64(stmt, 0),
                                           .date_added = sqlite3_column_int64(stmt, 1),
                                           .object = sqlite3_column_int64(stmt, 2),
                                           .name = r->name};
    }
    sqlite3_reset(stmt);
    for (size_t i = 0; i < n && ok; i++)
        ok = store_release_set(s, &list[i], 0, e) &&
             remove_copies(s, r->collection, list[i].object, e);
    base_free(list);
    *removed = n;
    return ok;
}
