/* Between main.c and options.c. */
#ifndef CLI_CLI_PRIV_H
#define CLI_CLI_PRIV_H

#include "cli/cli.h"

/* Reads words into *c by its command's table; 0, or the exit status after a message. */
int cli_parse(struct cli *c, char **words, size_t count);
void cli_help_put(struct buf *b, const struct cli_command *cmd);
/* The command's part of setu(1), in man(7) macros. */
void cli_man_put(struct buf *b, const struct cli_command *cmd);

#endif
