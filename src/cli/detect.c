#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/detect_priv.h"
#include "cli/endpoint.h"
#include "sensor/sensor.h"
#include "stix/stix.h"

static const struct cli_option options[] = {
    {"indicators", 'i', CLI_TEXT, "SET", NULL,
     "what to look for: a list with one value a line, a file of STIX, a node's directory, or the "
     "URL of a TAXII collection; needed without --5g",
     0, 0, true, false},
    {"5g", 0, CLI_FLAG, NULL, NULL,
     "judge the signalling of a mobile core in captures too; `--5g rules` lists the rules", 0, 0,
     false, false},
    {"5g-config", 0, CLI_TEXT, "FILE", NULL,
     "what the rules are to know of the network: gNBs, peers, addresses of the core, thresholds", 0,
     0, false, false},
    {"5g-key", 0, CLI_TEXT, "FILE", NULL,
     "the key under which sessions get their handles, made if absent; one of this run if not given",
     0, 0, false, false},
    {"interface", 0, CLI_TEXT, "NAME", NULL,
     "listen on a network interface of this machine, after the inputs, until a signal comes", 0, 0,
     false, false},
    {"as-of", 0, CLI_TEXT, "TIME", NULL,
     "judge the validity of indicators at this instant (RFC 3339); now if not given", 0, 0, false,
     false},
    {"collection", 0, CLI_TEXT, "C", NULL,
     "the collection of a server or directory: id, alias or title; of a directory all are read if "
     "not given",
     0, 0, false, false},
    CLI_ENDPOINT_OPTIONS,
    {"sightings", 0, CLI_TEXT, "URL|DIR", NULL,
     "afterwards tell the collection there which indicators were seen, and how often", 0, 0, false,
     false},
    {"sightings-collection", 0, CLI_TEXT, "C", NULL,
     "the collection for sightings; that of --collection if not given", 0, 0, false, false},
    {"sightings-out", 0, CLI_TEXT, "FILE", NULL,
     "write the sightings to FILE; with --sightings only those that could not be sent", 0, 0, false,
     false},
    {"identity", 0, CLI_TEXT, "ID", NULL,
     "the STIX identity that saw it; what the server or directory says if not given", 0, 0, false,
     false},
    {"verbose", 'v', CLI_FLAG, NULL, NULL,
     "print every indicator that cannot be used, and why, on a line of its own", 0, 0, false,
     false},
    {"json", 0, CLI_FLAG, NULL, NULL, "alerts are JSON lines with or without it", 0, 0, false,
     false},
    CLI_OPTION_END,
};

/* Alerts are written out when this much has gathered, and after each block. */
#define OUT_BYTES (256u << 10)
/* Reasons that the summary names. */
#define REASONS 3

struct detect {
    struct cli *c;
    struct peer_endpoint how;
    int64_t as_of_us;
    struct detect_packets packets;
    bool has_as_of, found, failed;
    int broken; /* exit status when standard output failed, else 0 */
    struct sensor_indicators *indicators;
    struct buf reasons;
    size_t reason_count;
    struct sensor_target *target;
    struct sensor_sightings *sightings; /* NULL: not asked for */
    struct buf out;
    struct cli_progress progress;
    uint64_t bytes_before; /* of the inputs before this one */
    uint64_t bytes;        /* of this one */
};

/* Whatever its code: 2 for wrong usage, else 3, because 1 means that nothing was found. */
static int could_not(const struct detect *d, const struct err *e)
{
    return cli_fail(d->c, e) == 2 && e->code == ERR_USAGE ? 2 : 3;
}

/* ---- options ----------------------------------------------------------------------------- */

