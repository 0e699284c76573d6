#include <stdio.h>

#include "dialogue/dialogue.h"
#include "policy/policy_priv.h"

#define EXPECT_CONDITION                                                                           \
    "a condition (tlp:COLOUR, pap:COLOUR, types, labels, creator, source, confidence, older, "     \
    "newer, where)"
#define EXPECT_COLOUR "tlp:clear, tlp:green, tlp:amber, tlp:amber+strict or tlp:red"
#define EXPECT_PAP    "pap:clear, pap:green, pap:amber or pap:red"
#define EXPECT_TYPE                                                                                \
    "a type of STIX 2.1, observables, dialogue, a type that begins with x-, or an extension's "    \
    "type in quotes"
#define EXPECT_ONE_TYPE                                                                            \
    "a type of STIX 2.1, a type that begins with x-, or an extension's type in quotes"
#define EXPECT_PATH     "a path, as in $.contact_information or $.external_references[*].url"
#define EXPECT_PROPERTY "the name of a property, as in name, or a path, as in $.sectors[0]"
#define EXPECT_VALUE    "a value: a word, a number, or a text in quotes"
#define EXPECT_CREATOR  EXPECT_WHO ", or an identity's id in quotes"
#define EXPECT_TRANSFORM                                                                           \
    "drop, replace, mask, prefix, coarsen, pseudonym, drop-reference or generalise"

/* ---- numbers ---- */

/* Takes a whole number from `least` to `most`. */
static bool read_number(struct draft *d, uint64_t least, uint64_t most, uint64_t *out)
{
    char expected[80];
    uint64_t n = 0;
    bool read = d->token.kind == TOKEN_WORD && str_to_u64(d->token.text, &n);
    snprintf(expected, sizeof expected, "a whole number from %llu to %llu",
             (unsigned long long)least, (unsigned long long)most);
    if (!read)
        return policy_unexpected(d, expected);
    if (n < least || n > most)
        return policy_fail(d, &d->token, "this number is out of bounds", expected);
    policy_consume(d);
    *out = n;
    return true;
}

/* Takes `N hours` or `N days` as hours. */
static bool read_hours(struct draft *d, unsigned most_days, unsigned *out)
{
    uint64_t n;
    if (!read_number(d, 1, (uint64_t)most_days * 24, &n))
        return false;
    bool days = policy_at_text(d, "days") || policy_at_text(d, "day");
    if (!days && !policy_at_text(d, "hours") && !policy_at_text(d, "hour"))
        return policy_unexpected(d, "hours or days");
    if (days && n > most_days)
        return policy_fail(d, &d->token, "so many days are out of bounds", "fewer days");
    policy_consume(d);
    *out = (unsigned)n * (days ? 24 : 1);
    return true;
}

