#include "pattern/pattern_priv.h"

struct walk {
    pattern_path_fn *each;
    void *ctx;
};

/* Recursion is bounded by LIMIT_PATTERN_DEPTH, as in the parser. */
static bool walk_cmp(const struct walk *w, const struct pattern_cmp *c)
{
    bool go_on = true;
    if (c->test)
        return w->each(w->ctx, c->test->path.object_type, c->test->path.steps->name, c->at);
    for (const struct pattern_cmp *k = c->first; k && go_on; k = k->next)
        go_on = walk_cmp(w, k);
    return go_on;
}

static bool walk_obs(const struct walk *w, const struct pattern_obs *o)
{
    bool go_on = true;
    if (o->cmp)
        return walk_cmp(w, o->cmp);
    for (const struct pattern_obs *k = o->first; k && go_on; k = k->next)
        go_on = walk_obs(w, k);
    return go_on;
}

bool pattern_paths(const struct pattern *p, pattern_path_fn *each, void *ctx)
{
    struct walk w = {each, ctx};
    return walk_obs(&w, p->root);
}
