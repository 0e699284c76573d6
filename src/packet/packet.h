/*
 * Packets: reads captures, and interfaces through libpcap, takes off link layers, tunnels and
 * GTP-U, puts fragments and the starts of streams together, reads the signalling of a mobile core,
 * and tells a visitor what it found. It keeps the sessions that the signalling speaks of and judges
 * the signalling by a table of rules. It matches no indicator, writes nothing, keeps no
 * subscriber's identity, and gives up on no packet as a whole because a part of it is wrong: that
 * is named as an anomaly. All memory is bounded by limits.h. One thread an object.
 */
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H

#include "base/base.h"
#include "crypt/crypt.h"
#include "observable/observable.h"

/* ---- frames ------------------------------------------------------------------------------ */

struct packet_frame {
    const unsigned char *p;
    size_t n;          /* bytes that were captured */
    size_t wire_bytes; /* bytes it had */
    int link;          /* link type as pcap_datalink(3) tells it */
    int64_t time_us;
    uint64_t number; /* from 1 */
    unsigned source; /* the capture that it is of, where several are read together */
    /* Where the start of the frame after it lies already, of the same link type most likely; NULL:
     * not known. A hint: what will be needed for it may be brought near. Valid as long. */
    const unsigned char *ahead;
    size_t ahead_n;
};

struct packet_capture;
/* Does a file that starts so hold a capture (pcap, its nanosecond and modified kinds, pcapng)?
 * PACKET_HEAD_BYTES of it are enough. */
#define PACKET_HEAD_BYTES 4
bool packet_is_capture(struct str head);
/* Reads a capture from `fd`, of which `head` was read already (may be empty); `name` is for
 * messages. `head` stays until the capture is closed; `fd` stays the caller's, and open until
 * then. */
bool packet_capture_open(int fd, struct str head, const char *name, struct packet_capture **out,
                         struct err *e) BASE_CHECKED;
/* Listens on an interface of this machine, promiscuously, with libpcap's ring (AF_PACKET). */
bool packet_capture_live(const char *interface, struct packet_capture **out,
                         struct err *e) BASE_CHECKED;
/* Asked whenever a signal interrupts a reading: true ends the capture there. */
void packet_capture_stop(struct packet_capture *c, bool (*stop)(void *ctx), void *ctx);
void packet_capture_close(struct packet_capture *c); /* NULL is allowed */
/* IDLE: an interface had nothing for a while. FAILED fills e; what came before it stands. */
enum packet_read { PACKET_READ_FRAME, PACKET_READ_IDLE, PACKET_READ_END, PACKET_READ_FAILED };
/* The next frame, valid until the next call. */
enum packet_read packet_capture_next(struct packet_capture *c, struct packet_frame *f,
                                     struct err *e) BASE_CHECKED;

/* ---- what is found ----------------------------------------------------------------------- */

/* In network order; n is 4 or 16, or 0 for none; behind it there are zeros. */
struct packet_address {
    _Alignas(8) unsigned char b[16]; /* it is compared, hashed and copied by words */
    size_t n;
};
#define PACKET_ADDRESS_TEXT OBSERVABLE_ADDRESS_BYTES
struct str packet_address_text(const struct packet_address *a, char out[PACKET_ADDRESS_TEXT]);

/* An IP header. Of a fragment that does not complete its datagram the ports are 0. */
struct packet_ip {
    struct packet_address src, dst;
    uint8_t protocol; /* IANA: 6 TCP, 17 UDP, 132 SCTP … */
    uint16_t src_port, dst_port;
    unsigned char ttl;
    bool fragment;
};

/* Text out of a payload, as it would stand in a log. */
enum packet_field {
    PACKET_DNS_NAME,    /* a name asked for or answered with, labels joined by dots */
    PACKET_DNS_ADDRESS, /* an address that was answered with */
    PACKET_HTTP_URL,    /* of a request: from Host and target, or the host alone */
    PACKET_TLS_SNI
};
const char *packet_field_name(enum packet_field f); /* dns, dns-address, http, sni */
struct packet_text {
    enum packet_field field;
    struct str text;
    size_t at; /* where it starts in the frame; PACKET_NOWHERE if it was put together */
};
#define PACKET_NOWHERE SIZE_MAX

enum packet_direction { PACKET_WAY_UNKNOWN, PACKET_UPLINK, PACKET_DOWNLINK };
const char *packet_direction_name(enum packet_direction d); /* uplink, downlink; NULL: unknown */

/* A message of GTP-U (TS 29.281) that is a G-PDU: what a user sends or receives. */
struct packet_gpdu {
    struct packet_address src, dst; /* of the tunnel */
    uint32_t teid;
    int qfi; /* of the PDU Session Container (TS 38.415); -1: there was none */
    enum packet_direction direction;
    const char *interface; /* n3, n9, s1-u, s5-u, gn-u; NULL: unknown */
    /* Its session, if the signalling that made it was seen. The handle is a pseudonym under the
     * key of the options; the slice's SD is -1 if none. */
    bool joined;
    unsigned char handle[16];
    int sst;
    int32_t sd;
};

