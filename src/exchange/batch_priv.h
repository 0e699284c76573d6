/* A batch of objects on its way: prepared in accept.c, decided about and written in arrive.c. */
#ifndef EXCHANGE_BATCH_PRIV_H
#define EXCHANGE_BATCH_PRIV_H

#include "exchange/gate_priv.h"

/* One object on its way. */
struct exchange_item {
    struct exchange_result result;
    const struct json *json; /* as it came */
    struct stix_object object;
    struct str bytes;
    char digest[LEDGER_HEX_BYTES]; /* of bytes; zeros where they cannot be told */
    enum gate_guarded guarded;
    bool plain;              /* no definition can keep anything in it local */
    struct store_object row; /* as it stands in the store, once it does */
    bool go;                 /* a good object: to be decided about */
    bool stands;             /* it is stored, and its release is to be settled */
    bool fresh;              /* … for the first time: it has no rows yet */
    bool first;              /* … and nothing had its id until then */
    bool stood;              /* … and was in this collection before */
};

struct exchange_batch {
    struct exchange_job job; /* first, so that a job is its batch */
    struct arena *arena;
    struct principal who;
    struct exchange_collection collection;
    bool from_partner;
    bool approved; /* an officer let it out of quarantine */
    exchange_status_fn *status;
    struct buf json; /* … which it wrote last */
    struct str text; /* what the items were parsed from */
    bool deferred;   /* only kept now; later a batch made of it is decided about */
    bool too_much;   /* … but too much is waiting already */
    int64_t waiting; /* the store's number of the envelope that it is made of; else 0 */
    bool withdrawn;  /* … and some of it was taken back while it waited */
    bool gone;       /* … and another process went on with it meanwhile */
    struct exchange *x;
    struct exchange_item *items;
    size_t count;
    size_t from, upto; /* what one transaction decides about: all, but of an envelope that waited */
    char uuid[CRYPT_UUID_TEXT];
    int64_t at_us;
    exchange_done_fn *done;
    void *done_ctx;
};

/* For the writer too: a batch may be applied twice, so this leaves `go` alone. */
void exchange_conclude(struct exchange_batch *b, struct exchange_item *it,
                       enum exchange_outcome outcome, struct str rule, struct str message);
/* A batch of objects of `text` (or of things in no text) nothing is known of yet; then each is
 * checked, or all from `from` on are refused. */
bool exchange_batch_make(const struct exchange_submission *sub, struct str text,
                         const struct json *first, size_t count, struct exchange_batch **out,
                         struct err *e) BASE_CHECKED;
bool exchange_batch_check(struct exchange *x, struct exchange_batch *b, struct err *e) BASE_CHECKED;
bool exchange_batch_refuse(struct exchange_batch *b, struct str rule, struct str why,
                           struct err *e) BASE_CHECKED;
/* … where the batch is made not of objects but of what a status says of each, its id and version.
 */
bool exchange_batch_refuse_named(struct exchange_batch *b, struct str rule, struct str why,
                                 struct err *e) BASE_CHECKED;
/* Of a large batch that waited, pieces (pieces.c). What became of the first `decided` of its
 * objects is read back from the store. */
bool exchange_pieces_resume(struct exchange_batch *b, struct store *s, uint64_t decided,
                            struct err *e) BASE_CHECKED;
/* Inside the writer's transaction: sets `upto` to where this piece ends, notes that it is decided
 * about, and `gone`. */
bool exchange_piece_begin(struct gate *g, struct exchange_batch *b, struct err *e) BASE_CHECKED;
/* After it was decided about: keeps what became of it, unless it was the last, whose transaction
 * completes the status; then what was kept goes. */
bool exchange_piece_end(struct store *s, struct exchange_batch *b, struct err *e) BASE_CHECKED;
/* Inside the writer's transaction: decides about the items of the piece and writes what is to be
 * written. */
bool exchange_arrive(struct gate *g, struct exchange_batch *b, struct err *e) BASE_CHECKED;

#endif
