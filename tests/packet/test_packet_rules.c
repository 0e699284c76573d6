/*
 * The rules of signalling on packets made by hand: what each must say, and what it must not. A
 * network of one SMF, one UPF and one gNB with one session stands at the beginning of each.
 */
#include "packet/packet.h"
#include "packets.h"
#include "test.h"

#define SMF   0x0a000001u
#define UPF   0x0a000002u
#define GNB   0x0a000003u
#define AMF   0x0a000004u
#define EVIL  0x0a000042u
#define UE    0x0a3c0001u
#define FAR   0xc6336407u /* 198.51.100.7 */
#define UE_V6 "20010db8000000010000000000000001"

struct net {
    struct packet_decoder *d;
    uint64_t number;
    int64_t now_us;
    struct packet_gpdu last;
    char alerts[4000]; /* names, each with a blank behind it */
    uint64_t frames[64];
    unsigned count, of_user; /* of_user: that start with "a user" */
};

static bool on_event(void *ctx, const struct packet_event *v)
{
    struct net *t = ctx;
    if (v->kind == PACKET_EVENT_GPDU && v->depth == 1)
        t->last = *v->gpdu;
    if (v->kind != PACKET_EVENT_ALERT)
        return false;
    size_t n = strlen(t->alerts);
    snprintf(t->alerts + n, sizeof t->alerts - n, "%s ", v->alert->rule->name);
    if (t->count < 64)
        t->frames[t->count++] = v->alert->frame;
    CHECK(v->alert->message.n > 0 && v->alert->interface != NULL);
    CHECK_ROW(!strstr(v->alert->message.p, "10.60."), "%s", v->alert->message.p);
    t->of_user += str_starts(v->alert->message, STR("a user "));
    return false;
}

static void net_begin(struct net *t, const char *config)
{
    struct packet_options o = {.rules = true, .event = on_event, .ctx = t};
    static struct packet_config *c;
    struct err e;
    packet_config_free(c);
    c = NULL;
    memset(t, 0, sizeof *t);
    t->now_us = 1000000000000;
    if (config && !packet_config_parse(str_of(config), &c, &e))
        abort();
    o.config = c;
    memset(o.key, 7, sizeof o.key);
    if (!packet_decoder_new(&o, &t->d, &e))
        abort();
}

static void net_end(struct net *t, const char *alerts)
{
    if (t->d)
        packet_decode_end(t->d);
    CHECK_ROW(strcmp(t->alerts, alerts) == 0, "\"%s\" instead of \"%s\"", t->alerts, alerts);
    packet_decoder_free(t->d);
}

static void send(struct net *t, const struct bytes *frame)
{
    struct packet_frame f = frame_of(frame, ++t->number, t->now_us);
    packet_decode(t->d, &f);
    t->now_us += 1000;
}

static void send_udp(struct net *t, uint32_t src, uint32_t dst, unsigned port,
                     const struct bytes *payload)
{
    struct bytes f = udp_frame(src, dst, port, port, payload);
    send(t, &f);
}

static struct bytes pfcp_with(unsigned type, int64_t seid, const struct bytes *elements)
{
    static uint32_t sequence;
    bool answers = type < 50 ? type % 2 == 0 : type % 2 == 1; /* the request that came before */
    sequence += !answers;
    return pfcp_of(type, seid, sequence, elements);
}

static struct bytes pfcp_next(unsigned type, int64_t seid, const char *elements)
{
    struct bytes e = {.n = 0};
    put_hex(&e, elements);
    return pfcp_with(type, seid, &e);
}

static void send_pfcp(struct net *t, uint32_t src, uint32_t dst, unsigned type, int64_t seid,
                      const char *elements)
{
    struct bytes m = pfcp_next(type, seid, elements);
    send_udp(t, src, dst, 8805, &m);
}

/* ---- the network ------------------------------------------------------------------------- */

#define NODE_ID(a) "003c000500" a
#define ACCEPTED   "0013000101"
#define START(t)   "00600004" t

static void associate(struct net *t)
{
    send_pfcp(t, SMF, UPF, 5, -1, NODE_ID("0a000001") START("e0000001"));
    send_pfcp(t, UPF, SMF, 6, -1, NODE_ID("0a000002") ACCEPTED START("e0000002"));
}

/* CP SEID 15, UP SEID 8; uplink TEID 8 at the UPF; the user has `ue`. */
static void establish(struct net *t, const char *ue)
{
    struct bytes pdi = {.n = 0}, pdr = {.n = 0}, far = {.n = 0}, all = {.n = 0};
    put_element_hex(&pdi, 20, "00");                   /* source: access */
    put_element_hex(&pdi, 21, "01 00000008 0a000002"); /* F-TEID */
    if (ue)
        put_element_hex(&pdi, 93, ue);
    put_element_hex(&pdr, 56, "0001");
    put_element_hex(&pdr, 29, "00000000");
    put_element(&pdr, 2, &pdi);
    put_element_hex(&pdr, 108, "00000001");
    put_element_hex(&far, 108, "00000001");
    put_element_hex(&far, 44, "02");
    put_element_hex(&all, 60, "00 0a000001");
    put_element_hex(&all, 57, "02 000000000000000f 0a000001");
    put_element(&all, 1, &pdr);
    put_element(&all, 3, &far);
    struct bytes m = pfcp_with(50, 0, &all);
    send_udp(t, SMF, UPF, 8805, &m);
    send_pfcp(t, UPF, SMF, 51, 15,
              NODE_ID("0a000002") ACCEPTED "0039000d 02 0000000000000008 0a000002");
}

#define UE_V4_ELEMENT  "02 0a3c0001"
#define UE_V46_ELEMENT "03 0a3c0001 " UE_V6

/* A modification that sends FAR 2 to an address and TEID, by `src`. */
static void forward(struct net *t, uint32_t src, unsigned interface, uint32_t to, uint32_t teid)
{
    struct bytes creation = {.n = 0}, parameters = {.n = 0}, far = {.n = 0}, all = {.n = 0};
    put_hex(&creation, "0100");
    put_number(&creation, teid, 4);
    put_number(&creation, to, 4);
    struct bytes access = {.n = 0};
    put_number(&access, interface, 1);
    put_element(&parameters, 42, &access);
    put_element(&parameters, 84, &creation);
    put_element_hex(&far, 108, "00000002");
    put_element(&far, 11, &parameters);
    put_element(&all, 10, &far);
    struct bytes m = pfcp_with(52, 8, &all);
    send_udp(t, src, UPF, 8805, &m);
    send_pfcp(t, UPF, src, 53, 15, ACCEPTED);
}

