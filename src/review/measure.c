/* The table of measures, and what each counts: cases, one by one, from the facts. */
#include <stdio.h>
#include <stdlib.h>

#include "review/review_priv.h"

static const struct review_measure measures[] = {
#define X(id, name, unit, shared, floored, norms, what)                                            \
    {REVIEW_##id, name, norms, what, REVIEW_##unit##_UNIT, shared, floored},
    REVIEW_MEASURES(X)
#undef X
};
_Static_assert(sizeof measures / sizeof measures[0] == REVIEW_MEASURE_COUNT, "measures");

const struct review_measure *review_measure(enum review_measure_id id)
{
    must((size_t)id < REVIEW_MEASURE_COUNT);
    return &measures[id];
}

const struct review_measure *review_measure_find(struct str name)
{
    for (size_t i = 0; i < REVIEW_MEASURE_COUNT; i++)
        if (str_eq(name, str_of(measures[i].name)))
            return &measures[i];
    return NULL;
}

const char *review_unit_name(enum review_unit u)
{
    static const char *const names[] = {
#define X(id, text) text,
        REVIEW_UNITS(X)
#undef X
    };
    must((size_t)u < sizeof names / sizeof *names);
    return names[u];
}

bool review_measure_speaks(const struct review_measure *m, struct str norm, struct err *e)
{
    if (norm.n != 1 || norm.p[0] < 'a' || norm.p[0] > 'k')
        return err_set(e, ERR_INVALID, "\"%.*s\" is none of the norms a to k", STR_FMT(norm));
    if (!dialogue_norm_computable(norm))
        return err_set(e, ERR_FORBIDDEN,
                       "norm %c is declaratory: no record of an exchange can show what a State "
                       "abstains from, and nothing is computed for it",
                       norm.p[0]);
    if (!strchr(m->norms, norm.p[0]))
        return err_set(e, ERR_INVALID, "%s says nothing of norm %c", m->name, norm.p[0]);
    return true;
}

/* ---- cases ---- */

void gather_add(struct gather *g, const struct gather_case *c)
{
    void *items = g->cases;
    if (g->failed || !base_grow(&items, &g->room, g->count + 1, sizeof *g->cases)) {
        g->failed = true;
        return;
    }
    g->cases = items;
    g->cases[g->count++] = *c;
}

static struct str type_of(struct str id)
{
    for (size_t i = 0; i + 1 < id.n; i++)
        if (id.p[i] == '-' && id.p[i + 1] == '-')
            return str_slice(id, 0, i);
    return STR("other");
}

typedef void object_fn(struct gather *g, const struct facts_object *o);
/* What both sides hold and one side made. */
static void each_object(struct gather *g, enum facts_side side, struct str type, object_fn *each)
{
    for (size_t i = 0; i < g->f->starts[FACTS_OURS]; i++) {
        const struct facts_object *o = &g->f->objects[i];
        if (!o->revoked && o->side == side && (!type.n || str_eq(o->type, type)))
            each(g, o);
    }
}

enum facts_side gather_side(const struct gather *g)
{
    return g->c->side == REVIEW_HOME ? FACTS_HOMES : FACTS_PARTNERS;
}

/* ---- objects ---- */

static void add_object(struct gather *g, const struct facts_object *o)
{
    if (gather_in_window(g, o->version_us))
        gather_add(g, &(struct gather_case){.id = o->id,
                                            .label = o->type,
                                            .more = str_of(stix_tlp_name(o->tlp)),
                                            .index = REVIEW_NO_INDEX,
                                            .value = 1});
}

/* Intelligence: not the dialogue's own statements, nor what only says how to read others. */
static void add_exchanged(struct gather *g, const struct facts_object *o)
{
    enum dialogue_type ignored;
    if (!dialogue_type_of(o->type, &ignored) && stix_class_of(o->type) != STIX_META &&
        !str_eq(o->type, STR("identity")))
        add_object(g, o);
}

static void objects_exchanged(struct gather *g)
{
    each_object(g, gather_side(g), STR_NONE, add_exchanged);
}

static void add_advisory(struct gather *g, const struct facts_object *o)
{
    if (o->advisory)
        add_object(g, o);
}

static void advisories_exchanged(struct gather *g)
{
    each_object(g, gather_side(g), STR_NONE, add_advisory);
}

static void add_used(struct gather *g, const struct facts_object *o)
{
    const struct facts_object *used = facts_find(g->f, o->ref);
    bool others = used && used->side != o->side && used->side != FACTS_NEITHERS;
    if (others && gather_in_window(g, o->version_us))
        gather_add(g, &(struct gather_case){.id = used->id,
                                            .key = used->id,
                                            .label = used->type,
                                            .more = str_of(stix_tlp_name(used->tlp)),
                                            .index = REVIEW_NO_INDEX,
                                            .value = 1});
}

static void objects_used(struct gather *g)
{
    each_object(g, gather_side(g), STR("sighting"), add_used);
}

/* ---- from one instant to another ---- */

/* Something that happened to an object; sorted by object, then time. */
struct event {
    struct str object;
    int64_t at_us;
    uint64_t index;
};
struct events {
    struct event *list;
    size_t count;
};

static int by_object_and_time(const void *x, const void *y)
{
    const struct event *a = x, *b = y;
    int order = str_cmp(a->object, b->object);
    return order ? order : (a->at_us > b->at_us) - (a->at_us < b->at_us);
}

static struct events sorted(struct gather *g, struct event *list, size_t count)
{
    if (!list)
        g->failed = true;
    else if (count)
        qsort(list, count, sizeof *list, by_object_and_time);
    return (struct events){list, list ? count : 0};
}

static struct events records_of(struct gather *g, enum ledger_kind kind)
{
    size_t n = 0, room = g->f->record_count;
    struct event *list = arena_calloc(g->a, room ? room : 1, sizeof *list);
    for (size_t i = 0; list && i < room; i++)
        if (g->f->records[i].kind == kind)
            list[n++] = (struct event){g->f->records[i].object, g->f->records[i].at_us,
                                       g->f->records[i].index};
    return sorted(g, list, n);
}

/* Sightings that the partner made, or that home has of whomever else. */
static struct events sightings_of(struct gather *g, bool partners)
{
    size_t n = 0;
    size_t start = partners ? 0 : g->f->starts[FACTS_OURS];
    size_t end = partners ? g->f->starts[FACTS_OURS] : g->f->count;
    struct event *list = arena_calloc(g->a, end - start + 1, sizeof *list);
    for (size_t i = start; list && i < end; i++) {
        const struct facts_object *o = &g->f->objects[i];
        if (str_eq(o->type, STR("sighting")) && !o->revoked && o->ref.n && o->seen_us &&
            (!partners || o->side == FACTS_PARTNERS))
            list[n++] = (struct event){o->ref, o->seen_us, REVIEW_NO_INDEX};
    }
    return sorted(g, list, n);
}

/* The first event of an object at `from_us` or later; NULL: there is none. */
static const struct event *first_of(const struct events *v, struct str object, int64_t from_us)
{
    size_t low = 0, high = v->count;
    struct event key = {.object = object, .at_us = from_us};
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_object_and_time(&v->list[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < v->count && str_eq(v->list[low].object, object) ? &v->list[low] : NULL;
}

/* Of each object the time from its first event in `from` to its first one in `to`; what came
 * before it was waited for stands aside. */
static void add_times(struct gather *g, const struct events *from, const struct events *to)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct event *begun = &from->list[i];
        const struct event *done = first_of(to, begun->object, INT64_MIN);
        bool again = i && str_eq(from->list[i - 1].object, begun->object);
        if (again || !done || !gather_in_window(g, done->at_us))
            continue;
        if (done->at_us < begun->at_us)
            g->aside++;
        else
            gather_add(g, &(struct gather_case){.id = begun->object,
                                                .index = begun->index,
                                                .value = (done->at_us - begun->at_us) / 1000000});
    }
}

bool gather_elsewhere(struct gather *g)
{
    if (g->c->side == REVIEW_PARTNER)
        g->why = "the other node keeps these records; its own review counts them";
    return g->c->side == REVIEW_PARTNER;
}

static void time_to_detection(struct gather *g)
{
    if (gather_elsewhere(g))
        return;
    struct events from = records_of(g, LEDGER_RELEASE_RECORD), to = sightings_of(g, true);
    add_times(g, &from, &to);
}

static void lead_time(struct gather *g)
{
    if (gather_elsewhere(g))
        return;
    struct events from = records_of(g, LEDGER_ACCEPTANCE_RECORD), to = sightings_of(g, false);
    add_times(g, &from, &to);
}

/* ---- novelty ---- */

static int by_pattern_and_time(const void *x, const void *y)
{
    const struct facts_object *const *a = x, *const *b = y;
    int order = str_cmp((*a)->ref, (*b)->ref);
    if (order == 0 && (*a)->added_us != (*b)->added_us)
        order = (*a)->added_us < (*b)->added_us ? -1 : 1;
    return order ? order : str_cmp((*a)->id, (*b)->id);
}

static void novelty(struct gather *g)
{
    size_t n = 0;
    const struct facts_object **list = arena_calloc(g->a, g->f->count + 1, sizeof *list);
    if (gather_elsewhere(g))
        return;
    for (size_t i = 0; list && i < g->f->count; i++) {
        const struct facts_object *o = &g->f->objects[i];
        /* What home released stands among what it holds, too. */
        if (str_eq(o->type, STR("indicator")) && o->ref.n && (o->way == FACTS_OURS || o->got))
            list[n++] = o;
    }
    if (!list)
        g->failed = true;
    else if (n)
        qsort(list, n, sizeof(struct facts_object *), by_pattern_and_time);
    for (size_t i = 0; i < n; i++) {
        bool again = i && str_eq(list[i]->ref, list[i - 1]->ref);
        if (list[i]->got && gather_in_window(g, list[i]->added_us))
            gather_add(g, &(struct gather_case){
                              .id = list[i]->id, .index = REVIEW_NO_INDEX, .value = again ? 0 : 1});
    }
}

/* ---- what the ledger alone tells ---- */

static void refusals(struct gather *g)
{
    for (size_t i = 0; !gather_elsewhere(g) && i < g->f->record_count; i++) {
        const struct facts_record *r = &g->f->records[i];
        bool quarantine = r->kind == LEDGER_QUARANTINE_RECORD;
        if ((quarantine || r->kind == LEDGER_REFUSAL_RECORD) && gather_in_window(g, r->at_us))
            gather_add(g, &(struct gather_case){.id = r->object,
                                                .label = quarantine ? STR("put aside") : r->label,
                                                .index = r->index,
                                                .value = 1});
    }
}

static void holds(struct gather *g)
{
    for (size_t i = 0; !gather_elsewhere(g) && i < g->f->record_count; i++) {
        const struct facts_record *r = &g->f->records[i];
        if (r->kind == LEDGER_HOLD_RECORD && gather_in_window(g, r->at_us))
            gather_add(g, &(struct gather_case){.id = r->object,
                                                .label = type_of(r->object),
                                                .index = r->index,
                                                .value = 1});
    }
}

/* Each withdrawal with the first confirmation behind it. No confirmation in the whole log means
 * that the partner sends none, not that it keeps what was taken back. */
static void withdrawals(struct gather *g, bool times)
{
    if (gather_elsewhere(g))
        return;
    struct events back = records_of(g, LEDGER_WITHDRAWAL_RECORD);
    struct events receipts = records_of(g, LEDGER_RECEIPT_RECORD);
    for (size_t i = 0; i < back.count; i++) {
        const struct event *w = &back.list[i];
        const struct event *r = first_of(&receipts, w->object, w->at_us);
        bool last = i + 1 == back.count || !str_eq(back.list[i + 1].object, w->object);
        if (!last || !gather_in_window(g, w->at_us) || (times && !r))
            continue;
        gather_add(
            g, &(struct gather_case){.id = w->object,
                                     .index = w->index,
                                     .value = times ? (r->at_us - w->at_us) / 1000000 : r != NULL});
    }
    if (back.count && !receipts.count)
        g->why = "no confirmation of the other side is recorded here";
}

static void withdrawals_confirmed(struct gather *g)
{
    withdrawals(g, false);
}

static void withdrawal_time(struct gather *g)
{
    withdrawals(g, true);
}

static void ledger_witnessed(struct gather *g)
{
    if (gather_elsewhere(g))
        return;
    if (!g->f->has_witness)
        g->why = "the other side has not countersigned this ledger yet";
    g->yes = g->f->witnessed;
    g->all = g->f->leaves;
}

static void partner_availability(struct gather *g)
{
    g->why = "no record is kept of when a partner was reached";
}

static void redactions_personal(struct gather *g)
{
    g->why = "no record says what a redaction took away";
}

/* ---- rounds ---- */

static int64_t day_us(struct str date)
{
    char text[32];
    struct instant t;
    struct err ignored;
    if (date.n != strlen("2026-01-01"))
        return INT64_MIN;
    snprintf(text, sizeof text, "%.*sT00:00:00Z", STR_FMT(date));
    return instant_parse(str_of(text), &t, &ignored) ? instant_us(t) : INT64_MIN;
}

/* Both sides may have written one round down: it counts once. */
static void add_round(struct gather *g, const struct facts_object *o)
{
    const struct json *ordinal = json_get(o->json, STR("ordinal"));
    struct str series = json_get_str(o->json, STR("series"));
    if (!o->json || !str_eq(json_get_str(o->json, STR("status")), STR("held")) ||
        !gather_in_window(g, day_us(json_get_str(o->json, STR("date")))))
        return;
    gather_add(
        g, &(struct gather_case){
               .id = o->id,
               .key = arena_printf(g->a, "%.*s %lld", STR_FMT(series),
                                   json_is(ordinal, JSON_INTEGER) ? (long long)ordinal->u.i : 0),
               .index = REVIEW_NO_INDEX,
               .value = 1});
}

static void rounds_held(struct gather *g)
{
    for (size_t side = FACTS_HOMES; side <= FACTS_NEITHERS; side++)
        each_object(g, (enum facts_side)side, STR("dialogue-round"), add_round);
}

/* ---- requests ---- */

/* A test of a contact point is a request of its own kind, and is counted apart. */
static bool is_ping(const struct facts_request *r)
{
    return str_eq(r->kind, STR("contact-test"));
}

static void add_request(struct gather *g, const struct facts_request *r, int64_t value)
{
    gather_add(g, &(struct gather_case){
                      .id = r->id, .label = r->kind, .index = REVIEW_NO_INDEX, .value = value});
}

typedef void request_fn(struct gather *g, const struct facts_request *r);
/* Those to this side that were sent in the window. */
static void each_request(struct gather *g, bool pings, request_fn *each)
{
    for (size_t i = 0; i < g->f->request_count; i++) {
        const struct facts_request *r = &g->f->requests[i];
        if (r->asked == g->c->side && is_ping(r) == pings && r->life.sent_us &&
            gather_in_window(g, r->life.sent_us))
            each(g, r);
    }
}

/* What is neither answered nor overdue is no case yet. */
static void add_in_time(struct gather *g, const struct facts_request *r)
{
    struct dialogue_deadline d;
    if (!dialogue_life_answer(&r->life, g->f->as_of_us, &d))
        return;
    if (d.state == DIALOGUE_CLOCK_MET || d.state == DIALOGUE_CLOCK_MET_LATE ||
        d.state == DIALOGUE_CLOCK_OVERDUE)
        add_request(g, r, d.state == DIALOGUE_CLOCK_MET);
}

static void requests_in_time(struct gather *g)
{
    each_request(g, false, add_in_time);
}

static void add_declined(struct gather *g, const struct facts_request *r)
{
    if (r->life.state == DIALOGUE_DECLINED)
        add_request(g, r, 1);
}

static void requests_declined(struct gather *g)
{
    each_request(g, false, add_declined);
}

static void add_acknowledged(struct gather *g, const struct facts_request *r)
{
    if (r->life.acknowledged_us)
        add_request(g, r, (r->life.acknowledged_us - r->life.sent_us) / 1000000);
}

static void request_time_to_acknowledge(struct gather *g)
{
    each_request(g, false, add_acknowledged);
}

static void add_answered(struct gather *g, const struct facts_request *r)
{
    if (r->life.answered_us)
        add_request(g, r, (r->life.answered_us - r->life.sent_us) / 1000000);
}

static void request_time_to_answer(struct gather *g)
{
    each_request(g, false, add_answered);
}

static void add_ping(struct gather *g, const struct facts_request *r)
{
    struct dialogue_deadline d;
    bool due = dialogue_life_answer(&r->life, g->f->as_of_us, &d);
    bool waits = due && (d.state == DIALOGUE_CLOCK_RUNNING || d.state == DIALOGUE_CLOCK_PAUSED);
    if (r->life.replied_us || (!waits && !r->life.withdrawn_us))
        add_request(g, r, r->life.replied_us != 0);
}

static void pings_answered(struct gather *g)
{
    each_request(g, true, add_ping);
}

/* ---- the table ---- */

gather_fn *const gather_functions[REVIEW_MEASURE_COUNT] = {
    [REVIEW_OBJECTS_EXCHANGED] = objects_exchanged,
    [REVIEW_OBJECTS_USED] = objects_used,
    [REVIEW_TIME_TO_DETECTION] = time_to_detection,
    [REVIEW_NOVELTY] = novelty,
    [REVIEW_LEAD_TIME] = lead_time,
    [REVIEW_REQUESTS_IN_TIME] = requests_in_time,
    [REVIEW_REQUESTS_DECLINED] = requests_declined,
    [REVIEW_REQUEST_TIME_TO_ACKNOWLEDGE] = request_time_to_acknowledge,
    [REVIEW_REQUEST_TIME_TO_ANSWER] = request_time_to_answer,
    [REVIEW_WITHDRAWALS_CONFIRMED] = withdrawals_confirmed,
    [REVIEW_WITHDRAWAL_TIME] = withdrawal_time,
    [REVIEW_PINGS_ANSWERED] = pings_answered,
    [REVIEW_REFUSALS] = refusals,
    [REVIEW_HOLDS] = holds,
    [REVIEW_PARTNER_AVAILABILITY] = partner_availability,
    [REVIEW_LEDGER_WITNESSED] = ledger_witnessed,
    [REVIEW_REDACTIONS_PERSONAL] = redactions_personal,
    [REVIEW_ROUNDS_HELD] = rounds_held,
    [REVIEW_ADVISORIES_EXCHANGED] = advisories_exchanged,
    [REVIEW_TECHNIQUES_DETECTED] = technique_detected,
    [REVIEW_TECHNIQUES_SIGHTED] = technique_sighted,
    [REVIEW_TECHNIQUES_COVERED] = technique_covered,
};
