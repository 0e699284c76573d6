/* Where the text names the round: "the fourth India-Japan Cyber Dialogue", "their sixth edition".
 * From these come the sides, the series and the ordinal. */
#include "dialogue/dialogue_priv.h"

#define WALK 18 /* words before an event that may belong to its name */

static bool at_nation(const struct reading *r, size_t at, struct str *code, size_t *end)
{
    const struct mark *m = mark_at(r, at, WORD_NATION);
    if (!m)
        m = mark_at(r, at, WORD_DEMONYM);
    if (!m)
        return false;
    *code = m->phrase->entry->code;
    *end = m->end;
    return true;
}

static void side_add(struct str *sides, size_t *count, struct str code)
{
    for (size_t i = 0; i < *count; i++)
        if (str_eq(sides[i], code))
            return;
    if (*count < LIMIT_DIALOGUE_SIDES)
        sides[(*count)++] = code;
}

/* ---- one mention ---- */

/* Is the word part of a name such as "India-Japan Bilateral Cyber Policy"? */
static bool belongs(const struct reading *r, size_t at)
{
    static const enum word_kind kinds[] = {WORD_FIELD,   WORD_FILLER,  WORD_NATION, WORD_DEMONYM,
                                           WORD_ORDINAL, WORD_EDITION, WORD_EVENT};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (mark_over(r, at, kinds[i]))
            return true;
    return r->text.words[at].digits && r->text.words[at].raw.n == 4; /* "the 2015 Dialogue" */
}

static size_t walk_back(const struct reading *r, size_t event)
{
    size_t first = event;
    while (first > sentence_of(r, event)->first && event - first < WALK) {
        unsigned gap = r->text.words[first].gap;
        if (gap & (GAP_COLON | GAP_QUOTE | GAP_BREAK) || (gap & GAP_COMMA && first < event) ||
            !belongs(r, first - 1))
            break;
        first--;
    }
    return first;
}

/* "Dialogue on cyber security", "Consultations on Cyberspace". */
static size_t field_behind(const struct reading *r, size_t end)
{
    if (end + 1 >= r->text.count || r->text.words[end].gap & GAP_HARD)
        return 0;
    if (!word_is(&r->text.words[end], "on") && !word_is(&r->text.words[end], "for"))
        return 0;
    const struct mark *m = mark_in(r, end + 1, end + 4, WORD_FIELD);
    return m && m->end <= sentence_of(r, end)->end ? m->end : 0;
}

/* "between India and the United Kingdom", "with Japan and China". */
static void sides_behind(const struct reading *r, struct mention *m)
{
    size_t end = sentence_of(r, m->first)->end, at = m->end, nation_end;
    struct str code;
    if (at >= end ||
        (!word_is(&r->text.words[at], "between") && !word_is(&r->text.words[at], "with") &&
         !word_is(&r->text.words[at], "among")))
        return;
    for (size_t i = at + 1; i < end && i < at + 14; i++) {
        if (at_nation(r, i, &code, &nation_end)) {
            side_add(m->sides, &m->side_count, code);
            i = nation_end - 1;
        } else if (!word_is(&r->text.words[i], "and") && !word_is(&r->text.words[i], "the") &&
                   !word_is(&r->text.words[i], "government") && !word_is(&r->text.words[i], "of")) {
            break;
        }
    }
}

/* What stands in the words of the mention. */
static void mention_fill(const struct reading *r, struct mention *m)
{
    size_t nation_end;
    struct str code;
    for (size_t i = m->first; i < m->event; i++) {
        const struct mark *o = mark_at(r, i, WORD_ORDINAL);
        if (o && !mark_over(r, i, WORD_TITLE)) {
            m->ordinal = o->phrase->entry->number;
            m->ordinal_at = i;
        }
        if (at_nation(r, i, &code, &nation_end)) {
            side_add(m->sides, &m->side_count, code);
            i = nation_end - 1;
        }
    }
    if (m->side_count < 2)
        sides_behind(r, m);
    m->proper = r->text.words[m->event].upper;
}

