/* Any bytes as fight.yaml: what comes out of them is JSON, and always the same. */
#include "crypt/crypt.h"
#include "json/json.h"
#include "stix/stix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool convert(struct str yaml, struct buf *out)
{
    struct err e;
    buf_init(out, 1 << 24);
    return stix_fight_bundle(yaml, STR("2025-07-01T00:00:00.000Z"), out, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct json_reader *reader;
    const struct str yaml = {(const char *)data, n};
    const struct json *v;
    struct arena *a = arena_new(64 << 20);
    struct buf one, two;
    struct err e;
    must(a && (reader || (crypt_init(&e) && (reader = json_reader_new()))));
    bool ok = convert(yaml, &one);
    must(convert(yaml, &two) == ok && (!ok || str_eq(buf_view(&one), buf_view(&two))));
    size_t length = one.n;
    for (size_t i = 0; i < BASE_PADDING; i++)
        buf_byte(&one, 0);
    if (ok && !one.failed)
        must(json_parse(reader, a, (struct str){one.p, length}, true, &v, &e));
    buf_done(&one);
    buf_done(&two);
    arena_free(a);
    return 0;
}