/* Is `url` of the server that *origin tells of? The first one fills it. */
static bool same_server(struct detect *d, struct str url, struct str *origin, struct err *e)
{
    struct str its;
    if (!sensor_is_url(url))
        return true;
    if (!peer_url_origin(d->c->arena, url, &its, e))
        return false;
    if (origin->n && !str_eq(*origin, its))
        return err_set(e, ERR_USAGE,
                       "credentials are for one server, and %.*s and %.*s are two: run once for "
                       "each, with --sightings-out in between where one is for sightings",
                       STR_FMT(*origin), STR_FMT(its));
    *origin = its;
    return true;
}

static bool check_servers(struct detect *d, struct err *e)
{
    struct str where, origin = STR_NONE;
    if (!cli_endpoint_signs_in(&d->how))
        return true;
    for (size_t i = 0; (where = cli_text_nth(d->c, "indicators", i)).p; i++)
        if (!same_server(d, where, &origin, e))
            return false;
    return same_server(d, cli_text(d->c, "sightings"), &origin, e);
}

static bool check_identity(struct str id, struct err *e)
{
    struct str type;
    struct err why = {0};
    if (!id.n)
        return true;
    if (!stix_id_parse(id, &type, &why))
        return err_set(e, ERR_USAGE, "--identity: %s", why.msg);
    if (!str_eq(type, STR("identity")))
        return err_set(e, ERR_USAGE, "--identity %.*s: the id of an identity is needed",
                       STR_FMT(id));
    return true;
}

static bool read_options(struct detect *d, struct err *e)
{
    const struct cli *c = d->c;
    struct str as_of = cli_text(c, "as-of");
    struct instant at;
    if (as_of.n && !instant_parse(as_of, &at, e)) {
        e->code = ERR_USAGE;
        return err_prefix(e, "--as-of %s", as_of.p);
    }
    d->has_as_of = as_of.n > 0;
    d->as_of_us = as_of.n ? instant_us(at) : now_us();
    return check_identity(cli_text(c, "identity"), e) && cli_endpoint_read(c, &d->how, e) &&
           check_servers(d, e);
}

static bool stdin_twice(const struct cli *c)
{
    size_t uses = c->arg_count == 0;
    for (size_t i = 0; i < c->arg_count; i++)
        uses += strcmp(c->args[i], "-") == 0;
    for (size_t i = 0; cli_text_nth(c, "indicators", i).p; i++)
        uses += str_eq(cli_text_nth(c, "indicators", i), STR("-"));
    return uses > 1;
}

/* ---- indicators -------------------------------------------------------------------------- */

/* Bytes of a feed's words that a message shows. */
#define SHOWN_BYTES 300

static void put_note(struct buf *b, const struct sensor_note *n, bool with_source)
{
    if (with_source || !n->id.n) {
        buf_printable(b, n->source, SHOWN_BYTES);
        if (n->line)
            buf_printf(b, ":%zu", n->line);
        buf_lit(b, ": ");
    }
    if (n->id.n) {
        buf_printable(b, n->id, SHOWN_BYTES);
        buf_lit(b, ": ");
    }
    if (with_source)
        buf_lit(b, n->in_part ? "used in part: " : "not usable: ");
    buf_printable(b, n->reason, SHOWN_BYTES);
}

static void on_note(void *ctx, const struct sensor_note *n)
{
    struct detect *d = ctx;
    struct buf line;
    if (cli_flag(d->c, "verbose")) {
        buf_init(&line, 0);
        put_note(&line, n, true);
        fprintf(stderr, "setu detect: %.*s\n", (int)line.n, line.p ? line.p : "");
        buf_done(&line);
    }
    if (n->in_part || d->reason_count++ >= REASONS)
        return;
    buf_lit(&d->reasons, d->reason_count > 1 ? "; " : ": ");
    put_note(&d->reasons, n, false);
}

