/* The file of a set: writing, opening, checking. Its layout stands in match_priv.h. */
#include <stdatomic.h>

#include "match/match_priv.h"

#define PAGE    MATCH_PAGE
#define VERSION 3u /* one more: a blinded set. 1 and 2 knew no networks of IPv6 */
#define ORDER   0x01020304u
_Static_assert(sizeof(struct match_header) == 200 && sizeof(struct match_row) == 12 &&
                   sizeof(struct match_facts) % 8 == 0,
               "the file's structures have no padding");

/* ---- sums --------------------------------------------------------------------------------- */

uint64_t match_sum(const void *page, size_t n)
{
    const char *p = page;
    uint64_t h[4] = {1, 2, 3, n};
    must(n % 32 == 0);
    for (; n > 0; p += 32, n -= 32)
        for (size_t i = 0; i < 4; i++)
            h[i] = match_mix(h[i] ^ match_load(p + 8 * i), 0xa0761d6478bd642fu + 2 * i);
    return match_mix(h[0] ^ h[1] << 1, h[2] ^ h[3] << 1 ^ 0xe7037ed1a0b428dbu);
}

struct match_sums {
    struct str file;
    const uint64_t *sums;
    size_t page_count; /* those that have a sum */
    atomic_bool damaged;
    atomic_uint checked[]; /* a bit a page */
};

void match_sums_free(struct match_sums *s)
{
    base_free(s);
}

bool match_sums_damaged(const struct match_sums *s)
{
    return s != NULL && atomic_load_explicit(&s->damaged, memory_order_relaxed);
}

static bool page_ok(struct match_sums *s, size_t page)
{
    atomic_uint *bits = &s->checked[page / 32];
    unsigned bit = 1u << (page % 32);
    if (atomic_load_explicit(bits, memory_order_relaxed) & bit)
        return true;
    if (page >= s->page_count || match_sum(s->file.p + page * PAGE, PAGE) != s->sums[page]) {
        atomic_store_explicit(&s->damaged, true, memory_order_relaxed);
        return false;
    }
    atomic_fetch_or_explicit(bits, bit, memory_order_relaxed);
    return true;
}

bool match_sums_ok(struct match_sums *s, const void *p, size_t n)
{
    size_t at = (size_t)((const char *)p - s->file.p);
    for (size_t page = at / PAGE; n > 0 && page <= (at + n - 1) / PAGE; page++)
        if (!page_ok(s, page))
            return false;
    return true;
}

/* ---- writing ------------------------------------------------------------------------------ */

static uint64_t padded(uint64_t n)
{
    return (n + PAGE - 1) / PAGE * PAGE;
}

static uint64_t header_sum(const struct match_header *h)
{
    _Static_assert(offsetof(struct match_header, sum) == 192, "a multiple of 32");
    return match_sum(h, offsetof(struct match_header, sum));
}

static void list_sections(const struct match_set *s, struct str out[MATCH_SECTIONS])
{
    const struct match_table *t = &s->table;
#define PART(p, count) ((struct str){(const char *)(p), (count) * sizeof *(p)})
    out[MATCH_FACTS] = PART(&s->gate.facts, 1);
    out[MATCH_FIRST] = PART(s->gate.first.words, s->gate.first.count);
    out[MATCH_VALUES] = PART(s->gate.values.words, s->gate.values.count);
    out[MATCH_BUCKETS] = PART(t->buckets, ((size_t)1 << t->bucket_bits) + 1);
    out[MATCH_ROWS] = PART(t->rows, t->row_count);
    out[MATCH_OWNERS] = PART(t->owners, t->owner_count);
    out[MATCH_INDICATORS] = PART(t->indicators, t->indicator_count);
    out[MATCH_WRAPS] = PART(t->wraps, t->wrap_count);
    out[MATCH_TEXT] = PART(t->text, t->text_n);
#undef PART
}

/* The sums of a section's pages; what is left of the last is zero. Returns where to go on. */
static uint64_t *sum_section(struct str part, uint64_t *sums)
{
    char last[PAGE] = {0};
    for (; part.n >= PAGE; part = str_from(part, PAGE))
        *sums++ = match_sum(part.p, PAGE);
    if (part.n > 0) {
        memcpy(last, part.p, part.n);
        *sums++ = match_sum(last, PAGE);
    }
    return sums;
}

