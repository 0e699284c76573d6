/* setu ledger export: the records of a node's ledger, as JSON lines. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "crypt/crypt.h"

static const struct cli_option options[] = {
    {"since", 0, CLI_TEXT, "TIME", NULL,
     "only records of this instant and later (RFC 3339, such as 2026-11-24T00:00:00Z or "
     "2026-11-24T09:00:00+09:00)",
     0, 0, false, false},
    {"kind", 0, CLI_TEXT, "KIND", NULL, "only records of this kind, such as release", 0, 0, false,
     false},
    CLI_OPTION_END,
};

struct exporting {
    struct cli *c;
    struct cli_node n;
    struct buf b;
    char since[INSTANT_TEXT_BYTES];
    struct str kind;
    struct arena *arena; /* of `text` alone: a log has very many releases */
    int64_t audience;    /* whose text is `text` */
    struct str text;
    struct err *e;
    int status;
    bool failed;
};

static bool is_wanted(const struct exporting *x, const struct exchange_leaf *l)
{
    struct ledger_record r;
    if (!l->shown || !ledger_record_scan(l->record, &r))
        return false;
    return (!x->kind.n || str_eq(r.text[LEDGER_KIND], x->kind)) &&
           str_cmp(r.text[LEDGER_AT], str_of(x->since)) >= 0;
}

static bool put_leaf(void *ctx, const struct exchange_leaf *l)
{
    struct exporting *x = ctx;
    if (!is_wanted(x, l))
        return true;
    if (l->audience && x->audience != l->audience) {
        arena_reset(x->arena);
        x->failed = !exchange_audience_text(x->n.s, x->arena, l->audience, &x->text, x->e);
        x->audience = l->audience;
    }
    buf_byte(&x->b, '{');
    json_put_member_u64(&x->b, "index", l->index);
    json_put_name(&x->b, "salt");
    buf_byte(&x->b, '"');
    crypt_base64_put(&x->b, l->salt, false);
    buf_byte(&x->b, '"');
    json_put_name(&x->b, "record");
    buf_str(&x->b, l->record);
    if (l->audience && x->text.n) {
        unsigned char of[LEDGER_AUDIENCE_SALT_BYTES];
        exchange_audience_salt(x->n.x, x->text, of);
        ledger_audience_put((struct str){(const char *)of, sizeof of}, x->text, &x->b);
    }
    buf_lit(&x->b, "}\n");
    if (x->b.n > (64u << 10)) {
        x->status = cli_print(x->c, &x->b);
        buf_clear(&x->b);
    }
    return !x->failed && x->status == 0;
}

static bool read_options(struct exporting *x, struct err *e)
{
    struct str since = cli_text(x->c, "since");
    int64_t since_us;
    bool known = false;
    x->kind = cli_text(x->c, "kind");
    for (int k = 0; k < LEDGER_KIND_COUNT; k++)
        known = known || str_eq(x->kind, str_of(ledger_kind_name((enum ledger_kind)k)));
    if (x->kind.n && !known)
        return err_set(e, ERR_USAGE, "--kind \"%.*s\": docs/LEDGER.md lists the kinds of records",
                       STR_FMT(x->kind));
    if (!cli_instant(x->c, "since", 0, &since_us, e))
        return false;
    if (since.n)
        instant_text(instant_of_us(since_us), 6, x->since);
    return true;
}

static bool export(struct exporting *x, struct err *e)
{
    uint64_t size;
    x->arena = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool ok = (x->arena || err_set(e, ERR_MEMORY, "out of memory")) &&
              exchange_ledger_size(x->n.s, &size, e) &&
              exchange_ledger_each(x->n.s, NULL, 0, size, put_leaf, x, e) && !x->failed;
    arena_free(x->arena);
    return ok;
}

static int run(struct cli *c)
{
    struct err e = {0};
    struct exporting x = {.c = c, .e = &e, .text = STR("")};
    int status;
    if (!read_options(&x, &e))
        return cli_fail(c, &e);
    if (!cli_node_open(c, c->args[0], &x.n, &status))
        return status;
    buf_init(&x.b, 0);
    bool ok = export(&x, &e);
    status = x.status ? x.status : ok ? cli_print(c, &x.b) : cli_fail(c, &e);
    buf_done(&x.b);
    cli_node_close(&x.n);
    return status;
}

const struct cli_command cli_ledger_export = {
    .name = "ledger export",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "write the records of a node's ledger as JSON lines",
    .text = "A line a record: {\"index\",\"salt\",\"record\",\"audience\",\"audience_salt\"}. "
            "SHA-256 of salt and record "
            "is the entry that the log holds at that index. Erased records are left out.",
    .options = options,
    .run = run,
};
