#include <string.h>

#include "stix/stix.h"

#include "stix/stix_priv.h"

/* What holds between the objects of one document: references, versions, cycles of markings. All of
 * it goes by a hash table, so that a hostile document costs no more than its length. */

enum key_kind { BY_ID, BY_VERSION, BY_NAME };
enum colour { UNSEEN, OPEN, CLOSED };

struct entry {
    enum key_kind kind;
    struct str key;            /* an id or a name */
    uint64_t part;             /* BY_VERSION: the time in microseconds; BY_NAME: the place */
    const struct json *object; /* the first with this key; NULL: referred to, not there */
    size_t index;              /* its place in the document */
    bool several;              /* BY_ID: the document has more than one object of this id */
    bool revoked;
    bool marking;       /* BY_ID: `object` is a marking definition */
    int64_t revoked_us; /* the first version that is revoked */
    /* Walking marking definitions: state, where from, what is left to follow. */
    enum colour colour;
    size_t from;
    const struct json *refs, *granular;
};

/* A free slot has entry 0; `tag` is the upper half of the hash, which spares looking. */
struct slot {
    uint32_t entry, tag;
};

struct known {
    struct entry *entries;
    struct slot *slots;
    size_t count, room, slot_count;
    uint64_t seed;              /* so that nobody can write ids that collide */
    bool failed;                /* no memory: what depends on the table is left out and said so */
    bool several, translations; /* the document has ids with several objects; translations */
    struct str last;            /* the id that was found last */
};

static uint64_t hash_of(const struct known *k, enum key_kind kind, struct str key, uint64_t part)
{
    return str_hash(key, k->seed ^ (part * 4 + (uint64_t)kind));
}

static size_t slot_for(const struct known *k, enum key_kind kind, struct str key, uint64_t part,
                       uint64_t hash)
{
    size_t i = (size_t)hash & (k->slot_count - 1);
    for (;; i = (i + 1) & (k->slot_count - 1)) {
        if (k->slots[i].entry == 0)
            return i;
        if (k->slots[i].tag != (uint32_t)(hash >> 32))
            continue;
        const struct entry *e = &k->entries[k->slots[i].entry - 1];
        if (e->kind == kind && e->part == part && str_eq(e->key, key))
            return i;
    }
}

static bool grow_slots(struct known *k, size_t least)
{
    size_t count = k->slot_count ? k->slot_count : 1024, bytes;
    while (count < least * 2 && count < UINT32_MAX / 4)
        count *= 2;
    if (count < least * 2 || !size_mul(count, sizeof(k->slots[0]), &bytes))
        return false;
    struct slot *slots = base_alloc(bytes);
    if (slots == NULL)
        return false;
    base_free(k->slots);
    k->slots = slots;
    k->slot_count = count;
    for (size_t i = 0; i < k->count; i++) {
        const struct entry *e = &k->entries[i];
        uint64_t hash = hash_of(k, e->kind, e->key, e->part);
        k->slots[slot_for(k, e->kind, e->key, e->part, hash)] =
            (struct slot){(uint32_t)i + 1, (uint32_t)(hash >> 32)};
    }
    return true;
}

static struct entry *find(const struct known *k, enum key_kind kind, struct str key, uint64_t part)
{
    if (k->slot_count == 0)
        return NULL;
    uint32_t i = k->slots[slot_for(k, kind, key, part, hash_of(k, kind, key, part))].entry;
    return i ? &k->entries[i - 1] : NULL;
}

/* The entry of that key; `*made` says that it is new. NULL without memory. */
static struct entry *enter(struct known *k, enum key_kind kind, struct str key, uint64_t part,
                           bool *made)
{
    void *entries = k->entries;
    *made = false;
    if ((k->count + 1) * 2 > k->slot_count && !grow_slots(k, (k->count + 1) * 2))
        k->failed = true;
    if (!k->failed && !base_grow(&entries, &k->room, k->count + 1, sizeof(k->entries[0])))
        k->failed = true;
    k->entries = entries;
    if (k->failed)
        return NULL;
    uint64_t hash = hash_of(k, kind, key, part);
    struct slot *slot = &k->slots[slot_for(k, kind, key, part, hash)];
    if (slot->entry == 0) {
        *made = true;
        k->entries[k->count] = (struct entry){.kind = kind, .key = key, .part = part};
        *slot = (struct slot){(uint32_t)++k->count, (uint32_t)(hash >> 32)};
    }
    return &k->entries[slot->entry - 1];
}

/* ---- first pass: what is there ---- */

