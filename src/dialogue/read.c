/* The order of a reading: words, marks, dates, places that name a round, then field after field,
 * and at the end what contradicts itself or the register. */
#include <stdio.h>

#include "dialogue/dialogue_priv.h"

/* ---- marks ---- */

/* Kinds whose longer marks take what lies inside them away from others. */
static bool covers(enum word_kind by, enum word_kind what)
{
    switch ((int)by) {
    case WORD_PLAIN:
        return true;
    case WORD_AGENCY:
        return what == WORD_AGENCY || what == WORD_NATION || what == WORD_DEMONYM ||
               what == WORD_CITY || what == WORD_EVENT || what == WORD_FIELD ||
               what == WORD_TITLE || what == WORD_NEXT || what == WORD_FORUM ||
               what == WORD_TOPIC || what == WORD_MONTH;
    case WORD_FORUM:
        return what == WORD_EVENT || what == WORD_FIELD || what == WORD_FORUM ||
               what == WORD_NATION || what == WORD_DEMONYM;
    case WORD_NEXT:
        return what == WORD_HELD || what == WORD_NEXT || what == WORD_PREVIOUS;
    case WORD_PREVIOUS:
        return what == WORD_HELD || what == WORD_PREVIOUS;
    case WORD_TITLE:
        return what == WORD_TITLE || what == WORD_FIELD || what == WORD_LEAD ||
               what == WORD_ASIDE || what == WORD_AGENCY;
    case WORD_CITY:
        return what == WORD_NATION || what == WORD_CITY;
    case WORD_NATION:
        return what == WORD_NATION || what == WORD_DEMONYM;
    case WORD_EVENT:
    case WORD_FIELD:
    case WORD_HELD:
    case WORD_LEAD:
    case WORD_TOPIC:
    case WORD_GROUP:
        return what == by;
    default:
        return false;
    }
}

static bool covered(const struct reading *r, size_t kept, const struct mark *m)
{
    for (size_t i = kept; i > 0; i--) {
        const struct mark *o = &r->marks[i - 1];
        if (o->first + 16 < m->first)
            return false;
        if (o->first <= m->first && o->end >= m->end && o->end - o->first > m->end - m->first &&
            covers(o->phrase->entry->kind, m->phrase->entry->kind))
            return true;
    }
    return false;
}

static size_t marks_of(struct reading *r, size_t at, struct mark *out)
{
    size_t n = 0, end = sentence_of(r, at)->end;
    for (int k = 0; k < WORD_KIND_COUNT; k++) {
        const struct phrase *p = lexicon_find(r->l, &r->text, at, end, (enum word_kind)k, 0);
        if (!p)
            continue;
        size_t i = n++;
        for (; i > 0 && out[i - 1].end < at + p->count; i--)
            out[i] = out[i - 1];
        out[i] = (struct mark){p, at, at + p->count};
    }
    return n;
}

bool reading_mark(struct reading *r, struct err *e)
{
    size_t room = 0, n = r->text.count;
    r->mark_of = arena_calloc(r->a, n + 1, sizeof *r->mark_of);
    r->marks = NULL;
    struct mark here[WORD_KIND_COUNT];
    for (size_t pass = 0; pass < 2 && r->mark_of; pass++) {
        size_t kept = 0;
        if (pass) {
            r->marks = arena_calloc(r->a, room + 1, sizeof *r->marks);
            if (!r->marks)
                break;
        }
        for (size_t i = 0; i < n; i++) {
            size_t found = marks_of(r, i, here);
            r->mark_of[i] = kept;
            room += pass ? 0 : found;
            for (size_t k = 0; pass && k < found; k++) {
                r->marks[kept] = here[k];
                kept += !covered(r, kept, &here[k]);
            }
        }
        r->mark_of[n] = r->mark_count = kept;
    }
    return arena_ok(r->a, e);
}

const struct mark *mark_at(const struct reading *r, size_t at, enum word_kind kind)
{
    for (size_t i = r->mark_of[at]; i < r->mark_of[at + 1]; i++)
        if (r->marks[i].phrase->entry->kind == kind)
            return &r->marks[i];
    return NULL;
}

const struct mark *mark_in(const struct reading *r, size_t from, size_t to, enum word_kind kind)
{
    for (size_t i = from; i < to && i < r->text.count; i++) {
        const struct mark *m = mark_at(r, i, kind);
        if (m)
            return m;
    }
    return NULL;
}

const struct mark *mark_last(const struct reading *r, size_t from, size_t to, enum word_kind kind)
{
    for (size_t i = to; i > from; i--) {
        const struct mark *m = mark_at(r, i - 1, kind);
        if (m)
            return m;
    }
    return NULL;
}

