/* setu ledger check-proof: believes a proof file, or says why not. No node is needed. */
#include <stdio.h>
#include <string.h>

#include "cli/ledger_key_file.h"
#include "crypt/crypt.h"

static const struct cli_option options[] = {
    CLI_LEDGER_KEY("key", "the verifier key of the ledger, as text or in a file", true),
    {"for", 0, CLI_TEXT, "NATION/ORG", NULL,
     "it must also be a release to this organisation, such as JP/nisc", 0, 0, false, false},
    {"object", 0, CLI_TEXT, "FILE", NULL,
     "it must also be of the object in this file, byte for byte as it was received", 0, 0, false,
     false},
    CLI_JSON,
    CLI_OPTION_END,
};

struct checking {
    struct cli *c;
    struct ledger_key key;
    struct ledger_evidence v;
    struct ledger_checkpoint checkpoint;
    struct ledger_record r;
};

static bool same_object(struct checking *x, struct err *e)
{
    struct str path = cli_text(x->c, "object"), bytes;
    unsigned char digest[CRYPT_SHA256_BYTES];
    struct buf hex;
    if (!path.n)
        return true;
    if (!file_read(path.p, LIMIT_STIX_OBJECT_BYTES, &bytes, e))
        return false;
    crypt_sha256(bytes, digest);
    base_free((void *)(uintptr_t)bytes.p);
    buf_init(&hex, 0);
    buf_hex(&hex, digest, sizeof digest);
    bool same = str_eq(buf_view(&hex), x->r.text[LEDGER_DIGEST]);
    buf_done(&hex);
    return same || err_set(e, ERR_INVALID, "%.*s is not the object that the record is about",
                           STR_FMT(path));
}

static bool for_whom(struct checking *x, struct err *e)
{
    struct str who = cli_text(x->c, "for"), rest = who;
    struct policy_party party = {.nation = str_cut(&rest, '/'), .org = rest};
    if (!who.n)
        return true;
    if (!policy_nation_valid(party.nation) || !policy_org_valid(party.org))
        return err_set(e, ERR_USAGE, "--for \"%.*s\": give a nation and an organisation: JP/nisc",
                       STR_FMT(who));
    return (x->r.kind == LEDGER_RELEASE_RECORD && x->v.audience.n &&
            policy_audience_has(x->v.audience, &party)) ||
           err_set(e, ERR_INVALID, "it is no release to %.*s", STR_FMT(who));
}

static bool check(struct checking *x, struct err *e)
{
    struct json_reader *reader = json_reader_new();
    struct str bytes = STR_NONE;
    bool given;
    bool ok = (reader || err_set(e, ERR_MEMORY, "out of memory")) &&
              cli_read_key(x->c, "key", &x->key, &given, e) &&
              file_read(x->c->args[0], LIMIT_LEDGER_EVIDENCE_BYTES, &bytes, e) &&
              ledger_evidence_parse(reader, x->c->arena, bytes, &x->v, e) &&
              ledger_evidence_check(x->c->arena, &x->v, &x->key, &x->checkpoint, e) &&
              ledger_record_parse(reader, x->c->arena, x->v.record, &x->r, e) && for_whom(x, e) &&
              same_object(x, e);
    base_free((void *)(uintptr_t)bytes.p);
    json_reader_free(reader);
    return ok;
}

static void put_json(const struct checking *x, struct buf *b)
{
    buf_lit(b, "{\"ok\":true");
    json_put_member(b, "origin", x->checkpoint.origin);
    json_put_member_u64(b, "index", x->v.index);
    json_put_member_u64(b, "size", x->checkpoint.head.size);
    json_put_name(b, "record");
    buf_str(b, x->v.record);
    if (x->v.audience.n)
        json_put_member(b, "audience", x->v.audience);
    buf_lit(b, "}\n");
}

static void put_line(struct buf *b, const char *what, struct str text)
{
    if (!text.n)
        return;
    buf_printf(b, "  %-10s ", what);
    buf_printable(b, text, LIMIT_LEDGER_TEXT_BYTES);
    buf_byte(b, '\n');
}

static void put_text(const struct checking *x, struct buf *b)
{
    char at[INSTANT_TEXT_BYTES];
    buf_printf(b, "It holds: leaf %llu of the %llu that %.*s has signed.\n",
               (unsigned long long)x->v.index, (unsigned long long)x->checkpoint.head.size,
               STR_FMT(x->checkpoint.origin));
    put_line(b, "what", str_of(ledger_kind_name(x->r.kind)));
    put_line(b, "when", instant_text(instant_of_us(x->r.at_us), 6, at));
    put_line(b, "by", x->r.text[LEDGER_ACTOR]);
    put_line(b, "object", x->r.text[LEDGER_OBJECT]);
    put_line(b, "version", x->r.text[LEDGER_VERSION]);
    put_line(b, "SHA-256", x->r.text[LEDGER_DIGEST]);
    if (x->v.audience.n) {
        buf_lit(b, "  to         ");
        cli_put_audience(b, x->v.audience);
        buf_byte(b, '\n');
    }
    put_line(b, "rule", x->r.text[LEDGER_RULE]);
    if (x->r.fields >> LEDGER_LINE & 1)
        buf_printf(b, "  line       %llu of policy.conf\n",
                   (unsigned long long)x->r.number[LEDGER_LINE]);
    put_line(b, "lines", x->r.text[LEDGER_LINES]);
    put_line(b, "policy", x->r.text[LEDGER_POLICY]);
    put_line(b, "collection", x->r.text[LEDGER_COLLECTION]);
}

static int run(struct cli *c)
{
    struct checking x = {.c = c};
    struct err e = {0};
    struct buf b;
    if (!check(&x, &e)) {
        int status = cli_fail(c, &e);
        return e.code == ERR_INVALID || e.code == ERR_SYNTAX || e.code == ERR_LIMIT ? 1 : status;
    }
    buf_init(&b, 0);
    if (cli_flag(c, "json"))
        put_json(&x, &b);
    else
        put_text(&x, &b);
    int status = cli_print(c, &b);
    buf_done(&b);
    return status;
}

const struct cli_command cli_ledger_check_proof = {
    .name = "ledger check-proof",
    .args = "FILE",
    .least_args = 1,
    .most_args = 1,
    .summary = "check a proof of the ledger, offline",
    .text =
        "FILE is what `setu ledger prove` wrote. Exit status 0 when the ledger of KEY holds the "
        "record, 1 when the file does not prove it. docs/LEDGER.md does the same with OpenSSL.",
    .options = options,
    .run = run,
};
