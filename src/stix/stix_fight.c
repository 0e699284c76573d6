/*
 * MITRE FiGHT (fight.mitre.org) as STIX. The matrix is published as YAML without identifiers of
 * STIX, so they are derived: whoever converts the same file gets the same objects, byte by byte.
 */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "crypt/crypt.h"
#include "stix/stix.h"

/* UUIDv5 of https://fight.mitre.org/ in the name space of URLs (RFC 9562 §6.6). */
#define FIGHT_URL     "https://fight.mitre.org/"
#define URL_NAMESPACE "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
#define CREATED       "2022-09-26T00:00:00.000Z" /* the first version of FiGHT */

struct fight {
    yaml_document_t doc;
    struct str modified;
    char ns[CRYPT_UUID_TEXT];
    struct buf *out;
    size_t objects;
};

/* ---- YAML ---- */

static struct str text_of(const yaml_node_t *n)
{
    return n && n->type == YAML_SCALAR_NODE
               ? (struct str){(const char *)n->data.scalar.value, n->data.scalar.length}
               : STR("");
}

static const yaml_node_t *member(struct fight *f, const yaml_node_t *map, const char *name)
{
    if (!map || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++)
        if (str_eq(text_of(yaml_document_get_node(&f->doc, p->key)), str_of(name)))
            return yaml_document_get_node(&f->doc, p->value);
    return NULL;
}

static struct str text_in(struct fight *f, const yaml_node_t *map, const char *name)
{
    return text_of(member(f, map, name));
}

/* The n-th item of a sequence, or NULL behind its end. */
static const yaml_node_t *item(struct fight *f, const yaml_node_t *list, size_t n)
{
    if (!list || list->type != YAML_SEQUENCE_NODE ||
        n >= (size_t)(list->data.sequence.items.top - list->data.sequence.items.start))
        return NULL;
    return yaml_document_get_node(&f->doc, list->data.sequence.items.start[n]);
}

static const yaml_node_t *root_list(struct fight *f, const char *name)
{
    return member(f, yaml_document_get_root_node(&f->doc), name);
}

/* The entry of a list with this id, or NULL. */
static const yaml_node_t *entry(struct fight *f, const char *list, struct str id)
{
    const yaml_node_t *all = root_list(f, list), *one;
    for (size_t i = 0; (one = item(f, all, i)); i++)
        if (str_eq(text_in(f, one, "id"), id))
            return one;
    return NULL;
}

/* ---- objects ---- */

static void put_id(struct fight *f, const char *member_name, const char *type, struct str name)
{
    char uuid[CRYPT_UUID_TEXT];
    crypt_uuid5(f->ns, name, uuid);
    json_put_name(f->out, member_name);
    buf_printf(f->out, "\"%s--%s\"", type, uuid);
}

static void begin(struct fight *f, const char *type, struct str name)
{
    buf_lit(f->out, f->objects++ ? ",{" : "{");
    json_put_member(f->out, "type", str_of(type));
    json_put_member(f->out, "spec_version", STR("2.1"));
    put_id(f, "id", type, name);
    if (strcmp(type, "identity") != 0)
        put_id(f, "created_by_ref", "identity", STR("identity"));
    json_put_member(f->out, "created", STR(CREATED));
    json_put_member(f->out, "modified", f->modified);
    json_put_name(f->out, "object_marking_refs");
    buf_byte(f->out, '[');
    json_put_string(f->out, stix_tlp_id(STIX_TLP_CLEAR));
    buf_byte(f->out, ']');
}

static void end(struct fight *f)
{
    buf_byte(f->out, '}');
}

/* Without the anchors of HTML that stand in it. */
static void put_text(struct fight *f, const char *name, struct str s)
{
    struct buf plain;
    buf_init(&plain, 0);
    for (size_t i = 0; i < s.n; i++) {
        bool tag = s.p[i] == '<' && i + 1 < s.n &&
                   (s.p[i + 1] == '/' || (s.p[i + 1] >= 'a' && s.p[i + 1] <= 'z'));
        const char *close = tag ? memchr(s.p + i, '>', s.n - i) : NULL;
        if (close)
            i = (size_t)(close - s.p);
        else
            buf_byte(&plain, s.p[i]);
    }
    struct str trimmed = str_trim(buf_view(&plain));
    if (trimmed.n)
        json_put_member(f->out, name, trimmed);
    f->out->failed = f->out->failed ? f->out->failed : plain.failed;
    buf_done(&plain);
}