static struct bytes user_packet(uint32_t src, unsigned protocol, unsigned port,
                                const struct bytes *payload)
{
    struct bytes upper = protocol == 17 ? udp_of(4000, port, payload)
                                        : tcp_of(4000, port, 1, 0x18, payload->p, payload->n);
    return ipv4_of(src, 0x5db8d822, protocol, &upper);
}

static void send_gpdu(struct net *t, uint32_t src, uint32_t dst, uint32_t teid,
                      const struct bytes *content)
{
    struct bytes g = gtpu_of(255, teid, content);
    send_udp(t, src, dst, 2152, &g);
}

static void user_sends(struct net *t, uint32_t address, unsigned count)
{
    struct bytes hello = {.n = 0};
    put(&hello, "hello", 5);
    struct bytes p = user_packet(address, 17, 9999, &hello);
    for (unsigned i = 0; i < count; i++)
        send_gpdu(t, GNB, UPF, 8, &p);
}

/* ---- NGAP -------------------------------------------------------------------------------- */

#define RAN_ID     "0055 00 02 00 01"
#define AMF_ID(id) "000a 00 02 00 " id

static unsigned ngap_port = 40000; /* of gNBs */
static size_t ngap_piece;          /* not 0: bytes of a DATA chunk */
static int ngap_lost = -1;         /* the piece that is lost, ... */
static bool ngap_twice;            /* ... or all come twice */
static uint32_t ngap_tsn = 1000;
static unsigned char ngap_protocol = 60;

/* Messages in chunks of `ngap_piece` bytes, each in a packet of its own. */
static void send_pieces(struct net *t, uint32_t src, uint32_t dst, const struct bytes *m)
{
    bool up = dst == AMF;
    size_t size = ngap_piece ? ngap_piece : m->n;
    int number = 0;
    for (size_t at = 0; at < m->n; at += size, number++, ngap_tsn++) {
        struct bytes piece = {.n = 0};
        size_t n = m->n - at < size ? m->n - at : size;
        put(&piece, m->p + at, n);
        unsigned flags = (at == 0 ? 2u : 0) | (at + n == m->n ? 1u : 0);
        struct bytes s =
            ngap_piece_of(up ? ngap_port : 38412, up ? 38412 : ngap_port, ngap_tsn, flags, &piece);
        s.p[27] = ngap_protocol;
        struct bytes ip = ipv4_of(src, dst, 132, &s), f = ethernet_of(0x0800, &ip);
        for (int times = 0; times < 1 + ngap_twice && number != ngap_lost; times++)
            send(t, &f);
    }
}

static void send_ngap(struct net *t, uint32_t src, uint32_t dst, unsigned choice,
                      unsigned procedure, const char *elements)
{
    struct bytes e = {.n = 0}, value = {.n = 0}, m = {.n = 0};
    unsigned count = 0;
    put_hex(&e, elements);
    for (size_t i = 0; i + 4 <= e.n; i += 4u + e.p[i + 3]) /* lengths below 128 */
        count++;
    put_number(&value, 0, 1);
    put_number(&value, count, 2);
    put_bytes(&value, &e);
    put_number(&m, choice << 5, 1);
    put_number(&m, procedure, 1);
    put_number(&m, 0, 1);
    put_number(&m, 0x8000 | value.n, 2);
    put_bytes(&m, &value);
    send_pieces(t, src, dst, &m);
}

static void sctp_begin(struct net *t, uint32_t src)
{
    struct bytes s = {.n = 0};
    put_number(&s, ngap_port, 2);
    put_hex(&s, "960c 00000000 00000000 01000014 00000001 00010000 000a000a 00000001");
    struct bytes ip = ipv4_of(src, AMF, 132, &s), f = ethernet_of(0x0800, &ip);
    send(t, &f);
}

#define NGAP_ACCEPTED 1

/* The AMF's answer to a HEARTBEAT. */
static void sctp_beat(struct net *t, uint32_t src)
{
    struct bytes s = {.n = 0};
    put_hex(&s, "960c");
    put_number(&s, ngap_port, 2);
    put_hex(&s, "00000000 00000000 05000008 00010004");
    struct bytes ip = ipv4_of(AMF, src, 132, &s), f = ethernet_of(0x0800, &ip);
    send(t, &f);
}

static void sctp_accept(struct net *t, uint32_t src)
{
    struct bytes s = {.n = 0};
    put_hex(&s, "960c");
    put_number(&s, ngap_port, 2);
    put_hex(&s, "00000000 00000000 0b000004");
    struct bytes ip = ipv4_of(AMF, src, 132, &s), f = ethernet_of(0x0800, &ip);
    send(t, &f);
}

#define SETUP_ELEMENTS "001b 00 09 00 09f107 50 00 08 00 00"

static void gnb_begins(struct net *t, uint32_t src)
{
    sctp_begin(t, src);
    send_ngap(t, src, AMF, 0, 21, SETUP_ELEMENTS);
    send_ngap(t, AMF, src, 1, 21, "");
}

/* A user's session as NGAP tells: uplink TEID 8 at the UPF, downlink TEID 5 at the gNB. */
static void ngap_session(struct net *t)
{
    send_ngap(t, AMF, GNB, 0, 29,
              AMF_ID("01") RAN_ID
              "004a 00 1f 00 00 01 20 01 17 0000 02 008b 00 0a 01f0 0a000002 00000008"
              "0086 00 01 00 00 00 00 00 00");
    send_ngap(t, GNB, AMF, 1, 29,
              AMF_ID("01") RAN_ID "004b 00 11 00 00 01 0d 00 03e0 0a000003 00000005 0000 01");
}

static void standard(struct net *t, const char *config)
{
    net_begin(t, config);
    associate(t);
    establish(t, UE_V4_ELEMENT);
    user_sends(t, UE, 20);
    CHECK(t->last.joined && t->last.direction == PACKET_UPLINK);
}

/* ---- rules of GTP ------------------------------------------------------------------------ */

static void test_gtp_in_gtp(void)
{
    struct net t;
    struct bytes hello = {.n = 0}, none = {.n = 0};
    put(&hello, "hello", 5);
    struct bytes deep = user_packet(UE, 17, 53, &none), inner = gtpu_of(255, 9, &deep);
    struct bytes empty = gtpu_of(255, 9, &none); /* CVE-2021-45462 */
    struct bytes nested = user_packet(UE, 17, 2152, &inner);
    struct bytes crash = user_packet(UE, 17, 2152, &empty);
    struct bytes other = user_packet(UE, 17, 2152, &hello); /* the port, but no GTP */
    standard(&t, NULL);
    send_gpdu(&t, GNB, UPF, 8, &nested);
    send_gpdu(&t, GNB, UPF, 8, &crash);
    send_gpdu(&t, GNB, UPF, 8, &other);
    net_end(&t, "gtp-in-gtp gtp-in-gtp ");
    standard(&t, "relay 10.0.0.3\n");
    send_gpdu(&t, GNB, UPF, 8, &nested);
    net_end(&t, "");
}

