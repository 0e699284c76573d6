/*
 * From words to candidates: names, addresses, mailboxes and hashes. Here are the borders that
 * docs/DETECTION.md promises.
 */
#include "match/scan_priv.h"

static bool is_alnum(char c)
{
    char l = match_lower(c);
    return match_is_digit(c) || (l >= 'a' && l <= 'z');
}

/* The byte that %XX at p stands for, or -1. */
static int percent(const char *p, const char *end)
{
    if (end - p < 3 || *p != '%' || match_hex(p[1]) < 0 || match_hex(p[2]) < 0)
        return -1;
    return match_hex(p[1]) * 16 + match_hex(p[2]);
}

const char *match_word_start(const struct match_scan *sc, const char *s, const char *e)
{
    if (s == sc->begin || s[-1] != '%')
        return s;
    int c = percent(s - 1, e);
    return c >= 0 && c < 0x80 && !match_is_word((char)c) ? s + 2 : s;
}

/* If behind the word an escaped letter goes on with it. */
static bool percent_glued(const struct match_scan *sc, const char *e)
{
    int c = e < sc->end ? percent(e, sc->end) : -1;
    return c >= 0 && c < 0x80 && match_is_word((char)c);
}

size_t match_separator(const char *p, const char *end)
{
    const unsigned char *u = (const unsigned char *)p;
    if (end - p < 2)
        return 0;
    if (u[0] == 0xc2) /* U+00A0 to U+00BF but the ordinals */
        return u[1] >= 0xa0 && u[1] != 0xaa && u[1] != 0xba ? 2 : 0;
    if (end - p < 3)
        return 0;
    unsigned c = (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
    if (u[0] < 0xe0 || u[0] > 0xef)
        return 0;
    bool separates = (c >= 0x0900 && c <= 0x0fff) || /* Indic scripts, Thai, Lao, Tibetan */
                     (c >= 0x2000 && c <= 0x206f) || /* punctuation */
                     (c >= 0x3000 && c <= 0x9fff) || /* kana, bopomofo, ideographs */
                     (c >= 0xac00 && c <= 0xd7af) || /* hangul */
                     (c >= 0xf900 && c <= 0xfaff) || /* compatibility ideographs */
                     (c >= 0xff00 && c <= 0xffef);   /* full and half width */
    return separates ? 3 : 0;
}

static bool any_high(const char *s, const char *e)
{
    for (; s < e; s++)
        if (match_class_of(*s) & MATCH_HIGH)
            return true;
    return false;
}

bool match_host_maybe(struct match_scan *sc, struct str host, enum match_salt salt)
{
    char text[OBSERVABLE_NAME_BYTES + 1];
    uint64_t hash;
    if (any_high(host.p, host.p + host.n))
        host = (struct str){text, match_convert(sc, host, text, sizeof text)};
    return match_gate_host(&sc->set->gate, host) &&
           match_host_hash(sc->set->gate.facts.seed, host, &hash) &&
           match_bloom_has(&sc->set->gate.values, match_salted(hash, salt));
}

/* ---- hashes ------------------------------------------------------------------------------- */

static void scan_hash(struct match_scan *sc, const char *s, const char *e)
{
    enum observable_kind kind;
    switch (e - s) {
    case 32:
        kind = OBSERVABLE_MD5;
        break;
    case 40:
        kind = OBSERVABLE_SHA1;
        break;
    case 64:
        kind = OBSERVABLE_SHA256;
        break;
    case 128:
        kind = OBSERVABLE_SHA512;
        break;
    default:
        return;
    }
    char text[128];
    for (size_t i = 0; i < (size_t)(e - s); i++) {
        if (match_hex(s[i]) < 0)
            return;
        text[i] = match_lower(s[i]);
    }
    match_lookup_text(sc, kind, (struct str){text, (size_t)(e - s)}, s, e);
}

/* A hash is bordered by anything but a letter or a digit, so it is found in FILE.exe names too. */
static void scan_hashes(struct match_scan *sc, const char *s, const char *e)
{
    if (e - s < MATCH_SHORTEST_HASH)
        return;
    while (s < e && !sc->stop) {
        const char *p = s;
        while (p < e && is_alnum(*p))
            p++;
        scan_hash(sc, s, p);
        s = p + 1;
    }
}

/* ---- names and IPv4 ----------------------------------------------------------------------- */

/* If the last label has digits only: then it is an address or nothing. */
static bool numeric_end(const char *s, const char *e)
{
    while (e > s && match_is_digit(e[-1]))
        e--;
    return e == s || e[-1] == '.' || e[-1] == '-';
}

static bool lookup_ipv4_text(struct match_scan *sc, const char *s, const char *e, bool tell)
{
    unsigned char a[4];
    if (!observable_parse_ipv4((struct str){s, (size_t)(e - s)}, a))
        return false;
    if (tell)
        match_lookup_ipv4(sc, a, s, e);
    return true;
}

/* An address, or two joined by a hyphen: a range, or the two ends of a flow. */
static void scan_ipv4(struct match_scan *sc, const char *s, const char *e)
{
    if (lookup_ipv4_text(sc, s, e, true))
        return;
    const char *hyphen = memchr(s, '-', (size_t)(e - s));
    if (hyphen == NULL || !lookup_ipv4_text(sc, s, hyphen, false) ||
        !lookup_ipv4_text(sc, hyphen + 1, e, false))
        return;
    lookup_ipv4_text(sc, s, hyphen, true);
    if (!sc->stop)
        lookup_ipv4_text(sc, hyphen + 1, e, true);
}

/* A name with bytes above ASCII is converted only when the set may hold it. */
static bool worth_converting(const struct match_scan *sc, const char *s, const char *e)
{
    const char *label = e;
    while (label > s && label[-1] != '.')
        label--;
    if (any_high(label, e))
        return sc->set->gate.facts.idn_names;
    return label < e && match_gate_tld(&sc->set->gate, (struct str){label, (size_t)(e - label)});
}

/* A name, or the end of the name `whole`, which has been looked up with all it is below: then what
 * is left to look up is the name itself, if it is no name above the whole. */
static void lookup_name(struct match_scan *sc, struct str name, struct str whole, const char *s,
                        const char *e)
{
    if (whole.n > name.n && whole.p[whole.n - name.n - 1] == '.' &&
        str_eq_nocase(str_slice(whole, whole.n - name.n, whole.n), name))
        return;
    match_lookup_name(sc, name, whole.n == 0, s, e);
}

static void scan_name(struct match_scan *sc, const char *s, const char *e, struct str whole);

/* A name with U-labels, and plain ones in text of a script that knows no blanks. */
static void scan_international(struct match_scan *sc, const char *s, const char *e,
                               const char *seen_end, struct str whole)
{
    char text[OBSERVABLE_NAME_BYTES + 1];
    struct str name = {text, 0};
    if (worth_converting(sc, s, e))
        name.n = observable_text_domain((struct str){s, (size_t)(e - s)}, text, sizeof text);
    if (name.n > 0)
        lookup_name(sc, name, whole, s, seen_end);
    const char *p = s;
    while (p < e && match_separator(p, e) == 0)
        p++;
    if (p == e) {
        scan_hashes(sc, s, e);
        return;
    }
    for (p = s; p < e && !sc->stop;) {
        const char *q = p;
        while (q < e && match_separator(q, e) == 0)
            q++;
        if (q > p)
            scan_name(sc, p, q, q == e ? name : STR_NONE);
        p = q < e ? q + match_separator(q, e) : e;
    }
}

/* [s, e) has no two dots in sequence. */
static void scan_name(struct match_scan *sc, const char *s, const char *e, struct str whole)
{
    const char *stop = e;
    while (s < e && (*s == '.' || *s == '-'))
        s++;
    while (e > s && (e[-1] == '.' || e[-1] == '-' || e[-1] == '_'))
        e--;
    if (s == e)
        return;
    const char *seen_end = stop - e == 1 && *e == '.' ? stop : e;
    if (any_high(s, e)) {
        scan_international(sc, s, e, seen_end, whole);
        return;
    }
    if (match_is_digit(e[-1]) && numeric_end(s, e))
        scan_ipv4(sc, s, e);
    else
        lookup_name(sc, (struct str){s, (size_t)(e - s)}, whole, s, seen_end);
    scan_hashes(sc, s, e);
}

/* Two dots or more stand between names. */
void match_scan_host(struct match_scan *sc, const char *s, const char *e)
{
    s = match_word_start(sc, s, e);
    if (percent_glued(sc, e))
        return;
    while (s < e && !sc->stop) {
        const char *end = s;
        while (end < e && !(end[0] == '.' && end + 1 < e && end[1] == '.'))
            end++;
        scan_name(sc, s, end, STR_NONE);
        s = end;
        while (s < e && *s == '.')
            s++;
    }
}

/* ---- IPv6 --------------------------------------------------------------------------------- */

/* Groups of an address as they are read; `end` is where the address would end. */
struct groups {
    unsigned count, gaps;
    const char *end;
    bool bad;
};

static bool is_group(const char *s, const char *e)
{
    if (e == s || e - s > 4)
        return false;
    for (; s < e; s++)
        if (match_hex(*s) < 0)
            return false;
    return true;
}

/* A last word that is no group: an IPv4 address, a group and a full stop, or something else. */
static void read_last(struct groups *g, const char *s, const char *e, bool behind_gap)
{
    unsigned char a[4];
    while (e > s && e[-1] == '.')
        e--;
    if (is_group(s, e)) {
        g->count++;
        g->end = e;
        return;
    }
    if (observable_parse_ipv4((struct str){s, (size_t)(e - s)}, a)) {
        g->count += 2;
        g->end = e;
        return;
    }
    /* After one colon any other word is not part of the address; but a longer number is. */
    bool number = true;
    for (const char *p = s; p < e; p++)
        number = number && (match_hex(*p) >= 0 || *p == '.');
    g->bad = behind_gap || number;
}

/* Reads words joined by colons from p on; returns where the reading ended. */
static const char *read_groups(const struct match_scan *sc, const char *p, struct groups *g)
{
    bool behind_gap = g->gaps > 0;
    for (;;) {
        const char *s = p;
        while (p < sc->end && match_is_word(*p))
            p++;
        if (!is_group(s, p)) {
            read_last(g, s, p, behind_gap);
            return p;
        }
        g->count++;
        g->end = p;
        if (p == sc->end || *p != ':')
            return p;
        p++;
        behind_gap = p < sc->end && *p == ':';
        if (behind_gap) {
            g->gaps++;
            g->end = ++p;
        }
        if (p == sc->end || !match_is_word(*p))
            return p;
    }
}

bool match_starts_ipv6(const struct match_scan *sc, const char *s, const char *e)
{
    return (e < sc->end && *e == ':') || (s - sc->begin >= 2 && s[-1] == ':' && s[-2] == ':');
}

bool match_read_ipv6(const struct match_scan *sc, const char *s, struct match_ipv6 *out)
{
    while (s < sc->end && *s == '.') /* as before a name */
        s++;
    struct groups g = {.end = s};
    out->first = s;
    out->read = NULL;
    if (s - sc->begin >= 2 && s[-1] == ':' && s[-2] == ':') {
        out->first = s - 2;
        g.gaps = 1;
        if (out->first > sc->border && (out->first[-1] == ':' || match_is_word(out->first[-1])))
            return false;
    }
    const char *p = read_groups(sc, s, &g);
    if (g.count == 0)
        return false;
    out->read = p;
    out->end = g.end;
    return !g.bad && g.gaps <= 1 && (g.gaps == 1 || g.count == 8) &&
           observable_parse_ipv6((struct str){out->first, (size_t)(g.end - out->first)}, out->a);
}

/* Returns where to go on if there is an address. */
static const char *scan_ipv6(struct match_scan *sc, const char *s)
{
    struct match_ipv6 x;
    bool ok = match_read_ipv6(sc, s, &x);
    if (x.read == NULL)
        return NULL;
    sc->ipv6_until = x.read;
    if (match_joined(sc, x.read))
        return match_scan_decoded(sc, s);
    if (!ok)
        return NULL;
    match_lookup_ipv6(sc, x.a, x.first, x.end);
    return x.end;
}

/* ---- mailboxes ---------------------------------------------------------------------------- */

/* RFC 5321 §4.5.3.1.1: a local part has at most 64 octets. */
#define LOCAL_BYTES 64

/* If behind an at sign at e stands a defanged sign or an escape that a host starts with. Whether a
 * local part or a name stands before it must not depend on what else has the text decoded. */
static bool joined_behind_at(const struct match_scan *sc, const char *e)
{
    if (e < sc->end && *e == '@')
        return match_joined(sc, e + 1);
    return percent(e, sc->end) == '@' && match_joined(sc, e + 3);
}

/* Length of an at sign at e that has a word behind it. */
static size_t at_sign(const struct match_scan *sc, const char *e)
{
    struct str plain;
    size_t n = 0;
    if (e < sc->end && *e == '@')
        n = 1;
    else if (percent(e, sc->end) == '@')
        n = 3;
    else if (sc->map == NULL &&
             (n = observable_defanged((struct str){e, (size_t)(sc->end - e)}, &plain)) > 0 &&
             plain.p[0] != '@')
        n = 0;
    return n > 0 && (size_t)(sc->end - e) > n && match_is_word(e[n]) ? n : 0;
}

/* Where a local part that goes on with the + at e may end; e itself without one. What stands in a
 * local part is no name of its own. */
static const char *local_end(const struct match_scan *sc, const char *e)
{
    const char *p = e;
    if (e == sc->end || *e != '+')
        return e;
    while (p < sc->end && p - e < LOCAL_BYTES && (match_is_word(*p) || *p == '+'))
        p++;
    return p;
}

/* The mailbox whose local part ends with the word [s, e), before an at sign of `at` bytes. */
static const char *scan_email(struct match_scan *sc, const char *s, const char *e, size_t at)
{
    const char *host = e + at, *end = host, *local = s;
    while (end < sc->end && match_is_word(*end))
        end++;
    if (match_joined(sc, end))
        return match_scan_decoded(sc, s);
    while (end > host && (end[-1] == '.' || end[-1] == '-' || end[-1] == '_'))
        end--;
    struct str name = {host, (size_t)(end - host)};
    match_work_pay(sc, name.p);
    if (sc->set->gate.facts.counts[OBSERVABLE_EMAIL] == 0 || s < sc->user_until ||
        percent_glued(sc, end) || !match_host_maybe(sc, name, MATCH_SALT_EMAIL_HOST))
        return NULL;
    while (local > sc->border && e - local <= LOCAL_BYTES &&
           (match_is_word(local[-1]) || local[-1] == '+'))
        local--;
    local = match_word_start(sc, local, e);
    while (local < e && (*local == '.' || *local == '-'))
        local++;
    char text[LOCAL_BYTES + 1 + 4 * OBSERVABLE_NAME_BYTES], normal[OBSERVABLE_ROOM(sizeof text)];
    size_t n = (size_t)(e - local);
    if (n > LOCAL_BYTES || name.n > sizeof text - LOCAL_BYTES - 1)
        return NULL;
    memcpy(text, local, n);
    text[n] = '@';
    memcpy(text + n + 1, name.p, name.n);
    struct observable o;
    struct err why;
    if (observable_normalize(OBSERVABLE_EMAIL, (struct str){text, n + 1 + name.n}, false, normal,
                             sizeof normal, &o, &why))
        match_lookup_text(sc, OBSERVABLE_EMAIL, o.text, local, end);
    return NULL;
}

/* ---- words -------------------------------------------------------------------------------- */

const char *match_scan_word(struct match_scan *sc, const char *s, const char *e, unsigned seen)
{
    const char *next;
    bool word;
    if (sc->map == NULL && s > sc->begin && s[-1] == '\\' &&
        (next = match_escape_before(sc, s, &word)) != NULL) {
        if (word)
            return match_scan_decoded(sc, s);
        sc->border = next;
        return next;
    }
    const char *local = local_end(sc, e);
    if (match_joined(sc, e) || match_joined(sc, local) || joined_behind_at(sc, local))
        return match_scan_decoded(sc, s);
    if (s >= sc->ipv6_until && match_starts_ipv6(sc, s, e) && (next = scan_ipv6(sc, s)) != NULL)
        return next;
    if (e < sc->end && *e == ':' && (next = match_scan_url(sc, s, e)) != NULL)
        return next;
    size_t at = at_sign(sc, e);
    if (at > 0 && (next = scan_email(sc, s, e, at)) != NULL)
        return next;
    if (at > 0 || (local > e && at_sign(sc, local) > 0))
        scan_hashes(sc, match_word_start(sc, s, e), e);
    else if (seen & MATCH_DOT || e - s >= MATCH_SHORTEST_HASH || sc->set->gate.facts.single_labels)
        match_scan_host(sc, s, e);
    return e;
}
