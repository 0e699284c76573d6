/* The built-in warning lists: two corpora of values, the meaning of each kind, and both tables
 * against a naive reading of data/warninglists. */
#include <arpa/inet.h>
#include <nettle/md5.h>
#include <nettle/sha.h>

#include "observable/observable.h"
#include "test.h"

#define BIT(name) OBSERVABLE_WARNINGLIST_BIT(name)

static uint64_t random_state = 20261125;

static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % n;
}

/* ---- the lists' files, read by other means than the product's ---- */

struct line {
    unsigned list;
    int family; /* AF_INET, AF_INET6, or 0: a text */
    unsigned prefix;
    unsigned char addr[16];
    bool tree;
    struct str text;
};
static struct line lines[2000];
static size_t line_count;

static void read_line(unsigned list, struct str s)
{
    struct line *l = &lines[line_count];
    char text[300];
    snprintf(text, sizeof text, "%.*s", STR_FMT(s));
    char *slash = strchr(text, '/');
    if (slash)
        *slash = 0;
    *l = (struct line){.list = list};
    if (inet_pton(AF_INET, text, l->addr) == 1)
        l->family = AF_INET;
    else if (inet_pton(AF_INET6, text, l->addr) == 1)
        l->family = AF_INET6;
    l->prefix = slash ? (unsigned)atoi(slash + 1) : l->family == AF_INET ? 32 : 128;
    l->tree = s.p[0] == '.';
    l->text = str_from(s, l->tree);
    if (++line_count == sizeof lines / sizeof *lines)
        abort();
}

static struct str whole_file(const char *path)
{
    struct str text = STR_NONE;
    struct err e;
    CHECK_ROW(file_read(path, 0, &text, &e), "%s", e.msg);
    return text;
}

static void free_text(struct str text)
{
    base_free((void *)(uintptr_t)text.p);
}

/* The texts are kept: lines point into them. */
static void read_lists(void)
{
    for (unsigned list = 0; list < OBSERVABLE_WARNINGLISTS; list++) {
        char path[100];
        snprintf(path, sizeof path, "data/warninglists/%s.txt",
                 observable_warninglist_name(list).p);
        if (!file_exists(path))
            continue;
        struct str rest = whole_file(path);
        while (rest.p != NULL) {
            struct str s = str_cut(&rest, '\n');
            s = str_trim(str_slice(s, 0, str_find(s, '#')));
            if (s.n > 0)
                read_line(list, s);
        }
    }
    CHECK(line_count > 600);
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if ((a[i / 8] >> (7 - i % 8) & 1) != (b[i / 8] >> (7 - i % 8) & 1))
            return false;
    return true;
}

static uint64_t naive_address(const struct observable *o)
{
    bool v4 = o->kind == OBSERVABLE_IPV4;
    uint64_t bits = o->prefix < (v4 ? 8 : 19) ? BIT(WIDE_BLOCK) : 0;
    for (size_t i = 0; i < line_count; i++) {
        const struct line *l = &lines[i];
        unsigned shorter = l->prefix < o->prefix ? l->prefix : o->prefix;
        if (l->family == (v4 ? AF_INET : AF_INET6) && same_bits(l->addr, o->addr, shorter))
            bits |= UINT64_C(1) << l->list;
    }
    return bits;
}

static bool is_below(struct str name, struct str parent)
{
    return name.n > parent.n + 1 && str_ends(name, parent) && name.p[name.n - parent.n - 1] == '.';
}

static uint64_t naive_text(struct str s)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < line_count; i++) {
        const struct line *l = &lines[i];
        bool name = l->family == 0 && str_find(l->text, '@') == l->text.n;
        if (l->family == 0 && (str_eq(s, l->text) || (name && is_below(l->text, s)) ||
                               (l->tree && is_below(s, l->text))))
            bits |= UINT64_C(1) << l->list;
    }
    return bits;
}

/* ---- tests ---- */

