/* Objects of the dialogue: what is built passes its schema and the check of STIX; what is spoilt
 * does not. The reference data that the program carries holds together. */
#include "test.h"

#include "crypt/crypt.h"
#include "dialogue/dialogue.h"
#include "stix/stix.h"

#define IDENTITY "identity--7865b6d2-a4af-45c5-b582-afe5ec376c33"
#define OTHER    "identity--a0c6a1f4-9d5a-4e38-9d0a-57f4be04d8a1"
#define SUBJECT  "indicator--d004ade4-ccde-4fac-9ae3-46e3014e5e45"
#define GREEN    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"

static struct json_reader *reader;
static struct arena *arena;
static const struct dialogue_rules *rules;

static char last[512];

static void keep(void *ctx, size_t at, struct str path, struct str message)
{
    (void)ctx;
    (void)at;
    snprintf(last, sizeof last, "%.*s: %.*s", STR_FMT(path), STR_FMT(message));
}

static void keep_stix(void *ctx, const struct stix_finding *f)
{
    (void)ctx;
    snprintf(last, sizeof last, "%.*s: %s: %.*s", STR_FMT(f->path), f->rule, STR_FMT(f->message));
}

static const struct json *parse(struct str text)
{
    const struct json *v = NULL;
    struct err e;
    CHECK_ROW(json_parse(reader, arena, text, false, &v, &e), "%s", e.msg);
    return v;
}

static void check_as(const char *what, struct str text, bool strict)
{
    const struct json *v = parse(text);
    struct stix_check_options o = {.strict = strict};
    if (!v)
        return;
    last[0] = '\0';
    CHECK_ROW(dialogue_object_check(rules, v, keep, NULL) == 0, "%s: %s", what, last);
    CHECK_ROW(stix_object_check(v, &o, keep_stix, NULL) == 0, "%s: %s", what, last);
}

static void check_good(const char *what, struct str text)
{
    check_as(what, text, true);
}

/* ---- what is built ---- */

static const struct dialogue_author author = {
    .identity = {IDENTITY, sizeof IDENTITY - 1},
    .marking = {GREEN, sizeof GREEN - 1},
    .now_us = 1772928000000000,
};

static void test_build(void)
{
    const struct str subjects[] = {STR(SUBJECT)};
    struct dialogue_request q = {.kind = STR("takedown"),
                                 .summary = STR("A C2 server at an operator of yours"),
                                 .to_ref = STR(OTHER),
                                 .urgency = STR("urgent"),
                                 .subject_refs = subjects,
                                 .subject_count = 1,
                                 .acknowledge_by_us = author.now_us + 21600000000,
                                 .answer_by_us = author.now_us + 259200000000};
    struct dialogue_move m = {.request_ref = STR("assistance-request--"
                                                 "7865b6d2-a4af-45c5-b582-afe5ec376c33"),
                              .event = DIALOGUE_MOVES,
                              .from = DIALOGUE_SENT,
                              .to = DIALOGUE_ACKNOWLEDGED,
                              .at_us = author.now_us};
    struct buf b;
    buf_init(&b, 0);
    dialogue_request_put(&author, &q, &b);
    check_good("request", buf_view(&b));
    buf_clear(&b);
    dialogue_move_put(&author, &m, &b);
    check_good("move", buf_view(&b));
    m.to = DIALOGUE_DECLINED;
    m.reason_code = STR("legal");
    m.reason = STR("The subject is before a court");
    buf_clear(&b);
    dialogue_move_put(&author, &m, &b);
    check_good("declined", buf_view(&b));
    m.event = DIALOGUE_PAUSES;
    m.reason_code = STR("awaiting-requester");
    buf_clear(&b);
    dialogue_move_put(&author, &m, &b);
    check_good("pause", buf_view(&b));
    buf_done(&b);
}

