/*
 * Following files by their names. Whatever reading waits for, a thread of its own looks at each
 * name ten times a second: the file that has it now is opened at once, and waits until those that
 * had it before are read. So it is read also when it was renamed or removed before its turn.
 *
 * A file has ended when its name is another's, and it has not grown for a second: who writes needs
 * so long to notice. All that wait are watched, so these seconds do not add up.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/follow_priv.h"

#define RENAMED_US 1000000
#define POLL_MS    100

/* A file that has the name, or had it. */
struct held {
    int fd;
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t rested_us; /* since when it does not grow and has not the name any more; monotonic */
    bool noted;        /* it was told to `comes` */
};

/* One name's. */
struct follower {
    struct named *all;
    const char *input;
    pthread_t thread;
    /* Of its thread: nothing more comes of the file that is read; how the last scan ended. */
    bool ended;
    struct sensor_end end;
    /* Guarded by the lock of all: the one that is read, and those that wait, the newest last. There
     * is always one. */
    struct held held[LIMIT_SENSOR_ROTATED];
    size_t count;
    /* Of the thread that looks: what has the name now and could not be opened, why, and since when;
     * how many such files lost it again, and why the first of them. */
    struct stat refused;
    bool is_refused, told;
    int64_t refused_us;
    struct err why, why_lost;
    size_t lost;
};

struct named {
    struct following *f;
    pthread_mutex_t lock; /* taken when f->lock is held, never the other way round */
    pthread_t watch;
    bool watched;
    size_t count, started;
    struct follower list[];
};

/* ---- reading ----------------------------------------------------------------------------- */

static bool has_successor(struct follower *w)
{
    pthread_mutex_lock(&w->all->lock);
    bool yes = w->count > 1;
    pthread_mutex_unlock(&w->all->lock);
    return yes;
}

/* There is nothing to read. What came since the thread that looks was there last is not known to it
 * yet. */
static const char *on_quiet(void *ctx)
{
    struct follower *w = ctx;
    struct stat now;
    pthread_mutex_lock(&w->all->lock);
    const struct held *h = &w->held[0];
    w->ended = w->count > 1 && monotonic_us() - h->rested_us > RENAMED_US &&
               fstat(h->fd, &now) == 0 && now.st_size == h->size;
    pthread_mutex_unlock(&w->all->lock);
    return w->ended ? NULL : w->input;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What is packed or a capture was read as a whole: it is again when it was changed. */
static void wait_for_change(struct follower *w, const struct sensor_scan *s,
                            const struct stat *before)
{
    struct stat now;
    while (!(w->ended = has_successor(w)) && fstat(w->held[0].fd, &now) == 0 &&
           is_same(before, &now) && s->block(s->ctx, 0))
        (void)poll(NULL, 0, POLL_MS);
}

static void next_file(struct follower *w)
{
    pthread_mutex_lock(&w->all->lock);
    must(w->count > 1);
    close(w->held[0].fd);
    w->count--;
    memmove(w->held, w->held + 1, w->count * sizeof *w->held);
    pthread_mutex_unlock(&w->all->lock);
    w->ended = false;
    w->end = (struct sensor_end){.is_text = true};
}

/* One that was cut off is read from its start again. */
static void *follow(void *arg)
{
    struct follower *w = arg;
    struct following *f = w->all->f;
    struct sensor_scan s = sensor_following_scan(f);
    struct err e = {0};
    bool ok = true;
    while (ok && !atomic_load(&f->stop)) {
        struct stat before = {0};
        struct sensor_opened o = {
            .fd = w->held[0].fd, .input = w->input, .quiet = on_quiet, .ctx = w};
        (void)fstat(o.fd, &before);
        ok = lseek(o.fd, 0, SEEK_SET) == 0 ? sensor_scan_opened(&s, &o, &w->end, &e)
                                           : err_errno(&e, "cannot read", w->input);
        if (ok && !w->end.is_text && w->end.reached)
            wait_for_change(w, &s, &before);
        if (ok && w->ended)
            next_file(w);
    }
    if (!ok)
        sensor_following_fail(f, &e);
    return NULL;
}

/* ---- looking ----------------------------------------------------------------------------- */

static int open_name(const char *input, struct stat *st, struct err *e)
{
    int fd = open(input, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        (void)err_errno(e, "cannot open", input);
        return -1;
    }
    bool ok = fstat(fd, st) == 0 || err_errno(e, "cannot look at", input);
    ok = ok && (S_ISREG(st->st_mode) ||
                err_set(e, ERR_IO, "%s is no file: only files are followed", input));
    if (ok) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        return fd;
    }
    close(fd);
    return -1;
}

