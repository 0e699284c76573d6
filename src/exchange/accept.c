/*
 * The write path. exchange_prepare, in the caller's thread: is each object valid, may it come from
 * this source, who may read it. apply_batch, in the writer's transaction: is it new, is it the
 * owner's, store it, write its release rows. What was refused leaves nothing behind.
 */
#include <string.h>

#include "exchange/exchange_priv.h"

static const char *const outcome_names[] = {"accepted", "unchanged", "refused", "quarantined",
                                            "held"};

const char *exchange_outcome_name(enum exchange_outcome o)
{
    return outcome_names[o];
}

/* One object on its way. */
struct item {
    struct exchange_result result;
    struct stix_object object;
    struct str bytes;
    struct str audience; /* canonical text */
    bool go;             /* still to be written */
};

struct exchange_batch {
    struct exchange_job job; /* first, so that a job is its batch */
    struct arena *arena;
    struct principal who;
    struct exchange_collection collection;
    bool from_partner;
    exchange_status_fn *status;
    struct item *items;
    size_t count;
    char uuid[CRYPT_UUID_TEXT];
    int64_t at_us;
    exchange_done_fn *done;
    void *done_ctx;
};

/* ---- preparing ---- */

/* For the writer too: a batch may be applied twice, so this leaves `go` alone. */
static void conclude(struct exchange_batch *b, struct item *it, enum exchange_outcome outcome,
                     struct str rule, struct str message)
{
    it->result.outcome = outcome;
    it->result.rule = rule.n ? arena_str(b->arena, rule) : STR_NONE;
    it->result.message = message.n ? arena_str(b->arena, message) : STR_NONE;
}

static void refuse(struct exchange_batch *b, struct item *it, struct str rule, struct str message)
{
    it->go = false;
    conclude(b, it, EXCHANGE_REFUSED, rule, message);
}

