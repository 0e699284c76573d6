/* Datagrams to the port of GTP-C. */
#include "fuzz/packet_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    target_datagrams(2123, data, n);
    return 0;
}
