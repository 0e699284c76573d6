/*
 * The heart: a node's verbs, where all rules meet. Doors (taxii, peer, sensor, cli) translate to
 * and from these calls and hold no rules of their own. Release is decided here when something is
 * written, and recorded; reading follows the record. One `struct exchange` a process, any thread
 * may call it; a session serves one thread. One writer thread commits what all threads hand in.
 */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include "base/base.h"
#include "dialogue/dialogue.h"
#include "exchange/dialogue.h"
#include "exchange/ledger.h"
#include "exchange/upkeep.h"
#include "json/json.h"
#include "ledger/ledger.h"
#include "policy/policy.h"
#include "stix/stix.h"
#include "store/store.h"

struct exchange;
struct exchange_session;

/* ---- the node ---- */

/* setu.conf, read once. All text lives as long as the exchange. */
struct exchange_config {
    struct str name, nation, org, identity; /* the node's own organisation */
    struct str listen;                      /* HOST:PORT */
    struct str public_url;                  /* behind a proxy: https://host[:port], else empty */
    struct str api_root;                    /* name of the one API root */
    struct str ledger_reads;                /* reads from this TLP on are recorded; or "off" */
    struct str access_log;                  /* the file it goes to; empty: none is written */
    /* Lists of words: what the guard of subscribers knows of the home network (stix.h). */
    struct str home_plmns, home_numbers, user_prefixes;
    uint64_t max_body_bytes;
    uint64_t page_max; /* objects of one TAXII page at the most */
    uint64_t max_connections, max_per_address;
    uint64_t max_requests; /* of one user in a second; 0: any number */
};

struct exchange_init {
    const char *dir;
    struct str name, nation, org, identity; /* org and identity may be empty */
    struct str hosts;                       /* for the TLS certificate; may be empty */
    struct str listen;                      /* may be empty */
};
/* Makes a node: folder, configuration, policy, keys, certificates, database, an administrator.
 * Fills the administrator's name and token (shown once, stored as a hash). Either the whole node
 * stands afterwards, or nothing; ERR_CONFLICT when DIR holds anything. */
bool exchange_init(const struct exchange_init *i, struct str *user, char token[64],
                   struct err *e) BASE_CHECKED;

/* Opens a node. Fails on an invalid setu.conf or policy.conf with file, line and column. */
bool exchange_open(const char *dir, struct exchange **out, struct err *e) BASE_CHECKED;
void exchange_close(struct exchange *x); /* waits for what was handed in; NULL is allowed */
/* What is in force now; it lives as long as the exchange, also when another takes its place. */
const struct exchange_config *exchange_config(const struct exchange *x);
/* Reads setu.conf again, on one thread at a time. Settings that last as long as the process stay;
 * the names of those that the file has otherwise are appended to `kept`. Failed, all stays. */
bool exchange_config_reload(struct exchange *x, struct buf *kept, struct err *e) BASE_CHECKED;
/* The policy in force. It lives as long as the exchange, also when another takes its place. */
const struct policy *exchange_policy(const struct exchange *x);
const char *exchange_dir(const struct exchange *x);
/* DIR/NAME in the caller's buffer. */
const char *exchange_path(const struct exchange *x, const char *name, char out[LIMIT_PATH_BYTES]);
/* A MAC under the node's own key, for values that leave and come back (cursors). */
void exchange_mac(const struct exchange *x, struct str data, unsigned char out[32]);

/* ---- people, services, partners ---- */

/* name, may read, may write */
#define EXCHANGE_ROLES(X)                                                                          \
    X(READER, "reader", true, false)                                                               \
    X(CONTRIBUTOR, "contributor", true, true)                                                      \
    X(OFFICER, "officer", true, true)                                                              \
    X(AUDITOR, "auditor", false, false)                                                            \
    X(ADMIN, "admin", true, true)                                                                  \
    X(SENSOR, "sensor", true, true)                                                                \
    X(PEER, "peer", true, false)
enum exchange_role {
#define X(name, text, read, write) EXCHANGE_##name,
    EXCHANGE_ROLES(X)
#undef X
};
bool exchange_role_parse(struct str text, enum exchange_role *out) BASE_CHECKED;
const char *exchange_role_name(enum exchange_role r);
bool exchange_role_reads(enum exchange_role r);
bool exchange_role_writes(enum exchange_role r);

