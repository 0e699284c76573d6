/*
 * Requests for assistance: what became of each follows from the steps that its reader has, in order
 * of time. Nothing is kept beside the objects, so two nodes that have the same objects tell the
 * same. Who says a step is believed as far as the nation that it came from.
 */
#include <stdlib.h>

#include "exchange/exchange_priv.h"

/* ---- reading ---- */

struct gathering {
    struct exchange_session *s;
    struct arena *a;
    const struct exchange_request_query *q;
    int64_t now_us, last_us;           /* clocks are read at; steps are taken up to */
    struct exchange_request *requests; /* by id while steps are found their place */
    size_t request_count;
    struct exchange_step *steps;
    size_t step_count;
};

static int64_t time_of(const struct json *v, const char *name)
{
    struct instant t;
    struct err e;
    return instant_parse(json_get_str(v, str_of(name)), &t, &e) ? instant_us(t) : 0;
}

static int by_id(const void *x, const void *y)
{
    const struct exchange_request *a = x, *b = y;
    return str_cmp(a->asked->id, b->asked->id);
}

static int by_created(const void *x, const void *y)
{
    const struct exchange_request *a = x, *b = y;
    if (a->asked->created_us != b->asked->created_us)
        return a->asked->created_us < b->asked->created_us ? -1 : 1;
    return by_id(x, y);
}

static struct exchange_request *request_of(const struct gathering *g, struct str id)
{
    struct exchange_statement asked = {.id = id};
    struct exchange_request key = {.asked = &asked};
    return g->request_count ? bsearch(&key, g->requests, g->request_count, sizeof key, by_id)
                            : NULL;
}

/* The order of a life: of the request, then of time. What happened at one instant goes by when it
 * was said, so that it is the same everywhere. */
static int by_time(const void *x, const void *y)
{
    const struct exchange_step *a = x, *b = y;
    int order = str_cmp(a->move.request_ref, b->move.request_ref);
    if (order)
        return order;
    if (a->move.at_us != b->move.at_us)
        return a->move.at_us < b->move.at_us ? -1 : 1;
    if (a->said->created_us != b->said->created_us)
        return a->said->created_us < b->said->created_us ? -1 : 1;
    return str_cmp(a->said->id, b->said->id);
}

/* The organisation of an identity, with empty names when it is nobody's here. */
static bool party_of(struct gathering *g, struct str identity, struct policy_party *out,
                     struct err *e)
{
    struct store_org o = {.id = 0};
    if (!store_org_by_identity(g->s->store, identity, &o.id, e) ||
        (o.id && !store_org_get(g->s->store, g->a, o.id, &o, e)))
        return false;
    *out = (struct policy_party){o.nation, o.name};
    return true;
}

static bool take_requests(struct gathering *g, const struct exchange_statements *all, struct err *e)
{
    g->requests = arena_calloc(g->a, all->count ? all->count : 1, sizeof *g->requests);
    g->steps = arena_calloc(g->a, all->count ? all->count : 1, sizeof *g->steps);
    if (!g->requests || !g->steps)
        return arena_ok(g->a, e) ? err_set(e, ERR_MEMORY, "out of memory") : false;
    for (size_t i = 0; i < all->count; i++) {
        const struct exchange_statement *st = &all->list[i];
        struct exchange_request *r = &g->requests[g->request_count];
        if (st->type != DIALOGUE_REQUEST)
            continue;
        *r = (struct exchange_request){
            .asked = st, .from = st->source, .to_ref = json_get_str(st->json, STR("to_ref"))};
        dialogue_life_begin(&r->life, time_of(st->json, "acknowledge_by"),
                            time_of(st->json, "answer_by"));
        if (!party_of(g, r->to_ref, &r->to, e))
            return false;
        g->request_count++;
    }
    if (g->request_count)
        qsort(g->requests, g->request_count, sizeof *g->requests, by_id);
    return true;
}

/* (What a partner says of a redacted copy was mapped to the original when it came in.) */
static void take_steps(struct gathering *g, const struct exchange_statements *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct exchange_statement *st = &all->list[i];
        struct exchange_step *step = &g->steps[g->step_count];
        if (st->type != DIALOGUE_MOVE)
            continue;
        *step = (struct exchange_step){.said = st};
        dialogue_move_read(st->json, &step->move);
        g->step_count +=
            step->move.at_us <= g->last_us && request_of(g, step->move.request_ref) != NULL;
    }
    if (g->step_count)
        qsort(g->steps, g->step_count, sizeof *g->steps, by_time);
}

