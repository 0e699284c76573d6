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

/* So many a minute: who floods is not to fill the log. */
static bool may_tell(struct told *t, unsigned most, int64_t now_us)
{
    if (now_us - t->minute_us >= SILENCE_US)
        *t = (struct told){.minute_us = now_us};
    return t->count < most && ++t->count;
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
                       rule_address(w->d, &from, &ip->src),
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
    if (suspect_find(r, &w->ip->src, &w->ip->dst))
        return;
    struct suspect *place = r->suspects;
    if (r->suspect_count < SUSPECTS)
        place += r->suspect_count++;
    else
        for (size_t i = 1; i < SUSPECTS; i++) /* whoever has waited longest goes */
            place = r->suspects[i].time_us < place->time_us ? &r->suspects[i] : place;
    *place = (struct suspect){.src = w->ip->src,
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

/* Two nodes work together: the answer says so. */
static void associate(struct walk *w)
{
    peer_of(w->d->rules, &w->ip->src)->associated = true;
    peer_of(w->d->rules, &w->ip->dst)->associated = true;
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
               rule_address(w->d, &who, &ip->dst));
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
            rule_alert_session(w, RULE_UNKNOWN_PEER, handle, said, rule_address(w->d, &to, a));
        else
            rule_alert(w, RULE_UNKNOWN_PEER, NULL, said, rule_address(w->d, &to, a));
    }
}

/* ---- P5 pfcp-node-takeover --------------------------------------------------------------- */

#define TAKEOVERS 10

static struct node_name *name_of(struct rules *r, struct str name)
{
    uint64_t h = str_hash(name, r->d->seed) | 1;
    struct node_name *set = &r->names[(h >> 1) % (NODE_NAMES / RULE_WAYS) * RULE_WAYS];
    for (size_t k = 0; k < RULE_WAYS; k++)
        if (set[k].name == h)
            return &set[k];
    return NULL;
}

/* Nodes that associated have this name. Who has one keeps it, so that none can be pushed out. */
static void name_learn(struct rules *r, struct str name, const struct packet_address *a)
{
    uint64_t h = str_hash(name, r->d->seed) | 1;
    struct node_name *set = &r->names[(h >> 1) % (NODE_NAMES / RULE_WAYS) * RULE_WAYS];
    if (!name.n || name_of(r, name))
        return;
    for (size_t k = 0; k < RULE_WAYS; k++)
        if (!set[k].name) {
            set[k] = (struct node_name){.name = h, .a = *a};
            return;
        }
}

static void takeover_check(struct walk *w, const struct pfcp_message *m)
{
    struct rules *r = w->d->rules;
    const struct packet_address *src = &w->ip->src;
    struct rule_text who;
    if (!m->node_id.n)
        return;
    struct node_name *n = name_of(r, m->node_id);
    if (!n || address_eq(&n->a, src) || !may_tell(&n->told, TAKEOVERS, r->now_us))
        return;
    rule_alert(w, RULE_TAKEOVER, NULL, "%s %s under the Node ID of another address",
               rule_address(w->d, &who, src),
               m->type == PFCP_RELEASE_REQUEST ? "releases" : "associates");
}

static void start_check(struct walk *w, const struct pfcp_message *m, struct peer *src)
{
    struct rule_text who;
    int64_t now_us = w->d->rules->now_us;
    if (!m->has_start)
        return;
    if (!src->has_start || m->start >= src->start)
        return;
    /* One high number would have every honest message after it told. */
    if (src->back_us && now_us - src->back_us < SILENCE_US)
        return;
    src->back_us = now_us;
    rule_alert(w, RULE_TAKEOVER, NULL, "the Recovery Time Stamp of %s goes back",
               rule_address(w->d, &who, &w->ip->src));
}

/* Believed of who was answered, or answers. */
static void start_learn(struct rules *r, const struct packet_address *a,
                        const struct pfcp_message *m)
{
    struct peer *p = peer_of(r, a);
    if (!m->has_start || (p->has_start && m->start <= p->start))
        return;
    if (p->has_start)
        p->anew_us = r->now_us;
    p->has_start = true;
    p->start = m->start;
}

/* ---- P6 pfcp-flood ----------------------------------------------------------------------- */

