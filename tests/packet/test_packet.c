/*
 * Decoding, on packets made by hand: streams and fragments in every order, link layers, sessions
 * and their memory, capture files, and what happens when memory ends.
 */
#define PACKETS_MOST 900
#include "packet/packet.h"

#include <sys/mman.h>
#include <unistd.h>

#include "packets.h"
#include "test.h"

struct seen {
    struct packet_decoder *d;
    uint64_t number;
    int64_t now_us;
    char texts[2000]; /* FIELD TEXT, each with a line feed */
    unsigned ips, anomalies[PACKET_ANOMALIES];
    bool quiet; /* finds nothing in addresses */
    struct packet_gpdu last;
};

static bool on_event(void *ctx, const struct packet_event *v)
{
    struct seen *s = ctx;
    size_t n = strlen(s->texts);
    if (v->kind == PACKET_EVENT_TEXT)
        snprintf(s->texts + n, sizeof s->texts - n, "%s %.*s\n", packet_field_name(v->text->field),
                 STR_FMT(v->text->text));
    s->ips += v->kind == PACKET_EVENT_IP;
    if (v->kind == PACKET_EVENT_ANOMALY)
        s->anomalies[v->anomaly]++;
    if (v->kind == PACKET_EVENT_GPDU && v->depth == 1)
        s->last = *v->gpdu;
    return s->quiet;
}

static void seen_begin(struct seen *s, size_t sessions)
{
    struct packet_options o = {
        .rules = true, .event = on_event, .ctx = s, .sessions_max = sessions};
    struct err e;
    memset(s, 0, sizeof *s);
    s->now_us = 1000000000;
    if (!packet_decoder_new(&o, &s->d, &e))
        abort();
}

static void seen_end(struct seen *s, const char *texts, const char *what)
{
    packet_decode_end(s->d);
    packet_decoder_free(s->d);
    if (texts)
        CHECK_ROW(strcmp(s->texts, texts) == 0, "%s: \"%s\" instead of \"%s\"", what, s->texts,
                  texts);
}

static void send_link(struct seen *s, int link, const struct bytes *b)
{
    unsigned char *exact = malloc(b->n ? b->n : 1);
    if (exact == NULL)
        abort();
    memcpy(exact, b->p, b->n);
    struct packet_frame f = frame_of(b, ++s->number, s->now_us);
    f.p = exact;
    f.link = link;
    packet_decode(s->d, &f);
    free(exact);
    s->now_us += 1000;
}

static void send_ip(struct seen *s, const struct bytes *ip)
{
    send_link(s, 12, ip);
}

#define TCP_SYN 0x02u
#define CLIENT  0x0a000001u
#define SERVER  0x0a000002u

/* ---- streams ----------------------------------------------------------------------------- */

#define REQUEST "GET /x HTTP/1.1\r\nA: b\r\nHost: ioc.example\r\n\r\n"
#define URL     "http http://ioc.example/x\n"

static struct bytes client_hello(bool two_records)
{
    struct bytes name = {.n = 0}, hello = {.n = 0}, b = {.n = 0};
    put_hex(&name, "0000 000f 000d 00 000a");
    put(&name, "ioc.exampl", 10);
    put_number(&hello, 0x0303, 2);
    for (unsigned i = 0; i < 32; i++)
        put_number(&hello, i, 1);
    put_hex(&hello, "00 0002 1301 01 00");
    put_number(&hello, name.n, 2);
    put_bytes(&hello, &name);
    size_t whole = hello.n + 4, first = two_records ? 20 : whole;
    struct bytes message = {.n = 0};
    put_number(&message, 1, 1);
    put_number(&message, hello.n, 3);
    put_bytes(&message, &hello);
    for (size_t at = 0; at < whole; at += first) {
        size_t n = whole - at < first ? whole - at : first;
        put_hex(&b, "160301");
        put_number(&b, n, 2);
        put(&b, message.p + at, n);
    }
    return b;
}

static void segment(struct seen *s, unsigned port, uint32_t sequence, unsigned flags, const void *p,
                    size_t n)
{
    struct bytes tcp = tcp_of(5000, port, sequence, flags, p, n);
    struct bytes ip = ipv4_of(CLIENT, SERVER, 6, &tcp);
    send_ip(s, &ip);
}

