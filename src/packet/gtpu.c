/*
 * GTP-U version 1, TS 29.281.
 *
 *     5.1  0  version 3 bits, PT, spare, E, S, PN      5.2.1  length 1, in units of 4 bytes,
 *          1  type                                            itself and the next type included
 *          2  length, of what stands behind byte 8            content
 *          4  TEID 4                                          next type 1
 *          8  sequence 2, N-PDU 1, next type 1
 *             (all four if any of E, S, PN is set)
 *
 *     TS 38.415 5.5.2, PDU Session Container (type 0x85): PDU type 4 bits (0 downlink, 1 uplink),
 *     flags 4; flags 2 bits, QFI 6; more by flags.
 *
 * The length decides nothing about what is looked at: where the user's packet ends its own length
 * says. Who trusts the length of GTP-U alone can be made to look away.
 */
#include <pcap/dlt.h>

#include "packet/gtp_priv.h"
#include "packet/rules_priv.h"
#include "packet/session_priv.h"

#define FLAG_PN        0x01u
#define FLAG_S         0x02u
#define FLAG_E         0x04u
#define FLAG_PT        0x10u
#define EXT_CONTAINER  0x85u
#define CONTAINER_UP   1u
#define CONTAINER_DOWN 0u

struct head {
    uint8_t type;
    bool has_sequence;
    uint16_t sequence;
    uint32_t teid;
    int qfi;
    enum packet_direction direction;
    struct cursor content;
};

static void container_read(struct head *h, struct cursor c)
{
    unsigned kind = cursor_u8(&c) >> 4;
    int qfi = cursor_u8(&c) & 0x3f;
    if (c.bad || kind > CONTAINER_UP)
        return;
    h->qfi = qfi;
    h->direction = kind == CONTAINER_UP ? PACKET_UPLINK : PACKET_DOWNLINK;
}

/* 5.2.1: what is not known is passed over, for a sensor is no endpoint. False: it cannot be. */
static bool extensions_read(struct head *h, uint8_t type, struct cursor *c)
{
    for (unsigned i = 0; type; i++) {
        size_t bytes = cursor_u8(c) * (size_t)4;
        if (bytes == 0 || i == LIMIT_PACKET_GTPU_CHAIN)
            return false;
        struct cursor content = cursor_take(c, bytes - 2);
        if (type == EXT_CONTAINER && !content.bad)
            container_read(h, content);
        type = cursor_u8(c);
        if (c->bad)
            return false;
    }
    return true;
}

/* Version and protocol type, which are not ours to go on with when wrong. */
static bool version_check(struct walk *w, const struct cursor *c)
{
    uint8_t flags = cursor_peek(c, 0);
    if (c->n < 8)
        walk_anomaly(w, PACKET_GTPU_TOO_SHORT);
    else if (flags >> 5 != 1)
        walk_anomaly(w, PACKET_GTPU_NOT_V1);
    else if (!(flags & FLAG_PT))
        walk_anomaly(w, PACKET_GTPU_PRIME);
    else
        return true;
    return false;
}

static bool head_read(struct walk *w, struct cursor c, struct head *h)
{
    *h = (struct head){.qfi = -1};
    uint8_t flags = cursor_u8(&c), next = 0;
    h->type = cursor_u8(&c);
    size_t length = cursor_u16(&c);
    h->teid = cursor_u32(&c);
    if (length > c.n)
        walk_anomaly(w, PACKET_GTPU_LENGTH_OVER);
    else if (length < c.n)
        walk_anomaly(w, PACKET_GTPU_LENGTH_UNDER);
    if (flags & (FLAG_E | FLAG_S | FLAG_PN)) {
        h->sequence = cursor_u16(&c);
        h->has_sequence = flags & FLAG_S;
        cursor_skip(&c, 1);
        next = cursor_u8(&c);
    }
    /* 5.1: a field whose flag is not set shall not be evaluated. */
    bool ok = !c.bad && (!(flags & FLAG_E) || extensions_read(h, next, &c));
    if (!ok)
        walk_anomaly(w, PACKET_GTPU_EXTENSION);
    h->content = c;
    return ok;
}

