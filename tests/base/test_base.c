/* The ground: slices, UTF-8, instants, arenas, buffers, arithmetic, files, failing allocations. */
#include <fcntl.h>
#include <stdalign.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- slices ---- */

static void test_compare(void)
{
    static const struct {
        struct str a, b;
        int order;
        bool nocase;
    } rows[] = {
        {{"", 0}, {NULL, 0}, 0, true},
        {{"a", 1}, {"a", 1}, 0, true},
        {{"a", 1}, {"A", 1}, 1, true},
        {{"a", 1}, {"ab", 2}, -1, false},
        {{"b", 1}, {"ab", 2}, 1, false},
        {{"a\0b", 3}, {"a\0c", 3}, -1, false},
        {{"a\0B", 3}, {"A\0b", 3}, 1, true},
        {{"\xc3\xa9", 2}, {"z", 1}, 1, false}, /* bytes above 0x7F sort last */
        {{"[", 1}, {"{", 1}, -1, false},       /* 0x20 apart, and no letters */
        {{"@", 1}, {"`", 1}, -1, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int c = str_cmp(rows[i].a, rows[i].b), back = str_cmp(rows[i].b, rows[i].a);
        CHECK_ROW((c > 0) - (c < 0) == rows[i].order && (back > 0) - (back < 0) == -rows[i].order,
                  "row %zu", i);
        CHECK_ROW(str_eq(rows[i].a, rows[i].b) == (rows[i].order == 0), "row %zu", i);
        CHECK_ROW(str_eq_nocase(rows[i].a, rows[i].b) == rows[i].nocase, "row %zu", i);
    }
}

static void test_slices(void)
{
    struct str s = STR("abcdef");
    CHECK(str_eq(str_slice(s, 1, 3), STR("bc")) && str_eq(str_slice(s, 4, 99), STR("ef")));
    CHECK(str_slice(s, 3, 2).n == 0 && str_slice(s, 99, 100).n == 0);
    CHECK(str_slice(s, 99, 100).p == s.p + 6); /* an empty slice still points into s */
    CHECK(str_eq(str_from(s, 4), STR("ef")) && str_from(s, 7).n == 0);
    CHECK(str_from(STR_NONE, 1).p == NULL);
    CHECK(str_starts(s, STR("abc")) && !str_starts(s, STR("abcdefg")) && str_starts(s, STR("")));
    CHECK(str_ends(s, STR("def")) && !str_ends(s, STR("xabcdef")) && str_ends(s, STR_NONE));
    CHECK(str_eq(str_trim(STR(" \t\r\na b\n ")), STR("a b")) && str_trim(STR(" \n")).n == 0);
    CHECK(str_find(s, 'c') == 2 && str_find(s, 'x') == 6 && str_find(STR_NONE, 'x') == 0);
    CHECK(str_of(NULL).p == NULL && str_of("ab").n == 2);
}

static void test_cut(void)
{
    static const struct {
        const char *text;
        size_t parts;
        const char *last;
    } rows[] = {{"", 1, ""}, {",", 2, ""}, {"a", 1, "a"}, {"a,b", 2, "b"}, {"a,,b,", 4, ""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str rest = str_of(rows[i].text), part = STR_NONE;
        size_t n = 0;
        for (; rest.p; n++)
            part = str_cut(&rest, ',');
        CHECK_ROW(n == rows[i].parts && str_eq(part, str_of(rows[i].last)), "%s", rows[i].text);
    }
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1a", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t v = 42;
        bool ok = str_to_u64(str_of(rows[i].text), &v);
        CHECK_ROW(ok == rows[i].ok && v == (ok ? rows[i].value : 42), "%s", rows[i].text);
    }
}

static void test_places(void)
{
    struct str text = STR("ab\n\ncd");
    static const size_t rows[][3] = {{0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {4, 3, 1},
                                     {5, 3, 2}, {6, 3, 3}, {99, 3, 3}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t line, column;
        str_line_column(text, rows[i][0], &line, &column);
        CHECK_ROW(line == rows[i][1] && column == rows[i][2], "offset %zu", rows[i][0]);
    }
}

static void test_hash(void)
{
    char bytes[32] = "abcdefghijklmnopqrstuvwxyz01234";
    for (size_t n = 1; n < sizeof bytes; n++) {
        struct str s = {bytes, n}, shorter = {bytes, n - 1};
        CHECK_ROW(str_hash(s, 1) == str_hash(s, 1) && str_hash(s, 1) != str_hash(s, 2), "%zu", n);
        CHECK_ROW(str_hash(s, 1) != str_hash(shorter, 1), "%zu", n);
    }
    CHECK(str_hash(STR("\0"), 1) != str_hash(STR("\0\0"), 1));
}

/* RFC 3629 §4: one row an edge of its grammar. */
static void test_utf8(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool valid;
    } rows[] = {
        {"", 0, true},
        {"a\0b", 3, true},
        {"\x7f", 1, true},
        {"\x80", 1, false},
        {"\xbf", 1, false},
        {"\xc0\x80", 2, false}, /* overlong */
        {"\xc1\xbf", 2, false},
        {"\xc2\x80", 2, true},
        {"\xc2\x7f", 2, false},
        {"\xc2\xc0", 2, false},
        {"\xdf\xbf", 2, true},
        {"\xe0\x9f\xbf", 3, false}, /* overlong */
        {"\xe0\xa0\x80", 3, true},
        {"\xe0\xa0\xc0", 3, false},
        {"\xec\xbf\xbf", 3, true},
        {"\xed\x9f\xbf", 3, true},
        {"\xed\xa0\x80", 3, false}, /* surrogates */
        {"\xed\xbf\xbf", 3, false},
        {"\xee\x80\x80", 3, true},
        {"\xef\xbf\xbf", 3, true},
        {"\xf0\x8f\xbf\xbf", 4, false}, /* overlong */
        {"\xf0\x90\x80\x80", 4, true},
        {"\xf3\xbf\xbf\xbf", 4, true},
        {"\xf4\x8f\xbf\xbf", 4, true},
        {"\xf4\x90\x80\x80", 4, false}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 4, false},
        {"\xff", 1, false},
        {"\xe0\xa4\xb8\xe0\xa5\x87\xe0\xa4\xa4\xe0\xa5\x81", 12, true},
        {"ok\xc2", 3, false},
        {"ok\xf0\x90\x80", 5, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *exact = malloc(rows[i].n ? rows[i].n : 1); /* so that reading on is seen */
        if (rows[i].n)
            memcpy(exact, rows[i].bytes, rows[i].n);
        CHECK_ROW(utf8_valid((struct str){exact, rows[i].n}) == rows[i].valid, "row %zu", i);
        free(exact);
    }
}

/* ---- instants ---- */

static const struct {
    const char *text;
    int64_t s;
    uint32_t ns;
} instants[] = {
    {"1970-01-01T00:00:00Z", 0, 0},
    {"1970-01-01T00:00:00.000000001Z", 0, 1},
    {"1970-01-01T00:00:00.1Z", 0, 100000000},
    {"1970-01-01T00:00:00.1234567891111Z", 0, 123456789}, /* what is finer is dropped */
    {"1969-12-31T23:59:59.5Z", -1, 500000000},
    {"0000-01-01T00:00:00Z", -62167219200, 0},
    {"0000-02-29T00:00:00Z", -62162121600, 0},
    {"1900-03-01T00:00:00Z", -2203891200, 0},
    {"2000-02-29T12:00:00Z", 951825600, 0},
    {"2024-02-29T23:59:59.999Z", 1709251199, 999000000},
    {"2016-12-31T23:59:60Z", 1483228800, 0},
    {"2016-12-31T23:59:60.25Z", 1483228800, 250000000},
    {"2038-01-19T03:14:08Z", 2147483648, 0},
    {"9999-12-31T23:59:59.999999999Z", 253402300799, 999999999},
};

static void test_instant_parse(void)
{
    struct err e;
    for (size_t i = 0; i < COUNT(instants); i++) {
        struct str text = str_of(instants[i].text);
        struct instant t = {1, 1};
        CHECK_ROW(instant_parse(text, &t, &e), "%s", instants[i].text);
        CHECK_ROW(t.s == instants[i].s && t.ns == instants[i].ns, "%s", instants[i].text);
        for (size_t n = 0; n < text.n; n++) {
            char *exact = malloc(n ? n : 1);
            memcpy(exact, text.p, n);
            t = (struct instant){7, 7};
            CHECK_ROW(!instant_parse((struct str){exact, n}, &t, &e) && e.code == ERR_INVALID &&
                          e.at <= n && t.s == 7 && t.ns == 7,
                      "%s cut to %zu", instants[i].text, n);
            free(exact);
        }
    }
}

static void test_instant_refused(void)
{
    static const char *const rows[] = {
        "2023-02-29T00:00:00Z",     "1900-02-29T00:00:00Z",     "2100-02-29T00:00:00Z",
        "2024-00-01T00:00:00Z",     "2024-13-01T00:00:00Z",     "2024-01-00T00:00:00Z",
        "2024-01-32T00:00:00Z",     "2024-04-31T00:00:00Z",     "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",     "2024-01-01T00:00:61Z",     "2024-01-01t00:00:00Z",
        "2024-01-01T00:00:00z",     "2024-01-01 00:00:00Z",     "2024-01-01T00:00:00+00:00",
        "2024-01-01T00:00:00.Z",    "2024-01-01T00:00:00,5Z",   "2024-01-01T00:00:00.5",
        "2024-01-01T00:00:00Z ",    "2024-01-01T00:00:00ZZ",    " 2024-01-01T00:00:00Z",
        "+024-01-01T00:00:00Z",     "-001-01-01T00:00:00Z",     "10000-01-01T00:00:00Z",
        "2024-01-01T00:00:00.1a2Z", "2024-01-01T00:00:00.-12Z", "2024-1-1T00:00:00.000Z",
        "9999-12-31T23:59:60Z", /* would be a second of the year 10000 */
    };
    struct err e;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct instant t = {7, 7};
        e.code = ERR_NONE;
        CHECK_ROW(!instant_parse(str_of(rows[i]), &t, &e) && e.code == ERR_INVALID && t.s == 7,
                  "%s", rows[i]);
    }
}

