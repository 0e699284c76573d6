/*
 * The page of a review: words of others stand in it as words, numbers as they are counted; and
 * where memory ends, at whatever allocation, it says so or writes the same bytes as ever.
 */
#include "dialogue/dialogue.h"
#include "exchange/node.h"
#include "review/html.h"

#define OBJECT(type, extension, number, members)                                                   \
    "{\"type\":\"" type "\",\"spec_version\":\"2.1\",\"id\":\"" type                               \
    "--00000000-0000-4000-8000-00000000000" number "\",\"created_by_ref\":\"@\","                  \
    "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","          \
    "\"extensions\":{\"extension-definition--" extension                                           \
    "\":{\"extension_type\":\"new-sdo\"}}," members "}"
#define INSTRUMENT                                                                                 \
    OBJECT("dialogue-instrument", "d65c730d-3f0a-4cb8-8482-f020d832f950", "1",                     \
           "\"kind\":\"memorandum\",\"title\":{\"en\":\"MoC\"},\"sides\":[\"JP\",\"IN\"]")
#define ROUND                                                                                      \
    OBJECT("dialogue-round", "067d878a-89ed-45fb-978f-b1905450af5b", "2",                          \
           "\"series\":\"Dialogue\",\"ordinal\":4,\"status\":\"held\",\"date\":\"2026-01-02\","    \
           "\"sides\":[\"IN\",\"JP\"]")
#define COMMITMENT                                                                                 \
    OBJECT("dialogue-commitment", "bdd068e4-1559-4013-a3f4-ae3d22d40a6f", "3",                     \
           "\"text\":{\"en\":\"We <b>share</b>.\"},\"kind\":\"capability\",\"owners\":"            \
           "{\"IN\":[\"MEA\"]},\"round_ref\":"                                                     \
           "\"dialogue-round--00000000-0000-4000-8000-000000000002\"")
#define MEASURE                                                                                    \
    OBJECT("dialogue-measure", "521b801e-6ff1-4740-9d8b-08be221a1dd5", "4",                        \
           "\"commitment_ref\":\"dialogue-commitment--00000000-0000-4000-8000-000000000003\","     \
           "\"query\":\"objects-exchanged\",\"unit\":\"objects\",\"direction\":\"at-least\","      \
           "\"target\":3,\"window_days\":365")
#define ASSESSMENT                                                                                 \
    OBJECT("dialogue-assessment", "4576adaf-29a7-4e50-b5e7-ba887e6815a0", "5",                     \
           "\"commitment_ref\":\"dialogue-commitment--00000000-0000-4000-8000-000000000003\","     \
           "\"side\":\"IN\",\"assessed\":\"2026-01-03T00:00:00Z\",\"state\":\"on-track\"")

static const char *page_of(const char *text)
{
    static char out[400];
    struct buf b;
    buf_init(&b, 0);
    html_text(&b, str_of(text));
    snprintf(out, sizeof out, "%.*s", STR_FMT(buf_view(&b)));
    buf_done(&b);
    return out;
}

