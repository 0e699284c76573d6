/*
 * What the files of this room share: the form of the tables in stix_types.c and the state of one
 * check. Nothing here is for others.
 */
#ifndef STIX_STIX_PRIV_H
#define STIX_STIX_PRIV_H

#include "stix/stix.h"

/* STR for static tables: a constant initialiser of struct str. */
#define STIX_LIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/* Four of TLP 1 and five of TLP 2.0. */
#define STIX_TLP_PUBLISHED 9
/* Bound of the arrays that hold the members of one object by their row (33 in a PE header). */
#define STIX_PROPS_MAX  40
#define STIX_COMMON_MAX 20

/* ---- tables ---- */

/* What a value must be; each kind has one function in stix_value.c (formats: stix_format.c). */
#define STIX_KINDS(X)                                                                              \
    X(ANY)                                                                                         \
    X(BINARY)                                                                                      \
    X(BOOLEAN)                                                                                     \
    X(CHARSET)                                                                                     \
    X(CONTENTS)                                                                                    \
    X(COUNTRY)                                                                                     \
    X(CPE)                                                                                         \
    X(CREATED)                                                                                     \
    X(DICTIONARY)                                                                                  \
    X(DOMAIN)                                                                                      \
    X(EMAIL)                                                                                       \
    X(ENUM)                                                                                        \
    X(EXTENSIONS)                                                                                  \
    X(FLOAT)                                                                                       \
    X(HASHES)                                                                                      \
    X(HEX)                                                                                         \
    X(HIVE)                                                                                        \
    X(INTEGER)                                                                                     \
    X(IPV4)                                                                                        \
    X(IPV6)                                                                                        \
    X(LANGUAGE)                                                                                    \
    X(LOWER)                                                                                       \
    X(MAC)                                                                                         \
    X(MIME)                                                                                        \
    X(OBJECT_ID)                                                                                   \
    X(OBSERVABLES)                                                                                 \
    X(REF)                                                                                         \
    X(RELATION)                                                                                    \
    X(SELECTOR)                                                                                    \
    X(SPEC_VERSION)                                                                                \
    X(STRING)                                                                                      \
    X(STRUCT)                                                                                      \
    X(TIMESTAMP)                                                                                   \
    X(TYPE)                                                                                        \
    X(URL)                                                                                         \
    X(VOCABULARY)

enum stix_kind {
#define X(k) STIX_##k,
    STIX_KINDS(X)
#undef X
};

/* Sets of types. */
enum {
    STIX_IN_SDO = 1,
    STIX_IN_SRO = 2,
    STIX_IN_SCO = 4,
    STIX_IN_EXTENSION_DEFINITION = 8,
    STIX_IN_LANGUAGE_CONTENT = 16,
    STIX_IN_MARKING_DEFINITION = 32,
    STIX_IN_BUNDLE_OBJECT = 64,
    STIX_IN_CUSTOM = 128,
    STIX_IN_OBSERVABLE = 256 /* an SCO inside the deprecated container of observed-data */
};

/* ADVISED: the form is a SHOULD, so a value without it is a warning. */
enum { STIX_REQUIRED = 1, STIX_LIST = 2, STIX_DEPRECATED = 4, STIX_ADVISED = 8 };

/* A vocabulary or enumeration (section 10); terms separated by blanks. */
struct stix_terms {
    const char *name, *clause, *words;
};

/* One property. */
struct stix_prop {
    struct str name;
    enum stix_kind kind;
    unsigned flags;
    const struct stix_terms *terms; /* ENUM, VOCABULARY */
    const struct stix_shape *shape; /* STRUCT */
    const char *to;                 /* REF: the types it may name, separated by blanks … */
    unsigned to_sets;               /* … or whole sets of them; neither: any object */
    const char *values;             /* DICTIONARY: kinds of value: string, integer, strings */
    double low, high;               /* INTEGER, FLOAT: bounds unless both are 0 */
    unsigned on, required_on;       /* common properties: sets of types that have it */
};

