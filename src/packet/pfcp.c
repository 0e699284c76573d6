/*
 * PFCP, TS 29.244.
 *
 *     7.2.2  version 3 bits = 1, spare 2, FO, MP, S       8.1.1  type 2
 *            type 1                                              length 2
 *            length 2 (of what follows it)                       enterprise 2 if type >= 32768
 *            SEID 8 if S                                         data, or elements of a group
 *            sequence 3, priority or spare 1
 *
 * Elements that are unknown or a vendor's are passed over; that is what they are made for.
 */
#include "packet/pfcp_priv.h"
#include "packet/rules_priv.h"
#include "packet/session_priv.h"

#define FLAG_SEID      0x01u
#define FLAG_FOLLOW_ON 0x04u
#define VENDOR         0x8000u

/* Elements, 8.1.2. */
enum {
    IE_CREATE_PDR = 1,
    IE_PDI = 2,
    IE_CREATE_FAR = 3,
    IE_FORWARDING = 4,
    IE_CREATE_QER = 7,
    IE_CREATED_PDR = 8,
    IE_UPDATE_PDR = 9,
    IE_UPDATE_FAR = 10,
    IE_UPDATE_FORWARDING = 11,
    IE_REMOVE_PDR = 15,
    IE_REMOVE_FAR = 16,
    IE_CAUSE = 19,
    IE_SOURCE_INTERFACE = 20,
    IE_F_TEID = 21,
    IE_DESTINATION_INTERFACE = 42,
    IE_PDR_ID = 56,
    IE_F_SEID = 57,
    IE_NODE_ID = 60,
    IE_OUTER_HEADER_CREATION = 84,
    IE_UE_ADDRESS = 93,
    IE_RECOVERY = 96,
    IE_FAR_ID = 108,
    IE_PDN_TYPE = 113,
    IE_QFI = 124,
    IE_CREATE_ENDPOINT = 127,
    IE_CREATED_ENDPOINT = 128,
    IE_USER_ID = 141,
    IE_FRAMED_ROUTE = 153,
    IE_FRAMED_IPV6_ROUTE = 155,
    IE_ALTERNATIVE_SMF = 178,
    IE_S_NSSAI = 257
};

struct element {
    uint16_t type;
    struct cursor data;
};

static bool element_next(struct pfcp_message *m, struct cursor *c, struct element *out)
{
    if (c->n == 0)
        return false;
    out->type = cursor_u16(c);
    out->data = cursor_take(c, cursor_u16(c));
    if (out->data.bad) {
        m->malformed = "an information element is longer than what holds it";
        return false;
    }
    return true;
}

static void too_short(struct pfcp_message *m, const struct cursor *c, const char *what)
{
    if (c->bad && !m->malformed)
        m->malformed = what;
}

/* 8.2.3: flags V4 1, V6 2, CH 4, CHID 8; TEID and addresses, or a choice's id. */
static void f_teid_read(struct pfcp_message *m, struct pfcp_rule *r, struct cursor c)
{
    uint8_t flags = cursor_u8(&c);
    if (r)
        r->has_tunnel = true;
    if (flags & 4) {
        if (r)
            r->choose = true;
        if (flags & 8)
            cursor_skip(&c, 1);
    } else {
        struct pfcp_rule other, *to = r ? r : &other;
        to->teid = cursor_u32(&c);
        if (flags & 1)
            to->v4 = cursor_address(&c, 4);
        if (flags & 2)
            to->v6 = cursor_address(&c, 16);
    }
    too_short(m, &c, "an F-TEID is shorter than its flags say");
}

/* 8.2.56: two octets of bits, of which the first tells the fields; TEID, IPv4, IPv6, port, C-tag,
 * S-tag. */
static void outer_header_read(struct pfcp_message *m, struct pfcp_rule *r, struct cursor c)
{
    uint8_t what = cursor_u8(&c);
    cursor_skip(&c, 1);
    uint32_t teid = what & 0x03 ? cursor_u32(&c) : 0;
    struct packet_address v4 = {.n = 0}, v6 = {.n = 0};
    if (what & 0x15)
        v4 = cursor_address(&c, 4);
    if (what & 0x2a)
        v6 = cursor_address(&c, 16);
    cursor_skip(&c, (what & 0x0c ? 2u : 0u) + (what & 0x40 ? 3u : 0u) + (what & 0x80 ? 3u : 0u));
    too_short(m, &c, "an Outer Header Creation is shorter than its bits say");
    if (!r || c.bad || !(what & 0x03))
        return;
    r->has_tunnel = true;
    r->teid = teid;
    r->v4 = v4;
    r->v6 = v6;
}

