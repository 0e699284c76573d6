/*
 * The start of TCP streams, one direction each: enough to see whom a client speaks to. A stream is
 * remembered from its SYN, or from a segment that looks like the start of a request, until that is
 * whole or turns out to be something else; then it is forgotten, so that the table holds only what
 * is young. Segments may come in any order; where they overlap the first to come counts.
 */
#include "packet/packet_priv.h"

#define WAYS        4
#define SETS        (LIMIT_PACKET_STREAMS / WAYS)
#define FIRST_BYTES 2048u
#define PORT_DNS    53

struct piece {
    uint32_t start, end;
};

struct stream {
    int64_t since_us;
    uint32_t base; /* sequence number of the first byte */
    uint32_t told; /* so many bytes are of messages that were told */
    uint32_t room;
    unsigned char *p;
    unsigned piece_count;
    struct piece pieces[LIMIT_PACKET_STREAM_PIECES]; /* in order, with gaps between them */
};

struct streams {
    size_t bytes;
    /* Seeded hashes of addresses, ports and tunnel; 0: unused. Apart, because most segments are of
     * streams that are not here: looking for those takes one line of the cache. */
    uint64_t keys[SETS * WAYS];
    struct stream all[SETS * WAYS];
};

struct streams *streams_new(void)
{
    return base_alloc(sizeof(struct streams));
}

void streams_free(struct streams *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < SETS * WAYS; i++)
        base_free(s->all[i].p);
    base_free(s);
}

static void forget(struct streams *all, struct stream *s)
{
    base_free(s->p);
    all->bytes -= s->room;
    memset(s, 0, sizeof *s);
    all->keys[s - all->all] = 0;
}

static uint64_t key_of(const struct walk *w, const struct packet_ip *ip)
{
    uint64_t h = address_hash(&ip->src, w->d->seed ^ walk_scope(w));
    h = address_hash(&ip->dst, h);
    return mix64(h, (uint64_t)ip->src_port << 16 | ip->dst_port) | 1;
}

static struct stream *find(struct streams *all, uint64_t key)
{
    size_t set = (key >> 1) % SETS * WAYS;
    for (size_t k = set; k < set + WAYS; k++)
        if (all->keys[k] == key)
            return &all->all[k];
    return NULL;
}

/* A place for a new stream: its own, a free one, or the oldest's. */
static struct stream *place(struct walk *w, uint64_t key, uint32_t base)
{
    struct streams *all = w->d->streams;
    size_t set = (key >> 1) % SETS * WAYS, at = set;
    for (size_t k = set; k < set + WAYS; k++) {
        if (all->keys[k] == key || !all->keys[k]) {
            at = k;
            break;
        }
        if (all->all[k].since_us < all->all[at].since_us)
            at = k;
    }
    struct stream *s = &all->all[at];
    if (s->piece_count && all->keys[at] != key)
        walk_anomaly(w, PACKET_STREAM_LOST);
    forget(all, s);
    all->keys[at] = key;
    s->since_us = w->frame->time_us;
    s->base = base;
    return s;
}

/* RFC 7766 §8: each message has its length before it. What follows a whole one may come byte by
 * byte, and that one is told once. */
static enum stream_want dns_read(struct walk *w, struct cursor c, uint32_t *told)
{
    for (uint32_t end = 0; c.n >= 2;) {
        size_t length = (size_t)c.p[0] << 8 | c.p[1];
        if (length > c.n - 2)
            return STREAM_MORE;
        cursor_skip(&c, 2);
        struct cursor message = cursor_take(&c, length);
        end += 2 + (uint32_t)length;
        if (end <= *told)
            continue;
        dns_decode(w, message);
        *told = end;
    }
    return c.n ? STREAM_MORE : STREAM_DONE;
}

static enum stream_want start_read(struct walk *w, const struct packet_ip *ip, struct cursor c,
                                   uint32_t *told)
{
    if (ip->src_port == PORT_DNS || ip->dst_port == PORT_DNS)
        return dns_read(w, c, told);
    enum stream_want want = tls_read(w, c);
    return want == STREAM_NOT ? http_read(w, c) : want;
}

static bool make_room(struct streams *all, struct stream *s, uint32_t need)
{
    uint32_t room = s->room ? s->room : FIRST_BYTES;
    while (room < need)
        room *= 2;
    if (room == s->room)
        return true;
    if (all->bytes - s->room > LIMIT_PACKET_STREAMS_BYTES - room)
        return false;
    unsigned char *p = base_realloc(s->p, room);
    if (!p)
        return false;
    all->bytes += room - s->room;
    s->p = p;
    s->room = room;
    return true;
}

