/*
 * Foresight, for a plan: what follows from what. Under a policy that redacts, what becomes of an
 * object depends on what becomes of those it refers to. When a policy is applied the record shows
 * that; a plan changes no record, so it keeps in memory who would read each id and which ids would
 * go out as copies, and decides about everything until that stands still.
 */
#include <string.h>

#include "exchange/gate_priv.h"

/* Open addressing; key 0 is an empty slot. */
struct slot {
    uint64_t key;
    struct str value;
};

struct table {
    struct slot *slots;
    size_t count, room; /* room: a power of two */
};

/* The ids of copies, of one original. */
struct copy_id {
    struct copy_id *next;
    struct str id;
    bool varied;
};

struct gate_foresight {
    struct arena *a;
    struct table readers, next; /* by store_name: audiences as foreseen, as this pass finds them */
    struct table copies;        /* by store_name of the original: its copies, as a struct copy_id */
    struct table references;    /* by name and type of what refers to it */
    bool knows_references;
    bool looked;      /* at everything, once at least */
    uint64_t changes; /* of the last pass */
};

static uint64_t key_of(int64_t name, const void *p, size_t n)
{
    uint64_t key = str_hash((struct str){p, n}, (uint64_t)name);
    return key ? key : 1;
}

static struct slot *place(const struct table *t, uint64_t key)
{
    size_t i = (size_t)key & (t->room - 1);
    while (t->slots[i].key && t->slots[i].key != key)
        i = (i + 1) & (t->room - 1);
    return &t->slots[i];
}

static bool grow(struct table *t, struct err *e)
{
    struct table bigger = {.room = t->room ? 2 * t->room : 1024, .count = t->count};
    if (2 * t->count < t->room)
        return true;
    bigger.slots = base_alloc(bigger.room * sizeof *bigger.slots);
    if (!bigger.slots)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < t->room; i++)
        if (t->slots[i].key)
            *place(&bigger, t->slots[i].key) = t->slots[i];
    base_free(t->slots);
    *t = bigger;
    return true;
}

static const struct slot *find(const struct table *t, uint64_t key)
{
    const struct slot *s = t->room ? place(t, key) : NULL;
    return s && s->key ? s : NULL;
}

static bool put(struct table *t, uint64_t key, struct str value, struct err *e)
{
    if (!grow(t, e))
        return false;
    struct slot *s = place(t, key);
    t->count += s->key == 0;
    *s = (struct slot){key, value};
    return true;
}

static void forget(struct table *t)
{
    base_free(t->slots);
    *t = (struct table){0};
}

/* ---- asking ---- */

bool gate_foreseen_readers(const struct gate *g, int64_t name, struct str *out)
{
    if (!g->foresight || !g->foresight->looked)
        return false;
    const struct slot *s = find(&g->foresight->readers, (uint64_t)name);
    *out = s ? s->value : STR("");
    return true;
}

static struct copy_id *copies_of(const struct gate_foresight *f, int64_t origin)
{
    const struct slot *s = find(&f->copies, (uint64_t)origin);
    return s ? (struct copy_id *)(uintptr_t)s->value.p : NULL;
}

bool gate_foreseen_copies(const struct gate *g, int64_t origin, store_copy_fn *each, void *ctx)
{
    if (!g->foresight || !g->foresight->looked)
        return false;
    for (const struct copy_id *c = copies_of(g->foresight, origin);
         c && each(ctx, c->id, c->varied);)
        c = c->next;
    return true;
}

bool gate_foreseen_reference(const struct gate *g, int64_t name, struct str type, bool *known)
{
    *known = g->foresight && g->foresight->knows_references;
    return *known && find(&g->foresight->references, key_of(name, type.p, type.n)) != NULL;
}

/* ---- looking ---- */

struct looking {
    struct gate *g;
    struct gate_foresight *f;
    const struct store_object *o;
    struct str type;
    struct err *e;
    bool failed;
};

/* More of those who will read something under this name. */
static bool note_readers(struct looking *l, int64_t name, struct str audience)
{
    struct gate_foresight *f = l->f;
    const struct slot *old = find(&f->next, (uint64_t)name);
    struct str all = old ? old->value : STR("");
    if (!gate_combine(l->g, audience, all, POLICY_EITHER, &all, l->e))
        return false;
    if (old && str_eq(all, old->value))
        return true;
    all = arena_str(f->a, all);
    return arena_ok(f->a, l->e) && put(&f->next, (uint64_t)name, all, l->e);
}

