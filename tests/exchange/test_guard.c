/* The guard of subscribers at the border: what names one stays at home, what is local stays with
 * who submitted it, whatever the policy says. */
#include "exchange/node.h"

#define POLICY                                                                                     \
    "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"                             \
    "nation JP \"Japan\" { agency jpcert operator docomo }\n"                                      \
    "nation US \"United States\" { agency cisa }\n"                                                \
    "accept from any\n"                                                                            \
    "release to any\n"                                                                             \
    "redact drop $.x_secret to US\n"

#define TRAFFIC    "extension-definition--4f1c2a0e-6b43-4d0f-9a55-3c7e1f0b8d21"
#define SUBSCRIBER "extension-definition--9d27b6f4-0c1e-4f9b-8a36-51e2c7a4d9f3"
#define OURS       "extension-definition--00000000-0000-4000-8000-000000000077"
#define PROPERTY   "{\"extension_type\":\"property-extension\""

static void reopen(struct node *n, const char *name)
{
    struct err e = {0};
    exchange_session_close(n->s);
    exchange_close(n->x);
    n->s = NULL;
    n->x = NULL;
    CHECK_ROW(exchange_open(at(name), &n->x, &e) && exchange_session_open(n->x, &n->s, &e), "%s",
              e.msg);
}

struct all {
    struct buf bytes;
    size_t rows;
};

static bool gather(void *ctx, const struct store_row *r)
{
    struct all *all = ctx;
    all->rows++;
    buf_str(&all->bytes, r->object->bytes);
    buf_byte(&all->bytes, '\n');
    return true;
}

/* All that one person reads in a collection. */
static size_t read_all(struct node *n, char who, const struct exchange_collection *c, struct all *a)
{
    struct err e = {0};
    bool more = false;
    struct exchange_query q = {.collection = c,
                               .after_us = INT64_MIN,
                               .limit = 1000,
                               .versions = STORE_ALL,
                               .with_bytes = true};
    buf_init(&a->bytes, 0);
    a->rows = 0;
    CHECK_ROW(exchange_read(n->s, person(n, who), &q, gather, a, &more, &e), "%s", e.msg);
    return a->rows;
}

static bool holds(const struct all *a, const char *word)
{
    return a->bytes.n && memmem(a->bytes.p, a->bytes.n, word, strlen(word)) != NULL;
}

/* One object of that kind is in the collection: see test_who_reads. */
static void check_reader(struct node *n, char who, const struct exchange_collection *c, char what,
                         size_t row)
{
    struct all a;
    bool abroad = strchr("jdu", who) != NULL;
    size_t want = abroad && strchr("ib", what) ? 0 : 1, got = read_all(n, who, c, &a);
    /* Whoever reads a copy reads the definition of its marking. */
    bool copied = who != 't' && (strchr("lb", what) || (what == 'r' && who == 'u'));
    CHECK_ROW(got == want + (want && copied), "row %zu: %c reads %zu", row, who, got);
    CHECK_ROW(who == 't' || (!holds(&a, "teid") && !holds(&a, "4711")), "row %zu: %c", row, who);
    CHECK_ROW(!abroad || (!holds(&a, "404109876543210") && !holds(&a, "imsi")), "row %zu: %c: %.*s",
              row, who, STR_FMT(buf_view(&a.bytes)));
    buf_done(&a.bytes);
}

static void try_row(struct node *n, size_t i, const char *extra, char what)
{
    struct exchange_collection c;
    char title[20];
    snprintf(title, sizeof title, "rows %zu", i);
    node_collection(n, title, STIX_TLP_CLEAR, &c);
    CHECK_TEXT(submit(n, 't', &c, indicator((int)i + 100, 1, extra), false), "accepted", "row %zu",
               i);
    for (const char *p = readers; *p; p++)
        check_reader(n, *p, &c, what, i);
}

/* What stands in the way of each object: nothing (n), a redact rule (r), an
 * identifier (i), something local (l), both (b). */
