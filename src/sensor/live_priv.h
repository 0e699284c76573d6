/* Between live_set.c, which keeps the set that is in use, and live.c, which follows collections. */
#ifndef SENSOR_LIVE_PRIV_H
#define SENSOR_LIVE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "sensor/sensor_priv.h"

/* Scans that may look at once: threads of one input, of followed files, and one. */
#define LIVE_READERS (LIMIT_SENSOR_THREADS + LIMIT_SENSOR_FOLLOWED + 1)

/* A set that lies over no other, on which changes are laid. */
struct live_base {
    const struct match_set *set;
    struct match_set *owned; /* NULL: the caller's */
    /* Hash of an id (32 bits) and number of its indicator, in rising order; of STIX only. */
    uint64_t *index;
    size_t count, users;
};

/* What scans look at. */
struct live_version {
    struct live_version *older;
    uint64_t number;
    const struct match_set *set; /* over the base's, or that itself */
    struct match_set *owned;
    struct live_base *base;
};

/*
 * The hand-over. A scan writes the version that it is about to look at into a slot and then looks
 * whether it is still the newest; who replaced it looks at the slots after that. So of the two one
 * sees the other: either the scan takes the newer one, or the older one is kept.
 */
struct live_set {
    _Atomic(struct live_version *) now;
    _Atomic(struct live_version *) slots[LIVE_READERS];
    /* Of one thread at a time from here on. */
    struct live_version *versions; /* the newest first */
    struct sensor_indicators *changes;
    size_t taken; /* objects that the changes took in */
    sensor_note_fn *note;
    void *ctx;
    bool guarded; /* as the indicators that it begins with */
};
/* `s` stays until live_set_done. */
bool live_set_init(struct live_set *l, const struct sensor_indicators *s, sensor_note_fn *note,
                   void *ctx, struct err *e) BASE_CHECKED;
/* No scan looks any more. */
void live_set_done(struct live_set *l);
/* Tells the ids of indicators whose hashes under `seed` are among these, in rising order. */
struct live_ids {
    const uint64_t *hashes;
    size_t count;
    uint64_t seed;
};
typedef bool live_id_fn(void *ctx, struct str id); /* false stops */
void live_set_each(const struct live_set *l, const struct live_ids *of, live_id_fn *each,
                   void *ctx);
int live_by_number(const void *a, const void *b); /* for qsort of hashes */
bool live_has(const uint64_t *sorted, size_t count, uint64_t hash);
/* Has scans look at what the changes say; adds to *taken and *gone what is new in them. */
bool live_set_publish(struct live_set *l, size_t *taken, size_t *gone, struct err *e) BASE_CHECKED;

/* One collection that is followed, by a thread of its own. */
struct live_feed {
    struct sensor_live *live;
    struct sensor_feed *of;
    pthread_t thread;
    size_t taken, gone; /* not told yet */
    bool failing;       /* told of */
};

struct sensor_live {
    struct live_set set;
    struct sensor_living how;
    atomic_bool stop;
    pthread_mutex_t lock; /* of all of `set` but now and slots, of what feeds know, of telling */
    struct live_feed *feeds;
    size_t count, started;
};

#endif
