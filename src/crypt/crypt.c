#include "crypt/crypt.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <nettle/hmac.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <sodium.h>
#include <string.h>

_Static_assert(CRYPT_SHA256_BYTES == SHA256_DIGEST_SIZE, "sha256");
_Static_assert(CRYPT_KEY_BYTES == crypto_sign_SEEDBYTES, "seed");
_Static_assert(CRYPT_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "public key");
_Static_assert(CRYPT_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "secret key");
_Static_assert(CRYPT_SIGNATURE_BYTES == crypto_sign_BYTES, "signature");

bool crypt_init(struct err *e)
{
    if (sodium_init() < 0 || gnutls_global_init() != 0)
        return err_set(e, ERR_INTERNAL, "a cryptographic library cannot start");
    return true;
}

/* libsodium asks for non-NULL input. */
static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)(s.p ? s.p : "");
}

void crypt_sha256(struct str data, unsigned char out[CRYPT_SHA256_BYTES])
{
    crypt_sha256_parts(&data, 1, out);
}

/* Nettle uses the processor's SHA instructions; libsodium's plain C takes four times as long. */
void crypt_sha256_parts(const struct str *parts, size_t count,
                        unsigned char out[CRYPT_SHA256_BYTES])
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    for (size_t i = 0; i < count; i++)
        sha256_update(&sha, parts[i].n, bytes_of(parts[i]));
    sha256_digest(&sha, CRYPT_SHA256_BYTES, out);
}

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct crypt_hash) &&
                   _Alignof(struct sha256_ctx) <= _Alignof(struct crypt_hash),
               "a hash's state");

static struct sha256_ctx *state_of(struct crypt_hash *h)
{
    return (struct sha256_ctx *)(void *)h->state;
}

void crypt_hash_begin(struct crypt_hash *h)
{
    sha256_init(state_of(h));
}

void crypt_hash_add(struct crypt_hash *h, struct str data)
{
    sha256_update(state_of(h), data.n, bytes_of(data));
}

void crypt_hash_end(struct crypt_hash *h, unsigned char out[CRYPT_SHA256_BYTES])
{
    sha256_digest(state_of(h), CRYPT_SHA256_BYTES, out);
}

void crypt_hmac_sha256(const unsigned char key[CRYPT_KEY_BYTES], struct str data,
                       unsigned char out[CRYPT_SHA256_BYTES])
{
    struct hmac_sha256_ctx mac;
    hmac_sha256_set_key(&mac, CRYPT_KEY_BYTES, key);
    hmac_sha256_update(&mac, data.n, bytes_of(data));
    hmac_sha256_digest(&mac, CRYPT_SHA256_BYTES, out);
    sodium_memzero(&mac, sizeof mac); /* its state is as good as the key */
}

uint64_t crypt_name64(const unsigned char key[CRYPT_NAME_KEY_BYTES], struct str data)
{
    uint64_t name;
    _Static_assert(crypto_shorthash_BYTES == sizeof name, "64 bits");
    _Static_assert(crypto_shorthash_KEYBYTES == CRYPT_NAME_KEY_BYTES, "128 bits");
    crypto_shorthash((unsigned char *)&name, (const unsigned char *)data.p, data.n, key);
    return name;
}

bool crypt_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

/* ---- deterministic authenticated encryption ---- */

_Static_assert(CRYPT_KEY_BYTES == crypto_stream_xchacha20_KEYBYTES, "xchacha20");

/* The nonce: the first CRYPT_SEAL_BYTES of the text's HMAC, and zeros. */
static void seal_nonce(const unsigned char key[CRYPT_KEY_BYTES], struct str text,
                       unsigned char nonce[crypto_stream_xchacha20_NONCEBYTES])
{
    unsigned char mac_key[CRYPT_SHA256_BYTES], mac[CRYPT_SHA256_BYTES];
    crypt_hmac_sha256(key, (struct str){"setu seal: authenticates", 24}, mac_key);
    crypt_hmac_sha256(mac_key, text, mac);
    memset(nonce, 0, crypto_stream_xchacha20_NONCEBYTES);
    memcpy(nonce, mac, CRYPT_SEAL_BYTES);
    sodium_memzero(mac_key, sizeof mac_key);
}