static void summarize(struct detect *d)
{
    const struct sensor_counts *n = sensor_indicators_counts(d->indicators);
    struct buf b;
    buf_init(&b, 0);
    buf_printf(&b, "indicators: %zu used, %zu not usable", n->used, n->unusable);
    if (n->in_part)
        buf_printf(&b, ", %zu used in part", n->in_part);
    if (n->revoked)
        buf_printf(&b, ", %zu revoked", n->revoked);
    if (n->not_in_force)
        buf_printf(&b, ", %zu not in force", n->not_in_force);
    buf_str(&b, buf_view(&d->reasons));
    if (d->reason_count > REASONS)
        buf_printf(&b, "; and %zu more, see --verbose", d->reason_count - REASONS);
    fprintf(stderr, "%.*s\n", (int)b.n, b.p ? b.p : "");
    buf_done(&b);
}

static bool load(struct detect *d, struct err *e)
{
    struct str where, collection = cli_text(d->c, "collection");
    d->indicators = sensor_indicators_new(on_note, d);
    if (!d->indicators)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; (where = cli_text_nth(d->c, "indicators", i)).p; i++)
        if (!sensor_indicators_load(d->indicators, where.p, &d->how, collection, e))
            return err_prefix(e, "no indicators from %s", where.p);
    return sensor_indicators_seal(d->indicators, d->as_of_us, e);
}

/* A feed that is broken must not look like logs that are clean. That a server or a node has nothing
 * to look for is an answer, and so is that all is revoked or out of force. */
static bool check_usable(const struct detect *d, struct err *e)
{
    const struct sensor_counts *n = sensor_indicators_counts(d->indicators);
    struct str where;
    bool all_asked = true;
    for (size_t i = 0; (where = cli_text_nth(d->c, "indicators", i)).p; i++)
        all_asked = all_asked && (sensor_is_url(where) || file_is_dir(where.p));
    if (n->used || n->revoked || n->not_in_force || (all_asked && !n->unusable))
        return true;
    if (!cli_text(d->c, "indicators").n) /* the signalling is judged alone */
        return true;
    return err_set(e, ERR_INVALID,
                   "no indicator can be used, so nothing was scanned: look at what -i names");
}

/* ---- sightings --------------------------------------------------------------------------- */

static bool open_target(struct detect *d, struct err *e)
{
    const struct cli *c = d->c;
    struct str where = cli_text(c, "sightings"), collection = cli_text(c, "sightings-collection");
    if (!collection.n)
        collection = cli_text(c, "collection");
    if (!where.n)
        return true;
    if (!sensor_target_open(where.p, &d->how, collection, cli_text(c, "identity"), &d->target, e))
        return err_prefix(e, "no way for sightings to %s", where.p);
    return true;
}

static bool save(struct detect *d, size_t first, struct err *e)
{
    struct str path = cli_text(d->c, "sightings-out");
    size_t count = sensor_sightings_count(d->sightings);
    struct buf b;
    buf_init(&b, 0);
    sensor_sightings_put(d->sightings, first, count - first, &b);
    buf_byte(&b, '\n');
    bool ok = buf_ok(&b, e) && file_write(path.p, buf_view(&b), 0600, e);
    buf_done(&b);
    if (ok)
        fprintf(stderr, "sightings: %zu written to %s\n", count - first, path.p);
    return ok;
}

static bool send(struct detect *d, struct err *e)
{
    struct buf why;
    buf_init(&why, 0);
    struct sensor_sent sent = {.first_failure = &why};
    bool ok = sensor_target_send(d->target, d->sightings, &sent, e);
    fprintf(stderr, "sightings: %llu taken, %llu refused, %llu waiting",
            (unsigned long long)sent.success, (unsigned long long)sent.failure,
            (unsigned long long)sent.pending);
    if (why.n)
        fprintf(stderr, ": %.*s", STR_FMT(buf_view(&why)));
    fputc('\n', stderr);
    buf_done(&why);
    d->failed = d->failed || sent.failure > 0;
    struct err second;
    if (!ok && cli_text(d->c, "sightings-out").n && !save(d, sent.handed, &second))
        could_not(d, &second);
    return ok;
}

