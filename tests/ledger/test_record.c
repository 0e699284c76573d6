/* Records and proof files: what each kind carries, the bytes they have, and that a stranger finds
 * any byte that was changed. The table of docs/LEDGER.md is checked against the code's. */
#include "ledger/log.h"

#define DIGEST_A "00000000000000000000000000000000000000000000000000000000000000aa"
#define DIGEST_B "00000000000000000000000000000000000000000000000000000000000000bb"
#define OBJECT   "indicator--00000000-0000-4000-8000-000000000001"
#define AT       1795486457000001 /* 2026-11-24T02:14:17.000001Z */

struct room {
    struct json_reader *reader;
    struct arena *arena;
    struct buf out;
};

static void room_init(struct room *r)
{
    r->reader = json_reader_new();
    r->arena = arena_new(1 << 24);
    buf_init(&r->out, 0);
}

static void room_done(struct room *r)
{
    json_reader_free(r->reader);
    arena_free(r->arena);
    buf_done(&r->out);
}

/* ---- records ---- */

static struct ledger_record release(void)
{
    struct ledger_record r = {.kind = LEDGER_RELEASE_RECORD, .at_us = AT};
    ledger_record_text(&r, LEDGER_ACTOR, STR("IN/cert-in/asha"));
    ledger_record_text(&r, LEDGER_OBJECT, STR(OBJECT));
    ledger_record_text(&r, LEDGER_DIGEST, STR(DIGEST_A));
    ledger_record_text(&r, LEDGER_COLLECTION, STR("alerts"));
    ledger_record_text(&r, LEDGER_AUDIENCE, STR(DIGEST_B));
    ledger_record_text(&r, LEDGER_POLICY, STR(DIGEST_A));
    ledger_record_text(&r, LEDGER_RULE, STR("release tlp:green to \"JP\""));
    ledger_record_number(&r, LEDGER_LINE, 12);
    return r;
}

#define RELEASE                                                                                    \
    "{\"actor\":\"IN/cert-in/asha\",\"at\":\"2026-11-24T02:14:17.000001Z\","                       \
    "\"audience\":\"" DIGEST_B "\",\"collection\":\"alerts\",\"digest\":\"" DIGEST_A "\","         \
    "\"kind\":\"release\",\"line\":12,\"object\":\"" OBJECT "\",\"policy\":\"" DIGEST_A "\","      \
    "\"rule\":\"release tlp:green to \\\"JP\\\"\"}"

static void test_release(void)
{
    struct room m;
    struct ledger_record r = release(), again;
    const struct json *doc;
    struct buf canonical;
    struct err e = {0};
    room_init(&m);
    buf_init(&canonical, 0);
    CHECK_ROW(ledger_record_put(&r, &m.out, &e), "%s", e.msg);
    CHECK(str_eq(buf_view(&m.out), STR(RELEASE)));
    CHECK(json_parse(m.reader, m.arena, buf_view(&m.out), false, &doc, &e) &&
          json_canonical(doc, &canonical, &e));
    CHECK(str_eq(buf_view(&canonical), STR(RELEASE))); /* RFC 8785 would write the same */
    CHECK(ledger_record_parse(m.reader, m.arena, STR(RELEASE), &again, &e));
    CHECK(again.kind == r.kind && again.at_us == r.at_us && again.number[LEDGER_LINE] == 12);
    CHECK(str_eq(again.text[LEDGER_RULE], r.text[LEDGER_RULE]));
    ledger_record_text(&r, LEDGER_RULE, STR_NONE);
    buf_clear(&m.out);
    CHECK(ledger_record_put(&r, &m.out, &e) && !memmem(m.out.p, m.out.n, "\"rule\"", 6));
    buf_done(&canonical);
    room_done(&m);
}