/* ---- who speaks ---- */

static bool not_counted(struct gathering *g, struct exchange_step *step, const char *why)
{
    step->why = arena_str(g->a, str_of(why));
    return true;
}

static bool is_asked(const struct exchange_request *r, struct str identity)
{
    return str_eq(identity, r->to_ref) || (r->referred_ref.n && str_eq(identity, r->referred_ref));
}

/* Fills step->by, or step->why it does not count. The asking side's word is taken from where the
 * request came from; the other side's from the nation of the organisation that has the identity
 * here. */
static bool judge_author(struct gathering *g, const struct exchange_request *r,
                         struct exchange_step *step, struct err *e)
{
    const struct exchange_statement *said = step->said;
    struct policy_party asked;
    step->by = DIALOGUE_ASKING;
    if (said->exercise != r->asked->exercise)
        return not_counted(g, step, "an exercise and what is live do not mix");
    if (step->move.at_us > said->created_us)
        return not_counted(g, step, "it was said before it happened");
    if (str_eq(said->author, r->asked->author))
        return str_eq(said->source.nation, r->asked->source.nation) ||
               not_counted(g, step, "it came from a nation that is not its author's");
    if (!is_asked(r, said->author))
        return not_counted(g, step, "its author is no side of this request");
    step->by = DIALOGUE_ASKED;
    if (!party_of(g, said->author, &asked, e))
        return false;
    if (!asked.nation.n)
        return not_counted(g, step, "its author is not known here");
    return str_eq(said->source.nation, asked.nation) ||
           not_counted(g, step, "it came from a nation that is not its author's");
}

static bool live_step(struct gathering *g, struct exchange_request *r, struct exchange_step *step,
                      struct err *e)
{
    struct err why = {0};
    struct dialogue_step s = {.event = step->move.event,
                              .from = step->move.from,
                              .to = step->move.to,
                              .at_us = step->move.at_us};
    if (!judge_author(g, r, step, e))
        return false;
    if (step->why.n)
        return true;
    s.by = step->by;
    if (!dialogue_life_take(&r->life, &s, &why))
        return not_counted(g, step, why.msg);
    step->counts = true;
    if (s.event == DIALOGUE_MOVES && s.to == DIALOGUE_REFERRED)
        r->referred_ref = step->move.referred_to_ref;
    return true;
}

static bool live(struct gathering *g, struct exchange_request *r, struct err *e)
{
    for (size_t i = 0; i < r->step_count; i++) {
        /* The steps are the gathering's own; a request lends them out as const. */
        struct exchange_step *step = &g->steps[(size_t)(r->steps - g->steps) + i];
        if (!live_step(g, r, step, e))
            return false;
    }
    dialogue_life_until(&r->life, g->now_us);
    struct str me = g->q->who->identity;
    r->mine = me.n && (str_eq(me, r->asked->author) || is_asked(r, me));
    r->side = r->mine && !str_eq(me, r->asked->author) ? DIALOGUE_ASKED : DIALOGUE_ASKING;
    return true;
}

static bool live_all(struct gathering *g, struct err *e)
{
    for (size_t i = 0; i < g->step_count; i++) {
        struct exchange_request *r = request_of(g, g->steps[i].move.request_ref);
        must(r != NULL);
        if (!r->steps)
            r->steps = &g->steps[i];
        r->step_count++;
    }
    for (size_t i = 0; i < g->request_count; i++)
        if (!live(g, &g->requests[i], e))
            return false;
    return arena_ok(g->a, e);
}

/* ---- one of them ---- */

bool exchange_id_begins(struct str id, struct str asked)
{
    struct str uuid = id.n > 36 ? str_from(id, id.n - 36) : id;
    return str_eq(id, asked) || (asked.n >= 4 && str_starts(uuid, asked));
}

static bool choose(const struct gathering *g, struct exchange_requests *out, struct err *e)
{
    const struct exchange_request *found = NULL;
    for (size_t i = 0; i < g->request_count; i++) {
        if (!exchange_id_begins(g->requests[i].asked->id, g->q->id))
            continue;
        if (found)
            return err_set(e, ERR_CONFLICT, "several requests begin with %.*s: name more of it",
                           STR_FMT(g->q->id));
        found = &g->requests[i];
    }
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "there is no request %.*s: `setu request list` tells them",
                       STR_FMT(g->q->id));
    *out = (struct exchange_requests){found, 1};
    return true;
}

