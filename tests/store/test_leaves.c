/* The bodies of the ledger's rows: what was put is taken, records of a batch cost what differs, and
 * a changed, added or missing byte is never read as the same leaves. */
#include "store/leaves.h"
#include "test.h"

#define MOST 600

struct given {
    struct store_leaf leaves[MOST];
    size_t count;
    struct arena *arena;
};

static void give(struct given *g, struct str record)
{
    struct store_leaf *l = &g->leaves[g->count];
    l->salt = arena_printf(g->arena, "salt of %08u", (unsigned)g->count);
    l->record = record;
    l->audience = (int64_t)g->count * 7919 - 5;
    CHECK(l->salt.n == STORE_LEDGER_SALT_BYTES);
    g->count++;
}

static void begin(struct given *g)
{
    g->count = 0;
    g->arena = arena_new(64 << 20);
    CHECK(g->arena != NULL);
}

static void put_all(const struct given *g, struct buf *out)
{
    struct leaf_past past;
    leaf_past_init(&past);
    buf_init(out, 0);
    for (size_t i = 0; i < g->count; i++)
        leaf_put(&past, &g->leaves[i], out);
    leaf_past_done(&past);
}

/* How many leaves of `body`, one after the other, are the given ones; all of it must be read for
 * the last to count. */
static size_t taken(const struct given *g, struct str body)
{
    struct leaf_past past;
    struct store_leaf l;
    struct err e = {0};
    size_t i = 0;
    leaf_past_init(&past);
    while (i < g->count && leaf_take(&past, &body, &l, &e) &&
           str_eq(l.record, g->leaves[i].record) && str_eq(l.salt, g->leaves[i].salt) &&
           l.audience == g->leaves[i].audience)
        i++;
    leaf_past_done(&past);
    return i == g->count && body.n ? i - 1 : i;
}

static struct str repeated(struct arena *a, const char *what, size_t times)
{
    struct buf b;
    buf_init(&b, 0);
    for (size_t i = 0; i < times; i++)
        buf_lit(&b, what);
    struct str s = arena_str(a, buf_view(&b));
    buf_done(&b);
    return s;
}

/* As a batch has them: an acceptance and releases of each object. */
static void give_batch(struct given *g, size_t objects)
{
    for (size_t i = 0; i < objects; i++) {
        unsigned n = (unsigned)i;
        give(g, arena_printf(g->arena,
                             "{\"actor\":\"IN/cert-in/a\",\"at\":\"2026-11-24T02:14:17.000001Z\","
                             "\"digest\":\"%08x\",\"kind\":\"acceptance\",\"object\":\"tool--%u\"}",
                             n * 2654435761u, n));
        for (size_t k = 0; k < i % 3; k++)
            give(g,
                 arena_printf(g->arena,
                              "{\"actor\":\"IN/cert-in/a\",\"at\":\"2026-11-24T02:14:17.000001Z\","
                              "\"audience\":\"%zu\",\"digest\":\"%08x\",\"kind\":\"release\","
                              "\"line\":%zu,\"object\":\"tool--%u\"}",
                              k, n * 2654435761u, i % 20, n));
    }
}

/* ---- what is put is taken ---- */

