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

/* Pages that are kept (pages.c), the last used first. `lock` guards all, and every page's place. */
#define EXCHANGE_PAGE_BUCKETS 16384
struct exchange_kept;
struct exchange_pages {
    pthread_mutex_t lock;
    struct exchange_kept **buckets, *newest, *oldest; /* EXCHANGE_PAGE_BUCKETS */
    size_t bytes;
};
/* False without memory; it may be done with all the same. */
bool exchange_pages_init(struct exchange_pages *p) BASE_CHECKED;
void exchange_pages_done(struct exchange_pages *p);

/* Which names got rows lately, by party and collection, the last asked for first (recent.c). */
struct exchange_recent;
struct exchange_recents {
    pthread_mutex_t lock; /* guards all */
    struct exchange_recent *first;
    size_t count;
};
void exchange_recents_init(struct exchange_recents *r);
void exchange_recents_done(struct exchange_recents *r);
/* Has one of these names got a row of the party behind since_us, up to upto_us, where the
 * transaction of the session's store stands? Also where that is no longer known. q names the
 * party's audiences and the collection. */
struct exchange_names {
    const int64_t *list;
    size_t count;
    int64_t since_us, upto_us;
};
bool exchange_recent_has(struct exchange_session *s, const struct policy_party *party,
                         const struct store_query *q, const struct exchange_names *n, bool *yes,
                         struct err *e) BASE_CHECKED;

/* Who waits for releases (watch.c), by party and collection. */
struct exchange_watches {
    pthread_mutex_t lock; /* guards all below */
    struct exchange_watched *first;
    atomic_size_t count; /* of the parties and collections; read without the lock */
    /* The writer's thread only. */
    struct store *store; /* reads */
    int64_t state;       /* of the writer's store: what others have committed */
};
void exchange_watches_init(struct exchange_watches *w);
void exchange_watches_done(struct exchange_watches *w);
/* On the writer's thread: wakes who waits for what was added since the last call. */
void exchange_watches_tell(struct exchange *x);

/* The thread that takes up envelopes which were acknowledged before (later.c). */
struct exchange_later {
    atomic_bool closing;
    pthread_mutex_t lock; /* guards the next two */
    pthread_cond_t wake;
    bool runs, more; /* more: one was added since it looked */
    pthread_t thread;
    struct exchange_taking_up how;
};
void exchange_later_init(struct exchange_later *l);
void exchange_later_wake(struct exchange *x);
/* Before the writer, on which the thread may wait; done with after it, for what the writer still
 * takes in wakes the thread. */
void exchange_later_stop(struct exchange *x);
void exchange_later_done(struct exchange_later *l);

/* The thread that brings the write-ahead log back into the database beside the writer (wal.c). */
struct exchange_wal {
    pthread_mutex_t lock; /* guards the next two lines */
    pthread_cond_t wake;
    bool runs, due, closing, left; /* left: the last time was not all brought back */
    pthread_t thread;
    struct store *store; /* its own */
    size_t pages;        /* the writer thread's: the log's when it last looked */
};
void exchange_wal_init(struct exchange_wal *w);
bool exchange_wal_start(struct exchange *x, struct err *e) BASE_CHECKED; /* once */
/* On the writer's thread, after a commit. */
void exchange_wal_look(struct exchange *x);
void exchange_wal_stop(struct exchange_wal *w); /* behind the writer */

/* A second pair of hands (beside.c): one thread, for whoever asks first. */
typedef void exchange_work_fn(void *ctx);
struct exchange_beside {
    pthread_mutex_t lock; /* guards the next four lines */
    pthread_cond_t wake, free;
    bool runs, closing, begun;
    exchange_work_fn *work; /* what it does; NULL: nothing */
    void *ctx;
    pthread_t thread;
};
void exchange_beside_init(struct exchange_beside *b);
/* False: it does something else, so the caller does all alone. After true the caller does its share
 * and waits with exchange_beside_end. `ctx` is nobody else's. */
bool exchange_beside_begin(struct exchange_beside *b, exchange_work_fn *work, void *ctx);
void exchange_beside_end(struct exchange_beside *b, const void *ctx);
void exchange_beside_stop(struct exchange_beside *b); /* when nobody can ask any more */

struct exchange {
    char *dir;
    struct arena *arena;
    struct exchange_config config; /* as it was when the node was opened: for what lasts */
    const struct exchange_config *_Atomic now;
    atomic_ullong notes_lost;  /* records that could not be written */
    exchange_lost_fn *on_lost; /* or NULL */
    struct loaded *loaded;     /* config.c */
    _Atomic(struct exchange_policy *) policy;
    unsigned char key[CRYPT_KEY_BYTES];
    struct stix_guard *guard;

    /* The writer: started by the first job. `lock` guards all below. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t writer;
    bool writer_runs, closing, background;
    int64_t background_us;      /* when the next look is due, of the monotonic clock */
    struct store *writer_store; /* the writer thread's own once it runs */
    struct exchange_job *first, **last;
    size_t queued, gathered; /* jobs that wait; that the last transaction had */
    size_t wanted;           /* so many are worth waking the writer for */
    /* The writer thread's own. */
    int64_t statuses_swept_us;
    struct gate *gate;
    uint64_t policy_generation; /* of the policy in force, see policy.c */

    pthread_mutex_t failures_lock; /* guards the next */
    struct exchange_failures failures[EXCHANGE_FAILURES];

