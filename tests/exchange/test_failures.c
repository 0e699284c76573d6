/*
 * The k-th allocation fails, for every k until none does: making a node, and a whole day of one.
 * Nothing crashes or leaks, every failure is ERR_MEMORY, what was not acknowledged did not happen,
 * and as soon as there is memory again the same session goes on.
 */
#include "exchange/node.h"

/* ---- making a node ---- */

static void test_init(bool persistent)
{
    bool ok = false;
    for (long k = 1; !ok && k < 5000; k++) {
        struct exchange_init i = {.dir = at("init"), .name = STR("x"), .nation = STR("IN")};
        char token[64] = "";
        struct str user;
        struct err e = {0};
        base_fail_allocation(k, persistent);
        ok = exchange_init(&i, &user, token, &e);
        bool struck = base_fail_allocation(0, false);
        CHECK_ROW(ok || (struck && e.code == ERR_MEMORY && e.msg[0]), "%ld: %s", k, e.msg);
        if (!ok)
            CHECK_ROW(!file_exists(at("init")) && !token[0], "%ld", k);
        ok = ok && !struck;
        if (!ok)
            shell("rm -rf '%s'", at("init"));
    }
    CHECK(ok);
    CHECK(shell("ls -A '%s' | grep -qx init && test $(ls -A '%s' | wc -l) = 1", folder, folder));
    shell("rm -rf '%s'", at("init"));
}

/* ---- a day ---- */

#define SCO                                                                                        \
    "{\"type\":\"domain-name\",\"id\":\"domain-name--00000000-0000-5000-8000-000000000003\","      \
    "\"value\":\"a.example\"}"
#define REORDERED                                                                                  \
    "{\"valid_from\":\"2026-01-01T00:00:00Z\",\"pattern_type\":\"stix\","                          \
    "\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\",\"spec_version\":\"2.1\","                 \
    "\"modified\":\"2026-01-01T00:00:01.000Z\",\"created\":\"2026-01-01T00:00:00.000Z\","          \
    "\"id\":\"" INDICATOR_ID(1) "\",\"type\":\"indicator\"}"

/* What a day has so far; each step is tried until it is done. */
struct day {
    struct node n;
    char token[64], text[1000];
    struct principal who;
    unsigned done; /* steps */
};

static bool open_node(struct day *d, struct err *e)
{
    return d->n.x || exchange_open(at("run"), &d->n.x, e);
}

static bool open_session(struct day *d, struct err *e)
{
    return exchange_session_open(d->n.x, &d->n.s, e);
}

static bool sign_in(struct day *d, struct err *e)
{
    arena_reset(d->n.arena);
    return exchange_login_basic(d->n.s, d->n.arena, STR("admin"), str_of(d->token), &d->who, e);
}

static bool add_user(struct day *d, struct err *e)
{
    char token[64];
    struct exchange_user_new u = {
        .name = STR("new"), .org = STR("new"), .nation = STR("IN"), .role = EXCHANGE_READER};
    return exchange_user_add(d->n.x, &u, token, e);
}

static bool add_collection(struct day *d, struct err *e)
{
    char uuid[37];
    struct exchange_collection_new c = {
        .title = STR("made"), .alias = STR("made"), .marking = STIX_TLP_GREEN};
    return exchange_collection_add(d->n.x, &c, uuid, e);
}

static bool find_collection(struct day *d, struct err *e)
{
    arena_reset(d->n.arena);
    return exchange_login_token(d->n.s, d->n.arena, str_of(d->token), &d->who, e) &&
           exchange_collection_find(d->n.s, d->n.arena, STR("made"), true, &d->n.c, e);
}

static bool status(const struct exchange_batch *b, struct buf *out)
{
    for (size_t i = 0; i < exchange_batch_count(b); i++)
        buf_str(out, exchange_batch_result(b, i)->id);
    return !out->failed;
}

/* Commits objects; what became of them stays in d->text. */
static bool send(struct day *d, const char *objects, struct err *e)
{
    struct parcel p;
    if (!parcel_make(d->n.s, &d->who, &d->n.c, objects, false, status, &p, e))
        return false;
    bool ok = exchange_commit_wait(d->n.x, p.b, e);
    snprintf(d->text, sizeof d->text, "%s", ok ? outcomes(p.b) : "");
    parcel_free(&p);
    return ok;
}

static bool import(struct day *d, struct err *e)
{
    char all[3000];
    snprintf(all, sizeof all, "%s,%s,%s,{\"type\":\"x\"}", indicator(1, 1, ""), indicator(2, 1, ""),
             SCO);
    if (!send(d, all, e))
        return false;
    CHECK_ROW(strncmp(d->text, "accepted,accepted,accepted,refused stix21-", 42) == 0, "%s",
              d->text);
    return true;
}

static bool import_again(struct day *d, struct err *e)
{
    char all[3000];
    snprintf(all, sizeof all, "%s,%s", REORDERED, indicator(2, 1, ",\"name\":\"x\""));
    if (!send(d, all, e))
        return false;
    CHECK_TEXT(d->text, "unchanged,refused stix21-3.6-versioning", "again");
    return true;
}

