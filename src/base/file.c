#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

static bool too_large(const char *path, size_t max_bytes, struct err *e)
{
    return err_set(e, ERR_TOO_LARGE, "%s holds more than %zu bytes", path, max_bytes);
}

/* Reads fd to its end into *b, which keeps BASE_PADDING bytes of room behind its contents. */
static bool read_all(int fd, const char *path, size_t expected, size_t max_bytes, struct buf *b,
                     struct err *e)
{
    if (!buf_reserve(b, expected + BASE_PADDING))
        return buf_ok(b, e);
    for (;;) {
        if (!buf_reserve(b, (b->room - b->n > 2 * BASE_PADDING ? 0 : b->n + 65536) + BASE_PADDING))
            return buf_ok(b, e);
        ssize_t n = read(fd, b->p + b->n, b->room - b->n - BASE_PADDING);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "cannot read", path);
        if (n == 0)
            return true;
        b->n += (size_t)n;
        if (max_bytes && b->n > max_bytes)
            return too_large(path, max_bytes, e);
    }
}

bool file_read(const char *path, size_t max_bytes, struct str *out, struct err *e)
{
    bool is_stdin = strcmp(path, "-") == 0, ok;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    struct buf b;
    if (fd < 0)
        return err_errno(e, "cannot open", path);
    buf_init(&b, 0);
    if (fstat(fd, &st) != 0)
        ok = err_errno(e, "cannot look at", path);
    else if (S_ISDIR(st.st_mode))
        ok = err_set(e, ERR_IO, "cannot read %s: it is a directory", path);
    else if (S_ISREG(st.st_mode) && max_bytes && (uint64_t)st.st_size > max_bytes)
        ok = too_large(path, max_bytes, e); /* before memory is asked for */
    else
        ok = read_all(fd, path, S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : 0, max_bytes, &b, e);
    if (!is_stdin)
        close(fd);
    if (!ok) {
        buf_done(&b);
        return false;
    }
    memset(b.p + b.n, 0, BASE_PADDING);
    *out = buf_view(&b);
    return true;
}

static bool write_all(int fd, const char *path, struct str bytes, struct err *e)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "cannot write", path);
        bytes = str_from(bytes, (size_t)n);
    }
    return true;
}

bool file_sync_folder(const char *path, struct err *e)
{
    char dir[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    if (n >= sizeof dir)
        return err_set(e, ERR_IO, "path is too long: %s", path);
    memcpy(dir, n ? path : ".", n ? n : 1);
    dir[n ? n : 1] = '\0';
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "cannot open", dir);
    bool ok = fsync(fd) == 0 || err_errno(e, "cannot write", dir);
    close(fd);
    return ok;
}

bool file_write(const char *path, struct str bytes, unsigned mode, struct err *e)
{
    return file_write_parts(path, &bytes, 1, mode, e);
}

bool file_write_parts(const char *path, const struct str *parts, size_t count, unsigned mode,
                      struct err *e)
{
    struct file_out o;
    if (!file_out_open(&o, path, mode, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!file_out_put(&o, parts[i], e)) {
            file_out_drop(&o);
            return false;
        }
    }
    return file_out_end(&o, e);
}

bool file_out_open(struct file_out *o, const char *path, unsigned mode, struct err *e)
{
    *o = (struct file_out){.path = path, .fd = -1};
    int n = snprintf(o->temporary, sizeof o->temporary, "%s.%ld.tmp", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof o->temporary)
        return err_set(e, ERR_IO, "path is too long: %s", path);
    unlink(o->temporary); /* of a process that ended before, perhaps with another mode */
    o->fd = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    return o->fd >= 0 || err_errno(e, "cannot create", o->temporary);
}

bool file_out_put(struct file_out *o, struct str bytes, struct err *e)
{
    return write_all(o->fd, o->temporary, bytes, e);
}

bool file_out_end(struct file_out *o, struct err *e)
{
    bool ok = fsync(o->fd) == 0 || err_errno(e, "cannot write", o->temporary);
    if (close(o->fd) != 0 && ok)
        ok = err_errno(e, "cannot write", o->temporary);
    o->fd = -1;
    if (ok && rename(o->temporary, o->path) != 0)
        ok = err_errno(e, "cannot rename to", o->path);
    if (!ok)
        unlink(o->temporary);
    return ok && file_sync_folder(o->path, e);
}

