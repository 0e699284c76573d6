/*
 * The captures of SETU_CORPUS/5g (not part of the project), read by us and by tshark, another's
 * decoder: field by field, frame by frame. What stands in streams is compared by file, because
 * either may tell of it with another segment. It leaves out what the two mean to do differently:
 *   - ICMP quotes packets, which tshark reads on; here its protocols are switched off there;
 *   - signalling inside of a user's tunnel, or on TCP, is none to us;
 *   - derived/10 has headers that we refuse; test_packet_corpus.c has a verdict on each, and on the
 *     Echo of version 0 in derived/08;
 *   - names in QUIC, and SSDP, which is HTTP on UDP;
 *   - open5gs-srsenb frame 149: tshark takes fragments of two tunnels for one datagram's.
 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "packet/packet.h"
#include "test.h"

enum field {
    F_FRAME,
    F_IP_SRC,
    F_IP_DST,
    F_IPV6_SRC,
    F_IPV6_DST,
    F_UDP,
    F_TCP,
    F_SCTP,
    F_TEID,
    F_GTP_TYPE,
    F_QFI,
    F_PFCP,
    F_PFCP_SEQUENCE,
    F_GTPV2,
    F_NGAP,
    F_AMF_UE,
    F_RAN_UE,
    F_DNS,
    F_HOST,
    F_URI,
    F_SNI,
    F_QUIC,
    FIELDS
};
static const char *const fields[FIELDS] = {"frame.number",
                                           "ip.src",
                                           "ip.dst",
                                           "ipv6.src",
                                           "ipv6.dst",
                                           "udp.dstport",
                                           "tcp.dstport",
                                           "sctp.dstport",
                                           "gtp.teid",
                                           "gtp.message",
                                           "gtp.ext_hdr.pdu_ses_con.qos_flow_id",
                                           "pfcp.msg_type",
                                           "pfcp.seqno",
                                           "gtpv2.message_type",
                                           "ngap.procedureCode",
                                           "ngap.AMF_UE_NGAP_ID",
                                           "ngap.RAN_UE_NGAP_ID",
                                           "dns.qry.name",
                                           "http.host",
                                           "http.request.uri",
                                           "tls.handshake.extensions_server_name",
                                           "quic.version"};

struct ours {
    struct buf field[FIELDS]; /* of this frame, values joined by commas */
    struct buf urls, names;   /* of the whole file, a line each */
    bool tunnel;
};

static void add(struct buf *b, unsigned long long v)
{
    if (b->n)
        buf_byte(b, ',');
    buf_printf(b, "%llu", v);
}

static void add_hex(struct buf *b, int digits, unsigned long long v)
{
    if (b->n)
        buf_byte(b, ',');
    buf_printf(b, "0x%0*llx", digits, v);
}

static void add_text(struct buf *b, struct str s)
{
    if (b->n)
        buf_byte(b, ',');
    buf_str(b, s);
}

static void add_line(struct buf *b, struct str s)
{
    buf_str(b, s);
    buf_byte(b, '\n');
}

static void add_ip(struct ours *o, const struct packet_ip *ip)
{
    char text[PACKET_ADDRESS_TEXT];
    bool v6 = ip->src.n == 16;
    add_text(&o->field[v6 ? F_IPV6_SRC : F_IP_SRC], packet_address_text(&ip->src, text));
    add_text(&o->field[v6 ? F_IPV6_DST : F_IP_DST], packet_address_text(&ip->dst, text));
    if (ip->fragment)
        return;
    if (ip->protocol == 17)
        add(&o->field[F_UDP], ip->dst_port);
    else if (ip->protocol == 6)
        add(&o->field[F_TCP], ip->dst_port);
    else if (ip->protocol == 132)
        add(&o->field[F_SCTP], ip->dst_port);
}

static void add_message(struct ours *o, const struct packet_message *m)
{
    switch (m->protocol) {
    case PACKET_GTPU:
    case PACKET_GTPV1C:
        add_hex(&o->field[F_TEID], 8, m->id);
        add_hex(&o->field[F_GTP_TYPE], 2, (unsigned)m->type);
        break;
    case PACKET_GTPV0:
    case PACKET_GTPP:
        add_hex(&o->field[F_GTP_TYPE], 2, (unsigned)m->type);
        break;
    case PACKET_GTPV2C:
        add(&o->field[F_GTPV2], (unsigned)m->type);
        break;
    case PACKET_PFCP:
        add(&o->field[F_PFCP], (unsigned)m->type);
        add(&o->field[F_PFCP_SEQUENCE], m->sequence);
        break;
    case PACKET_NGAP:
        add(&o->field[F_NGAP], (unsigned)m->type);
        if (m->amf_ue != UINT64_MAX)
            add(&o->field[F_AMF_UE], m->amf_ue);
        if (m->ran_ue != UINT64_MAX)
            add(&o->field[F_RAN_UE], m->ran_ue);
        break;
    }
}

