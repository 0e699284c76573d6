/*
 * Reading files of STIX for the commands: a file holds one JSON text (a bundle, an envelope, an
 * array, an object) or JSON lines, one such text a line. `-` is standard input.
 */
#ifndef CLI_DOCUMENTS_H
#define CLI_DOCUMENTS_H

#include "base/base.h"
#include "json/json.h"

/* One JSON text; valid during the call. Offsets of `root` count from `text`, which begins at byte
 * `base` of `file`. */
struct cli_document {
    const char *path;
    struct str file, text;
    size_t base;
    bool ok; /* else `e` says why it is no JSON, with e.at in `text` */
    const struct json *root;
    struct err e;
};
/* False ends the reading with `e`. */
typedef bool cli_document_fn(void *ctx, const struct cli_document *d, struct err *e);
bool cli_documents_each(const char *path, cli_document_fn *each, void *ctx,
                        struct err *e) BASE_CHECKED;

#endif
