/* What the visitor is told of a tunnel: which way it leads, and at which interface. It is worked
 * out when the tunnel is found first, not for each packet. */
#include "packet/session_priv.h"

enum { AT_UNKNOWN, AT_N3, AT_N9, AT_S1U, AT_S5U, AT_GNU };
static const char *const names[] = {NULL, "n3", "n9", "s1-u", "s5-u", "gn-u"};

static void lead(struct found_tunnel *f, enum packet_direction direction, uint8_t at)
{
    f->direction = (uint8_t)direction;
    f->at = at;
}

static void lead_gtpc(struct found_tunnel *f, uint8_t interface)
{
    switch (interface) {
    case GTPC_S1U_ENB:
        lead(f, PACKET_DOWNLINK, AT_S1U);
        break;
    case GTPC_S1U_SGW:
        lead(f, PACKET_UPLINK, AT_S1U);
        break;
    case GTPC_S5U_SGW:
        lead(f, PACKET_DOWNLINK, AT_S5U);
        break;
    case GTPC_S5U_PGW:
        lead(f, PACKET_UPLINK, AT_S5U);
        break;
    case GTPC_GN_SGSN:
        lead(f, PACKET_DOWNLINK, AT_GNU);
        break;
    case GTPC_GN_GGSN:
        lead(f, PACKET_UPLINK, AT_GNU);
        break;
    default:
        break;
    }
}

/* What comes in from the access side goes up; what is sent to it goes down. */
static void lead_pfcp(struct found_tunnel *f, const struct binding *x, bool five_g)
{
    bool access = x->interface == PFCP_INTERFACE_ACCESS;
    if (!access && x->interface != PFCP_INTERFACE_CORE)
        return;
    lead(f, access == (x->kind == BINDING_PDR) ? PACKET_UPLINK : PACKET_DOWNLINK,
         access ? (five_g ? AT_N3 : AT_S1U) : (five_g ? AT_N9 : AT_S5U));
}

void session_lead(struct found_tunnel *f, const struct binding *x, const struct session *s)
{
    lead(f, PACKET_WAY_UNKNOWN, AT_UNKNOWN);
    switch ((enum binding_kind)x->kind) {
    case BINDING_PDR:
    case BINDING_FAR:
        lead_pfcp(f, x, s->five_g || s->source == SESSION_N2);
        break;
    case BINDING_N2:
        lead(f, x->interface ? PACKET_DOWNLINK : PACKET_UPLINK, AT_N3);
        break;
    case BINDING_GTPC:
        lead_gtpc(f, x->interface);
        break;
    }
}

void sessions_tell(const struct found_tunnel *f, struct packet_gpdu *g)
{
    g->joined = true;
    memcpy(g->handle, f->handle, sizeof g->handle);
    g->sst = f->sst;
    g->sd = f->sd;
    g->interface = names[f->at];
    if (f->at != AT_UNKNOWN) /* else the packet may say it */
        g->direction = (enum packet_direction)f->direction;
}
