/*
 * Verifying the log itself: every record against its entry, every entry against its leaf, all tiles
 * of all levels and the root recomputed from them, and the signed head that the node keeps with
 * each transaction. One walk over the leaves, in constant memory. What the store then must hold is
 * ledger_agree.c's.
 */
#include <stdio.h>

#include "exchange/audit_priv.h"
#include "exchange/gate_priv.h"

#define STEP_LEAVES 4096

void audit_tell(struct audit *a, const char *what, uint64_t index, const char *fmt, ...)
{
    char message[sizeof((struct err *)0)->msg];
    struct exchange_audit_finding f = {.what = what, .message = message};
    va_list ap;
    a->out->findings++;
    if (a->out->findings > LIMIT_LEDGER_FINDINGS)
        return;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    f.has_index = index != AUDIT_NO_LEAF;
    f.index = index;
    a->o->finding(a->o->ctx, &f);
}

void audit_step(struct audit *a)
{
    if (++a->done % STEP_LEAVES == 0 && a->o->progress)
        a->o->progress(a->o->ctx, a->done, a->all);
}

/* ---- the walk ---- */

struct walk {
    struct audit *a;
    struct ledger_audit *tree;
    struct ledger_tiles tiles;
    uint64_t next; /* the leaf that must come */
    bool broken;   /* leaves are missing: no root can be computed */
    bool failed;
};

/* Level 0 follows from the entries; of the others each hash is kept. */
static bool compare_tile(void *ctx, const struct ledger_tile *t, const struct ledger_hash *hashes,
                         struct err *e)
{
    struct walk *w = ctx;
    struct ledger_hash kept[LEDGER_TILE_WIDTH];
    char path[LEDGER_TILE_PATH_BYTES];
    struct err why = {0};
    struct str name = ledger_tile_path(t, path);
    unsigned long long span = 1ull << (8 * t->level), first = t->index * LEDGER_TILE_WIDTH;
    (void)e;
    if (t->level == 0)
        return true;
    if (!w->tiles.read(w->tiles.ctx, t, kept, &why)) {
        audit_tell(w->a, "tile", AUDIT_NO_LEAF, "%.*s cannot be read: %s", STR_FMT(name), why.msg);
        return true;
    }
    for (unsigned i = 0; i < t->width; i++)
        if (!ledger_hash_eq(&kept[i], &hashes[i]))
            audit_tell(w->a, "tile", (first + i) * span,
                       "%.*s: hash %u is not the root of leaves %llu to %llu", STR_FMT(name), i,
                       (first + i) * span, (first + i + 1) * span - 1);
    return true;
}

static bool all_zero(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i])
            return false;
    return true;
}

static void check_record(struct walk *w, const struct store_leaf *l)
{
    struct ledger_hash entry;
    if (l->record.n == 0) {
        w->a->out->erased++;
        if (!all_zero(l->salt))
            audit_tell(w->a, "record", l->index, "the record is gone and its salt is not");
        return;
    }
    ledger_entry_hash(l->salt, l->record, &entry);
    if (!ledger_hash_eq(&entry, &l->entry))
        audit_tell(w->a, "record", l->index,
                   "record and salt do not give the entry that the log holds");
}

static bool check_leaf(void *ctx, const struct store_leaf *l)
{
    struct walk *w = ctx;
    struct ledger_hash leaf;
    if (l->index != w->next) {
        w->broken = true;
        audit_tell(w->a, "leaf", w->next, "%s %llu follows",
                   l->index > w->next ? "leaves are missing: leaf" : "out of order: leaf",
                   (unsigned long long)l->index);
    }
    w->next = l->index + 1;
    check_record(w, l);
    ledger_leaf_hash((struct str){(const char *)l->entry.b, sizeof l->entry.b}, &leaf);
    w->failed = !w->broken && !ledger_audit_leaf(w->tree, &leaf, w->a->e);
    audit_step(w->a);
    return !w->failed;
}

/* ---- the end of it ---- */

static bool check_node_count(struct walk *w)
{
    uint64_t have, want = 0;
    for (uint64_t n = w->next >> 8; n; n >>= 8)
        want += n;
    if (!store_ledger_node_count(w->a->s->store, &have, w->a->e))
        return false;
    if (have != want)
        audit_tell(w->a, "tile", AUDIT_NO_LEAF,
                   "the levels above 0 have %llu hashes; %llu leaves have %llu",
                   (unsigned long long)have, (unsigned long long)w->next, (unsigned long long)want);
    return true;
}

