/*
 * The write path. exchange_prepare, in the caller's thread and one beside it: is each object valid.
 * exchange_arrive, in the writer's transaction: may it come from this source, is it new, is it the
 * owner's; store it, decide who gets it, write its release rows. What was refused leaves nothing
 * behind.
 */
#include <string.h>

#include "exchange/batch_priv.h"

static const char *const outcome_names[] = {"accepted",    "unchanged", "refused",
                                            "quarantined", "held",      "pending"};

const char *exchange_outcome_name(enum exchange_outcome o)
{
    return outcome_names[o];
}

/* ---- preparing ---- */

void exchange_conclude(struct exchange_batch *b, struct exchange_item *it,
                       enum exchange_outcome outcome, struct str rule, struct str message)
{
    it->result.outcome = outcome;
    it->result.rule = rule.n ? arena_str(b->arena, rule) : STR_NONE;
    it->result.message = message.n ? arena_str(b->arena, message) : STR_NONE;
}

static void refuse(struct exchange_batch *b, struct exchange_item *it, struct str rule,
                   struct str message)
{
    it->go = false;
    exchange_conclude(b, it, EXCHANGE_REFUSED, rule, message);
}

struct first_error {
    struct exchange_batch *b;
    struct exchange_item *it;
    size_t errors;
    bool unjudged;
};

/* Keeps the first error; the status names it and how many more there are. */
static void note_finding(void *ctx, const struct stix_finding *f)
{
    struct first_error *first = ctx;
    if (f->severity != STIX_ERROR)
        return;
    first->unjudged = first->unjudged || f->unjudged;
    if (first->errors++ == 0) {
        struct str message =
            arena_printf(first->b->arena, "%.*s: %.*s", STR_FMT(f->path), STR_FMT(f->message));
        refuse(first->b, first->it, str_of(f->rule), message);
    }
}

/* A sensor reports what it saw and nothing else. */
static bool sensor_may(struct str type)
{
    static const char *const types[] = {"sighting", "observed-data"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(type, str_of(types[i])))
            return true;
    return stix_class_of(type) == STIX_SCO;
}

static struct str arrival_of(struct exchange_batch *b)
{
    char when[INSTANT_TEXT_BYTES];
    return arena_str(b->arena, instant_text(instant_of_us(b->at_us), 6, when));
}

/* TAXII 2.1 §4.3.1: `modified`, else `created`, else a value of the server's. An object that will
 * be refused has one too, as far as it says when it is from. */
static struct str version_of(struct exchange_batch *b, const struct json *v)
{
    struct str version = json_get_str(v, STR("modified"));
    struct instant t;
    struct err ignored;
    if (!version.p)
        version = json_get_str(v, STR("created"));
    return version.p && instant_parse(version, &t, &ignored) ? arena_str(b->arena, version)
                                                             : arrival_of(b);
}

/* Its id and version, as far as it says so: what a status names it by. */
static void name_item(struct exchange_batch *b, struct exchange_item *it, const struct json *v)
{
    it->result.id = arena_str(b->arena, json_get_str(v, STR("id")));
    it->result.version =
        stix_class_of(json_get_str(v, STR("type"))) == STIX_SCO ? arrival_of(b) : version_of(b, v);
}

/* Is it a good STIX object of a kind that its sender may send? If not, it is refused. False when
 * that cannot be told. */
static bool check_item(struct exchange_batch *b, struct exchange_item *it, const struct json *v,
                       struct err *e)
{
    static const struct stix_check_options options = {.tolerate_short_times = true};
    struct first_error first = {b, it, 0, false};
    it->go = true;
    name_item(b, it, v);
    stix_object_check(v, &options, note_finding, &first);
    if (first.unjudged)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (first.errors > 1)
        it->result.message = arena_printf(b->arena, "%.*s (and %zu more errors)",
                                          STR_FMT(it->result.message), first.errors - 1);
    if (!it->go)
        return true;
    if (!stix_object_read(v, &it->object, e))
        refuse(b, it, STR("stix21-3.2-common-properties"), str_of(e->msg));
    else if (it->object.class == STIX_BUNDLE)
        refuse(b, it, STR("stix21-8-bundle"), STR("a bundle is no object; send what it holds"));
    else if (it->bytes.n > LIMIT_STIX_OBJECT_BYTES)
        refuse(b, it, STR("setu-object-bytes"), STR("the object is larger than 16 MiB"));
    else if (b->who.role == EXCHANGE_SENSOR && !sensor_may(it->object.type))
        refuse(b, it, STR("setu-sensor"), STR("a sensor may add sightings and observed data only"));
    return true;
}