/* Who is asking. Text belongs to the arena it was made in. */
struct principal {
    int64_t user, org;
    struct str name, identity;
    enum exchange_role role;
    struct policy_party party;
};

/* ERR_UNAUTHORIZED, with one message for every reason, when the secret is wrong, revoked or
 * expired. Comparisons take constant time. A secret that begins with EXCHANGE_TOKEN_PREFIX is only
 * looked up, as a token; every other one costs exchange_login_basic one Argon2id verification (some
 * 50 ms, 64 MiB) whatever the name is, unless this session has seen it to be right. */
#define EXCHANGE_TOKEN_PREFIX "setu_"
bool exchange_login_token(struct exchange_session *s, struct arena *a, struct str token,
                          struct principal *out, struct err *e) BASE_CHECKED;
bool exchange_login_basic(struct exchange_session *s, struct arena *a, struct str name,
                          struct str secret, struct principal *out, struct err *e) BASE_CHECKED;
/* As exchange_login_basic, as far as that needs no verification; else EXCHANGE_LOGIN_SLOW. */
enum exchange_login { EXCHANGE_LOGIN_DONE, EXCHANGE_LOGIN_REFUSED, EXCHANGE_LOGIN_SLOW };
enum exchange_login exchange_login_quick(struct exchange_session *s, struct arena *a,
                                         struct str name, struct str secret, struct principal *out,
                                         struct err *e) BASE_CHECKED;
bool exchange_login_cert(struct exchange_session *s, struct arena *a, struct str der,
                         struct principal *out, struct err *e) BASE_CHECKED;
/* Who signed in some time ago still may; ERR_UNAUTHORIZED: revoked or expired since. */
bool exchange_login_holds(struct exchange_session *s, const struct principal *who,
                          struct err *e) BASE_CHECKED;
/* A sign-in from this address (or empty) failed. The first of a minute becomes a record, the others
 * of that minute one more, so that a flood leaves few. */
void exchange_sign_in_failed(struct exchange *x, struct str address);
/* The node's own organisation, for the command line. */
bool exchange_login_home(struct exchange_session *s, struct arena *a, struct principal *out,
                         struct err *e) BASE_CHECKED;
/* A partner's organisation, for what is pulled from it. */
bool exchange_login_partner(struct exchange_session *s, struct policy_party party,
                            struct principal *out, struct err *e) BASE_CHECKED;

struct exchange_user_new {
    struct str name, org, nation, identity;
    enum exchange_role role;
    struct str password; /* empty: a token is made */
    struct str cert_pem; /* empty: no client certificate */
    int64_t expires_us;  /* 0: never */
};
/* `token` is empty afterwards when a password or certificate was given. */
bool exchange_user_add(struct exchange *x, const struct exchange_user_new *u, char token[64],
                       struct err *e) BASE_CHECKED;
bool exchange_user_revoke(struct exchange *x, struct str name, struct err *e) BASE_CHECKED;
/* All users in the order they were added; for the command line, not for a reader. */
bool exchange_users(struct exchange_session *s, struct arena *a, store_user_fn *each, void *ctx,
                    struct err *e) BASE_CHECKED;

/* ---- collections ---- */

struct exchange_collection {
    int64_t id;
    struct str uuid, root, title, alias, description;
    enum stix_tlp marking; /* of unmarked objects */
};
struct exchange_collection_new {
    struct str title, alias, description, uuid; /* uuid empty: made */
    enum stix_tlp marking;
};
bool exchange_collection_add(struct exchange *x, const struct exchange_collection_new *c,
                             char uuid[37], struct err *e) BASE_CHECKED;
/* All collections in the order they were made, copied into `a`. */
bool exchange_collections(struct exchange_session *s, struct arena *a,
                          struct exchange_collection **out, size_t *count,
                          struct err *e) BASE_CHECKED;
/* By id, alias or (when `by_title`) title; ERR_NOT_FOUND, or ERR_CONFLICT when a title is not
 * unique. */
bool exchange_collection_find(struct exchange_session *s, struct arena *a, struct str key,
                              bool by_title, struct exchange_collection *out,
                              struct err *e) BASE_CHECKED;

