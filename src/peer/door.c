/*
 * The door to the ledger: what partners and auditors read of it, and the countersignatures that
 * partners bring. /.well-known/setu, /ledger/... (docs/LEDGER.md) and /metrics.
 */
#include <stdio.h>
#include <string.h>

#include "crypt/crypt.h"
#include "peer/peer.h"

#define TEXT_TYPE    "text/plain; charset=utf-8"
#define TILE_TYPE    "application/octet-stream"
#define LINES_TYPE   "application/x-ndjson"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* ---- who and what ---- */

typedef void answer_fn(struct http_request *r);

struct resource {
    const char *name;
    enum http_method method;
    answer_fn *answer;
    bool work; /* on a worker's thread */
    bool (*may)(const struct http_request *r);
};

static bool may_all(const struct http_request *r)
{
    (void)r;
    return true;
}

static bool may_read(const struct http_request *r)
{
    return exchange_ledger_reads(http_exchange(r), http_principal(r));
}

static bool may_measure(const struct http_request *r)
{
    return may_read(r) && http_principal(r)->role != EXCHANGE_PEER;
}

static bool may_cosign(const struct http_request *r)
{
    return http_principal(r)->role == EXCHANGE_PEER;
}

static void send(struct http_request *r, const char *type, struct buf *b, bool ok,
                 const struct err *e)
{
    if (ok) {
        http_reply(r, 200, type, b);
        return;
    }
    buf_done(b);
    http_reply_err(r, e);
}

/* ---- /.well-known/setu ---- */

static bool put_key(const struct exchange *x, enum ledger_key_type type, struct buf *b,
                    struct err *e)
{
    struct buf key;
    buf_init(&key, 0);
    bool ok = exchange_ledger_key(x, type, &key, e);
    if (ok)
        json_put_member(b, "key", buf_view(&key));
    buf_done(&key);
    return ok;
}

struct listing {
    struct buf *b;
    bool first;
};

static bool put_witness(void *ctx, const struct store_witness *w)
{
    struct listing *l = ctx;
    char at[INSTANT_TEXT_BYTES];
    if (!w->cosigned.n)
        return true;
    buf_lit(l->b, l->first ? "{" : ",{");
    l->first = false;
    json_put_member(l->b, "party", w->party);
    json_put_member(l->b, "key", w->witness_key);
    json_put_member(l->b, "checkpoint", w->cosigned);
    json_put_member(l->b, "at", instant_text(instant_of_us(w->cosigned_us), 6, at));
    buf_byte(l->b, '}');
    return true;
}

static bool put_witnesses(struct http_request *r, struct buf *b, struct err *e)
{
    struct listing l = {b, true};
    json_put_name(b, "witnesses");
    buf_byte(b, '[');
    bool ok = exchange_witnesses(http_session(r), http_arena(r), put_witness, &l, e);
    buf_byte(b, ']');
    return ok;
}

static void answer_node(struct http_request *r)
{
    const struct exchange_config *c = exchange_config(http_exchange(r));
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    buf_byte(&b, '{');
    json_put_member(&b, "version", STR(SETU_VERSION));
    json_put_member(&b, "name", c->name);
    json_put_member(&b, "nation", c->nation);
    json_put_member(&b, "org", c->org);
    json_put_name(&b, "ledger");
    buf_byte(&b, '{');
    bool ok = put_key(http_exchange(r), LEDGER_KEY_LOG, &b, &e);
    json_put_member(&b, "checkpoint", STR("/ledger/checkpoint"));
    buf_byte(&b, '}');
    json_put_name(&b, "witness");
    buf_byte(&b, '{');
    ok = ok && put_key(http_exchange(r), LEDGER_KEY_WITNESS, &b, &e);
    buf_byte(&b, '}');
    if (ok && may_measure(r))
        ok = put_witnesses(r, &b, &e);
    buf_byte(&b, '}');
    send(r, "application/json", &b, ok, &e);
}

/* ---- /ledger/checkpoint, tile, records ---- */

static void answer_checkpoint(struct http_request *r)
{
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    bool ok = exchange_ledger_checkpoint(http_session(r), http_principal(r), &b, &e);
    http_reply_header(r, "Cache-Control", STR("no-store"));
    send(r, TEXT_TYPE, &b, ok, &e);
}

/* tile/L/N or tile/entries/N, as the path has it behind /ledger/. */
static bool tile_of(struct http_request *r, struct ledger_tile *out, struct err *e)
{
    struct buf path;
    buf_init(&path, LIMIT_PATH_BYTES);
    for (size_t i = 1; i < http_segment_count(r); i++) {
        buf_lit(&path, i > 1 ? "/" : "");
        buf_str(&path, http_segment(r, i));
    }
    bool ok = buf_ok(&path, e) && ledger_tile_parse(buf_view(&path), out, e);
    buf_done(&path);
    return ok || err_set(e, ERR_NOT_FOUND, "no tile has such a path (C2SP tlog-tiles)");
}

