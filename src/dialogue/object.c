/* Checking the objects of the dialogue: the JSON schemas that are published are the ones obeyed
 * here, so nothing is said twice. Of JSON Schema this reads what those files use; what several
 * members must satisfy together stands below as rules. */
#include <stdio.h>

#include "dialogue/dialogue_priv.h"
#include "stix/stix.h"

struct dialogue_rules {
    const struct json *common;
    const struct json *schema[DIALOGUE_TYPE_COUNT];
};

static const char *const type_names[] = {
#define X(id, type, file) type,
    DIALOGUE_TYPES(X)
#undef X
};
_Static_assert(sizeof type_names / sizeof type_names[0] == DIALOGUE_TYPE_COUNT, "types");

bool dialogue_type_of(struct str type, enum dialogue_type *out)
{
    for (size_t i = 0; i < DIALOGUE_TYPE_COUNT; i++)
        if (str_eq(type, str_of(type_names[i]))) {
            *out = (enum dialogue_type)i;
            return true;
        }
    return false;
}

const char *dialogue_type_name(enum dialogue_type type)
{
    must((size_t)type < DIALOGUE_TYPE_COUNT);
    return type_names[type];
}

const char *dialogue_extension_id(enum dialogue_type type)
{
    /* As in schemas/extensions.json; the test compares. */
    static const char *const ids[] = {
        [DIALOGUE_REQUEST] = "extension-definition--be716d59-1368-481f-aa39-ab497ddd51e5",
        [DIALOGUE_MOVE] = "extension-definition--a169360f-c199-42d1-abca-bd5f064ca653",
        [DIALOGUE_CONTACT] = "extension-definition--6084afa5-c683-419c-9f2b-3f688f6f6d6d",
        [DIALOGUE_INSTRUMENT] = "extension-definition--d65c730d-3f0a-4cb8-8482-f020d832f950",
        [DIALOGUE_ROUND] = "extension-definition--067d878a-89ed-45fb-978f-b1905450af5b",
        [DIALOGUE_COMMITMENT] = "extension-definition--bdd068e4-1559-4013-a3f4-ae3d22d40a6f",
        [DIALOGUE_MEASURE] = "extension-definition--521b801e-6ff1-4740-9d8b-08be221a1dd5",
        [DIALOGUE_ASSESSMENT] = "extension-definition--4576adaf-29a7-4e50-b5e7-ba887e6815a0",
    };
    must((size_t)type < DIALOGUE_TYPE_COUNT);
    return ids[type];
}

bool dialogue_rules_load(struct arena *a, struct json_reader *jr, const struct dialogue_rules **out,
                         struct err *e)
{
    struct dialogue_rules *r = arena_calloc(a, 1, sizeof *r);
    if (!r)
        return arena_ok(a, e) ? err_set(e, ERR_MEMORY, "no memory for schemas") : false;
    if (!json_parse(jr, a, dialogue_data(DIALOGUE_COMMON), false, &r->common, e))
        return err_prefix(e, "schemas/common.json");
    for (size_t i = 0; i < DIALOGUE_TYPE_COUNT; i++)
        if (!json_parse(jr, a, dialogue_schema((enum dialogue_type)i), false, &r->schema[i], e))
            return err_prefix(e, "schemas/%s.json", type_names[i]);
    *out = r;
    return true;
}

/* ---- one check ---- */

struct checking {
    const struct dialogue_rules *rules;
    dialogue_finding_fn *report;
    void *ctx;
    size_t count;
    char path[256];
};

static void BASE_PRINTF(3, 4) note(struct checking *c, const struct json *v, const char *fmt, ...)
{
    char text[500];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->count++;
    size_t used = n < (int)sizeof text ? (size_t)n : sizeof text - 1;
    c->report(c->ctx, v->at, str_of(c->path), (struct str){text, used});
}

/* Goes one step down the path; what path_back is given. */
static size_t path_member(struct checking *c, struct str name)
{
    size_t n = strlen(c->path);
    snprintf(c->path + n, sizeof c->path - n, ".%.*s", STR_FMT(name));
    return n;
}

static size_t path_index(struct checking *c, size_t i)
{
    size_t n = strlen(c->path);
    snprintf(c->path + n, sizeof c->path - n, "[%zu]", i);
    return n;
}

