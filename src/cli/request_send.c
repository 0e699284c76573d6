/* setu request send: a draft goes to the partner. */
#include "cli/requests.h"

static const struct cli_option options[] = {
    {"acknowledge-within", 0, CLI_TEXT, "TIME", NULL,
     "to be acknowledged within: 30m, 6h, 3d; as long as in the draft if not given", 0, 0, false,
     false},
    {"answer-within", 0, CLI_TEXT, "TIME", NULL,
     "to be answered within; as long as in the draft if not given", 0, 0, false, false},
    CLI_SPEAKER_MARKING,
    CLI_SPEAKER_COLLECTION,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static bool send(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    const struct cli *c = sp->c;
    struct exchange_sending q = {.say = {.who = &sp->who}, .id = str_of(c->args[1])};
    struct cli_said said;
    return cli_span(c, "acknowledge-within", &q.acknowledge_s, e) &&
           cli_span(c, "answer-within", &q.answer_s, e) && cli_speaker_author(sp, &q.author, e) &&
           cli_speaker_into(sp, &q.say, &said, b, e) &&
           exchange_request_send(sp->node.s, &q, refused, e);
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, send);
}

const struct cli_command cli_request_send = {
    .name = "request send",
    .args = "DIR ID",
    .least_args = 2,
    .most_args = 2,
    .summary = "send a request that was kept as a draft",
    .text = "The draft's next version, marked as --tlp says, and the step that sends it, in one "
            "transaction. Its deadlines count from now.",
    .options = options,
    .run = run,
};
