/*
 * The rules of signalling: a table, what they remember of nodes, associations and users, and where
 * the decoders tell them of what they read. Each is a no-op unless the options ask for rules, but
 * for figures and for what decoding itself needs.
 */
#ifndef PACKET_RULES_PRIV_H
#define PACKET_RULES_PRIV_H

#include "packet/config_priv.h"
#include "packet/gtp_priv.h"
#include "packet/ngap_priv.h"
#include "packet/pfcp_priv.h"

struct rules *rules_new(struct packet_decoder *d);
void rules_free(struct rules *r);
/* The time of the frame that is next: what waited too long is decided. */
void rules_time(struct rules *r, int64_t now_us);
void rules_end(struct rules *r);

void rules_tcp(struct walk *w, size_t header, unsigned flags, uint16_t urgent);
/* The IP header of a user's packet, first inside of a tunnel. */
void rules_user(struct walk *w, const struct packet_ip *ip);
/* One further inside: what a user's packet carries. */
void rules_inner(struct walk *w, const struct packet_ip *ip);
/* GTP-U inside of GTP-U. */
void rules_nested(struct walk *w);
/* A datagram to or from the ports of GTP, before it is read. */
void rules_echo(struct walk *w, struct cursor c);
void rules_gtpu(struct walk *w, uint8_t type);
void rules_gpdu(struct walk *w, const struct packet_gpdu *g);
void rules_gtpc(struct walk *w, const struct gtpc_message *m);
void rules_pfcp(struct walk *w, const struct pfcp_message *m);
/* False: nobody shows that the AMF works together with who says so. */
bool rules_ngap(struct walk *w, const struct ngap_message *m);
/* A chunk of SCTP; one with this TSN was carried before. */
enum sctp_chunk_type {
    SCTP_DATA = 0,
    SCTP_INIT = 1,
    SCTP_SACK = 3,
    SCTP_HEARTBEAT = 4,
    SCTP_HEARTBEAT_ACK = 5,
    SCTP_COOKIE_ECHO = 10,
    SCTP_COOKIE_ACK = 11
};
void rules_sctp_chunk(struct walk *w, uint8_t type);
bool rules_sctp_repeat(struct walk *w, uint32_t tsn);

/* ---- between the files of rules ----------------------------------------------------------------
 */

/* Id, name, interface, severity, technique, condition, exceptions, source: see struct packet_rule.
 */