/* Reads digits into *out and returns what follows them. */
static struct str digits(struct str s, double *out)
{
    size_t i = 0;
    for (*out = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        *out = *out * 10 + (s.p[i] - '0');
    return str_from(s, i);
}

static bool read_double(struct str s, double *out)
{
    bool minus = str_starts(s, STR("-"));
    double whole, part, scale = 1;
    struct str text = str_from(s, minus), rest = digits(text, &whole), fraction;
    if (rest.n == text.n || s.n > 30)
        return false;
    if (str_starts(rest, STR("."))) {
        fraction = str_from(rest, 1);
        rest = digits(fraction, &part);
        for (size_t i = rest.n; i < fraction.n; i++)
            scale *= 10;
        whole += part / scale;
        if (rest.n == fraction.n)
            return false;
    }
    *out = minus ? -whole : whole;
    return rest.n == 0;
}

struct operand policy_operand(const struct item *i)
{
    struct operand o = {.text = i->text};
    struct err e;
    int64_t us;
    o.is_time = instant_parse(i->text, &o.time, &e);
    if (!o.is_time && policy_date_us(i->text, &us)) {
        o.is_time = true;
        o.time = instant_of_us(us);
    }
    if (i->quoted)
        return o;
    o.is_number = read_double(i->text, &o.number);
    o.is_true = str_eq(i->text, STR("true"));
    o.is_false = str_eq(i->text, STR("false"));
    return o;
}

/* ---- types, labels, creators ---- */

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
static bool read_type(struct draft *d, struct list *list, const char *expected)
{
    struct str type = d->token.text;
    if ((d->token.kind != TOKEN_WORD && d->token.kind != TOKEN_STRING) || !type_valid(type))
        return policy_unexpected(d, expected);
    if (d->token.kind == TOKEN_WORD && !str_starts(type, STR("x-"))) {
        enum stix_class class = stix_class_of(type);
        if (class == STIX_UNKNOWN || class == STIX_BUNDLE)
            return policy_fail(d, &d->token, "STIX 2.1 has no such type of object", expected);
    }
    return policy_add(d, list, WORD_NONE);
}

static bool one_type_element(struct draft *d, struct list *list)
{
    return read_type(d, list, EXPECT_ONE_TYPE);
}

/* One word for the types that Setu adds: as if each stood there in quotes. */
static bool add_dialogue(struct draft *d, struct list *list)
{
    struct item item = policy_take_item(d, WORD_NONE);
    bool ok = true;
    for (unsigned i = 0; i < DIALOGUE_TYPE_COUNT && ok; i++) {
        item.text = str_of(dialogue_type_name((enum dialogue_type)i));
        ok = policy_append(d, list, item);
    }
    return ok;
}

static bool type_element(struct draft *d, struct list *list)
{
    if (policy_at(d, WORD_OBSERVABLES))
        return policy_add(d, list, WORD_OBSERVABLES);
    if (d->token.kind == TOKEN_WORD && policy_at_text(d, "dialogue"))
        return add_dialogue(d, list);
    return read_type(d, list, EXPECT_TYPE);
}

static bool label_element(struct draft *d, struct list *list)
{
    if (d->token.kind != TOKEN_STRING || d->token.text.n == 0)
        return policy_unexpected(d, "a label in quotes, as in \"national-only\"");
    return policy_add(d, list, WORD_NONE);
}

static bool creator_element(struct draft *d, struct list *list)
{
    struct str type;
    struct err e;
    if (d->token.kind != TOKEN_STRING)
        return policy_who_element(d, list);
    if (!stix_id_parse(d->token.text, &type, &e) || !str_eq(type, STR("identity")))
        return policy_fail(d, &d->token, "this is no id of an identity", EXPECT_CREATOR);
    return policy_add(d, list, WORD_NONE);
}

static bool value_element(struct draft *d, struct list *list)
{
    if (d->token.kind != TOKEN_STRING &&
        (d->token.kind != TOKEN_WORD || d->token.word != WORD_NONE))
        return policy_unexpected(d, EXPECT_VALUE "; a word of the language in quotes");
    return policy_add(d, list, WORD_NONE);
}

/* ---- colours ---- */

static bool at_colour(const struct draft *d, const char *protocol)
{
    return d->token.kind == TOKEN_WORD && d->token.text.n >= 4 &&
           str_eq_nocase(str_slice(d->token.text, 0, 4), str_of(protocol));
}

static bool tlp_colour(struct draft *d, unsigned *mask)
{
    enum stix_tlp tlp;
    if (!at_colour(d, "tlp:"))
        return policy_unexpected(d, EXPECT_COLOUR);
    if (!stix_tlp_parse(d->token.text, &tlp))
        return policy_fail(d, &d->token, "no colour of the Traffic Light Protocol", EXPECT_COLOUR);
    *mask |= 1u << tlp;
    policy_consume(d);
    return true;
}

static bool pap_colour(struct draft *d, unsigned *mask)
{
    static const struct {
        const char *name;
        enum stix_pap pap;
    } colours[] = {{"pap:clear", STIX_PAP_CLEAR},
                   {"pap:white", STIX_PAP_CLEAR},
                   {"pap:green", STIX_PAP_GREEN},
                   {"pap:amber", STIX_PAP_AMBER},
                   {"pap:red", STIX_PAP_RED}};
    if (!at_colour(d, "pap:"))
        return policy_unexpected(d, EXPECT_PAP);
    for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
        if (str_eq_nocase(d->token.text, str_of(colours[i].name))) {
            *mask |= 1u << colours[i].pap;
            policy_consume(d);
            return true;
        }
    return policy_fail(d, &d->token, "no colour of the Permissible Actions Protocol", EXPECT_PAP);
}

static bool colours(struct draft *d, struct condition *c)
{
    for (;;) {
        if (!(c->kind == CONDITION_TLP ? tlp_colour(d, &c->mask) : pap_colour(d, &c->mask)))
            return false;
        if (d->token.kind != TOKEN_COMMA)
            return true;
        policy_consume(d);
    }
}

/* ---- comparisons ---- */

static enum compare take_compare(struct draft *d)
{
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
    size_t i = 0;
    while (!str_eq(d->token.text, str_of(signs[i])))
        i++; /* the lexer knows no others */
    policy_consume(d);
    return (enum compare)i;
}

static bool confidence_condition(struct draft *d, struct condition *c)
{
    uint64_t n;
    policy_consume(d);
    if (d->token.kind != TOKEN_COMPARE)
        return policy_unexpected(d, "=, !=, <, <=, > or >=");
    c->compare = take_compare(d);
    if (!read_number(d, 0, 100, &n)) /* STIX 2.1 §3.2: 0 to 100 */
        return false;
    c->number = (int64_t)n;
    return true;
}

static bool age_condition(struct draft *d, struct condition *c)
{
    unsigned hours;
    policy_consume(d);
    if (!policy_at_text(d, "than"))
        return policy_unexpected(d, "than");
    policy_consume(d);
    if (!read_hours(d, LIMIT_POLICY_AGE_DAYS, &hours))
        return false;
    c->number = hours * (int64_t)3600000000;
    return true;
}

static bool property_valid(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return name.n > 0 && name.n <= LIMIT_STIX_TYPE_BYTES;
}

static bool at_path(const struct draft *d)
{
    return d->token.kind == TOKEN_WORD && d->token.text.p[0] == '$';
}

/* Takes a path, after a look that it is one. */
static bool path_element(struct draft *d, struct list *list)
{
    struct path path;
    struct err e = {0};
    if (!at_path(d))
        return policy_unexpected(d, EXPECT_PATH);
    if (!policy_path_read(d->arena, d->token.text, &path, &e))
        return e.code == ERR_SYNTAX ? policy_fail(d, &d->token, e.msg, EXPECT_PATH)
                                    : err_set(d->e, e.code, "%s", e.msg);
    return policy_add(d, list, WORD_NONE);
}

/* where PROPERTY [OP] VALUE, VALUE; `where` was read */
static bool where_condition(struct draft *d, struct condition *c)
{
    struct list path = {0};
    if (at_path(d)) {
        if (!path_element(d, &path))
            return false;
        c->path = *path.first;
    } else if (d->token.kind == TOKEN_WORD && property_valid(d->token.text)) {
        c->path = policy_take_item(d, WORD_NONE);
    } else {
        return policy_unexpected(d, EXPECT_PROPERTY);
    }
    c->compare = d->token.kind == TOKEN_COMPARE ? take_compare(d) : COMPARE_EQ;
    if (!policy_list_of(d, &c->values, value_element))
        return false;
    for (const struct item *i = c->values.first; i; i = i->next) {
        struct operand o = policy_operand(i);
        if (c->compare >= COMPARE_LT && !o.is_number && !o.is_time)
            return policy_fail_item(d, i, "this has no order",
                                    "a number, a date, or a time as in \"2027-03-18T12:00:00Z\"");
    }
    return true;
}

static bool referenced_condition(struct draft *d, struct condition *c)
{
    policy_consume(d);
    if (!policy_at_text(d, "by"))
        return policy_unexpected(d, "by");
    policy_consume(d);
    return policy_list_of(d, &c->values, one_type_element);
}

/* ---- conditions ---- */

/* NULL with d->e filled, also when the rule has such a condition already. */
static struct condition *new_condition(struct draft *d, struct statement *s,
                                       enum condition_kind kind)
{
    for (const struct condition *c = s->conditions; c && kind != CONDITION_WHERE; c = c->next)
        if (c->kind == kind) {
            policy_fail(d, &d->token, "this condition stands twice in one rule",
                        "one list with commas");
            return NULL;
        }
    struct condition *c = policy_draft_take(d, sizeof *c);
    if (!c)
        return NULL;
    c->kind = kind;
    if (s->last_condition)
        s->last_condition->next = c;
    else
        s->conditions = c;
    s->last_condition = c;
    return c;
}

static bool listed(struct draft *d, struct condition *c, policy_element_fn *element)
{
    policy_consume(d); /* the word before the list */
    return policy_list_of(d, &c->values, element);
}

static bool one_condition(struct draft *d, struct condition *c)
{
    switch (c->kind) {
    case CONDITION_TLP:
    case CONDITION_PAP:
        return colours(d, c);
    case CONDITION_TYPE:
        return listed(d, c, type_element);
    case CONDITION_LABEL:
        return listed(d, c, label_element);
    case CONDITION_CREATOR:
        return listed(d, c, creator_element);
    case CONDITION_SOURCE:
        return listed(d, c, policy_who_element);
    case CONDITION_CONFIDENCE:
        return confidence_condition(d, c);
    case CONDITION_OLDER:
    case CONDITION_NEWER:
        return age_condition(d, c);
    case CONDITION_WHERE:
        return where_condition(d, c);
    case CONDITION_REFERENCED:
        return referenced_condition(d, c);
    case CONDITION_OWNER: /* of clauses */
    case CONDITION_LISTS:
        break;
    }
    must(false);
    return false;
}

/* The kind of the condition that begins at the token looked at. */
static bool at_condition(const struct draft *d, enum condition_kind *kind)
{
    static const struct {
        enum word word;
        enum condition_kind kind;
    } words[] = {{WORD_TYPE, CONDITION_TYPE},       {WORD_TYPES, CONDITION_TYPE},
                 {WORD_LABEL, CONDITION_LABEL},     {WORD_LABELS, CONDITION_LABEL},
                 {WORD_CREATOR, CONDITION_CREATOR}, {WORD_SOURCE, CONDITION_SOURCE},
                 {WORD_OLDER, CONDITION_OLDER},     {WORD_NEWER, CONDITION_NEWER},
                 {WORD_WHERE, CONDITION_WHERE},     {WORD_CONFIDENCE, CONDITION_CONFIDENCE}};
    *kind = at_colour(d, "pap:") ? CONDITION_PAP : CONDITION_TLP;
    if (*kind == CONDITION_PAP || at_colour(d, "tlp:"))
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (policy_at(d, words[i].word)) {
            *kind = words[i].kind;
            return true;
        }
    return false;
}

/* Any number of conditions. */
static bool conditions(struct draft *d, struct statement *s)
{
    enum condition_kind kind;
    while (at_condition(d, &kind)) {
        if (kind == CONDITION_WHERE) {
            policy_consume(d);
            if (policy_at(d, WORD_REFERENCED))
                kind = CONDITION_REFERENCED;
        }
        struct condition *c = new_condition(d, s, kind);
        if (!c || !one_condition(d, c))
            return false;
    }
    return true;
}

/* WHO [except WHO] behind `from` or `to`. */
static bool parties(struct draft *d, struct statement *s)
{
    if (!policy_list_of(d, &s->who, policy_who_element))
        return false;
    if (!policy_at(d, WORD_EXCEPT))
        return true;
    policy_consume(d);
    return policy_list_of(d, &s->except, policy_who_element);
}

/* ---- clauses ---- */

static bool twice(struct draft *d, bool is)
{
    return is && !policy_fail(d, &d->token, "this clause stands twice", "one of them");
}

static bool under_clause(struct draft *d, struct statement *s)
{
    if (twice(d, s->under.text.n > 0))
        return false;
    policy_consume(d);
    if (!policy_at_name(d))
        return policy_unexpected(d, "an agreement's name");
    s->under = policy_take_item(d, WORD_AGREEMENT);
    return true;
}

static bool officers_clause(struct draft *d, struct statement *s)
{
    uint64_t n;
    if (twice(d, s->officers > 0))
        return false;
    if (s->verb != WORD_HOLD)
        return policy_fail(d, &d->token, "only a hold waits for officers", "hold instead");
    policy_consume(d);
    if (!read_number(d, 1, LIMIT_POLICY_OFFICERS, &n))
        return false;
    if (!policy_at(d, WORD_OFFICER) && !policy_at(d, WORD_OFFICERS))
        return policy_unexpected(d, "officer or officers");
    policy_consume(d);
    s->officers = (unsigned)n;
    return true;
}

static bool within_clause(struct draft *d, struct statement *s)
{
    if (twice(d, s->within_hours > 0))
        return false;
    if (s->verb != WORD_HOLD)
        return policy_fail(d, &d->token, "only a hold has a time to wait", "hold instead");
    policy_consume(d);
    return read_hours(d, LIMIT_POLICY_HOLD_DAYS, &s->within_hours);
}

/* unless owner */
static bool unless_clause(struct draft *d, struct statement *s)
{
    if (!new_condition(d, s, CONDITION_OWNER))
        return false;
    policy_consume(d);
    return policy_expect_word(d, WORD_OWNER, "owner");
}

static bool list_name_element(struct draft *d, struct list *list)
{
    if (!policy_at_name(d))
        return policy_unexpected(d, "a warning list's name");
    return policy_add(d, list, WORD_NONE);
}

/* if warninglist [NAME, NAME] */
static bool if_clause(struct draft *d, struct statement *s)
{
    struct condition *c = new_condition(d, s, CONDITION_LISTS);
    if (!c)
        return false;
    policy_consume(d);
    if (!policy_expect_word(d, WORD_WARNINGLIST, "warninglist"))
        return false;
    return !policy_at_name(d) || policy_list_of(d, &c->values, list_name_element);
}

/* limit 5000/minute */
static bool limit_clause(struct draft *d, struct statement *s)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {
        {"second", 1000000}, {"minute", 60000000}, {"hour", 3600000000}, {"day", 86400000000}};
    static const char expected[] = "a number from 1 to 1000000000 and a unit, as in 5000/minute "
                                   "(second, minute, hour, day)";
    if (twice(d, s->limit_us > 0))
        return false;
    if (s->verb != WORD_ACCEPT)
        return policy_fail(d, &d->token, "only an accept rule has a limit", "accept instead");
    policy_consume(d);
    struct str unit = d->token.text, count = str_cut(&unit, '/');
    if (d->token.kind != TOKEN_WORD || !str_to_u64(count, &s->limit_count) || s->limit_count == 0 ||
        s->limit_count > LIMIT_POLICY_ARRIVALS)
        return policy_unexpected(d, expected);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (str_eq(unit, str_of(units[i].name)))
            s->limit_us = units[i].us;
    if (s->limit_us == 0)
        return policy_unexpected(d, expected);
    policy_consume(d);
    return true;
}

