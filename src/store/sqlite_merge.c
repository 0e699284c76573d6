/*
 * The SQLite driver: the release rows of a few audiences, merged by date_added. A page asks every
 * audience of its reader for its first row, and the next page asks them all again; so that a reader
 * of two hundred audiences does not pay two hundred look-ups a page, the rows that were fetched of
 * an audience, and some that follow, are kept as long as nothing in the database changes. Where
 * types are asked for, each type of each audience is a run of its own, by an index, so that rows of
 * other types cost nothing.
 */
#include <string.h>

#include "store/sqlite_priv.h"

#define FETCH_MOST 256u  /* rows of one audience in one fetch */
#define BUCKETS    1024u /* of audiences */

/* All rows of an audience in a collection, of one type or (0) of all, from behind `after` on, as
 * far as they were fetched. */
struct run {
    int64_t collection, audience, type, after;
    struct store_release_row *rows;
    int64_t *dates; /* of the rows, side by side: what is searched and compared */
    size_t count, room, dates_room, next; /* next: the row that the merge stands at */
    size_t fetch;                         /* how many rows to fetch the next time */
    bool ended;                           /* no row follows those that are kept */
    struct run *chain;                    /* the next run of the same bucket */
};

struct store_merge {
    int64_t data_version; /* of the database that the runs were read from */
    struct run *buckets[BUCKETS];
    size_t kept;       /* rows in all runs */
    struct run **heap; /* of this merge, that of the oldest row first */
    size_t heap_count, heap_room;
    bool taken; /* the first run's row was given out */
};

static void forget(struct store_merge *m)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct run *r = m->buckets[i], *next; r; r = next) {
            next = r->chain;
            base_free(r->rows);
            base_free(r->dates);
            base_free(r);
        }
        m->buckets[i] = NULL;
    }
    m->kept = 0;
}

void store_merge_free(struct store *s)
{
    if (!s->merge)
        return;
    forget(s->merge);
    base_free(s->merge->heap);
    base_free(s->merge);
    s->merge = NULL;
}

/* PRAGMA data_version tells of all changes but the handle's own, so one that writes keeps nothing.
 */
static bool follow_database(struct store *s, struct err *e)
{
    struct store_merge *m = s->merge;
    int64_t version;
    if (!store_state(s, &version, e))
        return false;
    if (s->writable || version != m->data_version || m->kept > LIMIT_STORE_KEPT_ROWS)
        forget(m);
    m->data_version = version;
    return true;
}

static struct run *find_run(struct store_merge *m, int64_t collection, int64_t audience,
                            int64_t type)
{
    size_t bucket = (((size_t)collection * 31 + (size_t)audience) * 31 + (size_t)type) % BUCKETS;
    for (struct run *r = m->buckets[bucket]; r; r = r->chain)
        if (r->collection == collection && r->audience == audience && r->type == type)
            return r;
    struct run *r = base_alloc(sizeof *r);
    if (!r)
        return NULL;
    *r = (struct run){
        .collection = collection, .audience = audience, .type = type, .chain = m->buckets[bucket]};
    m->buckets[bucket] = r;
    return r;
}

static void row_columns(sqlite3_stmt *stmt, struct store_release_row *row)
{
    row->date_added = sqlite3_column_int64(stmt, 0);
    row->object = sqlite3_column_int64(stmt, 1);
    row->name = sqlite3_column_int64(stmt, 2);
    row->version_us = sqlite3_column_int64(stmt, 3);
    row->type = sqlite3_column_int64(stmt, 4);
    row->superseded = sqlite3_column_int(stmt, 5) != 0;
}

/* The run's next rows, behind `after`, in the place of those that it has. */
static bool fetch(struct store *s, struct run *r, int64_t after, struct err *e)
{
    bool row = false, ok;
    void *rows = r->rows, *dates = r->dates;
    sqlite3_stmt *stmt =
        store_statement(s, r->type ? STORE_RELEASE_TYPE_RUN : STORE_RELEASE_RUN, e);
    if (!stmt)
        return false;
    if (!base_grow(&rows, &r->room, r->fetch, sizeof *r->rows))
        return err_set(e, ERR_MEMORY, "out of memory");
    r->rows = rows;
    if (!base_grow(&dates, &r->dates_room, r->fetch, sizeof *r->dates))
        return err_set(e, ERR_MEMORY, "out of memory");
    r->dates = dates;
    s->merge->kept -= r->count;
    r->count = r->next = 0;
    r->after = after;
    r->ended = false;
    sqlite3_bind_int64(stmt, 1, r->collection);
    sqlite3_bind_int64(stmt, 2, r->audience);
    sqlite3_bind_int64(stmt, 3, after);
    sqlite3_bind_int64(stmt, 4, (int64_t)r->fetch);
    if (r->type)
        sqlite3_bind_int64(stmt, 5, r->type);
    while ((ok = store_step(s, stmt, &row, e)) && row) {
        must(r->count < r->fetch);
        row_columns(stmt, &r->rows[r->count]);
        r->dates[r->count] = r->rows[r->count].date_added;
        r->count++;
    }
    sqlite3_reset(stmt);
    s->merge->kept += r->count;
    r->ended = ok && r->count < r->fetch;
    r->fetch = r->fetch * 4 < FETCH_MOST ? r->fetch * 4 : FETCH_MOST;
    return ok;
}