/* What people write on a command line: with Z, or with how far their clocks are from UTC. */
static void test_instant_zoned(void)
{
    static const struct {
        const char *text;
        int64_t s;
        uint32_t ns;
    } read[] = {
        {"1970-01-01T05:30:00+05:30", 0, 0},
        {"1970-01-01T09:00:00.25+09:00", 0, 250000000},
        {"1969-12-31T19:00:00-05:00", 0, 0},
        {"1970-01-01T00:00:00-00:00", 0, 0},
        {"1970-01-01T00:00:00+23:59", -86340, 0},
        {"9999-12-31T23:59:59+00:01", 253402300739, 0},
        {"0000-01-01T00:00:00-00:01", -62167219140, 0},
    };
    static const char *const refused[] = {
        "1970-01-01T00:00:00",        "1970-01-01T00:00:00+0530",   "1970-01-01T00:00:00+05",
        "1970-01-01T00:00:00+24:00",  "1970-01-01T00:00:00+05:60",  "1970-01-01T00:00:00 +05:30",
        "1970-01-01T00:00:00+05:3x",  "1970-01-01T00:00:00+05:300", "1970-01-01T00:00:00Z+05:30",
        "1970-01-01T00:00:00.+05:30", "9999-12-31T23:59:59-00:01", /* in UTC of the year 10000 */
        "0000-01-01T00:00:00+00:01",                               /* and of the year before 0 */
    };
    struct err e;
    for (size_t i = 0; i < COUNT(read); i++) {
        struct instant t = {7, 7};
        struct str text = str_of(read[i].text);
        CHECK_ROW(instant_parse_zoned(text, &t, &e), "%s", read[i].text);
        CHECK_ROW(t.s == read[i].s && t.ns == read[i].ns, "%s", read[i].text);
        CHECK_ROW(!instant_parse(text, &t, &e) && e.code == ERR_INVALID, "%s", read[i].text);
        for (size_t n = 0; n < text.n; n++) {
            char *exact = malloc(n ? n : 1);
            memcpy(exact, text.p, n);
            CHECK_ROW(!instant_parse_zoned((struct str){exact, n}, &t, &e) && e.at <= n,
                      "%s cut to %zu", read[i].text, n);
            free(exact);
        }
    }
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct instant t = {7, 7};
        e.code = ERR_NONE;
        CHECK_ROW(!instant_parse_zoned(str_of(refused[i]), &t, &e) && e.code == ERR_INVALID &&
                      t.s == 7,
                  "%s", refused[i]);
    }
    for (size_t i = 0; i < COUNT(instants); i++) {
        struct instant t = {7, 7};
        CHECK_ROW(instant_parse_zoned(str_of(instants[i].text), &t, &e) && t.s == instants[i].s &&
                      t.ns == instants[i].ns,
                  "%s", instants[i].text);
    }
}

