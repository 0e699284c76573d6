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

/* ---- writing ---- */

struct witness_job {
    struct exchange_waiter w;
    struct store_witness row;
    struct str seen_before; /* what the judgement was made on */
    const struct principal *who;
    struct ledger_record *record; /* or NULL */
};

static bool witness_apply(struct exchange *x, struct store *s, struct exchange_job *j,
                          struct err *e)
{
    struct witness_job *job = (struct witness_job *)j;
    struct store_witness now;
    struct arena *a = x->gate->arena;
    if (!store_witness_get(s, a, job->row.party, &now, e))
        return false;
    if (!str_eq(now.seen, job->seen_before))
        return err_set(e, ERR_CONFLICT, "%.*s's ledger was judged by another at the same time",
                       STR_FMT(job->row.party));
    return store_witness_put(s, &job->row, e) &&
           (!job->record ||
            (gate_act_for(x->gate, job->who, e) && gate_record(x->gate, job->record, 0, e)));
}

static bool put_row(struct exchange_session *s, const struct store_witness *row,
                    struct str seen_before, struct err *e)
{
    struct witness_job j = {.row = *row, .seen_before = seen_before};
    j.w.job.apply = witness_apply;
    return exchange_run(s->x, &j.w, e);
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

/* Keeps `given` in `*kept`, unless another is there. */
static bool pin(struct str party, struct str given, enum ledger_key_type type, struct str *kept,
                struct err *e)
{
    struct ledger_key key;
    if (given.n == 0)
        return true;
    if (!key_fits(party, given, type, &key, e))
        return false;
    if (kept->n && !str_eq(*kept, given))
        return err_set(e, ERR_CONFLICT,
                       "%.*s shows another key than before: either it is not %.*s, or its node "
                       "was made anew: ask its administrator by another way",
                       STR_FMT(party), STR_FMT(party));
    *kept = given;
    return true;
}

bool exchange_witness_pin(struct exchange_session *s, const struct exchange_pin *p, struct err *e)
{
    struct arena *a = arena_new(1 << 20);
    struct store_witness w, before;
    bool ok = (a || err_set(e, ERR_MEMORY, "out of memory")) &&
              store_witness_get(s->store, a, p->party, &w, e);
    if (ok) {
        before = w;
        ok = pin(p->party, p->log_key, LEDGER_KEY_LOG, &w.log_key, e) &&
             pin(p->party, p->witness_key, LEDGER_KEY_WITNESS, &w.witness_key, e);
        if (ok && !(str_eq(w.log_key, before.log_key) && str_eq(w.witness_key, before.witness_key)))
            ok = put_row(s, &w, w.seen, e);
    }
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

static bool cosign(struct judging *j, struct err *e)
{
    struct ledger_signer signer;
    struct buf line, note;
    uint64_t now_s = (uint64_t)(now_us() / 1000000);
    if (!exchange_signer(j->s->x, LEDGER_KEY_WITNESS, j->a, &signer, e))
        return false;
    buf_init(&line, 0);
    buf_init(&note, 0);
    bool ok = ledger_note_sign(j->newer.note.text, &signer, now_s, &line, e) && buf_ok(&line, e) &&
              ledger_note_add(j->a, j->v->note, buf_view(&line), &note, e) && buf_ok(&note, e);
    if (ok)
        j->out->cosigned = arena_str(j->a, buf_view(&note));
    buf_done(&note);
    buf_done(&line);
    crypt_wipe(&signer, sizeof signer);
    return ok && arena_ok(j->a, e);
}

static bool open_notes(struct judging *j, struct err *e)
{
    if (j->row.log_key.n == 0)
        return err_set(e, ERR_NOT_FOUND, "the key of %.*s's ledger is not known",
                       STR_FMT(j->v->party));
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

/* A finding that proves itself stays until an officer accepts it; one that tiles may mend does not.
 */
static bool keep_finding(struct judging *j, struct err *e)
{
    struct store_witness row = j->row;
    if (j->out->relation != LEDGER_FORK && j->out->relation != LEDGER_ROLLBACK)
        return true;
    row.state = str_of(ledger_relation_name(j->out->relation));
    row.evidence = j->v->note;
    return put_row(j->s, &row, j->row.seen, e);
}

static bool keep_good(struct judging *j, struct err *e)
{
    struct store_witness row = j->row;
    if (!cosign(j, e))
        return false;
    row.seen = j->out->cosigned;
    row.seen_us = now_us();
    return put_row(j->s, &row, j->row.seen, e);
}

bool exchange_witness_judge(struct exchange_session *s, struct arena *a,
                            const struct exchange_sight *v, struct exchange_judgement *out,
                            struct err *e)
{
    struct judging j = {.s = s, .a = a, .v = v, .out = out};
    *out = (struct exchange_judgement){.relation = LEDGER_CONSISTENT, .cosigned = STR("")};
    if (!store_witness_get(s->store, a, v->party, &j.row, e) || !open_notes(&j, e))
        return false;
    if (!out->first && !relate(&j, e))
        return false;
    if (out->relation != LEDGER_CONSISTENT)
        return keep_finding(&j, e);
    /* What was found before stands, whatever is shown today. */
    if (j.row.state.n) {
        out->relation = str_eq(j.row.state, STR("fork")) ? LEDGER_FORK : LEDGER_ROLLBACK;
        return true;
    }
    return keep_good(&j, e);
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

static bool open_cosigned(struct exchange_session *s, struct arena *a, struct str note,
                          struct ledger_checkpoint *out, struct err *e)
{
    struct ledger_signer own;
    if (!exchange_signer(s->x, LEDGER_KEY_LOG, a, &own, e))
        return false;
    bool ok = ledger_checkpoint_open(a, note, &own.key, out, e);
    crypt_wipe(&own, sizeof own);
    return ok;
}

struct cosigning {
    struct exchange_session *s;
    struct arena *a;
    struct store_witness row;
    struct ledger_checkpoint c;
};

static bool take_cosigned(struct cosigning *x, struct str witness_key, struct str note,
                          struct err *e)
{
    struct ledger_key key;
    struct str before = x->row.seen;
    uint64_t time_s;
    if (!pin(x->row.party, witness_key, LEDGER_KEY_WITNESS, &x->row.witness_key, e) ||
        !ledger_key_parse(x->row.witness_key, &key, e) ||
        !open_cosigned(x->s, x->a, note, &x->c, e))
        return false;
    if (ledger_note_signed(&x->c.note, &key, &time_s) != LEDGER_SIGNED_BY)
        return err_set(e, ERR_INVALID, "the checkpoint is not signed by %.*s", STR_FMT(key.name));
    if (!is_ours(x->s, &x->c.head, e))
        return false;
    x->row.cosigned = note;
    x->row.cosigned_us = now_us();
    return put_row(x->s, &x->row, before, e);
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
    struct witness_job job = {.who = g->officer, .record = &r, .seen_before = j->row.seen};
    if (!cosign(j, e))
        return false;
    ledger_record_number(&r, LEDGER_SIZE, j->newer.head.size);
    ledger_record_text(&r, LEDGER_PEER, g->party);
    ledger_record_text(&r, LEDGER_REASON, g->reason);
    job.row = j->row;
    job.row.seen = j->out->cosigned;
    job.row.seen_us = now_us();
    job.row.state = STR("");
    job.row.evidence = STR("");
    job.w.job.apply = witness_apply;
    return exchange_run(j->s->x, &job.w, e);
}

bool exchange_witness_accept(struct exchange_session *s, struct arena *a,
                             const struct exchange_gap *g, struct err *e)
{
    struct exchange_judgement out = {.cosigned = STR("")};
    struct exchange_sight v = {.party = g->party, .note = g->note};
    struct judging j = {.s = s, .a = a, .v = &v, .out = &out};
    if (!exchange_home_officer(s->x, g->officer))
        return err_set(e, ERR_FORBIDDEN, "only officers of %.*s accept a partner's gap",
                       STR_FMT(s->x->config.org));
    if (g->reason.n == 0 || g->reason.n > LIMIT_EXCHANGE_MESSAGE_BYTES || !utf8_valid(g->reason) ||
        exchange_has_control(g->reason))
        return err_set(e, ERR_USAGE,
                       "--reason takes 1 to %d bytes of text without control characters",
                       LIMIT_EXCHANGE_MESSAGE_BYTES);
    if (!store_witness_get(s->store, a, g->party, &j.row, e))
        return false;
    if (j.row.state.n == 0)
        return err_set(e, ERR_CONFLICT, "nothing stands against %.*s's ledger", STR_FMT(g->party));
    return open_notes(&j, e) && confirmed_there(&j, g, e) && accept_gap(&j, g, e);
}
