#include <stdio.h>

#include "policy/policy_priv.h"

#define EXPECT_STATEMENT "nation, community, accept, refuse, release or deny"
#define EXPECT_NATION    "a nation's code of two capital letters"
#define EXPECT_WHO                                                                                 \
    "any, a nation's code, a community, an organisation, \"agency of\" or \"operator of\" a "      \
    "nation"
#define EXPECT_CONDITION "a condition (tlp:COLOUR, types, labels)"
#define EXPECT_COLOUR    "tlp:clear, tlp:green, tlp:amber, tlp:amber+strict or tlp:red"
#define EXPECT_TYPE                                                                                \
    "a type of STIX 2.1, observables, a type that begins with x-, or an extension's type in "      \
    "quotes"

/* ---- errors ---- */

/* What stood there, in a form that a terminal shows; at most 60 bytes of it. */
static struct str shown(const struct token *t, char out[96])
{
    int n = t->text.n > 60 ? 60 : (int)t->text.n;
    unsigned char c = n > 0 ? (unsigned char)t->text.p[0] : 0;
    if (t->kind == TOKEN_END)
        n = snprintf(out, 96, "the end of the text");
    else if (t->kind == TOKEN_BAD && n > 0 && (c < ' ' || c == 0x7f || !utf8_valid(t->text)))
        n = snprintf(out, 96, "a byte 0x%02x", c);
    else
        n = snprintf(out, 96, "%s\"%.*s\"", t->kind == TOKEN_STRING ? "the text " : "", n,
                     n ? t->text.p : "");
    return (struct str){out, (size_t)n};
}

bool policy_fail(struct draft *d, const struct token *t, const char *why, const char *expected)
{
    size_t line, column;
    char read[96];
    struct str what = shown(t, read);
    str_line_column(d->text, t->at, &line, &column);
    return err_set_at(d->e, ERR_SYNTAX, t->at, "%s:%zu:%zu: read %.*s: %s; expected %s", d->name,
                      line, column, STR_FMT(what), why, expected);
}

bool policy_fail_item(struct draft *d, const struct item *i, const char *why, const char *expected)
{
    struct token t = {.kind = TOKEN_WORD, .text = i->text, .at = i->at};
    return policy_fail(d, &t, why, expected);
}

/* The token looked at cannot stand here. */
static bool unexpected(struct draft *d, const char *expected)
{
    const struct token *t = &d->token;
    const char *why = "it does not belong here";
    if (policy_word_role(t->word) == ROLE_LATER)
        why = "this word of the language is not supported yet";
    else if (t->kind == TOKEN_WORD && t->word == WORD_NONE)
        why = "unknown word here";
    else if (t->kind == TOKEN_BAD && t->text.n && d->text.p[t->at] != '"')
        why = "outside quotes and comments only plain ASCII is read";
    else if (t->kind == TOKEN_BAD)
        why = "the quotes are not closed on this line, or hold bytes that are not UTF-8";
    return policy_fail(d, t, why, expected);
}

/* ---- moving on ---- */

static void look(struct draft *d)
{
    d->token = policy_lex(d->text, d->end);
}

static void consume(struct draft *d)
{
    d->end = d->token.end;
    look(d);
}

static bool at_word(const struct draft *d, enum word w)
{
    return d->token.kind == TOKEN_WORD && d->token.word == w;
}

static bool expect(struct draft *d, enum token_kind kind, const char *expected)
{
    if (d->token.kind != kind)
        return unexpected(d, expected);
    consume(d);
    return true;
}

/* Takes memory of the draft; NULL with d->e filled. */
static void *take(struct draft *d, size_t bytes)
{
    void *p = arena_calloc(d->arena, 1, bytes);
    must(p || !arena_ok(d->arena, d->e));
    return p;
}

