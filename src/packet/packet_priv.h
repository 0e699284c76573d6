/* Between the files of this room: the cursor, the walk through one frame, and the decoders. */
#ifndef PACKET_PACKET_PRIV_H
#define PACKET_PACKET_PRIV_H

#include "packet/packet.h"

/* ---- cursor ------------------------------------------------------------------------------ */

/* Bytes that are still to be read. The first read that does not fit sets `bad` and empties it, so
 * that a reader asks once at its end; all reads of a bad cursor give 0 or nothing. 16 bytes, so
 * that it is handed on in registers. */
struct cursor {
    const unsigned char *p;
    uint32_t n;
    bool bad;
};
_Static_assert(sizeof(struct cursor) == 16, "two registers");

static inline struct cursor cursor_of(const unsigned char *p, size_t n)
{
    must(n <= UINT32_MAX);
    return (struct cursor){p, (uint32_t)n, false};
}

static inline bool cursor_fits(struct cursor *c, size_t n)
{
    if (n <= c->n)
        return true;
    c->bad = true;
    c->n = 0;
    return false;
}

/* Leaves no more than n bytes. */
static inline void cursor_cut(struct cursor *c, size_t n)
{
    if (n < c->n)
        c->n = (uint32_t)n;
}

static inline void cursor_skip(struct cursor *c, size_t n)
{
    if (cursor_fits(c, n)) {
        c->p += n;
        c->n -= (uint32_t)n;
    }
}

/* The next n bytes, or NULL. */
static inline const unsigned char *cursor_bytes(struct cursor *c, size_t n)
{
    const unsigned char *p = c->p;
    if (!cursor_fits(c, n))
        return NULL;
    c->p += n;
    c->n -= (uint32_t)n;
    return p;
}

/* A cursor over the next n bytes; bad when they are not there. */
static inline struct cursor cursor_take(struct cursor *c, size_t n)
{
    const unsigned char *p = cursor_bytes(c, n);
    return (struct cursor){p, p ? (uint32_t)n : 0, !p};
}