/* In two pieces, in both orders, with and without SYN; byte by byte; overlapping and repeated. */
static void check_stream(unsigned port, const struct bytes *b, const char *text)
{
    struct seen s;
    for (size_t cut = 1; cut < b->n; cut++) {
        for (unsigned order = 0; order < 3; order++) {
            seen_begin(&s, 0);
            if (order)
                segment(&s, port, 99, TCP_SYN, NULL, 0);
            if (order == 2)
                segment(&s, port, 100 + (uint32_t)cut, 0x10, b->p + cut, b->n - cut);
            segment(&s, port, 100, 0x10, b->p, cut);
            if (order < 2)
                segment(&s, port, 100 + (uint32_t)cut, 0x10, b->p + cut, b->n - cut);
            seen_end(&s, text, "two pieces");
        }
    }
    seen_begin(&s, 0);
    segment(&s, port, 0xfffffff0, TCP_SYN, NULL, 0); /* the numbers wrap */
    for (size_t i = 0; i < b->n; i++)
        segment(&s, port, 0xfffffff1 + (uint32_t)i, 0x10, b->p + i, 1);
    seen_end(&s, text, "byte by byte");
    seen_begin(&s, 0);
    segment(&s, port, 99, TCP_SYN, NULL, 0);
    segment(&s, port, 100, 0x10, b->p, b->n / 2);
    segment(&s, port, 100, 0x10, b->p, b->n / 2);
    segment(&s, port, 110, 0x10, b->p + 10, b->n - 10);
    seen_end(&s, text, "overlapping");
}

static void test_streams(void)
{
    struct bytes http = {.n = 0}, tls = client_hello(false), records = client_hello(true);
    struct bytes dns = {.n = 0};
    put(&http, REQUEST, strlen(REQUEST));
    put_hex(&dns, "001d 1234 0100 0001 0000 0000 0000 03696f63076578616d706c6500 0001 0001");
    check_stream(80, &http, URL);
    check_stream(443, &tls, "sni ioc.exampl\n");
    check_stream(443, &records, "sni ioc.exampl\n");
    check_stream(53, &dns, "dns ioc.example\n");
}

/* A whole message, and one that never ends, byte by byte: the first is told once. */
static void test_stream_told_once(void)
{
    struct seen s;
    struct bytes b = {.n = 0};
    put_hex(&b, "001d 1234 0100 0001 0000 0000 0000 03696f63076578616d706c6500 0001 0001 00ff");
    for (unsigned first = 1; first <= b.n; first += (unsigned)b.n - 1) {
        seen_begin(&s, 0);
        for (size_t i = 0, n = first; i < b.n; i += n, n = 1)
            segment(&s, 53, 100 + (uint32_t)i, 0x10, b.p + i, n);
        for (uint32_t i = 0; i < 100; i++)
            segment(&s, 53, 100 + (uint32_t)b.n + i, 0x10, "x", 1);
        seen_end(&s, "dns ioc.example\n", "told once");
    }
}

static void test_requests(void)
{
    static const struct {
        const char *request, *texts;
    } rows[] = {
        {"GET http://a.example/b HTTP/1.1\r\nHost: a.example\r\n\r\n",
         "http http://a.example/b\nhttp a.example\n"},
        {"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", "http a.example:443\n"},
        {"OPTIONS * HTTP/1.1\r\nhost:a.example\r\n\r\n", "http a.example\n"},
        {"GET / HTTP/1.0\r\n\r\n", "http /\n"},
        {"GET /\nHost: a.example\n\n", ""},
        {"GET / HTTP/2\r\nHost: a\r\n\r\n", ""},
        {"HELO there\r\n\r\n", ""},
        {"GETTING / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
    };
    struct seen s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        seen_begin(&s, 0);
        segment(&s, 8080, 1, 0x18, rows[i].request, strlen(rows[i].request));
        seen_end(&s, rows[i].texts, rows[i].request);
    }
    seen_begin(&s, 0); /* a head without an end is told as far as it goes */
    struct bytes junk = {.n = 0};
    put(&junk, "GET /x HTTP/1.1\r\nA: ", 20);
    while (junk.n < 800)
        put(&junk, "y", 1);
    for (uint32_t i = 0; i < 30; i++)
        segment(&s, 80, 1 + i * 800, 0x10, junk.p, 800);
    segment(&s, 81, 1, 0x18, REQUEST, strlen(REQUEST));
    seen_end(&s, "http /x\n" URL, "a head without an end");
}

