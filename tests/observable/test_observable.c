/* Normal forms: one table for each family; then guesses, STIX paths and every prefix of every row.
 */
#include "observable/observable.h"
#include "test.h"

#define K(name) OBSERVABLE_##name

static const struct {
    enum observable_kind kind;
    const char *in, *out; /* NULL: not valid */
    unsigned prefix;
} rows[] = {
    {K(IPV4), "1.2.3.4", "1.2.3.4", 32},
    {K(IPV4), "255.255.255.255", "255.255.255.255", 32},
    {K(IPV4), "0.0.0.0", "0.0.0.0", 32},
    {K(IPV4), "1.2.3.4/24", "1.2.3.0", 24},
    {K(IPV4), "1.2.3.4/32", "1.2.3.4", 32},
    {K(IPV4), "1.2.3.4/0", "0.0.0.0", 0},
    {K(IPV4), "203.0.113.255/31", "203.0.113.254", 31},
    {K(IPV4), "1[.]2(.)3[dot]4", "1.2.3.4", 32},
    {K(IPV4), "1[.]2[.]3[.]0/24", "1.2.3.0", 24},
    {K(IPV4), "256.1.1.1", NULL, 0},
    {K(IPV4), "1.2.3", NULL, 0},
    {K(IPV4), "1.2.3.4.5", NULL, 0},
    {K(IPV4), "01.2.3.4", NULL, 0},
    {K(IPV4), "1.2.3.4/33", NULL, 0},
    {K(IPV4), "1.2.3.4/", NULL, 0},
    {K(IPV4), "1.2.3.4/+8", NULL, 0},
    {K(IPV4), "1..2.3", NULL, 0},
    {K(IPV4), "", NULL, 0},
    {K(IPV4), "2001:db8::1", NULL, 0},
    {K(IPV6), "1.2.3.4", NULL, 0},
    {K(IPV6), "2001:DB8::1", "2001:db8::1", 128},
    {K(IPV6), "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1", 128},
    {K(IPV6), "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", 128},
    {K(IPV6), "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", 128},
    {K(IPV6), "2001:0:0:1:0:0:0:1", "2001:0:0:1::1", 128},
    {K(IPV6), "::", "::", 128},
    {K(IPV6), "::1", "::1", 128},
    {K(IPV6), "fe80::", "fe80::", 128},
    {K(IPV6), "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", 128},
    {K(IPV6), "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304", 128},
    {K(IPV6), "64:ff9b::1.2.3.4", "64:ff9b::102:304", 128},
    {K(IPV6), "::ffff:1.2.3.4", "1.2.3.4", 32},
    {K(IPV6), "0:0:0:0:0:FFFF:0102:0304", "1.2.3.4", 32},
    {K(IPV6), "::ffff:1.2.3.4/120", "1.2.3.0", 24},
    {K(IPV6), "::ffff:0:0/96", "::ffff:0:0", 96},
    {K(IPV6), "2001:db8:ffff::/33", "2001:db8:8000::", 33},
    {K(IPV6), "2001:db8::/32", "2001:db8::", 32},
    {K(IPV6), "2001[:]db8[:][:]1", "2001:db8::1", 128},
    {K(IPV6), "1:2:3:4:5:6:7::8", NULL, 0},
    {K(IPV6), "1:2:3:4:5:6:7", NULL, 0},
    {K(IPV6), "1:2:3:4:5:6:7:8:9", NULL, 0},
    {K(IPV6), "1::2::3", NULL, 0},
    {K(IPV6), ":::", NULL, 0},
    {K(IPV6), "1:", NULL, 0},
    {K(IPV6), ":1", NULL, 0},
    {K(IPV6), "12345::", NULL, 0},
    {K(IPV6), "fe80::1%eth0", NULL, 0},
    {K(IPV6), "::1.2.3.4:5", NULL, 0},
    {K(IPV6), "1:2:3:4:5:6:7:1.2.3.4", NULL, 0},
    {K(IPV6), "2001:db8::/129", NULL, 0},
    {K(DOMAIN), "Evil.COM", "evil.com", 0},
    {K(DOMAIN), "evil.com.", "evil.com", 0},
    {K(DOMAIN), "evil[.]com", "evil.com", 0},
    {K(DOMAIN), "evil(dot)co[DOT]uk", "evil.co.uk", 0},
    {K(DOMAIN), "_dmarc.evil.com", "_dmarc.evil.com", 0},
    {K(DOMAIN), "localhost", "localhost", 0},
    {K(DOMAIN), "m\xc3\xbcnchen.de", "xn--mnchen-3ya.de", 0},
    {K(DOMAIN), "M\xc3\x9cNCHEN.de", "xn--mnchen-3ya.de", 0},
    {K(DOMAIN), "xn--mnchen-3ya.DE", "xn--mnchen-3ya.de", 0},
    {K(DOMAIN), "\xe6\x97\xa5\xe6\x9c\xac.jp", "xn--wgv71a.jp", 0},
    {K(DOMAIN), "\xe0\xa4\xad\xe0\xa4\xbe\xe0\xa4\xb0\xe0\xa4\xa4.example", "xn--h2brj9c.example",
     0},
    {K(DOMAIN), "1.2.3.4", NULL, 0},
    {K(DOMAIN), "evil.123", NULL, 0},
    {K(DOMAIN), "123.com", "123.com", 0},
    {K(DOMAIN), "evil..com", NULL, 0},
    {K(DOMAIN), ".evil.com", NULL, 0},
    {K(DOMAIN), "evil.com..", NULL, 0},
    {K(DOMAIN), "ev il.com", NULL, 0},
    {K(DOMAIN), "evil.com/", NULL, 0},
    {K(DOMAIN), "\xff\xfe.com", NULL, 0},
    {K(DOMAIN), ".", NULL, 0},
    {K(DOMAIN), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com", 0},
    {K(DOMAIN), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com", NULL, 0},
    {K(URL), "HTTP://Evil.COM", "http://evil.com/", 0},
    {K(URL), "hxxp://evil[.]com/a", "http://evil.com/a", 0},
    {K(URL), "hXXps[://]evil[.]com/a", "https://evil.com/a", 0},
    {K(URL), "http[:]//evil.com/", "http://evil.com/", 0},
    {K(URL), "http://evil.com:80/a", "http://evil.com/a", 0},
    {K(URL), "https://evil.com:443", "https://evil.com/", 0},
    {K(URL), "http://evil.com:443/", "http://evil.com:443/", 0},
    {K(URL), "http://evil.com:/", "http://evil.com/", 0},
    {K(URL), "http://evil.com:08080/", "http://evil.com:8080/", 0},
    {K(URL), "http://evil.com./a", "http://evil.com/a", 0},
    {K(URL), "http://evil.com/a#b", "http://evil.com/a", 0},
    {K(URL), "http://evil.com?q#b", "http://evil.com/?q", 0},
    {K(URL), "http://evil.com/%7Eb%2f%41", "http://evil.com/~b%2FA", 0},
    {K(URL), "http://evil.com/A?B=%7e%zz", "http://evil.com/A?B=~%25zz", 0},
    {K(URL), "http://evil.com/%4%65%25zz%", "http://evil.com/%254e%25zz%25", 0},
    {K(URL), "http://evil.com/a/./b/../c", "http://evil.com/a/c", 0},
    {K(URL), "http://evil.com/../..", "http://evil.com/", 0},
    {K(URL), "http://evil.com/a/%2e%2E/b", "http://evil.com/b", 0},
    {K(URL), "http://evil.com//a//b", "http://evil.com//a//b", 0},
    {K(URL), "http://evil.com/a?x/../y", "http://evil.com/a?x/../y", 0},
    {K(URL), "http://evil.com/\xc3\xbc|", "http://evil.com/%C3%BC%7C", 0},
    {K(URL), "http://m\xc3\xbcnchen.de/", "http://xn--mnchen-3ya.de/", 0},
    {K(URL), "http://user:pw@evil.com/", "http://evil.com/", 0},
    {K(URL), "http://1.2.3.4/x", "http://1.2.3.4/x", 0},
    {K(URL), "http://[2001:DB8:0::1]:8080/x", "http://[2001:db8::1]:8080/x", 0},
    {K(URL), "http://[::ffff:1.2.3.4]/", "http://1.2.3.4/", 0},
    {K(URL), "ldap://evil.com:1389/a", "ldap://evil.com:1389/a", 0},
    {K(URL), "http://localhost/", "http://localhost/", 0},
    {K(URL), "evil.com/a", NULL, 0},
    {K(URL), "http://", NULL, 0},
    {K(URL), "http:///a", NULL, 0},
    {K(URL), "http://ev il.com/", NULL, 0},
    {K(URL), "http://evil.com:x/", NULL, 0},
    {K(URL), "http://[::1/", NULL, 0},
    {K(URL), "1http://evil.com/", NULL, 0},
    {K(EMAIL), "Bob.X@Evil.COM", "bob.x@evil.com", 0},
    {K(EMAIL), "bob[@]evil[.]com", "bob@evil.com", 0},
    {K(EMAIL), "bob[at]evil(dot)com", "bob@evil.com", 0},
    {K(EMAIL), "a+b_c-d@evil.com", "a+b_c-d@evil.com", 0},
    {K(EMAIL), "o'brien@evil.com", "o'brien@evil.com", 0},
    {K(EMAIL), "bob@m\xc3\xbcnchen.de", "bob@xn--mnchen-3ya.de", 0},
    {K(EMAIL), "@evil.com", NULL, 0},
    {K(EMAIL), "bob@", NULL, 0},
    {K(EMAIL), "bob", NULL, 0},
    {K(EMAIL), "b b@evil.com", NULL, 0},
    {K(EMAIL), "bob@1.2.3.4", NULL, 0},
    {K(MD5), "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e", 0},
    {K(MD5), "d41d8cd98f00b204e9800998ecf8427", NULL, 0},
    {K(MD5), "g41d8cd98f00b204e9800998ecf8427e", NULL, 0},
    {K(SHA1), "DA39a3ee5e6b4b0d3255bfef95601890afd80709",
     "da39a3ee5e6b4b0d3255bfef95601890afd80709", 0},
    {K(SHA256), "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0},
    {K(SHA512), "d41d8cd98f00b204e9800998ecf8427e", NULL, 0},
};

static const struct {
    const char *in;
    int kind; /* -1: none */
    const char *out;
} guesses[] = {
    {"1.2.3.4", K(IPV4), "1.2.3.4"},
    {" 1[.]2.3.4 \r", K(IPV4), "1.2.3.4"},
    {"10.0.0.0/8", K(IPV4), "10.0.0.0"},
    {"2001:db8::/32", K(IPV6), "2001:db8::"},
    {"::ffff:1.2.3.4", K(IPV4), "1.2.3.4"},
    {"evil.com", K(DOMAIN), "evil.com"},
    {"*.evil.com", K(DOMAIN), "evil.com"},
    {"evil[.]com", K(DOMAIN), "evil.com"},
    {"hxxps://evil[.]com/x", K(URL), "https://evil.com/x"},
    {"http://evil.com/a@b", K(URL), "http://evil.com/a@b"},
    {"bob@evil.com", K(EMAIL), "bob@evil.com"},
    {"d41d8cd98f00b204e9800998ecf8427e", K(MD5), "d41d8cd98f00b204e9800998ecf8427e"},
    {"DA39a3ee5e6b4b0d3255bfef95601890afd80709", K(SHA1),
     "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"evil", -1, NULL},
    {"evil.com/path", -1, NULL},
    {"1.2.3.4.5", -1, NULL},
    {"hello world", -1, NULL},
    {"", -1, NULL},
    {"d41d8cd98f00b204e9800998ecf8427", -1, NULL},
};

static const struct {
    const char *type, *path;
    int kind;
} paths[] = {
    {"ipv4-addr", "value", K(IPV4)},
    {"ipv6-addr", "value", K(IPV6)},
    {"domain-name", "value", K(DOMAIN)},
    {"url", "value", K(URL)},
    {"email-addr", "value", K(EMAIL)},
    {"email-message", "from_ref.value", K(EMAIL)},
    {"file", "hashes.MD5", K(MD5)},
    {"file", "hashes.'SHA-1'", K(SHA1)},
    {"file", "hashes.'SHA-256'", K(SHA256)},
    {"artifact", "hashes.'SHA-512'", K(SHA512)},
    {"process", "image_ref.hashes.MD5", K(MD5)},
    {"file", "name", -1},
    {"file", "hashes.SSDEEP", -1},
    {"file", "MD5", -1},
    {"file", "xhashes.MD5", -1},
    {"domain-name", "", -1},
    {"", "value", -1},
};

static char *copy(const char *p, size_t n)
{
    char *c = malloc(n ? n : 1);
    if (c == NULL)
        abort();
    memcpy(c, p, n);
    return c;
}

/* Whatever comes out must be its own normal form, and fit into the promised room. */
static void check_stable(enum observable_kind kind, const char *p, size_t n)
{
    struct observable o, again;
    struct err e;
    char *in = copy(p, n), *out = copy("", 0), *more = malloc(OBSERVABLE_ROOM(3 * n + 320));
    free(out);
    out = malloc(OBSERVABLE_ROOM(n));
    if (out == NULL || more == NULL)
        abort();
    if (observable_normalize(kind, (struct str){in, n}, true, out, OBSERVABLE_ROOM(n), &o, &e)) {
        bool ok = observable_normalize(o.kind, o.text, false, more, OBSERVABLE_ROOM(o.text.n),
                                       &again, &e);
        /* Not a block: its text alone is the address it starts with. */
        bool block = o.kind <= OBSERVABLE_IPV6 && o.prefix < (o.kind ? 128 : 32);
        CHECK_ROW(block || (ok && str_eq(o.text, again.text)), "%.*s becomes %.*s", (int)n, p,
                  STR_FMT(o.text));
    }
    if (observable_guess((struct str){in, n}, out, OBSERVABLE_ROOM(n), &o, &e))
        CHECK(o.text.n > 0);
    free(in);
    free(out);
    free(more);
}

static void test_rows(void)
{
    char out[OBSERVABLE_ROOM(300)];
    struct observable o;
    struct err e;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str in = str_of(rows[i].in);
        memset(&o, 0x55, sizeof o);
        bool ok = observable_normalize(rows[i].kind, in, true, out, sizeof out, &o, &e);
        CHECK_ROW(ok == (rows[i].out != NULL), "row %zu: %s", i, rows[i].in);
        if (ok && rows[i].out != NULL)
            CHECK_ROW(str_eq(o.text, str_of(rows[i].out)), "row %zu: %s becomes %.*s", i,
                      rows[i].in, STR_FMT(o.text));
        if (ok && rows[i].prefix != 0)
            CHECK_ROW(o.prefix == rows[i].prefix, "row %zu: %s", i, rows[i].in);
        if (!ok)
            CHECK(e.code == ERR_INVALID && e.msg[0] != 0);
        for (size_t n = 0; n <= in.n; n++)
            for (int k = 0; k < OBSERVABLE_KINDS; k++)
                check_stable((enum observable_kind)k, in.p, n);
    }
}

static void test_guesses(void)
{
    char out[OBSERVABLE_ROOM(300)];
    struct observable o;
    struct err e;
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        bool ok = observable_guess(str_of(guesses[i].in), out, sizeof out, &o, &e);
        CHECK_ROW(ok == (guesses[i].kind >= 0), "%s", guesses[i].in);
        if (ok && guesses[i].kind >= 0)
            CHECK_ROW((int)o.kind == guesses[i].kind && str_eq(o.text, str_of(guesses[i].out)),
                      "%s becomes %.*s", guesses[i].in, STR_FMT(o.text));
    }
}

static void test_paths(void)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        enum observable_kind k = OBSERVABLE_SHA512;
        bool ok = observable_kind_of_path(str_of(paths[i].type), str_of(paths[i].path), &k);
        CHECK_ROW(ok == (paths[i].kind >= 0), "%s:%s", paths[i].type, paths[i].path);
        if (ok)
            CHECK_ROW((int)k == paths[i].kind, "%s:%s", paths[i].type, paths[i].path);
    }
}

