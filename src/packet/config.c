/* The configuration of the rules: lines of words. */
#include "packet/config_priv.h"

#define X(name, text, value, what) [CONFIG_##name] = value,
static const struct packet_config standard = {.limits = {PACKET_LIMIT_TABLE(X)}};
#undef X

static const char *const limit_names[] = {
#define X(name, text, value, what) text,
    PACKET_LIMIT_TABLE(X)
#undef X
};

const struct packet_config *config_or_default(const struct packet_config *c)
{
    return c ? c : &standard;
}

static bool prefix_holds(const struct config_prefix *p, const struct packet_address *a)
{
    unsigned whole = p->bits / 8, rest = p->bits % 8;
    if (p->address.n != a->n || memcmp(p->address.b, a->b, whole) != 0)
        return false;
    return rest == 0 || (p->address.b[whole] ^ a->b[whole]) >> (8 - rest) == 0;
}

bool config_holds(const struct config_prefix *list, size_t count, const struct packet_address *a)
{
    for (size_t i = 0; i < count; i++)
        if (prefix_holds(&list[i], a))
            return true;
    return false;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* The next word; empty at the end of the line. */
static struct str word_take(struct str *line)
{
    *line = str_trim(*line);
    size_t n = 0;
    while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
        n++;
    struct str word = str_slice(*line, 0, n);
    *line = str_from(*line, n);
    return word;
}

static bool address_read(struct str text, struct packet_address *out)
{
    unsigned char v4[4], v6[16];
    if (observable_parse_ipv4(text, v4))
        *out = address_of(v4, sizeof v4);
    else if (observable_parse_ipv6(text, v6))
        *out = address_of(v6, sizeof v6);
    else
        return false;
    return true;
}

static bool prefix_read(struct str text, struct config_prefix *out, struct err *e)
{
    struct str rest = text, address = str_cut(&rest, '/');
    uint64_t bits;
    if (!address_read(address, &out->address))
        return err_set(e, ERR_SYNTAX, "%.*s is no address", STR_FMT(text));
    bits = out->address.n * 8u;
    if (rest.p && (!str_to_u64(rest, &bits) || bits > out->address.n * 8u))
        return err_set(e, ERR_SYNTAX, "%.*s is no prefix", STR_FMT(text));
    out->bits = (unsigned)bits;
    return true;
}

static bool prefix_add(struct config_prefix **list, size_t *count, size_t *room, struct str text,
                       struct err *e)
{
    struct config_prefix p;
    void *items = *list;
    if (!prefix_read(text, &p, e))
        return false;
    if (!base_grow(&items, room, *count + 1, sizeof **list))
        return err_set(e, ERR_MEMORY, "no memory for a list of addresses");
    *list = items;
    (*list)[(*count)++] = p;
    return true;
}

static bool hex_read(struct str text, uint32_t *out)
{
    uint32_t v = 0;
    if (text.n == 0 || text.n > 8)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        int digit = hex_value(text.p[i]);
        if (digit < 0)
            return false;
        v = v << 4 | (uint32_t)digit;
    }
    *out = v;
    return true;
}

/* TS 24.501 9.11.3.8: MCC2 MCC1, MNC3 MCC3, MNC2 MNC1; MNC3 is 15 when there are two. */
static bool plmn_read(struct str text, unsigned char out[3])
{
    unsigned d[6] = {0, 0, 0, 0, 0, 15};
    if (text.n != 5 && text.n != 6)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        d[i] = (unsigned)(text.p[i] - '0');
    }
    out[0] = (unsigned char)(d[1] << 4 | d[0]);
    out[1] = (unsigned char)(d[5] << 4 | d[2]);
    out[2] = (unsigned char)(d[4] << 4 | d[3]);
    return true;
}

bool packet_config_gnb(const struct packet_config *c, struct str address,
                       struct packet_ran_node *out)
{
    struct packet_address a;
    if (!address_read(address, &a))
        return false;
    for (size_t i = 0; c && i < c->gnb_count; i++) {
        const struct config_gnb *g = &c->gnbs[i];
        if (!address_eq(&g->address, &a))
            continue;
        *out = (struct packet_ran_node){.area = g->has_area ? (int64_t)g->area : -1};
        for (unsigned k = 0, n = 0; g->has_plmn && k < 6; k++) {
            /* MCC 1 2 3, MNC 1 2 3: where the bytes of TS 24.501 have them */
            static const unsigned char at[6] = {0, 1, 2, 4, 5, 3};
            unsigned digit = g->plmn[at[k] / 2] >> (at[k] % 2 * 4) & 15;
            if (digit < 10)
                out->plmn[n++] = (char)('0' + digit);
        }
        return true;
    }
    return false;
}