/* More streams than are remembered: memory stays, what is whole in one segment is still seen. */
static void test_stream_flood(void)
{
    struct seen s;
    seen_begin(&s, 0);
    for (uint32_t i = 0; i < 3 * LIMIT_PACKET_STREAMS; i++) {
        struct bytes tcp =
            tcp_of(i & 0xffff, 80, i, i % 3 ? TCP_SYN : 0x10, "GET /", i % 3 ? 0 : 5);
        struct bytes ip = ipv4_of(CLIENT + (i >> 16), SERVER, 6, &tcp);
        send_ip(&s, &ip);
    }
    segment(&s, 80, 1, 0x18, REQUEST, strlen(REQUEST));
    seen_end(&s, URL, "flood");
}

/* ---- fragments --------------------------------------------------------------------------- */

static void send_piece(struct seen *s, const struct bytes *udp, size_t from, size_t n)
{
    bool more = from + n < udp->n;
    struct bytes ip = ipv4_piece(CLIENT, SERVER, 17, (unsigned)(from / 8) | (more ? 0x2000u : 0u),
                                 udp->p + from, more ? n : udp->n - from);
    send_ip(s, &ip);
}

static struct bytes dns_datagram(void)
{
    struct bytes dns = {.n = 0};
    put_hex(&dns, "1234 0100 0001 0000 0000 0000 03696f63076578616d706c6500 0001 0001");
    return udp_of(4000, 53, &dns);
}

/* A name asked for from a port of signalling, put so that it looks like an answer of it, is read.
 */
static void test_names_from_other_ports(void)
{
    static const struct {
        unsigned port;
        const char *id;
        size_t n;
    } rows[] = {{8805, "2034", 260}, {2123, "4034", 260}, {2123, "3034", 264}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned tunnel = 0; tunnel < 2; tunnel++) {
            struct seen s;
            struct bytes dns = {.n = 0};
            put_hex(&dns, rows[i].id);
            put_hex(&dns, "0100 0001 0000 0000 0000 03696f63076578616d706c6500 0001 0001");
            dns.n = rows[i].n;
            struct bytes udp = udp_of(rows[i].port, 53, &dns),
                         ip = ipv4_of(CLIENT, SERVER, 17, &udp);
            if (tunnel) {
                struct bytes g = gtpu_of(255, 1, &ip), outer = udp_of(2152, 2152, &g);
                ip = ipv4_of(CLIENT, SERVER, 17, &outer);
            }
            seen_begin(&s, 0);
            send_ip(&s, &ip);
            seen_end(&s, "dns ioc.example\n", rows[i].id);
        }
}

static void test_fragments(void)
{
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const size_t starts[3] = {0, 16, 24}, sizes[3] = {16, 8, 13};
    struct bytes udp = dns_datagram();
    struct seen s;
    for (unsigned i = 0; i < 6; i++) {
        seen_begin(&s, 0);
        for (unsigned k = 0; k < 3; k++)
            send_piece(&s, &udp, starts[orders[i][k]], sizes[orders[i][k]]);
        CHECK(s.ips == 3 && !s.anomalies[PACKET_FRAGMENT_OVERLAP]);
        seen_end(&s, "dns ioc.example\n", "fragments");
    }
    seen_begin(&s, 0); /* the first to come counts */
    struct bytes other = udp;
    memset(other.p + 16, 'z', 8);
    send_piece(&s, &udp, 16, 8);
    send_piece(&s, &other, 0, 24);
    send_piece(&s, &udp, 24, 13);
    CHECK(s.anomalies[PACKET_FRAGMENT_OVERLAP] == 1);
    seen_end(&s, "dns ioc.example\n", "overlap");
    seen_begin(&s, 0); /* what stands behind the end does not count for what is not there */
    static const unsigned char far[24];
    struct bytes behind = ipv4_piece(CLIENT, SERVER, 17, 40 / 8 | 0x2000u, far, sizeof far);
    send_ip(&s, &behind);
    send_piece(&s, &udp, 24, 13);
    CHECK(strcmp(s.texts, "") == 0 && s.ips == 2);
    send_piece(&s, &udp, 0, 24);
    seen_end(&s, "dns ioc.example\n", "behind the end");
    seen_begin(&s, 0); /* too late */
    send_piece(&s, &udp, 0, 16);
    s.now_us += 31000000;
    send_piece(&s, &udp, 16, 8);
    send_piece(&s, &udp, 24, 13);
    CHECK(s.anomalies[PACKET_FRAGMENT_LOST] == 1);
    seen_end(&s, "", "late");
}

