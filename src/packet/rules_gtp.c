/* Rules of GTP and of what users send through it: G1 to G8. */
#include "packet/rules_priv.h"
#include "packet/session_priv.h"

enum {
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_SCTP = 132,
    PORT_GTPC = 2123,
    PORT_GTPU = 2152,
    PORT_PFCP = 8805,
    PORT_S1AP = 36412
};

/* ---- G2 core-protocol-from-ue, G5 gtp-on-n6 -----------------------------------------------------
 */

static bool is_core_port(const struct packet_ip *ip)
{
    if (ip->protocol == PROTOCOL_UDP)
        return ip->dst_port == PORT_PFCP || ip->dst_port == PORT_GTPC;
    return ip->protocol == PROTOCOL_SCTP &&
           (ip->dst_port == PORT_NGAP || ip->dst_port == PORT_S1AP);
}

static bool goes_to_core(const struct walk *w, const struct packet_ip *ip)
{
    const struct packet_config *c = config_of(w);
    return c->core_count && w->gpdu->direction != PACKET_DOWNLINK &&
           config_holds(c->core, c->core_count, &ip->dst);
}

void rules_core(struct walk *w, const struct packet_ip *ip)
{
    if (is_core_port(ip) && w->gpdu->direction != PACKET_DOWNLINK &&
        !goes_to_core(w, ip)) /* that is told already */
        rule_alert(w, RULE_CORE_FROM_UE, NULL, "a user sends to port %u of the core's protocols",
                   ip->dst_port);
}

static bool is_gtp_port(uint16_t port)
{
    return port == PORT_GTPC || port == PORT_GTPU || port == PORT_PFCP;
}

void rules_n6(struct walk *w, const struct packet_ip *ip)
{
    const struct packet_config *c = config_of(w);
    struct rule_text side;
    if (ip->protocol != PROTOCOL_UDP || (!is_gtp_port(ip->dst_port) && !is_gtp_port(ip->src_port)))
        return;
    /* The other side may be a user, who is not named. */
    if (config_holds(c->n6, c->n6_count, &ip->src))
        rule_alert(w, RULE_GTP_ON_N6, NULL, "%s sends to port %u on the internet side",
                   rule_address(w->d, &side, &ip->src), ip->dst_port);
    else if (config_holds(c->n6, c->n6_count, &ip->dst))
        rule_alert(w, RULE_GTP_ON_N6, NULL, "%s is sent to, port %u, from the internet side",
                   rule_address(w->d, &side, &ip->dst), ip->dst_port);
}

/* ---- G7 tcp-urgptr-without-urg ------------------------------------------------------------------
 */

void rules_tcp(struct walk *w, size_t header, unsigned flags, uint16_t urgent)
{
    if (rules_off(w) || w->depth || urgent != 1 || header != 20)
        return;
    if ((flags & (TCP_RST | TCP_ACK | TCP_URG)) == (TCP_RST | TCP_ACK))
        /* On any side, so either address may be a user's. */
        rule_alert(w, RULE_URGENT, NULL, "RST and ACK with urgent pointer 1, port %u to %u",
                   w->ip->src_port, w->ip->dst_port);
}

/* ---- G1 gtp-in-gtp ------------------------------------------------------------------------------
 */

void rules_nested(struct walk *w)
{
    const struct packet_config *c = config_of(w);
    if (rules_off(w) || w->depth != 1 || config_holds(c->relays, c->relay_count, &w->gpdu->src) ||
        config_holds(c->relays, c->relay_count, &w->gpdu->dst))
        return;
    rule_alert(w, RULE_GTP_IN_GTP, NULL, "a user's packet is GTP-U itself");
}

/* ---- G3 ue-source-mismatch ----------------------------------------------------------------------
 */

static bool v6_exempt(const struct packet_address *a)
{
    static const unsigned char unspecified[16];
    return (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) ||
           memcmp(a->b, unspecified, sizeof unspecified) == 0;
}

static bool v6_inside(const struct found_tunnel *f, const struct packet_address *a)
{
    unsigned whole = f->v6_bits / 8, rest = f->v6_bits % 8;
    return memcmp(a->b, f->v6, whole) == 0 &&
           (rest == 0 || (a->b[whole] ^ f->v6[whole]) >> (8 - rest) == 0);
}

PACKET_RARE static bool source_excused(const struct found_tunnel *f, const struct packet_address *a)
{
    static const unsigned char unspecified[4];
    if (a->n == 4)
        return memcmp(a->b, unspecified, sizeof unspecified) == 0;
    return v6_exempt(a) || (f->has_v6 && v6_inside(f, a));
}

