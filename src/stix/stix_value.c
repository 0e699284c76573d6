#include <math.h>
#include <string.h>

#include "stix/stix_priv.h"

/* One function per kind of value; the table at the end dispatches. `v` is the value, its place is
 * the path of the check. */

static bool is_string(struct check *c, const struct json *v)
{
    if (v->type == JSON_STRING)
        return true;
    stix_note(c, STIX_ERROR, "2.15", "string", v, "expected a string, not %s",
              json_type_name(v->type));
    return false;
}

static void check_any(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)c, (void)p, (void)v;
}

static void check_string(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    (void)is_string(c, v);
}

static void check_boolean(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (v->type != JSON_TRUE && v->type != JSON_FALSE)
        stix_note(c, STIX_ERROR, "2.2", "boolean", v, "expected true or false, not %s",
                  json_type_name(v->type));
}

static void check_bounds(struct check *c, const struct stix_prop *p, const struct json *v,
                         double number)
{
    if ((p->low < 0 || p->high > 0) && (number < p->low || number > p->high))
        stix_note(c, STIX_ERROR, c->shape->clause, "range", v,
                  "`%.*s` must lie between %.0f and %.0f", STR_FMT(p->name), p->low, p->high);
}

/* STIX 2.1 §2.10: whole, within 54 bits with sign. 5.0 is a whole number in JSON. */
static void check_integer(struct check *c, const struct stix_prop *p, const struct json *v)
{
    double number = v->type == JSON_INTEGER  ? (double)v->u.i
                    : v->type == JSON_NUMBER ? v->u.d
                                             : NAN;
    if (isnan(number) || number > trunc(number) || number < trunc(number))
        stix_note(c, STIX_ERROR, "2.10", "integer", v, "expected a whole number, not %s",
                  json_type_name(v->type));
    else if (fabs(number) > 9007199254740991.0)
        stix_note(c, STIX_ERROR, "2.10", "integer-range", v,
                  "a whole number lies between -(2^53)+1 and (2^53)-1");
    else
        check_bounds(c, p, v, number);
}

static void check_float(struct check *c, const struct stix_prop *p, const struct json *v)
{
    if (v->type != JSON_INTEGER && v->type != JSON_NUMBER)
        stix_note(c, STIX_ERROR, "2.6", "float", v, "expected a number, not %s",
                  json_type_name(v->type));
    else
        check_bounds(c, p, v, v->type == JSON_INTEGER ? (double)v->u.i : v->u.d);
}

static bool is_timestamp(struct check *c, const struct json *v)
{
    struct instant t;
    struct err e;
    if (!is_string(c, v))
        return false;
    if (instant_parse(v->u.s, &t, &e))
        return true;
    stix_note(c, STIX_ERROR, "2.16", "timestamp", v, "%s", e.msg);
    return false;
}

static void check_timestamp(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    (void)is_timestamp(c, v);
}

/* STIX 2.1 §3.2: `created` and `modified` are precise to the millisecond at least. A marking
 * definition has no versions, so a short time on it cannot mislead: a warning. */
static void check_created(struct check *c, const struct stix_prop *p, const struct json *v)
{
    if (!is_timestamp(c, v) || v->u.s.n >= sizeof("2026-01-31T12:00:00.000Z") - 1)
        return;
    bool tolerated = c->o->tolerate_short_times || c->set == STIX_IN_MARKING_DEFINITION;
    stix_note(c, tolerated ? STIX_WARNING : STIX_ERROR, "3.2", "milliseconds", v,
              "`%.*s` must be precise to the millisecond: write %.*s.000Z", STR_FMT(p->name), 19,
              v->u.s.p);
}

/* ---- identifiers ---- */

static unsigned set_of(struct str type)
{
    const struct stix_shape *s = stix_shape_of(type);
    return s ? s->set : STIX_IN_CUSTOM;
}

