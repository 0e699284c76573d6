/*
 * Recording: the plain scanner over a set whose gate says "perhaps" to everything and whose tables
 * hold nothing. So whatever any set makes the scanner look up, it looks up here too, and tells the
 * key in place of finding it.
 */
#include "match/scan_priv.h"

/* Lengths of blocks that addresses are recorded with. */
static const unsigned char ipv4_prefixes[] = {32, 24, 16, 8};
static const unsigned char ipv6_prefixes[] = {128, 64, 48, 32};

struct match_recorder {
    struct match_set all;
    uint64_t yes; /* the one word of both filters */
};

bool match_recorder_new(uint64_t seed, struct match_recorder **out, struct err *e)
{
    struct match_recorder *r = base_alloc(sizeof *r);
    if (r == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a recorder");
    struct match_gate *g = &r->all.gate;
    r->yes = UINT64_MAX;
    g->first = g->values = (struct match_bloom){&r->yes, 1};
    memset(g->facts.tlds, 0xff, sizeof g->facts.tlds);
    for (size_t i = 0; i < OBSERVABLE_KINDS; i++)
        g->facts.counts[i] = 1;
    g->facts.seed = seed;
    g->facts.longest_url = UINT64_MAX;
    g->facts.short_names = g->facts.digit_names = g->facts.idn_names = g->facts.wide_blocks = 1;
    memcpy(g->ipv4_prefixes, ipv4_prefixes, sizeof ipv4_prefixes);
    memcpy(g->ipv6_prefixes, ipv6_prefixes, sizeof ipv6_prefixes);
    g->ipv4_prefix_count = sizeof ipv4_prefixes;
    g->ipv6_prefix_count = sizeof ipv6_prefixes;
    *out = r;
    return true;
}

void match_recorder_free(struct match_recorder *r)
{
    base_free(r);
}

bool match_record(const struct match_recorder *r, struct str text, match_key_fn *each, void *ctx)
{
    struct match_work work = match_work_new();
    struct match_scan sc = {.set = &r->all, .work = &work, .record = each, .ctx = ctx};
    if (text.n == 0)
        return true;
    sc.begin = text.p;
    sc.end = text.p + text.n;
    sc.text_end = sc.end;
    sc.text_begin = sc.ipv6_until = sc.user_until = sc.border = text.p;
    match_scan_words(&sc, sc.begin, sc.end);
    return !work.spent;
}

/* ---- asking ------------------------------------------------------------------------------- */

struct asking {
    uint64_t seed;
    match_key_fn *each;
    void *ctx;
};

/* The longest recorded prefix that is no longer than the block's. */
static bool recorded_prefix(const unsigned char *lengths, size_t n, unsigned *prefix)
{
    for (size_t i = 0; i < n; i++)
        if (lengths[i] <= *prefix) {
            *prefix = lengths[i];
            return true;
        }
    return false;
}

static bool ask_value(void *ctx, const struct match_row *row, const struct match_value *value)
{
    const struct asking *a = ctx;
    struct match_value v = *value;
    unsigned char block[16];
    (void)row;
    if (v.kind == MATCH_KIND_BLIND)
        return false;
    if (v.kind == OBSERVABLE_IPV4 || v.kind == OBSERVABLE_IPV6) {
        bool known = v.kind == OBSERVABLE_IPV4
                         ? recorded_prefix(ipv4_prefixes, sizeof ipv4_prefixes, &v.prefix)
                         : recorded_prefix(ipv6_prefixes, sizeof ipv6_prefixes, &v.prefix);
        if (!known)
            return false;
        match_keep_prefix((const unsigned char *)v.key.p, v.key.n, v.prefix, block);
        v.key.p = (const char *)block;
    }
    if (v.kind == OBSERVABLE_DOMAIN && memchr(v.key.p, '.', v.key.n) == NULL)
        return false;
    a->each(a->ctx, match_value_hash(a->seed, &v));
    return true;
}

bool match_record_ask(const struct match_recorder *r, const struct match_set *s, match_key_fn *each,
                      void *ctx)
{
    struct asking a = {r->all.gate.facts.seed, each, ctx};
    must(s->builder == NULL);
    return (s->below == NULL || match_table_each(&s->below->table, ask_value, &a)) &&
           match_table_each(&s->table, ask_value, &a);
}
