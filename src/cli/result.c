#include "cli/cli.h"

/* Bytes of an object's own words that a line shows. */
#define SHOWN_BYTES 600

void cli_put_result(struct buf *b, bool json, const struct exchange_result *r)
{
    const char *outcome = exchange_outcome_name(r->outcome);
    if (json) {
        buf_byte(b, '{');
        json_put_member(b, "object", r->id);
        json_put_member(b, "status", str_of(outcome));
        json_put_member(b, "rule", r->rule);
        json_put_member(b, "message", r->message);
        buf_lit(b, "}\n");
    } else {
        buf_printf(b, "%s ", outcome);
        buf_printable(b, r->id, SHOWN_BYTES);
        buf_lit(b, ": ");
        buf_printable(b, r->rule, SHOWN_BYTES);
        buf_lit(b, ": ");
        buf_printable(b, r->message, SHOWN_BYTES);
        buf_byte(b, '\n');
    }
}