struct first_error {
    struct exchange_batch *b;
    struct item *it;
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

struct policy_facts exchange_facts(const struct exchange *x, const struct stix_object *o,
                                   enum stix_tlp default_marking, struct policy_party source)
{
    return (struct policy_facts){
        .type = o->type,
        .tlp = o->tlp == STIX_TLP_NONE ? default_marking : o->tlp,
        .labels = o->labels,
        .source = source,
        .granular = o->granular,
        .home = x->config.nation,
    };
}

/* May it come in? Without arrival rules: from home, and from partners the node was told to pull. */
static void decide_arrival(const struct exchange *x, struct exchange_batch *b, struct item *it,
                           const struct policy_facts *facts)
{
    struct policy_rule_ref rule = {0};
    struct str line = STR_NONE;
    enum policy_arrival a = policy_arrival_from(x->policy, facts, x->config.nation, &rule);
    if (rule.line)
        line = arena_printf(b->arena, "policy.conf:%u", rule.line);
    switch (a) {
    case POLICY_ACCEPT:
        return;
    case POLICY_NO_RULE:
        if (b->from_partner || str_eq(b->who.party.nation, x->config.nation))
            return;
        refuse(b, it, STR("policy-default"),
               STR("no rule accepts objects from this nation; add `accept from` to policy.conf"));
        return;
    case POLICY_REFUSE:
    case POLICY_QUARANTINE:
        refuse(b, it, line.n ? line : STR("policy-default"), rule.text);
        it->result.outcome = a == POLICY_REFUSE ? EXCHANGE_REFUSED : EXCHANGE_QUARANTINED;
        return;
    }
}

/* To whom it is released. */
static bool find_audience(const struct exchange *x, struct exchange_batch *b,
                          const struct policy_facts *facts, struct str *out, struct err *e)
{
    struct buf audience;
    buf_init(&audience, 0);
    bool ok = policy_audience(x->policy, facts, &b->who.party, &audience, e);
    if (ok)
        *out = arena_str(b->arena, buf_view(&audience));
    buf_done(&audience);
    return ok;
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

/* Is it a good STIX object of a kind that its sender may send? If not, it is refused. False when
 * that cannot be told. */
static bool check_item(struct exchange_batch *b, struct item *it, const struct json *v,
                       struct err *e)
{
    static const struct stix_check_options options = {.tolerate_short_times = true};
    struct first_error first = {b, it, 0, false};
    it->go = true;
    it->result.id = arena_str(b->arena, json_get_str(v, STR("id")));
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

static bool prepare_item(struct exchange *x, struct exchange_batch *b, struct item *it,
                         const struct json *v, struct err *e)
{
    if (!check_item(b, it, v, e))
        return false;
    if (!it->go)
        return true;
    char when[INSTANT_TEXT_BYTES];
    it->result.version = it->object.has_version
                             ? arena_str(b->arena, it->object.version)
                             : arena_str(b->arena, instant_text(instant_of_us(b->at_us), 6, when));
    struct policy_facts facts = exchange_facts(x, &it->object, b->collection.marking, b->who.party);
    decide_arrival(x, b, it, &facts);
    return !it->go || find_audience(x, b, &facts, &it->audience, e);
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
bool exchange_prepare(struct exchange_session *s, const struct exchange_submission *sub,
                      struct str text, const struct json *first, size_t count,
                      struct exchange_batch **out, struct err *e)
{
    struct exchange_batch *b;
    if (!exchange_role_writes(sub->who->role))
        return err_set(e, ERR_FORBIDDEN, "a %s may not add objects",
                       exchange_role_name(sub->who->role));
    if (count > LIMIT_EXCHANGE_ENVELOPE_OBJECTS)
        return err_set(e, ERR_LIMIT, "more than %d objects at once",
                       LIMIT_EXCHANGE_ENVELOPE_OBJECTS);
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    b = arena_calloc(a, 1, sizeof *b);
    struct item *items = b ? arena_calloc(a, count ? count : 1, sizeof *items) : NULL;
    if (!items) {
        bool ok = arena_ok(a, e);
        arena_free(a);
        return ok;
    }
    b->arena = a;
    b->who = copy_principal(a, sub->who);
    b->collection = *sub->collection;
    b->collection.title = arena_str(a, sub->collection->title);
    b->from_partner = sub->from_partner;
    b->status = sub->status;
    b->items = items;
    b->count = count;
    b->at_us = now_us();
    b->job.objects = count;
    crypt_uuid4(b->uuid);
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++, first = first->next) {
        items[i].bytes = json_source(text, first);
        ok = prepare_item(s->x, b, &items[i], first, e);
    }
    if (!ok || !arena_ok(a, e)) {
        arena_free(a);
        return false;
    }
    *out = b;
    return true;
}

/* ---- writing ---- */

/* What the store already has of an item's id. */
struct known {
    struct exchange_batch *b;
    struct item *it;
    int64_t name, owner, object; /* object: the row of this very version, or 0 */
    int64_t version_us;
    bool same_content, revoked_before;
    bool failed;
    struct err *e;
};

static bool same_content(struct str a, struct str b, bool *same, struct err *e)
{
    const struct json *x, *y;
    *same = str_eq(a, b);
    if (*same)
        return true;
    struct json_reader *r = json_reader_new();
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool ok = ((r && arena) || err_set(e, ERR_MEMORY, "out of memory")) &&
              json_parse(r, arena, a, false, &x, e) && json_parse(r, arena, b, false, &y, e);
    if (ok)
        *same = json_equal(x, y);
    arena_free(arena);
    json_reader_free(r);
    return ok;
}

static bool note_version(void *ctx, const struct store_object *o)
{
    struct known *k = ctx;
    const struct stix_object *mine = &k->it->object;
    if (k->name == 0)
        k->owner = o->source_org;
    k->name = o->name;
    /* An object without versions (most SCOs) has one content for ever. */
    bool same_version = o->has_version == mine->has_version &&
                        (!mine->has_version || o->version_us == mine->version_us);
    if (same_version) {
        k->object = o->object;
        k->version_us = o->version_us;
        k->failed = !same_content(o->bytes, k->it->bytes, &k->same_content, k->e);
    } else if (o->revoked && mine->has_version && mine->version_us > o->version_us) {
        k->revoked_before = true;
    }
    return !k->failed;
}

/* Reasons that only the store can know. False when the item is refused. */
static bool allowed(struct exchange_batch *b, struct item *it, const struct known *k)
{
    if (k->object && !k->same_content) {
        conclude(b, it, EXCHANGE_REFUSED, STR("stix21-3.6-versioning"),
                 STR("this version exists with other content; give a change a later `modified`"));
        return false;
    }
    if (k->object || k->name == 0)
        return true;
    if (k->owner != b->who.org) {
        conclude(
            b, it, EXCHANGE_REFUSED, STR("stix21-3.6-creator"),
            STR("another organisation owns this id; only its creator may revise or revoke it"));
        return false;
    }
    if (k->revoked_before) {
        conclude(b, it, EXCHANGE_REFUSED, STR("stix21-3.6-revoked"),
                 STR("an earlier version was revoked; a revoked object has no later version"));
        return false;
    }
    return true;
}

/* Whoever passes on what another organisation submitted releases it no further than that one's
 * submission does: the source stays the source. */
static bool audience_of_owner(struct exchange *x, struct store *s, const struct known *k,
                              struct str *audience, struct err *e)
{
    struct exchange_batch *b = k->b;
    struct store_org org;
    if (k->owner == b->who.org)
        return true;
    if (!store_org_get(s, b->arena, k->owner, &org, e))
        return false;
    struct policy_facts facts = exchange_facts(x, &k->it->object, b->collection.marking,
                                               (struct policy_party){org.nation, org.name});
    return find_audience(x, b, &facts, audience, e);
}

struct reach {
    const struct principal *who;
    bool reads;
};

static bool note_audience(void *ctx, int64_t id, struct str text)
{
    struct reach *r = ctx;
    (void)id;
    r->reads = policy_audience_has(text, &r->who->party);
    return !r->reads;
}

static bool write_release(struct exchange_batch *b, struct store *s, const struct store_object *o,
                          struct str audience, struct err *e)
{
    int64_t id, date;
    return store_audience_put(s, audience, &id, e) &&
           store_release_add(s, b->collection.id, id, o, &date, e);
}

/* The version stands in this collection already: whoever submits it too may read it from now on. */
static bool release_to_submitter(struct exchange_batch *b, struct store *s,
                                 const struct store_object *o, struct err *e)
{
    struct reach r = {&b->who, false};
    struct str parts[] = {STR("+"), b->who.party.nation, STR("/"), b->who.party.org};
    struct buf own;
    if (!store_release_audiences(s, b->collection.id, o, note_audience, &r, e))
        return false;
    if (r.reads)
        return true;
    buf_init(&own, 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buf_str(&own, parts[i]);
    bool ok = buf_ok(&own, e) && write_release(b, s, o, buf_view(&own), e);
    buf_done(&own);
    return ok;
}

static bool write_item(struct exchange *x, struct exchange_batch *b, struct store *s,
                       struct item *it, struct err *e)
{
    struct known k = {.b = b, .it = it, .e = e};
    struct str audience = it->audience;
    bool there = false;
    if (!store_object_versions(s, it->object.id, note_version, &k, e) || k.failed)
        return false;
    if (!allowed(b, it, &k))
        return true;
    struct store_object o = {
        .object = k.object,
        .name = k.name,
        .source_org = b->who.org,
        .received_us = b->at_us,
        .version_us = it->object.has_version ? it->object.version_us : b->at_us,
        .has_version = it->object.has_version,
        .revoked = it->object.revoked,
        .id = it->object.id,
        .version = it->object.has_version ? it->object.version : STR_NONE,
        .type = it->object.type,
        .bytes = it->bytes,
    };
    if (k.object) {
        o.version_us = k.version_us;
        if (!store_release_any(s, b->collection.id, &o, &there, e) ||
            (!there && !audience_of_owner(x, s, &k, &audience, e)))
            return false;
    } else if (!store_object_add(s, &o, e)) {
        return false;
    }
    conclude(b, it, there ? EXCHANGE_UNCHANGED : EXCHANGE_ACCEPTED, STR_NONE, STR_NONE);
    return there ? release_to_submitter(b, s, &o, e) : write_release(b, s, &o, audience, e);
}

static bool apply_batch(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    struct exchange_batch *b = (struct exchange_batch *)j;
    struct buf json;
    for (size_t i = 0; i < b->count; i++)
        if (b->items[i].go && !write_item(x, b, s, &b->items[i], e))
            return false;
    if (!b->status)
        return arena_ok(b->arena, e);
    buf_init(&json, 0);
    bool ok = arena_ok(b->arena, e) &&
              (b->status(b, &json) || !buf_ok(&json, e) ||
               err_set(e, ERR_INTERNAL, "the status resource cannot be written")) &&
              buf_ok(&json, e) &&
              store_status_put(s, b->uuid, b->who.user, b->at_us, buf_view(&json), e);
    buf_done(&json);
    return ok;
}

static void batch_done(struct exchange_job *j, bool ok, const struct err *e)
{
    struct exchange_batch *b = (struct exchange_batch *)j;
    b->done(b->done_ctx, b, ok, e);
}

bool exchange_commit(struct exchange *x, struct exchange_batch *b, exchange_done_fn *done,
                     void *ctx, struct err *e)
{
    b->job.apply = apply_batch;
    b->job.done = batch_done;
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
    w.w.job.objects = b->count;
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
    if (b)
        arena_free(b->arena);
}
