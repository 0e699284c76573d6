/*
 * Sets as such: files written and opened, spoilt at every byte; one set laid over another against
 * a set built anew; indicators kept whole.
 */
#include <unistd.h>

#include "match/match_priv.h"
#include "test.h"

static char path[] = "/tmp/setu-set-XXXXXX";

static void add(struct match_set *s, const struct match_indicator *i, const char *values)
{
    char out[OBSERVABLE_ROOM(200)];
    struct str rest = str_of(values);
    struct err e;
    uint32_t index;
    CHECK(match_set_indicator(s, i, &index, &e));
    while (rest.n > 0) {
        struct observable o;
        struct str value = str_cut(&rest, ' ');
        CHECK(observable_guess(value, out, sizeof out, &o, &e) &&
              match_set_value(s, index, &o, &e));
    }
}

static void add_id(struct match_set *s, const char *id, const char *values)
{
    add(s, &(struct match_indicator){.id = str_of(id), .from_us = INT64_MIN, .until_us = INT64_MAX},
        values);
}

static void seal(struct match_set *s)
{
    struct err e;
    CHECK(match_set_seal(s, &e));
}

static struct match_set *reopened(const struct match_set *s)
{
    struct match_set *opened = NULL;
    struct err e = {0};
    CHECK_ROW(match_set_write(s, path, &e) && match_set_open(path, &opened, &e), "%s", e.msg);
    return opened;
}

struct told {
    const struct match_set *set;
    struct buf out;
};

static bool on_hit(void *ctx, const struct match_hit *h)
{
    struct told *t = ctx;
    struct match_indicator i = match_set_get(t->set, h->indicator);
    buf_printf(&t->out, "%.*s>%.*s ", STR_FMT(h->seen), STR_FMT(i.id));
    return true;
}

static void check_told(const struct match_set *s, const char *text, const char *hits)
{
    struct told t = {.set = s};
    buf_init(&t.out, 0);
    match_scan(s, str_of(text), 0, on_hit, &t);
    CHECK_ROW(str_eq(buf_view(&t.out), str_of(hits)), "%s: %.*s", text, STR_FMT(buf_view(&t.out)));
    buf_done(&t.out);
}

/* ---- indicators --------------------------------------------------------------------------- */

static bool same(const struct match_indicator *a, const struct match_indicator *b)
{
    return str_eq(a->id, b->id) && str_eq(a->name, b->name) && str_eq(a->tlp, b->tlp) &&
           str_eq(a->labels, b->labels) && a->from_us == b->from_us && a->until_us == b->until_us &&
           a->stix == b->stix && a->version_us == b->version_us && str_eq(a->marks, b->marks);
}

static void test_indicators(void)
{
    static char long_text[70000];
    memset(long_text, 'x', sizeof long_text);
    const struct match_indicator rows[] = {
        {.id = STR("plain"), .from_us = INT64_MIN, .until_us = INT64_MAX},
        {.id = STR("all"),
         .name = STR("a name"),
         .tlp = STR("amber"),
         .labels = STR("[\"a\"]"),
         .from_us = -5,
         .until_us = 7,
         .stix = true,
         .version_us = -1,
         .marks = STR("m1 m2 ")},
        {.id = STR("same tlp"),
         .tlp = STR("amber"),
         .labels = STR("[\"a\"]"),
         .marks = STR("m1 m2 ")},
        {.id = STR("other"), .tlp = STR("green"), .from_us = INT64_MIN, .until_us = 0},
        {.id = {long_text, 127}, .name = {long_text, 128}, .from_us = 1, .until_us = INT64_MAX},
        {.id = {long_text, sizeof long_text}, .labels = {long_text, 16384}},
        {.id = STR_NONE, .from_us = INT64_MAX, .until_us = INT64_MIN, .stix = true},
    };
    enum { N = sizeof rows / sizeof *rows };
    struct match_set *s = match_set_new();
    for (size_t i = 0; i < N; i++)
        add(s, &rows[i], "evil.com");
    seal(s);
    struct match_set *opened = reopened(s);
    for (uint32_t i = 0; i < N; i++) {
        struct match_indicator a = match_set_get(s, i), b = match_set_get(opened, i);
        CHECK_ROW(same(&a, &rows[i]) && same(&b, &rows[i]), "%u: %.*s", i, STR_FMT(a.id));
    }
    CHECK(match_set_indicators(opened) == N && match_set_values(opened) == 1);
    match_set_free(opened);
    match_set_free(s);
}

