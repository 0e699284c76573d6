/* Adding and deleting objects (TAXII 2.1 §5.5, §5.7), status resources (§4.3). Worker threads. */
#include <string.h>

#include "taxii/taxii_priv.h"

/* ---- status ---- */

static void put_detail(struct buf *b, const struct exchange_result *res, bool first)
{
    buf_lit(b, first ? "{" : ",{");
    json_put_member(b, "id", res->id);
    json_put_member(b, "version", res->version);
    if (res->outcome == EXCHANGE_UNCHANGED)
        json_put_member(b, "message", STR("this version is here already"));
    if (res->message.n)
        json_put_member(b, "message", res->message);
    if (res->rule.n)
        json_put_member(b, "x_setu_rule", res->rule);
    if (res->outcome != EXCHANGE_ACCEPTED && res->outcome != EXCHANGE_PENDING)
        json_put_member(b, "x_setu_status", str_of(exchange_outcome_name(res->outcome)));
    buf_byte(b, '}');
}

/* The lists of a status, and the count of each. */
enum list { SUCCESSES, FAILURES, PENDINGS };
static const struct {
    const char *name, *count;
} lists[] = {
    {"successes", "success_count"}, {"failures", "failure_count"}, {"pendings", "pending_count"}};

static enum list list_of(enum exchange_outcome o)
{
    switch (o) {
    case EXCHANGE_ACCEPTED:
    case EXCHANGE_UNCHANGED:
    case EXCHANGE_HELD:
        return SUCCESSES;
    case EXCHANGE_REFUSED:
    case EXCHANGE_QUARANTINED:
        return FAILURES;
    case EXCHANGE_PENDING:
        return PENDINGS;
    }
    must(false);
    return FAILURES;
}

/* §4.3.1: a list has exactly as many items as its count, and no list is empty. */
static void put_list(struct buf *b, const struct exchange_batch *batch, enum list which)
{
    size_t n = 0;
    for (size_t i = 0; i < exchange_batch_count(batch); i++) {
        const struct exchange_result *res = exchange_batch_result(batch, i);
        if (list_of(res->outcome) != which)
            continue;
        if (n == 0) {
            json_put_name(b, lists[which].name);
            buf_byte(b, '[');
        }
        put_detail(b, res, n++ == 0);
    }
    if (n)
        buf_byte(b, ']');
    json_put_member_u64(b, lists[which].count, n);
}

bool taxii_status_put(const struct exchange_batch *b, struct buf *out)
{
    char when[INSTANT_TEXT_BYTES];
    buf_byte(out, '{');
    json_put_member(out, "id", str_of(exchange_batch_uuid(b)));
    bool pending = exchange_batch_total(b, EXCHANGE_PENDING) > 0;
    json_put_member(out, "status", pending ? STR("pending") : STR("complete"));
    json_put_member(out, "request_timestamp",
                    instant_text(instant_of_us(exchange_batch_at_us(b)), 6, when));
    json_put_member_u64(out, "total_count", exchange_batch_count(b));
    put_list(out, b, SUCCESSES);
    put_list(out, b, FAILURES);
    put_list(out, b, PENDINGS);
    buf_byte(out, '}');
    return !out->failed;
}

/* ---- POST ---- */

/* The guard held something back: the node's people hear of it, the sender in the status. */
static void log_guarded(const struct exchange_batch *b)
{
    for (size_t i = 0; i < exchange_batch_count(b); i++) {
        const struct exchange_result *res = exchange_batch_result(b, i);
        if (res->guarded)
            log_line(LOG_WARNING, "%.*s: it names a subscriber and stays at home",
                     STR_FMT(res->id));
    }
}

/* On the writer's thread, after the commit. */
static void posted(void *ctx, struct exchange_batch *b, bool ok, const struct err *e)
{
    struct http_request *r = ctx;
    struct buf body;
    if (ok) {
        log_guarded(b);
        exchange_batch_status_take(b, &body);
        http_note_objects(r, exchange_batch_count(b));
        exchange_batch_free(b);
        http_reply(r, 202, HTTP_TAXII_TYPE, &body);
    } else {
        exchange_batch_free(b);
        http_reply_err(r, e);
    }
}

