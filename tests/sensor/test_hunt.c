/* Looking back: hunting through an index gives the alerts of scanning the log, whatever the blocks
 * are, and an index that was damaged or is of another log never says "no" wrongly. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/index_priv.h"
#include "sensor/sensor.h"
#include "test.h"

static char folder[100], log_path[200], index_dir[200];

static void put_log(struct str bytes)
{
    int fd = open(log_path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    CHECK(fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n);
    close(fd);
}

/* ---- alerts, as text ---- */

struct found {
    struct buf text;
    size_t count, notes;
};

static bool on_alert(void *ctx, const struct sensor_alert *a)
{
    struct found *f = ctx;
    buf_printf(&f->text, "%llu:%llu:%.*s>%.*s|", (unsigned long long)a->line,
               (unsigned long long)a->offset, STR_FMT(a->hit->seen), STR_FMT(a->indicator->id));
    f->count++;
    return true;
}

static void on_note(void *ctx, struct str log, const char *text)
{
    struct found *f = ctx;
    CHECK(text[0] && log.n);
    f->notes++;
}

static void found_begin(struct found *f)
{
    *f = (struct found){.count = 0};
    buf_init(&f->text, 0);
}

static struct sensor_indicators *set_of(const char *list)
{
    struct err e = {0};
    struct buf padded;
    struct sensor_indicators *s = sensor_indicators_new(NULL, NULL);
    buf_init(&padded, 0);
    buf_lit(&padded, list);
    size_t n = padded.n;
    for (int i = 0; i < BASE_PADDING; i++)
        buf_byte(&padded, '\0');
    CHECK_ROW(sensor_indicators_text(s, STR("test"), (struct str){padded.p, n}, &e) &&
                  sensor_indicators_seal(s, now_us(), &e),
              "%s", e.msg);
    buf_done(&padded);
    return s;
}

static void scan(const struct sensor_indicators *s, struct found *f)
{
    struct err e = {0};
    bool to_end = false;
    struct sensor_scan how = {
        .set = sensor_indicators_set(s), .alert = on_alert, .ctx = f, .threads = 1};
    found_begin(f);
    CHECK_ROW(sensor_scan_input(&how, log_path, &to_end, &e) && to_end, "%s", e.msg);
}

static bool hunt(const struct sensor_indicators *s, struct found *f, struct sensor_hunted *n)
{
    struct err e = {0};
    bool to_end = false;
    struct sensor_hunt how = {
        .scan = {.set = sensor_indicators_set(s), .alert = on_alert, .ctx = f, .threads = 1},
        .note = on_note};
    found_begin(f);
    return sensor_hunt(index_dir, &how, n, &to_end, &e) && to_end;
}

static enum sensor_indexed make_index(size_t block, size_t segment, size_t threads)
{
    struct err e = {0};
    struct sensor_index_is got = {SENSOR_INDEX_NONE, NULL};
    struct sensor_indexing how = {
        .threads = threads, .block_bytes = block, .segment_bytes = segment};
    CHECK_ROW(sensor_index_log(index_dir, log_path, &how, &got, &e), "%s", e.msg);
    return got.is;
}

static void forget_index(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", index_dir);
    CHECK(system(command) == 0);
}

/* ---- the same as scanning ---- */

static const char *const values[] = {
    "198.51.100.7",
    "198.51.100.0/24",
    "198.0.0.0/8",
    "198.0.0.0/7",
    "192.0.2.1",
    "2001:db8::1",
    "2001:db8::/32",
    "2001:db8::/29",
    "bad.example",
    "www.bad.example",
    "deep.www.bad.example",
    "none.example",
    "com",
    "http://bad.example/a",
    "bob@bad.example",
    "d41d8cd98f00b204e9800998ecf8427e",
    "198.51.100.7\nnone.example\n2001:db8::/32",
};

