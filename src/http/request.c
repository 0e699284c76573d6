/* What a request says: path, query, headers, credentials. */
#include <string.h>

#include "crypt/crypt.h"
#include "http/http_priv.h"

enum http_method http_method(const struct http_request *r)
{
    return r->method;
}

size_t http_segment_count(const struct http_request *r)
{
    return r->segment_count;
}

struct str http_segment(const struct http_request *r, size_t i)
{
    return i < r->segment_count ? r->segments[i] : STR_NONE;
}

size_t http_query_count(const struct http_request *r)
{
    return r->query_count;
}

void http_query(const struct http_request *r, size_t i, struct str *name, struct str *value)
{
    must(i < r->query_count);
    *name = r->query[i].name;
    *value = r->query[i].value;
}

struct str http_header(const struct http_request *r, const char *name)
{
    struct str found = STR_NONE;
    for (size_t i = 0; i < r->head.field_count; i++) {
        const struct http_pair *f = &r->head.fields[i];
        if (!str_eq_nocase(f->name, str_of(name)))
            continue;
        /* RFC 9110 §5.3 */
        found = found.p ? arena_printf(r->arena, "%.*s, %.*s", STR_FMT(found), STR_FMT(f->value))
                        : f->value;
    }
    return found;
}

struct str http_body(const struct http_request *r)
{
    return buf_view(&r->body);
}

const struct principal *http_principal(const struct http_request *r)
{
    return &r->who;
}

struct arena *http_arena(const struct http_request *r)
{
    return r->arena;
}

struct exchange_session *http_session(const struct http_request *r)
{
    return r->session;
}

struct exchange *http_exchange(const struct http_request *r)
{
    return r->server->exchange;
}

void http_keep(struct http_request *r, void *kept)
{
    r->kept = kept;
}

void *http_kept(const struct http_request *r)
{
    return r->kept;
}

void http_note_route(struct http_request *r, const char *name)
{
    r->what = name;
}

void http_note_objects(struct http_request *r, uint64_t count)
{
    r->objects = count;
}

/* ---- path and query ---- */

/* RFC 3986 §2.1, once. A NUL or a bad escape is refused: nothing here has such a name. */
static bool decode(struct arena *a, struct str s, bool plus_is_blank, struct str *out,
                   struct err *e)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;
    if (!p)
        return arena_ok(a, e);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            int high = i + 1 < s.n ? hex_value(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return err_set(e, ERR_SYNTAX, "the URL has a %% without two hexadecimal digits");
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        if (c == '\0')
            return err_set(e, ERR_SYNTAX, "the URL has a NUL character");
        p[n++] = c;
    }
    *out = (struct str){p, n};
    return utf8_valid(*out) || err_set(e, ERR_SYNTAX, "the URL is not UTF-8");
}

static bool parse_query(struct http_request *r, struct str query, struct err *e)
{
    size_t count = 1;
    for (size_t i = 0; i < query.n; i++)
        count += query.p[i] == '&';
    if (count > LIMIT_HTTP_QUERY_VALUES)
        return err_set(e, ERR_SYNTAX, "more than %d query parameters", LIMIT_HTTP_QUERY_VALUES);
    r->query = arena_calloc(r->arena, count, sizeof *r->query);
    if (!r->query)
        return arena_ok(r->arena, e);
    while (query.p) {
        struct str value = str_cut(&query, '&'), name = str_cut(&value, '=');
        struct http_pair *q = &r->query[r->query_count];
        if (name.n == 0 && value.n == 0)
            continue;
        if (!decode(r->arena, name, true, &q->name, e) ||
            !decode(r->arena, value, true, &q->value, e))
            return false;
        r->query_count++;
    }
    return true;
}

bool http_uri_parse(struct http_request *r, struct err *e)
{
    struct str query = r->head.target, path = str_cut(&query, '?');
    if (r->head.target.n > LIMIT_HTTP_URI_BYTES)
        return err_set(e, ERR_URI_TOO_LONG, "the URL is longer than %u bytes",
                       LIMIT_HTTP_URI_BYTES);
    if (path.n == 0 || path.p[0] != '/')
        return err_set(e, ERR_SYNTAX, "the path must begin with a slash");
    path = str_from(path, 1);
    while (path.p) {
        struct str segment = str_cut(&path, '/');
        if (segment.n == 0 && !path.p) /* the trailing slash */
            break;
        if (r->segment_count == LIMIT_HTTP_PATH_SEGMENTS)
            return err_set(e, ERR_NOT_FOUND, "no such resource");
        if (!decode(r->arena, segment, false, &r->segments[r->segment_count], e))
            return false;
        r->segment_count++;
    }
    return query.n == 0 || parse_query(r, query, e);
}

/* ---- who is asking ---- */

static enum exchange_login decided(bool ok)
{
    return ok ? EXCHANGE_LOGIN_DONE : EXCHANGE_LOGIN_REFUSED;
}

static enum exchange_login basic(struct http_request *r, struct str encoded, struct err *e)
{
    struct buf plain;
    struct err bad;
    enum exchange_login login;
    buf_init(&plain, LIMIT_SECRET_BYTES + LIMIT_NAME_BYTES + 2);
    if (crypt_base64_get(str_trim(encoded), false, &plain, &bad)) {
        /* RFC 7617 §2: the first colon ends the name; the password may hold more of them. */
        r->secret = arena_str(r->arena, buf_view(&plain));
        r->name = str_cut(&r->secret, ':');
        login = arena_ok(r->arena, e)
                    ? exchange_login_quick(r->session, r->arena, r->name, r->secret, &r->who, e)
                    : EXCHANGE_LOGIN_REFUSED;
    } else {
        login = decided(err_set(e, ERR_UNAUTHORIZED, "the Basic credentials are not base64"));
    }
    buf_done(&plain);
    return login;
}

static bool by_certificate(struct http_request *r, struct err *e)
{
    const struct crypt_tls *tls = r->connection->tls;
    struct str der = tls ? crypt_tls_peer_cert(tls) : STR_NONE;
    if (der.n == 0)
        return err_set(e, ERR_UNAUTHORIZED,
                       "credentials are needed: Basic, Bearer or a client certificate");
    return exchange_login_cert(r->session, r->arena, der, &r->who, e);
}

enum exchange_login http_authenticate(struct http_request *r, struct err *e)
{
    struct str rest = http_header(r, "Authorization");
    if (rest.n == 0)
        return decided(by_certificate(r, e));
    struct str scheme = str_cut(&rest, ' ');
    if (str_eq_nocase(scheme, STR("Basic")))
        return basic(r, rest, e);
    /* `Token` is what a widely used client sends for the same thing. */
    if (str_eq_nocase(scheme, STR("Bearer")) || str_eq_nocase(scheme, STR("Token")))
        return decided(exchange_login_token(r->session, r->arena, str_trim(rest), &r->who, e));
    return decided(
        err_set(e, ERR_UNAUTHORIZED, "the Authorization scheme must be Basic or Bearer"));
}
