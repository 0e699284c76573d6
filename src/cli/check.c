#include <stdio.h>

#include "cli/cli.h"
#include "cli/documents.h"
#include "pattern/pattern.h"

static const struct cli_option options[] = {
    {"strict", 0, CLI_FLAG, NULL, NULL, "warnings count as errors", 0, 0, false, false},
    {"pattern", 0, CLI_TEXT, "P", NULL, "check this STIX pattern alone and no file", 0, 0, false,
     false},
    {"spec-version", 0, CLI_TEXT, "V", "2.1", "the pattern's version of STIX: 2.0 or 2.1", 0, 0,
     false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

/* Bytes of each of a document's own words that a finding shows. */
#define SHOWN_BYTES 600
/* Findings are printed when so many bytes of them have come together. */
#define PRINT_BYTES 65536

struct checking {
    struct cli *c;
    struct cli_progress progress;
    uint64_t bytes;
    struct str path; /* of the file that findings are counted for */
    int printed;     /* status of the last print */
    const struct cli_document *d;
    struct buf b;
    size_t errors;
    size_t file_errors, file_warnings, shown; /* of the file; what is not shown is counted */
    size_t line, line_start, seen; /* where the line of the last finding begins in the text */
};

/* Findings mostly come in order, so lines are counted on from the last one. */
static size_t line_of(struct checking *k, size_t at, size_t *column)
{
    struct str text = k->d->text;
    if (at < k->seen) {
        k->line = k->d->line;
        k->line_start = k->seen = 0;
    }
    for (; k->seen < at && k->seen < text.n; k->seen++) {
        if (text.p[k->seen] == '\n') {
            k->line++;
            k->line_start = k->seen + 1;
        }
    }
    *column = k->seen - k->line_start + 1;
    return k->line;
}

static void put_finding(struct checking *k, const struct stix_finding *f)
{
    size_t column, line = line_of(k, f->at, &column);
    struct buf *b = &k->b;
    const char *severity = f->severity == STIX_ERROR ? "error" : "warning";
    if (!cli_flag(k->c, "json")) {
        const struct str words[] = {f->object, f->path, f->message};
        buf_printf(b, "%s:%zu:%zu: %s", k->d->path, line, column, severity);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            buf_lit(b, words[i].n || i ? ": " : "");
            buf_printable(b, words[i], SHOWN_BYTES);
        }
        buf_printf(b, " [%s]\n", f->rule);
        return;
    }
    buf_byte(b, '{');
    json_put_member(b, "file", str_of(k->d->path));
    json_put_member_u64(b, "line", line);
    json_put_member_u64(b, "column", column);
    json_put_name(b, "object");
    if (f->object.n)
        json_put_string(b, f->object);
    else
        buf_lit(b, "null");
    json_put_member(b, "path", f->path);
    json_put_member(b, "severity", str_of(severity));
    json_put_member(b, "rule", str_of(f->rule));
    json_put_member(b, "message", f->message);
    buf_lit(b, "}\n");
}

static void file_end(struct checking *k)
{
    size_t hidden = k->file_errors + k->file_warnings - k->shown;
    if (hidden)
        fprintf(stderr, "setu check: %s: %zu errors and %zu warnings; %zu of them are not shown\n",
                k->path.p, k->file_errors, k->file_warnings, hidden);
    k->errors += k->file_errors;
    k->file_errors = k->file_warnings = k->shown = 0;
}

/* The first errors of a file are named, and warnings as long as they leave it short. */
static void note_finding(void *ctx, const struct stix_finding *f)
{
    struct checking *k = ctx;
    struct stix_finding g = *f;
    if (cli_flag(k->c, "strict"))
        g.severity = STIX_ERROR;
    bool error = g.severity == STIX_ERROR;
    *(error ? &k->file_errors : &k->file_warnings) += 1;
    if ((error ? k->file_errors - 1 : k->shown) < LIMIT_STIX_FINDINGS) {
        put_finding(k, &g);
        k->shown++;
    }
}

/* Of one object the check reports no more than the first findings, but counts all errors. */
static void check_text(struct checking *k)
{
    struct stix_check_options o = {.strict = cli_flag(k->c, "strict")};
    size_t before = k->file_errors;
    k->file_errors = before + stix_document_check(k->d->root, &o, note_finding, k);
}

static bool flush(struct checking *k, struct err *e)
{
    k->printed = cli_print(k->c, &k->b);
    buf_clear(&k->b);
    return k->printed == 0 || err_set(e, ERR_IO, "stopped");
}

static bool check_document(void *ctx, const struct cli_document *d, struct err *e)
{
    struct checking *k = ctx;
    if (!str_eq(k->path, str_of(d->path))) {
        file_end(k);
        k->path = arena_str(k->c->arena, str_of(d->path));
        if (!arena_ok(k->c->arena, e))
            return false;
    }
    k->d = d;
    k->line = d->line;
    k->line_start = k->seen = 0;
    if (d->ok) {
        check_text(k);
    } else {
        struct stix_finding f = {.severity = STIX_ERROR,
                                 .rule = "json-syntax",
                                 .path = STR("$"),
                                 .at = d->e.at,
                                 .message = str_of(d->e.msg)};
        note_finding(k, &f);
    }
    k->bytes += d->text.n;
    cli_progress_at(&k->progress, k->bytes);
    return k->b.n < PRINT_BYTES || flush(k, e);
}

static int check_files(struct cli *c)
{
    struct checking k = {.c = c};
    struct err e = {0};
    int status = 0;
    if (c->arg_count == 0)
        return cli_usage(c, "name a FILE, or a pattern with --pattern");
    buf_init(&k.b, 0);
    cli_progress_start(&k.progress, "check, bytes", 0);
    for (size_t i = 0; i < c->arg_count && k.printed == 0; i++)
        if (!cli_documents_each(c->args[i], false, check_document, &k, &e) && k.printed == 0)
            status = (cli_fail(c, &e), 3);
    cli_progress_end(&k.progress);
    if (k.printed == 0)
        (void)flush(&k, &e);
    file_end(&k);
    status = k.printed ? k.printed : status;
    buf_done(&k.b);
    return status ? status : k.errors != 0;
}

static int check_pattern(struct cli *c, struct str text)
{
    enum pattern_version v = PATTERN_STIX_21;
    struct str version = cli_text(c, "spec-version");
    struct pattern *p;
    struct err e = {0};
    struct buf b;
    if (c->arg_count)
        return cli_usage(c, "--pattern goes without FILE");
    if (str_eq(version, STR("2.0")))
        v = PATTERN_STIX_20;
    else if (!str_eq(version, STR("2.1")))
        return cli_usage(c, "--spec-version takes 2.0 or 2.1");
    if (pattern_parse(c->arena, text, v, &p, &e))
        return 0;
    if (e.code != ERR_SYNTAX && e.code != ERR_INVALID && e.code != ERR_LIMIT)
        return cli_fail(c, &e);
    buf_init(&b, 0);
    if (cli_flag(c, "json")) {
        size_t line, column;
        str_line_column(text, e.at, &line, &column);
        buf_lit(&b, "{\"file\":null");
        json_put_member_u64(&b, "line", line);
        json_put_member_u64(&b, "column", column);
        buf_lit(&b, ",\"object\":null,\"path\":\"$\",\"severity\":\"error\"");
        json_put_member(&b, "rule", STR("stix21-9-pattern"));
        json_put_member(&b, "message", str_of(e.msg));
        buf_lit(&b, "}\n");
    } else {
        buf_printf(&b, "column %zu: %s\n", e.at + 1, e.msg);
    }
    int status = cli_print(c, &b);
    buf_done(&b);
    return status ? status : 1;
}

static int run(struct cli *c)
{
    struct str pattern = cli_text(c, "pattern");
    return pattern.p ? check_pattern(c, pattern) : check_files(c);
}

const struct cli_command cli_check = {
    .name = "check",
    .args = "FILE...",
    .least_args = 0,
    .summary = "validate STIX 2.1: one finding a line, with place, rule and what to do",
    .text = "FILE is a bundle, a TAXII envelope, an array, one object or JSON lines; - is standard "
            "input, a directory is walked for *.json, *.jsonl and *.ndjson. Exit status 1 if there "
            "was an error, 0 if there were only warnings or nothing. "
            "The first 100 errors of a file are printed, and warnings as long as those are fewer "
            "than 100 findings; the rest is counted.",
    .options = options,
    .run = run,
};
