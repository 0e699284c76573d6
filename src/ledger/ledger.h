/*
 * A log that its owner cannot rewrite unseen: the Merkle tree of RFC 6962, its tiles and proofs,
 * checkpoints as C2SP signed notes, and the records that its leaves stand for. docs/LEDGER.md is
 * the format. Pure functions: no storage, no network, no clock; tiles come and go through
 * callbacks. Any thread after crypt_init, as long as two do not share one object.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/base.h"
#include "json/json.h"

/* ---- hashes (RFC 6962 §2.1, SHA-256) ------------------------------------------------------- */

#define LEDGER_HASH_BYTES 32
#define LEDGER_SALT_LEAST 16 /* bytes of a salt: random, one a record, kept beside the record */
#define LEDGER_SALT_MOST  32

struct ledger_hash {
    unsigned char b[LEDGER_HASH_BYTES];
};

/* The entry of a record, which is what the log holds: SHA-256(salt || record). Without the salt
 * nobody can guess a record from it, and when record and salt are erased all proofs still hold. */
void ledger_entry_hash(struct str salt, struct str record, struct ledger_hash *entry);
/* The leaf of an entry of any length, SHA-256(0x00 || entry). Ours have 32 bytes. */
void ledger_leaf_hash(struct str entry, struct ledger_hash *leaf);
/* SHA-256(0x01 || left || right); `node` may be one of the two. */
void ledger_node_hash(const struct ledger_hash *left, const struct ledger_hash *right,
                      struct ledger_hash *node);
bool ledger_hash_eq(const struct ledger_hash *a, const struct ledger_hash *b);

/* ---- the tree's right edge ----------------------------------------------------------------- */

/* What appending needs of a tree: the roots of its full subtrees, the largest (leftmost) first, one
 * for each bit set in `size`; what stands behind those means nothing. All zeros is the empty tree.
 */
struct ledger_tree {
    uint64_t size;
    struct ledger_hash edge[63];
};
/* A tree's size and root, which a checkpoint states. */
struct ledger_head {
    uint64_t size;
    struct ledger_hash root;
};

/* Up to LIMIT_LEDGER_LEAVES leaves. */
void ledger_tree_append(struct ledger_tree *t, const struct ledger_hash *leaf);
/* Of the empty tree SHA-256 of nothing. */
void ledger_tree_head(const struct ledger_tree *t, struct ledger_head *out);
/* The size, 8 bytes big-endian, and the edge. ERR_SYNTAX when there are not just as many hashes. */
void ledger_tree_put(const struct ledger_tree *t, struct buf *out);
bool ledger_tree_get(struct str bytes, struct ledger_tree *out, struct err *e) BASE_CHECKED;

/* ---- tiles (C2SP tlog-tiles) --------------------------------------------------------------- */

#define LEDGER_TILE_WIDTH      256 /* hashes of a full tile; its height is 8 */
#define LEDGER_TILE_BYTES      (LEDGER_TILE_WIDTH * LEDGER_HASH_BYTES)
#define LEDGER_TILE_PATH_BYTES 64
#define LEDGER_ENTRIES         64 /* as a level: the entries themselves, not hashes */

/* `width` hashes of `level` from number index * 256 on; each is the root of 256^level leaves. */
struct ledger_tile {
    unsigned level;
    uint64_t index;
    unsigned width; /* 1 to 256; below that the tile is partial */
};

/* Such as tile/1/x001/x234/067.p/17 or tile/entries/000, without a slash before it. */
struct str ledger_tile_path(const struct ledger_tile *t, char out[LEDGER_TILE_PATH_BYTES]);
/* The one spelling of a tile and no other, else ERR_SYNTAX. */
bool ledger_tile_parse(struct str path, struct ledger_tile *out, struct err *e) BASE_CHECKED;
/* The width that this tile has in a tree of `size` leaves; 0 when it is not there. */
unsigned ledger_tile_width(unsigned level, uint64_t index, uint64_t size);

/* Fetches the tile: t->width hashes to `out`. It may cut them from a wider one. */
typedef bool ledger_tile_read_fn(void *ctx, const struct ledger_tile *t, struct ledger_hash *out,
                                 struct err *e);
/* Takes a tile that came or grew; hashes before number `kept` are as they were. They live during
 * the call. A tile takes the place of its narrower forms. */
typedef bool ledger_tile_write_fn(void *ctx, const struct ledger_tile *t, unsigned kept,
                                  const struct ledger_hash *hashes, struct err *e);
