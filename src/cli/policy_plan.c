#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {CLI_JSON, CLI_OPTION_END};

static void put_recipient(struct buf *b, const struct policy_party *p)
{
    if (p->nation.n == 0)
        buf_lit(b, "everybody else");
    else if (p->org.n == 0)
        buf_printf(b, "all others of %.*s", STR_FMT(p->nation));
    else
        buf_printf(b, "%.*s of %.*s", STR_FMT(p->org), STR_FMT(p->nation));
}

static size_t samples_of(const struct exchange_plan_party *p, size_t effect)
{
    uint64_t n = p->counts[effect];
    return n < EXCHANGE_PLAN_SAMPLES ? (size_t)n : EXCHANGE_PLAN_SAMPLES;
}

static void put_text(struct buf *b, const struct exchange_plan_party *p)
{
    put_recipient(b, &p->party);
    buf_lit(b, ":\n");
    for (size_t f = 0; f < EXCHANGE_PLAN_EFFECTS; f++) {
        if (p->counts[f] == 0)
            continue;
        buf_printf(b, "  %-10s %8llu", exchange_plan_effect_name((enum exchange_plan_effect)f),
                   (unsigned long long)p->counts[f]);
        for (size_t i = 0; i < samples_of(p, f) && i < 3; i++)
            buf_printf(b, "%s%.*s", i ? ", " : "   ", STR_FMT(p->samples[f][i]));
        buf_lit(b, p->counts[f] > 3 ? ", ...\n" : "\n");
    }
}

static void put_json(struct buf *b, const struct exchange_plan_party *p)
{
    buf_byte(b, '{');
    json_put_member(b, "recipient", p->party.org.n ? p->party.org : STR("*"));
    json_put_member(b, "nation", p->party.nation.n ? p->party.nation : STR("*"));
    for (size_t f = 0; f < EXCHANGE_PLAN_EFFECTS; f++)
        json_put_member_u64(b, exchange_plan_effect_name((enum exchange_plan_effect)f),
                            p->counts[f]);
    json_put_name(b, "samples");
    buf_byte(b, '{');
    for (size_t f = 0; f < EXCHANGE_PLAN_EFFECTS; f++) {
        if (p->counts[f] == 0)
            continue;
        json_put_name(b, exchange_plan_effect_name((enum exchange_plan_effect)f));
        buf_byte(b, '[');
        for (size_t i = 0; i < samples_of(p, f); i++) {
            buf_lit(b, i ? "," : "");
            json_put_string(b, p->samples[f][i]);
        }
        buf_byte(b, ']');
    }
    buf_lit(b, "}}\n");
}

static void put_plan(struct cli *c, const struct exchange_plan *plan, double seconds, struct buf *b)
{
    bool json = cli_flag(c, "json");
    for (size_t i = 0; i < plan->party_count; i++) {
        if (json)
            put_json(b, &plan->parties[i]);
        else
            put_text(b, &plan->parties[i]);
    }
    if (json) {
        buf_byte(b, '{');
        json_put_member_u64(b, "objects", plan->objects);
        json_put_member_u64(b, "changed", plan->changed);
        buf_printf(b, ",\"seconds\":%.3f}\n", seconds);
    } else {
        buf_printf(b, "%s%llu of %llu objects would change; nothing was changed. (%.1f s)\n",
                   plan->party_count ? "\n" : "", (unsigned long long)plan->changed,
                   (unsigned long long)plan->objects, seconds);
    }
}

static void progress(void *ctx, uint64_t done, uint64_t all)
{
    struct cli_progress *p = ctx;
    p->total = all;
    cli_progress_at(p, done);
}

static bool plan(struct cli *c, struct cli_node *n, struct buf *b, struct err *e)
{
    struct cli_progress bar;
    struct exchange_plan out;
    struct str text;
    int64_t started = monotonic_us();
    if (!file_read(c->args[1], LIMIT_POLICY_BYTES, &text, e))
        return false;
    cli_progress_start(&bar, "plan", 0);
    struct exchange_plan_options o = {
        .text = text, .name = c->args[1], .progress = progress, .ctx = &bar};
    bool ok = exchange_policy_plan(n->s, &o, c->arena, &out, e);
    cli_progress_end(&bar);
    if (ok)
        put_plan(c, &out, (double)(monotonic_us() - started) / 1e6, b);
    base_free((void *)(uintptr_t)text.p);
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
    status = plan(c, &n, &b, &e) ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_policy_plan = {
    .name = "policy plan",
    .args = "DIR NEW",
    .least_args = 2,
    .most_args = 2,
    .summary = "tell what another policy would release and withdraw, before anything changes",
    .text =
        "NEW is a file, which may be DIR/policy.conf itself after an edit. Every object in the "
        "node is "
        "decided about by NEW, with the code that decides at acceptance, and compared with what is "
        "recorded. For each recipient: what would be newly released, withdrawn, redacted (a copy "
        "in "
        "the place of the object), restored (the object in the place of a copy) and held for "
        "officers, with counts and the first ids.",
    .options = options,
    .run = run,
};