bool exchange_requests_read(struct exchange_session *s, struct arena *a,
                            const struct exchange_request_query *q, struct exchange_requests *out,
                            struct err *e)
{
    struct gathering g = {.s = s, .a = a, .q = q, .now_us = q->as_of_us, .last_us = q->as_of_us};
    /* A step of the other kind is shown as what does not count. */
    struct exchange_statement_query both = {
        .who = q->who, .types = 1u << DIALOGUE_REQUEST | 1u << DIALOGUE_MOVE, .both = true};
    struct exchange_statements all;
    if (!q->as_of_us) {
        g.now_us = now_us();
        g.last_us = g.now_us + (int64_t)LIMIT_DIALOGUE_SKEW_S * 1000000;
    }
    if (!exchange_dialogue_read(s, a, &both, &all, e) || !take_requests(&g, &all, e))
        return false;
    take_steps(&g, &all);
    if (!live_all(&g, e))
        return false;
    size_t kept = 0;
    for (size_t i = 0; i < g.request_count; i++)
        if (q->both || q->id.n || g.requests[i].asked->exercise == q->exercise)
            g.requests[kept++] = g.requests[i];
    g.request_count = kept;
    if (kept)
        qsort(g.requests, kept, sizeof *g.requests, by_created);
    if (q->id.n)
        return choose(&g, out, e);
    *out = (struct exchange_requests){g.requests, g.request_count};
    return true;
}

/* ---- asking ---- */

/* What was not said follows from the habits of data/clocks.json. */
static bool deadlines(struct exchange_session *s, struct arena *a, const struct exchange_asking *q,
                      struct dialogue_request *r, struct err *e)
{
    const struct dialogue_clocks *clocks;
    struct dialogue_law habit;
    if (!dialogue_clocks_load(a, s->json, &clocks, e))
        return false;
    for (size_t i = 0; i < r->clock_count; i++)
        if (!dialogue_clocks_find(clocks, r->clocks[i], &habit) || !habit.instrument.n)
            return err_set(e, ERR_INVALID,
                           "there is no clock %.*s: there are cert-in-report, in-telecom-report, "
                           "in-telecom-details",
                           STR_FMT(r->clocks[i]));
    if (!r->acknowledge_by_us && dialogue_clocks_find(clocks, STR("acknowledge"), &habit))
        r->acknowledge_by_us = q->at_us + habit.seconds * 1000000;
    if (!r->answer_by_us && dialogue_clocks_find(clocks, STR("answer"), &habit))
        r->answer_by_us = q->at_us + habit.seconds * 1000000;
    int64_t last = q->at_us + (int64_t)LIMIT_DIALOGUE_CLOCK_S * 1000000;
    if (r->acknowledge_by_us <= q->at_us || r->answer_by_us <= q->at_us)
        return err_set(e, ERR_INVALID, "a deadline is not after the request is sent");
    if (r->acknowledge_by_us > last || r->answer_by_us > last)
        return err_set(e, ERR_LIMIT, "a deadline is more than a year ahead");
    if (r->noticed_us > q->at_us)
        return err_set(e, ERR_INVALID, "it was noticed after the request is sent");
    return true;
}

static bool happened(const struct dialogue_author *author, int64_t at_us, struct err *e)
{
    return at_us <= author->now_us ||
           err_set(e, ERR_INVALID, "it is said to happen in time to come; say it when it has");
}

static bool ask(struct exchange_session *s, struct arena *a, const struct exchange_asking *q,
                struct buf *b, struct err *e)
{
    struct dialogue_request r = q->request;
    struct dialogue_author author = q->author;
    struct dialogue_move send = {
        .event = DIALOGUE_MOVES, .from = DIALOGUE_DRAFT, .to = DIALOGUE_SENT, .at_us = q->at_us};
    const struct json *v;
    if (str_eq(r.to_ref, q->author.identity))
        return err_set(e, ERR_INVALID, "a request to oneself");
    if (!happened(&q->author, q->at_us, e) || !deadlines(s, a, q, &r, e))
        return false;
    if (q->draft) {
        author.marking = stix_tlp_id(STIX_TLP_AMBER_STRICT);
        dialogue_request_put(&author, &r, b);
        return buf_ok(b, e);
    }
    buf_byte(b, '[');
    dialogue_request_put(&author, &r, b);
    struct str request = str_from(buf_view(b), 1);
    if (!buf_ok(b, e) || !json_parse(s->json, a, request, false, &v, e))
        return false;
    send.request_ref = json_get_str(v, STR("id"));
    buf_byte(b, ',');
    dialogue_move_put(&q->author, &send, b);
    buf_byte(b, ']');
    return true;
}

