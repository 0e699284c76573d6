/* URLs, answers, and a client against a server that answers from a script. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer/peer_priv.h"
#include "test.h"

/* ---- URLs ---- */

struct url_row {
    const char *base, *ref;
    const char *text, *origin; /* NULL: refused */
    bool loopback;
};

static const struct url_row url_rows[] = {
    {"", "https://cert.example", "https://cert.example/", "https://cert.example:443", false},
    {"", "https://Cert.Example:443/taxii2/", "https://Cert.Example/taxii2/",
     "https://cert.example:443", false},
    {"", "https://cert.example:8443/api", "https://cert.example:8443/api/",
     "https://cert.example:8443", false},
    {"", "https://[2001:db8::1]/", "https://[2001:db8::1]/", "https://[2001:db8::1]:443", false},
    {"", "http://127.0.0.1:80/", "http://127.0.0.1/", "http://127.0.0.1:80", true},
    {"", "http://127.9.8.7/", "http://127.9.8.7/", "http://127.9.8.7:80", true},
    {"", "http://localhost:9000/", "http://localhost:9000/", "http://localhost:9000", true},
    {"", "http://[::1]/", "http://[::1]/", "http://[::1]:80", true},
    {"", "https://h/a/../b", "https://h/b/", "https://h:443", false},
    {"", "http://127.0.0.1.example/", NULL, NULL, false},
    {"", "http://localhost.example/", NULL, NULL, false},
    {"", "http://cert.example/", NULL, NULL, false},
    {"", "http://0.0.0.0/", NULL, NULL, false},
    {"", "ftp://127.0.0.1/", NULL, NULL, false},
    {"", "file:///etc/passwd", NULL, NULL, false},
    {"", "https://u@h/", NULL, NULL, false},
    {"", "https://u:p@h/", NULL, NULL, false},
    {"", "https://h/?q", NULL, NULL, false},
    {"", "https://h/#f", NULL, NULL, false},
    {"", "https://h/a b", NULL, NULL, false},
    {"", "https://h/\x7f", NULL, NULL, false},
    {"", "https://\xc3\xa9/", NULL, NULL, false},
    {"", "/api/", NULL, NULL, false},
    {"", "", NULL, NULL, false},
    {"", "https://", NULL, NULL, false},
    {"https://h:8443/taxii2/", "/api/", "https://h:8443/api/", "https://h:8443", false},
    {"https://h:8443/taxii2/", "https://h:8443/x", "https://h:8443/x/", "https://h:8443", false},
    {"https://h/taxii2/", "//other/api/", "https://other/api/", "https://other:443", false},
    {"https://h/taxii2/", "http://h/api/", NULL, NULL, false},
    {"https://h/taxii2/", "/api/?x=1", NULL, NULL, false},
};

static void test_urls(void)
{
    for (size_t i = 0; i < sizeof url_rows / sizeof *url_rows; i++) {
        const struct url_row *row = &url_rows[i];
        struct arena *a = arena_new(64u << 10);
        struct peer_url u;
        struct err e = {0};
        bool ok = peer_url_read(a, str_of(row->base), str_of(row->ref), &u, &e);
        CHECK_ROW(ok == (row->text != NULL), "%s: %s", row->ref, e.msg);
        CHECK_ROW(ok || (e.code == ERR_USAGE && e.msg[0]), "%s: %s", row->ref, err_name(e.code));
        if (ok && row->text) {
            CHECK_ROW(str_eq(u.text, str_of(row->text)), "%s: %.*s", row->ref, STR_FMT(u.text));
            CHECK_ROW(str_eq(u.origin, str_of(row->origin)), "%s: %.*s", row->ref,
                      STR_FMT(u.origin));
            CHECK_ROW(u.loopback == row->loopback, "%s", row->ref);
            CHECK_ROW(str_ends(u.text, u.path) && u.path.p[0] == '/', "%s", row->ref);
        }
        CHECK(row->base[0] || peer_url_check(str_of(row->ref), &e) == ok);
        struct str origin = STR_NONE;
        if (!row->base[0] && peer_url_origin(a, str_of(row->ref), &origin, &e))
            CHECK(ok && str_eq(origin, str_of(row->origin)));
        arena_free(a);
    }
}

