/* setu review: the briefing pack of a round. */
#include <stdio.h>

#include "cli/cli.h"
#include "review/review.h"

static const struct cli_option options[] = {
    {"instrument", 0, CLI_TEXT, "I", NULL,
     "the instrument: its id or title; not needed where there is one alone", 0, 0, false, false},
    {"round", 0, CLI_NUMBER, "N", NULL, "the ordinal of the round", 1, 1000, false, true},
    {"as-of", 0, CLI_TEXT, "TIME", NULL,
     "leave out what is later: an instant, as 2026-03-08T09:00:00Z, or a day (its end, UTC); now "
     "if not given",
     0, 0, false, false},
    {"partner", 0, CLI_TEXT, "ORG", NULL,
     "the other side's organisation; not needed with one partner alone", 0, 0, false, false},
    {"for", 0, CLI_TEXT, "WHO", NULL,
     "through the rights of this organisation or user; the node's own if not given", 0, 0, false,
     false},
    {"output", 'o', CLI_TEXT, "FILE", NULL,
     "write the page here; repeat it for more: a name that ends in .json gets the JSON form", 0, 0,
     true, false},
    CLI_JSON,
    CLI_OPTION_END,
};

/* ---- who, when ---- */

static bool read_as_of(struct cli *c, int64_t *out, struct err *e)
{
    struct str text = cli_text(c, "as-of");
    struct instant t;
    bool day = text.n == strlen("2026-01-01");
    if (!text.n) {
        *out = now_us();
        return true;
    }
    if (day)
        text = arena_printf(c->arena, "%.*sT23:59:59.999999Z", STR_FMT(text));
    if (!arena_ok(c->arena, e))
        return false;
    if (!instant_parse_zoned(text, &t, e)) {
        e->code = ERR_USAGE;
        return err_prefix(e, "--as-of %s", cli_text(c, "as-of").p);
    }
    *out = instant_us(t);
    return true;
}

/* The organisation that this node exchanges with, when there is one alone. */
static bool only_partner(struct cli *c, struct cli_node *n, struct policy_party *out, struct err *e)
{
    struct store_peer *peers;
    size_t count;
    if (!exchange_peers(n->s, c->arena, &peers, &count, e))
        return false;
    for (size_t i = 1; i < count; i++)
        if (!str_eq(peers[i].org, peers[0].org) || !str_eq(peers[i].nation, peers[0].nation))
            return err_set(e, ERR_USAGE,
                           "--partner: there are several partners: name the other side");
    if (!count)
        return err_set(e, ERR_USAGE, "--partner: no partner is pulled from: name the other side");
    *out = (struct policy_party){peers[0].nation, peers[0].org};
    return true;
}

static bool read_parties(struct cli *c, struct cli_node *n, struct review_asked *q, struct err *e)
{
    struct str partner = cli_text(c, "partner"), reader = cli_text(c, "for");
    if (partner.n ? !exchange_party_find(n->s, c->arena, partner, &q->partner, e)
                  : !only_partner(c, n, &q->partner, e))
        return partner.n ? err_prefix(e, "--partner") : false;
    return !reader.n || exchange_party_find(n->s, c->arena, reader, &q->reader, e) ||
           err_prefix(e, "--for");
}

/* ---- writing ---- */

static bool write_file(struct cli *c, const struct review *r, struct str name, struct err *e)
{
    struct buf b;
    (void)c;
    buf_init(&b, LIMIT_REVIEW_OUTPUT_BYTES);
    bool ok = str_ends(name, STR(".json")) ? review_json(r, &b, e) : review_html(r, &b, e);
    ok = ok && file_write(name.p, buf_view(&b), 0600, e);
    buf_done(&b);
    return ok;
}

static int put(struct cli *c, const struct review *r, struct err *e)
{
    struct buf b;
    struct str name;
    bool ok = true;
    for (size_t k = 0; ok && (name = cli_text_nth(c, "output", k)).n; k++)
        ok = write_file(c, r, name, e);
    buf_init(&b, LIMIT_REVIEW_OUTPUT_BYTES);
    ok = ok && (!cli_flag(c, "json") || review_json(r, &b, e));
    int status = ok ? cli_print(c, &b) : cli_fail(c, e);
    buf_done(&b);
    return status;
}

static int run(struct cli *c)
{
    struct err e = {0};
    struct review_options o = {.instrument = cli_text(c, "instrument"),
                               .round = cli_number(c, "round")};
    const struct review *r;
    struct cli_node n;
    int status;
    if (!cli_text(c, "output").n && !cli_flag(c, "json"))
        return cli_usage(c, "nothing is to be written: give -o FILE or --json");
    if (!read_as_of(c, &o.asked.as_of_us, &e))
        return cli_fail(c, &e);
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    struct arena *a = arena_new(LIMIT_REVIEW_ARENA_BYTES);
    if (!a)
        err_set(&e, ERR_MEMORY, "out of memory");
    bool ok = a && read_parties(c, &n, &o.asked, &e) && review_make(n.s, a, &o, &r, &e);
    status = ok ? put(c, r, &e) : cli_fail(c, &e);
    arena_free(a);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_review = {
    .name = "review",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "write the review of a round: what was promised, said and counted",
    .text = "Agreed text first, in its languages, then each commitment with its state, what either "
            "side says of it and what was counted for it, what slipped, numbers, norms. The first "
            "part is made of what both sides hold: the same as-of instant gives the same bytes on "
            "both nodes, once each has what the other released. The second part is what this node "
            "alone can count, and the checkpoints of both ledgers. Every number opens the records "
            "behind it; the page holds no indicator, needs nothing else, and prints as it stands. "
            "docs/REVIEW.md tells what is counted, and how.",
    .options = options,
    .run = run,
};
