/* One request to a partner: libcurl's settings, what is tried again, what an error says. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "peer/peer_priv.h"

#define MEDIA "application/taxii+json;version=2.1"

/* ---- opening ---- */

static size_t take_body(char *p, size_t one, size_t n, void *ctx)
{
    struct peer_client *c = ctx;
    size_t bytes = one * n; /* libcurl: one is 1 */
    if (bytes > c->most - c->body.n) {
        c->heavy = true;
        return CURL_WRITEFUNC_ERROR;
    }
    buf_put(&c->body, p, bytes);
    return c->body.failed ? CURL_WRITEFUNC_ERROR : bytes;
}

static int look_at_stop(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct peer_client *client = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return client->stop && client->stop();
}

/* Remembers the first failure, so that the caller checks once. */
#define SET(option, value) (code = code ? code : peer_curl.easy_setopt(c->curl, option, value))

static CURLcode set_transport(struct peer_client *c)
{
    CURLcode code = CURLE_OK;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, c->url.loopback ? "http,https" : "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_CONNECTTIMEOUT, (long)LIMIT_PEER_CONNECT_S);
    SET(CURLOPT_LOW_SPEED_LIMIT, 10L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)LIMIT_PEER_STALL_S);
    SET(CURLOPT_TIMEOUT, (long)LIMIT_PEER_TRANSFER_S);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)LIMIT_PEER_BODY_BYTES);
    SET(CURLOPT_ACCEPT_ENCODING, "gzip");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_USERAGENT, "setu/" SETU_VERSION);
    SET(CURLOPT_ERRORBUFFER, c->why);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, (void *)c);
    SET(CURLOPT_XFERINFOFUNCTION, look_at_stop);
    SET(CURLOPT_XFERINFODATA, (void *)c);
    SET(CURLOPT_NOPROGRESS, 0L);
    if (c->url.loopback)
        SET(CURLOPT_NOPROXY, "*");
    return code;
}

static CURLcode set_credentials(struct peer_client *c, const struct peer_endpoint *p)
{
    CURLcode code = CURLE_OK;
    if (p->ca_file.n) {
        SET(CURLOPT_CAINFO, arena_cstr(c->arena, p->ca_file));
        SET(CURLOPT_CAPATH, NULL); /* else the system's authorities would be trusted as well */
    }
    if (p->token.n) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, arena_cstr(c->arena, p->token));
    } else if (p->user.n) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, arena_cstr(c->arena, p->user));
        SET(CURLOPT_PASSWORD, arena_cstr(c->arena, p->password));
    }
    if (p->cert_file.n) {
        SET(CURLOPT_SSLCERT, arena_cstr(c->arena, p->cert_file));
        SET(CURLOPT_SSLKEY, arena_cstr(c->arena, p->key_file));
    }
    return code;
}

/* A secret with a line break in it would write headers of its own. */
static bool header_safe(struct str s, bool blanks)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F || (s.p[i] == ' ' && !blanks))
            return false;
    return s.n <= LIMIT_SECRET_BYTES;
}

static bool fill_client(struct peer_client *c, const struct peer_endpoint *p, struct err *e)
{
    if (!header_safe(p->token, false) || !header_safe(p->user, true) ||
        !header_safe(p->password, true) || str_find(p->user, ':') < p->user.n)
        return err_set(e, ERR_USAGE,
                       "the token, user or password holds a character that cannot be sent; check "
                       "that its file holds one line of text");
    if (!peer_url_read(c->arena, STR_NONE, p->url, &c->url, e) ||
        !peer_url_kind(&c->url, c->arena, &c->kind, &c->base, e))
        return false;
    c->get_headers = peer_curl.slist_append(NULL, "Accept: " MEDIA);
    c->post_headers = peer_curl.slist_append(NULL, "Accept: " MEDIA);
    struct curl_slist *more = peer_curl.slist_append(c->post_headers, "Content-Type: " MEDIA);
    c->plain_headers = peer_curl.slist_append(NULL, "Content-Type: application/json");
    if (!c->get_headers || !more || !c->plain_headers)
        return err_set(e, ERR_MEMORY, "out of memory");
    CURLcode code = set_transport(c);
    code = code ? code : set_credentials(c, p);
    if (!arena_ok(c->arena, e))
        return false;
    return code == CURLE_OK || err_set(e, ERR_INTERNAL, "libcurl: %s: build it with TLS",
                                       peer_curl.easy_strerror(code));
}

