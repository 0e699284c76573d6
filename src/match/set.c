/* Building a set: values, their owners, and at the end the tables the look-ups read. */
#include <string.h>

#include "match/match_priv.h"

struct match_set *match_set_new(void)
{
    struct match_set *s = base_alloc(sizeof *s);
    if (s == NULL)
        return NULL;
    s->strings = arena_new(LIMIT_ARENA_FILE_BYTES);
    if (s->strings == NULL) {
        base_free(s);
        return NULL;
    }
    return s;
}

void match_set_free(struct match_set *s)
{
    if (s == NULL)
        return;
    arena_free(s->strings);
    base_free(s->indicators);
    base_free(s->values);
    base_free(s->links);
    base_free(s->keys);
    base_free(s->slots);
    base_free(s->bloom);
    base_free(s->ipv4_map);
    base_free(s);
}

size_t match_set_values(const struct match_set *s)
{
    return s->value_count;
}

size_t match_set_indicators(const struct match_set *s)
{
    return s->indicator_count;
}

const struct match_indicator *match_set_get(const struct match_set *s, uint32_t index)
{
    must(index < s->indicator_count);
    return &s->indicators[index];
}

const char *match_relation_name(enum match_relation r)
{
    static const char *const names[] = {"exact", "subdomain", "inside"};
    must((unsigned)r < sizeof names / sizeof *names);
    return names[r];
}

static bool grow(void *items, size_t *room, size_t need, size_t item_bytes, struct err *e)
{
    void *p;
    memcpy(&p, items, sizeof p);
    if (!base_grow(&p, room, need, item_bytes))
        return err_set(e, ERR_MEMORY, "no memory for the indicator set");
    memcpy(items, &p, sizeof p);
    return true;
}

/* A copy in the set; `last`, the same string of the indicator before, is shared if equal. */
static struct str keep(struct match_set *s, struct str text, struct str last)
{
    if (text.n == 0)
        return STR_NONE;
    return str_eq(text, last) ? last : arena_str(s->strings, text);
}

bool match_set_indicator(struct match_set *s, const struct match_indicator *i, uint32_t *index,
                         struct err *e)
{
    must(!s->sealed);
    if (s->indicator_count >= MATCH_END - 1)
        return err_set(e, ERR_LIMIT, "more than %u indicators", MATCH_END - 1);
    if (!grow(&s->indicators, &s->indicator_room, s->indicator_count + 1, sizeof *s->indicators, e))
        return false;
    struct match_indicator last = {0};
    if (s->indicator_count > 0)
        last = s->indicators[s->indicator_count - 1];
    struct match_indicator copy = *i;
    copy.id = keep(s, i->id, last.id);
    copy.name = keep(s, i->name, last.name);
    copy.tlp = keep(s, i->tlp, last.tlp);
    copy.labels = keep(s, i->labels, last.labels);
    if (!arena_ok(s->strings, e))
        return false;
    s->indicators[s->indicator_count] = copy;
    *index = (uint32_t)s->indicator_count++;
    return true;
}

/* ---- values ------------------------------------------------------------------------------- */

static void insert_slot(uint64_t *slots, size_t mask, uint64_t hash, uint64_t number)
{
    size_t at = hash & mask;
    while (slots[at] != 0)
        at = (at + 1) & mask;
    slots[at] = (hash & 0xffffffff00000000u) | number;
}

/* Keeps the table at most half full. */
static bool make_room(struct match_set *s, struct err *e)
{
    size_t size = s->slots == NULL ? 0 : s->slot_mask + 1;
    if ((s->value_count + 1) * 2 <= size)
        return true;
    size = size == 0 ? 1024 : size * 2;
    uint64_t *slots = NULL;
    size_t bytes;
    if (size_mul(size, sizeof *slots, &bytes))
        slots = base_alloc(bytes);
    if (slots == NULL)
        return err_set(e, ERR_MEMORY, "no memory for the indicator set");
    for (size_t i = 0; i < s->value_count; i++)
        insert_slot(slots, size - 1, s->values[i].hash, i + 1);
    base_free(s->slots);
    s->slots = slots;
    s->slot_mask = size - 1;
    return true;
}

