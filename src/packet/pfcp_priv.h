/* What of a PFCP message (TS 29.244) the session table and the rules need. */
#ifndef PACKET_PFCP_PRIV_H
#define PACKET_PFCP_PRIV_H

#include "packet/packet_priv.h"

/* An answer's type is its request's and one. */
enum pfcp_type {
    PFCP_HEARTBEAT_REQUEST = 1,
    PFCP_HEARTBEAT_RESPONSE = 2,
    PFCP_ASSOCIATION_REQUEST = 5,
    PFCP_ASSOCIATION_RESPONSE = 6,
    PFCP_RELEASE_REQUEST = 9,
    PFCP_ESTABLISHMENT_REQUEST = 50,
    PFCP_ESTABLISHMENT_RESPONSE = 51,
    PFCP_MODIFICATION_REQUEST = 52,
    PFCP_MODIFICATION_RESPONSE = 53,
    PFCP_DELETION_REQUEST = 54,
    PFCP_DELETION_RESPONSE = 55
};
#define PFCP_ACCEPTED         1
#define PFCP_SESSION_UNKNOWN  65
#define PFCP_INTERFACE_ACCESS 0
#define PFCP_INTERFACE_CORE   1

enum pfcp_rule_kind {
    PFCP_CREATE_PDR,
    PFCP_CREATED_PDR,
    PFCP_UPDATE_PDR,
    PFCP_REMOVE_PDR,
    PFCP_CREATE_FAR,
    PFCP_UPDATE_FAR,
    PFCP_REMOVE_FAR
};

/* An end of a tunnel: of a PDR what arrives there, of a FAR where it is sent. */
struct pfcp_rule {
    enum pfcp_rule_kind kind;
    uint32_t id;
    int interface;           /* of a PDR the source, of a FAR the destination; -1: not said */
    bool has_tunnel, choose; /* choose: the UPF is to pick the TEID */
    uint32_t teid;
    struct packet_address v4, v6;
};

struct pfcp_ue {
    struct packet_address v4, v6; /* of v6 the prefix counts */
    unsigned prefix;              /* bits of it */
};

#define PFCP_UES         4
#define PFCP_ALTERNATIVE 4
struct pfcp_message {
    uint8_t type;
    bool has_seid;
    uint64_t seid;
    uint32_t sequence;
    int cause; /* -1: none */
    struct str node_id;
    bool has_fseid, has_start;
    uint64_t fseid;
    struct packet_address fseid_v4, fseid_v6;
    /* Recovery Time Stamp. Not of a heartbeat's request: OpenAirInterface's SMF writes the time of
     * sending there, its true start in the answer. */
    uint32_t start;
    struct str user; /* the User ID element, for a pseudonym only */
    bool framed_route, ethernet, unstructured, five_g;
    int sst;
    int32_t sd;
    struct pfcp_ue ue[PFCP_UES];
    size_t ue_count;
    struct packet_address alternative[PFCP_ALTERNATIVE];
    size_t alternative_count;
    size_t rule_count;
    bool too_many;
    uint64_t seen[5];      /* bits by type of element, up to 319, outside of groups */
    const char *malformed; /* what is wrong, or NULL */
    /* Of an answer: what it answers, or NULL. Answers to what nobody asked are anybody's. */
    const struct pfcp_message *request;
    struct pfcp_rule rules[LIMIT_PACKET_PFCP_RULES]; /* the last member: so many as are counted */
};
/* 8.2.1: below 64 all causes accept, if only in part. */
static inline bool pfcp_accepted(const struct pfcp_message *m)
{
    return m->request && m->cause >= PFCP_ACCEPTED && m->cause < 64;
}

static inline bool pfcp_saw(const struct pfcp_message *m, unsigned element)
{
    return m->seen[element / 64] >> element % 64 & 1;
}

/* ---- requests that wait for their answers: what is asked for comes to be when it is accepted */

struct asked *asked_new(void);
void asked_free(struct asked *a);
/* Keeps a request and its bytes. */
void asked_put(struct walk *w, const struct pfcp_message *m, struct cursor bytes);
/* The bytes of what this message answers, once, valid until the next request; false: nobody asked,
 * or too long ago, or too much was asked since. */
bool asked_take(struct walk *w, const struct pfcp_message *m, struct cursor *request) BASE_CHECKED;

/* One message of several in a datagram, header included; false when there is none. */
bool pfcp_parse(struct cursor *c, struct pfcp_message *m) BASE_CHECKED;

#endif
