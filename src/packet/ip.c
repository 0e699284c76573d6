/*
 * IPv4 (RFC 791) and IPv6 (RFC 8200).
 *
 *     IPv4                                            IPv6
 *     0  version 4 bits, header length in words 4     0  version 4, class 8, label 20 bits
 *     2  total length                                 4  payload length 2
 *     4  identification                               6  next header 1
 *     6  flags 3, fragment offset 13 bits             7  hop limit 1
 *     8  time to live 1, protocol 1, checksum 2       8  source 16, destination 16
 *    12  source 4, destination 4, options
 */
#include "packet/rules_priv.h"

#define IP_MORE 0x2000u

/* IPv6 extension headers that are gone through, and upper protocols. */
enum {
    IP_HOPOPT = 0,
    IP_IPIP = 4,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_IPV6 = 41,
    IP_ROUTING = 43,
    IP_FRAGMENT = 44,
    IP_GRE = 47,
    IP_ESP = 50,
    IP_AH = 51,
    IP_ICMPV6 = 58,
    IP_DSTOPTS = 60,
    IP_SCTP = 132
};

/* What an IP packet carries; `ip` is complete but for the ports. */
static void upper_decode(struct walk *w, struct packet_ip *ip, struct cursor c)
{
    const struct packet_ip *outer = w->ip;
    w->ip = ip;
    if (walk_enter(w)) {
        switch (ip->protocol) {
        case IP_UDP:
            udp_decode(w, ip, c);
            break;
        case IP_TCP:
            tcp_decode(w, ip, c);
            break;
        case IP_SCTP:
            sctp_decode(w, ip, c);
            break;
        case IP_GRE:
            walk_ip(w, ip);
            gre_decode(w, c);
            break;
        case IP_IPIP:
        case IP_IPV6:
            walk_ip(w, ip);
            ip_decode(w, c);
            break;
        default: /* ICMP quotes packets of others; nothing of ours */
            walk_ip(w, ip);
            break;
        }
    }
    w->ip = outer;
}

static void ipv6_rest(struct walk *w, struct packet_ip *ip, struct cursor c, bool whole);

/* Tells of a fragment, or goes on with the datagram that it completes. */
static void fragment_decode(struct walk *w, struct packet_ip *ip, struct fragment *part)
{
    unsigned char *whole;
    size_t n;
    part->src = ip->src;
    part->dst = ip->dst;
    part->scope = walk_scope(w);
    w->d->figures.fragments++;
    ip->fragment = true;
    if (!fragments_add(w, part, &whole, &n)) {
        walk_ip(w, ip);
        return;
    }
    ip->fragment = false;
    ip->protocol = part->protocol;
    if (ip->src.n == 16)
        ipv6_rest(w, ip, cursor_of(whole, n), true);
    else
        upper_decode(w, ip, cursor_of(whole, n));
    base_free(whole);
}

