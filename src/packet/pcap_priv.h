/*
 * Inside the room: libpcap, which is loaded by the first who calls packet_pcap_load (see
 * base_library_load), from any thread.
 */
#ifndef PACKET_PCAP_PRIV_H
#define PACKET_PCAP_PRIV_H

#include <pcap/pcap.h>

#include "base/base.h"

/* What of it is used. */
#define PACKET_PCAP(X)                                                                             \
    X(activate)                                                                                    \
    X(close)                                                                                       \
    X(create)                                                                                      \
    X(datalink)                                                                                    \
    X(fopen_offline)                                                                               \
    X(geterr)                                                                                      \
    X(is_swapped)                                                                                  \
    X(major_version)                                                                               \
    X(minor_version)                                                                               \
    X(next_ex)                                                                                     \
    X(set_buffer_size)                                                                             \
    X(set_promisc)                                                                                 \
    X(set_snaplen)                                                                                 \
    X(set_timeout)                                                                                 \
    X(snapshot)

struct packet_pcap {
#define X(name) __typeof__(pcap_##name) *name;
    PACKET_PCAP(X)
#undef X
};
/* Without functions until packet_pcap_load has returned true. */
extern struct packet_pcap packet_pcap;
bool packet_pcap_load(struct err *e) BASE_CHECKED;

#endif
