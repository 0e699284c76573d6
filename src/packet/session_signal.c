/*
 * What the messages of PFCP, GTP-C and NGAP do to the table of sessions. What PFCP asks for comes
 * to be when it is accepted; of GTP-C and NGAP tunnels are taken from where they stand first.
 */
#include "packet/session_priv.h"

/* ---- PFCP -------------------------------------------------------------------------------- */

/* The address that packets to this end are sent to. */
static const struct packet_address *end_address(const struct packet_address *v4,
                                                const struct packet_address *v6)
{
    return v4->n ? v4 : v6->n ? v6 : NULL;
}

/* Both addresses of an end that has two. NGAP may have told of it first: then they are one. */
static void bind_all(struct walk *w, uint32_t index, struct end *end,
                     const struct packet_address *v4, const struct packet_address *v6)
{
    struct sessions *t = w->d->sessions;
    const struct packet_address *both[2] = {v4, v6};
    for (unsigned i = 0; i < 2; i++) {
        const struct binding *had;
        if (!both[i]->n)
            continue;
        uint32_t other = session_of_tunnel(t, both[i], end->teid, &had);
        if (other != NONE && other != index && session_at(t, other)->source == SESSION_N2)
            session_join_n2(t, other, index, w->frame->time_us);
        end->address = both[i];
        session_bind(t, index, end);
    }
}

static void pdr_apply(struct walk *w, uint32_t index, const struct pfcp_rule *r)
{
    struct sessions *t = w->d->sessions;
    struct end end = {.kind = BINDING_PDR,
                      .interface = (uint8_t)(r->interface < 0 ? 0xff : r->interface),
                      .rule = r->id,
                      .teid = r->teid};
    if (!r->has_tunnel)
        return;
    if (r->choose)
        session_bind(t, index, &end);
    else
        bind_all(w, index, &end, &r->v4, &r->v6);
}

static void far_apply(struct walk *w, uint32_t index, const struct pfcp_rule *r)
{
    struct sessions *t = w->d->sessions;
    const struct packet_address *a = end_address(&r->v4, &r->v6);
    struct end end = {.kind = BINDING_FAR,
                      .interface = (uint8_t)(r->interface < 0 ? 0 : r->interface),
                      .rule = r->id,
                      .teid = r->teid};
    const struct binding *had;
    if (!r->has_tunnel || !a)
        return;
    if (session_of_tunnel(t, a, r->teid, &had) == index && had->kind == BINDING_FAR &&
        had->rule == r->id)
        return; /* nothing new */
    session_unbind(t, index, BINDING_FAR, r->id, w->frame->time_us);
    bind_all(w, index, &end, &r->v4, &r->v6);
}

static void rule_apply(struct walk *w, uint32_t index, const struct pfcp_rule *r)
{
    struct sessions *t = w->d->sessions;
    switch (r->kind) {
    case PFCP_CREATE_PDR:
    case PFCP_UPDATE_PDR:
        pdr_apply(w, index, r);
        break;
    case PFCP_CREATED_PDR:
        if (r->has_tunnel && !r->choose && end_address(&r->v4, &r->v6))
            session_chosen(t, index, r->id, r->teid, end_address(&r->v4, &r->v6));
        break;
    case PFCP_CREATE_FAR:
    case PFCP_UPDATE_FAR:
        far_apply(w, index, r);
        break;
    case PFCP_REMOVE_PDR:
        session_unbind(t, index, BINDING_PDR, r->id, w->frame->time_us);
        break;
    case PFCP_REMOVE_FAR:
        session_unbind(t, index, BINDING_FAR, r->id, w->frame->time_us);
        break;
    }
}

