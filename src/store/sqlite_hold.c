/* The SQLite driver: holding one state over several readings, and over several times of holding. */
#include <stdatomic.h>
#include <string.h>

#include "store/sqlite_priv.h"

#define SHM_REGION_BYTES 32768 /* of the index: SQLite's WALINDEX_PGSZ */

/* The first region of the shared memory, which SQLite has mapped as long as the handle is open,
 * once something was read. */
static const volatile void *find_index(struct store *s)
{
    sqlite3_file *f = NULL;
    volatile void *region = NULL;
    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK || !f ||
        !f->pMethods || f->pMethods->iVersion < 2 ||
        f->pMethods->xShmMap(f, 0, SHM_REGION_BYTES, 0, &region) != SQLITE_OK)
        return NULL;
    return region;
}

/* A copy that is torn, since somebody commits just now, equals no head. */
static void read_head(const struct store *s, unsigned char out[STORE_WAL_HEAD_BYTES])
{
    const volatile uint32_t *words = s->wal_index;
    uint32_t copy[STORE_WAL_HEAD_BYTES / sizeof(uint32_t)];
    atomic_thread_fence(memory_order_seq_cst);
    for (size_t i = 0; i < sizeof copy / sizeof *copy; i++)
        copy[i] = words[i];
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(out, copy, sizeof copy);
}

/* Every commit changes the head: a count, the number of frames and their checksum. The latter two
 * and the salts beside them say which state it is also behind a recovery, which counts anew. */
static bool is_as_before(const struct store *s)
{
    unsigned char now[STORE_WAL_HEAD_BYTES];
    read_head(s, now);
    return memcmp(now, s->wal_head, sizeof now) == 0;
}

static void end(struct store *s)
{
    s->held = s->idle = false;
    s->in_transaction = true;
    store_rollback(s);
}

void store_end_idle(struct store *s)
{
    if (s->idle)
        end(s);
}

bool store_hold(struct store *s, struct err *e)
{
    must(!s->in_transaction && !s->writable && !s->held);
    /* SQLite itself ends a transaction in which the disk failed. */
    if (s->idle && !sqlite3_get_autocommit(s->db) && is_as_before(s)) {
        s->idle = false;
        s->held = true;
        return true;
    }
    store_end_idle(s);
    s->state_known = false;
    /* Before the state is read: a commit between the two counts as one after it. */
    if (s->wal_index)
        read_head(s, s->wal_head);
    s->held = store_run_simple(s, STORE_BEGIN_READ, e);
    return s->held;
}

void store_let_go(struct store *s)
{
    must(!s->in_transaction);
    if (s->held || s->idle)
        end(s);
}

void store_linger(struct store *s)
{
    bool knows = s->wal_index != NULL;
    must(!s->in_transaction);
    if (!s->held)
        return;
    if (!knows && s->state_known)
        s->wal_index = find_index(s);
    if (!knows || !s->state_known) {
        end(s);
        return;
    }
    s->held = false;
    s->idle = true;
}