/* Users have the same addresses: their fragments are told apart by the tunnel. */
/* Of IPv6, with an extension header behind that of the fragments: Destination Options, and one that
 * says that there are fragments again. */
static void test_fragments_with_extensions(void)
{
    static const char *const src = "20010db8000000000000000000000001",
                             *const dst = "20010db8000000000000000000000002";
    for (unsigned again = 0; again < 2; again++) {
        struct bytes udp = dns_datagram(), whole = {.n = 0};
        struct seen s;
        put_hex(&whole, again ? "11 00 0001 00000007" : "11 00 0104 00000000");
        put_bytes(&whole, &udp);
        seen_begin(&s, 0);
        for (size_t at = 0; at < whole.n; at += 24) {
            bool more = at + 24 < whole.n;
            struct bytes part = {.n = 0}, piece = {.n = more ? 24 : whole.n - at};
            memcpy(piece.p, whole.p + at, piece.n);
            put_hex(&part, again ? "2c 00 00" : "3c 00 00");
            part.p[part.n++] = (unsigned char)(at | more);
            put_hex(&part, "00000001");
            put_bytes(&part, &piece);
            struct bytes ip = ipv6_of(src, dst, 44, &part);
            send_ip(&s, &ip);
        }
        CHECK(s.anomalies[PACKET_LAYERS] == again);
        seen_end(&s, again ? "" : "dns ioc.example\n", "extensions in fragments");
    }
}

static void test_fragments_of_tunnels(void)
{
    struct bytes udp = dns_datagram();
    struct seen s;
    for (uint32_t second = 8; second <= 9; second++) {
        seen_begin(&s, 0);
        for (unsigned i = 0; i < 2; i++) {
            struct bytes piece = ipv4_piece(CLIENT, SERVER, 17, i ? 2 : 0x2000,
                                            udp.p + (i ? 16 : 0), i ? udp.n - 16 : 16);
            struct bytes g = gtpu_of(255, i ? second : 8, &piece), u = udp_of(2152, 2152, &g);
            struct bytes ip = ipv4_of(SERVER, SERVER + 1, 17, &u);
            send_ip(&s, &ip);
        }
        seen_end(&s, second == 8 ? "dns ioc.example\n" : "", "tunnels");
    }
}

/* ---- what is not as it should be --------------------------------------------------------- */

static void test_odd_packets(void)
{
    static const struct {
        const char *hex;
        int link;
        enum packet_anomaly anomaly;
    } rows[] = {
        {"", 12, PACKET_TOO_SHORT},
        {"45", 12, PACKET_TOO_SHORT},
        {"50", 12, PACKET_IP_BAD_HEADER},
        {"42000014000000004001000001020304 05060708", 12, PACKET_IP_BAD_HEADER},
        {"4500006400000000400600000102030405060708", 12, PACKET_IP_TRUNCATED},
        {"60000000000040", 12, PACKET_TOO_SHORT},
        {"0200000000010200000000", 1, PACKET_TOO_SHORT},
        {"0000", 113, PACKET_TOO_SHORT},
        {"00", 9999, PACKET_LINK_UNKNOWN},
    };
    struct seen s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes b = {.n = 0};
        put_hex(&b, rows[i].hex);
        seen_begin(&s, 0);
        send_link(&s, rows[i].link, &b);
        CHECK_ROW(s.anomalies[rows[i].anomaly] == 1, "row %zu", i);
        seen_end(&s, "", rows[i].hex);
    }
    seen_begin(&s, 0); /* packets in packets without end */
    struct bytes deep = {.n = 0};
    for (unsigned i = 0; i < 40; i++)
        deep = ipv4_of(CLIENT, SERVER, 4, &deep);
    send_ip(&s, &deep);
    CHECK(s.anomalies[PACKET_LAYERS] == 1);
    seen_end(&s, "", "deep");
}

