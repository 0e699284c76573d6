/*
 * The policy in force, and what follows when another takes its place. In the store:
 * `policy-generation` counts the policies that were applied, so that every process of this node
 * notices; `policy-next` is the text of one whose file is not written yet; `sweep` is the object up
 * to which the store has been decided about again, empty when all has; `decided` is when that was
 * last begun; `references` is "1" while every object's references are kept.
 */
#include <stdio.h>
#include <string.h>

#include "exchange/gate_priv.h"

#define CHUNK_BYTES (8u << 20)

/* ---- in force ---- */

static bool policy_put(struct exchange *x, struct str text, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    struct exchange_policy *p = base_alloc(sizeof *p);
    if (!p)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (!policy_parse(text, exchange_path(x, "policy.conf", path), &p->policy, e)) {
        base_free(p);
        return false;
    }
    ledger_digest(text, p->digest);
    p->before = atomic_load(&x->policy);
    atomic_store(&x->policy, p);
    return true;
}

/* The newest was never in force: nobody holds it. */
static void policy_drop(struct exchange *x)
{
    struct exchange_policy *p = atomic_load(&x->policy);
    atomic_store(&x->policy, p->before);
    policy_free(p->policy);
    base_free(p);
}

void exchange_policy_free(struct exchange *x)
{
    while (atomic_load(&x->policy))
        policy_drop(x);
}

struct str exchange_policy_digest(const struct exchange *x)
{
    const struct exchange_policy *p = atomic_load(&x->policy);
    return (struct str){p->digest, sizeof p->digest};
}

const struct policy *exchange_policy(const struct exchange *x)
{
    return atomic_load(&x->policy)->policy;
}

static bool policy_read(struct exchange *x, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    struct str text;
    if (!file_read(exchange_path(x, "policy.conf", path), LIMIT_POLICY_BYTES, &text, e))
        return false;
    bool ok = policy_put(x, text, e);
    base_free((void *)(uintptr_t)text.p);
    return ok;
}

/* ---- values ---- */

/* A number of the store; `otherwise` when it has none. */
static bool number_get(struct store *s, const char *key, uint64_t otherwise, uint64_t *out,
                       struct err *e)
{
    struct buf b;
    struct err none = {0};
    buf_init(&b, 32);
    bool ok = store_value_get(s, str_of(key), &b, &none);
    if (!ok || !str_to_u64(buf_view(&b), out))
        *out = otherwise;
    buf_done(&b);
    if (!ok && none.code != ERR_NOT_FOUND)
        *e = none;
    return ok || none.code == ERR_NOT_FOUND;
}

static bool number_put(struct store *s, const char *key, uint64_t value, struct err *e)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return store_value_put(s, str_of(key), (struct str){text, (size_t)n}, e);
}

/* The text of a policy that was applied and whose file may not be written yet; empty: none. */
static bool next_text(struct store *s, struct buf *out, struct err *e)
{
    struct err none = {0};
    if (store_value_get(s, STR("policy-next"), out, &none) || none.code == ERR_NOT_FOUND)
        return true;
    *e = none;
    return false;
}

/* An apply that was interrupted between its commit and the file is finished here. */
static bool finish_file(struct exchange *x, struct str text, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    return policy_put(x, text, e) &&
           file_write(exchange_path(x, "policy.conf", path), text, 0644, e);
}

bool exchange_policy_open(struct exchange *x, struct store *s, struct err *e)
{
    struct buf text;
    buf_init(&text, LIMIT_POLICY_BYTES);
    bool ok = number_get(s, "policy-generation", 0, &x->policy_generation, e) &&
              next_text(s, &text, e) &&
              (text.n ? finish_file(x, buf_view(&text), e) : policy_read(x, e));
    buf_done(&text);
    return ok;
}

/* Another process applied a policy: it is in force here too. */
static bool follow(struct exchange *x, struct store *s, struct err *e)
{
    uint64_t generation;
    struct buf text;
    if (!number_get(s, "policy-generation", 0, &generation, e))
        return false;
    if (generation == x->policy_generation)
        return true;
    buf_init(&text, LIMIT_POLICY_BYTES);
    bool ok =
        next_text(s, &text, e) && (text.n ? policy_put(x, buf_view(&text), e) : policy_read(x, e));
    buf_done(&text);
    if (ok)
        x->policy_generation = generation;
    return ok;
}

/* ---- all that is stored ---- */

struct chunk {
    struct gate *g;
    struct arena *a;
    struct store_object list[64];
    size_t count, bytes;
};

static bool note_object(void *ctx, const struct store_object *o)
{
    struct chunk *c = ctx;
    struct store_object *kept = &c->list[c->count++];
    *kept = *o;
    kept->bytes = arena_str(c->a, o->bytes);
    kept->id = arena_str(c->a, o->id);
    c->bytes += o->bytes.n;
    return c->count < sizeof c->list / sizeof *c->list && c->bytes < CHUNK_BYTES;
}

