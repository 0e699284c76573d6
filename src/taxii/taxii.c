/* Routing, and the resources that describe the server: discovery, API root, collections, status. */
#include <stdio.h>
#include <string.h>

#include "taxii/taxii_priv.h"

static void reply_error(struct http_request *r, enum err_code code, const char *why)
{
    struct err e;
    err_set(&e, code, "%s", why);
    http_reply_err(r, &e);
}

/* ---- resources ---- */

static void discovery_get(struct http_request *r)
{
    const struct exchange_config *c = exchange_config(http_exchange(r));
    struct str url = c->public_url;
    struct buf b;
    if (str_ends(url, STR("/")))
        url.n--;
    struct str root = arena_printf(http_arena(r), "%.*s/%.*s/", STR_FMT(url), STR_FMT(c->api_root));
    buf_init(&b, 0);
    buf_byte(&b, '{');
    json_put_member(&b, "title", c->name);
    json_put_member(&b, "description", STR("Setu, an exchange of cyber threat intelligence"));
    json_put_member(&b, "default", root);
    json_put_name(&b, "api_roots");
    buf_byte(&b, '[');
    json_put_string(&b, root);
    buf_byte(&b, ']');
    if (http_principal(r)->identity.n)
        json_put_member(&b, "x_setu_identity", http_principal(r)->identity);
    buf_byte(&b, '}');
    http_reply(r, 200, HTTP_TAXII_TYPE, &b);
}

static void root_get(struct http_request *r)
{
    const struct exchange_config *c = exchange_config(http_exchange(r));
    struct buf b;
    buf_init(&b, 0);
    buf_byte(&b, '{');
    json_put_member(&b, "title", c->name);
    json_put_name(&b, "versions");
    buf_lit(&b, "[\"" HTTP_TAXII_TYPE "\"]");
    json_put_member_u64(&b, "max_content_length", c->max_body_bytes);
    buf_byte(&b, '}');
    http_reply(r, 200, HTTP_TAXII_TYPE, &b);
}

/* §5.2.1; can_read and can_write are those of the asking user. */
static void put_collection(struct http_request *r, struct buf *b,
                           const struct exchange_collection *c)
{
    enum exchange_role role = http_principal(r)->role;
    char marking[32];
    snprintf(marking, sizeof marking, "tlp:%s", stix_tlp_name(c->marking));
    buf_byte(b, '{');
    json_put_member(b, "id", c->uuid);
    json_put_member(b, "title", c->title);
    if (c->description.n)
        json_put_member(b, "description", c->description);
    if (c->alias.n)
        json_put_member(b, "alias", c->alias);
    json_put_name(b, "can_read");
    buf_lit(b, exchange_role_reads(role) ? "true" : "false");
    json_put_name(b, "can_write");
    buf_lit(b, exchange_role_writes(role) ? "true" : "false");
    json_put_name(b, "media_types");
    buf_lit(b, "[\"" TAXII_STIX_TYPE "\"]");
    json_put_member(b, "x_setu_default_marking", str_of(marking));
    buf_byte(b, '}');
}

static void collections_get(struct http_request *r)
{
    struct exchange_collection *list;
    size_t n;
    struct err e = {0};
    struct buf b;
    if (!exchange_collections(http_session(r), http_arena(r), &list, &n, &e)) {
        http_reply_err(r, &e);
        return;
    }
    buf_init(&b, 0);
    buf_byte(&b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i == 0) {
            json_put_name(&b, "collections");
            buf_byte(&b, '[');
        } else {
            buf_byte(&b, ',');
        }
        put_collection(r, &b, &list[i]);
    }
    buf_lit(&b, n ? "]}" : "}");
    http_reply(r, 200, HTTP_TAXII_TYPE, &b);
}

bool taxii_collection(struct http_request *r, struct exchange_collection *out, struct err *e)
{
    return exchange_collection_find(http_session(r), http_arena(r), http_segment(r, 2), false, out,
                                    e);
}

static void collection_get(struct http_request *r, const struct exchange_collection *c)
{
    struct buf b;
    buf_init(&b, 0);
    put_collection(r, &b, c);
    http_reply(r, 200, HTTP_TAXII_TYPE, &b);
}

static void status_get(struct http_request *r)
{
    struct buf b;
    struct err e = {0};
    buf_init(&b, 0);
    if (exchange_status(http_session(r), http_principal(r), http_segment(r, 2), &b, &e)) {
        http_reply(r, 200, HTTP_TAXII_TYPE, &b);
        return;
    }
    buf_done(&b);
    http_reply_err(r, &e);
}

/* ---- routing ---- */

