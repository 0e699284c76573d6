/* How many requests a user may make in a second. */
#include "http/http_priv.h"

void http_rates_init(struct http_rates *t)
{
    base_random(&t->seed, sizeof t->seed);
    pthread_mutex_init(&t->lock, NULL);
}

void http_rates_done(struct http_rates *t)
{
    pthread_mutex_destroy(&t->lock);
}

/* Each user has a time up to which its requests have been counted; it is at most a second ahead.
 * Two users who fall into one place count together. */
bool http_rate_ok(struct http_rates *t, int64_t user, uint64_t most, int64_t at_us)
{
    if (most == 0)
        return true;
    uint64_t place = str_hash((struct str){(const char *)&user, sizeof user}, t->seed);
    int64_t *until_us = &t->until_us[place % LIMIT_HTTP_USERS];
    const int64_t second = 1000000, each = second / (int64_t)most;
    pthread_mutex_lock(&t->lock);
    int64_t next = (*until_us > at_us ? *until_us : at_us) + each;
    bool ok = next <= at_us + second;
    if (ok)
        *until_us = next;
    pthread_mutex_unlock(&t->lock);
    return ok;
}
