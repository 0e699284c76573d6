#include "stix/stix.h"

#include <string.h>

#include "stix/stix_priv.h"

/* STIX 2.1 §2.9: an RFC 4122 UUID, so version 1 to 5 and variant 10x. */
static bool uuid_ok(struct str u, struct err *e)
{
    static const char shape[] = "xxxxxxxx-xxxx-Vxxx-Nxxx-xxxxxxxxxxxx";
    if (u.n != sizeof(shape) - 1)
        return err_set(e, ERR_INVALID, "the UUID of an identifier has 36 characters, not %zu", u.n);
    bool good =
        u.p[14] >= '1' && u.p[14] <= '5' &&
        (u.p[19] == '8' || u.p[19] == '9' || (u.p[19] | 0x20) == 'a' || (u.p[19] | 0x20) == 'b');
    for (size_t i = 0; i < u.n; i++)
        good &= shape[i] == '-' ? u.p[i] == '-' : stix_is_hex(u.p[i]);
    return good || err_set(e, ERR_INVALID, "the UUID of an identifier must follow RFC 4122");
}

/* STIX 2.1 §3.1: a type name is 3 to 250 characters of a-z, 0-9 and hyphen, begins with a letter
 * and has no two hyphens in a row. */
bool stix_type_name_ok(struct str type)
{
    if (type.n < 3 || type.n > LIMIT_STIX_TYPE_BYTES || !stix_is_lower(type.p[0]))
        return false;
    for (size_t i = 0; i < type.n; i++) {
        char c = type.p[i];
        if (!stix_is_lower(c) && !stix_is_digit(c) && (c != '-' || type.p[i - 1] == '-'))
            return false;
    }
    return true;
}

bool stix_id_parse(struct str id, struct str *type, struct err *e)
{
    if (id.n > LIMIT_STIX_ID_BYTES)
        return err_set(e, ERR_INVALID, "the identifier has over %d bytes", LIMIT_STIX_ID_BYTES);
    size_t cut = 0;
    while (cut + 1 < id.n && (id.p[cut] != '-' || id.p[cut + 1] != '-'))
        cut++;
    if (cut + 1 >= id.n)
        return err_set(e, ERR_INVALID, "an identifier is a type name, two hyphens and a UUID");
    struct str name = str_slice(id, 0, cut);
    if (!stix_type_name_ok(name))
        return err_set(e, ERR_INVALID,
                       "the type of an identifier is 3 to 250 characters of a-z, 0-9 and hyphen");
    if (!uuid_ok(str_from(id, cut + 2), e)) {
        e->at = cut + 2;
        return false;
    }
    if (type != NULL)
        *type = name;
    return true;
}

static bool is(const struct json *v, enum json_type type)
{
    return v != NULL && v->type == type;
}

/* The members that stix_object_read looks at, found in one pass. */
struct members {
    const struct json *type, *id, *spec_version, *created, *modified, *created_by_ref, *revoked;
    const struct json *object_marking_refs, *granular_markings, *labels, *extensions;
};

/* The slot of a name; names are told apart by their length first. */
static const struct json **member_slot(struct members *m, struct str name)
{
#define IS(x) (memcmp(name.p, #x, sizeof(#x) - 1) == 0 ? &m->x : NULL)
    switch (name.n) {
    case sizeof("id") - 1:
        return IS(id);
    case sizeof("type") - 1:
        return IS(type);
    case sizeof("labels") - 1:
        return IS(labels);
    case sizeof("created") - 1:
        return name.p[0] == 'c' ? IS(created) : IS(revoked);
    case sizeof("modified") - 1:
        return IS(modified);
    case sizeof("extensions") - 1:
        return IS(extensions);
    case sizeof("spec_version") - 1:
        return IS(spec_version);
    case sizeof("created_by_ref") - 1:
        return IS(created_by_ref);
    case sizeof("granular_markings") - 1:
        return IS(granular_markings);
    case sizeof("object_marking_refs") - 1:
        return IS(object_marking_refs);
    default:
        return NULL;
    }
#undef IS
}

static void members_find(const struct json *v, struct members *m)
{
    *m = (struct members){0};
    for (const struct json *k = v->u.child; k != NULL; k = k->next) {
        const struct json **slot = member_slot(m, k->key);
        if (slot != NULL)
            *slot = k;
    }
}

static enum stix_tlp stricter(enum stix_tlp a, enum stix_tlp b)
{
    return a > b ? a : b;
}

static enum stix_tlp tlp_of_refs(const struct json *refs)
{
    enum stix_tlp t = STIX_TLP_NONE;
    if (!is(refs, JSON_ARRAY))
        return t;
    for (const struct json *r = refs->u.child; r != NULL; r = r->next)
        if (r->type == JSON_STRING)
            t = stricter(t, stix_tlp_of_id(r->u.s));
    return t;
}

static enum stix_tlp tlp_of_granular(const struct json *granular)
{
    enum stix_tlp t = STIX_TLP_NONE;
    if (!is(granular, JSON_ARRAY))
        return t;
    for (const struct json *g = granular->u.child; g != NULL; g = g->next) {
        const struct json *ref = json_get(g, STR("marking_ref"));
        if (is(ref, JSON_STRING))
            t = stricter(t, stix_tlp_of_id(ref->u.s));
    }
    return t;
}