static void learn(struct known *k, const struct json *v, size_t index)
{
    bool made;
    if (v->next != NULL)
        __builtin_prefetch(v->next->u.child);
    const struct json *id = json_get(v, STR("id"));
    struct entry *e = json_is(id, JSON_STRING) ? enter(k, BY_ID, id->u.s, 0, &made) : NULL;
    if (e == NULL)
        return;
    if (made) {
        e->object = v;
        e->index = index;
    } else {
        e->several = k->several = true;
    }
}

static void learn_marking(struct check *c, const struct json *v)
{
    struct entry *e = find(c->known, BY_ID, c->id, 0);
    if (e != NULL && e->object == v)
        e->marking = true;
}

/* ---- second pass: each object against the others ---- */

void stix_known_ref(struct check *c, const struct json *ref)
{
    bool made;
    if (str_eq(c->known->last, ref->u.s) || stix_tlp_of_id(ref->u.s) != STIX_TLP_NONE)
        return;
    /* What is missing is entered, so that it is said once. */
    if (enter(c->known, BY_ID, ref->u.s, 0, &made) == NULL)
        return;
    c->known->last = ref->u.s;
    if (made)
        stix_note(c, STIX_WARNING, "3.3", "dangling-reference", ref,
                  "%.*s is not in this document; readers must find it elsewhere",
                  STR_FMT(ref->u.s));
}

bool stix_known_first(struct check *c, const struct stix_shape *place, struct str name)
{
    bool made;
    if (c->known == NULL || enter(c->known, BY_NAME, name, (uintptr_t)place, &made) == NULL)
        return true;
    return made;
}

/* A property that may be left out because it has its default value (§3.6). */
static bool is_default(const struct json *m)
{
    return (m->type == JSON_FALSE && stix_word_in("defanged revoked summary", m->key)) ||
           (m->type == JSON_STRING && str_eq(m->key, STR("lang")) && str_eq(m->u.s, STR("en"))) ||
           (m->type == JSON_STRING && str_eq(m->key, STR("spec_version")));
}

/* The same moment may be written with more or fewer digits. */
static bool same_instant(const struct json *a, const struct json *b)
{
    struct instant x, y;
    struct err e;
    return json_is(a, JSON_STRING) && json_is(b, JSON_STRING) && instant_parse(a->u.s, &x, &e) &&
           instant_parse(b->u.s, &y, &e) && instant_cmp(x, y) == 0;
}

/* By canonical form: the order of members is not the sender's way to make the comparison slow. */
static bool same_value(struct check *c, const struct json *a, const struct json *b)
{
    struct err e;
    if (stix_word_in("created modified", a->key) && same_instant(a, b))
        return true;
    if (a->type != b->type || (a->type != JSON_OBJECT && a->type != JSON_ARRAY))
        return json_equal(a, b);
    buf_clear(&c->canonical);
    if (!json_canonical(a, &c->canonical, &e))
        return false;
    size_t n = c->canonical.n;
    if (!json_canonical(b, &c->canonical, &e))
        return false;
    struct str both = buf_view(&c->canonical);
    return str_eq(str_slice(both, 0, n), str_from(both, n));
}

static bool covers(struct check *c, const struct json *a, const struct json *b)
{
    const struct json *n = b->u.child; /* members mostly stand in the same order */
    for (const struct json *m = a->u.child; m != NULL; m = m->next) {
        const struct json *other = n;
        if (n == NULL || !str_eq(n->key, m->key)) {
            if (!stix_spend(c, b->count, m))
                return true;
            other = json_get(b, m->key);
        }
        if (other == NULL ? !is_default(m) : !same_value(c, m, other))
            return false;
        n = other ? other->next : n;
    }
    return true;
}

static bool same_text(const struct json *a, const struct json *b, struct str name)
{
    return str_eq(json_get_str(a, name), json_get_str(b, name));
}

static void check_same_version(struct check *c, const struct stix_object *o)
{
    bool made;
    struct entry *e = enter(c->known, BY_VERSION, o->id, (uint64_t)o->version_us, &made);
    if (made)
        e->object = o->json;
    if (e == NULL || made || (covers(c, o->json, e->object) && covers(c, e->object, o->json)))
        return;
    /* An observable has no versions; two accounts of one differ in what they know of it. */
    bool versioned = o->class != STIX_SCO;
    stix_note(c, versioned ? STIX_ERROR : STIX_WARNING, "3.6", "same-version-differs", o->json,
              versioned ? "this version stands in the document twice with different content; give "
                          "a change a new `modified`"
                        : "this observable stands in the document twice with different content");
}

