#include "cli/requests.h"

static const struct cli_option options[] = {
    {"text", 0, CLI_TEXT, "TEXT", NULL, "a word with it", 0, 0, false, false},
    {"at", 0, CLI_TEXT, "TIME", NULL, "when it happened, where that is not now", 0, 0, false,
     false},
    CLI_SPEAKER_COLLECTION,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static bool answer(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    struct exchange_stepping q = {.say = {.who = &sp->who},
                                  .author = {.identity = sp->who.identity, .now_us = now_us()},
                                  .id = str_of(sp->c->args[1]),
                                  .kind = STR("contact-test"),
                                  .move = {.event = DIALOGUE_MOVES,
                                           .to = DIALOGUE_ANSWERED,
                                           .text = cli_text(sp->c, "text")}};
    struct cli_said said;
    return cli_instant(sp->c, "at", 0, &q.move.at_us, e) &&
           cli_speaker_into(sp, &q.say, &said, b, e) &&
           exchange_request_step(sp->node.s, &q, refused, e);
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, answer);
}

const struct cli_command cli_contact_answer = {
    .name = "contact answer",
    .args = "DIR ID",
    .least_args = 2,
    .most_args = 2,
    .summary = "answer a test of a point of contact",
    .text = "ID is the test's, as `setu request list --kind contact-test` tells it, or how its "
            "UUID begins.",
    .options = options,
    .run = run,
};
