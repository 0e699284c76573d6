/*
 * Inside the room: the words of the language, the draft that the parser leaves, the compiled policy
 * that decisions walk. text -> lex.c -> parse.c, parse_rule.c (struct draft) -> compile.c,
 * compile_rule.c (struct policy) -> decide.c (one walk over the rules), outcome.c (its groups),
 * redact.c (their copies). A new word of the language is one line in POLICY_WORDS and the function
 * that reads it.
 */
#ifndef POLICY_POLICY_PRIV_H
#define POLICY_POLICY_PRIV_H

#include "crypt/crypt.h"
#include "policy/policy.h"

/* ---- words ------------------------------------------------------------------------------- */

/* None of these may be the name of an organisation, community, agreement or list. STATEMENT begins
 * a statement, PART stands inside one. Words that only stand where no name can (by, than, hours,
 * the transforms) are no words of their own. */
#define POLICY_WORDS(X)                                                                            \
    X(NATION, "nation", STATEMENT)                                                                 \
    X(COMMUNITY, "community", STATEMENT)                                                           \
    X(AGREEMENT, "agreement", STATEMENT)                                                           \
    X(DELEGATE, "delegate", STATEMENT)                                                             \
    X(WARNINGLIST, "warninglist", STATEMENT)                                                       \
    X(ACCEPT, "accept", STATEMENT)                                                                 \
    X(REFUSE, "refuse", STATEMENT)                                                                 \
    X(QUARANTINE, "quarantine", STATEMENT)                                                         \
    X(RELEASE, "release", STATEMENT)                                                               \
    X(DENY, "deny", STATEMENT)                                                                     \
    X(HOLD, "hold", STATEMENT)                                                                     \
    X(REDACT, "redact", STATEMENT)                                                                 \
    X(AGENCY, "agency", PART)                                                                      \
    X(OPERATOR, "operator", PART)                                                                  \
    X(OF, "of", PART)                                                                              \
    X(ANY, "any", PART)                                                                            \
    X(FROM, "from", PART)                                                                          \
    X(TO, "to", PART)                                                                              \
    X(EXCEPT, "except", PART)                                                                      \
    X(TYPE, "type", PART)                                                                          \
    X(TYPES, "types", PART)                                                                        \
    X(OBSERVABLES, "observables", PART)                                                            \
    X(LABEL, "label", PART)                                                                        \
    X(LABELS, "labels", PART)                                                                      \
    X(CREATOR, "creator", PART)                                                                    \
    X(SOURCE, "source", PART)                                                                      \
    X(CONFIDENCE, "confidence", PART)                                                              \
    X(OLDER, "older", PART)                                                                        \
    X(NEWER, "newer", PART)                                                                        \
    X(WHERE, "where", PART)                                                                        \
    X(REFERENCED, "referenced", PART)                                                              \
    X(UNDER, "under", PART)                                                                        \
    X(UNTIL, "until", PART)                                                                        \
    X(FOR, "for", PART)                                                                            \
    X(WITHIN, "within", PART)                                                                      \
    X(OFFICER, "officer", PART)                                                                    \
    X(OFFICERS, "officers", PART)                                                                  \
    X(LIMIT, "limit", PART)                                                                        \
    X(UNLESS, "unless", PART)                                                                      \
    X(OWNER, "owner", PART)                                                                        \
    X(IF, "if", PART)                                                                              \
    X(WITH, "with", PART)

enum word {
    WORD_NONE,
#define X(word, text, role) WORD_##word,
    POLICY_WORDS(X)
#undef X
};

enum word_role { ROLE_NONE, ROLE_STATEMENT, ROLE_PART };
enum word_role policy_word_role(enum word w);

/* ---- tokens ------------------------------------------------------------------------------- */

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_COMPARE, /* = != < <= > >= */
    TOKEN_COMMA,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_BAD
};

struct token {
    enum token_kind kind;
    enum word word;  /* of a TOKEN_WORD that the language knows, else WORD_NONE */
    size_t at, end;  /* its bytes, with the quotes of a string */
    struct str text; /* without the quotes */
};

/* The token at or after `pos`, over blanks, newlines and comments. */
struct token policy_lex(struct str text, size_t pos);

