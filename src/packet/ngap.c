/*
 * NGAP, TS 38.413, in aligned PER (X.691), without its whole grammar: the shape of messages is
 * regular, and what is needed of them are a few elements.
 *
 *     PDU      extension 1 bit, choice 2 bits (initiating, successful, unsuccessful), padding 5
 *              procedure code 1, criticality 1, length, value
 *     value    extension 1 bit, padding 7; number of elements 2
 *     element  id 2, criticality 1, length, value
 *     length   0xxxxxxx, or 10xxxxxx xxxxxxxx; 11xxxxxx: in pieces, which we do not follow
 */
#include "packet/ngap_priv.h"
#include "packet/rules_priv.h"
#include "packet/session_priv.h"

/* Elements, 9.4.7. */
enum {
    ID_AMF_UE = 10,
    ID_GLOBAL_RAN_NODE = 27,
    ID_NAS = 38,
    ID_ADMITTED_LIST = 53,
    ID_SETUP_CXT_REQ = 71,
    ID_SETUP_CXT_RES = 72,
    ID_SETUP_HO_REQ = 73,
    ID_SETUP_SU_REQ = 74,
    ID_SETUP_SU_RES = 75,
    ID_SWITCHED_DL = 76,
    ID_SWITCHED = 77,
    ID_RAN_UE = 85,
    ID_SOURCE_AMF_UE = 100,
    ID_AREAS = 102,
    ID_UE_IDS = 114,
    ID_CAPABILITIES = 119,
    ID_SESSION_TYPE = 134,
    ID_UPLINK_TUNNEL = 139
};

/* Bits, for what is not padded to octets. */
struct bits {
    struct cursor c;
    unsigned used; /* bits of c.p[0] that were read */
};

static unsigned bits_get(struct bits *b, unsigned count)
{
    unsigned v = 0;
    for (unsigned i = 0; i < count; i++) {
        if (b->c.n == 0)
            b->c.bad = true;
        v = v << 1 | (cursor_peek(&b->c, 0) >> (7 - b->used) & 1);
        if (++b->used == 8) {
            b->used = 0;
            cursor_skip(&b->c, 1);
        }
    }
    return v;
}

static void bits_align(struct bits *b)
{
    if (b->used)
        cursor_skip(&b->c, 1);
    b->used = 0;
}

static size_t length_read(struct cursor *c)
{
    size_t first = cursor_u8(c);
    if (first < 0x80)
        return first;
    if (first < 0xc0)
        return (first & 0x3f) << 8 | cursor_u8(c);
    c->bad = true;
    c->n = 0;
    return 0;
}

struct element {
    uint16_t id;
    struct cursor value;
};

static bool element_next(struct cursor *c, struct element *out)
{
    out->id = cursor_u16(c);
    cursor_skip(c, 1);
    out->value = cursor_take(c, length_read(c));
    return !c->bad && !out->value.bad;
}

/* A whole number of up to 8 octets: `bits` of its length less one, padding, octets. */
static uint64_t number_read(struct cursor c, unsigned bits)
{
    size_t n = (size_t)(cursor_u8(&c) >> (8 - bits)) + 1;
    return c.n < n ? UINT64_MAX : cursor_number(&c, n);
}

/* ---- tunnels ----------------------------------------------------------------------------- */

/* UPTransportLayerInformation, 9.3.2.2: choice 1 bit; GTPTunnel: extension 1, optional 1; address:
 * extension 1, bits of it less one 8; padding; address; TEID 4. Of 160 bits the first 32 are IPv4
 * (9.3.2.4). */
static void tunnel_read(struct bits *b, struct ngap_session *s)
{
    unsigned choice = bits_get(b, 1);
    bits_get(b, 2);
    unsigned longer = bits_get(b, 1), bits = bits_get(b, 8) + 1;
    bits_align(b);
    struct packet_address v4 = {.n = 0}, v6 = {.n = 0};
    if (bits == 32 || bits == 160)
        v4 = cursor_address(&b->c, 4);
    if (bits == 128 || bits == 160)
        v6 = cursor_address(&b->c, 16);
    uint32_t teid = cursor_u32(&b->c);
    if (choice || longer || b->c.bad || (!v4.n && !v6.n))
        return;
    s->has_tunnel = true;
    s->teid = teid;
    s->v4 = v4;
    s->v6 = v6;
}

