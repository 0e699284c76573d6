#include "ledger/ledger.h"

#include <string.h>

#include "ledger/ledger_priv.h"

enum { TILE_HEIGHT = 8, LEVELS = 8 }; /* 63 bits of leaves */

/* ---- recomputing ---- */

struct ledger_audit {
    ledger_tile_seen_fn *seen;
    void *ctx;
    uint64_t size;
    struct {
        uint64_t tiles; /* full ones that were told */
        unsigned width;
        struct ledger_hash hashes[LEDGER_TILE_WIDTH];
    } level[LEVELS];
};

struct ledger_audit *ledger_audit_new(ledger_tile_seen_fn *seen, void *ctx)
{
    struct ledger_audit *a = base_alloc(sizeof *a);
    if (a) {
        a->seen = seen;
        a->ctx = ctx;
    }
    return a;
}

void ledger_audit_free(struct ledger_audit *a)
{
    base_free(a);
}

static bool tell(struct ledger_audit *a, unsigned level, struct err *e)
{
    struct ledger_tile t = {level, a->level[level].tiles, a->level[level].width};
    return a->seen(a->ctx, &t, a->level[level].hashes, e);
}

bool ledger_audit_leaf(struct ledger_audit *a, const struct ledger_hash *leaf, struct err *e)
{
    struct ledger_hash h = *leaf;
    must(a->size < LIMIT_LEDGER_LEAVES);
    a->size++;
    for (unsigned l = 0;; l++) {
        a->level[l].hashes[a->level[l].width++] = h;
        if (a->level[l].width < LEDGER_TILE_WIDTH)
            return true;
        if (!tell(a, l, e))
            return false;
        ledger_full_root(a->level[l].hashes, LEDGER_TILE_WIDTH, &h);
        a->level[l].width = 0;
        a->level[l].tiles++;
    }
}

/* From the right: each level's last tile holds the subtrees that are smaller than one of its own.
 */
bool ledger_audit_end(struct ledger_audit *a, struct ledger_head *out, struct err *e)
{
    struct ledger_tree t = {.size = a->size};
    size_t n = 0;
    for (unsigned l = 0; l < LEVELS; l++)
        if (a->level[l].width && !tell(a, l, e))
            return false;
    for (unsigned l = LEVELS; l-- > 0;) {
        const struct ledger_hash *h = a->level[l].hashes;
        for (unsigned bit = LEDGER_TILE_WIDTH / 2; bit > 0; bit /= 2) {
            if (!(a->level[l].width & bit))
                continue;
            ledger_full_root(h, bit, &t.edge[n++]);
            h += bit;
        }
    }
    ledger_tree_head(&t, out);
    return true;
}

/* ---- records at a glance ---- */

struct cursor {
    const char *p, *end;
};

static bool take_byte(struct cursor *c, char byte)
{
    if (c->p == c->end || *c->p != byte)
        return false;
    c->p++;
    return true;
}

/* The string behind an opening quote, as it stands there: up to the quote that no backslash
 * precedes. */
static bool take_string(struct cursor *c, struct str *out)
{
    const char *start = c->p, *p = start;
    while (p < c->end) {
        const char *quote = memchr(p, '"', (size_t)(c->end - p));
        const char *escape = quote ? memchr(p, '\\', (size_t)(quote - p)) : NULL;
        if (!quote)
            return false;
        if (!escape) {
            *out = (struct str){start, (size_t)(quote - start)};
            c->p = quote + 1;
            return true;
        }
        p = escape + 2;
    }
    return false;
}

static bool take_number(struct cursor *c, uint64_t *out)
{
    struct str digits = {c->p, 0};
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
        c->p++;
    digits.n = (size_t)(c->p - digits.p);
    return str_to_u64(digits, out) && (digits.n == 1 || digits.p[0] != '0');
}

static const struct str field_names[] = {
#define X(name, text, form) {text, sizeof text - 1},
    LEDGER_FIELDS(X)
#undef X
};

static const struct str kind_names[] = {
#define X(name, text, needs, may) {text, sizeof text - 1},
    LEDGER_KINDS(X)
#undef X
};

/* The name of a field behind `after`, for they stand in order, with its quotes and its colon. */
static bool take_name(struct cursor *c, int after, int *out)
{
    size_t left = (size_t)(c->end - c->p);
    for (int f = after + 1; f < LEDGER_FIELD_COUNT; f++) {
        struct str name = field_names[f];
        if (left > name.n + 2 && c->p[1] == name.p[0] && c->p[0] == '"' &&
            memcmp(c->p + 1, name.p, name.n) == 0 && c->p[name.n + 1] == '"' &&
            c->p[name.n + 2] == ':') {
            c->p += name.n + 3;
            *out = f;
            return true;
        }
    }
    return false;
}

bool ledger_record_scan(struct str json, struct ledger_record *out)
{
    struct ledger_record r = {0};
    struct cursor c = {json.p, json.p + json.n};
    int f = -1;
    size_t kind = 0;
    bool ok = take_byte(&c, '{');
    while (ok && (f < 0 || take_byte(&c, ','))) {
        ok = take_name(&c, f, &f) &&
             (take_byte(&c, '"') ? take_string(&c, &r.text[f]) : take_number(&c, &r.number[f]));
        r.fields |= ok ? (uint32_t)1 << f : 0;
    }
    ok = ok && take_byte(&c, '}') && c.p == c.end;
    while (ok && kind < LEDGER_KIND_COUNT && !str_eq(r.text[LEDGER_KIND], kind_names[kind]))
        kind++;
    ok = ok && kind < LEDGER_KIND_COUNT &&
         (r.fields & ledger_kind_needs((enum ledger_kind)kind)) ==
             ledger_kind_needs((enum ledger_kind)kind) &&
         !(r.fields & ~ledger_kind_allows((enum ledger_kind)kind));
    r.kind = (enum ledger_kind)kind;
    if (ok)
        *out = r;
    return ok;
}
