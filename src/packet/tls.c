/*
 * TLS (RFC 8446): the name of the server in a ClientHello.
 *
 *     record: type 1 = 22, version 2, length 2, fragment
 *     handshake: type 1 = 1, length 3, ClientHello; may go over several records
 *     ClientHello: version 2, random 32, session id <1>, cipher suites <2>, compression <1>,
 *                  extensions <2>: type 2, <2> data
 *     server_name (RFC 6066 §3): list <2>: type 1 = 0, name <2>
 */
#include "packet/packet_priv.h"

#define TLS_HANDSHAKE   22u
#define TLS_HELLO       1u
#define TLS_RECORD_HEAD 5u

static void names_tell(struct walk *w, struct cursor c)
{
    struct cursor list = cursor_take(&c, cursor_u16(&c));
    while (list.n) {
        uint8_t type = cursor_u8(&list);
        struct cursor name = cursor_take(&list, cursor_u16(&list));
        if (type == 0 && !name.bad)
            walk_text(w, PACKET_TLS_SNI, (struct str){(const char *)name.p, name.n}, name.p);
    }
}

static void hello_decode(struct walk *w, struct cursor c)
{
    cursor_skip(&c, 34);
    cursor_skip(&c, cursor_u8(&c));
    cursor_skip(&c, cursor_u16(&c));
    cursor_skip(&c, cursor_u8(&c));
    if (c.n == 0 && !c.bad) /* TLS 1.2 without extensions */
        return;
    struct cursor extensions = cursor_take(&c, cursor_u16(&c));
    while (extensions.n) {
        uint16_t type = cursor_u16(&extensions);
        struct cursor data = cursor_take(&extensions, cursor_u16(&extensions));
        if (type == 0 && !data.bad)
            names_tell(w, data);
    }
    if (c.bad || extensions.bad)
        walk_anomaly(w, PACKET_TLS_MALFORMED);
}

/* Does it begin like a ClientHello, as far as it goes? */
static bool hello_begins(struct cursor c)
{
    return cursor_peek(&c, 0) == TLS_HANDSHAKE && (c.n < 2 || c.p[1] == 3) &&
           (c.n < 3 || c.p[2] <= 4) && (c.n < 6 || c.p[5] == TLS_HELLO);
}

/* The handshake message without its records. In place if one record holds all of it, else put
 * together in the decoder's scratch. MORE: not all there; NOT: it is too long, or no handshake. */
static enum stream_want handshake_gather(struct walk *w, struct cursor c, struct cursor *out)
{
    size_t have = 0, need = 4;
    unsigned char *whole = (unsigned char *)w->d->scratch;
    while (have < need) {
        if (c.n < TLS_RECORD_HEAD)
            return STREAM_MORE;
        if (c.p[0] != TLS_HANDSHAKE || c.p[1] != 3)
            return STREAM_NOT;
        cursor_skip(&c, 3);
        size_t length = cursor_u16(&c), part = length < c.n ? length : c.n;
        if (length == 0)
            return STREAM_NOT;
        if (part > LIMIT_PACKET_STREAM_BYTES - have)
            return STREAM_NOT;
        memcpy(whole + have, c.p, part);
        bool first = have == 0;
        have += part;
        if (have >= 4)
            need = 4 + ((size_t)whole[1] << 16 | (size_t)whole[2] << 8 | whole[3]);
        if (need > LIMIT_PACKET_STREAM_BYTES)
            return STREAM_NOT;
        if (have >= need) {
            *out = cursor_of((first ? c.p : whole) + 4, need - 4);
            return STREAM_DONE;
        }
        if (part < length)
            return STREAM_MORE;
        cursor_skip(&c, part);
    }
    return STREAM_NOT;
}

enum stream_want tls_read(struct walk *w, struct cursor c)
{
    struct cursor hello = {0};
    if (!hello_begins(c))
        return STREAM_NOT;
    enum stream_want want = handshake_gather(w, c, &hello);
    if (want == STREAM_DONE)
        hello_decode(w, hello);
    return want;
}
