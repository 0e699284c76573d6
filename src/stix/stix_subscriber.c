/* Does an object name a subscriber of a telephone network? Two signs count: a property that is
 * called as 3GPP calls such an identifier, and a text in the form of TS 29.571 §5.3.2 (`imsi-` and
 * digits). Both are exact, so prose about identifiers is none. */
#include "stix/stix.h"

/* TS 23.003 §2 (IMSI, SUPI, SUCI, GUTI, TMSI), §3 (MSISDN), §6 (IMEI, IMEISV), §28 (GPSI, PEI). */
static const char *const names[] = {"imsi", "supi",   "suci", "msisdn",  "gpsi", "imei",
                                    "pei",  "imeisv", "guti", "5g_guti", "tmsi"};

/* What stands before the digits, and how many there are. */
static const struct {
    struct str prefix;
    size_t least, most;
} forms[] = {
    {{"imsi-", 5}, 5, 15},    {{"msisdn-", 7}, 5, 15}, {{"imei-", 5}, 14, 15},
    {{"imeisv-", 7}, 16, 16}, {{"suci-", 5}, 1, 15},
};

/* `imsi`, `x_imsi`, `x_acme_victim_imsi`: the last word of the name, in the plural too. */
static bool names_one(struct str key)
{
    if (str_ends(key, STR("s")))
        key.n--;
    /* All of them end so, and hardly another name does. */
    char last = key.n ? key.p[key.n - 1] : '\0';
    if (last != 'i' && last != 'n' && last != 'v')
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str name = str_of(names[i]);
        if (!str_ends(key, name))
            continue;
        if (key.n == name.n || key.p[key.n - name.n - 1] == '_' || key.p[key.n - name.n - 1] == '-')
            return true;
    }
    return false;
}

static bool is_one(struct str value)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t digits = 0;
        if (!str_starts(value, forms[i].prefix))
            continue;
        struct str rest = str_from(value, forms[i].prefix.n);
        while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9')
            digits++;
        /* A SUCI goes on behind its first digits: suci-0-404-10-… */
        bool whole = digits == rest.n || (i == 4 && digits > 0 && rest.p[digits] == '-');
        if (whole && digits >= forms[i].least && digits <= forms[i].most)
            return true;
    }
    return false;
}

bool stix_names_subscriber(const struct json *v, const struct stix_local *local)
{
    if (v == NULL)
        return false;
    if (v->type == JSON_STRING)
        return is_one(v->u.s);
    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY)
        return false;
    for (const struct json *m = v->u.child; m; m = m->next) {
        if (stix_local_has(local, m))
            continue;
        if ((m->key.p && names_one(m->key)) || stix_names_subscriber(m, local))
            return true;
    }
    return false;
}
