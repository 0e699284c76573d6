#include "pattern/pattern_priv.h"

static bool same_const(const struct pattern_const *a, const struct pattern_const *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case PATTERN_STRING:
    case PATTERN_HEX:
    case PATTERN_BINARY:
        return str_eq(a->u.s, b->u.s);
    case PATTERN_INTEGER:
        return a->u.i == b->u.i;
    case PATTERN_FLOAT:
        return str_eq(a->u.f.text, b->u.f.text);
    case PATTERN_BOOLEAN:
        return a->u.b == b->u.b;
    case PATTERN_TIMESTAMP:
        return instant_cmp(a->u.t, b->u.t) == 0;
    }
    return false;
}

static bool same_path(const struct pattern_path *a, const struct pattern_path *b)
{
    const struct pattern_step *x = a->steps, *y = b->steps;
    for (; x && y; x = x->next, y = y->next)
        if (x->kind != y->kind || x->index != y->index || !str_eq(x->name, y->name))
            return false;
    return !x && !y && str_eq(a->object_type, b->object_type) && str_eq(a->text, b->text);
}

static bool same_test(const struct pattern_test *a, const struct pattern_test *b)
{
    const struct pattern_const *x = a->values, *y = b->values;
    for (; x && y; x = x->next, y = y->next)
        if (!same_const(x, y))
            return false;
    return !x && !y && a->op == b->op && a->negated == b->negated && same_path(&a->path, &b->path);
}

static bool same_cmp(const struct pattern_cmp *a, const struct pattern_cmp *b)
{
    const struct pattern_cmp *x = a->first, *y = b->first;
    if (a->kind != b->kind || (a->test && !same_test(a->test, b->test)))
        return false;
    for (; x && y; x = x->next, y = y->next)
        if (!same_cmp(x, y))
            return false;
    return !x && !y;
}

static bool same_qualifiers(const struct pattern_qualifier *a, const struct pattern_qualifier *b)
{
    for (; a && b; a = a->next, b = b->next) {
        if (a->kind != b->kind || a->times != b->times || instant_cmp(a->start, b->start) ||
            instant_cmp(a->stop, b->stop))
            return false;
        if (a->kind == PATTERN_WITHIN && !same_const(&a->seconds, &b->seconds))
            return false;
    }
    return !a && !b;
}

static bool same_obs(const struct pattern_obs *a, const struct pattern_obs *b)
{
    const struct pattern_obs *x = a->first, *y = b->first;
    if (a->kind != b->kind || !same_qualifiers(a->qualifiers, b->qualifiers) ||
        (a->cmp && !same_cmp(a->cmp, b->cmp)))
        return false;
    for (; x && y; x = x->next, y = y->next)
        if (!same_obs(x, y))
            return false;
    return !x && !y;
}

bool pattern_equal(const struct pattern *a, const struct pattern *b)
{
    return same_obs(a->root, b->root);
}
