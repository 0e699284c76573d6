/* Pages of objects, manifest records and versions. Bytes of objects are copied, never parsed; whole
 * pages are given out again as long as they are right, and not sent to who has them. */
#include <string.h>

#include "taxii/taxii_priv.h"

/* What a page is written for. */
struct page {
    struct http_request *r;
    const struct exchange_collection *collection;
    const struct str *id; /* of one object; else NULL */
    struct exchange_paging how;
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

static void begin_row(struct buf *b, size_t i, const char *list)
{
    if (i) {
        buf_byte(b, ',');
        return;
    }
    buf_byte(b, '{');
    json_put_name(b, list);
    buf_byte(b, '[');
}

static void object_row(struct buf *b, size_t i, const struct store_row *row)
{
    begin_row(b, i, "objects");
    put_object(b, row);
}

static void manifest_row(struct buf *b, size_t i, const struct store_row *row)
{
    begin_row(b, i, "objects");
    put_manifest(b, row);
}

static void version_row(struct buf *b, size_t i, const struct store_row *row)
{
    begin_row(b, i, "versions");
    put_version(b, row);
}

static void end_page(void *ctx, struct buf *b, size_t count, bool more, int64_t upto_us)
{
    const struct page *p = ctx;
    buf_byte(b, count ? ']' : '{');
    if (more) {
        json_put_name(b, "more");
        buf_lit(b, "true");
        json_put_name(b, "next");
        buf_byte(b, '"');
        taxii_next_put(p->r, p->collection, upto_us, b);
        buf_byte(b, '"');
    }
    buf_byte(b, '}');
}

/* §3.2: date_added of the page's first and last item; an empty page has neither. */
static void put_dates(struct http_request *r, const struct exchange_page *p)
{
    char text[INSTANT_TEXT_BYTES];
    if (p->count == 0)
        return;
    http_reply_header(r, "X-TAXII-Date-Added-First",
                      instant_text(instant_of_us(p->first_us), 6, text));
    http_reply_header(r, "X-TAXII-Date-Added-Last",
                      instant_text(instant_of_us(p->last_us), 6, text));
}

/* Compared with what the client has (RFC 9110 §13.1.2); its own cache asks each time, others keep
 * nothing. */
static bool put_tag(struct http_request *r, const struct exchange_page *p, enum http_coding coding)
{
    char text[sizeof p->tag + 16];
    struct str name = http_coding_name(coding), tag = {text, 0};
    size_t n = strlen(p->tag);
    must(name.n < 12);
    text[tag.n++] = '"';
    memcpy(text + tag.n, p->tag, n);
    tag.n += n;
    if (coding) {
        text[tag.n++] = '-';
        memcpy(text + tag.n, name.p, name.n);
        tag.n += name.n;
    }
    text[tag.n++] = '"';
    http_reply_header(r, "ETag", tag);
    http_reply_header(r, "Vary", STR("Accept-Encoding"));
    http_reply_header(r, "Cache-Control", STR("private, no-cache"));
    return taxii_tag_matches(http_header(r, "If-None-Match"), tag);
}

static void keep_nothing(void *ctx)
{
    (void)ctx; /* a constant */
}

_Static_assert(HTTP_ZSTD < EXCHANGE_PAGE_FORMS && (int)HTTP_IDENTITY == EXCHANGE_PAGE_PLAIN,
               "a coding is a form of a page");
_Static_assert(LIMIT_TAXII_CODED_MOST_BYTES < LIMIT_EXCHANGE_PAGE_BYTES, "what is coded is kept");

static bool code_page(unsigned form, struct str plain, struct buf *out)
{
    return http_code((enum http_coding)form, plain, out);
}

static void drop_page(void *ctx)
{
    exchange_page_drop(ctx);
}

/* Sends a page, which is the request's from here on. */
static void send_page(struct http_request *r, struct exchange_page *p, enum http_coding coding)
{
    struct err e = {0};
    struct str bytes;
    struct buf none;
    if (put_tag(r, p, coding)) {
        buf_init(&none, 0);
        exchange_page_drop(p);
        http_reply(r, 304, HTTP_TAXII_TYPE, &none);
        return;
    }
    if (!exchange_page_give(http_session(r), http_principal(r), p, coding, &bytes, &e)) {
        exchange_page_drop(p);
        http_reply_err(r, &e);
        return;
    }
    put_dates(r, p);
    http_note_objects(r, p->count);
    if (coding)
        http_reply_header(r, "Content-Encoding", http_coding_name(coding));
    http_reply_shared(r, 200, HTTP_TAXII_TYPE, bytes, drop_page, p);
}

/* Sends a page in the coding that the client likes, which is made where it is not there yet. */
static void answer_page(struct http_request *r, struct exchange_page *page)
{
    struct err e = {0};
    enum http_coding coding = http_coding_choose(http_header(r, "Accept-Encoding"));
    if (page->body_bytes < LIMIT_TAXII_CODED_BYTES ||
        page->body_bytes > LIMIT_TAXII_CODED_MOST_BYTES)
        coding = HTTP_IDENTITY;
    if (coding && !exchange_page_has(page, coding)) {
        /* It takes a while, so it is done apart from what serves connections. */
        if (taxii_work(r)) {
            exchange_page_drop(page);
            return;
        }
        if (!exchange_page_code(page, coding, code_page, &e))
            coding = HTTP_IDENTITY;
    }
    send_page(r, page, coding);
}

/* ---- waiting: objects/?wait=N, manifest/?wait=N ---- */

struct waiting {
    struct exchange_watch watch;
    struct page page;
    struct exchange_query q;
    int64_t deadline_us;
};

static void wake(void *ctx)
{
    http_wake(ctx);
}

static void go_on(struct http_request *r, bool over);

/* Looks, and waits where there is nothing; `over`: answers whatever there is. A watch stands before
 * each look, so what comes between the look and the waiting wakes it. */
static void look(struct http_request *r, struct waiting *w, bool over)
{
    struct err e = {0};
    struct exchange_page *page = NULL;
    struct exchange_session *s = http_session(r);
    bool ok = s || err_set(&e, ERR_MEMORY, "out of memory");
    ok = ok && (over || exchange_watch(s, http_principal(r), w->page.collection, &w->watch, &e)) &&
         exchange_page_read(s, http_principal(r), &w->q, &w->page.how, &page, &e);
    if (ok && page->count == 0 && !page->more && !over) {
        exchange_page_drop(page);
        http_park(r, w->deadline_us, go_on);
        return;
    }
    exchange_unwatch(http_exchange(r), &w->watch);
    if (ok)
        answer_page(r, page);
    else
        http_reply_err(r, &e);
}

static void go_on(struct http_request *r, bool over)
{
    struct waiting *w = taxii_kept(r);
    struct err e = {0};
    exchange_unwatch(http_exchange(r), &w->watch);
    /* Who was revoked meanwhile is given nothing more. */
    if (http_session(r) && !exchange_login_holds(http_session(r), http_principal(r), &e))
        http_reply_err(r, &e);
    else
        look(r, w, over);
}

static void wait_for_objects(struct page *p, const struct taxii_filter *f)
{
    struct http_request *r = p->r;
    struct err e = {0};
    struct waiting *w = arena_calloc(http_arena(r), 1, sizeof *w);
    if (!w) {
        err_set(&e, ERR_MEMORY, "out of memory");
        http_reply_err(r, &e);
        return;
    }
    *w = (struct waiting){.watch = {.wake = wake, .ctx = r},
                          .page = *p,
                          .q = f->q,
                          .deadline_us = monotonic_us() + (int64_t)f->wait_s * 1000000};
    w->page.how.ctx = &w->page;
    taxii_keep(r, w);
    look(r, w, false);
}

/* §5.6, §5.8: 404 for an id the caller cannot see; an empty answer where only the filter hides it.
 */
static bool may_be_empty(const struct page *p, struct err *e)
{
    bool sees = true;
    if (p->id &&
        !exchange_sees(http_session(p->r), http_principal(p->r), p->collection, *p->id, &sees, e))
        return false;
    return sees || err_set(e, ERR_NOT_FOUND, "no such object");
}

static void answer(struct page *p, struct taxii_filter *f)
{
    static const struct str nothing = {"{}", 2};
    struct err e = {0};
    struct exchange_page *page;
    struct http_request *r = p->r;
    if (f->nothing) {
        if (!may_be_empty(p, &e)) {
            http_reply_err(r, &e);
            return;
        }
        http_reply_shared(r, 200, HTTP_TAXII_TYPE, nothing, keep_nothing, NULL);
        return;
    }
    if (f->q.id_count > LIMIT_TAXII_LOOP_IDS && taxii_work(r))
        return;
    p->how.ctx = p;
    p->how.end = end_page;
    f->q.skip_limit = LIMIT_TAXII_PAGE_SKIPPED;
    if (f->wait_s && !taxii_kept(r))
        wait_for_objects(p, f);
    else if (!exchange_page_read(http_session(r), http_principal(r), &f->q, &p->how, &page, &e))
        http_reply_err(r, &e);
    else if (page->count || may_be_empty(p, &e))
        answer_page(r, page);
    else {
        exchange_page_drop(page);
        http_reply_err(r, &e);
    }
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
    struct page p = {.r = r, .collection = c, .how = {.kind = 'o', .row = object_row}};
    struct err e = {0};
    if (!readable(r, &e) || !taxii_filter_read(r, c, false, &f, &e)) {
        http_reply_err(r, &e);
        return;
    }
    f.q.with_bytes = f.q.bytes_only = true;
    answer(&p, &f);
}

void taxii_manifest_get(struct http_request *r, const struct exchange_collection *c)
{
    struct taxii_filter f;
    struct page p = {.r = r, .collection = c, .how = {.kind = 'm', .row = manifest_row}};
    struct err e = {0};
    if (!readable(r, &e) || !taxii_filter_read(r, c, false, &f, &e)) {
        http_reply_err(r, &e);
        return;
    }
    answer(&p, &f);
}

/* What is asked of one object. */
static bool one_object(struct page *p, const struct str *id, struct taxii_filter *f, struct err *e)
{
    if (!readable(p->r, e) || !taxii_filter_read(p->r, p->collection, true, f, e))
        return false;
    p->id = id;
    f->q.ids = id;
    f->q.id_count = 1;
    return true;
}

void taxii_object_get(struct http_request *r, const struct exchange_collection *c)
{
    struct taxii_filter f;
    struct str id = http_segment(r, TAXII_ID_SEGMENT);
    struct page p = {.r = r, .collection = c, .how = {.kind = 'o', .row = object_row}};
    struct err e = {0};
    if (!one_object(&p, &id, &f, &e)) {
        http_reply_err(r, &e);
        return;
    }
    f.q.with_bytes = f.q.bytes_only = true;
    answer(&p, &f);
}

void taxii_versions_get(struct http_request *r, const struct exchange_collection *c)
{
    struct taxii_filter f;
    struct str id = http_segment(r, TAXII_ID_SEGMENT);
    struct page p = {.r = r, .collection = c, .how = {.kind = 'v', .row = version_row}};
    struct err e = {0};
    if (!one_object(&p, &id, &f, &e)) {
        http_reply_err(r, &e);
        return;
    }
    f.q.versions = STORE_ALL;
    f.q.version_count = 0;
    answer(&p, &f);
}
