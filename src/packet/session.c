/*
 * The table of sessions. Sessions and tunnel ends live in pools that grow by chunks and never move;
 * numbers stand for pointers, which halves them. Addresses of nodes are kept once and counted.
 *
 *     address, TEID -> binding -> session <- (CP node, F-SEID), (UP node, F-SEID), (AMF, UE, PDU)
 *
 * All living sessions are in one list by when they were last seen, all ended ones in another by
 * when they ended: whichever is at its head goes first. Tunnels are in session_tunnel.c.
 */
#include "packet/session_table_priv.h"

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

struct session *session_at(struct sessions *t, uint32_t index)
{
    return table_session(t, index);
}

struct users *sessions_users(struct sessions *t)
{
    return &t->users;
}

static uint64_t id_hash(const struct sessions *t, uint32_t node, uint64_t id)
{
    return mix64(mix64(t->seed, node), id);
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
            struct session *x = table_session(t, s);
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

uint32_t table_node_find(const struct sessions *t, const struct packet_address *a)
{
    uint32_t i = t->by_node.p[address_hash(a, t->seed) & t->by_node.mask];
    while (i != NONE && !address_eq(&table_node(t, i)->a, a))
        i = table_node(t, i)->next;
    return i;
}

uint32_t table_node_take(struct sessions *t, const struct packet_address *a)
{
    uint32_t i = table_node_find(t, a);
    if (i == NONE) {
        uint32_t *head = &t->by_node.p[address_hash(a, t->seed) & t->by_node.mask];
        if (a->n == 0 || t->nodes.used == LIMIT_PACKET_NODES || (i = pool_take(&t->nodes)) == NONE)
            return NONE;
        table_node(t, i)->a = *a;
        table_node(t, i)->next = *head;
        *head = i;
    }
    table_node(t, i)->count++;
    return i;
}

void table_node_give(struct sessions *t, uint32_t i)
{
    if (i == NONE || --table_node(t, i)->count)
        return;
    uint32_t *from = &t->by_node.p[address_hash(&table_node(t, i)->a, t->seed) & t->by_node.mask];
    while (*from != i)
        from = &table_node(t, *from)->next;
    *from = table_node(t, i)->next;
    pool_give(&t->nodes, i);
}

void sessions_restarted(struct sessions *t, const struct packet_address *a, uint32_t start,
                        bool pin, int64_t now_us)
{
    uint32_t i = table_node_find(t, a);
    if (pin && t->pinned < LIMIT_PACKET_NODES_PINNED && (i == NONE || !table_node(t, i)->pinned)) {
        i = table_node_take(t, a);
        t->pinned += i != NONE;
        if (i != NONE)
            table_node(t, i)->pinned = true;
    }
    if (i == NONE)
        return;
    struct node *n = table_node(t, i);
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
    uint32_t i = table_node_find(t, a);
    return i != NONE && table_node(t, i)->ends > 0;
}

/* ---- lists ------------------------------------------------------------------------------- */

static struct list *list_of(struct sessions *t, const struct session *s)
{
    return s->ended ? &t->ended : &t->living;
}

static void list_out(struct sessions *t, uint32_t i)
{
    struct session *s = table_session(t, i);
    struct list *l = list_of(t, s);
    if (s->older != NONE)
        table_session(t, s->older)->newer = s->newer;
    else
        l->oldest = s->newer;
    if (s->newer != NONE)
        table_session(t, s->newer)->older = s->older;
    else
        l->newest = s->older;
}

static void list_in(struct sessions *t, uint32_t i)
{
    struct session *s = table_session(t, i);
    struct list *l = list_of(t, s);
    s->older = l->newest;
    s->newer = NONE;
    if (l->newest != NONE)
        table_session(t, l->newest)->newer = i;
    else
        l->oldest = i;
    l->newest = i;
}

/* ---- indexes ----------------------------------------------------------------------------- */

static void index_out(struct sessions *t, uint32_t i, unsigned which)
{
    struct session *s = table_session(t, i);
    if (s->node[which] == NONE)
        return;
    struct heads *h = &t->by_id[which];
    uint32_t *from = &h->p[id_hash(t, s->node[which], s->id[which]) & h->mask];
    while (*from != i)
        from = &table_session(t, *from)->next[which];
    *from = s->next[which];
    h->count--;
    table_node_give(t, s->node[which]);
    s->node[which] = NONE;
}

bool session_index(struct sessions *t, uint32_t index, unsigned which,
                   const struct packet_address *a, uint64_t id)
{
    struct session *s = table_session(t, index);
    struct heads *h = &t->by_id[which];
    index_out(t, index, which);
    uint32_t node = table_node_take(t, a);
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

bool table_outlived(const struct sessions *t, const struct session *s)
{
    for (unsigned i = 0; i < SESSION_INDEXES; i++)
        if (s->node[i] != NONE && table_node(t, s->node[i])->start_us > s->since_us)
            return true;
    return false;
}

uint32_t session_lookup(struct sessions *t, unsigned which, const struct packet_address *a,
                        uint64_t id, enum session_source source)
{
    uint32_t node = table_node_find(t, a);
    if (node == NONE)
        return NONE;
    uint32_t i = t->by_id[which].p[id_hash(t, node, id) & t->by_id[which].mask];
    for (; i != NONE; i = table_session(t, i)->next[which]) {
        const struct session *s = table_session(t, i);
        bool source_fits = which == SESSION_BY_N2 || s->source == source;
        if (s->node[which] == node && s->id[which] == id && source_fits && !table_outlived(t, s))
            return i;
    }
    return NONE;
}

/* ---- sessions ---------------------------------------------------------------------------- */

void session_drop(struct sessions *t, uint32_t index)
{
    struct session *s = table_session(t, index);
    while (s->bindings != NONE)
        table_binding_drop(t, s->bindings);
    for (unsigned i = 0; i < SESSION_INDEXES; i++)
        index_out(t, index, i);
    session_user_forget(t, index);
    table_node_give(t, s->owner);
    list_out(t, index);
    pool_give(&t->all, index);
    t->figures->sessions_now = --t->count;
}

/* What has ended or shown no sign of life for too long. A few at a time, so that no packet pays for
 * many. */
static void expire(struct sessions *t, int64_t now_us)
{
    for (unsigned i = 0; i < 4 && t->ended.oldest != NONE; i++) {
        if (now_us - table_session(t, t->ended.oldest)->seen_us <=
            (int64_t)(LIMIT_PACKET_SESSION_ENDS_S + 1) * 1000000)
            break;
        session_drop(t, t->ended.oldest);
    }
    for (unsigned i = 0; i < 2 && t->living.oldest != NONE; i++) {
        if (now_us - table_session(t, t->living.oldest)->seen_us <=
            (int64_t)LIMIT_PACKET_SESSION_S * 1000000)
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
    struct session *s = table_session(t, i);
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
    table_session(t, index)->seen_us = now_us;
    list_in(t, index);
}

void session_end(struct sessions *t, uint32_t index, int64_t now_us)
{
    struct session *s = table_session(t, index);
    for (uint32_t b = s->bindings; b != NONE; b = table_binding(t, b)->of_session)
        table_binding_end(t, b, now_us);
    for (unsigned i = 0; i < SESSION_INDEXES; i++)
        index_out(t, index, i);
    list_out(t, index);
    s->ended = true;
    s->seen_us = now_us;
    list_in(t, index);
}

void session_owned_by(struct sessions *t, uint32_t index, const struct packet_address *a)
{
    struct session *s = table_session(t, index);
    if (!a || s->owner != NONE)
        return;
    s->owner = table_node_take(t, a);
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
            user = (struct str){(const char *)table_node(w->d->sessions, s->node[by])->a.b, 16};
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
    struct session *a = table_session(t, from), *b = table_session(t, to);
    if (a->node[SESSION_BY_N2] != NONE) {
        struct packet_address amf = table_node(t, a->node[SESSION_BY_N2])->a;
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
    const struct session *s = table_session(t, i);
    memcpy(handle, s->handle, sizeof s->handle);
    uint32_t node = table_node_find(t, who);
    bool own = node != NONE && (node == s->node[SESSION_BY_CP] || node == s->owner);
    return own ? SESSION_OWN : SESSION_OTHER;
}
