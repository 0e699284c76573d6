#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"

/* ---- failing on purpose ---- */

/* Allocations up to the one that fails; 0: none will; below 0: every one does. */
static atomic_long fail_after;
static atomic_bool fail_goes_on, fail_struck;

bool base_fail_allocation(long k, bool persistent)
{
    atomic_store(&fail_goes_on, persistent);
    atomic_store(&fail_after, k);
    return atomic_exchange(&fail_struck, false);
}

/* Must this allocation fail? In a program that runs no test: one load. */
static bool fails(void)
{
    long left = atomic_load_explicit(&fail_after, memory_order_relaxed), next;
    do {
        if (left <= 0)
            return left < 0;
        next = left > 1 ? left - 1 : atomic_load(&fail_goes_on) ? -1 : 0;
    } while (!atomic_compare_exchange_weak(&fail_after, &left, next));
    if (left == 1)
        atomic_store(&fail_struck, true);
    return left == 1;
}

/* All memory of this program comes from these two. */
static void *zeroed(size_t bytes)
{
    return fails() ? NULL : calloc(1, bytes);
}

static void *resized(void *p, size_t bytes)
{
    return fails() ? NULL : realloc(p, bytes);
}

/* ---- plain memory ---- */

void *base_alloc(size_t bytes)
{
    return zeroed(bytes ? bytes : 1);
}

void *base_realloc(void *p, size_t bytes)
{
    return resized(p, bytes ? bytes : 1);
}

void base_free(void *p)
{
    free(p);
}

/* Large pages are 2 MiB where there are any; what is smaller than half of one has no use for them.
 */
#define LARGE_PAGE ((size_t)2 << 20)

static size_t whole_pages(size_t bytes)
{
    size_t page = bytes < LARGE_PAGE / 2 ? 4096 : LARGE_PAGE;
    return (bytes + page - 1) / page * page;
}

