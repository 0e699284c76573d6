/*
 * What matches what: rows of a list of indicators, a text, and the hits it must yield, one a line:
 * KIND RELATION INDICATOR OBSERVABLE SEEN. Then every prefix of every text, and sets as such.
 */
#include "match/match.h"
#include "test.h"

#define MD5    "d41d8cd98f00b204e9800998ecf8427e"
#define SHA1   "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct {
    const char *list, *text, *hits;
} rows[] = {
#include "rows_address.inc"
#include "rows_name.inc"
#include "rows_other.inc"
#include "rows_url.inc"
};

static struct match_set *set_of(struct str list)
{
    struct match_set *s = match_set_new();
    struct match_list_options options = {.like = {.from_us = INT64_MIN, .until_us = INT64_MAX}};
    struct err e;
    if (s == NULL || !match_set_load_list(s, list, &options, &e) || !match_set_seal(s, &e))
        abort();
    CHECK_ROW(options.unknown_count == 0, "%.*s", STR_FMT(list));
    return s;
}

struct telling {
    const struct match_set *set;
    struct str text;
    const char *last;
    struct buf out;
};

static bool on_hit(void *ctx, const struct match_hit *h)
{
    struct telling *t = ctx;
    CHECK(h->seen.n > 0 && h->seen.p >= t->text.p &&
          h->seen.p + h->seen.n <= t->text.p + t->text.n);
    CHECK(h->seen.p >= t->last);
    t->last = h->seen.p;
    buf_printf(&t->out, "%s %s %.*s %.*s %.*s\n", observable_kind_name(h->kind),
               match_relation_name(h->relation), STR_FMT(match_set_get(t->set, h->indicator).id),
               STR_FMT(h->observable), STR_FMT(h->seen));
    return true;
}

static void tell(const struct match_set *s, struct str text, struct telling *t)
{
    t->set = s;
    t->text = text;
    t->last = text.p;
    buf_clear(&t->out);
    match_scan(s, text, 0, on_hit, t);
}

static void test_rows(void)
{
    struct telling t = {0};
    buf_init(&t.out, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct match_set *s = set_of(str_of(rows[i].list));
        struct str text = str_of(rows[i].text);
        tell(s, text, &t);
        CHECK_ROW(str_eq(buf_view(&t.out), str_of(rows[i].hits)),
                  "row %zu: %s\n--- expected\n%s--- got\n%.*s", i, rows[i].text, rows[i].hits,
                  STR_FMT(buf_view(&t.out)));
        for (size_t n = 0; n <= text.n; n++) {
            char *exact = malloc(n ? n : 1);
            if (exact == NULL)
                abort();
            memcpy(exact, text.p, n);
            tell(s, (struct str){exact, n}, &t);
            free(exact);
        }
        match_set_free(s);
    }
    buf_done(&t.out);
}

/* ---- sets --------------------------------------------------------------------------------- */

static void add(struct match_set *s, const char *id, int64_t from, int64_t until, const char *value)
{
    char out[OBSERVABLE_ROOM(200)];
    struct match_indicator i = {.id = str_of(id), .from_us = from, .until_us = until};
    struct observable o;
    struct err e;
    uint32_t index;
    CHECK(observable_guess(str_of(value), out, sizeof out, &o, &e) &&
          match_set_indicator(s, &i, &index, &e) && match_set_value(s, index, &o, &e) &&
          match_set_value(s, index, &o, &e));
}

static void check_told(const struct match_set *s, int64_t now, const char *text, const char *hits)
{
    struct telling t = {.set = s, .text = str_of(text), .last = text};
    buf_init(&t.out, 0);
    match_scan(s, t.text, now, on_hit, &t);
    CHECK_ROW(str_eq(buf_view(&t.out), str_of(hits)), "at %lld: %.*s", (long long)now,
              STR_FMT(buf_view(&t.out)));
    buf_done(&t.out);
}

static void test_validity(void)
{
    struct match_set *s = match_set_new();
    struct err e;
    add(s, "a", 10, 20, "evil.com");
    add(s, "b", INT64_MIN, INT64_MAX, "evil.com");
    add(s, "c", 20, INT64_MAX, "evil.com");
    CHECK(match_set_indicators(s) == 3);
    CHECK(match_set_seal(s, &e));
    CHECK(match_set_values(s) == 1 && match_set_indicators(s) == 3);
#define HIT(id) "domain exact " id " evil.com evil.com\n"
    check_told(s, 9, "evil.com", HIT("b"));
    check_told(s, 10, "evil.com", HIT("a") HIT("b"));
    check_told(s, 19, "evil.com", HIT("a") HIT("b"));
    check_told(s, 20, "evil.com", HIT("b") HIT("c"));
    check_told(s, INT64_MIN, "evil.com", HIT("b"));
#undef HIT
    match_set_free(s);
}

static bool stop_at_second(void *ctx, const struct match_hit *h)
{
    size_t *count = ctx;
    (void)h;
    return ++*count < 2;
}

static void test_stopping(void)
{
    struct match_set *s = set_of(STR("evil.com\n1.2.3.4\n1.2.3.0/24\nhttp://evil.com/"));
    static const char *const texts[] = {"evil.com a.evil.com evil.com", "1.2.3.4 1.2.3.4",
                                        "http://evil.com/ evil.com",
                                        "evil[.]com evil[.]com evil.com", "1.2.3.4-1.2.3.4"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t count = 0;
        match_scan(s, str_of(texts[i]), 0, stop_at_second, &count);
        CHECK_ROW(count == 2, "%s: %zu", texts[i], count);
    }
    match_set_free(s);
}

struct unknown {
    size_t count, lines;
    bool reasons;
};