#define PACKET_RULE_TABLE(X)                                                                       \
    X(GTP_IN_GTP, "G1", "gtp-in-gtp", "n3", "high", "FGT1599.505",                                 \
      "a user's packet is GTP-U to port 2152", "senders and receivers listed as relay",            \
      "TS 29.281; CVE-2021-45462")                                                                 \
    X(CORE_FROM_UE, "G2", "core-protocol-from-ue", "n3", "high", "FGT1599.505",                    \
      "a user's packet goes up to a port of PFCP, GTP-C, NGAP or S1AP, or to an address listed "   \
      "as core",                                                                                   \
      "what goes down", "TS 33.501 §9.9")                                                          \
    X(UE_SOURCE, "G3", "ue-source-mismatch", "n3", "high", "FGT1599.505",                          \
      "a user sends with an address that the session does not have",                               \
      "sessions without UE IP Address, with several prefixes or framed routes, not of IP; "        \
      "link-local and "                                                                            \
      "unspecified addresses",                                                                     \
      "TS 29.244 §5.2.1; TS 33.513")                                                               \
    X(TEID_SCAN, "G4", "teid-scan", "n3", "high", "FGT5031",                                       \
      "one sender tries many TEIDs that no session has, or gets many Error Indications, in 10 s",  \
      "until nearly all other traffic joins a session", "TS 29.281 §7.3.1")                        \
    X(GTP_ON_N6, "G5", "gtp-on-n6", "n6", "high", "FGT1572.501",                                   \
      "GTP-U, GTP-C or PFCP to or from an address listed as n6", "none", "TS 33.513")              \
    X(ECHO_PAYLOAD, "G6", "gtp-echo-with-payload", "n3", "high", "FGT1572.502",                    \
      "a GTP Echo carries what no Echo has", "nodes that never spoke valid GTP",                   \
      "TS 29.281 §7.2; TS 29.274 §7.1")                                                            \
    X(URGENT, "G7", "tcp-urgptr-without-urg", "any", "low", "FGT1205",                             \
      "RST and ACK with urgent pointer 1 and without URG", "users' traffic", "GTPDOOR")            \
    X(TEID_ZERO, "G8", "teid-zero", "n3", "medium", "FGT1599.505", "a G-PDU with TEID 0", "none",  \
      "TS 29.281 §5.1")                                                                            \
    X(NON_OWNER, "P1", "pfcp-session-request-from-non-owner", "n4", "high", "FGT1499",             \
      "a session is modified or deleted by who did not make it",                                   \
      "addresses announced for the SMF, listed as peer, or of an associated SMF that brings its "  \
      "own F-SEID",                                                                                \
      "TS 29.244 §5.22, §6.3")                                                                     \
    X(SEID_GUESSING, "P2", "pfcp-seid-guessing", "n4", "high", "FGT1499.503",                      \
      "5 answers \"session context not found\" to one node in 10 s", "none", "TS 29.244 §8.2.1")   \
    X(UNASSOCIATED, "P3", "pfcp-unassociated-peer", "n4", "medium", "FGT5007",                     \
      "session requests, or more than 10 heartbeats, of a node without association to a UPF that " \
      "has one",                                                                                   \
      "an accepted establishment stands for an association that the capture does not hold",        \
      "TS 29.244 §6.2.6")                                                                          \
    X(UNKNOWN_PEER, "P4", "pfcp-downlink-to-unknown-peer", "n4", "high", "FGT5008",                \
      "a forwarding rule sends users' traffic to a node that neither NGAP nor GTP-U knows",        \
      "where no NGAP was seen; Destination Interface other than Access", "TS 29.244 §8.2.56")      \
    X(TAKEOVER, "P5", "pfcp-node-takeover", "n4", "high", "FGT1557.503",                           \
      "a known Node ID associates or releases from another address, or a Recovery Time Stamp "     \
      "goes "                                                                                      \
      "back",                                                                                      \
      "a Recovery Time Stamp that goes forward", "TS 29.244 §6.2.6, §8.2.65")                      \
    X(PFCP_FLOOD, "P6", "pfcp-flood", "n4", "high", "FGT1498.501",                                 \
      "heartbeats and establishments of a node at over 200 a second and 10 times what is usual",   \
      "the minute after an associated node or its UPF began anew, or associated: sessions are "    \
      "restored",                                                                                  \
      "TS 29.244")                                                                                 \
    X(PFCP_BAD, "P7", "pfcp-malformed", "n4", "medium", "FGT1499",                                 \
      "elements longer than their group or shorter than their flags say; from an associated node " \
      "also mandatory elements that are absent",                                                   \
      "unknown and vendors' elements", "TS 29.244 §7.6; CVE-2022-39063")                           \
    X(BEFORE_SETUP, "N1", "ngap-before-setup", "n2", "high", "FGT1642.503",                        \
      "the first message of an association is not NGSetupRequest",                                 \
      "associations that began before the capture; a further association of a known gNB",          \
      "TS 38.413 §8.7.1")                                                                          \
    X(NEW_GNB, "N2", "ngap-new-gnb", "n2", "high", "FGT1583.501",                                  \
      "NGSetupRequest of a gNB that is not on the list, or, without a list, from an address that " \
      "was not there when the AMF was first heard",                                                \
      "the gNBs of the list", "TS 38.413 §9.2.6.1")                                                \
    X(NGAP_STORM, "N3", "ngap-storm", "n2", "medium", "FGT1642.503",                               \
      "Initial UE Messages of a gNB at over 100 a second and 10 times what is usual, or over 30 "  \
      "% "                                                                                         \
      "of registrations rejected in a minute",                                                     \
      "none", "TS 33.501")                                                                         \
    X(NULL_INTEGRITY, "N4", "nas-null-integrity", "n2", "high", "FGT5009",                         \
      "a Security Mode Command selects null integrity", "emergency registration (TS 33.501 §5.5)", \
      "TS 33.501 §5.5.2")                                                                          \
    X(BIDDING_DOWN, "N5", "nas-capability-bidding-down", "n2", "high", "FGT1562.501",              \
      "the capabilities repeated to a user, or given at a path switch, are not those told before", \
      "registrations without capabilities", "TS 33.501 §6.7.2, §6.7.3.1; CVE-2026-42081")          \
    X(COMMAND_LOOP, "N6", "nas-smc-loop", "n2", "medium", "FGT1642.503",                           \
      "3 Security Mode Commands to one user without an answer", "chunks that SCTP repeats",        \
      "TS 24.501 §5.4.2")                                                                          \
    X(UNKNOWN_UE, "N8", "ngap-unknown-ue-id", "n2", "high", "FGT1642.503",                         \
      "a gNB names an AMF-UE-NGAP-ID that the AMF never gave",                                     \
      "associations that began before "                                                            \
      "the capture",                                                                               \
      "TS 38.413 §10.6")