bool exchange_request_new(struct exchange_session *s, const struct exchange_asking *q,
                          size_t *refused, struct err *e)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    struct buf b;
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&b, LIMIT_DIALOGUE_FILE_BYTES);
    bool ok = ask(s, a, q, &b, e) && exchange_say(s, &q->say, &b, refused, e);
    buf_done(&b);
    arena_free(a);
    return ok;
}

/* ---- sending what was a draft ---- */

/* What the draft's next version has in the place of its own. */
static const struct json *sent_members(struct exchange_session *s, struct arena *a,
                                       const struct exchange_sending *q, const struct json *draft,
                                       struct err *e)
{
    char acknowledge[INSTANT_TEXT_BYTES], answer[INSTANT_TEXT_BYTES];
    const struct json *v = NULL;
    int64_t now = q->author.now_us, made = time_of(draft, "created");
    int64_t acknowledge_us =
        q->acknowledge_s ? q->acknowledge_s * 1000000 : time_of(draft, "acknowledge_by") - made;
    int64_t answer_us = q->answer_s ? q->answer_s * 1000000 : time_of(draft, "answer_by") - made;
    struct buf b;
    buf_init(&b, 0);
    buf_byte(&b, '{');
    json_put_member(&b, "acknowledge_by",
                    instant_text(instant_of_us(now + acknowledge_us), 3, acknowledge));
    json_put_member(&b, "answer_by", instant_text(instant_of_us(now + answer_us), 3, answer));
    json_put_name(&b, "object_marking_refs");
    buf_byte(&b, '[');
    json_put_string(&b, q->author.marking);
    buf_lit(&b, "]}");
    struct str text = buf_ok(&b, e) ? arena_str(a, buf_view(&b)) : STR_NONE;
    buf_done(&b);
    return text.p && json_parse(s->json, a, text, false, &v, e) ? v : NULL;
}

static bool send(struct exchange_session *s, struct arena *a, const struct exchange_sending *q,
                 struct buf *b, struct err *e)
{
    struct exchange_request_query query = {.who = q->say.who, .id = q->id};
    struct exchange_requests found;
    struct dialogue_author author = q->author;
    struct dialogue_move move = {.event = DIALOGUE_MOVES,
                                 .from = DIALOGUE_DRAFT,
                                 .to = DIALOGUE_SENT,
                                 .at_us = author.now_us};
    if (!exchange_requests_read(s, a, &query, &found, e))
        return false;
    const struct exchange_request *r = found.list;
    if (!str_eq(q->say.who->identity, r->asked->author))
        return err_set(e, ERR_FORBIDDEN, "only who made a draft sends it");
    if (r->life.state != DIALOGUE_DRAFT)
        return err_set(e, ERR_CONFLICT, "it is no draft any more: it is %s",
                       dialogue_state_name(r->life.state));
    const struct json *given = sent_members(s, a, q, r->asked->json, e);
    struct dialogue_making making = {DIALOGUE_REQUEST, r->asked->json, given};
    author.exercise = r->asked->exercise;
    move.request_ref = r->asked->id;
    buf_byte(b, '[');
    if (!given || !dialogue_object_put(&author, &making, b, e))
        return false;
    buf_byte(b, ',');
    dialogue_move_put(&author, &move, b);
    buf_byte(b, ']');
    return true;
}

bool exchange_request_send(struct exchange_session *s, const struct exchange_sending *q,
                           size_t *refused, struct err *e)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    struct buf b;
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&b, LIMIT_DIALOGUE_FILE_BYTES);
    bool ok = send(s, a, q, &b, e) && exchange_say(s, &q->say, &b, refused, e);
    buf_done(&b);
    arena_free(a);
    return ok;
}

/* ---- a step ---- */

/* The instant of the step. It follows on what counts already; a partner's clock may go ahead. */
static bool step_when(const struct exchange_request *r, struct dialogue_author *author,
                      int64_t *at_us, struct err *e)
{
    int64_t last = 0;
    for (size_t i = 0; i < r->step_count; i++)
        if (r->steps[i].counts)
            last = r->steps[i].move.at_us;
    if (*at_us) /* steps of one millisecond have no order that both sides know */
        return *at_us > last ||
               err_set(e, ERR_CONFLICT, "a step was taken at that instant or after it");
    if (last / 1000 >= author->now_us / 1000)
        author->now_us = last + 1000;
    *at_us = author->now_us;
    return true;
}

