/*
 * The file of a backup: a tar archive as POSIX.1-1988 describes it (ustar), which any tar opens.
 * First facts in JSON, then the node's files, then their SHA-256 in the form of sha256sum(1):
 *
 *     setu-backup.json  setu.conf  policy.conf  node.key  tls/...  peers/...  setu.db  SHA256SUMS
 *
 * Each header is what this writer makes of a name, a size and one instant, and nothing else is
 * taken: no links, no folders, no other path, no byte that is covered by nothing. Pure functions.
 */
#ifndef EXCHANGE_ARCHIVE_PRIV_H
#define EXCHANGE_ARCHIVE_PRIV_H

#include "base/base.h"

#define ARCHIVE_BLOCK      512
#define ARCHIVE_NAME_BYTES 100 /* with its end */
#define ARCHIVE_FACTS      "setu-backup.json"
#define ARCHIVE_SUMS       "SHA256SUMS"
#define ARCHIVE_DATABASE   "setu.db"

struct archive_member {
    char name[ARCHIVE_NAME_BYTES];
    uint64_t bytes;
    int64_t at_s; /* the instant of the backup, seconds since 1970, below 8^11 */
};
/* One of the names above, a plain name behind tls/ and peers/. */
bool archive_name_valid(struct str name);
/* How a file of that name is protected in a node's folder. */
unsigned archive_mode(struct str name);
void archive_header_put(const struct archive_member *m, unsigned char block[ARCHIVE_BLOCK]);
/* ERR_INVALID for whatever archive_header_put would not write. */
bool archive_header_get(const unsigned char block[ARCHIVE_BLOCK], struct archive_member *out,
                        struct err *e) BASE_CHECKED;
/* Zeros behind the contents. */
static inline size_t archive_padding(uint64_t bytes)
{
    return (size_t)((ARCHIVE_BLOCK - bytes % ARCHIVE_BLOCK) % ARCHIVE_BLOCK);
}

/* setu-backup.json. Text is borrowed, or in the arena of archive_facts_get. */
struct archive_facts {
    int64_t at_us;
    uint64_t schema;
    struct str name, nation, org; /* of the node */
    uint64_t size;                /* leaves of its ledger */
    struct str root;              /* in hexadecimal */
};
void archive_facts_put(const struct archive_facts *f, struct buf *out);
bool archive_facts_get(struct arena *a, struct str text, struct archive_facts *out,
                       struct err *e) BASE_CHECKED;

#endif
