/*
 * Leaves of the ledger, gathered while a transaction is made and added at its end: what is recorded
 * and its record are durable together or not at all. Keys and the signed head of the log.
 */
#include <stdio.h>
#include <string.h>

#include "exchange/gate_priv.h"

/* ---- gathering ---- */

struct gathered {
    size_t at, n; /* the record, in `text` */
    int64_t audience;
};

struct gate_ledger {
    struct buf text;
    struct gathered *list;
    size_t count, room;
    uint64_t size; /* of the log when the transaction began */
};

bool gate_ledger_begin(struct gate *g, struct err *e)
{
    if (!g->ledger && !(g->ledger = base_alloc(sizeof *g->ledger)))
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_clear(&g->ledger->text);
    g->ledger->count = 0;
    g->actor = g->node_actor = STR_NONE;
    return store_ledger_size(g->store, &g->ledger->size, e);
}

void gate_ledger_free(struct gate_ledger *l)
{
    if (!l)
        return;
    buf_done(&l->text);
    base_free(l->list);
    base_free(l);
}

/* NATION/organisation/user. Whoever works at the node itself is its own organisation. */
bool gate_act_for(struct gate *g, const struct principal *who, struct err *e)
{
    const struct exchange_config *c = &g->x->config;
    g->node_actor = arena_printf(g->known, "%.*s/%.*s/(node)", STR_FMT(c->nation), STR_FMT(c->org));
    g->actor = who ? arena_printf(g->known, "%.*s/%.*s/%.*s", STR_FMT(who->party.nation),
                                  STR_FMT(who->party.org), STR_FMT(who->name))
                   : g->node_actor;
    return arena_ok(g->known, e);
}

/* What goes to whoever may read an object is an act of the node: who submitted it, or had it taken
 * back, is told in records that stay at home. */
static struct str actor_of(const struct gate *g, enum ledger_kind kind)
{
    return kind == LEDGER_RELEASE_RECORD || kind == LEDGER_WITHDRAWAL_RECORD ? g->node_actor
                                                                             : g->actor;
}

bool gate_record(struct gate *g, struct ledger_record *r, int64_t audience, struct err *e)
{
    struct gate_ledger *l = g->ledger;
    size_t start = l->text.n;
    void *items = l->list;
    if (!g->actor.p && !gate_act_for(g, NULL, e))
        return false;
    r->at_us = g->now_us;
    ledger_record_text(r, LEDGER_ACTOR, actor_of(g, r->kind));
    if (!ledger_record_put(r, &l->text, e))
        return false;
    if (!base_grow(&items, &l->room, l->count + 1, sizeof *l->list))
        return err_set(e, ERR_MEMORY, "out of memory");
    l->list = items;
    l->list[l->count++] = (struct gathered){start, l->text.n - start, audience};
    return true;
}

uint64_t gate_next_leaf(const struct gate *g)
{
    return g->ledger->size + g->ledger->count;
}

/* The head after this transaction is kept with it, signed: what is changed in the store by anybody
 * without the node's key, be it the last leaf, shows against it. */
static bool keep_head(struct gate *g, struct err *e)
{
    struct buf note;
    struct arena *a = arena_new(1 << 12);
    buf_init(&note, 0);
    bool ok = (a || err_set(e, ERR_MEMORY, "out of memory")) &&
              ledger_checkpoint_of(g->x, g->store, a, &note, e) && buf_ok(&note, e) &&
              store_value_put(g->store, STR(LEDGER_HEAD_VALUE), buf_view(&note), e);
    buf_done(&note);
    arena_free(a);
    return ok;
}

bool gate_ledger_end(struct gate *g, struct err *e)
{
    struct gate_ledger *l = g->ledger;
    if (l->count == 0)
        return true;
    if (!buf_ok(&l->text, e))
        return false;
    char *salts = base_alloc(l->count * STORE_LEDGER_SALT_BYTES);
    struct store_leaf *leaves = base_alloc(l->count * sizeof *leaves);
    bool ok = (salts && leaves) || err_set(e, ERR_MEMORY, "out of memory");
    if (ok)
        base_random(salts, l->count * STORE_LEDGER_SALT_BYTES);
    for (size_t i = 0; i < l->count && ok; i++)
        leaves[i] = (struct store_leaf){
            .salt = {salts + i * STORE_LEDGER_SALT_BYTES, STORE_LEDGER_SALT_BYTES},
            .record = str_slice(buf_view(&l->text), l->list[i].at, l->list[i].at + l->list[i].n),
            .audience = l->list[i].audience,
        };
    ok = ok && store_ledger_append(g->store, l->size, leaves, l->count, e) && keep_head(g, e);
    base_free(leaves);
    base_free(salts);
    l->count = 0;
    return ok;
}

