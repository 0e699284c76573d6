/*
 * The ground every room stands on: slices, owned buffers, arenas, errors, instants, files, logging.
 * It knows nothing of STIX, HTTP or storage. Everything here may be called from any thread as long
 * as two threads do not share one object; logging and the clock may be called from all at once.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BASE_CHECKED      __attribute__((warn_unused_result))
#define BASE_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* ---- invariants ------------------------------------------------------------------------- */

/* Stays on in releases. For preconditions and impossible states; never judges input. */
#define must(x) ((x) ? (void)0 : base_must_failed(#x, __FILE__, __LINE__))
void base_must_failed(const char *what, const char *file, int line) __attribute__((noreturn));

/* ---- errors ----------------------------------------------------------------------------- */

/* Name, HTTP status and exit status of the command line, and a text for peers. */
#define ERR_TABLE(X)                                                                               \
    X(NONE, 200, 0, "no error")                                                                    \
    X(USAGE, 400, 2, "wrong usage")                                                                \
    X(SYNTAX, 400, 1, "malformed")                                                                 \
    X(INVALID, 422, 1, "not valid")                                                                \
    X(UNAUTHORIZED, 401, 3, "no valid credentials")                                                \
    X(FORBIDDEN, 403, 1, "not allowed")                                                            \
    X(NOT_FOUND, 404, 1, "not found")                                                              \
    X(METHOD, 405, 2, "method not allowed")                                                        \
    X(NOT_ACCEPTABLE, 406, 2, "media type not acceptable")                                         \
    X(CONFLICT, 409, 1, "conflict")                                                                \
    X(TOO_LARGE, 413, 1, "too large")                                                              \
    X(MEDIA_TYPE, 415, 2, "media type not supported")                                              \
    X(LIMIT, 422, 1, "over a limit")                                                               \
    X(TIMEOUT, 408, 3, "too slow")                                                                 \
    X(URI_TOO_LONG, 414, 2, "URL too long")                                                        \
    X(TOO_MANY, 429, 3, "too many requests, try again later")                                      \
    X(HEAD_TOO_LARGE, 431, 2, "request header too large")                                          \
    X(NOT_IMPLEMENTED, 501, 2, "not implemented")                                                  \
    X(HTTP_VERSION, 505, 2, "HTTP version not supported")                                          \
    X(BUSY, 503, 3, "too busy, try again")                                                         \
    X(IO, 500, 3, "input/output error")                                                            \
    X(FULL, 507, 3, "no space left")                                                               \
    X(STORE, 500, 3, "store error")                                                                \
    X(STORE_VERSION, 500, 3, "store of another version")                                           \
    X(COMMIT_UNKNOWN, 500, 3, "commit may or may not have happened")                               \
    X(NETWORK, 502, 3, "network error")                                                            \
    X(MEMORY, 503, 3, "out of memory")                                                             \
    X(INTERNAL, 500, 3, "internal error")

enum err_code {
#define X(name, http, status, text) ERR_##name,
    ERR_TABLE(X)
#undef X
};

/* Filled by the function that failed; `at` is a byte offset into its input where it has one. */
struct err {
    enum err_code code;
    size_t at;
    char msg[480];
};

/* Each fills `e` (never NULL) and returns false, so that a caller can `return err_set(...)`. */
bool err_set(struct err *e, enum err_code code, const char *fmt, ...) BASE_PRINTF(3, 4);
bool err_set_at(struct err *e, enum err_code code, size_t at, const char *fmt, ...)
    BASE_PRINTF(4, 5);
/* Puts `fmt` and ": " before the message that is there already. */
bool err_prefix(struct err *e, const char *fmt, ...) BASE_PRINTF(2, 3);
/* Puts ": " and `fmt` behind it: what to do. */
bool err_hint(struct err *e, const char *fmt, ...) BASE_PRINTF(2, 3);
const char *err_name(enum err_code code);
const char *err_text(enum err_code code);
int err_http(enum err_code code);
int err_exit(enum err_code code);

/* ---- slices ----------------------------------------------------------------------------- */

