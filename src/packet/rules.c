/* The table of rules, what they remember, and how they speak. */
#include <stdio.h>

#include "packet/rules_priv.h"
#include "packet/session_priv.h"

static const struct packet_rule table[] = {
#define X(name, id, text, interface, severity, technique, condition, exceptions, source)           \
    {id, text, interface, severity, technique, condition, exceptions, source},
    PACKET_RULE_TABLE(X)
#undef X
};

const struct packet_rule *packet_rules(size_t *count)
{
    *count = RULES;
    return table;
}

struct rules *rules_new(struct packet_decoder *d)
{
    struct rules *r = base_alloc(sizeof *r);
    if (!r)
        return NULL;
    r->d = d;
    r->config = config_or_default(d->options.config);
    r->peers = base_alloc(LIMIT_PACKET_PEERS * sizeof *r->peers);
    r->associations = base_alloc(ASSOCIATIONS * sizeof *r->associations);
    r->ues = base_alloc(LIMIT_PACKET_UES * sizeof *r->ues);
    r->known = base_alloc(LIMIT_PACKET_UES * sizeof *r->known);
    if (r->peers && r->associations && r->ues && r->known)
        return r;
    rules_free(r);
    return NULL;
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    base_free(r->peers);
    base_free(r->associations);
    base_free(r->ues);
    base_free(r->known);
    base_free(r);
}

void rules_time(struct rules *r, int64_t now_us)
{
    r->now_us = now_us;
    if (!r->first_us)
        r->first_us = now_us;
    if (r->suspect_count == 0 || now_us < r->decide_us)
        return;
    suspects_decide(r, false);
    r->decide_us = now_us + 1000000;
}

void rules_end(struct rules *r)
{
    suspects_decide(r, true);
}

/* ---- counting ---------------------------------------------------------------------------- */

bool burst_count(struct burst *b, uint64_t most, int64_t now_us)
{
    b->at[b->next++ % BURST_MOST] = now_us;
    if (most > BURST_MOST)
        most = BURST_MOST;
    if (b->next < most)
        return false;
    int64_t first = b->at[(b->next - most) % BURST_MOST];
    if (now_us - first > WINDOW_US || (b->told_us && now_us - b->told_us < SILENCE_US))
        return false;
    b->told_us = now_us;
    return true;
}

/* Goes on to the tenth of a second that it is now. A second that is over counts for the usual. */
static void rate_move(struct rate *r, int64_t tenth)
{
    int64_t steps = tenth - r->tenth;
    if (steps < -10 * 60) { /* one frame of the future is not to hold up all that follow */
        memset(r->tenths, 0, sizeof r->tenths);
        r->sum = 0;
        r->tenth = tenth;
    }
    if (steps < 0)
        return;
    if (steps >= 10) {
        memset(r->tenths, 0, sizeof r->tenths);
        r->sum = 0;
        for (int64_t s = 0; s < steps / 10 && s < 600; s++)
            r->usual -= r->usual / 120;
    } else {
        for (int64_t t = r->tenth + 1; t <= tenth; t++) {
            r->sum -= r->tenths[t % 10];
            r->tenths[t % 10] = 0;
            r->usual += ((double)r->sum - r->usual) / 1200;
        }
    }
    r->tenth = tenth;
}

bool rate_count(struct rate *r, uint64_t floor, int64_t now_us)
{
    int64_t tenth = now_us / 100000;
    rate_move(r, tenth);
    if (tenth >= r->tenth && r->tenths[tenth % 10] < UINT16_MAX) {
        r->tenths[tenth % 10]++;
        r->sum++;
    }
    if (r->sum <= floor || r->sum <= 10 * r->usual ||
        (r->told_us && now_us - r->told_us < SILENCE_US))
        return false;
    r->told_us = now_us;
    return true;
}

/* ---- peers ------------------------------------------------------------------------------- */

static struct peer *peer_set(struct rules *r, const struct packet_address *a)
{
    uint64_t h = address_hash(a, r->d->seed);
    return r->peers + h % (LIMIT_PACKET_PEERS / RULE_WAYS) * RULE_WAYS;
}

struct peer *peer_find(struct rules *r, const struct packet_address *a)
{
    struct peer *set = peer_set(r, a);
    for (size_t k = 0; k < RULE_WAYS; k++)
        if (address_eq(&set[k].a, a))
            return set + k;
    return NULL;
}

