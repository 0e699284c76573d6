/*
 * Ledgers that witness each other: a node judges what its partners show of their logs,
 * countersigns what continues what it saw before, and keeps what does not as evidence. The keys of
 * a partner are kept from the first time on.
 */
#include <string.h>

#include "exchange/exchange_priv.h"
#include "exchange/gate_priv.h"

/* Clocks of two nodes may differ by so much. */
#define CLOCKS_US ((int64_t)600 * 1000000)

bool exchange_witness(struct exchange_session *s, struct arena *a, struct str party,
                      struct store_witness *out, struct err *e)
{
    return store_witness_get(s->store, a, party, out, e);
}

bool exchange_witnesses(struct exchange_session *s, struct arena *a, store_witness_fn *each,
                        void *ctx, struct err *e)
{
    return store_witness_each(s->store, a, each, ctx, e);
}

/* A finding that proves itself: it stands, whatever is shown later, until an officer accepts it. */
static bool stands(struct str state)
{
    return str_eq(state, STR("fork")) || str_eq(state, STR("rollback"));
}

bool exchange_evidence(struct exchange_session *s, struct str party, store_evidence_fn *each,
                       void *ctx, struct err *e)
{
    return store_evidence_each(s->store, party, each, ctx, e);
}

/* ---- writing ---- */

/* What a job changes of a partner's row. All else stays as the transaction finds it: others may
 * judge the same ledger, or take its countersignature, at the same time. */
enum witness_part {
    WITNESS_KEYS,
    WITNESS_GOOD,
    WITNESS_FINDING,
    WITNESS_COSIGNED,
    WITNESS_ACCEPTED
};

struct witness_job {
    struct exchange_waiter w;
    enum witness_part part;
    const struct store_witness *row; /* with the new values of the part */
    struct str before;               /* GOOD, FINDING, ACCEPTED: the `seen` that was judged by */
    const struct principal *who;
    struct ledger_record *record; /* or NULL */
};

static bool other_key(struct str party, struct err *e)
{
    return err_set(e, ERR_CONFLICT,
                   "%.*s shows another key than before: either it is not %.*s, or its node was "
                   "made anew: ask its administrator by another way",
                   STR_FMT(party), STR_FMT(party));
}

static bool keep_keys(struct store_witness *now, const struct store_witness *row, struct err *e)
{
    if ((now->log_key.n && row->log_key.n && !str_eq(now->log_key, row->log_key)) ||
        (now->witness_key.n && row->witness_key.n && !str_eq(now->witness_key, row->witness_key)))
        return other_key(row->party, e);
    now->log_key = row->log_key.n ? row->log_key : now->log_key;
    now->witness_key = row->witness_key.n ? row->witness_key : now->witness_key;
    return true;
}

static bool judged_by_others(const struct witness_job *j, const struct store_witness *now,
                             struct err *e)
{
    bool stale = !str_eq(now->seen, j->before) || (j->part == WITNESS_GOOD && stands(now->state));
    return stale && !err_set(e, ERR_CONFLICT,
                             "the ledger of %.*s was judged by another at the same time: give the "
                             "command again",
                             STR_FMT(now->party));
}

static void take_part(const struct witness_job *j, struct store_witness *now)
{
    const struct store_witness *row = j->row;
    if (j->part == WITNESS_COSIGNED) {
        now->cosigned = row->cosigned;
        now->cosigned_us = row->cosigned_us;
    }
    if (j->part == WITNESS_ACCEPTED)
        now->accepted_us = row->accepted_us;
    if (j->part == WITNESS_GOOD || j->part == WITNESS_ACCEPTED) {
        now->seen = row->seen;
        now->seen_us = row->seen_us;
        now->state = now->evidence = STR("");
    }
    /* A fork stays one, however the log goes on. */
    if (j->part == WITNESS_FINDING && !str_eq(now->state, STR("fork")) &&
        (!stands(now->state) || stands(row->state))) {
        now->state = row->state;
        now->evidence = row->evidence;
    }
}

