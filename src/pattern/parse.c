#include "pattern/parse_priv.h"

void *pattern_node(struct pattern_parser *p, size_t bytes)
{
    if (++p->node_count > LIMIT_PATTERN_NODES) {
        err_set_at(p->e, ERR_LIMIT, p->now.at, "the pattern has more than %u parts",
                   LIMIT_PATTERN_NODES);
        return NULL;
    }
    void *mem = arena_calloc(p->arena, 1, bytes);
    return mem || arena_ok(p->arena, p->e) ? mem : NULL;
}

bool pattern_deeper(struct pattern_parser *p)
{
    if (++p->depth > LIMIT_PATTERN_DEPTH)
        return err_set_at(p->e, ERR_LIMIT, p->now.at, "parentheses nest deeper than %d",
                          LIMIT_PATTERN_DEPTH);
    return true;
}

static struct pattern_obs *new_obs(struct pattern_parser *p, enum pattern_obs_kind kind, size_t at)
{
    struct pattern_obs *o = pattern_node(p, sizeof *o);
    if (o) {
        o->kind = kind;
        o->at = (uint32_t)at;
    }
    return o;
}

/* Adds an operand; an unqualified join of the same kind (from parentheses) gives its own instead.
 * That keeps the meaning of FOLLOWEDBY, too: (a then b) then c and a then (b then c) both ask for
 * a <= b <= c (§9.5.2). */
static void append(struct pattern_obs *join, struct pattern_obs *o)
{
    bool same = o->kind == join->kind && !o->qualifiers;
    struct pattern_obs *first = same ? o->first : o, *last = same ? o->last : o;
    if (join->last)
        join->last->next = first;
    else
        join->first = first;
    join->last = last;
}

/* ---- qualifiers (9.5.1) ---- */

static bool take(struct pattern_parser *p, enum pattern_token_kind kind, const char *what)
{
    return p->now.kind == kind ? pattern_lex(p) : pattern_lex_expected(p, what);
}

static bool read_repeats(struct pattern_parser *p, struct pattern_qualifier *q)
{
    int64_t times = 0;
    if (p->now.kind == TOKEN_INTEGER && !pattern_integer_read(p, &times))
        return false;
    if (times <= 0)
        return pattern_lex_expected(p, "a positive integer behind REPEATS (STIX 2.1 §9.5.1)");
    q->times = (uint64_t)times;
    return pattern_lex(p) && take(p, TOKEN_TIMES, "TIMES");
}

/* Judged by its digits: 1e-400 written out is above 0, its double is not. */
static bool positive(const struct pattern_const *c)
{
    if (c->kind == PATTERN_INTEGER)
        return c->u.i > 0;
    bool nonzero = false;
    for (size_t i = 0; i < c->u.f.text.n; i++)
        nonzero = nonzero || (c->u.f.text.p[i] >= '1' && c->u.f.text.p[i] <= '9');
    return nonzero && c->u.f.text.p[0] != '-';
}

static bool read_within(struct pattern_parser *p, struct pattern_qualifier *q)
{
    bool number = p->now.kind == TOKEN_INTEGER || p->now.kind == TOKEN_FLOAT;
    if (number && !pattern_const_read(p, &q->seconds))
        return false;
    if (!number || !positive(&q->seconds))
        return pattern_lex_expected(p, "a positive number behind WITHIN (STIX 2.1 §9.5.1)");
    return pattern_lex(p) && take(p, TOKEN_SECONDS, "SECONDS");
}

/* 2.1 writes t'…'; the 2.0 grammar had plain strings, and was later changed to t'…'. */
static bool read_time(struct pattern_parser *p, struct instant *out)
{
    bool plain = p->now.kind == TOKEN_STRING && p->out->version == PATTERN_STIX_20;
    if (p->now.kind != TOKEN_TIMESTAMP && !plain)
        return pattern_lex_expected(p, "a timestamp (t'2026-01-31T12:00:00Z')");
    return pattern_timestamp_read(p, out) && pattern_lex(p);
}

static bool read_qualifier(struct pattern_parser *p, struct pattern_qualifier *q)
{
    if (!pattern_lex(p))
        return false;
    switch (q->kind) {
    case PATTERN_REPEATS:
        return read_repeats(p, q);
    case PATTERN_WITHIN:
        return read_within(p, q);
    case PATTERN_START_STOP:
        return read_time(p, &q->start) && take(p, TOKEN_STOP, "STOP") && read_time(p, &q->stop);
    }
    return false;
}

static bool qualifier_starts(const struct pattern_parser *p, enum pattern_qualifier_kind *kind)
{
    *kind = p->now.kind == TOKEN_REPEATS  ? PATTERN_REPEATS
            : p->now.kind == TOKEN_WITHIN ? PATTERN_WITHIN
                                          : PATTERN_START_STOP;
    return p->now.kind == TOKEN_REPEATS || p->now.kind == TOKEN_WITHIN ||
           p->now.kind == TOKEN_START;
}

/* §9.5.1: one qualifier of a type (2.1). Refused, since two of them are easily read as one. */
static bool qualifier_twice(struct pattern_parser *p)
{
    if (p->out->version == PATTERN_STIX_20) {
        pattern_note_add(p, PATTERN_NOTE_QUALIFIER_TWICE, p->now.at);
        return true;
    }
    return pattern_lex_expected(p, "no second qualifier of one type on an expression (STIX 2.1 "
                                   "§9.5.1; put the first into parentheses)");
}

