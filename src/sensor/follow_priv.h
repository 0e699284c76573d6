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
    /* What was not read when all was stopped: how many files, and the name of one. Of the thread
     * that called. */
    size_t unread;
    struct err unread_name;
};

/* *f->s with callbacks that are called by one thread at a time, and stop all. */
struct sensor_scan sensor_following_scan(struct following *f);
/* Ends all with this error. */
void sensor_following_fail(struct following *f, const struct err *e);
/* Notes that there is text in a file that was not read; by the thread that called, at the end. */
void sensor_following_unread(struct following *f, const char *name);
/* A text that is read at `fd`: is there any that was not? */
bool sensor_following_rests(int fd);
/* With signals blocked: they are the caller's thread's. False: there is no thread. */
bool sensor_following_thread(pthread_t *out, void *(*run)(void *ctx), void *ctx) BASE_CHECKED;

/* ---- follow_name.c ---- */

/* Files by their names. */
struct named;
/* Opens them, and starts a thread for each and one that looks at the names. They end when f->stop
 * is set, which a failure does. The names stay the caller's. */
bool sensor_follow_names(struct following *f, const char *const *inputs, size_t count,
                         struct named **out, struct err *e) BASE_CHECKED;
/* Waits until they have ended; NULL is allowed. */
void sensor_follow_names_end(struct named *n);

/* ---- follow_folder.c ---- */

/* Follows the files of folders, `most` at once (LIMIT_SENSOR_FOLLOWED or less), until f->stop is
 * set. Called by the thread that takes signals. */
void sensor_follow_folders(struct following *f, const char *const *folders, size_t count,
                           size_t most);

#endif
