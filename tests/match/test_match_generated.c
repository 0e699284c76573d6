/*
 * The scanner against generated logs with an answer key, exactly: no miss, no false hit; with sets
 * that were written and opened again, and with one that is blinded. The
 * generator is not part of the repository; SETU_CORPUS names the folder that has detect/gen.c.
 * Arguments, all optional: SEED SCALE_MB HIT_RATE NEGATIVE_RATE LARGEST_SET.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "match/match.h"
#include "test.h"

enum { LOGS = 5 };
static const char *const logs[LOGS] = {"eve.json", "conn.log", "dns.log", "access.log",
                                       "syslog.log"};
static const struct {
    const char *name;
    size_t count;
} sets[] = {{"ind_10k.txt", 10000},
            {"ind_100k.txt", 100000},
            {"ind_1M.txt", 1000000},
            {"ind_10M.txt", 10000000}};

/* A row of the answer key. */
struct row {
    int log;
    uint64_t line, index;
    struct str kind, variant, indicator, seen;
    bool met;
};

struct run {
    const struct match_set *set;
    const struct match_set *names; /* whose ids the answer key has, by the same numbers */
    struct row *rows;
    size_t row_count, size;
    int log;
    const char *at; /* up to where lines are counted */
    uint64_t line;
    size_t next; /* first row of this log and line, or later */
    size_t hits, also, wrong;
};

static struct str read_all(const char *dir, const char *name)
{
    char path[600];
    struct str text = STR_NONE;
    struct err e;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!file_read(path, 0, &text, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        exit(3);
    }
    return text;
}

static int log_number(struct str name)
{
    for (int i = 0; i < LOGS; i++)
        if (str_eq(name, str_of(logs[i])))
            return i;
    return -1;
}

static struct row *read_rows(struct str text, size_t *count)
{
    void *rows = NULL;
    size_t room = 0;
    *count = 0;
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        if (line.n == 0)
            continue;
        if (!base_grow(&rows, &room, *count + 1, sizeof(struct row)))
            abort();
        struct row r = {.log = log_number(str_cut(&line, '\t'))};
        bool ok =
            str_to_u64(str_cut(&line, '\t'), &r.line) && str_to_u64(str_cut(&line, '\t'), &r.index);
        CHECK(ok && r.log >= 0);
        r.kind = str_cut(&line, '\t');
        r.variant = str_cut(&line, '\t');
        r.indicator = str_cut(&line, '\t');
        r.seen = line;
        ((struct row *)rows)[(*count)++] = r;
    }
    return rows;
}

/* If the key's row, written for the first of several indicators, explains this one too: the same
 * value again, a name above or below in the same name, an address block around the same address. */
static bool also_true(const struct row *r, const struct match_hit *h, struct str id)
{
    if (str_eq(id, r->indicator))
        return true;
    if (h->relation == MATCH_INSIDE)
        return str_eq(h->seen, r->seen);
    return h->kind == OBSERVABLE_DOMAIN &&
           (str_ends(r->indicator, id) || str_ends(id, r->indicator));
}

static bool on_hit(void *ctx, const struct match_hit *h)
{
    struct run *run = ctx;
    for (; run->at < h->seen.p; run->at++)
        run->line += *run->at == '\n';
    while (run->next < run->row_count &&
           (run->rows[run->next].log < run->log ||
            (run->rows[run->next].log == run->log && run->rows[run->next].line < run->line)))
        run->next++;
    struct row *r = run->next < run->row_count ? &run->rows[run->next] : NULL;
    struct str id = match_set_get(run->names, h->indicator).id;
    run->hits++;
    if (r == NULL || r->log != run->log || r->line != run->line || !also_true(r, h, id)) {
        run->wrong++;
        fprintf(stderr, "%zu: false hit: %s:%llu: %.*s by %.*s\n", run->size, logs[run->log],
                (unsigned long long)run->line, STR_FMT(h->seen), STR_FMT(id));
    } else if (h->indicator == r->index) {
        r->met = true;
        CHECK_ROW(str_eq(r->variant, STR("in-url-host")) || str_eq(r->seen, h->seen),
                  "seen is %.*s, not %.*s", STR_FMT(h->seen), STR_FMT(r->seen));
    } else {
        run->also++;
    }
    return true;
}

static void scan_logs(const char *dir, struct run *run)
{
    size_t bytes = 0;
    int64_t spent = 0;
    for (run->log = 0; run->log < LOGS; run->log++) {
        struct str text = read_all(dir, logs[run->log]);
        run->at = text.p;
        run->line = 1;
        int64_t start = monotonic_us();
        match_scan(run->set, text, 0, on_hit, run);
        spent += monotonic_us() - start;
        bytes += text.n;
        void *p;
        memcpy(&p, &text.p, sizeof p);
        base_free(p);
    }
    fprintf(stderr, "%zu indicators: %zu hits (%zu more than the key names), %.0f MB/s\n",
            run->size, run->hits, run->also, (double)bytes / (double)(spent + 1));
}

