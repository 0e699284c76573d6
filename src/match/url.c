/*
 * URLs. Where one starts is certain (a scheme before ://), where it ends is not: punctuation and
 * brackets of the text around it may follow. Its host is looked up first; only then are the few
 * places tried where it may end.
 */
#include "match/match_priv.h"

/* What is looked at for the end of user and host. */
#define AUTHORITY_BYTES 512

/* Passes a slash, also as JSON may escape it. */
static bool skip_slash(const struct match_scan *sc, const char **p)
{
    const char *q = *p;
    if (sc->end - q > 6 && str_eq_nocase((struct str){q, 6}, STR("\\u002f")))
        q += 5;
    else
        while (q < sc->end && q - *p < 4 && *q == '\\')
            q++;
    if (q == sc->end || (*q != '/' && q - *p != 5))
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

/* Where authority ends and where in it the host starts. */
struct authority {
    const char *host, *end;
    bool coded; /* escapes or defanged signs are to be read first */
};

static bool coded_at(const struct match_scan *sc, const char *p)
{
    struct str plain;
    if (sc->map != NULL || (*p != '[' && *p != '('))
        return false;
    return observable_defanged((struct str){p, (size_t)(sc->end - p)}, &plain) > 0;
}

static void read_authority(const struct match_scan *sc, const char *p, struct authority *a)
{
    const char *first = p;
    a->host = p;
    a->coded = false;
    for (; p < sc->end && p - first < AUTHORITY_BYTES; p++) {
        if (match_class_of(*p) & MATCH_BREAK || *p == '/' || *p == '?' || *p == '#')
            break;
        if (*p == '\\') {
            a->coded = a->coded || (match_escaped(sc, p) && p + 1 < sc->end && p[1] != '/');
            break;
        }
        if (*p == '@')
            a->host = p + 1;
        a->coded = a->coded || coded_at(sc, p);
    }
    a->end = p;
}

/* The farthest end of the URL; *coded as above. */
static const char *farthest_end(const struct match_scan *sc, const char *p, bool *coded)
{
    for (; p < sc->end && !(match_class_of(*p) & MATCH_BREAK); p++) {
        if (*p == '\\' && !match_escaped(sc, p))
            break;
        *coded = *coded || *p == '\\' || coded_at(sc, p);
    }
    return p;
}

/* What the text around a URL that starts at s would close it with; 0 for nothing. */
static char closing(const struct match_scan *sc, const char *s)
{
    char before = '\n';
    if (s > sc->begin)
        before = s[-1];
    else if (sc->map != NULL && sc->raw > sc->text_begin)
        before = sc->raw[-1];
    switch (before) {
    case '(':
        return ')';
    case '[':
        return ']';
    case '\'':
    case ',':
    case ';':
        return before;
    case '\n': /* the first field of a line */
        return ',';
    default:
        return 0;
    }
}

static bool is_one_of(char c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static bool try_url(struct match_scan *sc, const char *s, const char *e)
{
    char text[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
    struct observable o;
    struct err why;
    struct str url = {s, (size_t)(e - s)};
    return observable_normalize(OBSERVABLE_URL, url, false, text, sizeof text, &o, &why) &&
           match_lookup_text(sc, OBSERVABLE_URL, o.text, s, e);
}

/* Tries [s, e) and what is left without up to four signs of punctuation at its end. */
static bool try_trimmed(struct match_scan *sc, const char *s, const char *host, const char *e)
{
    if (try_url(sc, s, e))
        return true;
    for (int i = 0; i < 4 && e > host && is_one_of(e[-1], ".,;:!?'*)]"); i++)
        if (try_url(sc, s, --e))
            return true;
    return false;
}

/* Tries the ends from the farthest to the nearest; stops at the first that is in the set. */
static void try_ends(struct match_scan *sc, const char *s, const char *host, const char *far)
{
    enum { ENDS = 4 };
    char close = closing(sc, s);
    const char *ends[ENDS] = {far, far, far, far};
    for (const char *p = far; p > host; p--) {
        const char *q = p - 1;
        if (is_one_of(*q, "{}|^`")) /* no URL holds them unescaped, some programs do */
            ends[1] = q;
        if (match_separator(q, far) > 0)
            ends[2] = q;
        if (*q == close && close != 0)
            ends[3] = q;
    }
    const char *last = NULL;
    for (int tried = 0; tried < ENDS; tried++) {
        const char *next = NULL;
        for (int i = 0; i < ENDS; i++)
            if ((last == NULL || ends[i] < last) && (next == NULL || ends[i] > next))
                next = ends[i];
        if (next == NULL || try_trimmed(sc, s, host, next))
            return;
        last = next;
    }
}

const char *match_scan_url(struct match_scan *sc, const char *s, const char *e)
{
    const char *p = e + 1;
    if (!skip_slash(sc, &p) || !skip_slash(sc, &p))
        return NULL;
    struct authority a;
    read_authority(sc, p, &a);
    if (a.host > p)
        sc->user_until = a.host;
    const char *scheme = scheme_start(sc, s, e), *host_end = a.host;
    if (sc->set->counts[OBSERVABLE_URL] == 0 || scheme == e)
        return NULL;
    while (host_end < a.end && match_is_word(*host_end))
        host_end++;
    struct str host = {a.host, (size_t)(host_end - a.host)};
    bool ipv6 = a.host < a.end && *a.host == '[', coded = a.coded || p - e != 3;
    if (!a.coded && !ipv6 && (host.n == 0 || !match_host_maybe(sc, host, MATCH_SALT_URL_HOST)))
        return NULL;
    const char *far = farthest_end(sc, a.end, &coded);
    if (scheme > s) /* what stands before it in the word comes first */
        match_scan_host(sc, s, e);
    if (coded && sc->map == NULL)
        return match_scan_decoded(sc, scheme);
    if (!sc->stop)
        try_ends(sc, scheme, a.host, far);
    return scheme > s ? e : NULL;
}
