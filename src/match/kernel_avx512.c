/* The kernel for x86-64 with AVX-512 (F, BW, VL, VBMI, VBMI2): one look-up classifies 64 bytes. */
#if defined __x86_64__
#include <immintrin.h>
#endif

#include "match/kernel_priv.h"

#if defined __x86_64__
#define TARGET "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi,bmi2,lzcnt,popcnt"
#if defined __clang__
#pragma clang attribute push(__attribute__((target(TARGET))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi,bmi2,lzcnt,popcnt")
#endif
#include "match/kernel_walk_priv.h"

#define W 1       /* word */
#define D (W | 2) /* dot */
#define N (W | 4) /* digit */
#define C 8       /* colon */
#define B 16      /* bracket */
#define E 32      /* escape */
static const unsigned char kinds[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* controls */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* controls */
    0, 0, 0, 0, 0, 0, 0, 0, B, B, 0, 0, 0, W, D, 0, /*  !"#$%&'()*+,-./ */
    N, N, N, N, N, N, N, N, N, N, C, 0, 0, 0, 0, 0, /* 0123456789:;<=>? */
    0, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* @ABCDEFGHIJKLMNO */
    W, W, W, W, W, W, W, W, W, W, W, B, E, B, 0, W, /* PQRSTUVWXYZ[\]^_ */
    0, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* `abcdefghijklmno */
    W, W, W, W, W, W, W, W, W, W, W, 0, 0, 0, 0, 0, /* pqrstuvwxyz{|}~ */
};

static inline __m512i load(const void *p)
{
    return _mm512_loadu_si512(p);
}

static inline __attribute__((always_inline)) uint64_t of_kind(__m512i k, int kind)
{
    return _cvtmask64_u64(_mm512_test_epi8_mask(k, _mm512_set1_epi8((char)kind)));
}

static inline __attribute__((always_inline)) void classify(const char *p, struct match_masks *m)
{
    __m512i bytes = load(p);
    __mmask64 high = _mm512_movepi8_mask(bytes);
    __m512i k =
        _mm512_maskz_permutex2var_epi8(_knot_mask64(high), load(kinds), bytes, load(kinds + 64));
    m->high = _cvtmask64_u64(high);
    m->word = of_kind(k, 1) | m->high;
    m->dot = of_kind(k, 2);
    m->digit = of_kind(k, 4);
    m->colon = of_kind(k, C);
    m->bracket = of_kind(k, B);
    m->escape = of_kind(k, E);
}
#undef W
#undef D
#undef N
#undef C
#undef B
#undef E

/* Sixteen places are written at once; more are rare. */
static inline __attribute__((always_inline)) unsigned list(uint16_t *p, size_t at, uint64_t bits)
{
    static const unsigned char places[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    unsigned n = (unsigned)__builtin_popcountll(bits);
    __m512i found = _mm512_maskz_compress_epi8(_cvtu64_mask64(bits), load(places));
    __m256i base = _mm256_set1_epi16((short)at);
    __m256i first = _mm256_cvtepu8_epi16(_mm512_castsi512_si128(found));
    _mm256_storeu_si256((__m256i *)(void *)p, _mm256_add_epi16(first, base));
    if (n > 16) {
        __m256i rest = _mm256_cvtepu8_epi16(_mm512_extracti32x4_epi32(found, 1));
        _mm256_storeu_si256((__m256i *)(void *)(p + 16), _mm256_add_epi16(rest, base));
    }
    return n;
}

static bool runs(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2") && match_kernel_avx2.runs();
}

static void collect(struct match_pass *x)
{
    match_collect(x, classify, list);
}

static void sift(struct match_pass *x)
{
    match_sift_all(x);
}

static size_t count_lines(const char *p, size_t n)
{
    const __m512i feed = _mm512_set1_epi8('\n');
    size_t lines = 0;
    for (; n >= 64; p += 64, n -= 64)
        lines +=
            (size_t)__builtin_popcountll(_cvtmask64_u64(_mm512_cmpeq_epi8_mask(load(p), feed)));
    for (; n > 0; p++, n--)
        lines += *p == '\n';
    return lines;
}

const struct match_kernel match_kernel_avx512 = {"avx512", runs, collect, sift, count_lines};

#if defined __clang__
#pragma clang attribute pop
#endif
#endif
