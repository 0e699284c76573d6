/*
 * From words to candidates: names, addresses, mailboxes and hashes. Here are the borders that
 * docs/DETECTION.md promises.
 */
#include <limits.h>

#include "match/scan_priv.h"

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

/* If a percent-escape of a separator ends at p. */
static bool escape_ends(const struct match_scan *sc, const char *p)
{
    int c = p - sc->begin >= 3 ? percent(p - 3, p) : -1;
    return c >= 0 && c < 0x80 && !match_is_word((char)c);
}

/* If behind the word an escaped letter goes on with it. */
static bool percent_glued(const struct match_scan *sc, const char *e)
{
    int c = e < sc->end ? percent(e, sc->end) : -1;
    return c >= 0 && c < 0x80 && match_is_word((char)c);
}

/* The character at p, with its length; 0 when it is no UTF-8. */
static uint32_t character(const char *p, const char *end, size_t *length)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t n = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? u[0] : u[0] & (0x7fu >> n);
    *length = 1;
    if (n == 0 || u[0] > 0xf4 || (size_t)(end - p) < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (u[i] & 0x3f);
    }
    *length = n;
    return c;
}

/* What separates words. */
static const struct {
    uint32_t first, last;
    enum match_char what;
} separators[] = {
    {0x00a0, 0x00a9, MATCH_CHAR_SIGN},   /* Latin-1 but for its letters and ordinals */
    {0x00ab, 0x00b9, MATCH_CHAR_SIGN},   /* */
    {0x00bb, 0x00bf, MATCH_CHAR_SIGN},   /* */
    {0x00d7, 0x00d7, MATCH_CHAR_SIGN},   /* */
    {0x00f7, 0x00f7, MATCH_CHAR_SIGN},   /* */
    {0x0900, 0x0fff, MATCH_CHAR_SCRIPT}, /* Indic scripts, Thai, Lao, Tibetan */
    {0x2000, 0x206f, MATCH_CHAR_SIGN},   /* punctuation */
    {0x20a0, 0x20cf, MATCH_CHAR_SIGN},   /* currencies */
    {0x2190, 0x2bff, MATCH_CHAR_SIGN},   /* arrows, mathematics, lines, symbols */
    {0x2e00, 0x2e7f, MATCH_CHAR_SIGN},   /* punctuation */
    {0x3000, 0x3004, MATCH_CHAR_SIGN},   /* punctuation of East Asia but for its letters */
    {0x3005, 0x3007, MATCH_CHAR_SCRIPT}, /* */
    {0x3008, 0x3030, MATCH_CHAR_SIGN},   /* */
    {0x3031, 0x9fff, MATCH_CHAR_SCRIPT}, /* kana, bopomofo, ideographs */
    {0xac00, 0xd7af, MATCH_CHAR_SCRIPT}, /* hangul */
    {0xe000, 0xf8ff, MATCH_CHAR_SIGN},   /* private */
    {0xf900, 0xfaff, MATCH_CHAR_SCRIPT}, /* compatibility ideographs */
    {0xfe00, 0xfe6f, MATCH_CHAR_SIGN},   /* variants of signs */
    {0xfeff, 0xfeff, MATCH_CHAR_SIGN},   /* the mark of byte order */
    {0xff00, 0xff0f, MATCH_CHAR_SIGN},   /* full and half width: letters are in between */
    {0xff10, 0xff19, MATCH_CHAR_SCRIPT}, /* */
    {0xff1a, 0xff20, MATCH_CHAR_SIGN},   /* */
    {0xff21, 0xff3a, MATCH_CHAR_SCRIPT}, /* */
    {0xff3b, 0xff40, MATCH_CHAR_SIGN},   /* */
    {0xff41, 0xff5a, MATCH_CHAR_SCRIPT}, /* */
    {0xff5b, 0xff65, MATCH_CHAR_SIGN},   /* */
    {0xff66, 0xffdf, MATCH_CHAR_SCRIPT}, /* */
    {0xffe0, 0xffef, MATCH_CHAR_SIGN},   /* */
    {0xfff9, 0xfffd, MATCH_CHAR_SIGN},   /* */
    {0x1f000, 0x1fbff, MATCH_CHAR_SIGN}, /* pictures */
};