static void test_instant_text(void)
{
    static const struct {
        struct instant t;
        int digits;
        const char *text;
    } rows[] = {
        {{0, 0}, 0, "1970-01-01T00:00:00Z"},
        {{0, 999999999}, 0, "1970-01-01T00:00:00Z"}, /* cut, never rounded up */
        {{0, 999999999}, 3, "1970-01-01T00:00:00.999Z"},
        {{-1, 1000}, 6, "1969-12-31T23:59:59.000001Z"},
        {{-62167219200, 1}, 9, "0000-01-01T00:00:00.000000001Z"},
        {{951782400, 0}, 1, "2000-02-29T00:00:00.0Z"},
        {{253402300799, 0}, 0, "9999-12-31T23:59:59Z"},
    };
    char out[INSTANT_TEXT_BYTES];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = instant_text(rows[i].t, rows[i].digits, out);
        CHECK_ROW(str_eq(text, str_of(rows[i].text)) && out[text.n] == '\0', "%s", rows[i].text);
    }
}

/* Every day of 10,000 years: what is written is read back, and days follow each other. */
static void test_instant_days(void)
{
    char out[INSTANT_TEXT_BYTES];
    struct err e;
    size_t wrong = 0;
    for (int64_t s = -62167219200; s <= 253402300799; s += 86400 * 3 + 3601) {
        struct instant t = {0, 0};
        struct str text = instant_text((struct instant){s, 0}, 0, out);
        wrong += !instant_parse(text, &t, &e) || t.s != s || t.ns != 0;
    }
    CHECK(wrong == 0);
    CHECK(instant_us((struct instant){-1, 999999999}) == -1);
    for (int64_t us = -3000001; us <= 3000001; us += 333333)
        CHECK_ROW(instant_us(instant_of_us(us)) == us, "%lld", (long long)us);
    CHECK(instant_cmp((struct instant){1, 5}, (struct instant){1, 6}) < 0);
    CHECK(instant_cmp((struct instant){2, 0}, (struct instant){1, 6}) > 0);
    CHECK(instant_cmp((struct instant){-1, 6}, (struct instant){-1, 6}) == 0);
}

