/*
 * Arrival, inside the writer's transaction. First each object of the batch: may it come in, is it
 * new, is it the owner's; what may be is stored. Then, as they may refer to each other, each one's
 * release is settled.
 */
#include <stdio.h>
#include <string.h>

#include "exchange/batch_priv.h"

/* ---- content ---- */

/* Of an object, whose `created` and `modified` say an instant in any number of digits: both in
 * nine. Of two texts of one version neither is another content. */
static const struct json *with_instants(struct gate *g, const struct json *v)
{
    struct json *object = arena_alloc(g->arena, sizeof *object), *last = NULL;
    if (!object || !json_is(v, JSON_OBJECT))
        return v;
    *object = *v;
    object->u.child = NULL;
    for (const struct json *m = v->u.child; m; m = m->next) {
        struct json *copy = arena_alloc(g->arena, sizeof *copy);
        struct instant at;
        struct err e;
        char text[INSTANT_TEXT_BYTES];
        if (!copy)
            return v; /* the arena is full, and says so */
        *copy = *m;
        if ((str_eq(m->key, STR("created")) || str_eq(m->key, STR("modified"))) &&
            json_is(m, JSON_STRING) && instant_parse(m->u.s, &at, &e))
            copy->u.s = arena_str(g->arena, instant_text(at, 9, text));
        if (last)
            last->next = copy;
        else
            object->u.child = copy;
        last = copy;
    }
    return object;
}

/* The same data, however written: in canonical form (RFC 8785), whose cost is that of sorting. */
static bool canonical(struct gate *g, struct str text, struct buf *out, struct err *e)
{
    const struct json *v;
    return json_parse(g->json, g->arena, text, false, &v, e) &&
           json_canonical(with_instants(g, v), out, e);
}

static bool same_content(struct gate *g, struct str a, struct str b, bool *same, struct err *e)
{
    struct buf x, y;
    *same = str_eq(a, b);
    if (*same)
        return true;
    buf_init(&x, 0);
    buf_init(&y, 0);
    bool ok = canonical(g, a, &x, e) && canonical(g, b, &y, e);
    if (ok)
        *same = str_eq(buf_view(&x), buf_view(&y));
    buf_done(&x);
    buf_done(&y);
    return ok;
}

/* An item and what the store already has of its id. */
struct arriving {
    struct gate *g;
    struct exchange_batch *b;
    struct exchange_item *it;
    struct store_known k;
    int64_t creator;   /* the organisation that created_by_ref names; 0: unknown here */
    bool creator_home; /* … and it is of this node's nation */
    bool same_content, compared;
    struct err *e;
};

static bool compare(void *ctx, const struct store_object *o)
{
    struct arriving *a = ctx;
    a->compared = same_content(a->g, o->bytes, a->it->bytes, &a->same_content, a->e);
    return false;
}

static bool look_up(struct arriving *a)
{
    const struct stix_object *o = &a->it->object;
    const struct gate_org *creator;
    struct store_object asked = {.id = o->id,
                                 .has_version = o->has_version,
                                 .version_us = o->version_us,
                                 .source_org = a->b->who.org};
    if (!gate_org_of_identity(a->g, o->created_by_ref, &creator, a->e) ||
        !store_object_known(a->g->store, &asked, compare, a, &a->k, a->e) ||
        (a->k.object && !a->compared))
        return false;
    if (creator) {
        a->creator = creator->id;
        a->creator_home = str_eq(creator->party.nation, a->g->x->config.nation);
    }
    return true;
}

static bool refuse(struct arriving *a, struct str rule, struct str why)
{
    exchange_conclude(a->b, a->it, EXCHANGE_REFUSED, rule, why);
    return false;
}

/* ---- whose it is ---- */

/* May the sender speak for the id: as its owner, as who first handed it in, or as a delegate? What
 * has no versions is each submitter's own. Of an id that is new here the creator is asked. */
