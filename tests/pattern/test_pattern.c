/* Grammar, canonical print, errors with their places, notes, atoms, limits, want of memory. */
#include "pattern/pattern.h"
#include "test.h"

#define V20         PATTERN_STIX_20
#define V21         PATTERN_STIX_21
#define ARENA_BYTES ((size_t)256 << 20)

/* ---- what is read, and how it prints ---- */

struct good {
    enum pattern_version version;
    const char *text, *print; /* NULL: prints as it stands */
};

static const struct good good_rows[] = {
    /* operators */
    {V21, "[a:b = 1]", NULL},
    {V21, "[a:b != 'x']", NULL},
    {V21, "[a:b==1 OR a:b<>2]", "[a:b = 1 OR a:b != 2]"},
    {V21, "[a:b<1 AND a:b<=2 AND a:b>3 AND a:b>=4]",
     "[a:b < 1 AND a:b <= 2 AND a:b > 3 AND a:b >= 4]"},
    {V21, "[a:b NOT = 1]", NULL},
    {V21, "[a:b NOT IN ('x', 'y')]", NULL},
    {V21, "[a:b IN()]", "[a:b IN ()]"},
    {V21, "[a:b IN(1,2.5,3)]", "[a:b IN (1, 2.5, 3)]"},
    {V21, "[a:b IN (true,false)]", "[a:b IN (true, false)]"},
    {V21, "[a:b LIKE 'x%' OR a:b NOT MATCHES'^a.c$']",
     "[a:b LIKE 'x%' OR a:b NOT MATCHES '^a.c$']"},
    {V21, "[a:b ISSUBSET '10.0.0.0/8' OR a:b ISSUPERSET '10.1.2.3']", NULL},
    {V21, "[EXISTS a:b]", NULL},
    {V21, "[NOT EXISTS a:b.c[*] AND a:d = 1]", NULL},
    {V21, "[a:b MATCHES '(?<year>\\\\d{4})\\\\h[[:alpha:]]+\\\\Qa.b\\\\E\\\\z']", NULL},
    /* STIX 2.0 knows no EXISTS: a word like others */
    {V20, "[EXISTS:EXISTS = 1]", "[EXISTS:'EXISTS' = 1]"},
    {V21, "[a:'EXISTS' = 1]", NULL},
    {V21, "[a:within = 1 AND a:SECOND = 2 AND null:a != 1]", NULL},
    /* paths */
    {V21, "[file:hashes.'SHA-256' = 'x']", NULL},
    {V21, "[file:'hashes'.'MD5' = 'x']", "[file:hashes.MD5 = 'x']"},
    {V21, "[file:hashes.'a.b'.'IN'.'true'.'' = 'x']", NULL},
    {V21, "[file:'it\\'s'.'back\\\\slash' = 'x']", NULL},
    {V21, "[ a : b [ * ] . c [ 0 ] [+7] [-0] . d = 1 ]", "[a:b[*].c[0][7][0].d = 1]"},
    {V21, "[a:b[-1] = 1]", NULL},
    {V21, "[x-y--z-:_b9 = 1]", NULL},
    /* numbers */
    {V21, "[a:b = +1]", "[a:b = 1]"},
    {V21, "[a:b = -0]", "[a:b = 0]"},
    {V21, "[a:b = 9223372036854775807 OR a:b = -9223372036854775807]", NULL},
    {V21, "[a:b = .5 OR a:b = -.50 OR a:b = +007.250]", "[a:b = 0.5 OR a:b = -0.5 OR a:b = 7.25]"},
    {V21, "[a:b = 1.0 OR a:b = 0.0 OR a:b = 000.000]", "[a:b = 1.0 OR a:b = 0.0 OR a:b = 0.0]"},
    {V21, "[a:b = 123456789012345678901234567890.1234567890123456789]", NULL},
    {V21, "[a:b=1AND a:c=2]WITHIN 5SECONDS REPEATS 2TIMES",
     "[a:b = 1 AND a:c = 2] WITHIN 5 SECONDS REPEATS 2 TIMES"},
    /* strings, octets */
    {V21, "[a:b = '']", NULL},
    {V21, "[a:b = 'it\\'s \\\\ here']", NULL},
    {V21, "[a:b = 'two\nlines\t\xE2\x80\x9C']", NULL},
    {V21, "[a:b = h'00fF' OR a:b = h'']", "[a:b = h'00ff' OR a:b = h'']"},
    {V21, "[a:b = b'AA==' OR a:b = b'AAE=' OR a:b = b'AAEC' OR a:b = b'/+8=']", NULL},
    {V21, "[a:b = b'' OR a:b = b'A\nAE\n=\n']", "[a:b = b'' OR a:b = b'AAE=']"},
    {V21, "[a:b = b'AB==']", "[a:b = b'AA==']"},
    /* timestamps */
    {V21, "[a:b = t'2024-02-29T23:59:59Z']", NULL},
    {V21, "[a:b = t'2024-02-29T23:59:59.120Z']", "[a:b = t'2024-02-29T23:59:59.12Z']"},
    {V21, "[a:b = t'2016-12-31T23:59:60Z']", "[a:b = t'2017-01-01T00:00:00Z']"},
    {V21, "[a:b = t'2016-12-31T23:59:59.1234567891Z']",
     "[a:b = t'2016-12-31T23:59:59.123456789Z']"},
    {V21, "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z'", NULL},
    {V20, "[a:b = 1] START '2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00.0Z'",
     "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z'"},
    /* precedence and parentheses in [ ] */
    {V21, "[a:b = 1 OR a:c = 2 AND a:d = 3]", NULL},
    {V21, "[(a:b = 1 OR a:c = 2) AND a:d = 3]", NULL},
    {V21, "[((a:b = 1) OR (a:c = 2 AND a:d = 3))]", "[a:b = 1 OR a:c = 2 AND a:d = 3]"},
    {V21, "[(a:b = 1 AND a:b = 2) AND (a:b = 3 AND a:b = 4)]",
     "[a:b = 1 AND a:b = 2 AND a:b = 3 AND a:b = 4]"},
    /* and outside */
    {V21, "[a:b = 1] FOLLOWEDBY [a:b = 2] OR [a:b = 3] AND [a:b = 4]", NULL},
    {V21, "(([a:b = 1] FOLLOWEDBY [a:b = 2]) OR [a:b = 3]) AND [a:b = 4]", NULL},
    {V21, "([a:b = 1]) FOLLOWEDBY ([a:b = 2] FOLLOWEDBY [a:b = 3])",
     "[a:b = 1] FOLLOWEDBY [a:b = 2] FOLLOWEDBY [a:b = 3]"},
    {V21, "([a:b = 1] AND [a:b = 2]) WITHIN 0.5 SECONDS AND [a:b = 3]", NULL},
    {V21, "([a:b = 1]) WITHIN 5 SECONDS", "[a:b = 1] WITHIN 5 SECONDS"},
    {V21, "([a:b = 1] REPEATS 2 TIMES) WITHIN 5 SECONDS",
     "[a:b = 1] REPEATS 2 TIMES WITHIN 5 SECONDS"},
    {V21, "([a:b = 1] REPEATS 2 TIMES) REPEATS 2 TIMES", NULL},
    {V21, "([a:b = 1] WITHIN 5 SECONDS) REPEATS 3 TIMES WITHIN 6 SECONDS",
     "([a:b = 1] WITHIN 5 SECONDS REPEATS 3 TIMES) WITHIN 6 SECONDS"},
    {V20, "[a:b = 1] REPEATS 2 TIMES REPEATS 3 TIMES", NULL},
    /* blanks of all kinds, comments, an NBSP, an em space, a NEL */
    {V21,
     " \t\r\n[/* c */a:b// d\n=\xC2\xA0"
     "1\xE2\x80\x83]\xC2\x85// end",
     "[a:b = 1]"},
    {V21, "/**//***/[a:b = 1]/*'*/", "[a:b = 1]"},
    {V21, "[a:b = '/* no comment */']", NULL},
};

