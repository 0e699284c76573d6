/*
 * From a capture to alerts: addresses, names and URLs that `packet` finds are looked for in the
 * same set as the text of logs, and what its rules say of signalling is handed on.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "sensor/sensor_priv.h"

/* Different hits of one frame that are remembered, so that each is told once. */
#define FRAME_HITS 64
/* Addresses in which nothing was found, remembered for so many frames. */
#define QUIET        8192 /* of IPv4, of which little memory is looked at; a power of two */
#define QUIET_LONG   8192 /* others, likewise */
#define QUIET_FRAMES (1u << 20)
#define BLOCK_FRAMES 4096u

struct capture {
    const struct sensor_scan *scan;
    struct packet_decoder *d;
    const char *const *inputs; /* by a frame's source */
    size_t input_count;
    uint64_t frames;
    int64_t last_us; /* the latest time of the frames before */
    uint64_t bytes;
    bool stop, waits; /* waits: what is found is told before more is read */
    bool told;        /* something of this frame */
    const struct packet_event *event;
    struct str text; /* that is looked at */
    size_t at;       /* where it starts in the frame */
    unsigned source; /* of the frame */
    const char *field;
    uint64_t hits[FRAME_HITS];
    size_t hit_count;
    bool found;     /* in the text that was looked at last */
    int64_t now_us; /* of the clock */
    char time_text[INSTANT_TEXT_BYTES];
    uint64_t seed;
    unsigned char key[CRYPT_KEY_BYTES]; /* of handles */
    uint32_t quiet[QUIET];              /* the address and 1, so that 0 is none */
    struct packet_address quiet_long[QUIET_LONG];
    struct sensor_hold hold; /* while frames are decoded */
};

static struct str time_of(struct capture *c, int64_t us)
{
    return instant_text(instant_of_us(us), 6, c->time_text);
}

/* Was the same told of this frame already? */
static bool told_before(struct capture *c, const struct match_hit *h, struct str id)
{
    uint64_t key = str_hash(h->observable, str_hash(id, c->seed + h->kind));
    key ^= (uint64_t)h->relation + 1;
    for (size_t i = 0; i < c->hit_count; i++)
        if (c->hits[i] == key)
            return true;
    if (c->hit_count < FRAME_HITS)
        c->hits[c->hit_count++] = key;
    return false;
}

static bool on_hit(void *ctx, const struct match_hit *h)
{
    struct capture *c = ctx;
    const struct match_indicator m = match_set_get(c->hold.set, h->indicator);
    size_t inside = (size_t)(h->seen.p - c->text.p);
    c->found = true;
    if (told_before(c, h, m.id))
        return true;
    struct sensor_alert a = {.input = str_of(c->inputs[c->source]),
                             .time = time_of(c, c->event->time_us),
                             .time_us = c->event->time_us,
                             .frame = c->event->frame,
                             .offset = c->at == PACKET_NOWHERE ? UINT64_MAX : c->at + inside,
                             .field = c->field,
                             .gpdu = c->event->gpdu,
                             .hit = h,
                             .indicator = &m};
    c->told = true;
    const struct sensor_span *span = c->scan->span;
    if (span && (a.time_us < span->from_us || a.time_us >= span->until_us))
        return true;
    c->stop = !c->scan->alert(c->scan->ctx, &a);
    return !c->stop;
}

static void look(struct capture *c, struct str text, size_t at, const char *field)
{
    c->text = text;
    c->at = at;
    c->field = field;
    c->found = false;
    if (!c->stop)
        match_scan(c->hold.set, text, c->scan->as_of_us ? *c->scan->as_of_us : c->now_us, on_hit,
                   c);
}

/* True: nothing was found. */
static bool look_address(struct capture *c, const struct packet_address *a, const char *field)
{
    char text[PACKET_ADDRESS_TEXT];
    look(c, packet_address_text(a, text), PACKET_NOWHERE, field);
    return !c->found;
}

/* What is asked of every packet is kept short: the rest stays out of it. */
#define RARE static __attribute__((noinline))

static uint32_t v4_of(const struct packet_address *a)
{
    uint32_t v4;
    memcpy(&v4, a->b, sizeof v4);
    return v4;
}

static uint32_t *quiet_place(struct capture *c, uint32_t v4)
{
    return &c->quiet[(v4 ^ c->seed) * 0x9E3779B97F4A7C15u >> 40 & (QUIET - 1)];
}

RARE bool on_address_v4(struct capture *c, const struct packet_address *a, const char *field)
{
    if (!look_address(c, a, field))
        return false;
    *quiet_place(c, v4_of(a)) = v4_of(a) + 1;
    return true;
}