static bool page(struct day *d, struct err *e)
{
    static const struct str ids[] = {{INDICATOR_ID(1), 47}, {INDICATOR_ID(2), 47}};
    struct listing l = {.n = 0}, by_id = {.n = 0};
    bool more, sees = false;
    struct exchange_query q = {.collection = &d->n.c,
                               .after_us = INT64_MIN,
                               .limit = 2,
                               .versions = STORE_LAST,
                               .with_bytes = true};
    struct exchange_query some = q;
    some.ids = ids;
    some.id_count = 2;
    if (!exchange_read(d->n.s, &d->who, &q, list_row, &l, &more, e) ||
        !exchange_read(d->n.s, &d->who, &some, list_row, &by_id, &more, e) ||
        !exchange_sees(d->n.s, &d->who, &d->n.c, ids[0], &sees, e))
        return false;
    CHECK_TEXT(l.text, "1@1 2@1", "page");
    CHECK_TEXT(by_id.text, "1@1 2@1", "page by id");
    CHECK(sees);
    return true;
}

static bool more(struct day *d, struct err *e)
{
    if (!send(d, indicator(4, 1, ""), e))
        return false;
    CHECK_TEXT(d->text, "accepted", "more");
    return true;
}

static void put_id(struct buf *b, size_t i, const struct store_row *r)
{
    (void)i;
    buf_str(b, r->object->id);
}

static void put_end(void *ctx, struct buf *b, size_t count, bool others, int64_t upto_us)
{
    (void)ctx;
    (void)upto_us;
    buf_byte(b, count == 1 && others ? '+' : '?');
}

