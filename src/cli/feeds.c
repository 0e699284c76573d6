/* Where indicators come from, for the commands that read them. */
#include "cli/feeds.h"

#include <stdio.h>
#include <string.h>

/* Reasons that the summary names. */
#define REASONS 3

void cli_feeds_init(struct cli_feeds *f, struct cli *c, const char *option)
{
    *f = (struct cli_feeds){.c = c, .option = option, .as_of_us = now_us()};
    buf_init(&f->reasons, 0);
}

void cli_feeds_done(struct cli_feeds *f)
{
    sensor_indicators_free(f->indicators);
    buf_done(&f->reasons);
}

struct str cli_feeds_nth(const struct cli_feeds *f, size_t i)
{
    if (f->option)
        return cli_text_nth(f->c, f->option, i);
    return i < f->c->arg_count ? str_of(f->c->args[i]) : STR_NONE;
}

/* ---- options ----------------------------------------------------------------------------- */

/* Is `url` of the server that *origin tells of? The first one fills it. */
static bool same_server(struct cli_feeds *f, struct str url, struct str *origin, struct err *e)
{
    struct str its;
    if (!sensor_is_url(url))
        return true;
    if (!peer_url_origin(f->c->arena, url, &its, e))
        return false;
    if (origin->n && !str_eq(*origin, its))
        return err_set(e, ERR_USAGE,
                       "credentials are for one server, and %.*s and %.*s are two: run once for "
                       "each, with --sightings-out in between where one is for sightings",
                       STR_FMT(*origin), STR_FMT(its));
    *origin = its;
    return true;
}

static bool check_servers(struct cli_feeds *f, struct str more, struct err *e)
{
    struct str where, origin = STR_NONE;
    if (!cli_endpoint_signs_in(&f->how))
        return true;
    for (size_t i = 0; (where = cli_feeds_nth(f, i)).p; i++)
        if (!same_server(f, where, &origin, e))
            return false;
    return same_server(f, more, &origin, e);
}

bool cli_feeds_options(struct cli_feeds *f, struct str more, struct err *e)
{
    return cli_endpoint_read(f->c, &f->how, e) && check_servers(f, more, e);
}

/* ---- indicators -------------------------------------------------------------------------- */

/* Bytes of a feed's words that a message shows. */
#define SHOWN_BYTES 300

static void put_note(struct buf *b, const struct sensor_note *n, bool with_source)
{
    if (with_source || !n->id.n) {
        buf_printable(b, n->source, SHOWN_BYTES);
        if (n->line)
            buf_printf(b, ":%zu", n->line);
        buf_lit(b, ": ");
    }
    if (n->id.n) {
        buf_printable(b, n->id, SHOWN_BYTES);
        buf_lit(b, ": ");
    }
    if (with_source)
        buf_lit(b, n->in_part ? "used in part: " : "not usable: ");
    buf_printable(b, n->reason, SHOWN_BYTES);
}

void cli_feeds_note(void *feeds, const struct sensor_note *n)
{
    struct cli_feeds *f = feeds;
    struct buf line;
    if (cli_flag(f->c, "verbose")) {
        buf_init(&line, 0);
        put_note(&line, n, true);
        fprintf(stderr, "setu %s: %.*s\n", f->c->command->name, (int)line.n, line.p ? line.p : "");
        buf_done(&line);
    }
    if (n->in_part || f->reason_count++ >= REASONS)
        return;
    buf_lit(&f->reasons, f->reason_count > 1 ? "; " : ": ");
    put_note(&f->reasons, n, false);
}

void cli_feeds_summarize(const struct cli_feeds *f)
{
    const struct sensor_counts *n = sensor_indicators_counts(f->indicators);
    struct buf b;
    buf_init(&b, 0);
    buf_printf(&b, "indicators: %zu used, %zu not usable", n->used, n->unusable);
    if (n->in_part)
        buf_printf(&b, ", %zu used in part", n->in_part);
    if (n->revoked)
        buf_printf(&b, ", %zu revoked", n->revoked);
    if (n->not_in_force)
        buf_printf(&b, ", %zu not in force", n->not_in_force);
    buf_str(&b, buf_view(&f->reasons));
    if (f->reason_count > REASONS)
        buf_printf(&b, "; and %zu more, see --verbose", f->reason_count - REASONS);
    fprintf(stderr, "%.*s\n", (int)b.n, b.p ? b.p : "");
    buf_done(&b);
}

bool cli_feeds_key(struct cli_feeds *f, bool make, struct err *e)
{
    struct str path = cli_text(f->c, "blind-key");
    if (path.n && !crypt_key_file(path.p, make, f->key, e))
        return err_prefix(e, "--blind-key");
    f->blind_key = path.n ? f->key : NULL;
    return true;
}

bool cli_feeds_load(struct cli_feeds *f, struct err *e)
{
    struct str where, collection = cli_text(f->c, "collection");
    f->indicators = sensor_indicators_new(cli_feeds_note, f);
    if (!f->indicators)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (f->blind_key)
        sensor_indicators_key(f->indicators, f->blind_key);
    if (cli_flag(f->c, "warninglists"))
        sensor_indicators_guard(f->indicators);
    if (f->live)
        sensor_indicators_follow(f->indicators);
    for (size_t i = 0; (where = cli_feeds_nth(f, i)).p; i++)
        if (!sensor_indicators_load(f->indicators, where.p, &f->how, collection, e))
            return err_prefix(e, "no indicators from %s", where.p);
    if (f->more && !f->more(f->ctx, f, e))
        return false;
    return sensor_indicators_seal(f->indicators, f->as_of_us, e);
}

/* That a server or a node has nothing to look for is an answer, and so is that all is revoked or
 * out of force. */
bool cli_feeds_check_usable(const struct cli_feeds *f, const char *done, struct err *e)
{
    const struct sensor_counts *n = sensor_indicators_counts(f->indicators);
    struct str where;
    bool all_asked = true;
    for (size_t i = 0; (where = cli_feeds_nth(f, i)).p; i++)
        all_asked = all_asked && (sensor_is_url(where) || file_is_dir(where.p));
    if (n->used || n->revoked || n->not_in_force || (all_asked && !n->unusable))
        return true;
    return err_set(e, ERR_INVALID, "no indicator can be used, so nothing was %s", done);
}
