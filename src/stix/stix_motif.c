/*
 * GSMA MoTIF (FS.57, "MoTIF Principles") as STIX. It is published as a document; in a form that
 * programs read it stands in MISP's galaxies, as a cluster of techniques. The ids are MISP's own
 * UUIDs, which are UUIDv5 of MoTIF's id: so MISP's and our sightings are of the same objects.
 */
#include <string.h>

#include "stix/matrix_priv.h"

/* The name space in which MISP derives them. */
#define MOTIF_NAMESPACE "5022ff98-cf0d-45d2-89b5-5c63104197cc"
#define CREATED         "2024-03-21T00:00:00.000Z" /* FS.57 version 1.0 */
#define SOURCE          "gsma-motif"

static const struct json *first_of(const struct json *v, const char *list)
{
    v = json_get(v, str_of(list));
    return json_is(v, JSON_ARRAY) ? v->u.child : NULL;
}

static struct str id_of(const struct json *technique)
{
    return json_get_str(json_get(technique, STR("meta")), STR("external_id"));
}

/* Of MOT3001.301 that is MOT3001; else empty. */
static struct str parent_of(struct str id)
{
    size_t dot = str_find(id, '.');
    return dot < id.n ? str_slice(id, 0, dot) : STR("");
}

static bool is_id(struct str id)
{
    size_t i = 3, dots = 0;
    if (!str_starts(id, STR("MOT")) || id.n < 4 || id.n > 32)
        return false;
    for (; i < id.n; i++) {
        bool dot = id.p[i] == '.';
        if (!dot && (id.p[i] < '0' || id.p[i] > '9'))
            return false;
        dots += dot;
    }
    return dots <= 1 && id.p[3] != '.' && id.p[id.n - 1] != '.';
}

static const struct json *technique_of(const struct json *list, struct str id)
{
    for (; list; list = list->next)
        if (str_eq(id_of(list), id))
            return list;
    return NULL;
}

/* ---- a technique ---- */

static void put_reference(struct matrix *m, const char *member, struct str text)
{
    buf_lit(m->out, ",{");
    json_put_member(m->out, "source_name", STR(SOURCE));
    json_put_member(m->out, member, text);
    buf_byte(m->out, '}');
}

/* What the cluster calls references are texts, as "page 14 of https://..." */
static void put_references(struct matrix *m, const struct json *technique)
{
    json_put_name(m->out, "external_references");
    buf_lit(m->out, "[{");
    json_put_member(m->out, "source_name", STR(SOURCE));
    json_put_member(m->out, "external_id", id_of(technique));
    buf_byte(m->out, '}');
    const struct json *v = first_of(json_get(technique, STR("meta")), "refs");
    for (; v; v = v->next) {
        struct str text = v->type == JSON_STRING ? str_trim(v->u.s) : STR("");
        if (text.n && !str_eq(text, STR("N/A")))
            put_reference(m, str_starts(text, STR("https://")) ? "url" : "description", text);
    }
    buf_byte(m->out, ']');
}

/* "Techniques:Initial-Access": the kill chain and its phase. */
static void put_phases(struct matrix *m, const struct json *technique)
{
    bool any = false;
    const struct json *v = first_of(json_get(technique, STR("meta")), "kill_chain");
    for (; v; v = v->next) {
        struct str tactic = v->type == JSON_STRING ? v->u.s : STR(""), part;
        for (struct str rest = tactic; (part = str_cut(&rest, ':')).p;)
            tactic = part;
        if (!tactic.n)
            continue;
        if (!any)
            json_put_name(m->out, "kill_chain_phases");
        buf_lit(m->out, any ? "," : "[");
        any = true;
        matrix_put_phase(m, tactic);
    }
    if (any)
        buf_byte(m->out, ']');
}

static void put_technique(struct matrix *m, const struct json *t)
{
    matrix_begin(m, "attack-pattern", id_of(t));
    json_put_member(m->out, "name", json_get_str(t, STR("value")));
    matrix_put_text(m, "description", json_get_str(t, STR("description")));
    put_references(m, t);
    put_phases(m, t);
    matrix_end(m);
}

/* ---- the file ---- */

static bool check(const struct json *doc, struct err *e)
{
    const struct json *first = first_of(doc, "values");
    size_t count = 0;
    if (!str_eq(json_get_str(doc, STR("type")), STR("gsma-motif")) || !first)
        return err_set(e, ERR_INVALID,
                       "it is no MISP galaxy cluster of type gsma-motif with values: is it "
                       "clusters/gsma-motif.json of misp-galaxy?");
    for (const struct json *t = first; t; t = t->next) {
        struct str id = id_of(t);
        if (++count > LIMIT_STIX_MOTIF_TECHNIQUES)
            return err_set(e, ERR_LIMIT, "over %d techniques", LIMIT_STIX_MOTIF_TECHNIQUES);
        if (!is_id(id) || !json_get_str(t, STR("value")).n) {
            (void)err_set(e, ERR_INVALID,
                          "value %zu has no name (value), or no meta.external_id as MOT3001.301",
                          count);
            e->at = t->at;
            return false;
        }
        if (technique_of(first, id) != t) {
            (void)err_set(e, ERR_INVALID, "%.*s stands there twice", STR_FMT(id));
            e->at = t->at;
            return false;
        }
    }
    return true;
}

bool stix_motif_bundle(const struct json *cluster, struct str modified, struct buf *out,
                       struct err *e)
{
    struct matrix m = {.ns = MOTIF_NAMESPACE,
                       .created = CREATED,
                       .modified = modified,
                       .kill_chain = SOURCE,
                       .out = out};
    const struct json *first = first_of(cluster, "values");
    if (!check(cluster, e))
        return false;
    matrix_open(&m, "GSMA MoTIF");
    for (const struct json *t = first; t; t = t->next)
        put_technique(&m, t);
    for (const struct json *t = first; t; t = t->next) {
        const struct matrix_relation r = {.source_type = "attack-pattern",
                                          .how = "subtechnique-of",
                                          .target_type = "attack-pattern",
                                          .source = id_of(t),
                                          .target = parent_of(id_of(t)),
                                          .why = STR("")};
        if (r.target.n && technique_of(first, r.target))
            matrix_relate(&m, &r);
    }
    matrix_close(&m);
    return buf_ok(out, e);
}