/* What several properties of one object must satisfy together. */
enum stix_rule_kind {
    STIX_RULE_NOT_BEFORE, /* time b is not before time a */
    STIX_RULE_AFTER,      /* time b is after time a */
    STIX_RULE_NEEDS,      /* with a there is b */
    STIX_RULE_EXCLUDES,   /* not both a and b */
    STIX_RULE_ANY_OF,     /* at least one of the names in a */
    STIX_RULE_SHOULD,     /* a should be there (a warning) */
    STIX_RULE_SOME,       /* at least one property besides those in a */
    STIX_RULE_TRUE_BARS,  /* where a is true there is no b */
    STIX_RULE_FALSE_BARS, /* where a is false there is no b */
    STIX_RULE_TRUE_NEEDS  /* where a is true there is b */
};
struct stix_rule {
    enum stix_rule_kind kind;
    const char *words; /* end of the rule's id */
    struct str a, b;
};

struct check;
/* The members of an object by row of the tables. */
struct stix_members {
    const struct stix_shape *shape;
    const struct json *own[STIX_PROPS_MAX];
    const struct json *common[STIX_COMMON_MAX];
};
/* What one kind of object needs beyond rows and rules; v is the object. */
typedef void stix_special_fn(struct check *c, const struct json *v);

/* An object type, a predefined extension or a type inside one. */
struct stix_shape {
    struct str name;
    const char *clause;
    unsigned set; /* 0: no common properties */
    unsigned prop_count, rule_count;
    const struct stix_prop *props; /* sorted by name */
    const struct stix_rule *rules;
    stix_special_fn *special;
    const char *identity;  /* SCO: ID contributing properties in the order of the text, or "" */
    const char *extension; /* predefined extension: the type that may carry it */
};

const struct stix_shape *stix_shape_of(struct str type);
const struct stix_shape *stix_shape_of_sco(struct str type);
const struct stix_shape *stix_shape_of_extension(struct str name);
/* By name in a sorted table, or NULL. */
const struct stix_shape *stix_shape_search(const struct stix_shape *table, size_t count,
                                           struct str name);
/* Index of the row, or count. */
size_t stix_prop_find(const struct stix_prop *props, size_t count, struct str name);
extern const struct stix_prop stix_common_props[];
extern const size_t stix_common_count;
/* The common properties by place in stix_common_props; the test checks that names agree. */
enum {
    STIX_COMMON_CREATED = 1,
    STIX_COMMON_EXTENSIONS = 4,
    STIX_COMMON_MODIFIED = 10,
    STIX_COMMON_OBJECT_MARKING_REFS = 11
};

extern const struct stix_terms stix_extension_type_enum;

/* Is `word` one of those in `list`, which blanks separate? */
bool stix_word_in(const char *list, struct str word);
enum stix_suggestion { STIX_SUGGESTED, STIX_NOT_SUGGESTED, STIX_OTHER_TARGET };
/* What the text says of a relationship between two types (appendix B, section 3.7). */
enum stix_suggestion stix_relation_suggested(struct str source, struct str relation,
                                             struct str target);

/* ---- one check ---- */

struct stix_step {
    const struct json *v; /* a member, unless … */
    int64_t index;        /* … this is not negative: the place in a list */
};

/* Where a name stands in the tables: feeds repeat the same names object after object. */
struct stix_memo {
    const struct stix_shape *shape;
    const char *key;
    uint32_t key_bytes;
    uint8_t own, common; /* rows; their counts when there is none */
    bool mentioned;      /* a name of no table: found good, and said once */
};
#define STIX_MEMO_BITS 9

struct check {
    const struct stix_check_options *o;
    stix_finding_fn *report;
    void *ctx;
    size_t errors, findings;   /* findings: of this object */
    bool alone;                /* the object is the whole document */
    const struct json *object; /* the object under check: root of paths and selectors */
    const struct stix_shape *shape;
    struct str id;
    unsigned set;                 /* of the object under check */
    bool toplevel_extension;      /* an extension announces properties that no table knows */
    const struct json *container; /* inside observed-data's `objects`: refs are its keys */
    size_t custom;                /* properties that no table knows */
    const struct json *custom_first;
    size_t unhashed; /* external references with a url and no hashes */
    const struct json *unhashed_first;
    bool unhashed_said; /* once a document */
    struct stix_memo memo[1 << STIX_MEMO_BITS];
    struct str good_refs[STIX_COMMON_MAX]; /* the last good one of each common property */
    const struct stix_members *members;    /* of the struct under check */
    struct buf path_text;
    struct stix_step path[LIMIT_JSON_DEPTH + 4];
    size_t depth;
    uint64_t steps;         /* towards LIMIT_STIX_STEPS */
    bool spent;             /* … which was passed and said so */
    struct arena *patterns; /* made at the first pattern */
    bool unjudged;          /* of the next finding */
    struct buf canonical;
    struct known *known; /* ids of the document, or NULL */
};