static void test_names(void)
{
    unsigned bit;
    CHECK(OBSERVABLE_WARNINGLISTS <= 16);
    for (unsigned i = 0; i < OBSERVABLE_WARNINGLISTS; i++) {
        bit = 99;
        CHECK(observable_warninglist_find(observable_warninglist_name(i), &bit) && bit == i);
    }
    CHECK(observable_warninglist_find(STR("documentation"), &bit));
    CHECK(bit == OBSERVABLE_WARNINGLIST_DOCUMENTATION);
    bit = 99;
    CHECK(!observable_warninglist_find(STR("nothing"), &bit) && bit == 99);
    CHECK(!observable_warninglist_find(STR("TOP-SITE"), &bit));
    CHECK(!observable_warninglist_find(STR(""), &bit));
    uint64_t all = OBSERVABLE_WARNINGLISTS_DEFAULT;
#define X(name, text, on) CHECK_ROW((all & BIT(name)) == (on ? BIT(name) : 0), text);
    OBSERVABLE_WARNINGLIST_TABLE(X)
#undef X
    CHECK(all >> OBSERVABLE_WARNINGLISTS == 0);
}

static void test_poison(void)
{
    struct str text = whole_file("tests/corpus/warninglists/poison.tsv"), rest = text;
    size_t count = 0;
    while (rest.p != NULL) {
        struct str row = str_cut(&rest, '\n'), list = str_cut(&row, '\t');
        struct str type = str_cut(&row, '\t');
        unsigned bit;
        if (row.p == NULL || list.p[0] == '#')
            continue;
        count++;
        CHECK(observable_warninglist_find(list, &bit));
        uint64_t bits = observable_warned_value(type, row);
        CHECK_ROW(bits >> bit & 1, "%.*s %.*s: 0x%llx", STR_FMT(type), STR_FMT(row),
                  (unsigned long long)bits);
        CHECK(OBSERVABLE_WARNINGLISTS_DEFAULT >> bit & 1);
    }
    CHECK_ROW(count >= 200, "%zu", count);
    free_text(text);
}

static void test_clean(void)
{
    struct str text = whole_file("tests/corpus/warninglists/clean.tsv"), rest = text;
    size_t count = 0;
    while (rest.p != NULL) {
        struct str row = str_cut(&rest, '\n'), type = str_cut(&row, '\t');
        if (row.p == NULL || (type.n > 0 && type.p[0] == '#'))
            continue;
        count++;
        uint64_t bits = observable_warned_value(type, row);
        CHECK_ROW(bits == 0, "%.*s %.*s: 0x%llx", STR_FMT(type), STR_FMT(row),
                  (unsigned long long)bits);
    }
    CHECK_ROW(count >= 200, "%zu", count);
    free_text(text);
}