/* Where tiles are; who only reads needs no `write`. */
struct ledger_tiles {
    void *ctx;
    ledger_tile_read_fn *read;
    ledger_tile_write_fn *write;
};

/* Writes the tiles that change when leaves follow a tree of `size`, each once, level by level.
 * Reads those of the old tree's right edge that are partial. On failure (a callback's, ERR_MEMORY)
 * some may have been written: it belongs into a transaction. */
bool ledger_tiles_append(const struct ledger_tiles *tiles, uint64_t size,
                         const struct ledger_hash *leaves, size_t count,
                         struct err *e) BASE_CHECKED;
/* The right edge of the tree of `size`, at most 8 tiles read; so also its root, for any size up to
 * that of the log. */
bool ledger_tree_read(const struct ledger_tiles *tiles, uint64_t size, struct ledger_tree *out,
                      struct err *e) BASE_CHECKED;

/* Recomputes a tree from all its leaves, in order and in constant memory: tells each tile of every
 * level once it is full and, at the end, the partial ones, so that whoever has them can compare. */
struct ledger_audit;
typedef bool ledger_tile_seen_fn(void *ctx, const struct ledger_tile *t,
                                 const struct ledger_hash *hashes, struct err *e);
struct ledger_audit *ledger_audit_new(ledger_tile_seen_fn *seen, void *ctx); /* NULL: no memory */
void ledger_audit_free(struct ledger_audit *a);
/* Fails only when `seen` does; it may be called again after that. */
bool ledger_audit_leaf(struct ledger_audit *a, const struct ledger_hash *leaf,
                       struct err *e) BASE_CHECKED;
bool ledger_audit_end(struct ledger_audit *a, struct ledger_head *out, struct err *e) BASE_CHECKED;

/* Entry bundles: each entry behind its length in 2 bytes, big-endian. */
void ledger_bundle_put(const struct ledger_hash *entries, size_t count, struct buf *out);
/* Reads exactly `count` entries of 32 bytes; ERR_SYNTAX for anything else. */
bool ledger_bundle_get(struct str bytes, struct ledger_hash *out, size_t count,
                       struct err *e) BASE_CHECKED;

/* ---- proofs (RFC 6962 §2.1.1, §2.1.2; RFC 9162 §2.1.3, §2.1.4) ------------------------------- */

struct ledger_proof {
    size_t count;
    struct ledger_hash hash[LIMIT_LEDGER_PROOF_HASHES];
};

/* That leaf `index` is in the tree of `size`; reads at most two tiles a level. ERR_INVALID unless
 * index < size. Tiles are believed: who did not write them checks what comes out. */
bool ledger_inclusion_prove(const struct ledger_tiles *tiles, uint64_t index, uint64_t size,
                            struct ledger_proof *out, struct err *e) BASE_CHECKED;
/* That the tree of `size` begins with the tree of `old_size`. ERR_INVALID unless old_size <= size.
 */
bool ledger_consistency_prove(const struct ledger_tiles *tiles, uint64_t old_size, uint64_t size,
                              struct ledger_proof *out, struct err *e) BASE_CHECKED;
bool ledger_inclusion_verify(const struct ledger_proof *p, uint64_t index,
                             const struct ledger_hash *leaf, const struct ledger_head *head);
/* The empty tree is the beginning of every other, by the empty proof. */
bool ledger_consistency_verify(const struct ledger_proof *p, const struct ledger_head *older,
                               const struct ledger_head *newer);

/* ---- keys and signed notes (C2SP signed-note, tlog-cosignature v1) --------------------------- */

enum ledger_key_type { LEDGER_KEY_LOG = 1, LEDGER_KEY_WITNESS = 4 };

/* A verifier key, in text `name+id+base64(type || public key)`; the id in hexadecimal. */
struct ledger_key {
    struct str name; /* borrowed from what it was made of */
    enum ledger_key_type type;
    uint32_t id;
    unsigned char public_key[32];
};
/* With its secret; in text `PRIVATE+KEY+name+id+base64(type || seed)`. One seed should serve one
 * name and one type only. Wipe it with crypt_wipe. */
struct ledger_signer {
    struct ledger_key key;
    unsigned char secret[64];
};
/* ERR_SYNTAX also when the id is not the key's; ERR_INVALID for other types of key. */
bool ledger_key_parse(struct str text, struct ledger_key *out, struct err *e) BASE_CHECKED;
void ledger_key_put(const struct ledger_key *k, struct buf *out);
/* ERR_INVALID when the name is empty, too long, no UTF-8, or has a space, a control or a plus. */
bool ledger_signer_make(struct str name, enum ledger_key_type type, const unsigned char seed[32],
                        struct ledger_signer *out, struct err *e) BASE_CHECKED;
