/*
 * Witnessing: what a judgement changes in the row of a partner, and what it leaves to others who
 * write it at the same time. The partner's log is made here, so that it can lie as it likes.
 */
#include "exchange/node.h"

#define PARTY "JP/jpcert"
enum { MOST = 120 };

/* A log of less than one tile. */
struct log {
    struct ledger_signer signer;
    struct ledger_hash leaves[MOST];
    bool lies; /* its tiles are not those of its leaves */
};

static void log_make(struct log *l, struct str name, enum ledger_key_type type, unsigned char seed)
{
    unsigned char seeds[32] = {seed};
    struct err e = {0};
    *l = (struct log){.lies = false};
    CHECK(ledger_signer_make(name, type, seeds, &l->signer, &e));
    for (int i = 0; i < MOST; i++)
        ledger_leaf_hash((struct str){(const char *)&i, sizeof i}, &l->leaves[i]);
}

/* Another history from leaf `at` on. */
static struct log log_fork(const struct log *l, size_t at)
{
    struct log other = *l;
    for (size_t i = at; i < MOST; i++)
        other.leaves[i].b[0] ^= 1;
    return other;
}

static bool log_read(void *ctx, const struct ledger_tile *t, struct ledger_hash *out, struct err *e)
{
    const struct log *l = ctx;
    if (t->level > 0 || t->index > 0 || t->width > MOST)
        return err_set(e, ERR_NOT_FOUND, "no such tile");
    memcpy(out, l->leaves, t->width * sizeof *out);
    if (l->lies)
        out[0].b[5] ^= 1;
    return true;
}

static struct str log_note(struct arena *a, const struct log *l, uint64_t size)
{
    struct ledger_tree tree = {.size = 0};
    struct ledger_checkpoint c = {.origin = l->signer.key.name, .extensions = STR("")};
    struct buf b;
    struct err e = {0};
    for (uint64_t i = 0; i < size; i++)
        ledger_tree_append(&tree, &l->leaves[i]);
    ledger_tree_head(&tree, &c.head);
    buf_init(&b, 0);
    CHECK(ledger_checkpoint_sign(&c, &l->signer, &b, &e));
    struct str note = arena_str(a, buf_view(&b));
    buf_done(&b);
    return note;
}

/* ---- judging ---- */

static struct store_witness row(struct node *n)
{
    struct store_witness w = {.party = STR("")};
    struct err e = {0};
    CHECK_ROW(exchange_witness(n->s, n->arena, STR(PARTY), &w, &e), "%s", e.msg);
    return w;
}

/* The finding, "stands" where it was found earlier, or the error's name. */
static const char *judged(struct node *n, struct log *l, uint64_t size,
                          const struct store_witness *known)
{
    struct ledger_tiles tiles = {.ctx = l, .read = log_read};
    struct exchange_sight v = {
        .known = known, .note = log_note(n->arena, l, size), .tiles = &tiles};
    struct exchange_judgement out;
    struct err e = {0};
    if (!exchange_witness_judge(n->s, n->arena, &v, &out, &e))
        return err_name(e.code);
    return out.stands ? "stands" : ledger_relation_name(out.relation);
}

static const char *judge(struct node *n, struct log *l, uint64_t size)
{
    struct store_witness known = row(n);
    return judged(n, l, size, &known);
}

static void pin(struct node *n, const struct log *l)
{
    struct exchange_pin p = {.party = STR(PARTY), .witness_key = STR("")};
    struct buf key;
    struct err e = {0};
    buf_init(&key, 0);
    ledger_key_put(&l->signer.key, &key);
    p.log_key = buf_view(&key);
    CHECK_ROW(exchange_witness_pin(n->s, &p, &e), "%s", e.msg);
    buf_done(&key);
}

struct finds {
    char text[400];
};

static bool note_found(void *ctx, const struct store_evidence *v)
{
    struct finds *f = ctx;
    size_t n = strlen(f->text);
    snprintf(f->text + n, sizeof f->text - n, "%s%.*s", n ? " " : "", STR_FMT(v->finding));
    CHECK(v->at_us > 0 && v->before.n > 0 && v->after.n > 0);
    return true;
}

