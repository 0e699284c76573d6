/*
 * From an input to alerts: reading in blocks, cutting at line ends, counting lines and bytes.
 *
 *     buffer   | context | looked at, not told yet        | room to read into |
 *              0         from                             n
 *
 * Of whole lines no context is needed. A line that fills the buffer is looked at up to n, and what
 * starts before n - context_bytes is told; then its last 2 * context_bytes stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/sensor_priv.h"

/* Hits of one place that are remembered, so that equal lines of lists raise one alert. */
#define PLACE_HITS 16

struct reader {
    const struct sensor_scan *scan;
    struct str input;
    char *buf;
    size_t room, n, from, context;
    size_t until;   /* hits from here on are told with the next piece */
    size_t counted; /* lines are counted up to here */
    uint64_t base;  /* offset of buf[0] in the input */
    uint64_t line;  /* number of the line that `counted` is in */
    bool stop;
    int64_t time_us;
    struct str time;
    char time_text[INSTANT_TEXT_BYTES];
    struct match_hit place; /* the hit before, and who was told there */
    struct str told[PLACE_HITS];
    size_t told_count;
};

/* The inner loop has a fixed count so that the compiler makes vector code of it. */
static uint64_t count_lines(const char *p, size_t n)
{
    uint64_t lines = 0;
    for (; n >= 64; p += 64, n -= 64) {
        unsigned char sum = 0;
        for (size_t i = 0; i < 64; i++)
            sum = (unsigned char)(sum + (p[i] == '\n'));
        lines += sum;
    }
    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n';
    return lines;
}

static void count_to(struct reader *r, size_t at)
{
    if (at >= r->counted)
        r->line += count_lines(r->buf + r->counted, at - r->counted);
    else
        r->line -= count_lines(r->buf + at, r->counted - at);
    r->counted = at;
}

/* Was the same said of the same bytes already, by an indicator of the same id? */
static bool told_before(struct reader *r, const struct match_hit *h, struct str id)
{
    const struct match_hit *p = &r->place;
    if (p->seen.p != h->seen.p || p->seen.n != h->seen.n || p->kind != h->kind ||
        p->relation != h->relation) {
        r->place = *h;
        r->told_count = 0;
    }
    for (size_t i = 0; i < r->told_count; i++)
        if (str_eq(r->told[i], id))
            return true;
    if (r->told_count < PLACE_HITS)
        r->told[r->told_count++] = id;
    return false;
}

static bool on_hit(void *ctx, const struct match_hit *hit)
{
    struct reader *r = ctx;
    size_t at = (size_t)(hit->seen.p - r->buf);
    const struct match_indicator m = match_set_get(r->scan->set, hit->indicator);
    if (at < r->from || at >= r->until || told_before(r, hit, m.id))
        return true;
    count_to(r, at);
    struct sensor_alert a = {.input = r->input,
                             .time = r->time,
                             .time_us = r->time_us,
                             .line = r->line,
                             .offset = r->base + at,
                             .hit = hit,
                             .indicator = &m};
    r->stop = !r->scan->alert(r->scan->ctx, &a);
    return !r->stop;
}

/* Looks at the buffer up to `end` and tells what starts before `until`. */
static void look(struct reader *r, size_t end, size_t until)
{
    r->until = until;
    r->place = (struct match_hit){0};
    r->told_count = 0;
    match_scan(r->scan->set, (struct str){r->buf, end},
               r->scan->as_of_us ? *r->scan->as_of_us : r->time_us, on_hit, r);
    r->from = until;
    count_to(r, until);
}

/* Drops what is done with, but `keep` bytes before it. */
static void shift(struct reader *r, size_t keep)
{
    size_t drop = r->from > keep ? r->from - keep : 0;
    memmove(r->buf, r->buf + drop, r->n - drop);
    r->n -= drop;
    r->from -= drop;
    r->counted -= drop;
    r->base += drop;
}

