/*
 * The gate: who gets a stored object in a collection, and in what form. One decision (gate.c)
 * serves acceptance, explaining, planning and applying a policy; what differs from the recorded
 * release rows is a list of changes (settle.c), to be written or only counted. A gate serves one
 * thread; its findings about organisations and audiences are kept from one gate_begin to the next.
 */
#ifndef EXCHANGE_GATE_PRIV_H
#define EXCHANGE_GATE_PRIV_H

#include "exchange/exchange_priv.h"

/* Few texts make most audiences: their numbers by the serial of the share. */
#define GATE_INTERNED 64
struct gate_interned {
    uint64_t serial;
    int64_t id;
    char digest[64]; /* of the text, in hexadecimal */
};

/* Sets of recipients that were combined before, in a table of fixed size: the texts are few, too.
 */
#define GATE_COMBINED 1024
struct gate_combined {
    enum policy_set how;
    struct str a, b, out;
};

struct gate {
    const struct exchange *x;
    const struct policy *policy;
    struct store *store;
    struct policy_memo *memo;
    struct json_reader *json;
    struct arena *arena; /* of one decision */
    struct arena *known; /* of one transaction: organisations, audiences */
    struct gate_org *orgs;
    struct gate_named *collections;
    struct gate_definition *definitions; /* of extensions, looked up before */
    struct stix_local local;             /* of the object that is decided about */
    struct gate_interned interned[GATE_INTERNED];
    struct gate_combined *combined; /* GATE_COMBINED of them */
    size_t combined_count;
    struct gate_ledger *ledger;       /* of the writer's gate; else NULL */
    struct str actor;                 /* who acts, for the ledger: NATION/organisation/user */
    struct str node_actor;            /* … of what others are shown */
    struct gate_foresight *foresight; /* of a plan; else NULL */
    bool has_copies;                  /* something has gone out as a copy at some time */
    bool has_desk;                    /* something is or was held */
    bool has_withdrawals;             /* something was taken back at some time */
    bool keeps_references;            /* the table of references is complete, and kept so */
    bool pending_failed;
    bool left; /* more is to be decided again than one transaction took */
    int64_t now_us;
};
bool gate_init(struct gate *g, const struct exchange *x, const struct policy *p,
               struct err *e) BASE_CHECKED;
void gate_done(struct gate *g);
/* Starts with what `s`, in a transaction, holds now. */
bool gate_begin(struct gate *g, struct store *s, struct err *e) BASE_CHECKED;
/* Ends one decision: its memory is given back. */
void gate_next(struct gate *g);
/* A set of recipients in the memory of the decision. */
bool gate_combine(struct gate *g, struct str a, struct str b, enum policy_set how, struct str *out,
                  struct err *e) BASE_CHECKED;

/* The uuid of a collection. */
bool gate_collection(struct gate *g, int64_t id, struct str *uuid, struct err *e) BASE_CHECKED;

/* ---- facts ---- */

/* An organisation known here, by its number or its STIX identity; *out NULL when there is none. */
struct gate_org {
    struct gate_org *next;
    struct str identity; /* as it was asked for; empty: asked by number */
    int64_t id;          /* 0: nobody has this identity */
    struct policy_party party;
};
bool gate_org_of(struct gate *g, int64_t id, const struct gate_org **out,
                 struct err *e) BASE_CHECKED;
bool gate_org_of_identity(struct gate *g, struct str identity, const struct gate_org **out,
                          struct err *e) BASE_CHECKED;

/* A recorded row of an object, or of a copy that was made of it. */
struct gate_row {
    struct gate_row *next;
    struct store_release row;
    const struct gate_share *share; /* gate_compare: to whom it belongs now */
};

