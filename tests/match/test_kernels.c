/*
 * Every kernel tells what the plain scanner tells, in the same order: for every row of test_match,
 * at every offset to the blocks a kernel works in, cut short at every byte, with more text around
 * it, and at the borders of windows. Texts end where their memory ends.
 */
#include "match/kernel_priv.h"
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
enum { ROWS = sizeof rows / sizeof *rows };

static struct match_set *set_of(struct str list)
{
    struct match_set *s = match_set_new();
    struct match_list_options options = {.like = {.from_us = INT64_MIN, .until_us = INT64_MAX}};
    struct err e;
    if (s == NULL || !match_set_load_list(s, list, &options, &e) || !match_set_seal(s, &e))
        abort();
    return s;
}

struct told {
    const char *text;
    struct buf out;
    size_t count;
};

static bool on_hit(void *ctx, const struct match_hit *h)
{
    struct told *t = ctx;
    buf_printf(&t->out, "%zu+%zu %d %d %u %.*s\n", (size_t)(h->seen.p - t->text), h->seen.n,
               h->kind, h->relation, h->indicator, STR_FMT(h->observable));
    t->count++;
    return true;
}

static void tell(const struct match_set *s, const char *kernel, struct str text, struct told *t,
                 struct match_work *work)
{
    t->text = text.p;
    t->count = 0;
    buf_clear(&t->out);
    must(match_kernel_force(kernel));
    match_scan_work(s, text, 0, on_hit, t, work);
}

static struct told expected, got;
static size_t compared;

/* Where they part, and the text there. */
static void show(const char *kernel, struct str text)
{
    size_t at = 0, line = 0;
    for (; at < expected.out.n && at < got.out.n && expected.out.p[at] == got.out.p[at]; at++)
        line = expected.out.p[at] == '\n' ? at + 1 : line;
    const char *one = line < expected.out.n ? expected.out.p + line : "0";
    const char *other = line < got.out.n ? got.out.p + line : "0";
    size_t place = strtoull(one, NULL, 10), second = strtoull(other, NULL, 10);
    place = place == 0 || (second > 0 && second < place) ? second : place;
    place = place > 60 ? place - 60 : 0;
    CHECK_ROW(false, "%s: %zu bytes, from %zu: <<%.*s>>\n--- expected\n%.80s\n--- got\n%.80s",
              kernel, text.n, place, STR_FMT(str_slice(text, place, place + 200)), one, other);
}

/* All kernels against the reference; they also spend the same on URLs and names. */
static void compare(const struct match_set *s, struct str text)
{
    struct match_work plain, work;
    tell(s, "reference", text, &expected, &plain);
    for (size_t k = 0; match_kernel_name(k) != NULL; k++) {
        if (!match_kernel_runs(k))
            continue;
        tell(s, match_kernel_name(k), text, &got, &work);
        compared++;
        bool same = str_eq(buf_view(&got.out), buf_view(&expected.out)) &&
                    work.url_bytes == plain.url_bytes && work.conversions == plain.conversions;
        if (!same)
            show(match_kernel_name(k), text);
    }
}

/* `before` filling bytes, the text, `after` filling bytes, in memory of just that size. */
static void compare_at(const struct match_set *s, struct str text, size_t before, size_t after,
                       char filling)
{
    size_t n = before + text.n + after;
    char *exact = malloc(n ? n : 1);
    must(exact != NULL);
    memset(exact, filling, n);
    memcpy(exact + before, text.p, text.n);
    compare(s, (struct str){exact, n});
    free(exact);
}

static void test_offsets(struct match_set **sets)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct str text = str_of(rows[i].text);
        for (size_t offset = 0; offset <= 64; offset++) {
            compare_at(sets[i], text, offset, 0, ' ');
            compare_at(sets[i], text, 128 + offset, 70, ' ');
            compare_at(sets[i], text, 192 + offset, 1, 'x');
            compare_at(sets[i], text, 128 + offset, 64, '.');
        }
    }
}

static void test_lengths(struct match_set **sets)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct str text = str_of(rows[i].text);
        for (size_t n = 0; n <= text.n; n++) {
            compare_at(sets[i], str_slice(text, 0, n), 0, 0, ' ');
            compare_at(sets[i], str_slice(text, 0, n), 131 + n % 67, 0, '\n');
            compare_at(sets[i], str_from(text, n), 100 + n % 5, 3, ' ');
        }
    }
}

/* Across the border of the first window, and with the text's end there. */
static void test_windows(struct match_set **sets)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct str text = str_of(rows[i].text);
        for (size_t n = 0; n <= text.n && n <= 100; n++) {
            compare_at(sets[i], text, MATCH_WINDOW - n, 80, ' ');
            compare_at(sets[i], str_slice(text, 0, n), MATCH_WINDOW - n, 0, ' ');
        }
    }
}