/* ---- sessions ---------------------------------------------------------------------------- */

static void send_udp(struct seen *s, uint32_t src, uint32_t dst, unsigned port,
                     const struct bytes *payload)
{
    struct bytes udp = udp_of(port, port, payload), ip = ipv4_of(src, dst, 17, &udp);
    send_ip(s, &ip);
}

static uint32_t user; /* the address of sessions' users; 0: not told */

/* Session `id` of PFCP with an uplink TEID at the UPF and a downlink one at the gNB. */
static void session_make(struct seen *s, uint64_t id, uint32_t teid)
{
    struct bytes all = {.n = 0}, pdi = {.n = 0}, pdr = {.n = 0}, far = {.n = 0}, out = {.n = 0};
    struct bytes seid = {.n = 0}, teids = {.n = 0}, to = {.n = 0};
    put_number(&seid, 2, 1);
    put_number(&seid, id, 8);
    put_number(&seid, CLIENT, 4);
    put_number(&teids, 1, 1);
    put_number(&teids, teid, 4);
    put_number(&teids, SERVER, 4);
    put_element_hex(&pdi, 20, "00");
    put_element(&pdi, 21, &teids);
    if (user) {
        struct bytes ue = {.n = 0};
        put_number(&ue, 2, 1);
        put_number(&ue, user, 4);
        put_element(&pdi, 93, &ue);
    }
    put_element_hex(&pdr, 56, "0001");
    put_element(&pdr, 2, &pdi);
    put_number(&to, 0x0100, 2);
    put_number(&to, teid, 4);
    put_number(&to, SERVER + 1, 4);
    put_element_hex(&out, 42, "00");
    put_element(&out, 84, &to);
    put_element_hex(&far, 108, "00000001");
    put_element(&far, 4, &out);
    put_element(&all, 57, &seid);
    put_element(&all, 1, &pdr);
    put_element(&all, 3, &far);
    struct bytes m = pfcp_of(50, 0, 1, &all);
    send_udp(s, CLIENT, SERVER, 8805, &m);
    struct bytes answer = {.n = 0};
    seid.n = 0;
    put_number(&seid, 2, 1);
    put_number(&seid, id, 8);
    put_number(&seid, SERVER, 4);
    put_element_hex(&answer, 19, "01");
    put_element(&answer, 57, &seid);
    m = pfcp_of(51, (int64_t)id, 1, &answer);
    send_udp(s, SERVER, CLIENT, 8805, &m);
}

static void session_delete(struct seen *s, uint64_t id)
{
    struct bytes none = {.n = 0}, accepted = {.n = 0};
    put_element_hex(&accepted, 19, "01");
    struct bytes m = pfcp_of(54, (int64_t)id, 2, &none);
    send_udp(s, CLIENT, SERVER, 8805, &m);
    m = pfcp_of(55, (int64_t)id, 2, &accepted);
    send_udp(s, SERVER, CLIENT, 8805, &m);
}

static bool joins(struct seen *s, uint32_t dst, uint32_t teid)
{
    struct bytes none = {.n = 0}, g = gtpu_of(255, teid, &none);
    send_udp(s, SERVER + 9, dst, 2152, &g);
    return s->last.joined;
}

