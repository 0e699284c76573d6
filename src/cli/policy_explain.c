#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {
    {"for", 0, CLI_TEXT, "WHO", NULL, "an organisation of policy.conf, or a user", 0, 0, false,
     true},
    CLI_JSON,
    CLI_OPTION_END,
};

static void put_json(struct cli *c, const struct exchange_explanation *x, const struct buf *bytes,
                     struct buf *b)
{
    bool release = x->decision == POLICY_RELEASE;
    buf_byte(b, '{');
    json_put_member(b, "object", str_of(c->args[1]));
    json_put_member(b, "recipient", cli_text(c, "for"));
    json_put_member(b, "decision", release ? STR("release") : STR("deny"));
    json_put_name(b, "rule");
    buf_byte(b, '{');
    json_put_member_u64(b, "line", x->rule.line);
    json_put_member(b, "text", x->rule.text);
    buf_lit(b, x->released ? "},\"released\":true" : "},\"released\":false");
    buf_lit(b, ",\"redactions\":[]");
    json_put_name(b, "copy");
    buf_str(b, release ? buf_view(bytes) : STR("null"));
    buf_lit(b, "}\n");
}

static int explain(struct cli *c, struct cli_node *n)
{
    struct exchange_explanation x;
    struct policy_party to;
    struct buf bytes, b;
    struct err e = {0};
    buf_init(&bytes, 0);
    buf_init(&b, 0);
    int status;
    bool ok = exchange_party_find(n->s, c->arena, cli_text(c, "for"), &to, &e);
    if (ok && !exchange_explain(n->s, str_of(c->args[1]), &to, &x, &bytes, &e)) {
        ok = false;
        if (e.code == ERR_NOT_FOUND)
            err_hint(&e, "`setu export %s` tells which there are", c->args[0]);
    }
    if (!ok) {
        status = cli_fail(c, &e);
    } else {
        bool release = x.decision == POLICY_RELEASE;
        if (cli_flag(c, "json"))
            put_json(c, &x, &bytes, &b);
        else if (x.rule.line)
            buf_printf(&b, "%s: policy.conf line %u: %.*s\n", release ? "released" : "withheld",
                       x.rule.line, STR_FMT(x.rule.text));
        else
            buf_printf(&b, "%s: %.*s\n", release ? "released" : "withheld", STR_FMT(x.rule.text));
        if (!cli_flag(c, "json") && release != x.released)
            buf_lit(&b, x.released
                            ? "but it is released: the record of its acceptance decides, and an "
                              "earlier policy released it\n"
                            : "but it is not: the record of its acceptance decides, and the policy "
                              "of that time withheld it\n");
        status = cli_print(c, &b);
    }
    buf_done(&bytes);
    buf_done(&b);
    return status;
}

static int run(struct cli *c)
{
    struct cli_node n;
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    status = explain(c, &n);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_policy_explain = {
    .name = "policy explain",
    .args = "DIR ID",
    .least_args = 2,
    .most_args = 2,
    .summary = "tell whether an object is released to somebody, and by which rule",
    .text =
        "Asks the same code that decides at acceptance, with the policy as it is now. What is read "
        "follows the record made at acceptance; where the two differ, it says so (`released` in "
        "JSON).",
    .options = options,
    .run = run,
};
