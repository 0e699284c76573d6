/* A proof, for somebody far from this node, that an object was released to a recipient. */
#include <string.h>

#include "exchange/exchange_priv.h"
#include "exchange/gate_priv.h"

struct proving {
    struct exchange_session *s;
    struct arena *a;
    const struct exchange_proving *p;
    struct exchange_proven *out;
    struct ledger_evidence v;
    struct str *names; /* of the object and its copies, where the log is searched */
    size_t count, room;
    int64_t audience, version_us, wanted_us; /* wanted: of p->version */
    struct err *e;
    bool found, failed;
};

static bool is_version(const struct proving *x, struct str record)
{
    struct ledger_record r;
    return x->p->version.n == 0 ||
           (ledger_record_scan(record, &r) && str_eq(x->p->version, r.text[LEDGER_VERSION]));
}

static bool keep(struct proving *x, const struct store_leaf *l)
{
    x->found = true;
    x->audience = l->audience;
    x->v.index = l->index;
    x->v.record = arena_str(x->a, l->record);
    x->v.salt = arena_str(x->a, l->salt);
    return true;
}

/* ---- what they have today: its row names the leaf ---- */

static bool keep_of_row(void *ctx, const struct store_leaf *l)
{
    struct proving *x = ctx;
    return keep(x, l); /* erased, too: it is said then */
}

static bool note_row(void *ctx, const struct store_release *r)
{
    struct proving *x = ctx;
    bool newer = !x->found || r->version_us > x->version_us ||
                 (r->version_us == x->version_us && r->leaf > x->v.index);
    bool named = x->p->version.n == 0 || r->version_us == x->wanted_us;
    if (!newer || !named || !policy_audience_has(r->audience_text, &x->p->to))
        return true;
    x->failed = !store_ledger_each(x->s->store, r->leaf, r->leaf + 1, keep_of_row, x, x->e);
    if (x->found && x->v.index == r->leaf)
        x->version_us = r->version_us;
    return !x->failed;
}

static bool note_version(void *ctx, const struct store_object *o)
{
    struct proving *x = ctx;
    x->failed = !store_release_each(x->s->store, o->object, note_row, x, x->e) || x->failed ||
                !store_release_copies(x->s->store, o->object, note_row, x, x->e) || x->failed;
    return !x->failed;
}

/* ---- what they had: the log is searched for the last release of it ---- */

static bool add_name(void *ctx, struct str id, bool varied)
{
    struct proving *x = ctx;
    (void)varied;
    if (x->count < x->room)
        x->names[x->count] = arena_str(x->a, id);
    x->count++;
    return true;
}

static bool list_names(struct proving *x)
{
    do { /* counted, then filled */
        x->room = x->count;
        x->count = 0;
        x->names = arena_calloc(x->a, x->room + 1, sizeof *x->names);
        if (!x->names)
            return arena_ok(x->a, x->e);
        (void)add_name(x, x->p->id, false);
        if (!store_copies_of(x->s->store, x->p->id, add_name, x, x->e))
            return false;
    } while (x->count > x->room);
    return arena_ok(x->a, x->e);
}

static bool look_at(void *ctx, const struct store_leaf *l)
{
    struct proving *x = ctx;
    struct ledger_record r;
    struct str audience;
    bool named = false;
    if (!ledger_record_scan(l->record, &r) || r.kind != LEDGER_RELEASE_RECORD)
        return true;
    for (size_t i = 0; i < x->count && !named; i++)
        named = str_eq(x->names[i], r.text[LEDGER_OBJECT]);
    if (!named || !is_version(x, l->record))
        return true;
    x->failed = !exchange_audience_text(x->s, x->a, l->audience, &audience, x->e);
    return !x->failed && (!policy_audience_has(audience, &x->p->to) || keep(x, l));
}

