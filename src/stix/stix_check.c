#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stix/stix.h"

#include "stix/stix_priv.h"

/* ---- findings ---- */

static void path_name(struct buf *out, struct str key)
{
    bool plain = key.n > 0;
    for (size_t k = 0; k < key.n; k++)
        plain = plain && (stix_is_alpha(key.p[k]) || stix_is_digit(key.p[k]) || key.p[k] == '_');
    buf_lit(out, plain ? "." : "['");
    buf_str(out, key);
    buf_lit(out, plain ? "" : "']");
}

/* The path of the check; a finding may also speak of a member of what stands there. */
static void path_text(const struct check *c, const struct json *v, struct buf *out)
{
    buf_byte(out, '$');
    for (size_t i = 0; i < c->depth; i++) {
        if (c->path[i].index >= 0)
            buf_printf(out, "[%" PRId64 "]", c->path[i].index);
        else
            path_name(out, c->path[i].v->key);
    }
    bool here = v == c->object || (c->depth > 0 && c->path[c->depth - 1].v == v);
    if (!here && v->key.p != NULL)
        path_name(out, v->key);
}

void stix_note(struct check *c, enum stix_severity severity, const char *clause, const char *words,
               const struct json *v, const char *fmt, ...)
{
    char rule[160], message[1200];
    if (severity == STIX_ERROR || c->o->strict)
        c->errors++;
    c->findings++;
    if (c->findings > LIMIT_STIX_FINDINGS)
        return;
    if (c->findings == LIMIT_STIX_FINDINGS) {
        words = "too-many-findings";
        fmt = "this object has more findings than are shown; mend these first";
    }
    /* A clause of another standard brings its name along. */
    const char *standard = clause[0] == 't' ? "" : "stix21-";
    int n = snprintf(rule, sizeof(rule), "%s%s-%s", standard, clause, words);
    must(n > 0 && (size_t)n < sizeof(rule));
    va_list args;
    va_start(args, fmt);
    n = vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    must(n >= 0);
    buf_clear(&c->path_text);
    path_text(c, v, &c->path_text);
    c->report(c->ctx, &(struct stix_finding){
                          .severity = severity,
                          .rule = rule,
                          .object = c->id,
                          .path = buf_view(&c->path_text),
                          .at = v->at,
                          .message = {message, strnlen(message, sizeof(message) - 1)},
                          .unjudged = c->unjudged,
                      });
}

bool stix_spend(struct check *c, uint64_t steps, const struct json *v)
{
    c->steps += steps;
    if (c->steps <= LIMIT_STIX_STEPS)
        return true;
    if (!c->spent)
        stix_note(c, STIX_ERROR, "8", "too-much-work", v,
                  "the document costs too much to check from here on; split it");
    c->spent = true;
    return false;
}

void stix_push(struct check *c, const struct json *member)
{
    must(c->depth < sizeof(c->path) / sizeof(c->path[0]));
    c->path[c->depth++] = (struct stix_step){member, -1};
}

void stix_push_index(struct check *c, size_t index)
{
    must(c->depth < sizeof(c->path) / sizeof(c->path[0]));
    c->path[c->depth++] = (struct stix_step){NULL, (int64_t)index};
}

void stix_pop(struct check *c)
{
    must(c->depth > 0);
    c->depth--;
}

/* ---- names ---- */

/* STIX 2.1 §3.1, §11.1.1. Capitals and names over 250 characters are warnings: published producers
 * write them, and such a name still means one thing only. */
bool stix_check_name(struct check *c, const struct json *m)
{
    bool upper = false, good = m->key.n >= 3 && stix_is_lower(m->key.p[0]);
    if (str_eq(m->key, STR("id")))
        return true;
    for (size_t i = 0; i < m->key.n && good; i++) {
        char k = m->key.p[i];
        upper |= k >= 'A' && k <= 'Z';
        good = stix_is_alpha(k) || stix_is_digit(k) || k == '_';
    }
    if (!good)
        stix_note(c, STIX_ERROR, "3.1", "property-name", m,
                  "a property name is 3 to 250 characters of a-z, 0-9 and underscore and begins "
                  "with a letter; rename `%.*s`",
                  STR_FMT(m->key));
    else if (upper || m->key.n > 250)
        stix_note(c, STIX_WARNING, "3.1", "property-name-case", m,
                  "a property name is in lower case and at most 250 characters long; rename `%.*s`",
                  STR_FMT(m->key));
    return good;
}

