/*
 * Real and derived captures of mobile cores (SETU_CORPUS/5g, not part of the project): each derived
 * one gives exactly the alerts of its manifest, no real one gives any, every G-PDU of the complete
 * ones joins its session. Then prefixes of packets and packets with a byte changed; SETU_EVERY=1
 * takes all of them, else a sample.
 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "json/json.h"
#include "packet/packet.h"
#include "test.h"

#define FRAMES_MOST 8192
#define NAMES_BYTES 4096

struct seen {
    char alerts[NAMES_BYTES]; /* names, each with a blank behind it */
    unsigned alert_count;
    unsigned error_indications;
    unsigned char text[FRAMES_MOST];     /* by frame: was ioc.example there, in a tunnel? */
    uint32_t anomalies[FRAMES_MOST];     /* a bit for each */
    unsigned char messages[FRAMES_MOST]; /* of GTP-U */
    struct packet_figures figures;
};

static bool on_event(void *ctx, const struct packet_event *v)
{
    struct seen *s = ctx;
    size_t frame = v->frame < FRAMES_MOST ? (size_t)v->frame : 0;
    size_t n = strlen(s->alerts);
    switch (v->kind) {
    case PACKET_EVENT_ALERT:
        s->alert_count++;
        snprintf(s->alerts + n, sizeof s->alerts - n, "%s ", v->alert->rule->name);
        break;
    case PACKET_EVENT_TEXT:
        if (v->text->field == PACKET_HTTP_URL && v->depth &&
            str_starts(v->text->text, STR("http://ioc.example/")))
            s->text[frame] = 1;
        break;
    case PACKET_EVENT_ANOMALY:
        s->anomalies[frame] |= 1u << v->anomaly;
        break;
    case PACKET_EVENT_MESSAGE:
        if (v->message->protocol == PACKET_GTPU) {
            s->messages[frame] = 1;
            s->error_indications += v->message->type == 26;
        }
        break;
    case PACKET_EVENT_IP:
    case PACKET_EVENT_GPDU:
        break;
    }
    return false;
}

static const char *folder(void)
{
    const char *f = getenv("SETU_CORPUS");
    return f ? f : "../shared/corpus";
}

static struct packet_decoder *decoder(packet_event_fn *event, void *ctx)
{
    struct packet_options o = {.rules = true, .event = event, .ctx = ctx};
    struct packet_decoder *d;
    struct err e;
    if (!packet_decoder_new(&o, &d, &e))
        abort();
    return d;
}

/* PFCP, in a frame of Ethernet or Linux cooked v1 with plain IPv4. */
static bool is_pfcp(const struct packet_frame *f)
{
    size_t ip = f->link == 1 ? 14 : 16;
    return f->n > ip + 24 && f->p[ip] == 0x45 && f->p[ip + 9] == 17 &&
           ((f->p[ip + 20] == 0x22 && f->p[ip + 21] == 0x65) ||
            (f->p[ip + 22] == 0x22 && f->p[ip + 23] == 0x65));
}

static bool run(const char *path, bool with_pfcp, struct seen *s)
{
    struct packet_capture *c;
    struct packet_frame f;
    struct err e = {0};
    memset(s, 0, sizeof *s);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !packet_capture_open(fd, STR_NONE, path, &c, &e)) {
        CHECK_ROW(false, "%s: %s", path, e.msg);
        return false;
    }
    struct packet_decoder *d = decoder(on_event, s);
    enum packet_read r;
    while ((r = packet_capture_next(c, &f, &e)) == PACKET_READ_FRAME)
        if (with_pfcp || !is_pfcp(&f))
            packet_decode(d, &f);
    CHECK_ROW(r == PACKET_READ_END, "%s: %s", path, e.msg);
    packet_decode_end(d);
    s->figures = *packet_figures(d);
    packet_decoder_free(d);
    packet_capture_close(c);
    close(fd);
    return true;
}

/* ---- the manifest ------------------------------------------------------------------------ */

