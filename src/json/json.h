/*
 * Strict JSON behind one small C face. Reading is simdjson's; this room adds what an exchange
 * needs: I-JSON (RFC 7493: no duplicate names, no lone surrogates), a bounded depth, and the place
 * of every value in the source, so that bytes can be kept as they came and a finding can name line
 * and column. It refuses to guess: no comments, no trailing commas, no second value behind the
 * first. A reader serves one thread; a document is read-only once made and may be shared.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INTEGER, /* fits int64_t; written without fraction and exponent */
    JSON_NUMBER,  /* any other finite number; `d` is the nearest double */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* One value. All pointers belong to the arena given to json_parse. */
struct json {
    enum json_type type;
    uint32_t count;          /* members of an object, elements of an array */
    uint32_t at, end;        /* its bytes in the source: [at, end) */
    uint32_t key_at;         /* a member: where its name stands (the opening quote) */
    struct str key;          /* a member: its name, unescaped; else STR_NONE */
    const struct json *next; /* the next sibling, or NULL */
    union {
        int64_t i;
        double d;
        struct str s;             /* unescaped UTF-8; may hold NUL bytes */
        const struct json *child; /* the first member or element, or NULL */
    } u;
};

struct json_reader;
struct json_reader *json_reader_new(void); /* NULL without memory */
void json_reader_free(struct json_reader *r);

/* Parses one JSON text. Values live in `arena`. `text` is copied unless `padded` says that
 * BASE_PADDING readable bytes follow it and that it outlives the arena's contents.
 * ERR_SYNTAX with e->at on malformed text, ERR_LIMIT on nesting over LIMIT_JSON_DEPTH or no room.
 */
bool json_parse(struct json_reader *r, struct arena *arena, struct str text, bool padded,
                const struct json **out, struct err *e) BASE_CHECKED;

/* ---- looking ---- */

/* The member `name` of an object, or NULL (also when `v` is NULL or no object). */
const struct json *json_get(const struct json *v, struct str name);
/* The string of a member, or STR_NONE when it is absent or no string. */
struct str json_get_str(const struct json *v, struct str name);
/* False for NULL. */
static inline bool json_is(const struct json *v, enum json_type type)
{
    return v != NULL && v->type == type;
}
const char *json_type_name(enum json_type type);
/* The source bytes of v in the text that was parsed. */
struct str json_source(struct str text, const struct json *v);
/* True if both hold the same data: order of members ignored, numbers by value (RFC 8785 equality).
 */
bool json_equal(const struct json *a, const struct json *b);

/* ---- writing ---- */

/* RFC 8785 (JCS): members in UTF-16 order, shortest numbers as ECMAScript prints them. */
bool json_canonical(const struct json *v, struct buf *out, struct err *e) BASE_CHECKED;
/* Appends s as a JSON string with its quotes. `s` must be valid UTF-8, else U+FFFD stands for bad
 * bytes. */
void json_put_string(struct buf *out, struct str s);
/* Helpers for records: `"name":` with a comma before it unless the last byte opens a container. */
void json_put_name(struct buf *out, const char *name);
void json_put_member(struct buf *out, const char *name, struct str value); /* a string member */
void json_put_member_u64(struct buf *out, const char *name, uint64_t value);

#ifdef __cplusplus
}
#endif
#endif
