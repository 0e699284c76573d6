/* Building a set, laying one over another, and what a sealed set answers. */
#include "crypt/crypt.h"
#include "match/match_priv.h"

struct match_set *match_set_new(void)
{
    struct match_set *s = base_alloc(sizeof *s);
    if (s == NULL)
        return NULL;
    s->builder = base_alloc(sizeof *s->builder);
    if (s->builder == NULL) {
        base_free(s);
        return NULL;
    }
    buf_byte(&s->builder->text, 0); /* so that no place is 0 */
    return s;
}

static void builder_free(struct match_builder *b)
{
    if (b == NULL)
        return;
    base_free(b->values);
    base_free(b->places);
    buf_done(&b->text);
    base_free(b);
}

void match_set_free(struct match_set *s)
{
    if (s == NULL)
        return;
    builder_free(s->builder);
    arena_free(s->silence.text);
    base_free(s->silence.ids);
    base_pages_free(s->gate.first.words, s->gate.first.count * sizeof(uint64_t));
    base_pages_free(s->gate.values.words, s->gate.values.count * sizeof(uint64_t));
    match_sums_free(s->table.sums);
    for (size_t i = 0; i < sizeof s->owned / sizeof *s->owned; i++)
        base_free(s->owned[i]);
    file_unmap(s->mapped);
    match_blind_free(s->blind);
    base_free(s);
}

static bool no_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "no memory for the indicator set");
}

/* ---- text --------------------------------------------------------------------------------- */

static void put_number(struct buf *b, uint64_t v, size_t bytes)
{
    for (; bytes > 0; bytes--, v >>= 8)
        buf_byte(b, (char)v);
}

static void put_string(struct buf *b, struct str s)
{
    size_t n = s.n;
    for (; n > 0x7f; n >>= 7)
        buf_byte(b, (char)(n | 0x80));
    buf_byte(b, (char)n);
    buf_str(b, s);
}

static bool text_ok(const struct match_builder *b, struct err *e)
{
    if (b->text.failed)
        return no_memory(e);
    if (b->text.n >> MATCH_TEXT_BITS != 0)
        return err_set(e, ERR_LIMIT, "more text than an indicator set can hold");
    return true;
}

/* ---- indicators --------------------------------------------------------------------------- */

/* tlp, labels and marks, once for all indicators in sequence that have the same. */
static void put_common(struct match_builder *b, const struct match_indicator *i)
{
    size_t at = b->text.n;
    put_string(&b->text, i->tlp);
    put_string(&b->text, i->labels);
    put_string(&b->text, i->marks);
    if (b->text.failed)
        return;
    struct str now = {b->text.p + at, b->text.n - at};
    struct str before = {b->text.p + b->common_at, b->common_n};
    if (b->common_at > 0 && str_eq(now, before)) {
        b->text.n = at;
        return;
    }
    b->common_at = at;
    b->common_n = now.n;
}

bool match_set_indicator(struct match_set *s, const struct match_indicator *i, uint32_t *index,
                         struct err *e)
{
    struct match_builder *b = s->builder;
    must(b != NULL);
    void *places = b->places;
    if (b->place_count >= MATCH_NONE - 1)
        return err_set(e, ERR_LIMIT, "more than %u indicators", MATCH_NONE - 1);
    if (!base_grow(&places, &b->place_room, b->place_count + 1, sizeof *b->places))
        return no_memory(e);
    b->places = places;
    bool common = i->tlp.n > 0 || i->labels.n > 0 || i->marks.n > 0;
    if (common)
        put_common(b, i);
    b->places[b->place_count] = b->text.n;
    buf_byte(&b->text,
             (char)((i->name.n > 0 ? MATCH_RECORD_NAME : 0) |
                    (i->from_us != INT64_MIN ? MATCH_RECORD_FROM : 0) |
                    (i->until_us != INT64_MAX ? MATCH_RECORD_UNTIL : 0) |
                    (i->stix ? MATCH_RECORD_STIX : 0) | (common ? MATCH_RECORD_COMMON : 0)));
    b->id_at = b->text.n;
    put_string(&b->text, i->id);
    b->id_n = i->id.n;
    if (i->name.n > 0)
        put_string(&b->text, i->name);
    if (i->from_us != INT64_MIN)
        put_number(&b->text, (uint64_t)i->from_us, 8);
    if (i->until_us != INT64_MAX)
        put_number(&b->text, (uint64_t)i->until_us, 8);
    if (i->stix)
        put_number(&b->text, (uint64_t)i->version_us, 8);
    if (common)
        put_number(&b->text, b->common_at, 5);
    if (!text_ok(b, e))
        return false;
    *index = (uint32_t)b->place_count++;
    return true;
}