bool ledger_signer_parse(struct str text, struct ledger_signer *out, struct err *e) BASE_CHECKED;
void ledger_signer_put(const struct ledger_signer *s, struct buf *out);

/* One line of a note, of whatever key. */
struct ledger_signature {
    struct str name, line; /* borrowed from the note; `line` with its newline */
    struct str bytes;      /* behind the key id */
    uint32_t id;
};
struct ledger_note {
    struct str text; /* what is signed, with its last newline; borrowed from the note */
    const struct ledger_signature *signatures;
    size_t count;
};
/* ERR_SYNTAX with e->at, ERR_LIMIT for a note, text or number of signatures over its limit.
 * Believes no signature. `note` must outlive *out, whose signatures are in `arena`. */
bool ledger_note_parse(struct arena *arena, struct str note, struct ledger_note *out,
                       struct err *e) BASE_CHECKED;

enum ledger_signed {
    LEDGER_SIGNED_NOT,   /* no signature with this key's name and id */
    LEDGER_SIGNED_BY,    /* at least one, and all are good */
    LEDGER_SIGNED_FORGED /* one is not this key's: believe nothing of the note */
};
/* `time_s`, unless NULL, gets the latest time of a witness's signatures (seconds since 1970), 0 for
 * a log's. */
enum ledger_signed ledger_note_signed(const struct ledger_note *n, const struct ledger_key *key,
                                      uint64_t *time_s);
/* At least one of the keys has signed and none is forged, else ERR_INVALID. Signatures of other
 * keys are no matter. */
bool ledger_note_verify(const struct ledger_note *n, const struct ledger_key *keys, size_t count,
                        struct err *e) BASE_CHECKED;
/* Appends the signature line of a text; a note is its text, a newline and such lines. A witness
 * signs only checkpoints (else ERR_SYNTAX), and states `time_s`; a log's signature has none. */
bool ledger_note_sign(struct str text, const struct ledger_signer *s, uint64_t time_s,
                      struct buf *out, struct err *e) BASE_CHECKED;
/* Appends the note with signature lines added; they take the place of earlier ones of the same name
 * and id. Nothing is verified. */
bool ledger_note_add(struct arena *arena, struct str note, struct str lines, struct buf *out,
                     struct err *e) BASE_CHECKED;

/* ---- checkpoints (C2SP tlog-checkpoint) ------------------------------------------------------ */

struct ledger_checkpoint {
    struct str origin; /* the name of the log */
    struct ledger_head head;
    struct str extensions; /* further lines with their newlines, or empty */
    struct ledger_note note;
};
/* Appends the text of a checkpoint, from all but `note`. ERR_INVALID for an origin or extension
 * that is no line, and over LIMIT_LEDGER_TEXT_BYTES. */
bool ledger_checkpoint_put(const struct ledger_checkpoint *c, struct buf *out,
                           struct err *e) BASE_CHECKED;
/* Appends the whole note that a log's key signs. */
bool ledger_checkpoint_sign(const struct ledger_checkpoint *c, const struct ledger_signer *s,
                            struct buf *out, struct err *e) BASE_CHECKED;
/* Reads a note whose text is a checkpoint; believes no signature. */
bool ledger_checkpoint_parse(struct arena *arena, struct str note, struct ledger_checkpoint *out,
                             struct err *e) BASE_CHECKED;
/* The same for the checkpoint of one log: ERR_INVALID unless its key signed and its name is the
 * origin. */
bool ledger_checkpoint_open(struct arena *arena, struct str note, const struct ledger_key *log,
                            struct ledger_checkpoint *out, struct err *e) BASE_CHECKED;

/* What two checkpoints say of a log, `older` having been seen first. */
enum ledger_relation {
    LEDGER_CONSISTENT, /* the newer one continues the older one, or is the same */
    LEDGER_FORK,       /* proven: no one tree has both heads */
    LEDGER_ROLLBACK,   /* the newer one is smaller */
    LEDGER_BAD_PROOF,  /* the proof leads to neither answer; the log owes a better one */
    LEDGER_OTHER_LOG   /* the origins differ */
};
const char *ledger_relation_name(enum ledger_relation r); /* consistent, fork … */
/* Of two verified checkpoints and a consistency proof between them; `p` may be NULL unless the
 * newer one is larger. A fork at an older size that is a power of two shows as LEDGER_BAD_PROOF:
 * who has the tiles of the newer tree finds it with ledger_tree_read. */
