/* HTTP/1 (RFC 9112): the request line and Host, as the URL that was asked for. */
#include "packet/packet_priv.h"

static const char *const methods[] = {"GET ",     "POST ",   "HEAD ",      "PUT ",      "DELETE ",
                                      "OPTIONS ", "PATCH ",  "CONNECT ",   "TRACE ",    "PROPFIND ",
                                      "REPORT ",  "NOTIFY ", "SUBSCRIBE ", "M-SEARCH ", "MKCOL "};

/* DONE: it starts with a method. MORE: it may still become one. */
static enum stream_want method_read(struct cursor c)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        size_t n = strlen(methods[i]);
        if (c.n >= n ? memcmp(c.p, methods[i], n) == 0 : memcmp(c.p, methods[i], c.n) == 0)
            return c.n >= n ? STREAM_DONE : STREAM_MORE;
    }
    return STREAM_NOT;
}

/* Takes a line with its end off *rest; false if there is no end. */
static bool line_take(struct str *rest, struct str *line)
{
    size_t n = str_find(*rest, '\n');
    if (n == rest->n)
        return false;
    *line = str_trim(str_slice(*rest, 0, n));
    *rest = str_from(*rest, n + 1);
    return true;
}

/* The value of Host; *more: the head goes on, so it may still come. */
static struct str host_find(struct str head, bool *more)
{
    struct str line;
    *more = true;
    while (line_take(&head, &line)) {
        if (line.n == 0) {
            *more = false;
            break;
        }
        size_t colon = str_find(line, ':');
        if (str_eq_nocase(str_slice(line, 0, colon), STR("host"))) {
            *more = false;
            return str_trim(str_from(line, colon + 1));
        }
    }
    return STR_NONE;
}

static size_t put(char *out, size_t at, struct str s)
{
    if (s.n > PACKET_SCRATCH_BYTES - at)
        s.n = PACKET_SCRATCH_BYTES - at;
    if (s.n)
        memcpy(out + at, s.p, s.n);
    return at + s.n;
}

/* RFC 9112 §3.3: how the target and Host make a URL. */
static void url_tell(struct walk *w, struct str method, struct str target, struct str host)
{
    const unsigned char *at = (const unsigned char *)method.p;
    char *out = w->d->scratch;
    if (str_starts(target, STR("/")) && host.n) {
        size_t n = put(out, 0, STR("http://"));
        n = put(out, n, host);
        n = put(out, n, target);
        walk_text(w, PACKET_HTTP_URL, (struct str){out, n}, at);
    } else if (str_eq(target, STR("*")) && host.n) {
        walk_text(w, PACKET_HTTP_URL, host, (const unsigned char *)host.p);
    } else { /* of CONNECT the authority; of a proxy's request the whole URL */
        walk_text(w, PACKET_HTTP_URL, target, (const unsigned char *)target.p);
        if (host.n && !str_starts(target, STR("/")) && !str_ends(target, host))
            walk_text(w, PACKET_HTTP_URL, host, (const unsigned char *)host.p);
    }
}

enum stream_want http_read(struct walk *w, struct cursor c)
{
    enum stream_want want = method_read(c);
    struct str rest = {(const char *)c.p, c.n}, line, host;
    bool more;
    if (want != STREAM_DONE)
        return want;
    if (!line_take(&rest, &line))
        return STREAM_MORE;
    host = host_find(rest, &more);
    if (more && c.n < LIMIT_PACKET_STREAM_BYTES)
        return STREAM_MORE;
    struct str method = str_cut(&line, ' ');
    struct str target = str_cut(&line, ' ');
    if (str_starts(line, STR("HTTP/1.")))
        url_tell(w, method, target, host);
    return STREAM_DONE;
}
