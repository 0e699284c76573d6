/* Notices: what is counted from lines of alerts, and what of it others are told. */
#include <stdio.h>
#include <string.h>

#include "sensor/sensor.h"
#include "stix/stix.h"
#include "test.h"

#define ME        "identity--33333333-3333-4333-8333-333333333333"
#define OTHER     "identity--44444444-4444-4444-8444-444444444444"
#define INDICATOR "indicator--11111111-1111-4111-8111-111111111111"

static struct json_reader *reader;
static struct arena *arena;

static const struct json *parsed(struct str text)
{
    struct err e = {0};
    const struct json *v = NULL;
    CHECK_ROW(json_parse(reader, arena, text, false, &v, &e), "%s: %.*s", e.msg, STR_FMT(text));
    return v;
}

static struct sensor_notice *made(const struct sensor_notice_asked *q)
{
    struct err e = {0};
    struct sensor_notice *n = NULL;
    CHECK_ROW(sensor_notice_new(q, &n, &e), "%s", e.msg);
    return n;
}

static const struct sensor_notice_asked all = {.from_us = INT64_MIN, .until_us = INT64_MAX};

/* An alert of rule `rule` about the session numbered so (0: none), through a tunnel. */
struct line {
    const char *time, *rule, *interface, *direction;
    unsigned session, teid;
    const char *node;
};

static bool take(struct sensor_notice *n, const struct line *l, struct err *e)
{
    struct buf b;
    buf_init(&b, 0);
    buf_printf(&b, "{\"time\":\"%s\",\"rule\":\"%s\",\"interface\":\"%s\",", l->time, l->rule,
               l->interface);
    if (l->session)
        buf_printf(&b, "\"session\":\"%032x\",", l->session);
    else
        buf_lit(&b, "\"session\":null,");
    buf_printf(&b,
               "\"direction\":\"%s\",\"teid\":%u,\"ran_node\":\"%s\",\"sst\":1,\"sd\":\"00007b\"}",
               l->direction, l->teid, l->node);
    bool ok = sensor_notice_take(n, parsed(buf_view(&b)), e);
    buf_done(&b);
    return ok;
}

static const struct json *figures_of(const struct sensor_notice *n)
{
    struct buf b;
    buf_init(&b, 0);
    buf_byte(&b, '{');
    sensor_notice_figures(n, &b);
    buf_byte(&b, '}');
    const struct json *v = parsed(buf_view(&b));
    buf_done(&b);
    return v;
}

static int64_t number(const struct json *v, const char *name)
{
    const struct json *m = json_get(v, str_of(name));
    return json_is(m, JSON_INTEGER) ? m->u.i : -1;
}

static void no_finding(void *ctx, const struct stix_finding *f)
{
    (void)ctx;
    CHECK_ROW(f->severity != STIX_ERROR, "%s: %.*s", f->rule, STR_FMT(f->message));
}

/* The incident of a notice, or NULL with `e`. */
static const struct json *incident_of(const struct sensor_notice *n, const struct json *earlier,
                                      const char *identity, struct err *e)
{
    struct sensor_notice_release r = {.identity = str_of(identity),
                                      .name = STR("It"),
                                      .marking = stix_tlp_id(STIX_TLP_GREEN),
                                      .now_us = 1789344000123456,
                                      .earlier = earlier};
    const struct json *v = NULL;
    struct buf b;
    buf_init(&b, 0);
    if (sensor_notice_incident(n, &r, &b, e)) {
        v = json_get(parsed(buf_view(&b)), STR("objects"))->u.child;
        CHECK(stix_object_check(v, &(struct stix_check_options){.strict = true}, no_finding,
                                NULL) == 0);
    }
    buf_done(&b);
    return v;
}

static const struct json *told(const struct json *incident)
{
    return json_get(json_get(incident, STR("extensions")), STR(STIX_TELECOM_INCIDENT));
}

/* ---- counting ---- */