void *base_pages(size_t bytes)
{
    size_t n = whole_pages(bytes);
    if (bytes == 0 || n < bytes || n > SIZE_MAX - LARGE_PAGE || fails())
        return NULL;
    char *p =
        mmap(NULL, n + LARGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t skip = (LARGE_PAGE - (uintptr_t)p % LARGE_PAGE) % LARGE_PAGE;
    if (skip > 0)
        munmap(p, skip);
    if (skip < LARGE_PAGE)
        munmap(p + skip + n, LARGE_PAGE - skip);
    if (n >= LARGE_PAGE)
        (void)madvise(p + skip, n, MADV_HUGEPAGE);
    return p + skip;
}

void base_pages_free(void *p, size_t bytes)
{
    if (p)
        munmap(p, whole_pages(bytes));
}

bool base_grow(void **items, size_t *room, size_t need, size_t item_bytes)
{
    if (need <= *room)
        return true;
    size_t more = *room ? *room : 8, bytes;
    while (more < need)
        if (!size_mul(more, 2, &more))
            return false;
    if (!size_mul(more, item_bytes, &bytes))
        return false;
    void *p = resized(*items, bytes);
    if (!p)
        return false;
    *items = p;
    *room = more;
    return true;
}

/* ---- arenas ---- */

struct chunk {
    struct chunk *next;
    size_t room;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct chunk *chunks;    /* the newest first; allocation is from it */
    size_t used, total, cap; /* of the newest chunk; of all chunks; most of `total` */
    enum err_code failed;
};

enum { CHUNK_LEAST = 16 * 1024, CHUNK_MOST = 8 * 1024 * 1024, CHUNK_HUGE = CHUNK_MOST };

struct arena *arena_new(size_t cap_bytes)
{
    struct arena *a = zeroed(sizeof *a);
    if (a)
        a->cap = cap_bytes;
    return a;
}

static void free_chunks(struct chunk *c)
{
    while (c) {
        struct chunk *next = c->next;
        free(c);
        c = next;
    }
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    free_chunks(a->chunks);
    free(a);
}

void arena_reset(struct arena *a)
{
    if (a->chunks) {
        free_chunks(a->chunks->next);
        a->chunks->next = NULL;
        a->total = a->chunks->room;
    }
    a->used = 0;
    a->failed = ERR_NONE;
}

size_t arena_used(const struct arena *a)
{
    return a->total;
}

/* Asks for large pages, which cost a fraction of the page faults. Where there are none, nothing is
 * lost. */
static void want_large_pages(struct chunk *c, size_t bytes)
{
    const size_t page = 4096;
    size_t skip = page - (uintptr_t)c % page;
    if (bytes >= CHUNK_HUGE)
        (void)madvise((unsigned char *)c + skip, bytes - skip, MADV_HUGEPAGE);
}

static bool add_chunk(struct arena *a, size_t least)
{
    size_t room = a->total < CHUNK_LEAST ? CHUNK_LEAST : a->total, bytes;
    if (room > CHUNK_MOST)
        room = CHUNK_MOST;
    if (room < least)
        room = least;
    if (a->total > a->cap || room > a->cap - a->total)
        room = least;
    if (a->total > a->cap || room > a->cap - a->total) {
        a->failed = ERR_LIMIT;
        return false;
    }
    struct chunk *c = size_add(sizeof *c, room, &bytes) ? resized(NULL, bytes) : NULL;
    if (!c) {
        a->failed = ERR_MEMORY;
        return false;
    }
    want_large_pages(c, bytes);
    c->next = a->chunks;
    c->room = room;
    a->chunks = c;
    a->total += room;
    a->used = 0;
    return true;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    size_t align = alignof(max_align_t), need;
    if (a->failed)
        return NULL;
    if (!size_add(bytes, align - 1, &need)) {
        a->failed = ERR_LIMIT;
        return NULL;
    }
    need &= ~(align - 1);
    if ((!a->chunks || need > a->chunks->room - a->used) && !add_chunk(a, need))
        return NULL;
    void *p = a->chunks->bytes + a->used;
    a->used += need;
    return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t bytes)
{
    size_t all;
    if (!size_mul(count, bytes, &all)) {
        a->failed = ERR_LIMIT;
        return NULL;
    }
    void *p = arena_alloc(a, all);
    if (p)
        memset(p, 0, all);
    return p;
}

char *arena_cstr(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (!p)
        return NULL;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_cstr(a, s);
    return p ? (struct str){p, s.n} : STR_NONE;
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p ? (struct str){p, (size_t)n} : STR_NONE;
}

bool arena_ok(const struct arena *a, struct err *e)
{
    if (!a->failed)
        return true;
    return err_set(e, a->failed, "needs more than %zu bytes of memory", a->cap);
}

/* ---- owned buffers ---- */

void buf_init(struct buf *b, size_t cap_bytes)
{
    *b = (struct buf){.cap_bytes = cap_bytes};
}

void buf_done(struct buf *b)
{
    free(b->p);
    buf_init(b, b->cap_bytes);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = ERR_NONE;
}

static bool grow(struct buf *b, size_t need)
{
    void *p = b->p;
    if (!base_grow(&p, &b->room, need, 1)) {
        b->failed = ERR_MEMORY;
        return false;
    }
    b->p = p;
    return true;
}

bool buf_reserve(struct buf *b, size_t more)
{
    size_t need;
    if (b->failed)
        return false;
    if (more <= b->room - b->n && !b->cap_bytes)
        return true;
    if (!size_add(b->n, more, &need) || (b->cap_bytes && need > b->cap_bytes)) {
        b->failed = ERR_LIMIT;
        return false;
    }
    return grow(b, need);
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || !buf_reserve(b, n))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void buf_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void buf_lit(struct buf *b, const char *nul_terminated)
{
    buf_put(b, nul_terminated, strlen(nul_terminated));
}

void buf_byte(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_put(b, digits + n, sizeof digits - n);
}

void buf_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_byte(b, '-');
    buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_hex(struct buf *b, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = p;
    for (size_t i = 0; i < n; i++) {
        buf_byte(b, digits[bytes[i] >> 4]);
        buf_byte(b, digits[bytes[i] & 15]);
    }
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    /* vsnprintf's NUL does not count towards the cap. */
    if (buf_reserve(b, n < 0 ? SIZE_MAX : (size_t)n) && grow(b, b->n + (size_t)n + 1)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

struct str buf_view(const struct buf *b)
{
    return (struct str){b->p, b->n};
}

bool buf_ok(const struct buf *b, struct err *e)
{
    if (!b->failed)
        return true;
    return err_set(e, b->failed, b->failed == ERR_LIMIT ? "more than %zu bytes" : "out of memory",
                   b->cap_bytes);
}
