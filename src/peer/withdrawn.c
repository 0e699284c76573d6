/*
 * What a partner took back: its withdrawals are read, followed here, and answered with receipts,
 * each a proof that this node's ledger records it.
 */
#include <string.h>

#include "peer/peer_priv.h"

struct round {
    const struct peer_taking *t;
    struct arena *a;
    struct exchange_taken_back list[LIMIT_PEER_WITHDRAWN];
    size_t count;
    uint64_t next;
    struct ledger_head head; /* of the partner's log, as it was witnessed */
};

/* The collection as its URL names it: .../collections/ID/objects/. */
static struct str id_of(struct str url)
{
    struct str rest = url, last = STR(""), before = STR("");
    while (rest.n) {
        struct str part = str_cut(&rest, '/');
        if (!part.n)
            continue;
        before = last;
        last = part;
    }
    return before;
}

static bool read_list(struct round *r, struct str text, struct err *e)
{
    r->count = 0;
    while (text.n) {
        struct ledger_evidence v;
        struct ledger_record record;
        struct str line = str_cut(&text, '\n');
        if (!line.n)
            continue;
        bool ok = r->count < LIMIT_PEER_WITHDRAWN &&
                  peer_record_read(r->t->c->reader, r->a, line, &v, &record) &&
                  record.kind == LEDGER_WITHDRAWAL_RECORD && v.index >= r->next &&
                  v.index < LIMIT_LEDGER_LEAVES;
        if (!arena_ok(r->a, e))
            return false;
        if (!ok)
            return err_set(e, ERR_NETWORK,
                           "its list of withdrawals is none: `setu doctor` there tells more");
        r->list[r->count++] = (struct exchange_taken_back){
            .leaf = v.index, .salt = v.salt, .record = arena_str(r->a, v.record)};
        r->next = v.index + 1;
    }
    return arena_ok(r->a, e);
}

static bool fetch_list(struct round *r, struct err *e)
{
    struct str text;
    struct str path = arena_printf(r->a, "/ledger/withdrawals?collection=%.*s&first=%llu",
                                   STR_FMT(id_of(r->t->remote_url)), (unsigned long long)r->next);
    return arena_ok(r->a, e) && peer_fetch(r->t->c, r->a, path, NULL, &text, e) &&
           read_list(r, text, e);
}

static bool give_receipts(struct round *r, struct err *e)
{
    struct buf b, key;
    struct str answer;
    buf_init(&b, 0);
    buf_init(&key, 0);
    bool ok = exchange_ledger_key(exchange_of(r->t->s), LEDGER_KEY_LOG, &key, e);
    buf_byte(&b, '{');
    json_put_member(&b, "key", buf_view(&key));
    json_put_name(&b, "receipts");
    for (size_t i = 0; i < r->count; i++) {
        buf_lit(&b, i ? ",{" : "[{");
        json_put_member_u64(&b, "leaf", r->list[i].leaf);
        json_put_name(&b, "proof");
        buf_str(&b, r->list[i].proof);
        buf_byte(&b, '}');
    }
    buf_lit(&b, "]}");
    struct str post = buf_view(&b);
    ok = ok && buf_ok(&b, e) &&
         peer_fetch(r->t->c, r->a, STR("/ledger/receipts"), &post, &answer, e);
    buf_done(&b);
    buf_done(&key);
    return ok;
}

/* What came after the head that was witnessed is followed next time. */
static void cut_at_head(struct round *r)
{
    while (r->count && r->list[r->count - 1].leaf >= r->head.size)
        r->count--;
    if (r->count)
        r->next = r->list[r->count - 1].leaf + 1;
}

static bool follow(struct round *r, struct err *e)
{
    struct exchange_taking_back b = {r->t->partner, r->t->into, r->list, r->count};
    return peer_leaves_check(r->t, r->a, &r->head, r->list, r->count, e) &&
           exchange_take_back(r->t->s, r->a, &b, e) &&
           (give_receipts(r, e) || err_prefix(e, "it does not take the receipts")) &&
           exchange_peer_withdrawn(exchange_of(r->t->s), r->t->p->id, r->next, e);
}

/* Only a node that shows a ledger has such a list. */
static bool has_ledger(const struct peer_taking *t, struct arena *a, struct ledger_head *head,
                       bool *yes, struct err *e)
{
    struct ledger_checkpoint c;
    struct store_witness w;
    struct str party = arena_printf(a, "%.*s/%.*s", STR_FMT(t->p->nation), STR_FMT(t->p->org));
    if (!arena_ok(a, e) || !exchange_witness(t->s, a, party, &w, e))
        return false;
    *yes = w.log_key.n > 0 && w.seen.n > 0;
    if (*yes && !ledger_checkpoint_parse(a, w.seen, &c, e))
        return false;
    if (*yes)
        *head = c.head;
    return true;
}

bool peer_take_back(const struct peer_taking *t, size_t *count, struct err *e)
{
    struct round *r = base_alloc(sizeof *r);
    bool ok, more = false;
    *count = 0;
    if (!r || !(r->a = arena_new(2u * LIMIT_PEER_RECORDS_BYTES))) {
        base_free(r);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    r->t = t;
    r->next = t->p->withdrawn;
    ok = has_ledger(t, r->a, &r->head, &more, e);
    for (int n = 0; ok && more && n < LIMIT_PEER_WITHDRAWN_ROUNDS; n++) {
        arena_reset(r->a);
        r->count = 0;
        ok = fetch_list(r, e);
        if (ok)
            cut_at_head(r);
        more = ok && r->count > 0;
        if (!ok)
            ok = peer_not_shown(e);
        ok = ok && (!more || follow(r, e));
        *count += ok && more ? r->count : 0;
    }
    arena_free(r->a);
    base_free(r);
    return ok;
}
