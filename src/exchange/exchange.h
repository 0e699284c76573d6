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

/* ---- the dialogue: its objects in the store (docs/DIALOGUE.md) ---- */

/* An object of one of the dialogue's types in the newest version that its reader has. */
struct exchange_statement {
    enum dialogue_type type;
    struct str id, author, text; /* author: created_by_ref */
    const struct json *json;
    int64_t created_us, version_us, arrived_us; /* arrived: its date_added for this reader */
    int64_t source_org;                         /* who submitted it here */
    struct policy_party source;
    bool exercise;
    struct str fault; /* what its schema says against it; empty: nothing */
};
struct exchange_statement_query {
    const struct principal *who;
    unsigned types; /* bits 1u << enum dialogue_type; 0: all */
    struct str id;  /* one object; empty: all */
    bool exercise;  /* exercises, and nothing else; false: nothing else than live */
    bool both;      /* live and exercises alike */
    bool faulty;    /* also what its schema speaks against */
};
struct exchange_statements {
    const struct exchange_statement *list;
    size_t count;
};
/* What is released to q->who in any collection, each id once, in order of `created`, then id;
 * without what was revoked. All of it is in `a`. ERR_LIMIT over LIMIT_DIALOGUE_OBJECTS. */
bool exchange_dialogue_read(struct exchange_session *s, struct arena *a,
                            const struct exchange_statement_query *q,
                            struct exchange_statements *out, struct err *e) BASE_CHECKED;

typedef void exchange_result_fn(void *ctx, const struct exchange_result *r);
struct exchange_saying {
    const struct principal *who;
    const struct exchange_collection *collection;
    struct str objects;       /* JSON: a bundle, envelope, array or one object */
    exchange_result_fn *each; /* in their order, when all are on the disk; or NULL */
    void *ctx;
};
/* Checks objects by the dialogue's schemas (ERR_INVALID, and none is stored), then accepts them as
 * exchange_prepare does, with the extension definitions that they name. Objects of other types may
 * stand among them. `*refused`: how many did not come in. */
bool exchange_dialogue_add(struct exchange_session *s, const struct exchange_saying *d,
                           size_t *refused, struct err *e) BASE_CHECKED;
/* ---- requests for assistance: objects of the dialogue, and their steps ---- */

struct exchange_step {
    const struct exchange_statement *said;
    struct dialogue_move move;
    enum dialogue_party by; /* of a step that counts */
    bool counts;
    struct str why; /* it does not count */
};
/* A request and its life up to an instant, by the steps that its reader has. A step counts when
 * its author is of the request, came from its author's nation, and the table of moves allows it. */
struct exchange_request {
    const struct exchange_statement *asked;
    struct policy_party from, to; /* to: empty when its identity is nobody's here */
    bool mine;                    /* the reader is a party: */
    enum dialogue_party side;
    struct str to_ref, referred_ref; /* referred_ref: who was added last; or empty */
    struct dialogue_life life;
    const struct exchange_step *steps; /* in order of time, also those that do not count */
    size_t step_count;
};
struct exchange_request_query {
    const struct principal *who;
    struct str id; /* an id, or how its UUID begins (4 characters or more); empty: all */
    bool exercise, both;
    int64_t as_of_us; /* 0: now, with what clocks that go ahead by LIMIT_DIALOGUE_SKEW_S say */
};
struct exchange_requests {
    const struct exchange_request *list;
    size_t count;
};
/* In order of `created`. With an id: that one, else ERR_NOT_FOUND, or ERR_CONFLICT when several
 * begin so. All of it is in `a`. */
bool exchange_requests_read(struct exchange_session *s, struct arena *a,
                            const struct exchange_request_query *q, struct exchange_requests *out,
                            struct err *e) BASE_CHECKED;

/* Asks: the request and the step that sends it, in one transaction. Where it says no deadlines it
 * gets those of data/clocks.json; clocks are ids of that file. */
