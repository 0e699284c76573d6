/* Any bytes as a timestamp, with Z alone or with offsets too; what is read is written and read
 * again, and where both read it they agree. */
#include <stdint.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct instant t, again;
    struct err e;
    char text[INSTANT_TEXT_BYTES];
    struct str s = {(const char *)data, n};
    bool strict = instant_parse(s, &again, &e);
    if (!instant_parse_zoned(s, &t, &e)) {
        must(!strict);
        return 0;
    }
    must(!strict || instant_cmp(t, again) == 0);
    must(t.ns < 1000000000);
    must(instant_parse(instant_text(t, 9, text), &again, &e));
    must(instant_cmp(t, again) == 0);
    must(instant_us(instant_of_us(instant_us(t))) == instant_us(t));
    return 0;
}
