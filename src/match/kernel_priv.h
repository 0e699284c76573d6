/*
 * Inside the room: the quick scanner. It does not find hits, it proves where none can be, and the
 * plain scanner (scan.c) looks at the rest, so both tell the same hits in the same order.
 *
 * Text is cut at the bytes that nothing runs across (MATCH_BREAK: blanks, controls, " < >) into
 * *stretches*. What the plain scanner finds in one does not depend on the others. A stretch is left
 * out if no candidate in it passes the gate and nothing in it needs a closer look:
 *
 *   candidate                  found by                            asked of the gate
 *   name, IPv4 address         the end of a word with a dot in it  the place key
 *   hash                       24 bytes of a word in a row         its first 16 digits
 *   IPv6 address               two colons; six among words         the address itself
 *   URL and e-mail address     their host                          as above
 *
 *   closer look: a host that holds a percent-escape or user, a defanged sign, an escape, bytes
 *   above ASCII in a word that might be a name
 *
 * The work is done a window of 32 blocks of 64 bytes at a time. A kernel's `collect` classifies the
 * bytes into masks, lists ends of words and marks, takes the place keys and fetches their words of
 * the filter ahead; its `sift`, which is called later, keeps those that pass. What passes or is
 * marked is looked at by plain code (quick.c), which calls the plain scanner.
 *
 * Words with dots are found by adding. The mask of dots added to that of words carries each dot to
 * the end of its word, so that one bit stands there however many dots there are:
 *
 *   text   . . w w w . c o . u k . .          (the first byte on the left)
 *   word   0 0 1 1 1 1 1 1 1 1 1 0 0
 *   dot    0 0 0 0 0 1 0 0 1 0 0 0 0
 *   sum    0 0 1 1 1 0 0 0 1 0 0 1 0
 *
 * In the sum stay the dots but the first of each word; added again they find words with two.
 */
#ifndef MATCH_KERNEL_PRIV_H
#define MATCH_KERNEL_PRIV_H

#include "match/scan_priv.h"

enum { MATCH_BLOCK = 64, MATCH_BLOCKS = 32, MATCH_WINDOW = MATCH_BLOCK * MATCH_BLOCKS };

/* Of 64 bytes, the first in the lowest bit. */
struct match_masks {
    uint64_t word, dot, digit, colon;
    uint64_t bracket; /* ( ) [ ] */
    uint64_t escape;  /* the backslash */
    uint64_t high;    /* above ASCII; these are words too */
};

/* Marks that a window may hold; where there are more, all of it is looked at. */
#define MATCH_MARKS 512
/* Candidates that wait for their words of a filter. */
#define MATCH_QUEUE 128
/* A word whose end is nearer to the start of the text is looked at by plain code: a kernel reads
 * that far in front of the end. */
#define MATCH_HEAD 80
/* Longer words are looked at by plain code. */
#define MATCH_LONG 56

/* Little-endian bits, one for each byte of the window and the block before it; and bytes that may
 * be read behind. */
typedef uint64_t match_bits[MATCH_BLOCKS + 2];

/* Candidates whose word of a filter was asked for. */
struct match_queue {
    uint64_t keys[MATCH_QUEUE + 2];
    uint16_t at[MATCH_QUEUE + 2];
    unsigned n;
};

struct match_pass {
    const struct match_gate *gate;
    const char *begin, *end; /* the text */
    const char *base;        /* the window: [base, base + MATCH_WINDOW), cut at the text's end */
    unsigned blocks;
    match_bits word, dot, digit, colon, bracket, escape, high;
    /* Made of them, in the order of bytes of the processor: marks; what stands behind a colon
     * between words; dots inside words; what stands behind a digit. */
    match_bits mark, joint, inner, behind_digit;
    bool crowded;           /* more marks than fit */
    unsigned char carry[3]; /* from one block to the next */
    /* Places in the window, of the byte behind a word: those with a dot that do not end with a
     * digit; those that do, and have three dots or more; of both those that passed the filter or
     * are left to plain code; and places of marks. Sixteen more may be written than count. */
    unsigned name_count, number_count, passed_count, mark_count;
    struct match_queue asked_names, asked_numbers;
    /* What stands from here on is read up to its count alone, and needs no beginning: of a short
     * text, as packets are, all the rest is more work than the scan. */
    uint16_t names[MATCH_WINDOW / 2 + 16], numbers[MATCH_WINDOW / 8 + MATCH_BLOCKS + 16];
    uint16_t passed[MATCH_WINDOW], marks[MATCH_MARKS + MATCH_BLOCK];
};

struct match_kernel {
    const char *name;
    bool (*runs)(void);
    void (*collect)(struct match_pass *x);
    void (*sift)(struct match_pass *x);
    size_t (*count_lines)(const char *p, size_t n);
};
extern const struct match_kernel match_kernel_portable;
#if defined __x86_64__
extern const struct match_kernel match_kernel_avx2, match_kernel_avx512;
#elif defined __aarch64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MATCH_NEON
extern const struct match_kernel match_kernel_neon;
#endif

/* The scan by a kernel, of a text that is not empty. */
void match_quick_scan(struct match_scan *sc, const struct match_kernel *k);

#endif