/* Every room smaller than needed is refused, and nothing is written beyond it. */
static void check_room(struct str in, size_t room)
{
    char *out = malloc(room ? room : 1);
    struct observable o;
    struct err e;
    CHECK_ROW(observable_guess(in, out, room, &o, &e) == (room == in.n), "%.*s in %zu", STR_FMT(in),
              room);
    free(out);
}

static void test_room(void)
{
    static const char *const values[] = {"1.2.3.4",      "2001:db8::1",
                                         "evil.com",     "http://evil.com:8080/a?b",
                                         "bob@evil.com", "d41d8cd98f00b204e9800998ecf8427e"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (size_t room = 0; room <= strlen(values[i]); room++)
            check_room(str_of(values[i]), room);
}

static void test_too_long(void)
{
    char *big = malloc(LIMIT_OBSERVABLE_BYTES + 1), out[16];
    struct observable o;
    struct err e;
    memset(big, 'a', LIMIT_OBSERVABLE_BYTES + 1);
    struct str s = {big, LIMIT_OBSERVABLE_BYTES + 1};
    CHECK(!observable_normalize(OBSERVABLE_URL, s, false, out, 16, &o, &e));
    CHECK(e.code == ERR_LIMIT);
    CHECK(!observable_guess(s, out, 16, &o, &e) && e.code == ERR_LIMIT);
    free(big);
}

int main(void)
{
    CHECK(strcmp(observable_kind_name(OBSERVABLE_IPV4), "ipv4") == 0);
    CHECK(strcmp(observable_kind_name(OBSERVABLE_SHA512), "sha512") == 0);
    test_rows();
    test_guesses();
    test_paths();
    test_room();
    test_too_long();
    TEST_END();
}