static void test_clock(void)
{
    base_clock_set(-5);
    CHECK(now_us() == -5 && instant_now().s == -1 && instant_now().ns == 999995000);
    base_clock_set(INT64_MIN);
    CHECK(now_us() > 1700000000000000);
    int64_t before = monotonic_us();
    CHECK(monotonic_us() >= before);
}

/* ---- arithmetic and memory ---- */

static void test_arithmetic(void)
{
    size_t r = 7;
    CHECK(size_mul(SIZE_MAX / 2, 2, &r) && r == SIZE_MAX - 1);
    CHECK(size_mul(0, SIZE_MAX, &r) && r == 0);
    CHECK(!size_mul(SIZE_MAX / 2 + 1, 2, &r) && !size_mul((size_t)1 << 32, (size_t)1 << 32, &r));
    CHECK(size_add(SIZE_MAX - 1, 1, &r) && r == SIZE_MAX);
    CHECK(!size_add(SIZE_MAX, 1, &r) && !size_add(SIZE_MAX, SIZE_MAX, &r));
}

static void test_arena(void)
{
    struct err e = {0};
    struct arena *a = arena_new(100000);
    unsigned char *last = NULL;
    bool aligned = true, apart = true;
    CHECK(arena_alloc(a, 0) != NULL);
    for (size_t n = 1; n < 300; n++) {
        unsigned char *p = arena_alloc(a, n);
        if (!p)
            break;
        aligned = aligned && (uintptr_t)p % alignof(max_align_t) == 0;
        apart = apart && p != last;
        memset(p, 0xAA, n);
        last = p;
    }
    CHECK(aligned && apart && arena_ok(a, &e));
    unsigned char *zero = arena_calloc(a, 50, 3);
    bool all_zero = true;
    for (size_t i = 0; zero && i < 150; i++)
        all_zero = all_zero && zero[i] == 0;
    CHECK(zero && all_zero);
    CHECK(str_eq(arena_str(a, STR("a\0b")), STR("a\0b")) &&
          strcmp(arena_cstr(a, STR_NONE), "") == 0);
    CHECK(str_eq(arena_printf(a, "%d-%s", 7, "x"), STR("7-x")) && arena_ok(a, &e));
    CHECK(arena_used(a) <= 100000);

    /* The cap, and that a failure stays until the reset. */
    CHECK(!arena_alloc(a, 100001) && !arena_ok(a, &e) && e.code == ERR_LIMIT);
    CHECK(!arena_alloc(a, 1) && arena_str(a, STR("x")).p == NULL && !arena_cstr(a, STR("x")));
    CHECK(arena_printf(a, "x").p == NULL);
    arena_reset(a);
    CHECK(arena_ok(a, &e) && arena_alloc(a, 1000) && arena_used(a) <= 100000);
    CHECK(!arena_calloc(a, SIZE_MAX / 2, 3) && !arena_ok(a, &e) && e.code == ERR_LIMIT);
    arena_reset(a);
    CHECK(!arena_alloc(a, SIZE_MAX) && !arena_ok(a, &e) && e.code == ERR_LIMIT);
    arena_free(a);
    arena_free(NULL);

    /* All of the cap can be used, in one piece or in many. */
    a = arena_new(64 * 1024);
    CHECK(arena_alloc(a, 64 * 1024) && !arena_alloc(a, 1));
    arena_free(a);
    a = arena_new(64 * 1024);
    for (size_t i = 0; i < 64; i++)
        CHECK_ROW(arena_alloc(a, 1024) != NULL, "piece %zu", i);
    CHECK(!arena_alloc(a, 1));
    arena_free(a);
}

