#include <stdio.h>
#include <string.h>

#include "pattern/parse_priv.h"

static const struct keyword {
    enum pattern_token_kind kind;
    struct str text;
} keywords[] = {
#define X(name, text) {TOKEN_##name, {text, sizeof(text) - 1}},
    PATTERN_KEYWORD_TABLE(X)
#undef X
};
enum { KEYWORD_COUNT = sizeof keywords / sizeof keywords[0] };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
    return is_word_start(c) || is_digit(c);
}

/* The byte at `i`, or NUL behind the end; a NUL in the text is no part of any token but a string.
 */
static char byte_at(const struct pattern_parser *p, size_t i)
{
    return i < p->text.n ? p->text.p[i] : '\0';
}

/* The kind of a word: its own if it is reserved, else TOKEN_WORD. */
static enum pattern_token_kind keyword_of(struct str word)
{
    for (size_t i = 0; i < KEYWORD_COUNT; i++)
        if (keywords[i].text.n == word.n && keywords[i].text.p[0] == word.p[0] &&
            str_eq(word, keywords[i].text))
            return keywords[i].kind;
    return TOKEN_WORD;
}

bool pattern_name_plain(struct str name)
{
    if (name.n == 0 || !is_word_start(name.p[0]))
        return false;
    for (size_t i = 1; i < name.n; i++)
        if (!is_word(name.p[i]))
            return false;
    return keyword_of(name) == TOKEN_WORD;
}

struct str pattern_keep(const struct pattern_parser *p, struct str s)
{
    return s.n ? (struct str){p->copy + (s.p - p->text.p), s.n} : STR("");
}

void pattern_note_add(struct pattern_parser *p, enum pattern_note_kind kind, size_t at)
{
    if (p->out->notes[kind].count++ == 0 || at < p->out->notes[kind].at)
        p->out->notes[kind].at = (uint32_t)at; /* LIMIT_PATTERN_BYTES keeps it below 2^32 */
}

/* ---- messages ---- */

