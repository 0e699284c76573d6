/* Redacted copies as stored objects: their versions, their rows, the marking that names them. */
#include <string.h>

#include "exchange/gate_priv.h"

/* ---- which version a copy is ---- */

/* The stored copies of one id that were made of one original, the latest first. */
struct version {
    struct version *next;
    struct str version, bytes;
    int64_t object, version_us;
};

struct versions {
    struct arena *a;
    struct str id;
    struct version *list;
};

static bool note_version(void *ctx, const struct store_object *o)
{
    struct versions *l = ctx;
    struct version *v = str_eq(o->id, l->id) ? arena_calloc(l->a, 1, sizeof *v) : NULL;
    if (!v)
        return true;
    *v = (struct version){l->list, arena_str(l->a, o->version), arena_str(l->a, o->bytes),
                          o->object, o->version_us};
    l->list = v;
    return true;
}

static bool is_released(const struct gate_subject *s, int64_t object)
{
    for (const struct gate_row *r = s->rows; r; r = r->next)
        if (r->row.object == object)
            return true;
    return false;
}

/* STIX 2.1 §3.6: one id and `modified` have one content. What was made of this original before has
 * other content when what it refers to has changed since, or who can have that: then the copy gets
 * a version of its own, a millisecond later. What nobody has any more does not come back under an
 * older version than they were given since. */
bool gate_copy(struct gate *g, const struct gate_subject *s, const struct policy_view *v,
               struct policy_copy_options *o, struct policy_copy *out, struct err *e)
{
    char text[INSTANT_TEXT_BYTES];
    const struct json *object = s->object->json;
    struct versions l = {.a = g->arena};
    if (!policy_copy_make(v, object, s->source, o, out, e))
        return false;
    if (out->kind != POLICY_COPY_MADE || !s->object->has_version || s->row == 0)
        return true;
    l.id = out->id;
    if (!store_derived_copies(g->store, s->row, note_version, &l, e) || !arena_ok(g->arena, e))
        return false;
    if (!l.list)
        return true;
    for (const struct version *c = l.list; c; c = c->next) {
        if (c != l.list && !is_released(s, c->object))
            continue;
        o->modified = c->version;
        if (!policy_copy_make(v, object, s->source, o, out, e))
            return false;
        if (str_eq(c->bytes, out->bytes))
            return true;
    }
    o->modified = instant_text(instant_of_us(l.list->version_us + 1000), 3, text);
    return policy_copy_make(v, object, s->source, o, out, e);
}

/* ---- rows ---- */

struct found {
    const struct gate_share *share;
    int64_t object, version_us;
};

static bool note_same(void *ctx, const struct store_object *o)
{
    struct found *f = ctx;
    /* Others may have submitted the like: that is theirs. */
    if (o->copy && str_eq(o->id, f->share->copy_id) && str_eq(o->bytes, f->share->copy_bytes)) {
        f->object = o->object;
        f->version_us = o->version_us;
    }
    return f->object == 0;
}

static bool find_copy(struct gate *g, const struct gate_subject *s, struct found *f, struct err *e)
{
    if (s->object->class == STIX_SCO)
        return store_object_versions(g->store, f->share->copy_id, note_same, f, e);
    return s->row == 0 || store_derived_copies(g->store, s->row, note_same, f, e);
}

/* The stored copy with a share's bytes; 0 when there is none yet. An observable's copy may have
 * been made of another original. */
bool gate_copy_row(struct gate *g, const struct gate_subject *s, const struct gate_share *share,
                   int64_t *row, struct err *e)
{
    struct found f = {.share = share};
    if (!find_copy(g, s, &f, e))
        return false;
    *row = f.object;
    return true;
}

static bool home_org(struct gate *g, int64_t *id, struct err *e)
{
    const struct exchange_config *c = &g->x->config;
    return store_org_put(g->store, c->nation, c->org, STR_NONE, id, e);
}

