/* URLs: syntax-based normalisation (RFC 3986 §6.2.2) and that of the scheme (§6.2.3). */
#include <string.h>

#include "observable/observable_priv.h"

struct url {
    struct str scheme, host, port;
    struct str rest; /* path, query and fragment */
};

/* Bounded writing; `full` is sticky. */
static void put(struct observable_url *o, const char *p, size_t n)
{
    if (o->full || n > o->room - o->n) {
        o->full = true;
        return;
    }
    memcpy(o->p + o->n, p, n);
    o->n += n;
}

static void put_char(struct observable_url *o, char c)
{
    if (o->full || o->n == o->room)
        o->full = true;
    else
        o->p[o->n++] = c;
}

static size_t scheme_length(struct str s)
{
    size_t n = 0;
    while (n < s.n && (is_letter(s.p[n]) || (n > 0 && (is_digit(s.p[n]) || s.p[n] == '+' ||
                                                       s.p[n] == '-' || s.p[n] == '.'))))
        n++;
    return n;
}

/* Cuts the authority into host and port; what stands before the last @ is left out. */
static void split_authority(struct str a, struct url *u)
{
    for (size_t i = a.n; i > 0; i--)
        if (a.p[i - 1] == '@') {
            a = str_from(a, i);
            break;
        }
    size_t end = a.n > 0 && a.p[0] == '[' ? str_find(a, ']') : 0;
    size_t colon = end + str_find(str_from(a, end), ':');
    u->host = str_slice(a, 0, colon);
    u->port = str_from(a, colon + 1);
}

static bool split(struct str s, struct url *u)
{
    size_t n = scheme_length(s);
    u->scheme = str_slice(s, 0, n);
    s = str_from(s, n);
    if (n == 0 || !str_starts(s, STR("://")))
        return false;
    s = str_from(s, 3);
    size_t end = 0;
    while (end < s.n && s.p[end] != '/' && s.p[end] != '?' && s.p[end] != '#')
        end++;
    u->rest = str_from(s, end);
    split_authority(str_slice(s, 0, end), u);
    return true;
}

struct str observable_url_host(struct str url)
{
    struct url u;
    return split(url, &u) ? u.host : STR_NONE;
}

