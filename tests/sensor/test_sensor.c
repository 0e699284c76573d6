/* Reading in pieces, the indicators' bookkeeping, sightings. The server is the fake of this file.
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/crypt.h"
#include "json/json.h"
#include "sensor/sensor.h"
#include "stix/stix.h"
#include "test.h"

/* ---- a server that keeps what it is sent ---- */

static struct {
    const char *page; /* an array of objects */
    const char *identity;
    enum stix_tlp marking;
    size_t fail_at; /* the post, from 1, that fails; 0: none */
    size_t posts, objects[8];
} server;

bool peer_client_open(const struct peer_endpoint *p, struct peer_client **out, struct err *e)
{
    (void)e;
    CHECK(str_eq(p->url, STR("https://taxii.example/api/")));
    CHECK(str_eq(p->token, STR("secret")));
    *out = (struct peer_client *)(void *)&server;
    return true;
}

void peer_client_close(struct peer_client *c)
{
    (void)c;
}

bool peer_client_collection(struct peer_client *c, struct str key, struct peer_collection *found,
                            struct err *e)
{
    (void)c;
    *found = (struct peer_collection){.marking = server.marking};
    buf_lit(&found->url, "https://taxii.example/api/collections/1/objects/");
    return str_eq(key, STR("feed")) || err_set(e, ERR_NOT_FOUND, "no such collection");
}

bool peer_client_identity(struct peer_client *c, struct buf *id, struct err *e)
{
    (void)c;
    (void)e;
    buf_lit(id, server.identity);
    return true;
}

bool peer_client_pull(struct peer_client *c, const struct peer_pull *what, peer_page_fn *each,
                      void *ctx, struct err *e)
{
    struct json_reader *r = json_reader_new();
    struct arena *a = arena_new(64u << 20);
    const struct json *doc;
    (void)c;
    CHECK(what->added_after.n == 0 && str_ends(what->collection_url, STR("/objects/")));
    CHECK(str_eq(what->type, STR("indicator")));
    bool ok = json_parse(r, a, str_of(server.page), false, &doc, e);
    CHECK(ok);
    if (ok) {
        struct peer_page p = {str_of(server.page), doc->u.child, doc->count, .last_added = {0}};
        ok = each(ctx, &p, e);
    }
    arena_free(a);
    json_reader_free(r);
    return ok;
}

bool peer_client_post(struct peer_client *c, struct str url, struct str envelope,
                      struct peer_posted *out, struct err *e)
{
    size_t count = 0;
    (void)c;
    (void)url;
    if (++server.posts == server.fail_at)
        return err_set(e, ERR_NETWORK, "gone");
    for (size_t i = 0; i + 9 < envelope.n; i++)
        count += memcmp(envelope.p + i, "\"sighting\"", 10) == 0;
    server.objects[server.posts - 1] = count;
    out->success = count;
    return true;
}

/* ---- alerts of a scan, as text ---- */

struct found {
    struct buf text; /* line:offset:seen>indicator| */
    size_t count, stop_after;
};

static bool on_alert(void *ctx, const struct sensor_alert *a)
{
    struct found *f = ctx;
    buf_printf(&f->text, "%llu:%llu:%.*s>%.*s|", (unsigned long long)a->line,
               (unsigned long long)a->offset, STR_FMT(a->hit->seen), STR_FMT(a->indicator->id));
    return ++f->count != f->stop_after;
}

static const struct match_set *set_of(struct sensor_indicators **s, const char *list)
{
    struct err e = {0};
    struct buf padded;
    buf_init(&padded, 0);
    buf_lit(&padded, list);
    size_t n = padded.n;
    for (int i = 0; i < BASE_PADDING; i++)
        buf_byte(&padded, '\0');
    *s = sensor_indicators_new(NULL, NULL);
    CHECK(sensor_indicators_text(*s, STR("test"), (struct str){padded.p, n}, &e));
    CHECK_ROW(sensor_indicators_seal(*s, now_us(), &e), "%s", e.msg);
    buf_done(&padded);
    return sensor_indicators_set(*s);
}

static char path[4096];

static void put_file(struct str bytes)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    CHECK(fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n);
    close(fd);
}

static size_t wanted_threads;

static void scan(const struct match_set *set, const char *input, size_t block, size_t context,
                 struct found *f)
{
    struct err e = {0};
    bool to_end = false;
    struct sensor_scan s = {.set = set,
                            .alert = on_alert,
                            .ctx = f,
                            .block_bytes = block,
                            .context_bytes = context,
                            .threads = wanted_threads};
    buf_clear(&f->text);
    f->count = 0;
    CHECK_ROW(sensor_scan_input(&s, input, &to_end, &e), "%s", e.msg);
    CHECK(to_end == (f->stop_after == 0));
    buf_byte(&f->text, '\0');
}

static const char list[] = "bad.example\n198.51.100.0/24\n2001:db8::7\nhttp://u.example/x\n"
                           "0123456789abcdef0123456789abcdef\nm@post.example\nbad.example\n";

/* A line longer than 2 * 64 bytes, an unterminated last line, CR LF, NUL, no UTF-8. */
#define FILLER "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn oooo "
static const char border_log[] =
    "first bad.example\r\n"
    "\n\xff\xfe\0\x01 198.51.100.9 x198.51.100.9\n"
    "xbad.example bad.example.org 1198.51.100.9 0123456789abcdef0123456789abcdef0\n" FILLER FILLER
    "bad.example " FILLER "198.51.100.77 " FILLER "(http://u.example/x) " FILLER FILLER
    "2001:db8::7 notbad.example 198.51.100.1.2 " FILLER "0123456789ABCDEF0123456789ABCDEF " FILLER
    "m@post.example\nbad.example\n\n\nbad.example.\nlast 198.51.100.200";

/* What the log above holds: line, what is seen. Offsets are found by the test itself. */
static const struct {
    unsigned line;
    const char *seen, *id;
} border_rows[] = {
    {1, "bad.example", "bad.example"},
    {3, "198.51.100.9", "198.51.100.0/24"},
    {5, "bad.example", "bad.example"},
    {5, "198.51.100.77", "198.51.100.0/24"},
    {5, "http://u.example/x", "http://u.example/x"},
    {5, "2001:db8::7", "2001:db8::7"},
    {5, "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdef"},
    {5, "m@post.example", "m@post.example"},
    {6, "bad.example", "bad.example"},
    {9, "bad.example.", "bad.example"},
    {10, "198.51.100.200", "198.51.100.0/24"},
};

