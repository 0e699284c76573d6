/* The decoder: what it is made of, and how findings reach the visitor. */
#include <stdio.h>

#include "packet/pfcp_priv.h"
#include "packet/rules_priv.h"
#include "packet/session_priv.h"

bool packet_decoder_new(const struct packet_options *o, struct packet_decoder **out, struct err *e)
{
    must(o->event != NULL);
    struct packet_decoder *d = base_alloc(sizeof *d);
    if (d) {
        d->options = *o;
        d->seed = o->seed;
        d->quiet_round = 1;
        if (!d->seed)
            base_random(&d->seed, sizeof d->seed);
        d->fragments = fragments_new();
        d->messages = messages_new();
        d->streams = streams_new();
        d->sessions = sessions_new(d, o->sessions_max ? o->sessions_max : LIMIT_PACKET_SESSIONS);
        d->asked = asked_new();
        d->rules = rules_new(d);
    }
    if (!d || !d->fragments || !d->messages || !d->streams || !d->sessions || !d->asked ||
        !d->rules) {
        packet_decoder_free(d);
        return err_set(e, ERR_MEMORY, "no memory to decode packets");
    }
    *out = d;
    return true;
}

void packet_decoder_free(struct packet_decoder *d)
{
    if (!d)
        return;
    fragments_free(d->fragments);
    messages_free(d->messages);
    streams_free(d->streams);
    sessions_free(d->sessions);
    asked_free(d->asked);
    rules_free(d->rules);
    base_free(d);
}

void packet_decode(struct packet_decoder *d, const struct packet_frame *f)
{
    struct walk w = {.d = d, .frame = f};
    gtpu_soon(d, f);
    d->figures.frames++;
    rules_time(d->rules, f->time_us);
    if (f->n < f->wire_bytes)
        walk_anomaly(&w, PACKET_CUT_SHORT);
    link_decode(&w, f->link, cursor_of(f->p, f->n));
}

void packet_tell_again(struct packet_decoder *d)
{
    if (++d->quiet_round)
        return;
    sessions_forget_near(d->sessions); /* where rounds of long ago are kept */
    d->quiet_round = 1;
}

void packet_decode_end(struct packet_decoder *d)
{
    rules_end(d->rules);
}

const struct packet_figures *packet_figures(const struct packet_decoder *d)
{
    return &d->figures;
}

size_t packet_sessions_bytes(const struct packet_decoder *d)
{
    return sessions_bytes(d->sessions);
}

/* ---- to the visitor ---------------------------------------------------------------------- */

static struct packet_event event_of(const struct walk *w, enum packet_event_kind kind)
{
    return (struct packet_event){.kind = kind,
                                 .frame = w->frame->number,
                                 .time_us = w->frame->time_us,
                                 .depth = w->depth,
                                 .ip = w->ip,
                                 .gpdu = w->gpdu};
}

static bool send(const struct walk *w, const struct packet_event *v)
{
    return w->d->options.event(w->d->options.ctx, v);
}

void walk_anomaly(struct walk *w, enum packet_anomaly a)
{
    w->d->figures.anomalies[a]++;
    if (!walk_wants(w, PACKET_EVENT_ANOMALY))
        return;
    struct packet_event v = event_of(w, PACKET_EVENT_ANOMALY);
    v.anomaly = a;
    send(w, &v);
}

void walk_text(struct walk *w, enum packet_field field, struct str text, const unsigned char *at)
{
    const struct packet_frame *f = w->frame;
    struct packet_event v = event_of(w, PACKET_EVENT_TEXT);
    uintptr_t start = (uintptr_t)f->p, place = (uintptr_t)at;
    bool inside = at && place >= start && place - start < f->n;
    struct packet_text t = {field, text, inside ? place - start : PACKET_NOWHERE};
    v.text = &t;
    if (text.n)
        send(w, &v);
}

