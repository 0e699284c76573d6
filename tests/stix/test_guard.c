/* The guard of subscribers: every form in every coding is found, and what only looks like one is
 * not. */
#include "test.h"

#include "json/json.h"
#include "stix/stix.h"

static struct stix_guard *home;

static bool finds(const char *text)
{
    return stix_guard_find(home, str_of(text), NULL);
}

/* ---- codings ---- */

enum coding { PLAIN, HEX, HEX_COLONS, BASE64, ESCAPED, CODINGS };

static void put_base64(struct buf *b, struct str s)
{
    static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.n; i += 3) {
        size_t left = s.n - i;
        uint32_t v = (uint32_t)(unsigned char)s.p[i] << 16;
        v |= left > 1 ? (uint32_t)(unsigned char)s.p[i + 1] << 8 : 0;
        v |= left > 2 ? (uint32_t)(unsigned char)s.p[i + 2] : 0;
        for (unsigned k = 0; k < 4; k++)
            buf_byte(b, k > left ? '=' : signs[v >> (18 - 6 * k) & 63]);
    }
}

static void put_coded(struct buf *b, enum coding coding, struct str s)
{
    switch (coding) {
    case PLAIN:
        buf_str(b, s);
        return;
    case HEX:
        buf_hex(b, s.p, s.n);
        return;
    case HEX_COLONS:
        for (size_t i = 0; i < s.n; i++) {
            buf_lit(b, i ? ":" : "");
            buf_hex(b, s.p + i, 1);
        }
        return;
    case BASE64:
        put_base64(b, s);
        return;
    case ESCAPED:
        for (size_t i = 0; i < s.n; i++)
            buf_printf(b, "\\u%04x", (unsigned char)s.p[i]);
        return;
    case CODINGS:
        return;
    }
}

/* TS 29.002 §17.7.8: the low half first, 15 behind an odd number. */
static void put_tbcd(struct buf *b, struct str digits)
{
    for (size_t i = 0; i < digits.n; i += 2) {
        unsigned low = (unsigned)(digits.p[i] - '0');
        unsigned high = i + 1 < digits.n ? (unsigned)(digits.p[i + 1] - '0') : 15;
        buf_byte(b, (char)(high << 4 | low));
    }
}

/* In the middle of a value of an object. */
static void put_object(struct buf *b, enum coding coding, struct str before, struct str s)
{
    buf_lit(b, "{\"type\":\"artifact\",\"payload_bin\":\"");
    struct buf whole;
    buf_init(&whole, 0);
    if (coding == BASE64) {
        buf_str(&whole, before);
        buf_str(&whole, s);
        put_coded(b, coding, buf_view(&whole));
    } else {
        put_coded(b, coding, s);
    }
    buf_done(&whole);
    buf_lit(b, "\",\"mime_type\":\"x\"}");
}

static void check_coding(const char *what, struct str form, enum coding coding, const char *before)
{
    struct stix_guard_found found = {0};
    struct buf b;
    buf_init(&b, 0);
    put_object(&b, coding, str_of(before), form);
    CHECK_ROW(stix_guard_find(home, buf_view(&b), &found) && found.name, "%s in coding %u: %.*s",
              what, (unsigned)coding, STR_FMT(buf_view(&b)));
    buf_done(&b);
}

/* `text`: as it is and in escapes too; JSON carries no bytes. */
static void check_codings(const char *what, struct str form, bool text)
{
    static const char *const before[] = {"", "a/", "ab ", "\x01\x02\x03"};
    if (text) {
        check_coding(what, form, PLAIN, "");
        check_coding(what, form, ESCAPED, "");
    }
    check_coding(what, form, HEX, "");
    check_coding(what, form, HEX_COLONS, "");
    for (size_t k = 0; k < sizeof before / sizeof *before; k++)
        check_coding(what, form, BASE64, before[k]);
}

