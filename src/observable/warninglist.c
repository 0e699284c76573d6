/* Look-ups in the warning lists' tables and, through libpsl, in the Public Suffix List. */
#include "observable/warninglist.h"

#include <libpsl.h>
#include <stdio.h>

#include "observable/observable_priv.h"
#include "observable/warninglist_priv.h"

#define BIT(name) OBSERVABLE_WARNINGLIST_BIT(name)

/* No registry hands out an IPv4 block shorter than /8, nor as a rule an IPv6 block shorter than
 * /19: what is shorter is not one network. */
enum { WIDE_IPV4 = 8, WIDE_IPV6 = 19 };

static const char *const names[] = {
#define X(name, text, on) text,
    OBSERVABLE_WARNINGLIST_TABLE(X)
#undef X
};
_Static_assert(sizeof names / sizeof *names == OBSERVABLE_WARNINGLISTS, "count of the table");

bool observable_warninglist_find(struct str name, unsigned *bit)
{
    for (unsigned i = 0; i < OBSERVABLE_WARNINGLISTS; i++)
        if (str_eq(name, str_of(names[i]))) {
            *bit = i;
            return true;
        }
    return false;
}

struct str observable_warninglist_name(unsigned bit)
{
    must(bit < OBSERVABLE_WARNINGLISTS);
    return str_of(names[bit]);
}

/* ---- values in normal form --------------------------------------------------------------------
 */

static bool inside(const unsigned char *a, const unsigned char *block, unsigned prefix)
{
    size_t whole = prefix / 8;
    unsigned rest = prefix % 8;
    return memcmp(a, block, whole) == 0 &&
           (rest == 0 || (a[whole] ^ block[whole]) >> (8 - rest) == 0);
}

