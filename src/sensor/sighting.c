/* Sightings (STIX 2.1 §5.2): one for each indicator and each rule of signalling seen, with counts
 * and times and nothing else. */
#include <string.h>

#include "crypt/crypt.h"
#include "sensor/sensor_priv.h"

/* STIX 2.1 §5.2.1: count is an integer between 0 and 999,999,999. */
#define MOST_COUNT 999999999

struct seen {
    uint64_t count;
    int64_t first_us, last_us;
};

struct sensor_sightings {
    struct sensor_tally *tally;
    struct seen *seen; /* of each of these */
    size_t seen_count, room;
    const struct packet_rule *rules;
    struct seen *broken; /* of each of these */
    size_t rule_count;
    struct buf text; /* the sightings, one behind the other */
    size_t *ends;    /* where each ends in text */
    size_t count;
    bool any, failed; /* something was seen; it was not counted, for want of memory */
};

bool sensor_sightings_new(struct sensor_sightings **out, struct err *e)
{
    struct sensor_sightings *g = base_alloc(sizeof *g);
    if (!g)
        return err_set(e, ERR_MEMORY, "no memory for the sightings");
    buf_init(&g->text, 0);
    g->rules = packet_rules(&g->rule_count);
    g->broken = base_alloc(g->rule_count * sizeof *g->broken);
    if (!g->broken || !sensor_tally_new(&g->tally, e)) {
        sensor_sightings_free(g);
        return err_set(e, ERR_MEMORY, "no memory for the sightings");
    }
    *out = g;
    return true;
}

void sensor_sightings_free(struct sensor_sightings *s)
{
    if (!s)
        return;
    sensor_tally_free(s->tally);
    base_free(s->seen);
    base_free(s->broken);
    base_free(s->ends);
    buf_done(&s->text);
    base_free(s);
}

static void count_one(struct seen *n, int64_t time_us)
{
    if (n->count == 0 || time_us < n->first_us)
        n->first_us = time_us;
    if (n->count == 0 || time_us > n->last_us)
        n->last_us = time_us;
    if (n->count < MOST_COUNT)
        n->count++;
}

void sensor_sightings_add(struct sensor_sightings *s, const struct sensor_alert *a)
{
    size_t number;
    void *seen = s->seen;
    if (!a->indicator->stix)
        return;
    s->any = true;
    if (!sensor_tally_of(s->tally, a->indicator, &number) ||
        !base_grow(&seen, &s->room, number + 1, sizeof *s->seen)) {
        s->failed = true;
        return;
    }
    s->seen = seen;
    for (; s->seen_count <= number; s->seen_count++)
        s->seen[s->seen_count] = (struct seen){0};
    count_one(&s->seen[number], a->time_us);
}

void sensor_sightings_signal(struct sensor_sightings *s, const struct packet_alert *a)
{
    size_t number = (size_t)(a->rule - s->rules);
    must(number < s->rule_count);
    if (!a->rule->technique[0])
        return;
    s->any = true;
    count_one(&s->broken[number], a->time_us);
}

static void put_time(struct buf *b, const char *name, int64_t us)
{
    char text[INSTANT_TEXT_BYTES];
    json_put_member(b, name, instant_text(instant_of_us(us), 3, text));
}

/* A list of one. */
static void put_only(struct buf *b, const char *name, struct str text)
{
    json_put_name(b, name);
    buf_byte(b, '[');
    json_put_string(b, text);
    buf_byte(b, ']');
}

/* A sighting is never marked more openly than its indicator, and keeps its other terms of use. */
static void put_markings(struct buf *b, struct str tlp_name, struct str marks)
{
    enum stix_tlp tlp = STIX_TLP_NONE;
    if (tlp_name.n && !stix_tlp_parse(tlp_name, &tlp))
        tlp = STIX_TLP_RED; /* of a set's file that we did not write */
    if (tlp == STIX_TLP_NONE && !marks.n)
        return;
    json_put_name(b, "object_marking_refs");
    buf_byte(b, '[');
    if (tlp != STIX_TLP_NONE)
        json_put_string(b, stix_tlp_id(tlp));
    for (bool first = tlp == STIX_TLP_NONE; marks.n; first = false) {
        if (!first)
            buf_byte(b, ',');
        json_put_string(b, str_cut(&marks, ' '));
    }
    buf_byte(b, ']');
}

static void begin_sighting(struct buf *b, struct str of, const struct seen *n, struct str identity,
                           int64_t now_us)
{
    char id[sizeof "sighting--" + CRYPT_UUID_TEXT] = "sighting--";
    crypt_uuid4(id + strlen(id));
    buf_lit(b, "{\"type\":\"sighting\",\"spec_version\":\"2.1\"");
    json_put_member(b, "id", str_of(id));
    if (identity.n)
        json_put_member(b, "created_by_ref", identity);
    put_time(b, "created", now_us);
    put_time(b, "modified", now_us);
    put_time(b, "first_seen", n->first_us);
    put_time(b, "last_seen", n->last_us);
    json_put_member_u64(b, "count", n->count);
    json_put_member(b, "sighting_of_ref", of);
    if (identity.n)
        put_only(b, "where_sighted_refs", identity);
}

/* Which rule it was stands in the extension: several may tell one technique. */
static void put_rule(struct buf *b, const struct packet_rule *r)
{
    json_put_name(b, "extensions");
    buf_lit(b, "{\"" STIX_TELECOM_INCIDENT "\":{\"extension_type\":\"property-extension\"");
    put_only(b, "rules", str_of(r->name));
    put_only(b, "techniques", str_of(r->technique));
    buf_lit(b, "}}");
}

bool sensor_sightings_any(const struct sensor_sightings *s)
{
    return s->any;
}

bool sensor_sightings_write(struct sensor_sightings *s, struct str identity, int64_t now_us,
                            struct err *e)
{
    size_t bytes;
    must(!s->ends);
    if (!s->failed && size_mul(s->seen_count + s->rule_count, sizeof *s->ends, &bytes))
        s->ends = base_alloc(bytes);
    if (!s->ends)
        return err_set(e, ERR_MEMORY, "no memory for the sightings");
    for (size_t i = 0; i < s->seen_count; i++) {
        struct match_indicator m = sensor_tally_get(s->tally, i);
        begin_sighting(&s->text, m.id, &s->seen[i], identity, now_us);
        put_markings(&s->text, m.tlp, m.marks);
        buf_byte(&s->text, '}');
        s->ends[s->count++] = s->text.n;
    }
    for (size_t i = 0; i < s->rule_count; i++) {
        char id[STIX_TECHNIQUE_ID_TEXT];
        struct str technique = str_of(s->rules[i].technique);
        if (!s->broken[i].count)
            continue;
        begin_sighting(&s->text, stix_fight_technique(technique, id), &s->broken[i], identity,
                       now_us);
        put_rule(&s->text, &s->rules[i]);
        buf_byte(&s->text, '}');
        s->ends[s->count++] = s->text.n;
    }
    return buf_ok(&s->text, e);
}

size_t sensor_sightings_count(const struct sensor_sightings *s)
{
    return s->count;
}

void sensor_sightings_put(const struct sensor_sightings *s, size_t first, size_t count,
                          struct buf *out)
{
    must(first + count <= s->count);
    buf_lit(out, "{\"objects\":[");
    for (size_t i = first; i < first + count; i++) {
        if (i > first)
            buf_byte(out, ',');
        buf_str(out, str_slice(buf_view(&s->text), i ? s->ends[i - 1] : 0, s->ends[i]));
    }
    buf_lit(out, "]}");
}
