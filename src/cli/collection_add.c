#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {
    {"title", 0, CLI_TEXT, "T", NULL, "what people see", 0, 0, false, true},
    {"alias", 0, CLI_TEXT, "A", NULL, "a short name that works in URLs and options", 0, 0, false,
     false},
    {"description", 0, CLI_TEXT, "TEXT", NULL, "a sentence about what it holds", 0, 0, false,
     false},
    {"default-marking", 0, CLI_TEXT, "TLP", "amber",
     "the TLP of objects that carry none: clear, green, amber, amber+strict or red", 0, 0, false,
     false},
    {"id", 0, CLI_TEXT, "UUID", NULL, "its id in TAXII; a new one if not given", 0, 0, false,
     false},
    CLI_JSON,
    CLI_OPTION_END,
};

static int print_collection(struct cli *c, const char *uuid, struct str alias)
{
    struct buf b;
    buf_init(&b, 0);
    if (cli_flag(c, "json")) {
        buf_byte(&b, '{');
        json_put_member(&b, "id", str_of(uuid));
        json_put_name(&b, "alias");
        if (alias.n)
            json_put_string(&b, alias);
        else
            buf_lit(&b, "null");
        buf_lit(&b, "}\n");
    } else {
        buf_printf(&b, "%s\n", uuid);
    }
    int status = cli_print(c, &b);
    buf_done(&b);
    return status;
}

static int run(struct cli *c)
{
    struct exchange_collection_new col = {.title = cli_text(c, "title"),
                                          .alias = cli_text(c, "alias"),
                                          .description = cli_text(c, "description"),
                                          .uuid = cli_text(c, "id")};
    struct cli_node n;
    struct err e = {0};
    char uuid[37];
    int status;
    struct str marking = cli_text(c, "default-marking");
    if (!stix_tlp_parse(marking, &col.marking) || col.marking == STIX_TLP_NONE)
        return cli_usage(c, "--default-marking %.*s: clear, green, amber, amber+strict or red",
                         STR_FMT(marking));
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    status = exchange_collection_add(n.x, &col, uuid, &e) ? print_collection(c, uuid, col.alias)
                                                          : cli_fail(c, &e);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_collection_add = {
    .name = "collection add",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "add a collection and print its id",
    .options = options,
    .run = run,
};
