/* The forms in which an identifier of a subscriber or a device stands in bytes. Every one is exact:
 * it names itself, or it begins as the home network's do. */
#include "observable/observable.h"
#include "stix/guard_priv.h"

/* What a byte may be or begin. */
const unsigned char guard_classes[256] = {
    0,  0,   0,  0,   0,  0,  0,  0,  0,  0,  0,   0,  0,  0,   0,   0, 0, 0,  0, 0,  0, 0,
    0,  0,   0,  0,   0,  0,  0,  0,  0,  0,  128, 0,  0,  0,   0,   0, 0, 0,  0, 0,  0, 0,
    0,  128, 16, 0,   51, 51, 51, 51, 51, 51, 51,  51, 51, 51,  144, 0, 0, 0,  0, 0,  8, 50,
    50, 50,  50, 114, 50, 6,  2,  6,  2,  2,  2,   70, 2,  2,   70,  2, 2, 70, 2, 66, 2, 2,
    2,  2,   2,  0,   0,  0,  0,  0,  0,  50, 50,  50, 50, 114, 50,  6, 2, 6,  2, 2,  2, 70,
    2,  2,   70, 2,   2,  70, 2,  66, 2,  2,  2,   2,  2,  0,   0,   0, 0, 0,
};

/* ---- digits ---- */

static bool begins(const struct guard_digits *list, size_t count, const unsigned char *digits)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(list[i].v, digits, list[i].n) == 0)
            return true;
    return false;
}

/* TS 23.003 §6: the last digit is Luhn's. The first two are the body that allots type codes: of
 * those in use, which leaves four random numbers in a thousand. */
static bool is_imei(const unsigned char d[15])
{
    static const unsigned char bodies[] = {1, 35, 86, 91};
    unsigned body = d[0] * 10u + d[1], sum = 0, i = 0;
    while (i < sizeof bodies && bodies[i] != body)
        i++;
    if (i == sizeof bodies)
        return false;
    for (i = 0; i < 15; i++) {
        unsigned v = i % 2 ? 2u * d[i] : d[i];
        sum += v > 9 ? v - 9 : v;
    }
    return sum % 10 == 0;
}

/* TS 23.003 §19.3.2: in an NAI a digit that says the method of authentication stands before it. */
static bool is_method(unsigned digit)
{
    return digit == 0 || digit == 1 || digit == 6;
}

static const char *name_digits(const struct stix_guard *g, const unsigned char *d, size_t n)
{
    if (n == 15 && begins(g->plmns, g->plmn_count, d))
        return "IMSI";
    if (n == 16 && is_method(d[0]) && begins(g->plmns, g->plmn_count, d + 1))
        return "IMSI";
    if (n >= 10 && n <= 15 && begins(g->numbers, g->number_count, d))
        return "MSISDN";
    return NULL;
}

static size_t run_of_digits(struct str t, size_t at)
{
    size_t n = 0;
    while (at + n < t.n && guard_is_digit(t.p[at + n]))
        n++;
    return n;
}

enum { MOST_DIGITS = 16 };

/* A whole number, or one in groups that a blank, hyphen or stop divides: 404 10 0123456789. */
static const char *number_at(const struct stix_guard *g, struct str t, size_t at, size_t run)
{
    unsigned char d[MOST_DIGITS] = {0};
    size_t n = 0, end = at;
    if (run > MOST_DIGITS)
        return NULL;
    while (run && n + run <= MOST_DIGITS) {
        for (size_t i = 0; i < run; i++)
            d[n++] = (unsigned char)(t.p[end + i] - '0');
        end += run;
        bool whole = end == t.n || !guard_is_alnum(t.p[end]);
        const char *name = n >= 10 && whole ? name_digits(g, d, n) : NULL;
        if (name)
            return name;
        if (n == 15 && whole && run == 15 && is_imei(d))
            return "IMEI";
        if (!whole || end == t.n || !strchr(" -.", t.p[end]))
            return NULL;
        run = run_of_digits(t, ++end);
    }
    return NULL;
}

/* ---- names before digits ---- */

/* So many digits behind one hyphen (TS 29.571 §5.3.2), or behind other signs. */
static const struct label {
    struct str word;
    const char *name;
    size_t least, least_apart, most;
} labels[] = {
    {{"imsi", 4}, "IMSI", 5, 14, 15},       {{"supi", 4}, "SUPI", 14, 14, 15},
    {{"msisdn", 6}, "MSISDN", 5, 8, 15},    {{"gpsi", 4}, "GPSI", 8, 8, 15},
    {{"imeisv", 6}, "IMEISV", 16, 16, 16},  {{"imei-sv", 7}, "IMEISV", 16, 16, 16},
    {{"imei_sv", 7}, "IMEISV", 16, 16, 16}, {{"imei", 4}, "IMEI", 14, 14, 16},
    {{"pei", 3}, "PEI", 14, 14, 16},        {{"mei", 3}, "MEI", 14, 14, 16},
};

static bool word_at(struct str t, size_t at, struct str word)
{
    if (t.n - at < word.n)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        char c = t.p[at + i];
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != word.p[i])
            return false;
    }
    return true;
}