static void compare_head(struct walk *w, const struct ledger_checkpoint *c)
{
    const struct exchange_audit_report *out = w->a->out;
    if (c->head.size != w->next)
        audit_tell(w->a, "head", AUDIT_NO_LEAF,
                   "the signed head states %llu leaves, and %llu are there",
                   (unsigned long long)c->head.size, (unsigned long long)w->next);
    else if (out->has_root && !ledger_hash_eq(&c->head.root, &out->root))
        audit_tell(w->a, "head", AUDIT_NO_LEAF,
                   "the signed head states another root than the leaves have");
}

/* The signed head of the last transaction; who has no key cannot make another. */
static bool check_head(struct walk *w, const struct ledger_key *key, struct buf *note)
{
    struct ledger_checkpoint c;
    struct err why = {0};
    struct arena *arena = arena_new(LIMIT_LEDGER_NOTE_BYTES * 4);
    if (!arena)
        return err_set(w->a->e, ERR_MEMORY, "out of memory");
    if (!store_value_get(w->a->s->store, STR(LEDGER_HEAD_VALUE), note, &why)) {
        if (why.code != ERR_NOT_FOUND)
            *w->a->e = why;
        else if (w->next)
            audit_tell(w->a, "head", AUDIT_NO_LEAF,
                       "no signed head is kept: it was removed, or an older setu wrote last; the "
                       "next change signs one");
    } else if (ledger_checkpoint_open(arena, buf_view(note), key, &c, &why)) {
        compare_head(w, &c);
        why.code = ERR_NONE;
    } else {
        audit_tell(w->a, "head", AUDIT_NO_LEAF, "the kept head is not this log's: %s", why.msg);
        why.code = ERR_NONE;
    }
    arena_free(arena);
    return why.code == ERR_NONE || why.code == ERR_NOT_FOUND;
}

/* Damage of the store is what is looked for, and no reason to stop. */
static bool as_finding(struct walk *w, const char *what)
{
    if (w->a->e->code != ERR_STORE || w->failed)
        return false;
    w->broken = true;
    audit_tell(w->a, what, w->next, "what follows cannot be read: %s", w->a->e->msg);
    *w->a->e = (struct err){0};
    return true;
}

static bool walk_log(struct walk *w)
{
    struct audit *a = w->a;
    struct ledger_head head;
    uint64_t size;
    if ((!store_ledger_size(a->s->store, &size, a->e) ||
         !store_ledger_each(a->s->store, 0, LIMIT_LEDGER_LEAVES, check_leaf, w, a->e) ||
         w->failed) &&
        !as_finding(w, "leaf"))
        return false;
    if (w->next != size && !w->broken) {
        w->broken = true;
        audit_tell(a, "leaf", w->next, "the log is to have %llu leaves and ends here",
                   (unsigned long long)size);
    }
    a->out->size = w->next;
    if (w->broken)
        return true;
    if (!ledger_audit_end(w->tree, &head, a->e) || !check_node_count(w))
        return false;
    a->out->has_root = true;
    a->out->root = head.root;
    return true;
}

static bool audit(struct audit *a, const struct ledger_key *key, struct buf *checkpoint)
{
    struct walk w = {.a = a, .tiles = store_ledger_tiles(a->s->store)};
    w.tree = ledger_audit_new(compare_tile, &w);
    bool ok = (w.tree || err_set(a->e, ERR_MEMORY, "out of memory")) &&
              store_ledger_size(a->s->store, &a->all, a->e);
    a->all *= a->o->ledger_only ? 1 : 2;
    ok = ok && walk_log(&w) && check_head(&w, key, checkpoint);
    ledger_audit_free(w.tree);
    /* What is recorded can be believed only of a log that is whole. */
    return ok && (a->o->ledger_only || w.broken || audit_agree(a));
}

static bool own_key(struct exchange *x, struct buf *text, struct ledger_key *key, struct err *e)
{
    return exchange_ledger_key(x, LEDGER_KEY_LOG, text, e) &&
           ledger_key_parse(buf_view(text), key, e);
}

bool exchange_ledger_audit(struct exchange_session *s, const struct exchange_audit *o,
                           struct buf *checkpoint, struct exchange_audit_report *out, struct err *e)
{
    struct audit a = {.s = s, .o = o, .out = out, .e = e};
    struct ledger_key own;
    struct buf text;
    *out = (struct exchange_audit_report){0};
    buf_init(&text, 0);
    bool ok = (o->key || own_key(s->x, &text, &own, e)) && store_begin(s->store, e);
    if (ok) {
        ok = audit(&a, o->key ? o->key : &own, checkpoint);
        store_rollback(s->store);
    }
    buf_done(&text);
    return ok && buf_ok(checkpoint, e);
}