PACKET_RARE static void source_alert(struct walk *w)
{
    rule_alert(w, RULE_UE_SOURCE, NULL, "a user sends with an address that is not its session's");
}

void rules_inner(struct walk *w, const struct packet_ip *ip)
{
    if (goes_to_core(w, ip))
        rule_alert(w, RULE_CORE_FROM_UE, NULL, "a user sends to an address of the core");
}

void rules_user(struct walk *w, const struct packet_ip *ip)
{
    const struct found_tunnel *f = w->user;
    if (!rules_off(w) && config_of(w)->core_count)
        rules_inner(w, ip);
    if (!f || !f->check_source)
        return;
    w->d->figures.uplink_checked++;
    bool its_own = ip->src.n == 4 && f->has_v4 && memcmp(ip->src.b, f->v4, 4) == 0;
    if (!its_own && !source_excused(f, &ip->src) && !rules_off(w))
        source_alert(w);
}

/* ---- G4 teid-scan, G8 teid-zero -----------------------------------------------------------------
 */

static struct scanner *scanner_of(struct rules *r, const struct packet_address *src,
                                  const struct packet_address *dst)
{
    struct scanner *oldest = r->scanners;
    for (size_t i = 0; i < SCANNERS; i++) {
        struct scanner *s = &r->scanners[i];
        if (address_eq(&s->src, src) && address_eq(&s->dst, dst)) {
            s->seen_us = r->now_us;
            return s;
        }
        if (s->seen_us < oldest->seen_us)
            oldest = s;
    }
    memset(oldest, 0, sizeof *oldest);
    oldest->src = *src;
    oldest->dst = *dst;
    oldest->seen_us = r->now_us;
    return oldest;
}

/* Different TEIDs within the window. */
static size_t teids_seen(struct scanner *s, uint32_t teid, int64_t now_us)
{
    size_t count = 0, slots = sizeof s->teids / sizeof *s->teids;
    bool had = false;
    for (size_t i = 0; i < slots; i++) {
        bool fresh = s->teids[i].us && now_us - s->teids[i].us <= WINDOW_US;
        if (fresh && s->teids[i].teid == teid) {
            s->teids[i].us = now_us;
            had = true;
        }
        count += fresh;
    }
    if (had)
        return count;
    s->teids[s->next % slots].teid = teid;
    s->teids[s->next++ % slots].us = now_us;
    return count < slots ? count + 1 : count;
}

/* Do the others' packets join sessions? If not, it is we who know too little. */
static bool table_is_warm(const struct rules *r, const struct scanner *s)
{
    uint64_t others = r->unjoined > s->unjoined ? r->unjoined - s->unjoined : 0;
    return r->joined >= 5 && r->joined >= 19 * others;
}

static void scan_alert(struct walk *w, struct scanner *s)
{
    struct rules *r = w->d->rules;
    struct rule_text from, to;
    if (!table_is_warm(r, s) || (s->told_us && r->now_us - s->told_us < SILENCE_US))
        return;
    s->told_us = r->now_us;
    rule_alert(w, RULE_TEID_SCAN, NULL, "%s tries TEIDs of %s that no session has",
               rule_address(w->d, &from, &s->src), rule_address(w->d, &to, &s->dst));
}

/* What is long past counts less. */
PACKET_RARE static void totals_halve(struct rules *r)
{
    r->joined /= 2;
    r->unjoined /= 2;
    for (size_t i = 0; i < SCANNERS; i++)
        r->scanners[i].unjoined /= 2;
}

PACKET_RARE static void gnb_learn(struct rules *r, const struct packet_address *gnb)
{
    struct peer *p = peer_of(r, gnb);
    p->gnb = p->spoke_gtp = true;
    r->last_gnb = *gnb;
}

PACKET_RARE static void unjoined_judge(struct walk *w, const struct packet_gpdu *g)
{
    struct rules *r = w->d->rules;
    struct scanner *s = scanner_of(r, &g->src, &g->dst);
    s->unjoined++;
    if (teids_seen(s, g->teid, r->now_us) >= config_of(w)->limits[CONFIG_TEIDS])
        scan_alert(w, s);
}

PACKET_RARE static void teid_zero_alert(struct walk *w)
{
    rule_alert(w, RULE_TEID_ZERO, NULL, "a G-PDU with TEID 0");
}

void rules_gpdu(struct walk *w, const struct packet_gpdu *g)
{
    struct rules *r = w->d->rules;
    if (rules_off(w))
        return;
    if (g->teid == 0)
        teid_zero_alert(w);
    *(g->joined ? &r->joined : &r->unjoined) += 1;
    if (r->joined + r->unjoined >= 1u << 20)
        totals_halve(r);
    if (!g->joined)
        unjoined_judge(w, g);
    else if (g->direction == PACKET_UPLINK && !address_eq(&r->last_gnb, &g->src))
        gnb_learn(r, &g->src);
}