static void test_core_from_ue(void)
{
    struct net t;
    struct bytes none = {.n = 0}, deletion = pfcp_of(54, 8, 1, &none);
    struct bytes p = user_packet(UE, 17, 8805, &deletion);
    struct bytes tcp = tcp_of(4000, 443, 1, 2, NULL, 0), c = ipv4_of(UE, 0xc6120001, 6, &tcp);
    standard(&t, NULL);
    send_gpdu(&t, GNB, UPF, 8, &p);
    send_gpdu(&t, GNB, UPF, 8, &c);
    net_end(&t, "core-protocol-from-ue ");
    standard(&t, "core 198.18.0.0/15 # where the NFs are\n");
    send_gpdu(&t, GNB, UPF, 8, &c);
    net_end(&t, "core-protocol-from-ue ");
    struct bytes hidden = ipv4_of(UE, 0x5db8d822, 4, &c); /* IP in IP */
    standard(&t, "core 198.18.0.0/15\n");
    send_gpdu(&t, GNB, UPF, 8, &hidden);
    net_end(&t, "core-protocol-from-ue ");
}

static void test_ue_source(void)
{
    struct net t;
    struct bytes hello = {.n = 0};
    put(&hello, "hello", 5);
    struct bytes udp = udp_of(1, 2, &hello);
    standard(&t, NULL);
    user_sends(&t, UE + 1, 10);
    net_end(&t, "ue-source-mismatch ue-source-mismatch ue-source-mismatch ue-source-mismatch "
                "ue-source-mismatch ue-source-mismatch ue-source-mismatch ue-source-mismatch "
                "ue-source-mismatch ue-source-mismatch ");
    net_begin(&t, NULL);
    associate(&t);
    establish(&t, NULL); /* as at an SGW-U: the session names no user */
    user_sends(&t, UE + 1, 10);
    CHECK(t.last.joined);
    net_end(&t, "");
    net_begin(&t, NULL);
    associate(&t);
    establish(&t, UE_V46_ELEMENT);
    struct bytes same = ipv6_of("20010db800000001ffffffffffffffff", UE_V6, 17, &udp);
    struct bytes local = ipv6_of("fe800000000000000000000000000001", UE_V6, 17, &udp);
    struct bytes unset = ipv6_of("00000000000000000000000000000000", UE_V6, 17, &udp);
    struct bytes other = ipv6_of("20010db8000000020000000000000001", UE_V6, 17, &udp);
    send_gpdu(&t, GNB, UPF, 8, &same);
    send_gpdu(&t, GNB, UPF, 8, &local);
    send_gpdu(&t, GNB, UPF, 8, &unset);
    CHECK(t.count == 0);
    send_gpdu(&t, GNB, UPF, 8, &other);
    net_end(&t, "ue-source-mismatch ");
}

static void scan_from(struct net *t, uint32_t src, unsigned count)
{
    struct bytes none = {.n = 0};
    for (unsigned i = 0; i < count; i++)
        send_gpdu(t, src, UPF, 1000 + i, &none);
}

static void scan(struct net *t, unsigned count, bool answered)
{
    struct bytes hello = {.n = 0}, none = {.n = 0};
    put(&hello, "hello", 5);
    struct bytes p = user_packet(UE, 17, 9999, &hello), error = gtpu_of(26, 0, &none);
    for (unsigned i = 0; i < count; i++) {
        send_gpdu(t, EVIL, UPF, 1000 + i, &p);
        if (answered)
            send_udp(t, UPF, EVIL, 2152, &error);
    }
}

static void test_teid_scan(void)
{
    struct net t;
    standard(&t, NULL);
    scan(&t, 300, true);
    net_end(&t, "teid-scan ");
    standard(&t, NULL);
    scan(&t, 31, false);
    net_end(&t, "");
    standard(&t, NULL);
    scan(&t, 32, false);
    net_end(&t, "teid-scan ");
    net_begin(&t, NULL); /* a table that knows nothing: every TEID is unknown */
    scan(&t, 300, true);
    net_end(&t, "");
}

static void test_echo(void)
{
    struct net t;
    static const struct {
        const char *hex;
        bool odd;
    } rows[] = {
        {"32 02 0006 00000000 0000 00 00 0e 07", false},
        {"32 01 0004 00000000 0000 00 00", false},
        {"32 01 000a 00000000 0000 00 00 ff 0003 000101", false}, /* private extension */
        {"40 01 0009 000001 00 03 0001 00 05", false},            /* version 2, recovery */
        {"00 01 0000 00000000 deadbeefdeadbeefdeadbeef", true},   /* GTPDOOR */
        {"32 01 0004 00000000 0000 00 00 deadbeef", true},        /* behind its length */
        {"32 01 0008 00000000 0000 00 00 deadbeef", true},        /* no elements */
        {"40 01 0009 000001 00 2a 0001 00 05", true},
        {"40 01 0004 000001 00 deadbeef", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes valid = {.n = 0}, echo = {.n = 0};
        put_hex(&valid, rows[0].hex);
        put_hex(&echo, rows[i].hex);
        net_begin(&t, NULL);
        send_udp(&t, UPF, EVIL, 2123, &echo); /* nobody has spoken GTP before */
        CHECK(t.count == 0);
        send_udp(&t, UPF, SMF, 2123, &valid);
        send_udp(&t, EVIL, UPF, 2123, &echo);
        net_end(&t, rows[i].odd ? "gtp-echo-with-payload " : "");
        standard(&t, NULL); /* a gNB that was heard by its users' traffic alone */
        send_udp(&t, GNB, EVIL, 2152, &echo);
        net_end(&t, rows[i].odd ? "gtp-echo-with-payload " : "");
    }
}

static void test_urgent(void)
{
    struct net t;
    struct bytes tcp = tcp_of(22, 54322, 1, 0x14, NULL, 0);
    tcp.p[19] = 1;
    struct bytes ip = ipv4_of(UPF, EVIL, 6, &tcp), f = ethernet_of(0x0800, &ip);
    net_begin(&t, NULL);
    send(&t, &f);
    f.p[14 + 20 + 13] = 0x34; /* URG is set: nothing odd */
    send(&t, &f);
    ip = ipv4_of(UE, EVIL, 6, &tcp); /* whose address no alert holds */
    f = ethernet_of(0x0800, &ip);
    send(&t, &f);
    net_end(&t, "tcp-urgptr-without-urg tcp-urgptr-without-urg ");
}

static void test_n6(void)
{
    struct net t;
    struct bytes none = {.n = 0}, g = gtpu_of(255, 1, &none);
    net_begin(&t, "n6 203.0.113.0/24\n");
    send_udp(&t, 0xcb007109, FAR, 2152, &g);
    send_udp(&t, 0xcb007109, UE, 2152, &g); /* whose address no alert holds */
    send_udp(&t, UE, 0xcb007109, 2152, &g);
    send_udp(&t, GNB, UPF, 2152, &g);
    net_end(&t, "gtp-on-n6 gtp-on-n6 gtp-on-n6 ");
    net_begin(&t, NULL);
    struct bytes zero = gtpu_of(255, 0, &none);
    send_udp(&t, GNB, UPF, 2152, &zero);
    net_end(&t, "teid-zero ");
}

/* ---- rules of PFCP ----------------------------------------------------------------------- */

static void test_non_owner(void)
{
    struct net t;
    standard(&t, NULL);
    send_pfcp(&t, EVIL, UPF, 54, 8, "");
    send_pfcp(&t, UPF, EVIL, 55, 15, ACCEPTED);
    net_end(&t, "pfcp-session-request-from-non-owner "); /* P3 says nothing of the same message */
    standard(&t, NULL);
    send_pfcp(&t, SMF, UPF, 54, 8, "");
    send_pfcp(&t, UPF, SMF, 55, 15, ACCEPTED);
    t.now_us += 20000000;
    user_sends(&t, UE, 1);
    CHECK(!t.last.joined);
    net_end(&t, "");
    standard(&t, "peer 10.0.0.66\n"); /* of the SMF's set */
    send_pfcp(&t, EVIL, UPF, 54, 8, "");
    net_end(&t, "");
}

static void guess(struct net *t, uint32_t src, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        send_pfcp(t, src, UPF, 54, 1000 + i, "");
        send_pfcp(t, UPF, src, 55, 0, "0013000141");
    }
}

