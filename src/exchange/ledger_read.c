/* The ledger as others may read it: tiles to all who may see the log, records to those they
 * concern. */
#include <string.h>

#include "exchange/exchange_priv.h"

bool exchange_ledger_reads(const struct exchange *x, const struct principal *who)
{
    bool home =
        str_eq(who->party.org, x->config.org) && str_eq(who->party.nation, x->config.nation);
    switch (who->role) {
    case EXCHANGE_PEER:
        return true;
    case EXCHANGE_AUDITOR:
    case EXCHANGE_OFFICER:
    case EXCHANGE_ADMIN:
        return home;
    case EXCHANGE_READER:
    case EXCHANGE_CONTRIBUTOR:
    case EXCHANGE_SENSOR:
        return false;
    }
    return false;
}

bool exchange_ledger_size(struct exchange_session *s, uint64_t *size, struct err *e)
{
    return store_ledger_size(s->store, size, e);
}

/* ---- tiles ---- */

static bool put_tile(struct exchange_session *s, const struct ledger_tile *t, struct buf *out,
                     struct err *e)
{
    struct ledger_hash hashes[LEDGER_TILE_WIDTH];
    bool entries = t->level == LEDGER_ENTRIES;
    uint64_t size;
    if (!store_ledger_size(s->store, &size, e))
        return false;
    if (ledger_tile_width(entries ? 0 : t->level, t->index, size) < t->width)
        return err_set(e, ERR_NOT_FOUND, "the log has no such tile");
    struct ledger_tiles tiles = store_ledger_tiles(s->store);
    if (entries ? !store_ledger_entries(s->store, t->index * LEDGER_TILE_WIDTH, t->width, hashes, e)
                : !tiles.read(tiles.ctx, t, hashes, e))
        return false;
    if (entries)
        ledger_bundle_put(hashes, t->width, out);
    for (unsigned i = 0; i < t->width && !entries; i++)
        buf_put(out, hashes[i].b, LEDGER_HASH_BYTES);
    return buf_ok(out, e);
}

bool exchange_ledger_tile(struct exchange_session *s, const struct ledger_tile *t, struct buf *out,
                          struct err *e)
{
    if (!store_begin(s->store, e))
        return false;
    bool ok = put_tile(s, t, out, e);
    store_rollback(s->store);
    return ok;
}

/* ---- records ---- */

struct showing {
    struct exchange_session *s;
    const struct exchange_audiences *audiences; /* NULL: all is shown */
    exchange_leaf_fn *each;
    void *ctx;
};

static bool is_shown(const struct showing *h, int64_t audience)
{
    bool shown = h->audiences == NULL;
    for (size_t i = 0; !shown && i < h->audiences->n; i++)
        shown = h->audiences->ids[i] == audience;
    return shown;
}

static bool show(void *ctx, const struct store_leaf *l)
{
    struct showing *h = ctx;
    struct exchange_leaf leaf = {.index = l->index, .entry = l->entry, .audience = l->audience};
    leaf.erased = l->record.n == 0;
    leaf.shown = !leaf.erased && is_shown(h, l->audience);
    if (leaf.shown) {
        leaf.salt = l->salt;
        leaf.record = l->record;
    }
    return h->each(h->ctx, &leaf);
}

static bool sees_all(const struct exchange *x, const struct principal *who)
{
    return !who || (who->role != EXCHANGE_PEER && exchange_ledger_reads(x, who));
}

/* NOLINTNEXTLINE(readability-function-size): a function and its context are one argument */
bool exchange_ledger_each(struct exchange_session *s, const struct principal *who, uint64_t first,
                          uint64_t end, exchange_leaf_fn *each, void *ctx, struct err *e)
{
    struct showing h = {.s = s, .each = each, .ctx = ctx};
    if (who && !exchange_ledger_reads(s->x, who))
        return err_set(e, ERR_FORBIDDEN, "the ledger is for partners and auditors");
    if (!store_begin(s->store, e))
        return false;
    bool ok =
        sees_all(s->x, who) || (h.audiences = exchange_audiences_of(s, &who->party, e)) != NULL;
    ok = ok && store_ledger_each(s->store, first, end, show, &h, e);
    store_rollback(s->store);
    return ok;
}

struct finding_text {
    struct arena *a;
    int64_t id;
    struct str text;
};

static bool note_audience(void *ctx, int64_t id, struct str text)
{
    struct finding_text *f = ctx;
    if (id == f->id)
        f->text = arena_str(f->a, text);
    return id < f->id;
}

bool exchange_audience_text(struct exchange_session *s, struct arena *a, int64_t audience,
                            struct str *out, struct err *e)
{
    struct finding_text f = {.a = a, .id = audience, .text = STR("")};
    if (audience > 0 && !store_audience_each(s->store, audience - 1, note_audience, &f, e))
        return false;
    *out = f.text;
    return arena_ok(a, e);
}
