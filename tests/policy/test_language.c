/* Arrivals, warnings, warning lists, delegates and dates row by row; test_policy.c has the rest. */
#include "test.h"

#include "observable/observable.h"
#include "policy/policy.h"

#define NATIONS                                                                                    \
    "nation IN \"India\" { agency cert-in, nciipc  operator airtel }\n"                            \
    "nation JP \"Japan\" { agency nisc, jpcert     operator docomo }\n"                            \
    "delegate nciipc for cert-in  delegate nisc for jpcert\n"                                      \
    "warninglist own { 203.0.113.0/24, \"2001:db8:5::/48\", corp.example } "                       \
    "warninglist others { 192.0.2.1 }\n" /* the rules begin on line 5 */
#define DAY_US   INT64_C(86400000000)
#define FIRST_US INT64_C(1767225600000000) /* 2026-01-01 */

static struct policy_party party(const char *text) /* "IN/cert-in" */
{
    struct str org = str_of(text), nation = str_cut(&org, '/');
    return (struct policy_party){nation, org.p ? org : STR_NONE};
}

static struct policy *parsed(const char *before, const char *rules)
{
    struct policy *p = NULL;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    buf_lit(&b, before);
    buf_lit(&b, rules);
    bool ok = policy_parse(buf_view(&b), "policy.conf", &p, &e);
    CHECK_ROW(ok, "%s: %s", rules, e.msg);
    buf_done(&b);
    return ok ? p : NULL;
}

static bool holds(struct str text, const char *words)
{
    size_t n = strlen(words);
    for (size_t i = 0; i + n <= text.n; i++)
        if (memcmp(text.p + i, words, n) == 0)
            return true;
    return false;
}

/* ---- arrivals ---- */

#define OWN UINT64_C(0x10000)

static const struct arrival_row {
    const char *rules, *source;
    bool owner;
    uint64_t lists;
    unsigned day; /* 1: 2026-01-02; 0: unknown */
    enum policy_arrival answer;
    unsigned line;
    uint64_t count;
    int64_t us;
} arrival_rows[] = {
    {"refuse from any unless owner\naccept from any", "JP/nisc", false, 0, 1, POLICY_REFUSE, 5, 0,
     0},
    {"refuse from any unless owner\naccept from any", "JP/nisc", true, 0, 1, POLICY_ACCEPT, 6, 0,
     0},
    {"quarantine from any if warninglist\naccept from any", "JP/nisc", true, OWN, 1,
     POLICY_QUARANTINE, 5, 0, 0},
    {"quarantine from any if warninglist\naccept from any", "JP/nisc", true, 1, 1,
     POLICY_QUARANTINE, 5, 0, 0},
    {"quarantine from any if warninglist\naccept from any", "JP/nisc", true, 0, 1, POLICY_ACCEPT, 6,
     0, 0},
    {"quarantine from any if warninglist\naccept from any", "JP/nisc", true, 4 /* documentation */,
     1, POLICY_ACCEPT, 6, 0, 0},
    {"quarantine from any if warninglist documentation\naccept from any", "JP/nisc", true, 4, 1,
     POLICY_QUARANTINE, 5, 0, 0},
    {"quarantine from any if warninglist own, others\naccept from any", "JP/nisc", true, 2 * OWN, 1,
     POLICY_QUARANTINE, 5, 0, 0},
    {"quarantine from any if warninglist own\naccept from any", "JP/nisc", true, 2 * OWN, 1,
     POLICY_ACCEPT, 6, 0, 0},
    {"quarantine from JP if warninglist own types tool\naccept from any", "JP/nisc", true, OWN, 1,
     POLICY_ACCEPT, 6, 0, 0},
    {"refuse from JP if warninglist own unless owner accept from JP", "JP/nisc", true, OWN, 1,
     POLICY_ACCEPT, 5, 0, 0},
    {"accept from JP limit 5000/minute", "JP/nisc", true, 0, 1, POLICY_ACCEPT, 5, 5000, 60000000},
    {"accept from JP types indicator limit 1/second", "JP/nisc", true, 0, 1, POLICY_ACCEPT, 5, 1,
     1000000},
    {"accept from JP limit 7/hour from 2026-01-02", "JP/nisc", true, 0, 1, POLICY_ACCEPT, 5, 7,
     3600000000},
    {"accept from JP from 2026-01-02 limit 7/day", "JP/nisc", true, 0, 1, POLICY_ACCEPT, 5, 7,
     DAY_US},
    {"accept from JP from 2026-01-03", "JP/nisc", true, 0, 1, POLICY_REFUSE, 0, 0, 0},
    {"accept from JP until 2026-01-02", "JP/nisc", true, 0, 1, POLICY_ACCEPT, 5, 0, 0},
    {"accept from JP until 2026-01-01", "JP/nisc", true, 0, 1, POLICY_REFUSE, 0, 0, 0},
    {"accept from JP until 2026-01-01", "JP/nisc", true, 0, 0, POLICY_REFUSE, 0, 0, 0},
    {"refuse from JP until 2026-01-01 accept from JP", "JP/nisc", true, 0, 0, POLICY_REFUSE, 5, 0,
     0},
    {"quarantine from JP until 2026-01-01 accept from JP", "JP/nisc", true, 0, 0, POLICY_QUARANTINE,
     5, 0, 0},
    {"accept from JP source nisc", "JP/nisc", true, 0, 1, POLICY_ACCEPT, 5, 0, 0},
    {"accept from JP source jpcert", "JP/nisc", true, 0, 1, POLICY_REFUSE, 0, 0, 0},
};