static const char *found(struct node *n)
{
    static struct finds f;
    struct err e = {0};
    f.text[0] = '\0';
    CHECK(exchange_evidence(n->s, STR(PARTY), note_found, &f, &e));
    return f.text;
}

static void start(struct node *n, const char *name, struct log *l)
{
    node_make(n, name, NULL);
    log_make(l, STR(PARTY "/ledger"), LEDGER_KEY_LOG, 1);
    pin(n, l);
}

static void test_findings(void)
{
    static struct log good, fork, other, liar;
    struct node n;
    start(&n, "findings", &good);
    fork = log_fork(&good, 20);
    log_make(&other, STR(PARTY "/ledger"), LEDGER_KEY_LOG, 2);
    CHECK_TEXT(judge(&n, &other, 5), "INVALID", "another key");
    CHECK(row(&n).seen.n == 0);
    for (uint64_t size = 0; size <= 64; size += size < 9 ? 1 : 11)
        CHECK_TEXT(judge(&n, &good, size), "consistent", "%llu", (unsigned long long)size);
    struct str seen = row(&n).seen;
    liar = good;
    liar.lies = true;
    CHECK_TEXT(judge(&n, &liar, 70), "bad-proof", "tiles that are none");
    CHECK(str_eq(row(&n).state, STR("bad-proof")) && str_eq(row(&n).seen, seen));
    CHECK_TEXT(judge(&n, &good, 70), "consistent", "a good proof ends it");
    CHECK(row(&n).state.n == 0 && row(&n).evidence.n == 0);
    CHECK_TEXT(judge(&n, &good, 69), "rollback", "one leaf less");
    CHECK_TEXT(judge(&n, &good, 71), "stands", "it goes on again");
    CHECK_TEXT(judge(&n, &liar, 80), "bad-proof", "while it stands");
    CHECK(str_eq(row(&n).state, STR("rollback")));
    CHECK_TEXT(judge(&n, &fork, 70), "fork", "of the same size");
    CHECK_TEXT(judge(&n, &fork, 99), "fork", "a longer one");
    struct store_witness forked = row(&n);
    CHECK_TEXT(judge(&n, &good, 12), "rollback", "which would have an excuse");
    CHECK(str_eq(row(&n).state, STR("fork")) && str_eq(row(&n).evidence, forked.evidence));
    CHECK_TEXT(judge(&n, &good, 12), "rollback", "the same once more");
    CHECK_TEXT(found(&n), "bad-proof rollback bad-proof fork fork rollback", "what is kept");
    node_done(&n);
}

/* Forks at every older size: the tree of a power of two is in no proof. */
static void test_every_size(void)
{
    for (uint64_t size = 1; size < 66; size++) {
        struct node n;
        struct log good;
        char name[32];
        if (size > 9 && size < 62 && size % 16)
            continue;
        snprintf(name, sizeof name, "size%llu", (unsigned long long)size);
        start(&n, name, &good);
        struct log fork = log_fork(&good, size - 1);
        CHECK_TEXT(judge(&n, &good, size), "consistent", "%s", name);
        CHECK_TEXT(judge(&n, &fork, size + 1), "fork", "%s", name);
        node_done(&n);
    }
}

/* ---- others who write the same row ---- */

static void test_judged_by_others(void)
{
    struct node n;
    struct log good;
    start(&n, "others", &good);
    CHECK_TEXT(judge(&n, &good, 10), "consistent", "first");
    struct store_witness known = row(&n);
    CHECK_TEXT(judge(&n, &good, 20), "consistent", "the faster one");
    struct store_witness newer = row(&n);
    CHECK_TEXT(judged(&n, &good, 15, &known), "CONFLICT", "seen between the two");
    CHECK_TEXT(judged(&n, &good, 5, &known), "CONFLICT", "a rollback, but of what is old");
    CHECK(row(&n).state.n == 0 && str_eq(row(&n).seen, newer.seen));
    CHECK_TEXT(found(&n), "", "nothing was found");
    known = row(&n);
    CHECK_TEXT(judge(&n, &good, 19), "rollback", "found meanwhile");
    CHECK_TEXT(judged(&n, &good, 30, &known), "CONFLICT", "would hide it");
    CHECK(str_eq(row(&n).state, STR("rollback")));
    node_done(&n);
}

