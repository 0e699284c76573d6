/* Alerts in the forms of others: the Elastic Common Schema, OCSF, CEF. What a form has no place for
 * stands in a part of our own. */
#include <ctype.h>
#include <string.h>

#include "sensor/sensor.h"

#define ECS_VERSION  "8.11.0"
#define OCSF_VERSION "1.3.0"

bool sensor_format_parse(struct str name, enum sensor_format *out)
{
    static const char *const names[] = {"json", "ecs", "ocsf", "cef"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, str_of(names[i]))) {
            *out = (enum sensor_format)i;
            return true;
        }
    return false;
}

/* ---- what is told of both kinds of alert ---- */

struct telling {
    struct str time, input, title, uid, ours; /* ours: the line of --format json */
    int64_t time_us;
    uint64_t line, frame;             /* 0: not known */
    const char *severity;             /* high, medium, low; NULL: nobody has said */
    const struct sensor_alert *alert; /* or NULL: a rule of signalling */
};

/* Is it a text, and not null? */
static void put_member_if(struct buf *b, const char *name, struct str value)
{
    if (value.n)
        json_put_member(b, name, value);
}

static void put_name(struct buf *b, const char *name)
{
    json_put_name(b, name);
}

/* ---- ECS ---- */

static const char *ecs_type(enum observable_kind kind)
{
    switch (kind) {
    case OBSERVABLE_IPV4:
        return "ipv4-addr";
    case OBSERVABLE_IPV6:
        return "ipv6-addr";
    case OBSERVABLE_DOMAIN:
        return "domain-name";
    case OBSERVABLE_URL:
        return "url";
    case OBSERVABLE_EMAIL:
        return "email-addr";
    case OBSERVABLE_MD5:
    case OBSERVABLE_SHA1:
    case OBSERVABLE_SHA256:
    case OBSERVABLE_SHA512:
        return "file";
    }
    return "file";
}

static void ecs_value(struct buf *b, const struct match_hit *h)
{
    switch (h->kind) {
    case OBSERVABLE_IPV4:
    case OBSERVABLE_IPV6:
        json_put_member(b, "ip", h->observable);
        return;
    case OBSERVABLE_DOMAIN:
        put_name(b, "url");
        buf_byte(b, '{');
        json_put_member(b, "domain", h->observable);
        break;
    case OBSERVABLE_URL:
        put_name(b, "url");
        buf_byte(b, '{');
        json_put_member(b, "full", h->observable);
        break;
    case OBSERVABLE_EMAIL:
        put_name(b, "email");
        buf_byte(b, '{');
        json_put_member(b, "address", h->observable);
        break;
    case OBSERVABLE_MD5:
    case OBSERVABLE_SHA1:
    case OBSERVABLE_SHA256:
    case OBSERVABLE_SHA512:
        put_name(b, "file");
        buf_lit(b, "{\"hash\":{");
        json_put_member(b, observable_kind_name(h->kind), h->observable);
        buf_byte(b, '}');
        break;
    }
    buf_byte(b, '}');
}

/* threat.enrichments: what matched, and the indicator that it matched. */
static void ecs_threat(struct buf *b, const struct sensor_alert *a)
{
    const struct match_indicator *m = a->indicator;
    put_name(b, "threat");
    buf_lit(b, "{\"enrichments\":[{\"matched\":{");
    json_put_member(b, "atomic", a->hit->observable);
    json_put_member(b, "type", STR("indicator_match_rule"));
    buf_lit(b, "},\"indicator\":{");
    json_put_member(b, "type", str_of(ecs_type(a->hit->kind)));
    put_name(b, "id");
    buf_byte(b, '[');
    json_put_string(b, m->id);
    buf_byte(b, ']');
    put_member_if(b, "name", m->name);
    if (m->tlp.n) { /* ECS names them in capitals */
        put_name(b, "marking");
        buf_lit(b, "{\"tlp\":\"");
        for (size_t i = 0; i < m->tlp.n; i++)
            buf_byte(b, (char)toupper((unsigned char)m->tlp.p[i]));
        buf_lit(b, "\"}");
    }
    ecs_value(b, a->hit);
    buf_lit(b, "}}]}");
}