const struct match_value *match_set_find(const struct match_set *s, uint64_t hash, unsigned kind,
                                         unsigned prefix, struct str key)
{
    if (s->slots == NULL)
        return NULL;
    for (size_t at = hash & s->slot_mask; s->slots[at] != 0; at = (at + 1) & s->slot_mask) {
        if ((s->slots[at] ^ hash) >> 32 != 0)
            continue;
        const struct match_value *v = &s->values[(uint32_t)s->slots[at] - 1];
        if (v->hash == hash && v->kind == kind && v->prefix == prefix && v->key_n == key.n &&
            memcmp(s->keys + v->key_at, key.p, key.n) == 0)
            return v;
    }
    return NULL;
}

static bool is_address(enum observable_kind k)
{
    return k == OBSERVABLE_IPV4 || k == OBSERVABLE_IPV6;
}

static uint64_t observable_hash(const struct observable *o, struct str key)
{
    if (is_address(o->kind))
        return match_address_hash(o->kind, o->addr, key.n, o->prefix);
    return match_text_hash(o->kind, key);
}

static bool add_value(struct match_set *s, const struct observable *o, struct str key,
                      uint64_t hash, struct err *e)
{
    if (s->value_count >= MATCH_END - 1)
        return err_set(e, ERR_LIMIT, "more than %u values", MATCH_END - 1);
    if (!grow(&s->values, &s->value_room, s->value_count + 1, sizeof *s->values, e) ||
        !grow(&s->keys, &s->keys_room, s->keys_n + key.n, 1, e) || !make_room(s, e))
        return false;
    struct match_value *v = &s->values[s->value_count++];
    *v = (struct match_value){.hash = hash,
                              .key_at = s->keys_n,
                              .first = MATCH_END,
                              .last = MATCH_END,
                              .key_n = (uint16_t)key.n,
                              .kind = (uint8_t)o->kind,
                              .prefix = (uint8_t)(is_address(o->kind) ? o->prefix : 0)};
    memcpy(s->keys + s->keys_n, key.p, key.n);
    s->keys_n += key.n;
    s->counts[o->kind]++;
    if (o->kind == OBSERVABLE_URL && key.n > s->longest_url)
        s->longest_url = key.n;
    insert_slot(s->slots, s->slot_mask, hash, s->value_count);
    return true;
}

bool match_set_value(struct match_set *s, uint32_t index, const struct observable *o, struct err *e)
{
    must(!s->sealed && index < s->indicator_count && (unsigned)o->kind < OBSERVABLE_KINDS);
    struct str key = match_key(o);
    if (key.n == 0 || key.n > UINT16_MAX)
        return err_set(e, ERR_LIMIT, "a value of %zu bytes", key.n);
    uint64_t hash = observable_hash(o, key);
    unsigned prefix = is_address(o->kind) ? o->prefix : 0;
    const struct match_value *found = match_set_find(s, hash, o->kind, prefix, key);
    if (s->link_count >= MATCH_END - 1)
        return err_set(e, ERR_LIMIT, "more than %u values", MATCH_END - 1);
    if (!grow(&s->links, &s->link_room, s->link_count + 1, sizeof *s->links, e))
        return false;
    if (found == NULL && !add_value(s, o, key, hash, e))
        return false;
    struct match_value *v =
        &s->values[found == NULL ? s->value_count - 1 : (size_t)(found - s->values)];
    if (v->last != MATCH_END && s->links[v->last].indicator == index)
        return true;
    uint32_t number = (uint32_t)s->link_count++;
    s->links[number] = (struct match_link){index, MATCH_END};
    if (v->last == MATCH_END)
        v->first = number;
    else
        s->links[v->last].next = number;
    v->last = number;
    return true;
}

/* ---- sealing ------------------------------------------------------------------------------ */

static void bloom_add(struct match_set *s, uint64_t hash)
{
    s->bloom[match_bloom_word(hash, s->bloom_words)] |= match_bloom_bits(hash);
}

static void seal_domain(struct match_set *s, const struct match_value *v)
{
    struct match_name m;
    if (!match_name_split(&m, s->keys + v->key_at, v->key_n))
        return;
    uint64_t h = match_name_step(&m, m.labels - 1, 0);
    s->tlds[h % MATCH_TLD_BITS / 64] |= 1ull << (h % 64);
    if (m.labels >= 2)
        bloom_add(s, match_salted(match_name_step(&m, m.labels - 2, h), MATCH_SALT_ZONE));
    else
        s->single_labels = true;
    for (size_t i = 0; i + 4 <= m.n; i++)
        s->idn_names = s->idn_names || memcmp(m.text + i, "xn--", 4) == 0;
}