static bool find(struct proving *x)
{
    struct store *s = x->s->store;
    struct instant wanted;
    uint64_t size;
    if (x->p->version.n && !instant_parse(x->p->version, &wanted, x->e))
        return err_prefix(x->e, "version");
    x->wanted_us = x->p->version.n ? instant_us(wanted) : 0;
    if (!store_object_versions(s, x->p->id, note_version, x, x->e) || x->failed)
        return false;
    if (x->found)
        return true;
    x->out->withdrawn = true;
    if (!list_names(x) || !store_ledger_size(s, &size, x->e) ||
        !store_ledger_each(s, 0, size, look_at, x, x->e) || x->failed)
        return false;
    return x->found ||
           err_set(x->e, ERR_NOT_FOUND,
                   "the ledger has no release of %.*s%s%.*s to %.*s/%.*s: `setu policy explain` "
                   "tells why",
                   STR_FMT(x->p->id), x->p->version.n ? " version " : "", STR_FMT(x->p->version),
                   STR_FMT(x->p->to.nation), STR_FMT(x->p->to.org));
}

/* ---- the proof ---- */

/* Of v->index, record, salt and audience. */
static bool put_evidence(struct exchange_session *s, struct arena *a, struct ledger_evidence *v,
                         uint64_t *size, struct buf *file, struct err *e)
{
    struct ledger_tiles tiles = store_ledger_tiles(s->store);
    struct buf note;
    buf_init(&note, 0);
    bool ok = store_ledger_size(s->store, size, e) &&
              ledger_inclusion_prove(&tiles, v->index, *size, &v->inclusion, e) &&
              ledger_checkpoint_of(s->x, s->store, a, &note, e) && buf_ok(&note, e);
    if (ok) {
        v->checkpoint = buf_view(&note);
        ledger_evidence_put(v, file);
    }
    buf_done(&note);
    return ok && buf_ok(file, e) && arena_ok(a, e);
}

static bool put_proof(struct proving *x, struct buf *file, struct err *e)
{
    x->out->index = x->v.index;
    x->out->record = x->v.record;
    unsigned char salt[LEDGER_AUDIENCE_SALT_BYTES];
    if (!exchange_audience_text(x->s, x->a, x->audience, &x->v.audience, e))
        return false;
    exchange_audience_salt(x->s->x, x->v.audience, salt);
    x->v.audience_salt = arena_str(x->a, (struct str){(const char *)salt, sizeof salt});
    return arena_ok(x->a, e) && put_evidence(x->s, x->a, &x->v, &x->out->size, file, e);
}

static bool prove(struct proving *x, struct buf *file, struct err *e)
{
    struct ledger_record r;
    if (!find(x) || !arena_ok(x->a, e))
        return false;
    if (x->v.record.n == 0)
        return err_set(e, ERR_NOT_FOUND, "the record of the release, leaf %llu, was erased",
                       (unsigned long long)x->v.index);
    if (!ledger_record_scan(x->v.record, &r))
        return err_set(e, ERR_STORE, "leaf %llu is damaged: `setu ledger verify` tells more",
                       (unsigned long long)x->v.index);
    x->out->object = r.text[LEDGER_OBJECT];
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
    x->e = e;
    *out = (struct exchange_proven){.object = STR("")};
    if (!store_begin(s->store, e))
        return false;
    bool ok = prove(x, file, e);
    store_rollback(s->store);
    return ok;
}

/* ---- of any leaf ---- */

struct one_leaf {
    struct arena *a;
    struct ledger_evidence v;
};

static bool copy_leaf(void *ctx, const struct store_leaf *l)
{
    struct one_leaf *one = ctx;
    one->v.record = arena_str(one->a, l->record);
    one->v.salt = arena_str(one->a, l->salt);
    return false;
}

bool exchange_leaf_prove(struct exchange_session *s, struct arena *a, uint64_t leaf,
                         struct buf *file, struct err *e)
{
    struct one_leaf one = {.a = a, .v = {.index = leaf, .audience = STR("")}};
    uint64_t size;
    if (!store_begin(s->store, e))
        return false;
    bool ok = store_ledger_each(s->store, leaf, leaf + 1, copy_leaf, &one, e) &&
              (one.v.record.n ||
               err_set(e, ERR_NOT_FOUND, "the record of leaf %llu is not there or was erased",
                       (unsigned long long)leaf)) &&
              put_evidence(s, a, &one.v, &size, file, e);
    store_rollback(s->store);
    return ok;
}
