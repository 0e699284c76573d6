/* What the files of this room share. Nothing here is for others. */
#ifndef STIX_STIX_PRIV_H
#define STIX_STIX_PRIV_H

#include "stix/stix.h"

/* Four of TLP 1 and five of TLP 2.0. */
#define STIX_TLP_PUBLISHED 9

/* STR for static tables: a constant initialiser of struct str. */
#define STIX_LIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

bool stix_type_name_ok(struct str type);

static inline bool stix_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

#endif
