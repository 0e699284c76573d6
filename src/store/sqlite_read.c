/*
 * The SQLite driver: reading. A reader is a set of audiences. Without ids the release rows of those
 * audiences are merged by date_added; with ids the rows of each name are looked up. Either way no
 * row of another audience is ever looked at for content.
 */
#include <stdlib.h>

#include "store/sqlite_priv.h"

/* Objects that are fetched by one statement. */
#define BATCH 128u

/* One read in progress. */
struct reading {
    struct store *s;
    const struct store_query *q;
    store_row_fn *each;
    void *ctx;
    struct err *e;
    int64_t types[64]; /* numbers of q->types; unknown ones are left out */
    size_t type_count;
    size_t rows, bytes;
    bool more, stopped;
    /* Rows that are wanted, and whose objects are still to be fetched. */
    struct {
        int64_t object, date_added;
    } batch[BATCH];
    size_t waiting;
    struct buf numbers; /* of their objects, a JSON array */
};

/* The first or last version of a name that this reader may see in this collection. Rows that
 * nothing supersedes are newer than all others, so one kind is looked at before the other; each
 * look is one step in the index, and rows of other audiences are never touched. */
static bool edge_version(struct reading *r, int64_t name, bool last, int64_t *version_us)
{
    bool row, found = false;
    for (int pass = 0; pass < 2 && !found; pass++) {
        for (size_t i = 0; i < r->q->audience_count; i++) {
            sqlite3_stmt *stmt =
                store_statement(r->s, last ? STORE_RELEASE_LAST : STORE_RELEASE_FIRST, r->e);
            if (!stmt)
                return false;
            sqlite3_bind_int64(stmt, 1, name);
            sqlite3_bind_int64(stmt, 2, r->q->collection);
            sqlite3_bind_int(stmt, 3, last ? pass : 1 - pass);
            sqlite3_bind_int64(stmt, 4, r->q->audiences[i]);
            if (!store_step(r->s, stmt, &row, r->e))
                return false;
            int64_t v = row ? sqlite3_column_int64(stmt, 0) : 0;
            if (row && (!found || (last ? v > *version_us : v < *version_us)))
                *version_us = v;
            found = found || row;
            sqlite3_reset(stmt);
        }
    }
    return true;
}

/* Both ends, as far as the query asks for them. */
static bool version_range(struct reading *r, int64_t name, int64_t *first, int64_t *last)
{
    return (!(r->q->versions & STORE_LAST) || edge_version(r, name, true, last)) &&
           (!(r->q->versions & STORE_FIRST) || edge_version(r, name, false, first));
}

/* Has the same audience a newer version that nothing supersedes? */
static bool newer_beside(struct reading *r, const struct store_release_row *row, int64_t audience,
                         bool *yes)
{
    bool found;
    sqlite3_stmt *stmt = store_statement(r->s, STORE_RELEASE_LAST, r->e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, row->name);
    sqlite3_bind_int64(stmt, 2, r->q->collection);
    sqlite3_bind_int(stmt, 3, 0);
    sqlite3_bind_int64(stmt, 4, audience);
    if (!store_step(r->s, stmt, &found, r->e))
        return false;
    *yes = found && sqlite3_column_int64(stmt, 0) > row->version_us;
    sqlite3_reset(stmt);
    return true;
}

/* TAXII 2.1 §3.4.1: match[version]. */
static bool version_wanted(struct reading *r, const struct store_release_row *row, int64_t audience,
                           bool *wanted)
{
    const struct store_query *q = r->q;
    int64_t first = row->version_us, last = row->version_us;
    bool newer = false;
    *wanted = (q->versions & STORE_ALL) != 0;
    for (size_t i = 0; i < q->version_count && !*wanted; i++)
        *wanted = q->version_us[i] == row->version_us;
    if (*wanted || !(q->versions & (STORE_LAST | STORE_FIRST)))
        return true;
    /* Not superseded for anybody: the last one for this reader too, without a look-up. */
    if ((q->versions & STORE_LAST) && !row->superseded) {
        *wanted = true;
        return true;
    }
    /* Most newer versions went to the same audience: one look-up in the place of one for each. */
    if (!newer_beside(r, row, audience, &newer))
        return false;
    if (newer && !(q->versions & STORE_FIRST))
        return true;
    if (!version_range(r, row->name, &first, &last))
        return false;
    *wanted = ((q->versions & STORE_LAST) && row->version_us == last) ||
              ((q->versions & STORE_FIRST) && row->version_us == first);
    return true;
}

/* Each column has its price: most pages need the bytes alone. */
static void bytes_columns(sqlite3_stmt *stmt, struct store_object *o)
{
    int flags = sqlite3_column_int(stmt, 2);
    *o = (struct store_object){
        .object = sqlite3_column_int64(stmt, 0),
        .name = sqlite3_column_int64(stmt, 1),
        .tlp = (unsigned)(flags >> STORE_TLP) & 7,
        .marking = (unsigned)sqlite3_column_int(stmt, 3),
        .bytes = store_column(stmt, 4),
    };
}

