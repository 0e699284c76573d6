/* When, how and where: the date of the round among the dates of the text, its mode, its place and
 * who was host. */
#include "dialogue/dialogue_priv.h"

/* ---- what a sentence is about ---- */

static bool held_near(const struct reading *r, size_t at)
{
    const struct sentence *s = sentence_of(r, at);
    return mark_in(r, s->first, s->end, WORD_HELD) != NULL;
}

/* A line that is the page's and not the report's: its own date, where it was published. */
static bool page_line(const struct reading *r, size_t at)
{
    const struct sentence *s = sentence_of(r, at);
    size_t words = s->end - s->first;
    if (words <= 14 && mark_in(r, s->first, s->end, WORD_PAGE))
        return true;
    return words <= 12 && !held_near(r, at) && !sentence_current(r, r->text.words[at].sentence) &&
           !mark_in(r, s->first, s->end, WORD_EVENT);
}

/* "New Delhi, 14 September 2023:", "BRUSSELS, June 10 (Agency) -", at the head of a report. */
static bool date_line(const struct reading *r, const struct day *d)
{
    const struct sentence *s = sentence_of(r, d->first);
    size_t at = d->end;
    if (d->first - s->first > 6 || s - r->text.sentences > 3 ||
        mark_in(r, s->first, d->first, WORD_HELD))
        return false;
    if (at < s->end && r->text.words[at].gap & GAP_OPEN)
        while (at < s->end && at < d->end + 3 && !(r->text.words[at].gap & GAP_CLOSE))
            at++;
    return at < s->end && r->text.words[at].gap & (GAP_COLON | GAP_DASH) &&
           !(r->text.words[at].gap & GAP_BREAK);
}

static bool talks_here(const struct reading *r, size_t sentence)
{
    const struct sentence *s = &r->text.sentences[sentence];
    return mark_in(r, s->first, s->end, WORD_EVENT) != NULL ||
           mark_in(r, s->first, s->end, WORD_HELD) != NULL;
}

/* ---- the date ---- */

static int date_score(const struct reading *r, const struct day *d)
{
    size_t at = d->first, sentence = r->text.words[at].sentence;
    int score = 0;
    if (d->impossible)
        return -100;
    if (!word_current(r, at))
        return -100;
    if (page_line(r, at) || date_line(r, d))
        return -50;
    if (sentence_current(r, sentence))
        score += 8;
    if (held_near(r, at))
        score += 4;
    if (mark_in(r, sentence_of(r, at)->first, sentence_of(r, at)->end, WORD_EVENT))
        score += 3;
    if (sentence < 3)
        score += 2;
    if (d->day)
        score += 3;
    if (mark_in(r, sentence_of(r, at)->first, at, WORD_ASIDE))
        score -= 8;
    return score;
}

static const struct day *page_day(const struct reading *r)
{
    for (size_t i = 0; i < r->day_count; i++)
        if (r->days[i].day && r->days[i].year && !r->days[i].impossible &&
            (page_line(r, r->days[i].first) || date_line(r, &r->days[i])))
            return &r->days[i];
    return NULL;
}

/* The year of a date that gives none: the page's, or that of "the 2015 Cyber Dialogue". */
static int year_of(const struct reading *r, const struct day *d)
{
    const struct day *page = page_day(r);
    if (page) {
        int64_t there = day_number(page->year, d->month, d->day);
        return there > day_number(page->year, page->month, page->day) + 7 ? page->year - 1
                                                                          : page->year;
    }
    for (size_t i = 0; i < r->mention_count; i++)
        for (size_t k = r->mentions[i].first; k < r->mentions[i].event; k++)
            if (r->text.words[k].digits && r->text.words[k].raw.n == 4 &&
                r->text.words[k].number > 1990)
                return (int)r->text.words[k].number;
    return 0;
}

static void date_take(struct reading *r, const struct day *d)
{
    struct dialogue_draft *x = r->d;
    x->date = *d;
    x->date_at = r->text.words[d->first].sentence;
    if (!d->year) {
        x->date.year = year_of(r, d);
        x->date.year2 = d->day2 ? x->date.year : 0;
        if (x->date.year)
            reading_find(r, "date-inferred", x->date_at,
                         "the date of the round has no year; %d is that of %s", x->date.year,
                         page_day(r) ? "the report's own date" : "the dialogue's name");
    }
    x->has_date = x->date.day && x->date.year &&
                  day_number(x->date.year, x->date.month, x->date.day) != INT64_MIN;
    if (d->weekday) {
        x->weekday = d->weekday;
        x->weekday_at = x->date_at;
    }
}

