#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "crypt/crypt.h"

static const struct cli_option options[] = {
    {"format", 0, CLI_TEXT, "F", "stix", "stix: one bundle", 0, 0, false, false},
    {"for", 0, CLI_TEXT, "WHO", NULL,
     "what this organisation or user may read; the node's own organisation if not given", 0, 0,
     false, false},
    {"collection", 0, CLI_TEXT, "C", NULL, "only this collection: id, alias or title", 0, 0, false,
     false},
    {"versions", 0, CLI_TEXT, "WHICH", "last", "last, first or all versions of each object", 0, 0,
     false, false},
    CLI_OPTION_END,
};

struct writing {
    struct cli *c;
    struct buf b;
    int64_t last;
    bool any;
    int status;
};

static bool put_row(void *ctx, const struct store_row *row)
{
    struct writing *w = ctx;
    buf_lit(&w->b, w->any ? ",\n" : ",\"objects\":[\n");
    buf_str(&w->b, row->object->bytes);
    w->any = true;
    w->last = row->date_added;
    return !w->b.failed;
}

/* Pages, so that memory does not grow with the collection. */
static bool write_collection(struct writing *w, struct cli_node *n, const struct principal *who,
                             const struct exchange_collection *col, unsigned versions,
                             struct err *e)
{
    bool more = true;
    struct exchange_query q = {.collection = col,
                               .after_us = INT64_MIN,
                               .limit = LIMIT_TAXII_PAGE_MAX,
                               .limit_bytes = LIMIT_TAXII_PAGE_BYTES,
                               .versions = versions,
                               .with_bytes = true};
    while (more) {
        if (!exchange_read(n->s, who, &q, put_row, w, &more, e))
            return false;
        if ((w->status = cli_print(w->c, &w->b)) != 0)
            return true;
        buf_clear(&w->b);
        q.after_us = w->last;
    }
    return true;
}

static bool reader(struct cli *c, struct cli_node *n, struct principal *who, struct err *e)
{
    struct str name = cli_text(c, "for");
    const struct exchange_config *config = exchange_config(n->x);
    *who = (struct principal){.role = EXCHANGE_READER, .party = {config->nation, config->org}};
    return !name.n || exchange_party_find(n->s, c->arena, name, &who->party, e);
}

static bool write_bundle(struct writing *w, struct cli_node *n, unsigned versions, struct err *e)
{
    struct exchange_collection *list, one;
    struct str key = cli_text(w->c, "collection");
    struct principal who;
    size_t count = 1;
    char uuid[CRYPT_UUID_TEXT];
    if (!reader(w->c, n, &who, e))
        return err_prefix(e, "--for");
    if (key.n) {
        if (!exchange_collection_find(n->s, w->c->arena, key, true, &one, e))
            return err_prefix(e, "--collection");
        list = &one;
    } else if (!exchange_collections(n->s, w->c->arena, &list, &count, e)) {
        return false;
    }
    crypt_uuid4(uuid);
    buf_printf(&w->b, "{\"type\":\"bundle\",\"id\":\"bundle--%s\"", uuid);
    for (size_t i = 0; i < count && w->status == 0; i++)
        if (!write_collection(w, n, &who, &list[i], versions, e))
            return false;
    buf_lit(&w->b, w->any ? "\n]}\n" : "}\n");
    if (w->status == 0)
        w->status = cli_print(w->c, &w->b);
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

static int run(struct cli *c)
{
    struct writing w = {.c = c};
    struct cli_node n;
    struct err e = {0};
    unsigned versions;
    int status;
    if (!str_eq(cli_text(c, "format"), STR("stix")))
        return cli_usage(c, "--format %.*s: only stix can be written yet",
                         STR_FMT(cli_text(c, "format")));
    if (!versions_read(cli_text(c, "versions"), &versions))
        return cli_usage(c, "--versions takes last, first or all");
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&w.b, 0);
    status = write_bundle(&w, &n, versions, &e) ? w.status : cli_fail(c, &e);
    buf_done(&w.b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_export = {
    .name = "export",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "write what an organisation may read as one STIX bundle",
    .text =
        "Goes through the same gate as every reader: objects that are not released to WHO cannot "
        "appear. Objects that stand in several collections appear once for each.",
    .options = options,
    .run = run,
};
