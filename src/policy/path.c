#include "policy/policy_priv.h"

/* Names of properties and keys of dictionaries (STIX 2.1 §3.1, §2.4). */
static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* .name */
static bool read_name(struct str *rest, struct path_step *step, struct err *e)
{
    size_t n = 1;
    while (n < rest->n && is_name(rest->p[n]))
        n++;
    step->name = str_slice(*rest, 1, n);
    *rest = str_from(*rest, n);
    return step->name.n > 0 ||
           err_set(e, ERR_SYNTAX, "a name of letters, digits, _ and - is missing behind a point");
}

/* [*] or [3] */
static bool read_index(struct str *rest, struct path_step *step, struct err *e)
{
    size_t end = str_find(*rest, ']');
    struct str inside = str_slice(*rest, 1, end);
    uint64_t n = SIZE_MAX;
    if (end == rest->n || inside.n > 9 || (!str_eq(inside, STR("*")) && !str_to_u64(inside, &n)))
        return err_set(e, ERR_SYNTAX, "between brackets stands * or a number");
    step->index = (size_t)n;
    *rest = str_from(*rest, end + 1);
    return true;
}

bool policy_path_read(struct arena *arena, struct str text, struct path *out, struct err *e)
{
    struct str rest = str_from(text, 1);
    size_t most = 0, n = 0;
    for (size_t i = 0; i < text.n; i++)
        most += text.p[i] == '.' || text.p[i] == '[';
    if (most > LIMIT_JSON_DEPTH)
        return err_set(e, ERR_SYNTAX, "no object is as deep as this path");
    struct path_step *steps = arena_calloc(arena, most + 1, sizeof *steps);
    if (!steps)
        return err_no(arena_ok(arena, e));
    while (rest.n > 0) {
        struct path_step *step = &steps[n];
        if (rest.p[0] != '.' && (rest.p[0] != '[' || n == 0))
            return err_set(e, ERR_SYNTAX, "a path goes on with a point and a name, or [*]");
        if (!(rest.p[0] == '.' ? read_name(&rest, step, e) : read_index(&rest, step, e)))
            return false;
        n++;
    }
    if (n == 0)
        return err_set(e, ERR_SYNTAX, "a path names a property");
    *out = (struct path){steps, n};
    return true;
}

struct looking {
    policy_path_fn *each;
    void *ctx;
};

static bool each_value(const struct looking *l, const struct json *v)
{
    if (v->type != JSON_ARRAY)
        return l->each(l->ctx, v);
    for (const struct json *i = v->u.child; i; i = i->next)
        if (l->each(l->ctx, i))
            return true;
    return false;
}

/* Depth is bounded by LIMIT_JSON_DEPTH. */
static bool look(const struct looking *l, const struct path *path, size_t at, const struct json *v)
{
    size_t index = 0;
    if (!v)
        return false;
    if (at == path->count)
        return each_value(l, v);
    const struct path_step *step = &path->steps[at];
    if (step->name.p)
        return look(l, path, at + 1, json_get(v, step->name));
    if (v->type != JSON_ARRAY)
        return false;
    for (const struct json *i = v->u.child; i; i = i->next, index++)
        if ((step->index == SIZE_MAX || step->index == index) && look(l, path, at + 1, i))
            return true;
    return false;
}

bool policy_path_any(const struct path *path, const struct json *object, policy_path_fn *each,
                     void *ctx)
{
    struct looking l = {each, ctx};
    return look(&l, path, 0, object);
}