static void seal_ipv4(struct match_set *s, const struct match_value *v)
{
    uint32_t a = 0;
    for (int i = 0; i < 4; i++)
        a = a << 8 | (unsigned char)s->keys[v->key_at + (size_t)i];
    uint64_t first = a >> (32 - s->ipv4_map_bits), count = 1;
    if (v->prefix < s->ipv4_map_bits)
        count = 1ull << (s->ipv4_map_bits - v->prefix);
    for (uint64_t i = first; i < first + count; i++)
        s->ipv4_map[i / 64] |= 1ull << (i % 64);
}

static void seal_value(struct match_set *s, const struct match_value *v)
{
    struct str key = {s->keys + v->key_at, v->key_n};
    uint64_t host;
    if (v->kind == OBSERVABLE_IPV4) {
        seal_ipv4(s, v);
        return;
    }
    bloom_add(s, v->hash);
    if (v->kind == OBSERVABLE_DOMAIN)
        seal_domain(s, v);
    else if (v->kind == OBSERVABLE_URL && match_host_hash(observable_url_host(key), &host))
        bloom_add(s, match_salted(host, MATCH_SALT_URL_HOST));
    else if (v->kind == OBSERVABLE_EMAIL &&
             match_host_hash(str_from(key, str_find(key, '@') + 1), &host))
        bloom_add(s, match_salted(host, MATCH_SALT_EMAIL_HOST));
}

/* Lists the lengths of prefix in use, longest first. */
static unsigned list_prefixes(const struct match_set *s, enum observable_kind kind,
                              unsigned char *out)
{
    bool used[129] = {false};
    unsigned n = 0;
    for (size_t i = 0; i < s->value_count; i++)
        if (s->values[i].kind == kind)
            used[s->values[i].prefix] = true;
    for (int p = 128; p >= 0; p--)
        if (used[p])
            out[n++] = (unsigned char)p;
    return n;
}

bool match_set_seal(struct match_set *s, struct err *e)
{
    must(!s->sealed);
    size_t ipv4 = s->counts[OBSERVABLE_IPV4];
    /* A bit for each of 2^16 to 2^24 blocks: about 1 in 50 is set by single addresses. */
    s->ipv4_map_bits = ipv4 < 1000 ? 16 : ipv4 < 16000 ? 20 : 24;
    /* About 12 bits a key: a value and its gate. */
    s->bloom_words = 64 + (s->value_count - ipv4 + s->counts[OBSERVABLE_DOMAIN] +
                           s->counts[OBSERVABLE_URL] + s->counts[OBSERVABLE_EMAIL]) *
                              12 / 64;
    s->bloom = base_alloc(s->bloom_words * sizeof *s->bloom);
    s->ipv4_map = base_alloc((1ull << s->ipv4_map_bits) / 8);
    if (s->bloom == NULL || s->ipv4_map == NULL || !make_room(s, e)) {
        base_free(s->bloom);
        base_free(s->ipv4_map);
        s->bloom = s->ipv4_map = NULL;
        return err_set(e, ERR_MEMORY, "no memory for the indicator set");
    }
    for (size_t i = 0; i < s->value_count; i++)
        seal_value(s, &s->values[i]);
    s->ipv4_prefix_count = list_prefixes(s, OBSERVABLE_IPV4, s->ipv4_prefixes);
    s->ipv6_prefix_count = list_prefixes(s, OBSERVABLE_IPV6, s->ipv6_prefixes);
    s->sealed = true;
    return true;
}

/* ---- plain lists -------------------------------------------------------------------------- */

/* The value of a line: what stands before a comment, without blanks around it. */
static struct str line_value(struct str line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] == '#' && (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
            line = str_slice(line, 0, i);
    return str_trim(line);
}

bool match_set_load_list(struct match_set *s, struct str text, struct match_list_options *options,
                         struct err *e)
{
    char out[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_BYTES)];
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_from(text, 3);
    for (size_t line = 1; text.p != NULL; line++) {
        struct str value = line_value(str_cut(&text, '\n'));
        struct observable o;
        struct err why;
        if (value.n == 0)
            continue;
        if (!observable_guess(value, out, sizeof out, &o, &why)) {
            options->unknown_count++;
            if (options->unknown != NULL)
                options->unknown(options->ctx, line, value, &why);
            continue;
        }
        struct match_indicator i = options->like;
        uint32_t index = 0;
        if (i.id.n == 0)
            i.id = value;
        if (!match_set_indicator(s, &i, &index, e) || !match_set_value(s, index, &o, e))
            return false;
        options->added_count++;
    }
    return true;
}
