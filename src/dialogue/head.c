/* Who led the two delegations: names, and what stands beside them. A side is taken from the words
 * of the sentence ("led the Indian delegation"); where these name none, from the office, and then
 * the draft says so. */
#include "dialogue/dialogue_priv.h"

#define PERSONS 16

/* A name in a sentence, with the words that describe it. */
struct person {
    size_t first, end;
    size_t from, to; /* the description: [from, first) and [end, to) */
    const struct mark *title;
    bool honored, title_before;
    struct str stated; /* the side that the sentence gives it */
};

struct scene {
    const struct sentence *s;
    struct person p[PERSONS];
    size_t count;
    bool together; /* co-chaired */
};

/* ---- names ---- */

static bool blocked(const struct reading *r, size_t at)
{
    static const enum word_kind kinds[] = {WORD_NATION, WORD_DEMONYM, WORD_CITY,    WORD_AGENCY,
                                           WORD_TITLE,  WORD_MONTH,   WORD_WEEKDAY, WORD_FORUM,
                                           WORD_FIELD,  WORD_NONAME,  WORD_PLAIN,   WORD_HONOR};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (mark_over(r, at, kinds[i]))
            return true;
    return false;
}

static bool name_word(const struct reading *r, size_t at)
{
    const struct word *w = &r->text.words[at];
    return w->upper && !w->digits && !blocked(r, at);
}

/* May the word at `at` go on with the name whose last word is before it? */
static bool name_goes_on(const struct reading *r, size_t at, size_t end)
{
    const struct word *w = &r->text.words[at];
    bool initial = w[-1].raw.n <= 2 || mark_at(r, at - 1, WORD_HONOR);
    if (w->gap & ~(unsigned)(GAP_BLANK | GAP_LINE | GAP_HYPHEN | GAP_POINT) || w[-1].possessive)
        return false;
    if (w->gap & GAP_POINT && !initial)
        return false;
    if (w->gap & GAP_HYPHEN && !(w->gap & GAP_BLANK))
        return !w->digits && !mark_over(r, at, WORD_NATION);
    if (mark_at(r, at, WORD_PARTICLE) && at + 1 < end)
        return name_word(r, at + 1);
    return name_word(r, at) || (w->raw.n == 1 && w->upper);
}

static bool name_at(const struct reading *r, size_t at, size_t end, struct person *p)
{
    *p = (struct person){.first = at, .end = at + 1};
    if (!name_word(r, at))
        return false;
    while (p->end < end && p->end - at < 6 && name_goes_on(r, p->end, end))
        p->end++;
    p->honored = at > 0 && mark_over(r, at - 1, WORD_HONOR) && !(r->text.words[at].gap & GAP_BREAK);
    bool titled = at > 0 && mark_over(r, at - 1, WORD_TITLE) &&
                  !(r->text.words[at].gap & (GAP_HARD | GAP_COMMA));
    return p->end - at >= 2 || p->honored || titled;
}

/* ---- descriptions ---- */

