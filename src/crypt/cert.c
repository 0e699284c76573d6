#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "crypt/crypt.h"

#define SECONDS_A_DAY 86400

/* One certificate being made or read, and its key. */
struct pair {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
};

static bool check(int rc, const char *what, struct err *e)
{
    return rc >= 0 || err_set(e, ERR_INTERNAL, "%s: %s", what, gnutls_strerror(rc));
}

static bool pair_init(struct pair *p, struct err *e)
{
    *p = (struct pair){0};
    return check(gnutls_x509_crt_init(&p->crt), "certificate", e) &&
           check(gnutls_x509_privkey_init(&p->key), "key", e);
}

static void pair_done(struct pair *p)
{
    if (p->crt)
        gnutls_x509_crt_deinit(p->crt);
    if (p->key)
        gnutls_x509_privkey_deinit(p->key);
}

static gnutls_datum_t datum(struct str s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

/* Fresh key, serial, dates and subject: what a CA and a leaf share. */
static bool fill_common(struct pair *p, struct str name, int days, struct err *e)
{
    unsigned char serial[16];
    time_t now = (time_t)(now_us() / 1000000);
    base_random(serial, sizeof serial);
    serial[0] &= 0x7F; /* RFC 5280 §4.1.2.2: a positive number */
    unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    return check(gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA, bits, 0), "key", e) &&
           check(gnutls_x509_crt_set_version(p->crt, 3), "version", e) &&
           check(gnutls_x509_crt_set_serial(p->crt, serial, sizeof serial), "serial", e) &&
           check(gnutls_x509_crt_set_activation_time(p->crt, now - 300), "dates", e) &&
           check(gnutls_x509_crt_set_expiration_time(p->crt, now + (time_t)days * SECONDS_A_DAY),
                 "dates", e) &&
           check(gnutls_x509_crt_set_dn_by_oid(p->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name.p,
                                               (unsigned)name.n),
                 "name", e) &&
           check(gnutls_x509_crt_set_key(p->crt, p->key), "key", e);
}

static bool set_key_id(gnutls_x509_crt_t crt, struct err *e)
{
    unsigned char id[64];
    size_t n = sizeof id;
    return check(gnutls_x509_crt_get_key_id(crt, 0, id, &n), "key id", e) &&
           check(gnutls_x509_crt_set_subject_key_id(crt, id, n), "key id", e);
}

static bool export_pem(const struct pair *p, struct buf *cert_pem, struct buf *key_pem,
                       struct err *e)
{
    gnutls_datum_t cert = {0}, key = {0};
    bool ok = check(gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, &cert), "export", e) &&
              check(gnutls_x509_privkey_export2_pkcs8(p->key, GNUTLS_X509_FMT_PEM, NULL,
                                                      GNUTLS_PKCS_PLAIN, &key),
                    "export", e);
    if (ok) {
        buf_put(cert_pem, cert.data, cert.size);
        buf_put(key_pem, key.data, key.size);
        ok = buf_ok(cert_pem, e) && buf_ok(key_pem, e);
    }
    gnutls_free(cert.data);
    gnutls_free(key.data);
    return ok;
}

bool crypt_ca_make(struct str name, int days, struct buf *cert_pem, struct buf *key_pem,
                   struct err *e)
{
    struct pair p;
    unsigned usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN;
    bool ok = pair_init(&p, e) && fill_common(&p, name, days, e) &&
              check(gnutls_x509_crt_set_basic_constraints(p.crt, 1, 0), "constraints", e) &&
              check(gnutls_x509_crt_set_key_usage(p.crt, usage), "usage", e) &&
              set_key_id(p.crt, e) &&
              check(gnutls_x509_crt_sign2(p.crt, p.crt, p.key, GNUTLS_DIG_SHA256, 0), "sign", e) &&
              export_pem(&p, cert_pem, key_pem, e);
    pair_done(&p);
    return ok;
}

static bool add_host(gnutls_x509_crt_t crt, struct str host, struct err *e)
{
    char text[256];
    unsigned char addr[16];
    if (host.n == 0 || host.n >= sizeof text)
        return err_set(e, ERR_USAGE, "not a host name: \"%.*s\"", STR_FMT(host));
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    gnutls_x509_subject_alt_name_t kind = GNUTLS_SAN_DNSNAME;
    const void *data = text;
    unsigned n = (unsigned)host.n;
    if (inet_pton(AF_INET, text, addr) == 1 || inet_pton(AF_INET6, text, addr) == 1) {
        kind = GNUTLS_SAN_IPADDRESS;
        data = addr;
        n = strchr(text, ':') ? 16 : 4;
    }
    return check(gnutls_x509_crt_set_subject_alt_name(crt, kind, data, n, GNUTLS_FSAN_APPEND),
                 "host name", e);
}