static enum store_statement objects_statement(const struct store_query *q)
{
    if (!q->with_bytes)
        return STORE_OBJECTS_HEAD;
    return q->bytes_only ? STORE_OBJECTS_BYTES : STORE_OBJECTS_WHOLE;
}

static sqlite3_stmt *fetch_objects(struct reading *r, enum store_statement which)
{
    buf_clear(&r->numbers);
    for (size_t i = 0; i < r->waiting; i++) {
        buf_byte(&r->numbers, i ? ',' : '[');
        buf_i64(&r->numbers, r->batch[i].object);
    }
    buf_byte(&r->numbers, ']');
    sqlite3_stmt *stmt = buf_ok(&r->numbers, r->e) ? store_statement(r->s, which, r->e) : NULL;
    if (stmt)
        store_bind_str(stmt, 1, buf_view(&r->numbers));
    return stmt;
}

/* Hands one row to the caller, or notes that it would be more than the page may hold. */
static void hand_over(struct reading *r, const struct store_object *o, int64_t date_added)
{
    const struct store_query *q = r->q;
    const struct store_row row = {date_added, o};
    if (q->limit_bytes && r->rows && o->bytes.n > q->limit_bytes - r->bytes) {
        r->more = r->stopped = true;
        return;
    }
    r->rows++;
    r->bytes += o->bytes.n < q->limit_bytes - r->bytes ? o->bytes.n : q->limit_bytes - r->bytes;
    r->stopped = !r->each(r->ctx, &row);
}

/* Hands over all that wait. */
static bool give(struct reading *r)
{
    bool row = false, ok = true;
    enum store_statement which = objects_statement(r->q);
    sqlite3_stmt *stmt = r->waiting ? fetch_objects(r, which) : NULL;
    if (r->waiting && !stmt)
        return false;
    for (size_t i = 0; i < r->waiting && ok && !r->stopped; i++) {
        struct store_object o;
        if (!(ok = store_step(r->s, stmt, &row, r->e)))
            break;
        if (!row || sqlite3_column_int64(stmt, 0) != r->batch[i].object) {
            ok = err_set(r->e, ERR_STORE, "release row without its object %lld",
                         (long long)r->batch[i].object);
            break;
        }
        if (which == STORE_OBJECTS_BYTES)
            bytes_columns(stmt, &o);
        else
            store_object_columns(stmt, r->q->with_bytes, &o);
        hand_over(r, &o, r->batch[i].date_added);
    }
    if (stmt)
        sqlite3_reset(stmt);
    r->waiting = 0;
    return ok;
}

/* Or notes that there would be more. */
static bool want(struct reading *r, int64_t object, int64_t date_added)
{
    if (r->rows + r->waiting >= r->q->limit) {
        bool ok = give(r);
        r->more = r->more || (ok && !r->stopped);
        r->stopped = true;
        return ok;
    }
    r->batch[r->waiting].object = object;
    r->batch[r->waiting].date_added = date_added;
    return ++r->waiting < BATCH || give(r);
}

static bool read_merged(struct reading *r)
{
    const struct store_release_row *row;
    const struct store_query *q = r->q;
    int64_t audience;
    size_t skipped = 0;
    bool ok = store_merge_start(r->s, q, r->types, r->type_count, r->e);
    while (ok && !r->stopped && (ok = store_merge_next(r->s, &row, &audience, r->e)) && row) {
        bool wanted = false;
        ok = version_wanted(r, row, audience, &wanted);
        if (ok && wanted) {
            ok = want(r, row->object, row->date_added);
        } else if (ok && q->skip_limit && ++skipped >= q->skip_limit) {
            ok = give(r);
            if (ok && !r->stopped) {
                r->more = r->stopped = true;
                *q->upto_us = row->date_added;
            }
        }
    }
    return ok && give(r);
}

/* ---- reading by id ---- */

struct candidate {
    int64_t date_added, object, version_us;
};

static int by_date(const void *a, const void *b)
{
    int64_t x = ((const struct candidate *)a)->date_added;
    int64_t y = ((const struct candidate *)b)->date_added;
    return (x > y) - (x < y);
}

struct candidates {
    struct candidate *list;
    size_t n, room;
};

static bool add_candidate(struct candidates *c, const struct candidate *found, struct err *e)
{
    void *items = c->list;
    if (!base_grow(&items, &c->room, c->n + 1, sizeof *c->list))
        return err_set(e, ERR_MEMORY, "out of memory");
    c->list = items;
    c->list[c->n++] = *found;
    return true;
}

