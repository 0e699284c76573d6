/* A pattern against one value: for judging it before any observation is seen. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "pattern/pattern_priv.h"

/* The value asked about. */
struct sought {
    struct str object_type, path, value;
};

/* STIX 2.1 §9.6.1: % stands for any characters, _ for one. Steps back to the last % only, so the
 * cost is bounded by the product of the lengths. */
static bool like(struct str pattern, struct str s)
{
    size_t i = 0, k = 0, star = SIZE_MAX, from = 0;
    while (k < s.n) {
        if (i < pattern.n && pattern.p[i] == '%') {
            star = i++;
            from = k;
        } else if (i < pattern.n && (pattern.p[i] == '_' || pattern.p[i] == s.p[k])) {
            i++;
            k++;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            k = ++from;
        } else {
            return false;
        }
    }
    while (i < pattern.n && pattern.p[i] == '%')
        i++;
    return i == pattern.n;
}

/* What takes more steps than this says nothing about the value. */
static bool matches(struct str regex, struct str s)
{
    const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C;
    int code;
    PCRE2_SIZE at;
    bool found = false;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)regex.p, regex.n, options, &code, &at, NULL);
    pcre2_match_data *data = re ? pcre2_match_data_create_from_pattern(re, NULL) : NULL;
    pcre2_match_context *limits = data ? pcre2_match_context_create(NULL) : NULL;
    if (limits && pcre2_set_match_limit(limits, LIMIT_PATTERN_MATCH_STEPS) == 0 &&
        pcre2_set_heap_limit(limits, LIMIT_PATTERN_MATCH_KIB) == 0)
        found = pcre2_match(re, (PCRE2_SPTR)s.p, s.n, 0, 0, data, limits) >= 0;
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    pcre2_code_free(re);
    return found;
}

/* An address is its own block: 198.51.100.7 and 198.51.100.7/32 (9.6.1). */
static bool holds_block(struct str value, struct str block)
{
    struct str length = block, address = str_cut(&length, '/');
    bool whole = !length.p || str_eq(length, STR("32")) || str_eq(length, STR("128"));
    return whole && str_eq(value, address);
}

static bool is_one_of(const struct pattern_const *c, struct str s)
{
    for (; c; c = c->next)
        if (c->kind == PATTERN_STRING && str_eq(c->u.s, s))
            return true;
    return false;
}

/* Against one string, without the NOT before the operator. */
static bool compared(enum pattern_op op, const struct pattern_const *c, struct str s)
{
    int order = str_cmp(s, c->u.s);
    switch (op) {
    case PATTERN_OP_EQ:
        return order == 0;
    case PATTERN_OP_NE:
        return order != 0;
    case PATTERN_OP_GT:
        return order > 0;
    case PATTERN_OP_LT:
        return order < 0;
    case PATTERN_OP_GE:
        return order >= 0;
    case PATTERN_OP_LE:
        return order <= 0;
    case PATTERN_OP_LIKE:
        return like(c->u.s, s);
    case PATTERN_OP_MATCHES:
        return matches(c->u.s, s);
    case PATTERN_OP_ISSUBSET: /* atoms tell blocks; behind NOT it leaves out one */
    case PATTERN_OP_ISSUPERSET:
        return holds_block(s, c->u.s);
    case PATTERN_OP_IN:
        return is_one_of(c, s);
    case PATTERN_OP_EXISTS:
        break;
    }
    return true;
}

static bool test_finds(const struct pattern_test *t, const struct sought *x)
{
    if (!str_eq(t->path.object_type, x->object_type) || !str_eq(t->path.text, x->path))
        return false;
    if (t->op == PATTERN_OP_EXISTS)
        return !t->negated;
    if (t->op == PATTERN_OP_IN && !t->values)
        return t->negated;
    if (!t->values || t->values->kind != PATTERN_STRING)
        return false;
    return compared(t->op, t->values, x->value) != t->negated;
}

/* Where AND joins, all must: what another property narrows is not judged. */
static bool cmp_finds(const struct pattern_cmp *c, const struct sought *x)
{
    bool all = c->kind == PATTERN_CMP_AND;
    if (c->kind == PATTERN_CMP_TEST)
        return test_finds(c->test, x);
    for (const struct pattern_cmp *k = c->first; k; k = k->next)
        if (cmp_finds(k, x) != all)
            return !all;
    return all;
}

static bool obs_finds(const struct pattern_obs *o, const struct sought *x)
{
    bool all = o->kind == PATTERN_OBS_AND || o->kind == PATTERN_OBS_FOLLOWEDBY;
    if (o->kind == PATTERN_OBS_LEAF)
        return cmp_finds(o->cmp, x);
    for (const struct pattern_obs *k = o->first; k; k = k->next)
        if (obs_finds(k, x) != all)
            return !all;
    return all;
}

bool pattern_finds(const struct pattern *p, struct str object_type, struct str path,
                   struct str value)
{
    struct sought x = {object_type, path, value};
    return obs_finds(p->root, &x);
}