size_t match_character(const char *p, const char *end, enum match_char *what)
{
    size_t length;
    uint32_t c = character(p, end, &length);
    *what = c == 0 && match_class_of(*p) & MATCH_HIGH ? MATCH_CHAR_SIGN : MATCH_CHAR_LETTER;
    for (size_t i = 0; c >= 0x80 && i < sizeof separators / sizeof *separators; i++)
        if (c >= separators[i].first && c <= separators[i].last)
            *what = separators[i].what;
    return length;
}

const char *match_run(const char *p, const char *end, const char **behind)
{
    enum match_char what;
    for (size_t length; p < end; p += length) {
        length = match_character(p, end, &what);
        if (what != MATCH_CHAR_LETTER) {
            *behind = p + length;
            return p;
        }
    }
    *behind = end;
    return end;
}

const char *match_last_run(const char *p, const char *end)
{
    const char *last = p;
    while (p < end)
        if (match_run(p, end, &p) < p)
            last = p;
    return last;
}

bool match_is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (match_class_of(s.p[i]) & MATCH_HIGH)
            return false;
    return true;
}

bool match_host_maybe(struct match_scan *sc, struct str host, enum match_salt salt)
{
    char text[OBSERVABLE_NAME_BYTES + 1];
    uint64_t hash;
    if (!match_is_ascii(host))
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
        while (p < e && match_is_alnum(*p))
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
    if (!match_is_ascii(match_between(label, e)))
        return sc->set->gate.facts.idn_names;
    return label < e && match_gate_tld(&sc->set->gate, (struct str){label, (size_t)(e - label)});
}

/* Is the name the whole, or above it? */
static bool covers(struct str whole, struct str name)
{
    return whole.n >= name.n && str_eq_nocase(str_from(whole, whole.n - name.n), name) &&
           (whole.n == name.n || whole.p[whole.n - name.n - 1] == '.');
}

/* A name that stands in `whole`, which has been looked up with all above it: of this name what is
 * not among that. */
static void lookup_name(struct match_scan *sc, struct str name, struct str whole, const char *s,
                        const char *e)
{
    size_t dot = str_find(name, '.');
    struct str above = dot < name.n ? str_from(name, dot + 1) : STR_NONE;
    if (whole.n > 0 && covers(whole, name))
        return;
    match_lookup_name(sc, name, above.n > 0 && covers(whole, above) ? 1 : UINT_MAX, s, e);
}

/* How many of the name and those above it have an A-label. */
static unsigned count_international(struct str name)
{
    unsigned n = 0;
    for (unsigned label = 1; name.n > 0; label++) {
        size_t dot = str_find(name, '.');
        if (str_starts(name, STR("xn--")))
            n = label;
        name = dot < name.n ? str_from(name, dot + 1) : STR_NONE;
    }
    return n;
}

static void scan_name(struct match_scan *sc, const char *s, const char *e, struct str whole);

/* A name with U-labels, and plain ones in text of a script that knows no blanks. Where the last
 * label is such text itself, the whole is converted only for sets that have A-labels, and so only
 * for these. */
