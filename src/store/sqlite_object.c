/* The SQLite driver: objects, version by version. */
#include <string.h>

#include "store/sqlite_priv.h"

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
        .copy = (flags & STORE_COPY) != 0,
        .tlp = (unsigned)(flags >> STORE_TLP) & 7,
        .id = store_column(stmt, 6),
        .version = store_column(stmt, 7),
        .type = store_column(stmt, 8),
        .owner_org = sqlite3_column_int64(stmt, 9),
        .marking = (unsigned)sqlite3_column_int(stmt, 10),
        .user = sqlite3_column_int64(stmt, 11),
        .first_org = sqlite3_column_int64(stmt, 12),
    };
    if (with_bytes)
        o->bytes = store_column(stmt, 13);
}

bool store_each_object(struct store *s, sqlite3_stmt *stmt, store_object_fn *each, void *ctx,
                       struct err *e)
{
    bool row, ok;
    while ((ok = store_step(s, stmt, &row, e)) && row) {
        struct store_object o;
        store_object_columns(stmt, true, &o);
        if (!each(ctx, &o))
            break;
    }
    sqlite3_reset(stmt);
    return ok;
}

bool store_object_versions(struct store *s, struct str id, store_object_fn *each, void *ctx,
                           struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_VERSIONS, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, store_name(s, id));
    return store_each_object(s, stmt, each, ctx, e);
}

bool store_object_after(struct store *s, int64_t after, size_t limit, store_object_fn *each,
                        void *ctx, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_AFTER, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, after);
    sqlite3_bind_int64(stmt, 2, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
    return store_each_object(s, stmt, each, ctx, e);
}

bool store_object_get(struct store *s, int64_t object, store_object_fn *each, void *ctx,
                      struct err *e)
{
    bool row;
    struct store_object o;
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_GET, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, object);
    if (!store_step(s, stmt, &row, e))
        return false;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no object %lld", (long long)object);
    store_object_columns(stmt, true, &o);
    each(ctx, &o);
    sqlite3_reset(stmt);
    return true;
}

bool store_object_count(struct store *s, uint64_t *count, struct err *e)
{
    bool row;
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_COUNT, e);
    if (!stmt || !store_step(s, stmt, &row, e))
        return false;
    *count = row ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return true;
}

/* The newest stored version of an id: whose it is. Without bytes. */
static bool known_name(struct store *s, int64_t name, struct str id, struct store_known *k,
                       struct err *e)
{
    bool row = false, same = true;
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_ANY, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, name);
    if (!store_step(s, stmt, &row, e))
        return false;
    if (row) {
        struct store_object o;
        store_object_columns(stmt, false, &o);
        same = str_eq(o.id, id);
        k->name = name;
        k->owner_org = o.owner_org;
        k->first_org = o.first_org;
        k->newest_us = o.version_us;
        k->is_copy = o.copy;
    }
    sqlite3_reset(stmt);
    return same || err_set(e, ERR_STORE, "%.*s has the name of another id", STR_FMT(id));
}

static bool known_version(struct store *s, const struct store_object *o, store_object_fn *same,
                          void *ctx, struct store_known *k, struct err *e)
{
    bool row = false, ok;
    sqlite3_stmt *stmt =
        store_statement(s, o->has_version ? STORE_OBJECT_VERSION : STORE_OBJECT_OWN, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, k->name);
    sqlite3_bind_int64(stmt, 2, o->has_version ? o->version_us : o->source_org);
    while ((ok = store_step(s, stmt, &row, e)) && row && k->object == 0) {
        struct store_object found;
        store_object_columns(stmt, true, &found);
        if (found.has_version != o->has_version)
            continue;
        k->object = found.object;
        k->version_us = found.version_us;
        k->object_source_org = found.source_org;
        k->object_marking = found.marking;
        k->object_user = found.user;
        k->object_received_us = found.received_us;
        if (same)
            same(ctx, &found);
    }
    sqlite3_reset(stmt);
    return ok;
}

bool store_object_known(struct store *s, const struct store_object *o, store_object_fn *same,
                        void *ctx, struct store_known *out, struct err *e)
{
    int64_t name = store_name(s, o->id);
    *out = (struct store_known){0};
    if (!known_name(s, name, o->id, out, e))
        return false;
    if (out->name == 0)
        return true;
    if (o->has_version) {
        sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_REVOKED, e);
        if (!stmt)
            return false;
        sqlite3_bind_int64(stmt, 1, name);
        sqlite3_bind_int64(stmt, 2, o->version_us);
        if (!store_step(s, stmt, &out->revoked_before, e))
            return false;
        sqlite3_reset(stmt);
    }
    return known_version(s, o, same, ctx, out, e);
}

bool store_object_add(struct store *s, struct store_object *o, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_ADD, e);
    if (!stmt)
        return false;
    o->name = store_name(s, o->id);
    sqlite3_bind_int64(stmt, 1, o->name);
    sqlite3_bind_int64(stmt, 2, o->version_us);
    sqlite3_bind_int64(stmt, 3, o->source_org);
    sqlite3_bind_int64(stmt, 4, o->received_us);
    sqlite3_bind_int(stmt, 5,
                     (o->has_version ? STORE_HAS_VERSION : 0) | (o->revoked ? STORE_REVOKED : 0) |
                         (o->copy ? STORE_COPY : 0) | (int)((o->tlp & 7) << STORE_TLP));
    store_bind_str(stmt, 6, o->id);
    store_bind_str(stmt, 7, o->version);
    store_bind_str(stmt, 8, o->type);
    store_bind_blob(stmt, 9, o->bytes.p, o->bytes.n);
    sqlite3_bind_int64(stmt, 10, o->owner_org);
    sqlite3_bind_int(stmt, 11, (int)o->marking);
    sqlite3_bind_int64(stmt, 12, o->user);
    sqlite3_bind_int64(stmt, 13, o->first_org);
    if (!store_run(s, stmt, e))
        return false;
    o->object = sqlite3_last_insert_rowid(s->db);
    return true;
}

bool store_object_mark(struct store *s, int64_t object, unsigned marking, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, STORE_OBJECT_MARKING, e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, object);
    sqlite3_bind_int(stmt, 2, (int)marking);
    return store_run(s, stmt, e);
}

static bool find_type(struct store *s, struct str name, bool make, int64_t *id, struct err *e)
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

/* Who writes meets few types again and again. A reader's steps do not depend on what others asked
 * for before, so it looks each time. */
static bool known_type(const struct store *s, struct str name, int64_t *id)
{
    for (size_t i = 0; i < STORE_TYPES_KNOWN; i++) {
        const struct store_type *t = &s->types[i];
        if (t->id && str_eq(name, (struct str){t->name, t->bytes})) {
            *id = t->id;
            return true;
        }
    }
    return false;
}

static void know_type(struct store *s, struct str name, int64_t id)
{
    struct store_type *t = &s->types[s->types_known++ % STORE_TYPES_KNOWN];
    if (name.n > sizeof t->name)
        return;
    memcpy(t->name, name.p, name.n);
    t->bytes = name.n;
    t->id = id;
}

bool store_type_id(struct store *s, struct str name, bool make, int64_t *id, struct err *e)
{
    if (!make)
        return find_type(s, name, false, id, e);
    if (known_type(s, name, id))
        return true;
    if (!find_type(s, name, true, id, e))
        return false;
    know_type(s, name, *id);
    return true;
}
