/*
 * Random histories of a node: policies, people, objects that refer to each other, markings,
 * versions, withdrawals, edits of the policy, approvals. After every step everybody reads
 * everything, and it is what a naive model says. SETU_HISTORIES sets how many, SETU_TEST_SEED where
 * they begin: with the seed that a failure tells and SETU_HISTORIES=1 that one is repeated.
 */

#include "steps.h"

enum { STEPS = 14 };

static bool one_step(struct history *h, unsigned k)
{
    unsigned what = below(20);
    model_expire(&h->m);
    h->applied = false;
    if (k < 3 || what < 8)
        return step_submit(h);
    if (what < 10)
        return step_withdraw(h);
    if (what < 14)
        return step_vote(h);
    if (what < 17)
        return step_policy(h);
    if (what == 17)
        step_hours(h);
    if (what == 18)
        step_days(h);
    if (what == 19) {
        tell(h, "%s", "the node starts again");
        node_close(&h->node);
        node_open(&h->node);
    }
    return true;
}

static void tell_finding(void *ctx, const struct exchange_audit_finding *f)
{
    wrong(ctx, "the ledger, %s %llu: %s", f->what, f->has_index ? (unsigned long long)f->index : 0,
          f->message);
}

/* The ledger holds, and the store has what it records and nothing else. */
static bool check_ledger(struct history *h)
{
    struct exchange_audit o = {.finding = tell_finding, .ctx = h};
    struct exchange_audit_report r;
    struct err e = {0};
    struct buf note;
    buf_init(&note, 0);
    must_do(exchange_ledger_audit(h->node.s, &o, &note, &r, &e), &e);
    buf_done(&note);
    return r.findings == 0 && right(h);
}

static void history_start(struct history *h, uint64_t seed, const struct template *t)
{
    struct arena *a = h->arenas[0], *b = h->arenas[1];
    struct buf trace = h->trace;
    memset(h, 0, sizeof *h);
    h->seed = world_state = seed;
    h->arenas[0] = a;
    h->arenas[1] = b;
    h->trace = trace;
    buf_clear(&h->trace);
    h->redacts = one_in(2) ? 0 : 5;
    h->arrivals = one_in(2) ? 0 : 4;
    set_clock(h, day_us(8) + 60000000);
    random_policy(&h->m.policy, h->redacts, h->arrivals);
    tell(h, "%s", h->m.policy.text);
    node_start(&h->node, "node", t, h->m.policy.text);
}

static void run_history(struct history *h, uint64_t seed, const struct template *t)
{
    unsigned steps = (unsigned)world_number("SETU_HISTORY_STEPS", STEPS);
    history_start(h, seed, t);
    bool ok = true;
    for (unsigned k = 0; k < steps && ok; k++) {
        unsigned full = bit(below(PARTIES));
        ok = one_step(h, k) &&
             check_reading(h, k + 1 == steps ? full | bit(below(PARTIES)) : full) &&
             check_desk(h) && check_settled(h);
    }
    ok = ok && check_ledger(h);
    node_close(&h->node);
    model_free(&h->m);
    test_passed += h->checks;
}

/* Histories that once came out wrong. */
static const uint64_t found[] = {4647884450689604687, 2532443526133363417, 2842193761844736531};

int main(void)
{
    static struct history h;
    static struct template t;
    struct err e;
    uint64_t histories = world_number("SETU_HISTORIES", 500), first;
    if (!crypt_init(&e) || !faults_install())
        return 1;
    if (access("/dev/shm", W_OK) == 0) /* that the disk keeps it is not asked here */
        setenv("TMPDIR", "/dev/shm", 1);
    folder_make("histories");
    first = world_first_seed();
    template_make(&t);
    h.arenas[0] = arena_new(256 << 20);
    h.arenas[1] = arena_new(256 << 20);
    buf_init(&h.trace, 0);
    uint64_t i = 0;
    for (; i < COUNT(found); i++)
        run_history(&h, found[i], &t);
    for (i = 0; i < histories && !world_ended() && test_failed < world_number("SETU_FAILURES", 3);
         i++) {
        run_history(&h, world_seed(first, i), &t);
        if (i % 1000 == 999) {
            printf("%llu histories\n", (unsigned long long)i + 1);
            fflush(stdout);
        }
    }
    printf("%llu histories\n", (unsigned long long)i);
    arena_free(h.arenas[0]);
    arena_free(h.arenas[1]);
    arena_free(t.arena);
    buf_done(&h.trace);
    base_clock_set(INT64_MIN);
    folder_remove();
    TEST_END();
}