/* ---- values ------------------------------------------------------------------------------- */

/* Where the key lies: in the id of the indicator, or behind all else. */
static uint64_t put_key(struct match_builder *b, uint32_t index, const struct match_value *v)
{
    uint64_t a = 0;
    if (v->kind == OBSERVABLE_IPV4) {
        for (size_t i = 0; i < 4; i++)
            a = a << 8 | (unsigned char)v->key.p[i];
        return a;
    }
    if (v->kind != OBSERVABLE_IPV6 && index + 1 == b->place_count && v->key.n == b->id_n) {
        size_t bytes = v->key.n > 0x3fff ? 3 : v->key.n > 0x7f ? 2 : 1;
        if (memcmp(b->text.p + b->id_at + bytes, v->key.p, v->key.n) == 0)
            return b->id_at;
    }
    a = b->text.n;
    if (v->kind == OBSERVABLE_IPV6) {
        buf_byte(&b->text, (char)v->prefix);
        buf_str(&b->text, v->key);
    } else {
        put_string(&b->text, v->key);
    }
    return a;
}

bool match_put_value(struct match_set *s, uint32_t index, const struct match_value *v,
                     struct err *e)
{
    struct match_builder *b = s->builder;
    void *values = b->values;
    if (v->key.n == 0 || v->key.n > UINT16_MAX)
        return err_set(e, ERR_LIMIT, "a value of %zu bytes", v->key.n);
    if (b->value_count >= MATCH_NONE - 1)
        return err_set(e, ERR_LIMIT, "more than %u values", MATCH_NONE - 1);
    if (!base_grow(&values, &b->value_room, b->value_count + 1, sizeof *b->values))
        return no_memory(e);
    b->values = values;
    b->values[b->value_count++] = (struct match_pending){.key = put_key(b, index, v),
                                                         .owner = index,
                                                         .kind = (uint8_t)v->kind,
                                                         .prefix = (uint8_t)v->prefix};
    return text_ok(b, e);
}

bool match_set_value(struct match_set *s, uint32_t index, const struct observable *o, struct err *e)
{
    must(s->builder != NULL && index < s->builder->place_count &&
         (unsigned)o->kind < OBSERVABLE_KINDS);
    struct match_value v = {.kind = o->kind, .key = match_key(o)};
    if (o->kind == OBSERVABLE_IPV4 || o->kind == OBSERVABLE_IPV6)
        v.prefix = o->prefix;
    return match_put_value(s, index, &v, e);
}

/* ---- copying ------------------------------------------------------------------------------ */

struct copying {
    struct match_set *to;
    const struct match_table *from;
    uint32_t *numbers; /* of each indicator in `to`, or MATCH_NONE */
    struct err *e;
};

static bool copy_value(void *ctx, const struct match_row *r, const struct match_value *v)
{
    struct copying *c = ctx;
    struct match_owners o = match_table_owners(c->from, r);
    for (size_t i = 0; i < o.n; i++)
        if (o.p[i] < c->from->indicator_count && c->numbers[o.p[i]] != MATCH_NONE &&
            !match_put_value(c->to, c->numbers[o.p[i]], v, c->e))
            return false;
    return true;
}

