/*
 * Blinded sets: values that can be found but not read. Of each value the table keeps a MAC under
 * the set's key, which is in no set. The filters need no key: they are the public prefix, so that
 * a log's strangers hardly ever cost a MAC. docs/DETECTION.md has the arithmetic.
 *
 * A filter tells who has no key something too, so it is made to tell the same of every set: each
 * word is topped up with bits that stand for nothing until MATCH_BLIND_BITS are set. These depend
 * on the key alone, as does the seed of the hashes: two sets of one key, laid beside each other,
 * tell little more than one.
 */
#include <stdio.h>

#include "crypt/crypt.h"
#include "match/match_priv.h"

struct match_blind {
    unsigned char kinds[OBSERVABLE_KINDS][CRYPT_KEY_BYTES];
    unsigned char ids[CRYPT_KEY_BYTES], filters[CRYPT_KEY_BYTES];
    uint64_t seed;
};

/* Bits of a filter's 64-bit word: a stranger's four are all set with (31/64)^4, once in 18. */
#define MATCH_BLIND_BITS 31

static void derive(const unsigned char key[CRYPT_KEY_BYTES], const char *what,
                   unsigned char out[CRYPT_KEY_BYTES])
{
    char label[64];
    int n = snprintf(label, sizeof label, "setu blinded set: %s", what);
    must(n > 0 && (size_t)n < sizeof label);
    crypt_hmac_sha256(key, (struct str){label, (size_t)n}, out);
}

static struct match_blind *blind_new(const unsigned char key[CRYPT_KEY_BYTES])
{
    unsigned char seed[CRYPT_KEY_BYTES];
    struct match_blind *b = base_alloc(sizeof *b);
    if (b == NULL)
        return NULL;
    for (unsigned k = 0; k < OBSERVABLE_KINDS; k++)
        derive(key, observable_kind_name((enum observable_kind)k), b->kinds[k]);
    derive(key, "ids", b->ids);
    derive(key, "filters", b->filters);
    derive(key, "seed", seed);
    b->seed = match_load((const char *)seed);
    return b;
}

void match_blind_free(struct match_blind *b)
{
    if (b != NULL)
        crypt_wipe(b, sizeof *b);
    base_free(b);
}

struct match_value match_blind_value(const struct match_blind *b, const struct match_value *v,
                                     unsigned char *mac)
{
    char address[17] = {(char)v->prefix};
    struct str text = v->key;
    if (v->kind == OBSERVABLE_IPV4 || v->kind == OBSERVABLE_IPV6) {
        must(text.n < sizeof address);
        memcpy(address + 1, text.p, text.n);
        text = (struct str){address, text.n + 1};
    }
    crypt_hmac_sha256(b->kinds[v->kind], text, mac);
    return (struct match_value){.kind = MATCH_KIND_BLIND,
                                .key = {(const char *)mac, MATCH_BLIND_BYTES}};
}

/* ---- the filters ---------------------------------------------------------------------------- */

static bool count_value(void *ctx, const struct match_row *r, const struct match_value *v)
{
    size_t *n = ctx;
    (void)r;
    match_gate_count(v, &n[0], &n[1]);
    return true;
}

static bool add_value(void *ctx, const struct match_row *r, const struct match_value *v)
{
    (void)r;
    match_gate_add(ctx, v);
    return true;
}

/* A power of two: sets of one key that grow have the same filters most of the time. */
static size_t words_of(size_t keys)
{
    size_t n = 16;
    while (n < keys / 16 * 3)
        n *= 2;
    return n;
}

static void top_up(const struct match_blind *b, const struct match_bloom *f, char which)
{
    for (uint64_t i = 0; i < f->count; i++)
        for (uint64_t round = 0; __builtin_popcountll(f->words[i]) < MATCH_BLIND_BITS; round++) {
            uint64_t at[3] = {(uint64_t)which, i, round};
            uint64_t h = crypt_name64(b->filters, (struct str){(const char *)at, sizeof at});
            for (; h != 0 && __builtin_popcountll(f->words[i]) < MATCH_BLIND_BITS; h >>= 6)
                f->words[i] |= 1ull << (h & 63);
        }
}

