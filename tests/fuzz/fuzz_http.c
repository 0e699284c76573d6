/* Any bytes as a connection's: the head, in two pieces and in one, then a chunked body. */
#include <stdint.h>

#include "http/http_priv.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void read_chunks(struct str bytes)
{
    struct http_chunks k = {0};
    struct err e = {0};
    struct str data;
    while (bytes.n && k.state != HTTP_CHUNK_END) {
        size_t before = bytes.n;
        if (!http_chunks_take(&k, &bytes, &data, &e))
            return;
        must(bytes.n < before && data.n <= before);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct str bytes = {(const char *)data, n};
    struct http_head head;
    struct err e = {0}, other = {0};
    size_t seen = 0, end = 0, seen_2 = 0, end_2 = 0;
    bool ok = http_head_end(bytes, &seen, &end, &e);
    bool ok_2 = http_head_end(str_slice(bytes, 0, n / 2), &seen_2, &end_2, &other);
    if (ok_2 && end_2 == 0)
        ok_2 = http_head_end(bytes, &seen_2, &end_2, &other);
    must(!ok || (ok_2 && end == end_2));
    if (!ok || end == 0) {
        read_chunks(bytes);
        return 0;
    }
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (a && http_head_read(str_slice(bytes, 0, end), a, &head, &e)) {
        must(head.method.n && head.target.n && head.field_count <= LIMIT_HTTP_FIELDS);
        must((head.framing == HTTP_LENGTH) == (head.length != 0));
        for (size_t i = 0; i < head.field_count; i++)
            must(head.fields[i].name.n);
        read_chunks(str_from(bytes, end));
    }
    arena_free(a);
    return 0;
}
