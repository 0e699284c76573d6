/* Any bytes as a proof file, as a record, and as the hashes of a proof between sizes they name. A
 * file that is read can be written and read again; nothing proves what is not in our tree. */
#include "crypt/crypt.h"
#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

struct fuzz {
    struct json_reader *reader;
    struct arena *arena;
    struct buf out;
    struct ledger_key key;
};

static struct fuzz *fuzz_of(void)
{
    static const unsigned char seed[32] = "a seed that no input has guessed";
    static struct fuzz f;
    struct ledger_signer s;
    struct err e;
    if (!f.arena) {
        must(crypt_init(&e) && (f.arena = arena_new(1 << 24)) && (f.reader = json_reader_new()));
        must(ledger_signer_make(STR("in.example/ledger"), LEDGER_KEY_LOG, seed, &s, &e));
        f.key = s.key;
    }
    arena_reset(f.arena);
    buf_clear(&f.out);
    return &f;
}

static void check_file(struct fuzz *f, struct str text)
{
    struct ledger_evidence v, again;
    struct ledger_checkpoint c;
    struct err e = {0};
    if (!ledger_evidence_parse(f->reader, f->arena, text, &v, &e)) {
        must(e.code != ERR_NONE && e.msg[0]);
        return;
    }
    must(!ledger_evidence_check(f->arena, &v, &f->key, &c, &e));
    ledger_evidence_put(&v, &f->out);
    must(ledger_evidence_parse(f->reader, f->arena, buf_view(&f->out), &again, &e));
    must(str_eq(v.record, again.record) && str_eq(v.salt, again.salt) && v.index == again.index);
    must(str_eq(v.checkpoint, again.checkpoint) && v.inclusion.count == again.inclusion.count);
}

static void check_record(struct fuzz *f, struct str text)
{
    struct ledger_record r;
    struct err e;
    buf_clear(&f->out);
    if (!ledger_record_parse(f->reader, f->arena, text, &r, &e))
        return;
    must(ledger_record_put(&r, &f->out, &e) && str_eq(buf_view(&f->out), text));
}

/* Two sizes of 8 bytes, then hashes. */
static void check_hashes(struct str bytes)
{
    struct ledger_proof p = {0};
    struct ledger_head older = {0, {{1}}}, newer = {0, {{2}}};
    struct ledger_hash leaf = {{3}};
    if (bytes.n < 16)
        return;
    memcpy(&older.size, bytes.p, 8);
    memcpy(&newer.size, bytes.p + 8, 8);
    for (bytes = str_from(bytes, 16); bytes.n >= LEDGER_HASH_BYTES && p.count < 64;
         bytes = str_from(bytes, LEDGER_HASH_BYTES))
        memcpy(&p.hash[p.count++], bytes.p, LEDGER_HASH_BYTES);
    must(!ledger_inclusion_verify(&p, older.size, &leaf, &newer));
    must(!ledger_consistency_verify(&p, &older, &newer));
    struct ledger_checkpoint a = {.origin = STR("a"), .head = older}, b = a;
    b.head = newer;
    (void)ledger_relation_name(ledger_compare(&a, &b, &p));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct fuzz *f = fuzz_of();
    struct str text = {(const char *)data, n};
    check_file(f, text);
    check_record(f, text);
    check_hashes(text);
    return 0;
}