/* The rows in the form of on_alert, each at the first place behind the one before that has neither
 * a letter, digit or dot around it. */
static void expected_of_rows(struct buf *out)
{
    struct str log = {border_log, sizeof border_log - 1};
    size_t at = 0;
    for (size_t i = 0; i < sizeof border_rows / sizeof *border_rows; i++) {
        struct str seen = str_of(border_rows[i].seen);
        size_t line, column;
        for (;; at++) {
            must(at + seen.n <= log.n);
            char before = at ? log.p[at - 1] : ' ';
            char after = at + seen.n < log.n ? log.p[at + seen.n] : ' ';
            str_line_column(log, at, &line, &column);
            if (line == border_rows[i].line && memcmp(log.p + at, seen.p, seen.n) == 0 &&
                strchr(" (\n", before) && strchr(" )\r\n", after))
                break;
        }
        buf_printf(out, "%u:%zu:%s>%s|", border_rows[i].line, at, border_rows[i].seen,
                   border_rows[i].id);
        at += seen.n;
    }
    buf_byte(out, '\0');
}

static void test_borders(void)
{
    struct sensor_indicators *s;
    const struct match_set *set = set_of(&s, list);
    struct found f = {0};
    struct buf expected;
    buf_init(&expected, 0);
    expected_of_rows(&expected);
    put_file((struct str){border_log, sizeof border_log - 1});
    scan(set, path, 0, 0, &f);
    CHECK_ROW(strcmp(f.text.p, expected.p) == 0, "whole\n%s\n%s", f.text.p, expected.p);
    for (size_t block = 1; block <= sizeof border_log + 1; block++) {
        scan(set, path, block, 64, &f);
        CHECK_ROW(strcmp(f.text.p, expected.p) == 0, "block %zu\n%s", block, f.text.p);
    }
    buf_done(&f.text);
    buf_done(&expected);
    sensor_indicators_free(s);
}

/* A pipe hands over a few bytes at a time; the alerts are the same. */
static void test_pipe(void)
{
    struct sensor_indicators *s;
    const struct match_set *set = set_of(&s, list);
    struct found f = {0};
    struct buf expected;
    int ends[2];
    char name[32];
    buf_init(&expected, 0);
    expected_of_rows(&expected);
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < sizeof border_log - 1; i += 13) {
            size_t left = sizeof border_log - 1 - i;
            if (write(ends[1], border_log + i, left < 13 ? left : 13) < 0)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    scan(set, name, 0, 0, &f);
    CHECK_ROW(strcmp(f.text.p, expected.p) == 0, "pipe\n%s", f.text.p);
    close(ends[0]);
    waitpid(child, NULL, 0);
    buf_done(&f.text);
    buf_done(&expected);
    sensor_indicators_free(s);
}

/* One line of several blocks with a value every so often, and runs that must not be cut. */
static void test_long_line(void)
{
    struct sensor_indicators *s;
    const struct match_set *set = set_of(&s, list);
    struct found f = {0};
    struct buf log, expected;
    size_t room = LIMIT_SENSOR_BLOCK_BYTES + 4u * LIMIT_OBSERVABLE_BYTES;
    buf_init(&log, 0);
    buf_init(&expected, 0);
    buf_lit(&log, "\n");
    while (log.n < 3 * room) {
        size_t pad = log.n / 1000 % 3 ? 40009 : 997;
        buf_printf(&expected, "2:%zu:bad.example>bad.example|", log.n);
        buf_lit(&log, "bad.example ");
        for (size_t i = 0; i < pad; i++)
            buf_byte(&log, "0123456789abcdef"[i % 16]);
        buf_byte(&log, ' ');
    }
    /* Around the first border of a piece: told once at whichever side it starts. */
    for (size_t shift = 0; shift < 24; shift++) {
        size_t at = room - 2u * LIMIT_OBSERVABLE_BYTES - 12 + shift;
        char kept[14];
        memcpy(kept, log.p + at, sizeof kept);
        memcpy(log.p + at, " bad.example  ", sizeof kept);
        put_file(buf_view(&log));
        scan(set, path, 0, 0, &f);
        char needle[64];
        snprintf(needle, sizeof needle, "2:%zu:bad.example>", at + 1);
        const char *first = strstr(f.text.p, needle);
        CHECK_ROW(first && !strstr(first + 1, needle), "shift %zu", shift);
        memcpy(log.p + at, kept, sizeof kept);
    }
    put_file(buf_view(&log));
    scan(set, path, 0, 0, &f);
    buf_byte(&expected, '\0');
    CHECK(strcmp(f.text.p, expected.p) == 0);
    buf_done(&f.text);
    buf_done(&log);
    buf_done(&expected);
    sensor_indicators_free(s);
}

/* Many threads tell what one does, in the same order, whatever the size of pieces. */
static void test_threads(void)
{
    struct sensor_indicators *s;
    const struct match_set *set = set_of(&s, list);
    struct found one = {0}, many = {0};
    struct buf log;
    buf_init(&log, 0);
    for (unsigned i = 0; log.n < 300000; i++) {
        buf_printf(&log, "%u bad.example 198.51.100.%u\n", i, i % 300);
        for (unsigned k = 0; k < i * 7 % 90; k++)
            buf_lit(&log, i % 50 == 7 ? "aaaa.bbbb " : i % 3 ? "quiet words\n" : "");
        if (i % 700 == 9) /* hits by the hundred in one piece, and a line longer than one */
            for (unsigned k = 0; k < 600; k++)
                buf_lit(&log, "bad.example ");
    }
    buf_lit(&log, "bad.example");
    put_file(buf_view(&log));
    for (size_t block = 64; block < 100000; block = block * 5 + 3) {
        wanted_threads = 1;
        scan(set, path, block, 64, &one);
        for (wanted_threads = 2; wanted_threads < 9; wanted_threads += 3) {
            scan(set, path, block, 64, &many);
            CHECK_ROW(strcmp(one.text.p, many.text.p) == 0, "%zu threads, block %zu",
                      wanted_threads, block);
        }
        many.stop_after = 57;
        scan(set, path, block, 64, &many);
        CHECK_ROW(many.count == 57, "%zu", many.count);
        many.stop_after = 0;
    }
    wanted_threads = 0;
    CHECK(one.count > 1000);
    buf_done(&one.text);
    buf_done(&many.text);
    buf_done(&log);
    sensor_indicators_free(s);
}

static bool every_alert(void *ctx, const struct sensor_alert *a)
{
    (void)a;
    return ctx != NULL;
}

