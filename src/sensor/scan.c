/*
 * From an input to alerts: reading in blocks, cutting at line ends, counting lines and bytes.
 *
 *     piece    | context | looked at, not told yet        | room to read into |
 *              0         from                             n
 *
 * Of whole lines no context is needed. A line that fills a piece is looked at up to n, and what
 * starts before n - context_bytes is told; then its last 2 * context_bytes begin the next piece.
 *
 * Several threads take turns: each reads a piece of its own, which then lies in its processor's
 * cache, looks at it while others read on, and tells when those before it have told. Callbacks are
 * called by one thread at a time, in the input's order.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/sensor_priv.h"

/* Hits of one place that are remembered, so that equal lines of lists raise one alert. */
#define PLACE_HITS 16

/* Hits that wait for their piece's turn; with more it waits itself. */
#define KEPT_HITS 4096

/* Bytes by which UTF-16 is known. */
#define UNREADABLE_HEAD 64

/* What the threads share of one input. */
struct reading {
    const struct sensor_scan *scan;
    struct str input;
    int fd;
    size_t room, context;
    pthread_mutex_t lock;
    pthread_cond_t turned;
    /* Guarded by `lock`; what stands before `tickets` only by who reads. */
    char *rest; /* of what was read, what begins the next piece */
    size_t rest_n, rest_from;
    uint64_t rest_base;           /* offset of rest[0] in the input */
    bool first, end;              /* nothing was read yet; all was */
    bool capture;                 /* `rest` is the start of one, and no piece was made of it */
    struct sensor_unpack *unpack; /* of a packed input; else NULL */
    bool failed;
    struct err e;
    uint64_t tickets, turn; /* of the piece that is read next; that may tell */
    uint64_t line;          /* number of the line that the piece in turn begins in */
    struct buf header;      /* the line of columns' names before where the piece in turn has got */
    bool stop, told_all;
    bool alone; /* no other thread reads */
    const struct sensor_opened *opened;
    bool over;                          /* who opened it said that nothing more comes */
    uint64_t skip;                      /* bytes of what is packed that were told before */
    char tail[LIMIT_SENSOR_TAIL_BYTES]; /* what stands before where was told, of what is followed */
    size_t tail_n;
    bool regular; /* a file, which keeps nobody waiting */
};

/* A hit that waits. */
struct kept_hit {
    uint32_t indicator;
    enum match_relation relation;
    enum observable_kind kind;
    size_t at, seen_n, line; /* in the piece; lines of it before */
    size_t text_at, text_n;  /* its normal form in `texts` */
};

/* The line of the hit before; `end` is 0 where there was none. */
struct line {
    struct str text;
    size_t end; /* in the piece */
    bool other_time;
    uint64_t fields; /* its number; 0: all of it counts */
};

/* What one thread looks at. */
struct piece {
    struct reading *in;
    char *buf;
    size_t n, from, until; /* hits from `until` on are told with the next piece */
    uint64_t base;         /* offset of buf[0] in the input */
    uint64_t ticket;
    bool turn;             /* it may tell */
    bool halted;           /* a callback ended the scan */
    bool last;             /* the input ends with it */
    uint64_t bytes;        /* of the input that were read */
    size_t counted, lines; /* lines are counted up to here: so many since `from` */
    size_t headed;         /* names of columns are looked for up to here */
    struct line line;
    int64_t time_us;
    struct str time;
    char time_text[INSTANT_TEXT_BYTES];
    struct match_hit place; /* the hit before, and who was told there */
    struct str told[PLACE_HITS];
    size_t told_count;
    struct kept_hit *kept;
    size_t kept_count, kept_room;
    struct buf texts;
    struct sensor_hold hold; /* while it is looked at */
};

/* ---- telling ----------------------------------------------------------------------------- */

static void count_to(struct piece *p, size_t at)
{
    if (at >= p->counted)
        p->lines += match_count_lines((struct str){p->buf + p->counted, at - p->counted});
    else
        p->lines -= match_count_lines((struct str){p->buf + at, p->counted - at});
    p->counted = at;
}