/* ---- files -------------------------------------------------------------------------------- */

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
static const char text[] = "a.evil.com 1.2.3.4 1.2.3.9 10.1.2.3 2001:db8::1 2001:db8:7::1 x " MD5
                           " http://u.example/x?y bob@post.example http://[2001:db8::5]/ localhost";

static struct match_set *mixed(void)
{
    struct match_set *s = match_set_new();
    add_id(s, "name", "evil.com");
    add_id(s, "again", "evil.com 1.2.3.4");
    add_id(s, "below", "a.evil.com a.evil.com");
    add_id(s, "v4", "1.2.3.4 1.2.3.0/24 10.0.0.0/8");
    add_id(s, "v6", "2001:db8::1 2001:db8::/32");
    add_id(s, MD5, MD5);
    add_id(s, "url", "http://u.example/x?y http://[2001:db8::5]/");
    add_id(s, "mail", "bob@post.example");
    return s;
}

static const char mixed_hits[] =
    "a.evil.com>below a.evil.com>name a.evil.com>again 1.2.3.4>again 1.2.3.4>v4 1.2.3.4>v4 "
    "1.2.3.9>v4 10.1.2.3>v4 2001:db8::1>v6 2001:db8::1>v6 2001:db8:7::1>v6 " MD5 ">" MD5
    " http://u.example/x?y>url bob@post.example>mail http://[2001:db8::5]/>url 2001:db8::5>v6 ";

static void test_file(void)
{
    struct match_set *s = mixed(), *copy = match_set_new();
    struct err e;
    seal(s);
    check_told(s, text, mixed_hits);
    struct match_set *opened = reopened(s);
    check_told(opened, text, mixed_hits);
    CHECK(match_set_values(opened) == match_set_values(s) && !match_set_damaged(opened));
    CHECK(match_set_copy(copy, opened, &e));
    match_set_free(opened);
    seal(copy);
    check_told(copy, text, mixed_hits);
    struct match_set *empty = match_set_new();
    seal(empty);
    opened = reopened(empty);
    check_told(opened, text, "");
    match_set_free(opened);
    match_set_free(empty);
    match_set_free(copy);
    match_set_free(s);
}

static void put_file(struct str bytes)
{
    struct err e;
    CHECK(file_write(path, bytes, 0600, &e));
}

/* Each byte changed, in turn: it is not opened, or what is found is right, or the set says that it
 * is damaged. And no length but the whole. */
static void test_damage(void)
{
    struct match_set *s = mixed(), *opened;
    struct str good;
    struct err e;
    seal(s);
    CHECK(match_set_write(s, path, &e) && file_read(path, 0, &good, &e));
    char *bytes = (char *)(uintptr_t)good.p;
    size_t refused = 0, damaged = 0;
    for (size_t i = 0; i < good.n; i += i < 256 ? 1 : 61) {
        bytes[i] ^= 4;
        put_file(good);
        if (!match_set_open(path, &opened, &e)) {
            refused++;
        } else {
            struct told t = {.set = opened};
            buf_init(&t.out, 0);
            match_scan(opened, str_of(text), 0, on_hit, &t);
            bool right = str_eq(buf_view(&t.out), str_of(mixed_hits));
            damaged += match_set_damaged(opened);
            CHECK_ROW(right || match_set_damaged(opened), "byte %zu", i);
            buf_done(&t.out);
            match_set_free(opened);
        }
        bytes[i] ^= 4;
    }
    CHECK_ROW(refused > 200 && damaged > 10, "%zu, %zu", refused, damaged);
    for (size_t n = 0; n < good.n; n += n < 300 ? 1 : 509) {
        put_file(str_slice(good, 0, n));
        CHECK_ROW(!match_set_open(path, &opened, &e), "%zu bytes", n);
    }
    CHECK(!match_set_open("/no/such/file", &opened, &e) && strstr(e.msg, "/no/such/file"));
    CHECK(!match_set_open("/tmp", &opened, &e));
    base_free(bytes);
    match_set_free(s);
}

