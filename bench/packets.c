/*
 * Captures of users' traffic, plain and as it comes through the tunnels of a 5G core, and what
 * reading them costs:
 *
 *     packets make DIR [PACKETS [USERS]]   plain.pcap and tunnelled.pcap: the same packets of
 *                                          users; announced.pcap: the PFCP before the latter
 *     packets read FILE                    decoding against libpcap's own loop over the same bytes
 *     packets sessions COUNT               memory of so many sessions that PFCP makes
 *
 * Each user asks for a name, then fetches over TLS; 2,048 do so at a time, in trains of
 * four packets on the average. The tunnels are announced
 * by PFCP first, half of the packets go up and half down, each with a PDU Session Container.
 * Figures are one line of JSON; times are the processor's, the least of several turns.
 */
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "packet/packet.h"

enum { ROUNDS = 5, AT_ONCE = 2048, STEPS = 28, DATA = 1360, TRAIN = 4 };
#define UPF 0x0a640001u
#define SMF 0x0a640002u
#define GNB 0x0a640003u

/* ---- bytes that are put together ---- */

struct out {
    unsigned char b[2048];
    size_t n;
};

static void put(struct out *o, uint64_t v, size_t bytes)
{
    while (bytes-- > 0)
        o->b[o->n++] = (unsigned char)(v >> (8 * bytes));
}

static void put_bytes(struct out *o, const void *p, size_t n)
{
    memcpy(o->b + o->n, p, n);
    o->n += n;
}