static bool is_newest(const struct follower *w, const struct stat *st)
{
    const struct held *h = &w->held[w->count - 1];
    return h->device == st->st_dev && h->inode == st->st_ino;
}

/* With the lock held. */
static void hold(struct follower *w, int fd, const struct stat *st)
{
    if (w->count)
        w->held[w->count - 1].rested_us = monotonic_us();
    w->held[w->count++] =
        (struct held){.fd = fd, .device = st->st_dev, .inode = st->st_ino, .size = st->st_size};
}

/* A file that was seen lost its name before it was opened. */
static void lose(struct follower *w, const struct err *why)
{
    if (w->lost++ == 0)
        w->why_lost = *why;
    w->is_refused = false;
}

/* In a tenth of a second it is tried again. */
static void refuse(struct follower *w, const struct stat *st, const struct err *why)
{
    w->why = *why;
    if (w->is_refused && w->refused.st_ino == st->st_ino)
        return;
    w->is_refused = true;
    w->told = false;
    w->refused = *st;
    w->refused_us = monotonic_us();
}

/* The name is that of a file that is not held. */
static void take(struct follower *w, const struct stat *seen, bool full)
{
    struct err why;
    struct stat st;
    if (full) {
        (void)err_set(&why, ERR_LIMIT, "%d files that had it before wait to be read",
                      LIMIT_SENSOR_ROTATED);
        refuse(w, seen, &why);
        return;
    }
    int fd = open_name(w->input, &st, &why);
    if (fd < 0) {
        refuse(w, seen, &why);
        return;
    }
    w->is_refused = false;
    if (st.st_ino != seen->st_ino || st.st_dev != seen->st_dev) {
        (void)err_set(&why, ERR_IO, "it was renamed at once");
        lose(w, &why);
    }
    pthread_mutex_lock(&w->all->lock);
    bool is_new = !is_newest(w, &st);
    if (is_new)
        hold(w, fd, &st);
    pthread_mutex_unlock(&w->all->lock);
    if (!is_new)
        close(fd);
}

/* With the lock held. */
static void see_growth(struct follower *w)
{
    struct stat st;
    for (size_t i = 0; i < w->count; i++) {
        struct held *h = &w->held[i];
        if (fstat(h->fd, &st) != 0 || st.st_size == h->size)
            continue;
        h->size = st.st_size;
        h->rested_us = monotonic_us();
    }
}

static void look(struct follower *w)
{
    struct err why;
    struct stat st = {0};
    bool is_there = stat(w->input, &st) == 0;
    if (!is_there && errno != ENOENT) {
        (void)err_errno(&why, "cannot look at", w->input);
        refuse(w, &st, &why); /* the number 0 is no file's */
    }
    pthread_mutex_lock(&w->all->lock);
    see_growth(w);
    bool is_new = is_there && !is_newest(w, &st), full = w->count == LIMIT_SENSOR_ROTATED;
    pthread_mutex_unlock(&w->all->lock);
    if (w->is_refused && st.st_ino != w->refused.st_ino && w->refused.st_ino)
        lose(w, &w->why);
    else if (is_there && !is_new)
        w->is_refused = false;
    if (is_new)
        take(w, &st, full);
}

/* ---- telling ----------------------------------------------------------------------------- */

static void tell_coming(struct follower *w)
{
    const struct sensor_scan *s = w->all->f->s;
    pthread_mutex_lock(&w->all->lock);
    for (size_t i = 1; i < w->count; i++) { /* of the first `begin` tells */
        if (!w->held[i].noted && s->comes)
            s->comes(s->ctx, str_of(w->input), w->held[i].fd);
        w->held[i].noted = true;
    }
    pthread_mutex_unlock(&w->all->lock);
}

