/* Any bytes as the selector of a granular marking on one object. */
#include <stdint.h>

#include "json/json.h"
#include "stix/stix.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static const char object[] =
    "{\"type\":\"tool\",\"name\":\"x\",\"aliases\":[\"a\",\"b\",[\"c\"]],"
    "\"external_references\":[{\"source_name\":\"cve\",\"external_id\":\"CVE-2014-0160\"}],"
    "\"extensions\":{\"ntfs-ext\":{\"sid\":\"1\"}}}";

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static struct arena *arena;
    static const struct json *v;
    const struct json *found = NULL;
    struct err e;
    if (v == NULL) {
        struct json_reader *reader = json_reader_new();
        arena = arena_new((size_t)1 << 20);
        must(reader != NULL && arena != NULL);
        must(json_parse(reader, arena, str_of(object), false, &v, &e));
        json_reader_free(reader);
    }
    if (stix_selector_find(v, (struct str){(const char *)data, n}, &found, &e))
        must(found != NULL && found->at >= v->at && found->end <= v->end);
    else
        must(found == NULL && e.at <= n);
    return 0;
}
