#include <stdio.h>
#include <string.h>

#include "pattern/parse_priv.h"

/* §9.7: a name with '-' or '.' MUST be quoted; so must a reserved word, to be told from one. */
static bool expected_name(struct pattern_parser *p)
{
    struct str word = str_slice(p->text, p->now.at, p->now.end);
    if (p->now.kind != TOKEN_WORD && p->now.kind < TOKEN_AND)
        return pattern_lex_expected(p, "a property name");
    return err_set_at(p->e, ERR_SYNTAX, p->now.at,
                      "expected a property name, found '%.*s', which %s: write it between "
                      "apostrophes",
                      word.n > 100 ? 100 : (int)word.n, word.p,
                      p->now.kind == TOKEN_WORD ? "holds a hyphen (STIX 2.1 §9.7)"
                                                : "is a reserved word");
}

static bool read_name(struct pattern_parser *p, struct pattern_step *step)
{
    struct str word = str_slice(p->text, p->now.at, p->now.end);
    step->kind = PATTERN_STEP_NAME;
    if (p->now.kind == TOKEN_STRING)
        return pattern_string_read(p, &step->name) && pattern_lex(p);
    if (p->now.kind != TOKEN_WORD || str_find(word, '-') < word.n)
        return expected_name(p);
    step->name = pattern_keep(p, word);
    return pattern_lex(p);
}

static bool read_index(struct pattern_parser *p, struct pattern_step *step)
{
    if (p->now.kind == TOKEN_STAR) {
        step->kind = PATTERN_STEP_ANY;
    } else if (p->now.kind == TOKEN_INTEGER) {
        step->kind = PATTERN_STEP_INDEX;
        if (!pattern_integer_read(p, &step->index))
            return false;
        if (step->index < 0)
            pattern_note_add(p, PATTERN_NOTE_INDEX_NEGATIVE, p->now.at);
    } else {
        return pattern_lex_expected(p, "an index (a number from 0, or *) behind '['");
    }
    if (!pattern_lex(p))
        return false;
    if (p->now.kind != TOKEN_FINISH)
        return pattern_lex_expected(p, "']' behind the index");
    return pattern_lex(p);
}

/* ---- canonical spelling ---- */

static size_t put_name(char *to, struct str name, bool first)
{
    size_t n = 0;
    bool plain = pattern_name_plain(name);
    if (!first)
        to[n++] = '.';
    if (!plain)
        to[n++] = '\'';
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '\'' || name.p[i] == '\\')
            to[n++] = '\\';
        to[n++] = name.p[i];
    }
    if (!plain)
        to[n++] = '\'';
    return n;
}

static bool spell(struct pattern_parser *p, struct pattern_path *path)
{
    enum { INDEX_BYTES = 24 };
    size_t most = 0, n = 0;
    if (!path->steps->next && pattern_name_plain(path->steps->name)) {
        path->text = path->steps->name; /* nearly every path that is met */
        return true;
    }
    for (const struct pattern_step *s = path->steps; s; s = s->next)
        most += s->kind == PATTERN_STEP_NAME ? 2 * s->name.n + 3 : INDEX_BYTES;
    char *to = arena_alloc(p->arena, most);
    if (!to)
        return arena_ok(p->arena, p->e);
    for (const struct pattern_step *s = path->steps; s; s = s->next) {
        if (s->kind == PATTERN_STEP_NAME) {
            n += put_name(to + n, s->name, s == path->steps);
        } else {
            char index[INDEX_BYTES];
            int k = s->kind == PATTERN_STEP_ANY
                        ? snprintf(index, sizeof index, "[*]")
                        : snprintf(index, sizeof index, "[%lld]", (long long)s->index);
            memcpy(to + n, index, (size_t)k);
            n += (size_t)k;
        }
    }
    must(n <= most);
    path->text = (struct str){to, n};
    return true;
}

bool pattern_path_read(struct pattern_parser *p, struct pattern_path *out)
{
    struct pattern_step **link = &out->steps;
    if (p->now.kind != TOKEN_WORD)
        return pattern_lex_expected(p, "an object path (TYPE:PROPERTY)");
    out->object_type = pattern_keep(p, str_slice(p->text, p->now.at, p->now.end));
    if (!pattern_lex(p))
        return false;
    if (p->now.kind != TOKEN_COLON)
        return pattern_lex_expected(p, "':' behind the object type");
    for (bool more = true; more; more = p->now.kind == TOKEN_DOT || p->now.kind == TOKEN_BEGIN) {
        bool index = p->now.kind == TOKEN_BEGIN;
        struct pattern_step *step = pattern_node(p, sizeof *step);
        if (!step || !pattern_lex(p) || !(index ? read_index(p, step) : read_name(p, step)))
            return false;
        *link = step;
        link = &step->next;
    }
    return spell(p, out);
}
