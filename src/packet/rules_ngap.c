/* Rules of NGAP and NAS: N1 to N8; posture figures. */
#include "packet/rules_priv.h"

/* ---- associations ------------------------------------------------------------------------ */

/* Which of its two ways: towards the port of NGAP, or, where both ends have it, to the greater
 * address. */
static bool way_of(const struct packet_ip *ip)
{
    if (ip->src_port != ip->dst_port)
        return ip->dst_port == PORT_NGAP;
    return memcmp(ip->dst.b, ip->src.b, sizeof ip->dst.b) > 0;
}

static struct association *association_of(struct walk *w)
{
    struct rules *r = w->d->rules;
    const struct packet_ip *ip = w->ip;
    bool up = way_of(ip);
    uint64_t h = address_hash(up ? &ip->src : &ip->dst, w->d->seed);
    h = mix64(address_hash(up ? &ip->dst : &ip->src, h), up ? ip->src_port : ip->dst_port) | 1;
    struct association *set = r->associations + (h >> 1) % (ASSOCIATIONS / RULE_WAYS) * RULE_WAYS;
    struct association *oldest = set;
    for (size_t k = 0; k < RULE_WAYS; k++) {
        if (set[k].key == h) {
            set[k].seen_us = r->now_us;
            return set + k;
        }
        if (set[k].seen_us < oldest->seen_us)
            oldest = set + k;
    }
    *oldest = (struct association){.key = h, .seen_us = r->now_us};
    return oldest;
}

/* Where both ends have the port of NGAP, whoever began is the gNB. */
static void asker_learn(struct association *a, const struct packet_ip *ip)
{
    a->asker = way_of(ip) ? ASKER_UP : ASKER_DOWN;
}

static bool is_amf_side(const struct association *a, const struct packet_ip *ip)
{
    if (ip->src_port != ip->dst_port)
        return ip->src_port == PORT_NGAP;
    return a->asker && a->asker != (way_of(ip) ? ASKER_UP : ASKER_DOWN);
}

static void begin(struct walk *w, struct association *a)
{
    *a = (struct association){
        .key = a->key, .seen_us = w->d->rules->now_us, .asker = a->asker, .began = true};
}

void rules_sctp_chunk(struct walk *w, uint8_t type)
{
    const struct packet_ip *ip = w->ip;
    if (w->depth || (ip->dst_port != PORT_NGAP && ip->src_port != PORT_NGAP))
        return;
    struct association *a = association_of(w);
    if (type == SCTP_INIT)
        asker_learn(a, ip);
    bool lives = a->spoke || a->heard;
    if ((type == SCTP_INIT || type == SCTP_COOKIE_ECHO) && !lives)
        begin(w, a);
    else if (type == SCTP_INIT)
        a->again = true;
    if (!is_amf_side(a, ip))
        return;
    /* One that has spoken begins again when the AMF says so: an INIT anybody can send. */
    if (type == SCTP_COOKIE_ACK && a->again)
        begin(w, a);
    a->heard = a->heard || type == SCTP_DATA || type == SCTP_SACK || type == SCTP_HEARTBEAT ||
               type == SCTP_HEARTBEAT_ACK;
}

/* Does the AMF work together with this gNB? One with which it spoke before the capture began shows
 * by heartbeats. */
static bool is_believed(const struct rules *r, const struct association *a)
{
    return a->began ? a->answered : a->heard || r->now_us - r->first_us < UNHEARD_US;
}

/* RFC 9260 §3.3.1: a chunk that is sent again bears the same TSN. */
bool rules_sctp_repeat(struct walk *w, uint32_t tsn)
{
    struct association *a = association_of(w);
    unsigned way = way_of(w->ip);
    uint32_t ahead = tsn - a->last[way];
    if (!a->any[way] || (ahead && ahead < 0x80000000u)) {
        bool near = a->any[way] && ahead < 64;
        a->before[way] = near ? a->before[way] << ahead | (uint64_t)1 << (ahead - 1) : 0;
        a->last[way] = tsn;
        a->any[way] = true;
        return false;
    }
    uint32_t behind = a->last[way] - tsn;
    if (behind == 0)
        return true;
    if (behind > 64)
        return false; /* too long ago to tell */
    uint64_t bit = (uint64_t)1 << (behind - 1);
    bool had = a->before[way] & bit;
    a->before[way] |= bit;
    return had;
}

/* ---- users ------------------------------------------------------------------------------- */

