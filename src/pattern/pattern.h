/*
 * STIX patterning (STIX 2.1 §9): text to tree and back, and the equality tests that a scanner can
 * look up. A pattern is untrusted input: size, depth and node count are bounded. A parsed pattern
 * is read-only and may be shared between threads; it lives in the arena it was parsed into.
 */
#ifndef PATTERN_PATTERN_H
#define PATTERN_PATTERN_H

#include "base/base.h"

enum pattern_version { PATTERN_STIX_20, PATTERN_STIX_21 };

struct pattern;

/* ERR_SYNTAX with e->at (byte offset in `text`) and a message that names what was expected;
 * ERR_LIMIT over LIMIT_PATTERN_*. `text` is copied into the arena. Besides §9 the published
 * grammar's wider spelling is read (`==`, comments, a leading plus …) and reported by
 * pattern_notes; refused are what §9.4 calls invalid constants (2024-02-30, an odd number of hex
 * digits, a bad regular expression), counts and windows of zero, and sets of mixed types.
 * PATTERN_STIX_20 knows no EXISTS, allows a qualifier twice and reads START and STOP with t'…' and
 * with plain strings. */
bool pattern_parse(struct arena *arena, struct str text, enum pattern_version version,
                   struct pattern **out, struct err *e) BASE_CHECKED;
/* The pattern in canonical spelling; parsing it in the same version yields the same tree. */
void pattern_print(const struct pattern *p, struct buf *out);
/* True if both have the same tree: blanks, comments, idle parentheses and spellings aside. */
bool pattern_equal(const struct pattern *a, const struct pattern *b);

/* What was accepted although it should not be written so. Columns: enumerator, stable name, whether
 * it departs from STIX 2.1 §9 (else it is legal there, but fails in other tools or never matches),
 * sentence for people. */
#define PATTERN_NOTE_TABLE(X)                                                                      \
    X(DOUBLE_EQUALS, "double-equals", true, "`==` is not in STIX 2.1 §9.6.1: write `=`")           \
    X(ANGLE_NOT_EQUAL, "angle-not-equal", true, "`<>` is not in STIX 2.1 §9.6.1: write `!=`")      \
    X(COMMENT, "comment", true, "STIX 2.1 §9.4 knows no comments")                                 \
    X(PLUS_SIGN, "plus-sign", true, "a positive number is written without plus (§9.2)")            \
    X(HEX_UPPER, "hex-upper-case", true, "hex digits are 0 to 9 and a to f (§9.2)")                \
    X(INTEGER_RANGE, "integer-range", true, "the integer is outside the 54 bits of §2.10")         \
    X(INDEX_NEGATIVE, "index-negative", true, "an index counts from 0 (§9.7.2); this is false")    \
    X(TYPES_DIFFER, "types-differ", true,                                                          \
      "AND joins different object types, which no one object has (§9.5): this is never true")      \
    X(QUALIFIER_TWICE, "qualifier-twice", false,                                                   \
      "STIX 2.1 §9.5.1 forbids a second such qualifier")                                           \
    X(SET_EMPTY, "set-empty", false, "an empty set holds nothing (§9.6.1)")                        \
    X(SET_NUMBERS, "set-numbers", false, "the set mixes integers and floats (§9.6.1)")             \
    X(FLOAT_SHORT, "float-short", false, "some readers want a digit before the decimal point")     \
    X(FLOAT_ZEROS, "float-zeros", false, "some readers refuse zeros that lead a number")           \
    X(BINARY_EMPTY, "binary-empty", false, "some readers refuse b''")                              \
    X(BINARY_LINES, "binary-lines", false, "some readers refuse line feeds in b'…' (§9.2)")

enum pattern_note_kind {
#define X(name, id, departs, text) PATTERN_NOTE_##name,
    PATTERN_NOTE_TABLE(X)
#undef X
        PATTERN_NOTE_COUNT
};
struct pattern_note {
    enum pattern_note_kind kind;
    size_t at;    /* byte offset of the first one */
    size_t count; /* how many of this kind */
};
const char *pattern_note_name(enum pattern_note_kind kind);
const char *pattern_note_text(enum pattern_note_kind kind);
bool pattern_note_departs(enum pattern_note_kind kind);
/* Fills `out` with at most one note of a kind, by kind; returns how many. */
size_t pattern_notes(const struct pattern *p, struct pattern_note out[PATTERN_NOTE_COUNT]);

/* The type and the first property of an object path; `at` is where its comparison begins. Returns
 * false to stop. */
typedef bool pattern_path_fn(void *ctx, struct str object_type, struct str property, size_t at);
/* Calls `each` for every comparison in the order of the text; false when it was stopped. */
bool pattern_paths(const struct pattern *p, pattern_path_fn *each, void *ctx);

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
 * a lookup alone cannot decide (AND, FOLLOWEDBY, qualifiers, other operators and constants, and
 * properties in _bin, _hex, _ref, whose own text is not what is compared: §9.6.4, §9.7); `*why`,
 * when `why` is not NULL, then names the first of them in a short phrase, else it is NULL. */
size_t pattern_atoms(const struct pattern *p, pattern_atom_fn *each, void *ctx, const char **why);

/* Is the pattern true of an observation that has `value` at TYPE:PATH and nothing else? For judging
 * how much a pattern takes in. Of ISSUBSET and ISSUPERSET only the block of one address is known
 * here; pattern_atoms tells the others. */
bool pattern_finds(const struct pattern *p, struct str object_type, struct str path,
                   struct str value);

#endif
