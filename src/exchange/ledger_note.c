/*
 * Records of what has no transaction of its own: exports, reads of what is strictly marked,
 * sign-ins that failed. Reads and sign-ins are handed to the writer, so nobody who reads waits for
 * a disk; one that cannot be written is counted. An export waits for its record.
 */
#include <stdio.h>
#include <string.h>

#include "exchange/exchange_priv.h"
#include "exchange/gate_priv.h"

/* ---- handing in ---- */

struct note_job {
    struct exchange_job job;
    struct exchange *x;
    struct arena *arena; /* holds this and all text */
    struct principal who;
    bool by_node; /* not by `who` */
    struct ledger_record record;
};

static bool note_apply(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    struct note_job *n = (struct note_job *)j;
    (void)s;
    return gate_act_for(x->gate, n->by_node ? NULL : &n->who, e) &&
           gate_record(x->gate, &n->record, 0, e);
}

static void note_done(struct exchange_job *j, bool ok, const struct err *e)
{
    struct note_job *n = (struct note_job *)j;
    if (!ok)
        atomic_fetch_add(&n->x->notes_lost, 1);
    if (!ok && n->x->on_lost)
        n->x->on_lost(ledger_kind_name(n->record.kind), e);
    arena_free(n->arena);
}

void exchange_on_lost(struct exchange *x, exchange_lost_fn *tell)
{
    x->on_lost = tell;
}

uint64_t exchange_records_lost(const struct exchange *x)
{
    return atomic_load(&x->notes_lost);
}

static bool hand_in(struct exchange *x, const struct principal *who, const struct ledger_record *r,
                    struct err *e)
{
    struct arena *a = arena_new(64u << 10);
    struct note_job *n = a ? arena_calloc(a, 1, sizeof *n) : NULL;
    if (!n) {
        arena_free(a);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    n->job = (struct exchange_job){.objects = 1, .apply = note_apply, .done = note_done};
    n->x = x;
    n->arena = a;
    n->by_node = who == NULL;
    n->record = *r;
    if (who)
        n->who = (struct principal){
            .name = arena_str(a, who->name),
            .role = who->role,
            .party = {arena_str(a, who->party.nation), arena_str(a, who->party.org)}};
    for (int f = 0; f < LEDGER_FIELD_COUNT; f++)
        if (r->text[f].n)
            n->record.text[f] = arena_str(a, r->text[f]);
    if (arena_ok(a, e) && exchange_enqueue(x, &n->job, e))
        return true;
    arena_free(a);
    return false;
}

/* ---- exports ---- */

struct export_job {
    struct exchange_waiter w;
    struct ledger_record record;
};

static bool export_apply(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    (void)s;
    return gate_act_for(x->gate, NULL, e) &&
           gate_record(x->gate, &((struct export_job *)j)->record, 0, e);
}

bool exchange_ledger_export(struct exchange *x, const struct exchange_export *o, struct err *e)
{
    struct export_job j = {.w.job = {.objects = 1, .apply = export_apply},
                           .record.kind = LEDGER_EXPORT_RECORD};
    ledger_record_text(&j.record, LEDGER_FORMAT, o->format);
    ledger_record_number(&j.record, LEDGER_COUNT, o->count);
    ledger_record_text(&j.record, LEDGER_COLLECTION, o->collection);
    ledger_record_text(&j.record, LEDGER_RECIPIENT, o->recipient);
    return exchange_run(x, &j.w, e);
}

/* ---- reads ---- */

bool exchange_reads_recorded(const struct exchange *x, enum stix_tlp *from)
{
    return stix_tlp_parse(exchange_config(x)->ledger_reads, from);
}

void exchange_reading_row(struct exchange_reading *r, const struct store_row *row)
{
    unsigned tlp = row->object->tlp ? row->object->tlp : row->object->marking;
    if (tlp < (unsigned)r->from)
        return;
    r->count++;
    r->strictest = tlp > r->strictest ? tlp : r->strictest;
}

bool exchange_reading_done(struct exchange *x, const struct principal *who,
                           const struct exchange_reading *reading, struct err *e)
{
    struct ledger_record r = {.kind = LEDGER_READ_RECORD};
    if (reading->count == 0)
        return true;
    ledger_record_text(&r, LEDGER_MARKING,
                       str_of(stix_tlp_name((enum stix_tlp)reading->strictest)));
    ledger_record_number(&r, LEDGER_COUNT, reading->count);
    ledger_record_text(&r, LEDGER_COLLECTION, reading->collection);
    return hand_in(x, who, &r, e);
}

/* ---- sign-ins that failed ---- */

#define WINDOW_US ((int64_t)60 * 1000000)

static bool record_failure(struct exchange *x, struct str address, uint64_t more, struct err *e)
{
    char reason[100] = "no user has these credentials";
    struct ledger_record r = {.kind = LEDGER_SIGN_IN_FAILURE_RECORD};
    if (more)
        snprintf(reason, sizeof reason, "%llu more in the minute before", (unsigned long long)more);
    ledger_record_text(&r, LEDGER_REASON, str_of(reason));
    ledger_record_text(&r, LEDGER_ADDRESS, address);
    return hand_in(x, NULL, &r, e);
}

/* The slot of an address, one that is free, or the last, which all others share. */
static struct exchange_failures *slot_of(struct exchange *x, struct str address, int64_t now)
{
    struct exchange_failures *free_one = NULL, *last = &x->failures[EXCHANGE_FAILURES - 1];
    for (struct exchange_failures *f = x->failures; f < last; f++) {
        if (f->until_us > now && str_eq(str_of(f->address), address))
            return f;
        if (f->until_us <= now && f->more == 0 && !free_one)
            free_one = f;
    }
    if (!free_one)
        return last;
    snprintf(free_one->address, sizeof free_one->address, "%.*s", STR_FMT(address));
    return free_one;
}

/* What was only counted in windows that are over. */
static void tell_more(struct exchange *x, int64_t now)
{
    struct err ignored;
    for (size_t i = 0; i < EXCHANGE_FAILURES; i++) {
        struct exchange_failures *f = &x->failures[i];
        if (f->more && f->until_us <= now &&
            record_failure(x, str_of(f->address), f->more, &ignored))
            f->more = 0;
    }
}

void exchange_sign_in_failed(struct exchange *x, struct str address)
{
    int64_t now = monotonic_us();
    struct err ignored;
    pthread_mutex_lock(&x->failures_lock);
    tell_more(x, now);
    struct exchange_failures *f = slot_of(x, address, now);
    if (f->until_us > now) {
        f->more++;
    } else if (record_failure(x, str_of(f->address), 0, &ignored)) {
        f->until_us = now + WINDOW_US;
    } else {
        f->until_us = now + WINDOW_US; /* the writer is busy: it is told with the others */
        f->more++;
    }
    pthread_mutex_unlock(&x->failures_lock);
}

void exchange_failures_flush(struct exchange *x)
{
    pthread_mutex_lock(&x->failures_lock);
    tell_more(x, INT64_MAX);
    pthread_mutex_unlock(&x->failures_lock);
}