/* Exactly these lists, those that are not in force included. */
static const struct {
    const char *type, *value;
    uint64_t lists;
} rows[] = {
    {"ipv4-addr", "192.0.2.0", BIT(DOCUMENTATION)},
    {"ipv4-addr", "192.0.2.255", BIT(DOCUMENTATION)},
    {"ipv4-addr", "198.51.100.7", BIT(DOCUMENTATION)},
    {"ipv4-addr", "203.0.113.0/24", BIT(DOCUMENTATION)},
    {"ipv4-addr", "203.0.112.0/23", BIT(DOCUMENTATION)},
    {"ipv4-addr", "192.0.0.0/22", BIT(DOCUMENTATION) | BIT(SPECIAL_USE)},
    {"ipv4-addr", "233.252.0.9", BIT(DOCUMENTATION) | BIT(SPECIAL_USE)},
    {"ipv4-addr", "1.0.0.0/8", BIT(PUBLIC_RESOLVER)},
    {"ipv4-addr", "2.0.0.0/7", BIT(WIDE_BLOCK)},
    {"ipv4-addr", "198.41.0.0/16", BIT(ROOT_SERVER)},
    {"ipv4-addr", "0.0.0.0/0",
     BIT(WIDE_BLOCK) | BIT(SPECIAL_USE) | BIT(DOCUMENTATION) | BIT(PUBLIC_RESOLVER) |
         BIT(ROOT_SERVER)},
    {"ipv6-addr", "2001:db8::1", BIT(DOCUMENTATION)},
    {"ipv6-addr", "2001:db8:ffff::/48", BIT(DOCUMENTATION)},
    {"ipv6-addr", "3fff:fff:ffff::1", BIT(DOCUMENTATION)},
    {"ipv6-addr", "2400::/18", BIT(WIDE_BLOCK) | BIT(PUBLIC_RESOLVER)},
    {"ipv6-addr", "::/0",
     BIT(WIDE_BLOCK) | BIT(SPECIAL_USE) | BIT(DOCUMENTATION) | BIT(PUBLIC_RESOLVER) |
         BIT(ROOT_SERVER)},
    {"domain-name", "example.com", BIT(DOCUMENTATION)},
    {"domain-name", "www.example.com", BIT(DOCUMENTATION)},
    {"domain-name", "evil.example", BIT(DOCUMENTATION)},
    {"domain-name", "a.b.c.test", BIT(DOCUMENTATION)},
    {"domain-name", "x.invalid", BIT(DOCUMENTATION)},
    {"domain-name", "notexample.com", 0},
    {"domain-name", "example.com.evil.net", 0},
    {"domain-name", "example", BIT(DOCUMENTATION) | BIT(PUBLIC_SUFFIX)},
    {"domain-name", "printer.local", BIT(SPECIAL_USE)},
    {"domain-name", "google.com", BIT(TOP_SITE) | BIT(PUBLIC_RESOLVER)},
    {"domain-name", "gstatic.com", BIT(TOP_SITE)},
    {"domain-name", "dns.google.com", BIT(PUBLIC_RESOLVER)},
    {"domain-name", "github.io", BIT(PUBLIC_SUFFIX) | BIT(TOP_SITE)},
    {"domain-name", "go.jp", BIT(PUBLIC_SUFFIX) | BIT(TOP_SITE)},
    {"domain-name", "a.root-servers.net", BIT(ROOT_SERVER)},
    {"domain-name", ".", BIT(PUBLIC_SUFFIX)},
    {"url", "http://www.example.org/", BIT(DOCUMENTATION)},
    {"url", "http://www.example.org/a", 0},
    {"url", "http://192.0.2.1/", BIT(DOCUMENTATION)},
    {"email-addr", "bob@example.com", 0},
    {"email-addr", "abuse@google.com", BIT(BOGUS_EMAIL)},
    {"email-addr", "*@example.com", BIT(DOCUMENTATION)},
    {"file", "d41d8cd98f00b204e9800998ecf8427e", BIT(EMPTY_FILE)},
    {"artifact", "d41d8cd98f00b204e9800998ecf8427e", BIT(EMPTY_FILE)},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t bits = observable_warned_value(str_of(rows[i].type), str_of(rows[i].value));
        CHECK_ROW(bits == rows[i].lists, "%s %s: 0x%llx", rows[i].type, rows[i].value,
                  (unsigned long long)bits);
    }
}

/* A value in normal form and the same as it stands in an object are on the same lists. */
static void test_both_forms(const char *path, int columns)
{
    static const char *const types[] = {"ipv4-addr", "ipv6-addr",  "domain-name",
                                        "url",       "email-addr", "file",
                                        "file",      "file",       "file"};
    struct str text = whole_file(path), rest = text;
    while (rest.p != NULL) {
        struct str row = str_cut(&rest, '\n');
        char out[OBSERVABLE_ROOM(300)];
        struct observable o;
        struct err e;
        if (columns == 3)
            str_cut(&row, '\t');
        struct str type = str_cut(&row, '\t');
        for (int k = 0; k < OBSERVABLE_KINDS && row.p != NULL; k++)
            if (str_eq(type, str_of(types[k])) && str_find(row, '*') == row.n &&
                str_find(row, '%') == row.n &&
                observable_normalize((enum observable_kind)k, row, true, out, sizeof out, &o, &e))
                CHECK_ROW(observable_warned(&o) == observable_warned_value(type, row), "%.*s",
                          STR_FMT(row));
    }
    free_text(text);
}

