/* Datagrams to the port of GTP-U. */
#include "fuzz/packet_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    target_datagrams(2152, data, n);
    return 0;
}