struct parsed {
    struct arena *arena;
    struct pattern *pattern;
    struct buf print;
};

static bool parsed_init(struct parsed *d, struct str text, enum pattern_version v, struct err *e)
{
    *d = (struct parsed){.arena = arena_new(ARENA_BYTES)};
    must(d->arena);
    if (!pattern_parse(d->arena, text, v, &d->pattern, e))
        return false;
    pattern_print(d->pattern, &d->print);
    return true;
}

static void parsed_done(struct parsed *d)
{
    arena_free(d->arena);
    buf_done(&d->print);
}

static void check_good(const struct good *g)
{
    const char *want = g->print ? g->print : g->text;
    struct err e = {0};
    struct parsed one, two;
    bool ok = parsed_init(&one, str_of(g->text), g->version, &e);
    CHECK_ROW(ok, "%s: %zu: %s", g->text, e.at, e.msg);
    if (ok) {
        CHECK_ROW(str_eq(buf_view(&one.print), str_of(want)), "%s: got %.*s", g->text,
                  STR_FMT(buf_view(&one.print)));
        ok = parsed_init(&two, buf_view(&one.print), g->version, &e);
        CHECK_ROW(ok && pattern_equal(one.pattern, two.pattern), "%s: again: %s", g->text, e.msg);
        parsed_done(&two);
    }
    parsed_done(&one);
}

