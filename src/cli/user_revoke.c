#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {CLI_JSON, CLI_OPTION_END};

static int run(struct cli *c)
{
    struct cli_node n;
    struct err e = {0};
    struct buf b;
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    if (!exchange_user_revoke(n.x, str_of(c->args[1]), &e)) {
        if (e.code == ERR_NOT_FOUND)
            err_hint(&e, "`setu user list %s` tells which there are", c->args[0]);
        status = cli_fail(c, &e);
    } else {
        buf_init(&b, 0);
        if (cli_flag(c, "json")) {
            buf_byte(&b, '{');
            json_put_member(&b, "user", str_of(c->args[1]));
            buf_lit(&b, ",\"revoked\":true}\n");
        } else {
            buf_printf(&b, "%s can no longer sign in.\n", c->args[1]);
        }
        status = cli_print(c, &b);
        buf_done(&b);
    }
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_user_revoke = {
    .name = "user revoke",
    .args = "DIR NAME",
    .least_args = 2,
    .most_args = 2,
    .summary = "end a user's access for good",
    .text =
        "A running node refuses the user from the next request on. The name stays taken, so that "
        "records keep one meaning.",
    .options = options,
    .run = run,
};
