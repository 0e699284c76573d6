/* Values as every kind: a normal form is its own normal form; a guess agrees with its kind. */
#include <string.h>

#include "observable/observable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { VALUE_BYTES = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char out[OBSERVABLE_ROOM(VALUE_BYTES)], more[OBSERVABLE_ROOM(sizeof out)];
    struct str s = {(const char *)data, n};
    struct observable o, again;
    struct err e = {0};
    struct str plain;
    if (n > VALUE_BYTES)
        return 0;
    must(observable_defanged(s, &plain) <= n);
    for (int k = 0; k < OBSERVABLE_KINDS; k++) {
        enum observable_kind kind = (enum observable_kind)k;
        if (!observable_normalize(kind, s, true, out, sizeof out, &o, &e)) {
            must(e.code == ERR_INVALID || e.code == ERR_LIMIT);
            continue;
        }
        must(o.text.n > 0 && o.text.n <= OBSERVABLE_ROOM(n));
        if (o.kind <= OBSERVABLE_IPV6 && o.prefix < (o.kind == OBSERVABLE_IPV4 ? 32 : 128))
            continue; /* of a block, the text alone is an address */
        must(observable_normalize(o.kind, o.text, false, more, sizeof more, &again, &e));
        must(again.kind == o.kind && str_eq(again.text, o.text));
    }
    if (observable_guess(s, out, sizeof out, &o, &e) && o.kind == OBSERVABLE_DOMAIN)
        must(str_find(o.text, '.') < o.text.n);
    return 0;
}