/* PDUSessionResourceSetupRequestTransfer, 9.3.4.1: elements. */
static void request_read(struct cursor c, struct ngap_session *s)
{
    struct element e;
    cursor_skip(&c, 1);
    unsigned count = cursor_u16(&c);
    s->uplink = true;
    for (unsigned i = 0; i < count && i < LIMIT_PACKET_NGAP_ELEMENTS; i++) {
        if (!element_next(&c, &e))
            return;
        struct bits b = {e.value, 0};
        if (e.id == ID_UPLINK_TUNNEL) {
            tunnel_read(&b, s);
        } else if (e.id == ID_SESSION_TYPE) { /* extension 1; ipv4, ipv6, ipv4v6, ethernet … 3 */
            unsigned type = bits_get(&b, 4);
            s->ethernet = type == 3;
            s->unstructured = type == 4;
        }
    }
}

/* The other transfers are sequences that start with the tunnel, behind their `bits` of extension
 * and options and, in a set-up's answer (9.3.4.2), those of QosFlowPerTNLInformation. */
static void answer_read(struct cursor c, unsigned bits, struct ngap_session *s)
{
    struct bits b = {c, 0};
    bits_get(&b, bits);
    tunnel_read(&b, s);
}

/* ---- lists of PDU sessions --------------------------------------------------------------------
 */

struct shape {
    uint16_t id;
    bool nas, slice;
    unsigned answer_bits; /* 0: a request's transfer */
    bool uplink;          /* of an answer: the end at the UPF */
};
static const struct shape shapes[] = {
    {ID_SETUP_SU_REQ, true, true, 0, true},     {ID_SETUP_CXT_REQ, true, true, 0, true},
    {ID_SETUP_HO_REQ, false, true, 0, true},    {ID_SETUP_SU_RES, false, false, 5 + 2, false},
    {ID_SETUP_CXT_RES, false, false, 7, false}, {ID_ADMITTED_LIST, false, false, 6, false},
    {ID_SWITCHED_DL, false, false, 4, false},   {ID_SWITCHED, false, false, 4, true},
};

/* S-NSSAI, 9.3.1.24: extension, SD is there, extensions are there; SST 8 bits; SD 3 octets. */
static void slice_read(struct bits *b, struct ngap_session *s)
{
    unsigned options = bits_get(b, 3);
    s->sst = (int)bits_get(b, 8);
    bits_align(b);
    if (options & 2)
        s->sd = (int32_t)cursor_number(&b->c, 3);
    if (options & 5)
        b->c.bad = true; /* not looked into */
}

static bool extensions_skip(struct cursor *c)
{
    struct element e;
    unsigned count = cursor_u16(c) + 1u;
    for (unsigned i = 0; i < count; i++)
        if (i == LIMIT_PACKET_NGAP_ELEMENTS || !element_next(c, &e))
            return false;
    return true;
}

static bool item_read(const struct shape *shape, struct bits *b, struct ngap_session *s)
{
    unsigned extended = bits_get(b, 1);
    unsigned nas = shape->nas ? bits_get(b, 1) : 0;
    unsigned extensions = bits_get(b, 1);
    bits_align(b);
    *s = (struct ngap_session){.id = cursor_u8(&b->c), .sst = -1, .sd = -1};
    if (nas)
        cursor_skip(&b->c, length_read(&b->c));
    if (shape->slice)
        slice_read(b, s);
    struct cursor transfer = cursor_take(&b->c, length_read(&b->c));
    if (extended || transfer.bad || b->c.bad)
        return false;
    s->uplink = shape->uplink;
    if (shape->answer_bits)
        answer_read(transfer, shape->answer_bits, s);
    else
        request_read(transfer, s);
    return !extensions || extensions_skip(&b->c);
}

static void list_read(struct ngap_message *m, const struct shape *shape, struct cursor c)
{
    unsigned count = cursor_u8(&c) + 1u;
    struct bits b = {c, 0};
    for (unsigned i = 0; i < count; i++) {
        struct ngap_session s;
        if (m->session_count == LIMIT_PACKET_NGAP_SESSIONS)
            return;
        if (!item_read(shape, &b, &s)) {
            m->malformed = true;
            return;
        }
        bits_align(&b);
        /* 9.3.4.9: the switch's answer need not name a tunnel; its first option says so. */
        if (shape->id == ID_SWITCHED)
            s.has_tunnel = false;
        m->sessions[m->session_count++] = s;
    }
}

/* UE-NGAP-IDs, 9.3.3.x: choice 2 bits, 0 of which is both: extension and optional 1 each; the
 * AMF's, length less one in 3 bits, and the gNB's, in 2. */
