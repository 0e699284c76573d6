/* Following files by their names and in folders: what both have in common. */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/follow_priv.h"

/* ---- callbacks, one at a time ---- */

/* When others stopped, what was begun is told to where a place can be told. */
static bool on_alert(void *ctx, const struct sensor_alert *a)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    bool on = f->s->alert(f->s->ctx, a);
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

static void on_begin(void *ctx, struct str input, int fd, bool later, struct sensor_place *from)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    if (f->s->begin)
        f->s->begin(f->s->ctx, input, fd, later, from);
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

static void on_moved(void *ctx, struct str from, struct str to)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    if (f->s->moved)
        f->s->moved(f->s->ctx, from, to);
    pthread_mutex_unlock(&f->lock);
}

static void on_lost(void *ctx, const struct err *e)
{
    struct following *f = ctx;
    pthread_mutex_lock(&f->lock);
    if (f->s->lost)
        f->s->lost(f->s->ctx, e);
    pthread_mutex_unlock(&f->lock);
}

/* The callbacks of this file stand in the place of all that following can call: they have another
 * context. Rules run only where somebody hears of them. */
struct sensor_scan sensor_following_scan(struct following *f)
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
    s.moved = on_moved;
    s.lost = on_lost;
    s.follow = true;
    return s;
}

void sensor_following_fail(struct following *f, const struct err *e)
{
    pthread_mutex_lock(&f->lock);
    if (!atomic_exchange(&f->failed, true))
        f->e = *e;
    pthread_mutex_unlock(&f->lock);
    atomic_store(&f->stop, true);
}

bool sensor_following_thread(pthread_t *out, void *(*run)(void *ctx), void *ctx)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(out, NULL, run, ctx) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

/* ---- what is left ---- */

bool sensor_following_rests(int fd)
{
    struct stat st;
    off_t at = lseek(fd, 0, SEEK_CUR);
    return fstat(fd, &st) == 0 && st.st_size > 0 && at != st.st_size; /* less: it was cut off */
}

void sensor_following_unread(struct following *f, const char *name)
{
    if (f->unread++ == 0)
        (void)err_set(&f->unread_name, ERR_IO, "%.300s", name);
}

static void tell_unread(const struct following *f)
{
    struct err e;
    if (f->unread == 0 || !f->s->lost)
        return;
    if (f->unread == 1)
        (void)err_set(&e, ERR_IO, "stopped: %s was not read to its end", f->unread_name.msg);
    else
        (void)err_set(&e, ERR_IO, "stopped: %s and %zu more were not read to their end",
                      f->unread_name.msg, f->unread - 1);
    f->s->lost(f->s->ctx, &e);
}

/* ---- all of them ---- */

/* Is it found in one of the folders, too? By its path; and not a link. */
static bool is_in(const char *file, const char *const *folders, size_t count)
{
    struct stat st;
    if (lstat(file, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(folders[i]);
        n -= n && folders[i][n - 1] == '/';
        if (strncmp(file, folders[i], n) == 0 && file[n] == '/' && !strstr(file + n, "/."))
            return true;
    }
    return false;
}

/* Puts files first, then folders, into list[count], and before them nothing that is in one. */
static bool sort_out(const char *const *inputs, size_t count, const char **list, size_t *files,
                     size_t *folders, struct err *e)
{
    struct stat st;
    size_t found = 0, folder = count;
    for (size_t i = 0; i < count; i++) {
        if (stat(inputs[i], &st) != 0)
            return err_errno(e, "cannot look at", inputs[i]);
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
            return err_set(e, ERR_USAGE, "%s is no file: only files are followed", inputs[i]);
        list[S_ISREG(st.st_mode) ? found++ : --folder] = inputs[i];
    }
    *files = 0;
    *folders = count - folder;
    for (size_t i = 0; i < found; i++)
        if (!is_in(list[i], list + folder, *folders))
            list[(*files)++] = list[i];
    memmove(list + *files, list + folder, *folders * sizeof *list);
    return *files <= LIMIT_SENSOR_FOLLOWED ||
           err_set(e, ERR_LIMIT, "at most %d files are followed at once", LIMIT_SENSOR_FOLLOWED);
}

static bool run(struct following *f, const char *const *inputs, size_t files, size_t folders,
                struct err *e)
{
    struct named *named;
    bool ok = sensor_follow_names(f, inputs, files, &named, e);
    if (ok && folders)
        sensor_follow_folders(f, inputs + files, folders, LIMIT_SENSOR_FOLLOWED - files);
    sensor_follow_names_end(named);
    tell_unread(f);
    return ok;
}

bool sensor_follow(const struct sensor_scan *s, const char *const *inputs, size_t count,
                   struct err *e)
{
    struct following f = {.s = s};
    size_t files, folders;
    const char **sorted = base_alloc(count * sizeof *sorted);
    bool ok = sorted || err_set(e, ERR_MEMORY, "out of memory");
    ok = ok && sort_out(inputs, count, sorted, &files, &folders, e);
    if (ok) {
        pthread_mutex_init(&f.lock, NULL);
        ok = run(&f, sorted, files, folders, e);
        pthread_mutex_destroy(&f.lock);
        if (ok && atomic_load(&f.failed)) {
            *e = f.e;
            ok = false;
        }
    }
    base_free(sorted);
    return ok;
}