typedef bool clause_fn(struct draft *d, struct statement *s);

static bool date_clause(struct draft *d, struct statement *s)
{
    return policy_date_clause(d, &s->span);
}

struct clause {
    enum word word;
    clause_fn *read;
};

/* The reader of the clause that begins at the token looked at, or NULL. */
static clause_fn *clause_at(const struct draft *d, const struct clause *clauses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (policy_at(d, clauses[i].word))
            return clauses[i].read;
    return NULL;
}

static bool end_of_rule(struct draft *d, const char *expected)
{
    if (d->token.kind == TOKEN_END || policy_word_role(d->token.word) == ROLE_STATEMENT)
        return true;
    return policy_unexpected(d, expected);
}

/* ---- rules ---- */

bool policy_arrival_statement(struct draft *d, struct statement *s)
{
    static const struct clause clauses[] = {{WORD_UNLESS, unless_clause},
                                            {WORD_IF, if_clause},
                                            {WORD_LIMIT, limit_clause},
                                            {WORD_FROM, date_clause},
                                            {WORD_UNTIL, date_clause}};
    clause_fn *clause;
    if (!policy_expect_word(d, WORD_FROM, "from") || !parties(d, s) || !conditions(d, s))
        return false;
    while ((clause = clause_at(d, clauses, sizeof(clauses) / sizeof(clauses[0]))) != NULL)
        if (!clause(d, s) || !conditions(d, s))
            return false;
    return end_of_rule(d, s->except.count || s->conditions
                              ? "\",\", " EXPECT_CONDITION
                                ", unless owner, if warninglist, limit, from, until or the next "
                                "statement"
                              : "\",\", except, " EXPECT_CONDITION
                                ", unless owner, if warninglist, limit, from, until or the next "
                                "statement");
}

