/* What a session keeps of the small tables that every request asks: users by their tokens, and the
 * collections. It is right as long as nothing in the database has changed, which is looked up in
 * the transaction in which it is used; so a token that was revoked is not known a moment longer. */
#include <string.h>

#include "exchange/exchange_priv.h"

#define ARENA_BYTES (1u << 20)

void exchange_known_done(struct exchange_known *k)
{
    arena_free(k->arena);
}

static void forget(struct exchange_known *k)
{
    memset(k->tokens, 0, sizeof k->tokens);
    k->collections = NULL;
    if (k->arena)
        arena_reset(k->arena);
}

/* In a transaction. False only where the state cannot be read. */
static bool follow(struct exchange_session *s, struct err *e)
{
    struct exchange_known *k = &s->known;
    struct err ignored;
    int64_t state;
    if (!store_state(s->store, &state, e))
        return false;
    if (!k->arena)
        k->arena = arena_new(ARENA_BYTES);
    if (k->state != state || (k->arena && !arena_ok(k->arena, &ignored)))
        forget(k);
    k->state = state;
    return true;
}

static void keep_user(struct exchange_known *k, size_t slot,
                      const unsigned char hash[CRYPT_SHA256_BYTES], const struct store_user *u)
{
    struct err ignored;
    struct store_user *kept = &k->tokens[slot].user;
    kept->id = 0;
    if (!k->arena)
        return;
    struct store_user copy = {
        .nation = arena_str(k->arena, u->nation),
        .org_name = arena_str(k->arena, u->org_name),
        .identity = arena_str(k->arena, u->identity),
        .name = arena_str(k->arena, u->name),
        .role = arena_str(k->arena, u->role),
        .org = u->org,
        .created_us = u->created_us,
        .expires_us = u->expires_us,
        .revoked_us = u->revoked_us,
    };
    if (!arena_ok(k->arena, &ignored))
        return;
    *kept = copy;
    kept->id = u->id;
    memcpy(k->tokens[slot].hash, hash, CRYPT_SHA256_BYTES);
}

static bool find_user(struct exchange_session *s, struct arena *a,
                      const unsigned char hash[CRYPT_SHA256_BYTES], struct store_user *out,
                      struct err *e)
{
    struct exchange_known *k = &s->known;
    size_t slot = hash[0] % EXCHANGE_TOKENS;
    if (!follow(s, e))
        return false;
    if (k->tokens[slot].user.id && crypt_equal(k->tokens[slot].hash, hash, CRYPT_SHA256_BYTES)) {
        *out = k->tokens[slot].user;
        return true;
    }
    if (!store_user_by_token(s->store, a, hash, out, e))
        return false;
    keep_user(k, slot, hash, out);
    return true;
}

bool exchange_known_user(struct exchange_session *s, struct arena *a,
                         const unsigned char hash[CRYPT_SHA256_BYTES], struct store_user *out,
                         struct err *e)
{
    if (!store_begin(s->store, e))
        return false;
    bool ok = find_user(s, a, hash, out, e);
    store_rollback(s->store);
    return ok;
}

static bool find_collections(struct exchange_session *s, struct arena *a,
                             struct exchange_collection **out, size_t *count, struct err *e)
{
    struct exchange_known *k = &s->known;
    struct err ignored;
    if (!follow(s, e))
        return false;
    if (!k->collections && k->arena &&
        !exchange_collections(s, k->arena, &k->collections, &k->collection_count, &ignored))
        k->collections = NULL;
    if (!k->collections)
        return exchange_collections(s, a, out, count, e);
    *out = k->collections;
    *count = k->collection_count;
    return true;
}

bool exchange_known_collections(struct exchange_session *s, struct arena *a,
                                struct exchange_collection **out, size_t *count, struct err *e)
{
    if (!store_begin(s->store, e))
        return false;
    bool ok = find_collections(s, a, out, count, e);
    store_rollback(s->store);
    return ok;
}
