/*
 * The release language (docs/POLICY.md): reads policy.conf, decides about arrivals and releases,
 * says which rule decided, makes the redacted copies. A parsed policy is read-only and may be
 * shared between threads; a memo serves one thread. The room knows nothing of storage: facts go in,
 * a verdict comes out. Default is deny; every doubt is a deny.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/base.h"
#include "observable/observable.h"
#include "stix/stix.h"

struct policy;

/* ---- reading a policy -------------------------------------------------------------------- */

/* Parses the text of a policy. `name` stands in messages (policy.conf). ERR_SYNTAX names line,
 * column, what was read and what was expected; e->at is the offset. */
bool policy_parse(struct str text, const char *name, struct policy **out,
                  struct err *e) BASE_CHECKED;
void policy_free(struct policy *p);

/* The same, and `warn` hears of each rule that can never decide, of what is declared and not used,
 * and, as of `now_us` (0: not asked), of what has lapsed. A warning does not make parsing fail.
 * `message` is a sentence and valid only during the call. */
typedef void policy_warning_fn(void *ctx, unsigned line, struct str message);
struct policy_check_options {
    const char *name; /* as of policy_parse */
    int64_t now_us;
    policy_warning_fn *warn; /* or NULL */
    void *ctx;
};
bool policy_check(struct str text, const struct policy_check_options *o, struct policy **out,
                  struct err *e) BASE_CHECKED;

/* The names that the language, parties and audiences know: a nation is two capital letters (ISO
 * 3166-1 alpha-2), an organisation 1 to LIMIT_NAME_BYTES of a-z, 0-9, `.`, `_` and `-`, beginning
 * with a letter or digit. Whoever makes users or reads a nation from a setting checks with these.
 */
bool policy_nation_valid(struct str nation);
bool policy_org_valid(struct str org);

/* Appends the policy that `setu init` writes: releases at home, nothing abroad, with comments that
 * teach. An empty nation_name stands for the code. ERR_INVALID on names that would not parse. */
bool policy_default_text(struct str nation, struct str nation_name, struct str org, struct buf *out,
                         struct err *e) BASE_CHECKED;

/* ---- what rules may ask ------------------------------------------------------------------ */

/* An organisation of a nation, by the names that policy.conf and `setu user add` use (lower case
 * organisations, upper-case ISO 3166 nation codes). */
struct policy_party {
    struct str nation, org;
};

/* Has the object that is decided about been named by an object of this type? */
typedef bool policy_referenced_fn(void *ctx, struct str type);

/* What rules and floors may ask of an object. A field that the caller does not know is zero, and
 * zero never opens anything: an empty `home` or `source` is equal to no nation, STIX_TLP_NONE
 * counts as amber, without `now_us` dated rules that release do not hold and the other dated ones
 * do. All is borrowed during the call. */
struct policy_facts {
    struct str type;
    enum stix_tlp tlp; /* of the whole object: its object_marking_refs, else the default of the
                          collection. Granular markings stand in granular_tlps. */
    enum stix_pap pap;
    const struct json *labels;   /* array of strings or NULL */
    struct policy_party source;  /* who submitted it */
    struct policy_party creator; /* whom created_by_ref names here; empty when nobody known */
    struct str creator_identity; /* created_by_ref itself */
    struct str home;             /* the nation of this node */
    bool granular;               /* asked by policy_audience and policy_release_to only */
    unsigned granular_tlps;      /* 1 << enum stix_tlp of each TLP in granular_markings */
    const struct json *object;   /* for `confidence` and `where`; NULL: they do not hold */
    int64_t now_us;
    int64_t made_us; /* age is now - made: created or modified, else arrival; 0: no age holds */
    bool subscriber; /* holds subscriber identifiers: it crosses no border */
    bool local;      /* holds properties that their definition keeps with its submitter */
    bool owner;      /* arrivals: the sender may speak for its id (`unless owner`) */
    uint64_t lists;  /* warning lists that a value of it is on: bits of policy_lists_of */
    policy_referenced_fn *referenced; /* NULL: by none */
    void *referenced_ctx;
};

