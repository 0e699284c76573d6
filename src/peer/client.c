/* TAXII 2.1 as a client: pages of a collection, posting, the status of a post. */
#include "peer/peer_priv.h"

/* ---- reading answers ---- */

static bool odd(struct err *e, const char *what)
{
    return err_set(e, ERR_NETWORK, "the answer is no TAXII 2.1 %s: ask the server's administrator",
                   what);
}

bool peer_envelope_read(const struct json *v, struct peer_envelope *out, struct err *e)
{
    const struct json *objects = json_get(v, STR("objects")), *more = json_get(v, STR("more"));
    const struct json *next = json_get(v, STR("next"));
    struct peer_envelope r = {0};
    if (objects && objects->type != JSON_ARRAY)
        return odd(e, "envelope (\"objects\" is no list)");
    if (more && more->type != JSON_TRUE && more->type != JSON_FALSE)
        return odd(e, "envelope (\"more\" is no boolean)");
    if (next && next->type != JSON_STRING && next->type != JSON_NULL)
        return odd(e, "envelope (\"next\" is no string)");
    if (objects) {
        r.first = objects->count ? objects->u.child : NULL;
        r.count = objects->count;
    }
    r.more = json_is(more, JSON_TRUE);
    if (next && next->type == JSON_STRING)
        r.next = next->u.s;
    if (r.next.n > LIMIT_PEER_NEXT_BYTES)
        return odd(e, "envelope (\"next\" is too long)");
    *out = r;
    return true;
}

static bool count_read(const struct json *v, struct str name, uint64_t *out)
{
    const struct json *n = json_get(v, name);
    *out = 0;
    if (!n)
        return true;
    if (n->type != JSON_INTEGER || n->u.i < 0)
        return false;
    *out = (uint64_t)n->u.i;
    return true;
}

bool peer_status_read(const struct json *v, struct peer_status *out, struct err *e)
{
    struct str status = json_get_str(v, STR("status")), id = json_get_str(v, STR("id"));
    const struct json *failures = json_get(v, STR("failures"));
    struct peer_status r = {.complete = str_eq(status, STR("complete"))};
    if (!r.complete && !str_eq(status, STR("pending")))
        return odd(e, "status resource (\"status\" is neither complete nor pending)");
    if (!count_read(v, STR("success_count"), &r.success) ||
        !count_read(v, STR("failure_count"), &r.failure) ||
        !count_read(v, STR("pending_count"), &r.pending))
        return odd(e, "status resource (a count is no whole number)");
    if (peer_url_segment_ok(id))
        r.id = id;
    if (json_is(failures, JSON_ARRAY) && failures->count)
        r.first_failure = json_get_str(failures->u.child, STR("message"));
    *out = r;
    return true;
}

/* ---- pulling ---- */

struct pull {
    struct peer_client *c;
    struct str url, type, ids;
    struct buf after, next, query;
    unsigned limit, wait_s;
    uint64_t pages, kept;
};

/* TAXII 2.1 §3.5: the next page is asked for with the same parameters and `next`. */
static void put_query(struct pull *p)
{
    buf_clear(&p->query);
    buf_str(&p->query, p->url);
    buf_lit(&p->query, "?limit=");
    buf_u64(&p->query, p->limit);
    if (p->type.n) { /* §3.4.1: match[type] */
        buf_lit(&p->query, "&match%5Btype%5D=");
        peer_url_put(&p->query, p->type);
    }
    if (p->ids.n) {
        buf_lit(&p->query, "&match%5Bid%5D=");
        peer_url_put(&p->query, p->ids);
    }
    if (p->wait_s && p->pages == 0) {
        buf_lit(&p->query, "&wait=");
        buf_u64(&p->query, p->wait_s);
    }
    if (p->after.n) {
        buf_lit(&p->query, "&added_after=");
        peer_url_put(&p->query, buf_view(&p->after));
    }
    if (p->next.n) {
        buf_lit(&p->query, "&next=");
        peer_url_put(&p->query, buf_view(&p->next));
    }
}

/* A page that is too large or too slow is asked for again at a tenth of its size (§3.4: `limit` may
 * change from page to page). */
static bool get_page(struct pull *p, struct peer_reply *r, struct err *e)
{
    for (;;) {
        put_query(p);
        if (!buf_ok(&p->query, e))
            return false;
        if (peer_http(p->c, buf_view(&p->query), NULL, r, e))
            return true;
        if (!p->c->heavy || p->limit / 10 < LIMIT_PEER_PAGE_LEAST)
            return false;
        p->limit /= 10;
    }
}

/* Brent's way of finding a cycle of any length: a page equal to the one kept at the last power of
 * two has been seen before. */
static bool goes_round(struct pull *p, struct str text)
{
    uint64_t hash = str_hash(text, 0);
    bool round = p->pages > 0 && hash == p->kept;
    if ((p->pages & (p->pages - 1)) == 0)
        p->kept = hash;
    return round || ++p->pages > LIMIT_PEER_PAGES;
}

static bool later(struct str a, struct str b)
{
    struct instant x, y;
    struct err ignored;
    if (b.n == 0)
        return a.n > 0;
    return instant_parse(a, &x, &ignored) && instant_parse(b, &y, &ignored) &&
           instant_cmp(x, y) > 0;
}

