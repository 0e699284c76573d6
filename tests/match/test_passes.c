/*
 * Every kernel does what the portable one does: what `collect` and then `sift` leave of a window,
 * and `count_lines`. It needs the kernels alone, no set and no library, so that it also runs on the
 * emulator of a processor that this machine has not (make neon). Texts stand between pages that
 * cannot be read.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "match/kernel_priv.h"
#include "test.h"

static const struct match_kernel *const kernels[] = {
#if defined __x86_64__
    &match_kernel_avx512, &match_kernel_avx2,
#elif defined MATCH_NEON
    &match_kernel_neon,
#endif
    NULL};

static uint64_t state = 1;

static unsigned any(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

/* ---- texts ------------------------------------------------------------------------------------
 */

enum { ROOM = 160 << 10, POOL = 16 << 10, PAIRS = 256 * 256 * 2 };

static struct {
    char *begin, *end;
} room;

static void make_room(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t n = (ROOM + page - 1) / page * page;
    char *p = mmap(NULL, n + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + page, n, PROT_READ | PROT_WRITE) != 0)
        abort();
    room.begin = p + page;
    room.end = room.begin + n;
}

static struct str put_at(char *p, const char *text, size_t n)
{
    memcpy(p, text, n);
    return (struct str){p, n};
}

static const char *const pieces[] = {
    "www.example.com",
    "a.b.co.uk",
    "x.y",
    "mail.xn--bcher-kva.example",
    "host_.test",
    "-odd.name",
    "192.0.2.1",
    "10.20.30.40",
    "1.2.3",
    "255.255.255.255.9",
    "1.2.3.4.",
    "..",
    ".",
    "localhost",
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "2001:db8::1",
    "::",
    "1:2:3:4:5:6:7:8",
    "http://host.example/a?b",
    "https:\\/\\/h.test",
    "user@host.example",
    "[.]",
    "(dot)",
    "[:]",
    "\\u002e",
    "%2e",
    "m\xc3\xbcnchen.example",
    "\xe3\x80\x82",
    "a.very-long-label-of-more-than-fifty-six-bytes-that-goes-on-and-on-and-on.test",
    " ",
    " ",
    "\n",
    "\t",
    "\"",
    ",",
    "<",
    "=",
    ":",
    "/"};

/* What the texts are cut from, one kind behind the other. */
enum { UNIFORM, BIASED, PIECES, CROWDED, KINDS };
static char pools[KINDS][POOL], pairs[PAIRS];

static void make_pools(void)
{
    static const char biased[] =
        "aaeiotnsrxyzAZ0123456789......--__::()[]\\@/%     \n\"<\xc3\xbc\xff";
    static const char crowded[] = "abc:::::::\\.";
    for (size_t i = 0; i < POOL; i++) {
        pools[UNIFORM][i] = (char)any(256);
        pools[BIASED][i] = biased[any(sizeof biased - 1)];
        pools[CROWDED][i] = crowded[any(sizeof crowded - 1)];
    }
    for (size_t i = 0; i < POOL;) {
        const char *piece = pieces[any(sizeof pieces / sizeof *pieces)];
        while (*piece != '\0' && i < POOL)
            pools[PIECES][i++] = *piece++;
        if (i < POOL && any(3) > 0)
            pools[PIECES][i++] = ' ';
    }
    for (size_t i = 0; i < PAIRS; i++)
        pairs[i] = (char)(i % 2 == 0 ? i / 512 : i / 2);
}

/* ---- gates ------------------------------------------------------------------------------------
 */

/* One for each choice of what the set holds besides names and addresses; their filters let a good
 * part pass, not all. */
enum { GATES = 8, WORDS = 512 };
static uint64_t first_words[GATES][WORDS], values_words[GATES][WORDS];
static struct match_gate gates[GATES];

static uint64_t any_bits(unsigned rounds)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 64; i++)
        bits |= (uint64_t)(any(1u << rounds) > 0) << i;
    return bits;
}

