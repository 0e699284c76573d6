/* Any bytes as a JSON text: every value has its place in it; the canonical form is its own. */
#include <stdint.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static struct json_reader *reader;

/* Siblings follow each other inside their parent; names and strings are UTF-8. */
static void look(struct str text, const struct json *v, unsigned depth)
{
    size_t from = v->at + 1, count = 0;
    must(v->at < v->end && v->end <= text.n && depth <= LIMIT_JSON_DEPTH);
    must(v->type != JSON_STRING || utf8_valid(v->u.s));
    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY)
        return;
    for (const struct json *m = v->u.child; m != NULL; m = m->next, count++) {
        if (v->type == JSON_OBJECT) {
            must(m->key_at >= from && text.p[m->key_at] == '"' && m->key_at < m->at);
            must(utf8_valid(m->key) && json_get(v, m->key) == m);
        }
        must(m->at >= from && m->end < v->end);
        look(text, m, depth + 1);
        from = m->end;
    }
    must(count == v->count);
}

static void check_canonical(struct arena *arena, const struct json *v)
{
    struct buf once = {0}, twice = {0};
    const struct json *again;
    struct err e;
    must(json_canonical(v, &once, &e));
    must(json_parse(reader, arena, buf_view(&once), false, &again, &e));
    must(json_canonical(again, &twice, &e) && str_eq(buf_view(&once), buf_view(&twice)));
    buf_done(&once);
    buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static struct arena *arena;
    struct str text = {(const char *)data, n};
    const struct json *v, *again;
    struct err e = {0};
    if (reader == NULL) {
        reader = json_reader_new();
        arena = arena_new((size_t)64 << 20);
        must(reader != NULL && arena != NULL);
    }
    arena_reset(arena);
    if (!json_parse(reader, arena, text, false, &v, &e)) {
        must((e.code == ERR_SYNTAX || e.code == ERR_LIMIT) && e.at <= n && e.msg[0] != '\0');
        return 0;
    }
    look(text, v, 0);
    must(json_parse(reader, arena, json_source(text, v), false, &again, &e));
    must(json_equal(v, again) && json_equal(again, v));
    check_canonical(arena, v);
    return 0;
}
