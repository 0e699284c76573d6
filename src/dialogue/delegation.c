/* Which agencies were there, for which side: the agencies in the sentences that say of what a
 * delegation was made up. A name that two nations' agencies share is the one of the side it stands
 * with; a name that none has, or a misspelt one, is a finding. */
#include "dialogue/dialogue_priv.h"

const struct entry *agency_of(const struct reading *r, const struct phrase *p, struct str side)
{
    const struct entry *only = NULL, *any = NULL;
    size_t sides = 0, all = 0;
    for (const struct phrase *q = p; q; q = lexicon_again(q)) {
        const struct entry *n = q->entry;
        if (side.n && str_eq(n->code, side))
            return n;
        if (side_known(r, n->code)) {
            sides += !only || !str_eq(only->code, n->code);
            only = n;
        }
        all += !any || !str_eq(any->code, n->code);
        any = n;
    }
    if (sides == 1)
        return only;
    return sides == 0 && all == 1 ? any : NULL;
}

/* ---- spelling ---- */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Edits between two texts, letters' case aside; more than `most` is `most` + 1. */
unsigned text_distance(struct str a, struct str b, unsigned most)
{
    unsigned row[129];
    if (a.n > 128 || b.n > 128 || a.n > b.n + most || b.n > a.n + most)
        return most + 1;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned corner = row[0], best = (unsigned)i;
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = a.p[i - 1], y = b.p[j - 1];
            x = x >= 'A' && x <= 'Z' ? (char)(x | 0x20) : x;
            y = y >= 'A' && y <= 'Z' ? (char)(y | 0x20) : y;
            unsigned up = row[j];
            row[j] = least(up + 1, row[j - 1] + 1, corner + (x != y));
            corner = up;
            best = row[j] < best ? row[j] : best;
        }
        if (best > most)
            return most + 1;
    }
    return row[b.n] > most ? most + 1 : row[b.n];
}

/* Words of the one that the other has not, in both directions; a word nearly the same is the same.
 */
static size_t words_apart(const struct text *t, size_t first, size_t end, const struct phrase *p)
{
    size_t missing = 0, extra = 0;
    for (size_t i = 0; i < p->count; i++) {
        bool there = false;
        for (size_t k = first; k < end; k++)
            there |=
                text_distance(t->words[k].norm, p->words[i].norm, p->words[i].norm.n > 5 ? 2 : 0) <=
                (p->words[i].norm.n > 5 ? 2u : 0u);
        missing += !there;
    }
    for (size_t k = first; k < end; k++) {
        bool there = false;
        for (size_t i = 0; i < p->count; i++)
            there |=
                text_distance(t->words[k].norm, p->words[i].norm, p->words[i].norm.n > 5 ? 2 : 0) <=
                (p->words[i].norm.n > 5 ? 2u : 0u);
        extra += !there;
    }
    return missing + extra;
}

/* The agency of a side whose name is nearest to these words, if one is near. */
static const struct phrase *nearest(const struct reading *r, size_t first, size_t end,
                                    struct str side)
{
    const struct phrase *best = NULL;
    size_t best_apart = SIZE_MAX, count = end - first;
    for (const struct phrase *p = lexicon_each(r->l, NULL); p; p = lexicon_each(r->l, p)) {
        if (p->entry->kind != WORD_AGENCY || p->count < 2 || p->flags & (FORM_SHORT | FORM_PART) ||
            (side.n ? !str_eq(p->entry->code, side) : !side_known(r, p->entry->code)))
            continue;
        size_t apart = words_apart(&r->text, first, end, p);
        size_t most = p->count >= 7 && count >= 5 ? 2 : (p->count >= 5 && count >= 4 ? 1 : 0);
        if (apart <= most && apart < best_apart) {
            best = p;
            best_apart = apart;
        }
    }
    return best;
}

/* ---- what is there ---- */

static void present_put(struct reading *r, struct str side, struct str id, struct str as,
                        size_t sentence)
{
    struct dialogue_draft *d = r->d;
    for (size_t i = 0; i < d->agency_count; i++)
        if (str_eq(d->agencies[i].side, side) && str_eq(d->agencies[i].id, id))
            return;
    if (d->agency_count < LIMIT_DIALOGUE_AGENCIES)
        d->agencies[d->agency_count++] = (struct present){side, id, as, sentence};
}

