/*
 * Following folders. Each second they are looked through, and what is in them is compared with what
 * is known, by device and inode: a name is nothing but where a file is found now. One that is new
 * gets a thread, which reads it for as long as it is there, open all the time; so nothing that
 * happens to its names loses a line. The thread that looks through folders never waits for one that
 * tells, so rotation is seen also while nobody takes the alerts.
 *
 * Two files that are read never have one name: a file that was renamed is told under its new name
 * from where it was read to its end, once nobody else is told under that, and who comes after it
 * waits for its name until then.
 *
 * What rotation copies or packs is another file with a text that was read. Whether it is, and how
 * far, is for `begin` to say; here it waits until what it may be a copy of was read to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/follow_priv.h"

#define ROUND_US    1000000
#define ROUND_SHARE 10 /* looking through takes such a part of the time at the most */
#define POLL_MS     100
#define BUSY_MS     10 /* while files wait until others of their kind are read */
#define COPY_ROUNDS 10 /* a copy is made by then: some logs never rest */

struct table;

/* A file of a folder, or a folder that cannot be read. */
struct log {
    struct table *all;
    dev_t device;
    ino_t inode;
    bool is_folder;
    off_t size;
    struct timespec changed_at;
    unsigned first, seen, changed; /* rounds in which it was found so, last, with another size */
    int fd;                        /* below 0: not open */
    bool looked, whole;            /* whole: looked at, it is packed or a capture */
    bool few;                      /* too few bytes to tell */
    bool done;                     /* read as far as it can be, when it was so large: */
    off_t done_size;
    bool complained;
    bool running, counted; /* counted: among those that are read as a whole */
    bool reached;          /* of what was read as a whole: to its end */
    pthread_t thread;
    /* Guarded by the table's lock while it runs. */
    char *path;         /* where it was found last */
    char *name, *next;  /* that it is told under; that it is about to be */
    unsigned quiet;     /* the round in which there was nothing left to read */
    bool gone;          /* it was not found any more */
    bool finished;      /* its thread has nothing left to do */
    char *name_before;  /* of the thread alone, as the next */
    bool ended, failed; /* ended: it was gone, and read to its end */
};

struct table {
    struct following *f;
    struct sensor_scan s;
    size_t most; /* files at once */
    /* By device and inode, but those that this round has found; of the thread that looks alone. */
    struct log **list;
    size_t count, room, sorted;
    size_t opened, whole;
    bool waiting;          /* files for others that are read as a whole */
    bool closing;          /* it was stopped, and is looked at what was not read */
    bool complained, full; /* it was told that there are too many files; and too many to follow */
    pthread_mutex_t lock;
    unsigned round;                             /* from 1 */
    struct log *running[LIMIT_SENSOR_FOLLOWED]; /* changed by the thread that looks */
    size_t running_count;
};

/* Where that would have to wait for who tells, it comes again in the next round. */
static void complain(struct table *t, bool *before, const struct err *e)
{
    const struct sensor_scan *s = t->f->s;
    if (*before || pthread_mutex_trylock(&t->f->lock) != 0)
        return;
    if (s->lost)
        s->lost(s->ctx, e);
    *before = true;
    pthread_mutex_unlock(&t->f->lock);
}

static char *copy_of(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = base_alloc(n);
    if (copy)
        memcpy(copy, text, n);
    return copy;
}

static void log_close(struct log *w)
{
    if (w->fd < 0)
        return;
    close(w->fd);
    w->fd = -1;
    w->all->opened--;
}

static void log_free(struct log *w)
{
    log_close(w);
    base_free(w->path);
    base_free(w->name);
    base_free(w->next);
    base_free(w->name_before);
    base_free(w);
}

/* ---- reading one ------------------------------------------------------------------------- */

/* With the lock held. */
static bool is_taken(const struct table *t, const struct log *by, const char *name)
{
    for (size_t i = 0; i < t->running_count; i++) {
        const struct log *x = t->running[i];
        if (x != by && (strcmp(x->name, name) == 0 || (x->next && strcmp(x->next, name) == 0)))
            return true;
    }
    return false;
}

