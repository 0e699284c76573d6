/* A pattern in both versions: parse, print, parse the print again: same tree, same print. */
#include "pattern/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool take_atom(void *ctx, const struct pattern_atom *atom)
{
    size_t *bytes = ctx;
    *bytes += atom->object_type.n + atom->path.n + atom->value.n;
    return true;
}

static void try(struct arena *arena, struct str text, enum pattern_version version)
{
    struct pattern *once, *twice;
    struct pattern_note notes[PATTERN_NOTE_COUNT];
    struct buf a = {0}, b = {0};
    struct err e = {0};
    size_t bytes = 0;
    if (!pattern_parse(arena, text, version, &once, &e)) {
        must(e.code != ERR_NONE && e.at <= text.n && e.msg[0]);
        must(utf8_valid(str_of(e.msg)) || e.code == ERR_LIMIT);
        return;
    }
    pattern_print(once, &a);
    must(pattern_notes(once, notes) <= PATTERN_NOTE_COUNT);
    pattern_atoms(once, take_atom, &bytes, NULL);
    if (pattern_parse(arena, buf_view(&a), version, &twice, &e)) {
        pattern_print(twice, &b);
        must(pattern_equal(once, twice) && str_eq(buf_view(&a), buf_view(&b)));
    } else {
        must(e.code == ERR_LIMIT && a.n > LIMIT_PATTERN_BYTES); /* the print may be longer */
    }
    buf_done(&a);
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct arena *arena;
    struct str text = {(const char *)data, n};
    if (!arena)
        arena = arena_new((size_t)1 << 28);
    must(arena);
    arena_reset(arena);
    try(arena, text, PATTERN_STIX_20);
    arena_reset(arena);
    try(arena, text, PATTERN_STIX_21);
    return 0;
}