/* Was the same said of the same bytes already, by an indicator of the same id? */
static bool told_before(struct piece *p, const struct match_hit *h, struct str id)
{
    const struct match_hit *last = &p->place;
    if (last->seen.p != h->seen.p || last->seen.n != h->seen.n || last->kind != h->kind ||
        last->relation != h->relation) {
        p->place = *h;
        p->told_count = 0;
    }
    for (size_t i = 0; i < p->told_count; i++)
        if (str_eq(p->told[i], id))
            return true;
    if (p->told_count < PLACE_HITS)
        p->told[p->told_count++] = id;
    return false;
}

static void keep_header(struct reading *in, struct str text, size_t from)
{
    struct str header = in->scan->fields ? sensor_fields_header(text, from) : STR_NONE;
    if (!header.p)
        return;
    buf_clear(&in->header);
    buf_str(&in->header, header);
}

/* Only in the piece's turn. */
static void head_to(struct piece *p, size_t at)
{
    if (at <= p->headed)
        return;
    keep_header(p->in, (struct str){p->buf, at}, p->headed);
    p->headed = at;
}

/* The line of the hit, which is looked at once however many hits are in it. Of one that is longer
 * than a piece only a part is there: nobody knows its fields, nor its time but where it begins, and
 * so all of it counts; else whoever makes a line long would hide what it holds. */
static void find_line(struct piece *p, size_t at)
{
    const struct sensor_scan *s = p->in->scan;
    const struct sensor_span *span = s->span;
    const char *start = memrchr(p->buf, '\n', at);
    size_t from = start ? (size_t)(start - p->buf) + 1 : 0;
    bool begins = start || p->from == 0;
    const char *end = memchr(p->buf + from, '\n', p->n - from);
    struct line *l = &p->line;
    int64_t us;
    l->end = end ? (size_t)(end - p->buf) : p->n;
    l->text = (struct str){p->buf + from, l->end - from};
    l->other_time = span && begins && sensor_line_time(l->text, p->time_us, &us) &&
                    (us < span->from_us || us >= span->until_us);
    l->fields = s->fields && begins && (end || p->last) ? sensor_fields_line(s->fields) : 0;
    head_to(p, from);
}

/* Is it of a line of another time, or of another field? */
static bool is_outside(struct piece *p, size_t at)
{
    const struct sensor_scan *s = p->in->scan;
    const struct line *l = &p->line;
    if (!s->span && !s->fields)
        return false;
    if (at >= l->end)
        find_line(p, at);
    return l->other_time ||
           (l->fields && !sensor_fields_have(s->fields, l->fields, buf_view(&p->in->header),
                                             l->text, at - (size_t)(l->text.p - p->buf)));
}

/* Only in the piece's turn. False when the scan is to end. */
static bool tell(struct piece *p, const struct match_hit *h, size_t at, size_t lines)
{
    struct reading *in = p->in;
    const struct match_indicator m = match_set_get(p->hold.set, h->indicator);
    struct sensor_alert a = {.input = in->input,
                             .time = p->time,
                             .time_us = p->time_us,
                             .line = in->line + lines,
                             .offset = p->base + at,
                             .hit = h,
                             .indicator = &m,
                             .around = {p->buf, p->n}};
    p->halted = a.offset >= in->skip && !is_outside(p, at) && !in->scan->alert(in->scan->ctx, &a);
    return !p->halted;
}

/* Waits until all pieces before have told; false when the scan ended before that. */
static bool take_turn(struct piece *p)
{
    struct reading *in = p->in;
    if (p->turn)
        return true;
    pthread_mutex_lock(&in->lock);
    while (in->turn != p->ticket && !in->stop)
        pthread_cond_wait(&in->turned, &in->lock);
    p->turn = !in->stop;
    pthread_mutex_unlock(&in->lock);
    return p->turn;
}