static void fill(struct ledger_record *r, uint32_t set)
{
    for (unsigned f = 0; f < LEDGER_FIELD_COUNT; f++) {
        if (!(set >> f & 1) || f == LEDGER_AT || f == LEDGER_KIND)
            continue;
        if (f == LEDGER_COUNT || f == LEDGER_LEAF || f == LEDGER_LINE || f == LEDGER_SIZE)
            ledger_record_number(r, (enum ledger_field)f, f);
        else
            ledger_record_text(r, (enum ledger_field)f, STR(DIGEST_A));
    }
}

/* Each kind with all it may have, with only what it must, without one of these, with one more. */
static void test_kinds(void)
{
    struct room m;
    struct err e;
    room_init(&m);
    for (unsigned k = 0; k < LEDGER_KIND_COUNT; k++) {
        uint32_t needs = ledger_kind_needs((enum ledger_kind)k);
        uint32_t allows = ledger_kind_allows((enum ledger_kind)k);
        for (unsigned f = 0; f < LEDGER_FIELD_COUNT; f++) {
            struct ledger_record r = {.kind = (enum ledger_kind)k, .at_us = AT}, again;
            uint32_t bit = (uint32_t)1 << f;
            fill(&r, (f % 2 ? needs : allows) ^ bit);
            bool forced = f == LEDGER_AT || f == LEDGER_KIND; /* it writes these itself */
            bool valid = forced || (f % 2 ? !(needs & bit) && (allows & bit)
                                          : (allows & bit) && !(needs & bit));
            buf_clear(&m.out);
            CHECK_ROW(ledger_record_put(&r, &m.out, &e) == valid, "%s, %s",
                      ledger_kind_name((enum ledger_kind)k),
                      ledger_field_name((enum ledger_field)f));
            CHECK(valid || (e.code == ERR_INVALID && m.out.n == 0));
            if (valid)
                CHECK(ledger_record_parse(m.reader, m.arena, buf_view(&m.out), &again, &e) &&
                      again.kind == k);
        }
    }
    room_done(&m);
}

static void test_forms(void)
{
    struct room m;
    struct err e;
    room_init(&m);
    struct ledger_record r = release();
    ledger_record_text(&r, LEDGER_DIGEST, STR("AA"));
    CHECK(!ledger_record_put(&r, &m.out, &e) && strstr(e.msg, "ill-formed digest"));
    r = release();
    ledger_record_text(&r, LEDGER_RULE, STR("\xff"));
    CHECK(!ledger_record_put(&r, &m.out, &e) && strstr(e.msg, "ill-formed rule"));
    r = release();
    ledger_record_number(&r, LEDGER_LINE, ((uint64_t)1 << 53) + 1);
    CHECK(!ledger_record_put(&r, &m.out, &e) && strstr(e.msg, "ill-formed line"));
    r = release();
    char *big = malloc(LIMIT_LEDGER_RECORD_BYTES);
    memset(big, 'a', LIMIT_LEDGER_RECORD_BYTES);
    ledger_record_text(&r, LEDGER_RULE, (struct str){big, LIMIT_LEDGER_RECORD_BYTES});
    CHECK(!ledger_record_put(&r, &m.out, &e) && e.code == ERR_LIMIT && m.out.n == 0);
    free(big);
    room_done(&m);
}

static const char *const bad_records[] = {
    "{}",
    "[]",
    "",
    "{\"kind\":\"release\"}",
    "{ \"actor\":\"a\",\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"backup\",\"size\":1}",
    "{\"at\":\"2026-11-24T02:14:17.000001Z\",\"actor\":\"a\",\"kind\":\"backup\",\"size\":1}",
    "{\"actor\":\"a\",\"at\":\"2026-11-24T02:14:17Z\",\"kind\":\"backup\",\"size\":1}",
    "{\"actor\":\"a\",\"at\":\"yesterday\",\"kind\":\"backup\",\"size\":1}",
    "{\"actor\":\"a\",\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"backup\",\"size\":1.0}",
    "{\"actor\":\"a\",\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"backup\",\"size\":-1}",
    "{\"actor\":\"a\",\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"backup\",\"size\":\"1\"}",
    "{\"actor\":1,\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"backup\",\"size\":1}",
    "{\"actor\":\"a\",\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"dance\",\"size\":1}",
    "{\"actor\":\"a\",\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"backup\",\"new\":1,"
    "\"size\":1}",
    "{\"actor\":\"\",\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"backup\",\"size\":1}",
    "{\"actor\":\"\\u0061\",\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"backup\",\"size\":1}",
};

