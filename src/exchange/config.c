/* setu.conf: its settings, and what of them is read again while a node is served. */
#include <stddef.h>
#include <string.h>

#include "exchange/exchange_priv.h"

enum kind { TEXT, NUMBER };

struct setting {
    const char *name;
    enum kind kind;
    bool lasts; /* as long as the process: it is not read again */
    size_t offset;
    uint64_t least, most, standard;
    const char *standard_text;
    bool (*valid)(struct str value); /* NULL: any text */
    const char *expects;
};

/* HOST:PORT or [HOST]:PORT; whether there is such a host shows when it is served. */
bool exchange_listen_valid(struct str s)
{
    size_t colon = s.n;
    uint64_t port;
    while (colon && s.p[colon - 1] != ':')
        colon--;
    struct str digits = str_from(s, colon);
    return colon > 1 && !exchange_has_control(s) && str_find(s, ' ') == s.n && digits.n <= 5 &&
           str_to_u64(digits, &port) && port <= 65535;
}

static bool identity_valid(struct str s)
{
    struct str type;
    struct err ignored;
    return stix_id_parse(s, &type, &ignored) && str_eq(type, STR("identity"));
}

/* TAXII 2.1 §4.1.1: the absolute URL of an API root is of HTTPS. */
static bool public_url_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '#' || s.p[i] == '?' || s.p[i] == 0x7F)
            return false;
    return s.n > strlen("https://") && str_starts(s, STR("https://"));
}

/* One segment of a path, and none that this program serves itself. */
static bool api_root_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return s.n && s.n <= LIMIT_NAME_BYTES && !str_eq(s, STR("taxii2")) &&
           !str_eq(s, STR("ledger")) && !str_eq(s, STR("metrics")) && !str_eq(s, STR("healthz")) &&
           !str_eq(s, STR("readyz"));
}

static bool reads_valid(struct str s)
{
    enum stix_tlp tlp;
    return str_eq(s, STR("off")) || (stix_tlp_parse(s, &tlp) && tlp != STIX_TLP_NONE);
}

static bool access_log_valid(struct str s)
{
    return s.n == 0 || (s.p[0] == '/' && !exchange_has_control(s));
}

#define TEXT_SETTING(n, field, lasts, standard, valid, expects)                                    \
    {                                                                                              \
        n, TEXT, lasts, offsetof(struct exchange_config, field), 0, 0, 0, standard, valid, expects \
    }
#define NUMBER_SETTING(n, field, least, most, standard)                                            \
    {                                                                                              \
        n, NUMBER, false, offsetof(struct exchange_config, field), least, most, standard, NULL,    \
            NULL, NULL                                                                             \
    }

/* One line a setting: `name value`. */
static const struct setting settings[] = {
    TEXT_SETTING("name", name, true, NULL, NULL, NULL),
    TEXT_SETTING("nation", nation, true, NULL, policy_nation_valid,
                 "two capital letters (ISO 3166-1)"),
    TEXT_SETTING("org", org, true, NULL, policy_org_valid,
                 "lower case letters, digits and hyphens"),
    TEXT_SETTING("identity", identity, true, NULL, identity_valid, "a STIX id: identity--UUID"),
    TEXT_SETTING("listen", listen, true, "127.0.0.1:6443", exchange_listen_valid,
                 "HOST:PORT, as 127.0.0.1:6443"),
    TEXT_SETTING("public-url", public_url, true, "", public_url_valid,
                 "an HTTPS URL without blanks: https://cti.example.org"),
    TEXT_SETTING("api-root", api_root, true, "api", api_root_valid,
                 "letters, digits, hyphens and underscores that no other path begins with"),
    TEXT_SETTING("ledger-reads", ledger_reads, false, "red", reads_valid,
                 "off, or the TLP from which on reads are recorded: red, amber+strict, amber ..."),
    TEXT_SETTING("access-log", access_log, false, "", access_log_valid,
                 "the whole path of a file: /var/log/setu/access.jsonl"),
    TEXT_SETTING("home-plmns", home_plmns, true, "", NULL, NULL),
    TEXT_SETTING("home-numbers", home_numbers, true, "", NULL, NULL),
    TEXT_SETTING("user-prefixes", user_prefixes, true, "", NULL, NULL),
    NUMBER_SETTING("max-body-bytes", max_body_bytes, 1024, (uint64_t)1 << 31,
                   LIMIT_HTTP_BODY_BYTES),
    NUMBER_SETTING("page-max", page_max, 1, LIMIT_TAXII_PAGE_MAX, LIMIT_TAXII_PAGE_MAX),
    NUMBER_SETTING("max-connections", max_connections, 8, 1000000, LIMIT_HTTP_CONNECTIONS),
    NUMBER_SETTING("max-connections-per-address", max_per_address, 4, 1000000,
                   LIMIT_HTTP_PER_ADDRESS),
    NUMBER_SETTING("max-requests-per-second", max_requests, 0, 1000000, 0),
};
#define SETTING_COUNT (sizeof settings / sizeof *settings)

