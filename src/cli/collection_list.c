#include "cli/cli.h"

static const struct cli_option options[] = {CLI_JSON, CLI_OPTION_END};

static void put_collection(struct buf *b, const struct exchange_collection *c, bool json)
{
    if (!json) {
        buf_printf(b, "%.*s  %-16.*s tlp:%-12s %.*s\n", STR_FMT(c->uuid), STR_FMT(c->alias),
                   stix_tlp_name(c->marking), STR_FMT(c->title));
        return;
    }
    buf_byte(b, '{');
    json_put_member(b, "id", c->uuid);
    json_put_member(b, "alias", c->alias);
    json_put_member(b, "title", c->title);
    json_put_member(b, "description", c->description);
    json_put_member(b, "api_root", c->root);
    json_put_member(b, "default_marking", str_of(stix_tlp_name(c->marking)));
    buf_lit(b, "}\n");
}

static int run(struct cli *c)
{
    struct cli_node n;
    struct err e = {0};
    struct exchange_collection *list;
    size_t count;
    struct buf b;
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&b, 0);
    if (exchange_collections(n.s, c->arena, &list, &count, &e)) {
        for (size_t i = 0; i < count; i++)
            put_collection(&b, &list[i], cli_flag(c, "json"));
        status = cli_print(c, &b);
    } else {
        status = cli_fail(c, &e);
    }
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_collection_list = {
    .name = "collection list",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "list collections: id, alias, default marking, title",
    .options = options,
    .run = run,
};
