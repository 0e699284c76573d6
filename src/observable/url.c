/* URLs: syntax-based normalisation (RFC 3986 §6.2.2) and that of the scheme (§6.2.3). */
#include <string.h>

#include "observable/observable_priv.h"

struct url {
    struct str scheme, host, port, path, query;
    bool has_query;
};

/* Bounded writing; `full` is sticky. */
struct out {
    char *p;
    size_t n, room;
    bool full;
};

static void put(struct out *o, const char *p, size_t n)
{
    if (o->full || n > o->room - o->n) {
        o->full = true;
        return;
    }
    memcpy(o->p + o->n, p, n);
    o->n += n;
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
    s = str_slice(s, 0, str_find(s, '#'));
    size_t query = str_find(s, '?');
    u->has_query = query < s.n;
    u->query = str_from(s, query + 1);
    s = str_slice(s, 0, query);
    size_t path = str_find(s, '/');
    u->path = str_from(s, path);
    split_authority(str_slice(s, 0, path), u);
    return true;
}

struct str observable_url_host(struct str url)
{
    struct url u;
    return split(url, &u) ? u.host : STR_NONE;
}

static void put_scheme(struct out *o, struct str scheme)
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

static bool put_host(struct out *o, struct str host)
{
    unsigned char a[16];
    char text[OBSERVABLE_ADDRESS_BYTES];
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

static bool put_port(struct out *o, struct str scheme, struct str port)
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

/* Unreserved characters plain, escapes in upper case, what a URL cannot hold escaped. */
static void put_escaped(struct out *o, struct str s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n && !o->full; i++) {
        unsigned char c = (unsigned char)s.p[i];
        /* A % that starts no escape is escaped itself, lest it start one with what follows. */
        bool escape = c <= ' ' || c >= 0x7f || strchr("\"<>`{}|^\\%", c) != NULL;
        if (c == '%' && s.n - i > 2 && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0) {
            c = (unsigned char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
            i += 2;
            char plain = (char)c;
            escape = !is_letter(plain) && !is_digit(plain) && (c == 0 || !strchr("-._~", c));
        }
        char text[3] = {(char)c};
        if (escape) {
            text[0] = '%';
            text[1] = digits[c >> 4];
            text[2] = digits[c & 15];
        }
        put(o, text, escape ? 3 : 1);
    }
}

/* RFC 3986 §5.2.4 in place, for a path that starts with a slash; returns its new length. */
static size_t remove_dot_segments(char *p, size_t n)
{
    size_t w = 0, r = 0;
    while (r < n) {
        size_t end = r + 1;
        while (end < n && p[end] != '/')
            end++;
        bool one = end - r == 2 && p[r + 1] == '.';
        bool two = end - r == 3 && p[r + 1] == '.' && p[r + 2] == '.';
        if (two)
            while (w > 0 && p[--w] != '/')
                ;
        if (!one && !two) {
            memmove(p + w, p + r, end - r);
            w += end - r;
        } else if (end == n) {
            p[w++] = '/';
        }
        r = end;
    }
    return w;
}

size_t observable_text_url(struct str s, char *out, size_t room, struct err *e)
{
    struct url u;
    struct out o = {.p = out, .room = room};
    if (!split(s, &u))
        return err_set(e, ERR_INVALID, "a URL starts with a scheme and ://");
    put_scheme(&o, u.scheme);
    if (!put_host(&o, u.host) && !o.full)
        return err_set(e, ERR_INVALID, "the URL has no valid host");
    if (!put_port(&o, u.scheme, u.port))
        return err_set(e, ERR_INVALID, "the URL has no valid port");
    size_t path = o.n;
    put_escaped(&o, u.path.n > 0 ? u.path : STR("/"));
    if (!o.full)
        o.n = path + remove_dot_segments(out + path, o.n - path);
    if (u.has_query) {
        put(&o, "?", 1);
        put_escaped(&o, u.query);
    }
    if (o.full)
        return err_set(e, ERR_LIMIT, "no room for the normal form");
    return o.n;
}