/* Writes what was found for people: short, whole characters, nothing that moves a terminal. */
static void found_text(const struct pattern_parser *p, char out[64])
{
    const struct pattern_token *t = &p->now;
    size_t n = t->end - t->at, most = 40;
    const char *s = p->text.p + t->at;
    if (t->kind == TOKEN_END) {
        strcpy(out, "the end of the pattern");
        return;
    }
    bool quoted = t->kind >= TOKEN_STRING && t->kind <= TOKEN_TIMESTAMP;
    size_t shown = n < most ? n : most;
    while (shown < n && shown > 0 && ((unsigned char)s[shown] & 0xC0) == 0x80)
        shown--;
    for (size_t i = 0; i < shown; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            shown = i;
    snprintf(out, 64, "%s%.*s%s%s", quoted ? "the constant " : "'", (int)shown, s,
             shown < n ? "…" : "", quoted ? "" : "'");
}

/* A keyword in the wrong case is the commonest slip, and looks right to its writer. */
static const char *case_hint(const struct pattern_parser *p)
{
    struct str word = str_slice(p->text, p->now.at, p->now.end);
    for (size_t i = 0; p->now.kind == TOKEN_WORD && i < KEYWORD_COUNT; i++)
        if (str_eq_nocase(word, keywords[i].text))
            return keywords[i].text.p;
    return NULL;
}

bool pattern_lex_expected(struct pattern_parser *p, const char *what)
{
    char found[64];
    const char *hint = case_hint(p);
    found_text(p, found);
    return err_set_at(p->e, ERR_SYNTAX, p->now.at, "expected %s, found %s%s%s%s", what, found,
                      hint ? " (the keyword is written " : "", hint ? hint : "", hint ? ")" : "");
}

/* ---- between tokens ---- */

/* Decodes the character at `i`; the text is valid UTF-8. */
static uint32_t char_at(const struct pattern_parser *p, size_t i, size_t *bytes)
{
    unsigned char c = (unsigned char)p->text.p[i];
    *bytes = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    uint32_t v = *bytes == 1 ? c : c & (0x7Fu >> *bytes);
    for (size_t k = 1; k < *bytes; k++)
        v = v << 6 | ((unsigned char)p->text.p[i + k] & 0x3Fu);
    return v;
}

/* STIX 2.1 §9.4: white space is every code point with White_Space=Y (Unicode PropList.txt). */
static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static bool skip_comment(struct pattern_parser *p)
{
    size_t start = p->at;
    bool line = byte_at(p, start + 1) == '/';
    pattern_note_add(p, PATTERN_NOTE_COMMENT, start);
    for (p->at += 2; p->at < p->text.n; p->at++) {
        char c = p->text.p[p->at];
        if (line && (c == '\n' || c == '\r'))
            return true;
        if (!line && c == '*' && byte_at(p, p->at + 1) == '/') {
            p->at += 2;
            return true;
        }
    }
    return line || err_set_at(p->e, ERR_SYNTAX, start,
                              "expected */ behind the comment that starts here, found the end of "
                              "the pattern");
}

static bool skip_blanks(struct pattern_parser *p)
{
    while (p->at < p->text.n) {
        size_t bytes;
        char next = byte_at(p, p->at + 1);
        if (is_space(char_at(p, p->at, &bytes)))
            p->at += bytes;
        else if (p->text.p[p->at] != '/' || (next != '/' && next != '*'))
            return true;
        else if (!skip_comment(p))
            return false;
    }
    return true;
}

/* ---- tokens ---- */

/* The apostrophe that opens is at p->at. §9.2: a backslash stands before ' or \ only. */
static bool lex_quoted(struct pattern_parser *p, enum pattern_token_kind kind)
{
    size_t start = ++p->at;
    for (; p->at < p->text.n; p->at++) {
        char c = p->text.p[p->at], next = byte_at(p, p->at + 1);
        if (c == '\'') {
            p->now.kind = kind;
            p->now.inner = str_slice(p->text, start, p->at++);
            return true;
        }
        if (c != '\\')
            continue;
        if (next != '\'' && next != '\\')
            return err_set_at(p->e, ERR_SYNTAX, p->at,
                              "expected ' or \\ behind the backslash (STIX 2.1 §9.2); write \\\\ "
                              "for a backslash itself");
        p->now.escaped = true;
        p->at++;
    }
    return err_set_at(p->e, ERR_SYNTAX, p->now.at,
                      "expected an apostrophe that closes what opens here, found the end of the "
                      "pattern");
}

static bool lex_word(struct pattern_parser *p)
{
    char c = byte_at(p, p->at);
    if ((c == 'h' || c == 'b' || c == 't') && byte_at(p, p->at + 1) == '\'') {
        p->at++;
        return lex_quoted(p, c == 'h' ? TOKEN_HEX : c == 'b' ? TOKEN_BINARY : TOKEN_TIMESTAMP);
    }
    while (is_word(byte_at(p, p->at)) || byte_at(p, p->at) == '-')
        p->at++;
    p->now.kind = keyword_of(str_slice(p->text, p->now.at, p->at));
    if (p->now.kind == TOKEN_EXISTS && p->out->version == PATTERN_STIX_20)
        p->now.kind = TOKEN_WORD;
    return true;
}

/* True if a number starts at p->at: digits, or a point with a digit, behind at most one sign. */
static bool number_starts(const struct pattern_parser *p)
{
    char c = byte_at(p, p->at);
    size_t i = p->at + (c == '-' || c == '+');
    return is_digit(byte_at(p, i)) || (byte_at(p, i) == '.' && is_digit(byte_at(p, i + 1)));
}

static bool lex_number(struct pattern_parser *p)
{
    char sign = byte_at(p, p->at);
    if (sign == '-' || sign == '+')
        p->at++;
    size_t digits = p->at;
    while (is_digit(byte_at(p, p->at)))
        p->at++;
    bool zeros = p->at - digits > 1 && p->text.p[digits] == '0';
    p->now.kind = TOKEN_INTEGER;
    if (byte_at(p, p->at) == '.' && is_digit(byte_at(p, p->at + 1))) {
        p->now.kind = TOKEN_FLOAT;
        if (p->at == digits)
            pattern_note_add(p, PATTERN_NOTE_FLOAT_SHORT, p->now.at);
        if (zeros)
            pattern_note_add(p, PATTERN_NOTE_FLOAT_ZEROS, p->now.at);
        p->at++;
        while (is_digit(byte_at(p, p->at)))
            p->at++;
    } else if (zeros) {
        return err_set_at(p->e, ERR_SYNTAX, digits,
                          "expected an integer without leading zeros, found '%.*s'",
                          STR_FMT(str_slice(p->text, digits, p->at)));
    }
    if (sign == '+')
        pattern_note_add(p, PATTERN_NOTE_PLUS_SIGN, p->now.at);
    return true;
}

static bool lex_stray(struct pattern_parser *p)
{
    size_t bytes;
    uint32_t c = char_at(p, p->at, &bytes);
    bool quote = c == '"' || c == '`' || (c >= 0x2018 && c <= 0x201F);
    if (c > 0x20 && c < 0x7F)
        return err_set_at(p->e, ERR_SYNTAX, p->at, "expected a pattern's next part, found '%c'%s",
                          (int)c, quote ? "; strings stand between apostrophes (')" : "");
    return err_set_at(p->e, ERR_SYNTAX, p->at, "expected a pattern's next part, found U+%04X%s",
                      (unsigned)c, quote ? "; strings stand between apostrophes (U+0027)" : "");
}

/* Comparison operators and punctuation; the longer spelling stands before its beginning. */
static bool lex_sign(struct pattern_parser *p)
{
    static const struct sign {
        char text[3];
        unsigned char kind, note;
    } signs[] = {{"==", TOKEN_EQ, PATTERN_NOTE_DOUBLE_EQUALS},
                 {"<>", TOKEN_NE, PATTERN_NOTE_ANGLE_NOT_EQUAL},
                 {"!=", TOKEN_NE, PATTERN_NOTE_COUNT},
                 {"<=", TOKEN_LE, PATTERN_NOTE_COUNT},
                 {">=", TOKEN_GE, PATTERN_NOTE_COUNT},
                 {"=", TOKEN_EQ, PATTERN_NOTE_COUNT},
                 {"<", TOKEN_LT, PATTERN_NOTE_COUNT},
                 {">", TOKEN_GT, PATTERN_NOTE_COUNT},
                 {"(", TOKEN_OPEN, PATTERN_NOTE_COUNT},
                 {")", TOKEN_CLOSE, PATTERN_NOTE_COUNT},
                 {"[", TOKEN_BEGIN, PATTERN_NOTE_COUNT},
                 {"]", TOKEN_FINISH, PATTERN_NOTE_COUNT},
                 {":", TOKEN_COLON, PATTERN_NOTE_COUNT},
                 {".", TOKEN_DOT, PATTERN_NOTE_COUNT},
                 {",", TOKEN_COMMA, PATTERN_NOTE_COUNT},
                 {"*", TOKEN_STAR, PATTERN_NOTE_COUNT}};
    char first = byte_at(p, p->at), second = byte_at(p, p->at + 1);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        const char *s = signs[i].text;
        if (s[0] != first || (s[1] && s[1] != second))
            continue;
        if (signs[i].note != PATTERN_NOTE_COUNT)
            pattern_note_add(p, (enum pattern_note_kind)signs[i].note, p->at);
        p->now.kind = (enum pattern_token_kind)signs[i].kind;
        p->at += s[1] ? 2 : 1;
        return true;
    }
    return lex_stray(p);
}

bool pattern_lex(struct pattern_parser *p)
{
    bool ok = true;
    if (!skip_blanks(p))
        return false;
    p->now = (struct pattern_token){.kind = TOKEN_END, .at = p->at, .end = p->at};
    if (p->at == p->text.n)
        return true;
    char c = p->text.p[p->at];
    if (is_word_start(c))
        ok = lex_word(p);
    else if (c == '\'')
        ok = lex_quoted(p, TOKEN_STRING);
    else if (number_starts(p))
        ok = lex_number(p);
    else
        ok = lex_sign(p);
    p->now.end = p->at;
    return ok;
}
