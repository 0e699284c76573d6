/* TLS for servers, by GnuTLS. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "crypt/crypt.h"

/* RFC 9155: no SHA-1. */
#define PRIORITIES                                                                                 \
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+ECDHE-ECDSA:"    \
    "+ECDHE-RSA:+AEAD:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+SIGN-ALL:-SIGN-RSA-SHA1:"   \
    "-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:+COMP-NULL"

struct crypt_tls_server {
    atomic_uint holders;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priorities;
};

struct crypt_tls {
    struct crypt_tls_server *server;
    gnutls_session_t session;
    int fd;
    bool gave;           /* the socket, when it was asked last */
    size_t silent_bytes; /* taken from it since the handshake ended, or since there was data */
    unsigned warnings;
};

static gnutls_datum_t datum(struct str s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

static bool check(int rc, const char *what, struct err *e)
{
    if (rc >= 0)
        return true;
    enum err_code code = rc == GNUTLS_E_MEMORY_ERROR ? ERR_MEMORY : ERR_INVALID;
    return err_set(e, code, "%s: %s", what, gnutls_strerror(rc));
}

static bool load(struct crypt_tls_server *s, struct str cert_pem, struct str key_pem,
                 struct str ca_pem, struct err *e)
{
    gnutls_datum_t cert = datum(cert_pem), key = datum(key_pem), ca = datum(ca_pem);
    return check(gnutls_certificate_allocate_credentials(&s->credentials), "certificate", e) &&
           check(gnutls_certificate_set_x509_key_mem2(s->credentials, &cert, &key,
                                                      GNUTLS_X509_FMT_PEM, NULL, 0),
                 "certificate and key", e) &&
           check(gnutls_certificate_set_x509_trust_mem(s->credentials, &ca, GNUTLS_X509_FMT_PEM),
                 "CA", e) &&
           check(gnutls_priority_init(&s->priorities, PRIORITIES, NULL), "TLS", e);
}

bool crypt_tls_server_new(struct str cert_pem, struct str key_pem, struct str ca_pem,
                          struct crypt_tls_server **out, struct err *e)
{
    struct crypt_tls_server *s = base_alloc(sizeof *s);
    if (!s)
        return err_set(e, ERR_MEMORY, "out of memory");
    atomic_store(&s->holders, 1);
    if (!load(s, cert_pem, key_pem, ca_pem, e)) {
        crypt_tls_server_drop(s);
        return false;
    }
    *out = s;
    return true;
}

void crypt_tls_server_drop(struct crypt_tls_server *s)
{
    if (!s || atomic_fetch_sub(&s->holders, 1) > 1)
        return;
    if (s->priorities)
        gnutls_priority_deinit(s->priorities);
    if (s->credentials)
        gnutls_certificate_free_credentials(s->credentials);
    base_free(s);
}

/* The library keeps a message of the handshake while it comes, of up to 16 MiB, also after the
 * handshake; no client has so much to say before it has said anything. */
static ssize_t pull(gnutls_transport_ptr_t transport, void *to, size_t room)
{
    struct crypt_tls *t = transport;
    t->gave = false;
    if (t->silent_bytes > LIMIT_TLS_SILENT_BYTES) {
        errno = EPROTO;
        return -1;
    }
    ssize_t n = recv(t->fd, to, room, 0);
    t->gave = n > 0;
    t->silent_bytes += t->gave ? (size_t)n : 0;
    return n;
}

bool crypt_tls_new(struct crypt_tls_server *s, int fd, struct crypt_tls **out, struct err *e)
{
    struct crypt_tls *t = base_alloc(sizeof *t);
    if (!t)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok =
        check(gnutls_init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), "TLS",
              e) &&
        check(gnutls_priority_set(t->session, s->priorities), "TLS", e) &&
        check(gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, s->credentials), "TLS", e);
    if (!ok) {
        if (t->session)
            gnutls_deinit(t->session);
        base_free(t);
        return false;
    }
    gnutls_certificate_server_set_request(t->session, GNUTLS_CERT_REQUEST);
    t->fd = fd;
    gnutls_transport_set_ptr2(t->session, t, (gnutls_transport_ptr_t)(intptr_t)fd);
    gnutls_transport_set_pull_function(t->session, pull);
    gnutls_handshake_set_timeout(t->session, GNUTLS_INDEFINITE_TIMEOUT);
    atomic_fetch_add(&s->holders, 1);
    t->server = s;
    *out = t;
    return true;
}

/* What a failed call means. Another handshake is not made: who asks for one (TLS 1.2
 * renegotiation) is broken off. */
static enum crypt_tls_step failed(ssize_t rc)
{
    if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED)
        return CRYPT_TLS_AGAIN;
    return rc == GNUTLS_E_PREMATURE_TERMINATION ? CRYPT_TLS_ENDED : CRYPT_TLS_BROKEN;
}

/* Is it to be called again at once? A message that is no data, as KeyUpdate (RFC 8446 §4.6.3), is
 * told as AGAIN though the socket may hold more. */
static bool goes_on(struct crypt_tls *t, ssize_t rc)
{
    if (rc == GNUTLS_E_WARNING_ALERT_RECEIVED)
        return ++t->warnings <= LIMIT_TLS_WARNINGS;
    return rc == GNUTLS_E_INTERRUPTED ||
           (rc == GNUTLS_E_AGAIN && t->gave && gnutls_record_get_direction(t->session) == 0);
}

enum crypt_tls_step crypt_tls_handshake(struct crypt_tls *t)
{
    int rc;
    do {
        t->gave = false;
        rc = gnutls_handshake(t->session);
    } while (goes_on(t, rc));
    if (rc >= 0)
        t->silent_bytes = 0;
    return rc >= 0 ? CRYPT_TLS_DONE : failed(rc);
}

enum crypt_tls_step crypt_tls_read(struct crypt_tls *t, void *to, size_t room, size_t *got)
{
    ssize_t rc;
    do {
        t->gave = false;
        rc = gnutls_record_recv(t->session, to, room);
    } while (goes_on(t, rc));
    if (rc > 0) {
        *got = (size_t)rc;
        t->silent_bytes = 0;
    }
    return rc > 0 ? CRYPT_TLS_DONE : rc == 0 ? CRYPT_TLS_ENDED : failed(rc);
}

enum crypt_tls_step crypt_tls_write(struct crypt_tls *t, const void *p, size_t n, size_t *put)
{
    ssize_t rc;
    do
        rc = gnutls_record_send(t->session, p, n);
    while (rc == GNUTLS_E_INTERRUPTED);
    if (rc > 0)
        *put = (size_t)rc;
    return rc > 0 ? CRYPT_TLS_DONE : failed(rc);
}

void crypt_tls_close(struct crypt_tls *t)
{
    if (!t)
        return;
    gnutls_bye(t->session, GNUTLS_SHUT_WR);
    gnutls_deinit(t->session);
    crypt_tls_server_drop(t->server);
    base_free(t);
}

struct str crypt_tls_peer_cert(const struct crypt_tls *t)
{
    unsigned n = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(t->session, &n);
    return list && n ? (struct str){(const char *)list[0].data, list[0].size} : STR_NONE;
}
