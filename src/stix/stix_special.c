#include <string.h>

#include "crypt/crypt.h"
#include "pattern/pattern.h"

#include "stix/stix_priv.h"

/* What neither a row nor a rule of the tables can say. */

#define SCO_NAMESPACE    "00abedb4-aa42-466c-9c01-fed23315a9b7"
#define SCO_IDENTITY_MAX 8

/* ---- external references (§2.5, §4.1, §4.19) ---- */

static void check_registry_id(struct check *c, const struct json *source, const struct json *id,
                              const char *registry, bool (*ok)(struct str))
{
    bool named = str_eq_nocase(source->u.s, str_of(registry)), good = id != NULL && ok(id->u.s);
    if ((named || good) && !str_eq(source->u.s, str_of(registry)))
        stix_note(c, STIX_ERROR, "2.5", "source-name", source,
                  "`source_name` of an identifier of this registry must be \"%s\"", registry);
    if (named && !good)
        stix_note(c, STIX_ERROR, "2.5", "external-id", id ? id : source,
                  "a reference to %s has its identifier in `external_id`; write CVE-YYYY-NNNN or "
                  "CAPEC-N exactly",
                  registry);
}

void stix_special_external_reference(struct check *c, const struct json *v)
{
    (void)v;
    const struct json *source = stix_own(c, STR("source_name"));
    const struct json *id = stix_own(c, STR("external_id")), *url = stix_own(c, STR("url"));
    if (!json_is(source, JSON_STRING))
        return;
    if (!json_is(id, JSON_STRING))
        id = NULL;
    check_registry_id(c, source, id, "cve", stix_format_cve);
    check_registry_id(c, source, id, "capec", stix_format_capec);
    if (url != NULL && stix_own(c, STR("hashes")) == NULL && c->unhashed++ == 0)
        c->unhashed_first = url;
}

/* ---- indicators (§4.7, §9) ---- */

struct path_check {
    struct check *c;
    const struct json *pattern;
};

static bool path_property_ok(struct str name)
{
    bool good = name.n >= 3 && name.n <= 250;
    for (size_t i = 0; i < name.n && good; i++)
        good = stix_is_lower(name.p[i]) || stix_is_digit(name.p[i]) || name.p[i] == '_';
    return good || str_eq(name, STR("id"));
}

/* STIX 2.1 §3.1 and §9.7: the type before the colon in an object path and the property behind it
 * are named as everywhere. The keys of dictionaries further along may be as they are. */
static bool check_path(void *ctx, struct str type, struct str property, size_t at)
{
    const struct path_check *k = ctx;
    bool type_ok = stix_type_name_ok(type), good = type_ok && path_property_ok(property);
    if (!good)
        stix_note(k->c, STIX_ERROR, "9.7", type_ok ? "pattern-property-name" : "pattern-type-name",
                  k->pattern, "`%.*s` in the pattern is no name of %s; see character %zu",
                  STR_FMT(type_ok ? property : type), type_ok ? "a property" : "an object type",
                  at + 1);
    return good;
}

static void check_notes(struct check *c, const struct json *v, const struct pattern *parsed)
{
    struct pattern_note notes[PATTERN_NOTE_COUNT];
    size_t count = pattern_notes(parsed, notes);
    for (size_t i = 0; i < count; i++)
        stix_note(c, STIX_WARNING, "9", pattern_note_name(notes[i].kind), v,
                  "%s; see character %zu of the pattern", pattern_note_text(notes[i].kind),
                  notes[i].at + 1);
}

