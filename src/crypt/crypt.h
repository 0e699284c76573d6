/*
 * The one face to the cryptographic libraries: hashes, HMAC, signatures, tokens and passwords,
 * UUIDs, base64, certificates. Nothing is implemented here. Any thread may call after crypt_init.
 * It refuses to compare secrets in other than constant time.
 */
#ifndef CRYPT_CRYPT_H
#define CRYPT_CRYPT_H

#include "base/base.h"

#define CRYPT_SHA256_BYTES    32
#define CRYPT_KEY_BYTES       32
#define CRYPT_PUBLIC_BYTES    32
#define CRYPT_SECRET_BYTES    64 /* the seed, then the public key */
#define CRYPT_SIGNATURE_BYTES 64
#define CRYPT_UUID_TEXT       37 /* 36 characters and NUL */
#define CRYPT_TOKEN_TEXT      64

/* Call once before anything else; false if a library cannot start. */
bool crypt_init(struct err *e) BASE_CHECKED;

/* ---- hashes and MACs ---- */
void crypt_sha256(struct str data, unsigned char out[CRYPT_SHA256_BYTES]);
/* Of the parts, one behind the other. */
void crypt_sha256_parts(const struct str *parts, size_t count,
                        unsigned char out[CRYPT_SHA256_BYTES]);
/* Of data that comes piece by piece. */
struct crypt_hash {
    uint64_t state[16]; /* the library's */
};
void crypt_hash_begin(struct crypt_hash *h);
void crypt_hash_add(struct crypt_hash *h, struct str data);
void crypt_hash_end(struct crypt_hash *h, unsigned char out[CRYPT_SHA256_BYTES]);
void crypt_hmac_sha256(const unsigned char key[CRYPT_KEY_BYTES], struct str data,
                       unsigned char out[CRYPT_SHA256_BYTES]);
bool crypt_equal(const void *a, const void *b, size_t n); /* constant time */
/* SipHash-2-4: a name of 64 bits for data that others choose; without the key nobody can choose two
 * that share one. */
#define CRYPT_NAME_KEY_BYTES 16
uint64_t crypt_name64(const unsigned char key[CRYPT_NAME_KEY_BYTES], struct str data);

/* ---- deterministic authenticated encryption ---- */
#define CRYPT_SEAL_BYTES 16
/* Appends CRYPT_SEAL_BYTES and then the encrypted text. Equal texts under one key are sealed alike;
 * that and the length are all that is told (a synthetic IV, as in RFC 5297, of HMAC-SHA-256, with
 * XChaCha20). */
void crypt_seal(const unsigned char key[CRYPT_KEY_BYTES], struct str text, struct buf *out);
/* Appends the text; ERR_INVALID when `sealed` was not made under this key. */
bool crypt_unseal(const unsigned char key[CRYPT_KEY_BYTES], struct str sealed, struct buf *out,
                  struct err *e) BASE_CHECKED;

/* ---- signatures (Ed25519, RFC 8032 §5.1) ---- */
/* The key pair that a secret seed of 32 random bytes stands for. */
void crypt_sign_keys(const unsigned char seed[CRYPT_KEY_BYTES],
                     unsigned char public_key[CRYPT_PUBLIC_BYTES],
                     unsigned char secret[CRYPT_SECRET_BYTES]);
void crypt_sign(const unsigned char secret[CRYPT_SECRET_BYTES], struct str message,
                unsigned char out[CRYPT_SIGNATURE_BYTES]);
/* False also for a public key of small order and for a signature in a second form. */
bool crypt_sign_verify(const unsigned char public_key[CRYPT_PUBLIC_BYTES], struct str message,
                       const unsigned char signature[CRYPT_SIGNATURE_BYTES]);
void crypt_wipe(void *secret, size_t n); /* zeros that no compiler leaves out */

/* ---- identifiers ---- */
void crypt_uuid4(char out[CRYPT_UUID_TEXT]);
/* The same form of 122 of the bits that are given. */
void crypt_uuid4_of(const unsigned char bits[16], char out[CRYPT_UUID_TEXT]);
/* RFC 4122 §4.3 with SHA-1; `ns` is the text form of the namespace UUID. */
void crypt_uuid5(const char *ns, struct str name, char out[CRYPT_UUID_TEXT]);

/* ---- base64 (RFC 4648 §4 standard alphabet, §5 url without padding) ---- */
void crypt_base64_put(struct buf *out, struct str data, bool url);
/* False (ERR_SYNTAX) on any character outside the alphabet. */
bool crypt_base64_get(struct str text, bool url, struct buf *out, struct err *e) BASE_CHECKED;
/* The standard alphabet into at most `room` bytes at `out`, *n of them; without memory of its own.
 * False if it is no base64 or more: `out` may then be written to. */
