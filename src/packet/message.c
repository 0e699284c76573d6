/*
 * Messages that SCTP carries in several DATA chunks (RFC 9260 §6.9), put together: their TSNs
 * follow one another. Chunks that come before those in front of them are not waited for: the
 * message is given up, and that is named.
 */
#include "packet/packet_priv.h"

#define WAYS 4
#define SETS (LIMIT_PACKET_MESSAGES / WAYS)

#define LAST  1u /* flag E */
#define FIRST 2u /* flag B */

struct message {
    uint64_t key;  /* a seeded hash of addresses, ports and stream; 0: unused */
    uint32_t next; /* TSN */
    int64_t since_us;
    size_t n;
    unsigned char *p; /* LIMIT_PACKET_MESSAGE_BYTES */
};

struct messages {
    struct message all[SETS * WAYS];
};

struct messages *messages_new(void)
{
    return base_alloc(sizeof(struct messages));
}

static void forget(struct message *m)
{
    base_free(m->p);
    *m = (struct message){0};
}

void messages_free(struct messages *all)
{
    for (size_t i = 0; all && i < SETS * WAYS; i++)
        forget(&all->all[i]);
    base_free(all);
}

static uint64_t key_of(const struct walk *w, uint16_t stream)
{
    const struct packet_ip *ip = w->ip;
    uint64_t h = address_hash(&ip->src, w->d->seed);
    h = address_hash(&ip->dst, h);
    h = mix64(h, (uint64_t)ip->src_port << 16 | ip->dst_port);
    return mix64(h, stream) | 1;
}

/* Its place, or the one that began first. */
static struct message *place_of(struct walk *w, uint64_t key)
{
    struct message *set = w->d->messages->all + (key >> 1) % SETS * WAYS, *oldest = set;
    for (size_t k = 0; k < WAYS; k++) {
        if (set[k].key == key)
            return set + k;
        if (!set[k].key || (oldest->key && set[k].since_us < oldest->since_us))
            oldest = set + k;
    }
    return oldest;
}

static void give_up(struct walk *w, struct message *m)
{
    walk_anomaly(w, PACKET_SCTP_FRAGMENT);
    forget(m);
}

static void begin(struct walk *w, struct message *m, uint64_t key, uint32_t tsn)
{
    if (m->key)
        give_up(w, m);
    m->p = base_alloc(LIMIT_PACKET_MESSAGE_BYTES);
    if (m->p) {
        m->key = key;
        m->next = tsn;
        m->since_us = w->frame->time_us;
    }
}

bool messages_add(struct walk *w, const struct sctp_chunk *c, unsigned char **out, size_t *n)
{
    uint64_t key = key_of(w, c->stream);
    struct message *m = place_of(w, key);
    bool ours = m->key == key;
    int64_t age_us = w->frame->time_us - m->since_us;
    if (ours && c->tsn - m->next >= 0x80000000u)
        return false; /* sent again */
    if (ours && age_us > LIMIT_PACKET_FRAGMENT_S * INT64_C(1000000)) {
        give_up(w, m);
        ours = false;
    }
    if (c->flags & FIRST) {
        begin(w, m, key, c->tsn);
        ours = m->key == key;
    }
    if (!ours || c->tsn != m->next || c->payload.n > LIMIT_PACKET_MESSAGE_BYTES - m->n) {
        if (ours)
            give_up(w, m);
        else
            walk_anomaly(w, PACKET_SCTP_FRAGMENT);
        return false;
    }
    memcpy(m->p + m->n, c->payload.p, c->payload.n);
    m->n += c->payload.n;
    m->next++;
    if (!(c->flags & LAST))
        return false;
    *out = m->p;
    *n = m->n;
    m->p = NULL;
    forget(m);
    return true;
}
