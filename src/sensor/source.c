/* Where indicators are kept: text, files, a node's directory, a server's collection. */
#include <string.h>

#include "sensor/sensor_priv.h"

bool sensor_is_url(struct str where)
{
    return str_starts(where, STR("https://")) || str_starts(where, STR("http://"));
}

/* ---- text -------------------------------------------------------------------------------- */

/* An object, or an array of objects; a list may start with [2001:db8::1]. */
static bool looks_like_json(struct str text)
{
    text = str_trim(text);
    if (!str_starts(text, STR("[")))
        return str_starts(text, STR("{"));
    text = str_trim(str_from(text, 1));
    return str_starts(text, STR("{")) || str_starts(text, STR("]"));
}

bool sensor_take_siblings(struct sensor_indicators *s, const struct sensor_origin *from,
                          const struct json *first, size_t count, struct err *e)
{
    for (const struct json *v = first; v && count; v = v->next, count--)
        if (!sensor_take(s, from, v, e))
            return false;
    return true;
}

static bool take_document(struct sensor_indicators *s, const struct sensor_origin *from,
                          const struct json *doc, struct err *e)
{
    enum stix_container kind;
    const struct json *first;
    size_t count;
    return stix_container_open(doc, &kind, &first, &count, e) &&
           sensor_take_siblings(s, from, first, count, e);
}

/* JSON lines, the first of which is read already. A bad line is noted, the others count. */
static bool take_lines(struct sensor_indicators *s, struct sensor_origin *from,
                       const struct json *doc, struct str rest, struct err *e)
{
    for (;;) {
        struct err why = {0};
        e->code = ERR_NONE;
        if (doc && !take_document(s, from, doc, e)) {
            if (e->code == ERR_MEMORY || e->code == ERR_LIMIT)
                return false;
            sensor_note_unusable(s, from, STR_NONE, str_of(e->msg));
        }
        if (!rest.p)
            return true;
        struct str line = str_trim(str_cut(&rest, '\n'));
        from->line++;
        doc = NULL;
        arena_reset(s->scratch);
        if (line.n && !json_parse(s->reader, s->scratch, line, false, &doc, &why)) {
            doc = NULL;
            sensor_note_unusable(s, from, STR_NONE, str_of(why.msg));
        }
    }
}

static bool take_json(struct sensor_indicators *s, struct str source, struct str text,
                      struct err *e)
{
    struct sensor_origin from = {.source = source};
    const struct json *doc = NULL;
    struct str rest = text, line = str_cut(&rest, '\n');
    struct err why;
    size_t n = 1;
    while (rest.p && str_trim(line).n == 0) {
        line = str_cut(&rest, '\n');
        n++;
    }
    arena_reset(s->scratch);
    /* A first line that stands for itself, with more behind it: JSON lines. */
    if (str_trim(rest).n && json_parse(s->reader, s->scratch, line, false, &doc, &why)) {
        from.line = n;
        return take_lines(s, &from, doc, rest, e);
    }
    arena_reset(s->scratch);
    if (!json_parse(s->reader, s->scratch, text, true, &doc, e)) {
        size_t at_line, at_column;
        str_line_column(text, e->at, &at_line, &at_column);
        return err_prefix(e, "line %zu, column %zu", at_line, at_column);
    }
    return take_document(s, &from, doc, e);
}

/* ---- what is followed ---------------------------------------------------------------------- */

void sensor_feed_free(struct sensor_feed *f)
{
    buf_done(&f->where);
    buf_done(&f->collection);
    buf_done(&f->after);
    base_free(f->known);
    base_free(f);
}

bool sensor_feed_knows(struct sensor_feed *f, struct str id, struct err *e)
{
    void *known = f->known;
    if (!base_grow(&known, &f->known_room, f->known_count + 1, sizeof *f->known))
        return err_set(e, ERR_MEMORY, "no memory for the ids of a collection");
    f->known = known;
    f->known[f->known_count++] = str_hash(id, f->seed);
    return true;
}

/* NULL in *out where nothing is followed. */
static bool add_feed(struct sensor_indicators *s, const struct sensor_feed *like, struct str where,
                     struct str collection, struct sensor_feed **out, struct err *e)
{
    struct sensor_feed *f = s->follows ? base_alloc(sizeof *f) : NULL;
    *out = f;
    if (!f)
        return !s->follows || err_set(e, ERR_MEMORY, "out of memory");
    *f = (struct sensor_feed){
        .next = s->feeds, .node = like->node, .tlp = like->tlp, .seed = s->seed};
    s->feeds = f;
    buf_init(&f->where, 0);
    buf_init(&f->collection, 0);
    buf_init(&f->after, 0);
    buf_str(&f->where, where);
    buf_byte(&f->where, '\0');
    buf_str(&f->collection, collection);
    return buf_ok(&f->where, e) && buf_ok(&f->collection, e);
}

