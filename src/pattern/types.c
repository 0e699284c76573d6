#include "pattern/parse_priv.h"

/* The object types an expression can be true of. More than TYPES_MOST are not told apart. */
enum { TYPES_MOST = 8 };
struct types {
    bool any;
    size_t n;
    struct str type[TYPES_MOST];
};

static bool has(const struct types *set, struct str type)
{
    for (size_t i = 0; i < set->n; i++)
        if (str_eq(set->type[i], type))
            return true;
    return set->any;
}

static void add(struct types *set, const struct types *more)
{
    for (size_t i = 0; i < more->n; i++) {
        if (has(set, more->type[i]))
            continue;
        if (set->n == TYPES_MOST) {
            set->any = true;
            return;
        }
        set->type[set->n++] = more->type[i];
    }
    set->any = set->any || more->any;
}

static void intersect(struct types *set, const struct types *other)
{
    size_t n = 0;
    if (set->any) {
        *set = *other;
        return;
    }
    for (size_t i = 0; i < set->n; i++)
        if (has(other, set->type[i]))
            set->type[n++] = set->type[i];
    set->n = n;
}

static bool none(const struct types *set)
{
    return set->n == 0 && !set->any;
}

/* Recursion is bounded by LIMIT_PATTERN_DEPTH, as in the parser. */
static void types_of(struct pattern_parser *p, const struct pattern_cmp *c, struct types *out)
{
    bool all = c->kind == PATTERN_CMP_AND, known = false;
    *out = (struct types){.any = all};
    if (c->kind == PATTERN_CMP_TEST) {
        out->type[out->n++] = c->test->path.object_type;
        return;
    }
    for (const struct pattern_cmp *k = c->first; k; k = k->next) {
        struct types its;
        types_of(p, k, &its);
        known = known || none(&its); /* noted within */
        if (all)
            intersect(out, &its);
        else
            add(out, &its);
    }
    if (all && none(out) && !known)
        pattern_note_add(p, PATTERN_NOTE_TYPES_DIFFER, c->at);
}

void pattern_types_check(struct pattern_parser *p, const struct pattern_cmp *c)
{
    struct types ignored;
    types_of(p, c, &ignored);
}
