#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {CLI_JSON, CLI_OPTION_END};

static int run(struct cli *c)
{
    struct cli_node n;
    struct err e = {0};
    struct buf plain, b;
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&plain, 0);
    buf_init(&b, 0);
    status = 0;
    for (size_t i = 1; i < c->arg_count && status == 0; i++) {
        buf_clear(&plain);
        if (!exchange_reveal(n.x, str_of(c->args[i]), &plain, &e)) {
            status = cli_fail(c, &e);
            break;
        }
        if (cli_flag(c, "json")) {
            buf_byte(&b, '{');
            json_put_member(&b, "pseudonym", str_of(c->args[i]));
            json_put_member(&b, "value", buf_view(&plain));
            buf_lit(&b, "}\n");
        } else {
            buf_printable(&b, buf_view(&plain), plain.n);
            buf_byte(&b, '\n');
        }
    }
    int printed = cli_print(c, &b);
    buf_done(&plain);
    buf_done(&b);
    cli_node_close(&n);
    return status ? status : printed;
}

const struct cli_command cli_policy_reveal = {
    .name = "policy reveal",
    .args = "DIR PSEUDONYM...",
    .least_args = 2,
    .summary = "tell what a pseudonym of this node stands for",
    .text = "A `redact pseudonym` rule replaces a value by one that only this node can read back, "
            "so that "
            "two objects with the same value can still be told to have it in common.",
    .options = options,
    .run = run,
};