/* More values than one bucket, page or word holds, some twice; an opened set finds them all. */
static void test_many(void)
{
    struct match_list_options options = {.like = {.from_us = INT64_MIN, .until_us = INT64_MAX}};
    struct match_set *s = match_set_new();
    struct buf list, log, hits;
    struct err e;
    buf_init(&list, 0);
    buf_init(&log, 0);
    buf_init(&hits, 0);
    for (unsigned i = 0; i < 30000; i++) {
        buf_printf(&list, "n%u.example\n%u.%u.3.%u\n%s", i, i % 200 + 1, i / 200, i % 256,
                   i % 3000 == 0 ? "n7.example\n" : "");
        if (i % 10 == 0 && i > 7)
            buf_printf(&log, "n%u.example %u.%u.3.%u m%u.example ", i, i % 200 + 1, i / 200,
                       i % 256, i);
        if (i % 10 == 0 && i > 7)
            buf_printf(&hits, "n%u.example>n%u.example %u.%u.3.%u>%u.%u.3.%u ", i, i, i % 200 + 1,
                       i / 200, i % 256, i % 200 + 1, i / 200, i % 256);
    }
    buf_byte(&log, '\0');
    buf_byte(&hits, '\0');
    CHECK(match_set_load_list(s, buf_view(&list), &options, &e));
    seal(s);
    struct match_set *opened = reopened(s);
    CHECK(match_set_values(opened) == 60000 && match_set_indicators(opened) == 60010);
    check_told(opened, log.p, hits.p);
    match_set_free(opened);
    match_set_free(s);
    buf_done(&list);
    buf_done(&log);
    buf_done(&hits);
}

/* ---- one over the other -------------------------------------------------------------------- */

/* The set over `base` with what `change` says, one word each: -id silences, id=values adds. */
static struct match_set *over(const struct match_set *base, const char *change)
{
    struct match_set *s = match_set_new();
    struct str rest = str_of(change);
    struct err e;
    match_set_over(s, base);
    while (rest.n > 0) {
        struct str word = str_cut(&rest, ';');
        if (word.p[0] == '-') {
            CHECK(match_set_silence(s, str_from(word, 1), &e));
            continue;
        }
        struct str id = str_cut(&word, '=');
        char values[200];
        snprintf(values, sizeof values, "%.*s", STR_FMT(word));
        add(s, &(struct match_indicator){.id = id, .from_us = INT64_MIN, .until_us = INT64_MAX},
            values);
    }
    seal(s);
    return s;
}

static void test_over(void)
{
    struct match_set *base = mixed();
    seal(base);
    struct match_set *opened = reopened(base);
    const struct match_set *lowest[] = {base, opened};
    for (size_t i = 0; i < 2; i++) {
        struct match_set *one = over(lowest[i], "-name;-unknown;new=evil.com 9.9.9.0/24 u.example");
        check_told(one, "a.evil.com 9.9.9.9 u.example",
                   "a.evil.com>below a.evil.com>again a.evil.com>new 9.9.9.9>new u.example>new ");
        struct match_set *two = over(one, "-new;-again;-v4;name=evil.com;w=0.0.0.0/4 ::/8");
        check_told(two, "a.evil.com 9.9.9.9 u.example 1.2.3.4 64:ff9b::7",
                   "a.evil.com>below a.evil.com>name 9.9.9.9>w 1.2.3.4>w 64:ff9b::7>w "
                   "64:ff9b::7>w ");
        struct match_set *three = over(two, "-name;-below;-w");
        match_set_free(two);
        match_set_free(one);
        check_told(three, "a.evil.com 9.9.9.9 http://u.example/x?y", "http://u.example/x?y>url ");
        CHECK(match_set_indicators(three) == match_set_indicators(base));
        struct match_set *copy = match_set_new();
        struct err e;
        CHECK(match_set_copy(copy, three, &e));
        seal(copy);
        check_told(copy, "a.evil.com " MD5, MD5 ">" MD5 " ");
        CHECK(match_set_indicators(copy) == 4);
        match_set_free(copy);
        match_set_free(three);
    }
    match_set_free(opened);
    match_set_free(base);
}

