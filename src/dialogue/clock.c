/* Deadlines. All arithmetic is in UTC, where no hour is missing or twice; zones only show. */
#include "dialogue/dialogue.h"

static bool clock_sound(const struct dialogue_clock *c, struct err *e)
{
    if (c->length_s < 0 || c->length_s > LIMIT_DIALOGUE_CLOCK_S)
        return err_set(e, ERR_LIMIT, "a clock runs for at most %d seconds", LIMIT_DIALOGUE_CLOCK_S);
    if (c->pause_count > LIMIT_DIALOGUE_PAUSES)
        return err_set(e, ERR_LIMIT, "a clock has at most %d pauses", LIMIT_DIALOGUE_PAUSES);
    if (c->start_us < -(INT64_MAX / 4) || c->start_us > INT64_MAX / 4)
        return err_set(e, ERR_INVALID, "a clock starts at no such instant");
    for (size_t i = 0; i < c->pause_count; i++)
        if (c->pauses[i].to_us < c->pauses[i].from_us)
            return err_set(e, ERR_INVALID, "a pause ends before it begins");
    return true;
}

/* The pause that goes on or begins first at `at` or behind it, before `until`; false: none. */
static bool pause_next(const struct dialogue_clock *c, int64_t at, int64_t until,
                       struct dialogue_pause *out)
{
    bool found = false;
    for (size_t i = 0; i < c->pause_count; i++) {
        struct dialogue_pause p = c->pauses[i];
        if (p.to_us <= at || p.from_us >= until || p.from_us == p.to_us)
            continue;
        p.from_us = p.from_us < at ? at : p.from_us;
        if (!found || p.from_us < out->from_us ||
            (p.from_us == out->from_us && p.to_us > out->to_us))
            *out = p;
        found = true;
    }
    return found;
}

bool dialogue_clock_due(const struct dialogue_clock *c, int64_t now_us, int64_t *due_us,
                        struct err *e)
{
    if (!clock_sound(c, e))
        return false;
    int64_t at = c->start_us, due = c->start_us + c->length_s * 1000000;
    struct dialogue_pause p = {0, 0};
    while (c->pausable && pause_next(c, at, due, &p)) {
        /* A pause that goes on has moved the deadline by what of it has passed. */
        int64_t to = p.to_us == INT64_MAX ? (now_us > p.from_us ? now_us : p.from_us) : p.to_us;
        if (to > INT64_MAX / 2)
            return err_set(e, ERR_INVALID, "a pause ends at no such instant");
        due += to - p.from_us;
        at = to;
        if (p.to_us == INT64_MAX)
            break;
    }
    *due_us = due;
    return true;
}

bool dialogue_clock_state(const struct dialogue_clock *c, int64_t now_us,
                          enum dialogue_clock_state *out, struct err *e)
{
    int64_t due;
    bool stopped = c->stopped_us <= now_us;
    if (!dialogue_clock_due(c, stopped ? c->stopped_us : now_us, &due, e))
        return false;
    if (stopped) {
        *out = c->stopped_us <= due ? DIALOGUE_CLOCK_MET : DIALOGUE_CLOCK_MET_LATE;
        return true;
    }
    *out = now_us > due ? DIALOGUE_CLOCK_OVERDUE : DIALOGUE_CLOCK_RUNNING;
    for (size_t i = 0; c->pausable && i < c->pause_count && *out == DIALOGUE_CLOCK_RUNNING; i++)
        if (c->pauses[i].from_us <= now_us && now_us < c->pauses[i].to_us)
            *out = DIALOGUE_CLOCK_PAUSED;
    return true;
}

const char *dialogue_clock_name(enum dialogue_clock_state s)
{
    static const char *const names[] = {"running", "paused", "met", "met-late", "overdue", "void"};
    must((size_t)s < sizeof names / sizeof *names);
    return names[s];
}

/* ---- the clocks that the program carries ---- */

struct dialogue_clocks {
    const struct json *clocks, *zones;
};

bool dialogue_clocks_load(struct arena *a, struct json_reader *jr,
                          const struct dialogue_clocks **out, struct err *e)
{
    const struct json *v;
    struct dialogue_clocks *c = arena_calloc(a, 1, sizeof *c);
    if (!c)
        return arena_ok(a, e) ? err_set(e, ERR_MEMORY, "no memory for clocks") : false;
    if (!json_parse(jr, a, dialogue_reference(DIALOGUE_REFERENCE_CLOCKS), false, &v, e))
        return err_prefix(e, "data/clocks.json");
    c->clocks = json_get(v, STR("clocks"));
    c->zones = json_get(v, STR("zones"));
    must(json_is(c->clocks, JSON_ARRAY) && json_is(c->zones, JSON_OBJECT));
    *out = c;
    return true;
}

bool dialogue_clocks_find(const struct dialogue_clocks *c, struct str id, struct dialogue_law *out)
{
    for (const struct json *v = c->clocks->u.child; v; v = v->next) {
        const struct json *seconds = json_get(v, STR("seconds"));
        if (!str_eq(json_get_str(v, STR("id")), id) || !json_is(seconds, JSON_INTEGER))
            continue;
        *out = (struct dialogue_law){.id = json_get_str(v, STR("id")),
                                     .nation = json_get_str(v, STR("nation")),
                                     .what = json_get_str(v, STR("what")),
                                     .instrument = json_get_str(v, STR("instrument")),
                                     .seconds = seconds->u.i,
                                     .pausable = json_is(json_get(v, STR("pausable")), JSON_TRUE)};
        return true;
    }
    return false;
}

struct str dialogue_clocks_zone(const struct dialogue_clocks *c, struct str nation)
{
    struct str zone = json_get_str(c->zones, nation);
    return zone.n ? zone : STR("UTC");
}