/* What is written is what is read. */
static void test_move_read(void)
{
    struct dialogue_move m = {.request_ref = STR("assistance-request--"
                                                 "7865b6d2-a4af-45c5-b582-afe5ec376c33"),
                              .event = DIALOGUE_MOVES,
                              .from = DIALOGUE_ACKNOWLEDGED,
                              .to = DIALOGUE_REFERRED,
                              .reason_code = STR("capacity"),
                              .reason = STR("The operator's own team is nearer"),
                              .referred_to_ref = STR(OTHER),
                              .text = STR("see the thread"),
                              .at_us = author.now_us - 5000000},
                         got;
    struct buf b;
    buf_init(&b, 0);
    dialogue_move_put(&author, &m, &b);
    check_good("referral", buf_view(&b));
    dialogue_move_read(parse(buf_view(&b)), &got);
    CHECK(str_eq(got.request_ref, m.request_ref) && got.event == m.event && got.from == m.from &&
          got.to == m.to && str_eq(got.reason_code, m.reason_code) && str_eq(got.reason, m.reason));
    CHECK(str_eq(got.referred_to_ref, m.referred_to_ref) && str_eq(got.text, m.text) &&
          got.at_us == m.at_us && !got.contact_ref.n && !got.reply_to_ref.n);
    buf_done(&b);
}

/* ---- made from members ---- */

static const struct {
    const char *given, *error; /* error: part of the message, NULL when it is made */
} given_rows[] = {
    {"{\"kind\":\"memorandum\",\"title\":{\"en\":\"M\"},\"sides\":[\"IN\",\"JP\"]}", NULL},
    {"{\"kind\":\"memorandum\",\"title\":{\"en\":\"M\"},\"sides\":[\"IN\",\"JP\"],\"exercise\":"
     "true,"
     "\"signed\":null}",
     NULL},
    {"{\"id\":\"x\"}", "`id` is not for the members"},
    {"{\"created\":\"2026-01-01T00:00:00.000Z\"}", "`created` is not"},
    {"{\"created_by_ref\":\"" OTHER "\"}", "`created_by_ref` is not"},
    {"{\"modified\":1}", "`modified` is not"},
    {"{\"type\":\"x\"}", "`type` is not"},
    {"{\"extensions\":{}}", "`extensions` is not"},
    {"{}", "no members"},
    {"[]", "no JSON object"},
};

static void test_given(void)
{
    for (size_t i = 0; i < sizeof given_rows / sizeof given_rows[0]; i++) {
        struct dialogue_making m = {DIALOGUE_INSTRUMENT, NULL, parse(str_of(given_rows[i].given))};
        struct err e = {0};
        struct buf b;
        buf_init(&b, 0);
        bool made = dialogue_object_put(&author, &m, &b, &e);
        CHECK_ROW(made == !given_rows[i].error, "row %zu: %s", i, e.msg);
        if (made)
            check_good("given", buf_view(&b));
        else if (given_rows[i].error)
            CHECK_ROW(strstr(e.msg, given_rows[i].error), "row %zu: %s", i, e.msg);
        buf_done(&b);
    }
}

/* A later version keeps id and created, has a later modified also within one millisecond, and
 * members that were set, taken away or left. */
static void test_revised(void)
{
    struct dialogue_making m = {
        DIALOGUE_INSTRUMENT, NULL,
        parse(STR("{\"kind\":\"memorandum\",\"title\":{\"en\":\"M\"},\"sides\":[\"IN\",\"JP\"],"
                  "\"signed\":\"2022-03-19\"}"))};
    struct err e;
    struct buf b, c;
    buf_init(&b, 0);
    buf_init(&c, 0);
    CHECK(dialogue_object_put(&author, &m, &b, &e));
    m.base = parse(buf_view(&b));
    m.given = parse(STR("{\"signed\":null,\"in_force_from\":\"2022-04-01\"}"));
    CHECK(dialogue_object_put(&author, &m, &c, &e));
    check_good("revised", buf_view(&c));
    const struct json *v = parse(buf_view(&c));
    CHECK(str_eq(json_get_str(v, STR("id")), json_get_str(m.base, STR("id"))));
    CHECK(str_eq(json_get_str(v, STR("created")), json_get_str(m.base, STR("created"))));
    CHECK(str_cmp(json_get_str(v, STR("modified")), json_get_str(m.base, STR("modified"))) > 0);
    CHECK(!json_get(v, STR("signed")) && json_get(v, STR("in_force_from")) &&
          str_eq(json_get_str(v, STR("kind")), STR("memorandum")));
    buf_done(&c);
    buf_done(&b);
}

