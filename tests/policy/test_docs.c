/* docs/POLICY.md and man/setu-policy.5: each policy there can be read, each example is what the
 * program answers, each message is one that it prints. */
#include "copies.h"

static struct policy_party party(const char *text) /* "IN/cert-in" */
{
    struct str org = str_of(text), nation = str_cut(&org, '/');
    return (struct policy_party){nation, org.p ? org : STR_NONE};
}

/* The next text between ``` lines, or STR_NONE. */
static struct str next_block(struct str *doc)
{
    const char *start = NULL;
    while (doc->p) {
        struct str line = str_cut(doc, '\n');
        if (!str_starts(line, STR("```")))
            continue;
        if (start)
            return (struct str){start, (size_t)(line.p - start)};
        start = doc->p;
    }
    return STR_NONE;
}

/* ---- the worked examples ---- */

#define CLEAR STIX_TLP_CLEAR
#define GREEN STIX_TLP_GREEN
#define AMBER STIX_TLP_AMBER
#define RED   STIX_TLP_RED

static const struct doc_row {
    const char *type, *label, *source, *to;
    enum stix_tlp tlp;
    bool subscriber;
    const char *day; /* NULL: 2026-11-25 */
    enum policy_verdict verdict;
    const char *text;
} doc_rows[] = {
    {NULL, NULL, NULL, "AU/acsc", CLEAR, false, NULL, POLICY_RELEASED, "release tlp:clear to any"},
    {NULL, NULL, NULL, "FR/anssi", GREEN, false, NULL, POLICY_DENIED,
     "nations that the policy does not name"},
    {NULL, NULL, NULL, "JP/jpcert", AMBER, false, NULL, POLICY_RELEASED,
     "release tlp:amber types indicator"},
    {NULL, NULL, NULL, "JP/jpcert", AMBER, false, "2027-03-18", POLICY_RELEASED,
     "release tlp:amber types indicator"},
    {NULL, NULL, NULL, "JP/jpcert", AMBER, false, "2027-03-19", POLICY_DENIED, "no rule"},
    {NULL, NULL, NULL, "JP/docomo", AMBER, false, NULL, POLICY_DENIED,
     "no rule releases it to docomo"},
    {"report", NULL, NULL, "JP/jpcert", AMBER, false, NULL, POLICY_DENIED, "no rule"},
    {"incident", NULL, NULL, "JP/jpcert", AMBER, false, NULL, POLICY_HELD,
     "hold tlp:amber types incident to JP for 2 officers"},
    {NULL, "national-only", NULL, "JP/jpcert", CLEAR, false, NULL, POLICY_DENIED, "deny label"},
    {NULL, "national-only", NULL, "IN/airtel", CLEAR, false, NULL, POLICY_RELEASED,
     "release to IN"},
    {NULL, NULL, "JP/jpcert", "IN/airtel", AMBER, false, NULL, POLICY_RELEASED, "release to IN"},
    {NULL, NULL, "JP/jpcert", "AU/acsc", AMBER, false, NULL, POLICY_DENIED, "third nation"},
    {"incident", NULL, "AU/acsc", "JP/jpcert", AMBER, false, NULL, POLICY_DENIED, "third nation"},
    {NULL, NULL, "JP/jpcert", "AU/acsc", GREEN, false, NULL, POLICY_RELEASED,
     "release tlp:green to JP, quad"},
    {NULL, NULL, NULL, "IN/nciipc", RED, false, NULL, POLICY_DENIED, "TLP:RED"},
    {NULL, NULL, NULL, "IN/cert-in", RED, false, NULL, POLICY_RELEASED, "submitted itself"},
    {NULL, NULL, NULL, "AU/acsc", CLEAR, true, NULL, POLICY_DENIED, "cross no border"},
};

static int64_t at_noon(const char *day)
{
    char text[40];
    struct instant t;
    struct err e;
    snprintf(text, sizeof text, "%sT12:00:00Z", day);
    CHECK(instant_parse(str_of(text), &t, &e));
    return instant_us(t);
}