/* ---- the draft ---------------------------------------------------------------------------- */

/* One element of a list; what `kind` means depends on the list: of recipients ANY, NATION (a code),
 * NONE (organisation or community), AGENCY or OPERATOR (of the nation `text`); of a nation's block
 * AGENCY or OPERATOR; of types OBSERVABLES or NONE. */
struct item {
    struct item *next;
    struct str text;
    size_t at;
    enum word kind;
    bool quoted;
};

struct list {
    struct item *first, *last;
    size_t count;
};

enum condition_kind {
    CONDITION_TLP,
    CONDITION_PAP,
    CONDITION_OWNER, /* unless owner */
    CONDITION_LISTS, /* if warninglist */
    CONDITION_TYPE,
    CONDITION_LABEL,
    CONDITION_CREATOR,
    CONDITION_SOURCE,
    CONDITION_OLDER,
    CONDITION_NEWER,
    CONDITION_CONFIDENCE,
    CONDITION_WHERE,
    CONDITION_REFERENCED
};

enum compare { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE };

struct condition {
    struct condition *next;
    enum condition_kind kind;
    struct list values;   /* types, labels, creators, sources, values, lists */
    unsigned mask;        /* TLP, PAP: 1 << colour */
    enum compare compare; /* CONFIDENCE, WHERE */
    int64_t number;       /* CONFIDENCE; OLDER, NEWER: microseconds */
    struct item path;     /* WHERE: a property or path */
};

enum transform {
    TRANSFORM_DROP,
    TRANSFORM_REPLACE,
    TRANSFORM_MASK,
    TRANSFORM_PREFIX,
    TRANSFORM_COARSEN,
    TRANSFORM_PSEUDONYM,
    TRANSFORM_DROP_REFERENCE,
    TRANSFORM_GENERALISE
};

enum time_unit { UNIT_SECOND, UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_MONTH, UNIT_YEAR };

/* From `from_us` on and before `until_us`; INT64_MIN and INT64_MAX: always. */
struct span {
    int64_t from_us, until_us;
};

struct statement {
    struct statement *next;
    enum word verb;
    size_t at, end;
    struct item name;   /* nation, community, agreement, list; whom delegates act for */
    struct list who;    /* a nation's organisations, a community's nations, a list's entries,
                           delegates, a rule's parties */
    struct list except; /* a rule */
    struct condition *conditions, *last_condition;
    struct item under; /* text.n 0: none */
    struct span span;
    unsigned officers, within_hours; /* hold */
    uint64_t limit_count;            /* accept */
    int64_t limit_us;
    enum transform transform; /* redact */
    struct list paths;
    struct item with;
    unsigned bits4, bits6;
    enum time_unit unit;
    size_t own_end; /* of its transform and conditions, before `to` */
};

struct draft {
    struct str text;
    const char *name;
    struct arena *arena; /* the draft's */
    struct err *e;
    struct token token; /* the one looked at */
    size_t end;         /* of the token before it */
    struct statement *first, *last;
    size_t name_count, rule_count, list_count, entry_count;
};

/* Reads d->text into statements. */
bool policy_parse_draft(struct draft *d) BASE_CHECKED;
/* Fills d->e: place, what was read, why it will not do, what was expected. Returns false. */
bool policy_fail(struct draft *d, const struct token *t, const char *why, const char *expected);
bool policy_fail_item(struct draft *d, const struct item *i, const char *why, const char *expected);

/* What parse.c and parse_rule.c share. */
#define EXPECT_WHO                                                                                 \
    "any, a nation's code, a community, an organisation, \"agency of\" or \"operator of\" a "      \
    "nation"