/* `to` the parties, then clauses; holds and releases alike. */
static bool recipients(struct draft *d, struct statement *s, const char *expected)
{
    static const struct clause clauses[] = {{WORD_UNDER, under_clause},
                                            {WORD_FROM, date_clause},
                                            {WORD_UNTIL, date_clause},
                                            {WORD_FOR, officers_clause},
                                            {WORD_WITHIN, within_clause}};
    clause_fn *clause;
    s->own_end = d->end;
    if (!policy_expect_word(d, WORD_TO, expected) || !parties(d, s))
        return false;
    while ((clause = clause_at(d, clauses, sizeof(clauses) / sizeof(clauses[0]))) != NULL)
        if (!clause(d, s))
            return false;
    return end_of_rule(d, s->verb == WORD_HOLD
                              ? "\",\", except, under, from, until, for, within or the next "
                                "statement"
                              : "\",\", except, under, from, until or the next statement");
}

bool policy_release_statement(struct draft *d, struct statement *s)
{
    if (!conditions(d, s) || !recipients(d, s, EXPECT_CONDITION " or to"))
        return false;
    if (s->verb == WORD_HOLD) {
        s->officers = s->officers ? s->officers : 1;
        s->within_hours = s->within_hours ? s->within_hours : 30 * 24;
    }
    return true;
}