static void pfcp_apply(struct walk *w, uint32_t index, const struct pfcp_message *m)
{
    struct session *s = session_at(w->d->sessions, index);
    s->framed = s->framed || m->framed_route;
    for (size_t i = 0; i < m->ue_count; i++) {
        const struct pfcp_ue *u = &m->ue[i];
        /* Of several prefixes one is kept, so that a source is not told from others. */
        if (u->v6.n && s->has_v6 && memcmp(s->v6, u->v6.b, sizeof s->v6) != 0)
            s->framed = true;
        session_user(w->d->sessions, index, &u->v4, &u->v6, u->prefix);
    }
    s->five_g = s->five_g || m->five_g || m->sst >= 0;
    if (m->sst >= 0) {
        s->sst = (int16_t)m->sst;
        s->sd = m->sd;
    }
    for (size_t i = 0; i < m->rule_count; i++)
        rule_apply(w, index, &m->rules[i]);
    session_learned(w->d->sessions, index);
}

/* What was asked for and accepted: the request bears the CP's F-SEID, the answer the UP's. */
static void establishment(struct walk *w, const struct pfcp_message *asked,
                          const struct pfcp_message *m)
{
    struct sessions *t = w->d->sessions;
    const struct packet_address *cp = &w->ip->dst;
    if (!asked->has_fseid)
        return;
    uint32_t old = session_lookup(t, SESSION_BY_CP, cp, asked->fseid, SESSION_PFCP);
    if (old != NONE)
        session_end(t, old, w->frame->time_us);
    uint32_t i = session_make(w, SESSION_PFCP);
    if (i == NONE)
        return;
    if (!session_index(t, i, SESSION_BY_CP, cp, asked->fseid)) {
        session_drop(t, i);
        return;
    }
    struct session *s = session_at(t, i);
    s->ethernet = asked->ethernet;
    s->unstructured = asked->unstructured;
    session_handle(w, s, asked->user);
    session_owned_by(t, i, end_address(&asked->fseid_v4, &asked->fseid_v6));
    const struct packet_address *up = end_address(&m->fseid_v4, &m->fseid_v6);
    if (m->has_fseid)
        (void)session_index(t, i, SESSION_BY_UP, up ? up : &w->ip->src, m->fseid);
    pfcp_apply(w, i, asked);
    pfcp_apply(w, i, m);
}

/* The request names the session by the UP's SEID, the answer by the CP's, which may be 0. */
static uint32_t session_meant(struct walk *w, const struct pfcp_message *m)
{
    struct sessions *t = w->d->sessions;
    uint32_t i = session_lookup(t, SESSION_BY_UP, &w->ip->src, m->request->seid, SESSION_PFCP);
    return i != NONE ? i : session_lookup(t, SESSION_BY_CP, &w->ip->dst, m->seid, SESSION_PFCP);
}

static void restart(struct walk *w, const struct packet_address *who, const struct pfcp_message *m)
{
    bool associates = m->type == PFCP_ASSOCIATION_REQUEST || m->type == PFCP_ASSOCIATION_RESPONSE;
    if (m->has_start)
        sessions_restarted(w->d->sessions, who, m->start, associates, w->frame->time_us);
}

/* Packets come through a tunnel when both its ends know of it: once the UPF has accepted it. */
void sessions_pfcp(struct walk *w, const struct pfcp_message *m)
{
    const struct pfcp_message *asked = m->request;
    uint32_t i;
    if (m->type == PFCP_HEARTBEAT_RESPONSE && asked)
        restart(w, &w->ip->src, m);
    if (!pfcp_accepted(m))
        return;
    switch (m->type) {
    case PFCP_ASSOCIATION_RESPONSE:
        restart(w, &w->ip->dst, asked);
        restart(w, &w->ip->src, m);
        break;
    case PFCP_ESTABLISHMENT_RESPONSE:
        establishment(w, asked, m);
        break;
    case PFCP_MODIFICATION_RESPONSE:
        if ((i = session_meant(w, m)) != NONE) {
            pfcp_apply(w, i, asked);
            pfcp_apply(w, i, m);
        }
        break;
    case PFCP_DELETION_RESPONSE:
        if ((i = session_meant(w, m)) != NONE)
            session_end(w->d->sessions, i, w->frame->time_us);
        break;
    default:
        break;
    }
}

/* ---- GTP-C ------------------------------------------------------------------------------- */

