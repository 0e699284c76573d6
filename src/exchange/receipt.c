/*
 * What was shared is taken back from those who hold it. A partner asks what was withdrawn from it,
 * takes that out of its own collection, and gives a receipt: the proof that its ledger, which this
 * node witnesses, records it. Here both sides of that (docs/LEDGER.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/gate_priv.h"

static const char *const outcomes[] = {"removed", "kept", "absent"};

static struct str party_text(struct arena *a, struct str nation, struct str org)
{
    return arena_printf(a, "%.*s/%.*s", STR_FMT(nation), STR_FMT(org));
}

static void entry_hex(const struct ledger_hash *entry, char out[LEDGER_HEX_BYTES])
{
    _Static_assert(LEDGER_HASH_BYTES == CRYPT_SHA256_BYTES, "an entry is a SHA-256");
    ledger_hex(entry->b, out);
}

/* ---- what was withdrawn from a partner ---- */

struct withdrawn {
    uint64_t leaf;
    struct str id, version;
};

struct listing {
    struct exchange_session *s;
    const struct principal *who;
    const struct exchange_withdrawn *q;
    struct arena *a;
    struct withdrawn *list;
    size_t count, room;
    const struct withdrawn *at; /* that is looked at */
    bool again;                 /* who has it again */
    bool failed;
};

static bool add_withdrawn(void *ctx, const struct store_withdrawal *w)
{
    struct listing *l = ctx;
    void *items = l->list;
    l->failed = !base_grow(&items, &l->room, l->count + 1, sizeof *l->list);
    if (l->failed)
        return false;
    l->list = items;
    l->list[l->count++] =
        (struct withdrawn){w->leaf, arena_str(l->a, w->id), arena_str(l->a, w->version)};
    return true;
}

static int by_leaf(const void *a, const void *b)
{
    const struct withdrawn *x = a, *y = b;
    return (x->leaf > y->leaf) - (x->leaf < y->leaf);
}

static bool note_again(void *ctx, const struct store_release *r)
{
    struct listing *l = ctx;
    l->again = l->again || (r->collection == l->q->collection->id &&
                            policy_audience_has(r->audience_text, &l->who->party));
    return !l->again;
}

static bool look_again(void *ctx, const struct store_object *o)
{
    struct listing *l = ctx;
    struct err ignored;
    struct str version = o->version.p ? o->version : STR("");
    if (str_eq(version, l->at->version))
        l->failed = !store_release_each(l->s->store, o->object, note_again, l, &ignored);
    return !l->failed && !l->again;
}

/* The withdrawals from `first` on, sorted; *more: there may be others behind them. */
static bool gather(struct listing *l, uint64_t first, bool *more, struct err *e)
{
    struct store *s = l->s->store;
    const struct exchange_audiences *to = exchange_audiences_of(l->s, &l->who->party, e);
    struct store_withdrawn q = {
        .collection = l->q->collection->uuid, .first = first, .limit = l->q->most};
    l->count = 0;
    for (size_t i = 0; to && i < to->n; i++) {
        q.audience = to->ids[i];
        if (!store_withdrawal_each(s, &q, add_withdrawn, l, e))
            return false;
    }
    if (l->failed)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (l->count)
        qsort(l->list, l->count, sizeof *l->list, by_leaf);
    *more = l->count >= l->q->most;
    l->count = *more ? l->q->most : l->count;
    return to && arena_ok(l->a, e);
}

struct telling {
    exchange_leaf_fn *each;
    void *ctx;
    size_t told;
};

static bool tell(void *ctx, const struct store_leaf *l)
{
    struct telling *t = ctx;
    if (l->record.n == 0) /* erased: nobody can be told */
        return false;
    struct exchange_leaf leaf = {.index = l->index,
                                 .entry = l->entry,
                                 .audience = l->audience,
                                 .salt = l->salt,
                                 .record = l->record,
                                 .shown = true};
    t->told++;
    (void)t->each(t->ctx, &leaf);
    return false;
}

