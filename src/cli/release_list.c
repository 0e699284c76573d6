#include "cli/cli.h"

static const struct cli_option options[] = {
    {"all", 0, CLI_FLAG, NULL, NULL, "also what is decided or has expired", 0, 0, false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

struct listing {
    struct cli *c;
    struct buf b;
};

static void put_instant(struct buf *b, const char *name, int64_t us)
{
    char text[INSTANT_TEXT_BYTES];
    json_put_member(b, name, instant_text(instant_of_us(us), 3, text));
}

static void put_json(struct buf *b, const struct exchange_desk_entry *d)
{
    buf_byte(b, '{');
    json_put_member_u64(b, "id", (uint64_t)d->desk.id);
    json_put_member(b, "kind", d->desk.kind == STORE_DESK_HOLD ? STR("hold") : STR("quarantine"));
    json_put_member(b, "state", str_of(exchange_desk_state_name(d->desk.state)));
    json_put_member(b, "object", d->desk.stix_id);
    json_put_member(b, "from", d->from.org);
    json_put_member(b, "audience", d->desk.audience);
    json_put_name(b, "rule");
    buf_byte(b, '{');
    json_put_member_u64(b, "line", d->desk.rule_line);
    json_put_member(b, "text", d->desk.rule);
    buf_byte(b, '}');
    json_put_member_u64(b, "officers", d->desk.officers);
    buf_lit(b, d->desk.by_name ? ",\"by_name\":true" : ",\"by_name\":false");
    put_instant(b, "since", d->desk.at_us);
    put_instant(b, "expires", d->desk.expires_us);
    json_put_name(b, "approvals");
    buf_byte(b, '[');
    for (size_t i = 0; i < d->vote_count; i++) {
        buf_lit(b, i ? ",{" : "{");
        json_put_member(b, "officer", d->votes[i].officer);
        json_put_member(b, "for", d->votes[i].party);
        put_instant(b, "at", d->votes[i].at_us);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
    json_put_member(b, "reason", d->desk.reason);
    buf_lit(b, "}\n");
}

static void put_text(struct buf *b, const struct exchange_desk_entry *d)
{
    char since[INSTANT_TEXT_BYTES], expires[INSTANT_TEXT_BYTES];
    bool hold = d->desk.kind == STORE_DESK_HOLD;
    buf_printf(b, "%lld  %s  %.*s\n", (long long)d->desk.id, hold ? "held" : "in quarantine",
               STR_FMT(d->desk.stix_id));
    if (hold)
        buf_printf(b, "    for       %.*s%s\n", STR_FMT(d->desk.audience),
                   d->desk.by_name ? " (each by name)" : "");
    buf_printf(b, "    from      %.*s of %.*s\n", STR_FMT(d->from.org), STR_FMT(d->from.nation));
    buf_printf(b, "    rule      policy.conf line %u: %.*s\n", d->desk.rule_line,
               STR_FMT(d->desk.rule));
    buf_printf(b, "    approved  by %zu of %u", d->vote_count, d->desk.officers);
    for (size_t i = 0; i < d->vote_count; i++)
        buf_printf(b, "%s%.*s%s%.*s", i ? ", " : ": ", STR_FMT(d->votes[i].officer),
                   d->votes[i].party.n ? " for " : "", STR_FMT(d->votes[i].party));
    buf_printf(b, "\n    %s since %.*s, until %.*s\n", exchange_desk_state_name(d->desk.state),
               STR_FMT(instant_text(instant_of_us(d->desk.at_us), 0, since)),
               STR_FMT(instant_text(instant_of_us(d->desk.expires_us), 0, expires)));
    if (d->desk.reason.n)
        buf_printf(b, "    reason    %.*s\n", STR_FMT(d->desk.reason));
}

static bool list_entry(void *ctx, const struct exchange_desk_entry *d)
{
    struct listing *l = ctx;
    if (cli_flag(l->c, "json"))
        put_json(&l->b, d);
    else
        put_text(&l->b, d);
    return !l->b.failed;
}

static int run(struct cli *c)
{
    struct listing l = {.c = c};
    struct cli_node n;
    struct err e = {0};
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&l.b, 0);
    if (!exchange_desk_each(n.s, c->arena, cli_flag(c, "all"), list_entry, &l, &e))
        status = cli_fail(c, &e);
    else
        status = cli_print(c, &l.b);
    buf_done(&l.b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_release_list = {
    .name = "release list",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "list what waits for officers: held releases and quarantined arrivals",
    .options = options,
    .run = run,
};
