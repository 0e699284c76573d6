#include <string.h>

#include "policy/policy_priv.h"

/* ---- reading them ---- */

static bool add_entry(struct build *b, const struct item *i, unsigned bit)
{
    struct policy *p = b->p;
    struct list_entry entry = {.bit = bit};
    size_t room = OBSERVABLE_ROOM(i->text.n);
    char *text = policy_keep(b, 1, room);
    struct err e;
    if (!text)
        return false;
    if (!observable_guess(i->text, text, room, &entry.o, &e) ||
        (entry.o.kind != OBSERVABLE_IPV4 && entry.o.kind != OBSERVABLE_IPV6 &&
         entry.o.kind != OBSERVABLE_DOMAIN))
        return policy_fail_item(b->d, i, "this is no entry of a warning list",
                                "an address, a block as in 203.0.113.0/24, or a domain name");
    if (entry.o.kind == OBSERVABLE_DOMAIN)
        p->domains[p->domain_count++] = entry;
    else
        p->addresses[p->address_count++] = entry;
    return true;
}

bool policy_compile_lists(struct build *b)
{
    struct policy *p = b->p;
    struct line_counter lines = {0, 1};
    unsigned built_in;
    p->own_lists.v = policy_keep(b, b->d->list_count, sizeof *p->own_lists.v);
    p->own_list_lines = policy_keep(b, b->d->list_count, sizeof *p->own_list_lines);
    p->domains = policy_keep(b, b->d->entry_count, sizeof *p->domains);
    p->addresses = policy_keep(b, b->d->entry_count, sizeof *p->addresses);
    if (!p->own_lists.v || !p->own_list_lines || !p->domains || !p->addresses)
        return false;
    for (const struct statement *s = b->d->first; s; s = s->next) {
        size_t k = p->own_lists.count;
        if (s->verb != WORD_WARNINGLIST)
            continue;
        if (observable_warninglist_find(s->name.text, &built_in))
            return policy_fail_item(b->d, &s->name, "a built-in list has this name",
                                    "a name of its own");
        p->own_lists.v[k] = s->name.text;
        p->own_list_lines[k] = policy_line_at(&lines, b->d->text, s->at);
        p->own_lists.count++;
        for (const struct item *i = s->who.first; i; i = i->next)
            if (!add_entry(b, i, POLICY_OWN_LIST + (unsigned)k))
                return false;
    }
    return true;
}

/* ---- names ---- */

struct str policy_list_name(const struct policy *p, unsigned bit)
{
    if (bit < OBSERVABLE_WARNINGLISTS)
        return observable_warninglist_name(bit);
    if (bit >= POLICY_OWN_LIST && bit - POLICY_OWN_LIST < p->own_lists.count)
        return p->own_lists.v[bit - POLICY_OWN_LIST];
    return STR_NONE;
}

bool policy_list_find(const struct policy *p, struct str name, unsigned *bit)
{
    for (size_t i = 0; i < p->own_lists.count; i++)
        if (str_eq(p->own_lists.v[i], name)) {
            *bit = POLICY_OWN_LIST + (unsigned)i;
            return true;
        }
    return observable_warninglist_find(name, bit);
}

/* Those that `if warninglist` without names means: all but the documentation blocks, so that
 * examples work. */
uint64_t policy_lists_default(const struct policy *p)
{
    uint64_t lists = ((uint64_t)1 << OBSERVABLE_WARNINGLISTS) - 1;
    unsigned bit;
    if (observable_warninglist_find(STR("documentation"), &bit))
        lists &= ~((uint64_t)1 << bit);
    for (size_t i = 0; i < p->own_lists.count; i++)
        lists |= (uint64_t)1 << (POLICY_OWN_LIST + i);
    return lists;
}

/* ---- looking up ---- */

/* Do two blocks share an address? One then lies in the other. */
static bool overlap(const struct observable *a, const struct observable *b)
{
    unsigned bits = a->prefix < b->prefix ? a->prefix : b->prefix, rest = bits % 8;
    if (a->kind != b->kind || memcmp(a->addr, b->addr, bits / 8) != 0)
        return false;
    return rest == 0 || (a->addr[bits / 8] ^ b->addr[bits / 8]) >> (8 - rest) == 0;
}

static uint64_t lists_of_address(const struct policy *p, const struct observable *o)
{
    uint64_t lists = 0;
    for (size_t i = 0; i < p->address_count; i++)
        if (overlap(&p->addresses[i].o, o))
            lists |= (uint64_t)1 << p->addresses[i].bit;
    return lists;
}

/* Is `name` below `top`? */
static bool below(struct str name, struct str top)
{
    return name.n > top.n && name.p[name.n - top.n - 1] == '.' && str_ends(name, top);
}

/* An indicator for a name finds the names below it, so with `parents` it is on the lists of those
 * as well. */
static uint64_t lists_of_name(const struct policy *p, struct str name, bool parents)
{
    uint64_t lists = 0;
    for (size_t i = 0; i < p->domain_count; i++) {
        struct str listed = p->domains[i].o.text;
        if (str_eq(name, listed) || below(name, listed) || (parents && below(listed, name)))
            lists |= (uint64_t)1 << p->domains[i].bit;
    }
    return lists;
}

/* A host as it stands in a URL or behind the @: an address, in brackets or not, or a name. */
static uint64_t lists_of_host(const struct policy *p, struct str host)
{
    struct observable o = {0};
    if (host.n > 1 && host.p[0] == '[' &&
        observable_parse_ipv6(str_slice(host, 1, host.n - 1), o.addr)) {
        o.kind = OBSERVABLE_IPV6;
        o.prefix = 128;
        return lists_of_address(p, &o);
    }
    if (observable_parse_ipv4(host, o.addr)) {
        o.kind = OBSERVABLE_IPV4;
        o.prefix = 32;
        return lists_of_address(p, &o);
    }
    return lists_of_name(p, host, false);
}

static uint64_t own_lists_of(const struct policy *p, const struct observable *o)
{
    switch (o->kind) {
    case OBSERVABLE_IPV4:
    case OBSERVABLE_IPV6:
        return lists_of_address(p, o);
    case OBSERVABLE_DOMAIN:
        return lists_of_name(p, o->text, true);
    case OBSERVABLE_URL:
        return lists_of_host(p, observable_url_host(o->text));
    case OBSERVABLE_EMAIL:
        return lists_of_host(p, str_from(o->text, str_find(o->text, '@') + 1));
    case OBSERVABLE_MD5:
    case OBSERVABLE_SHA1:
    case OBSERVABLE_SHA256:
    case OBSERVABLE_SHA512:
        return 0;
    }
    return 0;
}

uint64_t policy_lists_of(const struct policy *p, const struct observable *o)
{
    return observable_warned(o) | (p->own_lists.count ? own_lists_of(p, o) : 0);
}