struct kind_row {
    const char *url;
    enum peer_url_kind kind;
    const char *base;
};

static const struct kind_row kind_rows[] = {
    {"https://h", PEER_URL_SERVER, "https://h/taxii2/"},
    {"https://h/taxii2", PEER_URL_SERVER, "https://h/taxii2/"},
    {"https://h/proxy/taxii2/", PEER_URL_SERVER, "https://h/proxy/taxii2/"},
    {"https://h/api", PEER_URL_ROOT, "https://h/api/"},
    {"https://h/taxii2/root/", PEER_URL_ROOT, "https://h/taxii2/root/"},
    {"https://h/api/collections/", PEER_URL_ROOT, "https://h/api/"},
    {"https://h/api/collections/x", PEER_URL_COLLECTION, "https://h/api/collections/x/"},
    {"https://h/api/collections/x/objects/", PEER_URL_COLLECTION, "https://h/api/collections/x/"},
    {"https://h/a/collections/b/collections/x/manifest", PEER_URL_COLLECTION,
     "https://h/a/collections/b/collections/x/"},
};

static void test_kinds(void)
{
    for (size_t i = 0; i < sizeof kind_rows / sizeof *kind_rows; i++) {
        const struct kind_row *row = &kind_rows[i];
        struct arena *a = arena_new(64u << 10);
        enum peer_url_kind kind;
        struct str base;
        struct peer_url u;
        struct err e = {0};
        CHECK(peer_url_read(a, STR_NONE, str_of(row->url), &u, &e));
        CHECK(peer_url_kind(&u, a, &kind, &base, &e));
        CHECK_ROW(kind == row->kind, "%s: %d", row->url, (int)kind);
        CHECK_ROW(str_eq(base, str_of(row->base)), "%s: %.*s", row->url, STR_FMT(base));
        arena_free(a);
    }
    CHECK(peer_url_segment_ok(STR("91a7b528-80eb-42ed-a74d-c6fbd5a26116")));
    CHECK(!peer_url_segment_ok(STR("")) && !peer_url_segment_ok(STR("..")));
    CHECK(!peer_url_segment_ok(STR("a/b")) && !peer_url_segment_ok(STR("a?b")));
    CHECK(!peer_url_segment_ok((struct str){"a\0b", 3}));
    struct buf b;
    buf_init(&b, 0);
    peer_url_put(&b, (struct str){"a-Z_0.~ /?&=+%\0\xc3", 16});
    CHECK(str_eq(buf_view(&b), STR("a-Z_0.~%20%2F%3F%26%3D%2B%25%00%C3")));
    buf_done(&b);
}

/* ---- answers ---- */

