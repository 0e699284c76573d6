/*
 * The table of sessions: what PFCP, NGAP and GTP-C say belongs together, found by where a tunnel
 * ends (address and TEID). A TEID is used again after its session, so a tunnel ends with its
 * session, is known for a little longer because packets are still under way, and what is newer is
 * found first.
 */
#ifndef PACKET_SESSION_PRIV_H
#define PACKET_SESSION_PRIV_H

#include "packet/gtp_priv.h"
#include "packet/ngap_priv.h"
#include "packet/pfcp_priv.h"
#include "packet/pool_priv.h"

struct sessions *sessions_new(struct packet_decoder *d, size_t most);
void sessions_free(struct sessions *t);
size_t sessions_bytes(const struct sessions *t);

/* Who told of a tunnel's end, hence what its interface number means. */
enum binding_kind {
    BINDING_PDR, /* source interface; the TEID may still be to come */
    BINDING_FAR, /* destination interface */
    BINDING_N2,  /* 0: uplink end, 1: downlink end */
    BINDING_GTPC /* enum of gtp_priv.h */
};

/* What is known of the tunnel that a packet came through. 64 bytes: a line of the cache. */
struct found_tunnel {
    uint64_t key; /* a seeded hash of where it ends; 0: nothing, or not to be found again */
    uint32_t session;
    int32_t sd;
    uint32_t fresh; /* when the session was last taken for alive, in seconds or nearly */
    unsigned char handle[16];
    unsigned char v6[8], v4[4]; /* addresses of the user that the session names */
    /* IPv4 addresses in which the visitor found nothing, in this round (0: it was not asked): the
     * tunnel's other end, and what the user spoke with last. */
    uint32_t quiet_src, quiet_far;
    uint16_t quiet_round;
    int16_t sst;
    uint8_t direction, at, v6_bits; /* at: an interface; see session_tell.c */
    bool ethernet : 1, unstructured : 1;
    bool has_v4 : 1, has_v6 : 1, check_source : 1, quiet_user : 1; /* quiet_far is one */
};
/* Such a search will follow: what it needs is brought near. */
void sessions_soon(struct sessions *t, const struct packet_address *a, uint32_t teid);
/* NULL: not known. Valid until the next search, and the next message of signalling. */
struct found_tunnel *sessions_find(struct sessions *t, const struct packet_address *a,
                                   uint32_t teid, int64_t now_us);
/* All tunnels will be searched for anew. */
void sessions_forget_near(struct sessions *t);
/* Direction, interface, handle and slice, into what the visitor sees. */
void sessions_tell(const struct found_tunnel *f, struct packet_gpdu *g);
void sessions_end_marker(struct sessions *t, const struct packet_address *a, uint32_t teid,
                         int64_t now_us);

/* Who made the session with this UP F-SEID at that UPF? OTHER: not who asks. */
enum session_owner { SESSION_UNKNOWN, SESSION_OWN, SESSION_OTHER };
enum session_owner sessions_owner(struct sessions *t, const struct packet_address *up,
                                  uint64_t seid, const struct packet_address *who,
                                  unsigned char handle[16]);
/* Is there a tunnel that ends at this address, by PDR, N2 or GTP-C? */
bool sessions_ends_at(const struct sessions *t, const struct packet_address *a);
/* Is this an address of a session's user? */
bool sessions_is_user(struct sessions *t, const struct packet_address *a);

void sessions_pfcp(struct walk *w, const struct pfcp_message *m);
void sessions_gtpc(struct walk *w, const struct gtpc_message *m);
void sessions_ngap(struct walk *w, const struct ngap_message *m);

/* ---- between session.c and the files that read signalling -------------------------------------
 */

struct binding {
    uint32_t node, teid, session;
    uint32_t of_session, of_hash; /* the next of each */
    uint32_t rule;                /* id of PDR or FAR */
    uint32_t ended_s;             /* 0: it lives */
    uint8_t kind, interface;
    bool placed; /* in the hash: its TEID is known */
};