static void test_arrivals(void)
{
    for (size_t i = 0; i < sizeof(arrival_rows) / sizeof(arrival_rows[0]); i++) {
        const struct arrival_row *r = &arrival_rows[i];
        struct policy_facts f = {.type = STR("indicator"),
                                 .source = party(r->source),
                                 .home = STR("IN"),
                                 .owner = r->owner,
                                 .lists = r->lists,
                                 .now_us = r->day ? FIRST_US + r->day * DAY_US : 0};
        struct policy_arrival_answer a;
        struct policy *p = parsed(NATIONS, r->rules);
        if (!p)
            continue;
        policy_arrive(p, &f, &a);
        CHECK_ROW(a.verdict == r->answer && a.rule.line == r->line && a.rule.text.n > 0,
                  "row %zu: %s: %d by %u", i, r->rules, a.verdict, a.rule.line);
        CHECK_ROW(a.limit_count == r->count && a.limit_us == r->us, "row %zu: %llu in %lld", i,
                  (unsigned long long)a.limit_count, (long long)a.limit_us);
        policy_free(p);
    }
}

/* ---- conditions ---- */

/* Each rule is `release CONDITION to JP`; the object is what json_parse makes of the text. */
static const struct condition_row {
    const char *condition, *object;
    bool released;
} condition_rows[] = {
    {"confidence >= 50", "{\"confidence\":50}", true},
    {"confidence >= 50", "{\"confidence\":49}", false},
    {"confidence > 50", "{\"confidence\":50}", false},
    {"confidence < 50", "{\"confidence\":49}", true},
    {"confidence < 50", "{\"confidence\":50}", false},
    {"confidence <= 50", "{\"confidence\":51}", false},
    {"confidence <= 50", "{\"confidence\":50}", true},
    {"confidence=50", "{\"confidence\":50.0}", true},
    {"confidence != 50", "{\"confidence\":51}", true},
    {"confidence != 50", "{}", false},
    {"confidence < 50", "{}", false},
    {"confidence < 50", "{\"confidence\":\"10\"}", false},
    {"where name Emotet", "{\"name\":\"Emotet\"}", true},
    {"where name \"Emotet\"", "{\"name\":\"emotet\"}", false},
    {"where name = a, b", "{\"name\":\"b\"}", true},
    {"where name a", "{}", false},
    {"where name != a", "{\"name\":\"b\"}", true},
    {"where name != a", "{\"name\":\"a\"}", false},
    {"where name != a", "{}", false},
    {"where sectors government", "{\"sectors\":[\"energy\",\"government\"]}", true},
    {"where sectors government", "{\"sectors\":[\"energy\"]}", false},
    {"where sectors != government", "{\"sectors\":[\"energy\",\"government\"]}", false},
    {"where sectors != government", "{\"sectors\":[\"energy\"]}", true},
    {"where sectors != government", "{\"sectors\":[]}", false},
    {"where number_observed >= 10", "{\"number_observed\":10}", true},
    {"where number_observed >= 10.5", "{\"number_observed\":10}", false},
    {"where x > 5", "{\"x\":\"2026-01-01T00:00:00Z\"}", false},
    {"where x -3", "{\"x\":-3}", true},
    {"where x 3", "{\"x\":\"3\"}", true},
    {"where x \"3\"", "{\"x\":3}", false},
    {"where is_family true", "{\"is_family\":true}", true},
    {"where is_family true", "{\"is_family\":false}", false},
    {"where is_family \"true\"", "{\"is_family\":true}", false},
    {"where valid_until < 2027-01-01", "{\"valid_until\":\"2026-12-31T23:59:59.9Z\"}", true},
    {"where valid_until < 2027-01-01", "{\"valid_until\":\"2027-01-01T00:00:00Z\"}", false},
    {"where valid_until > \"2027-01-01T12:00:00Z\"", "{\"valid_until\":\"2027-01-01T12:00:01Z\"}",
     true},
    {"where valid_until < 2027-01-01", "{\"valid_until\":\"never\"}", false},
    {"where valid_until < 2027-01-01", "{\"valid_until\":3}", false},
    {"where $.hashes.SHA-256 abc", "{\"hashes\":{\"SHA-256\":\"abc\"}}", true},
    {"where $.external_references[*].source_name cve, capec",
     "{\"external_references\":[{\"source_name\":\"x\"},{\"source_name\":\"capec\"}]}", true},
    {"where $.external_references[0].source_name capec",
     "{\"external_references\":[{\"source_name\":\"x\"},{\"source_name\":\"capec\"}]}", false},
    {"where $.external_references.source_name capec",
     "{\"external_references\":[{\"source_name\":\"capec\"}]}", false},
    {"where name a where x 1", "{\"name\":\"a\",\"x\":1}", true},
    {"where name a where x 1", "{\"name\":\"a\",\"x\":2}", false},
    {"where labels a", "{\"labels\":[\"a\"]}", true},
};

