/* Files of STIX: one JSON text each, or JSON lines. */
#include "cli/documents.h"

#include <string.h>

struct cli_documents {
    const char *path;
    struct str text;
    cli_document_fn *each;
    void *ctx;
};

/* One JSON text inside the file; a fresh arena each, so that lines do not add up. */
static bool one(const struct cli_documents *d, struct json_reader *r, struct str part, size_t base,
                struct err *e)
{
    const struct json *root = NULL;
    struct cli_document doc = {.path = d->path, .file = d->text, .text = part, .base = base};
    struct arena *a = arena_new(LIMIT_ARENA_FILE_BYTES);
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    doc.ok = json_parse(r, a, part, part.p + part.n == d->text.p + d->text.n, &root, &doc.e);
    doc.root = root;
    bool go_on = true;
    if (!doc.ok && (doc.e.code == ERR_MEMORY))
        *e = doc.e, go_on = false;
    else
        go_on = d->each(d->ctx, &doc, e);
    arena_free(a);
    return go_on;
}

/* More than one value, and the first line is one by itself: JSON lines. */
static bool is_lines(struct json_reader *r, struct str text)
{
    struct str rest = text, line = STR_NONE;
    const struct json *v;
    struct err e;
    while (rest.p && (line = str_trim(str_cut(&rest, '\n'))).n == 0)
        ;
    if (str_trim(rest).n == 0 || line.n == 0)
        return false;
    struct arena *a = arena_new(LIMIT_ARENA_FILE_BYTES);
    bool yes = a && json_parse(r, a, line, false, &v, &e);
    arena_free(a);
    return yes;
}

static bool each_line(const struct cli_documents *d, struct json_reader *r, struct err *e)
{
    struct str rest = d->text;
    while (rest.p) {
        struct str line = str_cut(&rest, '\n');
        if (str_trim(line).n && !one(d, r, line, (size_t)(line.p - d->text.p), e))
            return false;
    }
    return true;
}

bool cli_documents_each(const char *path, cli_document_fn *each, void *ctx, struct err *e)
{
    struct cli_documents d = {.path = path, .each = each, .ctx = ctx};
    struct json_reader *r = json_reader_new();
    if (!r)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = file_read(path, 0, &d.text, e);
    if (ok) {
        ok = is_lines(r, d.text) ? each_line(&d, r, e) : one(&d, r, d.text, 0, e);
        base_free((void *)(uintptr_t)d.text.p);
    }
    json_reader_free(r);
    return ok;
}
