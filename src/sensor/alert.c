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

static void put_place(struct buf *out, const struct sensor_alert *a)
{
    buf_lit(out, a->frame ? ",\"frame\":" : ",\"line\":");
    buf_u64(out, a->frame ? a->frame : a->line);
    buf_lit(out, ",\"offset\":");
    if (a->offset == UINT64_MAX)
        buf_str(out, STR("null"));
    else
        buf_u64(out, a->offset);
}

static void put_name(struct buf *out, const char *name, const char *value)
{
    put_or_null(out, name, value ? str_of(value) : STR_NONE);
}

static void put_handle(struct buf *out, const unsigned char *handle)
{
    buf_lit(out, ",\"session\":");
    if (!handle) {
        buf_str(out, STR("null"));
        return;
    }
    buf_byte(out, '"');
    buf_hex(out, handle, sizeof((struct packet_gpdu *)0)->handle);
    buf_byte(out, '"');
}

/* The node of the radio network at the tunnel's other end, or NULL. */
static const struct packet_address *ran_node(const struct packet_gpdu *g)
{
    bool access = g->joined && g->interface &&
                  (strcmp(g->interface, "n3") == 0 || strcmp(g->interface, "s1-u") == 0);
    if (!access || g->direction == PACKET_WAY_UNKNOWN)
        return NULL;
    return g->direction == PACKET_UPLINK ? &g->src : &g->dst;
}

/* Where in the network; `g` may be NULL. */
static void put_extent(struct buf *out, const struct packet_gpdu *g)
{
    char text[PACKET_ADDRESS_TEXT];
    const struct packet_address *node = g ? ran_node(g) : NULL;
    put_or_null(out, ",\"ran_node\":", node ? packet_address_text(node, text) : STR_NONE);
    buf_lit(out, ",\"sst\":");
    if (g && g->joined && g->sst >= 0)
        buf_u64(out, (uint64_t)g->sst);
    else
        buf_str(out, STR("null"));
    buf_lit(out, ",\"sd\":");
    if (g && g->joined && g->sst >= 0 && g->sd >= 0)
        buf_printf(out, "\"%06x\"", (unsigned)g->sd);
    else
        buf_str(out, STR("null"));
}

/* The tunnel it came through: what ties it to a session inside the operator's house. */
static void put_tunnel(struct buf *out, const struct packet_gpdu *g)
{
    put_name(out, ",\"interface\":", g->interface);
    put_name(out, ",\"direction\":", packet_direction_name(g->direction));
    buf_lit(out, ",\"teid\":");
    buf_u64(out, g->teid);
    buf_lit(out, ",\"qfi\":");
    if (g->qfi < 0)
        buf_str(out, STR("null"));
    else
        buf_u64(out, (uint64_t)g->qfi);
    put_handle(out, g->joined ? g->handle : NULL);
    put_extent(out, g);
}

void sensor_signal_put(struct buf *out, const struct sensor_signal *s)
{
    const struct packet_alert *a = s->alert;
    put_text(out, "{\"time\":", s->time);
    put_text(out, ",\"input\":", s->input);
    buf_lit(out, ",\"frame\":");
    buf_u64(out, a->frame);
    put_text(out, ",\"rule\":", str_of(a->rule->name));
    put_text(out, ",\"severity\":", str_of(a->rule->severity));
    put_name(out, ",\"technique\":", a->rule->technique);
    put_name(out, ",\"interface\":", a->interface);
    put_handle(out, a->has_session ? a->handle : NULL);
    put_text(out, ",\"message\":", a->message);
    put_name(out, ",\"direction\":", a->gpdu ? packet_direction_name(a->gpdu->direction) : NULL);
    buf_lit(out, ",\"teid\":");
    if (a->gpdu)
        buf_u64(out, a->gpdu->teid);
    else
        buf_str(out, STR("null"));
    put_extent(out, a->gpdu);
    buf_str(out, STR("}\n"));
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
    put_place(out, a);
    put_text(out, ",\"kind\":", str_of(observable_kind_name(h->kind)));
    put_text(out, ",\"observable\":", h->observable);
    put_text(out, ",\"seen\":", h->seen);
    put_text(out, ",\"relation\":", str_of(match_relation_name(h->relation)));
    put_text(out, ",\"indicator\":", m->id);
    put_or_null(out, ",\"name\":", m->name);
    put_or_null(out, ",\"tlp\":", m->tlp);
    buf_lit(out, ",\"labels\":");
    buf_str(out, is_labels(m->labels) ? m->labels : STR("[]"));
    if (a->frame)
        put_name(out, ",\"field\":", a->field);
    if (a->gpdu)
        put_tunnel(out, a->gpdu);
    if (a->sender)
        put_text(out, ",\"sender\":", str_of(a->sender));
    buf_str(out, STR("}\n"));
}
