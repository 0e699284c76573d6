/*
 * The table of sessions. Sessions and tunnel ends live in pools that grow by chunks and never move;
 * numbers stand for pointers, which halves them. Addresses of nodes are kept once and counted.
 *
 *     address, TEID -> binding -> session <- (CP node, F-SEID), (UP node, F-SEID), (AMF, UE, PDU)
 *
 * All living sessions are in one list by when they were last seen, all ended ones in another by
 * when they ended: whichever is at its head goes first.
 *
 * What was found lately lies in `near`, a line of the cache each, since packets of a tunnel follow
 * one another, and searching takes four; so does what signalling tells of, where there is room.
 * Whatever changes a living tunnel or its session takes it out there, or writes it anew.
 */
#include "packet/session_priv.h"

struct node {
    struct packet_address a;
    uint32_t next, count;
    uint32_t ends;          /* tunnels that end there */
    bool has_start, pinned; /* pinned: it associated; it stays, so that its start is known */
    uint32_t start;
    int64_t start_us; /* when its Recovery Time Stamp last went forward */
};

struct list {
    uint32_t oldest, newest;
};

struct sessions {
    struct packet_figures *figures;
    size_t most, count;
    uint64_t seed, near_seed;
    struct pool nodes, all, bindings;
    struct heads by_node, by_tunnel, by_id[SESSION_INDEXES];
    struct users users;
    struct list living, ended;
    size_t pinned;
    struct found_tunnel *near; /* LIMIT_PACKET_NEAR, in sets by the hash of the tunnel's end */
};
#define NEAR_WAYS  2
#define LINE_BYTES 64u
_Static_assert(sizeof(struct found_tunnel) == LINE_BYTES, "a line of the cache");

/* ---- hashes ------------------------------------------------------------------------------ */

#define HEADS_FIRST 1024
#define HEADS_NODES 16384 /* they stay so many */

bool heads_make(struct heads *h, size_t n)
{
    h->p = base_alloc(n * sizeof *h->p);
    if (!h->p)
        return false;
    memset(h->p, 0xff, n * sizeof *h->p); /* NONE */
    h->mask = n - 1;
    return true;
}

static struct session *at(const struct sessions *t, uint32_t i)
{
    return pool_at(&t->all, i);
}

static struct binding *binding_at(const struct sessions *t, uint32_t i)
{
    return pool_at(&t->bindings, i);
}

static struct node *node_at(const struct sessions *t, uint32_t i)
{
    return pool_at(&t->nodes, i);
}

struct session *session_at(struct sessions *t, uint32_t index)
{
    return at(t, index);
}

struct users *sessions_users(struct sessions *t)
{
    return &t->users;
}

static uint64_t tunnel_hash(const struct sessions *t, uint32_t node, uint32_t teid)
{
    return mix64(t->seed, (uint64_t)node << 32 | teid);
}

static uint64_t id_hash(const struct sessions *t, uint32_t node, uint64_t id)
{
    return mix64(mix64(t->seed, node), id);
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
    uint64_t key = near_key(t, &node_at(t, x->node)->a, x->teid);
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
            struct binding *x = binding_at(t, b);
            uint32_t next = x->of_hash;
            size_t slot = tunnel_hash(t, x->node, x->teid) & t->by_tunnel.mask;
            uint32_t *tail = &last[slot > old.mask];
            if (*tail == NONE)
                t->by_tunnel.p[slot] = b;
            else
                binding_at(t, *tail)->of_hash = b;
            x->of_hash = NONE;
            *tail = b;
            b = next;
        }
    }
    base_free(old.p);
}

static void ids_rehash(struct sessions *t, unsigned which)
{
    struct heads old = t->by_id[which];
    if (old.count <= old.mask || !heads_make(&t->by_id[which], 2 * (old.mask + 1))) {
        t->by_id[which].p = old.p;
        return;
    }
    for (size_t i = 0; i <= old.mask; i++) {
        uint32_t s = old.p[i];
        while (s != NONE) {
            struct session *x = at(t, s);
            uint32_t next = x->next[which];
            size_t slot = id_hash(t, x->node[which], x->id[which]) & t->by_id[which].mask;
            x->next[which] = t->by_id[which].p[slot];
            t->by_id[which].p[slot] = s;
            s = next;
        }
    }
    base_free(old.p);
}

/* ---- the table --------------------------------------------------------------------------- */