/* Parts of the file: the header's page, then each section and what fills its last page. */
static bool write_parts(const struct str sections[MATCH_SECTIONS], struct match_header *h,
                        const char *path, struct err *e)
{
    static const char zeros[PAGE];
    struct str parts[2 + 2 * MATCH_SECTIONS];
    size_t n = 0;
    parts[n++] = (struct str){(const char *)h, sizeof *h};
    parts[n++] = (struct str){zeros, PAGE - sizeof *h};
    for (size_t i = 0; i < MATCH_SECTIONS; i++) {
        parts[n++] = sections[i];
        parts[n++] = (struct str){zeros, (size_t)(padded(sections[i].n) - sections[i].n)};
    }
    return file_write_parts(path, parts, n, 0644, e);
}

bool match_set_write(const struct match_set *s, const char *path, struct err *e)
{
    struct match_header h = {
        .magic = MATCH_MAGIC, .version = VERSION + (s->gate.facts.blind != 0), .order = ORDER};
    struct str sections[MATCH_SECTIONS] = {{NULL, 0}};
    must(s->builder == NULL && s->below == NULL);
    list_sections(s, sections);
    uint64_t at = PAGE;
    for (size_t i = 0; i < MATCH_SUMS; i++) {
        h.sections[i].at = at;
        h.sections[i].n = sections[i].n;
        at += padded(sections[i].n);
    }
    /* The header's page has no sum of its own here; its place keeps the pages' numbers simple. */
    size_t room = (size_t)padded(at / PAGE * sizeof(uint64_t));
    uint64_t *sums = base_alloc(room), *next = sums + 1;
    if (sums == NULL)
        return err_set(e, ERR_MEMORY, "no memory to write %s", path);
    for (size_t i = 0; i < MATCH_SUMS; i++)
        next = sum_section(sections[i], next);
    must((size_t)(next - sums) == at / PAGE);
    sections[MATCH_SUMS] = (struct str){(const char *)sums, (size_t)(next - sums) * sizeof *sums};
    h.sections[MATCH_SUMS].at = at;
    h.sections[MATCH_SUMS].n = sections[MATCH_SUMS].n;
    h.file_bytes = at + padded(sections[MATCH_SUMS].n);
    h.sums_sum = match_sum(sums, room);
    h.sum = header_sum(&h);
    bool ok = write_parts(sections, &h, path, e);
    base_free(sums);
    return ok;
}

/* ---- opening ------------------------------------------------------------------------------ */

bool match_is_set(struct str head)
{
    return str_starts(head, STR(MATCH_MAGIC));
}

static bool wrong(struct err *e, const char *path, const char *why)
{
    return err_set(e, ERR_INVALID, "%s: %s: compile it again", path, why);
}

static bool check_header(struct str file, const struct match_header *h, const char *path,
                         struct err *e)
{
    if (!match_is_set(file) || file.n < PAGE)
        return err_set(e, ERR_INVALID, "%s: no indicator set", path);
    if (h->order != ORDER || (h->version != VERSION && h->version != VERSION + 1))
        return wrong(e, path, "an indicator set of another version or kind of computer");
    if (h->sum != header_sum(h) || h->file_bytes != file.n)
        return wrong(e, path, "the indicator set is damaged or not complete");
    return true;
}

/* In order, each from a page on, none beyond the file; sizes that their parts divide. */
static bool check_sections(const struct match_header *h)
{
    static const uint64_t parts[MATCH_SECTIONS] = {
        sizeof(struct match_facts), 8, 8, 4, sizeof(struct match_row), 4, 4, 4, 1, 8};
    uint64_t at = PAGE;
    for (size_t i = 0; i < MATCH_SECTIONS; i++) {
        uint64_t n = h->sections[i].n;
        if (h->sections[i].at != at || n > h->file_bytes || n % parts[i] != 0)
            return false;
        at += padded(n);
        if (at > h->file_bytes)
            return false;
    }
    uint64_t buckets = h->sections[MATCH_BUCKETS].n / 4 - 1;
    return at == h->file_bytes && h->sections[MATCH_FACTS].n == sizeof(struct match_facts) &&
           h->sections[MATCH_FIRST].n > 0 && h->sections[MATCH_VALUES].n > 0 &&
           h->sections[MATCH_FIRST].n < (uint64_t)8 << 32 &&
           h->sections[MATCH_VALUES].n < (uint64_t)8 << 32 && h->sections[MATCH_BUCKETS].n >= 12 &&
           (buckets & (buckets - 1)) == 0 && buckets <= (uint64_t)1 << 32 &&
           h->sections[MATCH_ROWS].n / 12 < MATCH_NONE &&
           h->sections[MATCH_INDICATORS].n / 4 < MATCH_NONE &&
           h->sections[MATCH_WRAPS].n / 4 < (uint64_t)1 << (MATCH_TEXT_BITS - 32) &&
           h->sections[MATCH_SUMS].n == h->sections[MATCH_SUMS].at / PAGE * 8;
}

