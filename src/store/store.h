/*
 * Persistence behind one interface (SQLite now: sqlite*.c). It keeps bytes, rows and order; it
 * holds no rule of release: which audiences a reader belongs to is decided in `exchange` and handed
 * in. A handle belongs to one thread. Several processes may open one database; writers wait for
 * each other. What store_commit acknowledged is on the disk.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/base.h"
#include "ledger/ledger.h"

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* Makes an empty database; ERR_CONFLICT if the file exists. */
bool store_create(const char *path, struct err *e) BASE_CHECKED;
/* ERR_STORE_VERSION when the schema is another version's, ERR_NOT_FOUND without the file. */
bool store_open(const char *path, enum store_mode mode, struct store **out,
                struct err *e) BASE_CHECKED;
void store_close(struct store *s); /* NULL is allowed */

/* A transaction: every write function must be called inside one. Reading functions may be called
 * inside or outside; inside they see one state. After ERR_COMMIT_UNKNOWN the outcome must be read.
 */
bool store_begin(struct store *s, struct err *e) BASE_CHECKED;
bool store_commit(struct store *s, struct err *e) BASE_CHECKED;
void store_rollback(struct store *s);
/* Of a handle that only reads: all its transactions until store_let_go, and what is read between
 * them, are of one state, that of the first reading. Each of them would cost several calls of the
 * system, so who has more than one question to one moment asks them together. */
bool store_hold(struct store *s, struct err *e) BASE_CHECKED;
void store_let_go(struct store *s); /* also where nothing is held */
/* Like store_let_go, but the transaction stays open for the next store_hold: as long as nobody has
 * written, that goes on with it, for no call of the system at all. What is read otherwise ends it,
 * and so does store_let_go, which must be soon, for the write-ahead log grows meanwhile. */
void store_linger(struct store *s);

/* The write-ahead log. A handle that writes brings what stands in it back into the database at each
 * commit from LIMIT_STORE_WAL_PAGES on; once it is said that another handle does, from
 * LIMIT_STORE_WAL_MOST_PAGES on. */
void store_wal_apart(struct store *s);
size_t store_wal_pages(const struct store *s); /* after the last commit of this handle */
/* By any handle, outside a transaction: brings back what no reader holds on to. Nobody waits for
 * it, and it waits for nobody; *all: nothing was left for the next. */
bool store_wal_bring_back(struct store *s, bool *all, struct err *e) BASE_CHECKED;

/* ---- copies, damage, instants ---- */

unsigned store_schema(void); /* the version of the schema that this program knows */

/* Copies the database, as a reading transaction of `s` sees it, into an empty file; others write on
 * meanwhile. `progress` (or NULL) hears of pages and ends the work with false (ERR_BUSY). What a
 * failure leaves in the file means nothing; it is not synced. */
struct store_copying {
    const char *path;
    bool (*progress)(void *ctx, uint64_t done, uint64_t all);
    void *ctx;
};
bool store_copy(struct store *s, const struct store_copying *c, struct err *e) BASE_CHECKED;
/* Looks for damage; `each` hears of what there is, 20 at the most; false stops. `thorough` also
 * compares rows with indexes. It takes as long as reading the database. */
typedef bool store_text_fn(void *ctx, struct str text); /* false stops */
bool store_check(struct store *s, bool thorough, store_text_fn *each, void *ctx,
                 struct err *e) BASE_CHECKED;
/* The latest date_added of any collection, 0 without one. */
bool store_dates_last(struct store *s, int64_t *us, struct err *e) BASE_CHECKED;
/* What is released from now on gets, in each collection, a date_added after `floor_us`, and at
 * least `ahead_us` later than the last one. */
bool store_dates_raise(struct store *s, int64_t floor_us, int64_t ahead_us,
                       struct err *e) BASE_CHECKED;

/* ---- organisations and users ---- */

struct store_org {
    int64_t id;
    struct str nation, name, identity;
};
/* ERR_NOT_FOUND without one. Text is copied into `arena`. */
bool store_org_get(struct store *s, struct arena *arena, int64_t id, struct store_org *out,
                   struct err *e) BASE_CHECKED;
/* The organisation that a STIX identity belongs to; *id is 0 when it is nobody's here. */
bool store_org_by_identity(struct store *s, struct str identity, int64_t *id,
                           struct err *e) BASE_CHECKED;