static bool list_withdrawn(struct listing *l, struct telling *t, struct err *e)
{
    uint64_t first = l->q->first;
    bool more = true;
    while (more && t->told == 0) {
        if (!gather(l, first, &more, e))
            return false;
        for (size_t i = 0; i < l->count; i++) {
            l->at = &l->list[i];
            l->again = false;
            if (!store_object_versions(l->s->store, l->at->id, look_again, l, e))
                return false;
            if (l->failed)
                return err_set(e, ERR_STORE, "what was released cannot be read");
            if (!l->again &&
                !store_ledger_each(l->s->store, l->at->leaf, l->at->leaf + 1, tell, t, e))
                return false;
            first = l->at->leaf + 1;
        }
    }
    return true;
}

bool exchange_withdrawals(struct exchange_session *s, const struct principal *who,
                          const struct exchange_withdrawn *q, exchange_leaf_fn *each, void *ctx,
                          struct err *e)
{
    struct listing l = {.s = s, .who = who, .q = q};
    struct telling t = {.each = each, .ctx = ctx};
    must(q->most > 0);
    if (who->role != EXCHANGE_PEER)
        return err_set(e, ERR_FORBIDDEN, "withdrawals are told to partner nodes");
    l.a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool ok = (l.a || err_set(e, ERR_MEMORY, "out of memory")) && store_begin(s->store, e);
    if (ok) {
        ok = list_withdrawn(&l, &t, e);
        store_rollback(s->store);
    }
    base_free(l.list);
    arena_free(l.a);
    return ok;
}

/* ---- this node takes back what a partner withdrew ---- */

struct take_item {
    struct ledger_record record;
    struct ledger_hash entry;
    uint64_t leaf, own;  /* of the partner's ledger, and of the receipt in ours */
    const char *outcome; /* one of `outcomes` */
    int64_t object;
    bool stands, others; /* it is here; others than the partner brought it in too */
};

struct take_job {
    struct exchange_waiter w;
    const struct principal *who;
    struct str party, audience; /* audience: the partner alone */
    int64_t collection;
    struct take_item *items;
    size_t count;
    bool failed;
    struct take_item *at;
    struct store *s;
};

static bool note_given(void *ctx, const struct store_receipt *r)
{
    struct take_item *it = ctx;
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        if (str_eq(r->outcome, str_of(outcomes[i])))
            it->outcome = outcomes[i];
    it->own = r->own;
    return false;
}

static bool note_standing(void *ctx, const struct store_release *r)
{
    struct take_job *j = ctx;
    j->at->stands = j->at->stands || r->collection == j->collection;
    return !j->at->stands;
}

/* The version that was withdrawn; of an object without versions, the one that the partner gave. */
static bool find_version(void *ctx, const struct store_object *o)
{
    struct take_job *j = ctx;
    struct err ignored;
    struct str version = j->at->record.text[LEDGER_VERSION];
    bool this = version.n ? str_eq(o->version.p ? o->version : STR(""), version)
                          : !o->version.p && o->source_org == j->who->org;
    if (!this || o->copy)
        return true;
    j->at->object = o->object;
    j->failed = !store_release_each(j->s, o->object, note_standing, j, &ignored);
    return !j->failed && !j->at->stands;
}

static bool note_submitter(void *ctx, const struct store_org *o)
{
    struct take_job *j = ctx;
    j->at->others = j->at->others || o->id != j->who->org;
    return true;
}

/* ---- … also what waits in quarantine ---- */

struct quarantined {
    struct take_job *j;
    struct exchange *x;
    int64_t ids[LIMIT_EXCHANGE_WITHDRAW_VERSIONS];
    size_t count;
    bool same;
};

static bool note_quarantined(void *ctx, const struct store_desk *d)
{
    struct quarantined *q = ctx;
    if (d->kind == STORE_DESK_QUARANTINE && d->org == q->j->who->org &&
        d->collection == q->j->collection &&
        str_eq(d->stix_id, q->j->at->record.text[LEDGER_OBJECT]))
        q->ids[q->count++] = d->id;
    return q->count < LIMIT_EXCHANGE_WITHDRAW_VERSIONS;
}

