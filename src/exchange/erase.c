/* Lawful erasure: an officer has a record and its salt forgotten. The entry stays, and every proof
 * with it; that it was done, by whom and why, is a record itself. */
#include <string.h>

#include "exchange/audit_priv.h"
#include "exchange/gate_priv.h"

struct erase_job {
    struct exchange_waiter w;
    const struct principal *officer;
    uint64_t leaf;
    struct str reason;
};

struct looked {
    const struct exchange *x;
    bool there, gone, has_digest, has_audience;
    enum ledger_kind kind;
    char digest[LEDGER_HEX_BYTES]; /* of what it is the word for */
    char audience[LEDGER_HEX_BYTES];
};

static bool look(void *ctx, const struct store_leaf *l)
{
    struct looked *x = ctx;
    struct ledger_record r;
    struct audit_key k;
    x->there = true;
    x->gone = !ledger_record_scan(l->record, &r);
    x->has_digest = !x->gone && audit_key_of(&r, l->index, &k);
    if (!x->gone)
        x->kind = r.kind;
    if (x->has_digest)
        audit_key_digest(x->x, &k, x->digest);
    x->has_audience = !x->gone && r.text[LEDGER_AUDIENCE].n == sizeof x->audience;
    if (x->has_audience)
        memcpy(x->audience, r.text[LEDGER_AUDIENCE].p, sizeof x->audience);
    return false;
}

/* Others rely on some: partners follow withdrawals, officers there judge by restores; what policy
 * was in force is no person's. */
static bool may_be_erased(struct store *s, uint64_t leaf, struct looked *x, struct err *e)
{
    if (!store_ledger_each(s, leaf, leaf + 1, look, x, e))
        return false;
    if (!x->there)
        return err_set(e, ERR_NOT_FOUND, "the ledger has no leaf %llu", (unsigned long long)leaf);
    if (x->gone)
        return err_set(e, ERR_CONFLICT, "the record of leaf %llu is erased already",
                       (unsigned long long)leaf);
    bool relied_on = x->kind == LEDGER_WITHDRAWAL_RECORD || x->kind == LEDGER_RESTORE_RECORD ||
                     x->kind == LEDGER_ERASURE_RECORD || x->kind == LEDGER_POLICY_CHANGE_RECORD;
    return !relied_on || err_set(e, ERR_FORBIDDEN, "others rely on a record of kind %s: it stays",
                                 ledger_kind_name(x->kind));
}

static bool erase_apply(struct exchange *x, struct store *s, struct exchange_job *job,
                        struct err *e)
{
    const struct erase_job *j = (struct erase_job *)job;
    struct ledger_record r = {.kind = LEDGER_ERASURE_RECORD};
    struct looked was = {.x = x};
    ledger_record_number(&r, LEDGER_LEAF, j->leaf);
    ledger_record_text(&r, LEDGER_REASON, j->reason);
    if (!may_be_erased(s, j->leaf, &was, e))
        return false;
    if (was.has_digest)
        ledger_record_text(&r, LEDGER_DIGEST, (struct str){was.digest, sizeof was.digest});
    if (was.has_audience)
        ledger_record_text(&r, LEDGER_AUDIENCE, (struct str){was.audience, sizeof was.audience});
    return gate_act_for(x->gate, j->officer, e) && store_ledger_erase(s, j->leaf, e) &&
           gate_record(x->gate, &r, 0, e);
}

bool exchange_ledger_erase(struct exchange_session *s, const struct principal *officer,
                           uint64_t leaf, struct str reason, struct err *e)
{
    struct erase_job j = {.w.job = {.objects = 1, .apply = erase_apply},
                          .officer = officer,
                          .leaf = leaf,
                          .reason = reason};
    if (!exchange_officer_says(s->x, officer, "erase records", reason, e))
        return false;
    return exchange_run(s->x, &j.w, e);
}
