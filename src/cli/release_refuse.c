#include "cli/officer.h"

static const struct cli_option options[] = {
    CLI_OFFICER,
    {"reason", 0, CLI_TEXT, "TEXT", NULL, "why, for the record", 0, 0, false, true},
    CLI_JSON,
    CLI_OPTION_END,
};

static int run(struct cli *c)
{
    return cli_desk_decide(c, true);
}

const struct cli_command cli_release_refuse = {
    .name = "release refuse",
    .args = "DIR NUMBER",
    .least_args = 2,
    .most_args = 2,
    .summary = "refuse what a hold rule or the quarantine keeps waiting",
    .text = "NUMBER is that of `setu release list`. One officer is enough. A held object stays "
            "with those "
            "who have it already; what was in quarantine does not come in.",
    .options = options,
    .run = run,
};