static bool count_block(void *ctx, uint64_t bytes)
{
    unsigned *left = ctx;
    return bytes > 0 && --*left > 0;
}

static void test_stopping_and_failing(void)
{
    struct sensor_indicators *s;
    const struct match_set *set = set_of(&s, list);
    struct found f = {.stop_after = 2};
    struct err e = {0};
    bool to_end = true;
    struct sensor_scan sc = {.set = set, .alert = on_alert, .ctx = &f};
    put_file((struct str){border_log, sizeof border_log - 1});
    scan(set, path, 0, 0, &f);
    CHECK(f.count == 2);
    unsigned blocks = 3;
    sc.block = count_block;
    sc.alert = every_alert;
    sc.ctx = &blocks;
    sc.block_bytes = sc.context_bytes = 64;
    CHECK(sensor_scan_input(&sc, path, &to_end, &e) && !to_end && blocks == 0);
    blocks = 1000;
    CHECK(sensor_scan_input(&sc, path, &to_end, &e) && to_end);
    /* Stopped when all of it has been looked at: still to its end. */
    blocks = 1000 - blocks;
    CHECK(sensor_scan_input(&sc, path, &to_end, &e) && to_end && blocks == 0);
    CHECK(!sensor_scan_input(&sc, "/no/such/file", &to_end, &e) && strstr(e.msg, "/no/such/file"));
    CHECK(!sensor_scan_input(&sc, "/tmp", &to_end, &e) && strstr(e.msg, "directory"));
    buf_done(&f.text);
    sensor_indicators_free(s);
}

/* ---- indicators ---- */

#define A "11111111-1111-4111-8111-111111111111"
#define B "22222222-2222-4222-8222-222222222222"
#define OBJECT(uuid, modified, rest)                                                               \
    "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--" uuid                   \
    "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-0" modified                   \
    "-01T00:00:00.000Z\"," rest "}"
#define STIX(pattern)                                                                              \
    "\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T00:00:00Z\",\"pattern\":\"" pattern "\""
#define NAME(name)    STIX("[domain-name:value='" name "']")
#define EACH_OF(a, b) "{\"type\":\"bundle\",\"id\":\"bundle--" A "\",\"objects\":[" a "," b "]}"

static const struct {
    const char *what, *text;
    struct sensor_counts counts;
    const char *reason; /* part of the last note, or NULL for no note */
    const char *seen;   /* a name that raises an alert, or NULL */
} source_rows[] = {
    {"list", "a.example\n# note\n\nno value here\n", {1, 0, 1, 0, 0}, "domain", "a.example"},
    {"list with a mark", "\xef\xbb\xbf[2001:db8::1]\na.example\n", {1, 0, 1, 0, 0}, "", NULL},
    {"one object", OBJECT(A, "1", NAME("a.example")), {1, 0, 0, 0, 0}, NULL, "a.example"},
    {"bundle, others ignored",
     EACH_OF(OBJECT(A, "1", NAME("a.example")),
             "{\"type\":\"identity\",\"id\":\"identity--" A "\"}"),
     {1, 0, 0, 0, 0},
     NULL,
     "a.example"},
    {"envelope",
     "{\"more\":false,\"objects\":[" OBJECT(A, "1", NAME("a.example")) "]}",
     {1, 0, 0, 0, 0},
     NULL,
     "a.example"},
    {"array", " [\n" OBJECT(A, "1", NAME("a.example")) "]", {1, 0, 0, 0, 0}, NULL, "a.example"},
    {"JSON lines",
     OBJECT(A, "1", NAME("a.example")) "\n\n{broken\n" OBJECT(B, "1", NAME("b.example")) "\n",
     {2, 0, 1, 0, 0},
     "",
     "b.example"},
    {"newest first",
     EACH_OF(OBJECT(A, "2", NAME("new.example")), OBJECT(A, "1", NAME("old.example"))),
     {1, 0, 0, 0, 0},
     NULL,
     "new.example"},
    {"newest last",
     EACH_OF(OBJECT(A, "1", NAME("old.example")), OBJECT(A, "2", NAME("new.example"))),
     {1, 0, 0, 0, 0},
     NULL,
     "new.example"},
    {"newest revoked",
     EACH_OF(OBJECT(A, "1", NAME("a.example")),
             OBJECT(A, "2", NAME("a.example") ",\"revoked\":true")),
     {0, 0, 0, 1, 0},
     NULL,
     NULL},
    {"revoked, then an older one",
     EACH_OF(OBJECT(A, "2", NAME("a.example") ",\"revoked\":true"),
             OBJECT(A, "1", NAME("a.example"))),
     {0, 0, 0, 1, 0},
     NULL,
     NULL},
    {"expired",
     OBJECT(A, "1", NAME("a.example") ",\"valid_until\":\"2026-02-01T00:00:00Z\""),
     {0, 0, 0, 0, 1},
     NULL,
     NULL},
    {"to come",
     OBJECT(A, "1",
            "\"pattern_type\":\"stix\",\"valid_from\":\"2099-01-01T00:00:00Z\",\"pattern\":"
            "\"[domain-name:value='a.example']\""),
     {0, 0, 0, 0, 1},
     NULL,
     NULL},
    {"another language",
     OBJECT(A, "1", "\"pattern_type\":\"yara\",\"pattern\":\"rule x {}\""),
     {0, 0, 1, 0, 0},
     "yara",
     NULL},
    {"no pattern",
     OBJECT(A, "1", "\"pattern_type\":\"stix\""),
     {0, 0, 1, 0, 0},
     "no pattern",
     NULL},
    {"bad pattern", OBJECT(A, "1", STIX("[domain-name:value=")), {0, 0, 1, 0, 0}, "at byte", NULL},
    {"bad time",
     OBJECT(A, "1", NAME("a.example") ",\"valid_until\":\"soon\""),
     {0, 0, 1, 0, 0},
     "valid_until",
     NULL},
    {"bad id",
     "[{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern_type\":\"stix\"}]",
     {0, 0, 1, 0, 0},
     "id",
     NULL},
    {"AND",
     OBJECT(A, "1", STIX("[domain-name:value='a.example' AND domain-name:x=1]")),
     {0, 0, 1, 0, 0},
     "AND",
     NULL},
    {"in part",
     OBJECT(A, "1", STIX("[domain-name:value='a.example' OR domain-name:value LIKE 'b%']")),
     {1, 1, 0, 0, 0},
     "1 of its alternatives",
     "a.example"},
    {"nothing looks for it",
     OBJECT(A, "1", STIX("[mutex:name='m']")),
     {0, 0, 1, 0, 0},
     "mutex:name",
     NULL},
    {"no such value",
     OBJECT(A, "1", STIX("[ipv4-addr:value='1.2.3']")),
     {0, 0, 1, 0, 0},
     "is no ipv4",
     NULL},
    {"2.0 has no pattern_type",
     "{\"type\":\"indicator\",\"id\":\"indicator--" A "\",\"created\":\"2026-01-01T00:00:00.000Z\","
     "\"modified\":\"2026-01-01T00:00:00.000Z\",\"pattern\":\"[domain-name:value='a.example']\"}",
     {1, 0, 0, 0, 0},
     NULL,
     "a.example"},
};

