#include "cli/endpoint.h"

static bool read_secret(const struct cli *c, const char *option, struct str *out, struct err *e)
{
    struct str path = cli_text(c, option), text;
    if (!path.n)
        return true;
    if (!file_read(path.p, LIMIT_SECRET_BYTES + 2, &text, e))
        return err_prefix(e, "--%s", option);
    *out = arena_str(c->arena, str_trim(text));
    base_free((void *)(uintptr_t)text.p);
    if (!out->n)
        return err_set(e, ERR_USAGE, "--%s: %s is empty", option, path.p);
    return true;
}

bool cli_endpoint_read(const struct cli *c, struct peer_endpoint *out, struct err *e)
{
    *out = (struct peer_endpoint){.ca_file = cli_text(c, "ca"),
                                  .user = cli_text(c, "user"),
                                  .cert_file = cli_text(c, "cert"),
                                  .key_file = cli_text(c, "key")};
    if (!out->user.n != !cli_text(c, "password-file").n)
        return err_set(e, ERR_USAGE, "--user and --password-file go together");
    if (!out->cert_file.n != !out->key_file.n)
        return err_set(e, ERR_USAGE, "--cert and --key go together");
    return read_secret(c, "token-file", &out->token, e) &&
           read_secret(c, "password-file", &out->password, e);
}

bool cli_endpoint_given(const struct cli *c)
{
    static const struct cli_option options[] = {CLI_ENDPOINT_OPTIONS};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (cli_text(c, options[i].name).n)
            return true;
    return false;
}

bool cli_endpoint_signs_in(const struct peer_endpoint *p)
{
    return p->token.n || p->user.n || p->cert_file.n;
}
