/*
 * Tunnels that are not GTP.
 *
 *     GRE (RFC 2784, 2890)          VXLAN (RFC 7348)       Geneve (RFC 8926)
 *     0  C - K S, version 3 bits    flags 1, reserved 3    version 2 bits, options in words 6
 *     2  EtherType                  network 3              flags 1
 *     4  checksum 2, reserved 2     reserved 1             EtherType 2
 *        if C; key 4 if K;          Ethernet               network 3, reserved 1, options
 *        sequence 4 if S
 */
#include "packet/packet_priv.h"

#define GRE_CHECKSUM  0x8000u
#define GRE_KEY       0x2000u
#define GRE_SEQUENCE  0x1000u
#define GRE_ERSPAN2   0x88beu
#define GRE_ERSPAN3   0x22ebu
#define VXLAN_NETWORK 0x08u

void gre_decode(struct walk *w, struct cursor c)
{
    uint16_t flags = cursor_u16(&c), type = cursor_u16(&c);
    if (flags & 7) /* version 1 carries PPP for PPTP, compressed and encrypted mostly */
        return;
    cursor_skip(&c, (flags & GRE_CHECKSUM ? 4u : 0u) + (flags & GRE_KEY ? 4u : 0u) +
                        (flags & GRE_SEQUENCE ? 4u : 0u));
    /* ERSPAN of type II has 8 bytes before the mirrored frame, but only with a sequence number
     * (type I has none); type III 12, and 8 more if its last bit says so. */
    if (type == GRE_ERSPAN2 && flags & GRE_SEQUENCE)
        cursor_skip(&c, 8);
    else if (type == GRE_ERSPAN3)
        cursor_skip(&c, cursor_peek(&c, 11) & 1 ? 20 : 12);
    if (c.bad)
        walk_anomaly(w, PACKET_TOO_SHORT);
    else if (type == GRE_ERSPAN2 || type == GRE_ERSPAN3)
        ethernet_decode(w, c);
    else
        ethertype_decode(w, type, c);
}

void vxlan_decode(struct walk *w, struct cursor c)
{
    uint8_t flags = cursor_u8(&c);
    cursor_skip(&c, 7);
    if (!c.bad && flags & VXLAN_NETWORK && walk_enter(w))
        ethernet_decode(w, c);
}

void geneve_decode(struct walk *w, struct cursor c)
{
    uint8_t first = cursor_u8(&c);
    cursor_skip(&c, 1);
    uint16_t type = cursor_u16(&c);
    cursor_skip(&c, 4 + (first & 0x3fu) * 4u);
    if (!c.bad && first >> 6 == 0 && walk_enter(w))
        ethertype_decode(w, type, c);
}
