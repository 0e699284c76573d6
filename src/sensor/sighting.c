/* Sightings (STIX 2.1 §5.2): one for each indicator and each rule of signalling seen, with counts
 * and times and nothing else. */
#include <stdio.h>
#include <string.h>

#include "crypt/crypt.h"
#include "sensor/sensor_priv.h"

/* STIX 2.1 §5.2.1: count is an integer between 0 and 999,999,999. */
#define MOST_COUNT 999999999

struct seen {
    uint64_t count;
    int64_t first_us, last_us;
    struct str lines[LIMIT_SENSOR_EVIDENCE_LINES];
    int64_t line_us[LIMIT_SENSOR_EVIDENCE_LINES];
    size_t line_count;
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
    struct arena *evidence; /* of lines; NULL: not asked for */
    size_t evidence_bytes;
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
    arena_free(s->evidence);
    base_free(s->seen);
    base_free(s->broken);
    base_free(s->ends);
    buf_done(&s->text);
    base_free(s);
}

/* NULL: it is not counted, for want of memory. */
static struct seen *seen_of(struct sensor_sightings *s, const struct match_indicator *m)
{
    size_t number;
    void *seen = s->seen;
    s->any = true;
    if (!sensor_tally_of(s->tally, m, &number) ||
        !base_grow(&seen, &s->room, number + 1, sizeof *s->seen)) {
        s->failed = true;
        return NULL;
    }
    s->seen = seen;
    for (; s->seen_count <= number; s->seen_count++)
        s->seen[s->seen_count] = (struct seen){0};
    return &s->seen[number];
}

static void add(struct seen *n, const struct seen *more)
{
    if (n->count == 0 || more->first_us < n->first_us)
        n->first_us = more->first_us;
    if (n->count == 0 || more->last_us > n->last_us)
        n->last_us = more->last_us;
    n->count = more->count < MOST_COUNT - n->count ? n->count + more->count : MOST_COUNT;
}

void sensor_sightings_evidence(struct sensor_sightings *s)
{
    s->evidence = arena_new(2 * (size_t)LIMIT_SENSOR_EVIDENCE_TOTAL);
    s->failed = s->failed || !s->evidence;
}

/* The line around what was seen, or as much of it on both sides as may be kept. */
static struct str line_around(struct str text, struct str seen)
{
    const char *s = seen.p, *e, *end = text.p + text.n;
    size_t room = LIMIT_SENSOR_EVIDENCE_BYTES;
    size_t before = seen.n < room ? (room - seen.n) / 2 : 0;
    while (s > text.p && s[-1] != '\n' && (size_t)(seen.p - s) < before)
        s--;
    for (e = s; e < end && *e != '\n' && (size_t)(e - s) < room;)
        e++;
    return str_trim((struct str){s, (size_t)(e - s)});
}

static bool wants_line(const struct sensor_sightings *s, const struct seen *n)
{
    return s->evidence && n->line_count < LIMIT_SENSOR_EVIDENCE_LINES;
}

static void keep_line(struct sensor_sightings *s, struct seen *n, struct str line, int64_t us)
{
    if (line.n == 0 || line.n > LIMIT_SENSOR_EVIDENCE_TOTAL - s->evidence_bytes)
        return;
    for (size_t i = 0; i < n->line_count; i++)
        if (str_eq(n->lines[i], line))
            return;
    struct str kept = arena_str(s->evidence, line);
    if (!kept.p)
        return;
    s->evidence_bytes += line.n;
    n->line_us[n->line_count] = us;
    n->lines[n->line_count++] = kept;
}

void sensor_sightings_add(struct sensor_sightings *s, const struct sensor_alert *a)
{
    struct seen *n = a->indicator->stix ? seen_of(s, a->indicator) : NULL;
    if (n)
        add(n, &(struct seen){.count = 1, .first_us = a->time_us, .last_us = a->time_us});
    if (n && a->around.n && wants_line(s, n))
        keep_line(s, n, line_around(a->around, a->hit->seen), a->time_us);
}

/* What a rule of signalling says. */
void sensor_sightings_signal(struct sensor_sightings *s, const struct packet_alert *a)
{
    size_t number = (size_t)(a->rule - s->rules);
    must(number < s->rule_count);
    if (!a->rule->technique[0])
        return;
    s->any = true;
    add(&s->broken[number],
        &(struct seen){.count = 1, .first_us = a->time_us, .last_us = a->time_us});
}

