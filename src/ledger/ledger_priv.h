/* What the files of this room lend each other. */
#ifndef LEDGER_LEDGER_PRIV_H
#define LEDGER_LEDGER_PRIV_H

#include "ledger/ledger.h"

/* The root over `count` hashes, a power of two. */
void ledger_full_root(const struct ledger_hash *hashes, size_t count, struct ledger_hash *root);
/* The root over neighbouring full subtrees, each larger than the next; at least one. */
void ledger_fold(const struct ledger_hash *subtrees, size_t count, struct ledger_hash *root);

/* A hash in base64, as checkpoints and proof files write it. */
void ledger_hash_put(const struct ledger_hash *h, struct buf *out);
bool ledger_hash_get(struct str text, struct ledger_hash *out);

/* Is it a text of whole lines that a note can sign: UTF-8, no control but newlines, one at the end?
 */
bool ledger_text_valid(struct str text);
/* Reads a note's text as a checkpoint; fills all but `note`. */
bool ledger_checkpoint_read(struct str text, struct ledger_checkpoint *out,
                            struct err *e) BASE_CHECKED;

#endif
