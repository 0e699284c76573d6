#include <pthread.h>

#include "packet/pcap_priv.h"

_Static_assert(sizeof LIBRARY_PCAP > 1, "libpcap.so was not found where pkg-config says");

struct packet_pcap packet_pcap;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct err failure;
static bool loaded;

static void load(void)
{
    static const char *const names[] = {
#define X(name) "pcap_" #name,
        PACKET_PCAP(X)
#undef X
    };
    loaded = base_library_load(LIBRARY_PCAP, names, sizeof names / sizeof *names, &packet_pcap,
                               &failure);
}

bool packet_pcap_load(struct err *e)
{
    pthread_once(&once, load);
    if (!loaded)
        *e = failure;
    return loaded;
}