static void test_text(void)
{
    static const struct {
        const char *text, *page;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"<a href=\"x\" title='y'>&amp;",
         "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;"},
        {"約束 वचन", "約束 वचन"},
        {"a\tb\nc", "a\tb\nc"},
        {"\x01\x1B[31m\x7F", "\xEF\xBF\xBD\xEF\xBF\xBD[31m\xEF\xBF\xBD"},
        {"\xC2\x85x\xC2\xA0", "\xEF\xBF\xBDx\xC2\xA0"},
        {"\xE2\x80\xAE!\xE2\x81\xA9\xD8\x9C\xE2\x80\x8F",
         "\xEF\xBF\xBD!\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xE2\x80\x94", "\xE2\x80\x94"},
        {"broken \xFF", "\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_TEXT(page_of(rows[i].text), rows[i].page, "row %zu: %s", i, page_of(rows[i].text));
}

static void test_languages(void)
{
    static const char *const rows[][2] = {
        {"en", "en"},   {"zh-Hant-TW", "zh-Hant-TW"}, {"", "und"}, {"e\"n", "und"},
        {"1en", "und"}, {"en onload=x", "und"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;
        buf_init(&b, 0);
        html_lang(&b, str_of(rows[i][0]));
        CHECK_ROW(str_eq(buf_view(&b), str_of(rows[i][1])), "%s", rows[i][0]);
        buf_done(&b);
    }
}

static void test_words(void)
{
    static const struct {
        int64_t seconds;
        const char *words;
    } rows[] = {{0, "0 s"},         {59, "59 s"},        {3600, "1 h"},      {3661, "1 h 1 min"},
                {86405, "1 d 5 s"}, {200000, "2 d 7 h"}, {31536000, "365 d"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;
        buf_init(&b, 0);
        words_seconds(&b, rows[i].seconds);
        CHECK_ROW(str_eq(buf_view(&b), str_of(rows[i].words)), "%lld: %.*s",
                  (long long)rows[i].seconds, STR_FMT(buf_view(&b)));
        buf_done(&b);
    }
}

/* ---- a review, with and without memory ---- */

/* Both forms, one behind the other. */
static bool write_review(struct node *n, struct buf *out, struct err *e)
{
    struct review_options o = {
        .round = 4,
        .asked = {.partner = {STR("JP"), STR("jpcert")}, .as_of_us = INT64_C(1780000000000000)}};
    struct arena *a = arena_new(64 << 20);
    const struct review *r;
    if (!a)
        return err_set(e, ERR_MEMORY, "no arena");
    bool ok = review_make(n->s, a, &o, &r, e) && review_json(r, out, e) && review_html(r, out, e);
    arena_free(a);
    return ok;
}

/* `form` with the node's identity in the place of the one @. */
static void say(struct node *n, const char *form)
{
    struct err e = {0};
    size_t refused = 1;
    struct str before = str_of(form), identity = person(n, 'a')->identity;
    struct str behind = str_from(before, str_find(before, '@') + 1);
    before = str_slice(before, 0, str_find(before, '@'));
    struct str text =
        arena_printf(n->arena, "%.*s%.*s%.*s", STR_FMT(before), STR_FMT(identity), STR_FMT(behind));
    struct exchange_saying d = {.who = person(n, 'a'), .collection = &n->c, .objects = text};
    CHECK_ROW(exchange_dialogue_add(n->s, &d, &refused, &e) && refused == 0, "%s", e.msg);
}

static void test_review(struct node *n)
{
    struct buf whole;
    struct err e = {0};
    buf_init(&whole, 0);
    say(n, INSTRUMENT);
    CHECK(!write_review(n, &whole, &e) && e.code == ERR_NOT_FOUND && strstr(e.msg, "round 4"));
    say(n, ROUND);
    say(n, COMMITMENT);
    say(n, MEASURE);
    say(n, ASSESSMENT);
    for (int i = 0; i < 7; i++)
        CHECK_TEXT(submit(n, 'a', &n->c, indicator(i, 1, marked(STIX_TLP_GREEN)), false),
                   "accepted", "%d", i);
    CHECK_ROW(write_review(n, &whole, &e) && buf_ok(&whole, &e), "%s", e.msg);
    buf_byte(&whole, '\0');
    const char *text = buf_ok(&whole, &e) ? whole.p : "";
    CHECK(strstr(text, "\"state\":\"on-track\"") && strstr(text, "&lt;b&gt;share") &&
          !strstr(text, "<b>share</b>.</p>"));
    CHECK(strstr(text, "<th scope=\"col\">JP (jpcert)</th><th scope=\"col\">IN (cert-in)</th>"));
    CHECK(strstr(text, "198.51.100.7") == NULL);
    long k = 1;
    for (bool done = false; !done && k < 20000; k++) {
        struct buf b;
        buf_init(&b, 0);
        base_fail_allocation(k, false);
        bool ok = write_review(n, &b, &e);
        bool struck = base_fail_allocation(0, false);
        CHECK_ROW(ok || (struck && e.code == ERR_MEMORY && e.msg[0]), "%ld: %s: %s", k,
                  err_name(e.code), e.msg);
        CHECK_ROW(!ok || (b.n + 1 == whole.n && memcmp(b.p, whole.p, b.n) == 0), "%ld", k);
        buf_done(&b);
        done = ok && !struck;
    }
    CHECK_ROW(k > 50 && k < 20000, "%ld", k);
    buf_done(&whole);
}

int main(void)
{
    struct node n;
    test_text();
    test_languages();
    test_words();
    folder_make("page");
    node_make(&n, "node",
              "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"
              "nation JP \"Japan\" { agency jpcert operator docomo }\n"
              "nation US \"United States\" { agency cisa }\n"
              "release to IN\nrelease to JP\n");
    test_review(&n);
    node_done(&n);
    folder_remove();
    TEST_END();
}