static void test_sessions_and_users(void)
{
    static const struct line lines[] = {
        {"2026-01-01T10:00:00.5Z", "gtp-in-gtp", "n3", "uplink", 1, 7, "192.0.2.1"},
        {"2026-01-01T10:00:01Z", "gtp-in-gtp", "n3", "uplink", 1, 7, "192.0.2.1"},
        /* The same session where it leaves the UPF, and down again. */
        {"2026-01-01T10:00:02Z", "gtp-in-gtp", "n9", "uplink", 1, 70, ""},
        {"2026-01-01T10:00:03Z", "teid-zero", "n3", "downlink", 1, 71, "192.0.2.1"},
        /* A second session of that user, and another user. */
        {"2026-01-01T10:00:04Z", "gtp-in-gtp", "n3", "uplink", 1, 8, "192.0.2.2"},
        {"2026-01-01T11:30:00Z", "gtp-in-gtp", "n3", "uplink", 2, 9, "2001:db8::1"},
        {"2026-01-01T10:30:00Z", "pfcp-flood", "n4", "unknown", 0, 0, ""},
    };
    static const char config[] = "gnb 192.0.2.1 id 1 plmn 40410 tac 7\n"
                                 "gnb 192.0.2.2 id 2 plmn 404101 tac 8\ngnb 2001:db8::1 tac 9\n";
    struct sensor_notice_asked q = all;
    struct packet_config *c = NULL;
    struct err e = {0};
    CHECK(packet_config_parse(str_of(config), &c, &e));
    q.config = c;
    struct sensor_notice *n = made(&q);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        CHECK_ROW(take(n, &lines[i], &e), "%zu: %s", i, e.msg);
    const struct json *v = figures_of(n);
    CHECK(number(v, "alerts") == 7 && number(v, "alerts_without_session") == 1);
    CHECK(number(v, "users") == 2 && number(v, "sessions") == 3);
    CHECK(number(v, "duration_seconds") == 5400);
    CHECK(str_eq(json_get_str(v, STR("first")), STR("2026-01-01T10:00:00.500000Z")));
    CHECK(json_get(v, STR("ran_nodes"))->count == 3 && json_get(v, STR("plmns"))->count == 2);
    const struct json *area = json_get(v, STR("tracking_areas"))->u.child;
    CHECK(str_eq(area->u.s, STR("40410-7")) && str_eq(area->next->u.s, STR("404101-8")) &&
          str_eq(area->next->next->u.s, STR("9")));
    CHECK(str_eq(json_get(v, STR("slices"))->u.child->u.s, STR("1-00007b")));
    CHECK(json_get(v, STR("rules"))->count == 3);
    const struct json *x = told(incident_of(n, NULL, ME, &e));
    CHECK(str_eq(json_get_str(x, STR("from")), STR("2026-01-01T10:00:00Z")) &&
          str_eq(json_get_str(x, STR("until")), STR("2026-01-01T12:00:00Z")));
    CHECK(number(x, "duration_minutes") == 120);
    CHECK(json_get(x, STR("interfaces"))->count == 3 && json_get(x, STR("rules"))->count == 3 &&
          json_get(x, STR("techniques"))->count == 2);
    sensor_notice_free(n);
    packet_config_free(c);
}

static void test_bands(void)
{
    static const struct {
        unsigned users;
        const char *band;
    } rows[] = {{1, "fewer than 10"},      {9, "fewer than 10"},      {10, "10 to 99"},
                {99, "10 to 99"},          {100, "100 to 999"},       {999, "100 to 999"},
                {1000, "1000 to 9999"},    {9999, "1000 to 9999"},    {10000, "10000 to 99999"},
                {99999, "10000 to 99999"}, {100000, "100000 or more"}};
    struct err e = {0};
    struct sensor_notice *n = made(&all);
    struct line l = {"2026-01-01T10:00:00Z", "gtp-in-gtp", "n3", "uplink", 0, 7, "192.0.2.1"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        while (l.session < rows[i].users) {
            l.session++;
            CHECK(take(n, &l, &e));
            if (l.session % 1000 == 0)
                arena_reset(arena);
        }
        const struct json *x = told(incident_of(n, NULL, ME, &e));
        CHECK_ROW(number(figures_of(n), "users") == rows[i].users, "%u", rows[i].users);
        CHECK_ROW(str_eq(json_get_str(x, STR("users_band")), str_of(rows[i].band)) &&
                      str_eq(json_get_str(x, STR("sessions_band")), str_of(rows[i].band)),
                  "%u", rows[i].users);
        CHECK(str_eq(json_get_str(x, STR("nodes_band")), STR("fewer than 10")));
        arena_reset(arena);
    }
    sensor_notice_free(n);
}