/* Is the method among those allowed here? Answers 405 if not. */
static bool allow(struct http_request *r, enum http_method a, enum http_method b, const char *names)
{
    if (http_method(r) == a || http_method(r) == b)
        return true;
    http_reply_header(r, "Allow", str_of(names));
    reply_error(r, ERR_METHOD, names);
    return false;
}

/* §5.5: who may add, and in what form; before any of the body is looked at. */
static void post_start(struct http_request *r)
{
    const struct principal *who = http_principal(r);
    if (!exchange_role_writes(who->role))
        reply_error(r, exchange_role_reads(who->role) ? ERR_FORBIDDEN : ERR_NOT_FOUND,
                    exchange_role_reads(who->role) ? "you may not add objects here"
                                                   : "no such collection");
    else if (!taxii_content_ok(http_header(r, "Content-Type")))
        reply_error(r, ERR_MEDIA_TYPE, "send Content-Type: " HTTP_TAXII_TYPE);
    else
        http_work(r, taxii_objects_post);
}

/* §5.7: by (can_read, can_write): neither 404, one of them 403. */
static void delete_start(struct http_request *r)
{
    enum exchange_role role = http_principal(r)->role;
    bool reads = exchange_role_reads(role), writes = exchange_role_writes(role);
    if (reads && writes)
        http_work(r, taxii_object_delete);
    else
        reply_error(r, reads || writes ? ERR_FORBIDDEN : ERR_NOT_FOUND,
                    reads || writes ? "you may not delete objects here" : "no such collection");
}

static void objects_route(struct http_request *r, const struct exchange_collection *c)
{
    struct str id = http_segment(r, 4), what = http_segment(r, 5);
    size_t n = http_segment_count(r);
    if (n == 4) {
        if (!allow(r, HTTP_GET, HTTP_POST, "GET, HEAD, POST"))
            return;
        if (http_method(r) == HTTP_POST)
            post_start(r);
        else
            taxii_objects_get(r, c);
    } else if (n == 5) {
        if (!allow(r, HTTP_GET, HTTP_DELETE, "GET, HEAD, DELETE"))
            return;
        if (http_method(r) == HTTP_DELETE)
            delete_start(r);
        else
            taxii_object_get(r, c, id);
    } else if (n == 6 && str_eq(what, STR("versions"))) {
        if (allow(r, HTTP_GET, HTTP_GET, "GET, HEAD"))
            taxii_versions_get(r, c, id);
    } else {
        reply_error(r, ERR_NOT_FOUND, "no such resource");
    }
}

static void collections_route(struct http_request *r)
{
    struct exchange_collection c;
    struct err e = {0};
    struct str what = http_segment(r, 3);
    size_t n = http_segment_count(r);
    if (n == 2) {
        if (allow(r, HTTP_GET, HTTP_GET, "GET, HEAD"))
            collections_get(r);
    } else if (!taxii_collection(r, &c, &e)) {
        http_reply_err(r, &e);
    } else if (n == 3) {
        if (allow(r, HTTP_GET, HTTP_GET, "GET, HEAD"))
            collection_get(r, &c);
    } else if (n == 4 && str_eq(what, STR("manifest"))) {
        if (allow(r, HTTP_GET, HTTP_GET, "GET, HEAD"))
            taxii_manifest_get(r, &c);
    } else if (str_eq(what, STR("objects"))) {
        objects_route(r, &c);
    } else {
        reply_error(r, ERR_NOT_FOUND, "no such resource");
    }
}

static void api_root_route(struct http_request *r)
{
    struct str what = http_segment(r, 1);
    size_t n = http_segment_count(r);
    if (n == 1) {
        if (allow(r, HTTP_GET, HTTP_GET, "GET, HEAD"))
            root_get(r);
    } else if (n == 3 && str_eq(what, STR("status"))) {
        if (allow(r, HTTP_GET, HTTP_GET, "GET, HEAD"))
            status_get(r);
    } else if (str_eq(what, STR("collections"))) {
        collections_route(r);
    } else {
        reply_error(r, ERR_NOT_FOUND, "no such resource");
    }
}

void taxii_route(struct http_request *r)
{
    struct str first = http_segment(r, 0);
    const struct exchange_config *c = exchange_config(http_exchange(r));
    if (!taxii_accepts(http_header(r, "Accept"))) {
        reply_error(r, ERR_NOT_ACCEPTABLE, "this server answers " HTTP_TAXII_TYPE);
    } else if (str_eq(first, STR("taxii2")) && http_segment_count(r) == 1) {
        if (allow(r, HTTP_GET, HTTP_GET, "GET, HEAD"))
            discovery_get(r);
    } else if (str_eq(first, c->api_root)) {
        api_root_route(r);
    } else {
        reply_error(r, ERR_NOT_FOUND, "no such resource");
    }
}
