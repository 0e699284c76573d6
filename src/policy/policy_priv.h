/*
 * Inside the room: the words of the language, the draft that the parser leaves, the compiled policy
 * that decisions walk. text -> lex.c -> parse.c (struct draft) -> compile.c (struct policy) ->
 * decide.c and audience.c. A new word of the language is one line in POLICY_WORDS and the function
 * that reads it.
 */
#ifndef POLICY_POLICY_PRIV_H
#define POLICY_POLICY_PRIV_H

#include "policy/policy.h"

/* ---- words ------------------------------------------------------------------------------- */

/* None of these may be the name of an organisation or community. STATEMENT begins a statement, PART
 * stands inside one, LATER is of the language but cannot be used yet: always an error. */
#define POLICY_WORDS(X)                                                                            \
    X(NATION, "nation", STATEMENT)                                                                 \
    X(COMMUNITY, "community", STATEMENT)                                                           \
    X(ACCEPT, "accept", STATEMENT)                                                                 \
    X(REFUSE, "refuse", STATEMENT)                                                                 \
    X(RELEASE, "release", STATEMENT)                                                               \
    X(DENY, "deny", STATEMENT)                                                                     \
    X(AGENCY, "agency", PART)                                                                      \
    X(OPERATOR, "operator", PART)                                                                  \
    X(OF, "of", PART)                                                                              \
    X(ANY, "any", PART)                                                                            \
    X(FROM, "from", PART)                                                                          \
    X(TO, "to", PART)                                                                              \
    X(EXCEPT, "except", PART)                                                                      \
    X(TYPE, "type", PART)                                                                          \
    X(TYPES, "types", PART)                                                                        \
    X(LABEL, "label", PART)                                                                        \
    X(LABELS, "labels", PART)                                                                      \
    X(OBSERVABLES, "observables", PART)                                                            \
    X(AGREEMENT, "agreement", LATER)                                                               \
    X(QUARANTINE, "quarantine", LATER)                                                             \
    X(HOLD, "hold", LATER)                                                                         \
    X(REDACT, "redact", LATER)                                                                     \
    X(UNDER, "under", LATER)                                                                       \
    X(UNTIL, "until", LATER)                                                                       \
    X(LIMIT, "limit", LATER)                                                                       \
    X(UNLESS, "unless", LATER)                                                                     \
    X(WHERE, "where", LATER)                                                                       \
    X(IF, "if", LATER)                                                                             \
    X(FOR, "for", LATER)                                                                           \
    X(WITH, "with", LATER)                                                                         \
    X(OWNER, "owner", LATER)                                                                       \
    X(WARNINGLIST, "warninglist", LATER)                                                           \
    X(REFERENCED, "referenced", LATER)                                                             \
    X(SECTORS, "sectors", LATER)                                                                   \
    X(OFFICERS, "officers", LATER)

enum word {
    WORD_NONE,
#define X(word, text, role) WORD_##word,
    POLICY_WORDS(X)
#undef X
};

enum word_role { ROLE_NONE, ROLE_STATEMENT, ROLE_PART, ROLE_LATER };
enum word_role policy_word_role(enum word w);

/* ---- tokens ------------------------------------------------------------------------------- */

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_STRING,
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
};

struct list {
    struct item *first, *last;
    size_t count;
};

enum condition_kind { CONDITION_TLP, CONDITION_TYPE, CONDITION_LABEL };

struct condition {
    struct condition *next;
    enum condition_kind kind;
    struct list values; /* types, labels */
    unsigned tlp;       /* 1 << enum stix_tlp */
};

struct statement {
    struct statement *next;
    enum word verb;
    size_t at, end;
    struct item name;   /* nation, community */
    struct list who;    /* a nation's organisations, a community's nations, a rule's parties */
    struct list except; /* a rule */
    struct condition *conditions;
};

struct draft {
    struct str text;
    const char *name;
    struct arena *arena; /* the draft's */
    struct err *e;
    struct token token; /* the one looked at */
    size_t end;         /* of the token before it */
    struct statement *first, *last;
    size_t name_count, rule_count; /* names: nations, organisations, communities */
};

/* Reads d->text into statements. */
bool policy_parse_draft(struct draft *d) BASE_CHECKED;
/* Fills d->e: place, what was read, why it will not do, what was expected. Returns false. */
bool policy_fail(struct draft *d, const struct token *t, const char *why, const char *expected);
bool policy_fail_item(struct draft *d, const struct item *i, const char *why, const char *expected);

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

/* One condition of a rule; all must hold. */
struct test {
    enum condition_kind kind;
    bool observables;    /* TYPE: any SCO */
    unsigned tlp;        /* TLP: 1 << enum stix_tlp */
    const uint64_t *set; /* TYPE, LABEL: indexes into the policy's types, labels */
};

struct rule {
    enum word verb;
    unsigned line;
    struct str text;
    const uint64_t *who; /* slots */
    struct test *tests;
    size_t test_count;
};

struct names {
    struct str *v; /* sorted, each once */
    size_t count;
};

struct policy {
    struct arena *arena;
    struct names nation_codes;
    struct nation *nations;     /* one for each of nation_codes */
    size_t slot_count;          /* 1 + nations + organisations */
    uint64_t *operators;        /* slots */
    struct str *defaults;       /* of each slot: the sentence when no rule releases */
    struct names types, labels; /* that conditions ask for */
    struct rule *releases,
        *arrivals; /* release and deny; accept and refuse; in order of the text */
    size_t release_count, arrival_count;
};

/* Makes *p, whose arena is set, of the draft; d->text lives in that arena. */
bool policy_compile(struct draft *d, struct policy *p) BASE_CHECKED;
/* Reports rules that never decide. */
void policy_warn(const struct policy *p, policy_warning_fn *warn, void *ctx);

/* Index of `name`, or SIZE_MAX. */
size_t policy_names_find(const struct names *names, struct str name);
bool policy_party_valid(const struct policy_party *party);

/* ---- deciding ----------------------------------------------------------------------------- */

/* What rules ask of an object, looked up once. */
struct query {
    unsigned tlp; /* 1 << enum stix_tlp */
    size_t type;  /* index into the policy's types or SIZE_MAX */
    bool observable;
    uint64_t labels[SET_WORDS_MOST];
};
void policy_query(const struct policy *p, const struct policy_facts *f, struct query *q);
bool policy_rule_matches(const struct policy *p, const struct rule *r, const struct query *q);

/* True when the object stays with its submitter's organisation whatever the rules say; *why, when
 * not NULL, is then the sentence. */
bool policy_floor_withholds(const struct policy_facts *f, struct str *why);
/* True when no organisation of `nation` may have it, because it is a third one. */
bool policy_floor_third(const struct policy_facts *f, struct str nation);

#endif