enum gate_guarded {
    GATE_NOT_LOOKED,
    GATE_NAMES_NONE,        /* its bytes do not */
    GATE_NAMES_NONE_AT_ALL, /* nor does a property, whichever a definition keeps local */
    GATE_NAMES_SUBSCRIBER
};
/* An object as the gate looks at it. Everything is borrowed. */
struct gate_subject {
    const struct stix_object *object; /* with its tree */
    struct str source;                /* the text that was parsed */
    int64_t row;                      /* its number in the store; 0: not stored yet */
    int64_t user;                     /* who brought it in; 0: nobody in particular */
    int64_t name, version_us;         /* as stored */
    int64_t received_us;
    int64_t source_org;
    const struct exchange_collection *collection;
    unsigned marking;          /* enum stix_tlp that counts while it carries none */
    struct str digest;         /* of the object's bytes, in hexadecimal, where it is known */
    enum gate_guarded guarded; /* does a subscriber's identifier stand in its bytes? */
    bool plain;                /* no definition can keep anything in it local */
    bool first;                /* nothing of its id is released yet, nobody else submitted it */
    struct gate_row *rows;     /* of all collections */
    bool has_rows;             /* … and they are known: gate_rows reads no more */
};
/* Fills s->rows. */
bool gate_rows(struct gate *g, struct gate_subject *s, struct err *e) BASE_CHECKED;
struct gate_subject gate_subject_of(const struct store_object *o, const struct stix_object *object,
                                    const struct exchange_collection *c);
/* Calls `each` for every collection that a stored object stands in; of the collection only its
 * number is known. */
typedef bool gate_standing_fn(void *ctx, struct gate_subject *s, struct err *e);
bool gate_each_standing(struct gate *g, const struct store_object *o, gate_standing_fn *each,
                        void *ctx, struct err *e) BASE_CHECKED;
/* Looks at bytes as they would go; in any thread. ERR_MEMORY: without memory nothing is decided. */
bool gate_guard_find(const struct exchange *x, struct str bytes, enum gate_guarded *out,
                     struct err *e) BASE_CHECKED;
/* What the policy may ask of it. */
bool gate_facts(struct gate *g, const struct gate_subject *s, struct policy_facts *out,
                struct err *e) BASE_CHECKED;
/* The values of an object that stay local, by the definitions that the program carries and those
 * that the store holds. */
bool gate_local(struct gate *g, const struct json *object, struct stix_local *out,
                struct err *e) BASE_CHECKED;
/* Does it name a subscriber, apart from what is local? */
bool gate_names_subscriber(const struct gate *g, const struct gate_subject *s, bool *out,
                           struct err *e) BASE_CHECKED;
/* The warning lists that a value of the object is on, when the policy asks. */
uint64_t gate_lists(const struct policy *p, struct arena *a, const struct stix_object *o);
/* Calls `each` for every id that a *_ref or *_refs property holds, markings aside. */
typedef bool gate_reference_fn(void *ctx, struct str id); /* false stops */
bool gate_references(const struct json *object, gate_reference_fn *each, void *ctx);
/* From now on the store knows what refers to what: before the first copy is made (policy.c). */
bool gate_need_references(struct gate *g, struct err *e) BASE_CHECKED;

/* ---- deciding ---- */

/* What some recipients get of an object in a collection. */
struct gate_share {
    struct gate_share *next;
    struct str audience; /* canonical, not empty; shares of one decision are disjoint */
    enum policy_verdict verdict;
    const struct policy_group *group;
    struct str copy_id, copy_bytes; /* of a redacted copy; STR_NONE: the object itself */
    bool varied;                    /* of a copy: see store_copy */
    uint64_t serial;                /* not 0: equal serials have equal audiences (of one memo) */
};
/* Recipients to whom the rules release it, but of whose copy nothing valid would be left. */
struct gate_withheld {
    struct gate_withheld *next;
    struct str audience, why;
};
struct gate_decision {
    struct gate_share *shares;
    struct gate_withheld *withheld;
    struct str held; /* whom the rules hold, approved or not */
    bool guarded;    /* it, or a copy of it, names a subscriber: it stays at home */
};
bool gate_withhold(struct gate *g, struct gate_decision *out, struct str audience, struct str why,
                   struct err *e) BASE_CHECKED;
