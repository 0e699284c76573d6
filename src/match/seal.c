/* From values that wait to the tables and the gate of a sealed set. */
#include "match/match_priv.h"

/* ---- sorting ------------------------------------------------------------------------------ */

#define DIGIT_BITS 11

static void sort_by_digit(const struct match_pending *from, struct match_pending *to, size_t n,
                          unsigned shift)
{
    uint32_t start[1 << DIGIT_BITS] = {0}, sum = 0;
    const uint64_t mask = (1u << DIGIT_BITS) - 1;
    for (size_t i = 0; i < n; i++)
        start[from[i].hash >> shift & mask]++;
    for (size_t d = 0; d <= mask; d++) {
        uint32_t count = start[d];
        start[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[start[from[i].hash >> shift & mask]++] = from[i];
}

/* In order of hash; equal ones keep their order. By the upper 33 bits in three rounds; what these
 * do not tell apart is rare. `spare` takes turns with `p`, and is NULL or as long. */
static struct match_pending *sort_pending(struct match_pending *p, struct match_pending *spare,
                                          size_t n)
{
    for (unsigned shift = 64 - 3 * DIGIT_BITS; n > 1 && shift < 64; shift += DIGIT_BITS) {
        sort_by_digit(p, spare, n, shift);
        struct match_pending *sorted = spare;
        spare = p;
        p = sorted;
    }
    for (size_t i = 1; i < n; i++) {
        struct match_pending moved = p[i];
        size_t k = i;
        for (; k > 0 && p[k - 1].hash > moved.hash; k--)
            p[k] = p[k - 1];
        p[k] = moved;
    }
    return p;
}

/* ---- rows --------------------------------------------------------------------------------- */

struct sealing {
    struct match_set *s;
    struct match_row *rows;
    size_t row_count;
    uint32_t *buckets;
    size_t bucket_count;
    uint32_t *owners;
    size_t owner_count, owner_room;
    struct match_pending *sorted, *spare;
};

static struct match_row row_of(const struct match_pending *p)
{
    bool ipv4 = p->kind == OBSERVABLE_IPV4;
    return (struct match_row){.owner = p->owner,
                              .key = (uint32_t)p->key,
                              .tag = (uint16_t)p->hash,
                              .key_high = ipv4 ? p->prefix : (uint8_t)(p->key >> 32),
                              .kind = p->kind};
}

static bool same_value(const struct match_table *t, const struct match_pending *a,
                       const struct match_pending *b)
{
    unsigned char room_a[16], room_b[16];
    struct match_row ra = row_of(a), rb = row_of(b);
    if (a->hash != b->hash || a->kind != b->kind || a->prefix != b->prefix)
        return false;
    struct match_value va = match_table_value(t, &ra, room_a);
    struct match_value vb = match_table_value(t, &rb, room_b);
    return str_eq(va.key, vb.key);
}

/* The owners of values first to end, which are one: in place, or as a list. */
static bool put_row(struct sealing *g, const struct match_pending *first,
                    const struct match_pending *end, struct err *e)
{
    struct match_row *row = &g->rows[g->row_count++];
    size_t at = g->owner_count;
    *row = row_of(first);
    g->buckets[(first->hash >> (64 - g->s->table.bucket_bits)) + 1]++;
    if (end - first == 1)
        return true;
    void *items = g->owners;
    if (!base_grow(&items, &g->owner_room, at + 1 + (size_t)(end - first), sizeof *g->owners))
        return err_set(e, ERR_MEMORY, "no memory for the indicator set");
    g->owners = items;
    size_t n = 0;
    for (const struct match_pending *p = first; p < end; p++)
        if (n == 0 || g->owners[at + n] != p->owner)
            g->owners[at + ++n] = p->owner;
    if (n == 1)
        return true;
    if (at > UINT32_MAX)
        return err_set(e, ERR_LIMIT, "too many values of several indicators");
    g->owners[at] = (uint32_t)n;
    g->owner_count = at + 1 + n;
    row->owner = (uint32_t)at;
    row->kind |= MATCH_ROW_LIST;
    return true;
}

/* Values of one hash that differ stand mixed; each group is gathered behind the other. */
static bool put_rows(struct sealing *g, struct err *e)
{
    struct match_builder *b = g->s->builder;
    struct match_pending *p = g->sorted, *end = p + b->value_count;
    while (p < end) {
        struct match_pending *next = p + 1, first = *p;
        for (struct match_pending *q = p + 1; q < end && q->hash == first.hash; q++) {
            if (!same_value(&g->s->table, &first, q))
                continue;
            struct match_pending moved = *q;
            memmove(next + 1, next, (size_t)(q - next) * sizeof *q);
            *next++ = moved;
        }
        if (!put_row(g, p, next, e))
            return false;
        p = next;
    }
    return true;
}

static bool make_buckets(struct sealing *g, struct err *e)
{
    struct match_table *t = &g->s->table;
    t->bucket_bits = 1;
    while ((g->s->builder->value_count >> t->bucket_bits) > 8)
        t->bucket_bits++;
    g->bucket_count = ((size_t)1 << t->bucket_bits) + 1;
    t->buckets = g->buckets = g->s->owned[1] = base_alloc(g->bucket_count * sizeof *g->buckets);
    return g->buckets != NULL || err_set(e, ERR_MEMORY, "no memory for the indicator set");
}

/* From how many rows each has to where it starts. */
static void add_up_buckets(struct sealing *g)
{
    for (size_t i = 1; i < g->bucket_count; i++)
        g->buckets[i] += g->buckets[i - 1];
}

/* ---- indicators --------------------------------------------------------------------------- */

static bool put_places(struct match_set *s, struct err *e)
{
    struct match_builder *b = s->builder;
    size_t wraps = b->place_count > 0 ? (size_t)(b->places[b->place_count - 1] >> 32) : 0;
    uint32_t *low = base_alloc(b->place_count * sizeof *low);
    uint32_t *first = base_alloc(wraps * sizeof *first);
    s->table.indicators = s->owned[3] = low;
    s->table.wraps = s->owned[4] = first;
    if (low == NULL || first == NULL)
        return err_set(e, ERR_MEMORY, "no memory for the indicator set");
    size_t high = 0;
    for (size_t i = 0; i < b->place_count; i++) {
        while (high < b->places[i] >> 32)
            first[high++] = (uint32_t)i;
        low[i] = (uint32_t)b->places[i];
    }
    s->table.indicator_count = b->place_count;
    s->table.wrap_count = wraps;
    return true;
}

/* ---- the gate ----------------------------------------------------------------------------- */

struct key_counts {
    size_t first, values;
};

static bool count_value(void *ctx, const struct match_row *r, const struct match_value *v)
{
    struct key_counts *n = ctx;
    (void)r;
    match_gate_count(v, &n->first, &n->values);
    return true;
}

static bool add_value(void *ctx, const struct match_row *r, const struct match_value *v)
{
    (void)r;
    match_gate_add(ctx, v);
    return true;
}

bool match_gate_new(struct match_set *s, size_t first, size_t values, struct err *e)
{
    struct match_gate *g = &s->gate;
    g->first.words = base_pages(first * sizeof *g->first.words);
    g->values.words = base_pages(values * sizeof *g->values.words);
    g->first.count = first;
    g->values.count = values;
    return (g->first.words != NULL && g->values.words != NULL) ||
           err_set(e, ERR_MEMORY, "no memory for the indicator set");
}

/* Words of a filter of so many keys: 12 bits a key. */
static size_t words_of(size_t keys)
{
    return 16 + keys / 16 * 3;
}

/* If so few are added that the filters of the set below still serve. */
static bool fits(const struct match_bloom *b, size_t keys)
{
    return keys <= b->count / 2;
}

/* Of the values that wait: what one value is counts several times here if several hold it. */
static void count_pending(const struct match_builder *b, struct key_counts *n)
{
    for (size_t i = 0; i < b->value_count; i++) {
        struct match_value v = {.kind = b->values[i].kind, .prefix = b->values[i].prefix};
        match_gate_count(&v, &n->first, &n->values);
    }
}

/* Words of a filter that holds so many keys more: a multiple. */
static size_t widened(const struct match_bloom *b, size_t keys)
{
    size_t n = b->count;
    while (keys > n / 2)
        n *= 2;
    return n;
}

/* Nobody can tell what stands in the filters of a blinded set, but a word can be made several that
 * answer alike, which leaves room for more. */
static bool widen_gate(struct match_set *s, const struct match_gate *g, const struct key_counts *n,
                       struct err *e)
{
    size_t first = widened(&g->first, n->first), values = widened(&g->values, n->values);
    if (!match_gate_new(s, first, values, e))
        return false;
    for (size_t i = 0; i < first; i++)
        s->gate.first.words[i] = g->first.words[i / (first / g->first.count)];
    for (size_t i = 0; i < values; i++)
        s->gate.values.words[i] = g->values.words[i / (values / g->values.count)];
    s->gate.facts = g->facts;
    return true;
}

/* The gate with what is in the set below. */
static bool make_gate(struct match_set *s, struct err *e)
{
    struct key_counts n = {0, 0};
    const struct match_set *below = s->below;
    const struct match_gate *g = below != NULL ? &below->gate : NULL;
    if (s->builder->plain != NULL)
        return match_blind_gate(s, s->builder->plain, e);
    count_pending(s->builder, &n);
    if (g != NULL && g->facts.blind)
        return widen_gate(s, g, &n, e);
    if (g != NULL && fits(&g->first, n.first) && fits(&g->values, n.values)) {
        if (!match_gate_new(s, g->first.count, g->values.count, e))
            return false;
        memcpy(s->gate.first.words, g->first.words, g->first.count * sizeof(uint64_t));
        memcpy(s->gate.values.words, g->values.words, g->values.count * sizeof(uint64_t));
        s->gate.facts = g->facts;
        return true;
    }
    if (below != NULL)
        match_table_each(&below->table, count_value, &n);
    if (!match_gate_new(s, words_of(n.first), words_of(n.values), e))
        return false;
    if (below != NULL)
        match_table_each(&below->table, add_value, &s->gate);
    return true;
}

/* ---- sealing ------------------------------------------------------------------------------ */

/* Hashes the values and adds them to the gate while they stand in the order of their text. */
static void hash_values(struct match_set *s, uint64_t seed)
{
    unsigned char room[16];
    for (size_t i = 0; i < s->builder->value_count; i++) {
        struct match_row row = row_of(&s->builder->values[i]);
        struct match_value v = match_table_value(&s->table, &row, room);
        s->builder->values[i].hash = match_value_hash(seed, &v);
        match_gate_add(&s->gate, &v);
    }
    match_gate_list_prefixes(&s->gate);
}

static bool seal(struct sealing *g, struct err *e)
{
    struct match_set *s = g->s;
    struct match_builder *b = s->builder;
    size_t n = b->value_count;
    s->table.text = (const unsigned char *)b->text.p;
    s->table.text_n = b->text.n;
    g->spare = base_alloc(n * sizeof *g->spare);
    s->owned[0] = g->rows = base_alloc(n * sizeof *g->rows);
    if (g->spare == NULL || g->rows == NULL)
        return err_set(e, ERR_MEMORY, "no memory for the indicator set");
    if (!make_buckets(g, e) || !make_gate(s, e))
        return false;
    hash_values(s, s->gate.facts.seed);
    g->sorted = sort_pending(b->values, g->spare, n);
    if (!put_rows(g, e))
        return false;
    add_up_buckets(g);
    s->table.rows = g->rows;
    s->table.row_count = g->row_count;
    s->table.owners = g->owners;
    s->table.owner_count = g->owner_count;
    return put_places(s, e);
}

bool match_set_seal(struct match_set *s, struct err *e)
{
    must(s->builder != NULL);
    struct sealing g = {.s = s};
    if (!match_set_flatten(s, e))
        return false;
    if (s->below != NULL)
        s->gate.facts.seed = s->below->gate.facts.seed;
    else
        base_random(&s->gate.facts.seed, sizeof s->gate.facts.seed);
    bool ok = seal(&g, e);
    base_free(g.spare);
    s->owned[2] = g.owners;
    if (!ok)
        return false;
    struct match_builder *b = s->builder;
    s->owned[5] = b->text.p;
    base_free(b->values);
    base_free(b->places);
    base_free(b);
    s->builder = NULL;
    return true;
}