/* The token looked at cannot stand here. Returns false. */
bool policy_unexpected(struct draft *d, const char *expected);
void policy_look(struct draft *d);
void policy_consume(struct draft *d);
bool policy_at(const struct draft *d, enum word w);
bool policy_at_text(const struct draft *d, const char *text);
bool policy_at_name(const struct draft *d);
bool policy_expect_word(struct draft *d, enum word w, const char *expected);
/* Memory of the draft; NULL with d->e filled. */
void *policy_draft_take(struct draft *d, size_t bytes);
/* The token looked at as an item; goes on behind it. */
struct item policy_take_item(struct draft *d, enum word kind);
/* The same, at the end of `list`. */
bool policy_add(struct draft *d, struct list *list, enum word kind) BASE_CHECKED;
/* The same of an item that was taken before. */
bool policy_append(struct draft *d, struct list *list, struct item item) BASE_CHECKED;
/* One element, then as many as commas follow. */
typedef bool policy_element_fn(struct draft *d, struct list *list);
bool policy_list_of(struct draft *d, struct list *list, policy_element_fn *element) BASE_CHECKED;
bool policy_who_element(struct draft *d, struct list *list) BASE_CHECKED;
/* YYYY-MM-DD: the first instant of the day, or with `end` of the day after it. */
bool policy_read_date(struct draft *d, bool end, int64_t *out) BASE_CHECKED;
bool policy_date_us(struct str text, int64_t *out) BASE_CHECKED;
/* Either of both, for agreements and rules. */
bool policy_date_clause(struct draft *d, struct span *span) BASE_CHECKED;
bool policy_arrival_statement(struct draft *d, struct statement *s) BASE_CHECKED;
bool policy_release_statement(struct draft *d, struct statement *s) BASE_CHECKED;
bool policy_redact_statement(struct draft *d, struct statement *s) BASE_CHECKED;

/* Says at the call what those functions promise, so that compilers and analyzers know it too. */
#define policy_fail(...)       err_no(policy_fail(__VA_ARGS__))
#define policy_fail_item(...)  err_no(policy_fail_item(__VA_ARGS__))
#define policy_unexpected(...) err_no(policy_unexpected(__VA_ARGS__))

/* ---- sets --------------------------------------------------------------------------------- */

/* Bits 0 to n-1 in SET_WORDS(n) words. */
#define SET_WORDS(n)   (((n) + 63) / 64)
#define SET_WORDS_MOST SET_WORDS((size_t)LIMIT_POLICY_NAMES + 1)

static inline bool set_has(const uint64_t *set, size_t i)
{
    return set[i / 64] >> (i % 64) & 1;
}

static inline void set_add(uint64_t *set, size_t i)
{
    set[i / 64] |= (uint64_t)1 << (i % 64);
}

/* ---- the compiled policy ------------------------------------------------------------------- */

/* A slot stands for recipients that a rule cannot tell apart: slot 0 for the organisations of
 * nations that the policy does not name, then for each nation, sorted by code, one for its unnamed
 * organisations, followed by its named ones, sorted. This is also the order of an audience's parts.
 */
struct nation {
    size_t slot;      /* of its unnamed organisations; orgs[i] has slot + 1 + i */
    struct str *orgs; /* sorted */
    size_t org_count;
};

/* Of a path: a name, or an element of a list. */
struct path_step {
    struct str name; /* p NULL: an element … */
    size_t index;    /* … SIZE_MAX: every one */
};
struct path {
    const struct path_step *steps;
    size_t count;
};

/* A value that `where` compares with. */
struct operand {
    struct str text;
    bool is_number, is_time, is_true, is_false;
    double number;
    struct instant time;
};

struct operand policy_operand(const struct item *i);

/* One distinct condition; rules name it by its index. */
struct test {
    enum condition_kind kind;
    bool observables;     /* TYPE: any SCO */
    unsigned mask;        /* TLP, PAP */
    enum compare compare; /* CONFIDENCE, WHERE */
    int64_t number;       /* CONFIDENCE; OLDER, NEWER: microseconds */
    uint64_t lists;       /* LISTS */
    const uint64_t *set;  /* TYPE, LABEL: indexes into the policy's names; CREATOR, SOURCE: slots */
    const struct str *texts; /* CREATOR: identities; REFERENCED: types */
    size_t text_count;
    const struct path *path; /* WHERE */
    const struct operand *operands;
    size_t operand_count;
    const uint32_t *rules; /* REFERENCED: the rules that ask, as indexes into policy.rules */
    size_t rule_count;
};

struct policy_redaction {
    enum transform transform;
    struct policy_rule_ref rule;
    struct str own; /* transform and conditions, as written, on one line */
    const struct path *paths;
    size_t path_count;
    struct str with;
    unsigned bits4, bits6;
    enum time_unit unit;
};

