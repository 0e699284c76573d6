/*
 * The scanner against a reference that tries every substring. The first byte chooses: even, the
 * rest spells a text out of pieces that make hits and near misses frequent; odd, it is the text.
 * Texts without : @ % + \ and without bytes above ASCII are compared hit by hit; of all others it
 * is checked that hits stand inside the text, in order, and that what was seen has the normal form
 * told. Every kernel must tell the same as the plain scanner, wherever the text stands. Of each hit
 * the key must have been recorded, and a set of its indicator alone must find it: no hit depends on
 * what else a set holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "match/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { TEXT_BYTES = 600, HITS = 4000 };

#define MD5 "0123456789abcdef0123456789abcdef"
/* Parsed by the reference itself; blocks by their first and last address. */
static const struct {
    const char *id;
    enum observable_kind kind;
    uint32_t first, last;
} indicators[] = {
    {"evil.com", OBSERVABLE_DOMAIN, 0, 0},
    {"a.evil.com", OBSERVABLE_DOMAIN, 0, 0},
    {"com.a", OBSERVABLE_DOMAIN, 0, 0},
    {"1.2.3.4", OBSERVABLE_IPV4, 0x01020304, 0x01020304},
    {"1.2.3.0/24", OBSERVABLE_IPV4, 0x01020300, 0x010203ff},
    {"4.1.0.0/16", OBSERVABLE_IPV4, 0x04010000, 0x0401ffff},
    {MD5, OBSERVABLE_MD5, 0, 0},
    {MD5 "01234567", OBSERVABLE_SHA1, 0, 0},
    {"http://evil.com/a", OBSERVABLE_URL, 0, 0},
    {"http://[2001:db8::1]/a", OBSERVABLE_URL, 0, 0},
    {"2001:db8::1", OBSERVABLE_IPV6, 0, 0},
    {"2001:db8::/32", OBSERVABLE_IPV6, 0, 0},
    {"bob@evil.com", OBSERVABLE_EMAIL, 0, 0},
    {"m\xc3\xbcnchen.de", OBSERVABLE_DOMAIN, 0, 0},
};
enum { INDICATORS = sizeof indicators / sizeof *indicators };

/* What the first byte even spells with; the first 24 keep to the compared part. */
static const char *const pieces[] = {
    "evil.com",
    "evil",
    "com",
    "a",
    ".",
    "-",
    "_",
    "..",
    "[.]",
    "(dot)",
    " ",
    ",",
    "1",
    "2.3.4",
    "1.2.3.",
    "4",
    "1.2.3.4",
    MD5,
    "0",
    "[",
    "/",
    "(",
    "EVIL",
    "b.a",
    "http://",
    ":",
    "::",
    "@",
    "%20",
    "%41",
    "\\n",
    "\\u0041",
    "bob@",
    "2001:db8",
    "[:]",
    "\\/",
    "+",
    "]",
    "\"",
    "http[:]//",
    "/a",
    "\xc3\xbc",
    "\xe3\x81\xaf",
    "m\xc3\xbcnchen.de",
    "ffff",
    "[@]",
    "#",
    "\\",
    "%22",
    "&quot;",
    "\\x2f",
    "\xe2\x86\x92",
    "\x94",
    "\xe3\x80\x82",
    "\xe2\x80\x8b",
    "\xe6\x97\xa5",
    "\xef\xbc\x8e",
};
enum { PIECES = sizeof pieces / sizeof *pieces, PLAIN_PIECES = 24 };

struct hit {
    size_t from, to;
    uint32_t indicator;
    enum match_relation relation;
};

struct told {
    struct str text;
    struct hit hits[HITS];
    size_t count;
    const char *last;
};

/* ---- the reference ------------------------------------------------------------------------ */

/* The text with plain signs, and where each byte stood. */
struct plain {
    char p[TEXT_BYTES + 1];
    size_t n, from[TEXT_BYTES + 1];
};

static void make_plain(struct str text, struct plain *out)
{
    static const char *const dots[] = {"[.]", "(.)", "[dot]", "(dot)"};
    out->n = 0;
    for (size_t i = 0; i < text.n;) {
        size_t length = 1;
        char c = text.p[i];
        for (size_t k = 0; k < 4; k++)
            if (text.n - i >= strlen(dots[k]) &&
                strncasecmp(text.p + i, dots[k], strlen(dots[k])) == 0) {
                length = strlen(dots[k]);
                c = '.';
            }
        out->from[out->n] = i;
        out->p[out->n++] = c;
        i += length;
    }
    out->from[out->n] = text.n;
}

static bool alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool word(char c)
{
    return alnum(c) || c == '-' || c == '_' || c == '.';
}

