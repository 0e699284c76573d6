#include <string.h>

#include "base/base.h"

struct str str_of(const char *nul_terminated)
{
    return nul_terminated ? (struct str){nul_terminated, strlen(nul_terminated)} : STR_NONE;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_slice(s, 0, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

struct str str_from(struct str s, size_t start)
{
    return str_slice(s, start, s.n);
}

struct str str_slice(struct str s, size_t start, size_t end)
{
    if (end > s.n)
        end = s.n;
    if (start >= end)
        return (struct str){s.p ? s.p + (start < s.n ? start : s.n) : NULL, 0};
    return (struct str){s.p + start, end - start};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && is_blank(s.p[0]))
        s = str_from(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t str_find(struct str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}

struct str str_cut(struct str *rest, char c)
{
    size_t i = str_find(*rest, c);
    struct str head = str_slice(*rest, 0, i);
    *rest = i < rest->n ? (struct str){rest->p + i + 1, rest->n - i - 1} : STR_NONE;
    return head;
}

bool str_to_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

uint64_t str_hash(struct str s, uint64_t seed)
{
    uint64_t h = seed ^ (s.n * 0x9E3779B97F4A7C15u), word;
    size_t i = 0;
    for (; s.n - i >= 8; i += 8) {
        memcpy(&word, s.p + i, 8);
        h = mix(h ^ word) + 0x9E3779B97F4A7C15u;
    }
    word = 0;
    if (i < s.n)
        memcpy(&word, s.p + i, s.n - i);
    return mix(h ^ word);
}

void str_line_column(struct str text, size_t at, size_t *line, size_t *column)
{
    size_t start = 0, count = 1;
    if (at > text.n)
        at = text.n;
    for (size_t i = 0; i < at; i++) {
        if (text.p[i] == '\n') {
            count++;
            start = i + 1;
        }
    }
    *line = count;
    *column = at - start + 1;
}

/* Bytes of the UTF-8 sequence at p (RFC 3629 §4: no overlong form, no surrogate), or 0. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned c = p[0];
    if (c < 0x80)
        return 1;
    size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || left < n)
        return 0;
    unsigned least = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned most = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

bool utf8_valid(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        uint64_t x; /* mostly it is ASCII: eight bytes at a time */
        if (s.n - i >= sizeof x && (memcpy(&x, s.p + i, sizeof x), x & 0x8080808080808080U) == 0) {
            i += sizeof x;
            continue;
        }
        size_t n = utf8_sequence((const unsigned char *)s.p + i, s.n - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

/* Controls of C0 and C1, line separators, and the marks of Unicode's bidirectional algorithm. */
static bool unprintable(const unsigned char *p, size_t n)
{
    if (n == 1)
        return p[0] < 0x20 || p[0] == 0x7F;
    if (n == 2)
        return (p[0] == 0xC2 && p[1] < 0xA0) || (p[0] == 0xD8 && p[1] == 0x9C);
    if (n != 3 || p[0] != 0xE2)
        return false;
    unsigned low = (unsigned)(p[1] & 0x3F) << 6 | (p[2] & 0x3Fu); /* U+2000 to U+2FFF */
    return low == 0x0E || low == 0x0F || (low >= 0x28 && low <= 0x2E) ||
           (low >= 0x66 && low <= 0x69);
}

void buf_printable(struct buf *b, struct str s, size_t most_bytes)
{
    size_t i = 0, n;
    for (; i < s.n; i += n ? n : 1) {
        n = utf8_sequence((const unsigned char *)s.p + i, s.n - i);
        if ((n ? n : 1) > most_bytes)
            break;
        most_bytes -= n ? n : 1;
        if (n == 0 || unprintable((const unsigned char *)s.p + i, n))
            buf_byte(b, '?');
        else
            buf_put(b, s.p + i, n);
    }
    if (i < s.n)
        buf_lit(b, "...");
}

bool size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