/* Appends the token looked at to `list` and goes on behind it. */
static bool add(struct draft *d, struct list *list, enum word kind)
{
    struct item *i = take(d, sizeof *i);
    if (!i)
        return false;
    *i = (struct item){.text = d->token.text, .at = d->token.at, .kind = kind};
    if (list->last)
        list->last->next = i;
    else
        list->first = i;
    list->last = i;
    list->count++;
    consume(d);
    return true;
}

/* ---- names ---- */

bool policy_nation_valid(struct str nation)
{
    return nation.n == 2 && nation.p[0] >= 'A' && nation.p[0] <= 'Z' && nation.p[1] >= 'A' &&
           nation.p[1] <= 'Z';
}

bool policy_org_valid(struct str org)
{
    if (org.n == 0 || org.n > LIMIT_NAME_BYTES)
        return false;
    for (size_t i = 0; i < org.n; i++) {
        char c = org.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (i == 0 || (c != '-' && c != '_' && c != '.')))
            return false;
    }
    return true;
}

static bool at_nation(const struct draft *d)
{
    return d->token.kind == TOKEN_WORD && policy_nation_valid(d->token.text);
}

/* A word that may name an organisation or community: none of the language's own. */
static bool at_name(const struct draft *d)
{
    return d->token.kind == TOKEN_WORD && d->token.word == WORD_NONE &&
           policy_org_valid(d->token.text);
}

static bool count_name(struct draft *d)
{
    if (++d->name_count <= LIMIT_POLICY_NAMES)
        return true;
    return err_set_at(d->e, ERR_LIMIT, d->token.at, "%s: over %d names", d->name,
                      LIMIT_POLICY_NAMES);
}

/* ---- lists: one element, then as many as commas follow ---- */

typedef bool element_fn(struct draft *d, struct list *list);

static bool list_of(struct draft *d, struct list *list, element_fn *element)
{
    do {
        if (list->count > 0)
            consume(d); /* the comma */
        if (!element(d, list))
            return false;
    } while (d->token.kind == TOKEN_COMMA);
    return true;
}

static bool nation_element(struct draft *d, struct list *list)
{
    return at_nation(d) ? add(d, list, WORD_NATION) : unexpected(d, EXPECT_NATION);
}

static bool who_element(struct draft *d, struct list *list)
{
    enum word w = d->token.word;
    if (w == WORD_ANY)
        return add(d, list, w);
    if (w == WORD_AGENCY || w == WORD_OPERATOR) {
        consume(d);
        if (!at_word(d, WORD_OF))
            return unexpected(d, "of");
        consume(d);
        return at_nation(d) ? add(d, list, w) : unexpected(d, EXPECT_NATION);
    }
    if (w == WORD_COMMUNITY)
        return policy_fail(d, &d->token, "\"community of\" is not supported yet", EXPECT_WHO);
    if (at_nation(d))
        return add(d, list, WORD_NATION);
    return at_name(d) ? add(d, list, WORD_NONE) : unexpected(d, EXPECT_WHO);
}

static bool org_element(struct draft *d, struct list *list, enum word kind)
{
    if (!at_name(d))
        return unexpected(d, "an organisation's name in lower case");
    return count_name(d) && add(d, list, kind);
}

static bool agency_element(struct draft *d, struct list *list)
{
    return org_element(d, list, WORD_AGENCY);
}

static bool operator_element(struct draft *d, struct list *list)
{
    return org_element(d, list, WORD_OPERATOR);
}

