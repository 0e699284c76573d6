/* What of an NGAP message (TS 38.413) the session table and the rules need. */
#ifndef PACKET_NGAP_PRIV_H
#define PACKET_NGAP_PRIV_H

#include "packet/packet_priv.h"

enum ngap_procedure {
    NGAP_DOWNLINK_NAS = 4,
    NGAP_ERROR = 9,
    NGAP_HANDOVER_RESOURCE = 13,
    NGAP_INITIAL_CONTEXT = 14,
    NGAP_INITIAL_UE = 15,
    NGAP_SETUP = 21,
    NGAP_PATH_SWITCH = 25,
    NGAP_SESSION_MODIFY = 26,
    NGAP_SESSION_RELEASE = 28,
    NGAP_SESSION_SETUP = 29,
    NGAP_CONFIGURATION_UPDATE = 35,
    NGAP_CONTEXT_RELEASE = 41,
    NGAP_UPLINK_NAS = 46
};
#define PORT_NGAP       38412
#define NGAP_INITIATING 0
#define NGAP_SUCCESSFUL 1

/* One PDU session of a list: where its tunnel ends, on one side. */
struct ngap_session {
    uint8_t id;
    bool has_tunnel, uplink; /* uplink: the end at the UPF */
    uint32_t teid;
    struct packet_address v4, v6;
    int sst; /* -1: not said */
    int32_t sd;
    bool ethernet, unstructured;
};

#define NGAP_NAS 4 /* NAS messages of one NGAP message that are looked at */
struct ngap_message {
    int procedure, outcome;
    bool from_amf;
    bool has_amf, has_ran, has_source_amf;
    uint64_t amf, ran, source_amf; /* of a path switch: as the old gNB knew it */
    struct cursor nas[NGAP_NAS];
    size_t nas_count;
    struct cursor global_id, areas, capabilities; /* GlobalRANNodeID, SupportedTAList, UESecurity */
    struct ngap_session sessions[LIMIT_PACKET_NGAP_SESSIONS];
    size_t session_count;
    bool malformed;
};

/* A NAS message of 5G (TS 24.501), as far as it can be read without keys. */
enum nas_kind {
    NAS_OTHER,
    NAS_REGISTRATION_REQUEST,
    NAS_REGISTRATION_REJECT,
    NAS_SECURITY_MODE_COMMAND,
    NAS_SECURITY_MODE_COMPLETE
};
struct nas_message {
    enum nas_kind kind;
    bool has_suci, null_scheme, emergency;
    unsigned ciphering, integrity; /* of a Security Mode Command: 0 null */
    struct cursor capabilities; /* UE security capability, as told or as repeated; may be empty */
};
struct nas_message nas_parse(struct cursor c);

#endif
