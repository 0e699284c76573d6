/* Looking for values in the logs that an index knows. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/index_priv.h"

/* Bytes of a row of bits for the blocks of a segment. */
#define SEGMENT_BITS (LIMIT_SENSOR_INDEX_BLOCKS / 8)

/* The indexes of a directory, with the paths of their logs. */
struct entry {
    struct str file, log;
    uint64_t bytes;
};
struct list {
    struct arena *text;
    struct entry *entries;
    size_t count, room;
};

struct hunting {
    const struct sensor_hunt *h;
    struct sensor_hunted *out;
    struct sensor_scan scan; /* its callbacks are those below */
    struct str log;          /* where it is now */
    uint64_t before;         /* bytes of the logs before it */
    char *text;              /* LIMIT_SENSOR_BLOCK_BYTES */
    uint64_t *keys;
    size_t key_count, key_room;
    bool no_memory, stopped;
};

static void note(const struct hunting *g, struct str log, const char *text)
{
    if (g->h->note)
        g->h->note(g->h->scan.ctx, log, text);
}

/* ---- the indexes ------------------------------------------------------------------------- */

static bool add_entry(struct list *l, const char *file, struct str log, uint64_t bytes,
                      struct err *e)
{
    void *entries = l->entries;
    if (!base_grow(&entries, &l->room, l->count + 1, sizeof *l->entries))
        return err_set(e, ERR_MEMORY, "no memory for the list of indexes");
    l->entries = entries;
    l->entries[l->count++] = (struct entry){{arena_cstr(l->text, str_of(file)), strlen(file)},
                                            {arena_cstr(l->text, log), log.n},
                                            bytes};
    return arena_ok(l->text, e);
}

static bool add_file(struct list *l, const char *file, struct err *e)
{
    struct index ix;
    if (!sensor_index_open(file, &ix, e))
        return false;
    bool ok = add_entry(l, file, ix.path, ix.footer.size, e);
    sensor_index_close(&ix);
    return ok;
}

static int by_log(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return str_cmp(x->log, y->log);
}

/* A damaged index does not keep the others from being asked: it is named by its own path. */
static bool add_folder(struct list *l, DIR *d, const char *folder, struct err *e)
{
    struct dirent *f;
    char path[PATH_MAX];
    while ((f = readdir(d)) != NULL) {
        if (!str_ends(str_of(f->d_name), STR(".idx")))
            continue;
        int n = snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        if (n < 0 || (size_t)n >= sizeof path)
            return err_set(e, ERR_LIMIT, "the path of %s is too long", f->d_name);
        if (add_file(l, path, e))
            continue;
        if (e->code == ERR_MEMORY || !add_entry(l, path, STR_NONE, 0, e))
            return false;
    }
    if (l->count > 0)
        qsort(l->entries, l->count, sizeof *l->entries, by_log);
    return true;
}

static void list_free(struct list *l)
{
    arena_free(l->text);
    base_free(l->entries);
}

static bool list_read(struct list *l, const char *index, struct err *e)
{
    *l = (struct list){.text = arena_new(LIMIT_ARENA_REQUEST_BYTES)};
    if (!l->text)
        return err_set(e, ERR_MEMORY, "no memory for the list of indexes");
    if (!file_is_dir(index))
        return add_file(l, index, e);
    DIR *d = opendir(index);
    if (!d)
        return err_errno(e, "cannot open", index);
    bool ok = add_folder(l, d, index, e);
    closedir(d);
    if (ok && l->count == 0)
        return err_set(e, ERR_NOT_FOUND,
                       "%s holds no index: `setu detect --index %s FILE` makes one", index, index);
    return ok;
}

uint64_t sensor_hunt_bytes(const char *index)
{
    struct list l;
    struct err ignored;
    uint64_t sum = 0;
    if (list_read(&l, index, &ignored))
        for (size_t i = 0; i < l.count; i++)
            sum += l.entries[i].bytes;
    list_free(&l);
    return sum;
}

/* ---- the log ----------------------------------------------------------------------------- */

static bool is_log(const struct index *ix, const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == ix->footer.size &&
           sensor_index_mtime(&st) == ix->footer.mtime_ns;
}

/* Logs are renamed when they are rotated: another file of the folder may be it. */
static bool find_renamed(const struct index *ix, char path[PATH_MAX])
{
    char folder[PATH_MAX];
    struct dirent *f;
    bool found = false;
    size_t n = ix->path.n;
    while (n > 0 && ix->path.p[n - 1] != '/')
        n--;
    snprintf(folder, sizeof folder, "%.*s", (int)n, ix->path.p);
    DIR *d = opendir(folder);
    while (d && !found && (f = readdir(d)) != NULL) {
        if (f->d_ino != ix->footer.inode)
            continue;
        int length = snprintf(path, PATH_MAX, "%s%s", folder, f->d_name);
        found = length > 0 && length < PATH_MAX && is_log(ix, path);
    }
    if (d)
        closedir(d);
    return found;
}

