/* The listening socket and the thread that accepts. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_priv.h"

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, a, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, a, sizeof in6);
    return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) != 0;
}

/* Cuts HOST:PORT or [HOST]:PORT into two NUL-terminated texts. */
static bool split_address(struct str address, char host[256], char port[16], struct err *e)
{
    size_t colon = address.n;
    while (colon && address.p[colon - 1] != ':')
        colon--;
    struct str h = str_slice(address, 0, colon ? colon - 1 : 0), p = str_from(address, colon);
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = str_slice(h, 1, h.n - 1);
    uint64_t number;
    if (h.n == 0 || h.n > 255 || p.n > 5 || !str_to_u64(p, &number) || number > 65535)
        return err_set(e, ERR_USAGE, "--listen %.*s: write HOST:PORT, as 127.0.0.1:6443",
                       STR_FMT(address));
    snprintf(host, 256, "%.*s", STR_FMT(h));
    snprintf(port, 16, "%.*s", STR_FMT(p));
    return true;
}

static bool bind_one(const struct addrinfo *ai, struct str address, int *out, struct err *e)
{
    int one = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(e, ERR_IO, "cannot make a socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, 1024) != 0) {
        err_set(e, ERR_IO, "cannot listen on %.*s: %s: choose another with --listen",
                STR_FMT(address), strerror(errno));
        close(fd);
        return false;
    }
    *out = fd;
    return true;
}

static bool open_socket(const struct http_options *o, int *fd, struct err *e)
{
    char host[256], port[16];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    if (!split_address(o->listen, host, port, e))
        return false;
    int rc = getaddrinfo(host, port, &hints, &list);
    if (rc != 0)
        return err_set(e, ERR_USAGE, "--listen %.*s: %s", STR_FMT(o->listen), gai_strerror(rc));
    bool ok = true;
    if (o->plain && !is_loopback(list->ai_addr))
        ok = err_set(e, ERR_USAGE,
                     "--plain-http on %s: only loopback may go without TLS: listen on 127.0.0.1 or "
                     "leave --plain-http away",
                     host);
    ok = ok && bind_one(list, o->listen, fd, e);
    freeaddrinfo(list);
    return ok;
}

static bool make_url(int fd, bool plain, struct arena *a, struct str *url, struct err *e)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    char host[256], port[16];
    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0 ||
        getnameinfo((struct sockaddr *)&at, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return err_set(e, ERR_IO, "cannot tell the address listened on");
    bool six = strchr(host, ':') != NULL;
    *url = arena_printf(a, "%s://%s%s%s:%s", plain ? "http" : "https", six ? "[" : "", host,
                        six ? "]" : "", port);
    return arena_ok(a, e);
}

void http_listener_init(struct http_listener *l)
{
    *l = (struct http_listener){.fd = -1};
}

bool http_listener_open(struct http_listener *l, const struct http_options *o, struct arena *a,
                        struct str *url, struct err *e)
{
    return open_socket(o, &l->fd, e) && make_url(l->fd, o->plain, a, url, e);
}

static void hand_over(struct http_listener *l, int fd, const struct sockaddr_storage *from)
{
    struct http_server *s = l->server;
    struct http_connection *c = base_alloc(sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    c->fd = fd;
    c->from = *from;
    c->loop = &s->loops[l->next++ % s->loop_count];
    http_loop_put(c);
}

/* Ends when the socket is shut. Without files or memory it tries again a little later; any other
 * failure is the one connection's. */
static void *accept_main(void *arg)
{
    struct http_listener *l = arg;
    while (!atomic_load(&l->stopping)) {
        struct sockaddr_storage from = {0};
        socklen_t n = sizeof from;
        int fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            hand_over(l, fd, &from);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            usleep(10000);
    }
    return NULL;
}

bool http_listener_start(struct http_listener *l, struct http_server *s, struct err *e)
{
    l->server = s;
    l->runs = pthread_create(&l->thread, NULL, accept_main, l) == 0;
    return l->runs || err_set(e, ERR_MEMORY, "cannot start the thread that accepts connections");
}

void http_listener_stop(struct http_listener *l)
{
    atomic_store(&l->stopping, true);
    shutdown(l->fd, SHUT_RDWR); /* wakes accept4 */
    if (l->runs)
        pthread_join(l->thread, NULL);
    l->runs = false;
}

void http_listener_done(struct http_listener *l)
{
    if (l->fd >= 0)
        close(l->fd);
}
