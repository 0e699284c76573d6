/* The SQLite driver: writing objects and release rows, taking them back. */
#include <string.h>

#include "crypt/crypt.h"
#include "store/sqlite_priv.h"

int64_t store_id_hash(struct str id)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    int64_t hash;
    crypt_sha256(id, digest);
    memcpy(&hash, digest, sizeof hash);
    return hash;
}

void store_object_columns(sqlite3_stmt *stmt, bool with_bytes, struct store_object *o)
{
    int flags = sqlite3_column_int(stmt, 5);
    *o = (struct store_object){
        .object = sqlite3_column_int64(stmt, 0),
        .name = sqlite3_column_int64(stmt, 1),
        .version_us = sqlite3_column_int64(stmt, 2),
        .source_org = sqlite3_column_int64(stmt, 3),
        .received_us = sqlite3_column_int64(stmt, 4),
        .has_version = (flags & STORE_HAS_VERSION) != 0,
        .revoked = (flags & STORE_REVOKED) != 0,
        .id = store_column(stmt, 6),
        .version = store_column(stmt, 7),
        .type = store_column(stmt, 8),
        .owner_org = sqlite3_column_int64(stmt, 9),
    };
    if (with_bytes)
        o->bytes = store_column(stmt, 10);
}

bool store_object_versions(struct store *s, struct str id, store_object_fn *each, void *ctx,
                           struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_VERSIONS, e);
    bool row, ok = stmt != NULL;
    if (ok)
        sqlite3_bind_int64(stmt, 1, store_id_hash(id));
    while (ok && (ok = store_step(s, stmt, &row, e)) && row) {
        struct store_object o;
        store_object_columns(stmt, true, &o);
        if (str_eq(o.id, id) && !each(ctx, &o))
            break;
    }
    if (stmt)
        sqlite3_reset(stmt);
    return ok;
}

/* The newest stored version of an id: its name and whose it is. Without bytes. */
static bool known_name(struct store *s, int64_t hash, struct str id, struct store_known *k,
                       struct err *e)
{
    bool row = false, ok;
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_ANY, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, hash);
    while ((ok = store_step(s, stmt, &row, e)) && row && k->name == 0) {
        struct store_object o;
        store_object_columns(stmt, false, &o);
        if (!str_eq(o.id, id))
            continue;
        k->name = o.name;
        k->owner_org = o.owner_org;
        k->source_org = o.source_org;
        k->newest_us = o.version_us;
    }
    sqlite3_reset(stmt);
    return ok;
}

struct same_version {
    store_object_fn *each;
    void *ctx;
};

static bool known_version(struct store *s, int64_t hash, const struct store_object *o,
                          const struct same_version *same, struct store_known *k, struct err *e)
{
    bool row = false, ok;
    sqlite3_stmt *stmt =
        store_statement(s, o->has_version ? STORE_OBJECT_VERSION : STORE_OBJECT_OWN, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, hash);
    sqlite3_bind_int64(stmt, 2, o->has_version ? o->version_us : o->source_org);
    while ((ok = store_step(s, stmt, &row, e)) && row && k->object == 0) {
        struct store_object found;
        store_object_columns(stmt, true, &found);
        if (!str_eq(found.id, o->id) || found.has_version != o->has_version)
            continue;
        k->object = found.object;
        k->version_us = found.version_us;
        k->object_source_org = found.source_org;
        if (same->each)
            same->each(same->ctx, &found);
    }
    sqlite3_reset(stmt);
    return ok;
}

bool store_object_known(struct store *s, const struct store_object *o, store_object_fn *same,
                        void *ctx, struct store_known *out, struct err *e)
{
    struct same_version each = {same, ctx};
    int64_t hash = store_id_hash(o->id);
    *out = (struct store_known){0};
    if (!known_name(s, hash, o->id, out, e))
        return false;
    if (out->name == 0)
        return true;
    if (o->has_version) {
        sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_REVOKED, e);
        if (!stmt)
            return false;
        sqlite3_bind_int64(stmt, 1, hash);
        sqlite3_bind_int64(stmt, 2, o->version_us);
        if (!store_step(s, stmt, &out->revoked_before, e))
            return false;
        sqlite3_reset(stmt);
    }
    return known_version(s, hash, o, &each, out, e);
}

bool store_object_add(struct store *s, struct store_object *o, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_ADD, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, o->name);
    sqlite3_bind_int64(stmt, 2, store_id_hash(o->id));
    sqlite3_bind_int64(stmt, 3, o->version_us);
    sqlite3_bind_int64(stmt, 4, o->source_org);
    sqlite3_bind_int64(stmt, 5, o->received_us);
    sqlite3_bind_int(stmt, 6,
                     (o->has_version ? STORE_HAS_VERSION : 0) | (o->revoked ? STORE_REVOKED : 0));
    store_bind_str(stmt, 7, o->id);
    store_bind_str(stmt, 8, o->version);
    store_bind_str(stmt, 9, o->type);
    store_bind_blob(stmt, 10, o->bytes.p, o->bytes.n);
    sqlite3_bind_int64(stmt, 11, o->owner_org);
    if (!store_run(s, stmt, e))
        return false;
    o->object = sqlite3_last_insert_rowid(s->db);
    if (o->name)
        return true;
    /* The first version's row number names all versions: it grows, so index entries append. */
    o->name = o->object;
    stmt = store_statement(s, STORE_OBJECT_SET_NAME, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, o->object);
    return store_run(s, stmt, e);
}

