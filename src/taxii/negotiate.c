/* Media types in Accept and Content-Type. */
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

static struct media media_read(struct str element)
{
    struct media m = {.type = str_trim(str_cut(&element, ';'))};
    while (element.p) {
        struct str value = str_cut(&element, ';'), name = str_trim(str_cut(&value, '='));
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

bool taxii_accepts(struct str accept)
{
    bool any_element = false;
    while (accept.p) {
        struct str element = str_trim(str_cut(&accept, ','));
        if (element.n == 0)
            continue;
        any_element = true;
        struct media m = media_read(element);
        if (!m.refused && (is_taxii(&m) || str_eq(m.type, STR("*/*")) ||
                           str_eq_nocase(m.type, STR("application/*")) ||
                           str_eq_nocase(m.type, STR("application/json"))))
            return true;
    }
    return !any_element;
}

bool taxii_content_ok(struct str type)
{
    struct media m = media_read(type);
    return is_taxii(&m);
}