/* Finds or makes; `identity` is used when it is made, or replaces the old one when not empty.
 * ERR_CONFLICT when it is another organisation's. */
bool store_org_put(struct store *s, struct str nation, struct str name, struct str identity,
                   int64_t *id, struct err *e) BASE_CHECKED;

struct store_user {
    int64_t id, org;
    struct str name, role, nation, org_name, identity;
    struct str password;                        /* Argon2id text or empty */
    int64_t created_us, expires_us, revoked_us; /* 0: never */
    struct str token_hash, cert_hash;           /* 32 bytes each, or empty */
};
struct store_user_new {
    struct str name, role, password;
    int64_t org, expires_us;
    const unsigned char *token_hash; /* 32 bytes or NULL */
    const unsigned char *cert_hash;  /* 32 bytes or NULL */
};
bool store_user_add(struct store *s, const struct store_user_new *u, int64_t *id, struct err *e)
    BASE_CHECKED; /* ERR_CONFLICT: the name or certificate is taken */
bool store_user_revoke(struct store *s, struct str name, int64_t at_us, struct err *e) BASE_CHECKED;
/* One of four keys; ERR_NOT_FOUND without one. Text is copied into `arena`. */
bool store_user_get(struct store *s, struct arena *arena, int64_t id, struct store_user *out,
                    struct err *e) BASE_CHECKED;
bool store_user_by_name(struct store *s, struct arena *arena, struct str name,
                        struct store_user *out, struct err *e) BASE_CHECKED;
bool store_user_by_token(struct store *s, struct arena *arena, const unsigned char hash[32],
                         struct store_user *out, struct err *e) BASE_CHECKED;
bool store_user_by_cert(struct store *s, struct arena *arena, const unsigned char hash[32],
                        struct store_user *out, struct err *e) BASE_CHECKED;
typedef bool store_user_fn(void *ctx, const struct store_user *u); /* false stops */
bool store_user_each(struct store *s, struct arena *arena, store_user_fn *each, void *ctx,
                     struct err *e) BASE_CHECKED;

/* ---- collections ---- */

struct store_collection {
    int64_t id;
    struct str uuid, root, title, alias, description;
    unsigned marking; /* enum stix_tlp of unmarked objects */
};
bool store_collection_add(struct store *s, const struct store_collection *c, int64_t *id,
                          struct err *e) BASE_CHECKED; /* ERR_CONFLICT: alias taken in this root */
typedef bool store_collection_fn(void *ctx, const struct store_collection *c);
/* In the order they were made; text lives during the call. */
bool store_collection_each(struct store *s, store_collection_fn *each, void *ctx,
                           struct err *e) BASE_CHECKED;

/* ---- audiences: canonical texts of policy.h, interned ---- */

bool store_audience_put(struct store *s, struct str text, int64_t *id, struct err *e) BASE_CHECKED;
typedef bool store_audience_fn(void *ctx, int64_t id, struct str text);
/* Those with an id above `after`, in order. */
bool store_audience_each(struct store *s, int64_t after, store_audience_fn *each, void *ctx,
                         struct err *e) BASE_CHECKED;

/* ---- objects: writing ---- */

/* The number that all versions of one STIX id share here: a keyed hash, so it says nothing of which
 * ids are stored, and nobody outside can make two ids share one. */
int64_t store_name(const struct store *s, struct str id);