static void on_note(void *ctx, const struct sensor_note *n)
{
    struct buf *b = ctx;
    buf_clear(b);
    buf_printf(b, "%.*s", STR_FMT(n->reason));
    buf_byte(b, '\0');
}

static bool padded_text(struct sensor_indicators *s, const char *text, struct err *e)
{
    size_t n = strlen(text);
    char *copy = base_alloc(n + BASE_PADDING);
    must(copy);
    memcpy(copy, text, n);
    bool ok = sensor_indicators_text(s, STR("test"), (struct str){copy, n}, e);
    base_free(copy);
    return ok;
}

static void test_sources(void)
{
    struct instant at;
    struct err e = {0};
    struct buf note, log;
    bool to_end;
    struct found f = {0};
    CHECK(instant_parse(STR("2026-07-01T00:00:00Z"), &at, &e));
    int64_t as_of = instant_us(at);
    buf_init(&note, 0);
    buf_init(&log, 0);
    for (size_t i = 0; i < sizeof source_rows / sizeof *source_rows; i++) {
        const char *what = source_rows[i].what;
        struct sensor_indicators *s = sensor_indicators_new(on_note, &note);
        buf_clear(&note);
        CHECK_ROW(padded_text(s, source_rows[i].text, &e), "%s: %s", what, e.msg);
        CHECK_ROW(sensor_indicators_seal(s, as_of, &e), "%s: %s", what, e.msg);
        const struct sensor_counts *c = sensor_indicators_counts(s);
        CHECK_ROW(memcmp(c, &source_rows[i].counts, sizeof *c) == 0,
                  "%s: %zu used, %zu in part, %zu not, %zu revoked, %zu out", what, c->used,
                  c->in_part, c->unusable, c->revoked, c->not_in_force);
        if (source_rows[i].reason && note.n)
            CHECK_ROW(strstr(note.p, source_rows[i].reason), "%s: %s", what, note.p);
        CHECK_ROW(source_rows[i].reason || !note.n, "%s: %s", what, note.p);
        buf_clear(&log);
        buf_lit(&log, "a.example b.example new.example old.example\n");
        put_file(buf_view(&log));
        struct sensor_scan sc = {
            .set = sensor_indicators_set(s), .as_of_us = &as_of, .alert = on_alert, .ctx = &f};
        buf_clear(&f.text);
        CHECK(sensor_scan_input(&sc, path, &to_end, &e));
        buf_byte(&f.text, '\0');
        const char *seen = source_rows[i].seen;
        CHECK_ROW(seen ? strstr(f.text.p, seen) != NULL : !strstr(f.text.p, "indicator"), "%s: %s",
                  what, f.text.p);
        CHECK_ROW(!strstr(f.text.p, "old.example"), "%s: %s", what, f.text.p);
        sensor_indicators_free(s);
    }
    buf_done(&note);
    buf_done(&log);
    buf_done(&f.text);
}

/* ---- compiled sets ---- */

/* What `text` makes, compiled; then read with `more` besides: who is told of the log. */
static void check_compiled(const char *text, const char *more, size_t used, const char *seen)
{
    char set[4200];
    struct err e = {0};
    struct found f = {0};
    struct peer_endpoint how = {0};
    bool to_end;
    struct sensor_indicators *s = sensor_indicators_new(NULL, NULL);
    snprintf(set, sizeof set, "%s.set", path);
    CHECK(padded_text(s, text, &e) && sensor_indicators_seal(s, now_us(), &e) &&
          sensor_indicators_compile(s, set, &e));
    sensor_indicators_free(s);
    s = sensor_indicators_new(NULL, NULL);
    CHECK_ROW(sensor_indicators_load(s, set, &how, STR_NONE, &e), "%s", e.msg);
    CHECK(!sensor_indicators_load(s, set, &how, STR_NONE, &e) && strstr(e.msg, "second"));
    CHECK(!more || padded_text(s, more, &e));
    CHECK_ROW(sensor_indicators_seal(s, now_us(), &e), "%s", e.msg);
    CHECK_ROW(sensor_indicators_counts(s)->used == used, "%s: %zu", more ? more : text,
              sensor_indicators_counts(s)->used);
    put_file(STR("a.example b.example c.example\n"));
    for (int again = 0; again < 2; again++) { /* and compiled once more */
        struct sensor_scan sc = {.set = sensor_indicators_set(s), .alert = on_alert, .ctx = &f};
        buf_clear(&f.text);
        CHECK(sensor_scan_input(&sc, path, &to_end, &e) && to_end);
        buf_byte(&f.text, '\0');
        CHECK_ROW(strcmp(f.text.p, seen) == 0, "%s", f.text.p);
        if (again == 0) {
            CHECK_ROW(sensor_indicators_compile(s, set, &e), "%s", e.msg);
            sensor_indicators_free(s);
            s = sensor_indicators_new(NULL, NULL);
            CHECK(sensor_indicators_load(s, set, &how, STR_NONE, &e) &&
                  sensor_indicators_seal(s, now_us(), &e));
        }
    }
    sensor_indicators_free(s);
    buf_done(&f.text);
    unlink(set);
}

#define SAID(at, seen, id) "1:" at ":" seen ">" id "|"
#define IND_A              "indicator--" A
static void test_compiled(void)
{
    const char *a1 = OBJECT(A, "2", NAME("a.example")), *b1 = OBJECT(A, "1", NAME("b.example"));
    check_compiled("a.example\nc.example\n", NULL, 2,
                   SAID("0", "a.example", "a.example") SAID("20", "c.example", "c.example"));
    check_compiled("a.example\n", "b.example\n", 2,
                   SAID("0", "a.example", "a.example") SAID("10", "b.example", "b.example"));
    check_compiled(a1, b1, 1, SAID("0", "a.example", IND_A)); /* the set's is newer */
    check_compiled(b1, a1, 1, SAID("0", "a.example", IND_A));
    check_compiled(b1, OBJECT(A, "2", NAME("a.example") ",\"revoked\":true"), 0, "");
    check_compiled(a1, OBJECT(B, "1", NAME("b.example")), 2,
                   SAID("0", "a.example", IND_A) SAID("10", "b.example", "indicator--" B));
}

