/* A public record as objects of the dialogue. What the record does not know stands nowhere. */
#include <stdio.h>

#include "crypt/crypt.h"
#include "dialogue/dialogue_priv.h"

/* The namespace (RFC 9562 §5.5) of ids that follow from a record and whose it is. */
#define NAMESPACE "5b3a2f44-92d5-4d1c-9a63-0c4d5a7a9e11"

struct record {
    const struct json *root;
    struct str name, identity;
    struct buf *out;
    bool any;
};

static void put_some(struct buf *b, const char *name, struct str s)
{
    if (s.n)
        json_put_member(b, name, s);
}

static bool put_value(struct buf *b, const char *name, const struct json *v, struct err *e)
{
    if (!v || v->type == JSON_NULL)
        return true;
    json_put_name(b, name);
    return json_canonical(v, b, e);
}

static struct str value_str(const struct json *of, const char *name)
{
    return json_get_str(json_get(of, str_of(name)), STR("value"));
}

static void begin(struct record *r, enum dialogue_type type, struct str key)
{
    char uuid[CRYPT_UUID_TEXT];
    struct buf name;
    const char *type_name = dialogue_type_name(type);
    buf_init(&name, 0);
    buf_printf(&name, "%.*s/%.*s/%s/%.*s", STR_FMT(r->identity), STR_FMT(r->name), type_name,
               STR_FMT(key));
    crypt_uuid5(NAMESPACE, buf_view(&name), uuid);
    uuid[14] = '4'; /* STIX 2.1 §2.9 asks objects that are no observables for version 4 */
    buf_done(&name);
    buf_lit(r->out, r->any ? ",{" : "{");
    r->any = true;
    json_put_member(r->out, "type", str_of(type_name));
    json_put_member(r->out, "spec_version", STR("2.1"));
    json_put_name(r->out, "id");
    buf_printf(r->out, "\"%s--%s\"", type_name, uuid);
    json_put_member(r->out, "created_by_ref", r->identity);
    json_put_member(r->out, "created", json_get_str(r->root, STR("created")));
    json_put_member(r->out, "modified", json_get_str(r->root, STR("modified")));
    json_put_name(r->out, "extensions");
    buf_printf(r->out, "{\"%s\":{\"extension_type\":\"new-sdo\"}}", dialogue_extension_id(type));
}

/* Is the source named by this fact, or by one in it? */
static bool names_source(const struct json *v, struct str id)
{
    const struct json *sources = json_get(v, STR("sources"));
    for (const struct json *s = json_is(sources, JSON_ARRAY) ? sources->u.child : NULL; s;
         s = s->next)
        if (json_is(s, JSON_STRING) && str_eq(s->u.s, id))
            return true;
    if (!v || (v->type != JSON_OBJECT && v->type != JSON_ARRAY))
        return false;
    for (const struct json *m = v->u.child; m; m = m->next)
        if (names_source(m, id)) /* as deep as the program's own file is */
            return true;
    return false;
}

/* The sources that any fact of it names, and the end of the object. */
static void end(struct record *r, const struct json *of)
{
    const struct json *sources = json_get(r->root, STR("sources"));
    bool any = false;
    for (const struct json *s = json_is(sources, JSON_OBJECT) ? sources->u.child : NULL; s;
         s = s->next) {
        if (!names_source(of, s->key))
            continue;
        if (!any)
            json_put_name(r->out, "external_references");
        buf_lit(r->out, any ? ",{" : "[{");
        any = true;
        json_put_member(r->out, "source_name", s->key);
        put_some(r->out, "description", json_get_str(s, STR("title")));
        put_some(r->out, "url", json_get_str(s, STR("url")));
        buf_byte(r->out, '}');
    }
    buf_lit(r->out, any ? "]" : "");
    json_put_name(r->out, "exercise");
    buf_lit(r->out, "false}");
}

static void put_text(struct buf *b, const char *name, struct str text)
{
    if (!text.n)
        return;
    json_put_name(b, name);
    buf_byte(b, '{');
    json_put_member(b, "en", text);
    buf_byte(b, '}');
}

static bool put_instrument(struct record *r, const struct json *v, struct err *e)
{
    struct str date = value_str(v, "date");
    begin(r, DIALOGUE_INSTRUMENT, json_get_str(v, STR("id")));
    json_put_member(r->out, "kind", json_get_str(v, STR("kind")));
    put_text(r->out, "title", json_get_str(v, STR("title")));
    put_text(r->out, "text", json_get_str(v, STR("note")));
    if (!put_value(r->out, "sides", json_get(r->root, STR("sides")), e))
        return false;
    put_some(r->out, "signed", date.n == 10 ? date : STR_NONE);
    end(r, v);
    return true;
}