/* One stored version. */
struct store_object {
    int64_t object, name, received_us;
    int64_t source_org; /* who submitted it */
    int64_t user;       /* … the user who did; 0: nobody in particular */
    int64_t first_org;  /* who submitted the first version of its id */
    int64_t owner_org;  /* whose it is: the creator where known here, else its first submitter */
    int64_t version_us; /* modified, else created; received_us where the object has neither */
    bool has_version, revoked;
    bool copy;        /* a redacted copy that was made here */
    unsigned tlp;     /* enum stix_tlp: the strictest of its own markings */
    uint64_t leaf;    /* store_release_add: the ledger's leaf that records the release */
    bool first;       /* … and nothing else of its id is released: it need not be looked for */
    unsigned marking; /* enum stix_tlp that counts while the object carries none */
    struct str id, version, type; /* version: its own text, or STR_NONE */
    struct str bytes;
};
typedef bool store_object_fn(void *ctx, const struct store_object *o);
/* What the write path asks before it adds a version. */
struct store_known {
    int64_t name;                 /* 0: no version of this id is stored */
    int64_t owner_org, first_org; /* of all stored versions */
    int64_t newest_us;            /* the latest version_us of the id */
    bool revoked_before;          /* a version before this one is revoked */
    bool is_copy;                 /* it is a redacted copy that was made here */
    int64_t object, version_us;   /* this very version, when it is stored; else 0 */
    int64_t object_source_org, object_user, object_received_us;
    unsigned object_marking;
};
/* Looks for o->id and the version that o->has_version, o->version_us and o->source_org name: a
 * versioned object has one content for everybody (STIX 2.1 §3.6), one without versions is each
 * submitter's own. Where it is stored, `same` (or NULL) sees it with its bytes. For the write path:
 * no reader's request may end here. */
bool store_object_known(struct store *s, const struct store_object *o, store_object_fn *same,
                        void *ctx, struct store_known *out, struct err *e) BASE_CHECKED;
/* Every stored version of a STIX id, oldest version first; text and bytes live during the call.
 * For the command line; no reader's request may end here. */
bool store_object_versions(struct store *s, struct str id, store_object_fn *each, void *ctx,
                           struct err *e) BASE_CHECKED;
/* One stored version by its number; ERR_NOT_FOUND. */
bool store_object_get(struct store *s, int64_t object, store_object_fn *each, void *ctx,
                      struct err *e) BASE_CHECKED;
/* Originals (no copies) with a number above `after`, in order, at most `limit`. */
bool store_object_after(struct store *s, int64_t after, size_t limit, store_object_fn *each,
                        void *ctx, struct err *e) BASE_CHECKED;
bool store_object_count(struct store *s, uint64_t *count, struct err *e) BASE_CHECKED;
/* Adds a version. Fills o->object and o->name. */
bool store_object_add(struct store *s, struct store_object *o, struct err *e) BASE_CHECKED;
/* Raises the marking that counts while the object carries none. */
bool store_object_mark(struct store *s, int64_t object, unsigned marking,
                       struct err *e) BASE_CHECKED;
/* Releases an object to an audience in a collection. `*date_added` (microseconds) is later than
 * every date_added of that collection and not before now. */
bool store_release_add(struct store *s, int64_t collection, int64_t audience,
                       const struct store_object *o, int64_t *date_added,
                       struct err *e) BASE_CHECKED;
/* One row: `object`, a version of `name`, is released to an audience. */
struct store_release {
    int64_t collection, audience, date_added, object, name, version_us;
    uint64_t leaf; /* of the ledger, which records the release */
    struct str audience_text;
};
typedef bool store_release_fn(void *ctx, const struct store_release *r); /* false stops */
/* The rows of an object in all collections; text lives during the call. */
bool store_release_each(struct store *s, int64_t object, store_release_fn *each, void *ctx,
                        struct err *e) BASE_CHECKED;
/* The rows of all copies that were made of an object. */
bool store_release_copies(struct store *s, int64_t origin, store_release_fn *each, void *ctx,
                          struct err *e) BASE_CHECKED;
/* The different audiences that have any version of a name in any collection. */
bool store_release_readers(struct store *s, int64_t name, store_text_fn *each, void *ctx,
                           struct err *e) BASE_CHECKED;
/* Gives the row another audience and leaves its date as it is; audience 0 takes the row back. An
 * object that no collection holds any more is deleted. */
bool store_release_set(struct store *s, const struct store_release *r, int64_t audience,
                       struct err *e) BASE_CHECKED;
/* What is taken back of a name in a collection. */
struct store_removal {
    int64_t collection, name;
    int64_t org;               /* only what this organisation submitted or owns; 0: anybody's */
    const int64_t *version_us; /* only these versions; NULL: all */
    size_t version_count;
};
/* Objects that no collection holds any more are deleted. Fills how many rows it took back. */
bool store_release_remove(struct store *s, const struct store_removal *r, size_t *removed,
                          struct err *e) BASE_CHECKED;

/* ---- what ties objects to each other ---- */

typedef bool store_number_fn(void *ctx, int64_t number); /* false stops */