struct rule {
    enum word verb;
    unsigned line;
    struct str text;
    const uint64_t *who;   /* slots */
    const uint32_t *tests; /* all must hold; ascending, so cheap ones first */
    size_t test_count;
    struct span span;              /* its own dates and its agreement's */
    const struct agreement *under; /* or NULL */
    unsigned officers, within_hours;
    uint64_t limit_count;
    int64_t limit_us;
    struct policy_redaction *redaction; /* redact */
};

struct names {
    struct str *v; /* sorted, each once */
    size_t count;
};

/* An entry of a policy's own warning list. */
struct list_entry {
    struct observable o;
    unsigned bit;
};

struct agreement {
    struct str name;
    unsigned line;
    struct span span;
    size_t uses; /* rules under it */
};

struct delegation {
    size_t who, owner; /* slots of named organisations */
    unsigned line;
};

struct policy {
    struct arena *arena;
    uint64_t number; /* no other policy of this process has it */
    struct names nation_codes;
    struct nation *nations;     /* one for each of nation_codes */
    size_t slot_count;          /* 1 + nations + organisations */
    uint64_t *operators;        /* slots */
    struct str *defaults;       /* of each slot: the sentence when no rule releases */
    struct names types, labels; /* that conditions ask for */
    /* In order of the text; rules holds the three parts one after the other. */
    struct rule *rules, *releases, *arrivals, *redacts;
    size_t rule_count, release_count, arrival_count, redact_count;
    struct test *tests; /* by kind, so that what costs comes last */
    size_t test_count;
    uint64_t *release_tests; /* those that rules other than arrivals ask */
    /* Slots that the same redact rules name have one class; class 0: none does. */
    uint32_t *redact_class;
    uint64_t *redact_sets; /* of each class: indexes into redacts */
    size_t redact_classes;
    int64_t *changes; /* sorted: where dates begin and cease to hold */
    size_t change_count;
    struct agreement *agreements;
    size_t agreement_count;
    struct delegation *delegations;
    size_t delegation_count;
    struct names own_lists; /* in order of the text: bit 16 and on */
    unsigned *own_list_lines;
    struct list_entry *domains, *addresses;
    size_t domain_count, address_count;
    uint64_t lists_asked; /* bits */
    unsigned asks;
};
#define POLICY_OWN_LIST 16 /* the bit of the first */

/* Makes *p, whose arena is set, of the draft; d->text lives in that arena. */
bool policy_compile(struct draft *d, struct policy *p) BASE_CHECKED;
/* Reports what can never decide, is not used or has lapsed. */
void policy_warn(const struct policy *p, const struct policy_check_options *o);

/* compile.c and compile_rule.c */
struct name; /* a declared name */
struct build {
    struct draft *d;
    struct policy *p;
    struct name *names;  /* sorted by text */
    size_t count, words; /* words of a set of slots */
    uint64_t *except;    /* scratch, one set of slots */
    uint32_t *buckets;   /* of distinct tests: index + 1, or 0 */
    size_t bucket_count;
    struct buf key; /* scratch */
};
void *policy_keep(struct build *b, size_t count, size_t bytes);    /* with the policy */
void *policy_scratch(struct build *b, size_t count, size_t bytes); /* with the draft */
bool policy_add_party(struct build *b, const struct item *i, uint64_t *set) BASE_CHECKED;
bool policy_add_parties(struct build *b, const struct statement *s, uint64_t *who) BASE_CHECKED;
bool policy_find_agreement(struct build *b, const struct item *i,
                           struct agreement **out) BASE_CHECKED;
bool policy_compile_rules(struct build *b) BASE_CHECKED;
/* Number of the line of each statement is asked in ascending order. */
struct line_counter {
    size_t pos;
    unsigned line;
};
unsigned policy_line_at(struct line_counter *c, struct str text, size_t at);
bool policy_compile_lists(struct build *b) BASE_CHECKED;

bool policy_list_find(const struct policy *p, struct str name, unsigned *bit) BASE_CHECKED;
uint64_t policy_lists_default(const struct policy *p);