static void test_conditions(void)
{
    struct json_reader *reader = json_reader_new();
    struct arena *arena = arena_new((size_t)1 << 20);
    char rule[200];
    for (size_t i = 0; i < sizeof(condition_rows) / sizeof(condition_rows[0]); i++) {
        const struct condition_row *r = &condition_rows[i];
        struct policy_party to = party("JP/nisc");
        struct policy_facts f = {
            .type = STR("indicator"), .tlp = STIX_TLP_CLEAR, .home = STR("IN")};
        struct err e = {0};
        snprintf(rule, sizeof rule, "release %s to JP", r->condition);
        struct policy *p = parsed(NATIONS, rule);
        CHECK(json_parse(reader, arena, str_of(r->object), false, &f.object, &e));
        CHECK_ROW(p && (policy_release_to(p, &f, &to, NULL) == POLICY_RELEASE) == r->released,
                  "%s on %s", r->condition, r->object);
        f.object = NULL;
        CHECK_ROW(p && policy_release_to(p, &f, &to, NULL) == POLICY_DENY, "%s on nothing",
                  r->condition);
        policy_free(p);
        arena_reset(arena);
    }
    arena_free(arena);
    json_reader_free(reader);
}

/* Conditions that differ little are not taken for one: the first releases to cert-in, the other to
 * nciipc. */
static const struct pair_row {
    const char *one, *other, *object;
    bool first, second;
} pair_rows[] = {
    {"confidence > 50", "confidence < 50", "{\"confidence\":60}", true, false},
    {"confidence > 50", "confidence > 60", "{\"confidence\":60}", true, false},
    {"where x a", "where x b", "{\"x\":\"a\"}", true, false},
    {"where x a", "where x != a", "{\"x\":\"a\"}", true, false},
    {"where x a", "where y a", "{\"x\":\"a\"}", true, false},
    {"where $.x[0] a", "where $.x[1] a", "{\"x\":[\"a\",\"b\"]}", true, false},
    {"where $.x[*] b", "where $.x[0] b", "{\"x\":[\"a\",\"b\"]}", true, false},
    {"where x 3", "where x \"3\"", "{\"x\":3}", true, false},
    {"where x a, b", "where x ab", "{\"x\":\"ab\"}", false, true},
    {"where $.x.y a", "where $.x.z a", "{\"x\":{\"z\":\"a\"}}", false, true},
    {"tlp:clear", "tlp:green", "{}", true, false},
    {"types tool", "types indicator", "{}", false, true},
    {"types observables", "types indicator", "{}", false, true},
    {"source cert-in", "source JP", "{}", false, true},
    {"source JP", "creator JP", "{}", true, false},
    {"older than 1 days", "newer than 1 days", "{}", false, true},
    {"older than 1 hours", "older than 3 hours", "{}", true, false},
};

