/* A review as JSON. */
#include "crypt/crypt.h"
#include "review/model.h"

/* ---- numbers ---- */

static void put_bool(struct buf *b, const char *name, bool v)
{
    json_put_name(b, name);
    buf_lit(b, v ? "true" : "false");
}

static void put_parts(struct buf *b, const struct review_number *n)
{
    json_put_name(b, "parts");
    buf_byte(b, '[');
    for (size_t i = 0; i < n->part_count; i++) {
        const struct review_part *p = &n->parts[i];
        buf_lit(b, i ? ",{" : "{");
        json_put_member(b, "label", p->label);
        if (p->more.n)
            json_put_member(b, "marking", p->more);
        if (p->floored)
            json_put_member_u64(b, "fewer_than", LIMIT_REVIEW_FLOOR);
        else
            json_put_member_u64(b, "cases", p->cases);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_evidence(struct buf *b, const struct review_number *n)
{
    json_put_name(b, "evidence");
    buf_byte(b, '[');
    for (size_t i = 0; i < n->evidence_count; i++) {
        const struct review_evidence *v = &n->evidence[i];
        buf_lit(b, i ? ",{" : "{");
        json_put_member(b, "id", v->id);
        if (v->index != REVIEW_NO_INDEX)
            json_put_member_u64(b, "leaf", v->index);
        json_put_name(b, "value");
        buf_i64(b, v->value);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_value(struct buf *b, const struct review_measure *m, const struct review_number *n)
{
    json_put_name(b, m->unit == REVIEW_SECONDS_UNIT ? "median" : "value");
    if (m->unit == REVIEW_PERCENT_UNIT)
        words_tenths(b, n->value);
    else
        buf_i64(b, n->value);
    if (m->unit == REVIEW_SECONDS_UNIT) {
        json_put_name(b, "p90");
        buf_i64(b, n->p90);
        if (n->aside)
            json_put_member_u64(b, "seen_before", n->aside);
    }
    if (n->at_least)
        put_bool(b, "at_least", true);
    json_put_member_u64(b, "cases", n->cases);
}

static void put_number(struct buf *b, const struct review_measure *m, const struct review_number *n)
{
    static const char *const names[] = {"counted", "floored", "no-cases", "not-measurable"};
    struct buf words;
    buf_init(&words, 0);
    words_number(&words, m, n);
    buf_byte(b, '{');
    json_put_member(b, "outcome", str_of(names[n->outcome]));
    json_put_member(b, "words", buf_view(&words));
    if (n->outcome == REVIEW_COUNTED) {
        put_value(b, m, n);
        put_parts(b, n);
        put_evidence(b, n);
    }
    if (words.failed)
        b->failed = words.failed;
    buf_byte(b, '}');
    buf_done(&words);
}

/* By side, as the nations' codes. */
static void put_numbers(struct buf *b, const struct review *r, const struct review_measure *m,
                        const struct review_number numbers[2])
{
    json_put_name(b, "sides");
    buf_byte(b, '{');
    for (size_t c = 0; c < 2; c++) {
        if (c)
            buf_byte(b, ',');
        json_put_string(b, r->parties[c].nation);
        buf_byte(b, ':');
        put_number(b, m, &numbers[c]);
    }
    buf_byte(b, '}');
}

static void put_measure(struct buf *b, const struct review *r, const struct review_measure *m)
{
    buf_byte(b, '{');
    json_put_member(b, "name", str_of(m->name));
    json_put_member(b, "unit", str_of(review_unit_name(m->unit)));
    json_put_member(b, "what", str_of(m->what));
    put_numbers(b, r, m, r->numbers[m->id]);
    buf_byte(b, '}');
}

static void put_measures(struct buf *b, const struct review *r, bool shared)
{
    bool first = true;
    json_put_name(b, "measures");
    buf_byte(b, '[');
    for (size_t i = 0; i < REVIEW_MEASURE_COUNT; i++) {
        const struct review_measure *m = review_measure((enum review_measure_id)i);
        if (m->shared != shared)
            continue;
        if (!first)
            buf_byte(b, ',');
        put_measure(b, r, m);
        first = false;
    }
    buf_byte(b, ']');
}

/* ---- statements ---- */

/* The members of an object that an officer wrote, as they stand in its bytes. */
static void put_members(struct buf *b, const struct facts_object *o, const char *const *names)
{
    json_put_member(b, "id", o->id);
    json_put_member(b, "version", o->version);
    for (; *names; names++) {
        const struct json *v = json_get(o->json, str_of(*names));
        if (!v)
            continue;
        json_put_name(b, *names);
        buf_str(b, json_source(o->text, v));
    }
}

static const char *const instrument_members[] = {
    "kind", "title", "text", "sides", "signed", "in_force_from", "in_force_until", NULL};
static const char *const round_members[] = {
    "series", "ordinal",  "status", "date",   "date_end", "mode",      "place",      "host",
    "heads",  "agencies", "agenda", "topics", "fora",     "statement", "next_round", NULL};
static const char *const commitment_members[] = {"text", "paragraph", "kind",         "owners",
                                                 "due",  "norms",     "every_months", NULL};
static const char *const aim_members[] = {"query",  "unit",        "direction", "baseline",
                                          "target", "window_days", NULL};
static const char *const assessment_members[] = {"side",          "assessed", "state", "text",
                                                 "evidence_refs", "ledger",   NULL};

static void put_aims(struct buf *b, const struct review *r, const struct model_commitment *c)
{
    static const char *const reaches[] = {"unknown", "zero", "short", "reached", "reached-late"};
    json_put_name(b, "measures");
    buf_byte(b, '[');
    for (size_t i = 0; i < c->aim_count; i++) {
        const struct model_aim *a = &c->aims[i];
        buf_lit(b, i ? ",{" : "{");
        put_members(b, a->said, aim_members);
        json_put_member(b, "reached", str_of(reaches[a->unknown ? 0 : a->reach]));
        if (a->unknown)
            json_put_member(b, "why", str_of(a->unknown));
        if (a->counted)
            put_numbers(b, r, a->measure, a->numbers);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_assessments(struct buf *b, const struct model_commitment *c)
{
    json_put_name(b, "assessments");
    buf_byte(b, '[');
    for (size_t i = 0; i < c->assessment_count; i++) {
        const struct model_assessment *a = &c->assessments[i];
        buf_lit(b, i ? ",{" : "{");
        put_members(b, a->said, assessment_members);
        put_bool(b, "counts", a->last);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_commitments(struct buf *b, const struct review *r)
{
    json_put_name(b, "commitments");
    buf_byte(b, '[');
    for (size_t i = 0; i < r->commitment_count; i++) {
        const struct model_commitment *c = &r->commitments[i];
        buf_lit(b, i ? ",{" : "{");
        put_members(b, c->said, commitment_members);
        json_put_member(b, "state", str_of(review_state_name(c->state)));
        json_put_member(b, "state_words", str_of(review_state_words(c->state)));
        put_bool(b, "slipped", model_is_slipped(c->state));
        if (c->successor)
            json_put_member(b, "superseded_by", c->successor->id);
        put_assessments(b, c);
        put_aims(b, r, c);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_norms(struct buf *b, const struct review *r)
{
    const struct json *items = json_get(json_get(r->norms, STR("norms")), STR("items"));
    json_put_name(b, "norms");
    buf_byte(b, '[');
    for (const struct json *v = items->u.child; v; v = v->next) {
        struct str id = json_get_str(v, STR("id"));
        bool first = true;
        buf_byte(b, '{');
        json_put_member(b, "id", id);
        json_put_member(b, "title", json_get_str(v, STR("title")));
        put_bool(b, "declaratory", !dialogue_norm_computable(id));
        json_put_name(b, "measures");
        buf_byte(b, '[');
        for (size_t i = 0; i < REVIEW_MEASURE_COUNT; i++) {
            const struct review_measure *m = review_measure((enum review_measure_id)i);
            struct err ignored;
            if (!review_measure_speaks(m, id, &ignored))
                continue;
            if (!first)
                buf_byte(b, ',');
            json_put_string(b, str_of(m->name));
            first = false;
        }
        buf_lit(b, "]}");
        if (v->next)
            buf_byte(b, ',');
    }
    buf_byte(b, ']');
}

/* What the two sides compare when the shared parts differ. */
static void put_basis(struct buf *b, const struct review *r)
{
    json_put_name(b, "basis");
    buf_byte(b, '{');
    json_put_member(b, "objects_sha256", str_of(r->objects_digest));
    json_put_name(b, "statements");
    buf_byte(b, '[');
    for (size_t i = 0; i < r->basis_count; i++) {
        const struct facts_object *o = r->basis[i];
        unsigned char digest[CRYPT_SHA256_BYTES];
        crypt_sha256(o->text, digest);
        buf_lit(b, i ? ",{" : "{");
        json_put_member(b, "id", o->id);
        json_put_member(b, "version", o->version);
        json_put_name(b, "sha256");
        buf_byte(b, '"');
        buf_hex(b, digest, sizeof digest);
        buf_lit(b, "\"}");
    }
    buf_lit(b, "]}");
}

static void put_window(struct buf *b, const struct review *r)
{
    char text[INSTANT_TEXT_BYTES];
    json_put_member(b, "as_of", words_instant(r->facts->as_of_us, text));
    json_put_member(b, "counted_from", words_instant(r->window.from_us + 1, text));
    json_put_name(b, "sides");
    buf_byte(b, '[');
    for (size_t c = 0; c < 2; c++) {
        buf_lit(b, c ? ",{" : "{");
        json_put_member(b, "side", r->parties[c].nation);
        json_put_member(b, "organisation", r->parties[c].org);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

void json_shared(const struct review *r, struct buf *b)
{
    buf_byte(b, '{');
    put_window(b, r);
    json_put_name(b, "instrument");
    buf_byte(b, '{');
    put_members(b, r->instrument, instrument_members);
    buf_byte(b, '}');
    json_put_name(b, "round");
    buf_byte(b, '{');
    put_members(b, r->round, round_members);
    buf_byte(b, '}');
    put_commitments(b, r);
    put_measures(b, r, true);
    put_norms(b, r);
    json_put_name(b, "findings");
    buf_byte(b, '[');
    for (size_t i = 0; i < r->finding_count; i++) {
        if (i)
            buf_byte(b, ',');
        json_put_string(b, r->findings[i]);
    }
    buf_byte(b, ']');
    put_basis(b, r);
    buf_byte(b, '}');
}

/* ---- what this node alone says ---- */

static void put_ledgers(struct buf *b, const struct review *r)
{
    const struct store_witness *w = r->facts->witness;
    json_put_name(b, "ledger");
    buf_byte(b, '{');
    json_put_member_u64(b, "leaves", r->facts->leaves);
    json_put_member(b, "checkpoint", r->checkpoint);
    json_put_member(b, "countersigned", w->cosigned);
    buf_byte(b, '}');
    json_put_name(b, "partner_ledger");
    buf_byte(b, '{');
    json_put_member(b, "checkpoint", w->seen);
    json_put_member(b, "key", w->log_key);
    json_put_member(b, "state", w->state.n ? w->state : w->seen.n ? STR("good") : STR("none"));
    buf_byte(b, '}');
}

static void put_own(struct buf *b, const struct review *r)
{
    const struct review_facts *f = r->facts;
    buf_byte(b, '{');
    json_put_name(b, "node");
    buf_byte(b, '{');
    json_put_member(b, "nation", f->home.nation);
    json_put_member(b, "organisation", f->home.org);
    buf_byte(b, '}');
    json_put_name(b, "reader");
    buf_byte(b, '{');
    json_put_member(b, "nation", f->reader.nation);
    json_put_member(b, "organisation", f->reader.org);
    buf_byte(b, '}');
    put_ledgers(b, r);
    put_measures(b, r, false);
    buf_byte(b, '}');
}

bool review_json(const struct review *r, struct buf *out, struct err *e)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    struct buf shared;
    buf_init(&shared, LIMIT_REVIEW_OUTPUT_BYTES);
    json_shared(r, &shared);
    bool ok = buf_ok(&shared, e);
    if (ok) {
        crypt_sha256(buf_view(&shared), digest);
        buf_lit(out, "{\"format\":\"setu-review/1\",\"shared\":");
        buf_str(out, buf_view(&shared));
        json_put_name(out, "shared_sha256");
        buf_byte(out, '"');
        buf_hex(out, digest, sizeof digest);
        buf_byte(out, '"');
        json_put_name(out, "own");
        put_own(out, r);
        buf_lit(out, "}\n");
    }
    buf_done(&shared);
    return ok && buf_ok(out, e);
}
