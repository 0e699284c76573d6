/*
 * Captures of one network read together: the frame that is oldest comes first, from whichever file.
 * So sessions that one file tells of (a tap of N4 or N2) are known when another one has their
 * packets (a tap of N3), in whatever order the files are named. A file is open only while its time
 * has come: captures that follow one another, as rotation leaves them, may be many.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/sensor_priv.h"

struct one {
    const char *name;
    size_t number;    /* in the list of the caller */
    int64_t first_us; /* time of its first frame */
    int fd;
    struct packet_capture *c;
    struct packet_frame next; /* when it has one */
};

struct sensor_captures {
    struct one *all; /* by first_us, then by name */
    size_t count, begun;
    struct one *open[LIMIT_SENSOR_CAPTURES];
    size_t open_count;
    struct one *current; /* whose frame was given last: it is to be moved on */
    bool (*stop)(void *ctx);
    void *ctx;
};

bool sensor_is_capture(const char *input)
{
    char head[PACKET_HEAD_BYTES];
    struct stat st;
    int fd = stat(input, &st) == 0 && S_ISREG(st.st_mode) ? open(input, O_RDONLY | O_CLOEXEC) : -1;
    bool yes = fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head &&
               packet_is_capture((struct str){head, sizeof head});
    if (fd >= 0)
        close(fd);
    return yes;
}

static void one_close(struct one *o)
{
    packet_capture_close(o->c);
    o->c = NULL;
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}

/* The next frame is in o->next. */
static enum packet_read one_next(struct one *o, struct err *e)
{
    enum packet_read r = packet_capture_next(o->c, &o->next, e);
    o->next.source = (unsigned)o->number;
    return r;
}

static enum packet_read one_open(struct one *o, struct err *e)
{
    o->fd = open(o->name, O_RDONLY | O_CLOEXEC);
    if (o->fd < 0)
        (void)err_errno(e, "cannot open", o->name);
    else if (packet_capture_open(o->fd, STR_NONE, o->name, &o->c, e))
        return one_next(o, e);
    return PACKET_READ_FAILED;
}

static int by_time(const void *x, const void *y)
{
    const struct one *a = x, *b = y;
    if (a->first_us != b->first_us)
        return a->first_us < b->first_us ? -1 : 1;
    return strcmp(a->name, b->name);
}

bool sensor_captures_new(const char *const *inputs, size_t count, struct sensor_captures **out,
                         struct err *e)
{
    struct sensor_captures *m = base_alloc(sizeof *m);
    if (!m || !(m->all = base_alloc(count * sizeof *m->all))) {
        base_free(m);
        return err_set(e, ERR_MEMORY, "no memory to read %zu captures", count);
    }
    for (size_t i = 0; i < count; i++) {
        struct err ignored; /* it comes again when it is its turn */
        struct one *o = &m->all[m->count++];
        *o = (struct one){.name = inputs[i], .number = i, .first_us = INT64_MIN, .fd = -1};
        if (one_open(o, &ignored) == PACKET_READ_FRAME)
            o->first_us = o->next.time_us;
        one_close(o);
    }
    qsort(m->all, m->count, sizeof *m->all, by_time);
    *out = m;
    return true;
}

void sensor_captures_free(struct sensor_captures *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->count; i++)
        one_close(&m->all[i]);
    base_free(m->all);
    base_free(m);
}

void sensor_captures_stop(struct sensor_captures *m, bool (*stop)(void *ctx), void *ctx)
{
    m->stop = stop;
    m->ctx = ctx;
}

static void retire(struct sensor_captures *m, struct one *o)
{
    size_t i = 0;
    while (i < m->open_count && m->open[i] != o)
        i++;
    if (i < m->open_count)
        m->open[i] = m->open[--m->open_count];
    one_close(o);
}

static struct one *oldest(const struct sensor_captures *m)
{
    struct one *best = NULL;
    for (size_t i = 0; i < m->open_count; i++) {
        struct one *o = m->open[i];
        if (!best || o->next.time_us < best->next.time_us ||
            (o->next.time_us == best->next.time_us && strcmp(o->name, best->name) < 0))
            best = o;
    }
    return best;
}

/* Opens the captures whose time has come. False: one of them cannot be read. */
static bool begin_due(struct sensor_captures *m, struct packet_frame *f, struct err *e)
{
    while (m->begun < m->count) {
        struct one *o = &m->all[m->begun];
        const struct one *best = oldest(m);
        if (best && o->first_us > best->next.time_us)
            return true;
        m->begun++;
        f->source = (unsigned)o->number;
        if (m->open_count == LIMIT_SENSOR_CAPTURES)
            return err_set(e, ERR_LIMIT, "%s: more than %d captures of the same time: merge some",
                           o->name, LIMIT_SENSOR_CAPTURES);
        enum packet_read r = one_open(o, e);
        if (r == PACKET_READ_FRAME) {
            packet_capture_stop(o->c, m->stop, m->ctx);
            m->open[m->open_count++] = o;
            continue;
        }
        one_close(o);
        if (r == PACKET_READ_FAILED)
            return false;
    }
    return true;
}

enum packet_read sensor_captures_next(struct sensor_captures *m, struct packet_frame *f,
                                      struct err *e)
{
    struct one *last = m->current;
    m->current = NULL;
    if (last) {
        enum packet_read r = one_next(last, e);
        if (r != PACKET_READ_FRAME)
            retire(m, last);
        f->source = (unsigned)last->number;
        if (r == PACKET_READ_FAILED)
            return r;
    }
    if (!begin_due(m, f, e))
        return PACKET_READ_FAILED;
    m->current = oldest(m);
    if (!m->current)
        return PACKET_READ_END;
    *f = m->current->next;
    return PACKET_READ_FRAME;
}
