/*
 * Pages that are kept: given out again while they are what a new reading would give, and not once
 * after. That a page was given out again shows in its address, since the test holds the first one.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "node.h"

#include "exchange/exchange_priv.h"

/* ---- reading ---- */

/* "1@0 1@5", and + where more follow. */
static void row(struct buf *b, size_t i, const struct store_row *r)
{
    struct str v = r->object->version;
    if (i)
        buf_byte(b, ' ');
    buf_byte(b, r->object->id.p[r->object->id.n - 1]);
    buf_byte(b, '@');
    buf_put(b, v.p + 18, 1);
}

static void end(void *ctx, struct buf *b, size_t count, bool more, int64_t upto_us)
{
    (void)ctx;
    (void)upto_us;
    buf_lit(b, more ? "+" : count ? "" : "-");
}

struct asked {
    char who;
    size_t limit;
    unsigned versions;
    const char *type; /* or NULL */
    const char *id;   /* or NULL */
};

/* NULL on failure. */
static struct exchange_page *ask(struct exchange_session *s, const struct node *n,
                                 const struct asked *a)
{
    static const struct exchange_paging how = {.kind = 't', .row = row, .end = end};
    struct exchange_page *p = NULL;
    struct err e = {0};
    struct str type = a->type ? str_of(a->type) : STR_NONE;
    struct str id = a->id ? str_of(a->id) : STR_NONE;
    struct exchange_query q = {.collection = &n->c,
                               .after_us = INT64_MIN,
                               .limit = a->limit,
                               .versions = a->versions,
                               .types = &type,
                               .type_count = a->type != NULL,
                               .ids = &id,
                               .id_count = a->id != NULL,
                               .with_bytes = true};
    return exchange_page_read(s, person(n, a->who), &q, &how, &p, &e) ? p : NULL;
}

static struct exchange_page *page(struct exchange_session *s, const struct node *n,
                                  const struct asked *a)
{
    struct exchange_page *p = ask(s, n, a);
    CHECK(p != NULL);
    return p;
}

static const char *text_of(struct exchange_session *s, const struct node *n, char who,
                           const struct exchange_page *p)
{
    static _Thread_local char text[200];
    struct str bytes = STR_NONE;
    struct err e = {0};
    if (!exchange_page_give(s, person(n, who), p, EXCHANGE_PAGE_PLAIN, &bytes, &e))
        bytes = str_of(e.msg);
    snprintf(text, sizeof text, "%.*s", STR_FMT(bytes));
    return text;
}

/* ---- what keeps a page, and what does not ---- */

static void withdraw(struct node *n, char who, const char *id)
{
    struct err e = {0};
    struct exchange_query q = {.collection = &n->c, .versions = STORE_ALL};
    CHECK_ROW(exchange_withdraw(n->s, person(n, who), &q, str_of(id), STR("test"), &e), "%s",
              e.msg);
}

static void apply(struct node *n, const char *rules)
{
    static char text[2000];
    struct err e = {0};
    snprintf(text, sizeof text, "%s%s", rules, NODE_POLICY);
    CHECK_ROW(exchange_policy_apply(n->x, str_of(text), NULL, NULL, &e), "%s", e.msg);
}

static const char *extra(const char *labels, enum stix_tlp tlp)
{
    static char text[300];
    snprintf(text, sizeof text, "%s%s", labels, marked(tlp));
    return text;
}

enum what { NOTHING, ADD, REVISE, OLDER, TAKE, APPLY };

/* A full page that others follow, the page that reaches the end, one of all versions, one of a
 * type, and one object by its id: is each what it was, in place and content? */
struct step {
    const char *name;
    enum what what;
    char by;
    int number, version;
    enum stix_tlp tlp;
    const char *labels;                  /* or the rules that come before the others */
    const char *full, *last, *all, *one; /* the pages after it, as jpcert has them */
    bool same_full, same_last, same_all, same_one;
};
#define NATIONAL ",\"labels\":[\"national-only\"]"

