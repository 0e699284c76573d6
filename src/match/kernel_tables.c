/* The tables that all kernels read. A kernel needs no other file of the room, so that it can be
 * tested by itself, on a processor that is none of this machine's. */
#include "match/kernel_priv.h"
#include "match/kernel_walk_priv.h"

#define DIGITS                                                                                     \
    ['0'] = MATCH_DIGIT, ['1'] = MATCH_DIGIT, ['2'] = MATCH_DIGIT, ['3'] = MATCH_DIGIT,            \
    ['4'] = MATCH_DIGIT, ['5'] = MATCH_DIGIT, ['6'] = MATCH_DIGIT, ['7'] = MATCH_DIGIT,            \
    ['8'] = MATCH_DIGIT, ['9'] = MATCH_DIGIT
const unsigned char match_edge[256] = {['.'] = MATCH_ODD_LAST | MATCH_ODD_FIRST,
                                       ['-'] = MATCH_ODD_LAST | MATCH_ODD_FIRST,
                                       ['_'] = MATCH_ODD_LAST,
                                       ['%'] = MATCH_ODD_BEFORE,
                                       DIGITS};
#undef DIGITS

#define FAR(n)                                                                                     \
    {                                                                                              \
        UINT64_MAX << (128 - 8 * (n)), UINT64_MAX                                                  \
    }
#define NEAR(n)                                                                                    \
    {                                                                                              \
        0, UINT64_MAX << (64 - 8 * (n))                                                            \
    }
#define ALL                                                                                        \
    {                                                                                              \
        UINT64_MAX, UINT64_MAX                                                                     \
    }
#define ALL_8 ALL, ALL, ALL, ALL, ALL, ALL, ALL, ALL
const uint64_t match_place_masks[64][2] = {{0, 0},  NEAR(1), NEAR(2), NEAR(3), NEAR(4), NEAR(5),
                                           NEAR(6), NEAR(7), NEAR(8), FAR(9),  FAR(10), FAR(11),
                                           FAR(12), FAR(13), FAR(14), FAR(15), ALL_8,   ALL_8,
                                           ALL_8,   ALL_8,   ALL_8,   ALL_8};
#undef FAR
#undef NEAR
#undef ALL
#undef ALL_8