static bool compare_version(void *ctx, const struct store_desk *d)
{
    struct quarantined *q = ctx;
    struct gate *g = q->x->gate;
    struct stix_object o = {0};
    const struct json *v;
    struct err ignored;
    struct str version = q->j->at->record.text[LEDGER_VERSION];
    struct str bytes = arena_str(g->arena, d->bytes);
    q->same = bytes.p && json_parse(g->json, g->arena, bytes, false, &v, &ignored) &&
              stix_object_read(v, &o, &ignored) &&
              str_eq(o.version.p ? o.version : STR(""), version.p ? version : STR(""));
    return false;
}

/* What waits for an officer is to wait no more. *any: something did. */
static bool drop_quarantined(struct exchange *x, struct take_job *j, bool *any, struct err *e)
{
    struct quarantined q = {.j = j, .x = x};
    *any = false;
    if (!store_desk_any(j->s, any, e) || !*any)
        return e->code == ERR_NONE;
    *any = false;
    if (!store_desk_each(j->s, false, note_quarantined, &q, e))
        return false;
    for (size_t i = 0; i < q.count; i++) {
        if (!store_desk_get(j->s, q.ids[i], compare_version, &q, e))
            return false;
        if (q.same &&
            !store_desk_close(j->s, q.ids[i], STORE_DESK_VOID, STR("who sent it took it back"), e))
            return false;
        *any = *any || q.same;
    }
    gate_next(x->gate);
    return true;
}

/* What others brought in too, before the partner or after it, is theirs to give. */
static bool take_out(struct exchange *x, struct take_job *j, struct take_item *it, struct err *e)
{
    int64_t version_us = 0;
    struct instant t;
    struct str version = it->record.text[LEDGER_VERSION];
    struct exchange_taking what = {.id = it->record.text[LEDGER_OBJECT],
                                   .reason = it->record.text[LEDGER_REASON],
                                   .collection = j->collection,
                                   .org = j->who->org};
    size_t removed = 0;
    bool waited;
    if (!drop_quarantined(x, j, &waited, e) ||
        !store_object_versions(j->s, what.id, find_version, j, e))
        return false;
    if (j->failed)
        return err_set(e, ERR_STORE, "release rows cannot be read");
    it->outcome = waited ? "removed" : "absent";
    if (!it->stands)
        return true;
    it->outcome = "kept";
    if (!store_submitter_each(j->s, it->object, j->collection, note_submitter, j, e))
        return false;
    if (it->others)
        return true;
    if (version.n) {
        if (!instant_parse(version, &t, e))
            return false;
        version_us = instant_us(t);
        what.version_us = &version_us;
        what.version_count = 1;
    }
    if (!exchange_take(x, j->s, &what, &removed, e))
        return false;
    if (removed)
        it->outcome = "removed";
    return true;
}

static bool give_receipt(struct exchange *x, struct take_job *j, struct take_item *it,
                         struct err *e)
{
    char hex[LEDGER_HEX_BYTES];
    int64_t audience;
    struct ledger_record r = {.kind = LEDGER_RECEIPT_RECORD};
    struct store_receipt row = {.given = true,
                                .party = j->party,
                                .entry = it->entry,
                                .leaf = it->leaf,
                                .own = gate_next_leaf(x->gate),
                                .at_us = x->gate->now_us,
                                .outcome = str_of(it->outcome)};
    entry_hex(&it->entry, hex);
    ledger_record_text(&r, LEDGER_OBJECT, it->record.text[LEDGER_OBJECT]);
    ledger_record_text(&r, LEDGER_VERSION, it->record.text[LEDGER_VERSION]);
    ledger_record_text(&r, LEDGER_DIGEST, (struct str){hex, sizeof hex});
    ledger_record_text(&r, LEDGER_PEER, j->party);
    ledger_record_text(&r, LEDGER_OUTCOME, row.outcome);
    it->own = row.own;
    return store_audience_put(j->s, j->audience, &audience, e) && gate_act_for(x->gate, NULL, e) &&
           gate_record(x->gate, &r, audience, e) && store_receipt_put(j->s, &row, e);
}