static void test_good(void)
{
    for (size_t i = 0; i < sizeof good_rows / sizeof good_rows[0]; i++)
        check_good(&good_rows[i]);
}

/* ---- what is refused, where, and with which words ---- */

struct bad {
    enum pattern_version version;
    const char *text;
    size_t at;
    const char *words;
};

static const struct bad bad_rows[] = {
    {V21, "", 0, "expected '[' or '('"},
    {V21, "a:b = 1", 0, "found 'a'"},
    {V21, "[]", 1, "expected an object path"},
    {V21, "[a]", 2, "expected ':' behind the object type, found ']'"},
    {V21, "[a:b]", 4, "expected a comparison operator (=, !=, <, <=, >, >=, IN, LIKE, MATCHES"},
    {V21, "[a:b]", 4, "after the object path, found ']'"},
    {V21, "[a:b = 1", 8, "found the end of the pattern"},
    {V21, "[a:b = 1] [a:b = 2]", 10, "expected AND, OR, FOLLOWEDBY"},
    {V21, "([a:b = 1]", 10, "or ')' behind the observation expression"},
    {V21, "[(a:b = 1]", 9, "or ')' behind the comparison"},
    {V21, "[a:b = 1] and [a:b = 2]", 10, "found 'and' (the keyword is written AND)"},
    {V21, "[a:b = True]", 7, "the keyword is written true"},
    {V21, "[a:b-c = 1]", 3, "'b-c', which holds a hyphen"},
    {V21, "[a:IN = 1]", 3, "'IN', which is a reserved word"},
    {V21, "[a:b.true = 1]", 5, "reserved word"},
    {V21, "[IN:a = 1]", 1, "expected an object path"},
    {V21, "['a':b = 1]", 1, "expected an object path"},
    {V21, "[a:[0] = 1]", 3, "expected a property name"},
    {V21, "[a:b[1.5] = 1]", 5, "expected an index"},
    {V21, "[a:b['x'] = 1]", 5, "expected an index"},
    {V21, "[a:b[0 = 1]", 7, "']' behind the index"},
    {V21, "[a:b.1 = 1]", 4, "found '.1'"},
    {V21, "[a:b = 01]", 7, "without leading zeros"},
    {V21, "[a:b = 1.]", 8, "found '.'"},
    {V21, "[a:b = 1e3]", 8, "found 'e3'"},
    {V21, "[a:b = - 1]", 7, "found '-'"},
    {V21, "[a:b = 9223372036854775808]", 7, "64 bits"},
    {V21, "[a:b < true]", 7, "has an order"},
    {V21, "[a:b LIKE 1]", 10, "a string in apostrophes, found '1'"},
    {V21, "[a:b ISSUBSET h'00']", 14, "a string in apostrophes"},
    {V21, "[a:b IN 1]", 8, "'(' and a set"},
    {V21, "[a:b IN (1,)]", 11, "expected a constant"},
    {V21, "[a:b IN (1 2)]", 11, "',' or ')'"},
    {V21, "[a:b IN (1, 'x')]", 12, "type of the set's first"},
    {V21, "[a:b IN (1, true)]", 12, "type of the set's first"},
    {V21, "[a:b IN (h'00', b'AA==')]", 16, "type of the set's first"},
    {V21, "[NOT a:b = 1]", 5, "EXISTS behind NOT"},
    {V21, "[a:b NOT EXISTS]", 9, "operator"},
    {V21, "[EXISTS a:b = 1]", 12, "AND, OR or ']'"},
    {V20, "[EXISTS a:b]", 8, "expected ':'"},
    {V21, "[EXISTS:a = 1]", 7, "expected an object path"},
    {V21, "[a:b = 'x]", 7, "apostrophe that closes"},
    {V21, "[a:b = '\\d']", 8, "' or \\ behind the backslash"},
    {V21, "[a:b = 'x\\", 9, "behind the backslash"},
    {V21, "[a:b = \"x\"]", 7, "strings stand between apostrophes"},
    {V21, "[a:b = \xE2\x80\x98x\xE2\x80\x99]", 7, "U+2018; strings stand between apostrophes"},
    {V21, "\xEF\xBB\xBF[a:b = 1]", 0, "found U+FEFF"},
    {V21,
     "[a:b =\xE2\x80\x8B"
     "1]",
     6, "found U+200B"},
    {V21, "[a:b = 'x\xFFy']", 9, "UTF-8"},
    {V21, "[a:b = '\xED\xA0\x80']", 8, "UTF-8"},
    {V21, "[a:b = h'abc']", 12, "even number"},
    {V21, "[a:b = h'0g']", 10, "hexadecimal digit"},
    {V21, "[a:b = b'A']", 10, "groups of four"},
    {V21, "[a:b = b'AA=']", 12, "groups of four"},
    {V21, "[a:b = b'A===']", 10, "base64 digits"},
    {V21, "[a:b = b'AA==AA==']", 13, "base64 digits"},
    {V21, "[a:b = b'AA-_']", 11, "base64 digits"},
    {V21, "[a:b = t'2024-02-30T00:00:00Z']", 14, "a day that does not exist"},
    {V21, "[a:b = t'2024-02-20T24:00:00Z']", 20, "time of day"},
    {V21, "[a:b = t'2024-02-20T00:00:00']", 9, "timestamp"},
    {V21, "[a:b = t'9999-12-31T23:59:60Z']", 26, "year 10000"},
    {V21, "[a:b = 1] START '2024-01-01T00:00:00Z' STOP '2024-01-02T00:00:00Z'", 16, "a timestamp"},
    {V20, "[a:b = 1] START '2024-01-01' STOP '2024-01-02'", 17, "timestamp"},
    {V21, "[a:b = 1] START t'2024-01-01T00:00:00Z'", 39, "expected STOP"},
    {V21, "[a:b = 1] REPEATS 0 TIMES", 18, "positive integer"},
    {V21, "[a:b = 1] REPEATS 1.5 TIMES", 18, "positive integer"},
    {V21, "[a:b = 1] REPEATS 2", 19, "expected TIMES"},
    {V21, "[a:b = 1] WITHIN 0 SECONDS", 17, "positive number"},
    {V21, "[a:b = 1] WITHIN 0.0 SECONDS", 17, "positive number"},
    {V21, "[a:b = 1] WITHIN -1.5 SECONDS", 17, "positive number"},
    {V21, "[a:b = 1] WITHIN 5 HOURS", 19, "expected SECONDS"},
    {V21, "[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS", 27, "no second qualifier"},
    {V21, "[a:b = 1] REPEATS 2 TIMES WITHIN 5 SECONDS REPEATS 2 TIMES", 43, "no second"},
    {V21, "[a:b = 1 WITHIN 5 SECONDS]", 9, "AND, OR or ']'"},
    {V21, "[a:b MATCHES '(']", 15, "regular expression"},
    {V21, "[a:b MATCHES 'a\\\\\\\\\\'[']", 22, "terminating ]"},
    {V21, "[a:b MATCHES '\\\\C']", 17, "regular expression"},
    {V21, "[a:b = 1] /* x", 10, "*/"},
    {V21, "[a:b = 1] / x", 10, "found '/'"},
    {V21, "[a:b = 'x\ny' 'line\nbreak']", 13, "found the constant 'line…"},
};