/* "fourth in the series", "the fifth edition", behind the event or alone. */
static void ordinal_behind(const struct reading *r, struct mention *m)
{
    size_t end = sentence_of(r, m->first)->end;
    for (size_t i = m->end; i < end && i < m->end + 6 && !m->ordinal; i++) {
        const struct mark *o = mark_at(r, i, WORD_ORDINAL);
        if (o && o->end + 2 < end && word_is(&r->text.words[o->end], "in") &&
            word_is(&r->text.words[o->end + 2], "sery")) {
            m->ordinal = o->phrase->entry->number;
            m->ordinal_at = i;
        }
    }
}

/* Finds the event whose name has its last word at `at`. */
static bool mention_at(const struct reading *r, size_t at, struct mention *m)
{
    const struct mark *event = mark_at(r, at, WORD_EVENT);
    if (!event || mark_over(r, at, WORD_FORUM))
        return false;
    *m = (struct mention){.event = at, .event_end = event->end, .end = event->end};
    m->first = walk_back(r, at);
    bool field = mark_in(r, m->first, event->end, WORD_FIELD) != NULL;
    size_t behind = field ? 0 : field_behind(r, event->end);
    if (!field && !behind)
        return false;
    if (behind)
        m->end = behind;
    /* "cyber talks and discussions": the later event has the name. */
    const struct mark *later = mark_in(r, event->end, event->end + 2, WORD_EVENT);
    if (later && later->first == event->end && !(r->text.words[later->first].gap & GAP_HARD))
        return false;
    mention_fill(r, m);
    ordinal_behind(r, m);
    return true;
}

/* "the sixth edition", "third round" without the event's name. */
static bool edition_at(const struct reading *r, size_t at, struct mention *m)
{
    const struct mark *o = mark_at(r, at, WORD_ORDINAL);
    if (!o || o->end >= sentence_of(r, at)->end || r->text.words[o->end].gap & GAP_HARD)
        return false;
    const struct mark *x = mark_at(r, o->end, WORD_EDITION);
    if (!x && word_is(&r->text.words[o->end], "such"))
        x = mark_at(r, o->end + 1, WORD_EDITION);
    if (!x) /* "the sixth Dialogue" */
        x = mark_at(r, o->end, WORD_EVENT);
    if (!x || (x->end < r->text.count && word_is(&r->text.words[x->end], "on")))
        return false;
    *m = (struct mention){.first = at,
                          .end = x->end,
                          .event = o->end,
                          .event_end = x->end,
                          .ordinal = o->phrase->entry->number,
                          .ordinal_at = at,
                          .edition = true};
    return true;
}

/* ---- roles ---- */

static size_t clause_from(const struct reading *r, const struct mention *m)
{
    size_t from = sentence_of(r, m->first)->first;
    for (size_t i = 0; i < r->mention_count; i++)
        if (&r->mentions[i] != m && r->mentions[i].end <= m->first && r->mentions[i].end > from)
            from = r->mentions[i].end;
    return from;
}

static size_t clause_to(const struct reading *r, const struct mention *m)
{
    size_t to = sentence_of(r, m->first)->end;
    for (size_t i = 0; i < r->mention_count; i++)
        if (r->mentions[i].first >= m->end && r->mentions[i].first < to)
            to = r->mentions[i].first;
    return to;
}

static enum role role_of(const struct reading *r, const struct mention *m)
{
    size_t from = clause_from(r, m), to = clause_to(r, m);
    const struct mark *next = mark_last(r, from, m->event, WORD_NEXT);
    const struct mark *previous = mark_last(r, from, m->first + 1, WORD_PREVIOUS);
    const struct mark *held = mark_last(r, from, m->first + 1, WORD_HELD);
    const struct mark *held_behind = mark_in(r, m->end, to, WORD_HELD);
    const struct mark *next_behind = mark_in(r, m->end, to, WORD_NEXT);
    if (next && (!held || held->first <= next->first))
        return ROLE_NEXT;
    if (previous && (!held || held->first <= previous->first))
        return ROLE_PREVIOUS;
    if (next_behind && next_behind->first < m->end + 12 &&
        (!held_behind || next_behind->first <= held_behind->first) && !held)
        return ROLE_NEXT;
    return ROLE_CURRENT;
}

