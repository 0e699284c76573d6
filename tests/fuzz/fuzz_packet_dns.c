/* Datagrams to the port of DNS. */
#include "fuzz/packet_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    target_datagrams(53, data, n);
    return 0;
}