/* From the port of another protocol, to which the answers go. */
static void test_guessing_from_ports(void)
{
    static const unsigned ports[] = {53, 2123, 2152, 3386, 4789, 6081, 40000};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        struct net t;
        standard(&t, NULL);
        for (unsigned k = 0; k < 64; k++) {
            struct bytes asks = pfcp_next(54, 1000 + k, ""), is = pfcp_next(55, 0, "0013000141");
            struct bytes there = udp_frame(EVIL, UPF, ports[i], 8805, &asks),
                         back = udp_frame(UPF, EVIL, 8805, ports[i], &is);
            send(&t, &there);
            send(&t, &back);
        }
        net_end(&t, "pfcp-seid-guessing ");
    }
}

static void test_guessing(void)
{
    struct net t;
    standard(&t, NULL);
    guess(&t, EVIL, 64);
    net_end(&t, "pfcp-seid-guessing ");
    standard(&t, NULL);
    guess(&t, SMF, 5);
    net_end(&t, "pfcp-seid-guessing ");
    standard(&t, NULL);
    guess(&t, SMF, 4);
    net_end(&t, "");
}

static void beat(struct net *t, uint32_t src, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        send_pfcp(t, src, UPF, 1, -1, START("e0000009"));
}

static void test_unassociated(void)
{
    struct net t;
    standard(&t, NULL);
    send_pfcp(&t, EVIL, UPF, 54, 4711, "");
    net_end(&t, "pfcp-unassociated-peer ");
    CHECK(t.frames[0] == t.number);
    standard(&t, NULL); /* an answer that nobody asked for associates nobody */
    send_pfcp(&t, EVIL, FAR, 6, -1, NODE_ID("c0000207") ACCEPTED START("e0000001"));
    send_pfcp(&t, EVIL, SMF, 6, -1, NODE_ID("c0000207") ACCEPTED START("e0000001"));
    send_pfcp(&t, EVIL, UPF, 54, 4711, "");
    net_end(&t, "pfcp-unassociated-peer ");
    standard(&t, NULL); /* … and one that was, does */
    send_pfcp(&t, EVIL, UPF, 5, -1, NODE_ID("c0000207") START("e0000001"));
    send_pfcp(&t, UPF, EVIL, 6, -1, NODE_ID("0a000002") ACCEPTED START("e0000002"));
    send_pfcp(&t, EVIL, UPF, 54, 4711, "");
    net_end(&t, "");
    standard(&t, NULL);
    beat(&t, EVIL, 10);
    net_end(&t, "");
    standard(&t, NULL);
    beat(&t, EVIL, 11);
    t.now_us += 20000000;
    user_sends(&t, UE, 1); /* it is told when it is ripe, not only at the end */
    CHECK(t.count == 1 && t.frames[0] + 1 == t.number);
    net_end(&t, "pfcp-unassociated-peer ");
    net_begin(&t, NULL); /* the association was before the capture */
    beat(&t, SMF, 20);
    establish(&t, UE_V4_ELEMENT);
    net_end(&t, "");
    net_begin(&t, NULL); /* and nothing shows who belongs together */
    beat(&t, SMF, 20);
    send_pfcp(&t, SMF, UPF, 54, 4711, "");
    net_end(&t, "");
}

static void test_flood(void)
{
    struct net t;
    standard(&t, NULL);
    t.now_us += 70000000;
    beat(&t, EVIL, 400);
    net_end(&t, "pfcp-flood pfcp-unassociated-peer ");
    standard(&t, NULL);
    t.now_us += 70000000;
    for (unsigned i = 0; i < 600; i++) { /* half of the floor */
        beat(&t, SMF, 1);
        t.now_us += 9000;
    }
    net_end(&t, "");
    standard(&t, NULL); /* strangers restore nothing */
    for (unsigned i = 0; i < 600; i++)
        send_pfcp(&t, EVIL, UPF, 50, 0, NODE_ID("c0000207"));
    net_end(&t, "pfcp-flood pfcp-unassociated-peer ");
    for (unsigned anew = 0; anew < 2; anew++) { /* sessions are restored after a start, once */
        standard(&t, NULL);
        t.now_us += 70000000;
        send_pfcp(&t, SMF, UPF, 5, -1, NODE_ID("0a000001") START("e0000001"));
        send_pfcp(&t, UPF, SMF, 6, -1,
                  anew ? NODE_ID("0a000002") ACCEPTED START("e0000009")
                       : NODE_ID("0a000002") ACCEPTED START("e0000002"));
        for (unsigned i = 0; i < 400; i++)
            establish(&t, UE_V4_ELEMENT);
        net_end(&t, anew ? "" : "pfcp-flood ");
    }
}