static void test_texts(void)
{
    static const char *const forms[] = {
        "imsi-404109876543210",
        "imsi-99999",
        "IMSI: 208950000000031",
        "imsi%3D208950000000031",
        "supi=208950000000031",
        "msisdn-919810012345",
        "gpsi: 819012345678",
        "imei-490154203237518",
        "imei = 49015420323751",
        "imeisv-8665070400405301",
        "imei-sv=8665070400405301",
        "pei: 8665070400405301",
        "suci-0-404-10-0-0-0-9876543210",
        "suci-0-001-01-0000-2-1-8a3f",
        "nudm-sdm/v2/imsi-404109876543210/am-data",
        "208950000000031@nai.epc.mnc095.mcc208.3gppnetwork.org",
        "type0.rid0.schid0.userid31@nai.5gc.mnc095.mcc208.3gppnetwork.org",
        "404109876543210",
        "0404109876543210",
        "404 10 9876543210",
        "404-10-9876543210",
        "440201234567890",
        "919810012345",
        "+91-98100-12345",
        "358240051111110",
        "tel 10.45.0.9.",
        "2001:db8:cafe::7",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        check_codings(forms[i], str_of(forms[i]), true);
    CHECK(finds("10[.]45[.]200[.]9"));
}

static void test_packed(void)
{
    static const char *const digits[] = {"404109876543210", "440201234567890", "919810012345",
                                         "9198100123456"};
    static const unsigned char identity[] = {0x49, 0x40, 0x01, 0x89, 0x67, 0x45, 0x23, 0x01};
    static const unsigned char suci[] = {0x01, 0x04, 0xf4, 0x01, 0xf0, 0xff, 0x00,
                                         0x00, 0x89, 0x67, 0x45, 0x23, 0x01};
    static const unsigned char suci6[] = {0x01, 0x44, 0x00, 0x02, 0xf0, 0xff, 0x00,
                                          0x00, 0x21, 0x43, 0x65, 0x87, 0xf9};
    struct buf b;
    buf_init(&b, 0);
    for (size_t i = 0; i < sizeof digits / sizeof *digits; i++) {
        buf_clear(&b);
        put_tbcd(&b, str_of(digits[i]));
        check_codings(digits[i], buf_view(&b), false);
    }
    check_codings("mobile identity", (struct str){(const char *)identity, sizeof identity}, false);
    check_codings("SUCI", (struct str){(const char *)suci, sizeof suci}, false);
    check_codings("SUCI of a PLMN of six digits", (struct str){(const char *)suci6, sizeof suci6},
                  false);
    buf_clear(&b);
    put_tbcd(&b, STR("358240051111110"));
    struct buf hex;
    buf_init(&hex, 0);
    buf_hex(&hex, b.p, b.n);
    CHECK(stix_guard_find(home, buf_view(&hex), NULL)); /* an IMEI alone */
    buf_done(&hex);
    buf_done(&b);
}

/* The search steps over bytes, so where a word begins must make no difference, whatever stands
 * before it, and however short it is. */
static void test_places(void)
{
    static const char *const before[] = {
        "z", "..........", "zz zz z z. ", "a.", "12:z", "ab-cd-z ", "\n\"", "QUJD.", "face zed "};
    struct buf tbcd, text;
    buf_init(&tbcd, 0);
    buf_init(&text, 0);
    put_tbcd(&tbcd, STR("919810012345"));
    CHECK(tbcd.n == 6);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        for (size_t pad = 0; pad < 24; pad++)
            for (enum coding c = HEX; c <= BASE64; c++)
                for (unsigned whole = 0; whole < 2; whole++) {
                    struct str s = whole ? STR("imsi-404101234567890") : buf_view(&tbcd);
                    buf_clear(&text);
                    for (size_t n = 0; n < pad; n++)
                        buf_byte(&text, "~.~"[n % 3]);
                    buf_lit(&text, before[i]);
                    buf_byte(&text, '~');
                    put_coded(&text, c, s);
                    CHECK_ROW(stix_guard_find(home, buf_view(&text), NULL), "%s%zu %u %u",
                              before[i], pad, (unsigned)c, whole);
                    buf_lit(&text, "~ and so on");
                    CHECK_ROW(stix_guard_find(home, buf_view(&text), NULL), "%s%zu %u %u, more",
                              before[i], pad, (unsigned)c, whole);
                }
    buf_done(&tbcd);
    buf_done(&text);
}

static void test_others(void)
{
    static const char *const texts[] = {
        "The IMSI-catcher was seen near the embassy in 2024",
        "IMSI, MSISDN and IMEI of 3GPP TS 23.003 never leave",
        "imsi-1234",
        "imsi-1234567890123456",
        "suci-protection scheme 0-1-2",
        "imei-12345",
        "MSISDN +81 90123",
        "403109876543210",
        "2404109876543210",
        "a404109876543210",
        "404109876543210b",
        "40410987654321",
        "440211234567890",
        "+91-11-24368572",
        "123456789012345",
        "358240051111111",
        "user@example.com",
        "operator@3gppnetwork.org.example",
        "10.46.0.9",
        "2001:db8:caff::7",
        "10.45.0",
        "indicator--40410987-6543-4210-8f00-404109876543",
        "2026-11-26T10:00:00.000Z",
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "file:hashes.'SHA-256' = '404109876543210040410987654321004041098765432100404109876543'",
        "aHR0cHM6Ly9leGFtcGxlLmNvbS9sb25nL3BhdGg=",
        "\\u0069\\u006dsi-12",
        "\\",
        "\\u12",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct stix_guard_found f = {0};
        CHECK_ROW(!stix_guard_find(home, str_of(texts[i]), &f), "\"%s\" is no %s in %s", texts[i],
                  f.name ? f.name : "?", f.coding ? f.coding : "text");
    }
    struct stix_guard *none = stix_guard_new();
    CHECK(none && stix_guard_find(none, STR("imsi-404109876543210"), NULL));
    CHECK(none && !stix_guard_find(none, STR("404109876543210"), NULL));
    stix_guard_free(none);
}

/* Hashes, in hexadecimal and base64: what is found in random bytes is a false alarm. */
static void test_random(void)
{
    uint64_t state = 0x9E3779B97F4A7C15u;
    unsigned alarms = 0;
    for (unsigned i = 0; i < 200000; i++) {
        unsigned char bytes[32];
        struct buf b;
        buf_init(&b, 0);
        for (size_t k = 0; k < sizeof bytes; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes[k] = (unsigned char)(state >> 56);
        }
        put_coded(&b, i % 2 ? HEX : BASE64, (struct str){(char *)bytes, sizeof bytes});
        alarms += stix_guard_find(home, buf_view(&b), NULL);
        buf_done(&b);
    }
    CHECK_ROW(alarms == 0, "%u", alarms);
}

/* ---- the home network ---- */

static void test_settings(void)
{
    static const struct {
        bool (*read)(struct stix_guard *, struct str, struct err *);
        const char *list;
        bool ok;
    } rows[] = {
        {stix_guard_plmns, "", true},
        {stix_guard_plmns, " 404-10,40545 , 310-260", true},
        {stix_guard_plmns, "404-1", false},
        {stix_guard_plmns, "404-1000", false},
        {stix_guard_plmns, "airtel", false},
        {stix_guard_numbers, "9198100", true},
        {stix_guard_numbers, "9198", false},
        {stix_guard_numbers, "91981001234567", false},
        {stix_guard_users, "10.45.0.0/16 2001:db8::/32 10.0.0.1", true},
        {stix_guard_users, "0.0.0.0/0", false},
        {stix_guard_users, "10.45.0.0/33", false},
        {stix_guard_users, "10.45.0/16", false},
        {stix_guard_users, "10.45.0.0/x", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = {0};
        struct stix_guard *g = stix_guard_new();
        bool ok = g && rows[i].read(g, str_of(rows[i].list), &e);
        CHECK_ROW(ok == rows[i].ok && (ok || e.code == ERR_SYNTAX), "row %zu: %s", i, e.msg);
        stix_guard_free(g);
    }
    struct stix_guard *g = stix_guard_new();
    struct err e = {0};
    bool ok = g != NULL;
    for (size_t i = 0; i < LIMIT_STIX_GUARD_HOME; i++)
        ok = ok && stix_guard_plmns(g, STR("404-10"), &e);
    CHECK(ok && !stix_guard_plmns(g, STR("404-10"), &e) && e.code == ERR_LIMIT);
    stix_guard_free(g);
}

/* Without memory the answer is yes. */
static void test_memory(void)
{
    bool done = false;
    for (long k = 1; !done && k < 100; k++) {
        base_fail_allocation(k, false);
        bool yes = finds("nothing");
        done = !base_fail_allocation(0, false);
        CHECK_ROW(yes == !done, "%ld", k);
    }
    CHECK(done);
}

/* ---- local by definition ---- */

struct definitions {
    const struct json *list;
    unsigned asked;
};

static bool define(void *ctx, struct str id, const struct json **out, struct err *e)
{
    struct definitions *d = ctx;
    d->asked++;
    if (str_ends(id, STR("9999")))
        return err_set(e, ERR_STORE, "no store");
    for (const struct json *o = d->list ? d->list->u.child : NULL; o; o = o->next)
        if (str_eq(json_get_str(o, STR("id")), id))
            *out = o;
    return true;
}

static const struct json *parsed(struct arena *a, struct str text)
{
    const struct json *v = NULL;
    struct err e = {0};
    struct json_reader *r = json_reader_new();
    CHECK_ROW(r && json_parse(r, a, text, false, &v, &e), "%s", e.msg);
    json_reader_free(r);
    return v;
}

#define TRAFFIC    "extension-definition--4f1c2a0e-6b43-4d0f-9a55-3c7e1f0b8d21"
#define SUBSCRIBER "extension-definition--9d27b6f4-0c1e-4f9b-8a36-51e2c7a4d9f3"
#define PROPERTY   "\"extension_type\":\"property-extension\""

static void test_local(void)
{
    static const struct {
        const char *object;
        size_t count;
        bool names;
    } rows[] = {
        {"{\"teid\":7}", 0, false},
        {"{\"extensions\":{\"" TRAFFIC "\":{" PROPERTY ",\"qfi\":9}}}", 0, false},
        {"{\"extensions\":{\"" TRAFFIC "\":{" PROPERTY ",\"qfi\":9,\"teid\":7,\"seid\":\"x\"}}}", 2,
         false},
        /* nothing else is in it: it goes whole */
        {"{\"extensions\":{\"" SUBSCRIBER "\":{" PROPERTY ",\"imsi\":[\"404109876543210\"]}}}", 2,
         false},
        {"{\"x_imsi\":1,\"extensions\":{\"" SUBSCRIBER "\":{" PROPERTY ",\"imsi\":[]}}}", 2, true},
        {"{\"objects\":{\"0\":{\"extensions\":{\"" TRAFFIC "\":{" PROPERTY ",\"teid\":7,"
         "\"sst\":1}}}}}",
         1, false},
        {"{\"extensions\":{\"extension-definition--0\":{\"teid\":7}}}", 0, false},
        {"{\"extensions\":{\"" TRAFFIC "\":[]}}", 0, false},
        {"[{\"a\":[{\"b\":1},[{\"extensions\":{\"http-request-ext\":{\"extensions\":"
         "{\"" TRAFFIC "\":{\"teid\":7}}}}}]]}]",
         2, false},
        {"{\"x\":{\"" TRAFFIC "\":{\"teid\":7}}}", 0, false},
        {"{\"extensions\":[{\"" TRAFFIC "\":{\"teid\":7}}]}", 0, false},
        {"[]", 0, false},
    };
    struct arena *a = arena_new(16 << 20);
    struct definitions d = {.list =
                                json_get(parsed(a, stix_telecom_definitions()), STR("objects"))};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stix_local local = {0};
        struct err e = {0};
        const struct json *v = parsed(a, str_of(rows[i].object));
        d.asked = 0;
        CHECK_ROW(stix_local_find(v, define, &d, a, &local, &e) && local.count == rows[i].count,
                  "row %zu: %zu", i, local.count);
        /* Where no definition is asked for, none can matter. */
        CHECK_ROW(stix_local_possible(v) == (d.asked > 0), "row %zu", i);
        CHECK_ROW(stix_names_subscriber(v, &local) == rows[i].names, "row %zu", i);
        for (size_t k = 0; k < local.count; k++)
            CHECK_ROW(stix_local_has(&local, local.nodes[k]), "row %zu: %zu", i, k);
        CHECK_ROW(!stix_local_has(&local, v), "row %zu", i);
    }
    struct stix_local local = {0};
    struct err e = {0};
    CHECK(!stix_local_find(parsed(a, STR("{\"extensions\":{\"extension-definition--9999\":{}}}")),
                           define, &d, a, &local, &e) &&
          e.code == ERR_STORE);
    CHECK(!stix_local_has(NULL, d.list));
    arena_free(a);
}

/* A definition of top-level properties, and one that lists too many to be looked at each. */
static void test_local_definitions(void)
{
    struct arena *a = arena_new(16 << 20);
    struct buf b;
    struct err e = {0};
    struct stix_local local = {0};
    buf_init(&b, 0);
    buf_lit(&b, "[{\"id\":\"extension-definition--1\",\"extension_types\":"
                "[\"toplevel-property-extension\"],\"x_setu_local_only\":[\"cell\",7]},"
                "{\"id\":\"extension-definition--2\",\"x_setu_local_only\":[\"n0\"");
    for (int i = 1; i <= LIMIT_STIX_LOCAL_NAMES; i++)
        buf_printf(&b, ",\"n%d\"", i);
    buf_lit(&b, "]}]");
    struct definitions d = {.list = parsed(a, buf_view(&b))};
    const struct json *v = parsed(a, STR("{\"cell\":1,\"name\":2,\"extensions\":{"
                                         "\"extension-definition--1\":{\"extension_type\":"
                                         "\"toplevel-property-extension\"},"
                                         "\"extension-definition--2\":{\"open\":1}}}"));
    CHECK(stix_local_find(v, define, &d, a, &local, &e) && local.count == 2);
    CHECK(stix_local_has(&local, json_get(v, STR("cell"))));
    CHECK(stix_local_has(&local,
                         json_get(json_get(v, STR("extensions")), STR("extension-definition--2"))));
    buf_done(&b);
    arena_free(a);
}

int main(void)
{
    struct err e = {0};
    home = stix_guard_new();
    CHECK(home && stix_guard_plmns(home, STR("404-10 440-20"), &e) &&
          stix_guard_plmns(home, STR("440-200"), &e) &&
          stix_guard_numbers(home, STR("9198100"), &e) &&
          stix_guard_users(home, STR("10.45.0.0/16 2001:db8:cafe::/48"), &e));
    test_texts();
    test_packed();
    test_places();
    test_others();
    test_random();
    test_settings();
    test_memory();
    test_local();
    test_local_definitions();
    stix_guard_free(home);
    TEST_END();
}
