/*
 * Between session.c (sessions, their nodes and indexes) and session_tunnel.c (their tunnels): the
 * table itself. The files that read signalling need session_priv.h alone.
 */
#ifndef PACKET_SESSION_TABLE_PRIV_H
#define PACKET_SESSION_TABLE_PRIV_H

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

static inline struct session *table_session(const struct sessions *t, uint32_t i)
{
    return pool_at(&t->all, i);
}

static inline struct binding *table_binding(const struct sessions *t, uint32_t i)
{
    return pool_at(&t->bindings, i);
}

static inline struct node *table_node(const struct sessions *t, uint32_t i)
{
    return pool_at(&t->nodes, i);
}

/* The node of an address, or NONE. */
uint32_t table_node_find(const struct sessions *t, const struct packet_address *a);
/* The same, made if there is none, and counted once more; NONE when there are too many. */
uint32_t table_node_take(struct sessions *t, const struct packet_address *a);
void table_node_give(struct sessions *t, uint32_t i);
/* Did one of its nodes start anew since? */
bool table_outlived(const struct sessions *t, const struct session *s);
/* The tunnel is known for a little longer; it goes. */
void table_binding_end(struct sessions *t, uint32_t b, int64_t now_us);
void table_binding_drop(struct sessions *t, uint32_t b);

#endif