static bool speaks_for(struct arriving *a, bool *owner)
{
    const struct gate_org *of;
    int64_t who = a->b->who.org;
    int64_t whose = a->k.name ? a->k.owner_org : a->creator;
    *owner = !a->it->object.has_version || whose == 0 || whose == who ||
             (a->k.name && a->k.first_org == who);
    if (*owner)
        return true;
    if (!gate_org_of(a->g, whose, &of, a->e))
        return false;
    *owner = policy_delegate(a->g->policy, &a->b->who.party, &of->party);
    return true;
}

struct echo {
    const struct arriving *a;
    struct str version;
    bool taken; /* from whom it comes now */
};

static bool note_withdrawn(void *ctx, const struct store_withdrawal *w)
{
    struct echo *x = ctx;
    x->taken = w->source_org != x->a->b->who.org && str_eq(w->version, x->version) &&
               policy_audience_has(w->audience_text, &x->a->b->who.party);
    return !x->taken;
}

/* What was taken back from a partner does not come home from it again: not until it is given anew
 * by whoever gave it first. */
static bool refuse_echo(struct arriving *a, bool *in)
{
    const struct stix_object *mine = &a->it->object;
    struct echo x = {.a = a, .version = mine->version};
    if (!a->g->has_withdrawals || a->k.object || !mine->has_version ||
        str_eq(a->b->who.party.nation, a->g->x->config.nation))
        return true;
    if (!store_withdrawal_of(a->g->store, mine->id, note_withdrawn, &x, a->e))
        return false;
    if (x.taken)
        *in = refuse(a, STR("setu-withdrawn"),
                     STR("this node took it back from the organisation that sends it"));
    return true;
}

static bool note_later(void *ctx, const struct store_withdrawal *w)
{
    struct echo *x = ctx;
    const struct exchange_batch *b = x->a->b;
    x->taken = w->at_us >= b->at_us && str_eq(w->collection, b->collection.uuid) &&
               (x->version.n == 0 || w->version.n == 0 || str_eq(w->version, x->version));
    return !x->taken;
}

/* What was sent in an envelope that waited, and taken back since, stays away: it was sent before.
 */
static bool refuse_overtaken(struct arriving *a, bool *in)
{
    const struct stix_object *mine = &a->it->object;
    struct echo x = {.a = a, .version = mine->has_version ? mine->version : STR_NONE};
    if (a->b->withdrawn &&
        !store_envelope_withdrawn(a->g->store, a->b->waiting, mine->id, &x.taken, a->e))
        return false;
    if (a->b->waiting && a->g->has_withdrawals && !x.taken &&
        !store_withdrawal_of(a->g->store, mine->id, note_later, &x, a->e))
        return false;
    if (x.taken)
        *in = refuse(a, STR("setu-withdrawn"), STR("it was taken back after it was sent"));
    return true;
}

/* Reasons that only the store can know. False when the item is refused. An object without versions
 * is each submitter's own, so nothing about those of others can show here. */
static bool allowed(struct arriving *a, bool owner)
{
    const struct store_known *k = &a->k;
    bool versioned = a->it->object.has_version;
    bool abroad = !str_eq(a->b->who.party.nation, a->g->x->config.nation);
    if (versioned && k->is_copy && !k->object)
        return refuse(a, STR("setu-copy"),
                      STR("this id names a redacted copy that this node makes itself"));
    if (versioned && k->object && !a->same_content)
        return refuse(a, STR("stix21-3.6-versioning"),
                      STR("this version exists with other content; give a change a later "
                          "`modified`"));
    if (k->name == 0 && a->creator_home && abroad && !owner)
        return refuse(a, STR("stix21-3.6-creator"),
                      STR("its creator is an organisation of this node's nation, which alone may "
                          "speak in its name"));
    if (versioned && k->name && !k->object && !owner)
        return refuse(a, STR("stix21-3.6-creator"),
                      STR("another organisation owns this id; only its creator may revise or "
                          "revoke it"));
    if (k->revoked_before && !k->object)
        return refuse(a, STR("stix21-3.6-revoked"),
                      STR("an earlier version was revoked; a revoked object has no later version"));
    return true;
}

