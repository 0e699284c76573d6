/*
 * Requests that both sides hold. What a request has become is what exchange says of its steps; here
 * only those steps are taken again that the other side has too, so that its life is the same on
 * both nodes.
 */
#include "review/review_priv.h"

static const struct facts_object *shared(const struct review_facts *f, struct str id)
{
    const struct facts_object *o = facts_find(f, id);
    return o && o->json && !o->revoked ? o : NULL;
}

/* A request to a third nation is none between these two. */
static bool is_between(const struct review_facts *f, const struct exchange_request *r)
{
    return !r->to.nation.n || str_eq(r->to.nation, f->home.nation) ||
           str_eq(r->to.nation, f->partner.nation);
}

static void live_again(const struct review_facts *f, const struct exchange_request *r,
                       struct dialogue_life *life)
{
    struct err ignored;
    dialogue_life_begin(life, r->life.acknowledge_by_us, r->life.answer_by_us);
    for (size_t i = 0; i < r->step_count; i++) {
        const struct exchange_step *step = &r->steps[i];
        struct dialogue_step s = {.event = step->move.event,
                                  .from = step->move.from,
                                  .to = step->move.to,
                                  .by = step->by,
                                  .at_us = step->move.at_us};
        if (!step->counts || s.at_us > f->as_of_us || !shared(f, step->said->id))
            continue;
        if (!dialogue_life_take(life, &s, &ignored))
            continue; /* it does not fit any more: one before it is not shared */
    }
    dialogue_life_until(life, f->as_of_us);
}

bool facts_requests_load(struct exchange_session *s, struct arena *a, const struct principal *home,
                         struct review_facts *f, struct err *e)
{
    struct exchange_request_query q = {.who = home, .as_of_us = f->as_of_us};
    struct exchange_requests all;
    struct facts_request *list;
    if (!exchange_requests_read(s, a, &q, &all, e))
        return false;
    if (!(list = arena_calloc(a, all.count ? all.count : 1, sizeof *list)))
        return arena_ok(a, e) ? err_set(e, ERR_MEMORY, "out of memory") : false;
    for (size_t i = 0; i < all.count; i++) {
        struct facts_request *r = &list[f->request_count];
        const struct facts_object *asked = shared(f, all.list[i].asked->id);
        if (!asked || asked->side == FACTS_NEITHERS || !is_between(f, &all.list[i]))
            continue;
        r->id = all.list[i].asked->id;
        r->kind = json_get_str(all.list[i].asked->json, STR("kind"));
        r->asked = asked->side == FACTS_PARTNERS ? REVIEW_HOME : REVIEW_PARTNER;
        live_again(f, &all.list[i], &r->life);
        f->request_count++;
    }
    f->requests = list;
    return true;
}