static bool witness_apply(struct exchange *x, struct store *s, struct exchange_job *job,
                          struct err *e)
{
    struct witness_job *j = (struct witness_job *)job;
    const struct store_witness *row = j->row;
    struct store_evidence found = {now_us(), row->party, row->state, j->before, row->evidence};
    bool judged = j->part != WITNESS_KEYS && j->part != WITNESS_COSIGNED;
    struct store_witness now;
    if (!store_witness_get(s, x->gate->arena, row->party, &now, e) ||
        (judged && judged_by_others(j, &now, e)) || (!judged && !keep_keys(&now, row, e)))
        return false;
    take_part(j, &now);
    return store_witness_put(s, &now, e) &&
           (j->part != WITNESS_FINDING || store_evidence_add(s, &found, e)) &&
           /* The log goes on from an earlier state: its leaves may be others now. */
           (j->part != WITNESS_ACCEPTED || store_peer_again(s, row->party, e)) &&
           (!j->record ||
            (gate_act_for(x->gate, j->who, e) && gate_record(x->gate, j->record, 0, e)));
}

static bool change(struct exchange_session *s, struct witness_job *j, struct err *e)
{
    j->w.job.apply = witness_apply;
    return exchange_run(s->x, &j->w, e);
}

/* ---- keys ---- */

static bool key_fits(struct str party, struct str text, enum ledger_key_type type,
                     struct ledger_key *out, struct err *e)
{
    struct str tail = type == LEDGER_KEY_LOG ? STR("/ledger") : STR("/witness");
    if (!ledger_key_parse(text, out, e))
        return false;
    if (out->type != type || out->name.n != party.n + tail.n || !str_starts(out->name, party) ||
        !str_ends(out->name, tail))
        return err_set(e, ERR_INVALID,
                       "the key is not that of %.*s%.*s but of \"%.*s\": ask the partner's "
                       "administrator for the output of `setu ledger key`",
                       STR_FMT(party), STR_FMT(tail), STR_FMT(out->name));
    return true;
}

bool exchange_witness_pin(struct exchange_session *s, const struct exchange_pin *p, struct err *e)
{
    struct store_witness row = {
        .party = p->party, .log_key = p->log_key, .witness_key = p->witness_key};
    struct witness_job j = {.part = WITNESS_KEYS, .row = &row};
    struct store_witness now;
    struct ledger_key key;
    struct arena *a = arena_new(1 << 20);
    bool ok = (a || err_set(e, ERR_MEMORY, "out of memory")) &&
              (row.log_key.n == 0 || key_fits(p->party, row.log_key, LEDGER_KEY_LOG, &key, e)) &&
              (row.witness_key.n == 0 ||
               key_fits(p->party, row.witness_key, LEDGER_KEY_WITNESS, &key, e)) &&
              store_witness_get(s->store, a, p->party, &now, e);
    bool new = ok && ((row.log_key.n && !str_eq(row.log_key, now.log_key)) ||
                      (row.witness_key.n && !str_eq(row.witness_key, now.witness_key)));
    ok = ok && (!new || change(s, &j, e));
    arena_free(a);
    return ok;
}

/* ---- judging ---- */

struct judging {
    struct exchange_session *s;
    struct arena *a;
    const struct exchange_sight *v;
    struct store_witness row;
    struct ledger_key key;
    struct ledger_checkpoint older, newer;
    struct exchange_judgement *out;
};

/* Whether the older tree is the beginning of the newer one, by tiles that are believed in nothing:
 * the older root is computed from them too, which tells a fork from tiles that do not fit. */
static bool relate(struct judging *j, struct err *e)
{
    const struct ledger_head *o = &j->older.head, *n = &j->newer.head;
    struct ledger_tree tree;
    struct ledger_head begins;
    struct ledger_proof proof;
    j->out->relation = ledger_compare(&j->older, &j->newer, NULL);
    if (o->size == 0 || n->size <= o->size)
        return true;
    if (!ledger_tree_read(j->v->tiles, o->size, &tree, e) ||
        !ledger_consistency_prove(j->v->tiles, o->size, n->size, &proof, e))
        return false;
    ledger_tree_head(&tree, &begins);
    if (!ledger_consistency_verify(&proof, &begins, n))
        j->out->relation = LEDGER_BAD_PROOF;
    else
        j->out->relation = ledger_hash_eq(&begins.root, &o->root) ? LEDGER_CONSISTENT : LEDGER_FORK;
    return true;
}

