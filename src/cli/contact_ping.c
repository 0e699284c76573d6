#include "cli/requests.h"

static const struct cli_option options[] = {
    {"at", 0, CLI_TEXT, "TIME", NULL, "when it was sent, where that is not now", 0, 0, false,
     false},
    CLI_SPEAKER_MARKING,
    CLI_EXERCISE,
    CLI_SPEAKER_COLLECTION,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static bool ping(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    struct exchange_asking q = {.say = {.who = &sp->who}};
    struct cli_said said;
    return cli_speaker_author(sp, &q.author, e) &&
           cli_instant(sp->c, "at", q.author.now_us, &q.at_us, e) &&
           cli_speaker_into(sp, &q.say, &said, b, e) &&
           exchange_contact_test(sp->node.s, &q, str_of(sp->c->args[1]), refused, e);
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, ping);
}

const struct cli_command cli_contact_ping = {
    .name = "contact ping",
    .args = "DIR ID",
    .least_args = 2,
    .most_args = 2,
    .summary = "test whether a point of contact answers",
    .text = "ID is the contact point's, or how its UUID begins. The test is a request of the kind "
            "contact-test, with the usual deadlines; `setu request list --kind contact-test` "
            "lists tests, `setu contact list` tells how many were answered.",
    .options = options,
    .run = run,
};
