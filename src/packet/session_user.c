/*
 * Whose addresses are users': from an IPv4 address or IPv6 prefix to the sessions that have it, so
 * that messages of rules name none.
 */
#include "packet/session_priv.h"

enum { USER_V4, USER_V6 };

/* The first bits of an IPv6 address, as a number; all of an IPv4 address. */
static uint64_t user_number(unsigned kind, const unsigned char *p, unsigned bits)
{
    unsigned char first[8] = {0};
    if (kind == USER_V4)
        memcpy(first, p, 4);
    else
        for (unsigned i = 0; i < 8; i++)
            if (bits > 8 * i)
                first[i] = (unsigned char)(bits >= 8 * (i + 1) ? p[i] : p[i] & 0xff00u >> bits % 8);
    uint64_t n;
    memcpy(&n, first, sizeof n);
    return n;
}

static uint32_t *user_head(struct sessions *t, unsigned kind, uint64_t number, unsigned bits)
{
    const struct users *u = sessions_users(t);
    return &u->heads.p[mix64(u->seed ^ (kind << 8 | bits), number) & u->heads.mask];
}

static bool user_has(const struct session *s, unsigned kind)
{
    return kind == USER_V4 ? s->has_v4 : s->has_v6;
}

static unsigned user_bits(const struct session *s, unsigned kind)
{
    return kind == USER_V4 ? 32 : s->v6_bits;
}

static uint64_t user_of(const struct session *s, unsigned kind)
{
    return user_number(kind, kind == USER_V4 ? s->v4 : s->v6, user_bits(s, kind));
}

/* An address that is still to be given. */
static bool user_is_none(const struct session *s, unsigned kind)
{
    return user_of(s, kind) == 0;
}

/* A link names a session and the kind of its address; chains lead both ways, because many may have
 * the same address. */
static uint32_t *user_after(struct sessions *t, uint32_t link)
{
    return &session_at(t, link / 2)->of_user[link % 2];
}

static uint32_t *user_before(struct sessions *t, uint32_t link)
{
    return &session_at(t, link / 2)->of_user_back[link % 2];
}

static void user_place(struct sessions *t, uint32_t link)
{
    const struct session *s = session_at(t, link / 2);
    unsigned kind = link % 2;
    uint32_t *head = user_head(t, kind, user_of(s, kind), user_bits(s, kind));
    *user_after(t, link) = *head;
    *user_before(t, link) = NONE;
    if (*head != NONE)
        *user_before(t, *head) = link;
    *head = link;
}

static void user_out(struct sessions *t, uint32_t index, unsigned kind)
{
    const struct session *s = session_at(t, index);
    if (!user_has(s, kind) || user_is_none(s, kind))
        return;
    uint32_t link = 2 * index + kind, after = *user_after(t, link), before = *user_before(t, link);
    if (before == NONE)
        *user_head(t, kind, user_of(s, kind), user_bits(s, kind)) = after;
    else
        *user_after(t, before) = after;
    if (after != NONE)
        *user_before(t, after) = before;
    sessions_users(t)->heads.count--;
}

static void users_rehash(struct sessions *t)
{
    struct heads *h = &sessions_users(t)->heads, old = *h;
    if (old.count <= old.mask || !heads_make(h, 2 * (old.mask + 1))) {
        h->p = old.p;
        return;
    }
    for (size_t i = 0; i <= old.mask; i++)
        for (uint32_t link = old.p[i], next; link != NONE; link = next) {
            next = *user_after(t, link);
            user_place(t, link);
        }
    base_free(old.p);
}

static void user_in(struct sessions *t, uint32_t index, unsigned kind)
{
    if (user_is_none(session_at(t, index), kind))
        return;
    user_place(t, 2 * index + kind);
    sessions_users(t)->heads.count++;
    users_rehash(t);
}

void session_user(struct sessions *t, uint32_t index, const struct packet_address *v4,
                  const struct packet_address *v6, unsigned prefix)
{
    struct session *s = session_at(t, index);
    if (v4->n) {
        user_out(t, index, USER_V4);
        s->has_v4 = true;
        memcpy(s->v4, v4->b, 4);
        user_in(t, index, USER_V4);
    }
    if (v6->n) {
        user_out(t, index, USER_V6);
        s->has_v6 = true;
        s->v6_bits = (uint8_t)(prefix < 64 ? prefix : 64);
        memcpy(s->v6, v6->b, 8);
        user_in(t, index, USER_V6);
    }
}

static bool user_find(struct sessions *t, unsigned kind, const unsigned char *p, unsigned bits)
{
    uint64_t number = user_number(kind, p, bits);
    uint32_t link = *user_head(t, kind, number, bits);
    while (link != NONE) {
        const struct session *s = session_at(t, link / 2);
        if (link % 2 == kind && user_bits(s, kind) == bits && user_of(s, kind) == number)
            return true;
        link = s->of_user[link % 2];
    }
    return false;
}

bool sessions_is_user(struct sessions *t, const struct packet_address *a)
{
    bool found = a->n == 4 && user_find(t, USER_V4, a->b, 32);
    for (unsigned bits = 1; a->n == 16 && bits <= 64 && !found; bits++)
        found = user_find(t, USER_V6, a->b, bits);
    return found;
}

void session_user_forget(struct sessions *t, uint32_t index)
{
    user_out(t, index, USER_V4);
    user_out(t, index, USER_V6);
}