/* `object` names the id whose store_name is `target`. */
bool store_reference_put(struct store *s, int64_t target, int64_t object,
                         struct err *e) BASE_CHECKED;
typedef bool store_referrer_fn(void *ctx, int64_t object, struct str type); /* false stops */
/* The originals that name `target`, in order of arrival. */
bool store_referrers(struct store *s, int64_t target, store_referrer_fn *each, void *ctx,
                     struct err *e) BASE_CHECKED;

/* Under one kind of view (policy.h) an id goes out as another. Kept when the objects are gone, so
 * that what comes back later still finds its way. */
#define STORE_PROFILE_BYTES 16
struct store_copy {
    unsigned char profile[STORE_PROFILE_BYTES];
    struct str origin_id, copy_id;
    bool varied; /* not all recipients of this view have this copy (gate.c, variant_of) */
};
/* Has anything ever gone out as a copy? */
bool store_copy_any(struct store *s, bool *any, struct err *e) BASE_CHECKED;
bool store_copy_put(struct store *s, const struct store_copy *c, struct err *e) BASE_CHECKED;
/* Every id under which a version of it went out as a copy, in a fixed order; text lives during the
 * call. */
typedef bool store_copy_fn(void *ctx, struct str copy_id, bool varied); /* false stops */
bool store_copies_of(struct store *s, struct str origin_id, store_copy_fn *each, void *ctx,
                     struct err *e) BASE_CHECKED;
/* STR_NONE when it is no copy, or one of several originals (observables that become equal). */
bool store_copy_origin(struct store *s, struct arena *a, struct str copy_id, struct str *origin_id,
                       struct err *e) BASE_CHECKED;
/* The stored copy was made of the stored original; several originals may share an observable's. */
bool store_derived_put(struct store *s, int64_t origin, int64_t copy, struct err *e) BASE_CHECKED;
/* The stored copies of an original, oldest version first. */
bool store_derived_copies(struct store *s, int64_t origin, store_object_fn *each, void *ctx,
                          struct err *e) BASE_CHECKED;
bool store_derived_origins(struct store *s, int64_t copy, store_number_fn *each, void *ctx,
                           struct err *e) BASE_CHECKED;

/* Who submitted a stored object into a collection besides its source. */
bool store_submitter_put(struct store *s, int64_t object, int64_t collection, int64_t org,
                         struct err *e) BASE_CHECKED;
typedef bool store_org_fn(void *ctx, const struct store_org *o); /* false stops */
bool store_submitter_each(struct store *s, int64_t object, int64_t collection, store_org_fn *each,
                          void *ctx, struct err *e) BASE_CHECKED;

/* Objects whose release is to be decided again; one entry each. */
bool store_pending_put(struct store *s, int64_t object, struct err *e) BASE_CHECKED;
/* Takes at most `most` of them out. */
bool store_pending_take(struct store *s, size_t most, int64_t *out, size_t *count,
                        struct err *e) BASE_CHECKED;

/* ---- the release desk: what waits for officers ---- */

enum store_desk_kind { STORE_DESK_HOLD, STORE_DESK_QUARANTINE };
enum store_desk_state {
    STORE_DESK_WAITING,
    STORE_DESK_APPROVED,
    STORE_DESK_REFUSED,
    STORE_DESK_EXPIRED,
    STORE_DESK_VOID /* the policy asks for it no more */
};
struct store_desk {
    int64_t id;
    enum store_desk_kind kind;
    enum store_desk_state state;
    int64_t object;                /* a hold's; 0 in quarantine */
    int64_t collection, org, user; /* org, user: who submitted it; user 0: nobody in particular */
    struct str audience;           /* a hold's: who waits for it */
    struct str stix_id, type, rule, reason;
    unsigned rule_line, officers;
    bool by_name;
    int64_t at_us, expires_us;
    struct str bytes; /* in quarantine; of store_desk_get only */
};
typedef bool store_desk_fn(void *ctx, const struct store_desk *d); /* false stops */
bool store_desk_add(struct store *s, const struct store_desk *d, struct err *e) BASE_CHECKED;
bool store_desk_get(struct store *s, int64_t id, store_desk_fn *each, void *ctx,
                    struct err *e) BASE_CHECKED; /* ERR_NOT_FOUND */
