/*
 * pcapng (draft-ietf-opsawg-pcapng), read by ourselves: libpcap refuses files whose interfaces
 * differ in link type or snapshot length, which is how a capture on several of them looks.
 *
 *     block      type 4, total length 4, body, total length 4; numbers in the section's byte order
 *     section    type 0x0A0D0D0A; byte-order magic 4, version 4, section length 8, options
 *     interface  type 1; link type 2, reserved 2, snapshot length 4, options
 *     packet     type 6 (enhanced): interface 4, time 8, captured 4, original 4, bytes
 *                type 2 (obsolete): interface 2, drops 2, then the same
 *                type 3 (simple): original 4, bytes
 *     option     code 2, length 2, value, padded to 4; 9: resolution of times, 14: their offset
 */
#include "packet/capture_priv.h"

#define BLOCK_SECTION   0x0A0D0D0Au
#define BLOCK_INTERFACE 1u
#define BLOCK_OLD       2u
#define BLOCK_SIMPLE    3u
#define BLOCK_PACKET    6u
#define MAGIC           0x1A2B3C4Du
#define BLOCK_BYTES     12u /* without body; and with a section's magic */
#define OPTION_END      0u
#define OPTION_RESOLVE  9u
#define OPTION_OFFSET   14u
#define OFFSET_MOST     ((int64_t)1 << 31) /* seconds */

struct interface {
    int link;
    uint32_t snap;
    uint64_t units; /* a second */
    int64_t offset_us;
};

struct pcapng {
    struct input *in;
    bool swapped, begun;
    struct interface *interfaces;
    size_t count, room;
};

struct pcapng *pcapng_new(struct input *in)
{
    struct pcapng *g = base_alloc(sizeof *g);
    if (g)
        g->in = in;
    return g;
}

void pcapng_free(struct pcapng *g)
{
    if (!g)
        return;
    base_free(g->interfaces);
    base_free(g);
}

/* Numbers in the order of the section. */
static uint32_t get32(const struct pcapng *g, struct cursor *c)
{
    uint32_t v = cursor_u32(c);
    return g->swapped ? __builtin_bswap32(v) : v;
}

static uint16_t get16(const struct pcapng *g, struct cursor *c)
{
    uint16_t v = cursor_u16(c);
    return g->swapped ? __builtin_bswap16(v) : v;
}

/* False: it ends before n bytes. */
static bool has(struct pcapng *g, size_t n, struct err *e)
{
    if (!input_want(g->in, n, e))
        return false;
    return input_left(g->in) >= n || err_set(e, ERR_INVALID, "it ends within a block");
}

/* The order of a section is known only from its magic, behind its length. */
static bool order_learn(struct pcapng *g, const unsigned char *magic, struct err *e)
{
    struct cursor c = cursor_of(magic, 4);
    uint32_t v = cursor_u32(&c);
    if (v != MAGIC && __builtin_bswap32(v) != MAGIC)
        return err_set(e, ERR_INVALID, "a section without its byte-order magic");
    g->swapped = v != MAGIC;
    g->begun = true;
    g->count = 0;
    return true;
}

/* Goes past a block; its body is in *body until the next one. */
static bool block_read(struct pcapng *g, uint32_t *type, struct cursor *body, struct err *e)
{
    if (!has(g, BLOCK_BYTES, e))
        return false;
    struct cursor c = cursor_of(input_next(g->in), BLOCK_BYTES);
    if (cursor_u32(&c) == BLOCK_SECTION && !order_learn(g, c.p + 4, e)) /* the same either way */
        return false;
    c = cursor_of(input_next(g->in), BLOCK_BYTES);
    *type = get32(g, &c);
    size_t length = get32(g, &c);
    if (!g->begun || length < BLOCK_BYTES || length % 4 || length > LIMIT_PACKET_BLOCK_BYTES)
        return err_set(e, ERR_INVALID, "a block of %zu bytes", length);
    if (!has(g, length, e))
        return false;
    *body = cursor_of(input_next(g->in) + 8, length - BLOCK_BYTES);
    g->in->at += length;
    return true;
}

