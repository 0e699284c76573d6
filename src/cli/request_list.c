#include "cli/requests.h"

static const struct cli_option options[] = {
    {"exercise", 0, CLI_FLAG, NULL, NULL, "exercises, in the place of what is live", 0, 0, false,
     false},
    {"open", 0, CLI_FLAG, NULL, NULL, "only those in which something is to be done", 0, 0, false,
     false},
    {"kind", 0, CLI_TEXT, "KIND", NULL,
     "only of this kind; without it, all but tests of contact points", 0, 0, false, false},
    CLI_AS_OF,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static bool wanted(const struct cli *c, const struct exchange_request *q)
{
    struct str kind = json_get_str(q->asked->json, STR("kind")), asked = cli_text(c, "kind");
    bool open = q->life.state != DIALOGUE_ANSWERED && !dialogue_state_final(q->life.state);
    return (asked.n ? str_eq(kind, asked) : !str_eq(kind, STR("contact-test"))) &&
           (open || !cli_flag(c, "open"));
}

static bool list(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    (void)refused; /* nothing is said */
    struct exchange_request_query q = {.exercise = cli_flag(sp->c, "exercise")};
    struct exchange_requests found;
    struct cli_requests r;
    if (!cli_requests_read(&r, sp, &q, &found, e))
        return false;
    for (size_t i = 0; i < found.count; i++) {
        if (!wanted(sp->c, &found.list[i]))
            continue;
        if (!cli_flag(sp->c, "json")) {
            if (!cli_request_text(&r, &found.list[i], b, e))
                return false;
            continue;
        }
        if (!cli_request_json(&r, &found.list[i], b, e))
            return false;
        buf_lit(b, "}\n");
    }
    return true;
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, list);
}

const struct cli_command cli_request_list = {
    .name = "request list",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "list requests for assistance, their states and deadlines",
    .text = "Those that are released to the reader, in the order in which they were made. A "
            "deadline is an instant: it is shown in UTC and as the clocks of both sides show it. "
            "Live requests and those of exercises are never listed together.",
    .options = options,
    .run = run,
};