bool gate_each_stored(struct gate *g, struct gate_walk *w, gate_stored_fn *each, void *ctx,
                      struct err *e)
{
    struct chunk c = {.g = g, .a = arena_new(LIMIT_ARENA_REQUEST_BYTES)};
    bool ok = c.a || err_set(e, ERR_MEMORY, "out of memory");
    w->left = true;
    for (size_t done = 0; ok && w->left && done < w->most; done += c.count) {
        c.count = c.bytes = 0;
        arena_reset(c.a);
        ok = store_object_after(g->store, (int64_t)w->after, sizeof c.list / sizeof *c.list,
                                note_object, &c, e) &&
             arena_ok(c.a, e);
        w->left = ok && c.count > 0;
        for (size_t i = 0; i < c.count && ok; i++) {
            ok = each(ctx, &c.list[i], e);
            w->after = (uint64_t)c.list[i].object;
            gate_next(g);
        }
    }
    arena_free(c.a);
    return ok;
}

/* ---- references ---- */

struct indexing {
    struct gate *g;
    int64_t object;
    bool failed;
    struct err *e;
};

static bool put_reference(void *ctx, struct str id)
{
    struct indexing *i = ctx;
    i->failed = !store_reference_put(i->g->store, store_name(i->g->store, id), i->object, i->e);
    return !i->failed;
}

static bool index_object(void *ctx, const struct store_object *o, struct err *e)
{
    struct indexing *i = ctx;
    const struct json *v;
    i->object = o->object;
    i->e = e;
    if (!json_parse(i->g->json, i->g->arena, o->bytes, false, &v, e))
        return false;
    gate_references(v, put_reference, i);
    return !i->failed;
}

/* They are kept from the first need on; what came before is gathered then. */
static bool begin_references(struct gate *g, struct err *e)
{
    struct indexing i = {.g = g};
    struct gate_walk all = {.most = SIZE_MAX};
    g->keeps_references = true;
    return gate_each_stored(g, &all, index_object, &i, e) &&
           number_put(g->store, "references", 1, e);
}

bool gate_need_references(struct gate *g, struct err *e)
{
    return g->keeps_references || begin_references(g, e);
}

static bool keep_references(struct gate *g, struct err *e)
{
    unsigned asks = policy_asks(g->policy) & (POLICY_REDACTS | POLICY_ASKS_REFERENCED);
    uint64_t kept;
    if (!number_get(g->store, "references", 0, &kept, e))
        return false;
    g->keeps_references = kept == 1;
    return (asks == 0 && !g->has_copies) || gate_need_references(g, e);
}

/* ---- the writer's gate ---- */

/* The ledger tells from when on which policy decides, however it came. */
static bool record_policy(struct exchange *x, struct store *s, struct err *e)
{
    struct ledger_record r = {.kind = LEDGER_POLICY_CHANGE_RECORD};
    struct str now = exchange_policy_digest(x);
    struct buf before;
    struct err none = {0};
    buf_init(&before, 0);
    bool ok =
        store_value_get(s, STR("policy-recorded"), &before, &none) || none.code == ERR_NOT_FOUND;
    if (!ok)
        *e = none;
    if (ok && !str_eq(buf_view(&before), now)) {
        ledger_record_text(&r, LEDGER_POLICY, now);
        ledger_record_text(&r, LEDGER_PREVIOUS, buf_view(&before));
        ok = gate_record(x->gate, &r, 0, e) && store_value_put(s, STR("policy-recorded"), now, e);
    }
    buf_done(&before);
    return ok;
}

bool exchange_gate_open(struct exchange *x, struct store *s, struct err *e)
{
    if (!follow(x, s, e))
        return false;
    x->gate->policy = exchange_policy(x);
    return gate_begin(x->gate, s, e) && gate_ledger_begin(x->gate, e) && record_policy(x, s, e) &&
           store_desk_expire(s, x->gate->now_us, e) && keep_references(x->gate, e);
}

/* ---- deciding again ---- */

struct sweep {
    struct gate *g;
    bool withdrawals;
    exchange_progress_fn *progress;
    void *ctx;
    uint64_t done, all;
};

static bool sweep_object(void *ctx, const struct store_object *o, struct err *e)
{
    struct sweep *w = ctx;
    if (w->progress && (w->done++ & 1023) == 0)
        w->progress(w->ctx, w->done, w->all);
    return gate_settle_stored(w->g, o, w->withdrawals, e);
}

/* What the policy releases no longer goes at once, in this transaction; what is new follows by and
 * by, from the first object on. */
