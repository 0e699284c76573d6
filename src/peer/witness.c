/*
 * Witnessing a partner's ledger: its keys, its checkpoint, the tiles that show whether it goes on
 * from what was seen before. What they mean is judged by `exchange`.
 */
#include <stdio.h>
#include <string.h>

#include "crypt/crypt.h"
#include "peer/peer_priv.h"

/* ---- fetching ---- */

struct partner {
    struct exchange_session *s;
    const struct store_peer *p;
    struct arena *a;
    struct peer_client *c;
    struct str party;
    struct kept_tile *tiles; /* that were fetched */
    bool withheld;           /* a tile of what it signed is not to be had, or is none */
};

bool peer_fetch(struct peer_client *c, struct arena *a, struct str path, const struct str *post,
                struct str *out, struct err *e)
{
    struct peer_reply r;
    struct str url = arena_printf(a, "%.*s%.*s", STR_FMT(c->url.origin), STR_FMT(path));
    *out = STR("");
    if (!arena_ok(a, e))
        return false;
    c->plain = true;
    c->most =
        str_starts(path, STR("/ledger/records")) || str_starts(path, STR("/ledger/withdrawals"))
            ? LIMIT_PEER_RECORDS_BYTES
            : LIMIT_PEER_LEDGER_BYTES;
    bool ok = peer_http(c, url, post, &r, e);
    c->plain = false;
    c->most = LIMIT_PEER_BODY_BYTES;
    if (!ok)
        return false;
    char *copy = arena_alloc(a, r.text.n + BASE_PADDING);
    if (!copy)
        return arena_ok(a, e);
    if (r.text.n)
        memcpy(copy, r.text.p, r.text.n);
    memset(copy + r.text.n, 0, BASE_PADDING);
    *out = (struct str){copy, r.text.n};
    return true;
}

static bool fetch(struct partner *x, struct str path, const struct str *post, struct str *out,
                  struct err *e)
{
    return peer_fetch(x->c, x->a, path, post, out, e);
}

struct kept_tile {
    struct kept_tile *next;
    struct ledger_tile tile;
    struct ledger_hash hashes[LEDGER_TILE_WIDTH];
};

static bool same_tile(const struct ledger_tile *a, const struct ledger_tile *b)
{
    return a->level == b->level && a->index == b->index && a->width <= b->width;
}

bool peer_not_shown(const struct err *e)
{
    return e->code == ERR_NOT_FOUND || e->code == ERR_FORBIDDEN || e->code == ERR_NOT_ACCEPTABLE;
}

static bool fetch_tile(struct partner *x, const struct ledger_tile *t, struct kept_tile *k,
                       struct err *e)
{
    char name[LEDGER_TILE_PATH_BYTES];
    struct str bytes;
    struct str path = arena_printf(x->a, "/ledger/%.*s", STR_FMT(ledger_tile_path(t, name)));
    if (!arena_ok(x->a, e))
        return false;
    if (!fetch(x, path, NULL, &bytes, e)) {
        x->withheld = peer_not_shown(e);
        return false;
    }
    x->withheld = bytes.n != (size_t)t->width * LEDGER_HASH_BYTES;
    if (x->withheld)
        return err_set(e, ERR_NETWORK, "%.*s of %.*s has %zu bytes, not %u", STR_FMT(path),
                       STR_FMT(x->p->name), bytes.n, t->width * LEDGER_HASH_BYTES);
    k->tile = *t;
    memcpy(k->hashes, bytes.p, bytes.n);
    return true;
}

/* ledger_tile_read_fn */
static bool read_tile(void *ctx, const struct ledger_tile *t, struct ledger_hash *out,
                      struct err *e)
{
    struct partner *x = ctx;
    struct kept_tile *k = x->tiles;
    while (k && !same_tile(t, &k->tile))
        k = k->next;
    if (!k) {
        if (!(k = arena_calloc(x->a, 1, sizeof *k)))
            return arena_ok(x->a, e);
        if (!fetch_tile(x, t, k, e))
            return false;
        k->next = x->tiles;
        x->tiles = k;
    }
    memcpy(out, k->hashes, t->width * sizeof *out);
    return true;
}

static bool open_partner(struct partner *x, bool (*stop)(void), struct err *e)
{
    struct peer_endpoint endpoint;
    x->party = arena_printf(x->a, "%.*s/%.*s", STR_FMT(x->p->nation), STR_FMT(x->p->org));
    if (!arena_ok(x->a, e) || !peer_endpoint_of(exchange_of(x->s), x->p, x->a, &endpoint, e))
        return false;
    endpoint.stop = stop;
    return peer_client_open(&endpoint, &x->c, e);
}