static void check_versions(struct check *c, const struct stix_object *o, const struct entry *e)
{
    if (o->class == STIX_SCO)
        return;
    if (!same_instant(json_get(o->json, STR("created")), json_get(e->object, STR("created"))))
        stix_note(c, STIX_ERROR, "3.2", "created-changes", o->json,
                  "`created` must be the same in all versions of an object");
    if (!same_text(o->json, e->object, STR("created_by_ref")))
        stix_note(c, STIX_ERROR, "3.6", "creator-changes", o->json,
                  "only the creator makes versions: `created_by_ref` must stay the same");
    if (e->revoked && o->version_us > e->revoked_us)
        stix_note(c, STIX_ERROR, "3.6", "version-after-revocation", o->json,
                  "an earlier version is revoked and revoking is permanent; make a new object");
}

/* STIX 2.1 §7.1.1: a translation mirrors what it translates. */
static void check_mirror(struct check *c, const struct json *t, const struct json *original)
{
    bool list = t->type == JSON_ARRAY, object = t->type == JSON_OBJECT;
    stix_push(c, t);
    if (t->type != original->type)
        stix_note(c, STIX_ERROR, "7.1", "translation-form", t, "expected %s as in the original",
                  json_type_name(original->type));
    else if (list && t->count != original->count)
        stix_note(c, STIX_ERROR, "7.1", "translation-length", t,
                  "the list must be as long as in the original: %u; leave \"\" where nothing is "
                  "translated",
                  original->count);
    for (const struct json *m = object ? t->u.child : NULL; m != NULL; m = m->next) {
        if (!stix_spend(c, original->count, m))
            break;
        const struct json *o = json_get(original, m->key);
        if (o != NULL)
            check_mirror(c, m, o);
    }
    stix_pop(c);
}

/* The object that a translation speaks of, or NULL. */
static const struct json *original_of(struct check *c, const struct json *v)
{
    const struct json *modified = json_get(v, STR("object_modified"));
    struct str id = json_get_str(v, STR("object_ref"));
    const struct entry *e = find(c->known, BY_ID, id, 0);
    struct stix_object o;
    struct instant at;
    struct err err;
    if (e == NULL || e->object == NULL)
        return NULL;
    if (!json_is(modified, JSON_STRING) || !instant_parse(modified->u.s, &at, &err))
        return e->several ? NULL : e->object;
    if (!e->several && stix_object_read(e->object, &o, &err) && o.version_us == instant_us(at))
        return e->object;
    e = e->several ? find(c->known, BY_VERSION, id, (uint64_t)instant_us(at)) : NULL;
    if (e == NULL)
        stix_note(c, STIX_ERROR, "7.1", "object-modified", modified,
                  "no version of %.*s in this document has that `modified`", STR_FMT(id));
    return e ? e->object : NULL;
}

static void check_translation(struct check *c, const struct json *v)
{
    const struct json *contents = json_get(v, STR("contents")), *original = NULL;
    if (str_eq(json_get_str(v, STR("type")), STR("language-content")))
        original = original_of(c, v);
    if (original == NULL || !json_is(contents, JSON_OBJECT))
        return;
    stix_push(c, contents);
    for (const struct json *l = contents->u.child; l != NULL; l = l->next)
        if (l->type == JSON_OBJECT)
            check_mirror(c, l, original);
    stix_pop(c);
}

/* ---- cycles of marking definitions (§3.2) ---- */

static const struct json *next_marking(struct entry *e)
{
    while (e->refs != NULL || e->granular != NULL) {
        const struct json *ref = e->refs;
        if (ref != NULL) {
            e->refs = ref->next;
        } else {
            ref = json_get(e->granular, STR("marking_ref"));
            e->granular = e->granular->next;
        }
        if (json_is(ref, JSON_STRING))
            return ref;
    }
    return NULL;
}

static void open_entry(struct entry *e, size_t from)
{
    const struct json *refs = json_get(e->object, STR("object_marking_refs"));
    const struct json *granular = json_get(e->object, STR("granular_markings"));
    e->colour = OPEN;
    e->from = from;
    e->refs = json_is(refs, JSON_ARRAY) ? refs->u.child : NULL;
    e->granular = json_is(granular, JSON_ARRAY) ? granular->u.child : NULL;
}

/* Depth first without recursion: the way back is kept in the entries. */
static void walk_markings(struct check *c, size_t start)
{
    struct known *k = c->known;
    size_t at = start;
    open_entry(&k->entries[start], start);
    for (;;) {
        const struct json *ref = next_marking(&k->entries[at]);
        if (ref == NULL) {
            k->entries[at].colour = CLOSED;
            if (at == start)
                return;
            at = k->entries[at].from;
            continue;
        }
        struct entry *to = find(k, BY_ID, ref->u.s, 0);
        size_t next = to ? (size_t)(to - k->entries) : at;
        if (next == at || !to->marking)
            continue; /* itself: said when it was checked alone */
        if (to->colour == OPEN) {
            c->id = k->entries[at].key;
            c->findings = 0;
            stix_push_index(c, k->entries[at].index);
            stix_note(c, STIX_ERROR, "3.2", "marking-cycle", ref,
                      "marking definitions mark each other in a circle; remove this reference");
            stix_pop(c);
        } else if (to->colour == UNSEEN) {
            open_entry(to, at);
            at = next;
        }
    }
}

