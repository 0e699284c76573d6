/*
 * A node's upkeep (docs/OPERATIONS.md): backup, restore, and what is wrong with it. Threads: as
 * exchange.h says.
 */
#ifndef EXCHANGE_UPKEEP_H
#define EXCHANGE_UPKEEP_H

#include "exchange/ledger.h"

struct exchange;
struct exchange_session;

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

#endif
