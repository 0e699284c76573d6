/* From what the user calls a collection to its URL: discovery, API roots, collections. */
#include "peer/peer_priv.h"

/* How well `key` names a collection; the best wins, a tie of the best is no answer. */
enum match { NO_MATCH, BY_TITLE, BY_ALIAS, BY_ID };

struct search {
    struct peer_client *c;
    struct str key;
    struct peer_collection *found;
    struct arena *arena;
    enum match best;
    unsigned hits;       /* as good as the best */
    unsigned roots;      /* that answered */
    struct buf shown;    /* titles, for the message */
    struct str foreign;  /* an API root on another host, or STR_NONE */
    struct err root_err; /* of the last root that did not answer */
};

static enum match match_of(const struct json *v, struct str id, struct str key)
{
    if (key.n == 0)
        return NO_MATCH;
    if (str_eq_nocase(id, key))
        return BY_ID;
    if (str_eq(json_get_str(v, STR("alias")), key))
        return BY_ALIAS;
    return str_eq(json_get_str(v, STR("title")), key) ? BY_TITLE : NO_MATCH;
}

/* What cannot be read is taken for the strictest. */
static enum stix_tlp marking_of(const struct json *v)
{
    const struct json *m = json_get(v, STR("x_setu_default_marking"));
    enum stix_tlp tlp;
    if (!m)
        return STIX_TLP_NONE;
    return m->type == JSON_STRING && stix_tlp_parse(m->u.s, &tlp) ? tlp : STIX_TLP_RED;
}

static void note_shown(struct search *s, const struct json *v, struct str id)
{
    struct str title = json_get_str(v, STR("title"));
    if (s->shown.n > 200)
        return;
    buf_lit(&s->shown, s->shown.n ? ", \"" : "\"");
    buf_printable(&s->shown, title.n ? title : id, 60);
    buf_byte(&s->shown, '"');
}

static void look_at(struct search *s, struct str root, const struct json *v)
{
    struct str id = json_get_str(v, STR("id"));
    enum match m = match_of(v, id, s->key);
    if (!peer_url_segment_ok(id))
        return; /* TAXII 2.1 §5.2.1 wants a UUID; this one cannot stand in a path */
    note_shown(s, v, id);
    if (m == NO_MATCH || m < s->best)
        return;
    s->hits = m == s->best ? s->hits + 1 : 1;
    s->best = m;
    buf_clear(&s->found->url);
    buf_str(&s->found->url, root);
    buf_lit(&s->found->url, "collections/");
    buf_str(&s->found->url, id);
    buf_lit(&s->found->url, "/objects/");
    s->found->marking = marking_of(v);
}

/* TAXII 2.1 §5.1: the collections of an API root. */
static bool look_in_root(struct search *s, struct str root, struct err *e)
{
    struct peer_reply r;
    struct str url = arena_printf(s->arena, "%.*scollections/", STR_FMT(root));
    if (!arena_ok(s->arena, e) || !peer_http(s->c, url, NULL, &r, e))
        return false;
    const struct json *list = json_get(r.json, STR("collections"));
    s->roots++;
    if (json_is(list, JSON_ARRAY))
        for (const struct json *v = list->u.child; v; v = v->next)
            look_at(s, root, v);
    return true;
}

/* Roots may have credentials of their own (§4.2): one that refuses does not end the search. */
static bool try_root(struct search *s, struct str ref, struct err *e)
{
    struct peer_url u;
    if (!peer_url_read(s->arena, s->c->base, ref, &u, &s->root_err))
        return arena_ok(s->arena, e);
    if (!str_eq(u.origin, s->c->url.origin)) {
        s->foreign = u.text;
        return true;
    }
    if (look_in_root(s, u.text, &s->root_err) || s->root_err.code == ERR_UNAUTHORIZED ||
        s->root_err.code == ERR_FORBIDDEN || s->root_err.code == ERR_NOT_FOUND)
        return true;
    *e = s->root_err;
    return false;
}