/* What the policy asks for, so that nobody looks it up in vain. */
enum {
    POLICY_ASKS_OWNER = 1,      /* facts.owner: some rule says `unless owner` */
    POLICY_ASKS_LISTS = 2,      /* facts.lists */
    POLICY_ASKS_REFERENCED = 4, /* facts.referenced */
    POLICY_REDACTS = 8,         /* there are redact rules */
    POLICY_DROPS_REFERENCES = 16,
    POLICY_ASKS_AGE = 32, /* an outcome may change without an edit, as objects age */
    POLICY_LIMITS = 64
};
unsigned policy_asks(const struct policy *p);

/* The first instant after `now_us` at which a date in the policy begins or ceases to hold;
 * INT64_MAX: never. */
int64_t policy_next_change_us(const struct policy *p, int64_t now_us);

/* Does a delegate statement let `who` revise and revoke what `owner` created? */
bool policy_delegate(const struct policy *p, const struct policy_party *who,
                     const struct policy_party *owner);

/* The warning lists, by bit, that a value is on: the built-in ones (bits 0 to 15) and the policy's
 * own (16 to 63). A URL or an e-mail address is on the lists of its host. */
uint64_t policy_lists_of(const struct policy *p, const struct observable *o);
/* The name of the list, or STR_NONE. Borrowed from the policy. */
struct str policy_list_name(const struct policy *p, unsigned bit);

/* For messages and the demo's story: calls `each` for every organisation that the policy names,
 * sorted by nation and name. */
typedef void policy_party_fn(void *ctx, const struct policy_party *party, bool operator_);
void policy_each_party(const struct policy *p, policy_party_fn *each, void *ctx);

/* The rule that decided; line 0 when none did. `text` is then a sentence for the floor or the
 * default, else the rule as written, on one line. Borrowed from the policy. */
struct policy_rule_ref {
    unsigned line;
    struct str text;
};

/* ---- arrivals ---------------------------------------------------------------------------- */

enum policy_arrival { POLICY_REFUSE, POLICY_ACCEPT, POLICY_QUARANTINE, POLICY_NO_RULE };

struct policy_arrival_answer {
    enum policy_arrival verdict;
    struct policy_rule_ref rule;
    uint64_t limit_count; /* ACCEPT: so many from one source organisation under this rule … */
    int64_t limit_us;     /* … within so long; 0: no limit */
};

/* May such an object come in from f->source? The first matching rule decides. POLICY_NO_RULE when
 * the policy holds no arrival rule at all; with rules but no match, what comes from f->home is
 * accepted and all else refused. */
void policy_arrive(const struct policy *p, const struct policy_facts *f,
                   struct policy_arrival_answer *out);

/* ---- releases ---------------------------------------------------------------------------- */

enum policy_verdict { POLICY_DENIED, POLICY_RELEASED, POLICY_HELD };

struct policy_redaction; /* one redact rule */

/* The redactions that a group is under. A group that some redact rule names has a view even when
 * the conditions of none hold for this object: its references must then lead to the copies that
 * this group has. */
struct policy_view {
    /* Names this kind of view: a hash of the redact rules (transform and conditions, in order, not
     * recipients) that hold at now_us and name these recipients, whatever the object, and of
     * drop_tlps and drop_local. Never zero. */
    unsigned char profile[16];
    unsigned drop_tlps;   /* granular markings of these colours go, with what they select */
    bool drop_references; /* references to what the recipients cannot have go */
    bool drop_local;      /* what policy_copy_options.local lists goes */
    /* The rules whose conditions hold for this object, in order, and how to name each. */
    const struct policy_redaction *const *steps;
    const struct policy_rule_ref *rules;
    size_t step_count;
};