enum ledger_relation ledger_compare(const struct ledger_checkpoint *older,
                                    const struct ledger_checkpoint *newer,
                                    const struct ledger_proof *p);

/* ---- records -------------------------------------------------------------------------------- */

/* Fields of records, sorted as RFC 8785 writes them. TEXT is a string that is not empty, DIGEST a
 * SHA-256 in lower-case hexadecimal, NUMBER an integer up to 2^53. */
#define LEDGER_FIELDS(X)                                                                           \
    X(ACTOR, "actor", TEXT)                                                                        \
    X(ADDRESS, "address", TEXT)                                                                    \
    X(AT, "at", TEXT)                                                                              \
    X(AUDIENCE, "audience", DIGEST)                                                                \
    X(COLLECTION, "collection", TEXT)                                                              \
    X(COUNT, "count", NUMBER)                                                                      \
    X(DIGEST, "digest", DIGEST)                                                                    \
    X(FORMAT, "format", TEXT)                                                                      \
    X(KIND, "kind", TEXT)                                                                          \
    X(LEAF, "leaf", NUMBER)                                                                        \
    X(LINE, "line", NUMBER)                                                                        \
    X(LINES, "lines", TEXT)                                                                        \
    X(MARKING, "marking", TEXT)                                                                    \
    X(OBJECT, "object", TEXT)                                                                      \
    X(OUTCOME, "outcome", TEXT)                                                                    \
    X(PEER, "peer", TEXT)                                                                          \
    X(POLICY, "policy", DIGEST)                                                                    \
    X(PREVIOUS, "previous", DIGEST)                                                                \
    X(REASON, "reason", TEXT)                                                                      \
    X(RECIPIENT, "recipient", TEXT)                                                                \
    X(ROLE, "role", TEXT)                                                                          \
    X(RULE, "rule", TEXT)                                                                          \
    X(SIZE, "size", NUMBER)                                                                        \
    X(SUBJECT, "subject", TEXT)                                                                    \
    X(VERSION, "version", TEXT)

enum ledger_field {
#define X(name, text, type) LEDGER_##name,
    LEDGER_FIELDS(X)
#undef X
        LEDGER_FIELD_COUNT
};

/* Kinds of record: the fields that each must have beside actor, at and kind, and those it may. F is
 * one field, RULED the rule that decided, its line and the policy's digest. */
#define LEDGER_KINDS(X)                                                                            \
    X(ACCEPTANCE, "acceptance", F(OBJECT) | F(DIGEST), F(VERSION) | F(COLLECTION) | RULED)         \
    X(REFUSAL, "refusal", F(REASON), F(OBJECT) | F(VERSION) | F(DIGEST) | F(COLLECTION) | RULED)   \
    X(QUARANTINE, "quarantine", F(OBJECT) | F(DIGEST),                                             \
      F(VERSION) | F(COLLECTION) | F(REASON) | RULED)                                              \
    X(RELEASE, "release", F(OBJECT) | F(DIGEST) | F(COLLECTION) | F(AUDIENCE) | F(POLICY),         \
      F(VERSION) | F(RULE) | F(LINE) | F(LINES))                                                   \
    X(HOLD, "hold", F(OBJECT) | F(DIGEST) | F(RECIPIENT), F(VERSION) | F(COLLECTION) | RULED)      \
    X(APPROVAL, "approval", F(OBJECT) | F(DIGEST) | F(RECIPIENT) | F(OUTCOME),                     \
      F(VERSION) | F(COLLECTION) | F(REASON) | RULED)                                              \
    X(WITHDRAWAL, "withdrawal", F(OBJECT),                                                         \
      F(VERSION) | F(DIGEST) | F(COLLECTION) | F(REASON) | F(AUDIENCE))                            \
    X(RECEIPT, "receipt", F(OBJECT) | F(PEER) | F(OUTCOME),                                        \
      F(VERSION) | F(DIGEST) | F(COLLECTION))                                                      \
    X(COLLECTION_CHANGE, "collection-change", F(COLLECTION) | F(DIGEST) | F(OUTCOME),              \
      F(MARKING) | F(REASON))                                                                      \
    X(PEER_CHANGE, "peer-change", F(PEER) | F(OUTCOME), F(COLLECTION) | F(REASON))                 \
    X(POLICY_CHANGE, "policy-change", F(POLICY), F(PREVIOUS) | F(REASON))                          \
    X(USER_CHANGE, "user-change", F(SUBJECT) | F(DIGEST) | F(OUTCOME), F(ROLE) | F(REASON))        \
    X(TOKEN_CHANGE, "token-change", F(SUBJECT) | F(OUTCOME), F(REASON))                            \
    X(SIGN_IN_FAILURE, "sign-in-failure", F(REASON), F(ADDRESS))                                   \
    X(EXPORT, "export", F(FORMAT) | F(COUNT), F(COLLECTION) | F(RECIPIENT) | F(DIGEST))            \
    X(BACKUP, "backup", F(SIZE), F(DIGEST))                                                        \
    X(RESTORE, "restore", F(SIZE), F(DIGEST) | F(PEER) | F(REASON))                                \
    X(ERASURE, "erasure", F(LEAF) | F(REASON), F(AUDIENCE) | F(DIGEST))                            \
    X(READ, "read", F(MARKING) | F(COUNT), F(OBJECT) | F(VERSION) | F(COLLECTION))

