#include "packet/pcap_priv.h"

_Static_assert(sizeof LIBRARY_PCAP > 1, "libpcap.so was not found where pkg-config says");

struct packet_pcap packet_pcap;

bool packet_pcap_load(struct err *e)
{
#define X(name) "pcap_" #name,
    static const char *const names[] = {PACKET_PCAP(X)};
#undef X
    static struct base_library library = {.soname = LIBRARY_PCAP,
                                          .names = names,
                                          .count = sizeof names / sizeof *names,
                                          .functions = &packet_pcap};
    return base_library_load(&library, e);
}
