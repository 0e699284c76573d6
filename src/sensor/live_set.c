/* A set that changes while it is looked at: versions of it, and how one follows on the other. */
#include <sched.h>
#include <stdlib.h>

#include "sensor/live_priv.h"

#define SEED 0x5e70

/* ---- looking ----------------------------------------------------------------------------- */

struct sensor_hold sensor_hold_set(const struct sensor_scan *s)
{
    struct live_set *l = s->live ? &s->live->set : NULL;
    if (!l)
        return (struct sensor_hold){.set = s->set};
    for (size_t i = 0;; i = (i + 1) % LIVE_READERS) {
        struct live_version *v = atomic_load(&l->now), *none = NULL;
        if (!atomic_compare_exchange_strong(&l->slots[i], &none, v)) {
            if (i + 1 == LIVE_READERS)
                sched_yield();
            continue;
        }
        if (atomic_load(&l->now) == v)
            return (struct sensor_hold){v->set, v->number, i};
        atomic_store(&l->slots[i], NULL);
    }
}

void sensor_let_go(const struct sensor_scan *s, const struct sensor_hold *h)
{
    if (s->live)
        atomic_store(&s->live->set.slots[h->slot], NULL);
}

/* ---- bases ------------------------------------------------------------------------------- */

int live_by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t key_of(struct str id)
{
    return str_hash(id, SEED) >> 32 << 32;
}

static void base_drop(struct live_base *b)
{
    if (!b || --b->users)
        return;
    match_set_free(b->owned);
    base_free(b->index);
    base_free(b);
}

/* Takes `owned` over, whatever happens. */
static struct live_base *base_of(const struct match_set *set, struct match_set *owned,
                                 struct err *e)
{
    size_t n = match_set_indicators(set), bytes;
    struct live_base *b = base_alloc(sizeof *b);
    if (b && size_mul(n + 1, sizeof *b->index, &bytes))
        b->index = base_alloc(bytes);
    if (!b || !b->index) {
        match_set_free(owned);
        base_free(b);
        (void)err_set(e, ERR_MEMORY, "no memory for the indicators");
        return NULL;
    }
    b->set = set;
    b->owned = owned;
    b->users = 1;
    for (size_t i = 0; i < n; i++) {
        struct match_indicator m = match_set_get(set, (uint32_t)i);
        if (m.stix)
            b->index[b->count++] = key_of(m.id) | i;
    }
    qsort(b->index, b->count, sizeof *b->index, live_by_number);
    return b;
}

