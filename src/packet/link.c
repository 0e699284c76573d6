/*
 * Link layers and what stands between them and IP.
 *
 *     Ethernet II            802.1Q, 802.1ad         MPLS                    PPPoE (RFC 2516)
 *     destination  6         tag control  2          label 20 bits           version, type  1
 *     source       6         EtherType    2          class  3                code           1
 *     EtherType    2                                 bottom of stack 1       session        2
 *                                                    time to live 8          length         2
 *                                                                            PPP protocol   2
 */
#include <pcap/dlt.h>

#include "packet/packet_priv.h"

#define ETHERTYPE_IPV4     0x0800u
#define ETHERTYPE_IPV6     0x86ddu
#define ETHERTYPE_VLAN     0x8100u
#define ETHERTYPE_QINQ     0x88a8u
#define ETHERTYPE_QINQ_OLD 0x9100u
#define ETHERTYPE_MPLS     0x8847u
#define ETHERTYPE_MPLS_UP  0x8848u
#define ETHERTYPE_PPPOE    0x8864u
#define ETHERTYPE_BRIDGE   0x6558u
#define LINKTYPE_RAW       101
#define PPP_IPV4           0x0021u
#define PPP_IPV6           0x0057u

static void ppp_decode(struct walk *w, struct cursor c)
{
    if (cursor_peek(&c, 0) == 0xff && cursor_peek(&c, 1) == 0x03) /* address and control field */
        cursor_skip(&c, 2);
    /* RFC 1661 §2: a protocol field with its lowest bit set in the first octet is one octet. */
    uint16_t protocol = cursor_peek(&c, 0) & 1 ? cursor_u8(&c) : cursor_u16(&c);
    if (protocol == PPP_IPV4 || protocol == PPP_IPV6)
        ip_decode(w, c);
}

static void pppoe_decode(struct walk *w, struct cursor c)
{
    uint8_t version = cursor_u8(&c), code = cursor_u8(&c);
    cursor_skip(&c, 2);
    size_t length = cursor_u16(&c);
    if (version == 0x11 && code == 0 && walk_enter(w))
        ppp_decode(w, cursor_of(c.p, length < c.n ? length : c.n));
}

static void mpls_decode(struct walk *w, struct cursor c)
{
    bool bottom = false;
    for (unsigned i = 0; i < LIMIT_PACKET_LABELS && !bottom && !c.bad; i++)
        bottom = cursor_u32(&c) >> 8 & 1;
    if (!bottom || !walk_enter(w))
        return;
    /* Nothing says what follows. IP by its first nibble; RFC 4385 §3: 0 is a pseudowire's control
     * word, behind which we take Ethernet for granted. */
    unsigned nibble = cursor_peek(&c, 0) >> 4;
    if (nibble == 4 || nibble == 6) {
        ip_decode(w, c);
    } else if (nibble == 0) {
        cursor_skip(&c, 4);
        ethernet_decode(w, c);
    }
}

void ethertype_decode(struct walk *w, uint16_t type, struct cursor c)
{
    while ((type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD) &&
           walk_enter(w)) {
        cursor_skip(&c, 2);
        type = cursor_u16(&c);
    }
    switch (type) {
    case ETHERTYPE_IPV4:
    case ETHERTYPE_IPV6:
        ip_decode(w, c);
        break;
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_UP:
        mpls_decode(w, c);
        break;
    case ETHERTYPE_PPPOE:
        pppoe_decode(w, c);
        break;
    case ETHERTYPE_BRIDGE:
        ethernet_decode(w, c);
        break;
    default: /* ARP, 802.3 and many more: nothing of ours */
        break;
    }
}

void ethernet_decode(struct walk *w, struct cursor c)
{
    cursor_skip(&c, 12);
    uint16_t type = cursor_u16(&c);
    if (c.bad)
        walk_anomaly(w, PACKET_TOO_SHORT);
    else if (walk_enter(w))
        ethertype_decode(w, type, c);
}

/*
 *     Linux cooked v1: packet type 2, ARPHRD 2, address length 2, address 8, protocol 2
 *     Linux cooked v2: protocol 2, zero 2, interface 4, ARPHRD 2, packet type 1, address length 1,
 *                      address 8
 */
static void cooked_decode(struct walk *w, struct cursor c, bool second)
{
    uint16_t type;
    if (second) {
        type = cursor_u16(&c);
        cursor_skip(&c, 18);
    } else {
        cursor_skip(&c, 14);
        type = cursor_u16(&c);
    }
    if (c.bad)
        walk_anomaly(w, PACKET_TOO_SHORT);
    else
        ethertype_decode(w, type, c);
}

void link_decode(struct walk *w, int link, struct cursor c)
{
    switch (link) {
    case DLT_EN10MB:
        ethernet_decode(w, c);
        break;
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
        cooked_decode(w, c, link == DLT_LINUX_SLL2);
        break;
    case DLT_RAW:
    case LINKTYPE_RAW: /* the same in files */
    case DLT_IPV4:
    case DLT_IPV6:
        ip_decode(w, c);
        break;
    case DLT_NULL: /* the family in the byte order of whoever captured; the nibble says the same */
    case DLT_LOOP:
        cursor_skip(&c, 4);
        ip_decode(w, c);
        break;
    case DLT_PPP:
    case DLT_PPP_SERIAL:
        ppp_decode(w, c);
        break;
    default:
        walk_anomaly(w, PACKET_LINK_UNKNOWN);
        break;
    }
}
