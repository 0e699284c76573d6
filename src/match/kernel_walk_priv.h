/*
 * What all kernels do, in terms of masks. Each kernel's file includes this behind its own choice of
 * instructions, and gives the function that classifies 64 bytes.
 */
#ifndef MATCH_KERNEL_WALK_PRIV_H
#define MATCH_KERNEL_WALK_PRIV_H

#include "match/kernel_priv.h"

#define MATCH_INLINE static inline __attribute__((always_inline))
/* Loops that are better off with all registers for themselves. */
#define MATCH_PART static __attribute__((noinline, unused))

typedef void match_classify_fn(const char *p, struct match_masks *m);
/* Writes the places of the bits, of which the lowest is `at`, and returns their number. */
typedef unsigned match_list_fn(uint16_t *p, size_t at, uint64_t bits);

/* Position of the lowest bit; anything when there is none. */
MATCH_INLINE unsigned match_low(uint64_t bits)
{
#if defined __BMI__
    return (unsigned)__builtin_ia32_tzcnt_u64(bits);
#else
    return (unsigned)__builtin_ctzll(bits | 1ull << 63);
#endif
}

/* Bits above the highest; there is one. */
MATCH_INLINE unsigned match_above(uint64_t bits)
{
    return (unsigned)__builtin_clzll(bits);
}

/* ---- classifying -------------------------------------------------------------------------- */

MATCH_INLINE void match_classify_block(struct match_pass *x, unsigned block, const char *p,
                                       match_classify_fn *classify)
{
    struct match_masks m;
    classify(p, &m);
    x->word[block + 1] = htole64(m.word);
    x->dot[block + 1] = htole64(m.dot);
    x->digit[block + 1] = htole64(m.digit);
    x->colon[block + 1] = htole64(m.colon);
    x->bracket[block + 1] = htole64(m.bracket);
    x->escape[block + 1] = htole64(m.escape);
    x->high[block + 1] = htole64(m.high);
}

/* The text's last block, which may be empty, is classified in a copy. */
MATCH_INLINE void match_classify(struct match_pass *x, match_classify_fn *classify)
{
    uint64_t *const all[] = {x->word, x->dot, x->digit, x->colon, x->bracket, x->escape, x->high};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i][0] = all[i][MATCH_BLOCKS];
    const char *p = x->base;
    unsigned block = 0;
    for (; block < x->blocks && x->end - p >= MATCH_BLOCK; block++, p += MATCH_BLOCK)
        match_classify_block(x, block, p, classify);
    if (block < x->blocks) {
        char copy[MATCH_BLOCK] = {0};
        memcpy(copy, p, (size_t)(x->end - p));
        match_classify_block(x, block, copy, classify);
    }
}

/* ---- collecting --------------------------------------------------------------------------- */

/* The bits moved up by n, with the last n of the block before. */
MATCH_INLINE uint64_t match_moved(const uint64_t *bits, unsigned n)
{
    return le64toh(bits[0]) << n | le64toh(bits[-1]) >> (64 - n);
}

MATCH_INLINE uint64_t match_add(uint64_t a, uint64_t b, unsigned char *carry)
{
#if defined __x86_64__
    unsigned long long sum;
    *carry = __builtin_ia32_addcarryx_u64(*carry, a, b, &sum);
    return sum;
#else
    match_u128 sum = (match_u128)a + b + *carry;
    *carry = (unsigned char)(sum >> 64);
    return (uint64_t)sum;
#endif
}

/* The first two are written whether there are so many or not: most blocks have no more, and to ask
 * would cost more. */
MATCH_INLINE unsigned match_list(uint16_t *p, size_t at, uint64_t bits)
{
    unsigned n = (unsigned)__builtin_popcountll(bits);
    p[0] = (uint16_t)(at + match_low(bits));
    bits &= bits - 1;
    p[1] = (uint16_t)(at + match_low(bits));
    bits &= bits - 1;
    for (p += 2; bits != 0; bits &= bits - 1)
        *p++ = (uint16_t)(at + match_low(bits));
    return n;
}

/* What the lists are made of, for the whole window at a time: loops over arrays that the compiler
 * makes vector code of. Blocks behind the text's end are computed as well, and not looked at. */
