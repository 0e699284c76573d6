#include "cli/officer.h"

static const struct cli_option options[] = {
    CLI_OFFICER,
    {"for", 0, CLI_TEXT, "WHO", NULL,
     "approve for this organisation only; needed for TLP:RED, which goes to named recipients", 0, 0,
     false, false},
    CLI_JSON,
    CLI_OPTION_END,
};

static int run(struct cli *c)
{
    return cli_desk_decide(c, false);
}

const struct cli_command cli_release_approve = {
    .name = "release approve",
    .args = "DIR NUMBER",
    .least_args = 2,
    .most_args = 2,
    .summary = "approve what a hold rule or the quarantine keeps waiting",
    .text = "NUMBER is that of `setu release list`. A hold opens when as many officers as its rule "
            "asks "
            "for have approved, each once, and none of them who submitted the object; it is then "
            "released "
            "to those who waited, with a date_added of its own. What leaves quarantine is accepted "
            "as if "
            "it arrived now.",
    .options = options,
    .run = run,
};
