/* setu ledger witness: what this node has seen of its partners' ledgers, and they of its own. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    CLI_JSON,
    CLI_OPTION_END,
};

struct listing {
    struct cli *c;
    struct cli_node *node;
    struct err *e;
    struct buf b;
    bool json, failed;
    size_t count;
};

static struct str at_of(int64_t us, char text[INSTANT_TEXT_BYTES])
{
    return us ? instant_text(instant_of_us(us), 6, text) : STR("");
}

/* ---- JSON ---- */

struct found {
    struct buf *b;
    size_t count;
};

static bool put_found_json(void *ctx, const struct store_evidence *v)
{
    struct found *f = ctx;
    char at[INSTANT_TEXT_BYTES];
    buf_lit(f->b, f->count++ ? ",{" : "{");
    json_put_member(f->b, "at", at_of(v->at_us, at));
    json_put_member(f->b, "finding", v->finding);
    json_put_member(f->b, "before", v->before);
    json_put_member(f->b, "after", v->after);
    buf_byte(f->b, '}');
    return true;
}

static bool put_json(struct listing *l, const struct store_witness *w)
{
    char seen[INSTANT_TEXT_BYTES], cosigned[INSTANT_TEXT_BYTES];
    struct buf *b = &l->b;
    struct found f = {.b = b};
    buf_byte(b, '{');
    json_put_member(b, "party", w->party);
    json_put_member(b, "state", w->state.n ? w->state : w->seen.n ? STR("good") : STR("none"));
    json_put_member(b, "log_key", w->log_key);
    json_put_member(b, "witness_key", w->witness_key);
    json_put_member(b, "seen", w->seen);
    json_put_member(b, "seen_at", at_of(w->seen_us, seen));
    json_put_member(b, "evidence", w->evidence);
    json_put_member(b, "cosigned", w->cosigned);
    json_put_member(b, "cosigned_at", at_of(w->cosigned_us, cosigned));
    json_put_name(b, "found");
    buf_byte(b, '[');
    bool ok = exchange_evidence(l->node->s, w->party, put_found_json, &f, l->e);
    buf_lit(b, "]}\n");
    return ok;
}

/* ---- text ---- */

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

static bool put_found_text(void *ctx, const struct store_evidence *v)
{
    struct found *f = ctx;
    char at[INSTANT_TEXT_BYTES];
    buf_printf(f->b, "  found at %.*s: %.*s. The evidence is both of these:\n",
               STR_FMT(at_of(v->at_us, at)), STR_FMT(v->finding));
    put_note(f->b, "good", v->before);
    put_note(f->b, "against it", v->after.n ? v->after : STR("(nothing was shown)"));
    return true;
}

static bool put_text(struct listing *l, const struct store_witness *w)
{
    char at[INSTANT_TEXT_BYTES];
    struct buf *b = &l->b;
    struct found f = {.b = b};
    buf_printf(b, "%.*s\n", STR_FMT(w->party));
    if (w->log_key.n)
        buf_printf(b, "  its ledger's key: %.*s\n", STR_FMT(w->log_key));
    if (w->seen.n)
        buf_printf(b, "  its ledger was good with %.*s leaves, countersigned at %.*s\n",
                   STR_FMT(size_of(w->seen)), STR_FMT(at_of(w->seen_us, at)));
    if (w->state.n)
        buf_printf(b, "  since then: %.*s\n", STR_FMT(w->state));
    if (w->cosigned.n)
        buf_printf(b, "  it countersigned ours with %.*s leaves at %.*s\n",
                   STR_FMT(size_of(w->cosigned)), STR_FMT(at_of(w->cosigned_us, at)));
    return exchange_evidence(l->node->s, w->party, put_found_text, &f, l->e);
}

static bool put_one(void *ctx, const struct store_witness *w)
{
    struct listing *l = ctx;
    l->count++;
    return (l->failed = !(l->json ? put_json : put_text)(l, w)) == false;
}

static int run(struct cli *c)
{
    struct cli_node n;
    struct err e = {0};
    struct listing l = {.c = c, .node = &n, .e = &e, .json = cli_flag(c, "json")};
    int status;
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&l.b, 0);
    bool ok = exchange_witnesses(n.s, c->arena, put_one, &l, &e) && !l.failed;
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
        "this node countersigned, what speaks against it now, the last checkpoint of this node's "
        "ledger that it countersigned, and whatever was ever found against it, with both "
        "checkpoints as evidence; that is kept also when an officer has accepted it.",
    .options = options,
    .run = run,
};