static void make_gates(void)
{
    for (unsigned i = 0; i < GATES; i++) {
        struct match_gate *g = &gates[i];
        g->first = (struct match_bloom){first_words[i], WORDS};
        g->values = (struct match_bloom){values_words[i], WORDS};
        for (size_t k = 0; k < WORDS; k++) {
            first_words[i][k] = any_bits(3);
            values_words[i][k] = any_bits(2);
        }
        for (size_t k = 0; k < MATCH_TLD_BITS / 64; k++)
            g->facts.tlds[k] = any_bits(2);
        g->facts.short_names = i & 1;
        g->facts.digit_names = i >> 1 & 1;
        g->facts.wide_blocks = i >> 2 & 1;
    }
}

/* ---- comparing --------------------------------------------------------------------------------
 */

/* What the portable kernel found in all, so that it is known to have been asked for something. */
static struct {
    size_t names, numbers, marks, crowded, asked, passed;
} found;

static bool same_queue(const struct match_queue *a, const struct match_queue *b)
{
    return a->n == b->n && memcmp(a->keys, b->keys, a->n * sizeof *a->keys) == 0 &&
           memcmp(a->at, b->at, a->n * sizeof *a->at) == 0;
}

static bool same_list(const uint16_t *a, unsigned a_n, const uint16_t *b, unsigned b_n)
{
    return a_n == b_n && memcmp(a, b, a_n * sizeof *a) == 0;
}

/* The first field that is not the same, or NULL. */
static const char *differ(const struct match_pass *a, const struct match_pass *b)
{
#define BITS(field)                                                                                \
    if (memcmp(a->field, b->field, (a->blocks + 1) * sizeof *a->field) != 0)                       \
        return #field;
#define QUEUE(field)                                                                               \
    if (!same_queue(&a->field, &b->field))                                                         \
        return #field;
#define LIST(field, count)                                                                         \
    if (!same_list(a->field, a->count, b->field, b->count))                                        \
        return #field;
    BITS(word)
    BITS(dot)
    BITS(digit)
    BITS(colon)
    BITS(bracket)
    BITS(escape)
    BITS(high)
    BITS(mark)
    BITS(joint)
    BITS(inner)
    BITS(behind_digit)
    QUEUE(asked_names)
    QUEUE(asked_numbers)
    LIST(names, name_count)
    LIST(numbers, number_count)
    LIST(passed, passed_count)
    LIST(marks, mark_count)
    if (a->crowded != b->crowded)
        return "crowded";
    if (memcmp(a->carry, b->carry, sizeof a->carry) != 0)
        return "carry";
    return NULL;
}

/* As a scan begins; what needs no beginning holds something else in each. */
static void begin(struct match_pass *x, const struct match_gate *g, struct str text, int filling)
{
    memset(x, filling, sizeof *x);
    memset(x, 0, offsetof(struct match_pass, names));
    x->gate = g;
    x->begin = x->base = text.p;
    x->end = text.p + text.n;
}

/* Where they part, or NULL. */
static const char *compare(const struct match_kernel *k, const struct match_gate *g,
                           struct str text)
{
    static struct match_pass a, b;
    begin(&a, g, text, 0x11);
    begin(&b, g, text, 0x22);
    for (size_t at = 0;; at += MATCH_WINDOW) {
        size_t rest = text.n - at;
        a.base = b.base = text.p + at;
        a.blocks = rest < MATCH_WINDOW ? (unsigned)rest / MATCH_BLOCK + 1 : MATCH_BLOCKS;
        b.blocks = a.blocks;
        match_kernel_portable.collect(&a);
        k->collect(&b);
        const char *apart = differ(&a, &b);
        found.names += a.name_count;
        found.numbers += a.number_count;
        found.marks += a.mark_count;
        found.crowded += a.crowded;
        found.asked += a.asked_names.n + a.asked_numbers.n;
        found.passed -= a.passed_count;
        match_kernel_portable.sift(&a);
        k->sift(&b);
        found.passed += a.passed_count;
        if (apart == NULL)
            apart = differ(&a, &b);
        if (apart != NULL || rest < MATCH_WINDOW)
            return apart;
    }
}

/* ---- tests ------------------------------------------------------------------------------------
 */

/* Lengths up to some blocks, and round the borders of blocks and windows. */
enum { SHORT = 200 };
static const size_t borders[] = {1984, 2048, 2112, 2128, 4096, 6144};
enum { BORDERS = sizeof borders / sizeof *borders };