enum rule {
#define X(name, id, text, interface, severity, technique, condition, exceptions, source)           \
    RULE_##name,
    PACKET_RULE_TABLE(X)
#undef X
        RULES
};

#define WINDOW_US  ((int64_t)10 * 1000000)
#define SILENCE_US ((int64_t)60 * 1000000) /* an alert of a rate is not told again for so long */

/* Has something happened `most` times within a window? The last times, in a ring. */
#define BURST_MOST 32
struct burst {
    int64_t at[BURST_MOST];
    unsigned next;
    int64_t told_us;
};
/* Counts one; true when it makes `most` (up to BURST_MOST) in the window and that was not told of
 * lately. */
bool burst_count(struct burst *b, uint64_t most, int64_t now_us);

/* How often a second, over the last one in tenths; and what is usual. */
struct rate {
    uint16_t tenths[10];
    int64_t tenth;
    uint32_t sum;
    double usual; /* a second, averaged over some minutes */
    int64_t told_us;
};
bool rate_count(struct rate *r, uint64_t floor, int64_t now_us);

/* How often something was told in the minute that began then. */
struct told {
    int64_t minute_us;
    unsigned count;
};

/* A node of the core. */
struct peer {
    struct packet_address a;
    int64_t seen_us;
    bool spoke_gtp;
    bool associated, alternative; /* PFCP: with a partner; an SMF's other address */
    bool gnb;                     /* NGAP or users' traffic names it */
    bool set_up;                  /* NGAP: it sent NGSetupRequest or was there at the beginning */
    bool amf;
    bool has_start;
    uint32_t start;
    int64_t anew_us;  /* when it went forward last, or it associated */
    struct told bad;  /* of malformed messages */
    int64_t back_us;  /* when it was told that this goes back; 0: not yet */
    int64_t first_us; /* AMF: when it was first heard */
    unsigned heartbeats;
    struct burst unknown; /* answers "session context not found" */
    struct rate pfcp, initial;
    int64_t minute; /* of registrations */
    unsigned registrations, rejects;
    bool rejects_told;
};

/* A node without association, until it is clear what it is. */
struct suspect {
    struct packet_address src, dst;
    uint64_t frame;
    unsigned source;
    int64_t time_us;
    bool guesses, told; /* guesses: rule P2 speaks of it */
};
#define SUSPECTS 256

/* A sender of G-PDUs that join no session. */
struct scanner {
    struct packet_address src, dst;
    int64_t seen_us, told_us;
    uint64_t unjoined;
    struct burst errors;
    struct {
        uint32_t teid;
        int64_t us;
    } teids[64];
    unsigned next;
};
#define SCANNERS 64

