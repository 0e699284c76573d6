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
    bool ok = peer_http(c, url, post, &r, e);
    c->plain = false;
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

/* ledger_tile_read_fn */
static bool read_tile(void *ctx, const struct ledger_tile *t, struct ledger_hash *out,
                      struct err *e)
{
    struct partner *x = ctx;
    char name[LEDGER_TILE_PATH_BYTES];
    struct str bytes;
    struct kept_tile *k = x->tiles;
    while (k && !same_tile(t, &k->tile))
        k = k->next;
    if (!k) {
        struct str path = arena_printf(x->a, "/ledger/%.*s", STR_FMT(ledger_tile_path(t, name)));
        if (!arena_ok(x->a, e) || !fetch(x, path, NULL, &bytes, e))
            return false;
        if (bytes.n != (size_t)t->width * LEDGER_HASH_BYTES)
            return err_set(e, ERR_NETWORK, "%.*s of %.*s has %zu bytes, not %u", STR_FMT(path),
                           STR_FMT(x->p->name), bytes.n, t->width * LEDGER_HASH_BYTES);
        if (!(k = arena_calloc(x->a, 1, sizeof *k)))
            return arena_ok(x->a, e);
        k->tile = *t;
        for (unsigned i = 0; i < t->width; i++)
            memcpy(k->hashes[i].b, bytes.p + (size_t)i * LEDGER_HASH_BYTES, LEDGER_HASH_BYTES);
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
        return (e->code == ERR_NOT_FOUND || e->code == ERR_FORBIDDEN ||
                e->code == ERR_NOT_ACCEPTABLE) &&
               arena_ok(x->a, e);
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

static void gone(const struct partner *x, struct str why, struct err *e)
{
    err_set(e, ERR_INVALID,
            "%.*s showed a ledger before and does not any more: %.*s: ask its administrator "
            "by another way",
            STR_FMT(x->p->name), STR_FMT(why));
}

static bool judge(struct partner *x, struct peer_witnessed *out, struct err *e)
{
    struct ledger_tiles tiles = {.ctx = x, .read = read_tile};
    struct exchange_sight v = {.party = x->party, .tiles = &tiles};
    struct err odd = {0};
    if (!fetch(x, STR("/ledger/checkpoint"), NULL, &v.note, e))
        return false;
    if (!exchange_witness_judge(x->s, x->a, &v, &out->judgement, e)) {
        if (e->code == ERR_INVALID || e->code == ERR_SYNTAX || e->code == ERR_LIMIT)
            out->state = PEER_LEDGER_BROKEN;
        return err_prefix(e, "the ledger of %.*s", STR_FMT(x->p->name));
    }
    out->state =
        out->judgement.relation == LEDGER_CONSISTENT ? PEER_LEDGER_GOOD : PEER_LEDGER_BROKEN;
    if (out->state == PEER_LEDGER_GOOD) {
        out->given = hand_back(x, out->judgement.cosigned, &odd);
        out->why = out->given ? STR("") : arena_str(x->a, str_of(odd.msg));
    }
    return arena_ok(x->a, e);
}

static bool witness(struct partner *x, struct peer_witnessed *out, struct err *e)
{
    struct store_witness known;
    struct exchange_pin pin = {.log_key = STR("")};
    bool there;
    if (!exchange_witness(x->s, x->a, x->party, &known, e))
        return false;
    out->known = known.seen.n > 0;
    if (!read_keys(x, &pin, &there, &out->why, e))
        return false;
    if (!there && !known.seen.n)
        return true;
    out->pinned = known.log_key.n == 0;
    if (there && exchange_witness_pin(x->s, &pin, e))
        return judge(x, out, e);
    if (!there)
        gone(x, out->why, e);
    if (!there || e->code == ERR_INVALID || e->code == ERR_CONFLICT || e->code == ERR_SYNTAX)
        out->state = PEER_LEDGER_BROKEN;
    return false;
}

bool peer_witness(struct exchange_session *s, const struct store_peer *p,
                  const struct peer_watch *w, struct arena *a, struct peer_witnessed *out,
                  struct err *e)
{
    struct partner x = {.s = s, .p = p, .a = a};
    *out = (struct peer_witnessed){.state = PEER_LEDGER_NONE, .why = STR("")};
    bool ok = open_partner(&x, w->stop, e) && witness(&x, out, e);
    peer_client_close(x.c);
    return ok;
}

/* ---- accepting a gap ---- */

/* One line of /ledger/records. */
static bool read_line(struct partner *x, struct str line, struct ledger_evidence *v, bool *fits)
{
    struct str text;
    struct ledger_record r;
    struct err odd;
    struct buf record, salt;
    const struct json *j = NULL;
    char *copy = arena_alloc(x->a, line.n + BASE_PADDING);
    *fits = false;
    if (!copy)
        return false;
    memcpy(copy, line.p, line.n);
    memset(copy + line.n, 0, BASE_PADDING);
    text = (struct str){copy, line.n};
    if (!json_parse(x->c->reader, x->a, text, true, &j, &odd) || j->type != JSON_OBJECT)
        return true;
    const struct json *index = json_get(j, STR("index")), *of = json_get(j, STR("record"));
    if (!json_is(of, JSON_OBJECT) || !json_is(index, JSON_INTEGER) || index->u.i < 0)
        return true;
    buf_init(&record, 0);
    buf_init(&salt, 0);
    v->index = (uint64_t)index->u.i;
    buf_str(&record, json_source(text, of));
    bool ok = crypt_base64_get(json_get_str(j, STR("salt")), false, &salt, &odd);
    v->record = arena_str(x->a, buf_view(&record));
    v->salt = arena_str(x->a, buf_view(&salt));
    buf_done(&record);
    buf_done(&salt);
    *fits = ok && ledger_record_parse(x->c->reader, x->a, v->record, &r, &odd) &&
            r.kind == LEDGER_RESTORE_RECORD && !(r.fields >> LEDGER_PEER & 1);
    return true;
}

/* The last record of its own restores that the log has, from its end backwards. Whether an officer
 * confirms there, is judged with its proof: one who confirmed an earlier restore has not confirmed
 * this one, whose own record comes later. */
static bool find_confirmation(struct partner *x, uint64_t size, struct ledger_evidence *v,
                              struct err *e)
{
    struct str text = STR_NONE;
    bool found = false, fits;
    for (uint64_t end = size; end > 0 && !found;) {
        uint64_t first = end > LIMIT_LEDGER_RECORDS_ANSWER ? end - LIMIT_LEDGER_RECORDS_ANSWER : 0;
        struct str path = arena_printf(x->a, "/ledger/records?first=%llu&end=%llu",
                                       (unsigned long long)first, (unsigned long long)end);
        if (!arena_ok(x->a, e) || !fetch(x, path, NULL, &text, e))
            return false;
        while (text.n) {
            struct ledger_evidence one = {.audience = STR("")};
            struct str line = str_cut(&text, '\n');
            if (line.n && !read_line(x, line, &one, &fits))
                return arena_ok(x->a, e);
            if (line.n && fits) {
                *v = one;
                found = true;
            }
        }
        end = first;
    }
    return found || err_set(e, ERR_FORBIDDEN,
                            "%.*s's ledger shows no officer's confirmation of a restore: its "
                            "officers give `setu ledger confirm` there first",
                            STR_FMT(x->p->name));
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