static void check_object_id(struct check *c, const struct stix_prop *p, const struct json *v)
{
    struct str prefix, type = json_get_str(c->object, STR("type"));
    struct err e;
    (void)p;
    if (!is_string(c, v))
        return;
    if (!stix_id_parse(v->u.s, &prefix, &e)) {
        stix_note(c, STIX_ERROR, "2.9", "identifier", v, "%s; write TYPE--UUID", e.msg);
        return;
    }
    if (!str_eq(prefix, type))
        stix_note(c, STIX_ERROR, "2.9", "id-type", v, "the id must begin with the type: %.*s--",
                  STR_FMT(type));
    char version = v->u.s.p[prefix.n + 2 + 14];
    if (version != '4' && c->set != STIX_IN_SCO)
        stix_note(c, STIX_WARNING, "2.9", "uuid-version", v,
                  "the UUID of this object should be of version 4, not %c", version);
    for (size_t i = prefix.n + 2; i < v->u.s.n; i++)
        if (v->u.s.p[i] >= 'A' && v->u.s.p[i] <= 'F') {
            stix_note(c, STIX_WARNING, "2.9", "uuid-case", v,
                      "a UUID is written in lower case (RFC 4122); ids are compared byte by byte");
            break;
        }
}

static void check_local_ref(struct check *c, const struct stix_prop *p, const struct json *v)
{
    if (!stix_spend(c, c->container->count, v))
        return;
    const struct json *target = json_get(c->container, v->u.s);
    struct str type = json_get_str(target, STR("type"));
    if (target == NULL)
        stix_note(c, STIX_ERROR, "2.13", "local-reference", v,
                  "`%.*s` is no key of this observed-data's `objects`", STR_FMT(v->u.s));
    else if (p->to != NULL && !stix_word_in(p->to, type))
        stix_note(c, STIX_ERROR, c->shape->clause, "reference-type", v,
                  "`%.*s` must refer to one of: %s", STR_FMT(p->name), p->to);
}

static void check_ref(struct check *c, const struct stix_prop *p, const struct json *v)
{
    struct str type;
    struct err e;
    if (!is_string(c, v))
        return;
    /* The creator and the markings of one feed are the same on every object. */
    struct str *good = p >= stix_common_props && p < stix_common_props + stix_common_count
                           ? &c->good_refs[p - stix_common_props]
                           : NULL;
    if (good != NULL && str_eq(*good, v->u.s))
        return;
    if (c->container != NULL && str_find(v->u.s, '-') == v->u.s.n) {
        check_local_ref(c, p, v);
        return;
    }
    if (!stix_id_parse(v->u.s, &type, &e)) {
        /* §2.9 lets observables of the deprecated container refer by any string, and one taken out
         * of its container still does. */
        bool observable = good == NULL && (c->set & (STIX_IN_SCO | STIX_IN_OBSERVABLE)) != 0;
        stix_note(c, observable ? STIX_WARNING : STIX_ERROR, "2.9", "identifier", v,
                  "%s; write TYPE--UUID", e.msg);
        return;
    }
    /* §3.2 says what created_by_ref is for, but not that it must be that. */
    bool creator = str_eq(p->name, STR("created_by_ref"));
    unsigned allowed = p->to_sets ? p->to_sets : ~(unsigned)STIX_IN_BUNDLE_OBJECT;
    if (p->to != NULL ? !stix_word_in(p->to, type) : !(set_of(type) & allowed))
        stix_note(c, creator ? STIX_WARNING : STIX_ERROR, creator ? "3.2" : c->shape->clause,
                  "reference-type", v, "`%.*s` must not refer to %.*s%s%s", STR_FMT(p->name),
                  STR_FMT(type), p->to ? "; it may name: " : "", p->to ? p->to : "");
    else if (good != NULL)
        *good = v->u.s;
    if (c->known != NULL && c->container == NULL)
        stix_known_ref(c, v);
}

static void check_type(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (is_string(c, v) && !stix_type_name_ok(v->u.s))
        stix_note(c, STIX_ERROR, "3.1", "type-name", v,
                  "a type name is 3 to 250 characters of a-z, 0-9 and single hyphens and begins "
                  "with a letter");
}

static void check_spec_version(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (is_string(c, v) && !str_eq(v->u.s, STR("2.1")))
        stix_note(c, STIX_ERROR, "3.2", "spec-version", v,
                  "`spec_version` must be \"2.1\"; lift the object from version %.*s first",
                  STR_FMT(v->u.s));
}

/* ---- terms ---- */

static void check_enum(struct check *c, const struct stix_prop *p, const struct json *v)
{
    if (is_string(c, v) && !stix_word_in(p->terms->words, v->u.s))
        stix_note(c, STIX_ERROR, p->terms->clause, p->terms->name, v, "`%.*s` must be one of: %s",
                  STR_FMT(p->name), p->terms->words);
}