/* The file was read to its end: takes the name that it has now. A name is reserved while others
 * hear of it, for they may have to wait. */
static void take_name(struct log *w)
{
    struct table *t = w->all;
    pthread_mutex_lock(&t->lock);
    if (strcmp(w->name, w->path) != 0 && !is_taken(t, w, w->path))
        w->next = copy_of(w->path);
    bool renamed = w->next != NULL;
    pthread_mutex_unlock(&t->lock);
    if (!renamed)
        return;
    t->s.moved(t->s.ctx, str_of(w->name), str_of(w->next));
    pthread_mutex_lock(&t->lock);
    base_free(w->name_before);
    w->name_before = w->name;
    w->name = w->next;
    w->next = NULL;
    pthread_mutex_unlock(&t->lock);
}

static const char *on_quiet(void *ctx)
{
    struct log *w = ctx;
    pthread_mutex_lock(&w->all->lock);
    w->quiet = w->all->round;
    w->ended = w->gone;
    pthread_mutex_unlock(&w->all->lock);
    if (w->ended)
        return NULL;
    take_name(w);
    return w->name;
}

/* A set that is damaged ends all; what cannot be read is one file. */
static void tell_failure(struct table *t, const struct err *e)
{
    struct err damaged;
    if (sensor_scan_intact(&t->s, &damaged))
        t->s.lost(t->s.ctx, e);
    else
        sensor_following_fail(t->f, &damaged);
}

/* From its start again whenever it was cut off. */
static void *read_log(void *ctx)
{
    struct log *w = ctx;
    struct table *t = w->all;
    struct sensor_opened o = {
        .fd = w->fd, .is_of_folder = true, .came_later = w->first > 1, .quiet = on_quiet, .ctx = w};
    struct sensor_end end = {.is_text = true, .reached = true};
    struct err e = {0};
    while (!w->failed && end.is_text && end.reached && !w->ended && !atomic_load(&t->f->stop)) {
        o.input = w->name;
        w->failed = lseek(w->fd, 0, SEEK_SET) != 0 ? !err_errno(&e, "cannot read", w->name)
                                                   : !sensor_scan_opened(&t->s, &o, &end, &e);
    }
    if (w->failed)
        tell_failure(t, &e);
    t->s.moved(t->s.ctx, str_of(w->name), STR_NONE);
    pthread_mutex_lock(&t->lock);
    w->whole = !end.is_text;
    w->reached = end.reached;
    w->finished = true;
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* ---- looking through --------------------------------------------------------------------- */

static int by_inode(const void *x, const void *y)
{
    const struct log *a = *(struct log *const *)x, *b = *(struct log *const *)y;
    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    if (a->inode != b->inode)
        return a->inode < b->inode ? -1 : 1;
    return 0;
}

static struct log *find(const struct table *t, const struct stat *st)
{
    struct log key = {.device = st->st_dev, .inode = st->st_ino}, *wanted = &key;
    struct log **found =
        t->sorted ? bsearch(&wanted, t->list, t->sorted, sizeof wanted, by_inode) : NULL;
    return found ? *found : NULL;
}

static bool add(struct table *t, const char *path, const struct stat *st)
{
    struct err e;
    void *list = t->list;
    if (t->count == LIMIT_SENSOR_FOLDER_FILES) {
        (void)err_set(&e, ERR_LIMIT, "%s: of folders at most %d files are looked at", path,
                      LIMIT_SENSOR_FOLDER_FILES);
        complain(t, &t->complained, &e);
        return false;
    }
    struct log *w = base_alloc(sizeof *w);
    char *copy = copy_of(path);
    if (!w || !copy || !base_grow(&list, &t->room, t->count + 1, sizeof(struct log *))) {
        base_free(w);
        base_free(copy);
        return false; /* in a second there may be memory */
    }
    *w = (struct log){.all = t, .device = st->st_dev, .inode = st->st_ino, .fd = -1, .path = copy};
    w->is_folder = S_ISDIR(st->st_mode);
    w->size = st->st_size;
    w->changed_at = st->st_mtim;
    w->first = w->seen = w->changed = t->round;
    t->list = list;
    t->list[t->count++] = w;
    return true;
}

/* With the lock held. */
static void find_at(struct log *w, const char *path)
{
    w->gone = false;
    if (strcmp(w->path, path) == 0)
        return;
    char *copy = copy_of(path);
    if (!copy)
        return; /* it keeps its name until the next round */
    base_free(w->path);
    w->path = copy;
}

static void see(struct log *w, const char *path, const struct stat *st)
{
    struct table *t = w->all;
    if (w->seen == t->round) /* it has several names: the first counts */
        return;
    w->seen = t->round;
    pthread_mutex_lock(&t->lock);
    find_at(w, path);
    pthread_mutex_unlock(&t->lock);
    if (w->size != st->st_size || w->changed_at.tv_sec != st->st_mtim.tv_sec ||
        w->changed_at.tv_nsec != st->st_mtim.tv_nsec)
        w->changed = t->round;
    w->size = st->st_size;
    w->changed_at = st->st_mtim;
    if (w->done && w->size != w->done_size) { /* another file may have its inode, too */
        w->done = w->looked = false;
        w->first = t->round;
    }
}

static bool on_found(void *ctx, const char *path, const struct stat *st)
{
    struct table *t = ctx;
    struct err e;
    struct stat folder = {0};
    if (S_ISDIR(st->st_mode)) {
        (void)err_errno(&e, "cannot look through", path);
        (void)stat(path, &folder); /* one that is gone has the number 0 */
        folder.st_mode = S_IFDIR;
        st = &folder;
    }
    struct log *w = find(t, st);
    if (w)
        see(w, path, st);
    else if (add(t, path, st))
        w = t->list[t->count - 1];
    if (w && S_ISDIR(st->st_mode))
        complain(t, &w->complained, &e);
    return t->closing || !atomic_load(&t->f->stop);
}

/* Those that were found sorted in; of one that was found under two names, one. */
static void sort_in(struct table *t)
{
    if (t->count == t->sorted)
        return;
    qsort(t->list, t->count, sizeof(struct log *), by_inode);
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (kept && by_inode(&t->list[kept - 1], &t->list[i]) == 0)
            log_free(t->list[i]);
        else
            t->list[kept++] = t->list[i];
    }
    t->count = t->sorted = kept;
}

