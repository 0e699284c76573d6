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

struct checking {
    struct cli *c;
    const struct cli_document *d;
    struct buf b;
    size_t errors, in_file, hidden;
};

static void put_finding(struct checking *k, const struct stix_finding *f)
{
    size_t line, column;
    struct buf *b = &k->b;
    const char *severity = f->severity == STIX_ERROR ? "error" : "warning";
    str_line_column(k->d->file, k->d->base + f->at, &line, &column);
    if (!cli_flag(k->c, "json")) {
        buf_printf(b, "%s:%zu:%zu: %s: %.*s: %.*s: %.*s [%s]\n", k->d->path, line, column, severity,
                   STR_FMT(f->object), STR_FMT(f->path), STR_FMT(f->message), f->rule);
        return;
    }
    buf_byte(b, '{');
    json_put_member(b, "file", str_of(k->d->path));
    json_put_member_u64(b, "line", line);
    json_put_member_u64(b, "column", column);
    json_put_member(b, "object", f->object);
    json_put_member(b, "path", f->path);
    json_put_member(b, "severity", str_of(severity));
    json_put_member(b, "rule", str_of(f->rule));
    json_put_member(b, "message", f->message);
    buf_lit(b, "}\n");
}

/* The first findings of a file are named, the rest counted. */
static void note_finding(void *ctx, const struct stix_finding *f)
{
    struct checking *k = ctx;
    struct stix_finding g = *f;
    if (cli_flag(k->c, "strict"))
        g.severity = STIX_ERROR;
    k->errors += g.severity == STIX_ERROR;
    if (k->in_file++ < LIMIT_STIX_FINDINGS)
        put_finding(k, &g);
    else
        k->hidden++;
}

static bool check_document(void *ctx, const struct cli_document *d, struct err *e)
{
    struct checking *k = ctx;
    struct stix_check_options o = {.strict = cli_flag(k->c, "strict")};
    (void)e;
    k->d = d;
    if (d->ok) {
        stix_document_check(d->root, &o, note_finding, k);
    } else {
        struct stix_finding f = {STIX_ERROR, "json-syntax", STR_NONE,
                                 STR("$"),   d->e.at,       str_of(d->e.msg)};
        note_finding(k, &f);
    }
    return true;
}

static int check_files(struct cli *c)
{
    struct checking k = {.c = c};
    struct err e = {0};
    int status = 0;
    if (c->arg_count == 0)
        return cli_usage(c, "name a FILE, or a pattern with --pattern");
    buf_init(&k.b, 0);
    for (size_t i = 0; i < c->arg_count; i++) {
        k.in_file = k.hidden = 0;
        if (!cli_documents_each(c->args[i], check_document, &k, &e))
            status = (cli_fail(c, &e), 3);
        if (k.hidden)
            fprintf(stderr, "setu check: %s: %zu more findings are not shown\n", c->args[i],
                    k.hidden);
        int printed = cli_print(c, &k.b);
        status = status ? status : printed;
        buf_clear(&k.b);
    }
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
            "input. Exit status 1 if there was an error, 0 if there were only warnings or nothing. "
            "The first 100 findings of a file are printed.",
    .options = options,
    .run = run,
};