/* That many bytes of a kind, at every offset from the start of memory and from its end. */
static void test_length(const struct match_kernel *k, int kind, size_t n)
{
    for (size_t offset = 0; offset <= 64; offset++) {
        const char *text = pools[kind] + any((unsigned)(POOL - n));
        const struct match_gate *g = &gates[(offset + n) % GATES];
        const char *apart = compare(k, g, put_at(room.begin + offset, text, n));
        if (apart == NULL)
            apart = compare(k, g, put_at(room.end - offset - n, text, n));
        if (apart != NULL) {
            CHECK_ROW(false, "%s: kind %d, %zu bytes at %zu, gate %zu: %s", k->name, kind, n,
                      offset, (size_t)(g - gates), apart);
            return;
        }
    }
    CHECK(true);
}

static void test_lengths(const struct match_kernel *k)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t n = 1; n <= SHORT; n++)
            test_length(k, kind, n);
        for (size_t i = 0; i < BORDERS; i++)
            for (size_t n = borders[i] - 1; n <= borders[i] + 1; n++)
                test_length(k, kind, n);
    }
}

/* Every byte behind every other one; and all bytes, from every byte of a block on. */
static void test_bytes(const struct match_kernel *k)
{
    const char *apart = NULL;
    for (size_t offset = 0; offset < 2 && apart == NULL; offset++)
        apart = compare(k, &gates[offset],
                        put_at(room.end - PAIRS + offset, pairs + offset, PAIRS - offset));
    CHECK_ROW(apart == NULL, "%s, pairs: %s", k->name, apart);
    for (size_t offset = 0; offset <= 64; offset++) {
        char text[64 + 2 * 256];
        memset(text, offset % 2 == 0 ? ' ' : 'a', offset);
        for (size_t i = 0; i < 2 * 256; i++)
            text[offset + i] = (char)(i < 256 ? i : 0 - i);
        apart = compare(k, &gates[offset % GATES], put_at(room.begin, text, offset + 2 * 256));
        CHECK_ROW(apart == NULL, "%s, all bytes behind %zu: %s", k->name, offset, apart);
    }
}

static size_t count_plainly(struct str text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    return lines;
}

static void test_lines_of(const struct match_kernel *k, const char *text, size_t n)
{
    for (size_t offset = 0; offset <= 64; offset++) {
        struct str front = put_at(room.begin + offset, text, n);
        size_t lines = count_plainly(front);
        bool same = match_kernel_portable.count_lines(front.p, n) == lines &&
                    k->count_lines(front.p, n) == lines;
        struct str back = put_at(room.end - offset - n, text, n);
        if (!same || k->count_lines(back.p, n) != lines) {
            CHECK_ROW(false, "%s: %zu lines in %zu bytes at %zu", k->name, lines, n, offset);
            return;
        }
    }
    CHECK(true);
}

/* Vectors count in bytes: long texts pass 255 in each of them. */
static void test_lines(const struct match_kernel *k)
{
    static char text[POOL + 512];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "\n\nx\n\v"[any(5)];
    for (size_t n = 0; n <= SHORT; n++)
        test_lines_of(k, text, n);
    test_lines_of(k, text, sizeof text - 1);
    memset(text, '\n', sizeof text);
    for (size_t i = 0; i < BORDERS; i++)
        test_lines_of(k, text, borders[i] + 1);
    for (size_t n = 255 * 64 - 65; n <= sizeof text; n += 65)
        test_lines_of(k, text, n);
}

int main(void)
{
    make_room();
    make_pools();
    make_gates();
    for (size_t i = 0; kernels[i] != NULL; i++) {
        if (!kernels[i]->runs()) {
            TEST_SKIP("%s: not on this processor", kernels[i]->name);
            continue;
        }
        test_lengths(kernels[i]);
        test_bytes(kernels[i]);
        test_lines(kernels[i]);
        CHECK(found.names > 10000 && found.numbers > 1000 && found.marks > 10000);
        CHECK(found.crowded > 100 && found.asked > 10000);
        CHECK(found.passed > found.asked / 8 && found.passed < found.asked);
    }
    if (kernels[0] == NULL)
        TEST_SKIP("there is no kernel but the portable one");
    TEST_END();
}
