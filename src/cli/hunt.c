#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/feeds.h"
#include "sensor/sensor.h"

static const struct cli_option options[] = {
    {"indicators", 'i', CLI_TEXT, "SET", NULL,
     "look for what SET holds, as `setu detect -i` reads it, besides the values that are named", 0,
     0, true, false},
    {"as-of", 0, CLI_TEXT, "TIME", NULL,
     "judge the validity of indicators at this instant (RFC 3339); now if not given", 0, 0, false,
     false},
    CLI_FEED_BLIND_KEY,
    CLI_FEED_OPTIONS,
    {"threads", 'j', CLI_NUMBER, "N", NULL,
     "look at N blocks at once of a log that is read as a whole; as many as there are processors "
     "if not given",
     1, LIMIT_SENSOR_THREADS, false, false},
    CLI_FEED_VERBOSE,
    {"json", 0, CLI_FLAG, NULL, NULL, "alerts are JSON lines with or without it", 0, 0, false,
     false},
    CLI_OPTION_END,
};

/* Alerts are written out when this much has gathered, and after each log. */
#define OUT_BYTES (256u << 10)

struct hunt {
    struct cli *c;
    struct cli_feeds feeds;
    bool has_as_of, found;
    int broken; /* exit status when standard output failed, else 0 */
    struct buf out;
    struct cli_progress progress;
};

static bool flush(struct hunt *h)
{
    if (!h->broken && h->out.n)
        h->broken = cli_print(h->c, &h->out);
    buf_clear(&h->out);
    return !h->broken;
}

static bool on_alert(void *ctx, const struct sensor_alert *a)
{
    struct hunt *h = ctx;
    h->found = true;
    sensor_alert_put(&h->out, a);
    return h->out.n < OUT_BYTES || flush(h);
}

static bool on_block(void *ctx, uint64_t bytes)
{
    struct hunt *h = ctx;
    cli_progress_at(&h->progress, bytes);
    return flush(h) && !cli_signals_stopped();
}

static void on_note(void *ctx, struct str log, const char *text)
{
    struct hunt *h = ctx;
    cli_progress_end(&h->progress);
    fprintf(stderr, "setu %s: %.*s: %s\n", h->c->command->name, STR_FMT(log), text);
}

/* ---- what to look for --------------------------------------------------------------------- */

