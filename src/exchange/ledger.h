/*
 * The ledger as the node keeps it (docs/LEDGER.md): leaves and proofs, ledgers that witness each
 * other, withdrawals with receipts, who holds an object, what an auditor checks. The log itself is
 * made in ledger/ledger.h. Threads: as exchange.h says.
 */
#ifndef EXCHANGE_LEDGER_H
#define EXCHANGE_LEDGER_H

#include "base/base.h"
#include "ledger/ledger.h"
#include "policy/policy.h"
#include "store/store.h"

struct exchange;
struct exchange_session;
struct exchange_collection;
struct principal;

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

#endif
