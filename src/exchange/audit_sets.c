/* What verifying a ledger keeps in memory: sets of fingerprints, and audiences by number. */
#include <string.h>

#include "exchange/audit_priv.h"
#include "exchange/gate_priv.h"

/* ---- sets ---- */

static size_t slot_of(const struct audit_set *s, uint64_t key)
{
    size_t i = (size_t)(key & (s->room - 1));
    while (s->keys[i] && s->keys[i] != key)
        i = (i + 1) & (s->room - 1);
    return i;
}

static bool grow(struct audit_set *s, struct err *e)
{
    struct audit_set more = {.room = s->room ? 2 * s->room : 1024, .count = s->count};
    size_t bytes;
    if (!size_mul(more.room, sizeof *more.keys, &bytes) || !(more.keys = base_alloc(bytes)) ||
        !(more.marked = base_alloc(more.room))) {
        audit_set_done(&more);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < s->room; i++) {
        if (!s->keys[i])
            continue;
        size_t to = slot_of(&more, s->keys[i]);
        more.keys[to] = s->keys[i];
        more.marked[to] = s->marked[i];
    }
    audit_set_done(s);
    *s = more;
    return true;
}

bool audit_set_add(struct audit_set *s, uint64_t key, struct err *e)
{
    key += key == 0;
    if (4 * (s->count + 1) > 3 * s->room && !grow(s, e))
        return false;
    size_t i = slot_of(s, key);
    s->count += s->keys[i] == 0;
    s->keys[i] = key;
    return true;
}

bool *audit_set_mark(const struct audit_set *s, uint64_t key)
{
    key += key == 0;
    size_t i = s->room ? slot_of(s, key) : 0;
    return s->room && s->keys[i] ? &s->marked[i] : NULL;
}

bool audit_set_all(const struct audit_set *s)
{
    size_t left = s->count;
    for (size_t i = 0; i < s->room; i++)
        left -= s->marked[i];
    return left == 0;
}

void audit_set_done(struct audit_set *s)
{
    base_free(s->keys);
    base_free(s->marked);
    *s = (struct audit_set){0};
}

/* ---- audiences ---- */

static bool put_audience(struct audit_audiences *t, size_t number, struct str text)
{
    void *items = t->list;
    if (!base_grow(&items, &t->room, number + 1, sizeof *t->list))
        return false;
    t->list = items;
    while (t->count <= number)
        t->list[t->count++] = (struct audit_audience){.text = STR_NONE};
    t->list[number].text = arena_str(t->arena, text);
    ledger_audience_digest(t->x, text, t->list[number].digest);
    return true;
}

/* Numbers of the store are given one after the other; one far beyond is not followed. */
static bool note_audience(void *ctx, int64_t id, struct str text)
{
    struct audit_audiences *t = ctx;
    if (id > 0 && (uint64_t)id <= t->count + (1u << 20))
        t->failed = !put_audience(t, (size_t)id, text);
    return !t->failed;
}

bool audit_audiences_open(struct audit_audiences *t, const struct exchange_session *s,
                          struct err *e)
{
    t->x = s->x;
    if (!(t->arena = arena_new(LIMIT_ARENA_REQUEST_BYTES)))
        return err_set(e, ERR_MEMORY, "out of memory");
    t->failed = !put_audience(t, 0, STR(""));
    bool ok = store_audience_each(s->store, 0, note_audience, t, e);
    t->stored = t->count;
    if (ok && t->failed)
        return err_set(e, ERR_MEMORY, "out of memory");
    return ok && arena_ok(t->arena, e);
}

void audit_audiences_done(struct audit_audiences *t)
{
    base_free(t->list);
    arena_free(t->arena);
}

static bool number_of(struct audit_audiences *t, struct str text, uint32_t *out, struct err *e)
{
    for (size_t i = 0; i < t->count; i++)
        if (str_eq(t->list[i].text, text)) {
            *out = (uint32_t)i;
            return true;
        }
    *out = (uint32_t)t->count;
    if (!put_audience(t, t->count, text))
        return err_set(e, ERR_MEMORY, "out of memory");
    return arena_ok(t->arena, e);
}

bool audit_combine(struct audit_audiences *t, uint32_t a, uint32_t b, enum policy_set how,
                   uint32_t *out, struct err *e)
{
    size_t slot = (a * 31 + b * 7 + (uint32_t)how) % (sizeof t->memo / sizeof *t->memo);
    struct buf text;
    if (t->memo[slot].a == a && t->memo[slot].b == b && t->memo[slot].how == (uint32_t)how + 1) {
        *out = t->memo[slot].out;
        return true;
    }
    buf_init(&text, 0);
    bool ok = policy_audience_combine(a < t->count ? t->list[a].text : STR(""),
                                      b < t->count ? t->list[b].text : STR(""), how, &text, e) &&
              buf_ok(&text, e) && number_of(t, buf_view(&text), out, e);
    buf_done(&text);
    if (ok) {
        t->memo[slot].a = a;
        t->memo[slot].b = b;
        t->memo[slot].how = (uint32_t)how + 1;
        t->memo[slot].out = *out;
    }
    return ok;
}