/* Is the agency's own side named further on? Then the list may stand before its marker. */
static bool side_later(const struct reading *r, size_t at, struct str code)
{
    struct str side;
    for (size_t i = at; i < sentence_of(r, at - 1)->end; i++)
        if (side_marker(r, i, &side) && str_eq(side, code))
            return true;
    return false;
}

static void agency_put(struct reading *r, const struct entry *n, size_t first, size_t end,
                       struct str side)
{
    size_t sentence = r->text.words[first].sentence;
    struct str as = text_span(r->a, &r->text, first, end);
    if (!side_known(r, n->code)) {
        reading_find(r, "agency-third", sentence,
                     "%.*s is an agency of %.*s, which is no side here", STR_FMT(as),
                     STR_FMT(lexicon_nation(r->l, n->code)));
        return;
    }
    if (side.n && !str_eq(side, n->code) && !side_later(r, end, n->code))
        reading_find(r, "agency-side", sentence,
                     "%.*s stands in %.*s's delegation, but is an agency of %.*s", STR_FMT(as),
                     STR_FMT(lexicon_nation(r->l, side)), STR_FMT(lexicon_nation(r->l, n->code)));
    present_put(r, n->code, n->name, as, sentence);
}

/* A short form in brackets behind the name should be that agency's. */
static void check_short(struct reading *r, const struct entry *n, size_t end)
{
    const struct sentence *s = sentence_of(r, end - 1);
    if (end >= s->end || !(r->text.words[end].gap & GAP_OPEN))
        return;
    size_t close = end + 1;
    while (close < s->end && !(r->text.words[close].gap & (GAP_CLOSE | GAP_COMMA | GAP_OPEN)))
        close++;
    const struct word *w = &r->text.words[end];
    const struct mark *other = mark_at(r, end, WORD_AGENCY);
    if (close - end > 2 || !w->caps)
        return;
    /* "(CERT-Australia)" is another agency; "(NCIIP)" is misspelt, and judged as such. */
    if (other && (other->phrase->flags & FORM_WRONG ||
                  (close - end > 1 && agency_of(r, other->phrase, n->code) != n)))
        return;
    struct str said = text_span(r->a, &r->text, end, close);
    for (const struct phrase *p = lexicon_each(r->l, NULL); p; p = lexicon_each(r->l, p)) {
        if (p->entry == n && !(p->flags & FORM_WRONG) && p->count == close - end &&
            lexicon_find(r->l, &r->text, end, close, WORD_AGENCY, 0) &&
            str_eq(p->words[0].norm, w->norm))
            return;
        if (p->entry == n && str_eq_nocase(p->form, said) && !(p->flags & FORM_WRONG))
            return;
    }
    reading_find(r, "agency-short-form", w->sentence,
                 "\"%.*s\" stands behind the name of %.*s, whose short form it is not",
                 STR_FMT(said), STR_FMT(n->name));
}

/* "National Security Council Secretariate": a capital behind the name that nearly makes another. */
static void check_tail(struct reading *r, const struct mark *m, const struct entry *n)
{
    size_t end = m->end;
    if (end >= sentence_of(r, m->first)->end || r->text.words[end].gap != GAP_BLANK ||
        !r->text.words[end].upper || mark_at(r, end, WORD_AGENCY) || mark_at(r, end, WORD_TITLE) ||
        mark_at(r, end, WORD_HONOR))
        return;
    const struct phrase *p = nearest(r, m->first, end + 1, n->code);
    if (p && p->count > m->phrase->count)
        reading_find(r, "agency-misspelt", r->text.words[end].sentence,
                     "\"%.*s\" is taken for %.*s, the %.*s",
                     STR_FMT(text_span(r->a, &r->text, m->first, end + 1)), STR_FMT(p->entry->name),
                     STR_FMT(p->form));
}

