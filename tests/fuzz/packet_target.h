/* What the fuzz targets of packets share: a decoder, and what must hold of everything that it
 * tells. Its tables take milliseconds to make, so it is new only now and then, and an input that
 * breaks it may need those before it. */
#ifndef TESTS_FUZZ_PACKET_TARGET_H
#define TESTS_FUZZ_PACKET_TARGET_H

#include <stdlib.h>

#include "packet/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define TARGET_INPUTS 2000

struct target {
    struct packet_decoder *d;
    unsigned inputs;
    struct packet_frame frame;
};

static bool target_event(void *ctx, const struct packet_event *v)
{
    struct target *t = ctx;
    must(v->kind == PACKET_EVENT_ALERT ? v->frame <= t->frame.number : v->frame == t->frame.number);
    must(v->depth <= 2);
    if (v->kind == PACKET_EVENT_TEXT) {
        must(v->text->text.n > 0);
        must(v->text->at == PACKET_NOWHERE || v->text->at < t->frame.n);
    } else if (v->kind == PACKET_EVENT_ALERT) {
        must(v->alert->message.n > 0 && v->alert->interface);
    } else if (v->kind == PACKET_EVENT_IP) {
        must(v->ip->src.n == v->ip->dst.n && v->ip->src.n);
    } else if (v->kind == PACKET_EVENT_GPDU) {
        must(v->gpdu->qfi < 64);
    }
    return false;
}

static struct target *target_begin(void)
{
    static struct target t;
    struct packet_options o = {.rules = true, .event = target_event, .ctx = &t, .sessions_max = 64};
    struct err e;
    if (t.inputs++ % TARGET_INPUTS == 0) {
        packet_decoder_free(t.d);
        t.frame = (struct packet_frame){.time_us = 1000000};
        must(crypt_init(&e) && packet_decoder_new(&o, &t.d, &e));
    }
    t.frame.link = 1;
    return &t;
}

/* One frame; it is copied to memory of its size, so that an over-read is seen. */
static void target_frame(struct target *t, const uint8_t *p, size_t n)
{
    unsigned char *exact = malloc(n ? n : 1);
    must(exact != NULL);
    if (n)
        memcpy(exact, p, n);
    t->frame.p = exact;
    t->frame.n = n;
    t->frame.wire_bytes = n;
    t->frame.number++;
    t->frame.time_us += 100000;
    packet_decode(t->d, &t->frame);
    free(exact);
}

static void target_end(struct target *t)
{
    packet_decode_end(t->d);
}

/* The next piece of the input: two bytes of length, then so many. */
static bool target_piece(const uint8_t **data, size_t *n, const uint8_t **piece, size_t *piece_n)
{
    if (*n < 2)
        return false;
    size_t length = ((size_t)(*data)[0] << 8 | (*data)[1]) % 4096;
    *data += 2;
    *n -= 2;
    *piece = *data;
    *piece_n = length < *n ? length : *n;
    *data += *piece_n;
    *n -= *piece_n;
    return true;
}

/* The header of an IPv4 packet between two of four addresses, by the bits of `who`; then the upper
 * header and the piece. */
static inline void target_ip(struct target *t, unsigned who, unsigned protocol, const uint8_t *head,
                             size_t head_n, const uint8_t *p, size_t n)
{
    uint8_t f[14 + 20 + 32 + 4096] = {[12] = 0x08, [14] = 0x45};
    uint8_t *ip = f + 14;
    size_t total = 20 + head_n + n;
    must(head_n <= 32 && n <= 4096);
    ip[2] = (uint8_t)(total >> 8);
    ip[3] = (uint8_t)total;
    ip[8] = 64;
    ip[9] = (uint8_t)protocol;
    ip[12] = ip[16] = 10;
    ip[15] = (uint8_t)(1 + (who & 3));
    ip[19] = (uint8_t)(1 + (who >> 2 & 3));
    memcpy(ip + 20, head, head_n);
    if (n)
        memcpy(ip + 20 + head_n, p, n);
    target_frame(t, f, 14 + total);
}

static inline void target_udp(struct target *t, unsigned who, unsigned port, const uint8_t *p,
                              size_t n)
{
    uint8_t head[8] = {(uint8_t)(port >> 8), (uint8_t)port,           (uint8_t)(port >> 8),
                       (uint8_t)port,        (uint8_t)((n + 8) >> 8), (uint8_t)(n + 8)};
    target_ip(t, who, 17, head, sizeof head, p, n);
}

/* Datagrams of one port: each piece is a byte of who sends to whom, and the payload. */
static inline void target_datagrams(unsigned port, const uint8_t *data, size_t n)
{
    struct target *t = target_begin();
    const uint8_t *piece;
    size_t piece_n;
    while (target_piece(&data, &n, &piece, &piece_n))
        if (piece_n)
            target_udp(t, piece[0], port, piece + 1, piece_n - 1);
    target_end(t);
}

#endif