/* TAXII 2.1 §4.1: discovery names the API roots, relative to the server or absolute. */
static bool look_in_server(struct search *s, struct err *e)
{
    struct peer_reply r;
    struct str refs[LIMIT_PEER_ROOTS];
    size_t n = 0;
    if (!peer_http(s->c, s->c->base, NULL, &r, e))
        return false;
    const struct json *list = json_get(r.json, STR("api_roots"));
    if (json_is(list, JSON_ARRAY))
        for (const struct json *v = list->u.child; v && n < LIMIT_PEER_ROOTS; v = v->next)
            if (v->type == JSON_STRING)
                refs[n++] = arena_str(s->arena, v->u.s); /* the reply ends with the next request */
    if (n == 0)
        return err_set(e, ERR_NOT_FOUND, "%.*s: the server names no API root: give the URL of one",
                       STR_FMT(s->c->base));
    for (size_t i = 0; i < n && s->best != BY_ID; i++)
        if (!try_root(s, refs[i], e))
            return false;
    return true;
}

/* The URL names a collection; `key` may be empty or must agree. */
static bool look_at_collection(struct search *s, struct err *e)
{
    struct peer_reply r;
    struct str base = s->c->base, id = str_slice(base, 0, base.n - 1);
    for (size_t i = str_find(id, '/'); i < id.n; i = str_find(id, '/'))
        id = str_from(id, i + 1);
    if (!peer_http(s->c, base, NULL, &r, e))
        return false;
    if (s->key.n && !str_eq(s->key, id) &&
        match_of(r.json, json_get_str(r.json, STR("id")), s->key) == NO_MATCH)
        return err_set(e, ERR_NOT_FOUND,
                       "%.*s: that collection is not called \"%.*s\": give the "
                       "URL of the API root, or the collection's own name",
                       STR_FMT(base), STR_FMT(s->key));
    buf_str(&s->found->url, base);
    buf_lit(&s->found->url, "objects/");
    s->found->marking = marking_of(r.json);
    return buf_ok(&s->found->url, e);
}

static bool conclude(struct search *s, struct err *e)
{
    struct str url = s->c->url.text, shown = buf_view(&s->shown);
    if (s->best != NO_MATCH && (s->hits == 1 || s->best == BY_ID))
        return buf_ok(&s->found->url, e);
    if (s->best != NO_MATCH)
        return err_set(e, ERR_CONFLICT, "%.*s: %u collections are called \"%.*s\": give an id",
                       STR_FMT(url), s->hits, STR_FMT(s->key));
    if (s->roots == 0 && s->foreign.p)
        return err_set(e, ERR_FORBIDDEN,
                       "%.*s: its API root %.*s is on another host: credentials are not sent "
                       "there; give that URL if you trust it",
                       STR_FMT(url), STR_FMT(s->foreign));
    if (s->roots == 0 && s->root_err.code != ERR_NONE) {
        *e = s->root_err;
        return false;
    }
    return err_set(e, ERR_NOT_FOUND, "%.*s: no collection \"%.*s\": the server shows %.*s",
                   STR_FMT(url), STR_FMT(s->key), STR_FMT(shown.n ? shown : STR("none")));
}

bool peer_client_collection(struct peer_client *c, struct str key, struct peer_collection *found,
                            struct err *e)
{
    struct search s = {.c = c, .key = key, .found = found};
    bool ok = false;
    buf_init(&found->url, LIMIT_PEER_URL_BYTES);
    found->marking = STIX_TLP_NONE;
    s.arena = arena_new(1u << 20);
    if (!s.arena)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&s.shown, 0);
    switch (c->kind) {
    case PEER_URL_COLLECTION:
        ok = look_at_collection(&s, e);
        break;
    case PEER_URL_ROOT:
        ok = look_in_root(&s, c->base, e) && conclude(&s, e);
        break;
    case PEER_URL_SERVER:
        ok = look_in_server(&s, e) && conclude(&s, e);
        break;
    }
    buf_done(&s.shown);
    arena_free(s.arena);
    return ok;
}

bool peer_client_identity(struct peer_client *c, struct buf *id, struct err *e)
{
    struct peer_url u;
    struct peer_reply r;
    struct str type, given;
    struct err ignored;
    struct arena *a = arena_new(64u << 10);
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool server = c->kind == PEER_URL_SERVER;
    bool ok = peer_url_read(a, c->base, server ? c->base : STR("/taxii2/"), &u, e);
    ok = ok && peer_http(c, u.text, NULL, &r, e);
    arena_free(a);
    if (!ok) /* an API root may stand without discovery */
        return e->code == ERR_NOT_FOUND && !server;
    given = json_get_str(r.json, STR("x_setu_identity"));
    if (given.n && stix_id_parse(given, &type, &ignored) && str_eq(type, STR("identity")))
        buf_str(id, given);
    return buf_ok(id, e);
}