/* ---- sessions: one a thread ---- */

bool exchange_session_open(struct exchange *x, struct exchange_session **out,
                           struct err *e) BASE_CHECKED;
void exchange_session_close(struct exchange_session *s); /* NULL is allowed */
/* What is read until exchange_session_let_go is of one state, that of the first reading. Who asks,
 * and what they may see, is then found out at one moment, and for the price of one transaction. */
bool exchange_session_hold(struct exchange_session *s, struct err *e) BASE_CHECKED;
void exchange_session_let_go(struct exchange_session *s); /* also where nothing is held */
/* In its place, where the session will soon be held again: as long as nobody writes that is one
 * transaction. Then exchange_session_let_go must follow before the thread waits for anything. */
void exchange_session_linger(struct exchange_session *s);
struct exchange *exchange_of(const struct exchange_session *s);
struct json_reader *
exchange_session_json(struct exchange_session *s); /* the session's own reader */

/* ---- writing ---- */

enum exchange_outcome {
    EXCHANGE_ACCEPTED,
    EXCHANGE_UNCHANGED, /* this version stands in this collection already, with the same content */
    EXCHANGE_REFUSED,
    EXCHANGE_QUARANTINED,
    EXCHANGE_HELD,
    EXCHANGE_PENDING /* acknowledged, and not decided about yet */
};
#define EXCHANGE_OUTCOMES 5 /* those that an object ends with */
const char *exchange_outcome_name(enum exchange_outcome o);

/* What became of one object. */
struct exchange_result {
    struct str id;      /* as far as it could be read */
    struct str version; /* modified, created, or the instant of arrival; refused ones have it too */
    enum exchange_outcome outcome;
    struct str rule; /* a rule of STIX or the policy's line; empty when accepted */
    struct str
        message;  /* why; when accepted, to whom it is released, as far as the sender may know */
    bool later;   /* refused for now: the sender may try again */
    bool guarded; /* it names a subscriber, and what does stays at home; doors log it */
};

struct exchange_batch;
/* Called once by the writer thread when the batch is durable (ok) or was rolled back whole. */
typedef void exchange_done_fn(void *ctx, struct exchange_batch *b, bool ok, const struct err *e);
/* Renders the status resource; it is stored in the same transaction. */
typedef bool exchange_status_fn(const struct exchange_batch *b, struct buf *out);

struct exchange_submission {
    const struct principal *who;                  /* copied */
    const struct exchange_collection *collection; /* copied */
    bool from_partner;                            /* pulled from a configured partner */
    bool approved;                                /* an officer let it out of quarantine */
    exchange_status_fn *status;                   /* or NULL */
};

/* Checks and decides about `count` objects that start at `first` (siblings) of the parsed `text`;
 * text and tree must stay until the batch is done. No trace is left until exchange_commit. */
bool exchange_prepare(struct exchange_session *s, const struct exchange_submission *sub,
                      struct str text, const struct json *first, size_t count,
                      struct exchange_batch **out, struct err *e) BASE_CHECKED;
/* The same for objects that take long: nothing about them is decided yet. exchange_commit keeps
 * `text`, which must be a whole envelope, and a status in which all are pending; what
 * exchange_take_up started decides about it later, as the policy, the user and the collection are
 * then. exchange_commit is ERR_BUSY, told to `done`, when too much waits already. */
bool exchange_defer(const struct exchange_submission *sub, struct str text,
                    const struct json *first, size_t count, struct exchange_batch **out,
                    struct err *e) BASE_CHECKED;
/* Takes up what was deferred, also before this process, one after the other on a thread of its own.
 * `done` is called on that thread for each that was decided about, with the batch, which it does
 * not own. With NULL and an error, whose message names status and user, it is called when one has
 * to be tried again, and when one is refused whole because nothing would mend it, for its people to
 * hear of. On a restored node it begins when an officer has confirmed the restore. */
struct exchange_taking_up {
    exchange_status_fn *status;
    exchange_done_fn *done;
    void *ctx;
};
bool exchange_take_up(struct exchange *x, const struct exchange_taking_up *how,
                      struct err *e) BASE_CHECKED;
/* How many envelopes wait to be taken up, with how many bytes, and since when; for the node's own
 * people. */
