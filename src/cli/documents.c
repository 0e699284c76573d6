#include "cli/documents.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What is read before it is decided whether a file holds lines, and the longest of its lines. */
#define BLOCK_BYTES    ((size_t)1 << 20)
#define LINE_BYTES     ((size_t)LIMIT_STIX_OBJECT_BYTES)
#define DIRECTORY_DEEP 32

struct reading {
    const char *path;
    cli_document_fn *each;
    void *ctx;
    struct json_reader *json;
    struct arena *arena; /* of one text */
    FILE *file;
    struct buf b; /* what has been read and not been handed on */
    bool ended;
};

/* `text` ends a buffer with BASE_PADDING bytes of room, or lies inside one. */
static bool hand_on(struct reading *r, struct str text, size_t line, bool padded, struct err *e)
{
    struct cli_document d = {.path = r->path, .text = text, .line = line};
    d.ok = json_parse(r->json, r->arena, text, padded, &d.root, &d.e);
    bool go_on = d.ok || d.e.code != ERR_MEMORY;
    if (go_on)
        go_on = r->each(r->ctx, &d, e);
    else
        *e = d.e;
    arena_reset(r->arena);
    return go_on;
}

/* Reads on until the buffer holds `more` bytes more or the file ends. */
static bool read_on(struct reading *r, size_t more, struct err *e)
{
    if (r->ended)
        return true;
    if (!buf_reserve(&r->b, more + BASE_PADDING))
        return buf_ok(&r->b, e);
    size_t n = fread(r->b.p + r->b.n, 1, more, r->file);
    r->b.n += n;
    r->ended = n < more;
    return !ferror(r->file) || err_errno(e, "cannot read", r->path);
}

static bool read_whole(struct reading *r, struct err *e)
{
    while (!r->ended)
        if (!read_on(r, r->b.n > BLOCK_BYTES ? r->b.n : BLOCK_BYTES, e))
            return false;
    if (!buf_reserve(&r->b, BASE_PADDING))
        return buf_ok(&r->b, e);
    memset(r->b.p + r->b.n, 0, BASE_PADDING);
    return true;
}

/* A first line that is a JSON text by itself, with more behind it. */
static bool is_lines(struct reading *r)
{
    struct str rest = buf_view(&r->b), line = STR_NONE;
    const struct json *v;
    struct err e;
    while (rest.p && (line = str_trim(str_cut(&rest, '\n'))).n == 0)
        ;
    if (line.n == 0 || (str_trim(rest).n == 0 && r->ended) || !rest.p)
        return false;
    bool yes = json_parse(r->json, r->arena, line, false, &v, &e);
    arena_reset(r->arena);
    return yes;
}

static bool each_line(struct reading *r, struct err *e)
{
    size_t line = 1, start = 0;
    for (;;) {
        struct str rest = str_from(buf_view(&r->b), start);
        size_t n = str_find(rest, '\n');
        if (n == rest.n && !r->ended) {
            if (rest.n > LINE_BYTES)
                return err_set(e, ERR_TOO_LARGE, "%s:%zu: a line of more than %zu bytes", r->path,
                               line, LINE_BYTES);
            memmove(r->b.p, r->b.p + start, rest.n);
            r->b.n = rest.n;
            start = 0;
            if (!read_on(r, BLOCK_BYTES, e))
                return false;
            continue;
        }
        struct str text = str_slice(rest, 0, n);
        if (str_trim(text).n && !hand_on(r, text, line, false, e))
            return false;
        if (n == rest.n)
            return true;
        start += n + 1;
        line++;
    }
}

/* The first line, or as much as a line may hold, so that is_lines can tell. */
static bool read_first_line(struct reading *r, struct err *e)
{
    struct str text;
    do {
        if (!read_on(r, BLOCK_BYTES, e))
            return false;
        text = str_trim(buf_view(&r->b));
    } while (!r->ended && text.n <= LINE_BYTES && str_find(text, '\n') == text.n);
    return true;
}

static bool read_file(struct reading *r, struct err *e)
{
    if (!read_first_line(r, e))
        return false;
    if (is_lines(r))
        return each_line(r, e);
    return read_whole(r, e) && hand_on(r, buf_view(&r->b), 1, true, e);
}

static bool one_file(const char *path, cli_document_fn *each, void *ctx, struct err *e)
{
    struct reading r = {.path = path, .each = each, .ctx = ctx};
    r.file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!r.file) {
        err_errno(e, "cannot open", path);
        return err_hint(e, "name a file or folder that can be read, or - for standard input");
    }
    r.json = json_reader_new();
    r.arena = arena_new(LIMIT_ARENA_FILE_BYTES);
    buf_init(&r.b, 0);
    bool ok = (r.json && r.arena) || err_set(e, ERR_MEMORY, "out of memory");
    ok = ok && read_file(&r, e);
    buf_done(&r.b);
    arena_free(r.arena);
    json_reader_free(r.json);
    if (r.file != stdin)
        fclose(r.file);
    return ok;
}

/* ---- directories ---- */

static int wanted(const struct dirent *d)
{
    static const struct str endings[] = {{".json", 5}, {".jsonl", 6}, {".ndjson", 7}};
    if (d->d_name[0] == '.')
        return 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (str_ends(str_of(d->d_name), endings[i]))
            return 1;
    return d->d_type == DT_DIR || d->d_type == DT_UNKNOWN;
}

struct walking {
    cli_document_fn *each;
    void *ctx;
    size_t files;
};

/* In the order of names, so that two runs say the same. Depth is bounded by DIRECTORY_DEEP. */
static bool walk(struct walking *w, const char *path, unsigned depth, struct err *e)
{
    struct dirent **names = NULL;
    if (!file_is_dir(path)) {
        w->files++;
        return one_file(path, w->each, w->ctx, e);
    }
    if (depth == DIRECTORY_DEEP)
        return err_set(e, ERR_LIMIT, "%s: more than %d directories deep", path, DIRECTORY_DEEP);
    int n = scandir(path, &names, wanted, alphasort);
    if (n < 0)
        return err_errno(e, "cannot read", path);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        struct buf b;
        buf_init(&b, 0);
        buf_printf(&b, "%s/%s", path, names[i]->d_name);
        buf_byte(&b, '\0');
        /* DT_UNKNOWN: only its ending or being a directory makes a name wanted. */
        if (ok && buf_ok(&b, e))
            ok = walk(w, b.p, depth + 1, e);
        buf_done(&b);
        base_free(names[i]);
    }
    base_free(names);
    return ok;
}

bool cli_documents_each(const char *path, cli_document_fn *each, void *ctx, struct err *e)
{
    struct walking w = {.each = each, .ctx = ctx};
    if (!walk(&w, path, 0, e))
        return false;
    return w.files || err_set(e, ERR_IO,
                              "%s: no JSON file is in it: name a folder with *.json, *.jsonl or "
                              "*.ndjson",
                              path);
}