static void test_bad(void)
{
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        const struct bad *b = &bad_rows[i];
        struct err e = {0};
        struct parsed d;
        bool ok = parsed_init(&d, str_of(b->text), b->version, &e);
        CHECK_ROW(!ok && e.code == ERR_SYNTAX, "%s", b->text);
        CHECK_ROW(e.at == b->at, "%s: at %zu: %s", b->text, e.at, e.msg);
        CHECK_ROW(strstr(e.msg, b->words) != NULL, "%s: %s", b->text, e.msg);
        parsed_done(&d);
    }
}

/* ---- trees that must differ ---- */

static void test_unequal(void)
{
    static const char *const texts[] = {
        "[a:b = 1]",
        "[a:b = 2]",
        "[a:b = 1.0]",
        "[a:b = '1']",
        "[a:b = true]",
        "[a:b = false]",
        "[a:b = h'31']",
        "[a:b = b'MQ==']",
        "[a:b = t'2024-01-01T00:00:00Z']",
        "[a:b = t'2024-01-01T00:00:00.5Z']",
        "[a:b != 1]",
        "[a:b NOT = 1]",
        "[a:c = 1]",
        "[c:b = 1]",
        "[a:b.c = 1]",
        "[a:b[0] = 1]",
        "[a:b[*] = 1]",
        "[a:b IN (1)]",
        "[a:b IN (1, 2)]",
        "[EXISTS a:b]",
        "[a:b = 1 OR a:b = 1]",
        "[a:b = 1 AND a:b = 1]",
        "[a:b = 1] OR [a:b = 1]",
        "[a:b = 1] AND [a:b = 1]",
        "[a:b = 1] FOLLOWEDBY [a:b = 1]",
        "[a:b = 1] REPEATS 1 TIMES",
        "[a:b = 1] REPEATS 2 TIMES",
        "[a:b = 1] WITHIN 1 SECONDS",
        "[a:b = 1] WITHIN 1.0 SECONDS",
        "[a:b = 1] REPEATS 1 TIMES WITHIN 1 SECONDS",
        "[a:b = 1] WITHIN 1 SECONDS REPEATS 1 TIMES",
        "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z'",
        "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-03T00:00:00Z'",
        "([a:b = 1] WITHIN 1 SECONDS) WITHIN 1 SECONDS",
    };
    enum { COUNT = sizeof texts / sizeof texts[0] };
    struct parsed d[COUNT];
    struct err e;
    for (size_t i = 0; i < COUNT; i++)
        CHECK_ROW(parsed_init(&d[i], str_of(texts[i]), V21, &e), "%s", texts[i]);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < COUNT; k++)
            CHECK_ROW(pattern_equal(d[i].pattern, d[k].pattern) == (i == k), "%s and %s", texts[i],
                      texts[k]);
    for (size_t i = 0; i < COUNT; i++)
        parsed_done(&d[i]);
}