static void seal_xor(const unsigned char key[CRYPT_KEY_BYTES], struct str in,
                     const unsigned char nonce[crypto_stream_xchacha20_NONCEBYTES], char *out)
{
    unsigned char sub[CRYPT_SHA256_BYTES];
    crypt_hmac_sha256(key, (struct str){"setu seal: encrypts", 19}, sub);
    if (in.n)
        crypto_stream_xchacha20_xor((unsigned char *)out, bytes_of(in), in.n, nonce, sub);
    sodium_memzero(sub, sizeof sub);
}

void crypt_seal(const unsigned char key[CRYPT_KEY_BYTES], struct str text, struct buf *out)
{
    unsigned char nonce[crypto_stream_xchacha20_NONCEBYTES];
    if (!buf_reserve(out, CRYPT_SEAL_BYTES + text.n))
        return;
    seal_nonce(key, text, nonce);
    memcpy(out->p + out->n, nonce, CRYPT_SEAL_BYTES);
    seal_xor(key, text, nonce, out->p + out->n + CRYPT_SEAL_BYTES);
    out->n += CRYPT_SEAL_BYTES + text.n;
}

bool crypt_unseal(const unsigned char key[CRYPT_KEY_BYTES], struct str sealed, struct buf *out,
                  struct err *e)
{
    unsigned char nonce[crypto_stream_xchacha20_NONCEBYTES] = {0};
    unsigned char again[crypto_stream_xchacha20_NONCEBYTES];
    if (sealed.n < CRYPT_SEAL_BYTES)
        return err_set(e, ERR_INVALID, "too short for a sealed text");
    struct str in = str_from(sealed, CRYPT_SEAL_BYTES);
    if (!buf_reserve(out, in.n + 1)) /* a place to write to even for no text */
        return buf_ok(out, e);
    memcpy(nonce, sealed.p, CRYPT_SEAL_BYTES);
    seal_xor(key, in, nonce, out->p + out->n);
    seal_nonce(key, (struct str){out->p + out->n, in.n}, again);
    if (!crypt_equal(nonce, again, sizeof nonce)) {
        sodium_memzero(out->p + out->n, in.n);
        return err_set(e, ERR_INVALID, "it was not sealed under this key");
    }
    out->n += in.n;
    return true;
}

void crypt_sign_keys(const unsigned char seed[CRYPT_KEY_BYTES],
                     unsigned char public_key[CRYPT_PUBLIC_BYTES],
                     unsigned char secret[CRYPT_SECRET_BYTES])
{
    must(crypto_sign_seed_keypair(public_key, secret, seed) == 0);
}

void crypt_sign(const unsigned char secret[CRYPT_SECRET_BYTES], struct str message,
                unsigned char out[CRYPT_SIGNATURE_BYTES])
{
    must(crypto_sign_detached(out, NULL, bytes_of(message), message.n, secret) == 0);
}

bool crypt_sign_verify(const unsigned char public_key[CRYPT_PUBLIC_BYTES], struct str message,
                       const unsigned char signature[CRYPT_SIGNATURE_BYTES])
{
    return crypto_sign_verify_detached(signature, bytes_of(message), message.n, public_key) == 0;
}

void crypt_wipe(void *secret, size_t n)
{
    sodium_memzero(secret, n);
}

/* RFC 4122 §4.1.1, §4.1.3: variant 10x, version in the high nibble of byte 6. */
static void uuid_text(unsigned char u[16], unsigned version, char out[CRYPT_UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    u[6] = (unsigned char)((u[6] & 0x0F) | version << 4);
    u[8] = (unsigned char)((u[8] & 0x3F) | 0x80);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[n++] = '-';
        out[n++] = digits[u[i] >> 4];
        out[n++] = digits[u[i] & 15];
    }
    out[n] = '\0';
}

/* ---- identifiers ---- */