/* "on Thursday" in a report that is dated itself. */
static void date_of_weekday(struct reading *r)
{
    struct dialogue_draft *x = r->d;
    const struct day *page = page_day(r);
    for (size_t i = 0; i < r->text.count; i++) {
        const struct mark *m = mark_at(r, i, WORD_WEEKDAY);
        if (!m || !word_current(r, i) || page_line(r, i) ||
            !talks_here(r, r->text.words[i].sentence) || r->text.words[i].sentence > 8)
            continue;
        x->weekday = (int)m->phrase->entry->number;
        x->weekday_at = r->text.words[i].sentence;
        break;
    }
    if (!x->weekday || !page || x->announced)
        return;
    int64_t n = day_number(page->year, page->month, page->day);
    int back = (day_weekday(page->year, page->month, page->day) - x->weekday + 7) % 7;
    x->date = (struct day){.weekday = x->weekday};
    day_of_number(n - back, &x->date.year, &x->date.month, &x->date.day);
    x->has_date = x->date_inferred = true;
    x->date_at = x->weekday_at;
    reading_find(r, "date-inferred", x->date_at,
                 "the text gives no date of the round, only a %s; %.*s is the last one up to the "
                 "report's own date, %.*s",
                 weekday_name(x->weekday),
                 STR_FMT(day_text(r->a, x->date.year, x->date.month, x->date.day)),
                 STR_FMT(day_text(r->a, page->year, page->month, page->day)));
}

/* Another date that the text gives the same round. */
static void date_contradiction(struct reading *r, const struct day *best)
{
    for (size_t i = 0; i < r->day_count; i++) {
        const struct day *d = &r->days[i];
        size_t sentence = r->text.words[d->first].sentence;
        if (d == best || !d->day || !best->day || date_score(r, d) < 14 ||
            !sentence_current(r, sentence))
            continue;
        bool year = d->year && best->year && d->year != best->year;
        bool day = d->month != best->month ||
                   (best->day2 ? d->day < best->day || d->day > best->day2 : d->day != best->day);
        if (year || day)
            reading_find(r, "date-contradiction", sentence,
                         "the text gives the round two dates: \"%.*s\" and \"%.*s\"",
                         STR_FMT(text_span(r->a, &r->text, best->first, best->end)),
                         STR_FMT(text_span(r->a, &r->text, d->first, d->end)));
    }
}

static void date_missing(struct reading *r, const struct day *best)
{
    size_t sentence = r->d->ordinal_at == NO_SENTENCE ? 0 : r->d->ordinal_at;
    if (best && best->day)
        reading_find(r, "date-missing", r->text.words[best->first].sentence,
                     "the text dates the round \"%.*s\" and gives no year",
                     STR_FMT(text_span(r->a, &r->text, best->first, best->end)));
    else if (best)
        reading_find(r, "date-missing", r->text.words[best->first].sentence,
                     "the text dates the round \"%.*s\" and gives no day",
                     STR_FMT(text_span(r->a, &r->text, best->first, best->end)));
    else if (r->d->page_date.n)
        reading_find(r, "date-missing", sentence,
                     "the text gives no day for the round; it is itself dated %.*s",
                     STR_FMT(r->d->page_date));
    else
        reading_find(r, "date-missing", sentence, "the text gives no day for the round");
}

void reading_date(struct reading *r)
{
    const struct day *best = NULL, *page = page_day(r);
    for (size_t i = 0; i < r->day_count; i++)
        if (date_score(r, &r->days[i]) >= 9 &&
            (!best || date_score(r, &r->days[i]) > date_score(r, best)))
            best = &r->days[i];
    if (page)
        r->d->page_date = day_text(r->a, page->year, page->month, page->day);
    if (best) {
        date_take(r, best);
        date_contradiction(r, best);
    }
    if (!best || (!r->d->weekday && !r->d->has_date))
        date_of_weekday(r);
    if (!r->d->has_date)
        date_missing(r, best);
}

/* ---- mode, place, host ---- */

static void mode_find(struct reading *r)
{
    struct dialogue_draft *d = r->d;
    for (size_t i = 0; i < r->text.count; i++) {
        const struct mark *m = mark_at(r, i, WORD_MODE);
        size_t sentence = r->text.words[i].sentence;
        if (!m || !talks_here(r, sentence) || !word_current(r, i) ||
            (sentence > 6 && !sentence_current(r, sentence)))
            continue;
        struct str mode = m->phrase->entry->code;
        bool person = str_eq(mode, STR("in-person"));
        if (d->mode.n && !str_eq(d->mode, person ? STR("in person") : mode) &&
            !str_eq(mode, STR("hybrid"))) {
            reading_find(r, "mode-contradiction", sentence, "the round is called %.*s and %.*s",
                         STR_FMT(d->mode), STR_FMT(person ? STR("in person") : mode));
            continue;
        }
        if (d->mode.n && !str_eq(mode, STR("hybrid")))
            continue;
        d->mode = person ? STR("in person") : mode;
        d->mode_at = sentence;
    }
}