static bool add_hosts(gnutls_x509_crt_t crt, struct str hosts, struct err *e)
{
    while (hosts.p) {
        struct str host = str_trim(str_cut(&hosts, ','));
        if (host.n && !add_host(crt, host, e))
            return false;
    }
    return true;
}

static bool import_ca(struct pair *ca, struct str cert_pem, struct str key_pem, struct err *e)
{
    gnutls_datum_t cert = datum(cert_pem), key = datum(key_pem);
    return pair_init(ca, e) &&
           check(gnutls_x509_crt_import(ca->crt, &cert, GNUTLS_X509_FMT_PEM), "CA", e) &&
           check(gnutls_x509_privkey_import2(ca->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0), "CA key",
                 e);
}

static bool fill_leaf(struct pair *p, const struct pair *ca, struct str hosts, struct err *e)
{
    unsigned char id[64];
    size_t n = sizeof id;
    unsigned critical;
    return add_hosts(p->crt, hosts, e) &&
           check(gnutls_x509_crt_set_basic_constraints(p->crt, 0, -1), "constraints", e) &&
           check(gnutls_x509_crt_set_key_usage(p->crt, GNUTLS_KEY_DIGITAL_SIGNATURE), "usage", e) &&
           check(gnutls_x509_crt_set_key_purpose_oid(p->crt, GNUTLS_KP_TLS_WWW_SERVER, 0), "usage",
                 e) &&
           check(gnutls_x509_crt_set_key_purpose_oid(p->crt, GNUTLS_KP_TLS_WWW_CLIENT, 0), "usage",
                 e) &&
           set_key_id(p->crt, e) &&
           check(gnutls_x509_crt_get_subject_key_id(ca->crt, id, &n, &critical), "CA key id", e) &&
           check(gnutls_x509_crt_set_authority_key_id(p->crt, id, n), "CA key id", e);
}

/* NOLINTNEXTLINE(readability-function-size): the authority, the subject and both results, in PEM */
bool crypt_cert_issue(struct str ca_cert_pem, struct str ca_key_pem, struct str name,
                      struct str hosts, int days, struct buf *cert_pem, struct buf *key_pem,
                      struct err *e)
{
    struct pair ca = {0}, p = {0};
    bool ok =
        import_ca(&ca, ca_cert_pem, ca_key_pem, e) && pair_init(&p, e) &&
        fill_common(&p, name, days, e) && fill_leaf(&p, &ca, hosts, e) &&
        check(gnutls_x509_crt_sign2(p.crt, ca.crt, ca.key, GNUTLS_DIG_SHA256, 0), "sign", e) &&
        export_pem(&p, cert_pem, key_pem, e);
    pair_done(&p);
    pair_done(&ca);
    return ok;
}

static bool import_any(gnutls_x509_crt_t *crt, struct str text, struct err *e)
{
    gnutls_datum_t d = datum(text);
    bool pem = str_find(text, '-') < text.n && memmem(text.p, text.n, "-----BEGIN", 10);
    if (!check(gnutls_x509_crt_init(crt), "certificate", e))
        return false;
    int rc = gnutls_x509_crt_import(*crt, &d, pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER);
    if (rc >= 0)
        return true;
    gnutls_x509_crt_deinit(*crt);
    return err_set(e, ERR_INVALID, "not a certificate: %s", gnutls_strerror(rc));
}

bool crypt_cert_fingerprint(struct str pem_or_der, unsigned char out[CRYPT_SHA256_BYTES],
                            struct err *e)
{
    gnutls_x509_crt_t crt;
    size_t n = CRYPT_SHA256_BYTES;
    if (!import_any(&crt, pem_or_der, e))
        return false;
    bool ok =
        check(gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, out, &n), "certificate", e);
    gnutls_x509_crt_deinit(crt);
    return ok;
}

/* RFC 5280 §4.2.1.12: with an extended key usage, client authentication must be among its purposes.
 */
