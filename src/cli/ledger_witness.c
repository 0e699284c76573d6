/* setu ledger witness: what this node has seen of its partners' ledgers, and they of its own. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    CLI_JSON,
    CLI_OPTION_END,
};

struct listing {
    struct cli *c;
    struct buf b;
    bool json;
    size_t count;
};

static struct str at_of(int64_t us, char text[INSTANT_TEXT_BYTES])
{
    return us ? instant_text(instant_of_us(us), 6, text) : STR("");
}

static void put_json(struct buf *b, const struct store_witness *w)
{
    char seen[INSTANT_TEXT_BYTES], cosigned[INSTANT_TEXT_BYTES];
    buf_byte(b, '{');
    json_put_member(b, "party", w->party);
    json_put_member(b, "state", w->state.n ? w->state : STR("good"));
    json_put_member(b, "log_key", w->log_key);
    json_put_member(b, "witness_key", w->witness_key);
    json_put_member(b, "seen", w->seen);
    json_put_member(b, "seen_at", at_of(w->seen_us, seen));
    json_put_member(b, "evidence", w->evidence);
    json_put_member(b, "cosigned", w->cosigned);
    json_put_member(b, "cosigned_at", at_of(w->cosigned_us, cosigned));
    buf_lit(b, "}\n");
}

/* The leaves that a checkpoint counts: its second line. */
static struct str size_of(struct str note)
{
    struct str rest = note;
    str_cut(&rest, '\n');
    return str_cut(&rest, '\n');
}

static void put_note(struct buf *b, const char *what, struct str note)
{
    buf_printf(b, "  %s:\n", what);
    while (note.n) {
        buf_lit(b, "    ");
        buf_printable(b, str_cut(&note, '\n'), LIMIT_LEDGER_TEXT_BYTES);
        buf_byte(b, '\n');
    }
}

static void put_text(struct buf *b, const struct store_witness *w)
{
    char at[INSTANT_TEXT_BYTES];
    buf_printf(b, "%.*s\n", STR_FMT(w->party));
    if (w->log_key.n)
        buf_printf(b, "  its ledger's key: %.*s\n", STR_FMT(w->log_key));
    if (w->seen.n)
        buf_printf(b, "  its ledger was good with %.*s leaves, countersigned at %.*s\n",
                   STR_FMT(size_of(w->seen)), STR_FMT(at_of(w->seen_us, at)));
    if (w->state.n) {
        buf_printf(b, "  since then: %.*s. The evidence is both of these:\n", STR_FMT(w->state));
        put_note(b, "good", w->seen);
        put_note(b, "against it", w->evidence);
    }
    if (w->cosigned.n)
        buf_printf(b, "  it countersigned ours with %.*s leaves at %.*s\n",
                   STR_FMT(size_of(w->cosigned)), STR_FMT(at_of(w->cosigned_us, at)));
}

static bool put_one(void *ctx, const struct store_witness *w)
{
    struct listing *l = ctx;
    (l->json ? put_json : put_text)(&l->b, w);
    l->count++;
    return true;
}

static int run(struct cli *c)
{
    struct listing l = {.c = c, .json = cli_flag(c, "json")};
    struct cli_node n;
    struct err e = {0};
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&l.b, 0);
    bool ok = exchange_witnesses(n.s, c->arena, put_one, &l, &e);
    if (ok && l.count == 0 && !l.json)
        buf_lit(&l.b, "no partner's ledger was seen yet, and none has seen this one\n");
    status = ok ? cli_print(c, &l.b) : cli_fail(c, &e);
    buf_done(&l.b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_ledger_witness = {
    .name = "ledger witness",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "tell what this node saw of its partners' ledgers, and they of its own",
    .text =
        "For each partner: the keys that are kept of it, the last checkpoint of its ledger that "
        "this node countersigned, what stands against it with the evidence, and the last "
        "checkpoint of this node's ledger that it countersigned.",
    .options = options,
    .run = run,
};
