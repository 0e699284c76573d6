/* setu peer accept: an officer accepts that a partner's ledger goes on from an earlier state. */
#include "cli/officer.h"
#include "peer/peer.h"

static const struct cli_option options[] = {
    CLI_OFFICER,
    {"reason", 0, CLI_TEXT, "R", NULL, "why it is accepted: it stands in this node's ledger", 0, 0,
     false, true},
    CLI_JSON,
    CLI_OPTION_END,
};

static bool find_peer(struct cli *c, struct cli_node *n, struct store_peer *out, struct err *e)
{
    struct store_peer *rows;
    size_t count;
    if (!exchange_peers(n->s, c->arena, &rows, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (str_eq(rows[i].name, str_of(c->args[1]))) {
            *out = rows[i];
            return true;
        }
    }
    return err_set(e, ERR_NOT_FOUND, "no partner \"%s\": see `setu peer list %s`", c->args[1],
                   c->args[0]);
}

static bool accept(struct cli *c, struct cli_node *n, struct buf *b, struct err *e)
{
    struct principal officer;
    struct store_peer peer;
    struct peer_gap g = {.peer = &peer, .officer = &officer, .reason = cli_text(c, "reason")};
    if (!find_peer(c, n, &peer, e) || !cli_officer(c, n, &officer, e) ||
        !peer_accept(n->s, &g, c->arena, e))
        return false;
    if (cli_flag(c, "json")) {
        buf_byte(b, '{');
        json_put_member(b, "accepted", peer.name);
        buf_lit(b, "}\n");
    } else {
        buf_printf(b,
                   "%.*s is witnessed from its present checkpoint on; `setu sync` pulls again.\n",
                   STR_FMT(peer.name));
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
    status = accept(c, &n, &b, &e) ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_peer_accept = {
    .name = "peer accept",
    .args = "DIR PEER",
    .least_args = 2,
    .most_args = 2,
    .summary = "accept as an officer that a partner was restored from a backup",
    .text =
        "After `setu sync` found a fork or rollback in PEER's ledger. It is refused unless that "
        "ledger holds a confirmation by an officer there (`setu ledger confirm`), younger than "
        "the last checkpoint that was good; the confirmation is proven from the partner's tiles. "
        "This node's ledger records who accepted, and why.",
    .options = options,
    .run = run,
};
