/* setu feedback: what a reader thinks of an indicator goes back to its producer. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/endpoint.h"
#include "sensor/sensor.h"
#include "stix/stix.h"

static const struct cli_option options[] = {
    {"collection", 0, CLI_TEXT, "C", NULL,
     "the collection of the server or directory: id, alias or title; a directory's only one needs "
     "no "
     "name",
     0, 0, false, false},
    {"comment", 0, CLI_TEXT, "TEXT", NULL, "what was seen, in words: the producer reads it", 0, 0,
     false, false},
    {"tlp", 0, CLI_TEXT, "TLP", NULL,
     "mark it: clear, green, amber, amber+strict, red; as the collection marks if not given", 0, 0,
     false, false},
    {"identity", 0, CLI_TEXT, "ID", NULL,
     "the STIX identity that says so; what the server or directory says if not given", 0, 0, false,
     false},
    CLI_ENDPOINT_OPTIONS,
    CLI_OPTION_END,
};

static bool read_options(const struct cli *c, struct sensor_feedback *f, struct err *e)
{
    struct str tlp = cli_text(c, "tlp"), identity = cli_text(c, "identity"), type;
    enum stix_tlp marking = STIX_TLP_NONE;
    *f = (struct sensor_feedback){
        .id = str_of(c->args[1]), .verdict = str_of(c->args[2]), .comment = cli_text(c, "comment")};
    if (!stix_id_parse(f->id, NULL, e) ||
        (identity.n && (!stix_id_parse(identity, &type, e) ||
                        (!str_eq(type, STR("identity")) &&
                         !err_set(e, ERR_USAGE, "--identity takes the id of an identity"))))) {
        e->code = ERR_USAGE;
        return false;
    }
    if (!sensor_verdict_known(f->verdict))
        return err_set(e, ERR_USAGE, "%s: say false-positive, doubtful, useful or confirmed",
                       c->args[2]);
    if (f->comment.n > LIMIT_EXCHANGE_MESSAGE_BYTES || !utf8_valid(f->comment))
        return err_set(e, ERR_USAGE, "--comment takes at most %d bytes of UTF-8",
                       LIMIT_EXCHANGE_MESSAGE_BYTES);
    if (tlp.n && (!stix_tlp_parse(tlp, &marking) || marking == STIX_TLP_NONE))
        return err_set(e, ERR_USAGE, "--tlp %s: clear, green, amber, amber+strict or red", tlp.p);
    f->marking = tlp.n ? stix_tlp_id(marking) : STR_NONE;
    return true;
}

static bool send(const struct cli *c, const struct sensor_feedback *f, struct sensor_sent *sent,
                 struct err *e)
{
    struct peer_endpoint how;
    struct sensor_target *t = NULL;
    bool ok = cli_endpoint_read(c, &how, e) &&
              sensor_target_open(c->args[0], &how, cli_text(c, "collection"),
                                 cli_text(c, "identity"), &t, e) &&
              sensor_target_knows(t, f->id, e) && sensor_feedback_send(t, f, sent, e);
    sensor_target_close(t);
    return ok;
}

static int run(struct cli *c)
{
    struct sensor_feedback f;
    struct err e = {0};
    struct buf why, b;
    if (!read_options(c, &f, &e))
        return cli_usage(c, "%s", e.msg);
    buf_init(&why, 0);
    buf_init(&b, 0);
    struct sensor_sent sent = {.first_failure = &why};
    bool ok = send(c, &f, &sent, &e);
    int status = ok ? 0 : cli_fail(c, &e);
    if (ok && sent.failure) {
        (void)err_set(&e, ERR_INVALID, "it was not taken: %.*s", STR_FMT(buf_view(&why)));
        status = cli_fail(c, &e);
    } else if (ok) {
        buf_printf(&b, "%s: %.*s\n", sent.pending ? "It waits for officers there" : "It was taken",
                   STR_FMT(f.verdict));
        status = cli_print(c, &b);
    }
    buf_done(&b);
    buf_done(&why);
    return status;
}

const struct cli_command cli_feedback = {
    .name = "feedback",
    .args = "DIR|URL ID VERDICT",
    .least_args = 3,
    .most_args = 3,
    .summary = "tell the producer of an indicator what it is worth",
    .text =
        "VERDICT is false-positive, doubtful, useful or confirmed. It becomes an Opinion on the "
        "object ID (STIX 2.1 section 4.13) in a collection, of a node's directory or a TAXII "
        "server, and travels as any object does: to whom the policy releases it. What is said "
        "about a redacted copy finds the original at home.",
    .options = options,
    .run = run,
};
