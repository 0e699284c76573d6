/* Following files: a thread each, through renaming and cutting off. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "sensor/sensor_priv.h"

#define POLL_MS 200

struct following {
    const struct sensor_scan *s;
    pthread_mutex_t lock; /* one callback at a time */
    atomic_bool stop, failed;
    struct err e; /* of the first that failed; guarded by `lock` */
};

/* One file's. */
struct follower {
    struct following *all;
    const char *input;
    pthread_t thread;
};

/* ---- callbacks, one at a time ---- */

static bool on_alert(void *ctx, const struct sensor_alert *a)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    bool on = !atomic_load(&f->stop) && f->s->alert(f->s->ctx, a);
    if (!on)
        atomic_store(&f->stop, true);
    pthread_mutex_unlock(&f->lock);
    return on;
}

static bool on_block(void *ctx, uint64_t bytes)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    bool on = !atomic_load(&f->stop) && (!f->s->block || f->s->block(f->s->ctx, bytes));
    if (!on)
        atomic_store(&f->stop, true);
    pthread_mutex_unlock(&f->lock);
    return on;
}

static void on_warning(void *ctx, struct str input, const char *text)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    if (f->s->warn)
        f->s->warn(f->s->ctx, input, text);
    pthread_mutex_unlock(&f->lock);
}

static void on_begin(void *ctx, struct str input, int fd, struct sensor_place *from)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    if (f->s->begin)
        f->s->begin(f->s->ctx, input, fd, from);
    pthread_mutex_unlock(&f->lock);
}

static void on_told(void *ctx, struct str input, const struct sensor_place *upto)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    if (f->s->told)
        f->s->told(f->s->ctx, input, upto);
    pthread_mutex_unlock(&f->lock);
}

static bool on_signal(void *ctx, const struct sensor_signal *a)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    bool on = !atomic_load(&f->stop) && f->s->signal(f->s->ctx, a);
    if (!on)
        atomic_store(&f->stop, true);
    pthread_mutex_unlock(&f->lock);
    return on;
}

static void on_figures(void *ctx, struct str input, const struct packet_figures *figures)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    if (f->s->figures)
        f->s->figures(f->s->ctx, input, figures);
    pthread_mutex_unlock(&f->lock);
}

/* *f->s with the callbacks of this file in the place of all that following can call: they have
 * another context. Rules run only where somebody hears of them. */
static struct sensor_scan scan_of(struct following *f)
{
    struct sensor_scan s = *f->s;
    s.ctx = f;
    s.alert = on_alert;
    s.block = on_block;
    s.warn = on_warning;
    s.begin = on_begin;
    s.told = on_told;
    s.signal = f->s->signal ? on_signal : NULL;
    s.figures = on_figures;
    s.lost = NULL; /* nothing is read together */
    s.follow = true;
    return s;
}

/* ---- one file ---- */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* After a rotation the new file may take a while. `done` was read as a whole, and is not read again
 * as it is; NULL: there is none. */
static bool is_there(struct follower *w, const struct stat *done)
{
    struct stat st;
    int got;
    while ((got = stat(w->input, &st)) != 0 || (done && is_same(done, &st))) {
        if ((got != 0 && errno != ENOENT) || !on_block(w->all, 0))
            return got != 0 && errno != ENOENT;
        (void)poll(NULL, 0, POLL_MS);
    }
    return true;
}

static void *follow(void *arg)
{
    struct follower *w = arg;
    struct following *f = w->all;
    struct sensor_scan s = scan_of(f);
    struct err e = {0};
    struct sensor_end end = {.is_text = true};
    struct stat before = {0};
    bool ok = true;
    while (ok && !atomic_load(&f->stop) && is_there(w, end.is_text ? NULL : &before) &&
           !atomic_load(&f->stop)) {
        (void)stat(w->input, &before); /* of what is gone nothing is remembered, nor read */
        ok = sensor_scan_once(&s, w->input, &end, &e);
    }
    if (ok)
        return NULL;
    pthread_mutex_lock(&f->lock);
    if (!atomic_exchange(&f->failed, true))
        f->e = e;
    pthread_mutex_unlock(&f->lock);
    atomic_store(&f->stop, true);
    return NULL;
}

/* ---- all of them ---- */

static bool check(const char *const *inputs, size_t count, struct err *e)
{
    struct stat st;
    if (count > LIMIT_SENSOR_FOLLOWED)
        return err_set(e, ERR_LIMIT, "at most %d files are followed at once",
                       LIMIT_SENSOR_FOLLOWED);
    for (size_t i = 0; i < count; i++) {
        if (stat(inputs[i], &st) != 0)
            return err_errno(e, "cannot look at", inputs[i]);
        if (!S_ISREG(st.st_mode))
            return err_set(e, ERR_USAGE, "%s is no file: only files are followed", inputs[i]);
    }
    return true;
}

/* Signals are the caller's thread's, which does nothing but wait. */
static size_t start(struct follower *list, size_t count)
{
    size_t started = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < count &&
           pthread_create(&list[started].thread, NULL, follow, &list[started]) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

bool sensor_follow(const struct sensor_scan *s, const char *const *inputs, size_t count,
                   struct err *e)
{
    struct following f = {.s = s};
    struct follower *list;
    if (!check(inputs, count, e))
        return false;
    if (!(list = base_alloc(count * sizeof *list)))
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        list[i] = (struct follower){.all = &f, .input = inputs[i]};
    pthread_mutex_init(&f.lock, NULL);
    size_t started = start(list, count);
    if (started < count)
        atomic_store(&f.stop, true);
    for (size_t i = 0; i < started; i++)
        pthread_join(list[i].thread, NULL);
    pthread_mutex_destroy(&f.lock);
    base_free(list);
    if (started < count)
        return err_set(e, ERR_MEMORY, "cannot start a thread for each file");
    if (atomic_load(&f.failed))
        *e = f.e;
    return !atomic_load(&f.failed);
}