static void answer_tile(struct http_request *r)
{
    struct ledger_tile t;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    bool ok = tile_of(r, &t, &e) && exchange_ledger_tile(http_session(r), &t, &b, &e);
    if (ok) /* what is in a tile stays, and whoever asked may see it */
        http_reply_header(r, "Cache-Control", STR("private, max-age=31536000, immutable"));
    send(r, TILE_TYPE, &b, ok, &e);
}

struct lines {
    struct http_request *r;
    struct buf b;
    int64_t audience; /* whose text is `text` */
    struct str text;
    bool ok;
    struct err *e;
};

static bool put_line(void *ctx, const struct exchange_leaf *l)
{
    struct lines *x = ctx;
    struct buf salt;
    bool told = l->audience && http_principal(x->r)->role != EXCHANGE_PEER;
    if (!l->shown)
        return true;
    if (told && l->audience != x->audience) {
        x->ok = exchange_audience_text(http_session(x->r), http_arena(x->r), l->audience, &x->text,
                                       x->e);
        x->audience = l->audience;
    }
    if (!x->ok)
        return false;
    buf_init(&salt, 0);
    crypt_base64_put(&salt, l->salt, false);
    buf_byte(&x->b, '{');
    json_put_member_u64(&x->b, "index", l->index);
    json_put_member(&x->b, "salt", buf_view(&salt));
    json_put_name(&x->b, "record");
    buf_str(&x->b, l->record);
    if (told) {
        unsigned char of[LEDGER_AUDIENCE_SALT_BYTES];
        exchange_audience_salt(http_exchange(x->r), x->text, of);
        ledger_audience_put((struct str){(const char *)of, sizeof of}, x->text, &x->b);
    }
    buf_lit(&x->b, "}\n");
    buf_done(&salt);
    return true;
}

static bool range_of(struct http_request *r, uint64_t *first, uint64_t *end, struct err *e)
{
    bool has_first = false, has_end = false, bad = false;
    for (size_t i = 0; i < http_query_count(r); i++) {
        struct str name, value;
        http_query(r, i, &name, &value);
        if (str_eq(name, STR("first")) && !has_first)
            has_first = str_to_u64(value, first);
        else if (str_eq(name, STR("end")) && !has_end)
            has_end = str_to_u64(value, end);
        else
            bad = true;
    }
    if (bad || !has_first || !has_end || *end < *first ||
        *end - *first > LIMIT_LEDGER_RECORDS_ANSWER)
        return err_set(e, ERR_SYNTAX, "give first=I&end=J: at most %d leaves from I on, before J",
                       LIMIT_LEDGER_RECORDS_ANSWER);
    return true;
}

static void answer_records(struct http_request *r)
{
    uint64_t first, end;
    struct err e = {0};
    struct lines x = {.r = r, .ok = true, .e = &e};
    buf_init(&x.b, 0);
    bool ok =
        range_of(r, &first, &end, &e) &&
        exchange_ledger_each(http_session(r), http_principal(r), first, end, put_line, &x, &e) &&
        x.ok;
    http_reply_header(r, "Cache-Control", STR("no-store"));
    send(r, LINES_TYPE, &x.b, ok, &e);
}

/* ---- POST /ledger/cosignature ---- */

static void answer_cosignature(struct http_request *r)
{
    const struct json *v = NULL;
    struct err e = {0};
    struct buf b;
    struct exchange_session *s = http_session(r);
    bool ok = json_parse(exchange_session_json(s), http_arena(r), http_body(r), true, &v, &e) &&
              (v->type == JSON_OBJECT ||
               err_set(&e, ERR_INVALID, "send {\"key\":\"...\",\"checkpoint\":\"...\"}")) &&
              exchange_witness_cosigned(s, http_principal(r), json_get_str(v, STR("key")),
                                        json_get_str(v, STR("checkpoint")), &e);
    buf_init(&b, 0);
    if (ok)
        buf_lit(&b, "{\"kept\":true}");
    send(r, "application/json", &b, ok, &e);
}

/* ---- /ledger/withdrawals and /ledger/receipts ---- */

