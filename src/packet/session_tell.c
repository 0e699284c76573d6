/* What the visitor is told of a tunnel: which way it leads, and at which interface. */
#include "packet/session_priv.h"

static void tell_gtpc(uint8_t interface, struct packet_gpdu *g)
{
    switch (interface) {
    case GTPC_S1U_ENB:
        g->direction = PACKET_DOWNLINK;
        g->interface = "s1-u";
        break;
    case GTPC_S1U_SGW:
        g->direction = PACKET_UPLINK;
        g->interface = "s1-u";
        break;
    case GTPC_S5U_SGW:
        g->direction = PACKET_DOWNLINK;
        g->interface = "s5-u";
        break;
    case GTPC_S5U_PGW:
        g->direction = PACKET_UPLINK;
        g->interface = "s5-u";
        break;
    case GTPC_GN_SGSN:
        g->direction = PACKET_DOWNLINK;
        g->interface = "gn-u";
        break;
    case GTPC_GN_GGSN:
        g->direction = PACKET_UPLINK;
        g->interface = "gn-u";
        break;
    default:
        break;
    }
}

/* What comes in from the access side goes up; what is sent to it goes down. */
static void tell_pfcp(const struct found_tunnel *f, struct packet_gpdu *g)
{
    bool access = f->interface == PFCP_INTERFACE_ACCESS;
    bool core = f->interface == PFCP_INTERFACE_CORE;
    if (!access && !core)
        return;
    g->direction = access == (f->kind == BINDING_PDR) ? PACKET_UPLINK : PACKET_DOWNLINK;
    g->interface = access ? (f->five_g ? "n3" : "s1-u") : (f->five_g ? "n9" : "s5-u");
}

void sessions_tell(const struct found_tunnel *f, struct packet_gpdu *g)
{
    g->joined = true;
    memcpy(g->handle, f->handle, sizeof g->handle);
    g->sst = f->sst;
    g->sd = f->sd;
    switch ((enum binding_kind)f->kind) {
    case BINDING_PDR:
    case BINDING_FAR:
        tell_pfcp(f, g);
        break;
    case BINDING_N2:
        g->direction = f->interface ? PACKET_DOWNLINK : PACKET_UPLINK;
        g->interface = "n3";
        break;
    case BINDING_GTPC:
        tell_gtpc(f->interface, g);
        break;
    }
}
