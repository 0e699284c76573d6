/* Alerts as JSON lines. Fields may be added, none is ever renamed. */
#include <ctype.h>
#include <string.h>

#include "sensor/sensor.h"

static void put_text(struct buf *out, const char *name, struct str value)
{
    buf_lit(out, name);
    json_put_string(out, value);
}

static void put_or_null(struct buf *out, const char *name, struct str value)
{
    buf_lit(out, name);
    if (value.n)
        json_put_string(out, value);
    else
        buf_str(out, STR("null"));
}

/* Passes a JSON string at `at`; 0 when it is none. Escapes are those that json_put_string writes.
 */
static size_t pass_string(struct str s, size_t at)
{
    if (at >= s.n || s.p[at++] != '"')
        return 0;
    for (; at < s.n && s.p[at] != '"'; at++) {
        if ((unsigned char)s.p[at] < ' ')
            return 0;
        if (s.p[at] != '\\')
            continue;
        if (++at == s.n || !strchr("\"\\/bfnrtu", s.p[at]) || !s.p[at])
            return 0;
        for (size_t i = 1; s.p[at] == 'u' && i <= 4; i++)
            if (at + i >= s.n || !isxdigit((unsigned char)s.p[at + i]))
                return 0;
    }
    return at < s.n ? at + 1 : 0;
}

/* Labels stand in an alert as they are, and those of a compiled set may be anything: if they are an
 * array of strings. */
static bool is_labels(struct str s)
{
    size_t at = 1;
    if (s.n < 2 || s.p[0] != '[' || !utf8_valid(s))
        return false;
    if (s.p[1] == ']')
        return s.n == 2;
    while ((at = pass_string(s, at)) > 0 && at < s.n) {
        if (s.p[at] == ']')
            return at + 1 == s.n;
        if (s.p[at++] != ',')
            return false;
    }
    return false;
}

void sensor_alert_put(struct buf *out, const struct sensor_alert *a)
{
    const struct match_hit *h = a->hit;
    const struct match_indicator *m = a->indicator;
    put_text(out, "{\"time\":", a->time);
    put_text(out, ",\"input\":", a->input);
    buf_lit(out, ",\"line\":");
    buf_u64(out, a->line);
    buf_lit(out, ",\"offset\":");
    buf_u64(out, a->offset);
    put_text(out, ",\"kind\":", str_of(observable_kind_name(h->kind)));
    put_text(out, ",\"observable\":", h->observable);
    put_text(out, ",\"seen\":", h->seen);
    put_text(out, ",\"relation\":", str_of(match_relation_name(h->relation)));
    put_text(out, ",\"indicator\":", m->id);
    put_or_null(out, ",\"name\":", m->name);
    put_or_null(out, ",\"tlp\":", m->tlp);
    buf_lit(out, ",\"labels\":");
    buf_str(out, is_labels(m->labels) ? m->labels : STR("[]"));
    buf_str(out, STR("}\n"));
}