void file_out_drop(struct file_out *o)
{
    if (o->fd < 0)
        return;
    close(o->fd);
    o->fd = -1;
    unlink(o->temporary);
}

bool file_in_open(struct file_in *f, const char *path, struct err *e)
{
    struct stat st;
    *f = (struct file_in){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (f->fd < 0)
        return err_errno(e, "cannot open", path);
    bool ok = fstat(f->fd, &st) == 0 || err_errno(e, "cannot look at", path);
    if (ok && !S_ISREG(st.st_mode))
        ok = err_set(e, ERR_IO, "cannot read %s: it is no regular file", path);
    if (!ok)
        file_in_close(f);
    else
        f->size = (uint64_t)st.st_size;
    return ok;
}

bool file_in_take(struct file_in *f, void *out, size_t n, struct err *e)
{
    for (size_t have = 0; have < n;) {
        ssize_t got = pread(f->fd, (char *)out + have, n - have, (off_t)(f->at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, "cannot read", f->path);
        if (got == 0)
            return err_set(e, ERR_INVALID, "%s ends at byte %llu, in the middle", f->path,
                           (unsigned long long)(f->at + have));
        have += (size_t)got;
    }
    f->at += n;
    return true;
}

void file_in_close(struct file_in *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

bool file_map(const char *path, struct str *out, struct err *e)
{
    struct stat st;
    void *p = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "cannot open", path);
    bool ok = fstat(fd, &st) == 0 || err_errno(e, "cannot look at", path);
    if (ok && !S_ISREG(st.st_mode))
        ok = err_set(e, ERR_IO, "cannot map %s: it is no regular file", path);
    if (ok && st.st_size > 0) {
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = p != MAP_FAILED || err_errno(e, "cannot map", path);
    }
    close(fd);
    if (ok)
        *out = st.st_size > 0 ? (struct str){p, (size_t)st.st_size} : STR_NONE;
    return ok;
}

void file_unmap(struct str mapped)
{
    if (mapped.n)
        munmap((void *)(uintptr_t)mapped.p, mapped.n);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- walking ---- */

struct walk {
    file_walk_fn *each;
    void *ctx;
    size_t n;
    char path[LIMIT_PATH_BYTES + 257]; /* room for one more name */
};

static int is_shown(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool walk_in(struct walk *w);

/* What stands under w->path; what is gone by now is no file. */
static bool walk_one(struct walk *w)
{
    struct stat st;
    if (lstat(w->path, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return true;
    return S_ISDIR(st.st_mode) ? walk_in(w) : w->each(w->ctx, w->path, &st);
}

/* As deep as a path can name. */
static bool walk_in(struct walk *w)
{
    struct dirent **names = NULL;
    struct stat st = {.st_mode = S_IFDIR};
    size_t n = w->n;
    bool ok = true;
    if (n >= LIMIT_PATH_BYTES)
        return true;
    int count = scandir(w->path, &names, is_shown, by_name);
    if (count < 0)
        return w->each(w->ctx, w->path, &st);
    for (int i = 0; i < count; i++) {
        const char *slash = n && w->path[n - 1] == '/' ? "" : "/";
        int more = snprintf(w->path + n, sizeof w->path - n, "%s%s", slash, names[i]->d_name);
        w->n = n + (size_t)more;
        ok = ok && (w->n >= sizeof w->path || walk_one(w));
        free(names[i]);
    }
    free(names);
    w->n = n;
    w->path[n] = '\0';
    return ok;
}

bool file_walk(const char *folder, file_walk_fn *each, void *ctx)
{
    struct walk w = {.each = each, .ctx = ctx, .n = strlen(folder)};
    if (w.n >= LIMIT_PATH_BYTES)
        return true;
    memcpy(w.path, folder, w.n + 1);
    return walk_in(&w);
}

void base_random(void *out, size_t n)
{
    unsigned char *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        must(got > 0 || errno == EINTR);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}
