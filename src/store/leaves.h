/*
 * The leaves of one row of the ledger, side by side: a record is written as what differs from one
 * shortly before it, for the records of a batch share actor, time, collection, rule and policy.
 *
 *   leaf    = audience length back same salt pieces
 *   audience  8 bytes, whose leaf it is to read (store_leaf); length  4 bytes, of the record;
 *             0 is an erased one; both little-endian
 *   back      1 byte: so many leaves before is the record that this one is told from, 0: none
 *   same      4 bytes: bit k is set when piece k is as in that record
 *   pieces    those that are not, one after the other
 *
 * A piece ends behind '",' and so is a member as a rule; the last of LEAF_PIECES is all the rest.
 * There is one way to write a leaf, and no other is read: a changed byte shows in what is read or
 * as damage.
 */
#ifndef STORE_LEAVES_H
#define STORE_LEAVES_H

#include "store/store.h"

#define LEAF_PIECES 32 /* bits of `same` */
#define LEAF_PAST   8  /* records kept, the one at hand among them; a power of two */

struct leaf_record {
    struct buf text;
    size_t ends[LEAF_PIECES];
    size_t pieces;
};
/* The records last written or read. Zeroed it is at the beginning of a row. */
struct leaf_past {
    struct leaf_record records[LEAF_PAST];
    size_t count; /* of leaves so far */
};
void leaf_past_init(struct leaf_past *p);
void leaf_past_done(struct leaf_past *p);
void leaf_past_clear(struct leaf_past *p); /* a row begins */

/* Appends `l` to `out`. Its salt has STORE_LEDGER_SALT_BYTES and its record at most
 * LIMIT_LEDGER_RECORD_BYTES. */
void leaf_put(struct leaf_past *p, const struct store_leaf *l, struct buf *out);

/* Takes the next leaf from `rest`: audience, salt (borrowed from `rest`) and record (borrowed from
 * `p`, until LEAF_PAST leaves later). ERR_STORE: no leaf is there. */
bool leaf_take(struct leaf_past *p, struct str *rest, struct store_leaf *l,
               struct err *e) BASE_CHECKED;

#endif