/* Where the chains of a hash table start. */
struct heads {
    uint32_t *p;
    size_t mask, count;
};
/* n of them, a power of two, all NONE; false without memory. */
bool heads_make(struct heads *h, size_t n);

/* See session_user.c. */
struct users {
    struct heads heads;
    uint64_t seed;
};
struct users *sessions_users(struct sessions *t);

enum session_source { SESSION_PFCP, SESSION_GTPC, SESSION_N2 };
enum { SESSION_BY_CP, SESSION_BY_UP, SESSION_BY_N2, SESSION_INDEXES };

struct session {
    uint64_t id[SESSION_INDEXES];   /* CP F-SEID, UP F-SEID, AMF UE id and PDU session */
    uint32_t node[SESSION_INDEXES]; /* NONE: not in that index */
    uint32_t next[SESSION_INDEXES];
    uint32_t of_user[2], of_user_back[2]; /* by its IPv4 address and its IPv6 prefix */
    uint32_t owner; /* node of the CP F-SEID's address where it is another; else NONE */
    uint32_t older, newer;
    uint32_t bindings;
    int64_t since_us, seen_us;
    unsigned char handle[16];
    unsigned char v4[4], v6[8];
    int32_t sd;
    int16_t sst;
    uint8_t source, v6_bits, binding_count;
    bool used, has_v4, has_v6, framed, ethernet, unstructured, five_g, ended;
};

/* Which way the tunnel leads and where, into what is kept of it. */
void session_lead(struct found_tunnel *f, const struct binding *x, const struct session *s);
struct session *session_at(struct sessions *t, uint32_t index);
/* Makes one, dropping the oldest at the limit; NONE without memory. */
uint32_t session_make(struct walk *w, enum session_source source);
void session_drop(struct sessions *t, uint32_t index);
/* Something was learned of it, which what is found of its tunnels shows from now on. */
void session_learned(struct sessions *t, uint32_t index);
/* Its tunnels are known for a little longer; then it goes. */
void session_end(struct sessions *t, uint32_t index, int64_t now_us);
void session_alive(struct sessions *t, uint32_t index, int64_t now_us);
bool session_index(struct sessions *t, uint32_t index, unsigned which,
                   const struct packet_address *a, uint64_t id);
uint32_t session_lookup(struct sessions *t, unsigned which, const struct packet_address *a,
                        uint64_t id, enum session_source source);
/* Another address that the session's owner asks from; NULL: none. */
void session_owned_by(struct sessions *t, uint32_t index, const struct packet_address *a);
void session_user(struct sessions *t, uint32_t index, const struct packet_address *v4,
                  const struct packet_address *v6, unsigned prefix);
/* The session goes: its addresses are nobody's. */
void session_user_forget(struct sessions *t, uint32_t index);
/* `user` is the identity as it stands in the message; without one the session's own. */
void session_handle(struct walk *w, struct session *s, struct str user);

struct end {
    enum binding_kind kind;
    uint8_t interface;
    uint32_t rule, teid;
    const struct packet_address *address; /* NULL: not known yet */
};
/* Ties a tunnel's end to the session; what another session had there is over. */
void session_bind(struct sessions *t, uint32_t index, const struct end *end);
/* Ends the session's tunnels of this kind and rule. */
void session_unbind(struct sessions *t, uint32_t index, enum binding_kind kind, uint32_t rule,
                    int64_t now_us);
/* Gives the PDR's tunnel the address that the UPF chose. */
void session_chosen(struct sessions *t, uint32_t index, uint32_t rule, uint32_t teid,
                    const struct packet_address *a);
/* The living session that has a tunnel there; NONE if there is none. */
uint32_t session_of_tunnel(struct sessions *t, const struct packet_address *a, uint32_t teid,
                           const struct binding **out);
/* A node tells when it started: if anew, its sessions from before this instant are gone. With `pin`
 * it is remembered although it has none yet. */
void sessions_restarted(struct sessions *t, const struct packet_address *a, uint32_t start,
                        bool pin, int64_t now_us);
/* The same session of which NGAP told first: its slice and its name on N2 go over. */
void session_join_n2(struct sessions *t, uint32_t from, uint32_t to, int64_t now_us);

#endif