static void test_session_times(void)
{
    struct seen s;
    unsigned char first[16];
    seen_begin(&s, 0);
    CHECK(!joins(&s, SERVER, 8));
    session_make(&s, 1, 8);
    CHECK(joins(&s, SERVER, 8) && s.last.direction == PACKET_UPLINK);
    memcpy(first, s.last.handle, sizeof first);
    CHECK(joins(&s, SERVER + 1, 8) && s.last.direction == PACKET_DOWNLINK);
    CHECK(memcmp(first, s.last.handle, sizeof first) == 0);
    CHECK(!joins(&s, SERVER, 9));
    session_delete(&s, 1);
    CHECK(joins(&s, SERVER, 8)); /* packets are under way */
    session_make(&s, 2, 8);      /* the TEID is used again */
    CHECK(joins(&s, SERVER, 8) && memcmp(first, s.last.handle, sizeof first) != 0);
    session_delete(&s, 2);
    s.now_us += 12000000;
    CHECK(!joins(&s, SERVER, 8));
    session_make(&s, 3, 10);
    s.now_us += (int64_t)(LIMIT_PACKET_SESSION_S + 1) * 1000000;
    session_make(&s, 4, 11); /* what showed no sign of life for a day makes room */
    CHECK(!joins(&s, SERVER, 10) && joins(&s, SERVER, 11));
    CHECK(packet_figures(s.d)->sessions_now == 1 && packet_figures(s.d)->sessions_made == 4);
    struct bytes none = {.n = 0}, end = gtpu_of(254, 11, &none);
    send_udp(&s, SERVER + 9, SERVER, 2152, &end); /* anybody may send one to the core */
    s.now_us += 12000000;
    CHECK(joins(&s, SERVER, 11) && joins(&s, SERVER + 1, 11));
    send_udp(&s, SERVER, SERVER + 1, 2152, &end);
    s.now_us += 12000000;
    CHECK(joins(&s, SERVER, 11) && !joins(&s, SERVER + 1, 11));
    seen_end(&s, NULL, "");
}

/* A user's packet within a tunnel from this node: how many IP headers the visitor is told of. */
static unsigned told_to(struct seen *s, uint32_t src, uint32_t teid, uint32_t far)
{
    struct bytes dns = dns_datagram(), inner = ipv4_of(CLIENT, far, 17, &dns);
    struct bytes g = gtpu_of(255, teid, &inner);
    s->ips = 0;
    send_udp(s, src, SERVER, 2152, &g);
    return s->ips;
}

static unsigned told_of(struct seen *s, uint32_t src, uint32_t teid)
{
    return told_to(s, src, teid, SERVER);
}

/* Both ends of a tunnel are told again and again to whom looks for them, else once. */
static void test_quiet(void)
{
    struct seen s;
    const uint32_t a = SERVER + 9, b = SERVER + 10;
    seen_begin(&s, 0);
    session_make(&s, 1, 8);
    CHECK(told_of(&s, a, 8) == 2 && told_of(&s, a, 8) == 2);
    s.quiet = true;
    CHECK(told_of(&s, a, 8) == 2 && told_of(&s, a, 8) == 1 && told_of(&s, a, 8) == 1);
    CHECK(told_of(&s, b, 8) == 2 && told_of(&s, b, 8) == 1 && told_of(&s, a, 8) == 2);
    CHECK(told_of(&s, a, 9) == 2 && told_of(&s, a, 9) == 2); /* no session */
    CHECK(told_of(&s, a, 8) == 1);
    packet_tell_again(s.d);
    s.quiet = false;
    CHECK(told_of(&s, a, 8) == 2 && told_of(&s, a, 8) == 2);
    s.quiet = true;
    CHECK(told_of(&s, a, 8) == 2 && told_of(&s, a, 8) == 1);
    for (unsigned i = 0; i <= UINT16_MAX; i++) /* as often as rounds have numbers */
        packet_tell_again(s.d);
    CHECK(told_of(&s, a, 8) == 2 && told_of(&s, a, 8) == 1);
    session_delete(&s, 1);
    user = CLIENT; /* whom it speaks with is told once too */
    session_make(&s, 2, 8);
    CHECK(told_of(&s, a, 8) == 2 && told_of(&s, a, 8) == 0 && told_of(&s, a, 8) == 0);
    CHECK(told_to(&s, a, 8, SERVER + 5) == 1 && told_to(&s, a, 8, SERVER + 5) == 0);
    CHECK(told_of(&s, a, 8) == 1 && told_of(&s, b, 8) == 1 && told_of(&s, b, 8) == 0);
    s.quiet = false;
    CHECK(told_to(&s, b, 8, SERVER + 5) == 1 && told_to(&s, b, 8, SERVER + 5) == 1);
    packet_tell_again(s.d);
    CHECK(told_of(&s, a, 8) == 2 && told_of(&s, a, 8) == 2);
    s.quiet = true;
    CHECK(told_of(&s, a, 8) == 2 && told_of(&s, a, 8) == 0);
    packet_tell_again(s.d);
    CHECK(told_of(&s, a, 8) == 2 && told_of(&s, a, 8) == 0);
    user = 0;
    seen_end(&s, NULL, "");
}

