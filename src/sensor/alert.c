/* Alerts as JSON lines. Fields may be added, none is ever renamed. */
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
    buf_str(out, m->labels.n ? m->labels : STR("[]"));
    buf_str(out, STR("}\n"));
}