enum packet_protocol {
    PACKET_GTPU,   /* TS 29.281; UDP 2152 */
    PACKET_GTPV0,  /* GSM 09.60 */
    PACKET_GTPV1C, /* TS 29.060; UDP 2123 */
    PACKET_GTPV2C, /* TS 29.274; UDP 2123 */
    PACKET_GTPP,   /* TS 32.295; UDP 3386 */
    PACKET_PFCP,   /* TS 29.244; UDP 8805 */
    PACKET_NGAP    /* TS 38.413; SCTP 38412 */
};
#define PACKET_PROTOCOLS 7
const char *packet_protocol_name(enum packet_protocol p); /* gtpu, gtpv0 … ngap */

/* A message of signalling; what it does not have is -1 or 0. */
struct packet_message {
    enum packet_protocol protocol;
    int type;    /* NGAP: procedure code */
    int outcome; /* NGAP: 0 initiating, 1 successful, 2 unsuccessful */
    bool has_id;
    uint64_t id; /* TEID, or SEID */
    uint32_t sequence;
    int cause;
    uint64_t amf_ue, ran_ue; /* NGAP; UINT64_MAX: none */
};

/* What is odd and does not stop the reading. Name, and a sentence. */
#define PACKET_ANOMALY_TABLE(X)                                                                    \
    X(LINK_UNKNOWN, "link-unknown", "a link layer that is not read")                               \
    X(CUT_SHORT, "cut-short", "the capture holds less of the frame than there was")                \
    X(TOO_SHORT, "too-short", "a header does not fit into what is left")                           \
    X(LAYERS, "layers", "more headers inside each other than are looked at")                       \
    X(IP_BAD_HEADER, "ip-bad-header", "an IP header that contradicts itself")                      \
    X(IP_TRUNCATED, "ip-truncated", "an IP packet is longer than what carries it")                 \
    X(FRAGMENT_OVERLAP, "fragment-overlap", "fragments overlap: the first to come counts")         \
    X(FRAGMENT_LOST, "fragment-lost", "a datagram was given up before all fragments came")         \
    X(GTPU_TOO_SHORT, "gtpu-too-short", "less than a GTP-U header")                                \
    X(GTPU_NOT_V1, "gtpu-not-v1", "another version of GTP on the port of GTP-U")                   \
    X(GTPU_PRIME, "gtpu-prime", "GTP' on the port of GTP-U")                                       \
    X(GTPU_EXTENSION, "gtpu-extension", "extension headers of length 0, without end or past it")   \
    X(GTPU_LENGTH_OVER, "gtpu-length-over", "the length of GTP-U is more than UDP carries")        \
    X(GTPU_LENGTH_UNDER, "gtpu-length-under", "bytes behind the length of GTP-U")                  \
    X(GTPU_EMPTY, "gtpu-empty", "a G-PDU without a packet")                                        \
    X(GTPU_TEID_ZERO, "gtpu-teid-zero", "a G-PDU with TEID 0")                                     \
    X(GTPU_NOT_IP, "gtpu-not-ip", "a G-PDU that holds no IP packet")                               \
    X(GTPU_NESTED, "gtpu-nested", "tunnels inside each other, the last not looked into")           \
    X(GTPC_MALFORMED, "gtpc-malformed", "an information element of GTP-C past its message")        \
    X(PFCP_MALFORMED, "pfcp-malformed", "an information element of PFCP past its group")           \
    X(PFCP_MANY, "pfcp-many", "more rules in one PFCP message than are looked at")                 \
    X(SCTP_FRAGMENT, "sctp-fragment",                                                              \
      "a message in several SCTP chunks, not all of which came in order")                          \
    X(SCTP_CHUNK, "sctp-chunk", "an SCTP chunk of a wrong length")                                 \
    X(NGAP_MALFORMED, "ngap-malformed", "an NGAP message that cannot be followed")                 \
    X(DNS_MALFORMED, "dns-malformed", "a DNS message that cannot be followed")                     \
    X(TLS_MALFORMED, "tls-malformed", "a ClientHello that cannot be followed")                     \
    X(STREAM_LOST, "stream-lost", "the start of a stream was given up before it was whole")        \
    X(SESSIONS_FULL, "sessions-full", "the oldest session was dropped to make room")
enum packet_anomaly {
#define X(name, text, sentence) PACKET_##name,
    PACKET_ANOMALY_TABLE(X)
#undef X
        PACKET_ANOMALIES
};
const char *packet_anomaly_name(enum packet_anomaly a);
const char *packet_anomaly_text(enum packet_anomaly a);

/* ---- rules of signalling ----------------------------------------------------------------- */

struct packet_rule {
    const char *id;        /* G1, P1, N1 … */
    const char *name;      /* gtp-in-gtp … */
    const char *interface; /* where it is seen */
    const char *severity;  /* high, medium, low */
    const char *technique; /* MITRE FiGHT, or "" */
    const char *condition, *exceptions, *source;
};
/* The table; *count rows. */
const struct packet_rule *packet_rules(size_t *count);