/* ---- redactions ---- */

/* What makes a copy an object, and its markings, no redaction touches: policy_copy_make sets the
 * id and the creator, versions follow the original's, and a marking that goes would open. */
static bool redactable(struct draft *d, const struct list *paths)
{
    static const char *const kept[] = {"type",
                                       "spec_version",
                                       "id",
                                       "created",
                                       "modified",
                                       "revoked",
                                       "created_by_ref",
                                       "object_marking_refs",
                                       "granular_markings"};
    for (const struct item *i = paths->first; i; i = i->next) {
        struct str rest = str_starts(i->text, STR("$.")) ? str_from(i->text, 2) : i->text;
        size_t n = 0;
        while (n < rest.n && rest.p[n] != '.' && rest.p[n] != '[')
            n++;
        for (size_t k = 0; k < sizeof(kept) / sizeof(kept[0]); k++)
            if (str_eq(str_slice(rest, 0, n), str_of(kept[k])))
                return policy_fail_item(d, i, "a redaction does not change this property",
                                        "another property");
    }
    if (paths->count > LIMIT_POLICY_PATHS)
        return err_set_at(d->e, ERR_LIMIT, d->token.at, "%s: over %d paths in one rule", d->name,
                          LIMIT_POLICY_PATHS);
    return true;
}

