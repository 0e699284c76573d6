/*
 * Short words for the rows of stix_types.c and stix_sco.c; only those two include this.
 */
#ifndef STIX_STIX_TABLE_H
#define STIX_STIX_TABLE_H

#include "stix/stix_priv.h"
#include "stix/stix_terms.h"

#define N             STIX_LIT
#define P(text, what) .name = STIX_LIT(text), .kind = STIX_##what
#define REQ           .flags = STIX_REQUIRED
#define LIST          .flags = STIX_LIST
#define REQ_LIST      .flags = STIX_REQUIRED | STIX_LIST
#define TERMS(t)      .terms = &stix_##t
#define SHAPE(s)      .shape = &s
#define TO(types)     .to = types
#define TO_SCO        .to_sets = STIX_IN_SCO | STIX_IN_CUSTOM
#define SDO_OR_SCO    .to_sets = STIX_IN_SDO | STIX_IN_SCO | STIX_IN_CUSTOM
#define SIZE          .low = 0, .high = 9007199254740991.0

#define ROWS(table)  .props = table, .prop_count = sizeof(table) / sizeof(table[0])
#define RULES(table) .rules = table, .rule_count = sizeof(table) / sizeof(table[0])

#define NOT_BEFORE(words, x, y) STIX_RULE_NOT_BEFORE, words, N(x), N(y)
#define AFTER(words, x, y)      STIX_RULE_AFTER, words, N(x), N(y)
#define NEEDS(x, y)             STIX_RULE_NEEDS, x "-needs-" y, N(x), N(y)
#define EXCLUDES(x, y)          STIX_RULE_EXCLUDES, x "-excludes-" y, N(x), N(y)
#define ANY_OF(words, x)        STIX_RULE_ANY_OF, words, N(x), N("")
#define SHOULD(words, x)        STIX_RULE_SHOULD, words, N(x), N("")
#define SOME(but)               STIX_RULE_SOME, "some-property", N(but), N("")

#define SDO(type, number, table) .name = N(type), .clause = number, .set = STIX_IN_SDO, ROWS(table)
#define SRO(type, number, table) .name = N(type), .clause = number, .set = STIX_IN_SRO, ROWS(table)
#define SCO(type, number, table, contributing)                                                     \
    .name = N(type), .clause = number, .set = STIX_IN_SCO, ROWS(table), .identity = contributing
#define EXT(key, number, table, type)                                                              \
    .name = N(key), .clause = number, ROWS(table), .extension = type

#endif
