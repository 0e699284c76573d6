/* MITRE FiGHT (fight.mitre.org) as STIX. The matrix is published as YAML. */
#include <string.h>
#include <yaml.h>

#include "stix/matrix_priv.h"

/* UUIDv5 of https://fight.mitre.org/ in the name space of URLs (RFC 9562 §6.6). */
#define FIGHT_URL     "https://fight.mitre.org/"
#define URL_NAMESPACE "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
#define CREATED       "2022-09-26T00:00:00.000Z" /* the first version of FiGHT */

struct fight {
    yaml_document_t doc;
    struct matrix m;
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

static void put_reference(struct fight *f, const char *source, const char *kind, struct str id)
{
    buf_byte(f->m.out, '{');
    json_put_member(f->m.out, "source_name", str_of(source));
    json_put_member(f->m.out, "external_id", id);
    if (kind) {
        struct buf url;
        buf_init(&url, LIMIT_PATH_BYTES);
        buf_printf(&url, FIGHT_URL "%s/%.*s", kind, STR_FMT(id));
        json_put_member(f->m.out, "url", buf_view(&url));
        buf_done(&url);
    }
    buf_byte(f->m.out, '}');
}

static void begin_entry(struct fight *f, const char *type, const char *kind, const yaml_node_t *n)
{
    struct str id = text_in(f, n, "id");
    matrix_begin(&f->m, type, id);
    json_put_member(f->m.out, "name", text_in(f, n, "name"));
    json_put_name(f->m.out, "external_references");
    buf_byte(f->m.out, '[');
    put_reference(f, "mitre-fight", kind, id);
    /* An addendum says more of a technique of ATT&CK, whose id it has behind "FG". */
    if (str_starts(text_in(f, n, "typecode"), STR("attack_"))) {
        buf_byte(f->m.out, ',');
        put_reference(f, "mitre-attack", NULL, str_from(id, 2));
    }
    buf_byte(f->m.out, ']');
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

static void put_phases(struct fight *f, const yaml_node_t *technique)
{
    const yaml_node_t *list = member(f, technique, "tactics"), *one;
    bool first = true;
    for (size_t i = 0; (one = item(f, list, i)); i++) {
        struct str name = text_in(f, entry(f, "tactics", text_of(one)), "name");
        if (!name.n)
            continue;
        if (first)
            json_put_name(f->m.out, "kill_chain_phases");
        buf_lit(f->m.out, first ? "[" : ",");
        first = false;
        matrix_put_phase(&f->m, name);
    }
    if (!first)
        buf_byte(f->m.out, ']');
}

static void put_technique(struct fight *f, const yaml_node_t *t)
{
    struct str status = text_in(f, t, "status"), brief = text_in(f, t, "bluf");
    begin_entry(f, "attack-pattern", "techniques", t);
    matrix_put_text(&f->m, "description", brief.n ? brief : text_in(f, t, "description"));
    put_phases(f, t);
    if (status.n) {
        json_put_name(f->m.out, "labels");
        buf_byte(f->m.out, '[');
        json_put_string(f->m.out, status);
        buf_byte(f->m.out, ']');
    }
    matrix_end(&f->m);
}

static void put_relations(struct fight *f, const yaml_node_t *t)
{
    struct str id = text_in(f, t, "id"), parent = text_in(f, t, "subtechnique-of");
    const yaml_node_t *list = member(f, t, "mitigations"), *m;
    struct matrix_relation r = {.source_type = "attack-pattern",
                                .how = "subtechnique-of",
                                .target_type = "attack-pattern",
                                .source = id,
                                .target = parent,
                                .why = STR("")};
    if (parent.n && entry(f, "techniques", parent))
        matrix_relate(&f->m, &r);
    for (size_t i = 0; (m = item(f, list, i)); i++) {
        struct str measure = text_in(f, m, "fgmid");
        r = (struct matrix_relation){.source_type = "course-of-action",
                                     .how = "mitigates",
                                     .target_type = "attack-pattern",
                                     .source = measure,
                                     .target = id,
                                     .why = text_in(f, m, "mitigates"),
                                     .before = same_before(f, list, i, "fgmid", measure)};
        if (entry(f, "mitigations", measure))
            matrix_relate(&f->m, &r);
    }
}

/* ---- who does it, with what ---- */

static void put_users(struct fight *f, const char *list_name, const char *kind, const char *type)
{
    const yaml_node_t *list = root_list(f, list_name), *one, *t;
    for (size_t i = 0; (one = item(f, list, i)); i++) {
        struct str id = text_in(f, one, "id");
        begin_entry(f, type, kind, one);
        matrix_put_text(&f->m, "description", text_in(f, one, "description"));
        if (strcmp(type, "malware") == 0)
            buf_lit(f->m.out, ",\"is_family\":true");
        matrix_end(&f->m);
        const yaml_node_t *uses = member(f, one, "techniques");
        for (size_t k = 0; (t = item(f, uses, k)); k++) {
            struct str technique = text_in(f, t, "id");
            const struct matrix_relation r = {.source_type = type,
                                              .how = "uses",
                                              .target_type = "attack-pattern",
                                              .source = id,
                                              .target = technique,
                                              .why = text_in(f, t, "use"),
                                              .before = same_before(f, uses, k, "id", technique)};
            if (entry(f, "techniques", technique))
                matrix_relate(&f->m, &r);
        }
    }
}

static void put_all(struct fight *f)
{
    const yaml_node_t *techniques = root_list(f, "techniques"),
                      *measures = root_list(f, "mitigations"), *one;
    for (size_t i = 0; (one = item(f, measures, i)); i++) {
        begin_entry(f, "course-of-action", "mitigations", one);
        matrix_put_text(&f->m, "description", text_in(f, one, "description"));
        matrix_end(&f->m);
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
    if (!item(f, root_list(f, "techniques"), 0) || !item(f, root_list(f, "tactics"), 0))
        return err_set(e, ERR_INVALID, "it has no techniques and tactics: is it fight.yaml?");
    crypt_uuid5(URL_NAMESPACE, STR(FIGHT_URL), f->m.ns);
    matrix_open(&f->m, "MITRE FiGHT");
    put_all(f);
    matrix_close(&f->m);
    return buf_ok(f->m.out, e);
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
    struct fight f = {
        .m = {.created = CREATED, .modified = modified, .kill_chain = "mitre-fight", .out = out}};
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