static void test_who_reads(struct node *n)
{
    static const struct {
        const char *extra;
        char what;
    } rows[] = {
        {"", 'n'},
        {",\"description\":\"an IMSI-catcher\"", 'n'},
        {",\"x_secret\":1", 'r'},
        {",\"x_imsi\":\"404109876543210\"", 'i'},
        {",\"description\":\"imsi-001010000000001 was hit\"", 'i'},
        {",\"description\":\"404109876543210 was hit\"", 'i'},
        {",\"x_raw\":\"0414907856341200\",\"x_more\":\"x\"", 'n'},
        {",\"x_raw\":\"04149078563412f0\"", 'i'},            /* TBCD */
        {",\"x_raw\":\"NDA0MTA5ODc2NTQzMjEw\"", 'i'},        /* base64 of digits */
        {",\"x_raw\":\"\\u0034041\\u00309876543210\"", 'i'}, /* JSON's escapes */
        {",\"labels\":[\"10.45.0.7\"]", 'i'},                /* of a user */
        {",\"x_secret\":\"imsi-404109876543210\"", 'i'},     /* a rule drops it for some */
        {",\"extensions\":{\"" TRAFFIC "\":" PROPERTY ",\"qfi\":5}}", 'n'},
        {",\"extensions\":{\"" TRAFFIC "\":" PROPERTY ",\"qfi\":5,\"teid\":4711}}", 'l'},
        {",\"extensions\":{\"" SUBSCRIBER "\":" PROPERTY ",\"imsi\":[\"404109876543210\"]}}", 'l'},
        {",\"description\":\"404109876543210\",\"extensions\":{\"" TRAFFIC "\":" PROPERTY
         ",\"teid\":4711}}",
         'b'}, /* both: the copy without what is local names one still */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        try_row(n, i, rows[i].extra, rows[i].what);
}

/* What an analyst abroad submitted stays readable to it: it was its own. */
static void test_own(struct node *n)
{
    struct exchange_collection c;
    node_collection(n, "own", STIX_TLP_CLEAR, &c);
    CHECK_TEXT(
        submit(n, 'j', &c, indicator(200, 1, ",\"description\":\"imsi-440201234567890\""), false),
        "accepted", "from abroad");
    for (const char *p = readers; *p; p++) {
        struct all a;
        size_t want = strchr("antj", *p) ? 1 : 0;
        CHECK_ROW(read_all(n, *p, &c, &a) == want, "%c", *p);
        buf_done(&a.bytes);
    }
}

/* A definition of somebody else's, in the same envelope as what uses it, and what follows it. */
static void test_definition(struct node *n)
{
    struct exchange_collection c;
    struct all a;
    char both[3000];
    node_collection(n, "defined", STIX_TLP_CLEAR, &c);
    snprintf(
        both, sizeof both,
        "%s,{\"type\":\"extension-definition\",\"spec_version\":\"2.1\",\"id\":\"" OURS
        "\",\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000078\",\"created\":"
        "\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\"name\":\"x\","
        "\"schema\":\"x\",\"version\":\"1.0.0\",\"extension_types\":[\"property-extension\"],"
        "\"x_setu_local_only\":[\"ticket\"]}",
        indicator(300, 1,
                  ",\"extensions\":{\"" OURS "\":" PROPERTY
                  ",\"ticket\":\"T-1\",\"class\":\"c\"}}"));
    CHECK_TEXT(submit(n, 't', &c, both, false), "accepted,accepted", "both");
    for (const char *p = readers; *p; p++) {
        read_all(n, *p, &c, &a);
        CHECK_ROW(holds(&a, "T-1") == (*p == 't') && holds(&a, "\"class\":\"c\""), "%c", *p);
        buf_done(&a.bytes);
    }
    CHECK_TEXT(
        submit(n, 't', &c,
               indicator(301, 1, ",\"extensions\":{\"" OURS "\":" PROPERTY ",\"ticket\":\"T-2\"}}"),
               false),
        "accepted", "after it");
    read_all(n, 'n', &c, &a);
    CHECK(!holds(&a, "T-2"));
    buf_done(&a.bytes);
}

/* An explanation says what was left out, and which floor denies. */
static void test_explained(struct node *n)
{
    struct exchange_explanation x = {0};
    struct exchange_collection c;
    struct err e = {0};
    node_collection(n, "explained", STIX_TLP_CLEAR, &c);
    CHECK_TEXT(
        submit(n, 't', &c,
               indicator(7, 1,
                         ",\"extensions\":{\"" TRAFFIC "\":" PROPERTY ",\"qfi\":5,\"teid\":4711}}"),
               false),
        "accepted", "7");
    CHECK(
        exchange_explain(n->s, n->arena, str_of(INDICATOR_ID(7)), &person(n, 'j')->party, &x, &e));
    CHECK(x.decision == POLICY_RELEASED && x.copied && x.redaction_count == 1 &&
          x.redactions[0].line == 0);
    CHECK_TEXT(submit(n, 't', &c, indicator(8, 1, ",\"x_imei\":\"x\""), false), "accepted", "8");
    CHECK(
        exchange_explain(n->s, n->arena, str_of(INDICATOR_ID(8)), &person(n, 'j')->party, &x, &e));
    CHECK(x.decision == POLICY_DENIED && x.rule.line == 0 &&
          memmem(x.rule.text.p, x.rule.text.n, "subscriber", 10));
}

static void test_settings(void)
{
    static const char *const bad[] = {"home-plmns airtel\n", "home-numbers 91\n",
                                      "user-prefixes 10.45.0.0/40\n"};
    struct err e = {0};
    struct exchange *x = NULL;
    char token[64], line[300];
    node_init("settings", token);
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(line, sizeof line, "name x\nnation IN\norg cert-in\n%s", bad[i]);
        node_write("settings", "setu.conf", line);
        CHECK_ROW(!exchange_open(at("settings"), &x, &e) && e.code == ERR_SYNTAX, "row %zu", i);
    }
}

int main(void)
{
    static struct node n;
    struct err e;
    if (!crypt_init(&e))
        return 1;
    folder_make("guard");
    test_settings();
    node_make(&n, "guard", POLICY);
    CHECK(shell("printf 'home-plmns 404-10\\nhome-numbers 9198100\\nuser-prefixes 10.45.0.0/16\\n' "
                ">>'%s/setu.conf'",
                at("guard")));
    reopen(&n, "guard");
    test_who_reads(&n);
    test_own(&n);
    test_definition(&n);
    test_explained(&n);
    node_done(&n);
    folder_remove();
    TEST_END();
}
