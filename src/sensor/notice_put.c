/*
 * Writing a notice: exact figures for home, and for others a STIX incident. What is for others is
 * made of words of our own tables, bands of powers of ten and whole hours, and of nothing that
 * stood in an alert. docs/SIGNALLING.md says what two notices together can tell.
 */
#include <string.h>

#include "crypt/crypt.h"
#include "sensor/notice_priv.h"

/* Powers of ten; 0 is in the first, for that somebody was touched tells of one. */
static const struct {
    uint64_t least;
    const char *words;
} bands[] = {
    {0, "fewer than 10"},   {10, "10 to 99"},          {100, "100 to 999"},
    {1000, "1000 to 9999"}, {10000, "10000 to 99999"}, {100000, "100000 or more"},
};
#define BANDS (sizeof bands / sizeof *bands)

#define HOUR_US ((int64_t)3600 * 1000000)

static size_t band_of(uint64_t count)
{
    size_t i = BANDS - 1;
    while (count < bands[i].least)
        i--;
    return i;
}

/* ---- for home ---- */

static void put_time(struct buf *b, const char *name, int64_t us, int digits)
{
    char text[INSTANT_TEXT_BYTES];
    json_put_member(b, name, instant_text(instant_of_us(us), digits, text));
}

static void put_names(struct buf *b, const char *name, const struct sensor_tally *t)
{
    json_put_name(b, name);
    buf_byte(b, '[');
    for (size_t i = 0; i < sensor_tally_count(t); i++) {
        if (i)
            buf_byte(b, ',');
        json_put_string(b, sensor_tally_get(t, i).id);
    }
    buf_byte(b, ']');
}

