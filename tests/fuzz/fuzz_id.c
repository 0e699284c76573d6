/* Any bytes as an identifier. */
#include <stdint.h>

#include "stix/stix.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct str id = {(const char *)data, n}, type = STR_NONE;
    enum stix_tlp tlp;
    struct err e;
    if (stix_id_parse(id, &type, &e)) {
        must(type.n >= 3 && type.n + 38 == id.n && str_starts(id, type));
        (void)stix_class_of(type);
    } else {
        must(type.p == NULL && e.code == ERR_INVALID && e.at <= id.n);
    }
    if (stix_tlp_parse(id, &tlp))
        must(stix_tlp_of_id(stix_tlp_id(tlp)) == tlp);
    return 0;
}