static void put_reference(struct fight *f, const char *source, const char *kind, struct str id)
{
    buf_byte(f->out, '{');
    json_put_member(f->out, "source_name", str_of(source));
    json_put_member(f->out, "external_id", id);
    if (kind) {
        struct buf url;
        buf_init(&url, LIMIT_PATH_BYTES);
        buf_printf(&url, FIGHT_URL "%s/%.*s", kind, STR_FMT(id));
        json_put_member(f->out, "url", buf_view(&url));
        buf_done(&url);
    }
    buf_byte(f->out, '}');
}

static void begin_entry(struct fight *f, const char *type, const char *kind, const yaml_node_t *n)
{
    struct str id = text_in(f, n, "id");
    begin(f, type, id);
    json_put_member(f->out, "name", text_in(f, n, "name"));
    json_put_name(f->out, "external_references");
    buf_byte(f->out, '[');
    put_reference(f, "mitre-fight", kind, id);
    /* An addendum says more of a technique of ATT&CK, whose id it has behind "FG". */
    if (str_starts(text_in(f, n, "typecode"), STR("attack_"))) {
        buf_byte(f->out, ',');
        put_reference(f, "mitre-attack", NULL, str_from(id, 2));
    }
    buf_byte(f->out, ']');
}

/* Two entries and how they are related, with the words that are said of it. */
struct relation {
    const char *source_type, *how, *target_type;
    struct str source, target, why;
    size_t before; /* how often the same was related before, in other words */
};

static void relate(struct fight *f, const struct relation *r)
{
    struct buf name;
    buf_init(&name, LIMIT_PATH_BYTES);
    buf_printf(&name, "%.*s %s %.*s", STR_FMT(r->source), r->how, STR_FMT(r->target));
    if (r->before)
        buf_printf(&name, " %zu", r->before + 1);
    begin(f, "relationship", buf_view(&name));
    json_put_member(f->out, "relationship_type", str_of(r->how));
    put_id(f, "source_ref", r->source_type, r->source);
    put_id(f, "target_ref", r->target_type, r->target);
    put_text(f, "description", r->why);
    end(f);
    buf_done(&name);
}

/* How many of the first `n` items of a list say this in that member. */
static size_t same_before(struct fight *f, const yaml_node_t *list, size_t n, const char *name,
                          struct str value)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += str_eq(text_in(f, item(f, list, i), name), value);
    return count;
}

/* ---- techniques and what stands against them ---- */

/* "Defense Evasion" is defense-evasion. */
static void put_phase(struct fight *f, struct str tactic)
{
    buf_byte(f->out, '{');
    json_put_member(f->out, "kill_chain_name", STR("mitre-fight"));
    json_put_name(f->out, "phase_name");
    buf_byte(f->out, '"');
    for (size_t i = 0; i < tactic.n; i++) {
        char c = tactic.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        buf_byte(f->out, letter ? (char)(c | 0x20) : '-');
    }
    buf_lit(f->out, "\"}");
}

static void put_phases(struct fight *f, const yaml_node_t *technique)
{
    const yaml_node_t *list = member(f, technique, "tactics"), *one;
    bool first = true;
    for (size_t i = 0; (one = item(f, list, i)); i++) {
        struct str name = text_in(f, entry(f, "tactics", text_of(one)), "name");
        if (!name.n)
            continue;
        if (first)
            json_put_name(f->out, "kill_chain_phases");
        buf_lit(f->out, first ? "[" : ",");
        first = false;
        put_phase(f, name);
    }
    if (!first)
        buf_byte(f->out, ']');
}

static void put_technique(struct fight *f, const yaml_node_t *t)
{
    struct str status = text_in(f, t, "status"), brief = text_in(f, t, "bluf");
    begin_entry(f, "attack-pattern", "techniques", t);
    put_text(f, "description", brief.n ? brief : text_in(f, t, "description"));
    put_phases(f, t);
    if (status.n) {
        json_put_name(f->out, "labels");
        buf_byte(f->out, '[');
        json_put_string(f->out, status);
        buf_byte(f->out, ']');
    }
    end(f);
}

static void put_relations(struct fight *f, const yaml_node_t *t)
{
    struct str id = text_in(f, t, "id"), parent = text_in(f, t, "subtechnique-of");
    const yaml_node_t *list = member(f, t, "mitigations"), *m;
    struct relation r = {.source_type = "attack-pattern",
                         .how = "subtechnique-of",
                         .target_type = "attack-pattern",
                         .source = id,
                         .target = parent,
                         .why = STR("")};
    if (parent.n && entry(f, "techniques", parent))
        relate(f, &r);
    for (size_t i = 0; (m = item(f, list, i)); i++) {
        struct str measure = text_in(f, m, "fgmid");
        r = (struct relation){.source_type = "course-of-action",
                              .how = "mitigates",
                              .target_type = "attack-pattern",
                              .source = measure,
                              .target = id,
                              .why = text_in(f, m, "mitigates"),
                              .before = same_before(f, list, i, "fgmid", measure)};
        if (entry(f, "mitigations", measure))
            relate(f, &r);
    }
}

