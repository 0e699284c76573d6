/*
 * Who waits is woken by what is released to its party, once, and by nothing else that this process
 * commits. Wakes come before the writer's next job, so one more job that is done shows that those
 * of the job before are over.
 */
#include <semaphore.h>
#include <time.h>

#include "node.h"

#include "exchange/exchange_priv.h"

struct waiter {
    struct exchange_watch w;
    unsigned woken;
    sem_t sem;
};

static void wake(void *ctx)
{
    struct waiter *w = ctx;
    w->woken++;
    sem_post(&w->sem);
}

static void watch(struct node *n, char who, const struct exchange_collection *c, struct waiter *w)
{
    struct err e = {0};
    *w = (struct waiter){.w = {.wake = wake, .ctx = w}};
    sem_init(&w->sem, 0, 0);
    CHECK_ROW(exchange_watch(n->s, person(n, who), c, &w->w, &e), "%s", e.msg);
}

static void settle(struct node *n)
{
    struct exchange_collection made;
    node_collection(n, "another", STIX_TLP_AMBER, &made);
}

static void apply(struct exchange *x, const char *rules)
{
    static char text[2000];
    struct err e = {0};
    snprintf(text, sizeof text, "%s%s", rules, NODE_POLICY);
    CHECK_ROW(exchange_policy_apply(x, str_of(text), NULL, NULL, &e), "%s", e.msg);
}

enum what { ADD, TAKE, APPLY };

static const struct step {
    const char *name;
    enum what what;
    int number;
    enum stix_tlp tlp;
    const char *text;  /* labels, or rules */
    const char *woken; /* of nciipc, airtel, jpcert, docomo, cisa: the letters of readers */
} steps[] = {
    {"at home only", ADD, 1, STIX_TLP_GREEN, ",\"labels\":[\"national-only\"]", "nt"},
    {"for the agencies of JP", ADD, 2, STIX_TLP_AMBER, "", "ntj"},
    {"for JP", ADD, 3, STIX_TLP_GREEN, "", "ntjd"},
    {"for all", ADD, 4, STIX_TLP_CLEAR, "", "ntjdu"},
    {"the same again", ADD, 4, STIX_TLP_CLEAR, "", ""},
    {"taken back", TAKE, 4, 0, "", ""},
    {"an audience that is new", APPLY, 0, 0, "release tlp:green to US\n", "u"},
    {"nothing changes", APPLY, 0, 0, "release tlp:green to US\n", ""},
    {"taken from some", APPLY, 0, 0, "deny tlp:green to US\n", ""},
};

static void do_step(struct node *n, const struct step *s)
{
    struct err e = {0};
    char id[60];
    struct exchange_query q = {.collection = &n->c, .versions = STORE_ALL};
    snprintf(id, sizeof id, "indicator--" UUID_OF, s->number);
    if (s->what == ADD) {
        char extra[300];
        snprintf(extra, sizeof extra, "%s%s", s->text, marked(s->tlp));
        (void)submit(n, 'a', &n->c, indicator(s->number, 5, extra), false);
    } else if (s->what == TAKE) {
        CHECK_ROW(exchange_withdraw(n->s, person(n, 'a'), &q, str_of(id), STR("test"), &e), "%s",
                  e.msg);
    } else {
        apply(n->x, s->text);
    }
}

static void test_steps(void)
{
    static const char who[] = "ntjdu";
    enum { WAITERS = sizeof who - 1 };
    static struct waiter here[WAITERS], twice[WAITERS], elsewhere[WAITERS];
    struct node n;
    struct exchange_collection other;
    node_make(&n, "steps", NULL);
    node_collection(&n, "other", STIX_TLP_AMBER, &other);
    for (unsigned k = 0; k < WAITERS; k++)
        watch(&n, who[k], &other, &elsewhere[k]);
    for (size_t i = 0; i < COUNT(steps); i++) {
        char woken[WAITERS + 1] = "", again[WAITERS + 1] = "";
        for (unsigned k = 0; k < WAITERS; k++) {
            watch(&n, who[k], &n.c, &here[k]);
            watch(&n, who[k], &n.c, &twice[k]);
        }
        do_step(&n, &steps[i]);
        settle(&n);
        for (unsigned k = 0; k < WAITERS; k++) {
            exchange_unwatch(n.x, &here[k].w);
            exchange_unwatch(n.x, &twice[k].w);
            CHECK_ROW(here[k].woken <= 1 && elsewhere[k].woken == 0, "%s: %c", steps[i].name,
                      who[k]);
            if (here[k].woken)
                woken[strlen(woken)] = who[k];
            if (twice[k].woken)
                again[strlen(again)] = who[k];
        }
        CHECK_TEXT(woken, steps[i].woken, "%s", steps[i].name);
        CHECK_TEXT(again, steps[i].woken, "%s", steps[i].name);
    }
    for (unsigned k = 0; k < WAITERS; k++)
        exchange_unwatch(n.x, &elsewhere[k].w);
    CHECK(n.x->watches.first == NULL && atomic_load(&n.x->watches.count) == 0);
    node_done(&n);
}

