/* Keys of values and their hashes, and the keys of places in text. */
#include "match/match_priv.h"

struct str match_key(const struct observable *o)
{
    if (o->kind == OBSERVABLE_IPV4)
        return (struct str){(const char *)o->addr, 4};
    if (o->kind == OBSERVABLE_IPV6)
        return (struct str){(const char *)o->addr, 16};
    return o->text;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool match_name_split(struct match_name *m, const char *p, size_t n)
{
    if (n == 0 || n > OBSERVABLE_NAME_BYTES)
        return false;
    m->n = n;
    m->labels = 1;
    m->start[0] = 0;
    for (size_t i = 0; i < n; i++) {
        m->text[i] = lower(p[i]);
        if (p[i] == '.') {
            size_t label = i - m->start[m->labels - 1];
            if (label == 0 || label > OBSERVABLE_LABEL_BYTES)
                return false;
            m->start[m->labels++] = (unsigned char)(i + 1);
        }
    }
    size_t label = n - m->start[m->labels - 1];
    return label > 0 && label <= OBSERVABLE_LABEL_BYTES;
}

uint64_t match_name_hash(const struct match_name *m, uint64_t seed)
{
    uint64_t h = seed;
    for (unsigned i = m->labels; i > 0; i--)
        h = match_name_step(m, i - 1, h);
    return h;
}

uint64_t match_ipv4_hash(uint64_t seed, const unsigned char a[4], unsigned prefix)
{
    return match_salted(match_hash_bytes(seed ^ prefix, (const char *)a, 4), OBSERVABLE_IPV4);
}

uint64_t match_ipv6_hash(uint64_t seed, const unsigned char a[16], unsigned prefix)
{
    return match_salted(match_hash_bytes(seed ^ prefix, (const char *)a, 16), OBSERVABLE_IPV6);
}

uint64_t match_text_hash(uint64_t seed, enum observable_kind kind, struct str text)
{
    struct match_name m;
    if (kind == OBSERVABLE_DOMAIN && match_name_split(&m, text.p, text.n))
        return match_salted(match_name_hash(&m, seed), kind);
    return match_salted(match_hash_bytes(seed, text.p, text.n), kind);
}

uint64_t match_value_hash(uint64_t seed, const struct match_value *v)
{
    if (v->kind == MATCH_KIND_BLIND)
        return match_load(v->key.p);
    if (v->kind == OBSERVABLE_IPV4)
        return match_ipv4_hash(seed, (const unsigned char *)v->key.p, v->prefix);
    if (v->kind == OBSERVABLE_IPV6)
        return match_ipv6_hash(seed, (const unsigned char *)v->key.p, v->prefix);
    return match_text_hash(seed, v->kind, v->key);
}

/* An address in brackets; an IPv4-mapped one stands for the other. */
static bool ipv6_host_hash(uint64_t seed, struct str host, uint64_t *hash)
{
    unsigned char a[16], mapped[4];
    char text[OBSERVABLE_ADDRESS_BYTES];
    if (host.p[host.n - 1] != ']' || !observable_parse_ipv6(str_slice(host, 1, host.n - 1), a))
        return false;
    if (observable_ipv4_mapped(a, mapped))
        return match_host_hash(seed, (struct str){text, observable_text_ipv4(mapped, text)}, hash);
    *hash = match_hash_bytes(seed, (const char *)a, sizeof a);
    return true;
}

bool match_host_hash(uint64_t seed, struct str host, uint64_t *hash)
{
    struct match_name m;
    if (host.n > 0 && host.p[0] == '[')
        return ipv6_host_hash(seed, host, hash);
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    if (!match_name_split(&m, host.p, host.n))
        return false;
    *hash = match_name_hash(&m, seed);
    return true;
}

void match_keep_prefix(const unsigned char *a, size_t n, unsigned prefix, unsigned char *out)
{
    for (size_t i = 0; i < n; i += 4) {
        unsigned from = (unsigned)i * 8;
        unsigned keep = prefix <= from ? 0 : prefix - from >= 32 ? 32 : prefix - from;
        uint32_t w, mask = htobe32((uint32_t)(0xffffffff00000000u >> keep));
        memcpy(&w, a + i, 4);
        w &= mask;
        memcpy(out + i, &w, 4);
    }
}

/* ---- place keys --------------------------------------------------------------------------- */

uint64_t match_place_key_of(const char *p, size_t n)
{
    char copy[MATCH_PLACE_BYTES] = {0};
    size_t kept = n < sizeof copy ? n : sizeof copy;
    memcpy(copy + sizeof copy - kept, p + n - kept, kept);
    return match_place_key(copy + sizeof copy, kept);
}