/* ---- arrival rules ---- */

/* How many a source has brought in under a limited rule, in the window that runs. */
static bool within_limit(struct arriving *a, const struct policy_arrival_answer *r, bool *within)
{
    char key[64], text[64];
    unsigned char digest[CRYPT_SHA256_BYTES];
    struct buf value;
    struct str rest;
    uint64_t window = (uint64_t)(a->g->now_us / r->limit_us), started = 0, count = 0;
    crypt_sha256(r->rule.text, digest);
    snprintf(key, sizeof key, "limit-%lld-%02x%02x%02x%02x%02x%02x", (long long)a->b->who.org,
             digest[0], digest[1], digest[2], digest[3], digest[4], digest[5]);
    struct err none = {0};
    buf_init(&value, sizeof text);
    bool ok =
        store_value_get(a->g->store, str_of(key), &value, &none) || none.code == ERR_NOT_FOUND;
    if (!ok)
        *a->e = none;
    rest = buf_view(&value);
    if (ok && (!str_to_u64(str_cut(&rest, ' '), &started) || !str_to_u64(rest, &count) ||
               started != window))
        count = 0;
    buf_done(&value);
    if (!ok)
        return false;
    *within = count < r->limit_count;
    if (!*within)
        return true;
    int n = snprintf(text, sizeof text, "%llu %llu", (unsigned long long)window,
                     (unsigned long long)count + 1);
    return store_value_put(a->g->store, str_of(key), (struct str){text, (size_t)n}, a->e);
}

/* The words of a rule name others, so a sender abroad is told its line alone. */
static struct str words_of(const struct arriving *a, const struct policy_arrival_answer *r,
                           struct str abroad)
{
    bool home = str_eq(a->b->who.party.nation, a->g->x->config.nation);
    return home || r->rule.line == 0 ? r->rule.text : abroad;
}

static bool over_limit(struct arriving *a, const struct policy_arrival_answer *r, struct str line)
{
    struct str why = arena_printf(a->b->arena, "over the limit of %.*s; send it again later",
                                  STR_FMT(words_of(a, r, STR("a rule of this node"))));
    a->it->result.later = true;
    return refuse(a, line, why);
}

static bool quarantine(struct arriving *a, const struct policy_arrival_answer *r)
{
    struct store_desk d = {
        .kind = STORE_DESK_QUARANTINE,
        .collection = a->b->collection.id,
        .org = a->b->who.org,
        .user = a->b->who.user,
        .stix_id = a->it->object.id,
        .type = a->it->object.type,
        .rule = r->rule.text,
        .rule_line = r->rule.line,
        .officers = 1,
        .at_us = a->g->now_us,
        .expires_us = a->g->now_us + (int64_t)LIMIT_DESK_QUARANTINE_DAYS * 86400 * 1000000,
        .bytes = a->it->bytes,
    };
    return store_desk_add(a->g->store, &d, a->e);
}

/* May it come in? Without arrival rules: from home, and from partners the node was told to pull.
 * *in is false when it was refused or quarantined. */
static bool decide_arrival(struct arriving *a, const struct gate_subject *s, bool owner, bool *in)
{
    struct policy_facts facts;
    struct policy_arrival_answer r;
    bool within = true;
    if (!gate_facts(a->g, s, &facts, a->e))
        return false;
    facts.source = a->b->who.party;
    facts.owner = owner || a->k.name == 0; /* what is new is nobody's yet */
    policy_arrive(a->g->policy, &facts, &r);
    struct str line = r.rule.line ? arena_printf(a->b->arena, "policy.conf:%u", r.rule.line)
                                  : STR("policy-default");
    *in = true;
    switch (r.verdict) {
    case POLICY_ACCEPT:
        if (r.limit_us && !within_limit(a, &r, &within))
            return false;
        *in = within || over_limit(a, &r, line);
        return true;
    case POLICY_NO_RULE:
        if (!a->b->from_partner && !str_eq(a->b->who.party.nation, a->g->x->config.nation))
            *in = refuse(a, line,
                         STR("no rule accepts objects from this nation; add `accept from` to "
                             "policy.conf"));
        return true;
    case POLICY_REFUSE:
        *in = refuse(a, line, words_of(a, &r, STR("a rule of this node refuses it")));
        return true;
    case POLICY_QUARANTINE:
        if (a->b->approved)
            return true;
        *in = false;
        exchange_conclude(a->b, a->it, EXCHANGE_QUARANTINED, line,
                          words_of(a, &r, STR("waits for an officer of this node")));
        return quarantine(a, &r);
    }
    return true;
}

