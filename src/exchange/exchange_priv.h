/* Shared by the files of this room: what a node and a session hold. */
#ifndef EXCHANGE_EXCHANGE_PRIV_H
#define EXCHANGE_EXCHANGE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "crypt/crypt.h"
#include "exchange/exchange.h"

/* Work for the writer thread: `apply` runs inside a transaction that several jobs share. */
struct exchange_job {
    struct exchange_job *next;
    size_t objects; /* how much it adds to the transaction */
    bool (*apply)(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e);
    void (*done)(struct exchange_job *j, bool ok, const struct err *e);
};

struct gate;

/* A policy that is or was in force; readers may still hold the older ones. */
struct exchange_policy {
    struct exchange_policy *before;
    struct policy *policy;
    char digest[64]; /* SHA-256 of its text, in hexadecimal */
};
/* Of the policy in force. */
struct str exchange_policy_digest(const struct exchange *x);

/* Sign-ins that failed from one address, in a minute: the first is recorded at once. */
#define EXCHANGE_FAILURES 64
struct exchange_failures {
    char address[48]; /* empty: of many, or unknown */
    int64_t until_us; /* of the monotonic clock */
    uint64_t more;    /* that were only counted */
};

struct exchange {
    char *dir;
    struct arena *arena; /* config texts */
    struct exchange_config config;
    _Atomic(struct exchange_policy *) policy;
    unsigned char key[CRYPT_KEY_BYTES];
    struct stix_guard *guard;

    /* The writer: started by the first job. `lock` guards all below. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t writer;
    bool writer_runs, closing, background;
    struct store *writer_store; /* the writer thread's own once it runs */
    struct exchange_job *first, **last;
    size_t queued;
    /* The writer thread's own. */
    int64_t statuses_swept_us;
    struct gate *gate;
    uint64_t policy_generation; /* of the policy in force, see policy.c */

    pthread_mutex_t failures_lock; /* guards the next */
    struct exchange_failures failures[EXCHANGE_FAILURES];
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
    struct exchange *x; /* filled by exchange_run */
    /* NULL, or called on the writer's thread in the place of exchange_waiter_done, which it calls
     */
    void (*done)(struct exchange_job *j, bool ok, const struct err *e);
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool finished, ok;
    struct err e;
};
bool exchange_run(struct exchange *x, struct exchange_waiter *w, struct err *e) BASE_CHECKED;
void exchange_waiter_done(struct exchange_job *j, bool ok, const struct err *e);
void exchange_writer_stop(struct exchange *x);

/* The node's signer as a log or as a witness; wipe it. Its name is in `a`. */
bool exchange_signer(const struct exchange *x, enum ledger_key_type type, struct arena *a,
                     struct ledger_signer *out, struct err *e) BASE_CHECKED;
/* In a transaction of the session's store; valid until the next call. */
const struct exchange_audiences *
exchange_audiences_of(struct exchange_session *s, const struct policy_party *party, struct err *e);

/* ---- records of reads and sign-ins (ledger_note.c) ---- */

/* What one answer gave out that is marked as strictly as `from`, or more. */
struct exchange_reading {
    enum stix_tlp from;
    struct str collection;
    uint64_t count;
    unsigned strictest;
};
/* Are reads recorded, and from which marking on? */
bool exchange_reads_recorded(const struct exchange *x, enum stix_tlp *from);
void exchange_reading_row(struct exchange_reading *r, const struct store_row *row);
bool exchange_reading_done(struct exchange *x, const struct principal *who,
                           const struct exchange_reading *reading, struct err *e) BASE_CHECKED;
/* Hands in what was counted; before the writer stops. */
void exchange_failures_flush(struct exchange *x);

bool exchange_config_read(struct exchange *x, struct err *e) BASE_CHECKED;
/* Nothing is there, or an empty folder (no link to one: rename(2) could not replace it). */
bool exchange_place_free(const char *path);
/* The officers of the node's own organisation decide for it. */
bool exchange_home_officer(const struct exchange *x, const struct principal *who);
/* Bytes below 0x20, 0x7F and, in UTF-8, U+0080 to U+009F. */
bool exchange_has_control(struct str s);

/* What exchange_restored tells, of a store. */
bool exchange_restored_read(struct store *s, struct exchange_restored *out,
                            struct err *e) BASE_CHECKED;

/* ---- the policy in force (policy.c) ---- */

/* Reads policy.conf, or what is to take its place. */
bool exchange_policy_open(struct exchange *x, struct store *s, struct err *e) BASE_CHECKED;
void exchange_policy_free(struct exchange *x);
/* Inside the writer's transaction: follows what another process applied, and opens the gate. */
bool exchange_gate_open(struct exchange *x, struct store *s, struct err *e) BASE_CHECKED;
/* A share of what is to be decided again, in a transaction of its own; *left: more waits. */
bool exchange_sweep_some(struct exchange *x, struct store *s, bool *left,
                         struct err *e) BASE_CHECKED;

#endif
