/* Datagrams to the port of GTP' and GTPv0. */
#include "fuzz/packet_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    target_datagrams(3386, data, n);
    return 0;
}