/* What is looked for in an object's bytes. Two threads do it, each takes some of the objects in
 * turn. */
struct looking {
    const struct exchange *x;
    struct exchange_batch *b;
    atomic_size_t next;
    atomic_bool failed; /* for want of memory */
};
enum { LOOK_AT = 8, LOOK_BESIDE = 4 * LOOK_AT }; /* objects; from which on two are worth it */

static bool look_at(const struct exchange *x, struct exchange_item *it)
{
    struct err ignored;
    ledger_digest(it->bytes, it->digest);
    if (it->bytes.n > LIMIT_STIX_OBJECT_BYTES)
        return true; /* it is refused */
    if (!gate_guard_find(x, it->bytes, &it->guarded, &ignored))
        return false;
    /* Here, beside the writer, for it would look at every property, and more than once. */
    if (it->guarded == GATE_NAMES_NONE && !stix_names_subscriber(it->json, NULL))
        it->guarded = GATE_NAMES_NONE_AT_ALL;
    it->plain = !stix_local_possible(it->json);
    return true;
}

static bool is_stopped(const struct exchange *x, const struct exchange_batch *b)
{
    return b->waiting && atomic_load(&x->later.closing);
}

/* Also at what is refused meanwhile, for whether it is only the other thread knows. */
static void look_at_some(void *ctx)
{
    struct looking *l = ctx;
    for (size_t i; (i = atomic_fetch_add(&l->next, LOOK_AT)) < l->b->count;)
        for (size_t end = i + LOOK_AT; i < end && i < l->b->count; i++)
            if (atomic_load(&l->failed) || is_stopped(l->x, l->b) ||
                !look_at(l->x, &l->b->items[i])) {
                atomic_store(&l->failed, true);
                return;
            }
}

static struct principal copy_principal(struct arena *a, const struct principal *p)
{
    struct principal c = *p;
    c.name = arena_str(a, p->name);
    c.identity = arena_str(a, p->identity);
    c.party.nation = arena_str(a, p->party.nation);
    c.party.org = arena_str(a, p->party.org);
    return c;
}

/* NOLINTNEXTLINE(readability-function-size): a text and the siblings in it are one argument */
bool exchange_batch_make(const struct exchange_submission *sub, struct str text,
                         const struct json *first, size_t count, struct exchange_batch **out,
                         struct err *e)
{
    struct exchange_batch *b;
    if (count > LIMIT_EXCHANGE_ENVELOPE_OBJECTS)
        return err_set(e, ERR_LIMIT, "more than %d objects at once",
                       LIMIT_EXCHANGE_ENVELOPE_OBJECTS);
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    b = arena_calloc(a, 1, sizeof *b);
    struct exchange_item *items = b ? arena_calloc(a, count ? count : 1, sizeof *items) : NULL;
    if (!items) {
        must(!arena_ok(a, e));
        arena_free(a);
        return false;
    }
    b->arena = a;
    b->who = copy_principal(a, sub->who);
    b->collection = *sub->collection;
    b->collection.title = arena_str(a, sub->collection->title);
    b->from_partner = sub->from_partner;
    b->approved = sub->approved;
    b->status = sub->status;
    b->text = text;
    b->items = items;
    b->count = b->upto = count;
    for (size_t i = 0; i < count; i++, first = first->next) {
        items[i].json = first;
        if (text.p)
            items[i].bytes = json_source(text, first);
    }
    b->at_us = now_us();
    b->job.objects = count;
    crypt_uuid4(b->uuid);
    buf_init(&b->json, 0);
    if (!arena_ok(a, e)) {
        arena_free(a);
        return false;
    }
    *out = b;
    return true;
}

static bool check_items(const struct exchange *x, struct exchange_batch *b, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        struct exchange_item *it = &b->items[i];
        /* What was acknowledged before is taken up again by the next start. */
        if (is_stopped(x, b))
            return err_set(e, ERR_BUSY, "the node stops");
        if (!check_item(b, it, it->json, e))
            return false;
        if (it->go && !it->object.has_version)
            it->result.version = arrival_of(b);
    }
    return true;
}