void crypt_uuid4(char out[CRYPT_UUID_TEXT])
{
    unsigned char u[16];
    base_random(u, sizeof u);
    uuid_text(u, 4, out);
}

void crypt_uuid4_of(const unsigned char bits[16], char out[CRYPT_UUID_TEXT])
{
    unsigned char u[16];
    memcpy(u, bits, sizeof u);
    uuid_text(u, 4, out);
}

void crypt_uuid5(const char *ns, struct str name, char out[CRYPT_UUID_TEXT])
{
    unsigned char space[16], digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx sha;
    size_t n = 0;
    must(sodium_hex2bin(space, sizeof space, ns, strlen(ns), "-", &n, NULL) == 0 && n == 16);
    sha1_init(&sha);
    sha1_update(&sha, sizeof space, space);
    sha1_update(&sha, name.n, bytes_of(name));
    sha1_digest(&sha, sizeof digest, digest);
    uuid_text(digest, 5, out);
}

static int variant_of(bool url)
{
    return url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL;
}

void crypt_base64_put(struct buf *out, struct str data, bool url)
{
    size_t bytes = sodium_base64_encoded_len(data.n, variant_of(url)); /* with the final NUL */
    if (!buf_reserve(out, bytes))
        return;
    sodium_bin2base64(out->p + out->n, bytes, bytes_of(data), data.n, variant_of(url));
    out->n += bytes - 1;
}

/* libsodium 1.0.18 reads every byte over 0x7F as some digit. */
static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > 0x7F)
            return false;
    return true;
}

static bool from_base64(struct str text, bool url, void *out, size_t room, size_t *n)
{
    const char *end = NULL;
    return text.n == 0 ||
           (is_ascii(text) &&
            sodium_base642bin(out, room, text.p, text.n, NULL, n, &end, variant_of(url)) == 0 &&
            end == text.p + text.n);
}

bool crypt_base64_get(struct str text, bool url, struct buf *out, struct err *e)
{
    size_t n = 0, room = text.n / 4 * 3 + 3;
    if (!buf_reserve(out, room))
        return buf_ok(out, e);
    if (!from_base64(text, url, out->p + out->n, room, &n))
        return err_set(e, ERR_SYNTAX, "not base64");
    out->n += n;
    return true;
}

bool crypt_base64_fill(struct str text, void *out, size_t room, size_t *n)
{
    return text.n && from_base64(text, false, out, room, n);
}

void crypt_token_new(char out[CRYPT_TOKEN_TEXT])
{
    unsigned char secret[32];
    base_random(secret, sizeof secret);
    memcpy(out, "setu_", 5);
    sodium_bin2base64(out + 5, CRYPT_TOKEN_TEXT - 5, secret, sizeof secret, variant_of(true));
    sodium_memzero(secret, sizeof secret);
}

bool crypt_password_hash(struct str password, char out[128], struct err *e)
{
    _Static_assert(crypto_pwhash_STRBYTES <= 128, "text of a password hash");
    if (crypto_pwhash_str(out, (const char *)bytes_of(password), password.n,
                          crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return err_set(e, ERR_MEMORY, "out of memory for hashing a password");
    return true;
}

bool crypt_password_matches(struct str password, const char *hash)
{
    return crypto_pwhash_str_verify(hash, (const char *)bytes_of(password), password.n) == 0;
}

bool crypt_key_file(const char *path, bool make, unsigned char out[CRYPT_KEY_BYTES], struct err *e)
{
    struct str text;
    if (make && !file_exists(path)) {
        base_random(out, CRYPT_KEY_BYTES);
        return file_write(path, (struct str){(const char *)out, CRYPT_KEY_BYTES}, 0600, e);
    }
    if (!file_read(path, 4096, &text, e))
        return false;
    bool ok = text.n == CRYPT_KEY_BYTES;
    if (ok)
        memcpy(out, text.p, CRYPT_KEY_BYTES);
    else
        err_set(e, ERR_IO, "%s is no key of %d bytes", path, CRYPT_KEY_BYTES);
    base_free((void *)(uintptr_t)text.p);
    return ok;
}
