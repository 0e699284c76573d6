/*
 * Recording: whatever match_scan finds, its key was told. Over the rows of test_match.c and all
 * prefixes of their texts, each value of a row alone.
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

static struct match_recorder *recorder;

static struct match_set *set_of(struct str value)
{
    struct match_set *s = match_set_new();
    struct match_list_options options = {.like = {.from_us = INT64_MIN, .until_us = INT64_MAX}};
    struct err e;
    if (s == NULL || !match_set_load_list(s, value, &options, &e) || !match_set_seal(s, &e))
        abort();
    return s;
}

enum { KEYS = 100000 };
struct keys {
    uint64_t keys[KEYS];
    size_t count;
};

static void on_key(void *ctx, uint64_t key)
{
    struct keys *k = ctx;
    if (k->count == KEYS)
        abort();
    k->keys[k->count++] = key;
}

static bool holds(const struct keys *k, uint64_t key)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->keys[i] == key)
            return true;
    return false;
}

static bool on_hit(void *ctx, const struct match_hit *h)
{
    (void)h;
    ++*(size_t *)ctx;
    return true;
}

/* If the text may hold what is in the set. */
static bool maybe(const struct match_set *s, struct str text)
{
    static struct keys asked, told;
    asked.count = told.count = 0;
    if (!match_record_ask(recorder, s, on_key, &asked) ||
        !match_record(recorder, text, on_key, &told))
        return true;
    for (size_t i = 0; i < asked.count; i++)
        if (holds(&told, asked.keys[i]))
            return true;
    return false;
}

struct tally {
    size_t found, passed, texts;
};

static void try_prefixes(struct str value, struct str text, struct tally *t)
{
    struct match_set *s = set_of(value);
    size_t step = text.n > 400 ? 37 : 1;
    for (size_t n = text.n; n <= text.n; n -= step) {
        size_t hits = 0;
        struct str part = str_slice(text, 0, n);
        match_scan(s, part, 0, on_hit, &hits);
        bool may = maybe(s, part);
        CHECK_ROW(hits == 0 || may, "%.*s in %.*s", STR_FMT(value), STR_FMT(part));
        t->found += hits > 0;
        t->passed += may;
        t->texts++;
    }
    match_set_free(s);
}

static void test_found_is_recorded(void)
{
    struct tally t = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str rest = str_of(rows[i].list);
        while (rest.n > 0)
            try_prefixes(str_cut(&rest, '\n'), str_of(rows[i].text), &t);
    }
    CHECK(t.found > 1000);
    CHECK_ROW(t.passed < t.texts, "%zu of %zu", t.passed, t.texts); /* not "perhaps" to all */
}

/* What a text does not hold has no key, and what it holds has. */
static void test_keys(void)
{
    static const struct {
        const char *value;
        bool may;
    } values[] = {
        {"evil.com", true},
        {"a.evil.com", true},
        {"b.evil.com", false},
        {"il.com", false},
        {"10.1.2.3", true},
        {"10.1.2.4", false},
        {"10.1.2.0/24", true},
        {"10.1.2.0/25", true},
        {"10.1.2.128/25", true}, /* by its /24 */
        {"10.1.3.0/25", false},
        {"10.1.0.0/17", true},
        {"10.2.0.0/17", false},
        {"10.0.0.0/9", true},
        {"11.0.0.0/9", false},
        {"0.0.0.0/7", true}, /* no key: anywhere */
        {"200.0.0.0/7", true},
        {"2001:db8::1", true},
        {"2001:db8::2", false},
        {"2001:db8::/64", true},
        {"2001:db8:0:1::/65", false},
        {"2001:db8::/33", true},
        {"2001:db9::/33", false},
        {"ffff::/16", true}, /* no key */
        {"http://evil.com/x", true},
        {"http://evil.com/y", false},
        {"bob@evil.com", true},
        {"eve@evil.com", false},
        {MD5, true},
        {SHA1, false},
    };
    static const char text[] = "x a.evil.com 10.1.2.3 2001:DB8::1 see (http://evil.com/x). "
                               "bob@evil.com " MD5 "\n";
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct match_set *s = set_of(str_of(values[i].value));
        CHECK_ROW(maybe(s, str_of(text)) == values[i].may, "%s", values[i].value);
        match_set_free(s);
    }
}

/* A name of one label may stand anywhere, as nothing is recorded of it. */
static void test_single_label(void)
{
    struct match_set *s = match_set_new();
    struct match_indicator i = {.id = STR("one"), .until_us = INT64_MAX};
    struct observable o = {.kind = OBSERVABLE_DOMAIN, .text = STR("localhost")};
    static struct keys k;
    struct err e;
    uint32_t index;
    CHECK(s != NULL && match_set_indicator(s, &i, &index, &e) &&
          match_set_value(s, index, &o, &e) && match_set_seal(s, &e));
    k.count = 0;
    CHECK(!match_record_ask(recorder, s, on_key, &k));
    match_set_free(s);
}

/* The set below is asked for too. */
static void test_over(void)
{
    struct match_set *below = set_of(STR("evil.com\n1.2.3.4")), *s = match_set_new();
    struct match_indicator i = {.id = STR("one"), .until_us = INT64_MAX};
    struct observable o = {.kind = OBSERVABLE_DOMAIN, .text = STR("bad.example")};
    static struct keys k;
    struct err e;
    uint32_t index;
    CHECK(s != NULL && match_set_indicator(s, &i, &index, &e) && match_set_value(s, index, &o, &e));
    match_set_over(s, below);
    CHECK(match_set_seal(s, &e));
    k.count = 0;
    CHECK(match_record_ask(recorder, s, on_key, &k) && k.count == 3);
    match_set_free(s);
    match_set_free(below);
}

/* Text that would cost too much says that anything may stand in it, and ends. */
static void test_hostile(void)
{
    struct buf b;
    static struct keys k;
    buf_init(&b, 0);
    for (size_t i = 0; i < 20000; i++)
        buf_lit(&b, "http://a/");
    k.count = 0;
    CHECK(!match_record(recorder, str_slice(buf_view(&b), 0, 60000), on_key, &k));
    buf_done(&b);
    CHECK(match_record(recorder, STR_NONE, on_key, &k));
}

int main(void)
{
    struct err e;
    if (!match_recorder_new(0x0123456789abcdef, &recorder, &e))
        abort();
    test_found_is_recorded();
    test_keys();
    test_single_label();
    test_over();
    test_hostile();
    match_recorder_free(recorder);
    TEST_END();
}