/* None is not told from some. */
static void test_none_is_fewer_than_ten(void)
{
    struct err e = {0};
    struct sensor_notice *n = made(&all);
    struct line l = {"2026-01-01T10:00:00Z", "pfcp-flood", "n4", "", 0, 0, ""};
    CHECK(!incident_of(n, NULL, ME, &e) && e.code == ERR_NOT_FOUND);
    CHECK(take(n, &l, &e));
    const struct json *x = told(incident_of(n, NULL, ME, &e));
    CHECK(str_eq(json_get_str(x, STR("users_band")), STR("fewer than 10")) &&
          str_eq(json_get_str(x, STR("nodes_band")), STR("fewer than 10")));
    sensor_notice_free(n);
}

static void test_what_is_selected(void)
{
    static const struct {
        const char *of, *more;
        int64_t from_us, until_us, alerts;
    } rows[] = {{"gtp-in-gtp", NULL, INT64_MIN, INT64_MAX, 1},
                {"FGT1599.505", NULL, INT64_MIN, INT64_MAX, 2},
                {INDICATOR, NULL, INT64_MIN, INT64_MAX, 1},
                {"gtp-in-gtp", INDICATOR, INT64_MIN, INT64_MAX, 2},
                {NULL, NULL, INT64_MIN, INT64_MAX, 3},
                {NULL, NULL, 1767261600000000, 1767261602000000, 2}};
    static const char *const lines[] = {
        "{\"time\":\"2026-01-01T10:00:00Z\",\"rule\":\"gtp-in-gtp\"}",
        "{\"time\":\"2026-01-01T10:00:01Z\",\"rule\":\"teid-zero\"}",
        "{\"time\":\"2026-01-01T10:00:02Z\",\"kind\":\"domain\",\"indicator\":\"" INDICATOR "\"}"};
    struct err e = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str of[2] = {str_of(rows[i].of ? rows[i].of : ""),
                            str_of(rows[i].more ? rows[i].more : "")};
        struct sensor_notice_asked q = {.from_us = rows[i].from_us,
                                        .until_us = rows[i].until_us,
                                        .of = of,
                                        .of_count = rows[i].more ? 2u
                                                    : rows[i].of ? 1u
                                                                 : 0u};
        struct sensor_notice *n = made(&q);
        for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
            CHECK(sensor_notice_take(n, parsed(str_of(lines[k])), &e));
        CHECK_ROW((int64_t)sensor_notice_alerts(n) == rows[i].alerts, "%zu", i);
        sensor_notice_free(n);
    }
}

static void test_what_is_no_alert(void)
{
    static const char *const lines[] = {
        "1",
        "[]",
        "{}",
        "{\"time\":\"2026-01-01T10:00:00Z\"}",
        "{\"time\":1,\"rule\":\"gtp-in-gtp\"}",
        "{\"time\":\"yesterday\",\"rule\":\"gtp-in-gtp\"}",
        "{\"time\":\"2026-01-01T10:00:00Z\",\"rule\":\"no-rule\"}",
        "{\"time\":\"2026-01-01T10:00:00Z\",\"rule\":\"gtp-in-gtp\",\"session\":\"short\"}"};
    struct err e = {0};
    struct sensor_notice *n = made(&all);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        e = (struct err){0};
        CHECK_ROW(!sensor_notice_take(n, parsed(str_of(lines[i])), &e) && e.code == ERR_INVALID,
                  "%s: %s", lines[i], e.msg);
    }
    sensor_notice_free(n);
    struct str of = STR("FGT1");
    struct sensor_notice_asked q = {.of = &of, .of_count = 1};
    CHECK(!sensor_notice_new(&q, &n, &e) && e.code == ERR_USAGE && strstr(e.msg, "FGT1"));
}

