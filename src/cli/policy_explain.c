#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {
    {"for", 0, CLI_TEXT, "WHO", NULL, "an organisation of policy.conf, or a user", 0, 0, false,
     true},
    CLI_JSON,
    CLI_OPTION_END,
};

static const char *const decisions[] = {"deny", "release", "hold"};
static const char *const words[] = {"withheld", "released", "held"};

/* As it goes out, on one line: no string of JSON holds a line end as it is. */
static void put_copy(struct buf *b, struct str copy)
{
    for (size_t i = 0; i < copy.n; i++)
        buf_byte(b, copy.p[i] == '\n' || copy.p[i] == '\r' ? ' ' : copy.p[i]);
}

static void put_json(struct cli *c, const struct exchange_explanation *x, struct buf *b)
{
    buf_byte(b, '{');
    json_put_member(b, "object", str_of(c->args[1]));
    json_put_member(b, "recipient", cli_text(c, "for"));
    json_put_member(b, "decision", str_of(decisions[x->decision]));
    json_put_name(b, "rule");
    buf_byte(b, '{');
    json_put_member_u64(b, "line", x->rule.line);
    json_put_member(b, "text", x->rule.text);
    buf_lit(b, x->released ? "},\"released\":true" : "},\"released\":false");
    json_put_name(b, "redactions");
    buf_byte(b, '[');
    for (size_t i = 0; i < x->redaction_count; i++) {
        buf_lit(b, i ? ",{" : "{");
        json_put_member_u64(b, "line", x->redactions[i].line);
        json_put_member(b, "text", x->redactions[i].text);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
    buf_lit(b, x->copied ? ",\"redacted\":true" : ",\"redacted\":false");
    json_put_name(b, "copy");
    put_copy(b, x->copy.n ? x->copy : STR("null"));
    buf_lit(b, "}\n");
}

static void put_rule(struct buf *b, const struct policy_rule_ref *r)
{
    if (r->line)
        buf_printf(b, "policy.conf line %u: ", r->line);
    buf_printf(b, "%.*s\n", STR_FMT(r->text));
}

static void put_text(const struct exchange_explanation *x, struct buf *b)
{
    bool release = x->decision == POLICY_RELEASED;
    buf_printf(b, "%s%s: ", words[x->decision], x->copied ? " as a redacted copy" : "");
    put_rule(b, &x->rule);
    for (size_t i = 0; i < x->redaction_count; i++) {
        buf_lit(b, "redacted: ");
        put_rule(b, &x->redactions[i]);
    }
    if (x->copied)
        buf_printf(b, "%.*s\n", (int)x->copy.n, x->copy.p);
    if (release != x->released)
        buf_lit(b, x->released ? "but it is released: the record decides, and an earlier policy "
                                 "released it; `setu policy apply` would change that\n"
                               : "but it is not: the record decides, and the policy of that time "
                                 "withheld it; `setu policy apply` would change that\n");
}

static int explain(struct cli *c, struct cli_node *n)
{
    struct exchange_explanation x;
    struct policy_party to;
    struct buf b;
    struct err e = {0};
    bool ok = exchange_party_find(n->s, c->arena, cli_text(c, "for"), &to, &e);
    if (ok && !exchange_explain(n->s, c->arena, str_of(c->args[1]), &to, &x, &e)) {
        ok = false;
        if (e.code == ERR_NOT_FOUND)
            err_hint(&e, "`setu export %s` tells which there are", c->args[0]);
    }
    if (!ok)
        return cli_fail(c, &e);
    buf_init(&b, 0);
    if (cli_flag(c, "json"))
        put_json(c, &x, &b);
    else
        put_text(&x, &b);
    int status = cli_print(c, &b);
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
        "Asks the same code that decides at acceptance, with the policy as it is now: the rule and "
        "its line, the redactions that apply, and the copy that goes out. What is read follows the "
        "record; where the two differ, it says so (`released` in JSON).",
    .options = options,
    .run = run,
};