/* Joins what touches: pieces are few. */
static void merge(struct stream *s)
{
    size_t n = 0;
    for (size_t i = 1; i < s->piece_count; i++) {
        if (s->pieces[i].start <= s->pieces[n].end) {
            if (s->pieces[i].end > s->pieces[n].end)
                s->pieces[n].end = s->pieces[i].end;
        } else {
            s->pieces[++n] = s->pieces[i];
        }
    }
    s->piece_count = (unsigned)n + 1;
}

/* Copies bytes to where no piece is yet. */
static void copy_gaps(struct stream *s, uint32_t at, const unsigned char *p, uint32_t n)
{
    uint32_t end = at + n, from = at;
    for (size_t i = 0; i <= s->piece_count && from < end; i++) {
        uint32_t start = i < s->piece_count ? s->pieces[i].start : end;
        uint32_t until = start < end ? start : end;
        if (from < until)
            memcpy(s->p + from, p + (from - at), until - from);
        if (i < s->piece_count && s->pieces[i].end > from)
            from = s->pieces[i].end;
    }
}

/* False when it does not fit. */
static bool keep(struct streams *all, struct stream *s, uint32_t at, struct cursor c)
{
    if (at >= LIMIT_PACKET_STREAM_BYTES || s->piece_count == LIMIT_PACKET_STREAM_PIECES)
        return false;
    uint32_t left = LIMIT_PACKET_STREAM_BYTES - at, n = c.n < left ? (uint32_t)c.n : left;
    if (!make_room(all, s, at + n))
        return false;
    copy_gaps(s, at, c.p, n);
    size_t i = s->piece_count++;
    for (; i > 0 && s->pieces[i - 1].start > at; i--)
        s->pieces[i] = s->pieces[i - 1];
    s->pieces[i] = (struct piece){at, at + n};
    merge(s);
    return true;
}

/* A segment of a stream that is remembered. */
static void go_on(struct walk *w, struct stream *s, const struct segment *g)
{
    struct streams *all = w->d->streams;
    struct cursor c = g->payload;
    uint32_t at = g->sequence - s->base;
    if (at >= 0x80000000u) { /* it starts before: repeated, or a keep-alive's old byte */
        uint32_t before = s->base - g->sequence;
        if (before >= c.n)
            return;
        cursor_skip(&c, before);
        at = 0;
    }
    enum stream_want want = STREAM_MORE;
    if (at == 0 && s->piece_count == 0)
        want = start_read(w, g->ip, c, &s->told);
    if (want == STREAM_MORE) {
        bool kept = keep(all, s, at, c);
        if (kept && s->pieces[0].start == 0 && (at || s->pieces[0].end > c.n))
            want = start_read(w, g->ip, cursor_of(s->p, s->pieces[0].end), &s->told);
        if (!kept || (want == STREAM_MORE && s->pieces[0].end == LIMIT_PACKET_STREAM_BYTES)) {
            walk_anomaly(w, PACKET_STREAM_LOST);
            want = STREAM_NOT;
        }
    }
    if (want != STREAM_MORE)
        forget(all, s);
}

void streams_add(struct walk *w, const struct segment *g)
{
    struct streams *all = w->d->streams;
    bool dns = g->ip->src_port == PORT_DNS || g->ip->dst_port == PORT_DNS;
    uint64_t key = key_of(w, g->ip);
    uint32_t told = 0;
    struct segment rest = *g;
    struct stream *s = NULL;
    if (g->flags & TCP_SYN && (!(g->flags & TCP_ACK) || dns)) {
        s = place(w, key, g->sequence + 1);
        rest.sequence++; /* data may come with it (RFC 7413) */
    } else if (g->payload.n || g->flags & (TCP_FIN | TCP_RST)) {
        s = find(all, key);
    }
    if (s && w->frame->time_us - s->since_us > (int64_t)LIMIT_PACKET_STREAM_S * 1000000) {
        forget(all, s);
        s = NULL;
    }
    if (g->payload.n && s) {
        go_on(w, s, &rest);
    } else if (g->payload.n && start_read(w, g->ip, g->payload, &told) == STREAM_MORE) {
        s = place(w, key, g->sequence);
        s->told = told;
        if (!keep(all, s, 0, g->payload))
            forget(all, s);
    }
    if (g->flags & (TCP_FIN | TCP_RST) && (s = find(all, key)) != NULL)
        forget(all, s);
}
