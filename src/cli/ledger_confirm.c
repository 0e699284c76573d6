/* setu ledger confirm: an officer stands for a restore. */
#include "cli/officer.h"

static const struct cli_option options[] = {
    CLI_OFFICER,
    {"reason", 0, CLI_TEXT, "R", NULL, "why it was restored: partners read it in the ledger", 0, 0,
     false, true},
    CLI_JSON,
    CLI_OPTION_END,
};

static bool confirm(struct cli *c, struct cli_node *n, struct buf *b, struct err *e)
{
    struct principal officer;
    struct exchange_restored r;
    if (!cli_officer(c, n, &officer, e) ||
        !exchange_restore_confirm(n->s, &officer, cli_text(c, "reason"), &r, e))
        return false;
    if (cli_flag(c, "json")) {
        buf_lit(b, "{\"confirmed\":");
        buf_u64(b, r.count);
        json_put_member_u64(b, "leaf", r.leaf);
        json_put_member_u64(b, "size", r.size);
        buf_lit(b, "}\n");
    } else {
        buf_printf(
            b,
            "the restore to %llu leaves is confirmed; partners see it at their next sync, and "
            "an officer there may accept it (`setu peer accept`).\n",
            (unsigned long long)r.size);
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
    status = confirm(c, &n, &b, &e) ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_ledger_confirm = {
    .name = "ledger confirm",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "confirm as an officer that this node was restored from a backup",
    .text =
        "After `setu restore` the ledger goes on from an earlier state, which to a partner looks "
        "as if something had been taken out of it. With this an officer of the node's own "
        "organisation says that it was meant, and why; all partners see it.",
    .options = options,
    .run = run,
};
