/*
 * The control protocols of GTP.
 *
 *     GTPv2-C, TS 29.274 5.1              GTPv1-C, TS 29.060 6
 *     0  version 3 bits = 2, P, T, MP     as GTP-U (TS 29.281 5.1), S is always set
 *     1  type                             elements 7.7: types below 128 have a fixed length,
 *     2  length, of what stands behind    others <2>
 *        byte 4
 *     4  TEID 4 if T                      GTPv0, GSM 09.60 6: version 0, PT 1, type, length 2,
 *        sequence 3, spare 1              sequence 2, flow label 2, SNDCP 1, spare 3, TID 8
 *        elements 8.2.1: type 1,
 *        length 2, instance 1, data       GTP', TS 32.295 6.1: PT 0; type, length 2, sequence 2
 *
 * P: a second message follows the first (5.5.1).
 */
#include "packet/gtp_priv.h"
#include "packet/rules_priv.h"
#include "packet/session_priv.h"

/* Elements of GTPv2-C (8.1) and GTPv1-C (7.7). */
enum {
    V2_IMSI = 1,
    V2_CAUSE = 2,
    V2_PAA = 79,
    V2_F_TEID = 87,
    V2_BEARER_CONTEXT = 93,
    V1_CAUSE = 1,
    V1_IMSI = 2,
    V1_TEID_DATA = 16,
    V1_TEID_CONTROL = 17,
    V1_USER_ADDRESS = 128,
    V1_GSN_ADDRESS = 133
};

static void tunnel_add(struct gtpc_message *m, const struct gtpc_tunnel *t)
{
    if (m->tunnel_count < LIMIT_PACKET_GTPC_TUNNELS)
        m->tunnels[m->tunnel_count++] = *t;
}

/* TS 29.274 8.22: V4, V6, interface type 6 bits; TEID, addresses. */
static void f_teid_read(struct gtpc_message *m, struct cursor c)
{
    struct gtpc_tunnel t = {0};
    uint8_t flags = cursor_u8(&c);
    t.interface = flags & 0x3f;
    t.teid = cursor_u32(&c);
    if (flags & 0x80)
        t.v4 = cursor_address(&c, 4);
    if (flags & 0x40)
        t.v6 = cursor_address(&c, 16);
    if (c.bad)
        m->malformed = true;
    else
        tunnel_add(m, &t);
}

/* TS 29.274 8.14: type 1 IPv4, 2 IPv6, 3 both: prefix length and IPv6 come first. */
static void paa_read(struct gtpc_message *m, struct cursor c)
{
    unsigned type = cursor_u8(&c) & 7;
    if (type == 2 || type == 3) {
        cursor_skip(&c, 1);
        m->ue_v6 = cursor_address(&c, 16);
    }
    if (type == 1 || type == 3)
        m->ue_v4 = cursor_address(&c, 4);
}

static void v2_elements_read(struct gtpc_message *m, struct cursor c, bool inside)
{
    while (c.n) {
        uint8_t type = cursor_u8(&c);
        size_t length = cursor_u16(&c);
        cursor_skip(&c, 1);
        struct cursor data = cursor_take(&c, length);
        if (data.bad) {
            m->malformed = true;
            return;
        }
        if (type == V2_F_TEID)
            f_teid_read(m, data);
        else if (type == V2_BEARER_CONTEXT && !inside)
            v2_elements_read(m, data, true);
        else if (type == V2_PAA)
            paa_read(m, data);
        else if (type == V2_CAUSE && !inside)
            m->cause = data.n ? data.p[0] : -1;
        else if (type == V2_IMSI)
            m->user = (struct str){(const char *)data.p, data.n};
    }
}

/* Lengths of the elements below 128 (TS 29.060 7.7, table 37); 0: none such. */
static const uint8_t v1_lengths[128] = {
    [1] = 1,  [2] = 8,  [3] = 6,  [4] = 4,  [5] = 4,  [8] = 1,  [9] = 3,  [11] = 1, [12] = 3,
    [13] = 1, [14] = 1, [15] = 1, [16] = 4, [17] = 4, [18] = 5, [19] = 1, [20] = 1, [21] = 1,
    [22] = 1, [23] = 1, [24] = 1, [25] = 2, [26] = 2, [27] = 2, [28] = 2, [29] = 1, [127] = 4};