static bool take_apply(struct exchange *x, struct store *s, struct exchange_job *job, struct err *e)
{
    struct take_job *j = (struct take_job *)job;
    j->s = s;
    for (size_t i = 0; i < j->count; i++) {
        struct take_item *it = j->at = &j->items[i];
        const struct store_receipt given = {.given = true, .party = j->party, .entry = it->entry};
        it->outcome = NULL;
        if (!store_receipt_get(s, &given, note_given, it, e))
            return false;
        if (it->outcome) /* it was taken out, and the partner does not know yet */
            continue;
        if (!take_out(x, j, it, e) || !give_receipt(x, j, it, e))
            return false;
    }
    return true;
}

static bool read_item(struct exchange_session *s, struct arena *a,
                      const struct exchange_taken_back *t, struct take_item *it, struct err *e)
{
    it->leaf = t->leaf;
    ledger_entry_hash(t->salt, t->record, &it->entry);
    return ledger_record_parse(s->json, a, t->record, &it->record, e) &&
           (it->record.kind == LEDGER_WITHDRAWAL_RECORD ||
            err_set(e, ERR_INVALID, "leaf %llu is not of a withdrawal",
                    (unsigned long long)t->leaf));
}

static bool prove_item(struct exchange_session *s, struct arena *a, const struct take_item *it,
                       struct exchange_taken_back *out, struct err *e)
{
    struct buf file;
    buf_init(&file, 0);
    bool ok = exchange_leaf_prove(s, a, it->own, &file, e);
    out->proof = arena_str(a, buf_view(&file));
    out->outcome = str_of(it->outcome);
    buf_done(&file);
    return ok && arena_ok(a, e);
}

bool exchange_take_back(struct exchange_session *s, struct arena *a,
                        const struct exchange_taking_back *b, struct err *e)
{
    struct take_job j = {.who = b->partner, .collection = b->into->id, .count = b->count};
    j.party = party_text(a, b->partner->party.nation, b->partner->party.org);
    j.audience = arena_printf(a, "+%.*s", STR_FMT(j.party));
    j.items = arena_calloc(a, b->count ? b->count : 1, sizeof *j.items);
    j.w.job.apply = take_apply;
    j.w.job.objects = b->count;
    bool ok = arena_ok(a, e);
    for (size_t i = 0; i < b->count && ok; i++)
        ok = read_item(s, a, &b->list[i], &j.items[i], e);
    ok = ok && (b->count == 0 || exchange_run(s->x, &j.w, e));
    for (size_t i = 0; i < b->count && ok; i++)
        ok = prove_item(s, a, &j.items[i], &b->list[i], e);
    return ok;
}

/* ---- a partner's receipt ---- */

struct keep_job {
    struct exchange_waiter w;
    const struct principal *who;
    const struct ledger_record *record; /* the partner's */
    struct store_receipt row;
    bool known;
};

static bool note_known(void *ctx, const struct store_receipt *r)
{
    struct keep_job *j = ctx;
    (void)r;
    j->known = true;
    return false;
}

static bool keep_apply(struct exchange *x, struct store *s, struct exchange_job *job, struct err *e)
{
    struct keep_job *j = (struct keep_job *)job;
    char outcome[32];
    struct ledger_record r = {.kind = LEDGER_RECEIPT_RECORD};
    if (!store_receipt_get(s, &j->row, note_known, j, e))
        return false;
    if (j->known)
        return true;
    snprintf(outcome, sizeof outcome, "confirmed-%.*s", STR_FMT(j->row.outcome));
    ledger_record_text(&r, LEDGER_OBJECT, j->record->text[LEDGER_OBJECT]);
    ledger_record_text(&r, LEDGER_VERSION, j->record->text[LEDGER_VERSION]);
    ledger_record_text(&r, LEDGER_DIGEST, j->record->text[LEDGER_DIGEST]);
    ledger_record_text(&r, LEDGER_PEER, j->row.party);
    ledger_record_text(&r, LEDGER_OUTCOME, str_of(outcome));
    j->row.own = gate_next_leaf(x->gate);
    j->row.at_us = x->gate->now_us;
    return gate_act_for(x->gate, j->who, e) && gate_record(x->gate, &r, 0, e) &&
           store_receipt_put(s, &j->row, e);
}

