/* Shared inside the room: one normaliser for each family of kinds, and character tests. */
#ifndef OBSERVABLE_OBSERVABLE_PRIV_H
#define OBSERVABLE_OBSERVABLE_PRIV_H

#include "observable/observable.h"

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static inline bool is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

/* Writes s with plain signs for defanged ones and returns the length, which is at most s.n. */
size_t observable_refang(struct str s, char *out);
/* Normal form of an absolute URL; the length, or 0 with `e` filled. */
size_t observable_text_url(struct str s, char *out, size_t room, struct err *e);
/* Normal form of a mailbox; the length, or 0 with `e` filled. */
size_t observable_text_email(struct str s, char *out, size_t room, struct err *e);

#endif
