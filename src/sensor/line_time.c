/* When a line of a log says that it was written, in the forms that logs use. */
#include <string.h>
#include <time.h>

#include "sensor/sensor_priv.h"

/* Times stand near the beginning. */
#define LOOKED_AT 512

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* `n` digits at `at`. */
static bool number(struct str s, size_t at, size_t n, int *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (at + i >= s.n || !is_digit(s.p[at + i]))
            return false;
        *out = *out * 10 + (s.p[at + i] - '0');
    }
    return true;
}

static bool has(struct str s, size_t at, char c)
{
    return at < s.n && s.p[at] == c;
}

static bool in_range(const struct tm *t)
{
    return t->tm_mon >= 0 && t->tm_mon < 12 && t->tm_mday >= 1 && t->tm_mday <= 31 &&
           t->tm_hour < 24 && t->tm_min < 60 && t->tm_sec < 61;
}

/* hh:mm:ss */
static bool clock_of(struct str s, size_t at, struct tm *t)
{
    return number(s, at, 2, &t->tm_hour) && has(s, at + 2, ':') &&
           number(s, at + 3, 2, &t->tm_min) && has(s, at + 5, ':') &&
           number(s, at + 6, 2, &t->tm_sec);
}

/* A fraction at `*at`, in microseconds; *at goes behind it. */
static int64_t fraction(struct str s, size_t *at)
{
    int64_t us = 0, unit = 100000;
    if (!(has(s, *at, '.') || has(s, *at, ',')) || *at + 1 >= s.n || !is_digit(s.p[*at + 1]))
        return 0;
    for (++*at; *at < s.n && is_digit(s.p[*at]); ++*at) {
        us += (s.p[*at] - '0') * unit;
        unit /= 10;
    }
    return us;
}

/* +hh:mm, +hhmm or nothing, which is UTC; in microseconds. */
static int64_t zone(struct str s, size_t at)
{
    int hours, minutes;
    bool minus = has(s, at, '-');
    if (!(minus || has(s, at, '+')) || !number(s, at + 1, 2, &hours))
        return 0;
    if (!number(s, at + 3 + has(s, at + 3, ':'), 2, &minutes))
        minutes = 0;
    int64_t us = (int64_t)(hours * 60 + minutes) * 60 * 1000000;
    return minus ? -us : us;
}

/* RFC 3339, and as ISO 8601 is written with a blank, a comma, or without a zone. */
static bool iso(struct str s, size_t at, int64_t *out)
{
    struct tm t = {0};
    int year;
    if (!number(s, at, 4, &year) || !has(s, at + 4, '-') || !number(s, at + 5, 2, &t.tm_mon) ||
        !has(s, at + 7, '-') || !number(s, at + 8, 2, &t.tm_mday) ||
        !(has(s, at + 10, 'T') || has(s, at + 10, 't') || has(s, at + 10, ' ')) ||
        !clock_of(s, at + 11, &t))
        return false;
    t.tm_year = year - 1900;
    t.tm_mon--;
    if (!in_range(&t))
        return false;
    at += 19;
    int64_t us = fraction(s, &at);
    *out = (int64_t)timegm(&t) * 1000000 + us - zone(s, at);
    return true;
}

static bool month(struct str s, size_t at, int *out)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (*out = 0; *out < 12; ++*out)
        if (at + 3 <= s.n && memcmp(s.p + at, names + 3 * (size_t)*out, 3) == 0)
            return true;
    return false;
}

/* [24/Nov/2026:02:14:17 +0530], as web servers write it. */
static bool common(struct str s, size_t at, int64_t *out)
{
    struct tm t = {0};
    int year;
    if (!has(s, at, '[') || !number(s, at + 1, 2, &t.tm_mday) || !has(s, at + 3, '/') ||
        !month(s, at + 4, &t.tm_mon) || !has(s, at + 7, '/') || !number(s, at + 8, 4, &year) ||
        !has(s, at + 12, ':') || !clock_of(s, at + 13, &t) || !in_range(&t))
        return false;
    t.tm_year = year - 1900;
    *out = (int64_t)timegm(&t) * 1000000 - zone(s, at + 21 + has(s, at + 21, ' '));
    return true;
}

/* Nov 24 02:14:17 (RFC 3164 §4.1.2): local time, of the last year in which it is not to come. */
static bool syslog(struct str s, int64_t now_us, int64_t *out)
{
    struct tm t = {0}, now;
    time_t now_s = (time_t)(now_us / 1000000);
    size_t at = 0;
    if (has(s, 0, '<'))
        while (at < 6 && at < s.n && s.p[at++] != '>')
            ;
    if (!month(s, at, &t.tm_mon) || !has(s, at + 3, ' ') ||
        !number(s, at + 4 + has(s, at + 4, ' '), has(s, at + 4, ' ') ? 1 : 2, &t.tm_mday) ||
        !has(s, at + 6, ' ') || !clock_of(s, at + 7, &t) || !in_range(&t) ||
        !localtime_r(&now_s, &now))
        return false;
    t.tm_year = now.tm_year;
    t.tm_isdst = -1;
    struct tm again = t;
    time_t at_s = mktime(&t);
    if (at_s > now_s + 86400) {
        again.tm_year--;
        at_s = mktime(&again);
    }
    *out = (int64_t)at_s * 1000000;
    return true;
}

/* Seconds since 1970 (ten digits, perhaps a fraction) or milliseconds (thirteen). */
static bool epoch(struct str s, size_t at, int64_t *out)
{
    size_t n = 0;
    int64_t v = 0;
    while (at + n < s.n && is_digit(s.p[at + n]) && n < 14)
        v = v * 10 + (s.p[at + n++] - '0');
    if (n == 13)
        *out = v * 1000;
    if (n == 10) {
        at += n;
        *out = v * 1000000 + fraction(s, &at);
    }
    return n == 10 || n == 13;
}

/* The number behind "ts": or "timestamp": and the like, as JSON has it. */
static bool named_epoch(struct str s, int64_t *out)
{
    static const char *const names[] = {"\"ts\"", "\"time\"", "\"timestamp\"", "\"@timestamp\""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *found = memmem(s.p, s.n, names[i], strlen(names[i]));
        size_t at = found ? (size_t)(found - s.p) + strlen(names[i]) : s.n;
        while (at < s.n && (s.p[at] == ':' || s.p[at] == ' '))
            at++;
        if (at < s.n && epoch(s, at, out))
            return true;
    }
    return false;
}

bool sensor_line_time(struct str line, int64_t now_us, int64_t *out)
{
    struct str s = str_slice(line, 0, LOOKED_AT);
    if (syslog(s, now_us, out) || (s.n && epoch(s, 0, out)))
        return true;
    for (size_t at = 0; at + 19 <= s.n; at++)
        if ((is_digit(s.p[at]) && (at == 0 || !is_digit(s.p[at - 1])) && iso(s, at, out)) ||
            common(s, at, out))
            return true;
    return named_epoch(s, out);
}
