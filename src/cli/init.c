#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {
    {"name", 0, CLI_TEXT, "N", NULL, "the node's name, shown to clients", 0, 0, false, true},
    {"nation", 0, CLI_TEXT, "CC", NULL, "its nation, ISO 3166-1: IN, JP", 0, 0, false, true},
    {"org", 0, CLI_TEXT, "O", NULL,
     "its organisation as policy.conf calls it; made from the name if not given", 0, 0, false,
     false},
    {"identity", 0, CLI_TEXT, "ID", NULL,
     "the organisation's STIX identity; a new one if not given", 0, 0, false, false},
    {"hosts", 0, CLI_TEXT, "LIST", NULL,
     "names and addresses, separated by commas, that its certificate holds beside loopback", 0, 0,
     false, false},
    {"listen", 0, CLI_TEXT, "HOST:PORT", "127.0.0.1:6443", "where `setu serve` listens", 0, 0,
     false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

static int run(struct cli *c)
{
    struct exchange_init i = {.dir = c->args[0],
                              .name = cli_text(c, "name"),
                              .nation = cli_text(c, "nation"),
                              .org = cli_text(c, "org"),
                              .identity = cli_text(c, "identity"),
                              .hosts = cli_text(c, "hosts"),
                              .listen = cli_text(c, "listen")};
    struct str user;
    char token[64];
    struct err e = {0};
    struct buf b;
    if (!exchange_init(&i, &user, token, &e))
        return cli_fail(c, &e);
    buf_init(&b, 0);
    if (cli_flag(c, "json")) {
        buf_byte(&b, '{');
        json_put_member(&b, "dir", str_of(i.dir));
        json_put_member(&b, "user", user);
        json_put_member(&b, "token", str_of(token));
        buf_lit(&b, "}\n");
    } else {
        buf_printf(
            &b,
            "%s is a node now. Its administrator is \"%.*s\", with this token, shown once:\n\n"
            "  %s\n\nNext: read %s/policy.conf, then `setu collection add %s --title T` and "
            "`setu serve %s`.\n",
            i.dir, STR_FMT(user), token, i.dir, i.dir, i.dir);
    }
    int status = cli_print(c, &b);
    buf_done(&b);
    return status;
}

const struct cli_command cli_init = {
    .name = "init",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "make a node: configuration, policy, keys, database, an administrator",
    .text = "DIR must not exist or be empty. The policy it writes releases at home and nothing "
            "abroad. The token serves as bearer token and as HTTP Basic password of the "
            "administrator; only its hash is kept.",
    .options = options,
    .run = run,
};