/* The user's packet. Only the session knows whether it is IP; without one we look. */
static void content_decode(struct walk *w, struct cursor c, const struct found_tunnel *found)
{
    if (c.n == 0)
        walk_anomaly(w, PACKET_GTPU_EMPTY);
    else if (!walk_enter(w))
        return;
    else if (found && found->ethernet)
        ethernet_decode(w, c);
    else if (found && found->unstructured)
        return;
    else if (ip_looks_like(c))
        ip_decode(w, c);
    else
        walk_anomaly(w, PACKET_GTPU_NOT_IP);
}

/* found: the outermost tunnel's, if it is known. */
static inline __attribute__((always_inline)) void gpdu_decode(struct walk *w, const struct head *h,
                                                              struct found_tunnel *found)
{
    struct packet_gpdu g = {.src = w->ip->src,
                            .dst = w->ip->dst,
                            .teid = h->teid,
                            .qfi = h->qfi,
                            .direction = h->direction,
                            .sst = -1,
                            .sd = -1};
    bool first = w->depth == 0;
    if (first) {
        w->d->figures.gpdu++;
        if (found)
            sessions_tell(found, &g);
        w->d->figures.gpdu_joined += g.joined;
        w->gpdu = &g;
        w->of_user = true;
        w->user = found;
    }
    w->depth++;
    if (walk_wants(w, PACKET_EVENT_GPDU))
        walk_gpdu(w, &g);
    if (h->teid == 0)
        walk_anomaly(w, PACKET_GTPU_TEID_ZERO);
    if (first)
        rules_gpdu(w, &g);
    content_decode(w, h->content, found);
    w->depth--;
    if (first) {
        w->gpdu = NULL;
        w->of_user = false;
        w->user = NULL;
    }
}

static struct found_tunnel *find(struct walk *w, const struct head *h)
{
    return sessions_find(w->d->sessions, &w->ip->dst, h->teid, w->frame->time_us);
}

static void message_tell(struct walk *w, const struct head *h)
{
    struct packet_message m = {.protocol = PACKET_GTPU,
                               .type = h->type,
                               .has_id = true,
                               .id = h->teid,
                               .sequence = h->has_sequence ? h->sequence : 0,
                               .cause = -1};
    walk_message(w, &m);
}

void gtpu_decode(struct walk *w, struct cursor c)
{
    struct head h;
    if (w->depth && cursor_peek(&c, 0) >> 4 == 3) /* version 1, PT 1 */
        rules_nested(w);
    if (!w->depth)
        rules_echo(w, c);
    if (!version_check(w, &c))
        return;
    if (w->depth >= LIMIT_PACKET_TUNNELS) {
        walk_anomaly(w, PACKET_GTPU_NESTED);
        return;
    }
    if (!head_read(w, c, &h))
        return;
    if (!w->depth) {
        message_tell(w, &h);
        rules_gtpu(w, h.type);
    }
    if (h.type == GTPU_GPDU)
        gpdu_decode(w, &h, w->depth ? NULL : find(w, &h));
    else if (h.type == GTPU_END_MARKER && !w->depth)
        sessions_end_marker(w->d->sessions, &w->ip->dst, h.teid, w->frame->time_us);
}

/* ---- the short way -------------------------------------------------------------------------- */

#define ETHERNET_BYTES 14u
#define TYPE_IPV4      0x0800u
#define ORDINARY       0x30u /* flags: version 1, PT; or E too */
#define PROTOCOL_UDP   17u
#define PORT_GTPU      2152u
#define BEFORE_GTPU    28u                 /* an IPv4 header without options, and UDP's */
#define BEFORE_PACKET  (BEFORE_GTPU + 8u)  /* without optional fields */
#define WITH_QFI       (BEFORE_PACKET + 8) /* with a container of 4 bytes as the one extension */