static void check_pattern(struct check *c, const struct json *pattern, enum pattern_version version)
{
    struct path_check paths = {c, pattern};
    struct pattern *parsed;
    struct err e = {0};
    if (c->patterns == NULL)
        c->patterns = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool parses = (c->patterns != NULL || err_set(&e, ERR_MEMORY, "out of memory")) &&
                  pattern_parse(c->patterns, pattern->u.s, version, &parsed, &e);
    c->unjudged = !parses && e.code == ERR_MEMORY;
    if (c->unjudged)
        stix_note(c, STIX_ERROR, "9", "pattern-unjudged", pattern,
                  "there is no memory to check this pattern; try again");
    else if (!parses)
        stix_note(c, STIX_ERROR, "9", "pattern", pattern,
                  "the pattern is malformed at its character %zu: %s", e.at + 1, e.msg);
    else if (pattern_paths(parsed, check_path, &paths))
        check_notes(c, pattern, parsed);
    c->unjudged = false;
    if (c->patterns != NULL)
        arena_reset(c->patterns);
}

void stix_special_indicator(struct check *c, const struct json *v)
{
    const struct json *pattern = json_get(v, STR("pattern"));
    struct str version = json_get_str(v, STR("pattern_version"));
    if (!json_is(pattern, JSON_STRING) ||
        !str_eq(json_get_str(v, STR("pattern_type")), STR("stix")))
        return;
    check_pattern(c, pattern, str_eq(version, STR("2.0")) ? PATTERN_STIX_20 : PATTERN_STIX_21);
}

/* ---- relationships (§3.7, §5.1) ---- */

static struct str type_of_ref(struct check *c, struct str name)
{
    const struct json *ref = stix_own(c, name);
    if (!json_is(ref, JSON_STRING) || ref->u.s.n <= 38)
        return STR_NONE;
    return str_slice(ref->u.s, 0, ref->u.s.n - 38);
}

void stix_special_relationship(struct check *c, const struct json *v)
{
    (void)v;
    const struct json *relation = stix_own(c, STR("relationship_type"));
    struct str source = type_of_ref(c, STR("source_ref"));
    struct str target = type_of_ref(c, STR("target_ref"));
    if (!json_is(relation, JSON_STRING) || source.n == 0 || target.n == 0)
        return;
    enum stix_suggestion s = stix_relation_suggested(source, relation->u.s, target);
    if (s == STIX_SUGGESTED)
        return;
    stix_note(c, STIX_WARNING, "5.1",
              s == STIX_OTHER_TARGET ? "suggested-target" : "suggested-type", relation,
              "\"%.*s\" from %.*s to %.*s is not a relationship that the text suggests",
              STR_FMT(relation->u.s), STR_FMT(source), STR_FMT(target));
}

/* ---- extension definitions (§7.3) ---- */

void stix_special_extension_definition(struct check *c, const struct json *v)
{
    const struct json *types = json_get(v, STR("extension_types"));
    const struct json *names = json_get(v, STR("extension_properties"));
    bool toplevel = false;
    if (!json_is(types, JSON_ARRAY))
        return;
    for (const struct json *t = types->u.child; t != NULL; t = t->next)
        toplevel |= t->type == JSON_STRING && str_eq(t->u.s, STR("toplevel-property-extension"));
    if (toplevel && names == NULL)
        stix_note(c, STIX_WARNING, "7.3", "extension-properties", types,
                  "a toplevel-property-extension should name its properties in "
                  "`extension_properties`");
    if (!toplevel && names != NULL)
        stix_note(c, STIX_ERROR, "7.3", "extension-properties", names,
                  "`extension_properties` belongs to a toplevel-property-extension only");
}

/* ---- observed data (§4.14) ---- */

void stix_special_observed_data(struct check *c, const struct json *v)
{
    const struct json *refs = json_get(v, STR("object_refs"));
    if (!json_is(refs, JSON_ARRAY) || refs->u.child == NULL)
        return;
    for (const struct json *r = refs->u.child; r != NULL; r = r->next) {
        struct str type;
        struct err e;
        if (r->type != JSON_STRING || !stix_id_parse(r->u.s, &type, &e))
            return;
        enum stix_class class = stix_class_of(type);
        if (class == STIX_SCO || class == STIX_UNKNOWN)
            return;
    }
    stix_note(c, STIX_ERROR, "4.14", "object-refs-name-an-observable", refs,
              "`object_refs` must name at least one cyber-observable");
}

