/* Objects of the dialogue that others made: an array of them. Each is judged by its schema; sound
 * steps make a life, taken by either side. A step that does not count changes nothing but the
 * clock, and what is due can be told at any instant. */
#include "base/base.h"
#include "dialogue/dialogue.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void count(void *ctx, size_t at, struct str path, struct str message)
{
    size_t *findings = ctx;
    (void)at;
    must(path.n > 0 && message.n > 0);
    ++*findings;
}

static void look(const struct dialogue_life *l, int64_t at_us)
{
    const struct dialogue_law law = {.seconds = 21600};
    struct dialogue_deadline d;
    bool known = dialogue_life_acknowledge(l, at_us, &d);
    known = dialogue_life_answer(l, at_us, &d) || known;
    known = dialogue_life_law(l, &law, 0, at_us, &d) || known;
    must(known == (l->sent_us != 0));
    must(!l->paused || l->pauses[l->pause_count - 1].to_us == INT64_MAX);
}

static void step(struct dialogue_life *l, const struct json *v, enum dialogue_party by)
{
    struct dialogue_move m;
    struct err e = {0};
    dialogue_move_read(v, &m);
    struct dialogue_step s = {m.event, m.from, m.to, by, m.at_us};
    dialogue_life_until(l, m.at_us);
    struct dialogue_life before = *l;
    if (dialogue_life_take(l, &s, &e)) {
        must(s.event == DIALOGUE_MOVES ? l->state == m.to : l->state == before.state);
    } else {
        must(e.code == ERR_CONFLICT || e.code == ERR_LIMIT);
        must(memcmp(l, &before, sizeof before) == 0);
    }
    look(l, m.at_us);
    look(l, m.at_us + 3600000000);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static struct json_reader *reader;
    static struct arena *a, *schemas;
    static const struct dialogue_rules *rules;
    struct str text = {(const char *)data, n};
    const struct json *v;
    struct dialogue_life l;
    struct err e;
    if (!reader) {
        reader = json_reader_new();
        a = arena_new((size_t)1 << 28);
        schemas = arena_new((size_t)1 << 24);
        must(reader && a && schemas && dialogue_rules_load(schemas, reader, &rules, &e));
    }
    must(arena_used(schemas) > 0); /* they stay */
    arena_reset(a);
    if (!json_parse(reader, a, text, false, &v, &e) || v->type != JSON_ARRAY)
        return 0;
    dialogue_life_begin(&l, (int64_t)(n % 7) * 3600000000, INT64_C(1772928000000000));
    for (v = v->u.child; v; v = v->next) {
        size_t findings = 0;
        enum dialogue_type type;
        must(dialogue_object_check(rules, v, count, &findings) == findings);
        if (findings == 0 && dialogue_type_of(json_get_str(v, STR("type")), &type) &&
            type == DIALOGUE_MOVE)
            step(&l, v,
                 str_ends(json_get_str(v, STR("created_by_ref")), STR("a")) ? DIALOGUE_ASKING
                                                                            : DIALOGUE_ASKED);
    }
    return 0;
}
