/* Between the following of files that were named and of files in folders. */
#ifndef SENSOR_FOLLOW_PRIV_H
#define SENSOR_FOLLOW_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "sensor/sensor_priv.h"

struct following {
    const struct sensor_scan *s;
    /* One callback at a time. Held while alerts wait for who takes them. */
    pthread_mutex_t lock;
    atomic_bool stop, failed;
    struct err e; /* of the first that failed; guarded by `lock` */
};

/* *f->s with callbacks that are called by one thread at a time, and stop all. */
struct sensor_scan sensor_following_scan(struct following *f);
/* Ends all with this error. */
void sensor_following_fail(struct following *f, const struct err *e);
/* With signals blocked: they are the caller's thread's. False: there is no thread. */
bool sensor_following_thread(pthread_t *out, void *(*run)(void *ctx), void *ctx) BASE_CHECKED;

/* ---- follow_folder.c ---- */

/* Follows the files of folders, `most` at once (LIMIT_SENSOR_FOLLOWED or less), until f->stop is
 * set. Called by the thread that takes signals. */
void sensor_follow_folders(struct following *f, const char *const *folders, size_t count,
                           size_t most);

#endif
