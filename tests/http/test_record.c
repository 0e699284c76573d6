/* The access log on a disk that is full for a while: lines are lost, and none is two. */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

#include "http/http_priv.h"

static void flush(struct http_log *l, const char *text)
{
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, text);
    http_log_flush(l, &b);
    CHECK(b.n == 0);
    buf_done(&b);
}

static void most_bytes(rlim_t n)
{
    struct rlimit r;
    CHECK(getrlimit(RLIMIT_FSIZE, &r) == 0);
    r.rlim_cur = n;
    CHECK(setrlimit(RLIMIT_FSIZE, &r) == 0);
}

int main(void)
{
    char path[] = "/tmp/setu-test-log.XXXXXX";
    struct http_log l;
    struct str text;
    struct err e = {0};
    int fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0);
    signal(SIGXFSZ, SIG_IGN);
    http_log_init(&l);
    flush(&l, "nobody asked for a log\n");
    CHECK(http_log_open(&l, str_of(path), &e) && atomic_load(&l.on));
    most_bytes(10);
    flush(&l, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
    CHECK(atomic_load(&l.lost) == 3); /* b, c, and the one before there was a log */
    flush(&l, "{\"d\":4}\n");
    CHECK(atomic_load(&l.lost) == 4);
    most_bytes(RLIM_INFINITY);
    flush(&l, "{\"e\":5}\n");
    flush(&l, "{\"f\":6}\n");
    CHECK(atomic_load(&l.lost) == 4);
    CHECK(file_read(path, 0, &text, &e));
    CHECK_ROW(str_eq(text, STR("{\"a\":1}\n{\"\n{\"e\":5}\n{\"f\":6}\n")), "%.*s", STR_FMT(text));
    base_free((void *)(uintptr_t)text.p);
    CHECK(http_log_open(&l, STR(""), &e) && !atomic_load(&l.on));
    CHECK(!http_log_open(&l, STR("/nonexistent/log"), &e) && e.msg[0]);
    http_log_done(&l);
    unlink(path);
    TEST_END();
}
