#include "pattern/parse_priv.h"

static struct pattern_cmp *new_cmp(struct pattern_parser *p, enum pattern_cmp_kind kind, size_t at)
{
    struct pattern_cmp *c = pattern_node(p, sizeof *c);
    if (c) {
        c->kind = kind;
        c->at = (uint32_t)at;
    }
    return c;
}

/* Adds an operand; one that is a join of the same kind (from parentheses) gives its own instead. */
static void append(struct pattern_cmp *join, struct pattern_cmp *c)
{
    struct pattern_cmp *first = c->kind == join->kind ? c->first : c;
    struct pattern_cmp *last = c->kind == join->kind ? c->last : c;
    if (join->last)
        join->last->next = first;
    else
        join->first = first;
    join->last = last;
}

/* ---- one test ---- */

/* §9.6.1: the values of a set are of one type; integers and floats count as one here. */
static bool same_type(const struct pattern_const *a, const struct pattern_const *b)
{
    return a->kind == b->kind || (a->kind == PATTERN_INTEGER && b->kind == PATTERN_FLOAT) ||
           (a->kind == PATTERN_FLOAT && b->kind == PATTERN_INTEGER);
}

static bool read_member(struct pattern_parser *p, struct pattern_test *t,
                        struct pattern_const ***link)
{
    struct pattern_const *v = pattern_node(p, sizeof *v);
    if (!v || !pattern_const_read(p, v))
        return false;
    if (t->values && !same_type(t->values, v))
        return pattern_lex_expected(p,
                                    "a constant of the type of the set's first (STIX 2.1 §9.6.1)");
    if (t->values && t->values->kind != v->kind)
        pattern_note_add(p, PATTERN_NOTE_SET_NUMBERS, p->now.at);
    **link = v;
    *link = &v->next;
    return pattern_lex(p);
}

static bool read_set(struct pattern_parser *p, struct pattern_test *t)
{
    struct pattern_const **link = &t->values;
    if (p->now.kind != TOKEN_OPEN)
        return pattern_lex_expected(p, "'(' and a set of constants behind IN");
    size_t at = p->now.at;
    if (!pattern_lex(p))
        return false;
    if (p->now.kind == TOKEN_CLOSE) {
        pattern_note_add(p, PATTERN_NOTE_SET_EMPTY, at);
        return pattern_lex(p);
    }
    for (;;) {
        if (!read_member(p, t, &link))
            return false;
        if (p->now.kind == TOKEN_CLOSE)
            return pattern_lex(p);
        if (p->now.kind != TOKEN_COMMA)
            return pattern_lex_expected(p, "',' or ')' in the set");
        if (!pattern_lex(p))
            return false;
    }
}

static bool read_value(struct pattern_parser *p, struct pattern_test *t)
{
    bool text = t->op >= PATTERN_OP_LIKE && t->op <= PATTERN_OP_ISSUPERSET;
    bool order = t->op >= PATTERN_OP_GT && t->op <= PATTERN_OP_LE;
    if (text && p->now.kind != TOKEN_STRING)
        return pattern_lex_expected(p, "a string in apostrophes");
    if (order && (p->now.kind == TOKEN_TRUE || p->now.kind == TOKEN_FALSE))
        return pattern_lex_expected(p, "a constant that has an order");
    t->values = pattern_node(p, sizeof *t->values);
    if (!t->values || !pattern_const_read(p, t->values))
        return false;
    if (t->op == PATTERN_OP_MATCHES && !pattern_regex_check(p, t->values->u.s))
        return false;
    return pattern_lex(p);
}

