/* The release language row by row; tests/policy/test_audience.c holds the properties. */
#include "test.h"

#include "policy/policy.h"

#define NATIONS                                                                                    \
    "nation IN \"India\" { agency cert-in, nciipc  operator airtel }\n"                            \
    "nation JP \"Japan\" { agency nisc, jpcert     operator docomo, kddi }\n"                      \
    "nation AU \"Australia\" { agency acsc }\n"                                                    \
    "nation US \"United States\" { }\n"                                                            \
    "community quad { IN, JP, AU, US }\n" /* the rules begin on line 6 */

/* ---- helpers ---- */

static struct policy_party party(const char *text) /* "IN/cert-in" */
{
    struct str org = str_of(text), nation = str_cut(&org, '/');
    return (struct policy_party){nation, org.p ? org : STR_NONE};
}

/* "a b c" as a JSON array of strings; "1" is a number whose memory would read as "a". */
static const struct json *labels_of(const char *text)
{
    static struct json array, items[8];
    struct str rest = str_of(text);
    size_t n = 0;
    if (!text)
        return NULL;
    while (rest.p) {
        struct str s = str_cut(&rest, ' ');
        items[n] = (struct json){.type = JSON_STRING, .u.s = s};
        if (str_eq(s, STR("1")))
            items[n] = (struct json){.type = JSON_INTEGER, .u.s = STR("a")};
        if (n > 0)
            items[n - 1].next = &items[n];
        n++;
    }
    array = (struct json){.type = JSON_ARRAY, .count = (uint32_t)n, .u.child = items};
    return &array;
}

struct facts_row {
    const char *type;
    enum stix_tlp tlp;
    const char *labels, *source, *home;
    bool granular;
};

static struct policy_facts facts_of(const struct facts_row *r)
{
    return (struct policy_facts){.type = str_of(r->type ? r->type : "indicator"),
                                 .tlp = r->tlp,
                                 .labels = labels_of(r->labels),
                                 .source = party(r->source ? r->source : "IN/cert-in"),
                                 .home = str_of(r->home ? r->home : "IN"),
                                 .granular = r->granular};
}

