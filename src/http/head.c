/* The head of a request (RFC 9112), read strictly: what two readers could take for two different
 * requests is refused, and nothing is repaired. */
#include <string.h>

#include "http/http_priv.h"

/* ---- where it ends ---- */

bool http_head_end(struct str bytes, size_t *seen, size_t *end, struct err *e)
{
    const char *at = bytes.p + *seen, *stop = bytes.p + bytes.n;
    *end = 0;
    while (at < stop && (at = memchr(at, '\n', (size_t)(stop - at))) != NULL) {
        size_t n = (size_t)(at - bytes.p);
        if (n == 0 || at[-1] != '\r')
            return err_set(e, ERR_SYNTAX, "a line of the head ends without CR");
        if (n >= 3 && at[-2] == '\n') {
            *end = n + 1;
            break;
        }
        *seen = n + 1;
        at++;
    }
    if ((*end ? *end : bytes.n) <= LIMIT_HTTP_HEADER_BYTES)
        return true;
    if (memchr(bytes.p, '\n', LIMIT_HTTP_HEADER_BYTES) == NULL)
        return err_set(e, ERR_URI_TOO_LONG, "the request line is longer than %u bytes",
                       LIMIT_HTTP_HEADER_BYTES);
    return err_set(e, ERR_HEAD_TOO_LARGE, "the head is longer than %u bytes",
                   LIMIT_HTTP_HEADER_BYTES);
}

/* ---- characters ---- */

/* RFC 9110 §5.6.2: tchar */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || !strchr("-_!#$%&'*+.^`|~", c)))
            return false;
    }
    return s.n > 0;
}

/* RFC 9110 §5.5: VCHAR, obs-text, blanks within. */
static bool is_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

static struct str trim_blanks(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* ---- the request line ---- */

static bool read_version(struct str v, struct http_head *out, struct err *e)
{
    struct str digits = str_from(v, 5);
    bool known = str_starts(v, STR("HTTP/")) && digits.n == 3 && digits.p[1] == '.' &&
                 digits.p[0] >= '0' && digits.p[0] <= '9' && digits.p[2] >= '0' &&
                 digits.p[2] <= '9';
    if (!known)
        return err_set(e, ERR_SYNTAX, "the request line does not end with HTTP/1.1");
    if (digits.p[0] != '1')
        return err_set(e, ERR_HTTP_VERSION, "HTTP/1.1 is spoken here, and HTTP/1.0");
    out->old = digits.p[2] == '0';
    return true;
}

static bool is_host(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr(" \t,/\\?#@\"<>", s.p[i]))
            return false;
    return true;
}

/* RFC 9112 §3.2: a path, or the same behind scheme and host (which says nothing here), or `*`. */
static bool read_target(struct str t, struct arena *a, struct http_head *out, struct err *e)
{
    for (size_t i = 0; i < t.n; i++)
        if (t.p[i] <= ' ' || t.p[i] == 0x7F || t.p[i] == '#') /* signed: non-ASCII too */
            return err_set(e, ERR_SYNTAX, "the URL has a character that must be percent-encoded");
    struct str rest = str_starts(t, STR("http://"))    ? str_from(t, 7)
                      : str_starts(t, STR("https://")) ? str_from(t, 8)
                                                       : STR_NONE;
    if (rest.p) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
            n++;
        /* RFC 9110 §4.2.1, §4.2.4: a host there must be, and no user. */
        if (n == 0 || !is_host(str_slice(rest, 0, n)))
            return err_set(e, ERR_SYNTAX, "the URL has no host that could be one");
        t = str_from(rest, n);
        /* RFC 9110 §4.2.3: no path is the path `/`; a query may follow it all the same. */
        if (t.n == 0 || t.p[0] == '?')
            t = arena_printf(a, "/%.*s", STR_FMT(t));
    }
    if (str_eq(t, STR("*")) && str_eq(out->method, STR("OPTIONS")))
        t = STR("/");
    out->target = t;
    return arena_ok(a, e);
}

static bool read_request_line(struct str line, struct arena *a, struct http_head *out,
                              struct err *e)
{
    struct str rest = line;
    out->method = str_cut(&rest, ' ');
    struct str target = str_cut(&rest, ' ');
    if (!is_token(out->method) || target.n == 0 || !rest.p)
        return err_set(e, ERR_SYNTAX, "the request line is not METHOD TARGET HTTP/1.1");
    return read_version(rest, out, e) && read_target(target, a, out, e);
}

/* ---- fields that decide where the request ends, and whose it is ---- */

enum { HOST = 1, LENGTH = 2, CODING = 4, AUTHORIZATION = 8, TYPE = 16, EXPECT = 32 };