/* Nothing but dots and hyphens before i up to a border, or two dots among them. */
static bool free_left(const struct plain *t, size_t i)
{
    bool two = false;
    for (; i > 0 && (t->p[i - 1] == '.' || t->p[i - 1] == '-'); i--)
        two = two || (t->p[i - 1] == '.' && i > 1 && t->p[i - 2] == '.');
    return two || i == 0 || !word(t->p[i - 1]);
}

static bool free_right(const struct plain *t, size_t j)
{
    bool two = false;
    for (; j < t->n && strchr("._-", t->p[j]) != NULL && t->p[j] != 0; j++)
        two = two || (t->p[j] == '.' && j + 1 < t->n && t->p[j + 1] == '.');
    return two || j == t->n || !word(t->p[j]);
}

static bool address(const char *p, size_t n, uint32_t *v)
{
    char s[16];
    unsigned a, b, c, d;
    if (n < 7 || n > 15)
        return false;
    memcpy(s, p, n);
    s[n] = 0;
    for (size_t i = 0; i < n; i++)
        if (s[i] != '.' && (s[i] < '0' || s[i] > '9'))
            return false;
    char again[64];
    if (sscanf(s, "%u.%u.%u.%u", &a, &b, &c, &d) != 4 || a > 255 || b > 255 || c > 255 || d > 255)
        return false;
    snprintf(again, sizeof again, "%u.%u.%u.%u", a, b, c, d);
    *v = a << 24 | b << 16 | c << 8 | d;
    return strcmp(s, again) == 0;
}

/* An address beside [i, j) behind a hyphen: the other end of a range. */
static bool range(const struct plain *t, size_t i, size_t j)
{
    uint32_t v;
    if (free_left(t, i) && j < t->n && t->p[j] == '-')
        for (size_t k = j + 2; k <= t->n && k - j < 18; k++)
            if (address(t->p + j + 1, k - j - 1, &v) && free_right(t, k))
                return true;
    if (free_right(t, j) && i > 0 && t->p[i - 1] == '-')
        for (size_t k = i - 1; k > 0 && i - k < 18; k--)
            if (address(t->p + k - 1, i - k, &v) && free_left(t, k - 1))
                return true;
    return false;
}

static bool is_name(const char *p, size_t n)
{
    size_t label = 0, letters = 0;
    if (n > 253 || p[0] == '-' || p[n - 1] == '-' || p[n - 1] == '_')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '.') {
            if (label == 0 || label > 63)
                return false;
            label = letters = 0;
        } else {
            label++;
            letters += p[i] < '0' || p[i] > '9';
        }
    }
    return label > 0 && label <= 63 && letters > 0;
}

static void note(struct told *r, const struct plain *t, size_t i, size_t j, uint32_t indicator,
                 enum match_relation relation)
{
    must(r->count < HITS);
    r->hits[r->count++] = (struct hit){t->from[i], t->from[j], indicator, relation};
}

static void refer_name(const struct plain *t, size_t i, size_t j, struct told *r)
{
    size_t tail = j;
    while (tail < t->n && strchr("._-", t->p[tail]) != NULL && t->p[tail] != 0)
        tail++;
    bool stop = tail == j + 1 && t->p[j] == '.';
    for (uint32_t k = 0; k < INDICATORS; k++) {
        size_t n = strlen(indicators[k].id);
        if (indicators[k].kind != OBSERVABLE_DOMAIN || n > j - i ||
            strncasecmp(t->p + j - n, indicators[k].id, n) != 0)
            continue;
        if (n == j - i)
            note(r, t, i, stop ? j + 1 : j, k, MATCH_EXACT);
        else if (t->p[j - n - 1] == '.')
            note(r, t, i, stop ? j + 1 : j, k, MATCH_SUBDOMAIN);
    }
}

static void refer_address(const struct plain *t, size_t i, size_t j, uint32_t v, struct told *r)
{
    for (uint32_t k = 0; k < INDICATORS; k++)
        if (indicators[k].kind == OBSERVABLE_IPV4 && indicators[k].first <= v &&
            v <= indicators[k].last)
            note(r, t, i, j, k,
                 indicators[k].first == indicators[k].last ? MATCH_EXACT : MATCH_INSIDE);
}