static void agency_take(struct reading *r, const struct mark *m, struct str side, struct str before)
{
    const struct entry *n = agency_of(r, m->phrase, side);
    size_t sentence = r->text.words[m->first].sentence;
    if (m->phrase->flags & FORM_PART)
        return;
    if (!n && before.n)
        n = agency_of(r, m->phrase, before);
    if (!n) {
        reading_find(r, "agency-ambiguous", sentence,
                     "\"%.*s\" may be an agency of several nations, and nothing tells of which",
                     STR_FMT(text_span(r->a, &r->text, m->first, m->end)));
        return;
    }
    if (m->phrase->flags & FORM_WRONG)
        reading_find(r, "agency-misspelt", sentence, "\"%.*s\" is taken for %.*s (%.*s)",
                     STR_FMT(text_span(r->a, &r->text, m->first, m->end)), STR_FMT(n->name),
                     STR_FMT(lexicon_nation(r->l, n->code)));
    check_tail(r, m, n);
    agency_put(r, n, m->first, m->end, side);
    check_short(r, n, m->end);
}

/* ---- names that match nothing ---- */

static bool organ_word(const struct reading *r, size_t at)
{
    return r->text.words[at].upper && mark_at(r, at, WORD_ORGAN) != NULL;
}

/* The capitals around an office's word that no mark covers: "Ministry of Cyber Affairs". */
static size_t unknown_end(const struct reading *r, size_t at, size_t end)
{
    size_t i = at;
    for (; i < end && i < at + 14; i++) {
        const struct word *w = &r->text.words[i];
        bool join = word_is(w, "of") || word_is(w, "and") || word_is(w, "for") || word_is(w, "the");
        if (i > at && w->gap & (GAP_HARD | GAP_QUOTE))
            break;
        if (i > at && w->gap & GAP_COMMA)
            break;
        if (mark_at(r, i, WORD_AGENCY) || (!w->upper && !join))
            break;
        if (word_is(w, "and") && i + 1 < end && organ_word(r, i + 1))
            break;
        if (word_is(w, "and") && i + 2 < end && word_is(&r->text.words[i + 1], "the"))
            break;
    }
    while (i > at && !r->text.words[i - 1].upper)
        i--;
    return i;
}

static bool skip_first(const struct reading *r, size_t at)
{
    const struct word *w = &r->text.words[at];
    const struct mark *people = mark_over(r, at, WORD_DEMONYM);
    return !w->upper || word_is(w, "the") || (people && !r->text.words[people->end].upper) ||
           mark_over(r, at, WORD_NATION) || mark_over(r, at, WORD_PEOPLE) ||
           mark_over(r, at, WORD_HONOR) || w->gap & GAP_BREAK;
}

/* The agency whose short form stands in brackets behind these words. */
static const struct entry *short_behind(const struct reading *r, size_t end, struct str side)
{
    const struct mark *m = end < sentence_of(r, end - 1)->end && r->text.words[end].gap & GAP_OPEN
                               ? mark_at(r, end, WORD_AGENCY)
                               : NULL;
    const struct entry *n = m ? agency_of(r, m->phrase, side) : NULL;
    return n && side_known(r, n->code) ? n : NULL;
}

static void unknown_take(struct reading *r, size_t first, size_t end, struct str side)
{
    size_t sentence = r->text.words[first].sentence;
    struct str as = text_span(r->a, &r->text, first, end);
    const struct entry *behind = short_behind(r, end, side);
    if (behind) {
        reading_find(r, "agency-misspelt", sentence,
                     "\"%.*s\" is not the name of %.*s, whose short form stands behind it",
                     STR_FMT(as), STR_FMT(behind->name));
        return;
    }
    const struct phrase *p = nearest(r, first, end, side);
    if (!p && side.n)
        p = nearest(r, first, end, STR_NONE);
    if (!p) {
        struct str whose = side.n ? lexicon_nation(r->l, side) : STR("either side");
        reading_find(r, "agency-unknown", sentence,
                     "\"%.*s\" is no agency that the lexicon knows of %.*s", STR_FMT(as),
                     STR_FMT(whose));
        return;
    }
    reading_find(r, "agency-misspelt", sentence, "\"%.*s\" is taken for %.*s, the %.*s",
                 STR_FMT(as), STR_FMT(p->entry->name), STR_FMT(p->form));
    agency_put(r, p->entry, first, end, side);
    check_short(r, p->entry, end);
}

