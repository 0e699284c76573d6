#include <stdio.h>
#include <string.h>

#include "policy/policy_priv.h"

#define EXPECT_STATEMENT                                                                           \
    "nation, community, agreement, delegate, warninglist, accept, refuse, quarantine, release, "   \
    "deny, hold or redact"
#define EXPECT_NATION "a nation's code of two capital letters"

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

bool(policy_fail)(struct draft *d, const struct token *t, const char *why, const char *expected)
{
    size_t line, column;
    char read[96];
    struct str what = shown(t, read);
    str_line_column(d->text, t->at, &line, &column);
    return err_set_at(d->e, ERR_SYNTAX, t->at, "%s:%zu:%zu: read %.*s: %s; expected %s", d->name,
                      line, column, STR_FMT(what), why, expected);
}

bool(policy_fail_item)(struct draft *d, const struct item *i, const char *why, const char *expected)
{
    struct token t = {.kind = TOKEN_WORD, .text = i->text, .at = i->at};
    return policy_fail(d, &t, why, expected);
}

bool(policy_unexpected)(struct draft *d, const char *expected)
{
    const struct token *t = &d->token;
    const char *why = "it does not belong here";
    if (t->kind == TOKEN_WORD && t->word == WORD_NONE)
        why = "unknown word here";
    else if (t->kind == TOKEN_BAD && t->text.n && d->text.p[t->at] != '"')
        why = "outside quotes and comments only plain ASCII is read";
    else if (t->kind == TOKEN_BAD)
        why = "the quotes are not closed on this line, or hold bytes that are not UTF-8";
    return policy_fail(d, t, why, expected);
}

/* ---- moving on ---- */

void policy_look(struct draft *d)
{
    d->token = policy_lex(d->text, d->end);
}

void policy_consume(struct draft *d)
{
    d->end = d->token.end;
    policy_look(d);
}

bool policy_at(const struct draft *d, enum word w)
{
    return d->token.kind == TOKEN_WORD && d->token.word == w;
}

bool policy_at_text(const struct draft *d, const char *text)
{
    return d->token.kind == TOKEN_WORD && str_eq(d->token.text, str_of(text));
}

static bool expect(struct draft *d, enum token_kind kind, const char *expected)
{
    if (d->token.kind != kind)
        return policy_unexpected(d, expected);
    policy_consume(d);
    return true;
}

bool policy_expect_word(struct draft *d, enum word w, const char *expected)
{
    if (!policy_at(d, w))
        return policy_unexpected(d, expected);
    policy_consume(d);
    return true;
}

void *policy_draft_take(struct draft *d, size_t bytes)
{
    void *p = arena_calloc(d->arena, 1, bytes);
    must(p || !arena_ok(d->arena, d->e));
    return p;
}

struct item policy_take_item(struct draft *d, enum word kind)
{
    struct item i = {.text = d->token.text,
                     .at = d->token.at,
                     .kind = kind,
                     .quoted = d->token.kind == TOKEN_STRING};
    policy_consume(d);
    return i;
}

bool policy_append(struct draft *d, struct list *list, struct item item)
{
    struct item *i = policy_draft_take(d, sizeof *i);
    if (!i)
        return false;
    *i = item;
    if (list->last)
        list->last->next = i;
    else
        list->first = i;
    list->last = i;
    list->count++;
    return true;
}