static const struct json *resolve(const struct checking *c, const struct json *schema)
{
    struct str ref = json_get_str(schema, STR("$ref"));
    struct str prefix = STR("common.json#/$defs/");
    if (!ref.n)
        return schema;
    must(str_starts(ref, prefix));
    const struct json *found =
        json_get(json_get(c->rules->common, STR("$defs")), str_from(ref, prefix.n));
    must(found != NULL);
    return found;
}

static bool keyword_number(const struct json *schema, const char *name, double *out)
{
    const struct json *v = json_get(schema, str_of(name));
    if (json_is(v, JSON_INTEGER))
        *out = (double)v->u.i;
    return json_is(v, JSON_INTEGER);
}

static bool type_fits(struct str type, const struct json *v)
{
    if (str_eq(type, STR("object")))
        return v->type == JSON_OBJECT;
    if (str_eq(type, STR("array")))
        return v->type == JSON_ARRAY;
    if (str_eq(type, STR("string")))
        return v->type == JSON_STRING;
    if (str_eq(type, STR("boolean")))
        return v->type == JSON_TRUE || v->type == JSON_FALSE;
    if (str_eq(type, STR("integer")))
        return v->type == JSON_INTEGER;
    return v->type == JSON_INTEGER || v->type == JSON_NUMBER;
}

/* ---- values ---- */

static bool date_sound(struct str s)
{
    char text[24];
    struct instant t;
    struct err e;
    if (s.n != 10)
        return false;
    memcpy(text, s.p, 10);
    memcpy(text + 10, "T00:00:00Z", 10);
    return instant_parse((struct str){text, 20}, &t, &e);
}

static void check_format(struct checking *c, const struct json *v, struct str format)
{
    struct instant t;
    struct err e;
    if (str_eq(format, STR("date-time")) && !instant_parse(v->u.s, &t, &e))
        note(c, v, "%s", e.msg);
    else if (str_eq(format, STR("date")) && !date_sound(v->u.s))
        note(c, v, "is no date; write it as 2026-01-31");
    else if (str_eq(format, STR("stix-id")) && !stix_id_parse(v->u.s, NULL, &e))
        note(c, v, "%s", e.msg);
    if (!str_eq(format, STR("side")))
        return;
    bool sound = v->u.s.n >= 2 && v->u.s.n <= 8;
    for (size_t i = 0; i < v->u.s.n; i++)
        sound &= v->u.s.p[i] >= 'A' && v->u.s.p[i] <= 'Z';
    if (!sound)
        note(c, v, "is no side; a side is a code of capital letters, as in IN");
}

static void check_string(struct checking *c, const struct json *schema, const struct json *v)
{
    double limit;
    struct str format = json_get_str(schema, STR("format"));
    if (keyword_number(schema, "minLength", &limit) && (double)v->u.s.n < limit)
        note(c, v, "is too short");
    if (keyword_number(schema, "maxLength", &limit) && (double)v->u.s.n > limit)
        note(c, v, "is longer than %.0f bytes", limit);
    if (format.n)
        check_format(c, v, format);
}

static void check_number(struct checking *c, const struct json *schema, const struct json *v)
{
    double limit, is = v->type == JSON_INTEGER ? (double)v->u.i : v->u.d;
    if (keyword_number(schema, "minimum", &limit) && is < limit)
        note(c, v, "is less than %.0f", limit);
    if (keyword_number(schema, "maximum", &limit) && is > limit)
        note(c, v, "is more than %.0f", limit);
}

static void check_value(struct checking *c, const struct json *schema, const struct json *v);

static void check_array(struct checking *c, const struct json *schema, const struct json *v)
{
    double limit;
    const struct json *items = json_get(schema, STR("items"));
    const struct json *unique = json_get(schema, STR("uniqueItems"));
    size_t i = 0;
    if (keyword_number(schema, "minItems", &limit) && v->count < limit)
        note(c, v, "has %u elements; at least %.0f are needed", v->count, limit);
    if (keyword_number(schema, "maxItems", &limit) && v->count > limit) {
        note(c, v, "has %u elements; at most %.0f are allowed", v->count, limit);
        return;
    }
    for (const struct json *m = v->u.child; m; m = m->next, i++) {
        size_t back = path_index(c, i);
        if (items)
            check_value(c, items, m);
        for (const struct json *o = v->u.child; json_is(unique, JSON_TRUE) && i < 1000 && o != m;
             o = o->next)
            if (json_equal(o, m)) {
                note(c, m, "stands there twice");
                break;
            }
        c->path[back] = '\0';
    }
}