enum state { AS_INDEXED, CHANGED, GONE };

static enum state find_log(const struct index *ix, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.*s", (int)ix->path.n, ix->path.p);
    if (is_log(ix, path))
        return AS_INDEXED;
    if (find_renamed(ix, path))
        return AS_INDEXED;
    snprintf(path, PATH_MAX, "%.*s", (int)ix->path.n, ix->path.p);
    return file_exists(path) ? CHANGED : GONE;
}

/* ---- asking ------------------------------------------------------------------------------ */

static void on_key(void *ctx, uint64_t key)
{
    struct hunting *g = ctx;
    void *keys = g->keys;
    if (g->no_memory || g->key_count > LIMIT_SENSOR_HUNT_VALUES)
        return;
    if (!base_grow(&keys, &g->key_room, g->key_count + 1, sizeof *g->keys)) {
        g->no_memory = true;
        return;
    }
    g->keys = keys;
    g->keys[g->key_count++] = key;
}

/* The keys of the set under the seed of the index. *any: they are no help. */
static bool list_keys(struct hunting *g, const struct index *ix, bool *any, struct err *e)
{
    struct match_recorder *r;
    if (!match_recorder_new(ix->footer.seed, &r, e))
        return false;
    g->key_count = 0;
    *any =
        !match_record_ask(r, g->h->scan.set, on_key, g) || g->key_count > LIMIT_SENSOR_HUNT_VALUES;
    match_recorder_free(r);
    return !g->no_memory || err_set(e, ERR_MEMORY, "no memory for the values");
}

/* Which blocks of a segment may hold one of the values. */
static bool ask_segment(const struct hunting *g, const struct index_segment *s,
                        unsigned char blocks[SEGMENT_BITS], struct err *e)
{
    memset(blocks, 0, SEGMENT_BITS);
    for (size_t i = 0; i < s->blocks; i++)
        if (sensor_index_row(s, i).any)
            blocks[i / 8] |= (unsigned char)(1u << i % 8);
    for (size_t i = 0; i < g->key_count; i++)
        if (!sensor_index_ask(s, g->keys[i], blocks, e))
            return false;
    return true;
}

/* Which blocks of the whole log do: a row of bits for each segment, and their bytes. */
static bool ask_all(struct hunting *g, const struct index *ix, unsigned char *blocks,
                    uint64_t *bytes, struct err *e)
{
    struct index_segment s;
    *bytes = 0;
    for (size_t i = 0; i < ix->footer.segments; i++) {
        unsigned char *row = blocks + i * SEGMENT_BITS;
        if (!sensor_index_segment(ix, i, &s, e) || !ask_segment(g, &s, row, e))
            return false;
        for (size_t k = 0; k < s.blocks; k++)
            if (row[k / 8] >> k % 8 & 1)
                *bytes += sensor_index_row(&s, k).n;
    }
    return true;
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool on_alert(void *ctx, const struct sensor_alert *a)
{
    struct hunting *g = ctx;
    return g->h->scan.alert(g->h->scan.ctx, a);
}

static bool on_block(void *ctx, uint64_t bytes)
{
    struct hunting *g = ctx;
    const struct sensor_scan *s = &g->h->scan;
    return !s->block || s->block(s->ctx, g->before + bytes);
}

static bool changed_unseen(struct err *e)
{
    return err_set(e, ERR_INVALID,
                   "it was changed since the index was made, though its size and time are as they "
                   "were: scan it with `setu detect`");
}

static bool read_block(struct hunting *g, int fd, const struct index_row *r, struct err *e)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    for (size_t n = 0; n < r->n;) {
        ssize_t got = pread(fd, g->text + n, r->n - n, (off_t)(r->at + n));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, "cannot read", g->log.p);
        if (got == 0)
            return changed_unseen(e);
        n += (size_t)got;
    }
    crypt_sha256((struct str){g->text, r->n}, digest);
    return memcmp(digest, r->digest, sizeof r->digest) == 0 || changed_unseen(e);
}