/* The byte that an escape at p stands for, or -1. */
static int escaped(const char *p, const char *end)
{
    if (end - p < 3 || *p != '%')
        return -1;
    int high = hex_value(p[1]), low = hex_value(p[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

size_t observable_unescape(struct str s, char *out, size_t room)
{
    size_t n = 0;
    if (str_find(s, '%') == s.n)
        return 0;
    for (size_t i = 0; i < s.n; i++) {
        int c = s.p[i] == '%' ? escaped(s.p + i, s.p + s.n) : (unsigned char)s.p[i];
        if (c < 0 || n == room)
            return 0;
        i += s.p[i] == '%' ? 2 : 0;
        out[n++] = (char)c;
    }
    return n;
}

static void put_scheme(struct observable_url *o, struct str scheme)
{
    if (str_eq_nocase(scheme, STR("hxxp")))
        scheme = STR("http");
    else if (str_eq_nocase(scheme, STR("hxxps")))
        scheme = STR("https");
    size_t from = o->n;
    put(o, scheme.p, scheme.n);
    for (size_t i = from; i < o->n; i++)
        o->p[i] = lower(o->p[i]);
    put(o, "://", 3);
}

static bool put_host(struct observable_url *o, struct str host)
{
    unsigned char a[16];
    char text[OBSERVABLE_ADDRESS_BYTES], plain[4 * OBSERVABLE_NAME_BYTES];
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        if (!observable_parse_ipv6(str_slice(host, 1, host.n - 1), a))
            return false;
        if (observable_ipv4_mapped(a, a)) {
            put(o, text, observable_text_ipv4(a, text));
            return true;
        }
        put(o, "[", 1);
        put(o, text, observable_text_ipv6(a, text));
        put(o, "]", 1);
        return true;
    }
    size_t unescaped = observable_unescape(host, plain, sizeof plain);
    if (unescaped > 0)
        host = (struct str){plain, unescaped};
    if (observable_parse_ipv4(host, a)) {
        put(o, host.p, host.n);
        return true;
    }
    if (o->full)
        return false;
    size_t n = observable_text_domain(host, o->p + o->n, o->room - o->n);
    o->n += n;
    return n > 0;
}

static bool put_port(struct observable_url *o, struct str scheme, struct str port)
{
    static const struct {
        const char *scheme, *port;
    } defaults[] = {{"http", "80"}, {"hxxp", "80"}, {"https", "443"}, {"hxxps", "443"},
                    {"ftp", "21"},  {"ws", "80"},   {"wss", "443"}};
    while (port.n > 1 && port.p[0] == '0')
        port = str_from(port, 1);
    if (port.n > 5)
        return false;
    for (size_t i = 0; i < port.n; i++)
        if (!is_digit(port.p[i]))
            return false;
    bool silent = port.n == 0;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        silent = silent || (str_eq_nocase(scheme, str_of(defaults[i].scheme)) &&
                            str_eq(port, str_of(defaults[i].port)));
    if (!silent) {
        put(o, ":", 1);
        put(o, port.p, port.n);
    }
    return true;
}

/* What a URL cannot hold plainly. A % that starts no escape is escaped itself, lest it start one
 * with what follows. */
static bool must_escape(char c)
{
    switch (c) {
    case '"':
    case '<':
    case '>':
    case '`':
    case '{':
    case '}':
    case '|':
    case '^':
    case '\\':
    case '%':
        return true;
    default:
        return (unsigned char)c <= ' ' || (unsigned char)c >= 0x7f;
    }
}

/* The character or escape at p: unreserved characters plain, escapes in upper case, what a URL
 * cannot hold escaped. Returns where it ends. */
static const char *put_escaped(struct observable_url *o, const char *p, const char *end)
{
    static const char digits[] = "0123456789ABCDEF";
    char c = *p;
    if (!must_escape(c)) {
        put_char(o, c);
        return p + 1;
    }
    int code = escaped(p, end);
    const char *next = p + (code >= 0 ? 3 : 1);
    if (code >= 0)
        c = (char)code;
    if (is_letter(c) || is_digit(c) || (c != 0 && strchr("-._~", c) != NULL)) {
        put_char(o, c);
        return next;
    }
    unsigned char byte = (unsigned char)c;
    put(o, (const char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
    return next;
}

/* RFC 3986 §5.2.4 for the last segment read: the length of what is left of the text. The last one
 * of a path leaves its slash, which stands there already. */
static size_t without_dots(const struct observable_url *o, bool last)
{
    size_t n = o->n - o->segment, w = o->segment;
    const char *p = o->p + o->segment;
    bool one = n == 2 && p[1] == '.', two = n == 3 && p[1] == '.' && p[2] == '.';
    if (!one && !two)
        return o->n;
    if (two)
        while (w > o->origin && o->p[--w] != '/')
            ;
    return w + (last ? 1 : 0);
}

bool observable_url_begin(struct observable_url *o, struct str scheme, struct str authority,
                          struct err *e)
{
    struct url u;
    split_authority(authority, &u);
    o->n = 0;
    o->full = false;
    o->part = OBSERVABLE_URL_PATH;
    put_scheme(o, scheme);
    if (!put_host(o, u.host) && !o->full)
        return err_set(e, ERR_INVALID, "the URL has no valid host");
    if (!put_port(o, scheme, u.port))
        return err_set(e, ERR_INVALID, "the URL has no valid port");
    o->origin = o->segment = o->n;
    return true;
}

static void end_path(struct observable_url *o)
{
    if (o->n == o->origin)
        put_char(o, '/');
    else if (!o->full)
        o->n = without_dots(o, true);
}

void observable_url_add(struct observable_url *o, struct str s)
{
    const char *p = s.p, *end = s.p + s.n;
    while (p < end && !o->full && o->part != OBSERVABLE_URL_FRAGMENT) {
        bool path = o->part == OBSERVABLE_URL_PATH;
        if (*p == '#' || (*p == '?' && path)) {
            if (path)
                end_path(o);
            o->part = *p == '#' ? OBSERVABLE_URL_FRAGMENT : OBSERVABLE_URL_QUERY;
            if (*p++ == '?')
                put_char(o, '?');
            continue;
        }
        if (*p == '/' && path)
            o->segment = o->n = without_dots(o, false);
        p = put_escaped(o, p, end);
    }
}

struct str observable_url_text(struct observable_url *o)
{
    size_t n = o->n;
    if (o->part == OBSERVABLE_URL_PATH && !o->full) {
        end_path(o);
        size_t whole = o->n;
        o->n = n;
        n = whole;
    }
    return o->full ? STR_NONE : (struct str){o->p, n};
}

size_t observable_text_url(struct str s, char *out, size_t room, struct err *e)
{
    struct url u;
    if (!split(s, &u))
        return err_set(e, ERR_INVALID, "a URL starts with a scheme and ://");
    struct observable_url o = {.p = out, .room = room};
    struct str head = str_from(s, u.scheme.n + 3);
    if (!observable_url_begin(&o, u.scheme, str_slice(head, 0, head.n - u.rest.n), e))
        return 0;
    observable_url_add(&o, u.rest);
    struct str text = observable_url_text(&o);
    if (o.full)
        return err_set(e, ERR_LIMIT, "no room for the normal form");
    return text.n;
}
