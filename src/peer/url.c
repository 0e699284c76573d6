/* URLs of partners: what may be asked, where credentials may go. Parsing is libcurl's, so that the
 * check and the transfer read one URL alike. */
#include <string.h>

#include "peer/peer_priv.h"

static bool bad_url(struct err *e, struct str url, const char *why)
{
    return err_set(e, ERR_USAGE, "URL \"%.*s\": %s", STR_FMT(url), why);
}

static struct str part(struct arena *a, CURLU *h, CURLUPart which, unsigned flags)
{
    char *text = NULL;
    struct str s = STR_NONE;
    if (peer_curl.url_get(h, which, &text, flags) == CURLUE_OK)
        s = arena_str(a, str_of(text));
    peer_curl.free(text);
    return s;
}

static struct str lower(struct arena *a, struct str s)
{
    char *p = arena_cstr(a, s);
    for (size_t i = 0; p && i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
    return p ? (struct str){p, s.n} : STR_NONE;
}

/* RFC 5735 §3 and RFC 4291 §2.5.3; libcurl resolves "localhost" to nothing else. */
static bool is_loopback(struct str host)
{
    if (str_eq(host, STR("localhost")) || str_eq(host, STR("[::1]")))
        return true;
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
            return false;
    return str_starts(host, STR("127."));
}

static bool printable_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7F)
            return false;
    return s.n > 0;
}

static bool url_fill(struct arena *a, CURLU *h, struct str given, struct peer_url *out,
                     struct err *e)
{
    struct str scheme = lower(a, part(a, h, CURLUPART_SCHEME, 0));
    struct str host = lower(a, part(a, h, CURLUPART_HOST, 0));
    struct str port = part(a, h, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    struct str path = part(a, h, CURLUPART_PATH, 0);
    if (part(a, h, CURLUPART_USER, 0).p || part(a, h, CURLUPART_PASSWORD, 0).p)
        return bad_url(e, given, "holds a user name; give credentials as options");
    if (part(a, h, CURLUPART_QUERY, 0).p || part(a, h, CURLUPART_FRAGMENT, 0).p)
        return bad_url(e, given, "holds a query or fragment; leave that out");
    bool loopback = is_loopback(host);
    if (!str_eq(scheme, STR("https")) && !(str_eq(scheme, STR("http")) && loopback))
        return bad_url(e, given, "must begin with https:// (http:// only to loopback)");
    struct str origin =
        arena_printf(a, "%.*s://%.*s:%.*s", STR_FMT(scheme), STR_FMT(host), STR_FMT(port));
    struct str text = part(a, h, CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
    if (!str_ends(text, STR("/"))) {
        text = arena_printf(a, "%s/", text.p ? text.p : "");
        path.n++;
    }
    if (!arena_ok(a, e))
        return false;
    if (text.n > LIMIT_PEER_URL_BYTES || path.n > text.n)
        return bad_url(e, given, "is too long");
    *out = (struct peer_url){text, str_from(text, text.n - path.n), origin, loopback};
    return true;
}

bool peer_url_read(struct arena *a, struct str base, struct str ref, struct peer_url *out,
                   struct err *e)
{
    if (ref.n > LIMIT_PEER_URL_BYTES)
        return err_set(e, ERR_USAGE, "the URL is longer than %d bytes", LIMIT_PEER_URL_BYTES);
    if (!printable_ascii(ref))
        return err_set(e, ERR_USAGE,
                       "the URL is empty or holds a blank or a character outside ASCII");
    if (!peer_curl_load(e))
        return false;
    char *base_text = arena_cstr(a, base), *ref_text = arena_cstr(a, ref);
    CURLU *h = peer_curl.url();
    if (!h || !base_text || !ref_text) {
        peer_curl.url_cleanup(h);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    CURLUcode code = base.n ? peer_curl.url_set(h, CURLUPART_URL, base_text, 0) : CURLUE_OK;
    if (code == CURLUE_OK)
        code = peer_curl.url_set(h, CURLUPART_URL, ref_text, 0);
    bool ok = code == CURLUE_OK ? url_fill(a, h, ref, out, e)
                                : bad_url(e, ref, "is no URL; write it as https://host:port/path/");
    peer_curl.url_cleanup(h);
    return ok;
}

bool peer_url_check(struct str url, struct err *e)
{
    struct peer_url u;
    struct arena *a = arena_new(64u << 10);
    bool ok = a ? peer_url_read(a, STR_NONE, url, &u, e) : err_set(e, ERR_MEMORY, "out of memory");
    arena_free(a);
    return ok;
}

bool peer_url_origin(struct arena *a, struct str url, struct str *origin, struct err *e)
{
    struct peer_url u;
    if (!peer_url_read(a, STR_NONE, url, &u, e))
        return false;
    *origin = u.origin;
    return true;
}

/* Offset behind the last `word` in s, or 0. */
static size_t after_last(struct str s, struct str word)
{
    for (size_t i = s.n; i >= word.n; i--)
        if (str_eq(str_slice(s, i - word.n, i), word))
            return i;
    return 0;
}

bool peer_url_kind(const struct peer_url *u, struct arena *a, enum peer_url_kind *kind,
                   struct str *base, struct err *e)
{
    static const struct str collections = {"/collections/", 13};
    size_t before_path = u->text.n - u->path.n;
    size_t at = after_last(u->path, collections);
    size_t id = str_find(str_from(u->path, at), '/');
    if (at && id) { /* {root}/collections/{id}/ and what may follow */
        *kind = PEER_URL_COLLECTION;
        *base = str_slice(u->text, 0, before_path + at + id + 1);
    } else if (at) {
        *kind = PEER_URL_ROOT;
        *base = str_slice(u->text, 0, before_path + at - collections.n + 1);
    } else if (u->path.n == 1 || str_ends(u->path, STR("/taxii2/"))) {
        /* TAXII 2.1 §4.1: discovery stands at /taxii2/ of the server. */
        *kind = PEER_URL_SERVER;
        *base = u->path.n == 1 ? arena_printf(a, "%.*staxii2/", STR_FMT(u->text)) : u->text;
    } else {
        *kind = PEER_URL_ROOT;
        *base = u->text;
    }
    return arena_ok(a, e);
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c));
}

void peer_url_put(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (unreserved(s.p[i]))
            buf_byte(b, s.p[i]);
        else
            buf_printf(b, "%%%02X", (unsigned char)s.p[i]);
    }
}

bool peer_url_segment_ok(struct str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!unreserved(id.p[i]))
            return false;
    return id.n && id.n <= LIMIT_NAME_BYTES && id.p[0] != '.';
}
