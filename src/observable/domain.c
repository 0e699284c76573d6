/* Names and mailboxes: lower case, A-labels (RFC 5891 through libidn2), lengths of RFC 1035. */
#include <idn2.h>
#include <string.h>

#include "observable/observable_priv.h"

static bool is_name_char(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

/* Checks labels and lengths of an ASCII name, and that it cannot be an address. */
static bool labels_ok(const char *p, size_t n)
{
    if (n == 0 || n > OBSERVABLE_NAME_BYTES)
        return false;
    bool letters = false; /* in the label at hand */
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '.') {
            if (length == 0)
                return false;
            length = 0;
            letters = false;
            continue;
        }
        if (!is_name_char(p[i]) || ++length > OBSERVABLE_LABEL_BYTES)
            return false;
        letters = letters || !is_digit(p[i]);
    }
    return length > 0 && letters;
}

/* UTS #46 mapping and A-labels. A round trip through libidn2's own memory: it has no other way. */
static size_t to_ascii(struct str s, char *out, size_t room)
{
    char u[4 * OBSERVABLE_NAME_BYTES + 1];
    if (s.n >= sizeof u || memchr(s.p, 0, s.n) != NULL)
        return 0;
    memcpy(u, s.p, s.n);
    u[s.n] = 0;
    uint8_t *a = NULL;
    int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
    if (idn2_lookup_u8((const uint8_t *)u, &a, flags) != IDN2_OK)
        return 0;
    size_t n = strlen((const char *)a);
    if (n <= room)
        memcpy(out, a, n);
    idn2_free(a);
    return n <= room ? n : 0;
}

size_t observable_text_domain(struct str s, char *out, size_t room)
{
    size_t n = 0, high = 0;
    for (size_t i = 0; i < s.n; i++)
        high += !is_ascii(s.p[i]);
    if (high > 0) {
        n = to_ascii(s, out, room);
    } else if (s.n <= room && s.n <= OBSERVABLE_NAME_BYTES + 1) {
        memcpy(out, s.p, s.n);
        n = s.n;
    }
    if (n > 0 && out[n - 1] == '.')
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = lower(out[i]);
    return labels_ok(out, n) ? n : 0;
}

/* RFC 5322 §3.2.3 atext, and UTF-8 (RFC 6532). */
static bool is_local_char(char c)
{
    return !is_ascii(c) || is_letter(c) || is_digit(c) ||
           (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

size_t observable_text_email(struct str s, char *out, size_t room, struct err *e)
{
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != '@')
        at--;
    /* RFC 5321 §4.5.3.1.1: a local part has at most 64 octets. */
    if (at < 2 || at > 65)
        return err_set(e, ERR_INVALID, "an e-mail address has 1 to 64 bytes before its @");
    if (at > room)
        return err_set(e, ERR_LIMIT, "no room for the normal form");
    for (size_t i = 0; i + 1 < at; i++) {
        if (!is_local_char(s.p[i]))
            return err_set_at(e, ERR_INVALID, i, "this character cannot stand before the @");
        out[i] = lower(s.p[i]);
    }
    out[at - 1] = '@';
    size_t n = observable_text_domain(str_from(s, at), out + at, room - at);
    if (n == 0)
        return err_set_at(e, ERR_INVALID, at, "no domain name after the @");
    return at + n;
}
