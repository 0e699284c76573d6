/* added_after, limit, next and match[…] (TAXII 2.1 §3.4, §3.5). */
#include <string.h>

#include "crypt/crypt.h"
#include "taxii/taxii_priv.h"

#define NEXT_MAC_BYTES 16

/* ---- next ---- */

static void next_mac(struct http_request *r, const struct exchange_collection *c,
                     const unsigned char position[8], unsigned char mac[CRYPT_SHA256_BYTES])
{
    char text[64];
    size_t n = c->uuid.n < 36 ? c->uuid.n : 36;
    memcpy(text, "next", 4);
    memcpy(text + 4, position, 8);
    memcpy(text + 12, c->uuid.p, n);
    exchange_mac(http_exchange(r), (struct str){text, 12 + n}, mac);
}

void taxii_next_put(struct http_request *r, const struct exchange_collection *c, int64_t last,
                    struct buf *out)
{
    unsigned char bytes[8 + CRYPT_SHA256_BYTES];
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)last >> (56 - 8 * i));
    next_mac(r, c, bytes, bytes + 8);
    crypt_base64_put(out, (struct str){(const char *)bytes, 8 + NEXT_MAC_BYTES}, true);
}

/* App. B: `next` is not trusted; one that this node did not make for this collection is refused. */
static bool next_read(struct http_request *r, const struct exchange_collection *c, struct str next,
                      int64_t *last, struct err *e)
{
    struct buf b;
    unsigned char mac[CRYPT_SHA256_BYTES];
    buf_init(&b, 256);
    bool ok = crypt_base64_get(next, true, &b, e) && b.n == 8 + NEXT_MAC_BYTES;
    if (ok) {
        next_mac(r, c, (const unsigned char *)b.p, mac);
        ok = crypt_equal(mac, b.p + 8, NEXT_MAC_BYTES);
    }
    if (ok) {
        uint64_t v = 0;
        for (size_t i = 0; i < 8; i++)
            v = v << 8 | (unsigned char)b.p[i];
        *last = (int64_t)v;
    } else {
        err_set(e, ERR_SYNTAX, "`next` is not one of this collection: start again without it");
    }
    buf_done(&b);
    return ok;
}

/* ---- match ---- */

static size_t comma_count(struct str s)
{
    size_t n = 1;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == ',';
    return n;
}

/* No name of STIX has another character, so whoever sends one has mistaken something. */
static bool item_ok(const char *field, struct str item, struct err *e)
{
    if (item.n == 0)
        return err_set(e, ERR_SYNTAX, "match[%s] has an empty value", field);
    for (size_t i = 0; i < item.n; i++)
        if (item.p[i] <= ' ' || item.p[i] > '~') /* signed: non-ASCII too */
            return err_set(e, ERR_SYNTAX, "match[%s] has a character that is in no name", field);
    return true;
}

/* One of the filters that are lists of names. */
struct match_list {
    const char *field;
    size_t most;
    const struct str **items;
    size_t *count;
};

static bool match_list(struct http_request *r, const struct match_list *l, struct str value,
                       struct err *e)
{
    size_t n = 0;
    if (*l->items)
        return err_set(e, ERR_SYNTAX, "match[%s] stands twice; join its values by commas",
                       l->field);
    if (comma_count(value) > l->most)
        return err_set(e, ERR_SYNTAX, "match[%s] has more than %zu values", l->field, l->most);
    struct str *items = arena_calloc(http_arena(r), comma_count(value), sizeof *items);
    if (!items)
        return arena_ok(http_arena(r), e);
    while (value.p) {
        struct str item = str_cut(&value, ',');
        if (!item_ok(l->field, item, e))
            return false;
        items[n++] = item;
    }
    *l->items = items;
    *l->count = n;
    return n ? true : err_set(e, ERR_SYNTAX, "match[%s] has no value", l->field);
}

static unsigned version_word(struct str s)
{
    if (str_eq(s, STR("last")))
        return STORE_LAST;
    if (str_eq(s, STR("first")))
        return STORE_FIRST;
    return str_eq(s, STR("all")) ? STORE_ALL : 0;
}

/* §3.4.1: `all` stands alone; each value once; a timestamp names an instant, however written. */
static bool match_version(struct http_request *r, struct str value, struct exchange_query *q,
                          struct err *e)
{
    size_t n = comma_count(value), given = 0;
    int64_t *exact = arena_calloc(http_arena(r), n, sizeof *exact);
    struct instant t;
    if (q->versions || q->version_count)
        return err_set(e, ERR_SYNTAX, "match[version] stands twice; join its values by commas");
    if (!exact)
        return arena_ok(http_arena(r), e);
    for (; value.p; given++) {
        struct str item = str_cut(&value, ',');
        unsigned word = version_word(item);
        if (word && (q->versions & word))
            return err_set(e, ERR_SYNTAX, "match[version] names %.*s twice", STR_FMT(item));
        q->versions |= word;
        if (word)
            continue;
        if (!instant_parse(item, &t, e))
            return err_set(e, ERR_SYNTAX,
                           "match[version]=%.*s: give first, last, all or a timestamp",
                           STR_FMT(item));
        for (size_t i = 0; i < q->version_count; i++)
            if (exact[i] == instant_us(t))
                return err_set(e, ERR_SYNTAX, "match[version] names %.*s twice", STR_FMT(item));
        exact[q->version_count++] = instant_us(t);
    }
    if ((q->versions & STORE_ALL) && given > 1)
        return err_set(e, ERR_SYNTAX, "match[version]: `all` stands alone");
    q->version_us = exact;
    return true;
}