struct exchange_asking {
    struct exchange_saying say; /* who, where, who hears of the results; not the objects */
    struct dialogue_author author;
    struct dialogue_request request;
    int64_t at_us; /* when it was sent: not later than now */
    bool draft;    /* it is kept, and not sent: marked TLP:AMBER+STRICT, which nobody else reads */
};
bool exchange_request_new(struct exchange_session *s, const struct exchange_asking *q,
                          size_t *refused, struct err *e) BASE_CHECKED;
/* Sends a draft: a later version of it, marked as the author has it, and the step. Its deadlines
 * are as long as those of the draft, from now on, where it says no others. ERR_CONFLICT when it is
 * no draft, ERR_FORBIDDEN for who did not make it. */
struct exchange_sending {
    struct exchange_saying say;
    struct dialogue_author author;
    struct str id;                   /* as in a query */
    int64_t acknowledge_s, answer_s; /* 0: as in the draft */
};
bool exchange_request_send(struct exchange_session *s, const struct exchange_sending *q,
                           size_t *refused, struct err *e) BASE_CHECKED;
/* Takes a step: ERR_CONFLICT when the table of moves does not allow it to this side in the state
 * that the request has, ERR_FORBIDDEN for who is no party, ERR_INVALID where a reason is missing.
 * Marked as the request where the author has no marking. */
struct exchange_stepping {
    struct exchange_saying say;
    struct dialogue_author author;
    struct str id;             /* as in a query */
    struct str kind;           /* not empty: of this kind only, else ERR_NOT_FOUND */
    struct dialogue_move move; /* without request_ref and from; at_us 0: now */
};
bool exchange_request_step(struct exchange_session *s, const struct exchange_stepping *q,
                           size_t *refused, struct err *e) BASE_CHECKED;

/* ---- contact points, and tests of them: requests of the kind "contact-test" ---- */

struct exchange_contact {
    const struct exchange_statement *said;
    int64_t from_us, until_us; /* it holds from, until before; until INT64_MAX: no end is known */
    bool holds;                /* at q->as_of_us */
    struct str successor;      /* the id of who follows it, or empty */
    size_t test_count, answered_count;
    const struct exchange_request *test; /* the last one, or NULL */
};
struct exchange_contacts {
    const struct exchange_contact *list;
    size_t count;
};
/* As exchange_requests_read, of contact points. */
bool exchange_contacts_read(struct exchange_session *s, struct arena *a,
                            const struct exchange_request_query *q, struct exchange_contacts *out,
                            struct err *e) BASE_CHECKED;
/* Says a contact point: `given` as for dialogue_object_put. With `follows`, the id of another one
 * of the speaker's own: that one holds until this one does, and names it as its successor, in the
 * same transaction. */
struct exchange_contact_new {
    struct exchange_saying say;
    struct dialogue_author author;
    const struct json *given;
    struct str follows;
};
bool exchange_contact_add(struct exchange_session *s, const struct exchange_contact_new *c,
                          size_t *refused, struct err *e) BASE_CHECKED;
/* Asks the contact point `id` to answer: fills kind, summary, whom and contact of q->request.
 * ERR_CONFLICT when it does not hold now; the message names its successor. */
bool exchange_contact_test(struct exchange_session *s, const struct exchange_asking *q,
                           struct str id, size_t *refused, struct err *e) BASE_CHECKED;

/* The STIX identity of an organisation: an identity's id, that of a contact point which `who` reads
 * and which holds now (ERR_CONFLICT if not), or a name of policy.conf or of a user. ERR_NOT_FOUND
 * when nobody is called so, or no identity of it is known. */
bool exchange_identity_find(struct exchange_session *s, const struct principal *who,
                            struct arena *a, struct str name, struct str *out,
                            struct err *e) BASE_CHECKED;

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

/* ---- the ledger ---- */