static void test_pairs(void)
{
    struct json_reader *reader = json_reader_new();
    struct arena *arena = arena_new((size_t)1 << 20);
    char rules[300];
    for (size_t i = 0; i < sizeof(pair_rows) / sizeof(pair_rows[0]); i++) {
        const struct pair_row *r = &pair_rows[i];
        struct policy_party first = party("IN/cert-in"), second = party("IN/nciipc");
        struct policy_facts f = {.type = STR("indicator"),
                                 .tlp = STIX_TLP_CLEAR,
                                 .home = STR("IN"),
                                 .source = party("JP/nisc"),
                                 .now_us = FIRST_US + DAY_US,
                                 .made_us = FIRST_US + DAY_US - INT64_C(7200000000)};
        struct policy_memo *m = policy_memo_new();
        struct policy_asked q = {.facts = &f, .to = &first};
        struct policy_answer a = {0}, b = {0};
        struct err e = {0};
        snprintf(rules, sizeof rules, "release %s to cert-in release %s to nciipc", r->one,
                 r->other);
        struct policy *p = parsed(NATIONS, rules);
        bool ok = p && json_parse(reader, arena, str_of(r->object), false, &f.object, &e) &&
                  policy_answer_for(p, m, &q, &a, &e);
        q.to = &second;
        ok = ok && policy_answer_for(p, m, &q, &b, &e);
        CHECK_ROW(ok && (a.verdict == POLICY_RELEASED) == r->first &&
                      (b.verdict == POLICY_RELEASED) == r->second,
                  "%s and %s: %d %d", r->one, r->other, a.verdict, b.verdict);
        policy_memo_free(m);
        policy_free(p);
        arena_reset(arena);
    }
    arena_free(arena);
    json_reader_free(reader);
}

/* ---- warnings ---- */