/* ---- who does it, with what ---- */

static void put_users(struct fight *f, const char *list_name, const char *kind, const char *type)
{
    const yaml_node_t *list = root_list(f, list_name), *one, *t;
    for (size_t i = 0; (one = item(f, list, i)); i++) {
        struct str id = text_in(f, one, "id");
        begin_entry(f, type, kind, one);
        put_text(f, "description", text_in(f, one, "description"));
        if (strcmp(type, "malware") == 0)
            buf_lit(f->out, ",\"is_family\":true");
        end(f);
        const yaml_node_t *uses = member(f, one, "techniques");
        for (size_t k = 0; (t = item(f, uses, k)); k++) {
            struct str technique = text_in(f, t, "id");
            const struct relation r = {.source_type = type,
                                       .how = "uses",
                                       .target_type = "attack-pattern",
                                       .source = id,
                                       .target = technique,
                                       .why = text_in(f, t, "use"),
                                       .before = same_before(f, uses, k, "id", technique)};
            if (entry(f, "techniques", technique))
                relate(f, &r);
        }
    }
}

static void put_all(struct fight *f)
{
    const yaml_node_t *techniques = root_list(f, "techniques"),
                      *measures = root_list(f, "mitigations"), *one;
    begin(f, "identity", STR("identity"));
    json_put_member(f->out, "name", STR("MITRE FiGHT"));
    json_put_member(f->out, "identity_class", STR("organization"));
    end(f);
    for (size_t i = 0; (one = item(f, measures, i)); i++) {
        begin_entry(f, "course-of-action", "mitigations", one);
        put_text(f, "description", text_in(f, one, "description"));
        end(f);
    }
    for (size_t i = 0; (one = item(f, techniques, i)); i++)
        put_technique(f, one);
    for (size_t i = 0; (one = item(f, techniques, i)); i++)
        put_relations(f, one);
    put_users(f, "groups", "groups", "intrusion-set");
    put_users(f, "software", "software", "malware");
    put_users(f, "campaigns", "campaigns", "campaign");
}

static bool convert(struct fight *f, struct err *e)
{
    char bundle[CRYPT_UUID_TEXT];
    if (!item(f, root_list(f, "techniques"), 0) || !item(f, root_list(f, "tactics"), 0))
        return err_set(e, ERR_INVALID, "it has no techniques and tactics: is it fight.yaml?");
    crypt_uuid5(URL_NAMESPACE, STR(FIGHT_URL), f->ns);
    crypt_uuid5(f->ns, STR("bundle"), bundle);
    buf_printf(f->out, "{\"type\":\"bundle\",\"id\":\"bundle--%s\",\"objects\":[", bundle);
    put_all(f);
    buf_lit(f->out, "]}");
    return buf_ok(f->out, e);
}

struct str stix_fight_technique(struct str id, char out[STIX_TECHNIQUE_ID_TEXT])
{
    static const char type[] = "attack-pattern--";
    char ns[CRYPT_UUID_TEXT];
    _Static_assert(sizeof type - 1 + CRYPT_UUID_TEXT == STIX_TECHNIQUE_ID_TEXT, "room for the id");
    crypt_uuid5(URL_NAMESPACE, STR(FIGHT_URL), ns);
    memcpy(out, type, sizeof type);
    crypt_uuid5(ns, id, out + sizeof type - 1);
    return str_of(out);
}

bool stix_fight_bundle(struct str yaml, struct str modified, struct buf *out, struct err *e)
{
    struct fight f = {.modified = modified, .out = out};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return err_set(e, ERR_MEMORY, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.p, yaml.n);
    bool ok = yaml_parser_load(&parser, &f.doc);
    if (!ok)
        err_set(e, parser.error == YAML_MEMORY_ERROR ? ERR_MEMORY : ERR_SYNTAX,
                "line %zu, column %zu: %s", parser.problem_mark.line + 1,
                parser.problem_mark.column + 1, parser.problem ? parser.problem : "no YAML");
    if (ok) {
        ok = convert(&f, e);
        yaml_document_delete(&f.doc);
    }
    yaml_parser_delete(&parser);
    return ok;
}