/* PATH, PATH or TYPE PROPERTY, which is a condition on the type as well. */
static bool place(struct draft *d, struct statement *s)
{
    if (!at_path(d)) {
        struct condition *c = new_condition(d, s, CONDITION_TYPE);
        if (!c || !one_type_element(d, &c->values))
            return false;
        if (d->token.kind != TOKEN_WORD || !property_valid(d->token.text))
            return policy_unexpected(d, "the name of a property, as in value");
        if (!policy_add(d, &s->paths, WORD_NONE))
            return false;
    } else if (!policy_list_of(d, &s->paths, path_element)) {
        return false;
    }
    return redactable(d, &s->paths);
}

static bool drop_transform(struct draft *d, struct statement *s)
{
    return policy_list_of(d, &s->paths, path_element) && redactable(d, &s->paths);
}

static bool replace_transform(struct draft *d, struct statement *s)
{
    if (!place(d, s) || !conditions(d, s) ||
        !policy_expect_word(d, WORD_WITH, EXPECT_CONDITION " or with"))
        return false;
    if (d->token.kind != TOKEN_STRING || d->token.text.n == 0)
        return policy_unexpected(d, "a text in quotes that stands in its place");
    s->with = policy_take_item(d, WORD_NONE);
    return true;
}

/* /24 */
static bool bits_of(struct draft *d, unsigned most, unsigned *out)
{
    char expected[64];
    uint64_t n = 0;
    snprintf(expected, sizeof expected, "a length from /1 to /%u", most);
    if (d->token.kind != TOKEN_WORD || d->token.text.p[0] != '/' ||
        !str_to_u64(str_from(d->token.text, 1), &n))
        return policy_unexpected(d, expected);
    if (n < 1 || n > most)
        return policy_fail(d, &d->token, "no prefix has this length", expected);
    *out = (unsigned)n;
    policy_consume(d);
    return true;
}

