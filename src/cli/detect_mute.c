/* `setu detect --mute-share`: an indicator that matches a large part of what is written is a
 * mistake of who made it (a name server, a portal of one's own), and would bury the others. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/detect_priv.h"

/* Below so many lines no share is judged: the first line of a log would be all of it. */
#define LEAST_LINES 1000

#define FIRST_ROOM 1024

/* Lines of one input in which an indicator was found. */
struct found {
    uint64_t input;   /* hash of its name */
    size_t indicator; /* its number in the tally */
    bool muted;
    uint64_t lines, last; /* the last of them; lines 0: the place is free */
};

struct detect_mute {
    struct sensor_tally *tally;
    double share;
    uint64_t *muted; /* alerts that were not told of each in the tally */
    size_t muted_count, muted_room;
    struct found *found;
    size_t count, room; /* room: a power of two, of which at most three quarters are used */
};

static bool make_room(struct detect_mute *m, size_t room)
{
    m->found = base_alloc(room * sizeof *m->found);
    m->count = 0;
    m->room = m->found ? room : 0;
    return m->found != NULL;
}

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
    if (!m || !sensor_tally_new(&m->tally, e) || !make_room(m, FIRST_ROOM)) {
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
        base_free(m->muted);
        base_free(m->found);
    }
    base_free(m);
}

static struct found *place_of(struct detect_mute *m, uint64_t input, size_t indicator)
{
    size_t at = (input ^ indicator * UINT64_C(0x9e3779b97f4a7c15)) & (m->room - 1);
    while (m->found[at].lines &&
           (m->found[at].input != input || m->found[at].indicator != indicator))
        at = (at + 1) & (m->room - 1);
    return &m->found[at];
}

/* Room for one more. Over the limit, or without memory, all inputs are judged anew. */
static void grow(struct detect_mute *m)
{
    struct found *old = m->found;
    size_t count = m->count, room = m->room;
    if (count < room / 4 * 3)
        return;
    if (room < LIMIT_CLI_MUTE_PLACES && make_room(m, 2 * room)) {
        for (size_t i = 0; i < room; i++)
            if (old[i].lines)
                *place_of(m, old[i].input, old[i].indicator) = old[i];
        m->count = count;
        base_free(old);
        return;
    }
    m->found = old;
    m->room = room;
    m->count = 0;
    memset(old, 0, room * sizeof *old);
}

/* Which set found it does not matter. */
static bool number_of(struct detect_mute *m, const struct sensor_alert *a, size_t *number)
{
    void *muted = m->muted;
    if (!sensor_tally_of(m->tally, a->indicator, number) ||
        !base_grow(&muted, &m->muted_room, *number + 1, sizeof *m->muted))
        return false;
    m->muted = muted;
    while (m->muted_count <= *number)
        m->muted[m->muted_count++] = 0;
    return true;
}

bool detect_mute_is(struct detect_mute *m, const struct sensor_alert *a)
{
    uint64_t line = a->frame ? a->frame : a->line;
    size_t number;
    if (!number_of(m, a, &number))
        return false; /* what cannot be counted is told */
    grow(m);
    struct found *f = place_of(m, str_hash(a->input, 1), number);
    if (f->muted && line >= f->last) {
        f->last = line;
        m->muted[number]++;
        return true;
    }
    if (f->lines == 0 || line < f->last) { /* an input of that name that begins */
        m->count += f->lines == 0;
        *f = (struct found){.input = str_hash(a->input, 1), .indicator = number};
    }
    f->lines += f->last != line;
    f->last = line;
    f->muted = line >= LEAST_LINES && (double)f->lines > m->share * (double)line;
    return false;
}

void detect_mute_tell(const struct detect_mute *m, const char *command)
{
    for (size_t i = 0; i < m->muted_count; i++) {
        if (m->muted[i] == 0)
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
            command, STR_FMT(buf_view(&b)), m->share, (unsigned long long)m->muted[i]);
        buf_done(&b);
    }
}