struct list_notes {
    struct sensor_indicators *s;
    struct str source;
};

static void unknown_line(void *ctx, size_t line, struct str text, const struct err *why)
{
    struct list_notes *l = ctx;
    struct sensor_origin from = {.source = l->source, .line = line};
    sensor_note_unusable(l->s, &from, text, str_of(why->msg));
}

static bool accept_value(void *ctx, const struct observable *o, struct err *why)
{
    const struct list_notes *l = ctx;
    return sensor_accepts(l->s, o, why);
}

bool sensor_indicators_text(struct sensor_indicators *s, struct str source, struct str text,
                            struct err *e)
{
    const char *unreadable = sensor_unreadable(text);
    if (unreadable)
        return err_set(e, ERR_INVALID, "%.*s: %s", STR_FMT(source), unreadable);
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_from(text, 3);
    if (looks_like_json(text))
        return take_json(s, source, text, e) || err_prefix(e, "%.*s", STR_FMT(source));
    struct list_notes l = {s, source};
    struct match_list_options o = {.like = {.from_us = INT64_MIN, .until_us = INT64_MAX},
                                   .unknown = unknown_line,
                                   .accept = s->guarded ? accept_value : NULL,
                                   .ctx = &l};
    if (!match_set_load_list(s->set, text, &o, e))
        return err_prefix(e, "%.*s", STR_FMT(source));
    s->counts.used += o.added_count;
    return true;
}

/* ---- a node's directory ------------------------------------------------------------------ */

bool sensor_collection(struct exchange_session *s, struct arena *a, struct str key,
                       struct exchange_collection *out, struct err *e)
{
    struct exchange_collection *all;
    size_t count;
    if (key.n)
        return exchange_collection_find(s, a, key, true, out, e);
    if (!exchange_collections(s, a, &all, &count, e))
        return false;
    if (count != 1)
        return err_set(e, ERR_USAGE, "it has %zu collections: name one", count);
    *out = all[0];
    return true;
}

struct passing {
    const struct sensor_reading *r;
    bool on;
};

static bool pass_on(void *ctx, const struct store_row *row)
{
    struct passing *p = ctx;
    p->on = p->r->each(p->r->ctx, row);
    return p->on;
}

bool sensor_read_indicators(const struct sensor_reading *r, struct err *e)
{
    static const struct str types[] = {{"indicator", 9}};
    struct passing p = {r, true};
    bool more = true;
    while (more && p.on) {
        struct exchange_query q = {.collection = r->collection,
                                   .after_us = *r->after_us,
                                   .limit = LIMIT_TAXII_PAGE_MAX,
                                   .limit_bytes = LIMIT_TAXII_PAGE_BYTES,
                                   .types = types,
                                   .type_count = 1,
                                   .versions = STORE_LAST,
                                   .with_bytes = r->with_bytes,
                                   .bytes_only = r->with_bytes};
        more = false;
        if (!exchange_read(r->s, r->who, &q, pass_on, &p, &more, e))
            return false;
    }
    return p.on;
}

/* Reading one collection, row by row. */
struct rows {
    struct sensor_indicators *s;
    struct sensor_origin from;
    struct sensor_feed *feed; /* or NULL */
    int64_t after_us;
    struct err *e;
};

static bool each_row(void *ctx, const struct store_row *row)
{
    struct rows *r = ctx;
    const struct json *doc;
    r->after_us = row->date_added;
    arena_reset(r->s->scratch);
    return json_parse(r->s->reader, r->s->scratch, row->object->bytes, false, &doc, r->e) &&
           sensor_take(r->s, &r->from, doc, r->e) &&
           (!r->feed || sensor_feed_knows(r->feed, json_get_str(doc, STR("id")), r->e));
}

static bool take_collection(struct sensor_indicators *s, struct exchange_session *x,
                            const struct principal *who, const struct exchange_collection *c,
                            struct rows *r)
{
    const struct sensor_reading rows = {.s = x,
                                        .who = who,
                                        .collection = c,
                                        .after_us = &r->after_us,
                                        .with_bytes = true,
                                        .each = each_row,
                                        .ctx = r};
    r->s = s;
    r->from.tlp = c->marking;
    r->after_us = INT64_MIN;
    const struct sensor_feed like = {.node = true, .tlp = c->marking};
    if (!add_feed(s, &like, r->from.source, c->uuid, &r->feed, r->e) ||
        !sensor_read_indicators(&rows, r->e))
        return false;
    if (r->feed)
        r->feed->after_us = r->after_us;
    return true;
}

