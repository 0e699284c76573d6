#include "policy/policy_priv.h"

/* @CC, @NAME and @ORG are the node's; @XC, @XNAME and @XORG an example partner's. */
static const char text[] =
    "# What this node lets in and lets out. docs/POLICY.md explains every word.\n"
    "#\n"
    "# For each recipient the first matching `release`, `deny` or `hold` decides, from top to\n"
    "# bottom, so refusals stand first. Nothing matching: not released. An object's readers are\n"
    "# decided when it comes in, and recorded. To change the policy edit a copy of this file:\n"
    "# `setu policy check` reads it, `setu policy plan` tells what it would release and withdraw,\n"
    "# `setu policy apply` puts it here and into force, also on a running node. An edit made here\n"
    "# holds for what comes in once `setu serve` was started again; the rest waits for an apply.\n"
    "\n"
    "# Who is who: nations by their two-letter code, with their agencies and operators. Add the\n"
    "# operators of your critical infrastructure here, as in `operator telco, grid`.\n"
    "nation @CC \"@NAME\" { agency @ORG }\n"
    "\n"
    "# At home everything is released, within the floors that no rule can lift: TLP:RED and\n"
    "# TLP:AMBER+STRICT stay with the organisation that submitted them.\n"
    "release to @CC\n"
    "\n"
    "# Abroad nothing is released, and nothing is accepted from there but what this node pulls "
    "from\n"
    "# a partner (`setu peer add`), as long as no rule here says more. To share with a partner,\n"
    "# name its nation, say what may come in and what may go out, and take the `#` away:\n"
    "#\n"
    "#   nation @XC \"@XNAME\" { agency @XORG }\n"
    "#   accept from @XC types indicator, malware, sighting, relationship, observables,\n"
    "#                         dialogue, extension-definition, identity\n"
    "#   deny label \"national-only\" to any except @CC\n"
    "#   release tlp:clear, tlp:green to @XC\n"
    "#   release tlp:amber types dialogue to @XC\n";

static const struct {
    struct str code, name, org;
} examples[] = {
    {{"JP", 2}, {"Japan", 5}, {"jpcert", 6}},
    {{"IN", 2}, {"India", 5}, {"cert-in", 7}},
};

static bool quotable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == '"')
            return false;
    return utf8_valid(s);
}

struct filler {
    struct str key, value;
};

/* Appends `from` with each key's value in its place; keys begin with @, and no other @ stands
 * there. */
static void fill_in(struct str from, const struct filler *fill, size_t count, struct buf *out)
{
    for (;;) {
        size_t plain = str_find(from, '@'), k = 0;
        buf_str(out, str_slice(from, 0, plain));
        from = str_from(from, plain);
        if (from.n == 0)
            return;
        while (k < count && !str_starts(from, fill[k].key))
            k++;
        must(k < count);
        buf_str(out, fill[k].value);
        from = str_from(from, fill[k].key.n);
    }
}

bool policy_default_text(struct str nation, struct str nation_name, struct str org, struct buf *out,
                         struct err *e)
{
    if (!policy_nation_valid(nation))
        return err_set(e, ERR_INVALID, "a nation's code is two capital letters, as in IN");
    if (!policy_org_valid(org))
        return err_set(e, ERR_INVALID,
                       "an organisation's name is of a-z, 0-9, '.', '_' and '-', as in cert-in");
    if (policy_lex(org, 0).word != WORD_NONE)
        return err_set(e, ERR_INVALID, "\"%.*s\" is a word of the release language, not a name",
                       STR_FMT(org));
    if (!quotable(nation_name))
        return err_set(e, ERR_INVALID, "a nation's name is UTF-8 without quotes and newlines");
    size_t x = str_eq(nation, examples[0].code);
    struct filler fill[] = {
        {STR("@CC"), nation},
        {STR("@NAME"), nation_name.n ? nation_name : nation},
        {STR("@ORG"), org},
        {STR("@XC"), examples[x].code},
        {STR("@XNAME"), examples[x].name},
        {STR("@XORG"), examples[x].org},
    };
    fill_in((struct str){text, sizeof(text) - 1}, fill, sizeof(fill) / sizeof(fill[0]), out);
    return buf_ok(out, e);
}
