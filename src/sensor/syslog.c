/*
 * Syslog as an input. One thread asks all sockets in turn, and no socket is read while what came
 * from another is looked at and told: so who takes the alerts sets the pace of all.
 *
 *     a connection's text    | context | not looked at yet | room |
 *                            0         from                n
 *
 * Context is there only in a message that is longer than the room; see scan.c.
 */
#include <errno.h>
#include <limits.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/sensor_priv.h"

#define POLL_MS     200
#define DROPS_US    1000000 /* between two questions for what was dropped */
#define ALIVE_AFTER 60      /* seconds of silence after which a sender is asked if it is there */

enum {
    SOCKETS = LIMIT_SENSOR_SYSLOG_ADDRESSES,
    CONNECTIONS = LIMIT_SENSOR_SYSLOG_CONNECTIONS,
    BATCH = LIMIT_SENSOR_SYSLOG_DATAGRAMS,
    DATAGRAM = 65536, /* longer than any, so that a line feed fits behind it */
    CONTEXT = 2 * LIMIT_OBSERVABLE_BYTES,
    ROOM = LIMIT_SENSOR_SYSLOG_BYTES,
    TAKEN = LIMIT_SENSOR_SYSLOG_READ_BYTES
};

struct socket {
    int fd;
    bool udp;
    char name[320]; /* udp:HOST:PORT */
    struct sensor_heard heard;
    uint32_t drops; /* as the kernel counted them last */
};

struct connection {
    int fd;
    struct socket *of;
    char sender[NI_MAXHOST + 16];
    struct sensor_frame frame;
    size_t n, from;
    char text[ROOM];
};

/* Datagrams that were taken at once. */
struct batch {
    struct mmsghdr headers[BATCH];
    struct iovec places[BATCH];
    struct sockaddr_storage senders[BATCH];
    size_t starts[BATCH]; /* of each in `text`, once they lie one behind the other */
    size_t count;
    char sender[NI_MAXHOST + 16]; /* of the hit that is told */
    char text[BATCH * DATAGRAM];
};

struct listening {
    const struct sensor_scan *s;
    const struct sensor_syslog *from;
    struct sensor_scan own; /* *s, with the callbacks of this file */
    struct socket sockets[SOCKETS];
    size_t socket_count;
    struct connection *connections[CONNECTIONS];
    size_t connection_count;
    const char *sender; /* of what is looked at; NULL: it is in the batch */
    uint64_t base;      /* offset of the batch's text */
    bool draining;      /* it was stopped, and reads only what had arrived */
    int64_t asked_us;
    struct batch batch;
    char taken[TAKEN];
};

/* ---- names of addresses ------------------------------------------------------------------ */

