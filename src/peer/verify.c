/* Verifying a ledger from afar: what its server shows is recomputed up to the signed root. */
#include <stdio.h>
#include <string.h>

#include "crypt/crypt.h"
#include "peer/peer_priv.h"

#define NO_LEAF UINT64_MAX

struct verifying {
    const struct peer_audit *o;
    struct peer_client *c;
    struct arena *round; /* reset after each step */
    struct ledger_audit *tree;
    struct peer_audited *out;
    struct ledger_hash entries[LEDGER_TILE_WIDTH];
};

static void tell(struct verifying *v, const char *what, uint64_t index, const char *fmt, ...)
    BASE_PRINTF(4, 5);
static void tell(struct verifying *v, const char *what, uint64_t index, const char *fmt, ...)
{
    char message[sizeof((struct err *)0)->msg];
    struct exchange_audit_finding f = {
        .what = what, .has_index = index != NO_LEAF, .index = index, .message = message};
    va_list ap;
    if (++v->out->findings > LIMIT_LEDGER_FINDINGS)
        return;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    v->o->finding(v->o->ctx, &f);
}

static bool fetch_tile(struct verifying *v, const struct ledger_tile *t, struct str *out,
                       struct err *e)
{
    char name[LEDGER_TILE_PATH_BYTES];
    struct str path = arena_printf(v->round, "/ledger/%.*s", STR_FMT(ledger_tile_path(t, name)));
    return arena_ok(v->round, e) && peer_fetch(v->c, v->round, path, NULL, out, e);
}

/* ledger_tile_seen_fn: the tile that the server shows must be the one that follows. */
static bool compare_tile(void *ctx, const struct ledger_tile *t, const struct ledger_hash *hashes,
                         struct err *e)
{
    struct verifying *v = ctx;
    char name[LEDGER_TILE_PATH_BYTES];
    struct str shown;
    if (!fetch_tile(v, t, &shown, e))
        return false;
    if (shown.n != t->width * sizeof *hashes || memcmp(shown.p, hashes, shown.n) != 0)
        tell(v, "tile", NO_LEAF, "%.*s is not what follows from the entries",
             STR_FMT(ledger_tile_path(t, name)));
    return true;
}

/* ---- records ---- */

static void check_line(struct verifying *v, struct str line, uint64_t first, unsigned count)
{
    const struct json *j = NULL;
    struct ledger_hash entry;
    struct err odd;
    struct buf salt;
    char *copy = arena_alloc(v->round, line.n + BASE_PADDING);
    if (!copy)
        return;
    memcpy(copy, line.p, line.n);
    memset(copy + line.n, 0, BASE_PADDING);
    struct str text = {copy, line.n};
    bool ok = json_parse(v->c->reader, v->round, text, true, &j, &odd) && j->type == JSON_OBJECT;
    const struct json *index = ok ? json_get(j, STR("index")) : NULL;
    const struct json *record = ok ? json_get(j, STR("record")) : NULL;
    if (!json_is(index, JSON_INTEGER) || !json_is(record, JSON_OBJECT) ||
        index->u.i < (int64_t)first || (uint64_t)index->u.i >= first + count) {
        tell(v, "record", first, "a line of the records is none");
        return;
    }
    buf_init(&salt, 0);
    ok = crypt_base64_get(json_get_str(j, STR("salt")), false, &salt, &odd);
    ledger_entry_hash(buf_view(&salt), json_source(text, record), &entry);
    buf_done(&salt);
    v->out->records++;
    if (!ok || !ledger_hash_eq(&entry, &v->entries[(uint64_t)index->u.i - first]))
        tell(v, "record", (uint64_t)index->u.i,
             "record and salt do not give the entry that the log holds");
}

static bool check_records(struct verifying *v, uint64_t first, unsigned count, struct err *e)
{
    struct str text;
    struct str path = arena_printf(v->round, "/ledger/records?first=%llu&end=%llu",
                                   (unsigned long long)first, (unsigned long long)first + count);
    if (!arena_ok(v->round, e) || !peer_fetch(v->c, v->round, path, NULL, &text, e))
        return false;
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        if (line.n)
            check_line(v, line, first, count);
    }
    return arena_ok(v->round, e);
}