static void test_shapes(void)
{
    static const char *const records[] = {
        "",
        "",
        "{}",
        "{}",
        "\",",
        "\",\",",
        "\",x",
        "x",
        "\",x",
        "\"",
        ",",
        "",
        "{\"a\":\"1\",\"b\":2,\"c\":\"\\\",\"}",
        "{\"a\":\"1\",\"b\":2,\"c\":\"\\\",\"}",
        "{\"a\":\"1\",\"b\":3,\"c\":\"\\\",\"}",
        "{\"a\":\"1\"}",
        "{\"a\":\"1\",",
        "{\"a\":\"2\",",
        "{\"a\":\"1\",\"b\":2,\"c\":\"\\\",\"}",
    };
    static struct given g;
    struct buf body;
    begin(&g);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        give(&g, str_of(records[i]));
    for (size_t n = LEAF_PIECES - 2; n < LEAF_PIECES + 3; n++)
        for (size_t k = 0; k < 3; k++) /* at the last piece, with and without a rest */
            give(&g, str_slice(repeated(g.arena, "\"m\":\"v\",", n + 1), 0, n * 8 + k));
    give(&g, repeated(g.arena, "x", LIMIT_LEDGER_RECORD_BYTES));
    give(&g, repeated(g.arena, "\"m\":\"v\",", LIMIT_LEDGER_RECORD_BYTES / 8));
    give(&g, repeated(g.arena, "\"m\":\"v\",", LIMIT_LEDGER_RECORD_BYTES / 8));
    put_all(&g, &body);
    CHECK(taken(&g, buf_view(&body)) == g.count);
    buf_done(&body);
    arena_free(g.arena);
}

static void test_cost(void)
{
    static struct given g;
    struct buf body;
    size_t plain = 0;
    begin(&g);
    give_batch(&g, 200);
    put_all(&g, &body);
    CHECK(taken(&g, buf_view(&body)) == g.count);
    for (size_t i = 0; i < g.count; i++)
        plain += g.leaves[i].record.n;
    size_t packed = body.n - g.count * (STORE_LEDGER_SALT_BYTES + 17);
    CHECK_ROW(packed * 5 < plain * 2, "%zu of %zu bytes", packed, plain);
    buf_done(&body);
    arena_free(g.arena);
}

/* ---- what was changed is not ---- */

static void change(const struct given *g, struct buf *body, size_t at)
{
    char kept = body->p[at];
    for (unsigned bit = 0; bit < 8; bit++) {
        body->p[at] = (char)((unsigned char)kept ^ 1u << bit);
        CHECK_ROW(taken(g, buf_view(body)) < g->count, "byte %zu, bit %u", at, bit);
    }
    body->p[at] = kept;
    CHECK_ROW(taken(g, str_slice(buf_view(body), 0, at)) < g->count, "cut at %zu", at);
}

static void test_changes(void)
{
    static struct given g;
    struct buf body;
    begin(&g);
    give_batch(&g, 7);
    give(&g, STR(""));
    give_batch(&g, 3);
    put_all(&g, &body);
    for (size_t at = 0; at < body.n; at++)
        change(&g, &body, at);
    buf_byte(&body, 0);
    CHECK(taken(&g, buf_view(&body)) == g.count - 1);
    buf_done(&body);
    arena_free(g.arena);
}

/* A second way to write the same record: literal what is told from the one before, and told from a
 * farther one. */
static void test_one_way(void)
{
    static const struct store_leaf leaf = {
        .salt = {"0123456789abcdef", STORE_LEDGER_SALT_BYTES},
        .record = {"{\"a\":\"1\",\"b\":\"2\"}", 17},
        .audience = 3,
    };
    static struct given g;
    struct buf body;
    begin(&g);
    for (size_t i = 0; i < 3; i++)
        g.leaves[g.count++] = leaf;
    put_all(&g, &body);
    CHECK(taken(&g, buf_view(&body)) == 3);
    struct str all = buf_view(&body);
    const size_t head = 17 + STORE_LEDGER_SALT_BYTES, first = head + leaf.record.n;
    CHECK(all.n == first + 2 * head);
    body.p[first + head + 12] = 2; /* back */
    CHECK(taken(&g, all) == 2);
    struct buf twice;
    buf_init(&twice, 0);
    buf_str(&twice, str_slice(all, 0, first)); /* the first leaf again: nothing in common */
    buf_str(&twice, str_slice(all, 0, first));
    buf_str(&twice, str_slice(all, first, first + head));
    CHECK(taken(&g, buf_view(&twice)) == 1);
    buf_done(&twice);
    buf_done(&body);
    arena_free(g.arena);
}

int main(void)
{
    test_shapes();
    test_cost();
    test_changes();
    test_one_way();
    TEST_END();
}