static void test_unknown_peer(void)
{
    struct net t;
    standard(&t, NULL);
    forward(&t, SMF, 0, FAR, 0x1337); /* NGAP is not seen here: nobody can know */
    net_end(&t, "");
    standard(&t, NULL);
    gnb_begins(&t, GNB);
    ngap_session(&t);
    forward(&t, SMF, 0, GNB, 5);
    forward(&t, SMF, 1, FAR, 6); /* N9 */
    CHECK(t.count == 0);
    forward(&t, SMF, 0, FAR, 0x1337);
    net_end(&t, "pfcp-downlink-to-unknown-peer ");
}

static void test_takeover(void)
{
    struct net t;
    standard(&t, NULL);
    send_pfcp(&t, EVIL, UPF, 5, -1, NODE_ID("0a000001") START("e0000001"));
    send_pfcp(&t, EVIL, UPF, 9, -1, NODE_ID("0a000001"));
    net_end(&t, "pfcp-node-takeover pfcp-node-takeover ");
    standard(&t, NULL);
    send_pfcp(&t, SMF, UPF, 5, -1, NODE_ID("0a000001") START("e0000005")); /* it started anew */
    send_pfcp(&t, UPF, SMF, 6, -1, NODE_ID("0a000002") ACCEPTED START("e0000002"));
    user_sends(&t, UE, 1);
    CHECK(!t.last.joined);
    send_pfcp(&t, SMF, UPF, 5, -1, NODE_ID("0a000001") START("e0000003"));
    send_pfcp(&t, SMF, UPF, 5, -1, NODE_ID("0a000001") START("e0000003")); /* told once a minute */
    net_end(&t, "pfcp-node-takeover ");
}

static void test_malformed(void)
{
    struct net t;
    static const char *const bad[] = {
        "0001 0008 0038 0009 0001 0000", /* an element longer than its group */
        "0003 000c 0004 0008 0054 0004 0100 0000",
        "0003 0008 0004 0004 0054 0000",             /* Outer Header Creation of length 0 */
        "0001 000d 0002 0009 0015 0005 01 00000008", /* F-TEID without its address */
        "0039 0003 02 0000",                         /* F-SEID */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        standard(&t, NULL);
        send_pfcp(&t, SMF, UPF, 52, 8, bad[i]);
        net_end(&t, "pfcp-malformed ");
    }
    standard(&t, NULL);
    send_pfcp(&t, SMF, UPF, 52, 8, "8001 0004 0000 dead 7000 0001 00"); /* unknown ones are fine */
    CHECK(t.count == 0);
    send_pfcp(&t, SMF, UPF, 50, 0, NODE_ID("0a000001"));
    net_end(&t, "pfcp-malformed "); /* mandatory elements are absent */
}

/* ---- what is asked for comes to be when it is accepted ----------------------------------------
 */

#define REFUSED "0013000140"

/* An address that the session has not: so long as it is told, the session has another. */
static void check_user(struct net *t, uint32_t address, bool its_own)
{
    unsigned had = t->count;
    user_sends(t, address, 1);
    CHECK(t->last.joined && (t->count == had) == its_own);
    t->count = had;
    t->alerts[0] = '\0';
}

static void test_refused(void)
{
    static const char ue[] = "0001 0018 0002 0014 0014 0001 00 0015 0009 01 00000009 0a000002"
                             "005d 0005 02 0a3c0002";
    static const struct {
        const char *answer;
        uint32_t from;
        bool changes;
    } rows[] = {
        {REFUSED, UPF, false},   {"", UPF, false},
        {ACCEPTED, EVIL, false},                            /* who was not asked */
        {ACCEPTED, UPF, true},   {"0013000103", UPF, true}, /* in part */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net t;
        standard(&t, NULL);
        struct bytes m = {.n = 0};
        put_hex(&m, ue);
        m.p[3] = (unsigned char)(m.n - 4);
        m.p[7] = (unsigned char)(m.n - 8);
        struct bytes request = pfcp_with(52, 8, &m);
        send_udp(&t, SMF, UPF, 8805, &request);
        check_user(&t, UE, true);
        send_pfcp(&t, rows[i].from, SMF, 53, 15, rows[i].answer);
        check_user(&t, UE, !rows[i].changes);
        check_user(&t, UE + 1, rows[i].changes);
        net_end(&t, "");
    }
}

static void test_unasked(void)
{
    struct net t;
    standard(&t, NULL);
    send_pfcp(&t, UPF, SMF, 55, 15, ACCEPTED); /* the last request was no deletion */
    send_pfcp(&t, SMF, UPF, 54, 8, "");
    send_pfcp(&t, UPF, SMF, 55, 15, REFUSED);
    t.now_us += 20000000;
    check_user(&t, UE, true);
    send_pfcp(&t, SMF, UPF, 54, 8, "");
    t.now_us += ((int64_t)LIMIT_PACKET_ANSWER_S + 1) * 1000000; /* too late */
    send_pfcp(&t, UPF, SMF, 55, 15, ACCEPTED);
    t.now_us += 20000000;
    check_user(&t, UE, true);
    send_pfcp(&t, SMF, UPF, 54, 8, "");
    send_pfcp(&t, UPF, SMF, 55, 15, ACCEPTED);
    t.now_us += 20000000;
    user_sends(&t, UE, 1);
    CHECK(!t.last.joined);
    net_end(&t, "");
    standard(&t, NULL); /* the same F-SEID again, which is refused, and then accepted */
    struct bytes again = {.n = 0};
    put_hex(&again, NODE_ID("0a000001") "0039 000d 02 000000000000000f 0a000001"
                                        "0001 0006 0038 0002 0001 0003 0008 006c 0004 00000001");
    struct bytes m = pfcp_with(50, 0, &again);
    send_udp(&t, SMF, UPF, 8805, &m);
    check_user(&t, UE, true);
    send_pfcp(&t, UPF, SMF, 51, 15, NODE_ID("0a000002") REFUSED);
    t.now_us += 20000000;
    check_user(&t, UE, true);
    m = pfcp_with(50, 0, &again);
    send_udp(&t, SMF, UPF, 8805, &m);
    send_pfcp(&t, UPF, SMF, 51, 15,
              NODE_ID("0a000002") ACCEPTED "0039000d 02 0000000000000009 0a000002");
    t.now_us += 20000000;
    user_sends(&t, UE, 1);
    CHECK(!t.last.joined);
    t.alerts[0] = '\0';
    net_end(&t, "");
}