/* ---- storing ---- */

struct standing {
    const struct exchange_batch *b;
    bool any;
};

static bool note_row(void *ctx, const struct store_release *r)
{
    struct standing *st = ctx;
    st->any = r->collection == st->b->collection.id;
    return !st->any;
}

/* The version is stored: it comes into this collection too, or from one more submitter. While it
 * carries no marking the strictest of its collections' counts in all of them. */
static bool join_stored(struct arriving *a)
{
    struct store_object *o = &a->it->row;
    struct standing st = {.b = a->b};
    char when[INSTANT_TEXT_BYTES];
    o->object = a->k.object;
    o->version_us = a->k.version_us;
    o->received_us = a->k.object_received_us;
    /* TAXII 2.1 §4.3.1: what has no version of its own has one value, in every answer. */
    if (!o->has_version)
        a->it->result.version =
            arena_str(a->b->arena, instant_text(instant_of_us(o->received_us), 6, when));
    o->source_org = a->k.object_source_org;
    if (o->marking > a->k.object_marking &&
        (!store_object_mark(a->g->store, o->object, o->marking, a->e) ||
         !store_pending_put(a->g->store, o->object, a->e)))
        return false;
    if (o->marking < a->k.object_marking)
        o->marking = a->k.object_marking;
    if (!store_release_each(a->g->store, o->object, note_row, &st, a->e))
        return false;
    /* Or it came twice in this transaction. */
    for (const struct exchange_item *it = a->b->items + a->b->from; it != a->it && !st.any; it++)
        st.any = it->stands && it->row.object == o->object;
    a->it->stood = st.any;
    if (st.any)
        o->user = a->k.object_user;
    return o->source_org == a->b->who.org ||
           store_submitter_put(a->g->store, o->object, a->b->collection.id, a->b->who.org, a->e);
}

struct referring {
    struct arriving *a;
    bool failed;
};

static bool put_pending(void *ctx, const struct store_object *o)
{
    struct referring *r = ctx;
    r->failed = !o->copy && !store_pending_put(r->a->g->store, o->object, r->a->e);
    return !r->failed;
}

static bool put_reference(void *ctx, struct str id)
{
    struct referring *r = ctx;
    struct gate *g = r->a->g;
    r->failed =
        !store_reference_put(g->store, store_name(g->store, id), r->a->it->row.object, r->a->e);
    /* Rules may ask by what an object is referenced. */
    if (!r->failed && (policy_asks(g->policy) & POLICY_ASKS_REFERENCED) &&
        !store_object_versions(g->store, id, put_pending, r, r->a->e))
        r->failed = true;
    return !r->failed;
}