/* Against a set built anew: random changes on top of each other. */
static void test_over_and_over(void)
{
    static const char *const values[] = {
        "evil.com",         "a.evil.com",  "1.2.3.4",    "1.2.3.0/24", MD5, "http://u.example/x?y",
        "bob@post.example", "2001:db8::1", "10.0.0.0/8", "com.example"};
    enum { IDS = 12, VALUES = sizeof values / sizeof *values };
    char ids[IDS][16];
    int held[IDS];
    uint64_t random = 7;
    struct match_set *base = match_set_new(), *now = NULL;
    for (int i = 0; i < IDS; i++) {
        snprintf(ids[i], sizeof ids[i], "i%d", i);
        held[i] = i % VALUES;
        add_id(base, ids[i], values[held[i]]);
    }
    seal(base);
    for (int round = 0; round < 60; round++) {
        struct match_set *next = match_set_new(), *anew = match_set_new();
        struct err e;
        match_set_over(next, now ? now : base);
        for (int k = 0; k < 3; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            int id = (int)(random >> 33) % IDS;
            CHECK(match_set_silence(next, str_of(ids[id]), &e));
            held[id] = -1;
        }
        for (int i = 0; i < IDS; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            if (held[i] >= 0 || random >> 62 == 0)
                continue;
            held[i] = (int)(random >> 33) % VALUES;
            add_id(next, ids[i], values[held[i]]);
        }
        for (int i = 0; i < IDS; i++)
            if (held[i] >= 0)
                add_id(anew, ids[i], values[held[i]]);
        seal(next);
        seal(anew);
        match_set_free(now);
        now = next;
        for (int v = 0; v < VALUES; v++) { /* in any order: each id once */
            struct told a = {.set = now}, b = {.set = anew};
            buf_init(&a.out, 0);
            buf_init(&b.out, 0);
            match_scan(now, str_of(values[v]), 0, on_hit, &a);
            match_scan(anew, str_of(values[v]), 0, on_hit, &b);
            uint64_t sum_a = 0, sum_b = 0;
            while (a.out.n > 0 && a.out.p[a.out.n - 1] == ' ')
                a.out.n--;
            while (b.out.n > 0 && b.out.p[b.out.n - 1] == ' ')
                b.out.n--;
            for (struct str r = buf_view(&a.out); r.n > 0;)
                sum_a += str_hash(str_cut(&r, ' '), 1);
            for (struct str r = buf_view(&b.out); r.n > 0;)
                sum_b += str_hash(str_cut(&r, ' '), 1);
            CHECK_ROW(sum_a == sum_b, "round %d, %s: %.*s, not %.*s", round, values[v],
                      STR_FMT(buf_view(&a.out)), STR_FMT(buf_view(&b.out)));
            buf_done(&a.out);
            buf_done(&b.out);
        }
        match_set_free(anew);
    }
    match_set_free(now);
    match_set_free(base);
}

/* ---- memory ------------------------------------------------------------------------------- */

/* The k-th allocation fails, for every k: an error, and nothing lost. */
static void test_no_memory(void)
{
    struct match_set *base = mixed(), *opened;
    struct err e = {0};
    seal(base);
    CHECK(match_set_write(base, path, &e));
    bool done = false;
    for (long k = 1; !done && k < 500; k++) {
        base_fail_allocation(k, false);
        struct match_list_options options = {.like = {.tlp = STR("green"), .until_us = INT64_MAX}};
        struct match_set *s = match_set_new();
        opened = NULL;
        bool ok = s != NULL && match_set_open(path, &opened, &e);
        if (ok)
            match_set_over(s, opened);
        ok = ok &&
             match_set_load_list(s, STR("b.example\n1.2.3.4\n2001:db8::9\nb.example"), &options,
                                 &e) &&
             match_set_silence(s, STR("name"), &e) && match_set_seal(s, &e);
        done = !base_fail_allocation(0, false);
        CHECK_ROW(ok == done && (ok || s == NULL || e.code == ERR_MEMORY), "%ld: %s", k, e.msg);
        match_set_free(s);
        match_set_free(opened);
    }
    CHECK(done);
    match_set_free(base);
}

/* ---- blinded ------------------------------------------------------------------------------ */

static const unsigned char key[32] = "k", other_key[32] = "o";