/* Index of the first listed block at `o`'s address or behind it. */
static size_t first_block(const struct observable *o)
{
    size_t from = 0, to = observable_warned_block_count;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        const struct observable_warned_block *b = &observable_warned_blocks[mid];
        if (b->kind < o->kind || (b->kind == o->kind && memcmp(b->addr, o->addr, 16) < 0))
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static uint64_t warned_block(const struct observable *o)
{
    const struct observable_warned_block *all = observable_warned_blocks, *b;
    size_t first = first_block(o);
    uint64_t bits = 0;
    if (o->prefix < (o->kind == OBSERVABLE_IPV4 ? WIDE_IPV4 : WIDE_IPV6))
        bits = BIT(WIDE_BLOCK);
    /* Those that start within the value. Two blocks that overlap are one inside the other. */
    for (b = all + first; b < all + observable_warned_block_count; b++) {
        if (b->kind != o->kind || !inside(b->addr, o->addr, o->prefix))
            break;
        bits |= b->lists;
    }
    /* Those that start before it: one that reaches it is the last of them or stands around that. */
    for (size_t i = first; i > 0; i = b->around) {
        b = &all[i - 1];
        if (b->kind == o->kind && inside(o->addr, b->addr, b->prefix))
            bits |= b->lists;
    }
    return bits;
}

static const struct observable_warned_text *find_text(enum observable_kind kind, struct str s)
{
    size_t from = 0, to = observable_warned_text_count;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        const struct observable_warned_text *t = &observable_warned_texts[mid];
        int order = (int)t->kind - (int)kind;
        if (order == 0)
            order = str_cmp(str_of(t->text), s);
        if (order == 0)
            return t;
        if (order < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return NULL;
}

static uint64_t warned_text(enum observable_kind kind, struct str s)
{
    const struct observable_warned_text *t = find_text(kind, s);
    return t ? t->lists : 0;
}

/* Both parts of the list: an indicator for github.io is as bad as one for co.jp. */
bool observable_public_suffix(struct str name)
{
    char text[OBSERVABLE_NAME_BYTES + 1];
    if (name.n >= sizeof text)
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = 0;
    const psl_ctx_t *list = psl_builtin();
    if (list == NULL) /* a libpsl that was built without data */
        return str_find(name, '.') == name.n;
    return psl_is_public_suffix2(list, text, PSL_TYPE_ANY) != 0;
}

static uint64_t warned_name(struct str name)
{
    uint64_t bits = warned_text(OBSERVABLE_DOMAIN, name);
    if (observable_public_suffix(name))
        bits |= BIT(PUBLIC_SUFFIX);
    for (size_t dot = str_find(name, '.'); dot < name.n; dot = str_find(name, '.')) {
        name = str_from(name, dot + 1);
        const struct observable_warned_text *t = find_text(OBSERVABLE_DOMAIN, name);
        bits |= t ? t->below : 0;
    }
    return bits;
}

/* A host as a URL has it, in normal form. */
static uint64_t warned_host(struct str host)
{
    struct observable o = {.kind = OBSERVABLE_IPV4, .prefix = 32};
    if (observable_parse_ipv4(host, o.addr))
        return warned_block(&o);
    o = (struct observable){.kind = OBSERVABLE_IPV6, .prefix = 128};
    if (host.n > 2 && host.p[0] == '[' &&
        observable_parse_ipv6(str_slice(host, 1, host.n - 1), o.addr))
        return warned_block(&o);
    return warned_name(host);
}

static uint64_t warned_url(struct str url)
{
    struct str host = observable_url_host(url);
    if (host.n == 0)
        return 0;
    struct str rest = str_from(url, (size_t)(host.p - url.p) + host.n); /* port and path */
    return str_find(rest, '/') + 1 == rest.n ? warned_host(host) : 0;
}

uint64_t observable_warned(const struct observable *o)
{
    switch (o->kind) {
    case OBSERVABLE_IPV4:
    case OBSERVABLE_IPV6:
        return warned_block(o);
    case OBSERVABLE_DOMAIN:
        return warned_name(o->text);
    case OBSERVABLE_URL:
        return warned_url(o->text);
    case OBSERVABLE_EMAIL:
    case OBSERVABLE_MD5:
    case OBSERVABLE_SHA1:
    case OBSERVABLE_SHA256:
    case OBSERVABLE_SHA512:
        break;
    }
    return warned_text(o->kind, o->text);
}

/* ---- values as they stand in objects ----------------------------------------------------------
 */

static bool is_wild(char c)
{
    return c == '*' || c == '%';
}

static size_t find_wild(struct str s)
{
    size_t i = 0;
    while (i < s.n && !is_wild(s.p[i]))
        i++;
    return i;
}

static bool all_wild(struct str s)
{
    while (s.n > 0 && is_wild(s.p[0]))
        s = str_from(s, 1);
    return s.n == 0;
}

/* The lists of `s` if it has a normal form as `kind`. The room is that of the longest value: a long
 * path may come down to `/`. */
static bool warned_as(enum observable_kind kind, struct str s, uint64_t *bits)
{
    char out[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
    struct observable o;
    struct err e;
    if (!observable_normalize(kind, s, false, out, sizeof out, &o, &e))
        return false;
    *bits = observable_warned(&o);
    return true;
}

/* 10.*, 2001:db8:*: the block that the whole parts before the wildcard span. */
static uint64_t warned_address_pattern(struct str s)
{
    static const char *const rest[] = {"0.0.0.0", ".0.0.0", ".0.0", ".0"};
    struct str head = str_slice(s, 0, find_wild(s));
    bool v6 = str_find(head, ':') < head.n;
    size_t kept = 0, parts = 0;
    for (size_t i = 0; parts < 8; i = kept + 1, parts++) {
        size_t n = str_find(str_from(head, i), v6 ? ':' : '.');
        if (n == 0 || i + n >= head.n)
            break;
        kept = i + n;
    }
    char text[128];
    if (kept > 64 || (!v6 && parts > 3))
        return 0;
    int n = snprintf(text, sizeof text, "%.*s%s/%zu", (int)kept, head.p, v6 ? "::" : rest[parts],
                     parts * (v6 ? 16 : 8));
    uint64_t bits = 0;
    warned_as(v6 ? OBSERVABLE_IPV6 : OBSERVABLE_IPV4, (struct str){text, (size_t)n}, &bits);
    return bits;
}

static uint64_t warned_address_value(struct str s)
{
    uint64_t bits = 0;
    bool v6 = str_find(s, ':') < s.n;
    if (!warned_as(v6 ? OBSERVABLE_IPV6 : OBSERVABLE_IPV4, s, &bits) && find_wild(s) < s.n)
        bits = warned_address_pattern(s);
    return bits;
}

/* Does the pattern find the text, which is in lower case? The last wildcard seen takes in one byte
 * more whenever what follows it does not fit. */
static bool glob(struct str pattern, struct str text)
{
    size_t i = 0, at = 0, wild = pattern.n, taken = 0;
    while (at < text.n) {
        if (i < pattern.n && is_wild(pattern.p[i])) {
            wild = i++;
            taken = at;
        } else if (i < pattern.n && lower(pattern.p[i]) == text.p[at]) {
            i++;
            at++;
        } else if (wild < pattern.n) {
            i = wild + 1;
            at = ++taken;
        } else {
            return false;
        }
    }
    return all_wild(str_from(pattern, i));
}

static uint64_t warned_name_pattern(struct str s)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < observable_warned_text_count; i++) {
        const struct observable_warned_text *t = &observable_warned_texts[i];
        if (t->kind == OBSERVABLE_DOMAIN && glob(s, str_of(t->text)))
            bits |= t->lists;
    }
    return bits;
}

/* `*.` before a name says nothing that the name does not: it finds the names below it anyway. */
static uint64_t warned_name_value(struct str s)
{
    while (s.n > 0 &&
           (s.p[0] == '.' || (is_wild(s.p[0]) && (s.n == 1 || s.p[1] == '.' || is_wild(s.p[1])))))
        s = str_from(s, 1);
    if (s.n == 0) /* the root: every name */
        return BIT(PUBLIC_SUFFIX);
    uint64_t bits = 0;
    if (find_wild(s) < s.n)
        bits = warned_name_pattern(s);
    else if (warned_as(OBSERVABLE_DOMAIN, s, &bits))
        return bits;
    bool address = is_digit(s.p[0]) || str_find(s, ':') < s.n;
    return address ? bits | warned_address_value(s) : bits;
}

/* What could be a host alone: behind ://, without user and port, no path but / and wildcards. */
static uint64_t warned_url_value(struct str s)
{
    uint64_t bits = 0;
    if (warned_as(OBSERVABLE_URL, s, &bits) && (bits != 0 || find_wild(s) == s.n))
        return bits;
    struct str t = s;
    while (t.n > 0 && !str_starts(t, STR("://")))
        t = str_from(t, 1);
    if (t.n > 0)
        s = str_from(t, 3);
    size_t end = 0;
    while (end < s.n && s.p[end] != '/' && s.p[end] != '?' && s.p[end] != '#')
        end++;
    if (!all_wild(str_from(s, end + 1)))
        return 0;
    s = str_slice(s, 0, end);
    size_t at = end;
    while (at > 0 && s.p[at - 1] != '@')
        at--;
    s = str_from(s, at);
    if (s.n > 0 && s.p[0] == '[')
        return warned_address_value(str_slice(s, 1, str_find(s, ']')));
    s = str_slice(s, 0, str_find(s, ':'));
    return s.n > 0 ? warned_name_value(s) : 0;
}

static uint64_t warned_email_value(struct str s)
{
    size_t at = str_find(s, '@');
    if (at == s.n)
        return s.n > 0 && all_wild(s) ? warned_name_value(s) : 0;
    if (all_wild(str_slice(s, 0, at)))
        return warned_name_value(str_from(s, at + 1));
    uint64_t bits = 0;
    warned_as(OBSERVABLE_EMAIL, s, &bits);
    return bits;
}

static uint64_t warned_hash_value(struct str s)
{
    uint64_t bits = 0;
    for (enum observable_kind k = OBSERVABLE_MD5; k <= OBSERVABLE_SHA512; k++)
        if (warned_as(k, s, &bits))
            break;
    return bits;
}

uint64_t observable_warned_value(struct str object_type, struct str value)
{
    static const struct {
        const char *type;
        uint64_t (*warned)(struct str);
    } types[] = {{"ipv4-addr", warned_address_value}, {"ipv6-addr", warned_address_value},
                 {"domain-name", warned_name_value},  {"url", warned_url_value},
                 {"email-addr", warned_email_value},  {"file", warned_hash_value},
                 {"artifact", warned_hash_value}};
    char plain[LIMIT_OBSERVABLE_BYTES];
    value = str_trim(value);
    if (value.n == 0 || value.n > sizeof plain)
        return 0;
    value = (struct str){plain, observable_refang(value, plain)};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(object_type, str_of(types[i].type)))
            return types[i].warned(value);
    return 0;
}