/* An SCTP association, by gNB's address and port and AMF's address. */
struct association {
    uint64_t key;
    int64_t seen_us;
    bool began, spoke;    /* its beginning was seen; an NGAP message */
    bool heard, answered; /* anything of the AMF; an NGAP message that refuses nothing */
    bool again;           /* an INIT after it has spoken */
    enum { ASKER_NONE, ASKER_UP, ASKER_DOWN } asker; /* the way of who began */
    uint32_t last[2];                                /* TSN of each direction */
    uint64_t before[2];                              /* bits for the 64 before it */
    bool any[2];
};
#define ASSOCIATIONS 4096
#define UNHEARD_US   ((int64_t)60 * 1000000) /* in which an AMF is heard at least once */

#define CAPABILITY_BYTES 8
/* A user as a gNB knows it. */
struct ue {
    uint64_t key;
    int64_t seen_us;
    uint8_t capability_bytes, commands;
    bool emergency, loop_told;
    unsigned char capabilities[CAPABILITY_BYTES];
};

/* A user as an AMF knows it. */
struct known_ue {
    uint64_t key;
    uint64_t capabilities; /* hash of NGAP's UE Security Capabilities; 0: not told */
};

struct node_name { /* in sets of RULE_WAYS */
    uint64_t name;
    struct packet_address a;
    struct told told;
};
#define NODE_NAMES 4096

struct rules {
    struct packet_decoder *d;
    const struct packet_config *config;
    int64_t now_us, first_us; /* of the first frame */
    struct peer *peers;
    struct association *associations;
    struct ue *ues;
    struct known_ue *known;
    bool known_lost; /* one was overwritten: absence proves nothing any more */
    struct node_name names[NODE_NAMES];
    struct suspect suspects[SUSPECTS];
    size_t suspect_count;
    int64_t decide_us; /* when they are looked at again */
    struct scanner scanners[SCANNERS];
    uint64_t joined, unjoined;
    bool ngap_tunnels; /* NGAP told where gNBs are */
    struct packet_address last_gnb;
};

/* ---- what is asked of each packet -------------------------------------------------------------
 */

static inline const struct packet_config *config_of(const struct walk *w)
{
    return w->d->rules->config;
}

static inline bool rules_off(const struct walk *w)
{
    return !w->d->options.rules;
}

void rules_core(struct walk *w, const struct packet_ip *ip);
void rules_n6(struct walk *w, const struct packet_ip *ip);
/* A packet of TCP, UDP or SCTP, wherever it is. */
static inline void rules_packet(struct walk *w, const struct packet_ip *ip)
{
    if (rules_off(w))
        return;
    if (w->depth == 1)
        rules_core(w, ip);
    else if (w->depth == 0 && config_of(w)->n6_count)
        rules_n6(w, ip);
}

/* ---- of peers, and speaking --------------------------------------------------------------------
 */

#define RULE_WAYS 4
/* The peer of this address, made if need be. Never NULL; of a set that is full the one that was
 * longest silent goes, one that is part of the network last. */
struct peer *peer_of(struct rules *r, const struct packet_address *a);
/* Only if it is there. */
struct peer *peer_find(struct rules *r, const struct packet_address *a);

void rule_alert(struct walk *w, enum rule rule, const char *interface, const char *fmt, ...)
    BASE_PRINTF(4, 5);
/* The same, of the session with this handle. */
void rule_alert_session(struct walk *w, enum rule rule, const unsigned char handle[16],
                        const char *fmt, ...) BASE_PRINTF(4, 5);
/* For addresses in a message: of nodes, while users are not named. */
struct rule_text {
    char p[PACKET_ADDRESS_TEXT];
};
const char *rule_address(const struct packet_decoder *d, struct rule_text *t,
                         const struct packet_address *a);

void suspects_decide(struct rules *r, bool at_end);

#endif