static void put_ecs(struct buf *b, const struct telling *t)
{
    buf_byte(b, '{');
    json_put_member(b, "@timestamp", t->time);
    json_put_member(b, "message", t->title);
    buf_lit(b, ",\"ecs\":{\"version\":\"" ECS_VERSION "\"},\"event\":{\"kind\":\"alert\","
               "\"category\":[\"threat\"],\"type\":[\"indicator\"],\"dataset\":\"setu.detect\"");
    json_put_member(b, "id", t->uid);
    buf_byte(b, '}');
    if (!t->alert || !t->alert->sender) {
        buf_lit(b, ",\"log\":{\"file\":{");
        json_put_member(b, "path", t->input);
        buf_lit(b, "}}");
    }
    if (t->alert)
        ecs_threat(b, t->alert);
    put_name(b, "setu");
    buf_str(b, t->ours);
    buf_lit(b, "}\n");
}

/* ---- OCSF: Detection Finding ---- */

static void ocsf_observable(struct buf *b, const struct match_hit *h)
{
    static const struct {
        unsigned id;
        const char *type;
    } types[OBSERVABLE_KINDS] = {{2, "IP Address"}, {2, "IP Address"},    {1, "Hostname"},
                                 {6, "URL String"}, {5, "Email Address"}, {8, "Hash"},
                                 {8, "Hash"},       {8, "Hash"},          {8, "Hash"}};
    put_name(b, "observables");
    buf_lit(b, "[{\"name\":\"unmapped.observable\"");
    json_put_member_u64(b, "type_id", types[h->kind].id);
    json_put_member(b, "type", str_of(types[h->kind].type));
    json_put_member(b, "value", h->observable);
    buf_lit(b, "}]");
}

/* severity_id: 0 unknown, 2 low, 3 medium, 4 high */
static unsigned ocsf_severity(const char *s)
{
    if (!s)
        return 0;
    return strcmp(s, "high") == 0 ? 4 : strcmp(s, "medium") == 0 ? 3 : 2;
}

static void put_ocsf(struct buf *b, const struct telling *t)
{
    buf_lit(b, "{\"class_uid\":2004,\"class_name\":\"Detection Finding\",\"category_uid\":2,"
               "\"category_name\":\"Findings\",\"activity_id\":1,\"activity_name\":\"Create\","
               "\"type_uid\":200401,\"status_id\":1");
    json_put_member_u64(b, "time", (uint64_t)(t->time_us / 1000));
    json_put_member_u64(b, "severity_id", ocsf_severity(t->severity));
    buf_lit(b,
            ",\"metadata\":{\"version\":\"" OCSF_VERSION
            "\",\"product\":{\"name\":\"Setu\",\"vendor_name\":\"Setu\",\"version\":\"" SETU_VERSION
            "\"}");
    json_put_member(b, "log_name", t->input);
    buf_lit(b, "},\"finding_info\":{");
    json_put_member(b, "uid", t->uid);
    json_put_member(b, "title", t->title);
    buf_byte(b, '}');
    if (t->alert)
        ocsf_observable(b, t->alert->hit);
    put_name(b, "unmapped");
    buf_str(b, t->ours);
    buf_lit(b, "}\n");
}

/* ---- CEF ---- */

/* In the header a bar and a backslash are escaped, in the extension an equals sign and a backslash;
 * a line break is \n. Other control characters, which no reader expects, are blanks. */
static void put_cef(struct buf *b, struct str s, char mark)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' || c == mark)
            buf_byte(b, '\\');
        if (c == '\n')
            buf_lit(b, mark == '=' ? "\\n" : " ");
        else
            buf_byte(b, (unsigned char)c < ' ' || c == 0x7F ? ' ' : c);
    }
}

static void cef_field(struct buf *b, const char *name, struct str value)
{
    if (!value.n)
        return;
    buf_byte(b, ' ');
    buf_lit(b, name);
    buf_byte(b, '=');
    put_cef(b, value, '=');
}

/* One of the six texts that a device may name itself. */
static void cef_custom(struct buf *b, int n, const char *label, struct str value)
{
    if (!value.n)
        return;
    buf_printf(b, " cs%dLabel=%s", n, label);
    buf_printf(b, " cs%d=", n);
    put_cef(b, value, '=');
}