static void refer(struct str text, struct told *r)
{
    static struct plain t;
    uint32_t v;
    make_plain(text, &t);
    for (size_t i = 0; i < t.n; i++) {
        for (size_t j = i + 1; j <= t.n && word(t.p[j - 1]); j++) {
            bool free = free_left(&t, i) && free_right(&t, j);
            if (t.p[i] != '.' && t.p[j - 1] != '.' && free && is_name(t.p + i, j - i))
                refer_name(&t, i, j, r);
            if (address(t.p + i, j - i, &v) && (free || range(&t, i, j)))
                refer_address(&t, i, j, v, r);
        }
        for (uint32_t k = 0; k < INDICATORS; k++) {
            size_t n = strlen(indicators[k].id);
            if (indicators[k].kind >= OBSERVABLE_MD5 && t.n - i >= n &&
                strncasecmp(t.p + i, indicators[k].id, n) == 0 && (i == 0 || !alnum(t.p[i - 1])) &&
                (i + n == t.n || !alnum(t.p[i + n])))
                note(r, &t, i, i + n, k, MATCH_EXACT);
        }
    }
}

/* ---- comparing ---------------------------------------------------------------------------- */

static bool on_hit(void *ctx, const struct match_hit *h)
{
    struct told *t = ctx;
    char out[OBSERVABLE_ROOM(TEXT_BYTES)];
    struct observable o;
    struct err e;
    must(h->seen.n > 0 && h->seen.p >= t->last && h->observable.n > 0);
    must(h->seen.p + h->seen.n <= t->text.p + t->text.n && h->indicator < INDICATORS);
    t->last = h->seen.p;
    must(t->count < HITS);
    size_t from = (size_t)(h->seen.p - t->text.p);
    t->hits[t->count++] = (struct hit){from, from + h->seen.n, h->indicator, h->relation};
    if (memchr(h->seen.p, '\\', h->seen.n) != NULL || memchr(h->seen.p, '%', h->seen.n) != NULL)
        return true;
    bool embedded = h->kind == OBSERVABLE_IPV4 && memchr(h->seen.p, ':', h->seen.n) != NULL;
    must(observable_normalize(embedded ? OBSERVABLE_IPV6 : h->kind, h->seen, true, out, sizeof out,
                              &o, &e));
    must(embedded || (o.kind == h->kind && str_eq(o.text, h->observable)));
    return true;
}

static int order(const void *pa, const void *pb)
{
    const struct hit *a = pa, *b = pb;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->indicator != b->indicator)
        return a->indicator < b->indicator ? -1 : 1;
    return a->to < b->to ? -1 : a->to > b->to;
}

static void show(const char *what, const struct told *t)
{
    for (size_t i = 0; i < t->count; i++)
        fprintf(stderr, "%s: %zu-%zu %s %s\n", what, t->hits[i].from, t->hits[i].to,
                match_relation_name(t->hits[i].relation), indicators[t->hits[i].indicator].id);
}

static void compare(struct told *a, struct told *b)
{
    qsort(a->hits, a->count, sizeof *a->hits, order);
    qsort(b->hits, b->count, sizeof *b->hits, order);
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = order(&a->hits[i], &b->hits[i]) == 0 && a->hits[i].relation == b->hits[i].relation;
    if (!same) {
        fprintf(stderr, "text: %.*s\n", STR_FMT(a->text));
        show("first", a);
        show("second", b);
    }
    must(same);
}

static struct match_set *set_of(size_t from, size_t to)
{
    struct match_set *set = match_set_new();
    struct match_list_options options = {.like = {.from_us = INT64_MIN, .until_us = INT64_MAX}};
    struct err e;
    must(set != NULL);
    for (size_t i = from; i < to; i++)
        must(match_set_load_list(set, str_of(indicators[i].id), &options, &e));
    must(match_set_indicators(set) == to - from && match_set_seal(set, &e));
    return set;
}

static const struct match_set *the_set(void)
{
    static struct match_set *set;
    if (set == NULL)
        set = set_of(0, INDICATORS);
    return set;
}

static bool comparable(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] >= 0x80 ||
            (text.p[i] != 0 && strchr(":@%+\\", text.p[i]) != NULL))
            return false;
    for (size_t i = 0; i + 4 <= text.n; i++) /* [at] and the like */
        if (strncasecmp(text.p + i, "at", 2) == 0 && i > 0 && strchr("[(", text.p[i - 1]) != NULL)
            return false;
    return true;
}

/* ---- kernels ------------------------------------------------------------------------------ */

static bool on_kernel_hit(void *ctx, const struct match_hit *h)
{
    struct told *t = ctx;
    size_t from = (size_t)(h->seen.p - t->text.p);
    must(t->count < HITS);
    t->hits[t->count++] = (struct hit){from, from + h->seen.n, h->indicator, h->relation};
    return true;
}

static void by_kernel(const char *name, struct str text, struct told *t)
{
    t->text = text;
    t->count = 0;
    must(match_kernel_force(name));
    match_scan(the_set(), text, 0, on_kernel_hit, t);
}

