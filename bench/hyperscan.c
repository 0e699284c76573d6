/* Hyperscan's scan for literals, as the peer of detection: hyperscan LIST FILE... looks for the
 * lines of LIST, in either case, where no letter, digit, dot, hyphen or underscore stands beside
 * them, and prints FILE, a tab and the number of the line for each line with one. Lines end with
 * line feeds and are not longer than a block. On stderr: the seconds of processor time that
 * compiling and scanning took, without the counting of lines. */
#include <fcntl.h>
#include <hs/hs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK ((size_t)256 << 10)

struct list {
    char *text;
    const char **literals;
    size_t *lengths;
    unsigned *ids, *flags;
    unsigned count;
};

struct scan {
    const struct list *list;
    const char *text; /* this block */
    size_t n;
    uint64_t base;  /* its place in the file */
    uint64_t *hits; /* where they start in the file */
    size_t count, room;
};

static void fail(const char *what)
{
    perror(what);
    exit(3);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *read_all(const char *path, size_t *n)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0)
        fail(path);
    char *text = malloc((size_t)st.st_size + 1);
    if (!text || read(fd, text, (size_t)st.st_size) != st.st_size)
        fail(path);
    close(fd);
    *n = (size_t)st.st_size;
    text[*n] = '\0';
    return text;
}

static struct list read_list(const char *path)
{
    size_t n, most = 1;
    struct list l = {.text = read_all(path, &n)};
    for (size_t i = 0; i < n; i++)
        most += l.text[i] == '\n';
    l.literals = calloc(most, sizeof *l.literals);
    l.lengths = calloc(most, sizeof *l.lengths);
    l.ids = calloc(most, sizeof *l.ids);
    l.flags = calloc(most, sizeof *l.flags);
    if (!l.literals || !l.lengths || !l.ids || !l.flags)
        fail(path);
    for (char *at = strtok(l.text, "\n"); at; at = strtok(NULL, "\n")) {
        l.literals[l.count] = at;
        l.lengths[l.count] = strlen(at);
        l.ids[l.count] = l.count;
        l.flags[l.count++] = HS_FLAG_CASELESS;
    }
    return l;
}

static bool is_within(const struct scan *s, size_t at)
{
    return at < s->n && s->text[at] &&
           strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                  "0123456789.-_",
                  s->text[at]);
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *ctx)
{
    struct scan *s = ctx;
    size_t end = (size_t)to, start = end - s->list->lengths[id];
    (void)from;
    (void)flags;
    if ((start > 0 && is_within(s, start - 1)) || is_within(s, end))
        return 0;
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 4096;
        s->hits = realloc(s->hits, s->room * sizeof *s->hits);
        if (!s->hits)
            fail("hits");
    }
    s->hits[s->count++] = s->base + start;
    return 0;
}

static void scan_file(struct scan *s, const char *name, const hs_database_t *db,
                      hs_scratch_t *scratch)
{
    static char buf[2 * BLOCK];
    size_t kept = 0;
    ssize_t got;
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        fail(name);
    s->text = buf;
    s->base = 0;
    s->count = 0;
    while ((got = read(fd, buf + kept, BLOCK)) > 0) {
        size_t n = kept + (size_t)got;
        const char *last = memrchr(buf, '\n', n);
        if (!last)
            fail("a line that is too long");
        s->n = (size_t)(last - buf) + 1;
        if (hs_scan(db, buf, (unsigned)s->n, 0, scratch, on_match, s) != HS_SUCCESS)
            fail("hs_scan");
        s->base += s->n;
        kept = n - s->n;
        memmove(buf, buf + s->n, kept);
    }
    close(fd);
}

static int by_place(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void tell(const struct scan *s, const char *name)
{
    size_t n;
    char *text = read_all(name, &n);
    uint64_t line = 1, told = 0;
    if (s->count)
        qsort(s->hits, s->count, sizeof *s->hits, by_place);
    for (size_t i = 0, at = 0; i < s->count; i++) {
        for (; at < s->hits[i]; at++)
            line += text[at] == '\n';
        if (line != told)
            printf("%s\t%llu\n", name, (unsigned long long)line);
        told = line;
    }
    free(text);
}

int main(int argc, char **argv)
{
    hs_database_t *db = NULL;
    hs_compile_error_t *error = NULL;
    hs_scratch_t *scratch = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: hyperscan LIST FILE...\n");
        return 2;
    }
    double begun = seconds();
    struct list l = read_list(argv[1]);
    if (hs_compile_lit_multi(l.literals, l.flags, l.ids, l.lengths, l.count, HS_MODE_BLOCK, NULL,
                             &db, &error) != HS_SUCCESS ||
        hs_alloc_scratch(db, &scratch) != HS_SUCCESS) {
        fprintf(stderr, "hyperscan: %s\n", error ? error->message : "no memory");
        return 3;
    }
    double compiled = seconds(), scanned = 0;
    struct scan s = {.list = &l};
    for (int i = 2; i < argc; i++) {
        double before = seconds();
        scan_file(&s, argv[i], db, scratch);
        scanned += seconds() - before;
        tell(&s, argv[i]);
    }
    fprintf(stderr, "%.3f %.3f\n", compiled - begun, scanned);
    return 0;
}
