/* What is told of one's own network, and thresholds. */
#ifndef PACKET_CONFIG_PRIV_H
#define PACKET_CONFIG_PRIV_H

#include "packet/packet_priv.h"

/* Name, default, and what it counts. */
#define PACKET_LIMIT_TABLE(X)                                                                      \
    X(TEIDS, "teids", 32, "unknown TEIDs from one sender in 10 s (G4)")                            \
    X(ERRORS, "error-indications", 20, "Error Indications to one peer in 10 s (G4)")               \
    X(GUESSES, "unknown-seids", 5, "answers \"session not found\" to one peer in 10 s (P2)")       \
    X(HEARTBEATS, "heartbeats", 10, "heartbeats of a peer without association (P3)")               \
    X(PFCP_RATE, "pfcp-rate", 200, "heartbeats and establishments of a peer in 1 s (P6)")          \
    X(INITIAL_RATE, "initial-ue-rate", 100, "Initial UE Messages of a gNB in 1 s (N3)")            \
    X(REJECTS, "registration-rejects", 20, "rejects in 1 min, from which their share counts (N3)") \
    X(COMMANDS, "security-mode-commands", 3, "to one user without an answer (N6)")                 \
    X(LEARN, "gnb-learning", 10, "seconds in which the first gNBs are learned (N2)")
enum config_limit {
#define X(name, text, value, what) CONFIG_##name,
    PACKET_LIMIT_TABLE(X)
#undef X
        CONFIG_LIMITS
};

struct config_gnb {
    struct packet_address address;
    bool has_id, has_plmn, has_area;
    uint32_t id, area;
    unsigned char plmn[3]; /* as in TS 24.501 */
};

struct config_prefix {
    struct packet_address address;
    unsigned bits;
};

struct packet_config {
    struct config_gnb *gnbs;
    struct config_prefix *peers, *core, *n6, *relays;
    size_t gnb_count, peer_count, core_count, n6_count, relay_count;
    size_t gnb_room, peer_room, core_room, n6_room, relay_room;
    uint64_t limits[CONFIG_LIMITS];
};

/* The defaults when there is no configuration. */
const struct packet_config *config_or_default(const struct packet_config *c);
bool config_holds(const struct config_prefix *list, size_t count, const struct packet_address *a);

#endif