/* ---- notes ---- */

static void put_notes(struct buf *out, const struct pattern *p)
{
    struct pattern_note notes[PATTERN_NOTE_COUNT];
    size_t n = pattern_notes(p, notes);
    for (size_t k = 0; k < n; k++)
        buf_printf(out, "%s%s@%zu*%zu", k ? " " : "", pattern_note_name(notes[k].kind), notes[k].at,
                   notes[k].count);
}

static void test_notes(void)
{
    static const struct {
        enum pattern_version version;
        const char *text, *notes; /* name@offset*count, … */
    } rows[] = {
        {V21, "[a:b = 1]", ""},
        {V21, "[a:b == 1 OR a:b NOT==2]", "double-equals@5*2"},
        {V21, "[a:b <> 1]", "angle-not-equal@5*1"},
        {V21, "/* x */[a:b = 1]// y", "comment@0*2"},
        {V21, "[a:b = +1 OR a:b = +.5]", "plus-sign@7*2 float-short@19*1"},
        {V21, "[a:b = h'aB']", "hex-upper-case@10*1"},
        {V21, "[a:b = 9007199254740991]", ""},
        {V21, "[a:b = -9007199254740992]", "integer-range@7*1"},
        {V21, "[a:b[-1] = 1]", "index-negative@5*1"},
        {V21, "[a:b = 1 AND c:d = 1]", "types-differ@1*1"},
        {V21, "[a:b = 1 OR c:d = 1]", ""},
        {V21, "[a:b = 1 AND (c:d = 1 OR e:f = 1)]", "types-differ@1*1"},
        {V21, "[a:b = 1 AND (c:d = 1 OR a:f = 1)]", ""},
        {V21, "[a:b = 1 AND (c:d = 1 AND e:f = 1)]", "types-differ@1*1"},
        {V21, "[a:b = 1 AND (c:d = 1 OR c:d = 2 AND e:f = 1)]", "types-differ@1*2"},
        {V21, "[a:b = 1 AND (a:d = 1 OR c:d = 2 AND e:f = 1)]", "types-differ@25*1"},
        {V20, "[a:b = 1] REPEATS 2 TIMES REPEATS 2 TIMES", "qualifier-twice@26*1"},
        {V21, "[a:b IN ()]", "set-empty@8*1"},
        {V21, "[a:b IN (1, 1.5, 2)]", "set-numbers@12*1"},
        {V21, "[a:b = 00.5]", "float-zeros@7*1"},
        {V21, "[a:b = b'']", "binary-empty@7*1"},
        {V21, "[a:b = b'AA\n=\n=']", "binary-lines@11*2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed d;
        struct err e;
        struct buf got = {0};
        CHECK_ROW(parsed_init(&d, str_of(rows[i].text), rows[i].version, &e), "%s", rows[i].text);
        put_notes(&got, d.pattern);
        CHECK_ROW(str_eq(buf_view(&got), str_of(rows[i].notes)), "%s: %.*s", rows[i].text,
                  STR_FMT(buf_view(&got)));
        buf_done(&got);
        parsed_done(&d);
    }
    for (int k = 0; k < PATTERN_NOTE_COUNT; k++)
        CHECK(pattern_note_text((enum pattern_note_kind)k)[0] != '\0');
    CHECK(pattern_note_departs(PATTERN_NOTE_COMMENT) &&
          !pattern_note_departs(PATTERN_NOTE_SET_EMPTY));
}

/* ---- atoms ---- */

struct atoms {
    struct buf got;
    size_t most;
};

static bool put_atom(void *ctx, const struct pattern_atom *a)
{
    struct atoms *to = ctx;
    buf_printf(&to->got, "%.*s:%.*s%s%.*s|", STR_FMT(a->object_type), STR_FMT(a->path),
               a->subset ? "<" : "=", STR_FMT(a->value));
    return --to->most > 0;
}

static void test_finds(void)
{
    static const struct {
        const char *text;
        bool finds; /* x:value google.com */
    } rows[] = {
        {"[x:value LIKE '%']", true},
        {"[x:value LIKE '%.com']", true},
        {"[x:value LIKE 'g__gle.c%m']", true},
        {"[x:value LIKE 'google.com%%']", true},
        {"[x:value LIKE 'google']", false},
        {"[x:value LIKE '_google.com']", false},
        {"[x:value LIKE '%a%b%c%d%e%']", false},
        {"[x:value MATCHES '.*']", true},
        {"[x:value MATCHES 'gle']", true},
        {"[x:value MATCHES '^gle']", false},
        {"[x:value MATCHES '(a+)+$']", false},
        {"[x:value NOT LIKE 'evil%']", true},
        {"[x:value NOT LIKE '%']", false},
        {"[x:value NOT MATCHES 'evil']", true},
        {"[x:value != 'evil.example']", true},
        {"[x:value != 'google.com']", false},
        {"[x:value NOT = 'evil.example']", true},
        {"[x:value NOT IN ('evil.example', 'bad.example')]", true},
        {"[x:value NOT IN ('evil.example', 'google.com')]", false},
        {"[x:value NOT ISSUBSET '198.51.100.0/24']", true},
        {"[x:value ISSUPERSET 'google.com/32']", true},
        {"[x:value ISSUPERSET 'google.com/24']", false},
        {"[x:other LIKE '%']", false},
        {"[y:value LIKE '%']", false},
        {"[x:value = 'google.com']", true},
        {"[x:value IN ('a', 'google.com')]", true},
        {"[x:value IN ('a', 'b')]", false},
        {"[x:value LIKE '%' AND x:value LIKE '%o%']", true},
        {"[x:value LIKE '%'] AND [x:value != 'a']", true},
        {"[x:value LIKE '%'] FOLLOWEDBY [x:value != 'a']", true},
        {"[x:value LIKE '%' AND x:other = 'a']", false},
        {"[x:other = 'a' OR x:value LIKE '%']", true},
        {"[x:other = 'a'] OR [x:value LIKE '%'] REPEATS 2 TIMES", true},
        {"[x:other = 'a'] AND [x:value LIKE '%']", false},
        {"[x:other = 'a'] FOLLOWEDBY [x:value LIKE '%']", false},
        {"[x:value > 'a']", true},
        {"[x:value < 'a']", false},
        {"[x:value >= 'google.com']", true},
        {"[x:value <= 'google.com']", true},
        {"[EXISTS x:value]", true},
        {"[NOT EXISTS x:value]", false},
        {"[x:value = 7]", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed d;
        struct err e;
        CHECK_ROW(parsed_init(&d, str_of(rows[i].text), V21, &e), "%s", rows[i].text);
        CHECK_ROW(pattern_finds(d.pattern, STR("x"), STR("value"), STR("google.com")) ==
                      rows[i].finds,
                  "%s", rows[i].text);
        parsed_done(&d);
    }
}

static void test_atoms(void)
{
    static const struct {
        const char *text, *atoms;
        size_t undecided;
        const char *why;
    } rows[] = {
        {"[ipv4-addr:value = '1.2.3.4']", "ipv4-addr:value=1.2.3.4|", 0, NULL},
        {"[file:hashes . 'SHA-256' = 'x' OR file:'hashes'.'MD5' = 'y']",
         "file:hashes.'SHA-256'=x|file:hashes.MD5=y|", 0, NULL},
        {"[a:b IN ('x', 'it\\'s')] OR ([c:d = 'y'] OR [e:f ISSUBSET '10.0.0.0/8'])",
         "a:b=x|a:b=it's|c:d=y|e:f<10.0.0.0/8|", 0, NULL},
        {"[a:b = 'x' AND a:c = 'y' OR a:d = 'z']", "a:d=z|", 1, "AND between comparisons"},
        {"[a:b = 'x'] AND [a:c = 'y'] OR [a:d = 'z']", "a:d=z|", 1, "AND between observations"},
        {"[a:b = 'x'] FOLLOWEDBY [a:c = 'y']", "", 1, "FOLLOWEDBY"},
        {"[a:b = 'x'] REPEATS 2 TIMES OR [a:b = 'y']", "a:b=y|", 1,
         "a qualifier (REPEATS, WITHIN or START)"},
        {"([a:b = 'x'] OR [a:b = 'y']) WITHIN 5 SECONDS", "", 1,
         "a qualifier (REPEATS, WITHIN or START)"},
        {"[a:b NOT = 'x' OR a:b NOT IN ('y') OR a:b = 'z']", "a:b=z|", 2, "NOT"},
        {"[a:b LIKE 'x%' OR a:b != 'y' OR EXISTS a:b]", "", 3, "the operator LIKE"},
        {"[a:b = 5 OR a:b IN (1, 2)]", "", 2, "a constant that is no string"},
        {"[a:b[-1] = 'x' OR a:b[*].c = 'y']", "a:b[*].c=y|", 1, "a negative index"},
        {"[artifact:payload_bin = 'x']", "", 1, "a binary property"},
        {"[network-traffic:src_ref = 'x' OR network-traffic:src_ref.value = 'y']",
         "network-traffic:src_ref.value=y|", 1, "a reference property"},
        {"[a:b IN ()]", "", 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct atoms to = {.most = 100};
        const char *why = "unset";
        struct parsed d;
        struct err e;
        CHECK_ROW(parsed_init(&d, str_of(rows[i].text), V21, &e), "%s", rows[i].text);
        size_t n = pattern_atoms(d.pattern, put_atom, &to, &why);
        CHECK_ROW(str_eq(buf_view(&to.got), str_of(rows[i].atoms)), "%s: %.*s", rows[i].text,
                  STR_FMT(buf_view(&to.got)));
        CHECK_ROW(n == rows[i].undecided, "%s: %zu", rows[i].text, n);
        CHECK_ROW(why ? rows[i].why && strcmp(why, rows[i].why) == 0 : !rows[i].why, "%s: %s",
                  rows[i].text, why ? why : "none");
        buf_done(&to.got);
        parsed_done(&d);
    }
    struct atoms to = {.most = 2};
    struct parsed d;
    struct err e;
    CHECK(parsed_init(&d, STR("[a:b IN ('1','2','3')] OR [a:b = '4']"), V21, &e));
    CHECK(pattern_atoms(d.pattern, put_atom, &to, NULL) == 0);
    CHECK(str_eq(buf_view(&to.got), STR("a:b=1|a:b=2|")));
    buf_done(&to.got);
    parsed_done(&d);
}

/* ---- limits ---- */

static void put_times(struct buf *b, const char *s, size_t n)
{
    while (n--)
        buf_lit(b, s);
}

static void check_limit(const struct buf *text, enum err_code want, const char *what)
{
    struct err e = {0};
    struct parsed d, again;
    bool ok = parsed_init(&d, buf_view(text), V21, &e);
    CHECK_ROW(ok == (want == ERR_NONE) && e.code == want, "%s: %s %s", what, err_name(e.code),
              e.msg);
    if (ok) {
        ok = parsed_init(&again, buf_view(&d.print), V21, &e);
        CHECK_ROW(ok && pattern_equal(d.pattern, again.pattern), "%s again: %s", what, e.msg);
        parsed_done(&again);
    }
    parsed_done(&d);
}

static void test_limits(void)
{
    struct buf b = {0};
    for (size_t over = 0; over < 2; over++) {
        enum err_code want = over ? ERR_LIMIT : ERR_NONE;
        buf_clear(&b);
        put_times(&b, "(", LIMIT_PATTERN_DEPTH - 1);
        buf_lit(&b, over ? "[((a:b = 1))]" : "[(a:b = 1)]");
        put_times(&b, ")", LIMIT_PATTERN_DEPTH - 1);
        check_limit(&b, want, "depth");

        buf_clear(&b);
        buf_lit(&b, "[a:b = '");
        put_times(&b, "x", LIMIT_PATTERN_BYTES - 10 + over);
        buf_lit(&b, "']");
        check_limit(&b, want, "bytes");

        /* Each member is a node; beside them the test takes three, the [ ] one, a step one. */
        buf_clear(&b);
        buf_lit(&b, "[a:b IN (1");
        put_times(&b, ",1", LIMIT_PATTERN_NODES - 5 + over);
        buf_lit(&b, ")]");
        check_limit(&b, want, "nodes");
    }
    buf_clear(&b);
    buf_lit(&b, "[a:b MATCHES '(?:[a-z]{200}){60}'");
    put_times(&b, " OR a:b MATCHES '(?:[a-z]{200}){60}'", 2000);
    buf_lit(&b, "]");
    check_limit(&b, ERR_LIMIT, "regular expressions");

    /* Long chains are flat: no recursion over their length. */
    buf_clear(&b);
    buf_lit(&b, "[a:b=1]");
    put_times(&b, "OR[a:b=1]", 40000);
    check_limit(&b, ERR_NONE, "a long chain");
    buf_done(&b);
}

/* ---- every prefix in memory of its own size; every want of memory ---- */

static void check_prefixes(const char *text, enum pattern_version version)
{
    size_t all = strlen(text);
    for (size_t n = 0; n <= all; n++) {
        char *exact = malloc(n ? n : 1);
        struct err e = {0};
        struct parsed d;
        memcpy(exact, text, n);
        bool ok = parsed_init(&d, (struct str){exact, n}, version, &e);
        CHECK_ROW(ok || (e.code == ERR_SYNTAX && e.at <= n && e.msg[0]), "%zu of %s: %s", n, text,
                  e.msg);
        free(exact); /* a tree must not point into it: print once more */
        if (ok)
            pattern_print(d.pattern, &d.print);
        parsed_done(&d);
    }
}

static void test_prefixes(void)
{
    for (size_t i = 0; i < sizeof good_rows / sizeof good_rows[0]; i++)
        check_prefixes(good_rows[i].text, good_rows[i].version);
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++)
        check_prefixes(bad_rows[i].text, bad_rows[i].version);
}

static void test_memory(void)
{
    struct str text =
        STR("([file:hashes.'SHA-256' IN ('it\\'s', 'b') AND file:size > .5] REPEATS 2 "
            "TIMES) REPEATS 3 TIMES OR [a:b = h'00' AND (a:b[3] = b'AA==' OR a:c = 1)]");
    bool done = false;
    for (size_t cap = 0; !done && cap < 100000; cap += 16) {
        struct arena *a = arena_new(cap);
        struct pattern *p = NULL;
        struct err e = {0};
        done = pattern_parse(a, text, V21, &p, &e);
        CHECK_ROW(done ? p != NULL : e.code == ERR_LIMIT && !p, "%zu: %s", cap, e.msg);
        arena_free(a);
    }
    CHECK(done);
}

int main(void)
{
    test_good();
    test_bad();
    test_unequal();
    test_notes();
    test_atoms();
    test_finds();
    test_limits();
    test_prefixes();
    test_memory();
    TEST_END();
}
