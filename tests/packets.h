/* Packets made by hand, for tests: bytes are put behind each other, headers around them. */
#ifndef TESTS_PACKETS_H
#define TESTS_PACKETS_H

#include <stdio.h>
#include <stdlib.h>

#include "packet/packet.h"

#ifndef PACKETS_MOST
#define PACKETS_MOST 640
#endif
struct bytes {
    unsigned char p[PACKETS_MOST];
    size_t n;
};

static inline void put(struct bytes *b, const void *p, size_t n)
{
    if (n > sizeof b->p - b->n)
        abort();
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void put_number(struct bytes *b, uint64_t v, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;) {
        unsigned char c = (unsigned char)(v >> 8 * i);
        put(b, &c, 1);
    }
}

static inline void put_bytes(struct bytes *b, const struct bytes *other)
{
    put(b, other->p, other->n);
}

/* Hexadecimal digits; blanks are passed over. */
static inline void put_hex(struct bytes *b, const char *hex)
{
    unsigned v;
    for (; *hex; hex += 2) {
        while (*hex == ' ')
            hex++;
        if (sscanf(hex, "%2x", &v) != 1)
            abort();
        put_number(b, v, 1);
    }
}

static inline unsigned packets_sum(const unsigned char *p, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (unsigned)(p[i] << 8 | p[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* An IPv4 packet; `fragment` as in its header (flags and offset). */
static inline struct bytes ipv4_piece(uint32_t src, uint32_t dst, unsigned protocol,
                                      unsigned fragment, const void *payload, size_t n)
{
    struct bytes b = {.n = 0};
    put_number(&b, 0x4500, 2);
    put_number(&b, 20 + n, 2);
    put_number(&b, 0x1234, 2);
    put_number(&b, fragment, 2);
    put_number(&b, 0x40u << 8 | protocol, 2);
    put_number(&b, 0, 2);
    put_number(&b, src, 4);
    put_number(&b, dst, 4);
    unsigned sum = packets_sum(b.p, 20);
    b.p[10] = (unsigned char)(sum >> 8);
    b.p[11] = (unsigned char)sum;
    put(&b, payload, n);
    return b;
}

static inline struct bytes ipv4_of(uint32_t src, uint32_t dst, unsigned protocol,
                                   const struct bytes *payload)
{
    return ipv4_piece(src, dst, protocol, 0, payload->p, payload->n);
}

static inline struct bytes ipv6_of(const char *src, const char *dst, unsigned protocol,
                                   const struct bytes *payload)
{
    struct bytes b = {.n = 0};
    put_number(&b, 0x60000000, 4);
    put_number(&b, payload->n, 2);
    put_number(&b, protocol << 8 | 0x40, 2);
    put_hex(&b, src);
    put_hex(&b, dst);
    put_bytes(&b, payload);
    return b;
}

static inline struct bytes udp_of(unsigned src, unsigned dst, const struct bytes *payload)
{
    struct bytes b = {.n = 0};
    put_number(&b, src, 2);
    put_number(&b, dst, 2);
    put_number(&b, 8 + payload->n, 2);
    put_number(&b, 0, 2);
    put_bytes(&b, payload);
    return b;
}

static inline struct bytes tcp_of(unsigned src, unsigned dst, uint32_t sequence, unsigned flags,
                                  const void *payload, size_t n)
{
    struct bytes b = {.n = 0};
    put_number(&b, src, 2);
    put_number(&b, dst, 2);
    put_number(&b, sequence, 4);
    put_number(&b, 0, 4);
    put_number(&b, 0x5000 | flags, 2);
    put_number(&b, 0x2000, 2);
    put_number(&b, 0, 4);
    put(&b, payload, n);
    return b;
}

static inline struct bytes ethernet_of(unsigned type, const struct bytes *payload)
{
    struct bytes b = {.n = 0};
    put_hex(&b, "020000000001 020000000002");
    put_number(&b, type, 2);
    put_bytes(&b, payload);
    return b;
}

/* An Ethernet frame with one UDP datagram. */
static inline struct bytes udp_frame(uint32_t src, uint32_t dst, unsigned src_port,
                                     unsigned dst_port, const struct bytes *payload)
{
    struct bytes udp = udp_of(src_port, dst_port, payload);
    struct bytes ip = ipv4_of(src, dst, 17, &udp);
    return ethernet_of(0x0800, &ip);
}

static inline struct bytes gtpu_of(unsigned type, uint32_t teid, const struct bytes *content)
{
    struct bytes b = {.n = 0};
    put_number(&b, 0x30, 1);
    put_number(&b, type, 1);
    put_number(&b, content->n, 2);
    put_number(&b, teid, 4);
    put_bytes(&b, content);
    return b;
}

/* An SCTP packet with one DATA chunk of NGAP. */
/* A piece of a message: flags 2 (the first), 1 (the last), 3 (the whole of it). */
static inline struct bytes ngap_piece_of(unsigned src, unsigned dst, uint32_t tsn, unsigned flags,
                                         const struct bytes *message)
{
    struct bytes b = {.n = 0};
    put_number(&b, src, 2);
    put_number(&b, dst, 2);
    put_number(&b, 0, 8);
    put_number(&b, flags, 2);
    put_number(&b, 16 + message->n, 2);
    put_number(&b, tsn, 4);
    put_number(&b, 0, 4);
    put_number(&b, 60, 4);
    put_bytes(&b, message);
    while (b.n % 4)
        put_number(&b, 0, 1);
    return b;
}

static inline struct bytes ngap_of(unsigned src, unsigned dst, uint32_t tsn,
                                   const struct bytes *message)
{
    return ngap_piece_of(src, dst, tsn, 3, message);
}

/* ---- PFCP -------------------------------------------------------------------------------- */

static inline void put_element(struct bytes *b, unsigned type, const struct bytes *data)
{
    put_number(b, type, 2);
    put_number(b, data->n, 2);
    put_bytes(b, data);
}

static inline void put_element_hex(struct bytes *b, unsigned type, const char *hex)
{
    struct bytes data = {.n = 0};
    put_hex(&data, hex);
    put_element(b, type, &data);
}

/* With a SEID, or without one when it is -1. */
static inline struct bytes pfcp_of(unsigned type, int64_t seid, uint32_t sequence,
                                   const struct bytes *elements)
{
    struct bytes b = {.n = 0};
    put_number(&b, seid < 0 ? 0x20 : 0x21, 1);
    put_number(&b, type, 1);
    put_number(&b, (seid < 0 ? 4 : 12) + elements->n, 2);
    if (seid >= 0)
        put_number(&b, (uint64_t)seid, 8);
    put_number(&b, (uint64_t)sequence << 8, 4);
    put_bytes(&b, elements);
    return b;
}

static inline struct packet_frame frame_of(const struct bytes *b, uint64_t number, int64_t time_us)
{
    return (struct packet_frame){
        .p = b->p, .n = b->n, .wire_bytes = b->n, .link = 1, .time_us = time_us, .number = number};
}

#endif