/* Lines of many lengths, with spellings that detection knows; some are far longer than a block. */
static void fill(struct buf *b, unsigned seed, size_t bytes)
{
    static const char *const pieces[] = {"198.51.100.7 ",
                                         "198.51.100.77:",
                                         "192[.]0[.]2[.]1 ",
                                         "2001:DB8:0:0::1 ",
                                         "[2001:db8::1]",
                                         "www.BAD.example ",
                                         "x.deep.www.bad.example;",
                                         "hxxp://bad.example/a ",
                                         "bob@bad.example",
                                         "d41d8cd98f00b204e9800998ecf8427e ",
                                         "nothing of note ",
                                         "1.2.3.4 ",
                                         "\n",
                                         "\n",
                                         "\r\n",
                                         "a.com ",
                                         "                    ",
                                         "\\/\\/bad.example\\/a "};
    const size_t count = sizeof pieces / sizeof *pieces;
    while (b->n < bytes) {
        seed = seed * 1664525u + 1013904223u;
        if ((seed >> 8) % 97 == 0)
            for (int i = 0; i < 60; i++)
                buf_lit(b, "filler ");
        buf_lit(b, (seed >> 16) % 3 ? pieces[10] : pieces[(seed >> 20) % count]);
        buf_lit(b, (seed >> 16) % 29 ? " " : "\n");
    }
}

static void compare(const char *what)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct sensor_indicators *s = set_of(values[i]);
        struct found plain, hunted;
        struct sensor_hunted n;
        scan(s, &plain);
        CHECK_ROW(hunt(s, &hunted, &n) && n.failed == 0, "%s: %s", what, values[i]);
        CHECK_ROW(str_eq(buf_view(&plain.text), buf_view(&hunted.text)), "%s: %s: %zu, not %zu",
                  what, values[i], hunted.count, plain.count);
        buf_done(&plain.text);
        buf_done(&hunted.text);
        sensor_indicators_free(s);
    }
}