/* A node that asks two at once works together with both. */
static void test_two_at_once(void)
{
    struct net t;
    struct bytes ask = {.n = 0}, say = {.n = 0};
    put_hex(&ask, NODE_ID("0a000001") START("e0000001"));
    put_hex(&say, NODE_ID("0a000002") ACCEPTED START("e0000002"));
    struct bytes first = pfcp_of(5, -1, 7, &ask), second = pfcp_of(5, -1, 8, &ask);
    struct bytes one = pfcp_of(6, -1, 7, &say), two = pfcp_of(6, -1, 8, &say);
    two.p[16] = 9; /* another Node ID */
    net_begin(&t, NULL);
    send_udp(&t, SMF, UPF, 8805, &first);
    send_udp(&t, SMF, FAR, 8805, &second);
    send_udp(&t, FAR, SMF, 8805, &two);
    send_udp(&t, UPF, SMF, 8805, &one);
    send_pfcp(&t, EVIL, UPF, 54, 1, "");
    t.now_us += 20000000;
    send_pfcp(&t, EVIL, FAR, 54, 1, "");
    net_end(&t, "pfcp-unassociated-peer pfcp-unassociated-peer ");
}

/* Other addresses of an SMF are those of one that was accepted. */
static void test_alternatives(void)
{
    struct net t;
    standard(&t, NULL);
    send_pfcp(&t, EVIL, UPF, 5, -1, NODE_ID("c0000207") START("e0000001") "00b2 0005 02 c0000242");
    send_pfcp(&t, UPF, EVIL, 6, -1, NODE_ID("0a000002") REFUSED START("e0000002"));
    send_pfcp(&t, EVIL, UPF, 54, 8, "");
    net_end(&t, "pfcp-session-request-from-non-owner ");
}

/* As many messages as a datagram holds are read: what hides behind the others too. */
static void test_bundle(void)
{
    struct net t;
    struct bytes all = {.n = 0};
    standard(&t, NULL);
    for (unsigned i = 0; i < 30; i++) {
        struct bytes m = pfcp_next(1, -1, START("e0000009"));
        m.p[0] |= 4; /* another follows */
        put_bytes(&all, &m);
    }
    struct bytes last = pfcp_next(54, 8, "");
    put_bytes(&all, &last);
    send_udp(&t, EVIL, UPF, 8805, &all);
    net_end(&t, "pfcp-session-request-from-non-owner pfcp-unassociated-peer ");
}

/* The table of those who wait for their judgement has room for who comes. */
static void test_many_suspects(void)
{
    struct net t;
    net_begin(&t, NULL);
    for (uint32_t i = 0; i < 300; i++) /* of whom nothing can be said: their UPF has no peer */
        send_pfcp(&t, 0x0b000000 + i, FAR, 54, 1, "");
    associate(&t);
    send_pfcp(&t, EVIL, UPF, 54, 4711, "");
    net_end(&t, "pfcp-unassociated-peer ");
}

/* Each node keeps its name, however many there are. */
static void test_many_names(void)
{
    struct net t;
    net_begin(&t, NULL);
    for (uint32_t i = 0; i < 200; i++)
        for (unsigned turn = 0; turn < 2; turn++) {
            struct bytes e = {.n = 0};
            put_hex(&e, "003c 0005 00");
            put_number(&e, 0x0c000000 + i, 4);
            put_hex(&e, turn ? ACCEPTED START("e0000002") : START("e0000001"));
            struct bytes m = pfcp_with(turn ? 6 : 5, -1, &e);
            if (turn)
                send_udp(&t, UPF, 0x0c000000 + i, 8805, &m);
            else
                send_udp(&t, 0x0c000000 + i, UPF, 8805, &m);
        }
    t.alerts[0] = '\0'; /* the UPF told 200 names: that of the first is its own */
    t.count = 0;
    unsigned told = 0;
    for (uint32_t i = 0; i < 200; i++) {
        struct bytes e = {.n = 0};
        put_hex(&e, "003c 0005 00");
        put_number(&e, 0x0c000000 + i, 4);
        put_hex(&e, START("e0000001"));
        struct bytes m = pfcp_with(5, -1, &e);
        size_t had = t.count;
        send_udp(&t, EVIL, UPF, 8805, &m);
        told += t.count > had;
        t.alerts[0] = '\0';
        t.count = 0;
    }
    CHECK_ROW(told >= 190, "%u", told); /* five of one set of four are seldom */
    net_end(&t, "");
}

/* One handle for one subscriber, whatever else a message says of it. */
static void test_handles(void)
{
    static const char *const users[] = {
        "01 08 21436587092143f5",
        "03 08 21436587092143f5 08 1234567890123456",
        "02 08 1234567890123456",
    };
    unsigned char handles[3][16];
    for (size_t i = 0; i < 3; i++) {
        struct net t;
        struct bytes user = {.n = 0}, rest = {.n = 0};
        net_begin(&t, NULL);
        associate(&t);
        put_hex(&rest, NODE_ID("0a000001") "0039 000d 02 000000000000000f 0a000001"
                                           "0001 001c 0038 0002 0001 0002 0012 0014 0001 00 0015 "
                                           "0009 01 00000008 0a000002"
                                           "0003 0008 006c 0004 00000001");
        put_element_hex(&user, 141, users[i]);
        put_bytes(&rest, &user);
        struct bytes m = pfcp_with(50, 0, &rest);
        send_udp(&t, SMF, UPF, 8805, &m);
        send_pfcp(&t, UPF, SMF, 51, 15,
                  NODE_ID("0a000002") ACCEPTED "0039000d 02 0000000000000008 0a000002");
        user_sends(&t, UE, 1);
        CHECK(t.last.joined);
        memcpy(handles[i], t.last.handle, 16);
        net_end(&t, "");
    }
    CHECK(memcmp(handles[0], handles[1], 16) == 0 && memcmp(handles[0], handles[2], 16) != 0);
}

/* ---- rules of NGAP ----------------------------------------------------------------------- */

static void test_before_setup(void)
{
    struct net t;
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    send_ngap(&t, GNB, AMF, 0, 15, RAN_ID);
    send_ngap(&t, AMF, GNB, 0, 4, AMF_ID("01") RAN_ID);
    send_ngap(&t, GNB, AMF, 0, 46, AMF_ID("01") RAN_ID);
    CHECK(t.count == 0);
    sctp_begin(&t, EVIL);
    send_ngap(&t, EVIL, AMF, 0, 46, "000a 00 07 a0 010000000000" RAN_ID);
    net_end(&t, "ngap-before-setup ngap-unknown-ue-id ");
    ngap_protocol = 0; /* not said */
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    sctp_begin(&t, EVIL);
    send_ngap(&t, EVIL, AMF, 0, 46, "000a 00 07 a0 010000000000" RAN_ID);
    net_end(&t, "ngap-before-setup ngap-unknown-ue-id ");
    ngap_protocol = 60;
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    sctp_begin(&t, GNB); /* an INIT that nobody answers begins nothing anew */
    send_ngap(&t, GNB, AMF, 0, 15, RAN_ID);
    net_end(&t, "");
    net_begin(&t, NULL); /* … nor where the capture began after it */
    sctp_beat(&t, GNB);
    sctp_begin(&t, GNB);
    send_ngap(&t, GNB, AMF, 0, 15, RAN_ID);
    net_end(&t, "");
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    sctp_begin(&t, GNB);
    sctp_accept(&t, GNB); /* … and one that is, does */
    send_ngap(&t, GNB, AMF, 0, 15, RAN_ID);
    net_end(&t, "ngap-before-setup ");
    net_begin(&t, NULL); /* no INIT: it began before the capture */
    send_ngap(&t, GNB, AMF, 0, 46, AMF_ID("09") RAN_ID);
    net_end(&t, "");
}

