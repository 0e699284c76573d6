/* The public record of dialogues that the program carries, and looking into it. */
#include "dialogue/dialogue_priv.h"

static const enum dialogue_data registers[] = {DIALOGUE_INDIA_JAPAN};

static bool same_sides(const struct reading *r, const struct json *reg)
{
    const struct json *sides = json_get(reg, STR("sides"));
    if (!json_is(sides, JSON_ARRAY) || sides->count != r->d->side_count)
        return false;
    for (const struct json *v = sides->u.child; v; v = v->next)
        if (!json_is(v, JSON_STRING) || !side_known(r, v->u.s))
            return false;
    return true;
}

bool register_open(struct reading *r, struct json_reader *jr, struct err *e)
{
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        const struct json *reg;
        if (!json_parse(jr, r->a, dialogue_data(registers[i]), false, &reg, e))
            return err_prefix(e, "the register of dialogues");
        if (same_sides(r, reg))
            r->reg = reg;
    }
    return true;
}

const struct json *register_round(const struct json *reg, unsigned ordinal)
{
    const struct json *rounds = json_get(reg, STR("rounds"));
    for (const struct json *v = rounds ? rounds->u.child : NULL; v; v = v->next) {
        const struct json *n = json_get(v, STR("ordinal"));
        if (json_is(n, JSON_INTEGER) && n->u.i == (int64_t)ordinal)
            return v;
    }
    return NULL;
}

const struct json *register_fact(const struct json *round, const char *name)
{
    return json_get(json_get(round, str_of(name)), STR("value"));
}

struct str register_sources(const struct reading *r, const struct json *fact)
{
    const struct json *ids = json_get(fact, STR("sources"));
    const struct json *sources = json_get(r->reg, STR("sources"));
    struct str out = STR_NONE;
    for (const struct json *v = json_is(ids, JSON_ARRAY) ? ids->u.child : NULL; v; v = v->next) {
        const struct json *s = json_is(v, JSON_STRING) ? json_get(sources, v->u.s) : NULL;
        out = arena_printf(r->a, "%.*s%s%.*s, %.*s", STR_FMT(out), out.n ? "; " : "",
                           STR_FMT(json_get_str(s, STR("title"))),
                           STR_FMT(json_get_str(s, STR("url"))));
    }
    return out;
}
