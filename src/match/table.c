/*
 * Look-ups in the tables of a sealed set. They may be those of a file that somebody else wrote, so
 * every number is checked before it is used, and every page before it is read.
 */
#include "match/match_priv.h"

static bool readable(const struct match_table *t, const void *p, size_t n)
{
    return t->sums == NULL || match_sums_ok(t->sums, p, n);
}

/* ---- text --------------------------------------------------------------------------------- */

/* Reading of text with a sticky error. */
struct cursor {
    const struct match_table *t;
    size_t at;
    bool bad;
};

static const unsigned char *take(struct cursor *c, size_t n)
{
    if (c->bad || c->at > c->t->text_n || n > c->t->text_n - c->at ||
        !readable(c->t, c->t->text + c->at, n)) {
        c->bad = true;
        return NULL;
    }
    c->at += n;
    return c->t->text + c->at - n;
}

static uint64_t take_number(struct cursor *c, size_t bytes)
{
    const unsigned char *p = take(c, bytes);
    uint64_t v = 0;
    for (size_t i = bytes; p != NULL && i > 0; i--)
        v = v << 8 | p[i - 1];
    return v;
}

static struct str take_string(struct cursor *c)
{
    uint64_t n = 0;
    const unsigned char *p;
    unsigned shift = 0;
    do {
        p = take(c, 1);
        if (p == NULL || shift > 28) {
            c->bad = true;
            return STR_NONE;
        }
        n |= (uint64_t)(*p & 0x7f) << shift;
        shift += 7;
    } while (*p & 0x80);
    p = take(c, n);
    return p == NULL || n == 0 ? STR_NONE : (struct str){(const char *)p, n};
}

/* ---- values ------------------------------------------------------------------------------- */

static uint64_t key_place(const struct match_row *r)
{
    return (uint64_t)r->key_high << 32 | r->key;
}

struct match_value match_table_value(const struct match_table *t, const struct match_row *r,
                                     unsigned char room[16])
{
    struct match_value v = {.kind = r->kind & 0x7f};
    struct cursor c = {.t = t, .at = key_place(r)};
    if (v.kind > MATCH_KIND_BLIND)
        return (struct match_value){0};
    if (v.kind == OBSERVABLE_IPV4) {
        for (size_t i = 0; i < 4; i++)
            room[i] = (unsigned char)(r->key >> (24 - 8 * i));
        v.prefix = r->key_high;
        v.key = (struct str){(const char *)room, v.prefix > 32 ? 0 : 4};
    } else if (v.kind == OBSERVABLE_IPV6) {
        const unsigned char *p = take(&c, 17);
        if (p != NULL && p[0] <= 128) {
            v.prefix = p[0];
            memcpy(room, p + 1, 16);
            v.key = (struct str){(const char *)room, 16};
        }
    } else {
        v.key = take_string(&c);
        /* Of hashes and MACs so much is read. */
        if (v.kind >= OBSERVABLE_MD5 && v.key.n < MATCH_PLACE_BYTES)
            v.key.n = 0;
    }
    return v;
}

static bool same(const struct match_value *a, const struct match_value *b)
{
    return a->kind == b->kind && a->prefix == b->prefix && a->key.n == b->key.n &&
           memcmp(a->key.p, b->key.p, a->key.n) == 0;
}

const struct match_row *match_table_find(const struct match_table *t, uint64_t hash,
                                         const struct match_value *v)
{
    unsigned char room[16];
    if (t->row_count == 0)
        return NULL;
    const uint32_t *bucket = t->buckets + (hash >> (64 - t->bucket_bits));
    if (!readable(t, bucket, 2 * sizeof *bucket))
        return NULL;
    uint32_t first = bucket[0], end = bucket[1];
    if (first > end || end > t->row_count || end - first > MATCH_BUCKET_ROWS ||
        !readable(t, t->rows + first, (end - first) * sizeof *t->rows))
        return NULL;
    for (const struct match_row *r = t->rows + first; r < t->rows + end; r++) {
        if (r->tag != (uint16_t)hash || (r->kind & 0x7f) != v->kind)
            continue;
        struct match_value its = match_table_value(t, r, room);
        if (its.key.n > 0 && same(&its, v))
            return r;
    }
    return NULL;
}

struct match_owners match_table_owners(const struct match_table *t, const struct match_row *r)
{
    if (!(r->kind & MATCH_ROW_LIST))
        return (struct match_owners){&r->owner, 1};
    const uint32_t *p = t->owners + r->owner;
    if (r->owner >= t->owner_count || !readable(t, p, sizeof *p) ||
        *p >= t->owner_count - r->owner || !readable(t, p + 1, *p * sizeof *p))
        return (struct match_owners){NULL, 0};
    return (struct match_owners){p + 1, *p};
}

bool match_table_each(const struct match_table *t, match_value_fn *each, void *ctx)
{
    unsigned char room[16];
    for (size_t i = 0; i < t->row_count; i++) {
        if (!readable(t, t->rows + i, sizeof *t->rows))
            continue;
        struct match_value v = match_table_value(t, t->rows + i, room);
        if (v.key.n > 0 && !each(ctx, t->rows + i, &v))
            return false;
    }
    return true;
}

/* ---- indicators --------------------------------------------------------------------------- */

static bool read_common(const struct match_table *t, size_t at, struct match_indicator *out)
{
    struct cursor c = {.t = t, .at = at};
    out->tlp = take_string(&c);
    out->labels = take_string(&c);
    out->marks = take_string(&c);
    return !c.bad;
}

bool match_table_indicator(const struct match_table *t, uint32_t number,
                           struct match_indicator *out)
{
    struct match_indicator i = {.from_us = INT64_MIN, .until_us = INT64_MAX};
    struct cursor c = {.t = t};
    if (number >= t->indicator_count || !readable(t, t->indicators + number, sizeof(uint32_t)))
        return false;
    uint64_t high = 0;
    while (high < t->wrap_count && readable(t, t->wraps + high, sizeof(uint32_t)) &&
           t->wraps[high] <= number)
        high++;
    c.at = (size_t)(high << 32 | t->indicators[number]);
    uint64_t flags = take_number(&c, 1);
    i.id = take_string(&c);
    if (flags & MATCH_RECORD_NAME)
        i.name = take_string(&c);
    if (flags & MATCH_RECORD_FROM)
        i.from_us = (int64_t)take_number(&c, 8);
    if (flags & MATCH_RECORD_UNTIL)
        i.until_us = (int64_t)take_number(&c, 8);
    i.stix = (flags & MATCH_RECORD_STIX) != 0;
    if (i.stix)
        i.version_us = (int64_t)take_number(&c, 8);
    uint64_t common = flags & MATCH_RECORD_COMMON ? take_number(&c, 5) : 0;
    if (c.bad || flags & ~(uint64_t)MATCH_RECORD_KNOWN ||
        (flags & MATCH_RECORD_COMMON && !read_common(t, common, &i)))
        return false;
    *out = i;
    return true;
}