static bool tell_sightings(struct detect *d, struct err *e)
{
    struct str identity = cli_text(d->c, "identity");
    if (!d->sightings)
        return true;
    if (d->target)
        identity = sensor_target_identity(d->target);
    if (!sensor_sightings_write(d->sightings, identity, now_us(), e))
        return false;
    return d->target ? send(d, e) : save(d, 0, e);
}

/* ---- inputs ------------------------------------------------------------------------------ */

static bool flush(struct detect *d)
{
    if (!d->broken && d->out.n)
        d->broken = cli_print(d->c, &d->out);
    buf_clear(&d->out);
    return !d->broken;
}

static bool on_alert(void *ctx, const struct sensor_alert *a)
{
    struct detect *d = ctx;
    d->found = true;
    sensor_alert_put(&d->out, a);
    if (d->sightings)
        sensor_sightings_add(d->sightings, a);
    return d->out.n < OUT_BYTES || flush(d);
}

static bool on_signal(void *ctx, const struct sensor_signal *s)
{
    struct detect *d = ctx;
    d->found = true;
    sensor_signal_put(&d->out, s);
    return d->out.n < OUT_BYTES || flush(d);
}

static void on_figures(void *ctx, struct str input, const struct packet_figures *f)
{
    struct detect *d = ctx;
    cli_progress_end(&d->progress);
    detect_packets_tell(input, f);
}

static bool on_block(void *ctx, uint64_t bytes)
{
    struct detect *d = ctx;
    d->bytes = bytes;
    cli_progress_at(&d->progress, d->bytes_before + bytes);
    return flush(d) && !cli_signals_stopped();
}

static void on_warning(void *ctx, struct str input, const char *text)
{
    struct detect *d = ctx;
    fprintf(stderr, "setu %s: warning: no text is seen in %.*s: %s\n", d->c->command->name,
            STR_FMT(input), text);
}

/* Bytes of the inputs, or 0 when one of them is no file. */
static uint64_t bytes_of(const struct cli *c)
{
    uint64_t sum = 0;
    struct stat st;
    for (size_t i = 0; i < c->arg_count; i++) {
        if (stat(c->args[i], &st) != 0 || !S_ISREG(st.st_mode))
            return 0;
        sum += (uint64_t)st.st_size;
    }
    return sum;
}

