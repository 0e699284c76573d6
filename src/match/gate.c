/*
 * The gate: what a value puts into the filters, and the questions that refuse strangers. Each
 * question is answered "perhaps" for all that a value put in stands for: the kernels leave out only
 * what is refused here, by the same functions or by the same keys.
 */
#include "match/match_priv.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- filling ------------------------------------------------------------------------------ */

static void put(struct match_bloom *b, uint64_t h)
{
    b->words[match_bloom_word(h, b->count)] |= match_bloom_bits(h);
}

/* The blocks by which an IPv4 prefix is known: how many, of which length. */
static size_t ipv4_blocks(unsigned prefix, unsigned *length)
{
    *length = prefix < MATCH_WIDE_PREFIX ? 16 : 24;
    return prefix < *length ? (size_t)1 << (*length - prefix) : 1;
}

void match_gate_count(const struct match_value *v, size_t *first, size_t *values)
{
    unsigned length;
    switch (v->kind) {
    case OBSERVABLE_IPV4:
        *first += ipv4_blocks(v->prefix, &length) * (v->prefix < 32 ? 2 : 1);
        *values += 1;
        break;
    case OBSERVABLE_DOMAIN:
        *first += 1;
        *values += 1;
        break;
    case OBSERVABLE_URL:
        *first += str_starts(observable_url_host(v->key), STR("[")) ? 2 : 1;
        *values += 2;
        break;
    case OBSERVABLE_EMAIL:
        *first += 1;
        *values += 2;
        break;
    case OBSERVABLE_IPV6:
        *first += 2;
        break;
    case OBSERVABLE_MD5:
    case OBSERVABLE_SHA1:
    case OBSERVABLE_SHA256:
    case OBSERVABLE_SHA512:
        *first += 1;
        break;
    }
}

/* The place key of the first `numbers` of an address. */
static uint64_t ipv4_place(const unsigned char a[4], unsigned numbers)
{
    char text[OBSERVABLE_ADDRESS_BYTES];
    size_t n = observable_text_ipv4(a, text);
    for (; numbers < 4; numbers++)
        while (text[--n] != '.')
            ;
    return match_place_key_of(text, n);
}

/* What `values` is asked for: of a single address the kernels can take it from the text. */
uint64_t match_gate_ipv4_key(const struct match_gate *g, const unsigned char a[4], unsigned prefix)
{
    return prefix == 32 ? match_salted(ipv4_place(a, 4), OBSERVABLE_IPV4)
                        : match_ipv4_hash(g->facts.seed, a, prefix);
}

static unsigned tld_of(struct str name, size_t last)
{
    char near[8] = {0};
    size_t kept = name.n < sizeof near ? name.n : sizeof near;
    memcpy(near + sizeof near - kept, name.p + name.n - kept, kept);
    return match_tld_of(match_load(near) | MATCH_LOWER, name.n - last);
}

static void add_label(struct match_gate *g, unsigned tld)
{
    g->facts.tlds[tld / 64] |= 1ull << (tld % 64);
}

/* Among the last labels of names, which are never numbers. */
static void add_first_number(struct match_gate *g, unsigned char number)
{
    char text[OBSERVABLE_ADDRESS_BYTES];
    size_t n = observable_text_ipv4((const unsigned char[4]){number}, text);
    add_label(g, tld_of((struct str){text, n - strlen(".0.0.0")}, 0));
}

static void add_ipv4(struct match_gate *g, const unsigned char a[4], unsigned prefix)
{
    unsigned length;
    size_t count = ipv4_blocks(prefix, &length);
    uint32_t v = (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3];
    for (size_t i = 0; i < count; i++, v += (uint32_t)1 << (32 - length)) {
        unsigned char b[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
                              (unsigned char)(v >> 8), (unsigned char)v};
        uint64_t key = ipv4_place(b, length / 8);
        put(&g->first, key);
        add_first_number(g, b[0]);
        if (prefix < 32)
            put(&g->first, match_salted(key, MATCH_SALT_BLOCK));
    }
    if (length == 16)
        g->facts.wide_blocks = 1;
    g->facts.ipv4_used |= 1ull << prefix;
    put(&g->values, match_gate_ipv4_key(g, a, prefix));
}

