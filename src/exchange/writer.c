/* Group commit: one thread takes all jobs that wait, applies them in one transaction, commits. */
#include <time.h>

#include "exchange/gate_priv.h"

/* How often a server looks whether something is to be decided again. */
#define BACKGROUND_S 60
/* How long a transaction may wait for as many jobs as the last one had: senders that were told of
 * that one are about to send again, and one flush for all is worth more than half of them at once.
 * One sender alone never waits, nor do senders of so many objects each: to write them takes longer
 * than a flush. */
#define GATHER_US      2000
#define GATHER_OBJECTS 256
/* How often it looks, while somebody waits, whether another process has written. */
#define OTHERS_S 1

/* Takes jobs off the queue up to the size of one transaction. The lock is held. */
static struct exchange_job *take(struct exchange *x)
{
    struct exchange_job *head = x->first, **end = &x->first;
    size_t objects = 0, before = x->queued;
    while (*end && (end == &x->first || objects < LIMIT_EXCHANGE_TRANSACTION_OBJECTS)) {
        objects += (*end)->objects;
        end = &(*end)->next;
        x->queued--;
    }
    x->first = *end;
    *end = NULL;
    if (!x->first)
        x->last = &x->first;
    size_t jobs = before - x->queued;
    x->gathered = objects < GATHER_OBJECTS * jobs ? jobs : 0;
    return head;
}