/* STIX 2.1 §3.1: a type name has 3 to 250 characters of a-z, 0-9 and hyphen. */
static bool type_valid(struct str type)
{
    for (size_t i = 0; i < type.n; i++) {
        char c = type.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return type.n >= 3 && type.n <= LIMIT_STIX_TYPE_BYTES;
}

/* A misspelt type would make a deny that matches nothing: bare words must be known. */
static bool type_element(struct draft *d, struct list *list)
{
    struct str type = d->token.text;
    if (at_word(d, WORD_OBSERVABLES))
        return add(d, list, WORD_OBSERVABLES);
    if (d->token.kind != TOKEN_WORD && d->token.kind != TOKEN_STRING)
        return unexpected(d, EXPECT_TYPE);
    if (!type_valid(type))
        return unexpected(d, EXPECT_TYPE);
    if (d->token.kind == TOKEN_WORD && !str_starts(type, STR("x-"))) {
        enum stix_class class = stix_class_of(type);
        if (class == STIX_UNKNOWN || class == STIX_BUNDLE)
            return policy_fail(d, &d->token, "STIX 2.1 has no such type of object", EXPECT_TYPE);
    }
    return add(d, list, WORD_NONE);
}

static bool label_element(struct draft *d, struct list *list)
{
    if (d->token.kind != TOKEN_STRING || d->token.text.n == 0)
        return unexpected(d, "a label in quotes, as in \"national-only\"");
    return add(d, list, WORD_NONE);
}

/* ---- conditions ---- */

static bool at_tlp(const struct draft *d)
{
    return d->token.kind == TOKEN_WORD && d->token.text.n >= 4 &&
           str_eq_nocase(str_slice(d->token.text, 0, 4), STR("tlp:"));
}

static bool tlp_condition(struct draft *d, struct condition *c)
{
    for (bool more = true; more;) {
        enum stix_tlp tlp;
        if (!at_tlp(d))
            return unexpected(d, EXPECT_COLOUR);
        if (!stix_tlp_parse(d->token.text, &tlp))
            return policy_fail(d, &d->token, "no colour of the Traffic Light Protocol",
                               EXPECT_COLOUR);
        c->tlp |= 1u << tlp;
        consume(d);
        more = d->token.kind == TOKEN_COMMA;
        if (more)
            consume(d);
    }
    return true;
}

/* NULL with d->e filled, also when the rule has such a condition already. */
static struct condition *new_condition(struct draft *d, struct statement *s,
                                       enum condition_kind kind)
{
    for (const struct condition *c = s->conditions; c; c = c->next)
        if (c->kind == kind) {
            policy_fail(d, &d->token, "this condition stands twice in one rule",
                        "one list with commas");
            return NULL;
        }
    struct condition *c = take(d, sizeof *c);
    if (c) {
        c->kind = kind;
        c->next = s->conditions;
        s->conditions = c;
    }
    return c;
}

static bool one_condition(struct draft *d, struct condition *c)
{
    if (c->kind == CONDITION_TLP)
        return tlp_condition(d, c);
    consume(d); /* the word before the list */
    return list_of(d, &c->values, c->kind == CONDITION_TYPE ? type_element : label_element);
}

/* Any number of conditions, each kind at most once. */
static bool conditions(struct draft *d, struct statement *s)
{
    for (;;) {
        enum word w = d->token.word;
        enum condition_kind kind = CONDITION_TLP;
        if (w == WORD_TYPE || w == WORD_TYPES)
            kind = CONDITION_TYPE;
        else if (w == WORD_LABEL || w == WORD_LABELS)
            kind = CONDITION_LABEL;
        else if (!at_tlp(d))
            return true;
        struct condition *c = new_condition(d, s, kind);
        if (!c || !one_condition(d, c))
            return false;
    }
}

/* ---- statements ---- */

static bool nation_statement(struct draft *d, struct statement *s)
{
    if (!at_nation(d))
        return unexpected(d, EXPECT_NATION);
    s->name = (struct item){.text = d->token.text, .at = d->token.at, .kind = WORD_NATION};
    if (!count_name(d))
        return false;
    consume(d);
    if (!expect(d, TOKEN_STRING, "the nation's name in quotes") || !expect(d, TOKEN_OPEN, "\"{\""))
        return false;
    while (at_word(d, WORD_AGENCY) || at_word(d, WORD_OPERATOR)) {
        bool agency = d->token.word == WORD_AGENCY;
        struct list *all = &s->who, part = {0};
        consume(d);
        if (!list_of(d, &part, agency ? agency_element : operator_element))
            return false;
        if (all->last)
            all->last->next = part.first;
        else
            all->first = part.first;
        all->last = part.last;
        all->count += part.count;
    }
    return expect(d, TOKEN_CLOSE, "agency, operator, \",\" or \"}\"");
}

static bool community_statement(struct draft *d, struct statement *s)
{
    if (!at_name(d))
        return unexpected(d, "a community's name in lower case");
    s->name = (struct item){.text = d->token.text, .at = d->token.at, .kind = WORD_COMMUNITY};
    if (!count_name(d))
        return false;
    consume(d);
    return expect(d, TOKEN_OPEN, "\"{\"") && list_of(d, &s->who, nation_element) &&
           expect(d, TOKEN_CLOSE, "\",\" or \"}\"");
}

/* WHO [except WHO] behind `from` or `to`. */
static bool parties(struct draft *d, struct statement *s)
{
    if (!list_of(d, &s->who, who_element))
        return false;
    if (!at_word(d, WORD_EXCEPT))
        return true;
    consume(d);
    return list_of(d, &s->except, who_element);
}

static bool end_of_rule(struct draft *d, const char *expected)
{
    if (d->token.kind == TOKEN_END || policy_word_role(d->token.word) == ROLE_STATEMENT)
        return true;
    if (at_word(d, WORD_FROM))
        return policy_fail(d, &d->token, "the dates of a rule are not supported yet", expected);
    return unexpected(d, expected);
}

static bool arrival_statement(struct draft *d, struct statement *s)
{
    if (!at_word(d, WORD_FROM))
        return unexpected(d, "from");
    consume(d);
    if (!parties(d, s) || !conditions(d, s))
        return false;
    return end_of_rule(d, s->except.count || s->conditions
                              ? "\",\", " EXPECT_CONDITION " or the next statement"
                              : "\",\", except, " EXPECT_CONDITION " or the next statement");
}

static bool release_statement(struct draft *d, struct statement *s)
{
    if (!conditions(d, s))
        return false;
    if (!at_word(d, WORD_TO))
        return unexpected(d, EXPECT_CONDITION " or to");
    consume(d);
    return parties(d, s) && end_of_rule(d, s->except.count ? "\",\" or the next statement"
                                                           : "\",\", except or the next statement");
}

static const struct {
    enum word verb;
    bool (*read)(struct draft *d, struct statement *s);
    bool rule;
} statements[] = {
    {WORD_NATION, nation_statement, false},  {WORD_COMMUNITY, community_statement, false},
    {WORD_ACCEPT, arrival_statement, true},  {WORD_REFUSE, arrival_statement, true},
    {WORD_RELEASE, release_statement, true}, {WORD_DENY, release_statement, true},
};

static bool one_statement(struct draft *d, size_t which)
{
    struct statement *s = take(d, sizeof *s);
    if (!s)
        return false;
    s->verb = d->token.word;
    s->at = d->token.at;
    if (statements[which].rule && ++d->rule_count > LIMIT_POLICY_RULES)
        return err_set_at(d->e, ERR_LIMIT, s->at, "%s: over %d rules", d->name, LIMIT_POLICY_RULES);
    consume(d);
    if (!statements[which].read(d, s))
        return false;
    s->end = d->end;
    if (d->last)
        d->last->next = s;
    else
        d->first = s;
    d->last = s;
    return true;
}

bool policy_parse_draft(struct draft *d)
{
    if (str_starts(d->text, STR("\xEF\xBB\xBF"))) /* the mark that some editors put first */
        d->end = 3;
    look(d);
    while (d->token.kind != TOKEN_END) {
        size_t which = 0, count = sizeof(statements) / sizeof(statements[0]);
        while (which < count && !at_word(d, statements[which].verb))
            which++;
        if (which == count)
            return unexpected(d, EXPECT_STATEMENT);
        if (!one_statement(d, which))
            return false;
    }
    return true;
}
