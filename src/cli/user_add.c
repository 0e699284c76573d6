#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const struct cli_option options[] = {
    {"role", 0, CLI_TEXT, "R", NULL, "reader, contributor, officer, auditor, admin, sensor or peer",
     0, 0, false, true},
    {"org", 0, CLI_TEXT, "O", NULL, "the organisation as policy.conf calls it", 0, 0, false, true},
    {"nation", 0, CLI_TEXT, "CC", NULL, "its nation, ISO 3166-1: IN, JP", 0, 0, false, true},
    {"password-stdin", 0, CLI_FLAG, NULL, NULL,
     "read a password from standard input in place of making a token", 0, 0, false, false},
    {"cert", 0, CLI_TEXT, "FILE", NULL,
     "sign in by this TLS client certificate (PEM) in place of a token", 0, 0, false, false},
    {"expires", 0, CLI_TEXT, "T", NULL,
     "refuse the user from this instant on, as 2027-03-31T00:00:00Z", 0, 0, false, false},
    {"identity", 0, CLI_TEXT, "ID", NULL,
     "the organisation's STIX identity; a new one if it has none", 0, 0, false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

/* The first line of standard input, without its line end. */
static bool read_password(struct cli *c, struct str *out, struct err *e)
{
    struct str text;
    if (!file_read("-", LIMIT_SECRET_BYTES + 2, &text, e))
        return err_prefix(e, "password");
    struct str rest = text, line = str_cut(&rest, '\n');
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    *out = arena_str(c->arena, line);
    base_free((void *)(uintptr_t)text.p);
    if (out->n < 12)
        return err_set(e, ERR_USAGE, "the password on standard input is shorter than 12 bytes");
    return arena_ok(c->arena, e);
}

static bool read_user(struct cli *c, struct exchange_user_new *u, struct err *e)
{
    struct str role = cli_text(c, "role"), cert = cli_text(c, "cert"),
               expires = cli_text(c, "expires");
    *u = (struct exchange_user_new){.name = str_of(c->args[1]),
                                    .org = cli_text(c, "org"),
                                    .nation = cli_text(c, "nation"),
                                    .identity = cli_text(c, "identity")};
    if (!exchange_role_parse(role, &u->role))
        return err_set(
            e, ERR_USAGE,
            "--role %.*s: one of reader, contributor, officer, auditor, admin, sensor, peer",
            STR_FMT(role));
    if (expires.n) {
        if (!cli_instant(c, "expires", 0, &u->expires_us, e))
            return false;
        if (u->expires_us <= now_us())
            return err_set(e, ERR_USAGE, "--expires %.*s is past: give an instant to come",
                           STR_FMT(expires));
    }
    if (cert.n) {
        struct str text;
        if (!file_read(cert.p, 1 << 20, &text, e))
            return err_prefix(e, "--cert");
        u->cert_pem = arena_str(c->arena, text);
        base_free((void *)(uintptr_t)text.p);
        if (!u->cert_pem.n)
            return err_set(e, ERR_INVALID, "--cert: %s is empty", cert.p);
    }
    return !cli_flag(c, "password-stdin") || read_password(c, &u->password, e);
}

static int print_user(struct cli *c, const struct exchange_user_new *u, const char *token)
{
    struct buf b;
    buf_init(&b, 0);
    if (cli_flag(c, "json")) {
        buf_byte(&b, '{');
        json_put_member(&b, "user", u->name);
        if (token[0])
            json_put_member(&b, "token", str_of(token));
        buf_lit(&b, "}\n");
    } else if (token[0]) {
        buf_printf(&b, "%.*s is a %s of %.*s now, with this token, shown once:\n\n  %s\n",
                   STR_FMT(u->name), exchange_role_name(u->role), STR_FMT(u->org), token);
    } else {
        buf_printf(&b, "%.*s is a %s of %.*s now and signs in by %s.\n", STR_FMT(u->name),
                   exchange_role_name(u->role), STR_FMT(u->org),
                   u->password.n ? "password" : "client certificate");
    }
    int status = cli_print(c, &b);
    buf_done(&b);
    return status;
}

static int run(struct cli *c)
{
    struct exchange_user_new u;
    struct cli_node n;
    struct err e = {0};
    char token[64];
    int status;
    if (!read_user(c, &u, &e))
        return cli_fail(c, &e);
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    bool ok = exchange_user_add(n.x, &u, token, &e);
    if (!ok && e.code == ERR_CONFLICT)
        err_hint(&e, "choose another; a revoked user's name is not given again");
    status = ok ? print_user(c, &u, token) : cli_fail(c, &e);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_user_add = {
    .name = "user add",
    .args = "DIR NAME",
    .least_args = 2,
    .most_args = 2,
    .summary = "add a person, service, sensor or partner node",
    .text =
        "Prints the user's token once; it serves as bearer token and as HTTP Basic password. A "
        "running node knows the user at once. What a user reads follows from organisation and "
        "nation by policy.conf, what the user may do from the role: reader reads; contributor, "
        "officer and admin read and add; sensor reads and adds sightings, and "
        "removes nothing although its collections say can_write; peer is a partner's node, which "
        "reads; auditor reads no objects. A password has 12 bytes or more and does not begin "
        "with \"setu_\", as tokens do.",
    .options = options,
    .run = run,
};