/* Was this node's leaf a withdrawal from them, and is it the one that they speak of? */
struct matching {
    const struct principal *who;
    struct exchange_session *s;
    bool theirs;
};

static bool note_theirs(void *ctx, const struct store_withdrawal *w)
{
    struct matching *m = ctx;
    m->theirs = policy_audience_has(w->audience_text, &m->who->party);
    return false;
}

static bool matches(struct matching *m, uint64_t leaf, struct str digest, struct ledger_hash *entry,
                    struct err *e)
{
    struct store *s = m->s->store;
    char hex[LEDGER_HEX_BYTES];
    uint64_t size;
    if (!store_begin(s, e))
        return false;
    bool ok = store_ledger_size(s, &size, e) && store_withdrawal_get(s, leaf, note_theirs, m, e) &&
              (!m->theirs || leaf >= size || store_ledger_entries(s, leaf, 1, entry, e));
    store_rollback(s);
    if (!ok)
        return false;
    entry_hex(entry, hex);
    return (m->theirs && leaf < size && str_eq(digest, (struct str){hex, sizeof hex})) ||
           err_set(e, ERR_INVALID, "leaf %llu is no withdrawal that this receipt is for",
                   (unsigned long long)leaf);
}

static bool read_receipt(struct exchange_session *s, struct arena *a,
                         const struct exchange_receipt *r, struct ledger_record *out, struct err *e)
{
    const struct exchange_config *c = &s->x->config;
    struct str party = party_text(a, r->who->party.nation, r->who->party.org);
    struct str own = party_text(a, c->nation, c->org);
    struct exchange_pin pin = {.party = party, .log_key = r->key};
    struct store_witness known;
    struct ledger_evidence v;
    struct ledger_checkpoint head;
    struct ledger_key key;
    if (!exchange_witness_pin(s, &pin, e) || !store_witness_get(s->store, a, party, &known, e))
        return false;
    if (!known.log_key.n)
        return err_set(e, ERR_INVALID, "the key of %.*s's ledger is not known: send it along",
                       STR_FMT(party));
    if (!ledger_key_parse(known.log_key, &key, e) ||
        !ledger_evidence_parse(s->json, a, r->proof, &v, e) ||
        !ledger_evidence_check(a, &v, &key, &head, e) ||
        !ledger_record_parse(s->json, a, v.record, out, e))
        return false;
    bool known_outcome = false;
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        known_outcome = known_outcome || str_eq(out->text[LEDGER_OUTCOME], str_of(outcomes[i]));
    return (out->kind == LEDGER_RECEIPT_RECORD && known_outcome &&
            str_eq(out->text[LEDGER_PEER], own)) ||
           err_set(e, ERR_INVALID, "this proves no receipt for what %.*s withdrew", STR_FMT(own));
}

bool exchange_receipt_keep(struct exchange_session *s, struct arena *a,
                           const struct exchange_receipt *r, struct err *e)
{
    struct ledger_record record;
    struct keep_job j = {.who = r->who, .record = &record};
    struct matching m = {.who = r->who, .s = s};
    if (r->who->role != EXCHANGE_PEER)
        return err_set(e, ERR_FORBIDDEN, "receipts are given by partner nodes");
    if (!read_receipt(s, a, r, &record, e) ||
        !matches(&m, r->leaf, record.text[LEDGER_DIGEST], &j.row.entry, e))
        return false;
    j.row.party = party_text(a, r->who->party.nation, r->who->party.org);
    j.row.leaf = r->leaf;
    j.row.outcome = record.text[LEDGER_OUTCOME];
    j.row.proof = r->proof;
    j.w.job.apply = keep_apply;
    j.w.job.objects = 1;
    return arena_ok(a, e) && exchange_run(s->x, &j.w, e);
}
