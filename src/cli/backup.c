#include <stdio.h>

#include "cli/cli.h"

static const struct cli_option options[] = {
    {"output", 'o', CLI_TEXT, "FILE", NULL,
     "the file to write: elsewhere than in DIR, best on another disk", 0, 0, false, true},
    {"force", 0, CLI_FLAG, NULL, NULL, "take the place of a FILE that exists", 0, 0, false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

static void progress(void *ctx, uint64_t done, uint64_t all)
{
    struct cli_progress *bar = ctx;
    bar->total = all;
    cli_progress_at(bar, done);
}

static void put_made(const struct cli *c, const char *file, const struct exchange_backup *made,
                     struct buf *b)
{
    char at[INSTANT_TEXT_BYTES];
    struct str when = instant_text(instant_of_us(made->at_us), 6, at);
    if (cli_flag(c, "json")) {
        buf_byte(b, '{');
        json_put_member(b, "file", str_of(file));
        json_put_member(b, "at", when);
        json_put_member_u64(b, "bytes", made->bytes);
        json_put_member_u64(b, "files", made->files);
        json_put_member_u64(b, "size", made->size);
        json_put_member(b, "digest", str_of(made->digest));
        buf_lit(b, "}\n");
    } else {
        buf_printf(
            b,
            "%s holds the node as it was at %.*s: %llu files, %llu bytes, %llu leaves of the "
            "ledger. It holds the node's keys: keep it from others.\nSHA-256 %s\n",
            file, STR_FMT(when), (unsigned long long)made->files, (unsigned long long)made->bytes,
            (unsigned long long)made->size, made->digest);
    }
}

static int run(struct cli *c)
{
    struct cli_node n;
    struct cli_progress bar;
    struct exchange_backup made;
    struct exchange_backup_options o = {.file = cli_text(c, "output").p,
                                        .force = cli_flag(c, "force"),
                                        .progress = progress,
                                        .stop = cli_signals_stopped,
                                        .ctx = &bar};
    struct err e = {0};
    struct buf b;
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    cli_signals_catch();
    cli_progress_start(&bar, "bytes", 0);
    bool ok = exchange_backup(n.x, &o, &made, &e);
    cli_progress_end(&bar);
    buf_init(&b, 0);
    if (ok)
        put_made(c, o.file, &made, &b);
    status = ok ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_backup = {
    .name = "backup",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "write a whole node, keys too, into one file",
    .text =
        "The node may run meanwhile: FILE holds one state of it, a tar archive that any tar "
        "opens, with the digests of all that is in it (sha256sum -c SHA256SUMS). It has mode "
        "0600, and gets its name when all of it is on the disk. For that time it needs the size "
        "of the database twice. The ledger records that a backup was taken, and its digest. "
        "Take one often: `setu restore` brings back what was there then, and nothing newer.",
    .options = options,
    .run = run,
};
