/* Routing, and the resources that describe the server: discovery, API root, collections, status. */
#include <stdio.h>
#include <string.h>

#include "taxii/taxii_priv.h"

/* ---- resources ---- */

static void discovery_get(struct http_request *r, const struct exchange_collection *none)
{
    const struct exchange_config *c = exchange_config(http_exchange(r));
    struct str url = c->public_url;
    struct buf b;
    (void)none;
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

static void root_get(struct http_request *r, const struct exchange_collection *none)
{
    const struct exchange_config *c = exchange_config(http_exchange(r));
    struct buf b;
    (void)none;
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

static void collections_get(struct http_request *r, const struct exchange_collection *none)
{
    struct exchange_collection *list;
    size_t n;
    struct err e = {0};
    struct buf b;
    (void)none;
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

static void collection_get(struct http_request *r, const struct exchange_collection *c)
{
    struct buf b;
    buf_init(&b, 0);
    put_collection(r, &b, c);
    http_reply(r, 200, HTTP_TAXII_TYPE, &b);
}

static void status_get(struct http_request *r, const struct exchange_collection *none)
{
    struct buf b;
    struct err e = {0};
    (void)none;
    buf_init(&b, 0);
    if (exchange_status(http_session(r), http_principal(r), http_segment(r, 2), &b, &e)) {
        http_reply(r, 200, HTTP_TAXII_TYPE, &b);
        return;
    }
    buf_done(&b);
    http_reply_err(r, &e);
}

/* ---- what may be asked ---- */

/* §5.5: who may add, and in what form. */
static bool may_post(struct http_request *r, struct err *e)
{
    enum exchange_role role = http_principal(r)->role;
    if (!exchange_role_writes(role))
        return exchange_role_reads(role) ? err_set(e, ERR_FORBIDDEN, "you may not add objects here")
                                         : err_set(e, ERR_NOT_FOUND, "no such collection");
    return taxii_content_ok(http_header(r, "Content-Type")) ||
           err_set(e, ERR_MEDIA_TYPE, "send Content-Type: " HTTP_TAXII_TYPE);
}

/* §5.7: by (can_read, can_write): neither 404, one of them 403. Both: it is served, and what
 * exchange_withdraw knows of a role and an object may still be 403. A sensor is such a role: it has
 * can_write because it adds sightings, and it takes nothing back. */
static bool may_delete(struct http_request *r, struct err *e)
{
    enum exchange_role role = http_principal(r)->role;
    bool reads = exchange_role_reads(role), writes = exchange_role_writes(role);
    if (reads && writes)
        return true;
    return reads || writes ? err_set(e, ERR_FORBIDDEN, "you may not delete objects here")
                           : err_set(e, ERR_NOT_FOUND, "no such collection");
}

/* GET, and at most one other method, which works on a worker's thread. */
struct resource {
    const char *name, *allow;
    void (*get)(struct http_request *r, const struct exchange_collection *c);
    bool has_other;
    enum http_method other;
    bool (*may)(struct http_request *r, struct err *e);
    http_route_fn *work;
};

#define READ_ONLY(what, fn)                                                                        \
    {                                                                                              \
        .name = what, .allow = "GET, HEAD", .get = fn                                              \
    }
static const struct resource discovery = READ_ONLY("discovery", discovery_get),
                             root = READ_ONLY("api-root", root_get),
                             status = READ_ONLY("status", status_get),
                             collections = READ_ONLY("collections", collections_get),
                             collection = READ_ONLY("collection", collection_get),
                             manifest = READ_ONLY("manifest", taxii_manifest_get),
                             versions = READ_ONLY("versions", taxii_versions_get);
static const struct resource objects = {"objects", "GET, HEAD, POST", taxii_objects_get, true,
                                        HTTP_POST, may_post,          taxii_objects_post};
static const struct resource object = {"object",    "GET, HEAD, DELETE", taxii_object_get,   true,
                                       HTTP_DELETE, may_delete,          taxii_object_delete};

/* What a request is for. */
struct target {
    const struct resource *resource;
    struct exchange_collection collection;
    bool working; /* a GET, on a worker's thread */
    void *kept;   /* … and what it keeps while it waits */
};

static const struct resource *in_collection(const struct http_request *r)
{
    struct str what = http_segment(r, 3);
    size_t n = http_segment_count(r);
    if (n == 3)
        return &collection;
    if (n == 4 && str_eq(what, STR("manifest")))
        return &manifest;
    if (!str_eq(what, STR("objects")))
        return NULL;
    if (n == 6)
        return str_eq(http_segment(r, 5), STR("versions")) ? &versions : NULL;
    return n == 4 ? &objects : n == 5 ? &object : NULL;
}

/* The resource that a path names, or NULL; *of_collection: if its collection is there. */
static const struct resource *find(const struct http_request *r, bool *of_collection)
{
    struct str first = http_segment(r, 0), what = http_segment(r, 1);
    size_t n = http_segment_count(r);
    *of_collection = false;
    if (str_eq(first, STR("taxii2")))
        return n == 1 ? &discovery : NULL;
    if (!str_eq(first, exchange_config(http_exchange(r))->api_root))
        return NULL;
    if (n == 1)
        return &root;
    if (str_eq(what, STR("status")))
        return n == 3 ? &status : NULL;
    if (!str_eq(what, STR("collections")))
        return NULL;
    if (n == 2)
        return &collections;
    *of_collection = true;
    return in_collection(r);
}

/* App. B: one answer for a collection that is not there and one that is another's. */
static bool find_collection(struct http_request *r, struct exchange_collection *out, struct err *e)
{
    if (exchange_collection_find(http_session(r), http_arena(r), http_segment(r, 2), false, out, e))
        return true;
    return e->code == ERR_NOT_FOUND ? err_set(e, ERR_NOT_FOUND, "no such collection") : false;
}

bool taxii_admit(struct http_request *r, struct err *e)
{
    bool of_collection;
    struct target *t = arena_calloc(http_arena(r), 1, sizeof *t);
    if (!t)
        return arena_ok(http_arena(r), e);
    if (!taxii_accepts(http_header(r, "Accept")))
        return err_set(e, ERR_NOT_ACCEPTABLE, "this server answers " HTTP_TAXII_TYPE);
    t->resource = find(r, &of_collection);
    if (of_collection && !find_collection(r, &t->collection, e))
        return false;
    if (!t->resource)
        return err_set(e, ERR_NOT_FOUND, "no such resource");
    http_keep(r, t);
    http_note_route(r, t->resource->name);
    if (http_method(r) == HTTP_GET)
        return true;
    if (t->resource->has_other && http_method(r) == t->resource->other)
        return t->resource->may(r, e);
    http_reply_header(r, "Allow", str_of(t->resource->allow));
    return err_set(e, ERR_METHOD, "%s", t->resource->allow);
}

void taxii_route(struct http_request *r)
{
    const struct target *t = http_kept(r);
    if (http_method(r) == HTTP_GET)
        t->resource->get(r, &t->collection);
    else
        http_work(r, t->resource->work);
}

static void get_again(struct http_request *r)
{
    const struct target *t = http_kept(r);
    t->resource->get(r, &t->collection);
}

bool taxii_work(struct http_request *r)
{
    struct target *t = http_kept(r);
    if (t->working)
        return false;
    t->working = true;
    http_work(r, get_again);
    return true;
}

void *taxii_kept(const struct http_request *r)
{
    const struct target *t = http_kept(r);
    return t->kept;
}

void taxii_keep(struct http_request *r, void *kept)
{
    struct target *t = http_kept(r);
    t->kept = kept;
}

const struct exchange_collection *taxii_collection(const struct http_request *r)
{
    const struct target *t = http_kept(r);
    return &t->collection;
}
