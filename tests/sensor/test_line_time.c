/* When lines say that they were written. */
#include "test.h"

#include "sensor/sensor_priv.h"

#define NOW INT64_C(1795486457000000) /* 2026-11-24T02:14:17Z */

static const struct {
    const char *line;
    int64_t ago_us; /* before NOW; -1: it does not say */
} rows[] = {
    {"2026-11-24T02:14:17Z x", 0},
    {"2026-11-24T02:14:16.25Z x", 750000},
    {"2026-11-24 02:14:16,250 INFO x", 750000},
    {"x [2026-11-24T07:44:17+05:30] x", 0},
    {"x 2026-11-24t11:14:17+0900 x", 0},
    {"2026-11-23T21:14:17-05", 0},
    {"{\"a\":1,\"timestamp\":\"2026-11-24T02:14:17.000000Z\"}", 0},
    {"192.0.2.1 - - [24/Nov/2026:07:44:17 +0530] \"GET / HTTP/1.1\" 200", 0},
    {"192.0.2.1 - - [24/Nov/2026:02:14:07 +0000] \"GET /2025-01-01T00:00:00Z\"", 10000000},
    {"Nov 24 02:14:17 host sshd[1]: x", 0},
    {"<34>Nov 24 02:14:07 host su: x", 10000000},
    {"Nov  3 02:14:17 host x", INT64_C(21) * 86400 * 1000000},
    {"Dec 24 02:14:17 host x", INT64_C(335) * 86400 * 1000000}, /* of the year before */
    {"1795486457 x", 0},
    {"1795486456.75\tx", 250000},
    {"1795486457000 x", 0},
    {"{\"ts\":1795486456.5,\"uid\":\"C\"}", 500000},
    {"{\"uid\":\"C\", \"time\" : 1795486457000}", 0},
    {"", -1},
    {"x", -1},
    {"12345678901 x", -1},
    {"2026-13-24T02:14:17Z", -1},
    {"2026-11-24T25:14:17Z", -1},
    {"2026-11-24", -1},
    {"12026-11-24T02:14:17Z", -1},
    {"[24/Foo/2026:02:14:17 +0000]", -1},
    {"Nov 42 02:14:17 x", -1},
    {"<34", -1},
    {"\"ts\":", -1},
};

int main(void)
{
    setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t us = 0;
        bool known = sensor_line_time(str_of(rows[i].line), NOW, &us);
        CHECK_ROW(known == (rows[i].ago_us >= 0), "%s", rows[i].line);
        if (known)
            CHECK_ROW(NOW - us == rows[i].ago_us, "%s: %lld", rows[i].line, (long long)(NOW - us));
        /* Cut anywhere, it says another thing or nothing, and nothing behind it is read. */
        for (size_t n = 0; n < strlen(rows[i].line); n++) {
            char *cut = malloc(n + 1);
            memcpy(cut, rows[i].line, n);
            (void)sensor_line_time((struct str){cut, n}, NOW, &us);
            free(cut);
        }
    }
    TEST_END();
}