static bool withdrawals_of(struct http_request *r, struct exchange_collection *c,
                           struct exchange_withdrawn *q, struct err *e)
{
    bool has_first = false, has_collection = false, bad = false;
    struct str key = STR("");
    for (size_t i = 0; i < http_query_count(r); i++) {
        struct str name, value;
        http_query(r, i, &name, &value);
        if (str_eq(name, STR("first")) && !has_first) {
            has_first = str_to_u64(value, &q->first);
            bad = bad || !has_first;
        } else if (str_eq(name, STR("collection")) && !has_collection) {
            has_collection = true;
            key = value;
        } else {
            bad = true;
        }
    }
    if (bad || !has_first || !has_collection || q->first > LIMIT_LEDGER_LEAVES)
        return err_set(e, ERR_SYNTAX,
                       "give collection=C&first=I: what was withdrawn from C at "
                       "the leaf I or later");
    q->collection = c;
    q->most = LIMIT_PEER_WITHDRAWN;
    return exchange_collection_find(http_session(r), http_arena(r), key, false, c, e);
}

static void answer_withdrawals(struct http_request *r)
{
    struct exchange_collection c;
    struct exchange_withdrawn q;
    struct err e = {0};
    struct lines x = {.r = r, .ok = true, .e = &e};
    buf_init(&x.b, 0);
    bool ok = withdrawals_of(r, &c, &q, &e) &&
              exchange_withdrawals(http_session(r), http_principal(r), &q, put_line, &x, &e);
    http_reply_header(r, "Cache-Control", STR("no-store"));
    send(r, LINES_TYPE, &x.b, ok, &e);
}

static bool keep_receipts(struct http_request *r, const struct json *v, struct err *e)
{
    const struct json *list = json_get(v, STR("receipts"));
    size_t n = 0;
    if (!json_is(list, JSON_ARRAY))
        return err_set(e, ERR_INVALID,
                       "send {\"key\":\"...\",\"receipts\":[{\"leaf\":I,\"proof\":{}}]}");
    for (const struct json *o = list->u.child; o; o = o->next) {
        const struct json *leaf = json_is(o, JSON_OBJECT) ? json_get(o, STR("leaf")) : NULL;
        const struct json *proof = leaf ? json_get(o, STR("proof")) : NULL;
        if (++n > LIMIT_PEER_WITHDRAWN || !json_is(leaf, JSON_INTEGER) || leaf->u.i < 0 ||
            !json_is(proof, JSON_OBJECT))
            return err_set(e, ERR_INVALID,
                           "receipt %zu has no leaf and proof, or is one of more "
                           "than %d",
                           n, LIMIT_PEER_WITHDRAWN);
        const struct exchange_receipt one = {.who = http_principal(r),
                                             .key = json_get_str(v, STR("key")),
                                             .leaf = (uint64_t)leaf->u.i,
                                             .proof = json_source(http_body(r), proof)};
        if (!exchange_receipt_keep(http_session(r), http_arena(r), &one, e))
            return err_prefix(e, "receipt %zu", n);
    }
    return true;
}

static void answer_receipts(struct http_request *r)
{
    const struct json *v = NULL;
    struct err e = {0};
    struct buf b;
    bool ok = json_parse(exchange_session_json(http_session(r)), http_arena(r), http_body(r), true,
                         &v, &e) &&
              (json_is(v, JSON_OBJECT) || err_set(&e, ERR_INVALID, "send an object")) &&
              keep_receipts(r, v, &e);
    buf_init(&b, 0);
    if (ok)
        buf_lit(&b, "{\"kept\":true}");
    send(r, "application/json", &b, ok, &e);
}

/* ---- /metrics (Prometheus' text format) ---- */

static bool put_metrics(void *ctx, const struct store_witness *w)
{
    struct buf *b = ctx;
    buf_printf(b, "setu_ledger_partner_broken{partner=\"%.*s\"} %d\n", STR_FMT(w->party),
               w->state.n != 0);
    if (w->seen_us)
        buf_printf(b, "setu_ledger_witnessed_seconds{partner=\"%.*s\"} %lld\n", STR_FMT(w->party),
                   (long long)(w->seen_us / 1000000));
    if (w->cosigned_us)
        buf_printf(b, "setu_ledger_cosigned_seconds{partner=\"%.*s\"} %lld\n", STR_FMT(w->party),
                   (long long)(w->cosigned_us / 1000000));
    return true;
}

static void put_gauge(struct buf *b, const char *name, const char *help, uint64_t value)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name, name,
               (unsigned long long)value);
}

static bool put_backlog(struct http_request *r, struct buf *b, struct err *e)
{
    struct store_backlog log;
    if (!exchange_backlog(http_session(r), &log, e))
        return false;
    int64_t age_us = log.count ? now_us() - log.oldest_us : 0;
    put_gauge(b, "setu_pending_envelopes",
              "Envelopes that were acknowledged and wait to be decided about.", log.count);
    put_gauge(b, "setu_pending_bytes", "Bytes of these.", log.bytes);
    put_gauge(b, "setu_pending_oldest_seconds", "How long the oldest of them has waited.",
              age_us > 0 ? (uint64_t)(age_us / 1000000) : 0);
    return true;
}

