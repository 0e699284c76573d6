/* Rules of PFCP: P1 to P7. */
#include "packet/rules_priv.h"
#include "packet/session_priv.h"

static bool is_session_request(uint8_t type)
{
    return type == PFCP_ESTABLISHMENT_REQUEST || type == PFCP_MODIFICATION_REQUEST ||
           type == PFCP_DELETION_REQUEST;
}

static bool is_trusted(const struct walk *w, const struct peer *p)
{
    const struct packet_config *c = config_of(w);
    return p->associated || p->alternative || config_holds(c->peers, c->peer_count, &p->a);
}

/* ---- P1 pfcp-session-request-from-non-owner ---------------------------------------------- */

/* True if it spoke: then nothing less exact is said of this message. */
static bool owner_check(struct walk *w, const struct pfcp_message *m, const struct peer *src)
{
    struct sessions *t = w->d->sessions;
    const struct packet_ip *ip = w->ip;
    const struct packet_config *c = config_of(w);
    unsigned char handle[16];
    struct rule_text from;
    if (m->type != PFCP_MODIFICATION_REQUEST && m->type != PFCP_DELETION_REQUEST)
        return false;
    if (sessions_owner(t, &ip->dst, m->seid, &ip->src, handle) != SESSION_OTHER)
        return false;
    /* TS 29.244 §5.22: another SMF of a set goes on with a session, and brings its own F-SEID. */
    bool of_set = src->alternative || config_holds(c->peers, c->peer_count, &ip->src) ||
                  (src->associated && m->type == PFCP_MODIFICATION_REQUEST && m->has_fseid);
    if (of_set)
        return false;
    rule_alert_session(w, RULE_NON_OWNER, handle, "%s wants to %s a session that another node made",
                       rule_address(&from, &ip->src),
                       m->type == PFCP_DELETION_REQUEST ? "delete" : "modify");
    return true;
}

/* ---- P3 pfcp-unassociated-peer ----------------------------------------------------------- */

static struct suspect *suspect_find(struct rules *r, const struct packet_address *src,
                                    const struct packet_address *dst)
{
    for (size_t i = 0; i < r->suspect_count; i++)
        if (address_eq(&r->suspects[i].src, src) && address_eq(&r->suspects[i].dst, dst))
            return &r->suspects[i];
    return NULL;
}

static void suspect_add(struct walk *w)
{
    struct rules *r = w->d->rules;
    if (suspect_find(r, &w->ip->src, &w->ip->dst) || r->suspect_count == SUSPECTS)
        return;
    r->suspects[r->suspect_count++] = (struct suspect){.src = w->ip->src,
                                                       .dst = w->ip->dst,
                                                       .frame = w->frame->number,
                                                       .source = w->frame->source,
                                                       .time_us = w->frame->time_us};
}

static void association_check(struct walk *w, const struct pfcp_message *m, struct peer *src)
{
    uint64_t most = config_of(w)->limits[CONFIG_HEARTBEATS];
    if (is_trusted(w, src))
        return;
    if (m->type == PFCP_HEARTBEAT_REQUEST && ++src->heartbeats > most)
        suspect_add(w);
    else if (is_session_request(m->type))
        suspect_add(w);
}

static void ask_association(struct walk *w, const struct pfcp_message *m, struct peer *src)
{
    src->asked = w->ip->dst;
    src->asked_sequence = m->sequence;
}

/* Answers to what nobody asked are anybody's. */
static bool is_asked_for(struct walk *w, const struct pfcp_message *m)
{
    const struct peer *asker = peer_find(w->d->rules, &w->ip->dst);
    return asker && address_eq(&asker->asked, &w->ip->src) && asker->asked_sequence == m->sequence;
}

/* Two nodes work together: the answer says so. */
static void associate(struct walk *w, const struct pfcp_message *m)
{
    struct rules *r = w->d->rules;
    const struct packet_address *both[2] = {&w->ip->src, &w->ip->dst};
    if (m->cause != PFCP_ACCEPTED)
        return;
    for (unsigned i = 0; i < 2; i++) {
        struct peer *p = peer_of(r, both[i]);
        p->associated = true;
        if (m->type == PFCP_ASSOCIATION_RESPONSE)
            p->associated_us = r->now_us;
    }
}

/* ---- P2 pfcp-seid-guessing --------------------------------------------------------------- */

