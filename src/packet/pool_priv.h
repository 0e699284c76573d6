/* Items of one size in chunks that never move: a number of 4 bytes stands for a pointer. */
#ifndef PACKET_POOL_PRIV_H
#define PACKET_POOL_PRIV_H

#include "packet/packet_priv.h"

#define POOL_CHUNK 4096
#define NONE       UINT32_MAX

struct pool {
    size_t item_bytes;
    unsigned char **chunks;
    size_t chunk_count, chunk_room;
    uint32_t free; /* the first of the free ones, chained by their first 4 bytes */
    uint32_t used;
};

static inline void *pool_at(const struct pool *p, uint32_t i)
{
    return p->chunks[i / POOL_CHUNK] + (size_t)(i % POOL_CHUNK) * p->item_bytes;
}

void pool_init(struct pool *p, size_t item_bytes);
uint32_t pool_take(struct pool *p); /* zeroed; NONE without memory */
void pool_give(struct pool *p, uint32_t i);
void pool_free(struct pool *p); /* and all that was taken */
size_t pool_bytes(const struct pool *p);

#endif