/* Looks from `at` for a name that the lexicon lacks; returns the word behind it, or `at`. */
static size_t unknown_at(struct reading *r, size_t at, size_t end, struct str side)
{
    if (at + 1 >= end || mark_over(r, at, WORD_AGENCY) || skip_first(r, at) ||
        mark_over(r, at, WORD_TITLE))
        return at;
    size_t stop = unknown_end(r, at, end);
    bool organ = false, group = false;
    for (size_t i = at; i < stop; i++)
        organ |= organ_word(r, i), group |= mark_at(r, i, WORD_GROUP) && !organ_word(r, i);
    if (!organ || group || stop - at < 2 || mark_in(r, at, stop, WORD_EVENT) ||
        mark_in(r, at, stop, WORD_FORUM))
        return at;
    /* "... Bureau" behind a title is a part of somebody's office. */
    if (at > 1 && mark_last(r, at > 6 ? at - 6 : 0, at, WORD_TITLE))
        return stop;
    unknown_take(r, at, stop, side);
    return stop;
}

/* ---- lists: "the Ministries of Home Affairs, Defence and ..." ---- */

static size_t short_at(struct reading *r, size_t at, size_t end, struct str side)
{
    const struct phrase *p = lexicon_find(r->l, &r->text, at, end, WORD_AGENCY, FORM_SHORT);
    const struct entry *n = p ? agency_of(r, p, side) : NULL;
    if (!n || !side_known(r, n->code) || (side.n && !str_eq(n->code, side)))
        return 0;
    agency_put(r, n, at, at + p->count, side);
    return at + p->count;
}

static size_t list_forward(struct reading *r, size_t at, size_t end, struct str side)
{
    size_t i = at;
    while (i < end) {
        if (word_is(&r->text.words[i], "and") || word_is(&r->text.words[i], "the")) {
            i++;
            continue;
        }
        size_t next = short_at(r, i, end, side);
        if (!next)
            break;
        i = next;
    }
    return i;
}

/* "... from the external affairs, home and electronics and IT ministries". */
static void list_backward(struct reading *r, size_t from, size_t at, struct str side)
{
    for (size_t i = from; i < at;) {
        size_t next = mark_over(r, i, WORD_AGENCY) ? 0 : short_at(r, i, at, side);
        i = next ? next : i + 1;
    }
}

/* ---- sentences ---- */

static bool plural_head(const struct reading *r, size_t at)
{
    const struct word *w = &r->text.words[at];
    return (word_is(w, "ministry") || word_is(w, "department")) && str_ends(w->raw, STR("s"));
}

/* Does the sentence say who was there? */
static bool about_presence(const struct reading *r, const struct sentence *s)
{
    struct str side;
    bool marker = false, colon = false;
    for (size_t i = s->first; i < s->end; i++) {
        size_t end = side_marker(r, i, &side);
        marker |= end != 0 || mark_at(r, i, WORD_GROUP) != NULL;
        colon |= end && end < s->end && r->text.words[end].gap & GAP_COLON;
    }
    const struct mark *people = mark_in(r, s->first, s->end, WORD_PEOPLE);
    const struct mark *composed = mark_in(r, s->first, s->end, WORD_COMPOSED);
    const struct mark *talked = mark_in(r, s->first, s->end, WORD_TALKED);
    const struct mark *agency = mark_in(r, s->first, s->end, WORD_AGENCY);
    const struct word *first = &r->text.words[s->first];
    if (colon || (agency && (word_is(first, "host") || word_is(first, "attendee") ||
                             word_is(first, "participant") || word_is(first, "organizer"))))
        return true;
    if (people && agency && people->first < agency->end + 12 && (composed || marker))
        return !talked || talked->first > people->first || composed != NULL;
    if (!composed || !marker)
        return false;
    return !talked || composed->first <= talked->first || people;
}

/* The side of the agencies before the first marker: that marker's. */
static struct str first_side(const struct reading *r, const struct sentence *s)
{
    struct str side;
    for (size_t i = s->first; i < s->end; i++)
        if (side_marker(r, i, &side))
            return side;
    return STR_NONE;
}