struct sessions *sessions_new(struct packet_decoder *d, size_t most)
{
    struct sessions *t = base_alloc(sizeof *t);
    if (!t)
        return NULL;
    t->figures = &d->figures;
    t->most = most;
    t->seed = t->near_seed = t->users.seed = d->seed;
    pool_init(&t->nodes, sizeof(struct node));
    pool_init(&t->all, sizeof(struct session));
    pool_init(&t->bindings, sizeof(struct binding));
    t->living = t->ended = (struct list){NONE, NONE};
    t->near = base_pages(LIMIT_PACKET_NEAR * sizeof *t->near);
    bool ok = t->near && heads_make(&t->by_node, HEADS_NODES) &&
              heads_make(&t->by_tunnel, HEADS_FIRST) && heads_make(&t->users.heads, HEADS_FIRST);
    for (unsigned i = 0; i < SESSION_INDEXES; i++)
        ok = ok && heads_make(&t->by_id[i], HEADS_FIRST);
    if (ok)
        return t;
    sessions_free(t);
    return NULL;
}

void sessions_free(struct sessions *t)
{
    if (!t)
        return;
    base_pages_free(t->near, LIMIT_PACKET_NEAR * sizeof *t->near);
    pool_free(&t->nodes);
    pool_free(&t->all);
    pool_free(&t->bindings);
    base_free(t->by_node.p);
    base_free(t->by_tunnel.p);
    base_free(t->users.heads.p);
    for (unsigned i = 0; i < SESSION_INDEXES; i++)
        base_free(t->by_id[i].p);
    base_free(t);
}

size_t sessions_bytes(const struct sessions *t)
{
    size_t n = pool_bytes(&t->nodes) + pool_bytes(&t->all) + pool_bytes(&t->bindings);
    n += (t->by_node.mask + t->by_tunnel.mask + t->users.heads.mask + 3) * sizeof(uint32_t);
    for (unsigned i = 0; i < SESSION_INDEXES; i++)
        n += (t->by_id[i].mask + 1) * sizeof(uint32_t);
    return n;
}

/* ---- nodes ------------------------------------------------------------------------------- */

static uint32_t node_find(const struct sessions *t, const struct packet_address *a)
{
    uint32_t i = t->by_node.p[address_hash(a, t->seed) & t->by_node.mask];
    while (i != NONE && !address_eq(&node_at(t, i)->a, a))
        i = node_at(t, i)->next;
    return i;
}

/* Counted once more; NONE when there are too many. */
static uint32_t node_take(struct sessions *t, const struct packet_address *a)
{
    uint32_t i = node_find(t, a);
    if (i == NONE) {
        uint32_t *head = &t->by_node.p[address_hash(a, t->seed) & t->by_node.mask];
        if (a->n == 0 || t->nodes.used == LIMIT_PACKET_NODES || (i = pool_take(&t->nodes)) == NONE)
            return NONE;
        node_at(t, i)->a = *a;
        node_at(t, i)->next = *head;
        *head = i;
    }
    node_at(t, i)->count++;
    return i;
}

static void node_give(struct sessions *t, uint32_t i)
{
    if (i == NONE || --node_at(t, i)->count)
        return;
    uint32_t *from = &t->by_node.p[address_hash(&node_at(t, i)->a, t->seed) & t->by_node.mask];
    while (*from != i)
        from = &node_at(t, *from)->next;
    *from = node_at(t, i)->next;
    pool_give(&t->nodes, i);
}

void sessions_restarted(struct sessions *t, const struct packet_address *a, uint32_t start,
                        bool pin, int64_t now_us)
{
    uint32_t i = node_find(t, a);
    if (pin && t->pinned < LIMIT_PACKET_NODES_PINNED && (i == NONE || !node_at(t, i)->pinned)) {
        i = node_take(t, a);
        t->pinned += i != NONE;
        if (i != NONE)
            node_at(t, i)->pinned = true;
    }
    if (i == NONE)
        return;
    struct node *n = node_at(t, i);
    if (n->has_start && start > n->start) {
        n->start_us = now_us;
        sessions_forget_near(t);
    }
    if (!n->has_start || start > n->start)
        n->start = start;
    n->has_start = true;
}

bool sessions_ends_at(const struct sessions *t, const struct packet_address *a)
{
    uint32_t i = node_find(t, a);
    return i != NONE && node_at(t, i)->ends > 0;
}

/* ---- lists ------------------------------------------------------------------------------- */

static struct list *list_of(struct sessions *t, const struct session *s)
{
    return s->ended ? &t->ended : &t->living;
}

static void list_out(struct sessions *t, uint32_t i)
{
    struct session *s = at(t, i);
    struct list *l = list_of(t, s);
    if (s->older != NONE)
        at(t, s->older)->newer = s->newer;
    else
        l->oldest = s->newer;
    if (s->newer != NONE)
        at(t, s->newer)->older = s->older;
    else
        l->newest = s->older;
}

