/*
 * The kernel for AArch64, whose processors all have these instructions (Advanced SIMD, or NEON).
 * That it tells what the portable one tells was tested under an emulator. It stands before that one
 * in the table because it has the shape of the AVX2 kernel; no processor's time was measured.
 */
#if defined __aarch64__
#include <arm_neon.h>
#endif

#include "match/kernel_class_priv.h"
#include "match/kernel_priv.h"

#if defined MATCH_NEON
#include "match/kernel_walk_priv.h"

static inline uint8x16_t load(const void *p)
{
    return vld1q_u8(p);
}

static inline uint8x16_t class_of(uint8x16_t bytes)
{
    uint8x16_t lower = vqtbl1q_u8(load(match_class_lower), vandq_u8(bytes, vdupq_n_u8(15)));
    return vandq_u8(lower, vqtbl1q_u8(load(match_class_upper), vshrq_n_u8(bytes, 4)));
}

/* One bit for each of 64 bytes that are 0 or 255: each keeps the bit of its place among eight, and
 * three times neighbours are added. */
static inline uint64_t gather(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
    static const unsigned char places[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                             1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t bit = load(places);
    uint8x16_t first = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
    uint8x16_t second = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
    uint8x16_t all = vpaddq_u8(first, second);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

/* Which of 64 bytes have one of these bits. */
static inline uint64_t having(const uint8x16_t v[4], uint8_t bits)
{
    const uint8x16_t b = vdupq_n_u8(bits);
    return gather(vtstq_u8(v[0], b), vtstq_u8(v[1], b), vtstq_u8(v[2], b), vtstq_u8(v[3], b));
}

static inline uint64_t equal(const uint8x16_t v[4], uint8_t byte)
{
    const uint8x16_t b = vdupq_n_u8(byte);
    return gather(vceqq_u8(v[0], b), vceqq_u8(v[1], b), vceqq_u8(v[2], b), vceqq_u8(v[3], b));
}

static inline __attribute__((always_inline)) void classify(const char *p, struct match_masks *m)
{
    const uint8x16_t v[4] = {load(p), load(p + 16), load(p + 32), load(p + 48)};
    const uint8x16_t k[4] = {class_of(v[0]), class_of(v[1]), class_of(v[2]), class_of(v[3])};
    m->high = having(v, 0x80);
    m->word = having(k, MATCH_CLASS_WORD) | m->high;
    m->dot = equal(v, '.');
    m->digit = having(k, MATCH_CLASS_DIGIT);
    m->colon = having(k, MATCH_CLASS_COLON);
    m->escape = equal(v, '\\');
    m->bracket = having(k, MATCH_CLASS_ROUND | MATCH_CLASS_SQUARE);
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

static size_t count_lines(const char *p, size_t n)
{
    const uint8x16_t feed = vdupq_n_u8('\n');
    size_t lines = 0;
    while (n >= 32) {
        uint8x16_t a = vdupq_n_u8(0), b = a; /* a byte counts to 255 */
        size_t rounds = n / 32 < 255 ? n / 32 : 255;
        n -= rounds * 32;
        for (const char *end = p + rounds * 32; p < end; p += 32) {
            a = vsubq_u8(a, vceqq_u8(load(p), feed));
            b = vsubq_u8(b, vceqq_u8(load(p + 16), feed));
        }
        lines += (size_t)vaddlvq_u8(a) + vaddlvq_u8(b);
    }
    for (; n > 0; p++, n--)
        lines += *p == '\n';
    return lines;
}

const struct match_kernel match_kernel_neon = {"neon", runs, collect, sift, count_lines};
#endif
