/*
 * Where tunnels end, and which session an end belongs to. What was found lately lies in `near`, a
 * line of the cache each, since packets of a tunnel follow one another, and searching takes four;
 * so does what signalling tells of, where there is room. Whatever changes a living tunnel or its
 * session takes it out there, or writes it anew.
 */
#include "packet/session_table_priv.h"

#define NEAR_WAYS  2
#define LINE_BYTES 64u
_Static_assert(sizeof(struct found_tunnel) == LINE_BYTES, "a line of the cache");

static uint64_t tunnel_hash(const struct sessions *t, uint32_t node, uint32_t teid)
{
    return mix64(t->seed, (uint64_t)node << 32 | teid);
}

/* By the address and not by its node, so that what is near is found without looking that up. */
static uint64_t near_key(const struct sessions *t, const struct packet_address *a, uint32_t teid)
{
    return tunnel_end_hash(a, teid, t->near_seed) | 1;
}

static struct found_tunnel *near_set(struct sessions *t, uint64_t key)
{
    return &t->near[(key >> 48) % (LIMIT_PACKET_NEAR / NEAR_WAYS) * NEAR_WAYS];
}

void sessions_soon(struct sessions *t, const struct packet_address *a, uint32_t teid)
{
    __builtin_prefetch(near_set(t, near_key(t, a, teid))); /* the first, where it mostly stands */
}

void sessions_forget_near(struct sessions *t)
{
    t->near_seed = mix64(t->near_seed, 1); /* what lies there is not found any more */
}

static void near_forget(struct sessions *t, const struct binding *x)
{
    if (!x->placed)
        return;
    uint64_t key = near_key(t, &table_node(t, x->node)->a, x->teid);
    struct found_tunnel *set = near_set(t, key);
    for (size_t k = 0; k < NEAR_WAYS; k++)
        if (set[k].key == key)
            set[k].key = 0;
}

/* Twice the chains when they are one long on average. Without memory they stay as they are. */
static void tunnels_rehash(struct sessions *t)
{
    struct heads old = t->by_tunnel;
    if (old.count <= old.mask || !heads_make(&t->by_tunnel, 2 * (old.mask + 1))) {
        t->by_tunnel.p = old.p;
        return;
    }
    for (size_t i = 0; i <= old.mask; i++) {
        uint32_t b = old.p[i], last[2] = {NONE, NONE};
        while (b != NONE) { /* chains keep their order: what is newer comes first */
            struct binding *x = table_binding(t, b);
            uint32_t next = x->of_hash;
            size_t slot = tunnel_hash(t, x->node, x->teid) & t->by_tunnel.mask;
            uint32_t *tail = &last[slot > old.mask];
            if (*tail == NONE)
                t->by_tunnel.p[slot] = b;
            else
                table_binding(t, *tail)->of_hash = b;
            x->of_hash = NONE;
            *tail = b;
            b = next;
        }
    }
    base_free(old.p);
}

/* ---- tunnels ----------------------------------------------------------------------------- */

static void tunnel_out(struct sessions *t, uint32_t b)
{
    struct binding *x = table_binding(t, b);
    if (!x->placed)
        return;
    near_forget(t, x);
    uint32_t *from = &t->by_tunnel.p[tunnel_hash(t, x->node, x->teid) & t->by_tunnel.mask];
    while (*from != b)
        from = &table_binding(t, *from)->of_hash;
    *from = x->of_hash;
    t->by_tunnel.count--;
    if (x->kind != BINDING_FAR)
        table_node(t, x->node)->ends--;
    table_node_give(t, x->node);
    x->placed = false;
}

static bool tunnel_in(struct sessions *t, uint32_t b, const struct packet_address *a, uint32_t teid)
{
    struct binding *x = table_binding(t, b);
    uint32_t node = table_node_take(t, a);
    if (node == NONE)
        return false;
    uint32_t *head = &t->by_tunnel.p[tunnel_hash(t, node, teid) & t->by_tunnel.mask];
    x->node = node;
    x->teid = teid;
    x->of_hash = *head;
    x->placed = true;
    *head = b;
    near_forget(t, x);
    t->by_tunnel.count++;
    if (x->kind != BINDING_FAR)
        table_node(t, node)->ends++;
    tunnels_rehash(t);
    return true;
}

static uint32_t tunnel_find(const struct sessions *t, uint32_t node, uint32_t teid)
{
    uint32_t b = t->by_tunnel.p[tunnel_hash(t, node, teid) & t->by_tunnel.mask];
    while (b != NONE && (table_binding(t, b)->node != node || table_binding(t, b)->teid != teid))
        b = table_binding(t, b)->of_hash;
    return b;
}