/* Looks at as much of the buffer as can be decided. */
static void work(struct reader *r, bool at_end)
{
    const char *last = memrchr(r->buf + r->from, '\n', r->n - r->from);
    if (at_end) {
        look(r, r->n, r->n);
    } else if (last) {
        size_t end = (size_t)(last - r->buf) + 1;
        look(r, end, end);
        shift(r, 0);
    } else if (r->n == r->room) {
        look(r, r->n, r->n - r->context);
        shift(r, r->context);
    }
}

/* Inputs in which no text would be found. */
static const struct {
    const char *magic;
    size_t n;
    const char *text;
} unreadable[] = {
    {"\x1f\x8b", 2, "it is compressed: give the output of `zcat` instead"},
    {"\x28\xb5\x2f\xfd", 4, "it is compressed: give the output of `zstdcat` instead"},
    {"\xfd"
     "7zXZ",
     5, "it is compressed: give the output of `xzcat` instead"},
    {"\x04\x22\x4d\x18", 4, "it is compressed: give the output of `lz4cat` instead"},
    {"\xff\xfe", 2, "it is UTF-16: give the output of `iconv -f utf-16 -t utf-8` instead"},
    {"\xfe\xff", 2, "it is UTF-16: give the output of `iconv -f utf-16 -t utf-8` instead"},
};

const char *sensor_unreadable(struct str head)
{
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++)
        if (str_starts(head, (struct str){unreadable[i].magic, unreadable[i].n}))
            return unreadable[i].text;
    return NULL;
}

static void look_at_head(const struct reader *r)
{
    const char *text = sensor_unreadable((struct str){r->buf, r->n});
    if (text && r->scan->warn)
        r->scan->warn(r->scan->ctx, r->input, text);
}

static bool read_all(struct reader *r, int fd, bool *to_end, struct err *e)
{
    bool first = true, end = false;
    while (!r->stop && !end) {
        must(r->n < r->room);
        ssize_t got = read(fd, r->buf + r->n, r->room - r->n);
        if (got < 0 && errno != EINTR)
            return err_errno(e, "cannot read", r->input.p);
        if (got > 0)
            r->n += (size_t)got;
        if (first && got > 0)
            look_at_head(r);
        first = first && got <= 0;
        struct instant now = instant_now();
        r->time_us = instant_us(now);
        r->time = instant_text(now, 6, r->time_text);
        end = got == 0;
        if (got >= 0)
            work(r, end);
        if (r->scan->block && !r->scan->block(r->scan->ctx, r->base + r->n))
            break;
    }
    *to_end = end && !r->stop;
    return true;
}

static bool scan_fd(const struct sensor_scan *s, int fd, const char *input, bool *to_end,
                    struct err *e)
{
    struct reader r = {.scan = s, .input = str_of(input), .line = 1};
    r.context = s->context_bytes ? s->context_bytes : (size_t)2 * LIMIT_OBSERVABLE_BYTES;
    r.room = 2 * r.context + (s->block_bytes ? s->block_bytes : LIMIT_SENSOR_BLOCK_BYTES);
    r.buf = base_alloc(r.room);
    if (!r.buf)
        return err_set(e, ERR_MEMORY, "no memory to read %s", input);
    bool ok = read_all(&r, fd, to_end, e);
    base_free(r.buf);
    return ok;
}

bool sensor_scan_input(const struct sensor_scan *s, const char *input, bool *to_end, struct err *e)
{
    struct stat st;
    if (strcmp(input, "-") == 0)
        return scan_fd(s, STDIN_FILENO, input, to_end, e);
    int fd = open(input, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "cannot open", input);
    bool ok;
    if (fstat(fd, &st) != 0)
        ok = err_errno(e, "cannot look at", input);
    else if (S_ISDIR(st.st_mode))
        ok = err_set(e, ERR_IO, "cannot read %s: it is a directory: name its files, as in %s/*",
                     input, input);
    else {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        ok = scan_fd(s, fd, input, to_end, e);
    }
    close(fd);
    return ok;
}
