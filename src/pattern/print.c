#include "pattern/pattern_priv.h"

const char *pattern_op_text(enum pattern_op op)
{
    static const char *const texts[] = {
#define X(name, text) text,
        PATTERN_OP_TABLE(X)
#undef X
    };
    return texts[op];
}

/* ---- constants ---- */

static void put_string(struct buf *out, struct str s)
{
    buf_byte(out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'' || s.p[i] == '\\')
            buf_byte(out, '\\');
        buf_byte(out, s.p[i]);
    }
    buf_byte(out, '\'');
}

static void put_base64(struct buf *out, struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.n; i += 3) {
        size_t have = s.n - i < 3 ? s.n - i : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < have ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_byte(out, k <= have ? digits[v >> (18 - 6 * k) & 63] : '=');
    }
}

/* No more digits than the instant needs, so that 43Z and 43.000Z print alike. */
static void put_timestamp(struct buf *out, struct instant t)
{
    char text[INSTANT_TEXT_BYTES];
    int digits = 9;
    for (uint32_t ns = t.ns; digits > 0 && ns % 10 == 0; ns /= 10)
        digits--;
    buf_lit(out, "t'");
    buf_str(out, instant_text(t, digits, text));
    buf_byte(out, '\'');
}

static void put_const(struct buf *out, const struct pattern_const *c)
{
    switch (c->kind) {
    case PATTERN_STRING:
        put_string(out, c->u.s);
        return;
    case PATTERN_INTEGER:
        buf_i64(out, c->u.i);
        return;
    case PATTERN_FLOAT:
        buf_str(out, c->u.f.text);
        return;
    case PATTERN_BOOLEAN:
        buf_lit(out, c->u.b ? "true" : "false");
        return;
    case PATTERN_TIMESTAMP:
        put_timestamp(out, c->u.t);
        return;
    case PATTERN_HEX:
        buf_lit(out, "h'");
        buf_hex(out, c->u.s.p, c->u.s.n);
        buf_byte(out, '\'');
        return;
    case PATTERN_BINARY:
        buf_lit(out, "b'");
        put_base64(out, c->u.s);
        buf_byte(out, '\'');
        return;
    }
}

/* ---- comparisons ---- */

static void put_path(struct buf *out, const struct pattern_path *path)
{
    buf_str(out, path->object_type);
    buf_byte(out, ':');
    buf_str(out, path->text);
}

static void put_test(struct buf *out, const struct pattern_test *t)
{
    if (t->op == PATTERN_OP_EXISTS) {
        buf_lit(out, t->negated ? "NOT EXISTS " : "EXISTS ");
        put_path(out, &t->path);
        return;
    }
    put_path(out, &t->path);
    buf_lit(out, t->negated ? " NOT " : " ");
    buf_lit(out, pattern_op_text(t->op));
    buf_lit(out, t->op == PATTERN_OP_IN ? " (" : " ");
    for (const struct pattern_const *c = t->values; c; c = c->next) {
        if (c != t->values)
            buf_lit(out, ", ");
        put_const(out, c);
    }
    if (t->op == PATTERN_OP_IN)
        buf_byte(out, ')');
}

static void put_cmp(struct buf *out, const struct pattern_cmp *c)
{
    if (c->kind == PATTERN_CMP_TEST) {
        put_test(out, c->test);
        return;
    }
    for (const struct pattern_cmp *k = c->first; k; k = k->next) {
        /* An OR below an AND; an AND below an AND has been flattened. */
        bool wrap = c->kind == PATTERN_CMP_AND && k->kind == PATTERN_CMP_OR;
        if (k != c->first)
            buf_lit(out, c->kind == PATTERN_CMP_AND ? " AND " : " OR ");
        if (wrap)
            buf_byte(out, '(');
        put_cmp(out, k);
        if (wrap)
            buf_byte(out, ')');
    }
}

/* ---- observations ---- */

static void put_qualifier(struct buf *out, const struct pattern_qualifier *q)
{
    switch (q->kind) {
    case PATTERN_REPEATS:
        buf_lit(out, " REPEATS ");
        buf_u64(out, q->times);
        buf_lit(out, " TIMES");
        return;
    case PATTERN_WITHIN:
        buf_lit(out, " WITHIN ");
        put_const(out, &q->seconds);
        buf_lit(out, " SECONDS");
        return;
    case PATTERN_START_STOP:
        buf_lit(out, " START ");
        put_timestamp(out, q->start);
        buf_lit(out, " STOP ");
        put_timestamp(out, q->stop);
        return;
    }
}

/* How tightly an expression binds (9.5.3). */
static int strength(const struct pattern_obs *o)
{
    if (o->qualifiers)
        return 4; /* its operands stand in parentheses of its own */
    switch (o->kind) {
    case PATTERN_OBS_LEAF:
    case PATTERN_OBS_GROUP:
        return 4;
    case PATTERN_OBS_AND:
        return 3;
    case PATTERN_OBS_OR:
        return 2;
    case PATTERN_OBS_FOLLOWEDBY:
        return 1;
    }
    return 0;
}

static const char *join_text(enum pattern_obs_kind kind)
{
    return kind == PATTERN_OBS_AND ? " AND " : kind == PATTERN_OBS_OR ? " OR " : " FOLLOWEDBY ";
}

static void put_obs(struct buf *out, const struct pattern_obs *o, int least)
{
    bool wrap = strength(o) < least || (o->kind != PATTERN_OBS_LEAF && o->qualifiers);
    if (wrap)
        buf_byte(out, '(');
    if (o->kind == PATTERN_OBS_LEAF) {
        buf_byte(out, '[');
        put_cmp(out, o->cmp);
        buf_byte(out, ']');
    }
    for (const struct pattern_obs *k = o->first; k; k = k->next) {
        struct pattern_obs bare = {.kind = o->kind};
        if (k != o->first)
            buf_lit(out, join_text(o->kind));
        put_obs(out, k, o->kind == PATTERN_OBS_GROUP ? 0 : strength(&bare));
    }
    if (wrap)
        buf_byte(out, ')');
    for (const struct pattern_qualifier *q = o->qualifiers; q; q = q->next)
        put_qualifier(out, q);
}

void pattern_print(const struct pattern *p, struct buf *out)
{
    put_obs(out, p->root, 0);
}