/* STIX 2.1 §3.8 (both spellings of the published texts). */
static bool reserved(struct str name)
{
    return stix_word_in("action phone_number phone_numbers severity username", name);
}

static void note_null(struct check *c, const struct json *v)
{
    stix_note(c, STIX_ERROR, "3.1", "null", v, "a property is never null; leave it out");
}

static void note_empty_list(struct check *c, const struct json *v)
{
    stix_note(c, STIX_ERROR, "2.12", "empty-list", v,
              "a list has at least one value; leave the property out instead");
}

void stix_check_unknown_value(struct check *c, const struct json *m)
{
    if (m->type == JSON_NULL)
        note_null(c, m);
    else if (m->type == JSON_ARRAY && m->count == 0)
        note_empty_list(c, m);
    else if (str_ends(m->key, STR("_bin")))
        stix_value_checks[STIX_BINARY](c, NULL, m);
    else if (str_ends(m->key, STR("_hex")))
        stix_value_checks[STIX_HEX](c, NULL, m);
}

static void check_unknown(struct check *c, const struct stix_shape *s, struct stix_memo *memo,
                          const struct json *m)
{
    stix_check_unknown_value(c, m);
    if (memo->mentioned)
        return;
    if (s->set != 0 && reserved(m->key)) {
        stix_note(c, STIX_ERROR, "3.8", "reserved-name", m,
                  "`%.*s` is reserved for a future version; leave it out", STR_FMT(m->key));
        return;
    }
    if (!stix_check_name(c, m))
        return;
    memo->mentioned = c->known != NULL;
    if (stix_known_first(c, s, m->key) && c->custom++ == 0)
        c->custom_first = m;
}

/* ---- values ---- */

static void check_list(struct check *c, const struct stix_prop *p, const struct json *v)
{
    size_t i = 0;
    if (v->type != JSON_ARRAY) {
        stix_note(c, STIX_ERROR, "2.12", "list", v, "expected a list, not %s; write it in [ ]",
                  json_type_name(v->type));
        return;
    }
    if (v->count == 0)
        note_empty_list(c, v);
    for (const struct json *e = v->u.child; e != NULL; e = e->next, i++) {
        stix_push_index(c, i);
        stix_value_checks[p->kind](c, p, e);
        stix_pop(c);
    }
}

void stix_check_prop(struct check *c, const struct stix_prop *p, const struct json *v)
{
    if (v->type == JSON_NULL)
        note_null(c, v);
    else if (p->flags & STIX_LIST)
        check_list(c, p, v);
    else
        stix_value_checks[p->kind](c, p, v);
    if (p->flags & STIX_DEPRECATED && p->kind == STIX_OBSERVABLES)
        stix_note(
            c, STIX_WARNING, "4.14", "deprecated-objects", v,
            "`objects` is deprecated; publish the observables and name them in `object_refs`");
}

/* ---- rows by name ---- */

static struct stix_memo *look_up(struct check *c, const struct stix_shape *s, struct str key)
{
    const unsigned char *k = (const unsigned char *)key.p;
    uint32_t mix = (uint32_t)((uintptr_t)s >> 3) + (uint32_t)key.n;
    if (key.n > 0)
        mix = ((mix * 31 + k[0]) * 31 + k[key.n / 2]) * 31 + k[key.n - 1];
    struct stix_memo *m = &c->memo[mix * 0x9E3779B1u >> (32 - STIX_MEMO_BITS)];
    if (m->shape == s && str_eq((struct str){m->key, m->key_bytes}, key))
        return m;
    *m = (struct stix_memo){.shape = s, .key = key.p, .key_bytes = (uint32_t)key.n};
    m->own = (uint8_t)stix_prop_find(s->props, s->prop_count, key);
    m->common = (uint8_t)stix_common_count;
    if (m->own == s->prop_count && s->set != 0)
        m->common = (uint8_t)stix_prop_find(stix_common_props, stix_common_count, key);
    return m;
}

/* ---- rules of several properties ---- */

static const struct json *member(struct check *c, const struct stix_members *m, struct str name)
{
    const struct stix_memo *memo = look_up(c, m->shape, name);
    if (memo->own < m->shape->prop_count)
        return m->own[memo->own];
    return memo->common < stix_common_count ? m->common[memo->common] : NULL;
}

static bool member_of(struct check *c, const struct stix_members *m, struct str names)
{
    while (names.p != NULL && names.n > 0)
        if (member(c, m, str_cut(&names, ' ')) != NULL)
            return true;
    return false;
}