/* Up to six signs, percent-encoded ones too. */
static size_t pass_signs(struct str t, size_t at)
{
    for (size_t i = 0; i < 6 && at < t.n; i++) {
        if (t.p[at] == '%' && t.n - at > 2 && guard_is_alnum(t.p[at + 1]) &&
            guard_is_alnum(t.p[at + 2]))
            at += 3;
        else if (guard_is_alnum(t.p[at]) || (unsigned char)t.p[at] >= 0x80)
            break;
        else
            at++;
    }
    return at;
}

/* TS 29.571 §5.3.2: suci-0-MCC-MNC-routing-scheme-key-output. */
static bool is_suci(struct str t, size_t at)
{
    size_t n;
    if (t.n - at < 4 || t.p[at] != '-' || !guard_is_digit(t.p[at + 1]) || t.p[at + 2] != '-' ||
        run_of_digits(t, at + 3) != 3)
        return false;
    n = at + 6;
    if (n >= t.n || t.p[n] != '-')
        return false;
    size_t mnc = run_of_digits(t, n + 1);
    return (mnc == 2 || mnc == 3) && n + 1 + mnc < t.n && t.p[n + 1 + mnc] == '-';
}

static const char *label_at(struct str t, size_t at)
{
    if (word_at(t, at, STR("suci")) && is_suci(t, at + 4))
        return "SUCI";
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        const struct label *l = &labels[i];
        if (!word_at(t, at, l->word))
            continue;
        size_t from = at + l->word.n, digits = pass_signs(t, from), n = run_of_digits(t, digits);
        bool tight = digits == from + 1 && t.p[from] == '-';
        if (n <= l->most && n >= (tight ? l->least : l->least_apart))
            return l->name;
    }
    return NULL;
}

/* ---- network access identifiers ---- */

static bool in_host(char c)
{
    return guard_is_alnum(c) || c == '.' || c == '-';
}

static bool holds(struct str t, struct str word)
{
    for (size_t i = 0; i + word.n <= t.n; i++)
        if (word_at(t, i, word))
            return true;
    return false;
}

/* TS 23.003 §14, §19.3, §28.7: digits, or type0.…userid…, at a realm of 3gppnetwork.org. */
static bool nai_at(struct str t, size_t at)
{
    size_t from = at, end = at + 1, digits = 0, most = 0;
    while (end < t.n && end - at < 255 && in_host(t.p[end]))
        end++;
    if (!holds(str_slice(t, at + 1, end), STR("3gppnetwork.org")))
        return false;
    while (from && at - from < 128 && (in_host(t.p[from - 1]) || t.p[from - 1] == '_'))
        from--;
    for (size_t i = from; i < at; i++) {
        digits = guard_is_digit(t.p[i]) ? digits + 1 : 0;
        most = digits > most ? digits : most;
    }
    return most >= 9 || word_at(t, from, STR("type"));
}

/* ---- addresses of users ---- */

static bool in_prefix(const struct guard_prefix *p, const unsigned char *a, size_t n)
{
    size_t whole = p->bits / 8u, rest = p->bits % 8u;
    return p->n == n && memcmp(p->address, a, whole) == 0 &&
           (rest == 0 || (p->address[whole] ^ a[whole]) >> (8 - rest) == 0);
}

static bool is_user(const struct stix_guard *g, struct str word)
{
    unsigned char a[16];
    size_t n = 0;
    while (word.n && (word.p[word.n - 1] == '.' || word.p[word.n - 1] == ':'))
        word.n--;
    if (observable_parse_ipv4(word, a))
        n = 4;
    else if (observable_parse_ipv6(word, a))
        n = 16;
    for (size_t i = 0; n && i < g->user_count; i++)
        if (in_prefix(&g->users[i], a, n))
            return true;
    return false;
}

bool guard_may_be_address(const char three[3])
{
    return guard_class(three[0]) & guard_class(three[1]) & guard_class(three[2]) & GUARD_ADDRESS;
}

static bool names_user(const struct stix_guard *g, struct str t)
{
    for (size_t i = 0, n, marks; i < t.n; i += n + 1) {
        for (n = marks = 0; i + n < t.n && guard_class(t.p[i + n]) & GUARD_ADDRESS; n++)
            marks += t.p[i + n] == '.' || t.p[i + n] == ':';
        if (marks >= 2 && n < 48 && is_user(g, str_slice(t, i, i + n)))
            return true;
    }
    return false;
}

/* ---- text ---- */

const char *guard_in_text(const struct stix_guard *g, struct str t)
{
    for (size_t i = 0, before = 0; i < t.n; i++) {
        unsigned class = guard_class(t.p[i]), inside = (unsigned)before & GUARD_WORD;
        const char *name = NULL;
        before = class;
        /* Numbers and labels begin a word. */
        if (!(class & (inside ? GUARD_AT : GUARD_DIGIT | GUARD_LABEL | GUARD_AT)))
            continue;
        if (class & GUARD_DIGIT) {
            size_t run = run_of_digits(t, i);
            name = number_at(g, t, i, run);
            i += run - 1;
        } else if (class & GUARD_AT) {
            name = nai_at(t, i) ? "NAI" : NULL;
        } else if (i + 1 < t.n && (guard_class(t.p[i + 1]) & GUARD_SECOND)) {
            name = label_at(t, i);
        }
        if (name)
            return name;
    }
    return g->user_count && names_user(g, t) ? "address of a user" : NULL;
}

