/* The reader of statements from the inside: words, sentences, marks of the lexicon, the draft. All
 * of it lives in one arena of one reading; nothing is shared. */
#ifndef DIALOGUE_DIALOGUE_PRIV_H
#define DIALOGUE_DIALOGUE_PRIV_H

#include "dialogue/dialogue.h"
#include "json/json.h"

/* ---- data.c: files that the program carries ---- */

enum dialogue_data {
    DIALOGUE_WORDS,
    DIALOGUE_NATIONS,
    DIALOGUE_AGENCIES,
    DIALOGUE_INDIA_JAPAN,
    DIALOGUE_NORMS,
    DIALOGUE_CLOCKS,
    DIALOGUE_EXTENSIONS,
    DIALOGUE_COMMON, /* a schema, as are all that follow, in the order of DIALOGUE_TYPES */
    DIALOGUE_FIRST_TYPE
};
struct str dialogue_data(enum dialogue_data which);

/* ---- text.c: words and sentences ---- */

/* What stands between a word and the one before it. */
enum {
    GAP_BLANK = 1,
    GAP_COMMA = 2,
    GAP_HYPHEN = 4, /* without blanks */
    GAP_SLASH = 8,
    GAP_DASH = 16, /* a long one, or with blanks */
    GAP_OPEN = 32,
    GAP_CLOSE = 64,
    GAP_QUOTE = 128,
    GAP_COLON = 256, /* or semicolon */
    GAP_POINT = 512,
    GAP_LINE = 1024,
    GAP_BREAK = 2048 /* a sentence begins here */
};
#define GAP_HARD (GAP_OPEN | GAP_CLOSE | GAP_COLON | GAP_BREAK | GAP_DASH)

struct word {
    struct str raw;  /* as it stands, without a possessive's end */
    struct str norm; /* lower case, singular, spelt one way */
    unsigned gap;
    uint32_t sentence;
    bool upper;      /* begins with a capital */
    bool caps;       /* has two or more */
    bool possessive; /* 's */
    bool digits;     /* begins with a digit */
    uint32_t number; /* of its leading digits, at most 9 of them */
};

struct sentence {
    size_t first, end; /* words */
    struct str text;
};

struct lexicon;
struct text {
    struct str source;
    struct word *words;
    size_t count;
    struct sentence *sentences;
    size_t sentence_count;
};
/* Splits; `l` gives spellings and may be NULL. */
bool text_split(struct arena *a, const struct lexicon *l, struct str source, struct text *out,
                struct err *e) BASE_CHECKED;
/* The source from the first byte of word `first` to the last of `end` - 1, on one line. */
struct str text_span(struct arena *a, const struct text *t, size_t first, size_t end);
bool word_is(const struct word *w, const char *norm);

/* ---- words.c: the lexicon ---- */

#define WORD_KINDS(X)                                                                              \
    X(AGENCY, "agency")                                                                            \
    X(ASIDE, "aside")                                                                              \
    X(CITY, "city")                                                                                \
    X(CLAIM, "claim")                                                                              \
    X(COMPOSED, "composed")                                                                        \
    X(DEMONYM, "demonym")                                                                          \
    X(DEPLOYED, "deployed")                                                                        \
    X(EDITION, "edition")                                                                          \
    X(EVENT, "event")                                                                              \
    X(FIELD, "field")                                                                              \
    X(FILLER, "filler")                                                                            \
    X(FORUM, "forum")                                                                              \
    X(GENERATION, "generation")                                                                    \
    X(GROUP, "group")                                                                              \
    X(HELD, "held")                                                                                \
    X(HONOR, "honor")                                                                              \
    X(LEAD, "lead")                                                                                \
    X(MODE, "mode")                                                                                \
    X(MONTH, "month")                                                                              \
    X(NATION, "nation")                                                                            \
    X(NEXT, "next")                                                                                \
    X(NONAME, "noname")                                                                            \
    X(ORDINAL, "ordinal")                                                                          \
    X(ORGAN, "organ")                                                                              \
    X(PAGE, "page")                                                                                \
    X(PARTICLE, "particle")                                                                        \
    X(PEOPLE, "people")                                                                            \
    X(PLAIN, "plain")                                                                              \
    X(PREVIOUS, "previous")                                                                        \
    X(SAME, "same")                                                                                \
    X(TALKED, "talked")                                                                            \
    X(TITLE, "title")                                                                              \
    X(TOGETHER, "together")                                                                        \
    X(TOPIC, "topic")                                                                              \
    X(WEEKDAY, "weekday")