bool exchange_backlog(struct exchange_session *s, struct store_backlog *out,
                      struct err *e) BASE_CHECKED;
/* Hands the batch to the writer, which owns it until `done`. ERR_BUSY when its queue is full. */
bool exchange_commit(struct exchange *x, struct exchange_batch *b, exchange_done_fn *done,
                     void *ctx, struct err *e) BASE_CHECKED;
/* The same, waiting for the end. */
bool exchange_commit_wait(struct exchange *x, struct exchange_batch *b, struct err *e) BASE_CHECKED;
size_t exchange_batch_count(const struct exchange_batch *b);
const struct exchange_result *exchange_batch_result(const struct exchange_batch *b, size_t i);
size_t exchange_batch_total(const struct exchange_batch *b, enum exchange_outcome o);
/* The status resource as it was stored, which is the caller's from now on. */
void exchange_batch_status_take(struct exchange_batch *b, struct buf *out);
const char *exchange_batch_uuid(const struct exchange_batch *b); /* of its status resource */
int64_t exchange_batch_at_us(const struct exchange_batch *b);
void exchange_batch_free(struct exchange_batch *b); /* NULL is allowed */

/* ---- reading ---- */

/* As store_query, without the audiences: those follow from `who`. */
struct exchange_query {
    const struct exchange_collection *collection;
    int64_t after_us;
    size_t limit, limit_bytes;
    const struct str *ids, *types;
    size_t id_count, type_count;
    unsigned versions;
    const int64_t *version_us;
    size_t version_count;
    bool with_bytes, bytes_only;
    const struct policy_party *as; /* what this party is shown; NULL: what `who` is */
    size_t skip_limit;
    int64_t *upto_us;
};
/* Rows released to `who` and nothing else, in order of date_added. Only home's officers and
 * administrators may look at what another party is shown (`as`), else ERR_FORBIDDEN; it is
 * recorded, where reads are, as a read of theirs. */
bool exchange_read(struct exchange_session *s, const struct principal *who,
                   const struct exchange_query *q, store_row_fn *each, void *ctx, bool *more,
                   struct err *e) BASE_CHECKED;

/* How often rows left or joined what `who` may see of a collection: as long as it stays the same,
 * nothing that was read has been taken back. */
bool exchange_moved(struct exchange_session *s, const struct principal *who,
                    const struct exchange_collection *c, uint64_t *moved,
                    struct err *e) BASE_CHECKED;

/* ---- pages ---- */

/* What was written of the rows of one reading. It does not change, several threads may hold it, and
 * its last holder frees it. Pages are kept and given out again to the same party as long as they
 * are what a new reading would give: the check is in the reader's own transaction, so what was
 * taken back is on no page from that commit on. Whether one is kept depends on what the party
 * itself may see and asks for, and on the memory that all take. */
#define EXCHANGE_PAGE_PLAIN 0 /* a form: its bytes as they were written */
#define EXCHANGE_PAGE_FORMS 3 /* the others are what the caller makes of them */
struct exchange_page {
    size_t body_bytes, count;  /* in plain form; rows */
    bool more;                 /* others follow */
    int64_t first_us, last_us; /* date_added of the first and the last row */
    /* Names these bytes among all that this node ever made for the collection, and tells nothing
     * of them (RFC 9110 §8.8.3); NUL-terminated, without quotes. */
    char tag[24];
};
/* How to write one. */
struct exchange_paging {
    char kind; /* tells apart what is made otherwise of the same rows */
    void *ctx;
    /* Of the row with this number, from 0. */
    void (*row)(struct buf *b, size_t i, const struct store_row *row);
    /* After the rows; `more`: others follow behind upto_us. */
    void (*end)(void *ctx, struct buf *b, size_t count, bool more, int64_t upto_us);
};
/* As exchange_read; q->upto_us is not used, and q->as is NULL. The page is the caller's to drop. */
bool exchange_page_read(struct exchange_session *s, const struct principal *who,
                        const struct exchange_query *q, const struct exchange_paging *how,
                        struct exchange_page **out, struct err *e) BASE_CHECKED;