/* Waits for as many jobs as the last transaction had. The lock is held. */
static void gather(struct exchange *x)
{
    struct timespec until;
    if (x->queued >= x->gathered || x->closing)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += GATHER_US * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    x->wanted = x->gathered;
    while (x->queued < x->wanted && !x->closing &&
           pthread_cond_clockwait(&x->wake, &x->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    x->wanted = 0;
}

/* *refused: a job could not be applied, and not the transaction itself. */
static bool apply_all(struct exchange *x, struct exchange_job *jobs, bool *refused, struct err *e)
{
    *refused = false;
    if (!store_begin(x->writer_store, e))
        return false;
    if (!exchange_gate_open(x, x->writer_store, e)) {
        store_rollback(x->writer_store);
        return false;
    }
    for (struct exchange_job *j = jobs; j; j = j->next) {
        if (!j->apply(x, x->writer_store, j, e)) {
            store_rollback(x->writer_store);
            *refused = true;
            return false;
        }
    }
    if (!gate_ledger_end(x->gate, e)) {
        store_rollback(x->writer_store);
        return false;
    }
    return store_commit(x->writer_store, e);
}

static void finish(struct exchange_job *jobs, bool ok, const struct err *e)
{
    while (jobs) {
        struct exchange_job *next = jobs->next;
        jobs->done(jobs, ok, e);
        jobs = next;
    }
}

/* One transaction for all. If a job fails in it, each job alone, so that one cannot take others
 * with it; if it cannot begin or commit (a locked database, a full disk), all end with that error,
 * since each alone would only wait as long again. */
static void process(struct exchange *x, struct exchange_job *jobs)
{
    struct err e = {0};
    bool refused, ok = apply_all(x, jobs, &refused, &e);
    if (!ok && x->gate)
        policy_memo_reset(x->gate->memo); /* it may have lacked the memory */
    if (ok || !refused || !jobs->next) {
        finish(jobs, ok, &e);
        exchange_watches_tell(x);
        return;
    }
    while (jobs) {
        struct exchange_job *next = jobs->next;
        jobs->next = NULL;
        e = (struct err){0};
        ok = apply_all(x, jobs, &refused, &e);
        if (!ok && x->gate)
            policy_memo_reset(x->gate->memo);
        finish(jobs, ok, &e);
        exchange_watches_tell(x);
        jobs = next;
    }
}

/* A transaction of what is to be decided again. True: there is more to do at once. */
static bool in_background(struct exchange *x)
{
    struct err ignored; /* it is tried again, and the jobs of others meet the same trouble */
    bool left = false;
    if (!store_begin(x->writer_store, &ignored))
        return false;
    if (!exchange_gate_open(x, x->writer_store, &ignored) ||
        !exchange_sweep_some(x, x->writer_store, &left, &ignored) ||
        !gate_ledger_end(x->gate, &ignored)) {
        store_rollback(x->writer_store);
        return false;
    }
    return store_commit(x->writer_store, &ignored) && left;
}

/* Waits for jobs; in a server, until the next look at the longest. The lock is held. */
static void wait_for_work(struct exchange *x)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += atomic_load(&x->watches.count) ? OTHERS_S : BACKGROUND_S;
    if (x->background)
        pthread_cond_timedwait(&x->wake, &x->lock, &until);
    else
        pthread_cond_wait(&x->wake, &x->lock);
}

static bool background_is_due(const struct exchange *x)
{
    return x->background && monotonic_us() >= x->background_us;
}

/* Nobody's job waits. The lock is held, but not while it looks. True: there is more to do. */
static bool look_around(struct exchange *x, bool more)
{
    bool due = more || background_is_due(x);
    if (due)
        x->background_us = monotonic_us() + (int64_t)BACKGROUND_S * 1000000;
    pthread_mutex_unlock(&x->lock);
    more = due && in_background(x);
    exchange_wal_look(x);
    exchange_watches_tell(x);
    pthread_mutex_lock(&x->lock);
    return more;
}

static void *writer_main(void *arg)
{
    struct exchange *x = arg;
    bool more = false;
    pthread_mutex_lock(&x->lock);
    for (;;) {
        if (!x->first && !x->closing && !more && !background_is_due(x))
            wait_for_work(x);
        if (!x->first && x->closing)
            break;
        if (!x->first) {
            more = look_around(x, more);
            continue;
        }
        gather(x);
        struct exchange_job *jobs = take(x);
        pthread_mutex_unlock(&x->lock);
        process(x, jobs);
        exchange_wal_look(x);
        more = x->background && x->gate->left;
        pthread_mutex_lock(&x->lock);
    }
    pthread_mutex_unlock(&x->lock);
    return NULL;
}

/* The lock is held. */
static bool start_writer(struct exchange *x, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    if (x->writer_runs)
        return true;
    if (!x->writer_store &&
        !store_open(exchange_path(x, "setu.db", path), STORE_WRITE, &x->writer_store, e))
        return false;
    if (!x->gate) {
        struct gate *g = base_alloc(sizeof *g);
        if (!g)
            return err_set(e, ERR_MEMORY, "out of memory");
        if (!gate_init(g, x, exchange_policy(x), e)) {
            base_free(g);
            return false;
        }
        x->gate = g;
    }
    if (pthread_create(&x->writer, NULL, writer_main, x) != 0)
        return err_set(e, ERR_MEMORY, "cannot start the writer thread");
    x->writer_runs = true;
    return true;
}

bool exchange_enqueue(struct exchange *x, struct exchange_job *j, struct err *e)
{
    bool ok;
    pthread_mutex_lock(&x->lock);
    must(!x->closing);
    ok = start_writer(x, e);
    if (ok && x->queued >= LIMIT_EXCHANGE_QUEUE_BATCHES)
        ok = err_set(e, ERR_BUSY, "%zu batches wait to be written; try again soon", x->queued);
    if (ok) {
        j->next = NULL;
        *x->last = j;
        x->last = &j->next;
        if (++x->queued >= x->wanted)
            pthread_cond_signal(&x->wake);
    }
    pthread_mutex_unlock(&x->lock);
    return ok;
}

bool exchange_background(struct exchange *x, struct err *e)
{
    pthread_mutex_lock(&x->lock);
    x->background = true;
    x->background_us = 0;
    bool ok = exchange_wal_start(x, e) && start_writer(x, e);
    pthread_cond_signal(&x->wake);
    pthread_mutex_unlock(&x->lock);
    return ok;
}

void exchange_waiter_done(struct exchange_job *j, bool ok, const struct err *e)
{
    struct exchange_waiter *w = (struct exchange_waiter *)j; /* its first member */
    pthread_mutex_lock(&w->lock);
    w->finished = true;
    w->ok = ok;
    w->e = *e;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

bool exchange_run(struct exchange *x, struct exchange_waiter *w, struct err *e)
{
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->finished = false;
    w->x = x;
    w->job.done = w->done ? w->done : exchange_waiter_done;
    bool ok = exchange_enqueue(x, &w->job, e);
    if (ok) {
        pthread_mutex_lock(&w->lock);
        while (!w->finished)
            pthread_cond_wait(&w->wake, &w->lock);
        pthread_mutex_unlock(&w->lock);
        ok = w->ok;
        if (!ok)
            *e = w->e;
    }
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    return ok;
}

void exchange_writer_stop(struct exchange *x)
{
    pthread_mutex_lock(&x->lock);
    x->closing = true;
    bool runs = x->writer_runs;
    pthread_cond_signal(&x->wake);
    pthread_mutex_unlock(&x->lock);
    if (runs)
        pthread_join(x->writer, NULL);
    store_close(x->writer_store);
    if (x->gate)
        gate_done(x->gate);
    base_free(x->gate);
}