static const struct step steps[] = {
    {"nothing", NOTHING, 0, 0, 0, 0, "", "1@5 2@5+", "1@5 2@5 3@5", "1@5 2@5+", "2@5", true, true,
     true, true},
    {"one that it may not have", ADD, 'a', 4, 5, STIX_TLP_GREEN, NATIONAL, "1@5 2@5+",
     "1@5 2@5 3@5", "1@5 2@5+", "2@5", true, true, true, true},
    {"one behind the page", ADD, 'a', 5, 5, STIX_TLP_GREEN, "", "1@5 2@5+", "1@5 2@5 3@5 5@5",
     "1@5 2@5+", "2@5", true, false, true, true},
    {"a version it may not have", REVISE, 'a', 2, 6, STIX_TLP_GREEN, NATIONAL, "1@5 2@5+",
     "1@5 2@5 3@5 5@5", "1@5 2@5+", "2@5", true, true, true, true},
    {"a version of what is on the page", REVISE, 'a', 2, 7, STIX_TLP_GREEN, "", "1@5 3@5+",
     "1@5 3@5 5@5 2@7", "1@5 2@5+", "2@7", false, false, true, false},
    {"a version of what is not", REVISE, 'a', 5, 7, STIX_TLP_GREEN, "", "1@5 3@5+",
     "1@5 3@5 2@7 5@7", "1@5 2@5+", "2@7", true, false, true, true},
    {"an older version", OLDER, 'a', 1, 2, STIX_TLP_GREEN, "", "1@5 3@5+", "1@5 3@5 2@7 5@7",
     "1@5 2@5+", "2@7", false, false, true, true},
    {"one is taken back that it could not have", TAKE, 'a', 4, 0, 0, "", "1@5 3@5+",
     "1@5 3@5 2@7 5@7", "1@5 2@5+", "2@7", true, true, true, true},
    {"one is taken back", TAKE, 'a', 3, 0, 0, "", "1@5 2@7+", "1@5 2@7 5@7", "1@5 2@5+", "2@7",
     false, false, false, false},
    {"others get what it has", APPLY, 0, 0, 0, 0, "release tlp:green to US\n", "1@5 2@7+",
     "1@5 2@7 5@7", "1@5 2@5+", "2@7", true, true, true, true},
    {"one for all", ADD, 'a', 6, 5, STIX_TLP_CLEAR, "", "1@5 2@7+", "1@5 2@7 5@7 6@5", "1@5 2@5+",
     "2@7", true, false, true, true},
    {"that one is taken from others", APPLY, 0, 0, 0, 0, "deny tlp:clear to US\n", "1@5 2@7+",
     "1@5 2@7 5@7 6@5", "1@5 2@5+", "2@7", true, true, true, true},
    {"what it has is refused to it", APPLY, 0, 0, 0, 0, "deny tlp:green to JP\n", "6@5", "6@5",
     "6@5", "-", false, false, false, false},
};

static void do_step(struct node *n, const struct step *s)
{
    char id[60];
    snprintf(id, sizeof id, "indicator--" UUID_OF, s->number);
    switch (s->what) {
    case NOTHING:
        break;
    case ADD:
    case REVISE:
    case OLDER:
        CHECK_TEXT(submit(n, s->by, &n->c,
                          indicator(s->number, s->version, extra(s->labels, s->tlp)), false),
                   "accepted", "%s", s->name);
        break;
    case TAKE:
        withdraw(n, s->by, id);
        break;
    case APPLY:
        apply(n, s->labels);
        break;
    }
}

static void test_steps(void)
{
    static const struct asked asked[] = {
        {'j', 2, STORE_LAST, NULL, NULL},
        {'j', 9, STORE_LAST, NULL, NULL},
        {'j', 2, STORE_ALL, NULL, NULL},
        {'j', 2, STORE_LAST, "indicator", NULL},
        {'j', 9, STORE_LAST, NULL, "indicator--00000000-0000-4000-8000-000000000002"}};
    struct node n;
    struct exchange_page *before[COUNT(asked)], *after;
    node_make(&n, "steps", NULL);
    for (int i = 1; i <= 3; i++)
        CHECK_TEXT(submit(&n, 'a', &n.c, indicator(i, 5, extra("", STIX_TLP_GREEN)), false),
                   "accepted", "%d", i);
    for (size_t k = 0; k < COUNT(asked); k++)
        before[k] = page(n.s, &n, &asked[k]);
    for (size_t i = 0; i < COUNT(steps); i++) {
        const struct step *s = &steps[i];
        const char *texts[] = {s->full, s->last, s->all, s->full, s->one};
        const bool same[] = {s->same_full, s->same_last, s->same_all, s->same_full, s->same_one};
        do_step(&n, s);
        for (size_t k = 0; k < COUNT(asked); k++) {
            after = page(n.s, &n, &asked[k]);
            CHECK_TEXT(text_of(n.s, &n, 'j', after), texts[k], "%s: %zu", s->name, k);
            CHECK_ROW((after == before[k]) == same[k], "%s: %zu is %s one", s->name, k,
                      same[k] ? "another" : "the same");
            CHECK_ROW((strcmp(after->tag, before[k]->tag) == 0) ==
                          (strcmp(text_of(n.s, &n, 'j', before[k]), texts[k]) == 0),
                      "%s: tag of %zu", s->name, k);
            exchange_page_drop(before[k]);
            before[k] = after;
        }
    }
    for (size_t k = 0; k < COUNT(asked); k++)
        exchange_page_drop(before[k]);
    node_done(&n);
}