/* An argument is a file or a directory if there is one of that name, else a value. */
static bool load_arguments(void *ctx, struct cli_feeds *f, struct err *e)
{
    const struct hunt *h = ctx;
    const struct cli *c = h->c;
    struct buf values;
    bool ok = true;
    buf_init(&values, 0);
    for (size_t i = 1; i < c->arg_count && ok; i++) {
        const char *what = c->args[i];
        char text[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
        struct observable o;
        if (file_exists(what)) {
            ok = sensor_indicators_load(f->indicators, what, &f->how, cli_text(c, "collection"),
                                        e) ||
                 err_prefix(e, "no indicators from %s", what);
        } else if (!observable_guess(str_of(what), text, sizeof text, &o, e)) {
            e->code = ERR_USAGE;
            ok = err_prefix(e, "%s is neither a value nor a file", what);
        } else {
            buf_lit(&values, what);
            buf_byte(&values, '\n');
        }
    }
    if (ok && values.n) {
        for (size_t i = 0; i < BASE_PADDING; i++)
            buf_byte(&values, 0);
        ok = buf_ok(&values, e) &&
             sensor_indicators_text(f->indicators, STR("arguments"),
                                    (struct str){values.p, values.n - BASE_PADDING}, e);
    }
    buf_done(&values);
    return ok;
}

/* ---- the command -------------------------------------------------------------------------- */

static void summarize(const struct sensor_hunted *n)
{
    fprintf(stderr, "hunt: %zu logs, %" PRIu64 " of %" PRIu64 " bytes read", n->logs, n->read,
            n->bytes);
    if (n->whole)
        fprintf(stderr, ", %zu logs as a whole", n->whole);
    if (n->failed)
        fprintf(stderr, ", %zu not read", n->failed);
    fputc('\n', stderr);
}

static bool read_options(struct hunt *h, struct err *e)
{
    h->has_as_of = cli_text(h->c, "as-of").n > 0;
    return cli_instant(h->c, "as-of", h->feeds.as_of_us, &h->feeds.as_of_us, e) &&
           cli_feeds_options(&h->feeds, STR_NONE, e) && cli_feeds_key(&h->feeds, false, e);
}

static bool look(struct hunt *h, struct sensor_hunted *n, bool *to_end, struct err *e)
{
    const struct cli *c = h->c;
    struct sensor_hunt hunt = {.scan = {.set = sensor_indicators_set(h->feeds.indicators),
                                        .as_of_us = h->has_as_of ? &h->feeds.as_of_us : NULL,
                                        .alert = on_alert,
                                        .block = on_block,
                                        .threads = (size_t)cli_number(c, "threads"),
                                        .ctx = h},
                               .note = on_note};
    cli_progress_start(&h->progress, "bytes", 0);
    if (h->progress.on)
        cli_progress_start(&h->progress, "bytes", sensor_hunt_bytes(c->args[0]));
    bool ok = sensor_hunt(c->args[0], &hunt, n, to_end, e);
    cli_progress_end(&h->progress);
    flush(h);
    return ok;
}

/* 1 means that nothing was found, so what could not be done is 3 whatever its code. */
static int could_not(const struct hunt *h, const struct err *e)
{
    return cli_fail(h->c, e) == 2 && e->code == ERR_USAGE ? 2 : 3;
}

static int hunt(struct hunt *h)
{
    struct err e = {0};
    struct sensor_hunted n = {0};
    bool to_end = false;
    if (!read_options(h, &e) || !cli_feeds_load(&h->feeds, &e))
        return could_not(h, &e);
    cli_signals_catch();
    cli_feeds_summarize(&h->feeds);
    if (!cli_feeds_check_usable(&h->feeds, "looked for", &e) || !look(h, &n, &to_end, &e))
        return could_not(h, &e);
    summarize(&n);
    if (h->broken)
        return h->broken;
    if (!to_end)
        fprintf(stderr, "setu %s: interrupted: what was found before is reported\n",
                h->c->command->name);
    return n.failed || !to_end ? 3 : h->found ? 0 : 1;
}

static int run(struct cli *c)
{
    struct hunt h = {.c = c};
    if (c->arg_count < 2 && !cli_text(c, "indicators").n)
        return cli_usage(c, "a value or a set is needed: what to look for");
    buf_init(&h.out, 0);
    cli_feeds_init(&h.feeds, c, "indicators");
    h.feeds.more = load_arguments;
    h.feeds.ctx = &h;
    int status = hunt(&h);
    buf_done(&h.out);
    cli_feeds_done(&h.feeds);
    return status;
}

const struct cli_command cli_hunt = {
    .name = "hunt",
    .args = "INDEX [VALUE|SET...]",
    .least_args = 1,
    .summary = "look for values in the logs of an index; alerts as JSON lines",
    .text =
        "INDEX is a directory that `setu detect --index` filled, or one file of it. Each VALUE is "
        "an address, a block of addresses, a name, a URL, an e-mail address or a hash; what names "
        "a file or a directory is read as `setu detect -i` does. Only those parts of the logs are "
        "read that can hold one of the values, and alerts are those that `setu detect` gives.\n\n"
        "A log is known by its size and the time of its last change, also when it was renamed in "
        "its folder. One that was changed since, and every log when a value is a name of one "
        "label, an IPv4 block wider than a /8 or an IPv6 block wider than a /32, is read as a "
        "whole.\n\n"
        "Exit status: 0 there was an alert, 1 there was none, 3 a log could not be read or is "
        "gone, no indicator can be used, or SIGINT or SIGTERM came before the end.",
    .options = options,
    .run = run,
};