bool exchange_batch_check(struct exchange *x, struct exchange_batch *b, struct err *e)
{
    struct looking l = {.x = x, .b = b};
    bool two = b->count >= LOOK_BESIDE && exchange_beside_begin(&x->beside, look_at_some, &l);
    bool ok = check_items(x, b, e);
    if (ok)
        look_at_some(&l);
    else
        atomic_store(&l.next, b->count); /* no more of it */
    if (two)
        exchange_beside_end(&x->beside, &l);
    if (ok && atomic_load(&l.failed))
        ok = is_stopped(x, b) ? err_set(e, ERR_BUSY, "the node stops")
                              : err_set(e, ERR_MEMORY, "out of memory");
    return ok && arena_ok(b->arena, e);
}

bool exchange_batch_refuse(struct exchange_batch *b, struct str rule, struct str why, struct err *e)
{
    for (size_t i = b->from; i < b->count; i++) {
        struct exchange_item *it = &b->items[i];
        name_item(b, it, it->json);
        ledger_digest(it->bytes, it->digest);
        refuse(b, it, rule, why);
    }
    return arena_ok(b->arena, e);
}

bool exchange_batch_refuse_named(struct exchange_batch *b, struct str rule, struct str why,
                                 struct err *e)
{
    for (size_t i = b->from; i < b->count; i++) {
        struct exchange_item *it = &b->items[i];
        it->result.id = arena_str(b->arena, json_get_str(it->json, STR("id")));
        it->result.version = arena_str(b->arena, json_get_str(it->json, STR("version")));
        refuse(b, it, rule, why);
    }
    return arena_ok(b->arena, e);
}

static bool may_add(const struct exchange_submission *sub, struct err *e)
{
    return exchange_role_writes(sub->who->role) ||
           err_set(e, ERR_FORBIDDEN, "a %s may not add objects",
                   exchange_role_name(sub->who->role));
}

/* NOLINTNEXTLINE(readability-function-size): a text and the siblings in it are one argument */
bool exchange_prepare(struct exchange_session *s, const struct exchange_submission *sub,
                      struct str text, const struct json *first, size_t count,
                      struct exchange_batch **out, struct err *e)
{
    struct exchange_batch *b;
    if (!may_add(sub, e) || !exchange_batch_make(sub, text, first, count, &b, e))
        return false;
    if (!exchange_batch_check(s->x, b, e)) {
        exchange_batch_free(b);
        return false;
    }
    *out = b;
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): a text and the siblings in it are one argument */
bool exchange_defer(const struct exchange_submission *sub, struct str text,
                    const struct json *first, size_t count, struct exchange_batch **out,
                    struct err *e)
{
    struct exchange_batch *b;
    if (!may_add(sub, e) || !exchange_batch_make(sub, text, first, count, &b, e))
        return false;
    b->deferred = true;
    b->job.objects = 1; /* it is written as one row */
    for (size_t i = 0; i < count; i++) {
        name_item(b, &b->items[i], b->items[i].json);
        b->items[i].result.outcome = EXCHANGE_PENDING;
    }
    if (!arena_ok(b->arena, e)) {
        exchange_batch_free(b);
        return false;
    }
    *out = b;
    return true;
}

/* ---- writing ---- */

/* Status resources are kept for a day and a little (TAXII 2.1 §4.3); once an hour the older go. */
static bool expire_statuses(struct exchange *x, struct store *s, struct err *e)
{
    const int64_t hour = (int64_t)3600 * 1000000;
    int64_t now = now_us();
    if (now - x->statuses_swept_us < hour && now >= x->statuses_swept_us)
        return true;
    x->statuses_swept_us = now;
    return store_status_expire(s, now - 25 * hour, e);
}

/* A status is kept for a day from when it last changed. */
static bool put_status(struct exchange *x, struct store *s, struct exchange_batch *b, struct err *e)
{
    buf_clear(&b->json);
    return arena_ok(b->arena, e) &&
           (b->status(b, &b->json) || !buf_ok(&b->json, e) ||
            err_set(e, ERR_INTERNAL, "the status resource cannot be written")) &&
           buf_ok(&b->json, e) &&
           store_status_put(s, b->uuid, b->who.user, now_us(), buf_view(&b->json), e) &&
           expire_statuses(x, s, e);
}