static bool is_control(uint8_t interface)
{
    return interface == GTPC_S5C_SGW || interface == GTPC_S5C_PGW || interface == GTPC_S11_MME ||
           interface == GTPC_S11_SGW || interface == GTPC_GN_CONTROL;
}

static bool is_user(uint8_t interface)
{
    return interface == GTPC_S1U_ENB || interface == GTPC_S1U_SGW || interface == GTPC_S5U_SGW ||
           interface == GTPC_S5U_PGW || interface == GTPC_GN_SGSN || interface == GTPC_GN_GGSN;
}

static const struct gtpc_tunnel *control_of(const struct gtpc_message *m)
{
    for (size_t i = 0; i < m->tunnel_count; i++)
        if (is_control(m->tunnels[i].interface) &&
            end_address(&m->tunnels[i].v4, &m->tunnels[i].v6))
            return &m->tunnels[i];
    return NULL;
}

static bool is_create_request(const struct gtpc_message *m)
{
    return m->type == (m->protocol == PACKET_GTPV2C ? GTPV2_CREATE_REQUEST : GTPV1_CREATE_REQUEST);
}

/* Where PFCP already told of a tunnel, its session keeps it. */
static void gtpc_apply(struct walk *w, uint32_t index, const struct gtpc_message *m)
{
    struct sessions *t = w->d->sessions;
    if (!is_create_request(m)) /* what is asked for is not given yet */
        session_user(t, index, &m->ue_v4, &m->ue_v6, 64);
    for (size_t i = 0; i < m->tunnel_count; i++) {
        const struct gtpc_tunnel *u = &m->tunnels[i];
        const struct packet_address *a = end_address(&u->v4, &u->v6);
        const struct binding *had;
        if (!is_user(u->interface) || !a || session_of_tunnel(t, a, u->teid, &had) != NONE)
            continue;
        struct end end = {
            .kind = BINDING_GTPC, .interface = u->interface, .teid = u->teid, .address = a};
        session_bind(t, index, &end);
    }
    session_learned(t, index);
}

static bool is_delete_response(const struct gtpc_message *m)
{
    return m->type ==
           (m->protocol == PACKET_GTPV2C ? GTPV2_DELETE_RESPONSE : GTPV1_DELETE_RESPONSE);
}

static void create(struct walk *w, const struct gtpc_message *m)
{
    struct sessions *t = w->d->sessions;
    const struct gtpc_tunnel *from = control_of(m);
    if (!from)
        return;
    const struct packet_address *a = end_address(&from->v4, &from->v6);
    uint32_t old = session_lookup(t, SESSION_BY_CP, a, from->teid, SESSION_GTPC);
    if (old != NONE)
        session_end(t, old, w->frame->time_us);
    uint32_t i = session_make(w, SESSION_GTPC);
    if (i == NONE)
        return;
    if (!session_index(t, i, SESSION_BY_CP, a, from->teid)) {
        session_drop(t, i);
        return;
    }
    session_handle(w, session_at(t, i), m->user);
    gtpc_apply(w, i, m);
}

void sessions_gtpc(struct walk *w, const struct gtpc_message *m)
{
    struct sessions *t = w->d->sessions;
    if (is_create_request(m)) {
        create(w, m);
        return;
    }
    if (!m->has_teid || m->teid == 0)
        return;
    /* The header bears the TEID of whom it is for: who asked first, or who answered. */
    uint32_t i = session_lookup(t, SESSION_BY_CP, &w->ip->dst, m->teid, SESSION_GTPC);
    if (i == NONE)
        i = session_lookup(t, SESSION_BY_UP, &w->ip->dst, m->teid, SESSION_GTPC);
    if (i == NONE)
        return;
    const struct gtpc_tunnel *other = control_of(m);
    if (other && session_at(t, i)->node[SESSION_BY_UP] == NONE)
        (void)session_index(t, i, SESSION_BY_UP, end_address(&other->v4, &other->v6), other->teid);
    gtpc_apply(w, i, m);
    if (is_delete_response(m))
        session_end(t, i, w->frame->time_us);
}