/* The record as objects: every one is sound, the same for one identity, others for another. */
static void test_record(void)
{
    struct buf b, again;
    struct err e;
    size_t rounds = 0;
    buf_init(&b, 0);
    buf_init(&again, 0);
    CHECK(dialogue_record_put(arena, reader, STR("india-japan"), author.identity, &b, &e));
    CHECK(dialogue_record_put(arena, reader, STR("india-japan"), author.identity, &again, &e));
    CHECK(str_eq(buf_view(&b), buf_view(&again)));
    const struct json *list = parse(buf_view(&b));
    CHECK(list->count == 6);
    for (const struct json *v = list->u.child; v; v = v->next) {
        const struct json *n = json_get(v, STR("ordinal"));
        check_as("record", json_source(buf_view(&b), v), false); /* no hash of a page is known */
        CHECK(json_get(v, STR("external_references")));
        rounds += json_is(n, JSON_INTEGER);
        if (json_is(n, JSON_INTEGER) && n->u.i == 4)
            CHECK(str_eq(json_get_str(v, STR("date")), STR("2022-06-30")));
    }
    CHECK(rounds == 5);
    buf_clear(&again);
    CHECK(dialogue_record_put(arena, reader, STR("india-japan"), STR(OTHER), &again, &e));
    const struct json *theirs = parse(buf_view(&again));
    CHECK(
        !str_eq(json_get_str(theirs->u.child, STR("id")), json_get_str(list->u.child, STR("id"))));
    CHECK(!dialogue_record_put(arena, reader, STR("india-france"), author.identity, &b, &e) &&
          e.code == ERR_NOT_FOUND);
    buf_done(&again);
    buf_done(&b);
}

static void round_of(const char *file)
{
    const struct dialogue_draft *d;
    struct str text;
    struct err e;
    struct buf b;
    if (!file_read(file, 0, &text, &e)) {
        CHECK_ROW(false, "%s", e.msg);
        return;
    }
    buf_init(&b, 0);
    CHECK(dialogue_read(arena, reader, text, &d, &e) && dialogue_round_put(&author, d, &b));
    check_good(file, buf_view(&b));
    CHECK(dialogue_read(arena, reader, STR("Nothing."), &d, &e) &&
          !dialogue_round_put(&author, d, &b));
    buf_done(&b);
    base_free((void *)(uintptr_t)text.p);
}

static void test_round(void)
{
    round_of("tests/golden/dialogue/founding.txt");
    round_of("tests/golden/dialogue/in-us-4.txt");
    round_of("tests/golden/dialogue/jp-kr-cn-3.txt");
    round_of("tests/golden/dialogue/in-nl-1.txt");
}

/* ---- what is written by hand, and spoilt ---- */

#define HEAD(type, extension)                                                                      \
    "{\"type\":\"" type "\",\"spec_version\":\"2.1\",\"id\":\"" type                               \
    "--7865b6d2-a4af-45c5-b582-afe5ec376c33\",\"created_by_ref\":\"" IDENTITY                      \
    "\",\"created\":\"2026-03-08T00:00:00.000Z\",\"modified\":\"2026-03-08T00:00:00.000Z\","       \
    "\"extensions\":{\"extension-definition--" extension "\":{\"extension_type\":\"new-sdo\"}},"
#define MOVE        HEAD("assistance-move", "a169360f-c199-42d1-abca-bd5f064ca653")
#define CONTACT     HEAD("contact-point", "6084afa5-c683-419c-9f2b-3f688f6f6d6d")
#define INSTRUMENT  HEAD("dialogue-instrument", "d65c730d-3f0a-4cb8-8482-f020d832f950")
#define ROUND       HEAD("dialogue-round", "067d878a-89ed-45fb-978f-b1905450af5b")
#define COMMITMENT  HEAD("dialogue-commitment", "bdd068e4-1559-4013-a3f4-ae3d22d40a6f")
#define MEASURE     HEAD("dialogue-measure", "521b801e-6ff1-4740-9d8b-08be221a1dd5")
#define ASSESSMENT  HEAD("dialogue-assessment", "4576adaf-29a7-4e50-b5e7-ba887e6815a0")
#define A_REF(type) type "--7865b6d2-a4af-45c5-b582-afe5ec376c33"
#define REQUEST_REF "\"request_ref\":\"" A_REF("assistance-request") "\","
#define ROUND_REF   "\"round_ref\":\"" A_REF("dialogue-round") "\","
#define OF_PROMISE  "\"commitment_ref\":\"" A_REF("dialogue-commitment") "\","

