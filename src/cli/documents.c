#include "cli/documents.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stix/stix.h"

/* What is read before it is decided whether a file holds lines, and the longest of its lines. */
#define BLOCK_BYTES    ((size_t)1 << 20)
#define LINE_BYTES     ((size_t)LIMIT_STIX_OBJECT_BYTES)
#define DIRECTORY_DEEP 32

struct reading {
    const char *path;
    bool joined;
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

/* Are they whole objects, one a line? Then `text` receives them as an array. Anything else is read
 * line by line, which also tells in which line an error is. */
static bool join_lines(struct reading *r, struct str lines, struct buf *text,
                       const struct json **root)
{
    struct err ignored;
    enum stix_container kind;
    const struct json *v, *itself;
    size_t count, at = 1;
    for (struct str rest = lines; rest.p;) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (line.n)
            buf_byte(text, text->n ? ',' : '[');
        buf_str(text, line);
    }
    buf_byte(text, ']');
    if (text->failed || !json_parse(r->json, r->arena, buf_view(text), false, root, &ignored) ||
        !json_is(*root, JSON_ARRAY))
        return false;
    for (v = (*root)->u.child; lines.p;) {
        struct str line = str_trim(str_cut(&lines, '\n'));
        if (line.n == 0)
            continue;
        if (!v || v->at != at || v->end != at + line.n ||
            !stix_container_open(v, &kind, &itself, &count, &ignored) || kind != STIX_IN_ITSELF)
            return false;
        at += line.n + 1;
        v = v->next;
    }
    return true;
}

/* Whole lines, the first of which is `*line`. */
static bool hand_on_lines(struct reading *r, struct str lines, size_t *line, struct err *e)
{
    struct cli_document d = {.path = r->path, .line = *line, .ok = true};
    struct buf text;
    bool ok = true;
    buf_init(&text, 0);
    bool joined = r->joined && join_lines(r, lines, &text, &d.root);
    d.text = buf_view(&text);
    if (joined)
        ok = r->each(r->ctx, &d, e);
    arena_reset(r->arena);
    for (; lines.p && ok; ++*line) {
        struct str one = str_cut(&lines, '\n');
        if (!joined && str_trim(one).n)
            ok = hand_on(r, one, *line, false, e);
    }
    buf_done(&text);
    return ok;
}

static bool each_line(struct reading *r, struct err *e)
{
    size_t line = 1;
    for (;;) {
        struct str whole = buf_view(&r->b);
        while (whole.n && !r->ended && whole.p[whole.n - 1] != '\n')
            whole.n--;
        size_t used = whole.n;
        if (used && whole.p[used - 1] == '\n')
            whole.n--;
        if (used && !hand_on_lines(r, whole, &line, e))
            return false;
        if (r->ended)
            return true;
        r->b.n -= used;
        memmove(r->b.p, r->b.p + used, r->b.n);
        if (r->b.n > LINE_BYTES)
            return err_set(e, ERR_TOO_LARGE, "%s:%zu: a line of more than %zu bytes", r->path, line,
                           LINE_BYTES);
        if (!read_on(r, BLOCK_BYTES, e))
            return false;
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

struct walking {
    bool joined;
    cli_document_fn *each;
    void *ctx;
    size_t files;
};

static bool one_file(const struct walking *w, const char *path, struct err *e)
{
    struct reading r = {.path = path, .joined = w->joined, .each = w->each, .ctx = w->ctx};
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

/* In the order of names, so that two runs say the same. Depth is bounded by DIRECTORY_DEEP. */
static bool walk(struct walking *w, const char *path, unsigned depth, struct err *e)
{
    struct dirent **names = NULL;
    if (!file_is_dir(path)) {
        w->files++;
        return one_file(w, path, e);
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

bool cli_documents_each(const char *path, bool joined, cli_document_fn *each, void *ctx,
                        struct err *e)
{
    struct walking w = {.joined = joined, .each = each, .ctx = ctx};
    if (!walk(&w, path, 0, e))
        return false;
    return w.files || err_set(e, ERR_IO,
                              "%s: no JSON file is in it: name a folder with *.json, *.jsonl or "
                              "*.ndjson",
                              path);
}
