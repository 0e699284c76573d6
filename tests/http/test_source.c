/* Connections of one address, and of all: who makes room when there are too many. */
#include <arpa/inet.h>
#include <unistd.h>

#include "../exchange/node.h"

#include "http/http_priv.h"

/* A node says 20 of an address and 60 in all; each loop has its share. */
#define PER_ADDRESS (20 / LIMIT_HTTP_LOOPS)
#define ALL         (60 / LIMIT_HTTP_LOOPS)

static struct http_server server;
static struct http_loop loop;

static struct http_connection *come(const char *address, enum http_phase phase)
{
    struct http_connection *c = base_alloc(sizeof *c);
    if (strchr(address, ':')) {
        struct sockaddr_in6 a = {.sin6_family = AF_INET6};
        CHECK(inet_pton(AF_INET6, address, &a.sin6_addr) == 1);
        memcpy(&c->from, &a, sizeof a);
    } else {
        struct sockaddr_in a = {.sin_family = AF_INET};
        CHECK(inet_pton(AF_INET, address, &a.sin_addr) == 1);
        memcpy(&c->from, &a, sizeof a);
    }
    c->loop = &loop;
    c->fd = -1;
    c->phase = phase;
    c->since_us = monotonic_us() - 60000000;
    if (!http_source_enter(&loop, c)) {
        http_connection_free(c);
        return NULL;
    }
    c->next = loop.all;
    if (loop.all)
        loop.all->previous = c;
    loop.all = c;
    loop.count++;
    return c;
}

static void all_go(void)
{
    for (struct http_connection *c = loop.all; c; c = c->next)
        if (c->phase == HTTP_BUSY)
            c->phase = HTTP_SENDING;
    while (loop.all)
        http_connection_close(loop.all);
    for (struct http_connection *c = loop.dead, *next; c; c = next) {
        next = c->next;
        http_connection_free(c);
    }
    loop.dead = NULL;
    CHECK(loop.count == 0);
    for (size_t i = 0; i < HTTP_SOURCE_BUCKETS; i++)
        CHECK(loop.sources[i] == NULL);
}

static void test_one_address(void)
{
    struct http_connection *first = come("192.0.2.1", HTTP_IDLE),
                           *other = come("192.0.2.2", HTTP_IDLE);
    for (int i = 1; i < PER_ADDRESS; i++)
        CHECK(come("192.0.2.1", HTTP_IDLE));
    CHECK(first->phase == HTTP_IDLE);
    CHECK(come("192.0.2.1", HTTP_IDLE)); /* the longest quiet makes room */
    CHECK(first->phase == HTTP_CLOSED && other->phase == HTTP_IDLE);
    CHECK(first->source == NULL && other->source->count == 1);
    CHECK(loop.all->source->count == PER_ADDRESS);
    all_go();
    /* All of a /64 are one; IPv4 in IPv6 is IPv4. */
    for (int i = 0; i <= PER_ADDRESS; i++)
        CHECK(come(i % 2 ? "2001:db8::1" : "2001:db8::2:3", HTTP_IDLE));
    CHECK(loop.count == PER_ADDRESS);
    CHECK(come("2001:db8:0:1::1", HTTP_IDLE) && loop.count == PER_ADDRESS + 1);
    all_go();
    for (int i = 0; i <= PER_ADDRESS; i++)
        CHECK(come(i % 2 ? "::ffff:192.0.2.1" : "192.0.2.1", HTTP_IDLE));
    CHECK(loop.count == PER_ADDRESS);
    all_go();
    /* Whoever may be a proxy here has as many as there are. */
    for (int i = 0; i < 2 * PER_ADDRESS; i++)
        CHECK(come(i % 2 ? "127.0.0.1" : "::1", HTTP_IDLE));
    CHECK(loop.count == 2 * PER_ADDRESS);
    all_go();
}

static void test_all(void)
{
    struct http_connection *good = come("198.51.100.1", HTTP_IDLE);
    while (loop.count < ALL)
        CHECK(come("127.0.0.1", HTTP_IDLE));
    for (int i = 0; i < ALL; i++) /* whoever has most makes room for himself and others */
        CHECK(come("127.0.0.1", HTTP_IDLE));
    CHECK(come("198.51.100.2", HTTP_IDLE));
    CHECK(loop.count == ALL && good->phase == HTTP_IDLE);
    all_go();
}

static void test_who_goes_first(void)
{
    struct http_connection *moving = NULL, *slow = NULL;
    for (int i = 0; i < PER_ADDRESS; i++) {
        struct http_connection *c = come("192.0.2.1", HTTP_BODY);
        c->moved_bytes = i == 3 ? 10 : 1000000;
        slow = i == 3 ? c : slow;
        moving = c;
    }
    CHECK(come("192.0.2.1", HTTP_BODY)); /* nobody is quiet: the slowest */
    CHECK(slow->phase == HTTP_CLOSED && moving->phase == HTTP_BODY);
    all_go();
    /* Who waits for this server is not its to close. */
    for (int i = 0; i < PER_ADDRESS; i++)
        CHECK(come("192.0.2.1", HTTP_BUSY));
    CHECK(!come("192.0.2.1", HTTP_IDLE) && loop.count == PER_ADDRESS);
    CHECK(come("192.0.2.2", HTTP_IDLE));
    all_go();
}

int main(void)
{
    struct err e = {0};
    char token[64];
    if (!crypt_init(&e))
        return 1;
    folder_make("source");
    node_init("limited", token);
    struct str conf;
    CHECK(file_read(at("limited/setu.conf"), 0, &conf, &e));
    struct buf b;
    buf_init(&b, 0);
    buf_str(&b, conf);
    buf_lit(&b, "max-connections 60\nmax-connections-per-address 20\n\0");
    buf_byte(&b, '\0');
    node_write("limited", "setu.conf", b.p);
    buf_done(&b);
    base_free((void *)(uintptr_t)conf.p);
    CHECK_ROW(exchange_open(at("limited"), &server.exchange, &e), "%s", e.msg);
    server.most_connections = 1000; /* as the limit of open files would allow */
    loop.server = &server;
    test_one_address();
    test_all();
    test_who_goes_first();
    exchange_close(server.exchange);
    folder_remove();
    TEST_END();
}