/* Appends the log's head, signed as it is now (C2SP checkpoint), with the countersignatures of this
 * head: a partner gets its own, home's people and the command line (`who` NULL) all. */
bool exchange_ledger_checkpoint(struct exchange_session *s, const struct principal *who,
                                struct buf *out, struct err *e) BASE_CHECKED;
/* Appends the verifier key of the node's log, or of the node as a witness of others' logs. */
bool exchange_ledger_key(const struct exchange *x, enum ledger_key_type type, struct buf *out,
                         struct err *e) BASE_CHECKED;
/* May this user see the log? Partners may, and home's auditors, officers and administrators. */
bool exchange_ledger_reads(const struct exchange *x, const struct principal *who);
bool exchange_ledger_size(struct exchange_session *s, uint64_t *size, struct err *e) BASE_CHECKED;
/* Appends a tile, or a bundle of entries (level LEDGER_ENTRIES). ERR_NOT_FOUND beyond the log. */
bool exchange_ledger_tile(struct exchange_session *s, const struct ledger_tile *t, struct buf *out,
                          struct err *e) BASE_CHECKED;
/* A leaf; text lives during the call. Salt and record are empty unless it is shown. */
struct exchange_leaf {
    uint64_t index;
    struct ledger_hash entry;
    struct str salt, record;
    int64_t audience; /* of exchange_audience_text; 0: nobody but home's auditors */
    bool shown, erased;
};
typedef bool exchange_leaf_fn(void *ctx, const struct exchange_leaf *l); /* false stops */
/* The leaves from `first` until before `end`. Home's auditors, officers and administrators are
 * shown all, a partner those whose audience it is in; `who` NULL: the command line of the node. */
bool exchange_ledger_each(struct exchange_session *s, const struct principal *who, uint64_t first,
                          uint64_t end, exchange_leaf_fn *each, void *ctx,
                          struct err *e) BASE_CHECKED;
/* The text of an audience, empty when there is none of this number. */
bool exchange_audience_text(struct exchange_session *s, struct arena *a, int64_t audience,
                            struct str *out, struct err *e) BASE_CHECKED;
/* The salt of the digest that records have of an audience: for those who are shown its text. */
void exchange_audience_salt(const struct exchange *x, struct str audience,
                            unsigned char out[LEDGER_AUDIENCE_SALT_BYTES]);

/* ---- ledgers that witness each other (docs/LEDGER.md) ---- */

/* What is known of a partner, NATION/org. */
bool exchange_witness(struct exchange_session *s, struct arena *a, struct str party,
                      struct store_witness *out, struct err *e) BASE_CHECKED;
bool exchange_witnesses(struct exchange_session *s, struct arena *a, store_witness_fn *each,
                        void *ctx, struct err *e) BASE_CHECKED;
/* Keeps a partner's verifier keys, for good; an empty one is left as it is. ERR_CONFLICT when it
 * has another, ERR_INVALID when the key's name is not the partner's, NATION/org/ledger and
 * /witness. */
struct exchange_pin {
    struct str party, log_key, witness_key;
};
bool exchange_witness_pin(struct exchange_session *s, const struct exchange_pin *p,
                          struct err *e) BASE_CHECKED;
/* Judges a partner's checkpoint against the last one seen. What continues it is countersigned and
 * kept, in `cosigned`; what does not is kept as evidence: a fork or rollback stands until it is
 * accepted, a bad proof until there is a good one. ERR_INVALID for a checkpoint that its key did
 * not sign; ERR_CONFLICT when another judged the ledger since `known` was read: begin again.
 * `tiles` are asked for when it is newer, and believed in nothing. */
struct exchange_sight {
    const struct store_witness *known; /* read before the note was fetched */
    struct str note;
    const struct ledger_tiles *tiles;
};
struct exchange_judgement {
    enum ledger_relation relation;
    uint64_t before, size; /* of the log when it was last seen, and now */
    bool first;            /* it was not seen before */
    bool stands;           /* the relation is one that was found earlier */
    struct str cosigned;   /* the note with our signature; empty unless it is consistent */
};
bool exchange_witness_judge(struct exchange_session *s, struct arena *a,
                            const struct exchange_sight *v, struct exchange_judgement *out,
                            struct err *e) BASE_CHECKED;