static void tell_lost(struct follower *w)
{
    const struct sensor_scan *s = w->all->f->s;
    struct err e;
    if (w->lost) {
        (void)err_set(&e, w->why_lost.code, "%zu %s had the name %.200s %s not read: %.200s",
                      w->lost, w->lost == 1 ? "file that" : "files that", w->input,
                      w->lost == 1 ? "was" : "were", w->why_lost.msg);
        w->lost = 0;
        if (s->lost)
            s->lost(s->ctx, &e);
    }
    /* Until it gets its permissions a new file may take a moment. */
    if (w->is_refused && !w->told && w->why.code != ERR_LIMIT &&
        monotonic_us() - w->refused_us > RENAMED_US) {
        w->told = true;
        if (s->lost)
            s->lost(s->ctx, &w->why);
    }
}

/* Who holds the lock may wait for who takes the alerts: what is to be told then waits, and looking
 * goes on. */
static void tell(struct named *n)
{
    if (pthread_mutex_trylock(&n->f->lock) != 0)
        return;
    for (size_t i = 0; i < n->count; i++) {
        tell_coming(&n->list[i]);
        tell_lost(&n->list[i]);
    }
    pthread_mutex_unlock(&n->f->lock);
}

static void *watch(void *arg)
{
    struct named *n = arg;
    while (!atomic_load(&n->f->stop)) {
        for (size_t i = 0; i < n->count; i++)
            look(&n->list[i]);
        tell(n);
        (void)poll(NULL, 0, POLL_MS);
    }
    return NULL;
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool start(struct named *n, const char *const *inputs, size_t count, struct err *e)
{
    for (; n->count < count; n->count++) {
        struct follower *w = &n->list[n->count];
        struct stat st;
        int fd = open_name(inputs[n->count], &st, e);
        if (fd < 0)
            return false;
        w->all = n;
        w->input = inputs[n->count];
        w->end.is_text = true;
        hold(w, fd, &st);
    }
    while (n->started < count &&
           sensor_following_thread(&n->list[n->started].thread, follow, &n->list[n->started]))
        n->started++;
    n->watched = n->started == count && sensor_following_thread(&n->watch, watch, n);
    return n->watched || err_set(e, ERR_MEMORY, "cannot start a thread for each file");
}

bool sensor_follow_names(struct following *f, const char *const *inputs, size_t count,
                         struct named **out, struct err *e)
{
    *out = NULL;
    if (count == 0)
        return true;
    struct named *n = base_alloc(sizeof *n + count * sizeof *n->list);
    if (!n)
        return err_set(e, ERR_MEMORY, "out of memory");
    n->f = f;
    pthread_mutex_init(&n->lock, NULL);
    *out = n;
    if (start(n, inputs, count, e))
        return true;
    atomic_store(&f->stop, true);
    return false;
}

/* What came since is looked at once more, for it was not read. */
static void end(struct follower *w)
{
    struct following *f = w->all->f;
    look(w);
    bool rests = w->end.is_text ? sensor_following_rests(w->held[0].fd) : !w->end.reached;
    if (rests)
        sensor_following_unread(f, w->input);
    for (size_t i = 1; i < w->count; i++)
        if (w->held[i].size > 0)
            sensor_following_unread(f, w->input);
    if (w->is_refused && w->refused.st_size > 0)
        sensor_following_unread(f, w->input);
}

void sensor_follow_names_end(struct named *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->started; i++)
        pthread_join(n->list[i].thread, NULL);
    if (n->watched) {
        pthread_join(n->watch, NULL);
        for (size_t i = 0; i < n->count; i++)
            end(&n->list[i]);
        tell(n);
    }
    for (size_t i = 0; i < n->count; i++)
        for (size_t k = 0; k < n->list[i].count; k++)
            close(n->list[i].held[k].fd);
    pthread_mutex_destroy(&n->lock);
    base_free(n);
}
