/* The library's daemon, and the life of a request in it. */
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_priv.h"

/* TLS 1.2 and 1.3 with authenticated encryption and forward secrecy only (TAXII 2.1 §8.2.2). */
#define TLS_PRIORITIES                                                                             \
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+ECDHE-ECDSA:"    \
    "+ECDHE-RSA:+AEAD:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+SIGN-ALL:+COMP-NULL"

/* ---- requests in the library ---- */

/* The library would lay each query parameter into its small room for a connection and, when that is
 * full, never answer. request.c reads them from raw_uri, so the library, which has found the `?` by
 * now and writes into this text itself, gets an empty query. */
static void cut_query(const char *uri)
{
    char *mark = strchr((char *)(uintptr_t)uri, '?');
    if (mark)
        mark[1] = '\0';
}

/* Called with the whole URI as it came; what it returns is the request from now on. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *s = cls;
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    struct http_request *r = a ? arena_calloc(a, 1, sizeof *r) : NULL;
    if (!r) {
        arena_free(a);
        return NULL;
    }
    r->server = s;
    r->connection = connection;
    r->arena = a;
    r->number = atomic_fetch_add(&s->numbers, 1) + 1;
    r->raw_uri = arena_str(a, str_of(uri));
    cut_query(uri);
    buf_init(&r->body, 0);
    atomic_fetch_add(&s->active, 1);
    return r;
}

/* What was kept is given back, and what is still to come is not kept. */
static void drop_body(struct http_request *r)
{
    r->dropping = true;
    buf_done(&r->body);
    atomic_fetch_sub(&r->server->bodies_bytes, r->body_counted);
    r->body_counted = 0;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode why)
{
    struct http_server *s = cls;
    struct http_request *r = *request;
    (void)connection;
    (void)why;
    if (!r)
        return;
    *request = NULL;
    drop_body(r);
    buf_done(&r->reply);
    http_release(r);
    atomic_fetch_sub(&s->replies_bytes, r->reply_counted);
    arena_free(r->arena);
    atomic_fetch_sub(&s->active, 1);
}

/* The path stays as it came: request.c decodes it once. */
static size_t on_unescape(void *cls, struct MHD_Connection *connection, char *s)
{
    (void)cls;
    (void)connection;
    return strlen(s);
}

static enum http_method method_of(const char *name)
{
    if (strcmp(name, MHD_HTTP_METHOD_GET) == 0 || strcmp(name, MHD_HTTP_METHOD_HEAD) == 0)
        return HTTP_GET;
    if (strcmp(name, MHD_HTTP_METHOD_POST) == 0)
        return HTTP_POST;
    return strcmp(name, MHD_HTTP_METHOD_DELETE) == 0 ? HTTP_DELETE : HTTP_OTHER;
}

/* Runs `fn` with a session that is free; connection threads never hold two. */
static bool with_session(struct http_request *r, bool (*fn)(struct http_request *, struct err *),
                         struct err *e)
{
    struct http_server *s = r->server;
    struct exchange_session *session;
    if (!http_session_take(s, &session, e))
        return false;
    r->session = session;
    bool ok = fn(r, e);
    http_session_give(s, session);
    return ok;
}

/* ---- the first call: before a body is read ---- */

/* Who asks is known; what is asked is looked at. */
static bool admit(struct http_request *r, struct err *e)
{
    uint64_t length;
    struct str declared = http_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t most = exchange_config(r->server->exchange)->max_body_bytes;
    if (!r->server->admit(r, e))
        return false;
    if (declared.n && str_to_u64(declared, &length) && length > most)
        return err_set(e, ERR_TOO_LARGE, "the body is larger than max_content_length, %llu bytes",
                       (unsigned long long)most);
    r->dropping = r->method != HTTP_POST;
    r->body.cap_bytes = most + BASE_PADDING;
    return true;
}

/* Credentials were shown, and nobody has them. */
static void note_failure(struct http_request *r, const struct err *e)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char host[INET6_ADDRSTRLEN + 2] = "";
    if (e->code != ERR_UNAUTHORIZED || !http_header(r, MHD_HTTP_HEADER_AUTHORIZATION).n)
        return;
    if (info && info->client_addr)
        (void)getnameinfo(info->client_addr,
                          info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                   : sizeof(struct sockaddr_in),
                          host, sizeof host, NULL, 0, NI_NUMERICHOST);
    exchange_sign_in_failed(r->server->exchange, str_of(host));
}

/* On a thread of the verifiers. */
static void sign_in(struct http_request *r)
{
    struct err e = {0};
    bool known = exchange_login_basic(r->session, r->arena, r->name, r->secret, &r->who, &e);
    if (!known)
        note_failure(r, &e);
    if (known && admit(r, &e))
        http_go_on(r);
    else
        http_reply_err(r, &e);
}