static bool small(const struct word *w)
{
    static const char *const words[] = {"of",     "for", "in",  "and",  "the", "to", "at",
                                        "charge", "on",  "its", "from", "new", "a",  "an"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (word_is(w, words[i]))
            return true;
    return false;
}

/* Words that may lie between a name and its title. */
static bool describes(const struct reading *r, size_t at)
{
    const struct word *w = &r->text.words[at];
    return w->upper || small(w) || word_is(w, "who") || word_is(w, "is") || word_is(w, "was") ||
           word_is(w, "wa") || mark_over(r, at, WORD_AGENCY) || mark_over(r, at, WORD_TITLE) ||
           mark_over(r, at, WORD_DEMONYM);
}

static bool is_lead(const struct reading *r, size_t at)
{
    const struct mark *m = mark_at(r, at, WORD_LEAD);
    if (!m)
        return false;
    if (mark_over(r, at, WORD_TITLE) && !word_is(&r->text.words[at], "head"))
        return false;
    if (word_is(&r->text.words[at], "head") || word_is(&r->text.words[at], "chair")) {
        /* "head of strategy" is a title, "head of the Indian delegation" is not. */
        struct str side;
        size_t to = m->end + 3;
        for (size_t i = m->first; i < to && i < sentence_of(r, at)->end; i++)
            if (side_marker(r, i, &side) || mark_at(r, i, WORD_GROUP))
                return true;
        return !mark_over(r, at, WORD_TITLE);
    }
    return true;
}

static void describe_after(const struct reading *r, const struct scene *x, size_t k)
{
    struct person *p = (struct person *)(uintptr_t)&x->p[k];
    size_t limit = k + 1 < x->count ? x->p[k + 1].first : x->s->end;
    struct str side;
    p->to = p->end;
    for (size_t i = p->end; i < limit; i++) {
        const struct word *w = &r->text.words[i];
        if (word_is(w, "who") && i + 3 < limit && mark_in(r, i + 2, i + 4, WORD_TITLE)) {
            p->to = (i += 1) + 1; /* "who is ambassador in charge" */
            continue;
        }
        if (word_is(w, "while") || word_is(w, "whereas") || word_is(w, "who") || is_lead(r, i) ||
            w->gap & (GAP_COLON | GAP_BREAK) || word_is(w, "accompanied") || word_is(w, "by") ||
            mark_at(r, i, WORD_COMPOSED) || (side_marker(r, i, &side) && !x->together))
            break;
        p->to = i + 1;
    }
    for (size_t i = p->end; i < p->to && i < p->end + 9 && !p->title; i++) {
        const struct mark *m = mark_at(r, i, WORD_TITLE);
        if (m && k + 1 < x->count && m->end == x->p[k + 1].first) {
            p->to = i; /* "Ambassador NAME, Director NAME": the second title is the second's */
            return;
        }
        p->title = m;
        if (!m && !describes(r, i))
            break;
    }
    /* The words before the next name, behind the last "and", are that name's. */
    if (k + 1 < x->count && p->to == limit)
        for (size_t i = limit; i > p->end; i--)
            if (word_is(&r->text.words[i - 1], "and") && !mark_over(r, i - 1, WORD_AGENCY) &&
                (mark_over(r, i, WORD_TITLE) || mark_over(r, i, WORD_HONOR) || i == limit)) {
                p->to = i - 1;
                break;
            }
}

static void describe_before(const struct reading *r, const struct scene *x, size_t k)
{
    struct person *p = (struct person *)(uintptr_t)&x->p[k];
    size_t limit = k ? x->p[k - 1].end : x->s->first;
    bool claimed = k && (x->p[k - 1].title && !x->p[k - 1].title_before);
    if (claimed && x->p[k - 1].to > limit && x->p[k - 1].to <= p->first)
        limit = x->p[k - 1].to;
    p->from = p->first;
    for (size_t i = p->first; i > limit && p->first - i < 20; i--) {
        const struct word *w = &r->text.words[i - 1];
        if (word_is(w, "by") || is_lead(r, i - 1) ||
            r->text.words[i].gap & (GAP_COLON | GAP_BREAK) ||
            !(describes(r, i - 1) || mark_over(r, i - 1, WORD_HONOR)))
            break;
        if (word_is(w, "and") && k && !mark_over(r, i - 1, WORD_AGENCY) &&
            !(mark_over(r, i, WORD_TITLE) && mark_last(r, limit, i - 1, WORD_TITLE)))
            break;
        p->from = i - 1;
    }
    const struct mark *m = mark_last(r, p->from, p->first, WORD_TITLE);
    if (m && !p->title) {
        p->title = m;
        p->title_before = true;
        /* "Coordinator and Special Assistant Daniel": the first of the titles is the office. */
        const struct mark *first = mark_in(r, p->from, m->first, WORD_TITLE);
        p->title = first ? first : m;
    }
}

static bool sentence_marked(const struct reading *r, const struct sentence *s)
{
    struct str side;
    for (size_t i = s->first; i < s->end; i++)
        if (side_marker(r, i, &side))
            return true;
    return false;
}

static void scene_set(const struct reading *r, struct scene *x)
{
    for (size_t i = x->s->first; i < x->s->end && x->count < PERSONS; i++) {
        struct person p;
        if (!name_at(r, i, x->s->end, &p))
            continue;
        x->p[x->count++] = p;
        i = p.end - 1;
    }
    x->together = mark_in(r, x->s->first, x->s->end, WORD_TOGETHER) != NULL;
    /* "NAME and NAME led the delegations": nobody's side is said, and that is no omission. */
    x->together |= x->count >= 2 && !sentence_marked(r, x->s);
    for (size_t k = 0; k < x->count; k++) {
        describe_after(r, x, k);
        describe_before(r, x, k);
    }
}

/* ---- markers of a side ---- */

size_t side_marker(const struct reading *r, size_t at, struct str *side)
{
    const struct mark *m = mark_at(r, at, WORD_NATION);
    size_t end = sentence_of(r, at)->end;
    if (!m)
        m = mark_at(r, at, WORD_DEMONYM);
    if (m) {
        for (size_t i = m->end; i < end && i < m->end + 4; i++) {
            const struct mark *g = mark_at(r, i, WORD_GROUP);
            if (g) {
                *side = m->phrase->entry->code;
                return g->end;
            }
            if (r->text.words[i].upper && !word_is(&r->text.words[i], "government") &&
                !word_is(&r->text.words[i], "interagency"))
                return 0; /* "Indian Computer Emergency Response Team" */
            if (r->text.words[i].gap & (GAP_HARD | GAP_COMMA) || mark_at(r, i, WORD_NATION) ||
                mark_at(r, i, WORD_DEMONYM) || word_is(&r->text.words[i], "and"))
                return 0;
        }
        return 0;
    }
    m = mark_at(r, at, WORD_GROUP);
    if (!m && at + 2 < end && word_is(&r->text.words[at + 1], "from"))
        m = mark_at(r, at, WORD_COMPOSED); /* "attended from India" */
    if (!m || m->end + 1 >= end)
        return 0;
    if (!word_is(&r->text.words[m->end], "of") && !word_is(&r->text.words[m->end], "from"))
        return 0;
    size_t i = m->end + 1 + (size_t)word_is(&r->text.words[m->end + 1], "the");
    const struct mark *n = i < end ? mark_at(r, i, WORD_NATION) : NULL;
    if (!n)
        return 0;
    *side = n->phrase->entry->code;
    return n->end;
}

/* "for India", "India was represented": a nation that stands for its side. */
static bool weak_marker(const struct reading *r, size_t at, struct str *side)
{
    const struct mark *m = mark_at(r, at, WORD_NATION);
    if (!m || at == 0)
        return false;
    bool is_for = word_is(&r->text.words[at - 1], "for") ||
                  word_is(&r->text.words[at - 1], "from") ||
                  (at > 1 && word_is(&r->text.words[at - 1], "of") &&
                   word_is(&r->text.words[at - 2], "behalf"));
    bool subject =
        m->end + 1 < r->text.count &&
        (word_is(&r->text.words[m->end], "was") || word_is(&r->text.words[m->end], "were")) &&
        mark_at(r, m->end + 1, WORD_LEAD);
    if (!is_for && !subject)
        return false;
    *side = m->phrase->entry->code;
    return true;
}

static bool marker_in(const struct reading *r, size_t from, size_t to, bool last, struct str *side)
{
    bool found = false;
    for (size_t i = from; i < to; i++) {
        struct str here;
        size_t end = side_marker(r, i, &here);
        if (!end && !weak_marker(r, i, &here))
            continue;
        *side = here;
        found = true;
        if (!last)
            return true;
        i = end > i ? end - 1 : i;
    }
    return found;
}

/* ---- the side of a head ---- */

enum link { LINK_NONE, LINK_STATED, LINK_UNSTATED };

/* "was led by NAME": the marker before; "Led by NAME, the Indian delegation": the one behind. */
static enum link passive(const struct reading *r, const struct scene *x, size_t k, struct str *side)
{
    const struct person *p = &x->p[k];
    size_t by = SIZE_MAX, start = k ? x->p[k - 1].end : x->s->first;
    for (size_t i = p->from; i > start; i--)
        if (word_is(&r->text.words[i - 1], "by")) {
            by = i - 1;
            break;
        }
    if (by == SIZE_MAX || mark_in(r, by + 1, p->from, WORD_LEAD) || p->from > by + 4)
        return LINK_NONE;
    if (by > 0 && word_is(&r->text.words[by - 1], "accompanied"))
        return LINK_NONE;
    bool lead = false;
    for (size_t i = x->s->first; i < by; i++)
        lead |= is_lead(r, i);
    if (!lead)
        return LINK_NONE;
    if (marker_in(r, start, by, true, side))
        return LINK_STATED;
    size_t to = k + 1 < x->count ? x->p[k + 1].first : x->s->end;
    if (k == 0 && marker_in(r, p->to, to, false, side))
        return LINK_STATED;
    return LINK_UNSTATED;
}

/* "NAME, title, led the Indian delegation", "served as the Indian delegation's leader". */
static enum link active(const struct reading *r, const struct scene *x, size_t k, struct str *side)
{
    const struct person *p = &x->p[k];
    size_t to = k + 1 < x->count ? x->p[k + 1].first : x->s->end, lead = SIZE_MAX;
    for (size_t i = p->end; i < to && lead == SIZE_MAX; i++)
        if (is_lead(r, i))
            lead = i;
    if (lead == SIZE_MAX || lead > p->to + 8)
        return LINK_NONE;
    size_t end = mark_at(r, lead, WORD_LEAD)->end;
    if (word_is(&r->text.words[end - 1], "by") ||
        (end < to && word_is(&r->text.words[end], "by")) ||
        mark_in(r, p->to, lead, WORD_GROUP) != NULL) {
        /* "..., while the EU delegation was led by": that lead is the next one's. */
        if (!word_is(&r->text.words[lead], "leader"))
            return LINK_NONE;
    }
    if (marker_in(r, end, to, false, side) || marker_in(r, p->to, lead, true, side))
        return LINK_STATED;
    return LINK_UNSTATED;
}

/* May it be an agency of one of the sides? */
static bool agency_here(const struct reading *r, const struct phrase *p)
{
    for (; p; p = lexicon_again(p))
        if (side_known(r, p->entry->code))
            return true;
    return false;
}

/* "From the Israeli side, Mr. NAME, title, and others attended": the first named led. */
static enum link listed_first(const struct reading *r, const struct scene *x, size_t k,
                              struct str *side)
{
    const struct person *p = &x->p[k];
    size_t first = x->s->first;
    if (k > 0 || !p->title || !mark_in(r, p->end, x->s->end, WORD_COMPOSED) ||
        (!word_is(&r->text.words[first], "from") && !word_is(&r->text.words[first], "on")))
        return LINK_NONE;
    for (size_t i = first + 1; i < first + 4 && i < x->s->end; i++) {
        size_t end = side_marker(r, i, side);
        if (end)
            return p->from <= end + 2 ? LINK_STATED : LINK_NONE;
    }
    return LINK_NONE;
}

/* The nation of the office that the description names, if it names one. */
static struct str office(const struct reading *r, const struct person *p, struct head *h)
{
    struct str nation = STR_NONE, loose = STR_NONE;
    const struct mark *agency = NULL;
    size_t ranges[2][2] = {{p->end, p->to}, {p->from, p->first}};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = ranges[k][0]; i < ranges[k][1]; i++) {
            const struct mark *a = mark_at(r, i, WORD_AGENCY), *n = mark_at(r, i, WORD_NATION);
            n = n ? n : mark_at(r, i, WORD_DEMONYM);
            if (a && !agency && agency_here(r, a->phrase))
                agency = a;
            if (n && !loose.n && side_known(r, n->phrase->entry->code))
                loose = n->phrase->entry->code;
        }
    const struct entry *own = agency ? agency_of(r, agency->phrase, STR_NONE) : NULL;
    if (own && side_known(r, own->code))
        nation = own->code;
    else if (p->title && p->title->phrase->entry->code.n &&
             side_known(r, p->title->phrase->entry->code))
        nation = p->title->phrase->entry->code;
    else
        nation = loose;
    const struct entry *of = agency ? agency_of(r, agency->phrase, nation) : NULL;
    if (of && !side_known(r, of->code))
        of = NULL;
    h->organisation = of ? of->name : STR_NONE;
    h->office = of ? text_span(r->a, &r->text, agency->first, agency->end) : STR_NONE;
    return nation;
}