/* Who went is not woken, whoever stands before and behind it. */
static void test_unwatch(void)
{
    static struct waiter w[4];
    struct node n;
    node_make(&n, "unwatch", NULL);
    for (unsigned gone = 0; gone < 16; gone++) {
        for (unsigned k = 0; k < 4; k++)
            watch(&n, 'n', &n.c, &w[k]);
        for (unsigned k = 0; k < 4; k++)
            if (gone & 1u << k)
                exchange_unwatch(n.x, &w[k].w);
        CHECK_TEXT(submit(&n, 'a', &n.c, indicator(100 + (int)gone, 1, ""), false), "accepted",
                   "%u", gone);
        settle(&n);
        for (unsigned k = 0; k < 4; k++) {
            CHECK_ROW(w[k].woken == !(gone & 1u << k), "%u of %u", k, gone);
            exchange_unwatch(n.x, &w[k].w); /* again, or after the wake */
        }
        CHECK(n.x->watches.first == NULL);
    }
    node_done(&n);
}

static void test_roles(void)
{
    struct node n;
    struct err e = {0};
    struct exchange_watch w = {.wake = wake};
    node_make(&n, "roles", NULL);
    CHECK(!exchange_watch(n.s, person(&n, 'x'), &n.c, &w, &e) && e.code == ERR_FORBIDDEN);
    CHECK(n.x->watches.first == NULL);
    node_done(&n);
}

/* More audiences in one transaction than are remembered: nobody is forgotten. */
static void test_many_audiences(void)
{
    static struct waiter in_last, of_none;
    static char policy[60000], objects[400000];
    struct node n;
    struct parcel p;
    struct err e = {0};
    size_t at_policy = 0, at_objects = 0;
    at_policy += (size_t)snprintf(policy, sizeof policy,
                                  "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"
                                  "nation JP \"Japan\" { agency jpcert operator docomo }\n"
                                  "nation US \"United States\" { agency cisa }\n");
    for (int i = 0; i <= LIMIT_STORE_ADDED; i++)
        at_policy += (size_t)snprintf(policy + at_policy, sizeof policy - at_policy,
                                      "nation %c%c \"N\" { agency n%d }\n"
                                      "release label \"l%d\" to n%d\n",
                                      'K' + i / 26, 'A' + i % 26, i, i, i);
    snprintf(policy + at_policy, sizeof policy - at_policy, "release label \"last\" to cisa\n");
    node_make(&n, "many", policy);
    watch(&n, 'u', &n.c, &in_last);
    watch(&n, 'd', &n.c, &of_none);
    for (int i = 0; i <= LIMIT_STORE_ADDED + 1; i++) {
        char extra[60];
        snprintf(extra, sizeof extra,
                 i <= LIMIT_STORE_ADDED ? ",\"labels\":[\"l%d\"]" : ",\"labels\":[\"last\"]", i);
        at_objects += (size_t)snprintf(objects + at_objects, sizeof objects - at_objects, "%s%s",
                                       i ? "," : "", indicator(i, 1, extra));
    }
    CHECK(parcel_make(n.s, person(&n, 'a'), &n.c, objects, false, NULL, &p, &e) &&
          exchange_commit_wait(n.x, p.b, &e));
    parcel_free(&p);
    settle(&n);
    CHECK_ROW(in_last.woken == 1 && of_none.woken == 0, "%u, %u", in_last.woken, of_none.woken);
    exchange_unwatch(n.x, &in_last.w);
    exchange_unwatch(n.x, &of_none.w);
    node_done(&n);
}

/* What another process commits, where this one serves. */
static void test_other_process(void)
{
    static struct waiter w, hidden;
    struct node n, other;
    struct err e = {0};
    struct timespec until;
    node_make(&n, "processes", NULL);
    other = n;
    CHECK(exchange_open(at("processes"), &other.x, &e) &&
          exchange_session_open(other.x, &other.s, &e) && exchange_background(n.x, &e));
    watch(&n, 'j', &n.c, &w);
    watch(&n, 'u', &n.c, &hidden);
    CHECK_TEXT(submit(&other, 'a', &n.c, indicator(1, 5, marked(STIX_TLP_GREEN)), false),
               "accepted", "by another process");
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60; /* patience */
    CHECK(sem_timedwait(&w.sem, &until) == 0);
    settle(&n);
    CHECK(w.woken == 1 && hidden.woken == 0);
    exchange_unwatch(n.x, &w.w);
    exchange_unwatch(n.x, &hidden.w);
    exchange_session_close(other.s);
    exchange_close(other.x);
    node_done(&n);
}

int main(void)
{
    struct err e = {0};
    CHECK(crypt_init(&e));
    folder_make("watch");
    test_steps();
    test_unwatch();
    test_roles();
    test_many_audiences();
    test_other_process();
    folder_remove();
    TEST_END();
}