static bool on_event(void *ctx, const struct packet_event *v)
{
    struct ours *o = ctx;
    switch (v->kind) {
    case PACKET_EVENT_IP:
        add_ip(o, v->ip);
        break;
    case PACKET_EVENT_GPDU:
        o->tunnel = true;
        if (v->depth > 1) { /* the outermost comes as a message too */
            add_hex(&o->field[F_TEID], 8, v->gpdu->teid);
            add_hex(&o->field[F_GTP_TYPE], 2, 255);
        }
        if (v->gpdu->qfi >= 0)
            add(&o->field[F_QFI], (unsigned)v->gpdu->qfi);
        break;
    case PACKET_EVENT_MESSAGE:
        add_message(o, v->message);
        break;
    case PACKET_EVENT_TEXT:
        if (v->text->field == PACKET_DNS_NAME)
            add_text(&o->field[F_DNS], v->text->text);
        else if (v->text->field == PACKET_HTTP_URL)
            add_line(&o->urls, v->text->text);
        else if (v->text->field == PACKET_TLS_SNI)
            buf_printf(&o->names, "|%.*s\n", STR_FMT(v->text->text));
        break;
    case PACKET_EVENT_ANOMALY:
    case PACKET_EVENT_ALERT:
        break;
    }
    return false;
}

/* Each value of `part` is one of `whole`, where both are joined by commas. */
static bool holds_all(struct str whole, struct str part)
{
    while (part.n) {
        struct str value = str_cut(&part, ','), rest = whole;
        bool found = false;
        while (rest.p && !found)
            found = str_eq_nocase(str_cut(&rest, ','), value);
        if (!found)
            return false;
    }
    return true;
}

/* Is one of the lines `line`? */
static bool line_among(struct str lines, struct str line)
{
    while (lines.n)
        if (str_eq(str_cut(&lines, '\n'), line))
            return true;
    return false;
}

struct totals {
    unsigned frames, values, differ;
};

static void compare_field(struct ours *o, enum field f, struct str theirs, const char *where,
                          struct totals *t)
{
    struct str mine = buf_view(&o->field[f]);
    bool signalling = f == F_PFCP || f == F_PFCP_SEQUENCE || f == F_GTPV2;
    if (signalling && (o->tunnel || o->field[F_TCP].n))
        return;
    if ((f == F_TCP && strcmp(where, "open5gs-srsenb.pcapng frame 149") == 0) ||
        (f == F_GTP_TYPE && strcmp(where, "08-gtpc-echo-covert.pcap frame 3") == 0))
        return;
    bool same = f == F_DNS ? holds_all(mine, theirs) : str_eq(mine, theirs);
    t->values += theirs.n > 0;
    t->differ += !same;
    CHECK_ROW(same, "%s %s: \"%.*s\", tshark has \"%.*s\"", where, fields[f], STR_FMT(mine),
              STR_FMT(theirs));
}

/* Of requests tshark names Host and target, each joined by commas when there are several. */
static void compare_urls(struct ours *o, struct str hosts, struct str targets, const char *where,
                         struct totals *t)
{
    struct buf url;
    buf_init(&url, 0);
    while (targets.n) {
        struct str target = str_cut(&targets, ','), host = str_cut(&hosts, ',');
        buf_clear(&url);
        if (str_starts(target, STR("/")))
            buf_printf(&url, "http://%.*s", STR_FMT(host));
        buf_str(&url, target);
        if (str_eq(target, STR("*")))
            continue;
        bool found = line_among(buf_view(&o->urls), buf_view(&url));
        t->values++;
        t->differ += !found;
        CHECK_ROW(found, "%s: %.*s is not among ours", where, STR_FMT(buf_view(&url)));
    }
    buf_done(&url);
}

static void compare_line(struct ours *o, struct str line, const char *name, struct totals *t,
                         struct buf *theirs, struct buf *names)
{
    struct str column[FIELDS];
    char where[300];
    for (unsigned i = 0; i < FIELDS; i++)
        column[i] = str_cut(&line, '|');
    snprintf(where, sizeof where, "%s frame %.*s", name, STR_FMT(column[F_FRAME]));
    for (unsigned f = F_IP_SRC; f <= F_DNS; f++)
        compare_field(o, (enum field)f, column[f], where, t);
    /* Told at the end of the file. */
    if (column[F_URI].n) {
        buf_str(theirs, column[F_HOST]);
        buf_byte(theirs, '|');
        buf_str(theirs, column[F_URI]);
        buf_byte(theirs, '\n');
    }
    while (column[F_SNI].n && !column[F_QUIC].n) {
        buf_byte(names, '|');
        buf_str(names, str_cut(&column[F_SNI], ','));
        buf_byte(names, '\n');
    }
}