enum ledger_kind {
#define X(name, text, needs, may) LEDGER_##name##_RECORD,
    LEDGER_KINDS(X)
#undef X
        LEDGER_KIND_COUNT
};

/* Zeros, then `kind` and `at_us`, then fields through the two functions. Text is borrowed. */
struct ledger_record {
    enum ledger_kind kind;
    int64_t at_us;   /* microseconds since 1970 */
    uint32_t fields; /* bits 1 << enum ledger_field */
    struct str text[LEDGER_FIELD_COUNT];
    uint64_t number[LEDGER_FIELD_COUNT];
};
/* An empty text leaves the field out. */
void ledger_record_text(struct ledger_record *r, enum ledger_field f, struct str s);
void ledger_record_number(struct ledger_record *r, enum ledger_field f, uint64_t n);
/* Appends the canonical JSON (RFC 8785). ERR_INVALID names the field that is missing, not of this
 * kind or of a wrong form; ERR_LIMIT over LIMIT_LEDGER_RECORD_BYTES. */
bool ledger_record_put(const struct ledger_record *r, struct buf *out, struct err *e) BASE_CHECKED;
/* Reads what ledger_record_put wrote and refuses any other bytes. Text is in `arena`. */
bool ledger_record_parse(struct json_reader *reader, struct arena *arena, struct str json,
                         struct ledger_record *out, struct err *e) BASE_CHECKED;
/* Looks at a record without reading it: its kind, numbers, and texts as they stand, escapes and all
 * (equal texts are written alike); `at` is a text, too. False unless it is an object of the fields
 * of its kind, in order and without a blank. For who goes through very many. */
bool ledger_record_scan(struct str json, struct ledger_record *out) BASE_CHECKED;
const char *ledger_kind_name(enum ledger_kind k);
const char *ledger_field_name(enum ledger_field f);
/* The fields of a kind, bits 1 << enum ledger_field. */
uint32_t ledger_kind_needs(enum ledger_kind k);
uint32_t ledger_kind_allows(enum ledger_kind k); /* with those it needs */

/* ---- proof files ---------------------------------------------------------------------------- */

/* All that a stranger with the log's verifier key needs to believe one record, in one JSON text. */
struct ledger_evidence {
    struct str record, salt; /* the record's canonical bytes */
    /* Who it was for, and the salt of the digest that the record has of this text; or empty. */
    struct str audience, audience_salt;
    uint64_t index;
    struct ledger_proof inclusion;
    struct str checkpoint; /* the note */
};
/* SHA-256(salt || audience), as records have it; other recipients cannot guess the text by it. */
#define LEDGER_AUDIENCE_SALT_BYTES 16
void ledger_audience_hash(struct str salt, struct str audience,
                          unsigned char out[LEDGER_HASH_BYTES]);
/* Appends the members `audience` and `audience_salt` (base64). */
void ledger_audience_put(struct str salt, struct str audience, struct buf *out);
/* Appends the file; the record must be canonical JSON and the salt of a right length. */
void ledger_evidence_put(const struct ledger_evidence *v, struct buf *out);
/* Text is in `arena`. The record may have been written anew by another JSON program: its canonical
 * bytes are what counts. ERR_INVALID also for an audience that is not the record's. */
bool ledger_evidence_parse(struct json_reader *reader, struct arena *arena, struct str json,
                           struct ledger_evidence *out, struct err *e) BASE_CHECKED;
/* Does it prove that the record is in this log? ERR_INVALID says what does not hold. Fills the
 * checkpoint, whose note also tells which witnesses signed. */
bool ledger_evidence_check(struct arena *arena, const struct ledger_evidence *v,
                           const struct ledger_key *log, struct ledger_checkpoint *out,
                           struct err *e) BASE_CHECKED;

#endif
