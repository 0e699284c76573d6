/*
 * URLs. Where one starts is certain (a scheme before ://), where it ends is not: punctuation and
 * brackets of the text around it may follow. Its host is looked up first; only then are the few
 * places tried where it may end.
 */
#include <limits.h>

#include "match/scan_priv.h"

/* What is looked at for the end of user and host. */
#define AUTHORITY_BYTES 512

/* Passes a slash, also as JSON may escape it. */
static bool skip_slash(const struct match_scan *sc, const char **p)
{
    static const char *const escaped[] = {"\\u002f", "\\x2f"};
    const char *q = *p;
    for (size_t i = 0; i < sizeof escaped / sizeof *escaped; i++) {
        size_t n = strlen(escaped[i]);
        if ((size_t)(sc->end - q) > n && str_eq_nocase((struct str){q, n}, str_of(escaped[i]))) {
            *p = q + n;
            return true;
        }
    }
    while (q < sc->end && q - *p < 4 && *q == '\\')
        q++;
    if (q == sc->end || *q != '/')
        return false;
    *p = q + 1;
    return true;
}

static bool is_scheme_char(char c)
{
    char l = match_lower(c);
    return (l >= 'a' && l <= 'z') || match_is_digit(c) || c == '.' || c == '-';
}

/* The scheme at the end of the word [s, e), or e. */
static const char *scheme_start(const struct match_scan *sc, const char *s, const char *e)
{
    s = match_word_start(sc, s, e);
    const char *p = e;
    while (p > s && is_scheme_char(p[-1]))
        p--;
    while (p < e && (*p == '.' || *p == '-'))
        p++;
    return p < e && match_is_digit(*p) ? e : p;
}

/* A URL as it stands: scheme, :// and authority, in which the host starts behind the user. */
struct url {
    const char *scheme, *colon; /* scheme == colon: none */
    const char *host, *host_end;
    const char *path; /* where authority ends */
    bool user;        /* there is one before the host */
    bool coded;       /* escapes or defanged signs are to be read first */
    bool closed;      /* the URL ends with its authority */
};

static bool coded_at(const struct match_scan *sc, const char *p)
{
    struct str plain;
    if (sc->map != NULL || (*p != '[' && *p != '('))
        return false;
    return observable_defanged((struct str){p, (size_t)(sc->end - p)}, &plain) > 0;
}

static void read_authority(const struct match_scan *sc, const char *p, struct url *u)
{
    const char *first = p;
    u->host = p;
    for (; p < sc->end && p - first < AUTHORITY_BYTES; p++) {
        if (match_ends_authority(*p)) {
            u->closed = *p != '/' && *p != '?' && *p != '#' && !(match_class_of(*p) & MATCH_BREAK);
            break;
        }
        if (*p == '\\') {
            u->coded = u->coded || (match_escaped(sc, p) && p + 1 < sc->end && p[1] != '/');
            break;
        }
        if (*p == '@') {
            u->host = p + 1;
            u->user = true;
        }
        u->coded = u->coded || coded_at(sc, p);
    }
    u->path = p;
}

/* The host: an address in brackets, or letters, digits and their percent-escapes. */
static void read_host(struct url *u)
{
    const char *p = u->host;
    if (p < u->path && *p == '[') {
        while (p < u->path && *p != ']')
            p++;
        u->host_end = p < u->path ? p + 1 : p;
        return;
    }
    while (p < u->path && (match_is_word(*p) || *p == '%'))
        p++;
    while (p > u->host && p[-1] == '.')
        p--;
    u->host_end = p;
}

/* What the text around a URL that starts at s may close it with. */
static const char *closing(const struct match_scan *sc, const char *s)
{
    char before = '\n';
    if (s > sc->begin)
        before = s[-1];
    else if (sc->map != NULL && sc->raw > sc->text_begin)
        before = sc->raw[-1];
    switch (before) {
    case '(':
        return ")";
    case '[':
        return "]";
    case '\'':
        return "'";
    case ';':
        return ";";
    case ',':
    case '\n': /* the first field of a line */
        return ",";
    case '=': /* the value of a field */
    case ':':
        return ",;&";
    default:
        return "";
    }
}