static void test_same_as_scanning(void)
{
    static const struct {
        size_t bytes, block, segment, threads;
    } rows[] = {
        {0, 64, 1000, 1},        {1, 64, 1000, 1},      {5000, 64, 300, 1},   {5000, 100, 1000, 3},
        {50000, 1000, 64000, 2}, {50000, 333, 4000, 2}, {200000, 4096, 0, 2}, {600000, 0, 0, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char what[40];
        struct buf b;
        buf_init(&b, 0);
        fill(&b, (unsigned)i, rows[i].bytes);
        put_log(buf_view(&b));
        buf_done(&b);
        forget_index();
        CHECK(make_index(rows[i].block, rows[i].segment, rows[i].threads) == SENSOR_INDEX_MADE);
        CHECK(make_index(rows[i].block, rows[i].segment, rows[i].threads) == SENSOR_INDEX_FRESH);
        snprintf(what, sizeof what, "row %zu", i);
        compare(what);
    }
}

/* What is asked for is read, and little else. */
static void test_reads_little(void)
{
    struct buf b;
    struct found f;
    struct sensor_hunted n;
    struct sensor_indicators *s = set_of("rare.example");
    buf_init(&b, 0);
    fill(&b, 9, 300000);
    buf_lit(&b, "\nrare.example\n");
    fill(&b, 10, 600000);
    put_log(buf_view(&b));
    forget_index();
    CHECK(make_index(4096, 0, 2) == SENSOR_INDEX_MADE);
    CHECK(hunt(s, &f, &n) && f.count == 1 && n.logs == 1 && n.whole == 0);
    CHECK_ROW(n.bytes == b.n && n.read > 0 && n.read <= 3 * 4096 + 2000, "%llu bytes read",
              (unsigned long long)n.read);
    buf_done(&f.text);
    buf_done(&b);
    sensor_indicators_free(s);
}

/* ---- never a wrong "no" ---- */

static char *only_index(void)
{
    static char name[400];
    char command[300];
    snprintf(command, sizeof command, "ls '%s'/*.idx", index_dir);
    FILE *p = popen(command, "r");
    CHECK(p && fgets(name, sizeof name, p));
    if (p)
        pclose(p);
    name[strcspn(name, "\n")] = '\0';
    return name;
}

/* Writes the index again with one byte changed, or cut off there. */
static void spoil(const char *name, struct str bytes, size_t at, size_t how)
{
    static const unsigned char with[] = {1, 0x80, 0};
    struct buf b;
    buf_init(&b, 0);
    buf_str(&b, bytes);
    b.p[at] = (char)((unsigned char)b.p[at] ^ with[how]);
    b.n = how == 2 ? at : b.n;
    int fd = open(name, O_WRONLY | O_TRUNC);
    CHECK(fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n);
    close(fd);
    buf_done(&b);
}

static void test_damage(void)
{
    struct buf b;
    struct found plain, f;
    struct sensor_hunted n;
    struct err e = {0};
    struct str bytes;
    struct sensor_indicators *s = set_of("198.51.100.7\nbad.example");
    buf_init(&b, 0);
    fill(&b, 3, 1500);
    put_log(buf_view(&b));
    forget_index();
    CHECK(make_index(300, 1000, 1) == SENSOR_INDEX_MADE);
    scan(s, &plain);
    CHECK(plain.count > 5);
    const char *name = only_index();
    CHECK(file_read(name, 0, &bytes, &e) && bytes.n > 500);
    for (size_t k = 0; k < 3 * bytes.n; k++) {
        spoil(name, bytes, k / 3, k % 3);
        bool ok = hunt(s, &f, &n);
        bool told = n.failed == 1 && f.notes > 0;
        CHECK_ROW(ok && (told || str_eq(buf_view(&f.text), buf_view(&plain.text))), "byte %zu, %zu",
                  k / 3, k % 3);
        buf_done(&f.text);
    }
    base_free((void *)(uintptr_t)bytes.p);
    buf_done(&plain.text);
    buf_done(&b);
    sensor_indicators_free(s);
}

/* A log that grew, was rewritten, or is gone. */
static void test_changed_logs(void)
{
    struct found f;
    struct sensor_hunted n;
    struct stat st;
    struct sensor_indicators *s = set_of("bad.example");
    put_log(STR("one bad.example\ntwo\n"));
    forget_index();
    CHECK(make_index(0, 0, 1) == SENSOR_INDEX_MADE);
    put_log(STR("one bad.example\ntwo bad.example\n"));
    CHECK(hunt(s, &f, &n) && f.count == 2 && n.whole == 1 && f.notes == 1 && n.failed == 0);
    buf_done(&f.text);
    CHECK(make_index(0, 0, 1) == SENSOR_INDEX_MADE); /* made anew */
    CHECK(hunt(s, &f, &n) && f.count == 2 && n.logs == 1 && f.notes == 0);
    buf_done(&f.text);
    /* Behind its back: the same size and time. */
    CHECK(stat(log_path, &st) == 0);
    put_log(STR("one bad.example\nTWO bad.example\n"));
    struct timespec times[] = {st.st_atim, st.st_mtim};
    CHECK(utimensat(AT_FDCWD, log_path, times, 0) == 0);
    CHECK(hunt(s, &f, &n) && (f.count == 2 || n.failed == 1));
    buf_done(&f.text);
    CHECK(unlink(log_path) == 0);
    CHECK(hunt(s, &f, &n) && f.count == 0 && n.failed == 1 && f.notes == 1);
    buf_done(&f.text);
    sensor_indicators_free(s);
}

int main(void)
{
    struct err e;
    if (!crypt_init(&e))
        return 1;
    snprintf(folder, sizeof folder, "/tmp/setu-hunt-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(log_path, sizeof log_path, "%s/log", folder);
    snprintf(index_dir, sizeof index_dir, "%s/index", folder);
    test_same_as_scanning();
    test_reads_little();
    test_damage();
    test_changed_logs();
    forget_index();
    unlink(log_path);
    rmdir(folder);
    TEST_END();
}