/* How a group of recipients gets an object. */
#define POLICY_GROUP_LINES 16
struct policy_group {
    enum policy_verdict verdict;        /* RELEASED or HELD */
    struct str audience;                /* canonical, see below; not empty */
    struct policy_rule_ref rule;        /* one that decided for some of them */
    unsigned lines[POLICY_GROUP_LINES]; /* of all that did, ascending, as far as there is room */
    unsigned line_count;                /* of all, room or not */
    struct str lines_text; /* "5,7"; ",..." behind those there is room for; empty: one or none */
    unsigned officers;     /* HELD: so many approve … */
    unsigned within_hours; /* … within so long */
    bool by_name;          /* HELD, TLP:RED: each recipient is approved by name */
    const struct policy_view *view; /* NULL: as it is */
};

/* The groups of one outcome are disjoint, in a fixed order; who is in none is denied. Equal serials
 * of one memo, equal outcomes; and the other way round. */
struct policy_outcome {
    const struct policy_group *groups;
    size_t count;
    uint64_t serial;
};

/* Remembers outcomes by what the rules asked and were told, so that a policy of many rules costs
 * little more than one of few. Serves one thread and may serve several policies, which must outlive
 * what was decided with them. */
struct policy_memo;
struct policy_memo *policy_memo_new(void); /* NULL without memory */
void policy_memo_free(struct policy_memo *m);
/* Forgets all. Call it between batches when policy_memo_bytes has grown. */
void policy_memo_reset(struct policy_memo *m);
size_t policy_memo_bytes(const struct policy_memo *m);

/* Who gets such an object, and how: the one decision of the gate. First the floors that no rule
 * lifts (docs/POLICY.md), then for each recipient the first matching rule, else no. `also` (or
 * NULL) is another submitter, who reads it as it is whatever the rules say. The outcome lives in
 * the memo until policy_memo_reset or policy_memo_free. ERR_INVALID when `also` has no valid names,
 * ERR_LIMIT past LIMIT_POLICY_MEMO_BYTES. */
bool policy_decide(const struct policy *p, struct policy_memo *m, const struct policy_facts *f,
                   const struct policy_party *also, const struct policy_outcome **out,
                   struct err *e) BASE_CHECKED;

/* The same decision for one recipient, with the rule or floor that decided. */
struct policy_answer {
    enum policy_verdict verdict;
    struct policy_rule_ref rule;
    const struct policy_group *group; /* of policy_decide; NULL when denied */
};
struct policy_asked {
    const struct policy_facts *facts;
    const struct policy_party *also, *to;
};
bool policy_answer_for(const struct policy *p, struct policy_memo *m, const struct policy_asked *q,
                       struct policy_answer *out, struct err *e) BASE_CHECKED;

/* ---- redacted copies --------------------------------------------------------------------- */

enum policy_reference { POLICY_REFERENCE_KEPT, POLICY_REFERENCE_CHANGED, POLICY_REFERENCE_GONE };
/* Asked for each id that a *_ref or *_refs property holds (not object_marking_refs and
 * marking_ref, not the object's own id). CHANGED: *to, which lives in the arena of the copy or
 * longer, stands in its place. GONE: these recipients cannot have that object; the reference goes
 * where the view drops references, else it stays. */
typedef enum policy_reference policy_reference_fn(void *ctx, struct str id, struct str *to);

struct policy_copy_options {
    struct str key;     /* CRYPT_KEY_BYTES, secret of this node */
    struct str creator; /* identity id of the releasing organisation, or empty */
    /* Tells copies apart that one view would give one id though their references differ between
     * recipients; empty for most. */
    struct str variant;
    struct str modified;            /* of the copy; STR_NONE: the original's */
    const struct stix_local *local; /* where the view drops them */
    bool led_home; /* only references change, for readers at home: author and markings stay */
    policy_reference_fn *reference; /* NULL: all are kept */
    void *ctx;
    struct json_reader *reader; /* NULL: one is made for the call */
    struct arena *arena;        /* what is made lives here */
};