/* ---- titles ---- */

static bool takes_field(struct str title)
{
    return !str_ends(title, STR("secretary")) && !str_ends(title, STR("general")) &&
           str_find(title, ' ') == title.n;
}

/* "director of security and defence": the field behind a title, not the office it is in. */
static size_t title_end(const struct reading *r, const struct person *p)
{
    static const char *const units[] = {
        "division", "department", "ministry",    "bureau",    "section",    "branch",
        "unit",     "office",     "government",  "embassy",   "mission",    "secretariat",
        "agency",   "center",     "directorate", "institute", "university", "council"};
    size_t at = p->title->end, limit = p->title_before ? p->first : p->to;
    if (at >= limit || r->text.words[at].gap & (GAP_HARD | GAP_COMMA) ||
        (!word_is(&r->text.words[at], "of") && !word_is(&r->text.words[at], "for")))
        return p->title->end;
    size_t end = at + 1;
    for (; end < limit; end++) {
        const struct word *w = &r->text.words[end];
        if (w->gap & (GAP_HARD | GAP_COMMA) || word_is(w, "at") || word_is(w, "from") ||
            word_is(w, "in") || word_is(w, "led") || mark_at(r, end, WORD_AGENCY) ||
            mark_at(r, end, WORD_TITLE) || mark_at(r, end, WORD_LEAD) ||
            mark_at(r, end, WORD_NATION) || mark_at(r, end, WORD_DEMONYM))
            break;
    }
    while (end > at + 1 && small(&r->text.words[end - 1]))
        end--;
    for (size_t i = at; i < end; i++)
        for (size_t k = 0; k < sizeof units / sizeof units[0]; k++)
            if (word_is(&r->text.words[i], units[k]))
                return p->title->end;
    return end > at + 1 ? end : p->title->end;
}