static const struct row {
    const char *text;
    const char *finding; /* a part of it; NULL: good */
} rows[] = {
    {CONTACT "\"organisation_ref\":\"" IDENTITY "\",\"nation\":\"JP\",\"role\":\"technical\","
             "\"name\":\"NISC operations\",\"languages\":[\"ja\",\"en\"],"
             "\"valid_from\":\"2015-01-09T00:00:00.000Z\","
             "\"valid_until\":\"2025-07-01T00:00:00.000Z\",\"successor_ref\":"
             "\"contact-point--0d8f2d3c-5d2b-4cde-8f6e-0f3f6b1f9d11\"}",
     NULL},
    {CONTACT "\"organisation_ref\":\"" IDENTITY "\",\"nation\":\"JP\",\"role\":\"technical\","
             "\"name\":\"x\",\"valid_from\":\"2025-01-09T00:00:00.000Z\","
             "\"valid_until\":\"2015-07-01T00:00:00.000Z\"}",
     "`valid_until` is before `valid_from`"},
    {CONTACT "\"organisation_ref\":\"" IDENTITY "\",\"nation\":\"Japan\",\"role\":\"other\","
             "\"name\":\"x\",\"valid_from\":\"2025-01-09T00:00:00.000Z\"}",
     "$.role: is none of the words"},
    {INSTRUMENT "\"kind\":\"memorandum\",\"title\":{\"en\":\"Memorandum of Cooperation\"},"
                "\"sides\":[\"IN\",\"JP\"],\"signed\":\"2022-03-19\"}",
     NULL},
    {INSTRUMENT "\"kind\":\"memorandum\",\"title\":{},\"sides\":[\"IN\",\"JP\"]}",
     "$.title: has 0 members"},
    {INSTRUMENT "\"kind\":\"memorandum\",\"title\":{\"en\":\"x\"},\"sides\":[\"IN\",\"IN\"]}",
     "stands there twice"},
    {INSTRUMENT "\"kind\":\"memorandum\",\"title\":{\"en\":\"x\"},\"sides\":[\"IN\"]}",
     "at least 2 are needed"},
    {INSTRUMENT "\"kind\":\"memorandum\",\"title\":{\"en\":\"x\"},\"sides\":[\"IN\",\"JP\"],"
                "\"signed\":\"2022-02-30\"}",
     "$.signed: is no date"},
    {ROUND "\"series\":\"S\",\"sides\":[\"IN\",\"JP\"],\"host\":\"US\"}", "none of the sides"},
    {ROUND
     "\"series\":\"S\",\"sides\":[\"IN\",\"JP\"],\"heads\":[{\"side\":\"US\",\"name\":\"x\"}]}",
     "a head leads none of the sides"},
    {ROUND "\"series\":\"S\",\"sides\":[\"IN\",\"JP\"],\"date\":\"2023-09-15\","
           "\"date_end\":\"2023-09-14\"}",
     "`date_end` is before `date`"},
    {ROUND "\"series\":\"S\",\"sides\":[\"IN\",\"JP\"],\"ordinal\":0}", "is less than 1"},
    {ROUND "\"series\":\"S\",\"sides\":[\"IN\",\"JP\"],\"ordinals\":4}", "is no member"},
    {ROUND "\"series\":7,\"sides\":[\"IN\",\"JP\"]}", "is integer where string is needed"},
    {COMMITMENT ROUND_REF "\"text\":{\"en\":\"Both sides will exercise together\"},"
                          "\"kind\":\"dated\",\"due\":\"2027-03-31\",\"owners\":{\"IN\":"
                          "[\"CERT-In\"],\"JP\":[\"NCO\"]},\"norms\":[\"a\",\"h\"]}",
     NULL},
    {COMMITMENT ROUND_REF "\"text\":{\"en\":\"x\"},\"kind\":\"dated\",\"owners\":{}}",
     "a dated commitment needs `due`"},
    {COMMITMENT ROUND_REF "\"text\":{\"en\":\"x\"},\"kind\":\"recurring\",\"owners\":{}}",
     "needs `every_months`"},
    {COMMITMENT "\"text\":{\"en\":\"x\"},\"kind\":\"declaratory\",\"owners\":{}}", "`round_ref`"},
    {COMMITMENT ROUND_REF "\"text\":{\"en\":\"x\"},\"kind\":\"declaratory\",\"owners\":{},"
                          "\"norms\":[\"m\"]}",
     "$.norms[0]: is none of the words"},
    {MEASURE OF_PROMISE "\"query\":\"request-time-to-acknowledge\",\"unit\":\"seconds\","
                        "\"direction\":\"at-most\",\"target\":21600,\"window_days\":365}",
     NULL},
    {MEASURE OF_PROMISE "\"query\":\"goodwill\",\"unit\":\"seconds\",\"direction\":\"at-most\","
                        "\"window_days\":365}",
     "$.query: is none of the words"},
    {ASSESSMENT OF_PROMISE "\"side\":\"IN\",\"assessed\":\"2026-03-08T00:00:00.000Z\","
                           "\"state\":\"on-track\",\"text\":{\"en\":\"Half of it is done\"}}",
     NULL},
    {ASSESSMENT OF_PROMISE "\"side\":\"IN\",\"assessed\":\"yesterday\",\"state\":\"met\"}",
     "$.assessed: "},
    {MOVE REQUEST_REF "\"event\":\"move\",\"from_state\":\"draft\",\"to_state\":\"answered\","
                      "\"occurred\":\"2026-03-08T00:00:00.000Z\",\"exercise\":false}",
     "does not go from draft to answered"},
    {MOVE REQUEST_REF "\"event\":\"move\",\"from_state\":\"sent\",\"to_state\":\"declined\","
                      "\"occurred\":\"2026-03-08T00:00:00.000Z\",\"exercise\":false}",
     "declined needs `reason_code`"},
    {MOVE REQUEST_REF
     "\"event\":\"move\",\"from_state\":\"sent\",\"to_state\":\"referred\",\"reason_code\":"
     "\"other\",\"occurred\":\"2026-03-08T00:00:00.000Z\",\"exercise\":false}",
     "needs `referred_to_ref`"},
    {MOVE REQUEST_REF
     "\"event\":\"pause\",\"occurred\":\"2026-03-08T00:00:00.000Z\",\"exercise\":true}",
     "a pause needs `reason_code`"},
    {MOVE REQUEST_REF "\"event\":\"resume\",\"occurred\":\"2026-03-08T00:00:00.000Z\"}",
     "needs `exercise`"},
    {MOVE REQUEST_REF "\"event\":\"note\",\"text\":\"Seen again\",\"occurred\":"
                      "\"2026-03-08T00:00:00.000Z\",\"exercise\":false}",
     NULL},
    {MOVE REQUEST_REF
     "\"event\":\"note\",\"occurred\":\"2026-03-08T00:00:00.000Z\",\"exercise\":true}",
     "a note needs `text`"},
    {"{\"type\":\"indicator\"}", "no object of the dialogue"},
    {"[]", "no object of the dialogue"},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].finding) {
            check_good("row", str_of(rows[i].text));
            continue;
        }
        const struct json *v = parse(str_of(rows[i].text));
        last[0] = '\0';
        size_t n = v ? dialogue_object_check(rules, v, keep, NULL) : 0;
        CHECK_ROW(n > 0 && strstr(last, rows[i].finding), "row %zu: %zu: %s", i, n, last);
    }
}