static uint64_t ue_key(const struct walk *w, const struct ngap_message *m, uint64_t id, bool by_amf)
{
    const struct packet_ip *ip = w->ip;
    const struct packet_address *amf = m->from_amf ? &ip->src : &ip->dst;
    const struct packet_address *gnb = m->from_amf ? &ip->dst : &ip->src;
    uint64_t h = address_hash(amf, w->d->seed ^ by_amf);
    return mix64(by_amf ? h : address_hash(gnb, h), id) | 1;
}

static struct ue *ue_of(struct walk *w, const struct ngap_message *m)
{
    struct rules *r = w->d->rules;
    uint64_t key = ue_key(w, m, m->ran, false);
    struct ue *set = r->ues + (key >> 1) % (LIMIT_PACKET_UES / RULE_WAYS) * RULE_WAYS;
    struct ue *oldest = set;
    for (size_t k = 0; k < RULE_WAYS; k++) {
        if (set[k].key == key) {
            set[k].seen_us = r->now_us;
            return set + k;
        }
        if (set[k].seen_us < oldest->seen_us)
            oldest = set + k;
    }
    *oldest = (struct ue){.key = key, .seen_us = r->now_us};
    return oldest;
}

/* The user as the AMF numbers it; NULL when it is not known and not to be made. */
static struct known_ue *known_of(struct walk *w, const struct ngap_message *m, uint64_t amf,
                                 bool make)
{
    struct rules *r = w->d->rules;
    uint64_t key = ue_key(w, m, amf, true);
    struct known_ue *set = r->known + (key >> 1) % (LIMIT_PACKET_UES / RULE_WAYS) * RULE_WAYS;
    struct known_ue *place = NULL;
    for (size_t k = 0; k < RULE_WAYS; k++) {
        if (set[k].key == key)
            return set + k;
        if (!set[k].key && !place)
            place = set + k;
    }
    if (!make)
        return NULL;
    if (!place) {
        place = set + key % RULE_WAYS;
        r->known_lost = true;
    }
    *place = (struct known_ue){.key = key};
    return place;
}

/* ---- N1, N8 ------------------------------------------------------------------------------ */

static void order_check(struct walk *w, const struct ngap_message *m, struct association *a)
{
    struct rules *r = w->d->rules;
    const struct peer *gnb = peer_find(r, &w->ip->src);
    struct rule_text who;
    bool further = m->procedure == NGAP_CONFIGURATION_UPDATE && gnb && gnb->set_up;
    if (a->began && !a->spoke && m->procedure != NGAP_SETUP && !further)
        rule_alert(w, RULE_BEFORE_SETUP, NULL, "%s starts with procedure %d instead of NG Setup",
                   rule_address(w->d, &who, &w->ip->src), m->procedure);
}

static void ue_id_check(struct walk *w, const struct ngap_message *m, const struct association *a)
{
    struct rules *r = w->d->rules;
    struct rule_text who;
    if (a->began && m->has_amf && !r->known_lost && !known_of(w, m, m->amf, false))
        rule_alert(w, RULE_UNKNOWN_UE, NULL, "%s names a user whom the AMF never numbered",
                   rule_address(w->d, &who, &w->ip->src));
}

/* ---- N2 ngap-new-gnb --------------------------------------------------------------------- */

/* GlobalRANNodeID, 9.3.1.5: choice 2 bits (0: gNB), extension 1, optional 1; PLMN 3; choice 1 bit,
 * length less 22 in 4 bits; the id, aligned. */
static bool id_fits(const struct config_gnb *g, struct cursor c)
{
    uint8_t first = cursor_u8(&c);
    const unsigned char *plmn = cursor_bytes(&c, 3);
    uint8_t second = cursor_u8(&c);
    unsigned bits = 22 + (second >> 3 & 15);
    uint64_t id = cursor_number(&c, (bits + 7) / 8) >> ((8 - bits % 8) % 8);
    if (first >> 6 || c.bad || bits > 32 || second & 0x80)
        return !g->has_id && !g->has_plmn;
    return (!g->has_id || g->id == id) && (!g->has_plmn || memcmp(g->plmn, plmn, 3) == 0);
}

/* SupportedTAList, 9.3.1.x: number less one 1; extension and optional bits 1; TAC 3, of the first.
 */
static bool area_fits(const struct config_gnb *g, struct cursor c)
{
    cursor_skip(&c, 2);
    uint64_t area = cursor_number(&c, 3);
    return !g->has_area || (!c.bad && area == g->area);
}

static bool is_listed(const struct packet_config *c, const struct packet_address *src,
                      const struct ngap_message *m)
{
    for (size_t i = 0; i < c->gnb_count; i++)
        if (address_eq(&c->gnbs[i].address, src) && id_fits(&c->gnbs[i], m->global_id) &&
            area_fits(&c->gnbs[i], m->areas))
            return true;
    return false;
}

