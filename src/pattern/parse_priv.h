/*
 * What lexer, constants and parser of this room share: one parser of one text. The first failure
 * fills `e` and every function then returns false or NULL up to pattern_parse.
 */
#ifndef PATTERN_PARSE_PRIV_H
#define PATTERN_PARSE_PRIV_H

#include "pattern/pattern_priv.h"

/* Reserved words: none of them is a type or an unquoted property name. */
#define PATTERN_KEYWORD_TABLE(X)                                                                   \
    X(AND, "AND")                                                                                  \
    X(OR, "OR")                                                                                    \
    X(NOT, "NOT")                                                                                  \
    X(FOLLOWEDBY, "FOLLOWEDBY")                                                                    \
    X(LIKE, "LIKE")                                                                                \
    X(MATCHES, "MATCHES")                                                                          \
    X(ISSUPERSET, "ISSUPERSET")                                                                    \
    X(ISSUBSET, "ISSUBSET")                                                                        \
    X(EXISTS, "EXISTS")                                                                            \
    X(LAST, "LAST")                                                                                \
    X(IN, "IN")                                                                                    \
    X(START, "START")                                                                              \
    X(STOP, "STOP")                                                                                \
    X(SECONDS, "SECONDS")                                                                          \
    X(WITHIN, "WITHIN")                                                                            \
    X(REPEATS, "REPEATS")                                                                          \
    X(TIMES, "TIMES")                                                                              \
    X(TRUE, "true")                                                                                \
    X(FALSE, "false")

enum pattern_token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_HEX,
    TOKEN_BINARY,
    TOKEN_TIMESTAMP,
    TOKEN_INTEGER,
    TOKEN_FLOAT,
    TOKEN_OPEN,   /* ( */
    TOKEN_CLOSE,  /* ) */
    TOKEN_BEGIN,  /* [ */
    TOKEN_FINISH, /* ] */
    TOKEN_COLON,
    TOKEN_DOT,
    TOKEN_COMMA,
    TOKEN_STAR,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_GT,
    TOKEN_LT,
    TOKEN_GE,
    TOKEN_LE,
#define X(name, text) TOKEN_##name,
    PATTERN_KEYWORD_TABLE(X)
#undef X
};

struct pattern_token {
    enum pattern_token_kind kind;
    size_t at, end;   /* its bytes in the text */
    struct str inner; /* of the quoted kinds: what stands between the apostrophes */
    bool escaped;     /* a STRING with backslashes in it */
};

struct pattern_parser {
    struct str text;
    const char *copy; /* the same bytes, in the arena: what the tree's slices point into */
    size_t at;        /* behind `now` */
    struct pattern_token now;
    struct arena *arena;
    struct pattern *out;
    struct err *e;
    size_t node_count, regex_bytes;
    unsigned depth;
};

/* lex.c */

/* Moves to the next token. */
bool pattern_lex(struct pattern_parser *p) BASE_CHECKED;
/* ERR_SYNTAX at `now`: "expected WHAT, found …". Returns false. */
bool pattern_lex_expected(struct pattern_parser *p, const char *what);
/* True for a name that needs no apostrophes in an object path (9.7). */
bool pattern_name_plain(struct str name);
/* The same slice in the arena's copy of the text. */
struct str pattern_keep(const struct pattern_parser *p, struct str s);
void pattern_note_add(struct pattern_parser *p, enum pattern_note_kind kind, size_t at);

/* constant.c */

/* Reads the constant that is `now` into `out`, without moving on. */
bool pattern_const_read(struct pattern_parser *p, struct pattern_const *out) BASE_CHECKED;
/* The text of a STRING token, unescaped. */
bool pattern_string_read(struct pattern_parser *p, struct str *out) BASE_CHECKED;
bool pattern_integer_read(struct pattern_parser *p, int64_t *out) BASE_CHECKED;
/* `now` is a TIMESTAMP, or a STRING where STIX 2.0 has one for a timestamp. */
bool pattern_timestamp_read(struct pattern_parser *p, struct instant *out) BASE_CHECKED;

/* regex.c */

/* Checks that `regex`, the value of the STRING token `now`, compiles (9.4, 9.6.1). */
bool pattern_regex_check(struct pattern_parser *p, struct str regex) BASE_CHECKED;

/* path.c */

bool pattern_path_read(struct pattern_parser *p, struct pattern_path *out) BASE_CHECKED;

/* compare.c */

/* What stands between [ and ]. */
struct pattern_cmp *pattern_cmp_read(struct pattern_parser *p);

/* parse.c */

/* Zeroed memory of the arena, counted against LIMIT_PATTERN_NODES; NULL with `e` filled. */
void *pattern_node(struct pattern_parser *p, size_t bytes);
/* One level deeper in parentheses. */
bool pattern_deeper(struct pattern_parser *p) BASE_CHECKED;

/* types.c */

/* Notes every AND below `c` whose operands cannot start at one object (9.5). */
void pattern_types_check(struct pattern_parser *p, const struct pattern_cmp *c);

#endif