/* 8.2.62: flags V6 1, V4 2, S/D 4, IPv6D 8, CHV4 16, CHV6 32, IP6PL 64. */
static void ue_address_read(struct pfcp_message *m, struct cursor c)
{
    struct pfcp_ue ue = {.prefix = 64};
    uint8_t flags = cursor_u8(&c);
    if (flags & 2)
        ue.v4 = cursor_address(&c, 4);
    if (flags & 1)
        ue.v6 = cursor_address(&c, 16);
    unsigned delegated = flags & 8 ? cursor_u8(&c) : 0;
    unsigned length = flags & 64 ? cursor_u8(&c) : 0;
    too_short(m, &c, "a UE IP Address is shorter than its flags say");
    if (c.bad || (!ue.v4.n && !ue.v6.n) || m->ue_count == PFCP_UES)
        return;
    if (delegated && delegated <= 64)
        ue.prefix = 64 - delegated;
    else if (length && length <= 128)
        ue.prefix = length;
    m->ue[m->ue_count++] = ue;
}

/* 8.2.37: V6 is bit 1 and V4 bit 2, the other way round than in an F-TEID. */
static void f_seid_read(struct pfcp_message *m, struct cursor c)
{
    uint8_t flags = cursor_u8(&c);
    uint64_t seid = cursor_number(&c, 8);
    struct packet_address v4 = {.n = 0}, v6 = {.n = 0};
    if (flags & 2)
        v4 = cursor_address(&c, 4);
    if (flags & 1)
        v6 = cursor_address(&c, 16);
    too_short(m, &c, "an F-SEID is shorter than its flags say");
    if (c.bad)
        return;
    m->has_fseid = true;
    m->fseid = seid;
    m->fseid_v4 = v4;
    m->fseid_v6 = v6;
}

static void alternative_read(struct pfcp_message *m, struct cursor c)
{
    cursor_skip(&c, 1);
    if (c.n >= 4 && c.n != 16 && m->alternative_count < PFCP_ALTERNATIVE)
        m->alternative[m->alternative_count++] = cursor_address(&c, 4);
    if (c.n >= 16 && m->alternative_count < PFCP_ALTERNATIVE)
        m->alternative[m->alternative_count++] = cursor_address(&c, 16);
}

static void slice_read(struct pfcp_message *m, struct cursor c)
{
    int sst = cursor_u8(&c);
    int32_t sd = (int32_t)cursor_number(&c, 3);
    if (c.bad)
        return;
    m->sst = sst;
    m->sd = sd == 0xffffff ? -1 : sd; /* TS 23.003 §28.4.2: none */
}

/* Elements that stand in groups of rules, and what they say of `r`. */
static void rule_element_read(struct pfcp_message *m, struct pfcp_rule *r, const struct element *i)
{
    struct cursor c = i->data;
    switch (i->type) {
    case IE_PDR_ID:
        if (r)
            r->id = cursor_u16(&c);
        break;
    case IE_FAR_ID:
        if (r && r->kind >= PFCP_CREATE_FAR)
            r->id = cursor_u32(&c);
        break;
    case IE_SOURCE_INTERFACE:
    case IE_DESTINATION_INTERFACE:
        if (r)
            r->interface = cursor_u8(&c) & 15;
        break;
    case IE_F_TEID:
        f_teid_read(m, r, c);
        break;
    case IE_OUTER_HEADER_CREATION:
        outer_header_read(m, r, c);
        break;
    case IE_UE_ADDRESS:
        ue_address_read(m, c);
        break;
    case IE_QFI:
        m->five_g = true;
        break;
    case IE_FRAMED_ROUTE:
    case IE_FRAMED_IPV6_ROUTE:
        m->framed_route = true;
        break;
    default:
        break;
    }
}

/* 8.2.101: flags IMSI 1 …; each identity behind its length. The IMSI is what GTP-C has too. */
static void user_read(struct pfcp_message *m, struct cursor c)
{
    m->user = (struct str){(const char *)c.p, c.n};
    if (!(cursor_u8(&c) & 1))
        return;
    struct cursor imsi = cursor_take(&c, cursor_u8(&c));
    if (imsi.n)
        m->user = (struct str){(const char *)imsi.p, imsi.n};
}

static void message_element_read(struct pfcp_message *m, const struct element *i)
{
    struct cursor c = i->data;
    switch (i->type) {
    case IE_CAUSE:
        m->cause = c.n ? cursor_u8(&c) : -1;
        break;
    case IE_NODE_ID:
        m->node_id = (struct str){(const char *)c.p, c.n};
        break;
    case IE_F_SEID:
        f_seid_read(m, c);
        break;
    case IE_RECOVERY:
        m->start = cursor_u32(&c);
        m->has_start = !c.bad && m->type != PFCP_HEARTBEAT_REQUEST;
        break;
    case IE_PDN_TYPE: /* 8.2.79: 4 Non-IP, 5 Ethernet */
        m->ethernet = (cursor_peek(&c, 0) & 7) == 5;
        m->unstructured = (cursor_peek(&c, 0) & 7) == 4;
        break;
    case IE_USER_ID:
        user_read(m, c);
        break;
    case IE_ALTERNATIVE_SMF:
        alternative_read(m, c);
        break;
    case IE_S_NSSAI:
        slice_read(m, c);
        break;
    default:
        rule_element_read(m, NULL, i);
        break;
    }
}

