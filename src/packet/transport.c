/*
 * UDP (RFC 768), TCP (RFC 9293), SCTP (RFC 9260): headers, and what their ports tell.
 *
 *     UDP                    TCP                                   SCTP
 *     source port 2          source port 2, destination port 2     source port 2, destination port
 * 2 destination port 2     sequence number 4                     verification tag 4, checksum 4
 *     length 2               acknowledgment 4                      chunks: type 1, flags 1, length
 * 2 checksum 2             offset in words 4 bits, flags 12      and, in DATA: TSN 4, stream 2,
 *                            window 2, checksum 2, urgent 2        sequence 2, protocol 4
 */
#include "packet/rules_priv.h"

enum {
    PORT_DNS = 53,
    PORT_GTPC = 2123,
    PORT_GTPU = 2152,
    PORT_GTPP = 3386,
    PORT_VXLAN = 4789,
    PORT_MDNS = 5353,
    PORT_GENEVE = 6081,
    PORT_VXLAN_OLD = 8472,
    PORT_PFCP = 8805
};

/* Signalling inside of a user's tunnel is no signalling: a rule speaks of it (G2). */
static bool signalling_decode(struct walk *w, uint16_t port, struct cursor c)
{
    if (port != PORT_GTPC && port != PORT_GTPP && port != PORT_PFCP)
        return false;
    if (w->depth)
        return true;
    if (port == PORT_GTPC)
        gtpc_decode(w, c);
    else if (port == PORT_GTPP)
        gtpp_decode(w, c);
    else
        pfcp_decode(w, c);
    return true;
}

static size_t length_of(const struct cursor *c)
{
    return (size_t)cursor_peek(c, 2) << 8 | cursor_peek(c, 3);
}

/* Who asks may do so from the port of another protocol, and what is answered goes there. A message
 * that fills its datagram, or says that others follow (TS 29.244 §7.2.2.1), is one of PFCP. */
static bool is_pfcp_answer(const struct packet_ip *ip, const struct cursor *c)
{
    unsigned first = cursor_peek(c, 0);
    size_t length = 4 + length_of(c);
    /* The bit of GTP-U's PT is spare in PFCP. */
    if (ip->dst_port == PORT_GTPU && first & 0x10)
        return false;
    return ip->src_port == PORT_PFCP && c->n >= 8 && first >> 5 == 1 &&
           (length == c->n || (first & 4 && length < c->n));
}

/* Likewise of GTP-C: version 2 (P: another follows), or 1 with PT. */
static bool is_gtpc_answer(const struct packet_ip *ip, const struct cursor *c)
{
    unsigned first = cursor_peek(c, 0);
    if (ip->src_port != PORT_GTPC || ip->dst_port == PORT_GTPU || c->n < 8)
        return false;
    size_t two = 4 + length_of(c), one = 8 + length_of(c);
    return (first >> 5 == 2 && (two == c->n || (first & 0x10 && two < c->n))) ||
           (first >> 4 == 3 && one == c->n);
}

/* To the port of names it is read as either: a user who is no longer in a tunnel chooses both
 * ports. */
static bool answer_decode(struct walk *w, const struct packet_ip *ip, struct cursor c)
{
    uint16_t port = is_pfcp_answer(ip, &c) ? PORT_PFCP : is_gtpc_answer(ip, &c) ? PORT_GTPC : 0;
    if (!port)
        return false;
    signalling_decode(w, port, c);
    return ip->dst_port != PORT_DNS;
}

static bool port_decode(struct walk *w, uint16_t port, struct cursor c)
{
    switch (port) {
    case PORT_DNS:
    case PORT_MDNS:
        dns_decode(w, c);
        return true;
    case PORT_VXLAN:
    case PORT_VXLAN_OLD:
        vxlan_decode(w, c);
        return true;
    case PORT_GENEVE:
        geneve_decode(w, c);
        return true;
    default:
        return signalling_decode(w, port, c);
    }
}

