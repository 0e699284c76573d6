/* What the commands of the ledger have in common: a verifier key that is given as text or file, and
 * audiences in words. */
#ifndef CLI_LEDGER_KEY_FILE_H
#define CLI_LEDGER_KEY_FILE_H

#include "cli/cli.h"

#define CLI_LEDGER_KEY(name, text, needed)                                                         \
    {                                                                                              \
        name, 0, CLI_TEXT, "K", NULL, text, 0, 0, false, needed                                    \
    }

/* Reads a verifier key, given as text or as a file. *given is false without one. Text lives in the
 * command's arena. */
bool cli_read_key(struct cli *c, const char *option, struct ledger_key *out, bool *given,
                  struct err *e) BASE_CHECKED;
/* An audience (policy.h) in words: "all of JP, but not JP/mic, IN/cert-in". */
void cli_put_audience(struct buf *b, struct str audience);

#endif