static bool rule_kind_of(uint16_t type, enum pfcp_rule_kind *kind)
{
    static const struct {
        uint16_t type;
        enum pfcp_rule_kind kind;
    } rows[] = {
        {IE_CREATE_PDR, PFCP_CREATE_PDR}, {IE_CREATED_PDR, PFCP_CREATED_PDR},
        {IE_UPDATE_PDR, PFCP_UPDATE_PDR}, {IE_REMOVE_PDR, PFCP_REMOVE_PDR},
        {IE_CREATE_FAR, PFCP_CREATE_FAR}, {IE_UPDATE_FAR, PFCP_UPDATE_FAR},
        {IE_REMOVE_FAR, PFCP_REMOVE_FAR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].type == type) {
            *kind = rows[i].kind;
            return true;
        }
    return false;
}

static bool is_group(uint16_t type)
{
    return type == IE_PDI || type == IE_FORWARDING || type == IE_UPDATE_FORWARDING ||
           type == IE_CREATE_QER || type == IE_CREATE_ENDPOINT || type == IE_CREATED_ENDPOINT;
}

/* The elements of a group, down to groups within it. */
static void group_read(struct pfcp_message *m, struct pfcp_rule *r, struct cursor c, unsigned depth)
{
    struct element i;
    while (element_next(m, &c, &i)) {
        if (!is_group(i.type))
            rule_element_read(m, r, &i);
        else if (depth < LIMIT_PACKET_PFCP_DEPTH)
            group_read(m, r, i.data, depth + 1);
    }
}

static void rule_read(struct pfcp_message *m, enum pfcp_rule_kind kind, struct cursor c)
{
    struct pfcp_rule spare = {.interface = -1}, *r = &spare;
    if (m->rule_count < LIMIT_PACKET_PFCP_RULES)
        r = &m->rules[m->rule_count++];
    else
        m->too_many = true;
    *r = (struct pfcp_rule){.kind = kind, .interface = -1};
    group_read(m, r, c, 1);
}

bool pfcp_parse(struct cursor *c, struct pfcp_message *m)
{
    struct cursor head = *c;
    struct element i;
    enum pfcp_rule_kind kind;
    memset(m, 0, offsetof(struct pfcp_message, rules));
    m->cause = m->sst = -1;
    m->sd = -1;
    uint8_t flags = cursor_u8(&head);
    m->type = cursor_u8(&head);
    size_t length = cursor_u16(&head);
    struct cursor body = cursor_take(&head, length < head.n ? length : head.n);
    if (length > body.n)
        m->malformed = "the message is longer than its datagram";
    m->has_seid = flags & FLAG_SEID;
    if (m->has_seid)
        m->seid = cursor_number(&body, 8);
    m->sequence = (uint32_t)cursor_number(&body, 3);
    cursor_skip(&body, 1);
    if (flags >> 5 != 1 || body.bad)
        return false;
    *c = cursor_of(head.p, flags & FLAG_FOLLOW_ON ? head.n : 0);
    while (element_next(m, &body, &i)) {
        if (i.type < 64 * sizeof m->seen / sizeof *m->seen)
            m->seen[i.type / 64] |= (uint64_t)1 << i.type % 64;
        if (rule_kind_of(i.type, &kind))
            rule_read(m, kind, i.data);
        else if (is_group(i.type))
            group_read(m, NULL, i.data, 1);
        else if (!(i.type & VENDOR))
            message_element_read(m, &i);
    }
    return true;
}

static void message_tell(struct walk *w, const struct pfcp_message *m)
{
    struct packet_message told = {.protocol = PACKET_PFCP,
                                  .type = m->type,
                                  .has_id = m->has_seid,
                                  .id = m->seid,
                                  .sequence = m->sequence,
                                  .cause = m->cause};
    walk_message(w, &told);
    if (m->malformed)
        walk_anomaly(w, PACKET_PFCP_MALFORMED);
    if (m->too_many)
        walk_anomaly(w, PACKET_PFCP_MANY);
}

static bool is_request(uint8_t type)
{
    return type == PFCP_HEARTBEAT_REQUEST || type == PFCP_ASSOCIATION_REQUEST ||
           type == PFCP_ESTABLISHMENT_REQUEST || type == PFCP_MODIFICATION_REQUEST ||
           type == PFCP_DELETION_REQUEST;
}

static void judge(struct walk *w, const struct pfcp_message *m)
{
    message_tell(w, m);
    rules_pfcp(w, m);
    sessions_pfcp(w, m);
}

/* Together with what it answers. */
static void answer_judge(struct walk *w, struct pfcp_message *m)
{
    struct pfcp_message request;
    struct cursor c;
    if (is_request((uint8_t)(m->type - 1)) && asked_take(w, m, &c) && pfcp_parse(&c, &request))
        m->request = &request;
    judge(w, m);
    m->request = NULL;
}

void pfcp_decode(struct walk *w, struct cursor c)
{
    struct pfcp_message m;
    while (c.n) { /* each has a header's bytes at least */
        struct cursor bytes = c;
        if (!pfcp_parse(&c, &m)) {
            walk_anomaly(w, PACKET_PFCP_MALFORMED);
            return;
        }
        cursor_cut(&bytes, bytes.n - c.n);
        if (is_request(m.type)) {
            judge(w, &m);
            asked_put(w, &m, bytes);
        } else {
            answer_judge(w, &m);
        }
    }
}