static void guess_check(struct walk *w, const struct pfcp_message *m)
{
    struct rules *r = w->d->rules;
    const struct packet_ip *ip = w->ip;
    struct peer *guesser = peer_of(r, &ip->dst);
    struct rule_text who;
    if (m->cause != PFCP_SESSION_UNKNOWN)
        return;
    if (!burst_count(&guesser->unknown, config_of(w)->limits[CONFIG_GUESSES], r->now_us))
        return;
    struct suspect *s = suspect_find(r, &ip->dst, &ip->src);
    if (s)
        s->guesses = true;
    rule_alert(w, RULE_SEID_GUESSING, NULL, "%s asks for sessions that do not exist",
               rule_address(&who, &ip->dst));
}

/* ---- P4 pfcp-downlink-to-unknown-peer ---------------------------------------------------- */

static bool is_known_end(struct walk *w, const struct packet_address *a)
{
    struct rules *r = w->d->rules;
    const struct peer *p = peer_find(r, a);
    return (p && (p->gnb || p->set_up)) || sessions_ends_at(w->d->sessions, a);
}

static void forwarding_check(struct walk *w, const struct pfcp_message *m)
{
    static const char said[] = "users' traffic is sent to %s, which no gNB named";
    struct rule_text to;
    unsigned char handle[16];
    if (!w->d->rules->ngap_tunnels || !is_session_request(m->type))
        return;
    for (size_t i = 0; i < m->rule_count; i++) {
        const struct pfcp_rule *f = &m->rules[i];
        const struct packet_address *a = f->v4.n ? &f->v4 : &f->v6;
        bool far = f->kind == PFCP_CREATE_FAR || f->kind == PFCP_UPDATE_FAR;
        if (!far || !f->has_tunnel || f->interface != PFCP_INTERFACE_ACCESS || !a->n ||
            is_known_end(w, a))
            continue;
        /* A session that is about to be made has no handle yet. */
        if (m->type == PFCP_MODIFICATION_REQUEST &&
            sessions_owner(w->d->sessions, &w->ip->dst, m->seid, &w->ip->src, handle) !=
                SESSION_UNKNOWN)
            rule_alert_session(w, RULE_UNKNOWN_PEER, handle, said, rule_address(&to, a));
        else
            rule_alert(w, RULE_UNKNOWN_PEER, NULL, said, rule_address(&to, a));
    }
}

/* ---- P5 pfcp-node-takeover --------------------------------------------------------------- */

static struct node_name *name_of(struct rules *r, struct str name)
{
    uint64_t h = str_hash(name, r->d->seed) | 1;
    struct node_name *n = &r->names[h % NODE_NAMES];
    if (n->name == h)
        return n;
    if (n->name && n->a.n) { /* another has this place: it stays, so that none can be pushed out */
        const struct peer *p = peer_find(r, &n->a);
        if (p && p->associated)
            return NULL;
    }
    *n = (struct node_name){.name = h};
    return n;
}

static void takeover_check(struct walk *w, const struct pfcp_message *m)
{
    struct rules *r = w->d->rules;
    const struct packet_address *src = &w->ip->src;
    struct rule_text who;
    if (!m->node_id.n)
        return;
    struct node_name *n = name_of(r, m->node_id);
    if (!n)
        return;
    const struct peer *had = n->a.n ? peer_find(r, &n->a) : NULL;
    if (n->a.n && !address_eq(&n->a, src) && had && had->associated)
        rule_alert(w, RULE_TAKEOVER, NULL, "%s %s under the Node ID of another address",
                   rule_address(&who, src),
                   m->type == PFCP_RELEASE_REQUEST ? "releases" : "associates");
    else if (m->type != PFCP_RELEASE_REQUEST)
        n->a = *src;
}

static void start_check(struct walk *w, const struct pfcp_message *m, struct peer *src)
{
    struct rule_text who;
    int64_t now_us = w->d->rules->now_us;
    if (!m->has_start)
        return;
    bool back = src->has_start && src->associated && m->start < src->start;
    src->has_start = true;
    if (!back) {
        src->start = m->start;
        return;
    }
    /* One high number would have every honest message after it told. */
    if (src->back_us && now_us - src->back_us < SILENCE_US)
        return;
    src->back_us = now_us;
    rule_alert(w, RULE_TAKEOVER, NULL, "the Recovery Time Stamp of %s goes back",
               rule_address(&who, &w->ip->src));
}

/* ---- P6 pfcp-flood ----------------------------------------------------------------------- */