static void test_bad_records(void)
{
    struct room m;
    struct ledger_record r;
    struct err e;
    room_init(&m);
    for (size_t i = 0; i < sizeof bad_records / sizeof *bad_records; i++)
        CHECK_ROW(!ledger_record_parse(m.reader, m.arena, str_of(bad_records[i]), &r, &e),
                  "row %zu", i);
    CHECK(ledger_record_parse(m.reader, m.arena,
                              STR("{\"actor\":\"a\",\"at\":\"2026-11-24T02:14:17.000001Z\","
                                  "\"kind\":\"backup\",\"size\":1}"),
                              &r, &e));
    room_done(&m);
}

static void put_names(struct buf *b, uint32_t set)
{
    set &= ~((uint32_t)1 << LEDGER_ACTOR | (uint32_t)1 << LEDGER_AT | (uint32_t)1 << LEDGER_KIND);
    for (unsigned f = 0, n = 0; f < LEDGER_FIELD_COUNT; f++)
        if (set >> f & 1)
            buf_printf(b, "%s%s", n++ ? ", " : "", ledger_field_name((enum ledger_field)f));
}

/* ---- a log of records ---- */

enum { LEAVES = 40 };

struct entry {
    char record[200], salt[LEDGER_SALT_LEAST];
};

static void make_entry(struct entry *x, unsigned number)
{
    struct ledger_record r = {.kind = LEDGER_BACKUP_RECORD, .at_us = AT + number};
    struct buf b;
    struct err e;
    buf_init(&b, 0);
    ledger_record_text(&r, LEDGER_ACTOR, STR("IN/cert-in/asha"));
    ledger_record_number(&r, LEDGER_SIZE, number);
    must(ledger_record_put(&r, &b, &e) && b.n < sizeof x->record);
    memset(x, 0, sizeof *x);
    memcpy(x->record, b.p, b.n);
    memset(x->salt, (int)number, sizeof x->salt);
    buf_done(&b);
}

static struct ledger_hash leaf_of(const struct entry *x)
{
    struct ledger_hash h;
    ledger_entry_hash((struct str){x->salt, sizeof x->salt}, str_of(x->record), &h);
    ledger_leaf_hash((struct str){(const char *)h.b, sizeof h.b}, &h);
    return h;
}

static struct ledger_head head_of(const struct entry *x, size_t count)
{
    struct ledger_tree t = {0};
    struct ledger_head head;
    for (size_t i = 0; i < count; i++) {
        struct ledger_hash leaf = leaf_of(&x[i]);
        ledger_tree_append(&t, &leaf);
    }
    ledger_tree_head(&t, &head);
    return head;
}

/* SHA-256(0x00 || SHA-256(salt || record)), as sha256sum and xxd compute it. */
static void test_leaf(void)
{
    struct ledger_hash entry, leaf, want;
    ledger_entry_hash(STR("0123456789abcdef"), STR(RELEASE), &entry);
    want = hash_of_hex("5001cda77f540d9673b294f3b74850291c1cf425e31215e9c4d0a0a52b93df75");
    CHECK(ledger_hash_eq(&entry, &want));
    ledger_leaf_hash((struct str){(const char *)entry.b, sizeof entry.b}, &leaf);
    want = hash_of_hex("b0cd17e5d95b85aaca9be2222775b678a1acc252ab7d7af693d0e0df8e30b0c2");
    CHECK(ledger_hash_eq(&leaf, &want));
}