static const struct warning_row {
    const char *rules;
    unsigned day;  /* 1: 2026-01-02; 0: not asked */
    unsigned line; /* 0: none */
    const char *words;
} warning_rows[] = {
    {"hold to IN\nrelease to IN", 1, 3, "line 2"},
    {"release to IN\nhold tlp:green to IN", 1, 3, "line 2"},
    {"release to IN\nhold to IN", 1, 0, ""}, /* red passes the release */
    {"release to IN\nhold tlp:red to IN", 1, 0, ""},
    {"deny to IN\nhold tlp:red to IN", 1, 3, "line 2"},
    {"hold tlp:amber+strict to IN", 1, 2, "never holds"},
    {"hold tlp:amber+strict, tlp:red to IN", 1, 0, ""},
    {"release tlp:red to IN", 1, 2, "named approval"},
    {"release to IN from 2026-01-05\nrelease to IN", 1, 0, ""},
    {"release to IN\nrelease to IN from 2026-01-05", 1, 3, "line 2"},
    {"release to IN from 2026-01-05\nrelease to IN from 2026-02-05 until 2026-03-01", 1, 3,
     "line 2"},
    {"release to IN from 2026-02-05\nrelease to IN from 2026-01-05", 1, 0, ""},
    {"release to IN until 2026-01-01", 1, 2, "dates have passed"},
    {"release to IN until 2026-01-01", 0, 0, ""},
    {"release to IN until 2026-01-02", 1, 0, ""},
    {"redact drop $.x to IN until 2026-01-01", 1, 2, "dates have passed"},
    {"refuse from IN until 2026-01-01", 1, 2, "dates have passed"},
    {"agreement m \"M\" from 2025-01-01 until 2026-01-01\nrelease to IN under m", 1, 2,
     "lapsed at the end of 2026-01-01"},
    {"agreement m \"M\" from 2025-01-01 until 2026-01-02\nrelease to IN under m", 1, 0, ""},
    {"agreement m \"M\" from 2025-01-01", 1, 2, "no rule is under the agreement m"},
    {"agreement m \"M\" from 2025-01-01\nrelease to IN under m until 2024-01-01", 0, 3,
     "do not meet"},
    {"warninglist own { 192.0.2.1 }", 1, 2, "no rule asks for the warning list own"},
    {"warninglist own { 192.0.2.1 }\nquarantine from any if warninglist", 1, 0, ""},
    {"warninglist own { 192.0.2.1 }\nquarantine from any if warninglist own", 1, 0, ""},
    {"warninglist own { 192.0.2.1 }\nquarantine from any if warninglist top-site", 1, 2, "own"},
    {"delegate a, b for c", 1, 2, "unless owner"},
    {"delegate a, b for c\nrefuse from any unless owner", 1, 0, ""},
    {"release confidence > 100 to IN", 1, 2, "no confidence"},
    {"release confidence < 0 to IN", 1, 2, "no confidence"},
    {"release older than 5 days newer than 5 days to IN", 1, 2, "at once"},
    {"release older than 5 days newer than 6 days to IN", 1, 0, ""},
    {"release confidence >= 50 to IN\nrelease confidence >= 80 to IN", 1, 3, "line 2"},
    {"release confidence >= 80 to IN\nrelease confidence >= 50 to IN", 1, 0, ""},
    {"release older than 5 days to IN\nrelease older than 6 days to IN", 1, 3, "line 2"},
    {"release newer than 5 days to IN\nrelease newer than 6 days to IN", 1, 0, ""},
    {"release where name a to IN\nrelease where name a to IN", 1, 3, "line 2"},
    {"release where name a, b to IN\nrelease where name a to IN", 1, 0, ""}, /* not looked into */
    {"release where name a to IN\nrelease where name \"a\" to IN", 1, 3, "line 2"},
    {"release where x 1 to IN\nrelease where x \"1\" to IN", 1, 0, ""},
    {"release where $.name a to IN\nrelease where name a to IN", 1, 3, "line 2"},
    {"release creator IN to IN\nrelease creator a to IN", 1, 3, "line 2"},
    {"release source a to IN\nrelease source IN to IN", 1, 0, ""},
    {"release pap:red, pap:amber to IN\nrelease pap:red to IN", 1, 3, "line 2"},
    {"release where referenced by incident, tool to IN\nrelease where referenced by tool to IN", 1,
     3, "line 2"},
    {"refuse from any unless owner\nrefuse from IN", 1, 0, ""},
    {"refuse from any\nrefuse from IN unless owner", 1, 3, "line 2"},
    {"refuse from any unless owner\naccept from IN unless owner", 1, 3, "line 2"},
    {"quarantine from any if warninglist\nrefuse from any if warninglist top-site", 1, 3, "line 2"},
    {"redact drop $.x to IN\nredact drop $.x to IN", 1, 0, ""},
};

struct heard {
    unsigned count, line;
    char text[400];
};

static void hear(void *ctx, unsigned line, struct str message)
{
    struct heard *h = ctx;
    h->count++;
    h->line = line;
    snprintf(h->text, sizeof h->text, "%.*s", STR_FMT(message));
}

static void test_warnings(void)
{
    char text[2048];
    for (size_t i = 0; i < sizeof(warning_rows) / sizeof(warning_rows[0]); i++) {
        const struct warning_row *r = &warning_rows[i];
        struct heard h = {0};
        struct policy *p = NULL;
        struct err e = {0};
        struct policy_check_options o = {.name = "p",
                                         .now_us = r->day ? FIRST_US + r->day * DAY_US : 0,
                                         .warn = hear,
                                         .ctx = &h};
        snprintf(text, sizeof text, "nation IN \"India\" { agency a, b, c }\n%s", r->rules);
        bool ok = policy_check(str_of(text), &o, &p, &e);
        CHECK_ROW(ok, "%s: %s", r->rules, e.msg);
        CHECK_ROW(h.count == (r->line != 0) && h.line == r->line && holds(str_of(h.text), r->words),
                  "%s: %u, line %u: %s", r->rules, h.count, h.line, h.text);
        policy_free(p);
    }
}

