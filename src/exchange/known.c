/*
 * What a session has read of users and collections, for as long as no commit has changed the
 * database: a request then costs the question whether one has, and no look-up. Who was revoked is
 * refused with the next request, whichever process revoked.
 */
#include <string.h>

#include "exchange/exchange_priv.h"

#define MOST_BYTES (16u << 20)
#define TIDY_BYTES (1u << 20) /* more than this is read anew with the next request */
#define USERS      64u

struct exchange_known {
    bool any;
    bool held, asked; /* in one moment, and whether it has begun */
    int64_t state;    /* of the database that all below was read from, or from a later one */
    struct arena *arena;
    struct store_user users[USERS]; /* by the token's hash; id 0: free */
    struct exchange_collection *collections;
    size_t collection_count;
    bool has_collections;
};

void exchange_known_free(struct exchange_known *k)
{
    if (!k)
        return;
    arena_free(k->arena);
    base_free(k);
}

static void forget(struct exchange_known *k)
{
    arena_reset(k->arena);
    memset(k->users, 0, sizeof k->users);
    k->has_collections = false;
}

bool exchange_known_new(struct exchange_session *s)
{
    struct exchange_known *k = base_alloc(sizeof *k);
    if (k)
        k->arena = arena_new(MOST_BYTES);
    s->known = k;
    return k && k->arena;
}

void exchange_session_hold(struct exchange_session *s, bool hold)
{
    s->known->held = hold;
    s->known->asked = false;
}

/* The session's, as the database is now; NULL and an error where it cannot be told. */
static struct exchange_known *current(struct exchange_session *s, struct err *e)
{
    struct exchange_known *k = s->known;
    int64_t state;
    if (k->held && k->asked)
        return k;
    if (!store_state(s->store, &state, e))
        return NULL;
    k->asked = true;
    if (!k->any || k->state != state || arena_used(k->arena) > TIDY_BYTES)
        forget(k);
    k->any = true;
    k->state = state;
    return k;
}

/* ---- users ---- */

static bool copy_user(struct arena *a, const struct store_user *u, struct store_user *out,
                      struct err *e)
{
    *out = *u;
    out->name = arena_str(a, u->name);
    out->role = arena_str(a, u->role);
    out->nation = arena_str(a, u->nation);
    out->org_name = arena_str(a, u->org_name);
    out->identity = arena_str(a, u->identity);
    out->password = out->token_hash = out->cert_hash = STR_NONE; /* nobody asks for them */
    return arena_ok(a, e);
}

bool exchange_known_user(struct exchange_session *s, struct arena *a,
                         const unsigned char hash[CRYPT_SHA256_BYTES], struct store_user *out,
                         struct err *e)
{
    const struct str token = {(const char *)hash, CRYPT_SHA256_BYTES};
    struct exchange_known *k = current(s, e);
    struct store_user *u = k ? &k->users[hash[0] % USERS] : NULL;
    if (!k)
        return false;
    if (u->id == 0 || !str_eq(u->token_hash, token)) {
        struct store_user read;
        u->id = 0;
        if (!store_user_by_token(s->store, k->arena, hash, &read, e)) {
            if (e->code != ERR_NOT_FOUND)
                forget(k);
            return false;
        }
        *u = read;
    }
    return copy_user(a, u, out, e);
}

/* ---- collections ---- */

struct gather {
    struct exchange_known *k;
    size_t room;
};

static bool gather_collection(void *ctx, const struct store_collection *c)
{
    struct gather *g = ctx;
    struct arena *a = g->k->arena;
    struct exchange_collection *list = g->k->collections;
    if (g->k->collection_count == g->room) {
        g->room = g->room ? g->room * 2 : 8;
        list = arena_calloc(a, g->room, sizeof *list);
        if (!list)
            return false;
        if (g->k->collection_count)
            memcpy(list, g->k->collections, g->k->collection_count * sizeof *list);
        g->k->collections = list;
    }
    list[g->k->collection_count++] = (struct exchange_collection){
        c->id,
        arena_str(a, c->uuid),
        arena_str(a, c->root),
        arena_str(a, c->title),
        arena_str(a, c->alias),
        arena_str(a, c->description),
        (enum stix_tlp)c->marking,
    };
    return true;
}

/* Those of the session, valid until it is asked for something else. */
static struct exchange_known *collections_of(struct exchange_session *s, struct err *e)
{
    struct exchange_known *k = current(s, e);
    struct gather g = {.k = k};
    if (!k || k->has_collections)
        return k;
    k->collections = NULL;
    k->collection_count = 0;
    if (!store_collection_each(s->store, gather_collection, &g, e) || !arena_ok(k->arena, e)) {
        forget(k);
        return NULL;
    }
    k->has_collections = true;
    return k;
}

static struct exchange_collection copy_collection(struct arena *a,
                                                  const struct exchange_collection *c)
{
    return (struct exchange_collection){c->id,
                                        arena_str(a, c->uuid),
                                        arena_str(a, c->root),
                                        arena_str(a, c->title),
                                        arena_str(a, c->alias),
                                        arena_str(a, c->description),
                                        c->marking};
}

bool exchange_collections(struct exchange_session *s, struct arena *a,
                          struct exchange_collection **out, size_t *count, struct err *e)
{
    const struct exchange_known *k = collections_of(s, e);
    if (!k)
        return false;
    *count = k->collection_count;
    *out = arena_calloc(a, *count ? *count : 1, sizeof **out);
    for (size_t i = 0; *out && i < *count; i++)
        (*out)[i] = copy_collection(a, &k->collections[i]);
    return arena_ok(a, e);
}

bool exchange_collection_find(struct exchange_session *s, struct arena *a, struct str key,
                              bool by_title, struct exchange_collection *out, struct err *e)
{
    const struct exchange_known *k = collections_of(s, e);
    const struct exchange_collection *list, *hit = NULL;
    size_t n, titles = 0;
    if (!k)
        return false;
    list = k->collections;
    n = k->collection_count;
    for (size_t i = 0; i < n && !hit; i++)
        if (str_eq(list[i].uuid, key) || (key.n && str_eq(list[i].alias, key)))
            hit = &list[i];
    for (size_t i = 0; i < n && !hit && by_title; i++)
        titles += str_eq(list[i].title, key);
    if (titles > 1)
        return err_set(e, ERR_CONFLICT, "%zu collections are titled \"%.*s\"; use an id or alias",
                       titles, STR_FMT(key));
    for (size_t i = 0; i < n && titles == 1 && !hit; i++)
        if (str_eq(list[i].title, key))
            hit = &list[i];
    if (!hit)
        return err_set(e, ERR_NOT_FOUND,
                       "no collection \"%.*s\": `setu collection list` tells which there are",
                       STR_FMT(key));
    *out = copy_collection(a, hit);
    return arena_ok(a, e);
}