static void on_unknown(void *ctx, size_t line, struct str text, const struct err *why)
{
    struct unknown *u = ctx;
    u->count++;
    u->lines = u->lines * 100 + line;
    u->reasons = u->reasons && text.n > 0 && why->msg[0] != 0;
}

static void test_list(void)
{
    struct unknown u = {.reasons = true};
    struct match_list_options options = {.like = {.name = STR("list"),
                                                  .tlp = STR("amber"),
                                                  .labels = STR("[\"a\"]"),
                                                  .until_us = INT64_MAX},
                                         .unknown = on_unknown,
                                         .ctx = &u};
    struct match_set *s = match_set_new();
    struct err e;
    CHECK(match_set_load_list(s,
                              STR("\xef\xbb\xbf# head\r\n\r\nevil.com # why\r\nnonsense\n"
                                  "http://evil.com/a#b\n  10.0.0.0/8\t#x\nfoo bar\n#end"),
                              &options, &e));
    CHECK(options.added_count == 3 && options.unknown_count == 2);
    CHECK(u.count == 2 && u.lines == 407 && u.reasons);
    CHECK(match_set_seal(s, &e) && match_set_indicators(s) == 3);
    const struct match_indicator i = match_set_get(s, 1);
    CHECK(str_eq(i.id, STR("http://evil.com/a#b")) && str_eq(i.name, STR("list")) &&
          str_eq(i.tlp, STR("amber")) && str_eq(i.labels, STR("[\"a\"]")) && i.from_us == 0);
    match_set_free(s);
}

/* A name of one label is found alone, and nothing below it. */
static void test_single_label(void)
{
    char out[64];
    struct match_set *s = match_set_new();
    struct match_indicator i = {.id = STR("x"), .from_us = INT64_MIN, .until_us = INT64_MAX};
    struct observable o;
    struct err e;
    uint32_t index;
    CHECK(observable_normalize(OBSERVABLE_DOMAIN, STR("Com."), true, out, sizeof out, &o, &e) &&
          match_set_indicator(s, &i, &index, &e) && match_set_value(s, index, &o, &e) &&
          match_set_seal(s, &e));
    check_told(s, 0, "evil.com com.au xcom com-x com_x http://com.au/ x@com.au", "");
    check_told(s, 0, "com \"COM\" com. //com:80 x@com",
               "domain exact x com com\ndomain exact x com COM\ndomain exact x com com.\n"
               "domain exact x com com\ndomain exact x com com\n");
    match_set_free(s);
}

static void test_empty(void)
{
    struct match_set *s = match_set_new();
    struct err e;
    CHECK(match_set_seal(s, &e));
    check_told(s, 0, "http://a.b/c d@e.f 1.2.3.4 2001:db8::1 " MD5 " x[.]y \\u0041.b", "");
    check_told(s, 0, "", "");
    match_set_free(s);
    match_set_free(NULL);
}

/* Far more values than the first tables hold, every one found, their neighbours not. */
static void test_many(void)
{
    struct match_set *s = match_set_new();
    struct match_list_options options = {.like = {.from_us = INT64_MIN, .until_us = INT64_MAX}};
    struct err e;
    struct buf list, text, hits;
    buf_init(&list, 0);
    buf_init(&text, 0);
    buf_init(&hits, 0);
    for (unsigned i = 0; i < 20000; i++) {
        buf_printf(&list, "n%u.example\n10.%u.%u.1\n", i, i / 256, i % 256);
        buf_printf(&text, "n%u.example 10.%u.%u.1 m%u.example 10.%u.%u.2\n", i, i / 256, i % 256, i,
                   i / 256, i % 256);
        buf_printf(&hits,
                   "domain exact n%u.example n%u.example n%u.example\n"
                   "ipv4 exact 10.%u.%u.1 10.%u.%u.1 10.%u.%u.1\n",
                   i, i, i, i / 256, i % 256, i / 256, i % 256, i / 256, i % 256);
    }
    CHECK(match_set_load_list(s, buf_view(&list), &options, &e) && match_set_seal(s, &e));
    CHECK(match_set_values(s) == 40000);
    struct telling t = {0};
    buf_init(&t.out, 0);
    tell(s, buf_view(&text), &t);
    CHECK(str_eq(buf_view(&t.out), buf_view(&hits)));
    buf_done(&list);
    buf_done(&text);
    buf_done(&hits);
    buf_done(&t.out);
    match_set_free(s);
}

/* A piece with a defanged sign that is longer than what is decoded at a time, and a URL and a name
 * over the limits. */
static void test_long(void)
{
    struct match_set *s = set_of(STR("evil.com\nhttp://evil.com/a"));
    struct buf text;
    buf_init(&text, 0);
    for (int i = 0; i < 3000; i++)
        buf_lit(&text, "x[.]y,");
    buf_lit(&text, "evil[.]com ");
    for (int i = 0; i < 300; i++)
        buf_lit(&text, "a.");
    buf_lit(&text, "evil.com http://evil.com/a");
    for (int i = 0; i < 9000; i++)
        buf_lit(&text, "a");
    struct telling t = {0};
    buf_init(&t.out, 0);
    tell(s, buf_view(&text), &t);
    CHECK_ROW(str_eq(buf_view(&t.out), STR("domain exact evil.com evil.com evil[.]com\n"
                                           "domain exact evil.com evil.com evil.com\n")),
              "%.*s", STR_FMT(buf_view(&t.out)));
    buf_done(&text);
    buf_done(&t.out);
    match_set_free(s);
}

int main(void)
{
    test_rows();
    test_validity();
    test_stopping();
    test_list();
    test_single_label();
    test_empty();
    test_many();
    test_long();
    TEST_END();
}
