/* Statements in many styles, with planted errors and about other things: tests/golden/dialogue
 * holds each text beside what must be read from it. Every sentence named as evidence must stand in
 * the text, and every prefix of a text must be read without harm. */
#include <dirent.h>

#include "test.h"

#include "dialogue/dialogue.h"

#define FOLDER "tests/golden/dialogue"

static struct json_reader *reader;

static bool slurp(const char *name, const char *tail, struct str *out)
{
    char path[600];
    struct err e;
    snprintf(path, sizeof path, "%s/%s%s", FOLDER, name, tail);
    return file_read(path, 0, out, &e);
}

/* Reads a text to JSON; the buffer is the caller's. */
static const struct json *draft_of(struct arena *a, struct str text, struct buf *b)
{
    const struct dialogue_draft *d;
    const struct json *v;
    struct err e;
    if (!dialogue_read(a, reader, text, &d, &e))
        return NULL;
    dialogue_draft_json(d, b);
    return json_parse(reader, a, buf_view(b), false, &v, &e) ? v : NULL;
}

/* ---- members of the round ---- */

/* All that is expected of an object is there; lists of objects are compared one by one. */
static bool fits(const struct json *expected, const struct json *got)
{
    if (!got)
        return false;
    if (expected->type == JSON_OBJECT && got->type == JSON_OBJECT) {
        for (const struct json *m = expected->u.child; m; m = m->next)
            if (!fits(m, json_get(got, m->key)))
                return false;
        return true;
    }
    if (expected->type == JSON_ARRAY && got->type == JSON_ARRAY && expected->count == got->count) {
        const struct json *b = got->u.child;
        for (const struct json *a = expected->u.child; a; a = a->next, b = b->next)
            if (!fits(a, b))
                return false;
        return true;
    }
    return json_equal(expected, got);
}

/* Every element of the one list is in the other. */
static bool includes(const struct json *expected, const struct json *got)
{
    for (const struct json *a = expected->u.child; a; a = a->next) {
        bool there = false;
        for (const struct json *b = json_is(got, JSON_ARRAY) ? got->u.child : NULL; b; b = b->next)
            there |= json_equal(a, b);
        if (!there)
            return false;
    }
    return true;
}

static void check_round(const char *name, const struct json *expected, const struct json *got)
{
    for (const struct json *m = expected->u.child; m; m = m->next)
        CHECK_ROW(str_ends(m->key, STR("_include")) ? includes(m, json_get(got, m->key))
                                                    : fits(m, json_get(got, m->key)),
                  "%s: %.*s", name, STR_FMT(m->key));
}

static void check_findings(const char *name, const struct json *expected, const struct json *got)
{
    const struct json *b = got->u.child;
    CHECK_ROW(expected->count == got->count, "%s: %u findings, %u expected", name, got->count,
              expected->count);
    for (const struct json *a = expected->u.child; a && b; a = a->next, b = b->next)
        CHECK_ROW(fits(a, b), "%s: %.*s: %.*s", name, STR_FMT(json_get_str(b, STR("rule"))),
                  STR_FMT(json_get_str(b, STR("message"))));
}

/* ---- evidence ---- */

static bool stands_in(struct str part, struct str text)
{
    for (size_t i = 0; part.n <= text.n && i <= text.n - part.n; i++)
        if (memcmp(text.p + i, part.p, part.n) == 0)
            return true;
    return false;
}

static void check_evidence(const char *name, const struct json *v, struct str text)
{
    if (v->type == JSON_STRING)
        CHECK_ROW(stands_in(v->u.s, text), "%s: %.*s", name, STR_FMT(v->u.s));
    else if (v->type == JSON_OBJECT || v->type == JSON_ARRAY)
        for (const struct json *m = v->u.child; m; m = m->next)
            if (!str_eq(m->key, STR("id")))
                check_evidence(name, m, text);
}

static bool check_case(const char *name)
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct str text, json;
    struct buf b;
    struct err e;
    const struct json *expected, *got = NULL;
    buf_init(&b, 0);
    bool ok = slurp(name, ".txt", &text) && slurp(name, ".json", &json) &&
              json_parse(reader, a, json, true, &expected, &e) &&
              (got = draft_of(a, text, &b)) != NULL;
    CHECK_ROW(ok, "%s", name);
    if (ok) {
        const struct json *round = json_get(got, STR("round"));
        check_round(name, json_get(expected, STR("round")), round);
        check_findings(name, json_get(expected, STR("findings")), json_get(got, STR("findings")));
        check_evidence(name, json_get(round, STR("evidence")), text);
        const struct json *heads = json_get(round, STR("heads"));
        for (const struct json *h = json_is(heads, JSON_ARRAY) ? heads->u.child : NULL; h;
             h = h->next)
            check_evidence(name, json_get(h, STR("evidence")), text);
    }
    buf_done(&b);
    base_free((void *)(uintptr_t)text.p);
    base_free((void *)(uintptr_t)json.p);
    arena_free(a);
    return ok;
}

