/*
 * Parse and check of one file against simdjson alone on the same bytes, in turns, in one process
 * and one thread: check FILE [ROUNDS]. Prints one line of JSON; the least time of each counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "json/json.h"
#include "stix/stix.h"

bool simdjson_dom(const char *text, size_t n);

struct tally {
    size_t errors, warnings;
};

static void count(void *ctx, const struct stix_finding *f)
{
    struct tally *t = ctx;
    (*(f->severity == STIX_ERROR ? &t->errors : &t->warnings))++;
}

static double since(int64_t before_us)
{
    return (double)(monotonic_us() - before_us) / 1e6;
}

static void least(double *best, double s)
{
    if (s < *best)
        *best = s;
}

struct times {
    double simdjson, parse, all;
};

static bool round_once(struct json_reader *r, struct arena *a, struct str text, struct times *best,
                       struct tally *t)
{
    const struct stix_check_options o = {0};
    const struct json *doc;
    struct err e = {0};
    int64_t start = monotonic_us();
    if (!simdjson_dom(text.p, text.n))
        return false;
    least(&best->simdjson, since(start));
    *t = (struct tally){0};
    start = monotonic_us();
    arena_reset(a);
    if (!json_parse(r, a, text, true, &doc, &e))
        return fprintf(stderr, "check: %s\n", e.msg) < 0;
    least(&best->parse, since(start));
    stix_document_check(doc, &o, count, t);
    least(&best->all, since(start));
    return true;
}

int main(int argc, char **argv)
{
    struct str text;
    struct err e = {0};
    struct tally t = {0};
    struct times best = {1e9, 1e9, 1e9};
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    if (argc < 2 || !file_read(argv[1], 0, &text, &e)) {
        fprintf(stderr, "usage: check FILE [ROUNDS]: %s\n", e.msg);
        return 2;
    }
    struct json_reader *r = json_reader_new();
    struct arena *a = arena_new(LIMIT_ARENA_FILE_BYTES);
    bool ok = r && a;
    for (int i = 0; i < rounds && ok; i++)
        ok = round_once(r, a, text, &best, &t);
    printf("{\"bytes\":%zu,\"simdjson_s\":%.6f,\"parse_s\":%.6f,\"setu_s\":%.6f,\"ratio\":%.3f,"
           "\"errors\":%zu,\"warnings\":%zu,\"arena\":%.2f}\n",
           text.n, best.simdjson, best.parse, best.all, best.simdjson / best.all, t.errors,
           t.warnings, (double)arena_used(a) / (double)text.n);
    arena_free(a);
    json_reader_free(r);
    return ok ? 0 : 3;
}