bool policy_add(struct draft *d, struct list *list, enum word kind)
{
    return policy_append(d, list, policy_take_item(d, kind));
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
bool policy_at_name(const struct draft *d)
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

static bool take_name(struct draft *d, struct item *out, enum word kind, const char *expected)
{
    if (!policy_at_name(d))
        return policy_unexpected(d, expected);
    if (!count_name(d))
        return false;
    *out = policy_take_item(d, kind);
    return true;
}

/* ---- lists ---- */

bool policy_list_of(struct draft *d, struct list *list, policy_element_fn *element)
{
    do {
        if (list->count > 0)
            policy_consume(d); /* the comma */
        if (!element(d, list))
            return false;
    } while (d->token.kind == TOKEN_COMMA);
    return true;
}

static bool nation_element(struct draft *d, struct list *list)
{
    return at_nation(d) ? policy_add(d, list, WORD_NATION) : policy_unexpected(d, EXPECT_NATION);
}

bool policy_who_element(struct draft *d, struct list *list)
{
    enum word w = d->token.word;
    if (w == WORD_ANY)
        return policy_add(d, list, w);
    if (w == WORD_AGENCY || w == WORD_OPERATOR) {
        policy_consume(d);
        if (!policy_at(d, WORD_OF))
            return policy_unexpected(d, "of");
        policy_consume(d);
        return at_nation(d) ? policy_add(d, list, w) : policy_unexpected(d, EXPECT_NATION);
    }
    if (w == WORD_COMMUNITY)
        return policy_fail(d, &d->token, "a community stands without a word before it", EXPECT_WHO);
    if (at_nation(d))
        return policy_add(d, list, WORD_NATION);
    return policy_at_name(d) ? policy_add(d, list, WORD_NONE) : policy_unexpected(d, EXPECT_WHO);
}

static bool org_element(struct draft *d, struct list *list, enum word kind)
{
    if (!policy_at_name(d))
        return policy_unexpected(d, "an organisation's name in lower case");
    return count_name(d) && policy_add(d, list, kind);
}

static bool agency_element(struct draft *d, struct list *list)
{
    return org_element(d, list, WORD_AGENCY);
}

static bool operator_element(struct draft *d, struct list *list)
{
    return org_element(d, list, WORD_OPERATOR);
}

/* ---- dates ---- */

bool policy_date_us(struct str text, int64_t *out)
{
    char full[sizeof "2027-03-18T00:00:00Z"];
    struct instant t;
    struct err e;
    if (text.n != 10)
        return false;
    memcpy(full, text.p, 10);
    memcpy(full + 10, "T00:00:00Z", sizeof "T00:00:00Z");
    if (!instant_parse(str_of(full), &t, &e))
        return false;
    *out = instant_us(t);
    return true;
}

bool policy_read_date(struct draft *d, bool end, int64_t *out)
{
    static const char expected[] = "a date, as in 2027-03-18";
    if (d->token.kind != TOKEN_WORD)
        return policy_unexpected(d, expected);
    if (!policy_date_us(d->token.text, out))
        return policy_fail(d, &d->token, "this is no date", expected);
    *out += end ? 86400000000 : 0;
    policy_consume(d);
    return true;
}

/* At `from` or `until`; each once, and some day between them. */
bool policy_date_clause(struct draft *d, struct span *span)
{
    bool until = d->token.word == WORD_UNTIL;
    struct token word = d->token, date;
    if (until ? span->until_us != INT64_MAX : span->from_us != INT64_MIN)
        return policy_fail(d, &word, "this clause stands twice", "one date for each");
    policy_consume(d);
    date = d->token;
    if (!policy_read_date(d, until, until ? &span->until_us : &span->from_us))
        return false;
    if (span->from_us >= span->until_us)
        return policy_fail(d, &date, "this ends before it begins",
                           "an `until` that is not before the day of `from`");
    return true;
}

/* ---- statements ---- */

static bool nation_statement(struct draft *d, struct statement *s)
{
    if (!at_nation(d))
        return policy_unexpected(d, EXPECT_NATION);
    if (!count_name(d))
        return false;
    s->name = policy_take_item(d, WORD_NATION);
    if (!expect(d, TOKEN_STRING, "the nation's name in quotes") || !expect(d, TOKEN_OPEN, "\"{\""))
        return false;
    while (policy_at(d, WORD_AGENCY) || policy_at(d, WORD_OPERATOR)) {
        bool agency = d->token.word == WORD_AGENCY;
        struct list *all = &s->who, part = {0};
        policy_consume(d);
        if (!policy_list_of(d, &part, agency ? agency_element : operator_element))
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
    return take_name(d, &s->name, WORD_COMMUNITY, "a community's name in lower case") &&
           expect(d, TOKEN_OPEN, "\"{\"") && policy_list_of(d, &s->who, nation_element) &&
           expect(d, TOKEN_CLOSE, "\",\" or \"}\"");
}

/* agreement NAME "Title" from DATE [until DATE] */
static bool agreement_statement(struct draft *d, struct statement *s)
{
    if (!take_name(d, &s->name, WORD_AGREEMENT, "an agreement's name in lower case") ||
        !expect(d, TOKEN_STRING, "the agreement's title in quotes"))
        return false;
    if (!policy_at(d, WORD_FROM))
        return policy_unexpected(d, "from and the date on which the agreement begins");
    return policy_date_clause(d, &s->span) &&
           (!policy_at(d, WORD_UNTIL) || policy_date_clause(d, &s->span));
}

static bool delegate_element(struct draft *d, struct list *list)
{
    if (!policy_at_name(d))
        return policy_unexpected(d, "an organisation's name");
    return policy_add(d, list, WORD_NONE);
}

/* delegate NAME, NAME for NAME */
static bool delegate_statement(struct draft *d, struct statement *s)
{
    if (!policy_list_of(d, &s->who, delegate_element) ||
        !policy_expect_word(d, WORD_FOR, "\",\" or for"))
        return false;
    if (!policy_at_name(d))
        return policy_unexpected(d, "an organisation's name");
    s->name = policy_take_item(d, WORD_NONE);
    return true;
}

static bool entry_element(struct draft *d, struct list *list)
{
    if (d->token.kind != TOKEN_STRING && d->token.kind != TOKEN_WORD)
        return policy_unexpected(d, "an address, a block of addresses or a domain name");
    if (++d->entry_count > LIMIT_POLICY_LIST_ENTRIES)
        return err_set_at(d->e, ERR_LIMIT, d->token.at, "%s: over %d entries of warning lists",
                          d->name, LIMIT_POLICY_LIST_ENTRIES);
    return policy_add(d, list, WORD_NONE);
}

/* warninglist NAME { ENTRY, ENTRY } */
static bool warninglist_statement(struct draft *d, struct statement *s)
{
    if (++d->list_count > LIMIT_POLICY_LISTS)
        return err_set_at(d->e, ERR_LIMIT, s->at, "%s: over %d warning lists", d->name,
                          LIMIT_POLICY_LISTS);
    return take_name(d, &s->name, WORD_WARNINGLIST, "a list's name in lower case") &&
           expect(d, TOKEN_OPEN, "\"{\"") && policy_list_of(d, &s->who, entry_element) &&
           expect(d, TOKEN_CLOSE, "\",\" or \"}\"");
}

static const struct {
    enum word verb;
    bool (*read)(struct draft *d, struct statement *s);
    bool rule;
} statements[] = {
    {WORD_NATION, nation_statement, false},
    {WORD_COMMUNITY, community_statement, false},
    {WORD_AGREEMENT, agreement_statement, false},
    {WORD_DELEGATE, delegate_statement, false},
    {WORD_WARNINGLIST, warninglist_statement, false},
    {WORD_ACCEPT, policy_arrival_statement, true},
    {WORD_REFUSE, policy_arrival_statement, true},
    {WORD_QUARANTINE, policy_arrival_statement, true},
    {WORD_RELEASE, policy_release_statement, true},
    {WORD_DENY, policy_release_statement, true},
    {WORD_HOLD, policy_release_statement, true},
    {WORD_REDACT, policy_redact_statement, true},
};

static bool one_statement(struct draft *d, size_t which)
{
    struct statement *s = policy_draft_take(d, sizeof *s);
    if (!s)
        return false;
    s->verb = d->token.word;
    s->at = d->token.at;
    s->span = (struct span){INT64_MIN, INT64_MAX};
    if (statements[which].rule && ++d->rule_count > LIMIT_POLICY_RULES)
        return err_set_at(d->e, ERR_LIMIT, s->at, "%s: over %d rules", d->name, LIMIT_POLICY_RULES);
    policy_consume(d);
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
    policy_look(d);
    while (d->token.kind != TOKEN_END) {
        size_t which = 0, count = sizeof(statements) / sizeof(statements[0]);
        while (which < count && !policy_at(d, statements[which].verb))
            which++;
        if (which == count)
            return policy_unexpected(d, EXPECT_STATEMENT);
        if (!one_statement(d, which))
            return false;
    }
    return true;
}