/* ---- reference data ---- */

static void test_extensions(void)
{
    const struct json *doc = parse(dialogue_reference(DIALOGUE_REFERENCE_EXTENSIONS));
    struct stix_check_options o = {.strict = true};
    size_t found = 0;
    CHECK_ROW(stix_document_check(doc, &o, keep_stix, NULL) == 0, "%s", last);
    for (const struct json *v = json_get(doc, STR("objects"))->u.child; v; v = v->next) {
        enum dialogue_type type;
        if (!dialogue_type_of(json_get_str(v, STR("name")), &type))
            continue;
        found++;
        CHECK(str_eq(json_get_str(v, STR("id")), str_of(dialogue_extension_id(type))));
        const struct json *schema = parse(dialogue_schema(type));
        CHECK(str_eq(json_get_str(schema, STR("title")), str_of(dialogue_type_name(type))));
    }
    CHECK(found == DIALOGUE_TYPE_COUNT);
}

/* Every measure that norms.json names is one that a dialogue-measure may have. */
static void check_measures(const struct json *item)
{
    const struct json *schema = parse(dialogue_schema(DIALOGUE_MEASURE));
    const struct json *known =
        json_get(json_get(json_get(schema, STR("properties")), STR("query")), STR("enum"));
    for (const struct json *m = json_get(item, STR("measures"))->u.child; m; m = m->next) {
        bool there = false;
        for (const struct json *k = known->u.child; k; k = k->next)
            there |= str_eq(k->u.s, m->u.s);
        CHECK_ROW(there, "%.*s", STR_FMT(m->u.s));
    }
}

