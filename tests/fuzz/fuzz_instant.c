/* Any bytes as a timestamp; what is read is written and read again. */
#include <stdint.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct instant t, again;
    struct err e;
    char text[INSTANT_TEXT_BYTES];
    if (!instant_parse((struct str){(const char *)data, n}, &t, &e))
        return 0;
    must(t.ns < 1000000000);
    /* Second 60 of the last minute of 9999 has no text of its own. */
    if (t.s < 253402300800) {
        must(instant_parse(instant_text(t, 9, text), &again, &e));
        must(instant_cmp(t, again) == 0);
    }
    must(instant_us(instant_of_us(instant_us(t))) == instant_us(t));
    return 0;
}