static void add_one(unsigned char *a, int bytes, int by)
{
    for (int i = bytes; i-- > 0;) {
        a[i] = (unsigned char)(a[i] + by);
        if (a[i] != (by > 0 ? 0 : 255))
            break;
    }
}

/* At random anywhere, or in a listed block, or at its borders and one beside them. */
static struct observable random_address(void)
{
    struct observable o = {0};
    const struct line *l;
    do
        l = &lines[random_below(line_count)];
    while (l->family == 0);
    int bytes = l->family == AF_INET ? 4 : 16;
    o.kind = bytes == 4 ? OBSERVABLE_IPV4 : OBSERVABLE_IPV6;
    o.prefix = (unsigned)bytes * 8;
    unsigned how = (unsigned)random_below(6);
    unsigned kept = how == 0 ? (unsigned)random_below(l->prefix + 1) : l->prefix;
    for (unsigned i = 0; i < o.prefix; i++) {
        unsigned bit = l->addr[i / 8] >> (7 - i % 8) & 1;
        if (i >= kept)
            bit = how < 2 ? (unsigned)random_below(2) : how % 2; /* 3 and 5: the last address */
        o.addr[i / 8] |= (unsigned char)(bit << (7 - i % 8));
    }
    if (how >= 4)
        add_one(o.addr, bytes, how == 5 ? 1 : -1);
    if (random_below(2) == 0)
        o.prefix = (unsigned)random_below(o.prefix + 1);
    for (unsigned i = o.prefix; i < (unsigned)bytes * 8; i++)
        o.addr[i / 8] &= (unsigned char)~(0x80u >> i % 8);
    return o;
}

static void test_random_addresses(void)
{
    size_t wrong = 0, warned = 0;
    for (int i = 0; i < 300000; i++) {
        struct observable o = random_address();
        uint64_t bits = observable_warned(&o);
        warned += bits != 0;
        if (bits != naive_address(&o) && wrong++ < 5)
            fprintf(stderr, "%s %d.%d.%d.%d…/%u: 0x%llx\n", observable_kind_name(o.kind), o.addr[0],
                    o.addr[1], o.addr[2], o.addr[3], o.prefix, (unsigned long long)bits);
    }
    CHECK(wrong == 0);
    CHECK(warned > 50000 && warned < 290000);
}

static void test_random_names(void)
{
    size_t wrong = 0;
    for (int i = 0; i < 100000; i++) {
        const struct line *l = &lines[random_below(line_count)];
        char text[400];
        struct str s = l->text;
        if (l->family != 0 || str_find(s, '@') < s.n || str_find(s, '.') == s.n)
            continue;
        unsigned how = (unsigned)random_below(4); /* itself, a parent, below it, beside it */
        if (how == 1)
            s = str_from(s, str_find(s, '.') + 1);
        snprintf(text, sizeof text, "%s%.*s", how == 2 ? "x." : how == 3 ? "x" : "", STR_FMT(s));
        struct observable o = {.kind = OBSERVABLE_DOMAIN, .text = str_of(text)};
        uint64_t bits = observable_warned(&o) & ~BIT(PUBLIC_SUFFIX);
        if (bits != naive_text(o.text) && wrong++ < 5)
            fprintf(stderr, "%s: 0x%llx\n", text, (unsigned long long)bits);
    }
    CHECK(wrong == 0);
}

/* Each line of each file is on its list. */
static void test_every_line(void)
{
    for (size_t i = 0; i < line_count; i++) {
        char out[OBSERVABLE_ROOM(300)];
        struct observable o;
        struct err e;
        const struct line *l = &lines[i];
        bool ok = l->tree ? observable_normalize(OBSERVABLE_DOMAIN, l->text, false, out, sizeof out,
                                                 &o, &e)
                          : observable_guess(l->text, out, sizeof out, &o, &e);
        CHECK_ROW(ok && observable_warned(&o) >> l->list & 1, "%.*s", STR_FMT(l->text));
    }
}