/* Objects here are STIX 2.1; another version alone finds nothing. */
static bool match_spec(struct str value, bool *nothing, struct err *e)
{
    bool has_21 = false;
    while (value.p) {
        struct str item = str_cut(&value, ',');
        if (!item_ok("spec_version", item, e))
            return false;
        has_21 = has_21 || str_eq(item, STR("2.1"));
    }
    *nothing = !has_21;
    return true;
}

struct matching {
    struct http_request *r;
    struct taxii_filter *f;
    bool by_object, spec_seen;
};

static bool match_field(struct matching *m, struct str field, struct str value, struct err *e)
{
    struct exchange_query *q = &m->f->q;
    const struct match_list ids = {"id", LIMIT_TAXII_FILTER_IDS, &q->ids, &q->id_count};
    const struct match_list types = {"type", LIMIT_TAXII_FILTER_TYPES, &q->types, &q->type_count};
    if (str_eq(field, STR("version")))
        return match_version(m->r, value, q, e);
    if (str_eq(field, STR("id")) && !m->by_object)
        return match_list(m->r, &ids, value, e);
    if (str_eq(field, STR("type")) && !m->by_object)
        return match_list(m->r, &types, value, e);
    if (str_eq(field, STR("spec_version"))) {
        if (m->spec_seen)
            return err_set(e, ERR_SYNTAX, "match[spec_version] stands twice");
        m->spec_seen = true;
        return match_spec(value, &m->f->nothing, e);
    }
    return err_set(e, ERR_SYNTAX, "match[%.*s] is no filter of this endpoint", STR_FMT(field));
}

/* ---- the whole query ---- */

static bool set_once(struct str *slot, const char *name, struct str value, struct err *e)
{
    if (slot->p)
        return err_set(e, ERR_SYNTAX, "%s stands twice", name);
    *slot = value.p ? value : STR("");
    return true;
}

static bool limit_read(struct http_request *r, struct str text, struct exchange_query *q,
                       struct err *e)
{
    uint64_t v = 0, most = exchange_config(http_exchange(r))->page_max;
    q->limit = LIMIT_TAXII_PAGE_DEFAULT < most ? LIMIT_TAXII_PAGE_DEFAULT : (size_t)most;
    if (!text.p)
        return true;
    /* §2: an integer has 53 bits and a sign. */
    if (!str_to_u64(text, &v) || v == 0 || v >= UINT64_C(1) << 53)
        return err_set(e, ERR_SYNTAX, "limit must be a whole number above 0 and below 2^53");
    q->limit = (size_t)(v < most ? v : most);
    return true;
}

/* The extension: whole seconds, the longest wait where more is asked for. */
static bool wait_read(struct str text, unsigned *out, struct err *e)
{
    uint64_t v = 0;
    if (!text.p)
        return true;
    if (!str_to_u64(text, &v))
        return err_set(e, ERR_SYNTAX, "wait must be a whole number of seconds");
    *out = v < LIMIT_TAXII_WAIT_S ? (unsigned)v : LIMIT_TAXII_WAIT_S;
    return true;
}

bool taxii_filter_read(struct http_request *r, const struct exchange_collection *c, bool by_object,
                       struct taxii_filter *out, struct err *e)
{
    struct str name, value, after = STR_NONE, limit = STR_NONE, next = STR_NONE, wait = STR_NONE;
    struct matching m = {.r = r, .f = out, .by_object = by_object};
    struct instant t;
    *out = (struct taxii_filter){
        .q = {.collection = c, .after_us = INT64_MIN, .limit_bytes = LIMIT_TAXII_PAGE_BYTES}};
    struct exchange_query *q = &out->q;
    for (size_t i = 0; i < http_query_count(r); i++) {
        bool ok = true;
        http_query(r, i, &name, &value);
        if (str_eq(name, STR("added_after")))
            ok = set_once(&after, "added_after", value, e);
        else if (str_eq(name, STR("limit")))
            ok = set_once(&limit, "limit", value, e);
        else if (str_eq(name, STR("next")))
            ok = set_once(&next, "next", value, e);
        else if (str_eq(name, STR("wait")) && !by_object)
            ok = set_once(&wait, "wait", value, e);
        else if (str_starts(name, STR("match[")) && str_ends(name, STR("]")))
            ok = match_field(&m, str_slice(name, 6, name.n - 1), value, e);
        if (!ok)
            return false;
    }
    if (after.p && !instant_parse(after, &t, e))
        return err_set(e, ERR_SYNTAX,
                       "added_after=%.*s is no timestamp: write 2026-01-31T12:00:00.000Z",
                       STR_FMT(after));
    if (after.p)
        q->after_us = instant_us(t);
    /* §3.5: `next` goes on where a page ended; it stands before added_after where both are given.
     */
    if (next.p && !next_read(r, c, next, &q->after_us, e))
        return false;
    if (!q->versions && !q->version_count)
        q->versions = STORE_LAST;
    return limit_read(r, limit, q, e) && wait_read(wait, &out->wait_s, e);
}