RARE bool on_address_long(struct capture *c, const struct packet_address *a, const char *field)
{
    uint64_t w[2];
    memcpy(w, a->b, sizeof w);
    uint64_t hash = ((w[0] ^ c->seed) * 0x9E3779B97F4A7C15u) ^ w[1] * 0xC2B2AE3D27D4EB4Fu;
    struct packet_address *q = &c->quiet_long[hash >> 32 & (QUIET_LONG - 1)];
    if (q->n == a->n && memcmp(q->b, a->b, sizeof q->b) == 0)
        return true;
    if (!look_address(c, a, field))
        return false;
    *q = *a;
    return true;
}

/* Most addresses come again and again. True: nothing was found. */
static inline bool on_address(struct capture *c, const struct packet_address *a, const char *field)
{
    if (a->n != 4)
        return on_address_long(c, a, field);
    uint32_t q = *quiet_place(c, v4_of(a));
    return (q != 0 && q == v4_of(a) + 1) || on_address_v4(c, a, field);
}

/* A URL's bytes were put together; a name stands in the frame in another form: only its start is
 * known. */
static void on_text(struct capture *c, const struct packet_text *t)
{
    look(c, t->text, t->field == PACKET_TLS_SNI ? t->at : PACKET_NOWHERE,
         packet_field_name(t->field));
}

static void on_signal(struct capture *c, const struct packet_alert *a)
{
    struct sensor_signal s = {str_of(c->inputs[a->source]), time_of(c, a->time_us), a};
    const struct sensor_span *span = c->scan->span;
    c->told = true;
    if (span && (a->time_us < span->from_us || a->time_us >= span->until_us))
        return;
    if (!c->stop)
        c->stop = !c->scan->signal(c->scan->ctx, &s);
}

RARE void on_other(struct capture *c, const struct packet_event *v)
{
    if (v->kind == PACKET_EVENT_TEXT)
        on_text(c, v->text);
    else if (v->kind == PACKET_EVENT_ALERT && c->scan->signal)
        on_signal(c, v->alert);
}

static bool on_event(void *ctx, const struct packet_event *v)
{
    struct capture *c = ctx;
    c->event = v;
    if (v->kind == PACKET_EVENT_IP) {
        bool quiet = on_address(c, &v->ip->src, "source");
        return on_address(c, &v->ip->dst, "destination") && quiet;
    }
    on_other(c, v);
    return false;
}

/* ---- reading ----------------------------------------------------------------------------- */

static void block(struct capture *c)
{
    c->now_us = now_us();
    c->told = false;
    struct err ignored; /* whoever called finds it */
    if (!sensor_scan_intact(c->scan, &ignored))
        c->stop = true;
    if (c->scan->block && !c->scan->block(c->scan->ctx, c->bytes))
        c->stop = true;
}

static bool interrupted(void *ctx)
{
    struct capture *c = ctx;
    block(c);
    return c->stop;
}

static void quiet_forget(struct capture *c)
{
    memset(c->quiet, 0, sizeof c->quiet);
    memset(c->quiet_long, 0, sizeof c->quiet_long);
    packet_tell_again(c->d);
}

static void frame(struct capture *c, const struct packet_frame *f)
{
    c->hit_count = 0;
    c->bytes += f->n;
    c->source = f->source;
    uint64_t before = c->hold.number;
    c->hold = sensor_hold_set(c->scan);
    if (++c->frames % QUIET_FRAMES == 0 || c->hold.number != before)
        quiet_forget(c);
    packet_decode(c->d, f);
    sensor_let_go(c->scan, &c->hold);
    if ((c->waits && c->told) || c->frames % BLOCK_FRAMES == 0)
        block(c);
}

static bool decoder_begin(struct capture *c, struct err *e)
{
    const struct sensor_scan *s = c->scan;
    struct packet_options o = {.rules = s->signal != NULL,
                               .config = s->config,
                               .passed_over = 1u << PACKET_EVENT_GPDU | 1u << PACKET_EVENT_MESSAGE |
                                              1u << PACKET_EVENT_ANOMALY,
                               .event = on_event,
                               .ctx = c};
    memcpy(o.key, c->key, sizeof o.key);
    return packet_decoder_new(&o, &c->d, e);
}

static void decoder_end(struct capture *c)
{
    char name[64];
    snprintf(name, sizeof name, "%zu captures", c->input_count);
    c->hold = sensor_hold_set(c->scan);
    packet_decode_end(c->d);
    sensor_let_go(c->scan, &c->hold);
    if (c->scan->figures)
        c->scan->figures(c->scan->ctx, str_of(c->input_count > 1 ? name : c->inputs[0]),
                         packet_figures(c->d));
    packet_decoder_free(c->d);
    c->d = NULL;
}