static void options_read(const struct pcapng *g, struct interface *i, struct cursor c)
{
    while (c.n >= 4) {
        uint16_t code = get16(g, &c);
        size_t length = get16(g, &c);
        struct cursor value = cursor_take(&c, length);
        size_t padding = (4 - length % 4) % 4;
        cursor_skip(&c, padding < c.n ? padding : c.n);
        if (code == OPTION_END || value.bad)
            return;
        if (code == OPTION_RESOLVE && value.n == 1) {
            unsigned power = value.p[0] & 0x7f;
            bool binary = value.p[0] & 0x80;
            i->units = 1;
            for (unsigned k = 0; k < power && i->units < UINT64_MAX / 20; k++)
                i->units *= binary ? 2 : 10;
        } else if (code == OPTION_OFFSET && value.n == 8) {
            uint32_t a = get32(g, &value), b = get32(g, &value);
            int64_t s = (int64_t)(g->swapped ? (uint64_t)b << 32 | a : (uint64_t)a << 32 | b);
            i->offset_us = s > -OFFSET_MOST && s < OFFSET_MOST ? s * 1000000 : 0;
        }
    }
}

static bool interface_read(struct pcapng *g, struct cursor c, struct err *e)
{
    struct interface i = {.units = 1000000};
    void *all = g->interfaces;
    i.link = get16(g, &c);
    get16(g, &c);
    i.snap = get32(g, &c);
    options_read(g, &i, c);
    if (g->count == LIMIT_PACKET_INTERFACES)
        return err_set(e, ERR_LIMIT, "over %d interfaces", LIMIT_PACKET_INTERFACES);
    if (!base_grow(&all, &g->room, g->count + 1, sizeof i))
        return err_set(e, ERR_MEMORY, "no memory for an interface");
    g->interfaces = all;
    g->interfaces[g->count++] = i;
    return true;
}

static int64_t time_of(const struct interface *i, uint64_t t)
{
    uint64_t s = t / i->units, rest = t % i->units;
    if (s > INT64_MAX / 2000000)
        return 0;
    int64_t us = (int64_t)((double)rest * 1e6 / (double)i->units);
    if (i->units <= 1000000000)
        us = (int64_t)(rest * 1000000 / i->units);
    return (int64_t)s * 1000000 + us + i->offset_us;
}

/* False when the block names no interface, or holds less than it says. */
static bool packet_read(const struct pcapng *g, uint32_t type, struct cursor c,
                        struct packet_frame *f)
{
    size_t number = 0;
    uint64_t when = 0;
    if (type == BLOCK_PACKET)
        number = get32(g, &c);
    else if (type == BLOCK_OLD) {
        number = get16(g, &c);
        get16(g, &c);
    }
    if (number >= g->count)
        return false;
    const struct interface *i = &g->interfaces[number];
    size_t captured = SIZE_MAX;
    if (type != BLOCK_SIMPLE) {
        when = (uint64_t)get32(g, &c) << 32;
        when |= get32(g, &c);
        captured = get32(g, &c);
    }
    f->wire_bytes = get32(g, &c);
    if (type == BLOCK_SIMPLE)
        captured = f->wire_bytes < c.n ? f->wire_bytes : c.n;
    if (type == BLOCK_SIMPLE && i->snap && captured > i->snap) /* what is behind is padding */
        captured = i->snap;
    struct cursor bytes = cursor_take(&c, captured);
    f->p = bytes.p;
    f->n = bytes.n;
    f->link = i->link;
    f->time_us = time_of(i, when);
    return !bytes.bad;
}

/* What an enhanced packet block that comes next holds, as far as it has been read. */
static void look_ahead(const struct pcapng *g, struct packet_frame *f)
{
    struct cursor c = cursor_of(input_next(g->in), input_left(g->in));
    uint32_t type = get32(g, &c);
    cursor_skip(&c, 16);
    size_t captured = get32(g, &c);
    cursor_skip(&c, 4);
    cursor_cut(&c, captured);
    f->ahead = type == BLOCK_PACKET ? c.p : NULL;
    f->ahead_n = type == BLOCK_PACKET ? c.n : 0;
}

enum packet_read pcapng_next(struct pcapng *g, struct packet_frame *f, struct err *e)
{
    uint32_t type;
    struct cursor body;
    for (;;) {
        if (!input_want(g->in, BLOCK_BYTES, e))
            return PACKET_READ_FAILED;
        if (input_left(g->in) == 0)
            return PACKET_READ_END;
        if (!block_read(g, &type, &body, e))
            return PACKET_READ_FAILED;
        if (type == BLOCK_INTERFACE && !interface_read(g, body, e))
            return PACKET_READ_FAILED;
        if (type != BLOCK_PACKET && type != BLOCK_SIMPLE && type != BLOCK_OLD)
            continue;
        if (packet_read(g, type, body, f)) {
            look_ahead(g, f);
            return PACKET_READ_FRAME;
        }
        err_set(e, ERR_INVALID, "a packet block that is too short or of no interface");
        return PACKET_READ_FAILED;
    }
}