/* A note holds what others wrote below its text: of it goes on what was verified, one line a key.
 */
static bool trimmed(const struct ledger_note *n, const struct ledger_key *const keys[2],
                    struct buf *out, struct err *e)
{
    buf_str(out, n->text);
    buf_byte(out, '\n');
    for (size_t k = 0; k < 2 && keys[k]; k++) {
        struct str line = STR("");
        for (size_t i = 0; i < n->count; i++)
            if (n->signatures[i].id == keys[k]->id && str_eq(n->signatures[i].name, keys[k]->name))
                line = n->signatures[i].line;
        buf_str(out, line);
    }
    return buf_ok(out, e);
}

static bool cosign(struct judging *j, struct err *e)
{
    const struct ledger_key *const keys[2] = {&j->key, NULL};
    struct ledger_signer signer;
    struct buf note;
    if (!exchange_signer(j->s->x, LEDGER_KEY_WITNESS, j->a, &signer, e))
        return false;
    buf_init(&note, 0);
    bool ok =
        trimmed(&j->newer.note, keys, &note, e) &&
        ledger_note_sign(j->newer.note.text, &signer, (uint64_t)(now_us() / 1000000), &note, e) &&
        buf_ok(&note, e);
    if (ok)
        j->out->cosigned = arena_str(j->a, buf_view(&note));
    buf_done(&note);
    crypt_wipe(&signer, sizeof signer);
    return ok && arena_ok(j->a, e);
}

static bool open_notes(struct judging *j, struct err *e)
{
    if (j->row.log_key.n == 0)
        return err_set(e, ERR_NOT_FOUND, "the key of %.*s's ledger is not known",
                       STR_FMT(j->row.party));
    if (!ledger_key_parse(j->row.log_key, &j->key, e) ||
        !ledger_checkpoint_open(j->a, j->v->note, &j->key, &j->newer, e))
        return false;
    j->out->size = j->newer.head.size;
    j->out->first = j->row.seen.n == 0;
    if (j->out->first)
        return true;
    if (!ledger_checkpoint_open(j->a, j->row.seen, &j->key, &j->older, e))
        return false;
    j->out->before = j->older.head.size;
    return true;
}

static bool keep_finding(struct judging *j, struct str finding, struct err *e)
{
    struct store_witness row = {.party = j->row.party, .state = finding, .evidence = j->v->note};
    struct witness_job job = {.part = WITNESS_FINDING, .row = &row, .before = j->row.seen};
    return change(j->s, &job, e);
}

static bool keep_good(struct judging *j, struct err *e)
{
    struct store_witness row = {.party = j->row.party, .seen_us = now_us()};
    struct witness_job job = {.part = WITNESS_GOOD, .row = &row, .before = j->row.seen};
    if (!cosign(j, e))
        return false;
    row.seen = j->out->cosigned;
    return change(j->s, &job, e);
}

bool exchange_witness_judge(struct exchange_session *s, struct arena *a,
                            const struct exchange_sight *v, struct exchange_judgement *out,
                            struct err *e)
{
    struct judging j = {.s = s, .a = a, .v = v, .out = out, .row = *v->known};
    *out = (struct exchange_judgement){.relation = LEDGER_CONSISTENT, .cosigned = STR("")};
    if (!open_notes(&j, e) || (!out->first && !relate(&j, e)))
        return false;
    if (out->relation != LEDGER_CONSISTENT)
        return keep_finding(&j, str_of(ledger_relation_name(out->relation)), e);
    if (!stands(j.row.state))
        return keep_good(&j, e);
    out->relation = str_eq(j.row.state, STR("fork")) ? LEDGER_FORK : LEDGER_ROLLBACK;
    out->stands = true;
    return true;
}

