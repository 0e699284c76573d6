/* The tables that tools/warninglists.c makes of data/warninglists at build time. */
#ifndef OBSERVABLE_WARNINGLIST_PRIV_H
#define OBSERVABLE_WARNINGLIST_PRIV_H

#include "observable/observable.h"

/* Sorted by kind, address and prefix, so that a block stands before those inside it. */
struct observable_warned_block {
    unsigned char kind; /* enum observable_kind */
    unsigned char prefix;
    uint16_t lists;  /* bits */
    uint16_t around; /* 1 + index of the smallest listed block around this one; 0: none */
    unsigned char addr[16];
};
extern const struct observable_warned_block observable_warned_blocks[];
extern const size_t observable_warned_block_count;

/* Names, e-mail addresses and hashes, sorted by kind and bytes. The parents of a listed name have
 * rows of their own. */
struct observable_warned_text {
    unsigned char kind;
    uint16_t lists; /* bits: of this text itself */
    uint16_t below; /* bits: of every name below this one */
    const char *text;
};
extern const struct observable_warned_text observable_warned_texts[];
extern const size_t observable_warned_text_count;

#endif
