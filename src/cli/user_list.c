#include "cli/cli.h"

static const struct cli_option options[] = {CLI_JSON, CLI_OPTION_END};

struct listing {
    struct buf b;
    bool json;
};

static void put_instant(struct buf *b, const char *name, int64_t us)
{
    char text[INSTANT_TEXT_BYTES];
    json_put_name(b, name);
    if (us)
        json_put_string(b, instant_text(instant_of_us(us), 0, text));
    else
        buf_lit(b, "null");
}

static const char *state_of(const struct store_user *u)
{
    if (u->revoked_us)
        return "revoked";
    return u->expires_us && u->expires_us <= now_us() ? "expired" : "active";
}

static bool put_user(void *ctx, const struct store_user *u)
{
    struct listing *l = ctx;
    struct buf *b = &l->b;
    const char *by = u->password.n ? "password" : u->cert_hash.n ? "certificate" : "token";
    if (!l->json) {
        buf_printf(b, "%-20.*s %-12.*s %.*s/%-16.*s %-12s %s\n", STR_FMT(u->name), STR_FMT(u->role),
                   STR_FMT(u->nation), STR_FMT(u->org_name), by, state_of(u));
        return true;
    }
    buf_byte(b, '{');
    json_put_member(b, "user", u->name);
    json_put_member(b, "role", u->role);
    json_put_member(b, "org", u->org_name);
    json_put_member(b, "nation", u->nation);
    json_put_member(b, "identity", u->identity);
    json_put_member(b, "signs_in_by", str_of(by));
    json_put_member(b, "state", str_of(state_of(u)));
    put_instant(b, "created", u->created_us);
    put_instant(b, "expires", u->expires_us);
    put_instant(b, "revoked", u->revoked_us);
    buf_lit(b, "}\n");
    return true;
}

static int run(struct cli *c)
{
    struct cli_node n;
    struct err e = {0};
    int status;
    struct listing l = {.json = cli_flag(c, "json")};
    if (!cli_node_open(c, c->args[0], &n, &status))
        return status;
    buf_init(&l.b, 0);
    status = exchange_users(n.s, c->arena, put_user, &l, &e) ? cli_print(c, &l.b) : cli_fail(c, &e);
    buf_done(&l.b);
    cli_node_close(&n);
    return status;
}

const struct cli_command cli_user_list = {
    .name = "user list",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "list users, their roles, organisations and states",
    .options = options,
    .run = run,
};
