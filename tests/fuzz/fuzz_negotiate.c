/* Any bytes as the headers that a reader negotiates by: Accept, Accept-Encoding, If-None-Match. */
#include <stdint.h>

#include "taxii/taxii_priv.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct str header = {(const char *)data, n};
    enum http_coding coding = http_coding_choose(header);
    must(coding <= HTTP_ZSTD && (coding == HTTP_IDENTITY || n > 0));
    (void)(taxii_content_ok(header) + taxii_accepts(header));
    struct str tag = STR("\"0123456789abcdefghijkl-gzip\"");
    bool inside = false;
    for (size_t i = 0; i + tag.n <= n && !inside; i++)
        inside = str_eq(str_slice(header, i, i + tag.n), tag);
    must(!taxii_tag_matches(header, tag) || inside || str_eq(str_trim(header), STR("*")));
    return 0;
}
