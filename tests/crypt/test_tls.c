/* TLS sessions over a pair of sockets: what a client may send beside its data, all in one piece,
 * must not hide the data behind it, nor go on for ever. */
#include <gnutls/gnutls.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypt/crypt.h"
#include "test.h"

static struct buf ca, ca_key, cert, key;

struct pair {
    int fds[2]; /* server, client */
    struct crypt_tls_server *server;
    struct crypt_tls *tls;
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t client;
};

static bool shake_hands(struct pair *p)
{
    enum crypt_tls_step step = CRYPT_TLS_AGAIN;
    int rc = GNUTLS_E_AGAIN;
    for (int i = 0; i < 100 && (step != CRYPT_TLS_DONE || rc != 0); i++) {
        if (rc != 0)
            rc = gnutls_handshake(p->client);
        if (step != CRYPT_TLS_DONE)
            step = crypt_tls_handshake(p->tls);
    }
    return step == CRYPT_TLS_DONE && rc == 0;
}

static bool pair_open(struct pair *p, const char *priorities)
{
    struct err e = {0};
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fds) == 0 &&
           crypt_tls_server_new(buf_view(&cert), buf_view(&key), buf_view(&ca), &p->server, &e) &&
           crypt_tls_new(p->server, p->fds[0], &p->tls, &e) &&
           gnutls_certificate_allocate_credentials(&p->credentials) == 0 &&
           gnutls_init(&p->client, GNUTLS_CLIENT | GNUTLS_NONBLOCK) == 0 &&
           gnutls_priority_set_direct(p->client, priorities, NULL) == 0 &&
           gnutls_credentials_set(p->client, GNUTLS_CRD_CERTIFICATE, p->credentials) == 0 &&
           (gnutls_transport_set_int(p->client, p->fds[1]), shake_hands(p));
}

static void pair_close(struct pair *p)
{
    crypt_tls_close(p->tls);
    crypt_tls_server_drop(p->server);
    gnutls_deinit(p->client);
    gnutls_certificate_free_credentials(p->credentials);
    close(p->fds[0]);
    close(p->fds[1]);
}

static bool send_data(struct pair *p, const char *text)
{
    return gnutls_record_send(p->client, text, strlen(text)) == (ssize_t)strlen(text);
}

static void reads(struct pair *p, const char *text)
{
    char got[64];
    size_t n = 0;
    enum crypt_tls_step step = crypt_tls_read(p->tls, got, sizeof got, &n);
    CHECK_ROW(step == CRYPT_TLS_DONE && str_eq((struct str){got, n}, str_of(text)),
              "%s: step %d, %zu bytes", text, (int)step, n);
}

static void waits(struct pair *p)
{
    char got[64];
    size_t n = 0;
    CHECK(crypt_tls_read(p->tls, got, sizeof got, &n) == CRYPT_TLS_AGAIN);
}

/* AGAIN means that the socket is empty: edge-triggered callers hear of no more. */
static void test_data_behind_a_key_update(void)
{
    struct pair p = {0};
    CHECK(pair_open(&p, "NORMAL:-VERS-ALL:+VERS-TLS1.3"));
    waits(&p);
    CHECK(gnutls_session_key_update(p.client, GNUTLS_KU_PEER) == 0 && send_data(&p, "one"));
    reads(&p, "one");
    CHECK(gnutls_session_key_update(p.client, 0) == 0 &&
          gnutls_session_key_update(p.client, 0) == 0 && send_data(&p, "two"));
    reads(&p, "two");
    waits(&p);
    CHECK(gnutls_session_key_update(p.client, 0) == 0);
    waits(&p);
    CHECK(send_data(&p, "three"));
    reads(&p, "three");
    pair_close(&p);
}

/* They are read over, but not without end. (In TLS 1.3 the library takes them for the end.) */
static void test_warnings(void)
{
    struct pair p = {0};
    char got[64];
    size_t n = 0;
    CHECK(pair_open(&p, "NORMAL:-VERS-ALL:+VERS-TLS1.2"));
    CHECK(gnutls_alert_send(p.client, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION) == 0 &&
          send_data(&p, "one"));
    reads(&p, "one");
    for (unsigned i = 0; i < LIMIT_TLS_WARNINGS; i++)
        CHECK(gnutls_alert_send(p.client, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION) == 0);
    CHECK(send_data(&p, "two"));
    CHECK(crypt_tls_read(p.tls, got, sizeof got, &n) == CRYPT_TLS_BROKEN);
    pair_close(&p);
}

/* A ClientHello that says it has 16 MiB, sent in records of 1000 bytes. */
static void send_hello(const struct pair *p, size_t bytes)
{
    static const unsigned char begin[] = {22, 3, 1, 1000 >> 8, 1000 & 0xFF, 1, 0xFF, 0xFF, 0xFF};
    for (size_t sent = 0; sent < bytes; sent += 1005) {
        unsigned char record[1005] = {0};
        memcpy(record, begin, sent ? 5 : sizeof begin);
        CHECK(write(p->fds[1], record, sizeof record) == sizeof record);
    }
}

/* A stranger's message is not kept when it is longer than any client's. */
static void test_long_messages(void)
{
    static const struct {
        size_t bytes;
        enum crypt_tls_step step;
    } rows[] = {
        {LIMIT_TLS_SILENT_BYTES - 1005, CRYPT_TLS_AGAIN},
        {LIMIT_TLS_SILENT_BYTES + 2010, CRYPT_TLS_BROKEN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair p = {0};
        (void)pair_open(&p, "NONE"); /* its client says nothing */
        send_hello(&p, rows[i].bytes);
        enum crypt_tls_step step = crypt_tls_handshake(p.tls);
        CHECK_ROW(step == rows[i].step, "%zu bytes: %d", rows[i].bytes, (int)step);
        pair_close(&p);
    }
}

/* Data is no such message, however much of it there is. */
static void test_much_data(void)
{
    struct pair p = {0};
    static char piece[16384], got[1000];
    size_t n = 0, all = 0;
    CHECK(pair_open(&p, "NORMAL"));
    for (int i = 0; i < 40; i++) {
        CHECK(gnutls_record_send(p.client, piece, sizeof piece) == sizeof piece);
        while (crypt_tls_read(p.tls, got, sizeof got, &n) == CRYPT_TLS_DONE)
            all += n;
    }
    CHECK(all == 40 * sizeof piece);
    pair_close(&p);
}

/* RFC 9155: nothing of a handshake is signed over SHA-1. */
static void test_signatures(void)
{
    static const struct {
        const char *priorities;
        bool opens;
    } rows[] = {
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-ECDSA-SHA256", true},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-ECDSA-SHA1:%VERIFY_ALLOW_SIGN_WITH_SHA1",
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair p = {0};
        CHECK_ROW(pair_open(&p, rows[i].priorities) == rows[i].opens, "%s", rows[i].priorities);
        pair_close(&p);
    }
}

int main(void)
{
    struct err e = {0};
    buf_init(&ca, 0);
    buf_init(&ca_key, 0);
    buf_init(&cert, 0);
    buf_init(&key, 0);
    CHECK(crypt_init(&e));
    CHECK(crypt_ca_make(STR("CA"), 20, &ca, &ca_key, &e) &&
          crypt_cert_issue(buf_view(&ca), buf_view(&ca_key), STR("node"), STR("localhost"), 10,
                           &cert, &key, &e));
    test_data_behind_a_key_update();
    test_warnings();
    test_signatures();
    test_long_messages();
    test_much_data();
    buf_done(&ca);
    buf_done(&ca_key);
    buf_done(&cert);
    buf_done(&key);
    TEST_END();
}