bool exchange_page_has(const struct exchange_page *p, unsigned form);
/* Has `code` make a form of the plain bytes, which is kept with the page; false leaves it as it
 * was. Where the page has the form, it is done. */
typedef bool exchange_coding_fn(unsigned form, struct str plain, struct buf *out);
bool exchange_page_code(struct exchange_page *p, unsigned form, exchange_coding_fn *code,
                        struct err *e) BASE_CHECKED;
/* The bytes of a form that it has, for `who` to be given: from here on they count as read. They
 * live as long as the page. */
bool exchange_page_give(struct exchange_session *s, const struct principal *who,
                        const struct exchange_page *p, unsigned form, struct str *out,
                        struct err *e) BASE_CHECKED;
void exchange_page_drop(struct exchange_page *p); /* NULL is allowed */

/* ---- waiting for releases ---- */

/* Somebody who waits until something more is released to its party in a collection. Memory of the
 * caller's; the members but the first two are the exchange's. */
struct exchange_watch {
    /* Called once, on the writer's thread, after a commit that adds rows; it must not wait, nor
     * call the exchange. Now and then it is called for nothing. */
    void (*wake)(void *ctx);
    void *ctx;
    struct exchange_watch *next, **at;
    struct exchange_watched *of;
};
/* From its return on no release is missed: so read after it, and wait if there is nothing. What
 * another process commits is seen within a second, where exchange_background runs. */
bool exchange_watch(struct exchange_session *s, const struct principal *who,
                    const struct exchange_collection *c, struct exchange_watch *w,
                    struct err *e) BASE_CHECKED;
/* From its return on `wake` is not called; also when it was. */
void exchange_unwatch(struct exchange *x, struct exchange_watch *w);

/* Takes versions of an object out of a collection: those that q->versions and q->version_us name
 * (STORE_ALL: every one). Only the organisation that submitted it or an administrator of the home
 * organisation may; ERR_NOT_FOUND when there is none that `who` can see. Whoever had it is shown
 * the reason, which may be empty. */
bool exchange_withdraw(struct exchange_session *s, const struct principal *who,
                       const struct exchange_query *q, struct str id, struct str reason,
                       struct err *e) BASE_CHECKED;
/* The node itself takes back every version of an id, and the copies made of it, from one collection
 * or, with `only` NULL, from all. *taken: of how many release rows; ERR_NOT_FOUND when of none. */
bool exchange_recall(struct exchange_session *s, struct str id, struct str reason,
                     const struct exchange_collection *only, size_t *taken,
                     struct err *e) BASE_CHECKED;
/* Is any version of this id released to `who` in the collection? */
bool exchange_sees(struct exchange_session *s, const struct principal *who,
                   const struct exchange_collection *c, struct str id, bool *yes,
                   struct err *e) BASE_CHECKED;
bool exchange_status(struct exchange_session *s, const struct principal *who, struct str uuid,
                     struct buf *json, struct err *e) BASE_CHECKED;

/* The same decision the write path takes, for the newest stored version of an id: what would `to`
 * get, and why. ERR_NOT_FOUND when no version is stored. Text lives in `a`. */
struct exchange_explanation {
    enum policy_verdict decision; /* by the policy as it is now, and by approvals */
    struct policy_rule_ref rule;
    struct policy_rule_ref *redactions; /* the redact rules that apply, in order */
    size_t redaction_count;
    struct str copy; /* what goes out, or is held; empty when denied */
    bool copied;     /* … and it is a redacted copy */
    bool released;   /* by the record: `to` reads a version of it today, in some form */
};
bool exchange_explain(struct exchange_session *s, struct arena *a, struct str id,
                      const struct policy_party *to, struct exchange_explanation *out,
                      struct err *e) BASE_CHECKED;
/* Appends what a pseudonym that this node made stands for; ERR_INVALID when it made none such. */
bool exchange_reveal(const struct exchange *x, struct str pseudonym, struct buf *out,
                     struct err *e) BASE_CHECKED;
/* The organisation called `org` in policy.conf or among the users; ERR_NOT_FOUND. */
bool exchange_party_find(struct exchange_session *s, struct arena *a, struct str org,
                         struct policy_party *out, struct err *e) BASE_CHECKED;

/* ---- the release desk ---- */

