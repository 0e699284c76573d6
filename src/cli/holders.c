/* setu holders: who has an object, and who has confirmed that it is gone. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    {"all", 0, CLI_FLAG, NULL, NULL, "tell also those who do not hold it any more", 0, 0, false,
     false},
    CLI_JSON,
    CLI_OPTION_END,
};

struct telling {
    const struct exchange_config *home;
    struct buf b;
    bool json, all, held; /* held: by others than home */
};

static bool is_holding(enum exchange_holder_state s)
{
    return s == EXCHANGE_HOLDER_READS || s == EXCHANGE_HOLDER_UNCONFIRMED ||
           s == EXCHANGE_HOLDER_KEPT;
}

static void put_json(struct buf *b, const struct exchange_holder *h)
{
    char at[INSTANT_TEXT_BYTES];
    buf_byte(b, '{');
    json_put_member(b, "nation", h->party.nation);
    json_put_member(b, "org", h->party.org);
    json_put_member(b, "state", str_of(exchange_holder_state_name(h->state)));
    json_put_member(b, "since", instant_text(instant_of_us(h->at_us), 6, at));
    if (h->version_us)
        json_put_member(b, "version", instant_text(instant_of_us(h->version_us), 6, at));
    buf_lit(b, "}\n");
}

static bool put_holder(void *ctx, const struct exchange_holder *h)
{
    struct telling *t = ctx;
    char at[INSTANT_TEXT_BYTES];
    bool holds = is_holding(h->state),
         home = str_eq(h->party.nation, t->home->nation) && str_eq(h->party.org, t->home->org);
    t->held = t->held || (holds && !home);
    if (!holds && !t->all)
        return true;
    if (t->json)
        put_json(&t->b, h);
    else
        buf_printf(&t->b, "%.*s/%-24.*s %-12s since %.*s\n", STR_FMT(h->party.nation),
                   STR_FMT(h->party.org), exchange_holder_state_name(h->state),
                   STR_FMT(instant_text(instant_of_us(h->at_us), 0, at)));
    return true;
}

static int run(struct cli *c)
{
    struct cli_node n;
    struct err e = {0};
    struct telling t = {.json = cli_flag(c, "json"), .all = cli_flag(c, "all")};
    struct str id = str_of(c->args[1]), type;
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    t.home = exchange_config(exchange_of(n.s));
    buf_init(&t.b, 0);
    bool ok =
        stix_id_parse(id, &type, &e) && exchange_holders(n.s, c->arena, id, put_holder, &t, &e);
    if (ok) {
        status = cli_print(c, &t.b);
        status = status == 0 && !t.held ? 1 : status;
    } else {
        (void)err_prefix(&e, "%s", c->args[1]);
        status = cli_fail(c, &e);
    }
    buf_done(&t.b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_holders = {
    .name = "holders",
    .args = "DIR ID",
    .least_args = 2,
    .most_args = 2,
    .summary = "tell who holds an object, and who has confirmed that it is gone",
    .text = "One line for each organisation: `reads`: it is released to it; `unconfirmed`: it was "
            "taken back, and the organisation's node has given no receipt yet; `kept`: its node "
            "has it from others too and keeps it. With --all also `removed`: its node took it "
            "out, and its ledger proves that; `withdrawn`: it reads it here no longer and has no "
            "node that could tell more. Copies count as the object. Exit status 0: somebody "
            "else than this organisation holds it, or may; 1: nobody does.",
    .options = options,
    .run = run,
};