/* ---- countersignatures ---- */

static struct str cosigned_note(struct node *n, const struct log *witness, const char *junk)
{
    struct buf b;
    struct ledger_note note;
    struct err e = {0};
    buf_init(&b, 0);
    CHECK(exchange_ledger_checkpoint(n->s, NULL, &b, &e));
    struct str text = arena_str(n->arena, buf_view(&b));
    buf_done(&b);
    CHECK(ledger_note_parse(n->arena, text, &note, &e));
    buf_init(&b, 0);
    CHECK(ledger_note_sign(note.text, &witness->signer, 1000, &b, &e));
    text = arena_printf(n->arena, "%.*s\n%.*s%.*s%s", STR_FMT(note.text),
                        STR_FMT(note.signatures[0].line), STR_FMT(buf_view(&b)), junk);
    buf_done(&b);
    return text;
}

static const char *cosign(struct node *n, const struct principal *who, const struct log *witness,
                          struct str note)
{
    struct buf key;
    struct err e = {0};
    buf_init(&key, 0);
    ledger_key_put(&witness->signer.key, &key);
    bool ok = exchange_witness_cosigned(n->s, who, buf_view(&key), note, &e);
    buf_done(&key);
    return ok ? "kept" : err_name(e.code);
}

static void test_cosigned(void)
{
    static struct log good, witness, other;
    struct node n;
    start(&n, "cosigned", &good);
    log_make(&witness, STR(PARTY "/witness"), LEDGER_KEY_WITNESS, 3);
    log_make(&other, STR(PARTY "/witness"), LEDGER_KEY_WITNESS, 4);
    struct principal peer = *person(&n, 'j');
    struct str early = cosigned_note(&n, &witness, "");
    CHECK_TEXT(cosign(&n, &peer, &witness, early), "FORBIDDEN", "no partner node");
    peer.role = EXCHANGE_PEER;
    CHECK_TEXT(judge(&n, &good, 10), "consistent", "first");
    CHECK_TEXT(judge(&n, &good, 9), "rollback", "what is found");
    struct store_witness before = row(&n);
    CHECK_TEXT(cosign(&n, &peer, &witness, early), "kept", "while something stands");
    struct store_witness after = row(&n);
    CHECK(str_eq(after.state, before.state) && str_eq(after.evidence, before.evidence) &&
          str_eq(after.seen, before.seen) && str_eq(after.log_key, before.log_key));
    CHECK(str_eq(after.cosigned, early));
    CHECK_TEXT(cosign(&n, &peer, &other, cosigned_note(&n, &other, "")), "CONFLICT",
               "another key than before");
    CHECK_TEXT(submit(&n, 'a', &n.c, indicator(1, 0, ""), false), "accepted", "the log grows");
    struct str late = cosigned_note(&n, &witness, "\xe2\x80\x94 " PARTY "/witness AAAAAAAA\n");
    CHECK_TEXT(cosign(&n, &peer, &witness, late), "kept", "with a line below it");
    struct str kept = row(&n).cosigned;
    CHECK(kept.n == late.n - strlen("\xe2\x80\x94 " PARTY "/witness AAAAAAAA\n") &&
          str_starts(late, kept));
    CHECK_TEXT(cosign(&n, &peer, &witness, early), "kept", "an earlier one");
    CHECK(str_eq(row(&n).cosigned, kept));
    CHECK_TEXT(cosign(&n, &peer, &witness, log_note(n.arena, &good, 4)), "INVALID", "of another");
    CHECK_TEXT(judge(&n, &good, 8), "rollback", "a finding, too, leaves the rest");
    CHECK(str_eq(row(&n).cosigned, kept) && row(&n).witness_key.n);
    node_done(&n);
}

int main(void)
{
    struct err e = {0};
    folder_make("witness");
    CHECK(crypt_init(&e));
    test_findings();
    test_every_size();
    test_judged_by_others();
    test_cosigned();
    folder_remove();
    TEST_END();
}
