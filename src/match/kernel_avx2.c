/* The kernel for x86-64 with AVX2 and BMI. */
#if defined __x86_64__
#include <immintrin.h>
#endif

#include "match/kernel_class_priv.h"
#include "match/kernel_priv.h"

#if defined __x86_64__
#if defined __clang__
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))),                \
                             apply_to = function)
#else
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt")
#endif
#include "match/kernel_walk_priv.h"

static inline __m256i twice(const unsigned char *row)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)row));
}

static inline __attribute__((always_inline)) __m256i class_of(__m256i bytes)
{
    __m256i half = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    return _mm256_and_si256(_mm256_shuffle_epi8(twice(match_class_lower), bytes),
                            _mm256_shuffle_epi8(twice(match_class_upper), half));
}

static inline uint64_t tops(__m256i a, __m256i b)
{
    return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

static inline __m256i load(const char *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline __attribute__((always_inline)) void classify(const char *p, struct match_masks *m)
{
    __m256i a = load(p), b = load(p + 32), ka = class_of(a), kb = class_of(b);
    const __m256i word = _mm256_set1_epi8(0x78), dot = _mm256_set1_epi8('.');
    const __m256i escape = _mm256_set1_epi8('\\'), from_round = _mm256_set1_epi8(0x7e);
    m->high = tops(a, b);
    m->word = tops(_mm256_adds_epu8(ka, word), _mm256_adds_epu8(kb, word)) | m->high;
    m->dot = tops(_mm256_cmpeq_epi8(a, dot), _mm256_cmpeq_epi8(b, dot));
    m->digit = tops(_mm256_slli_epi16(ka, 3), _mm256_slli_epi16(kb, 3));
    m->colon = tops(_mm256_slli_epi16(ka, 7), _mm256_slli_epi16(kb, 7));
    m->escape = tops(_mm256_cmpeq_epi8(a, escape), _mm256_cmpeq_epi8(b, escape));
    m->bracket =
        tops(_mm256_adds_epu8(ka, from_round), _mm256_adds_epu8(kb, from_round)) & ~m->word;
}

/* No processor has these without LZCNT, which clang cannot ask for. */
static bool runs(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
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
    const __m256i feed = _mm256_set1_epi8('\n'), zero = _mm256_setzero_si256();
    __m256i sum = zero;
    while (n >= 64) {
        __m256i a = zero, b = zero; /* a byte counts to 255 */
        size_t rounds = n / 64 < 255 ? n / 64 : 255;
        n -= rounds * 64;
        for (const char *end = p + rounds * 64; p < end; p += 64) {
            a = _mm256_sub_epi8(a, _mm256_cmpeq_epi8(load(p), feed));
            b = _mm256_sub_epi8(b, _mm256_cmpeq_epi8(load(p + 32), feed));
        }
        sum = _mm256_add_epi64(sum, _mm256_sad_epu8(a, zero));
        sum = _mm256_add_epi64(sum, _mm256_sad_epu8(b, zero));
    }
    size_t lines = (size_t)(_mm256_extract_epi64(sum, 0) + _mm256_extract_epi64(sum, 1) +
                            _mm256_extract_epi64(sum, 2) + _mm256_extract_epi64(sum, 3));
    for (; n > 0; p++, n--)
        lines += *p == '\n';
    return lines;
}

const struct match_kernel match_kernel_avx2 = {"avx2", runs, collect, sift, count_lines};

#if defined __clang__
#pragma clang attribute pop
#endif
#endif
