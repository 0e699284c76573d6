/* What contradicts itself, the calendar, or the register. */
#include "dialogue/dialogue_priv.h"

struct str ordinal_word(struct arena *a, unsigned n)
{
    static const char *const words[] = {"zeroth", "first",    "second",  "third",  "fourth",
                                        "fifth",  "sixth",    "seventh", "eighth", "ninth",
                                        "tenth",  "eleventh", "twelfth"};
    if (n < sizeof words / sizeof words[0])
        return str_of(words[n]);
    const char *tail = "th";
    if (n % 100 < 11 || n % 100 > 13)
        tail = n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
    return arena_printf(a, "%u%s", n, tail);
}

/* ---- the calendar ---- */

static void weekday_of(struct reading *r, const struct day *d, int y, int m, int day, int said)
{
    int is = day_weekday(y, m, day);
    if (!said || !is || is == said)
        return;
    reading_find(r, "weekday-date", r->text.words[d->first].sentence,
                 "%.*s was a %s; the text says %s", STR_FMT(day_text(r->a, y, m, day)),
                 weekday_name(is), weekday_name(said));
}

static void calendar(struct reading *r)
{
    for (size_t i = 0; i < r->day_count; i++) {
        const struct day *d = &r->days[i];
        if (d->impossible)
            reading_find(r, "date-impossible", r->text.words[d->first].sentence,
                         "there is no such day: \"%.*s\"",
                         STR_FMT(text_span(r->a, &r->text, d->first, d->end)));
        if (d->year && d->day)
            weekday_of(r, d, d->year, d->month, d->day, d->weekday);
        if (d->year2 && d->day2)
            weekday_of(r, d, d->year2, d->month2, d->day2, d->weekday2);
        if (d->day && d->day2 && d->year && d->year2 &&
            day_number(d->year2, d->month2, d->day2) <= day_number(d->year, d->month, d->day))
            reading_find(r, "date-order", r->text.words[d->first].sentence,
                         "the last day is not after the first: \"%.*s\"",
                         STR_FMT(text_span(r->a, &r->text, d->first, d->end)));
    }
    const struct dialogue_draft *d = r->d;
    if (d->has_date && !d->date_inferred && !d->date.year_given && d->weekday) {
        struct day resolved = d->date;
        weekday_of(r, &resolved, d->date.year, d->date.month, d->date.day, d->weekday);
    }
    /* "on Thursday" in another sentence than the date. */
    if (d->has_date && !d->date_inferred && !d->date.weekday && d->weekday)
        weekday_of(r, &d->date, d->date.year, d->date.month, d->date.day, d->weekday);
}

/* Does a date stand with this weekday already? */
static bool weekday_taken(const struct reading *r, const struct mark *m)
{
    for (size_t i = 0; i < r->day_count; i++)
        if (r->days[i].weekday && m->first + 4 >= r->days[i].first && m->first <= r->days[i].end)
            return true;
    return false;
}

/* A weekday that a sentence about the round names apart from the date. */
static void loose_weekday(struct reading *r)
{
    struct dialogue_draft *d = r->d;
    if (!d->has_date || d->date_inferred || d->weekday || d->date_at == NO_SENTENCE)
        return;
    for (size_t i = 0; i < r->text.count; i++) {
        size_t sentence = r->text.words[i].sentence;
        const struct mark *m = mark_at(r, i, WORD_WEEKDAY);
        if (!m || !word_current(r, i) || weekday_taken(r, m) ||
            (sentence != d->date_at && (sentence > 2 || !sentence_current(r, sentence))))
            continue;
        d->weekday = (int)m->phrase->entry->number;
        d->weekday_at = sentence;
        return;
    }
}

/* ---- the next round ---- */

static void next_round(struct reading *r)
{
    const struct dialogue_draft *d = r->d;
    unsigned due = d->ordinal + 1;
    if (!d->next.found)
        return;
    if (d->ordinal && d->next.ordinal && d->next.ordinal != due)
        reading_find(r, "next-ordinal", d->next.sentence,
                     "the next round is called the %.*s; after a %.*s a %.*s is due",
                     STR_FMT(ordinal_word(r->a, d->next.ordinal)),
                     STR_FMT(ordinal_word(r->a, d->ordinal)), STR_FMT(ordinal_word(r->a, due)));
    if (d->next.year && d->date.year && d->next.year < d->date.year)
        reading_find(r, "next-date", d->next.sentence,
                     "the next round is to be in %d, before this one (%d)", d->next.year,
                     d->date.year);
    const struct day *n = &d->next.date;
    if (d->next.has_date && d->has_date &&
        day_number(n->year, n->month, n->day) <=
            day_number(d->date.year, d->date.month, d->date.day))
        reading_find(r, "next-date", d->next.sentence,
                     "the next round is to be on %.*s, not after this one",
                     STR_FMT(day_text(r->a, n->year, n->month, n->day)));
}

