/* What each record is the only word for, whether it is there or was erased. */
#include <stdio.h>
#include <string.h>

#include "exchange/audit_priv.h"
#include "exchange/gate_priv.h"

struct str audit_number(uint64_t leaf, char room[AUDIT_NUMBER_BYTES])
{
    return (struct str){
        room, (size_t)snprintf(room, AUDIT_NUMBER_BYTES, "%llu", (unsigned long long)leaf)};
}

static bool key(struct audit_key *out, enum audit_kind kind, struct str one, struct str two,
                struct str three)
{
    out->kind = kind;
    out->part[0] = one;
    out->part[1] = two;
    out->part[2] = three;
    return true;
}

static bool key_of_receipt(const struct str *t, uint64_t leaf, struct audit_key *out)
{
    struct str outcome = t[LEDGER_OUTCOME], taken = STR("confirmed-");
    struct str of = audit_number(leaf, out->room), digest = t[LEDGER_DIGEST];
    if (str_starts(outcome, taken))
        outcome = str_from(outcome, taken.n);
    if (digest.n == LEDGER_HEX_BYTES) {
        memcpy(out->room + of.n, digest.p, digest.n);
        of.n += digest.n;
    }
    return key(out, AUDIT_RECEIPT, t[LEDGER_PEER], of, outcome);
}

/* NATION/organisation, of an actor. */
static struct str organisation(struct str actor)
{
    struct str rest = actor;
    (void)str_cut(&rest, '/');
    (void)str_cut(&rest, '/');
    return rest.p ? str_slice(actor, 0, (size_t)(rest.p - actor.p) - 1) : actor;
}

bool audit_key_of(const struct ledger_record *r, uint64_t leaf, struct audit_key *out)
{
    const struct str *t = r->text;
    struct str object = t[LEDGER_OBJECT], in = t[LEDGER_COLLECTION], digest = t[LEDGER_DIGEST];
    switch (r->kind) {
    case LEDGER_ACCEPTANCE_RECORD:
        return key(out, AUDIT_OBJECT, object, digest, organisation(t[LEDGER_ACTOR]));
    case LEDGER_QUARANTINE_RECORD:
        return key(out, AUDIT_QUARANTINE, object, STR("quarantine"), in);
    case LEDGER_HOLD_RECORD:
        return key(out, AUDIT_HOLD, object, t[LEDGER_RECIPIENT], in);
    case LEDGER_APPROVAL_RECORD:
        return key(out, AUDIT_DECISION, object, t[LEDGER_OUTCOME], in);
    case LEDGER_USER_CHANGE_RECORD:
        return key(out, AUDIT_PERSON, t[LEDGER_SUBJECT], t[LEDGER_OUTCOME], digest);
    case LEDGER_COLLECTION_CHANGE_RECORD:
        return key(out, AUDIT_MADE, in, t[LEDGER_OUTCOME], digest);
    case LEDGER_RELEASE_RECORD:
        return key(out, AUDIT_RELEASE, object, t[LEDGER_VERSION], in);
    case LEDGER_WITHDRAWAL_RECORD:
        return key(out, AUDIT_TAKEN, object, audit_number(leaf, out->room), in);
    case LEDGER_RECEIPT_RECORD:
        return key_of_receipt(t, leaf, out);
    case LEDGER_REFUSAL_RECORD:
    case LEDGER_PEER_CHANGE_RECORD:
    case LEDGER_POLICY_CHANGE_RECORD:
    case LEDGER_TOKEN_CHANGE_RECORD:
    case LEDGER_SIGN_IN_FAILURE_RECORD:
    case LEDGER_EXPORT_RECORD:
    case LEDGER_BACKUP_RECORD:
    case LEDGER_RESTORE_RECORD:
    case LEDGER_ERASURE_RECORD:
    case LEDGER_READ_RECORD:
    case LEDGER_KIND_COUNT:
        return false;
    }
    return false;
}

/* Of digests, each of a text, so that no two keys are one. */
void audit_key_digest(const struct exchange *x, const struct audit_key *k,
                      char out[LEDGER_HEX_BYTES])
{
    unsigned char secret[CRYPT_SHA256_BYTES], mac[CRYPT_SHA256_BYTES];
    unsigned char texts[1 + 3 * CRYPT_SHA256_BYTES] = {(unsigned char)k->kind};
    for (size_t i = 0; i < 3; i++)
        crypt_sha256(k->part[i], texts + 1 + i * CRYPT_SHA256_BYTES);
    crypt_hmac_sha256(x->key, STR("setu ledger: what was erased"), secret);
    crypt_hmac_sha256(secret, (struct str){(const char *)texts, sizeof texts}, mac);
    crypt_wipe(secret, sizeof secret);
    ledger_hex(mac, out);
}