/* Captures of different days are of different networks as likely as of one, where addresses and
 * identifiers stand for something else. */
static bool day_passed(struct capture *c, const struct packet_frame *f, struct err *e)
{
    int64_t before = c->last_us;
    if (c->frames && f->time_us <= before)
        return true;
    c->last_us = f->time_us;
    if (c->frames == 0 || f->time_us - before <= (int64_t)LIMIT_PACKET_SESSION_S * 1000000)
        return true;
    decoder_end(c);
    return decoder_begin(c, e);
}

static bool read_frames(struct capture *c, struct packet_capture *from, struct err *e)
{
    struct packet_frame f;
    enum packet_read r = PACKET_READ_IDLE;
    while (!c->stop && (r == PACKET_READ_FRAME || r == PACKET_READ_IDLE)) {
        r = packet_capture_next(from, &f, e);
        if (r == PACKET_READ_FRAME)
            frame(c, &f);
        else if (r == PACKET_READ_IDLE)
            block(c);
    }
    return c->stop || r == PACKET_READ_END;
}

static bool read_together(struct capture *c, struct sensor_captures *from, struct err *e)
{
    struct packet_frame f;
    enum packet_read r = PACKET_READ_IDLE;
    while (!c->stop && r != PACKET_READ_END) {
        r = sensor_captures_next(from, &f, e);
        if (r == PACKET_READ_FRAME && !day_passed(c, &f, e))
            return false;
        if (r == PACKET_READ_FRAME)
            frame(c, &f);
        else if (r == PACKET_READ_FAILED)
            c->scan->lost(c->scan->ctx, e);
    }
    return true;
}

/* Of `one`, or of several. */
static bool scan(struct capture *c, struct packet_capture *one, struct sensor_captures *several,
                 bool *to_end, struct err *e)
{
    const struct sensor_scan *s = c->scan;
    if (s->handle_key)
        memcpy(c->key, s->handle_key, sizeof c->key);
    else
        base_random(c->key, sizeof c->key);
    base_random(&c->seed, sizeof c->seed);
    c->now_us = now_us();
    if (!decoder_begin(c, e))
        return false;
    bool ok = one ? read_frames(c, one, e) : read_together(c, several, e);
    bool stopped = c->stop;
    if (c->d)
        decoder_end(c);
    block(c);
    *to_end = !stopped;
    return ok;
}

static struct capture *capture_new(const struct sensor_scan *s, const char *const *inputs,
                                   size_t count, struct err *e)
{
    struct capture *c = base_alloc(sizeof *c);
    if (!c) {
        (void)err_set(e, ERR_MEMORY, "no memory to read %s", inputs[0]);
        return NULL;
    }
    c->scan = s;
    c->inputs = inputs;
    c->input_count = count;
    return c;
}

bool sensor_scan_captures(const struct sensor_scan *s, const char *const *inputs, size_t count,
                          bool *to_end, struct err *e)
{
    struct sensor_captures *from = NULL;
    must(count > 0 && s->lost);
    struct capture *c = capture_new(s, inputs, count, e);
    bool ok = c && sensor_captures_new(inputs, count, &from, e);
    if (ok) {
        sensor_captures_stop(from, interrupted, c);
        ok = scan(c, NULL, from, to_end, e) && sensor_scan_intact(s, e);
    }
    sensor_captures_free(from);
    base_free(c);
    return ok;
}

bool sensor_capture_scan(const struct sensor_scan *s, int fd, struct str head, const char *input,
                         bool *to_end, struct err *e)
{
    struct packet_capture *from = NULL;
    struct stat st;
    struct capture *c = capture_new(s, &input, 1, e);
    if (!c)
        return false;
    c->waits = fstat(fd, &st) != 0 || !S_ISREG(st.st_mode);
    bool ok = packet_capture_open(fd, head, input, &from, e);
    if (ok) {
        packet_capture_stop(from, interrupted, c);
        ok = scan(c, from, NULL, to_end, e);
    }
    packet_capture_close(from);
    base_free(c);
    return ok;
}

bool sensor_scan_interface(const struct sensor_scan *s, const char *name, bool *to_end,
                           struct err *e)
{
    struct packet_capture *from = NULL;
    struct capture *c = capture_new(s, &name, 1, e);
    if (!c)
        return false;
    c->waits = true;
    bool ok = packet_capture_live(name, &from, e) && scan(c, from, NULL, to_end, e) &&
              sensor_scan_intact(s, e);
    packet_capture_close(from);
    base_free(c);
    return ok;
}