static struct match_set *blinded(const struct match_set *plain)
{
    struct match_set *made = NULL;
    struct err e = {0};
    CHECK_ROW(match_set_blind(plain, key, &made, &e), "%s", e.msg);
    struct match_set *opened = reopened(made);
    CHECK(match_set_unblind(opened, key, &e));
    match_set_free(made);
    return opened;
}

/* A set of one value would tell it, were its filters not full of what stands for nothing. */
static void check_filter(const struct match_bloom *f)
{
    for (size_t i = 0; i < f->count; i++)
        CHECK(__builtin_popcountll(f->words[i]) >= 31);
}

static void test_blinded(void)
{
    struct match_set *plain = match_set_new(), *over, *opened = NULL, *made = NULL;
    const struct match_indicator named = {.id = STR("indicator--1"),
                                          .name = STR("a secret name"),
                                          .labels = STR("[\"secret\"]"),
                                          .tlp = STR("amber"),
                                          .from_us = INT64_MIN,
                                          .until_us = 7,
                                          .stix = true};
    struct str file;
    struct err e = {0};
    add(plain, &named, "evil.example 198.51.100.0/24 2001:db8::/32 http://u.example/x?y " MD5);
    add_id(plain, "line.example", "line.example evil.example b@mail.example 203.0.113.9");
    seal(plain);
    struct match_set *set = blinded(plain);
    check_filter(&set->gate.first);
    check_filter(&set->gate.values);
    struct match_indicator i = match_set_get(set, 0);
    CHECK(str_eq(i.id, named.id) && i.name.n == 0 && i.labels.n == 0 && str_eq(i.tlp, named.tlp) &&
          i.until_us == 7 && i.stix);
    CHECK(str_starts(match_set_get(set, 1).id, STR("blinded-")));
    CHECK(file_read(path, 0, &file, &e));
    static const char *const secrets[] = {"evil", "example", "secret", "198.51",      "2001:db8",
                                          "mail", "line",    MD5,      "\xc6\x33\x64"};
    for (size_t k = 0; k < sizeof secrets / sizeof *secrets; k++)
        CHECK_ROW(memmem(file.p, file.n, secrets[k], strlen(secrets[k])) == NULL, "%s", secrets[k]);
    base_free((void *)(uintptr_t)file.p);

    over = match_set_new();
    match_set_over(over, set);
    for (int k = 0; k < 3000; k++) {
        char id[40];
        snprintf(id, sizeof id, "n%d.example", k);
        add_id(over, id, id);
    }
    CHECK(match_set_silence(over, STR("indicator--1"), &e));
    seal(over);
    struct told t = {.set = over};
    buf_init(&t.out, 0);
    match_scan(over, STR("a.evil.example 198.51.100.7 n7.example b@mail.example " MD5), 0, on_hit,
               &t);
    struct str id = match_set_get(set, 1).id;
    char expected[200];
    snprintf(expected, sizeof expected,
             "a.evil.example>%.*s n7.example>n7.example b@mail.example>%.*s ", STR_FMT(id),
             STR_FMT(id));
    CHECK_ROW(str_eq(buf_view(&t.out), str_of(expected)), "%.*s", STR_FMT(buf_view(&t.out)));
    buf_done(&t.out);
    match_set_free(over);

    CHECK(!match_set_open("/nowhere", &opened, &e) && match_set_open(path, &opened, &e));
    CHECK(!match_set_unblind(opened, other_key, &e) && strstr(e.msg, "another key") != NULL);
    CHECK(!match_set_blind(opened, key, &made, &e) && e.code == ERR_INVALID);
    over = match_set_new();
    CHECK(!match_set_copy(over, opened, &e) && e.code == ERR_INVALID);
    match_set_free(over);
    match_set_free(opened);
    match_set_free(set);
    match_set_free(plain);

    plain = match_set_new();
    add_id(plain, "wide", "10.0.0.0/19");
    seal(plain);
    CHECK(!match_set_blind(plain, key, &made, &e) && strstr(e.msg, "/19") != NULL);
    match_set_free(plain);
}

int main(void)
{
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    test_indicators();
    test_file();
    test_damage();
    test_many();
    test_over();
    test_over_and_over();
    test_blinded();
    test_no_memory();
    unlink(path);
    TEST_END();
}