/* Of an IPv6 address's first 32 bits, which are one network's. */
static uint64_t ipv6_network(const struct match_gate *g, const unsigned char a[16])
{
    unsigned char base[16];
    match_keep_prefix(a, 16, MATCH_NETWORK_PREFIX, base);
    return match_salted(match_ipv6_hash(g->facts.seed, base, MATCH_NETWORK_PREFIX),
                        MATCH_SALT_BLOCK);
}

static void add_ipv6(struct match_gate *g, const unsigned char a[16], unsigned prefix)
{
    put(&g->first, match_ipv6_hash(g->facts.seed, a, prefix));
    if (prefix >= MATCH_NETWORK_PREFIX)
        put(&g->first, ipv6_network(g, a));
    g->facts.ipv6_used[prefix / 64] |= 1ull << (prefix % 64);
}

/* Where the last label of a name starts, and the one before it. */
static size_t last_labels(struct str name, size_t *zone)
{
    size_t last = name.n;
    while (last > 0 && name.p[last - 1] != '.')
        last--;
    *zone = last > 0 ? last - 1 : 0;
    while (*zone > 0 && name.p[*zone - 1] != '.')
        --*zone;
    return last;
}

static void add_name(struct match_gate *g, struct str name)
{
    size_t zone, last = last_labels(name, &zone);
    add_label(g, tld_of(name, last));
    put(&g->first, match_place_key_of(name.p + zone, name.n - zone));
    if (last == 0)
        g->facts.short_names = 1;
    if (is_digit(name.p[name.n - 1]))
        g->facts.digit_names = 1;
    if (memmem(name.p, name.n, "xn--", 4) != NULL)
        g->facts.idn_names = 1;
}

static void add_host(struct match_gate *g, struct str host, enum match_salt salt)
{
    unsigned char a[16];
    uint64_t hash;
    if (!match_host_hash(g->facts.seed, host, &hash))
        return;
    put(&g->values, match_salted(hash, salt));
    if (host.p[0] == '[') {
        if (observable_parse_ipv6(str_slice(host, 1, host.n - 1), a))
            add_ipv6(g, a, 128);
    } else if (observable_parse_ipv4(host, a)) {
        add_ipv4(g, a, 32);
    } else {
        add_name(g, host);
    }
}

void match_gate_add(struct match_gate *g, const struct match_value *v)
{
    if (v->kind == MATCH_KIND_BLIND) /* its gate is made of the plain one */
        return;
    g->facts.counts[v->kind]++;
    switch (v->kind) {
    case OBSERVABLE_IPV4:
        add_ipv4(g, (const unsigned char *)v->key.p, v->prefix);
        return;
    case OBSERVABLE_IPV6:
        add_ipv6(g, (const unsigned char *)v->key.p, v->prefix);
        return;
    case OBSERVABLE_DOMAIN:
        add_name(g, v->key);
        if (memchr(v->key.p, '.', v->key.n) == NULL)
            g->facts.single_labels = 1;
        break;
    case OBSERVABLE_URL:
        if (v->key.n > g->facts.longest_url)
            g->facts.longest_url = v->key.n;
        add_host(g, observable_url_host(v->key), MATCH_SALT_URL_HOST);
        break;
    case OBSERVABLE_EMAIL:
        add_host(g, str_from(v->key, str_find(v->key, '@') + 1), MATCH_SALT_EMAIL_HOST);
        break;
    case OBSERVABLE_MD5:
    case OBSERVABLE_SHA1:
    case OBSERVABLE_SHA256:
    case OBSERVABLE_SHA512:
        put(&g->first, match_place_key_of(v->key.p, MATCH_PLACE_BYTES));
        return;
    }
    put(&g->values, match_text_hash(g->facts.seed, v->kind, v->key));
}

void match_gate_list_prefixes(struct match_gate *g)
{
    g->ipv4_prefix_count = g->ipv6_prefix_count = 0;
    for (unsigned p = 33; p-- > 0;)
        if (g->facts.ipv4_used >> p & 1)
            g->ipv4_prefixes[g->ipv4_prefix_count++] = (unsigned char)p;
    for (unsigned p = 129; p-- > 0;)
        if (g->facts.ipv6_used[p / 64] >> (p % 64) & 1)
            g->ipv6_prefixes[g->ipv6_prefix_count++] = (unsigned char)p;
}