static void test_session_limit(void)
{
    struct seen s;
    seen_begin(&s, 10);
    for (uint32_t i = 1; i <= 25; i++)
        session_make(&s, i, 100 + i);
    CHECK(packet_figures(s.d)->sessions_now == 10 && s.anomalies[PACKET_SESSIONS_FULL] == 15);
    CHECK(!joins(&s, SERVER, 115) && joins(&s, SERVER, 116) && joins(&s, SERVER, 125));
    seen_end(&s, NULL, "");
}

/* The figure that the design promises. */
static void test_session_memory(void)
{
    static struct seen s;
    const size_t most = 1000000;
    seen_begin(&s, most);
    for (uint32_t i = 1; i <= most; i++)
        session_make(&s, i, i);
    size_t bytes = packet_sessions_bytes(s.d);
    CHECK(packet_figures(s.d)->sessions_now == most);
    CHECK_ROW(bytes <= (size_t)256 << 20, "%zu MiB", bytes >> 20);
    CHECK(joins(&s, SERVER, 1) && joins(&s, SERVER + 1, 777777) && joins(&s, SERVER, 1000000));
    for (uint32_t i = 1; i <= 1000; i++) /* what comes on top takes nothing more */
        session_make(&s, most + i, i);
    CHECK(packet_sessions_bytes(s.d) == bytes);
    printf("%zu sessions: %zu MiB\n", most, bytes >> 20);
    seen_end(&s, NULL, "");
}

/* ---- files ------------------------------------------------------------------------------- */

static void put32(struct bytes *b, uint32_t v)
{
    put(b, &v, 4);
}

static void put_block(struct bytes *b, uint32_t type, const struct bytes *body)
{
    uint32_t padding = (4 - body->n % 4) % 4, length = 12 + (uint32_t)body->n + padding;
    put32(b, type);
    put32(b, length);
    put_bytes(b, body);
    put(b, "\0\0\0", padding);
    put32(b, length);
}