static void both_ids_read(struct ngap_message *m, struct cursor c)
{
    struct bits b = {c, 0};
    unsigned choice = bits_get(&b, 2);
    if (choice > 1)
        return;
    if (choice == 0)
        bits_get(&b, 2);
    unsigned n = bits_get(&b, 3) + 1;
    bits_align(&b);
    uint64_t amf = cursor_number(&b.c, n), ran = 0;
    if (choice == 0) {
        n = bits_get(&b, 2) + 1;
        bits_align(&b);
        ran = cursor_number(&b.c, n);
    }
    if (b.c.bad)
        return;
    m->amf = amf;
    m->has_amf = true;
    m->ran = ran;
    m->has_ran = choice == 0;
}

/* ---- messages ---------------------------------------------------------------------------- */

static void element_read(struct ngap_message *m, const struct element *e)
{
    struct cursor c = e->value;
    switch (e->id) {
    case ID_AMF_UE: /* 9.3.3.1: up to 2^40 - 1 */
        m->amf = number_read(c, 3);
        m->has_amf = m->amf != UINT64_MAX;
        break;
    case ID_RAN_UE: /* 9.3.3.2: up to 2^32 - 1 */
        m->ran = number_read(c, 2);
        m->has_ran = m->ran != UINT64_MAX;
        break;
    case ID_SOURCE_AMF_UE:
        m->source_amf = number_read(c, 3);
        m->has_source_amf = m->source_amf != UINT64_MAX;
        break;
    case ID_UE_IDS:
        both_ids_read(m, c);
        break;
    case ID_NAS: {
        struct cursor nas = cursor_take(&c, length_read(&c));
        if (!nas.bad && m->nas_count < NGAP_NAS)
            m->nas[m->nas_count++] = nas;
        break;
    }
    case ID_GLOBAL_RAN_NODE:
        m->global_id = c;
        break;
    case ID_AREAS:
        m->areas = c;
        break;
    case ID_CAPABILITIES:
        m->capabilities = c;
        break;
    default:
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            if (shapes[i].id == e->id)
                list_read(m, &shapes[i], c);
        break;
    }
}

static void message_read(struct ngap_message *m, struct cursor c)
{
    uint8_t choice = cursor_u8(&c);
    struct element e;
    m->outcome = choice >> 5;
    m->procedure = cursor_u8(&c);
    cursor_skip(&c, 1);
    struct cursor value = cursor_take(&c, length_read(&c));
    cursor_skip(&value, 1);
    unsigned count = cursor_u16(&value);
    if (value.bad || m->outcome > 2) {
        m->malformed = true;
        return;
    }
    for (unsigned i = 0; i < count && i < LIMIT_PACKET_NGAP_ELEMENTS; i++) {
        if (!element_next(&value, &e)) {
            m->malformed = true;
            return;
        }
        element_read(m, &e);
    }
    m->malformed = m->malformed || count > LIMIT_PACKET_NGAP_ELEMENTS; /* no message has so many */
}

/* By the port; where both ends have it, by who begins such a procedure (TS 38.413 §8.1). */
static bool is_from_amf(const struct packet_ip *ip, const struct ngap_message *m)
{
    static const uint8_t of_amf[] = {
        NGAP_DOWNLINK_NAS,    NGAP_HANDOVER_RESOURCE, NGAP_INITIAL_CONTEXT, NGAP_SESSION_MODIFY,
        NGAP_SESSION_RELEASE, NGAP_SESSION_SETUP,     NGAP_CONTEXT_RELEASE};
    bool begins = false;
    if (ip->src_port != ip->dst_port)
        return ip->src_port == PORT_NGAP;
    for (size_t i = 0; i < sizeof of_amf; i++)
        begins = begins || of_amf[i] == m->procedure;
    return begins == (m->outcome == NGAP_INITIATING);
}

void ngap_decode(struct walk *w, struct cursor c)
{
    struct ngap_message m = {.procedure = -1};
    message_read(&m, c);
    m.from_amf = is_from_amf(w->ip, &m);
    struct packet_message told = {.protocol = PACKET_NGAP,
                                  .type = m.procedure,
                                  .outcome = m.outcome,
                                  .cause = -1,
                                  .amf_ue = m.has_amf ? m.amf : UINT64_MAX,
                                  .ran_ue = m.has_ran ? m.ran : UINT64_MAX};
    walk_message(w, &told);
    if (m.malformed)
        walk_anomaly(w, PACKET_NGAP_MALFORMED);
    if (w->repeat)
        return;
    if (rules_ngap(w, &m))
        sessions_ngap(w, &m);
}