static void answer_metrics(struct http_request *r)
{
    struct err e = {0};
    struct buf b;
    uint64_t size;
    buf_init(&b, 0);
    bool ok = exchange_ledger_size(http_session(r), &size, &e);
    if (ok)
        buf_printf(&b,
                   "# HELP setu_ledger_leaves Leaves of this node's ledger.\n"
                   "# TYPE setu_ledger_leaves counter\n"
                   "setu_ledger_leaves %llu\n"
                   "# HELP setu_ledger_partner_broken 1: what the partner shows of its ledger "
                   "contradicts what it showed before.\n"
                   "# TYPE setu_ledger_partner_broken gauge\n"
                   "# HELP setu_ledger_witnessed_seconds When this node last countersigned the "
                   "partner's ledger, since 1970.\n"
                   "# TYPE setu_ledger_witnessed_seconds gauge\n"
                   "# HELP setu_ledger_cosigned_seconds When the partner last countersigned this "
                   "node's ledger, since 1970.\n"
                   "# TYPE setu_ledger_cosigned_seconds gauge\n",
                   (unsigned long long)size);
    ok = ok && exchange_witnesses(http_session(r), http_arena(r), put_metrics, &b, &e) &&
         put_backlog(r, &b, &e);
    if (ok) {
        buf_printf(&b,
                   "# HELP setu_ledger_records_lost_total Records of reads and sign-ins that could "
                   "not be written.\n# TYPE setu_ledger_records_lost_total counter\n"
                   "setu_ledger_records_lost_total %llu\n",
                   (unsigned long long)exchange_records_lost(http_exchange(r)));
        http_metrics(r, &b);
    }
    send(r, METRICS_TYPE, &b, ok, &e);
}

/* ---- routing ---- */

static const struct resource node = {"well-known", HTTP_GET, answer_node, false, may_all},
                             checkpoint = {"checkpoint", HTTP_GET, answer_checkpoint, false,
                                           may_read},
                             tile = {"tile", HTTP_GET, answer_tile, false, may_read},
                             records = {"records", HTTP_GET, answer_records, true, may_read},
                             cosignature = {"cosignature", HTTP_POST, answer_cosignature, true,
                                            may_cosign},
                             withdrawals = {"withdrawals", HTTP_GET, answer_withdrawals, true,
                                            may_cosign},
                             receipts = {"receipts", HTTP_POST, answer_receipts, true, may_cosign},
                             metrics = {"metrics", HTTP_GET, answer_metrics, false, may_measure};

static const struct resource *find(const struct http_request *r)
{
    struct str first = http_segment(r, 0), what = http_segment(r, 1);
    size_t n = http_segment_count(r);
    if (str_eq(first, STR("metrics")))
        return n == 1 ? &metrics : NULL;
    if (str_eq(first, STR(".well-known")))
        return n == 2 && str_eq(what, STR("setu")) ? &node : NULL;
    if (n > 2 && str_eq(what, STR("tile")))
        return &tile;
    if (n != 2)
        return NULL;
    return str_eq(what, STR("checkpoint"))    ? &checkpoint
           : str_eq(what, STR("records"))     ? &records
           : str_eq(what, STR("cosignature")) ? &cosignature
           : str_eq(what, STR("withdrawals")) ? &withdrawals
           : str_eq(what, STR("receipts"))    ? &receipts
                                              : NULL;
}

bool peer_serves(const struct http_request *r)
{
    struct str first = http_segment(r, 0);
    return str_eq(first, STR("ledger")) || str_eq(first, STR(".well-known")) ||
           str_eq(first, STR("metrics"));
}

bool peer_admit(struct http_request *r, struct err *e)
{
    const struct resource *what = find(r);
    if (!what)
        return err_set(e, ERR_NOT_FOUND, "no such resource");
    if (http_method(r) != what->method) {
        const char *allow = what->method == HTTP_GET ? "GET, HEAD" : "POST";
        http_reply_header(r, "Allow", str_of(allow));
        return err_set(e, ERR_METHOD, "%s", allow);
    }
    if (!what->may(r))
        return err_set(e, ERR_FORBIDDEN,
                       what == &metrics ? "metrics are for this node's own people"
                                        : "the ledger is for partner nodes and auditors");
    http_keep(r, (void *)(uintptr_t)what);
    http_note_route(r, what->name);
    return true;
}

void peer_route(struct http_request *r)
{
    const struct resource *what = http_kept(r);
    if (what->work)
        http_work(r, what->answer);
    else
        what->answer(r);
}
