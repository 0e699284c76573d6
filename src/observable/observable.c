/* The kinds: their names, their normal forms, what a plain value or a STIX path means. */
#include "observable/observable.h"

#include <string.h>

#include "observable/observable_priv.h"

static const char *const kind_names[OBSERVABLE_KINDS] = {"ipv4", "ipv6", "domain", "url",   "email",
                                                         "md5",  "sha1", "sha256", "sha512"};

const char *observable_kind_name(enum observable_kind k)
{
    must((unsigned)k < OBSERVABLE_KINDS);
    return kind_names[k];
}

size_t observable_defanged(struct str s, struct str *plain)
{
    static const struct {
        const char *form, *plain;
    } signs[] = {{"[.]", "."}, {"(.)", "."},  {"[dot]", "."}, {"(dot)", "."},  {"[:]", ":"},
                 {"[@]", "@"}, {"[at]", "@"}, {"(at)", "@"},  {"[://]", "://"}};
    if (s.n < 3 || (s.p[0] != '[' && s.p[0] != '('))
        return 0;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (lower(s.p[1]) != signs[i].form[1])
            continue;
        struct str form = str_of(signs[i].form);
        if (form.n <= s.n && str_eq_nocase(str_slice(s, 0, form.n), form)) {
            *plain = str_of(signs[i].plain);
            return form.n;
        }
    }
    return 0;
}

size_t observable_refang(struct str s, char *out)
{
    size_t n = 0;
    while (s.n > 0) {
        struct str plain;
        size_t length = observable_defanged(s, &plain);
        if (length > 0) {
            memcpy(out + n, plain.p, plain.n);
            n += plain.n;
            s = str_from(s, length);
        } else {
            out[n++] = s.p[0];
            s = str_from(s, 1);
        }
    }
    return n;
}

static void clear_host_bits(unsigned char *a, size_t bytes, unsigned prefix)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned from = (unsigned)i * 8;
        unsigned keep = prefix <= from ? 0 : prefix - from >= 8 ? 8 : prefix - from;
        a[i] &= (unsigned char)(0xff00u >> keep);
    }
}

/* An address of either family with an optional /prefix. */
static bool address(struct str s, char *out, size_t room, struct observable *o, struct err *e)
{
    struct observable r = {.kind = OBSERVABLE_IPV4, .prefix = 32};
    size_t slash = str_find(s, '/');
    struct str host = str_slice(s, 0, slash);
    if (!observable_parse_ipv4(host, r.addr)) {
        if (!observable_parse_ipv6(host, r.addr))
            return err_set(e, ERR_INVALID, "not an IP address");
        r.kind = OBSERVABLE_IPV6;
        r.prefix = 128;
    }
    if (slash < s.n) {
        uint64_t prefix;
        if (!str_to_u64(str_from(s, slash + 1), &prefix) || prefix > r.prefix)
            return err_set_at(e, ERR_INVALID, slash + 1, "not a prefix length up to %u", r.prefix);
        r.prefix = (unsigned)prefix;
    }
    /* ::ffff:0:0/96 itself stays IPv6, so that a list of reserved ranges does not become 0.0.0.0/0.
     */
    if (r.kind == OBSERVABLE_IPV6 && r.prefix > 96 && observable_ipv4_mapped(r.addr, r.addr)) {
        r.kind = OBSERVABLE_IPV4;
        r.prefix -= 96;
        memset(r.addr + 4, 0, 12);
    }
    char text[OBSERVABLE_ADDRESS_BYTES];
    clear_host_bits(r.addr, r.kind == OBSERVABLE_IPV4 ? 4 : 16, r.prefix);
    size_t n = r.kind == OBSERVABLE_IPV4 ? observable_text_ipv4(r.addr, text)
                                         : observable_text_ipv6(r.addr, text);
    if (n > room)
        return err_set(e, ERR_LIMIT, "no room for the normal form");
    memcpy(out, text, n);
    r.text = (struct str){out, n};
    *o = r;
    return true;
}

static size_t hash_digits(enum observable_kind k)
{
    static const size_t digits[OBSERVABLE_KINDS] = {[OBSERVABLE_MD5] = 32,
                                                    [OBSERVABLE_SHA1] = 40,
                                                    [OBSERVABLE_SHA256] = 64,
                                                    [OBSERVABLE_SHA512] = 128};
    return digits[k];
}

static size_t text_hash(enum observable_kind k, struct str s, char *out, size_t room, struct err *e)
{
    if (s.n != hash_digits(k))
        return err_set(e, ERR_INVALID, "%s has %zu hexadecimal digits", kind_names[k],
                       hash_digits(k));
    if (s.n > room)
        return err_set(e, ERR_LIMIT, "no room for the normal form");
    for (size_t i = 0; i < s.n; i++) {
        if (hex_value(s.p[i]) < 0)
            return err_set_at(e, ERR_INVALID, i, "not a hexadecimal digit");
        out[i] = lower(s.p[i]);
    }
    return s.n;
}

