#include "ledger/ledger.h"

#include "crypt/crypt.h"
#include "ledger/ledger_priv.h"

#define FORMAT STR("setu-ledger-proof/1")

/* ---- writing ---- */

static void put_base64(struct buf *out, struct str bytes)
{
    buf_byte(out, '"');
    crypt_base64_put(out, bytes, false);
    buf_byte(out, '"');
}

static void put_hashes(const struct ledger_proof *p, struct buf *out)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < p->count; i++) {
        if (i)
            buf_byte(out, ',');
        put_base64(out, (struct str){(const char *)p->hash[i].b, LEDGER_HASH_BYTES});
    }
    buf_byte(out, ']');
}

void ledger_audience_hash(struct str salt, struct str audience,
                          unsigned char out[CRYPT_SHA256_BYTES])
{
    struct crypt_hash h;
    crypt_hash_begin(&h);
    crypt_hash_add(&h, salt);
    crypt_hash_add(&h, audience);
    crypt_hash_end(&h, out);
}

void ledger_audience_put(struct str salt, struct str audience, struct buf *out)
{
    json_put_member(out, "audience", audience);
    json_put_name(out, "audience_salt");
    put_base64(out, salt);
}

void ledger_evidence_put(const struct ledger_evidence *v, struct buf *out)
{
    must(v->salt.n >= LEDGER_SALT_LEAST && v->salt.n <= LEDGER_SALT_MOST);
    buf_byte(out, '{');
    json_put_member(out, "format", FORMAT);
    json_put_name(out, "record");
    buf_str(out, v->record);
    json_put_name(out, "salt");
    put_base64(out, v->salt);
    if (v->audience.n)
        ledger_audience_put(v->audience_salt, v->audience, out);
    json_put_member_u64(out, "index", v->index);
    json_put_name(out, "inclusion");
    put_hashes(&v->inclusion, out);
    json_put_member(out, "checkpoint", v->checkpoint);
    buf_lit(out, "}\n");
}

/* ---- reading ---- */

static bool get_hashes(const struct json *array, struct ledger_proof *p)
{
    p->count = 0;
    if (!json_is(array, JSON_ARRAY) || array->count > LIMIT_LEDGER_PROOF_HASHES)
        return false;
    for (const struct json *h = array->u.child; h; h = h->next)
        if (h->type != JSON_STRING || !ledger_hash_get(h->u.s, &p->hash[p->count++]))
            return false;
    return true;
}

static bool get_salt(struct str text, struct arena *arena, struct str *out)
{
    char salt[LEDGER_SALT_MOST];
    size_t n;
    if (!crypt_base64_fill(text, salt, sizeof salt, &n) || n < LEDGER_SALT_LEAST)
        return false;
    *out = arena_str(arena, (struct str){salt, n});
    return true;
}

static bool get_record(const struct json *record, struct arena *arena, struct str *out,
                       struct err *e)
{
    struct buf b;
    buf_init(&b, LIMIT_LEDGER_RECORD_BYTES);
    bool ok = json_canonical(record, &b, e);
    if (ok)
        *out = arena_str(arena, buf_view(&b));
    buf_done(&b);
    return ok;
}

static bool audience_ok(const struct ledger_evidence *v, const struct json *record, struct err *e)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    struct buf hex;
    if (!v->audience.n)
        return true;
    buf_init(&hex, 0);
    ledger_audience_hash(v->audience_salt, v->audience, digest);
    buf_hex(&hex, digest, sizeof digest);
    bool ok = buf_ok(&hex, e) &&
              (str_eq(buf_view(&hex), json_get_str(record, STR("audience"))) ||
               err_set(e, ERR_INVALID, "the audience is not the one whose digest the record has"));
    buf_done(&hex);
    return ok;
}

bool ledger_evidence_parse(struct json_reader *reader, struct arena *arena, struct str json,
                           struct ledger_evidence *out, struct err *e)
{
    struct ledger_evidence v = {0};
    const struct json *doc;
    if (json.n > LIMIT_LEDGER_EVIDENCE_BYTES)
        return err_set(e, ERR_LIMIT, "a proof file of more than %u bytes",
                       LIMIT_LEDGER_EVIDENCE_BYTES);
    if (!json_parse(reader, arena, json, false, &doc, e))
        return false;
    const struct json *index = json_get(doc, STR("index")), *record = json_get(doc, STR("record"));
    v.checkpoint = json_get_str(doc, STR("checkpoint"));
    if (!str_eq(json_get_str(doc, STR("format")), FORMAT) || !json_is(record, JSON_OBJECT) ||
        !json_is(index, JSON_INTEGER) || index->u.i < 0 || !v.checkpoint.n ||
        !get_hashes(json_get(doc, STR("inclusion")), &v.inclusion) ||
        !get_salt(json_get_str(doc, STR("salt")), arena, &v.salt))
        return err_set(e, ERR_INVALID, "no proof file of a ledger");
    v.index = (uint64_t)index->u.i;
    v.audience = json_get_str(doc, STR("audience"));
    if (v.audience.n && !get_salt(json_get_str(doc, STR("audience_salt")), arena, &v.audience_salt))
        return err_set(e, ERR_INVALID, "the audience has no salt");
    if (!audience_ok(&v, record, e) || !get_record(record, arena, &v.record, e) ||
        !arena_ok(arena, e))
        return false;
    *out = v;
    return true;
}

bool ledger_evidence_check(struct arena *arena, const struct ledger_evidence *v,
                           const struct ledger_key *log, struct ledger_checkpoint *out,
                           struct err *e)
{
    struct ledger_hash entry, leaf;
    struct ledger_checkpoint c;
    if (!ledger_checkpoint_open(arena, v->checkpoint, log, &c, e))
        return false;
    ledger_entry_hash(v->salt, v->record, &entry);
    ledger_leaf_hash((struct str){(const char *)entry.b, sizeof entry.b}, &leaf);
    if (!ledger_inclusion_verify(&v->inclusion, v->index, &leaf, &c.head))
        return err_set(e, ERR_INVALID, "the record is not leaf %llu of that checkpoint",
                       (unsigned long long)v->index);
    *out = c;
    return true;
}