static bool take_session(struct sensor_indicators *s, struct exchange_session *x, struct str source,
                         struct str key, struct err *e)
{
    struct rows r = {.from = {.source = source}, .e = e};
    struct principal who;
    struct exchange_collection one, *all = &one;
    size_t count = 1;
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = exchange_login_home(x, a, &who, e) &&
              (key.n ? exchange_collection_find(x, a, key, true, &one, e)
                     : exchange_collections(x, a, &all, &count, e));
    for (size_t i = 0; i < count && ok; i++)
        ok = take_collection(s, x, &who, &all[i], &r);
    arena_free(a);
    return ok;
}

static bool take_node(struct sensor_indicators *s, const char *dir, struct str key, struct err *e)
{
    struct exchange *x = NULL;
    struct exchange_session *session = NULL;
    bool ok = exchange_open(dir, &x, e) && exchange_session_open(x, &session, e) &&
              take_session(s, session, str_of(dir), key, e);
    exchange_session_close(session);
    exchange_close(x);
    return ok;
}

/* ---- a server's collection --------------------------------------------------------------- */

struct pages {
    struct sensor_indicators *s;
    struct sensor_origin from;
    struct sensor_feed *feed; /* or NULL */
};

bool sensor_feed_page(struct sensor_feed *f, const struct peer_page *p, struct err *e)
{
    size_t left = p->count;
    for (const struct json *v = p->first; v && left; v = v->next, left--)
        if (json_is(v, JSON_OBJECT) && str_eq(json_get_str(v, STR("type")), STR("indicator")) &&
            !sensor_feed_knows(f, json_get_str(v, STR("id")), e))
            return false;
    if (!p->last_added.n)
        return true;
    buf_clear(&f->after);
    buf_str(&f->after, p->last_added);
    return buf_ok(&f->after, e);
}

static bool each_page(void *ctx, const struct peer_page *p, struct err *e)
{
    struct pages *g = ctx;
    return sensor_take_siblings(g->s, &g->from, p->first, p->count, e) &&
           (!g->feed || sensor_feed_page(g->feed, p, e));
}

static bool take_url(struct sensor_indicators *s, struct str url, const struct peer_endpoint *how,
                     struct str key, struct err *e)
{
    struct peer_endpoint at = *how;
    struct peer_client *client = NULL;
    struct pages g = {s, {.source = url}, NULL};
    struct peer_collection found;
    at.url = url;
    if (!peer_client_open(&at, &client, e))
        return false;
    bool ok = peer_client_collection(client, key, &found, e);
    g.from.tlp = ok ? found.marking : STIX_TLP_NONE;
    struct peer_pull what = {.collection_url = buf_view(&found.url), .type = STR("indicator")};
    const struct sensor_feed like = {.tlp = g.from.tlp};
    ok = ok && add_feed(s, &like, url, buf_view(&found.url), &g.feed, e) &&
         peer_client_pull(client, &what, each_page, &g, e);
    peer_client_close(client);
    buf_done(&found.url);
    return ok;
}

/* A compiled set, by its first bytes; `-` and what is no file is none. */
static bool is_compiled(const char *where)
{
    struct str head;
    struct err ignored;
    if (strcmp(where, "-") == 0 || !file_map(where, &head, &ignored))
        return false;
    bool yes = match_is_set(head);
    file_unmap(head);
    return yes;
}

bool sensor_may_replace(const char *path, struct err *e)
{
    struct file_in f;
    struct err ignored;
    if (!file_in_open(&f, path, &ignored)) /* what is wrong with it is said when it is written */
        return true;
    bool empty = f.size == 0;
    file_in_close(&f);
    return empty || is_compiled(path) ||
           err_set(e, ERR_USAGE, "%s is there and no compiled set: it is not replaced", path);
}

bool sensor_indicators_load(struct sensor_indicators *s, const char *where,
                            const struct peer_endpoint *how, struct str collection, struct err *e)
{
    struct str text;
    if (sensor_is_url(str_of(where)))
        return take_url(s, str_of(where), how, collection, e);
    if (file_is_dir(where))
        return take_node(s, where, collection, e);
    if (is_compiled(where))
        return sensor_indicators_open(s, where, e);
    if (!file_read(where, 0, &text, e))
        return false;
    char *owned = (char *)(uintptr_t)text.p;
    bool ok = sensor_indicators_text(s, str_of(where), text, e);
    base_free(owned);
    return ok;
}