static void scan_international(struct match_scan *sc, const char *s, const char *e,
                               const char *seen_end, struct str whole)
{
    char text[OBSERVABLE_NAME_BYTES + 1];
    struct str name = {text, 0};
    const char *label = memrchr(s, '.', (size_t)(e - s));
    bool plain = match_is_ascii(match_between(label != NULL ? label : s, e));
    if (worth_converting(sc, s, e))
        name.n = observable_text_domain(match_between(s, e), text, sizeof text);
    if (name.n > 0 && plain)
        lookup_name(sc, name, whole, s, seen_end);
    else if (name.n > 0)
        match_lookup_name(sc, name, count_international(name), s, seen_end);
    const char *next, *p = s, *q = match_run(s, e, &next);
    if (q == e) {
        scan_hashes(sc, s, e);
        return;
    }
    for (; p < e && !sc->stop; p = next) {
        q = match_run(p, e, &next);
        if (q > p)
            scan_name(sc, p, q, plain ? name : STR_NONE);
    }
}

/* Length of what may stand before a name at s and is none of it: a dot, a hyphen, a sign. */
static size_t trimmed_before(const char *s, const char *e)
{
    enum match_char what;
    if (*s == '.' || *s == '-')
        return 1;
    size_t n = match_character(s, e, &what);
    return what == MATCH_CHAR_SIGN ? n : 0;
}

/* The same behind it, up to e. */
static size_t trimmed_behind(const char *s, const char *e)
{
    enum match_char what;
    const char *p = e - 1;
    if (!(match_class_of(*p) & MATCH_HIGH))
        return *p == '.' || *p == '-' || *p == '_' ? 1 : 0;
    while (p > s && e - p < 4 && ((unsigned char)*p & 0xc0) == 0x80)
        p--;
    if (match_character(p, e, &what) != (size_t)(e - p))
        return 1; /* a byte that is no UTF-8 */
    return what == MATCH_CHAR_SIGN ? (size_t)(e - p) : 0;
}