/* ---- names of agencies over time ---- */

static const struct entry *entry_of(const struct reading *r, const struct present *p)
{
    for (const struct phrase *q = lexicon_each(r->l, NULL); q; q = lexicon_each(r->l, q))
        if (q->entry->kind == WORD_AGENCY && str_eq(q->entry->name, p->id) &&
            str_eq(q->entry->code, p->side))
            return q->entry;
    return NULL;
}

static void agency_times(struct reading *r)
{
    const struct dialogue_draft *d = r->d;
    if (!d->has_date)
        return;
    struct str on = day_text(r->a, d->date.year, d->date.month, d->date.day);
    for (size_t i = 0; i < d->agency_count; i++) {
        const struct entry *n = entry_of(r, &d->agencies[i]);
        if (!n)
            continue;
        struct str then = n->then.n ? n->then : STR("no more");
        if (n->until.n && str_cmp(on, n->until) > 0)
            reading_find(r, "agency-time", d->agencies[i].sentence,
                         "%.*s had that name until %.*s; on %.*s it was %.*s", STR_FMT(n->name),
                         STR_FMT(n->until), STR_FMT(on), STR_FMT(then));
        if (n->from.n && str_cmp(on, n->from) < 0)
            reading_find(r, "agency-time", d->agencies[i].sentence,
                         "%.*s has that name since %.*s only; the round was on %.*s",
                         STR_FMT(n->name), STR_FMT(n->from), STR_FMT(on));
    }
}

/* ---- the register ---- */

static void register_date(struct reading *r, const struct json *round)
{
    const struct dialogue_draft *d = r->d;
    const struct json *fact = json_get(round, STR("date")), *v = register_fact(round, "date");
    struct instant t;
    struct err e;
    if (!d->has_date || !json_is(v, JSON_STRING))
        return;
    struct str on = day_text(r->a, d->date.year, d->date.month, d->date.day);
    struct str full = arena_printf(r->a, "%.*sT00:00:00Z", STR_FMT(v->u.s));
    if (str_eq(on, v->u.s) || !instant_parse(full, &t, &e))
        return;
    int y, m, day;
    day_of_number(t.s / 86400, &y, &m, &day);
    reading_find_other(r, "date-register", register_sources(r, fact),
                       "other sources date the %.*s round %.*s (a %s); the text says %.*s",
                       STR_FMT(ordinal_word(r->a, d->ordinal)), STR_FMT(v->u.s),
                       weekday_name(day_weekday(y, m, day)), STR_FMT(on));
}

static void register_word(struct reading *r, const struct json *round, const char *name,
                          struct str said, const char *rule)
{
    const struct json *v = register_fact(round, name);
    if (!said.n || !json_is(v, JSON_STRING) || str_eq(said, v->u.s))
        return;
    reading_find_other(r, rule, register_sources(r, json_get(round, str_of(name))),
                       "other sources give the %.*s round %s %.*s; the text says %.*s",
                       STR_FMT(ordinal_word(r->a, r->d->ordinal)), name, STR_FMT(v->u.s),
                       STR_FMT(said));
}

/* Names match when every word of the shorter is in the longer, in any order, nearly. */
static bool names_match(struct str a, struct str b)
{
    struct str shorter = a.n <= b.n ? a : b, longer = a.n <= b.n ? b : a;
    while (shorter.p) {
        struct str word = str_cut(&shorter, ' '), rest = longer;
        bool found = word.n < 3;
        while (rest.p && !found) {
            struct str other = str_cut(&rest, ' ');
            unsigned most = word.n > 5 ? 2 : 1;
            found = text_distance(word, other, most) <= most;
        }
        if (!found)
            return false;
    }
    return true;
}

/* Where the register knows a name: the side it led, anywhere in the series. */
static const struct json *known_head(const struct reading *r, struct str name)
{
    const struct json *rounds = json_get(r->reg, STR("rounds"));
    for (const struct json *v = rounds ? rounds->u.child : NULL; v; v = v->next) {
        const struct json *heads = json_get(v, STR("heads"));
        for (const struct json *h = heads ? heads->u.child : NULL; h; h = h->next)
            if (names_match(json_get_str(h, STR("name")), name))
                return h;
    }
    return NULL;
}

