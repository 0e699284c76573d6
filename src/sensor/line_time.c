/* When a line of a log says that it was written, in the forms that logs use. */
#include <string.h>
#include <time.h>

#include "sensor/sensor_priv.h"

/* Times stand near the beginning: what begins in so many bytes is read. */
#define LOOKED_AT 512

#define LEAP_YEARS_APART 8 /* at the most: 1896 and 1904 */
#define YEAR_2100_S      4102444800

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

static bool is_word(struct str s, size_t at)
{
    return at < s.n && (is_digit(s.p[at]) || (s.p[at] >= 'A' && s.p[at] <= 'Z') ||
                        (s.p[at] >= 'a' && s.p[at] <= 'z'));
}

/* Not every year has a 29 February. */
static bool has_day(const struct tm *t)
{
    struct tm day = {.tm_year = t->tm_year, .tm_mon = t->tm_mon, .tm_mday = t->tm_mday};
    (void)timegm(&day);
    return day.tm_mon == t->tm_mon && day.tm_mday == t->tm_mday;
}

static bool in_range(const struct tm *t)
{
    return t->tm_mon >= 0 && t->tm_mon < 12 && t->tm_mday >= 1 && has_day(t) && t->tm_hour < 24 &&
           t->tm_min < 60 && t->tm_sec < 61;
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

/* Something that goes on with what ends at `at`: 10.0.0.1 behind a time is no zone. */
static bool goes_on(struct str s, size_t at)
{
    bool joined = has(s, at, '.') || has(s, at, ':') || has(s, at, '-') || has(s, at, '_');
    return at + joined < s.n && is_digit(s.p[at + joined]);
}

/* Behind a blank or not: +hh:mm, +hhmm, perhaps behind UTC or GMT, the name of a zone that is
 * India's or Japan's, or nothing of this, which is UTC; in microseconds. +hh may not stand behind a
 * blank: it may be a number. */
static int64_t zone(struct str s, size_t at)
{
    static const struct {
        const char *name;
        int minutes;
    } names[] = {{"IST", 330}, {"JST", 540}};
    int hours, minutes;
    bool apart = has(s, at, ' ');
    at += apart;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_starts(str_from(s, at), str_of(names[i].name)) && !is_word(s, at + 3))
            return (int64_t)names[i].minutes * 60 * 1000000;
    struct str rest = str_from(s, at);
    if (str_starts(rest, STR("UTC")) || str_starts(rest, STR("GMT"))) {
        apart = false;
        at += 3;
    }
    bool minus = has(s, at, '-');
    if (!(minus || has(s, at, '+')) || !number(s, at + 1, 2, &hours))
        return 0;
    size_t behind = at + 3 + has(s, at + 3, ':');
    bool full = number(s, behind, 2, &minutes);
    if (full ? minutes > 59 || goes_on(s, behind + 2) : apart || goes_on(s, at + 3))
        return 0;
    int64_t us = (int64_t)(hours * 60 + (full ? minutes : 0)) * 60 * 1000000;
    return hours > 23 ? 0 : minus ? -us : us;
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
        !has(s, at + 12, ':') || !clock_of(s, at + 13, &t))
        return false;
    t.tm_year = year - 1900;
    if (!in_range(&t))
        return false;
    *out = (int64_t)timegm(&t) * 1000000 - zone(s, at + 21);
    return true;
}

/* Nov 24 02:14:17 (RFC 3164 §4.1.2): local time, of the last year in which there was such a day
 * and it is not to come; a clock may be ahead by a day. */
static bool syslog(struct str s, int64_t now_us, int64_t *out)
{
    struct tm t = {.tm_year = 100}, now; /* 2000 has all days */
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
    t.tm_isdst = -1;
    for (int ago = -1; ago <= LEAP_YEARS_APART; ago++) {
        t.tm_year = now.tm_year - ago;
        struct tm then = t; /* mktime changes it */
        time_t at_s = mktime(&then);
        if (!has_day(&t) || at_s > now_s + 86400)
            continue;
        *out = (int64_t)at_s * 1000000;
        return true;
    }
    return false;
}

/* Seconds since 1970 (ten digits, perhaps a fraction) or milliseconds (thirteen), of the years
 * 2001, where numbers of so many digits begin, to 2099: telephones have others. A hash may begin
 * so. */
static bool epoch(struct str s, size_t at, int64_t *out)
{
    size_t n = 0;
    int64_t v = 0;
    if (has(s, at, '0'))
        return false;
    while (at + n < s.n && is_digit(s.p[at + n]) && n < 14)
        v = v * 10 + (s.p[at + n++] - '0');
    if (!(n == 10 || n == 13) || v / (n == 13 ? 1000 : 1) >= YEAR_2100_S || is_word(s, at + n))
        return false;
    at += n;
    *out = n == 13 ? v * 1000 : v * 1000000 + fraction(s, &at);
    return true;
}

/* The number behind "ts": or "timestamp": and the like, as JSON has it. */
static bool named_epoch(struct str s, size_t at, int64_t *out)
{
    static const char *const names[] = {"\"ts\"", "\"time\"", "\"timestamp\"", "\"@timestamp\""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!str_starts(str_from(s, at), str_of(names[i])))
            continue;
        at += strlen(names[i]);
        while (has(s, at, ':') || has(s, at, ' '))
            at++;
        return epoch(s, at, out);
    }
    return false;
}

bool sensor_line_time(struct str line, int64_t now_us, int64_t *out)
{
    if (syslog(line, now_us, out) || epoch(line, 0, out))
        return true;
    for (size_t at = 0; at < line.n && at < LOOKED_AT; at++)
        if ((is_digit(line.p[at]) && (at == 0 || !is_digit(line.p[at - 1])) &&
             iso(line, at, out)) ||
            common(line, at, out) || named_epoch(line, at, out))
            return true;
    return false;
}