MATCH_PART void match_combine(struct match_pass *x)
{
    const uint64_t top = 0x8080808080808080u;
    for (size_t i = 1; i <= MATCH_BLOCKS; i++) {
        uint64_t word = le64toh(x->word[i]), colon = le64toh(x->colon[i]);
        uint64_t behind = match_moved(x->colon + i, 1);
        uint64_t between = behind & match_moved(x->word + i, 2);
        /* Behind a colon: another; no word, when there is one before it, as in a URL. */
        uint64_t marks = (behind & colon) | (between & ~word & ~colon);
        /* A bracket two to four bytes behind another, as around defanged signs. */
        marks |= le64toh(x->bracket[i]) &
                 (match_moved(x->bracket + i, 2) | match_moved(x->bracket + i, 3) |
                  match_moved(x->bracket + i, 4));
        /* Bytes of the mask, at their top bit, that end a run of 24 bytes of a word inside the
         * block, or of 16 at its start or end. Every word of 32 bytes has one. */
        uint64_t full = ((word & ~top) + 0x0101010101010101u) & word & top, two = full & full << 8;
        uint64_t run = two & (two << 8 | 1ull << 63 | 1ull << 15);
        x->mark[i] = marks | le64toh(x->escape[i]) | (run & ~(run << 8)) |
                     (le64toh(x->high[i]) & ~match_moved(x->high + i, 1));
        x->joint[i] = between & word;
    }
    for (size_t i = 1; i <= MATCH_BLOCKS; i++) {
        /* A dot counts if a word goes on behind it; what follows the window is not known yet. */
        uint64_t word = le64toh(x->word[i]), next = le64toh(x->word[i + 1]);
        x->inner[i] = le64toh(x->dot[i]) & (word >> 1 | next << 63);
        x->behind_digit[i] = match_moved(x->digit + i, 1);
    }
    x->inner[MATCH_BLOCKS] |= le64toh(x->dot[MATCH_BLOCKS]) & 1ull << 63;
}

MATCH_INLINE void match_collect_words(struct match_pass *x, match_list_fn *list)
{
    unsigned char first = x->carry[0], second = x->carry[1], third = x->carry[2];
    unsigned names = 0, numbers = 0;
    for (size_t i = 1; i <= x->blocks; i++) {
        uint64_t word = le64toh(x->word[i]), inner = x->inner[i], digit = x->behind_digit[i];
        uint64_t sum = match_add(word, inner, &first), further = sum & inner;
        further &= match_add(word, further, &second);
        uint64_t three = match_add(word, further, &third);
        size_t at = (i - 1) * MATCH_BLOCK;
        names += list(x->names + names, at, sum & ~word & ~digit);
        numbers += list(x->numbers + numbers, at, three & ~word & digit);
    }
    x->carry[0] = first;
    x->carry[1] = second;
    x->carry[2] = third;
    x->name_count = names;
    x->number_count = numbers;
}

/* For sets with names of one label, or that end with a digit: the ends of all words that may be
 * such, in place of those that match_collect_words listed. */
MATCH_INLINE void match_collect_more(struct match_pass *x, match_list_fn *list)
{
    unsigned names = 0;
    for (size_t i = 1; i <= x->blocks; i++) {
        uint64_t ends = match_moved(x->word + i, 1) & ~le64toh(x->word[i]);
        if (!x->gate->facts.digit_names)
            ends &= ~x->behind_digit[i];
        names += list(x->names + names, (i - 1) * MATCH_BLOCK, ends);
    }
    x->name_count = names;
}

/* Joints two to five bytes behind another; `before` are those of the block before. */
MATCH_INLINE uint64_t match_near(uint64_t joints, uint64_t before)
{
    return joints << 2 | joints << 3 | joints << 4 | joints << 5 | before >> 62 | before >> 61 |
           before >> 60 | before >> 59;
}

/* Joints that are at least the sixth near one another: with as many an IPv6 address can be written
 * without two colons. Of those in one run of words and colons inside the block the first. */
MATCH_INLINE uint64_t match_chains(uint64_t joints, uint64_t before, uint64_t run)
{
    for (int i = 0; i < 5; i++) {
        uint64_t near = match_near(joints, before);
        before &= match_near(before, 0);
        joints &= near;
    }
    uint64_t further = 0, through = run;
    for (int i = 1; i <= 5; i++, through &= through << 1)
        further |= joints << i & through;
    return joints & ~further;
}

MATCH_PART void match_collect_marks(struct match_pass *x)
{
    unsigned n = 0, before = (unsigned)__builtin_popcountll(x->joint[0]);
    x->crowded = false;
    for (unsigned i = 1; i <= x->blocks; i++) {
        uint64_t marks = x->mark[i];
        unsigned joints = (unsigned)__builtin_popcountll(x->joint[i]);
        if (joints + before >= 6)
            marks |= match_chains(x->joint[i], x->joint[i - 1],
                                  le64toh(x->word[i]) | le64toh(x->colon[i]));
        before = joints;
        if (n >= MATCH_MARKS) {
            x->crowded = true;
            break;
        }
        for (; marks != 0; marks &= marks - 1)
            x->marks[n++] = (uint16_t)((i - 1) * MATCH_BLOCK + match_low(marks));
    }
    x->joint[0] = x->joint[MATCH_BLOCKS];
    x->mark_count = n;
}

