/* Indexes of the inputs of `setu detect`. */
#include <stdio.h>

#include "cli/detect_priv.h"
#include "sensor/sensor.h"

struct indexing {
    const struct cli *c;
    struct cli_progress progress;
    size_t made, fresh, none;
};

bool detect_looks(const struct cli *c)
{
    return cli_text(c, "indicators").n > 0 || cli_flag(c, "5g");
}

static bool on_block(void *ctx, uint64_t bytes)
{
    struct indexing *x = ctx;
    cli_progress_at(&x->progress, bytes);
    return !cli_signals_stopped();
}

static bool index_one(struct indexing *x, const char *input, struct err *e)
{
    struct sensor_indexing how = {
        .threads = (size_t)cli_number(x->c, "threads"), .block = on_block, .ctx = x};
    struct sensor_index_is got;
    if (!sensor_index_log(cli_text(x->c, "index").p, input, &how, &got, e))
        return false;
    switch (got.is) {
    case SENSOR_INDEX_MADE:
        x->made++;
        break;
    case SENSOR_INDEX_FRESH:
        x->fresh++;
        break;
    case SENSOR_INDEX_NONE:
        x->none++;
        cli_progress_end(&x->progress);
        if (got.why)
            fprintf(stderr, "setu detect: no index of %s: %s\n", input, got.why);
        break;
    }
    return true;
}

bool detect_index(const struct cli *c)
{
    struct indexing x = {.c = c};
    bool ok = true;
    if (!cli_text(c, "index").n)
        return true;
    for (size_t i = 0; i < c->arg_count && !cli_signals_stopped(); i++) {
        struct err e;
        cli_progress_start(&x.progress, "bytes indexed", 0);
        bool done = index_one(&x, c->args[i], &e);
        cli_progress_end(&x.progress);
        if (!done)
            (void)cli_fail(c, &e);
        ok = ok && done;
    }
    fprintf(stderr, "index: %zu written, %zu there, %zu inputs of which none is kept\n", x.made,
            x.fresh, x.none);
    /* Alone, who asked for an index has to know that there is none; beside a scan its status says
     * what was found, in logs that have one and in others. */
    return ok && !cli_signals_stopped() && (x.none == 0 || detect_looks(c));
}