bool peer_client_open(const struct peer_endpoint *p, struct peer_client **out, struct err *e)
{
    if (!peer_curl_load(e))
        return false;
    struct peer_client *c = base_alloc(sizeof *c);
    if (!c)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&c->body, (size_t)LIMIT_PEER_BODY_BYTES + BASE_PADDING);
    c->stop = p->stop;
    c->most = LIMIT_PEER_BODY_BYTES;
    c->curl = peer_curl.easy_init();
    c->arena = arena_new(256u << 10);
    c->reply = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    c->reader = json_reader_new();
    bool ok = c->curl && c->arena && c->reply && c->reader;
    ok = ok ? fill_client(c, p, e) : err_set(e, ERR_MEMORY, "out of memory");
    if (!ok) {
        peer_client_close(c);
        return false;
    }
    *out = c;
    return true;
}

void peer_client_close(struct peer_client *c)
{
    if (!c)
        return;
    peer_curl.easy_cleanup(c->curl);
    peer_curl.slist_free_all(c->get_headers);
    peer_curl.slist_free_all(c->post_headers);
    peer_curl.slist_free_all(c->plain_headers);
    json_reader_free(c->reader);
    buf_done(&c->body);
    arena_free(c->reply);
    arena_free(c->arena);
    base_free(c);
}

/* ---- what can go wrong ---- */

/* What became of one try. */
enum attempt { DONE, AGAIN, FAILED };

struct trouble {
    CURLcode code;
    bool again, before; /* may pass by itself; nothing was sent yet */
    const char *advice;
};

static const struct trouble troubles[] = {
    {CURLE_COULDNT_RESOLVE_HOST, true, true, "check the host name in the URL"},
    {CURLE_COULDNT_RESOLVE_PROXY, true, true, "check the proxy's name in https_proxy"},
    {CURLE_COULDNT_CONNECT, true, true,
     "check that the server runs and that no firewall is in the way"},
    {CURLE_SEND_ERROR, true, false, "the connection broke; try again later"},
    {CURLE_RECV_ERROR, true, false, "the connection broke; try again later"},
    {CURLE_GOT_NOTHING, true, false, "the connection broke; try again later"},
    {CURLE_PARTIAL_FILE, true, false, "the answer was cut off; try again later"},
    {CURLE_OPERATION_TIMEDOUT, true, false, "try again later"},
    {CURLE_PEER_FAILED_VERIFICATION, false, true,
     "the CA file must hold the CA that issued the server's certificate for this host name"},
    {CURLE_SSL_CACERT_BADFILE, false, true, "check that the CA file holds PEM certificates"},
    {CURLE_SSL_CERTPROBLEM, false, true, "check the client certificate and its key"},
    {CURLE_SSL_CONNECT_ERROR, false, true, "the server must speak TLS 1.2 or 1.3"},
    {CURLE_BAD_CONTENT_ENCODING, false, false, "ask the server's administrator"},
    {CURLE_WRITE_ERROR, false, false, "ask the server's administrator"},
    {CURLE_OUT_OF_MEMORY, false, true, "free some memory"},
};

static const struct trouble *trouble_of(CURLcode code)
{
    static const struct trouble other = {CURLE_OK, false, false, "try again later"};
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++)
        if (troubles[i].code == code)
            return &troubles[i];
    return &other;
}

/* "GET https://host/path/: why: what to do"; the query is left out. */
static bool fail(struct str url, bool post, enum err_code code, struct str why, const char *advice,
                 struct err *e)
{
    url.n = str_find(url, '?');
    if (url.n > 160)
        return err_set(e, code, "%s %.*s...: %.*s: %s", post ? "POST" : "GET", 160, url.p,
                       STR_FMT(why), advice);
    return err_set(e, code, "%s %.*s: %.*s: %s", post ? "POST" : "GET", STR_FMT(url), STR_FMT(why),
                   advice);
}

static enum attempt transfer_failed(struct peer_client *c, CURLcode code, struct str url, bool post,
                                    struct err *e)
{
    const struct trouble *t;
    curl_off_t ready_us = 0;
    struct buf why;
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        err_set(e, ERR_NETWORK, "interrupted: what was taken before is kept");
        return FAILED;
    }
    if (code == CURLE_FILESIZE_EXCEEDED)
        c->heavy = true;
    if (c->heavy) {
        char large[64];
        snprintf(large, sizeof large, "the answer is larger than %zu MiB", c->most >> 20);
        fail(url, post, ERR_TOO_LARGE, str_of(large),
             "ask the server's administrator for smaller pages", e);
        return FAILED;
    }
    peer_curl.easy_getinfo(c->curl, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    if (code == CURLE_OPERATION_TIMEDOUT && ready_us > 0)
        c->heavy = true;
    if (c->body.failed)
        code = CURLE_OUT_OF_MEMORY;
    t = trouble_of(code);
    buf_init(&why, 0);
    if (code == CURLE_WRITE_ERROR || code == CURLE_BAD_CONTENT_ENCODING)
        buf_lit(&why, "the answer's compression is broken");
    else
        buf_printable(&why, str_of(c->why[0] ? c->why : peer_curl.easy_strerror(code)), 160);
    fail(url, post, code == CURLE_OUT_OF_MEMORY ? ERR_MEMORY : ERR_NETWORK, buf_view(&why),
         t->advice, e);
    buf_done(&why);
    /* A POST that may have arrived is not sent twice. */
    return t->again && !c->heavy && (!post || t->before) ? AGAIN : FAILED;
}