/* ---- over restarts ---- */

/* As text: numbers of JSON are exact up to 2^53 only. */
static void put_number(struct buf *b, const char *name, int64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)v);
    json_put_member(b, name, str_of(text));
}

/* Base64, as in the artifact: a line may be of any bytes. */
static void save_lines(const struct seen *n, struct buf *out)
{
    json_put_name(out, "lines");
    buf_byte(out, '[');
    for (size_t i = 0; i < n->line_count; i++) {
        buf_lit(out, i ? ",{" : "{");
        put_number(out, "us", n->line_us[i]);
        buf_lit(out, ",\"payload_bin\":\"");
        crypt_base64_put(out, n->lines[i], false);
        buf_lit(out, "\"}");
    }
    buf_byte(out, ']');
}

void sensor_sightings_save(const struct sensor_sightings *s, struct buf *out)
{
    for (size_t i = 0; i < s->seen_count; i++) {
        struct match_indicator m = sensor_tally_get(s->tally, i);
        buf_byte(out, '{');
        json_put_member(out, "sighting_of", m.id);
        put_number(out, "count", (int64_t)s->seen[i].count);
        put_number(out, "first_us", s->seen[i].first_us);
        put_number(out, "last_us", s->seen[i].last_us);
        json_put_member(out, "tlp", m.tlp);
        json_put_member(out, "marks", m.marks);
        if (s->seen[i].line_count)
            save_lines(&s->seen[i], out);
        buf_lit(out, "}\n");
    }
}

static bool get_number(const struct json *doc, struct str name, int64_t *out)
{
    uint64_t v;
    if (!str_to_u64(json_get_str(doc, name), &v) || v > INT64_MAX)
        return false;
    *out = (int64_t)v;
    return true;
}

/* Lines that nobody asks for in this run go no further, but must be lines all the same. */
static bool restore_lines(struct sensor_sightings *s, struct seen *n, const struct json *lines)
{
    char text[LIMIT_SENSOR_EVIDENCE_BYTES];
    if (lines && lines->type != JSON_ARRAY)
        return false;
    for (const struct json *l = lines ? lines->u.child : NULL; l; l = l->next) {
        struct str line = {text, 0};
        int64_t us;
        if (!get_number(l, STR("us"), &us) || us < n->first_us || us > n->last_us ||
            !crypt_base64_fill(json_get_str(l, STR("payload_bin")), text, sizeof text, &line.n))
            return false;
        if (wants_line(s, n))
            keep_line(s, n, line, us);
    }
    return true;
}

static bool restore(struct sensor_sightings *s, const struct json *doc, struct err *e)
{
    struct match_indicator m = {.id = json_get_str(doc, STR("sighting_of")),
                                .tlp = json_get_str(doc, STR("tlp")),
                                .marks = json_get_str(doc, STR("marks")),
                                .stix = true};
    int64_t count;
    struct seen more = {0};
    struct str type;
    if (!stix_id_parse(m.id, &type, e))
        return false;
    if (!get_number(doc, STR("count"), &count) ||
        !get_number(doc, STR("first_us"), &more.first_us) ||
        !get_number(doc, STR("last_us"), &more.last_us))
        return err_set(e, ERR_INVALID, "a sighting in it is none that setu wrote");
    more.count = (uint64_t)count;
    struct seen *n = seen_of(s, &m);
    if (!n)
        return err_set(e, ERR_MEMORY, "no memory for the sightings");
    add(n, &more);
    return restore_lines(s, n, json_get(doc, STR("lines"))) ||
           err_set(e, ERR_INVALID, "a line in it is none that setu wrote");
}

bool sensor_sightings_restore(struct sensor_sightings *s, struct str lines, struct err *e)
{
    struct json_reader *reader = json_reader_new();
    struct arena *scratch = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool ok = (reader && scratch) || err_set(e, ERR_MEMORY, "no memory for the sightings");
    while (lines.n && ok) {
        const struct json *doc;
        struct str line = str_cut(&lines, '\n');
        arena_reset(scratch);
        ok = json_parse(reader, scratch, line, false, &doc, e) && restore(s, doc, e);
    }
    arena_free(scratch);
    json_reader_free(reader);
    return ok;
}

/* ---- writing ---- */

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

#define ID_BYTES (sizeof "observed-data--" + CRYPT_UUID_TEXT)