static void check_order(struct check *c, const char *clause, const struct stix_rule *r,
                        const struct json *a, const struct json *b)
{
    struct instant x, y;
    struct err e;
    if (!json_is(a, JSON_STRING) || !json_is(b, JSON_STRING))
        return;
    /* Texts of one length are in the order of the times; most are, and in order. */
    if (a->u.s.n == b->u.s.n && str_cmp(b->u.s, a->u.s) > 0)
        return;
    if (!instant_parse(a->u.s, &x, &e) || !instant_parse(b->u.s, &y, &e))
        return;
    int order = instant_cmp(y, x);
    if (order < 0 || (order == 0 && r->kind == STIX_RULE_AFTER)) {
        stix_push(c, b);
        stix_note(c, STIX_ERROR, clause, r->words, b, "`%.*s` must be %s `%.*s`", STR_FMT(b->key),
                  r->kind == STIX_RULE_AFTER ? "later than" : "no earlier than", STR_FMT(a->key));
        stix_pop(c);
    }
}

/* True if one of the rows not named in `but`, or an extension, is there. */
static bool some_member(const struct stix_members *m, struct str but)
{
    for (size_t i = 0; i < m->shape->prop_count; i++)
        if (m->own[i] != NULL && !str_eq(m->shape->props[i].name, but))
            return true;
    return m->common[STIX_COMMON_EXTENSIONS] != NULL;
}

static void check_pair(struct check *c, const struct stix_rule *r, const struct stix_members *m)
{
    const struct json *a = member(c, m, r->a), *b = member(c, m, r->b);
    bool bars = (r->kind == STIX_RULE_TRUE_BARS && json_is(a, JSON_TRUE)) ||
                (r->kind == STIX_RULE_FALSE_BARS && json_is(a, JSON_FALSE)) ||
                (r->kind == STIX_RULE_EXCLUDES && a != NULL);
    bool needs = (r->kind == STIX_RULE_TRUE_NEEDS && json_is(a, JSON_TRUE)) ||
                 (r->kind == STIX_RULE_NEEDS && a != NULL);
    if (bars && b != NULL)
        stix_note(c, STIX_ERROR, m->shape->clause, r->words, b,
                  "`%.*s` must not stand beside this `%.*s`; leave out one of them", STR_FMT(r->b),
                  STR_FMT(r->a));
    if (needs && b == NULL)
        stix_note(c, STIX_ERROR, m->shape->clause, r->words, a, "`%.*s` demands `%.*s`; add it",
                  STR_FMT(r->a), STR_FMT(r->b));
}

static void check_rule(struct check *c, const struct stix_rule *r, const struct stix_members *m,
                       const struct json *v)
{
    switch (r->kind) {
    case STIX_RULE_NOT_BEFORE:
    case STIX_RULE_AFTER:
        check_order(c, m->shape->clause, r, member(c, m, r->a), member(c, m, r->b));
        break;
    case STIX_RULE_ANY_OF:
        if (!member_of(c, m, r->a))
            stix_note(c, STIX_ERROR, m->shape->clause, r->words, v,
                      "at least one of these properties is needed: %.*s", STR_FMT(r->a));
        break;
    case STIX_RULE_SHOULD:
        if (member(c, m, r->a) == NULL)
            stix_note(c, STIX_WARNING, m->shape->clause, r->words, v, "`%.*s` should be given",
                      STR_FMT(r->a));
        break;
    case STIX_RULE_SOME:
        if (!some_member(m, r->a))
            stix_note(c, STIX_ERROR, m->shape->clause, r->words, v,
                      "%.*s needs at least one property of its own besides %s",
                      STR_FMT(m->shape->name), r->a.n > 0 ? r->a.p : "its type");
        break;
    case STIX_RULE_NEEDS:
    case STIX_RULE_EXCLUDES:
    case STIX_RULE_TRUE_BARS:
    case STIX_RULE_FALSE_BARS:
    case STIX_RULE_TRUE_NEEDS:
        check_pair(c, r, m);
        break;
    }
}

/* ---- structs ---- */

static void need(struct check *c, const struct stix_shape *s, const struct stix_prop *p,
                 const struct json *v, bool common)
{
    char words[96];
    /* In STIX 2.0 the bundle has it; its objects are checked as those of 2.1. */
    bool lifted = p->kind == STIX_SPEC_VERSION && !c->alone;
    snprintf(words, sizeof(words), "required-%.*s", STR_FMT(p->name));
    stix_note(c, lifted ? STIX_WARNING : STIX_ERROR, common ? "3.2" : s->clause, words, v,
              "%.*s must have `%.*s`; add it", STR_FMT(s->name), STR_FMT(p->name));
}

