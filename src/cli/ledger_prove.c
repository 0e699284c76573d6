/* setu ledger prove: writes the proof that an object was released to somebody. */
#include <stdio.h>
#include <string.h>

#include "cli/ledger_key_file.h"

static const struct cli_option options[] = {
    {"for", 0, CLI_TEXT, "WHO", NULL, "the recipient: an organisation of policy.conf, or a user", 0,
     0, false, true},
    {"version", 0, CLI_TEXT, "V", NULL,
     "of this version (its `modified`); without it the newest that WHO has, or had last", 0, 0,
     false, false},
    {"output", 'o', CLI_TEXT, "FILE", NULL, "write the proof here", 0, 0, false, true},
    CLI_JSON,
    CLI_OPTION_END,
};

static void put_done(struct cli *c, const struct exchange_proven *p, struct buf *b)
{
    if (cli_flag(c, "json")) {
        buf_byte(b, '{');
        json_put_member(b, "object", p->object);
        json_put_member_u64(b, "index", p->index);
        json_put_member_u64(b, "size", p->size);
        json_put_name(b, "record");
        buf_str(b, p->record);
        buf_printf(b, ",\"withdrawn\":%s}\n", p->withdrawn ? "true" : "false");
        return;
    }
    buf_printf(b, "%.*s was released to %.*s: leaf %llu of %llu.%s\n", STR_FMT(p->object),
               STR_FMT(cli_text(c, "for")), (unsigned long long)p->index,
               (unsigned long long)p->size, p->withdrawn ? " It was taken back since." : "");
    buf_printf(b,
               "They check it with `setu ledger check-proof %.*s --key K`, where K is what "
               "`setu ledger key %s` prints.\n",
               STR_FMT(cli_text(c, "output")), c->args[0]);
}

static bool prove(struct cli *c, struct cli_node *n, struct buf *b, struct err *e)
{
    struct exchange_proving p = {.id = str_of(c->args[1]), .version = cli_text(c, "version")};
    struct exchange_proven done;
    struct buf file;
    if (!exchange_party_find(n->s, c->arena, cli_text(c, "for"), &p.to, e))
        return err_prefix(e, "--for");
    buf_init(&file, LIMIT_LEDGER_EVIDENCE_BYTES);
    bool ok = exchange_ledger_prove(n->s, c->arena, &p, &file, &done, e) &&
              file_write(cli_text(c, "output").p, buf_view(&file), 0644, e);
    if (ok)
        put_done(c, &done, b);
    buf_done(&file);
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
    status = prove(c, &n, &b, &e) ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_ledger_prove = {
    .name = "ledger prove",
    .args = "DIR ID",
    .least_args = 2,
    .most_args = 2,
    .summary = "write a proof that an object was released to somebody, when, and by which rule",
    .text = "The file holds all that a stranger needs beside the ledger's verifier key: the record "
            "of the release, its salt, the recipients, the way up to the root, the signed "
            "checkpoint. It names everybody that the release was to. If the object went out as a "
            "redacted copy, the proof is of that copy.",
    .options = options,
    .run = run,
};