bool exchange_witness_trouble(struct exchange_session *s, const struct exchange_sight *v,
                              struct str finding, struct err *e)
{
    struct judging j = {.s = s, .v = v, .row = *v->known};
    return keep_finding(&j, finding, e);
}

/* ---- our own log, countersigned ---- */

static bool is_ours(struct exchange_session *s, const struct ledger_head *h, struct err *e)
{
    struct ledger_tiles tiles = store_ledger_tiles(s->store);
    struct ledger_tree tree;
    struct ledger_head ours;
    uint64_t size;
    bool ok = store_begin(s->store, e);
    if (!ok)
        return false;
    ok = store_ledger_size(s->store, &size, e);
    if (ok && h->size <= size && (ok = ledger_tree_read(&tiles, h->size, &tree, e)))
        ledger_tree_head(&tree, &ours);
    store_rollback(s->store);
    if (!ok)
        return false;
    return (h->size <= size && ledger_hash_eq(&ours.root, &h->root)) ||
           err_set(e, ERR_CONFLICT,
                   "this node's ledger has another head at %llu leaves: one of the two is not "
                   "this node, or it was restored",
                   (unsigned long long)h->size);
}

struct cosigning {
    struct exchange_session *s;
    struct arena *a;
    struct store_witness row;
    struct ledger_checkpoint c;
    struct ledger_key own;
};

static bool open_cosigned(struct cosigning *x, struct str note, struct err *e)
{
    struct ledger_signer own;
    if (!exchange_signer(x->s->x, LEDGER_KEY_LOG, x->a, &own, e))
        return false;
    x->own = own.key;
    crypt_wipe(&own, sizeof own);
    return ledger_checkpoint_open(x->a, note, &x->own, &x->c, e);
}

/* Is the one that is kept of more leaves, and still of this log? An earlier one, sent late or
 * again, does not take its place. */
static bool kept_is_newer(struct cosigning *x)
{
    struct ledger_checkpoint kept;
    struct err ignored;
    return x->row.cosigned.n > 0 &&
           ledger_checkpoint_parse(x->a, x->row.cosigned, &kept, &ignored) &&
           kept.head.size > x->c.head.size && is_ours(x->s, &kept.head, &ignored);
}

static bool keep_cosigned(struct cosigning *x, const struct ledger_key *key, struct err *e)
{
    const struct ledger_key *const keys[2] = {&x->own, key};
    struct witness_job j = {.part = WITNESS_COSIGNED, .row = &x->row};
    struct buf note;
    buf_init(&note, 0);
    bool ok = trimmed(&x->c.note, keys, &note, e);
    x->row.cosigned = buf_view(&note);
    x->row.cosigned_us = now_us();
    ok = ok && change(x->s, &j, e);
    buf_done(&note);
    return ok;
}

static bool take_cosigned(struct cosigning *x, struct str witness_key, struct str note,
                          struct err *e)
{
    struct ledger_key key;
    if (x->row.witness_key.n && witness_key.n && !str_eq(x->row.witness_key, witness_key))
        return other_key(x->row.party, e);
    x->row.witness_key = witness_key.n ? witness_key : x->row.witness_key;
    if (!key_fits(x->row.party, x->row.witness_key, LEDGER_KEY_WITNESS, &key, e) ||
        !open_cosigned(x, note, e))
        return false;
    if (ledger_note_signed(&x->c.note, &key, NULL) != LEDGER_SIGNED_BY)
        return err_set(e, ERR_INVALID, "the checkpoint is not signed by %.*s", STR_FMT(key.name));
    if (!is_ours(x->s, &x->c.head, e))
        return false;
    return kept_is_newer(x) || keep_cosigned(x, &key, e);
}

