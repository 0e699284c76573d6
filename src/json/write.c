#include <stdlib.h>
#include <string.h>

#include "json/json_priv.h"

/* Largest integer whose neighbours a double still tells apart. */
#define EXACT_INTEGER ((int64_t)1 << 53)

static bool plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* RFC 8785 §3.2.2.2: the two-character escapes where there is one, else \u00xx in lower case. */
static void put_escaped(struct buf *out, unsigned char c)
{
    static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (size_t i = 0; shorts[i]; i += 2) {
        if ((unsigned char)shorts[i] == c) {
            buf_byte(out, '\\');
            buf_byte(out, shorts[i + 1]);
            return;
        }
    }
    buf_printf(out, "\\u%04x", c);
}

static void put_valid(struct buf *out, struct str s)
{
    size_t start = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (plain(c))
            continue;
        buf_str(out, str_slice(s, start, i));
        put_escaped(out, c);
        start = i + 1;
    }
    buf_str(out, str_from(s, start));
}

/* In one of its eight bytes: a control, a quotation mark, a backslash, or no ASCII. */
static uint64_t special(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\';
    uint64_t control = (x - ones * 0x20) & ~x;
    return (x | control | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high;
}

/* Most texts are plain ASCII: they go as they are. */
static bool all_plain(struct str s)
{
    uint64_t x;
    size_t i = 0;
    for (; i + sizeof x <= s.n; i += sizeof x) {
        memcpy(&x, s.p + i, sizeof x);
        if (special(x))
            return false;
    }
    for (; i < s.n; i++)
        if (!plain((unsigned char)s.p[i]) || (unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

void json_put_string(struct buf *out, struct str s)
{
    if (all_plain(s) && buf_reserve(out, s.n + 2)) {
        out->p[out->n++] = '"';
        if (s.n)
            memcpy(out->p + out->n, s.p, s.n);
        out->n += s.n;
        out->p[out->n++] = '"';
        return;
    }
    buf_byte(out, '"');
    if (utf8_valid(s)) {
        put_valid(out, s);
    } else {
        for (size_t i = 0; i < s.n; i++) {
            if ((unsigned char)s.p[i] < 0x80)
                put_valid(out, str_slice(s, i, i + 1));
            else
                buf_lit(out, "\xEF\xBF\xBD");
        }
    }
    buf_byte(out, '"');
}

void json_put_name(struct buf *out, const char *name)
{
    char last = out->n ? out->p[out->n - 1] : '{';
    if (last != '{' && last != '[')
        buf_byte(out, ',');
    json_put_string(out, str_of(name));
    buf_byte(out, ':');
}

void json_put_member(struct buf *out, const char *name, struct str value)
{
    json_put_name(out, name);
    json_put_string(out, value);
}

void json_put_member_u64(struct buf *out, const char *name, uint64_t value)
{
    json_put_name(out, name);
    buf_u64(out, value);
}

/* RFC 8785 §3.2.3: names sort by UTF-16 code units, so U+10000 and above (lead bytes F0 to F4)
 * stand before U+E000 to U+FFFF (EE, EF). */
static int by_utf16(const void *a, const void *b)
{
    struct str x = (*(const struct json *const *)a)->key, y = (*(const struct json *const *)b)->key;
    size_t n = x.n < y.n ? x.n : y.n;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)x.p[i], d = (unsigned char)y.p[i];
        if (c == d)
            continue;
        bool c_high = c >= 0xF0, d_high = d >= 0xF0;
        if (c_high != d_high && (c_high ? d : c) >= 0xEE)
            return c_high ? -1 : 1;
        return c < d ? -1 : 1;
    }
    return (x.n > y.n) - (x.n < y.n);
}

static bool put_value(const struct json *v, struct buf *out, struct err *e);

static bool put_object(const struct json *v, struct buf *out, struct err *e)
{
    const struct json *few[64], **members = few;
    size_t n = 0, bytes;
    bool ok = true;
    if (v->count > 64) {
        if (!size_mul(v->count, sizeof *members, &bytes) || !(members = base_alloc(bytes)))
            return err_set(e, ERR_MEMORY, "out of memory");
    }
    for (const struct json *m = v->u.child; m; m = m->next)
        members[n++] = m;
    qsort(members, n, sizeof *members, by_utf16);
    buf_byte(out, '{');
    for (size_t i = 0; i < n && ok; i++) {
        if (i)
            buf_byte(out, ',');
        json_put_string(out, members[i]->key);
        buf_byte(out, ':');
        ok = put_value(members[i], out, e);
    }
    buf_byte(out, '}');
    if (members != few)
        base_free(members);
    return ok;
}

static bool put_array(const struct json *v, struct buf *out, struct err *e)
{
    buf_byte(out, '[');
    for (const struct json *m = v->u.child; m; m = m->next) {
        if (m != v->u.child)
            buf_byte(out, ',');
        if (!put_value(m, out, e))
            return false;
    }
    buf_byte(out, ']');
    return true;
}

/* Depth is bounded by LIMIT_JSON_DEPTH. */
static bool put_value(const struct json *v, struct buf *out, struct err *e)
{
    switch (v->type) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        buf_lit(out, json_type_name(v->type));
        return true;
    case JSON_INTEGER:
        if (v->u.i <= EXACT_INTEGER && v->u.i >= -EXACT_INTEGER)
            buf_i64(out, v->u.i);
        else
            json_put_double(out, (double)v->u.i);
        return true;
    case JSON_NUMBER:
        json_put_double(out, v->u.d);
        return true;
    case JSON_STRING:
        json_put_string(out, v->u.s);
        return true;
    case JSON_ARRAY:
        return put_array(v, out, e);
    case JSON_OBJECT:
        return put_object(v, out, e);
    }
    must(false);
    return false;
}

bool json_canonical(const struct json *v, struct buf *out, struct err *e)
{
    return put_value(v, out, e) && buf_ok(out, e);
}