static bool tell_kept(struct piece *p)
{
    bool on = take_turn(p);
    for (size_t i = 0; i < p->kept_count && on; i++) {
        const struct kept_hit *k = &p->kept[i];
        struct match_hit h = {.indicator = k->indicator,
                              .relation = k->relation,
                              .kind = k->kind,
                              .observable = {p->texts.p + k->text_at, k->text_n},
                              .seen = {p->buf + k->at, k->seen_n}};
        on = tell(p, &h, k->at, k->line);
    }
    p->kept_count = 0;
    buf_clear(&p->texts);
    return on;
}

/* Keeps the hit for later; false when there is no room for it. */
static bool keep(struct piece *p, const struct match_hit *h, size_t at)
{
    void *kept = p->kept;
    size_t text_at = p->texts.n;
    if (p->kept_count == KEPT_HITS ||
        !base_grow(&kept, &p->kept_room, p->kept_count + 1, sizeof *p->kept))
        return false;
    p->kept = kept;
    buf_str(&p->texts, h->observable);
    if (p->texts.failed)
        return false;
    p->kept[p->kept_count++] = (struct kept_hit){
        h->indicator, h->relation, h->kind, at, h->seen.n, p->lines, text_at, h->observable.n};
    return true;
}

static bool on_hit(void *ctx, const struct match_hit *hit)
{
    struct piece *p = ctx;
    size_t at = (size_t)(hit->seen.p - p->buf);
    const struct match_indicator m = match_set_get(p->hold.set, hit->indicator);
    if (at < p->from || at >= p->until || told_before(p, hit, m.id))
        return true;
    count_to(p, at);
    if (!p->turn && keep(p, hit, at))
        return true;
    return tell_kept(p) && tell(p, hit, at, p->lines);
}

/* ---- looking ----------------------------------------------------------------------------- */

static void keep_tail(struct reading *in, struct str told)
{
    told = told.n > sizeof in->tail ? str_from(told, told.n - sizeof in->tail) : told;
    size_t keep = sizeof in->tail - told.n;
    keep = keep < in->tail_n ? keep : in->tail_n;
    memmove(in->tail, in->tail + in->tail_n - keep, keep);
    memcpy(in->tail + keep, told.p, told.n);
    in->tail_n = keep + told.n;
}

/* Only in the piece's turn. A place is the start of a line, or where all ended. */
static void tell_place(struct piece *p)
{
    struct reading *in = p->in;
    const struct sensor_scan *s = in->scan;
    bool ended = p->last && (in->unpack || in->over);
    struct sensor_place upto = {.offset = p->base + p->until, .line = in->line + p->lines};
    if (s->follow) {
        keep_tail(in, (struct str){p->buf + p->from, p->until - p->from});
        upto.tail = str_hash((struct str){in->tail, in->tail_n}, 0);
    }
    if (in->unpack && (!in->opened->is_of_folder || upto.offset <= in->skip))
        return;
    if (p->until > 0 && (p->buf[p->until - 1] == '\n' || (in->opened->is_of_folder && ended)))
        s->told(s->ctx, in->input, &upto);
}

/* Passes the turn on. */
static void pass_turn(struct piece *p)
{
    struct reading *in = p->in;
    const struct sensor_scan *s = in->scan;
    head_to(p, p->until);
    if (match_set_damaged(p->hold.set))
        p->halted = true;
    bool on = !p->halted && (!s->block || s->block(s->ctx, p->bytes));
    if (!p->halted && s->told)
        tell_place(p);
    pthread_mutex_lock(&in->lock);
    in->line += p->lines;
    in->turn = p->ticket + 1;
    in->stop = in->stop || !on;
    in->told_all = p->last && !p->halted;
    pthread_cond_broadcast(&in->turned);
    pthread_mutex_unlock(&in->lock);
    p->turn = false;
}

/* Looks at the piece and tells what starts before `until`. */
static void look(struct piece *p)
{
    const struct sensor_scan *s = p->in->scan;
    p->place = (struct match_hit){0};
    p->told_count = 0;
    p->counted = p->from;
    p->lines = 0;
    p->headed = p->from;
    p->line.end = 0;
    p->halted = false;
    p->turn = p->in->alone;
    p->hold = sensor_hold_set(s);
    match_scan(p->hold.set, (struct str){p->buf, p->n}, s->as_of_us ? *s->as_of_us : p->time_us,
               on_hit, p);
    count_to(p, p->until);
    if (!p->halted)
        (void)tell_kept(p);
    if (p->turn)
        pass_turn(p);
    sensor_let_go(s, &p->hold);
}