static bool sweep_begin(struct gate *g, struct sweep *w, struct err *e)
{
    struct gate_walk all = {.most = SIZE_MAX};
    w->withdrawals = true;
    return store_object_count(g->store, &w->all, e) &&
           gate_each_stored(g, &all, sweep_object, w, e) &&
           store_value_put(g->store, STR("sweep"), STR("0"), e) &&
           number_put(g->store, "decided", (uint64_t)g->now_us, e);
}

static bool sweep_on(struct gate *g, uint64_t after, bool *left, struct err *e)
{
    struct sweep w = {.g = g};
    struct gate_walk some = {.after = after, .most = LIMIT_GATE_SWEEP};
    if (!gate_each_stored(g, &some, sweep_object, &w, e))
        return false;
    *left = some.left;
    return some.left ? number_put(g->store, "sweep", some.after, e)
                     : store_value_put(g->store, STR("sweep"), STR(""), e);
}

/* Has a date in the policy passed since all was last decided? Ages are looked at once a day. */
static bool time_has_come(struct gate *g, bool *come, struct err *e)
{
    const int64_t day_us = (int64_t)86400 * 1000000;
    uint64_t decided;
    if (!number_get(g->store, "decided", 0, &decided, e))
        return false;
    if (decided == 0) {
        *come = false;
        return number_put(g->store, "decided", (uint64_t)g->now_us, e);
    }
    *come = policy_next_change_us(g->policy, (int64_t)decided) <= g->now_us ||
            ((policy_asks(g->policy) & POLICY_ASKS_AGE) && g->now_us - (int64_t)decided >= day_us);
    return true;
}

/* A sweep goes from the first object to the last, and what follows from it comes behind it: the
 * order in which things are released tells nothing of what else was decided. */
bool exchange_sweep_some(struct exchange *x, struct store *s, bool *left, struct err *e)
{
    struct gate *g = x->gate;
    struct sweep w = {.g = g};
    uint64_t after;
    bool come;
    *left = true;
    if (!number_get(s, "sweep", UINT64_MAX, &after, e) || !time_has_come(g, &come, e))
        return false;
    if (come)
        return sweep_begin(g, &w, e);
    if (after != UINT64_MAX && !sweep_on(g, after, left, e))
        return false;
    return (after != UINT64_MAX && *left) || gate_pending(g, LIMIT_GATE_PENDING, left, e);
}

/* ---- applying ---- */

struct apply_job {
    struct exchange_waiter w;
    struct str text;
    struct sweep sweep;
    bool put;
};

static bool apply_begin(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    struct apply_job *a = (struct apply_job *)j;
    uint64_t generation;
    if (!policy_put(x, a->text, e))
        return false;
    a->put = true;
    x->gate->policy = exchange_policy(x);
    a->sweep.g = x->gate;
    a->sweep.done = 0;
    bool ok = number_get(s, "policy-generation", 0, &generation, e) &&
              number_put(s, "policy-generation", generation + 1, e) &&
              store_value_put(s, STR("policy-next"), a->text, e) && record_policy(x, s, e) &&
              keep_references(x->gate, e) && sweep_begin(x->gate, &a->sweep, e);
    if (ok) {
        x->policy_generation = generation + 1;
        return true;
    }
    policy_drop(x);
    a->put = false;
    return false;
}

/* Rolled back: the policy before is in force again. */
static void apply_done(struct exchange_job *j, bool ok, const struct err *e)
{
    struct apply_job *a = (struct apply_job *)j;
    if (!ok && a->put) {
        policy_drop(a->w.x);
        a->w.x->policy_generation--;
    }
    exchange_waiter_done(j, ok, e);
}

static bool forget_next(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    (void)x;
    (void)j;
    return store_value_put(s, STR("policy-next"), STR(""), e);
}

static bool finish(struct exchange *x, struct str text, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    struct exchange_waiter w = {.job = {.apply = forget_next}};
    return file_write(exchange_path(x, "policy.conf", path), text, 0644, e) &&
           exchange_run(x, &w, e);
}

struct sweep_job {
    struct exchange_waiter w;
    bool left;
};

static bool sweep_apply(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    return exchange_sweep_some(x, s, &((struct sweep_job *)j)->left, e);
}

bool exchange_policy_apply(struct exchange *x, struct str text, exchange_progress_fn *progress,
                           void *ctx, struct err *e)
{
    struct apply_job a = {.text = text, .sweep = {.progress = progress, .ctx = ctx}};
    struct sweep_job more = {.left = true};
    a.w.job.apply = apply_begin;
    a.w.done = apply_done;
    if (!exchange_run(x, &a.w, e) || !finish(x, text, e))
        return false;
    more.w.job.apply = sweep_apply;
    for (uint64_t done = 0; more.left; done += LIMIT_GATE_SWEEP) {
        if (!exchange_run(x, &more.w, e))
            return false;
        if (progress)
            progress(ctx, done < a.sweep.all ? done : a.sweep.all, a.sweep.all);
    }
    return true;
}