static unsigned sum16(const unsigned char *p, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (unsigned)(p[i] << 8 | p[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

static bool ipv6_is_extension(uint8_t protocol)
{
    return protocol == IP_HOPOPT || protocol == IP_ROUTING || protocol == IP_DSTOPTS ||
           protocol == IP_AH || protocol == IP_FRAGMENT;
}

static bool ipv6_is_known(uint8_t protocol)
{
    return ipv6_is_extension(protocol) || protocol == IP_TCP || protocol == IP_UDP ||
           protocol == IP_ICMPV6 || protocol == IP_ESP || protocol == IP_SCTP;
}

bool ip_looks_like(struct cursor c)
{
    unsigned first = cursor_peek(&c, 0);
    if (first >> 4 == 4) {
        size_t header = (first & 15) * 4u;
        size_t total = (size_t)cursor_peek(&c, 2) << 8 | cursor_peek(&c, 3);
        /* A MAC address may start with this nibble: the checksum or the length must agree. */
        return header >= 20 && header <= c.n && total >= header &&
               (total == c.n || sum16(c.p, header) == 0xffff);
    }
    if (first >> 4 == 6) {
        size_t payload = (size_t)cursor_peek(&c, 4) << 8 | cursor_peek(&c, 5);
        return c.n >= 40 && (payload + 40 == c.n || ipv6_is_known(cursor_peek(&c, 6)));
    }
    return false;
}

/* Cuts off what stands behind the packet (padding, a trailer). */
static void cut_to(struct walk *w, struct cursor *c, size_t length)
{
    if (length > c->n)
        walk_anomaly(w, PACKET_IP_TRUNCATED);
    cursor_cut(c, length);
}

/* The first header inside a G-PDU is the user's. */
static void first_of_tunnel(struct walk *w, const struct packet_ip *ip)
{
    if (w->of_user)
        rules_user(w, ip);
    else if (w->depth == 1 && !rules_off(w) && config_of(w)->core_count)
        rules_inner(w, ip);
    w->of_user = false;
}

PACKET_RARE static void ipv4_decode(struct walk *w, struct cursor c)
{
    struct cursor head = c;
    size_t header = (cursor_u8(&head) & 15) * 4u;
    cursor_skip(&head, 1);
    size_t total = cursor_u16(&head);
    uint16_t id = cursor_u16(&head), offset = cursor_u16(&head);
    struct packet_ip ip = {0};
    ip.ttl = cursor_u8(&head);
    ip.protocol = cursor_u8(&head);
    cursor_skip(&head, 2);
    ip.src = cursor_address(&head, 4);
    ip.dst = cursor_address(&head, 4);
    if (head.bad || header > c.n) {
        walk_anomaly(w, PACKET_TOO_SHORT);
        return;
    }
    /* Total length 0: the sender's network card was to fill it in. */
    if (header < 20 || (total && total < header)) {
        walk_anomaly(w, PACKET_IP_BAD_HEADER);
        return;
    }
    if (total)
        cut_to(w, &c, total);
    first_of_tunnel(w, &ip);
    w->d->figures.ip++;
    cursor_skip(&c, header);
    if (!(offset & (IP_MORE | 0x1fff))) {
        upper_decode(w, &ip, c);
        return;
    }
    struct fragment part = {.id = id,
                            .protocol = ip.protocol,
                            .offset = (size_t)(offset & 0x1fff) * 8,
                            .more = offset & IP_MORE,
                            .payload = c};
    fragment_decode(w, &ip, &part);
}

/* One extension header; false when `next` is none, or the packet went its own way. */
static bool ipv6_step(struct walk *w, struct packet_ip *ip, struct cursor *c)
{
    struct fragment part = {0};
    uint8_t next = cursor_peek(c, 0);
    size_t units = cursor_peek(c, 1);
    switch (ip->protocol) {
    case IP_HOPOPT:
    case IP_ROUTING:
    case IP_DSTOPTS:
        cursor_skip(c, (units + 1) * 8);
        break;
    case IP_AH: /* RFC 4302 §2.2: in words, less two */
        cursor_skip(c, (units + 2) * 4);
        break;
    case IP_FRAGMENT: {
        cursor_skip(c, 2);
        uint16_t offset = cursor_u16(c);
        part.id = cursor_u32(c);
        part.protocol = next;
        part.offset = offset & 0xfff8u;
        part.more = offset & 1;
        part.payload = *c;
        if (!c->bad && (part.more || part.offset)) {
            fragment_decode(w, ip, &part);
            return false;
        }
        break;
    }
    default:
        return false;
    }
    ip->protocol = next;
    return true;
}

/* Extension headers, and what they lead to. A datagram that was put together again (`whole`) has no
 * fragments in it: each of its parts has passed for one. */
static void ipv6_rest(struct walk *w, struct packet_ip *ip, struct cursor c, bool whole)
{
    for (unsigned i = 0; ipv6_is_extension(ip->protocol); i++) {
        if (i == LIMIT_PACKET_IPV6_CHAIN || (whole && ip->protocol == IP_FRAGMENT)) {
            walk_anomaly(w, PACKET_LAYERS);
            return;
        }
        if (!ipv6_step(w, ip, &c))
            return;
        if (c.bad) {
            walk_anomaly(w, PACKET_TOO_SHORT);
            return;
        }
    }
    upper_decode(w, ip, c);
}

PACKET_RARE static void ipv6_decode(struct walk *w, struct cursor c)
{
    cursor_skip(&c, 4);
    size_t payload = cursor_u16(&c);
    struct packet_ip ip = {0};
    ip.protocol = cursor_u8(&c);
    ip.ttl = cursor_u8(&c);
    ip.src = cursor_address(&c, 16);
    ip.dst = cursor_address(&c, 16);
    if (c.bad) {
        walk_anomaly(w, PACKET_TOO_SHORT);
        return;
    }
    if (payload) /* 0: a jumbogram, or left to the network card */
        cut_to(w, &c, payload);
    first_of_tunnel(w, &ip);
    w->d->figures.ip++;
    ipv6_rest(w, &ip, c, false);
}

void ip_decode(struct walk *w, struct cursor c)
{
    if ((!w->depth && gtpu_ordinary(w, c)) || !walk_enter(w))
        return;
    switch (cursor_peek(&c, 0) >> 4) {
    case 4:
        ipv4_decode(w, c);
        break;
    case 6:
        ipv6_decode(w, c);
        break;
    default:
        walk_anomaly(w, c.n ? PACKET_IP_BAD_HEADER : PACKET_TOO_SHORT);
        break;
    }
}
