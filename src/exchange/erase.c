/* Lawful erasure: an officer has a record and its salt forgotten. The entry stays, and every proof
 * with it; that it was done, by whom and why, is a record itself. */
#include "exchange/exchange_priv.h"
#include "exchange/gate_priv.h"

struct erase_job {
    struct exchange_waiter w;
    const struct principal *officer;
    uint64_t leaf;
    struct str reason;
};

struct looked {
    bool there, gone;
    struct ledger_record r;
};

static bool look(void *ctx, const struct store_leaf *l)
{
    struct looked *x = ctx;
    x->there = true;
    x->gone = !ledger_record_scan(l->record, &x->r);
    return false;
}

/* Others rely on some: partners follow withdrawals, officers there judge by restores. */
static bool may_be_erased(struct store *s, uint64_t leaf, struct err *e)
{
    struct looked x = {0};
    if (!store_ledger_each(s, leaf, leaf + 1, look, &x, e))
        return false;
    if (!x.there)
        return err_set(e, ERR_NOT_FOUND, "the ledger has no leaf %llu", (unsigned long long)leaf);
    if (x.gone)
        return err_set(e, ERR_CONFLICT, "the record of leaf %llu is erased already",
                       (unsigned long long)leaf);
    bool relied_on = x.r.kind == LEDGER_WITHDRAWAL_RECORD || x.r.kind == LEDGER_RESTORE_RECORD ||
                     x.r.kind == LEDGER_ERASURE_RECORD;
    return !relied_on || err_set(e, ERR_FORBIDDEN, "others rely on a record of kind %s: it stays",
                                 ledger_kind_name(x.r.kind));
}

static bool erase_apply(struct exchange *x, struct store *s, struct exchange_job *job,
                        struct err *e)
{
    const struct erase_job *j = (struct erase_job *)job;
    struct ledger_record r = {.kind = LEDGER_ERASURE_RECORD};
    ledger_record_number(&r, LEDGER_LEAF, j->leaf);
    ledger_record_text(&r, LEDGER_REASON, j->reason);
    return may_be_erased(s, j->leaf, e) && gate_act_for(x->gate, j->officer, e) &&
           store_ledger_erase(s, j->leaf, e) && gate_record(x->gate, &r, 0, e);
}

bool exchange_ledger_erase(struct exchange_session *s, const struct principal *officer,
                           uint64_t leaf, struct str reason, struct err *e)
{
    struct erase_job j = {.w.job = {.objects = 1, .apply = erase_apply},
                          .officer = officer,
                          .leaf = leaf,
                          .reason = reason};
    if (!exchange_home_officer(s->x, officer))
        return err_set(e, ERR_FORBIDDEN, "only officers of %.*s erase records",
                       STR_FMT(s->x->config.org));
    if (reason.n == 0 || reason.n > LIMIT_EXCHANGE_MESSAGE_BYTES || !utf8_valid(reason) ||
        exchange_has_control(reason))
        return err_set(e, ERR_USAGE,
                       "--reason takes 1 to %d bytes of text without control characters",
                       LIMIT_EXCHANGE_MESSAGE_BYTES);
    return exchange_run(s->x, &j.w, e);
}