/* A property of §3.2 on a type that does not have it is kept whole like a custom one. */
static void not_applicable(struct check *c, const struct json *m)
{
    bool defanged = str_eq(m->key, STR("defanged"));
    stix_note(c, defanged ? STIX_ERROR : STIX_WARNING, "3.2", "not-applicable", m,
              "`%.*s` does not belong on this type of object; leave it out", STR_FMT(m->key));
}

static void check_member(struct check *c, const struct stix_shape *s, unsigned set,
                         struct stix_members *found, const struct json *m)
{
    struct stix_memo *memo = look_up(c, s, m->key);
    stix_push(c, m);
    if (memo->own < s->prop_count) {
        found->own[memo->own] = m;
        stix_check_prop(c, &s->props[memo->own], m);
    } else if (memo->common < stix_common_count) {
        found->common[memo->common] = m;
        const struct stix_prop *p = &stix_common_props[memo->common];
        if (!(p->on & set))
            not_applicable(c, m);
        if (p->on & set || p->kind == STIX_LANGUAGE)
            stix_check_prop(c, p, m);
        else
            stix_check_unknown_value(c, m);
    } else {
        check_unknown(c, s, memo, m);
    }
    stix_pop(c);
}

const struct json *stix_own(struct check *c, struct str name)
{
    return member(c, c->members, name);
}

static void check_required(struct check *c, const struct stix_members *found, unsigned set,
                           const struct json *v)
{
    const struct stix_shape *s = found->shape;
    for (size_t i = 0; i < s->prop_count; i++)
        if (s->props[i].flags & STIX_REQUIRED && found->own[i] == NULL)
            need(c, s, &s->props[i], v, false);
    for (size_t i = 0; i < stix_common_count && set != 0; i++)
        if (stix_common_props[i].required_on & set && found->common[i] == NULL)
            need(c, s, &stix_common_props[i], v, true);
}

/* Rules of §3.2 for properties that many types share. */
static void check_common(struct check *c, const struct stix_members *found, unsigned set)
{
    static const struct stix_rule modified = {STIX_RULE_NOT_BEFORE, "modified-not-before-created",
                                              STIX_LIT("created"), STIX_LIT("modified")};
    if (set & ~(unsigned)STIX_IN_SCO)
        check_order(c, "3.2", &modified, found->common[STIX_COMMON_CREATED],
                    found->common[STIX_COMMON_MODIFIED]);
    if (set != 0)
        stix_check_tlp_colours(c, found->common[STIX_COMMON_OBJECT_MARKING_REFS]);
}

void stix_check_struct(struct check *c, const struct stix_shape *s, const struct json *v)
{
    struct stix_members found;
    unsigned set = s->set != 0 ? c->set : 0;
    must(s->prop_count <= STIX_PROPS_MAX && stix_common_count <= STIX_COMMON_MAX);
    found.shape = s; /* what lies behind the last row is never read, so it is not cleared */
    memset(found.own, 0, s->prop_count * sizeof(found.own[0]));
    memset(found.common, 0, sizeof(found.common));
    if (v->type != JSON_OBJECT) {
        stix_note(c, STIX_ERROR, s->clause, "object", v, "expected %.*s as a JSON object, not %s",
                  STR_FMT(s->name), json_type_name(v->type));
        return;
    }
    const struct stix_shape *outer = c->shape;
    const struct stix_members *outer_members = c->members;
    c->shape = s;
    for (const struct json *m = v->u.child; m != NULL; m = m->next)
        check_member(c, s, set, &found, m);
    check_required(c, &found, set, v);
    for (size_t i = 0; i < s->rule_count; i++)
        check_rule(c, &s->rules[i], &found, v);
    check_common(c, &found, set);
    c->members = &found;
    if (s->special != NULL)
        s->special(c, v);
    c->members = outer_members;
    c->shape = outer;
}

/* ---- whole objects ---- */

/* A type that no table knows: what its extension says it is (§7.3), else a custom object (§11.2).
 */
