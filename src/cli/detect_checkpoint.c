/* `setu detect --checkpoint FILE`: how far each file was told, so that the next run goes on there.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/detect_priv.h"

/* It is written so often at the most, and at the end; and one that is long, for a twentieth of the
 * time at the most. */
#define EVERY_US    200000
#define LEAST_SHARE 20

/* The first bytes tell a file from another that got its number. */
#define HEAD_BYTES 256

struct reached {
    uint64_t device, inode; /* 0 and 0: a text that its file has no more */
    uint64_t head;          /* hash of the text before `offset`, at most HEAD_BYTES */
    struct sensor_place at;
    struct str name; /* of the input that it was; empty: another file has it, and this was read */
    struct str rest_of; /* not empty: the input whose name it had, while what is left is read */
    bool asked;         /* detect_checkpoint_renamed was about it */
    bool waits;         /* it will be read when those that had its name before are */
    int fd;             /* a duplicate of what is read in this run, for the head; else -1 */
    bool earlier;       /* it was told so far before this run */
};

struct detect_checkpoint {
    const char *file;
    struct arena *text;
    struct reached *list;
    size_t count, room;
    int64_t written_us, every_us;
    struct buf kept;                     /* sightings of a run before, as they stood */
    const struct sensor_sightings *seen; /* those of this run, or NULL */
    bool changed, at_end;
    bool texts; /* folders are followed: a text that was told is known in another file too */
};

/* ---- the file: a line of JSON each ---- */

