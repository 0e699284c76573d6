#include "cli/officer.h"

bool cli_officer(struct cli *c, struct cli_node *n, struct principal *out, struct err *e)
{
    struct str secret;
    if (!file_read(cli_text(c, "token-file").p, LIMIT_SECRET_BYTES + 2, &secret, e))
        return false;
    bool ok =
        exchange_login_basic(n->s, c->arena, cli_text(c, "officer"), str_trim(secret), out, e);
    base_free((void *)(uintptr_t)secret.p);
    return ok || err_prefix(e, "--officer %.*s", STR_FMT(cli_text(c, "officer")));
}

bool cli_desk_number(struct cli *c, int64_t *out, struct err *e)
{
    uint64_t v;
    if (!str_to_u64(str_of(c->args[1]), &v) || v == 0 || v > INT64_MAX)
        return err_set(e, ERR_USAGE,
                       "%s is no number of the release desk: `setu release list %s` tells them",
                       c->args[1], c->args[0]);
    *out = (int64_t)v;
    return true;
}

static bool decide(struct cli *c, struct cli_node *n, bool refuse, struct buf *b, struct err *e)
{
    struct principal officer;
    struct policy_party to;
    enum store_desk_state state;
    struct exchange_verdict v = {.officer = &officer, .refuse = refuse};
    struct str who = refuse ? STR_NONE : cli_text(c, "for");
    if (refuse)
        v.reason = cli_text(c, "reason");
    if (!cli_desk_number(c, &v.id, e) || !cli_officer(c, n, &officer, e))
        return false;
    if (who.n) {
        if (!exchange_party_find(n->s, c->arena, who, &to, e))
            return err_prefix(e, "--for");
        v.to = &to;
    }
    if (!exchange_desk_decide(n->s, &v, &state, e))
        return false;
    if (cli_flag(c, "json")) {
        buf_byte(b, '{');
        json_put_member(b, "id", str_of(c->args[1]));
        json_put_member(b, "state", str_of(exchange_desk_state_name(state)));
        buf_lit(b, "}\n");
    } else {
        buf_printf(b, "%s is %s%s.\n", c->args[1],
                   state == STORE_DESK_WAITING ? "approved by one more; still " : "",
                   exchange_desk_state_name(state));
    }
    return true;
}

int cli_desk_decide(struct cli *c, bool refuse)
{
    struct cli_node n;
    struct err e = {0};
    struct buf b;
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&b, 0);
    status = decide(c, &n, refuse, &b, &e) ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}