/* ---- how much may be added ---- */

static void add_many(struct node *n, int first, int count, int revised)
{
    struct buf b;
    struct parcel p;
    struct err e = {0};
    buf_init(&b, 0);
    for (int i = 0; i < count; i++) {
        buf_str(&b, str_of(i ? "," : ""));
        buf_str(&b, str_of(indicator(i == 0 && revised ? revised : first + i,
                                     i == 0 && revised ? 6 : 5, marked(STIX_TLP_GREEN))));
    }
    buf_byte(&b, '\0');
    CHECK(!b.failed);
    bool made = parcel_make(n->s, person(n, 'a'), &n->c, b.p, false, NULL, &p, &e);
    CHECK_ROW(made, "%s", e.msg);
    if (made) {
        CHECK_ROW(exchange_commit_wait(n->x, p.b, &e), "%s", e.msg);
        parcel_free(&p);
    }
    buf_done(&b);
}

/* A full page outlives what is added behind it as long as the names of that are known: up to some
 * at once, and up to some in all. What is on it is found among them. */
static void test_many_added(void)
{
    enum { ONCE = LIMIT_EXCHANGE_RECENT_ROWS, ALL = LIMIT_EXCHANGE_RECENT_NAMES };
    static const struct {
        const char *name;
        int count, revised;
        bool same;
        const char *text;
    } rows[] = {
        {"some", 10, 0, true, "1@5 2@5+"},
        {"as many as are read at once", ONCE, 0, true, "1@5 2@5+"},
        {"one more", ONCE + 1, 0, false, "1@5 2@5+"},
        {"many", ONCE, 0, true, "1@5 2@5+"},
        {"as many as are known", ALL - ONCE > ONCE ? ONCE : ALL - ONCE, 0, true, "1@5 2@5+"},
        {"more than are known", ALL - 2 * ONCE + 1, 0, false, "1@5 2@5+"},
        {"one on the page, among them", 100, 2, false, "1@5 3@5+"},
        {"one that was on it", 100, 2, true, "1@5 3@5+"},
    };
    static const struct asked asked = {'j', 2, STORE_LAST, NULL, NULL};
    struct node n;
    int first = 4;
    node_make(&n, "many", NULL);
    add_many(&n, 1, 3, 0);
    struct exchange_page *before = page(n.s, &n, &asked), *after;
    for (size_t i = 0; i < COUNT(rows); i++) {
        add_many(&n, first, rows[i].count, rows[i].revised);
        first += rows[i].count;
        after = page(n.s, &n, &asked);
        CHECK_TEXT(text_of(n.s, &n, 'j', after), rows[i].text, "%s", rows[i].name);
        CHECK_ROW((after == before) == rows[i].same, "%s: it is %s one", rows[i].name,
                  rows[i].same ? "another" : "the same");
        exchange_page_drop(before);
        before = after;
    }
    exchange_page_drop(before);
    node_done(&n);
}

