/* setu withdraw: the node takes back what it shared. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    {"reason", 0, CLI_TEXT, "R", NULL, "why: whoever had it reads this in the ledger", 0, 0, false,
     true},
    {"collection", 0, CLI_TEXT, "C", NULL, "only from this one (id or alias); else from all", 0, 0,
     false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

static bool withdraw(struct cli *c, struct cli_node *n, struct buf *b, struct err *e)
{
    struct exchange_collection only;
    struct str key = cli_text(c, "collection"), id = str_of(c->args[1]), type;
    size_t taken;
    if (!stix_id_parse(id, &type, e))
        return err_prefix(e, "%s", c->args[1]);
    if (key.n && !exchange_collection_find(n->s, c->arena, key, false, &only, e))
        return err_prefix(e, "--collection");
    if (!exchange_recall(n->s, id, cli_text(c, "reason"), key.n ? &only : NULL, &taken, e))
        return err_prefix(e, "%s", c->args[1]);
    if (cli_flag(c, "json")) {
        buf_byte(b, '{');
        json_put_member(b, "object", id);
        json_put_member_u64(b, "releases", taken);
        buf_lit(b, "}\n");
    } else {
        buf_printf(b,
                   "%s is taken back: %zu releases. `setu holders %s %s` tells which partners have "
                   "confirmed it.\n",
                   c->args[1], taken, c->args[0], c->args[1]);
    }
    return true;
}

static int run(struct cli *c)
{
    struct cli_node n;
    struct err e = {0};
    struct buf b;
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&b, 0);
    status = withdraw(c, &n, &b, &e) ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_withdraw = {
    .name = "withdraw",
    .args = "DIR ID",
    .least_args = 2,
    .most_args = 2,
    .summary = "take back an object from all who were given it",
    .text = "Takes back every version of the object, and of the copies that were made of it. "
            "Readers of this node do not see it any more at once; partner nodes take it out at "
            "their next sync, take it back from those they gave it to, and give a receipt, which "
            "`setu holders` shows. The ledger keeps the digests. An id of a redacted copy stands "
            "for what it was made of. In envelopes that wait to be decided about it stays away. "
            "Exit status "
            "1: no collection has it, and none waits.",
    .options = options,
    .run = run,
};