/* Reads the blocks of a segment that are set. */
static bool read_segment(struct hunting *g, int fd, const struct index_segment *s,
                         const unsigned char *blocks, struct err *e)
{
    for (size_t i = 0; i < s->blocks && !g->stopped; i++) {
        if (!(blocks[i / 8] >> i % 8 & 1))
            continue;
        struct index_row r = sensor_index_row(s, i);
        if (!read_block(g, fd, &r, e))
            return false;
        struct sensor_part part = {g->log, {g->text, r.n}, r.from, r.until, r.at, r.line};
        g->out->read += r.n;
        g->stopped = !sensor_scan_part(&g->scan, &part);
    }
    return true;
}

static bool read_blocks(struct hunting *g, const struct index *ix, const unsigned char *blocks,
                        struct err *e)
{
    struct index_segment s;
    int fd = open(g->log.p, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "cannot open", g->log.p);
    bool ok = true;
    for (size_t i = 0; i < ix->footer.segments && ok && !g->stopped; i++)
        ok = sensor_index_segment(ix, i, &s, e) &&
             read_segment(g, fd, &s, blocks + i * SEGMENT_BITS, e);
    close(fd);
    return ok;
}

static bool read_whole(struct hunting *g, struct err *e)
{
    struct stat st;
    bool to_end = false;
    g->out->whole++;
    if (stat(g->log.p, &st) == 0)
        g->out->read += (uint64_t)st.st_size;
    bool ok = sensor_scan_input(&g->scan, g->log.p, &to_end, e);
    g->stopped = ok && !to_end;
    return ok;
}

/* The log is as it was when it was indexed. */
static bool hunt_indexed(struct hunting *g, const struct index *ix, struct err *e)
{
    bool any;
    uint64_t bytes;
    struct err why;
    if (!list_keys(g, ix, &any, e))
        return false;
    if (any)
        return read_whole(g, e);
    unsigned char *blocks = base_alloc((size_t)ix->footer.segments * SEGMENT_BITS + 1);
    if (!blocks)
        return err_set(e, ERR_MEMORY, "no memory for the blocks");
    bool ok;
    if (!ask_all(g, ix, blocks, &bytes, &why)) {
        note(g, g->log, "its index is damaged, so it is read as a whole: index it again");
        ok = read_whole(g, e);
    } else if (bytes > ix->footer.size / 2) {
        ok = read_whole(g, e);
    } else {
        ok = bytes == 0 || read_blocks(g, ix, blocks, e);
    }
    base_free(blocks);
    return ok;
}

static bool hunt_log(struct hunting *g, const struct entry *entry, struct err *e)
{
    struct index ix;
    char path[PATH_MAX];
    bool ok = true;
    if (!sensor_index_open(entry->file.p, &ix, e))
        return false;
    enum state state = find_log(&ix, path);
    g->log = str_of(path);
    switch (state) {
    case AS_INDEXED:
        ok = hunt_indexed(g, &ix, e);
        break;
    case CHANGED:
        note(g, g->log, "it was changed since the index was made, so it is read as a whole");
        ok = read_whole(g, e);
        break;
    case GONE:
        ok = err_set(e, ERR_NOT_FOUND, "it is gone: if it was deleted on purpose, delete %s",
                     entry->file.p);
        break;
    }
    sensor_index_close(&ix);
    return ok;
}

/* ---- all of them --------------------------------------------------------------------------- */

static bool hunt_all(struct hunting *g, const struct list *l, struct err *e)
{
    for (size_t i = 0; i < l->count && !g->stopped; i++) {
        const struct entry *entry = &l->entries[i];
        struct err why;
        g->out->logs++;
        g->out->bytes += entry->bytes;
        if (!hunt_log(g, entry, &why)) {
            note(g, entry->log.n ? entry->log : entry->file, why.msg);
            g->out->failed++;
        }
        g->before += entry->bytes;
        g->stopped = g->stopped || !on_block(g, 0);
    }
    return sensor_scan_intact(&g->h->scan, e);
}

bool sensor_hunt(const char *index, const struct sensor_hunt *h, struct sensor_hunted *out,
                 bool *to_end, struct err *e)
{
    struct hunting g = {.h = h, .out = out, .scan = h->scan, .text = NULL};
    struct list l;
    *out = (struct sensor_hunted){0};
    g.scan.ctx = &g;
    g.scan.alert = on_alert;
    g.scan.block = on_block;
    g.scan.warn = NULL;
    g.scan.signal = NULL;
    g.scan.figures = NULL;
    bool ok = list_read(&l, index, e);
    if (ok) {
        g.text = base_alloc(LIMIT_SENSOR_BLOCK_BYTES);
        ok = (g.text || err_set(e, ERR_MEMORY, "no memory to read logs")) && hunt_all(&g, &l, e);
    }
    if (ok)
        *to_end = !g.stopped;
    base_free(g.text);
    base_free(g.keys);
    list_free(&l);
    return ok;
}