static bool for_client(gnutls_x509_crt_t crt)
{
    char oid[128];
    for (unsigned i = 0;; i++) {
        size_t n = sizeof oid;
        unsigned critical;
        int rc = gnutls_x509_crt_get_key_purpose_oid(crt, i, oid, &n, &critical);
        if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return i == 0;
        if (rc < 0)
            return false;
        if (strcmp(oid, GNUTLS_KP_TLS_WWW_CLIENT) == 0)
            return true;
    }
}

bool crypt_cert_client_ok(struct str pem_or_der, int64_t at_us, struct err *e)
{
    gnutls_x509_crt_t crt;
    unsigned critical;
    time_t at = (time_t)(at_us / 1000000);
    bool ok = true;
    if (!import_any(&crt, pem_or_der, e))
        return false;
    if (at < gnutls_x509_crt_get_activation_time(crt))
        ok = err_set(e, ERR_UNAUTHORIZED, "the client certificate is not valid yet");
    else if (at >= gnutls_x509_crt_get_expiration_time(crt))
        ok = err_set(e, ERR_UNAUTHORIZED, "the client certificate has expired");
    else if (!for_client(crt))
        ok = err_set(e, ERR_UNAUTHORIZED, "the client certificate is not for TLS clients");
    else if (gnutls_x509_crt_get_ca_status(crt, &critical) > 0)
        ok = err_set(e, ERR_UNAUTHORIZED, "the client certificate is a CA's");
    gnutls_x509_crt_deinit(crt);
    return ok;
}

bool crypt_cert_read(struct str pem, struct crypt_cert *out, struct err *e)
{
    gnutls_x509_crt_t crt;
    unsigned critical;
    if (!import_any(&crt, pem, e))
        return false;
    *out = (struct crypt_cert){(int64_t)gnutls_x509_crt_get_activation_time(crt) * 1000000,
                               (int64_t)gnutls_x509_crt_get_expiration_time(crt) * 1000000,
                               gnutls_x509_crt_get_ca_status(crt, &critical) > 0};
    gnutls_x509_crt_deinit(crt);
    return true;
}

bool crypt_cert_has_host(struct str pem, struct str host)
{
    gnutls_x509_crt_t crt;
    char text[256];
    struct err ignored;
    if (host.n >= sizeof text || !import_any(&crt, pem, &ignored))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    bool has = gnutls_x509_crt_check_hostname(crt, text) != 0;
    gnutls_x509_crt_deinit(crt);
    return has;
}

bool crypt_cert_issued_by(struct str pem, struct str ca_pem)
{
    gnutls_x509_crt_t crt, ca;
    struct err ignored;
    unsigned wrong = 1;
    if (!import_any(&crt, pem, &ignored))
        return false;
    if (import_any(&ca, ca_pem, &ignored)) {
        /* Dates are looked at apart. */
        bool ok = gnutls_x509_crt_verify(crt, &ca, 1,
                                         GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
                                             GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS,
                                         &wrong) >= 0;
        wrong = ok ? wrong : 1;
        gnutls_x509_crt_deinit(ca);
    }
    gnutls_x509_crt_deinit(crt);
    return wrong == 0;
}

bool crypt_cert_has_key(struct str pem, struct str key_pem, struct err *e)
{
    struct pair p;
    gnutls_datum_t cert = datum(pem), key = datum(key_pem);
    unsigned char of_cert[64], of_key[64];
    size_t cert_n = sizeof of_cert, key_n = sizeof of_key;
    bool ok =
        pair_init(&p, e) &&
        check(gnutls_x509_crt_import(p.crt, &cert, GNUTLS_X509_FMT_PEM), "certificate", e) &&
        check(gnutls_x509_privkey_import2(p.key, &key, GNUTLS_X509_FMT_PEM, NULL, 0), "key", e) &&
        check(gnutls_x509_crt_get_key_id(p.crt, 0, of_cert, &cert_n), "certificate", e) &&
        check(gnutls_x509_privkey_get_key_id(p.key, 0, of_key, &key_n), "key", e);
    if (ok && (cert_n != key_n || memcmp(of_cert, of_key, key_n) != 0))
        ok = err_set(e, ERR_INVALID, "the key is another certificate's");
    pair_done(&p);
    if (!ok)
        e->code = ERR_INVALID;
    return ok;
}