uint32_t session_of_tunnel(struct sessions *t, const struct packet_address *a, uint32_t teid,
                           const struct binding **out)
{
    uint32_t node = table_node_find(t, a);
    uint32_t b = node == NONE ? NONE : tunnel_find(t, node, teid);
    if (b == NONE || table_binding(t, b)->ended_s)
        return NONE;
    uint32_t i = table_binding(t, b)->session;
    if (table_session(t, i)->ended || table_outlived(t, table_session(t, i)))
        return NONE;
    *out = table_binding(t, b);
    return i;
}

/* About a second, which is quicker to tell. */
#define FRESH_SHIFT 20

static uint32_t fresh_unit(int64_t us)
{
    return (uint32_t)(us >> FRESH_SHIFT);
}

/* What is kept of a tunnel that was found. */
static void near_put(const struct sessions *t, const struct binding *x, struct found_tunnel *out)
{
    const struct session *s = table_session(t, x->session);
    *out = (struct found_tunnel){.session = x->session,
                                 .fresh = fresh_unit(s->seen_us),
                                 .ethernet = s->ethernet,
                                 .unstructured = s->unstructured,
                                 .has_v4 = s->has_v4,
                                 .has_v6 = s->has_v6,
                                 .v6_bits = s->v6_bits,
                                 .sst = s->sst,
                                 .sd = s->sd};
    session_lead(out, x, s);
    out->check_source = x->kind == BINDING_PDR && x->interface == PFCP_INTERFACE_ACCESS &&
                        (s->has_v4 || s->has_v6) && !s->framed && !s->ethernet && !s->unstructured;
    memcpy(out->v4, s->v4, sizeof s->v4);
    memcpy(out->v6, s->v6, sizeof s->v6);
    memcpy(out->handle, s->handle, sizeof s->handle);
}

/* A tunnel that is new will have packets soon: it lies near where there is room. */
static void near_renew(struct sessions *t, uint32_t b)
{
    const struct binding *x = table_binding(t, b);
    near_forget(t, x);
    if (!x->placed || x->ended_s || tunnel_find(t, x->node, x->teid) != b ||
        table_outlived(t, table_session(t, x->session)))
        return;
    uint64_t key = near_key(t, &table_node(t, x->node)->a, x->teid);
    struct found_tunnel *set = near_set(t, key);
    for (size_t k = 0; k < NEAR_WAYS; k++)
        if (!set[k].key) {
            near_put(t, x, &set[k]);
            set[k].key = key;
            return;
        }
}

void session_learned(struct sessions *t, uint32_t index)
{
    for (uint32_t b = table_session(t, index)->bindings; b != NONE;
         b = table_binding(t, b)->of_session)
        near_renew(t, b);
}

static uint32_t seconds(int64_t us)
{
    return us < 1000000 ? 1 : (uint32_t)(us / 1000000);
}

void table_binding_end(struct sessions *t, uint32_t b, int64_t now_us)
{
    struct binding *x = table_binding(t, b);
    if (x->ended_s)
        return;
    x->ended_s = seconds(now_us);
    near_forget(t, x);
}

void table_binding_drop(struct sessions *t, uint32_t b)
{
    struct session *s = table_session(t, table_binding(t, b)->session);
    uint32_t *from = &s->bindings;
    while (*from != b)
        from = &table_binding(t, *from)->of_session;
    *from = table_binding(t, b)->of_session;
    s->binding_count--;
    tunnel_out(t, b);
    pool_give(&t->bindings, b);
}

/* Room for one more: of many tunnels of one session the first that ended gives way. */
static bool bindings_room(struct sessions *t, const struct session *s)
{
    if (s->binding_count < LIMIT_PACKET_BINDINGS)
        return true;
    for (uint32_t b = s->bindings; b != NONE; b = table_binding(t, b)->of_session)
        if (table_binding(t, b)->ended_s) {
            table_binding_drop(t, b);
            return true;
        }
    return false;
}

