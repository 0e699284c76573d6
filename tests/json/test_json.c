/* Strictness, places, canonical form (vectors of RFC 8785 §3.2.2 and appendix B among them). */
#include <math.h>

#include "json/json.h"
#include "test.h"

struct row {
    const char *text;
    enum err_code code;
    size_t at; /* of the error */
};

static const struct row parse_rows[] = {
    {"{}", ERR_NONE, 0},
    {" [1, 2.5, -0, \"a\", true, false, null, {\"b\": []}] ", ERR_NONE, 0},
    {"\"text\"", ERR_NONE, 0},
    {"17", ERR_NONE, 0},
    {"null", ERR_NONE, 0},
    {"\"\\ud83d\\ude00\"", ERR_NONE, 0},
    {"", ERR_SYNTAX, 0},
    {"{", ERR_SYNTAX, 1},
    {"{\"a\":1,}", ERR_SYNTAX, 0},
    {"{\"a\":1} x", ERR_SYNTAX, 0},
    {"{} {}", ERR_SYNTAX, 0},
    {"[1,]", ERR_SYNTAX, 0},
    {"[01]", ERR_SYNTAX, 1},
    {"[1e400]", ERR_SYNTAX, 1},
    {"[NaN]", ERR_SYNTAX, 1},
    {"[nul]", ERR_SYNTAX, 1},
    {"[truex]", ERR_SYNTAX, 0},
    {"{\"a\":1,\"b\":2,\"a\":3}", ERR_SYNTAX, 13},
    {"{\"a\":1,\"\\u0061\":3}", ERR_SYNTAX, 7},
    {"[\"\\ud800\"]", ERR_SYNTAX, 1},
    {"[\"\\udc00\"]", ERR_SYNTAX, 1},
    {"[\"\\ud800\\u0041\"]", ERR_SYNTAX, 0},
    {"[\"\xc0\x80\"]", ERR_SYNTAX, 2},
    {"[\"a\tb\"]", ERR_SYNTAX, 3},
    {"[\"\\\"\", \"a\nb\"]", ERR_SYNTAX, 9},
    {"[\"a", ERR_SYNTAX, 1},
    {"[\"\\x\"]", ERR_SYNTAX, 1},
    {"{\"\\ud800\":1}", ERR_SYNTAX, 1},
    {"[\"\xe2\x82\xac\xe2\x82\"]", ERR_SYNTAX, 5},
    {"\xEF\xBB\xBF{}", ERR_SYNTAX, 0},
    {"{\"k\" 1}", ERR_SYNTAX, 0},
    {"{1:2}", ERR_SYNTAX, 0},
    {"{\"k\":}", ERR_SYNTAX, 0},
};

static void test_parse(struct json_reader *r)
{
    for (size_t i = 0; i < sizeof parse_rows / sizeof *parse_rows; i++) {
        const struct row *row = &parse_rows[i];
        struct arena *a = arena_new(1 << 20);
        const struct json *v;
        struct err e = {0};
        bool ok = json_parse(r, a, str_of(row->text), false, &v, &e);
        CHECK_ROW(ok == (row->code == ERR_NONE), "%s: %s", row->text, e.msg);
        CHECK_ROW(ok || e.code == row->code, "%s: %s", row->text, err_name(e.code));
        CHECK_ROW(ok || row->at == 0 || e.at == row->at, "%s: at %zu", row->text, e.at);
        arena_free(a);
    }
}

/* Every prefix in memory of its exact size: an over-read is seen by the address sanitizer. */
static void test_prefixes(struct json_reader *r)
{
    static const char text[] = "{\"a\":[1,2.5e3,\"x\\n\\u00e9\",{\"b\":null}],\"c\":true}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        struct arena *a = arena_new(1 << 20);
        char *exact = malloc(n ? n : 1);
        const struct json *v;
        struct err e;
        memcpy(exact, text, n);
        CHECK(!json_parse(r, a, (struct str){exact, n}, false, &v, &e));
        free(exact);
        arena_free(a);
    }
}

static void test_depth(struct json_reader *r)
{
    char text[2 * (LIMIT_JSON_DEPTH + 1) + 1];
    for (int depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        struct arena *a = arena_new(1 << 20);
        const struct json *v;
        struct err e;
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        bool ok = json_parse(r, a, (struct str){text, 2 * (size_t)depth}, false, &v, &e);
        CHECK(ok == (depth <= LIMIT_JSON_DEPTH));
        CHECK(ok || (e.code == ERR_LIMIT && e.at == LIMIT_JSON_DEPTH));
        arena_free(a);
    }
}

static void test_places(struct json_reader *r)
{
    struct str text = STR(" {\"a\" : {\"b\":[1 , 22]} , \"c\\u0021\":\"x\\\"y\" ,\"d\":12.50 } ");
    struct arena *a = arena_new(1 << 20);
    const struct json *v;
    struct err e;
    CHECK(json_parse(r, a, text, false, &v, &e));
    CHECK(v->count == 3);
    CHECK(str_eq(json_source(text, v), str_trim(text)));
    const struct json *inner = json_get(v, STR("a"));
    CHECK(str_eq(json_source(text, inner), STR("{\"b\":[1 , 22]}")));
    const struct json *list = json_get(inner, STR("b"));
    CHECK(str_eq(json_source(text, list), STR("[1 , 22]")));
    CHECK(str_eq(json_source(text, list->u.child->next), STR("22")));
    CHECK(list->u.child->next->u.i == 22);
    CHECK(str_eq(json_get_str(v, STR("c!")), STR("x\"y")));
    CHECK(str_eq(json_source(text, json_get(v, STR("d"))), STR("12.50")));
    CHECK(text.p[json_get(v, STR("d"))->key_at] == '"');
    CHECK(json_get(v, STR("e")) == NULL && json_get(NULL, STR("e")) == NULL);
    arena_free(a);
}