static bool normalize(enum observable_kind k, struct str s, char *out, size_t room,
                      struct observable *o, struct err *e)
{
    size_t n = 0;
    switch (k) {
    case OBSERVABLE_IPV4:
    case OBSERVABLE_IPV6: {
        struct observable r = {0};
        if (!address(s, out, room, &r, e))
            return false;
        if (k == OBSERVABLE_IPV4 && r.kind == OBSERVABLE_IPV6)
            return err_set(e, ERR_INVALID, "not an IPv4 address");
        if (k == OBSERVABLE_IPV6 && str_find(s, ':') == s.n)
            return err_set(e, ERR_INVALID, "not an IPv6 address");
        *o = r;
        return true;
    }
    case OBSERVABLE_DOMAIN:
        n = observable_text_domain(s, out, room);
        if (n == 0)
            return err_set(e, ERR_INVALID, "not a domain name");
        break;
    case OBSERVABLE_URL:
        n = observable_text_url(s, out, room, e);
        break;
    case OBSERVABLE_EMAIL:
        n = observable_text_email(s, out, room, e);
        break;
    case OBSERVABLE_MD5:
    case OBSERVABLE_SHA1:
    case OBSERVABLE_SHA256:
    case OBSERVABLE_SHA512:
        n = text_hash(k, s, out, room, e);
        break;
    }
    if (n == 0)
        return false;
    *o = (struct observable){.kind = k, .text = {out, n}};
    return true;
}

/* Seven parameters: a kind, a value and where its normal form goes; a struct would only hide them.
 * NOLINTNEXTLINE(readability-function-size) */
bool observable_normalize(enum observable_kind k, struct str s, bool refang, char *out, size_t room,
                          struct observable *o, struct err *e)
{
    char plain[LIMIT_OBSERVABLE_BYTES];
    if (s.n > sizeof plain)
        return err_set(e, ERR_LIMIT, "longer than %d bytes", LIMIT_OBSERVABLE_BYTES);
    if (refang)
        s = (struct str){plain, observable_refang(s, plain)};
    return normalize(k, s, out, room, o, e);
}

static enum observable_kind guess(struct str s)
{
    struct str t = s;
    while (t.n >= 3 && !str_starts(t, STR("://")))
        t = str_from(t, 1);
    if (t.n >= 3)
        return OBSERVABLE_URL;
    if (str_find(s, '@') < s.n)
        return OBSERVABLE_EMAIL;
    for (enum observable_kind k = OBSERVABLE_MD5; k <= OBSERVABLE_SHA512; k++)
        if (s.n == hash_digits(k) && str_find(s, '.') == s.n && str_find(s, ':') == s.n)
            return k;
    if (str_find(s, ':') < s.n)
        return OBSERVABLE_IPV6;
    unsigned char a[4];
    if (str_find(s, '/') < s.n || observable_parse_ipv4(s, a))
        return OBSERVABLE_IPV4;
    return OBSERVABLE_DOMAIN;
}

bool observable_guess(struct str s, char *out, size_t room, struct observable *o, struct err *e)
{
    char plain[LIMIT_OBSERVABLE_BYTES];
    s = str_trim(s);
    if (s.n > sizeof plain)
        return err_set(e, ERR_LIMIT, "longer than %d bytes", LIMIT_OBSERVABLE_BYTES);
    s = (struct str){plain, observable_refang(s, plain)};
    enum observable_kind k = guess(s);
    if (k == OBSERVABLE_DOMAIN && str_starts(s, STR("*.")))
        s = str_from(s, 2);
    struct observable r = {0};
    if (!normalize(k, s, out, room, &r, e))
        return false;
    if (k == OBSERVABLE_DOMAIN && str_find(r.text, '.') == r.text.n)
        return err_set(e, ERR_INVALID, "a single word, no observable");
    *o = r;
    return true;
}

/* The name of a hash algorithm as STIX 2.1 §10.7 has it, with or without quotes and hyphen. */
static bool kind_of_algorithm(struct str name, enum observable_kind *k)
{
    static const struct {
        const char *name;
        enum observable_kind kind;
    } names[] = {{"MD5", OBSERVABLE_MD5},       {"SHA-1", OBSERVABLE_SHA1},
                 {"SHA1", OBSERVABLE_SHA1},     {"SHA-256", OBSERVABLE_SHA256},
                 {"SHA256", OBSERVABLE_SHA256}, {"SHA-512", OBSERVABLE_SHA512},
                 {"SHA512", OBSERVABLE_SHA512}};
    if (name.n >= 2 && name.p[0] == '\'' && name.p[name.n - 1] == '\'')
        name = str_slice(name, 1, name.n - 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq_nocase(name, str_of(names[i].name))) {
            *k = names[i].kind;
            return true;
        }
    return false;
}

bool observable_kind_of_path(struct str type, struct str path, enum observable_kind *k)
{
    static const struct {
        const char *type, *path;
        enum observable_kind kind;
    } paths[] = {
        {"ipv4-addr", "value", OBSERVABLE_IPV4},
        {"ipv6-addr", "value", OBSERVABLE_IPV6},
        {"domain-name", "value", OBSERVABLE_DOMAIN},
        {"url", "value", OBSERVABLE_URL},
        {"email-addr", "value", OBSERVABLE_EMAIL},
        {"email-message", "from_ref.value", OBSERVABLE_EMAIL},
        {"email-message", "sender_ref.value", OBSERVABLE_EMAIL},
        {"email-message", "to_refs[*].value", OBSERVABLE_EMAIL},
        {"email-message", "cc_refs[*].value", OBSERVABLE_EMAIL},
        {"email-message", "bcc_refs[*].value", OBSERVABLE_EMAIL},
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (str_eq(type, str_of(paths[i].type)) && str_eq(path, str_of(paths[i].path))) {
            *k = paths[i].kind;
            return true;
        }
    /* file, artifact, x509-certificate, external references: …hashes.ALGORITHM anywhere. */
    size_t dot = path.n;
    while (dot > 0 && path.p[dot - 1] != '.')
        dot--;
    struct str parent = str_slice(path, 0, dot > 0 ? dot - 1 : 0);
    bool hashes = str_eq(parent, STR("hashes")) || str_ends(parent, STR(".hashes"));
    return hashes && kind_of_algorithm(str_from(path, dot), k);
}
