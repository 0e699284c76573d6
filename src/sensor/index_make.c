/*
 * Making the index of a log. Threads take strides of it in turn: the lines that begin within so
 * many bytes. Each cuts its own into blocks, gathers their keys, and writes when those before have.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/index_priv.h"

/* Keys told just now, by some of their bits: most are told again and again. */
#define RECENT_BITS 15

struct making {
    const struct sensor_indexing *how;
    int fd;
    struct str input;
    uint64_t size;
    size_t block, context, room;
    uint64_t stride;
    struct match_recorder *recorder;
    pthread_mutex_t lock;
    pthread_cond_t turned;
    /* Guarded by `lock`. */
    uint64_t next, turn; /* stride to be taken; that may write */
    uint64_t line;       /* number of the line that the stride in turn begins with */
    struct file_out out;
    uint64_t out_n;
    struct buf directory;
    uint32_t segments;
    bool stopped, failed;
    struct err e;
};

/* What one thread works with. */
struct maker {
    struct making *m;
    char *text;
    uint64_t *keys, *spare, *recent;
    size_t count;
    bool crowded; /* this block's keys found no room */
    struct index_row rows[LIMIT_SENSOR_INDEX_BLOCKS];
    size_t row_count;
    uint64_t number; /* of its stride */
    bool turn;       /* it may write */
    uint64_t lines;  /* line feeds of the rows, before the next one */
    struct buf head, ends, buckets;
};

/* ---- writing ----------------------------------------------------------------------------- */

static bool fail(struct making *m, const struct err *e)
{
    if (!m->failed)
        m->e = *e;
    m->failed = true;
    return false;
}

/* Waits until the strides before are written; false when it is all over. */
static bool take_turn(struct maker *k)
{
    struct making *m = k->m;
    pthread_mutex_lock(&m->lock);
    while (m->turn != k->number && !m->failed && !m->stopped)
        pthread_cond_wait(&m->turned, &m->lock);
    k->turn = m->turn == k->number && !m->failed && !m->stopped;
    pthread_mutex_unlock(&m->lock);
    return k->turn;
}

static bool write_segment(struct maker *k)
{
    struct making *m = k->m;
    struct err e;
    uint64_t at = m->out_n;
    unsigned bits = sensor_index_bits(k->count);
    sensor_index_put_u32(&k->head, (uint32_t)k->row_count);
    sensor_index_put_u32(&k->head, bits);
    sensor_index_put_u32(&k->head, (uint32_t)k->buckets.n);
    struct buf rows;
    buf_init(&rows, 0);
    for (size_t i = 0; i < k->row_count; i++) {
        k->rows[i].line += m->line;
        sensor_index_put_row(&rows, &k->rows[i]);
    }
    m->line += k->lines;
    struct str parts[] = {buf_view(&k->head), buf_view(&rows)};
    sensor_index_put_u32(&k->head, (uint32_t)sensor_index_sum(parts, 2));
    bool ok = buf_ok(&k->head, &e) && buf_ok(&rows, &e) && buf_ok(&k->ends, &e) &&
              buf_ok(&k->buckets, &e) && file_out_put(&m->out, buf_view(&k->head), &e) &&
              file_out_put(&m->out, buf_view(&rows), &e) &&
              file_out_put(&m->out, buf_view(&k->ends), &e) &&
              file_out_put(&m->out, buf_view(&k->buckets), &e);
    m->out_n += k->head.n + rows.n + k->ends.n + k->buckets.n;
    buf_done(&rows);
    sensor_index_put_u64(&m->directory, at);
    sensor_index_put_u64(&m->directory, m->out_n - at);
    m->segments++;
    return ok || fail(m, &e);
}

/* Ends the segment that was gathered. */
static bool end_segment(struct maker *k)
{
    if (k->row_count == 0)
        return true;
    buf_clear(&k->head);
    buf_clear(&k->ends);
    buf_clear(&k->buckets);
    const uint64_t *sorted = sensor_index_sort(k->keys, k->spare, k->count);
    sensor_index_put_buckets(&k->ends, &k->buckets, sorted, k->count, sensor_index_bits(k->count),
                             k->row_count);
    if (!take_turn(k))
        return false;
    pthread_mutex_lock(&k->m->lock);
    bool ok = write_segment(k);
    pthread_mutex_unlock(&k->m->lock);
    k->row_count = k->count = 0;
    k->lines = 0;
    return ok;
}