bool peer_leaves_check(const struct peer_taking *t, struct arena *a, const struct ledger_head *head,
                       const struct exchange_taken_back *list, size_t count, struct err *e)
{
    struct partner x = {.s = t->s, .p = t->p, .a = a, .c = t->c};
    struct ledger_tiles tiles = {.ctx = &x, .read = read_tile};
    for (size_t i = 0; i < count; i++) {
        struct ledger_hash entry, leaf;
        struct ledger_proof proof;
        ledger_entry_hash(list[i].salt, list[i].record, &entry);
        ledger_leaf_hash((struct str){(const char *)entry.b, sizeof entry.b}, &leaf);
        if (!ledger_inclusion_prove(&tiles, list[i].leaf, head->size, &proof, e))
            return false;
        if (!ledger_inclusion_verify(&proof, list[i].leaf, &leaf, head))
            return err_set(e, ERR_NETWORK,
                           "what it shows as leaf %llu is not in the ledger that it signed",
                           (unsigned long long)list[i].leaf);
    }
    return true;
}

/* ---- keys ---- */

/* From /.well-known/setu. *there is false for a server that has no such thing, or not for us. */
static bool read_keys(struct partner *x, struct exchange_pin *pin, bool *there, struct str *why,
                      struct err *e)
{
    struct str text;
    const struct json *v = NULL;
    struct err odd = {0};
    *there = false;
    if (!fetch(x, STR("/.well-known/setu"), NULL, &text, e)) {
        *why = arena_str(x->a, str_of(e->msg));
        return peer_not_shown(e) && arena_ok(x->a, e);
    }
    if (!json_parse(x->c->reader, x->a, text, true, &v, &odd) || v->type != JSON_OBJECT) {
        *why = STR("/.well-known/setu is no JSON object");
        return true;
    }
    pin->party = x->party;
    pin->log_key = json_get_str(json_get(v, STR("ledger")), STR("key"));
    pin->witness_key = json_get_str(json_get(v, STR("witness")), STR("key"));
    *there = pin->log_key.n > 0;
    *why = *there ? STR("") : STR("/.well-known/setu names no ledger");
    return true;
}

static bool read_note(struct partner *x, struct str *note, bool *there, struct str *why,
                      struct err *e)
{
    *there = fetch(x, STR("/ledger/checkpoint"), NULL, note, e);
    if (!*there)
        *why = arena_str(x->a, str_of(e->msg));
    return *there || (peer_not_shown(e) && arena_ok(x->a, e));
}

/* ---- judging ---- */

static bool hand_back(struct partner *x, struct str note, struct err *e)
{
    struct str post, answer;
    struct buf b, key;
    buf_init(&b, 0);
    buf_init(&key, 0);
    bool ok = exchange_ledger_key(exchange_of(x->s), LEDGER_KEY_WITNESS, &key, e);
    buf_byte(&b, '{');
    json_put_member(&b, "key", buf_view(&key));
    json_put_member(&b, "checkpoint", note);
    buf_byte(&b, '}');
    post = buf_view(&b);
    ok = ok && buf_ok(&b, e) && fetch(x, STR("/ledger/cosignature"), &post, &answer, e);
    buf_done(&key);
    buf_done(&b);
    return ok;
}

/* It speaks against the partner: told, and kept until its ledger is good again. */
static bool broken(struct partner *x, const struct exchange_sight *v, const char *finding,
                   struct peer_witnessed *out, struct err *e)
{
    struct err odd = {0};
    out->state = PEER_LEDGER_BROKEN;
    out->finding = finding;
    if (v->known->log_key.n && !exchange_witness_trouble(x->s, v, str_of(finding), &odd))
        log_line(LOG_WARNING, "%.*s: not kept that its ledger is broken: %s", STR_FMT(x->p->name),
                 odd.msg);
    return err_prefix(e, "the ledger of %.*s", STR_FMT(x->p->name));
}

static bool gone(struct partner *x, const struct exchange_sight *v, struct peer_witnessed *out,
                 struct err *e)
{
    err_set(e, ERR_INVALID,
            "its server showed it before and does not any more: %.*s: ask its administrator by "
            "another way",
            STR_FMT(out->why));
    return broken(x, v, "no-ledger", out, e);
}

