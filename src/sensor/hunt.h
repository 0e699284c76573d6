/*
 * Looking back: an index of a log says which parts of it can hold a value, so that an indicator
 * which arrives today is looked for in the logs of half a year by reading little of them. It never
 * says "no" wrongly: what an index cannot tell, or was changed since, is read. Indexes hold no text
 * of the log but its path. One thread calls; making an index starts threads of its own.
 */
#ifndef SENSOR_HUNT_H
#define SENSOR_HUNT_H

#include "sensor/sensor.h"

/* ---- making ------------------------------------------------------------------------------ */

enum sensor_indexed {
    SENSOR_INDEX_MADE,
    SENSOR_INDEX_FRESH, /* there was one, and the log is as it was */
    SENSOR_INDEX_NONE   /* a pipe, a capture, compressed: what is no text in a file has none */
};
struct sensor_indexing {
    size_t threads; /* 0: as many as there are processors */
    /* Bytes of this log so far, by one thread at a time; false stops. May be NULL. */
    bool (*block)(void *ctx, uint64_t bytes);
    void *ctx;
    size_t block_bytes, segment_bytes; /* 0: the limits of those names. Tests set less. */
};
/* Writes the index of the log `input` into the directory `dir`, which is made if absent; one that
 * is there is replaced as a whole. When `block` stops it, nothing is written: SENSOR_INDEX_NONE. */
bool sensor_index_log(const char *dir, const char *input, const struct sensor_indexing *how,
                      enum sensor_indexed *out, struct err *e) BASE_CHECKED;

/* ---- hunting ------------------------------------------------------------------------------ */

struct sensor_hunt {
    /* As for sensor_scan_input; `block` is told the bytes of all logs that are dealt with. */
    struct sensor_scan scan;
    /* What is to be known of a log: it was read as a whole, or could not be, and why. */
    void (*note)(void *ctx, struct str log, const char *text);
};
struct sensor_hunted {
    size_t logs, whole, failed; /* of an index; read as a whole; not or not all read */
    uint64_t bytes, read;       /* of all logs; of those that were read */
};
/* Looks for the set of `h->scan` in all logs that the directory (or the one file) `index` knows, in
 * order of their paths; alerts are those of sensor_scan_input. A log that cannot be read is noted
 * and counted, and the others are looked at. *to_end: nothing stopped it. */
bool sensor_hunt(const char *index, const struct sensor_hunt *h, struct sensor_hunted *out,
                 bool *to_end, struct err *e) BASE_CHECKED;
/* Bytes of all logs of an index, for a bar of progress; 0 when it cannot be read. */
uint64_t sensor_hunt_bytes(const char *index);

#endif