    struct exchange_pages pages;
    struct exchange_recents recents;
    struct exchange_watches watches;
    struct exchange_later later;
    struct exchange_wal wal;
    struct exchange_beside beside;
};

#define EXCHANGE_STANDS 4
struct exchange_stand {
    int64_t collection; /* 0: none yet */
    struct store_stand stand;
};

/* The audiences that contain one party, kept up to date as new ones are interned. */
struct exchange_audiences {
    struct policy_party party; /* owned by the session's arena */
    int64_t upto;              /* audiences up to this id have been looked at */
    int64_t *ids;              /* in rising order */
    size_t n, room;
    int64_t state; /* of the database in which all this was looked up, if `known` */
    bool known;
    struct exchange_stand stands[EXCHANGE_STANDS]; /* by collection */
};

/* Who showed which token, and which collections there are, as the database says in one state
 * (known.c). */
#define EXCHANGE_TOKENS 64
struct exchange_known {
    struct arena *arena; /* of all text in here */
    int64_t state;       /* of the store; what was found out in another is forgotten */
    struct {
        unsigned char hash[CRYPT_SHA256_BYTES];
        struct store_user user; /* id 0: none */
    } tokens[EXCHANGE_TOKENS];
    struct exchange_collection *collections; /* NULL: not read */
    size_t collection_count;
};
void exchange_known_done(struct exchange_known *k);
/* As store_user_by_token; *out's text lives until the session is used again. */
bool exchange_known_user(struct exchange_session *s, struct arena *a,
                         const unsigned char hash[CRYPT_SHA256_BYTES], struct store_user *out,
                         struct err *e) BASE_CHECKED;
/* All of the node, until the session is used again. */
bool exchange_known_collections(struct exchange_session *s, struct arena *a,
                                struct exchange_collection **out, size_t *count,
                                struct err *e) BASE_CHECKED;

struct exchange_session {
    struct exchange *x;
    struct store *store;
    struct json_reader *json;
    struct arena *arena; /* lives as long as the session */
    struct exchange_audiences *audiences;
    size_t audience_count, audience_room;
    struct exchange_known known;
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
/* In a transaction of the session's store; valid until the next call. NULL on failure. */
struct exchange_audiences *exchange_audiences_of(struct exchange_session *s,
                                                 const struct policy_party *party, struct err *e);
/* Where the audiences' rows of a collection stand, in the same transaction. */
bool exchange_stand_of(struct exchange_session *s, struct exchange_audiences *a, int64_t collection,
                       struct store_stand *out, struct err *e) BASE_CHECKED;
struct store_query exchange_store_query(const struct exchange_query *q,
                                        const struct exchange_audiences *a);

/* Appends a proof file of one leaf of this node's log. */
bool exchange_leaf_prove(struct exchange_session *s, struct arena *a, uint64_t leaf,
                         struct buf *file, struct err *e) BASE_CHECKED;

/* ---- taking back (withdraw.c) ---- */

/* What is taken back of one id in a collection; `org`, `version_us` as in store_removal. */
struct exchange_taking {
    const struct principal *who; /* for the record; NULL: the node */
    struct str id, reason;       /* reason: may be empty; the readers see it */
    int64_t collection, org;
    const int64_t *version_us;
    size_t version_count;
};
/* What readers are shown: ERR_USAGE when it is too long or has control characters. */
bool exchange_reason_ok(struct str reason, struct err *e) BASE_CHECKED;
/* For what an officer of the home organisation does alone and must say why: ERR_FORBIDDEN "only
 * officers of ORG WHAT", ERR_USAGE of the reason. */
bool exchange_officer_says(const struct exchange *x, const struct principal *officer,
                           const char *what, struct str reason, struct err *e) BASE_CHECKED;
/* Inside the writer's transaction. *removed: of how many rows; 0 when nothing was to be taken. */
bool exchange_take(struct exchange *x, struct store *s, const struct exchange_taking *w,
                   size_t *removed, struct err *e) BASE_CHECKED;

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

/* *usable: the user may still sign in. Text is in `a`. */
bool exchange_principal_of(struct exchange_session *s, struct arena *a, int64_t user,
                           struct principal *out, bool *usable, struct err *e) BASE_CHECKED;

bool exchange_config_open(struct exchange *x, struct err *e) BASE_CHECKED;
void exchange_config_done(struct exchange *x);
bool exchange_listen_valid(struct str s); /* HOST:PORT or [HOST]:PORT */
/* Nothing is there, or an empty folder (no link to one: rename(2) could not replace it). */
bool exchange_place_free(const char *path);
/* The officers of the node's own organisation decide for it. */
bool exchange_home_officer(const struct exchange *x, const struct principal *who);
/* Bytes below 0x20, 0x7F and, in UTF-8, U+0080 to U+009F. */
bool exchange_has_control(struct str s);

/* What exchange_restored tells, of a store. */
bool exchange_restored_read(struct store *s, struct exchange_restored *out,
                            struct err *e) BASE_CHECKED;

/* exchange_dialogue_add of what a buffer holds. */
bool exchange_say(struct exchange_session *s, const struct exchange_saying *how,
                  const struct buf *objects, size_t *refused, struct err *e) BASE_CHECKED;
/* ERR_CONFLICT when a contact point does not hold; the message names who follows it. */
bool exchange_contact_holds(const struct exchange_contact *c, struct err *e) BASE_CHECKED;
/* Is it that id, or does its UUID begin so (4 characters or more)? */
bool exchange_id_begins(struct str id, struct str asked);

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
