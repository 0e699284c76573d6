#include "ledger/ledger.h"

#include <stdio.h>
#include <string.h>

#include "ledger/ledger_priv.h"

enum { TILE_HEIGHT = 8, LEVEL_MOST = 63, ENTRY_BYTES = 2 + LEDGER_HASH_BYTES };

/* ---- names ---- */

/* C2SP tlog-tiles: the index in groups of three digits, all but the last begin with `x`. */
static char *put_index(char *end, uint64_t index)
{
    end -= 3;
    for (bool last = true;; last = false) {
        for (int i = 2; i >= 0; i--, index /= 10)
            end[i] = (char)('0' + index % 10);
        if (!last)
            *--end = 'x';
        if (index == 0)
            return end;
        *--end = '/';
        end -= 3;
    }
}

struct str ledger_tile_path(const struct ledger_tile *t, char out[LEDGER_TILE_PATH_BYTES])
{
    char level[12] = "entries", part[16] = "", digits[40], *end = digits + sizeof digits;
    must(t->width > 0 && t->width <= LEDGER_TILE_WIDTH && t->level <= LEDGER_ENTRIES);
    if (t->level < LEDGER_ENTRIES)
        snprintf(level, sizeof level, "%u", t->level);
    if (t->width < LEDGER_TILE_WIDTH)
        snprintf(part, sizeof part, ".p/%u", t->width);
    char *index = put_index(end, t->index);
    int n = snprintf(out, LEDGER_TILE_PATH_BYTES, "tile/%s/%.*s%s", level, (int)(end - index),
                     index, part);
    return (struct str){out, (size_t)n};
}

static bool small_number(struct str s, uint64_t most, unsigned *out)
{
    uint64_t n;
    if (s.n > 3 || !str_to_u64(s, &n) || n > most)
        return false;
    *out = (unsigned)n;
    return true;
}

static bool read_index(struct str s, uint64_t *out)
{
    uint64_t index = 0;
    while (s.p) {
        struct str group = str_cut(&s, '/');
        unsigned n;
        if (s.p && group.n && group.p[0] == 'x')
            group = str_from(group, 1);
        if (group.n != 3 || !small_number(group, 999, &n) || index > LIMIT_LEDGER_LEAVES / 1000 - 1)
            return false;
        index = index * 1000 + n;
    }
    *out = index;
    return true;
}

/* Reads leniently, and then asks whether the tile is written just so. */
bool ledger_tile_parse(struct str path, struct ledger_tile *out, struct err *e)
{
    char again[LEDGER_TILE_PATH_BYTES];
    struct ledger_tile t = {.level = LEDGER_ENTRIES, .width = LEDGER_TILE_WIDTH};
    struct str rest = path, room = str_cut(&rest, '/'), level = str_cut(&rest, '/');
    size_t dot = str_find(rest, '.');
    struct str index = str_slice(rest, 0, dot), part = str_from(rest, dot);
    bool ok = str_eq(room, STR("tile")) && rest.p && read_index(index, &t.index) &&
              (str_eq(level, STR("entries")) || small_number(level, LEVEL_MOST, &t.level)) &&
              (part.n == 0 ||
               (str_starts(part, STR(".p/")) &&
                small_number(str_from(part, 3), LEDGER_TILE_WIDTH - 1, &t.width) && t.width > 0));
    if (!ok || !str_eq(ledger_tile_path(&t, again), path))
        return err_set(e, ERR_SYNTAX, "no path of a tile");
    *out = t;
    return true;
}

/* ---- shape ---- */

unsigned ledger_tile_width(unsigned level, uint64_t index, uint64_t size)
{
    if (level == LEDGER_ENTRIES)
        level = 0;
    uint64_t hashes = level > LEVEL_MOST / TILE_HEIGHT ? 0 : size >> (TILE_HEIGHT * level);
    if (index < hashes / LEDGER_TILE_WIDTH)
        return LEDGER_TILE_WIDTH;
    return index == hashes / LEDGER_TILE_WIDTH ? (unsigned)(hashes % LEDGER_TILE_WIDTH) : 0;
}

/* ---- appending ---- */

/* Hashes that join one level, and those of its tiles that this fills. */
struct level {
    unsigned level;
    uint64_t before; /* hashes that the level has */
    const struct ledger_hash *hashes;
    size_t count;
    struct ledger_hash *full; /* may be the same memory: what is there has been read before */
    size_t full_count;
};

static bool append_tile(const struct ledger_tiles *tiles, struct level *l, struct err *e)
{
    struct ledger_hash tile[LEDGER_TILE_WIDTH];
    unsigned kept = (unsigned)(l->before % LEDGER_TILE_WIDTH), more = LEDGER_TILE_WIDTH - kept;
    struct ledger_tile t = {l->level, l->before / LEDGER_TILE_WIDTH, kept};
    if (kept && !tiles->read(tiles->ctx, &t, tile, e))
        return false;
    if (more > l->count)
        more = (unsigned)l->count;
    memcpy(&tile[kept], l->hashes, more * sizeof *tile);
    t.width = kept + more;
    if (!tiles->write(tiles->ctx, &t, kept, tile, e))
        return false;
    l->before += more;
    l->hashes += more;
    l->count -= more;
    if (t.width == LEDGER_TILE_WIDTH)
        ledger_full_root(tile, LEDGER_TILE_WIDTH, &l->full[l->full_count++]);
    return true;
}

bool ledger_tiles_append(const struct ledger_tiles *tiles, uint64_t size,
                         const struct ledger_hash *leaves, size_t count, struct err *e)
{
    must(size <= LIMIT_LEDGER_LEAVES && count <= LIMIT_LEDGER_LEAVES - size);
    struct ledger_hash *full = base_alloc((count / LEDGER_TILE_WIDTH + 1) * sizeof *full);
    if (!full)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = true;
    for (unsigned level = 0; count && ok; level++) {
        struct level l = {level, size >> (TILE_HEIGHT * level), leaves, count, full, 0};
        while (l.count && ok)
            ok = append_tile(tiles, &l, e);
        leaves = full;
        count = l.full_count;
    }
    base_free(full);
    return ok;
}

/* ---- entry bundles ---- */

void ledger_bundle_put(const struct ledger_hash *entries, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        buf_put(out, (const char[]){0, LEDGER_HASH_BYTES}, 2);
        buf_put(out, &entries[i], LEDGER_HASH_BYTES);
    }
}

bool ledger_bundle_get(struct str bytes, struct ledger_hash *out, size_t count, struct err *e)
{
    bool ok = bytes.n / ENTRY_BYTES == count && bytes.n % ENTRY_BYTES == 0;
    for (size_t i = 0; i < count && ok; i++)
        ok = bytes.p[i * ENTRY_BYTES] == 0 && bytes.p[i * ENTRY_BYTES + 1] == LEDGER_HASH_BYTES;
    if (!ok)
        return err_set(e, ERR_SYNTAX, "no bundle of %zu entries", count);
    for (size_t i = 0; i < count; i++)
        memcpy(&out[i], bytes.p + i * ENTRY_BYTES + 2, LEDGER_HASH_BYTES);
    return true;
}
