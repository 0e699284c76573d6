/* Properties that stay local, by the definitions of the extensions that they stand in. */
#include "stix/stix.h"

#include <stdlib.h>

#include "stix/telecom_data.h"

struct str stix_telecom_definitions(void)
{
    return (struct str){(const char *)telecom_extensions, sizeof telecom_extensions - 1};
}

struct finding {
    stix_definition_fn *definition;
    void *ctx;
    struct arena *a;
    struct stix_local *out;
    struct err *e;
    size_t asked; /* for definitions */
};

static int by_place(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const struct json *const *)a;
    uintptr_t y = (uintptr_t) * (const struct json *const *)b;
    return (x > y) - (x < y);
}

bool stix_local_has(const struct stix_local *l, const struct json *node)
{
    return l && l->count &&
           bsearch(&node, l->nodes, l->count, sizeof(struct json *), by_place) != NULL;
}

static bool has_text(const struct json *list, struct str text)
{
    for (const struct json *m = json_is(list, JSON_ARRAY) ? list->u.child : NULL; m; m = m->next)
        if (m->type == JSON_STRING && str_eq(m->u.s, text))
            return true;
    return false;
}

static bool add(struct finding *f, const struct json *node)
{
    struct stix_local *l = f->out;
    if (!node)
        return true;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        const struct json **more = arena_calloc(f->a, room, sizeof *more);
        if (!more)
            return arena_ok(f->a, f->e);
        for (size_t i = 0; i < l->count; i++)
            more[i] = l->nodes[i];
        l->nodes = more;
        l->room = room;
    }
    l->nodes[l->count++] = node;
    return true;
}

/* STIX 2.1 §7.3.1: the names are those of the extension's own properties, or of the object's. */
static bool add_extension(struct finding *f, const struct json *object,
                          const struct json *extension, const struct json *definition)
{
    const struct json *names = json_get(definition, STR("x_setu_local_only"));
    bool top =
        has_text(json_get(definition, STR("extension_types")), STR("toplevel-property-extension"));
    size_t count = 0;
    if (!json_is(names, JSON_ARRAY))
        return true;
    for (const struct json *n = names->u.child; n; n = n->next)
        count++;
    if (count > LIMIT_STIX_LOCAL_NAMES)
        return add(f, extension);
    for (const struct json *n = names->u.child; n; n = n->next)
        if (n->type == JSON_STRING &&
            (!add(f, json_get(extension, n->u.s)) || (top && !add(f, json_get(object, n->u.s)))))
            return false;
    /* Where nothing else stands in it, it does not even tell that it was there. */
    for (const struct json *m = extension->u.child; m; m = m->next)
        if (top || (!str_eq(m->key, STR("extension_type")) && !has_text(names, m->key)))
            return true;
    return add(f, extension);
}

static bool is_defined(const struct json *extension)
{
    return extension->type == JSON_OBJECT &&
           str_starts(extension->key, STR("extension-definition--"));
}

/* Past the limit nobody asks any more, and all is local. */
static bool look_extensions(struct finding *f, const struct json *object, const struct json *all)
{
    if (!json_is(all, JSON_OBJECT))
        return true;
    for (const struct json *x = all->u.child; x; x = x->next) {
        const struct json *definition = NULL;
        if (!is_defined(x))
            continue;
        if (f->asked++ >= LIMIT_STIX_LOCAL_EXTENSIONS) {
            if (!add(f, x))
                return false;
        } else if (!f->definition(f->ctx, x->key, &definition, f->e) ||
                   (definition && !add_extension(f, object, x, definition))) {
            return false;
        }
    }
    return true;
}

/* Depth is bounded by LIMIT_JSON_DEPTH. */
static bool look(struct finding *f, const struct json *v)
{
    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY)
        return true;
    if (v->type == JSON_OBJECT && !look_extensions(f, v, json_get(v, STR("extensions"))))
        return false;
    for (const struct json *m = v->u.child; m; m = m->next)
        if (!look(f, m))
            return false;
    return true;
}

/* Depth is bounded by LIMIT_JSON_DEPTH. */
bool stix_local_possible(const struct json *v)
{
    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY)
        return false;
    for (const struct json *m = v->u.child; m; m = m->next) {
        if (m->type != JSON_OBJECT && m->type != JSON_ARRAY)
            continue;
        if (str_eq(m->key, STR("extensions")) && m->type == JSON_OBJECT)
            for (const struct json *x = m->u.child; x; x = x->next)
                if (is_defined(x))
                    return true;
        if (stix_local_possible(m))
            return true;
    }
    return false;
}

bool stix_local_find(const struct json *object, stix_definition_fn *definition, void *ctx,
                     struct arena *a, struct stix_local *out, struct err *e)
{
    struct stix_local list = {0};
    struct finding f = {definition, ctx, a, &list, e, 0};
    if (!look(&f, object))
        return false;
    if (list.count)
        qsort(list.nodes, list.count, sizeof(struct json *), by_place);
    *out = list;
    return true;
}