static bool judge(struct partner *x, const struct exchange_sight *v, struct peer_witnessed *out,
                  struct err *e)
{
    struct err odd = {0};
    if (!exchange_witness_judge(x->s, x->a, v, &out->judgement, e)) {
        if (x->withheld)
            return broken(x, v, "bad-proof", out, e);
        if (e->code == ERR_INVALID || e->code == ERR_SYNTAX)
            return broken(x, v, "bad-signature", out, e);
        return err_prefix(e, "the ledger of %.*s", STR_FMT(x->p->name));
    }
    if (out->judgement.relation != LEDGER_CONSISTENT) {
        out->state = PEER_LEDGER_BROKEN;
        return true;
    }
    out->state = PEER_LEDGER_GOOD;
    out->given = hand_back(x, out->judgement.cosigned, &odd);
    out->why = out->given ? STR("") : arena_str(x->a, str_of(odd.msg));
    return arena_ok(x->a, e);
}

/* *raced: another judged the same ledger meanwhile, and all is to be looked at again. */
static bool witness(struct partner *x, struct peer_witnessed *out, bool *raced, struct err *e)
{
    struct ledger_tiles tiles = {.ctx = x, .read = read_tile};
    struct store_witness known;
    struct exchange_sight v = {.known = &known, .note = STR(""), .tiles = &tiles};
    struct exchange_pin pin = {.log_key = STR("")};
    bool there;
    if (!exchange_witness(x->s, x->a, x->party, &known, e))
        return false;
    out->known = known.log_key.n > 0;
    if (!read_keys(x, &pin, &there, &out->why, e) ||
        (there && !read_note(x, &v.note, &there, &out->why, e)))
        return false;
    if (!there)
        return !out->known || gone(x, &v, out, e);
    if (!exchange_witness_pin(x->s, &pin, e))
        return e->code == ERR_INVALID || e->code == ERR_CONFLICT || e->code == ERR_SYNTAX
                   ? broken(x, &v, "other-key", out, e)
                   : false;
    out->pinned = !out->known;
    known.log_key = pin.log_key;
    bool ok = judge(x, &v, out, e);
    *raced = !ok && out->state == PEER_LEDGER_NONE && e->code == ERR_CONFLICT;
    return ok;
}

bool peer_witness(struct exchange_session *s, const struct store_peer *p,
                  const struct peer_watch *w, struct arena *a, struct peer_witnessed *out,
                  struct err *e)
{
    struct partner x = {.s = s, .p = p, .a = a};
    bool ok = open_partner(&x, w->stop, e), raced = ok, pinned = false;
    *out = (struct peer_witnessed){.state = PEER_LEDGER_NONE, .why = STR("")};
    for (unsigned tries = 0; raced && tries < LIMIT_PEER_JUDGE_TRIES; tries++) {
        raced = x.withheld = false;
        x.tiles = NULL;
        *out = (struct peer_witnessed){.state = PEER_LEDGER_NONE, .why = STR("")};
        ok = witness(&x, out, &raced, e);
        pinned = out->pinned = out->pinned || pinned;
    }
    peer_client_close(x.c);
    return ok;
}

/* ---- accepting a gap ---- */

bool peer_record_read(struct json_reader *reader, struct arena *a, struct str line,
                      struct ledger_evidence *out, struct ledger_record *record)
{
    struct err odd;
    struct buf salt;
    const struct json *j = NULL;
    char *copy = arena_alloc(a, line.n + BASE_PADDING);
    if (!copy || line.n == 0)
        return false;
    memcpy(copy, line.p, line.n);
    memset(copy + line.n, 0, BASE_PADDING);
    struct str text = {copy, line.n};
    if (!json_parse(reader, a, text, true, &j, &odd) || j->type != JSON_OBJECT)
        return false;
    const struct json *index = json_get(j, STR("index")), *of = json_get(j, STR("record"));
    if (!json_is(of, JSON_OBJECT) || !json_is(index, JSON_INTEGER) || index->u.i < 0)
        return false;
    buf_init(&salt, LEDGER_SALT_MOST);
    bool ok = crypt_base64_get(json_get_str(j, STR("salt")), false, &salt, &odd);
    *out = (struct ledger_evidence){.index = (uint64_t)index->u.i,
                                    .record = json_source(text, of),
                                    .salt = arena_str(a, buf_view(&salt)),
                                    .audience = STR("")};
    ok = ok && salt.n >= LEDGER_SALT_LEAST;
    buf_done(&salt);
    return ok && ledger_record_parse(reader, a, out->record, record, &odd);
}