static struct match_sums *sums_new(struct str file, const struct match_header *h)
{
    size_t pages = (size_t)h->sections[MATCH_SUMS].at / PAGE;
    struct match_sums *s = base_alloc(sizeof *s + (pages / 32 + 1) * sizeof *s->checked);
    const char *at = file.p + h->sections[MATCH_SUMS].at;
    if (s == NULL)
        return NULL;
    s->file = file;
    s->sums = (const uint64_t *)(const void *)at;
    s->page_count = pages;
    return s;
}

static void point_table(struct match_table *t, struct str file, const struct match_header *h)
{
#define AT(i) ((const void *)(file.p + h->sections[i].at))
    t->rows = AT(MATCH_ROWS);
    t->row_count = h->sections[MATCH_ROWS].n / sizeof *t->rows;
    t->buckets = AT(MATCH_BUCKETS);
    for (uint64_t n = h->sections[MATCH_BUCKETS].n / 4 - 1; n > 1; n /= 2)
        t->bucket_bits++;
    t->owners = AT(MATCH_OWNERS);
    t->owner_count = h->sections[MATCH_OWNERS].n / 4;
    t->text = AT(MATCH_TEXT);
    t->text_n = h->sections[MATCH_TEXT].n;
    t->indicators = AT(MATCH_INDICATORS);
    t->indicator_count = h->sections[MATCH_INDICATORS].n / 4;
    t->wraps = AT(MATCH_WRAPS);
    t->wrap_count = h->sections[MATCH_WRAPS].n / 4;
#undef AT
}

/* The filters are read for every byte of a log: they are copied to memory of large pages. */
static bool copy_gate(struct match_set *s, const struct match_header *h, struct err *e)
{
    struct match_gate *g = &s->gate;
    const char *p = s->mapped.p;
    if (!match_gate_new(s, h->sections[MATCH_FIRST].n / 8, h->sections[MATCH_VALUES].n / 8, e))
        return false;
    memcpy(&g->facts, p + h->sections[MATCH_FACTS].at, sizeof g->facts);
    memcpy(g->first.words, p + h->sections[MATCH_FIRST].at, h->sections[MATCH_FIRST].n);
    memcpy(g->values.words, p + h->sections[MATCH_VALUES].at, h->sections[MATCH_VALUES].n);
    match_gate_list_prefixes(g);
    return true;
}

static bool open_mapped(struct match_set *s, const char *path, struct err *e)
{
    struct str file = s->mapped;
    const struct match_header *h = (const void *)file.p;
    if (!check_header(file, h, path, e))
        return false;
    if (!check_sections(h) || match_sum(file.p + h->sections[MATCH_SUMS].at,
                                        padded(h->sections[MATCH_SUMS].n)) != h->sums_sum)
        return wrong(e, path, "the indicator set is damaged");
    s->table.sums = sums_new(file, h);
    if (s->table.sums == NULL)
        return err_set(e, ERR_MEMORY, "no memory to open %s", path);
    size_t end = h->sections[MATCH_BUCKETS].at - PAGE;
    if (!match_sums_ok(s->table.sums, file.p + PAGE, end))
        return wrong(e, path, "the indicator set is damaged");
    point_table(&s->table, file, h);
    if (!copy_gate(s, h, e))
        return false;
    return s->gate.facts.blind == h->version - VERSION ||
           wrong(e, path, "the indicator set is damaged");
}

bool match_set_open(const char *path, struct match_set **out, struct err *e)
{
    struct match_set *s = base_alloc(sizeof *s);
    if (s == NULL)
        return err_set(e, ERR_MEMORY, "no memory to open %s", path);
    if (!file_map(path, &s->mapped, e) || !open_mapped(s, path, e)) {
        match_set_free(s);
        return false;
    }
    *out = s;
    return true;
}