static void list_in(struct sessions *t, uint32_t i)
{
    struct session *s = at(t, i);
    struct list *l = list_of(t, s);
    s->older = l->newest;
    s->newer = NONE;
    if (l->newest != NONE)
        at(t, l->newest)->newer = i;
    else
        l->oldest = i;
    l->newest = i;
}

/* ---- indexes ----------------------------------------------------------------------------- */

static void index_out(struct sessions *t, uint32_t i, unsigned which)
{
    struct session *s = at(t, i);
    if (s->node[which] == NONE)
        return;
    struct heads *h = &t->by_id[which];
    uint32_t *from = &h->p[id_hash(t, s->node[which], s->id[which]) & h->mask];
    while (*from != i)
        from = &at(t, *from)->next[which];
    *from = s->next[which];
    h->count--;
    node_give(t, s->node[which]);
    s->node[which] = NONE;
}

bool session_index(struct sessions *t, uint32_t index, unsigned which,
                   const struct packet_address *a, uint64_t id)
{
    struct session *s = at(t, index);
    struct heads *h = &t->by_id[which];
    index_out(t, index, which);
    uint32_t node = node_take(t, a);
    if (node == NONE)
        return false;
    uint32_t *head = &h->p[id_hash(t, node, id) & h->mask];
    s->node[which] = node;
    s->id[which] = id;
    s->next[which] = *head;
    *head = index;
    h->count++;
    ids_rehash(t, which);
    return true;
}

/* Did one of its nodes start anew since? */
static bool outlived(const struct sessions *t, const struct session *s)
{
    for (unsigned i = 0; i < SESSION_INDEXES; i++)
        if (s->node[i] != NONE && node_at(t, s->node[i])->start_us > s->since_us)
            return true;
    return false;
}

uint32_t session_lookup(struct sessions *t, unsigned which, const struct packet_address *a,
                        uint64_t id, enum session_source source)
{
    uint32_t node = node_find(t, a);
    if (node == NONE)
        return NONE;
    uint32_t i = t->by_id[which].p[id_hash(t, node, id) & t->by_id[which].mask];
    for (; i != NONE; i = at(t, i)->next[which]) {
        const struct session *s = at(t, i);
        bool source_fits = which == SESSION_BY_N2 || s->source == source;
        if (s->node[which] == node && s->id[which] == id && source_fits && !outlived(t, s))
            return i;
    }
    return NONE;
}

/* ---- tunnels ----------------------------------------------------------------------------- */

static void tunnel_out(struct sessions *t, uint32_t b)
{
    struct binding *x = binding_at(t, b);
    if (!x->placed)
        return;
    near_forget(t, x);
    uint32_t *from = &t->by_tunnel.p[tunnel_hash(t, x->node, x->teid) & t->by_tunnel.mask];
    while (*from != b)
        from = &binding_at(t, *from)->of_hash;
    *from = x->of_hash;
    t->by_tunnel.count--;
    if (x->kind != BINDING_FAR)
        node_at(t, x->node)->ends--;
    node_give(t, x->node);
    x->placed = false;
}

static bool tunnel_in(struct sessions *t, uint32_t b, const struct packet_address *a, uint32_t teid)
{
    struct binding *x = binding_at(t, b);
    uint32_t node = node_take(t, a);
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
        node_at(t, node)->ends++;
    tunnels_rehash(t);
    return true;
}

static uint32_t tunnel_find(const struct sessions *t, uint32_t node, uint32_t teid)
{
    uint32_t b = t->by_tunnel.p[tunnel_hash(t, node, teid) & t->by_tunnel.mask];
    while (b != NONE && (binding_at(t, b)->node != node || binding_at(t, b)->teid != teid))
        b = binding_at(t, b)->of_hash;
    return b;
}

uint32_t session_of_tunnel(struct sessions *t, const struct packet_address *a, uint32_t teid,
                           const struct binding **out)
{
    uint32_t node = node_find(t, a);
    uint32_t b = node == NONE ? NONE : tunnel_find(t, node, teid);
    if (b == NONE || binding_at(t, b)->ended_s)
        return NONE;
    uint32_t i = binding_at(t, b)->session;
    if (at(t, i)->ended || outlived(t, at(t, i)))
        return NONE;
    *out = binding_at(t, b);
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
    const struct session *s = at(t, x->session);
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
    const struct binding *x = binding_at(t, b);
    near_forget(t, x);
    if (!x->placed || x->ended_s || tunnel_find(t, x->node, x->teid) != b ||
        outlived(t, at(t, x->session)))
        return;
    uint64_t key = near_key(t, &node_at(t, x->node)->a, x->teid);
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
    for (uint32_t b = at(t, index)->bindings; b != NONE; b = binding_at(t, b)->of_session)
        near_renew(t, b);
}

