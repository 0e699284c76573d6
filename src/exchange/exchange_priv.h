/* Shared by the files of this room: what a node and a session hold. */
#ifndef EXCHANGE_EXCHANGE_PRIV_H
#define EXCHANGE_EXCHANGE_PRIV_H

#include <pthread.h>

#include "crypt/crypt.h"
#include "exchange/exchange.h"

/* Work for the writer thread: `apply` runs inside a transaction that several jobs share. */
struct exchange_job {
    struct exchange_job *next;
    size_t objects; /* how much it adds to the transaction */
    bool (*apply)(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e);
    void (*done)(struct exchange_job *j, bool ok, const struct err *e);
};

struct exchange {
    char *dir;
    struct arena *arena; /* config texts */
    struct exchange_config config;
    struct policy *policy;
    unsigned char key[CRYPT_KEY_BYTES];

    /* The writer: started by the first job. `lock` guards all below. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t writer;
    bool writer_runs, closing;
    struct store *writer_store; /* the writer thread's own once it runs */
    struct exchange_job *first, **last;
    size_t queued;
    int64_t statuses_swept_us; /* the writer thread's own */
};

/* The audiences that contain one party, kept up to date as new ones are interned. */
struct exchange_audiences {
    struct policy_party party; /* owned by the session's arena */
    int64_t upto;              /* audiences up to this id have been looked at */
    int64_t *ids;
    size_t n, room;
};

struct exchange_session {
    struct exchange *x;
    struct store *store;
    struct json_reader *json;
    struct arena *arena; /* lives as long as the session */
    struct exchange_audiences *audiences;
    size_t audience_count, audience_room;
    struct {
        unsigned char proof[CRYPT_SHA256_BYTES];
        int64_t user;
    } logins[64]; /* passwords that were right, so that Argon2id runs once */
};

/* Queues a job; ERR_BUSY at LIMIT_EXCHANGE_QUEUE_BATCHES. */
bool exchange_enqueue(struct exchange *x, struct exchange_job *j, struct err *e) BASE_CHECKED;
/* Queues a job and waits for its end. `done` must be exchange_waiter_done of a struct waiter. */
struct exchange_waiter {
    struct exchange_job job;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool finished, ok;
    struct err e;
};
bool exchange_run(struct exchange *x, struct exchange_waiter *w, struct err *e) BASE_CHECKED;
void exchange_writer_stop(struct exchange *x);

bool exchange_config_read(struct exchange *x, struct err *e) BASE_CHECKED;

/* Whose an object is. What came from abroad stays bound to its nation whoever hands it in, so the
 * floors look at the creator when that is a foreign organisation known here, else at the submitter.
 */
struct exchange_origin {
    int64_t creator;   /* the organisation whose identity created_by_ref names; 0: unknown */
    bool creator_home; /* … and it is of this node's nation */
    struct policy_party source; /* in: who submitted it; out: for the policy's facts */
};
bool exchange_origin_of(const struct exchange *x, struct store *s, struct arena *a,
                        const struct stix_object *o, struct exchange_origin *io,
                        struct err *e) BASE_CHECKED;
/* The facts a policy asks of an object that `source` submitted into a collection. */
struct policy_facts exchange_facts(const struct exchange *x, const struct stix_object *o,
                                   enum stix_tlp default_marking, struct policy_party source);

#endif