static struct str title_text(const struct reading *r, const struct person *p)
{
    if (!p->title)
        return STR_NONE;
    const struct entry *n = p->title->phrase->entry;
    struct str form = p->title->phrase->form;
    size_t end = takes_field(n->name) ? title_end(r, p) : p->title->end;
    /* The form as the lexicon spells it, "director general" like "director-general". */
    struct str base = str_eq(n->name, form) || p->title->phrase->flags ? form : n->name;
    if (end == p->title->end)
        return base;
    struct str tail = text_span(r->a, &r->text, p->title->end, end);
    char *lower = arena_cstr(r->a, tail);
    for (char *c = lower; c && *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    return lower ? arena_printf(r->a, "%.*s %s", STR_FMT(base), lower) : base;
}

/* ---- heads ---- */

static bool prominent(const struct reading *r, const struct person *p)
{
    const struct mark *m = p->first ? mark_over(r, p->first - 1, WORD_ASIDE) : NULL;
    return m && m->end == p->first;
}

static struct head *head_named(struct dialogue_draft *d, struct str name)
{
    for (size_t i = 0; i < d->head_count; i++)
        if (str_eq_nocase(d->heads[i].name, name) || str_ends(d->heads[i].name, name) ||
            str_ends(name, d->heads[i].name))
            return &d->heads[i];
    return NULL;
}

static void head_put(struct reading *r, const struct head *h)
{
    struct dialogue_draft *d = r->d;
    struct head *old = head_named(d, h->name);
    if (old) {
        old->title = old->title.n ? old->title : h->title;
        if (!old->organisation.n) {
            old->organisation = h->organisation;
            old->office = h->office;
        }
        if (!old->side.n || (old->side_inferred && !h->side_inferred && h->side.n)) {
            old->side = h->side;
            old->side_inferred = h->side_inferred;
        }
    } else if (d->head_count < LIMIT_DIALOGUE_HEADS) {
        d->heads[d->head_count++] = *h;
    }
}

static void head_take(struct reading *r, struct scene *x, size_t k)
{
    struct person *p = &x->p[k];
    struct str stated = STR_NONE, nation;
    struct head h = {.sentence = (size_t)(x->s - r->text.sentences),
                     .at = p->first,
                     .from = p->from,
                     .to = p->to};
    if (prominent(r, p))
        return;
    enum link link = passive(r, x, k, &stated);
    if (link == LINK_NONE)
        link = active(r, x, k, &stated);
    if (link == LINK_NONE)
        link = listed_first(r, x, k, &stated);
    if (link == LINK_NONE && x->together)
        link = LINK_UNSTATED;
    if (link == LINK_NONE)
        return;
    nation = office(r, p, &h);
    h.name = text_span(r->a, &r->text, p->first, p->end);
    h.title = title_text(r, p);
    if (!nation.n && !stated.n && x->together) /* "co-chaired by NAME from the Indian side" */
        marker_in(r, p->end, p->to, false, &stated);
    if (!nation.n && !stated.n && x->together && k > 0) /* "co-led by NAME and NAME" */
        stated = x->p[k - 1].stated;
    p->stated = stated;
    if (!h.title.n && !h.organisation.n && !p->honored && link != LINK_STATED)
        return;
    h.side = nation.n ? nation : stated;
    h.side_inferred = link == LINK_UNSTATED && !x->together;
    if (!h.organisation.n && stated.n) {
        const struct mark *a = mark_in(r, p->end, p->to, WORD_AGENCY);
        const struct entry *of = a ? agency_of(r, a->phrase, stated) : NULL;
        h.organisation = of ? of->name : STR_NONE;
        h.office = of ? text_span(r->a, &r->text, a->first, a->end) : STR_NONE;
    }
    if (nation.n && stated.n && !str_eq(nation, stated) && !x->together)
        reading_find(r, "head-side", h.sentence,
                     "%.*s is said to have led %.*s's side, but the office named is %.*s's",
                     STR_FMT(h.name), STR_FMT(lexicon_nation(r->l, stated)),
                     STR_FMT(lexicon_nation(r->l, nation)));
    head_put(r, &h);
}

/* Of two who led together one side is known: the other led the other side, and the draft says so.
 */
static void heads_exclude(struct reading *r)
{
    struct dialogue_draft *d = r->d;
    for (size_t i = 0; d->side_count == 2 && d->head_count == 2 && i < 2; i++) {
        struct head *h = &d->heads[i], *o = &d->heads[1 - i];
        if (h->side.n || !o->side.n || h->sentence != o->sentence)
            continue;
        h->side = d->sides[str_eq(o->side, d->sides[0])];
        h->side_inferred = h->excluded = true;
        const struct mark *m = mark_in(r, h->from, h->to, WORD_AGENCY);
        const struct entry *n = m ? agency_of(r, m->phrase, h->side) : NULL;
        if (n && str_eq(n->code, h->side)) {
            h->organisation = n->name;
            h->office = text_span(r->a, &r->text, m->first, m->end);
        }
        reading_find(r, "head-side-unstated", h->sentence,
                     "the sentence names no side: %.*s is assigned to %.*s (%.*s) because %.*s is "
                     "the other side's",
                     STR_FMT(h->name), STR_FMT(lexicon_nation(r->l, h->side)), STR_FMT(h->side),
                     STR_FMT(o->name));
    }
}

/* Sides that no sentence names, and those that nothing tells. */
static void heads_review(struct reading *r)
{
    for (size_t i = 0; i < r->d->head_count; i++) {
        const struct head *h = &r->d->heads[i];
        struct str name = lexicon_nation(r->l, h->side);
        struct str office_name = h->organisation.n ? h->organisation : h->title;
        if (!h->side.n)
            reading_find(r, "head-side-unknown", h->sentence,
                         "nothing in the text says which side %.*s led", STR_FMT(h->name));
        else if (h->side_inferred &&
                 mark_in(r, sentence_of(r, h->at)->first, sentence_of(r, h->at)->end, WORD_GROUP) &&
                 !h->excluded)
            reading_find(r, "head-side-unstated", h->sentence,
                         "the sentence names no side (\"the delegation\"): %.*s is assigned to "
                         "%.*s (%.*s) from the office named, %.*s",
                         STR_FMT(h->name), STR_FMT(name), STR_FMT(h->side), STR_FMT(office_name));
    }
}

void reading_heads(struct reading *r)
{
    for (size_t i = 0; i < r->text.sentence_count; i++) {
        struct scene x = {.s = &r->text.sentences[i]};
        bool lead = false;
        for (size_t k = x.s->first; k < x.s->end && !lead; k++)
            lead = is_lead(r, k) || mark_at(r, k, WORD_TOGETHER) ||
                   (k < x.s->first + 4 && side_marker(r, k, &(struct str){0}));
        if (!lead)
            continue;
        scene_set(r, &x);
        for (size_t k = 0; k < x.count; k++)
            if (word_current(r, x.p[k].first) || r->d->announced)
                head_take(r, &x, k);
    }
    heads_exclude(r);
    heads_review(r);
}
