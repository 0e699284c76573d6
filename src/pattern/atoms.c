#include "pattern/pattern_priv.h"

struct walk {
    pattern_atom_fn *each;
    void *ctx;
    bool stopped;
    size_t undecided;
    const char *why;
};

static void undecided(struct walk *w, const char *why)
{
    if (w->undecided++ == 0)
        w->why = why;
}

/* The last name of the path, or STR_NONE when an index ends it behind no name of its own. */
static struct str last_name(const struct pattern_path *path)
{
    struct str name = STR_NONE;
    for (const struct pattern_step *s = path->steps; s; s = s->next)
        if (s->kind == PATTERN_STEP_NAME)
            name = s->name;
    return name;
}

/* Why the text of the property is not what an equality compares, or NULL when it is. */
static const char *path_why(const struct pattern_path *path)
{
    struct str name = last_name(path);
    for (const struct pattern_step *s = path->steps; s; s = s->next)
        if (s->kind == PATTERN_STEP_INDEX && s->index < 0)
            return "a negative index";
    /* §9.6.4: decoded before it is compared. */
    if (str_ends(name, STR("_bin")) || str_ends(name, STR("_hex")))
        return "a binary property";
    /* §9.7: a reference stands for the object it names, which equals no string. */
    if (str_ends(name, STR("_ref")) || str_ends(name, STR("_refs")))
        return "a reference property";
    return NULL;
}

static const char *op_why(enum pattern_op op)
{
    static const char *const texts[] = {
#define X(name, text) "the operator " text,
        PATTERN_OP_TABLE(X)
#undef X
    };
    return texts[op];
}

static const char *test_why(const struct pattern_test *t)
{
    if (t->negated)
        return "NOT";
    if (t->op != PATTERN_OP_EQ && t->op != PATTERN_OP_IN && t->op != PATTERN_OP_ISSUBSET)
        return op_why(t->op);
    if (t->values && t->values->kind != PATTERN_STRING)
        return "a constant that is no string";
    return path_why(&t->path);
}

static void walk_test(struct walk *w, const struct pattern_test *t)
{
    const char *why = test_why(t);
    if (why) {
        undecided(w, why);
        return;
    }
    for (const struct pattern_const *c = t->values; c && !w->stopped; c = c->next) {
        struct pattern_atom atom = {t->path.object_type, t->path.text, c->u.s,
                                    t->op == PATTERN_OP_ISSUBSET};
        w->stopped = !w->each(w->ctx, &atom);
    }
}

static void walk_cmp(struct walk *w, const struct pattern_cmp *c)
{
    switch (c->kind) {
    case PATTERN_CMP_TEST:
        walk_test(w, c->test);
        return;
    case PATTERN_CMP_AND:
        undecided(w, "AND between comparisons");
        return;
    case PATTERN_CMP_OR:
        for (const struct pattern_cmp *k = c->first; k && !w->stopped; k = k->next)
            walk_cmp(w, k);
        return;
    }
}

static void walk_obs(struct walk *w, const struct pattern_obs *o)
{
    if (o->qualifiers) {
        undecided(w, "a qualifier (REPEATS, WITHIN or START)");
        return;
    }
    switch (o->kind) {
    case PATTERN_OBS_LEAF:
        walk_cmp(w, o->cmp);
        return;
    case PATTERN_OBS_AND:
        undecided(w, "AND between observations");
        return;
    case PATTERN_OBS_FOLLOWEDBY:
        undecided(w, "FOLLOWEDBY");
        return;
    case PATTERN_OBS_GROUP: /* it has qualifiers */
    case PATTERN_OBS_OR:
        for (const struct pattern_obs *k = o->first; k && !w->stopped; k = k->next)
            walk_obs(w, k);
        return;
    }
}

size_t pattern_atoms(const struct pattern *p, pattern_atom_fn *each, void *ctx, const char **why)
{
    struct walk w = {.each = each, .ctx = ctx};
    walk_obs(&w, p->root);
    if (why)
        *why = w.why;
    return w.undecided;
}