static void check_vocabulary(struct check *c, const struct stix_prop *p, const struct json *v)
{
    if (is_string(c, v) && !stix_word_in(p->terms->words, v->u.s))
        stix_note(c, STIX_WARNING, p->terms->clause, p->terms->name, v,
                  "\"%.*s\" is not in the vocabulary %s; take one of its terms if one fits%s",
                  STR_FMT(v->u.s), p->terms->name,
                  stix_format_lower_hyphen(v->u.s) ? ""
                                                   : ", else write it in lower case with hyphens");
}

static void check_lower(struct check *c, const struct stix_prop *p, const struct json *v)
{
    if (is_string(c, v) && !stix_format_lower_hyphen(v->u.s))
        stix_note(c, STIX_WARNING, c->shape->clause, "lower-case-hyphens", v,
                  "`%.*s` should be in lower case with hyphens between words", STR_FMT(p->name));
}

/* STIX 2.1 §5.1.2: ASCII a-z, 0-9 and hyphen. */
static void check_relation(struct check *c, const struct stix_prop *p, const struct json *v)
{
    bool good = true;
    (void)p;
    if (!is_string(c, v))
        return;
    for (size_t i = 0; i < v->u.s.n; i++)
        good = good &&
               (stix_is_lower(v->u.s.p[i]) || stix_is_digit(v->u.s.p[i]) || v->u.s.p[i] == '-');
    if (!good || v->u.s.n == 0)
        stix_note(c, STIX_ERROR, "5.1.2", "relationship-type", v,
                  "a relationship type is written with a-z, 0-9 and hyphen only");
}

/* ---- formats ---- */

static void check_format(struct check *c, const struct stix_prop *p, const struct json *v,
                         bool (*ok)(struct str), const char *what)
{
    if (is_string(c, v) && !ok(v->u.s))
        stix_note(c, p->flags & STIX_ADVISED ? STIX_WARNING : STIX_ERROR, c->shape->clause,
                  "format", v, "\"%.*s\" is not %s", (int)(v->u.s.n > 200 ? 200 : v->u.s.n),
                  v->u.s.p, what);
}

