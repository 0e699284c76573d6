/* Instants as a clock on a wall shows them. India and Japan have kept one offset since 1945 and
 * 1951, so their zones are constants and need no file; others are read from TZif files (RFC 8536).
 * The C library's own zones hang on the variable TZ, which no thread may change under another. */
#include <stdio.h>

#include "dialogue/dialogue.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"
#define FILE_MOST   (1u << 20)

/* ---- a cursor over big-endian bytes ---- */

struct cursor {
    struct str s;
    size_t at;
    bool bad;
};

static int64_t take(struct cursor *c, size_t bytes)
{
    uint64_t v = 0;
    if (bytes > c->s.n - c->at) {
        c->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | (unsigned char)c->s.p[c->at + i];
    c->at += bytes;
    return bytes == 8 ? (int64_t)v : (int64_t)(int32_t)(uint32_t)v;
}

static void skip(struct cursor *c, size_t bytes)
{
    if (bytes > c->s.n - c->at)
        c->bad = true;
    else
        c->at += bytes;
}

/* ---- the rule behind the last transition: "EST5EDT,M3.2.0,M11.1.0" ---- */

struct rule {
    int month, week, day;
    int32_t at_s; /* local time of the change */
};

static bool number(struct str s, size_t *at, int32_t *out)
{
    size_t first = *at;
    int32_t v = 0;
    while (*at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9' && *at - first < 4)
        v = v * 10 + (s.p[(*at)++] - '0');
    *out = v;
    return *at > first;
}

/* "hh[:mm[:ss]]" with a sign. */
static bool clock_time(struct str s, size_t *at, int32_t *out)
{
    int32_t sign = 1, part, total = 0, unit = 3600;
    if (*at < s.n && (s.p[*at] == '-' || s.p[*at] == '+'))
        sign = s.p[(*at)++] == '-' ? -1 : 1;
    for (int i = 0; i < 3; i++, unit /= 60) {
        if (i && (*at >= s.n || s.p[*at] != ':'))
            break;
        *at += i > 0;
        if (!number(s, at, &part) || part > 167)
            return false;
        total += part * unit;
    }
    *out = sign * total;
    return true;
}

static bool abbreviation(struct str s, size_t *at)
{
    size_t first = *at;
    if (*at < s.n && s.p[*at] == '<') {
        while (*at < s.n && s.p[*at] != '>')
            ++*at;
        return *at < s.n && ++*at > first;
    }
    while (*at < s.n && ((s.p[*at] | 0x20) >= 'a' && (s.p[*at] | 0x20) <= 'z'))
        ++*at;
    return *at - first >= 3;
}

/* ",M3.2.0/2" */
static bool rule_read(struct str s, size_t *at, struct rule *r)
{
    int32_t month, week, day;
    if (*at + 1 >= s.n || s.p[*at] != ',' || s.p[*at + 1] != 'M')
        return false;
    *at += 2;
    if (!number(s, at, &month) || *at >= s.n || s.p[(*at)++] != '.' || !number(s, at, &week) ||
        *at >= s.n || s.p[(*at)++] != '.' || !number(s, at, &day))
        return false;
    *r = (struct rule){month, week, day, 7200};
    if (month < 1 || month > 12 || week < 1 || week > 5 || day > 6)
        return false;
    if (*at < s.n && s.p[*at] == '/') {
        ++*at;
        return clock_time(s, at, &r->at_s);
    }
    return true;
}

/* Seconds since 1970 of a local midnight, as if it were UTC. */
static bool midnight(int year, int month, int day, int64_t *out)
{
    char text[40];
    struct instant t;
    struct err e;
    int n = snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", year, month, day);
    if (n != 20 || !instant_parse((struct str){text, 20}, &t, &e))
        return false;
    *out = t.s;
    return true;
}

/* When a rule strikes in a year, in local seconds. */
static bool rule_when(const struct rule *r, int year, int64_t *out)
{
    int64_t first, day;
    if (!midnight(year, r->month, 1, &first))
        return false;
    int weekday = (int)(((first / 86400 + 4) % 7 + 7) % 7); /* Sunday 0; 1970-01-01: Thursday */
    int mday = 1 + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
    while (!midnight(year, r->month, mday, &day) && mday > 7)
        mday -= 7; /* week 5 is the last there is */
    *out = day + r->at_s;
    return true;
}

static int year_at(int64_t s)
{
    char text[INSTANT_TEXT_BYTES];
    int year = 0;
    instant_text((struct instant){s, 0}, 0, text);
    return sscanf(text, "%d", &year) == 1 ? year : 0;
}

static bool footer_offset(struct str s, int64_t at, int32_t *out, struct err *e)
{
    struct rule on, off;
    int32_t standard, summer;
    int64_t begin, end;
    size_t i = 0;
    if (!abbreviation(s, &i) || !clock_time(s, &i, &standard))
        return err_set(e, ERR_INVALID, "the zone's rule is not understood");
    standard = -standard;
    *out = standard;
    if (i == s.n)
        return true;
    if (!abbreviation(s, &i))
        return err_set(e, ERR_INVALID, "the zone's rule is not understood");
    summer = standard + 3600;
    if (i < s.n && s.p[i] != ',') {
        if (!clock_time(s, &i, &summer))
            return err_set(e, ERR_INVALID, "the zone's rule is not understood");
        summer = -summer;
    }
    if (!rule_read(s, &i, &on) || !rule_read(s, &i, &off) || i != s.n)
        return err_set(e, ERR_INVALID, "the zone's rule is not understood");
    int year = year_at(at + standard);
    if (!rule_when(&on, year, &begin) || !rule_when(&off, year, &end))
        return err_set(e, ERR_INVALID, "the zone's rule names no day of %d", year);
    begin -= standard;
    end -= summer;
    bool in = begin < end ? at >= begin && at < end : at >= begin || at < end;
    *out = in ? summer : standard;
    return true;
}

/* ---- the file ---- */

struct counts {
    size_t isut, isstd, leap, time, type, abbreviation;
};

static bool header(struct cursor *c, struct counts *n, char *version)
{
    if (!str_starts(str_from(c->s, c->at), STR("TZif")))
        return false;
    skip(c, 4);
    *version = (char)take(c, 1);
    skip(c, 15);
    size_t *const fields[] = {&n->isut, &n->isstd, &n->leap, &n->time, &n->type, &n->abbreviation};
    for (size_t i = 0; i < 6; i++) {
        int64_t v = take(c, 4);
        if (v < 0 || v > FILE_MOST)
            return false;
        *fields[i] = (size_t)v;
    }
    return !c->bad && n->type > 0;
}

static size_t body_bytes(const struct counts *n, size_t time_bytes)
{
    return n->time * (time_bytes + 1) + n->type * 6 + n->abbreviation + n->leap * (time_bytes + 4) +
           n->isstd + n->isut;
}

static int32_t type_offset(struct cursor types, size_t type)
{
    skip(&types, type * 6);
    return (int32_t)take(&types, 4);
}

bool dialogue_zone_offset(struct str tzif, int64_t at_s, int32_t *offset_s, struct err *e)
{
    struct cursor c = {.s = tzif}, footer;
    struct counts n = {0};
    char version = 0;
    size_t bytes = 4, later = 0;
    bool ok = header(&c, &n, &version);
    if (ok && version >= '2') {
        skip(&c, body_bytes(&n, 4));
        ok = header(&c, &n, &version);
        bytes = 8;
    }
    if (!ok)
        return err_set(e, ERR_INVALID, "the zone's file is no TZif file");
    struct cursor times = c, indexes = c, types = c;
    skip(&indexes, n.time * bytes);
    skip(&types, n.time * (bytes + 1));
    footer = c;
    skip(&footer, body_bytes(&n, bytes));
    if (indexes.bad || types.bad || footer.bad)
        return err_set(e, ERR_INVALID, "the zone's file is cut short");
    while (later < n.time && take(&times, bytes) <= at_s)
        later++;
    struct str rule = str_from(tzif, footer.at);
    if (later == n.time && bytes == 8 && rule.n > 2 && rule.p[0] == '\n' && rule.p[1] != '\n') {
        rule = str_from(rule, 1);
        return footer_offset(str_slice(rule, 0, str_find(rule, '\n')), at_s, offset_s, e);
    }
    size_t type = 0;
    if (later) {
        skip(&indexes, later - 1);
        type = (size_t)(unsigned char)take(&indexes, 1);
    }
    if (type >= n.type)
        return err_set(e, ERR_INVALID, "the zone's file names a type that it has not");
    *offset_s = type_offset(types, type);
    if (*offset_s < -93599 || *offset_s > 93599)
        return err_set(e, ERR_INVALID, "the zone's file has an offset of more than a day");
    return true;
}

/* ---- by name ---- */

static bool name_sound(struct str zone)
{
    for (size_t i = 0; i < zone.n; i++) {
        char c = zone.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && !(i && (c == '/' || c == '_' || c == '-' || c == '+')))
            return false;
    }
    return zone.n > 0 && zone.n < 64;
}

static bool zone_offset(struct str zone, int64_t at_s, int32_t *offset_s, struct err *e)
{
    static const struct {
        const char *name;
        int32_t offset_s;
    } fixed[] = {{"UTC", 0}, {"Asia/Kolkata", 19800}, {"Asia/Tokyo", 32400}};
    char path[128];
    struct str bytes;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (str_eq(zone, str_of(fixed[i].name))) {
            *offset_s = fixed[i].offset_s;
            return true;
        }
    snprintf(path, sizeof path, "%s/%.*s", ZONE_FOLDER, STR_FMT(zone));
    if (!name_sound(zone) || !file_exists(path))
        return err_set(e, ERR_NOT_FOUND, "there is no zone %.*s: install tzdata", STR_FMT(zone));
    if (!file_read(path, FILE_MOST, &bytes, e))
        return false;
    bool ok = dialogue_zone_offset(bytes, at_s, offset_s, e);
    base_free((void *)(uintptr_t)bytes.p);
    return ok || err_prefix(e, "%.*s", STR_FMT(zone));
}

bool dialogue_local(int64_t at_us, struct str zone, char out[DIALOGUE_LOCAL_BYTES], struct err *e)
{
    char text[INSTANT_TEXT_BYTES];
    struct instant t = instant_of_us(at_us);
    int32_t offset;
    if (t.s < -62167000000 || t.s > 253402000000)
        return err_set(e, ERR_INVALID, "an instant outside of the years 1 to 9999");
    if (!zone_offset(zone, t.s, &offset, e))
        return false;
    t.s += offset;
    instant_text(t, 0, text);
    int32_t minutes = (offset < 0 ? -offset : offset) / 60;
    snprintf(out, DIALOGUE_LOCAL_BYTES, "%.19s%c%02d:%02d", text, offset < 0 ? '-' : '+',
             minutes / 60 % 100, minutes % 60);
    return true;
}
