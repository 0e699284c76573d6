#include "cli/ledger_key_file.h"

#include <unistd.h>

bool cli_read_key(struct cli *c, const char *option, struct ledger_key *out, bool *given,
                  struct err *e)
{
    struct str text = cli_text(c, option), bytes;
    *given = text.n > 0;
    if (!*given)
        return true;
    if (str_find(text, '+') == text.n || file_exists(text.p)) {
        if (!file_read(text.p, LIMIT_LEDGER_TEXT_BYTES, &bytes, e))
            return err_prefix(e, "--%s", option);
        text = str_trim(arena_str(c->arena, bytes));
        base_free((void *)(uintptr_t)bytes.p);
    }
    if (!arena_ok(c->arena, e))
        return false;
    return ledger_key_parse(text, out, e) ||
           (err_prefix(e, "--%s", option),
            err_hint(e, "`setu ledger key DIR` prints a node's: name+id+base64"));
}

static void put_part(struct buf *b, struct str part)
{
    if (str_eq(part, STR("*")))
        buf_lit(b, "everybody");
    else if (str_find(part, '/') == part.n)
        buf_printf(b, "all of %.*s", STR_FMT(part));
    else
        buf_printable(b, part, LIMIT_NAME_BYTES);
}

void cli_put_audience(struct buf *b, struct str audience)
{
    bool first = true;
    while (audience.p) {
        struct str part = str_cut(&audience, ' ');
        if (!part.n)
            continue;
        buf_lit(b, first ? "" : ", ");
        buf_lit(b, part.p[0] == '-' ? "but not " : "");
        put_part(b, str_from(part, 1));
        first = false;
    }
}
