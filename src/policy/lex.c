#include <string.h>

#include "policy/policy_priv.h"

static const struct {
    struct str text;
    enum word_role role;
} words[] = {[WORD_NONE] = {{NULL, 0}, ROLE_NONE},
#define X(word, text, role) [WORD_##word] = {{text, sizeof(text) - 1}, ROLE_##role},
             POLICY_WORDS(X)
#undef X
};

enum word_role policy_word_role(enum word w)
{
    return words[w].role;
}

static enum word word_of(struct str text)
{
    for (size_t i = WORD_NONE + 1; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_eq(words[i].text, text))
            return (enum word)i;
    return WORD_NONE;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Printable ASCII without the characters that are tokens of their own or begin one. */
static bool is_word(char c)
{
    return c > ' ' && c < 0x7f && !strchr("{},\"#=<>!", c);
}

/* Offset of the first byte that is neither a blank nor in a comment (`#` to the end of the line).
 */
static size_t skip_blanks(struct str text, size_t pos)
{
    while (pos < text.n && (is_blank(text.p[pos]) || text.p[pos] == '#')) {
        if (text.p[pos] == '#')
            pos += str_find(str_from(text, pos), '\n');
        else
            pos++;
    }
    return pos;
}

/* A string ends on its line; there are no escapes. Else `t` stays TOKEN_BAD, without its quote. */
static void lex_string(struct str text, struct token *t)
{
    size_t pos = t->at + 1;
    while (pos < text.n && text.p[pos] != '"' && (unsigned char)text.p[pos] >= ' ')
        pos++;
    t->text = str_slice(text, t->at + 1, pos);
    t->end = pos;
    if (pos < text.n && text.p[pos] == '"' && utf8_valid(t->text)) {
        t->kind = TOKEN_STRING;
        t->end++;
    }
}

/* = != < <= > >= ; else `t` stays TOKEN_BAD, one character. */
static void lex_compare(struct str text, struct token *t)
{
    bool equal = t->at + 1 < text.n && text.p[t->at + 1] == '=';
    if (text.p[t->at] != '!' || equal)
        t->kind = TOKEN_COMPARE;
    t->end = t->at + (equal && text.p[t->at] != '=' ? 2 : 1);
}

struct token policy_lex(struct str text, size_t pos)
{
    struct token t = {.kind = TOKEN_BAD};
    t.at = skip_blanks(text, pos);
    t.end = t.at;
    if (t.at == text.n) {
        t.kind = TOKEN_END;
        return t;
    }
    char c = text.p[t.at];
    if (c == '"') {
        lex_string(text, &t);
        return t;
    }
    if (is_word(c)) {
        while (t.end < text.n && is_word(text.p[t.end]))
            t.end++;
        t.kind = TOKEN_WORD;
    } else if (c == ',' || c == '{' || c == '}') {
        t.end++;
        t.kind = c == ',' ? TOKEN_COMMA : c == '{' ? TOKEN_OPEN : TOKEN_CLOSE;
    } else if (c && strchr("=<>!", c)) {
        lex_compare(text, &t);
    } else { /* a whole character of UTF-8, so that the message can show it */
        do
            t.end++;
        while (t.end < text.n && ((unsigned char)text.p[t.end] & 0xC0) == 0x80);
    }
    t.text = str_slice(text, t.at, t.end);
    if (t.kind == TOKEN_WORD)
        t.word = word_of(t.text);
    return t;
}