/* ---- warning lists ---- */

static const struct list_row {
    enum observable_kind kind;
    const char *value;
    uint64_t lists;
} list_rows[] = {
    {OBSERVABLE_IPV4, "203.0.113.7", OWN},
    {OBSERVABLE_IPV4, "203.0.114.7", 0},
    {OBSERVABLE_IPV4, "203.0.0.0/16", OWN}, /* it holds the listed block */
    {OBSERVABLE_IPV4, "203.0.113.128/25", OWN},
    {OBSERVABLE_IPV4, "192.0.2.1", 2 * OWN},
    {OBSERVABLE_IPV4, "192.0.2.0", 0},
    {OBSERVABLE_IPV4, "192.0.2.0/25", 2 * OWN},
    {OBSERVABLE_IPV4, "192.0.2.128/25", 0},
    {OBSERVABLE_IPV6, "cb00:7101::1", 0}, /* the bytes of 203.0.113.1 */
    {OBSERVABLE_IPV6, "2001:db8:5::1", OWN},
    {OBSERVABLE_IPV6, "2001:db8:6::1", 0},
    {OBSERVABLE_DOMAIN, "corp.example", OWN},
    {OBSERVABLE_DOMAIN, "www.corp.example", OWN},
    {OBSERVABLE_DOMAIN, "notcorp.example", 0},
    {OBSERVABLE_DOMAIN, "corp.example.test", 0},
    {OBSERVABLE_URL, "https://www.corp.example/a", OWN},
    {OBSERVABLE_URL, "https://203.0.113.9:8443/a", OWN},
    {OBSERVABLE_URL, "https://[2001:db8:5::2]/a", OWN},
    {OBSERVABLE_URL, "https://a.test/corp.example", 0},
    {OBSERVABLE_EMAIL, "a@corp.example", OWN},
    {OBSERVABLE_EMAIL, "corp.example@a.test", 0},
    {OBSERVABLE_MD5, "d41d8cd98f00b204e9800998ecf8427f", 0},
};

static void test_lists(void)
{
    struct policy *p = parsed(NATIONS, "quarantine from any if warninglist");
    char room[OBSERVABLE_ROOM(64)];
    for (size_t i = 0; p && i < sizeof(list_rows) / sizeof(list_rows[0]); i++) {
        const struct list_row *r = &list_rows[i];
        struct observable o;
        struct err e = {0};
        bool ok = observable_normalize(r->kind, str_of(r->value), false, room, sizeof room, &o, &e);
        uint64_t own = ok ? policy_lists_of(p, &o) & ~(OWN - 1) : 0;
        CHECK_ROW(ok && own == r->lists, "%s: %llx %s", r->value, (unsigned long long)own, e.msg);
    }
    CHECK(p && str_eq(policy_list_name(p, 16), STR("own")) &&
          str_eq(policy_list_name(p, 17), STR("others")) && policy_list_name(p, 18).n == 0 &&
          policy_list_name(p, 15).n == 0 && policy_list_name(p, 64).n == 0);
    CHECK(p && str_eq(policy_list_name(p, 2), STR("documentation")));
    policy_free(p);
}

/* ---- delegates, what a policy asks, when it changes ---- */

static void test_delegates(void)
{
    static const struct {
        const char *who, *owner;
        bool may;
    } rows[] = {
        {"IN/nciipc", "IN/cert-in", true},
        {"IN/cert-in", "IN/nciipc", false},
        {"IN/airtel", "IN/cert-in", false},
        {"JP/nisc", "JP/jpcert", true},
        {"JP/nisc", "IN/cert-in", false},
        {"JP/nciipc", "JP/cert-in", false},
        {"JP/nciipc", "IN/cert-in", false},
        {"IN/x", "IN/cert-in", false},
        {"FR/x", "FR/y", false},
        {"IN", "IN/cert-in", false},
        {"IN/nciipc", "/", false},
    };
    struct policy *p = parsed(NATIONS, "");
    for (size_t i = 0; p && i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct policy_party who = party(rows[i].who), owner = party(rows[i].owner);
        CHECK_ROW(policy_delegate(p, &who, &owner) == rows[i].may, "%s for %s", rows[i].who,
                  rows[i].owner);
    }
    policy_free(p);
}