static bool held_in_sentence(const struct reading *r, const struct mention *m)
{
    return mark_in(r, sentence_of(r, m->first)->first, sentence_of(r, m->first)->end, WORD_HELD);
}

/* A text that announces a round says only "will be held": then that is the round it is about. */
static bool announcement(struct reading *r)
{
    size_t first = SIZE_MAX;
    unsigned ordinal = 0;
    for (size_t i = 0; i < r->mention_count; i++) {
        struct mention *m = &r->mentions[i];
        const struct sentence *here = sentence_of(r, m->first);
        if (m->role == ROLE_CURRENT && held_in_sentence(r, m))
            return false;
        /* A whole sentence about the round before any of a coming one: no announcement. */
        if (m->role == ROLE_CURRENT && first == SIZE_MAX && here->end - here->first > 14)
            return false;
        if (m->role == ROLE_CURRENT && !ordinal)
            ordinal = m->ordinal;
        if (m->role == ROLE_NEXT && first == SIZE_MAX)
            first = i;
    }
    if (first == SIZE_MAX ||
        (ordinal && r->mentions[first].ordinal && r->mentions[first].ordinal != ordinal))
        return false;
    const struct sentence *s = sentence_of(r, r->mentions[first].first);
    if (s - r->text.sentences > 10) /* it stands at the end: a report that has no verb we know */
        return false;
    ordinal = r->mentions[first].ordinal;
    for (size_t i = first; i < r->mention_count; i++)
        if (r->mentions[i].role == ROLE_NEXT &&
            (r->mentions[i].ordinal == ordinal || !r->mentions[i].ordinal))
            r->mentions[i].role = ROLE_CURRENT;
    return true;
}

bool reading_mentions(struct reading *r, struct err *e)
{
    size_t room = 0, n = r->text.count;
    for (size_t i = 0; i < n; i++)
        room += mark_at(r, i, WORD_EVENT) != NULL || mark_at(r, i, WORD_ORDINAL) != NULL;
    r->mentions = arena_calloc(r->a, room + 1, sizeof *r->mentions);
    if (!r->mentions)
        return arena_ok(r->a, e);
    for (size_t i = 0; i < n; i++) {
        struct mention m;
        if (!mention_at(r, i, &m))
            continue;
        r->mentions[r->mention_count++] = m;
    }
    size_t named = r->mention_count;
    for (size_t i = 0; i < n && named; i++) {
        struct mention m;
        bool inside = false;
        if (!edition_at(r, i, &m))
            continue;
        for (size_t k = 0; k < named; k++)
            inside |= m.first >= r->mentions[k].first && m.first < r->mentions[k].end;
        if (!inside)
            r->mentions[r->mention_count++] = m;
    }
    for (size_t i = 0; i < r->mention_count; i++)
        r->mentions[i].role = role_of(r, &r->mentions[i]);
    return arena_ok(r->a, e);
}

bool word_current(const struct reading *r, size_t at)
{
    const struct mention *last = NULL;
    const struct sentence *s = sentence_of(r, at);
    const struct mark *next = mark_last(r, s->first, at, WORD_NEXT);
    const struct mark *previous = mark_last(r, s->first, at, WORD_PREVIOUS);
    const struct mark *held = mark_last(r, s->first, at + 1, WORD_HELD);
    for (size_t i = 0; i < r->mention_count; i++)
        if (r->mentions[i].first >= s->first && r->mentions[i].first <= at &&
            (!last || r->mentions[i].first >= last->first))
            last = &r->mentions[i];
    if (last && last->role != ROLE_CURRENT)
        return false;
    if (next && !r->d->announced && (!held || held->first <= next->first) &&
        (!last || last->first <= next->first))
        return false;
    return !previous || (held && held->first > previous->first) ||
           (last && last->first > previous->first);
}

bool sentence_current(const struct reading *r, size_t sentence)
{
    const struct sentence *s = &r->text.sentences[sentence];
    for (size_t i = 0; i < r->mention_count; i++)
        if (r->mentions[i].role == ROLE_CURRENT && r->mentions[i].first >= s->first &&
            r->mentions[i].first < s->end)
            return true;
    return false;
}

