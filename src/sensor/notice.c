/* Counting what an incident in a mobile core touched, from the lines of its alerts. */
#include <stdio.h>
#include <string.h>

#include "sensor/notice_priv.h"

const char *const notice_interfaces[NOTICE_INTERFACES] = {
    "n2", "n3", "n4", "n6", "n9", "s1-u", "s1-mme", "s5-u", "s8", "s11", "gn", "gp"};

/* ---- sets ---- */

#define FIRST_SLOTS 1024

static size_t slot_of(const struct notice_set *s, uint64_t key)
{
    size_t at = key & s->mask;
    while (s->slots[at] && s->slots[at] != key)
        at = (at + 1) & s->mask;
    return at;
}

/* Keeps the table at most half full. */
static bool set_room(struct notice_set *s, struct err *e)
{
    struct notice_set to = {.count = s->count,
                            .mask = s->slots ? s->mask * 2 + 1 : FIRST_SLOTS - 1};
    size_t bytes;
    if (s->slots && s->count * 2 < s->mask)
        return true;
    if (s->count >= LIMIT_SENSOR_NOTICE_KEYS)
        return err_set(e, ERR_LIMIT, "over %u sessions in one notice", LIMIT_SENSOR_NOTICE_KEYS);
    to.slots = size_mul(to.mask + 1, sizeof *to.slots, &bytes) ? base_alloc(bytes) : NULL;
    if (!to.slots)
        return err_set(e, ERR_MEMORY, "no memory to count sessions");
    for (size_t i = 0; s->slots && i <= s->mask; i++)
        if (s->slots[i])
            to.slots[slot_of(&to, s->slots[i])] = s->slots[i];
    base_free(s->slots);
    *s = to;
    return true;
}

static bool set_add(struct notice_set *s, struct str key, uint64_t seed, bool *is_new,
                    struct err *e)
{
    uint64_t hash = str_hash(key, seed);
    hash = hash ? hash : 1;
    if (!set_room(s, e))
        return false;
    uint64_t *slot = &s->slots[slot_of(s, hash)];
    *is_new = *slot == 0;
    s->count += *is_new;
    *slot = hash;
    return true;
}

static bool name_add(struct sensor_tally *t, struct str name, size_t *number, struct err *e)
{
    struct match_indicator m = {.id = name};
    if (sensor_tally_count(t) >= LIMIT_SENSOR_NOTICE_NAMES)
        return err_set(e, ERR_LIMIT, "over %u nodes, areas, slices or indicators in one notice",
                       LIMIT_SENSOR_NOTICE_NAMES);
    return sensor_tally_of(t, &m, number) || err_set(e, ERR_MEMORY, "no memory for the notice");
}

/* ---- making one ---- */

static const struct packet_rule *rule_of(const struct sensor_notice *n, struct str name)
{
    for (size_t i = 0; i < n->rule_count; i++)
        if (str_eq(name, str_of(n->rules[i].name)))
            return &n->rules[i];
    return NULL;
}

/* A name that nothing has would select nothing, and nobody would see why. */
static bool check_of(const struct sensor_notice *n, struct str of, struct err *e)
{
    struct str type;
    if (rule_of(n, of) || (stix_id_parse(of, &type, e) && str_eq(type, STR("indicator"))))
        return true;
    for (size_t i = 0; i < n->rule_count; i++)
        if (str_eq(of, str_of(n->rules[i].technique)))
            return true;
    return err_set(e, ERR_USAGE,
                   "\"%.*s\" is no rule or technique of `setu detect --5g rules` and no id of an "
                   "indicator",
                   STR_FMT(of));
}

bool sensor_notice_new(const struct sensor_notice_asked *q, struct sensor_notice **out,
                       struct err *e)
{
    struct sensor_notice *n = base_alloc(sizeof *n);
    if (!n)
        return err_set(e, ERR_MEMORY, "no memory for the notice");
    n->q = *q;
    base_random(&n->seed, sizeof n->seed);
    n->rules = packet_rules(&n->rule_count);
    n->broken = base_alloc(n->rule_count * sizeof *n->broken);
    bool ok = n->broken || err_set(e, ERR_MEMORY, "no memory for the notice");
    struct sensor_tally **all[] = {&n->indicators, &n->nodes, &n->areas, &n->plmns, &n->slices};
    for (size_t i = 0; i < sizeof all / sizeof *all && ok; i++)
        ok = sensor_tally_new(all[i], e);
    for (size_t i = 0; i < q->of_count && ok; i++)
        ok = check_of(n, q->of[i], e);
    if (ok)
        *out = n;
    else
        sensor_notice_free(n);
    return ok;
}

void sensor_notice_free(struct sensor_notice *n)
{
    if (!n)
        return;
    sensor_tally_free(n->indicators);
    sensor_tally_free(n->nodes);
    sensor_tally_free(n->areas);
    sensor_tally_free(n->plmns);
    sensor_tally_free(n->slices);
    base_free(n->users.slots);
    base_free(n->tunnels.slots);
    base_free(n->broken);
    base_free(n->hits);
    base_free(n);
}

/* ---- one alert ---- */