/* The text behind up to 255 bytes that make it a stretch of its own, or not. */
static void compare_kernels(struct str text, uint8_t shift)
{
    static struct told plain, quick;
    static char moved[TEXT_BYTES + 256 + 3];
    memset(moved, shift % 3 == 0 ? ' ' : shift % 3 == 1 ? ',' : 'x', sizeof moved);
    moved[shift % 2 == 0 && shift > 0 ? shift - 1 : 0] = ' ';
    memcpy(moved + shift, text.p, text.n);
    text = (struct str){moved, shift + text.n + shift % 4};
    by_kernel("reference", text, &plain);
    for (size_t k = 0; match_kernel_name(k) != NULL; k++) {
        if (!match_kernel_runs(k))
            continue;
        by_kernel(match_kernel_name(k), text, &quick);
        bool same = plain.count == quick.count &&
                    memcmp(plain.hits, quick.hits, plain.count * sizeof *plain.hits) == 0;
        if (!same) {
            fprintf(stderr, "text: %.*s\n", STR_FMT(text));
            show(match_kernel_name(k), &quick);
            show("reference", &plain);
        }
        must(same);
    }
    must(match_kernel_force(NULL));
}

/* ---- recording ---------------------------------------------------------------------------- */

enum { KEYS = 20000 };
struct keys {
    uint64_t keys[KEYS];
    size_t count;
};

static void on_key(void *ctx, uint64_t key)
{
    struct keys *k = ctx;
    must(k->count < KEYS);
    k->keys[k->count++] = key;
}

/* The key that a text with this indicator has. */
static uint64_t key_of(const struct match_recorder *r, const char *id)
{
    static struct keys k;
    struct match_set *s = match_set_new();
    struct match_list_options options = {.like = {.until_us = INT64_MAX}};
    struct err e;
    k.count = 0;
    must(s != NULL && match_set_load_list(s, str_of(id), &options, &e) && match_set_seal(s, &e) &&
         match_record_ask(r, s, on_key, &k) && k.count == 1);
    match_set_free(s);
    return k.keys[0];
}

/* False if the text cost more than may be spent. */
static bool check_recorded(struct str text, const struct told *t)
{
    static struct match_recorder *r;
    static uint64_t wanted[INDICATORS];
    static struct keys told;
    struct err e;
    if (r == NULL) {
        must(match_recorder_new(7, &r, &e));
        for (size_t i = 0; i < INDICATORS; i++)
            wanted[i] = key_of(r, indicators[i].id);
    }
    told.count = 0;
    if (!match_record(r, text, on_key, &told))
        return false;
    for (size_t i = 0; i < t->count; i++) {
        size_t k = 0;
        while (k < told.count && told.keys[k] != wanted[t->hits[i].indicator])
            k++;
        must(k < told.count);
    }
    return true;
}

/* ---- one indicator alone ------------------------------------------------------------------ */

/* Of all that was told, what was told of that indicator. */
static void keep_one(const struct told *all, uint32_t indicator, struct told *t)
{
    t->text = all->text;
    t->count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->hits[i].indicator == indicator)
            t->hits[t->count++] = all->hits[i];
}

static void check_alone(struct str text, const struct told *all, uint32_t indicator)
{
    static struct match_set *alone[INDICATORS];
    static struct told expected, got;
    if (alone[indicator] == NULL)
        alone[indicator] = set_of(indicator, indicator + 1);
    keep_one(all, indicator, &expected);
    got.text = text;
    got.count = 0;
    match_scan(alone[indicator], text, 0, on_kernel_hit, &got);
    for (size_t i = 0; i < got.count; i++)
        got.hits[i].indicator = indicator;
    compare(&got, &expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct told seen, expected;
    static char spelled[TEXT_BYTES];
    struct str text = {spelled, 0};
    if (n == 0)
        return 0;
    if (data[0] % 2 == 1 && n - 1 <= TEXT_BYTES) {
        text = (struct str){(const char *)data + 1, n - 1};
    } else {
        size_t choice = data[0] % 4 == 0 ? PLAIN_PIECES : PIECES;
        for (size_t i = 1; i < n; i++) {
            const char *piece = pieces[data[i] % choice];
            if (strlen(piece) > TEXT_BYTES - text.n)
                break;
            for (; *piece != 0; piece++)
                spelled[text.n++] = *piece;
        }
    }
    seen.text = text;
    seen.last = text.p;
    seen.count = expected.count = 0;
    match_scan(the_set(), text, 0, on_hit, &seen);
    if (comparable(text)) {
        refer(text, &expected);
        compare(&seen, &expected);
    }
    if (check_recorded(text, &seen))
        check_alone(text, &seen, data[n / 2] % INDICATORS);
    compare_kernels(text, data[n - 1]);
    return 0;
}