/* Put together, a message says the same. */
static void test_pieces(void)
{
    for (size_t size = 1; size < 40; size += 3) {
        struct net t;
        ngap_piece = size;
        ngap_twice = size % 2;
        net_begin(&t, NULL);
        gnb_begins(&t, GNB);
        ngap_session(&t);
        CHECK_ROW(t.count == 0, "%d: %s", (int)size, t.alerts);
        net_end(&t, "");
        standard(&t, NULL);
        gnb_begins(&t, GNB);
        ngap_session(&t);
        CHECK_ROW(t.count == 0, "%d: %s", (int)size, t.alerts);
        forward(&t, SMF, 0, FAR, 0x1337); /* where NGAP was not seen, nobody could know */
        net_end(&t, "pfcp-downlink-to-unknown-peer ");
        net_begin(&t, NULL);
        gnb_begins(&t, GNB);
        ngap_session(&t);
        send_ngap(&t, GNB, AMF, 0, 46, AMF_ID("02") RAN_ID);
        ngap_lost = size < 12 ? 1 : -1; /* and what is lost says nothing */
        send_ngap(&t, GNB, AMF, 0, 46, AMF_ID("03") RAN_ID);
        ngap_lost = -1;
        send_ngap(&t, GNB, AMF, 0, 46, AMF_ID("04") RAN_ID);
        net_end(&t, size < 12 ? "ngap-unknown-ue-id ngap-unknown-ue-id "
                              : "ngap-unknown-ue-id ngap-unknown-ue-id ngap-unknown-ue-id ");
    }
    ngap_piece = 0;
    ngap_twice = false;
}

/* Who speaks NGAP is no gNB before the AMF works together with it. */
static void test_false_gnb(void)
{
    static const char transfer[] =
        AMF_ID("01") RAN_ID "004b 00 11 00 00 01 0d 00 03e0 c6336407 00000005 0000 01";
    for (unsigned answer = 0; answer < 3; answer++) {
        struct net t;
        standard(&t, NULL);
        gnb_begins(&t, GNB);
        ngap_session(&t);
        sctp_begin(&t, EVIL);
        send_ngap(&t, EVIL, AMF, 0, 21, SETUP_ELEMENTS);
        if (answer)
            send_ngap(&t, AMF, EVIL, answer, 21, "");
        t.count = 0;
        t.alerts[0] = '\0';
        send_ngap(&t, EVIL, AMF, 1, 29, transfer);
        forward(&t, SMF, 0, FAR, 5);
        net_end(&t, answer == NGAP_ACCEPTED ? "" : "pfcp-downlink-to-unknown-peer ");
    }
    for (unsigned heard = 0; heard < 2;
         heard++) { /* without a beginning, long after the capture's */
        struct net t;
        standard(&t, NULL);
        gnb_begins(&t, GNB);
        ngap_session(&t);
        t.now_us += 70000000;
        ngap_port = 40001;
        if (heard)
            sctp_beat(&t, EVIL);
        send_ngap(&t, EVIL, AMF, 1, 29, transfer);
        ngap_port = 40000;
        forward(&t, SMF, 0, FAR, 5);
        net_end(&t, heard ? "" : "pfcp-downlink-to-unknown-peer ");
    }
}

/* Whoever sends from a user's address (behind the UPF it stands in no tunnel) is not named. */
static void test_users_unnamed(void)
{
    struct net t;
    struct bytes odd = {.n = 0};
    put_hex(&odd, "00 01 0000 00000000 deadbeefdeadbeefdeadbeef");
    standard(&t, NULL);
    send_pfcp(&t, UE, UPF, 54, 8, "");
    send_pfcp(&t, UE, UPF, 52, 8, "0003 0008 0004 0004 0054 0000");
    send_pfcp(&t, UE, UPF, 5, -1, NODE_ID("0a000001") START("e0000001"));
    guess(&t, UE, 5);
    beat(&t, UE, 400);
    send_udp(&t, UE, GNB, 2152, &odd);
    scan_from(&t, UE, 32);
    forward(&t, SMF, 0, UE, 9);
    t.now_us += 20000000;
    send_pfcp(&t, SMF, UPF, 1, -1, START("e0000001"));
    net_end(&t, "pfcp-session-request-from-non-owner pfcp-malformed pfcp-node-takeover "
                "pfcp-seid-guessing pfcp-flood gtp-echo-with-payload teid-scan ");
    CHECK_ROW(t.of_user == 7, "%u", t.of_user);
}

/* A tunnel's packets are what they are from the ports of signalling too. */
static void test_gpdu_from_ports(void)
{
    static const unsigned ports[] = {2123, 8805, 3386, 53, 40000};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        for (unsigned sequence = 0; sequence < 2; sequence++) {
            struct net t;
            struct bytes hello = {.n = 0};
            put(&hello, "hello", 5);
            struct bytes p = user_packet(UE + 1, 17, 9999, &hello), g = {.n = 0};
            put_number(&g, sequence ? 0x32 : 0x30, 1);
            put_number(&g, 255, 1);
            put_number(&g, p.n + 4 * sequence, 2);
            put_number(&g, 8, 4);
            if (sequence)
                put_number(&g, 0, 4);
            put_bytes(&g, &p);
            standard(&t, NULL);
            struct bytes f = udp_frame(GNB, UPF, ports[i], 2152, &g);
            send(&t, &f);
            net_end(&t, "ue-source-mismatch ");
        }
}

/* NG Setup may come with COOKIE ECHO, before the AMF's COOKIE ACK. */
static void test_early_setup(void)
{
    struct net t;
    net_begin(&t, NULL);
    sctp_begin(&t, GNB);
    send_ngap(&t, GNB, AMF, 0, 21, SETUP_ELEMENTS);
    sctp_accept(&t, GNB);
    send_ngap(&t, GNB, AMF, 0, 15, RAN_ID);
    net_end(&t, "");
}

