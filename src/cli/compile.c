#include <stdio.h>

#include "cli/cli.h"
#include "cli/feeds.h"

static const struct cli_option options[] = {
    {"output", 'o', CLI_TEXT, "SET", NULL,
     "the file to write; a compiled set that is there is replaced as a whole, nothing else is", 0,
     0, false, true},
    {"blind-key", 0, CLI_TEXT, "FILE", NULL,
     "blind the set: what it looks for can be found with this key, and cannot be read; the key is "
     "made if absent, and goes to the partner by another way than the set",
     0, 0, false, false},
    CLI_FEED_OPTIONS,
    CLI_FEED_VERBOSE,
    CLI_JSON,
    CLI_OPTION_END,
};

static bool print_result(const struct cli_feeds *f, int64_t started_us, int *status)
{
    const struct match_set *set = sensor_indicators_set(f->indicators);
    struct buf b;
    buf_init(&b, 0);
    if (cli_flag(f->c, "json"))
        buf_printf(&b, "{\"indicators\":%zu,\"values\":%zu,\"seconds\":%.3f}\n",
                   match_set_indicators(set), match_set_values(set),
                   (double)(monotonic_us() - started_us) / 1e6);
    *status = cli_print(f->c, &b);
    buf_done(&b);
    return *status == 0;
}

static bool compile(struct cli_feeds *f, struct err *e)
{
    const char *out = cli_text(f->c, "output").p;
    if (!sensor_may_replace(out, e) || !cli_feeds_options(f, STR_NONE, e) ||
        !cli_feeds_key(f, true, e) || !cli_feeds_load(f, e))
        return false;
    cli_feeds_summarize(f);
    if (!cli_feeds_check_usable(f, "written: look at what INDICATORS names", e))
        return false;
    return f->blind_key ? sensor_indicators_blind(f->indicators, f->blind_key, out, e)
                        : sensor_indicators_compile(f->indicators, out, e);
}

static int run(struct cli *c)
{
    struct cli_feeds f;
    struct err e = {0};
    int status;
    int64_t started_us = monotonic_us();
    cli_feeds_init(&f, c, NULL);
    if (!compile(&f, &e))
        status = cli_fail(c, &e) == 2 && e.code == ERR_USAGE ? 2 : 3;
    else
        (void)print_result(&f, started_us, &status);
    cli_feeds_done(&f);
    return status;
}

const struct cli_command cli_compile = {
    .name = "compile",
    .args = "INDICATORS...",
    .least_args = 1,
    .summary = "write a set of indicators that `setu detect` opens at once",
    .text =
        "Reads what `setu detect -i` reads (lists, STIX, a node's directory, a TAXII collection, "
        "one set compiled before) and writes one file that is opened in milliseconds, however "
        "many indicators it holds. An indicator's validity is kept and judged when the set is "
        "used.\n\n"
        "With --blind-key no value, name or label stands in the file, only MACs under the key: "
        "`setu detect -i SET --blind-key FILE` finds what the set holds, and an alert names the "
        "indicator's id and what stands in the log. Who has set and key can still test guesses; "
        "docs/DETECTION.md has the arithmetic.\n\n"
        "Credentials are for one server: with them all URLs must have the same scheme, host and "
        "port.\n\n"
        "Exit status: 0 it was written, 3 a source could not be read, no indicator can "
        "be used, or the file could not be written.",
    .options = options,
    .run = run,
};
