#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/detect_priv.h"
#include "cli/feeds.h"
#include "cli/folders.h"
#include "sensor/sensor.h"
#include "stix/stix.h"

static const struct cli_option options[] = {
    {"indicators", 'i', CLI_TEXT, "SET", NULL,
     "what to look for: a list with one value a line, a file of STIX, a set that `setu compile` "
     "made, a node's directory, or the URL of a TAXII collection; needed without --5g or --index",
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
    {"syslog", 0, CLI_TEXT, "ADDRESS", NULL,
     "take messages of syslog at udp:HOST:PORT or tcp:HOST:PORT, after the inputs, until a signal "
     "comes",
     0, 0, true, false},
    {"as-of", 0, CLI_TEXT, "TIME", NULL,
     "judge the validity of indicators at this instant (RFC 3339); now if not given", 0, 0, false,
     false},
    CLI_FEED_BLIND_KEY,
    CLI_FEED_OPTIONS,
    {"live", 0, CLI_FLAG, NULL, NULL,
     "follow the collections and directories of --indicators while reading: what comes there is "
     "looked for at once, what is taken back no more",
     0, 0, false, false},
    {"live-poll", 0, CLI_NUMBER, "S", "10",
     "with --live: seconds after which a server that does not wait is asked again, and any server "
     "for what was taken back",
     1, 86400, false, false},
    {"threads", 'j', CLI_NUMBER, "N", NULL,
     "look at N blocks of a file at once; as many as there are processors if not given", 1,
     LIMIT_SENSOR_THREADS, false, false},
    {"index", 0, CLI_TEXT, "DIR", NULL,
     "keep an index of each INPUT in DIR, in which `setu hunt` looks back for indicators that come "
     "later; one that is there is kept while the file is as it was",
     0, 0, false, false},
    {"sightings", 0, CLI_TEXT, "URL|DIR", NULL,
     "afterwards tell the collection there which indicators were seen, and with --5g which "
     "techniques, and how often",
     0, 0, false, false},
    {"format", 0, CLI_TEXT, "F", "json",
     "how alerts are written: json lines, ecs (Elastic Common Schema), ocsf (Detection Finding), "
     "cef",
     0, 0, false, false},
    {"mute-share", 0, CLI_TEXT, "S", NULL,
     "an indicator that is found in more than this share of the lines of an input (0.01) so far, "
     "from the thousandth line on, is muted in that input from then on, and named once on stderr "
     "at "
     "the end",
     0, 0, false, false},
    {"fields", 0, CLI_TEXT, "NAMES", NULL,
     "look only at these fields: of lines of JSON or under a line #fields, as src.ip,url, or "
     "numbers of columns between tabs, as 3,5; a line that is broken JSON, or longer than a piece, "
     "is "
     "looked at as a whole",
     0, 0, false, false},
    {"since", 0, CLI_TEXT, "TIME", NULL,
     "only lines that say they were written then (RFC 3339, as 2026-11-24T02:14:17Z or "
     "2026-11-24T07:44:17+05:30) or later, and those that do not say when",
     0, 0, false, false},
    {"until", 0, CLI_TEXT, "TIME", NULL, "only lines that say they were written before", 0, 0,
     false, false},
    {"follow", 'f', CLI_FLAG, NULL, NULL,
     "go on at the end of each INPUT, which are files, as others write to it, also when it is "
     "renamed or cut off as log rotation does, until a signal comes; of a folder also files that "
     "come to it later",
     0, 0, false, false},
    {"checkpoint", 0, CLI_TEXT, "FILE", NULL,
     "keep in FILE how far each file was told, and go on there the next time", 0, 0, false, false},
    {"summary", 0, CLI_FLAG, NULL, NULL,
     "in the place of alerts, at the end a line for each indicator: how often, where first and "
     "last",
     0, 0, false, false},
    {"spool", 0, CLI_TEXT, "DIR", NULL,
     "keep there what could not be handed over, and send it first the next time; with --identity "
     "the server need not be there at all",
     0, 0, false, false},
    {"sightings-collection", 0, CLI_TEXT, "C", NULL,
     "the collection for sightings; that of --collection if not given", 0, 0, false, false},
    {"sightings-window", 0, CLI_NUMBER, "SECONDS", NULL,
     "tell them so often already, each with what was seen since; needs --spool, where they wait "
     "when "
     "they cannot be handed over",
     1, 86400, false, false},
    {"evidence", 0, CLI_FLAG, NULL, NULL,
     "with each sighting tell the first lines in which the indicator was seen, as they stand in "
     "the "
     "log; without it no byte of a line is sent, or kept in the checkpoint",
     0, 0, false, false},
    {"sightings-out", 0, CLI_TEXT, "FILE", NULL,
     "write the sightings to FILE; with --sightings only those that could not be sent", 0, 0, false,
     false},
    {"identity", 0, CLI_TEXT, "ID", NULL,
     "the STIX identity that saw it; what the server or directory says if not given", 0, 0, false,
     false},
    CLI_FEED_VERBOSE,
    {"json", 0, CLI_FLAG, NULL, NULL, "alerts are JSON lines with or without it", 0, 0, false,
     false},
    CLI_OPTION_END,
};

/* Alerts are written out when this much has gathered, and after each block. */
#define OUT_BYTES (256u << 10)

struct detect {
    struct cli *c;
    struct cli_feeds feeds;
    struct detect_packets packets;
    bool has_as_of, found, failed;
    int broken; /* exit status when standard output failed, else 0 */
    struct detect_sightings sightings;
    struct detect_summary *summary;       /* NULL: not asked for */
    struct detect_mute *mute;             /* the same */
    struct sensor_live *live;             /* the same */
    struct detect_checkpoint *checkpoint; /* the same */
    enum sensor_format format;
    struct sensor_span span;
    struct sensor_fields *fields; /* NULL: not asked for */
    bool untold;                  /* there were alerts of what no checkpoint tells yet */
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
    d->span = (struct sensor_span){INT64_MIN, INT64_MAX};
    if (!cli_instant(c, "as-of", d->feeds.as_of_us, &d->feeds.as_of_us, e) ||
        !cli_instant(c, "since", d->span.from_us, &d->span.from_us, e) ||
        !cli_instant(c, "until", d->span.until_us, &d->span.until_us, e))
        return false;
    if (d->span.from_us >= d->span.until_us)
        return err_set(e, ERR_USAGE, "--since must be before --until");
    if (!sensor_format_parse(cli_text(c, "format"), &d->format))
        return err_set(e, ERR_USAGE, "--format %s: json, ecs, ocsf or cef",
                       cli_text(c, "format").p);
    if (cli_text(c, "fields").n && !sensor_fields_new(cli_text(c, "fields"), &d->fields, e))
        return err_prefix(e, "--fields");
    d->has_as_of = cli_text(c, "as-of").n > 0;
    return check_identity(cli_text(c, "identity"), e) && cli_feeds_key(&d->feeds, false, e) &&
           detect_syslog_check(c, e) && cli_feeds_options(&d->feeds, cli_text(c, "sightings"), e);
}

static bool stdin_twice(const struct cli *c)
{
    size_t uses = c->arg_count == 0 && !cli_text(c, "interface").n && !cli_text(c, "syslog").n;
    for (size_t i = 0; i < c->arg_count; i++)
        uses += strcmp(c->args[i], "-") == 0;
    for (size_t i = 0; cli_text_nth(c, "indicators", i).p; i++)
        uses += str_eq(cli_text_nth(c, "indicators", i), STR("-"));
    return uses > 1;
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
    struct err e = {0};
    if (d->mute && detect_mute_is(d->mute, a))
        return true;
    if (!d->summary) {
        sensor_alert_put_as(&d->out, d->format, a);
    } else if (!detect_summary_add(d->summary, a)) {
        (void)err_set(&e, ERR_MEMORY, "no memory for the summary");
        could_not(d, &e);
        d->failed = true;
        return false;
    }
    d->untold = true;
    if (d->sightings.seen)
        sensor_sightings_add(d->sightings.seen, a);
    return d->out.n < OUT_BYTES || flush(d);
}

static bool on_signal(void *ctx, const struct sensor_signal *s)
{
    struct detect *d = ctx;
    d->found = true;
    sensor_signal_put_as(&d->out, d->format, s);
    if (d->sightings.seen)
        sensor_sightings_signal(d->sightings.seen, s->alert);
    return d->out.n < OUT_BYTES || flush(d);
}

static void on_lost(void *ctx, const struct err *e)
{
    struct detect *d = ctx;
    could_not(d, e);
    d->failed = true;
}

static void on_figures(void *ctx, struct str input, const struct packet_figures *f)
{
    struct detect *d = ctx;
    cli_progress_end(&d->progress);
    detect_packets_tell(input, f);
}

/* What cannot be kept would be told again: that is no reason to stop. */
static void settled(struct detect *d, bool ok, const struct err *e)
{
    if (ok)
        return;
    could_not(d, e);
    d->failed = true;
}

static bool on_block(void *ctx, uint64_t bytes)
{
    struct detect *d = ctx;
    struct err e = {0};
    d->bytes = bytes;
    cli_progress_at(&d->progress, d->bytes_before + bytes);
    if (!flush(d))
        return false;
    /* Sightings are kept as far as lines are told, no further: else they would count twice. */
    if (d->checkpoint && !d->untold)
        settled(d, detect_checkpoint_settle(d->checkpoint, &e), &e);
    detect_sightings_window(&d->sightings);
    return !cli_signals_stopped();
}

static void on_comes(void *ctx, struct str input, int fd)
{
    struct detect *d = ctx;
    detect_checkpoint_comes(d->checkpoint, input, fd);
}

static void on_begin(void *ctx, struct str input, int fd, bool later, struct sensor_place *from)
{
    struct detect *d = ctx;
    detect_checkpoint_begin(d->checkpoint, input, fd, later, from);
}

static void on_told(void *ctx, struct str input, const struct sensor_place *upto)
{
    struct detect *d = ctx;
    struct err e = {0};
    if (d->broken)
        return;
    d->untold = false;
    settled(d, detect_checkpoint_told(d->checkpoint, input, upto, &e), &e);
}

static void on_moved(void *ctx, struct str from, struct str to)
{
    struct detect *d = ctx;
    detect_checkpoint_moved(d->checkpoint, from, to);
}

static void on_warning(void *ctx, struct str input, const char *text)
{
    struct detect *d = ctx;
    fprintf(stderr, "setu %s: warning: no text is seen in %.*s: %s\n", d->c->command->name,
            STR_FMT(input), text);
    d->failed = true; /* what is in it was not looked up */
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

/* The signal came while `input` (NULL: several captures) was read, or before it when not `begun`;
 * `rest` inputs come behind it. */
static void tell_interrupted(struct detect *d, const char *input, size_t rest, bool begun)
{
    bool cut = begun && (!input || is_file(input));
    d->failed = d->failed || cut || rest;
    fprintf(stderr, "setu detect: interrupted");
    if (begun)
        fprintf(stderr,
                cut ? ": only the first %llu bytes of %s were scanned" : ": after %llu bytes of %s",
                (unsigned long long)d->bytes, input ? input : "the captures");
    if (rest)
        fprintf(stderr, ": %zu %s not scanned", rest, rest == 1 ? "input was" : "inputs were");
    fprintf(stderr, ": what was found before is reported\n");
}

static void end_scan(struct detect *d)
{
    struct err e = {0};
    if (d->summary)
        detect_summary_put(d->summary, &d->out);
    if (d->mute)
        detect_mute_tell(d->mute, d->c->command->name);
    if (flush(d) && d->checkpoint && !detect_checkpoint_write(d->checkpoint, &e)) {
        could_not(d, &e);
        d->failed = true;
    }
}

/* Logs that were rotated since the last run, first what is left of the old ones. False when it was
 * stopped: whoever has their names now has to be read after them. */
static bool catch_up(struct detect *d, const struct sensor_scan *s)
{
    char path[LIMIT_PATH_BYTES];
    struct err e = {0};
    size_t count = d->c->arg_count;
    for (size_t i = 0; i < count; i++)
        while (!d->broken && !cli_signals_stopped() &&
               detect_checkpoint_renamed(d->checkpoint, d->c->args[i], path)) {
            bool to_end = true;
            d->bytes = 0;
            if (!sensor_scan_input(s, path, &to_end, &e))
                on_lost(d, &e);
            if (!to_end && cli_signals_stopped())
                tell_interrupted(d, path, count, true);
            if (!to_end)
                return false;
            detect_checkpoint_caught_up(d->checkpoint);
        }
    if (count && cli_signals_stopped())
        tell_interrupted(d, NULL, count, false);
    return count == 0 || !cli_signals_stopped();
}

static void follow(struct detect *d, const struct sensor_scan *s)
{
    struct err e = {0};
    if (!sensor_follow(s, d->c->args, d->c->arg_count, &e)) {
        could_not(d, &e);
        d->failed = true;
    }
    end_scan(d);
}

/* What has no end, when the inputs are read. */
static bool listen_on(struct detect *d, const struct sensor_scan *s, struct err *e)
{
    struct str interface = cli_text(d->c, "interface");
    bool to_end, lost = false;
    bool ok = interface.n ? sensor_scan_interface(s, interface.p, &to_end, e)
                          : detect_syslog(d->c, s, &lost, e);
    d->failed = d->failed || lost;
    return ok;
}

/* Like grep, goes on with the other inputs when one cannot be read. Of `inputs` the first
 * `captures` are read together. */
static void scan_inputs(struct detect *d, const struct sensor_scan *s, const char *const *inputs,
                        size_t count, size_t captures)
{
    struct err e;
    for (size_t i = 0, step; i < count && !d->broken; i += step) {
        bool to_end = false, begun = !cli_signals_stopped(), many = i < captures;
        step = many ? captures : 1;
        d->bytes = 0;
        if (begun && !(many ? sensor_scan_captures(s, inputs, captures, &to_end, &e)
                            : sensor_scan_input(s, inputs[i], &to_end, &e))) {
            could_not(d, &e);
            d->failed = to_end = true;
        }
        if (!to_end && cli_signals_stopped()) {
            tell_interrupted(d, many ? NULL : inputs[i], count - i - (begun ? step : 0), begun);
            return;
        }
        d->bytes_before += d->bytes;
    }
}

static void scan(struct detect *d)
{
    const struct cli *c = d->c;
    struct sensor_scan s = {.set = sensor_indicators_set(d->feeds.indicators),
                            .live = d->live,
                            .as_of_us = d->has_as_of ? &d->feeds.as_of_us : NULL,
                            .alert = on_alert,
                            .block = on_block,
                            .warn = on_warning,
                            .lost = on_lost,
                            .config = d->packets.config,
                            .handle_key = d->packets.has_key ? d->packets.key : NULL,
                            .threads = (size_t)cli_number(c, "threads"),
                            .ctx = d};
    if (cli_text(c, "since").n || cli_text(c, "until").n)
        s.span = &d->span;
    s.fields = d->fields;
    bool listens = cli_text(c, "interface").n || cli_text(c, "syslog").n;
    size_t count = c->arg_count || listens ? c->arg_count : 1, captures = 0;
    if (cli_flag(c, "5g")) {
        s.signal = on_signal;
        s.figures = on_figures;
    }
    if (d->checkpoint) {
        s.comes = on_comes;
        s.begin = on_begin;
        s.told = on_told;
        s.moved = on_moved;
        if (!catch_up(d, &s)) {
            end_scan(d);
            return;
        }
    }
    if (cli_flag(c, "follow")) {
        follow(d, &s);
        return;
    }
    uint64_t total = bytes_of(c);
    struct err e;
    const char **inputs = detect_packets_order(c, &captures);
    if (!inputs) {
        (void)err_set(&e, ERR_MEMORY, "no memory for the names of inputs");
        on_lost(d, &e);
        return;
    }
    cli_progress_start(&d->progress, "bytes", total);
    d->progress.on = d->progress.on && total > 0;
    scan_inputs(d, &s, inputs, count, captures);
    base_free(inputs);
    cli_progress_end(&d->progress);
    if (listens && !d->broken && !cli_signals_stopped() && !listen_on(d, &s, &e))
        on_lost(d, &e);
    end_scan(d);
}

/* Then it is remembered what was told, also when nothing is kept of it. */
static bool follows_folders(const struct cli *c)
{
    for (size_t i = 0; i < c->arg_count && cli_flag(c, "follow"); i++)
        if (file_is_dir(c->args[i]))
            return true;
    return false;
}

static int detect(struct detect *d)
{
    struct err e = {0};
    if (!read_options(d, &e) || !detect_packets_begin(d->c, &d->packets, &e) ||
        !detect_sightings_open(&d->sightings, &e) || !cli_feeds_load(&d->feeds, &e))
        return could_not(d, &e);
    if (cli_flag(d->c, "summary") && !(d->summary = detect_summary_new(&e)))
        return could_not(d, &e);
    if (cli_text(d->c, "mute-share").n &&
        !(d->mute = detect_mute_new(cli_text(d->c, "mute-share"), &e)))
        return could_not(d, &e);
    bool folders = follows_folders(d->c);
    if ((cli_text(d->c, "checkpoint").n || folders) &&
        !(d->checkpoint =
              detect_checkpoint_open(cli_text(d->c, "checkpoint"), d->summary != NULL, &e)))
        return could_not(d, &e);
    if (folders)
        detect_checkpoint_texts(d->checkpoint);
    if (!detect_sightings_begin(&d->sightings, d->checkpoint, &e))
        return could_not(d, &e);
    cli_signals_catch();
    if (cli_feeds_nth(&d->feeds, 0).p)
        cli_feeds_summarize(&d->feeds);
    if (!cli_feeds_check_usable(&d->feeds, "scanned: look at what -i names", &e))
        return could_not(d, &e);
    if (!detect_live_start(&d->feeds, &d->live, &e))
        return could_not(d, &e);
    if (detect_looks(d->c))
        scan(d);
    if (!detect_index(d->c))
        d->failed = true;
    if (!detect_sightings_tell(&d->sightings, &e))
        return could_not(d, &e);
    if (d->broken)
        return d->broken;
    return d->failed || d->sightings.failed ? 3 : d->found || !detect_looks(d->c) ? 0 : 1;
}

static int run(struct cli *c)
{
    struct detect d = {.c = c};
    struct err e = {0};
    if (detect_rules_wanted(c))
        return detect_rules_print(c);
    if (!detect_looks(c) && !cli_text(c, "index").n)
        return cli_usage(c, "--indicators SET is needed: what to look for; or --5g, or --index");
    if (cli_text(c, "index").n && c->arg_count == 0)
        return cli_usage(c, "--index DIR needs INPUT: it is kept of files");
    if (cli_text(c, "spool").n && !cli_text(c, "sightings").n)
        return cli_usage(c, "--spool DIR needs --sightings: to whom they go");
    if (cli_flag(c, "evidence") && !cli_text(c, "sightings").n && !cli_text(c, "sightings-out").n)
        return cli_usage(c, "--evidence needs --sightings or --sightings-out");
    if (cli_number(c, "sightings-window") && !cli_text(c, "spool").n)
        return cli_usage(c, "--sightings-window needs --spool DIR");
    if (cli_flag(c, "follow") &&
        (c->arg_count == 0 || cli_text(c, "interface").n || cli_text(c, "index").n))
        return cli_usage(c, "--follow needs INPUT, and goes without --interface and --index");
    const char *live = detect_live_usage(c);
    if (live)
        return cli_usage(c, "%s", live);
    if (cli_text(c, "syslog").n && (cli_text(c, "interface").n || cli_flag(c, "follow") ||
                                    cli_text(c, "index").n || !cli_text(c, "indicators").n))
        return cli_usage(c, "--syslog needs --indicators, and goes without --interface, --follow "
                            "and --index");
    if (stdin_twice(c))
        return cli_usage(c, "standard input can be read once only");
    if (!cli_flag(c, "follow") && !cli_open_folders(c, &e))
        return cli_fail(c, &e);
    buf_init(&d.out, 0);
    cli_feeds_init(&d.feeds, c, "indicators");
    d.feeds.live = cli_flag(c, "live");
    d.sightings = (struct detect_sightings){.c = c, .how = &d.feeds.how};
    int status = detect(&d);
    sensor_live_stop(d.live);
    detect_sightings_end(&d.sightings);
    detect_summary_free(d.summary);
    detect_mute_free(d.mute);
    sensor_fields_free(d.fields);
    detect_checkpoint_free(d.checkpoint);
    detect_packets_end(&d.packets);
    buf_done(&d.out);
    cli_feeds_done(&d.feeds);
    return status;
}

const struct cli_command cli_detect = {
    .name = "detect",
    .args = "[INPUT...]",
    .summary = "scan logs and captures for indicators; alerts as JSON lines",
    .text =
        "Reads files, folders of them, pipes, and standard input when no INPUT is given. Every "
        "address, name, "
        "URL, e-mail address and hash in it is brought to its normal form and looked up. Exit "
        "status: 0 there was an alert, 1 there was none, 3 something could not be read (or has no "
        "text that is seen, as UTF-16) or sent, no indicator can be used, or SIGINT or SIGTERM "
        "came before the end of a file; "
        "what was found before is reported nevertheless. A pipe is followed until its end or "
        "such a signal.\n\n"
        "Credentials are for one server: with them all URLs must have the same scheme, host and "
        "port.\n\n"
        "A capture (pcap, pcapng) is decoded: addresses, names asked for in DNS, URLs of HTTP and "
        "names in TLS are looked up, inside of tunnels too; an alert has frame in place of "
        "line, and of a GTP-U tunnel its interface, direction, TEID, QFI and a handle of the "
        "session. Several captures are read before other files, and together in the order of their "
        "packets' time: sessions that one tells of are known in the others.\n\n"
        "With --index an index of each file is written after it was scanned, or alone, without "
        "--indicators. Then 0 says that each was written or is there, 3 that an input has none.\n\n"
        "A line of stderr tells how many indicators are in use and why others are not. "
        "Sightings hold counts and times, nothing of the log but with --evidence, and are marked "
        "as the indicator is; only STIX indicators have them. What a rule of --5g says is sighted "
        "as its technique of MITRE FiGHT, whose id everybody derives alike (`setu import "
        "--fight`).",
    .options = options,
    .run = run,
};