/* 7.7.27: organisation and type of PDP address, 0x21 IPv4, 0x57 IPv6, 0x8d both. */
static void user_address_read(struct gtpc_message *m, struct cursor c)
{
    cursor_skip(&c, 1);
    uint8_t type = cursor_u8(&c);
    if ((type == 0x21 || type == 0x8d) && c.n >= 4)
        m->ue_v4 = cursor_address(&c, 4);
    if ((type == 0x57 || type == 0x8d) && c.n >= 16)
        m->ue_v6 = cursor_address(&c, 16);
}

/* The first GSN address is for signalling, the second for users' traffic (7.3.1, 7.3.2). */
struct v1_ends {
    uint32_t data, control;
    bool has_data, has_control;
    struct packet_address gsn[2];
    unsigned gsn_count;
};

static void v1_element_read(struct gtpc_message *m, struct v1_ends *ends, uint8_t type,
                            struct cursor data)
{
    switch (type) {
    case V1_CAUSE:
        m->cause = cursor_u8(&data);
        break;
    case V1_IMSI:
        m->user = (struct str){(const char *)data.p, data.n};
        break;
    case V1_TEID_DATA:
        ends->data = cursor_u32(&data);
        ends->has_data = true;
        break;
    case V1_TEID_CONTROL:
        ends->control = cursor_u32(&data);
        ends->has_control = true;
        break;
    case V1_USER_ADDRESS:
        user_address_read(m, data);
        break;
    case V1_GSN_ADDRESS:
        if (ends->gsn_count < 2 && (data.n == 4 || data.n == 16))
            ends->gsn[ends->gsn_count++] = address_of(data.p, data.n);
        break;
    default:
        break;
    }
}

static void v1_end_add(struct gtpc_message *m, uint8_t interface, uint32_t teid,
                       const struct packet_address *a)
{
    struct gtpc_tunnel t = {.interface = interface, .teid = teid};
    if (a->n == 4)
        t.v4 = *a;
    else
        t.v6 = *a;
    tunnel_add(m, &t);
}

static void v1_elements_read(struct gtpc_message *m, struct cursor c)
{
    struct v1_ends ends = {0};
    while (c.n) {
        uint8_t type = cursor_u8(&c);
        size_t length = type < 128 ? v1_lengths[type] : cursor_u16(&c);
        struct cursor data = cursor_take(&c, length);
        if (data.bad || length == 0) {
            m->malformed = data.bad || type < 128;
            if (m->malformed)
                return;
        }
        v1_element_read(m, &ends, type, data);
    }
    bool request = m->type == GTPV1_CREATE_REQUEST || m->type == GTPV1_UPDATE_REQUEST;
    if (ends.has_data && ends.gsn_count == 2)
        v1_end_add(m, request ? GTPC_GN_SGSN : GTPC_GN_GGSN, ends.data, &ends.gsn[1]);
    if (ends.has_control && ends.gsn_count)
        v1_end_add(m, GTPC_GN_CONTROL, ends.control, &ends.gsn[0]);
}

static bool v2_head_read(struct gtpc_message *m, struct cursor *c, struct cursor *body)
{
    uint8_t flags = cursor_u8(c);
    m->protocol = PACKET_GTPV2C;
    m->type = cursor_u8(c);
    size_t length = cursor_u16(c);
    m->malformed = length > c->n;
    *body = cursor_take(c, length < c->n ? length : c->n);
    m->has_teid = flags & 0x08;
    if (m->has_teid)
        m->teid = cursor_u32(body);
    m->sequence = (uint32_t)cursor_number(body, 3);
    cursor_skip(body, 1);
    if (!(flags & 0x10)) /* P */
        c->n = 0;
    return !body->bad;
}