/* ---- sides ---- */

/* The nations that a range of words names, in order. */
static size_t nations_in(const struct reading *r, size_t from, size_t to, struct str *sides)
{
    size_t count = 0, end;
    struct str code;
    for (size_t i = from; i < to; i++)
        if (at_nation(r, i, &code, &end)) {
            side_add(sides, &count, code);
            i = end - 1;
        }
    return count;
}

static void sides_take(struct reading *r, const struct str *sides, size_t count, size_t word)
{
    memcpy(r->d->sides, sides, count * sizeof *sides);
    r->d->side_count = count;
    r->d->sides_at = r->text.words[word].sentence;
}

static bool trilateral(const struct reading *r, const struct sentence *s)
{
    for (size_t i = s->first; i < s->end; i++)
        if (word_is(&r->text.words[i], "trilateral") || word_is(&r->text.words[i], "quad"))
            return true;
    return false;
}

/* "India and Australia held their fifth bilateral cyber policy dialogue". */
static bool sides_of_sentence(struct reading *r, const struct mention *m)
{
    struct str sides[LIMIT_DIALOGUE_SIDES];
    const struct sentence *s = sentence_of(r, m->first);
    size_t count = nations_in(r, s->first, s->end, sides);
    if (count < 2)
        return false;
    if (count > 2 && !trilateral(r, s))
        count = 2;
    sides_take(r, sides, count, m->first);
    return true;
}

/* The nations that most sentences name, when the round's own sentences name fewer than two. */
static void sides_of_text(struct reading *r)
{
    struct str sides[LIMIT_DIALOGUE_SIDES], best[2];
    size_t count = 0;
    const struct mention *m = &r->mentions[0];
    size_t here = (size_t)(sentence_of(r, m->first) - r->text.sentences);
    size_t from = here > 0 ? here - 1 : 0;
    size_t to = here + 4 < r->text.sentence_count ? here + 4 : r->text.sentence_count;
    for (size_t i = from; i < to && count < 2; i++) {
        const struct sentence *s = &r->text.sentences[i];
        size_t n = nations_in(r, s->first, s->end, sides);
        for (size_t k = 0; k < n && count < 2; k++)
            side_add(best, &count, sides[k]);
    }
    if (count == 2)
        sides_take(r, best, 2, m->first);
}

void reading_sides(struct reading *r)
{
    for (int pass = 0; pass < 2; pass++) /* those of this round before those of others */
        for (size_t i = 0; i < r->mention_count; i++) {
            const struct mention *m = &r->mentions[i];
            if (m->side_count >= 2 && (pass || m->role == ROLE_CURRENT)) {
                sides_take(r, m->sides, m->side_count, m->first);
                return;
            }
        }
    for (size_t i = 0; i < r->mention_count; i++)
        if (!r->mentions[i].edition && sides_of_sentence(r, &r->mentions[i]))
            return;
    if (!r->mentions[0].edition)
        sides_of_text(r);
}

/* ---- the series ---- */

/* Is it of our sides, or of none? */
static bool mention_ours(const struct reading *r, const struct mention *m)
{
    for (size_t i = 0; i < m->side_count; i++)
        if (!side_known(r, m->sides[i]))
            return false;
    return true;
}

