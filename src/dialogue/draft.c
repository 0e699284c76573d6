/* A draft as JSON and as lines for people. */
#include "dialogue/dialogue_priv.h"

/* ---- JSON ---- */

static void put_null(struct buf *b, const char *name)
{
    json_put_name(b, name);
    buf_lit(b, "null");
}

static void put_text(struct buf *b, const char *name, struct str s)
{
    if (s.n)
        json_put_member(b, name, s);
    else
        put_null(b, name);
}

static void put_number(struct buf *b, const char *name, uint64_t n)
{
    if (n)
        json_put_member_u64(b, name, n);
    else
        put_null(b, name);
}

static void put_day(struct buf *b, const char *name, int year, int month, int day)
{
    json_put_name(b, name);
    if (year && month && day)
        buf_printf(b, "\"%04d-%02d-%02d\"", year, month, day);
    else if (year && month)
        buf_printf(b, "\"%04d-%02d\"", year, month);
    else
        buf_lit(b, "null");
}

static void put_list(struct buf *b, const char *name, const struct str *items, size_t count)
{
    json_put_name(b, name);
    buf_byte(b, '[');
    for (size_t i = 0; i < count; i++) {
        buf_lit(b, i ? "," : "");
        json_put_string(b, items[i]);
    }
    buf_byte(b, ']');
}

static struct str evidence(const struct dialogue_draft *d, size_t sentence)
{
    return sentence == NO_SENTENCE ? STR_NONE : d->text->sentences[sentence].text;
}