struct exchange_vote {
    struct str officer, party; /* party: NATION/org, or empty for all who wait */
    int64_t at_us;
};
/* What waits, or waited: a hold (recipients wait for an object) or a quarantined arrival. */
struct exchange_desk_entry {
    struct store_desk desk;
    struct policy_party from;
    const struct exchange_vote *votes;
    size_t vote_count;
};
typedef bool exchange_desk_fn(void *ctx, const struct exchange_desk_entry *d); /* false stops */
/* In order of arrival; `all`: also what is decided. For officers, not for a reader. */
bool exchange_desk_each(struct exchange_session *s, struct arena *a, bool all,
                        exchange_desk_fn *each, void *ctx, struct err *e) BASE_CHECKED;
const char *exchange_desk_state_name(enum store_desk_state s);
/* An officer approves (for one recipient or all who wait) or refuses, with a reason. What has
 * enough approvals is released in the same transaction. *state says how the entry stands then.
 * ERR_FORBIDDEN for others than officers of the home organisation, and for who submitted it;
 * ERR_CONFLICT when it does not wait any more. */
struct exchange_verdict {
    const struct principal *officer;
    int64_t id;
    const struct policy_party *to; /* NULL: all */
    bool refuse;
    struct str reason;
};
bool exchange_desk_decide(struct exchange_session *s, const struct exchange_verdict *v,
                          enum store_desk_state *state, struct err *e) BASE_CHECKED;

/* ---- changing the policy ---- */

/* What an edit of the policy would change, for one recipient. */
#define EXCHANGE_PLAN_SAMPLES 10
enum exchange_plan_effect {
    EXCHANGE_PLAN_RELEASED,  /* reads it now for the first time, as it is or as a copy */
    EXCHANGE_PLAN_WITHDRAWN, /* reads it no longer */
    EXCHANGE_PLAN_REDACTED,  /* gets a redacted copy in the place of the object, or another copy */
    EXCHANGE_PLAN_RESTORED,  /* gets the object in the place of a copy */
    EXCHANGE_PLAN_HELD       /* officers are to decide whether it goes there */
};
#define EXCHANGE_PLAN_EFFECTS 5
const char *exchange_plan_effect_name(enum exchange_plan_effect f);
struct exchange_plan_party {
    struct policy_party party; /* org empty: all others of the nation; both empty: everybody else */
    uint64_t counts[EXCHANGE_PLAN_EFFECTS];
    struct str samples[EXCHANGE_PLAN_EFFECTS][EXCHANGE_PLAN_SAMPLES]; /* the first ids */
};
struct exchange_plan {
    struct exchange_plan_party *parties; /* only those for whom something changes */
    size_t party_count;
    uint64_t objects, changed; /* looked at; with any change */
};
/* Computed on what the node holds, by the code that decides; nothing is changed. `name` stands in
 * the messages about `text`. */
struct exchange_plan_options {
    struct str text;
    const char *name;
    exchange_progress_fn *progress; /* or NULL */
    void *ctx;
};
bool exchange_policy_plan(struct exchange_session *s, const struct exchange_plan_options *o,
                          struct arena *a, struct exchange_plan *out, struct err *e) BASE_CHECKED;
/* Puts `text` in the place of policy.conf and does what the plan said: what is withdrawn vanishes
 * at once, in one transaction; what is newly released follows, with a date_added of its own. A
 * server of this node follows by itself. Interrupted in between, the rest is done by the next
 * server. */
bool exchange_policy_apply(struct exchange *x, struct str text, exchange_progress_fn *progress,
                           void *ctx, struct err *e) BASE_CHECKED;
/* Lets this process do what waits to be decided again: after an interrupted apply, when a date in
 * the policy passes, when what an object refers to changes. For servers. */
bool exchange_background(struct exchange *x, struct err *e) BASE_CHECKED;

/* ---- partners ---- */

bool exchange_peer_add(struct exchange *x, const struct store_peer *p, struct err *e) BASE_CHECKED;
bool exchange_peer_cursor(struct exchange *x, int64_t id, struct str cursor,
                          struct err *e) BASE_CHECKED;
bool exchange_peers(struct exchange_session *s, struct arena *a, struct store_peer **out,
                    size_t *count, struct err *e) BASE_CHECKED;

#endif