void rules_gtpu(struct walk *w, uint8_t type)
{
    struct rules *r = w->d->rules;
    if (rules_off(w) || type != GTPU_ERROR_INDICATION)
        return;
    struct scanner *s = scanner_of(r, &w->ip->dst, &w->ip->src);
    if (burst_count(&s->errors, config_of(w)->limits[CONFIG_ERRORS], r->now_us))
        scan_alert(w, s);
}

/* ---- G6 gtp-echo-with-payload -------------------------------------------------------------------
 */

enum echo { ECHO_NONE, ECHO_VALID, ECHO_ODD };

/* TS 29.281 §8: Recovery (14) is type and value; 231 and Private Extension (255) have a length. */
static bool v1_elements_valid(struct cursor c)
{
    while (c.n) {
        uint8_t type = cursor_u8(&c);
        if (type == 14)
            cursor_skip(&c, 1);
        else if (type == 231 || type == 255)
            cursor_skip(&c, cursor_u16(&c));
        else
            return false;
    }
    return !c.bad;
}

/* TS 29.274 §7.1: Recovery (3), Sending Node Features (152), Private Extension (255). */
static bool v2_elements_valid(struct cursor c)
{
    while (c.n) {
        uint8_t type = cursor_u8(&c);
        size_t length = cursor_u16(&c);
        cursor_skip(&c, 1 + length);
        if (type != 3 && type != 152 && type != 255)
            return false;
    }
    return !c.bad;
}

static enum echo v1_echo(struct cursor c)
{
    uint8_t flags = cursor_u8(&c);
    cursor_skip(&c, 1);
    size_t length = cursor_u16(&c);
    cursor_skip(&c, 4);
    if (c.bad || length > c.n)
        return ECHO_NONE;
    if (length < c.n)
        return ECHO_ODD;
    if (flags & 7)
        cursor_skip(&c, 4);
    return !(flags & 4) && v1_elements_valid(c) ? ECHO_VALID : ECHO_ODD;
}

static enum echo v2_echo(struct cursor c)
{
    uint8_t flags = cursor_u8(&c);
    cursor_skip(&c, 1);
    size_t length = cursor_u16(&c);
    if (c.bad || length > c.n)
        return ECHO_NONE;
    if (length < c.n && !(flags & 0x10)) /* P: another message follows */
        return ECHO_ODD;
    cursor_cut(&c, length);
    cursor_skip(&c, flags & 8 ? 8 : 4);
    return v2_elements_valid(c) ? ECHO_VALID : ECHO_ODD;
}

static enum echo echo_of(struct cursor c)
{
    unsigned version = cursor_peek(&c, 0) >> 5, pt = cursor_peek(&c, 0) >> 4 & 1;
    uint8_t type = cursor_peek(&c, 1);
    if (c.n < 8 || (type != GTP_ECHO_REQUEST && type != GTP_ECHO_RESPONSE))
        return ECHO_NONE;
    if (version == 2)
        return v2_echo(c);
    if (version == 1 && pt)
        return v1_echo(c);
    if (version == 0 && !pt)
        return ECHO_ODD; /* no protocol of these ports starts so */
    size_t length = (size_t)cursor_peek(&c, 2) << 8 | cursor_peek(&c, 3);
    return version == 0 && c.n > 20 + length ? ECHO_ODD : ECHO_NONE;
}

void rules_echo(struct walk *w, struct cursor c)
{
    struct rules *r = w->d->rules;
    struct rule_text from, to;
    if (rules_off(w))
        return;
    enum echo e = echo_of(c);
    if (e == ECHO_VALID)
        peer_of(r, &w->ip->src)->spoke_gtp = true;
    if (e != ECHO_ODD)
        return;
    const struct peer *src = peer_find(r, &w->ip->src), *dst = peer_find(r, &w->ip->dst);
    if ((src && src->spoke_gtp) || (dst && dst->spoke_gtp))
        rule_alert(w, RULE_ECHO_PAYLOAD, w->ip->dst_port == PORT_GTPC ? "gtp-c" : "gtp-u",
                   "%s to %s: an Echo carries what no Echo has",
                   rule_address(w->d, &from, &w->ip->src), rule_address(w->d, &to, &w->ip->dst));
}

void rules_gtpc(struct walk *w, const struct gtpc_message *m)
{
    if (rules_off(w) || m->malformed || m->type == GTP_ECHO_REQUEST ||
        m->type == GTP_ECHO_RESPONSE || m->tunnel_count == 0)
        return;
    peer_of(w->d->rules, &w->ip->src)->spoke_gtp = true;
}