static void put_ethernet(struct out *o)
{
    put_bytes(o, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0", 14);
}

static void put_ip(struct out *o, uint32_t src, uint32_t dst, unsigned protocol, size_t payload)
{
    size_t at = o->n;
    unsigned sum = 0;
    put(o, 0x4500, 2);
    put(o, 20 + payload, 2);
    put(o, 0x4000, 4);
    put(o, 64, 1);
    put(o, protocol, 1);
    put(o, 0, 2);
    put(o, src, 4);
    put(o, dst, 4);
    for (size_t i = at; i < at + 20; i += 2)
        sum += (unsigned)(o->b[i] << 8 | o->b[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    o->b[at + 10] = (unsigned char)(sum >> 8);
    o->b[at + 11] = (unsigned char)sum;
}

static void put_udp(struct out *o, unsigned src, unsigned dst, size_t payload)
{
    put(o, src, 2);
    put(o, dst, 2);
    put(o, 8 + payload, 2);
    put(o, 0, 2);
}

/* ---- what a user does ---- */

struct user {
    uint32_t number, address, server;
    unsigned step, port;
    uint32_t up, down; /* sequence numbers */
    bool uplink;       /* of the packet that was put last */
};

static uint32_t noise(void)
{
    static uint64_t state = 0x9E3779B97F4A7C15u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static void put_noise(struct out *o, size_t n)
{
    for (size_t i = 0; i < n; i += 4)
        put(o, noise(), n - i < 4 ? n - i : 4);
}

static size_t put_name(struct out *o, const struct user *u)
{
    char label[16];
    int n = snprintf(label, sizeof label, "host%u", u->server % 4096);
    put(o, (unsigned)n, 1);
    put_bytes(o, label, (size_t)n);
    put_bytes(o, "\7example\3com", 13);
    return (size_t)n + 14;
}

static void put_dns(struct out *o, const struct user *u, bool answer)
{
    struct out d = {.n = 0};
    put(&d, u->number & 0xffff, 2);
    put(&d, answer ? 0x8180 : 0x0100, 2);
    put(&d, 1, 2);
    put(&d, answer, 2);
    put(&d, 0, 4);
    put_name(&d, u);
    put(&d, 0x00010001, 4);
    if (answer) {
        put_bytes(&d, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
        put(&d, u->server, 4);
    }
    uint32_t resolver = 0x08080808;
    put_ip(o, answer ? resolver : u->address, answer ? u->address : resolver, 17, 8 + d.n);
    put_udp(o, answer ? 53 : u->port, answer ? u->port : 53, d.n);
    put_bytes(o, d.b, d.n);
}

static void put_hello(struct out *o, const struct user *u)
{
    char name[32];
    size_t n = (size_t)snprintf(name, sizeof name, "host%u.example.com", u->server % 4096);
    size_t extensions = n + 9, body = 2 + 32 + 1 + 4 + 2 + 2 + extensions + 2 - 2;
    put(o, 0x160301, 3);
    put(o, body + 4, 2);
    put(o, 1, 1);
    put(o, body, 3);
    put(o, 0x0303, 2);
    put_noise(o, 32);
    put(o, 0, 1);
    put(o, 0x00021301, 4);
    put(o, 0x0100, 2);
    put(o, extensions, 2);
    put(o, 0, 2);
    put(o, n + 5, 2);
    put(o, n + 3, 2);
    put(o, 0, 1);
    put(o, n, 2);
    put_bytes(o, name, n);
}

static void put_tcp(struct out *o, struct user *u, unsigned flags, size_t noise_bytes, bool hello)
{
    struct out data = {.n = 0};
    if (hello)
        put_hello(&data, u);
    put_noise(&data, noise_bytes);
    put_ip(o, u->uplink ? u->address : u->server, u->uplink ? u->server : u->address, 6,
           20 + data.n);
    put(o, u->uplink ? u->port : 443, 2);
    put(o, u->uplink ? 443 : u->port, 2);
    put(o, u->uplink ? u->up : u->down, 4);
    put(o, u->uplink ? u->down : u->up, 4);
    put(o, 0x5000 | flags, 2);
    put(o, 0xffff, 2);
    put(o, 0, 4);
    put_bytes(o, data.b, data.n);
    *(u->uplink ? &u->up : &u->down) += (uint32_t)data.n + (flags & 2 ? 1 : 0);
}

static void user_begin(struct user *u, uint32_t number)
{
    *u = (struct user){.number = number,
                       .address = 0x0a800000u + number,
                       .server = 0xcb007100u + noise() % 65536,
                       .port = 32768 + noise() % 28000,
                       .up = noise(),
                       .down = noise()};
}

/* The next packet of a user, from its IP header on; false when that was the last. */
static bool user_go_on(struct user *u, struct out *o)
{
    unsigned step = u->step++;
    u->uplink = step % 2 == 0;
    if (step < 2)
        put_dns(o, u, step == 1);
    else if (step == 2)
        put_tcp(o, u, 0x02, 0, false);
    else if (step == 3)
        put_tcp(o, u, 0x12, 0, false);
    else if (step == 4)
        put_tcp(o, u, 0x18, 0, true);
    else
        put_tcp(o, u, step + 1 == STEPS ? 0x11 : 0x10, u->uplink ? 0 : DATA, false);
    return u->step < STEPS;
}

/* ---- tunnels ---- */

static void put_element(struct out *o, unsigned type, const struct out *content)
{
    put(o, type, 2);
    put(o, content->n, 2);
    put_bytes(o, content->b, content->n);
}

static void put_f_seid(struct out *o, uint64_t seid, uint32_t address)
{
    struct out e = {.n = 0};
    put(&e, 2, 1);
    put(&e, seid, 8);
    put(&e, address, 4);
    put_element(o, 57, &e);
}

/* Uplink PDR with its F-TEID and the user's address; downlink FAR towards the gNB. */
static void put_rules(struct out *o, uint32_t number)
{
    struct out pdr = {.n = 0}, pdi = {.n = 0}, far = {.n = 0}, forward = {.n = 0}, e = {.n = 0};
    put(&pdr, 0x00380002, 4);
    put(&pdr, 1, 2);
    put(&pdi, 0x0014000100, 5);
    put(&e, 1, 1);
    put(&e, 2 * number + 1, 4);
    put(&e, UPF, 4);
    put_element(&pdi, 21, &e);
    e.n = 0;
    put(&e, 2, 1);
    put(&e, 0x0a800000u + number, 4);
    put_element(&pdi, 93, &e);
    put_element(&pdr, 2, &pdi);
    put_element(o, 1, &pdr);
    put(&far, 0x006c0004, 4);
    put(&far, 2, 4);
    put(&far, 0x002c000102, 5);
    put(&forward, 0x002a000100, 5);
    e.n = 0;
    put(&e, 0x0100, 2);
    put(&e, 2 * number + 2, 4);
    put(&e, GNB, 4);
    put_element(&forward, 84, &e);
    put_element(&far, 4, &forward);
    put_element(o, 3, &far);
}

static void put_pfcp(struct out *o, bool answer, unsigned type, uint64_t seid, unsigned sequence,
                     const struct out *elements)
{
    bool session = type >= 50;
    size_t length = (session ? 12u : 4u) + elements->n;
    put_ethernet(o);
    put_ip(o, answer ? UPF : SMF, answer ? SMF : UPF, 17, 8 + 4 + length);
    put_udp(o, 8805, 8805, 4 + length);
    put(o, session ? 0x21 : 0x20, 1);
    put(o, type, 1);
    put(o, length, 2);
    if (session)
        put(o, seid, 8);
    put(o, sequence, 3);
    put(o, 0, 1);
    put_bytes(o, elements->b, elements->n);
}

static void put_node(struct out *o, uint32_t address)
{
    put(o, 0x003c0005, 4);
    put(o, 0, 1);
    put(o, address, 4);
}

typedef void frame_fn(void *ctx, const struct out *o);

static void associate(frame_fn *frame, void *ctx)
{
    for (unsigned answer = 0; answer < 2; answer++) {
        struct out o = {.n = 0}, e = {.n = 0};
        put_node(&e, answer ? UPF : SMF);
        if (answer)
            put(&e, 0x0013000101, 5);
        put(&e, 0x00600004, 4);
        put(&e, 0xe0000000, 4);
        put_pfcp(&o, answer, 5 + answer, 0, 1, &e);
        frame(ctx, &o);
    }
}

static void establish(uint32_t number, frame_fn *frame, void *ctx)
{
    static struct out ask, ok, e;
    ask.n = ok.n = e.n = 0;
    put_node(&e, SMF);
    put_f_seid(&e, number + 1, SMF);
    put_rules(&e, number);
    put_pfcp(&ask, false, 50, 0, number + 2, &e);
    frame(ctx, &ask);
    e.n = 0;
    put_node(&e, UPF);
    put(&e, 0x0013000101, 5);
    put_f_seid(&e, number + 1, UPF);
    put_pfcp(&ok, true, 51, number + 1, number + 2, &e);
    frame(ctx, &ok);
}

static void put_tunnel(struct out *o, const struct user *u, const struct out *packet)
{
    put_ip(o, u->uplink ? GNB : UPF, u->uplink ? UPF : GNB, 17, 8 + 16 + packet->n);
    put_udp(o, 2152, 2152, 16 + packet->n);
    put(o, 0x34ff, 2);
    put(o, 8 + packet->n, 2);
    put(o, 2 * u->number + (u->uplink ? 1 : 2), 4);
    put(o, 0x85, 4);
    put(o, u->uplink ? 0x01100900 : 0x01000900, 4);
}

/* ---- files ---- */

struct file {
    FILE *f;
    uint64_t count;
};

static struct file file_make(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    struct file t = {fopen(path, "wb"), 0};
    static const uint32_t head[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 262144, 1};
    if (!t.f || fwrite(head, sizeof head, 1, t.f) != 1) {
        perror(path);
        exit(3);
    }
    return t;
}

static void file_frame(void *ctx, const struct out *o)
{
    struct file *t = ctx;
    uint64_t us = t->count++ * 5;
    const uint32_t head[4] = {(uint32_t)(1700000000 + us / 1000000), (uint32_t)(us % 1000000),
                              (uint32_t)o->n, (uint32_t)o->n};
    if (fwrite(head, sizeof head, 1, t->f) != 1 || fwrite(o->b, o->n, 1, t->f) != 1) {
        perror("writing");
        exit(3);
    }
}

static void announce(uint32_t users, struct file *to)
{
    associate(file_frame, to);
    for (uint32_t i = 0; i < users; i++)
        establish(i, file_frame, to);
}

static void make(const char *dir, uint64_t packets, uint32_t users)
{
    static struct user at_once[AT_ONCE];
    struct file plain = file_make(dir, "plain.pcap"), tunnelled = file_make(dir, "tunnelled.pcap");
    struct file announced = file_make(dir, "announced.pcap");
    uint64_t bytes = 0;
    announce(users, &announced);
    announce(users, &tunnelled);
    struct user *u = at_once;
    for (uint64_t i = 0, train = 0; i < packets; i++, train--) {
        if (train == 0) {
            u = &at_once[noise() % AT_ONCE];
            train = 1 + noise() % (2 * TRAIN - 1);
        }
        struct out inner = {.n = 0}, a = {.n = 0}, b = {.n = 0};
        if (u->step == 0)
            user_begin(u, noise() % users);
        if (!user_go_on(u, &inner))
            u->step = 0;
        put_ethernet(&a);
        put_bytes(&a, inner.b, inner.n);
        file_frame(&plain, &a);
        put_ethernet(&b);
        put_tunnel(&b, u, &inner);
        put_bytes(&b, inner.b, inner.n);
        file_frame(&tunnelled, &b);
        bytes += inner.n;
    }
    fclose(plain.f);
    fclose(tunnelled.f);
    fclose(announced.f);
    printf("{\"packets\":%llu,\"users\":%u,\"user_bytes\":%llu}\n", (unsigned long long)packets,
           users, (unsigned long long)bytes);
}

/* ---- reading ---- */

static double used_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool on_event(void *ctx, const struct packet_event *v)
{
    *(uint64_t *)ctx += v->kind == PACKET_EVENT_IP;
    return false;
}

static struct packet_decoder *decoder(uint64_t *headers)
{
    struct packet_options o = {.rules = true, .event = on_event, .ctx = headers};
    struct packet_decoder *d;
    struct err e;
    if (!packet_decoder_new(&o, &d, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        exit(3);
    }
    return d;
}

static double libpcap_loop(int fd, uint64_t *count)
{
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *head;
    const unsigned char *bytes;
    lseek(fd, 0, SEEK_SET);
    double began = used_s();
    pcap_t *p = pcap_fopen_offline(fdopen(dup(fd), "rb"), why);
    while (p && pcap_next_ex(p, &head, &bytes) == 1)
        ++*count;
    if (p)
        pcap_close(p);
    return used_s() - began;
}

static double our_loop(int fd, struct packet_figures *figures)
{
    struct packet_capture *c = NULL;
    struct packet_frame f;
    struct err e = {0};
    uint64_t headers = 0;
    struct packet_decoder *d = decoder(&headers);
    lseek(fd, 0, SEEK_SET);
    double began = used_s();
    if (!packet_capture_open(fd, STR_NONE, "memory", &c, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        exit(3);
    }
    while (packet_capture_next(c, &f, &e) == PACKET_READ_FRAME)
        packet_decode(d, &f);
    packet_decode_end(d);
    double took = used_s() - began;
    *figures = *packet_figures(d);
    packet_capture_close(c);
    packet_decoder_free(d);
    return took;
}

/* A copy of the file that no disk is behind. */
static int in_memory(const char *path)
{
    static char block[1 << 20];
    int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("capture", MFD_CLOEXEC);
    ssize_t n = -1;
    while (from >= 0 && to >= 0 && (n = read(from, block, sizeof block)) > 0)
        if (write(to, block, (size_t)n) != n) {
            n = -1;
            break;
        }
    if (n < 0) {
        perror(path);
        exit(3);
    }
    close(from);
    return to;
}

static void read_file(const char *path)
{
    int fd = in_memory(path);
    double theirs = 1e9, ours = 1e9;
    struct packet_figures f = {0};
    uint64_t count = 0;
    for (int i = 0; i < ROUNDS; i++) {
        count = 0;
        double a = libpcap_loop(fd, &count), b = our_loop(fd, &f);
        theirs = a < theirs ? a : theirs;
        ours = b < ours ? b : ours;
    }
    if (count != f.frames) {
        fprintf(stderr, "%s: libpcap reads %llu frames, we %llu\n", path, (unsigned long long)count,
                (unsigned long long)f.frames);
        exit(3);
    }
    printf("{\"frames\":%llu,\"gpdu\":%llu,\"joined\":%llu,\"packets_per_s\":%.0f,"
           "\"libpcap_per_s\":%.0f,\"ratio\":%.3f}\n",
           (unsigned long long)count, (unsigned long long)f.gpdu, (unsigned long long)f.gpdu_joined,
           (double)count / ours, (double)count / theirs, theirs / ours);
}

/* ---- sessions ---- */

struct feed {
    struct packet_decoder *d;
    uint64_t number;
};

static void feed_frame(void *ctx, const struct out *o)
{
    struct feed *s = ctx;
    struct packet_frame f = {.p = o->b,
                             .n = o->n,
                             .wire_bytes = o->n,
                             .link = DLT_EN10MB,
                             .time_us = 1700000000000000 + (int64_t)s->number * 5,
                             .number = s->number + 1};
    s->number++;
    packet_decode(s->d, &f);
}

static void sessions(uint32_t count)
{
    uint64_t headers = 0;
    struct feed s = {decoder(&headers), 0};
    double began = used_s();
    associate(feed_frame, &s);
    for (uint32_t i = 0; i < count; i++)
        establish(i, feed_frame, &s);
    double took = used_s() - began;
    printf("{\"sessions\":%llu,\"bytes\":%zu,\"messages_per_s\":%.0f}\n",
           (unsigned long long)packet_figures(s.d)->sessions_now, packet_sessions_bytes(s.d),
           (double)s.number / took);
    packet_decoder_free(s.d);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "make") == 0)
        make(argv[2], argc > 3 ? strtoull(argv[3], NULL, 10) : 400000,
             argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 10000);
    else if (argc > 2 && strcmp(argv[1], "read") == 0)
        read_file(argv[2]);
    else if (argc > 2 && strcmp(argv[1], "sessions") == 0)
        sessions((uint32_t)strtoul(argv[2], NULL, 10));
    else
        return fprintf(stderr, "packets make DIR [PACKETS [USERS]] | read FILE | sessions COUNT\n"),
               2;
    return 0;
}