void walk_message(struct walk *w, const struct packet_message *m)
{
    w->d->figures.messages[m->protocol]++;
    if (!walk_wants(w, PACKET_EVENT_MESSAGE))
        return;
    struct packet_event v = event_of(w, PACKET_EVENT_MESSAGE);
    v.message = m;
    send(w, &v);
}

void walk_gpdu(struct walk *w, const struct packet_gpdu *g)
{
    struct packet_event v = event_of(w, PACKET_EVENT_GPDU);
    v.gpdu = g;
    send(w, &v);
}

/* Whom the user speaks with; false: this is not between one of IPv4 and others. */
static bool far_of(const struct found_tunnel *f, const struct packet_ip *ip, uint32_t *far)
{
    uint32_t user, src, dst;
    memcpy(&user, f->v4, sizeof user);
    memcpy(&src, ip->src.b, sizeof src);
    memcpy(&dst, ip->dst.b, sizeof dst);
    *far = user == src ? dst : src;
    return f->has_v4 && ip->src.n == 4 && (user == src || user == dst);
}

/* A user speaks with the same one for a while. */
bool walk_ip(struct walk *w, const struct packet_ip *ip)
{
    struct packet_event v = event_of(w, PACKET_EVENT_IP);
    struct found_tunnel *f = w->depth == 1 ? w->user : NULL;
    uint32_t far = 0;
    v.ip = ip;
    if (!f || f->quiet_round != w->d->quiet_round || !far_of(f, ip, &far))
        return send(w, &v);
    if (!f->quiet_user || f->quiet_far != far)
        f->quiet_user = send(w, &v);
    f->quiet_far = far;
    return f->quiet_user;
}

void decoder_alert(struct packet_decoder *d, const struct packet_alert *a)
{
    struct packet_event v = {
        .kind = PACKET_EVENT_ALERT, .frame = a->frame, .time_us = a->time_us, .alert = a};
    d->options.event(d->options.ctx, &v);
}

uint64_t walk_scope(const struct walk *w)
{
    if (!w->gpdu)
        return 0;
    return tunnel_end_hash(&w->gpdu->dst, w->gpdu->teid, w->depth);
}

/* ---- names ------------------------------------------------------------------------------- */

struct str packet_address_text(const struct packet_address *a, char out[PACKET_ADDRESS_TEXT])
{
    size_t n = a->n == 4    ? observable_text_ipv4(a->b, out)
               : a->n == 16 ? observable_text_ipv6(a->b, out)
                            : 0;
    return (struct str){out, n};
}

const char *packet_field_name(enum packet_field f)
{
    switch (f) {
    case PACKET_DNS_NAME:
        return "dns";
    case PACKET_DNS_ADDRESS:
        return "dns-address";
    case PACKET_HTTP_URL:
        return "http";
    case PACKET_TLS_SNI:
        return "sni";
    }
    must(false);
}

const char *packet_direction_name(enum packet_direction d)
{
    switch (d) {
    case PACKET_WAY_UNKNOWN:
        return NULL;
    case PACKET_UPLINK:
        return "uplink";
    case PACKET_DOWNLINK:
        return "downlink";
    }
    must(false);
}

const char *packet_protocol_name(enum packet_protocol p)
{
    static const char *const names[PACKET_PROTOCOLS] = {"gtpu",      "gtpv0", "gtpv1c", "gtpv2c",
                                                        "gtp-prime", "pfcp",  "ngap"};
    return names[p];
}

const char *packet_anomaly_name(enum packet_anomaly a)
{
    static const char *const names[] = {
#define X(name, text, sentence) text,
        PACKET_ANOMALY_TABLE(X)
#undef X
    };
    return names[a];
}

const char *packet_anomaly_text(enum packet_anomaly a)
{
    static const char *const sentences[] = {
#define X(name, text, sentence) sentence,
        PACKET_ANOMALY_TABLE(X)
#undef X
    };
    return sentences[a];
}