/* Keeps what else speaks against a partner, such as "other-key", until its ledger is good again;
 * the note may be empty. */
bool exchange_witness_trouble(struct exchange_session *s, const struct exchange_sight *v,
                              struct str finding, struct err *e) BASE_CHECKED;
/* Every pair of checkpoints that was evidence against a partner, also when it was accepted since.
 */
bool exchange_evidence(struct exchange_session *s, struct str party, store_evidence_fn *each,
                       void *ctx, struct err *e) BASE_CHECKED;
/* A partner hands in our checkpoint with its signature. ERR_INVALID when it is not ours or not
 * signed by its key, which is kept when it is the first; ERR_CONFLICT when our log has another head
 * at that size: then one of the two is no copy of this node. */
bool exchange_witness_cosigned(struct exchange_session *s, const struct principal *who,
                               struct str witness_key, struct str note, struct err *e) BASE_CHECKED;
/* An officer accepts that a partner's log goes on from an earlier state, because `proof` (a proof
 * file of that log) holds an officer's confirmation there, younger than the last good checkpoint.
 * Recorded. `tiles` as above; the log is judged anew from `note` on. */
struct exchange_gap {
    struct str party, note, proof, reason;
    const struct principal *officer;
};
bool exchange_witness_accept(struct exchange_session *s, struct arena *a,
                             const struct exchange_gap *g, struct err *e) BASE_CHECKED;

/* ---- taking back what was shared, with receipts (docs/LEDGER.md) ---- */

/* Calls `each` for the withdrawals of a collection that a partner was a reader of, from leaf
 * `first` on, in order, at most `most`; not for what it has again. */
struct exchange_withdrawn {
    const struct exchange_collection *collection;
    uint64_t first;
    size_t most;
};
bool exchange_withdrawals(struct exchange_session *s, const struct principal *who,
                          const struct exchange_withdrawn *q, exchange_leaf_fn *each, void *ctx,
                          struct err *e) BASE_CHECKED;
/* Takes out of a collection what a partner withdrew, and records it; all or nothing. What others
 * brought in too is kept. */
struct exchange_taken_back {
    uint64_t leaf;           /* of the partner's ledger */
    struct str salt, record; /* of that leaf */
    struct str outcome;      /* filled: removed, kept or absent (it was not here) */
    struct str proof;        /* filled: a proof file of the receipt in this node's ledger */
};
struct exchange_taking_back {
    const struct principal *partner;
    const struct exchange_collection *into;
    struct exchange_taken_back *list;
    size_t count;
};
bool exchange_take_back(struct exchange_session *s, struct arena *a,
                        const struct exchange_taking_back *b, struct err *e) BASE_CHECKED;
/* Keeps a partner's receipt for the withdrawal of `leaf`, once. ERR_INVALID unless `proof` shows
 * that the partner's ledger records it; its verifier key is kept when it is the first. */
struct exchange_receipt {
    const struct principal *who;
    struct str key; /* of the partner's log; empty: it is known */
    struct str proof;
    uint64_t leaf;
};
bool exchange_receipt_keep(struct exchange_session *s, struct arena *a,
                           const struct exchange_receipt *r, struct err *e) BASE_CHECKED;
/* How far a partner's withdrawals are taken out here. */
bool exchange_peer_withdrawn(struct exchange *x, int64_t id, uint64_t next,
                             struct err *e) BASE_CHECKED;

