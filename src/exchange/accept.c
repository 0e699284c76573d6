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
    struct str audience;  /* canonical text */
    bool foreign_speaker; /* a foreign submitter names an organisation of this nation as creator */
    int64_t owner;        /* the organisation that created_by_ref names, or the submitter */
    bool go;              /* still to be written */
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

bool exchange_origin_of(const struct exchange *x, struct store *s, struct arena *a,
                        const struct stix_object *o, struct exchange_origin *io, struct err *e)
{
    struct store_org org;
    if (!store_org_by_identity(s, o->created_by_ref, &io->creator, e))
        return false;
    if (io->creator == 0)
        return true;
    if (!store_org_get(s, a, io->creator, &org, e))
        return false;
    io->creator_home = str_eq(org.nation, x->config.nation);
    if (!io->creator_home)
        io->source = (struct policy_party){org.nation, org.name};
    return true;
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

/* Is it a good STIX object of a kind that its sender may send? If not, it is refused. False when
 * that cannot be told. */
static bool check_item(struct exchange_batch *b, struct item *it, const struct json *v,
                       struct err *e)
{
    static const struct stix_check_options options = {.tolerate_short_times = true};
    struct first_error first = {b, it, 0, false};
    it->go = true;
    it->result.id = arena_str(b->arena, json_get_str(v, STR("id")));
    it->result.version = version_of(b, v);
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

static bool prepare_item(struct exchange_session *s, struct exchange_batch *b, struct item *it,
                         const struct json *v, struct err *e)
{
    struct exchange *x = s->x;
    struct exchange_origin origin = {.source = b->who.party};
    if (!check_item(b, it, v, e))
        return false;
    if (!it->go)
        return true;
    if (!it->object.has_version)
        it->result.version = arrival_of(b);
    struct policy_facts facts = exchange_facts(x, &it->object, b->collection.marking, b->who.party);
    decide_arrival(x, b, it, &facts);
    if (!it->go)
        return true;
    if (!exchange_origin_of(x, s->store, b->arena, &it->object, &origin, e))
        return false;
    it->owner = origin.creator ? origin.creator : b->who.org;
    it->foreign_speaker = origin.creator_home && !str_eq(b->who.party.nation, x->config.nation);
    facts.source = origin.source;
    return find_audience(x, b, &facts, &it->audience, e);
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
        ok = prepare_item(s, b, &items[i], first, e);
    }
    if (!ok || !arena_ok(a, e)) {
        arena_free(a);
        return false;
    }
    *out = b;
    return true;
}

/* ---- writing ---- */

/* The same data, however written: in canonical form (RFC 8785), whose cost is that of sorting. */
static bool canonical(struct str text, struct buf *out, struct err *e)
{
    const struct json *v;
    struct json_reader *r = json_reader_new();
    struct arena *arena = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool ok = ((r && arena) || err_set(e, ERR_MEMORY, "out of memory")) &&
              json_parse(r, arena, text, false, &v, e) && json_canonical(v, out, e);
    arena_free(arena);
    json_reader_free(r);
    return ok;
}

static bool same_content(struct str a, struct str b, bool *same, struct err *e)
{
    struct buf x, y;
    *same = str_eq(a, b);
    if (*same)
        return true;
    buf_init(&x, 0);
    buf_init(&y, 0);
    bool ok = canonical(a, &x, e) && canonical(b, &y, e);
    if (ok)
        *same = str_eq(buf_view(&x), buf_view(&y));
    buf_done(&x);
    buf_done(&y);
    return ok;
}

/* An item and what the store already has of its id. */
struct writing {
    struct exchange *x;
    struct exchange_batch *b;
    struct item *it;
    struct store *s;
    struct store_known k;
    bool same_content, compared;
    struct err *e;
};

static bool compare(void *ctx, const struct store_object *o)
{
    struct writing *w = ctx;
    w->compared = same_content(o->bytes, w->it->bytes, &w->same_content, w->e);
    return false;
}

/* Reasons that only the store can know. False when the item is refused. An object without versions
 * is each submitter's own, so nothing about those of others can show here. */
static bool allowed(const struct writing *w)
{
    const struct store_known *k = &w->k;
    bool versioned = w->it->object.has_version;
    int64_t who = w->b->who.org;
    struct str rule = STR_NONE, why = STR_NONE;
    if (versioned && k->object && !w->same_content) {
        rule = STR("stix21-3.6-versioning");
        why = STR("this version exists with other content; give a change a later `modified`");
    } else if (k->name == 0 && w->it->foreign_speaker) {
        rule = STR("stix21-3.6-creator");
        why = STR("its creator is an organisation of this node's nation, which alone may speak in "
                  "its name");
    } else if (versioned && k->name && !k->object && who != k->owner_org && who != k->source_org) {
        rule = STR("stix21-3.6-creator");
        why = STR("another organisation owns this id; only its creator may revise or revoke it");
    } else if (k->revoked_before && !k->object) {
        rule = STR("stix21-3.6-revoked");
        why = STR("an earlier version was revoked; a revoked object has no later version");
    }
    if (rule.n)
        conclude(w->b, w->it, EXCHANGE_REFUSED, rule, why);
    return rule.n == 0;
}

/* Whoever passes on what another organisation submitted releases it no further than that one's
 * submission does: the source stays the source. */
static bool audience_of_source(const struct writing *w, struct str *audience, struct err *e)
{
    struct exchange_batch *b = w->b;
    struct store_org org;
    if (w->k.object_source_org == b->who.org)
        return true;
    if (!store_org_get(w->s, b->arena, w->k.object_source_org, &org, e))
        return false;
    struct exchange_origin origin = {.source = {org.nation, org.name}};
    if (!exchange_origin_of(w->x, w->s, b->arena, &w->it->object, &origin, e))
        return false;
    struct policy_facts facts =
        exchange_facts(w->x, &w->it->object, b->collection.marking, origin.source);
    return find_audience(w->x, b, &facts, audience, e);
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

/* The row of this item: the stored one where this very version is there, else a new one. */
static bool store_row_of(struct writing *w, struct store_object *o, struct err *e)
{
    const struct stix_object *mine = &w->it->object;
    int64_t at = w->b->at_us > w->k.newest_us ? w->b->at_us : w->k.newest_us + 1;
    *o = (struct store_object){
        .name = w->k.name,
        .source_org = w->b->who.org,
        .owner_org = w->k.name && mine->has_version ? w->k.owner_org : w->it->owner,
        .received_us = w->b->at_us,
        .version_us = mine->has_version ? mine->version_us : at,
        .has_version = mine->has_version,
        .revoked = mine->revoked,
        .id = mine->id,
        .version = mine->has_version ? mine->version : STR_NONE,
        .type = mine->type,
        .bytes = w->it->bytes,
    };
    if (w->same_content) {
        o->object = w->k.object;
        o->version_us = w->k.version_us;
        return true;
    }
    return store_object_add(w->s, o, e);
}

static bool write_item(struct exchange *x, struct exchange_batch *b, struct store *s,
                       struct item *it, struct err *e)
{
    struct writing w = {.x = x, .b = b, .it = it, .s = s, .e = e};
    struct store_object o = {.id = it->object.id,
                             .has_version = it->object.has_version,
                             .version_us = it->object.version_us,
                             .source_org = b->who.org};
    struct str audience = it->audience;
    bool there = false;
    if (!store_object_known(s, &o, compare, &w, &w.k, e) || (w.k.object && !w.compared))
        return false;
    if (!allowed(&w))
        return true;
    if (!store_row_of(&w, &o, e))
        return false;
    if (w.same_content && (!store_release_any(s, b->collection.id, &o, &there, e) ||
                           (!there && !audience_of_source(&w, &audience, e))))
        return false;
    conclude(b, it, there ? EXCHANGE_UNCHANGED : EXCHANGE_ACCEPTED, STR_NONE, STR_NONE);
    return there ? release_to_submitter(b, s, &o, e) : write_release(b, s, &o, audience, e);
}

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
              store_status_put(s, b->uuid, b->who.user, b->at_us, buf_view(&json), e) &&
              expire_statuses(x, s, e);
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