/* The indicators of a table but those that `over`, if not NULL, silences. */
static bool copy_table(struct match_set *s, const struct match_table *t,
                       const struct match_set *over, struct err *e)
{
    struct copying c = {s, t, base_alloc(t->indicator_count * sizeof(uint32_t)), e};
    bool ok = c.numbers != NULL || no_memory(e);
    for (uint32_t i = 0; i < t->indicator_count && ok; i++) {
        struct match_indicator x;
        c.numbers[i] = MATCH_NONE;
        if (match_table_indicator(t, i, &x) && (over == NULL || !match_silent(over, x.id)))
            ok = match_set_indicator(s, &x, &c.numbers[i], e);
    }
    ok = ok && match_table_each(t, copy_value, &c);
    base_free(c.numbers);
    return ok;
}

bool match_set_copy(struct match_set *s, const struct match_set *from, struct err *e)
{
    must(s->builder != NULL && from->builder == NULL);
    if (match_set_blinded(from))
        return err_set(e, ERR_INVALID,
                       "a blinded set cannot be made part of another: its values "
                       "are not in it; name it beside the other");
    if (from->below != NULL && !copy_table(s, &from->below->table, from, e))
        return false;
    return copy_table(s, &from->table, NULL, e);
}

/* ---- one over the other -------------------------------------------------------------------- */

static struct str *silence_slot(const struct match_silence *q, struct str id)
{
    size_t at = str_hash(id, 0) & q->mask;
    while (q->ids[at].p != NULL && !str_eq(q->ids[at], id))
        at = (at + 1) & q->mask;
    return &q->ids[at];
}

bool match_silent(const struct match_set *s, struct str id)
{
    return s->silence.count > 0 && silence_slot(&s->silence, id)->p != NULL;
}

/* Keeps the table at most half full. */
static bool silence_room(struct match_silence *q, struct err *e)
{
    size_t size = q->ids == NULL ? 0 : q->mask + 1;
    if (q->text == NULL && (q->text = arena_new(LIMIT_ARENA_FILE_BYTES)) == NULL)
        return no_memory(e);
    if ((q->count + 1) * 2 <= size)
        return true;
    struct match_silence grown = *q;
    grown.mask = (size == 0 ? 64 : size * 2) - 1;
    grown.ids = base_alloc((grown.mask + 1) * sizeof *grown.ids);
    if (grown.ids == NULL)
        return no_memory(e);
    for (size_t i = 0; i < size; i++)
        if (q->ids[i].p != NULL)
            *silence_slot(&grown, q->ids[i]) = q->ids[i];
    base_free(q->ids);
    *q = grown;
    return true;
}

bool match_set_silence(struct match_set *s, struct str id, struct err *e)
{
    struct match_silence *q = &s->silence;
    must(s->builder != NULL);
    if (id.n == 0)
        return true;
    if (!silence_room(q, e))
        return false;
    struct str *slot = silence_slot(q, id);
    if (slot->p != NULL)
        return true;
    *slot = arena_str(q->text, id);
    q->count += slot->p != NULL;
    return slot->p != NULL || no_memory(e);
}

void match_set_over(struct match_set *s, const struct match_set *base)
{
    must(s->builder != NULL && s->below == NULL && base->builder == NULL);
    s->below = base;
}

/* Puts the values from `first` on before the others: a value's indicators are told in order. */
static bool rotate(struct match_builder *b, size_t first, struct err *e)
{
    size_t bytes = first * sizeof *b->values, rest = b->value_count - first;
    struct match_pending *moved = base_alloc(bytes);
    if (moved == NULL)
        return no_memory(e);
    if (first > 0 && rest > 0) {
        memcpy(moved, b->values, bytes);
        memmove(b->values, b->values + first, rest * sizeof *b->values);
        memcpy(b->values + rest, moved, bytes);
    }
    base_free(moved);
    return true;
}

/* What the set below added and silenced itself is taken over, when all that is silenced here is
 * known. */
