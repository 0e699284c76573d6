/*
 * Patterns of others: cases of syntax (SETU_CASES/pattern_syntax.jsonl) and real indicators
 * (SETU_CORPUS/stix/real_patterns.jsonl.xz). Neither is part of the project; what is absent is
 * counted as skipped.
 */
#include "json/json.h"
#include "pattern/pattern.h"
#include "test.h"

struct reader {
    struct json_reader *json;
    struct arena *line, *first, *second;
    struct buf once, twice;
};

static void reader_init(struct reader *r)
{
    *r = (struct reader){json_reader_new(), arena_new(1u << 26), arena_new(1u << 26),
                         arena_new(1u << 26), .once = {0}};
    must(r->json && r->line && r->first && r->second);
}

static void reader_done(struct reader *r)
{
    json_reader_free(r->json);
    arena_free(r->line);
    arena_free(r->first);
    arena_free(r->second);
    buf_done(&r->once);
    buf_done(&r->twice);
}

/* Parsed, printed, parsed again: the same tree and the same text. */
static bool round_trip(struct reader *r, struct str text, enum pattern_version version,
                       struct pattern **out, struct err *e)
{
    struct pattern *again;
    arena_reset(r->first);
    arena_reset(r->second);
    buf_clear(&r->once);
    buf_clear(&r->twice);
    if (!pattern_parse(r->first, text, version, out, e))
        return false;
    pattern_print(*out, &r->once);
    if (!pattern_parse(r->second, buf_view(&r->once), version, &again, e))
        return err_prefix(e, "the print %.*s", STR_FMT(buf_view(&r->once)));
    pattern_print(again, &r->twice);
    if (!pattern_equal(*out, again) || !str_eq(buf_view(&r->once), buf_view(&r->twice)))
        return err_set(e, ERR_INTERNAL, "printed %.*s, then %.*s", STR_FMT(buf_view(&r->once)),
                       STR_FMT(buf_view(&r->twice)));
    return true;
}

/* What Setu decides where the published grammar and section 9 differ: sets of mixed types are
 * refused (the grammar takes them), timestamps in START and STOP of STIX 2.0 are read (it refuses
 * them), a time that is none is refused there, and so is a second qualifier in STIX 2.1. */
static bool decided(const struct json *row, bool grammar)
{
    struct str text = json_get_str(row, STR("pattern"));
    const struct json *notes = json_get(row, STR("notes"));
    bool v20 = str_eq(json_get_str(row, STR("version")), STR("2.0"));
    for (const struct json *n = notes ? notes->u.child : NULL; n; n = n->next) {
        if (str_eq(n->u.s, STR("nonhomogeneous-set")))
            return false;
        if (str_eq(n->u.s, STR("duplicate-qualifier")) && !v20)
            return false;
    }
    for (size_t i = 0; v20 && i < text.n; i++) {
        if (str_starts(str_from(text, i), STR("START '1994-11-29T13:37Z'")))
            return false;
        if (str_starts(str_from(text, i), STR("START t'")) && json_get(row, STR("contested")))
            return true;
    }
    return grammar;
}

/* A row that is valid in the strict reading of section 9 has no note that departs from it. */
static void check_strict(const struct json *row, struct str id, const struct pattern *p)
{
    struct pattern_note notes[PATTERN_NOTE_COUNT];
    const struct json *strict = json_get(row, STR("spec_strict_valid"));
    size_t n = pattern_notes(p, notes);
    bool departs = false;
    for (size_t i = 0; i < n; i++)
        departs = departs || pattern_note_departs(notes[i].kind);
    if (strict)
        CHECK_ROW(departs != json_is(strict, JSON_TRUE), "%.*s: %s", STR_FMT(id),
                  n ? pattern_note_name(notes[0].kind) : "no note");
}

static void check_row(struct reader *r, struct str line, unsigned *rows)
{
    const struct json *row;
    struct err e = {0};
    struct pattern *p;
    arena_reset(r->line);
    if (!json_parse(r->json, r->line, line, false, &row, &e)) {
        CHECK_ROW(false, "%s", e.msg);
        return;
    }
    struct str id = json_get_str(row, STR("id")), text = json_get_str(row, STR("pattern"));
    bool v20 = str_eq(json_get_str(row, STR("version")), STR("2.0"));
    bool want = decided(row, json_is(json_get(row, STR("syntax_valid")), JSON_TRUE));
    bool got = round_trip(r, text, v20 ? PATTERN_STIX_20 : PATTERN_STIX_21, &p, &e);
    CHECK_ROW(got == want && (got || e.code == ERR_SYNTAX), "%.*s: %.*s: %s", STR_FMT(id),
              STR_FMT(text), e.msg);
    CHECK_ROW(got || e.at <= text.n, "%.*s: offset %zu", STR_FMT(id), e.at);
    if (got)
        check_strict(row, id, p);
    ++*rows;
}

static void check_cases(struct reader *r)
{
    const char *folder = getenv("SETU_CASES");
    char path[4096];
    struct str text, rest;
    struct err e;
    unsigned rows = 0;
    snprintf(path, sizeof path, "%s/pattern_syntax.jsonl", folder ? folder : "../shared/cases");
    if (!file_read(path, 0, &text, &e)) {
        TEST_SKIP("no %s (SETU_CASES)", path);
        return;
    }
    for (rest = text; rest.n > 0;) {
        struct str line = str_cut(&rest, '\n');
        if (line.n > 0)
            check_row(r, line, &rows);
    }
    CHECK(rows > 0);
    printf("%u rows of %s\n", rows, path);
    base_free((void *)(uintptr_t)text.p);
}

static void check_real_row(struct reader *r, struct str line)
{
    const struct json *row;
    struct err e = {0};
    struct pattern *p;
    arena_reset(r->line);
    if (!json_parse(r->json, r->line, line, false, &row, &e)) {
        CHECK_ROW(false, "%s", e.msg);
        return;
    }
    struct str text = json_get_str(row, STR("pattern"));
    CHECK_ROW(round_trip(r, text, PATTERN_STIX_21, &p, &e), "%.*s: %s", STR_FMT(text), e.msg);
}

static void check_real(struct reader *r)
{
    const char *folder = getenv("SETU_CORPUS");
    static char line[1 << 16];
    char path[4096], command[4200];
    unsigned rows = 0;
    snprintf(path, sizeof path, "%s/stix/real_patterns.jsonl.xz",
             folder ? folder : "../shared/corpus");
    if (!file_exists(path)) {
        TEST_SKIP("no %s (SETU_CORPUS)", path);
        return;
    }
    snprintf(command, sizeof command, "xz -dc '%s'", path);
    FILE *f = popen(command, "r");
    must(f);
    for (; fgets(line, sizeof line, f); rows++)
        check_real_row(r, str_trim(str_of(line)));
    CHECK(pclose(f) == 0 && rows > 0);
    printf("%u patterns of %s\n", rows, path);
}

int main(void)
{
    struct reader r;
    reader_init(&r);
    check_cases(&r);
    check_real(&r);
    reader_done(&r);
    TEST_END();
}