enum exchange_holder_state {
    EXCHANGE_HOLDER_NONE,
    EXCHANGE_HOLDER_READS,
    EXCHANGE_HOLDER_UNCONFIRMED, /* withdrawn, and its node has given no receipt yet */
    EXCHANGE_HOLDER_WITHDRAWN,   /* reads it no longer; has no node that could give one */
    EXCHANGE_HOLDER_KEPT,        /* its node has it from others too */
    EXCHANGE_HOLDER_REMOVED
};
const char *exchange_holder_state_name(enum exchange_holder_state s);
struct exchange_holder {
    struct policy_party party;
    enum exchange_holder_state state;
    int64_t version_us; /* READS: of the newest version it reads */
    int64_t at_us;      /* since when it is so */
};
typedef bool exchange_holder_fn(void *ctx, const struct exchange_holder *h); /* false stops */
/* Everybody who has or had an object, or a copy of it, from this node: organisations of policy.conf
 * and of users. ERR_NOT_FOUND when there is nobody. */
bool exchange_holders(struct exchange_session *s, struct arena *a, struct str id,
                      exchange_holder_fn *each, void *ctx, struct err *e) BASE_CHECKED;

/* ---- for the auditor ---- */

/* Something that is not as it must be. Text lives during the call. */
struct exchange_audit_finding {
    const char *what; /* record, leaf, tile, head or store */
    bool has_index;
    uint64_t index; /* of the leaf that it is about */
    const char *message;
};
typedef void exchange_audit_fn(void *ctx, const struct exchange_audit_finding *f);
/* How far it has come; called now and then. */
typedef void exchange_progress_fn(void *ctx, uint64_t done, uint64_t all);
struct exchange_audit {
    const struct ledger_key *key; /* as the auditor was given it; NULL: what the node has */
    bool ledger_only;             /* leave out whether the store agrees */
    exchange_audit_fn *finding;   /* LIMIT_LEDGER_FINDINGS are told */
    exchange_progress_fn *progress;
    void *ctx;
};
struct exchange_audit_report {
    uint64_t size, erased, findings;
    uint64_t objects, releases; /* of the store, that were looked up in the log */
    struct ledger_hash root;
    bool has_root; /* false where leaves are missing or cannot be read */
};
/* Recomputes the node's log from its records up to the root, compares the kept tiles and the signed
 * head of the last change, which is appended to `checkpoint`; then whether each object, release,
 * hold, user and policy of the store has its record and each record its effect. What is wrong is a
 * finding; it fails only where it cannot look. In one state of the store, however long it takes;
 * memory: some bytes for each object, and for each release that was taken back. */
bool exchange_ledger_audit(struct exchange_session *s, const struct exchange_audit *o,
                           struct buf *checkpoint, struct exchange_audit_report *out,
                           struct err *e) BASE_CHECKED;

/* Appends a proof file (ledger.h) of the release of an object, as itself or as a copy, to a
 * recipient: of the newest version that it has; where it has none any more, of the last that it
 * had, for which the whole log is read. ERR_NOT_FOUND when there was none, or its record was
 * erased. */
struct exchange_proving {
    struct str id, version; /* version empty: any */
    struct policy_party to;
};
struct exchange_proven {
    struct str object, record; /* under which id; what the ledger says. In `a` */
    uint64_t index, size;      /* of its leaf, of the log */
    bool withdrawn;            /* the recipient does not have it any more */
};
bool exchange_ledger_prove(struct exchange_session *s, struct arena *a,
                           const struct exchange_proving *p, struct buf *file,
                           struct exchange_proven *out, struct err *e) BASE_CHECKED;

/* Records that objects were written out of the node. */
struct exchange_export {
    struct str format, collection, recipient; /* empty: all, the node's own organisation */
    uint64_t count;
};
bool exchange_ledger_export(struct exchange *x, const struct exchange_export *o,
                            struct err *e) BASE_CHECKED;
/* An officer of the home organisation has the record of a leaf and its salt forgotten, as law may
 * ask; a record tells who did and why. ERR_FORBIDDEN for records that others rely on. */
