/*
 * The ledger's records about the partner: what was released to it and taken back, what came from
 * it, what officers were asked, what it confirmed. A reader is shown the records of its own
 * audiences, home all.
 */
#include <stdlib.h>

#include "review/review_priv.h"

/* Is the partner among the recipients of an audience? By its number. */
struct known_audience {
    int64_t id;
    bool has;
};
struct reading {
    struct exchange_session *s;
    struct arena *a, *scratch;
    struct review_facts *f;
    struct json_reader *jr;
    struct str actor, party; /* of the partner: "JP/jpcert/", "JP/jpcert" */
    struct known_audience *known;
    size_t known_count, known_room;
    struct facts_record *list;
    size_t count, room;
    bool over; /* a record later than the as-of instant was seen */
    struct err *e;
    bool failed;
};

static bool fail(struct reading *r)
{
    r->failed = true;
    return false;
}

/* ---- audiences ---- */

static bool learn_audience(struct reading *r, int64_t id, size_t at, bool *has)
{
    struct str text;
    void *items = r->known;
    if (!exchange_audience_text(r->s, r->scratch, id, &text, r->e))
        return fail(r);
    if (!base_grow(&items, &r->known_room, r->known_count + 1, sizeof *r->known))
        return err_set(r->e, ERR_MEMORY, "out of memory") || fail(r);
    r->known = items;
    memmove(r->known + at + 1, r->known + at, (r->known_count - at) * sizeof *r->known);
    *has = policy_audience_has(text, &r->f->partner);
    r->known[at] = (struct known_audience){id, *has};
    r->known_count++;
    arena_reset(r->scratch);
    return true;
}