static bool op_of(enum pattern_token_kind kind, enum pattern_op *op)
{
    static const struct {
        enum pattern_token_kind token;
        enum pattern_op op;
    } ops[] = {{TOKEN_EQ, PATTERN_OP_EQ},
               {TOKEN_NE, PATTERN_OP_NE},
               {TOKEN_GT, PATTERN_OP_GT},
               {TOKEN_LT, PATTERN_OP_LT},
               {TOKEN_GE, PATTERN_OP_GE},
               {TOKEN_LE, PATTERN_OP_LE},
               {TOKEN_IN, PATTERN_OP_IN},
               {TOKEN_LIKE, PATTERN_OP_LIKE},
               {TOKEN_MATCHES, PATTERN_OP_MATCHES},
               {TOKEN_ISSUBSET, PATTERN_OP_ISSUBSET},
               {TOKEN_ISSUPERSET, PATTERN_OP_ISSUPERSET}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (ops[i].token == kind) {
            *op = ops[i].op;
            return true;
        }
    return false;
}

static bool read_exists(struct pattern_parser *p, struct pattern_test *t)
{
    t->op = PATTERN_OP_EXISTS;
    if (p->now.kind == TOKEN_NOT) {
        t->negated = true;
        if (!pattern_lex(p))
            return false;
        if (p->now.kind != TOKEN_EXISTS)
            return pattern_lex_expected(p, "EXISTS behind NOT (of other operators NOT stands "
                                           "between path and operator)");
    }
    return pattern_lex(p) && pattern_path_read(p, &t->path);
}

static bool read_test(struct pattern_parser *p, struct pattern_test *t)
{
    bool exists = p->out->version == PATTERN_STIX_21 &&
                  (p->now.kind == TOKEN_NOT || p->now.kind == TOKEN_EXISTS);
    if (exists)
        return read_exists(p, t);
    if (!pattern_path_read(p, &t->path))
        return false;
    if (p->now.kind == TOKEN_NOT) {
        t->negated = true;
        if (!pattern_lex(p))
            return false;
    }
    if (!op_of(p->now.kind, &t->op))
        return pattern_lex_expected(
            p, t->negated ? "a comparison operator (=, !=, <, <=, >, >=, IN, LIKE, MATCHES, "
                            "ISSUBSET, ISSUPERSET) behind NOT"
                          : "a comparison operator (=, !=, <, <=, >, >=, IN, LIKE, MATCHES, "
                            "ISSUBSET, ISSUPERSET, or NOT before one) after the object path");
    if (!pattern_lex(p))
        return false;
    return t->op == PATTERN_OP_IN ? read_set(p, t) : read_value(p, t);
}

/* ---- AND, OR, parentheses ---- */

static struct pattern_cmp *read_level(struct pattern_parser *p, bool tight);

static struct pattern_cmp *read_primary(struct pattern_parser *p)
{
    struct pattern_cmp *c;
    if (p->now.kind != TOKEN_OPEN) {
        c = new_cmp(p, PATTERN_CMP_TEST, p->now.at);
        if (!c || !(c->test = pattern_node(p, sizeof *c->test)) || !read_test(p, c->test))
            return NULL;
        return c;
    }
    if (!pattern_deeper(p) || !pattern_lex(p) || !(c = read_level(p, false)))
        return NULL;
    if (p->now.kind != TOKEN_CLOSE) {
        pattern_lex_expected(p, "AND, OR or ')' behind the comparison");
        return NULL;
    }
    p->depth--;
    return pattern_lex(p) ? c : NULL;
}

/* §9.5.3: AND (`tight`) binds tighter than OR, both from left to right. */
static struct pattern_cmp *read_level(struct pattern_parser *p, bool tight)
{
    enum pattern_token_kind word = tight ? TOKEN_AND : TOKEN_OR;
    size_t at = p->now.at;
    struct pattern_cmp *c = tight ? read_primary(p) : read_level(p, true);
    if (!c || p->now.kind != word)
        return c;
    struct pattern_cmp *join = new_cmp(p, tight ? PATTERN_CMP_AND : PATTERN_CMP_OR, at);
    if (!join)
        return NULL;
    append(join, c);
    while (p->now.kind == word) {
        if (!pattern_lex(p) || !(c = tight ? read_primary(p) : read_level(p, true)))
            return NULL;
        append(join, c);
    }
    return join;
}

struct pattern_cmp *pattern_cmp_read(struct pattern_parser *p)
{
    return read_level(p, false);
}