const struct mark *mark_over(const struct reading *r, size_t at, enum word_kind kind)
{
    size_t first = sentence_of(r, at)->first;
    for (size_t back = 0; back < 12 && back <= at - first; back++) {
        const struct mark *m = mark_at(r, at - back, kind);
        if (m && m->end > at)
            return m;
    }
    return NULL;
}

const struct sentence *sentence_of(const struct reading *r, size_t word)
{
    return &r->text.sentences[r->text.words[word].sentence];
}

struct str sentence_text(const struct reading *r, size_t sentence)
{
    return sentence == NO_SENTENCE ? STR_NONE : r->text.sentences[sentence].text;
}

bool side_known(const struct reading *r, struct str code)
{
    for (size_t i = 0; i < r->d->side_count; i++)
        if (str_eq(r->d->sides[i], code))
            return true;
    return false;
}

/* ---- findings ---- */

static void finding_put(struct reading *r, const char *rule, struct str evidence, const char *fmt,
                        va_list ap)
{
    struct dialogue_draft *d = r->d;
    char text[800];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    struct str message = {text, n < (int)sizeof text ? (size_t)n : sizeof text - 1};
    for (size_t i = 0; i < d->finding_count; i++)
        if (strcmp(d->findings[i].rule, rule) == 0 && str_eq(d->findings[i].message, message))
            return;
    if (d->finding_count == LIMIT_DIALOGUE_FINDINGS)
        return;
    while (message.n && !utf8_valid(message)) /* cut within a character */
        message.n--;
    d->findings[d->finding_count++] =
        (struct finding){rule, arena_str(r->a, message), arena_str(r->a, evidence)};
}

void reading_find(struct reading *r, const char *rule, size_t sentence, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    finding_put(r, rule, sentence_text(r, sentence), fmt, ap);
    va_end(ap);
}

void reading_find_other(struct reading *r, const char *rule, struct str evidence, const char *fmt,
                        ...)
{
    va_list ap;
    va_start(ap, fmt);
    finding_put(r, rule, evidence, fmt, ap);
    va_end(ap);
}

/* ---- the whole ---- */

static bool fields(struct reading *r, struct json_reader *jr, struct err *e)
{
    struct dialogue_draft *d = r->d;
    if (r->mention_count)
        reading_sides(r);
    if (d->side_count < 2) {
        d->side_count = 0;
        reading_find(r, "no-dialogue", r->text.sentence_count ? 0 : NO_SENTENCE,
                     "the text names no cyber dialogue between two sides; nothing was drafted");
        return true;
    }
    d->found = true;
    if (!register_open(r, jr, e))
        return false;
    reading_series(r);
    reading_ordinal(r);
    reading_date(r);
    reading_where(r);
    reading_next(r);
    reading_heads(r);
    reading_agencies(r);
    reading_topics(r);
    reading_check(r);
    return true;
}

static struct dialogue_draft *draft_new(struct arena *a, const struct text *t)
{
    struct dialogue_draft *d = arena_calloc(a, 1, sizeof *d);
    if (!d)
        return NULL;
    d->series_at = d->ordinal_at = d->date_at = d->weekday_at = d->mode_at = NO_SENTENCE;
    d->place_at = d->host_at = d->sides_at = d->next.sentence = NO_SENTENCE;
    d->text = t;
    return d;
}

bool dialogue_read(struct arena *a, struct json_reader *jr, struct str text,
                   const struct dialogue_draft **out, struct err *e)
{
    struct reading *r = arena_calloc(a, 1, sizeof *r);
    if (text.n > LIMIT_DIALOGUE_TEXT_BYTES)
        return err_set(e, ERR_TOO_LARGE, "a statement of more than %u bytes is not read",
                       LIMIT_DIALOGUE_TEXT_BYTES);
    if (!utf8_valid(text))
        return err_set(e, ERR_INVALID, "the text is not UTF-8: convert it first");
    if (!r)
        return arena_ok(a, e) ? err_set(e, ERR_MEMORY, "no memory to read a statement") : false;
    r->a = a;
    if (!lexicon_load(a, &r->l, e) || !text_split(a, r->l, text, &r->text, e) ||
        !reading_mark(r, e) || !reading_days(r, e) || !reading_mentions(r, e))
        return false;
    r->d = draft_new(a, &r->text);
    if (!r->d)
        return arena_ok(a, e) ? err_set(e, ERR_MEMORY, "no memory for a draft") : false;
    if (!fields(r, jr, e))
        return false;
    *out = r->d;
    return arena_ok(a, e);
}

bool dialogue_draft_found(const struct dialogue_draft *d)
{
    return d->found;
}
