/* Look-ups in a sealed set, and the telling of hits. */
#include "match/scan_priv.h"

/* ---- work ----------------------------------------------------------------------------------- */

static size_t saved(size_t credit, size_t more, size_t most)
{
    return more > most - credit ? most : credit + more;
}

void match_work_pay(struct match_scan *sc, const char *p)
{
    struct match_work *w = sc->work;
    size_t at = (size_t)(match_source(sc, p) - sc->text_begin);
    if (at <= w->at)
        return;
    w->url_credit = saved(w->url_credit, (at - w->at) * MATCH_URL_SHARE, MATCH_URL_SAVED);
    w->convert_credit = saved(w->convert_credit, at - w->at, MATCH_CONVERSION_SAVED);
    w->at = at;
}

void match_work_spend(struct match_scan *sc, size_t bytes)
{
    struct match_work *w = sc->work;
    w->url_bytes += bytes;
    w->url_credit -= bytes < w->url_credit ? bytes : w->url_credit;
}

struct match_work match_work_new(void)
{
    return (struct match_work){.url_credit = MATCH_URL_SAVED,
                               .convert_credit = MATCH_CONVERSION_SAVED};
}

size_t match_convert(struct match_scan *sc, struct str name, char *out, size_t room)
{
    if (sc->work->convert_credit < MATCH_CONVERSION) {
        sc->work->spent = true;
        return 0;
    }
    sc->work->convert_credit -= MATCH_CONVERSION;
    sc->work->conversions++;
    return observable_text_domain(name, out, room);
}

/* ---- telling ------------------------------------------------------------------------------ */

const char *match_relation_name(enum match_relation r)
{
    static const char *const names[] = {"exact", "subdomain", "inside"};
    must((unsigned)r < sizeof names / sizeof *names);
    return names[r];
}

/* What was found, and where. */
struct place {
    enum match_relation relation;
    struct str text;
    const char *s, *e;
};

struct telling {
    struct match_scan *sc;
    struct match_hit hit;
};

static bool tell_one(void *ctx, uint32_t number, const struct match_indicator *i)
{
    struct telling *t = ctx;
    if (i->from_us > t->sc->now_us || t->sc->now_us >= i->until_us)
        return true;
    t->hit.indicator = number;
    t->sc->stop = !t->sc->each(t->sc->ctx, &t->hit);
    return !t->sc->stop;
}

static void tell(struct match_scan *sc, const struct match_value *v, uint64_t hash,
                 const struct place *at)
{
    struct match_found f;
    if (sc->record != NULL) {
        sc->record(sc->ctx, hash);
        return;
    }
    if (!match_set_find(sc->set, hash, v, &f))
        return;
    const char *s = match_source(sc, at->s), *e = match_source(sc, at->e);
    if (sc->map != NULL && e <= sc->told)
        return;
    struct telling t = {.sc = sc,
                        .hit = {.relation = at->relation,
                                .kind = v->kind,
                                .observable = at->text,
                                .seen = {s, (size_t)(e - s)}}};
    match_set_owners(sc->set, &f, tell_one, &t);
}

/* ---- addresses ---------------------------------------------------------------------------- */

void match_lookup_ipv4(struct match_scan *sc, const unsigned char a[4], const char *s,
                       const char *e)
{
    const struct match_gate *g = &sc->set->gate;
    if (!match_gate_ipv4(g, a))
        return;
    char text[OBSERVABLE_ADDRESS_BYTES];
    struct place at = {.s = s, .e = e, .text = {text, observable_text_ipv4(a, text)}};
    for (unsigned i = 0; i < g->ipv4_prefix_count && !sc->stop; i++) {
        unsigned char base[4];
        struct match_value v = {.kind = OBSERVABLE_IPV4,
                                .prefix = g->ipv4_prefixes[i],
                                .key = {(const char *)base, sizeof base}};
        match_keep_prefix(a, sizeof base, v.prefix, base);
        uint64_t hash = match_ipv4_hash(g->facts.seed, base, v.prefix);
        at.relation = v.prefix == 32 ? MATCH_EXACT : MATCH_INSIDE;
        if (match_bloom_has(&g->values, match_gate_ipv4_key(g, base, v.prefix)))
            tell(sc, &v, hash, &at);
    }
}

