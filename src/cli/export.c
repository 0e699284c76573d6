#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/endpoint.h"
#include "crypt/crypt.h"
#include "sensor/sensor.h"

static const struct cli_option options[] = {
    {"format", 0, CLI_TEXT, "F", "stix", "stix: one bundle", 0, 0, false, false},
    {"for", 0, CLI_TEXT, "WHO", NULL,
     "what this organisation or user may read; the node's own organisation if not given", 0, 0,
     false, false},
    {"collection", 0, CLI_TEXT, "C", NULL,
     "only this collection: id, alias or title; needed for a URL that names none", 0, 0, false,
     false},
    {"versions", 0, CLI_TEXT, "WHICH", "last", "last, first or all versions of each object", 0, 0,
     false, false},
    CLI_ENDPOINT_OPTIONS,
    CLI_OPTION_END,
};

struct writing {
    struct cli *c;
    struct buf b;
    int64_t last;
    uint64_t count;
    bool any;
    int status;
};

static void put_object(struct writing *w, struct str bytes)
{
    buf_lit(&w->b, w->any ? ",\n" : ",\"objects\":[\n");
    buf_str(&w->b, bytes);
    w->any = true;
}

static bool put_row(void *ctx, const struct store_row *row)
{
    struct writing *w = ctx;
    put_object(w, row->object->bytes);
    w->count++;
    w->last = row->date_added;
    return !w->b.failed;
}

/* False when standard output is closed or full; that is told already. */
static bool flush(struct writing *w)
{
    w->status = cli_print(w->c, &w->b);
    buf_clear(&w->b);
    return w->status == 0;
}

static void put_head(struct writing *w)
{
    char uuid[CRYPT_UUID_TEXT];
    crypt_uuid4(uuid);
    buf_printf(&w->b, "{\"type\":\"bundle\",\"id\":\"bundle--%s\"", uuid);
}

static void put_tail(struct writing *w)
{
    buf_lit(&w->b, w->any ? "\n]}\n" : "}\n");
    (void)flush(w);
}

/* ---- of a node's directory ---- */

/* What is exported, and for whom. */
struct exporting {
    struct cli_node *n;
    struct principal who;
    struct str recipient;
    unsigned versions;
};

/* The ledger tells what leaves the node by this door before it does. */
static bool record(const struct exporting *x, struct str collection, uint64_t count, struct err *e)
{
    struct exchange_export o = {
        .format = STR("stix"), .collection = collection, .recipient = x->recipient, .count = count};
    return exchange_ledger_export(x->n->x, &o, e);
}

/* Pages, so that memory does not grow with the collection. */
static bool write_collection(struct writing *w, const struct exporting *x,
                             const struct exchange_collection *col, struct err *e)
{
    bool more = true;
    struct exchange_query q = {.collection = col,
                               .after_us = INT64_MIN,
                               .limit = LIMIT_TAXII_PAGE_MAX,
                               .limit_bytes = LIMIT_TAXII_PAGE_BYTES,
                               .versions = x->versions,
                               .with_bytes = true,
                               .bytes_only = true};
    while (more) {
        uint64_t before = w->count;
        if (!exchange_read(x->n->s, &x->who, &q, put_row, w, &more, e) ||
            (w->count > before && !record(x, col->uuid, w->count - before, e)))
            return false;
        if (!flush(w))
            return true;
        q.after_us = w->last;
    }
    return true;
}

static bool reader(struct cli *c, struct exporting *x, struct err *e)
{
    struct str name = cli_text(c, "for");
    struct policy_party *to = &x->who.party;
    const struct exchange_config *config = exchange_config(x->n->x);
    x->who = (struct principal){.role = EXCHANGE_READER, .party = {config->nation, config->org}};
    if (name.n && !exchange_party_find(x->n->s, c->arena, name, to, e))
        return false;
    x->recipient = arena_printf(c->arena, "%.*s/%.*s", STR_FMT(to->nation), STR_FMT(to->org));
    return arena_ok(c->arena, e);
}