/* What a verdict on a header of GTP-U means here. */
static const struct {
    const char *verdict;
    bool text, message;
    uint32_t anomalies;
} verdicts[] = {
    {"inner", true, true, 0},
    {"malformed", false, false, 1u << PACKET_GTPU_EXTENSION},
    {"truncated-or-malformed", true, true, 1u << PACKET_GTPU_LENGTH_OVER},
    {"inner; ignore trailer", true, true, 1u << PACKET_GTPU_LENGTH_UNDER},
    {"empty", false, true, 1u << PACKET_GTPU_EMPTY},
    {"not-gtpv1", false, false, 1u << PACKET_GTPU_NOT_V1},
    {"not-gtpu", false, false, 1u << PACKET_GTPU_PRIME},
    {"inner-not-ip", false, true, 1u << PACKET_GTPU_NOT_IP},
    {"signal", false, true, 0},
    {"too-short", false, false, 1u << PACKET_GTPU_TOO_SHORT},
    {"inner; teid-zero alert", true, true, 1u << PACKET_GTPU_TEID_ZERO},
    {"inner-truncated", false, true, 1u << PACKET_IP_TRUNCATED},
    {"inner only if the PFCP session says Ethernet", false, true, 1u << PACKET_GTPU_NOT_IP},
};

static const struct json *first_of(const struct json *v)
{
    return json_is(v, JSON_ARRAY) ? v->u.child : NULL;
}

static void check_header_case(const struct seen *s, const struct json *row)
{
    const struct json *number = first_of(row), *name = number ? number->next : NULL;
    const struct json *verdict = name ? name->next : NULL;
    if (!verdict)
        return; /* of outer headers */
    size_t frame = (size_t)number->u.i;
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        if (!str_eq(verdict->u.s, str_of(verdicts[i].verdict)))
            continue;
        CHECK_ROW(s->text[frame] == verdicts[i].text && s->messages[frame] == verdicts[i].message &&
                      s->anomalies[frame] == verdicts[i].anomalies,
                  "header case %zu: %.*s: text %d, anomalies %x", frame, STR_FMT(verdict->u.s),
                  s->text[frame], s->anomalies[frame]);
        return;
    }
    CHECK_ROW(false, "verdict %.*s", STR_FMT(verdict->u.s));
}

static bool number_is(const struct json *object, const char *name, uint64_t *out)
{
    const struct json *v = json_get(object, str_of(name));
    *out = json_is(v, JSON_INTEGER) ? (uint64_t)v->u.i : 0;
    return json_is(v, JSON_INTEGER);
}

