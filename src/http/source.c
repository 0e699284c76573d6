/* How many connections an address has in one loop, and which of them goes first when there are too
 * many. */
#include <string.h>

#include "http/http_priv.h"

/* IPv4 as it is mapped into IPv6; of IPv6 the /64, within which one user has any address. */
static void address_of(const struct sockaddr_storage *from, unsigned char out[16])
{
    memset(out, 0, 16);
    if (from->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        out[10] = out[11] = 0xFF;
        memcpy(out + 12, &in.sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof in6);
        memcpy(out, &in6.sin6_addr, IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ? 16 : 8);
    }
}

static struct http_source **bucket_of(struct http_loop *l, const unsigned char address[16])
{
    uint64_t h = str_hash((struct str){(const char *)address, 16}, l->seed);
    return &l->sources[h % HTTP_SOURCE_BUCKETS];
}

static struct http_source *source_of(struct http_loop *l, const struct sockaddr_storage *from)
{
    unsigned char address[16];
    address_of(from, address);
    struct http_source **bucket = bucket_of(l, address);
    for (struct http_source *s = *bucket; s; s = s->next)
        if (memcmp(s->address, address, 16) == 0)
            return s;
    struct http_source *s = base_alloc(sizeof *s);
    if (!s)
        return NULL;
    memcpy(s->address, address, 16);
    s->next = *bucket;
    *bucket = s;
    return s;
}

static void drop_if_empty(struct http_loop *l, struct http_source *s)
{
    if (s->count)
        return;
    struct http_source **at = bucket_of(l, s->address);
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    base_free(s);
}

/* ---- its lists ---- */

static void unlist(struct http_connection *c)
{
    if (!c->list)
        return;
    if (c->previous_listed)
        c->previous_listed->next_listed = c->next_listed;
    else
        *c->list = c->next_listed;
    if (c->next_listed)
        c->next_listed->previous_listed = c->previous_listed;
    else
        *c->list_last = c->previous_listed;
    c->list = c->list_last = NULL;
}

void http_source_list(struct http_connection *c)
{
    struct http_source *s = c->source;
    bool quiet = c->phase <= HTTP_HEAD, busy = c->phase == HTTP_BUSY;
    unlist(c);
    if (c->phase == HTTP_CLOSED)
        return;
    c->list = quiet ? &s->quiet : busy ? &s->busy : &s->moving;
    c->list_last = quiet ? &s->quiet_last : busy ? &s->busy_last : &s->moving_last;
    c->next_listed = NULL;
    c->previous_listed = *c->list_last;
    if (c->previous_listed)
        c->previous_listed->next_listed = c;
    else
        *c->list = c;
    *c->list_last = c;
}

/* ---- too many ---- */

/* Bytes a second in this phase. All begin with as many as they may be late with, or who has just
 * begun would be the slowest of all. */
static uint64_t pace(const struct http_connection *c, int64_t now_us)
{
    const uint64_t late = (uint64_t)LIMIT_HTTP_SLOW_MS * LIMIT_HTTP_SLOW_BYTES / 1000;
    uint64_t bytes = c->phase == HTTP_SENDING ? c->taken_bytes : c->moved_bytes;
    return (bytes + late) * 1000000 / (uint64_t)(now_us - c->since_us + 1);
}

/* The longest quiet; else the slowest of those that began first. NULL: all are busy here. */
static struct http_connection *slowest(const struct http_source *s)
{
    int64_t now_us = monotonic_us();
    struct http_connection *found = s->moving;
    if (s->quiet)
        return s->quiet;
    int looked = 0;
    for (struct http_connection *c = found; c && looked < LIMIT_HTTP_SLOWEST_OF; looked++) {
        if (pace(c, now_us) < pace(found, now_us))
            found = c;
        c = c->next_listed;
    }
    return found;
}

static struct http_source *fullest(struct http_loop *l)
{
    struct http_source *found = NULL;
    for (size_t i = 0; i < HTTP_SOURCE_BUCKETS; i++)
        for (struct http_source *s = l->sources[i]; s; s = s->next)
            if (!found || s->count > found->count)
                found = s;
    return found;
}

/* One that only waits for objects is answered with what there is, and its place is free in a
 * moment. The longest waiting first; those that were told so already wait no more. */
static bool end_a_wait(const struct http_source *s)
{
    int64_t latest_us = monotonic_us() - (int64_t)LIMIT_HTTP_WAIT_LEAST_MS * 1000;
    for (struct http_connection *c = s->busy; c; c = c->next_listed) {
        if (!c->request || c->request->begun_us > latest_us || !http_parking_end(c->request))
            continue;
        c->last = true;
        return true;
    }
    return false;
}

static bool make_room(struct http_loop *l, const struct http_source *s)
{
    struct http_connection *c = s ? slowest(s) : NULL;
    atomic_fetch_add(&l->server->figures.evicted, 1);
    if (c)
        http_connection_close(c);
    return c || (s && end_a_wait(s));
}

/* Of a limit for all, for each loop: they take new connections in turn. */
static size_t share(uint64_t all)
{
    return (size_t)(all + LIMIT_HTTP_LOOPS - 1) / LIMIT_HTTP_LOOPS;
}

/* A proxy on this machine has one address for all its clients. */
static bool is_loopback(const unsigned char address[16])
{
    static const unsigned char mapped[13] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127};
    static const unsigned char six[16] = {0};
    return memcmp(address, mapped, 13) == 0 || memcmp(address, six, 16) == 0;
}

bool http_source_enter(struct http_loop *l, struct http_connection *c)
{
    const struct exchange_config *most = exchange_config(l->server->exchange);
    struct http_source *s = source_of(l, &c->from);
    if (!s)
        return false;
    /* Counted first, so that closing its last other connection does not drop it. */
    s->count++;
    bool room =
        is_loopback(s->address) || s->count <= share(most->max_per_address) || make_room(l, s);
    uint64_t all = most->max_connections;
    if (all > l->server->most_connections)
        all = l->server->most_connections;
    room = room && (l->count < share(all) || make_room(l, fullest(l)));
    if (!room) {
        s->count--;
        drop_if_empty(l, s);
        return false;
    }
    c->source = s;
    http_source_list(c);
    return true;
}

void http_source_leave(struct http_connection *c)
{
    unlist(c);
    c->source->count--;
    drop_if_empty(c->loop, c->source);
    c->source = NULL;
}
