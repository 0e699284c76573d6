/* A proof, for somebody far from this node, that an object was released to a recipient. */
#include <string.h>

#include "exchange/exchange_priv.h"
#include "exchange/gate_priv.h"

#define NAMES_MOST 256 /* of one object: its own, and those of its copies */

struct proving {
    struct exchange_session *s;
    struct arena *a;
    const struct exchange_proving *p;
    const struct exchange_audiences *to; /* all that the recipient is in */
    struct str names[NAMES_MOST];
    size_t count;
    struct exchange_proven *out;
    struct ledger_evidence v;
    int64_t audience;
    bool found, failed;
};

static bool add_name(void *ctx, struct str id, bool varied)
{
    struct proving *x = ctx;
    (void)varied;
    if (x->count < NAMES_MOST)
        x->names[x->count++] = arena_str(x->a, id);
    return true;
}

static bool is_asked(const struct proving *x, const struct ledger_record *r)
{
    bool name = false;
    for (size_t i = 0; i < x->count && !name; i++)
        name = str_eq(x->names[i], r->text[LEDGER_OBJECT]);
    return name && (x->p->version.n == 0 || str_eq(x->p->version, r->text[LEDGER_VERSION]));
}

static bool is_recipient(const struct proving *x, int64_t audience)
{
    for (size_t i = 0; i < x->to->n; i++)
        if (x->to->ids[i] == audience)
            return true;
    return false;
}

/* The last release stands for the object; a later withdrawal of it is told. */
static bool look_at(void *ctx, const struct store_leaf *l)
{
    struct proving *x = ctx;
    struct ledger_record r;
    if (!is_recipient(x, l->audience) || !ledger_record_scan(l->record, &r) || !is_asked(x, &r))
        return true;
    if (r.kind == LEDGER_WITHDRAWAL_RECORD && x->found &&
        str_eq(r.text[LEDGER_OBJECT], x->out->object))
        x->out->withdrawn = true;
    if (r.kind != LEDGER_RELEASE_RECORD)
        return true;
    x->found = true;
    x->out->withdrawn = false;
    x->audience = l->audience;
    x->v.index = l->index;
    x->v.record = arena_str(x->a, l->record);
    x->v.salt = arena_str(x->a, l->salt);
    x->out->object = arena_str(x->a, r.text[LEDGER_OBJECT]);
    return true;
}

static bool put_proof(struct proving *x, struct buf *file, struct err *e)
{
    struct ledger_tiles tiles = store_ledger_tiles(x->s->store);
    struct buf note;
    buf_init(&note, 0);
    bool ok = exchange_audience_text(x->s, x->a, x->audience, &x->v.audience, e) &&
              store_ledger_size(x->s->store, &x->out->size, e) &&
              ledger_inclusion_prove(&tiles, x->v.index, x->out->size, &x->v.inclusion, e) &&
              ledger_checkpoint_of(x->s->x, x->s->store, x->a, &note, e) && buf_ok(&note, e);
    if (ok) {
        x->v.checkpoint = buf_view(&note);
        ledger_evidence_put(&x->v, file);
        x->out->index = x->v.index;
        x->out->record = x->v.record;
    }
    buf_done(&note);
    return ok && buf_ok(file, e) && arena_ok(x->a, e);
}

static bool prove(struct proving *x, struct buf *file, struct err *e)
{
    uint64_t size;
    add_name(x, x->p->id, false);
    if (!store_copies_of(x->s->store, x->p->id, add_name, x, e) ||
        !(x->to = exchange_audiences_of(x->s, &x->p->to, e)) ||
        !store_ledger_size(x->s->store, &size, e) ||
        !store_ledger_each(x->s->store, 0, size, look_at, x, e) || !arena_ok(x->a, e))
        return false;
    if (!x->found)
        return err_set(
            e, ERR_NOT_FOUND,
            "the ledger has no release of %.*s%s%.*s to %.*s/%.*s: `setu policy explain` "
            "tells why",
            STR_FMT(x->p->id), x->p->version.n ? " version " : "", STR_FMT(x->p->version),
            STR_FMT(x->p->to.nation), STR_FMT(x->p->to.org));
    return put_proof(x, file, e);
}

bool exchange_ledger_prove(struct exchange_session *s, struct arena *a,
                           const struct exchange_proving *p, struct buf *file,
                           struct exchange_proven *out, struct err *e)
{
    struct proving *x = arena_calloc(a, 1, sizeof *x);
    if (!x)
        return arena_ok(a, e);
    x->s = s;
    x->a = a;
    x->p = p;
    x->out = out;
    *out = (struct exchange_proven){.object = STR("")};
    if (!store_begin(s->store, e))
        return false;
    bool ok = prove(x, file, e);
    store_rollback(s->store);
    return ok;
}