/* ---- packed digits ---- */

/* Digits from byte `at` on, low half first; ends at what is no digit. */
static size_t unpack(struct str b, size_t at, unsigned char d[MOST_DIGITS])
{
    size_t n = 0;
    for (; n < MOST_DIGITS && at + n / 2 < b.n; n++) {
        unsigned v = (unsigned char)b.p[at + n / 2] >> (n % 2 ? 4 : 0) & 15;
        if (v > 9)
            break;
        d[n] = (unsigned char)v;
    }
    return n;
}

/* TS 29.002 §17.7.8: 15 is the filler behind an odd number of digits. */
static bool filled(struct str b, size_t at, size_t n)
{
    size_t last = at + n / 2;
    return n % 2 ? last < b.n && (unsigned char)b.p[last] >> 4 == 15 : last == b.n;
}

static const char *tbcd_at(const struct stix_guard *g, struct str b, size_t at, bool alone)
{
    unsigned char d[MOST_DIGITS] = {0};
    size_t n = unpack(b, at, d);
    if (!filled(b, at, n))
        return NULL;
    if (n == 15 && begins(g->plmns, g->plmn_count, d))
        return "IMSI";
    if (n >= 10 && n <= 15 && begins(g->numbers, g->number_count, d))
        return "MSISDN";
    return alone && at == 0 && b.n == 8 && n == 15 && is_imei(d) ? "IMEI" : NULL;
}

/* TS 24.008 §10.5.1.4: type 1 and an odd number of digits beside the first. */
static bool mobile_identity_at(const struct stix_guard *g, struct str b, size_t at)
{
    unsigned char d[1 + MOST_DIGITS] = {0};
    d[0] = (unsigned char)b.p[at] >> 4;
    return ((unsigned char)b.p[at] & 15) == 9 && unpack(b, at + 1, d + 1) >= 14 &&
           begins(g->plmns, g->plmn_count, d);
}

/* TS 24.501 §9.11.3.4: PLMN, routing indicator, scheme 0 and key 0, then the MSIN as it is. */
static bool null_suci_at(const struct stix_guard *g, struct str b, size_t at)
{
    unsigned char d[MOST_DIGITS], plmn[6];
    if (b.n - at < 12 || (b.p[at + 5] & 15) != 0 || b.p[at + 6] != 0 || unpack(b, at + 7, d) < 9)
        return false;
    for (size_t i = 0; i < 6; i++)
        plmn[i] = (unsigned char)b.p[at + i / 2] >> (i % 2 ? 4 : 0) & 15;
    /* MCC2 MCC1, MNC3 MCC3, MNC2 MNC1; MNC3 is 15 where there are two. */
    unsigned char mnc3 = plmn[3];
    plmn[3] = plmn[4];
    plmn[4] = plmn[5];
    plmn[5] = mnc3;
    for (size_t i = 0; i < g->plmn_count; i++)
        if (memcmp(g->plmns[i].v, plmn, g->plmns[i].n) == 0 && (g->plmns[i].n == 6 || mnc3 == 15))
            return true;
    return false;
}

static bool begins_at_most(const struct guard_digits *list, size_t count,
                           const unsigned char *digits, size_t most)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(list[i].v, digits, list[i].n < most ? list[i].n : most) == 0)
            return true;
    return false;
}

bool guard_may_be_packed(const struct stix_guard *g, const unsigned char four[4])
{
    unsigned char d[8];
    for (size_t i = 0; i < 8; i++)
        d[i] = four[i / 2] >> (i % 2 ? 4 : 0) & 15;
    /* MCC2 MCC1, MNC3 MCC3, MNC2 MNC1 */
    unsigned char plmn[6] = {d[0], d[1], d[2], d[4], d[5], d[3]};
    return begins_at_most(g->plmns, g->plmn_count, d, 6) ||
           begins_at_most(g->numbers, g->number_count, d, 8) ||
           (d[0] == 9 && begins_at_most(g->plmns, g->plmn_count, d + 1, 6)) ||
           begins_at_most(g->plmns, g->plmn_count, plmn, 6);
}

const char *guard_in_packed(const struct stix_guard *g, struct str b, bool alone)
{
    for (size_t i = 0; i + 5 <= b.n; i++) {
        bool first = alone && i == 0;
        if (!first && (!g->packed[(unsigned char)b.p[i]] ||
                       !guard_may_be_packed(g, (const unsigned char *)b.p + i)))
            continue;
        const char *name = tbcd_at(g, b, i, alone);
        if (name)
            return name;
        if (mobile_identity_at(g, b, i))
            return "IMSI";
        if (null_suci_at(g, b, i))
            return "SUCI";
    }
    return NULL;
}