static bool pass_turn(struct maker *k, uint64_t bytes)
{
    struct making *m = k->m;
    const struct sensor_indexing *how = m->how;
    if (!take_turn(k))
        return false;
    pthread_mutex_lock(&m->lock);
    m->turn++;
    k->turn = false;
    m->stopped = m->stopped || (how->block && !how->block(how->ctx, bytes));
    bool on = !m->stopped;
    pthread_cond_broadcast(&m->turned);
    pthread_mutex_unlock(&m->lock);
    return on;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Reads up to `want` bytes at `at`; false with the error told. A file that has become shorter is
 * an error too. */
static bool read_at(struct maker *k, uint64_t at, size_t from, size_t want)
{
    struct making *m = k->m;
    struct err e;
    while (from < want) {
        ssize_t got = pread(m->fd, k->text + from, want - from, (off_t)(at + from));
        if (got > 0) {
            from += (size_t)got;
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            err_set(&e, ERR_IO, "%s became shorter while it was read", m->input.p);
        else
            err_errno(&e, "cannot read", m->input.p);
        pthread_mutex_lock(&m->lock);
        fail(m, &e);
        pthread_cond_broadcast(&m->turned);
        pthread_mutex_unlock(&m->lock);
        return false;
    }
    return true;
}

/* Where the first line begins in [number * stride, that of the next); UINT64_MAX: none does. */
static bool find_start(struct maker *k, uint64_t *start)
{
    const struct making *m = k->m;
    uint64_t at = k->number * m->stride, end = at + m->stride;
    *start = k->number == 0 ? 0 : UINT64_MAX;
    if (end > m->size)
        end = m->size;
    for (uint64_t p = at - (at > 0); *start == UINT64_MAX && p + 1 < end;) {
        size_t n = end - 1 - p < m->room ? (size_t)(end - 1 - p) : m->room;
        if (!read_at(k, p, 0, n))
            return false;
        const char *feed = memchr(k->text, '\n', n);
        if (feed)
            *start = p + (uint64_t)(feed - k->text) + 1;
        p += n;
    }
    return true;
}

/* ---- blocks ------------------------------------------------------------------------------ */

static void on_key(void *ctx, uint64_t key)
{
    struct maker *k = ctx;
    key &= ~(uint64_t)0xff;
    uint64_t *recent = &k->recent[key >> (64 - RECENT_BITS)];
    if (*recent == (key | 1))
        return;
    *recent = key | 1;
    if (k->count == LIMIT_SENSOR_INDEX_KEYS)
        k->crowded = true;
    else
        k->keys[k->count++] = key | k->row_count;
}

static void gather(struct maker *k, struct index_row *r)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    struct str text = {k->text, r->n};
    memset(k->recent, 0, sizeof(uint64_t) << RECENT_BITS);
    k->crowded = false;
    r->any = !match_record(k->m->recorder, text, on_key, k) || k->crowded;
    crypt_sha256(text, digest);
    memcpy(r->digest, digest, sizeof r->digest);
    r->line = k->lines;
    k->lines += match_count_lines(str_slice(text, r->from, r->until));
    k->rows[k->row_count++] = *r;
}

/* Reads the block whose hits start from `from` on, with its text from `at`; *more: the line goes on
 * behind it. It ends with a line, the first one that ends behind its size or behind the stride. */
static bool read_block(struct maker *k, uint64_t at, uint64_t from, struct index_row *r, bool *more)
{
    const struct making *m = k->m;
    uint64_t end = (k->number + 1) * m->stride, target = from + m->block;
    if (target > end)
        target = end > from ? end : from + 1;
    size_t n = 0, look = (size_t)(target - at) - 1, want = look + m->block / 16 + 1;
    const char *feed = NULL;
    while (!feed && n < m->room && at + n < m->size) {
        size_t most = m->size - at < m->room ? (size_t)(m->size - at) : m->room;
        want = want < most ? want : most;
        if (!read_at(k, at, n, want))
            return false;
        n = want;
        feed = n > look ? memchr(k->text + look, '\n', n - look) : NULL;
        look = n > look ? n : look;
        want = m->room;
    }
    *more = !feed && at + n < m->size;
    *r = (struct index_row){.at = at, .n = (uint32_t)n, .from = (uint32_t)(from - at)};
    if (feed)
        r->n = (uint32_t)(feed - k->text) + 1;
    r->until = *more ? r->n - (uint32_t)m->context : r->n;
    return true;
}

static bool make_stride(struct maker *k)
{
    struct making *m = k->m;
    uint64_t at, from, end = (k->number + 1) * m->stride;
    if (!find_start(k, &from))
        return false;
    at = from;
    bool more = from != UINT64_MAX && from < m->size;
    while (more) {
        struct index_row r;
        bool cut;
        if (!read_block(k, at, from, &r, &cut))
            return false;
        gather(k, &r);
        from = at + r.until;
        at = cut ? from - m->context : from;
        more = from < m->size && (cut || from < end);
        if ((k->row_count == LIMIT_SENSOR_INDEX_BLOCKS || k->count > LIMIT_SENSOR_INDEX_KEYS / 2) &&
            !end_segment(k))
            return false;
    }
    return end_segment(k) && pass_turn(k, end < m->size ? end : m->size);
}

static void *work(void *ctx)
{
    struct maker *k = ctx;
    struct making *m = k->m;
    bool more = true;
    while (more) {
        pthread_mutex_lock(&m->lock);
        k->number = m->next++;
        more = !m->failed && !m->stopped;
        pthread_mutex_unlock(&m->lock);
        k->row_count = k->count = 0;
        k->lines = 0;
        more = more && k->number * m->stride < m->size && make_stride(k);
    }
    return NULL;
}

/* ---- threads ----------------------------------------------------------------------------- */

static bool maker_init(struct maker *k, struct making *m)
{
    k->m = m;
    k->text = base_alloc(m->room);
    k->keys = base_alloc(LIMIT_SENSOR_INDEX_KEYS * sizeof *k->keys);
    k->spare = base_alloc(LIMIT_SENSOR_INDEX_KEYS * sizeof *k->spare);
    k->recent = base_alloc(sizeof *k->recent << RECENT_BITS);
    buf_init(&k->head, 0);
    buf_init(&k->ends, 0);
    buf_init(&k->buckets, 0);
    return k->text && k->keys && k->spare && k->recent;
}

static void maker_free(struct maker *k)
{
    if (!k)
        return;
    base_free(k->text);
    base_free(k->keys);
    base_free(k->spare);
    base_free(k->recent);
    buf_done(&k->head);
    buf_done(&k->ends);
    buf_done(&k->buckets);
    base_free(k);
}

static size_t thread_count(const struct making *m)
{
    cpu_set_t cpus;
    size_t count = m->how->threads, strides = (size_t)(m->size / m->stride) + 1;
    if (count == 0)
        count = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (size_t)CPU_COUNT(&cpus) : 1;
    count = count < strides ? count : strides;
    return count < LIMIT_SENSOR_THREADS ? count : LIMIT_SENSOR_THREADS;
}

/* With fewer threads than were asked for it takes longer, that is all. */
static bool run(struct making *m, struct err *e)
{
    struct maker *makers[LIMIT_SENSOR_THREADS] = {NULL};
    pthread_t threads[LIMIT_SENSOR_THREADS];
    size_t count = thread_count(m), made = 0, started = 1;
    for (; made < count; made++) {
        makers[made] = base_alloc(sizeof *makers[made]);
        if (!makers[made] || !maker_init(makers[made], m))
            break;
    }
    while (started < made && pthread_create(&threads[started], NULL, work, makers[started]) == 0)
        started++;
    if (made > 0)
        work(makers[0]);
    for (size_t i = 1; i < started && made > 0; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < LIMIT_SENSOR_THREADS && makers[i]; i++)
        maker_free(makers[i]);
    if (made == 0)
        return err_set(e, ERR_MEMORY, "no memory to make an index of %s", m->input.p);
    if (m->failed)
        *e = m->e;
    return !m->failed;
}

/* ---- the file ---------------------------------------------------------------------------- */

static bool put_footer(struct making *m, struct index_footer *f, struct str path, struct err *e)
{
    struct buf b;
    f->directory_at = m->out_n;
    f->path_n = (uint32_t)path.n;
    f->segments = m->segments;
    f->made_us = (uint64_t)now_us();
    buf_init(&b, 0);
    buf_str(&b, path);
    buf_str(&b, buf_view(&m->directory));
    sensor_index_put_footer(&b, f);
    struct str all = buf_view(&b);
    sensor_index_put_u64(&b, sensor_index_sum(&all, 1));
    bool ok = buf_ok(&m->directory, e) && buf_ok(&b, e) && file_out_put(&m->out, buf_view(&b), e);
    buf_done(&b);
    return ok;
}

static bool write_index(struct making *m, const char *to, struct index_footer *f, struct str path,
                        struct err *e)
{
    struct buf head;
    buf_init(&head, 0);
    buf_str(&head, STR(INDEX_MAGIC));
    sensor_index_put_u32(&head, INDEX_VERSION);
    sensor_index_put_u32(&head, 0);
    m->out_n = head.n;
    bool ok = buf_ok(&head, e) && file_out_open(&m->out, to, 0600, e);
    if (ok) {
        ok = file_out_put(&m->out, buf_view(&head), e) && run(m, e) &&
             (m->stopped || put_footer(m, f, path, e));
        if (ok && !m->stopped)
            ok = file_out_end(&m->out, e);
        else
            file_out_drop(&m->out);
    }
    buf_done(&head);
    return ok;
}

static void making_init(struct making *m, const struct sensor_indexing *how, uint64_t size)
{
    m->how = how;
    m->size = size;
    m->line = 1;
    m->block = how->block_bytes ? how->block_bytes : LIMIT_SENSOR_INDEX_BLOCK_BYTES;
    m->stride = how->segment_bytes ? how->segment_bytes : LIMIT_SENSOR_INDEX_SEGMENT_BYTES;
    m->context = (size_t)2 * LIMIT_OBSERVABLE_BYTES;
    m->room = LIMIT_SENSOR_BLOCK_BYTES;
    m->out.fd = -1;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->turned, NULL);
    buf_init(&m->directory, 0);
}

