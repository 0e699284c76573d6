/*
 * The rows of cases/objects.jsonl (SETU_CASES): zero errors exactly where `valid` says so. And
 * ATT&CK Enterprise (SETU_CORPUS), 24,771 published objects that must give no error.
 */
#include "test.h"

#include "json/json.h"
#include "stix/stix.h"

struct tally {
    size_t errors, warnings;
    char first[1200];
};

static void count(void *ctx, const struct stix_finding *f)
{
    struct tally *t = ctx;
    if (f->severity == STIX_WARNING) {
        t->warnings++;
    } else if (t->errors++ == 0) {
        snprintf(t->first, sizeof t->first, "%s %.*s: %.*s", f->rule, STR_FMT(f->path),
                 STR_FMT(f->message));
    }
    if (getenv("SETU_VERBOSE"))
        fprintf(stderr, "%s %s %.*s %.*s %.*s\n", f->severity ? "w" : "E", f->rule,
                STR_FMT(f->object), STR_FMT(f->path), STR_FMT(f->message));
}

static const char *folder(const char *variable, const char *otherwise)
{
    const char *dir = getenv(variable);
    return dir ? dir : otherwise;
}

static void check_row(struct json_reader *r, struct arena *a, struct str line)
{
    static const struct stix_check_options options = {0};
    const struct json *row, *object, *doc = NULL;
    struct tally t = {0};
    struct err e;
    arena_reset(a);
    if (!json_parse(r, a, line, false, &row, &e)) {
        CHECK_ROW(false, "a row is no JSON: %s", e.msg);
        return;
    }
    struct str id = json_get_str(row, STR("id")), raw = json_get_str(row, STR("raw"));
    bool valid = json_is(json_get(row, STR("valid")), JSON_TRUE), found;
    object = json_get(row, STR("object"));
    if (object == NULL && !json_parse(r, a, raw, false, &doc, &e)) {
        found = false;
        snprintf(t.first, sizeof t.first, "%s", e.msg);
    } else {
        size_t errors = stix_document_check(object ? object : doc, &options, count, &t);
        CHECK_ROW(errors == t.errors, "%.*s: %zu errors returned, %zu reported", STR_FMT(id),
                  errors, t.errors);
        found = t.errors == 0;
    }
    CHECK_ROW(found == valid, "%.*s: expected %s: %s", STR_FMT(id), valid ? "valid" : "errors",
              t.first);
}

static void test_cases(void)
{
    char path[4096];
    struct str text, rest;
    struct err e;
    snprintf(path, sizeof path, "%s/objects.jsonl", folder("SETU_CASES", "../shared/cases"));
    if (!file_read(path, 0, &text, &e)) {
        TEST_SKIP("no cases (SETU_CASES): %s", e.msg);
        return;
    }
    struct json_reader *r = json_reader_new();
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    size_t rows = 0;
    rest = text;
    while (rest.p != NULL) {
        struct str line = str_cut(&rest, '\n');
        if (line.n > 0) {
            check_row(r, a, line);
            rows++;
        }
    }
    CHECK(rows > 700);
    arena_free(a);
    json_reader_free(r);
    base_free((void *)(uintptr_t)text.p);
}

static bool unpack(const char *path, struct buf *out)
{
    char command[4200], block[1 << 12];
    struct err e;
    snprintf(command, sizeof command, "xz -dc '%s'", path);
    FILE *f = popen(command, "r");
    if (f == NULL)
        return false;
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
        buf_put(out, block, n);
    bool good = pclose(f) == 0 && out->n > 0;
    return buf_ok(out, &e) && good;
}

static void test_attack(void)
{
    static const struct stix_check_options options = {0};
    char path[4096];
    const struct json *doc;
    struct tally t = {0};
    struct buf text;
    struct err e;
    buf_init(&text, 0);
    snprintf(path, sizeof path, "%s/stix/attack-enterprise.json.xz",
             folder("SETU_CORPUS", "../shared/corpus"));
    if (!file_exists(path)) {
        TEST_SKIP("no %s (SETU_CORPUS)", path);
        return;
    }
    bool unpacked = unpack(path, &text);
    CHECK_ROW(unpacked, "%s: cannot unpack it with xz", path);
    if (!unpacked) {
        buf_done(&text);
        return;
    }
    struct json_reader *r = json_reader_new();
    struct arena *a = arena_new(LIMIT_ARENA_FILE_BYTES);
    bool parsed = json_parse(r, a, buf_view(&text), false, &doc, &e);
    CHECK_ROW(parsed, "%s", e.msg);
    if (parsed) {
        int64_t start = monotonic_us();
        size_t errors = stix_document_check(doc, &options, count, &t);
        double seconds = (double)(monotonic_us() - start) / 1e6;
        CHECK_ROW(errors == 0, "%zu errors, the first: %s", errors, t.first);
        printf("test_stix_cases: ATT&CK %.1f MB checked at %.0f MB/s, %zu warnings\n",
               (double)text.n / 1e6, (double)text.n / 1e6 / seconds, t.warnings);
    }
    arena_free(a);
    json_reader_free(r);
    buf_done(&text);
}

int main(void)
{
    test_cases();
    test_attack();
    TEST_END();
}