static void check_doc_row(const struct policy *p, size_t i, const struct doc_row *r)
{
    struct json label = {.type = JSON_STRING, .u.s = str_of(r->label ? r->label : "x")};
    struct json labels = {.type = JSON_ARRAY, .count = 1, .u.child = &label};
    struct policy_facts f = {.type = str_of(r->type ? r->type : "indicator"),
                             .tlp = r->tlp,
                             .labels = &labels,
                             .source = party(r->source ? r->source : "IN/cert-in"),
                             .home = STR("IN"),
                             .subscriber = r->subscriber,
                             .now_us = at_noon(r->day ? r->day : "2026-11-25")};
    struct policy_party to = party(r->to);
    struct policy_asked q = {.facts = &f, .to = &to};
    struct policy_answer a = {0};
    struct policy_memo *m = policy_memo_new();
    struct err e = {0};
    bool ok = policy_answer_for(p, m, &q, &a, &e);
    CHECK_ROW(ok && a.verdict == r->verdict && holds(a.rule.text, r->text), "row %zu: %d %.*s", i,
              a.verdict, STR_FMT(a.rule.text));
    CHECK_ROW(a.verdict != POLICY_HELD || (a.group->officers == 2 && a.group->within_hours == 720),
              "row %zu", i);
    policy_memo_free(m);
}

/* ---- redactions before and after ---- */

/* What stands behind the first word of the line. */
static const char *rest_of(struct str line)
{
    size_t n = str_find(line, ' ');
    return arena_cstr(arena, str_trim(str_from(line, n)));
}

/* `…` stands for anything. */
static bool like(struct str text, struct str pattern)
{
    static const char any[] = "\xe2\x80\xa6";
    const char *at = strstr(arena_cstr(arena, pattern), any);
    const char *tail = at ? at + strlen(any) : "";
    size_t n = at ? pattern.n - strlen(tail) - strlen(any) : pattern.n;
    return at ? str_starts(text, str_slice(pattern, 0, n)) && str_ends(text, str_of(tail))
              : str_eq(text, pattern);
}

static enum policy_reference missing(void *ctx, struct str id, struct str *to)
{
    (void)ctx, (void)to;
    return holds(id, "--3") ? POLICY_REFERENCE_GONE : POLICY_REFERENCE_KEPT;
}

/* RULE, TYPE MEMBERS, then `becomes MEMBERS`, `withheld WORDS` or `same`. */
static void check_redaction(struct str block)
{
    struct str rule = str_cut(&block, '\n'), before = str_cut(&block, '\n');
    struct str after = str_cut(&block, '\n');
    const char *type = arena_cstr(arena, str_slice(before, 0, str_find(before, ' ')));
    struct str source = object_of(type, rest_of(before));
    const struct json *object = json_of(source);
    struct policy_copy_options o = options();
    struct policy_copy c = {0};
    struct viewing w;
    struct err e = {0};
    o.reference = missing;
    CHECK_ROW(valid(source), "%.*s", STR_FMT(source));
    if (!object || !open_view(&w, arena_cstr(arena, rule), object, 0))
        return;
    CHECK_ROW(policy_copy_make(w.view, object, source, &o, &c, &e), "%s", e.msg);
    close_view(&w);
    if (str_starts(after, STR("becomes")))
        CHECK_ROW(c.kind == POLICY_COPY_MADE &&
                      like(c.bytes, copy_bytes(type, rest_of(after), c.id)) && valid(c.bytes),
                  "%.*s: %.*s%.*s", STR_FMT(rule), STR_FMT(c.bytes), STR_FMT(c.why));
    else if (str_starts(after, STR("withheld")))
        CHECK_ROW(c.kind == POLICY_COPY_WITHHELD && holds(c.why, rest_of(after)), "%.*s: %.*s",
                  STR_FMT(rule), STR_FMT(c.why));
    else
        CHECK_ROW(str_eq(after, STR("same")) && c.kind == POLICY_COPY_SAME, "%.*s", STR_FMT(rule));
    arena_reset(arena);
}

/* ---- messages ---- */