static void test_source_that_is_no_stix(void)
{
    struct err e = {0};
    struct sensor_indicators *s = sensor_indicators_new(NULL, NULL);
    CHECK(!padded_text(s, "{\"Event\":{}}", &e) && strstr(e.msg, "test"));
    CHECK(!padded_text(s, "{\n \"type\": oops\n}", &e) && strstr(e.msg, "line 2"));
    CHECK(!padded_text(s, "\x1f\x8b\x08", &e) && strstr(e.msg, "zcat"));
    CHECK(!padded_text(s,
                       "\xff\xfe"
                       "a",
                       &e) &&
          strstr(e.msg, "iconv"));
    CHECK(!sensor_indicators_load(s, "/no/such/file", &(struct peer_endpoint){0}, STR_NONE, &e));
    sensor_indicators_free(s);
}

/* ---- alerts and sightings ---- */

static void test_alert(void)
{
    struct match_indicator m = {.id = STR("x--1"), .name = STR("A \"name\"")};
    struct match_hit h = {.relation = MATCH_SUBDOMAIN,
                          .kind = OBSERVABLE_DOMAIN,
                          .observable = STR("a.example"),
                          .seen = {"A\x01\xff.example", 11}};
    struct sensor_alert a = {.input = STR("in\\put"),
                             .time = STR("T"),
                             .line = 7,
                             .offset = 12345678901u,
                             .hit = &h,
                             .indicator = &m};
    struct packet_gpdu g = {.teid = 8, .qfi = -1, .direction = PACKET_UPLINK, .interface = "n3"};
    struct buf b;
    buf_init(&b, 0);
    sensor_alert_put(&b, &a);
    CHECK(str_eq(buf_view(&b),
                 STR("{\"time\":\"T\",\"input\":\"in\\\\put\",\"line\":7,\"offset\":12345678901,"
                     "\"kind\":\"domain\",\"observable\":\"a.example\",\"seen\":\"A\\u0001"
                     "\xef\xbf\xbd.example\",\"relation\":\"subdomain\",\"indicator\":\"x--1\","
                     "\"name\":\"A \\\"name\\\"\",\"tlp\":null,\"labels\":[]}\n")));
    m.tlp = STR("green");
    m.labels = STR("[\"c2\"]");
    buf_clear(&b);
    sensor_alert_put(&b, &a);
    CHECK(str_ends(buf_view(&b), STR("\"tlp\":\"green\",\"labels\":[\"c2\"]}\n")));
    buf_clear(&b);
    a.frame = 3;
    a.offset = UINT64_MAX;
    a.field = "dns";
    a.gpdu = &g;
    sensor_alert_put(&b, &a);
    CHECK(str_starts(buf_view(&b), STR("{\"time\":\"T\",\"input\":\"in\\\\put\",\"frame\":3,"
                                       "\"offset\":null,\"kind\":")));
    CHECK(str_ends(buf_view(&b),
                   STR("\"labels\":[\"c2\"],\"field\":\"dns\",\"interface\":\"n3\",\"direction\":"
                       "\"uplink\",\"teid\":8,\"qfi\":null,\"session\":null,"
                       "\"ran_node\":null,\"sst\":null,\"sd\":null}\n")));
    buf_done(&b);
}

struct counting {
    struct found f;
    struct sensor_sightings *s;
};

static bool count_alert(void *ctx, const struct sensor_alert *a)
{
    struct counting *c = ctx;
    sensor_sightings_add(c->s, a);
    return on_alert(&c->f, a);
}

/* Scans `log` with the indicators of the fake server and writes the sightings of `identity`. */
static struct sensor_sightings *sighted(struct sensor_indicators *s, struct str log,
                                        struct str identity, struct err *e)
{
    struct counting c = {0};
    bool to_end;
    struct peer_endpoint how = {.token = STR("secret")};
    CHECK_ROW(sensor_indicators_load(s, "https://taxii.example/api/", &how, STR("feed"), e), "%s",
              e->msg);
    CHECK(sensor_indicators_seal(s, now_us(), e) && sensor_sightings_new(&c.s, e));
    put_file(log);
    struct sensor_scan sc = {.set = sensor_indicators_set(s), .alert = count_alert, .ctx = &c};
    CHECK(sensor_scan_input(&sc, path, &to_end, e));
    CHECK(sensor_sightings_write(c.s, identity, 1789344000123456, e));
    buf_done(&c.f.text);
    return c.s;
}

#define ME "identity--33333333-3333-4333-8333-333333333333"

static void no_finding(void *ctx, const struct stix_finding *f)
{
    (void)ctx;
    CHECK_ROW(f->severity != STIX_ERROR, "%s: %.*s", f->rule, STR_FMT(f->message));
}

static void test_sighting(void)
{
    struct err e = {0};
    struct sensor_indicators *s = sensor_indicators_new(NULL, NULL);
    struct json_reader *r = json_reader_new();
    struct arena *a = arena_new(1 << 20);
    struct buf b;
    const struct json *doc;
    /* Two markings: the stricter of them; no marking: none. */
    server.page =
        "[" OBJECT(A, "1",
                   NAME("a.example") ",\"object_marking_refs\":["
                                     "\"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da\","
                                     "\"marking-definition--f88d31f6-486f-44da-b317-"
                                     "01333bde0b82\"]") "," OBJECT(B, "1", NAME("b.example")) "]";
    CHECK(padded_text(s, "c.example\n", &e));
    struct sensor_sightings *g =
        sighted(s, STR("secret a.example x.a.example\nc.example b.example\n"), STR(ME), &e);
    CHECK(sensor_sightings_count(g) == 2);
    buf_init(&b, 0);
    sensor_sightings_put(g, 0, 2, &b);
    CHECK_ROW(json_parse(r, a, buf_view(&b), false, &doc, &e), "%s", e.msg);
    const struct json *o = json_get(doc, STR("objects"))->u.child;
    CHECK(str_eq(json_get_str(o, STR("sighting_of_ref")), STR("indicator--" A)));
    CHECK(json_get(o, STR("count"))->u.i == 2);
    CHECK(str_eq(json_get_str(o, STR("created_by_ref")), STR(ME)));
    CHECK(str_eq(json_get(o, STR("where_sighted_refs"))->u.child->u.s, STR(ME)));
    CHECK(str_eq(json_get_str(o, STR("created")), STR("2026-09-14T00:00:00.123Z")));
    CHECK(str_eq(json_get_str(o, STR("modified")), json_get_str(o, STR("created"))));
    const struct json *marks = json_get(o, STR("object_marking_refs"));
    CHECK(marks && marks->count == 1 && str_eq(marks->u.child->u.s, stix_tlp_id(STIX_TLP_AMBER)));
    CHECK(stix_id_parse(json_get_str(o, STR("id")), NULL, &e));
    CHECK(stix_object_check(o, &(struct stix_check_options){.strict = false}, no_finding, NULL) ==
          0);
    CHECK(!json_get(o->next, STR("object_marking_refs")));
    CHECK(!strstr((buf_byte(&b, '\0'), b.p), "secret") && !strstr(b.p, "a.example"));
    buf_done(&b);
    sensor_sightings_free(g);
    sensor_indicators_free(s);
    arena_free(a);
    json_reader_free(r);
}