static void check_expected(const char *file, const struct json *expect, const struct seen *s)
{
    const struct json *alerts = json_get(expect, STR("alerts")), *a, *only = first_of(alerts);
    char names[NAMES_BYTES] = "";
    uint64_t n, count = 0;
    for (a = first_of(alerts); a; a = a->next, count++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%.*s ", STR_FMT(a->u.s));
    /* One name with a count stands for so many alerts of it. */
    if (number_is(expect, "count", &n) && only && !only->next)
        for (; count < n; count++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%.*s ",
                     STR_FMT(only->u.s));
    if (!alerts && strstr(file, "10-")) /* its alert stands in a verdict */
        snprintf(names, sizeof names, "teid-zero ");
    CHECK_ROW(strcmp(names, s->alerts) == 0, "%s: %s instead of %s", file, s->alerts, names);
    if (number_is(expect, "gtpu_packets", &n))
        CHECK_ROW(s->figures.gpdu == n, "%s: G-PDUs", file);
    if (number_is(expect, "joined_to_pfcp", &n))
        CHECK_ROW(s->figures.gpdu_joined == n, "%s: joined", file);
    if (number_is(expect, "sessions", &n))
        CHECK_ROW(s->figures.sessions_made == n, "%s: sessions", file);
    if (number_is(expect, "error_indications", &n))
        CHECK_ROW(s->error_indications == n, "%s: error indications", file);
}

static void check_derived(const char *dir, const struct json *row, struct seen *s)
{
    char path[1200];
    struct str file = json_get_str(row, STR("file"));
    const struct json *expect = json_get(row, STR("expect")), *c;
    snprintf(path, sizeof path, "%s/5g/derived/%.*s", dir, STR_FMT(file));
    if (!run(path, true, s))
        return;
    uint64_t packets = 0;
    CHECK_ROW(number_is(row, "packets", &packets) && s->figures.frames == packets, "%s", path);
    check_expected(path, expect, s);
    for (c = first_of(json_get(expect, STR("cases"))); c; c = c->next)
        check_header_case(s, c);
    if (!str_starts(file, STR("11-")))
        return;
    for (unsigned i = 1; i <= 23; i++) { /* the last of three fragments completes the datagram */
        bool whole = i <= 14 || i == 17 || i == 20 || i == 23;
        CHECK_ROW(s->text[i] == whole && !s->anomalies[i], "%s frame %u", path, i);
    }
}

static void test_derived(const char *dir, struct seen *s)
{
    char path[1100];
    struct str text = STR_NONE;
    struct err e;
    const struct json *doc = NULL;
    struct json_reader *reader = json_reader_new();
    struct arena *arena = arena_new(1u << 24);
    snprintf(path, sizeof path, "%s/5g/derived/MANIFEST.json", dir);
    if (!reader || !arena || !file_read(path, 0, &text, &e) ||
        !json_parse(reader, arena, text, true, &doc, &e))
        abort();
    for (const struct json *row = first_of(doc); row; row = row->next)
        check_derived(dir, row, s);
    base_free((void *)(uintptr_t)text.p);
    json_reader_free(reader);
    arena_free(arena);
}

/* ---- real captures ----------------------------------------------------------------------- */

/* G-PDUs of those in which every session was set up while the capture ran, and how many of the
 * sources of what users sent could be compared with their session. */
static const struct {
    const char *file;
    unsigned gpdu, checked;
} complete[] = {{"5greplay-oai.pcap", 198, 103},
                {"open5gs-5g-roaming-lbo.pcapng", 10, 4},
                {"open5gs-srsenb.pcapng", 1844, 0},
                {"open5gs-testregistration.pcapng", 62, 31}};

static void check_real(const char *path, const char *name, struct seen *s)
{
    if (!run(path, true, s))
        return;
    CHECK_ROW(s->alert_count == 0, "%s: %s", name, s->alerts);
    for (size_t i = 0; i < sizeof complete / sizeof *complete; i++)
        if (strcmp(name, complete[i].file) == 0)
            CHECK_ROW(
                s->figures.gpdu == complete[i].gpdu && s->figures.gpdu_joined == complete[i].gpdu &&
                    s->figures.uplink_checked == complete[i].checked,
                "%s: %llu of %llu joined, %llu checked", name,
                (unsigned long long)s->figures.gpdu_joined, (unsigned long long)s->figures.gpdu,
                (unsigned long long)s->figures.uplink_checked);
    /* Of two of them NGAP alone tells every session. */
    bool by_ngap = strcmp(name, complete[0].file) == 0 || strcmp(name, complete[3].file) == 0;
    if (by_ngap && run(path, false, s))
        CHECK_ROW(s->figures.gpdu > 0 && s->figures.gpdu_joined == s->figures.gpdu &&
                      s->figures.messages[PACKET_PFCP] == 0 && s->alert_count == 0,
                  "%s through NGAP: %llu of %llu joined", name,
                  (unsigned long long)s->figures.gpdu_joined, (unsigned long long)s->figures.gpdu);
}

/* ---- damaged packets --------------------------------------------------------------------- */

/* Two decoders, one of which takes no short way, and all that each said. */
struct pair {
    struct packet_decoder *d[2];
    uint64_t said[2];
};

static void hash_bytes(uint64_t *h, const void *p, size_t n)
{
    *h = str_hash((struct str){p, n}, *h);
}

static void hash_address(uint64_t *h, const struct packet_address *a)
{
    hash_bytes(h, a->b, sizeof a->b);
    hash_bytes(h, &a->n, 1);
}

static void hash_number(uint64_t *h, uint64_t v)
{
    hash_bytes(h, &v, sizeof v);
}

static void hash_ip(uint64_t *h, const struct packet_ip *ip)
{
    hash_address(h, &ip->src);
    hash_address(h, &ip->dst);
    hash_number(h, (uint64_t)ip->src_port << 32 | ip->dst_port);
    hash_number(h, (uint64_t)ip->ttl << 16 | (uint64_t)ip->protocol << 1 | ip->fragment);
}

static void hash_gpdu(uint64_t *h, const struct packet_gpdu *g)
{
    hash_address(h, &g->src);
    hash_address(h, &g->dst);
    hash_number(h, (uint64_t)g->teid << 32 | (uint32_t)g->qfi);
    hash_number(h, (uint64_t)g->direction << 1 | g->joined);
    hash_number(h, (uint64_t)g->sst << 32 | (uint32_t)g->sd);
    hash_bytes(h, g->handle, sizeof g->handle);
    hash_bytes(h, g->interface ? g->interface : "", g->interface ? strlen(g->interface) : 0);
}

static bool on_said(void *ctx, const struct packet_event *v)
{
    uint64_t *h = ctx;
    hash_number(h, (uint64_t)v->kind << 32 | v->depth);
    hash_number(h, v->kind == PACKET_EVENT_ANOMALY ? v->anomaly : v->frame);
    if (v->ip)
        hash_ip(h, v->ip);
    if (v->gpdu)
        hash_gpdu(h, v->gpdu);
    if (v->text)
        hash_bytes(h, v->text->text.p, v->text->text.n);
    if (v->alert)
        hash_bytes(h, v->alert->message.p, v->alert->message.n);
    if (v->message)
        hash_number(h, v->message->id ^ (uint64_t)v->message->type << 48 ^ v->message->sequence);
    return false;
}

static void pair_begin(struct pair *p)
{
    struct err e;
    for (unsigned i = 0; i < 2; i++) {
        struct packet_options o = {
            .rules = true, .event = on_said, .ctx = &p->said[i], .plainly = i == 1, .seed = 1};
        p->said[i] = 0;
        if (!packet_decoder_new(&o, &p->d[i], &e))
            abort();
    }
}

static void pair_decode(struct pair *p, const struct packet_frame *f)
{
    packet_decode(p->d[0], f);
    packet_decode(p->d[1], f);
}

static void decode_exact(struct pair *p, struct packet_frame f, size_t n, bool whole)
{
    unsigned char *exact = malloc(n ? n : 1); /* exact size: an over-read is seen */
    if (exact == NULL)
        abort();
    if (n)
        memcpy(exact, f.p, n);
    f.p = exact;
    f.n = n;
    if (whole)
        f.wire_bytes = n;
    pair_decode(p, &f);
    free(exact);
}

static void damage(struct pair *p, const struct packet_frame *f)
{
    static unsigned char copy[1u << 18];
    static const unsigned char values[] = {0x00, 0xff, 0x7f};
    struct packet_frame g = *f;
    for (size_t n = 0; n <= f->n; n++)
        decode_exact(p, *f, n, n % 2);
    if (f->n > sizeof copy)
        return;
    memcpy(copy, f->p, f->n);
    g.p = copy;
    for (size_t i = 0; i < f->n; i++) {
        unsigned char was = copy[i];
        for (size_t k = 0; k <= sizeof values; k++) {
            copy[i] = k < sizeof values ? values[k] : (unsigned char)(was ^ 0x01);
            decode_exact(p, g, g.n, true);
        }
        copy[i] = was;
    }
}

static uint64_t damaged; /* packets that were decoded so */

/* Packets of one capture, each `every`th. */
static void damage_all(const char *path, unsigned every)
{
    struct packet_capture *c;
    struct packet_frame f;
    struct err e;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !packet_capture_open(fd, STR_NONE, path, &c, &e))
        abort();
    struct pair p;
    pair_begin(&p);
    while (packet_capture_next(c, &f, &e) == PACKET_READ_FRAME) {
        pair_decode(&p, &f);
        if (f.number % every == every / 2)
            damage(&p, &f);
    }
    for (unsigned i = 0; i < 2; i++)
        packet_decode_end(p.d[i]);
    CHECK_ROW(packet_figures(p.d[0])->frames > 0, "%s", path);
    CHECK_ROW(p.said[0] == p.said[1], "%s: the short way says something else", path);
    CHECK_ROW(
        memcmp(packet_figures(p.d[0]), packet_figures(p.d[1]), sizeof(struct packet_figures)) == 0,
        "%s: the short way counts something else", path);
    damaged += packet_figures(p.d[0])->frames;
    for (unsigned i = 0; i < 2; i++)
        packet_decoder_free(p.d[i]);
    packet_capture_close(c);
    close(fd);
}