static void test_buf(void)
{
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    CHECK(buf_view(&b).n == 0 && buf_ok(&b, &e));
    buf_lit(&b, "a");
    buf_str(&b, STR_NONE);
    buf_byte(&b, '\0');
    buf_u64(&b, UINT64_MAX);
    buf_byte(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_byte(&b, ' ');
    buf_i64(&b, 0);
    buf_hex(&b, "\x00\xfe", 2);
    buf_printf(&b, "%05d", 42);
    CHECK(str_eq(buf_view(&b), STR("a\0"
                                   "18446744073709551615 -9223372036854775808 0"
                                   "00fe00042")));
    buf_done(&b);
    CHECK(b.p == NULL && b.n == 0);

    /* Up to the cap and not beyond; a failure stays. */
    buf_init(&b, 5);
    buf_lit(&b, "abcde");
    CHECK(buf_ok(&b, &e));
    buf_byte(&b, 'f');
    CHECK(!buf_ok(&b, &e) && e.code == ERR_LIMIT && b.n == 5);
    buf_lit(&b, "");
    CHECK(!buf_ok(&b, &e) && !buf_reserve(&b, 0));
    buf_clear(&b);
    buf_printf(&b, "%s", "abcde");
    CHECK(buf_ok(&b, &e) && str_eq(buf_view(&b), STR("abcde")));
    buf_printf(&b, "%s", "f");
    CHECK(!buf_ok(&b, &e) && b.n == 5);
    buf_clear(&b);
    CHECK(!buf_reserve(&b, SIZE_MAX) && !buf_ok(&b, &e) && e.code == ERR_LIMIT);
    buf_done(&b);
    buf_init(&b, 0);
    buf_byte(&b, 'x');
    CHECK(!buf_reserve(&b, SIZE_MAX) && !buf_ok(&b, &e) && str_eq(buf_view(&b), STR("x")));
    buf_done(&b);
}

static void test_printable(void)
{
    static const struct {
        const char *text;
        size_t most;
        const char *want;
    } rows[] = {
        {"", 9, ""},
        {"plain", 5, "plain"},
        {"plain", 4, "plai..."},
        {"plain", 0, "..."},
        {"a\tb\n\x7f\x1b[1m", 99, "a?b???[1m"},
        {"\xe0\xa4\xb8", 3, "\xe0\xa4\xb8"}, /* a letter stays whole or falls */
        {"\xe0\xa4\xb8", 2, "..."},
        {"\xff\xe0\xa4", 99, "???"},
        {"\xc2\x80\xc2\x9f\xc2\xa0", 99, "??\xc2\xa0"}, /* C1 */
        {"\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f", 99, "\xe2\x80\x8d??"},
        {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xaf", 99,
         "\xe2\x80\xa7???\xe2\x80\xaf"},
        {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", 99, "\xe2\x81\xa5??\xe2\x81\xaa"},
        {"\xd8\x9b\xd8\x9c", 99, "\xd8\x9b?"}, /* U+061C */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;
        buf_init(&b, 0);
        buf_printable(&b, str_of(rows[i].text), rows[i].most);
        CHECK_ROW(str_eq(buf_view(&b), str_of(rows[i].want)), "row %zu: %.*s", i,
                  STR_FMT(buf_view(&b)));
        buf_done(&b);
    }
}

/* A line is one, whatever a text from outside says. */
static void test_log(void)
{
    struct str told = STR_NONE;
    struct err e = {0};
    int before = dup(STDERR_FILENO);
    CHECK(before >= 0 && freopen(at("log"), "w", stderr));
    log_line(LOG_WARNING, "request 7: %s", "x\n2026-01-01T00:00:00.000Z error \x1b[2J\xc2\x9b");
    fflush(stderr);
    CHECK(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    CHECK(file_read(at("log"), 1000, &told, &e));
    CHECK_ROW(str_ends(told, STR(" warning request 7: x?2026-01-01T00:00:00.000Z error ?[2J?\n")) &&
                  str_find(told, '\n') == told.n - 1,
              "%.*s", STR_FMT(told));
    base_free((void *)(uintptr_t)told.p);
}

static void test_grow(void)
{
    void *items = NULL;
    size_t room = 0;
    CHECK(base_grow(&items, &room, 1, 24) && items && room >= 1);
    memset(items, 1, room * 24);
    void *before = items;
    CHECK(base_grow(&items, &room, room, 24) && items == before);
    size_t old = room;
    CHECK(base_grow(&items, &room, old + 1, 24) && room >= old * 2 && ((char *)items)[0] == 1);
    before = items;
    old = room;
    CHECK(!base_grow(&items, &room, SIZE_MAX, 1) && items == before && room == old);
    CHECK(!base_grow(&items, &room, SIZE_MAX / 16, 24) && items == before && room == old);
    base_free(items);
    base_free(NULL);
}

static void test_fail_allocation(void)
{
    struct err e = {0};
    CHECK(!base_fail_allocation(3, false));
    void *a = base_alloc(0), *b = base_realloc(NULL, 0);
    CHECK(a && b && !base_alloc(8));
    void *c = base_realloc(a, 100);
    CHECK(c != NULL);
    CHECK(base_fail_allocation(1, true));
    struct arena *none = arena_new(100);
    struct buf buf;
    buf_init(&buf, 0);
    buf_byte(&buf, 'x');
    CHECK(!none && !buf_ok(&buf, &e) && e.code == ERR_MEMORY && !base_realloc(c, 200));
    CHECK(base_fail_allocation(2, false));
    struct arena *x = arena_new(100);
    CHECK(x && !arena_alloc(x, 8) && !arena_ok(x, &e) && e.code == ERR_MEMORY);
    CHECK(base_fail_allocation(0, false));
    CHECK(!base_fail_allocation(0, false));
    arena_reset(x);
    CHECK(arena_alloc(x, 8) && arena_ok(x, &e));
    arena_free(x);
    buf_done(&buf);
    base_free(b);
    base_free(c);
}

/* ---- errors ---- */

static void test_errors(void)
{
    struct err e = {0};
    char longer[2000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    CHECK(!err_set_at(&e, ERR_SYNTAX, 12, "at %d", 3) && e.at == 12 && strcmp(e.msg, "at 3") == 0);
    CHECK(!err_prefix(&e, "%s", "file") && strcmp(e.msg, "file: at 3") == 0 && e.at == 12);
    CHECK(!err_set(&e, ERR_IO, "%s", longer) && strlen(e.msg) == sizeof e.msg - 1 && e.at == 0);
    CHECK(!err_prefix(&e, "%s", longer) && strlen(e.msg) == sizeof e.msg - 1);
    CHECK(strcmp(err_name(ERR_INTERNAL), "INTERNAL") == 0 && err_http(ERR_FULL) == 507);
    CHECK(err_exit(ERR_USAGE) == 2 && strcmp(err_text(ERR_NOT_FOUND), "not found") == 0);
}

/* ---- files ---- */

static void test_files(void)
{
    struct err e = {0};
    struct str got;
    struct stat st;
    static const struct {
        const char *name;
        size_t most;
        enum err_code code;
    } refused[] = {
        {"missing", 0, ERR_IO},     {"file/below", 0, ERR_IO},        {"", 0, ERR_IO},
        {"file", 5, ERR_TOO_LARGE}, {"huge", 1 << 20, ERR_TOO_LARGE},
    };
    CHECK(file_write(at("file"), STR("abc\0de"), 0640, &e));
    CHECK(stat(at("file"), &st) == 0 && (st.st_mode & 0777) == 0640 && st.st_size == 6);
    CHECK(file_write(at("file"), STR("ghi\0jk"), 0600, &e)); /* the new mode counts */
    CHECK(stat(at("file"), &st) == 0 && (st.st_mode & 0777) == 0600);
    int fd = open(at("huge"), O_CREAT | O_WRONLY, 0600); /* a hole of a terabyte */
    CHECK(fd >= 0 && ftruncate(fd, (off_t)1 << 40) == 0);
    close(fd);
    for (size_t i = 0; i < COUNT(refused); i++) {
        got = STR("untouched");
        bool ok = file_read(at(refused[i].name), refused[i].most, &got, &e);
        CHECK_ROW(!ok && e.code == refused[i].code && str_eq(got, STR("untouched")) && e.msg[0],
                  "%s: %s", refused[i].name, e.msg);
    }
    CHECK(file_read(at("file"), 6, &got, &e) && str_eq(got, STR("ghi\0jk")));
    bool padded = true;
    for (size_t i = 0; i < BASE_PADDING; i++)
        padded = padded && got.p[got.n + i] == '\0';
    CHECK(padded);
    base_free((void *)(uintptr_t)got.p);
    CHECK(file_write(at("empty"), STR_NONE, 0600, &e) && file_read(at("empty"), 1, &got, &e));
    CHECK(got.n == 0 && got.p);
    base_free((void *)(uintptr_t)got.p);
    CHECK(!file_write(at("no/file"), STR("x"), 0600, &e) && e.code == ERR_IO);
    CHECK(mkdir(at("dir"), 0700) == 0 && !file_write(at("dir"), STR("x"), 0600, &e) &&
          e.code == ERR_IO);
    CHECK(file_exists(at("dir")) && file_is_dir(at("dir")) && !file_is_dir(at("file")));
    CHECK(!file_exists(at("missing")) && !file_is_dir(at("missing")));
    CHECK(file_read("/dev/null", 0, &got, &e) && got.n == 0);
    base_free((void *)(uintptr_t)got.p);
    CHECK(!file_read("/dev/zero", 100000, &got, &e) && e.code == ERR_TOO_LARGE);
}

/* A failed write leaves the old bytes and no other file. */
/* Bytes in several parts become one file; a file is mapped as it is. */
static void test_parts_and_mapping(void)
{
    struct err e;
    struct str mapped;
    const struct str parts[] = {STR("ab"), STR_NONE, STR("c\0d"), STR("e")};
    CHECK(file_write_parts(at("parts"), parts, 4, 0600, &e) && file_map(at("parts"), &mapped, &e));
    CHECK(str_eq(mapped, STR("abc\0de")));
    file_unmap(mapped);
    CHECK(file_write_parts(at("parts"), NULL, 0, 0600, &e) && file_map(at("parts"), &mapped, &e));
    CHECK(mapped.n == 0);
    file_unmap(mapped);
    CHECK(!file_map(at("no such"), &mapped, &e) && e.code == ERR_IO && strstr(e.msg, "no such"));
    CHECK(!file_map(folder, &mapped, &e) && !file_map("/dev/null", &mapped, &e));
}

/* A file in the making has no name but a temporary one; dropped, it was never there. */
static void test_pieces(void)
{
    struct file_out o;
    struct file_in in;
    struct err e = {0};
    struct stat st;
    struct str got;
    char two[2], rest[3];
    CHECK(file_write(at("pieces"), STR("old"), 0600, &e));
    CHECK(file_out_open(&o, at("pieces"), 0640, &e) && file_out_put(&o, STR("new "), &e) &&
          file_out_put(&o, STR_NONE, &e));
    CHECK(stat(o.temporary, &st) == 0 && (st.st_mode & 0777) == 0640);
    CHECK(file_read(at("pieces"), 0, &got, &e) && str_eq(got, STR("old")));
    base_free((void *)(uintptr_t)got.p);
    file_out_drop(&o);
    file_out_drop(&o);
    CHECK(stat(o.temporary, &st) != 0);
    CHECK(file_out_open(&o, at("pieces"), 0640, &e) && file_out_put(&o, STR("12"), &e) &&
          file_out_put(&o, STR("345"), &e) && file_out_end(&o, &e));
    CHECK(stat(o.temporary, &st) != 0 && stat(at("pieces"), &st) == 0 && st.st_size == 5);
    file_out_drop(&o); /* nothing any more */
    CHECK(!file_out_open(&o, at("no/such"), 0600, &e) && e.code == ERR_IO);

    CHECK(file_in_open(&in, at("pieces"), &e) && in.size == 5);
    CHECK(file_in_take(&in, two, 2, &e) && memcmp(two, "12", 2) == 0 && in.at == 2);
    CHECK(file_in_take(&in, rest, 3, &e) && memcmp(rest, "345", 3) == 0);
    CHECK(!file_in_take(&in, two, 1, &e) && e.code == ERR_INVALID && strstr(e.msg, "at byte 5"));
    in.at = 1;
    CHECK(file_in_take(&in, two, 2, &e) && memcmp(two, "23", 2) == 0);
    in.at = 4;
    CHECK(!file_in_take(&in, two, 2, &e) && e.code == ERR_INVALID && in.at == 4);
    file_in_close(&in);
    CHECK(!file_in_open(&in, folder, &e) && !file_in_open(&in, "/dev/zero", &e) &&
          !file_in_open(&in, at("no such"), &e));
    file_in_close(&in);
}

/* Zeroed, all of it ours, from a byte to more than a large page; none when memory is to fail. */
static void test_pages(void)
{
    static const size_t sizes[] = {1,        4096,           4097,    (1u << 20) - 1,
                                   1u << 20, (2u << 20) + 1, 5u << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *p = base_pages(sizes[i]);
        CHECK_ROW(p && p[0] == 0 && p[sizes[i] - 1] == 0 && (uintptr_t)p % 4096 == 0, "%zu",
                  sizes[i]);
        if (p)
            memset(p, 1, sizes[i]);
        base_pages_free(p, sizes[i]);
    }
    base_pages_free(NULL, 9);
    CHECK(!base_pages(SIZE_MAX) && !base_pages(SIZE_MAX / 2));
    base_fail_allocation(1, false);
    CHECK(!base_pages(4096));
    CHECK(base_fail_allocation(0, false));
}

static void test_file_failures(void)
{
    struct err e = {0};
    struct str got;
    bool ok = false;
    for (long k = 1; !ok && k < 100; k++) {
        base_fail_allocation(k, false);
        ok = file_read(at("file"), 0, &got, &e);
        CHECK_ROW(base_fail_allocation(0, false) == !ok && (ok || e.code == ERR_MEMORY), "%ld", k);
    }
    CHECK(ok);
    base_free((void *)(uintptr_t)got.p);
    if (access("/dev/full", W_OK) == 0) {
        CHECK(symlink("/dev/full", at("full")) == 0);
        int fd = open(at("full"), O_WRONLY);
        CHECK(write(fd, "x", 1) < 0 && !err_errno(&e, "cannot write", "full"));
        CHECK(e.code == ERR_FULL && strstr(e.msg, "cannot write full: "));
        close(fd);
    }
    CHECK(mkdir(at("left"), 0700) == 0);
    CHECK(!file_write(at("left"), STR("x"), 0600, &e));
    CHECK(shell("test -z \"$(find '%s' -name '*.tmp')\"", folder));
}

/* ---- walking ---- */

struct walked {
    struct buf paths;
    size_t left; /* calls until it stops */
};

static bool on_walked(void *ctx, const char *path, const struct stat *st)
{
    struct walked *w = ctx;
    buf_printf(&w->paths, "%s%s ", path + strlen(folder) + 1, S_ISDIR(st->st_mode) ? "/" : "");
    return --w->left > 0;
}

static void test_walk(void)
{
    struct walked w = {.left = 100};
    buf_init(&w.paths, 0);
    CHECK(
        shell("cd '%s' && mkdir -p walk/b/c walk/.d && touch walk/b.log walk/b/z walk/b/c/y walk/a "
              "walk/.h walk/.d/x && ln -s a walk/link && ln -s b walk/b-link && mkfifo walk/pipe",
              folder));
    CHECK(file_walk(at("walk"), on_walked, &w));
    CHECK(str_eq(buf_view(&w.paths), STR("walk/a walk/b/c/y walk/b/z walk/b.log ")));
    buf_clear(&w.paths);
    CHECK(file_walk(at("walk/"), on_walked, &w));
    CHECK(str_eq(buf_view(&w.paths), STR("walk/a walk/b/c/y walk/b/z walk/b.log ")));
    buf_clear(&w.paths);
    w.left = 2; /* also out of a folder below */
    CHECK(!file_walk(at("walk"), on_walked, &w));
    CHECK(str_eq(buf_view(&w.paths), STR("walk/a walk/b/c/y ")));
    buf_clear(&w.paths);
    w.left = 100;
    CHECK(file_walk(at("walk/none"), on_walked, &w)); /* it cannot be read */
    CHECK(str_eq(buf_view(&w.paths), STR("walk/none/ ")));
    buf_done(&w.paths);
}

static unsigned begun;

static bool fails_once(struct err *e)
{
    return begun++ > 0 || err_set(e, ERR_MEMORY, "no memory");
}

static void test_library(void)
{
    static const char *const names[] = {"cos", "fmod"}, *const none[] = {"cos", "cosinus"};
    struct functions {
        double (*cos)(double x);
        double (*fmod)(double x, double y);
    } f = {NULL, NULL};
    struct base_library absent = {"libnone.so.1", names, 2, &f, NULL, false, false, {0}};
    struct base_library old = {"libm.so.6", none, 2, &f, NULL, false, false, {0}};
    struct base_library begins = {"libm.so.6", names, 2, &f, fails_once, false, false, {0}};
    struct base_library good = {"libm.so.6", names, 2, &f, NULL, false, false, {0}};
    for (int i = 0; i < 2; i++) { /* what became of it is kept */
        struct err e = {0};
        CHECK(!base_library_load(&absent, &e) && e.code == ERR_IO);
        CHECK(strstr(e.msg, "libnone.so.1") && strstr(e.msg, "install it anew"));
        CHECK(!base_library_load(&old, &e) && e.code == ERR_IO);
        CHECK(strstr(e.msg, "libm.so.6 has no cosinus"));
    }
    CHECK(!f.cos && !f.fmod);
    for (int i = 0; i < 2; i++) {
        struct err e = {0};
        CHECK(!base_library_load(&begins, &e) && e.code == ERR_MEMORY && begun == 1);
        CHECK(base_library_load(&good, &e));
    }
    CHECK(f.cos && f.fmod && f.cos(0) > 0.99 && f.fmod(7, 4) > 2.99 && f.fmod(7, 4) < 3.01);
}

int main(void)
{
    umask(022);
    folder_make("base");
    test_compare();
    test_slices();
    test_cut();
    test_numbers();
    test_places();
    test_hash();
    test_utf8();
    test_instant_parse();
    test_instant_refused();
    test_instant_zoned();
    test_instant_text();
    test_instant_days();
    test_clock();
    test_arithmetic();
    test_arena();
    test_buf();
    test_printable();
    test_log();
    test_grow();
    test_fail_allocation();
    test_errors();
    test_files();
    test_parts_and_mapping();
    test_pieces();
    test_pages();
    test_file_failures();
    test_walk();
    test_library();
    folder_remove();
    TEST_END();
}
