/*
 * A large envelope that waited is decided about in pieces, a transaction each, with what others
 * hand in between them: a whole one would hold up the writer for seconds. How far it has come
 * stands beside it, written in the same transaction, and so does what became of the objects until
 * then; the last piece completes the status. So every object is decided about once, whatever ends
 * the process.
 *
 * Only where no object's release depends on another one's: else what comes in a later piece could
 * have kept back what an earlier one let out. References count for nothing unless they are kept
 * (policy.c); what makes copies, and definitions of what stays local, are seen by the objects.
 */
#include <string.h>

#include "exchange/batch_priv.h"

/* ---- what became of the objects ---- */

static void put_result(struct buf *out, const struct exchange_result *r)
{
    buf_lit(out, out->n ? ",{" : "[{");
    json_put_member(out, "outcome", str_of(exchange_outcome_name(r->outcome)));
    json_put_member(out, "version", r->version);
    if (r->rule.n)
        json_put_member(out, "rule", r->rule);
    if (r->message.n)
        json_put_member(out, "message", r->message);
    if (r->guarded)
        json_put_member(out, "guarded", STR("yes"));
    buf_byte(out, '}');
}

static bool get_result(struct exchange_batch *b, struct exchange_item *it, const struct json *v)
{
    struct str name = json_get_str(v, STR("outcome"));
    int o = 0;
    while (o < EXCHANGE_OUTCOMES && !str_eq(name, str_of(exchange_outcome_name(o))))
        o++;
    if (o == EXCHANGE_OUTCOMES)
        return false;
    it->go = it->stands = false;
    exchange_conclude(b, it, (enum exchange_outcome)o, json_get_str(v, STR("rule")),
                      json_get_str(v, STR("message")));
    it->result.version = arena_str(b->arena, json_get_str(v, STR("version")));
    it->result.guarded = json_get_str(v, STR("guarded")).n > 0;
    return true;
}

struct resuming {
    struct exchange_batch *b;
    struct json_reader *json;
    struct err *e;
    bool failed;
};

static bool damaged(struct resuming *r)
{
    r->failed = true;
    err_set(r->e, ERR_STORE, "what became of its first objects is damaged");
    return false;
}

static bool resume_piece(void *ctx, uint64_t first, struct str results)
{
    struct resuming *r = ctx;
    struct exchange_batch *b = r->b;
    const struct json *doc;
    if (first != b->from)
        return damaged(r);
    if (!json_parse(r->json, b->arena, results, false, &doc, r->e)) {
        r->failed = true;
        return false;
    }
    for (const struct json *v = doc->u.child; v; v = v->next)
        if (b->from == b->count || !get_result(b, &b->items[b->from++], v))
            return damaged(r);
    return true;
}

bool exchange_pieces_resume(struct exchange_batch *b, struct store *s, uint64_t decided,
                            struct err *e)
{
    struct resuming r = {.b = b, .e = e};
    if (decided == 0)
        return true;
    r.json = json_reader_new();
    bool ok = (r.json || err_set(e, ERR_MEMORY, "out of memory")) &&
              store_piece_each(s, b->waiting, resume_piece, &r, e) && !r.failed;
    json_reader_free(r.json);
    return ok && (b->from == decided || damaged(&r)) && arena_ok(b->arena, e);
}

/* ---- a piece ---- */

/* Does what it says depend on nothing else in the envelope, and nothing else on it? */
static bool stands_alone(const struct exchange_item *it)
{
    return !it->go || (it->plain && !it->object.granular &&
                       !str_eq(it->object.type, STR("extension-definition")));
}

static size_t end_of_piece(const struct gate *g, const struct exchange_batch *b)
{
    if (b->count - b->from <= LIMIT_EXCHANGE_TRANSACTION_OBJECTS || g->keeps_references)
        return b->count;
    for (size_t i = b->from; i < b->count; i++)
        if (!stands_alone(&b->items[i]))
            return b->count;
    return b->from + LIMIT_EXCHANGE_TRANSACTION_OBJECTS;
}

bool exchange_piece_begin(struct gate *g, struct exchange_batch *b, struct err *e)
{
    bool there;
    b->upto = end_of_piece(g, b);
    if (!(b->upto == b->count
              ? store_envelope_take(g->store, b->waiting, b->from, &there, e)
              : store_envelope_advance(g->store, b->waiting, b->from, b->upto, &there, e)))
        return false;
    b->gone = !there;
    return store_envelope_withdrawn(g->store, b->waiting, STR_NONE, &b->withdrawn, e);
}

bool exchange_piece_end(struct store *s, struct exchange_batch *b, struct err *e)
{
    struct buf out;
    if (b->upto == b->count)
        return (b->from == 0 && !b->withdrawn) || store_envelope_end(s, b->waiting, e);
    buf_init(&out, 0);
    for (size_t i = b->from; i < b->upto; i++)
        put_result(&out, &b->items[i].result);
    buf_byte(&out, ']');
    bool ok = buf_ok(&out, e) && store_piece_put(s, b->waiting, b->from, buf_view(&out), e);
    buf_done(&out);
    return ok;
}
