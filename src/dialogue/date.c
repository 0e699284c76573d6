/* Dates as people write them, with the weekdays beside them. */
#include <stdio.h>

#include "dialogue/dialogue_priv.h"

int64_t day_number(int year, int month, int day)
{
    char text[40];
    struct instant t;
    struct err e;
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
        return INT64_MIN;
    int n = snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", year, month, day);
    return instant_parse((struct str){text, (size_t)n}, &t, &e) ? t.s / 86400 : INT64_MIN;
}

int day_weekday(int year, int month, int day)
{
    int64_t n = day_number(year, month, day);
    if (n == INT64_MIN)
        return 0;
    return (int)(((n + 3) % 7 + 7) % 7) + 1; /* 1970-01-01 was a Thursday */
}

void day_of_number(int64_t number, int *year, int *month, int *day)
{
    char text[INSTANT_TEXT_BYTES];
    instant_text((struct instant){number * 86400, 0}, 0, text);
    must(sscanf(text, "%d-%d-%d", year, month, day) == 3);
}

const char *weekday_name(int weekday)
{
    static const char *const names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
    must(weekday >= 1 && weekday <= 7);
    return names[weekday - 1];
}

struct str day_text(struct arena *a, int year, int month, int day)
{
    return arena_printf(a, "%04d-%02d-%02d", year, month, day);
}

/* ---- parts ---- */

static unsigned month_at(const struct reading *r, size_t at)
{
    const struct mark *m = at < r->text.count ? mark_at(r, at, WORD_MONTH) : NULL;
    return m ? m->phrase->entry->number : 0;
}