static void gnb_check(struct walk *w, const struct ngap_message *m)
{
    struct rules *r = w->d->rules;
    const struct packet_config *c = config_of(w);
    struct peer *amf = peer_of(r, &w->ip->dst), *gnb = peer_of(r, &w->ip->src);
    struct rule_text who;
    if (c->gnb_count) {
        if (!is_listed(c, &w->ip->src, m))
            rule_alert(w, RULE_NEW_GNB, NULL, "%s sets up with an address, id or area not listed",
                       rule_address(w->d, &who, &w->ip->src));
    } else if (!gnb->set_up && amf->amf &&
               r->now_us - amf->first_us > (int64_t)c->limits[CONFIG_LEARN] * 1000000) {
        rule_alert(w, RULE_NEW_GNB, NULL, "%s was no gNB of this AMF before",
                   rule_address(w->d, &who, &w->ip->src));
    }
}

/* It is learned only after what it says was judged. */
static void amf_learn(struct walk *w)
{
    struct rules *r = w->d->rules;
    struct peer *amf = peer_of(r, &w->ip->dst);
    if (!amf->amf)
        amf->first_us = r->now_us;
    amf->amf = true;
}

/* ---- N3 ngap-storm ----------------------------------------------------------------------- */

static void storm_check(struct walk *w, const struct ngap_message *m)
{
    struct rules *r = w->d->rules;
    struct peer *gnb = peer_of(r, &w->ip->src);
    struct rule_text who;
    if (m->procedure == NGAP_INITIAL_UE &&
        rate_count(&gnb->initial, config_of(w)->limits[CONFIG_INITIAL_RATE], r->now_us))
        rule_alert(w, RULE_NGAP_STORM, NULL, "%s sends more than %u Initial UE Messages a second",
                   rule_address(w->d, &who, &w->ip->src),
                   (unsigned)config_of(w)->limits[CONFIG_INITIAL_RATE]);
}

/* Registrations come from the gNB, rejects go to it. */
static void share_check(struct walk *w, const struct packet_address *a, bool reject)
{
    struct rules *r = w->d->rules;
    struct peer *gnb = peer_of(r, a);
    struct rule_text who;
    if (r->now_us / 60000000 != gnb->minute) {
        gnb->minute = r->now_us / 60000000;
        gnb->registrations = gnb->rejects = 0;
        gnb->rejects_told = false;
    }
    *(reject ? &gnb->rejects : &gnb->registrations) += 1;
    if (gnb->rejects_told || gnb->rejects < config_of(w)->limits[CONFIG_REJECTS] ||
        gnb->rejects * 10ull <= gnb->registrations * 3ull)
        return;
    gnb->rejects_told = true;
    rule_alert(w, RULE_NGAP_STORM, NULL, "over 30 %% of the registrations of %s are rejected",
               rule_address(w->d, &who, a));
}

/* ---- N4, N5, N6 -------------------------------------------------------------------------- */

static void request_learn(struct ue *u, const struct nas_message *n)
{
    u->emergency = n->emergency;
    u->commands = 0;
    u->loop_told = false;
    u->capability_bytes = 0;
    if (n->capabilities.n == 0 || n->capabilities.n > CAPABILITY_BYTES)
        return;
    u->capability_bytes = (uint8_t)n->capabilities.n;
    memcpy(u->capabilities, n->capabilities.p, n->capabilities.n);
}

/* TS 24.501 §9.11.3.54: what the user left out is 0. */
static bool same_capabilities(const struct ue *u, struct cursor c)
{
    for (size_t i = 0; i < CAPABILITY_BYTES; i++) {
        unsigned told = i < u->capability_bytes ? u->capabilities[i] : 0;
        if (told != cursor_peek(&c, i))
            return false;
    }
    return true;
}

static void command_check(struct walk *w, struct ue *u, const struct nas_message *n)
{
    if (n->integrity == 0 && !u->emergency)
        rule_alert(w, RULE_NULL_INTEGRITY, NULL, "a user is told to use no integrity protection");
    if (u->capability_bytes && !same_capabilities(u, n->capabilities))
        rule_alert(w, RULE_BIDDING_DOWN, NULL,
                   "the capabilities repeated to a user are not those that the user told");
    if (u->commands < UINT8_MAX)
        u->commands++;
    if (u->commands >= config_of(w)->limits[CONFIG_COMMANDS] && !u->loop_told) {
        u->loop_told = true;
        rule_alert(w, RULE_COMMAND_LOOP, NULL,
                   "%u Security Mode Commands to one user without an answer", u->commands);
    }
}