/* Where a URL may end: at a blank or the like, at the first sign no URL holds unescaped (though
 * some programs write it), at the first letter of a script without blanks, at the first sign that
 * XML escapes, at the first of each closing sign. NULL where there is none. */
enum { CLOSING = 3, ENDS = 4 + CLOSING, TRIMMED = 4 };
struct ends {
    const char *at[ENDS];
    bool coded; /* as above */
};

static void first_end(const char **end, const char *p)
{
    if (*end == NULL)
        *end = p;
}

/* If XML's escape of a quotation mark or angle bracket starts the text (XML 1.0 §4.6; HTML too). */
static bool is_entity(struct str s)
{
    static const char *const all[] = {"&quot;", "&lt;", "&gt;", "&apos;", "&#34;", "&#39;"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (str_starts(s, str_of(all[i])))
            return true;
    return false;
}

/* Returns how far it looked. */
static const char *find_ends(const struct match_scan *sc, const struct url *u, struct ends *x)
{
    const char *p = u->host, *limit = sc->end, *close = closing(sc, u->scheme);
    size_t most = sc->work->url_credit;
    enum match_char what;
    if (most > LIMIT_OBSERVABLE_BYTES)
        most = LIMIT_OBSERVABLE_BYTES;
    if (u->closed)
        limit = u->path;
    else if ((size_t)(limit - u->scheme) > most) {
        sc->work->spent = sc->work->spent || most < LIMIT_OBSERVABLE_BYTES;
        limit = u->scheme + most;
    }
    for (; p < limit && !(match_class_of(*p) & MATCH_BREAK); p++) {
        unsigned class = match_class_of(*p);
        if ((class & (MATCH_WORD | MATCH_HIGH)) == MATCH_WORD)
            continue;
        if (*p == '\\') {
            if (!match_escaped(sc, p))
                break;
            x->coded = true;
        }
        if (class & MATCH_JOIN)
            x->coded = x->coded || coded_at(sc, p);
        if (class & MATCH_ILLEGAL)
            first_end(&x->at[1], p);
        if (class & MATCH_HIGH) {
            size_t n = match_character(p, sc->end, &what);
            if (what != MATCH_CHAR_LETTER)
                first_end(&x->at[2], p);
            p += n - 1;
            continue;
        }
        if (*p == '&' && is_entity(match_between(p, limit)))
            first_end(&x->at[3], p);
        for (int i = 0; close[i] != 0; i++)
            if (*p == close[i])
                first_end(&x->at[4 + i], p);
    }
    /* A longer one is not looked at as a whole. */
    if (p < limit || u->closed || (limit == sc->end && !sc->cut))
        x->at[0] = p;
    return p;
}

/* The same and what is left without up to four signs of punctuation, each once and in order. */
struct places {
    const char *at[ENDS * (TRIMMED + 1)];
    size_t n;
};

static void add_place(struct places *x, const char *p)
{
    size_t i = x->n;
    while (i > 0 && x->at[i - 1] > p)
        i--;
    if (i > 0 && x->at[i - 1] == p)
        return;
    memmove(x->at + i + 1, x->at + i, (x->n - i) * sizeof *x->at);
    x->at[i] = p;
    x->n++;
}

static void list_places(const struct url *u, const struct ends *ends, struct places *x)
{
    static const char punctuation[] = ".,;:!?'*)]";
    x->n = 0;
    for (int i = 0; i < ENDS; i++) {
        const char *p = ends->at[i];
        if (p == NULL)
            continue;
        add_place(x, p);
        for (int k = 0;
             k < TRIMMED && p > u->host && p[-1] != 0 && strchr(punctuation, p[-1]) != NULL; k++)
            add_place(x, --p);
    }
}

/* Reads authority up to `end`. */
static bool begin_url(struct match_scan *sc, const struct url *u, const char *end,
                      struct observable_url *o)
{
    struct err why;
    sc->work->normalizations++;
    return observable_url_begin(o, match_between(u->scheme, u->colon), match_between(u->host, end),
                                &why);
}

static bool known(const struct match_scan *sc, struct observable_url *o)
{
    struct str text = observable_url_text(o);
    return text.n > 0 && text.n <= sc->set->gate.facts.longest_url &&
           match_text_known(sc, OBSERVABLE_URL, text);
}

/* The farthest place that makes a URL of the set, or NULL. One reading serves all. */
static const char *farthest(struct match_scan *sc, const struct url *u, const struct places *x)
{
    char text[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
    struct observable_url o = {.p = text, .room = sizeof text};
    const char *best = NULL, *p = u->path;
    size_t i = 0;
    for (; i < x->n && x->at[i] < u->path; i++)
        if (begin_url(sc, u, x->at[i], &o) && known(sc, &o))
            best = x->at[i];
    if (i == x->n || !begin_url(sc, u, u->path, &o))
        return best;
    /* What grows longer than any URL of the set is given up, if no `..` can shorten it. */
    struct str all = match_between(p, x->at[x->n - 1]);
    if (memmem(all.p, all.n, "/.", 2) == NULL && memmem(all.p, all.n, "/%", 2) == NULL &&
        sc->set->gate.facts.longest_url < o.room)
        o.room = sc->set->gate.facts.longest_url + 1;
    for (; i < x->n && !o.full; p = x->at[i++]) {
        observable_url_add(&o, match_between(p, x->at[i]));
        if (known(sc, &o))
            best = x->at[i];
    }
    return best;
}

static void lookup_url(struct match_scan *sc, const struct url *u, const struct ends *ends)
{
    char text[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
    struct places places;
    struct observable o;
    struct err why;
    list_places(u, ends, &places);
    const char *end = farthest(sc, u, &places);
    if (end != NULL && observable_normalize(OBSERVABLE_URL, match_between(u->scheme, end), false,
                                            text, sizeof text, &o, &why))
        match_lookup_text(sc, OBSERVABLE_URL, o.text, u->scheme, end);
}

/* If the set may hold a URL at that host, or at what stands before the first letter of a script
 * without blanks. */
static bool gate(struct match_scan *sc, const struct url *u, struct str host)
{
    if (host.n == 0)
        return false;
    if (match_host_maybe(sc, host, MATCH_SALT_URL_HOST))
        return true;
    const char *behind, *p = match_run(u->host, u->host_end, &behind);
    return p > u->host && p < u->host_end &&
           match_host_maybe(sc, match_between(u->host, p), MATCH_SALT_URL_HOST);
}

/* The URL that starts with the word [s, e), as it stands; false if none does. The scheme may be
 * colon: then there is none. */
static bool read_url(const struct match_scan *sc, const char *s, const char *e, struct url *u)
{
    const char *p = e + 1;
    if (e == sc->end || *e != ':' || !skip_slash(sc, &p) || !skip_slash(sc, &p))
        return false;
    *u = (struct url){.colon = e, .scheme = scheme_start(sc, s, e), .coded = false};
    read_authority(sc, p, u);
    u->coded = sc->map == NULL && (u->coded || p - e != 3);
    read_host(u);
    return true;
}

/* The URL where it starts in the text, written out plainly. Of what stands in it nothing else is
 * told: that is for the words, and does not depend on which URLs a set holds. */
static void scan_coded(struct match_scan *sc, const struct url *u)
{
    struct match_piece x;
    struct url plain;
    struct ends ends = {.coded = false};
    if (sc->work->url_credit == 0) {
        sc->work->spent = true;
        return;
    }
    match_decode(sc, match_source(sc, u->scheme), MATCH_STRETCH, &x);
    match_work_spend(sc, (size_t)(x.scan.end - x.text));
    if (!read_url(&x.scan, x.text, x.text + (u->colon - u->scheme), &plain))
        return;
    match_work_spend(sc, (size_t)(find_ends(&x.scan, &plain, &ends) - plain.scheme));
    lookup_url(&x.scan, &plain, &ends);
    sc->stop = x.scan.stop;
}

/* The URL, once its host is known. */
static void scan_url(struct match_scan *sc, const struct url *u)
{
    struct ends ends = {.coded = u->coded};
    if (!u->coded) {
        const char *looked = find_ends(sc, u, &ends);
        match_work_spend(sc, (size_t)(looked - u->scheme));
        ends.coded = ends.coded || (sc->cut && looked == sc->end);
    }
    if (ends.coded)
        scan_coded(sc, u);
    else
        lookup_url(sc, u, &ends);
}

/* The host of u, which stands in the bytes `in` looks at. Returns whether a URL there may be in the
 * set. */
static bool scan_host(struct match_scan *sc, struct match_scan *in, const struct url *u)
{
    char plain[AUTHORITY_BYTES];
    struct str host = match_between(u->host, u->host_end);
    bool same = in == sc;
    if (u->user)
        sc->user_until = same ? u->host : match_source(in, u->host);
    size_t unescaped = observable_unescape(host, plain, sizeof plain);
    if (unescaped > 0) { /* told when it is reached: words of its user come first */
        match_scan_url_host(sc);
        sc->host =
            same ? host : match_between(match_source(in, host.p), match_source(in, u->host_end));
        host = (struct str){plain, unescaped};
    }
    return sc->set->gate.facts.counts[OBSERVABLE_URL] > 0 && gate(in, u, host);
}

/* As scan_host, when the authority must be written out plainly first. */
static bool scan_coded_host(struct match_scan *sc, const struct url *u)
{
    struct match_piece x;
    struct url plain;
    match_decode(sc, u->scheme, MATCH_AUTHORITY, &x);
    return read_url(&x.scan, x.text, x.text + (u->colon - u->scheme), &plain) &&
           scan_host(sc, &x.scan, &plain);
}

const char *match_scan_url(struct match_scan *sc, const char *s, const char *e)
{
    struct url u;
    if (!read_url(sc, s, e, &u))
        return NULL;
    if (u.scheme == e) {
        sc->user_until = u.user ? u.host : sc->user_until;
        return NULL;
    }
    match_work_pay(sc, e);
    if (!(u.coded ? scan_coded_host(sc, &u) : scan_host(sc, sc, &u)))
        return NULL;
    if (u.scheme > s) /* what stands before it in the word comes first */
        match_scan_host(sc, s, e);
    if (!sc->stop)
        scan_url(sc, &u);
    return u.scheme > s ? e : NULL;
}

static void lookup_host(struct match_scan *sc, struct str host)
{
    char plain[AUTHORITY_BYTES];
    char text[OBSERVABLE_NAME_BYTES + 1];
    struct str name = {plain, observable_unescape(host, plain, sizeof plain)};
    if (!match_is_ascii(name))
        name = (struct str){text, match_convert(sc, name, text, sizeof text)};
    match_lookup_name(sc, name, UINT_MAX, host.p, host.p + host.n);
}

void match_scan_url_host(struct match_scan *sc)
{
    struct match_piece x;
    struct str host = sc->host;
    sc->host = STR_NONE;
    if (host.n == 0 || sc->stop)
        return;
    if (sc->map != NULL) {
        lookup_host(sc, host);
        return;
    }
    match_decode(sc, host.p, MATCH_HOST, &x);
    lookup_host(&x.scan, match_between(x.text, match_in_piece(&x, host.p + host.n)));
    sc->stop = x.scan.stop;
}