static bool store_item(struct arriving *a)
{
    const struct stix_object *mine = &a->it->object;
    struct referring r = {.a = a};
    int64_t who = a->b->who.org;
    int64_t at = a->b->at_us > a->k.newest_us ? a->b->at_us : a->k.newest_us + 1;
    a->it->row = (struct store_object){
        .name = store_name(a->g->store, mine->id),
        .source_org = who,
        .user = a->b->who.user,
        .first_org = a->k.name ? a->k.first_org : who,
        .owner_org =
            a->k.name && mine->has_version ? a->k.owner_org : (a->creator ? a->creator : who),
        .received_us = a->b->at_us,
        .version_us = mine->has_version ? mine->version_us : at,
        .has_version = mine->has_version,
        .revoked = mine->revoked,
        .tlp = (unsigned)mine->tlp,
        .marking = (unsigned)a->b->collection.marking,
        .id = mine->id,
        .version = mine->has_version ? mine->version : STR_NONE,
        .type = mine->type,
        .bytes = a->it->bytes,
    };
    a->it->stood = false;
    a->it->stands = true;
    a->it->fresh = !a->same_content;
    a->it->first = a->k.name == 0;
    if (a->same_content)
        return join_stored(a);
    if (!store_object_add(a->g->store, &a->it->row, a->e))
        return false;
    if (!a->g->keeps_references)
        return true;
    gate_references(mine->json, put_reference, &r);
    return !r.failed;
}

static bool arrive_item(struct gate *g, struct exchange_batch *b, struct exchange_item *it,
                        struct err *e)
{
    struct arriving a = {.g = g, .b = b, .it = it, .e = e};
    bool owner, in;
    it->stands = false;
    if (!look_up(&a) || !speaks_for(&a, &owner))
        return false;
    /* What this node sent out comes back as it was. */
    if (a.k.is_copy && a.same_content && it->object.has_version) {
        exchange_conclude(b, it, EXCHANGE_UNCHANGED, STR_NONE, STR_NONE);
        return true;
    }
    struct gate_subject s = {
        .object = &it->object,
        .source = b->text,
        .name = store_name(g->store, it->object.id),
        .received_us = b->at_us,
        .source_org = b->who.org,
        .collection = &b->collection,
        .marking = (unsigned)b->collection.marking,
        .guarded = it->guarded,
        .plain = it->plain,
    };
    if (!decide_arrival(&a, &s, owner, &in) || (in && !refuse_echo(&a, &in)) ||
        (in && !refuse_overtaken(&a, &in)))
        return false;
    return !in || !allowed(&a, owner) || store_item(&a);
}

/* ---- telling the producer ---- */

/* "IN, JP/nisc, not JP": the parts of an audience in words. */
static void put_audience(struct buf *out, struct str audience)
{
    bool first = true;
    while (audience.p) {
        struct str part = str_cut(&audience, ' ');
        buf_lit(out, first ? "" : ", ");
        if (part.n && part.p[0] == '-')
            buf_lit(out, "not ");
        part = str_from(part, 1);
        if (str_eq(part, STR("*")))
            buf_lit(out, "everybody");
        else
            buf_str(out, part);
        first = false;
    }
}

static void put_line(struct buf *out, const struct policy_group *group)
{
    if (group->rule.line == 0)
        return;
    buf_lit(out, " (policy.conf:");
    buf_u64(out, group->rule.line);
    buf_byte(out, ')');
}

/* What becomes of it, as far as the producer may know: at home all, abroad only that it waits. */
static void tell(struct exchange_batch *b, struct exchange_item *it, const struct gate *g,
                 const struct gate_decision *d)
{
    struct buf text;
    struct str rule = STR_NONE;
    bool home = str_eq(b->who.party.nation, g->x->config.nation), held = false;
    it->result.guarded = d->guarded;
    buf_init(&text, LIMIT_EXCHANGE_MESSAGE_BYTES);
    for (const struct gate_share *s = d->shares; s; s = s->next) {
        bool waits = s->verdict == POLICY_HELD;
        held = held || waits;
        if (waits && s->group->rule.line && !rule.n)
            rule = arena_printf(b->arena, "policy.conf:%u", s->group->rule.line);
        if (!home)
            continue;
        buf_lit(&text, text.n ? "; " : "");
        if (waits)
            buf_printf(&text, "waits for %u officer%s before it goes to ", s->group->officers,
                       s->group->officers == 1 ? "" : "s");
        else
            buf_lit(&text, s->copy_id.n ? "released as a redacted copy to " : "released to ");
        put_audience(&text, s->audience);
        put_line(&text, s->group);
    }
    for (const struct gate_withheld *w = d->withheld; w && home; w = w->next) {
        buf_lit(&text, text.n ? "; withheld from " : "withheld from ");
        put_audience(&text, w->audience);
        buf_lit(&text, ": ");
        buf_str(&text, w->why);
    }
    struct str message = text.failed ? STR_NONE : buf_view(&text);
    if (held && !home)
        message = STR("waits for the release officers of this node");
    exchange_conclude(b, it, held ? EXCHANGE_HELD : EXCHANGE_ACCEPTED, rule, message);
    buf_done(&text);
}