/* ---- deterministic ids (§2.9, §3.4) ---- */

/* Of `hashes` one alone contributes, by this preference; false if it has none of them. */
static bool one_hash(const struct json *hashes, struct json *part, struct json *hash)
{
    static const struct str order[] = {STIX_LIT("MD5"), STIX_LIT("SHA-1"), STIX_LIT("SHA-256"),
                                       STIX_LIT("SHA-512")};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const struct json *h = json_get(hashes, order[i]);
        if (h != NULL) {
            *hash = *h;
            hash->next = NULL;
            *part = *hashes;
            part->count = 1;
            part->u.child = hash;
            return true;
        }
    }
    return false;
}

/* Links the contributing members of v into `parts`; false when the rule leaves the choice open. */
static bool contributing(const struct json *v, struct str names, struct json *parts,
                         struct json *hash, uint32_t *count)
{
    *count = 0;
    while (names.p != NULL && names.n > 0) {
        struct str name = str_cut(&names, ' ');
        const struct json *m = json_get(v, name);
        if (m == NULL)
            continue;
        must(*count < SCO_IDENTITY_MAX);
        struct json *part = &parts[*count];
        *part = *m;
        if (str_eq(name, STR("hashes")) && !one_hash(m, part, hash))
            return false;
        part->next = NULL;
        if (*count > 0)
            parts[*count - 1].next = part;
        (*count)++;
    }
    return true;
}

static enum stix_sco_id sco_id(const struct stix_shape *s, const struct json *v,
                               struct buf *canonical, char uuid[CRYPT_UUID_TEXT])
{
    struct json parts[SCO_IDENTITY_MAX], hash, all = {.type = JSON_OBJECT};
    struct err e;
    if (!contributing(v, str_of(s->identity), parts, &hash, &all.count))
        return STIX_SCO_ID_OPEN;
    if (all.count == 0)
        return STIX_SCO_ID_EMPTY;
    all.u.child = parts;
    buf_clear(canonical);
    if (!json_canonical(&all, canonical, &e))
        return STIX_SCO_ID_NO_MEMORY;
    crypt_uuid5(SCO_NAMESPACE, buf_view(canonical), uuid);
    return STIX_SCO_ID_MADE;
}

enum stix_sco_id stix_sco_id(const struct json *v, char uuid[CRYPT_UUID_TEXT])
{
    const struct stix_shape *s = stix_shape_of_sco(json_get_str(v, STR("type")));
    struct buf canonical;
    if (s == NULL || s->identity == NULL)
        return STIX_SCO_ID_OPEN;
    buf_init(&canonical, 0);
    enum stix_sco_id made = sco_id(s, v, &canonical, uuid);
    buf_done(&canonical);
    return made;
}

void stix_check_sco_id(struct check *c, const struct stix_shape *s, const struct json *v)
{
    char uuid[CRYPT_UUID_TEXT];
    struct err e;
    const struct json *id = json_get(v, STR("id"));
    if (!stix_id_parse(c->id, NULL, &e))
        return;
    struct str given = str_from(c->id, c->id.n - 36);
    bool v5 = given.p[14] == '5';
    enum stix_sco_id made = sco_id(s, v, &c->canonical, uuid);
    if (made == STIX_SCO_ID_EMPTY && given.p[14] != '4')
        stix_note(c, STIX_ERROR, "2.9", "sco-id-without-content", id,
                  "nothing in this object makes a deterministic id; use a UUID of version 4");
    if (made == STIX_SCO_ID_MADE && !str_eq_nocase(given, str_of(uuid)))
        stix_note(c, STIX_WARNING, "2.9", v5 ? "sco-id-differs" : "sco-id-not-deterministic", id,
                  "the deterministic id of this content is %.*s--%s", STR_FMT(s->name), uuid);
}