void match_lookup_ipv6(struct match_scan *sc, const unsigned char a[16], const char *s,
                       const char *e)
{
    const struct match_gate *g = &sc->set->gate;
    unsigned char inner[4];
    if (observable_ipv4_mapped(a, inner)) {
        match_lookup_ipv4(sc, inner, s, e);
        return;
    }
    char text[OBSERVABLE_ADDRESS_BYTES];
    struct place at = {.s = s, .e = e, .text = {text, 0}};
    for (unsigned i = 0; i < g->ipv6_prefix_count && !sc->stop; i++) {
        unsigned char base[16];
        struct match_value v = {.kind = OBSERVABLE_IPV6,
                                .prefix = g->ipv6_prefixes[i],
                                .key = {(const char *)base, sizeof base}};
        match_keep_prefix(a, sizeof base, v.prefix, base);
        uint64_t hash = match_ipv6_hash(g->facts.seed, base, v.prefix);
        if (!match_bloom_has(&g->first, hash))
            continue;
        at.text.n = observable_text_ipv6(a, text);
        at.relation = v.prefix == 128 ? MATCH_EXACT : MATCH_INSIDE;
        tell(sc, &v, hash, &at);
    }
    if (match_is_nat64(a) && !sc->stop)
        match_lookup_ipv4(sc, a + 12, s, e);
}

/* ---- names and texts ---------------------------------------------------------------------- */

static void find_name(struct match_scan *sc, const struct match_name *m, unsigned label,
                      uint64_t hash, struct place *at)
{
    uint64_t h = match_salted(hash, OBSERVABLE_DOMAIN);
    if (!match_bloom_has(&sc->set->gate.values, h))
        return;
    struct match_value v = {.kind = OBSERVABLE_DOMAIN,
                            .key = {m->text + m->start[label], m->n - m->start[label]}};
    /* Below a public suffix every name is somebody else's. */
    if (label > 0 && sc->record == NULL && observable_public_suffix(v.key))
        return;
    at->relation = label == 0 ? MATCH_EXACT : MATCH_SUBDOMAIN;
    tell(sc, &v, h, at);
}

void match_lookup_name(struct match_scan *sc, struct str name, unsigned most, const char *s,
                       const char *e)
{
    const struct match_gate *g = &sc->set->gate;
    struct match_name m;
    uint64_t hashes[MATCH_NAME_LABELS];
    if (most == 0 || !match_gate_name(g, name) || !match_name_split(&m, name.p, name.n))
        return;
    struct place at = {.text = {m.text, m.n}, .s = s, .e = e};
    unsigned last = m.labels - 1;
    hashes[last] = match_name_step(&m, last, g->facts.seed);
    if (last == 0) { /* a single label is matched by its equal alone: see docs/DETECTION.md */
        if (g->facts.single_labels)
            find_name(sc, &m, 0, hashes[0], &at);
        return;
    }
    for (unsigned i = last; i > 0; i--)
        hashes[i - 1] = match_name_step(&m, i - 1, hashes[i]);
    for (unsigned i = 0; i < last && i < most && !sc->stop; i++)
        find_name(sc, &m, i, hashes[i], &at);
}

/* What the gate says of a text that is no name and no address. */
static bool text_maybe(const struct match_gate *g, const struct match_value *v, uint64_t hash)
{
    if (v->kind == OBSERVABLE_URL || v->kind == OBSERVABLE_EMAIL)
        return match_bloom_has(&g->values, hash);
    return match_gate_hash(g, v->key.p);
}

bool match_text_known(const struct match_scan *sc, enum observable_kind kind, struct str text)
{
    const struct match_set *s = sc->set;
    struct match_value v = {.kind = kind, .key = text};
    struct match_found f;
    uint64_t hash = match_value_hash(s->gate.facts.seed, &v);
    if (sc->record != NULL) {
        sc->record(sc->ctx, hash);
        return false;
    }
    return text_maybe(&s->gate, &v, hash) && match_set_find(s, hash, &v, &f);
}

void match_lookup_text(struct match_scan *sc, enum observable_kind kind, struct str text,
                       const char *s, const char *e)
{
    struct match_value v = {.kind = kind, .key = text};
    uint64_t hash = match_value_hash(sc->set->gate.facts.seed, &v);
    struct place at = {.relation = MATCH_EXACT, .text = text, .s = s, .e = e};
    if (text_maybe(&sc->set->gate, &v, hash))
        tell(sc, &v, hash, &at);
}