bool peer_restore_read(struct json_reader *reader, struct arena *a, struct str line,
                       struct ledger_evidence *out)
{
    struct ledger_record r;
    return peer_record_read(reader, a, line, out, &r) && r.kind == LEDGER_RESTORE_RECORD &&
           !(r.fields >> LEDGER_PEER & 1);
}

/* The last one among the leaves from `first` until before `end`. */
static bool search(struct partner *x, struct arena *round, uint64_t first, uint64_t end,
                   struct ledger_evidence *v, struct err *e)
{
    struct str text;
    struct ledger_evidence one;
    struct str path = arena_printf(round, "/ledger/records?first=%llu&end=%llu",
                                   (unsigned long long)first, (unsigned long long)end);
    if (!arena_ok(round, e) || !peer_fetch(x->c, round, path, NULL, &text, e))
        return false;
    while (text.n) {
        if (!peer_restore_read(x->c->reader, round, str_cut(&text, '\n'), &one))
            continue;
        *v = one;
        v->record = arena_str(x->a, one.record);
        v->salt = arena_str(x->a, one.salt);
    }
    return arena_ok(round, e) && arena_ok(x->a, e);
}

/* The last record of its own restores that the log has, from its end backwards. Whether an officer
 * confirms there, is judged with its proof: one who confirmed an earlier restore has not confirmed
 * this one, whose own record comes later. */
static bool find_confirmation(struct partner *x, uint64_t size, struct ledger_evidence *v,
                              struct err *e)
{
    struct arena *round = arena_new(4u * LIMIT_PEER_RECORDS_BYTES);
    uint64_t least = size > LIMIT_PEER_SEARCH_LEAVES ? size - LIMIT_PEER_SEARCH_LEAVES : 0;
    bool ok = round || err_set(e, ERR_MEMORY, "out of memory");
    v->record = STR("");
    for (uint64_t end = size; ok && end > least && !v->record.n;) {
        uint64_t first =
            end - least > LIMIT_LEDGER_RECORDS_ANSWER ? end - LIMIT_LEDGER_RECORDS_ANSWER : least;
        ok = search(x, round, first, end, v, e);
        arena_reset(round);
        end = first;
    }
    arena_free(round);
    return ok && (v->record.n || err_set(e, ERR_FORBIDDEN,
                                         "%.*s's ledger shows no officer's confirmation of a "
                                         "restore: its officers give `setu ledger confirm` there "
                                         "first",
                                         STR_FMT(x->p->name)));
}

static bool prove_gap(struct partner *x, struct exchange_gap *g, struct err *e)
{
    struct ledger_tiles tiles = {.ctx = x, .read = read_tile};
    struct ledger_checkpoint c;
    struct ledger_evidence v = {.audience = STR("")};
    struct buf proof;
    if (!fetch(x, STR("/ledger/checkpoint"), NULL, &g->note, e) ||
        !ledger_checkpoint_parse(x->a, g->note, &c, e) ||
        !find_confirmation(x, c.head.size, &v, e) ||
        !ledger_inclusion_prove(&tiles, v.index, c.head.size, &v.inclusion, e))
        return false;
    v.checkpoint = g->note;
    buf_init(&proof, 0);
    ledger_evidence_put(&v, &proof);
    g->proof = arena_str(x->a, buf_view(&proof));
    bool ok = buf_ok(&proof, e);
    buf_done(&proof);
    return ok && arena_ok(x->a, e);
}

bool peer_accept(struct exchange_session *s, const struct peer_gap *gap, struct arena *a,
                 struct err *e)
{
    struct partner x = {.s = s, .p = gap->peer, .a = a};
    struct exchange_gap g = {.officer = gap->officer, .reason = gap->reason};
    struct err odd;
    bool ok = open_partner(&x, NULL, e);
    g.party = x.party;
    ok = ok && prove_gap(&x, &g, e) && exchange_witness_accept(s, a, &g, e);
    struct store_witness now;
    if (ok && exchange_witness(s, a, x.party, &now, &odd) && !hand_back(&x, now.seen, &odd))
        log_line(LOG_WARNING, "%.*s was not told: %s", STR_FMT(gap->peer->name), odd.msg);
    peer_client_close(x.c);
    return ok;
}