/* The second wall (guard.c): withholds what is released but names a subscriber and would go
 * abroad, or holds what is local and would leave the organisation, whatever rules and floors said.
 */
bool gate_wall(struct gate *g, const struct gate_subject *s, const struct policy_facts *f,
               struct gate_decision *d, struct err *e) BASE_CHECKED;
bool gate_decide(struct gate *g, const struct gate_subject *s, struct gate_decision *out,
                 struct err *e) BASE_CHECKED;

/* ---- the ledger (ledger.c) ---- */

struct gate_ledger;
/* At the beginning of the writer's transaction, and at its end. */
bool gate_ledger_begin(struct gate *g, struct err *e) BASE_CHECKED;
bool gate_ledger_end(struct gate *g, struct err *e) BASE_CHECKED;
void gate_ledger_free(struct gate_ledger *l); /* NULL is allowed */
/* Whose deeds the next records are; NULL: the node's own. */
bool gate_act_for(struct gate *g, const struct principal *who, struct err *e) BASE_CHECKED;
/* Adds a record, which those of `audience` (its number, 0: nobody) may see. */
bool gate_record(struct gate *g, struct ledger_record *r, int64_t audience,
                 struct err *e) BASE_CHECKED;
uint64_t gate_next_leaf(const struct gate *g); /* the number that the next record gets */
/* What a record tells of an object; what its kind has not is left out. */
struct gate_told {
    struct str id, version, collection, audience, reason, outcome;
    struct str bytes, digest; /* digest: of bytes, where it is known */
    struct str audience_digest;
    unsigned line;
    const struct policy_group *group; /* NULL, or whose rules decided, in the place of `line` */
    int64_t readers;                  /* of the record */
    int64_t source_org;               /* of a withdrawal: as store_withdrawal */
};
bool gate_record_object(struct gate *g, enum ledger_kind kind, const struct gate_told *t,
                        struct err *e) BASE_CHECKED;
/* The log as it stands in the store, in a transaction, as a signed checkpoint. */
bool ledger_checkpoint_of(const struct exchange *x, struct store *s, struct arena *a,
                          struct buf *out, struct err *e) BASE_CHECKED;
/* The value that holds the one of the last transaction. */
#define LEDGER_HEAD_VALUE "ledger-head"
#define LEDGER_HEX_BYTES  64
void ledger_hex(const unsigned char digest[CRYPT_SHA256_BYTES], char out[LEDGER_HEX_BYTES]);
void ledger_digest(struct str data, char out[LEDGER_HEX_BYTES]);
/* Of all that signs a user in and says what for; `revoked`: with the revocation, if there is one.
 */
void ledger_user_digest(const struct store_user *u, bool revoked, char out[LEDGER_HEX_BYTES]);
void ledger_collection_digest(const struct store_collection *c, char out[LEDGER_HEX_BYTES]);
/* Salted under the node's key: recipients, who are shown it, cannot guess who else there is. */
void ledger_audience_digest(const struct exchange *x, struct str audience,
                            char out[LEDGER_HEX_BYTES]);

/* ---- a restored node (restored.c) ---- */

struct gate_restoring {
    uint64_t size;     /* of the log in the backup */
    int64_t backup_us; /* when it was taken */
    struct str digest; /* of its file */
};
/* Remembers when the last backup was taken, and of how many leaves. */
bool gate_backup_taken(struct gate *g, int64_t at_us, uint64_t size, struct err *e) BASE_CHECKED;
/* Records that the node was restored, has it wait for an officer, and has whatever is released from
 * now on come later than all that was given out since the backup. Fills the record's number. */
bool gate_restored(struct gate *g, const struct gate_restoring *r, uint64_t *leaf,
                   struct err *e) BASE_CHECKED;