/* Any byte of any record or salt, the order and the number of the records: another root. */
static void test_tampered_records(void)
{
    static struct entry x[LEAVES];
    for (unsigned i = 0; i < LEAVES; i++)
        make_entry(&x[i], i);
    struct ledger_head head = head_of(x, LEAVES), other;
    unsigned same = 0;
    for (unsigned i = 0; i < LEAVES; i++) {
        for (size_t n = 0; n < strlen(x[i].record) + LEDGER_SALT_LEAST; n++) {
            char *p = n < LEDGER_SALT_LEAST ? &x[i].salt[n] : &x[i].record[n - LEDGER_SALT_LEAST];
            *p ^= 0x20;
            other = head_of(x, LEAVES);
            same += ledger_hash_eq(&other.root, &head.root);
            *p ^= 0x20;
        }
        struct entry kept = x[i];
        x[i] = x[(i + 1) % LEAVES];
        x[(i + 1) % LEAVES] = kept;
        other = head_of(x, LEAVES);
        same += ledger_hash_eq(&other.root, &head.root);
        x[(i + 1) % LEAVES] = x[i];
        x[i] = kept;
        other = head_of(x, i);
        same += ledger_hash_eq(&other.root, &head.root);
    }
    CHECK(same == 0);
    other = head_of(x, LEAVES);
    CHECK(ledger_hash_eq(&other.root, &head.root));
}

/* ---- proof files ---- */

struct sealed {
    struct room m;
    struct ledger_signer signer;
    struct buf note, file;
};

/* A log of records, its signed checkpoint, and the proof file of record `number`. */
static void seal(struct sealed *s, unsigned number)
{
    static const unsigned char seed[32] = {3};
    static struct entry x[LEAVES];
    struct log l = {0};
    struct ledger_tiles tiles = log_tiles(&l);
    struct ledger_checkpoint c = {.origin = STR("in.example/ledger")};
    struct ledger_evidence v = {.index = number};
    struct err e;
    room_init(&s->m);
    buf_init(&s->note, 0);
    buf_init(&s->file, 0);
    for (unsigned i = 0; i < LEAVES; i++) {
        make_entry(&x[i], i);
        struct ledger_hash leaf = leaf_of(&x[i]);
        CHECK(ledger_tiles_append(&tiles, i, &leaf, 1, &e));
    }
    c.head = head_of(x, LEAVES);
    CHECK(ledger_signer_make(c.origin, LEDGER_KEY_LOG, seed, &s->signer, &e));
    CHECK(ledger_checkpoint_sign(&c, &s->signer, &s->note, &e));
    CHECK(ledger_inclusion_prove(&tiles, number, LEAVES, &v.inclusion, &e));
    v.record = str_of(x[number].record);
    v.salt = (struct str){x[number].salt, sizeof x[number].salt};
    v.checkpoint = buf_view(&s->note);
    ledger_evidence_put(&v, &s->file);
    log_done(&l);
}

static void unseal(struct sealed *s)
{
    room_done(&s->m);
    buf_done(&s->note);
    buf_done(&s->file);
}

static bool holds(struct sealed *s, struct str file, struct ledger_evidence *v)
{
    struct ledger_checkpoint c;
    struct err e = {0};
    arena_reset(s->m.arena);
    bool ok = ledger_evidence_parse(s->m.reader, s->m.arena, file, v, &e) &&
              ledger_evidence_check(s->m.arena, v, &s->signer.key, &c, &e);
    CHECK_ROW(ok || (e.code != ERR_NONE && e.code != ERR_INTERNAL), "%s", err_name(e.code));
    return ok;
}

