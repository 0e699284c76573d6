/* Between the files that count a notice and write it. */
#ifndef SENSOR_NOTICE_PRIV_H
#define SENSOR_NOTICE_PRIV_H

#include "sensor/sensor_priv.h"

/* How many different ones there were, by hashes of 64 bits: of ten million one is missed with a
 * chance of 1 in 300,000. */
struct notice_set {
    uint64_t *slots; /* 0 is empty */
    size_t count, mask;
};

/* Interfaces as schemas/telecom-incident.json names them. */
extern const char *const notice_interfaces[];
#define NOTICE_INTERFACES 12
/* Of each the ways up, down and unknown; and one group for what names no interface. A session has a
 * TEID in each group that it is seen in. */
#define NOTICE_GROUPS (3 * (NOTICE_INTERFACES + 1))

struct sensor_notice {
    struct sensor_notice_asked q;
    uint64_t seed;
    uint64_t alerts, sessionless;
    int64_t first_us, last_us;
    struct notice_set users, tunnels;
    uint64_t in_group[NOTICE_GROUPS]; /* tunnels */
    bool interfaces[NOTICE_INTERFACES];
    const struct packet_rule *rules; /* the table of rules */
    size_t rule_count;
    uint64_t *broken; /* alerts of each */
    struct sensor_tally *indicators, *nodes, *areas, *plmns, *slices;
    uint64_t *hits; /* of each indicator */
    size_t hit_count, hit_room;
};

/* Not fewer than there were: those of the group with most. */
uint64_t notice_sessions(const struct sensor_notice *n);

#endif