enum policy_copy_kind { POLICY_COPY_SAME, POLICY_COPY_MADE, POLICY_COPY_WITHHELD };
struct policy_copy {
    enum policy_copy_kind kind;
    struct str bytes, id; /* MADE */
    struct str why;       /* WITHHELD: a sentence */
};

/* Applies a view (NULL: only references are looked at) to `object`, parsed from `source`. SAME:
 * nothing changed, the original may go. MADE: bytes of an object of its own (STIX 2.1 §3.6). Of an
 * SDO or SRO: an id formatted as UUIDv4 from 122 bits of HMAC-SHA-256(key; original id, profile,
 * variant), the creator of the options (created_by_ref left out when empty), created, modified and
 * revoked as in the original. Of an SCO: the deterministic id of the contributing properties that
 * remain (the HMAC form if none do), no creator, no versions. Either carries policy_copy_marking_id
 * in object_marking_refs. Unchanged parts keep their bytes. WITHHELD: what would remain is no valid
 * STIX, or it cannot be told; these recipients do not get the object. False only without memory. */
bool policy_copy_make(const struct policy_view *v, const struct json *object, struct str source,
                      const struct policy_copy_options *o, struct policy_copy *out,
                      struct err *e) BASE_CHECKED;

/* The marking definition that says an object is a redacted copy (a statement, STIX 2.1 §7.2.1.3):
 * constant, so that every node has the same. */
struct str policy_copy_marking_id(void);
struct str policy_copy_marking_bytes(void);

/* Appends what `pseudonym` replaced. ERR_INVALID when it was not made under this key. */
bool policy_pseudonym_reveal(struct str key, struct str pseudonym, struct buf *out,
                             struct err *e) BASE_CHECKED;

/* ---- audiences --------------------------------------------------------------------------- */

/*
 * An audience: a set of organisations, also of those a policy does not name, in one canonical line.
 * Parts separated by blanks, sorted, each +X or -X with X one of `*` (everyone), `NATION`, or
 * `NATION/org`; the most specific part decides, nobody is the empty text. Only what differs from
 * the less specific part is written, so one set has one text.
 */
/* False for a text that is not canonical and for a party without valid names. */
bool policy_audience_has(struct str audience, const struct policy_party *who);
static inline bool policy_audience_empty(struct str audience)
{
    return audience.n == 0;
}
enum policy_set { POLICY_BOTH, POLICY_EITHER, POLICY_WITHOUT /* those of a that b has not */ };
/* Appends the audience of a combined with b. ERR_INVALID, and nothing appended, when one is not
 * canonical. `out` must hold neither a nor b. */
bool policy_audience_combine(struct str a, struct str b, enum policy_set how, struct buf *out,
                             struct err *e) BASE_CHECKED;

/* ---- before redactions and holds --------------------------------------------------------- */

/* What policy_decide releases as it is, for callers that know neither copies nor holds: who would
 * get a redacted copy, or has to wait for an approval, is denied; granular markings withhold the
 * object whole. */
enum policy_release { POLICY_DENY, POLICY_RELEASE };
/* `rule` may be NULL. */
enum policy_release policy_release_to(const struct policy *p, const struct policy_facts *f,
                                      const struct policy_party *to, struct policy_rule_ref *rule);
/* Appends the audience of such an object: exactly those to whom policy_release_to says release, and
 * `also` (the submitter) when not NULL. ERR_INVALID when `also` has no valid names. */
bool policy_audience(const struct policy *p, const struct policy_facts *f,
                     const struct policy_party *also, struct buf *out, struct err *e) BASE_CHECKED;
/* As policy_arrive, without its limit. */
enum policy_arrival policy_arrival_from(const struct policy *p, const struct policy_facts *f,
                                        struct str home_nation, struct policy_rule_ref *rule);

#endif