/* ---- probing ------------------------------------------------------------------------------ */

/* The bits of the 56 to 63 bytes in front of `end`, the last in the highest bit. */
MATCH_INLINE uint64_t match_bits_before(const uint64_t *bits, size_t end)
{
    const char *p = (const char *)bits + end / 8 + 1;
    return match_load(p) << (8 - end % 8);
}

/* What a word's last byte, its first and the one before it say. */
enum { MATCH_ODD_LAST = 1, MATCH_ODD_FIRST = 2, MATCH_ODD_BEFORE = 4, MATCH_DIGIT = 8 };
extern const unsigned char match_edge[256];

/* Not 0 if the kernel leaves the word to plain code for one of its edges. */
MATCH_INLINE unsigned match_odd_edge(const char *p, size_t length)
{
    return (match_edge[(unsigned char)p[-1]] & MATCH_ODD_LAST) |
           (match_edge[(unsigned char)*(p - length)] & MATCH_ODD_FIRST) |
           (match_edge[(unsigned char)*(p - length - 1)] & MATCH_ODD_BEFORE);
}

/* Asks for the word of the filter now; it is there when the queue is looked at. Returns the number
 * of those in the queue, which stays in a register. */
MATCH_INLINE unsigned match_enqueue(const struct match_bloom *b, struct match_queue *q, unsigned n,
                                    uint64_t key, uint16_t at)
{
    q->keys[n] = key;
    q->at[n] = at;
    __builtin_prefetch(&b->words[match_bloom_word(key, b->count)]);
    return n + 1;
}

/* Keeps in the queue what the filter lets pass. */
MATCH_INLINE void match_sift(const struct match_bloom *b, struct match_queue *q)
{
    const struct match_bloom filter = *b;
    unsigned kept = 0;
    for (unsigned i = 0; i < q->n; i++) {
        uint64_t key = q->keys[i];
        q->at[kept] = q->at[i];
        q->keys[kept] = key;
        kept += match_bloom_has(&filter, key);
    }
    q->n = kept;
}

MATCH_INLINE void match_pass_on(struct match_pass *x, const uint16_t *at, unsigned n)
{
    memcpy(x->passed + x->passed_count, at, n * sizeof *at);
    x->passed_count += n;
}

/* How many of the places are near the text's start; these are passed on. */
MATCH_INLINE unsigned match_head(struct match_pass *x, const uint16_t *at, unsigned count)
{
    unsigned n = 0;
    while (n < count && x->base + at[n] - x->begin < MATCH_HEAD)
        n++;
    match_pass_on(x, at, n);
    return n;
}

/* A word as the masks show it: bytes, dots, bytes behind the last dot and behind the one before. */
struct match_shape {
    size_t length, last, zone;
    uint64_t dots; /* the word's end at the highest bit */
};

MATCH_INLINE struct match_shape match_shape_of(const struct match_pass *x, size_t at)
{
    struct match_shape w;
    w.length = match_above(~match_bits_before(x->word, at));
    uint64_t start = 1ull << 63 >> w.length;
    w.dots = match_bits_before(x->dot, at) & (0 - start - start);
    uint64_t limits = w.dots | start;
    w.last = match_above(limits);
    w.zone = match_above((limits ^ 1ull << 63 >> w.last) | start);
    return w;
}

MATCH_INLINE void match_sift_names(struct match_pass *x, struct match_queue *q)
{
    match_sift(&x->gate->first, q);
    match_pass_on(x, q->at, q->n);
    q->n = 0;
}

/* Names: their last label must be in use, their last two in the filter. All is computed whatever
 * comes of it: that is as good as random, and a branch guessed wrongly costs more. */
MATCH_PART void match_take_names(struct match_pass *x)
{
    const struct match_bloom first = x->gate->first;
    const struct match_facts *facts = &x->gate->facts;
    struct match_queue *q = &x->asked_names;
    unsigned n = 0;
    for (unsigned i = match_head(x, x->names, x->name_count); i < x->name_count; i++) {
        uint16_t at = x->names[i];
        const char *p = x->base + at;
        struct match_shape w = match_shape_of(x, at);
        if ((match_odd_edge(p, w.length) | (w.length >= MATCH_LONG) | (w.dots & w.dots << 1)) !=
            0) {
            x->passed[x->passed_count++] = at;
            continue;
        }
        unsigned tld = match_tld_of(match_load(p - 8) | MATCH_LOWER, w.last);
        unsigned more = match_enqueue(&first, q, n, match_place_key(p, w.zone), at);
        n = match_tld_known(facts, tld) ? more : n;
        if (n >= MATCH_QUEUE) {
            q->n = n;
            match_sift_names(x, q);
            n = 0;
        }
    }
    q->n = n;
}

