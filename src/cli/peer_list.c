/* setu peer list: the partners, what is pulled from them and how far. No secret is printed. */
#include <stdio.h>

#include "cli/cli.h"
#include "json/json.h"

static const struct cli_option options[] = {
    CLI_JSON,
    CLI_OPTION_END,
};

/* What this node knows of the partner's ledger; none: the server never showed one. */
static struct str ledger_of(const struct store_witness *w)
{
    return w->state.n ? w->state : w->seen.n ? STR("good") : STR("none");
}

static void put_json(struct buf *b, const struct store_peer *p, struct str into,
                     const struct store_witness *w)
{
    char at[INSTANT_TEXT_BYTES];
    buf_byte(b, '{');
    json_put_member(b, "peer", p->name);
    json_put_member(b, "nation", p->nation);
    json_put_member(b, "org", p->org);
    json_put_member(b, "url", p->url);
    json_put_member(b, "from", p->remote);
    json_put_member(b, "into", into);
    json_put_member(b, "auth", p->auth);
    json_put_member(b, "ca", p->ca);
    json_put_member(b, "cursor", p->cursor);
    json_put_member(b, "ledger", ledger_of(w));
    if (w->seen_us)
        json_put_member(b, "witnessed", instant_text(instant_of_us(w->seen_us), 6, at));
    buf_lit(b, "}\n");
}

static void put_ledger(struct buf *b, const struct store_witness *w)
{
    char at[INSTANT_TEXT_BYTES];
    if (w->seen_us)
        buf_printf(b, "  its ledger was good at %.*s, and countersigned",
                   STR_FMT(instant_text(instant_of_us(w->seen_us), 0, at)));
    if (w->state.n)
        buf_printf(b, "%s %.*s: nothing is pulled; see `setu ledger witness`",
                   w->seen_us ? "; since then" : "  its ledger:", STR_FMT(w->state));
    if (w->seen_us || w->state.n)
        buf_byte(b, '\n');
}

static void put_text(struct buf *b, const struct store_peer *p, struct str into,
                     const struct store_witness *w)
{
    buf_printf(b, "%.*s (%.*s, %.*s): \"%.*s\" of %.*s into \"%.*s\", ", STR_FMT(p->name),
               STR_FMT(p->org), STR_FMT(p->nation), STR_FMT(p->remote), STR_FMT(p->url),
               STR_FMT(into));
    if (p->cursor.n)
        buf_printf(b, "taken up to %.*s\n", STR_FMT(p->cursor));
    else
        buf_lit(b, "nothing taken yet\n");
    put_ledger(b, w);
}

static struct str collection_name(const struct exchange_collection *list, size_t n, int64_t id,
                                  bool json)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].id == id)
            return json ? list[i].uuid : list[i].title;
    return STR_NONE;
}

static bool put_all(struct cli *c, struct cli_node *node, struct buf *b, struct err *e)
{
    struct store_peer *rows;
    struct exchange_collection *list;
    size_t n, list_count;
    bool json = cli_flag(c, "json");
    if (!exchange_peers(node->s, c->arena, &rows, &n, e) ||
        !exchange_collections(node->s, c->arena, &list, &list_count, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str into = collection_name(list, list_count, rows[i].collection, json);
        struct store_witness w;
        struct str party =
            arena_printf(c->arena, "%.*s/%.*s", STR_FMT(rows[i].nation), STR_FMT(rows[i].org));
        if (!arena_ok(c->arena, e) || !exchange_witness(node->s, c->arena, party, &w, e))
            return false;
        (json ? put_json : put_text)(b, &rows[i], into, &w);
    }
    return buf_ok(b, e);
}

static int run(struct cli *c)
{
    struct cli_node node;
    struct err e = {0};
    struct buf b;
    char restored[CLI_RESTORED_BYTES];
    int status = 0;
    if (!cli_node_open(c, c->args[0], &node, &status))
        return status;
    buf_init(&b, 0);
    bool ok = put_all(c, &node, &b, &e) && cli_restored(node.s, restored, &e);
    if (ok && restored[0])
        fprintf(stderr, "setu peer list: %s\n", restored);
    status = ok ? cli_print(c, &b) : cli_fail(c, &e);
    buf_done(&b);
    cli_node_close(&node);
    return status;
}

const struct cli_command cli_peer_list = {
    .name = "peer list",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "list partners, what is pulled from them and how far",
    .text = "Beneath each stands whether its ledger was good when it was last looked at. "
            "Credentials are named by the file that holds them, never shown.",
    .options = options,
    .run = run,
};