/* In order of arrival; `all`: also what is closed. */
bool store_desk_each(struct store *s, bool all, store_desk_fn *each, void *ctx,
                     struct err *e) BASE_CHECKED;
bool store_desk_of_object(struct store *s, int64_t object, int64_t collection, store_desk_fn *each,
                          void *ctx, struct err *e) BASE_CHECKED;
/* Does anything wait? */
bool store_desk_any(struct store *s, bool *any, struct err *e) BASE_CHECKED;
/* ERR_CONFLICT when it does not wait any more. */
bool store_desk_close(struct store *s, int64_t id, enum store_desk_state state, struct str reason,
                      struct err *e) BASE_CHECKED;
/* Closes what has waited too long. */
bool store_desk_expire(struct store *s, int64_t now_us, struct err *e) BASE_CHECKED;
/* An officer's approval for one party (`JP/nisc`) or, with an empty one, for all; once each. */
bool store_vote_put(struct store *s, int64_t desk, struct str party, int64_t user, int64_t at_us,
                    struct err *e) BASE_CHECKED;
struct store_vote {
    struct str party, user_name;
    int64_t at_us, user;
};
typedef bool store_vote_fn(void *ctx, const struct store_vote *v); /* false stops */
bool store_vote_each(struct store *s, int64_t desk, store_vote_fn *each, void *ctx,
                     struct err *e) BASE_CHECKED;

/* ---- the ledger (ledger.h): leaves, and the records that they stand for ---- */

#define STORE_LEDGER_SALT_BYTES 16

struct store_leaf {
    uint64_t index;
    struct ledger_hash entry;
    struct str salt, record; /* an erased record is empty */
    int64_t audience;        /* those who may see the record, beside auditors; 0: nobody */
};
bool store_ledger_size(struct store *s, uint64_t *size, struct err *e) BASE_CHECKED;
/* Adds leaves to a log of `size`, which is what store_ledger_size said in this transaction. Fills
 * their `entry`. */
bool store_ledger_append(struct store *s, uint64_t size, struct store_leaf *leaves, size_t count,
                         struct err *e) BASE_CHECKED;
bool store_ledger_entries(struct store *s, uint64_t first, size_t count, struct ledger_hash *out,
                          struct err *e) BASE_CHECKED;
typedef bool store_leaf_fn(void *ctx, const struct store_leaf *l); /* false stops */
/* The leaves from `first` until before `end`, in order. */
bool store_ledger_each(struct store *s, uint64_t first, uint64_t end, store_leaf_fn *each,
                       void *ctx, struct err *e) BASE_CHECKED;
/* Reads from, and in a transaction writes to, the store: as long as it is open. */
struct ledger_tiles store_ledger_tiles(struct store *s);
/* How many hashes of the levels above 0 are kept. */
bool store_ledger_node_count(struct store *s, uint64_t *count, struct err *e) BASE_CHECKED;
/* Every object, copies too, in order of their numbers, with its bytes. */
bool store_ledger_objects(struct store *s, store_object_fn *each, void *ctx,
                          struct err *e) BASE_CHECKED;
/* Every release row whose leaf, as a signed number, is in [first, last], in no order and without
 * the audience's text; costs a walk over all rows. */
bool store_ledger_releases(struct store *s, int64_t first, int64_t last, store_release_fn *each,
                           void *ctx, struct err *e) BASE_CHECKED;
/* Forgets a record and its salt; the entry stays, and every proof with it. */
bool store_ledger_erase(struct store *s, uint64_t index, struct err *e) BASE_CHECKED;

/* ---- objects: reading ---- */

/* TAXII 2.1 §3.4.1 match[version]; flags add up. */
enum { STORE_LAST = 1, STORE_FIRST = 2, STORE_ALL = 4 };

