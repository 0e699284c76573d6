/* setu notice: what an incident in a mobile core touched, exactly for home, in bands for others. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/documents.h"
#include "dialogue/dialogue.h"
#include "sensor/sensor.h"
#include "stix/stix.h"

static const struct cli_option options[] = {
    {"from", 0, CLI_TEXT, "TIME", NULL, "only alerts of then (RFC 3339) or later", 0, 0, false,
     false},
    {"until", 0, CLI_TEXT, "TIME", NULL, "only alerts of before", 0, 0, false, false},
    {"of", 0, CLI_TEXT, "NAME", NULL,
     "only alerts of this rule, technique (FGT1499) or indicator (its id); all if not given", 0, 0,
     true, false},
    {"5g-config", 0, CLI_TEXT, "FILE", NULL,
     "as for `setu detect`: its lines gnb say in which areas nodes stand", 0, 0, false, false},
    {"noticed", 0, CLI_TEXT, "TIME", NULL,
     "when the incident was noticed: until when the law wants a report and its details", 0, 0,
     false, false},
    {"out", 'o', CLI_TEXT, "FILE", NULL,
     "write a STIX incident for others: bands, whole hours, rules and techniques", 0, 0, false,
     false},
    {"identity", 0, CLI_TEXT, "ID", NULL, "with -o: the STIX identity that gives notice", 0, 0,
     false, false},
    {"name", 0, CLI_TEXT, "TEXT", "Incident in a mobile core",
     "with -o: what the incident is called", 0, 0, false, false},
    {"tlp", 0, CLI_TEXT, "TLP", NULL,
     "with -o: mark it clear, green, amber, amber+strict or red; as the collection marks if not "
     "given",
     0, 0, false, false},
    {"earlier", 0, CLI_TEXT, "FILE", NULL,
     "with -o: the notice, as -o wrote it, of which this is a later version", 0, 0, false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

struct notice {
    struct cli *c;
    struct sensor_notice_asked asked;
    struct sensor_notice_release release;
    struct packet_config *config;
    struct sensor_notice *counted;
    struct json_reader *reader;
    int64_t noticed_us; /* 0: not said */
};

/* ---- options ----------------------------------------------------------------------------- */

static bool read_config(struct notice *n, struct err *e)
{
    struct str path = cli_text(n->c, "5g-config"), text;
    if (!path.n)
        return true;
    if (!file_read(path.p, LIMIT_PACKET_CONFIG_BYTES, &text, e))
        return err_prefix(e, "--5g-config");
    bool ok = packet_config_parse(text, &n->config, e);
    base_free((void *)(uintptr_t)text.p);
    n->asked.config = n->config;
    return ok || err_prefix(e, "--5g-config %s", path.p);
}

static bool read_earlier(struct notice *n, struct err *e)
{
    struct str path = cli_text(n->c, "earlier"), text;
    enum stix_container kind;
    const struct json *doc, *first;
    size_t count;
    if (!path.n)
        return true;
    if (!file_read(path.p, LIMIT_SENSOR_ENVELOPE_BYTES, &text, e))
        return err_prefix(e, "--earlier");
    bool ok = json_parse(n->reader, n->c->arena, text, false, &doc, e) &&
              stix_container_open(doc, &kind, &first, &count, e) &&
              (count == 1 || err_set(e, ERR_INVALID, "one notice is needed"));
    base_free((void *)(uintptr_t)text.p);
    if (ok)
        n->release.earlier = first;
    return ok || err_prefix(e, "--earlier %s", path.p);
}

static bool read_release(struct notice *n, struct err *e)
{
    const struct cli *c = n->c;
    struct str tlp = cli_text(c, "tlp"), id = cli_text(c, "identity"), type;
    enum stix_tlp marking = STIX_TLP_NONE;
    n->release = (struct sensor_notice_release){
        .identity = id, .name = cli_text(c, "name"), .now_us = now_us()};
    if (!cli_text(c, "out").n)
        return true;
    if (!id.n)
        return err_set(e, ERR_USAGE, "-o needs --identity ID: who gives notice");
    if (!stix_id_parse(id, &type, e) || !str_eq(type, STR("identity")))
        return err_set(e, ERR_USAGE, "--identity %s: the id of an identity is needed", id.p);
    if (tlp.n && (!stix_tlp_parse(tlp, &marking) || marking == STIX_TLP_NONE))
        return err_set(e, ERR_USAGE, "--tlp %s: clear, green, amber, amber+strict or red", tlp.p);
    if (!n->release.name.n || !utf8_valid(n->release.name))
        return err_set(e, ERR_USAGE, "--name takes a text of UTF-8");
    n->release.marking = tlp.n ? stix_tlp_id(marking) : STR_NONE;
    return read_earlier(n, e);
}

static bool read_options(struct notice *n, struct err *e)
{
    struct cli *c = n->c;
    size_t count = 0;
    n->asked.from_us = INT64_MIN;
    n->asked.until_us = INT64_MAX;
    if (!cli_instant(c, "from", n->asked.from_us, &n->asked.from_us, e) ||
        !cli_instant(c, "until", n->asked.until_us, &n->asked.until_us, e) ||
        !cli_instant(c, "noticed", n->noticed_us, &n->noticed_us, e))
        return false;
    if (n->asked.from_us >= n->asked.until_us)
        return err_set(e, ERR_USAGE, "--from must be before --until");
    while (cli_text_nth(c, "of", count).p)
        count++;
    struct str *of = arena_calloc(c->arena, count + 1, sizeof *of);
    if (!of)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        of[i] = cli_text_nth(c, "of", i);
    n->asked.of = of;
    n->asked.of_count = count;
    return read_release(n, e) && read_config(n, e);
}