/* ---- beginning and ending ---------------------------------------------------------------- */

static bool log_open(struct log *w)
{
    struct table *t = w->all;
    struct err e;
    struct stat st;
    if (t->opened == t->most) {
        (void)err_set(&e, ERR_LIMIT,
                      "%s, and maybe others, are not followed yet: at most %d files are at once, "
                      "and the next is begun when one of them is gone",
                      w->path, LIMIT_SENSOR_FOLLOWED);
        complain(t, &t->full, &e);
        return false;
    }
    w->fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (w->fd < 0 && errno != ENOENT) {
        (void)err_errno(&e, "cannot open", w->path);
        complain(t, &w->complained, &e);
    }
    if (w->fd < 0)
        return false;
    t->opened++;
    w->complained = false;
    if (fstat(w->fd, &st) == 0 && st.st_ino == w->inode && st.st_dev == w->device)
        return true;
    log_close(w); /* it was renamed just now */
    return false;
}

/* What kind of file is it? */
static bool look(struct log *w)
{
    char head[PACKET_HEAD_BYTES > SENSOR_PACKED_HEAD ? PACKET_HEAD_BYTES : SENSOR_PACKED_HEAD];
    if (w->fd < 0 && !log_open(w))
        return false;
    ssize_t n = pread(w->fd, head, sizeof head, 0);
    struct str is = {head, n > 0 ? (size_t)n : 0};
    w->looked = true;
    w->whole = sensor_packed(is) || packet_is_capture(is);
    w->few = is.n < SENSOR_PACKED_HEAD;
    return true;
}