static bool may_step(const struct exchange_request *r, struct dialogue_move *m, struct err *e)
{
    struct dialogue_life life;
    struct err ignored;
    bool reason = m->event == DIALOGUE_PAUSES ||
                  (m->event == DIALOGUE_MOVES && dialogue_move_needs_reason(m->to));
    if (reason && !m->reason_code.n)
        return err_set(e, ERR_INVALID, "a reason is needed");
    /* Lived again up to that instant, as the request's own life went on to the present. */
    dialogue_life_begin(&life, r->life.acknowledge_by_us, r->life.answer_by_us);
    for (size_t i = 0; i < r->step_count; i++) {
        const struct dialogue_move *k = &r->steps[i].move;
        struct dialogue_step before = {k->event, k->from, k->to, r->steps[i].by, k->at_us};
        if (r->steps[i].counts)
            must(dialogue_life_take(&life, &before, &ignored));
    }
    dialogue_life_until(&life, m->at_us);
    m->from = life.state;
    struct dialogue_step step = {m->event, m->from, m->to, r->side, m->at_us};
    return dialogue_life_take(&life, &step, e);
}

/* To whom, where nobody says: whom the request names, else the one diplomatic contact point of the
 * other side's nation. */
static bool escalation(struct exchange_session *s, struct arena *a, const struct principal *who,
                       const struct exchange_request *r, struct str *out, struct err *e)
{
    struct exchange_request_query q = {.who = who, .exercise = r->asked->exercise};
    struct exchange_contacts all;
    struct str nation = r->side == DIALOGUE_ASKING ? r->to.nation : r->from.nation;
    struct str named = json_get_str(r->asked->json, STR("escalation_ref"));
    size_t found = 0;
    if (named.n) {
        *out = named;
        return true;
    }
    if (!exchange_contacts_read(s, a, &q, &all, e))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        const struct json *v = all.list[i].said->json;
        if (!all.list[i].holds || !str_eq(json_get_str(v, STR("nation")), nation) ||
            !str_eq(json_get_str(v, STR("role")), STR("diplomatic")))
            continue;
        found++;
        *out = all.list[i].said->id;
    }
    return found == 1 || err_set(e, found ? ERR_CONFLICT : ERR_NOT_FOUND,
                                 "to whom: the request names nobody, and there %s: name one",
                                 found ? "are several diplomatic contact points of the other side"
                                       : "is no diplomatic contact point of the other side");
}

static bool step(struct exchange_session *s, struct arena *a, const struct exchange_stepping *q,
                 struct buf *b, struct err *e)
{
    struct exchange_request_query query = {.who = q->say.who, .id = q->id};
    struct exchange_requests found;
    struct dialogue_author author = q->author;
    struct dialogue_move m = q->move;
    if (!happened(&q->author, m.at_us, e) || !exchange_requests_read(s, a, &query, &found, e))
        return false;
    const struct exchange_request *r = found.list;
    const struct json *refs = json_get(r->asked->json, STR("object_marking_refs"));
    if (!r->mine)
        return err_set(e, ERR_FORBIDDEN,
                       "only the side that asks and the side that is asked take steps");
    if (q->kind.n && !str_eq(json_get_str(r->asked->json, STR("kind")), q->kind))
        return err_set(e, ERR_NOT_FOUND, "%.*s is no %.*s", STR_FMT(r->asked->id),
                       STR_FMT(q->kind));
    m.request_ref = r->asked->id;
    if (m.event == DIALOGUE_ESCALATES && !m.contact_ref.n &&
        !escalation(s, a, q->say.who, r, &m.contact_ref, e))
        return false;
    author.exercise = r->asked->exercise;
    if (!author.marking.n && json_is(refs, JSON_ARRAY) && json_is(refs->u.child, JSON_STRING))
        author.marking = refs->u.child->u.s;
    if (!step_when(r, &author, &m.at_us, e) || !may_step(r, &m, e))
        return false;
    dialogue_move_put(&author, &m, b);
    return true;
}

bool exchange_request_step(struct exchange_session *s, const struct exchange_stepping *q,
                           size_t *refused, struct err *e)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    struct buf b;
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&b, LIMIT_DIALOGUE_FILE_BYTES);
    bool ok = step(s, a, q, &b, e) && exchange_say(s, &q->say, &b, refused, e);
    buf_done(&b);
    arena_free(a);
    return ok;
}