static bool record_item(struct gate *g, enum ledger_kind kind, const struct exchange_batch *b,
                        const struct exchange_item *it, struct err *e)
{
    struct gate_told t = {
        .id = it->result.id.n ? it->result.id : STR("?"),
        .version = it->result.version,
        .digest = {it->digest, it->digest[0] ? sizeof it->digest : 0},
        .collection = b->collection.uuid,
    };
    if (kind != LEDGER_ACCEPTANCE_RECORD)
        t.reason = arena_printf(g->arena, "%.*s: %.*s", STR_FMT(it->result.rule),
                                STR_FMT(it->result.message));
    return arena_ok(g->arena, e) && gate_record_object(g, kind, &t, e);
}

static bool settle_item(struct gate *g, struct exchange_batch *b, struct exchange_item *it,
                        struct err *e)
{
    struct gate_decision d;
    struct gate_subject s = gate_subject_of(&it->row, &it->object, &b->collection);
    s.source = b->text;
    s.has_rows = it->fresh;
    s.digest = (struct str){it->digest, sizeof it->digest};
    s.guarded = it->guarded;
    s.plain = it->plain;
    s.first = it->first;
    if (!it->stood && !record_item(g, LEDGER_ACCEPTANCE_RECORD, b, it, e))
        return false;
    if (!gate_settle(g, &s, &d, e))
        return false;
    if (it->stood)
        exchange_conclude(b, it, EXCHANGE_UNCHANGED, STR_NONE, STR_NONE);
    else
        tell(b, it, g, &d);
    return true;
}

/* Granular markings make copies under any policy, and so do local properties and the definitions of
 * such; who refers to those must be known by then. */
static bool expect_copies(struct gate *g, const struct exchange_batch *b, struct err *e)
{
    bool any = g->keeps_references;
    for (size_t i = b->from; i < b->upto && !any; i++) {
        const struct exchange_item *it = &b->items[i];
        const struct stix_object *o = &it->object;
        struct stix_local local = {0};
        if (!it->go)
            continue;
        if (!it->plain && !gate_local(g, o->json, &local, e))
            return false;
        any = local.count || o->granular ||
              (str_eq(o->type, STR("extension-definition")) &&
               json_get(o->json, STR("x_setu_local_only")));
        gate_next(g);
    }
    return !any || gate_need_references(g, e);
}

bool exchange_arrive(struct gate *g, struct exchange_batch *b, struct err *e)
{
    if (!gate_act_for(g, &b->who, e) || !expect_copies(g, b, e))
        return false;
    for (size_t i = b->from; i < b->upto; i++) {
        struct exchange_item *it = &b->items[i];
        if (it->go && !arrive_item(g, b, it, e))
            return false;
        if (it->result.outcome == EXCHANGE_REFUSED && !it->stands &&
            !record_item(g, LEDGER_REFUSAL_RECORD, b, it, e))
            return false;
        if (it->result.outcome == EXCHANGE_QUARANTINED &&
            !record_item(g, LEDGER_QUARANTINE_RECORD, b, it, e))
            return false;
        gate_next(g);
    }
    g->definitions = NULL; /* newer ones may have come with these */
    for (size_t i = b->from; i < b->upto; i++) {
        if (b->items[i].go && b->items[i].stands && !settle_item(g, b, &b->items[i], e))
            return false;
        gate_next(g);
    }
    return gate_pending(g, LIMIT_GATE_PENDING, &g->left, e) && arena_ok(b->arena, e);
}
