/* What of GTP the session table and the rules need. */
#ifndef PACKET_GTP_PRIV_H
#define PACKET_GTP_PRIV_H

#include "packet/packet_priv.h"

enum gtpu_type {
    GTP_ECHO_REQUEST = 1,
    GTP_ECHO_RESPONSE = 2,
    GTPU_ERROR_INDICATION = 26,
    GTPU_END_MARKER = 254,
    GTPU_GPDU = 255
};

enum gtpc_type {
    GTPV1_CREATE_REQUEST = 16,
    GTPV1_CREATE_RESPONSE = 17,
    GTPV1_UPDATE_REQUEST = 18,
    GTPV1_UPDATE_RESPONSE = 19,
    GTPV1_DELETE_REQUEST = 20,
    GTPV1_DELETE_RESPONSE = 21,
    GTPV2_CREATE_REQUEST = 32,
    GTPV2_CREATE_RESPONSE = 33,
    GTPV2_DELETE_REQUEST = 36,
    GTPV2_DELETE_RESPONSE = 37
};

/* An F-TEID of GTPv2-C, or a pair of TEID and GSN address of GTPv1-C, with an interface type of
 * TS 29.274 8.22. */
struct gtpc_tunnel {
    uint8_t interface;
    uint32_t teid;
    struct packet_address v4, v6;
};
enum {
    GTPC_S1U_ENB = 0,
    GTPC_S1U_SGW = 1,
    GTPC_S5U_SGW = 4,
    GTPC_S5U_PGW = 5,
    GTPC_S5C_SGW = 6,
    GTPC_S5C_PGW = 7,
    GTPC_S11_MME = 10,
    GTPC_S11_SGW = 11,
    GTPC_GN_SGSN = 64, /* these are ours: GTPv1-C does not number its interfaces */
    GTPC_GN_GGSN = 65,
    GTPC_GN_CONTROL = 66
};

struct gtpc_message {
    enum packet_protocol protocol;
    uint8_t type;
    bool has_teid;
    uint32_t teid, sequence;
    int cause;
    struct str user; /* the IMSI element, for a pseudonym only */
    struct packet_address ue_v4, ue_v6;
    struct gtpc_tunnel tunnels[LIMIT_PACKET_GTPC_TUNNELS];
    size_t tunnel_count;
    bool malformed;
};

#endif