/* A log that is open, and the directory that its index goes into. */
struct input {
    int fd;
    const char *name, *dir;
    struct str path;
    const struct sensor_indexing *how;
};

static bool make(const struct input *in, const char *to, struct index_footer *f, bool *stopped,
                 struct err *e)
{
    struct making m = {.fd = in->fd, .input = str_of(in->name)};
    making_init(&m, in->how, f->size);
    base_random(&f->seed, sizeof f->seed);
    bool ok = match_recorder_new(f->seed, &m.recorder, e) && write_index(&m, to, f, in->path, e);
    *stopped = m.stopped;
    match_recorder_free(m.recorder);
    buf_done(&m.directory);
    pthread_cond_destroy(&m.turned);
    pthread_mutex_destroy(&m.lock);
    return ok;
}

/* ---- which ------------------------------------------------------------------------------- */

/* If there is an index of the log as it is. */
static bool is_fresh(const char *path, const struct index_footer *now)
{
    struct index ix;
    struct err ignored;
    if (!sensor_index_open(path, &ix, &ignored))
        return false;
    bool same = ix.footer.size == now->size && ix.footer.mtime_ns == now->mtime_ns &&
                ix.footer.inode == now->inode;
    sensor_index_close(&ix);
    return same;
}

/* Why bytes of the file are not those of a log; NULL: they are. It has a size, and no text in it
 * would be hidden. */