bool sensor_scan_part(const struct sensor_scan *s, const struct sensor_part *part)
{
    const struct sensor_opened none = {.fd = -1};
    struct reading in = {
        .scan = s, .input = part->input, .opened = &none, .alone = true, .line = part->line};
    struct piece p = {.in = &in,
                      .buf = (char *)(uintptr_t)part->text.p, /* only read */
                      .n = part->text.n,
                      .from = part->from,
                      .until = part->until,
                      .base = part->base,
                      .bytes = part->base + part->text.n};
    struct instant now = instant_now();
    p.time_us = instant_us(now);
    p.time = instant_text(now, 6, p.time_text);
    pthread_mutex_init(&in.lock, NULL);
    pthread_cond_init(&in.turned, NULL);
    look(&p);
    pthread_cond_destroy(&in.turned);
    pthread_mutex_destroy(&in.lock);
    buf_done(&in.header);
    return !in.stop;
}

/* ---- reading ----------------------------------------------------------------------------- */

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
    {"PK\x03\x04", 4, "it is a zip archive: give the output of `unzip -p` instead"},
    {"\xff\xfe", 2, "it is UTF-16: give the output of `iconv -f utf-16 -t utf-8` instead"},
    {"\xfe\xff", 2, "it is UTF-16: give the output of `iconv -f utf-16 -t utf-8` instead"},
};

/* A line of text may begin with BZh, too: so does the mark of the first block behind it, or that of
 * the end when there is none. */
static bool is_bzip2(struct str head)
{
    if (!str_starts(head, STR("BZh")) || head.n < 10 || head.p[3] < '1' || head.p[3] > '9')
        return false;
    head = str_from(head, 4);
    return str_starts(head, STR("1AY&SY")) || str_starts(head, STR("\x17rE8P\x90"));
}

/* Is every second byte of the beginning a zero, from `first` on, and none between? So is UTF-16 of
 * letters and digits without a mark before it; a hole in a log is zeros alone. */
static bool is_wide(struct str head, size_t first)
{
    size_t n = (head.n < UNREADABLE_HEAD ? head.n : UNREADABLE_HEAD) & ~(size_t)1;
    for (size_t i = 0; i < n; i++)
        if ((head.p[i] == '\0') != (i % 2 == first))
            return false;
    return n >= 8;
}

const char *sensor_unreadable(struct str head)
{
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++)
        if (str_starts(head, (struct str){unreadable[i].magic, unreadable[i].n}))
            return unreadable[i].text;
    if (is_bzip2(head))
        return "it is compressed: give the output of `bzcat` instead";
    if (is_wide(head, 1))
        return "it is UTF-16: give the output of `iconv -f utf-16le -t utf-8` instead";
    if (is_wide(head, 0))
        return "it is UTF-16: give the output of `iconv -f utf-16be -t utf-8` instead";
    return NULL;
}

static void look_at_head(const struct piece *p)
{
    const struct reading *in = p->in;
    const char *text = sensor_unreadable((struct str){p->buf, p->n});
    if (text && in->scan->warn)
        in->scan->warn(in->scan->ctx, in->input, text);
}

static void leave_rest(struct piece *p, size_t at, size_t from)
{
    struct reading *in = p->in;
    in->rest_n = p->n - at;
    in->rest_from = from - at;
    in->rest_base = p->base + at;
    memcpy(in->rest, p->buf + at, in->rest_n);
}

/* Ends the piece if as much of it as can be decided is worth a look; what is left begins the next.
 */