struct packet_alert {
    const struct packet_rule *rule;
    uint64_t frame;  /* that broke it: of a rule that waits for an answer an earlier one */
    unsigned source; /* of that frame */
    int64_t time_us;
    const char *interface;
    bool has_session;
    unsigned char handle[16];
    const struct packet_gpdu *gpdu; /* that the user's packet came in, or NULL */
    struct str message;             /* a sentence without addresses of users or their identities */
};

/* ---- the visitor ------------------------------------------------------------------------- */

enum packet_event_kind {
    PACKET_EVENT_IP,      /* event.ip is new */
    PACKET_EVENT_GPDU,    /* event.gpdu is new */
    PACKET_EVENT_TEXT,    /* event.text */
    PACKET_EVENT_MESSAGE, /* event.message */
    PACKET_EVENT_ANOMALY, /* event.anomaly */
    PACKET_EVENT_ALERT    /* event.alert */
};
/* Valid during the call. `ip` is the innermost IP header so far, `gpdu` the outermost G-PDU around
 * it; each NULL if there is none. depth: GTP-U tunnels around it. */
struct packet_event {
    enum packet_event_kind kind;
    uint64_t frame;
    int64_t time_us;
    unsigned depth;
    const struct packet_ip *ip;
    const struct packet_gpdu *gpdu;
    const struct packet_text *text;
    const struct packet_message *message;
    const struct packet_alert *alert;
    enum packet_anomaly anomaly;
};
/* True, of an IP header: the visitor found nothing in its addresses, and need not be told of this
 * pair around or inside of the same tunnel again until packet_tell_again. Of other events it means
 * nothing. */
typedef bool packet_event_fn(void *ctx, const struct packet_event *v);

/* ---- what is told of one's own network --------------------------------------------------- */

struct packet_config;
/* Reads lines of words; `#` starts a comment. docs/SIGNALLING.md has the manual:
 *     gnb ADDRESS [id HEX] [plmn DIGITS] [tac NUMBER]      the list of rule N2
 *     peer ADDRESS          a PFCP peer that needs no association (SMF sets)
 *     core PREFIX           addresses that no user may reach (G2)
 *     n6 PREFIX             addresses of gateways on the internet side (G5)
 *     relay ADDRESS         may carry GTP-U in GTP-U (G1)
 *     limit NAME NUMBER     a threshold of those listed there
 * ERR_SYNTAX names the line. NULL text: the defaults. */
bool packet_config_parse(struct str text, struct packet_config **out, struct err *e) BASE_CHECKED;
void packet_config_free(struct packet_config *c); /* NULL is allowed */
/* What a line `gnb` says of the node at an address; `c` may be NULL. plmn: its digits, "" if not
 * said; area: its tracking area code, -1 if not said. */
struct packet_ran_node {
    char plmn[7];
    int64_t area;
};
bool packet_config_gnb(const struct packet_config *c, struct str address,
                       struct packet_ran_node *out) BASE_CHECKED;

/* ---- decoding ---------------------------------------------------------------------------- */

struct packet_options {
    bool rules;                         /* judge the signalling */
    const struct packet_config *config; /* stays the caller's, who keeps it; NULL: the defaults */
    unsigned char key[CRYPT_KEY_BYTES]; /* for handles of sessions */
    size_t sessions_max;                /* 0: LIMIT_PACKET_SESSIONS */
    unsigned passed_over; /* kinds of events that the visitor does not want: 1u << kind */
    /* For tests, which compare two decoders: without the short way that ordinary packets of tunnels
     * take; and what hash tables depend on, else by chance. */
    bool plainly;
    uint64_t seed;
    packet_event_fn *event;
    void *ctx;
};

/* Figures for a review; none of them is an alert. */
struct packet_figures {
    uint64_t frames, ip, fragments, tcp, udp, sctp;
    uint64_t gpdu, gpdu_joined;          /* of the outermost tunnel */
    uint64_t uplink_checked;             /* uplink packets whose source was compared (G3) */
    uint64_t messages[PACKET_PROTOCOLS]; /* outside of tunnels */
    uint64_t anomalies[PACKET_ANOMALIES];
    uint64_t sessions_made, sessions_now;                   /* by PFCP, NGAP and GTP-C */
    uint64_t security_mode, null_ciphering, null_integrity; /* Security Mode Commands */
    uint64_t suci, null_scheme;                             /* concealed identities in NAS */
    uint64_t registrations, registration_rejects;
};

struct packet_decoder;
bool packet_decoder_new(const struct packet_options *o, struct packet_decoder **out,
                        struct err *e) BASE_CHECKED;
void packet_decoder_free(struct packet_decoder *d); /* NULL is allowed */
/* Decodes one frame; frames come in order of time. */
void packet_decode(struct packet_decoder *d, const struct packet_frame *f);
/* What the visitor found nothing in is told again: it looks for something else now. */
void packet_tell_again(struct packet_decoder *d);
/* No more frames: tells what rules were still waiting with. */
void packet_decode_end(struct packet_decoder *d);
const struct packet_figures *packet_figures(const struct packet_decoder *d);
/* Bytes of memory that the sessions take. */
size_t packet_sessions_bytes(const struct packet_decoder *d);

#endif
