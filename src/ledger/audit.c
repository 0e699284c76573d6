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

/* The string behind an opening quote, as it stands there: up to the quote that no backslash
 * precedes. */
static bool take_string(struct str *rest, struct str *out)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] != '"') {
        const char *quote = memchr(rest->p + n, '"', rest->n - n);
        const char *escape =
            quote ? memchr(rest->p + n, '\\', (size_t)(quote - rest->p) - n) : NULL;
        if (!quote)
            return false;
        n = escape ? (size_t)(escape - rest->p) + 2 : (size_t)(quote - rest->p);
    }
    if (n >= rest->n)
        return false;
    *out = str_slice(*rest, 0, n);
    *rest = str_from(*rest, n + 1);
    return true;
}

static bool take_number(struct str *rest, uint64_t *out)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
        n++;
    struct str digits = str_slice(*rest, 0, n);
    *rest = str_from(*rest, n);
    return str_to_u64(digits, out) && (n == 1 || digits.p[0] != '0');
}

static bool take_byte(struct str *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = str_from(*rest, 1);
    return true;
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

/* The field of that name, behind `after`: they stand in order. */
static bool field_of(struct str name, int after, int *out)
{
    int f = after + 1;
    while (f < LEDGER_FIELD_COUNT && !str_eq(name, field_names[f]))
        f++;
    *out = f;
    return f < LEDGER_FIELD_COUNT;
}

bool ledger_record_scan(struct str json, struct ledger_record *out)
{
    struct ledger_record r = {0};
    struct str rest = json, name;
    int f = -1;
    size_t kind = 0;
    bool ok = take_byte(&rest, '{');
    while (ok && (f < 0 || take_byte(&rest, ','))) {
        ok = take_byte(&rest, '"') && take_string(&rest, &name) && take_byte(&rest, ':') &&
             field_of(name, f, &f) &&
             (take_byte(&rest, '"') ? take_string(&rest, &r.text[f])
                                    : take_number(&rest, &r.number[f]));
        r.fields |= ok ? (uint32_t)1 << f : 0;
    }
    ok = ok && take_byte(&rest, '}') && rest.n == 0;
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
