/* From facts to a review: which instrument and round, what was promised, said and counted. */
#include <stdio.h>
#include <stdlib.h>

#include "crypt/crypt.h"
#include "review/model.h"

struct making {
    struct exchange_session *s;
    struct arena *a;
    const struct review_facts *f;
    struct review *r;
    struct str *findings;
    size_t finding_count, finding_room;
    size_t aims, assessments;
    bool failed; /* no memory for a finding */
    struct err *e;
};

bool model_is_slipped(enum review_state s)
{
    return s == REVIEW_SLIPPED || s == REVIEW_LAPSED || s == REVIEW_MET_LATE ||
           s == REVIEW_DISPUTED;
}

const struct json *model_names(const struct json *by_side, struct str side)
{
    const struct json *v = json_get(by_side, side);
    return json_is(v, JSON_ARRAY) && v->count ? v : NULL;
}

/* ---- what both hold ---- */

static bool is_live(const struct facts_object *o, enum dialogue_type type)
{
    return o->json && !o->revoked && str_eq(o->type, str_of(dialogue_type_name(type))) &&
           !json_is(json_get(o->json, STR("exercise")), JSON_TRUE);
}

/* The next statement of a type that both sides hold, in the order of ids; `at` begins with 0. NULL
 * at the end. */
static const struct facts_object *next_of(const struct review_facts *f, enum dialogue_type type,
                                          size_t *at)
{
    for (size_t i = *at; i < f->starts[FACTS_OURS]; i++)
        if (is_live(&f->objects[i], type)) {
            *at = i + 1;
            return &f->objects[i];
        }
    *at = f->starts[FACTS_OURS];
    return NULL;
}

static void find_fault(struct making *m, struct str text)
{
    void *items = m->findings;
    if (!base_grow(&items, &m->finding_room, m->finding_count + 1, sizeof *m->findings)) {
        m->failed = true;
        return;
    }
    m->findings = items;
    m->findings[m->finding_count++] = text;
}

