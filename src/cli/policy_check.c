#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {CLI_JSON, CLI_OPTION_END};

struct warnings {
    struct cli *c;
    struct buf b;
};

static void put(struct warnings *w, const char *severity, size_t line, size_t column,
                struct str message)
{
    if (!cli_flag(w->c, "json")) {
        buf_printf(&w->b, "%s:%zu: %s: %.*s\n", w->c->args[0], line, severity, STR_FMT(message));
        return;
    }
    buf_byte(&w->b, '{');
    json_put_member(&w->b, "file", str_of(w->c->args[0]));
    json_put_member_u64(&w->b, "line", line);
    json_put_member_u64(&w->b, "column", column);
    json_put_member(&w->b, "severity", str_of(severity));
    json_put_member(&w->b, "message", message);
    buf_lit(&w->b, "}\n");
}

static void note_warning(void *ctx, unsigned line, struct str message)
{
    put(ctx, "warning", line, 1, message);
}

static int run(struct cli *c)
{
    struct warnings w = {.c = c};
    struct policy *p = NULL;
    struct str text;
    struct err e = {0};
    size_t line, column;
    if (!file_read(c->args[0], LIMIT_POLICY_BYTES, &text, &e))
        return (cli_fail(c, &e), 3);
    buf_init(&w.b, 0);
    struct policy_check_options o = {
        .name = c->args[0], .now_us = now_us(), .warn = note_warning, .ctx = &w};
    bool ok = policy_check(text, &o, &p, &e);
    if (!ok && cli_flag(c, "json")) {
        str_line_column(text, e.at, &line, &column);
        put(&w, "error", line, column, str_of(e.msg));
    } else if (!ok) {
        buf_printf(&w.b, "%s\n", e.msg);
    }
    int status = cli_print(c, &w.b);
    buf_done(&w.b);
    policy_free(p);
    base_free((void *)(uintptr_t)text.p);
    return status ? status : !ok;
}

const struct cli_command cli_policy_check = {
    .name = "policy check",
    .args = "FILE",
    .least_args = 1,
    .most_args = 1,
    .summary = "check a release policy: syntax with line and column, rules that never decide",
    .options = options,
    .run = run,
};
