/* setu ledger key: the verifier keys that partners and auditors are to be given. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    {"witness", 0, CLI_FLAG, NULL, NULL,
     "the key by which the node countersigns others' ledgers, in place of its own ledger's", 0, 0,
     false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

static bool put_key(struct cli *c, const struct exchange *x, struct buf *b, struct err *e)
{
    struct buf key;
    buf_init(&key, 0);
    bool ok = exchange_ledger_key(x, cli_flag(c, "witness") ? LEDGER_KEY_WITNESS : LEDGER_KEY_LOG,
                                  &key, e);
    if (ok && cli_flag(c, "json")) {
        buf_byte(b, '{');
        json_put_member(b, "key", buf_view(&key));
        buf_lit(b, "}\n");
    } else if (ok) {
        buf_str(b, buf_view(&key));
        buf_byte(b, '\n');
    }
    buf_done(&key);
    return ok;
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
    status = put_key(c, n.x, &b, &e) ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_ledger_key = {
    .name = "ledger key",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "print the verifier key of a node's ledger",
    .text = "In the form of C2SP signed notes: name+id+base64. Give it to partners and auditors by "
            "a way that they trust: by it they judge the ledger's signatures.",
    .options = options,
    .run = run,
};