/* Addresses whose first numbers are in the filter are asked for as a whole, and by their block. */
MATCH_INLINE void match_sift_numbers(struct match_pass *x, struct match_queue *q)
{
    const struct match_gate *g = x->gate;
    struct match_queue whole;
    match_sift(&g->first, q);
    if (q->n == 0)
        return;
    whole.n = 0;
    for (unsigned i = 0; i < q->n; i++) {
        const char *p = x->base + q->at[i];
        size_t length = match_shape_of(x, q->at[i]).length;
        uint64_t key = match_salted(match_place_key(p, length), OBSERVABLE_IPV4);
        whole.n = match_enqueue(&g->values, &whole, whole.n, key, q->at[i]);
        q->keys[i] = match_salted(q->keys[i], MATCH_SALT_BLOCK);
        __builtin_prefetch(&g->first.words[match_bloom_word(q->keys[i], g->first.count)]);
    }
    match_sift(&g->values, &whole);
    match_sift(&g->first, q);
    match_pass_on(x, whole.at, whole.n);
    match_pass_on(x, q->at, q->n);
    q->n = 0;
}

/* Bytes of a longest IPv4 address. */
enum { MATCH_IPV4_BYTES = 15 };

/* The same by their first two numbers, for sets with wide blocks. */
MATCH_PART void match_take_wide(struct match_pass *x)
{
    const struct match_bloom first = x->gate->first;
    struct match_queue *q = &x->asked_numbers;
    for (unsigned i = 0; i < x->number_count; i++) {
        struct match_shape w = match_shape_of(x, x->numbers[i]);
        const char *p = x->base + x->numbers[i] - w.zone - 1;
        if (w.length > MATCH_IPV4_BYTES || x->base + x->numbers[i] - x->begin < MATCH_HEAD)
            continue; /* passed on already */
        q->n = match_enqueue(&first, q, q->n, match_place_key(p, w.length - w.zone - 1),
                             x->numbers[i]);
        if (q->n >= MATCH_QUEUE)
            match_sift_numbers(x, q);
    }
}

/* IPv4 addresses, by their first three numbers. */
MATCH_PART void match_take_numbers(struct match_pass *x)
{
    const struct match_bloom first = x->gate->first;
    const struct match_facts *facts = &x->gate->facts;
    struct match_queue *q = &x->asked_numbers;
    unsigned n = 0;
    for (unsigned i = match_head(x, x->numbers, x->number_count); i < x->number_count; i++) {
        uint16_t at = x->numbers[i];
        const char *p = x->base + at;
        struct match_shape w = match_shape_of(x, at);
        bool odd = (w.length > MATCH_IPV4_BYTES) | (__builtin_popcountll(w.dots) != 3);
        if ((match_odd_edge(p, w.length) | odd | (w.dots & w.dots << 1)) != 0) {
            x->passed[x->passed_count++] = at;
            continue;
        }
        /* The first number, of which sets and blocks have few. */
        size_t number = w.length - MATCH_BLOCK + match_low(w.dots), rest = w.last + 1;
        uint64_t near = match_load(p - w.length + number - 8) | MATCH_LOWER;
        unsigned more = match_enqueue(&first, q, n, match_place_key(p - rest, w.length - rest), at);
        n = match_tld_known(facts, match_tld_of(near, number)) ? more : n;
        if (n >= MATCH_QUEUE) {
            q->n = n;
            match_sift_numbers(x, q);
            n = 0;
        }
    }
    q->n = n;
}

/* Lists and marks, and asks the filter; `match_sift_all` listens to it, which comes later, so that
 * the filter's words have come. */
MATCH_INLINE void match_collect(struct match_pass *x, match_classify_fn *classify,
                                match_list_fn *list)
{
    x->passed_count = 0;
    match_classify(x, classify);
    match_combine(x);
    match_collect_words(x, list);
    if (x->gate->facts.short_names || x->gate->facts.digit_names)
        match_collect_more(x, list);
    match_take_names(x);
    match_take_numbers(x);
    if (x->gate->facts.wide_blocks)
        match_take_wide(x);
    match_collect_marks(x);
}

MATCH_INLINE void match_sift_all(struct match_pass *x)
{
    match_sift_numbers(x, &x->asked_numbers);
    match_sift_names(x, &x->asked_names);
}

#endif