enum word_kind {
#define X(name, text) WORD_##name,
    WORD_KINDS(X)
#undef X
};
#define WORD_KIND_COUNT 35

struct entry {
    enum word_kind kind;
    struct str code;  /* first attribute: a nation, a number, a mode */
    struct str extra; /* second attribute */
    struct str name;  /* the first form as written */
    struct str from, until, then;
    unsigned number; /* of the first attribute where it is one */
};

/* Marks of a form. */
enum { FORM_PART = 1, FORM_SHORT = 2, FORM_WRONG = 4 };

struct phrase {
    const struct entry *entry;
    struct str form; /* as written in the lexicon */
    const struct word *words;
    size_t count;
    unsigned flags;
    bool cased;
    const struct phrase *next; /* of the same first word */
};

bool lexicon_load(struct arena *a, const struct lexicon **out, struct err *e) BASE_CHECKED;
struct str lexicon_same(const struct lexicon *l, struct str norm);
/* The longest form of `kind` (with a bit of `flags`, or with none where flags is 0) whose words
 * stand at `at`, before `end`; it has ->count of them. Others of the same words: lexicon_again. */
const struct phrase *lexicon_find(const struct lexicon *l, const struct text *t, size_t at,
                                  size_t end, enum word_kind kind, unsigned flags);
/* The next phrase of the same kind with the same words, or NULL. */
const struct phrase *lexicon_again(const struct phrase *p);
/* Each entry in turn: NULL begins, NULL ends. */
const struct phrase *lexicon_each(const struct lexicon *l, const struct phrase *p);
/* How a nation is called in a sentence; the code where the lexicon knows none. */
struct str lexicon_nation(const struct lexicon *l, struct str code);
bool lexicon_has(const struct lexicon *l, enum word_kind kind, struct str norm);

struct mark {
    const struct phrase *phrase;
    size_t first, end;
};

/* ---- the draft ---- */

#define NO_SENTENCE SIZE_MAX

struct day {
    int year, month, day;    /* 0: not said */
    int year2, month2, day2; /* the last day, or 0 */
    int weekday, weekday2;   /* 1 to 7, or 0: not said */
    size_t first, end;
    bool impossible; /* no such day */
    bool year_given; /* else it is from elsewhere */
};

enum role { ROLE_CURRENT, ROLE_NEXT, ROLE_PREVIOUS, ROLE_OTHER };

/* One place that names a round. */
struct mention {
    size_t first, end; /* words: the whole phrase */
    size_t event, event_end;
    unsigned ordinal; /* 0: none */
    size_t ordinal_at;
    enum role role;
    struct str sides[LIMIT_DIALOGUE_SIDES];
    size_t side_count;
    bool proper;  /* in capitals */
    bool edition; /* only "the sixth edition" */
};

struct head {
    struct str side, name, title, organisation;
    struct str office; /* the organisation as the text names it */
    bool side_inferred;
    bool excluded; /* the side is what the other head left */
    size_t sentence;
    size_t at;       /* word of the name */
    size_t from, to; /* the words that describe it */
};

struct present {
    struct str side, id, as;
    size_t sentence;
};

struct finding {
    const char *rule;
    struct str message, evidence;
};

struct dialogue_draft {
    bool found;
    bool announced; /* the text speaks of a round that is to come */
    struct str series, series_named;
    unsigned ordinal;
    struct day date;
    bool has_date, date_inferred;
    int weekday; /* 0: not stated */
    struct str mode, place, host, page_date;
    struct str sides[LIMIT_DIALOGUE_SIDES];
    size_t side_count;
    struct head heads[LIMIT_DIALOGUE_HEADS];
    size_t head_count;
    struct present agencies[LIMIT_DIALOGUE_AGENCIES];
    size_t agency_count;
    struct str topics[64], fora[48];
    size_t topic_at[64], forum_at[48];
    size_t topic_count, forum_count;
    struct {
        bool found;
        unsigned ordinal;
        int year;
        struct day date;
        bool has_date;
        struct str place;
        size_t sentence;
    } next;
    /* The sentences that fields came from. */
    size_t series_at, ordinal_at, date_at, weekday_at, mode_at, place_at, host_at, sides_at;
    struct finding findings[LIMIT_DIALOGUE_FINDINGS];
    size_t finding_count;
    const struct text *text;
};

