#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/base.h"

/* Days from 1970-01-01 in the proleptic Gregorian calendar; eras of 400 years start in March. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned of_era = (unsigned)(y - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int)(yoe + era * 400 + (*month <= 2));
}

static bool leap(unsigned y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static unsigned month_days(unsigned y, unsigned m)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[m - 1] + (m == 2 && leap(y) ? 1u : 0u);
}

static bool digits(struct str s, size_t at, size_t n, unsigned *out)
{
    *out = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
            return false;
        *out = *out * 10 + (unsigned)(s.p[i] - '0');
    }
    return true;
}

#define FIRST_SECOND (-62167219200) /* 0000-01-01T00:00:00Z */
#define LAST_SECOND  253402300799   /* 9999-12-31T23:59:59Z */

static bool bad(struct err *e, size_t at, const char *why)
{
    return err_set_at(e, ERR_INVALID, at, "timestamp %s; write it as 2026-01-31T12:00:00.000Z",
                      why);
}

/* Reads ".digits", if they are there, behind the seconds; *at goes behind them. */
static bool fraction(struct str s, size_t *at, uint32_t *ns, struct err *e)
{
    uint32_t v = 0, scale = 100000000;
    size_t i = *at;
    if (s.p[i] != '.')
        return true;
    for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        v += (uint32_t)(s.p[i] - '0') * scale;
        scale /= 10;
    }
    if (i == *at + 1)
        return bad(e, i, "has no digit behind its point");
    *at = i;
    *ns = v;
    return true;
}

/* RFC 3339 §5.6, time-numoffset: seconds that local time is ahead of UTC. */
static bool offset(struct str s, size_t at, int64_t *out)
{
    unsigned hours, minutes;
    if (s.n - at != 6 || (s.p[at] != '+' && s.p[at] != '-') || s.p[at + 3] != ':' ||
        !digits(s, at + 1, 2, &hours) || !digits(s, at + 4, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *out = hours * 3600 + minutes * 60;
    if (s.p[at] == '-')
        *out = -*out;
    return true;
}

static bool parse(struct str s, bool zoned, struct instant *out, struct err *e)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    unsigned year, month, day, hour, minute, second;
    uint32_t ns = 0;
    int64_t ahead = 0;
    size_t end = 19;
    if (s.n < 20)
        return bad(e, 0, "is too short");
    for (size_t i = 0; i < 19; i++)
        if (shape[i] == 'd' ? (s.p[i] < '0' || s.p[i] > '9') : s.p[i] != shape[i])
            return bad(e, i, "is not in the form of RFC 3339");
    must(digits(s, 0, 4, &year) && digits(s, 5, 2, &month) && digits(s, 8, 2, &day));
    must(digits(s, 11, 2, &hour) && digits(s, 14, 2, &minute) && digits(s, 17, 2, &second));
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return bad(e, 5, "names a day that does not exist");
    if (hour > 23 || minute > 59 || second > 60)
        return bad(e, 11, "names a time of day that does not exist");
    if (!fraction(s, &end, &ns, e))
        return false;
    bool utc = str_eq(str_from(s, end), STR("Z"));
    if (!utc && zoned && !offset(s, end, &ahead))
        return bad(e, end, "does not end with Z or an offset as +05:30");
    if (!utc && !zoned)
        return bad(e, end, "does not end with Z");
    int64_t at = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - ahead;
    if (at < FIRST_SECOND)
        return bad(e, end, "names a second before the year 0000");
    if (at > LAST_SECOND)
        return bad(e, 17, "names a second of the year 10000");
    out->s = at;
    out->ns = ns;
    return true;
}

bool instant_parse(struct str s, struct instant *out, struct err *e)
{
    return parse(s, false, out, e);
}

bool instant_parse_zoned(struct str s, struct instant *out, struct err *e)
{
    return parse(s, true, out, e);
}

int instant_cmp(struct instant a, struct instant b)
{
    if (a.s != b.s)
        return a.s < b.s ? -1 : 1;
    return (a.ns > b.ns) - (a.ns < b.ns);
}

int64_t instant_us(struct instant t)
{
    return t.s * 1000000 + t.ns / 1000;
}

struct instant instant_of_us(int64_t us)
{
    int64_t s = us / 1000000, rest = us % 1000000;
    if (rest < 0) {
        s--;
        rest += 1000000;
    }
    return (struct instant){s, (uint32_t)rest * 1000};
}

static _Atomic int64_t clock_us = INT64_MIN; /* what a test has set */

void base_clock_set(int64_t us)
{
    atomic_store(&clock_us, us);
}

struct instant instant_now(void)
{
    struct timespec t;
    int64_t us = atomic_load_explicit(&clock_us, memory_order_relaxed);
    if (us != INT64_MIN)
        return instant_of_us(us);
    clock_gettime(CLOCK_REALTIME, &t);
    return (struct instant){t.tv_sec, (uint32_t)t.tv_nsec};
}

int64_t now_us(void)
{
    return instant_us(instant_now());
}

int64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* `width` digits of `v`, and `behind`; without printf, for what writes very many. */
static int put_digits(char *out, int n, unsigned v, int width, char behind)
{
    for (int i = width; i-- > 0; v /= 10)
        out[n + i] = (char)('0' + v % 10);
    out[n + width] = behind;
    return n + width + 1;
}

struct str instant_text(struct instant t, int fraction_digits, char out[INSTANT_TEXT_BYTES])
{
    int64_t days = t.s / 86400, rest = t.s % 86400;
    int year, n;
    unsigned month, day, r;
    must(fraction_digits >= 0 && fraction_digits <= 9);
    if (rest < 0) {
        days--;
        rest += 86400;
    }
    date_of(days, &year, &month, &day);
    r = (unsigned)rest;
    if (year >= 0 && year <= 9999)
        n = put_digits(out, 0, (unsigned)year, 4, '-');
    else
        n = snprintf(out, INSTANT_TEXT_BYTES, "%d-", year);
    n = put_digits(out, n, month, 2, '-');
    n = put_digits(out, n, day, 2, 'T');
    n = put_digits(out, n, r / 3600, 2, ':');
    n = put_digits(out, n, r / 60 % 60, 2, ':');
    n = put_digits(out, n, r % 60, 2, '.');
    if (fraction_digits)
        n = put_digits(out, n, t.ns, 9, 'Z') - (10 - fraction_digits);
    else
        n--;
    out[n++] = 'Z';
    out[n] = '\0';
    return (struct str){out, (size_t)n};
}
