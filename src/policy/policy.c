#include "policy/policy.h"

#include <stdio.h>

#include "policy/policy_priv.h"

/* ---- making ---- */

static bool read_text(struct str text, const char *name, struct policy *p, struct err *e)
{
    struct draft d = {.text = arena_str(p->arena, text), .name = name, .e = e};
    d.arena = arena_new(LIMIT_POLICY_MEMORY_BYTES);
    if (!d.arena)
        return err_set(e, ERR_MEMORY, "%s: out of memory", name);
    bool ok = arena_ok(p->arena, e) && policy_parse_draft(&d) && policy_compile(&d, p);
    arena_free(d.arena);
    return ok;
}

bool policy_check(struct str text, const struct policy_check_options *o, struct policy **out,
                  struct err *e)
{
    if (text.n > LIMIT_POLICY_BYTES)
        return err_set(e, ERR_LIMIT, "%s: over %u bytes", o->name, LIMIT_POLICY_BYTES);
    struct arena *arena = arena_new(LIMIT_POLICY_MEMORY_BYTES);
    struct policy *p = arena ? arena_calloc(arena, 1, sizeof *p) : NULL;
    if (!p) {
        arena_free(arena);
        return err_set(e, ERR_MEMORY, "%s: out of memory", o->name);
    }
    p->arena = arena;
    if (!read_text(text, o->name, p, e)) {
        policy_free(p);
        return false;
    }
    if (o->warn)
        policy_warn(p, o->warn, o->ctx);
    *out = p;
    return true;
}

bool policy_parse(struct str text, const char *name, struct policy **out, struct err *e)
{
    return policy_check(text, &(struct policy_check_options){.name = name}, out, e);
}

void policy_free(struct policy *p)
{
    if (p)
        arena_free(p->arena); /* which holds p itself */
}

void policy_each_party(const struct policy *p, policy_party_fn *each, void *ctx)
{
    for (size_t k = 0; k < p->nation_codes.count; k++) {
        const struct nation *n = &p->nations[k];
        for (size_t i = 0; i < n->org_count; i++) {
            struct policy_party party = {p->nation_codes.v[k], n->orgs[i]};
            each(ctx, &party, set_has(p->operators, n->slot + 1 + i));
        }
    }
}

/* ---- warnings ---- */

static bool subset(const uint64_t *a, const uint64_t *b, size_t count)
{
    for (size_t w = 0; w < SET_WORDS(count); w++)
        if (a[w] & ~b[w])
            return false;
    return true;
}

/* Whatever fulfils `a` fulfils `b`. May miss it where `b` says observables and `a` names some. */
static bool test_within(const struct policy *p, const struct test *a, const struct test *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case CONDITION_TLP:
        return (a->tlp & ~b->tlp) == 0;
    case CONDITION_TYPE:
        return (b->observables || !a->observables) && subset(a->set, b->set, p->types.count);
    case CONDITION_LABEL:
        return subset(a->set, b->set, p->labels.count);
    }
    return false;
}

/* Each object that fulfils r's conditions fulfils those of `above`. */
static bool conditions_within(const struct policy *p, const struct rule *r,
                              const struct rule *above)
{
    for (size_t i = 0; i < above->test_count; i++) {
        size_t k = 0;
        while (k < r->test_count && !test_within(p, &r->tests[k], &above->tests[i]))
            k++;
        if (k == r->test_count)
            return false;
    }
    return true;
}

/* The line of the rule above rules[i] with which all its recipients are decided, or 0. */
static unsigned hidden_by(const struct policy *p, const struct rule *rules, size_t i)
{
    uint64_t left[SET_WORDS_MOST], some = 1;
    size_t words = SET_WORDS(p->slot_count), k;
    for (size_t w = 0; w < words; w++)
        left[w] = rules[i].who[w];
    for (k = 0; k < i && some; k++) {
        if (!conditions_within(p, &rules[i], &rules[k]))
            continue;
        some = 0;
        for (size_t w = 0; w < words; w++)
            some |= left[w] &= ~rules[k].who[w];
    }
    return some ? 0 : rules[k - 1].line;
}

static void warn_of(const struct policy *p, const struct rule *rules, size_t count,
                    policy_warning_fn *warn, void *ctx)
{
    char text[160];
    for (size_t i = 0; i < count; i++) {
        unsigned line = hidden_by(p, rules, i);
        if (!line)
            continue;
        int n =
            snprintf(text, sizeof text,
                     "this rule never decides: for all it names, rules above it do, the last on "
                     "line %u",
                     line);
        warn(ctx, rules[i].line, (struct str){text, (size_t)n});
    }
}

/* Colours that a floor keeps with the submitter's organisation. */
#define KEPT (1u << STIX_TLP_AMBER_STRICT | 1u << STIX_TLP_RED)

void policy_warn(const struct policy *p, policy_warning_fn *warn, void *ctx)
{
    warn_of(p, p->arrivals, p->arrival_count, warn, ctx);
    warn_of(p, p->releases, p->release_count, warn, ctx);
    for (size_t i = 0; i < p->release_count; i++) {
        const struct rule *r = &p->releases[i];
        if (r->verb == WORD_RELEASE && r->test_count > 0 && r->tests[0].kind == CONDITION_TLP &&
            (r->tests[0].tlp & ~KEPT) == 0)
            warn(ctx, r->line,
                 STR("this rule never releases: TLP:RED and TLP:AMBER+STRICT stay with "
                     "the organisation that submitted them"));
    }
}