/* Borrowed bytes, by value; not NUL-terminated. `p` may be NULL only when n is 0. */
struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NONE     ((struct str){NULL, 0})
/* For printf("%.*s", STR_FMT(s)); cut at 1,000 bytes so that a message stays readable. */
#define STR_FMT(s) ((s).n > 1000 ? 1000 : (int)(s).n), ((s).p ? (s).p : "")

struct str str_of(const char *nul_terminated);
/* Inline, with the first byte looked at here: most of what is compared differs there. Names of 8 to
 * 16 bytes, the most frequent, are two words that may overlap. */
static inline bool str_eq(struct str a, struct str b)
{
    uint64_t x[2], y[2];
    if (a.n != b.n || a.n == 0)
        return a.n == b.n;
    if (a.p[0] != b.p[0])
        return false;
    if (a.n < 8 || a.n > 16)
        return memcmp(a.p, b.p, a.n) == 0;
    memcpy(&x[0], a.p, 8);
    memcpy(&x[1], a.p + a.n - 8, 8);
    memcpy(&y[0], b.p, 8);
    memcpy(&y[1], b.p + b.n - 8, 8);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}
bool str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
int str_cmp(struct str a, struct str b);        /* memcmp order: code-point order of UTF-8 */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_from(struct str s, size_t start); /* s without its first `start` bytes, or empty */
struct str str_slice(struct str s, size_t start, size_t end);
struct str str_trim(struct str s); /* without blanks, tabs, CR and LF at both ends */
/* Offset of the first `c` in s, or s.n. */
size_t str_find(struct str s, char c);
/* Cuts `*rest` at the first `c`: returns what stands before it and leaves what follows. With no
 * `c` left it returns all and leaves STR_NONE (p == NULL), which ends a loop. */
struct str str_cut(struct str *rest, char c);
/* Decimal digits only, no sign, no blank; false if empty, other characters or over 2^64-1. */
bool str_to_u64(struct str s, uint64_t *out) BASE_CHECKED;
uint64_t str_hash(struct str s, uint64_t seed);
/* The value of a hexadecimal digit of either case, or -1. */
static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
/* Number of the line (from 1) and of the byte column (from 1) of offset `at` in `text`. */
void str_line_column(struct str text, size_t at, size_t *line, size_t *column);
bool utf8_valid(struct str s);

/* ---- checked arithmetic ------------------------------------------------------------------ */

bool size_mul(size_t a, size_t b, size_t *out) BASE_CHECKED;
bool size_add(size_t a, size_t b, size_t *out) BASE_CHECKED;

/* ---- arenas ----------------------------------------------------------------------------- */

/* Memory that is given back all at once. Passing the cap, or having no memory, makes every
 * further allocation fail: arena_alloc then returns NULL. */
struct arena;
struct arena *arena_new(size_t cap_bytes); /* NULL without memory */
void arena_free(struct arena *a);          /* NULL is allowed */
void arena_reset(struct arena *a);         /* keeps one chunk for the next use */
size_t arena_used(const struct arena *a);
/* Aligned for any type; contents undefined. */
void *arena_alloc(struct arena *a, size_t bytes);
void *arena_calloc(struct arena *a, size_t count, size_t bytes);
/* Copies s; on failure returns STR_NONE and sets the arena's failed state. */
struct str arena_str(struct arena *a, struct str s);
char *arena_cstr(struct arena *a, struct str s); /* NUL-terminated copy or NULL */
struct str arena_printf(struct arena *a, const char *fmt, ...) BASE_PRINTF(2, 3);
/* True if any allocation failed since arena_new/arena_reset; ERR_LIMIT at the cap, else ERR_MEMORY.
 */
bool arena_ok(const struct arena *a, struct err *e) BASE_CHECKED;

/* ---- owned buffers ------------------------------------------------------------------------ */

/* Growing bytes. The first failure (memory, or over `cap_bytes` when that is not 0) is kept: later
 * appends do nothing and buf_ok reports it, so a writer checks once at its end. */
