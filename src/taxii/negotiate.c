/* Media types in Accept and Content-Type, tags in If-None-Match. */
#include "taxii/taxii_priv.h"

/* One element of a list such as `type/sub;version=2.1;q=0.5`. */
struct media {
    struct str type;
    struct str version; /* unquoted; p NULL: absent */
    bool refused;       /* q=0 */
};

static struct str unquote(struct str s)
{
    return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? str_slice(s, 1, s.n - 1) : s;
}

/* q=0, q=0. or q=0.0…: "not acceptable" (RFC 7231 §5.3.1). */
static bool is_zero(struct str q)
{
    if (q.n == 0 || q.p[0] != '0')
        return false;
    for (size_t i = 1; i < q.n; i++)
        if (q.p[i] != '.' && q.p[i] != '0')
            return false;
    return true;
}

/* As str_cut, at the first `c` outside a quoted string (RFC 7230 §3.2.6). */
static struct str cut(struct str *rest, char c)
{
    bool quoted = false;
    struct str whole = *rest;
    for (size_t i = 0; i < whole.n; i++) {
        if (quoted && whole.p[i] == '\\')
            i++;
        else if (whole.p[i] == '"')
            quoted = !quoted;
        else if (whole.p[i] == c && !quoted) {
            *rest = str_from(whole, i + 1);
            return str_slice(whole, 0, i);
        }
    }
    *rest = STR_NONE;
    return whole;
}

static struct media media_read(struct str element)
{
    struct media m = {.type = str_trim(cut(&element, ';'))};
    while (element.p) {
        struct str value = cut(&element, ';'), name = str_trim(str_cut(&value, '='));
        value = unquote(str_trim(value));
        if (str_eq_nocase(name, STR("version")))
            m.version = value;
        if (str_eq_nocase(name, STR("q")))
            m.refused = is_zero(value);
    }
    return m;
}

static bool is_taxii(const struct media *m)
{
    return str_eq_nocase(m->type, STR("application/taxii+json")) &&
           (!m->version.p || str_eq(m->version, STR("2.1")));
}

/* How closely a range names what this server answers; 0: not at all. */
static unsigned closeness(const struct media *m)
{
    if (is_taxii(m))
        return m->version.p ? 4 : 3;
    if (str_eq_nocase(m->type, STR("application/*")))
        return 2;
    return str_eq(m->type, STR("*/*"));
}

/* RFC 7231 §5.3.2: the closest range decides. Clients that ask for plain JSON are answered too. */
bool taxii_accepts(struct str accept)
{
    bool any = false, allowed = false, json = false;
    unsigned best = 0;
    while (accept.p) {
        struct str element = str_trim(cut(&accept, ','));
        struct media m = media_read(element);
        unsigned close = closeness(&m);
        any = any || element.n;
        json = json || (!m.refused && str_eq_nocase(m.type, STR("application/json")));
        if (close && close >= best) {
            allowed = !m.refused || (close == best && allowed);
            best = close;
        }
    }
    return !any || allowed || (json && best < 3);
}

bool taxii_content_ok(struct str type)
{
    struct media m = media_read(type);
    return is_taxii(&m);
}

/* Weak comparison: the marks W/ count for nothing. A comma may stand inside a tag. */
bool taxii_tag_matches(struct str if_none_match, struct str tag)
{
    if (str_eq(str_trim(if_none_match), STR("*")))
        return true;
    while (if_none_match.p) {
        struct str one = str_trim(cut(&if_none_match, ','));
        if (str_starts(one, STR("W/")))
            one = str_from(one, 2);
        if (str_eq(one, tag))
            return true;
    }
    return false;
}
