/* An officer at the command line: who decides proves who they are. */
#ifndef CLI_OFFICER_H
#define CLI_OFFICER_H

#include "cli/cli.h"

#define CLI_OFFICER                                                                                \
    {"officer",                                                                                    \
     0,                                                                                            \
     CLI_TEXT,                                                                                     \
     "NAME",                                                                                       \
     NULL,                                                                                         \
     "the user who decides: an officer of the node's own "                                         \
     "organisation",                                                                               \
     0,                                                                                            \
     0,                                                                                            \
     false,                                                                                        \
     true},                                                                                        \
    {                                                                                              \
        "token-file", 0, CLI_TEXT, "FILE", NULL,                                                   \
            "the officer's token or password; - is standard input", 0, 0, false, true              \
    }

/* Signs the officer in. */
bool cli_officer(struct cli *c, struct cli_node *n, struct principal *out,
                 struct err *e) BASE_CHECKED;
/* The number that stands as the second argument. */
bool cli_desk_number(struct cli *c, int64_t *out, struct err *e) BASE_CHECKED;
/* Takes the decision, prints how the entry stands; the exit status. */
int cli_desk_decide(struct cli *c, bool refuse);

#endif