static void flood_check(struct walk *w, const struct pfcp_message *m, struct peer *src)
{
    struct rules *r = w->d->rules;
    struct rule_text who;
    if (m->type != PFCP_HEARTBEAT_REQUEST && m->type != PFCP_ESTABLISHMENT_REQUEST)
        return;
    bool restores = m->type == PFCP_ESTABLISHMENT_REQUEST && src->associated_us &&
                    r->now_us - src->associated_us < SILENCE_US;
    if (!restores && rate_count(&src->pfcp, config_of(w)->limits[CONFIG_PFCP_RATE], r->now_us))
        rule_alert(w, RULE_PFCP_FLOOD, NULL, "%s sends more than %u requests a second",
                   rule_address(&who, &w->ip->src),
                   (unsigned)config_of(w)->limits[CONFIG_PFCP_RATE]);
}

/* ---- P7 pfcp-malformed ------------------------------------------------------------------- */

/* Elements without which a message means nothing (TS 29.244 §7.4, §7.5); 0 ends a row. */
static const struct {
    uint8_t type;
    uint16_t elements[4];
} needed[] = {
    {PFCP_HEARTBEAT_REQUEST, {96}},       {PFCP_HEARTBEAT_RESPONSE, {96}},
    {PFCP_ASSOCIATION_REQUEST, {60, 96}}, {PFCP_ASSOCIATION_RESPONSE, {60, 19, 96}},
    {PFCP_RELEASE_REQUEST, {60}},         {PFCP_ESTABLISHMENT_REQUEST, {60, 57, 1, 3}},
    {PFCP_ESTABLISHMENT_RESPONSE, {19}},  {PFCP_MODIFICATION_RESPONSE, {19}},
    {PFCP_DELETION_RESPONSE, {19}},
};

static unsigned element_missing(const struct pfcp_message *m)
{
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        for (unsigned k = 0; needed[i].type == m->type && k < 4 && needed[i].elements[k]; k++)
            if (!pfcp_saw(m, needed[i].elements[k]))
                return needed[i].elements[k];
    return 0;
}

/* True if it spoke. */
static bool form_check(struct walk *w, const struct pfcp_message *m, const struct peer *src)
{
    struct rule_text who;
    unsigned missing = element_missing(m);
    /* Frames that the capture cut short say nothing of their sender. */
    if (w->frame->n < w->frame->wire_bytes)
        return false;
    if (m->malformed)
        rule_alert(w, RULE_PFCP_BAD, NULL, "%s sends type %u: %s", rule_address(&who, &w->ip->src),
                   m->type, m->malformed);
    else if (missing && src->associated)
        rule_alert(w, RULE_PFCP_BAD, NULL, "%s sends type %u without element %u",
                   rule_address(&who, &w->ip->src), m->type, missing);
    else
        return false;
    return true;
}

/* ---- all of them ------------------------------------------------------------------------- */

static void alternatives_learn(struct walk *w, const struct pfcp_message *m, const struct peer *src)
{
    if (m->type != PFCP_ASSOCIATION_REQUEST && !src->associated)
        return;
    for (size_t i = 0; i < m->alternative_count; i++)
        peer_of(w->d->rules, &m->alternative[i])->alternative = true;
}

void rules_pfcp(struct walk *w, const struct pfcp_message *m)
{
    if (rules_off(w))
        return;
    struct peer *src = peer_of(w->d->rules, &w->ip->src);
    bool bad = form_check(w, m, src);
    start_check(w, m, src);
    flood_check(w, m, src);
    alternatives_learn(w, m, src);
    switch (m->type) {
    case PFCP_ASSOCIATION_REQUEST:
        takeover_check(w, m);
        ask_association(w, m, src);
        break;
    case PFCP_RELEASE_REQUEST:
        takeover_check(w, m);
        break;
    case PFCP_ASSOCIATION_RESPONSE:
        takeover_check(w, m);
        if (is_asked_for(w, m))
            associate(w, m);
        break;
    case PFCP_ESTABLISHMENT_RESPONSE:
        if (sessions_asked(w->d->sessions, &w->ip->dst, m->seid))
            associate(w, m);
        break;
    case PFCP_MODIFICATION_RESPONSE:
    case PFCP_DELETION_RESPONSE:
        guess_check(w, m);
        break;
    default:
        break;
    }
    if (!bad && !owner_check(w, m, src))
        association_check(w, m, src);
    forwarding_check(w, m);
}
