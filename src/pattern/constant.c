#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pattern/parse_priv.h"

/* STIX 2.1 §2.10: -(2^53)+1 to 2^53-1. */
#define INTEGER_MOST INT64_C(9007199254740991)

static bool bad(struct pattern_parser *p, size_t at, const char *what)
{
    return err_set_at(p->e, ERR_SYNTAX, at, "expected %s (STIX 2.1 §9.2)", what);
}

static void *memory(struct pattern_parser *p, size_t n)
{
    void *mem = arena_alloc(p->arena, n);
    return mem || arena_ok(p->arena, p->e) ? mem : NULL;
}

bool pattern_string_read(struct pattern_parser *p, struct str *out)
{
    struct str in = p->now.inner;
    if (!p->now.escaped) {
        *out = pattern_keep(p, in);
        return true;
    }
    char *to = memory(p, in.n);
    size_t n = 0;
    if (!to)
        return false;
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\\')
            i++; /* the lexer saw to it that ' or \ follows */
        to[n++] = in.p[i];
    }
    *out = (struct str){to, n};
    return true;
}

/* ---- numbers ---- */

bool pattern_integer_read(struct pattern_parser *p, int64_t *out)
{
    struct str s = str_slice(p->text, p->now.at, p->now.end);
    bool negative = s.p[0] == '-';
    uint64_t v;
    if (negative || s.p[0] == '+')
        s = str_from(s, 1);
    if (!str_to_u64(s, &v) || v > (uint64_t)INT64_MAX)
        return bad(p, p->now.at, "an integer of at most 64 bits");
    *out = negative ? -(int64_t)v : (int64_t)v;
    if (v > (uint64_t)INTEGER_MOST)
        pattern_note_add(p, PATTERN_NOTE_INTEGER_RANGE, p->now.at);
    return true;
}

/* Keeps the decimal beside the double, so that printing and the windows of WITHIN stay exact. */
static bool read_float(struct pattern_parser *p, struct pattern_const *out)
{
    struct str s = str_slice(p->text, p->now.at, p->now.end);
    bool negative = s.p[0] == '-';
    if (negative || s.p[0] == '+')
        s = str_from(s, 1);
    size_t point = str_find(s, '.'), from = 0, end = s.n, n = 0;
    while (from < point && s.p[from] == '0')
        from++;
    while (end > point + 2 && s.p[end - 1] == '0')
        end--;
    char *to = memory(p, s.n + 3);
    if (!to)
        return false;
    if (negative)
        to[n++] = '-';
    if (from == point)
        to[n++] = '0';
    memcpy(to + n, s.p + from, end - from);
    n += end - from;
    to[n] = '\0';
    /* strtod minds the locale's decimal point; nothing here calls setlocale. */
    out->u.f.d = strtod(to, NULL);
    out->u.f.text = (struct str){to, n};
    if (!isfinite(out->u.f.d))
        return bad(p, p->now.at, "a float within the range of a double");
    return true;
}

/* ---- octets ---- */

static bool read_hex(struct pattern_parser *p, struct str *out)
{
    struct str in = p->now.inner;
    size_t at = (size_t)(in.p - p->text.p);
    char *to = memory(p, in.n / 2 + 1);
    if (!to)
        return false;
    for (size_t i = 0; i < in.n; i++) {
        if (hex_value(in.p[i]) < 0)
            return bad(p, at + i, "a hexadecimal digit");
        if (in.p[i] >= 'A' && in.p[i] <= 'F')
            pattern_note_add(p, PATTERN_NOTE_HEX_UPPER, at + i);
    }
    if (in.n % 2)
        return bad(p, at + in.n, "an even number of hexadecimal digits");
    for (size_t i = 0; i < in.n; i += 2)
        to[i / 2] = (char)(hex_value(in.p[i]) << 4 | hex_value(in.p[i + 1]));
    *out = (struct str){to, in.n / 2};
    return true;
}

static int base64_value(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* RFC 4648 §4 with padding; §9.2: line feeds MUST be supported and ignored. */
static bool read_base64(struct pattern_parser *p, struct str *out)
{
    struct str in = p->now.inner;
    size_t at = (size_t)(in.p - p->text.p), digits = 0, pads = 0, n = 0;
    unsigned char *to = memory(p, in.n / 4 * 3 + 3);
    uint32_t bits = 0;
    if (!to)
        return false;
    if (in.n == 0)
        pattern_note_add(p, PATTERN_NOTE_BINARY_EMPTY, p->now.at);
    for (size_t i = 0; i < in.n; i++) {
        int v = base64_value(in.p[i]);
        if (in.p[i] == '\n') {
            pattern_note_add(p, PATTERN_NOTE_BINARY_LINES, at + i);
        } else if (in.p[i] == '=' && digits % 4 >= 2 && pads < 2) {
            pads++;
        } else if (v < 0 || pads) {
            return bad(p, at + i, "base64 digits, padded with =");
        } else {
            bits = (bits << 6 | (uint32_t)v) & 0xFFFFFF;
            digits++;
            if (digits % 4 != 1)
                to[n++] = (unsigned char)(bits >> (6 - 2 * ((digits + 3) % 4)) & 0xFF);
        }
    }
    if ((digits + pads) % 4)
        return bad(p, at + in.n, "base64 in groups of four, padded with =");
    *out = (struct str){(char *)to, n};
    return true;
}

/* ---- timestamps ---- */

bool pattern_timestamp_read(struct pattern_parser *p, struct instant *out)
{
    size_t at = (size_t)(p->now.inner.p - p->text.p);
    if (!instant_parse(p->now.inner, out, p->e)) {
        p->e->code = ERR_SYNTAX;
        p->e->at += at;
        return false;
    }
    return true;
}

bool pattern_const_read(struct pattern_parser *p, struct pattern_const *out)
{
    enum pattern_token_kind kind = p->now.kind;
    if (kind == TOKEN_STRING) {
        out->kind = PATTERN_STRING;
        return pattern_string_read(p, &out->u.s);
    }
    if (kind == TOKEN_INTEGER) {
        out->kind = PATTERN_INTEGER;
        return pattern_integer_read(p, &out->u.i);
    }
    if (kind == TOKEN_FLOAT) {
        out->kind = PATTERN_FLOAT;
        return read_float(p, out);
    }
    if (kind == TOKEN_TRUE || kind == TOKEN_FALSE) {
        out->kind = PATTERN_BOOLEAN;
        out->u.b = kind == TOKEN_TRUE;
        return true;
    }
    if (kind == TOKEN_HEX) {
        out->kind = PATTERN_HEX;
        return read_hex(p, &out->u.s);
    }
    if (kind == TOKEN_BINARY) {
        out->kind = PATTERN_BINARY;
        return read_base64(p, &out->u.s);
    }
    if (kind == TOKEN_TIMESTAMP) {
        out->kind = PATTERN_TIMESTAMP;
        return pattern_timestamp_read(p, &out->u.t);
    }
    return pattern_lex_expected(p, "a constant ('text', 1, 1.5, true, false, t'…', h'…' or b'…')");
}