static void put_cef_line(struct buf *b, const struct telling *t)
{
    const struct sensor_alert *a = t->alert;
    const char *severity = !t->severity                         ? "Unknown"
                           : strcmp(t->severity, "high") == 0   ? "High"
                           : strcmp(t->severity, "medium") == 0 ? "Medium"
                                                                : "Low";
    buf_lit(b, "CEF:0|Setu|detect|" SETU_VERSION "|");
    put_cef(b, a ? a->indicator->id : t->title, '|');
    buf_byte(b, '|');
    put_cef(b, t->title, '|');
    buf_printf(b, "|%s|rt=%lld", severity, (long long)(t->time_us / 1000));
    /* 40 characters at the most: of the place and the indicator a hash. */
    buf_printf(b, " externalId=%016llx", (unsigned long long)str_hash(t->uid, 0));
    cef_field(b, "filePath", t->input);
    if (t->line)
        buf_printf(b, " cn1Label=line cn1=%llu", (unsigned long long)t->line);
    if (t->frame)
        buf_printf(b, " cn1Label=frame cn1=%llu", (unsigned long long)t->frame);
    if (a) {
        cef_custom(b, 1, "observable", a->hit->observable);
        cef_custom(b, 2, "kind", str_of(observable_kind_name(a->hit->kind)));
        cef_custom(b, 3, "relation", str_of(match_relation_name(a->hit->relation)));
        cef_custom(b, 4, "tlp", a->indicator->tlp);
        cef_field(b, "msg", a->hit->seen);
    }
    buf_byte(b, '\n');
}

/* ---- the doors ---- */

static void put(struct buf *out, enum sensor_format format, const struct telling *t)
{
    switch (format) {
    case SENSOR_JSON:
        buf_str(out, t->ours);
        buf_byte(out, '\n');
        break;
    case SENSOR_ECS:
        put_ecs(out, t);
        break;
    case SENSOR_OCSF:
        put_ocsf(out, t);
        break;
    case SENSOR_CEF:
        put_cef_line(out, t);
        break;
    }
}

void sensor_alert_put_as(struct buf *out, enum sensor_format format, const struct sensor_alert *a)
{
    struct buf ours, uid, title;
    const struct match_indicator *m = a->indicator;
    if (format == SENSOR_JSON) {
        sensor_alert_put(out, a);
        return;
    }
    buf_init(&ours, 0);
    buf_init(&uid, 0);
    buf_init(&title, 0);
    sensor_alert_put(&ours, a);
    buf_printf(&uid, "%.*s:%llu:%llu:%.*s", STR_FMT(a->input),
               (unsigned long long)(a->frame ? a->frame : a->line), (unsigned long long)a->offset,
               STR_FMT(m->id));
    buf_printf(&title, "%.*s: %.*s", STR_FMT(m->name.n ? m->name : m->id),
               STR_FMT(a->hit->observable));
    struct telling t = {.time = a->time,
                        .input = a->input,
                        .title = buf_view(&title),
                        .uid = buf_view(&uid),
                        .ours = str_trim(buf_view(&ours)),
                        .time_us = a->time_us,
                        .line = a->frame ? 0 : a->line,
                        .frame = a->frame,
                        .alert = a};
    put(out, format, &t);
    if (ours.failed || uid.failed || title.failed)
        out->failed = ERR_MEMORY;
    buf_done(&ours);
    buf_done(&uid);
    buf_done(&title);
}

void sensor_signal_put_as(struct buf *out, enum sensor_format format, const struct sensor_signal *s)
{
    struct buf ours, uid;
    struct instant at;
    struct err ignored;
    if (format == SENSOR_JSON) {
        sensor_signal_put(out, s);
        return;
    }
    buf_init(&ours, 0);
    buf_init(&uid, 0);
    sensor_signal_put(&ours, s);
    buf_printf(&uid, "%.*s:%llu:%s", STR_FMT(s->input), (unsigned long long)s->alert->frame,
               s->alert->rule->name);
    struct telling t = {.time = s->time,
                        .input = s->input,
                        .title = str_of(s->alert->rule->name),
                        .uid = buf_view(&uid),
                        .ours = str_trim(buf_view(&ours)),
                        .time_us = instant_parse(s->time, &at, &ignored) ? instant_us(at) : 0,
                        .frame = s->alert->frame,
                        .severity = s->alert->rule->severity};
    put(out, format, &t);
    if (ours.failed || uid.failed)
        out->failed = ERR_MEMORY;
    buf_done(&ours);
    buf_done(&uid);
}
