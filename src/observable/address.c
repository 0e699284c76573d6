/* IPv4 and IPv6 addresses: reading every written form, writing the normal one. */
#include <string.h>

#include "observable/observable_priv.h"

bool observable_parse_ipv4(struct str s, unsigned char out[4])
{
    unsigned char a[4];
    size_t i = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && (i == s.n || s.p[i++] != '.'))
            return false;
        size_t first = i;
        unsigned v = 0;
        while (i < s.n && i - first < 3 && is_digit(s.p[i]))
            v = v * 10 + (unsigned)(s.p[i++] - '0');
        /* A leading zero may mean octal (RFC 6943 §3.1.1), so it is no address. */
        if (i == first || v > 255 || (i - first > 1 && s.p[first] == '0'))
            return false;
        a[part] = (unsigned char)v;
    }
    if (i != s.n)
        return false;
    memcpy(out, a, 4);
    return true;
}

/* Reads one group of up to four hexadecimal digits at *i. */
static bool read_group(struct str s, size_t *i, unsigned *v)
{
    size_t first = *i;
    *v = 0;
    while (*i < s.n && *i - first < 4 && hex_value(s.p[*i]) >= 0)
        *v = *v << 4 | (unsigned)hex_value(s.p[(*i)++]);
    return *i > first && (*i == s.n || s.p[*i] == ':');
}

bool observable_parse_ipv6(struct str s, unsigned char out[16])
{
    unsigned char a[16] = {0};
    size_t n = 0, gap = 17, i = 0; /* bytes read; where "::" stood, 17 for nowhere */
    if (s.n >= 2 && s.p[0] == ':' && s.p[1] == ':') {
        gap = 0;
        i = 2;
    }
    while (i < s.n) {
        unsigned v;
        if (n + 4 <= 16 && observable_parse_ipv4(str_from(s, i), a + n)) {
            n += 4;
            break;
        }
        if (n == 16 || !read_group(s, &i, &v))
            return false;
        a[n++] = (unsigned char)(v >> 8);
        a[n++] = (unsigned char)v;
        if (i == s.n)
            break;
        if (++i == s.n) /* a single colon at the end */
            return false;
        if (s.p[i] == ':') {
            if (gap != 17)
                return false;
            gap = n;
            i++;
        }
    }
    if (gap == 17 ? n != 16 : n > 14)
        return false;
    if (gap != 17) {
        memmove(a + 16 - (n - gap), a + gap, n - gap);
        memset(a + gap, 0, 16 - n);
    }
    memcpy(out, a, 16);
    return true;
}

bool observable_ipv4_mapped(const unsigned char a[16], unsigned char out[4])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(a, mapped, 12) != 0)
        return false;
    memcpy(out, a + 12, 4);
    return true;
}

size_t observable_text_ipv4(const unsigned char a[4], char out[OBSERVABLE_ADDRESS_BYTES])
{
    size_t n = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            out[n++] = '.';
        if (a[i] >= 100)
            out[n++] = (char)('0' + a[i] / 100);
        if (a[i] >= 10)
            out[n++] = (char)('0' + a[i] / 10 % 10);
        out[n++] = (char)('0' + a[i] % 10);
    }
    return n;
}

/* RFC 5952 §4.2.3: the longest run of at least two zero groups, the first of equals. */
static int longest_zeros(const unsigned g[8], int *length)
{
    int best = 0;
    *length = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && g[i + n] == 0)
            n++;
        if (n > *length) {
            best = i;
            *length = n;
        }
        i += n > 0 ? n - 1 : 0;
    }
    return *length > 1 ? best : 8;
}

size_t observable_text_ipv6(const unsigned char a[16], char out[OBSERVABLE_ADDRESS_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned g[8];
    for (size_t i = 0; i < 8; i++)
        g[i] = (unsigned)a[2 * i] << 8 | a[2 * i + 1];
    int length, zeros = longest_zeros(g, &length);
    size_t n = 0;
    for (int i = 0; i < 8; i++) {
        if (i == zeros) {
            out[n++] = ':';
            if (i + length == 8)
                out[n++] = ':';
            i += length - 1;
            continue;
        }
        if (i > 0)
            out[n++] = ':';
        for (int shift = 12; shift >= 0; shift -= 4)
            if (shift == 0 || g[i] >> shift != 0)
                out[n++] = digits[g[i] >> shift & 15];
    }
    return n;
}
