/* Look-ups in a sealed set, and the telling of hits. */
#include <string.h>

#include "match/match_priv.h"

/* ---- keys --------------------------------------------------------------------------------- */

struct str match_key(const struct observable *o)
{
    if (o->kind == OBSERVABLE_IPV4)
        return (struct str){(const char *)o->addr, 4};
    if (o->kind == OBSERVABLE_IPV6)
        return (struct str){(const char *)o->addr, 16};
    return o->text;
}

bool match_name_split(struct match_name *m, const char *p, size_t n)
{
    if (n == 0 || n > OBSERVABLE_NAME_BYTES)
        return false;
    m->n = n;
    m->labels = 1;
    m->start[0] = 0;
    for (size_t i = 0; i < n; i++) {
        m->text[i] = match_lower(p[i]);
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

uint64_t match_name_hash(const struct match_name *m)
{
    uint64_t h = 0;
    for (unsigned i = m->labels; i > 0; i--)
        h = match_name_step(m, i - 1, h);
    return h;
}

uint64_t match_address_hash(enum observable_kind kind, const unsigned char *a, size_t n,
                            unsigned prefix)
{
    uint64_t h = prefix;
    for (size_t i = 0; i < n; i += 4) {
        uint32_t w;
        memcpy(&w, a + i, 4);
        h = match_mix(h ^ w, 0xa0761d6478bd642fu);
    }
    return match_salted(h, kind);
}

uint64_t match_text_hash(enum observable_kind kind, struct str text)
{
    struct match_name m;
    if (kind == OBSERVABLE_DOMAIN && match_name_split(&m, text.p, text.n))
        return match_salted(match_name_hash(&m), kind);
    return match_salted(match_hash_bytes(kind, text.p, text.n), kind);
}

/* An address in brackets; an IPv4-mapped one stands for the other. */
static bool ipv6_host_hash(struct str host, uint64_t *hash)
{
    unsigned char a[16], mapped[4];
    char text[OBSERVABLE_ADDRESS_BYTES];
    if (host.p[host.n - 1] != ']' || !observable_parse_ipv6(str_slice(host, 1, host.n - 1), a))
        return false;
    if (observable_ipv4_mapped(a, mapped))
        return match_host_hash((struct str){text, observable_text_ipv4(mapped, text)}, hash);
    *hash = match_hash_bytes(0, (const char *)a, sizeof a);
    return true;
}

bool match_host_hash(struct str host, uint64_t *hash)
{
    struct match_name m;
    if (host.n > 0 && host.p[0] == '[')
        return ipv6_host_hash(host, hash);
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    if (!match_name_split(&m, host.p, host.n))
        return false;
    *hash = match_name_hash(&m);
    return true;
}

/* ---- work ----------------------------------------------------------------------------------- */

static const char *source(const struct match_scan *sc, const char *p)
{
    return sc->map == NULL ? p : sc->raw + sc->map[p - sc->begin];
}

static size_t saved(size_t credit, size_t more, size_t most)
{
    return more > most - credit ? most : credit + more;
}

void match_work_pay(struct match_scan *sc, const char *p)
{
    struct match_work *w = sc->work;
    size_t at = (size_t)(source(sc, p) - sc->text_begin);
    if (at <= w->at)
        return;
    w->url_credit = saved(w->url_credit, (at - w->at) * MATCH_URL_SHARE, MATCH_URL_SAVED);
    w->convert_credit = saved(w->convert_credit, at - w->at, MATCH_CONVERSION_SAVED);
    w->at = at;
}

size_t match_convert(struct match_scan *sc, struct str name, char *out, size_t room)
{
    if (sc->work->convert_credit < MATCH_CONVERSION)
        return 0;
    sc->work->convert_credit -= MATCH_CONVERSION;
    sc->work->conversions++;
    return observable_text_domain(name, out, room);
}

/* ---- telling ------------------------------------------------------------------------------ */

struct found {
    const struct match_value *value;
    enum match_relation relation;
    struct str text;
    const char *s, *e;
};

static void tell(struct match_scan *sc, const struct found *f)
{
    const char *s = source(sc, f->s), *e = source(sc, f->e);
    if (sc->map != NULL && e <= sc->told)
        return;
    struct match_hit hit = {.relation = f->relation,
                            .kind = f->value->kind,
                            .observable = f->text,
                            .seen = {s, (size_t)(e - s)}};
    for (uint32_t l = f->value->first; l != MATCH_END && !sc->stop; l = sc->set->links[l].next) {
        hit.indicator = sc->set->links[l].indicator;
        const struct match_indicator *i = &sc->set->indicators[hit.indicator];
        if (i->from_us <= sc->now_us && sc->now_us < i->until_us)
            sc->stop = !sc->each(sc->ctx, &hit);
    }
}

/* ---- addresses ---------------------------------------------------------------------------- */

static void keep_prefix(const unsigned char *a, size_t n, unsigned prefix, unsigned char *out)
{
    for (size_t i = 0; i < n; i++) {
        unsigned from = (unsigned)i * 8;
        unsigned keep = prefix <= from ? 0 : prefix - from >= 8 ? 8 : prefix - from;
        out[i] = (unsigned char)(a[i] & (0xff00u >> keep));
    }
}

void match_lookup_ipv4(struct match_scan *sc, const unsigned char a[4], const char *s,
                       const char *e)
{
    const struct match_set *set = sc->set;
    uint32_t v = (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3];
    uint32_t block = v >> (32 - set->ipv4_map_bits);
    if (!(set->ipv4_map[block / 64] >> (block % 64) & 1))
        return;
    for (unsigned i = 0; i < set->ipv4_prefix_count && !sc->stop; i++) {
        unsigned prefix = set->ipv4_prefixes[i];
        unsigned char base[4];
        keep_prefix(a, 4, prefix, base);
        struct found f = {.relation = prefix == 32 ? MATCH_EXACT : MATCH_INSIDE, .s = s, .e = e};
        f.value = match_set_find(set, match_address_hash(OBSERVABLE_IPV4, base, 4, prefix),
                                 OBSERVABLE_IPV4, prefix, (struct str){(const char *)base, 4});
        if (f.value == NULL)
            continue;
        char text[OBSERVABLE_ADDRESS_BYTES];
        f.text = (struct str){text, observable_text_ipv4(a, text)};
        tell(sc, &f);
    }
}

/* RFC 6052 §2.1: the well-known prefix, behind which operators' networks see IPv4 hosts. */
static bool is_nat64(const unsigned char a[16])
{
    static const unsigned char prefix[12] = {0, 0x64, 0xff, 0x9b};
    return memcmp(a, prefix, 12) == 0;
}

void match_lookup_ipv6(struct match_scan *sc, const unsigned char a[16], const char *s,
                       const char *e)
{
    const struct match_set *set = sc->set;
    unsigned char inner[4];
    if (observable_ipv4_mapped(a, inner)) {
        match_lookup_ipv4(sc, inner, s, e);
        return;
    }
    for (unsigned i = 0; i < set->ipv6_prefix_count && !sc->stop; i++) {
        unsigned prefix = set->ipv6_prefixes[i];
        unsigned char base[16];
        keep_prefix(a, 16, prefix, base);
        uint64_t hash = match_address_hash(OBSERVABLE_IPV6, base, 16, prefix);
        if (!match_maybe(set, hash))
            continue;
        struct found f = {.relation = prefix == 128 ? MATCH_EXACT : MATCH_INSIDE, .s = s, .e = e};
        f.value = match_set_find(set, hash, OBSERVABLE_IPV6, prefix,
                                 (struct str){(const char *)base, 16});
        if (f.value == NULL)
            continue;
        char text[OBSERVABLE_ADDRESS_BYTES];
        f.text = (struct str){text, observable_text_ipv6(a, text)};
        tell(sc, &f);
    }
    if (is_nat64(a) && !sc->stop)
        match_lookup_ipv4(sc, a + 12, s, e);
}

/* ---- names and texts ---------------------------------------------------------------------- */

static bool find_name(struct match_scan *sc, const struct match_name *m, unsigned label,
                      uint64_t hash, struct found *f)
{
    uint64_t h = match_salted(hash, OBSERVABLE_DOMAIN);
    if (!match_maybe(sc->set, h))
        return false;
    struct str key = {m->text + m->start[label], m->n - m->start[label]};
    f->value = match_set_find(sc->set, h, OBSERVABLE_DOMAIN, 0, key);
    f->relation = label == 0 ? MATCH_EXACT : MATCH_SUBDOMAIN;
    if (f->value == NULL)
        return false;
    tell(sc, f);
    return true;
}

bool match_lookup_name(struct match_scan *sc, struct str name, const char *s, const char *e)
{
    struct match_name m;
    uint64_t hashes[MATCH_NAME_LABELS];
    if (!match_name_split(&m, name.p, name.n))
        return false;
    struct found f = {.text = {m.text, m.n}, .s = s, .e = e};
    unsigned last = m.labels - 1;
    uint64_t h = match_name_step(&m, last, 0);
    if (!match_tld_known(sc->set, h))
        return false;
    if (last == 0) /* a single label is matched by its equal alone: see docs/DETECTION.md */
        return sc->set->single_labels && find_name(sc, &m, 0, h, &f);
    h = match_name_step(&m, last - 1, h);
    if (!match_maybe(sc->set, match_salted(h, MATCH_SALT_ZONE)))
        return false;
    hashes[last - 1] = h;
    for (unsigned i = last - 1; i > 0; i--)
        hashes[i - 1] = match_name_step(&m, i - 1, hashes[i]);
    bool hit = false;
    for (unsigned i = 0; i < last && !sc->stop; i++)
        hit = find_name(sc, &m, i, hashes[i], &f) || hit;
    return hit;
}

bool match_text_known(const struct match_set *s, enum observable_kind kind, struct str text)
{
    uint64_t hash = match_text_hash(kind, text);
    return match_maybe(s, hash) && match_set_find(s, hash, kind, 0, text) != NULL;
}

bool match_lookup_text(struct match_scan *sc, enum observable_kind kind, struct str text,
                       const char *s, const char *e)
{
    uint64_t hash = match_text_hash(kind, text);
    if (!match_maybe(sc->set, hash))
        return false;
    struct found f = {.text = text, .s = s, .e = e};
    f.value = match_set_find(sc->set, hash, kind, 0, text);
    f.relation = MATCH_EXACT;
    if (f.value == NULL)
        return false;
    tell(sc, &f);
    return true;
}