/* Its name is another's still; or it may be a copy of what is read, and goes on where that was read
 * to, when it was read to its end since the copy was made, and all of it when it was removed: not
 * what was there at the start, when nobody saw a rotation. */
static bool has_to_wait(struct log *w, bool rests)
{
    struct table *t = w->all;
    bool long_there = t->round - w->first >= COPY_ROUNDS;
    unsigned made = long_there ? w->first : w->changed;
    pthread_mutex_lock(&t->lock);
    bool wait = is_taken(t, w, w->path);
    for (size_t i = 0; i < t->running_count && w->first > 1 && !wait; i++) {
        const struct log *x = t->running[i];
        wait = sensor_is_rotated(str_of(w->path), str_of(x->name)) &&
               ((!rests && !long_there) || x->quiet <= made || x->seen < t->round);
    }
    pthread_mutex_unlock(&t->lock);
    return wait;
}

/* Of those that are read as a whole some are at once, and none is open meanwhile. */
static bool is_whole_due(struct log *w, bool rests)
{
    bool full = w->all->whole == LIMIT_SENSOR_UNPACKED;
    if (rests && !full)
        return true;
    w->all->waiting = w->all->waiting || full;
    log_close(w);
    return false;
}

static bool is_due(struct log *w)
{
    bool rests = w->changed < w->all->round;
    if (w->running || w->done || w->is_folder || w->size == 0)
        return false;
    if (w->looked && w->whole && !is_whole_due(w, rests))
        return false;
    if (!look(w) || (w->whole && !is_whole_due(w, rests)))
        return false;
    return (rests || !w->few) && !has_to_wait(w, rests);
}

/* Takes its name, if nobody has taken it meanwhile. */
static bool enter(struct log *w)
{
    struct table *t = w->all;
    pthread_mutex_lock(&t->lock);
    w->name = is_taken(t, w, w->path) ? NULL : copy_of(w->path);
    w->running = w->name != NULL;
    if (w->running) {
        must(t->running_count < LIMIT_SENSOR_FOLLOWED);
        t->running[t->running_count++] = w;
    }
    pthread_mutex_unlock(&t->lock);
    w->counted = w->running && w->whole;
    t->whole += w->counted;
    return w->running;
}

static void leave(struct log *w)
{
    struct table *t = w->all;
    size_t i = 0;
    pthread_mutex_lock(&t->lock);
    while (t->running[i] != w)
        i++;
    t->running[i] = t->running[--t->running_count];
    pthread_mutex_unlock(&t->lock);
    t->whole -= w->counted;
    w->running = w->counted = false;
    base_free(w->name);
    w->name = NULL;
    log_close(w);
}

static void begin(struct log *w)
{
    struct err e;
    w->finished = w->ended = w->failed = false;
    w->quiet = 0;
    w->done_size = w->size;
    if (!enter(w) || sensor_following_thread(&w->thread, read_log, w))
        return;
    (void)err_set(&e, ERR_MEMORY, "%s: no thread to follow it", w->path);
    complain(w->all, &w->complained, &e);
    leave(w);
}

/* Its thread has nothing left to do. */
static void end(struct log *w)
{
    pthread_join(w->thread, NULL);
    w->done = w->whole || w->failed;
    leave(w);
}

/* Names that change while folders are looked through may be missed: twice is not by chance. */
static bool is_gone(const struct log *w)
{
    return w->seen + 1 < w->all->round;
}

/* After each round, and while files wait. One that is open but was not begun is begun although it
 * is gone. */
static void go_on(struct table *t)
{
    size_t kept = 0;
    t->waiting = false;
    for (size_t i = 0; i < t->count; i++) {
        struct log *w = t->list[i];
        pthread_mutex_lock(&t->lock);
        bool finished = w->running && w->finished;
        w->gone = is_gone(w);
        pthread_mutex_unlock(&t->lock);
        if (finished)
            end(w);
        if (is_due(w))
            begin(w);
        if (is_gone(w) && !w->running && w->fd < 0)
            log_free(w);
        else
            t->list[kept++] = w;
    }
    t->count = t->sorted = kept;
}

