/* LIKE and MATCHES against one value: for judging a pattern before any observation is seen. */
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

static bool test_finds(const struct pattern_test *t, const struct sought *x)
{
    if (t->negated || !t->values || t->values->kind != PATTERN_STRING ||
        !str_eq(t->path.object_type, x->object_type) || !str_eq(t->path.text, x->path))
        return false;
    if (t->op == PATTERN_OP_LIKE)
        return like(t->values->u.s, x->value);
    return t->op == PATTERN_OP_MATCHES && matches(t->values->u.s, x->value);
}

/* Where AND joins, another test may narrow it: then none alone decides. */
static bool cmp_finds(const struct pattern_cmp *c, const struct sought *x)
{
    if (c->kind == PATTERN_CMP_TEST)
        return test_finds(c->test, x);
    for (const struct pattern_cmp *k = c->first; k && c->kind == PATTERN_CMP_OR; k = k->next)
        if (cmp_finds(k, x))
            return true;
    return false;
}

static bool obs_finds(const struct pattern_obs *o, const struct sought *x)
{
    if (o->kind == PATTERN_OBS_LEAF)
        return cmp_finds(o->cmp, x);
    if (o->kind == PATTERN_OBS_AND || o->kind == PATTERN_OBS_FOLLOWEDBY)
        return false;
    for (const struct pattern_obs *k = o->first; k; k = k->next)
        if (obs_finds(k, x))
            return true;
    return false;
}

bool pattern_finds(const struct pattern *p, struct str object_type, struct str path,
                   struct str value)
{
    struct sought x = {object_type, path, value};
    return obs_finds(p->root, &x);
}