/* Counts and lines as one run saves them for the next. */
static struct sensor_sightings *restored(struct str saved, bool evidence, struct err *e)
{
    struct sensor_sightings *s;
    CHECK(sensor_sightings_new(&s, e));
    if (evidence)
        sensor_sightings_evidence(s);
    if (sensor_sightings_restore(s, saved, e))
        return s;
    sensor_sightings_free(s);
    return NULL;
}

static void test_saved_sightings(void)
{
    struct match_indicator m = {.id = STR("indicator--" A), .tlp = STR("green"), .stix = true};
    struct str log = STR("one \xff\"\ntwo\n"),
               seen[] = {str_slice(log, 0, 3), str_slice(log, 7, 10)};
    struct sensor_sightings *s;
    struct err e = {0};
    struct buf saved, again;
    buf_init(&saved, 0);
    buf_init(&again, 0);
    CHECK(sensor_sightings_new(&s, &e));
    sensor_sightings_evidence(s);
    for (size_t i = 0; i < 3; i++) {
        struct match_hit h = {.seen = seen[i % 2]};
        sensor_sightings_add(
            s, &(struct sensor_alert){
                   .time_us = 7 + (int64_t)i, .hit = &h, .indicator = &m, .around = log});
    }
    sensor_sightings_save(s, &saved);
    sensor_sightings_free(s);
    CHECK(str_eq(buf_view(&saved),
                 STR("{\"sighting_of\":\"indicator--" A "\",\"count\":\"3\",\"first_us\":\"7\","
                     "\"last_us\":\"9\",\"tlp\":\"green\",\"marks\":\"\",\"lines\":["
                     "{\"us\":\"7\",\"payload_bin\":\"b25lIP8i\"},"
                     "{\"us\":\"8\",\"payload_bin\":\"dHdv\"}]}\n")));
    for (size_t n = 1; n < saved.n - 1; n++) {
        e.msg[0] = '\0';
        CHECK(!restored(str_slice(buf_view(&saved), 0, n), true, &e) && e.msg[0]);
    }
    for (int evidence = 0; evidence < 2; evidence++) {
        buf_clear(&again);
        s = restored(buf_view(&saved), evidence, &e);
        must(s);
        sensor_sightings_save(s, &again);
        sensor_sightings_free(s);
        CHECK(str_eq(buf_view(&again), buf_view(&saved)) == (evidence == 1));
        CHECK((memmem(again.p, again.n, "payload", 7) != NULL) == (evidence == 1));
    }
    buf_done(&again);
    buf_done(&saved);
}

/* What rules say: one sighting a rule, of the technique's attack-pattern. */
static void test_sighting_of_techniques(void)
{
    struct err e = {0};
    struct json_reader *r = json_reader_new();
    struct arena *a = arena_new(1 << 20);
    struct sensor_sightings *g = NULL;
    const struct json *doc;
    char id[STIX_TECHNIQUE_ID_TEXT];
    size_t rules;
    struct buf b;
    const struct packet_rule *rule = packet_rules(&rules);
    CHECK(sensor_sightings_new(&g, &e) && !sensor_sightings_any(g));
    for (int i = 0; i < 3; i++) {
        struct packet_alert said = {.rule = rule + (i > 0),
                                    .time_us = 1789344000123456 - i * 1000000,
                                    .interface = "n3",
                                    .has_session = true,
                                    .handle = "not to be told.",
                                    .message = STR("192.0.2.1 does")};
        sensor_sightings_signal(g, &said);
    }
    CHECK(sensor_sightings_any(g) && sensor_sightings_write(g, STR(ME), 1789344001000000, &e));
    CHECK(sensor_sightings_count(g) == 2);
    buf_init(&b, 0);
    sensor_sightings_put(g, 0, 2, &b);
    CHECK_ROW(json_parse(r, a, buf_view(&b), false, &doc, &e), "%s", e.msg);
    const struct json *o = json_get(doc, STR("objects"))->u.child->next;
    CHECK(str_eq(json_get_str(o, STR("sighting_of_ref")),
                 stix_fight_technique(str_of(rule[1].technique), id)));
    /* UUIDv5 of FGT1599.505 in that of https://fight.mitre.org/ among URLs, by another program. */
    CHECK(str_eq(str_of(rule[1].technique), STR("FGT1599.505")) &&
          str_eq(str_of(id), STR("attack-pattern--36dd6168-a55b-575b-b85b-9698a86257fe")));
    CHECK(json_get(o, STR("count"))->u.i == 2);
    /* Whole minutes about both times: the instant would tell a session of the operator's. */
    CHECK(str_eq(json_get_str(o, STR("first_seen")), STR("2026-09-13T23:59:00.000Z")));
    CHECK(str_eq(json_get_str(o, STR("last_seen")), STR("2026-09-14T00:00:00.000Z")));
    CHECK(str_eq(json_get(o, STR("where_sighted_refs"))->u.child->u.s, STR(ME)));
    const struct json *x = json_get(json_get(o, STR("extensions")), STR(STIX_TELECOM_INCIDENT));
    CHECK(str_eq(json_get(x, STR("rules"))->u.child->u.s, str_of(rule[1].name)));
    CHECK(str_eq(json_get(x, STR("techniques"))->u.child->u.s, str_of(rule[1].technique)));
    for (; o; o = o->next)
        CHECK(stix_object_check(o, &(struct stix_check_options){.strict = false}, no_finding,
                                NULL) == 0);
    buf_byte(&b, '\0');
    CHECK(!strstr(b.p, "192.0.2.1") && !strstr(b.p, "6e6f7420746f"));
    buf_done(&b);
    sensor_sightings_free(g);
    arena_free(a);
    json_reader_free(r);
}

