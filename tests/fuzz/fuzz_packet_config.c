/* The configuration of the rules. */
#include "packet/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct packet_config *c;
    struct err e;
    if (packet_config_parse((struct str){(const char *)data, n}, &c, &e))
        packet_config_free(c);
    else
        must(e.msg[0]);
    return 0;
}
