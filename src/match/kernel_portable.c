/* The kernel for any processor: a table look-up a byte, eight of them gathered by one product. */
#include "match/kernel_priv.h"
#include "match/kernel_walk_priv.h"

#define W 1        /* word */
#define D (W | 2)  /* dot */
#define C 4        /* colon */
#define B 8        /* bracket */
#define E 16       /* escape */
#define H (W | 32) /* above ASCII */
#define N (W | 64) /* digit */
static const unsigned char kinds[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* controls */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* controls */
    0, 0, 0, 0, 0, 0, 0, 0, B, B, 0, 0, 0, W, D, 0, /*  !"#$%&'()*+,-./ */
    N, N, N, N, N, N, N, N, N, N, C, 0, 0, 0, 0, 0, /* 0123456789:;<=>? */
    0, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* @ABCDEFGHIJKLMNO */
    W, W, W, W, W, W, W, W, W, W, W, B, E, B, 0, W, /* PQRSTUVWXYZ[\]^_ */
    0, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* `abcdefghijklmno */
    W, W, W, W, W, W, W, W, W, W, W, 0, 0, 0, 0, 0, /* pqrstuvwxyz{|}~ */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* above ASCII */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
};
#undef W
#undef D
#undef C
#undef B
#undef E
#undef H
#undef N

/* The lowest bits of eight bytes, the first in the lowest. */
static uint64_t gather(uint64_t bytes)
{
    return (bytes & 0x0101010101010101u) * 0x0102040810204080u >> 56;
}

static void classify(const char *p, struct match_masks *m)
{
    *m = (struct match_masks){0};
    for (unsigned i = 0; i < MATCH_BLOCK; i += 8) {
        unsigned char k[8];
        for (unsigned j = 0; j < 8; j++)
            k[j] = kinds[(unsigned char)p[i + j]];
        uint64_t all = match_load((const char *)k);
        m->word |= gather(all) << i;
        m->dot |= gather(all >> 1) << i;
        m->colon |= gather(all >> 2) << i;
        m->bracket |= gather(all >> 3) << i;
        m->escape |= gather(all >> 4) << i;
        m->high |= gather(all >> 5) << i;
        m->digit |= gather(all >> 6) << i;
    }
}

static bool runs(void)
{
    return true;
}

static void collect(struct match_pass *x)
{
    match_collect(x, classify, match_list);
}

static void sift(struct match_pass *x)
{
    match_sift_all(x);
}

/* The inner loop has a fixed count so that the compiler makes vector code of it. */
static size_t count_lines(const char *p, size_t n)
{
    size_t lines = 0;
    for (; n >= 64; p += 64, n -= 64) {
        unsigned char sum = 0;
        for (size_t i = 0; i < 64; i++)
            sum = (unsigned char)(sum + (p[i] == '\n'));
        lines += sum;
    }
    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n';
    return lines;
}

const struct match_kernel match_kernel_portable = {"portable", runs, collect, sift, count_lines};
