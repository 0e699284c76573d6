/* A TZif file: an offset of less than a day or so, or an error, at any instant. */
#include "base/base.h"
#include "dialogue/dialogue.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static const int64_t instants[] = {-4000000000, 0,          1000000000,
                                       1772928000,  5000000000, 200000000000};
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        struct err e = {0};
        int32_t offset = 0;
        if (dialogue_zone_offset((struct str){(const char *)data, n}, instants[i], &offset, &e))
            must(offset > -800000 && offset < 800000);
        else
            must(e.code != ERR_NONE && e.msg[0]);
    }
    return 0;
}