/* Stores the copy of a share, and what leads from one to the other. */
bool gate_copy_put(struct gate *g, const struct gate_subject *s, const struct gate_share *share,
                   struct store_object *out, struct err *e)
{
    const struct json *v;
    struct stix_object made;
    struct store_copy link = {
        .origin_id = s->object->id, .copy_id = share->copy_id, .varied = share->varied};
    struct found f = {.share = share, .version_us = g->now_us};
    int64_t org;
    if (!json_parse(g->json, g->arena, share->copy_bytes, false, &v, e) ||
        !stix_object_read(v, &made, e) || !home_org(g, &org, e) || !find_copy(g, s, &f, e))
        return false;
    *out = (struct store_object){
        .object = f.object,
        .name = store_name(g->store, made.id),
        .source_org = org,
        .owner_org = org,
        .received_us = g->now_us,
        .version_us = made.has_version ? made.version_us : f.version_us,
        .has_version = made.has_version,
        .revoked = made.revoked,
        .tlp = (unsigned)made.tlp,
        .copy = true,
        .id = made.id,
        .version = made.has_version ? made.version : STR_NONE,
        .type = made.type,
        .bytes = share->copy_bytes,
    };
    if (f.object == 0 && !store_object_add(g->store, out, e))
        return false;
    g->has_copies = true;
    if (share->group->view)
        memcpy(link.profile, share->group->view->profile, sizeof link.profile);
    return store_derived_put(g->store, s->row, out->object, e) &&
           store_copy_put(g->store, &link, e);
}

/* ---- the marking that says what they are ---- */

struct marked {
    struct gate *g;
    int64_t collection;
    struct str readers;
    bool failed;
    struct err *e;
};

static bool add_marked(void *ctx, const struct store_release *r)
{
    struct marked *m = ctx;
    if (r->collection == m->collection)
        m->failed =
            !gate_combine(m->g, r->audience_text, m->readers, POLICY_EITHER, &m->readers, m->e);
    return !m->failed;
}

static bool note_row(void *ctx, const struct store_object *o)
{
    *(int64_t *)ctx = o->object;
    return false;
}

/* Everybody who reads a copy can read the definition of its marking. It is stored like a copy: no
 * rule decides about it. */
bool gate_copy_marking(struct gate *g, int64_t collection, struct str audience, struct err *e)
{
    struct marked m = {.g = g, .collection = collection, .readers = STR(""), .e = e};
    struct store_object o = {.received_us = g->now_us, .copy = true};
    struct stix_object read;
    const struct json *v;
    struct str missing;
    int64_t date;
    if (!json_parse(g->json, g->arena, policy_copy_marking_bytes(), false, &v, e) ||
        !stix_object_read(v, &read, e) ||
        !store_object_versions(g->store, read.id, note_row, &o.object, e))
        return false;
    o.id = read.id;
    o.name = store_name(g->store, read.id);
    o.type = read.type;
    o.has_version = read.has_version;
    o.version = read.version;
    o.version_us = read.version_us;
    o.bytes = policy_copy_marking_bytes();
    if (o.object == 0) {
        if (!home_org(g, &o.source_org, e))
            return false;
        o.owner_org = o.source_org;
        if (!store_object_add(g->store, &o, e))
            return false;
    }
    if (!store_release_each(g->store, o.object, add_marked, &m, e) || m.failed ||
        !gate_combine(g, audience, m.readers, POLICY_WITHOUT, &missing, e))
        return false;
    if (missing.n == 0)
        return true;
    struct gate_told t = {.id = read.id,
                          .version = read.has_version ? read.version : STR_NONE,
                          .bytes = o.bytes,
                          .audience = missing};
    if (!store_audience_put(g->store, missing, &t.readers, e) ||
        !gate_collection(g, collection, &t.collection, e))
        return false;
    o.leaf = gate_next_leaf(g);
    return gate_record_object(g, LEDGER_RELEASE_RECORD, &t, e) &&
           store_release_add(g->store, collection, t.readers, &o, &date, e);
}