/* Big-endian number of 1 to 8 bytes. */
static inline uint64_t cursor_number(struct cursor *c, size_t bytes)
{
    const unsigned char *p = cursor_bytes(c, bytes);
    uint64_t v = 0;
    for (size_t i = 0; p && i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const unsigned char *p = cursor_bytes(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    const unsigned char *p = cursor_bytes(c, 2);
    return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    const unsigned char *p = cursor_bytes(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* The byte at `at` without moving; 0 if it is not there. */
static inline uint8_t cursor_peek(const struct cursor *c, size_t at)
{
    return at < c->n ? c->p[at] : 0;
}

/* ---- addresses --------------------------------------------------------------------------- */

static inline struct packet_address address_of(const unsigned char *p, size_t n)
{
    /* Written at once, because they are read so soon after: a processor waits when it is to read
     * together what was written in pieces. */
    typedef uint64_t pair __attribute__((vector_size(16)));
    struct packet_address a;
    uint64_t w[2] = {0, 0};
    if (p)
        memcpy(w, p, n);
    pair both = {w[0], w[1]};
    memcpy(a.b, &both, sizeof both);
    a.n = p ? n : 0;
    return a;
}

static inline struct packet_address cursor_address(struct cursor *c, size_t n)
{
    return address_of(cursor_bytes(c, n), n);
}

static inline bool address_eq(const struct packet_address *a, const struct packet_address *b)
{
    return a->n == b->n && memcmp(a->b, b->b, sizeof a->b) == 0;
}

static inline uint64_t mix64(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

/* `seed` differs from run to run, so that nobody can choose addresses that collide. */
static inline uint64_t address_hash(const struct packet_address *a, uint64_t seed)
{
    uint64_t w[2];
    memcpy(w, a->b, sizeof w);
    return mix64(mix64(seed ^ a->n, w[0]), w[1]);
}

/* Of where a tunnel ends: of an IPv4 address, what is looked up of each packet of nearly all. */
static inline uint64_t tunnel_end_hash(const struct packet_address *a, uint32_t teid, uint64_t seed)
{
    uint32_t v4;
    memcpy(&v4, a->b, sizeof v4);
    return a->n == 4 ? mix64(seed, (uint64_t)v4 << 32 | teid) : mix64(address_hash(a, seed), teid);
}

/* ---- the walk through one frame ---------------------------------------------------------- */

struct fragments;
struct messages;
struct streams;
struct sessions;
struct asked;
struct rules;
struct found_tunnel;

#define PACKET_SCRATCH_BYTES (LIMIT_PACKET_STREAM_BYTES + 1024)

struct packet_decoder {
    struct packet_options options;
    struct packet_figures figures;
    struct fragments *fragments;
    struct messages *messages;
    struct streams *streams;
    struct sessions *sessions;
    struct asked *asked;
    struct rules *rules;
    uint64_t seed;        /* of hash tables */
    uint16_t quiet_round; /* raised when what was quiet is told again; never 0 */
    char scratch[PACKET_SCRATCH_BYTES];
};

struct walk {
    struct packet_decoder *d;
    const struct packet_frame *frame;
    unsigned layers; /* headers so far */
    unsigned depth;  /* G-PDUs around */
    const struct packet_gpdu *gpdu;
    const struct packet_ip *ip;
    bool of_user;              /* the next IP header is a user's */
    struct found_tunnel *user; /* of this session; NULL: not known */
    bool repeat;               /* a message that SCTP carried before */
};

/* Rare beside what is done for each packet: it stays out of that. */
#define PACKET_RARE __attribute__((noinline))

static inline bool walk_wants(const struct walk *w, enum packet_event_kind kind)
{
    return !(w->d->options.passed_over & 1u << kind);
}

void walk_anomaly(struct walk *w, enum packet_anomaly a);
/* True as long as one more header may be looked into. */
static inline bool walk_enter(struct walk *w)
{
    if (w->layers < LIMIT_PACKET_LAYERS) {
        w->layers++;
        return true;
    }
    walk_anomaly(w, PACKET_LAYERS);
    return false;
}

void walk_text(struct walk *w, enum packet_field field, struct str text, const unsigned char *at);
void walk_message(struct walk *w, const struct packet_message *m);
void walk_gpdu(struct walk *w, const struct packet_gpdu *g);
/* True: the visitor found nothing in it. */
bool walk_ip(struct walk *w, const struct packet_ip *ip);
/* Hands on an alert of a rule, perhaps of an earlier frame. */
void decoder_alert(struct packet_decoder *d, const struct packet_alert *a);

/* ---- decoders: each reads one layer and goes on with what it carries --------------------------
 */

void link_decode(struct walk *w, int link, struct cursor c);
void ethernet_decode(struct walk *w, struct cursor c);
void ethertype_decode(struct walk *w, uint16_t type, struct cursor c);
void ip_decode(struct walk *w, struct cursor c); /* by its first nibble */
/* Does c hold what an IP packet starts with? For payloads that do not say what they are. */
bool ip_looks_like(struct cursor c);
void udp_decode(struct walk *w, struct packet_ip *ip, struct cursor c);
void tcp_decode(struct walk *w, struct packet_ip *ip, struct cursor c);
void sctp_decode(struct walk *w, struct packet_ip *ip, struct cursor c);
void gre_decode(struct walk *w, struct cursor c);
void vxlan_decode(struct walk *w, struct cursor c);
void geneve_decode(struct walk *w, struct cursor c);
void gtpu_decode(struct walk *w, struct cursor c);
/* Outside of tunnels, a G-PDU over UDP and IPv4 without anything unusual is gone into; false: it
 * was not. */
bool gtpu_ordinary(struct walk *w, struct cursor c);
/* Asks the memory for what the frame after this one will need if it is such a packet. */
void gtpu_soon(struct packet_decoder *d, const struct packet_frame *f);
void gtpc_decode(struct walk *w, struct cursor c);
void gtpp_decode(struct walk *w, struct cursor c);
void pfcp_decode(struct walk *w, struct cursor c);
void ngap_decode(struct walk *w, struct cursor c);
void dns_decode(struct walk *w, struct cursor c);

/* Of what stands at the start of a stream. MORE: it goes on. */
enum stream_want { STREAM_NOT, STREAM_MORE, STREAM_DONE };
enum stream_want http_read(struct walk *w, struct cursor c);
enum stream_want tls_read(struct walk *w, struct cursor c);

/* ---- fragments --------------------------------------------------------------------------- */

struct fragment {
    struct packet_address src, dst;
    uint32_t id;
    uint64_t scope; /* the tunnel it came in: users may have the same addresses */
    uint8_t protocol;
    size_t offset;
    bool more;
    struct cursor payload;
};
struct fragments *fragments_new(void);
void fragments_free(struct fragments *f);
/* Keeps a fragment. When it completes its datagram: true, and the datagram's payload, which the
 * caller frees with base_free. */
bool fragments_add(struct walk *w, const struct fragment *part, unsigned char **out,
                   size_t *n) BASE_CHECKED;

/* ---- messages of SCTP --------------------------------------------------------------------- */

struct sctp_chunk { /* of type DATA, a piece of a message */
    uint8_t flags;
    uint16_t stream;
    uint32_t tsn;
    struct cursor payload;
};
struct messages *messages_new(void);
void messages_free(struct messages *all);
/* Keeps a piece. When it completes its message: true, and the message, which the caller frees with
 * base_free. */
bool messages_add(struct walk *w, const struct sctp_chunk *c, unsigned char **out,
                  size_t *n) BASE_CHECKED;

/* ---- streams ----------------------------------------------------------------------------- */

struct streams *streams_new(void);
void streams_free(struct streams *s);
#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u
struct segment {
    const struct packet_ip *ip;
    uint32_t sequence;
    unsigned flags;
    struct cursor payload;
};
void streams_add(struct walk *w, const struct segment *s);

/* The tunnel that a packet came in, as a number that tells it from others; 0 outside. */
uint64_t walk_scope(const struct walk *w);

#endif