static bool take_host(struct http_head *out, struct str value, struct err *e)
{
    (void)out;
    return is_host(value) || err_set(e, ERR_SYNTAX, "Host is not HOST or HOST:PORT");
}

static bool take_length(struct http_head *out, struct str value, struct err *e)
{
    if (!str_to_u64(value, &out->length) || value.n > 19)
        return err_set(e, ERR_SYNTAX, "Content-Length is not a number");
    out->framing = HTTP_LENGTH;
    return true;
}

static bool take_coding(struct http_head *out, struct str value, struct err *e)
{
    if (!str_eq_nocase(value, STR("chunked")))
        return err_set(e, ERR_NOT_IMPLEMENTED, "Transfer-Encoding must be chunked");
    out->framing = HTTP_CHUNKED;
    return true;
}

static bool take_expect(struct http_head *out, struct str value, struct err *e)
{
    (void)e;
    out->expects = str_eq_nocase(value, STR("100-continue"));
    return true;
}

static const struct single {
    const char *name;
    unsigned bit;
    bool (*take)(struct http_head *, struct str, struct err *);
} singles[] = {
    {"Host", HOST, take_host},
    {"Content-Length", LENGTH, take_length},
    {"Transfer-Encoding", CODING, take_coding},
    {"Authorization", AUTHORIZATION, NULL},
    {"Content-Type", TYPE, NULL},
    {"Expect", EXPECT, take_expect},
};

static bool take_single(struct http_head *out, const struct http_pair *f, unsigned *had,
                        struct err *e)
{
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        const struct single *s = &singles[i];
        if (!str_eq_nocase(f->name, str_of(s->name)))
            continue;
        if (*had & s->bit)
            return err_set(e, ERR_SYNTAX, "%s stands there twice", s->name);
        *had |= s->bit;
        return !s->take || s->take(out, f->value, e);
    }
    return true;
}

static void take_connection(struct http_head *out, struct str value)
{
    while (value.p) {
        struct str option = trim_blanks(str_cut(&value, ','));
        out->closes = out->closes || str_eq_nocase(option, STR("close"));
        out->keeps = out->keeps || str_eq_nocase(option, STR("keep-alive"));
    }
}

/* ---- the whole ---- */

/* RFC 9112 §5: no blank before the colon, no line that goes on with one. */
static bool read_field(struct str line, struct http_pair *f, struct err *e)
{
    size_t colon = str_find(line, ':');
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return err_set(e, ERR_SYNTAX, "a header goes on in a second line");
    f->name = str_slice(line, 0, colon);
    f->value = trim_blanks(str_from(line, colon + 1));
    if (colon == line.n || !is_token(f->name) || !is_value(f->value))
        return err_set(e, ERR_SYNTAX, "a header is not NAME: VALUE");
    return true;
}

static bool check_whole(struct http_head *out, unsigned had, struct err *e)
{
    if (!out->old && !(had & HOST))
        return err_set(e, ERR_SYNTAX, "Host is missing");
    if (had & LENGTH && had & CODING)
        return err_set(e, ERR_SYNTAX, "Content-Length and Transfer-Encoding exclude each other");
    if (out->old && had & CODING)
        return err_set(e, ERR_SYNTAX, "HTTP/1.0 has no Transfer-Encoding");
    out->closes = out->closes || (out->old && !out->keeps);
    if (out->framing == HTTP_LENGTH && out->length == 0)
        out->framing = HTTP_NO_BODY;
    return true;
}

bool http_head_read(struct str head, struct arena *a, struct http_head *out, struct err *e)
{
    size_t lines = 0;
    unsigned had = 0;
    *out = (struct http_head){0};
    for (size_t i = 0; i < head.n; i++)
        lines += head.p[i] == '\n';
    /* With the request line and the empty one at the end. */
    if (lines > LIMIT_HTTP_FIELDS + 2)
        return err_set(e, ERR_HEAD_TOO_LARGE, "more than %d headers", LIMIT_HTTP_FIELDS);
    out->fields = arena_calloc(a, lines, sizeof *out->fields);
    if (!out->fields)
        return arena_ok(a, e);
    for (size_t at = 0; at < head.n;) {
        struct str line = str_slice(str_from(head, at), 0, str_find(str_from(head, at), '\n'));
        at += line.n + 1;
        line.n -= line.n > 0; /* its CR */
        struct http_pair *f = &out->fields[out->field_count];
        if (at == head.n)
            break;
        if (out->method.n == 0) {
            if (!read_request_line(line, a, out, e))
                return false;
            continue;
        }
        if (!read_field(line, f, e) || !take_single(out, f, &had, e))
            return false;
        if (str_eq_nocase(f->name, STR("Connection")))
            take_connection(out, f->value);
        out->field_count++;
    }
    return check_whole(out, had, e);
}
