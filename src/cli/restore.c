#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {CLI_JSON, CLI_OPTION_END};

static void progress(void *ctx, uint64_t done, uint64_t all)
{
    struct cli_progress *bar = ctx;
    bar->total = all;
    cli_progress_at(bar, done);
}

static void put_restored(const struct cli *c, const struct exchange_restore *made, struct buf *b)
{
    char at[INSTANT_TEXT_BYTES];
    struct str when = instant_text(instant_of_us(made->backup_us), 6, at);
    const char *dir = c->args[1];
    if (cli_flag(c, "json")) {
        buf_byte(b, '{');
        json_put_member(b, "dir", str_of(dir));
        json_put_member(b, "backup_at", when);
        json_put_member_u64(b, "files", made->files);
        json_put_member_u64(b, "size", made->size);
        json_put_member_u64(b, "leaf", made->leaf);
        json_put_member(b, "digest", str_of(made->digest));
        buf_lit(b, ",\"confirmed\":false}\n");
    } else {
        buf_printf(
            b,
            "%s is the node as it was at %.*s: %llu files, %llu leaves of the ledger; leaf "
            "%llu says that it was restored.\n"
            "What came after that instant is not in it: objects and approvals, edits of "
            "policy.conf, users that were added or revoked.\n"
            "Next: look at it (`setu doctor %s`, `setu user list %s`), start it, and have an "
            "officer confirm: `setu ledger confirm %s --officer NAME --reason R`.\n",
            dir, STR_FMT(when), (unsigned long long)made->files, (unsigned long long)made->size,
            (unsigned long long)made->leaf, dir, dir, dir);
    }
}

static int run(struct cli *c)
{
    struct cli_progress bar;
    struct exchange_restore made;
    struct exchange_restore_options o = {.file = c->args[0],
                                         .dir = c->args[1],
                                         .progress = progress,
                                         .stop = cli_signals_stopped,
                                         .ctx = &bar};
    struct err e = {0};
    struct buf b;
    cli_signals_catch();
    cli_progress_start(&bar, "bytes", 0);
    bool ok = exchange_restore(&o, &made, &e);
    cli_progress_end(&bar);
    if (!ok)
        return cli_fail(c, &e);
    buf_init(&b, 0);
    put_restored(c, &made, &b);
    int status = cli_print(c, &b);
    buf_done(&b);
    return status;
}

const struct cli_command cli_restore = {
    .name = "restore",
    .args = "FILE DIR",
    .least_args = 2,
    .most_args = 2,
    .summary = "make a node of a backup",
    .text =
        "DIR must not exist or be empty, and the node that the backup is of must not run "
        "anywhere: two that go on from one state are a fork, which partners find. FILE is "
        "checked to its last byte before anything is written; then the database is, and that "
        "its ledger has the head which the backup states. After a failure nothing is left. The "
        "restored node says in its ledger, to all partners, that it was restored. Until an "
        "officer confirms that with `setu ledger confirm`, it says so itself, envelopes that are "
        "pending wait, and partners that have seen a longer ledger do not accept this one.",
    .options = options,
    .run = run,
};
