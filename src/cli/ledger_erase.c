/* setu ledger erase: an officer has a record forgotten. */
#include "cli/officer.h"

static const struct cli_option options[] = {
    CLI_OFFICER,
    {"reason", 0, CLI_TEXT, "R", NULL, "why, and by which law: it stays in the ledger", 0, 0, false,
     true},
    CLI_OPTION_END,
};

static bool erase(struct cli *c, struct cli_node *n, uint64_t leaf, struct err *e)
{
    struct principal officer;
    return cli_officer(c, n, &officer, e) &&
           exchange_ledger_erase(n->s, &officer, leaf, cli_text(c, "reason"), e);
}

static int run(struct cli *c)
{
    struct cli_node n;
    struct err e = {0};
    struct buf b;
    uint64_t leaf;
    int status;
    if (!str_to_u64(str_of(c->args[1]), &leaf) || leaf > LIMIT_LEDGER_LEAVES)
        return cli_usage(c, "%s is no number of a leaf", c->args[1]);
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&b, 0);
    buf_printf(&b, "The record of leaf %llu and its salt are erased; its hash stays in the log.\n",
               (unsigned long long)leaf);
    status = erase(c, &n, leaf, &e) ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_ledger_erase = {
    .name = "ledger erase",
    .args = "DIR LEAF",
    .least_args = 2,
    .most_args = 2,
    .summary = "have a record of the ledger forgotten, as law may ask",
    .text =
        "The record and its salt go, its hash and every proof stay, and a record of kind erasure "
        "tells who did it and why. Backups made before still hold it. Withdrawals, restores, "
        "erasures and policy changes stay, for others rely on them. `setu ledger export` prints "
        "the number of each "
        "record.",
    .options = options,
    .run = run,
};