struct buf {
    char *p;
    size_t n, room;
    size_t cap_bytes;
    enum err_code failed;
};
void buf_init(struct buf *b, size_t cap_bytes);
void buf_done(struct buf *b);
void buf_clear(struct buf *b); /* n = 0; keeps memory; forgets a failure */
bool buf_reserve(struct buf *b, size_t more);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_lit(struct buf *b, const char *nul_terminated);
void buf_byte(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_hex(struct buf *b, const void *p, size_t n); /* lower case */
void buf_printf(struct buf *b, const char *fmt, ...) BASE_PRINTF(2, 3);
/* Text of others, fit for a terminal's line: at most `most_bytes` of it, "?" for what is no UTF-8,
 * a control character or a mark that turns the direction of writing, "..." where it was cut. */
void buf_printable(struct buf *b, struct str s, size_t most_bytes);
struct str buf_view(const struct buf *b); /* borrowed until the next append */
bool buf_ok(const struct buf *b, struct err *e) BASE_CHECKED;

/* ---- plain memory (only here is malloc called) ---------------------------------------------- */

void *base_alloc(size_t bytes);            /* zeroed; NULL without memory */
void *base_realloc(void *p, size_t bytes); /* like realloc */
void base_free(void *p);                   /* NULL is allowed */
/* Zeroed memory in large pages where the system has them, for tables that are read at random; bytes
 * is not 0. Freed with the same number. */
void *base_pages(size_t bytes);
void base_pages_free(void *p, size_t bytes); /* NULL is allowed */
/* Grows *items to hold at least `need` of `item_bytes` each, doubling; false without memory. */
bool base_grow(void **items, size_t *room, size_t need, size_t item_bytes) BASE_CHECKED;
/* For tests: of all threads' allocations from now on the k-th fails, and with `persistent` all that
 * follow it; k 0: none. Returns whether the order before this one has struck. */
bool base_fail_allocation(long k, bool persistent);

/* ---- time ------------------------------------------------------------------------------- */

/* Seconds since 1970-01-01T00:00:00Z (negative before) and nanoseconds within the second. */
struct instant {
    int64_t s;
    uint32_t ns;
};
#define INSTANT_TEXT_BYTES 40

/* STIX 2.1 §2.16, RFC 3339 with `T` and `Z` in upper case, fraction optional, second 60 allowed
 * (read as the second that follows). Digits below nanoseconds are dropped. Years 0000 to 9999. */
bool instant_parse(struct str s, struct instant *out, struct err *e) BASE_CHECKED;
/* The same as people write it, with RFC 3339's offsets too: 2026-01-31T17:30:00+05:30. Not for what
 * is exchanged: STIX knows Z alone. */
bool instant_parse_zoned(struct str s, struct instant *out, struct err *e) BASE_CHECKED;
int instant_cmp(struct instant a, struct instant b);
int64_t instant_us(struct instant t); /* microseconds, cut down */
struct instant instant_of_us(int64_t us);
struct instant instant_now(void); /* CLOCK_REALTIME */
int64_t now_us(void);
/* For tests: instant_now and now_us stand still at `us`; INT64_MIN: they go again. */
void base_clock_set(int64_t us);
/* Writes e.g. 2026-11-24T02:14:17.000001Z with `digits` fraction digits (0 to 9); returns its
 * slice. */
struct str instant_text(struct instant t, int digits, char out[INSTANT_TEXT_BYTES]);
int64_t monotonic_us(void);

/* ---- files ------------------------------------------------------------------------------- */

/* Bytes kept readable behind a text that goes to the JSON reader. */
#define BASE_PADDING 64

/* Reads a whole file into base_alloc memory with BASE_PADDING zero bytes behind it; the caller
 * frees out->p with base_free. `-` is standard input. Over max_bytes (0: none): ERR_TOO_LARGE. */
bool file_read(const char *path, size_t max_bytes, struct str *out, struct err *e) BASE_CHECKED;
/* Writes through a temporary name, fsync and rename, then fsync of the folder: afterwards the file
 * holds either the old or the new bytes, whatever happens. `mode` as for open(2). */
bool file_write(const char *path, struct str bytes, unsigned mode, struct err *e) BASE_CHECKED;
/* The same for bytes that lie in several places, one behind the other. */
bool file_write_parts(const char *path, const struct str *parts, size_t count, unsigned mode,
                      struct err *e) BASE_CHECKED;
/* The same piece by piece: nothing stands under `path`, which must outlive it, before file_out_end
 * says so. Whoever does not come so far calls file_out_drop. */
struct file_out {
    const char *path;
    int fd; /* below 0: not open */
    char temporary[4096];
};
bool file_out_open(struct file_out *o, const char *path, unsigned mode, struct err *e) BASE_CHECKED;
bool file_out_put(struct file_out *o, struct str bytes, struct err *e) BASE_CHECKED;
bool file_out_end(struct file_out *o,
                  struct err *e) BASE_CHECKED; /* it is closed, whatever comes */
void file_out_drop(struct file_out *o);        /* once more is allowed */
/* A regular file that is read in pieces; `at` may be set back. */
struct file_in {
    const char *path; /* borrowed */
    int fd;
    uint64_t size, at;
};
bool file_in_open(struct file_in *f, const char *path, struct err *e) BASE_CHECKED;
/* Exactly n bytes; ERR_INVALID when the file ends before them. */
bool file_in_take(struct file_in *f, void *out, size_t n, struct err *e) BASE_CHECKED;
void file_in_close(struct file_in *f);
/* Maps a regular file for reading; pages are read as they are touched. Whoever replaces the file
 * must do so by renaming, as file_write does: one that is cut short under the mapping ends the
 * program. STR_NONE for an empty file. */
bool file_map(const char *path, struct str *out, struct err *e) BASE_CHECKED;
void file_unmap(struct str mapped); /* STR_NONE is allowed */
/* Makes the names in the folder that holds `path` durable. */
bool file_sync_folder(const char *path, struct err *e) BASE_CHECKED;
bool file_exists(const char *path);
bool file_is_dir(const char *path);
/* Calls `each` for every regular file in a folder and below it, in the order of their paths; hidden
 * ones, links and what is no file are passed over. A folder that cannot be read is given itself,
 * with errno as it was. Both are valid during the call only. False: `each` said so. */
struct stat;
typedef bool file_walk_fn(void *ctx, const char *path, const struct stat *st);
bool file_walk(const char *folder, file_walk_fn *each, void *ctx) BASE_CHECKED;
/* Maps errno to ERR_FULL, ERR_MEMORY or ERR_IO; the message names `what`, the path and the
 * reason. */
bool err_errno(struct err *e, const char *what, const char *path);

/* ---- shared libraries ------------------------------------------------------------------------ */

/* A library that few commands need, and that is loaded by the first that does: to load libcurl and
 * what it needs takes longer than most commands take. */
struct base_library {
    const char *soname;       /* found when setu is built: LIBRARY_CURL, LIBRARY_PCAP */
    const char *const *names; /* of `count` functions */
    size_t count;
    void *functions; /* receives them: a struct of nothing but pointers, in that order */
    bool (*begin)(struct err *e); /* called when it is loaded; or NULL */
    /* base_library_load's own. */
    bool tried, loaded;
    struct err failure;
};
/* Once; what became of it is kept, and the library stays. ERR_IO when it cannot be loaded, or is a
 * version without one of the functions. Any thread may call. */
bool base_library_load(struct base_library *l, struct err *e) BASE_CHECKED;

/* ---- random bytes and logging --------------------------------------------------------------- */

void base_random(void *out, size_t n); /* getrandom(2); ends the program if the kernel has none */

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
void log_set_level(enum log_level least);
/* One line on stderr with time and level. Only `http` and the doors call it. */
void log_line(enum log_level level, const char *fmt, ...) BASE_PRINTF(2, 3);

/* Says at the call what those functions promise, so that compilers and analyzers know it too. */
static inline bool err_no(bool always_false)
{
    (void)always_false;
    return false;
}
#define err_set(...)    err_no(err_set(__VA_ARGS__))
#define err_set_at(...) err_no(err_set_at(__VA_ARGS__))
#define err_prefix(...) err_no(err_prefix(__VA_ARGS__))
#define err_hint(...)   err_no(err_hint(__VA_ARGS__))
#define err_errno(...)  err_no(err_errno(__VA_ARGS__))

#ifdef __cplusplus
}
#endif
#endif