static void frame_clear(struct ours *o)
{
    for (unsigned i = 0; i < FIELDS; i++)
        buf_clear(&o->field[i]);
    o->tunnel = false;
}

static FILE *tshark_start(const char *path)
{
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, "tshark -n -T fields -E separator='|' -E occurrence=a -E aggregator=, "
                "--disable-protocol icmp --disable-protocol icmpv6 ");
    for (unsigned i = 0; i < FIELDS; i++)
        buf_printf(&b, "-e %s ", fields[i]);
    buf_printf(&b, "-r '%s' 2>/dev/null", path);
    buf_byte(&b, '\0');
    FILE *f = popen(b.p, "r"); /* NOLINT: the path is the test's own */
    buf_done(&b);
    return f;
}

/* Each line of `some` is one of `all`. */
static void compare_names(struct str some, struct str all, const char *what, struct totals *t)
{
    while (some.n) {
        struct str one = str_cut(&some, '\n');
        bool found = line_among(all, one);
        t->values++;
        t->differ += !found;
        CHECK_ROW(found, "%s: %.*s", what, STR_FMT(one));
    }
}

/* What streams said, once the whole file is read. A segment that is sent again tells us again. */
static void compare_streams(struct ours *o, struct str requests, struct str names, const char *file,
                            struct totals *t)
{
    while (requests.n) {
        struct str target = str_cut(&requests, '\n'), host = str_cut(&target, '|');
        compare_urls(o, host, target, file, t);
    }
    compare_names(names, buf_view(&o->names), "a name of tshark only", t);
    compare_names(buf_view(&o->names), names, "a name of ours only", t);
}

static void compare_file(const char *path, const char *name, struct ours *o, struct totals *t)
{
    struct packet_options options = {.event = on_event, .ctx = o};
    struct packet_capture *c;
    struct packet_decoder *d;
    struct packet_frame f;
    struct err e;
    struct buf requests, names;
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    FILE *tshark = tshark_start(path);
    if (fd < 0 || !tshark || !packet_capture_open(fd, STR_NONE, path, &c, &e) ||
        !packet_decoder_new(&options, &d, &e))
        abort();
    buf_init(&requests, 0);
    buf_init(&names, 0);
    buf_clear(&o->urls);
    buf_clear(&o->names);
    while ((n = getline(&line, &room, tshark)) > 0) {
        frame_clear(o);
        if (packet_capture_next(c, &f, &e) != PACKET_READ_FRAME) {
            CHECK_ROW(false, "%s: tshark has more frames", name);
            break;
        }
        packet_decode(d, &f);
        t->frames++;
        if (line[n - 1] == '\n')
            n--;
        compare_line(o, (struct str){line, (size_t)n}, name, t, &requests, &names);
    }
    CHECK_ROW(packet_capture_next(c, &f, &e) == PACKET_READ_END, "%s: we have more frames", name);
    compare_streams(o, buf_view(&requests), buf_view(&names), name, t);
    buf_done(&requests);
    buf_done(&names);
    free(line);
    pclose(tshark);
    packet_decoder_free(d);
    packet_capture_close(c);
    close(fd);
}

static void compare_folder(const char *path, struct ours *o, struct totals *t)
{
    char file[1500];
    DIR *d = opendir(path);
    for (struct dirent *f; d && (f = readdir(d));) {
        if (!strstr(f->d_name, ".pcap") || strncmp(f->d_name, "10-", 3) == 0)
            continue;
        snprintf(file, sizeof file, "%s/%s", path, f->d_name);
        compare_file(file, f->d_name, o, t);
    }
    if (d)
        closedir(d);
}

int main(void)
{
    static struct ours o;
    struct totals t = {0};
    struct err e;
    char path[1100];
    const char *folder = getenv("SETU_CORPUS");
    if (!crypt_init(&e))
        abort();
    snprintf(path, sizeof path, "%s/5g/real", folder ? folder : "../shared/corpus");
    if (!file_is_dir(path) || system("command -v tshark >/dev/null") != 0) { /* NOLINT */
        TEST_SKIP("no %s (SETU_CORPUS), or no tshark", path);
        TEST_END();
    }
    compare_folder(path, &o, &t);
    snprintf(path, sizeof path, "%s/5g/derived", folder ? folder : "../shared/corpus");
    compare_folder(path, &o, &t);
    printf("%u frames, %u values of tshark, %u differ\n", t.frames, t.values, t.differ);
    for (unsigned i = 0; i < FIELDS; i++)
        buf_done(&o.field[i]);
    buf_done(&o.urls);
    buf_done(&o.names);
    TEST_END();
}