static struct policy *parsed(const char *text)
{
    struct policy *p = NULL;
    struct err e = {0};
    bool ok = policy_parse(str_of(text), "policy.conf", &p, &e);
    CHECK_ROW(ok, "%s: %s", text, e.msg);
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

/* ---- releases ---- */

#define CLEAR  STIX_TLP_CLEAR
#define GREEN  STIX_TLP_GREEN
#define AMBER  STIX_TLP_AMBER
#define STRICT STIX_TLP_AMBER_STRICT
#define RED    STIX_TLP_RED
#define NONE   STIX_TLP_NONE

static const struct release_row {
    const char *rules;
    struct facts_row f;
    const char *to;
    bool released;
    unsigned line;
    const char *text;
} release_rows[] = {
    /* the default, and who is a recipient */
    {"", {.tlp = CLEAR}, "IN/nciipc", false, 0, "no rule releases it to nciipc of IN"},
    {"", {.tlp = CLEAR}, "IN/other", false, 0, "no rule releases it to organisations of IN"},
    {"", {.tlp = CLEAR}, "FR/anssi", false, 0, "nations that the policy does not name"},
    {"release to IN", {.tlp = CLEAR}, "IN/nciipc", true, 6, "release to IN"},
    {"release to IN", {.tlp = CLEAR}, "IN/other", true, 6, "release to IN"},
    {"release to IN", {.tlp = CLEAR}, "JP/nisc", false, 0, "no rule"},
    {"release to IN", {.tlp = CLEAR}, "JP/cert-in", false, 0, "organisations of JP"},
    {"release to nisc", {.tlp = CLEAR}, "JP/nisc", true, 6, "release to nisc"},
    {"release to nisc", {.tlp = CLEAR}, "JP/jpcert", false, 0, ""},
    {"release to nisc", {.tlp = CLEAR}, "JP/other", false, 0, ""},
    {"release to nisc", {.tlp = CLEAR}, "AU/nisc", false, 0, ""},
    {"release to quad", {.tlp = CLEAR}, "US/cisa", true, 6, "release to quad"},
    {"release to quad", {.tlp = CLEAR}, "FR/anssi", false, 0, ""},
    {"release to agency of JP", {.tlp = CLEAR}, "JP/jpcert", true, 6, ""},
    {"release to agency of JP", {.tlp = CLEAR}, "JP/docomo", false, 0, ""},
    {"release to agency of JP", {.tlp = CLEAR}, "JP/other", false, 0, ""},
    {"release to operator of JP", {.tlp = CLEAR}, "JP/docomo", true, 6, ""},
    {"release to operator of JP", {.tlp = CLEAR}, "JP/nisc", false, 0, ""},
    {"release to operator of JP, acsc", {.tlp = CLEAR}, "AU/acsc", true, 6, ""},
    {"release to any", {.tlp = CLEAR}, "FR/anssi", true, 6, "release to any"},
    {"release to any except JP", {.tlp = CLEAR}, "JP/nisc", false, 0, ""},
    {"release to any except JP", {.tlp = CLEAR}, "JP/other", false, 0, ""},
    {"release to any except JP", {.tlp = CLEAR}, "FR/anssi", true, 6, ""},
    {"release to any except agency of JP, AU", {.tlp = CLEAR}, "JP/nisc", false, 0, ""},
    {"release to any except agency of JP, AU", {.tlp = CLEAR}, "AU/acsc", false, 0, ""},
    {"release to any except agency of JP, AU", {.tlp = CLEAR}, "JP/kddi", true, 6, ""},
    {"release to any", {.tlp = CLEAR}, "fr/anssi", false, 0, "no valid nation"},
    {"release to any", {.tlp = CLEAR}, "FR", false, 0, "no valid nation"},
    {"release to any", {.tlp = CLEAR}, "FR/Anssi", false, 0, "no valid nation"},
    {"release to any", {.tlp = CLEAR}, "FR/a b", false, 0, "no valid nation"},
    /* the first match decides, for each recipient */
    {"deny to JP\nrelease to JP, AU", {.tlp = CLEAR}, "JP/nisc", false, 6, "deny to JP"},
    {"deny to JP\nrelease to JP, AU", {.tlp = CLEAR}, "AU/acsc", true, 7, ""},
    {"release to nisc\ndeny to JP", {.tlp = CLEAR}, "JP/nisc", true, 6, ""},
    {"release to nisc\ndeny to JP", {.tlp = CLEAR}, "JP/kddi", false, 7, "deny to JP"},
    {"deny label \"national-only\" to any except IN\nrelease to any",
     {.tlp = CLEAR, .labels = "x national-only"},
     "JP/nisc",
     false,
     6,
     "deny label \"national-only\" to any except IN"},
    {"deny label \"national-only\" to any except IN\nrelease to any",
     {.tlp = CLEAR, .labels = "x national-only"},
     "IN/other",
     true,
     7,
     ""},
    {"deny label \"national-only\" to any except IN\nrelease to any",
     {.tlp = CLEAR, .labels = "national only"},
     "JP/nisc",
     true,
     7,
     ""},
    /* conditions */
    {"release tlp:green to JP", {.tlp = GREEN}, "JP/nisc", true, 6, "release tlp:green to JP"},
    {"release tlp:green to JP", {.tlp = CLEAR}, "JP/nisc", false, 0, ""},
    {"release TLP:GREEN, tlp:white to JP", {.tlp = CLEAR}, "JP/nisc", true, 6, ""},
    {"release tlp:amber to JP", {.tlp = AMBER}, "JP/nisc", true, 6, ""},
    {"release tlp:amber to JP", {.tlp = NONE}, "JP/nisc", true, 6, ""},
    {"release tlp:clear to JP", {.tlp = NONE}, "JP/nisc", false, 0, ""},
    {"release types malware, indicator to JP", {.tlp = CLEAR}, "JP/nisc", true, 6, ""},
    {"release type malware to JP", {.tlp = CLEAR}, "JP/nisc", false, 0, ""},
    {"release type malware to JP", {.tlp = CLEAR, .type = "malware"}, "JP/nisc", true, 6, ""},
    {"release types tool, observables to JP",
     {.tlp = CLEAR, .type = "file"},
     "JP/nisc",
     true,
     6,
     ""},
    {"release types dialogue to JP",
     {.tlp = CLEAR, .type = "assistance-move"},
     "JP/nisc",
     true,
     6,
     ""},
    {"release types tool, dialogue, malware to JP",
     {.tlp = CLEAR, .type = "dialogue-round"},
     "JP/nisc",
     true,
     6,
     ""},
    {"release types tool, dialogue, malware to JP",
     {.tlp = CLEAR, .type = "malware"},
     "JP/nisc",
     true,
     6,
     ""},
    {"release types dialogue to JP", {.tlp = CLEAR, .type = "tool"}, "JP/nisc", false, 0, ""},
    {"release types dialogue to JP", {.tlp = CLEAR, .type = "dialogue"}, "JP/nisc", false, 0, ""},
    {"release types \"dialogue\" to JP",
     {.tlp = CLEAR, .type = "contact-point"},
     "JP/nisc",
     false,
     0,
     ""},
    {"release types observables to JP", {.tlp = CLEAR, .type = "tool"}, "JP/nisc", false, 0, ""},
    {"release types observables to JP",
     {.tlp = CLEAR, .type = "observables"},
     "JP/nisc",
     false,
     0,
     ""},
    {"release types x-a, \"notice\" to JP",
     {.tlp = CLEAR, .type = "notice"},
     "JP/nisc",
     true,
     6,
     ""},
    {"release types x-a, \"notice\" to JP", {.tlp = CLEAR, .type = "x-a"}, "JP/nisc", true, 6, ""},
    {"release types x-a, \"notice\" to JP", {.tlp = CLEAR, .type = "x-b"}, "JP/nisc", false, 0, ""},
    {"release labels \"a\", \"b\" to JP", {.tlp = CLEAR, .labels = "b"}, "JP/nisc", true, 6, ""},
    {"release labels \"a\", \"b\" to JP", {.tlp = CLEAR, .labels = "1 A"}, "JP/nisc", false, 0, ""},
    {"release labels \"a\", \"b\" to JP", {.tlp = CLEAR}, "JP/nisc", false, 0, ""},
    {"release tlp:green type tool label \"a\" to JP",
     {.tlp = GREEN, .type = "tool", .labels = "a"},
     "JP/nisc",
     true,
     6,
     ""},
    {"release label \"a\" type tool tlp:green to JP",
     {.tlp = GREEN, .type = "tool", .labels = "b"},
     "JP/nisc",
     false,
     0,
     ""},
    {"release label \"a\" type tool tlp:green to JP",
     {.tlp = GREEN, .type = "file", .labels = "a"},
     "JP/nisc",
     false,
     0,
     ""},
    {"release label \"a\" type tool tlp:green to JP",
     {.tlp = CLEAR, .type = "tool", .labels = "a"},
     "JP/nisc",
     false,
     0,
     ""},
    /* over several lines, with comments; the rule is shown on one */
    {"# why\n\nrelease tlp:clear, # first\n  tlp:green\n to JP,AU",
     {.tlp = GREEN},
     "JP/nisc",
     true,
     8,
     "release tlp:clear, tlp:green to JP,AU"},
    {"release to IN\r\nrelease to JP\r\n", {.tlp = GREEN}, "JP/nisc", true, 7, "release to JP"},
    /* the submitter's organisation reads what it submitted */
    {"deny to any", {.tlp = RED}, "IN/cert-in", true, 0, "what it submitted itself"},
    {"deny to any", {.tlp = RED, .source = "FR/anssi"}, "FR/anssi", true, 0, "submitted itself"},
    {"deny to any", {.tlp = CLEAR}, "JP/cert-in", false, 6, "deny to any"},
    {"deny to any", {.tlp = CLEAR, .source = "/"}, "/", false, 0, "no valid nation"},
    /* floors */
    {"release to any", {.tlp = RED}, "IN/nciipc", false, 0, "TLP:RED"},
    {"release tlp:red to nciipc", {.tlp = RED}, "IN/nciipc", false, 0, "FIRST TLP 2.0"},
    {"release to any", {.tlp = STRICT}, "IN/nciipc", false, 0, "TLP:AMBER+STRICT"},
    {"release to any", {.tlp = STRICT}, "IN/other", false, 0, "TLP:AMBER+STRICT"},
    {"release to any", {.tlp = STRICT}, "IN/cert-in", true, 0, "submitted itself"},
    {"release to any", {.tlp = CLEAR, .granular = true}, "IN/nciipc", false, 0, "granular"},
    {"release to any", {.tlp = CLEAR, .granular = true}, "IN/cert-in", true, 0, "submitted"},
    {"release to any", {.tlp = AMBER, .source = "JP/nisc"}, "AU/acsc", false, 0, "third nation"},
    {"release to any", {.tlp = NONE, .source = "JP/nisc"}, "AU/acsc", false, 0, "third nation"},
    {"release to any", {.tlp = AMBER, .source = "JP/nisc"}, "IN/nciipc", true, 6, ""},
    {"release to any", {.tlp = AMBER, .source = "JP/nisc"}, "JP/kddi", true, 6, ""},
    {"release to any", {.tlp = GREEN, .source = "JP/nisc"}, "AU/acsc", true, 6, ""},
    {"release to any", {.tlp = CLEAR, .source = "JP/nisc"}, "AU/acsc", true, 6, ""},
    {"release to any", {.tlp = AMBER}, "AU/acsc", true, 6, ""},
    {"release to any", {.tlp = AMBER, .source = "FR/anssi"}, "FR/other", true, 6, ""},
    {"release to any", {.tlp = AMBER, .source = "FR/anssi"}, "DE/bsi", false, 0, "third nation"},
    {"release to any", {.tlp = AMBER, .home = "", .source = "/"}, "IN/x", false, 0, "third"},
    {"release to any", {.tlp = AMBER, .home = "", .source = "JP/nisc"}, "IN/x", false, 0, "third"},
    {"release to any", {.tlp = AMBER, .source = "/"}, "JP/nisc", false, 0, "third"},
};

static void test_releases(void)
{
    char text[2048];
    for (size_t i = 0; i < sizeof(release_rows) / sizeof(release_rows[0]); i++) {
        const struct release_row *r = &release_rows[i];
        struct policy_facts f = facts_of(&r->f);
        struct policy_party to = party(r->to);
        struct policy_rule_ref rule = {99, STR_NONE};
        snprintf(text, sizeof text, NATIONS "%s", r->rules);
        struct policy *p = parsed(text);
        if (!p)
            continue;
        bool released = policy_release_to(p, &f, &to, &rule) == POLICY_RELEASE;
        CHECK_ROW(released == r->released && rule.line == r->line, "row %zu: %s, to %s: %d by %u",
                  i, r->rules, r->to, released, rule.line);
        CHECK_ROW(holds(rule.text, r->text), "row %zu: %s: %.*s", i, r->rules, STR_FMT(rule.text));
        if (r->line)
            CHECK_ROW(!*r->text || str_eq(rule.text, str_of(r->text)), "row %zu", i);
        CHECK((policy_release_to(p, &f, &to, NULL) == POLICY_RELEASE) == released);
        policy_free(p);
    }
}

/* ---- arrivals ---- */

static const struct arrival_row {
    const char *rules;
    struct facts_row f;
    enum policy_arrival answer;
    unsigned line;
} arrival_rows[] = {
    {"release to any", {.source = "JP/nisc"}, POLICY_NO_RULE, 0},
    {"accept from JP", {.source = "JP/nisc"}, POLICY_ACCEPT, 6},
    {"accept from JP", {.source = "JP/other"}, POLICY_ACCEPT, 6},
    {"accept from JP", {.source = "AU/acsc"}, POLICY_REFUSE, 0},
    {"accept from JP", {.source = "FR/anssi"}, POLICY_REFUSE, 0},
    {"accept from JP", {.source = "IN/cert-in"}, POLICY_ACCEPT, 0},
    {"accept from JP", {.source = "IN/other"}, POLICY_ACCEPT, 0},
    {"refuse from any", {.source = "IN/cert-in"}, POLICY_REFUSE, 6},
    {"accept from any", {.source = "/"}, POLICY_REFUSE, 0},
    {"accept from any", {.source = "IN"}, POLICY_REFUSE, 0},
    {"accept from any except operator of JP", {.source = "JP/kddi"}, POLICY_REFUSE, 0},
    {"accept from any except operator of JP", {.source = "JP/nisc"}, POLICY_ACCEPT, 6},
    {"refuse from JP label \"test\"\naccept from JP",
     {.source = "JP/nisc", .labels = "test"},
     POLICY_REFUSE,
     6},
    {"refuse from JP label \"test\"\naccept from JP", {.source = "JP/nisc"}, POLICY_ACCEPT, 7},
    {"accept from JP types tool, observables",
     {.source = "JP/nisc", .type = "url"},
     POLICY_ACCEPT,
     6},
    {"accept from JP types tool, observables",
     {.source = "JP/nisc", .type = "report"},
     POLICY_REFUSE,
     0},
    {"accept from JP tlp:green", {.source = "JP/nisc", .tlp = RED}, POLICY_REFUSE, 0},
    {"accept from JP tlp:red",
     {.source = "JP/nisc", .tlp = RED, .granular = true},
     POLICY_ACCEPT,
     6},
};

static void test_arrivals(void)
{
    char text[2048];
    for (size_t i = 0; i < sizeof(arrival_rows) / sizeof(arrival_rows[0]); i++) {
        const struct arrival_row *r = &arrival_rows[i];
        struct policy_facts f = facts_of(&r->f);
        struct policy_rule_ref rule = {99, STR_NONE};
        snprintf(text, sizeof text, NATIONS "%s", r->rules);
        struct policy *p = parsed(text);
        if (!p)
            continue;
        enum policy_arrival answer = policy_arrival_from(p, &f, STR("IN"), &rule);
        CHECK_ROW(answer == r->answer && rule.line == r->line, "row %zu: %s: %d by %u", i, r->rules,
                  answer, rule.line);
        CHECK(rule.text.n > 0);
        CHECK(policy_arrival_from(p, &f, STR("IN"), NULL) == answer);
        policy_free(p);
    }
}

/* ---- errors ---- */

static const struct error_row {
    const char *text;
    unsigned line, column;
    const char *words[3];
} error_rows[] = {
    /* words where they do not belong */
    {"release to any if warninglist", 1, 16, {"\"if\"", "does not belong", "under"}},
    {"release to community of JP", 1, 12, {"\"community\"", "without a word", "any"}},
    {"release if x to any", 1, 9, {"\"if\"", "does not belong", "to"}},
    {"release to any except hold", 1, 23, {"\"hold\"", "does not belong"}},
    {"deny to any where sectors government", 1, 13, {"\"where\"", "does not belong"}},
    {"release to any for 2 officers", 1, 16, {"\"for\"", "only a hold", "hold"}},
    {"deny to any within 2 days", 1, 13, {"\"within\"", "only a hold"}},
    {"refuse from any limit 5/day", 1, 17, {"\"limit\"", "only an accept rule"}},
    {"redact drop $.x to any for 2 officers", 1, 24, {"\"for\"", "only a hold"}},
    {"hold to any unless owner", 1, 13, {"\"unless\"", "does not belong", "within"}},
    /* agreements, dates */
    {"release to any under moc", 1, 22, {"\"moc\"", "no agreement"}},
    {"warninglist own { 192.0.2.1 } release to any under own", 1, 52, {"\"own\"", "no agreement"}},
    {"release to any under IN", 1, 22, {"\"IN\"", "unknown word", "an agreement's name"}},
    {"community q { } ", 1, 15, {"\"}\""}},
    {"agreement moc \"M\"", 1, 18, {"the end", "from and the date"}},
    {"agreement moc from 2022-03-19", 1, 15, {"\"from\"", "title in quotes"}},
    {"agreement moc \"M\" from yesterday", 1, 24, {"\"yesterday\"", "no date", "2027-03-18"}},
    {"agreement moc \"M\" from 2022-02-30", 1, 24, {"\"2022-02-30\"", "no date"}},
    {"agreement m \"M\" from 2022-03-19 until 2022-03-18", 1, 39, {"ends before it begins"}},
    {"release to any until 2022-03-18 from 2022-03-19", 1, 38, {"ends before it begins"}},
    {"release to any until 2022-03-18 until 2022-03-19", 1, 33, {"\"until\"", "twice"}},
    {"release to any from 2022-3-1", 1, 21, {"\"2022-3-1\"", "no date"}},
    {"agreement m \"M\" from 2022-03-19 agreement m \"M\" from 2022-03-19",
     1,
     43,
     {"\"m\"", "declared twice"}},
    {"nation IN \"I\" { agency m } agreement m \"M\" from 2022-03-19", 1, 38, {"twice"}},
    {"agreement m \"M\" from 2022-03-19 release to m", 1, 44, {"\"m\"", "no organisation"}},
    /* delegates */
    {"delegate a for b", 1, 16, {"\"b\"", "no organisation"}},
    {"nation IN \"I\" { agency a } delegate b for a", 1, 37, {"\"b\"", "no organisation"}},
    {"nation IN \"I\" { agency a } delegate a for a", 1, 37, {"\"a\"", "for itself"}},
    {"nation IN \"I\" { agency a } nation JP \"J\" { agency b } delegate b for a",
     1,
     64,
     {"\"b\"", "another nation"}},
    {"nation IN \"I\" { agency a } delegate a", 1, 38, {"the end", "for"}},
    {"nation IN \"I\" { agency a } delegate a for", 1, 42, {"the end", "organisation"}},
    {"delegate IN for a", 1, 10, {"\"IN\"", "an organisation's name"}},
    /* warning lists */
    {"warninglist own { }", 1, 19, {"\"}\"", "an address"}},
    {"warninglist own { 203.0.113.0/33 }", 1, 19, {"no entry", "203.0.113.0/24"}},
    {"warninglist own { \"a@b.example\" }", 1, 19, {"no entry"}},
    {"warninglist top-site { 203.0.113.1 }", 1, 13, {"\"top-site\"", "built-in"}},
    {"warninglist own 203.0.113.1", 1, 17, {"\"{\""}},
    {"warninglist own { 203.0.113.1 a.example }", 1, 31, {"\"a.example\"", "\",\""}},
    {"quarantine from any if warninglist own", 1, 36, {"\"own\"", "no warning list"}},
    {"quarantine from any if", 1, 23, {"the end", "warninglist"}},
    {"quarantine from any if warninglist if warninglist", 1, 36, {"\"if\"", "twice"}},
    {"refuse from any unless", 1, 23, {"the end", "owner"}},
    {"accept from any limit 5000", 1, 23, {"\"5000\"", "5000/minute"}},
    {"accept from any limit 0/minute", 1, 23, {"\"0/minute\"", "5000/minute"}},
    {"accept from any limit 5/fortnight", 1, 23, {"\"5/fortnight\"", "second, minute"}},
    {"accept from any limit 5/hour limit 5/day", 1, 30, {"\"limit\"", "twice"}},
    /* holds */
    {"hold to any for 0 officers", 1, 17, {"\"0\"", "out of bounds", "from 1 to 16"}},
    {"hold to any for 2", 1, 18, {"the end", "officer or officers"}},
    {"hold to any within 400 days", 1, 24, {"\"days\"", "out of bounds"}},
    {"hold to any within 2 weeks", 1, 22, {"\"weeks\"", "hours or days"}},
    /* conditions */
    {"release pap:blue to any", 1, 9, {"\"pap:blue\"", "Permissible Actions", "pap:red"}},
    {"release creator to any", 1, 17, {"\"to\"", "does not belong", "any"}},
    {"release creator \"indicator--1\" to any", 1, 17, {"no id of an identity"}},
    {"release creator nobody to any", 1, 17, {"\"nobody\"", "no organisation"}},
    {"release source nobody to any", 1, 16, {"\"nobody\"", "no organisation"}},
    {"release confidence 50 to any", 1, 20, {"\"50\"", ">="}},
    {"release confidence >= 101 to any", 1, 23, {"\"101\"", "out of bounds", "0 to 100"}},
    {"release confidence ! 5 to any", 1, 20, {"\"!\"", "plain ASCII"}},
    {"release older 30 days to any", 1, 15, {"\"30\"", "than"}},
    {"release older than 30 to any", 1, 23, {"\"to\"", "hours or days"}},
    {"release older than 5 days older than 6 days to any", 1, 27, {"\"older\"", "twice"}},
    {"release where to any", 1, 18, {"\"any\"", "a value"}},
    {"release where Sectors x to any", 1, 15, {"\"Sectors\"", "name of a property"}},
    {"release where sectors > high to any", 1, 25, {"\"high\"", "no order", "a date"}},
    {"release where $.a.[0] x to any", 1, 15, {"\"$.a.[0]\"", "name of letters"}},
    {"release where $.a[x] x to any", 1, 15, {"\"$.a[x]\"", "between brackets"}},
    {"release where $ x to any", 1, 15, {"\"$\"", "names a property"}},
    {"release where $a x to any", 1, 15, {"\"$a\"", "goes on with a point"}},
    {"release where referenced incident to any", 1, 26, {"\"incident\"", "by"}},
    {"release where referenced by incidents to any", 1, 29, {"\"incidents\"", "no such type"}},
    {"release where referenced by dialogue to any", 1, 29, {"\"dialogue\""}},
    {"release where referenced by observables to any", 1, 29, {"\"observables\""}},
    /* redactions */
    {"redact hide $.x to any", 1, 8, {"\"hide\"", "unknown word", "pseudonym"}},
    {"redact drop x_victim to any", 1, 13, {"\"x_victim\"", "a path, as in"}},
    {"redact drop $.id to any", 1, 13, {"\"$.id\"", "does not change", "another property"}},
    {"redact drop $.object_marking_refs[0] to any", 1, 13, {"does not change"}},
    {"redact drop $.granular_markings to any", 1, 13, {"does not change"}},
    {"redact replace identity created_by_ref with \"x\" to any", 1, 25, {"does not change"}},
    {"redact replace $.name to any", 1, 23, {"\"to\"", "with"}},
    {"redact replace $.name with x to any", 1, 28, {"\"x\"", "in quotes"}},
    {"redact mask observables value to any", 1, 13, {"\"observables\"", "a type"}},
    {"redact mask identity name types identity to any", 1, 27, {"\"types\"", "twice"}},
    {"redact prefix ipv4-addr value to any", 1, 31, {"\"to\"", "/1 to /128"}},
    {"redact prefix ipv4-addr value /0 to any", 1, 31, {"\"/0\"", "length"}},
    {"redact prefix ipv4-addr value /24 /129 to any", 1, 35, {"\"/129\"", "length"}},
    {"redact prefix ipv4-addr value /48 /24 to any", 1, 35, {"\"/24\"", "IPv4 stands first"}},
    {"redact coarsen $.x to any", 1, 23, {"\"any\"", "second, minute, hour"}},
    {"redact coarsen $.x to week to any", 1, 23, {"\"week\"", "hour"}},
    {"redact generalise malware to any", 1, 19, {"\"malware\"", "identity"}},
    {"redact drop-reference for any", 1, 23, {"\"for\"", "to"}},
    /* words it does not know, or not there */
    {"permit to any", 1, 1, {"\"permit\"", "unknown word", "release"}},
    {"Release to any", 1, 1, {"\"Release\"", "unknown word", "release"}},
    {"release to any\n  nisc", 2, 3, {"\"nisc\"", "unknown word", "the next statement"}},
    {"release to any except IN except JP", 1, 26, {"\"except\"", "belong", "or the next"}},
    {"accept from any type url except JP", 1, 26, {"\"except\"", "belong", "\",\", a condition"}},
    {"to any", 1, 1, {"\"to\"", "does not belong", "release"}},
    {"release any", 1, 9, {"\"any\"", "does not belong", "to"}},
    {"release", 1, 8, {"the end of the text", "to"}},
    {"release to", 1, 11, {"the end of the text", "any"}},
    {"release to\nrelease to any", 2, 1, {"\"release\"", "any"}},
    {"release to any,", 1, 16, {"the end of the text", "any"}},
    {"release to any,\ndeny to any", 2, 1, {"\"deny\"", "does not belong"}},
    {"release to any except", 1, 22, {"the end of the text", "any"}},
    {"release tlp:green", 1, 18, {"the end of the text", "to"}},
    {"release from any", 1, 9, {"\"from\"", "to"}},
    {"accept to any", 1, 8, {"\"to\"", "from"}},
    {"release to agency JP", 1, 19, {"\"JP\"", "of"}},
    {"release to agency of", 1, 21, {"the end of the text", "two capital letters"}},
    {"release to agency of quad", 1, 22, {"\"quad\"", "two capital letters"}},
    {"release to Quad", 1, 12, {"\"Quad\"", "unknown word", "community"}},
    {"release to \"IN\"", 1, 12, {"the text \"IN\"", "any"}},
    {"release to {", 1, 12, {"\"{\"", "does not belong"}},
    {"release to any }", 1, 16, {"\"}\"", "does not belong"}},
    /* conditions */
    {"release tlp:violet to any", 1, 9, {"\"tlp:violet\"", "Traffic Light", "tlp:amber+strict"}},
    {"release tlp: to any", 1, 9, {"\"tlp:\"", "Traffic Light"}},
    {"release tlp:tlp:red to any", 1, 9, {"\"tlp:tlp:red\"", "Traffic Light"}},
    {"release tlp:none to any", 1, 9, {"\"tlp:none\"", "Traffic Light"}},
    {"release tlp:green, amber to any", 1, 20, {"\"amber\"", "unknown word", "tlp:amber"}},
    {"release green to any", 1, 9, {"\"green\"", "unknown word", "tlp:COLOUR"}},
    {"release tlp:green tlp:red to any", 1, 19, {"twice in one rule", "commas"}},
    {"release type file label \"a\" types url to any", 1, 29, {"\"types\"", "twice"}},
    {"release types incidents to any", 1, 15, {"\"incidents\"", "no such type", "in quotes"}},
    {"release types bundle to any", 1, 15, {"\"bundle\"", "no such type"}},
    {"release types Indicator to any", 1, 15, {"\"Indicator\"", "unknown word", "a type"}},
    {"release types \"No Type\" to any", 1, 15, {"No Type", "a type"}},
    {"release types to any", 1, 15, {"\"to\"", "a type"}},
    {"release types url, to any", 1, 20, {"\"to\"", "a type"}},
    {"deny label national-only to any", 1, 12, {"\"national-only\"", "label in quotes"}},
    {"deny label \"\" to any", 1, 12, {"label in quotes"}},
    {"deny label \"a to any", 1, 12, {"quotes are not closed"}},
    {"deny label \"a\n\" to any", 1, 12, {"quotes are not closed"}},
    {"deny label \"\xff\" to any", 1, 12, {"UTF-8"}},
    {"deny label \xe2\x80\x9cx\xe2\x80\x9d to any", 1, 12, {"\xe2\x80\x9c", "plain ASCII"}},
    {"release to any \x1b[2J", 1, 16, {"a byte 0x1b", "plain ASCII"}},
    {"\xff", 1, 1, {"a byte 0xff", "plain ASCII"}},
    /* declarations */
    {"nation in \"India\" { }", 1, 8, {"\"in\"", "two capital letters"}},
    {"nation IND \"India\" { }", 1, 8, {"\"IND\"", "two capital letters"}},
    {"nation IN { }", 1, 11, {"\"{\"", "name in quotes"}},
    {"nation IN \"India\"", 1, 18, {"the end of the text", "\"{\""}},
    {"nation IN \"India\" { cert-in }", 1, 21, {"\"cert-in\"", "agency"}},
    {"nation IN \"India\" { agency }", 1, 28, {"\"}\"", "organisation"}},
    {"nation IN \"India\" { agency CERT-In }", 1, 28, {"\"CERT-In\"", "lower case"}},
    {"nation IN \"India\" { agency deny }", 1, 28, {"\"deny\"", "does not belong"}},
    {"nation IN \"India\" { agency limit }", 1, 28, {"\"limit\"", "does not belong"}},
    {"nation IN \"India\" { agency a b }", 1, 30, {"\"b\"", "unknown word", "operator"}},
    {"nation IN \"India\" { agency a", 1, 29, {"the end of the text", "\"}\""}},
    {"nation IN \"India\" { agency a, a }", 1, 31, {"\"a\"", "declared twice"}},
    {"nation IN \"India\" { }\nnation IN \"India\" { }", 2, 8, {"\"IN\"", "declared twice"}},
    {"nation IN \"I\" { agency a }\nnation JP \"J\" { operator a }", 2, 26, {"\"a\"", "twice"}},
    {"nation IN \"I\" { agency a }\ncommunity a { IN }", 2, 11, {"\"a\"", "declared twice"}},
    {"community IN { IN }", 1, 11, {"\"IN\"", "lower case"}},
    {"community q { }", 1, 15, {"\"}\"", "two capital letters"}},
    {"community q { IN JP }", 1, 18, {"\"JP\"", "\",\""}},
    {"community q { IN }", 1, 15, {"\"IN\"", "no nation of this code"}},
    {"nation IN \"I\" { }\ncommunity q { IN, IN }", 2, 19, {"\"IN\"", "twice"}},
    /* a rule that names nobody */
    {"release to JP", 1, 12, {"\"JP\"", "no nation of this code"}},
    {"release to any except JP", 1, 23, {"\"JP\"", "no nation of this code"}},
    {"release to nisc", 1, 12, {"\"nisc\"", "no organisation or community"}},
    {"nation IN \"I\" { operator a }\nrelease to agency of IN", 2, 22, {"\"IN\"", "names nobody"}},
    {"nation IN \"I\" { agency a }\nrelease to operator of IN", 2, 24, {"\"IN\"", "names nobody"}},
    {"release to any except any", 1, 23, {"\"any\"", "leaves nobody"}},
    {"nation IN \"I\" { agency a }\nrelease to a except IN", 2, 21, {"\"IN\"", "leaves nobody"}},
};

static void test_errors(void)
{
    char place[64];
    for (size_t i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++) {
        const struct error_row *r = &error_rows[i];
        struct policy *p = NULL;
        struct err e = {0};
        size_t line, column;
        bool ok = policy_parse(str_of(r->text), "p.conf", &p, &e);
        CHECK_ROW(!ok && p == NULL && e.code == ERR_SYNTAX, "%s", r->text);
        if (ok) {
            policy_free(p);
            continue;
        }
        snprintf(place, sizeof place, "p.conf:%u:%u: read ", r->line, r->column);
        CHECK_ROW(str_starts(str_of(e.msg), str_of(place)), "%s: not %s but %s", r->text, place,
                  e.msg);
        str_line_column(str_of(r->text), e.at, &line, &column);
        CHECK_ROW(line == r->line && column == r->column, "%s: at %zu", r->text, e.at);
        CHECK_ROW(holds(str_of(e.msg), "expected "), "%s: %s", r->text, e.msg);
        for (size_t w = 0; w < 3 && r->words[w]; w++)
            CHECK_ROW(holds(str_of(e.msg), r->words[w]), "%s: no %s in %s", r->text, r->words[w],
                      e.msg);
    }
}

/* Declarations may follow the rules that use them; a mark of byte order and CRLF are blanks. */
static void test_accepted(void)
{
    static const char *const texts[] = {
        "",
        "# nothing",
        "\xEF\xBB\xBFrelease to any",
        "release to quad\ncommunity quad { JP }\nnation JP \"\xE6\x97\xA5\xE6\x9C\xAC\" { }\n",
        "nation IN\"India\"{agency a,b operator c agency d}release to IN",
        "nation IN \"India\" { operator c, d\tagency a,\r\n b } # the end",
        "release to any release to any",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        policy_free(parsed(texts[i]));
}

static void test_limits(void)
{
    struct policy *p = NULL;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    for (unsigned i = 0; i <= LIMIT_POLICY_RULES; i++)
        buf_lit(&b, "deny to any\n");
    CHECK(!policy_parse(buf_view(&b), "p", &p, &e) && e.code == ERR_LIMIT);
    b.n -= strlen("deny to any\n");
    CHECK(policy_parse(buf_view(&b), "p", &p, &e));
    policy_free(p);
    for (unsigned last = 0; last < 2;
         last++) { /* LIMIT_POLICY_NAMES with the nation, and one more */
        buf_clear(&b);
        buf_lit(&b, "release to IN nation IN \"I\" { agency a");
        for (unsigned i = 2; i < LIMIT_POLICY_NAMES + last; i++)
            buf_printf(&b, ", a%u", i);
        buf_lit(&b, " }");
        bool ok = policy_parse(buf_view(&b), "p", &p, &e);
        CHECK_ROW(ok == (last == 0) && (ok || e.code == ERR_LIMIT), "%u", last);
        if (ok)
            policy_free(p);
    }
    buf_clear(&b);
    buf_lit(&b, "deny labels \"0\"");
    for (unsigned i = 1; i <= LIMIT_POLICY_NAMES; i++)
        buf_printf(&b, ", \"%u\"", i);
    buf_lit(&b, " to any");
    CHECK(!policy_parse(buf_view(&b), "p", &p, &e) && e.code == ERR_LIMIT);
    buf_clear(&b);
    while (b.n <= LIMIT_POLICY_BYTES)
        buf_lit(&b, "                                                                ");
    CHECK(!policy_parse(buf_view(&b), "p", &p, &e) && e.code == ERR_LIMIT);
    b.n = LIMIT_POLICY_BYTES;
    CHECK(policy_parse(buf_view(&b), "p", &p, &e));
    policy_free(p);
    buf_done(&b);
}

/* ---- warnings ---- */

static const struct warning_row {
    const char *rules;
    unsigned line; /* 0: none */
    const char *words;
} warning_rows[] = {
    {"release to IN\nrelease to JP", 0, ""},
    {"release to IN\nrelease to IN", 7, "line 6"},
    {"release to quad\ndeny to nisc", 7, "line 6"},
    {"release to nisc\ndeny to quad", 0, ""},
    {"release to IN, AU\nrelease to JP\ndeny tlp:red to quad except US", 8, "line 7"},
    {"release tlp:green to IN\nrelease to IN", 0, ""},
    {"release to IN\nrelease tlp:green to IN", 7, "line 6"},
    {"release tlp:green, tlp:clear to IN\ndeny label \"x\" tlp:green to IN", 7, "line 6"},
    {"release types tool, observables to IN\nrelease type tool to IN", 7, "line 6"},
    {"release types tool to IN\nrelease types tool, observables to IN", 0, ""},
    {"release labels \"a\" to IN\nrelease labels \"b\" to IN", 0, ""},
    {"deny to IN\naccept from IN", 0, ""},
    {"refuse from any\naccept from IN", 7, "line 6"},
    {"release tlp:red, tlp:amber+strict to IN", 6, "never releases"},
    {"release tlp:red, tlp:amber to IN", 0, ""},
    {"deny tlp:red to IN", 0, ""},
};

struct heard {
    unsigned count, line;
    char text[200];
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
        snprintf(text, sizeof text, NATIONS "%s", r->rules);
        struct policy_check_options o = {.name = "p", .warn = hear, .ctx = &h};
        bool ok = policy_check(str_of(text), &o, &p, &e);
        CHECK_ROW(ok, "%s: %s", r->rules, e.msg);
        CHECK_ROW(h.count == (r->line != 0) && h.line == r->line && holds(str_of(h.text), r->words),
                  "%s: %u, line %u: %s", r->rules, h.count, h.line, h.text);
        if (ok)
            policy_free(p);
    }
}

/* ---- the policy that init writes, and who is in a policy ---- */

static void test_default(const char *nation, const char *org)
{
    struct buf b, with;
    struct err e = {0};
    buf_init(&b, 0);
    buf_init(&with, 0);
    CHECK(policy_default_text(str_of(nation), STR_NONE, str_of(org), &b, &e));
    buf_byte(&b, 0);
    struct policy *p = parsed(b.p);
    struct str rest = str_of(b.p);
    struct policy_facts f = {
        .type = STR("indicator"), .tlp = CLEAR, .source = party("XX/x"), .home = str_of(nation)};
    struct policy_party home = {str_of(nation), STR("anybody")}, abroad = party("FR/anssi");
    CHECK(p && policy_release_to(p, &f, &home, NULL) == POLICY_RELEASE);
    CHECK(p && policy_release_to(p, &f, &abroad, NULL) == POLICY_DENY);
    CHECK(p && policy_arrival_from(p, &f, str_of(nation), NULL) == POLICY_NO_RULE);
    policy_free(p);
    while (rest.p) { /* its example must be true too */
        struct str line = str_cut(&rest, '\n');
        buf_str(&with, str_starts(line, STR("#   ")) ? str_from(line, 4) : line);
        buf_byte(&with, '\n');
    }
    buf_byte(&with, 0);
    p = parsed(with.p);
    CHECK(p && policy_arrival_from(p, &f, str_of(nation), NULL) == POLICY_REFUSE);
    policy_free(p);
    buf_done(&b);
    buf_done(&with);
}

static void test_default_errors(void)
{
    static const struct {
        const char *nation, *name, *org;
    } rows[] = {
        {"in", "", "a"},    {"", "", "a"},       {"IN", "", ""},        {"IN", "", "A"},
        {"IN", "", "-a"},   {"IN", "a\"b", "a"}, {"IN", "a\nb", "a"},   {"IN", "", "a b"},
        {"IN", "", "hold"}, {"IN", "\xff", "a"}, {"IN", "", "release"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf b;
        struct err e = {0};
        buf_init(&b, 0);
        CHECK_ROW(!policy_default_text(str_of(rows[i].nation), str_of(rows[i].name),
                                       str_of(rows[i].org), &b, &e) &&
                      b.n == 0 && e.code == ERR_INVALID,
                  "row %zu", i);
        buf_done(&b);
    }
}

static void add_party(void *ctx, const struct policy_party *party_, bool operator_)
{
    struct buf *b = ctx;
    buf_printf(b, "%.*s/%.*s%s ", STR_FMT(party_->nation), STR_FMT(party_->org),
               operator_ ? "*" : "");
}

static void test_each_party(void)
{
    struct policy *p = parsed(NATIONS);
    struct buf b;
    buf_init(&b, 0);
    if (p)
        policy_each_party(p, add_party, &b);
    CHECK(str_eq(buf_view(&b), STR("AU/acsc IN/airtel* IN/cert-in IN/nciipc JP/docomo* JP/jpcert "
                                   "JP/kddi* JP/nisc ")));
    policy_free(p);
    buf_done(&b);
}

int main(void)
{
    test_releases();
    test_arrivals();
    test_errors();
    test_accepted();
    test_limits();
    test_warnings();
    test_default("IN", "cert-in");
    test_default("JP", "jpcert");
    test_default_errors();
    test_each_party();
    TEST_END();
}
