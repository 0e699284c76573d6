#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {CLI_JSON, CLI_OPTION_END};

struct applying {
    struct cli_progress bar;
    uint64_t all;
};

static void progress(void *ctx, uint64_t done, uint64_t all)
{
    struct applying *a = ctx;
    a->all = a->bar.total = all;
    cli_progress_at(&a->bar, done);
}

static bool apply(struct cli *c, struct cli_node *n, struct buf *b, struct err *e)
{
    struct applying a = {.all = 0};
    struct str text;
    int64_t started = monotonic_us();
    if (!file_read(c->args[1], LIMIT_POLICY_BYTES, &text, e))
        return false;
    cli_progress_start(&a.bar, "apply", 0);
    bool ok = exchange_policy_apply(n->x, text, progress, &a, e);
    cli_progress_end(&a.bar);
    base_free((void *)(uintptr_t)text.p);
    double seconds = (double)(monotonic_us() - started) / 1e6;
    if (ok && cli_flag(c, "json")) {
        buf_lit(b, "{\"applied\":true");
        json_put_member_u64(b, "objects", a.all);
        buf_printf(b, ",\"seconds\":%.3f}\n", seconds);
    } else if (ok) {
        buf_printf(b,
                   "%s/policy.conf is in force; %llu objects were decided about again. (%.1f s)\n",
                   c->args[0], (unsigned long long)a.all, seconds);
    }
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
    status = apply(c, &n, &b, &e) ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_policy_apply = {
    .name = "policy apply",
    .args = "DIR NEW",
    .least_args = 2,
    .most_args = 2,
    .summary = "put a policy into force, for what the node holds and for what arrives",
    .text = "Does what `setu policy plan` said. NEW takes the place of DIR/policy.conf; what it no "
            "longer "
            "releases vanishes from reading at once, in one transaction; what it newly releases "
            "follows, "
            "with a date_added of its own, so that pollers find it. Readers are not stopped, and a "
            "running "
            "node follows by itself. Interrupted, the rest is done by the next `setu serve`.",
    .options = options,
    .run = run,
};