bool crypt_base64_fill(struct str text, void *out, size_t room, size_t *n) BASE_CHECKED;

/* ---- secrets of people and services ---- */
/* "setu_" and 256 random bits in base64url. Only its hash is stored. */
void crypt_token_new(char out[CRYPT_TOKEN_TEXT]);
/* Argon2id for passwords people choose; text form, parameters inside. */
bool crypt_password_hash(struct str password, char out[128], struct err *e) BASE_CHECKED;
bool crypt_password_matches(struct str password, const char *hash);
/* Reads DIR/NAME, a key of CRYPT_KEY_BYTES; makes it (mode 0600) when `make` and absent. */
bool crypt_key_file(const char *path, bool make, unsigned char out[CRYPT_KEY_BYTES],
                    struct err *e) BASE_CHECKED;

/* ---- certificates (X.509, ECDSA P-256) ---- */
/* Makes a CA: self-signed certificate and key in PEM, valid for `days`. */
bool crypt_ca_make(struct str name, int days, struct buf *cert_pem, struct buf *key_pem,
                   struct err *e) BASE_CHECKED;
/* Issues a certificate under the CA for `name`, usable as server and client. `hosts` is a list of
 * DNS names and IP addresses separated by commas. */
bool crypt_cert_issue(struct str ca_cert_pem, struct str ca_key_pem, struct str name,
                      struct str hosts, int days, struct buf *cert_pem, struct buf *key_pem,
                      struct err *e) BASE_CHECKED;
/* SHA-256 of the first certificate in PEM (or of one in DER). */
bool crypt_cert_fingerprint(struct str pem_or_der, unsigned char out[CRYPT_SHA256_BYTES],
                            struct err *e) BASE_CHECKED;
/* Is a certificate presented by a client usable now: within its dates, for TLS client use, no CA?
 */
bool crypt_cert_client_ok(struct str pem_or_der, int64_t at_us, struct err *e) BASE_CHECKED;

/* What an administrator should know of a certificate in PEM: valid from, and until before. */
struct crypt_cert {
    int64_t from_us, until_us;
    bool ca;
};
bool crypt_cert_read(struct str pem, struct crypt_cert *out, struct err *e) BASE_CHECKED;
/* Does it hold this DNS name or IP address (RFC 9525)? False also when it cannot be read. */
bool crypt_cert_has_host(struct str pem, struct str host);
/* Was it signed with the key of `ca`? */
bool crypt_cert_issued_by(struct str pem, struct str ca_pem);
/* ERR_INVALID when the key (PEM) cannot be read or is another's. */
bool crypt_cert_has_key(struct str pem, struct str key_pem, struct err *e) BASE_CHECKED;

/* ---- TLS for servers: 1.2 and 1.3, authenticated encryption and forward secrecy only (TAXII 2.1
 * §8.2.2), over sockets that do not block ---- */

/* A certificate, its key, and the CAs whose client certificates are asked for. Sessions hold it, so
 * it may be given up while they last. Any thread. */
struct crypt_tls_server;
/* All in PEM. ERR_INVALID when they cannot be read or do not belong together. */
bool crypt_tls_server_new(struct str cert_pem, struct str key_pem, struct str ca_pem,
                          struct crypt_tls_server **out, struct err *e) BASE_CHECKED;
void crypt_tls_server_drop(struct crypt_tls_server *s);

/* One connection; one thread at a time. The socket stays the caller's. */
struct crypt_tls;
enum crypt_tls_step {
    CRYPT_TLS_DONE,
    CRYPT_TLS_AGAIN, /* when the socket can be read, or written, again */
    CRYPT_TLS_ENDED, /* the other end has said good-bye */
    CRYPT_TLS_BROKEN /* the connection is of no use any more */
};
bool crypt_tls_new(struct crypt_tls_server *s, int fd, struct crypt_tls **out,
                   struct err *e) BASE_CHECKED;
enum crypt_tls_step crypt_tls_handshake(struct crypt_tls *t);
/* DONE: *got is at least 1. Edge-triggered callers read until AGAIN. */
enum crypt_tls_step crypt_tls_read(struct crypt_tls *t, void *to, size_t room, size_t *got);
/* DONE: *put is at least 1; one record at the most. After AGAIN the same bytes are to be given
 * again. */
enum crypt_tls_step crypt_tls_write(struct crypt_tls *t, const void *p, size_t n, size_t *put);
/* Says good-bye if the socket takes it, and frees. */
void crypt_tls_close(struct crypt_tls *t);
/* The certificate (DER) that the other end presented, or STR_NONE. It lives as long as the session.
 * Not verified: see crypt_cert_client_ok. */
struct str crypt_tls_peer_cert(const struct crypt_tls *t);
#define CRYPT_TLS_RECORD_BYTES 16384

#endif