static void figures_count(struct packet_figures *f, const struct nas_message *n)
{
    f->suci += n->has_suci;
    f->null_scheme += n->null_scheme;
    f->registrations += n->kind == NAS_REGISTRATION_REQUEST;
    f->registration_rejects += n->kind == NAS_REGISTRATION_REJECT;
    if (n->kind != NAS_SECURITY_MODE_COMMAND)
        return;
    f->security_mode++;
    f->null_ciphering += n->ciphering == 0;
    f->null_integrity += n->integrity == 0;
}

static void nas_check(struct walk *w, const struct ngap_message *m, struct cursor c)
{
    struct nas_message n = nas_parse(c);
    figures_count(&w->d->figures, &n);
    if (rules_off(w) || !m->has_ran)
        return;
    struct ue *u = ue_of(w, m);
    switch (n.kind) {
    case NAS_REGISTRATION_REQUEST:
        if (!m->from_amf) {
            request_learn(u, &n);
            share_check(w, &w->ip->src, false);
        }
        break;
    case NAS_REGISTRATION_REJECT:
        if (m->from_amf)
            share_check(w, &w->ip->dst, true);
        break;
    case NAS_SECURITY_MODE_COMMAND:
        if (m->from_amf)
            command_check(w, u, &n);
        break;
    case NAS_SECURITY_MODE_COMPLETE:
        u->commands = 0;
        break;
    case NAS_OTHER:
        break;
    }
}

/* TS 33.501 §6.7.3.1: what the source gNB says of a user at a path switch is what the AMF said. */
static void switch_check(struct walk *w, const struct ngap_message *m)
{
    if (m->capabilities.n == 0)
        return;
    uint64_t hash =
        str_hash((struct str){(const char *)m->capabilities.p, m->capabilities.n}, 0) | 1;
    if (m->from_amf) {
        if (m->has_amf && m->procedure == NGAP_INITIAL_CONTEXT)
            known_of(w, m, m->amf, true)->capabilities = hash;
        return;
    }
    if (m->procedure != NGAP_PATH_SWITCH || !m->has_source_amf)
        return;
    const struct known_ue *k = known_of(w, m, m->source_amf, false);
    if (k && k->capabilities && k->capabilities != hash)
        rule_alert(w, RULE_BIDDING_DOWN, NULL,
                   "a path switch brings other capabilities of a user than the AMF had told");
}

/* ---- all of them ------------------------------------------------------------------------- */

static void tunnels_learn(struct walk *w, const struct ngap_message *m)
{
    struct rules *r = w->d->rules;
    for (size_t i = 0; i < m->session_count; i++) {
        const struct ngap_session *s = &m->sessions[i];
        if (!s->has_tunnel || s->uplink || m->from_amf)
            continue;
        r->ngap_tunnels = true;
        if (s->v4.n)
            peer_of(r, &s->v4)->gnb = true;
        if (s->v6.n)
            peer_of(r, &s->v6)->gnb = true;
    }
}

/* Whom the AMF answers, but for what it refuses, is a gNB. */
static void answer_learn(struct association *a, const struct packet_ip *ip,
                         const struct ngap_message *m)
{
    if (a->spoke && is_amf_side(a, ip) && m->procedure != NGAP_ERROR &&
        !(m->procedure == NGAP_SETUP && m->outcome != NGAP_SUCCESSFUL))
        a->answered = true;
}

bool rules_ngap(struct walk *w, const struct ngap_message *m)
{
    struct rules *r = w->d->rules;
    bool on = !rules_off(w);
    struct association *a = association_of(w);
    if (m->from_amf)
        answer_learn(a, w->ip, m);
    else if (!a->asker)
        asker_learn(a, w->ip);
    bool believed = m->from_amf || is_believed(r, a);
    if (on && !m->from_amf) {
        order_check(w, m, a);
        if (m->procedure == NGAP_SETUP && m->outcome == NGAP_INITIATING)
            gnb_check(w, m);
        ue_id_check(w, m, a);
        storm_check(w, m);
        amf_learn(w);
    }
    if (on && is_believed(r, a))
        peer_of(r, m->from_amf ? &w->ip->dst : &w->ip->src)->set_up = true;
    a->spoke = true;
    if (on && m->from_amf && m->has_amf)
        (void)known_of(w, m, m->amf, true);
    if (on && m->procedure == NGAP_INITIAL_UE && m->has_ran)
        *ue_of(w, m) =
            (struct ue){.key = ue_key(w, m, m->ran, false), .seen_us = w->d->rules->now_us};
    for (size_t i = 0; i < m->nas_count; i++)
        nas_check(w, m, m->nas[i]);
    if (on) {
        switch_check(w, m);
        if (believed)
            tunnels_learn(w, m);
    }
    return believed;
}