static int cmp_str(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static int64_t day_end_us(struct str date)
{
    char text[40];
    struct instant t;
    struct err ignored;
    snprintf(text, sizeof text, "%.*sT00:00:00Z", (int)(date.n < 20 ? date.n : 20),
             date.p ? date.p : "");
    return instant_parse(str_of(text), &t, &ignored) ? instant_us(t) + INT64_C(86400000000) - 1 : 0;
}

static int64_t time_of(const struct json *v, const char *name)
{
    struct instant t;
    struct err ignored;
    return instant_parse(json_get_str(v, str_of(name)), &t, &ignored) ? instant_us(t) : 0;
}

/* ---- the instrument ---- */

static bool is_called(const struct facts_object *o, struct str name)
{
    const struct json *title = json_get(o->json, STR("title"));
    if (!name.n || str_eq(o->id, name))
        return true;
    for (const struct json *v = title ? title->u.child : NULL; v; v = v->next)
        if (json_is(v, JSON_STRING) && str_eq(v->u.s, name))
            return true;
    return false;
}

static bool names_side(const struct json *sides, struct str nation, size_t *at)
{
    *at = 0;
    for (const struct json *v = sides ? sides->u.child : NULL; v; v = v->next, ++*at)
        if (json_is(v, JSON_STRING) && str_eq(v->u.s, nation))
            return true;
    return false;
}

static bool find_instrument(struct making *m, struct str name)
{
    const struct facts_object *o, *found = NULL;
    size_t at = 0, home, partner;
    while ((o = next_of(m->f, DIALOGUE_INSTRUMENT, &at))) {
        if (!is_called(o, name))
            continue;
        if (found)
            return err_set(m->e, ERR_CONFLICT, "%s is meant by %.*s and %.*s: name one by its id",
                           name.n ? "the title" : "no instrument is named, and the dialogue",
                           STR_FMT(found->id), STR_FMT(o->id));
        found = o;
    }
    if (!found)
        return err_set(m->e, ERR_NOT_FOUND,
                       "\"%.*s\": both sides hold no such instrument: see `setu dialogue list`, "
                       "and what the policy releases to the other side",
                       STR_FMT(name));
    const struct json *sides = json_get(found->json, STR("sides"));
    if (!names_side(sides, m->f->home.nation, &home) ||
        !names_side(sides, m->f->partner.nation, &partner) || home == partner)
        return err_set(m->e, ERR_INVALID, "%.*s is not between %.*s and %.*s", STR_FMT(found->id),
                       STR_FMT(m->f->home.nation), STR_FMT(m->f->partner.nation));
    m->r->instrument = found;
    facts_attribute(m->r->facts, json_get(found->json, STR("parties")));
    m->r->sides[0] = home < partner ? REVIEW_HOME : REVIEW_PARTNER;
    m->r->sides[1] = home < partner ? REVIEW_PARTNER : REVIEW_HOME;
    for (size_t c = 0; c < 2; c++)
        m->r->parties[c] = m->r->sides[c] == REVIEW_HOME ? m->f->home : m->f->partner;
    return true;
}

/* ---- the round ---- */

static bool is_of_instrument(const struct making *m, const struct facts_object *o)
{
    struct str ref = json_get_str(o->json, STR("instrument_ref"));
    size_t at;
    const struct json *sides = json_get(o->json, STR("sides"));
    if (ref.n)
        return str_eq(ref, m->r->instrument->id);
    return names_side(sides, m->f->home.nation, &at) &&
           names_side(sides, m->f->partner.nation, &at);
}

static uint64_t ordinal_of(const struct facts_object *o)
{
    const struct json *v = json_get(o->json, STR("ordinal"));
    return json_is(v, JSON_INTEGER) && v->u.i > 0 ? (uint64_t)v->u.i : 0;
}

/* The one that was written down first; both nodes find the same. */
static bool is_earlier(const struct facts_object *a, const struct facts_object *b)
{
    int order =
        str_cmp(json_get_str(a->json, STR("created")), json_get_str(b->json, STR("created")));
    return order ? order < 0 : str_cmp(a->id, b->id) < 0;
}

static bool find_round(struct making *m, uint64_t ordinal)
{
    const struct facts_object *o;
    size_t at = 0, others = 0;
    while ((o = next_of(m->f, DIALOGUE_ROUND, &at))) {
        if (ordinal_of(o) != ordinal || !is_of_instrument(m, o))
            continue;
        others += m->r->round != NULL;
        if (!m->r->round || is_earlier(o, m->r->round))
            m->r->round = o;
    }
    if (!m->r->round)
        return err_set(m->e, ERR_NOT_FOUND,
                       "both sides hold no round %llu of this dialogue: see `setu dialogue list`",
                       (unsigned long long)ordinal);
    if (others)
        find_fault(m,
                   arena_printf(m->a,
                                "Round %llu was written down %zu times; %.*s is the first of "
                                "them and is shown.",
                                (unsigned long long)ordinal, others + 1, STR_FMT(m->r->round->id)));
    int64_t from = day_end_us(json_get_str(m->r->round->json, STR("date")));
    m->r->ordinal = arena_printf(m->a, "%llu", (unsigned long long)ordinal);
    m->r->window.to_us = m->f->as_of_us;
    m->r->window.from_us =
        from && from < m->f->as_of_us ? from : m->f->as_of_us - INT64_C(365) * 86400 * 1000000;
    return true;
}

/* ---- commitments ---- */

/* Was it promised under this instrument, in this round or one before it? */
static bool is_promised(const struct making *m, const struct facts_object *o)
{
    struct str round = json_get_str(o->json, STR("round_ref"));
    struct str instrument = json_get_str(o->json, STR("instrument_ref"));
    const struct facts_object *r = facts_find(m->f, round);
    if (instrument.n && !str_eq(instrument, m->r->instrument->id))
        return false;
    if (!round.n)
        return instrument.n != 0;
    return r && is_live(r, DIALOGUE_ROUND) && is_of_instrument(m, r) && ordinal_of(r) > 0 &&
           ordinal_of(r) <= ordinal_of(m->r->round);
}

static int by_due(const void *x, const void *y)
{
    const struct model_commitment *a = x, *b = y;
    int64_t due_a = a->due_us ? a->due_us : INT64_MAX, due_b = b->due_us ? b->due_us : INT64_MAX;
    if (due_a != due_b)
        return due_a < due_b ? -1 : 1;
    int order = str_cmp(json_get_str(a->said->json, STR("paragraph")),
                        json_get_str(b->said->json, STR("paragraph")));
    return order ? order : str_cmp(a->said->id, b->said->id);
}

static bool find_commitments(struct making *m)
{
    const struct facts_object *o;
    size_t at = 0, room = 0;
    while ((o = next_of(m->f, DIALOGUE_COMMITMENT, &at)))
        room += is_promised(m, o);
    if (room > LIMIT_REVIEW_COMMITMENTS)
        return err_set(m->e, ERR_LIMIT, "more than %d commitments", LIMIT_REVIEW_COMMITMENTS);
    m->r->commitments = arena_calloc(m->a, room ? room : 1, sizeof *m->r->commitments);
    if (!m->r->commitments)
        return arena_ok(m->a, m->e) ? err_set(m->e, ERR_MEMORY, "out of memory") : false;
    for (at = 0; (o = next_of(m->f, DIALOGUE_COMMITMENT, &at));)
        if (is_promised(m, o))
            m->r->commitments[m->r->commitment_count++] = (struct model_commitment){
                .said = o, .due_us = day_end_us(json_get_str(o->json, STR("due")))};
    if (room)
        qsort(m->r->commitments, room, sizeof *m->r->commitments, by_due);
    for (at = 0; (o = next_of(m->f, DIALOGUE_COMMITMENT, &at));) {
        struct str ref = json_get_str(o->json, STR("supersedes_ref"));
        for (size_t i = 0; ref.n && i < room; i++)
            if (str_eq(m->r->commitments[i].said->id, ref) && m->r->commitments[i].said != o)
                m->r->commitments[i].successor = o;
    }
    return true;
}

/* ---- what was said of them ---- */

static int by_time(const void *x, const void *y)
{
    const struct model_assessment *a = x, *b = y;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    if (a->said->version_us != b->said->version_us)
        return a->said->version_us < b->said->version_us ? -1 : 1;
    return str_cmp(a->said->id, b->said->id);
}

/* In whose column an assessment stands: a side speaks for itself alone, through its own node. */
static bool column_of(struct making *m, const struct facts_object *o, size_t *column)
{
    struct str side = json_get_str(o->json, STR("side"));
    for (size_t c = 0; c < 2; c++) {
        bool partners = m->r->sides[c] == REVIEW_PARTNER;
        if (o->got == partners && o->side == (partners ? FACTS_PARTNERS : FACTS_HOMES) &&
            str_eq(side, m->r->parties[c].nation)) {
            *column = c;
            return true;
        }
    }
    find_fault(m, arena_printf(m->a,
                               "%.*s speaks for %.*s, and did not come from there: it does "
                               "not count.",
                               STR_FMT(o->id), STR_FMT(side)));
    return false;
}

static bool take_assessment(struct making *m, struct model_commitment *c,
                            const struct facts_object *o)
{
    struct model_assessment x = {.said = o, .at_us = time_of(o->json, "assessed")};
    if (!str_eq(json_get_str(o->json, STR("commitment_ref")), c->said->id) || !x.at_us ||
        x.at_us > m->f->as_of_us ||
        !review_state_parse(json_get_str(o->json, STR("state")), &x.state) ||
        !column_of(m, o, &x.column))
        return true;
    if (m->assessments++ == LIMIT_REVIEW_ASSESSMENTS)
        return err_set(m->e, ERR_LIMIT, "more than %d assessments", LIMIT_REVIEW_ASSESSMENTS);
    c->assessments[c->assessment_count++] = x;
    return true;
}

static bool find_assessments(struct making *m, struct model_commitment *c)
{
    const struct facts_object *o;
    size_t at = 0, room = 0;
    const struct model_assessment *last[2] = {NULL, NULL};
    while ((o = next_of(m->f, DIALOGUE_ASSESSMENT, &at)))
        room += str_eq(json_get_str(o->json, STR("commitment_ref")), c->said->id);
    c->assessments = arena_calloc(m->a, room ? room : 1, sizeof *c->assessments);
    if (!c->assessments)
        return arena_ok(m->a, m->e) ? err_set(m->e, ERR_MEMORY, "out of memory") : false;
    for (at = 0; room && (o = next_of(m->f, DIALOGUE_ASSESSMENT, &at));)
        if (!take_assessment(m, c, o))
            return false;
    if (c->assessment_count)
        qsort(c->assessments, c->assessment_count, sizeof *c->assessments, by_time);
    for (size_t i = 0; i < c->assessment_count; i++)
        last[c->assessments[i].column] = &c->assessments[i];
    for (size_t i = 0; i < c->assessment_count; i++)
        c->assessments[i].last = &c->assessments[i] == last[c->assessments[i].column];
    if (last[0] && last[1] && last[0]->state != last[1]->state) {
        c->grounds.said = REVIEW_SAID_DIFFERENT;
    } else if (last[0] || last[1]) {
        c->grounds.said = REVIEW_SAID_STATE;
        c->grounds.state = last[0] ? last[0]->state : last[1]->state;
    }
    return true;
}

/* ---- what was counted for them ---- */

/* Norms f and k, and promises to abstain, are not for numbers. */
static bool is_declaratory(const struct json *commitment)
{
    const struct json *norms = json_get(commitment, STR("norms"));
    size_t countable = 0;
    if (str_eq(json_get_str(commitment, STR("kind")), STR("declaratory")))
        return true;
    for (const struct json *v = norms ? norms->u.child : NULL; v; v = v->next)
        countable += json_is(v, JSON_STRING) && dialogue_norm_computable(v->u.s);
    return norms && norms->count && !countable;
}

static bool number_of(const struct json *v, double *out)
{
    if (json_is(v, JSON_INTEGER))
        *out = (double)v->u.i;
    else if (json_is(v, JSON_NUMBER))
        *out = v->u.d;
    else
        return false;
    return true;
}

/* What a number says of a target. A floored count is anything from 1 to the floor. */
static enum review_reach reach_of(const struct review_number *n, enum review_unit unit,
                                  double target, bool at_most)
{
    double value = unit == REVIEW_PERCENT_UNIT ? (double)n->value / 10 : (double)n->value;
    double low = value, high = n->at_least ? target + value : value;
    if (n->outcome == REVIEW_FLOORED && unit != REVIEW_PERCENT_UNIT &&
        unit != REVIEW_SECONDS_UNIT) {
        low = 1;
        high = LIMIT_REVIEW_FLOOR - 1;
    } else if (n->outcome != REVIEW_COUNTED) {
        return REVIEW_REACH_UNKNOWN;
    }
    if (at_most)
        return high <= target ? REVIEW_REACH_MET
               : low > target ? REVIEW_REACH_SHORT
                              : REVIEW_REACH_UNKNOWN;
    if (low >= target)
        return REVIEW_REACH_MET;
    if (high >= target)
        return REVIEW_REACH_UNKNOWN;
    return low > 0 || unit == REVIEW_PERCENT_UNIT || unit == REVIEW_SECONDS_UNIT
               ? REVIEW_REACH_SHORT
               : REVIEW_REACH_ZERO;
}

/* All owners must have reached it; one that has not decides. */
static enum review_reach both(enum review_reach a, enum review_reach b)
{
    static const enum review_reach worst[] = {REVIEW_REACH_ZERO, REVIEW_REACH_SHORT,
                                              REVIEW_REACH_UNKNOWN, REVIEW_REACH_LATE,
                                              REVIEW_REACH_MET};
    if ((a == REVIEW_REACH_ZERO && b == REVIEW_REACH_MET) ||
        (b == REVIEW_REACH_ZERO && a == REVIEW_REACH_MET))
        return REVIEW_REACH_SHORT;
    for (size_t i = 0; i < sizeof worst / sizeof worst[0]; i++)
        if (a == worst[i] || b == worst[i])
            return worst[i];
    return REVIEW_REACH_UNKNOWN;
}

struct counting_aim {
    struct model_aim *aim;
    const struct model_commitment *c;
    double target;
    bool has_target, at_most, owned[2];
    int64_t window_us;
};

static bool count_until(struct making *m, const struct counting_aim *x, int64_t to_us,
                        struct review_number numbers[2], enum review_reach *reach)
{
    bool first = true;
    *reach = REVIEW_REACH_UNKNOWN;
    for (size_t col = 0; col < 2; col++) {
        struct review_counting c = {
            x->aim->measure, m->r->sides[col], {to_us - x->window_us, to_us}};
        if (!review_count(m->f, m->a, &c, &numbers[col], m->e))
            return false;
        if (!x->owned[col] || !x->has_target)
            continue;
        enum review_reach one =
            reach_of(&numbers[col], x->aim->measure->unit, x->target, x->at_most);
        *reach = first ? one : both(*reach, one);
        first = false;
    }
    return true;
}

static bool count_aim(struct making *m, const struct counting_aim *x)
{
    struct review_number then[2];
    enum review_reach by_due = REVIEW_REACH_UNKNOWN;
    struct model_aim *aim = x->aim;
    if (!count_until(m, x, m->f->as_of_us, aim->numbers, &aim->reach))
        return false;
    if (aim->reach != REVIEW_REACH_MET || !x->c->due_us || x->c->due_us >= m->f->as_of_us)
        return true;
    if (!count_until(m, x, x->c->due_us, then, &by_due))
        return false;
    aim->reach = by_due == REVIEW_REACH_MET ? REVIEW_REACH_MET : REVIEW_REACH_LATE;
    return true;
}

static bool take_aim(struct making *m, struct model_commitment *c, const struct facts_object *o)
{
    struct model_aim *aim = &c->aims[c->aim_count++];
    const struct json *owners = json_get(c->said->json, STR("owners"));
    const struct json *days = json_get(o->json, STR("window_days"));
    struct counting_aim x = {.aim = aim, .c = c};
    *aim = (struct model_aim){.said = o,
                              .measure = review_measure_find(json_get_str(o->json, STR("query")))};
    if (m->aims++ == LIMIT_REVIEW_AIMS)
        return err_set(m->e, ERR_LIMIT, "more than %d measures", LIMIT_REVIEW_AIMS);
    must(aim->measure != NULL && json_is(days, JSON_INTEGER)); /* by its schema */
    x.has_target = number_of(json_get(o->json, STR("target")), &x.target);
    x.at_most = str_eq(json_get_str(o->json, STR("direction")), STR("at-most"));
    x.window_us = days->u.i * INT64_C(86400000000);
    for (size_t col = 0; col < 2; col++)
        x.owned[col] = model_names(owners, m->r->parties[col].nation) != NULL;
    if (!x.owned[0] && !x.owned[1])
        x.owned[0] = x.owned[1] = true;
    if (is_declaratory(c->said->json))
        aim->unknown = "declaratory: nothing is computed for it";
    else if (!str_eq(json_get_str(o->json, STR("unit")),
                     str_of(review_unit_name(aim->measure->unit))))
        aim->unknown = "its unit is not the one that this is counted in";
    else if (!aim->measure->shared)
        aim->unknown = "each side counts it on its own node";
    if (aim->unknown)
        return true;
    aim->counted = true;
    if (!x.has_target)
        aim->unknown = "it has no target";
    return count_aim(m, &x);
}

static bool find_aims(struct making *m, struct model_commitment *c)
{
    const struct facts_object *o;
    size_t at = 0, room = 0;
    while ((o = next_of(m->f, DIALOGUE_MEASURE, &at)))
        room += str_eq(json_get_str(o->json, STR("commitment_ref")), c->said->id);
    c->aims = arena_calloc(m->a, room ? room : 1, sizeof *c->aims);
    if (!c->aims)
        return arena_ok(m->a, m->e) ? err_set(m->e, ERR_MEMORY, "out of memory") : false;
    for (at = 0; room && (o = next_of(m->f, DIALOGUE_MEASURE, &at));)
        if (str_eq(json_get_str(o->json, STR("commitment_ref")), c->said->id) && !take_aim(m, c, o))
            return false;
    for (size_t i = 0; i < c->aim_count; i++) {
        enum review_reach one = c->aims[i].unknown ? REVIEW_REACH_UNKNOWN : c->aims[i].reach;
        c->grounds.reach = i == 0 ? one : both(c->grounds.reach, one);
    }
    return true;
}

static bool settle(struct making *m, struct model_commitment *c)
{
    int64_t ends = day_end_us(json_get_str(m->r->instrument->json, STR("in_force_until")));
    if (!find_assessments(m, c) || !find_aims(m, c))
        return false;
    c->grounds.superseded = c->successor != NULL;
    c->grounds.term = ends && ends < m->f->as_of_us ? REVIEW_TERM_ENDED
                      : !c->due_us                  ? REVIEW_TERM_OPEN
                      : c->due_us < m->f->as_of_us  ? REVIEW_TERM_AFTER
                                                    : REVIEW_TERM_BEFORE;
    c->state = review_state_of(&c->grounds);
    return true;
}

/* ---- what it rests on ---- */

/* Everything that both hold and one of them made, in order of id; and the statements among it. */
static void put_line(struct buf *lines, const struct facts_object *o)
{
    if (o->side == FACTS_NEITHERS)
        return;
    buf_str(lines, o->id);
    buf_byte(lines, ' ');
    buf_str(lines, o->version);
    buf_byte(lines, '\n');
}

static bool digest_objects(struct making *m)
{
    size_t n = m->f->starts[FACTS_OURS];
    const struct facts_object **list = arena_calloc(m->a, n ? n : 1, sizeof *list);
    unsigned char digest[CRYPT_SHA256_BYTES];
    struct buf lines;
    if (!list)
        return arena_ok(m->a, m->e) ? err_set(m->e, ERR_MEMORY, "out of memory") : false;
    buf_init(&lines, LIMIT_REVIEW_ARENA_BYTES);
    for (size_t i = 0; i < n; i++) {
        enum dialogue_type type;
        put_line(&lines, &m->f->objects[i]);
        if (dialogue_type_of(m->f->objects[i].type, &type) && is_live(&m->f->objects[i], type))
            list[m->r->basis_count++] = &m->f->objects[i];
    }
    crypt_sha256(buf_view(&lines), digest);
    bool ok = buf_ok(&lines, m->e);
    buf_clear(&lines);
    buf_hex(&lines, digest, sizeof digest);
    ok = ok && buf_ok(&lines, m->e);
    if (ok)
        memcpy(m->r->objects_digest, lines.p, 64);
    buf_done(&lines);
    m->r->basis = list;
    return ok;
}

static bool load_norms(struct making *m)
{
    return json_parse(exchange_session_json(m->s), m->a,
                      dialogue_reference(DIALOGUE_REFERENCE_NORMS), false, &m->r->norms, m->e);
}

static bool load_checkpoint(struct making *m)
{
    struct buf note;
    buf_init(&note, LIMIT_LEDGER_NOTE_BYTES);
    bool ok = exchange_ledger_checkpoint(m->s, NULL, &note, m->e);
    if (ok)
        m->r->checkpoint = arena_str(m->a, buf_view(&note));
    buf_done(&note);
    return ok && arena_ok(m->a, m->e);
}

static bool count_all(struct making *m)
{
    bool ok = true;
    for (size_t i = 0; ok && i < 2 * (size_t)REVIEW_MEASURE_COUNT; i++) {
        struct review_counting c = {review_measure((enum review_measure_id)(i / 2)),
                                    m->r->sides[i % 2], m->r->window};
        ok = review_count(m->f, m->a, &c, &m->r->numbers[i / 2][i % 2], m->e);
    }
    return ok;
}

static bool make(struct making *m, const struct review_options *o)
{
    bool ok = find_instrument(m, o->instrument) && find_round(m, o->round) && find_commitments(m);
    for (size_t i = 0; ok && i < m->r->commitment_count; i++)
        ok = settle(m, &m->r->commitments[i]);
    ok = ok && count_all(m) && digest_objects(m) && load_norms(m) && load_checkpoint(m);
    if (ok && m->failed)
        return err_set(m->e, ERR_MEMORY, "out of memory");
    if (ok && m->finding_count) {
        struct str *kept = arena_calloc(m->a, m->finding_count, sizeof *kept);
        if (!kept)
            return arena_ok(m->a, m->e) ? err_set(m->e, ERR_MEMORY, "out of memory") : false;
        qsort(m->findings, m->finding_count, sizeof *m->findings, cmp_str);
        memcpy(kept, m->findings, m->finding_count * sizeof *kept);
        m->r->findings = kept;
        m->r->finding_count = m->finding_count;
    }
    return ok && arena_ok(m->a, m->e);
}

bool review_make(struct exchange_session *s, struct arena *a, const struct review_options *o,
                 const struct review **out, struct err *e)
{
    struct review *r = arena_calloc(a, 1, sizeof *r);
    struct making m = {.s = s, .a = a, .r = r, .e = e};
    if (!r)
        return arena_ok(a, e) ? err_set(e, ERR_MEMORY, "out of memory") : false;
    if (!facts_load(s, a, &o->asked, &r->facts, e))
        return false;
    m.f = r->facts;
    bool ok = make(&m, o);
    base_free(m.findings);
    if (ok)
        *out = r;
    return ok;
}
