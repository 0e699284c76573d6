/* Any bytes as gsma-motif.json: what comes out of them is JSON, and always the same. */
#include "crypt/crypt.h"
#include "json/json.h"
#include "stix/stix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool convert(const struct json *v, struct buf *out)
{
    struct err e;
    buf_init(out, 1 << 24);
    return stix_motif_bundle(v, STR("2024-03-21T00:00:00.000Z"), out, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct json_reader *reader;
    const struct json *v;
    struct arena *a = arena_new(64 << 20);
    struct buf one, two;
    struct err e;
    must(a && (reader || (crypt_init(&e) && (reader = json_reader_new()))));
    if (json_parse(reader, a, (struct str){(const char *)data, n}, false, &v, &e)) {
        bool ok = convert(v, &one);
        must(convert(v, &two) == ok && (!ok || str_eq(buf_view(&one), buf_view(&two))));
        if (ok)
            must(json_parse(reader, a, buf_view(&one), false, &v, &e));
        buf_done(&one);
        buf_done(&two);
    }
    arena_free(a);
    return 0;
}
