/* Datagrams to the port of PFCP. */
#include "fuzz/packet_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    target_datagrams(8805, data, n);
    return 0;
}