/* Reads the qualifiers behind `o`, which may have some of its own from within parentheses. */
static struct pattern_obs *read_qualifiers(struct pattern_parser *p, struct pattern_obs *o)
{
    unsigned inner = 0, seen = 0;
    enum pattern_qualifier_kind kind;
    struct pattern_qualifier **link = &o->qualifiers;
    for (; *link; link = &(*link)->next)
        inner |= 1u << (*link)->kind;
    while (qualifier_starts(p, &kind)) {
        unsigned bit = 1u << kind;
        if (seen & bit && !qualifier_twice(p))
            return NULL;
        if (inner & bit) {
            struct pattern_obs *group = new_obs(p, PATTERN_OBS_GROUP, o->at);
            if (!group)
                return NULL;
            group->first = group->last = o;
            link = &group->qualifiers;
            inner = 0;
            o = group;
        }
        struct pattern_qualifier *q = pattern_node(p, sizeof *q);
        if (!q)
            return NULL;
        q->kind = kind;
        if (!read_qualifier(p, q))
            return NULL;
        seen |= bit;
        *link = q;
        link = &q->next;
    }
    return o;
}

/* ---- observation expressions (9.5) ---- */

static struct pattern_obs *read_level(struct pattern_parser *p, size_t level);

static bool read_leaf(struct pattern_parser *p, struct pattern_obs *o)
{
    if (!pattern_lex(p) || !(o->cmp = pattern_cmp_read(p)))
        return false;
    pattern_types_check(p, o->cmp);
    return take(p, TOKEN_FINISH, "AND, OR or ']' behind the comparison");
}

static struct pattern_obs *read_primary(struct pattern_parser *p)
{
    struct pattern_obs *o;
    if (p->now.kind == TOKEN_BEGIN) {
        o = new_obs(p, PATTERN_OBS_LEAF, p->now.at);
        return o && read_leaf(p, o) ? read_qualifiers(p, o) : NULL;
    }
    if (p->now.kind != TOKEN_OPEN) {
        pattern_lex_expected(p, "'[' or '(', where an observation expression starts");
        return NULL;
    }
    if (!pattern_deeper(p) || !pattern_lex(p) || !(o = read_level(p, 0)) ||
        !take(p, TOKEN_CLOSE,
              "AND, OR, FOLLOWEDBY, a qualifier or ')' behind the observation expression"))
        return NULL;
    p->depth--;
    return read_qualifiers(p, o);
}

/* §9.5.3, loosest first; all from left to right. */
static const struct {
    enum pattern_token_kind word;
    enum pattern_obs_kind kind;
} levels[] = {{TOKEN_FOLLOWEDBY, PATTERN_OBS_FOLLOWEDBY},
              {TOKEN_OR, PATTERN_OBS_OR},
              {TOKEN_AND, PATTERN_OBS_AND}};
enum { LEVEL_COUNT = sizeof levels / sizeof levels[0] };

static struct pattern_obs *read_level(struct pattern_parser *p, size_t level)
{
    size_t at = p->now.at;
    if (level == LEVEL_COUNT)
        return read_primary(p);
    struct pattern_obs *o = read_level(p, level + 1);
    if (!o || p->now.kind != levels[level].word)
        return o;
    struct pattern_obs *join = new_obs(p, levels[level].kind, at);
    if (!join)
        return NULL;
    append(join, o);
    while (p->now.kind == levels[level].word) {
        if (!pattern_lex(p) || !(o = read_level(p, level + 1)))
            return NULL;
        append(join, o);
    }
    return join;
}

/* ---- the whole ---- */

static size_t first_bad_utf8(struct str s)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        unsigned char c = (unsigned char)s.p[i];
        n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        if (n > s.n - i || !utf8_valid(str_slice(s, i, i + n)))
            return i;
    }
    return s.n;
}

static bool read_all(struct pattern_parser *p)
{
    if (!pattern_lex(p) || !(p->out->root = read_level(p, 0)))
        return false;
    if (p->now.kind != TOKEN_END)
        return pattern_lex_expected(p,
                                    "AND, OR, FOLLOWEDBY, a qualifier or the end of the pattern");
    return true;
}

bool pattern_parse(struct arena *arena, struct str text, enum pattern_version version,
                   struct pattern **out, struct err *e)
{
    if (text.n > LIMIT_PATTERN_BYTES)
        return err_set(e, ERR_LIMIT, "the pattern is longer than %u bytes", LIMIT_PATTERN_BYTES);
    /* §9.4: patterns are Unicode strings. */
    if (!utf8_valid(text))
        return err_set_at(e, ERR_SYNTAX, first_bad_utf8(text),
                          "expected UTF-8, found bytes that are not");
    struct pattern_parser p = {.text = text, .arena = arena, .e = e};
    p.out = arena_calloc(arena, 1, sizeof *p.out);
    p.copy = arena_str(arena, text).p;
    if (!arena_ok(arena, e))
        return false;
    p.out->version = version;
    if (!read_all(&p))
        return false;
    *out = p.out;
    return true;
}