static bool cut(struct piece *p)
{
    struct reading *in = p->in;
    const char *last = memrchr(p->buf + p->from, '\n', p->n - p->from);
    p->until = p->n;
    p->last = in->end;
    if (in->end)
        return true;
    if (last) {
        p->until = (size_t)(last - p->buf) + 1;
        leave_rest(p, p->until, p->until);
        p->n = p->until;
    } else if (p->n == in->room) {
        p->until -= in->context;
        leave_rest(p, p->until > in->context ? p->until - in->context : 0, p->until);
    }
    return last || p->n == in->room;
}

/* A capture is no text: it goes its own way, with what was read of it. */
static bool is_capture(struct piece *p)
{
    struct reading *in = p->in;
    in->capture = packet_is_capture((struct str){p->buf, p->n});
    if (in->capture)
        leave_rest(p, 0, 0);
    return in->capture;
}

ssize_t sensor_read_soon(int fd, char *to, size_t room)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 200) == 0)
        errno = EINTR;
    else if (wait.revents)
        return read(fd, to, room);
    return -1;
}

#define POLL_MS 100

/* Nothing is there for now. Is it the end of a file that is followed? */
static bool has_ended(struct reading *in)
{
    struct stat now;
    off_t at = lseek(in->fd, 0, SEEK_CUR);
    if (fstat(in->fd, &now) != 0 || now.st_size < at)
        return true; /* it was cut off, and begins anew */
    if (now.st_size > at)
        return false; /* it has grown just now */
    const char *name = in->opened->quiet(in->opened->ctx);
    in->over = !name;
    in->input = name ? str_of(name) : in->input;
    return in->over;
}

/* More bytes of the input into the piece. When what is packed is damaged, the input ends there:
 * what stands before is looked at. */
static bool read_bytes(struct piece *p, ssize_t *got)
{
    struct reading *in = p->in;
    size_t room = in->room - p->n;
    must(room > 0);
    room = room < LIMIT_SENSOR_READ_BYTES ? room : LIMIT_SENSOR_READ_BYTES;
    if (in->unpack) {
        const struct sensor_unpacking r = {in->fd, in->input.p, p->buf + p->n, room};
        if (!sensor_unpack_read(in->unpack, &r, got, &in->e)) {
            in->failed = !err_prefix(&in->e, "%s", in->input.p);
            *got = 0;
        }
        return true;
    }
    *got = in->regular ? read(in->fd, p->buf + p->n, room)
                       : sensor_read_soon(in->fd, p->buf + p->n, room);
    if (*got < 0 && errno != EINTR) {
        in->failed = !err_errno(&in->e, "cannot read", in->input.p);
        return false;
    }
    if (*got == 0 && in->scan->follow && !has_ended(in)) {
        (void)poll(NULL, 0, POLL_MS);
        *got = -1;
    }
    return true;
}

/* What was read begins what is packed: it is read again, through what unpacks it. */
static bool begin_unpacking(struct piece *p)
{
    struct reading *in = p->in;
    in->unpack = sensor_unpack_new((struct str){p->buf, p->n}, &in->e);
    in->failed = in->unpack == NULL;
    p->n = 0;
    return !in->failed;
}

/* Reads once; false when reading ends with an error, or when it is for others to go on. */
static bool read_some(struct piece *p)
{
    struct reading *in = p->in;
    ssize_t got;
    if (!read_bytes(p, &got))
        return false;
    if (got > 0)
        p->n += (size_t)got;
    if (in->first && got > 0 && !in->unpack && sensor_packed((struct str){p->buf, p->n}))
        return begin_unpacking(p);
    if (in->first && got > 0 && is_capture(p)) {
        if (in->unpack)
            in->failed = !err_set(&in->e, ERR_INVALID,
                                  "%s: a packed capture: give the output of `zcat` or the like, "
                                  "through `-`",
                                  in->input.p);
        return false;
    }
    if (in->first && got > 0)
        look_at_head(p);
    in->first = in->first && got <= 0;
    in->end = got == 0;
    p->bytes = p->base + p->n;
    struct instant now = instant_now();
    p->time_us = instant_us(now);
    p->time = instant_text(now, 6, p->time_text);
    return true;
}

