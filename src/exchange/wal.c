/* Bringing the write-ahead log back into the database, beside the writer: for the writer this is
 * as much work again as some of what it commits, and others wait for it. */
#include "exchange/exchange_priv.h"

static void *wal_main(void *arg)
{
    struct exchange_wal *w = arg;
    struct err ignored; /* the next time, or the writer, meets the same trouble */
    pthread_mutex_lock(&w->lock);
    while (!w->closing) {
        if (!w->due) {
            pthread_cond_wait(&w->wake, &w->lock);
            continue;
        }
        bool all = false;
        w->due = false;
        pthread_mutex_unlock(&w->lock);
        bool ok = store_wal_bring_back(w->store, &all, &ignored);
        pthread_mutex_lock(&w->lock);
        w->left = !ok || !all;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

void exchange_wal_init(struct exchange_wal *w)
{
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
}

bool exchange_wal_start(struct exchange *x, struct err *e)
{
    struct exchange_wal *w = &x->wal;
    char path[LIMIT_PATH_BYTES];
    must(!w->runs);
    if (!store_open(exchange_path(x, "setu.db", path), STORE_READ, &w->store, e))
        return false;
    if (pthread_create(&w->thread, NULL, wal_main, w) != 0)
        return err_set(e, ERR_MEMORY, "cannot start a thread");
    pthread_mutex_lock(&w->lock);
    w->runs = true;
    pthread_mutex_unlock(&w->lock);
    return true;
}

/* So many more than the last time, or as many, of which some were left. With the lock held. */
static bool is_due(const struct exchange_wal *w, size_t pages)
{
    size_t before = pages < w->pages ? 0 : w->pages; /* the log has begun anew */
    return pages >= LIMIT_STORE_WAL_PAGES &&
           (pages / LIMIT_STORE_WAL_STEP_PAGES > before / LIMIT_STORE_WAL_STEP_PAGES ||
            (pages == before && w->left));
}

void exchange_wal_look(struct exchange *x)
{
    struct exchange_wal *w = &x->wal;
    size_t pages = store_wal_pages(x->writer_store);
    pthread_mutex_lock(&w->lock);
    bool due = is_due(w, pages);
    w->pages = pages;
    if (w->runs)
        store_wal_apart(x->writer_store);
    if (due && w->runs) {
        w->due = true;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
}

void exchange_wal_stop(struct exchange_wal *w)
{
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    if (w->runs)
        pthread_join(w->thread, NULL);
    store_close(w->store);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
}
