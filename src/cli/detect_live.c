/* `setu detect --live`: the set follows the collections that it was read from. */
#include <stdio.h>

#include "cli/detect_priv.h"

static void on_news(void *ctx, const struct sensor_news *n)
{
    const struct cli_feeds *f = ctx;
    struct buf b;
    buf_init(&b, 0);
    if (n->why) {
        buf_printable(&b, str_of(n->why),
                      sizeof((struct err *)0)->msg); /* a server may have said it */
        buf_lit(&b, ": what is there already is still looked for");
    } else {
        buf_printf(&b, "%zu new or changed, %zu taken back", n->taken, n->gone);
        if (n->again)
            buf_lit(&b, ", it is followed again");
    }
    fprintf(stderr, "setu %s: %.*s: %.*s\n", f->c->command->name, STR_FMT(n->source),
            STR_FMT(buf_view(&b)));
    buf_done(&b);
}

const char *detect_live_usage(const struct cli *c)
{
    bool any = false;
    struct str where;
    if (!cli_flag(c, "live"))
        return NULL;
    for (size_t i = 0; (where = cli_text_nth(c, "indicators", i)).p; i++)
        any = any || sensor_is_url(where) || file_is_dir(where.p);
    if (!any)
        return "--live needs a URL or a node's directory in --indicators: what is followed";
    return NULL;
}

bool detect_live_start(struct cli_feeds *f, struct sensor_live **out, struct err *e)
{
    struct sensor_living how = {.how = f->how,
                                .poll_s = (unsigned)cli_number(f->c, "live-poll"),
                                .news = on_news,
                                .note = cli_feeds_note,
                                .ctx = f};
    *out = NULL;
    return !cli_flag(f->c, "live") || sensor_live_start(f->indicators, &how, out, e);
}