static void put_address(const struct sockaddr_storage *a, socklen_t n, char *out, size_t room)
{
    char host[NI_MAXHOST], port[16];
    if (getnameinfo((const struct sockaddr *)a, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(out, room, "unknown");
    else
        snprintf(out, room, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

/* getaddrinfo takes a number that is too large for another one. What is no number may be a name. */
static bool port_ok(struct str p)
{
    unsigned number = 0;
    if (p.p[0] != '-' && (p.p[0] < '0' || p.p[0] > '9'))
        return true;
    for (size_t i = 0; i < p.n && number <= UINT16_MAX; i++)
        number = p.p[i] >= '0' && p.p[i] <= '9' ? number * 10 + (unsigned)(p.p[i] - '0') : UINT_MAX;
    return number <= UINT16_MAX;
}

/* HOST:PORT or [HOST]:PORT. */
static bool split(struct str where, char host[NI_MAXHOST], char port[16])
{
    const char *colon = where.n ? memrchr(where.p, ':', where.n) : NULL;
    if (!colon)
        return false;
    struct str h = {where.p, (size_t)(colon - where.p)}, p = str_from(where, h.n + 1);
    bool bracketed = h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']';
    if (bracketed)
        h = str_slice(h, 1, h.n - 1);
    else if (str_find(h, ':') < h.n)
        return false;
    if (h.n == 0 || h.n >= NI_MAXHOST || p.n == 0 || p.n >= 16 || !port_ok(p))
        return false;
    memcpy(host, h.p, h.n);
    memcpy(port, p.p, p.n);
    host[h.n] = port[p.n] = '\0';
    return true;
}

static bool parse(struct str where, char host[NI_MAXHOST], char port[16], struct err *e)
{
    return ((str_starts(where, STR("udp:")) || str_starts(where, STR("tcp:"))) &&
            split(str_from(where, 4), host, port)) ||
           err_set(e, ERR_USAGE,
                   "%.*s: an address is udp:HOST:PORT or tcp:HOST:PORT, and a port a number up to "
                   "65535",
                   STR_FMT(where));
}

bool sensor_syslog_check(struct str address, struct err *e)
{
    char host[NI_MAXHOST], port[16];
    return parse(address, host, port, e);
}

/* ---- opening ----------------------------------------------------------------------------- */

static bool bind_to(struct socket *s, const struct addrinfo *a)
{
    const int yes = 1, queue = LIMIT_SENSOR_SYSLOG_QUEUE_BYTES;
    s->fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (s->fd < 0)
        return false;
    if (s->udp) /* the system's own limit may be less */
        (void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
    return (s->udp || setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0) &&
           bind(s->fd, a->ai_addr, a->ai_addrlen) == 0 && (s->udp || listen(s->fd, SOMAXCONN) == 0);
}

static bool name_it(struct socket *s)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    memcpy(s->name, s->udp ? "udp:" : "tcp:", 4);
    if (getsockname(s->fd, (struct sockaddr *)&at, &n) != 0)
        return false;
    put_address(&at, n, s->name + 4, sizeof s->name - 4);
    return true;
}

static bool open_socket(struct listening *l, struct str where, struct err *e)
{
    struct socket *s = &l->sockets[l->socket_count];
    char host[NI_MAXHOST], port[16];
    *s = (struct socket){.fd = -1, .udp = str_starts(where, STR("udp:"))};
    if (!parse(where, host, port, e))
        return false;
    struct addrinfo hints = {.ai_socktype = s->udp ? SOCK_DGRAM : SOCK_STREAM}, *list = NULL;
    int rc = getaddrinfo(host, port, &hints, &list);
    if (rc != 0)
        return err_set(e, ERR_USAGE, "%.*s: %s", STR_FMT(where), gai_strerror(rc));
    l->socket_count++;
    bool ok = bind_to(s, list) && name_it(s);
    if (!ok)
        (void)err_set(e, ERR_NETWORK, "cannot listen on %.*s: %s", STR_FMT(where), strerror(errno));
    freeaddrinfo(list);
    return ok;
}

/* ---- looking ----------------------------------------------------------------------------- */

static const char *sender_in_batch(struct batch *b, uint64_t at)
{
    size_t i = b->count - 1;
    while (i > 0 && b->starts[i] > at)
        i--;
    put_address(&b->senders[i], b->headers[i].msg_hdr.msg_namelen, b->sender, sizeof b->sender);
    return b->sender;
}

static bool on_alert(void *ctx, const struct sensor_alert *a)
{
    struct listening *l = ctx;
    struct sensor_alert own = *a;
    own.sender = l->sender ? l->sender : sender_in_batch(&l->batch, a->offset - l->base);
    return l->s->alert(l->s->ctx, &own);
}

static bool on_block(void *ctx, uint64_t bytes)
{
    struct listening *l = ctx;
    return !l->s->block || l->s->block(l->s->ctx, bytes) || l->draining;
}

/* Looks at text[from, until) of `n` bytes; false stops. */
static bool look(struct listening *l, struct socket *s, struct str text, size_t from, size_t until)
{
    struct str told = str_slice(text, from, until);
    struct sensor_part part = {.input = str_of(s->name),
                               .text = text,
                               .from = from,
                               .until = until,
                               .base = s->heard.bytes - from,
                               .line = s->heard.messages + 1};
    l->base = s->heard.bytes;
    s->heard.bytes += told.n;
    s->heard.messages += match_count_lines(told);
    return sensor_scan_part(&l->own, &part);
}

/* ---- datagrams --------------------------------------------------------------------------- */

static void batch_init(struct batch *b)
{
    for (size_t i = 0; i < BATCH; i++) {
        b->places[i] = (struct iovec){b->text + i * DATAGRAM, DATAGRAM - 1};
        b->headers[i].msg_hdr = (struct msghdr){.msg_name = &b->senders[i],
                                                .msg_namelen = sizeof b->senders[i],
                                                .msg_iov = &b->places[i],
                                                .msg_iovlen = 1};
    }
}

/* Each datagram becomes a line; returns the bytes of all. */
static size_t join(struct batch *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++) {
        const char *from = b->places[i].iov_base;
        b->starts[i] = n;
        for (size_t k = 0; k < b->headers[i].msg_len; k++)
            b->text[n++] = from[k] == '\n' ? ' ' : from[k];
        b->text[n++] = '\n';
    }
    return n;
}

static bool read_datagrams(struct listening *l, struct socket *s)
{
    struct batch *b = &l->batch;
    batch_init(b);
    int got = recvmmsg(s->fd, b->headers, BATCH, MSG_DONTWAIT, NULL);
    if (got <= 0)
        return true; /* an error of one that was sent to before is no matter of ours */
    b->count = (size_t)got;
    l->sender = NULL;
    struct str text = {b->text, join(b)};
    return look(l, s, text, 0, text.n);
}

static void count_drops(struct listening *l, struct socket *s)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t n = sizeof info;
    bool before = s->heard.dropped > 0;
    if (!s->udp || getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &n) != 0)
        return;
    s->heard.dropped += (uint32_t)(info[SK_MEMINFO_DROPS] - s->drops);
    s->drops = info[SK_MEMINFO_DROPS];
    if (s->heard.dropped && !before)
        l->from->heard(l->from->ctx, str_of(s->name), SENSOR_LOSES, &s->heard);
}

/* ---- connections ------------------------------------------------------------------------- */

static void greet(struct listening *l, struct socket *s)
{
    const int yes = 1, after = ALIVE_AFTER;
    struct sockaddr_storage from = {0};
    socklen_t n = sizeof from;
    int fd = accept4(s->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *c = fd >= 0 ? base_alloc(sizeof *c) : NULL;
    if (!c) { /* it may have gone, or there is no room for it: without a pause that would be a loop
               */
        (void)poll(NULL, 0, 10);
        if (fd >= 0)
            close(fd);
        return;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &after, sizeof after);
    c->fd = fd;
    c->of = s;
    put_address(&from, n, c->sender, sizeof c->sender);
    s->heard.connections++;
    l->connections[l->connection_count++] = c;
}

/* Looks at whole messages, and at what there is when there would be no room for more. */
static bool look_at(struct listening *l, struct connection *c)
{
    const char *last = memrchr(c->text + c->from, '\n', c->n - c->from);
    if (!last && c->n + TAKEN + sizeof c->frame.head + 1 <= ROOM)
        return true;
    size_t until = last ? (size_t)(last - c->text) + 1 : c->n - CONTEXT;
    size_t keep = last ? until : until - CONTEXT;
    l->sender = c->sender;
    bool on = look(l, c->of, (struct str){c->text, last ? until : c->n}, c->from, until);
    memmove(c->text, c->text + keep, c->n - keep);
    c->n -= keep;
    c->from = until - keep;
    return on;
}

static bool say_goodbye(struct listening *l, size_t i)
{
    struct connection *c = l->connections[i];
    c->n += sensor_frame_end(&c->frame, c->text + c->n);
    bool on = c->n == c->from || look_at(l, c);
    close(c->fd);
    base_free(c);
    l->connections[i] = l->connections[--l->connection_count];
    return on;
}

static bool read_connection(struct listening *l, size_t i)
{
    struct connection *c = l->connections[i];
    ssize_t got = read(c->fd, l->taken, sizeof l->taken);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0)
        return say_goodbye(l, i);
    c->n += sensor_frame_take(&c->frame, (struct str){l->taken, (size_t)got}, c->text + c->n);
    return look_at(l, c);
}

/* ---- rounds ------------------------------------------------------------------------------ */

/* Waits, and serves each that has something once. *idle: none had. False stops. */
static bool round_of(struct listening *l, int wait_ms, bool *idle)
{
    struct pollfd asked[SOCKETS + CONNECTIONS];
    size_t sockets = l->socket_count, count = sockets + l->connection_count;
    bool full = l->connection_count == CONNECTIONS, on = true;
    for (size_t i = 0; i < count; i++) {
        const struct socket *s = i < sockets ? &l->sockets[i] : NULL;
        int fd = s ? s->fd : l->connections[i - sockets]->fd;
        asked[i] = (struct pollfd){.fd = s && !s->udp && full ? -1 : fd, .events = POLLIN};
    }
    *idle = poll(asked, (nfds_t)count, wait_ms) <= 0;
    /* From the last: the place of one that goes is taken by one that had its turn. */
    for (size_t i = count; i-- > sockets && on && !*idle;)
        on = !asked[i].revents || read_connection(l, i - sockets);
    for (size_t i = 0; i < sockets && on && !*idle; i++) {
        struct socket *s = &l->sockets[i];
        if (asked[i].revents && s->udp)
            on = read_datagrams(l, s);
        else if (asked[i].revents && l->connection_count < CONNECTIONS)
            greet(l, s);
    }
    return on;
}

static void ask_for_drops(struct listening *l)
{
    if (monotonic_us() - l->asked_us < DROPS_US)
        return;
    l->asked_us = monotonic_us();
    for (size_t i = 0; i < l->socket_count; i++)
        count_drops(l, &l->sockets[i]);
}

static void listen_on(struct listening *l)
{
    bool idle, on = true;
    while (on) {
        on = round_of(l, POLL_MS, &idle) && (!idle || on_block(l, 0));
        ask_for_drops(l);
    }
    /* Who sent does not send it again: what has arrived is looked at. */
    int64_t until_us = monotonic_us() + (int64_t)LIMIT_SENSOR_SYSLOG_DRAIN_MS * 1000;
    l->draining = true;
    while (round_of(l, 0, &idle) && !idle && monotonic_us() < until_us)
        continue;
    while (l->connection_count)
        (void)say_goodbye(l, l->connection_count - 1);
}

static void close_all(struct listening *l)
{
    for (size_t i = 0; i < l->socket_count; i++)
        if (l->sockets[i].fd >= 0)
            close(l->sockets[i].fd);
    base_free(l);
}

static void tell_all(struct listening *l, enum sensor_hearing now)
{
    for (size_t i = 0; i < l->socket_count; i++)
        l->from->heard(l->from->ctx, str_of(l->sockets[i].name), now, &l->sockets[i].heard);
}

bool sensor_syslog_listen(const struct sensor_scan *s, const struct sensor_syslog *from,
                          struct err *e)
{
    struct listening *l = base_alloc(sizeof *l);
    bool ok = true;
    if (!l)
        return err_set(e, ERR_MEMORY, "out of memory");
    must(from->count <= SOCKETS);
    l->s = s;
    l->from = from;
    l->own = *s;
    l->own.alert = on_alert;
    l->own.block = on_block;
    l->own.told = NULL;
    l->own.ctx = l;
    for (size_t i = 0; i < from->count && ok; i++)
        ok = open_socket(l, from->address[i], e);
    if (ok) {
        tell_all(l, SENSOR_LISTENS);
        listen_on(l);
        for (size_t i = 0; i < l->socket_count; i++)
            count_drops(l, &l->sockets[i]);
        tell_all(l, SENSOR_HEARD);
    }
    close_all(l);
    return ok && sensor_scan_intact(s, e);
}