static void test_norms(void)
{
    const struct json *doc = parse(dialogue_reference(DIALOGUE_REFERENCE_NORMS));
    const struct json *norms = json_get(json_get(doc, STR("norms")), STR("items"));
    const struct json *cbms = json_get(json_get(doc, STR("cbms")), STR("items"));
    char letter = 'a';
    CHECK(norms->count == 11 && cbms->count == 16);
    for (const struct json *n = norms->u.child; n; n = n->next, letter++) {
        struct str id = json_get_str(n, STR("id"));
        bool declaratory = json_is(json_get(n, STR("declaratory")), JSON_TRUE);
        CHECK(id.n == 1 && id.p[0] == letter);
        CHECK(declaratory == (letter == 'f' || letter == 'k'));
        CHECK(declaratory == (json_get(n, STR("measures"))->count == 0));
        CHECK(dialogue_norm_computable(id) == !declaratory);
        check_measures(n);
    }
    for (const struct json *c = cbms->u.child; c; c = c->next) {
        check_measures(c);
        for (const struct json *n = json_get(c, STR("norms"))->u.child; n; n = n->next)
            CHECK(dialogue_norm_computable(n->u.s));
    }
    CHECK(!dialogue_norm_computable(STR("l")) && !dialogue_norm_computable(STR("")));
}

/* Every fact of the register has a value or null, and sources that are listed. */
static void check_facts(const struct json *v, const struct json *sources, size_t *facts)
{
    const struct json *value = json_get(v, STR("value")), *ids = json_get(v, STR("sources"));
    if (v->type == JSON_OBJECT && value) {
        ++*facts;
        CHECK(json_is(value, JSON_NULL) ? ids->count == 0 : ids->count > 0);
    }
    for (const struct json *s = json_is(ids, JSON_ARRAY) ? ids->u.child : NULL; s; s = s->next) {
        const struct json *source = json_get(sources, s->u.s);
        CHECK_ROW(json_get_str(source, STR("url")).n > 0, "%.*s", STR_FMT(s->u.s));
    }
    if (v->type == JSON_OBJECT || v->type == JSON_ARRAY)
        for (const struct json *m = v->u.child; m; m = m->next)
            check_facts(m, sources, facts);
}

static void test_register(void)
{
    const struct json *doc = parse(dialogue_reference(DIALOGUE_REFERENCE_INDIA_JAPAN));
    size_t facts = 0;
    CHECK(json_get(doc, STR("rounds"))->count == 5);
    check_facts(json_get(doc, STR("rounds")), json_get(doc, STR("sources")), &facts);
    check_facts(json_get(doc, STR("instruments")), json_get(doc, STR("sources")), &facts);
    CHECK(facts >= 40);
}

static void test_clock_data(void)
{
    const struct json *doc = parse(dialogue_reference(DIALOGUE_REFERENCE_CLOCKS));
    char shown[DIALOGUE_LOCAL_BYTES];
    struct err e;
    size_t law = 0;
    for (const struct json *c = json_get(doc, STR("clocks"))->u.child; c; c = c->next) {
        bool of_law = json_is(json_get(c, STR("instrument")), JSON_STRING);
        const struct json *seconds = json_get(c, STR("seconds"));
        CHECK(json_is(seconds, JSON_INTEGER) && seconds->u.i > 0);
        CHECK(!of_law || json_is(json_get(c, STR("pausable")), JSON_FALSE));
        CHECK(of_law == json_is(json_get(c, STR("source")), JSON_STRING));
        law += of_law;
    }
    CHECK(law == 3);
    for (const struct json *z = json_get(doc, STR("zones"))->u.child; z; z = z->next)
        if (file_exists("/usr/share/zoneinfo/Europe/London"))
            CHECK_ROW(dialogue_local(0, z->u.s, shown, &e), "%s", e.msg);
}

int main(void)
{
    struct err e;
    reader = json_reader_new();
    arena = arena_new((size_t)1 << 30);
    CHECK(crypt_init(&e) && dialogue_rules_load(arena, reader, &rules, &e));
    if (!rules) {
        TEST_END();
    }
    test_build();
    test_move_read();
    test_given();
    test_revised();
    test_record();
    test_round();
    test_rows();
    test_extensions();
    test_norms();
    test_register();
    test_clock_data();
    arena_free(arena);
    json_reader_free(reader);
    TEST_END();
}
