/* Shared by the guard's files: what it knows of a home network, and the forms in bytes. */
#ifndef STIX_GUARD_PRIV_H
#define STIX_GUARD_PRIV_H

#include "stix/stix.h"

/* The first digits of what belongs to the home network. */
struct guard_digits {
    unsigned char v[15];
    unsigned char n;
};
struct guard_prefix {
    unsigned char address[16];
    unsigned char n, bits; /* n: 4 or 16 bytes */
};
struct stix_guard {
    struct guard_digits plmns[LIMIT_STIX_GUARD_HOME], numbers[LIMIT_STIX_GUARD_HOME];
    struct guard_prefix users[LIMIT_STIX_GUARD_HOME];
    size_t plmn_count, number_count, user_count;
    bool packed[256]; /* may this byte begin what is packed from one of the digits above? */
    /* Of two signs of base64: may the first, second or third byte of a group (bits 1, 2, 4), which
     * they hold, begin what is looked for? */
    unsigned char begun[4096];
};

/* What a byte may be or begin. */
enum {
    GUARD_DIGIT = 1,
    GUARD_WORD = 2, /* letter or digit */
    GUARD_LABEL = 4,
    GUARD_AT = 8,
    GUARD_ADDRESS = 16,
    GUARD_HEX = 32,
    GUARD_SECOND = 64,  /* the second letter of a label */
    GUARD_BETWEEN = 128 /* what stands between pairs of hexadecimal digits */
};
extern const unsigned char guard_classes[256];

static inline unsigned guard_class(char c)
{
    return guard_classes[(unsigned char)c];
}

static inline bool guard_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool guard_is_alnum(char c)
{
    return guard_class(c) & GUARD_WORD;
}

/* The name of the first identifier that stands in text as it is, or NULL. */
const char *guard_in_text(const struct stix_guard *g, struct str text);
/* The same of bytes in which digits are packed two and two, low half first (TBCD, 3GPP TS 29.002
 * §17.7.8; TS 24.501 §9.11.3.4). `alone`: nothing stands beside them. */
const char *guard_in_packed(const struct stix_guard *g, struct str bytes, bool alone);
/* Could these stand in an address? */
bool guard_may_be_address(const char three[3]);
/* Could such digits of the home network begin with these bytes? */
bool guard_may_be_packed(const struct stix_guard *g, const unsigned char four[4]);

#endif