/* Is the request another thread's now? */
static bool begin(struct http_request *r)
{
    struct err e = {0};
    struct exchange_session *session;
    enum exchange_login login = EXCHANGE_LOGIN_REFUSED;
    if (!arena_ok(r->arena, &e) || !http_session_take(r->server, &session, &e)) {
        http_reply_err(r, &e);
        return false;
    }
    r->session = session;
    if (http_uri_parse(r, &e))
        login = http_authenticate(r, &e);
    bool refused =
        login == EXCHANGE_LOGIN_REFUSED || (login == EXCHANGE_LOGIN_DONE && !admit(r, &e));
    http_session_give(r->server, session);
    if (login == EXCHANGE_LOGIN_REFUSED)
        note_failure(r, &e);
    if (refused)
        http_reply_err(r, &e);
    return login == EXCHANGE_LOGIN_SLOW &&
           http_pool_put(&r->server->verifiers, r, HTTP_SIGNING_IN, sign_in);
}

/* A refused body that is short and on its way already is read to its end, so that the connection
 * lives on. Any other ends it: queued on the first call, the answer closes the connection. */
static bool body_is_awaited(struct http_request *r)
{
    struct str declared = http_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = 0;
    if (http_header(r, MHD_HTTP_HEADER_TRANSFER_ENCODING).n ||
        http_header(r, MHD_HTTP_HEADER_EXPECT).n)
        return false;
    return declared.n == 0 || (str_to_u64(declared, &length) && length <= LIMIT_HTTP_DROP_BYTES);
}

/* The library repeats the first call after a sign-in: it resumes where it was suspended. */
static enum MHD_Result on_first(struct http_request *r, const char *method)
{
    if (!r->started) {
        r->started = true;
        r->method = method_of(method);
        if (begin(r))
            return MHD_YES;
    }
    r->admitted = true;
    r->suspended = false;
    if (atomic_load(&r->state) != HTTP_ANSWERED)
        return MHD_YES;
    r->dropping = true;
    return body_is_awaited(r) ? MHD_YES : http_send(r);
}

/* ---- the body ---- */

static void keep_body(struct http_request *r, const char *data, size_t n)
{
    if (r->dropping)
        return;
    if (n > r->body.cap_bytes - BASE_PADDING - r->body.n) {
        r->body_too_large = true;
        drop_body(r);
        return;
    }
    size_t before = r->body.room;
    buf_put(&r->body, data, n);
    size_t grown = r->body.room - before;
    r->body_counted += grown;
    size_t all = atomic_fetch_add(&r->server->bodies_bytes, grown) + grown;
    /* One alone is bounded by max-body-bytes. */
    if (grown && all > LIMIT_HTTP_BODIES_BYTES && all > r->body_counted) {
        r->bodies_too_many = true;
        drop_body(r);
    }
}

static bool run_route(struct http_request *r, struct err *e)
{
    (void)e;
    r->server->route(r);
    return true;
}

static void route(struct http_request *r)
{
    struct err e = {0};
    bool ok = true;
    if (r->bodies_too_many) {
        http_reply_busy(r, "too much is being taken in at once; try again soon");
        return;
    }
    if (r->body_too_large)
        ok = err_set(&e, ERR_TOO_LARGE, "the body is larger than max_content_length");
    else if (buf_reserve(&r->body, BASE_PADDING))
        memset(r->body.p + r->body.n, 0, BASE_PADDING);
    ok = ok && buf_ok(&r->body, &e);
    if (ok) {
        http_move(r, HTTP_ROUTED);
        ok = with_session(r, run_route, &e);
    }
    if (!ok)
        http_reply_err(r, &e);
}