static const struct stix_shape *shape_of_custom(struct check *c, const struct json *v,
                                                const struct json *type)
{
    static const struct stix_shape custom = {
        .name = STIX_LIT("a custom object"), .clause = "11.2", .set = STIX_IN_CUSTOM};
    const struct json *extensions = json_get(v, STR("extensions"));
    c->set = STIX_IN_CUSTOM;
    if (!json_is(extensions, JSON_OBJECT))
        extensions = NULL;
    for (const struct json *x = extensions ? extensions->u.child : NULL; x != NULL; x = x->next) {
        struct str kind = json_get_str(x, STR("extension_type"));
        c->toplevel_extension |= str_starts(kind, STR("new-s"));
        if (str_eq(kind, STR("new-sco")))
            c->set = STIX_IN_SCO;
        else if (str_eq(kind, STR("new-sdo")))
            c->set = STIX_IN_SDO;
        else if (str_eq(kind, STR("new-sro")))
            c->set = STIX_IN_SRO;
    }
    if (c->set == STIX_IN_CUSTOM && stix_known_first(c, NULL, type->u.s))
        stix_note(
            c, STIX_WARNING, "11.2", "custom-object", type,
            "`%.*s` is a type that this version does not define; an extension of type new-sdo, "
            "new-sro or new-sco should introduce it",
            STR_FMT(type->u.s));
    return &custom;
}

/* What a feed has by the thousand is said once an object, and in a document only where it is new.
 */
static void note_counted(struct check *c)
{
    if (c->unhashed > 0 && !c->unhashed_said) {
        c->unhashed_said = c->known != NULL;
        stix_note(c, STIX_WARNING, "2.5", "url-without-hashes", c->unhashed_first,
                  "%zu external reference%s of this object have a url and no hashes; add a SHA-256 "
                  "of what the url led to",
                  c->unhashed, c->unhashed == 1 ? "" : "s");
    }
    if (c->custom == 0 || c->toplevel_extension || c->set == STIX_IN_CUSTOM)
        return;
    stix_note(
        c, STIX_WARNING, "11.1", "custom-property", c->custom_first,
        "%zu propert%s that this version does not define, beginning with `%.*s`; an extension "
        "should introduce %s",
        c->custom, c->custom == 1 ? "y" : "ies", STR_FMT(c->custom_first->key),
        c->custom == 1 ? "it" : "them");
}

/* The members that say what an object is, found in one pass. */
static void find_head(const struct json *v, const struct json **type, const struct json **id)
{
    *type = *id = NULL;
    for (const struct json *m = v->u.child; m != NULL && (*type == NULL || *id == NULL);
         m = m->next)
        if (str_eq(m->key, STR("type")))
            *type = m;
        else if (str_eq(m->key, STR("id")))
            *id = m;
}

static const struct stix_shape *shape_for(struct check *c, const struct json *v,
                                          const struct json *type)
{
    if (!json_is(type, JSON_STRING)) {
        stix_note(c, STIX_ERROR, "3.2", "required-type", v,
                  "an object must have a `type` that is a string; add it");
        return NULL;
    }
    const struct stix_shape *s = stix_shape_of(type->u.s);
    if (s == NULL)
        return shape_of_custom(c, v, type);
    c->set = s->set;
    return s;
}

void stix_check_one(struct check *c, const struct json *v)
{
    c->findings = 0;
    c->set = 0;
    c->object = v;
    c->id = STR_NONE;
    c->custom = c->unhashed = 0;
    c->toplevel_extension = false;
    if (v->type != JSON_OBJECT) {
        stix_note(c, STIX_ERROR, "3", "object", v, "a STIX object must be a JSON object, not %s",
                  json_type_name(v->type));
        return;
    }
    const struct json *type, *id;
    find_head(v, &type, &id);
    if (json_is(id, JSON_STRING))
        c->id = id->u.s;
    const struct stix_shape *s = shape_for(c, v, type);
    if (s == NULL)
        return;
    stix_check_struct(c, s, v);
    if (c->set == STIX_IN_SCO && s->identity != NULL)
        stix_check_sco_id(c, s, v);
    note_counted(c);
}

void stix_check_init(struct check *c, const struct stix_check_options *o, stix_finding_fn *report,
                     void *ctx)
{
    memset(c, 0, sizeof(*c));
    c->o = o;
    c->report = report;
    c->ctx = ctx;
    buf_init(&c->canonical, 0);
    buf_init(&c->path_text, 0);
}

void stix_check_done(struct check *c)
{
    buf_done(&c->canonical);
    buf_done(&c->path_text);
    arena_free(c->patterns);
}

size_t stix_object_check(const struct json *v, const struct stix_check_options *o,
                         stix_finding_fn *report, void *ctx)
{
    struct check c;
    stix_check_init(&c, o, report, ctx);
    stix_check_one(&c, v);
    stix_check_done(&c);
    return c.errors;
}