/* Whose a page is: of one organisation's users, of nobody else's who may see the same. */
static void test_whose(void)
{
    static const struct {
        char first, second;
        bool same;
    } rows[] = {{'n', 'r', true}, {'n', 't', false}, {'j', 'd', false}, {'a', 'a', true}};
    struct node n;
    node_make(&n, "whose", NULL);
    CHECK_TEXT(submit(&n, 'a', &n.c, indicator(1, 5, marked(STIX_TLP_GREEN)), false), "accepted",
               "submitted");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exchange_page *one =
            page(n.s, &n, &(struct asked){rows[i].first, 5, STORE_LAST, NULL, NULL});
        struct exchange_page *two =
            page(n.s, &n, &(struct asked){rows[i].second, 5, STORE_LAST, NULL, NULL});
        CHECK_ROW((one == two) == rows[i].same, "%c and %c", rows[i].first, rows[i].second);
        CHECK_ROW(strcmp(one->tag, two->tag) == 0, "%c and %c", rows[i].first, rows[i].second);
        exchange_page_drop(one);
        exchange_page_drop(two);
    }
    node_done(&n);
}

/* Another process takes back; and one that holds a page does not lose it. */
static void test_other_process(void)
{
    struct node n, other;
    struct err e = {0};
    const struct asked asked = {'j', 5, STORE_LAST, NULL, NULL};
    node_make(&n, "processes", NULL);
    CHECK_TEXT(submit(&n, 'a', &n.c, indicator(1, 5, marked(STIX_TLP_GREEN)), false), "accepted",
               "submitted");
    other = n;
    CHECK(exchange_open(at("processes"), &other.x, &e) &&
          exchange_session_open(other.x, &other.s, &e));
    struct exchange_page *before = page(n.s, &n, &asked);
    withdraw(&other, 'a', INDICATOR_ID(1));
    struct exchange_page *after = page(n.s, &n, &asked);
    CHECK_TEXT(text_of(n.s, &n, 'j', after), "-", "taken back by another process");
    CHECK_TEXT(text_of(n.s, &n, 'j', before), "1@5", "held");
    exchange_page_drop(before);
    exchange_page_drop(after);
    exchange_session_close(other.s);
    exchange_close(other.x);
    node_done(&n);
}

/* ---- forms ---- */

static unsigned coded;

static bool twice(unsigned form, struct str plain, struct buf *out)
{
    coded++;
    for (unsigned i = 0; i < form; i++)
        buf_str(out, plain);
    return true;
}

static bool refuse(unsigned form, struct str plain, struct buf *out)
{
    (void)form;
    buf_str(out, plain);
    return false;
}

static void test_forms(void)
{
    struct node n;
    struct err e = {0};
    struct str bytes = STR_NONE;
    const struct asked asked = {'j', 5, STORE_LAST, NULL, NULL};
    node_make(&n, "forms", NULL);
    CHECK_TEXT(submit(&n, 'a', &n.c, indicator(1, 5, marked(STIX_TLP_GREEN)), false), "accepted",
               "submitted");
    struct exchange_page *p = page(n.s, &n, &asked);
    size_t before = n.x->pages.bytes;
    CHECK(exchange_page_has(p, EXCHANGE_PAGE_PLAIN) && !exchange_page_has(p, 2));
    CHECK(!exchange_page_code(p, 2, refuse, &e) && !exchange_page_has(p, 2));
    CHECK(exchange_page_code(p, 2, twice, &e) && exchange_page_code(p, 2, twice, &e));
    CHECK(coded == 1 && exchange_page_has(p, 2) && !exchange_page_has(p, 1));
    CHECK(exchange_page_give(n.s, person(&n, 'j'), p, 2, &bytes, &e) &&
          str_eq(bytes, STR("1@51@5")) && p->body_bytes == 3);
    CHECK(n.x->pages.bytes >= before + 6);
    exchange_page_drop(p);
    node_done(&n);
}

/* ---- memory ---- */

static void long_row(struct buf *b, size_t i, const struct store_row *r)
{
    (void)r;
    (void)i;
    if (buf_reserve(b, 1 << 20)) {
        memset(b->p + b->n, 'x', 1 << 20);
        b->n += 1 << 20;
    }
}

/* However many pages are asked for, those that are kept stay within their limit; a page that alone
 * is too much is given out, and not kept. */
