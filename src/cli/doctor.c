/* setu doctor: what an administrator should know of a node, and what to do about it. */
#include "cli/cli.h"

#define SHOWN_BYTES 800

static const struct cli_option options[] = {
    {"thorough", 0, CLI_FLAG, NULL, NULL,
     "read the whole database and compare its indexes: takes a while", 0, 0, false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

struct looking {
    struct buf out;
    bool json, bad;
};

static void put(void *ctx, const struct exchange_finding *f)
{
    struct looking *l = ctx;
    struct buf *b = &l->out;
    l->bad = l->bad || f->health == EXCHANGE_ERROR;
    if (l->json) {
        buf_byte(b, '{');
        json_put_member(b, "check", str_of(f->check));
        json_put_member(b, "status", str_of(exchange_health_name(f->health)));
        json_put_member(b, "message", f->message);
        json_put_member(b, "action", f->action);
        buf_lit(b, "}\n");
        return;
    }
    buf_printf(b, "%-8s %s: ", exchange_health_name(f->health), f->check);
    buf_printable(b, f->message, SHOWN_BYTES);
    if (f->action.n)
        buf_lit(b, ": ");
    buf_str(b, f->action);
    buf_byte(b, '\n');
}

static int run(struct cli *c)
{
    struct looking l = {.json = cli_flag(c, "json")};
    struct exchange_doctor_options o = {
        .dir = c->args[0], .thorough = cli_flag(c, "thorough"), .each = put, .ctx = &l};
    struct err e = {0};
    buf_init(&l.out, 0);
    bool ok = exchange_doctor(&o, &e);
    int status = cli_print(c, &l.out);
    buf_done(&l.out);
    if (!ok) {
        cli_fail(c, &e);
        return 3;
    }
    return status ? status : l.bad;
}

const struct cli_command cli_doctor = {
    .name = "doctor",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "look at a node: files, certificates, database, ledger, backups, partners",
    .text =
        "A line a finding: ok, warning or error, what was looked at, what is the matter, and "
        "what to do. The node may run meanwhile, and may be damaged. Exit status 0 when there is "
        "no error (there may be warnings), 1 when there is one, 3 when DIR is no node.",
    .options = options,
    .run = run,
};
