/* Plain lists: one value a line. */
#include "match/match_priv.h"

/* The value of a line: what stands before a comment, without blanks around it. */
static struct str line_value(struct str line)
{
    const char *p = line.p, *end = line.p + line.n;
    while (p < end && (p = memchr(p, '#', (size_t)(end - p))) != NULL) {
        if (p == line.p || p[-1] == ' ' || p[-1] == '\t')
            line.n = (size_t)(p - line.p);
        end = line.p + line.n;
        p++;
    }
    return str_trim(line);
}

bool match_set_load_list(struct match_set *s, struct str text, struct match_list_options *options,
                         struct err *e)
{
    char out[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_from(text, 3);
    for (size_t line = 1; text.p != NULL; line++) {
        struct str value = line_value(str_cut(&text, '\n'));
        struct observable o;
        struct err why;
        if (value.n == 0)
            continue;
        if (!observable_guess(value, out, sizeof out, &o, &why) ||
            (options->accept != NULL && !options->accept(options->ctx, &o, &why))) {
            options->unknown_count++;
            if (options->unknown != NULL)
                options->unknown(options->ctx, line, value, &why);
            continue;
        }
        struct match_indicator i = options->like;
        uint32_t index = 0;
        if (i.id.n == 0)
            i.id = value;
        if (!match_set_indicator(s, &i, &index, e) || !match_set_value(s, index, &o, e))
            return false;
        options->added_count++;
    }
    return true;
}