/* Of a node that is trusted, or whose UPF has begun anew: sessions are made again. */
static bool restores(struct walk *w, const struct peer *src)
{
    struct rules *r = w->d->rules;
    const struct peer *dst = peer_find(r, &w->ip->dst);
    return src->associated && ((src->anew_us && r->now_us - src->anew_us < SILENCE_US) ||
                               (dst && dst->anew_us && r->now_us - dst->anew_us < SILENCE_US));
}

static void flood_check(struct walk *w, const struct pfcp_message *m, struct peer *src)
{
    struct rules *r = w->d->rules;
    struct rule_text who;
    if (m->type != PFCP_HEARTBEAT_REQUEST && m->type != PFCP_ESTABLISHMENT_REQUEST)
        return;
    bool excused = m->type == PFCP_ESTABLISHMENT_REQUEST && restores(w, src);
    if (!excused && rate_count(&src->pfcp, config_of(w)->limits[CONFIG_PFCP_RATE], r->now_us))
        rule_alert(w, RULE_PFCP_FLOOD, NULL, "%s sends more than %u requests a second",
                   rule_address(w->d, &who, &w->ip->src),
                   (unsigned)config_of(w)->limits[CONFIG_PFCP_RATE]);
}

/* ---- P7 pfcp-malformed ------------------------------------------------------------------- */

#define BAD_MOST 100

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
static bool form_check(struct walk *w, const struct pfcp_message *m, struct peer *src)
{
    struct rule_text who;
    unsigned missing = element_missing(m);
    /* Frames that the capture cut short say nothing of their sender. */
    if (w->frame->n < w->frame->wire_bytes)
        return false;
    if ((m->malformed || (missing && src->associated)) &&
        !may_tell(&src->bad, BAD_MOST, w->d->rules->now_us))
        return true;
    if (m->malformed)
        rule_alert(w, RULE_PFCP_BAD, NULL, "%s sends type %u: %s",
                   rule_address(w->d, &who, &w->ip->src), m->type, m->malformed);
    else if (missing && src->associated)
        rule_alert(w, RULE_PFCP_BAD, NULL, "%s sends type %u without element %u",
                   rule_address(w->d, &who, &w->ip->src), m->type, missing);
    else
        return false;
    return true;
}

/* ---- all of them ------------------------------------------------------------------------- */

static void alternatives_learn(struct walk *w, const struct pfcp_message *m)
{
    for (size_t i = 0; i < m->alternative_count; i++)
        peer_of(w->d->rules, &m->alternative[i])->alternative = true;
}

/* An association is a beginning as well, but not one that can be made again and again. */
static void anew_learn(struct rules *r, const struct packet_address *a)
{
    struct peer *p = peer_of(r, a);
    if (!p->anew_us || r->now_us - p->anew_us > 10 * SILENCE_US)
        p->anew_us = r->now_us;
}

/* What both told of themselves holds once the answer accepts. */
static void association_learn(struct walk *w, const struct pfcp_message *m)
{
    struct rules *r = w->d->rules;
    associate(w);
    anew_learn(r, &w->ip->src);
    anew_learn(r, &w->ip->dst);
    name_learn(r, m->request->node_id, &w->ip->dst);
    name_learn(r, m->node_id, &w->ip->src);
    start_learn(r, &w->ip->dst, m->request);
    start_learn(r, &w->ip->src, m);
    alternatives_learn(w, m->request);
    alternatives_learn(w, m);
}

void rules_pfcp(struct walk *w, const struct pfcp_message *m)
{
    if (rules_off(w))
        return;
    struct peer *src = peer_of(w->d->rules, &w->ip->src);
    bool bad = form_check(w, m, src);
    start_check(w, m, src);
    flood_check(w, m, src);
    switch (m->type) {
    case PFCP_HEARTBEAT_RESPONSE:
        if (m->request)
            start_learn(w->d->rules, &w->ip->src, m);
        break;
    case PFCP_ASSOCIATION_REQUEST:
    case PFCP_RELEASE_REQUEST:
        takeover_check(w, m);
        break;
    case PFCP_ASSOCIATION_RESPONSE:
        if (m->request)
            takeover_check(w, m);
        if (pfcp_accepted(m))
            association_learn(w, m);
        break;
    case PFCP_ESTABLISHMENT_RESPONSE:
        if (pfcp_accepted(m))
            associate(w);
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