static void test_memory(void)
{
    static const struct exchange_paging how = {.kind = 'x', .row = long_row, .end = end};
    struct node n;
    struct err e = {0};
    size_t most = 0;
    node_make(&n, "memory", NULL);
    for (int i = 1; i <= 9; i++)
        CHECK_TEXT(submit(&n, 'a', &n.c, indicator(i, 5, marked(STIX_TLP_GREEN)), false),
                   "accepted", "%d", i);
    for (int i = 0; i < 200; i++) {
        struct exchange_page *p = NULL;
        struct exchange_query q = {
            .collection = &n.c, .after_us = INT64_MIN + i, .limit = 1, .versions = STORE_LAST};
        CHECK(exchange_page_read(n.s, person(&n, 'j'), &q, &how, &p, &e));
        most = n.x->pages.bytes > most ? n.x->pages.bytes : most;
        exchange_page_drop(p);
    }
    CHECK_ROW(most <= LIMIT_EXCHANGE_PAGES_BYTES && most > LIMIT_EXCHANGE_PAGES_BYTES / 2, "%zu",
              most);
    for (int i = 0; i < 2; i++) {
        struct exchange_page *p = NULL, *again = NULL;
        struct exchange_query q = {.collection = &n.c,
                                   .after_us = INT64_MIN + 199,
                                   .limit = i ? 9 : 1,
                                   .versions = STORE_LAST};
        CHECK(exchange_page_read(n.s, person(&n, 'j'), &q, &how, &p, &e) &&
              exchange_page_read(n.s, person(&n, 'j'), &q, &how, &again, &e));
        CHECK_ROW((p == again) == (i == 0), "%d: %zu", i, p->body_bytes);
        exchange_page_drop(p);
        exchange_page_drop(again);
    }
    node_done(&n);
}

/* ---- many at once ---- */

#define ROUNDS 150
enum { READERS = 4 };
static atomic_int withdrawn; /* the objects up to this number are taken back */
static atomic_bool over;

struct reader {
    struct node *n;
    pthread_t thread;
    unsigned pages, wrong;
};

/* What was taken back before a reading began is not on its page. */
static void *read_on(void *arg)
{
    struct reader *r = arg;
    struct exchange_session *s = NULL;
    struct err e = {0};
    const struct asked asked[] = {{'j', 9, STORE_LAST, NULL, NULL},
                                  {'j', 2, STORE_LAST, NULL, NULL}};
    if (!exchange_session_open(r->n->x, &s, &e))
        return NULL;
    while (!atomic_load(&over)) {
        int upto = atomic_load(&withdrawn);
        struct exchange_page *p = ask(s, r->n, &asked[r->pages++ % 2]);
        if (!p)
            break;
        const char *text = text_of(s, r->n, 'j', p);
        /* Ten rounds later another object has this digit. */
        bool current = upto > 0 && atomic_load(&withdrawn) < upto + 8;
        for (const char *sign = text; current && (sign = strchr(sign, '@')) != NULL; sign++)
            r->wrong += sign[-1] - '0' == upto % 10;
        exchange_page_drop(p);
    }
    r->wrong += !atomic_load(&over); /* a reading failed */
    exchange_session_close(s);
    return NULL;
}

static void test_at_once(void)
{
    struct node n;
    struct reader readers_at_work[READERS];
    char id[60];
    node_make(&n, "threads", NULL);
    CHECK_TEXT(submit(&n, 'a', &n.c, indicator(1, 5, marked(STIX_TLP_GREEN)), false), "accepted",
               "the first");
    for (size_t i = 0; i < READERS; i++) {
        readers_at_work[i] = (struct reader){.n = &n};
        CHECK(pthread_create(&readers_at_work[i].thread, NULL, read_on, &readers_at_work[i]) == 0);
    }
    for (int i = 1; i <= ROUNDS; i++) {
        CHECK_TEXT(submit(&n, 'a', &n.c, indicator(i + 1, 5, marked(STIX_TLP_GREEN)), false),
                   "accepted", "%d", i);
        snprintf(id, sizeof id, "indicator--" UUID_OF, i);
        withdraw(&n, 'a', id);
        atomic_store(&withdrawn, i);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < READERS; i++) {
        CHECK(pthread_join(readers_at_work[i].thread, NULL) == 0);
        CHECK_ROW(readers_at_work[i].wrong == 0 && readers_at_work[i].pages > 0, "%u of %u pages",
                  readers_at_work[i].wrong, readers_at_work[i].pages);
    }
    node_done(&n);
}

int main(void)
{
    struct err e = {0};
    CHECK(crypt_init(&e));
    folder_make("pages");
    test_steps();
    test_many_added();
    test_whose();
    test_other_process();
    test_forms();
    test_memory();
    test_at_once();
    folder_remove();
    TEST_END();
}