static bool apply_batch(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    struct exchange_batch *b = (struct exchange_batch *)j;
    if (b->waiting && !exchange_piece_begin(x->gate, b, e))
        return false;
    if (b->gone)
        return true;
    if (!exchange_arrive(x->gate, b, e) || (b->waiting && !exchange_piece_end(s, b, e)))
        return false;
    if (b->upto < b->count)
        return arena_ok(b->arena, e);
    return b->status ? put_status(x, s, b, e) : arena_ok(b->arena, e);
}

/* What is acknowledged before it is decided about: its body is kept, and its status names all. Too
 * much that waits is no fault of the others in this transaction, so it ends without one. */
static bool apply_deferred(struct exchange *x, struct store *s, struct exchange_job *j,
                           struct err *e)
{
    struct exchange_batch *b = (struct exchange_batch *)j;
    struct store_envelope v = {.user = b->who.user,
                               .collection = b->collection.id,
                               .at_us = b->at_us,
                               .uuid = str_of(b->uuid),
                               .body = b->text};
    struct store_waiting_bytes w;
    if (!store_envelope_bytes(s, b->who.user, b->who.org, &w, e))
        return false;
    b->too_much = w.all + b->text.n > LIMIT_EXCHANGE_PENDING_BYTES ||
                  w.org + b->text.n > LIMIT_EXCHANGE_PENDING_ORG_BYTES ||
                  w.user + b->text.n > LIMIT_EXCHANGE_PENDING_USER_BYTES;
    return b->too_much || (store_envelope_put(s, &v, e) && put_status(x, s, b, e));
}

static void batch_done(struct exchange_job *j, bool ok, const struct err *e)
{
    struct exchange_batch *b = (struct exchange_batch *)j;
    b->done(b->done_ctx, b, ok, e);
}

static void deferred_done(struct exchange_job *j, bool ok, const struct err *e)
{
    struct exchange_batch *b = (struct exchange_batch *)j;
    struct err too_much = {0};
    if (ok && b->too_much) {
        ok = err_set(&too_much, ERR_BUSY,
                     "envelopes that were taken before still wait to be decided about; send this "
                     "one again soon");
        e = &too_much;
    } else if (ok) {
        exchange_later_wake(b->x);
    }
    b->done(b->done_ctx, b, ok, e);
}

bool exchange_commit(struct exchange *x, struct exchange_batch *b, exchange_done_fn *done,
                     void *ctx, struct err *e)
{
    b->job.apply = b->deferred ? apply_deferred : apply_batch;
    b->job.done = b->deferred ? deferred_done : batch_done;
    b->x = x;
    b->done = done;
    b->done_ctx = ctx;
    return exchange_enqueue(x, &b->job, e);
}

struct waited_batch {
    struct exchange_waiter w;
    struct exchange_batch *b;
};

static bool apply_waited(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    return apply_batch(x, s, &((struct waited_batch *)j)->b->job, e);
}

bool exchange_commit_wait(struct exchange *x, struct exchange_batch *b, struct err *e)
{
    struct waited_batch w = {.b = b};
    w.w.job.objects = b->count - b->from;
    w.w.job.apply = apply_waited;
    return exchange_run(x, &w.w, e);
}

/* ---- results ---- */

size_t exchange_batch_count(const struct exchange_batch *b)
{
    return b->count;
}

const struct exchange_result *exchange_batch_result(const struct exchange_batch *b, size_t i)
{
    must(i < b->count);
    return &b->items[i].result;
}

size_t exchange_batch_total(const struct exchange_batch *b, enum exchange_outcome o)
{
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++)
        n += b->items[i].result.outcome == o;
    return n;
}

void exchange_batch_status_take(struct exchange_batch *b, struct buf *out)
{
    *out = b->json;
    buf_init(&b->json, 0);
}

const char *exchange_batch_uuid(const struct exchange_batch *b)
{
    return b->uuid;
}

int64_t exchange_batch_at_us(const struct exchange_batch *b)
{
    return b->at_us;
}

void exchange_batch_free(struct exchange_batch *b)
{
    if (!b)
        return;
    buf_done(&b->json);
    arena_free(b->arena);
}