static void test_evidence(void)
{
    struct sealed s;
    struct ledger_evidence v;
    for (unsigned number = 0; number < LEAVES; number += 13) {
        seal(&s, number);
        CHECK(holds(&s, buf_view(&s.file), &v) && v.index == number);
        for (size_t i = 0; i < s.file.n * 8; i++) {
            s.file.p[i / 8] = (char)(s.file.p[i / 8] ^ 1 << i % 8);
            bool blank = i / 8 == s.file.n - 1 && str_trim(buf_view(&s.file)).n < s.file.n;
            CHECK_ROW(blank || !holds(&s, buf_view(&s.file), &v), "bit %zu", i);
            s.file.p[i / 8] = (char)(s.file.p[i / 8] ^ 1 << i % 8);
        }
        for (size_t n = 0; n < s.file.n - 1; n++) {
            char *exact = malloc(n ? n : 1);
            memcpy(exact, s.file.p, n);
            CHECK_ROW(!holds(&s, (struct str){exact, n}, &v), "prefix %zu", n);
            free(exact);
        }
        s.signer.key.public_key[0] ^= 1;
        CHECK(!holds(&s, buf_view(&s.file), &v));
        unseal(&s);
    }
}

/* Another program has written the file anew: blanks, order, escapes. The record is the same. */
static void test_rewritten(void)
{
    struct sealed s;
    struct ledger_evidence v;
    const struct json *doc;
    struct buf b;
    struct err e;
    seal(&s, 7);
    buf_init(&b, 0);
    CHECK(json_parse(s.m.reader, s.m.arena, buf_view(&s.file), false, &doc, &e));
    CHECK(json_canonical(doc, &b, &e));
    CHECK(!str_eq(buf_view(&b), buf_view(&s.file)) && holds(&s, buf_view(&b), &v));
    const char *actor = memmem(s.file.p, s.file.n, "{\"actor\":\"IN", 12);
    CHECK(actor != NULL);
    size_t at = (size_t)(actor - s.file.p);
    buf_clear(&b);
    buf_put(&b, s.file.p, at);
    buf_lit(&b, "{\n  \"actor\" : \"\\u0049N");
    buf_str(&b, str_from(buf_view(&s.file), at + 12));
    CHECK(holds(&s, buf_view(&b), &v));
    buf_done(&b);
    unseal(&s);
}

/* ---- the manual ---- */

/* From `begin` in the manual to the end of that line. */
static struct str line_of(struct str text, const char *begin)
{
    const char *at = memmem(text.p, text.n, begin, strlen(begin));
    struct str rest = at ? (struct str){at, text.n - (size_t)(at - text.p)} : STR_NONE;
    return str_cut(&rest, '\n');
}

static void check_example(struct str manual)
{
    struct room m;
    struct ledger_key k;
    struct ledger_evidence v;
    struct ledger_checkpoint c;
    struct err e = {0};
    room_init(&m);
    CHECK_ROW(
        ledger_key_parse(line_of(manual, "in.example/ledger+"), &k, &e) &&
            ledger_evidence_parse(m.reader, m.arena, line_of(manual, "{\"format\""), &v, &e) &&
            ledger_evidence_check(m.arena, &v, &k, &c, &e),
        "%s", e.msg);
    room_done(&m);
}

static void test_manual(void)
{
    struct str text;
    struct buf row;
    struct err e;
    buf_init(&row, 0);
    CHECK(file_read("docs/LEDGER.md", 0, &text, &e));
    for (unsigned k = 0; k < LEDGER_KIND_COUNT; k++) {
        uint32_t needs = ledger_kind_needs((enum ledger_kind)k);
        buf_clear(&row);
        buf_printf(&row, "\n| `%s` | ", ledger_kind_name((enum ledger_kind)k));
        put_names(&row, needs);
        buf_lit(&row, " | ");
        put_names(&row, ledger_kind_allows((enum ledger_kind)k) & ~needs);
        buf_lit(&row, " |\n");
        CHECK_ROW(memmem(text.p, text.n, row.p, row.n), "docs/LEDGER.md lacks %.*s",
                  STR_FMT(buf_view(&row)));
    }
    buf_done(&row);
    check_example(text);
    base_free((void *)(uintptr_t)text.p);
}