static bool v1_head_read(struct gtpc_message *m, struct cursor *c, struct cursor *body)
{
    uint8_t flags = cursor_u8(c);
    m->protocol = PACKET_GTPV1C;
    m->type = cursor_u8(c);
    size_t length = cursor_u16(c);
    m->teid = cursor_u32(c);
    m->has_teid = true;
    m->malformed = length > c->n;
    *body = cursor_take(c, length < c->n ? length : c->n);
    c->n = 0;
    if (flags & 7) {
        m->sequence = cursor_u16(body);
        cursor_skip(body, 1);
        uint8_t next = cursor_u8(body);
        for (unsigned i = 0; flags & 4 && next && i < LIMIT_PACKET_GTPU_CHAIN; i++) {
            size_t bytes = cursor_u8(body) * (size_t)4;
            if (bytes == 0)
                return false;
            cursor_skip(body, bytes - 2);
            next = cursor_u8(body);
        }
    }
    return !body->bad;
}

static void message_tell(struct walk *w, const struct gtpc_message *m)
{
    struct packet_message told = {.protocol = m->protocol,
                                  .type = m->type,
                                  .has_id = m->has_teid,
                                  .id = m->teid,
                                  .sequence = m->sequence,
                                  .cause = m->cause};
    walk_message(w, &told);
    if (m->malformed)
        walk_anomaly(w, PACKET_GTPC_MALFORMED);
}

static bool one_decode(struct walk *w, struct cursor *c)
{
    struct gtpc_message m = {.cause = -1};
    struct cursor body;
    unsigned first = cursor_peek(c, 0) >> 4;
    if (first >> 1 == 2) {
        if (!v2_head_read(&m, c, &body))
            return false;
        v2_elements_read(&m, body, false);
    } else if (first == 3) {
        if (!v1_head_read(&m, c, &body))
            return false;
        v1_elements_read(&m, body);
    } else {
        return false;
    }
    message_tell(w, &m);
    rules_gtpc(w, &m);
    if (!m.malformed)
        sessions_gtpc(w, &m);
    return true;
}

void gtpc_decode(struct walk *w, struct cursor c)
{
    rules_echo(w, c);
    while (c.n) /* each has a header's bytes at least */
        if (!one_decode(w, &c)) {
            walk_anomaly(w, PACKET_GTPC_MALFORMED);
            return;
        }
}

/* ---- port 3386: GTP' and GTPv0, which carries users' traffic on the same port ------------------
 */

static void v0_user_decode(struct walk *w, uint32_t label, struct cursor c)
{
    struct walk inner = *w;
    struct packet_gpdu g = {.src = w->ip->src,
                            .dst = w->ip->dst,
                            .teid = label,
                            .qfi = -1,
                            .interface = "gn-u",
                            .sst = -1,
                            .sd = -1};
    inner.gpdu = &g;
    inner.depth++;
    walk_gpdu(&inner, &g);
    if (ip_looks_like(c))
        ip_decode(&inner, c);
    w->layers = inner.layers;
}

static void v0_decode(struct walk *w, struct cursor c)
{
    struct packet_message m = {.protocol = PACKET_GTPV0, .cause = -1};
    cursor_skip(&c, 1);
    m.type = cursor_u8(&c);
    cursor_skip(&c, 2);
    m.sequence = cursor_u16(&c);
    uint32_t label = cursor_u16(&c);
    cursor_skip(&c, 12);
    if (c.bad) {
        walk_anomaly(w, PACKET_GTPC_MALFORMED);
        return;
    }
    walk_message(w, &m);
    if (m.type == GTPU_GPDU)
        v0_user_decode(w, label, c);
}

void gtpp_decode(struct walk *w, struct cursor c)
{
    struct packet_message m = {.protocol = PACKET_GTPP, .cause = -1};
    uint8_t flags = cursor_peek(&c, 0);
    if (flags & 0x10) {
        v0_decode(w, c);
        return;
    }
    cursor_skip(&c, 1);
    m.type = cursor_u8(&c);
    cursor_skip(&c, 2);
    m.sequence = cursor_u16(&c);
    if (c.bad)
        walk_anomaly(w, PACKET_GTPC_MALFORMED);
    else
        walk_message(w, &m);
}