#define MARK(n)      "\"marking-definition--" n "1111111-1111-4111-8111-111111111111\""
#define MARKED(refs) OBJECT(A, "1", NAME("a.example") ",\"object_marking_refs\":[" refs "]")
#define PLAIN        OBJECT(A, "1", NAME("a.example"))
#define GREEN        "\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\""
#define RED          "\"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1\""

/* One version in a file and on a server that marks what is unmarked. */
static const struct {
    const char *file, *page;
    enum stix_tlp standard, want;
    const char *refs; /* of the sighting, besides TLP: first digits */
} copy_rows[] = {
    {PLAIN, "[" PLAIN "]", STIX_TLP_AMBER, STIX_TLP_AMBER, ""},
    {PLAIN, "[" PLAIN "]", STIX_TLP_NONE, STIX_TLP_NONE, ""},
    {MARKED(GREEN), "[" PLAIN "]", STIX_TLP_AMBER, STIX_TLP_AMBER, ""},
    {MARKED(RED), "[" PLAIN "]", STIX_TLP_AMBER, STIX_TLP_RED, ""},
    {PLAIN, "[" MARKED(GREEN) "]", STIX_TLP_AMBER, STIX_TLP_GREEN, ""},
    {PLAIN, "[" MARKED(MARK("1")) "]", STIX_TLP_AMBER, STIX_TLP_AMBER, "1"},
    {MARKED(GREEN "," MARK("1") "," MARK("2")), "[]", STIX_TLP_NONE, STIX_TLP_GREEN, "12"},
    {MARKED(MARK("1") "," MARK("2") "," MARK("1")), "[" MARKED(MARK("2") "," MARK("3")) "]",
     STIX_TLP_NONE, STIX_TLP_NONE, "123"},
    {MARKED("7,\"identity--" A "\",\"x\"," MARK("4")), "[]", STIX_TLP_NONE, STIX_TLP_NONE, "4"},
};

/* The markings of the one sighting of the row's indicator, read in one order or the other. */
static void check_copies(size_t row, bool server_first)
{
    struct err e = {0};
    struct peer_endpoint how = {.token = STR("secret")};
    struct sensor_indicators *s = sensor_indicators_new(NULL, NULL);
    struct counting c = {0};
    bool to_end;
    struct buf text, want;
    buf_init(&text, 0);
    buf_init(&want, 0);
    server.page = copy_rows[row].page;
    server.marking = copy_rows[row].standard;
    for (int i = 0; i < 2; i++)
        CHECK((i == 0) == server_first
                  ? sensor_indicators_load(s, "https://taxii.example/api/", &how, STR("feed"), &e)
                  : padded_text(s, copy_rows[row].file, &e));
    server.marking = STIX_TLP_NONE;
    CHECK(sensor_indicators_seal(s, now_us(), &e) && sensor_sightings_new(&c.s, &e));
    put_file(STR("a.example\n"));
    struct sensor_scan sc = {.set = sensor_indicators_set(s), .alert = count_alert, .ctx = &c};
    CHECK(sensor_scan_input(&sc, path, &to_end, &e) &&
          sensor_sightings_write(c.s, STR(ME), now_us(), &e));
    CHECK(sensor_sightings_count(c.s) == 1);
    sensor_sightings_put(c.s, 0, 1, &text);
    if (copy_rows[row].want != STIX_TLP_NONE)
        json_put_string(&want, stix_tlp_id(copy_rows[row].want));
    for (const char *r = copy_rows[row].refs; *r; r++)
        buf_printf(&want, "%s\"marking-definition--%c1111111-1111-4111-8111-111111111111\"",
                   want.n ? "," : "", *r);
    buf_byte(&text, '\0');
    buf_byte(&want, '\0');
    const char *refs = strstr(text.p, "object_marking_refs\":[");
    refs = refs ? refs + strlen("object_marking_refs\":[") : "]";
    size_t n = strcspn(refs, "]");
    /* Of two copies the markings of the file or of the server may stand first. */
    CHECK_ROW(server_first ? n == want.n - 1 : strncmp(refs, want.p, n) == 0 && n == want.n - 1,
              "row %zu, %d: %s is not %s", row, server_first, refs, want.p);
    buf_done(&c.f.text);
    buf_done(&text);
    buf_done(&want);
    sensor_sightings_free(c.s);
    sensor_indicators_free(s);
}

static void test_copies(void)
{
    for (size_t i = 0; i < sizeof copy_rows / sizeof *copy_rows; i++) {
        check_copies(i, false);
        check_copies(i, true);
    }
}

/* More markings than a sighting takes over. */
static void test_many_markings(void)
{
    struct err e = {0};
    struct sensor_indicators *s = sensor_indicators_new(NULL, NULL);
    struct buf page, text;
    size_t count = 0;
    buf_init(&page, 0);
    buf_init(&text, 0);
    buf_lit(&page, "[" OBJECT(A, "1", NAME("a.example") ",\"object_marking_refs\":[" GREEN));
    page.n--; /* without the object's brace */
    for (int i = 0; i < 100; i++)
        buf_printf(&page, ",\"marking-definition--%08d-1111-4111-8111-111111111111\"", i);
    buf_lit(&page, "]}]");
    buf_byte(&page, '\0');
    server.page = page.p;
    struct sensor_sightings *g = sighted(s, STR("a.example\n"), STR(ME), &e);
    sensor_sightings_put(g, 0, sensor_sightings_count(g), &text);
    buf_byte(&text, '\0');
    for (const char *p = text.p; (p = strstr(p, "marking-definition--")); p++)
        count++;
    CHECK_ROW(count == 1 + LIMIT_SENSOR_MARKINGS, "%zu in %s", count, text.p);
    buf_done(&page);
    buf_done(&text);
    sensor_sightings_free(g);
    sensor_indicators_free(s);
}