static void put_causes(const struct sensor_notice *n, struct buf *b)
{
    bool any = false;
    json_put_name(b, "rules");
    buf_byte(b, '[');
    for (size_t i = 0; i < n->rule_count; i++) {
        if (!n->broken[i])
            continue;
        buf_lit(b, any ? ",{" : "{");
        any = true;
        json_put_member(b, "rule", str_of(n->rules[i].name));
        json_put_member(b, "technique", str_of(n->rules[i].technique));
        json_put_member_u64(b, "alerts", n->broken[i]);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
    json_put_name(b, "indicators");
    buf_byte(b, '[');
    for (size_t i = 0; i < sensor_tally_count(n->indicators); i++) {
        buf_lit(b, i ? ",{" : "{");
        json_put_member(b, "indicator", sensor_tally_get(n->indicators, i).id);
        json_put_member_u64(b, "alerts", n->hits[i]);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

void sensor_notice_figures(const struct sensor_notice *n, struct buf *out)
{
    json_put_member_u64(out, "alerts", n->alerts);
    json_put_member_u64(out, "alerts_without_session", n->sessionless);
    if (n->alerts) {
        put_time(out, "first", n->first_us, 6);
        put_time(out, "last", n->last_us, 6);
        json_put_member_u64(out, "duration_seconds",
                            (uint64_t)(n->last_us - n->first_us + 999999) / 1000000);
    }
    json_put_member_u64(out, "users", n->users.count);
    json_put_member_u64(out, "sessions", notice_sessions(n));
    put_causes(n, out);
    put_names(out, "ran_nodes", n->nodes);
    put_names(out, "plmns", n->plmns);
    put_names(out, "tracking_areas", n->areas);
    put_names(out, "slices", n->slices);
}

/* ---- for others ---- */

/* What is told, before it is written. */
struct told {
    int64_t from_us, to_us;
    size_t users, sessions, nodes; /* bands */
    struct str id, created;
    int64_t modified_us;
};

static bool time_in(const struct json *v, const char *name, int64_t *out)
{
    struct instant t;
    struct err ignored;
    if (!instant_parse(json_get_str(v, str_of(name)), &t, &ignored))
        return false;
    *out = instant_us(t);
    return true;
}

static bool band_in(const struct json *v, const char *name, size_t *out)
{
    struct str words = json_get_str(v, str_of(name));
    for (size_t i = 0; i < BANDS; i++)
        if (str_eq(words, str_of(bands[i].words))) {
            *out = i;
            return true;
        }
    return false;
}

/* The earlier notice's id; that this one tells of as much at least. */
static bool follow_on(const struct sensor_notice_release *r, struct told *t, struct err *e)
{
    const struct json *v = r->earlier, *x = json_get(v, STR("extensions"));
    struct told was = {0};
    struct str type;
    x = json_get(x, STR(STIX_TELECOM_INCIDENT));
    was.id = json_get_str(v, STR("id"));
    was.created = json_get_str(v, STR("created"));
    if (!stix_id_parse(was.id, &type, e) || !str_eq(type, STR("incident")) || !was.created.n ||
        !time_in(v, "modified", &was.modified_us) || !time_in(x, "from", &was.from_us) ||
        !time_in(x, "until", &was.to_us) || !band_in(x, "users_band", &was.users) ||
        !band_in(x, "sessions_band", &was.sessions) || !band_in(x, "nodes_band", &was.nodes))
        return err_set(e, ERR_INVALID, "it is no notice");
    if (!str_eq(json_get_str(v, STR("created_by_ref")), r->identity))
        return err_set(e, ERR_INVALID, "it is a notice of another identity");
    if (t->from_us > was.from_us || t->to_us < was.to_us || t->users < was.users ||
        t->sessions < was.sessions || t->nodes < was.nodes)
        return err_set(e, ERR_CONFLICT,
                       "it told of more, and a notice only grows: count the alerts that it was "
                       "made of too");
    t->id = was.id;
    t->created = was.created;
    if (t->modified_us <= was.modified_us)
        t->modified_us = was.modified_us + 1000;
    return true;
}

static void put_list(struct buf *b, bool *any, const char *name, const char *text)
{
    if (!*any) {
        json_put_name(b, name);
        buf_byte(b, '[');
    } else {
        buf_byte(b, ',');
    }
    *any = true;
    json_put_string(b, str_of(text));
}

static void end_list(struct buf *b, bool any)
{
    if (any)
        buf_byte(b, ']');
}

static bool said_before(const struct sensor_notice *n, size_t rule)
{
    for (size_t i = 0; i < rule; i++)
        if (n->broken[i] && strcmp(n->rules[i].technique, n->rules[rule].technique) == 0)
            return true;
    return false;
}

static void put_words(const struct sensor_notice *n, struct buf *b)
{
    bool any = false;
    for (size_t i = 0; i < NOTICE_INTERFACES; i++)
        if (n->interfaces[i])
            put_list(b, &any, "interfaces", notice_interfaces[i]);
    end_list(b, any);
    any = false;
    for (size_t i = 0; i < n->rule_count; i++)
        if (n->broken[i])
            put_list(b, &any, "rules", n->rules[i].name);
    end_list(b, any);
    any = false;
    for (size_t i = 0; i < n->rule_count; i++)
        if (n->broken[i] && n->rules[i].technique[0] && !said_before(n, i))
            put_list(b, &any, "techniques", n->rules[i].technique);
    end_list(b, any);
}

static void put_incident(const struct sensor_notice *n, const struct sensor_notice_release *r,
                         const struct told *t, struct buf *b)
{
    buf_lit(b, "{\"type\":\"incident\",\"spec_version\":\"2.1\"");
    json_put_member(b, "id", t->id);
    json_put_member(b, "created_by_ref", r->identity);
    json_put_member(b, "created", t->created);
    put_time(b, "modified", t->modified_us, 3);
    json_put_member(b, "name", r->name);
    if (r->marking.n) {
        json_put_name(b, "object_marking_refs");
        buf_byte(b, '[');
        json_put_string(b, r->marking);
        buf_byte(b, ']');
    }
    json_put_name(b, "extensions");
    buf_lit(b, "{\"" STIX_TELECOM_INCIDENT "\":{\"extension_type\":\"property-extension\"");
    put_words(n, b);
    put_time(b, "from", t->from_us, 0);
    put_time(b, "until", t->to_us, 0);
    json_put_member_u64(b, "duration_minutes", (uint64_t)(t->to_us - t->from_us) / 60000000);
    json_put_member(b, "sessions_band", str_of(bands[t->sessions].words));
    json_put_member(b, "users_band", str_of(bands[t->users].words));
    json_put_member(b, "nodes_band", str_of(bands[t->nodes].words));
    buf_lit(b, "}}}");
}

static int64_t hour_of(int64_t us)
{
    return us - (us % HOUR_US + HOUR_US) % HOUR_US;
}

bool sensor_notice_incident(const struct sensor_notice *n, const struct sensor_notice_release *r,
                            struct buf *out, struct err *e)
{
    char id[sizeof "incident--" + CRYPT_UUID_TEXT] = "incident--", created[INSTANT_TEXT_BYTES];
    char bundle[CRYPT_UUID_TEXT];
    crypt_uuid4(id + strlen(id));
    crypt_uuid4(bundle);
    struct told t = {.from_us = hour_of(n->first_us),
                     .to_us = hour_of(n->last_us) + HOUR_US,
                     .users = band_of(n->users.count),
                     .sessions = band_of(notice_sessions(n)),
                     .nodes = band_of(sensor_tally_count(n->nodes)),
                     .id = str_of(id),
                     .created = instant_text(instant_of_us(r->now_us), 3, created),
                     .modified_us = r->now_us - r->now_us % 1000};
    if (!n->alerts)
        return err_set(e, ERR_NOT_FOUND,
                       "no alert of that time and kind: there is nothing to tell");
    if (r->earlier && !follow_on(r, &t, e))
        return false;
    buf_printf(out, "{\"type\":\"bundle\",\"id\":\"bundle--%s\",\"objects\":[", bundle);
    put_incident(n, r, &t, out);
    buf_lit(out, "]}\n");
    return buf_ok(out, e);
}
