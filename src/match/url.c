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

/* Where a URL may end: at a blank or the like, at the first sign no URL holds unescaped (though
 * some programs write it), at the first letter of a script without blanks, at the first closing
 * sign. NULL where there is none. */
enum { ENDS = 4 };
struct ends {
    const char *at[ENDS];
    bool coded; /* as above */
};

static void first_end(const char **end, const char *p)
{
    if (*end == NULL)
        *end = p;
}

static void find_ends(const struct match_scan *sc, const char *s, const char *host, struct ends *x)
{
    const char *p = host, *limit = sc->end;
    char close = closing(sc, s);
    if (limit - s > LIMIT_OBSERVABLE_BYTES)
        limit = s + LIMIT_OBSERVABLE_BYTES;
    for (; p < limit && !(match_class_of(*p) & MATCH_BREAK); p++) {
        unsigned class = match_class_of(*p);
        if (*p == '\\') {
            if (!match_escaped(sc, p))
                break;
            x->coded = true;
        }
        if (class & MATCH_JOIN)
            x->coded = x->coded || coded_at(sc, p);
        if (class & MATCH_ILLEGAL)
            first_end(&x->at[1], p);
        if (class & MATCH_HIGH && match_separator(p, sc->end) > 0)
            first_end(&x->at[2], p);
        if (*p == close)
            first_end(&x->at[3], p);
    }
    if (p < limit || limit == sc->end) /* a longer one is not looked at as a whole */
        x->at[0] = p;
}

static bool try_url(struct match_scan *sc, const char *s, const char *e)
{
    char text[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
    struct observable o;
    struct err why;
    struct str url = {s, (size_t)(e - s)};
    size_t room = sizeof text;
    /* What grows longer than any URL of the set is given up early, if no `..` can shorten it. */
    if (memmem(s, url.n, "/.", 2) == NULL && memmem(s, url.n, "/%", 2) == NULL)
        room = sc->set->longest_url < room ? sc->set->longest_url : room;
    return observable_normalize(OBSERVABLE_URL, url, false, text, room, &o, &why) &&
           match_lookup_text(sc, OBSERVABLE_URL, o.text, s, e);
}

/* Tries [s, e) and what is left without up to four signs of punctuation at its end. */
static bool try_trimmed(struct match_scan *sc, const char *s, const char *host, const char *e)
{
    static const char punctuation[] = ".,;:!?'*)]";
    if (try_url(sc, s, e))
        return true;
    for (int i = 0; i < 4 && e > host && e[-1] != 0 && strchr(punctuation, e[-1]) != NULL; i++)
        if (try_url(sc, s, --e))
            return true;
    return false;
}

/* From the farthest end to the nearest; stops at the first that is in the set. */
static void try_ends(struct match_scan *sc, const char *s, const char *host, const struct ends *x)
{
    const char *last = NULL;
    for (int tried = 0; tried < ENDS; tried++) {
        const char *next = NULL;
        for (int i = 0; i < ENDS; i++)
            if (x->at[i] != NULL && (last == NULL || x->at[i] < last) &&
                (next == NULL || x->at[i] > next))
                next = x->at[i];
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
    while (host_end > a.host && host_end[-1] == '.')
        host_end--;
    struct str host = {a.host, (size_t)(host_end - a.host)};
    bool ipv6 = a.host < a.end && *a.host == '[';
    struct ends ends = {.coded = a.coded || p - e != 3};
    if (!a.coded && !ipv6 && (host.n == 0 || !match_host_maybe(sc, host, MATCH_SALT_URL_HOST)))
        return NULL;
    find_ends(sc, scheme, a.host, &ends);
    if (scheme > s) /* what stands before it in the word comes first */
        match_scan_host(sc, s, e);
    if (ends.coded && sc->map == NULL)
        return match_scan_decoded(sc, scheme);
    if (!sc->stop)
        try_ends(sc, scheme, a.host, &ends);
    return scheme > s ? e : NULL;
}