/* What a reader may see and asks for. */
struct store_query {
    int64_t collection;
    const int64_t *audiences; /* the reader's; nothing else is reachable */
    size_t audience_count;
    int64_t after_us;   /* date_added > this one */
    size_t limit;       /* rows at the most */
    size_t limit_bytes; /* stop before a row that passes it (0: none); one row always comes */
    const struct str *ids, *types; /* any of them; none: all */
    size_t id_count, type_count;
    unsigned versions;         /* STORE_… flags */
    const int64_t *version_us; /* exact ones, beside the flags */
    size_t version_count;
    bool with_bytes;
    bool bytes_only; /* with them: nothing else of an object but its number, name and markings */
    /* Without ids: after so many rows that no version filter let through (0: however many) the
     * page ends early; more follow, behind the date_added in *upto_us, which is else untouched. */
    size_t skip_limit;
    int64_t *upto_us;
};
struct store_row {
    int64_t date_added;
    const struct store_object *object;
};
typedef bool store_row_fn(void *ctx, const struct store_row *r);
/* Rows in order of date_added; `*more` says that at least one more would follow. */
bool store_read(struct store *s, const struct store_query *q, store_row_fn *each, void *ctx,
                bool *more, struct err *e) BASE_CHECKED;

/* ---- has anything changed for a reader? ---- */

/* What a page was made of, as far as it can change: rows were added behind the newest one, and
 * others left or joined the reader's audiences. It counts only what the reader could see: a row
 * that goes from one of its audiences to another is none. */
struct store_stand {
    int64_t newest_us; /* date_added of the last row; INT64_MIN without one */
    uint64_t moved;    /* never falls */
};
/* Of the reader that q->audiences (in rising order) and q->collection name; in a transaction. */
bool store_stand(struct store *s, const struct store_query *q, struct store_stand *out,
                 struct err *e) BASE_CHECKED;
/* The names of the reader's rows behind q->after_us, in order of date_added; at most q->limit of
 * them, which is what `out` has room for, and whether others follow. */
struct store_name {
    int64_t name, date_added;
};
bool store_names_after(struct store *s, const struct store_query *q, struct store_name *out,
                       size_t *count, bool *more, struct err *e) BASE_CHECKED;
/* A number that differs from one call to the next when other handles have committed between them;
 * in a transaction, of the state that it shows. */
bool store_state(struct store *s, int64_t *state, struct err *e) BASE_CHECKED;

/* Where rows were added in the last transaction of this handle: each pair once, LIMIT_STORE_ADDED
 * at the most. False: there are more. */
struct store_added {
    int64_t collection, audience;
};
bool store_added(struct store *s, const struct store_added **list, size_t *count);

/* ---- status resources (TAXII 2.1 §4.3), values of the node, cursors of partners ---- */

bool store_status_put(struct store *s, const char *uuid, int64_t user, int64_t at_us,
                      struct str json, struct err *e) BASE_CHECKED;
/* ERR_NOT_FOUND also when it is another user's. */
bool store_status_get(struct store *s, struct str uuid, int64_t user, struct buf *json,
                      struct err *e) BASE_CHECKED;
/* Those of envelopes that wait stay. */
bool store_status_expire(struct store *s, int64_t before_us, struct err *e) BASE_CHECKED;

/* An envelope that was acknowledged before it was decided about. */
struct store_envelope {
    int64_t id, user, collection, at_us; /* id: store_envelope_put leaves it alone */
    uint64_t decided;                    /* of its objects; store_envelope_put leaves it alone */
    struct str uuid;                     /* of its status resource */
    struct str body;                     /* as it was received */
};
bool store_envelope_put(struct store *s, const struct store_envelope *v,
                        struct err *e) BASE_CHECKED;
/* Of all bodies that wait, of those of this organisation's users, and of this user's. */
struct store_waiting_bytes {
    uint64_t all, org, user;
};
bool store_envelope_bytes(struct store *s, int64_t user, int64_t org,
                          struct store_waiting_bytes *out, struct err *e) BASE_CHECKED;
/* How many wait, with how many bytes; oldest_us: when the first of them was sent. */
struct store_backlog {
    uint64_t count, bytes;
    int64_t oldest_us;
};
bool store_envelope_backlog(struct store *s, struct store_backlog *out, struct err *e) BASE_CHECKED;
/* All that wait, in the order in which they came; org: its user's, 0 when that is not there. */
typedef void store_waiting_fn(void *ctx, int64_t id, int64_t org);
bool store_envelope_waiting(struct store *s, store_waiting_fn *each, void *ctx,
                            struct err *e) BASE_CHECKED;
/* Text lives during the call. Calls nothing when it does not wait any more. */
typedef void store_envelope_fn(void *ctx, const struct store_envelope *v);
bool store_envelope_get(struct store *s, int64_t id, store_envelope_fn *each, void *ctx,
                        struct err *e) BASE_CHECKED;
