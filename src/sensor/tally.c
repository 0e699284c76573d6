/* Numbers of the indicators that were seen: open addressing by the hash of their ids. */
#include "sensor/sensor_priv.h"

struct sensor_tally {
    struct arena *text;
    struct match_indicator *list;
    size_t count, room;
    uint32_t *slots; /* number + 1; 0 is empty */
    size_t mask;
    uint64_t seed;
};

#define FIRST_SLOTS 256

bool sensor_tally_new(struct sensor_tally **out, struct err *e)
{
    struct sensor_tally *t = base_alloc(sizeof *t);
    if (t) {
        base_random(&t->seed, sizeof t->seed);
        t->text = arena_new(LIMIT_ARENA_FILE_BYTES);
        t->mask = FIRST_SLOTS - 1;
        t->slots = base_alloc(FIRST_SLOTS * sizeof *t->slots);
    }
    if (!t || !t->text || !t->slots) {
        sensor_tally_free(t);
        return err_set(e, ERR_MEMORY, "no memory to count what is seen");
    }
    *out = t;
    return true;
}

void sensor_tally_free(struct sensor_tally *t)
{
    if (!t)
        return;
    arena_free(t->text);
    base_free(t->list);
    base_free(t->slots);
    base_free(t);
}

static size_t slot_of(const struct sensor_tally *t, struct str id)
{
    size_t at = str_hash(id, t->seed) & t->mask;
    while (t->slots[at] && !str_eq(t->list[t->slots[at] - 1].id, id))
        at = (at + 1) & t->mask;
    return at;
}

/* Keeps the table at most half full. */
static bool make_room(struct sensor_tally *t)
{
    void *list = t->list;
    if (!base_grow(&list, &t->room, t->count + 1, sizeof *t->list))
        return false;
    t->list = list;
    if ((t->count + 1) * 2 <= t->mask)
        return true;
    size_t bytes, size = (t->mask + 1) * 2;
    uint32_t *slots = size_mul(size, sizeof *slots, &bytes) ? base_alloc(bytes) : NULL;
    if (!slots || t->count >= UINT32_MAX / 2) {
        base_free(slots);
        return false;
    }
    base_free(t->slots);
    t->slots = slots;
    t->mask = size - 1;
    for (size_t i = 0; i < t->count; i++)
        t->slots[slot_of(t, t->list[i].id)] = (uint32_t)i + 1;
    return true;
}

static void renew(struct sensor_tally *t, struct str *was, struct str is)
{
    if (!str_eq(*was, is))
        *was = is.n ? arena_str(t->text, is) : STR_NONE;
}

bool sensor_tally_of(struct sensor_tally *t, const struct match_indicator *m, size_t *number)
{
    struct err ignored;
    if (!make_room(t))
        return false;
    uint32_t *slot = &t->slots[slot_of(t, m->id)];
    size_t n = *slot ? *slot - 1 : t->count;
    struct match_indicator *is = &t->list[n];
    if (!*slot)
        *is = (struct match_indicator){.id = arena_str(t->text, m->id)};
    renew(t, &is->name, m->name);
    renew(t, &is->tlp, m->tlp);
    renew(t, &is->marks, m->marks);
    is->stix = m->stix;
    if (!arena_ok(t->text, &ignored))
        return false;
    if (!*slot)
        *slot = (uint32_t)++t->count;
    *number = n;
    return true;
}

size_t sensor_tally_count(const struct sensor_tally *t)
{
    return t->count;
}

struct match_indicator sensor_tally_get(const struct sensor_tally *t, size_t number)
{
    must(number < t->count);
    return t->list[number];
}