static void check_object(struct checking *c, const struct json *schema, const struct json *v)
{
    double limit;
    const struct json *required = json_get(schema, STR("required"));
    const struct json *properties = json_get(schema, STR("properties"));
    const struct json *others = json_get(schema, STR("additionalProperties"));
    for (const struct json *n = required ? required->u.child : NULL; n; n = n->next)
        if (!json_get(v, n->u.s))
            note(c, v, "needs `%.*s`", STR_FMT(n->u.s));
    if (keyword_number(schema, "minProperties", &limit) && v->count < limit)
        note(c, v, "has %u members; at least %.0f are needed", v->count, limit);
    for (const struct json *m = v->u.child; m; m = m->next) {
        const struct json *own = json_get(properties, m->key);
        size_t back = path_member(c, m->key);
        if (own)
            check_value(c, own, m);
        else if (json_is(others, JSON_OBJECT))
            check_value(c, others, m);
        else if (json_is(others, JSON_FALSE))
            note(c, m, "is no member of this type");
        c->path[back] = '\0';
    }
}

static void check_enum(struct checking *c, const struct json *words, const struct json *v)
{
    for (const struct json *w = words->u.child; w; w = w->next)
        if (json_equal(w, v))
            return;
    note(c, v, "is none of the words of its list, as in `%.*s`",
         STR_FMT(words->u.child ? words->u.child->u.s : STR_NONE));
}

static void check_value(struct checking *c, const struct json *schema, const struct json *v)
{
    schema = resolve(c, schema);
    const struct json *words = json_get(schema, STR("enum"));
    struct str type = json_get_str(schema, STR("type"));
    if (words) {
        check_enum(c, words, v);
    } else if (type.n && !type_fits(type, v)) {
        note(c, v, "is %s where %.*s is needed", json_type_name(v->type), STR_FMT(type));
    } else if (v->type == JSON_STRING) {
        check_string(c, schema, v);
    } else if (v->type == JSON_INTEGER || v->type == JSON_NUMBER) {
        check_number(c, schema, v);
    } else if (v->type == JSON_ARRAY) {
        check_array(c, schema, v);
    } else if (v->type == JSON_OBJECT) {
        check_object(c, schema, v);
    }
}

/* ---- what members must satisfy together ---- */

static void check_order(struct checking *c, const struct json *v, const char *first,
                        const char *second)
{
    struct str a = json_get_str(v, str_of(first)), b = json_get_str(v, str_of(second));
    struct instant x, y;
    struct err e;
    if (!a.n || !b.n)
        return;
    bool times = instant_parse(a, &x, &e) && instant_parse(b, &y, &e);
    if (times ? instant_cmp(x, y) > 0 : date_sound(a) && date_sound(b) && str_cmp(a, b) > 0)
        note(c, v, "`%s` is before `%s`", second, first);
}

static void check_needs(struct checking *c, const struct json *v, bool when, const char *name,
                        const char *why)
{
    if (when && !json_get(v, str_of(name)))
        note(c, v, "%s needs `%s`", why, name);
}

static void rules_of_move(struct checking *c, const struct json *v)
{
    struct str event = json_get_str(v, STR("event"));
    bool move = str_eq(event, STR("move")), pause = str_eq(event, STR("pause"));
    enum dialogue_state from, to;
    struct err e;
    check_needs(c, v, move, "from_state", "a move");
    check_needs(c, v, move, "to_state", "a move");
    check_needs(c, v, pause, "reason_code", "a pause");
    check_needs(c, v, str_eq(event, STR("note")), "text", "a note");
    if (!move || !dialogue_state_parse(json_get_str(v, STR("from_state")), &from) ||
        !dialogue_state_parse(json_get_str(v, STR("to_state")), &to))
        return;
    if (!dialogue_move_allowed(from, to, DIALOGUE_ASKING, &e) &&
        !dialogue_move_allowed(from, to, DIALOGUE_ASKED, &e) &&
        !dialogue_move_allowed(from, to, DIALOGUE_CLOCK, &e))
        note(c, v, "a request does not go from %s to %s", dialogue_state_name(from),
             dialogue_state_name(to));
    check_needs(c, v, dialogue_move_needs_reason(to), "reason_code", dialogue_state_name(to));
    check_needs(c, v, to == DIALOGUE_REFERRED, "referred_to_ref", "a referral");
}

