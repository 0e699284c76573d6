/*
 * Kinds of observable and their normal forms: one value has one text, however it was written in a
 * feed or a log. docs/DETECTION.md says what matches what. Pure functions, any thread.
 */
#ifndef OBSERVABLE_OBSERVABLE_H
#define OBSERVABLE_OBSERVABLE_H

#include "base/base.h"

enum observable_kind {
    OBSERVABLE_IPV4,
    OBSERVABLE_IPV6,
    OBSERVABLE_DOMAIN,
    OBSERVABLE_URL,
    OBSERVABLE_EMAIL,
    OBSERVABLE_MD5,
    OBSERVABLE_SHA1,
    OBSERVABLE_SHA256,
    OBSERVABLE_SHA512
};
#define OBSERVABLE_KINDS 9

const char *observable_kind_name(enum observable_kind k); /* ipv4, domain, sha256 … */

/* One value in normal form; `text` lives in the buffer it was normalised into. */
struct observable {
    enum observable_kind kind;
    struct str text;         /* without /prefix */
    unsigned prefix;         /* addresses: 32 or 128 when it is a single one */
    unsigned char addr[16];  /* addresses: network order, host bits cleared */
};

/* Normal form of `s` as kind `k`; ERR_INVALID when it is none. Room for the text: at least
 * s.n + 64 bytes at `out`. Refanged spellings are read when `refang`. */
bool observable_normalize(enum observable_kind k, struct str s, bool refang, char *out,
                          size_t room, struct observable *o, struct err *e) BASE_CHECKED;
/* The kind a value of a plain list has, and its normal form. */
bool observable_guess(struct str s, char *out, size_t room, struct observable *o, struct err *e)
    BASE_CHECKED;
/* The kind that a STIX test TYPE:PATH = … speaks of; false when the scanner has none for it. */
bool observable_kind_of_path(struct str type, struct str path, enum observable_kind *k);

#endif