/* Reads the next piece, with the lock held; false when there is none. */
static bool fill(struct piece *p)
{
    struct reading *in = p->in;
    const struct sensor_scan *s = in->scan;
    if (in->end || in->stop || in->failed || in->capture)
        return false;
    memcpy(p->buf, in->rest, in->rest_n);
    p->n = in->rest_n;
    p->from = in->rest_from;
    p->base = in->rest_base;
    p->ticket = in->tickets++;
    while (read_some(p)) {
        if (cut(p))
            return true;
        if (in->alone && s->block && !s->block(s->ctx, p->bytes)) {
            in->stop = true;
            return false;
        }
    }
    return false;
}

static void *work(void *ctx)
{
    struct piece *p = ctx;
    bool more = true;
    while (more) {
        pthread_mutex_lock(&p->in->lock);
        more = fill(p);
        pthread_mutex_unlock(&p->in->lock);
        if (more)
            look(p);
    }
    return NULL;
}

/* ---- threads ----------------------------------------------------------------------------- */

/* How many are of use: a pipe is read by one, which signals interrupt; a file by as many as it has
 * pieces. */
static size_t thread_count(const struct sensor_scan *s, int fd)
{
    cpu_set_t cpus;
    struct stat st;
    size_t count = s->threads, block = s->block_bytes ? s->block_bytes : LIMIT_SENSOR_READ_BYTES;
    if (s->follow || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return 1;
    if (count == 0)
        count = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (size_t)CPU_COUNT(&cpus) : 1;
    if (count > (uint64_t)st.st_size / block + 1)
        count = (size_t)st.st_size / block + 1;
    return count < LIMIT_SENSOR_THREADS ? count : LIMIT_SENSOR_THREADS;
}

static bool piece_init(struct piece *p, struct reading *in)
{
    *p = (struct piece){.in = in, .buf = base_alloc(in->room)};
    buf_init(&p->texts, 0);
    return p->buf != NULL;
}

static void piece_done(struct piece *p)
{
    base_free(p->buf);
    base_free(p->kept);
    buf_done(&p->texts);
}

/* The caller's thread works too, and takes the signals. With fewer threads than were asked for it
 * takes longer, that is all. */
static void run(struct piece *pieces, size_t count)
{
    pthread_t threads[LIMIT_SENSOR_THREADS];
    size_t started = 1;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < count && pthread_create(&threads[started], NULL, work, &pieces[started]) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    work(&pieces[0]);
    for (size_t i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
}

static bool scan_with(struct reading *in, size_t count, struct err *e)
{
    struct piece *pieces = base_alloc(count * sizeof *pieces);
    bool ok = pieces != NULL;
    in->rest = base_alloc(in->room);
    in->alone = count == 1;
    for (size_t i = 0; i < count && pieces; i++)
        ok = piece_init(&pieces[i], in) && ok;
    if (ok && in->rest)
        run(pieces, count);
    else
        in->failed = !err_set(&in->e, ERR_MEMORY, "no memory to read %s", in->input.p);
    for (size_t i = 0; i < count && pieces; i++)
        piece_done(&pieces[i]);
    base_free(pieces);
    if (in->failed)
        *e = in->e;
    return !in->failed;
}

bool sensor_scan_intact(const struct sensor_scan *s, struct err *e)
{
    const struct sensor_hold h = sensor_hold_set(s);
    bool damaged = match_set_damaged(h.set);
    sensor_let_go(s, &h);
    return !damaged || err_set(e, ERR_IO, "the indicator set is damaged: compile it again");
}

/* Where reading goes on in the middle, the names of columns stand at the start of the file. */
static void read_header(struct reading *in)
{
    char *head = in->scan->fields ? base_alloc(LIMIT_SENSOR_READ_BYTES) : NULL;
    ssize_t n = head ? pread(in->fd, head, LIMIT_SENSOR_READ_BYTES, 0) : 0;
    if (n > 0)
        keep_header(in, (struct str){head, (size_t)n}, 0);
    base_free(head);
}

/* Where reading goes on in the middle: what stands before it, for the tail. */
static void read_tail(struct reading *in, uint64_t offset)
{
    size_t n = offset < sizeof in->tail ? (size_t)offset : sizeof in->tail;
    ssize_t got = pread(in->fd, in->tail, n, (off_t)(offset - n));
    in->tail_n = got > 0 ? (size_t)got : 0;
}

bool sensor_is_packed(int fd)
{
    char head[SENSOR_PACKED_HEAD];
    ssize_t n = pread(fd, head, sizeof head, 0);
    return n > 0 && sensor_packed((struct str){head, (size_t)n});
}

bool sensor_text_hash(int fd, uint64_t offset, size_t n, uint64_t *out)
{
    char text[LIMIT_SENSOR_TAIL_BYTES];
    must(n <= sizeof text);
    bool ok = sensor_is_packed(fd) ? sensor_unpack_at(fd, offset, text, n)
                                   : pread(fd, text, n, (off_t)offset) == (ssize_t)n;
    if (ok)
        *out = str_hash((struct str){text, n}, 0);
    return ok;
}

bool sensor_scan_opened(const struct sensor_scan *s, const struct sensor_opened *o,
                        struct sensor_end *end, struct err *e)
{
    int fd = o->fd;
    uint64_t skip = 0;
    struct sensor_place from = {.line = 1};
    if (s->begin)
        s->begin(s->ctx, str_of(o->input), fd, o->came_later, &from);
    if (from.offset && sensor_is_packed(fd)) {
        skip = from.offset;
        from = (struct sensor_place){.line = 1};
    }
    if (from.offset && lseek(fd, (off_t)from.offset, SEEK_SET) < 0)
        return err_errno(e, "cannot read on in", o->input);
    struct stat st;
    struct reading in = {.scan = s,
                         .input = str_of(o->input),
                         .fd = fd,
                         .opened = o,
                         .skip = skip,
                         .regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode),
                         .first = from.offset == 0,
                         .rest_base = from.offset,
                         .line = from.line};
    in.context = s->context_bytes ? s->context_bytes : (size_t)2 * LIMIT_OBSERVABLE_BYTES;
    in.room = 2 * in.context + (s->block_bytes ? s->block_bytes : LIMIT_SENSOR_BLOCK_BYTES);
    pthread_mutex_init(&in.lock, NULL);
    pthread_cond_init(&in.turned, NULL);
    if (from.offset) {
        read_header(&in);
        read_tail(&in, from.offset);
    }
    bool ok = scan_with(&in, thread_count(s, fd), e);
    if (ok && in.capture)
        ok =
            sensor_capture_scan(s, fd, (struct str){in.rest, in.rest_n}, o->input, &in.told_all, e);
    end->is_text = !in.capture && !in.unpack;
    base_free(in.rest);
    buf_done(&in.header);
    sensor_unpack_free(in.unpack);
    pthread_cond_destroy(&in.turned);
    pthread_mutex_destroy(&in.lock);
    ok = ok && sensor_scan_intact(s, e);
    end->reached = ok && in.told_all;
    return ok;
}

bool sensor_scan_input(const struct sensor_scan *s, const char *input, bool *to_end, struct err *e)
{
    struct stat st;
    struct sensor_end end = {0};
    struct sensor_opened o = {.fd = STDIN_FILENO, .input = input};
    bool ok, is_stdin = strcmp(input, "-") == 0;
    if (!is_stdin)
        o.fd = open(input, O_RDONLY | O_CLOEXEC);
    if (o.fd < 0)
        return err_errno(e, "cannot open", input);
    if (fstat(o.fd, &st) != 0) {
        ok = err_errno(e, "cannot look at", input);
    } else if (!is_stdin && S_ISDIR(st.st_mode)) {
        ok = err_set(e, ERR_IO, "cannot read %s: it is a directory in which there is no file",
                     input);
    } else {
        if (!is_stdin)
            (void)posix_fadvise(o.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        ok = sensor_scan_opened(s, &o, &end, e);
    }
    if (!is_stdin)
        close(o.fd);
    if (ok)
        *to_end = end.reached;
    return ok;
}