bool exchange_witness_cosigned(struct exchange_session *s, const struct principal *who,
                               struct str witness_key, struct str note, struct err *e)
{
    struct cosigning x = {.s = s};
    if (who->role != EXCHANGE_PEER)
        return err_set(e, ERR_FORBIDDEN, "only partners countersign the ledger");
    if (!(x.a = arena_new(4 << 20)))
        return err_set(e, ERR_MEMORY, "out of memory");
    struct str party =
        arena_printf(x.a, "%.*s/%.*s", STR_FMT(who->party.nation), STR_FMT(who->party.org));
    bool ok = arena_ok(x.a, e) && store_witness_get(s->store, x.a, party, &x.row, e) &&
              ((witness_key.n > 0 || x.row.witness_key.n > 0) ||
               err_set(e, ERR_INVALID, "the witness's key is missing")) &&
              take_cosigned(&x, witness_key, note, e);
    arena_free(x.a);
    return ok;
}

/* ---- accepting a gap ---- */

static bool officer_there(struct str actor, struct str party)
{
    struct str rest = actor, nation = str_cut(&rest, '/'), org = str_cut(&rest, '/');
    return str_starts(party, nation) && party.n == nation.n + 1 + org.n && str_ends(party, org) &&
           rest.n > 0 && rest.p[0] != '(';
}

static bool confirmed_there(struct judging *j, const struct exchange_gap *g, struct err *e)
{
    struct ledger_evidence v;
    struct ledger_checkpoint c;
    struct ledger_record r;
    struct json_reader *reader = exchange_session_json(j->s);
    if (!ledger_evidence_parse(reader, j->a, g->proof, &v, e) ||
        !ledger_evidence_check(j->a, &v, &j->key, &c, e) ||
        !ledger_record_parse(reader, j->a, v.record, &r, e))
        return false;
    if (!str_eq(v.checkpoint, g->note))
        return err_set(e, ERR_INVALID, "the proof is of another checkpoint");
    if (r.kind != LEDGER_RESTORE_RECORD || (r.fields >> LEDGER_PEER & 1) ||
        !officer_there(r.text[LEDGER_ACTOR], g->party) || r.at_us <= j->row.accepted_us ||
        r.at_us < j->row.seen_us - CLOCKS_US)
        return err_set(e, ERR_FORBIDDEN,
                       "%.*s's ledger has no officer's confirmation of a restore since it was last "
                       "witnessed: its officers give `setu ledger confirm` there first",
                       STR_FMT(g->party));
    j->row.accepted_us = r.at_us;
    return true;
}

static bool accept_gap(struct judging *j, const struct exchange_gap *g, struct err *e)
{
    struct ledger_record r = {.kind = LEDGER_RESTORE_RECORD};
    struct store_witness row = {
        .party = g->party, .seen_us = now_us(), .accepted_us = j->row.accepted_us};
    struct witness_job job = {.part = WITNESS_ACCEPTED,
                              .row = &row,
                              .who = g->officer,
                              .record = &r,
                              .before = j->row.seen};
    if (!cosign(j, e))
        return false;
    row.seen = j->out->cosigned;
    ledger_record_number(&r, LEDGER_SIZE, j->newer.head.size);
    ledger_record_text(&r, LEDGER_PEER, g->party);
    ledger_record_text(&r, LEDGER_REASON, g->reason);
    return change(j->s, &job, e);
}

bool exchange_witness_accept(struct exchange_session *s, struct arena *a,
                             const struct exchange_gap *g, struct err *e)
{
    struct exchange_judgement out = {.cosigned = STR("")};
    struct exchange_sight v = {.note = g->note};
    struct judging j = {.s = s, .a = a, .v = &v, .out = &out};
    if (!exchange_officer_says(s->x, g->officer, "accept a partner's gap", g->reason, e))
        return false;
    if (!store_witness_get(s->store, a, g->party, &j.row, e))
        return false;
    if (!stands(j.row.state))
        return err_set(e, ERR_CONFLICT, "nothing stands against %.*s's ledger", STR_FMT(g->party));
    return open_notes(&j, e) && confirmed_there(&j, g, e) && accept_gap(&j, g, e);
}