/* ---- documents ---- */

static void check_envelope(struct check *c, const struct json *doc)
{
    const struct json *more = json_get(doc, STR("more")), *next = json_get(doc, STR("next"));
    if (more != NULL && more->type != JSON_TRUE && more->type != JSON_FALSE)
        stix_note(c, STIX_ERROR, "taxii21-3.7", "more", more, "`more` must be true or false");
    if (next != NULL && next->type != JSON_STRING)
        stix_note(c, STIX_ERROR, "taxii21-3.7", "next", next, "`next` must be a string");
}

typedef void between_fn(struct check *c, const struct json *v);

/* Calls `each` for the objects in their places. */
static void for_each(struct check *c, const struct json *first, between_fn *each)
{
    size_t index = 0;
    for (const struct json *v = first; v != NULL; v = v->next) {
        c->id = json_get_str(v, STR("id"));
        c->findings = 0;
        stix_push_index(c, index++);
        each(c, v);
        stix_pop(c);
    }
}

static void find_revoked(struct check *c, const struct json *v)
{
    struct entry *e = find(c->known, BY_ID, c->id, 0);
    struct stix_object o;
    struct err err;
    if (e == NULL || !e->several || !stix_object_read(v, &o, &err) || !o.revoked)
        return;
    if (!e->revoked || o.version_us < e->revoked_us)
        e->revoked_us = o.version_us;
    e->revoked = true;
}

static void check_between(struct check *c, const struct json *v)
{
    const struct entry *e = find(c->known, BY_ID, c->id, 0);
    struct stix_object o;
    struct err err;
    if (e == NULL || !e->several || !stix_object_read(v, &o, &err))
        return;
    if (e->object != NULL)
        check_versions(c, &o, e);
    check_same_version(c, &o);
}

static void check_objects(struct check *c, const struct json *doc, const struct json *first,
                          enum stix_container kind)
{
    size_t index = 0;
    if (kind != STIX_IN_ARRAY)
        stix_push(c, json_get(doc, STR("objects")));
    for (const struct json *v = first; v != NULL; v = v->next)
        learn(c->known, v, index++);
    index = 0;
    for (const struct json *v = first; v != NULL; v = v->next) {
        stix_push_index(c, index++);
        stix_check_one(c, v);
        if (c->set == STIX_IN_BUNDLE_OBJECT)
            stix_note(c, STIX_ERROR, "8", "nested-bundle", v,
                      "a bundle is no STIX object; put its objects here instead");
        c->known->translations |= c->set == STIX_IN_LANGUAGE_CONTENT;
        if (c->set == STIX_IN_MARKING_DEFINITION)
            learn_marking(c, v);
        stix_pop(c);
    }
    if (c->known->several) {
        for_each(c, first, find_revoked);
        for_each(c, first, check_between);
    }
    if (c->known->translations)
        for_each(c, first, check_translation);
    for (size_t i = 0; i < c->known->count; i++)
        if (c->known->entries[i].marking && c->known->entries[i].colour == UNSEEN)
            walk_markings(c, i);
    if (c->known->failed)
        stix_note(c, STIX_ERROR, "3.3", "not-checked", doc,
                  "there was no memory to compare the objects with each other; split the document");
    if (kind != STIX_IN_ARRAY)
        stix_pop(c);
}

size_t stix_document_check(const struct json *doc, const struct stix_check_options *o,
                           stix_finding_fn *report, void *ctx)
{
    struct known known = {0};
    struct check c;
    enum stix_container kind;
    const struct json *first;
    size_t count;
    struct err e;
    stix_check_init(&c, o, report, ctx);
    if (!stix_container_open(doc, &kind, &first, &count, &e)) {
        stix_note(&c, STIX_ERROR, "8", "container", doc, "%s", e.msg);
    } else if (kind == STIX_IN_ITSELF) {
        c.alone = true;
        stix_check_one(&c, first);
    } else {
        if (kind == STIX_IN_BUNDLE)
            stix_check_one(&c, doc);
        else if (kind == STIX_IN_ENVELOPE)
            check_envelope(&c, doc);
        base_random(&known.seed, sizeof(known.seed));
        c.known = &known;
        if (first != NULL && !grow_slots(&known, count * 2))
            known.failed = true;
        if (first != NULL)
            check_objects(&c, doc, first, kind);
    }
    stix_check_done(&c);
    base_free(known.slots);
    base_free(known.entries);
    return c.errors;
}