static const char *const wrong[] = {
    "permit to any",           "release types incidents to any",
    "release to nicc",         "release to any under moc",
    "redact drop $.id to any", "agreement moc \"M\" from 2022-02-30",
};

static void check_messages(struct str block)
{
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct str line = str_cut(&block, '\n');
        struct policy *p = NULL;
        struct err e = {0};
        CHECK(!policy_parse(str_of(wrong[i]), "policy.conf", &p, &e));
        CHECK_ROW(str_eq(line, str_of(e.msg)), "%.*s\n%s", STR_FMT(line), e.msg);
    }
    CHECK(block.n == 0);
}

/* ---- the page ---- */

/* Rules that stand behind the declarations of the page's first policy. */
static void check_rules(struct str declarations, struct str rules)
{
    struct policy *p = NULL;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    buf_str(&b, declarations);
    buf_str(&b, rules);
    CHECK_ROW(policy_parse(buf_view(&b), "POLICY.md", &p, &e), "%s", e.msg);
    policy_free(p);
    buf_done(&b);
}

static void count_warning(void *ctx, unsigned line, struct str message)
{
    fprintf(stderr, "line %u: %.*s\n", line, STR_FMT(message));
    ++*(unsigned *)ctx;
}

static void test_page(struct str doc)
{
    unsigned redactions = 0, policies = 0, messages = 0, warnings = 0;
    struct str rest = doc, first = next_block(&rest), block;
    struct policy *p = NULL;
    struct err e = {0};
    struct policy_check_options o = {.name = "POLICY.md",
                                     .now_us = at_noon("2026-11-25"),
                                     .warn = count_warning,
                                     .ctx = &warnings};
    CHECK_ROW(policy_check(first, &o, &p, &e), "%s", e.msg);
    CHECK(warnings == 0);
    for (size_t i = 0; p && i < sizeof(doc_rows) / sizeof(doc_rows[0]); i++)
        check_doc_row(p, i, &doc_rows[i]);
    policy_free(p);
    size_t declared = 0;
    while (!str_starts(str_from(first, declared), STR("\nagreement")))
        declared++;
    while ((block = next_block(&rest)).p) {
        if (str_starts(block, STR("redact"))) {
            check_redaction(block);
            redactions++;
        } else if (str_starts(block, STR("policy.conf"))) {
            check_messages(block);
            messages++;
        } else if (!str_starts(block, STR("policy "))) { /* not the grammar */
            check_rules(str_slice(first, 0, declared + 1), block);
            policies++;
        }
    }
    CHECK_ROW(redactions == 11 && policies == 5 && messages == 1, "%u %u %u", redactions, policies,
              messages);
}

/* Each word of the language stands in both, as a word of its own. */
static void test_words(struct str doc, struct str man)
{
    static const char words[] =
        "nation community agreement delegate warninglist accept refuse quarantine release deny "
        "hold redact agency operator of any from to except type types observables label labels "
        "creator source confidence older newer where referenced under until for within officer "
        "officers limit unless owner if with than hours days by drop replace mask prefix coarsen "
        "pseudonym drop-reference generalise identity second minute hour day month year";
    struct str rest = str_of(words);
    while (rest.p) {
        struct str word = str_cut(&rest, ' ');
        CHECK_ROW(holds(doc, arena_cstr(arena, word)), "docs: %.*s", STR_FMT(word));
        CHECK_ROW(holds(man, arena_cstr(arena, word)), "man: %.*s", STR_FMT(word));
    }
}

int main(void)
{
    struct str doc = STR_NONE, man = STR_NONE;
    struct err e = {0};
    begin_copies();
    bool ok =
        file_read("docs/POLICY.md", 0, &doc, &e) && file_read("man/setu-policy.5", 0, &man, &e);
    CHECK_ROW(ok, "%s", e.msg);
    if (ok) {
        test_page(doc);
        test_words(doc, man);
    }
    base_free((void *)(uintptr_t)doc.p);
    base_free((void *)(uintptr_t)man.p);
    end_copies();
    TEST_END();
}