/* The first `from` objects were decided about, and now the first `upto`; *there is false, and
 * nothing changed, when another went on with it, or took it out. */
bool store_envelope_advance(struct store *s, int64_t id, uint64_t from, uint64_t upto, bool *there,
                            struct err *e) BASE_CHECKED;
/* The same where these are all: takes it out. */
bool store_envelope_take(struct store *s, int64_t id, uint64_t from, bool *there,
                         struct err *e) BASE_CHECKED;
/* *waits: it was not taken out. */
bool store_envelope_waits(struct store *s, int64_t id, bool *waits, struct err *e) BASE_CHECKED;
/* What became of the objects from `first` on, in the caller's words; until store_envelope_end. */
bool store_piece_put(struct store *s, int64_t id, uint64_t first, struct str results,
                     struct err *e) BASE_CHECKED;
typedef bool store_piece_fn(void *ctx, uint64_t first, struct str results); /* false stops */
bool store_piece_each(struct store *s, int64_t id, store_piece_fn *each, void *ctx,
                      struct err *e) BASE_CHECKED;
/* Those of a collection and of an organisation's users (0: of any) whose status holds `text`. */
bool store_envelope_naming(struct store *s, int64_t collection, int64_t org, struct str text,
                           store_waiting_fn *each, void *ctx, struct err *e) BASE_CHECKED;
/* Notes that an id of it was taken back; *noted is false when that was noted before, or it does not
 * wait any more. */
bool store_envelope_withdraw(struct store *s, int64_t id, struct str stix_id, bool *noted,
                             struct err *e) BASE_CHECKED;
/* Was this id of it taken back? STR_NONE: any? What was noted stays until store_envelope_end,
 * which its being taken out does not do. */
bool store_envelope_withdrawn(struct store *s, int64_t id, struct str stix_id, bool *yes,
                              struct err *e) BASE_CHECKED;
bool store_envelope_end(struct store *s, int64_t id, struct err *e) BASE_CHECKED;

/* Small named values (a partner's cursor …). ERR_NOT_FOUND without one. */
bool store_value_get(struct store *s, struct str key, struct buf *out, struct err *e) BASE_CHECKED;
bool store_value_put(struct store *s, struct str key, struct str value, struct err *e) BASE_CHECKED;

/* Partners: one row a collection pulled. */
struct store_peer {
    int64_t id, collection;         /* the local collection it goes into */
    struct str name, url, ca, auth; /* files and tokens as `setu peer add` was given them */
    struct str remote, nation, org; /* the remote collection (id, alias or title); who they are */
    struct str cursor;              /* last date_added taken, or empty */
    uint64_t withdrawn;             /* its withdrawals are known before this leaf of its ledger */
};
bool store_peer_add(struct store *s, const struct store_peer *p, struct err *e) BASE_CHECKED;
bool store_peer_cursor(struct store *s, int64_t id, struct str cursor, struct err *e) BASE_CHECKED;
bool store_peer_withdrawn(struct store *s, int64_t id, uint64_t next, struct err *e) BASE_CHECKED;
/* What a partner, NATION/org, withdrew is asked for again from its first leaf on. */
bool store_peer_again(struct store *s, struct str party, struct err *e) BASE_CHECKED;
typedef bool store_peer_fn(void *ctx, const struct store_peer *p);
bool store_peer_each(struct store *s, struct arena *arena, store_peer_fn *each, void *ctx,
                     struct err *e) BASE_CHECKED;

/* ---- ledgers that witness each other: one row a partner ---- */

/* Texts are empty where there is nothing yet. */
struct store_witness {
    struct str party;                /* NATION/org */
    struct str log_key, witness_key; /* its verifier keys, which do not change any more */
    struct str seen;                 /* the last good checkpoint of its log, countersigned here */
    struct str state;                /* what is wrong: fork, rollback, bad-proof … */
    struct str evidence;             /* the checkpoint that shows it, with `seen` */
    struct str cosigned;             /* the last checkpoint of our log that it countersigned */
    int64_t seen_us, cosigned_us;
    int64_t accepted_us; /* of the last confirmation of a restore there that was accepted */
};
/* Fills all but `party` with nothing when there is no row. Text is in `a`. */
bool store_witness_get(struct store *s, struct arena *a, struct str party,
                       struct store_witness *out, struct err *e) BASE_CHECKED;
