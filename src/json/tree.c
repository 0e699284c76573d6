#include <string.h>

#include "json/json.h"

const struct json *json_get(const struct json *v, struct str name)
{
    if (!json_is(v, JSON_OBJECT))
        return NULL;
    for (const struct json *m = v->u.child; m; m = m->next)
        if (str_eq(m->key, name))
            return m;
    return NULL;
}

struct str json_get_str(const struct json *v, struct str name)
{
    const struct json *m = json_get(v, name);
    return json_is(m, JSON_STRING) ? m->u.s : STR_NONE;
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {"null",   "false",  "true",  "integer",
                                        "number", "string", "array", "object"};
    return names[type];
}

struct str json_source(struct str text, const struct json *v)
{
    return str_slice(text, v->at, v->end);
}

static double number_of(const struct json *v)
{
    return v->type == JSON_INTEGER ? (double)v->u.i : v->u.d;
}

static bool numbers_equal(const struct json *a, const struct json *b)
{
    if (a->type == JSON_INTEGER && b->type == JSON_INTEGER)
        return a->u.i == b->u.i;
    double x = number_of(a), y = number_of(b);
    return x <= y && x >= y;
}

static bool objects_equal(const struct json *a, const struct json *b)
{
    const struct json *n = b->u.child; /* members mostly stand in the same order */
    for (const struct json *m = a->u.child; m; m = m->next) {
        const struct json *other = n && str_eq(n->key, m->key) ? n : json_get(b, m->key);
        if (!other || !json_equal(m, other))
            return false;
        n = other->next;
    }
    return true;
}

/* Depth is bounded by LIMIT_JSON_DEPTH. */
bool json_equal(const struct json *a, const struct json *b)
{
    bool a_number = a->type == JSON_INTEGER || a->type == JSON_NUMBER;
    bool b_number = b->type == JSON_INTEGER || b->type == JSON_NUMBER;
    if (a_number && b_number)
        return numbers_equal(a, b);
    if (a->type != b->type || a->count != b->count)
        return false;
    if (a->type == JSON_STRING)
        return str_eq(a->u.s, b->u.s);
    if (a->type == JSON_OBJECT)
        return objects_equal(a, b);
    if (a->type == JSON_ARRAY) {
        const struct json *y = b->u.child;
        for (const struct json *x = a->u.child; x; x = x->next, y = y->next)
            if (!json_equal(x, y))
                return false;
    }
    return true;
}