/* [s, e) has no two dots in sequence. */
static void scan_name(struct match_scan *sc, const char *s, const char *e, struct str whole)
{
    const char *stop = e;
    for (size_t n; s < e && (n = trimmed_before(s, e)) > 0;)
        s += n;
    for (size_t n; s < e && (n = trimmed_behind(s, e)) > 0;)
        e -= n;
    if (s == e)
        return;
    const char *seen_end = stop - e == 1 && *e == '.' ? stop : e;
    if (!match_is_ascii(match_between(s, e))) {
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

/* As tcpdump writes one behind an address and a dot. */
static bool is_port(const char *s, const char *e)
{
    if (e == s || e - s > 5)
        return false;
    for (; s < e; s++)
        if (!match_is_digit(*s))
            return false;
    return true;
}

/* A last word that is no group: an IPv4 address, a group and a full stop or a port, or something
 * else. */
static void read_last(struct groups *g, const char *s, const char *e, bool behind_gap)
{
    unsigned char a[4];
    while (e > s && e[-1] == '.')
        e--;
    const char *port = memrchr(s, '.', (size_t)(e - s));
    if (port != NULL && is_group(s, port) && is_port(port + 1, e))
        e = port;
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
        const char *s = p, *behind;
        while (p < sc->end && match_is_word(*p))
            p++;
        if (!is_group(s, p)) {
            p = match_run(s, p, &behind);
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
    const char *word = s;
    while (word < sc->end && match_is_word(*word))
        word++;
    s = match_last_run(match_word_start(sc, s, word), word);
    while (s < sc->end && *s == '.') /* as before a name */
        s++;
    struct groups g = {.end = s};
    out->first = s;
    out->read = NULL;
    if (s - sc->begin >= 2 && s[-1] == ':' && s[-2] == ':') {
        out->first = s - 2;
        g.gaps = 1;
        if (out->first > sc->border && (out->first[-1] == ':' || match_is_word(out->first[-1])) &&
            !escape_ends(sc, out->first))
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

static void lookup_mailbox(struct match_scan *sc, struct str local, struct str host)
{
    char text[LOCAL_BYTES + 1 + 4 * OBSERVABLE_NAME_BYTES], normal[OBSERVABLE_ROOM(sizeof text)];
    size_t n = local.n;
    struct observable o;
    struct err why;
    if (n > LOCAL_BYTES || host.n > sizeof text - LOCAL_BYTES - 1)
        return;
    memcpy(text, local.p, n);
    text[n] = '@';
    memcpy(text + n + 1, host.p, host.n);
    if (observable_normalize(OBSERVABLE_EMAIL, (struct str){text, n + 1 + host.n}, false, normal,
                             sizeof normal, &o, &why))
        match_lookup_text(sc, OBSERVABLE_EMAIL, o.text, local.p, host.p + host.n);
}

/* Where the local part that ends with the word [s, e) starts. */
static const char *local_start(const struct match_scan *sc, const char *s, const char *e)
{
    while (s > sc->border && e - s <= LOCAL_BYTES && (match_is_word(s[-1]) || s[-1] == '+'))
        s--;
    return match_word_start(sc, s, e);
}

/* A host without the signs behind it that are no part of one. */
static struct str trimmed(const char *s, const char *e)
{
    while (e > s && (e[-1] == '.' || e[-1] == '-' || e[-1] == '_'))
        e--;
    return match_between(s, e);
}

/* The hosts that may stand from `host` on up to the word's end: all of it, and what stands before a
 * character above ASCII that may be a border. Empty where no mailbox there is in the set. */
static bool find_hosts(struct match_scan *sc, const char *s, const char *host, const char *end,
                       struct str hosts[2])
{
    const char *behind;
    hosts[0] = trimmed(host, end);
    hosts[1] = trimmed(host, match_run(host, end, &behind));
    match_work_pay(sc, host);
    if (sc->set->gate.facts.counts[OBSERVABLE_EMAIL] == 0 || s < sc->user_until ||
        percent_glued(sc, hosts[0].p + hosts[0].n))
        return false;
    if (hosts[1].n == hosts[0].n)
        hosts[1] = STR_NONE;
    for (int i = 0; i < 2; i++)
        if (!match_host_maybe(sc, hosts[i], MATCH_SALT_EMAIL_HOST))
            hosts[i] = STR_NONE;
    return hosts[0].n > 0 || hosts[1].n > 0;
}

static void lookup_mailboxes(struct match_scan *sc, const char *local, const char *e,
                             const struct str hosts[2])
{
    while (local < e && (*local == '.' || *local == '-'))
        local++;
    for (int i = 0; i < 2 && !sc->stop; i++)
        if (hosts[i].n > 0)
            lookup_mailbox(sc, match_between(local, e), hosts[i]);
}

/* The mailbox whose local part ends with the word [s, e), before an at sign of `at` bytes, and the
 * hashes in that word; returns where to go on. */
static const char *scan_email(struct match_scan *sc, const char *s, const char *e, size_t at)
{
    const char *host = e + at, *end = host, *word = match_word_start(sc, s, e);
    struct str hosts[2];
    while (end < sc->end && match_is_word(*end))
        end++;
    if (match_joined(sc, end))
        return match_scan_decoded(sc, s);
    if (find_hosts(sc, s, host, end, hosts)) {
        const char *local = local_start(sc, s, e), *from = local;
        while (from < e && ((unsigned char)*from & 0xc0) == 0x80) /* it may be cut short */
            from++;
        const char *last = match_last_run(from, e);
        lookup_mailboxes(sc, local, e, hosts);
        if (last > from) { /* a border in it may be one */
            const char *before = last > word ? last : word;
            scan_hashes(sc, word, before);
            lookup_mailboxes(sc, last, e, hosts);
            word = before;
        }
    }
    scan_hashes(sc, word, e);
    return e;
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
    if (at > 0)
        return scan_email(sc, s, e, at);
    if (local > e && at_sign(sc, local) > 0)
        scan_hashes(sc, match_word_start(sc, s, e), e);
    else if (seen & MATCH_DOT || e - s >= MATCH_SHORTEST_HASH || sc->set->gate.facts.single_labels)
        match_scan_host(sc, s, e);
    return e;
}