static void test_media(void)
{
    static const char *const good[] = {
        "application/taxii+json",
        "application/taxii+json;version=2.1",
        "Application/Taxii+JSON ; Version = \"2.1\" ; charset=utf-8",
        "application/taxii+json;",
    };
    static const char *const bad[] = {"",
                                      "application/json",
                                      "text/html",
                                      "application/taxii+json;version=2.0",
                                      "application/taxii+json;version=2.10",
                                      "application/vnd.oasis.taxii+json"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_ROW(peer_media_ok(str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ROW(!peer_media_ok(str_of(bad[i])), "%s", bad[i]);
}

struct envelope_row {
    const char *text;
    bool ok;
    size_t count;
    bool more;
    const char *next;
};

static const struct envelope_row envelope_rows[] = {
    {"{}", true, 0, false, ""},
    {"{\"objects\":[]}", true, 0, false, ""},
    {"{\"objects\":[{},{}],\"more\":true,\"next\":\"a\"}", true, 2, true, "a"},
    {"{\"more\":false,\"next\":null}", true, 0, false, ""},
    {"{\"x_other\":1,\"objects\":[1]}", true, 1, false, ""},
    {"{\"objects\":null}", false, 0, false, ""},
    {"{\"objects\":{}}", false, 0, false, ""},
    {"{\"more\":1}", false, 0, false, ""},
    {"{\"next\":1}", false, 0, false, ""},
};

struct status_row {
    const char *text;
    bool ok, complete;
    uint64_t success, failure, pending;
    const char *id, *message;
};

static const struct status_row status_rows[] = {
    {"{\"id\":\"s1\",\"status\":\"complete\",\"success_count\":3,\"failure_count\":1,"
     "\"failures\":[{\"id\":\"x\",\"message\":\"no pattern\"}]}",
     true, true, 3, 1, 0, "s1", "no pattern"},
    {"{\"id\":\"s1\",\"status\":\"pending\",\"pending_count\":2}", true, false, 0, 0, 2, "s1", ""},
    {"{\"id\":\"../x\",\"status\":\"pending\"}", true, false, 0, 0, 0, "", ""},
    {"{\"status\":\"complete\",\"failures\":[]}", true, true, 0, 0, 0, "", ""},
    {"{\"status\":\"complete\",\"failures\":[7]}", true, true, 0, 0, 0, "", ""},
    {"{\"status\":\"done\"}", false, false, 0, 0, 0, "", ""},
    {"{}", false, false, 0, 0, 0, "", ""},
    {"{\"status\":\"complete\",\"success_count\":-1}", false, false, 0, 0, 0, "", ""},
    {"{\"status\":\"complete\",\"success_count\":\"1\"}", false, false, 0, 0, 0, "", ""},
    {"{\"status\":\"complete\",\"failure_count\":1.5}", false, false, 0, 0, 0, "", ""},
};

static void test_answers(struct json_reader *r)
{
    struct arena *a = arena_new(1u << 20);
    const struct json *v;
    struct err e = {0};
    for (size_t i = 0; i < sizeof envelope_rows / sizeof *envelope_rows; i++) {
        const struct envelope_row *row = &envelope_rows[i];
        struct peer_envelope got = {0};
        CHECK(json_parse(r, a, str_of(row->text), false, &v, &e));
        CHECK_ROW(peer_envelope_read(v, &got, &e) == row->ok, "%s", row->text);
        CHECK_ROW(got.count == row->count && got.more == row->more, "%s", row->text);
        CHECK_ROW(str_eq(got.next, str_of(row->next)), "%s", row->text);
        CHECK_ROW((got.first != NULL) == (row->count > 0), "%s", row->text);
    }
    for (size_t i = 0; i < sizeof status_rows / sizeof *status_rows; i++) {
        const struct status_row *row = &status_rows[i];
        struct peer_status got = {0};
        CHECK(json_parse(r, a, str_of(row->text), false, &v, &e));
        CHECK_ROW(peer_status_read(v, &got, &e) == row->ok, "%s", row->text);
        CHECK_ROW(got.complete == row->complete, "%s", row->text);
        CHECK_ROW(got.success == row->success && got.failure == row->failure, "%s", row->text);
        CHECK_ROW(got.pending == row->pending, "%s", row->text);
        CHECK_ROW(str_eq(got.id, str_of(row->id)), "%s", row->text);
        CHECK_ROW(str_eq(got.first_failure, str_of(row->message)), "%s", row->text);
    }
    arena_free(a);
}

static void test_stricter(void)
{
    CHECK(peer_stricter(STIX_TLP_GREEN, STIX_TLP_CLEAR) == STIX_TLP_GREEN);
    CHECK(peer_stricter(STIX_TLP_GREEN, STIX_TLP_RED) == STIX_TLP_RED);
    CHECK(peer_stricter(STIX_TLP_NONE, STIX_TLP_CLEAR) == STIX_TLP_AMBER);
    CHECK(peer_stricter(STIX_TLP_NONE, STIX_TLP_AMBER_STRICT) == STIX_TLP_AMBER_STRICT);
}

static void test_printable(void)
{
    static const struct {
        const char *in;
        size_t most;
        const char *out;
    } rows[] = {
        {"plain \xe0\xa4\xb8\xe0\xa5\x87\xe0\xa4\xa4\xe0\xa5\x81", 100,
         "plain \xe0\xa4\xb8\xe0\xa5\x87\xe0\xa4\xa4\xe0\xa5\x81"},
        {"a\x1b[31m\r\nb\x7f", 100, "a?[31m??b?"},
        {"\xc2\x9b\x31m", 100, "?1m"},
        {"x\xe2\x80\xaey", 100, "x?y"},
        {"x\xe2\x81\xa6y\xe2\x80\xa8z", 100, "x?y?z"},
        {"\xff\xc3", 100, "??"},
        {"abcdef", 3, "abc..."},
        {"ab\xc3\xa9", 3, "ab..."},
        {"", 0, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        buf_init(&b, 0);
        buf_printable(&b, str_of(rows[i].in), rows[i].most);
        CHECK_ROW(str_eq(buf_view(&b), str_of(rows[i].out)), "row %zu: %.*s", i,
                  STR_FMT(buf_view(&b)));
        buf_done(&b);
    }
}

/* ---- a server that answers from a script ---- */

struct script {
    const char *const *bodies; /* in turn; NULL ends */
    int fd;
    char url[64];
    char seen[4][1024];
    size_t count;
    pthread_t thread;
};

/* Reads a request with its body; false when the client has gone. */
static bool read_request(int fd, char *out, size_t room)
{
    size_t n = 0;
    out[0] = '\0';
    for (;;) {
        const char *end = strstr(out, "\r\n\r\n"), *length = strstr(out, "Content-Length: ");
        if (end && n >= (size_t)(end + 4 - out) + (length ? strtoul(length + 16, NULL, 10) : 0))
            return true;
        ssize_t got = n + 1 < room ? read(fd, out + n, room - n - 1) : 0;
        if (got <= 0)
            return false;
        n += (size_t)got;
        out[n] = '\0';
    }
}

static void *script_main(void *arg)
{
    struct script *s = arg;
    char head[256];
    int fd = accept(s->fd, NULL, NULL);
    for (; s->bodies[s->count]; s->count++) {
        const char *body = s->bodies[s->count];
        if (!read_request(fd, s->seen[s->count], sizeof s->seen[0]))
            break;
        int n = snprintf(head, sizeof head,
                         "HTTP/1.1 200 OK\r\nContent-Type: application/taxii+json;version=2.1\r\n"
                         "Content-Length: %zu\r\n\r\n",
                         strlen(body));
        if (write(fd, head, (size_t)n) < 0 || write(fd, body, strlen(body)) < 0)
            break;
    }
    close(fd);
    return NULL;
}

static void script_start(struct script *s, const char *const *bodies, const char *path)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    *s = (struct script){.bodies = bodies, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    must(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&a, n) == 0 && listen(s->fd, 1) == 0);
    must(getsockname(s->fd, (struct sockaddr *)&a, &n) == 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u%s", ntohs(a.sin_port), path);
    must(pthread_create(&s->thread, NULL, script_main, s) == 0);
}

static void script_end(struct script *s, struct peer_client *c)
{
    peer_client_close(c); /* ends the server's wait as well */
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static struct peer_client *client_of(const char *url)
{
    struct peer_endpoint p = {.url = str_of(url), .token = STR("t")};
    struct peer_client *c = NULL;
    struct err e = {0};
    CHECK_ROW(peer_client_open(&p, &c, &e), "%s", e.msg);
    must(c);
    return c;
}

static void test_post(void)
{
    static const char *const bodies[] = {
        "{\"id\":\"s-1\",\"status\":\"pending\",\"pending_count\":2}",
        "{\"id\":\"s-1\",\"status\":\"pending\",\"pending_count\":1,\"success_count\":1}",
        "{\"id\":\"s-1\",\"status\":\"complete\",\"success_count\":1,\"failure_count\":1,"
        "\"failures\":[{\"id\":\"a\",\"message\":\"no\\u001b pattern\"}]}",
        NULL};
    struct script s;
    struct buf url, message;
    struct err e = {0};
    buf_init(&url, 0);
    buf_init(&message, 0);
    script_start(&s, bodies, "/api/collections/c/");
    struct peer_client *c = client_of(s.url);
    struct peer_posted posted = {.first_failure = &message};
    buf_lit(&url, s.url);
    CHECK_ROW(peer_client_post(c, buf_view(&url), STR("{\"objects\":[]}"), &posted, &e), "%s",
              e.msg);
    script_end(&s, c);
    CHECK(posted.success == 1 && posted.failure == 1 && posted.pending == 0);
    CHECK(str_eq(buf_view(&message), STR("no? pattern")));
    CHECK(strncmp(s.seen[0], "POST /api/collections/c/objects/ HTTP/1.1\r\n", 43) == 0);
    CHECK(strstr(s.seen[0], "\r\nAuthorization: Bearer t\r\n") != NULL);
    CHECK(strstr(s.seen[0], "\r\nContent-Type: application/taxii+json;version=2.1\r\n") != NULL);
    CHECK(strstr(s.seen[0], "\r\n\r\n{\"objects\":[]}") != NULL);
    CHECK(strncmp(s.seen[1], "GET /api/status/s-1/ HTTP/1.1\r\n", 31) == 0);
    CHECK(s.count == 3);
    buf_done(&url);
    buf_done(&message);
}

static void test_identity(void)
{
    static const struct {
        const char *bodies[2], *id;
    } rows[] = {
        {{"{\"x_setu_identity\":\"identity--91a7b528-80eb-42ed-a74d-c6fbd5a26116\"}"},
         "identity--91a7b528-80eb-42ed-a74d-c6fbd5a26116"},
        {{"{\"title\":\"another server\"}"}, ""},
        {{"{\"x_setu_identity\":\"indicator--91a7b528-80eb-42ed-a74d-c6fbd5a26116\"}"}, ""},
        {{"{\"x_setu_identity\":7}"}, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script s;
        struct buf id;
        struct err e = {0};
        buf_init(&id, 0);
        script_start(&s, rows[i].bodies, i % 2 ? "/api/" : "");
        struct peer_client *c = client_of(s.url);
        CHECK_ROW(peer_client_identity(c, &id, &e), "row %zu: %s", i, e.msg);
        script_end(&s, c);
        CHECK_ROW(str_eq(buf_view(&id), str_of(rows[i].id)), "row %zu", i);
        CHECK_ROW(strncmp(s.seen[0], "GET /taxii2/ HTTP/1.1\r\n", 23) == 0, "row %zu", i);
        buf_done(&id);
    }
}

/* One connection serves all requests, and one to another origin is never made. */
static void test_gate(void)
{
    static const char *const bodies[] = {"{\"collections\":[{\"id\":\"c\",\"title\":\"T\"}]}",
                                         NULL};
    struct script s;
    struct peer_collection found;
    struct err e = {0};
    struct peer_posted posted = {0};
    script_start(&s, bodies, "/api/");
    struct peer_client *c = client_of(s.url);
    CHECK_ROW(peer_client_collection(c, STR("T"), &found, &e), "%s", e.msg);
    CHECK(str_ends(buf_view(&found.url), STR("/api/collections/c/objects/")));
    CHECK(!peer_client_post(c, STR("http://127.0.0.1:1/api/collections/c/objects/"), STR("{}"),
                            &posted, &e));
    CHECK(e.code == ERR_FORBIDDEN && strstr(e.msg, "another server"));
    script_end(&s, c);
    CHECK(s.count == 1);
    buf_done(&found.url);
}

static bool stop_now(void)
{
    return true;
}

static void test_credentials(void)
{
    static const struct peer_endpoint bad[] = {
        {.url = {"https://h/", 10}, .token = {"a\r\nX: y", 7}},
        {.url = {"https://h/", 10}, .token = {"a b", 3}},
        {.url = {"https://h/", 10}, .user = {"a:b", 3}},
        {.url = {"https://h/", 10}, .user = {"a", 1}, .password = {"b\n", 2}},
        {.url = {"http://h/", 9}},
    };
    struct peer_client *c = NULL;
    struct peer_collection found;
    struct err e = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ROW(!peer_client_open(&bad[i], &c, &e) && e.code == ERR_USAGE, "row %zu", i);
    struct peer_endpoint p = {.url = STR("http://127.0.0.1:1/"), .stop = stop_now};
    CHECK(peer_client_open(&p, &c, &e));
    CHECK(!peer_client_collection(c, STR("x"), &found, &e) && strstr(e.msg, "interrupted"));
    buf_done(&found.url);
    peer_client_close(c);
    peer_client_close(NULL);
}

int main(void)
{
    struct json_reader *r = json_reader_new();
    test_urls();
    test_kinds();
    test_media();
    test_answers(r);
    test_stricter();
    test_printable();
    test_post();
    test_identity();
    test_gate();
    test_credentials();
    json_reader_free(r);
    TEST_END();
}
