#include <stdio.h>

#include "cli/cli.h"

bool cli_restored(struct exchange_session *s, char out[CLI_RESTORED_BYTES], struct err *e)
{
    struct exchange_restored r;
    char at[INSTANT_TEXT_BYTES];
    if (!exchange_restored(s, &r, e))
        return false;
    out[0] = '\0';
    if (r.count == 0)
        return true;
    instant_text(instant_of_us(r.at_us), 0, at);
    snprintf(out, CLI_RESTORED_BYTES,
             "this node was restored from a backup at %s and no officer has confirmed it; partners "
             "may refuse its ledger: have one give `setu ledger confirm`",
             at);
    return true;
}