/* One length up to 32 is of IPv4, beside /64 of IPv6; a longer one of IPv6, beside /24 of IPv4. */
static bool prefix_transform(struct draft *d, struct statement *s)
{
    if (!place(d, s) || !bits_of(d, 128, &s->bits4))
        return false;
    s->bits6 = 64;
    bool second = d->token.kind == TOKEN_WORD && d->token.text.p[0] == '/';
    if (s->bits4 > 32 && second)
        return policy_fail(d, &d->token, "the length for IPv4 stands first and is at most /32",
                           "one length, or that of IPv4 and that of IPv6, as in /24 /48");
    if (s->bits4 > 32) {
        s->bits6 = s->bits4;
        s->bits4 = 24;
    }
    return !second || bits_of(d, 128, &s->bits6);
}

static bool coarsen_transform(struct draft *d, struct statement *s)
{
    static const char *const units[] = {"second", "minute", "hour", "day", "month", "year"};
    if (!drop_transform(d, s) || !policy_expect_word(d, WORD_TO, "\",\" or to and a unit of time"))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (policy_at_text(d, units[i])) {
            s->unit = (enum time_unit)i;
            policy_consume(d);
            return true;
        }
    return policy_unexpected(d, "second, minute, hour, day, month or year");
}

static bool no_more(struct draft *d, struct statement *s)
{
    (void)d, (void)s;
    return true;
}

static bool generalise_transform(struct draft *d, struct statement *s)
{
    struct condition *c = new_condition(d, s, CONDITION_TYPE);
    if (!policy_at_text(d, "identity"))
        return policy_unexpected(d, "identity");
    return c && policy_add(d, &c->values, WORD_NONE);
}

bool policy_redact_statement(struct draft *d, struct statement *s)
{
    static const struct {
        const char *name;
        bool (*read)(struct draft *d, struct statement *s);
    } transforms[] = {
        [TRANSFORM_DROP] = {"drop", drop_transform},
        [TRANSFORM_REPLACE] = {"replace", replace_transform},
        [TRANSFORM_MASK] = {"mask", place},
        [TRANSFORM_PREFIX] = {"prefix", prefix_transform},
        [TRANSFORM_COARSEN] = {"coarsen", coarsen_transform},
        [TRANSFORM_PSEUDONYM] = {"pseudonym", place},
        [TRANSFORM_DROP_REFERENCE] = {"drop-reference", no_more},
        [TRANSFORM_GENERALISE] = {"generalise", generalise_transform},
    };
    size_t i = 0, count = sizeof(transforms) / sizeof(transforms[0]);
    while (i < count && !policy_at_text(d, transforms[i].name))
        i++;
    if (i == count)
        return policy_unexpected(d, EXPECT_TRANSFORM);
    s->transform = (enum transform)i;
    policy_consume(d);
    return transforms[i].read(d, s) && conditions(d, s) &&
           recipients(d, s, EXPECT_CONDITION " or to");
}