static unsigned be16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Where the user's packet starts; 0: it is not ordinary. p: as many bytes as the headers have. */
static size_t ordinary_read(const unsigned char *p, size_t n, struct head *h)
{
    size_t total = be16(p + 2), at = BEFORE_PACKET;
    unsigned flags = p[BEFORE_GTPU];
    if (p[0] != 0x45 || p[9] != PROTOCOL_UDP || be16(p + 22) != PORT_GTPU || be16(p + 6) & 0x3fff ||
        total > n || be16(p + 24) != total - 20 || p[BEFORE_GTPU + 1] != GTPU_GPDU ||
        be16(p + BEFORE_GTPU + 2) != total - BEFORE_PACKET ||
        (flags | FLAG_E) != (ORDINARY | FLAG_E))
        return 0;
    h->type = GTPU_GPDU;
    h->has_sequence = false;
    h->qfi = -1;
    h->direction = PACKET_WAY_UNKNOWN;
    if (flags & FLAG_E) {
        const unsigned char *e = p + BEFORE_PACKET;
        /* What stands behind the end of the datagram is no part of it. */
        if (total < WITH_QFI || e[3] != EXT_CONTAINER || e[4] != 1 || e[5] >> 4 > CONTAINER_UP ||
            e[7])
            return 0;
        h->qfi = e[6] & 0x3f;
        h->direction = e[5] >> 4 == CONTAINER_UP ? PACKET_UPLINK : PACKET_DOWNLINK;
        at = WITH_QFI;
    }
    h->teid = be16(p + BEFORE_GTPU + 4) << 16 | be16(p + BEFORE_GTPU + 6);
    h->content = cursor_of(p + at, total - at);
    return at;
}

void gtpu_soon(struct packet_decoder *d, const struct packet_frame *f)
{
    if (f->link != DLT_EN10MB || f->ahead_n < ETHERNET_BYTES + BEFORE_PACKET)
        return;
    const unsigned char *p = f->ahead + ETHERNET_BYTES;
    if (be16(p - 2) != TYPE_IPV4 || p[9] != PROTOCOL_UDP || be16(p + 22) != PORT_GTPU)
        return;
    struct packet_address a = address_of(p + 16, 4);
    __builtin_prefetch(p + WITH_QFI + 20); /* the headers inside, mostly in the next line */
    sessions_soon(d->sessions, &a, be16(p + 32) << 16 | be16(p + 34));
}

/* Tunnels have the same two ends for long. */
static void pair_tell(struct walk *w, const struct packet_ip *ip, struct found_tunnel *found)
{
    uint32_t src;
    memcpy(&src, ip->src.b, sizeof src);
    if (found && found->quiet_round == w->d->quiet_round && found->quiet_src == src)
        return;
    if (!walk_ip(w, ip) || !found)
        return;
    if (found->quiet_round != w->d->quiet_round)
        found->quiet_user = false;
    found->quiet_round = w->d->quiet_round;
    found->quiet_src = src;
}

/*
 * Nearly all packets of users look so, and all the tests on the way through ip_decode, udp_decode
 * and gtpu_decode take longer than the rest of the work on the tunnel. What is done is the same.
 */
bool gtpu_ordinary(struct walk *w, struct cursor c)
{
    struct head h;
    if (w->d->options.plainly || c.n < WITH_QFI || w->layers + 1 >= LIMIT_PACKET_LAYERS ||
        !ordinary_read(c.p, c.n, &h))
        return false;
    struct packet_ip ip = {.src = address_of(c.p + 12, 4),
                           .dst = address_of(c.p + 16, 4),
                           .protocol = PROTOCOL_UDP,
                           .src_port = (uint16_t)be16(c.p + 20),
                           .dst_port = PORT_GTPU,
                           .ttl = c.p[8]};
    const struct packet_ip *outer = w->ip;
    w->layers += 2; /* IP and UDP */
    w->ip = &ip;
    w->d->figures.ip++;
    w->d->figures.udp++;
    struct found_tunnel *found = find(w, &h);
    pair_tell(w, &ip, found);
    rules_packet(w, &ip);
    if (walk_wants(w, PACKET_EVENT_MESSAGE))
        message_tell(w, &h);
    else
        w->d->figures.messages[PACKET_GTPU]++;
    gpdu_decode(w, &h, found);
    w->ip = outer;
    return true;
}