static uint32_t seconds(int64_t us)
{
    return us < 1000000 ? 1 : (uint32_t)(us / 1000000);
}

static void binding_end(struct sessions *t, uint32_t b, int64_t now_us)
{
    struct binding *x = binding_at(t, b);
    if (x->ended_s)
        return;
    x->ended_s = seconds(now_us);
    near_forget(t, x);
}

static void binding_drop(struct sessions *t, uint32_t b)
{
    struct session *s = at(t, binding_at(t, b)->session);
    uint32_t *from = &s->bindings;
    while (*from != b)
        from = &binding_at(t, *from)->of_session;
    *from = binding_at(t, b)->of_session;
    s->binding_count--;
    tunnel_out(t, b);
    pool_give(&t->bindings, b);
}

/* Room for one more: of many tunnels of one session the first that ended gives way. */
static bool bindings_room(struct sessions *t, const struct session *s)
{
    if (s->binding_count < LIMIT_PACKET_BINDINGS)
        return true;
    for (uint32_t b = s->bindings; b != NONE; b = binding_at(t, b)->of_session)
        if (binding_at(t, b)->ended_s) {
            binding_drop(t, b);
            return true;
        }
    return false;
}

void session_bind(struct sessions *t, uint32_t index, const struct end *end)
{
    struct session *s = at(t, index);
    const struct binding *had = NULL;
    uint32_t other = end->address ? session_of_tunnel(t, end->address, end->teid, &had) : NONE;
    if (had && other == index && had->kind == end->kind && had->rule == end->rule &&
        had->interface == end->interface)
        return; /* the message came twice */
    uint32_t b = bindings_room(t, s) ? pool_take(&t->bindings) : NONE;
    if (b == NONE)
        return;
    struct binding *x = binding_at(t, b);
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
    for (uint32_t b = at(t, index)->bindings; b != NONE; b = binding_at(t, b)->of_session) {
        const struct binding *x = binding_at(t, b);
        if (x->kind == kind && x->rule == rule)
            binding_end(t, b, now_us);
    }
}