/* Index of `name`, or SIZE_MAX. */
size_t policy_names_find(const struct names *names, struct str name);
int policy_by_str(const void *a, const void *b);
bool policy_party_valid(const struct policy_party *party);
/* The slot that stands for a valid party. */
size_t policy_slot_of(const struct policy *p, const struct policy_party *party);
bool policy_span_has(const struct span *s, int64_t now_us);
/* Does the rule hold at now_us (0: unknown)? */
bool policy_rule_active(const struct rule *r, int64_t now_us);

/* ---- paths ---- */

/* Reads `$.a.b[*].c[0]` into `arena`. ERR_SYNTAX with a reason. */
bool policy_path_read(struct arena *arena, struct str text, struct path *out,
                      struct err *e) BASE_CHECKED;
/* Calls `each` for every value at the path, for each element where that is a list; ends when it
 * returns true, and returns that. */
typedef bool policy_path_fn(void *ctx, const struct json *v);
bool policy_path_any(const struct path *path, const struct json *object, policy_path_fn *each,
                     void *ctx);

/* ---- deciding ----------------------------------------------------------------------------- */

/* Whether each test that releases and redactions ask holds for an object, as bits. */
void policy_tests_run(const struct policy *p, const struct policy_facts *f, uint64_t *bits);
/* The strictness that rules and floors see: an unmarked object is amber. */
enum stix_tlp policy_effective(enum stix_tlp tlp);

/* One decision over slots: facts, the tests' bits, and the colour that is asked about. */
struct walk {
    const struct policy *p;
    const struct policy_facts *f;
    const uint64_t *bits;
    enum stix_tlp tlp;
};
/* Sets rules[s] to the first rule that decides for slot s of `open`, whose bits it takes out; the
 * others are left. */
void policy_walk(const struct walk *w, uint64_t *open, const struct rule **rules);
/* What the floors leave of what `r` (NULL: no rule) says to an organisation of `nation`; an empty
 * nation stands for all that neither policy nor facts name. *why, where not NULL and a floor
 * decided, is its sentence; else it is not touched. */
enum policy_verdict policy_floor(const struct walk *w, const struct rule *r, struct str nation,
                                 struct str *why);
bool policy_rule_holds(const struct walk *w, const struct rule *r);
/* The first of some rules that names the slot and holds, or NULL. Needs no memory. */
struct rule_list {
    const struct policy *p;
    const struct rule *rules;
    size_t count;
};
const struct rule *policy_first(const struct rule_list *l, const struct policy_facts *f,
                                size_t slot);
bool policy_same_party(const struct policy_party *a, const struct policy_party *b);

/* ---- audiences ---- */

/* What recipients the decision can tell apart: a slot of the policy, or a party or nation of the
 * facts that it does not name. In the order of an audience's parts: everyone else first, a nation
 * before its organisations. */
struct cell {
    struct str nation, org; /* nation empty: everyone else; org empty: the rest of the nation */
    size_t slot;
    uint32_t group; /* whose cell it is; what it means is the caller's */
};
/* Appends the audience of the cells of `group`. */
void policy_put_audience(const struct cell *cells, size_t count, uint32_t group, struct buf *out);

/* A canonical text read part by part. */
struct audience_reader {
    struct str rest; /* p NULL: at the end */
    struct str key;  /* of the part: *, NATION or NATION/org */
    bool on;         /* of the part */
    struct str previous, nation;
    bool star, nation_on; /* what the parts so far say of everyone, of the latest nation */
    bool bad;
};
void policy_audience_open(struct audience_reader *r, struct str text);
/* False at the end, or when the text is not canonical: r->bad. */
bool policy_audience_next(struct audience_reader *r);

/* ---- redacting ---- */

enum change { CHANGE_NONE, CHANGE_SET, CHANGE_DROP, CHANGE_FAILED /* no memory */ };
/* What a transform other than drop-reference and generalise makes of one value that is no list:
 * SET: *out stands in its place, in `arena`. DROP: it goes, also because this transform cannot read
 * it. `value` is NULL unless it is a string. */
enum change policy_transform_value(const struct policy_redaction *x, struct str key,
                                   const struct str *value, struct arena *arena, struct str *out);

/* Appends the pseudonym of `plain` under the key. */
void policy_pseudonym_put(struct str key, struct str plain, struct buf *out);

#endif