/* Who it was released to is in the record as a digest; the text beside it must be its own. */
static void test_audience(void)
{
    struct room m;
    struct ledger_evidence v = {
        .salt = STR("0123456789abcdef"),
        .audience = STR("+IN +JP/nisc"),
        .audience_salt = STR("fedcba9876543210"),
        .record = STR(
            "{\"audience\":\"fa42954f4b19e521beaa331c96642d1bebccb5ac25c0aa47be4dcdf460207edc\"}"),
        .checkpoint = STR("x")};
    struct ledger_evidence again = {0};
    struct err e;
    room_init(&m);
    ledger_evidence_put(&v, &m.out);
    CHECK(ledger_evidence_parse(m.reader, m.arena, buf_view(&m.out), &again, &e) &&
          str_eq(again.audience, v.audience));
    buf_clear(&m.out);
    v.audience = STR("+IN");
    ledger_evidence_put(&v, &m.out);
    CHECK(!ledger_evidence_parse(m.reader, m.arena, buf_view(&m.out), &again, &e) &&
          e.code == ERR_INVALID);
    room_done(&m);
}

#define NOTE_JSON  "\"checkpoint\":\"x\""
#define SALT_JSON  "\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA==\""
#define PROOF_JSON "\"inclusion\":[]"
#define REST_JSON  "\"format\":\"setu-ledger-proof/1\",\"record\":{}"

static const char *const bad_files[] = {
    "[]",
    "{}",
    "{" NOTE_JSON "," SALT_JSON "," PROOF_JSON ",\"index\":0,\"record\":{}}",
    "{" NOTE_JSON "," SALT_JSON "," PROOF_JSON ",\"index\":-1," REST_JSON "}",
    "{" NOTE_JSON "," SALT_JSON "," PROOF_JSON ",\"index\":0.5," REST_JSON "}",
    "{" NOTE_JSON "," SALT_JSON "," PROOF_JSON ",\"index\":\"0\"," REST_JSON "}",
    "{" NOTE_JSON "," SALT_JSON ",\"inclusion\":[\"AA==\"],\"index\":0," REST_JSON "}",
    "{" NOTE_JSON "," SALT_JSON ",\"inclusion\":[1],\"index\":0," REST_JSON "}",
    "{" NOTE_JSON "," SALT_JSON ",\"inclusion\":\"\",\"index\":0," REST_JSON "}",
    "{" NOTE_JSON ",\"salt\":\"AAAA\"," PROOF_JSON ",\"index\":0," REST_JSON "}",
    "{" NOTE_JSON "," PROOF_JSON ",\"index\":0," REST_JSON "}",
    "{" SALT_JSON "," PROOF_JSON ",\"index\":0," REST_JSON "}",
};

static void test_bad_files(void)
{
    struct room m;
    struct ledger_evidence v = {0};
    struct err e;
    room_init(&m);
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++)
        CHECK_ROW(!ledger_evidence_parse(m.reader, m.arena, str_of(bad_files[i]), &v, &e) &&
                      e.code == ERR_INVALID,
                  "row %zu", i);
    CHECK(ledger_evidence_parse(
        m.reader, m.arena,
        STR("{" NOTE_JSON "," SALT_JSON "," PROOF_JSON ",\"index\":0," REST_JSON "}"), &v, &e));
    CHECK(str_eq(v.record, STR("{}")) && v.salt.n == 16);
    struct str long_text = {calloc(1, LIMIT_LEDGER_EVIDENCE_BYTES + 1),
                            LIMIT_LEDGER_EVIDENCE_BYTES + 1};
    CHECK(!ledger_evidence_parse(m.reader, m.arena, long_text, &v, &e) && e.code == ERR_LIMIT);
    free((void *)(uintptr_t)long_text.p);
    room_done(&m);
}

int main(void)
{
    struct err e;
    CHECK(crypt_init(&e));
    test_release();
    test_kinds();
    test_forms();
    test_bad_records();
    test_leaf();
    test_tampered_records();
    test_evidence();
    test_rewritten();
    test_audience();
    test_manual();
    test_bad_files();
    TEST_END();
}