/* A regular file has an end of its own; all else is followed until a signal comes. */
static bool is_file(const char *input)
{
    struct stat st;
    int got = strcmp(input, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(input, &st);
    return got == 0 && S_ISREG(st.st_mode);
}

/* The signal came in input `at`, or before it when not `begun`. */
static void tell_interrupted(struct detect *d, size_t at, size_t count, bool begun)
{
    const char *input = d->c->arg_count ? d->c->args[at] : "-";
    size_t rest = count - at - begun;
    bool cut = begun && is_file(input);
    d->failed = d->failed || cut || rest;
    fprintf(stderr, "setu detect: interrupted");
    if (begun)
        fprintf(stderr,
                cut ? ": only the first %llu bytes of %s were scanned" : ": after %llu bytes of %s",
                (unsigned long long)d->bytes, input);
    if (rest)
        fprintf(stderr, ": %zu %s not scanned", rest, rest == 1 ? "input was" : "inputs were");
    fprintf(stderr, ": what was found before is reported\n");
}

/* Like grep, goes on with the other inputs when one cannot be read. */
static void scan(struct detect *d)
{
    const struct cli *c = d->c;
    struct sensor_scan s = {.set = sensor_indicators_set(d->indicators),
                            .as_of_us = d->has_as_of ? &d->as_of_us : NULL,
                            .alert = on_alert,
                            .block = on_block,
                            .warn = on_warning,
                            .config = d->packets.config,
                            .handle_key = d->packets.has_key ? d->packets.key : NULL,
                            .ctx = d};
    struct str listen = cli_text(c, "interface");
    size_t count = c->arg_count || listen.n ? c->arg_count : 1;
    if (cli_flag(c, "5g")) {
        s.signal = on_signal;
        s.figures = on_figures;
    }
    uint64_t total = bytes_of(c);
    struct err e;
    cli_progress_start(&d->progress, "bytes", total);
    d->progress.on = d->progress.on && total > 0;
    for (size_t i = 0; i < count && !d->broken; i++) {
        bool to_end = false, begun = !cli_signals_stopped();
        d->bytes = 0;
        if (begun && !sensor_scan_input(&s, c->arg_count ? c->args[i] : "-", &to_end, &e)) {
            could_not(d, &e);
            d->failed = to_end = true;
        }
        if (!to_end && cli_signals_stopped()) {
            tell_interrupted(d, i, count, begun);
            break;
        }
        d->bytes_before += d->bytes;
    }
    bool to_end;
    if (listen.n && !d->broken && !cli_signals_stopped() &&
        !sensor_scan_interface(&s, listen.p, &to_end, &e)) {
        could_not(d, &e);
        d->failed = true;
    }
    cli_progress_end(&d->progress);
    flush(d);
}

static int detect(struct detect *d)
{
    struct err e = {0};
    if (!read_options(d, &e) || !detect_packets_begin(d->c, &d->packets, &e) ||
        !open_target(d, &e) || !load(d, &e))
        return could_not(d, &e);
    bool wanted = d->target || cli_text(d->c, "sightings-out").n;
    if (wanted && !sensor_sightings_new(d->indicators, &d->sightings, &e))
        return could_not(d, &e);
    cli_signals_catch();
    if (cli_text(d->c, "indicators").n)
        summarize(d);
    if (!check_usable(d, &e))
        return could_not(d, &e);
    scan(d);
    if (!tell_sightings(d, &e))
        return could_not(d, &e);
    if (d->broken)
        return d->broken;
    return d->failed ? 3 : d->found ? 0 : 1;
}

static int run(struct cli *c)
{
    struct detect d = {.c = c};
    if (detect_rules_wanted(c))
        return detect_rules_print(c);
    if (!cli_text(c, "indicators").n && !cli_flag(c, "5g"))
        return cli_usage(c, "--indicators SET is needed: what to look for; or --5g");
    if (stdin_twice(c))
        return cli_usage(c, "standard input can be read once only");
    buf_init(&d.out, 0);
    buf_init(&d.reasons, 0);
    int status = detect(&d);
    sensor_sightings_free(d.sightings);
    sensor_indicators_free(d.indicators);
    sensor_target_close(d.target);
    detect_packets_end(&d.packets);
    buf_done(&d.out);
    buf_done(&d.reasons);
    return status;
}

const struct cli_command cli_detect = {
    .name = "detect",
    .args = "[INPUT...]",
    .summary = "scan logs and captures for indicators; alerts as JSON lines",
    .text =
        "Reads files, pipes, and standard input when no INPUT is given. Every address, name, "
        "URL, e-mail address and hash in it is brought to its normal form and looked up. Exit "
        "status: 0 there was an alert, 1 there was none, 3 something could not be read or "
        "sent, no indicator can be used, or SIGINT or SIGTERM came before the end of a file; "
        "what was found before is reported nevertheless. A pipe is followed until its end or "
        "such a signal.\n\n"
        "Credentials are for one server: with them all URLs must have the same scheme, host and "
        "port.\n\n"
        "A capture (pcap, pcapng) is decoded: addresses, names asked for in DNS, URLs of HTTP and "
        "names in TLS are looked up, inside of tunnels too; an alert has frame in place of "
        "line, and of a GTP-U tunnel its interface, direction, TEID, QFI and a handle of the "
        "session.\n\n"
        "A line of stderr tells how many indicators are in use and why others are not. "
        "Sightings hold counts and times, nothing of the log, and are marked as "
        "the indicator is; only STIX indicators have them.",
    .options = options,
    .run = run,
};