static void put_head(struct buf *b, const char *type, char id[ID_BYTES])
{
    int n = snprintf(id, ID_BYTES, "%s--", type);
    must(n > 0);
    crypt_uuid4(id + n);
    buf_byte(b, '{');
    json_put_member(b, "type", str_of(type));
    json_put_member(b, "spec_version", STR("2.1"));
    json_put_member(b, "id", str_of(id));
}

/* STIX 2.1 §6.1: the line as it stood, whatever its bytes are. Its id is random, though §2.9
 * prefers one made of the content: who may see the id alone could test guesses of the line. */
static void put_artifact(struct buf *b, const struct match_indicator *m, struct str line,
                         char id[ID_BYTES])
{
    put_head(b, "artifact", id);
    json_put_member(b, "mime_type", STR("text/plain"));
    buf_lit(b, ",\"payload_bin\":\"");
    crypt_base64_put(b, line, false);
    buf_byte(b, '"');
    put_markings(b, m->tlp, m->marks);
    buf_lit(b, "},");
}

/* STIX 2.1 §4.14, and before it what it refers to; a comma behind. */
static void put_evidence(struct buf *b, const struct match_indicator *m, const struct seen *n,
                         struct str identity, int64_t now_us, char id[ID_BYTES])
{
    char refs[LIMIT_SENSOR_EVIDENCE_LINES][ID_BYTES];
    int64_t first_us = n->line_us[0], last_us = first_us;
    for (size_t i = 0; i < n->line_count; i++) {
        put_artifact(b, m, n->lines[i], refs[i]);
        first_us = n->line_us[i] < first_us ? n->line_us[i] : first_us;
        last_us = n->line_us[i] > last_us ? n->line_us[i] : last_us;
    }
    put_head(b, "observed-data", id);
    if (identity.n)
        json_put_member(b, "created_by_ref", identity);
    put_time(b, "created", now_us);
    put_time(b, "modified", now_us);
    put_time(b, "first_observed", first_us);
    put_time(b, "last_observed", last_us);
    json_put_member_u64(b, "number_observed", n->line_count);
    json_put_name(b, "object_refs");
    for (size_t i = 0; i < n->line_count; i++) {
        buf_byte(b, i ? ',' : '[');
        json_put_string(b, str_of(refs[i]));
    }
    buf_byte(b, ']');
    put_markings(b, m->tlp, m->marks);
    buf_lit(b, "},");
}

static void begin_sighting(struct buf *b, struct str of, const struct seen *n, struct str identity,
                           struct str evidence, int64_t now_us)
{
    char id[ID_BYTES];
    put_head(b, "sighting", id);
    if (identity.n)
        json_put_member(b, "created_by_ref", identity);
    put_time(b, "created", now_us);
    put_time(b, "modified", now_us);
    put_time(b, "first_seen", n->first_us);
    put_time(b, "last_seen", n->last_us);
    json_put_member_u64(b, "count", n->count);
    json_put_member(b, "sighting_of_ref", of);
    if (evidence.n)
        put_only(b, "observed_data_refs", evidence);
    if (identity.n)
        put_only(b, "where_sighted_refs", identity);
}

/* Of users' signalling the minutes are told and no more: an instant may be enough to find a user.
 */
static struct seen in_minutes(const struct seen *n)
{
    const int64_t minute = 60000000;
    struct seen m = *n;
    m.first_us -= m.first_us % minute;
    m.last_us += (minute - m.last_us % minute) % minute;
    return m;
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
        char evidence[ID_BYTES] = "";
        if (s->seen[i].line_count)
            put_evidence(&s->text, &m, &s->seen[i], identity, now_us, evidence);
        begin_sighting(&s->text, m.id, &s->seen[i], identity, str_of(evidence), now_us);
        put_markings(&s->text, m.tlp, m.marks);
        buf_byte(&s->text, '}');
        s->ends[s->count++] = s->text.n;
    }
    for (size_t i = 0; i < s->rule_count; i++) {
        char id[STIX_TECHNIQUE_ID_TEXT];
        struct str technique = str_of(s->rules[i].technique);
        if (!s->broken[i].count)
            continue;
        struct seen minutes = in_minutes(&s->broken[i]);
        begin_sighting(&s->text, stix_fight_technique(technique, id), &minutes, identity, STR_NONE,
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