/* ---- all of them ------------------------------------------------------------------------- */

/* Who has the lock may wait for long, and asks himself. */
static void ask(struct following *f)
{
    if (pthread_mutex_trylock(&f->lock) != 0)
        return;
    if (f->s->block && !f->s->block(f->s->ctx, 0))
        atomic_store(&f->stop, true);
    pthread_mutex_unlock(&f->lock);
}

static void rest(struct table *t, int64_t began_us)
{
    int64_t took_us = monotonic_us() - began_us;
    int64_t pause_us = took_us * ROUND_SHARE > ROUND_US ? took_us * ROUND_SHARE : ROUND_US;
    while (!atomic_load(&t->f->stop) && monotonic_us() - began_us < pause_us) {
        ask(t->f);
        if (t->waiting)
            go_on(t);
        (void)poll(NULL, 0, t->waiting ? BUSY_MS : POLL_MS);
    }
}

/* False when it was stopped meanwhile. */
static bool look_through(struct table *t, const char *const *folders, size_t count)
{
    bool on = true;
    pthread_mutex_lock(&t->lock);
    t->round++;
    pthread_mutex_unlock(&t->lock);
    for (size_t i = 0; i < count && on; i++)
        on = file_walk(folders[i], on_found, t);
    sort_in(t);
    return on;
}

/* All was stopped. Is there text in it that was not read? One that is open was found, and may be
 * gone. */
static bool is_unread(const struct log *w)
{
    if (w->is_folder)
        return false;
    if (w->running)
        return w->whole ? !w->reached : sensor_following_rests(w->fd);
    return !w->done && w->size > 0 && (w->fd >= 0 || w->seen == w->all->round);
}

/* What came since is looked for once more. */
static void close_all(struct table *t, const char *const *folders, size_t count)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->list[i]->running)
            pthread_join(t->list[i]->thread, NULL);
    t->closing = true;
    (void)look_through(t, folders, count);
    for (size_t i = 0; i < t->count; i++) {
        if (is_unread(t->list[i]))
            sensor_following_unread(t->f, t->list[i]->path);
        log_free(t->list[i]);
    }
}

void sensor_follow_folders(struct following *f, const char *const *folders, size_t count,
                           size_t most)
{
    struct err e;
    struct table *t = base_alloc(sizeof *t);
    if (!t) {
        (void)err_set(&e, ERR_MEMORY, "out of memory");
        sensor_following_fail(f, &e);
        return;
    }
    *t = (struct table){.f = f, .most = most};
    t->s = sensor_following_scan(f);
    pthread_mutex_init(&t->lock, NULL);
    while (!atomic_load(&f->stop)) {
        int64_t began_us = monotonic_us();
        if (look_through(t, folders, count))
            go_on(t);
        rest(t, began_us);
    }
    close_all(t, folders, count);
    pthread_mutex_destroy(&t->lock);
    base_free(t->list);
    base_free(t);
}

/* ---- names ------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Without what rotation puts behind a name: numbers and dates, and how it was packed. */
static struct str stem_of(struct str name)
{
    static const char *const packed[] = {".gz", ".zst", ".xz", ".bz2"};
    const char *slash = name.n ? memrchr(name.p, '/', name.n) : NULL;
    size_t least = slash ? (size_t)(slash - name.p) + 2 : 1, before;
    do {
        before = name.n;
        for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
            struct str end = str_of(packed[i]);
            if (name.n >= least + end.n && str_eq(str_from(name, name.n - end.n), end))
                name.n -= end.n;
        }
        size_t n = name.n;
        while (n > least && is_digit(name.p[n - 1]))
            n--;
        if (n < name.n && n > least && (name.p[n - 1] == '.' || name.p[n - 1] == '-'))
            name.n = n - 1;
    } while (name.n < before);
    return name;
}

bool sensor_is_rotated(struct str name, struct str of)
{
    struct str stem = stem_of(of);
    return str_starts(name, stem) && name.n > stem.n &&
           (name.p[stem.n] == '.' || name.p[stem.n] == '-');
}