static struct match_set *reopened(const char *dir, struct match_set *set)
{
    char path[600];
    struct match_set *opened = NULL;
    struct err e = {0};
    snprintf(path, sizeof path, "%s/set", dir);
    int64_t start;
    CHECK_ROW(match_set_write(set, path, &e), "%s", e.msg);
    match_set_free(set);
    start = monotonic_us();
    CHECK_ROW(match_set_open(path, &opened, &e), "%s", e.msg);
    fprintf(stderr, "opened in %.1f ms\n", (double)(monotonic_us() - start) / 1000);
    return opened;
}

/* Scans the logs and holds what is found against the key. */
static void test_scan(const char *dir, struct run *run)
{
    struct row *rows = run->rows;
    for (size_t k = 0; k < run->row_count; k++)
        rows[k].met = false;
    scan_logs(dir, run);
    CHECK_ROW(run->wrong == 0, "%zu false hits with %zu indicators", run->wrong, run->size);
    for (size_t k = 0; k < run->row_count; k++)
        CHECK_ROW(rows[k].met == (rows[k].index < run->size),
                  "%zu indicators: missed in %s:%llu: %.*s as %.*s (%.*s)", run->size,
                  logs[rows[k].log], (unsigned long long)rows[k].line, STR_FMT(rows[k].indicator),
                  STR_FMT(rows[k].seen), STR_FMT(rows[k].variant));
}

/* The same, where no value stands in the file. */
static void test_blinded(const char *dir, const struct run *plain, struct str list)
{
    const unsigned char key[32] = "thirty-one bytes, and a NUL too";
    struct match_set *set = NULL;
    struct run run = *plain;
    struct err e = {0};
    run.hits = run.also = run.wrong = run.next = 0;
    CHECK_ROW(match_set_blind(plain->set, key, &set, &e), "%s", e.msg);
    if (set == NULL)
        return;
    set = reopened(dir, set);
    CHECK(match_set_blinded(set) && match_set_unblind(set, key, &e));
    CHECK(match_set_values(set) == match_set_values(plain->set));
    run.set = set;
    test_scan(dir, &run);
    CHECK(run.hits == plain->hits);
    match_set_free(set);
    struct str file = read_all(dir, "set");
    while (list.n > 0) {
        struct str value = str_cut(&list, '\n');
        CHECK_ROW(value.n == 0 || memmem(file.p, file.n, value.p, value.n) == NULL,
                  "%.*s stands in the blinded file", STR_FMT(value));
    }
    void *p;
    memcpy(&p, &file.p, sizeof p);
    base_free(p);
}

static void test_set(const char *dir, size_t i, struct row *rows, size_t row_count)
{
    struct match_set *set = match_set_new();
    struct match_list_options options = {.like = {.from_us = INT64_MIN, .until_us = INT64_MAX}};
    struct err e;
    struct str list = read_all(dir, sets[i].name);
    CHECK(match_set_load_list(set, list, &options, &e) && match_set_seal(set, &e));
    CHECK(options.unknown_count == 0 && match_set_indicators(set) == sets[i].count);
    set = reopened(dir, set);
    struct run run = {
        .set = set, .names = set, .rows = rows, .row_count = row_count, .size = sets[i].count};
    test_scan(dir, &run);
    if (i == 0)
        test_blinded(dir, &run, list);
    match_set_free(set);
    void *p;
    memcpy(&p, &list.p, sizeof p);
    base_free(p);
}

static void remove_folder(const char *dir)
{
    char path[600];
    DIR *d = opendir(dir);
    if (d == NULL)
        return;
    for (struct dirent *f = readdir(d); f != NULL; f = readdir(d)) {
        snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
        if (f->d_name[0] != '.')
            unlink(path);
    }
    closedir(d);
    rmdir(dir);
}

int main(int argc, char **argv)
{
    static const char *const defaults[] = {"1", "4", "60", "90", "1000000"};
    const char *corpus = getenv("SETU_CORPUS"), *arg[5];
    char source[500], dir[] = "/tmp/setu-match-XXXXXX", command[2000];
    snprintf(source, sizeof source, "%s/detect/gen.c", corpus ? corpus : "../shared/corpus");
    if (!file_exists(source)) {
        TEST_SKIP("no generator at %s (SETU_CORPUS)", source);
        TEST_END();
    }
    for (int i = 0; i < 5; i++)
        arg[i] = argc > i + 1 ? argv[i + 1] : defaults[i];
    if (mkdtemp(dir) == NULL)
        return 3;
    snprintf(command, sizeof command,
             "cc -O2 -w -o %s/gen '%s' -lm && %s/gen %s %s %s %s %s %s 2>%s/log", dir, source, dir,
             dir, arg[0], arg[1], arg[2], arg[3], arg[4], dir);
    int status = system(command);
    CHECK(status == 0);
    if (status == 0) {
        size_t count;
        struct str key = read_all(dir, "expected.tsv");
        struct row *rows = read_rows(key, &count);
        CHECK(count > 100);
        for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
            if (sets[i].count <= strtoull(arg[4], NULL, 10))
                test_set(dir, i, rows, count);
        void *p;
        memcpy(&p, &key.p, sizeof p);
        base_free(p);
        base_free(rows);
    }
    remove_folder(dir);
    TEST_END();
}
