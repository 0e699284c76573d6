/* Shared by the two halves of verifying a ledger: is the log whole (ledger_audit.c), and does the
 * store hold just what it records (ledger_agree.c)? */
#ifndef EXCHANGE_AUDIT_PRIV_H
#define EXCHANGE_AUDIT_PRIV_H

#include "exchange/exchange_priv.h"

struct audit {
    struct exchange_session *s;
    const struct exchange_audit *o;
    struct exchange_audit_report *out;
    struct err *e;
    uint64_t done, all; /* leaves looked at, for the progress */
};

/* A finding, in printf form. `index`: the leaf, or AUDIT_NO_LEAF. */
#define AUDIT_NO_LEAF UINT64_MAX
void audit_tell(struct audit *a, const char *what, uint64_t index, const char *fmt, ...)
    BASE_PRINTF(4, 5);
/* Counts a leaf that was looked at. */
void audit_step(struct audit *a);
/* Does the store hold what the log records, and nothing else? In the session's transaction. */
bool audit_agree(struct audit *a) BASE_CHECKED;

/* ---- what records are the only word for ---- */

/* By it what is stored and its record find each other, and an erasure tells what it was about. */
enum audit_kind {
    AUDIT_OBJECT = 'o',
    AUDIT_HOLD = 'h',
    AUDIT_QUARANTINE = 'q',
    AUDIT_PERSON = 'u',
    AUDIT_DECISION = 'd',
    AUDIT_MADE = 'c',
    AUDIT_TAKEN = 't',
    AUDIT_RECEIPT = 'e',
    AUDIT_RELEASE = 'w'
};
#define AUDIT_NUMBER_BYTES 24 /* of a leaf's number, as a text */
struct audit_key {
    enum audit_kind kind;
    struct str part[3];                                    /* texts as records have them */
    char room[AUDIT_NUMBER_BYTES + LEDGER_HASH_BYTES * 2]; /* of some */
};
/* Of a record that was scanned, as long as its text lives and `out` stays in its place. False:
 * nothing in the store goes by it. */
bool audit_key_of(const struct ledger_record *r, uint64_t leaf, struct audit_key *out);
/* Under the node's key, in hexadecimal: who has only the ledger cannot guess by it. */
void audit_key_digest(const struct exchange *x, const struct audit_key *k,
                      char out[LEDGER_HASH_BYTES * 2]);
struct str audit_number(uint64_t leaf, char room[AUDIT_NUMBER_BYTES]);

/* ---- a set of numbers, each with a mark ---- */

struct audit_set {
    uint64_t *keys; /* 0: free */
    bool *marked;
    size_t count, room; /* room: a power of two */
};
bool audit_set_add(struct audit_set *s, uint64_t key, struct err *e) BASE_CHECKED;
/* The mark of a number, or NULL when it is not in the set. */
bool *audit_set_mark(const struct audit_set *s, uint64_t key);
/* Is every number marked? */
bool audit_set_all(const struct audit_set *s);
void audit_set_done(struct audit_set *s);

/* ---- audiences, those of the store and what is left of them ---- */

struct audit_audience {
    struct str text;
    char digest[64]; /* as records have it */
};
struct audit_audiences {
    const struct exchange *x;
    struct arena *arena;
    struct audit_audience *list; /* by number; those of the store first */
    size_t count, room, stored;
    struct {
        uint32_t a, b, how, out;
    } memo[1024];
    bool failed;
};
/* Reads those of the store. */
bool audit_audiences_open(struct audit_audiences *t, const struct exchange_session *s,
                          struct err *e) BASE_CHECKED;
void audit_audiences_done(struct audit_audiences *t);
/* *out is 0 for nobody. Numbers that are not in the list are nobody. */
bool audit_combine(struct audit_audiences *t, uint32_t a, uint32_t b, enum policy_set how,
                   uint32_t *out, struct err *e) BASE_CHECKED;

#endif