/* The first place in the index whose key is not below. */
static size_t place_of(const struct live_base *b, uint64_t key)
{
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->index[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* sensor_below_fn */
static bool in_base(void *ctx, struct str id, struct match_indicator *out)
{
    const struct live_base *b = ctx;
    uint64_t key = key_of(id);
    for (size_t i = place_of(b, key); i < b->count && b->index[i] >> 32 << 32 == key; i++) {
        *out = match_set_get(b->set, (uint32_t)b->index[i]);
        if (str_eq(out->id, id))
            return true;
    }
    return false;
}

/* One set of all that is looked at. */
static struct live_base *flat(const struct match_set *from, struct err *e)
{
    struct match_set *s = match_set_new();
    if (!s) {
        (void)err_set(e, ERR_MEMORY, "no memory for the indicators");
        return NULL;
    }
    if (match_set_copy(s, from, e) && match_set_seal(s, e) &&
        (!match_set_damaged(from) ||
         err_set(e, ERR_IO, "the indicator set is damaged: compile it again")))
        return base_of(s, s, e);
    match_set_free(s);
    return NULL;
}

/* ---- versions ---------------------------------------------------------------------------- */

static void version_free(struct live_version *v)
{
    match_set_free(v->owned);
    base_drop(v->base);
    base_free(v);
}

static bool is_held(struct live_set *l, const struct live_version *v)
{
    for (size_t i = 0; i < LIVE_READERS; i++)
        if (atomic_load(&l->slots[i]) == v)
            return true;
    return false;
}

/* Frees what was replaced and is looked at no more. */
static void sweep(struct live_set *l)
{
    for (struct live_version **at = &l->versions->older, *v; (v = *at) != NULL;) {
        if (is_held(l, v)) {
            at = &v->older;
            continue;
        }
        *at = v->older;
        version_free(v);
    }
}

/* Takes `owned` and one use of the base over, whatever happens. */
static bool show(struct live_set *l, struct match_set *owned, struct live_base *base, struct err *e)
{
    struct live_version *v = base_alloc(sizeof *v);
    if (!v) {
        match_set_free(owned);
        base_drop(base);
        return err_set(e, ERR_MEMORY, "no memory for the indicators");
    }
    *v = (struct live_version){.older = l->versions,
                               .number = l->versions ? l->versions->number + 1 : 1,
                               .set = owned ? owned : base->set,
                               .owned = owned,
                               .base = base};
    l->versions = v;
    atomic_store(&l->now, v);
    sweep(l);
    return true;
}

static bool begin_changes(struct live_set *l, struct err *e)
{
    sensor_indicators_free(l->changes);
    l->taken = 0;
    l->changes = sensor_indicators_new(l->note, l->ctx);
    if (l->changes && l->guarded)
        sensor_indicators_guard(l->changes);
    return l->changes || err_set(e, ERR_MEMORY, "no memory for the indicators");
}

bool live_set_init(struct live_set *l, const struct sensor_indicators *s, sensor_note_fn *note,
                   void *ctx, struct err *e)
{
    const struct match_set *set = sensor_indicators_set(s);
    l->note = note;
    l->ctx = ctx;
    l->guarded = s->guarded;
    struct live_base *b = s->compiled && !s->alone ? flat(set, e) : base_of(set, NULL, e);
    if (b && begin_changes(l, e))
        return show(l, NULL, b, e);
    base_drop(b);
    return false;
}

void live_set_done(struct live_set *l)
{
    while (l->versions) {
        struct live_version *v = l->versions;
        l->versions = v->older;
        version_free(v);
    }
    sensor_indicators_free(l->changes);
}

/* ---- changes ----------------------------------------------------------------------------- */

bool live_has(const uint64_t *sorted, size_t count, uint64_t hash)
{
    return count && bsearch(&hash, sorted, count, sizeof hash, live_by_number) != NULL;
}

void live_set_each(const struct live_set *l, const struct live_ids *of, live_id_fn *each, void *ctx)
{
    const struct sensor_indicators *c = l->changes;
    const struct live_base *b = l->versions->base;
    for (size_t i = 0; i < c->entry_count; i++)
        if (!c->entries[i].gone &&
            live_has(of->hashes, of->count, str_hash(c->entries[i].id, of->seed)) &&
            !each(ctx, c->entries[i].id))
            return;
    for (size_t i = 0; i < b->count; i++) {
        struct match_indicator m = match_set_get(b->set, (uint32_t)b->index[i]);
        if (live_has(of->hashes, of->count, str_hash(m.id, of->seed)) &&
            !sensor_entry_of(c, m.id) && !each(ctx, m.id))
            return;
    }
}

static void count_fresh(struct live_set *l, size_t *taken, size_t *gone)
{
    struct sensor_indicators *c = l->changes;
    for (size_t i = 0; i < c->entry_count; i++) {
        struct sensor_entry *n = &c->entries[i];
        if (n->fresh && (n->gone || n->revoked))
            ++*gone;
        else if (n->fresh && !n->outdated)
            ++*taken;
        l->taken += n->fresh;
        n->fresh = false;
    }
}

/* When there are many changes beside it, the set is built anew of all. */
static bool settle(struct live_set *l, struct err *e)
{
    size_t many = match_set_indicators(l->versions->base->set) / 8;
    if (l->taken <= LIMIT_SENSOR_LIVE_CHANGES ||
        (l->taken <= many && l->taken <= LIMIT_SENSOR_LIVE_MOST))
        return true;
    struct live_base *b = flat(l->versions->set, e);
    return b && show(l, NULL, b, e) && begin_changes(l, e);
}

bool live_set_publish(struct live_set *l, size_t *taken, size_t *gone, struct err *e)
{
    struct live_base *base = l->versions->base;
    struct sensor_indicators *c = l->changes;
    struct match_set *s = match_set_new();
    match_set_free(c->set);
    c->set = s;
    if (!s)
        return err_set(e, ERR_MEMORY, "no memory for the indicators");
    match_set_over(s, base->set);
    if (!sensor_indicators_build(c, in_base, base, now_us(), e) || !match_set_seal(s, e))
        return false;
    c->set = NULL;
    count_fresh(l, taken, gone);
    base->users++;
    return show(l, s, base, e) && settle(l, e);
}