static void let_go(struct reached *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

/* Files that are gone for long are forgotten. */
static void make_room(struct detect_checkpoint *k)
{
    size_t i = 0;
    if (k->count < LIMIT_CLI_CHECKPOINTS)
        return;
    while (i + 1 < k->count && (k->list[i].fd >= 0 || k->list[i].waits))
        i++;
    let_go(&k->list[i]);
    k->count--;
    memmove(k->list + i, k->list + i + 1, (k->count - i) * sizeof *k->list);
}

static bool add(struct detect_checkpoint *k, const struct reached *r)
{
    make_room(k);
    void *list = k->list;
    if (!base_grow(&list, &k->room, k->count + 1, sizeof *k->list))
        return false;
    k->list = list;
    k->list[k->count++] = *r;
    return true;
}

static bool number(const struct json *doc, const char *name, uint64_t *out)
{
    const struct json *v = json_get(doc, str_of(name));
    bool ok = v && v->type == JSON_STRING && str_to_u64(v->u.s, out);
    return ok;
}

static bool read_line(struct detect_checkpoint *k, const struct json *doc, struct str line,
                      struct err *e)
{
    struct reached r = {.fd = -1, .earlier = true};
    if (json_get(doc, STR("sighting_of"))) {
        buf_str(&k->kept, line);
        buf_byte(&k->kept, '\n');
        return buf_ok(&k->kept, e);
    }
    r.name = arena_str(k->text, json_get_str(doc, STR("input")));
    if (!number(doc, "device", &r.device) || !number(doc, "inode", &r.inode) ||
        !number(doc, "head", &r.head) || !number(doc, "offset", &r.at.offset) ||
        !number(doc, "line", &r.at.line) || r.at.line == 0)
        return err_set(e, ERR_INVALID, "it is none that setu wrote: remove it to begin anew");
    if (!number(doc, "tail", &r.at.tail))
        r.at.tail = 0;
    return add(k, &r) || err_set(e, ERR_MEMORY, "out of memory");
}

static bool read_all(struct detect_checkpoint *k, struct err *e)
{
    struct str all;
    if (!k->file)
        return true;
    if (access(k->file, F_OK) != 0)
        return true;
    if (!file_read(k->file, LIMIT_CLI_CHECKPOINT_BYTES, &all, e))
        return false;
    struct json_reader *reader = json_reader_new();
    struct arena *scratch = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool ok = (reader && scratch) || err_set(e, ERR_MEMORY, "out of memory");
    for (struct str rest = all; rest.n && ok;) {
        const struct json *doc;
        struct str line = str_trim(str_cut(&rest, '\n'));
        arena_reset(scratch);
        ok = line.n == 0 ||
             (json_parse(reader, scratch, line, false, &doc, e) && read_line(k, doc, line, e));
    }
    arena_free(scratch);
    json_reader_free(reader);
    base_free((void *)(uintptr_t)all.p);
    return ok || err_prefix(e, "%s", k->file);
}

/* As a text: numbers of JSON are exact up to 2^53 only. */
static void put_number(struct buf *b, const char *name, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    json_put_member(b, name, str_of(text));
}

bool detect_checkpoint_write(struct detect_checkpoint *k, struct err *e)
{
    struct buf b;
    if (!k->changed || !k->file)
        return true;
    int64_t began_us = monotonic_us();
    buf_init(&b, 0);
    for (size_t i = 0; i < k->count; i++) {
        const struct reached *r = &k->list[i];
        buf_byte(&b, '{');
        json_put_member(&b, "input", r->rest_of.n ? r->rest_of : r->name);
        put_number(&b, "device", r->device);
        put_number(&b, "inode", r->inode);
        put_number(&b, "head", r->head);
        put_number(&b, "offset", r->at.offset);
        put_number(&b, "line", r->at.line);
        if (r->at.tail)
            put_number(&b, "tail", r->at.tail);
        buf_lit(&b, "}\n");
    }
    buf_str(&b, buf_view(&k->kept));
    if (k->seen)
        sensor_sightings_save(k->seen, &b);
    bool ok = buf_ok(&b, e) && file_write(k->file, buf_view(&b), 0600, e);
    buf_done(&b);
    k->changed = !ok;
    k->written_us = monotonic_us();
    k->every_us = (k->written_us - began_us) * LEAST_SHARE;
    if (k->every_us < EVERY_US)
        k->every_us = EVERY_US;
    return ok;
}

/* ---- opening ---- */

struct detect_checkpoint *detect_checkpoint_open(struct str file, bool at_end, struct err *e)
{
    struct detect_checkpoint *k = base_alloc(sizeof *k);
    if (k)
        k->text = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (!k || !k->text) {
        base_free(k);
        (void)err_set(e, ERR_MEMORY, "out of memory");
        return NULL;
    }
    buf_init(&k->kept, 0);
    k->file = file.p;
    k->at_end = at_end;
    if (read_all(k, e))
        return k;
    detect_checkpoint_free(k);
    return NULL;
}

void detect_checkpoint_free(struct detect_checkpoint *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->count; i++)
        let_go(&k->list[i]);
    base_free(k->list);
    buf_done(&k->kept);
    arena_free(k->text);
    base_free(k);
}

/* ---- sightings ---- */

bool detect_checkpoint_restore(struct detect_checkpoint *k, struct sensor_sightings *s,
                               struct err *e)
{
    if (!sensor_sightings_restore(s, buf_view(&k->kept), e))
        return err_prefix(e, "%s", k->file);
    buf_clear(&k->kept);
    k->seen = s;
    return true;
}

bool detect_checkpoint_sightings(struct detect_checkpoint *k, const struct sensor_sightings *s,
                                 struct err *e)
{
    k->seen = s;
    k->changed = true;
    return (k->at_end && s) || detect_checkpoint_write(k, e);
}

/* ---- files ---- */

/* Of what stood before `offset`, which does not change any more. */
static bool head_of(int fd, uint64_t offset, uint64_t *out)
{
    return sensor_text_hash(fd, 0, offset < HEAD_BYTES ? (size_t)offset : HEAD_BYTES, out);
}