/* ---- records of objects ---- */

void ledger_hex(const unsigned char digest[CRYPT_SHA256_BYTES], char out[LEDGER_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < CRYPT_SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
}

void ledger_digest(struct str data, char out[LEDGER_HEX_BYTES])
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    crypt_sha256(data, digest);
    ledger_hex(digest, out);
}

void exchange_audience_salt(const struct exchange *x, struct str audience,
                            unsigned char out[LEDGER_AUDIENCE_SALT_BYTES])
{
    unsigned char key[CRYPT_SHA256_BYTES], mac[CRYPT_SHA256_BYTES];
    crypt_hmac_sha256(x->key, STR("setu ledger: the salt of an audience"), key);
    crypt_hmac_sha256(key, audience, mac);
    memcpy(out, mac, LEDGER_AUDIENCE_SALT_BYTES);
    crypt_wipe(key, sizeof key);
}

void ledger_audience_digest(const struct exchange *x, struct str audience,
                            char out[LEDGER_HEX_BYTES])
{
    unsigned char salt[LEDGER_AUDIENCE_SALT_BYTES], digest[CRYPT_SHA256_BYTES];
    exchange_audience_salt(x, audience, salt);
    ledger_audience_hash((struct str){(const char *)salt, sizeof salt}, audience, digest);
    ledger_hex(digest, out);
}

/* What was taken back is listed too, so that those who had it find it. */
static bool list_withdrawal(struct gate *g, const struct gate_told *t, struct err *e)
{
    struct store_withdrawal w = {.leaf = gate_next_leaf(g),
                                 .audience = t->readers,
                                 .at_us = g->now_us,
                                 .source_org = t->source_org,
                                 .collection = t->collection,
                                 .id = t->id,
                                 .version = t->version.p ? t->version : STR("")};
    g->has_withdrawals = true;
    return store_withdrawal_add(g->store, &w, e);
}

bool gate_record_object(struct gate *g, enum ledger_kind kind, const struct gate_told *t,
                        struct err *e)
{
    struct ledger_record r = {.kind = kind};
    char digest[LEDGER_HEX_BYTES], audience[LEDGER_HEX_BYTES];
    uint32_t may = ledger_kind_allows(kind);
    ledger_record_text(&r, LEDGER_OBJECT, t->id);
    ledger_record_text(&r, LEDGER_VERSION, t->version);
    ledger_record_text(&r, LEDGER_DIGEST, t->digest);
    if (t->bytes.n && !t->digest.n) {
        ledger_digest(t->bytes, digest);
        ledger_record_text(&r, LEDGER_DIGEST, (struct str){digest, sizeof digest});
    }
    ledger_record_text(&r, LEDGER_COLLECTION, t->collection);
    if (may >> LEDGER_AUDIENCE & 1 && t->audience.n) {
        if (!t->audience_digest.n)
            ledger_audience_digest(g->x, t->audience, audience);
        ledger_record_text(&r, LEDGER_AUDIENCE,
                           t->audience_digest.n ? t->audience_digest
                                                : (struct str){audience, sizeof audience});
    }
    if (may >> LEDGER_RECIPIENT & 1)
        ledger_record_text(&r, LEDGER_RECIPIENT, t->audience);
    if (may >> LEDGER_OUTCOME & 1)
        ledger_record_text(&r, LEDGER_OUTCOME, t->outcome);
    ledger_record_text(&r, LEDGER_REASON, t->reason);
    if (t->group && t->group->lines_text.n && may >> LEDGER_LINES & 1)
        ledger_record_text(&r, LEDGER_LINES, t->group->lines_text);
    else if (t->group && t->group->rule.line)
        ledger_record_number(&r, LEDGER_LINE, t->group->rule.line);
    else if (t->line)
        ledger_record_number(&r, LEDGER_LINE, t->line);
    if (may >> LEDGER_POLICY & 1)
        ledger_record_text(&r, LEDGER_POLICY, exchange_policy_digest(g->x));
    if (kind == LEDGER_WITHDRAWAL_RECORD && !list_withdrawal(g, t, e))
        return false;
    return gate_record(g, &r, t->readers, e);
}

/* ---- the log's keys and its head ---- */

