/*
 * The tree of a pattern. Everything lies in the arena of pattern_parse and is never written
 * afterwards. Lists are linked by `next`; joins of one kind are flattened (a AND b AND c is one
 * node with three operands), so that only parentheses nest: recursion over a tree is bounded by
 * LIMIT_PATTERN_DEPTH, however long the pattern is.
 */
#ifndef PATTERN_PATTERN_PRIV_H
#define PATTERN_PATTERN_PRIV_H

#include "pattern/pattern.h"

/* ---- constants (9.2) ---- */

enum pattern_const_kind {
    PATTERN_STRING,
    PATTERN_INTEGER,
    PATTERN_FLOAT,
    PATTERN_BOOLEAN,
    PATTERN_TIMESTAMP,
    PATTERN_HEX,
    PATTERN_BINARY
};

struct pattern_const {
    struct pattern_const *next; /* in the set of IN */
    enum pattern_const_kind kind;
    union {
        struct str s; /* STRING: unescaped UTF-8; HEX and BINARY: the octets */
        int64_t i;
        bool b;
        struct instant t; /* digits below nanoseconds are dropped (2.16) */
        struct {
            struct str text; /* the exact decimal: no plus, no idle zeros */
            double d;        /* the nearest double */
        } f;
    } u;
};

/* ---- object paths (9.7) ---- */

enum pattern_step_kind { PATTERN_STEP_NAME, PATTERN_STEP_INDEX, PATTERN_STEP_ANY };

struct pattern_step {
    struct pattern_step *next;
    enum pattern_step_kind kind;
    struct str name; /* of PATTERN_STEP_NAME, unquoted */
    int64_t index;   /* of PATTERN_STEP_INDEX; below 0 it is out of range of every list */
};

struct pattern_path {
    struct str object_type;
    struct pattern_step *steps; /* never NULL; the first is a name */
    struct str text;            /* the steps in canonical spelling, without the type */
};

/* ---- comparison expressions (9.6) ---- */

#define PATTERN_OP_TABLE(X)                                                                        \
    X(EQ, "=")                                                                                     \
    X(NE, "!=")                                                                                    \
    X(GT, ">")                                                                                     \
    X(LT, "<")                                                                                     \
    X(GE, ">=")                                                                                    \
    X(LE, "<=")                                                                                    \
    X(IN, "IN")                                                                                    \
    X(LIKE, "LIKE")                                                                                \
    X(MATCHES, "MATCHES")                                                                          \
    X(ISSUBSET, "ISSUBSET")                                                                        \
    X(ISSUPERSET, "ISSUPERSET")                                                                    \
    X(EXISTS, "EXISTS")

enum pattern_op {
#define X(name, text) PATTERN_OP_##name,
    PATTERN_OP_TABLE(X)
#undef X
};
const char *pattern_op_text(enum pattern_op op);

struct pattern_test {
    struct pattern_path path;
    enum pattern_op op;
    bool negated;                 /* NOT stands before the operator, or before EXISTS */
    struct pattern_const *values; /* one; of IN any number, also none; of EXISTS none */
};

enum pattern_cmp_kind { PATTERN_CMP_TEST, PATTERN_CMP_AND, PATTERN_CMP_OR };

struct pattern_cmp {
    struct pattern_cmp *next;
    enum pattern_cmp_kind kind;
    uint32_t at;                      /* byte offset in the text where it starts */
    struct pattern_test *test;        /* of a TEST, else NULL */
    struct pattern_cmp *first, *last; /* operands of a join: two or more */
};

/* ---- observation expressions (9.5) ---- */

enum pattern_qualifier_kind { PATTERN_REPEATS, PATTERN_WITHIN, PATTERN_START_STOP };

struct pattern_qualifier {
    struct pattern_qualifier *next;
    enum pattern_qualifier_kind kind;
    uint64_t times;               /* of REPEATS, at least 1 */
    struct pattern_const seconds; /* of WITHIN: INTEGER or FLOAT, above 0 */
    struct instant start, stop;   /* of START … STOP …: start <= t < stop */
};

/* GROUP: one operand in parentheses that has qualifiers, one of which stands again outside them. */
enum pattern_obs_kind {
    PATTERN_OBS_LEAF,
    PATTERN_OBS_GROUP,
    PATTERN_OBS_AND,
    PATTERN_OBS_OR,
    PATTERN_OBS_FOLLOWEDBY
};

struct pattern_obs {
    struct pattern_obs *next;
    enum pattern_obs_kind kind;
    uint32_t at;
    struct pattern_cmp *cmp;              /* of a LEAF, else NULL */
    struct pattern_obs *first, *last;     /* operands of the others: two or more, of a GROUP one */
    struct pattern_qualifier *qualifiers; /* applied in this order, each to what stands before it */
};

struct pattern {
    enum pattern_version version;
    struct pattern_obs *root;
    struct {
        uint32_t at, count;
    } notes[PATTERN_NOTE_COUNT];
};

#endif