static struct reached *find(struct detect_checkpoint *k, const struct stat *st)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->list[i].device == (uint64_t)st->st_dev && k->list[i].inode == (uint64_t)st->st_ino)
            return &k->list[i];
    struct reached r = {.device = (uint64_t)st->st_dev, .inode = (uint64_t)st->st_ino, .fd = -1};
    return add(k, &r) ? &k->list[k->count - 1] : NULL;
}

/* ---- texts that go from file to file, as rotation copies and packs them ---- */

void detect_checkpoint_texts(struct detect_checkpoint *k)
{
    k->texts = true;
}

static bool has_tail(int fd, const struct reached *r)
{
    uint64_t offset = r->at.offset, is;
    size_t n = offset < LIMIT_SENSOR_TAIL_BYTES ? (size_t)offset : LIMIT_SENSOR_TAIL_BYTES;
    return sensor_text_hash(fd, offset - n, n, &is) && is == r->at.tail;
}

/* Is what was told of `r` how the text of the file begins? `head`: of its first HEAD_BYTES. */
static bool has_text(int fd, const struct reached *r, bool has_head, uint64_t head)
{
    if (r->at.offset < HEAD_BYTES)
        has_head = head_of(fd, r->at.offset, &head);
    return has_head && head == r->head && has_tail(fd, r);
}

/* How far the text of a file that is new was told as that of another: when it was there at the
 * start, in an earlier run. */
static void told_as_another(const struct detect_checkpoint *k, int fd, bool later,
                            struct reached *out)
{
    uint64_t head = 0;
    bool has_head = sensor_text_hash(fd, 0, HEAD_BYTES, &head);
    for (size_t i = 0; i < k->count; i++) {
        const struct reached *r = &k->list[i];
        if (!r->at.tail || !(later || r->earlier) || r->at.offset <= out->at.offset ||
            !sensor_is_rotated(out->name, r->name) || !has_text(fd, r, has_head, head))
            continue;
        out->at = r->at;
        out->head = r->head;
    }
}

/* The file was cut off, or is another with the number of one that is gone; the text is remembered.
 */
static struct reached *find_anew(struct detect_checkpoint *k, const struct stat *st)
{
    struct reached *r = find(k, st);
    if (!r || !r->at.tail)
        return r;
    let_go(r);
    r->device = r->inode = 0;
    return find(k, st);
}

void detect_checkpoint_moved(struct detect_checkpoint *k, struct str from, struct str to)
{
    for (size_t i = 0; i < k->count; i++) {
        struct reached *r = &k->list[i];
        if (r->fd < 0 || !str_eq(r->name, from))
            continue;
        k->changed = true;
        if (to.p)
            r->name = arena_str(k->text, to);
        else
            let_go(r);
    }
}

/* ---- files ---- */

/* Of what is packed the text is longer than the file. */
static bool is_long_enough(const struct detect_checkpoint *k, int fd, const struct stat *st,
                           const struct reached *r)
{
    if (k->texts && sensor_is_packed(fd))
        return true;
    return (uint64_t)st->st_size >= r->at.offset && (!k->texts || !r->at.tail || has_tail(fd, r));
}

/* What is known of the file; from its start where it is another than it was. */
static struct reached *known(struct detect_checkpoint *k, int fd, const struct stat *st, bool *same)
{
    uint64_t head;
    struct reached *r = find(k, st);
    if (!r)
        return NULL;
    *same = r->at.offset && is_long_enough(k, fd, st, r) && head_of(fd, r->at.offset, &head) &&
            head == r->head;
    if (!*same && k->texts && !(r = find_anew(k, st)))
        return NULL;
    if (!*same) {
        r->at = (struct sensor_place){.line = 1};
        (void)head_of(fd, 0, &r->head);
    }
    return r;
}

void detect_checkpoint_comes(struct detect_checkpoint *k, struct str input, int fd)
{
    struct stat st;
    bool same;
    struct reached *r = fstat(fd, &st) == 0 ? known(k, fd, &st, &same) : NULL;
    if (!r)
        return;
    r->name = arena_str(k->text, input);
    r->waits = true;
    k->changed = true;
}