/* ---- counting ---------------------------------------------------------------------------- */

static bool take(void *ctx, const struct cli_document *d, struct err *e)
{
    struct notice *n = ctx;
    if (!d->ok && str_trim(d->text).n == 0)
        return true; /* nothing was found: no alerts */
    if (!d->ok)
        *e = d->e;
    return (d->ok && sensor_notice_take(n->counted, d->root, e)) ||
           err_prefix(e, "%s:%zu", d->path, d->line);
}

static bool count(struct notice *n, struct err *e)
{
    const struct cli *c = n->c;
    bool ok = sensor_notice_new(&n->asked, &n->counted, e);
    if (ok && c->arg_count == 0)
        ok = cli_documents_each("-", false, take, n, e);
    for (size_t i = 0; i < c->arg_count && ok; i++)
        ok = cli_documents_each(c->args[i], false, take, n, e);
    return ok;
}

/* ---- telling ----------------------------------------------------------------------------- */

/* Until when the law of the one who noticed wants what. */
static bool put_clocks(struct notice *n, struct buf *b, struct err *e)
{
    static const char *const ids[] = {"in-telecom-report", "in-telecom-details"};
    const struct dialogue_clocks *clocks;
    char text[INSTANT_TEXT_BYTES];
    if (!n->noticed_us)
        return true;
    if (!dialogue_clocks_load(n->c->arena, n->reader, &clocks, e))
        return false;
    json_put_name(b, "due");
    buf_byte(b, '[');
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct dialogue_law law;
        if (!dialogue_clocks_find(clocks, str_of(ids[i]), &law))
            continue;
        buf_lit(b, i ? ",{" : "{");
        json_put_member(b, "clock", law.id);
        json_put_member(b, "what", law.what);
        json_put_member(b, "instrument", law.instrument);
        int64_t by = n->noticed_us + law.seconds * 1000000;
        json_put_member(b, "by", instant_text(instant_of_us(by), 0, text));
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
    return true;
}

/* Members of one object, a line each. */
static void put_lines(struct buf *b, struct str text, const struct json *figures)
{
    for (const struct json *v = figures->u.child; v; v = v->next)
        buf_printf(b, "%.*s: %.*s\n", STR_FMT(v->key), STR_FMT(json_source(text, v)));
}

static bool tell(struct notice *n, int *status, struct err *e)
{
    struct buf figures, lines;
    const struct json *doc;
    buf_init(&figures, 0);
    buf_init(&lines, 0);
    buf_byte(&figures, '{');
    sensor_notice_figures(n->counted, &figures);
    bool ok = put_clocks(n, &figures, e);
    buf_lit(&figures, "}\n");
    ok = ok && buf_ok(&figures, e) &&
         json_parse(n->reader, n->c->arena, buf_view(&figures), false, &doc, e);
    if (ok)
        put_lines(&lines, buf_view(&figures), doc);
    ok = ok && buf_ok(&lines, e);
    if (ok)
        *status = cli_print(n->c, cli_flag(n->c, "json") ? &figures : &lines);
    buf_done(&figures);
    buf_done(&lines);
    return ok;
}

static bool give(struct notice *n, struct err *e)
{
    struct str path = cli_text(n->c, "out");
    struct buf b;
    if (!path.n)
        return true;
    buf_init(&b, 0);
    bool ok = sensor_notice_incident(n->counted, &n->release, &b, e) &&
              file_write(path.p, buf_view(&b), 0644, e);
    buf_done(&b);
    return ok;
}

static int run(struct cli *c)
{
    struct notice n = {.c = c, .reader = json_reader_new()};
    struct err e = {0};
    int status = 0;
    bool ok = (n.reader || err_set(&e, ERR_MEMORY, "out of memory")) && read_options(&n, &e) &&
              count(&n, &e) && tell(&n, &status, &e) && (status || give(&n, &e));
    if (!ok)
        status = cli_fail(c, &e);
    else if (!status)
        status = sensor_notice_alerts(n.counted) ? 0 : 1;
    sensor_notice_free(n.counted);
    packet_config_free(n.config);
    json_reader_free(n.reader);
    return status;
}

const struct cli_command cli_notice = {
    .name = "notice",
    .args = "[ALERTS...]",
    .summary = "count what an incident in a mobile core touched, from its alerts",
    .text =
        "ALERTS are lines that `setu detect` wrote as JSON, of one run or of many with one "
        "--5g-key; standard input if not given. Prints exact figures: users, sessions, how long, "
        "which nodes, areas and slices. These are for one's own authority, and stay at home. A "
        "user counts once a day where the signalling named him, else once a session, so there "
        "were not more of those that alerts with a session tell of; alerts without one are "
        "counted apart.\n\n"
        "-o writes what others may have: a STIX incident in which numbers are bands (fewer than "
        "10, 10 to 99, 100 to 999 ...), times are whole hours, and all words are names of rules, "
        "techniques and interfaces. `setu import` takes it in, and the policy decides who gets "
        "it. With --earlier it is a later version, which only grows. Exit status 1: no alert of "
        "that time and kind.",
    .options = options,
    .run = run,
};
