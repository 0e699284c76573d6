/* The doctor where only the clock, or the memory, is ill; tests/e2e/test_doctor.py damages the
 * rest. */
#include "exchange/node.h"

struct found {
    char check[40], worst[40]; /* the check of interest, and the worst that was said of it */
    size_t count;
};

static void note(void *ctx, const struct exchange_finding *f)
{
    struct found *found = ctx;
    found->count++;
    CHECK(f->message.n && (f->health == EXCHANGE_OK || f->action.n));
    if (strcmp(f->check, found->check) == 0 && strcmp(found->worst, "error") != 0)
        snprintf(found->worst, sizeof found->worst, "%s", exchange_health_name(f->health));
}

static const char *look(const char *check)
{
    static struct found found;
    struct exchange_doctor_options o = {.dir = at("node"), .each = note, .ctx = &found};
    struct err e = {0};
    found = (struct found){.worst = "nothing"};
    snprintf(found.check, sizeof found.check, "%s", check);
    CHECK_ROW(exchange_doctor(&o, &e) && found.count >= 15, "%s", e.msg);
    return found.worst;
}

#define DAY_US ((int64_t)86400 * 1000000)

static void test_clock(struct node *n)
{
    struct exchange_user_new u = {
        .name = STR("late"), .org = STR("late"), .nation = STR("IN"), .role = EXCHANGE_READER};
    char token[64];
    struct err e = {0};
    int64_t now = now_us();
    CHECK_TEXT(look("clock"), "ok", "before");
    base_clock_set(now + 40 * DAY_US);
    CHECK_ROW(exchange_user_add(n->x, &u, token, &e), "%s", e.msg);
    CHECK_TEXT(look("clock"), "ok", "as long as the clock is there");
    base_clock_set(now);
    CHECK_TEXT(look("clock"), "error", "the ledger is ahead");
    base_clock_set(now + 40 * DAY_US);
    CHECK_TEXT(look("clock"), "ok", "again");
    /* Certificates end, and a backup becomes old. */
    base_clock_set(now + 800 * DAY_US);
    CHECK_TEXT(look("certificates"), "warning", "soon");
    base_clock_set(now + 826 * DAY_US);
    CHECK_TEXT(look("certificates"), "error", "over");
    base_clock_set(INT64_MIN);
}

static void test_desk(struct node *n)
{
    int64_t now = now_us();
    CHECK_TEXT(submit(n, 'n', &n->c, indicator(1, 1, ",\"labels\":[\"wait\"]"), false),
               "held policy.conf:5", "held");
    CHECK_TEXT(look("desk"), "ok", "just now");
    base_clock_set(now + 20 * 3600 * (int64_t)1000000);
    CHECK_TEXT(look("desk"), "ok", "less than half of two days");
    base_clock_set(now + 30 * 3600 * (int64_t)1000000);
    CHECK_TEXT(look("desk"), "warning", "more");
    base_clock_set(INT64_MIN);
}

/* The k-th allocation fails: it says so, or finds the same as ever. */
static void test_memory(void)
{
    bool ok = false;
    long k = 1;
    for (; !ok && k < 5000; k++) {
        struct found found = {.count = 0};
        struct exchange_doctor_options o = {.dir = at("node"), .each = note, .ctx = &found};
        struct err e = {0};
        base_fail_allocation(k, false);
        ok = exchange_doctor(&o, &e);
        bool struck = base_fail_allocation(0, false);
        CHECK_ROW(ok || (struck && e.code == ERR_MEMORY && e.msg[0]), "%ld: %s", k, e.msg);
        CHECK_ROW(!ok || found.count >= 7, "%ld: %zu", k, found.count);
        ok = ok && !struck;
    }
    CHECK_ROW(ok && k > 20, "%ld", k);
}

int main(void)
{
    struct node n;
    struct err e;
    if (!crypt_init(&e))
        return 1;
    folder_make("doctor");
    node_make(&n, "node",
              "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"
              "nation JP \"Japan\" { agency jpcert operator docomo }\n"
              "nation US \"United States\" { agency cisa }\n"
              "accept from JP, US\nhold label \"wait\" to JP for 1 officer within 48 hours\n"
              "release to IN, US\n");
    test_clock(&n);
    test_desk(&n);
    test_memory();
    node_done(&n);
    folder_remove();
    TEST_END();
}