/* Where the page after this one begins. Without `next`, behind the last date_added. */
static bool step(struct pull *p, const struct peer_envelope *v, struct str last, struct err *e)
{
    buf_clear(&p->next);
    buf_str(&p->next, v->next);
    if (v->next.n)
        return buf_ok(&p->next, e);
    if (!later(last, buf_view(&p->after)))
        return err_set(e, ERR_NETWORK,
                       "GET %.*s: the server promises more but its page does not advance: it "
                       "sends neither `next` nor a later X-TAXII-Date-Added-Last; ask its "
                       "administrator",
                       STR_FMT(p->url));
    buf_clear(&p->after);
    buf_str(&p->after, last);
    return buf_ok(&p->after, e);
}

static bool pull_pages(struct pull *p, peer_page_fn *each, void *ctx, struct err *e)
{
    struct peer_envelope v = {.more = true};
    struct peer_reply r;
    while (v.more) {
        if (!get_page(p, &r, e))
            return false;
        if (!peer_envelope_read(r.json, &v, e))
            return err_prefix(e, "GET %.*s", STR_FMT(p->url));
        if (goes_round(p, r.text))
            return err_set(e, ERR_NETWORK,
                           "GET %.*s: the server sends the same page again and does not advance: "
                           "ask its administrator",
                           STR_FMT(p->url));
        struct peer_page page = {r.text, v.first, v.count, r.last_added, v.more};
        if (!each(ctx, &page, e) || (v.more && !step(p, &v, r.last_added, e)))
            return false;
    }
    return true;
}

/* "{root}/collections/{id}/objects/" of that or of the collection's own URL; or its manifest's. */
static void put_list_url(struct buf *b, struct str url, bool manifest)
{
    struct str objects = STR("/objects/");
    buf_str(b, url);
    if (!str_ends(url, STR("/")))
        buf_byte(b, '/');
    if (str_ends(buf_view(b), objects))
        b->n -= objects.n - 1;
    buf_str(b, manifest ? STR("manifest/") : STR("objects/"));
}

static void put_objects_url(struct buf *b, struct str url)
{
    put_list_url(b, url, false);
}

bool peer_client_pull(struct peer_client *c, const struct peer_pull *what, peer_page_fn *each,
                      void *ctx, struct err *e)
{
    struct pull p = {.c = c,
                     .type = what->type,
                     .ids = what->ids,
                     .wait_s = what->wait_s,
                     .limit = LIMIT_PEER_PAGE_OBJECTS};
    struct buf url;
    buf_init(&url, LIMIT_PEER_URL_BYTES + 16);
    buf_init(&p.after, 0);
    buf_init(&p.next, 0);
    buf_init(&p.query, 0);
    put_list_url(&url, what->collection_url, what->manifest);
    buf_str(&p.after, what->added_after);
    p.url = buf_view(&url);
    bool ok = buf_ok(&url, e) && buf_ok(&p.after, e) && pull_pages(&p, each, ctx, e);
    buf_done(&url);
    buf_done(&p.after);
    buf_done(&p.next);
    buf_done(&p.query);
    return ok;
}

bool peer_client_waits(struct peer_client *c)
{
    const struct json *v = NULL;
    struct str text;
    struct err ignored;
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool is = a && peer_fetch(c, a, STR("/.well-known/setu"), NULL, &text, &ignored) &&
              json_parse(c->reader, a, text, true, &v, &ignored) &&
              json_get_str(json_get(v, STR("ledger")), STR("key")).n > 0;
    arena_free(a);
    return is;
}

/* ---- posting ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* TAXII 2.1 §4.3: {root}/status/{id}/ until it is complete. What is still pending after
 * LIMIT_PEER_STATUS_S is no error: the server has the objects. */
static bool wait_complete(struct peer_client *c, struct str objects_url, struct peer_status *status,
                          struct buf *failure, struct err *e)
{
    struct peer_reply r;
    struct buf url;
    uint64_t pause_ms = 200, left_ms = UINT64_C(1000) * LIMIT_PEER_STATUS_S;
    size_t root = objects_url.n;
    while (root > 0 && !str_starts(str_from(objects_url, root), STR("collections/")))
        root--;
    buf_init(&url, LIMIT_PEER_URL_BYTES + 256);
    buf_str(&url, str_slice(objects_url, 0, root));
    buf_lit(&url, "status/");
    buf_str(&url, status->id);
    buf_byte(&url, '/');
    bool ok = buf_ok(&url, e);
    while (ok && !status->complete && left_ms > 0) {
        pause_ms = least(pause_ms, left_ms);
        ok = peer_wait(c, (int64_t)pause_ms, e) && peer_http(c, buf_view(&url), NULL, &r, e) &&
             peer_status_read(r.json, status, e);
        left_ms -= pause_ms;
        pause_ms = least(pause_ms * 2, 5000);
    }
    if (ok && failure)
        buf_printable(failure, status->first_failure, 300);
    buf_done(&url);
    return ok;
}

bool peer_client_post(struct peer_client *c, struct str collection_url, struct str envelope,
                      struct peer_posted *out, struct err *e)
{
    struct peer_status status = {0};
    struct peer_reply r;
    struct buf url;
    buf_init(&url, LIMIT_PEER_URL_BYTES + 16);
    put_objects_url(&url, collection_url);
    bool ok = buf_ok(&url, e) && peer_http(c, buf_view(&url), &envelope, &r, e) &&
              peer_status_read(r.json, &status, e);
    if (ok && !status.complete && !status.id.n)
        ok = odd(e, "status resource (objects are pending but it has no id)");
    ok = ok && wait_complete(c, buf_view(&url), &status, out->first_failure, e);
    if (ok) {
        out->success = status.success;
        out->failure = status.failure;
        out->pending = status.pending;
    }
    buf_done(&url);
    return ok;
}