void detect_checkpoint_begin(struct detect_checkpoint *k, struct str input, int fd, bool later,
                             struct sensor_place *from)
{
    struct stat st;
    bool same;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    for (size_t i = 0; i < k->count; i++) /* whoever had this name has it no more */
        if (str_eq(k->list[i].name, input) && !k->list[i].waits) {
            let_go(&k->list[i]);
            if (!k->texts)
                k->list[i].name = STR("");
        }
    struct reached *r = known(k, fd, &st, &same);
    if (!r)
        return;
    if (r->asked)
        r->rest_of = r->name;
    if (!str_eq(r->name, input))
        r->name = arena_str(k->text, input);
    r->asked = r->waits = false;
    let_go(r);
    if (!same && k->texts)
        told_as_another(k, fd, later, r);
    r->fd = dup(fd);
    *from = r->at;
}

bool detect_checkpoint_told(struct detect_checkpoint *k, struct str input,
                            const struct sensor_place *upto, struct err *e)
{
    for (size_t i = 0; i < k->count; i++) {
        struct reached *r = &k->list[i];
        if (r->fd < 0 || !str_eq(r->name, input))
            continue;
        if (r->at.offset < HEAD_BYTES && !head_of(r->fd, upto->offset, &r->head))
            return true;
        r->at = *upto;
        r->earlier = false;
        k->changed = true;
    }
    return detect_checkpoint_settle(k, e);
}

bool detect_checkpoint_settle(struct detect_checkpoint *k, struct err *e)
{
    return k->at_end || monotonic_us() - k->written_us < k->every_us ||
           detect_checkpoint_write(k, e);
}

/* ---- what was renamed while nobody looked ---- */

static bool has_head(const char *path, const struct reached *r)
{
    uint64_t head;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool yes = fd >= 0 && head_of(fd, r->at.offset, &head) && head == r->head;
    if (fd >= 0)
        close(fd);
    return yes;
}

static bool is_in(const char *folder, struct reached *r, char out[LIMIT_PATH_BYTES])
{
    DIR *dir = opendir(folder);
    bool found = false;
    for (const struct dirent *each = dir ? readdir(dir) : NULL; each && !found;
         each = readdir(dir)) {
        struct stat st;
        int n = snprintf(out, LIMIT_PATH_BYTES, "%s/%s", folder, each->d_name);
        found = (uint64_t)each->d_ino == r->inode && n > 0 && n < (int)LIMIT_PATH_BYTES &&
                stat(out, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_dev == r->device &&
                (uint64_t)st.st_size > r->at.offset && has_head(out, r);
    }
    if (dir)
        closedir(dir);
    return found;
}

bool detect_checkpoint_renamed(struct detect_checkpoint *k, const char *input,
                               char out[LIMIT_PATH_BYTES])
{
    char folder[LIMIT_PATH_BYTES];
    struct stat now = {0};
    bool there = stat(input, &now) == 0;
    const char *slash = strrchr(input, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - input) : 1, slash ? input : ".");
    if (slash == input)
        snprintf(folder, sizeof folder, "/");
    for (size_t i = 0; i < k->count; i++) {
        struct reached *r = &k->list[i];
        bool same = there && r->inode == (uint64_t)now.st_ino && r->device == (uint64_t)now.st_dev;
        if (same || r->fd >= 0 || r->asked || !str_eq(r->name, str_of(input)))
            continue;
        r->asked = is_in(folder, r, out);
        if (r->asked)
            return true;
        r->name = STR("");
        k->changed = true;
    }
    return false;
}

void detect_checkpoint_caught_up(struct detect_checkpoint *k)
{
    for (size_t i = 0; i < k->count; i++) {
        k->changed = k->changed || k->list[i].rest_of.n;
        k->list[i].rest_of = STR("");
    }
}
