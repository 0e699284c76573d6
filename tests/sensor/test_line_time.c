/* When lines say that they were written. */
#include "test.h"

#include "sensor/sensor_priv.h"

#define SILENT INT64_MIN
#define NOW    INT64_C(1795486457000000) /* 2026-11-24T02:14:17Z */

static const struct {
    const char *line;
    int64_t ago_us; /* before NOW; SILENT: it does not say */
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
    {"2026-11-24 07:44:17 +0530 x", 0},
    {"2026-11-24 07:44:17.5 +05:30", -500000},
    {"2026-11-24 07:44:16,75 +05:30]", 250000},
    {"2026-11-23 21:14:17 -0500", 0},
    {"2026-11-24 11:14:17 JST [1] LOG: x", 0},
    {"2026-11-24T11:14:17JST", 0},
    {"2026-11-24 07:44:17 IST", 0},
    {"2026-11-24 02:14:17 UTC", 0},
    {"2026-11-24 02:14:17 GMT", 0},
    {"2026-11-24 02:14:17 Z", 0},
    {"192.0.2.1 [24/Nov/2026:11:14:17 JST] x", 0},
    /* No zones: other words, parts of words, numbers that are none. */
    {"2026-11-24 02:14:17 EST x", 0},
    {"2026-11-24 02:14:17 JSTX x", 0},
    {"2026-11-24 02:14:17 ISTANBUL", 0},
    {"2026-11-24 02:14:17 ist", 0},
    {"2026-11-24 02:14:17 +2400 x", 0},
    {"2026-11-24 02:14:17 +0560 x", 0},
    {"2026-11-24 02:14:17 +05300 x", 0},
    {"2026-11-24 02:14:17 -12 degrees", 0},
    {"2026-11-24 02:14:17 +", 0},
    {"2026-11-24 02:14:17  +0530", 0},
    {"2026-11-24 02:14:17-10.0.0.1 x", 0},
    {"2026-11-24 02:14:17 +0530-1", 0},
    {"2026-11-24 02:14:17 UTC-x", 0},
    {"2026-11-24 07:44:17 UTC+05:30. x", 0},
    /* The first that is found counts. */
    {"{\"ts\":1795486457,\"uri\":\"/2025-01-01T00:00:00Z\"}", 0},
    {"{\"time\":1795486457,\"q\":\"[01/Jan/2025:00:00:00 +0000]\"}", 0},
    {"{\"time\":1795486457,\"ts\":1700000000}", 0},
    {"{\"timestamp\":1795486457,\"ts\":1700000000}", 0},
    {"{\"a\":\"2026-11-24T02:14:17Z\",\"ts\":1700000000}", 0},
    {"{\"ts\":1,\"time\":1795486457}", 0},
    {"{\"ts\":1795486457}", 0},
    {"1795486457 2025-01-01T00:00:00Z", 0},
    {"2026-02-30T00:00:00Z 2026-11-24T02:14:17Z", 0},
    {"9876543210 2026-11-24T02:14:17Z", 0},
    {"1795486457 x", 0},
    {"1795486456.75\tx", 250000},
    {"4102444799 x", NOW - INT64_C(4102444799000000)},
    {"1000000000 x", NOW - INT64_C(1000000000000000)},
    {"1795486457000 x", 0},
    {"{\"ts\":1795486456.5,\"uid\":\"C\"}", 500000},
    {"{\"uid\":\"C\", \"time\" : 1795486457000}", 0},
    {"", SILENT},
    {"x", SILENT},
    {"12345678901 x", SILENT},
    {"9876543210 x", SILENT}, /* a telephone number */
    {"0961234567 x", SILENT}, /* another */
    {"9876543210123 x", SILENT},
    {"0946684800000 x", SILENT},
    {"4102444800 x", SILENT}, /* 2100-01-01 */
    {"4102444800000 x", SILENT},
    {"{\"ts\":9876543210}", SILENT},
    {"{\"time\":4102444800000}", SILENT},
    {"1795486457f0c2d7 x", SILENT}, /* a hash */
    {"2026-02-30T02:14:17Z", SILENT},
    {"2023-02-29T02:14:17Z", SILENT},
    {"[31/Nov/2026:02:14:17 +0000]", SILENT},
    {"Feb 30 02:14:17 x", SILENT},
    {"2026-13-24T02:14:17Z", SILENT},
    {"2026-11-24T25:14:17Z", SILENT},
    {"2026-11-24", SILENT},
    {"12026-11-24T02:14:17Z", SILENT},
    {"[24/Foo/2026:02:14:17 +0000]", SILENT},
    {"Nov 42 02:14:17 x", SILENT},
    {"<34", SILENT},
    {"\"ts\":", SILENT},
};

/* Of the last year that had such a day, a day of grace for clocks that are ahead. */
static const struct {
    const char *now, *line, *at;
} years[] = {
    {"2026-11-24T02:14:17Z", "Feb 29 02:14:17 host x", "2024-02-29T02:14:17Z"},
    {"2026-12-31T23:59:50Z", "Jan  1 00:00:05 host x", "2027-01-01T00:00:05Z"},
    {"2026-12-31T23:59:50Z", "Jan  2 00:00:05 host x", "2026-01-02T00:00:05Z"},
    {"2024-02-29T02:14:17Z", "Feb 29 02:14:17 host x", "2024-02-29T02:14:17Z"},
    {"2024-02-28T12:00:00Z", "Feb 29 02:14:17 host x", "2024-02-29T02:14:17Z"},
    {"2024-02-27T12:00:00Z", "Feb 29 14:14:17 host x", "2020-02-29T14:14:17Z"},
    {"2024-02-29T12:00:00Z", "<13>Mar  1 11:00:00 x", "2024-03-01T11:00:00Z"},
    {"2026-01-01T00:00:10Z", "Dec 31 23:59:59 x", "2025-12-31T23:59:59Z"},
    {"2025-12-31T23:59:50Z", "Jan  1 00:00:01 x", "2026-01-01T00:00:01Z"},
    {"2104-02-28T00:00:00Z", "Feb 29 12:00:00 x", "2096-02-29T12:00:00Z"},
};

static void test_years(void)
{
    for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
        struct instant now, at;
        struct err e;
        int64_t us = 0;
        must(instant_parse(str_of(years[i].now), &now, &e));
        must(instant_parse(str_of(years[i].at), &at, &e));
        CHECK_ROW(sensor_line_time(str_of(years[i].line), instant_us(now), &us) &&
                      us == instant_us(at),
                  "%s: %s: %lld", years[i].now, years[i].line, (long long)us);
    }
}

/* What begins in the first 512 bytes is read to its end, what begins behind them is not. */
static void test_far_in_the_line(void)
{
    char line[600];
    int64_t us = 0;
    for (size_t at = 480; at < 520; at++) {
        memset(line, 'x', sizeof line);
        memcpy(line + at, "2026-11-24T07:44:17.000+05:30", 29);
        struct str s = {line, sizeof line};
        CHECK_ROW(sensor_line_time(s, NOW, &us) == (at < 512), "%zu", at);
        CHECK_ROW(at >= 512 || us == NOW, "%zu: %lld", at, (long long)us);
    }
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t us = 0;
        bool known = sensor_line_time(str_of(rows[i].line), NOW, &us);
        CHECK_ROW(known == (rows[i].ago_us != SILENT), "%s", rows[i].line);
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
    test_years();
    test_far_in_the_line();
    TEST_END();
}
