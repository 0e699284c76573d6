/* Inputs that are folders: the files in them take their place. */
#ifndef CLI_FOLDERS_H
#define CLI_FOLDERS_H

#include "cli/cli.h"

/* Puts into the place of each folder among the arguments the files that are in it and below, in the
 * order of their paths; hidden ones, links and what is no file are passed over. A folder in which
 * there is none, or that cannot be read, stays: whoever opens it says so. ERR_LIMIT over
 * LIMIT_CLI_INPUTS. */
bool cli_open_folders(struct cli *c, struct err *e) BASE_CHECKED;

#endif