/* STIX 2.1 §7.3: a type of its own says by its extension what it is. */
static enum stix_class class_of_extensions(const struct json *extensions)
{
    if (!is(extensions, JSON_OBJECT))
        return STIX_UNKNOWN;
    for (const struct json *x = extensions->u.child; x != NULL; x = x->next) {
        struct str kind = json_get_str(x, STR("extension_type"));
        if (str_eq(kind, STR("new-sdo")))
            return STIX_SDO;
        if (str_eq(kind, STR("new-sro")))
            return STIX_SRO;
        if (str_eq(kind, STR("new-sco")))
            return STIX_SCO;
    }
    return STIX_UNKNOWN;
}

static bool read_identity(const struct json *v, const struct members *m, struct stix_object *o,
                          struct err *e)
{
    if (!is(m->type, JSON_STRING))
        return err_set_at(e, ERR_INVALID, m->type ? m->type->at : v->at,
                          "an object needs a `type` that is a string");
    if (!is(m->id, JSON_STRING))
        return err_set_at(e, ERR_INVALID, m->id ? m->id->at : v->at,
                          "an object needs an `id` that is a string");
    struct str prefix;
    if (!stix_id_parse(m->id->u.s, &prefix, e)) {
        e->at = m->id->at;
        return err_prefix(e, "`id`");
    }
    if (!str_eq(prefix, m->type->u.s))
        return err_set_at(e, ERR_INVALID, m->id->at, "`id` must begin with its `type`, %.*s",
                          STR_FMT(m->type->u.s));
    o->id = m->id->u.s;
    o->type = m->type->u.s;
    o->class = stix_class_of(o->type);
    if (o->class == STIX_UNKNOWN)
        o->class = class_of_extensions(m->extensions);
    return true;
}

/* STIX 2.1 §3.6: `modified` is the version; what has none is known by `created` (§7.2.1). */
static bool read_version(const struct members *m, struct stix_object *o, struct err *e)
{
    const struct json *t = m->modified ? m->modified : m->created;
    if (o->class == STIX_SCO || o->class == STIX_BUNDLE || t == NULL)
        return true;
    struct instant at;
    if (t->type != JSON_STRING)
        return err_set_at(e, ERR_INVALID, t->at, "`%.*s` must be a timestamp", STR_FMT(t->key));
    if (!instant_parse(t->u.s, &at, e)) {
        e->code = ERR_INVALID;
        e->at = t->at;
        return err_prefix(e, "`%.*s`", STR_FMT(t->key));
    }
    o->version = t->u.s;
    o->version_us = instant_us(at);
    o->has_version = true;
    return true;
}

/* 2.0 wrote the version on the bundle; an observable of 2.1 may leave it out (§3.2). */
static struct str spec_version_of(const struct members *m, enum stix_class class)
{
    if (is(m->spec_version, JSON_STRING))
        return m->spec_version->u.s;
    if (class == STIX_SCO || class == STIX_BUNDLE)
        return STR("2.1");
    return m->created != NULL ? STR("2.0") : STR("2.1");
}

bool stix_object_read(const struct json *v, struct stix_object *out, struct err *e)
{
    struct members m;
    struct stix_object o = {.json = v};
    if (!is(v, JSON_OBJECT))
        return err_set_at(e, ERR_INVALID, v ? v->at : 0, "a STIX object must be a JSON object");
    members_find(v, &m);
    if (!read_identity(v, &m, &o, e) || !read_version(&m, &o, e))
        return false;
    o.spec_version = spec_version_of(&m, o.class);
    if (is(m.created_by_ref, JSON_STRING))
        o.created_by_ref = m.created_by_ref->u.s;
    o.revoked = is(m.revoked, JSON_TRUE);
    o.granular = is(m.granular_markings, JSON_ARRAY) && m.granular_markings->count > 0;
    o.tlp = stricter(tlp_of_refs(m.object_marking_refs), tlp_of_granular(m.granular_markings));
    o.labels = is(m.labels, JSON_ARRAY) ? m.labels : NULL;
    o.markings = is(m.object_marking_refs, JSON_ARRAY) ? m.object_marking_refs : NULL;
    o.pap = stix_pap_of(o.markings, o.labels);
    *out = o;
    return true;
}

bool stix_container_open(const struct json *doc, enum stix_container *kind,
                         const struct json **first, size_t *count, struct err *e)
{
    if (is(doc, JSON_ARRAY)) {
        *kind = STIX_IN_ARRAY;
        *first = doc->u.child;
        *count = doc->count;
        return true;
    }
    if (!is(doc, JSON_OBJECT))
        return err_set_at(e, ERR_INVALID, doc ? doc->at : 0,
                          "expected a bundle, an envelope, an array of objects or one object");
    const struct json *type = json_get(doc, STR("type"));
    const struct json *objects = json_get(doc, STR("objects"));
    bool bundle = is(type, JSON_STRING) && str_eq(type->u.s, STR("bundle"));
    if (type != NULL && !bundle) {
        *kind = STIX_IN_ITSELF;
        *first = doc;
        *count = 1;
        return true;
    }
    if (objects != NULL && objects->type != JSON_ARRAY)
        return err_set_at(e, ERR_INVALID, objects->at, "`objects` must be an array");
    /* TAXII 2.1 §3.7: an envelope may be empty or hold `more` and `next` alone. */
    if (!bundle && objects == NULL && doc->count > 0 && json_get(doc, STR("more")) == NULL)
        return err_set_at(e, ERR_INVALID, doc->at,
                          "the object has neither `type` nor `objects`: expected STIX");
    *kind = bundle ? STIX_IN_BUNDLE : STIX_IN_ENVELOPE;
    *first = objects ? objects->u.child : NULL;
    *count = objects ? objects->count : 0;
    return true;
}