static bool in_sides(const struct json *v, struct str code)
{
    const struct json *sides = json_get(v, STR("sides"));
    for (const struct json *s = json_is(sides, JSON_ARRAY) ? sides->u.child : NULL; s; s = s->next)
        if (json_is(s, JSON_STRING) && str_eq(s->u.s, code))
            return true;
    return false;
}

static void rules_of_round(struct checking *c, const struct json *v)
{
    const struct json *heads = json_get(v, STR("heads")), *host = json_get(v, STR("host"));
    const struct json *agencies = json_get(v, STR("agencies"));
    check_order(c, v, "date", "date_end");
    if (json_is(host, JSON_STRING) && !in_sides(v, host->u.s))
        note(c, host, "the host is none of the sides");
    for (const struct json *h = json_is(heads, JSON_ARRAY) ? heads->u.child : NULL; h; h = h->next)
        if (!in_sides(v, json_get_str(h, STR("side"))))
            note(c, h, "a head leads none of the sides");
    for (const struct json *a = json_is(agencies, JSON_OBJECT) ? agencies->u.child : NULL; a;
         a = a->next)
        if (!in_sides(v, a->key))
            note(c, a, "agencies of `%.*s`, which is none of the sides", STR_FMT(a->key));
}

static void rules_of_commitment(struct checking *c, const struct json *v)
{
    struct str kind = json_get_str(v, STR("kind"));
    check_needs(c, v, str_eq(kind, STR("dated")), "due", "a dated commitment");
    check_needs(c, v, str_eq(kind, STR("recurring")), "every_months", "a recurring commitment");
    if (!json_get(v, STR("round_ref")) && !json_get(v, STR("instrument_ref")))
        note(c, v,
             "a commitment stands in a round or an instrument: name it in `round_ref` or "
             "`instrument_ref`");
}

static void rules_of(struct checking *c, enum dialogue_type type, const struct json *v)
{
    check_order(c, v, "created", "modified");
    switch (type) {
    case DIALOGUE_REQUEST:
        check_order(c, v, "acknowledge_by", "answer_by");
        break;
    case DIALOGUE_MOVE:
        rules_of_move(c, v);
        break;
    case DIALOGUE_CONTACT:
        check_order(c, v, "valid_from", "valid_until");
        break;
    case DIALOGUE_INSTRUMENT:
        check_order(c, v, "in_force_from", "in_force_until");
        break;
    case DIALOGUE_ROUND:
        rules_of_round(c, v);
        break;
    case DIALOGUE_COMMITMENT:
        rules_of_commitment(c, v);
        break;
    case DIALOGUE_MEASURE:
    case DIALOGUE_ASSESSMENT:
        break;
    }
}

size_t dialogue_object_check(const struct dialogue_rules *rules, const struct json *v,
                             dialogue_finding_fn *report, void *ctx)
{
    struct checking c = {.rules = rules, .report = report, .ctx = ctx, .path = "$"};
    enum dialogue_type type;
    struct str prefix, id = json_get_str(v, STR("id"));
    struct err e;
    if (!dialogue_type_of(json_get_str(v, STR("type")), &type)) {
        note(&c, v, "is no object of the dialogue");
        return c.count;
    }
    check_value(&c, rules->schema[type], v);
    if (id.n && stix_id_parse(id, &prefix, &e) && !str_eq(prefix, str_of(type_names[type])))
        note(&c, v, "the id is of another type");
    rules_of(&c, type, v);
    return c.count;
}

bool dialogue_norm_computable(struct str letter)
{
    return letter.n == 1 && letter.p[0] >= 'a' && letter.p[0] <= 'k' && letter.p[0] != 'f' &&
           letter.p[0] != 'k';
}