static bool copy(unsigned form, struct str plain, struct buf *out)
{
    (void)form;
    buf_str(out, plain);
    return true;
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

/* A page that is kept, its coded form, and waiting for what comes; before more comes and after. */
static bool kept(struct day *d, struct err *e)
{
    static const struct exchange_paging how = {.kind = 't', .row = put_id, .end = put_end};
    struct exchange_page *p = NULL;
    struct str bytes = STR_NONE;
    struct exchange_watch w = {.wake = no_wake};
    struct exchange_query q = {.collection = &d->n.c,
                               .after_us = INT64_MIN,
                               .limit = 1,
                               .versions = STORE_LAST,
                               .with_bytes = true};
    if (!exchange_page_read(d->n.s, &d->who, &q, &how, &p, e))
        return false;
    bool ok = exchange_page_code(p, 1, copy, e) &&
              exchange_page_give(d->n.s, &d->who, p, 1, &bytes, e) &&
              exchange_watch(d->n.s, &d->who, &d->n.c, &w, e);
    CHECK(!ok || str_eq(bytes, STR(INDICATOR_ID(1) "+")));
    exchange_unwatch(d->n.x, &w);
    exchange_page_drop(p);
    return ok;
}

static bool explain(struct day *d, struct err *e)
{
    struct exchange_explanation x;
    struct policy_party jp = {STR("JP"), STR("jpcert")};
    bool ok = exchange_explain(d->n.s, d->n.arena, STR(INDICATOR_ID(2)), &jp, &x, e);
    CHECK(!ok || (x.decision == POLICY_RELEASED && x.copy.n > 100));
    return ok;
}

static bool withdraw(struct day *d, struct err *e)
{
    struct exchange_query q = {.collection = &d->n.c, .versions = STORE_ALL};
    return exchange_withdraw(d->n.s, &d->who, &q, STR(INDICATOR_ID(1)), STR(""), e);
}

/* A partner takes back what it never gave: a receipt says so. */
static bool take_back(struct day *d, struct err *e)
{
    static const char record[400] = /* BASE_PADDING behind it */
        "{\"actor\":\"JP/jpcert/x\",\"at\":\"2026-11-24T02:14:17.000001Z\","
        "\"kind\":\"withdrawal\",\"object\":\"" INDICATOR_ID(
            9) "\","
               "\"version\":\"2026-01-01T00:00:01.000Z\"}";
    struct principal partner;
    struct policy_party jp = {STR("JP"), STR("jpcert")};
    struct exchange_taken_back one = {
        .leaf = 5, .salt = STR("0123456789abcdef"), .record = str_of(record)};
    struct exchange_taking_back b = {&partner, &d->n.c, &one, 1};
    bool ok = exchange_login_partner(d->n.s, jp, &partner, e) &&
              exchange_take_back(d->n.s, d->n.arena, &b, e);
    CHECK(!ok || (str_eq(one.outcome, STR("absent")) && one.proof.n > 100));
    return ok;
}

static bool count_holder(void *ctx, const struct exchange_holder *h)
{
    *(size_t *)ctx += h->state == EXCHANGE_HOLDER_READS;
    return true;
}

static bool holders(struct day *d, struct err *e)
{
    size_t count = 0;
    bool ok = exchange_holders(d->n.s, d->n.arena, STR(INDICATOR_ID(2)), count_holder, &count, e);
    CHECK(!ok || count > 1);
    return ok;
}

static bool recall(struct day *d, struct err *e)
{
    size_t taken;
    bool ok = exchange_recall(d->n.s, STR(INDICATOR_ID(4)), STR("wrong"), NULL, &taken, e);
    CHECK(!ok || taken > 0);
    return ok;
}

enum {
    OPEN,
    SESSION,
    SIGN_IN,
    USER,
    COLLECTION,
    FIND,
    IMPORT,
    AGAIN,
    PAGE,
    KEPT,
    MORE,
    KEPT_STILL,
    EXPLAIN,
    WITHDRAW,
    TAKE_BACK,
    HOLDERS,
    RECALL
};

static const struct {
    const char *name;
    bool (*run)(struct day *d, struct err *e);
} steps[] = {
    {"open", open_node},      {"session", open_session},
    {"sign in", sign_in},     {"user", add_user},
    {"add", add_collection},  {"find", find_collection},
    {"import", import},       {"again", import_again},
    {"page", page},           {"kept", kept},
    {"more", more},           {"kept still", kept},
    {"explain", explain},     {"withdraw", withdraw},
    {"take back", take_back}, {"holders", holders},
    {"recall", recall},
};

static const char *rows_after(unsigned steps_done)
{
    return steps_done > RECALL     ? "2@1 3@"
           : steps_done > WITHDRAW ? "2@1 3@ 4@1"
           : steps_done > MORE     ? "1@1 2@1 3@ 4@1"
           : steps_done > IMPORT   ? "1@1 2@1 3@"
                                   : "";
}

static void check_rows(const struct day *d, struct node *n, long k)
{
    struct err e = {0};
    struct listing l = {.n = 0};
    bool more = false,
         made = exchange_collection_find(n->s, n->arena, STR("made"), false, &n->c, &e);
    struct exchange_query q = {
        .collection = &n->c, .after_us = INT64_MIN, .limit = 100, .versions = STORE_ALL};
    CHECK_ROW(made == (d->done > COLLECTION), "%ld: %u steps", k, d->done);
    CHECK_ROW(exchange_login_token(n->s, n->arena, str_of(d->token), &n->who[0], &e), "%ld", k);
    if (made)
        CHECK_ROW(exchange_read(n->s, &n->who[0], &q, list_row, &l, &more, &e), "%ld: %s", k,
                  e.msg);
    CHECK_TEXT(l.text, rows_after(d->done), "%ld: %u steps", k, d->done);
}

/* What the database must hold after these steps, for whoever opens it next. */
static void check_database(const struct day *d, long k)
{
    struct node n = {.arena = arena_new(1 << 20)};
    struct err e = {0};
    CHECK_ROW(exchange_open(at("run"), &n.x, &e) && exchange_session_open(n.x, &n.s, &e), "%ld: %s",
              k, e.msg);
    if (n.s)
        check_rows(d, &n, k);
    exchange_session_close(n.s);
    exchange_close(n.x);
    arena_free(n.arena);
}

/* One day with one order of failure. With `again` a step that failed is tried once more. */
static bool one_day(long k, bool persistent, bool again, const char *token)
{
    struct day d = {.n = {.arena = arena_new(1 << 20)}};
    snprintf(d.token, sizeof d.token, "%s", token);
    CHECK(copy_file(at("template/setu.db"), at("run/setu.db")));
    base_fail_allocation(k, persistent);
    for (; d.done < COUNT(steps); d.done++) {
        struct err e = {0};
        if (steps[d.done].run(&d, &e))
            continue;
        CHECK_ROW(e.code == ERR_MEMORY && e.msg[0], "%ld: %s: %s: %s", k, steps[d.done].name,
                  err_name(e.code), e.msg);
        e = (struct err){0};
        if (!again)
            break;
        bool ok = steps[d.done].run(&d, &e);
        CHECK_ROW(ok, "%ld: %s again: %s: %s", k, steps[d.done].name, err_name(e.code), e.msg);
        if (!ok)
            break;
    }
    exchange_session_close(d.n.s);
    exchange_close(d.n.x);
    bool struck = base_fail_allocation(0, false);
    CHECK_ROW(struck || d.done == COUNT(steps), "%ld: %u steps", k, d.done);
    check_database(&d, k);
    arena_free(d.n.arena);
    return !struck;
}

static void test_day(bool persistent, bool again, const char *token)
{
    long k = 1;
    while (k < 5000 && !one_day(k, persistent, again, token))
        k++;
    CHECK_ROW(k > 50 && k < 5000, "%ld allocations", k);
}

int main(void)
{
    char token[64];
    struct err e;
    if (!crypt_init(&e) || !faults_install())
        return 1;
    folder_make("failures");
    test_init(false);
    test_init(true);
    node_init("template", token);
    node_write("template", "policy.conf", NODE_POLICY);
    CHECK(shell("cp -r '%s' '%s'", at("template"), at("run")));
    test_day(false, true, token);
    test_day(true, false, token);
    folder_remove();
    TEST_END();
}