/* ---- copies ---- */

/* policy_copy_make, with the version that the copy has or is to get. */
bool gate_copy(struct gate *g, const struct gate_subject *s, const struct policy_view *v,
               struct policy_copy_options *o, struct policy_copy *out, struct err *e) BASE_CHECKED;
bool gate_copy_row(struct gate *g, const struct gate_subject *s, const struct gate_share *share,
                   int64_t *row, struct err *e) BASE_CHECKED;
bool gate_copy_put(struct gate *g, const struct gate_subject *s, const struct gate_share *share,
                   struct store_object *out, struct err *e) BASE_CHECKED;
bool gate_copy_marking(struct gate *g, int64_t collection, struct str audience,
                       struct err *e) BASE_CHECKED;

/* ---- foresight ---- */

/* Before a plan: decides about all until what follows from what is known. */
bool gate_foresee(struct gate *g, struct err *e) BASE_CHECKED;
void gate_foresight_free(struct gate_foresight *f); /* NULL is allowed */
/* What is foreseen, if anything is. */
bool gate_foreseen_readers(const struct gate *g, int64_t name, struct str *out);
bool gate_foreseen_copies(const struct gate *g, int64_t origin, store_copy_fn *each, void *ctx);
bool gate_foreseen_reference(const struct gate *g, int64_t name, struct str type, bool *known);

/* ---- holds (desk.c) ---- */

/* Who of a held share is approved. */
bool gate_approved(struct gate *g, const struct gate_subject *s, const struct gate_share *share,
                   struct str *out, struct err *e) BASE_CHECKED;
/* Calls `each` for the holds of an object that are not void: who waits or waited. */
typedef bool gate_hold_fn(void *ctx, struct str audience);
bool gate_holds(struct gate *g, const struct gate_subject *s, gate_hold_fn *each, void *ctx,
                struct err *e) BASE_CHECKED;
/* Brings the desk in line with a decision: who is held waits there, once. */
bool gate_hold(struct gate *g, const struct gate_subject *s, const struct gate_decision *d,
               struct err *e) BASE_CHECKED;

/* ---- settling ---- */

/* A difference between what is recorded and what was decided. */
struct gate_change {
    struct gate_change *next;
    const struct gate_share *share; /* what they are to have; NULL: nothing any more */
    struct store_release row;       /* the row that changes; object 0: a new one */
    struct str before, after;       /* audiences; empty: no row */
};
bool gate_compare(struct gate *g, struct gate_subject *s, const struct gate_decision *d,
                  struct gate_change **out, struct err *e) BASE_CHECKED;
/* Writes the changes: rows, copies, holds, and which other objects must be decided again; with
 * `withdrawals` only what is taken back. */
bool gate_write(struct gate *g, const struct gate_subject *s, const struct gate_decision *d,
                const struct gate_change *changes, bool withdrawals, struct err *e) BASE_CHECKED;
/* Decides, compares and writes, for one collection. */
bool gate_settle(struct gate *g, struct gate_subject *s, struct gate_decision *d,
                 struct err *e) BASE_CHECKED;
/* The same for a stored object in all collections it stands in. */
bool gate_settle_stored(struct gate *g, const struct store_object *o, bool withdrawals,
                        struct err *e) BASE_CHECKED;
/* Calls `each` for originals with a number above `after`, at most about `most`; `after` goes on
 * with them. `left` is false when none is left. */
struct gate_walk {
    uint64_t after;
    size_t most;
    bool left;
};
typedef bool gate_stored_fn(void *ctx, const struct store_object *o, struct err *e);
bool gate_each_stored(struct gate *g, struct gate_walk *w, gate_stored_fn *each, void *ctx,
                      struct err *e) BASE_CHECKED;
/* Decides again about what earlier changes touch, at most `most` objects; *left: more wait. */
bool gate_pending(struct gate *g, size_t most, bool *left, struct err *e) BASE_CHECKED;

#endif
