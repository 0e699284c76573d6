#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "pattern/parse_priv.h"

/* Where byte `offset` of the unescaped string stands in the text. */
static size_t source_of(const struct pattern_parser *p, size_t offset)
{
    struct str in = p->now.inner;
    size_t i = 0;
    for (; offset > 0 && i < in.n; i++, offset--)
        i += in.p[i] == '\\';
    return (size_t)(in.p - p->text.p) + i;
}

/* STIX 2.1 §9.6.1: PCRE syntax, DOTALL. Checked as for a text property, and dropped again: the
 * evaluator compiles for the property it meets (§9.6.1 wants no Unicode for binary ones). What all
 * expressions of a pattern take together is bounded, because a short one like (a{999}){60} is not
 * small when compiled. \C would let a match end within a character. */
bool pattern_regex_check(struct pattern_parser *p, struct str regex)
{
    uint32_t options =
        PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C;
    int code;
    PCRE2_SIZE at, bytes = 0;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)regex.p, regex.n, options, &code, &at, NULL);
    if (!compiled) {
        unsigned char why[160];
        if (pcre2_get_error_message(code, why, sizeof why) < 0)
            why[0] = '\0';
        return err_set_at(p->e, ERR_SYNTAX, source_of(p, at),
                          "expected a regular expression behind MATCHES that compiles "
                          "(STIX 2.1 §9.4): %s",
                          (const char *)why);
    }
    bool known = pcre2_pattern_info(compiled, PCRE2_INFO_SIZE, &bytes) == 0;
    pcre2_code_free(compiled);
    must(known);
    if (bytes > LIMIT_PATTERN_REGEX_BYTES - p->regex_bytes)
        return err_set_at(p->e, ERR_LIMIT, p->now.at,
                          "the pattern's regular expressions take more than %u bytes when compiled",
                          LIMIT_PATTERN_REGEX_BYTES);
    p->regex_bytes += bytes;
    return true;
}