/* All texts one behind the other, against a set of all indicators, from every byte on. */
static void test_together(void)
{
    struct buf list, text;
    buf_init(&list, 0);
    buf_init(&text, 0);
    for (size_t i = 0; i < ROWS; i++) {
        buf_lit(&list, rows[i].list);
        buf_byte(&list, '\n');
        buf_lit(&text, rows[i].text);
        buf_lit(&text, i % 3 == 0 ? "\n" : i % 3 == 1 ? "," : "\" ");
    }
    struct match_set *s = set_of(buf_view(&list));
    for (size_t from = 0; from < 130 && from < text.n; from++)
        compare(s, str_from(buf_view(&text), from));
    for (size_t to = 0; to < text.n; to += 37)
        compare(s, str_slice(buf_view(&text), to > 3000 ? to - 3000 : 0, to));
    match_set_free(s);
    buf_done(&list);
    buf_done(&text);
}

/* Nothing but what a kernel marks, and what it lists, as many as there can be. */
static void test_crowds(void)
{
    static const char *const units[] = {
        ":",  "::",  "\\",   "()",           "[.]", "\\u0065", "a.b ", "1.1.1.1 ",
        "a:", "a:/", "\xc3", "\xe3\x81\xaf", ".",   "..",      "a",    "evil.com "};
    struct match_set *s = set_of(STR("evil.com\n1.1.1.0/24\na.b\n2001:db8::1"));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct buf text;
        buf_init(&text, 0);
        while (text.n < 3 * MATCH_WINDOW)
            buf_lit(&text, units[i]);
        for (size_t cut = 0; cut < 70; cut += 23)
            compare(s, str_from(buf_view(&text), cut));
        buf_lit(&text, " evil.com evil.com");
        compare(s, buf_view(&text));
        buf_done(&text);
    }
    match_set_free(s);
}

/* ---- random lines ------------------------------------------------------------------------- */

static const char *const pieces[] = {"evil.com",
                                     "evil",
                                     "com",
                                     "a",
                                     ".",
                                     "-",
                                     "_",
                                     "..",
                                     "[.]",
                                     "(dot)",
                                     "[at]",
                                     "[://]",
                                     "[:]",
                                     ",",
                                     "1",
                                     "2.3.4",
                                     "1.2.3.",
                                     "4",
                                     "1.2.3.4",
                                     "10.9.8.7",
                                     "192.168.",
                                     "0",
                                     "255",
                                     MD5,
                                     SHA1,
                                     "[",
                                     "/",
                                     "(",
                                     ")",
                                     "]",
                                     "EVIL",
                                     "b.a",
                                     "http://",
                                     "https://",
                                     "http:\\/\\/",
                                     ":",
                                     "::",
                                     "@",
                                     "%20",
                                     "%41",
                                     "%2F",
                                     "%",
                                     "\\n",
                                     "\\u0041",
                                     "\\u002e",
                                     "\\x2e",
                                     "\\\\",
                                     "\\\"",
                                     "bob@",
                                     "2001:db8",
                                     "2001:0db8:0000:0000:0000:0000:0000:0001",
                                     "fe80",
                                     "ffff",
                                     "64:ff9b::",
                                     "12:34:56",
                                     "\\/",
                                     "+",
                                     "\"",
                                     "<",
                                     ">",
                                     " ",
                                     "\t",
                                     "\n",
                                     "\n",
                                     "=",
                                     "&",
                                     "?",
                                     "#",
                                     ";",
                                     "'",
                                     "\xc3\xbc",
                                     "\xe3\x81\xaf",
                                     "\xe3\x80\x82",
                                     "m\xc3\xbcnchen.de",
                                     "xn--mnchen-3ya.de",
                                     "localhost",
                                     "server1",
                                     "co.uk",
                                     "x.co.uk",
                                     "/index.php",
                                     "{",
                                     "}",
                                     "|",
                                     "\\",
                                     ":443",
                                     ":80/",
                                     "w1",
                                     "2023-11-14T22:13:20.850735+0000",
                                     "0123456789abcdef",
                                     "0123456789abcdef0123456789abcdef",
                                     "\0"};

static const char *const lists[] = {
    "evil.com\n1.2.3.4\n2001:db8::1\n" MD5 "\nhttp://evil.com/a\nbob@evil.com\n1.2.3.0/24",
    "a.evil.com\nx.co.uk\nco.uk\nm\xc3\xbcnchen.de\n" SHA1 "\n10.0.0.0/8\n::/0\n0.0.0.0/1",
    "evil.w1\n4.1\n1.1.2.3\n1.2.3.4/30\n64:ff9b::/96\n2001:db8::/32\nhttp://[2001:db8::1]/\n"
    "http://1.2.3.4/\nhttps://a.b.a/\nhttp://m\xc3\xbcnchen.de/",
};