/* A nation that stands for its delegation: "on the Japanese side", "India was represented". */
static size_t side_at(const struct reading *r, size_t at, struct str *side)
{
    struct str code;
    size_t end = side_marker(r, at, &code);
    const struct mark *m = end ? NULL : mark_at(r, at, WORD_NATION);
    if (m && m->end < r->text.count &&
        (mark_at(r, m->end, WORD_LEAD) || mark_at(r, m->end, WORD_COMPOSED)) &&
        !(r->text.words[m->end].gap & GAP_HARD)) {
        code = m->phrase->entry->code;
        end = m->end;
    }
    if (!end || !side_known(r, code))
        return 0;
    *side = code;
    return end;
}

/* Words that describe a head: an agency there is that person's office. The word behind them, or 0.
 */
static size_t office_end(const struct reading *r, size_t at)
{
    for (size_t i = 0; i < r->d->head_count; i++)
        if (at >= r->d->heads[i].from && at < r->d->heads[i].to)
            return r->d->heads[i].to;
    return 0;
}

static struct str next_side(const struct reading *r, size_t at, size_t end, struct str now)
{
    struct str side;
    for (size_t i = at; i < end; i++)
        if (side_marker(r, i, &side) && side_known(r, side))
            return side;
    return now;
}

/* "MOFA and NISC on the Japanese side, and the FCDO on the UK side": markers behind their lists. */
static bool markers_behind(const struct reading *r, const struct sentence *s, size_t from)
{
    size_t first = SIZE_MAX, last = 0, count = 0;
    struct str side;
    for (size_t i = from; i < s->end; i++) {
        size_t end = side_marker(r, i, &side);
        if (!end || !side_known(r, side))
            continue;
        first = first == SIZE_MAX ? i : first;
        last = end;
        count++;
        i = end - 1;
    }
    return count >= 2 && mark_in(r, from, first, WORD_AGENCY) &&
           !mark_in(r, last, s->end, WORD_AGENCY);
}

/* `*before`: the side that the sentence before went on with, for a name that several nations have.
 */
static void sentence_take(struct reading *r, const struct sentence *s, struct str *before)
{
    struct str now = first_side(r, s);
    size_t from = s->first;
    bool behind = markers_behind(r, s, from);
    if (now.n && !side_known(r, now))
        now = STR_NONE;
    for (size_t i = from; i < s->end;) {
        size_t end = side_at(r, i, &now), stop;
        const struct mark *m = mark_at(r, i, WORD_AGENCY);
        if (end) {
            i = from = end;
            if (behind)
                now = next_side(r, end, s->end, now);
        } else if (office_end(r, i)) {
            i = from = office_end(r, i);
        } else if (plural_head(r, i) && i + 1 < s->end && word_is(&r->text.words[i + 1], "of")) {
            i = list_forward(r, i + 2, s->end, now);
        } else if (m) {
            if (plural_head(r, m->end - 1))
                list_backward(r, from, m->first, now);
            agency_take(r, m, now, *before);
            i = m->end;
        } else {
            if (plural_head(r, i))
                list_backward(r, from, i, now);
            stop = unknown_at(r, i, s->end, now);
            i = stop > i ? stop : i + 1;
        }
    }
    *before = now.n ? now : *before;
}

void reading_agencies(struct reading *r)
{
    struct str before = STR_NONE;
    size_t last = NO_SENTENCE;
    for (size_t i = 0; i < r->text.sentence_count; i++) {
        const struct sentence *s = &r->text.sentences[i];
        if (!about_presence(r, s) || !word_current(r, s->end - 1))
            continue;
        if (last == NO_SENTENCE || i - last > 1)
            before = STR_NONE;
        sentence_take(r, s, &before);
        last = i;
    }
    for (size_t i = 0; i < r->d->head_count; i++) /* whoever led was there, and so was the office */
        if (r->d->heads[i].side.n && r->d->heads[i].organisation.n)
            present_put(r, r->d->heads[i].side, r->d->heads[i].organisation, r->d->heads[i].office,
                        r->d->heads[i].sentence);
}
