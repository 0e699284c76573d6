/* Any bytes as a document: parsed, read object by object, checked. */
#include <stdint.h>

#include "json/json.h"
#include "stix/stix.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void look(void *ctx, const struct stix_finding *f)
{
    size_t *errors = ctx;
    must(f->rule != NULL && f->path.n > 0 && f->message.n > 0);
    *errors += f->severity == STIX_ERROR;
}

static void read_objects(const struct json *doc)
{
    const struct json *first, *where;
    enum stix_container kind;
    struct stix_object o;
    struct err e;
    size_t count, seen = 0;
    if (!stix_container_open(doc, &kind, &first, &count, &e))
        return;
    for (const struct json *v = first; v != NULL && seen < count; v = v->next, seen++)
        if (stix_object_read(v, &o, &e))
            must(o.id.n > o.type.n && stix_effective_marking(v, &where) == o.tlp);
    must(kind == STIX_IN_ITSELF || seen == count);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static struct json_reader *reader;
    static struct arena *arena;
    const struct json *doc;
    struct err e;
    size_t errors = 0;
    if (reader == NULL) {
        reader = json_reader_new();
        arena = arena_new((size_t)64 << 20);
        must(reader != NULL && arena != NULL);
    }
    arena_reset(arena);
    if (!json_parse(reader, arena, (struct str){(const char *)data, n}, false, &doc, &e))
        return 0;
    read_objects(doc);
    struct stix_check_options options = {.tolerate_short_times = n % 2 == 1};
    size_t counted = stix_document_check(doc, &options, look, &errors);
    must(errors <= counted);
    return 0;
}