/* A set of the list, and with `alone` names of one label that no list holds. */
static struct match_set *random_set(size_t i, bool alone)
{
    struct match_list_options options = {.like = {.from_us = INT64_MIN, .until_us = INT64_MAX}};
    struct match_set *s = match_set_new();
    struct err e;
    must(s != NULL && match_set_load_list(s, str_of(lists[i]), &options, &e));
    static const struct {
        enum observable_kind kind;
        const char *text;
    } more[] = {{OBSERVABLE_DOMAIN, "localhost"},
                {OBSERVABLE_DOMAIN, "server1"},
                {OBSERVABLE_URL, "http://evil/a"},
                {OBSERVABLE_EMAIL, "bob@a"}};
    for (size_t k = 0; k < 4 && alone; k++) {
        char out[200];
        uint32_t index;
        struct observable o;
        must(match_set_indicator(s, &(struct match_indicator){.until_us = INT64_MAX}, &index, &e) &&
             observable_normalize(more[k].kind, str_of(more[k].text), false, out, sizeof out, &o,
                                  &e) &&
             match_set_value(s, index, &o, &e));
    }
    must(match_set_seal(s, &e));
    return s;
}

/* About so many lines of random pieces, in texts of some hundred lines. */
static void test_random(uint64_t seed, size_t lines)
{
    struct buf text;
    uint64_t random = seed * 2 + 1;
    struct match_set *sets[6];
    for (size_t i = 0; i < 6; i++)
        sets[i] = random_set(i / 2, i % 2);
    buf_init(&text, 0);
    for (size_t round = 0; lines > 0; round++) {
        buf_clear(&text);
        size_t count = lines < 300 ? lines : 300;
        for (size_t i = 0; i < count; i++) {
            unsigned n;
            do {
                random = random * 6364136223846793005u + 1442695040888963407u;
                n = (unsigned)(random >> 33);
                const char *piece = pieces[n % (sizeof pieces / sizeof *pieces)];
                buf_put(&text, piece, piece[0] ? strlen(piece) : 1);
            } while (n >> 9 & 7);
            buf_byte(&text, "\n\n \"\t,;x"[n >> 12 & 7]);
        }
        compare(sets[round % 6], buf_view(&text));
        lines -= count;
    }
    buf_done(&text);
    for (size_t i = 0; i < 6; i++)
        match_set_free(sets[i]);
}

static void test_counting_lines(void)
{
    char text[600];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i * 7 % 11 < 5 ? '\n' : 'x';
    for (size_t from = 0; from < 70; from++)
        for (size_t n = 0; from + n <= sizeof text; n += n < 140 ? 1 : 61) {
            size_t lines = 0;
            for (size_t i = from; i < from + n; i++)
                lines += text[i] == '\n';
            for (size_t k = 0; match_kernel_name(k) != NULL; k++) {
                if (!match_kernel_runs(k))
                    continue;
                must(match_kernel_force(match_kernel_name(k)));
                if (match_count_lines((struct str){text + from, n}) != lines)
                    CHECK_ROW(false, "%s: %zu + %zu", match_kernel_name(k), from, n);
            }
        }
}

static void test_table(void)
{
    size_t count = 0;
    bool reference = false, portable = false;
    for (; match_kernel_name(count) != NULL; count++) {
        reference = strcmp(match_kernel_name(count), "reference") == 0;
        portable = portable || strcmp(match_kernel_name(count), "portable") == 0;
    }
    CHECK(count >= 2 && reference && portable && match_kernel_runs(count - 1));
    CHECK(!match_kernel_force("no such") && match_kernel_force(NULL));
}

/* Arguments, all optional: seed and number of random lines. */
int main(int argc, char **argv)
{
    static struct match_set *sets[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        sets[i] = set_of(str_of(rows[i].list));
    test_table();
    test_offsets(sets);
    test_lengths(sets);
    test_windows(sets);
    test_together();
    test_crowds();
    test_counting_lines();
    test_random(argc > 1 ? strtoull(argv[1], NULL, 10) : 1,
                argc > 2 ? strtoull(argv[2], NULL, 10) : 60000);
    CHECK_ROW(compared > 10000, "%zu", compared);
    for (size_t i = 0; i < ROWS; i++)
        match_set_free(sets[i]);
    buf_done(&expected.out);
    buf_done(&got.out);
    TEST_END();
}
