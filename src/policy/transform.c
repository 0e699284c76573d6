#include <string.h>

#include "policy/policy_priv.h"

/* ---- mask ---- */

static bool is_run(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '%' || ((unsigned char)c & 0x80);
}

/* xxx for each run of letters, digits, _, -, % and what is no ASCII, so that neither they nor their
 * number is told; the signs between them stay, and a URL's scheme. */
static void mask(struct str s, struct buf *out)
{
    size_t i = 0;
    while (i < s.n && is_run(s.p[i]))
        i++;
    if (str_starts(str_from(s, i), STR("://")))
        buf_str(out, str_slice(s, 0, i += 3));
    else
        i = 0;
    while (i < s.n) {
        bool run = is_run(s.p[i]);
        if (run)
            buf_lit(out, "xxx");
        else
            buf_byte(out, s.p[i++]);
        while (run && i < s.n && is_run(s.p[i]))
            i++;
    }
}

/* ---- prefix ---- */

static void clear_host_bits(unsigned char *addr, size_t bytes, unsigned bits)
{
    for (size_t i = 0; i < bytes; i++, bits -= bits < 8 ? bits : 8)
        if (bits < 8)
            addr[i] &= (unsigned char)(0xFF00 >> bits);
}

/* False when it is no address and no block of addresses. */
static bool prefix(const struct policy_redaction *x, struct str s, struct buf *out)
{
    char text[OBSERVABLE_ADDRESS_BYTES];
    unsigned char addr[16];
    struct str length = s, address = str_cut(&length, '/');
    bool v4 = observable_parse_ipv4(address, addr),
         v6 = !v4 && observable_parse_ipv6(address, addr);
    unsigned most = v4 ? 32 : 128, bits = v4 ? x->bits4 : x->bits6;
    uint64_t given = most;
    if ((!v4 && !v6) || (length.p && (!str_to_u64(length, &given) || given > most)))
        return false;
    if (given < bits)
        bits = (unsigned)given;
    clear_host_bits(addr, v4 ? 4 : 16, bits);
    buf_put(out, text, v4 ? observable_text_ipv4(addr, text) : observable_text_ipv6(addr, text));
    if (bits < most || length.p)
        buf_printf(out, "/%u", bits);
    return true;
}

/* ---- coarsen ---- */

/* False when it is no timestamp. */
static bool coarsen(enum time_unit unit, struct str s, struct buf *out)
{
    /* What stays of YYYY-MM-DDTHH:MM:SS, and what follows it. */
    static const size_t kept[] = {[UNIT_SECOND] = 19, [UNIT_MINUTE] = 17, [UNIT_HOUR] = 14,
                                  [UNIT_DAY] = 11,    [UNIT_MONTH] = 8,   [UNIT_YEAR] = 5};
    static const char first[] = "YYYY-01-01T00:00:00";
    char text[INSTANT_TEXT_BYTES];
    struct instant t;
    struct err e;
    if (!instant_parse(s, &t, &e))
        return false;
    instant_text(t, 0, text);
    buf_put(out, text, kept[unit]);
    buf_lit(out, first + kept[unit]);
    buf_lit(out, ".000Z");
    return true;
}

/* ---- pseudonym ---- */

#define PSEUDONYM "pseudonym-"
static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648 §6, lower case */

static void base32_put(struct buf *out, struct str s)
{
    unsigned held = 0, bits = 0;
    for (size_t i = 0; i < s.n; i++) {
        held = held << 8 | (unsigned char)s.p[i];
        for (bits += 8; bits >= 5; bits -= 5)
            buf_byte(out, base32[held >> (bits - 5) & 31]);
        held &= (1u << bits) - 1;
    }
    if (bits)
        buf_byte(out, base32[held << (5 - bits) & 31]);
}