static void test_asks(void)
{
    static const struct {
        const char *rules;
        unsigned asks;
    } rows[] = {
        {"release tlp:red, tlp:green to any", 0},
        {"refuse from any unless owner", POLICY_ASKS_OWNER},
        {"quarantine from any if warninglist", POLICY_ASKS_LISTS},
        {"release where referenced by incident to any", POLICY_ASKS_REFERENCED},
        {"redact drop $.x to any", POLICY_REDACTS},
        {"redact drop-reference to any", POLICY_REDACTS | POLICY_DROPS_REFERENCES},
        {"deny older than 5 days to any", POLICY_ASKS_AGE},
        {"hold newer than 5 days to any", POLICY_ASKS_AGE},
        {"accept from any limit 5/day", POLICY_LIMITS},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct policy *p = parsed("", rows[i].rules);
        CHECK_ROW(p && policy_asks(p) == rows[i].asks, "%s", rows[i].rules);
        policy_free(p);
    }
}

static void test_changes(void)
{
    struct policy *p = parsed("agreement m \"M\" from 2026-01-05 until 2026-01-20\n",
                              "release to any under m until 2026-01-10\n"
                              "deny to any from 2026-01-08 redact drop $.x to any "
                              "release to any under m from 2026-02-01");
    static const int days[] = {5 - 1, 8 - 1, 11 - 1};
    int64_t now = 1;
    for (size_t i = 0; p && i < sizeof(days) / sizeof(days[0]); i++) {
        int64_t next = policy_next_change_us(p, now);
        CHECK_ROW(next == FIRST_US + days[i] * DAY_US, "%zu: %lld", i, (long long)next);
        CHECK(policy_next_change_us(p, next - 1) == next);
        now = next;
    }
    CHECK(p && policy_next_change_us(p, now) == INT64_MAX);
    policy_free(p);
    p = parsed("", "release to any");
    CHECK(p && policy_next_change_us(p, 0) == INT64_MAX);
    policy_free(p);
}

/* ---- limits ---- */

static void check_limit(struct buf *b, bool good)
{
    struct policy *p = NULL;
    struct err e = {0};
    bool ok = policy_parse(buf_view(b), "p", &p, &e);
    CHECK_ROW(ok == good && (ok || e.code == ERR_LIMIT), "%s", e.msg);
    policy_free(p);
}

static void test_limits(void)
{
    struct buf b;
    buf_init(&b, 0);
    for (unsigned i = 0; i < LIMIT_POLICY_LISTS; i++)
        buf_printf(&b, "warninglist l%u { 192.0.2.1 }\n", i);
    check_limit(&b, true);
    buf_lit(&b, "warninglist l { 192.0.2.1 }\n");
    check_limit(&b, false);
    buf_clear(&b);
    buf_lit(&b, "warninglist l { 192.0.2.1");
    for (unsigned i = 1; i < LIMIT_POLICY_LIST_ENTRIES; i++)
        buf_lit(&b, ", 192.0.2.1");
    buf_lit(&b, " }");
    check_limit(&b, true);
    buf_lit(&b, " warninglist m { 192.0.2.1 }");
    check_limit(&b, false);
    buf_clear(&b);
    buf_lit(&b, "redact drop $.x");
    for (unsigned i = 1; i < LIMIT_POLICY_PATHS; i++)
        buf_printf(&b, ", $.x%u", i);
    buf_lit(&b, " to any");
    check_limit(&b, true);
    b.n -= strlen(" to any");
    buf_lit(&b, ", $.y to any");
    check_limit(&b, false);
    /* many rules of each kind with conditions of their own */
    buf_clear(&b);
    buf_lit(&b, "nation IN \"I\" { agency a, b, c }\n");
    for (unsigned i = 0; i < LIMIT_POLICY_RULES / 2; i++)
        buf_printf(&b, "deny where x %u label \"l%u\" to %c\nredact drop $.x%u to IN\n", i, i,
                   "abc"[i % 3], i);
    check_limit(&b, true);
    buf_done(&b);
}

int main(void)
{
    test_arrivals();
    test_conditions();
    test_pairs();
    test_warnings();
    test_lists();
    test_delegates();
    test_asks();
    test_changes();
    test_limits();
    TEST_END();
}
