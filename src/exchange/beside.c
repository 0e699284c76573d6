/* One thread beside those that check what arrives: a large envelope is looked at by two. */
#include "exchange/exchange_priv.h"

static void *beside_main(void *arg)
{
    struct exchange_beside *b = arg;
    pthread_mutex_lock(&b->lock);
    while (!b->closing) {
        if (!b->work) {
            pthread_cond_wait(&b->wake, &b->lock);
            continue;
        }
        b->begun = true;
        pthread_mutex_unlock(&b->lock);
        b->work(b->ctx); /* nobody changes them until it is done */
        pthread_mutex_lock(&b->lock);
        b->work = NULL;
        pthread_cond_broadcast(&b->free);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

void exchange_beside_init(struct exchange_beside *b)
{
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->wake, NULL);
    pthread_cond_init(&b->free, NULL);
}

bool exchange_beside_begin(struct exchange_beside *b, exchange_work_fn *work, void *ctx)
{
    pthread_mutex_lock(&b->lock);
    bool taken = b->work != NULL;
    if (!b->runs)
        b->runs = pthread_create(&b->thread, NULL, beside_main, b) == 0;
    bool ok = b->runs && !taken;
    if (ok) {
        b->work = work;
        b->begun = false;
        b->ctx = ctx;
        pthread_cond_signal(&b->wake);
    }
    pthread_mutex_unlock(&b->lock);
    return ok;
}

void exchange_beside_end(struct exchange_beside *b, const void *ctx)
{
    pthread_mutex_lock(&b->lock);
    if (b->work && b->ctx == ctx && !b->begun)
        b->work = NULL; /* the caller was faster than the thread's awaking */
    while (b->work && b->ctx == ctx)
        pthread_cond_wait(&b->free, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

void exchange_beside_stop(struct exchange_beside *b)
{
    pthread_mutex_lock(&b->lock);
    b->closing = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
    if (b->runs)
        pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->free);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
}