void session_bind(struct sessions *t, uint32_t index, const struct end *end)
{
    struct session *s = table_session(t, index);
    const struct binding *had = NULL;
    uint32_t other = end->address ? session_of_tunnel(t, end->address, end->teid, &had) : NONE;
    if (had && other == index && had->kind == end->kind && had->rule == end->rule &&
        had->interface == end->interface)
        return; /* the message came twice */
    uint32_t b = bindings_room(t, s) ? pool_take(&t->bindings) : NONE;
    if (b == NONE)
        return;
    struct binding *x = table_binding(t, b);
    x->session = index;
    x->kind = (uint8_t)end->kind;
    x->interface = end->interface;
    x->rule = end->rule;
    x->of_session = s->bindings;
    s->bindings = b;
    s->binding_count++;
    if (end->address)
        (void)tunnel_in(t, b, end->address, end->teid);
}

void session_unbind(struct sessions *t, uint32_t index, enum binding_kind kind, uint32_t rule,
                    int64_t now_us)
{
    for (uint32_t b = table_session(t, index)->bindings; b != NONE;
         b = table_binding(t, b)->of_session) {
        const struct binding *x = table_binding(t, b);
        if (x->kind == kind && x->rule == rule)
            table_binding_end(t, b, now_us);
    }
}

void session_chosen(struct sessions *t, uint32_t index, uint32_t rule, uint32_t teid,
                    const struct packet_address *a)
{
    struct end end = {BINDING_PDR, 0xff, rule, teid, a};
    for (uint32_t b = table_session(t, index)->bindings; b != NONE;
         b = table_binding(t, b)->of_session) {
        struct binding *x = table_binding(t, b);
        if (x->kind != BINDING_PDR || x->rule != rule || x->ended_s)
            continue;
        end.interface = x->interface;
        if (!x->placed) {
            (void)tunnel_in(t, b, a, teid);
            return;
        }
    }
    session_bind(t, index, &end);
}

static bool long_over(const struct binding *x, int64_t now_us)
{
    return x->ended_s && seconds(now_us) > x->ended_s + LIMIT_PACKET_SESSION_ENDS_S;
}

/* How often a session with traffic is taken for alive. */
#define FRESH_UNITS 29

PACKET_RARE static struct found_tunnel *search(struct sessions *t, const struct packet_address *a,
                                               uint32_t teid, int64_t now_us,
                                               struct found_tunnel *set)
{
    uint32_t node = table_node_find(t, a);
    uint32_t b = node == NONE ? NONE : tunnel_find(t, node, teid);
    if (b == NONE || long_over(table_binding(t, b), now_us))
        return NULL;
    const struct binding *x = table_binding(t, b);
    const struct session *s = table_session(t, x->session);
    if (table_outlived(t, s))
        return NULL;
    if (!s->ended && (int32_t)fresh_unit(now_us - s->seen_us) > FRESH_UNITS)
        session_alive(t, x->session, now_us);
    memmove(set + 1, set, (NEAR_WAYS - 1) * sizeof *set); /* the last to come stands first */
    near_put(t, x, set);
    if (!x->ended_s) /* what ended is not known for long */
        set->key = near_key(t, a, teid);
    return set;
}

PACKET_RARE static void freshen(struct sessions *t, struct found_tunnel *f, int64_t now_us)
{
    session_alive(t, f->session, now_us);
    f->fresh = fresh_unit(now_us);
}

/* What is found of a set stands first from then on. */
PACKET_RARE static bool near_first(struct found_tunnel *set, uint64_t key)
{
    for (size_t k = 1; k < NEAR_WAYS; k++)
        if (set[k].key == key) {
            struct found_tunnel found = set[k];
            set[k] = set[0];
            set[0] = found;
            return true;
        }
    return false;
}

struct found_tunnel *sessions_find(struct sessions *t, const struct packet_address *a,
                                   uint32_t teid, int64_t now_us)
{
    uint64_t key = near_key(t, a, teid);
    struct found_tunnel *set = near_set(t, key);
    if (set->key != key && !near_first(set, key))
        return search(t, a, teid, now_us, set);
    if ((int32_t)(fresh_unit(now_us) - set->fresh) > FRESH_UNITS)
        freshen(t, set, now_us);
    return set;
}

void sessions_end_marker(struct sessions *t, const struct packet_address *a, uint32_t teid,
                         int64_t now_us)
{
    uint32_t node = table_node_find(t, a);
    uint32_t b = node == NONE ? NONE : tunnel_find(t, node, teid);
    if (b == NONE)
        return;
    /* TS 23.501 §5.8.2.9: it ends what led towards a gNB. Whoever sends one to the core's end of a
     * tunnel ends nothing. */
    const struct binding *x = table_binding(t, b);
    if (x->kind != BINDING_PDR && !(x->kind == BINDING_N2 && x->interface == 0))
        table_binding_end(t, b, now_us);
}