/* The rows of one audience, superseded or not. */
static bool collect_audience(struct reading *r, int64_t name, int superseded, int64_t audience,
                             struct candidates *out)
{
    bool row = false, ok;
    sqlite3_stmt *stmt = store_statement(r->s, STORE_RELEASE_OF_READER, r->e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, name);
    sqlite3_bind_int64(stmt, 2, r->q->collection);
    sqlite3_bind_int(stmt, 3, superseded);
    sqlite3_bind_int64(stmt, 4, audience);
    while ((ok = store_step(r->s, stmt, &row, r->e)) && row) {
        struct candidate found = {sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                                  sqlite3_column_int64(stmt, 2)};
        if (!(ok = add_candidate(out, &found, r->e)))
            break;
    }
    sqlite3_reset(stmt);
    return ok;
}

static bool version_asked(const struct store_query *q, int64_t version, int64_t first, int64_t last)
{
    bool asked = (q->versions & STORE_ALL) || ((q->versions & STORE_LAST) && version == last) ||
                 ((q->versions & STORE_FIRST) && version == first);
    for (size_t i = 0; i < q->version_count && !asked; i++)
        asked = q->version_us[i] == version;
    return asked;
}

/* Of the rows of one name, from `from` on, keeps those whose version is asked for. */
static void keep_asked(const struct store_query *q, struct candidates *c, size_t from)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    size_t kept = from;
    for (size_t i = from; i < c->n; i++) {
        first = c->list[i].version_us < first ? c->list[i].version_us : first;
        last = c->list[i].version_us > last ? c->list[i].version_us : last;
    }
    for (size_t i = from; i < c->n; i++)
        if (c->list[i].date_added > q->after_us &&
            version_asked(q, c->list[i].version_us, first, last))
            c->list[kept++] = c->list[i];
    c->n = kept;
}

static bool collect_name(struct reading *r, int64_t name, struct candidates *out)
{
    bool ok = true;
    size_t from = out->n;
    for (size_t i = 0; i < r->q->audience_count && ok; i++)
        ok = collect_audience(r, name, 0, r->q->audiences[i], out) &&
             collect_audience(r, name, 1, r->q->audiences[i], out);
    keep_asked(r->q, out, from);
    return ok;
}

static bool type_of_object_wanted(struct reading *r, int64_t object, bool *wanted)
{
    bool row;
    *wanted = r->q->type_count == 0;
    if (*wanted)
        return true;
    sqlite3_stmt *stmt = store_statement(r->s, STORE_OBJECT_HEAD, r->e);
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, object);
    if (!store_step(r->s, stmt, &row, r->e))
        return false;
    struct str type = row ? store_column(stmt, 8) : STR_NONE;
    for (size_t i = 0; i < r->q->type_count && !*wanted; i++)
        *wanted = str_eq(type, r->q->types[i]);
    sqlite3_reset(stmt);
    return true;
}

static bool read_by_id(struct reading *r)
{
    struct candidates c = {0};
    bool ok = true, wanted;
    for (size_t i = 0; i < r->q->id_count && ok; i++) {
        bool again = false; /* an id given twice counts once */
        for (size_t k = 0; k < i && !again; k++)
            again = str_eq(r->q->ids[k], r->q->ids[i]);
        if (!again)
            ok = collect_name(r, store_name(r->s, r->q->ids[i]), &c);
    }
    if (c.n)
        qsort(c.list, c.n, sizeof *c.list, by_date);
    for (size_t i = 0; i < c.n && ok && !r->stopped; i++) {
        ok = type_of_object_wanted(r, c.list[i].object, &wanted);
        if (ok && wanted)
            ok = want(r, c.list[i].object, c.list[i].date_added);
    }
    base_free(c.list);
    return ok && give(r);
}

static bool has_type(const struct reading *r, int64_t type)
{
    for (size_t i = 0; i < r->type_count; i++)
        if (r->types[i] == type)
            return true;
    return false;
}

static bool look_up_types(struct reading *r)
{
    const size_t most = sizeof r->types / sizeof *r->types;
    for (size_t i = 0; i < r->q->type_count; i++) {
        int64_t id;
        if (!store_type_id(r->s, r->q->types[i], false, &id, r->e))
            return false;
        if (id == 0 || has_type(r, id))
            continue;
        if (r->type_count == most)
            return err_set(r->e, ERR_USAGE, "more than %zu types in one filter", most);
        r->types[r->type_count++] = id;
    }
    return true;
}

bool store_read(struct store *s, const struct store_query *q, store_row_fn *each, void *ctx,
                bool *more, struct err *e)
{
    struct reading r = {.s = s, .q = q, .each = each, .ctx = ctx, .e = e};
    bool own = !s->in_transaction;
    /* One transaction, so that a page shows one state even while others write. */
    if (own && !store_begin(s, e))
        return false;
    bool ok = look_up_types(&r);
    /* Of a type that no object here has, there is nothing to scan for. */
    if (ok && (q->type_count == 0 || r.type_count))
        ok = q->id_count ? read_by_id(&r) : read_merged(&r);
    buf_done(&r.numbers);
    if (own)
        store_rollback(s);
    if (ok)
        *more = r.more;
    return ok;
}