static bool gnb_option(struct config_gnb *g, struct str name, struct str value)
{
    uint64_t area;
    if (str_eq(name, STR("id")))
        return g->has_id = hex_read(value, &g->id);
    if (str_eq(name, STR("plmn")))
        return g->has_plmn = plmn_read(value, g->plmn);
    if (!str_eq(name, STR("tac")) || !str_to_u64(value, &area) || area > 0xffffff)
        return false;
    g->area = (uint32_t)area;
    g->has_area = true;
    return true;
}

static bool gnb_read(struct packet_config *c, struct str rest, struct err *e)
{
    struct config_gnb g = {0};
    struct str address = word_take(&rest), name;
    void *items = c->gnbs;
    if (!address_read(address, &g.address))
        return err_set(e, ERR_SYNTAX, "\"%.*s\" is no address", STR_FMT(address));
    while ((name = word_take(&rest)).n) {
        struct str value = word_take(&rest);
        if (!gnb_option(&g, name, value))
            return err_set(e, ERR_SYNTAX,
                           "\"%.*s %.*s\": id HEX, plmn DIGITS or tac NUMBER is needed",
                           STR_FMT(name), STR_FMT(value));
    }
    if (!base_grow(&items, &c->gnb_room, c->gnb_count + 1, sizeof *c->gnbs))
        return err_set(e, ERR_MEMORY, "no memory for a list of gNBs");
    c->gnbs = items;
    c->gnbs[c->gnb_count++] = g;
    return true;
}

static bool limit_read(struct packet_config *c, struct str rest, struct err *e)
{
    struct str name = word_take(&rest), value = word_take(&rest);
    for (unsigned i = 0; i < CONFIG_LIMITS; i++)
        if (str_eq(name, str_of(limit_names[i])))
            return (str_to_u64(value, &c->limits[i]) && c->limits[i] > 0) ||
                   err_set(e, ERR_SYNTAX, "limit %s: a number over 0 is needed", limit_names[i]);
    return err_set(e, ERR_SYNTAX, "there is no limit \"%.*s\"", STR_FMT(name));
}

static bool line_read(struct packet_config *c, struct str line, struct err *e)
{
    struct str word = word_take(&line), all = line;
    if (str_eq(word, STR("gnb")))
        return gnb_read(c, line, e);
    if (str_eq(word, STR("limit")))
        return limit_read(c, line, e);
    struct str value = word_take(&all);
    if (str_eq(word, STR("peer")))
        return prefix_add(&c->peers, &c->peer_count, &c->peer_room, value, e);
    if (str_eq(word, STR("core")))
        return prefix_add(&c->core, &c->core_count, &c->core_room, value, e);
    if (str_eq(word, STR("n6")))
        return prefix_add(&c->n6, &c->n6_count, &c->n6_room, value, e);
    if (str_eq(word, STR("relay")))
        return prefix_add(&c->relays, &c->relay_count, &c->relay_room, value, e);
    return err_set(e, ERR_SYNTAX, "\"%.*s\": gnb, peer, core, n6, relay or limit is needed",
                   STR_FMT(word));
}

bool packet_config_parse(struct str text, struct packet_config **out, struct err *e)
{
    struct packet_config *c = base_alloc(sizeof *c);
    size_t number = 0;
    if (!c)
        return err_set(e, ERR_MEMORY, "no memory for the configuration");
    *c = standard;
    while (text.p) {
        struct str line = str_cut(&text, '\n');
        line = str_trim(str_slice(line, 0, str_find(line, '#')));
        if (++number > LIMIT_PACKET_CONFIG_LINES) {
            packet_config_free(c);
            return err_set(e, ERR_LIMIT, "over %d lines", LIMIT_PACKET_CONFIG_LINES);
        }
        if (line.n && !line_read(c, line, e)) {
            packet_config_free(c);
            return err_prefix(e, "line %zu", number);
        }
    }
    *out = c;
    return true;
}

void packet_config_free(struct packet_config *c)
{
    if (!c)
        return;
    base_free(c->gnbs);
    base_free(c->peers);
    base_free(c->core);
    base_free(c->n6);
    base_free(c->relays);
    base_free(c);
}
