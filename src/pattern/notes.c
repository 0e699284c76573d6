#include "pattern/pattern_priv.h"

static const struct {
    const char *name, *text;
    bool departs;
} notes[] = {
#define X(name, id, departs, text) {id, text, departs},
    PATTERN_NOTE_TABLE(X)
#undef X
};

const char *pattern_note_name(enum pattern_note_kind kind)
{
    return notes[kind].name;
}

const char *pattern_note_text(enum pattern_note_kind kind)
{
    return notes[kind].text;
}

bool pattern_note_departs(enum pattern_note_kind kind)
{
    return notes[kind].departs;
}

size_t pattern_notes(const struct pattern *p, struct pattern_note out[PATTERN_NOTE_COUNT])
{
    size_t n = 0;
    for (size_t k = 0; k < PATTERN_NOTE_COUNT; k++)
        if (p->notes[k].count)
            out[n++] =
                (struct pattern_note){(enum pattern_note_kind)k, p->notes[k].at, p->notes[k].count};
    return n;
}
