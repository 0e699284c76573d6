/* Who holds an object: those whom the record lets read it, and those from whom it was taken back,
 * with what their nodes say became of it. */
#include <string.h>

#include "exchange/gate_priv.h"

/* A version that was withdrawn from somebody, the last time that it was. */
struct due {
    struct due *next;
    struct str id, version, collection;
    bool answered, kept;
};

struct holder {
    struct holder *next;
    struct exchange_holder told;
    bool node; /* a partner node reads for them */
    struct due *due;
    int64_t version_us, withdrawn_us, receipt_us;
};

struct holding {
    struct exchange_session *s;
    struct arena *a;
    struct holder *list;
    struct err *e;
    bool failed;
    const struct store_object *object; /* whose rows are looked at */
    struct holder *at;
};

/* ---- who there is ---- */

static struct holder *holder_of(struct holding *h, struct str nation, struct str org)
{
    struct holder *p = h->list;
    while (p && !(str_eq(p->told.party.nation, nation) && str_eq(p->told.party.org, org)))
        p = p->next;
    if (p || !(p = arena_calloc(h->a, 1, sizeof *p)))
        return p;
    p->next = h->list;
    p->told.party = (struct policy_party){arena_str(h->a, nation), arena_str(h->a, org)};
    h->list = p;
    return p;
}

static void add_party(void *ctx, const struct policy_party *p, bool is_operator)
{
    (void)is_operator;
    (void)holder_of(ctx, p->nation, p->org);
}

static bool add_user(void *ctx, const struct store_user *u)
{
    struct holding *h = ctx;
    struct holder *p = holder_of(h, u->nation, u->org_name);
    enum exchange_role role;
    if (p && !u->revoked_us && exchange_role_parse(u->role, &role) && role == EXCHANGE_PEER)
        p->node = true;
    return p != NULL;
}

/* ---- who has it ---- */

static bool note_release(void *ctx, const struct store_release *r)
{
    struct holding *h = ctx;
    for (struct holder *p = h->list; p; p = p->next) {
        bool newer = p->told.state != EXCHANGE_HOLDER_READS || r->version_us > p->version_us;
        if (!newer || !policy_audience_has(r->audience_text, &p->told.party))
            continue;
        p->told.state = EXCHANGE_HOLDER_READS;
        p->told.at_us = r->date_added;
        p->version_us = r->version_us;
        p->told.version_us = r->version_us;
    }
    return true;
}

static bool note_version(void *ctx, const struct store_object *o)
{
    struct holding *h = ctx;
    h->failed = !store_release_each(h->s->store, o->object, note_release, h, h->e) ||
                !store_release_copies(h->s->store, o->object, note_release, h, h->e);
    return !h->failed;
}

/* ---- who had it ---- */

struct answered {
    struct holder *p;
    struct due *due;
    struct str party;
};

static bool note_receipt(void *ctx, const struct store_receipt *r)
{
    struct answered *x = ctx;
    if (!str_eq(r->party, x->party))
        return true;
    x->due->answered = true;
    x->due->kept = str_eq(r->outcome, STR("kept"));
    if (r->at_us > x->p->receipt_us)
        x->p->receipt_us = r->at_us;
    return false;
}

/* They come in the order of the ledger; what was given again between two is in the later one. */
static struct due *due_of(struct holding *h, struct holder *p, const struct store_withdrawal *w)
{
    struct due *d = p->due;
    while (d && !(str_eq(d->id, w->id) && str_eq(d->version, w->version) &&
                  str_eq(d->collection, w->collection)))
        d = d->next;
    if (!d && (d = arena_calloc(h->a, 1, sizeof *d))) {
        *d = (struct due){p->due,
                          arena_str(h->a, w->id),
                          arena_str(h->a, w->version),
                          arena_str(h->a, w->collection),
                          false,
                          false};
        p->due = d;
    }
    if (d)
        d->answered = d->kept = false;
    return d;
}

static bool note_withdrawal(void *ctx, const struct store_withdrawal *w)
{
    struct holding *h = ctx;
    for (struct holder *p = h->list; p && !h->failed; p = p->next) {
        struct answered x = {.p = p};
        if (!policy_audience_has(w->audience_text, &p->told.party))
            continue;
        x.party = arena_printf(h->a, "%.*s/%.*s", STR_FMT(p->told.party.nation),
                               STR_FMT(p->told.party.org));
        if (!(x.due = due_of(h, p, w)))
            return false;
        p->withdrawn_us = w->at_us > p->withdrawn_us ? w->at_us : p->withdrawn_us;
        h->failed = !store_receipt_each(h->s->store, w->leaf, note_receipt, &x, h->e);
    }
    return !h->failed;
}

static bool note_copy(void *ctx, struct str copy_id, bool varied)
{
    struct holding *h = ctx;
    (void)varied;
    h->failed = !store_withdrawal_of(h->s->store, copy_id, note_withdrawal, h, h->e) || h->failed;
    return !h->failed;
}

static void conclude(struct holder *p)
{
    bool waits = false, kept = false;
    if (p->told.state == EXCHANGE_HOLDER_READS || !p->due)
        return;
    for (const struct due *d = p->due; d; d = d->next) {
        waits = waits || !d->answered;
        kept = kept || d->kept;
    }
    p->told.at_us = p->node && !waits ? p->receipt_us : p->withdrawn_us;
    p->told.state = !p->node ? EXCHANGE_HOLDER_WITHDRAWN
                    : waits  ? EXCHANGE_HOLDER_UNCONFIRMED
                    : kept   ? EXCHANGE_HOLDER_KEPT
                             : EXCHANGE_HOLDER_REMOVED;
}

/* ---- all of it ---- */

static bool look(struct holding *h, struct str id, struct err *e)
{
    struct store *s = h->s->store;
    policy_each_party(exchange_policy(h->s->x), add_party, h);
    return store_user_each(s, h->a, add_user, h, e) && arena_ok(h->a, e) &&
           store_object_versions(s, id, note_version, h, e) && !h->failed &&
           store_withdrawal_of(s, id, note_withdrawal, h, e) && !h->failed &&
           store_copies_of(s, id, note_copy, h, e) && !h->failed;
}

const char *exchange_holder_state_name(enum exchange_holder_state s)
{
    static const char *const names[] = {"none",      "reads", "unconfirmed",
                                        "withdrawn", "kept",  "removed"};
    return names[s];
}

static bool tell_all(struct holding *h, exchange_holder_fn *each, void *ctx)
{
    bool any = false;
    for (struct holder *p = h->list; p; p = p->next) {
        conclude(p);
        if (p->told.state == EXCHANGE_HOLDER_NONE)
            continue;
        any = true;
        if (!each(ctx, &p->told))
            break;
    }
    return any;
}

bool exchange_holders(struct exchange_session *s, struct arena *a, struct str id,
                      exchange_holder_fn *each, void *ctx, struct err *e)
{
    struct holding h = {.s = s, .a = a, .e = e};
    struct str origin;
    if (!store_begin(s->store, e))
        return false;
    bool ok = store_copy_origin(s->store, a, id, &origin, e) &&
              look(&h, origin.n ? origin : id, e) && arena_ok(a, e);
    store_rollback(s->store);
    return ok && (tell_all(&h, each, ctx) ||
                  err_set(e, ERR_NOT_FOUND, "nobody has or had it from this node"));
}