bool store_type_id(struct store *s, struct str name, bool make, int64_t *id, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_TYPE_FIND, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, name);
    if (!store_step(s, stmt, &row, e))
        return false;
    *id = row ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    if (*id || !make)
        return true;
    stmt = store_statement(s, STORE_TYPE_ADD, e);
    if (!stmt)
        return false;
    store_bind_str(stmt, 1, name);
    if (!store_run(s, stmt, e))
        return false;
    *id = sqlite3_last_insert_rowid(s->db);
    return true;
}

/* date_added is unique and strictly increasing in a collection. The last one is read inside the
 * transaction, so that two processes that write one database keep the order too. */
static bool next_date(struct store *s, int64_t collection, int64_t *date, struct err *e)
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
    int64_t last = sqlite3_column_int64(stmt, 0), now = now_us();
    sqlite3_reset(stmt);
    *date = now > last ? now : last + 1;
    stmt = store_statement(s, STORE_COLLECTION_SET_LAST, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, collection);
    sqlite3_bind_int64(stmt, 2, *date);
    return store_run(s, stmt, e);
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

bool store_release_any(struct store *s, int64_t collection, const struct store_object *o, bool *any,
                       struct err *e)
{
    return one_row(s, bind_version(s, STORE_RELEASE_ANY, collection, o, e), any, e);
}

/* Does the collection hold an older version that passes for the newest, and a newer one? Only rows
 * that nothing supersedes are looked at, however many versions there are; where none is left, since
 * the newest was taken back, the others are. */
static bool look_at_others(struct store *s, int64_t collection, const struct store_object *o,
                           bool *older, bool *newer, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = bind_version(s, STORE_RELEASE_OLDER, collection, o, e);
    if (!one_row(s, stmt, older, e))
        return false;
    if (!(stmt = store_statement(s, STORE_RELEASE_NEWEST, e)))
        return false;
    sqlite3_bind_int64(stmt, 1, collection);
    sqlite3_bind_int64(stmt, 2, o->name);
    if (!store_step(s, stmt, &row, e))
        return false;
    bool any = sqlite3_column_type(stmt, 0) != SQLITE_NULL;
    *newer = any && sqlite3_column_int64(stmt, 0) > o->version_us;
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
    bool older, newer;
    if (!look_at_others(s, collection, o, &older, &newer, e) ||
        (older && !mark_superseded(s, collection, o, e)))
        return false;
    if (!store_type_id(s, o->type, true, &type, e) || !next_date(s, collection, &date, e))
        return false;
    sqlite3_stmt *stmt = store_statement(s, STORE_RELEASE_ADD, e);
    if (!stmt)
        return false;
    const int64_t columns[] = {collection, audience,      date, o->object,
                               o->name,    o->version_us, type, newer};
    for (int i = 0; i < 8; i++)
        sqlite3_bind_int64(stmt, i + 1, columns[i]);
    if (!store_run(s, stmt, e))
        return false;
    *date_added = date;
    return true;
}

bool store_release_audiences(struct store *s, int64_t collection, const struct store_object *o,
                             store_audience_fn *each, void *ctx, struct err *e)
{
    bool row, ok;
    sqlite3_stmt *stmt = bind_version(s, STORE_RELEASE_AUDIENCES, collection, o, e);
    if (!stmt)
        return false;
    while ((ok = store_step(s, stmt, &row, e)) && row)
        if (!each(ctx, sqlite3_column_int64(stmt, 0), store_column(stmt, 1)))
            break;
    sqlite3_reset(stmt);
    return ok;
}

bool store_release_marking(struct store *s, int64_t name, unsigned *marking, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_RELEASE_MARKING, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, name);
    if (!store_step(s, stmt, &row, e))
        return false;
    *marking = row ? (unsigned)sqlite3_column_int(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return true;
}

struct removal {
    int64_t audience, date_added, object;
};

static bool remove_one(struct store *s, int64_t collection, int64_t name, const struct removal *r,
                       struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_RELEASE_DELETE, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, collection);
    sqlite3_bind_int64(stmt, 2, r->audience);
    sqlite3_bind_int64(stmt, 3, r->date_added);
    if (!store_run(s, stmt, e) || !(stmt = store_statement(s, STORE_OBJECT_DELETE, e)))
        return false;
    sqlite3_bind_int64(stmt, 1, r->object);
    sqlite3_bind_int64(stmt, 2, name);
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

bool store_release_remove(struct store *s, const struct store_removal *r, size_t *removed,
                          struct err *e)
{
    struct removal *list = NULL;
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
        list[n++] = (struct removal){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                                     sqlite3_column_int64(stmt, 2)};
    }
    sqlite3_reset(stmt);
    for (size_t i = 0; i < n && ok; i++)
        ok = remove_one(s, r->collection, r->name, &list[i], e);
    base_free(list);
    *removed = n;
    return ok;
}