static bool write_node(struct writing *w, struct exporting *x, struct err *e)
{
    struct exchange_collection *list, one;
    struct str key = cli_text(w->c, "collection");
    size_t count = 1;
    if (!reader(w->c, x, e))
        return err_prefix(e, "--for");
    if (key.n) {
        if (!exchange_collection_find(x->n->s, w->c->arena, key, true, &one, e))
            return err_prefix(e, "--collection");
        list = &one;
    } else if (!exchange_collections(x->n->s, w->c->arena, &list, &count, e)) {
        return false;
    }
    put_head(w);
    for (size_t i = 0; i < count && w->status == 0; i++)
        if (!write_collection(w, x, &list[i], e))
            return false;
    if (w->count == 0 && !record(x, key.n ? one.uuid : STR(""), 0, e))
        return false;
    if (w->status == 0)
        put_tail(w);
    return true;
}

static bool versions_read(struct str text, unsigned *out)
{
    static const struct {
        const char *name;
        unsigned flag;
    } rows[] = {{"last", STORE_LAST}, {"first", STORE_FIRST}, {"all", STORE_ALL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (str_eq(text, str_of(rows[i].name))) {
            *out = rows[i].flag;
            return true;
        }
    }
    return false;
}

static int export_node(struct writing *w)
{
    struct cli *c = w->c;
    struct cli_node n;
    struct exporting x = {.n = &n};
    struct err e = {0};
    int status;
    if (cli_endpoint_given(c))
        return cli_usage(c, "%s is a directory: --ca and credentials are for a URL", c->args[0]);
    if (!versions_read(cli_text(c, "versions"), &x.versions))
        return cli_usage(c, "--versions takes last, first or all");
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    status = write_node(w, &x, &e) ? w->status : cli_fail(c, &e);
    cli_node_close(&n);
    return status;
}

/* ---- of a server ---- */

static bool put_page(void *ctx, const struct peer_page *p, struct err *e)
{
    struct writing *w = ctx;
    size_t left = p->count;
    for (const struct json *v = p->first; left > 0; v = v->next, left--)
        put_object(w, json_source(p->text, v));
    return flush(w) || err_set(e, ERR_IO, "stopped");
}

static bool write_server(struct writing *w, struct err *e)
{
    struct peer_endpoint server;
    struct peer_client *client = NULL;
    struct peer_collection found;
    if (!cli_endpoint_read(w->c, &server, e))
        return false;
    server.url = str_of(w->c->args[0]);
    if (!peer_client_open(&server, &client, e))
        return false;
    put_head(w);
    bool ok = peer_client_collection(client, cli_text(w->c, "collection"), &found, e);
    struct peer_pull what = {.collection_url = buf_view(&found.url)};
    ok = ok && peer_client_pull(client, &what, put_page, w, e);
    peer_client_close(client);
    buf_done(&found.url);
    if (ok)
        put_tail(w);
    return ok;
}

static int export_server(struct writing *w)
{
    struct cli *c = w->c;
    struct err e = {0};
    if (cli_text(c, "for").n || cli_text_nth(c, "versions", 0).n)
        return cli_usage(c, "--for and --versions are for a directory: a server shows the last "
                            "versions that its user may read");
    if (write_server(w, &e))
        return w->status;
    return w->status ? w->status : cli_fail(c, &e);
}

static int run(struct cli *c)
{
    struct writing w = {.c = c};
    if (!str_eq(cli_text(c, "format"), STR("stix")))
        return cli_usage(c, "--format %.*s: only stix can be written yet",
                         STR_FMT(cli_text(c, "format")));
    buf_init(&w.b, 0);
    int status = (sensor_is_url(str_of(c->args[0])) ? export_server : export_node)(&w);
    buf_done(&w.b);
    return status;
}

const struct cli_command cli_export = {
    .name = "export",
    .args = "DIR|URL",
    .least_args = 1,
    .most_args = 1,
    .summary = "write what an organisation may read as one STIX bundle",
    .text =
        "Goes through the same gate as every reader: objects that are not released to WHO cannot "
        "appear. Objects that stand in several collections appear once for each.\n\n"
        "URL is a TAXII 2.1 server, API root or collection; what is written is what its user may "
        "read in one collection.",
    .options = options,
    .run = run,
};
