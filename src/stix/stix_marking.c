#include "stix/stix.h"

#include <string.h>

#include "stix/stix_priv.h"

#define MARKING_PREFIX "marking-definition--"
#define TLP_EXTENSION  "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
#define CREATED_1      "2017-01-20T00:00:00.000Z"
#define CREATED_2      "2022-10-01T00:00:00.000Z"

/* STIX 2.1 §7.2.1.4 (TLP 1) and the OASIS common objects (TLP 2.0): the only TLP definitions there
 * are. Those of TLP 2.0 come first, so that a colour less one is an index. */
static const struct {
    enum stix_tlp tlp;
    bool first_edition;
    struct str id;
    const char *word, *name;
} published[STIX_TLP_PUBLISHED] = {
    {STIX_TLP_CLEAR, false, STIX_LIT(MARKING_PREFIX "94868c89-83c2-464b-929b-a1a8aa3c8487"),
     "clear", "TLP:CLEAR"},
    {STIX_TLP_GREEN, false, STIX_LIT(MARKING_PREFIX "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
     "green", "TLP:GREEN"},
    {STIX_TLP_AMBER, false, STIX_LIT(MARKING_PREFIX "55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
     "amber", "TLP:AMBER"},
    {STIX_TLP_AMBER_STRICT, false, STIX_LIT(MARKING_PREFIX "939a9414-2ddd-4d32-a0cd-375ea402b003"),
     "amber+strict", "TLP:AMBER+STRICT"},
    {STIX_TLP_RED, false, STIX_LIT(MARKING_PREFIX "e828b379-4e03-4974-9ac4-e53a884c97c1"), "red",
     "TLP:RED"},
    {STIX_TLP_CLEAR, true, STIX_LIT(MARKING_PREFIX "613f2e26-407d-48c7-9eca-b8e91df99dc9"), "white",
     "TLP:WHITE"},
    {STIX_TLP_GREEN, true, STIX_LIT(MARKING_PREFIX "34098fce-860f-48ae-8e50-ebd3cc5e41da"), "green",
     "TLP:GREEN"},
    {STIX_TLP_AMBER, true, STIX_LIT(MARKING_PREFIX "f88d31f6-486f-44da-b317-01333bde0b82"), "amber",
     "TLP:AMBER"},
    {STIX_TLP_RED, true, STIX_LIT(MARKING_PREFIX "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"), "red",
     "TLP:RED"},
};

static const char *const names[STIX_TLP_COUNT] = {"none",  "clear",        "green",
                                                  "amber", "amber+strict", "red"};

const char *stix_tlp_name(enum stix_tlp tlp)
{
    must((unsigned)tlp < STIX_TLP_COUNT);
    return names[tlp];
}

struct str stix_tlp_id(enum stix_tlp tlp)
{
    must((unsigned)tlp < STIX_TLP_COUNT);
    return tlp == STIX_TLP_NONE ? STR_NONE : published[tlp - 1].id;
}

/* Its place in the table, or STIX_TLP_PUBLISHED. RFC 4122 §3 reads capitals as well: a marking in
 * capitals must not count as none. */
static size_t published_index(struct str id)
{
    const size_t digits = sizeof(MARKING_PREFIX) - 1;
    size_t i = 0;
    if (id.n != published[0].id.n)
        return STIX_TLP_PUBLISHED;
    while (i < STIX_TLP_PUBLISHED && ((id.p[digits] | 0x20) != (published[i].id.p[digits] | 0x20) ||
                                      !str_eq_nocase(id, published[i].id)))
        i++;
    return i;
}

enum stix_tlp stix_tlp_of_id(struct str id)
{
    size_t i = published_index(id);
    return i < STIX_TLP_PUBLISHED ? published[i].tlp : STIX_TLP_NONE;
}

bool stix_tlp_parse(struct str name, enum stix_tlp *out)
{
    enum stix_tlp t = stix_tlp_of_id(name);
    if (t == STIX_TLP_NONE) {
        if (name.n > 4 && str_eq_nocase(str_slice(name, 0, 4), STR("tlp:")))
            name = str_from(name, 4);
        if (str_eq_nocase(name, STR("white")))
            t = STIX_TLP_CLEAR;
        for (int i = STIX_TLP_CLEAR; i < STIX_TLP_COUNT && t == STIX_TLP_NONE; i++)
            if (str_eq_nocase(name, str_of(names[i])))
                t = (enum stix_tlp)i;
    }
    if (t == STIX_TLP_NONE)
        return false;
    *out = t;
    return true;
}

/* ---- what an object's markings say ---- */

static void stricter(const struct json *ref, enum stix_tlp *tlp, const struct json **where)
{
    enum stix_tlp t = json_is(ref, JSON_STRING) ? stix_tlp_of_id(ref->u.s) : STIX_TLP_NONE;
    if (t > *tlp) {
        *tlp = t;
        *where = ref;
    }
}

enum stix_tlp stix_effective_marking(const struct json *object, const struct json **where)
{
    const struct json *refs = json_get(object, STR("object_marking_refs"));
    const struct json *granular = json_get(object, STR("granular_markings")), *place = NULL;
    enum stix_tlp tlp = STIX_TLP_NONE;
    if (json_is(refs, JSON_ARRAY))
        for (const struct json *r = refs->u.child; r != NULL; r = r->next)
            stricter(r, &tlp, &place);
    if (json_is(granular, JSON_ARRAY))
        for (const struct json *g = granular->u.child; g != NULL; g = g->next)
            stricter(json_get(g, STR("marking_ref")), &tlp, &place);
    if (where != NULL)
        *where = place;
    return tlp;
}

void stix_check_tlp_colours(struct check *c, const struct json *refs)
{
    enum stix_tlp first = STIX_TLP_NONE;
    if (!json_is(refs, JSON_ARRAY) || refs->count < 2)
        return;
    for (const struct json *r = refs->u.child; r != NULL; r = r->next) {
        enum stix_tlp t = r->type == JSON_STRING ? stix_tlp_of_id(r->u.s) : STIX_TLP_NONE;
        if (first == STIX_TLP_NONE) {
            first = t;
        } else if (t != STIX_TLP_NONE && t != first) {
            stix_note(c, STIX_WARNING, "7.2", "several-tlp-colours", refs,
                      "the object is marked tlp:%s and tlp:%s; the stricter governs, leave one",
                      stix_tlp_name(first), stix_tlp_name(t));
            return;
        }
    }
}

/* STIX 2.1 §7.2.3: names and dictionary keys, or indexes in brackets, joined by points. */
static bool step(const struct json **at, struct str part, uint64_t *steps, struct err *e)
{
    uint64_t index;
    const struct json *v = *at;
    if (part.n == 0)
        return err_set(e, ERR_SYNTAX, "a selector has no empty part; write a.b.[0]");
    if (part.p[0] == '[') {
        struct str digits = str_slice(part, 1, part.n - 1);
        if (part.n < 3 || part.p[part.n - 1] != ']' || !str_to_u64(digits, &index))
            return err_set(e, ERR_SYNTAX, "a place in a list is written as [0]");
        if (v->type != JSON_ARRAY || index >= v->count)
            return err_set(e, ERR_NOT_FOUND, "the selector's %.*s names nothing on this object",
                           STR_FMT(part));
        *steps += index;
        for (v = v->u.child; index > 0; index--)
            v = v->next;
    } else {
        *steps += v->count;
        v = json_get(v, part);
    }
    if (v == NULL)
        return err_set(e, ERR_NOT_FOUND, "the selector's `%.*s` names nothing on this object",
                       STR_FMT(part));
    *at = v;
    return true;
}

bool stix_selector_find(const struct json *object, struct str selector, const struct json **out,
                        struct err *e)
{
    uint64_t steps = 0;
    return stix_selector_walk(object, selector, out, &steps, e);
}

bool stix_selector_walk(const struct json *object, struct str selector, const struct json **out,
                        uint64_t *steps, struct err *e)
{
    const struct json *at = object;
    struct str rest = selector;
    if (selector.n == 0)
        return err_set(e, ERR_SYNTAX, "a selector is not empty; write the name of a property");
    while (rest.p != NULL) {
        struct str part = str_cut(&rest, '.');
        if (!step(&at, part, steps, e)) {
            e->at = (size_t)(part.p - selector.p);
            return false;
        }
    }
    *out = at;
    return true;
}

/* ---- marking definitions (§7.2.1) ---- */

static bool text_is(const struct json *v, struct str name, const char *text)
{
    return str_eq(json_get_str(v, name), str_of(text));
}

/* The members a published definition has, no other. */
static bool only_published_members(const struct json *v)
{
    for (const struct json *m = v->u.child; m != NULL; m = m->next)
        if (!stix_word_in("type spec_version id created created_by_ref name definition_type "
                          "definition extensions",
                          m->key))
            return false;
    return true;
}

static void check_published(struct check *c, const struct json *v, const struct json *word,
                            bool first_edition)
{
    size_t i = published_index(c->id);
    /* STIX 2.0 published them without a name. */
    bool lifted = json_get(v, STR("name")) == NULL && json_get(v, STR("spec_version")) == NULL;
    bool same = i < STIX_TLP_PUBLISHED && published[i].first_edition == first_edition &&
                json_is(word, JSON_STRING) && str_eq(word->u.s, str_of(published[i].word)) &&
                (lifted || text_is(v, STR("name"), published[i].name)) &&
                text_is(v, STR("created"), first_edition ? CREATED_1 : CREATED_2) &&
                only_published_members(v);
    if (!same)
        stix_note(
            c, STIX_ERROR, "7.2.1.4", "forged-tlp", word ? word : v,
            "this is none of the published TLP definitions and no other may be made; refer to "
            "the published one by its id");
}

static void check_statement(struct check *c, const struct json *definition)
{
    if (!json_is(json_get(definition, STR("statement")), JSON_STRING))
        stix_note(c, STIX_ERROR, "7.2.1.3", "statement", definition,
                  "`definition` must hold the text in `statement`");
}

static void check_definition(struct check *c, const struct json *v, struct str type,
                             const struct json *definition)
{
    if (definition->type != JSON_OBJECT || definition->count == 0)
        stix_note(c, STIX_ERROR, "7.2.1", "definition", definition,
                  "`definition` must be a JSON object that holds the marking");
    else if (str_eq(type, STR("tlp")))
        check_published(c, v, json_get(definition, STR("tlp")), true);
    else if (str_eq(type, STR("statement")))
        check_statement(c, definition);
    else
        stix_note(c, STIX_WARNING, "7.2.1", "definition-type", definition,
                  "a marking other than statement and tlp should be made with an extension");
}

/* STIX 2.1 §3.2: a marking definition is not marked by itself. */
static void check_self_marking(struct check *c, const struct json *v)
{
    const struct json *refs = json_get(v, STR("object_marking_refs"));
    const struct json *granular = json_get(v, STR("granular_markings")), *self = NULL;
    for (const struct json *r = json_is(refs, JSON_ARRAY) ? refs->u.child : NULL; r; r = r->next)
        if (r->type == JSON_STRING && str_eq(r->u.s, c->id))
            self = r;
    for (const struct json *g = json_is(granular, JSON_ARRAY) ? granular->u.child : NULL; g;
         g = g->next)
        if (str_eq(json_get_str(g, STR("marking_ref")), c->id))
            self = g;
    if (self != NULL)
        stix_note(c, STIX_ERROR, "3.2", "marking-cycle", self,
                  "a marking definition must not be marked by itself; remove the reference");
}

void stix_special_marking(struct check *c, const struct json *v)
{
    const struct json *definition = json_get(v, STR("definition"));
    const struct json *tlp2 = json_get(json_get(v, STR("extensions")), STR(TLP_EXTENSION));
    struct str type = json_get_str(v, STR("definition_type"));
    if (definition != NULL && type.n > 0)
        check_definition(c, v, type, definition);
    else if (str_eq(type, STR("tlp")))
        check_published(c, v, NULL, true);
    if (tlp2 != NULL)
        check_published(c, v, json_get(tlp2, STR("tlp_2_0")), false);
    if (published_index(c->id) < STIX_TLP_PUBLISHED && tlp2 == NULL && !str_eq(type, STR("tlp")))
        stix_note(c, STIX_WARNING, "7.2.1.4", "tlp-id-reused", v,
                  "this id belongs to the published %s, and readers will take it for that; use "
                  "another",
                  published[published_index(c->id)].name);
    check_self_marking(c, v);
}