static bool of_network(const struct peer *p)
{
    return p->associated || p->gnb || p->set_up || p->amf;
}

struct peer *peer_of(struct rules *r, const struct packet_address *a)
{
    struct peer *set = peer_set(r, a), *worst = set;
    for (size_t k = 0; k < RULE_WAYS; k++) {
        struct peer *p = set + k;
        if (address_eq(&p->a, a)) {
            p->seen_us = r->now_us;
            return p;
        }
        if (of_network(p) != of_network(worst) ? of_network(worst) : p->seen_us < worst->seen_us)
            worst = p;
    }
    memset(worst, 0, sizeof *worst);
    worst->a = *a;
    worst->seen_us = r->now_us;
    return worst;
}

/* ---- speaking ---------------------------------------------------------------------------- */

const char *rule_address(const struct packet_decoder *d, struct rule_text *t,
                         const struct packet_address *a)
{
    const struct peer *p = peer_find(d->rules, a);
    /* Addresses of users may be those of nodes too, in other networks: nodes are named. */
    if (!(p && of_network(p)) && sessions_is_user(d->sessions, a))
        return "a user";
    struct str s = packet_address_text(a, t->p);
    t->p[s.n < sizeof t->p ? s.n : sizeof t->p - 1] = '\0';
    return t->p;
}

#define ALERT_BYTES 400

static struct packet_alert alert_of(const struct walk *w, enum rule rule, const char *text)
{
    return (struct packet_alert){.rule = &table[rule],
                                 .frame = w->frame->number,
                                 .source = w->frame->source,
                                 .time_us = w->frame->time_us,
                                 .interface = table[rule].interface,
                                 .gpdu = w->gpdu,
                                 .message = str_of(text)};
}

void rule_alert(struct walk *w, enum rule rule, const char *interface, const char *fmt, ...)
{
    char text[ALERT_BYTES] = "";
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct packet_alert a = alert_of(w, rule, text);
    if (w->gpdu && w->gpdu->joined) {
        a.has_session = true;
        memcpy(a.handle, w->gpdu->handle, sizeof a.handle);
        if (w->gpdu->interface)
            a.interface = w->gpdu->interface;
    }
    if (interface)
        a.interface = interface;
    decoder_alert(w->d, &a);
}

void rule_alert_session(struct walk *w, enum rule rule, const unsigned char handle[16],
                        const char *fmt, ...)
{
    char text[ALERT_BYTES] = "";
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct packet_alert a = alert_of(w, rule, text);
    a.has_session = true;
    memcpy(a.handle, handle, sizeof a.handle);
    decoder_alert(w->d, &a);
}

/* P3 waits: for an accepted establishment, which makes the node a peer; for answers that make it a
 * guesser (P2, which is then all that is said). Where the UPF has no peer yet, the capture has
 * begun in the middle, and only its end tells. */
void suspects_decide(struct rules *r, bool at_end)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->suspect_count; i++) {
        struct suspect *s = &r->suspects[i];
        const struct peer *src = peer_find(r, &s->src), *dst = peer_find(r, &s->dst);
        bool ripe = at_end || r->now_us - s->time_us > WINDOW_US;
        bool peer = src && (src->associated || src->alternative);
        if (ripe && dst && dst->associated && !peer && !s->guesses && !s->told) {
            struct rule_text from, to;
            char text[200];
            int n = snprintf(text, sizeof text, "%s has no association with %s",
                             rule_address(r->d, &from, &s->src), rule_address(r->d, &to, &s->dst));
            struct packet_alert a = {.rule = &table[RULE_UNASSOCIATED],
                                     .frame = s->frame,
                                     .source = s->source,
                                     .time_us = s->time_us,
                                     .interface = "n4",
                                     .message = {text, n < 0 ? 0 : strlen(text)}};
            s->told = true;
            decoder_alert(r->d, &a);
        }
        /* Told ones stay for a while, so that one flood is one alert. */
        bool stay = !peer && (s->told || s->guesses ? r->now_us - s->time_us < SILENCE_US : true);
        if (stay && !at_end)
            r->suspects[kept++] = *s;
    }
    r->suspect_count = kept;
}