/* 2,500 indicators, all of them seen: three envelopes; a failure tells how far it came. */
static void test_sending(size_t fail_at, size_t handed)
{
    struct err e = {0};
    struct peer_endpoint how = {.token = STR("secret")};
    struct sensor_indicators *s = sensor_indicators_new(NULL, NULL);
    struct sensor_target *t = NULL;
    struct buf page, log;
    buf_init(&page, 0);
    buf_init(&log, 0);
    buf_byte(&page, '[');
    for (int i = 0; i < 2500; i++) {
        buf_printf(&page,
                   "%s{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--%08d-"
                   "1111-4111-8111-111111111111\",\"created\":\"2026-01-01T00:00:00.000Z\","
                   "\"modified\":\"2026-01-01T00:00:00.000Z\"," NAME("n%d.example") "}",
                   i ? "," : "", i, i);
        buf_printf(&log, "n%d.example\n", i);
    }
    buf_byte(&page, ']');
    buf_byte(&page, '\0');
    server.page = page.p;
    server.identity = ME;
    server.fail_at = fail_at;
    server.posts = 0;
    CHECK(!sensor_target_open("https://taxii.example/api/", &how, STR("no"), STR_NONE, &t, &e));
    CHECK(sensor_target_open("https://taxii.example/api/", &how, STR("feed"), STR_NONE, &t, &e));
    struct sensor_sightings *g = sighted(s, buf_view(&log), sensor_target_identity(t), &e);
    struct sensor_sent sent = {0};
    CHECK(sensor_target_send(t, g, &sent, &e) == (fail_at == 0));
    CHECK(sent.handed == handed && sent.success == handed && sent.failure == 0);
    CHECK(server.objects[0] == 1000);
    if (fail_at == 0)
        CHECK(server.posts == 3 && server.objects[2] == 500);
    sensor_sightings_free(g);
    sensor_target_close(t);
    sensor_indicators_free(s);
    buf_done(&page);
    buf_done(&log);
}

/* Who sees must be known before anything is read. */
static void test_nobody(void)
{
    struct err e = {0};
    struct peer_endpoint how = {.token = STR("secret")};
    struct sensor_target *t = NULL;
    server.identity = "";
    CHECK(!sensor_target_open("https://taxii.example/api/", &how, STR("feed"), STR_NONE, &t, &e));
    CHECK(e.code == ERR_USAGE);
    CHECK(sensor_target_open("https://taxii.example/api/", &how, STR("feed"), STR(ME), &t, &e));
    CHECK(str_eq(sensor_target_identity(t), STR(ME)));
    sensor_target_close(t);
}

/* What rotation may have called, what was in a log. */
static void test_names_of_rotation(void)
{
    static const struct {
        const char *name, *of;
        bool is;
    } rows[] = {
        {"d/app.log.1", "d/app.log", true},
        {"d/app.log-20261127", "d/app.log", true},
        {"d/app.log-2026-11-27.gz", "d/app.log-2026-11-26", true},
        {"d/app.log.2.gz", "d/app.log.1", true},
        {"d/app.log.3.xz", "d/app.log.2.gz", true},
        {"d/app.log.gz", "d/app.log", true},
        {"d/syslog-ng.log", "d/syslog", true},
        {"d/app.log", "d/app.log", false},
        {"d/app.log", "d/app.log.1", false},
        {"d/app.log", "d/app.log.1.gz", false},
        {"d/app.logs", "d/app.log", false},
        {"d/app.log_1", "d/app.log", false},
        {"e/app.log.1", "d/app.log", false},
        {"d.2/app.1", "d.1/app", false},
        {"d/1.2", "d/1", true},
        {"d/2.1", "d/1", false},
        {"1", "", false},
        {"", "", false},
        {"", "app.log", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_ROW(sensor_is_rotated(str_of(rows[i].name), str_of(rows[i].of)) == rows[i].is,
                  "%s of %s", rows[i].name, rows[i].of);
}

/* The same bytes plain and packed, wherever they stand in them. */
static void test_hashes_of_text(void)
{
    enum { TEXT = 700000, ROOM = 1000000 };
    static const char *const with[] = {"cat", "gzip -c", "xz -c", "zstd -qc"};
    static const uint64_t offsets[] = {0, 1, 255, 262143, 262144, TEXT - 256, TEXT - 1, TEXT};
    struct err e = {0};
    char *text = base_alloc(TEXT), command[9000];
    must(text);
    for (size_t i = 0; i < TEXT; i++)
        text[i] = (char)('a' + (i * i / 7 + i / 300) % 26);
    CHECK(file_write(path, (struct str){text, TEXT}, 0600, &e));
    for (size_t w = 0; w < sizeof with / sizeof *with; w++) {
        char packed[4200];
        snprintf(packed, sizeof packed, "%s.packed", path);
        snprintf(command, sizeof command, "%s < '%s' > '%s'", with[w], path, packed);
        if (system(command) != 0) /* NOLINT(cert-env33-c): the path is our own */
            continue;             /* there is no such tool */
        int fd = open(packed, O_RDONLY | O_CLOEXEC);
        CHECK(fd >= 0 && sensor_is_packed(fd) == (w > 0) && lseek(fd, 7, SEEK_SET) == 7);
        for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
            size_t left = (size_t)(TEXT - offsets[i]), n = left < 256 ? left : 256;
            uint64_t hash;
            CHECK_ROW(sensor_text_hash(fd, offsets[i], n, &hash) &&
                          hash == str_hash((struct str){text + offsets[i], n}, 0) &&
                          lseek(fd, 0, SEEK_CUR) == 7,
                      "%s at %zu", with[w], (size_t)offsets[i]);
            CHECK_ROW(n == 256 || !sensor_text_hash(fd, offsets[i], n + 1, &hash), "%s", with[w]);
        }
        /* Cut short it has what stands before. */
        uint64_t hash;
        CHECK(truncate(packed, 50) == 0 && !sensor_text_hash(fd, TEXT - 256, 256, &hash));
        close(fd);
        unlink(packed);
    }
    CHECK(file_write(path, STR_NONE, 0600, &e));
    base_free(text);
}

int main(void)
{
    struct err e;
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/test_sensor_XXXXXX", tmp ? tmp : "/tmp");
    int fd = mkstemp(path);
    must(fd >= 0 && crypt_init(&e));
    close(fd);
    test_borders();
    test_pipe();
    test_long_line();
    test_threads();
    test_stopping_and_failing();
    test_sources();
    test_compiled();
    test_source_that_is_no_stix();
    test_alert();
    test_sighting();
    test_saved_sightings();
    test_sighting_of_techniques();
    test_copies();
    test_many_markings();
    test_sending(0, 2500);
    test_sending(2, 1000);
    test_nobody();
    test_names_of_rotation();
    test_hashes_of_text();
    unlink(path);
    TEST_END();
}