struct reading {
    struct arena *a;
    const struct lexicon *l;
    struct text text;
    struct mark *marks; /* by first word, longest first */
    size_t mark_count;
    size_t *mark_of; /* by word: the first mark at it or behind it */
    struct day *days;
    size_t day_count;
    struct mention *mentions;
    size_t mention_count;
    struct dialogue_draft *d;
    const struct json *reg; /* the register of this series, or NULL */
};

/* ---- read.c ---- */
bool reading_mark(struct reading *r, struct err *e) BASE_CHECKED;
/* The mark of that kind that begins at word `at`, or NULL. */
const struct mark *mark_at(const struct reading *r, size_t at, enum word_kind kind);
/* The first mark of that kind in [from, to), or NULL; the last one. */
const struct mark *mark_in(const struct reading *r, size_t from, size_t to, enum word_kind kind);
const struct mark *mark_last(const struct reading *r, size_t from, size_t to, enum word_kind kind);
/* The mark of that kind that covers word `at`, or NULL. */
const struct mark *mark_over(const struct reading *r, size_t at, enum word_kind kind);
const struct sentence *sentence_of(const struct reading *r, size_t word);
struct str sentence_text(const struct reading *r, size_t sentence);
bool side_known(const struct reading *r, struct str code);
void reading_find(struct reading *r, const char *rule, size_t sentence, const char *fmt, ...)
    BASE_PRINTF(4, 5);
/* Like it, with evidence of the register's. */
void reading_find_other(struct reading *r, const char *rule, struct str evidence, const char *fmt,
                        ...) BASE_PRINTF(4, 5);

/* ---- date.c ---- */
bool reading_days(struct reading *r, struct err *e) BASE_CHECKED;
int day_weekday(int year, int month, int day); /* 1 to 7; 0: no such day */
const char *weekday_name(int weekday);
struct str day_text(struct arena *a, int year, int month, int day);
int64_t day_number(int year, int month, int day);
void day_of_number(int64_t number, int *year, int *month, int *day);

/* ---- round.c, when.c, next.c ---- */
bool reading_mentions(struct reading *r, struct err *e) BASE_CHECKED;
void reading_sides(struct reading *r);
void reading_series(struct reading *r);
void reading_ordinal(struct reading *r);
bool sentence_current(const struct reading *r, size_t sentence);
/* Does what stands at this word speak of the round itself, not of another? */
bool word_current(const struct reading *r, size_t at);
void reading_date(struct reading *r);
void reading_where(struct reading *r);
void reading_next(struct reading *r);

/* ---- head.c, delegation.c, topic.c ---- */
void reading_heads(struct reading *r);
void reading_agencies(struct reading *r);
void reading_topics(struct reading *r);
/* The agency meant at a mark, for that side: the nation's own; the only one that a side has; NULL.
 */
const struct entry *agency_of(const struct reading *r, const struct phrase *p, struct str side);
/* A marker such as "the Indian delegation" whose nation stands at word `at`: its end, or 0. */
size_t side_marker(const struct reading *r, size_t at, struct str *side);
unsigned text_distance(struct str a, struct str b, unsigned most);

/* ---- register.c, check.c ---- */
bool register_open(struct reading *r, struct json_reader *jr, struct err *e) BASE_CHECKED;
const struct json *register_round(const struct json *reg, unsigned ordinal);
/* A round's fact {"value", "sources"}: its value, or NULL. */
const struct json *register_fact(const struct json *round, const char *name);
/* "MOFA press release, 27 February 2019; ..." for a fact. */
struct str register_sources(const struct reading *r, const struct json *fact);
void reading_check(struct reading *r);
struct str ordinal_word(struct arena *a, unsigned n);

#endif
