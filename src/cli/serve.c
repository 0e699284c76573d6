#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/cli.h"
#include "http/http.h"
#include "peer/peer.h"
#include "taxii/taxii.h"

static const struct cli_option options[] = {
    {"listen", 0, CLI_TEXT, "HOST:PORT", NULL,
     "listen here and not where setu.conf says; port 0 takes a free one", 0, 0, false, false},
    {"plain-http", 0, CLI_FLAG, NULL, NULL, "serve HTTP without TLS, on loopback only", 0, 0, false,
     false},
    {"tls-cert", 0, CLI_TEXT, "FILE", NULL,
     "the server's certificate (PEM) in place of DIR/tls/node.pem", 0, 0, false, false},
    {"tls-key", 0, CLI_TEXT, "FILE", NULL, "its key (PEM) in place of DIR/tls/node.key", 0, 0,
     false, false},
    CLI_OPTION_END,
};

static bool print_ready(struct cli *c, const struct http_server *s, const char *ca, bool restored)
{
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, "{\"ready\":true");
    json_put_member(&b, "url", http_url(s));
    json_put_member(&b, "ca", str_of(ca));
    if (restored)
        buf_lit(&b, ",\"unconfirmed_restore\":true");
    buf_lit(&b, "}\n");
    bool ok = cli_print(c, &b) == 0;
    buf_done(&b);
    return ok;
}

static bool look_at_restore(struct exchange *x, bool *restored, struct err *e)
{
    struct exchange_session *s = NULL;
    char what[CLI_RESTORED_BYTES];
    bool ok = exchange_session_open(x, &s, e) && cli_restored(s, what, e);
    exchange_session_close(s);
    *restored = ok && what[0];
    if (*restored)
        log_line(LOG_WARNING, "%s", what);
    return ok;
}

/* Each connection is an open file, and the soft limit is often lower than LIMIT_HTTP_CONNECTIONS.
 */
static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        log_line(LOG_WARNING, "cannot raise the number of open files: %s", strerror(errno));
}

static bool admit(struct http_request *r, struct err *e)
{
    return peer_serves(r) ? peer_admit(r, e) : taxii_admit(r, e);
}

static void route(struct http_request *r)
{
    if (peer_serves(r))
        peer_route(r);
    else
        taxii_route(r);
}

/* SIGHUP. What cannot be read leaves what is in force as it is. */
static void reload(struct exchange *x, struct http_server *server)
{
    struct err e = {0};
    struct buf kept;
    buf_init(&kept, 0);
    if (!exchange_config_reload(x, &kept, &e))
        log_line(LOG_ERROR, "reload: %s: the settings stay as they were", e.msg);
    else if (kept.n)
        log_line(LOG_WARNING, "reload: the new values of these need a restart: %.*s",
                 STR_FMT(buf_view(&kept)));
    if (!http_reload(server, &e))
        log_line(LOG_ERROR, "reload: %s: certificate and access log stay as they were", e.msg);
    else
        log_line(LOG_INFO, "reload: done");
    buf_done(&kept);
}

/* Nobody waits for such a record, so nobody else would be told. */
static void log_lost(const char *kind, const struct err *why)
{
    log_line(LOG_ERROR, "the ledger lacks a record of kind %s: %s", kind, why->msg);
}

static int serve(struct cli *c, struct exchange *x)
{
    char cert[LIMIT_PATH_BYTES], key[LIMIT_PATH_BYTES], ca[LIMIT_PATH_BYTES];
    struct str tls_cert = cli_text(c, "tls-cert"), tls_key = cli_text(c, "tls-key");
    struct str listen = cli_text(c, "listen");
    struct http_server *server;
    struct err e = {0};
    bool restored;
    exchange_path(x, "tls/node.pem", cert);
    exchange_path(x, "tls/node.key", key);
    exchange_path(x, "tls/ca.pem", ca);
    struct http_options o = {
        .exchange = x,
        .listen = listen.n ? listen : exchange_config(x)->listen,
        .plain = cli_flag(c, "plain-http"),
        .cert_file = tls_cert.n ? tls_cert.p : cert,
        .key_file = tls_key.n ? tls_key.p : key,
        .ca_file = ca,
        .admit = admit,
        .route = route,
    };
    if (!look_at_restore(x, &restored, &e))
        return cli_fail(c, &e);
    raise_file_limit();
    exchange_on_lost(x, log_lost);
    if (!http_start(&o, &server, &e))
        return cli_fail(c, &e);
    if (!exchange_background(x, &e) || !taxii_start(x, &e)) {
        http_stop(server);
        return cli_fail(c, &e);
    }
    bool ready = print_ready(c, server, ca, restored);
    while (ready && !cli_signals_wait())
        reload(x, server);
    http_stop(server);
    return ready ? 0 : 3;
}

static int run(struct cli *c)
{
    struct exchange *x;
    struct err e = {0};
    if (!!cli_text(c, "tls-cert").n != !!cli_text(c, "tls-key").n)
        return cli_usage(c, "--tls-cert and --tls-key go together");
    cli_signals_block(); /* also SIGHUP, which may come before there is anything to read anew */
    if (!exchange_open(c->args[0], &x, &e)) {
        cli_fail(c, &e);
        return 3;
    }
    int status = serve(c, x);
    exchange_close(x);
    return status;
}

const struct cli_command cli_serve = {
    .name = "serve",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "run a node: TAXII 2.1 over HTTPS",
    .text =
        "Prints one line when it is ready: {\"ready\":true,\"url\":\"https://...\","
        "\"ca\":\"DIR/tls/ca.pem\"}. SIGTERM and SIGINT end it after what was begun is finished; "
        "SIGHUP "
        "has it read the certificate, the access log and most of setu.conf anew. "
        "Without --tls-cert it uses the certificate that `setu init` made under DIR/tls/ca.pem.",
    .options = options,
    .run = run,
};