#define FORMAT(kind, what)                                                                         \
    static void check_##kind(struct check *c, const struct stix_prop *p, const struct json *v)     \
    {                                                                                              \
        check_format(c, p, v, stix_format_##kind, what);                                           \
    }
FORMAT(domain, "a domain name (RFC 1034, RFC 5890)")
FORMAT(email, "an address without display name (RFC 5322 addr-spec)")
FORMAT(ipv4, "an IPv4 address or block in CIDR notation")
FORMAT(ipv6, "an IPv6 address or block in CIDR notation")
FORMAT(mac, "a MAC address in lower case with colons, like 00:00:ab:cd:ef:01")
FORMAT(url, "a URL with a scheme (RFC 3986)")
FORMAT(mime, "a media type under a registered top-level type, like application/pdf")
FORMAT(charset, "a name of the IANA character set registry, like windows-1252")
FORMAT(language, "a language code of RFC 5646, like en or pt-BR")
FORMAT(cpe, "a CPE 2.3 formatted string, like cpe:2.3:a:vendor:product:1:*:*:*:*:*:*:*")

static void check_binary(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (is_string(c, v) && !stix_format_base64(v->u.s))
        stix_note(c, STIX_ERROR, "2.1", "base64", v,
                  "the bytes must be written in base64 (RFC 4648 section 4) with padding");
}

static void check_hex(struct check *c, const struct stix_prop *p, const struct json *v)
{
    bool upper;
    (void)p;
    if (!is_string(c, v))
        return;
    if (!stix_format_hex(v->u.s, &upper))
        stix_note(c, STIX_ERROR, "2.8", "hex", v,
                  "expected an even number of hexadecimal digits 0-9 and a-f");
    else if (upper) /* the text's own examples have capitals */
        stix_note(c, STIX_WARNING, "2.8", "hex-case", v, "hexadecimal is written with a-f");
}

/* STIX 2.1 §4.10.1: ISO 3166-1 alpha-2 where possible. */
static void check_country(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (is_string(c, v) &&
        (v->u.s.n != 2 || !stix_is_alpha(v->u.s.p[0]) || !stix_is_alpha(v->u.s.p[1])))
        stix_note(c, STIX_WARNING, "4.10", "country-code", v,
                  "`country` should be a code of ISO 3166-1 alpha-2, like in or jp");
}

/* STIX 2.1 §6.17.1: the hive is written out. */
static void check_hive(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (!is_string(c, v))
        return;
    struct str rest = v->u.s, hive = str_cut(&rest, '\\');
    if (str_eq_nocase(hive, STR("HKLM")) || str_eq_nocase(hive, STR("HKCU")) ||
        str_eq_nocase(hive, STR("HKCR")) || str_eq_nocase(hive, STR("HKCC")) ||
        str_eq_nocase(hive, STR("HKU")))
        stix_note(c, STIX_ERROR, "6.17", "truncated-hive", v,
                  "write the hive out, like HKEY_LOCAL_MACHINE, not %.*s", STR_FMT(hive));
}

/* ---- dictionaries ---- */

/* STIX 2.1 §2.3, §2.7. */
static bool key_ok(struct check *c, const struct json *m, const char *clause, size_t least)
{
    bool good = m->key.n >= least && m->key.n <= 250;
    for (size_t i = 0; i < m->key.n && good; i++) {
        char k = m->key.p[i];
        good = stix_is_alpha(k) || stix_is_digit(k) || k == '-' || k == '_';
    }
    if (!good)
        stix_note(c, STIX_ERROR, clause, "key", m,
                  "a key is at most 250 characters of a-z, A-Z, 0-9, hyphen and underscore");
    return good;
}

static bool is_dictionary(struct check *c, const struct json *v, const char *clause)
{
    if (v->type != JSON_OBJECT)
        stix_note(c, STIX_ERROR, clause, "dictionary", v, "expected a JSON object, not %s",
                  json_type_name(v->type));
    else if (v->count == 0)
        stix_note(c, STIX_ERROR, clause, "empty-dictionary", v,
                  "a dictionary has at least one key; leave the property out instead");
    return v->type == JSON_OBJECT;
}

static void check_hashes(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (!is_dictionary(c, v, "2.7"))
        return;
    for (const struct json *m = v->u.child; m != NULL; m = m->next) {
        bool known = true;
        stix_push(c, m);
        (void)key_ok(c, m, "2.7", 3);
        if (is_string(c, m) && !stix_format_hash(m->key, m->u.s, &known))
            stix_note(c, STIX_ERROR, "10.7", "hash-value", m, "this is no %.*s hash",
                      STR_FMT(m->key));
        if (!known)
            stix_note(c, STIX_WARNING, "10.7", "hash-algorithm-ov", m,
                      "`%.*s` is not in the vocabulary hash-algorithm-ov; write names as there "
                      "(MD5, SHA-1, SHA-256 ...)",
                      STR_FMT(m->key));
        stix_pop(c);
    }
}

static bool strings_only(const struct json *v)
{
    bool good = v->type == JSON_ARRAY;
    for (const struct json *e = good ? v->u.child : NULL; e != NULL; e = e->next)
        good = good && e->type == JSON_STRING;
    return good;
}

static void check_dictionary_value(struct check *c, const struct stix_prop *p, const struct json *m)
{
    bool good = p->values == NULL ? m->type != JSON_NULL : false;
    if (p->values != NULL)
        good = (m->type == JSON_STRING && stix_word_in(p->values, STR("string"))) ||
               (m->type == JSON_INTEGER && stix_word_in(p->values, STR("integer"))) ||
               (strings_only(m) && stix_word_in(p->values, STR("strings")));
    /* The text's own example writes single header fields of a mail as strings. */
    bool mail = m->type == JSON_STRING && str_eq(p->name, STR("additional_header_fields"));
    if (!good)
        stix_note(c, mail ? STIX_WARNING : STIX_ERROR, c->shape->clause, "dictionary-value", m,
                  "a value of `%.*s` must be %s", STR_FMT(p->name),
                  p->values == NULL                          ? "present, not null"
                  : stix_word_in(p->values, STR("strings"))  ? "a list of strings"
                  : !stix_word_in(p->values, STR("integer")) ? "a string"
                  : stix_word_in(p->values, STR("string"))   ? "an integer or a string"
                                                             : "an integer");
}

static void check_dictionary(struct check *c, const struct stix_prop *p, const struct json *v)
{
    if (!is_dictionary(c, v, "2.3"))
        return;
    for (const struct json *m = v->u.child; m != NULL; m = m->next) {
        stix_push(c, m);
        if (key_ok(c, m, "2.3", 1))
            check_dictionary_value(c, p, m);
        stix_pop(c);
    }
}

static void check_struct(struct check *c, const struct stix_prop *p, const struct json *v)
{
    stix_check_struct(c, p->shape, v);
}

/* ---- extensions (§3.2, §3.10, §7.3, §11.3) ---- */

static void check_predefined(struct check *c, const struct stix_shape *s, const struct json *x)
{
    if (!str_eq(str_of(s->extension), json_get_str(c->object, STR("type"))) && c->container == NULL)
        stix_note(c, STIX_ERROR, s->clause, "extension-type", x,
                  "`%.*s` belongs on %s objects only", STR_FMT(x->key), s->extension);
    stix_check_struct(c, s, x);
}

/* Its properties are named as all are (§3.1). */
static void check_custom_content(struct check *c, const struct json *x)
{
    for (const struct json *m = x->u.child; m != NULL; m = m->next) {
        stix_push(c, m);
        if (stix_check_name(c, m))
            stix_check_unknown_value(c, m);
        stix_pop(c);
    }
}

/* STIX 2.1 §7.3: the definition's id as key, its kind in `extension_type`. */
static void check_defined(struct check *c, const struct json *x)
{
    const struct json *kind = json_get(x, STR("extension_type"));
    struct err e;
    if (!stix_id_parse(x->key, NULL, &e))
        stix_note(c, STIX_ERROR, "2.9", "identifier", x,
                  "%s; the key is an extension-definition's id", e.msg);
    if (!json_is(kind, JSON_STRING) || !stix_word_in(stix_extension_type_enum.words, kind->u.s)) {
        stix_note(c, STIX_ERROR, "10.5", "extension-type-enum", kind ? kind : x,
                  "an extension must have an `extension_type`, one of: %s",
                  stix_extension_type_enum.words);
        return;
    }
    if (str_eq(kind->u.s, STR("toplevel-property-extension")))
        c->toplevel_extension = true;
}

/* STIX 2.1 §11.3: what is no extension of this version nor defined by an object ends in -ext. */
static void check_custom_extension(struct check *c, const struct json *x)
{
    if (!stix_type_name_ok(x->key) || !str_ends(x->key, STR("-ext")))
        stix_note(c, STIX_ERROR, "11.3", "extension-key", x,
                  "`%.*s` must end in -ext and have a-z, 0-9 and hyphen; better, key it by the id "
                  "of an extension definition",
                  STR_FMT(x->key));
    else
        stix_note(c, STIX_WARNING, "11.3", "custom-extension", x,
                  "`%.*s` is no extension of this version; key it by the id of an extension "
                  "definition",
                  STR_FMT(x->key));
}

static void check_extension(struct check *c, const struct json *x)
{
    const struct stix_shape *s = stix_shape_of_extension(x->key);
    if (x->type != JSON_OBJECT || x->count == 0) {
        stix_note(c, STIX_ERROR, "3.2", "extension-content", x,
                  "an extension is a JSON object with its properties");
        return;
    }
    if (s != NULL) {
        check_predefined(c, s, x);
        return;
    }
    if (str_starts(x->key, STR("extension-definition--")))
        check_defined(c, x);
    else
        check_custom_extension(c, x);
    check_custom_content(c, x);
}

static void check_extensions(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (!is_dictionary(c, v, "3.2"))
        return;
    for (const struct json *x = v->u.child; x != NULL; x = x->next) {
        stix_push(c, x);
        check_extension(c, x);
        stix_pop(c);
    }
}

/* ---- selectors (§7.2.3), translations (§7.1), embedded observables (§2.13) ---- */

static void check_selector(struct check *c, const struct stix_prop *p, const struct json *v)
{
    const struct json *target;
    uint64_t steps = 0;
    struct err e;
    (void)p;
    if (!is_string(c, v) || c->spent)
        return;
    bool found = stix_selector_walk(c->object, v->u.s, &target, &steps, &e);
    if (stix_spend(c, steps, v) && !found)
        stix_note(c, STIX_ERROR, "7.2.3", "selector", v, "%s", e.msg);
}

static void check_contents(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (!is_dictionary(c, v, "7.1"))
        return;
    for (const struct json *m = v->u.child; m != NULL; m = m->next) {
        stix_push(c, m);
        if (!stix_format_language(m->key))
            stix_note(c, STIX_ERROR, "7.1", "language-code", m,
                      "a key of `contents` must be a language code of RFC 5646, like de");
        if (is_dictionary(c, m, "7.1"))
            for (const struct json *t = m->u.child; t != NULL; t = t->next) {
                stix_push(c, t);
                (void)stix_check_name(c, t);
                if (t->type != JSON_STRING && t->type != JSON_ARRAY && t->type != JSON_OBJECT)
                    stix_note(c, STIX_ERROR, "7.1", "translation", t,
                              "a translation is a string, a list or an object, not %s",
                              json_type_name(t->type));
                stix_pop(c);
            }
        stix_pop(c);
    }
}

static bool counting_key(struct str key)
{
    uint64_t n;
    return str_to_u64(key, &n);
}

/* Observables inside observed-data have neither id nor version of their own; types and properties
 * may be those of STIX 2.0, so what no table knows is custom. */
static void check_observable(struct check *c, const struct json *m)
{
    const struct json *type = json_get(m, STR("type"));
    const struct stix_shape *s = json_is(type, JSON_STRING) ? stix_shape_of(type->u.s) : NULL;
    if (!counting_key(m->key))
        stix_note(c, STIX_WARNING, "2.9", "container-key", m,
                  "keys of `objects` should count up from \"0\"");
    if (!json_is(type, JSON_STRING)) {
        stix_note(c, STIX_ERROR, "2.13", "observable-type", m,
                  "an observable must be a JSON object with a `type`");
        return;
    }
    if (s == NULL)
        return;
    if (s->set != STIX_IN_SCO) {
        stix_note(c, STIX_ERROR, "2.13", "observable-type", type,
                  "`objects` holds cyber-observables only, not %.*s", STR_FMT(type->u.s));
        return;
    }
    unsigned set = c->set;
    c->set = STIX_IN_OBSERVABLE;
    stix_check_struct(c, s, m);
    c->set = set;
}

static void check_observables(struct check *c, const struct stix_prop *p, const struct json *v)
{
    (void)p;
    if (!is_dictionary(c, v, "2.13"))
        return;
    c->container = v;
    for (const struct json *m = v->u.child; m != NULL; m = m->next) {
        stix_push(c, m);
        check_observable(c, m);
        stix_pop(c);
    }
    c->container = NULL;
}

stix_value_fn *const stix_value_checks[] = {
    [STIX_ANY] = check_any,
    [STIX_BINARY] = check_binary,
    [STIX_BOOLEAN] = check_boolean,
    [STIX_CHARSET] = check_charset,
    [STIX_CONTENTS] = check_contents,
    [STIX_COUNTRY] = check_country,
    [STIX_CPE] = check_cpe,
    [STIX_CREATED] = check_created,
    [STIX_DICTIONARY] = check_dictionary,
    [STIX_DOMAIN] = check_domain,
    [STIX_EMAIL] = check_email,
    [STIX_ENUM] = check_enum,
    [STIX_EXTENSIONS] = check_extensions,
    [STIX_FLOAT] = check_float,
    [STIX_HASHES] = check_hashes,
    [STIX_HEX] = check_hex,
    [STIX_HIVE] = check_hive,
    [STIX_INTEGER] = check_integer,
    [STIX_IPV4] = check_ipv4,
    [STIX_IPV6] = check_ipv6,
    [STIX_LANGUAGE] = check_language,
    [STIX_LOWER] = check_lower,
    [STIX_MAC] = check_mac,
    [STIX_MIME] = check_mime,
    [STIX_OBJECT_ID] = check_object_id,
    [STIX_OBSERVABLES] = check_observables,
    [STIX_REF] = check_ref,
    [STIX_RELATION] = check_relation,
    [STIX_SELECTOR] = check_selector,
    [STIX_SPEC_VERSION] = check_spec_version,
    [STIX_STRING] = check_string,
    [STIX_STRUCT] = check_struct,
    [STIX_TIMESTAMP] = check_timestamp,
    [STIX_TYPE] = check_type,
    [STIX_URL] = check_url,
    [STIX_VOCABULARY] = check_vocabulary,
};