/* stix_check.c */
void stix_note(struct check *c, enum stix_severity severity, const char *clause, const char *words,
               const struct json *v, const char *fmt, ...) BASE_PRINTF(6, 7);
/* Counts steps; false once the document has cost too many: then what would cost more is left out.
 */
bool stix_spend(struct check *c, uint64_t steps, const struct json *v);
void stix_push(struct check *c, const struct json *member);
void stix_push_index(struct check *c, size_t index);
void stix_pop(struct check *c);
void stix_check_struct(struct check *c, const struct stix_shape *s, const struct json *v);
void stix_check_prop(struct check *c, const struct stix_prop *p, const struct json *v);
/* False when the name is an error. */
bool stix_check_name(struct check *c, const struct json *member);
/* What holds for the value of a property that no table knows (§2.1, §2.8, §2.12, §3.1). */
void stix_check_unknown_value(struct check *c, const struct json *member);
/* A property of the object whose special function runs. */
const struct json *stix_own(struct check *c, struct str name);
/* Checks one whole object; `nested` is false at the top. */
void stix_check_one(struct check *c, const struct json *v);
void stix_check_init(struct check *c, const struct stix_check_options *o, stix_finding_fn *report,
                     void *ctx);
void stix_check_done(struct check *c);

/* stix_value.c: the check of one kind of value */
typedef void stix_value_fn(struct check *c, const struct stix_prop *p, const struct json *v);
extern stix_value_fn *const stix_value_checks[];

/* stix_special.c */
stix_special_fn stix_special_indicator, stix_special_relationship, stix_special_marking,
    stix_special_extension_definition, stix_special_external_reference, stix_special_observed_data;
/* stix_selector_find that adds the steps it took. */
bool stix_selector_walk(const struct json *object, struct str selector, const struct json **out,
                        uint64_t *steps, struct err *e);
/* More than one colour on the object: a warning (§7.2). In stix_marking.c, as the special one. */
void stix_check_tlp_colours(struct check *c, const struct json *refs);
/* The deterministic id of an SCO (§2.9, §3.4). */
void stix_check_sco_id(struct check *c, const struct stix_shape *s, const struct json *v);

/* stix_document.c */
/* Notes a reference to an object that the document does not hold. */
void stix_known_ref(struct check *c, const struct json *ref);
/* True the first time that a document has `name` at that place of the tables (always outside of
 * one). */
bool stix_known_first(struct check *c, const struct stix_shape *place, struct str name);

/* ---- formats: pure tests of a text ---- */

bool stix_type_name_ok(struct str type);
bool stix_format_base64(struct str s);
bool stix_format_hex(struct str s, bool *upper);
bool stix_format_mac(struct str s);
bool stix_format_ipv4(struct str s); /* with CIDR suffix or without */
bool stix_format_ipv6(struct str s);
bool stix_format_domain(struct str s);
bool stix_format_email(struct str s);
bool stix_format_url(struct str s);
bool stix_format_mime(struct str s);
bool stix_format_charset(struct str s);
bool stix_format_cpe(struct str s);
bool stix_format_language(struct str s); /* RFC 5646 */
bool stix_format_cve(struct str s);
bool stix_format_capec(struct str s);
/* True too for an algorithm that the vocabulary does not name; `known` says which. */
bool stix_format_hash(struct str algorithm, struct str s, bool *known);
bool stix_format_lower_hyphen(struct str s);

static inline bool stix_is_hex(char c)
{
    return ((unsigned)(c - '0') < 10) | ((unsigned)((c | 0x20) - 'a') < 6);
}

static inline bool stix_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool stix_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static inline bool stix_is_alpha(char c)
{
    return stix_is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* Of object_marking_refs and labels, or NULL: the strictest PAP. */
enum stix_pap stix_pap_of(const struct json *markings, const struct json *labels);

#endif
