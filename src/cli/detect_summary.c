/* `setu detect --summary`: a line for each indicator that was seen, in the place of its alerts. */
#include <stdlib.h>
#include <string.h>

#include "cli/detect_priv.h"

/* Where an indicator was seen. */
struct place {
    size_t input; /* in the list of inputs */
    uint64_t line;
    int64_t time_us;
};
struct seen {
    size_t number; /* in the tally */
    uint64_t count;
    struct place first, last;
    struct str observable; /* as it was seen the first time */
};

struct detect_summary {
    struct sensor_tally *tally;
    struct arena *text;
    struct seen *list; /* of each in the tally */
    size_t count, room;
    struct str *inputs;
    size_t input_count, input_room;
};

struct detect_summary *detect_summary_new(struct err *e)
{
    struct detect_summary *s = base_alloc(sizeof *s);
    if (s)
        s->text = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (s && s->text && sensor_tally_new(&s->tally, e))
        return s;
    detect_summary_free(s);
    (void)err_set(e, ERR_MEMORY, "no memory for the summary");
    return NULL;
}

void detect_summary_free(struct detect_summary *s)
{
    if (!s)
        return;
    arena_free(s->text);
    sensor_tally_free(s->tally);
    base_free(s->list);
    base_free(s->inputs);
    base_free(s);
}

/* Its place in the list. Alerts come input by input, those of captures from as many by turns as are
 * read together. */
static bool note_input(struct detect_summary *s, struct str input, size_t *at)
{
    void *inputs = s->inputs;
    for (size_t k = 1; k <= s->input_count && k <= LIMIT_SENSOR_CAPTURES; k++)
        if (str_eq(s->inputs[s->input_count - k], input)) {
            *at = s->input_count - k;
            return true;
        }
    if (!base_grow(&inputs, &s->input_room, s->input_count + 1, sizeof *s->inputs))
        return false;
    s->inputs = inputs;
    *at = s->input_count++;
    s->inputs[*at] = arena_str(s->text, input);
    return true;
}

bool detect_summary_add(struct detect_summary *s, const struct sensor_alert *a)
{
    size_t at, input;
    void *list = s->list;
    if (!note_input(s, a->input, &input) || !sensor_tally_of(s->tally, a->indicator, &at))
        return false;
    struct place here = {input, a->line, a->time_us};
    if (at == s->count) {
        if (!base_grow(&list, &s->room, s->count + 1, sizeof *s->list))
            return false;
        s->list = list;
        s->list[s->count++] = (struct seen){
            .number = at, .first = here, .observable = arena_str(s->text, a->hit->observable)};
    }
    s->list[at].count++;
    s->list[at].last = here;
    return true;
}

/* What was seen most comes first. */
static int by_count(const void *x, const void *y)
{
    const struct seen *a = x, *b = y;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static void put_place(struct buf *b, const struct detect_summary *s, const char *name,
                      const struct place *p)
{
    char at[INSTANT_TEXT_BYTES];
    json_put_name(b, name);
    buf_byte(b, '{');
    json_put_member(b, "input", s->inputs[p->input]);
    json_put_member_u64(b, "line", p->line);
    json_put_member(b, "time", instant_text(instant_of_us(p->time_us), 6, at));
    buf_byte(b, '}');
}

void detect_summary_put(struct detect_summary *s, struct buf *b)
{
    if (s->count)
        qsort(s->list, s->count, sizeof *s->list, by_count);
    for (size_t i = 0; i < s->count; i++) {
        const struct seen *n = &s->list[i];
        const struct match_indicator m = sensor_tally_get(s->tally, n->number);
        buf_byte(b, '{');
        json_put_member(b, "indicator", m.id);
        if (m.name.n)
            json_put_member(b, "name", m.name);
        json_put_member(b, "observable", n->observable);
        json_put_member_u64(b, "count", n->count);
        put_place(b, s, "first", &n->first);
        put_place(b, s, "last", &n->last);
        buf_lit(b, "}\n");
    }
}