/* Two keys from one secret, which no signature ever sees. */
bool exchange_signer(const struct exchange *x, enum ledger_key_type type, struct arena *a,
                     struct ledger_signer *out, struct err *e)
{
    unsigned char seed[CRYPT_SHA256_BYTES];
    bool log = type == LEDGER_KEY_LOG;
    struct str name = arena_printf(a, "%.*s/%.*s/%s", STR_FMT(x->config.nation),
                                   STR_FMT(x->config.org), log ? "ledger" : "witness");
    crypt_hmac_sha256(
        x->key, log ? STR("setu ledger: the log's key") : STR("setu ledger: the witness's key"),
        seed);
    bool ok = arena_ok(a, e) && ledger_signer_make(name, type, seed, out, e);
    crypt_wipe(seed, sizeof seed);
    return ok;
}

bool exchange_ledger_key(const struct exchange *x, enum ledger_key_type type, struct buf *out,
                         struct err *e)
{
    struct ledger_signer s;
    struct arena *a = arena_new(1 << 12);
    bool ok = (a || err_set(e, ERR_MEMORY, "out of memory")) && exchange_signer(x, type, a, &s, e);
    if (ok) {
        ledger_key_put(&s.key, out);
        crypt_wipe(&s, sizeof s);
    }
    arena_free(a);
    return ok && buf_ok(out, e);
}

/* Countersignatures of partners that were of this very head. A partner is shown its own: recipients
 * do not learn of each other. */
struct countersigning {
    struct arena *a;
    struct str only; /* this party's, or STR_NONE: all */
    struct str text; /* of the checkpoint */
    struct buf lines;
};

static bool add_countersigned(void *ctx, const struct store_witness *w)
{
    struct countersigning *c = ctx;
    struct ledger_note note;
    struct ledger_key key;
    struct err ignored;
    if (!w->cosigned.n || (c->only.p && !str_eq(c->only, w->party)) ||
        !ledger_note_parse(c->a, w->cosigned, &note, &ignored) || !str_eq(note.text, c->text) ||
        !ledger_key_parse(w->witness_key, &key, &ignored))
        return true;
    for (size_t i = 0; i < note.count; i++)
        if (str_eq(note.signatures[i].name, key.name) && note.signatures[i].id == key.id)
            buf_str(&c->lines, note.signatures[i].line);
    return true;
}

bool ledger_checkpoint_of(const struct exchange *x, struct store *s, struct arena *a,
                          struct buf *out, struct err *e)
{
    struct ledger_tiles tiles = store_ledger_tiles(s);
    struct ledger_checkpoint c = {.extensions = STR("")};
    struct ledger_signer signer;
    struct ledger_tree tree;
    uint64_t size;
    if (!store_ledger_size(s, &size, e) || !ledger_tree_read(&tiles, size, &tree, e) ||
        !exchange_signer(x, LEDGER_KEY_LOG, a, &signer, e))
        return false;
    ledger_tree_head(&tree, &c.head);
    c.origin = signer.key.name;
    bool ok = ledger_checkpoint_sign(&c, &signer, out, e);
    crypt_wipe(&signer, sizeof signer);
    return ok;
}

static bool checkpoint(struct exchange_session *s, const struct principal *who, struct arena *a,
                       struct buf *out, struct err *e)
{
    struct countersigning more = {.a = a, .only = STR_NONE};
    struct ledger_note parsed;
    struct buf note;
    buf_init(&note, 0);
    buf_init(&more.lines, 0);
    if (who && who->role == EXCHANGE_PEER)
        more.only =
            arena_printf(a, "%.*s/%.*s", STR_FMT(who->party.nation), STR_FMT(who->party.org));
    bool ok = ledger_checkpoint_of(s->x, s->store, a, &note, e) && buf_ok(&note, e) &&
              ledger_note_parse(a, buf_view(&note), &parsed, e);
    if (ok) {
        more.text = parsed.text;
        ok = store_witness_each(s->store, a, add_countersigned, &more, e) && buf_ok(&more.lines, e);
    }
    if (ok && more.lines.n)
        ok = ledger_note_add(a, buf_view(&note), buf_view(&more.lines), out, e);
    else if (ok)
        buf_str(out, buf_view(&note));
    buf_done(&note);
    buf_done(&more.lines);
    return ok;
}

bool exchange_ledger_checkpoint(struct exchange_session *s, const struct principal *who,
                                struct buf *out, struct err *e)
{
    struct arena *a = arena_new(64 << 20);
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = store_begin(s->store, e);
    if (ok) {
        ok = checkpoint(s, who, a, out, e);
        store_rollback(s->store);
    }
    arena_free(a);
    return ok && buf_ok(out, e);
}