/* ---- NGAP -------------------------------------------------------------------------------- */

/* A user's PDU session at an AMF; ids of users have 40 bits. */
static uint64_t n2_id(uint64_t amf_ue, uint8_t session)
{
    return amf_ue << 8 | session;
}

static uint32_t n2_make(struct walk *w, const struct packet_address *amf, uint64_t id)
{
    struct sessions *t = w->d->sessions;
    uint32_t i = session_make(w, SESSION_N2);
    if (i == NONE)
        return NONE;
    if (!session_index(t, i, SESSION_BY_N2, amf, id)) {
        session_drop(t, i);
        return NONE;
    }
    session_handle(w, session_at(t, i), STR_NONE);
    return i;
}

/* The session that a tunnel's end belongs to; PFCP's where it told of that end already. */
static uint32_t n2_session(struct walk *w, const struct packet_address *amf, uint64_t id,
                           const struct ngap_session *n)
{
    struct sessions *t = w->d->sessions;
    const struct packet_address *a = end_address(&n->v4, &n->v6);
    const struct binding *had;
    uint32_t known = session_lookup(t, SESSION_BY_N2, amf, id, SESSION_N2);
    uint32_t there = n->has_tunnel && a ? session_of_tunnel(t, a, n->teid, &had) : NONE;
    if (there == NONE || there == known)
        return known != NONE ? known : n2_make(w, amf, id);
    if (session_at(t, there)->source == SESSION_N2) /* the end is used again */
        return known != NONE ? known : n2_make(w, amf, id);
    if (known != NONE && session_at(t, known)->source == SESSION_N2)
        session_join_n2(t, known, there, w->frame->time_us);
    else
        (void)session_index(t, there, SESSION_BY_N2, amf, id);
    session_at(t, there)->five_g = true;
    return there;
}

static void n2_apply(struct walk *w, const struct packet_address *amf, uint64_t id,
                     const struct ngap_session *n)
{
    struct sessions *t = w->d->sessions;
    uint32_t i = n2_session(w, amf, id, n);
    if (i == NONE)
        return;
    struct session *s = session_at(t, i);
    if (n->sst >= 0) {
        s->sst = (int16_t)n->sst;
        s->sd = n->sd;
    }
    s->ethernet = s->ethernet || n->ethernet;
    s->unstructured = s->unstructured || n->unstructured;
    session_learned(t, i);
    if (!n->has_tunnel)
        return;
    struct end end = {.kind = BINDING_N2, .interface = !n->uplink, .teid = n->teid};
    const struct packet_address *both[2] = {&n->v4, &n->v6};
    for (unsigned k = 0; k < 2; k++) {
        const struct binding *had;
        end.address = both[k];
        if (both[k]->n && session_of_tunnel(t, both[k], n->teid, &had) != i)
            session_bind(t, i, &end);
    }
}

/* The user's or the one session is released: what only NGAP knew is over. */
static void n2_release(struct walk *w, const struct packet_address *amf, uint64_t amf_ue)
{
    struct sessions *t = w->d->sessions;
    for (unsigned id = 1; id <= 15; id++) {
        uint32_t i = session_lookup(t, SESSION_BY_N2, amf, n2_id(amf_ue, (uint8_t)id), SESSION_N2);
        if (i != NONE && session_at(t, i)->source == SESSION_N2)
            session_end(t, i, w->frame->time_us);
    }
}

void sessions_ngap(struct walk *w, const struct ngap_message *m)
{
    const struct packet_address *amf = m->from_amf ? &w->ip->src : &w->ip->dst;
    if (!m->has_amf)
        return;
    for (size_t i = 0; i < m->session_count; i++)
        n2_apply(w, amf, n2_id(m->amf, m->sessions[i].id), &m->sessions[i]);
    if (m->procedure == NGAP_CONTEXT_RELEASE && m->outcome == NGAP_SUCCESSFUL)
        n2_release(w, amf, m->amf);
}