static bool plain_digits(struct str s, size_t n)
{
    if (s.n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* "7", "07", "7th". */
static int day_at(const struct reading *r, size_t at)
{
    if (at >= r->text.count || !r->text.words[at].digits)
        return 0;
    const struct word *w = &r->text.words[at];
    struct str tail = str_from(w->raw, w->number >= 10 || w->raw.p[0] == '0' ? 2 : 1);
    if (w->number < 1 || w->number > 31 || w->raw.n > 4)
        return 0;
    if (tail.n && !str_eq_nocase(tail, STR("st")) && !str_eq_nocase(tail, STR("nd")) &&
        !str_eq_nocase(tail, STR("rd")) && !str_eq_nocase(tail, STR("th")))
        return 0;
    return (int)w->number;
}

static int year_at(const struct reading *r, size_t at)
{
    if (at >= r->text.count)
        return 0;
    const struct word *w = &r->text.words[at];
    return plain_digits(w->raw, 4) && w->number >= 1900 && w->number < 2100 ? (int)w->number : 0;
}

static int weekday_at(const struct reading *r, size_t at)
{
    const struct mark *m = at < r->text.count ? mark_at(r, at, WORD_WEEKDAY) : NULL;
    return m ? (int)m->phrase->entry->number : 0;
}

static unsigned gap(const struct reading *r, size_t at)
{
    return at < r->text.count ? r->text.words[at].gap : (unsigned)GAP_BREAK;
}

static bool word(const struct reading *r, size_t at, const char *norm)
{
    return at < r->text.count && !(gap(r, at) & GAP_BREAK) && word_is(&r->text.words[at], norm);
}

/* A join of a range: "-", "to", "and", "until"; returns where its second part begins, or 0. */
static size_t range_join(const struct reading *r, size_t at)
{
    if (gap(r, at) & (GAP_HYPHEN | GAP_DASH | GAP_SLASH) && !(gap(r, at) & GAP_BREAK))
        return at;
    if (word(r, at, "to") || word(r, at, "and") || word(r, at, "until") || word(r, at, "through"))
        return at + 1;
    return 0;
}

/* A year behind a date: "June 30, 2022", "30 June (Thu) 2022". */
static void take_year(const struct reading *r, struct day *d)
{
    size_t at = d->end;
    if (weekday_at(r, at) && !d->weekday && gap(r, at) & (GAP_OPEN | GAP_COMMA)) {
        if (!year_at(r, at + 1) || gap(r, at + 1) & GAP_BREAK)
            return;
        d->weekday = weekday_at(r, at++);
    }
    if (word(r, at, "of") || word(r, at, "in"))
        at++;
    if (gap(r, at) & (GAP_BREAK | GAP_OPEN))
        return;
    bool two = d->day && gap(r, at) == GAP_BLANK && gap(r, at + 1) & GAP_BREAK &&
               plain_digits(r->text.words[at].raw, 2); /* a page's own "14 September 23" */
    if (!year_at(r, at) && !two)
        return;
    d->year = two ? 2000 + (int)r->text.words[at].number : year_at(r, at);
    d->year_given = true;
    d->end = at + 1;
}

/* ---- forms ---- */

/* "27", "27-28", "27 and 28", "27 (Wed) and 28 (Thu)" from `at`; the word behind, or 0. */
static size_t take_days(const struct reading *r, size_t at, struct day *d)
{
    d->day = day_at(r, at);
    if (!d->day)
        return 0;
    at++;
    if (weekday_at(r, at) && gap(r, at) & GAP_OPEN)
        d->weekday = weekday_at(r, at++);
    size_t second = range_join(r, at);
    if (second && day_at(r, second) && !year_at(r, second)) {
        d->day2 = day_at(r, second);
        at = second + 1;
        if (weekday_at(r, at) && gap(r, at) & GAP_OPEN)
            d->weekday2 = weekday_at(r, at++);
    }
    return at;
}

/* "30 June 2022", "27-28 February 2019", "the 7th of March". */
static bool day_first(const struct reading *r, size_t at, struct day *d)
{
    *d = (struct day){.first = at};
    size_t end = take_days(r, at, d);
    if (!end)
        return false;
    if (word(r, end, "of"))
        end++;
    if (!month_at(r, end) || gap(r, end) & (GAP_BREAK | GAP_OPEN))
        return false;
    d->month = (int)month_at(r, end);
    d->month2 = d->day2 ? d->month : 0;
    d->end = end + 1;
    take_year(r, d);
    return true;
}

/* "June 30, 2022", "May 9-10, 2013", "November 2012". */
static bool month_first(const struct reading *r, size_t at, struct day *d)
{
    *d = (struct day){.first = at, .month = (int)month_at(r, at)};
    if (!d->month)
        return false;
    size_t end = gap(r, at + 1) & GAP_BREAK ? 0 : take_days(r, at + 1, d);
    if (end) {
        d->month2 = d->day2 ? d->month : 0;
        d->end = end;
        take_year(r, d);
        return true;
    }
    *d = (struct day){.first = at, .end = at + 1, .month = d->month};
    take_year(r, d);
    return d->year != 0;
}

static bool numeric(const struct reading *r, size_t at, struct day *d)
{
    const struct word *w = &r->text.words[at];
    int a, b, c;
    char sep1, sep2, text[16];
    size_t end = at + 1;
    if (!w->digits)
        return false;
    if (w->raw.n >= 8 && w->raw.n <= 10) { /* one word: 30.06.2022 */
        memcpy(text, w->raw.p, w->raw.n);
        text[w->raw.n] = '\0';
        if (sscanf(text, "%d%c%d%c%d", &a, &sep1, &b, &sep2, &c) != 5 || sep1 != '.' || sep2 != '.')
            return false;
    } else {
        unsigned both = gap(r, at + 1) & gap(r, at + 2) & (GAP_HYPHEN | GAP_SLASH);
        if (at + 2 >= r->text.count || !both || !w[1].digits || !w[2].digits)
            return false;
        a = (int)w->number, b = (int)w[1].number, c = (int)w[2].number;
        end = at + 3;
    }
    bool iso = year_at(r, at) != 0;
    if (!iso && (c < 1900 || c > 2099 || b > 12)) /* 06/30/2022 */ {
        int swap = a;
        a = b, b = swap;
    }
    if (iso ? b < 1 || b > 12 || c < 1 || c > 31
            : c < 1900 || c > 2099 || b < 1 || b > 12 || a > 31)
        return false;
    *d = (struct day){.first = at,
                      .end = end,
                      .year = iso ? a : c,
                      .month = b,
                      .day = iso ? c : a,
                      .year_given = true};
    /* 06/07/2022 may be June or July: not one of these is a date. */
    return iso || a > 12 || r->text.words[at].raw.n >= 8;
}

/* A range over two months: "30 June - 1 July 2022". */
static void join_months(const struct reading *r, struct day *d)
{
    struct day other;
    size_t at = range_join(r, d->end);
    if (!at || !d->day || d->day2 || word(r, d->end, "and"))
        return;
    if (!day_first(r, at, &other) && !month_first(r, at, &other))
        return;
    if (!other.day || other.day2 || (d->year && other.year && d->year != other.year))
        return;
    d->year2 = other.year;
    d->month2 = other.month;
    d->day2 = other.day;
    d->year = d->year ? d->year : other.year;
    d->year_given |= other.year_given;
    d->end = other.end;
}

/* Weekdays beside a date: "Thursday, 30 June", "30 June 2022, Thursday", "Thursday (1 July)". */
static void take_weekday(const struct reading *r, struct day *d)
{
    size_t at = d->first;
    if (d->weekday)
        return;
    for (size_t back = 1; back <= 2 && back <= at; back++) {
        if (gap(r, at - back + 1) & GAP_BREAK)
            break;
        if (weekday_at(r, at - back)) {
            d->weekday = weekday_at(r, at - back);
            return;
        }
        if (!word(r, at - back, "the") && !word(r, at - back, "on"))
            break;
    }
    size_t behind = d->end + (size_t)word(r, d->end, "a"); /* "30 June 2022, a Thursday" */
    if (!(gap(r, d->end) & GAP_BREAK) && gap(r, d->end) & (GAP_OPEN | GAP_COMMA) &&
        weekday_at(r, behind)) {
        d->weekday = weekday_at(r, behind);
        d->end = behind + 1;
    }
}

static void judge(struct day *d)
{
    if (d->day2 && !d->year2)
        d->year2 = d->year;
    if (d->year && d->day && day_number(d->year, d->month, d->day) == INT64_MIN)
        d->impossible = true;
    if (!d->year && d->day && day_number(2000, d->month, d->day) == INT64_MIN)
        d->impossible = true;
    if (d->day2 && d->year && day_number(d->year2, d->month2, d->day2) == INT64_MIN)
        d->impossible = true;
}

bool reading_days(struct reading *r, struct err *e)
{
    size_t room = 0;
    r->days = NULL;
    for (size_t i = 0; i < r->text.count; i++)
        room += r->text.words[i].digits;
    r->days = arena_calloc(r->a, room + 1, sizeof *r->days);
    if (!r->days)
        return arena_ok(r->a, e);
    for (size_t i = 0; i < r->text.count; i++) {
        struct day d;
        if (!numeric(r, i, &d) && !day_first(r, i, &d) && !month_first(r, i, &d))
            continue;
        join_months(r, &d);
        take_weekday(r, &d);
        judge(&d);
        must(r->day_count < room);
        r->days[r->day_count++] = d;
        i = d.end - 1;
    }
    return true;
}