static void put_heads(struct buf *b, const struct dialogue_draft *d)
{
    json_put_name(b, "heads");
    buf_byte(b, '[');
    for (size_t i = 0; i < d->head_count; i++) {
        const struct head *h = &d->heads[i];
        buf_lit(b, i ? ",{" : "{");
        put_text(b, "side", h->side);
        put_text(b, "name", h->name);
        put_text(b, "title", h->title);
        put_text(b, "organisation", h->organisation);
        json_put_name(b, "side_stated");
        buf_lit(b, h->side.n && !h->side_inferred ? "true" : "false");
        put_text(b, "evidence", evidence(d, h->sentence));
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_agency(struct buf *b, const struct dialogue_draft *d, const struct present *p,
                       bool whole)
{
    if (!whole) {
        json_put_string(b, p->id);
        return;
    }
    buf_byte(b, '{');
    json_put_member(b, "id", p->id);
    json_put_member(b, "named", p->as);
    put_text(b, "evidence", evidence(d, p->sentence));
    buf_byte(b, '}');
}

static void put_agencies(struct buf *b, const struct dialogue_draft *d, const char *name,
                         bool whole)
{
    json_put_name(b, name);
    buf_byte(b, '{');
    for (size_t i = 0; i < d->side_count; i++) {
        bool first = true;
        buf_lit(b, i ? "," : "");
        json_put_string(b, d->sides[i]);
        buf_lit(b, ":[");
        for (size_t k = 0; k < d->agency_count; k++) {
            if (!str_eq(d->agencies[k].side, d->sides[i]))
                continue;
            buf_lit(b, first ? "" : ",");
            put_agency(b, d, &d->agencies[k], whole);
            first = false;
        }
        buf_byte(b, ']');
    }
    buf_byte(b, '}');
}

static void put_next(struct buf *b, const struct dialogue_draft *d)
{
    json_put_name(b, "next_round");
    if (!d->next.found) {
        buf_lit(b, "null");
        return;
    }
    buf_byte(b, '{');
    put_number(b, "year", (uint64_t)d->next.year);
    put_number(b, "ordinal_stated", d->next.ordinal);
    put_text(b, "place", d->next.place);
    put_day(b, "date", d->next.has_date ? d->next.date.year : 0, d->next.date.month,
            d->next.date.day);
    put_text(b, "evidence", evidence(d, d->next.sentence));
    buf_byte(b, '}');
}

static void put_marked(struct buf *b, const struct dialogue_draft *d, const char *name,
                       const struct str *items, const size_t *at, size_t count)
{
    json_put_name(b, name);
    buf_byte(b, '{');
    for (size_t i = 0; i < count; i++) {
        buf_lit(b, i ? "," : "");
        json_put_string(b, items[i]);
        buf_byte(b, ':');
        json_put_string(b, evidence(d, at[i]));
    }
    buf_byte(b, '}');
}

static void put_evidence(struct buf *b, const struct dialogue_draft *d)
{
    json_put_name(b, "evidence");
    buf_byte(b, '{');
    put_text(b, "series", evidence(d, d->series_at));
    put_text(b, "ordinal", evidence(d, d->ordinal_at));
    put_text(b, "date", evidence(d, d->date_at));
    put_text(b, "weekday_stated", evidence(d, d->weekday_at));
    put_text(b, "mode", evidence(d, d->mode_at));
    put_text(b, "place", evidence(d, d->place_at));
    put_text(b, "host", evidence(d, d->host_at));
    put_text(b, "sides", evidence(d, d->sides_at));
    put_marked(b, d, "topics", d->topics, d->topic_at, d->topic_count);
    put_marked(b, d, "fora", d->fora, d->forum_at, d->forum_count);
    put_agencies(b, d, "agencies", true);
    buf_byte(b, '}');
}

static void put_nothing(struct buf *b)
{
    static const char *const names[] = {
        "series",         "series_named", "ordinal",        "status", "date",       "date_end",
        "weekday_stated", "mode",         "place",          "host",   "sides",      "heads",
        "agencies",       "topics",       "topics_include", "fora",   "next_round", "evidence"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        put_null(b, names[i]);
}

static void put_round(struct buf *b, const struct dialogue_draft *d)
{
    put_text(b, "series", d->series);
    put_text(b, "series_named", d->series_named);
    put_number(b, "ordinal", d->ordinal);
    json_put_member(b, "status", d->announced ? STR("announced") : STR("held"));
    put_day(b, "date", d->date.impossible ? 0 : d->date.year, d->has_date ? d->date.month : 0,
            d->has_date ? d->date.day : 0);
    put_day(b, "date_end", d->has_date && d->date.day2 ? d->date.year2 : 0, d->date.month2,
            d->date.day2);
    put_text(b, "weekday_stated", d->weekday ? str_of(weekday_name(d->weekday)) : STR_NONE);
    put_text(b, "mode", d->mode);
    put_text(b, "place", d->place);
    put_text(b, "host", d->host);
    put_list(b, "sides", d->sides, d->side_count);
    put_heads(b, d);
    put_agencies(b, d, "agencies", false);
    put_list(b, "topics", d->topics, d->topic_count);
    put_list(b, "topics_include", d->topics, d->topic_count);
    put_list(b, "fora", d->fora, d->forum_count);
    put_next(b, d);
    put_evidence(b, d);
}

void dialogue_draft_json(const struct dialogue_draft *d, struct buf *b)
{
    buf_lit(b, "{\"round\":{");
    if (d->found)
        put_round(b, d);
    else
        put_nothing(b);
    buf_lit(b, "},\"findings\":[");
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        buf_lit(b, i ? ",{" : "{");
        json_put_member(b, "rule", str_of(f->rule));
        json_put_member(b, "message", f->message);
        put_text(b, "evidence", f->evidence);
        buf_byte(b, '}');
    }
    buf_lit(b, "]}\n");
}

/* ---- lines for people ---- */

static void line(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, "%-10s ", name);
    if (value.n)
        buf_printable(b, value, 400);
    else
        buf_lit(b, "-");
    buf_byte(b, '\n');
}

static void joined(struct buf *b, const char *name, const struct str *items, size_t count)
{
    buf_printf(b, "%-10s ", name);
    for (size_t i = 0; i < count; i++) {
        buf_lit(b, i ? ", " : "");
        buf_str(b, items[i]);
    }
    buf_lit(b, count ? "\n" : "-\n");
}

static void line_date(struct buf *b, const struct dialogue_draft *d)
{
    buf_printf(b, "%-10s ", "date");
    if (d->has_date)
        buf_printf(b, "%04d-%02d-%02d", d->date.year, d->date.month, d->date.day);
    else
        buf_byte(b, '-');
    if (d->has_date && d->date.day2)
        buf_printf(b, " to %04d-%02d-%02d", d->date.year2, d->date.month2, d->date.day2);
    if (d->weekday)
        buf_printf(b, " (the text says %s)", weekday_name(d->weekday));
    buf_byte(b, '\n');
}

static void lines_sides(struct buf *b, const struct dialogue_draft *d)
{
    for (size_t i = 0; i < d->side_count; i++) {
        bool first = true;
        for (size_t k = 0; k < d->head_count; k++) {
            const struct head *h = &d->heads[k];
            if (!str_eq(h->side, d->sides[i]))
                continue;
            buf_printf(b, "%-10.*s head: ", STR_FMT(d->sides[i]));
            buf_printable(b, h->name, 120);
            buf_lit(b, h->title.n ? ", " : "");
            buf_printable(b, h->title, 120);
            buf_lit(b, h->organisation.n ? ", " : "");
            buf_printable(b, h->organisation, 60);
            buf_lit(b, h->side_inferred ? " (side inferred)\n" : "\n");
        }
        buf_printf(b, "%-10.*s agencies: ", STR_FMT(d->sides[i]));
        for (size_t k = 0; k < d->agency_count; k++)
            if (str_eq(d->agencies[k].side, d->sides[i])) {
                buf_lit(b, first ? "" : ", ");
                buf_str(b, d->agencies[k].id);
                first = false;
            }
        buf_lit(b, first ? "-\n" : "\n");
    }
}

static void line_next(struct buf *b, const struct dialogue_draft *d)
{
    buf_printf(b, "%-10s ", "next");
    if (!d->next.found)
        buf_byte(b, '-');
    if (d->next.found && d->next.ordinal)
        buf_printf(b, "round %u ", d->next.ordinal);
    if (d->next.found && d->next.year)
        buf_printf(b, "in %d ", d->next.year);
    if (d->next.found && d->next.place.n)
        buf_printf(b, "in %.*s ", STR_FMT(d->next.place));
    if (d->next.found && !d->next.ordinal && !d->next.year && !d->next.place.n)
        buf_lit(b, "promised, without year or place");
    buf_byte(b, '\n');
}

void dialogue_draft_text(const struct dialogue_draft *d, struct buf *b)
{
    if (d->found) {
        buf_printf(b, "%-10s ", "round");
        if (d->ordinal)
            buf_printf(b, "%u", d->ordinal);
        else
            buf_byte(b, '-');
        buf_lit(b, d->announced ? ", announced\n" : "\n");
        line(b, "series", d->series);
        line_date(b, d);
        line(b, "mode", d->mode);
        line(b, "place", d->place);
        line(b, "host", d->host);
        lines_sides(b, d);
        joined(b, "topics", d->topics, d->topic_count);
        joined(b, "fora", d->fora, d->forum_count);
        line_next(b, d);
    }
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        buf_printf(b, "%s: ", f->rule);
        buf_printable(b, f->message, 400);
        buf_byte(b, '\n');
        if (f->evidence.n) {
            buf_lit(b, "    ");
            buf_printable(b, f->evidence, 400);
            buf_byte(b, '\n');
        }
    }
}