static bool base32_get(struct str s, struct buf *out)
{
    unsigned held = 0, bits = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char *at = memchr(base32, s.p[i], 32);
        if (!at)
            return false;
        held = held << 5 | (unsigned)(at - base32);
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            buf_byte(out, (char)(held >> bits & 0xFF));
            held &= (1u << bits) - 1;
        }
    }
    return bits < 5 && held == 0;
}

/* The text is padded (ISO/IEC 7816-4: 0x80 and zeros) so that only its length by 16 shows. */
void policy_pseudonym_put(struct str key, struct str plain, struct buf *out)
{
    struct buf padded, sealed;
    must(key.n == CRYPT_KEY_BYTES);
    buf_init(&padded, 0);
    buf_init(&sealed, 0);
    buf_str(&padded, plain);
    buf_byte(&padded, (char)0x80);
    while (padded.n % 16 != 0 && !padded.failed)
        buf_byte(&padded, 0);
    if (!padded.failed)
        crypt_seal((const unsigned char *)key.p, buf_view(&padded), &sealed);
    if (padded.failed || sealed.failed) {
        out->failed = ERR_MEMORY;
    } else {
        buf_lit(out, PSEUDONYM);
        base32_put(out, buf_view(&sealed));
    }
    buf_done(&padded);
    buf_done(&sealed);
}

bool policy_pseudonym_reveal(struct str key, struct str pseudonym, struct buf *out, struct err *e)
{
    struct buf sealed, padded;
    struct str coded = str_from(pseudonym, sizeof PSEUDONYM - 1);
    must(key.n == CRYPT_KEY_BYTES);
    buf_init(&sealed, 0);
    buf_init(&padded, 0);
    bool ok = (str_starts(pseudonym, STR(PSEUDONYM)) && base32_get(coded, &sealed)) ||
              err_set(e, ERR_INVALID, "this is no pseudonym");
    ok = ok && buf_ok(&sealed, e) &&
         crypt_unseal((const unsigned char *)key.p, buf_view(&sealed), &padded, e);
    if (ok) {
        size_t n = padded.n;
        while (n > 0 && padded.p[n - 1] == 0)
            n--;
        if (n > 0 && (unsigned char)padded.p[n - 1] == 0x80)
            buf_put(out, padded.p, n - 1);
        else
            ok = err_set(e, ERR_INVALID, "this is no pseudonym");
        ok = ok && buf_ok(out, e);
    }
    buf_done(&sealed);
    buf_done(&padded);
    return ok;
}

/* ---- one value ---- */

/* Writes what stands in place of the string `s`; false when it goes. */
static bool string(const struct policy_redaction *x, struct str key, struct str s, struct buf *out)
{
    switch (x->transform) {
    case TRANSFORM_MASK:
        mask(s, out);
        return true;
    case TRANSFORM_PREFIX:
        return prefix(x, s, out);
    case TRANSFORM_COARSEN:
        return coarsen(x->unit, s, out);
    case TRANSFORM_PSEUDONYM:
        policy_pseudonym_put(key, s, out);
        return true;
    case TRANSFORM_DROP:
    case TRANSFORM_REPLACE:
    case TRANSFORM_DROP_REFERENCE:
    case TRANSFORM_GENERALISE:
        break;
    }
    return false;
}

enum change policy_transform_value(const struct policy_redaction *x, struct str key,
                                   const struct str *value, struct arena *arena, struct str *out)
{
    struct buf b;
    if (x->transform == TRANSFORM_REPLACE) {
        *out = x->with;
        return value && str_eq(*value, x->with) ? CHANGE_NONE : CHANGE_SET;
    }
    if (!value)
        return CHANGE_DROP;
    buf_init(&b, 0);
    bool stays = string(x, key, *value, &b);
    enum change change = b.failed                       ? CHANGE_FAILED
                         : !stays                       ? CHANGE_DROP
                         : str_eq(buf_view(&b), *value) ? CHANGE_NONE
                                                        : CHANGE_SET;
    if (change == CHANGE_SET)
        *out = arena_str(arena, buf_view(&b)); /* whose failure the caller sees */
    buf_done(&b);
    return change;
}