static void test_golden(void)
{
    size_t cases = 0;
    DIR *d = opendir(FOLDER);
    for (struct dirent *x; d && (x = readdir(d)) != NULL;) {
        size_t n = strlen(x->d_name);
        if (n < 5 || strcmp(x->d_name + n - 4, ".txt") != 0)
            continue;
        x->d_name[n - 4] = '\0';
        cases += check_case(x->d_name);
    }
    if (d)
        closedir(d);
    CHECK(cases >= 25);
}

/* ---- the case that the contract of the output was drawn from ---- */

/* SETU_CASES/dialogue: its text is another's, so it is not kept here; the golden text founding.txt
 * says the same in other words. */
static void test_contract(void)
{
    const char *cases = getenv("SETU_CASES");
    char path[700], expected_path[700];
    struct str text = STR_NONE, json = STR_NONE;
    const struct json *expected, *got;
    struct err e;
    struct buf b;
    snprintf(path, sizeof path, "%s/dialogue/founding.txt", cases ? cases : "");
    snprintf(expected_path, sizeof expected_path, "%s/dialogue/founding.expected.json",
             cases ? cases : "");
    if (!cases || !file_exists(path)) {
        TEST_SKIP("the founding document: SETU_CASES names no folder that has it");
        return;
    }
    struct arena *a = arena_new((size_t)1 << 30);
    buf_init(&b, 0);
    bool ok = file_read(path, 0, &text, &e) && file_read(expected_path, 0, &json, &e) &&
              json_parse(reader, a, json, true, &expected, &e) &&
              (got = draft_of(a, text, &b)) != NULL;
    CHECK_ROW(ok, "%s", path);
    if (ok) {
        check_round("contract", json_get(expected, STR("round")), json_get(got, STR("round")));
        CHECK(json_get(got, STR("findings"))->count >= 5);
    }
    buf_done(&b);
    base_free((void *)(uintptr_t)text.p);
    base_free((void *)(uintptr_t)json.p);
    arena_free(a);
}

/* ---- the same text twice, and cut anywhere ---- */

static void test_prefixes(void)
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct str text;
    size_t read = 0;
    if (!slurp("founding", ".txt", &text)) {
        CHECK(false);
        return;
    }
    for (size_t n = 0; n <= text.n; n += 41) {
        char *exact = malloc(n ? n : 1); /* exact size: an over-read is seen */
        struct buf x, y;
        memcpy(exact, text.p, n);
        buf_init(&x, 0);
        buf_init(&y, 0);
        if (utf8_valid((struct str){exact, n})) {
            CHECK(draft_of(a, (struct str){exact, n}, &x) != NULL);
            CHECK(draft_of(a, (struct str){exact, n}, &y) != NULL);
            CHECK(str_eq(buf_view(&x), buf_view(&y)));
            read++;
        }
        buf_done(&x);
        buf_done(&y);
        free(exact);
        arena_reset(a);
    }
    CHECK(read > 20);
    base_free((void *)(uintptr_t)text.p);
    arena_free(a);
}

/* ---- what is refused ---- */

static void test_refusals(void)
{
    struct arena *a = arena_new((size_t)1 << 30);
    const struct dialogue_draft *d;
    struct err e;
    CHECK(!dialogue_read(a, reader, STR("caf\xE9"), &d, &e) && e.code == ERR_INVALID);
    char *big = calloc(1, LIMIT_DIALOGUE_TEXT_BYTES + 2);
    memset(big, 'a', LIMIT_DIALOGUE_TEXT_BYTES + 1);
    CHECK(!dialogue_read(a, reader, (struct str){big, LIMIT_DIALOGUE_TEXT_BYTES + 1}, &d, &e) &&
          e.code == ERR_TOO_LARGE);
    for (size_t i = 1; i < LIMIT_DIALOGUE_TEXT_BYTES; i += 2)
        big[i] = ' ';
    CHECK(!dialogue_read(a, reader, (struct str){big, LIMIT_DIALOGUE_TEXT_BYTES}, &d, &e) &&
          e.code == ERR_LIMIT);
    free(big);
    arena_free(a);
}

/* Without memory there is an error, never half a draft: the k-th allocation fails, for every k. */
static void test_memory(void)
{
    struct str text = STR("The 4th India-Japan Cyber Dialogue was held in Tokyo on 1 July 2022.");
    bool done = false;
    for (long k = 1; !done && k < 2000; k++) {
        base_fail_allocation(k, true);
        struct arena *a = arena_new((size_t)1 << 30);
        const struct dialogue_draft *d;
        struct err e = {0};
        bool ok = a && dialogue_read(a, reader, text, &d, &e);
        done = !base_fail_allocation(0, false);
        CHECK_ROW(ok ? done : !a || e.code == ERR_MEMORY, "k %ld: %s", k, e.msg);
        arena_free(a);
    }
    CHECK(done);
}

int main(void)
{
    reader = json_reader_new();
    test_golden();
    test_contract();
    test_prefixes();
    test_refusals();
    test_memory();
    json_reader_free(reader);
    TEST_END();
}