bool match_set_flatten(struct match_set *s, struct err *e)
{
    const struct match_set *base = s->below;
    size_t first = s->builder->value_count;
    if (base == NULL || base->below == NULL)
        return true;
    if (!copy_table(s, &base->table, s, e) || !rotate(s->builder, first, e))
        return false;
    for (size_t i = 0; base->silence.ids != NULL && i <= base->silence.mask; i++)
        if (base->silence.ids[i].p != NULL && !match_set_silence(s, base->silence.ids[i], e))
            return false;
    s->below = base->below;
    return true;
}

/* ---- asking ------------------------------------------------------------------------------- */

size_t match_set_values(const struct match_set *s)
{
    return s->table.row_count + (s->below != NULL ? s->below->table.row_count : 0);
}

size_t match_set_indicators(const struct match_set *s)
{
    size_t own = s->builder != NULL ? s->builder->place_count : s->table.indicator_count;
    return own + (s->below != NULL ? s->below->table.indicator_count : 0);
}

struct match_indicator match_set_get(const struct match_set *s, uint32_t index)
{
    struct match_indicator i = {.from_us = INT64_MAX, .until_us = INT64_MIN};
    must(s->builder == NULL && index < match_set_indicators(s));
    size_t own = s->table.indicator_count;
    bool ok = index < own ? match_table_indicator(&s->table, index, &i)
                          : match_table_indicator(&s->below->table, index - (uint32_t)own, &i);
    (void)ok; /* it stays empty */
    return i;
}

bool match_set_damaged(const struct match_set *s)
{
    return match_sums_damaged(s->table.sums) ||
           (s->below != NULL && match_sums_damaged(s->below->table.sums));
}

/* Goes through those of one table. */
struct telling {
    const struct match_set *over; /* whose silence counts, or NULL */
    const struct match_table *table;
    uint32_t offset;
    match_owner_fn *each;
    void *ctx;
};

static bool each_owner(const struct telling *t, const struct match_row *r)
{
    struct match_indicator i;
    struct match_owners o = match_table_owners(t->table, r);
    for (size_t k = 0; k < o.n; k++)
        if (match_table_indicator(t->table, o.p[k], &i) &&
            (t->over == NULL || !match_silent(t->over, i.id)) &&
            !t->each(t->ctx, o.p[k] + t->offset, &i))
            return false;
    return true;
}

static bool stop(void *ctx, uint32_t number, const struct match_indicator *i)
{
    (void)ctx;
    (void)number;
    (void)i;
    return false;
}

/* A blinded table costs a MAC, behind the filters. */
static const struct match_row *find_in(const struct match_table *t, uint64_t hash,
                                       const struct match_value *v)
{
    unsigned char mac[CRYPT_SHA256_BYTES];
    if (t->blind == NULL)
        return match_table_find(t, hash, v);
    struct match_value blind = match_blind_value(t->blind, v, mac);
    return match_table_find(t, match_value_hash(0, &blind), &blind);
}

bool match_set_find(const struct match_set *s, uint64_t hash, const struct match_value *v,
                    struct match_found *out)
{
    *out = (struct match_found){.own = find_in(&s->table, hash, v)};
    if (s->below != NULL)
        out->below = find_in(&s->below->table, hash, v);
    if (out->below != NULL && s->silence.count > 0) {
        struct telling t = {.over = s, .table = &s->below->table, .each = stop};
        if (each_owner(&t, out->below))
            out->below = NULL;
    }
    return out->own != NULL || out->below != NULL;
}

bool match_set_owners(const struct match_set *s, const struct match_found *f, match_owner_fn *each,
                      void *ctx)
{
    struct telling t = {.table = &s->table, .each = each, .ctx = ctx};
    struct telling below = {.over = s, .each = each, .ctx = ctx};
    below.offset = (uint32_t)s->table.indicator_count;
    if (f->below != NULL) {
        below.table = &s->below->table;
        if (!each_owner(&below, f->below))
            return false;
    }
    return f->own == NULL || each_owner(&t, f->own);
}
