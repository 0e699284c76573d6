/*
 * Reading files of STIX for the commands: a file holds one JSON text (a bundle, an envelope, an
 * array, an object) or JSON lines, one such text a line, which are read in constant memory. `-` is
 * standard input; a directory is walked for *.json, *.jsonl and *.ndjson.
 */
#ifndef CLI_DOCUMENTS_H
#define CLI_DOCUMENTS_H

#include "base/base.h"
#include "json/json.h"

/* One JSON text; valid during the call. */
struct cli_document {
    const char *path;
    struct str text;
    size_t line;             /* of its first byte in the file, from 1 */
    bool ok;                 /* else `e` says why it is no JSON, with e.at in `text` */
    const struct json *root; /* offsets count from `text` */
    struct err e;
};
/* False ends the reading with `e`. */
typedef bool cli_document_fn(void *ctx, const struct cli_document *d, struct err *e);
/* An unreadable file is an error, and ends the reading; so is a directory without files. `joined`:
 * lines of one object each may come as an array of many. */
bool cli_documents_each(const char *path, bool joined, cli_document_fn *each, void *ctx,
                        struct err *e) BASE_CHECKED;

#endif