/* ---- what others are told ---- */

/* Every text of an alert that a sender could choose. */
static void test_no_text_of_an_alert_is_told(void)
{
    static const char *const lines[] = {
        "{\"time\":\"2026-01-01T10:00:00Z\",\"input\":\"secret\",\"rule\":\"gtp-in-gtp\","
        "\"interface\":\"secret\",\"session\":\"secret-secret-secret-secret-1234\",\"message\":"
        "\"secret\",\"direction\":\"secret\",\"ran_node\":\"secret\",\"sst\":1,\"sd\":\"secret\"}",
        "{\"time\":\"2026-01-01T10:00:00Z\",\"indicator\":\"secret\",\"observable\":\"secret\","
        "\"name\":\"secret\",\"technique\":\"secret\",\"labels\":[\"secret\"]}"};
    struct err e = {0};
    struct sensor_notice *n = made(&all);
    struct buf b;
    struct sensor_notice_release r = {
        .identity = STR(ME), .name = STR("It"), .now_us = 1789344000123456};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        CHECK_ROW(sensor_notice_take(n, parsed(str_of(lines[i])), &e), "%s", e.msg);
    CHECK(str_eq(json_get(figures_of(n), STR("ran_nodes"))->u.child->u.s, STR("secret")));
    buf_init(&b, 0);
    CHECK(sensor_notice_incident(n, &r, &b, &e));
    buf_byte(&b, '\0');
    CHECK(!strstr(b.p, "secret") && strstr(b.p, "gtp-in-gtp"));
    buf_done(&b);
    sensor_notice_free(n);
}

static void test_a_later_version_only_grows(void)
{
    struct err e = {0};
    struct sensor_notice *few = made(&all), *many = made(&all), *early = made(&all);
    struct line l = {"2026-01-01T10:00:00Z", "gtp-in-gtp", "n3", "uplink", 1, 7, "192.0.2.1"};
    CHECK(take(few, &l, &e));
    for (; l.session <= 10; l.session++)
        CHECK(take(many, &l, &e));
    l.time = "2026-01-01T09:59:59Z";
    CHECK(take(early, &l, &e));
    const struct json *first = incident_of(few, NULL, ME, &e), *next, *last;
    CHECK((next = incident_of(many, first, ME, &e)) != NULL);
    CHECK(str_eq(json_get_str(next, STR("id")), json_get_str(first, STR("id"))) &&
          str_eq(json_get_str(next, STR("created")), json_get_str(first, STR("created"))));
    CHECK(str_eq(json_get_str(next, STR("modified")), STR("2026-09-14T00:00:00.124Z")));
    CHECK((last = incident_of(many, next, ME, &e)) != NULL);
    CHECK(!incident_of(few, next, ME, &e) && e.code == ERR_CONFLICT);
    CHECK(!incident_of(early, first, ME, &e) && e.code == ERR_CONFLICT);
    CHECK(!incident_of(many, first, OTHER, &e) && e.code == ERR_INVALID);
    CHECK(!incident_of(many, parsed(STR("{\"type\":\"incident\"}")), ME, &e) &&
          e.code == ERR_INVALID);
    sensor_notice_free(few);
    sensor_notice_free(many);
    sensor_notice_free(early);
}

int main(void)
{
    reader = json_reader_new();
    arena = arena_new(64u << 20);
    CHECK(reader && arena);
    test_sessions_and_users();
    test_bands();
    test_none_is_fewer_than_ten();
    test_what_is_selected();
    test_what_is_no_alert();
    test_no_text_of_an_alert_is_told();
    test_a_later_version_only_grows();
    arena_free(arena);
    json_reader_free(reader);
    TEST_END();
}