/* What the facts tell besides. Last labels, kinds and lengths are not among it. */
static void hide_facts(struct match_facts *f)
{
    uint64_t longest = 64;
    while (longest < f->longest_url)
        longest *= 2;
    f->longest_url = longest;
    memset(f->tlds, 0xff, sizeof f->tlds);
    for (size_t k = 0; k < OBSERVABLE_KINDS; k++)
        f->counts[k] = 1;
    f->blind = 1;
}

bool match_blind_gate(struct match_set *s, const struct match_set *plain, struct err *e)
{
    const struct match_blind *b = s->blind;
    size_t n[2] = {0, 0};
    match_table_each(&plain->table, count_value, n);
    if (!match_gate_new(s, words_of(n[0]), words_of(n[1]), e))
        return false;
    s->gate.facts.seed = b->seed;
    match_table_each(&plain->table, add_value, &s->gate);
    top_up(b, &s->gate.first, 1);
    top_up(b, &s->gate.values, 2);
    hide_facts(&s->gate.facts);
    return true;
}

/* ---- making one ------------------------------------------------------------------------------ */

struct blinding {
    struct match_set *to;
    const struct match_table *from;
    struct err *e;
};

static bool blind_value(void *ctx, const struct match_row *r, const struct match_value *v)
{
    const struct blinding *g = ctx;
    unsigned char mac[CRYPT_SHA256_BYTES];
    struct match_owners o = match_table_owners(g->from, r);
    if (v->kind == OBSERVABLE_IPV4 && v->prefix < MATCH_WIDE_PREFIX)
        return err_set(g->e, ERR_INVALID,
                       "a /%u of IPv4 cannot be blinded, as the filters would show where it lies: "
                       "leave it out, or share it in the clear; up to a /%d can be",
                       v->prefix, MATCH_WIDE_PREFIX);
    struct match_value blind = match_blind_value(g->to->blind, v, mac);
    for (size_t i = 0; i < o.n; i++)
        if (!match_put_value(g->to, o.p[i], &blind, g->e))
            return false;
    return true;
}

/* Without name and labels. The line of a list is its own id, so it gets a MAC in its place. */
static bool blind_indicator(struct match_set *s, struct match_indicator i, struct err *e)
{
    unsigned char mac[CRYPT_SHA256_BYTES];
    char id[40] = "blinded-";
    size_t n = strlen(id);
    uint32_t number;
    if (!i.stix) {
        crypt_hmac_sha256(s->blind->ids, i.id, mac);
        for (size_t k = 0; k < 12; k++, n += 2)
            snprintf(id + n, sizeof id - n, "%02x", mac[k]);
        i.id = (struct str){id, n};
    }
    i.name = i.labels = STR_NONE;
    return match_set_indicator(s, &i, &number, e);
}

static bool blind(struct match_set *s, const struct match_set *plain, struct err *e)
{
    struct blinding g = {s, &plain->table, e};
    struct match_indicator i;
    for (uint32_t k = 0; k < plain->table.indicator_count; k++)
        if (match_table_indicator(&plain->table, k, &i) && !blind_indicator(s, i, e))
            return false;
    s->builder->plain = plain;
    return match_table_each(&plain->table, blind_value, &g) && match_set_seal(s, e);
}

bool match_set_blind(const struct match_set *plain, const unsigned char *key,
                     struct match_set **out, struct err *e)
{
    must(plain->builder == NULL && plain->below == NULL);
    if (match_set_blinded(plain))
        return err_set(e, ERR_INVALID, "the set is blinded: there are no values in it to write");
    struct match_set *s = match_set_new();
    if (s != NULL)
        s->table.blind = s->blind = blind_new(key);
    if (s == NULL || s->blind == NULL) {
        match_set_free(s);
        return err_set(e, ERR_MEMORY, "no memory for the indicator set");
    }
    if (blind(s, plain, e)) {
        *out = s;
        return true;
    }
    match_set_free(s);
    return false;
}

/* ---- using one ------------------------------------------------------------------------------- */

bool match_set_blinded(const struct match_set *s)
{
    return s->gate.facts.blind != 0;
}

bool match_set_unblind(struct match_set *s, const unsigned char *key, struct err *e)
{
    must(match_set_blinded(s) && s->blind == NULL);
    s->table.blind = s->blind = blind_new(key);
    if (s->blind == NULL)
        return err_set(e, ERR_MEMORY, "no memory for the key");
    return s->blind->seed == s->gate.facts.seed ||
           err_set(e, ERR_INVALID, "the set was blinded with another key");
}