void udp_decode(struct walk *w, struct packet_ip *ip, struct cursor c)
{
    struct cursor head = c;
    ip->src_port = cursor_u16(&head);
    ip->dst_port = cursor_u16(&head);
    size_t length = cursor_u16(&head);
    cursor_skip(&head, 2);
    walk_ip(w, ip);
    if (head.bad) {
        walk_anomaly(w, PACKET_TOO_SHORT);
        return;
    }
    w->d->figures.udp++;
    if (length >= 8) /* 0: more than 65,535 bytes (RFC 2675) */
        cursor_cut(&head, length - 8);
    rules_packet(w, ip);
    /* TS 29.281 §4.4.2: only the destination port is fixed; answers go to where the request came
     * from, which is mostly the same port. */
    if (!w->depth && answer_decode(w, ip, head))
        return;
    if (ip->dst_port == PORT_GTPU)
        gtpu_decode(w, head);
    else if (!port_decode(w, ip->dst_port, head) && !port_decode(w, ip->src_port, head) &&
             ip->src_port == PORT_GTPU && !w->depth && cursor_peek(&head, 0) >> 4 == 3)
        gtpu_decode(w, head);
}

void tcp_decode(struct walk *w, struct packet_ip *ip, struct cursor c)
{
    struct cursor head = c;
    struct segment s = {.ip = ip};
    ip->src_port = cursor_u16(&head);
    ip->dst_port = cursor_u16(&head);
    s.sequence = cursor_u32(&head);
    cursor_skip(&head, 4);
    size_t header = (cursor_u8(&head) >> 4) * 4u;
    s.flags = cursor_u8(&head);
    cursor_skip(&head, 4);
    uint16_t urgent = cursor_u16(&head);
    walk_ip(w, ip);
    if (head.bad || header < 20 || header > c.n) {
        walk_anomaly(w, PACKET_TOO_SHORT);
        return;
    }
    w->d->figures.tcp++;
    rules_packet(w, ip);
    rules_tcp(w, header, s.flags, urgent);
    cursor_skip(&c, header);
    s.payload = c;
    streams_add(w, &s);
}

/* ---- SCTP -------------------------------------------------------------------------------- */

#define SCTP_WHOLE 3u /* flags B and E: first and last piece of a message */
#define SCTP_NGAP  60u

static void data_decode(struct walk *w, uint8_t flags, struct cursor c)
{
    struct sctp_chunk chunk = {.flags = flags};
    chunk.tsn = cursor_u32(&c);
    chunk.stream = cursor_u16(&c);
    cursor_skip(&c, 2);
    uint32_t protocol = cursor_u32(&c);
    if (c.bad) {
        walk_anomaly(w, PACKET_SCTP_CHUNK);
        return;
    }
    /* 0: some stacks leave it out (RFC 9260 §3.3.1), and the port says it. */
    bool unsaid = protocol == 0 && (w->ip->dst_port == PORT_NGAP || w->ip->src_port == PORT_NGAP);
    if ((protocol != SCTP_NGAP && !unsaid) || w->depth)
        return;
    chunk.payload = c;
    w->repeat = rules_sctp_repeat(w, chunk.tsn);
    if ((flags & SCTP_WHOLE) == SCTP_WHOLE) {
        ngap_decode(w, c);
        return;
    }
    unsigned char *whole;
    size_t n;
    if (!messages_add(w, &chunk, &whole, &n))
        return;
    ngap_decode(w, cursor_of(whole, n));
    base_free(whole);
}

void sctp_decode(struct walk *w, struct packet_ip *ip, struct cursor c)
{
    ip->src_port = cursor_u16(&c);
    ip->dst_port = cursor_u16(&c);
    walk_ip(w, ip);
    cursor_skip(&c, 8);
    if (c.bad) {
        walk_anomaly(w, PACKET_TOO_SHORT);
        return;
    }
    w->d->figures.sctp++;
    rules_packet(w, ip);
    while (c.n >= 4) {
        uint8_t type = cursor_u8(&c), flags = cursor_u8(&c);
        size_t length = cursor_u16(&c);
        if (length < 4 || length - 4 > c.n) {
            walk_anomaly(w, PACKET_SCTP_CHUNK);
            return;
        }
        struct cursor chunk = cursor_take(&c, length - 4);
        size_t padding = (4 - length % 4) % 4; /* RFC 9260 §3.2; the last one's may be missing */
        cursor_skip(&c, padding < c.n ? padding : c.n);
        rules_sctp_chunk(w, type);
        if (type == SCTP_DATA)
            data_decode(w, flags, chunk);
    }
}