/* Some gNBs use the port of NGAP at their end too. */
static void test_same_ports(void)
{
    struct net t;
    ngap_port = 38412;
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    send_ngap(&t, GNB, AMF, 0, 15, RAN_ID);
    send_ngap(&t, AMF, GNB, 0, 4, AMF_ID("01") RAN_ID);
    send_ngap(&t, GNB, AMF, 0, 46, AMF_ID("01") RAN_ID);
    CHECK(t.count == 0);
    send_ngap(&t, GNB, AMF, 0, 46, AMF_ID("02") RAN_ID);
    net_end(&t, "ngap-unknown-ue-id ");
    ngap_port = 40000;
}

static void test_new_gnb(void)
{
    struct net t;
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    gnb_begins(&t, GNB + 0x100); /* a second one while all begin */
    gnb_begins(&t, GNB);         /* and one that begins again */
    t.now_us += 20000000;
    gnb_begins(&t, GNB);
    CHECK(t.count == 0);
    gnb_begins(&t, EVIL);
    net_end(&t, "ngap-new-gnb ");
    net_begin(&t, "gnb 10.0.0.3 id 00080000 plmn 90170\ngnb 10.0.0.66 id 00080001\n");
    gnb_begins(&t, GNB);
    CHECK(t.count == 0);
    gnb_begins(&t, EVIL); /* the address is listed, its id is another */
    net_end(&t, "ngap-new-gnb ");
}

static void test_storm(void)
{
    struct net t;
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    for (unsigned i = 0; i < 150; i++)
        send_ngap(&t, GNB, AMF, 0, 15, RAN_ID);
    net_end(&t, "ngap-storm ");
}

#define REQUEST(type, caps)                                                                        \
    "0026 00 1a 19 7e 00 41 " type " 000d 01 09f107 0000 00 00 0000000001 2e 04 " caps
#define COMMAND(algorithms, caps)                                                                  \
    "0026 00 12 11 7e 03 01020304 00 7e 00 5d " algorithms " 00 04 " caps
#define COMPLETE "0026 00 0b 0a 7e 04 01020304 00 7e 00 5e"

static void user_registers(struct net *t, const char *request)
{
    char elements[300];
    snprintf(elements, sizeof elements, "%s %s", RAN_ID, request);
    send_ngap(t, GNB, AMF, 0, 15, elements);
}

static void test_nas(void)
{
    struct net t;
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    user_registers(&t, REQUEST("79", "f0f0f0f0"));
    send_ngap(&t, AMF, GNB, 0, 4, AMF_ID("01") RAN_ID COMMAND("02", "f0f0f0f0"));
    send_ngap(&t, GNB, AMF, 0, 46, AMF_ID("01") RAN_ID COMPLETE);
    CHECK(t.count == 0);
    const struct packet_figures *f = packet_figures(t.d);
    CHECK(f->security_mode == 1 && f->null_ciphering == 1 && f->null_integrity == 0);
    CHECK(f->suci == 1 && f->null_scheme == 1 && f->registrations == 1);
    send_ngap(&t, AMF, GNB, 0, 4, AMF_ID("01") RAN_ID COMMAND("20", "f0f0f0f0"));
    send_ngap(&t, AMF, GNB, 0, 4, AMF_ID("01") RAN_ID COMMAND("22", "80f0f0f0"));
    send_ngap(&t, AMF, GNB, 0, 4, AMF_ID("01") RAN_ID COMMAND("22", "f0f0f0f0"));
    net_end(&t, "nas-null-integrity nas-capability-bidding-down nas-smc-loop ");
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    user_registers(&t, REQUEST("7c", "f0f0f0f0")); /* emergency */
    send_ngap(&t, AMF, GNB, 0, 4, AMF_ID("01") RAN_ID COMMAND("00", "f0f0f0f0"));
    net_end(&t, "");
}

static void test_path_switch(void)
{
    struct net t;
    net_begin(&t, NULL);
    gnb_begins(&t, GNB);
    send_ngap(&t, AMF, GNB, 0, 14, AMF_ID("01") RAN_ID "0077 00 09 1c000e000000000000");
    send_ngap(&t, GNB, AMF, 0, 25, "0064 00 02 00 01" RAN_ID "0077 00 09 1c000e000000000000");
    CHECK(t.count == 0);
    send_ngap(&t, GNB, AMF, 0, 25, "0064 00 02 00 01" RAN_ID "0077 00 09 000000000000000000");
    net_end(&t, "nas-capability-bidding-down ");
}

/* ---- configuration ----------------------------------------------------------------------- */

static void test_config(void)
{
    static const char *const bad[] = {
        "gnb",
        "gnb 10.0.0",
        "gnb 10.0.0.1 id",
        "gnb 10.0.0.1 plmn 12",
        "core 1.2.3.4/33",
        "core x",
        "limit teids 0",
        "limit none 3",
        "nonsense 1",
        "gnb ::1 tac 99999999999",
        "peer",
        "limit teids x",
    };
    struct packet_config *c;
    struct err e;
    CHECK(packet_config_parse(STR_NONE, &c, &e));
    packet_config_free(c);
    CHECK(packet_config_parse(STR("# all\n\n gnb 2001:db8::1 tac 1\ncore 10.0.0.0/8\r\n"
                                  "limit teids 64 # more\nn6 ::/0\nrelay 10.1.1.1\n"),
                              &c, &e));
    packet_config_free(c);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ROW(!packet_config_parse(str_of(bad[i]), &c, &e) && strstr(e.msg, "line 1"), "%s: %s",
                  bad[i], e.msg);
    size_t count;
    const struct packet_rule *rules = packet_rules(&count);
    for (size_t i = 0; i < count; i++)
        CHECK_ROW(rules[i].id[0] && rules[i].name[0] && rules[i].condition[0], "rule %zu", i);
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_gtp_in_gtp,
        test_core_from_ue,
        test_ue_source,
        test_teid_scan,
        test_echo,
        test_urgent,
        test_n6,
        test_non_owner,
        test_guessing,
        test_guessing_from_ports,
        test_unassociated,
        test_flood,
        test_unknown_peer,
        test_takeover,
        test_malformed,
        test_before_setup,
        test_refused,
        test_unasked,
        test_two_at_once,
        test_alternatives,
        test_bundle,
        test_many_suspects,
        test_many_names,
        test_handles,
        test_false_gnb,
        test_users_unnamed,
        test_gpdu_from_ports,
        test_early_setup,
        test_pieces,
        test_same_ports,
        test_new_gnb,
        test_storm,
        test_nas,
        test_path_switch,
        test_config,
    };
    struct err e;
    if (!crypt_init(&e))
        abort();
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tests[i]();
    TEST_END();
}