/* A log has few audiences; sorted by number. */
static bool has_partner(struct reading *r, int64_t id, bool *has)
{
    size_t low = 0, high = r->known_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->known[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    *has = false;
    if (id == 0)
        return true;
    if (low < r->known_count && r->known[low].id == id) {
        *has = r->known[low].has;
        return true;
    }
    return learn_audience(r, id, low, has);
}

/* ---- records ---- */

static bool is_about_partner(struct reading *r, const struct ledger_record *v, int64_t audience,
                             bool *about)
{
    *about = false;
    switch (v->kind) {
    case LEDGER_RELEASE_RECORD:
    case LEDGER_WITHDRAWAL_RECORD:
        return has_partner(r, audience, about);
    case LEDGER_ACCEPTANCE_RECORD:
    case LEDGER_REFUSAL_RECORD:
    case LEDGER_QUARANTINE_RECORD:
        *about = str_starts(v->text[LEDGER_ACTOR], r->actor);
        return true;
    case LEDGER_HOLD_RECORD:
        *about = policy_audience_has(v->text[LEDGER_RECIPIENT], &r->f->partner);
        return true;
    case LEDGER_RECEIPT_RECORD: /* the partner's, not the one that was given to it */
        *about = str_eq(v->text[LEDGER_PEER], r->party) &&
                 str_starts(v->text[LEDGER_OUTCOME], STR("confirmed-"));
        return true;
    case LEDGER_APPROVAL_RECORD:
    case LEDGER_ERASURE_RECORD:
    case LEDGER_COLLECTION_CHANGE_RECORD:
    case LEDGER_PEER_CHANGE_RECORD:
    case LEDGER_POLICY_CHANGE_RECORD:
    case LEDGER_USER_CHANGE_RECORD:
    case LEDGER_TOKEN_CHANGE_RECORD:
    case LEDGER_SIGN_IN_FAILURE_RECORD:
    case LEDGER_EXPORT_RECORD:
    case LEDGER_BACKUP_RECORD:
    case LEDGER_RESTORE_RECORD:
    case LEDGER_READ_RECORD:
    case LEDGER_KIND_COUNT:
        break;
    }
    return true;
}

/* "policy.conf:4: from JP is refused" is of the rule policy.conf:4. */
static struct str rule_of(struct str reason)
{
    for (size_t i = 0; i + 1 < reason.n; i++)
        if (reason.p[i] == ':' && reason.p[i + 1] == ' ')
            return str_slice(reason, 0, i);
    return reason.n <= LIMIT_NAME_BYTES ? reason : STR("other");
}

static bool keep_record(struct reading *r, const struct exchange_leaf *l,
                        const struct ledger_record *scanned, int64_t at_us)
{
    struct ledger_record v = *scanned;
    void *items = r->list;
    /* A text with escapes stands in the record as it is written; only a refusal's is shown. */
    if (v.kind == LEDGER_REFUSAL_RECORD &&
        !ledger_record_parse(r->jr, r->scratch, l->record, &v, r->e))
        return fail(r);
    if (!base_grow(&items, &r->room, r->count + 1, sizeof *r->list))
        return err_set(r->e, ERR_MEMORY, "out of memory") || fail(r);
    r->list = items;
    r->list[r->count++] =
        (struct facts_record){.kind = v.kind,
                              .index = l->index,
                              .at_us = at_us,
                              .object = arena_str(r->a, v.text[LEDGER_OBJECT]),
                              .label = arena_str(r->a, rule_of(v.text[LEDGER_REASON]))};
    arena_reset(r->scratch);
    return arena_ok(r->a, r->e) || fail(r);
}

static bool take_leaf(void *ctx, const struct exchange_leaf *l)
{
    struct reading *r = ctx;
    struct ledger_record v;
    struct instant at;
    struct err ignored;
    bool about;
    if (!l->shown || !ledger_record_scan(l->record, &v) ||
        !instant_parse(v.text[LEDGER_AT], &at, &ignored))
        return true;
    int64_t at_us = instant_us(at);
    if (at_us > r->f->as_of_us) {
        if (!r->over)
            r->f->leaves = l->index;
        r->over = true;
        return true; /* a clock may have been set back behind it */
    }
    if (!is_about_partner(r, &v, l->audience, &about))
        return false;
    return !about || keep_record(r, l, &v, at_us);
}

/* ---- who witnesses it ---- */

/* How much of the log the partner has countersigned, of what there was at the as-of instant. */
static bool load_witness(struct reading *r)
{
    struct store_witness *w = arena_calloc(r->a, 1, sizeof *w);
    struct ledger_checkpoint c;
    struct err ignored;
    if (!w)
        return err_set(r->e, ERR_MEMORY, "out of memory");
    if (!exchange_witness(r->s, r->a, r->party, w, r->e))
        return false;
    r->f->witness = w;
    r->f->has_witness = w->cosigned.n && ledger_checkpoint_parse(r->a, w->cosigned, &c, &ignored);
    if (r->f->has_witness)
        r->f->witnessed = c.head.size < r->f->leaves ? c.head.size : r->f->leaves;
    return true;
}

static bool read_log(struct reading *r, const struct principal *reader)
{
    uint64_t size;
    if (!exchange_ledger_size(r->s, &size, r->e))
        return false;
    r->f->leaves = size;
    return exchange_ledger_each(r->s, reader, 0, size, take_leaf, r, r->e) && !r->failed;
}

bool facts_ledger_load(struct exchange_session *s, struct arena *a, const struct principal *reader,
                       struct review_facts *f, struct err *e)
{
    struct reading r = {.s = s, .a = a, .f = f, .e = e, .jr = exchange_session_json(s)};
    r.party = arena_printf(a, "%.*s/%.*s", STR_FMT(f->partner.nation), STR_FMT(f->partner.org));
    r.actor = arena_printf(a, "%.*s/", STR_FMT(r.party));
    r.scratch = arena_new(64u << 20);
    bool ok = (r.scratch || err_set(e, ERR_MEMORY, "out of memory")) && arena_ok(a, e) &&
              read_log(&r, reader) && load_witness(&r);
    struct facts_record *kept = NULL;
    if (ok && !(kept = arena_calloc(a, r.count ? r.count : 1, sizeof *kept)))
        ok = err_set(e, ERR_LIMIT, "the review needs more memory than %zu bytes",
                     LIMIT_REVIEW_ARENA_BYTES);
    if (ok && r.count)
        memcpy(kept, r.list, r.count * sizeof *kept);
    f->records = kept;
    f->record_count = ok ? r.count : 0;
    base_free(r.known);
    base_free(r.list);
    arena_free(r.scratch);
    return ok;
}