static void check_both_ways(const struct packet_frame *f, const char *what, unsigned n)
{
    struct pair p;
    pair_begin(&p);
    decode_exact(&p, *f, f->n, true);
    for (unsigned i = 0; i < 2; i++)
        packet_decode_end(p.d[i]);
    CHECK_ROW(p.said[0] == p.said[1], "%s %u", what, n);
    for (unsigned i = 0; i < 2; i++)
        packet_decoder_free(p.d[i]);
}

/* Lengths that agree with each other, but end the datagram before what the frame still holds: the
 * container of the short way then lies, in part, behind it. */
static void test_short_datagrams(void)
{
    enum { LAYER = 14, IP = 20, UDP = 8, FRAME = LAYER + 60 };
    for (unsigned total = IP; total <= FRAME - LAYER; total++) {
        unsigned char b[FRAME] = {[12] = 0x08, [LAYER] = 0x45, [LAYER + 8] = 64, 17};
        unsigned char *udp = b + LAYER + IP, *gtpu = udp + UDP;
        unsigned lengths[] = {total, total - IP, total - IP - UDP - 8};
        unsigned char *places[] = {b + LAYER + 2, udp + 4, gtpu + 2};
        for (size_t i = 0; i < 3; i++) {
            places[i][0] = (unsigned char)(lengths[i] >> 8);
            places[i][1] = (unsigned char)lengths[i];
        }
        memcpy(udp, "\x08\x68\x08\x68", 4);
        memcpy(gtpu, "\x34\xff", 2);
        memcpy(gtpu + 11, "\x85\1\x10\1\0", 5);
        struct packet_frame f = {.p = b, .n = FRAME, .link = 1};
        check_both_ways(&f, "a container", total);
        gtpu[0] = 0x30;
        check_both_ways(&f, "none", total);
    }
}