/* ---- asking ------------------------------------------------------------------------------- */

bool match_gate_tld(const struct match_gate *g, struct str label)
{
    return match_tld_known(&g->facts, tld_of(label, 0));
}

bool match_gate_name(const struct match_gate *g, struct str name)
{
    size_t zone, last = last_labels(name, &zone);
    if (name.n == 0 || (is_digit(name.p[name.n - 1]) && !g->facts.digit_names))
        return false;
    return match_tld_known(&g->facts, tld_of(name, last)) &&
           match_bloom_has(&g->first, match_place_key_of(name.p + zone, name.n - zone));
}

bool match_gate_suffixes(const struct match_gate *g, struct str name)
{
    struct match_name m;
    uint64_t h = g->facts.seed;
    if (!match_name_split(&m, name.p, name.n))
        return false;
    for (unsigned i = m.labels; i > 0; i--) {
        h = match_name_step(&m, i - 1, h);
        if (match_bloom_has(&g->values, match_salted(h, OBSERVABLE_DOMAIN)))
            return true;
    }
    return match_bloom_has(&g->values, match_salted(h, MATCH_SALT_URL_HOST)) ||
           match_bloom_has(&g->values, match_salted(h, MATCH_SALT_EMAIL_HOST));
}

bool match_gate_ipv4(const struct match_gate *g, const unsigned char a[4])
{
    uint64_t key = ipv4_place(a, 3);
    bool blocks = g->facts.wide_blocks && match_bloom_has(&g->first, ipv4_place(a, 2));
    if (!blocks && !match_bloom_has(&g->first, key))
        return false;
    if (match_bloom_has(&g->values, match_gate_ipv4_key(g, a, 32)))
        return true;
    if (!blocks && !match_bloom_has(&g->first, match_salted(key, MATCH_SALT_BLOCK)))
        return false;
    for (unsigned i = 0; i < g->ipv4_prefix_count; i++) {
        unsigned char base[4];
        match_keep_prefix(a, 4, g->ipv4_prefixes[i], base);
        if (match_bloom_has(&g->values, match_ipv4_hash(g->facts.seed, base, g->ipv4_prefixes[i])))
            return true;
    }
    return false;
}

bool match_is_nat64(const unsigned char a[16])
{
    static const unsigned char prefix[12] = {0, 0x64, 0xff, 0x9b};
    return memcmp(a, prefix, 12) == 0;
}

bool match_gate_network(const struct match_gate *g, const unsigned char a[16])
{
    uint64_t wider = g->facts.ipv6_used[0] & ((1ull << MATCH_NETWORK_PREFIX) - 1);
    return wider != 0 || match_bloom_has(&g->first, ipv6_network(g, a));
}

bool match_gate_ipv6(const struct match_gate *g, const unsigned char a[16])
{
    unsigned char inner[4], base[16];
    if (observable_ipv4_mapped(a, inner))
        return match_gate_ipv4(g, inner);
    bool network = match_gate_network(g, a);
    for (unsigned i = 0; network && i < g->ipv6_prefix_count; i++) {
        match_keep_prefix(a, 16, g->ipv6_prefixes[i], base);
        if (match_bloom_has(&g->first, match_ipv6_hash(g->facts.seed, base, g->ipv6_prefixes[i])))
            return true;
    }
    return match_is_nat64(a) && match_gate_ipv4(g, a + 12);
}

bool match_gate_hash(const struct match_gate *g, const char *digits)
{
    return match_bloom_has(&g->first, match_place_key_of(digits, MATCH_PLACE_BYTES));
}

bool match_gate_host(const struct match_gate *g, struct str host)
{
    unsigned char a[16];
    if (host.n > 1 && host.p[0] == '[')
        return host.p[host.n - 1] == ']' &&
               observable_parse_ipv6(str_slice(host, 1, host.n - 1), a) && match_gate_ipv6(g, a);
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    return observable_parse_ipv4(host, a) ? match_gate_ipv4(g, a) : match_gate_name(g, host);
}