/* An envelope (§3.7); bundles are taken too, for clients that post them. Each thing in it must at
 * least say what it is, or the body is no envelope and nothing of it is kept. */
static bool envelope_open(const struct json *doc, const struct json **first, size_t *count,
                          struct err *e)
{
    enum stix_container kind;
    if (!stix_container_open(doc, &kind, first, count, e))
        return false;
    if (kind != STIX_IN_ENVELOPE && kind != STIX_IN_BUNDLE)
        return err_set(e, ERR_INVALID, "the body must be an envelope: {\"objects\": [...]}");
    if (*count == 0)
        return err_set(e, ERR_INVALID, "the envelope has no objects");
    for (const struct json *o = *first; o; o = o->next)
        if (!json_get_str(o, STR("type")).n || !json_get_str(o, STR("id")).n)
            return err_set_at(e, ERR_INVALID, o->at,
                              "an object of the envelope has no type or no id; nothing was added");
    return true;
}

static bool post(struct http_request *r, struct err *e)
{
    struct exchange_batch *b;
    const struct json *doc, *first;
    size_t count;
    struct exchange_session *s = http_session(r);
    if (!json_parse(exchange_session_json(s), http_arena(r), http_body(r), true, &doc, e))
        return err_prefix(e, "at byte %zu", e->at);
    if (!envelope_open(doc, &first, &count, e))
        return false;
    struct exchange_submission sub = {
        .who = http_principal(r), .collection = taxii_collection(r), .status = taxii_status_put};
    /* §5.5: what takes long is answered before it is done. What a user may not have waiting even
     * alone is done at once, and its sender waits. */
    bool later = count > LIMIT_EXCHANGE_AT_ONCE_OBJECTS &&
                 http_body(r).n <= LIMIT_EXCHANGE_PENDING_USER_BYTES;
    if (!(later ? exchange_defer(&sub, http_body(r), first, count, &b, e)
                : exchange_prepare(s, &sub, http_body(r), first, count, &b, e)))
        return false;
    if (exchange_commit(http_exchange(r), b, posted, r, e))
        return true;
    exchange_batch_free(b);
    return false;
}

void taxii_objects_post(struct http_request *r)
{
    struct err e = {0};
    if (!post(r, &e))
        http_reply_err(r, &e);
}

/* On the thread that takes up what was pending. */
static void taken_up(void *ctx, struct exchange_batch *b, bool ok, const struct err *e)
{
    (void)ctx;
    if (ok)
        log_guarded(b);
    else
        log_line(LOG_WARNING, "%s", e->msg);
}

bool taxii_start(struct exchange *x, struct err *e)
{
    static const struct exchange_taking_up how = {.status = taxii_status_put, .done = taken_up};
    return exchange_take_up(x, &how, e);
}

/* ---- DELETE ---- */

static bool remove_object(struct http_request *r, struct err *e)
{
    struct taxii_filter f;
    if (!taxii_filter_read(r, taxii_collection(r), true, &f, e))
        return false;
    if (f.nothing)
        return err_set(e, ERR_NOT_FOUND, "no such object");
    struct str id = http_segment(r, TAXII_ID_SEGMENT);
    bool named = false;
    for (size_t i = 0; i < http_query_count(r); i++) {
        struct str name, value;
        http_query(r, i, &name, &value);
        named = named || str_eq(name, STR("match[version]"));
    }
    /* §5.7 deletes "an object": all its versions, unless match[version] names some. */
    if (!named)
        f.q.versions = STORE_ALL;
    return exchange_withdraw(http_session(r), http_principal(r), &f.q, id, STR(""), e);
}

void taxii_object_delete(struct http_request *r)
{
    struct err e = {0};
    struct buf empty;
    if (!remove_object(r, &e)) {
        http_reply_err(r, &e);
        return;
    }
    buf_init(&empty, 0);
    http_reply(r, 200, HTTP_TAXII_TYPE, &empty);
}