/* NOLINTNEXTLINE(readability-function-size): MHD_AccessHandlerCallback */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_bytes, void **request)
{
    struct http_request *r = *request;
    (void)cls;
    (void)connection;
    (void)url;
    (void)version;
    if (!r)
        return MHD_NO;
    if (!r->admitted)
        return on_first(r, method);
    if (*upload_bytes) {
        keep_body(r, upload, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    if (atomic_load(&r->state) == HTTP_READING) {
        route(r);
        /* Handed to a worker: its answer wakes the connection and this is called again. */
        if (r->suspended)
            return MHD_YES;
    }
    return atomic_load(&r->state) == HTTP_ANSWERED ? http_send(r) : MHD_YES;
}

/* ---- starting and stopping ---- */

struct tls_files {
    struct str cert, key, ca;
};

static void tls_files_done(struct tls_files *t)
{
    base_free((void *)(uintptr_t)t->cert.p);
    base_free((void *)(uintptr_t)t->key.p);
    base_free((void *)(uintptr_t)t->ca.p);
}

static bool tls_files_read(const struct http_options *o, struct tls_files *t, struct err *e)
{
    *t = (struct tls_files){0};
    return o->plain || (file_read(o->cert_file, 1 << 20, &t->cert, e) &&
                        file_read(o->key_file, 1 << 20, &t->key, e) &&
                        file_read(o->ca_file, 1 << 20, &t->ca, e));
}

static struct MHD_Daemon *start_daemon(struct http_server *s, const struct http_options *o,
                                       const struct tls_files *t)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     MHD_USE_NO_LISTEN_SOCKET | (o->plain ? 0u : (unsigned)MHD_USE_TLS);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)t->cert.p},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)t->key.p},
        {MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)t->ca.p},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    if (o->plain)
        tls[0] = tls[4];
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, s, MHD_OPTION_URI_LOG_CALLBACK, on_uri,
                            s, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, s,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_HTTP_CONNECTIONS,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)LIMIT_HTTP_PER_ADDRESS,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_HTTP_IDLE_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)2 * LIMIT_HTTP_HEADER_BYTES,
                            MHD_OPTION_THREAD_POOL_SIZE, (unsigned)LIMIT_HTTP_LOOPS,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static void free_server(struct http_server *s)
{
    for (size_t i = 0; i < s->session_count; i++)
        exchange_session_close(s->sessions[i]);
    pthread_mutex_destroy(&s->session_lock);
    http_listener_done(&s->listener);
    arena_free(s->arena);
    base_free(s);
}

static bool start_pools(struct http_server *s, struct err *e)
{
    s->workers = (struct http_pool){
        .server = s,
        .most_threads = LIMIT_HTTP_WORKERS,
        .most_waiting = LIMIT_HTTP_JOBS,
        .full = "too many requests wait to be taken in; try again soon",
    };
    s->verifiers = (struct http_pool){
        .server = s,
        .most_threads = LIMIT_HTTP_VERIFIERS,
        .most_waiting = LIMIT_HTTP_SIGN_INS,
        .full = "too many wait to sign in by password; try again soon",
    };
    s->parking.server = s;
    if (!http_pool_start(&s->workers, e))
        return false;
    if (http_pool_start(&s->verifiers, e)) {
        if (http_parking_start(&s->parking, e))
            return true;
        http_pool_stop(&s->verifiers);
        http_pool_done(&s->verifiers);
    }
    http_pool_stop(&s->workers);
    http_pool_done(&s->workers);
    return false;
}

static void stop_pools(struct http_server *s)
{
    http_parking_stop(&s->parking);
    http_pool_stop(&s->verifiers);
    http_pool_stop(&s->workers);
}

static void done_pools(struct http_server *s)
{
    http_parking_done(&s->parking);
    http_pool_done(&s->verifiers);
    http_pool_done(&s->workers);
}

static bool serve(struct http_server *s, const struct http_options *o, const struct tls_files *tls,
                  struct err *e)
{
    if (!start_pools(s, e))
        return false;
    s->daemon = start_daemon(s, o, tls);
    if (!s->daemon)
        err_set(e, ERR_IO, "the HTTP server cannot start: are %s and %s a matching pair?",
                o->cert_file ? o->cert_file : "certificate", o->key_file ? o->key_file : "key");
    else if (http_listener_start(&s->listener, s->daemon, e))
        return true;
    stop_pools(s);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    done_pools(s);
    return false;
}

bool http_start(const struct http_options *o, struct http_server **out, struct err *e)
{
    struct tls_files tls = {0};
    struct http_server *s = base_alloc(sizeof *s);
    if (!s || !(s->arena = arena_new(1 << 20))) {
        base_free(s);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    s->exchange = o->exchange;
    s->admit = o->admit;
    s->route = o->route;
    s->tls = !o->plain;
    pthread_mutex_init(&s->session_lock, NULL);
    http_listener_init(&s->listener);
    bool ok = tls_files_read(o, &tls, e) &&
              http_listener_open(&s->listener, o, s->arena, &s->url, e) && serve(s, o, &tls, e);
    tls_files_done(&tls); /* the library has parsed them */
    if (!ok) {
        free_server(s);
        return false;
    }
    *out = s;
    return true;
}

struct str http_url(const struct http_server *s)
{
    return s->url;
}

void http_stop(struct http_server *s)
{
    int64_t until = monotonic_us() + (int64_t)LIMIT_HTTP_DRAIN_MS * 1000;
    /* Who comes now is refused at once, and who is connected leaves with its next answer. */
    http_listener_stop(&s->listener);
    atomic_store(&s->stopping, true);
    http_parking_hurry(&s->parking);
    while (atomic_load(&s->active) && monotonic_us() < until)
        usleep(5000);
    stop_pools(s);
    /* Work of the workers may end in the writer; closing the exchange waits for it. Until then no
     * connection may be suspended, or the library could not stop. */
    while (atomic_load(&s->working))
        usleep(1000);
    MHD_stop_daemon(s->daemon);
    done_pools(s);
    free_server(s);
}