static const char *why_none(int fd, const struct stat *st)
{
    char head[64];
    if (!S_ISREG(st->st_mode))
        return "it is no file";
    ssize_t n = pread(fd, head, sizeof head, 0);
    struct str text = {head, n > 0 ? (size_t)n : 0};
    if (sensor_packed(text))
        return "it is packed: blocks of it could not be read alone";
    if (packet_is_capture(text))
        return "it is a capture";
    return sensor_unreadable(text);
}

static bool index_input(const struct input *in, struct sensor_index_is *out, struct err *e)
{
    struct stat st;
    struct buf to;
    bool ok = true, stopped = false;
    if (fstat(in->fd, &st) != 0)
        return err_errno(e, "cannot look at", in->name);
    *out = (struct sensor_index_is){SENSOR_INDEX_NONE, why_none(in->fd, &st)};
    if (out->why)
        return true;
    struct index_footer f = {.size = (uint64_t)st.st_size, .inode = (uint64_t)st.st_ino};
    f.mtime_ns = sensor_index_mtime(&st);
    buf_init(&to, 0);
    sensor_index_path(&to, in->dir, in->path, f.inode);
    if (!buf_ok(&to, e)) {
        ok = false;
    } else if (is_fresh(to.p, &f)) {
        out->is = SENSOR_INDEX_FRESH;
    } else {
        (void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        ok = make(in, to.p, &f, &stopped, e);
        if (ok && !stopped)
            out->is = SENSOR_INDEX_MADE;
    }
    buf_done(&to);
    return ok;
}

bool sensor_index_log(const char *dir, const char *input, const struct sensor_indexing *how,
                      struct sensor_index_is *out, struct err *e)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_errno(e, "cannot make the directory", dir);
    struct input in = {.fd = open(input, O_RDONLY | O_CLOEXEC | O_NONBLOCK),
                       .name = input,
                       .dir = dir,
                       .how = how};
    if (in.fd < 0)
        return err_errno(e, "cannot open", input);
    char path[PATH_MAX];
    bool ok;
    if (!realpath(input, path))
        ok = err_errno(e, "cannot find the path of", input);
    else if (strlen(path) > LIMIT_PATH_BYTES)
        ok =
            err_set(e, ERR_LIMIT, "the path of %s has more than %u bytes", input, LIMIT_PATH_BYTES);
    else {
        in.path = str_of(path);
        ok = index_input(&in, out, e);
    }
    close(in.fd);
    return ok;
}
