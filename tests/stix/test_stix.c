/* The facts of one object, names of markings and containers: tables of rows. */
#include "test.h"

#include "json/json.h"
#include "stix/stix.h"

static void test_tlp(void)
{
    static const struct {
        const char *text;
        enum stix_tlp tlp;
    } rows[] = {
        {"clear", STIX_TLP_CLEAR},
        {"TLP:WHITE", STIX_TLP_CLEAR},
        {"tlp:amber+strict", STIX_TLP_AMBER_STRICT},
        {"Red", STIX_TLP_RED},
        {"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", STIX_TLP_AMBER},
        {"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", STIX_TLP_CLEAR},
        {"none", STIX_TLP_NONE},
        {"tlp:", STIX_TLP_NONE},
        {"", STIX_TLP_NONE},
        {"marking-definition--f88d31f6-486f-44da-b317-01333bde0b83", STIX_TLP_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum stix_tlp t = STIX_TLP_NONE;
        bool found = stix_tlp_parse(str_of(rows[i].text), &t);
        CHECK_ROW(found == (rows[i].tlp != STIX_TLP_NONE) && t == rows[i].tlp, "%s", rows[i].text);
    }
    for (int t = STIX_TLP_CLEAR; t < STIX_TLP_COUNT; t++)
        CHECK_ROW(stix_tlp_of_id(stix_tlp_id((enum stix_tlp)t)) == (enum stix_tlp)t, "%d", t);
    CHECK(stix_tlp_id(STIX_TLP_NONE).n == 0);
}

static void test_class(void)
{
    static const struct {
        const char *type;
        enum stix_class class;
    } rows[] = {
        {"indicator", STIX_SDO},
        {"vulnerability", STIX_SDO},
        {"sighting", STIX_SRO},
        {"artifact", STIX_SCO},
        {"x509-certificate", STIX_SCO},
        {"extension-definition", STIX_META},
        {"bundle", STIX_BUNDLE},
        {"x-thing", STIX_UNKNOWN},
        {"marking-definition", STIX_META},
        {"", STIX_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(stix_class_of(str_of(rows[i].type)) == rows[i].class, "%s", rows[i].type);
}

static void test_id(void)
{
    static const struct {
        const char *id;
        bool ok;
    } rows[] = {
        {"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", true},
        {"x-a1-b--8e2e2d2b-17d4-1cbf-a38f-98ee46b3cd3f", true},
        {"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", true},
        {"indicator--8e2e2d2b-17d4-6cbf-938f-98ee46b3cd3f", false},
        {"indicator--8e2e2d2b-17d4-4cbf-c38f-98ee46b3cd3f", false},
        {"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3", false},
        {"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f0", false},
        {"indicator--8e2e2d2b017d4-4cbf-938f-98ee46b3cd3f", false},
        {"indicator-8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"Indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"ab--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"1ab--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"indicator--", false},
        {"-", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err e = {0};
        struct str type = STR_NONE;
        bool ok = stix_id_parse(str_of(rows[i].id), &type, &e);
        CHECK_ROW(ok == rows[i].ok, "%s: %s", rows[i].id, e.msg);
        CHECK_ROW(ok || type.p == NULL, "%s: touched on failure", rows[i].id);
    }
}

static struct json_reader *reader;
static struct arena *arena;

static const struct json *parse(const char *text)
{
    const struct json *v = NULL;
    struct err e;
    CHECK_ROW(json_parse(reader, arena, str_of(text), false, &v, &e), "%s: %s", text, e.msg);
    return v;
}

#define ID        "--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f\""
#define RED_1     "\"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed\""
#define GREEN_2   "\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\""
#define EXTENSION "\"extension-definition--9c59fd79-4215-4ba2-920d-3e4f320e1e62\""

static void test_read(void)
{
    static const struct {
        const char *json;
        bool ok;
        enum stix_class class;
        const char *version, *spec_version;
        enum stix_tlp tlp;
    } rows[] = {
        {"{\"type\":\"tool\",\"id\":\"tool" ID ",\"spec_version\":\"2.1\",\"created\":"
         "\"2020-01-01T00:00:00.000Z\",\"modified\":\"2020-01-02T00:00:00.000Z\"}",
         true, STIX_SDO, "2020-01-02T00:00:00.000Z", "2.1", STIX_TLP_NONE},
        {"{\"type\":\"marking-definition\",\"id\":\"marking-definition" ID
         ",\"created\":\"2020-01-01T00:00:00Z\"}",
         true, STIX_META, "2020-01-01T00:00:00Z", "2.0", STIX_TLP_NONE},
        {"{\"type\":\"url\",\"id\":\"url" ID ",\"modified\":7,\"object_marking_refs\":[" GREEN_2
         "],\"granular_markings\":[{\"marking_ref\":" RED_1 ",\"selectors\":[\"value\"]}]}",
         true, STIX_SCO, NULL, "2.1", STIX_TLP_RED},
        {"{\"type\":\"url\",\"id\":\"url" ID ",\"object_marking_refs\":[" GREEN_2 ",7]}", true,
         STIX_SCO, NULL, "2.1", STIX_TLP_GREEN},
        {"{\"type\":\"new\",\"id\":\"new" ID ",\"extensions\":{" EXTENSION
         ":{\"extension_type\":\"new-sro\"}}}",
         true, STIX_SRO, NULL, "2.1", STIX_TLP_NONE},
        {"{\"type\":\"new\",\"id\":\"new" ID "}", true, STIX_UNKNOWN, NULL, "2.1", STIX_TLP_NONE},
        {"{\"type\":\"tool\",\"id\":\"malware" ID "}", false, STIX_SDO, NULL, NULL, STIX_TLP_NONE},
        {"{\"type\":\"tool\",\"id\":\"tool" ID ",\"modified\":\"2020\"}", false, STIX_SDO, NULL,
         NULL, STIX_TLP_NONE},
        {"{\"type\":7,\"id\":\"tool" ID "}", false, STIX_SDO, NULL, NULL, STIX_TLP_NONE},
        {"{\"id\":\"tool" ID "}", false, STIX_SDO, NULL, NULL, STIX_TLP_NONE},
        {"{\"type\":\"tool\"}", false, STIX_SDO, NULL, NULL, STIX_TLP_NONE},
        {"[]", false, STIX_SDO, NULL, NULL, STIX_TLP_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stix_object o = {.class = STIX_BUNDLE};
        struct err e = {0};
        bool ok = stix_object_read(parse(rows[i].json), &o, &e);
        CHECK_ROW(ok == rows[i].ok, "%s: %s", rows[i].json, e.msg);
        CHECK_ROW(ok || (o.class == STIX_BUNDLE && e.code == ERR_INVALID), "%s", rows[i].json);
        if (!ok)
            continue;
        CHECK_ROW(o.class == rows[i].class && o.tlp == rows[i].tlp, "%s", rows[i].json);
        CHECK_ROW(str_eq(o.spec_version, str_of(rows[i].spec_version)), "%s", rows[i].json);
        CHECK_ROW(o.has_version == (rows[i].version != NULL), "%s", rows[i].json);
        if (rows[i].version != NULL)
            CHECK_ROW(str_eq(o.version, str_of(rows[i].version)), "%s", rows[i].json);
    }
}

static void test_markings(void)
{
    const struct json *where;
    const struct json *v =
        parse("{\"object_marking_refs\":[" GREEN_2 ",\"x\"],\"granular_markings\":[7,"
              "{\"marking_ref\":" RED_1 "}]}");
    CHECK(stix_effective_marking(v, &where) == STIX_TLP_RED);
    CHECK(where ==
          json_get(json_get(v, STR("granular_markings"))->u.child->next, STR("marking_ref")));
    CHECK(stix_effective_marking(parse("{\"object_marking_refs\":7}"), &where) == STIX_TLP_NONE);
    CHECK(where == NULL);
    CHECK(stix_effective_marking(v, NULL) == STIX_TLP_RED);
}

static void test_selectors(void)
{
    static const struct {
        const char *selector;
        enum err_code code;
        size_t at;
    } rows[] = {
        {"name", ERR_NONE, 0},
        {"aliases", ERR_NONE, 0},
        {"aliases.[1]", ERR_NONE, 0},
        {"refs.[0].source_name", ERR_NONE, 0},
        {"aliases.[2]", ERR_NOT_FOUND, 8},
        {"name.[0]", ERR_NOT_FOUND, 5},
        {"aliases.name", ERR_NOT_FOUND, 8},
        {"pattern", ERR_NOT_FOUND, 0},
        {"aliases.[]", ERR_SYNTAX, 8},
        {"aliases.[-1]", ERR_SYNTAX, 8},
        {"aliases.[1", ERR_SYNTAX, 8},
        {"aliases[1]", ERR_NOT_FOUND, 0},
        {"name.", ERR_SYNTAX, 5},
        {"", ERR_SYNTAX, 0},
    };
    const struct json *v = parse("{\"name\":\"x\",\"aliases\":[\"a\",\"b\"],"
                                 "\"refs\":[{\"source_name\":\"c\"}]}");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct json *found = NULL;
        struct err e = {0};
        bool ok = stix_selector_find(v, str_of(rows[i].selector), &found, &e);
        CHECK_ROW(ok == (rows[i].code == ERR_NONE) && ok == (found != NULL), "%s",
                  rows[i].selector);
        CHECK_ROW(e.code == rows[i].code && e.at == rows[i].at, "%s: %zu %s", rows[i].selector,
                  e.at, e.msg);
    }
}

static void test_containers(void)
{
    static const struct {
        const char *json;
        bool ok;
        enum stix_container kind;
        size_t count;
    } rows[] = {
        {"{\"type\":\"bundle\",\"objects\":[{},{}]}", true, STIX_IN_BUNDLE, 2},
        {"{\"type\":\"bundle\"}", true, STIX_IN_BUNDLE, 0},
        {"{\"objects\":[{}],\"more\":true}", true, STIX_IN_ENVELOPE, 1},
        {"{\"more\":false}", true, STIX_IN_ENVELOPE, 0},
        {"{}", true, STIX_IN_ENVELOPE, 0},
        {"[{},{},{}]", true, STIX_IN_ARRAY, 3},
        {"{\"type\":\"observed-data\",\"objects\":{}}", true, STIX_IN_ITSELF, 1},
        {"{\"objects\":{}}", false, STIX_IN_ITSELF, 0},
        {"{\"name\":\"x\"}", false, STIX_IN_ITSELF, 0},
        {"\"x\"", false, STIX_IN_ITSELF, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum stix_container kind;
        const struct json *first, *doc = parse(rows[i].json);
        size_t count, seen = 0;
        struct err e = {0};
        bool ok = stix_container_open(doc, &kind, &first, &count, &e);
        CHECK_ROW(ok == rows[i].ok, "%s: %s", rows[i].json, e.msg);
        if (!ok)
            continue;
        CHECK_ROW(kind == rows[i].kind && count == rows[i].count, "%s", rows[i].json);
        for (const struct json *v = first; v != NULL && kind != STIX_IN_ITSELF; v = v->next)
            seen++;
        CHECK_ROW(kind == STIX_IN_ITSELF ? first == doc : seen == count, "%s", rows[i].json);
    }
}

/* The strictest of its published markings and of its labels, in any case. */
static void test_pap(void)
{
    static const struct {
        const char *members;
        enum stix_pap pap;
    } rows[] = {
        {"", STIX_PAP_NONE},
        {",\"labels\":[\"PAP:Amber\",\"pap:green\",\"pap:violet\"]", STIX_PAP_AMBER},
        {",\"labels\":\"pap:red\"", STIX_PAP_NONE},
        {",\"labels\":[\"pap:clear\"],\"object_marking_refs\":[7,"
         "\"marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e\"]",
         STIX_PAP_RED},
        {",\"x_labels\":[\"pap:red\"]", STIX_PAP_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stix_object o = {0};
        struct err e = {0};
        char text[400];
        snprintf(text, sizeof text, "{\"type\":\"tool\",\"id\":\"tool" ID "%s}", rows[i].members);
        CHECK_ROW(stix_object_read(parse(text), &o, &e) && o.pap == rows[i].pap, "row %zu: %d", i,
                  (int)o.pap);
    }
}

int main(void)
{
    reader = json_reader_new();
    arena = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (reader == NULL || arena == NULL)
        return 3;
    test_read();
    test_pap();
    test_markings();
    test_selectors();
    test_containers();
    test_tlp();
    test_class();
    test_id();
    arena_free(arena);
    json_reader_free(reader);
    TEST_END();
}