static void put_heads(struct buf *b, const struct json *heads)
{
    json_put_name(b, "heads");
    buf_byte(b, '[');
    for (const struct json *h = json_is(heads, JSON_ARRAY) ? heads->u.child : NULL; h;
         h = h->next) {
        buf_byte(b, '{');
        json_put_member(b, "side", json_get_str(h, STR("side")));
        json_put_member(b, "name", json_get_str(h, STR("name")));
        put_some(b, "title", json_get_str(h, STR("title")));
        put_some(b, "organisation", json_get_str(h, STR("organisation")));
        buf_lit(b, h->next ? "}," : "}");
    }
    buf_byte(b, ']');
}

static bool put_agencies(struct buf *b, const struct json *sides, struct err *e)
{
    json_put_name(b, "agencies");
    buf_byte(b, '{');
    for (const struct json *s = json_is(sides, JSON_OBJECT) ? sides->u.child : NULL; s;
         s = s->next) {
        json_put_string(b, s->key);
        buf_byte(b, ':');
        if (!json_canonical(json_get(s, STR("value")), b, e))
            return false;
        buf_lit(b, s->next ? "," : "");
    }
    buf_byte(b, '}');
    return true;
}

static bool put_next(struct buf *b, const struct json *next, struct err *e)
{
    const struct json *v = json_get(next, STR("value"));
    if (!json_is(v, JSON_OBJECT))
        return true;
    json_put_name(b, "next_round");
    buf_byte(b, '{');
    if (!put_value(b, "year", json_get(v, STR("year")), e) ||
        !put_value(b, "place", json_get(v, STR("place")), e))
        return false;
    buf_byte(b, '}');
    return true;
}

static bool put_round(struct record *r, const struct json *v, struct err *e)
{
    struct buf *b = r->out;
    const struct json *ordinal = json_get(v, STR("ordinal"));
    char key[24] = "";
    struct str date = value_str(v, "date");
    if (json_is(ordinal, JSON_INTEGER))
        snprintf(key, sizeof key, "%lld", (long long)ordinal->u.i);
    begin(r, DIALOGUE_ROUND, str_of(key));
    json_put_member(b, "series", json_get_str(r->root, STR("series")));
    if (!put_value(b, "ordinal", ordinal, e))
        return false;
    json_put_member(b, "status", STR("held"));
    put_some(b, "date", date.n == 10 ? date : STR_NONE);
    put_some(b, "mode", value_str(v, "mode"));
    put_some(b, "place", value_str(v, "place"));
    put_some(b, "host", value_str(v, "host"));
    put_heads(b, json_get(v, STR("heads")));
    if (!put_value(b, "sides", json_get(r->root, STR("sides")), e) ||
        !put_agencies(b, json_get(v, STR("agencies")), e) ||
        !put_value(b, "topics", json_get(json_get(v, STR("topics")), STR("value")), e) ||
        !put_next(b, json_get(v, STR("next")), e))
        return false;
    end(r, v);
    return true;
}

bool dialogue_record_put(struct arena *a, struct json_reader *jr, struct str name,
                         struct str identity, struct buf *out, struct err *e)
{
    struct record r = {.name = name, .identity = identity, .out = out};
    if (!str_eq(name, STR("india-japan")))
        return err_set(e, ERR_NOT_FOUND, "there is no record %.*s: there is india-japan",
                       STR_FMT(name));
    if (!json_parse(jr, a, dialogue_data(DIALOGUE_INDIA_JAPAN), false, &r.root, e))
        return err_prefix(e, "data/dialogues/india-japan.json");
    const struct json *instruments = json_get(r.root, STR("instruments"));
    const struct json *rounds = json_get(r.root, STR("rounds"));
    must(json_is(instruments, JSON_ARRAY) && json_is(rounds, JSON_ARRAY));
    buf_byte(out, '[');
    for (const struct json *v = instruments->u.child; v; v = v->next)
        if (!put_instrument(&r, v, e))
            return false;
    for (const struct json *v = rounds->u.child; v; v = v->next)
        if (!put_round(&r, v, e))
            return false;
    buf_byte(out, ']');
    return true;
}
