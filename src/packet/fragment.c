/*
 * Fragments of IP datagrams, put together. Where they overlap the first to come counts, whatever
 * their receiver would do; the overlap is named. A datagram has a place by its hash; when all
 * places of its set are taken the one that began first gives way.
 */
#include "packet/packet_priv.h"

#define WAYS       4
#define SETS       (LIMIT_PACKET_DATAGRAMS / WAYS)
#define DATA_BYTES 65536
#define UNIT       8 /* RFC 791: fragments start at multiples of it */
#define DATA_UNITS (DATA_BYTES / UNIT)

struct datagram {
    bool used;
    struct packet_address src, dst;
    uint32_t id;
    uint64_t scope;
    int64_t since_us;
    unsigned char *p;
    size_t room;
    size_t total; /* known from the last fragment; 0: not yet */
    size_t have;  /* units that are there */
    uint8_t protocol;
    uint8_t units[DATA_UNITS / 8]; /* a bit for each that is there */
};

struct fragments {
    struct datagram *sets[SETS]; /* WAYS of each, made when first needed */
};

struct fragments *fragments_new(void)
{
    return base_alloc(sizeof(struct fragments));
}

void fragments_free(struct fragments *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < SETS; i++) {
        for (size_t k = 0; f->sets[i] && k < WAYS; k++)
            base_free(f->sets[i][k].p);
        base_free(f->sets[i]);
    }
    base_free(f);
}

static void forget(struct datagram *g)
{
    base_free(g->p);
    memset(g, 0, sizeof *g);
}

/* The protocol counts too (RFC 791 §3.2), but in IPv6 only the first fragment's does. */
static bool same(const struct datagram *g, const struct fragment *part)
{
    return g->used && g->id == part->id && g->scope == part->scope &&
           address_eq(&g->src, &part->src) && address_eq(&g->dst, &part->dst) &&
           (g->src.n == 16 || g->protocol == part->protocol);
}

static void begin(struct datagram *g, const struct fragment *part, int64_t now_us)
{
    g->used = true;
    g->src = part->src;
    g->dst = part->dst;
    g->id = part->id;
    g->scope = part->scope;
    g->since_us = now_us;
    g->protocol = part->protocol;
}

static bool too_old(const struct datagram *g, int64_t now_us)
{
    return g->used && now_us - g->since_us > (int64_t)LIMIT_PACKET_FRAGMENT_S * 1000000;
}

/* The datagram that the part belongs to, or a free place for it; NULL without memory. */
static struct datagram *place(struct walk *w, const struct fragment *part)
{
    struct fragments *f = w->d->fragments;
    int64_t now = w->frame->time_us;
    uint64_t h = mix64(address_hash(&part->src, w->d->seed), part->id ^ part->scope);
    struct datagram **set = &f->sets[mix64(address_hash(&part->dst, h), 0) % SETS], *oldest;
    if (!*set)
        *set = base_alloc(WAYS * sizeof **set);
    if (!*set)
        return NULL;
    oldest = *set;
    for (size_t k = 0; k < WAYS; k++) {
        struct datagram *g = *set + k;
        if (too_old(g, now)) {
            walk_anomaly(w, PACKET_FRAGMENT_LOST);
            forget(g);
        }
        if (same(g, part))
            return g;
        if (!g->used || (oldest->used && g->since_us < oldest->since_us))
            oldest = g;
    }
    if (oldest->used) {
        walk_anomaly(w, PACKET_FRAGMENT_LOST);
        forget(oldest);
    }
    begin(oldest, part, now);
    return oldest;
}

static bool make_room(struct datagram *g, size_t need)
{
    if (need <= g->room)
        return true;
    size_t room = need < DATA_BYTES / 2 ? 2 * need : DATA_BYTES;
    unsigned char *p = base_realloc(g->p, room);
    if (!p)
        return false;
    g->p = p;
    g->room = room;
    return true;
}

/* Copies what was not there before, unit by unit. Only the last unit of the datagram may be short:
 * of one elsewhere the rest would never come. */
static bool copy_units(struct datagram *g, const struct fragment *part)
{
    bool overlap = false;
    for (size_t at = 0; at < part->payload.n; at += UNIT) {
        size_t unit = (part->offset + at) / UNIT, n = part->payload.n - at;
        if (n < UNIT && part->offset + part->payload.n != g->total)
            break;
        uint8_t bit = (uint8_t)(1u << unit % 8);
        if (g->units[unit / 8] & bit) {
            overlap = true;
            continue;
        }
        g->units[unit / 8] |= bit;
        g->have++;
        memcpy(g->p + part->offset + at, part->payload.p + at, n < UNIT ? n : UNIT);
    }
    return overlap;
}

/* Units behind the end, of a sender that contradicts itself, do not count. */
static bool is_whole(const struct datagram *g)
{
    size_t need = (g->total + UNIT - 1) / UNIT;
    if (!g->total || g->have < need || g->total > g->room)
        return false;
    for (size_t unit = 0; unit < need; unit++)
        if (!(g->units[unit / 8] & 1u << unit % 8))
            return false;
    return true;
}

bool fragments_add(struct walk *w, const struct fragment *part, unsigned char **out, size_t *n)
{
    size_t end = part->offset + part->payload.n;
    /* All but the last are whole units (RFC 791, RFC 8200 §4.5); a datagram has an end. */
    if (part->payload.n == 0 || end > DATA_BYTES || (part->more && part->payload.n % UNIT)) {
        walk_anomaly(w, PACKET_IP_BAD_HEADER);
        return false;
    }
    struct datagram *g = place(w, part);
    if (!g || !make_room(g, end))
        return false;
    if (part->offset == 0)
        g->protocol = part->protocol;
    if (!part->more && !g->total)
        g->total = end;
    if (copy_units(g, part))
        walk_anomaly(w, PACKET_FRAGMENT_OVERLAP);
    if (!is_whole(g))
        return false;
    *out = g->p;
    *n = g->total;
    g->p = NULL;
    forget(g);
    return true;
}
