/* What the text says of the round that comes after: its ordinal, year, place. */
#include "dialogue/dialogue_priv.h"

static int year_said(const struct reading *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct word *w = &r->text.words[i];
        if (w->digits && w->raw.n == 4 && w->number >= 1990 && w->number < 2100)
            return (int)w->number;
        if (i + 1 < to && word_is(&r->text.words[i + 1], "year") && r->d->date.year) {
            if (word_is(w, "next") || word_is(w, "coming") || word_is(w, "following"))
                return r->d->date.year + 1;
            if (word_is(w, "this"))
                return r->d->date.year;
        }
    }
    return 0;
}

static const struct mention *next_mention(const struct reading *r, const struct sentence *s)
{
    const struct mention *any = NULL;
    for (size_t i = 0; i < r->mention_count; i++) {
        const struct mention *m = &r->mentions[i];
        if (m->role != ROLE_NEXT || m->first < s->first || m->first >= s->end)
            continue;
        if (!any || m->ordinal)
            any = m;
    }
    return any;
}

/* "the next round", "to meet again": a cue with an event's or an edition's word near it. */
static bool next_event(const struct reading *r, const struct mark *cue, const struct sentence *s)
{
    size_t to = cue->end + 8 < s->end ? cue->end + 8 : s->end;
    size_t from = cue->first > s->first + 8 ? cue->first - 8 : s->first;
    bool event = mark_in(r, from, to, WORD_EVENT) || mark_in(r, from, to, WORD_EDITION);
    for (size_t i = cue->first; i < to; i++)
        if (word_is(&r->text.words[i], "next") && (i + 1 < to) &&
            (mark_at(r, i + 1, WORD_EVENT) || mark_at(r, i + 1, WORD_EDITION)))
            return true;
    return event && (word_is(&r->text.words[cue->first], "agreed") ||
                     word_is(&r->text.words[cue->first], "will") ||
                     word_is(&r->text.words[cue->first], "would") ||
                     word_is(&r->text.words[cue->first], "next") ||
                     word_is(&r->text.words[cue->first], "decided") ||
                     word_is(&r->text.words[cue->first], "invited") ||
                     word_is(&r->text.words[cue->first], "to"));
}

static void next_place(struct reading *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct mark *m = mark_at(r, i, WORD_CITY);
        bool hosts = m && m->end + 1 < to && word_is(&r->text.words[m->end], "will") &&
                     word_is(&r->text.words[m->end + 1], "host");
        if (hosts ||
            (m && i > 0 &&
             (word_is(&r->text.words[i - 1], "in") || word_is(&r->text.words[i - 1], "at")))) {
            r->d->next.place = m->phrase->entry->name;
            return;
        }
    }
}

static void next_take(struct reading *r, const struct sentence *s, const struct mark *cue,
                      const struct mention *m)
{
    struct dialogue_draft *d = r->d;
    size_t from = m && m->first < cue->first ? m->first : cue->first;
    d->next.found = true;
    d->next.sentence = r->text.words[cue->first].sentence;
    d->next.ordinal = m ? m->ordinal : 0;
    d->next.year = year_said(r, from, s->end);
    next_place(r, from > s->first + 3 ? from - 3 : s->first, s->end);
    for (size_t i = 0; i < r->day_count; i++)
        if (r->days[i].first >= from && r->days[i].first < s->end && r->days[i].day) {
            d->next.date = r->days[i];
            d->next.has_date = r->days[i].year && !r->days[i].impossible;
            break;
        }
}

void reading_next(struct reading *r)
{
    int best = 0;
    for (size_t k = 0; k < r->text.sentence_count; k++) {
        const struct sentence *s = &r->text.sentences[k];
        const struct mark *cue = NULL;
        const struct mention *m = next_mention(r, s);
        for (size_t i = s->first; i < s->end && !cue; i++) {
            cue = mark_at(r, i, WORD_NEXT);
            if (cue && !m && !next_event(r, cue, s))
                cue = NULL;
            if (cue && r->d->announced && !m)
                cue = NULL;
        }
        if (!cue)
            continue;
        int worth = 1 + 4 * (int)(m != NULL) + 2 * (int)(m && m->ordinal);
        if (worth > best) {
            best = worth;
            next_take(r, s, cue, m);
        }
    }
}