static void check_hash(const unsigned char *digest, size_t n)
{
    char hex[129];
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    CHECK_ROW(observable_warned_value(STR("file"), str_of(hex)) == BIT(EMPTY_FILE), "%s", hex);
}

static void check_hashes(const void *data, size_t n)
{
    unsigned char digest[SHA512_DIGEST_SIZE];
    struct md5_ctx md5;
    struct sha1_ctx sha1;
    struct sha256_ctx sha256;
    struct sha512_ctx sha512;
    md5_init(&md5);
    md5_update(&md5, n, data);
    md5_digest(&md5, MD5_DIGEST_SIZE, digest);
    check_hash(digest, MD5_DIGEST_SIZE);
    sha1_init(&sha1);
    sha1_update(&sha1, n, data);
    sha1_digest(&sha1, SHA1_DIGEST_SIZE, digest);
    check_hash(digest, SHA1_DIGEST_SIZE);
    sha256_init(&sha256);
    sha256_update(&sha256, n, data);
    sha256_digest(&sha256, SHA256_DIGEST_SIZE, digest);
    check_hash(digest, SHA256_DIGEST_SIZE);
    sha512_init(&sha512);
    sha512_update(&sha512, n, data);
    sha512_digest(&sha512, SHA512_DIGEST_SIZE, digest);
    check_hash(digest, SHA512_DIGEST_SIZE);
}

static void test_hashes(void)
{
    static const char *const texts[] = {"",         "\n", "\r\n", " ", "\xef\xbb\xbf",
                                        "\xff\xfe", "{}", "0"};
    static const size_t zeros[] = {1, 512, 1024, 4096, 1 << 20};
    static const unsigned char zero[1 << 20];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_hashes(texts[i], strlen(texts[i]));
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        check_hashes(zero, zeros[i]);
}

/* Nothing of any length or type is written beyond a buffer or taken for a pattern by mistake. */
static void test_lengths(void)
{
    static const char *const types[] = {"ipv4-addr", "ipv6-addr",  "domain-name",
                                        "url",       "email-addr", "file"};
    static char text[LIMIT_OBSERVABLE_BYTES + 2];
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (size_t n = 0; n < sizeof text; n += n < 300 ? 1 : 257) {
            memset(text, 'a', n);
            if (n > 4)
                memcpy(text + n - 4, ".aaa", 4);
            uint64_t bits = observable_warned_value(str_of(types[t]), (struct str){text, n});
            bool label = n > 0 && n <= 4 && (t == 2 || t == 3);
            CHECK_ROW(bits == (label ? BIT(PUBLIC_SUFFIX) : 0), "%s of %zu", types[t], n);
        }
        memset(text, '*', LIMIT_OBSERVABLE_BYTES);
        struct str wild = {text, LIMIT_OBSERVABLE_BYTES};
        uint64_t bits = observable_warned_value(str_of(types[t]), wild);
        CHECK((bits != 0) == (t < 5));
    }
}

/* However long the way, where it ends counts. */
static void test_long_paths(void)
{
    static char text[LIMIT_OBSERVABLE_BYTES];
    for (size_t n = 30; n <= sizeof text; n += n < 2000 ? 97 : 1) {
        memset(text, n % 2 ? 'a' : '|', n);
        memcpy(text, "http://google.com/", 18);
        memcpy(text + n - 3, "/..", 3);
        CHECK(observable_warned_value(STR("url"), (struct str){text, n}) & BIT(TOP_SITE));
        text[n - 1] = 'a';
        CHECK(observable_warned_value(STR("url"), (struct str){text, n}) == 0);
    }
}

int main(void)
{
    read_lists();
    test_names();
    test_poison();
    test_clean();
    test_rows();
    test_both_forms("tests/corpus/warninglists/poison.tsv", 3);
    test_both_forms("tests/corpus/warninglists/clean.tsv", 2);
    test_every_line();
    test_random_addresses();
    test_random_names();
    test_hashes();
    test_lengths();
    test_long_paths();
    TEST_END();
}
