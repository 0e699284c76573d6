/* setu peer add: names a partner, one of its collections, and where that goes. The node keeps its
 * own copies of the CA and the secret, so that its directory is all it needs. */
#include <stdio.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "crypt/crypt.h"
#include "peer/peer.h"
#include "policy/policy.h"

static const struct cli_option options[] = {
    {"url", 0, CLI_TEXT, "URL", NULL,
     "the partner's TAXII 2.1 server, API root or collection; https, or http to loopback", 0, 0,
     false, true},
    {"nation", 0, CLI_TEXT, "CC", NULL, "the partner's nation, as in policy.conf (IN, JP)", 0, 0,
     false, true},
    {"org", 0, CLI_TEXT, "O", NULL, "the partner's organisation, as in policy.conf (jpcert)", 0, 0,
     false, true},
    {"from", 0, CLI_TEXT, "REMOTE_COLLECTION", NULL,
     "the partner's collection to pull: its id, alias or title", 0, 0, false, true},
    {"into", 0, CLI_TEXT, "LOCAL_COLLECTION", NULL,
     "the collection here that it goes into: id, alias or title", 0, 0, false, true},
    {"ca", 0, CLI_TEXT, "FILE", NULL,
     "the certificate authority of the partner's server, PEM, and the only one trusted for it; "
     "without it, those of the system",
     0, 0, false, false},
    {"token-file", 0, CLI_TEXT, "FILE", NULL, "a file that holds the bearer token to send", 0, 0,
     false, false},
    {"user", 0, CLI_TEXT, "U", NULL, "the user name to send (HTTP Basic), with --password-file", 0,
     0, false, false},
    {"password-file", 0, CLI_TEXT, "FILE", NULL, "a file that holds the password of --user", 0, 0,
     false, false},
    {"ledger-key", 0, CLI_TEXT, "KEY", NULL,
     "the verifier key of the partner's ledger, as its `setu ledger key` prints it; without it the "
     "one that its server shows at the first sync is kept",
     0, 0, false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

/* What is to be stored; texts live in the command's arena. */
struct plan {
    const struct cli *c;
    struct cli_node node;
    struct store_peer row;
    struct exchange_collection into;
    struct str ca, secret;  /* contents to copy, or empty */
    struct str secret_path; /* within the node's directory */
};

static bool read_file(const struct cli *c, struct str path, size_t most, struct str *out,
                      struct err *e)
{
    struct str text;
    if (!file_read(arena_cstr(c->arena, path), most, &text, e))
        return false;
    *out = arena_str(c->arena, text);
    base_free((void *)(uintptr_t)text.p);
    return arena_ok(c->arena, e);
}

static bool plan_ca(struct plan *p, struct err *e)
{
    unsigned char print[CRYPT_SHA256_BYTES];
    struct str path = cli_text(p->c, "ca");
    if (!path.n)
        return true;
    if (!read_file(p->c, path, 1u << 20, &p->ca, e) || !crypt_cert_fingerprint(p->ca, print, e))
        return err_prefix(e, "--ca %.*s", STR_FMT(path));
    p->row.ca = arena_printf(p->c->arena, "peers/%.*s-ca.pem", STR_FMT(p->row.name));
    return arena_ok(p->c->arena, e);
}

static bool plan_secret(struct plan *p, const char *option, const char *suffix, struct err *e)
{
    struct str path = cli_text(p->c, option);
    if (!read_file(p->c, path, LIMIT_SECRET_BYTES + 2, &p->secret, e))
        return err_prefix(e, "--%s", option);
    p->secret = str_trim(p->secret);
    if (!p->secret.n)
        return err_set(e, ERR_USAGE, "--%s %.*s: is empty: write the secret into it", option,
                       STR_FMT(path));
    p->secret_path = arena_printf(p->c->arena, "peers/%.*s.%s", STR_FMT(p->row.name), suffix);
    return arena_ok(p->c->arena, e);
}

static bool plan_auth(struct plan *p, struct err *e)
{
    struct str user = cli_text(p->c, "user");
    bool token = cli_text(p->c, "token-file").n > 0;
    bool password = cli_text(p->c, "password-file").n > 0;
    if (token && user.n)
        return err_set(e, ERR_USAGE, "--token-file and --user exclude each other: give one");
    if ((user.n > 0) != password)
        return err_set(e, ERR_USAGE, "--user and --password-file belong together: give both");
    if (str_find(user, ':') < user.n)
        return err_set(e, ERR_USAGE, "--user: HTTP Basic has no user names with a colon");
    if (token) {
        if (!plan_secret(p, "token-file", "token", e))
            return false;
        p->row.auth = arena_printf(p->c->arena, "token:%.*s", STR_FMT(p->secret_path));
    } else if (user.n) {
        if (!plan_secret(p, "password-file", "password", e))
            return false;
        p->row.auth =
            arena_printf(p->c->arena, "basic:%.*s:%.*s", STR_FMT(user), STR_FMT(p->secret_path));
    }
    return arena_ok(p->c->arena, e);
}

/* A name stands for one partner: what is known of it is kept where it was not given again. */
static bool plan_known(struct plan *p, struct err *e)
{
    struct store_peer *rows;
    size_t n;
    if (!exchange_peers(p->node.s, p->c->arena, &rows, &n, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(rows[i].name, p->row.name))
            continue;
        if (!str_eq(rows[i].nation, p->row.nation) || !str_eq(rows[i].org, p->row.org))
            return err_set(e, ERR_CONFLICT, "\"%.*s\" is %.*s of %.*s already: choose another name",
                           STR_FMT(rows[i].name), STR_FMT(rows[i].org), STR_FMT(rows[i].nation));
        if (str_eq(rows[i].remote, p->row.remote))
            return err_set(e, ERR_CONFLICT, "\"%.*s\" already pulls \"%.*s\": see `setu peer list`",
                           STR_FMT(rows[i].name), STR_FMT(rows[i].remote));
        p->row.ca = p->row.ca.n ? p->row.ca : rows[i].ca;
        p->row.auth = p->row.auth.n ? p->row.auth : rows[i].auth;
    }
    if (!p->row.auth.n)
        p->row.auth = STR("cert");
    return true;
}

static bool make_plan(struct plan *p, struct err *e)
{
    const struct cli *c = p->c;
    p->row = (struct store_peer){.name = str_of(c->args[1]),
                                 .url = cli_text(c, "url"),
                                 .remote = cli_text(c, "from"),
                                 .nation = cli_text(c, "nation"),
                                 .org = cli_text(c, "org")};
    if (!policy_org_valid(p->row.name))
        return err_set(e, ERR_USAGE, "NAME \"%.*s\": lower case letters, digits and hyphens",
                       STR_FMT(p->row.name));
    if (!policy_nation_valid(p->row.nation))
        return err_set(e, ERR_USAGE, "--nation \"%.*s\": two capital letters (ISO 3166-1)",
                       STR_FMT(p->row.nation));
    if (!policy_org_valid(p->row.org))
        return err_set(e, ERR_USAGE, "--org \"%.*s\": lower case letters, digits and hyphens",
                       STR_FMT(p->row.org));
    if (!peer_url_check(p->row.url, e))
        return err_prefix(e, "--url");
    if (!exchange_collection_find(p->node.s, c->arena, cli_text(c, "into"), true, &p->into, e))
        return err_prefix(e, "--into");
    p->row.collection = p->into.id;
    return plan_ca(p, e) && plan_auth(p, e) && plan_known(p, e);
}

static bool put_file(const struct plan *p, struct str name, struct str bytes, unsigned mode,
                     struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    const char *text = arena_cstr(p->c->arena, name);
    if (!bytes.n)
        return true;
    if (!text)
        return arena_ok(p->c->arena, e);
    exchange_path(p->node.x, "peers", path);
    if (mkdir(path, 0700) != 0 && !file_is_dir(path))
        return err_errno(e, "cannot create", path);
    return file_write(exchange_path(p->node.x, text, path), bytes, mode, e);
}

static int print_done(const struct plan *p)
{
    struct buf b;
    buf_init(&b, 0);
    if (cli_flag(p->c, "json")) {
        buf_byte(&b, '{');
        json_put_member(&b, "peer", p->row.name);
        json_put_member(&b, "url", p->row.url);
        json_put_member(&b, "from", p->row.remote);
        json_put_member(&b, "into", p->into.uuid);
        json_put_member(&b, "auth", p->row.auth);
        buf_lit(&b, "}\n");
    } else {
        buf_printf(&b, "partner %.*s: \"%.*s\" goes into \"%.*s\"; pull it with `setu sync %s`\n",
                   STR_FMT(p->row.name), STR_FMT(p->row.remote), STR_FMT(p->into.title),
                   p->c->args[0]);
        if (str_eq(p->row.auth, STR("cert")))
            buf_printf(&b,
                       "it is asked with this node's certificate: give %s/tls/node.pem to the "
                       "partner for `setu user add --role peer --cert`\n",
                       p->c->args[0]);
    }
    int status = cli_print(p->c, &b);
    buf_done(&b);
    return status;
}

static bool pin_key(const struct plan *p, struct err *e)
{
    struct exchange_pin pin = {.log_key = cli_text(p->c, "ledger-key"), .witness_key = STR("")};
    if (!pin.log_key.n)
        return true;
    pin.party = arena_printf(p->c->arena, "%.*s/%.*s", STR_FMT(p->row.nation), STR_FMT(p->row.org));
    return arena_ok(p->c->arena, e) &&
           (exchange_witness_pin(p->node.s, &pin, e) || err_prefix(e, "--ledger-key"));
}

static int run(struct cli *c)
{
    struct plan p = {.c = c};
    struct err e = {0};
    int status = 0;
    if (!cli_node_open(c, c->args[0], &p.node, &status))
        return status;
    bool ok = make_plan(&p, &e) && pin_key(&p, &e) && put_file(&p, p.row.ca, p.ca, 0644, &e) &&
              put_file(&p, p.secret_path, p.secret, 0600, &e) &&
              exchange_peer_add(p.node.x, &p.row, &e);
    status = ok ? print_done(&p) : cli_fail(c, &e);
    cli_node_close(&p.node);
    return status;
}

const struct cli_command cli_peer_add = {
    .name = "peer add",
    .args = "DIR NAME",
    .least_args = 2,
    .most_args = 2,
    .summary = "name a partner and one of its collections to pull",
    .text = "What `setu sync` pulls passes the arrival rules of policy.conf as coming from --org "
            "of --nation. Without credentials the node shows its own certificate. The CA and the "
            "secret are copied into DIR/peers, so the files given are not needed afterwards. "
            "Give the command again with another --from for more collections of the same partner; "
            "the CA and credentials given before then hold unless new ones are given.",
    .options = options,
    .run = run,
};