static bool is_wanted(const struct sensor_notice *n, const struct packet_rule *rule,
                      struct str indicator)
{
    for (size_t i = 0; i < n->q.of_count; i++) {
        struct str of = n->q.of[i];
        if (rule ? str_eq(of, str_of(rule->name)) || str_eq(of, str_of(rule->technique))
                 : str_eq(of, indicator))
            return true;
    }
    return n->q.of_count == 0;
}

static bool take_session(struct sensor_notice *n, const struct json *alert, struct str session,
                         struct err *e)
{
    struct str interface = json_get_str(alert, STR("interface"));
    struct str direction = json_get_str(alert, STR("direction"));
    const struct json *teid = json_get(alert, STR("teid"));
    bool is_new;
    char key[64];
    unsigned group = 3 * NOTICE_INTERFACES;
    if (str_eq(interface, STR("gn-u"))) /* what an alert calls its user plane */
        interface = STR("gn");
    for (unsigned i = 0; i < NOTICE_INTERFACES; i++)
        if (str_eq(interface, str_of(notice_interfaces[i]))) {
            n->interfaces[i] = true;
            group = 3 * i;
        }
    group += str_eq(direction, STR("uplink")) ? 0 : str_eq(direction, STR("downlink")) ? 1 : 2;
    if (!session.n) {
        n->sessionless++;
        return true;
    }
    if (session.n != 32)
        return err_set(e, ERR_INVALID, "a session is 32 hexadecimal digits");
    int length = snprintf(key, sizeof key, "%.*s %u %lld", STR_FMT(session), group,
                          json_is(teid, JSON_INTEGER) ? (long long)teid->u.i : -1);
    must(length > 0 && (size_t)length < sizeof key);
    if (!set_add(&n->users, session, n->seed, &is_new, e) ||
        !set_add(&n->tunnels, (struct str){key, (size_t)length}, n->seed, &is_new, e))
        return false;
    n->in_group[group] += is_new;
    return true;
}

/* Which nodes, areas and slices. */
static bool take_extent(struct sensor_notice *n, const struct json *alert, struct err *e)
{
    struct str node = json_get_str(alert, STR("ran_node")), sd = json_get_str(alert, STR("sd"));
    const struct json *sst = json_get(alert, STR("sst"));
    struct packet_ran_node known;
    char text[32];
    size_t number;
    if (node.n && !name_add(n->nodes, node, &number, e))
        return false;
    if (node.n && packet_config_gnb(n->q.config, node, &known)) {
        if (known.plmn[0] && !name_add(n->plmns, str_of(known.plmn), &number, e))
            return false;
        snprintf(text, sizeof text, "%s%s%lld", known.plmn, known.plmn[0] ? "-" : "",
                 (long long)known.area);
        if (known.area >= 0 && !name_add(n->areas, str_of(text), &number, e))
            return false;
    }
    if (!json_is(sst, JSON_INTEGER) || sst->u.i < 0 || sst->u.i > 255)
        return true;
    snprintf(text, sizeof text, "%d%s%.*s", (int)sst->u.i, sd.n == 6 ? "-" : "", sd.n == 6 ? 6 : 0,
             sd.n == 6 ? sd.p : "");
    return name_add(n->slices, str_of(text), &number, e);
}

static bool take_indicator(struct sensor_notice *n, struct str id, struct err *e)
{
    size_t number;
    void *hits = n->hits;
    if (!name_add(n->indicators, id, &number, e))
        return false;
    if (!base_grow(&hits, &n->hit_room, number + 1, sizeof *n->hits))
        return err_set(e, ERR_MEMORY, "no memory for the notice");
    n->hits = hits;
    for (; n->hit_count <= number; n->hit_count++)
        n->hits[n->hit_count] = 0;
    n->hits[number]++;
    return true;
}

bool sensor_notice_take(struct sensor_notice *n, const struct json *alert, struct err *e)
{
    struct str time = json_get_str(alert, STR("time")), name = json_get_str(alert, STR("rule"));
    struct str indicator = json_get_str(alert, STR("indicator"));
    struct instant at;
    if (!time.n || !(name.n || indicator.n) || !instant_parse(time, &at, e))
        return err_set(e, ERR_INVALID,
                       "no alert: a line that `setu detect` wrote as json has time, and rule or "
                       "indicator");
    const struct packet_rule *rule = name.n ? rule_of(n, name) : NULL;
    if (name.n && !rule)
        return err_set(e, ERR_INVALID, "there is no rule \"%.*s\": a newer sensor's alerts?",
                       STR_FMT(str_slice(name, 0, name.n < 60 ? name.n : 60)));
    int64_t us = instant_us(at);
    if (us < n->q.from_us || us >= n->q.until_us || !is_wanted(n, rule, indicator))
        return true;
    if (!take_session(n, alert, json_get_str(alert, STR("session")), e) ||
        !take_extent(n, alert, e) || (!rule && !take_indicator(n, indicator, e)))
        return false;
    if (rule)
        n->broken[rule - n->rules]++;
    if (!n->alerts || us < n->first_us)
        n->first_us = us;
    if (!n->alerts || us > n->last_us)
        n->last_us = us;
    n->alerts++;
    return true;
}

uint64_t sensor_notice_alerts(const struct sensor_notice *n)
{
    return n->alerts;
}

uint64_t notice_sessions(const struct sensor_notice *n)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < NOTICE_GROUPS; i++)
        most = n->in_group[i] > most ? n->in_group[i] : most;
    return most > n->users.count ? most : n->users.count;
}