static void each_file(const char *dir, const char *part, struct seen *s)
{
    char path[1500];
    const char *every = getenv("SETU_EVERY");
    unsigned step = every ? (unsigned)strtoul(every, NULL, 10) : 11;
    snprintf(path, sizeof path, "%s/5g/%s", dir, part);
    DIR *d = opendir(path);
    for (struct dirent *f; d && (f = readdir(d));) {
        if (!strstr(f->d_name, ".pcap"))
            continue;
        snprintf(path, sizeof path, "%s/5g/%s/%s", dir, part, f->d_name);
        if (strcmp(part, "real") == 0)
            check_real(path, f->d_name, s);
        damage_all(path, step ? step : 1);
    }
    if (d)
        closedir(d);
}

int main(void)
{
    static struct seen s;
    struct err e;
    char path[1100];
    if (!crypt_init(&e))
        abort();
    test_short_datagrams();
    snprintf(path, sizeof path, "%s/5g/derived/MANIFEST.json", folder());
    if (!file_exists(path)) {
        TEST_SKIP("no %s (SETU_CORPUS)", path);
        TEST_END();
    }
    test_derived(folder(), &s);
    each_file(folder(), "real", &s);
    each_file(folder(), "derived", &s);
    printf("%llu prefixes and changed packets\n", (unsigned long long)damaged);
    TEST_END();
}