static int place_score(const struct reading *r, const struct mark *city)
{
    size_t at = city->first, sentence = r->text.words[at].sentence;
    const struct sentence *s = &r->text.sentences[sentence];
    if (at == s->first || !word_current(r, at) || page_line(r, at))
        return 0;
    const struct word *before = &r->text.words[at - 1];
    if (!word_is(before, "in") && !word_is(before, "at") && !word_is(before, "here"))
        return 0;
    const struct mark *aside = mark_last(r, s->first, at, WORD_ASIDE);
    const struct mark *held = mark_last(r, s->first, at, WORD_HELD);
    if (aside && (!held || held->first < aside->first))
        return 0;
    if (mark_last(r, at > s->first + 3 ? at - 3 : s->first, at, WORD_AGENCY))
        return 0; /* "the delegation of the EU in ..." */
    return 1 + 8 * (int)sentence_current(r, sentence) +
           4 * (int)(mark_in(r, s->first, s->end, WORD_HELD) != NULL) +
           2 * (int)(mark_in(r, s->first, s->end, WORD_EVENT) != NULL) + (int)(sentence < 3) +
           2 * (int)(held && at - held->end < 6);
}

/* "held here": the city of the report's own date line. */
static void place_here(struct reading *r)
{
    const struct mark *line = NULL;
    for (size_t i = 0; i < r->text.sentence_count && i < 3 && !line; i++)
        line = mark_at(r, r->text.sentences[i].first, WORD_CITY);
    for (size_t i = 0; line && i < r->text.count; i++) {
        const struct word *w = &r->text.words[i];
        if (!word_is(w, "here") || !talks_here(r, w->sentence) || !word_current(r, i))
            continue;
        r->d->place = line->phrase->entry->name;
        r->d->place_at = w->sentence;
        reading_find(r, "place-inferred", w->sentence,
                     "\"here\" is taken for %.*s, where the report was written",
                     STR_FMT(r->d->place));
        return;
    }
}

static const struct entry *place_find(struct reading *r)
{
    const struct mark *best = NULL;
    int score = 6;
    for (size_t i = 0; i < r->text.count; i++) {
        const struct mark *m = mark_at(r, i, WORD_CITY);
        int worth = m ? place_score(r, m) : 0;
        if (worth > score) {
            best = m;
            score = worth;
        }
    }
    if (!best) {
        place_here(r);
        return NULL;
    }
    r->d->place = best->phrase->entry->name;
    r->d->place_at = r->text.words[best->first].sentence;
    return best->phrase->entry;
}

/* "India hosted", "hosted by Japan's Ambassador", "talks that India hosted". */
static void host_find(struct reading *r)
{
    for (size_t i = 0; i < r->text.count; i++) {
        const struct word *w = &r->text.words[i];
        const struct sentence *s = sentence_of(r, i);
        if ((!word_is(w, "hosted") && !word_is(w, "host")) || !word_current(r, i) ||
            !talks_here(r, w->sentence))
            continue;
        bool passive = i + 1 < s->end && word_is(&r->text.words[i + 1], "by");
        size_t from = passive ? i + 2 : (i > s->first + 4 ? i - 4 : s->first);
        size_t to = passive ? (i + 8 < s->end ? i + 8 : s->end) : i;
        const struct mark *m =
            passive ? mark_in(r, from, to, WORD_NATION) : mark_last(r, from, to, WORD_NATION);
        if (!m)
            m = passive ? mark_in(r, from, to, WORD_DEMONYM) : mark_last(r, from, to, WORD_DEMONYM);
        struct str code = m ? m->phrase->entry->code : STR_NONE;
        bool line = i == s->first && i + 1 < s->end && !m; /* "Host: Ministry of ..." */
        const struct mark *agency = passive && !m ? mark_in(r, from, to, WORD_AGENCY)
                                    : line        ? mark_at(r, i + 1, WORD_AGENCY)
                                                  : NULL;
        const struct entry *n = agency ? agency_of(r, agency->phrase, STR_NONE) : NULL;
        code = n ? n->code : code;
        if (!side_known(r, code))
            continue;
        r->d->host = code;
        r->d->host_at = w->sentence;
        return;
    }
}

/* A round in a side's city is hosted there. */
static void host_of_place(struct reading *r, const struct entry *city)
{
    if (r->d->host.n || !city || str_eq(r->d->mode, STR("virtual")))
        return;
    struct str code = side_known(r, city->code) ? city->code : city->extra;
    if (!side_known(r, code))
        return;
    r->d->host = code;
    r->d->host_at = r->d->place_at;
}

static const struct entry *city_named(const struct reading *r, struct str name)
{
    for (const struct phrase *p = lexicon_each(r->l, NULL); p; p = lexicon_each(r->l, p))
        if (p->entry->kind == WORD_CITY && str_eq(p->entry->name, name))
            return p->entry;
    return NULL;
}

void reading_where(struct reading *r)
{
    struct dialogue_draft *d = r->d;
    mode_find(r);
    const struct entry *city = place_find(r);
    host_find(r);
    if (!d->mode.n && d->place.n) {
        d->mode = STR("in person");
        d->mode_at = d->place_at;
    } else if (d->place.n && str_eq(d->mode, STR("virtual"))) {
        reading_find(r, "mode-contradiction", d->place_at,
                     "the round is called virtual, and said to have been held in %.*s",
                     STR_FMT(d->place));
    }
    host_of_place(r, city ? city : city_named(r, d->place));
}