static bool note_copy(struct looking *l, struct str id, bool varied)
{
    struct gate_foresight *f = l->f;
    struct copy_id *first = copies_of(f, l->o->name), *c = first;
    while (c && !str_eq(c->id, id))
        c = c->next;
    if (c && !c->varied)
        varied = false;
    if (c && c->varied == varied)
        return true;
    f->changes++;
    if (c) {
        c->varied = varied;
        return true;
    }
    if (!(c = arena_calloc(f->a, 1, sizeof *c)))
        return arena_ok(f->a, l->e);
    *c = (struct copy_id){first, arena_str(f->a, id), varied};
    return arena_ok(f->a, l->e) &&
           put(&f->copies, (uint64_t)l->o->name, (struct str){(const char *)c, 0}, l->e);
}

static bool note_share(struct looking *l, const struct gate_share *s)
{
    if (s->verdict != POLICY_RELEASED)
        return true;
    if (!s->copy_id.n)
        return note_readers(l, l->o->name, s->audience);
    return note_copy(l, s->copy_id, s->varied) &&
           note_readers(l, store_name(l->g->store, s->copy_id), s->audience);
}

static bool look_in(void *ctx, struct gate_subject *s, struct err *e)
{
    struct looking *l = ctx;
    struct gate_decision d;
    l->e = e;
    if (!gate_decide(l->g, s, &d, e))
        return false;
    for (const struct gate_share *share = d.shares; share; share = share->next)
        if (!note_share(l, share))
            return false;
    return true;
}

static bool look_at(void *ctx, const struct store_object *o, struct err *e)
{
    struct looking *l = ctx;
    l->o = o;
    return gate_each_standing(l->g, o, look_in, l, e);
}

static bool note_reference(void *ctx, struct str id)
{
    struct looking *l = ctx;
    int64_t name = store_name(l->g->store, id);
    l->failed = !put(&l->f->references, key_of(name, l->type.p, l->type.n), STR_NONE, l->e);
    return !l->failed;
}

static bool look_for_references(void *ctx, const struct store_object *o, struct err *e)
{
    struct looking *l = ctx;
    const struct json *v;
    l->e = e;
    if (!json_parse(l->g->json, l->g->arena, o->bytes, false, &v, e))
        return false;
    l->type = json_get_str(v, STR("type"));
    gate_references(v, note_reference, l);
    return !l->failed;
}

/* The readers of this pass take the place of those before. */
static void turn(struct gate_foresight *f)
{
    for (size_t i = 0; i < f->next.room; i++) {
        const struct slot *s = &f->next.slots[i];
        const struct slot *old = s->key ? find(&f->readers, s->key) : NULL;
        f->changes += s->key && !(old && str_eq(old->value, s->value));
    }
    f->changes += f->readers.count != f->next.count;
    forget(&f->readers);
    f->readers = f->next;
    f->next = (struct table){0};
}

bool gate_foresee(struct gate *g, struct err *e)
{
    unsigned asks = policy_asks(g->policy);
    struct looking l = {.g = g};
    struct gate_walk all = {.most = SIZE_MAX};
    if (!(asks & (POLICY_REDACTS | POLICY_ASKS_REFERENCED)) && !g->has_copies)
        return true;
    struct gate_foresight *f = l.f = base_alloc(sizeof *f);
    if (!f || !(f->a = arena_new(LIMIT_GATE_FORESIGHT_BYTES))) {
        base_free(f);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    g->foresight = f;
    if (asks & POLICY_ASKS_REFERENCED) {
        if (!gate_each_stored(g, &all, look_for_references, &l, e))
            return false;
        f->knows_references = true;
    }
    f->changes = 1;
    for (int pass = 0; pass < LIMIT_GATE_PASSES && f->changes; pass++) {
        f->changes = 0;
        all.after = 0;
        if (!gate_each_stored(g, &all, look_at, &l, e))
            return false;
        turn(f);
        f->looked = true;
    }
    return true;
}

void gate_foresight_free(struct gate_foresight *f)
{
    if (!f)
        return;
    forget(&f->readers);
    forget(&f->next);
    forget(&f->copies);
    forget(&f->references);
    arena_free(f->a);
    base_free(f);
}
