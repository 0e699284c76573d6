/*
 * A restored node, until an officer has said that it was meant. In the store: `restored`, a line
 * "LEAF SIZE AT" for each restore that nobody has confirmed, the last one last; `backup`, "AT SIZE"
 * of the last backup. Instants in microseconds.
 */
#include <stdio.h>

#include "exchange/gate_priv.h"

#define VALUE     "restored"
#define ALL       "+*" /* whoever is a partner, or becomes one */
#define LINE_MOST 80

/* ---- the list ---- */

static bool list_get(struct store *s, struct buf *out, struct err *e)
{
    struct err none = {0};
    if (store_value_get(s, STR(VALUE), out, &none) || none.code == ERR_NOT_FOUND)
        return true;
    *e = none;
    return false;
}

/* One line; false at the end of the list. */
static bool list_next(struct str *rest, struct exchange_restored *out)
{
    struct str line = str_cut(rest, '\n');
    struct str leaf = str_cut(&line, ' '), size = str_cut(&line, ' ');
    uint64_t at;
    if (!str_to_u64(leaf, &out->leaf) || !str_to_u64(size, &out->size) || !str_to_u64(line, &at))
        return false;
    out->at_us = (int64_t)at;
    out->count++;
    return true;
}

bool exchange_restored_read(struct store *s, struct exchange_restored *out, struct err *e)
{
    struct buf b;
    buf_init(&b, LIMIT_RESTORES * LINE_MOST);
    bool ok = list_get(s, &b, e);
    *out = (struct exchange_restored){0};
    for (struct str rest = buf_view(&b); ok && list_next(&rest, out);)
        ;
    buf_done(&b);
    return ok;
}

bool exchange_restored(struct exchange_session *s, struct exchange_restored *out, struct err *e)
{
    return exchange_restored_read(s->store, out, e);
}

/* ---- records ---- */

static bool put_record(struct gate *g, uint64_t size, struct str digest, struct str reason,
                       struct err *e)
{
    struct ledger_record r = {.kind = LEDGER_RESTORE_RECORD};
    int64_t audience;
    ledger_record_number(&r, LEDGER_SIZE, size);
    ledger_record_text(&r, LEDGER_DIGEST, digest);
    ledger_record_text(&r, LEDGER_REASON, reason);
    return store_audience_put(g->store, STR(ALL), &audience, e) && gate_record(g, &r, audience, e);
}

bool gate_backup_taken(struct gate *g, int64_t at_us, uint64_t size, struct err *e)
{
    char value[64];
    snprintf(value, sizeof value, "%lld %llu", (long long)at_us, (unsigned long long)size);
    return store_value_put(g->store, STR("backup"), str_of(value), e);
}

bool gate_restored(struct gate *g, const struct gate_restoring *r, uint64_t *leaf, struct err *e)
{
    struct exchange_restored before;
    char line[LINE_MOST];
    struct buf list;
    buf_init(&list, LIMIT_RESTORES * LINE_MOST);
    bool ok = gate_act_for(g, NULL, e) && exchange_restored_read(g->store, &before, e) &&
              (before.count < LIMIT_RESTORES ||
               err_set(e, ERR_LIMIT, "this node was restored %d times, and no officer confirmed it",
                       LIMIT_RESTORES)) &&
              list_get(g->store, &list, e);
    if (ok) {
        *leaf = gate_next_leaf(g);
        snprintf(line, sizeof line, "%llu %llu %lld\n", (unsigned long long)*leaf,
                 (unsigned long long)r->size, (long long)g->now_us);
        buf_lit(&list, line);
        ok = buf_ok(&list, e) && store_value_put(g->store, STR(VALUE), buf_view(&list), e) &&
             put_record(g, r->size, r->digest, STR_NONE, e);
    }
    buf_done(&list);
    ok = ok && gate_backup_taken(g, r->backup_us, r->size, e);
    /* Nothing that was given out since the backup was later than its last instant then and the time
     * that has passed since, nor than now: a clock runs faster than objects are released. */
    return ok && store_dates_raise(g->store, g->now_us,
                                   g->now_us > r->backup_us ? g->now_us - r->backup_us : 0, e);
}

/* ---- confirming ---- */

struct confirm_job {
    struct exchange_waiter w;
    const struct principal *officer;
    struct str reason;
    struct exchange_restored confirmed;
};

static bool confirm_all(struct gate *g, struct confirm_job *j, struct err *e)
{
    struct buf list;
    buf_init(&list, LIMIT_RESTORES * LINE_MOST);
    bool ok = list_get(g->store, &list, e);
    j->confirmed = (struct exchange_restored){0};
    for (struct str rest = buf_view(&list); ok && list_next(&rest, &j->confirmed);)
        ok = put_record(g, j->confirmed.size, STR_NONE, j->reason, e);
    buf_done(&list);
    if (ok && j->confirmed.count == 0)
        ok = err_set(e, ERR_CONFLICT, "no restore of this node waits to be confirmed");
    return ok;
}

static bool confirm_apply(struct exchange *x, struct store *s, struct exchange_job *job,
                          struct err *e)
{
    struct confirm_job *j = (struct confirm_job *)job;
    return gate_act_for(x->gate, j->officer, e) && confirm_all(x->gate, j, e) &&
           store_value_put(s, STR(VALUE), STR(""), e);
}

bool exchange_restore_confirm(struct exchange_session *s, const struct principal *officer,
                              struct str reason, struct exchange_restored *out, struct err *e)
{
    struct confirm_job j = {
        .officer = officer, .reason = reason, .w = {.job = {.apply = confirm_apply}}};
    if (!exchange_officer_says(s->x, officer, "confirm a restore", reason, e))
        return false;
    if (!exchange_run(s->x, &j.w, e))
        return false;
    *out = j.confirmed;
    return true;
}
