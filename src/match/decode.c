/*
 * Text that is not written plainly: defanged signs and the escapes of JSON strings (RFC 8259 §7)
 * and of \xHH. The piece of text around such a place is written out plainly, with the place each
 * byte came from, and scanned as if it stood there. Escapes that yield a blank or another separator
 * only end a word and need none of this.
 */
#include "match/scan_priv.h"

/* How far to the left of the place a piece may start: a local part or the groups of an address. */
#define PIECE_LEFT_BYTES 72

static size_t put_utf8(unsigned c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* n hexadecimal digits at p. */
static bool read_hex(const char *p, const char *end, int n, unsigned *v)
{
    *v = 0;
    for (int i = 0; i < n; i++) {
        if (p + i == end || match_hex(p[i]) < 0)
            return false;
        *v = *v << 4 | (unsigned)match_hex(p[i]);
    }
    return true;
}

/* \uXXXX, or two of them for a character above U+FFFF. A lone surrogate yields a blank. */
static size_t unescape_unicode(const char *p, const char *end, char out[4], size_t *out_n)
{
    unsigned c, low;
    if (!read_hex(p + 2, end, 4, &c))
        return 0;
    size_t n = 6;
    if (c >= 0xd800 && c < 0xdc00 && end - p >= 8 && p[6] == '\\' && p[7] == 'u' &&
        read_hex(p + 8, end, 4, &low) && low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        n = 12;
    } else if (c >= 0xd800 && c < 0xe000) {
        c = ' ';
    }
    *out_n = put_utf8(c, out);
    return n;
}

/* The escape at the backslash p: its length and what it stands for; 0 when it is none. */
static size_t unescape(const char *p, const char *end, char out[4], size_t *out_n)
{
    unsigned v;
    *out_n = 1;
    if (end - p < 2)
        return 0;
    switch (p[1]) {
    case '/':
    case '"':
    case '\\':
        out[0] = p[1];
        return 2;
    case 'n':
    case 'r':
    case 't':
        out[0] = ' ';
        return 2;
    case 'x':
        if (!read_hex(p + 2, end, 2, &v))
            return 0;
        out[0] = (char)v;
        return 4;
    case 'u':
        return unescape_unicode(p, end, out, out_n);
    default:
        return 0;
    }
}

bool match_joined(const struct match_scan *sc, const char *e)
{
    struct str plain;
    char out[4];
    size_t n;
    if (e == sc->end || sc->map != NULL)
        return false;
    if (*e == '[' || *e == '(')
        return observable_defanged((struct str){e, (size_t)(sc->end - e)}, &plain) > 0;
    if (*e != '\\' || sc->end - e < 2 || (e[1] != 'u' && e[1] != 'x'))
        return false;
    return unescape(e, sc->end, out, &n) > 0 &&
           (match_is_word(out[0]) || out[0] == '@' || out[0] == ':');
}

bool match_escaped(const struct match_scan *sc, const char *p)
{
    char out[4];
    size_t n;
    return sc->map == NULL && unescape(p, sc->end, out, &n) > 0 &&
           !(match_class_of(out[0]) & MATCH_BREAK);
}

const char *match_escape_before(const struct match_scan *sc, const char *s, bool *word)
{
    const char *p = s - 1;
    size_t backslashes = 0;
    while (p >= sc->begin && *p == '\\') {
        backslashes++;
        if (p == sc->begin)
            break;
        p--;
    }
    char out[4];
    size_t out_n, n;
    if (backslashes % 2 == 0 || (n = unescape(s - 1, sc->end, out, &out_n)) == 0)
        return NULL;
    *word = match_is_word(out[0]);
    return s - 1 + n;
}

const char *match_decode(const struct match_scan *sc, const char *p, enum match_reach reach,
                         struct match_piece *x)
{
    const char *raw = p, *end = sc->text_end;
    size_t n = 0;
    unsigned left = reach;
    while (p < end && n < MATCH_PIECE_BYTES && left > 0 && !(match_class_of(*p) & MATCH_BREAK)) {
        char out[4] = {*p};
        size_t out_n = 1, length = *p == '\\' ? unescape(p, end, out, &out_n) : 0;
        struct str plain = {out, out_n};
        if (length == 0)
            length = observable_defanged((struct str){p, (size_t)(end - p)}, &plain);
        for (size_t i = 0; i < plain.n; i++) {
            x->text[n] = plain.p[i];
            x->map[n++] = (uint16_t)(p - raw);
            if (reach != MATCH_STRETCH && match_ends_authority(plain.p[i]))
                left -= left > 0;
        }
        p += length == 0 ? 1 : length;
        if (match_class_of(plain.p[plain.n - 1]) & MATCH_BREAK)
            break;
    }
    x->map[n] = (uint16_t)(p - raw);
    x->scan = *sc;
    x->scan.begin = x->scan.ipv6_until = x->scan.user_until = x->scan.border = x->text;
    x->scan.end = x->text + n;
    x->scan.host = STR_NONE;
    x->scan.map = x->map;
    x->scan.raw = x->scan.told = raw;
    x->scan.cut = n >= MATCH_PIECE_BYTES && p < end && !(match_class_of(*p) & MATCH_BREAK);
    x->scan.rest = NULL;
    return p;
}

const char *match_in_piece(const struct match_piece *x, const char *p)
{
    const char *text = x->text;
    while (text < x->scan.end && x->scan.raw + x->map[text - x->text] < p)
        text++;
    return text;
}

/* May stand in what a piece needs of the text to its left. */
static bool is_left_context(char c)
{
    return match_is_word(c) || c == '+' || c == ':';
}

const char *match_scan_decoded(struct match_scan *sc, const char *s)
{
    struct match_piece x;
    const char *raw = s, *host = sc->host.p;
    if (s > sc->begin && s[-1] == '\\')
        raw--;
    else
        while (raw > sc->border && s - raw < PIECE_LEFT_BYTES && is_left_context(raw[-1]))
            raw--;
    raw = match_word_start(sc, raw, s + 2 < sc->end ? s + 2 : sc->end);
    const char *p = match_decode(sc, raw, MATCH_STRETCH, &x);
    x.scan.told = s;
    x.scan.user_until = match_in_piece(&x, sc->user_until);
    if (sc->host.n > 0 && host + sc->host.n <= p) {
        x.scan.host.p = match_in_piece(&x, host);
        x.scan.host.n = (size_t)(match_in_piece(&x, host + sc->host.n) - x.scan.host.p);
        sc->host = STR_NONE;
    }
    match_scan_words(&x.scan, x.text, x.scan.end);
    sc->stop = x.scan.stop;
    if (x.scan.rest != NULL && match_source(&x.scan, x.scan.rest) > s)
        p = match_source(&x.scan, x.scan.rest);
    else if (x.scan.cut)
        while (p < sc->end && match_is_word(*p))
            p++;
    sc->border = p > s ? p : s + 1;
    return sc->border;
}
