/* The server: its threads, from start to stop. */
#include <sys/resource.h>
#include <unistd.h>

#include "http/http_priv.h"

struct tls_files {
    struct str cert, key, ca;
};

static void tls_files_done(struct tls_files *t)
{
    base_free((void *)(uintptr_t)t->cert.p);
    base_free((void *)(uintptr_t)t->key.p);
    base_free((void *)(uintptr_t)t->ca.p);
}

static bool tls_files_read(const struct http_server *s, struct tls_files *t, struct err *e)
{
    return file_read(s->cert_file, 1 << 20, &t->cert, e) &&
           file_read(s->key_file, 1 << 20, &t->key, e) && file_read(s->ca_file, 1 << 20, &t->ca, e);
}

static void free_server(struct http_server *s)
{
    for (size_t i = 0; i < s->session_count; i++)
        exchange_session_close(s->sessions[i]);
    pthread_mutex_destroy(&s->session_lock);
    pthread_mutex_destroy(&s->tls_lock);
    crypt_tls_server_drop(s->tls);
    http_log_done(&s->log);
    http_rates_done(&s->rates);
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

/* ---- starting and stopping ---- */

static bool load_tls(const struct http_server *s, struct crypt_tls_server **out, struct err *e)
{
    struct tls_files t = {0};
    *out = NULL;
    if (s->plain)
        return true;
    bool ok = tls_files_read(s, &t, e) && crypt_tls_server_new(t.cert, t.key, t.ca, out, e);
    tls_files_done(&t);
    if (ok || e->code != ERR_INVALID)
        return ok;
    struct err why = *e;
    return err_set(e, ERR_IO, "%s and %s are no certificate and its key: %s", s->cert_file,
                   s->key_file, why.msg);
}

/* What setu.conf says of serving, and the files of TLS. */
static bool load(struct http_server *s, struct err *e)
{
    struct crypt_tls_server *tls;
    if (!load_tls(s, &tls, e))
        return false;
    if (!http_log_open(&s->log, exchange_config(s->exchange)->access_log, e)) {
        crypt_tls_server_drop(tls);
        return false;
    }
    pthread_mutex_lock(&s->tls_lock);
    struct crypt_tls_server *before = s->tls;
    s->tls = tls;
    pthread_mutex_unlock(&s->tls_lock);
    crypt_tls_server_drop(before);
    return true;
}

bool http_reload(struct http_server *s, struct err *e)
{
    return load(s, e);
}

/* Where files run out before connections do, nothing can be accepted, and so nobody evicted. */
static uint64_t connections_for_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return files.rlim_cur > (rlim_t)2 * LIMIT_HTTP_OTHER_FILES
               ? files.rlim_cur - LIMIT_HTTP_OTHER_FILES
               : files.rlim_cur / 2;
}

static void warn_of_files(const struct http_server *s)
{
    uint64_t wanted = exchange_config(s->exchange)->max_connections;
    if (s->most_connections < wanted)
        log_line(LOG_WARNING,
                 "max-connections is %llu, but so few files may be open that there are %llu at the "
                 "most: raise the limit (ulimit -n, LimitNOFILE=)",
                 (unsigned long long)wanted, (unsigned long long)s->most_connections);
}

static void stop_loops(struct http_server *s)
{
    while (s->loop_count)
        http_loop_stop(&s->loops[--s->loop_count]);
}

static bool start_loops(struct http_server *s, struct err *e)
{
    for (; s->loop_count < LIMIT_HTTP_LOOPS; s->loop_count++)
        if (!http_loop_start(&s->loops[s->loop_count], s, e))
            break;
    if (s->loop_count == LIMIT_HTTP_LOOPS)
        return true;
    stop_loops(s);
    return false;
}

static bool serve(struct http_server *s, struct err *e)
{
    if (!start_pools(s, e))
        return false;
    bool started = start_loops(s, e);
    if (started && http_listener_start(&s->listener, s, e))
        return true;
    stop_pools(s);
    if (started)
        stop_loops(s);
    done_pools(s);
    return false;
}

bool http_start(const struct http_options *o, struct http_server **out, struct err *e)
{
    struct http_server *s = base_alloc(sizeof *s);
    if (!s || !(s->arena = arena_new(1 << 20))) {
        base_free(s);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    s->exchange = o->exchange;
    s->admit = o->admit;
    s->route = o->route;
    s->plain = o->plain;
    s->most_connections = connections_for_files();
    s->cert_file = arena_cstr(s->arena, str_of(o->cert_file));
    s->key_file = arena_cstr(s->arena, str_of(o->key_file));
    s->ca_file = arena_cstr(s->arena, str_of(o->ca_file));
    pthread_mutex_init(&s->session_lock, NULL);
    pthread_mutex_init(&s->tls_lock, NULL);
    http_log_init(&s->log);
    http_rates_init(&s->rates);
    http_listener_init(&s->listener);
    bool ok = arena_ok(s->arena, e) && load(s, e) &&
              http_listener_open(&s->listener, o, s->arena, &s->url, e) && serve(s, e);
    if (!ok) {
        free_server(s);
        return false;
    }
    warn_of_files(s);
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
     * connection is suspended for good. */
    while (atomic_load(&s->working))
        usleep(1000);
    stop_loops(s);
    done_pools(s);
    free_server(s);
}
