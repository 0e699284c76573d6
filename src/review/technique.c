/* Measures of techniques: which attack patterns a side can detect, and which it has seen. */
#include <stdlib.h>

#include "packet/packet.h"
#include "review/review_priv.h"
#include "stix/stix.h"

static bool is_technique(struct str id)
{
    return str_starts(id, STR("attack-pattern--"));
}

static void add_technique(struct gather *g, struct str id)
{
    gather_add(g, &(struct gather_case){.id = id, .key = id, .index = REVIEW_NO_INDEX, .value = 1});
}

/* ---- what both sides hold, and one made ---- */

typedef void shared_fn(struct gather *g, const struct facts_object *o);

static void each_shared(struct gather *g, const char *type, shared_fn *each)
{
    for (size_t i = 0; i < g->f->starts[FACTS_OURS]; i++) {
        const struct facts_object *o = &g->f->objects[i];
        if (!o->revoked && str_eq(o->type, str_of(type)) && o->side == gather_side(g))
            each(g, o);
    }
}

/* Whosever the indicator is: who tied it to the technique found that it detects it. */
static void add_tied(struct gather *g, const struct facts_object *o)
{
    const struct facts_object *by = facts_find(g->f, o->ref);
    if (is_technique(o->target) && by && !by->revoked && str_eq(by->type, STR("indicator")))
        add_technique(g, o->target);
}

static void add_seen(struct gather *g, const struct facts_object *o)
{
    if (is_technique(o->ref))
        add_technique(g, o->ref);
}

void technique_detected(struct gather *g)
{
    each_shared(g, "relationship", add_tied);
    each_shared(g, "sighting", add_seen);
}

static int cmp_source(const void *x, const void *y)
{
    const struct facts_object *const *a = x, *const *b = y;
    return str_cmp((*a)->ref, (*b)->ref);
}

/* The relationships `indicates` that both hold, by their sources. */
static const struct facts_object **ties_of(struct gather *g, size_t *count)
{
    size_t most = g->f->starts[FACTS_OURS], n = 0;
    const struct facts_object **list = arena_calloc(g->a, most + 1, sizeof *list);
    for (size_t i = 0; i < most && list; i++)
        if (!g->f->objects[i].revoked && is_technique(g->f->objects[i].target))
            list[n++] = &g->f->objects[i];
    if (n)
        qsort(list, n, sizeof(struct facts_object *), cmp_source);
    *count = n;
    return list;
}

/* Sightings are of techniques, or of what is known to indicate them. */
void technique_sighted(struct gather *g)
{
    size_t count;
    const struct facts_object **ties = ties_of(g, &count);
    if (!ties)
        g->failed = true;
    for (size_t i = 0; i < g->f->starts[FACTS_OURS] && ties; i++) {
        const struct facts_object *o = &g->f->objects[i];
        if (o->revoked || o->side != gather_side(g) || !str_eq(o->type, STR("sighting")) ||
            !gather_in_window(g, o->version_us))
            continue;
        add_seen(g, o);
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (str_cmp(ties[middle]->ref, o->ref) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < count && str_eq(ties[low]->ref, o->ref); low++)
            add_technique(g, ties[low]->target);
    }
}

/* ---- what this node holds ---- */

/* How a technique is detected here: ids in order. */
struct covering {
    struct str *by_indicator;
    size_t count;
    struct str *by_rule;
    size_t rule_count;
};

static int cmp_id(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static bool has(const struct str *list, size_t count, struct str id)
{
    return count && bsearch(&id, list, count, sizeof *list, cmp_id);
}

static bool is_indicator(const struct review_facts *f, struct str id)
{
    const struct facts_object *o = facts_find(f, id);
    o = o ? o : facts_find_way(f, FACTS_OURS, id);
    return o && !o->revoked && str_eq(o->type, STR("indicator"));
}

static bool find_covering(struct gather *g, struct covering *out)
{
    const struct packet_rule *rules = packet_rules(&out->rule_count);
    out->by_rule = arena_calloc(g->a, out->rule_count, sizeof *out->by_rule);
    out->by_indicator = arena_calloc(g->a, g->f->count + 1, sizeof *out->by_indicator);
    if (!out->by_rule || !out->by_indicator)
        return false;
    for (size_t i = 0; i < out->rule_count; i++) {
        char id[STIX_TECHNIQUE_ID_TEXT];
        struct str of = stix_fight_technique(str_of(rules[i].technique), id);
        out->by_rule[i] = arena_str(g->a, of);
    }
    for (size_t i = 0; i < g->f->count; i++) {
        const struct facts_object *o = &g->f->objects[i];
        if (o->target.n && !o->revoked && is_indicator(g->f, o->ref))
            out->by_indicator[out->count++] = o->target;
    }
    qsort(out->by_rule, out->rule_count, sizeof *out->by_rule, cmp_id);
    if (out->count)
        qsort(out->by_indicator, out->count, sizeof *out->by_indicator, cmp_id);
    return true;
}

void technique_covered(struct gather *g)
{
    /* By rule, by indicator. */
    static const char *const how[2][2] = {{"not", "by indicator"},
                                          {"by rule", "by rule and indicator"}};
    struct covering c = {0};
    if (gather_elsewhere(g))
        return;
    if (!find_covering(g, &c)) {
        g->failed = true;
        return;
    }
    for (size_t i = 0; i < g->f->count; i++) {
        const struct facts_object *o = &g->f->objects[i];
        if (o->revoked || !str_eq(o->type, STR("attack-pattern")))
            continue;
        bool rule = has(c.by_rule, c.rule_count, o->id);
        bool indicator = has(c.by_indicator, c.count, o->id);
        struct str matrix = o->ref.n ? o->ref : STR("other");
        gather_add(g, &(struct gather_case){.id = o->id,
                                            .key = o->id,
                                            .label = arena_printf(g->a, "%.*s: %s", STR_FMT(matrix),
                                                                  how[rule][indicator]),
                                            .index = REVIEW_NO_INDEX,
                                            .value = rule || indicator});
    }
}
