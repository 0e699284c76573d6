/*
 * Classes of bytes, for kernels that look up sixteen bytes at a time: a byte's class is what the
 * rows of its two halves have in common, one bit at the most; of bytes above ASCII none.
 */
#ifndef MATCH_KERNEL_CLASS_PRIV_H
#define MATCH_KERNEL_CLASS_PRIV_H

enum {
    MATCH_CLASS_COLON = 1,
    MATCH_CLASS_ROUND = 2,    /* ( ) */
    MATCH_CLASS_SQUARE = 4,   /* [ ] */
    MATCH_CLASS_SIGN = 8,     /* - . */
    MATCH_CLASS_DIGIT = 16,   /* 0 to 9 */
    MATCH_CLASS_LETTER = 32,  /* A to O, a to o */
    MATCH_CLASS_FURTHER = 64, /* P to Z, p to z */
    MATCH_CLASS_LINE = 128,   /* _ */
    MATCH_CLASS_WORD = 0xf8   /* the last five */
};

#define C MATCH_CLASS_COLON
#define R MATCH_CLASS_ROUND
#define B MATCH_CLASS_SQUARE
#define S MATCH_CLASS_SIGN
#define D MATCH_CLASS_DIGIT
#define L MATCH_CLASS_LETTER
#define F MATCH_CLASS_FURTHER
#define U MATCH_CLASS_LINE
#define N (D | L | F)
static const unsigned char match_class_lower[16] = {
    D | F, N, N, N, N, N, N, N, N | R, N | R, C | L | F, L | B, L, L | S | B, L | S, L | U};
static const unsigned char match_class_upper[16] = {0, 0, R | S, C | D, L, B | F | U, L, F};
#undef C
#undef R
#undef B
#undef S
#undef D
#undef L
#undef F
#undef U
#undef N

#endif
