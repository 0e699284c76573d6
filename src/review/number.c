/*
 * From cases to a number: counts, shares, medians, by integers only, so that two nodes with the
 * same cases print the same. Small counts are floored here and nowhere else: neither a total, nor a
 * part, nor the list of evidence tells how many of them there are.
 */
#include <stdlib.h>

#include "review/review_priv.h"

static int by_key(const void *x, const void *y)
{
    const struct gather_case *a = x, *b = y;
    int order = str_cmp(a->key, b->key);
    return order ? order : str_cmp(a->id, b->id);
}

static int by_label(const void *x, const void *y)
{
    const struct gather_case *a = x, *b = y;
    int order = str_cmp(a->label, b->label);
    if (!order)
        order = str_cmp(a->more, b->more);
    if (!order)
        order = str_cmp(a->id, b->id);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

static int by_value(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static void sort_cases(struct gather *g, int (*order)(const void *, const void *))
{
    if (g->count)
        qsort(g->cases, g->count, sizeof *g->cases, order);
}

/* Cases of one key count once, by the first id. */
static void merge_keys(struct gather *g)
{
    size_t n = 0;
    sort_cases(g, by_key);
    for (size_t i = 0; i < g->count; i++)
        if (!g->cases[i].key.n || !n || !str_eq(g->cases[n - 1].key, g->cases[i].key))
            g->cases[n++] = g->cases[i];
    g->count = n;
}

static bool is_few(const struct gather *g, uint64_t n)
{
    return g->c->measure->floored && n > 0 && n < LIMIT_REVIEW_FLOOR;
}

static bool is_counted_unit(enum review_unit u)
{
    return u != REVIEW_PERCENT_UNIT && u != REVIEW_SECONDS_UNIT;
}

/* ---- parts ---- */

static size_t end_of_part(const struct gather *g, size_t i)
{
    size_t end = i + 1;
    while (end < g->count && str_eq(g->cases[end].label, g->cases[i].label) &&
           str_eq(g->cases[end].more, g->cases[i].more))
        end++;
    return end;
}

/* Cases sorted by label; those of a part that is too small are taken out. */
static bool put_parts(struct gather *g, struct review_number *out, struct err *e)
{
    size_t n = 0, kept = 0;
    struct review_part *parts = arena_calloc(g->a, g->count ? g->count : 1, sizeof *parts);
    if (!parts)
        return arena_ok(g->a, e) ? err_set(e, ERR_MEMORY, "out of memory") : false;
    for (size_t i = 0, end; i < g->count; i = end) {
        end = end_of_part(g, i);
        parts[n] = (struct review_part){g->cases[i].label, g->cases[i].more, end - i, false};
        if (is_few(g, end - i)) {
            parts[n].cases = 0;
            parts[n].floored = true;
            out->at_least = true;
        } else {
            memmove(g->cases + kept, g->cases + i, (end - i) * sizeof *g->cases);
            kept += end - i;
        }
        n += parts[n].label.n != 0;
    }
    g->count = kept;
    out->parts = parts;
    out->part_count = n;
    return true;
}

/* ---- numbers ---- */

static void put_share(struct gather *g, struct review_number *out, uint64_t yes, uint64_t all)
{
    out->cases = all;
    if (all == 0)
        out->outcome = REVIEW_NO_CASES;
    else if (is_few(g, all) || is_few(g, yes) || is_few(g, all - yes))
        *out = (struct review_number){.outcome = REVIEW_FLOORED};
    else /* half of a tenth goes up; a share of leaves does not pass 2^53 */
        out->value = (int64_t)((yes * 1000 + all / 2) / all);
}

/* Nearest rank: the smallest value that `percent` of the cases do not pass. */
static int64_t rank(const int64_t *sorted, size_t n, unsigned percent)
{
    size_t r = (n * percent + 99) / 100;
    return sorted[r ? r - 1 : 0];
}

static bool put_times(struct gather *g, struct review_number *out, struct err *e)
{
    int64_t *values = arena_calloc(g->a, g->count ? g->count : 1, sizeof *values);
    if (!values)
        return arena_ok(g->a, e) ? err_set(e, ERR_MEMORY, "out of memory") : false;
    out->cases = g->count;
    out->aside_floored = is_few(g, g->aside);
    out->aside = out->aside_floored ? 0 : g->aside;
    if (g->count == 0) {
        out->outcome = REVIEW_NO_CASES;
    } else if (is_few(g, g->count)) {
        *out = (struct review_number){.outcome = REVIEW_FLOORED};
    } else {
        for (size_t i = 0; i < g->count; i++)
            values[i] = g->cases[i].value;
        qsort(values, g->count, sizeof *values, by_value);
        out->value = rank(values, g->count, 50);
        out->p90 = rank(values, g->count, 90);
    }
    return true;
}

static bool put_count(struct gather *g, struct review_number *out, struct err *e)
{
    uint64_t all = g->count;
    if (is_few(g, all)) {
        *out = (struct review_number){.outcome = REVIEW_FLOORED};
        return true;
    }
    if (!put_parts(g, out, e))
        return false;
    out->cases = out->at_least && g->count < LIMIT_REVIEW_FLOOR ? LIMIT_REVIEW_FLOOR : g->count;
    out->value = (int64_t)out->cases;
    return true;
}

static bool put_evidence(struct gather *g, struct review_number *out, struct err *e)
{
    size_t n = g->count < LIMIT_REVIEW_EVIDENCE ? g->count : LIMIT_REVIEW_EVIDENCE;
    struct review_evidence *list = arena_calloc(g->a, n ? n : 1, sizeof *list);
    if (!list)
        return arena_ok(g->a, e) ? err_set(e, ERR_MEMORY, "out of memory") : false;
    for (size_t i = 0; i < n; i++)
        list[i] = (struct review_evidence){g->cases[i].id, g->cases[i].index, g->cases[i].value};
    out->evidence = list;
    out->evidence_count = n;
    return true;
}

static bool finish(struct gather *g, struct review_number *out, struct err *e)
{
    enum review_unit unit = g->c->measure->unit;
    uint64_t yes = 0;
    bool ok = true;
    if (g->failed)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (g->why) {
        *out = (struct review_number){.outcome = REVIEW_NOT_MEASURABLE, .why = g->why};
        return true;
    }
    merge_keys(g);
    sort_cases(g, by_label);
    if (is_counted_unit(unit)) {
        ok = put_count(g, out, e);
    } else if (unit == REVIEW_SECONDS_UNIT) {
        ok = put_times(g, out, e);
    } else {
        for (size_t i = 0; i < g->count; i++)
            yes += g->cases[i].value != 0;
        put_share(g, out, g->all ? g->yes : yes, g->all ? g->all : g->count);
        ok = out->outcome != REVIEW_COUNTED || put_parts(g, out, e);
    }
    return ok && (out->outcome != REVIEW_COUNTED || put_evidence(g, out, e));
}

bool review_count(const struct review_facts *f, struct arena *a, const struct review_counting *c,
                  struct review_number *out, struct err *e)
{
    struct gather g = {.f = f, .c = c, .a = a};
    struct review_number n = {.outcome = REVIEW_COUNTED};
    gather_functions[c->measure->id](&g);
    bool ok = finish(&g, &n, e);
    base_free(g.cases);
    if (ok)
        *out = n;
    return ok && arena_ok(a, e);
}
