/* `setu detect --mute-share`: an indicator that matches a large part of what is written is a
 * mistake of who made it (a name server, a portal of one's own), and would bury the others. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/detect_priv.h"

/* Below so many lines no share is judged: the first line of a log would be all of it. */
#define LEAST_LINES 1000

struct detect_mute {
    struct sensor_tally *tally;
    double share;
    uint64_t input; /* hash of the input's name; another one is counted anew */
    struct counted {
        uint64_t lines, last; /* lines of this input it was found in; the last of them */
        uint64_t muted;       /* alerts that were not told, of all inputs */
        bool now;
    } * list; /* of each in the tally */
    size_t count, room;
};

struct detect_mute *detect_mute_new(struct str share, struct err *e)
{
    char *end;
    double value = strtod(share.p, &end);
    struct detect_mute *m;
    if (*end || !(value > 0 && value < 1)) {
        (void)err_set(e, ERR_USAGE, "--mute-share %s: a number between 0 and 1, as 0.01", share.p);
        return NULL;
    }
    m = base_alloc(sizeof *m);
    if (!m || !sensor_tally_new(&m->tally, e)) {
        detect_mute_free(m);
        (void)err_set(e, ERR_MEMORY, "no memory to count alerts");
        return NULL;
    }
    m->share = value;
    return m;
}

void detect_mute_free(struct detect_mute *m)
{
    if (m) {
        sensor_tally_free(m->tally);
        base_free(m->list);
    }
    base_free(m);
}

static void begin_input(struct detect_mute *m, uint64_t input)
{
    m->input = input;
    for (size_t i = 0; i < m->count; i++) {
        m->list[i].lines = m->list[i].last = 0;
        m->list[i].now = false;
    }
}

bool detect_mute_is(struct detect_mute *m, const struct sensor_alert *a)
{
    uint64_t input = str_hash(a->input, 1), line = a->frame ? a->frame : a->line;
    size_t number;
    void *list = m->list;
    if (!sensor_tally_of(m->tally, a->indicator, &number) ||
        !base_grow(&list, &m->room, number + 1, sizeof *m->list))
        return false; /* what cannot be counted is told */
    m->list = list;
    for (; m->count <= number; m->count++)
        m->list[m->count] = (struct counted){0};
    struct counted *c = &m->list[number];
    if (input != m->input)
        begin_input(m, input);
    if (c->now) {
        c->muted++;
        return true;
    }
    c->lines += c->last != line;
    c->last = line;
    c->now = line >= LEAST_LINES && (double)c->lines > m->share * (double)line;
    return false;
}

void detect_mute_tell(const struct detect_mute *m, const char *command)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->list[i].muted == 0)
            continue;
        const struct match_indicator of = sensor_tally_get(m->tally, i);
        struct buf b;
        buf_init(&b, 0);
        buf_printable(&b, of.id, 200);
        if (of.name.n) {
            buf_lit(&b, " (");
            buf_printable(&b, of.name, 200);
            buf_byte(&b, ')');
        }
        fprintf(
            stderr,
            "setu %s: warning: %.*s is found in more than a share of %g: muted, %llu alerts are "
            "not told\n",
            command, STR_FMT(buf_view(&b)), m->share, (unsigned long long)m->list[i].muted);
        buf_done(&b);
    }
}