bool store_witness_put(struct store *s, const struct store_witness *w, struct err *e) BASE_CHECKED;
typedef bool store_witness_fn(void *ctx, const struct store_witness *w); /* false stops */
bool store_witness_each(struct store *s, struct arena *a, store_witness_fn *each, void *ctx,
                        struct err *e) BASE_CHECKED;
/* What was ever found against a partner's log; kept also when it was accepted. */
struct store_evidence {
    int64_t at_us;
    struct str party, finding;
    struct str before, after; /* the checkpoint that was good, and the one against it */
};
/* Adds it unless the same is there, or LIMIT_LEDGER_EVIDENCE_KEPT of this party are. */
bool store_evidence_add(struct store *s, const struct store_evidence *v,
                        struct err *e) BASE_CHECKED;
typedef bool store_evidence_fn(void *ctx, const struct store_evidence *v); /* false stops */
/* In the order in which it was found; text lives during the call. */
bool store_evidence_each(struct store *s, struct str party, store_evidence_fn *each, void *ctx,
                         struct err *e) BASE_CHECKED;

/* ---- withdrawals, and the receipts for them ---- */

/* One a withdrawal record of the ledger. Text lives during the call. */
struct store_withdrawal {
    uint64_t leaf;                      /* of the record */
    int64_t audience, at_us;            /* who had it */
    int64_t source_org;                 /* who had submitted it; 0: this node made it, a copy */
    struct str collection, id, version; /* the collection's uuid; the object as they knew it */
    struct str audience_text;           /* filled by all but store_withdrawal_each */
};
bool store_withdrawal_add(struct store *s, const struct store_withdrawal *w,
                          struct err *e) BASE_CHECKED;
typedef bool store_withdrawal_fn(void *ctx, const struct store_withdrawal *w); /* false stops */
/* From one collection and audience, from leaf `first` on, in order, at most `limit`. */
struct store_withdrawn {
    struct str collection;
    int64_t audience;
    uint64_t first;
    size_t limit;
};
bool store_withdrawal_each(struct store *s, const struct store_withdrawn *q,
                           store_withdrawal_fn *each, void *ctx, struct err *e) BASE_CHECKED;
bool store_withdrawal_any(struct store *s, bool *any, struct err *e) BASE_CHECKED;
/* All of an id. */
bool store_withdrawal_of(struct store *s, struct str id, store_withdrawal_fn *each, void *ctx,
                         struct err *e) BASE_CHECKED;
/* All there are, in the order of their leaves. */
bool store_withdrawal_all(struct store *s, store_withdrawal_fn *each, void *ctx,
                          struct err *e) BASE_CHECKED;
/* The one of a leaf; calls nothing when there is none. */
bool store_withdrawal_get(struct store *s, uint64_t leaf, store_withdrawal_fn *each, void *ctx,
                          struct err *e) BASE_CHECKED;

/* That one node took what another withdrew. */
struct store_receipt {
    bool given;               /* by this node to the partner; else the partner's to this node */
    struct str party;         /* NATION/org, the partner */
    struct ledger_hash entry; /* of the withdrawal's leaf in the withdrawing node's ledger … */
    uint64_t leaf;            /* … and that leaf */
    uint64_t own;             /* the leaf of this node's ledger that records the receipt */
    int64_t at_us;
    struct str outcome, proof; /* proof: the partner's, as a proof file; empty when given */
};
bool store_receipt_put(struct store *s, const struct store_receipt *r, struct err *e) BASE_CHECKED;
typedef bool store_receipt_fn(void *ctx, const struct store_receipt *r); /* false stops */
/* The one receipt of r->given, party and entry; calls nothing when there is none. */
bool store_receipt_get(struct store *s, const struct store_receipt *r, store_receipt_fn *each,
                       void *ctx, struct err *e) BASE_CHECKED;
/* All that were given, or all that were taken. */
bool store_receipt_all(struct store *s, bool given, store_receipt_fn *each, void *ctx,
                       struct err *e) BASE_CHECKED;
/* What partners gave for a withdrawal of this node. */
bool store_receipt_each(struct store *s, uint64_t leaf, store_receipt_fn *each, void *ctx,
                        struct err *e) BASE_CHECKED;

#endif
