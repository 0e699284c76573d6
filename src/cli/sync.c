/* setu sync: pulls what is new from partners, once or again and again. */
#include <stdio.h>
#include <time.h>

#include "cli/cli.h"
#include "peer/peer.h"

static const struct cli_option options[] = {
    {"once", 0, CLI_FLAG, NULL, NULL, "end after one round over the subscriptions (the default)", 0,
     0, false, false},
    {"every", 0, CLI_NUMBER, "SECONDS", NULL,
     "go on until SIGTERM or SIGINT, with so many seconds between the beginnings of two rounds", 1,
     86400, false, false},
    {"from-start", 0, CLI_FLAG, NULL, NULL,
     "ask again for everything from the beginning, in the first round: also for what was refused "
     "before; what is here already counts as unchanged",
     0, 0, false, false},
    {"verbose", 0, CLI_FLAG, NULL, NULL, "print a line per object that was not accepted, and why",
     0, 0, false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

/* A partner whose ledger was looked at in this round. */
struct looked {
    struct looked *next;
    struct str nation, org, origin;
    bool broken;
};

struct job {
    struct cli *c;
    struct cli_node node;
    struct buf out;
    struct cli_progress progress;
    bool json, verbose, from_start, failed, broken;
    struct looked *looked;
};

static void show_progress(void *ctx, const struct peer_report *r)
{
    struct job *j = ctx;
    uint64_t done = 0;
    for (size_t i = 0; i < EXCHANGE_OUTCOMES; i++)
        done += r->counts[i];
    cli_progress_at(&j->progress, done);
}

static void show_refused(void *ctx, const struct exchange_result *r)
{
    struct job *j = ctx;
    if (!j->verbose)
        return;
    cli_put_result(&j->out, j->json, r);
    if (j->out.n > (64u << 10)) {
        cli_print(j->c, &j->out);
        buf_clear(&j->out);
    }
}

static void put_report(struct job *j, const struct peer_report *r, double seconds,
                       const struct err *e)
{
    struct buf *b = &j->out;
    if (j->json) {
        buf_byte(b, '{');
        json_put_member(b, "peer", r->peer);
        json_put_member(b, "collection", r->remote);
        json_put_member_u64(b, "pages", r->pages);
    } else {
        buf_printf(b, "%.*s \"%.*s\": %zu pages", STR_FMT(r->peer), STR_FMT(r->remote), r->pages);
    }
    for (int o = 0; o < EXCHANGE_OUTCOMES; o++) {
        const char *name = exchange_outcome_name((enum exchange_outcome)o);
        if (j->json)
            json_put_member_u64(b, name, r->counts[o]);
        else
            buf_printf(b, ", %zu %s", r->counts[o], name);
    }
    if (j->json)
        json_put_member_u64(b, "withdrawn", r->withdrawn);
    else
        buf_printf(b, ", %zu withdrawn", r->withdrawn);
    if (j->json) {
        json_put_name(b, "seconds");
        buf_printf(b, "%.3f", seconds);
        if (e)
            json_put_member(b, "error", str_of(e->msg));
        buf_lit(b, "}\n");
    } else {
        buf_printf(b, " in %.1f s%s\n", seconds, e ? ", then it failed" : "");
    }
}

/* The cursor is past what was refused: no later sync asks for it by itself. */
static void tell_refused(const struct job *j, const struct peer_report *r)
{
    if (r->counts[EXCHANGE_REFUSED])
        fprintf(
            stderr,
            "setu sync: %.*s \"%.*s\": %zu refused: they are not asked for again: after a change "
            "of policy.conf give `setu sync %s %.*s --from-start`\n",
            STR_FMT(r->peer), STR_FMT(r->remote), r->counts[EXCHANGE_REFUSED], j->c->args[0],
            STR_FMT(r->peer));
}

/* ---- the partner's ledger ---- */

static void put_ledger_json(struct buf *b, const struct store_peer *p,
                            const struct peer_witnessed *w, const struct err *e)
{
    buf_byte(b, '{');
    json_put_member(b, "peer", p->name);
    json_put_member(b, "ledger",
                    str_of(w->finding ? w->finding
                           : e        ? "unknown"
                                      : ledger_relation_name(w->judgement.relation)));
    if (e) {
        json_put_member(b, "error", str_of(e->msg));
    } else {
        json_put_member_u64(b, "size", w->judgement.size);
        json_put_member_u64(b, "before", w->judgement.before);
        buf_printf(b, ",\"cosigned\":%s", w->given ? "true" : "false");
    }
    buf_lit(b, "}\n");
}

static void tell_good(struct job *j, const struct store_peer *p, const struct peer_witnessed *w)
{
    if (!j->json)
        buf_printf(&j->out, "%.*s: ledger of %llu leaves, consistent with the %llu seen before%s\n",
                   STR_FMT(p->name), (unsigned long long)w->judgement.size,
                   (unsigned long long)w->judgement.before,
                   w->given ? ", countersigned" : "; it did not take the countersignature");
    if (w->pinned)
        fprintf(stderr,
                "setu sync: %.*s: its ledger's key was taken from its server: compare `setu ledger "
                "witness %s` with what its administrator says\n",
                STR_FMT(p->name), j->c->args[0]);
}

static void tell_broken(const struct job *j, const struct store_peer *p,
                        const struct peer_witnessed *w)
{
    if (w->judgement.relation == LEDGER_BAD_PROOF) {
        fprintf(
            stderr,
            "setu sync: %.*s: bad-proof: its server does not show that its ledger of %llu "
            "leaves continues the %llu that this node countersigned. Nothing is pulled from it "
            "until it does. Both signed checkpoints are kept: `setu ledger witness %s`. Ask its "
            "administrator by another way\n",
            STR_FMT(p->name), (unsigned long long)w->judgement.size,
            (unsigned long long)w->judgement.before, j->c->args[0]);
        return;
    }
    if (w->judgement.stands) {
        fprintf(stderr,
                "setu sync: %.*s: the %s that was found in its ledger stands. Nothing is pulled "
                "from it. Both signed checkpoints are kept: `setu ledger witness %s`. If it was "
                "restored from a backup, its officers confirm that (`setu ledger confirm`), then "
                "an officer here gives `setu peer accept`\n",
                STR_FMT(p->name), ledger_relation_name(w->judgement.relation), j->c->args[0]);
        return;
    }
    fprintf(stderr,
            "setu sync: %.*s: %s: its ledger of %llu leaves contradicts the %llu that this node "
            "countersigned. Nothing is pulled from it. Both signed checkpoints are kept: `setu "
            "ledger witness %s`. If it was restored from a backup, its officers confirm that "
            "(`setu ledger confirm`), then an officer here gives `setu peer accept`\n",
            STR_FMT(p->name), ledger_relation_name(w->judgement.relation),
            (unsigned long long)w->judgement.size, (unsigned long long)w->judgement.before,
            j->c->args[0]);
}

/* May anything be pulled from it? Not when its ledger contradicts itself, nor when it showed one
 * before and cannot be judged today. */
static bool judge_ledger(struct job *j, const struct store_peer *p, struct arena *a)
{
    struct peer_watch watch = {.stop = cli_signals_stopped};
    struct peer_witnessed w;
    struct err e = {0};
    bool ok = peer_witness(j->node.s, p, &watch, a, &w, &e);
    bool broken = w.state == PEER_LEDGER_BROKEN;
    if ((ok && w.state == PEER_LEDGER_NONE) || (!ok && !broken && !w.known))
        return true;
    if (j->json)
        put_ledger_json(&j->out, p, &w, ok ? NULL : &e);
    if (!ok && broken)
        err_prefix(&e, "nothing is pulled from %.*s", STR_FMT(p->name));
    if (!ok && !cli_signals_stopped())
        cli_fail(j->c, &e);
    else if (broken)
        tell_broken(j, p, &w);
    else if (ok)
        tell_good(j, p, &w);
    j->broken = j->broken || broken;
    j->failed = j->failed || !ok;
    return ok && !broken;
}

/* What one partner sends must not take the memory of the others. */
static bool judge_apart(struct job *j, const struct store_peer *p)
{
    struct arena *a = arena_new(64u << 20);
    struct err e = {0};
    bool good = false;
    if (a) {
        good = judge_ledger(j, p, a);
    } else {
        err_set(&e, ERR_MEMORY, "out of memory");
        cli_fail(j->c, &e);
        j->failed = true;
    }
    arena_free(a);
    return good;
}

/* Once a round for a partner's server, however many subscriptions there are. */
static bool ledger_good(struct job *j, const struct store_peer *p, struct arena *a)
{
    struct str origin;
    struct err ignored;
    struct looked *l = j->looked;
    if (!peer_url_origin(a, p->url, &origin, &ignored))
        return true; /* peer_sync says what is wrong with the URL */
    while (l &&
           !(str_eq(l->nation, p->nation) && str_eq(l->org, p->org) && str_eq(l->origin, origin)))
        l = l->next;
    if (l)
        return !l->broken;
    bool good = judge_apart(j, p);
    if ((l = arena_calloc(a, 1, sizeof *l))) {
        *l = (struct looked){j->looked, p->nation, p->org, origin, !good};
        j->looked = l;
    }
    return good;
}

static void sync_one(struct job *j, struct store_peer *p)
{
    struct peer_watch watch = {show_refused, show_progress, cli_signals_stopped, j};
    struct peer_report report;
    struct err e = {0};
    int64_t start = monotonic_us();
    if (j->from_start) {
        p->cursor = STR_NONE;
        p->withdrawn = 0;
    }
    cli_progress_start(&j->progress, "objects", 0);
    bool ok = peer_sync(j->node.s, p, &watch, &report, &e);
    cli_progress_end(&j->progress);
    put_report(j, &report, (double)(monotonic_us() - start) / 1e6, ok ? NULL : &e);
    if (cli_print(j->c, &j->out) != 0)
        j->failed = true;
    buf_clear(&j->out);
    tell_refused(j, &report);
    if (ok || cli_signals_stopped())
        return;
    err_prefix(&e, "%.*s \"%.*s\"", STR_FMT(p->name), STR_FMT(p->remote));
    cli_fail(j->c, &e);
    j->failed = true;
}

/* Partners are read anew in each round: cursors have moved, and others may have been added. */
static bool one_round(struct job *j, struct arena *a, struct err *e)
{
    struct store_peer *rows;
    size_t n, meant = 0;
    struct str only = j->c->arg_count > 1 ? str_of(j->c->args[1]) : STR_NONE;
    if (!exchange_peers(j->node.s, a, &rows, &n, e))
        return false;
    for (size_t i = 0; i < n && !cli_signals_stopped(); i++) {
        if (only.p && !str_eq(only, rows[i].name))
            continue;
        meant++;
        if (ledger_good(j, &rows[i], a))
            sync_one(j, &rows[i]);
        else if (cli_print(j->c, &j->out) != 0)
            j->failed = true;
        buf_clear(&j->out);
    }
    if (meant == 0 && only.p && !cli_signals_stopped())
        return err_set(e, ERR_NOT_FOUND, "no partner \"%.*s\": see `setu peer list %s`",
                       STR_FMT(only), j->c->args[0]);
    if (n == 0)
        fprintf(stderr, "setu sync: no partner yet: `setu peer add %s` names one\n", j->c->args[0]);
    return true;
}

static void sleep_until(int64_t at_us)
{
    int64_t left;
    while (!cli_signals_stopped() && (left = at_us - monotonic_us()) > 0) {
        struct timespec nap = {0, (left > 200000 ? 200000 : left) * 1000};
        nanosleep(&nap, NULL);
    }
}

static int run_rounds(struct job *j, int64_t every_us)
{
    struct err e = {0};
    bool ok;
    do {
        int64_t start = monotonic_us();
        struct arena *a = arena_new(64u << 20);
        j->looked = NULL;
        ok = a ? one_round(j, a, &e) : err_set(&e, ERR_MEMORY, "out of memory");
        arena_free(a);
        j->from_start = false;
        if (ok && every_us)
            sleep_until(start + every_us);
    } while (ok && every_us && !cli_signals_stopped());
    if (!ok)
        return cli_fail(j->c, &e);
    if (every_us)
        return 0;
    return j->broken ? 1 : j->failed || cli_signals_stopped() ? 3 : 0;
}

static int run(struct cli *c)
{
    struct job j = {.c = c,
                    .json = cli_flag(c, "json"),
                    .verbose = cli_flag(c, "verbose"),
                    .from_start = cli_flag(c, "from-start")};
    int64_t every_us = (int64_t)cli_number(c, "every") * 1000000;
    int status = 0;
    if (every_us && cli_flag(c, "once"))
        return cli_usage(c, "--once and --every exclude each other: give one");
    if (!cli_node_open(c, c->args[0], &j.node, &status))
        return status;
    cli_signals_catch();
    buf_init(&j.out, 0);
    status = run_rounds(&j, every_us);
    buf_done(&j.out);
    cli_node_close(&j.node);
    return status;
}

const struct cli_command cli_sync = {
    .name = "sync",
    .args = "DIR [PEER]",
    .least_args = 1,
    .most_args = 2,
    .summary = "pull what is new from partners",
    .text =
        "Goes over the subscriptions of `setu peer add`, or those of PEER alone. What the partner "
        "withdrew since the last time is taken out here, and it is given a receipt. What was "
        "pulled is durable page by page, and the next run goes on behind it. An object that "
        "policy.conf or STIX refuses is counted, does not stop the others, and is not asked for "
        "again; --from-start brings it once policy.conf takes it. Before anything is pulled from a "
        "partner, its ledger's checkpoint is compared with the last one seen and countersigned; "
        "from a partner whose ledger contradicts that, nothing is pulled. Exit status 0 "
        "when all partners were reached, 1 when a ledger did not hold, 3 when a partner was not "
        "reached (the others are still pulled); "
        "with --every, failures are told and the next round tries again.",
    .options = options,
    .run = run,
};
