/* Published vectors (FIPS 180-4, RFC 4231, RFC 8032, RFC 4122 with STIX 2.1 §6, RFC 4648) and
 * certificates. */
#include "crypt/crypt.h"
#include "test.h"

static bool is_hex(const unsigned char *p, size_t n, const char *hex)
{
    struct buf b;
    buf_init(&b, 0);
    buf_hex(&b, p, n);
    bool same = str_eq(buf_view(&b), str_of(hex));
    buf_done(&b);
    return same;
}

static void test_hashes(void)
{
    unsigned char d[32], key[32] = {0};
    crypt_sha256(STR("abc"), d);
    CHECK(is_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    crypt_sha256(STR_NONE, d);
    CHECK(is_hex(d, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    const struct str parts[] = {STR("a"), STR_NONE, STR("bc")};
    crypt_sha256_parts(parts, 3, d);
    CHECK(is_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    /* RFC 4231 case 2 pads its short key with zeros, so a 32-byte buffer holds it. */
    memcpy(key, "Jefe", 4);
    crypt_hmac_sha256(key, STR("what do ya want for nothing?"), d);
    CHECK(is_hex(d, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
}

/* RFC 8032 §7.1, test 2. */
static void test_signatures(void)
{
    unsigned char seed[32], public_key[32], secret[64], sig[64], bad[64];
    struct buf b;
    struct err e;
    size_t n = 0;
    buf_init(&b, 0);
    CHECK(crypt_base64_get(STR("TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs"), true, &b, &e));
    memcpy(seed, b.p, 32);
    crypt_sign_keys(seed, public_key, secret);
    CHECK(
        is_hex(public_key, 32, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
    crypt_sign(secret, STR("r"), sig);
    CHECK(is_hex(sig, 64,
                 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                 "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"));
    CHECK(crypt_sign_verify(public_key, STR("r"), sig));
    CHECK(!crypt_sign_verify(public_key, STR("s"), sig));
    for (size_t i = 0; i < 64; i++) {
        memcpy(bad, sig, 64);
        bad[i] ^= 1;
        CHECK_ROW(!crypt_sign_verify(public_key, STR("r"), bad), "byte %zu", i);
    }
    memset(bad, 0, sizeof bad);
    CHECK(!crypt_sign_verify(bad, STR("r"), bad)); /* a key of small order */
    crypt_wipe(secret, sizeof secret);
    CHECK(memcmp(secret, bad, sizeof secret) == 0);
    CHECK(crypt_base64_fill(STR("Zm9vYmE="), sig, 5, &n) && n == 5 && memcmp(sig, "fooba", 5) == 0);
    CHECK(!crypt_base64_fill(STR("Zm9vYmE="), sig, 4, &n));
    CHECK(!crypt_base64_fill(STR("Zm9vYmF="), sig, 5, &n)); /* a second form of the same bytes */
    CHECK(!crypt_base64_fill(STR("Zm9vYmE"), sig, 5, &n) &&
          !crypt_base64_fill(STR_NONE, sig, 5, &n));
    buf_done(&b);
}

/* Equal texts are sealed alike; each changed byte and another key are found. */
static void test_seal(void)
{
    static const char text[] = "some text of more than one block, and of no round length";
    unsigned char key[CRYPT_KEY_BYTES] = {1}, other[CRYPT_KEY_BYTES] = {2};
    struct buf a, b, out;
    struct err e = {0};
    buf_init(&a, 0);
    buf_init(&b, 0);
    buf_init(&out, 0);
    for (size_t n = 0; n < sizeof text; n++) {
        struct str plain = {text, n};
        buf_clear(&a);
        buf_clear(&b);
        buf_clear(&out);
        crypt_seal(key, plain, &a);
        crypt_seal(key, plain, &b);
        CHECK(a.n == n + CRYPT_SEAL_BYTES && str_eq(buf_view(&a), buf_view(&b)));
        CHECK(crypt_unseal(key, buf_view(&a), &out, &e) && str_eq(buf_view(&out), plain));
        out.n = 0;
        CHECK(!crypt_unseal(other, buf_view(&a), &out, &e) && e.code == ERR_INVALID && !out.n);
        for (size_t i = 0; i < a.n; i++) {
            a.p[i] ^= 1;
            CHECK(!crypt_unseal(key, buf_view(&a), &out, &e) && !out.n);
            a.p[i] ^= 1;
        }
        CHECK(!crypt_unseal(key, str_slice(buf_view(&a), 0, a.n - 1), &out, &e));
    }
    CHECK(!crypt_unseal(key, STR("short"), &out, &e));
    crypt_seal(other, STR("a"), &b);
    CHECK(!str_eq(buf_view(&a), buf_view(&b)));
    buf_done(&a);
    buf_done(&b);
    buf_done(&out);
}

static void test_uuids(void)
{
    char u[CRYPT_UUID_TEXT], v[CRYPT_UUID_TEXT];
    crypt_uuid5("00abedb4-aa42-466c-9c01-fed23315a9b7", STR("{\"value\":\"198.51.100.3\"}"), u);
    CHECK(strcmp(u, "28bb3599-77cd-5a82-a950-b5bc3caf07c4") == 0);
    crypt_uuid5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", STR("www.example.com"), u);
    CHECK(strcmp(u, "2ed6657d-e927-568b-95e1-2665a8aea6a2") == 0);
    static const unsigned char bits[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    crypt_uuid4_of(bits, u);
    CHECK(strcmp(u, "ffffffff-ffff-4fff-bf00-000000000000") == 0);
    crypt_uuid4(u);
    crypt_uuid4(v);
    CHECK(strlen(u) == 36 && u[14] == '4' && strchr("89ab", u[19]) && strcmp(u, v) != 0);
}

static void test_base64(void)
{
    struct buf b;
    struct err e;
    buf_init(&b, 0);
    crypt_base64_put(&b, STR("fooba"), false);
    CHECK(str_eq(buf_view(&b), STR("Zm9vYmE=")));
    buf_clear(&b);
    CHECK(crypt_base64_get(STR("Zm9vYmE="), false, &b, &e) && str_eq(buf_view(&b), STR("fooba")));
    CHECK(!crypt_base64_get(STR("Zm9v YmE="), false, &b, &e));
    CHECK(!crypt_base64_get(STR("Zm9vYmE"), false, &b, &e));
    buf_clear(&b);
    CHECK(crypt_base64_get(STR("_-8"), true, &b, &e) && b.n == 2);
    CHECK(crypt_base64_get(STR_NONE, true, &b, &e));
    buf_done(&b);
}

/* Each byte at each place of a group of four: read where it is in the alphabet, and only there. */
static void test_base64_alphabet(void)
{
    static const char *const alphabets[] = {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
    struct err e;
    for (int i = 0; i < 2 * 4 * 256; i++) {
        char text[] = "Zm9v";
        bool url = i / 1024;
        struct buf b;
        buf_init(&b, 0);
        text[i / 256 % 4] = (char)i;
        bool want = memchr(alphabets[url], text[i / 256 % 4], 64) != NULL;
        CHECK_ROW(crypt_base64_get((struct str){text, 4}, url, &b, &e) == want, "byte %d", i % 256);
        buf_done(&b);
    }
}

static void test_secrets(void)
{
    char t[CRYPT_TOKEN_TEXT], u[CRYPT_TOKEN_TEXT], hash[128];
    struct err e;
    crypt_token_new(t);
    crypt_token_new(u);
    CHECK(strncmp(t, "setu_", 5) == 0 && strlen(t) == 48 && strcmp(t, u) != 0);
    CHECK(crypt_password_hash(STR("open sesame"), hash, &e));
    CHECK(crypt_password_matches(STR("open sesame"), hash));
    CHECK(!crypt_password_matches(STR("open sesam"), hash));
    CHECK(!crypt_password_matches(STR_NONE, hash));
}

static void test_certificates(void)
{
    struct buf ca, ca_key, cert, key;
    unsigned char a[32], b[32];
    struct err e = {0};
    buf_init(&ca, 0);
    buf_init(&ca_key, 0);
    buf_init(&cert, 0);
    buf_init(&key, 0);
    CHECK(crypt_ca_make(STR("Setu test CA"), 30, &ca, &ca_key, &e));
    CHECK_ROW(crypt_cert_issue(buf_view(&ca), buf_view(&ca_key), STR("node"),
                               STR("localhost, 127.0.0.1,::1"), 30, &cert, &key, &e),
              "%s", e.msg);
    CHECK(crypt_cert_fingerprint(buf_view(&cert), a, &e));
    CHECK(crypt_cert_fingerprint(buf_view(&ca), b, &e) && memcmp(a, b, 32) != 0);
    CHECK(crypt_cert_client_ok(buf_view(&cert), now_us(), &e));
    CHECK(!crypt_cert_client_ok(buf_view(&cert), now_us() + 31ll * 86400 * 1000000, &e));
    CHECK(!crypt_cert_client_ok(buf_view(&cert), now_us() - 86400ll * 1000000, &e));
    CHECK(!crypt_cert_client_ok(buf_view(&ca), now_us(), &e));
    CHECK(!crypt_cert_fingerprint(STR("-----BEGIN CERTIFICATE-----\nxx"), a, &e));
    CHECK(!crypt_cert_fingerprint(STR_NONE, a, &e));
    buf_done(&ca);
    buf_done(&ca_key);
    buf_done(&cert);
    buf_done(&key);
}

/* In whatever pieces data comes, its hash is the same. */
static void test_hash_pieces(void)
{
    unsigned char data[300], whole[32], pieces[32];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7);
    for (size_t n = 0; n <= sizeof data; n++) {
        struct crypt_hash h;
        crypt_sha256((struct str){(char *)data, n}, whole);
        crypt_hash_begin(&h);
        for (size_t at = 0, step = 0; at < n; at += step) {
            step = 1 + at % 67 < n - at ? 1 + at % 67 : n - at;
            crypt_hash_add(&h, (struct str){(char *)data + at, step});
        }
        crypt_hash_add(&h, STR_NONE);
        crypt_hash_end(&h, pieces);
        CHECK_ROW(memcmp(whole, pieces, sizeof whole) == 0, "%zu bytes", n);
    }
}

struct issued {
    struct buf ca, ca_key, cert, key;
};

static void issue(struct issued *i, const char *name)
{
    struct err e = {0};
    buf_init(&i->ca, 0);
    buf_init(&i->ca_key, 0);
    buf_init(&i->cert, 0);
    buf_init(&i->key, 0);
    CHECK_ROW(crypt_ca_make(str_of(name), 20, &i->ca, &i->ca_key, &e) &&
                  crypt_cert_issue(buf_view(&i->ca), buf_view(&i->ca_key), str_of(name),
                                   STR("localhost,cti.example.org,10.1.2.3,::1"), 10, &i->cert,
                                   &i->key, &e),
              "%s", e.msg);
}

static void issued_done(struct issued *i)
{
    buf_done(&i->ca);
    buf_done(&i->ca_key);
    buf_done(&i->cert);
    buf_done(&i->key);
}

/* What an administrator is told of a certificate. */
static void test_certificate_facts(void)
{
    static const struct {
        const char *host;
        bool has;
    } hosts[] = {{"localhost", true},
                 {"cti.example.org", true},
                 {"CTI.example.org", true},
                 {"10.1.2.3", true},
                 {"::1", true},
                 {"example.org", false},
                 {"10.1.2.4", false},
                 {"x.localhost", false},
                 {"", false},
                 {"org", false}};
    const int64_t day_us = 86400ll * 1000000;
    struct issued one, two;
    struct crypt_cert c;
    struct err e = {0};
    issue(&one, "one");
    issue(&two, "two");
    struct str cert = buf_view(&one.cert), ca = buf_view(&one.ca);
    CHECK(crypt_cert_read(cert, &c, &e) && !c.ca);
    CHECK(c.from_us <= now_us() && c.until_us > now_us() + 9 * day_us &&
          c.until_us <= now_us() + 10 * day_us);
    CHECK(crypt_cert_read(ca, &c, &e) && c.ca && c.until_us > now_us() + 19 * day_us);
    CHECK(!crypt_cert_read(STR("x"), &c, &e) && e.code == ERR_INVALID);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        CHECK_ROW(crypt_cert_has_host(cert, str_of(hosts[i].host)) == hosts[i].has, "%s",
                  hosts[i].host);
    CHECK(!crypt_cert_has_host(STR("x"), STR("localhost")));
    CHECK(crypt_cert_issued_by(cert, ca) && !crypt_cert_issued_by(cert, buf_view(&two.ca)));
    CHECK(!crypt_cert_issued_by(cert, STR("x")) && !crypt_cert_issued_by(STR("x"), ca));
    CHECK(crypt_cert_has_key(cert, buf_view(&one.key), &e));
    CHECK(!crypt_cert_has_key(cert, buf_view(&two.key), &e) && e.code == ERR_INVALID);
    CHECK(!crypt_cert_has_key(cert, STR("x"), &e) && e.code == ERR_INVALID);
    CHECK(!crypt_cert_has_key(STR("x"), buf_view(&one.key), &e) && e.code == ERR_INVALID);
    issued_done(&one);
    issued_done(&two);
}

int main(void)
{
    struct err e;
    CHECK(crypt_init(&e));
    test_hashes();
    test_signatures();
    test_seal();
    test_uuids();
    test_base64();
    test_base64_alphabet();
    test_secrets();
    test_certificates();
    test_hash_pieces();
    test_certificate_facts();
    TEST_END();
}