/* One reading of the file. Whoever has a pointer into it may keep it, so all are kept. */
struct loaded {
    struct exchange_config config;
    struct arena *arena;
    struct loaded *before;
};

static struct str *text_of(struct exchange_config *c, const struct setting *s)
{
    return (struct str *)(void *)((char *)c + s->offset);
}

static uint64_t *number_of(struct exchange_config *c, const struct setting *s)
{
    return (uint64_t *)(void *)((char *)c + s->offset);
}

static const struct setting *setting_find(struct str name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (str_eq(name, str_of(settings[i].name)))
            return &settings[i];
    return NULL;
}

static bool setting_set(struct loaded *l, const struct setting *s, struct str value, struct err *e)
{
    if (s->kind == TEXT) {
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = str_slice(value, 1, value.n - 1);
        if (s->valid && !s->valid(value))
            return err_set(e, ERR_SYNTAX, "%s \"%.*s\": write %s", s->name, STR_FMT(value),
                           s->expects);
        *text_of(&l->config, s) = arena_str(l->arena, value);
        return arena_ok(l->arena, e);
    }
    uint64_t v;
    if (!str_to_u64(value, &v) || v < s->least || v > s->most)
        return err_set(e, ERR_SYNTAX, "%s takes a whole number from %llu to %llu", s->name,
                       (unsigned long long)s->least, (unsigned long long)s->most);
    *number_of(&l->config, s) = v;
    return true;
}

static bool config_line(struct loaded *l, struct str line, struct err *e)
{
    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return true;
    struct str name = str_cut(&line, ' ');
    const struct setting *s = setting_find(name);
    if (!s)
        return err_set(e, ERR_SYNTAX, "no setting is called \"%.*s\"", STR_FMT(name));
    return setting_set(l, s, str_trim(line), e);
}

static void config_defaults(struct exchange_config *c)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (settings[i].kind == TEXT)
            *text_of(c, &settings[i]) = str_of(settings[i].standard_text);
        else
            *number_of(c, &settings[i]) = settings[i].standard;
    }
}

static bool read_file(const struct exchange *x, struct loaded *l, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    struct str all, rest;
    unsigned line = 0;
    bool ok = true;
    exchange_path(x, "setu.conf", path);
    if (!file_read(path, 1 << 20, &all, e))
        return false;
    config_defaults(&l->config);
    for (rest = all; rest.p && ok;) {
        line++;
        ok = config_line(l, str_cut(&rest, '\n'), e) || err_prefix(e, "%s: line %u", path, line);
    }
    base_free((void *)(uintptr_t)all.p);
    if (ok && (!l->config.name.n || !l->config.nation.n || !l->config.org.n))
        ok = err_set(e, ERR_SYNTAX, "%s: name, nation and org must be set", path);
    return ok;
}

static void loaded_free(struct loaded *l)
{
    arena_free(l->arena);
    base_free(l);
}

static struct loaded *load(const struct exchange *x, struct err *e)
{
    struct loaded *l = base_alloc(sizeof *l);
    if (!l || !(l->arena = arena_new(1 << 20))) {
        base_free(l);
        err_set(e, ERR_MEMORY, "out of memory");
        return NULL;
    }
    if (read_file(x, l, e))
        return l;
    loaded_free(l);
    return NULL;
}

static void put_in_force(struct exchange *x, struct loaded *l)
{
    l->before = x->loaded;
    x->loaded = l;
    atomic_store(&x->now, &l->config);
}

bool exchange_config_open(struct exchange *x, struct err *e)
{
    struct loaded *l = load(x, e);
    if (!l)
        return false;
    x->config = l->config;
    put_in_force(x, l);
    return true;
}

/* What lasts stays as it was; *names what would have changed. */
static void keep_what_lasts(const struct exchange *x, struct loaded *l, struct buf *names)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *s = &settings[i];
        if (!s->lasts)
            continue;
        must(s->kind == TEXT);
        struct str *now = text_of(&l->config, s);
        const struct str was = *text_of((struct exchange_config *)(uintptr_t)&x->config, s);
        if (str_eq(*now, was))
            continue;
        buf_printf(names, "%s%s", names->n ? ", " : "", s->name);
        *now = was;
    }
}

static bool same(struct exchange_config *a, struct exchange_config *b)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *s = &settings[i];
        if (s->kind == TEXT ? !str_eq(*text_of(a, s), *text_of(b, s))
                            : *number_of(a, s) != *number_of(b, s))
            return false;
    }
    return true;
}

bool exchange_config_reload(struct exchange *x, struct buf *kept, struct err *e)
{
    struct loaded *l = load(x, e);
    if (!l)
        return false;
    keep_what_lasts(x, l, kept);
    /* Log rotation asks for this every day, and all that were in force are kept. */
    if (same(&l->config, &x->loaded->config))
        loaded_free(l);
    else
        put_in_force(x, l);
    return true;
}

const struct exchange_config *exchange_config(const struct exchange *x)
{
    return atomic_load(&x->now);
}

void exchange_config_done(struct exchange *x)
{
    for (struct loaded *l = x->loaded, *before; l; l = before) {
        before = l->before;
        loaded_free(l);
    }
}