struct status_row {
    long status;
    enum err_code code;
    const char *advice;
};

static const struct status_row statuses[] = {
    {400, ERR_INVALID, "check that the URL is one of a TAXII 2.1 server"},
    {401, ERR_UNAUTHORIZED, "check the token, password or certificate given for this server"},
    {403, ERR_FORBIDDEN, "ask the server's administrator for access"},
    {404, ERR_NOT_FOUND, "check the URL, and that this account may see the collection"},
    {406, ERR_NOT_ACCEPTABLE, "the server does not speak TAXII 2.1 here"},
    {413, ERR_TOO_LARGE, "send less at once"},
    {415, ERR_MEDIA_TYPE, "the server does not speak TAXII 2.1 here"},
    {422, ERR_INVALID, "check the objects with `setu check`"},
    {429, ERR_BUSY, "try again later"},
    {503, ERR_BUSY, "try again later"},
};

static struct str header(struct peer_client *c, const char *name)
{
    struct curl_header *h;
    if (peer_curl.easy_header(c->curl, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return STR_NONE;
    return str_of(h->value);
}

/* TAXII 2.1 §3.6.1: an error has a title and may have a description. */
static void put_reason(struct peer_client *c, struct buf *why)
{
    static const struct str names[] = {{"title", 5}, {"description", 11}};
    const struct json *v = NULL;
    struct err ignored;
    if (c->body.n > (64u << 10) ||
        !json_parse(c->reader, c->reply, buf_view(&c->body), false, &v, &ignored))
        return;
    for (size_t i = 0; i < 2; i++) {
        struct str text = json_get_str(v, names[i]);
        if (text.n) {
            buf_lit(why, i ? ", " : ": ");
            buf_printable(why, text, 120);
        }
    }
}

static void status_failed(struct peer_client *c, long status, struct str url, bool post,
                          struct err *e)
{
    struct status_row row = {status, ERR_NETWORK, "ask the server's administrator"};
    struct buf why;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status)
            row = statuses[i];
    buf_init(&why, 0);
    if (status >= 300 && status < 400) {
        buf_printf(&why, "the server redirects (%ld) to ", status);
        buf_printable(&why, header(c, "location"), 160);
        row.advice = "redirects are not followed; give that URL if you trust it";
    } else {
        buf_printf(&why, "the server answered %ld", status);
        put_reason(c, &why);
    }
    fail(url, post, row.code, buf_view(&why), row.advice, e);
    buf_done(&why);
}

bool peer_media_ok(struct str content_type)
{
    struct str rest = content_type, type = str_trim(str_cut(&rest, ';'));
    if (!str_eq_nocase(type, STR("application/taxii+json")))
        return false;
    while (rest.p) {
        struct str value = str_trim(str_cut(&rest, ';')), name = str_trim(str_cut(&value, '='));
        value = str_trim(value);
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = str_slice(value, 1, value.n - 1);
        if (str_eq_nocase(name, STR("version")) && !str_eq(value, STR("2.1")))
            return false;
    }
    return true;
}

/* ---- one request ---- */

static bool read_answer(struct peer_client *c, struct str url, bool post, struct peer_reply *out,
                        struct err *e)
{
    struct str type = header(c, "content-type"), last = header(c, "x-taxii-date-added-last");
    struct instant t;
    struct err why = {0};
    struct buf said;
    if (c->plain) {
        *out = (struct peer_reply){.text = buf_view(&c->body)};
        return buf_ok(&c->body, e);
    }
    if (!peer_media_ok(type)) {
        buf_init(&said, 0);
        buf_lit(&said, "the answer is not TAXII 2.1 but ");
        buf_printable(&said, type.n ? type : STR("of no type"), 80);
        fail(url, post, ERR_NETWORK, buf_view(&said), "check the URL", e);
        buf_done(&said);
        return false;
    }
    if (!buf_reserve(&c->body, BASE_PADDING))
        return buf_ok(&c->body, e);
    memset(c->body.p + c->body.n, 0, BASE_PADDING);
    struct peer_reply r = {.text = buf_view(&c->body)};
    if (!json_parse(c->reader, c->reply, r.text, true, &r.json, &why)) {
        enum err_code code = why.code == ERR_SYNTAX ? ERR_NETWORK : why.code;
        err_prefix(&why, "the answer is unusable");
        return fail(url, post, code, str_of(why.msg), "ask the server's administrator", e);
    }
    if (r.json->type != JSON_OBJECT)
        return fail(url, post, ERR_NETWORK, STR("the answer is no JSON object"), "check the URL",
                    e);
    last = str_trim(last);
    /* Some servers send "undefined" here; that is as good as nothing. */
    if (last.n && last.n < INSTANT_TEXT_BYTES && instant_parse(last, &t, &why))
        r.last_added = arena_str(c->reply, last);
    if (!arena_ok(c->reply, e))
        return false;
    *out = r;
    return true;
}

static CURLcode set_request(struct peer_client *c, struct str url, const struct str *post)
{
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, url.p);
    if (post) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->n);
        SET(CURLOPT_POSTFIELDS, post->p ? post->p : "");
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_HTTPHEADER, c->plain ? c->plain_headers : post ? c->post_headers : c->get_headers);
    return code;
}

