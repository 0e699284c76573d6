#include "policy/policy.h"

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
        policy_warn(p, o);
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
