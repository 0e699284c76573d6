/* Pools: see the header. */
#include "packet/pool_priv.h"

void pool_init(struct pool *p, size_t item_bytes)
{
    p->item_bytes = item_bytes;
    p->free = NONE;
}

static bool pool_grow(struct pool *p)
{
    void *chunks = p->chunks;
    if (!base_grow(&chunks, &p->chunk_room, p->chunk_count + 1, sizeof *p->chunks))
        return false;
    p->chunks = chunks;
    unsigned char *chunk = base_alloc(POOL_CHUNK * p->item_bytes);
    if (!chunk)
        return false;
    uint32_t first = (uint32_t)(p->chunk_count * POOL_CHUNK);
    p->chunks[p->chunk_count++] = chunk;
    for (uint32_t i = POOL_CHUNK; i-- > 0;) {
        uint32_t index = first + i;
        memcpy(pool_at(p, index), &p->free, sizeof p->free);
        p->free = index;
    }
    return true;
}

uint32_t pool_take(struct pool *p)
{
    if (p->free == NONE && !pool_grow(p))
        return NONE;
    uint32_t i = p->free;
    void *item = pool_at(p, i);
    memcpy(&p->free, item, sizeof p->free);
    memset(item, 0, p->item_bytes);
    p->used++;
    return i;
}

void pool_give(struct pool *p, uint32_t i)
{
    memset(pool_at(p, i), 0, p->item_bytes);
    memcpy(pool_at(p, i), &p->free, sizeof p->free);
    p->free = i;
    p->used--;
}

void pool_free(struct pool *p)
{
    for (size_t i = 0; i < p->chunk_count; i++)
        base_free(p->chunks[i]);
    base_free(p->chunks);
}

size_t pool_bytes(const struct pool *p)
{
    return p->chunk_count * POOL_CHUNK * p->item_bytes + p->chunk_room * sizeof *p->chunks;
}
