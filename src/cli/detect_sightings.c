/* `setu detect --sightings`: what was seen is counted, kept beside the checkpoint, and handed over.
 */
#include <stdio.h>

#include "cli/detect_priv.h"

bool detect_sightings_open(struct detect_sightings *d, struct err *e)
{
    const struct cli *c = d->c;
    struct str where = cli_text(c, "sightings"), collection = cli_text(c, "sightings-collection");
    struct str spool = cli_text(c, "spool"), identity = cli_text(c, "identity");
    if (!collection.n)
        collection = cli_text(c, "collection");
    if (!where.n)
        return true;
    if (spool.n && !sensor_spool_open(spool.p, e))
        return err_prefix(e, "--spool");
    if (sensor_target_open(where.p, d->how, collection, identity, &d->target, e))
        return true;
    (void)err_prefix(e, "no way for sightings to %s", where.p);
    /* Nobody has to be there while logs are read: sightings wait. */
    if (!spool.n || !identity.n || e->code != ERR_NETWORK)
        return false;
    fprintf(stderr, "setu detect: %s: sightings wait in %s\n", e->msg, spool.p);
    return true;
}

static bool save(struct detect_sightings *d, size_t first, struct err *e)
{
    struct str path = cli_text(d->c, "sightings-out");
    size_t count = sensor_sightings_count(d->seen);
    struct buf b;
    buf_init(&b, 0);
    sensor_sightings_put(d->seen, first, count - first, &b);
    buf_byte(&b, '\n');
    bool ok = buf_ok(&b, e) && file_write(path.p, buf_view(&b), 0600, e);
    buf_done(&b);
    if (ok)
        fprintf(stderr, "sightings: %zu written to %s\n", count - first, path.p);
    return ok;
}

static void tell_sent(const struct sensor_sent *sent)
{
    const struct buf *why = sent->first_failure;
    fprintf(stderr, "sightings: %llu taken, %llu refused, %llu waiting",
            (unsigned long long)sent->success, (unsigned long long)sent->failure,
            (unsigned long long)sent->pending);
    if (why->n)
        fprintf(stderr, ": %.*s", STR_FMT(buf_view(why)));
    fputc('\n', stderr);
}

/* What was not handed over waits in the spool, where there is one; then nothing is lost. */
static bool keep(struct detect_sightings *d, size_t first, struct err *e)
{
    struct str spool = cli_text(d->c, "spool");
    struct err why = *e;
    size_t count = sensor_sightings_count(d->seen) - first;
    if (!spool.n || !sensor_spool_keep(spool.p, d->seen, first, e))
        return false;
    if (count)
        fprintf(stderr, "sightings: %zu wait in %s%s%s\n", count, spool.p, why.msg[0] ? ": " : "",
                why.msg);
    return true;
}

static bool send(struct detect_sightings *d, struct err *e)
{
    struct str spool = cli_text(d->c, "spool");
    struct buf why;
    buf_init(&why, 0);
    struct sensor_sent sent = {.first_failure = &why};
    bool ok = (!spool.n || sensor_spool_send(spool.p, d->target, &sent, e)) &&
              sensor_target_send(d->target, d->seen, &sent, e);
    tell_sent(&sent);
    buf_done(&why);
    d->failed = d->failed || sent.failure > 0;
    struct err second;
    if (!ok && cli_text(d->c, "sightings-out").n && !save(d, sent.handed, &second))
        cli_fail(d->c, &second);
    return ok || keep(d, sent.handed, e);
}

static bool tell(struct detect_sightings *d, struct err *e)
{
    struct str identity = cli_text(d->c, "identity");
    if (d->target)
        identity = sensor_target_identity(d->target);
    if (!sensor_sightings_write(d->seen, identity, now_us(), e))
        return false;
    if (d->target)
        return send(d, e);
    if (!cli_text(d->c, "sightings").n)
        return save(d, 0, e);
    e->msg[0] = '\0';
    return keep(d, 0, e);
}

/* What is with others need not be kept in the checkpoint any longer. */
static bool told(struct detect_sightings *d, struct err *e)
{
    return !d->checkpoint || detect_checkpoint_sightings(d->checkpoint, d->seen, e);
}

bool detect_sightings_tell(struct detect_sightings *d, struct err *e)
{
    if (!d->seen)
        return true;
    bool ok = tell(d, e);
    sensor_sightings_free(d->seen);
    d->seen = NULL;
    return ok && told(d, e);
}

static bool start(const struct detect_sightings *d, struct sensor_sightings **out, struct err *e)
{
    if (!sensor_sightings_new(out, e))
        return false;
    if (cli_flag(d->c, "evidence"))
        sensor_sightings_evidence(*out);
    return true;
}

static bool hand_over(struct detect_sightings *d, struct err *e)
{
    if (!d->target && !detect_sightings_open(d, e))
        return false;
    struct sensor_sightings *next = NULL;
    struct err second = {0};
    if (!start(d, &next, e))
        return false;
    bool ok = tell(d, e), kept;
    sensor_sightings_free(d->seen);
    d->seen = next;
    kept = told(d, &second);
    if (!kept)
        cli_fail(d->c, &second);
    d->failed = d->failed || !kept;
    return ok;
}

/* Whoever reads waits for that. What cannot be handed over waits in the spool, else it is told that
 * it was lost, and what is seen next is counted on. */
void detect_sightings_window(struct detect_sightings *d)
{
    struct err e = {0};
    if (!d->window_us || monotonic_us() < d->window_ends_us)
        return;
    d->window_ends_us = monotonic_us() + d->window_us;
    if (sensor_sightings_any(d->seen) && !hand_over(d, &e)) {
        cli_fail(d->c, &e);
        d->failed = true;
    }
}

bool detect_sightings_begin(struct detect_sightings *d, struct detect_checkpoint *checkpoint,
                            struct err *e)
{
    const struct cli *c = d->c;
    d->window_us = (int64_t)cli_number(c, "sightings-window") * 1000000;
    d->window_ends_us = monotonic_us() + d->window_us;
    if (!cli_text(c, "sightings").n && !cli_text(c, "sightings-out").n)
        return true;
    if (!start(d, &d->seen, e))
        return false;
    d->checkpoint = checkpoint;
    return !checkpoint || detect_checkpoint_restore(checkpoint, d->seen, e);
}

void detect_sightings_end(struct detect_sightings *d)
{
    sensor_sightings_free(d->seen);
    sensor_target_close(d->target);
}