bool exchange_ledger_erase(struct exchange_session *s, const struct principal *officer,
                           uint64_t leaf, struct str reason, struct err *e) BASE_CHECKED;
/* How many records of reads and sign-ins could not be written since the node was opened; before
 * others use the node, who is to be told of each, and why, on the writer's thread. */
uint64_t exchange_records_lost(const struct exchange *x);
typedef void exchange_lost_fn(const char *kind, const struct err *why);
void exchange_on_lost(struct exchange *x, exchange_lost_fn *tell);

/* ---- backup, restore, health (docs/OPERATIONS.md) ---- */

struct exchange_backup_options {
    const char *file;
    bool force;                     /* take the place of a file that is there */
    exchange_progress_fn *progress; /* or NULL */
    bool (*stop)(void);             /* or NULL; true ends the work, and nothing is left of it */
    void *ctx;
};
struct exchange_backup {
    uint64_t size, bytes, files; /* leaves of the ledger in it; of the file; in the file */
    int64_t at_us;               /* the state it holds is of this instant */
    char digest[65];             /* SHA-256 of the file, in hexadecimal */
};
/* Writes the whole node, keys too, into one file that only its owner reads, while others use the
 * node; then the ledger records it. ERR_CONFLICT when the file exists. After an error the file is
 * as it was before, unless the message says otherwise. */
bool exchange_backup(struct exchange *x, const struct exchange_backup_options *o,
                     struct exchange_backup *out, struct err *e) BASE_CHECKED;

struct exchange_restore_options {
    const char *file, *dir;
    exchange_progress_fn *progress;
    bool (*stop)(void);
    void *ctx;
};
struct exchange_restore {
    uint64_t size, leaf, files; /* leaves that came back; the number of the leaf that says so */
    int64_t backup_us;
    char digest[65];
};
/* Makes a node of a backup, in a folder that is absent or empty. The file is checked to its last
 * byte before anything is written; then the database, and that its ledger has the head which the
 * backup states. Either the whole node stands afterwards, or nothing. It says in its ledger, to all
 * partners, that it was restored, and counts as not confirmed until an officer confirms. */
bool exchange_restore(const struct exchange_restore_options *o, struct exchange_restore *out,
                      struct err *e) BASE_CHECKED;

/* Restores that no officer has confirmed; count 0: none. The rest is about the last one. */
struct exchange_restored {
    size_t count;
    uint64_t leaf, size;
    int64_t at_us;
};
bool exchange_restored(struct exchange_session *s, struct exchange_restored *out,
                       struct err *e) BASE_CHECKED;
/* An officer of the home organisation says that they were meant, and why: a record for each, to all
 * partners. ERR_FORBIDDEN for others, ERR_CONFLICT when none waits. `out`: what was confirmed. */
bool exchange_restore_confirm(struct exchange_session *s, const struct principal *officer,
                              struct str reason, struct exchange_restored *out,
                              struct err *e) BASE_CHECKED;

enum exchange_health { EXCHANGE_OK, EXCHANGE_WARNING, EXCHANGE_ERROR };
const char *exchange_health_name(enum exchange_health h);
struct exchange_finding {
    const char *check; /* what was looked at: "keys", "ledger" */
    enum exchange_health health;
    struct str message, action; /* action: what to do; empty when nothing is */
};
typedef void exchange_finding_fn(void *ctx, const struct exchange_finding *f);
struct exchange_doctor_options {
    const char *dir;
    bool thorough; /* read the whole database, indexes too */
    exchange_finding_fn *each;
    void *ctx;
};
/* Looks at all that an administrator should know of a node, which may run meanwhile and may be
 * damaged: what cannot be read is a finding. At least one a check; texts live during the call.
 * ERR_NOT_FOUND when the folder is no node's. Changes nothing. */
bool exchange_doctor(const struct exchange_doctor_options *o, struct err *e) BASE_CHECKED;

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