static int file_of(const struct bytes *b, size_t from)
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    if (fd < 0 || write(fd, b->p + from, b->n - from) != (ssize_t)(b->n - from) ||
        lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

/* Frames of a file, and whether it was read to its end. */
static unsigned frames_of(const struct bytes *b, size_t head, bool *whole, int links[4])
{
    struct packet_capture *c;
    struct packet_frame f;
    struct err e = {0};
    enum packet_read r;
    unsigned count = 0;
    int fd = file_of(b, head);
    *whole = false;
    if (packet_capture_open(fd, (struct str){(const char *)b->p, head}, "x", &c, &e)) {
        while ((r = packet_capture_next(c, &f, &e)) == PACKET_READ_FRAME)
            links[count++ % 4] = f.link;
        CHECK(r == PACKET_READ_END || strstr(e.msg, "x is damaged behind frame"));
        *whole = r == PACKET_READ_END;
        packet_capture_close(c);
    }
    close(fd);
    return count;
}

/* libpcap would refuse the second interface. */
static void test_pcapng(void)
{
    struct bytes b = {.n = 0}, section = {.n = 0};
    int links[4];
    bool whole;
    put32(&section, 0x1A2B3C4D);
    put32(&section, 1);
    put32(&section, 0xffffffff);
    put32(&section, 0xffffffff);
    put_block(&b, 0x0A0D0D0A, &section);
    size_t ends[8], count = 0;
    ends[count++] = b.n;
    for (uint32_t i = 0; i < 2; i++) {
        struct bytes interface = {.n = 0};
        put32(&interface, i ? 113 : 1);
        put32(&interface, i ? 65535 : 262144);
        put_block(&b, 1, &interface);
        ends[count++] = b.n;
    }
    for (uint32_t i = 0; i < 2; i++) {
        struct bytes packet = {.n = 0};
        put32(&packet, i);
        put32(&packet, 0);
        put32(&packet, 1000);
        put32(&packet, 5);
        put32(&packet, 5);
        put(&packet, "hello", 5);
        put_block(&b, 6, &packet);
        ends[count++] = b.n;
    }
    CHECK(frames_of(&b, 0, &whole, links) == 2 && whole && links[0] == 1 && links[1] == 113);
    CHECK(frames_of(&b, 13, &whole, links) == 2 && whole); /* of which some was read before */
    CHECK(packet_is_capture((struct str){(const char *)b.p, 4}));
    struct bytes cut = b;
    for (size_t n = 4; n <= b.n; n++) {
        bool at_block = false;
        for (size_t i = 0; i < count; i++)
            at_block = at_block || ends[i] == n;
        cut.n = n;
        unsigned frames = frames_of(&cut, 0, &whole, links);
        CHECK_ROW(whole == at_block && frames == (unsigned)(n >= ends[3]) + (n >= ends[4]),
                  "cut at %zu", n);
    }
}

/* ---- memory ends ------------------------------------------------------------------------- */

static void test_memory(void)
{
    struct bytes http = {.n = 0}, udp = dns_datagram();
    struct seen s;
    bool struck = true;
    put(&http, REQUEST, strlen(REQUEST));
    for (long k = 1; struck; k++) {
        struct packet_options o = {.rules = true, .event = on_event, .ctx = &s};
        struct err e = {0};
        memset(&s, 0, sizeof s);
        s.now_us = 1000000;
        base_fail_allocation(k, k % 2);
        bool made = packet_decoder_new(&o, &s.d, &e);
        CHECK(made || e.code == ERR_MEMORY);
        if (made) {
            send_piece(&s, &udp, 0, 16);
            segment(&s, 80, 1, 0x10, http.p, 10);
            segment(&s, 80, 11, 0x10, http.p + 10, http.n - 10);
            session_make(&s, 1, 8);
            joins(&s, SERVER, 8);
            send_piece(&s, &udp, 16, 40);
            packet_decode_end(s.d);
        }
        struck = base_fail_allocation(0, false);
        packet_decoder_free(s.d);
    }
    CHECK(strstr(s.texts, "dns") && strstr(s.texts, "http") && s.last.joined);
}

/* Times before their clock's beginning, and simple blocks that hold no more than was kept. */
static void test_pcapng_interface(void)
{
    struct bytes b = {.n = 0}, section = {.n = 0}, interface = {.n = 0}, packet = {.n = 0},
                 simple = {.n = 0};
    struct packet_capture *c;
    struct packet_frame f;
    struct err e;
    const int64_t offset = -10;
    put32(&section, 0x1A2B3C4D);
    put32(&section, 1);
    put32(&section, 0xffffffff);
    put32(&section, 0xffffffff);
    put32(&interface, 1);
    put32(&interface, 5);
    put32(&interface, 14 | 8 << 16); /* if_tsoffset */
    put(&interface, &offset, 8);
    put32(&interface, 0);
    put32(&packet, 0);
    put32(&packet, 0);
    put32(&packet, 15000000);
    put32(&packet, 5);
    put32(&packet, 5);
    put(&packet, "hello", 5);
    put32(&simple, 9);
    put(&simple, "hello\0\0\0", 8);
    put_block(&b, 0x0A0D0D0A, &section);
    put_block(&b, 1, &interface);
    put_block(&b, 6, &packet);
    put_block(&b, 3, &simple);
    int fd = file_of(&b, 0);
    CHECK(packet_capture_open(fd, STR_NONE, "test", &c, &e));
    CHECK(packet_capture_next(c, &f, &e) == PACKET_READ_FRAME && f.time_us == 5000000 && f.n == 5);
    CHECK(packet_capture_next(c, &f, &e) == PACKET_READ_FRAME && f.n == 5 && f.wire_bytes == 9);
    CHECK(packet_capture_next(c, &f, &e) == PACKET_READ_END);
    packet_capture_close(c);
    close(fd);
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_streams,
        test_requests,
        test_stream_told_once,
        test_stream_flood,
        test_names_from_other_ports,
        test_fragments,
        test_fragments_with_extensions,
        test_fragments_of_tunnels,
        test_odd_packets,
        test_session_times,
        test_quiet,
        test_session_limit,
        test_session_memory,
        test_pcapng,
        test_pcapng_interface,
        test_memory,
    };
    struct err e;
    if (!crypt_init(&e))
        abort();
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tests[i]();
    TEST_END();
}
