/*
 * Built-in warning lists: values that an indicator must not name. Lookups in constant tables; any
 * thread may call.
 */
#ifndef OBSERVABLE_WARNINGLIST_H
#define OBSERVABLE_WARNINGLIST_H

#include "base/base.h"

struct observable;

/* Name, text, in force by default. The order is that of the bits: it may grow at its end. */
#define OBSERVABLE_WARNINGLIST_TABLE(X)                                                            \
    X(SPECIAL_USE, "special-use", 1)                                                               \
    X(WIDE_BLOCK, "wide-block", 1)                                                                 \
    X(DOCUMENTATION, "documentation", 0)                                                           \
    X(PUBLIC_RESOLVER, "public-resolver", 1)                                                       \
    X(TOP_SITE, "top-site", 1)                                                                     \
    X(PUBLIC_SUFFIX, "public-suffix", 1)                                                           \
    X(ROOT_SERVER, "root-server", 1)                                                               \
    X(EMPTY_FILE, "empty-file", 1)                                                                 \
    X(BOGUS_EMAIL, "bogus-email", 1)

enum observable_warninglist {
#define X(name, text, on) OBSERVABLE_WARNINGLIST_##name,
    OBSERVABLE_WARNINGLIST_TABLE(X)
#undef X
};
#define OBSERVABLE_WARNINGLISTS 9 /* at most 16 */

/* The lists that a value in normal form is on: bit 0 is the first of the table. */
uint64_t observable_warned(const struct observable *o);
/* The list of that name and its number, from 0; false when there is none. */
bool observable_warninglist_find(struct str name, unsigned *bit) BASE_CHECKED;
/* `bit` is below OBSERVABLE_WARNINGLISTS; the text lives as long as the program. */
struct str observable_warninglist_name(unsigned bit);

#endif