static void register_heads(struct reading *r, const struct json *round)
{
    const struct json *heads = json_get(round, STR("heads"));
    for (size_t i = 0; i < r->d->head_count; i++) {
        const struct head *h = &r->d->heads[i];
        const struct json *known = known_head(r, h->name), *here = NULL;
        if (known && h->side.n && !str_eq(json_get_str(known, STR("side")), h->side))
            reading_find(r, "head-side", h->sentence,
                         "%.*s led %.*s's side in other rounds; the text has %.*s's",
                         STR_FMT(h->name),
                         STR_FMT(lexicon_nation(r->l, json_get_str(known, STR("side")))),
                         STR_FMT(lexicon_nation(r->l, h->side)));
        for (const struct json *v = heads ? heads->u.child : NULL; v && !here; v = v->next)
            if (str_eq(json_get_str(v, STR("side")), h->side))
                here = v;
        struct str name = json_get_str(here, STR("name"));
        if (here && name.n && !names_match(name, h->name))
            reading_find_other(r, "head-register", register_sources(r, here),
                               "other sources name %.*s as head of %.*s's side in the %.*s round; "
                               "the text says %.*s",
                               STR_FMT(name), STR_FMT(lexicon_nation(r->l, h->side)),
                               STR_FMT(ordinal_word(r->a, r->d->ordinal)), STR_FMT(h->name));
    }
}

/* No ordinal in the text, or another one than the register has for that day. */
static void register_ordinal(struct reading *r)
{
    const struct dialogue_draft *d = r->d;
    const struct json *rounds = json_get(r->reg, STR("rounds"));
    if (!d->has_date)
        return;
    struct str on = day_text(r->a, d->date.year, d->date.month, d->date.day);
    for (const struct json *v = rounds ? rounds->u.child : NULL; v; v = v->next) {
        const struct json *date = register_fact(v, "date"), *n = json_get(v, STR("ordinal"));
        if (!json_is(date, JSON_STRING) || !str_eq(date->u.s, on) || !json_is(n, JSON_INTEGER) ||
            n->u.i == (int64_t)d->ordinal)
            continue;
        struct str sources = register_sources(r, json_get(v, STR("date")));
        struct str known = ordinal_word(r->a, (unsigned)n->u.i);
        if (d->ordinal)
            reading_find_other(r, "ordinal-register", sources,
                               "other sources call the round of %.*s the %.*s; the text says %.*s",
                               STR_FMT(on), STR_FMT(known),
                               STR_FMT(ordinal_word(r->a, d->ordinal)));
        else
            reading_find_other(r, "ordinal-register", sources,
                               "the text gives no ordinal; other sources call the round of %.*s "
                               "the %.*s",
                               STR_FMT(on), STR_FMT(known));
    }
}

static void against_register(struct reading *r)
{
    const struct dialogue_draft *d = r->d;
    const struct json *round = d->ordinal ? register_round(r->reg, d->ordinal) : NULL;
    register_ordinal(r);
    register_heads(r, round);
    if (!round) {
        if (d->ordinal)
            reading_find(r, "round-unknown", d->ordinal_at,
                         "the register has no %.*s round of the %.*s",
                         STR_FMT(ordinal_word(r->a, d->ordinal)), STR_FMT(d->series));
        return;
    }
    register_date(r, round);
    register_word(r, round, "mode", d->mode, "mode-register");
    register_word(r, round, "place", d->place, "place-register");
    register_word(r, round, "host", d->host, "host-register");
}

/* ---- what the sides do not allow ---- */

static void heads_count(struct reading *r)
{
    const struct dialogue_draft *d = r->d;
    for (size_t i = 0; i < d->head_count; i++)
        for (size_t k = i + 1; k < d->head_count; k++)
            if (d->heads[i].side.n && str_eq(d->heads[i].side, d->heads[k].side) &&
                d->heads[i].sentence != d->heads[k].sentence) /* else they led together */
                reading_find(r, "head-two", d->heads[k].sentence,
                             "two heads for %.*s's side: %.*s and %.*s",
                             STR_FMT(lexicon_nation(r->l, d->heads[i].side)),
                             STR_FMT(d->heads[i].name), STR_FMT(d->heads[k].name));
}

void reading_check(struct reading *r)
{
    loose_weekday(r);
    calendar(r);
    next_round(r);
    agency_times(r);
    heads_count(r);
    if (r->reg)
        against_register(r);
}