static bool dropped(const struct reading *r, size_t at)
{
    static const char *const words[] = {
        "bilateral", "trilateral", "annual",         "the",   "a", "an",
        "level",     "director",   "intersessional", "senior"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (word_is(&r->text.words[at], words[i]))
            return true;
    return mark_over(r, at, WORD_ORDINAL) || mark_over(r, at, WORD_NATION) ||
           mark_over(r, at, WORD_DEMONYM) || r->text.words[at].digits;
}

/* A word as it stands in a name: with a capital, unless it is a small one. */
static struct str in_name(const struct reading *r, const struct word *w)
{
    bool small = word_is(w, "on") || word_is(w, "and") || word_is(w, "of") || word_is(w, "for");
    char c = w->raw.p[0];
    if (small || c < 'a' || c > 'z')
        return w->raw;
    return arena_printf(r->a, "%c%.*s", c - 'a' + 'A', STR_FMT(str_from(w->raw, 1)));
}

/* Where the words of the event's name begin, behind nations, ordinal and "edition of the". */
static size_t name_from(const struct reading *r, const struct mention *m)
{
    size_t from = m->first;
    for (size_t i = m->first; i < m->event; i++)
        if (mark_over(r, i, WORD_NATION) || mark_over(r, i, WORD_DEMONYM) ||
            mark_over(r, i, WORD_ORDINAL) || mark_over(r, i, WORD_EDITION) ||
            word_is(&r->text.words[i], "of") || word_is(&r->text.words[i], "the"))
            from = i + 1;
    return from;
}

/* "India-Australia Cyber Policy Dialogue" from a mention. */
static struct str series_of(const struct reading *r, const struct mention *m)
{
    struct str name = STR_NONE;
    bool first = true;
    for (size_t i = 0; i < r->d->side_count; i++)
        name = arena_printf(r->a, "%.*s%s%.*s", STR_FMT(name), i ? "-" : "",
                            STR_FMT(lexicon_nation(r->l, r->d->sides[i])));
    for (size_t i = name_from(r, m); i < m->end; i++) {
        const struct word *w = &r->text.words[i];
        bool kept = word_is(w, "bilateral") && mark_at(r, i + 1, WORD_EVENT);
        if ((dropped(r, i) && !kept) || (first && (word_is(w, "and") || word_is(w, "on"))))
            continue;
        bool joined = !first && w->raw.p == w[-1].raw.p + w[-1].raw.n;
        name = arena_printf(r->a, "%.*s%s%.*s", STR_FMT(name), joined ? "" : " ",
                            STR_FMT(joined ? w->raw : in_name(r, w)));
        first = false;
    }
    return name;
}

static unsigned series_worth(const struct reading *r, const struct mention *m)
{
    if (m->edition || !mention_ours(r, m))
        return 0;
    bool dialogue = !word_is(&r->text.words[m->event], "talk") &&
                    !word_is(&r->text.words[m->event], "discussion") &&
                    !word_is(&r->text.words[m->event], "meeting");
    return 1 + 2 * (unsigned)dialogue + 4 * (unsigned)(m->side_count >= 2) +
           8 * (unsigned)m->proper + (unsigned)(m->role == ROLE_CURRENT);
}

void reading_series(struct reading *r)
{
    const struct mention *best = NULL;
    for (size_t i = 0; i < r->mention_count; i++)
        if (series_worth(r, &r->mentions[i]) > (best ? series_worth(r, best) : 0))
            best = &r->mentions[i];
    if (!best)
        return;
    r->d->series = r->d->series_named = series_of(r, best);
    r->d->series_at = r->text.words[best->first].sentence;
    if (r->reg)
        r->d->series = json_get_str(r->reg, STR("series"));
}

/* ---- the ordinal ---- */

static const struct mention *ordinal_mention(const struct reading *r, bool edition)
{
    for (size_t i = 0; i < r->mention_count; i++) {
        const struct mention *m = &r->mentions[i];
        if (m->ordinal && m->role == ROLE_CURRENT && m->edition == edition && mention_ours(r, m))
            return m;
    }
    return NULL;
}

void reading_ordinal(struct reading *r)
{
    r->d->announced = announcement(r);
    const struct mention *m = ordinal_mention(r, false);
    if (!m)
        m = ordinal_mention(r, true);
    if (!m)
        return;
    r->d->ordinal = m->ordinal;
    r->d->ordinal_at = r->text.words[m->ordinal_at].sentence;
    for (size_t i = 0; i < r->mention_count; i++) {
        const struct mention *o = &r->mentions[i];
        if (o->ordinal && o->ordinal != m->ordinal && o->role == ROLE_CURRENT && !o->edition &&
            mention_ours(r, o))
            reading_find(r, "ordinal-contradiction", r->text.words[o->ordinal_at].sentence,
                         "the round is called the %.*s and the %.*s",
                         STR_FMT(ordinal_word(r->a, m->ordinal)),
                         STR_FMT(ordinal_word(r->a, o->ordinal)));
    }
}
