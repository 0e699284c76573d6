/*
 * STIX patterning (STIX 2.1 §9): text to tree and back, and the equality tests that a scanner can
 * look up. A pattern is untrusted input: size, depth and node count are bounded. A parsed pattern is
 * read-only and may be shared between threads; it lives in the arena it was parsed into.
 */
#ifndef PATTERN_PATTERN_H
#define PATTERN_PATTERN_H

#include "base/base.h"

enum pattern_version { PATTERN_STIX_20, PATTERN_STIX_21 };

struct pattern;

/* ERR_SYNTAX with e->at (byte offset in `text`) and a message that names what was expected;
 * ERR_LIMIT over LIMIT_PATTERN_*. */
bool pattern_parse(struct arena *arena, struct str text, enum pattern_version version,
                   struct pattern **out, struct err *e) BASE_CHECKED;
/* The pattern in canonical spelling; parsing it again yields the same tree. */
void pattern_print(const struct pattern *p, struct buf *out);

/* One test that alone makes the pattern true: TYPE:PATH = VALUE. */
struct pattern_atom {
    struct str object_type; /* ipv4-addr */
    struct str path;        /* canonical: value, hashes.MD5, hashes.'SHA-256' */
    struct str value;       /* a string constant, unescaped */
    bool subset;            /* ISSUBSET instead of = (the value is an address or CIDR) */
};
/* Returns false to stop. */
typedef bool pattern_atom_fn(void *ctx, const struct pattern_atom *atom);
/* Calls `each` for every string equality (also from IN and ISSUBSET) that suffices alone: those
 * joined by OR, inside and between observation expressions. Returns the number of alternatives that
 * a lookup alone cannot decide (AND, FOLLOWEDBY, qualifiers, other operators); `*why`, when not
 * NULL, then names the first of them in a short phrase. */
size_t pattern_atoms(const struct pattern *p, pattern_atom_fn *each, void *ctx, const char **why);

#endif
