/*
 * Requests of PFCP that wait for their answers. The bytes of the latest stand in a ring, each at a
 * place that only grows: what has been written over is known by its place. Peers that have an
 * association and all others have tables of their own, so that strangers push out no peer's.
 */
#include "packet/pfcp_priv.h"
#include "packet/rules_priv.h"

#define WAYS 4
#define SETS (LIMIT_PACKET_ASKED / WAYS)
#define RING LIMIT_PACKET_ASKED_BYTES

struct request {
    uint64_t key;   /* a seeded hash of who asked whom, and by which message; 0: none */
    uint64_t place; /* of its bytes */
    int64_t time_us;
    uint32_t n;
    bool answered;
};

struct table {
    uint64_t end; /* place behind the last byte */
    struct request all[SETS * WAYS];
    unsigned char ring[RING];
};

struct asked {
    struct table peers, others;
};

struct asked *asked_new(void)
{
    return base_alloc(sizeof(struct asked));
}

void asked_free(struct asked *a)
{
    base_free(a);
}

static uint64_t key_of(const struct walk *w, const struct packet_address *asker,
                       const struct packet_address *of, uint8_t type, uint32_t sequence)
{
    uint64_t h = address_hash(of, address_hash(asker, w->d->seed));
    return mix64(h, (uint64_t)type << 32 | sequence) | 1;
}

static struct request *set_of(struct table *a, uint64_t key)
{
    return &a->all[(key >> 1) % SETS * WAYS];
}

static bool is_fresh(const struct walk *w, const struct request *r)
{
    return w->frame->time_us - r->time_us <= (int64_t)LIMIT_PACKET_ANSWER_S * 1000000;
}

/* The same request, or the place of the oldest. */
static struct request *request_find(struct table *a, uint64_t key)
{
    struct request *set = set_of(a, key), *oldest = set;
    for (size_t k = 0; k < WAYS; k++) {
        if (set[k].key == key)
            return &set[k];
        if (set[k].time_us < oldest->time_us)
            oldest = &set[k];
    }
    return oldest;
}

static bool is_kept(const struct table *a, const struct request *r)
{
    return a->end - r->place <= RING;
}

static uint64_t ring_put(struct table *a, const unsigned char *p, uint32_t n)
{
    uint64_t place = a->end;
    if (place % RING + n > RING) /* in one piece */
        place += RING - place % RING;
    memcpy(a->ring + place % RING, p, n);
    a->end = place + n;
    return place;
}

void asked_put(struct walk *w, const struct pfcp_message *m, struct cursor bytes)
{
    const struct peer *asker = peer_find(w->d->rules, &w->ip->src);
    struct table *a = asker && asker->associated ? &w->d->asked->peers : &w->d->asked->others;
    uint64_t key = key_of(w, &w->ip->src, &w->ip->dst, m->type, m->sequence);
    struct request *r = request_find(a, key);
    if (r->key == key && is_fresh(w, r) && is_kept(a, r) && r->n == bytes.n &&
        memcmp(a->ring + r->place % RING, bytes.p, bytes.n) == 0)
        return; /* sent again: it has been answered, or will be */
    *r = (struct request){.key = key, .time_us = w->frame->time_us, .n = bytes.n};
    r->place = ring_put(a, bytes.p, bytes.n);
}

static bool take(struct walk *w, struct table *a, uint64_t key, struct cursor *request)
{
    struct request *r = request_find(a, key);
    if (r->key != key || r->answered || !is_fresh(w, r) || !is_kept(a, r))
        return false;
    r->answered = true;
    *request = cursor_of(a->ring + r->place % RING, r->n);
    return true;
}

bool asked_take(struct walk *w, const struct pfcp_message *m, struct cursor *request)
{
    uint64_t key = key_of(w, &w->ip->dst, &w->ip->src, (uint8_t)(m->type - 1), m->sequence);
    return take(w, &w->d->asked->peers, key, request) ||
           take(w, &w->d->asked->others, key, request);
}
