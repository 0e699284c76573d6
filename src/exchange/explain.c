/* Explaining: what one recipient would get of a stored object, by the very code of the gate. */
#include <string.h>

#include "exchange/gate_priv.h"

/* The newest version; of an observable, the latest that was submitted. */
struct newest {
    struct arena *a;
    struct store_object o;
    bool any;
};

static bool keep_newest(void *ctx, const struct store_object *o)
{
    struct newest *n = ctx;
    n->o = *o; /* versions come in order: the last call has the newest */
    n->o.bytes = arena_str(n->a, o->bytes);
    n->o.id = arena_str(n->a, o->id);
    n->any = true;
    return true;
}

struct explaining {
    struct gate *g;
    const struct policy_party *to;
    struct exchange_explanation *out;
    struct arena *a;
    bool decided;
};

/* Does any form of any version of the id reach `to` today? */
static bool note_reader(void *ctx, struct str audience)
{
    struct explaining *x = ctx;
    x->out->released = x->out->released || policy_audience_has(audience, x->to);
    return !x->out->released;
}

struct forms {
    struct explaining *x;
    struct store *s;
    bool failed;
    struct err *e;
};

static bool note_form(void *ctx, struct str copy_id, bool varied)
{
    struct forms *f = ctx;
    (void)varied;
    f->failed = !store_release_readers(f->s, store_name(f->s, copy_id), note_reader, f->x, f->e);
    return !f->failed && !f->x->out->released;
}

static bool put_steps(struct explaining *x, const struct policy_view *v, struct err *e)
{
    struct exchange_explanation *out = x->out;
    if (!v)
        return true;
    out->redactions = arena_calloc(x->a, v->step_count + 1, sizeof *out->redactions);
    if (!out->redactions)
        return arena_ok(x->a, e);
    for (size_t i = 0; i < v->step_count; i++)
        out->redactions[i] =
            (struct policy_rule_ref){v->rules[i].line, arena_str(x->a, v->rules[i].text)};
    out->redaction_count = v->step_count;
    if (v->drop_local)
        out->redactions[out->redaction_count++] = (struct policy_rule_ref){
            0, STR("what the definition of an extension keeps local (x_setu_local_only)")};
    return arena_ok(x->a, e);
}

static bool in_shares(struct explaining *x, const struct gate_subject *s,
                      const struct gate_decision *d, struct err *e)
{
    for (const struct gate_share *share = d->shares; share; share = share->next) {
        if (!policy_audience_has(share->audience, x->to))
            continue;
        x->out->decision = share->verdict;
        x->out->copy = arena_str(x->a, share->copy_id.n ? share->copy_bytes
                                                        : json_source(s->source, s->object->json));
        x->out->copied = share->copy_id.n > 0;
        return put_steps(x, share->group->view, e);
    }
    for (const struct gate_withheld *w = d->withheld; w; w = w->next)
        if (policy_audience_has(w->audience, x->to)) {
            x->out->decision = POLICY_DENIED;
            x->out->rule = (struct policy_rule_ref){0, arena_str(x->a, w->why)};
        }
    return arena_ok(x->a, e);
}

/* In each collection that it stands in; the most open answer counts. */
static bool explain_in(void *ctx, struct gate_subject *s, struct err *e)
{
    struct explaining *x = ctx;
    const struct gate_org *also;
    struct policy_facts facts;
    struct policy_answer answer;
    struct gate_decision d;
    if (x->decided && x->out->decision != POLICY_DENIED)
        return true;
    x->decided = true;
    if (!gate_facts(x->g, s, &facts, e) || !gate_org_of(x->g, s->source_org, &also, e) ||
        !gate_decide(x->g, s, &d, e))
        return false;
    struct policy_asked q = {.facts = &facts, .also = &also->party, .to = x->to};
    if (!policy_answer_for(x->g->policy, x->g->memo, &q, &answer, e))
        return false;
    x->out->decision = POLICY_DENIED;
    x->out->rule = (struct policy_rule_ref){answer.rule.line, arena_str(x->a, answer.rule.text)};
    return in_shares(x, s, &d, e);
}

static bool explain(struct explaining *x, struct store *s, struct str id, struct err *e)
{
    struct newest n = {.a = x->a};
    struct str origin;
    if (!gate_begin(x->g, s, e) || !store_copy_origin(s, x->a, id, &origin, e))
        return false;
    if (origin.n)
        id = origin;
    if (!store_object_versions(s, id, keep_newest, &n, e))
        return false;
    if (!n.any)
        return err_set(e, ERR_NOT_FOUND, "no object %.*s in this node", STR_FMT(id));
    struct forms f = {x, s, false, e};
    return arena_ok(x->a, e) && store_release_readers(s, store_name(s, id), note_reader, x, e) &&
           store_copies_of(s, id, note_form, &f, e) && !f.failed &&
           gate_each_standing(x->g, &n.o, explain_in, x, e);
}

bool exchange_explain(struct exchange_session *s, struct arena *a, struct str id,
                      const struct policy_party *to, struct exchange_explanation *out,
                      struct err *e)
{
    struct gate g;
    struct explaining x = {.g = &g, .to = to, .out = out, .a = a};
    *out = (struct exchange_explanation){.decision = POLICY_DENIED};
    if (!gate_init(&g, s->x, exchange_policy(s->x), e))
        return false;
    bool ok = store_begin(s->store, e);
    if (ok) {
        ok = explain(&x, s->store, id, e);
        store_rollback(s->store);
    }
    gate_done(&g);
    return ok;
}

bool exchange_reveal(const struct exchange *x, struct str pseudonym, struct buf *out, struct err *e)
{
    struct str key = {(const char *)x->key, sizeof x->key};
    return policy_pseudonym_reveal(key, pseudonym, out, e);
}