/* Sets the run to its first row behind `after`. */
static bool seek(struct store *s, struct run *r, int64_t after, size_t least, struct err *e)
{
    size_t low = 0, high = r->count;
    bool here =
        r->fetch && r->after <= after && (r->ended || (r->count && r->dates[r->count - 1] > after));
    if (!here) {
        /* Who goes on where the rows ended will want more of them; who begins elsewhere may not. */
        bool goes_on = r->count && r->dates[r->count - 1] == after;
        if (!goes_on || r->fetch < least)
            r->fetch = least;
        return fetch(s, r, after, e);
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->dates[middle] > after)
            high = middle;
        else
            low = middle + 1;
    }
    r->next = low;
    return true;
}

static int64_t head_date(const struct run *r)
{
    return r->dates[r->next];
}

/* Lets the run at `i` of the heap sink to its place. */
static void sink(struct store_merge *m, size_t i)
{
    struct run *r = m->heap[i];
    for (size_t child; (child = 2 * i + 1) < m->heap_count; i = child) {
        if (child + 1 < m->heap_count && head_date(m->heap[child + 1]) < head_date(m->heap[child]))
            child++;
        if (head_date(r) <= head_date(m->heap[child]))
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = r;
}

static bool add_run(struct store *s, struct run *r, int64_t after, size_t least, struct err *e)
{
    struct store_merge *m = s->merge;
    if (!r)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (!seek(s, r, after, least, e))
        return false;
    if (r->next < r->count)
        m->heap[m->heap_count++] = r;
    return true;
}

bool store_merge_start(struct store *s, const struct store_query *q, const int64_t *types,
                       size_t type_count, struct err *e)
{
    static const int64_t all = 0;
    if (!s->merge && !(s->merge = base_alloc(sizeof *s->merge)))
        return err_set(e, ERR_MEMORY, "out of memory");
    struct store_merge *m = s->merge;
    void *heap = m->heap;
    size_t of_each = type_count ? type_count : 1, count = q->audience_count * of_each;
    size_t least = count ? q->limit / count : 0;
    least = least < FETCH_MOST ? least + 1 : FETCH_MOST;
    m->heap_count = 0;
    m->taken = false;
    if (!follow_database(s, e))
        return false;
    if (!base_grow(&heap, &m->heap_room, count + 1, sizeof *m->heap))
        return err_set(e, ERR_MEMORY, "out of memory");
    m->heap = heap;
    types = type_count ? types : &all;
    for (size_t i = 0; i < count; i++) {
        struct run *r = find_run(m, q->collection, q->audiences[i / of_each], types[i % of_each]);
        if (!add_run(s, r, q->after_us, least, e))
            return false;
    }
    for (size_t i = m->heap_count / 2; i-- > 0;)
        sink(m, i);
    return true;
}

/* Goes on behind the row that was given out. */
static bool advance(struct store *s, struct err *e)
{
    struct store_merge *m = s->merge;
    struct run *r = m->heap[0];
    int64_t date = head_date(r);
    if (++r->next == r->count && !r->ended && !fetch(s, r, date, e))
        return false;
    if (r->next == r->count)
        m->heap[0] = m->heap[--m->heap_count];
    if (m->heap_count)
        sink(m, 0);
    return true;
}

bool store_merge_next(struct store *s, const struct store_release_row **row, int64_t *audience,
                      struct err *e)
{
    struct store_merge *m = s->merge;
    if (m->taken && !advance(s, e))
        return false;
    m->taken = m->heap_count > 0;
    *row = m->taken ? &m->heap[0]->rows[m->heap[0]->next] : NULL;
    *audience = m->taken ? m->heap[0]->audience : 0;
    return true;
}
