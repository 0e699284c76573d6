#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/documents.h"

/* Objects of one batch, and batches on their way to the disk while the next is being checked. */
#define BATCH_OBJECTS 1000
#define BATCHES_MOST  4

static const struct cli_option options[] = {
    {"collection", 0, CLI_TEXT, "C", NULL, "where the objects go: id, alias or title", 0, 0, false,
     true},
    {"org", 0, CLI_TEXT, "O", NULL,
     "import for this organisation of policy.conf or of a user; the node's own if not given", 0, 0,
     false, false},
    {"fight", 0, CLI_TEXT, "FILE", NULL,
     "MITRE FiGHT's YAML, as STIX with ids that everybody derives alike", 0, 0, false, false},
    {"fight-date", 0, CLI_TEXT, "DAY", "2025-07-01",
     "when that version of FiGHT was published: `modified` of its objects; 3.0.1's if not given", 0,
     0, false, false},
    {"motif", 0, CLI_TEXT, "FILE", NULL,
     "GSMA MoTIF, the cluster gsma-motif.json of MISP's galaxies, as STIX with the ids that MISP "
     "has",
     0, 0, false, false},
    {"motif-date", 0, CLI_TEXT, "DAY", "2024-03-21",
     "when that version of MoTIF was published: `modified` of its objects; FS.57 1.0's if not "
     "given",
     0, 0, false, false},
    {"verbose", 'v', CLI_FLAG, NULL, NULL, "a line for each object that was not accepted", 0, 0,
     false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

struct finished {
    struct exchange_batch *batch;
    bool durable;
};

struct import {
    struct cli *c;
    struct cli_node node;
    struct principal who;
    struct exchange_collection collection;
    struct cli_progress progress;
    uint64_t totals[EXCHANGE_OUTCOMES], objects, guarded;

    pthread_mutex_t lock; /* guards what the writer's thread reports */
    pthread_cond_t wake;
    struct finished finished[BATCHES_MOST];
    size_t on_their_way, finished_count;
    bool failed;
    struct err e;
};

/* On the writer's thread. */
static void batch_done(void *ctx, struct exchange_batch *b, bool ok, const struct err *e)
{
    struct import *im = ctx;
    pthread_mutex_lock(&im->lock);
    im->finished[im->finished_count++] = (struct finished){b, ok};
    im->on_their_way--;
    if (!ok && !im->failed) {
        im->failed = true;
        im->e = *e;
    }
    pthread_cond_signal(&im->wake);
    pthread_mutex_unlock(&im->lock);
}

static void print_refused(struct import *im, const struct exchange_result *r)
{
    struct buf b;
    buf_init(&b, 0);
    cli_put_result(&b, cli_flag(im->c, "json"), r);
    fwrite(b.p, 1, b.n, stdout);
    buf_done(&b);
}

static void tally(struct import *im, struct exchange_batch *b, bool durable)
{
    for (size_t i = 0; i < exchange_batch_count(b) && durable; i++) {
        const struct exchange_result *r = exchange_batch_result(b, i);
        im->totals[r->outcome]++;
        im->guarded += r->guarded;
        if (cli_flag(im->c, "verbose") && r->outcome != EXCHANGE_ACCEPTED &&
            r->outcome != EXCHANGE_UNCHANGED)
            print_refused(im, r);
    }
    im->objects += exchange_batch_count(b);
    cli_progress_at(&im->progress, im->objects);
    exchange_batch_free(b);
}

/* Takes in what has finished; waits until at most `most` batches are on their way. */
static bool collect(struct import *im, size_t most, struct err *e)
{
    struct finished done[BATCHES_MOST];
    pthread_mutex_lock(&im->lock);
    while (im->on_their_way > most)
        pthread_cond_wait(&im->wake, &im->lock);
    size_t n = im->finished_count;
    memcpy(done, im->finished, n * sizeof *done);
    im->finished_count = 0;
    bool failed = im->failed;
    if (failed)
        *e = im->e;
    pthread_mutex_unlock(&im->lock);
    for (size_t i = 0; i < n; i++)
        tally(im, done[i].batch, done[i].durable);
    return !failed;
}

static bool import_objects(struct import *im, const struct cli_document *d,
                           const struct json *first, size_t count, struct err *e)
{
    struct exchange_submission sub = {.who = &im->who, .collection = &im->collection};
    for (size_t done = 0; done < count;) {
        size_t n = count - done < BATCH_OBJECTS ? count - done : BATCH_OBJECTS;
        struct exchange_batch *b;
        if (!exchange_prepare(im->node.s, &sub, d->text, first, n, &b, e))
            return false;
        if (!collect(im, BATCHES_MOST - 1, e)) {
            exchange_batch_free(b);
            return false;
        }
        pthread_mutex_lock(&im->lock);
        im->on_their_way++;
        pthread_mutex_unlock(&im->lock);
        if (!exchange_commit(im->node.x, b, batch_done, im, e)) {
            pthread_mutex_lock(&im->lock);
            im->on_their_way--;
            pthread_mutex_unlock(&im->lock);
            exchange_batch_free(b);
            return false;
        }
        for (size_t i = 0; i < n; i++)
            first = first->next;
        done += n;
    }
    return true;
}

static bool import_document(void *ctx, const struct cli_document *d, struct err *e)
{
    struct import *im = ctx;
    enum stix_container kind;
    const struct json *first;
    size_t count, line, column;
    struct err ignored;
    if (!d->ok)
        *e = d->e;
    if (!d->ok || !stix_container_open(d->root, &kind, &first, &count, e)) {
        str_line_column(d->text, e->at, &line, &column);
        return err_prefix(e, "%s:%zu:%zu", d->path, d->line + line - 1, column);
    }
    bool ok = import_objects(im, d, first, count, e);
    /* Batches point into this document: none may be left when it goes. */
    return collect(im, 0, ok ? e : &ignored) && ok;
}

static bool import_start(struct import *im, struct err *e)
{
    struct cli *c = im->c;
    struct str org = cli_text(c, "org");
    struct policy_party party;
    if (!exchange_collection_find(im->node.s, c->arena, cli_text(c, "collection"), true,
                                  &im->collection, e))
        return err_prefix(e, "--collection");
    if (!org.n)
        return exchange_login_home(im->node.s, c->arena, &im->who, e);
    return exchange_party_find(im->node.s, c->arena, org, &party, e) &&
           exchange_login_partner(im->node.s, party, &im->who, e);
}

/* Both without a version of their own: when it was published is the caller's to know. */
typedef bool convert_fn(struct import *im, struct arena *a, struct str text, struct str modified,
                        struct buf *out, struct err *e);

static bool convert_fight(struct import *im, struct arena *a, struct str text, struct str modified,
                          struct buf *out, struct err *e)
{
    (void)im, (void)a;
    return stix_fight_bundle(text, modified, out, e);
}

static bool convert_motif(struct import *im, struct arena *a, struct str text, struct str modified,
                          struct buf *out, struct err *e)
{
    const struct json *cluster;
    size_t line, column;
    if (json_parse(exchange_session_json(im->node.s), a, text, false, &cluster, e) &&
        stix_motif_bundle(cluster, modified, out, e))
        return true;
    str_line_column(text, e->at, &line, &column);
    return err_prefix(e, "line %zu, column %zu", line, column);
}

struct matrix_option {
    const char *name, *date;
    convert_fn *convert;
};
static const struct matrix_option matrices[] = {{"fight", "fight-date", convert_fight},
                                                {"motif", "motif-date", convert_motif}};

static bool any_matrix(const struct cli *c)
{
    return cli_text(c, "fight").n || cli_text(c, "motif").n;
}

/* The converted matrix is imported as any bundle. */
static bool import_matrix(struct import *im, const struct matrix_option *o, struct err *e)
{
    const char *path = cli_text(im->c, o->name).p;
    struct str day = cli_text(im->c, o->date), text;
    struct instant t;
    struct buf b;
    char modified[INSTANT_TEXT_BYTES];
    struct cli_document d = {.path = path, .line = 1, .ok = true};
    snprintf(modified, sizeof modified, "%.*sT00:00:00.000Z", day.n == 10 ? 10 : 0, day.p);
    if (!instant_parse(str_of(modified), &t, e))
        return err_set(e, ERR_USAGE, "--%s %.*s: a day, as 2025-07-01", o->date, STR_FMT(day));
    if (!file_read(path, LIMIT_CLI_FIGHT_BYTES, &text, e))
        return false;
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    buf_init(&b, 0);
    bool ok = (a || err_set(e, ERR_MEMORY, "out of memory")) &&
              (o->convert(im, a, text, str_of(modified), &b, e) || err_prefix(e, "%s", path));
    for (size_t i = 0; i < BASE_PADDING; i++)
        buf_byte(&b, '\0');
    d.text = (struct str){b.p, b.n > BASE_PADDING ? b.n - BASE_PADDING : 0};
    ok = ok && buf_ok(&b, e) &&
         json_parse(exchange_session_json(im->node.s), a, d.text, false, &d.root, e) &&
         import_document(im, &d, e);
    buf_done(&b);
    arena_free(a);
    base_free((void *)(uintptr_t)text.p);
    return ok;
}

static int print_totals(struct import *im, int64_t started)
{
    struct buf b;
    double seconds = (double)(monotonic_us() - started) / 1e6;
    buf_init(&b, 0);
    if (cli_flag(im->c, "json")) {
        buf_byte(&b, '{');
        for (unsigned i = 0; i < EXCHANGE_OUTCOMES; i++)
            json_put_member_u64(&b, exchange_outcome_name((enum exchange_outcome)i), im->totals[i]);
        buf_printf(&b, ",\"seconds\":%.3f}\n", seconds);
    } else {
        for (unsigned i = 0; i < EXCHANGE_OUTCOMES; i++)
            buf_printf(&b, "%s%llu %s", i ? ", " : "", (unsigned long long)im->totals[i],
                       exchange_outcome_name((enum exchange_outcome)i));
        buf_printf(&b, " in %.1f s\n", seconds);
    }
    if (im->guarded)
        log_line(LOG_WARNING, "what names a subscriber stays at home: %llu objects",
                 (unsigned long long)im->guarded);
    int status = cli_print(im->c, &b);
    buf_done(&b);
    return status;
}

static int run(struct cli *c)
{
    struct import im = {.c = c};
    struct err e = {0};
    int64_t started = monotonic_us();
    int status = 0;
    if (c->arg_count < 2 && !any_matrix(c))
        return cli_usage(c, "FILE is needed: what to import");
    if (!cli_node_open(c, c->args[0], &im.node, &status))
        return status;
    pthread_mutex_init(&im.lock, NULL);
    pthread_cond_init(&im.wake, NULL);
    cli_progress_start(&im.progress, "import", 0);
    bool ok = import_start(&im, &e);
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices && ok; i++)
        ok = !cli_text(c, matrices[i].name).n || import_matrix(&im, &matrices[i], &e);
    for (size_t i = 1; i < c->arg_count && ok; i++)
        ok = cli_documents_each(c->args[i], true, import_document, &im, &e);
    cli_progress_end(&im.progress);
    bool any = im.objects > 0;
    if (!ok)
        status = cli_fail(c, &e);
    if (ok || any) {
        int printed = print_totals(&im, started);
        status = status ? status : printed;
    }
    if (status == 0 && (im.totals[EXCHANGE_REFUSED] || im.totals[EXCHANGE_QUARANTINED]))
        status = 1;
    cli_node_close(&im.node);
    return status;
}

const struct cli_command cli_import = {
    .name = "import",
    .args = "DIR [FILE...]",
    .least_args = 1,
    .summary = "add STIX objects from files: bundles, envelopes, arrays, JSON lines",
    .text =
        "Each object is checked, put before the policy's arrival and release rules, and stored "
        "with its bytes as they came. Objects that stand in the collection already count as "
        "unchanged. What is counted as accepted is on the disk. Exit status 1 when an object was "
        "refused or quarantined. FILE - is standard input.\n\n"
        "--fight converts MITRE FiGHT's fight.yaml: its ids are UUIDv5 of FiGHT's own in a name "
        "space of its URL, so that every node that imports the same file has the same objects. "
        "--motif does so with GSMA MoTIF (FS.57), of which MISP has a list that programs read; "
        "its ids are UUIDv5 of MoTIF's own as MISP derives them.",
    .options = options,
    .run = run,
};
