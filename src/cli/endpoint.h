/*
 * The options by which a command reaches a TAXII server: whom it trusts, and how it signs in.
 * Secrets are read from files and never stand in a command line.
 */
#ifndef CLI_ENDPOINT_H
#define CLI_ENDPOINT_H

#include "cli/cli.h"
#include "peer/peer.h"

#define CLI_ENDPOINT_OPTION(name, value, text)                                                     \
    {                                                                                              \
        name, 0, CLI_TEXT, value, NULL, text, 0, 0, false, false                                   \
    }
#define CLI_ENDPOINT_OPTIONS                                                                       \
    CLI_ENDPOINT_OPTION("ca", "FILE", "trust servers of this CA only (PEM)"),                      \
        CLI_ENDPOINT_OPTION("token-file", "FILE", "a file that holds the bearer token to send"),   \
        CLI_ENDPOINT_OPTION("user", "U", "the user name to send (HTTP Basic)"),                    \
        CLI_ENDPOINT_OPTION("password-file", "FILE", "a file that holds the password of --user"),  \
        CLI_ENDPOINT_OPTION("cert", "FILE", "the client certificate to show (PEM)"),               \
        CLI_ENDPOINT_OPTION("key", "FILE", "the key of --cert (PEM)")

/* All but the URL. ERR_USAGE when options that go together do not. Text lives in the command's
 * arena. */
bool cli_endpoint_read(const struct cli *c, struct peer_endpoint *out, struct err *e) BASE_CHECKED;
/* Was any of the options given? */
bool cli_endpoint_given(const struct cli *c);
/* Holds it credentials? They are for one server. */
bool cli_endpoint_signs_in(const struct peer_endpoint *p);

#endif