/* ---- the walk ---- */

static bool check_bundle(struct verifying *v, uint64_t index, unsigned width, struct err *e)
{
    struct ledger_tile t = {LEDGER_ENTRIES, index, width};
    struct ledger_hash leaf;
    struct str bytes;
    struct err odd;
    if (!fetch_tile(v, &t, &bytes, e))
        return false;
    if (!ledger_bundle_get(bytes, v->entries, width, &odd)) {
        tell(v, "leaf", index * LEDGER_TILE_WIDTH, "the bundle of entries is none: %s", odd.msg);
        memset(v->entries, 0, sizeof v->entries);
    }
    for (unsigned i = 0; i < width; i++) {
        ledger_leaf_hash((struct str){(const char *)v->entries[i].b, LEDGER_HASH_BYTES}, &leaf);
        if (!ledger_audit_leaf(v->tree, &leaf, e))
            return false;
    }
    return check_records(v, index * LEDGER_TILE_WIDTH, width, e);
}

static bool check_log(struct verifying *v, const struct ledger_head *head, struct err *e)
{
    struct ledger_head mine;
    for (uint64_t at = 0; at < head->size; at += LEDGER_TILE_WIDTH) {
        uint64_t left = head->size - at;
        unsigned width = left < LEDGER_TILE_WIDTH ? (unsigned)left : LEDGER_TILE_WIDTH;
        if (!check_bundle(v, at / LEDGER_TILE_WIDTH, width, e))
            return false;
        arena_reset(v->round);
        if (v->o->progress)
            v->o->progress(v->o->ctx, at + width, head->size);
    }
    if (!ledger_audit_end(v->tree, &mine, e))
        return false;
    v->out->root = mine.root;
    if (!ledger_hash_eq(&mine.root, &head->root))
        tell(v, "head", NO_LEAF,
             "the root that the checkpoint states does not follow from the entries");
    return true;
}

/* The key that the server shows, for who was given none. */
static bool shown_key(struct verifying *v, struct arena *a, struct ledger_key *out, struct err *e)
{
    struct str text;
    const struct json *j = NULL;
    if (!peer_fetch(v->c, a, STR("/.well-known/setu"), NULL, &text, e) ||
        !json_parse(v->c->reader, a, text, true, &j, e))
        return false;
    return ledger_key_parse(json_get_str(json_get(j, STR("ledger")), STR("key")), out, e) ||
           err_prefix(e, "the key in /.well-known/setu");
}

static bool verify(struct verifying *v, struct arena *a, struct buf *note, struct err *e)
{
    struct ledger_key key;
    struct ledger_checkpoint c;
    struct str text;
    struct err odd = {0};
    if (v->o->key)
        key = *v->o->key;
    else if (!shown_key(v, a, &key, e))
        return false;
    if (!peer_fetch(v->c, a, STR("/ledger/checkpoint"), NULL, &text, e))
        return false;
    buf_str(note, text);
    if (!ledger_checkpoint_open(a, text, &key, &c, &odd)) {
        tell(v, "head", NO_LEAF, "%s", odd.msg);
        if (!ledger_checkpoint_parse(a, text, &c, &odd))
            return buf_ok(note, e);
    }
    v->out->size = c.head.size;
    return buf_ok(note, e) && check_log(v, &c.head, e);
}

bool peer_ledger_audit(const struct peer_audit *o, struct buf *note, struct peer_audited *out,
                       struct err *e)
{
    struct verifying *v = base_alloc(sizeof *v);
    struct arena *a = arena_new(16u << 20);
    *out = (struct peer_audited){0};
    bool ok = v && a;
    if (ok) {
        v->o = o;
        v->out = out;
        v->round = arena_new(LIMIT_ARENA_REQUEST_BYTES);
        v->tree = ledger_audit_new(compare_tile, v);
        ok = v->round && v->tree;
    }
    ok = ok || err_set(e, ERR_MEMORY, "out of memory");
    ok = ok && peer_client_open(o->server, &v->c, e) && verify(v, a, note, e);
    if (v) {
        peer_client_close(v->c);
        ledger_audit_free(v->tree);
        arena_free(v->round);
    }
    base_free(v);
    arena_free(a);
    return ok;
}