struct pair {
    const char *in, *out;
};

static const struct pair canonical_rows[] = {
    {"{\"b\":1,\"a\":[ ]}", "{\"a\":[],\"b\":1}"},
    {"[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]",
     "[333333333.3333333,1e+30,4.5,0.002,1e-27]"},
    {"[-0, 0.0, -0.0, 1e21, 1e20, 123456789012345680000, 1e-6, 1e-7, 9007199254740992]",
     "[0,0,0,1e+21,100000000000000000000,123456789012345680000,0.000001,1e-7,9007199254740992]"},
    /* The library reads the first 20 characters of a number that stands alone. */
    {"-10000000000000000000", "-10000000000000000000"},
    {"-12345678901234567890", "-12345678901234567000"},
    {"[5e-324, 1.7976931348623157e308, 9.999999999999997e22]",
     "[5e-324,1.7976931348623157e+308,9.999999999999997e+22]"},
    {"\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\"",
     "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""},
    /* RFC 8785 §3.2.3: sorting by UTF-16 code units. */
    {"{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,"
     "\"\\u00f6\":7}",
     "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,"
     "\"\xef\xac\xb3\":3}"},
};

static void test_canonical(struct json_reader *r)
{
    for (size_t i = 0; i < sizeof canonical_rows / sizeof *canonical_rows; i++) {
        struct arena *a = arena_new(1 << 20);
        const struct json *v;
        struct err e = {0};
        struct buf out;
        buf_init(&out, 0);
        bool ok = json_parse(r, a, str_of(canonical_rows[i].in), false, &v, &e) &&
                  json_canonical(v, &out, &e);
        CHECK_ROW(ok && str_eq(buf_view(&out), str_of(canonical_rows[i].out)), "%s gave %.*s %s",
                  canonical_rows[i].in, STR_FMT(buf_view(&out)), e.msg);
        buf_done(&out);
        arena_free(a);
    }
}

struct equal_row {
    const char *a, *b;
    bool equal;
};

static const struct equal_row equal_rows[] = {
    {"{\"a\":1,\"b\":[1,2]}", "{ \"b\":[1.0,2], \"a\":1e0 }", true},
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
    {"{\"a\":1,\"c\":2}", "{\"a\":1,\"b\":2}", false},
    {"[1,2]", "[2,1]", false},
    {"9007199254740993", "9007199254740992", false},
    {"\"\\u0041\"", "\"A\"", true},
    {"null", "false", false},
};

static void test_equal(struct json_reader *r)
{
    for (size_t i = 0; i < sizeof equal_rows / sizeof *equal_rows; i++) {
        struct arena *a = arena_new(1 << 20);
        const struct json *x, *y;
        struct err e = {0};
        CHECK(json_parse(r, a, str_of(equal_rows[i].a), false, &x, &e));
        CHECK(json_parse(r, a, str_of(equal_rows[i].b), false, &y, &e));
        CHECK_ROW(json_equal(x, y) == equal_rows[i].equal, "%s", equal_rows[i].a);
        arena_free(a);
    }
}

/* Over the pairwise limit names are looked up by hash. */
static void test_many_members(struct json_reader *r)
{
    struct buf b;
    struct arena *a = arena_new(1 << 24);
    const struct json *v;
    struct err e;
    buf_init(&b, 0);
    buf_byte(&b, '{');
    for (unsigned i = 0; i < 5000; i++)
        buf_printf(&b, "%s\"k%u\":%u", i ? "," : "", i, i);
    CHECK(!json_parse(r, a, buf_view(&b), false, &v, &e));
    buf_lit(&b, "}");
    CHECK(json_parse(r, a, buf_view(&b), false, &v, &e) && v->count == 5000);
    CHECK(json_get(v, STR("k4999"))->u.i == 4999);
    b.n--;
    buf_lit(&b, ",\"k77\":0}");
    CHECK(!json_parse(r, a, buf_view(&b), false, &v, &e) && e.code == ERR_SYNTAX);
    buf_done(&b);
    arena_free(a);
}

static void test_arena_limit(struct json_reader *r)
{
    struct arena *a = arena_new(64);
    const struct json *v;
    struct err e;
    CHECK(!json_parse(r, a, STR("[1,2,3]"), false, &v, &e) && e.code == ERR_LIMIT);
    arena_free(a);
}

int main(void)
{
    struct json_reader *r = json_reader_new();
    test_parse(r);
    test_prefixes(r);
    test_depth(r);
    test_places(r);
    test_canonical(r);
    test_equal(r);
    test_many_members(r);
    test_arena_limit(r);
    json_reader_free(r);
    TEST_END();
}