/* `after_s`: what Retry-After asks for, 0 when it says nothing. */
static enum attempt try_once(struct peer_client *c, struct str url, const struct str *post,
                             struct peer_reply *out, curl_off_t *after_s, struct err *e)
{
    long status = 0;
    *after_s = 0;
    c->heavy = false;
    c->why[0] = '\0';
    buf_clear(&c->body);
    arena_reset(c->reply);
    CURLcode code = set_request(c, url, post);
    code = code ? code : peer_curl.easy_perform(c->curl);
    if (code != CURLE_OK)
        return transfer_failed(c, code, url, post != NULL, e);
    peer_curl.easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return read_answer(c, url, post != NULL, out, e) ? DONE : FAILED;
    status_failed(c, status, url, post != NULL, e);
    if (status != 429 && status != 503)
        return FAILED;
    peer_curl.easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, after_s);
    return *after_s <= LIMIT_PEER_RETRY_AFTER_S ? AGAIN : FAILED;
}

bool peer_wait(struct peer_client *c, int64_t ms, struct err *e)
{
    int64_t until = monotonic_us() + ms * 1000, left;
    while ((left = until - monotonic_us()) > 0) {
        if (c->stop && c->stop())
            return err_set(e, ERR_NETWORK, "interrupted: what was taken before is kept");
        struct timespec nap = {0, (left > 200000 ? 200000 : left) * 1000};
        nanosleep(&nap, NULL);
    }
    return true;
}

/* The one gate of all requests: nothing is sent to another origin than the endpoint's. */
static bool own_origin(const struct peer_client *c, struct str url, struct err *e)
{
    struct peer_url u = {0};
    struct arena *a = arena_new(64u << 10);
    bool ok = a ? peer_url_read(a, STR_NONE, str_slice(url, 0, str_find(url, '?')), &u, e)
                : err_set(e, ERR_MEMORY, "out of memory");
    if (ok && !str_eq(u.origin, c->url.origin))
        ok = err_set(e, ERR_FORBIDDEN,
                     "%.*s: that is another server than %.*s: it gets no credentials",
                     STR_FMT(u.text), STR_FMT(c->url.text));
    arena_free(a);
    return ok;
}

bool peer_http(struct peer_client *c, struct str url, const struct str *post,
               struct peer_reply *out, struct err *e)
{
    int64_t pause_ms = 500;
    curl_off_t after_s;
    unsigned char jitter;
    struct buf text;
    if (!own_origin(c, url, e))
        return false;
    buf_init(&text, LIMIT_PEER_URL_BYTES + 4 * LIMIT_PEER_NEXT_BYTES);
    buf_str(&text, url);
    buf_byte(&text, '\0');
    enum attempt a = buf_ok(&text, e) ? AGAIN : FAILED;
    for (unsigned tries = 1; a == AGAIN; tries++) {
        a = try_once(c, (struct str){text.p, url.n}, post, out, &after_s, e);
        if (a != AGAIN || tries >= LIMIT_PEER_TRIES)
            break;
        base_random(&jitter, sizeof jitter); /* so that many nodes do not come back at once */
        int64_t wait_ms = after_s > 0 ? after_s * 1000 : pause_ms;
        if (!peer_wait(c, wait_ms + wait_ms * jitter / 1024, e))
            break;
        pause_ms *= 2;
    }
    buf_done(&text);
    return a == DONE;
}