void session_chosen(struct sessions *t, uint32_t index, uint32_t rule, uint32_t teid,
                    const struct packet_address *a)
{
    struct end end = {BINDING_PDR, 0xff, rule, teid, a};
    for (uint32_t b = at(t, index)->bindings; b != NONE; b = binding_at(t, b)->of_session) {
        struct binding *x = binding_at(t, b);
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
    uint32_t node = node_find(t, a);
    uint32_t b = node == NONE ? NONE : tunnel_find(t, node, teid);
    if (b == NONE || long_over(binding_at(t, b), now_us))
        return NULL;
    const struct binding *x = binding_at(t, b);
    const struct session *s = at(t, x->session);
    if (outlived(t, s))
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
    uint32_t node = node_find(t, a);
    uint32_t b = node == NONE ? NONE : tunnel_find(t, node, teid);
    if (b == NONE)
        return;
    /* TS 23.501 §5.8.2.9: it ends what led towards a gNB. Whoever sends one to the core's end of a
     * tunnel ends nothing. */
    const struct binding *x = binding_at(t, b);
    if (x->kind != BINDING_PDR && !(x->kind == BINDING_N2 && x->interface == 0))
        binding_end(t, b, now_us);
}

/* ---- sessions ---------------------------------------------------------------------------- */

void session_drop(struct sessions *t, uint32_t index)
{
    struct session *s = at(t, index);
    while (s->bindings != NONE)
        binding_drop(t, s->bindings);
    for (unsigned i = 0; i < SESSION_INDEXES; i++)
        index_out(t, index, i);
    session_user_forget(t, index);
    node_give(t, s->owner);
    list_out(t, index);
    pool_give(&t->all, index);
    t->figures->sessions_now = --t->count;
}

/* What has ended or shown no sign of life for too long. A few at a time, so that no packet pays for
 * many. */
static void expire(struct sessions *t, int64_t now_us)
{
    for (unsigned i = 0; i < 4 && t->ended.oldest != NONE; i++) {
        if (now_us - at(t, t->ended.oldest)->seen_us <=
            (int64_t)(LIMIT_PACKET_SESSION_ENDS_S + 1) * 1000000)
            break;
        session_drop(t, t->ended.oldest);
    }
    for (unsigned i = 0; i < 2 && t->living.oldest != NONE; i++) {
        if (now_us - at(t, t->living.oldest)->seen_us <= (int64_t)LIMIT_PACKET_SESSION_S * 1000000)
            break;
        session_drop(t, t->living.oldest);
    }
}

uint32_t session_make(struct walk *w, enum session_source source)
{
    struct sessions *t = w->d->sessions;
    expire(t, w->frame->time_us);
    if (t->count >= t->most) {
        if (t->ended.oldest == NONE)
            walk_anomaly(w, PACKET_SESSIONS_FULL);
        session_drop(t, t->ended.oldest != NONE ? t->ended.oldest : t->living.oldest);
    }
    uint32_t i = pool_take(&t->all);
    if (i == NONE)
        return NONE;
    struct session *s = at(t, i);
    for (unsigned k = 0; k < SESSION_INDEXES; k++)
        s->node[k] = s->next[k] = NONE;
    s->owner = s->bindings = NONE;
    s->used = true;
    s->source = (uint8_t)source;
    s->sst = -1;
    s->sd = -1;
    s->since_us = s->seen_us = w->frame->time_us;
    list_in(t, i);
    t->figures->sessions_made++;
    t->figures->sessions_now = ++t->count;
    return i;
}

void session_alive(struct sessions *t, uint32_t index, int64_t now_us)
{
    list_out(t, index);
    at(t, index)->seen_us = now_us;
    list_in(t, index);
}

void session_end(struct sessions *t, uint32_t index, int64_t now_us)
{
    struct session *s = at(t, index);
    for (uint32_t b = s->bindings; b != NONE; b = binding_at(t, b)->of_session)
        binding_end(t, b, now_us);
    for (unsigned i = 0; i < SESSION_INDEXES; i++)
        index_out(t, index, i);
    list_out(t, index);
    s->ended = true;
    s->seen_us = now_us;
    list_in(t, index);
}

void session_owned_by(struct sessions *t, uint32_t index, const struct packet_address *a)
{
    struct session *s = at(t, index);
    if (!a || s->owner != NONE)
        return;
    s->owner = node_take(t, a);
}

void session_handle(struct walk *w, struct session *s, struct str user)
{
    unsigned char mac[CRYPT_SHA256_BYTES], text[LIMIT_NAME_BYTES + 16];
    /* Of a subscriber one handle a day, so that the operator can put sessions together and nobody
     * can count them over months. */
    uint64_t salt[2] = {(uint64_t)(w->frame->time_us / 86400000000), 0};
    if (user.n == 0 || user.n > LIMIT_NAME_BYTES) {
        unsigned by = s->node[SESSION_BY_CP] != NONE ? SESSION_BY_CP : SESSION_BY_N2;
        salt[0] = (uint64_t)s->since_us;
        salt[1] = s->id[by];
        user = STR_NONE;
        if (s->node[by] != NONE) /* others give the same numbers */
            user = (struct str){(const char *)node_at(w->d->sessions, s->node[by])->a.b, 16};
    }
    memcpy(text, salt, sizeof salt);
    if (user.n)
        memcpy(text + sizeof salt, user.p, user.n);
    crypt_hmac_sha256(w->d->options.key, (struct str){(const char *)text, sizeof salt + user.n},
                      mac);
    memcpy(s->handle, mac, sizeof s->handle);
}

void session_join_n2(struct sessions *t, uint32_t from, uint32_t to, int64_t now_us)
{
    struct session *a = at(t, from), *b = at(t, to);
    if (a->node[SESSION_BY_N2] != NONE) {
        struct packet_address amf = node_at(t, a->node[SESSION_BY_N2])->a;
        uint64_t id = a->id[SESSION_BY_N2];
        index_out(t, from, SESSION_BY_N2);
        (void)session_index(t, to, SESSION_BY_N2, &amf, id);
    }
    if (b->sst < 0) {
        b->sst = a->sst;
        b->sd = a->sd;
    }
    b->five_g = true;
    b->ethernet = b->ethernet || a->ethernet;
    b->unstructured = b->unstructured || a->unstructured;
    session_learned(t, to);
    session_end(t, from, now_us);
}

enum session_owner sessions_owner(struct sessions *t, const struct packet_address *up,
                                  uint64_t seid, const struct packet_address *who,
                                  unsigned char handle[16])
{
    uint32_t i = session_lookup(t, SESSION_BY_UP, up, seid, SESSION_PFCP);
    if (i == NONE)
        return SESSION_UNKNOWN;
    const struct session *s = at(t, i);
    memcpy(handle, s->handle, sizeof s->handle);
    uint32_t node = node_find(t, who);
    bool own = node != NONE && (node == s->node[SESSION_BY_CP] || node == s->owner);
    return own ? SESSION_OWN : SESSION_OTHER;
}
