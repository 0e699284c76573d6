/* Pages of objects, manifest records and versions. Bytes of objects are copied, never parsed. */
#include <string.h>

#include "taxii/taxii_priv.h"

/* A page that is being written. */
struct page {
    struct http_request *r;
    struct buf body;
    const char *list; /* "objects" or "versions" */
    void (*put)(struct buf *b, const struct store_row *row);
    int64_t first, last;
    int64_t upto; /* where the reading ended early, or INT64_MIN */
    size_t count;
};

struct str taxii_version(const struct store_object *o, char out[INSTANT_TEXT_BYTES])
{
    return o->has_version ? o->version : instant_text(instant_of_us(o->received_us), 6, out);
}

static void put_object(struct buf *b, const struct store_row *row)
{
    buf_str(b, row->object->bytes);
}

static void put_manifest(struct buf *b, const struct store_row *row)
{
    char when[INSTANT_TEXT_BYTES], version[INSTANT_TEXT_BYTES];
    buf_byte(b, '{');
    json_put_member(b, "id", row->object->id);
    json_put_member(b, "date_added", instant_text(instant_of_us(row->date_added), 6, when));
    json_put_member(b, "version", taxii_version(row->object, version));
    json_put_member(b, "media_type", STR(TAXII_STIX_TYPE));
    buf_byte(b, '}');
}

static void put_version(struct buf *b, const struct store_row *row)
{
    char version[INSTANT_TEXT_BYTES];
    json_put_string(b, taxii_version(row->object, version));
}

static bool add_row(void *ctx, const struct store_row *row)
{
    struct page *p = ctx;
    if (p->count++ == 0) {
        json_put_name(&p->body, p->list);
        buf_byte(&p->body, '[');
        p->first = row->date_added;
    } else {
        buf_byte(&p->body, ',');
    }
    p->last = row->date_added;
    p->put(&p->body, row);
    return !p->body.failed;
}

/* §3.2: date_added of the page's first and last item; an empty page has neither. */
static void put_dates(struct page *p)
{
    char text[INSTANT_TEXT_BYTES];
    if (p->count == 0)
        return;
    http_reply_header(p->r, "X-TAXII-Date-Added-First",
                      instant_text(instant_of_us(p->first), 6, text));
    http_reply_header(p->r, "X-TAXII-Date-Added-Last",
                      instant_text(instant_of_us(p->last), 6, text));
}

static void answer(struct page *p, struct taxii_filter *f)
{
    struct exchange_query *q = &f->q;
    struct err e = {0};
    bool more = false;
    p->upto = INT64_MIN;
    q->skip_limit = LIMIT_TAXII_PAGE_SKIPPED;
    q->upto_us = &p->upto;
    buf_init(&p->body, 0);
    buf_byte(&p->body, '{');
    if (!f->nothing &&
        !exchange_read(http_session(p->r), http_principal(p->r), q, add_row, p, &more, &e)) {
        buf_done(&p->body);
        http_reply_err(p->r, &e);
        return;
    }
    if (p->count)
        buf_byte(&p->body, ']');
    if (more) {
        json_put_name(&p->body, "more");
        buf_lit(&p->body, "true");
        json_put_name(&p->body, "next");
        buf_byte(&p->body, '"');
        taxii_next_put(p->r, q->collection, p->upto > p->last ? p->upto : p->last, &p->body);
        buf_byte(&p->body, '"');
    }
    buf_byte(&p->body, '}');
    put_dates(p);
    http_reply(p->r, 200, HTTP_TAXII_TYPE, &p->body);
}

/* App. B: what a caller may not read does not exist for it. */
static bool readable(struct http_request *r, struct err *e)
{
    return exchange_role_reads(http_principal(r)->role) ||
           err_set(e, ERR_NOT_FOUND, "no such collection");
}

void taxii_objects_get(struct http_request *r, const struct exchange_collection *c)
{
    struct taxii_filter f;
    struct page p = {.r = r, .last = INT64_MIN, .list = "objects", .put = put_object};
    struct err e = {0};
    if (!readable(r, &e) || !taxii_filter_read(r, c, false, &f, &e)) {
        http_reply_err(r, &e);
        return;
    }
    f.q.with_bytes = true;
    answer(&p, &f);
}

void taxii_manifest_get(struct http_request *r, const struct exchange_collection *c)
{
    struct taxii_filter f;
    struct page p = {.r = r, .last = INT64_MIN, .list = "objects", .put = put_manifest};
    struct err e = {0};
    if (!readable(r, &e) || !taxii_filter_read(r, c, false, &f, &e)) {
        http_reply_err(r, &e);
        return;
    }
    answer(&p, &f);
}

/* §5.6, §5.8: 404 for an id the caller cannot see; an empty answer where only the filter hides it.
 */
static bool one_object(struct http_request *r, const struct exchange_collection *c,
                       const struct str *id, struct taxii_filter *f, struct err *e)
{
    bool sees = false;
    if (!readable(r, e) || !taxii_filter_read(r, c, true, f, e) ||
        !exchange_sees(http_session(r), http_principal(r), c, *id, &sees, e))
        return false;
    if (!sees)
        return err_set(e, ERR_NOT_FOUND, "no such object");
    f->q.ids = id;
    f->q.id_count = 1;
    return true;
}

void taxii_object_get(struct http_request *r, const struct exchange_collection *c)
{
    struct taxii_filter f;
    struct str id = http_segment(r, TAXII_ID_SEGMENT);
    struct page p = {.r = r, .last = INT64_MIN, .list = "objects", .put = put_object};
    struct err e = {0};
    if (!one_object(r, c, &id, &f, &e)) {
        http_reply_err(r, &e);
        return;
    }
    f.q.with_bytes = true;
    answer(&p, &f);
}

void taxii_versions_get(struct http_request *r, const struct exchange_collection *c)
{
    struct taxii_filter f;
    struct str id = http_segment(r, TAXII_ID_SEGMENT);
    struct page p = {.r = r, .last = INT64_MIN, .list = "versions", .put = put_version};
    struct err e = {0};
    if (!one_object(r, c, &id, &f, &e)) {
        http_reply_err(r, &e);
        return;
    }
    f.q.versions = STORE_ALL;
    f.q.version_count = 0;
    answer(&p, &f);
}
