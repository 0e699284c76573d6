/* What the gate knows of an object and of those it names, for the policy to ask. */
#include <string.h>

#include "exchange/gate_priv.h"
#include "observable/observable.h"
#include "pattern/pattern.h"

/* ---- the gate's own ---- */

bool gate_init(struct gate *g, const struct exchange *x, const struct policy *p, struct err *e)
{
    *g = (struct gate){.x = x, .policy = p};
    g->memo = policy_memo_new();
    g->json = json_reader_new();
    g->arena = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    g->known = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    g->combined = base_alloc(GATE_COMBINED * sizeof *g->combined);
    if (g->memo && g->json && g->arena && g->known && g->combined)
        return true;
    gate_done(g);
    return err_set(e, ERR_MEMORY, "out of memory");
}

void gate_done(struct gate *g)
{
    gate_ledger_free(g->ledger);
    gate_foresight_free(g->foresight);
    policy_memo_free(g->memo);
    json_reader_free(g->json);
    arena_free(g->arena);
    arena_free(g->known);
    base_free(g->combined);
    *g = (struct gate){0};
}

bool gate_begin(struct gate *g, struct store *s, struct err *e)
{
    g->store = s;
    g->now_us = now_us();
    g->orgs = NULL;
    g->collections = NULL;
    g->definitions = NULL;
    arena_reset(g->known);
    arena_reset(g->arena);
    if (policy_memo_bytes(g->memo) > LIMIT_POLICY_MEMO_BYTES / 2)
        policy_memo_reset(g->memo);
    memset(g->combined, 0, GATE_COMBINED * sizeof *g->combined);
    g->combined_count = 0;
    memset(g->interned, 0, sizeof g->interned); /* what was rolled back has no number */
    return (g->has_copies || store_copy_any(s, &g->has_copies, e)) &&
           (g->has_desk || store_desk_any(s, &g->has_desk, e)) &&
           (g->has_withdrawals || store_withdrawal_any(s, &g->has_withdrawals, e));
}

void gate_next(struct gate *g)
{
    arena_reset(g->arena);
}

/* ---- organisations ---- */

static bool add_org(struct gate *g, struct str identity, int64_t id, const struct gate_org **out,
                    struct err *e)
{
    struct store_org row;
    struct gate_org *o = arena_calloc(g->known, 1, sizeof *o);
    if (!o) {
        must(!arena_ok(g->known, e));
        return false;
    }
    if (id) {
        if (!store_org_get(g->store, g->known, id, &row, e))
            return false;
        o->party = (struct policy_party){row.nation, row.name};
    }
    o->id = id;
    o->identity = arena_str(g->known, identity);
    o->next = g->orgs;
    g->orgs = o;
    *out = o;
    return arena_ok(g->known, e);
}

bool gate_org_of(struct gate *g, int64_t id, const struct gate_org **out, struct err *e)
{
    for (const struct gate_org *o = g->orgs; o; o = o->next)
        if (o->identity.n == 0 && o->id == id) {
            *out = o;
            return true;
        }
    return add_org(g, STR_NONE, id, out, e);
}

bool gate_org_of_identity(struct gate *g, struct str identity, const struct gate_org **out,
                          struct err *e)
{
    int64_t id = 0;
    *out = NULL;
    if (identity.n == 0)
        return true;
    const struct gate_org *o = g->orgs;
    while (o && !str_eq(o->identity, identity))
        o = o->next;
    if (!o &&
        (!store_org_by_identity(g->store, identity, &id, e) || !add_org(g, identity, id, &o, e)))
        return false;
    *out = o->id ? o : NULL;
    return true;
}

/* ---- collections ---- */

struct gate_named {
    struct gate_named *next;
    int64_t id;
    struct str uuid;
};

static bool note_collection(void *ctx, const struct store_collection *c)
{
    struct gate *g = ctx;
    struct gate_named *n = arena_calloc(g->known, 1, sizeof *n);
    if (!n)
        return false;
    *n = (struct gate_named){g->collections, c->id, arena_str(g->known, c->uuid)};
    g->collections = n;
    return true;
}

bool gate_collection(struct gate *g, int64_t id, struct str *uuid, struct err *e)
{
    if (!g->collections &&
        (!store_collection_each(g->store, note_collection, g, e) || !arena_ok(g->known, e)))
        return false;
    for (const struct gate_named *n = g->collections; n; n = n->next)
        if (n->id == id) {
            *uuid = n->uuid;
            return true;
        }
    return err_set(e, ERR_NOT_FOUND, "no collection %lld", (long long)id);
}

/* ---- references ---- */

/* STIX 2.1 §3.4: `_ref` ends a property that holds one identifier, `_refs` one that holds a list.
 */
static bool names_reference(struct str key)
{
    return (str_ends(key, STR("_ref")) || str_ends(key, STR("_refs"))) &&
           !str_eq(key, STR("object_marking_refs")) && !str_eq(key, STR("marking_ref"));
}

bool gate_references(const struct json *v, gate_reference_fn *each, void *ctx)
{
    if (!json_is(v, JSON_OBJECT) && !json_is(v, JSON_ARRAY))
        return true;
    for (const struct json *m = v->u.child; m; m = m->next) {
        bool reference = names_reference(m->key);
        if (reference && m->type == JSON_STRING && !each(ctx, m->u.s))
            return false;
        if (reference && m->type == JSON_ARRAY) {
            for (const struct json *r = m->u.child; r; r = r->next)
                if (r->type == JSON_STRING && !each(ctx, r->u.s))
                    return false;
        } else if (!gate_references(m, each, ctx)) {
            return false;
        }
    }
    return true;
}

/* ---- warning lists ---- */

struct listing {
    const struct policy *p;
    uint64_t lists;
};

static void list_value(struct listing *l, struct str type, struct str path, struct str value)
{
    char text[OBSERVABLE_ROOM(LIMIT_OBSERVABLE_WARNED_BYTES)];
    enum observable_kind kind;
    struct observable o;
    struct err ignored;
    l->lists |= observable_warned_value(type, value);
    if (value.n <= LIMIT_OBSERVABLE_WARNED_BYTES && observable_kind_of_path(type, path, &kind) &&
        observable_normalize(kind, value, true, text, sizeof text, &o, &ignored))
        l->lists |= policy_lists_of(l->p, &o);
}

/* A LIKE or MATCHES that finds one of these finds what no indicator may name. */
static const struct {
    const char *type, *value;
} known_good[] = {
    {"domain-name", "google.com"},
    {"domain-name", "www.microsoft.com"},
    {"domain-name", "cert-in.org.in"},
    {"domain-name", "go.jp"},
    {"ipv4-addr", "8.8.8.8"},
    {"ipv4-addr", "127.0.0.1"},
    {"ipv4-addr", "192.168.0.1"},
    {"ipv6-addr", "2001:4860:4860::8888"},
    {"ipv6-addr", "::1"},
    {"url", "https://google.com/"},
    {"url", "http://microsoft.com/"},
    {"email-addr", "postmaster@gmail.com"},
    {"email-addr", "abuse@google.com"},
};

static void list_finds(struct listing *l, const struct pattern *p)
{
    for (size_t i = 0; i < sizeof known_good / sizeof *known_good; i++) {
        struct str type = str_of(known_good[i].type), value = str_of(known_good[i].value);
        if (pattern_finds(p, type, STR("value"), value))
            list_value(l, type, STR("value"), value);
    }
}

static bool list_atom(void *ctx, const struct pattern_atom *a)
{
    list_value(ctx, a->object_type, a->path, a->value);
    return true;
}

static void list_pattern(struct listing *l, struct arena *a, const struct json *indicator)
{
    struct pattern *pattern;
    const char *why;
    struct err ignored;
    if (str_eq(json_get_str(indicator, STR("pattern_type")), STR("stix")) &&
        pattern_parse(a, json_get_str(indicator, STR("pattern")), PATTERN_STIX_21, &pattern,
                      &ignored)) {
        pattern_atoms(pattern, list_atom, l, &why);
        list_finds(l, pattern);
    }
}

static void list_hashes(struct listing *l, struct arena *a, struct str type,
                        const struct json *hashes)
{
    if (!json_is(hashes, JSON_OBJECT))
        return;
    for (const struct json *h = hashes->u.child; h; h = h->next)
        if (h->type == JSON_STRING)
            list_value(l, type, arena_printf(a, "hashes.'%.*s'", STR_FMT(h->key)), h->u.s);
}

uint64_t gate_lists(const struct policy *p, struct arena *a, const struct stix_object *o)
{
    struct listing l = {.p = p};
    if (!(policy_asks(p) & POLICY_ASKS_LISTS))
        return 0;
    if (str_eq(o->type, STR("indicator")))
        list_pattern(&l, a, o->json);
    else
        list_value(&l, o->type, STR("value"), json_get_str(o->json, STR("value")));
    list_hashes(&l, a, o->type, json_get(o->json, STR("hashes")));
    return l.lists;
}

/* ---- facts ---- */

static enum stix_tlp marking_of_whole(const struct stix_object *o, unsigned otherwise)
{
    enum stix_tlp tlp = o->granular ? STIX_TLP_NONE : o->tlp;
    if (!o->granular)
        return tlp == STIX_TLP_NONE ? (enum stix_tlp)otherwise : tlp;
    for (const struct json *m = json_is(o->markings, JSON_ARRAY) ? o->markings->u.child : NULL; m;
         m = m->next) {
        enum stix_tlp t = m->type == JSON_STRING ? stix_tlp_of_id(m->u.s) : STIX_TLP_NONE;
        if (t > tlp)
            tlp = t;
    }
    return tlp == STIX_TLP_NONE ? (enum stix_tlp)otherwise : tlp;
}

static unsigned markings_of_parts(const struct json *object)
{
    const struct json *granular = json_get(object, STR("granular_markings"));
    unsigned colours = 0;
    for (const struct json *m = json_is(granular, JSON_ARRAY) ? granular->u.child : NULL; m;
         m = m->next)
        colours |= 1u << stix_tlp_of_id(json_get_str(m, STR("marking_ref")));
    return colours & ~(1u << STIX_TLP_NONE);
}

/* For facts.referenced. */
struct referenced {
    struct gate *g;
    int64_t name;
    struct str type;
    bool found;
};

static bool note_referrer(void *ctx, int64_t object, struct str type)
{
    struct referenced *r = ctx;
    (void)object;
    r->found = str_eq(type, r->type);
    return !r->found;
}

/* A store that cannot tell says yes: whatever asks redacts. */
static bool is_referenced(void *ctx, struct str type)
{
    struct referenced *r = ctx;
    struct err ignored;
    bool known, foreseen = gate_foreseen_reference(r->g, r->name, type, &known);
    if (known)
        return foreseen;
    r->type = type;
    r->found = false;
    return !store_referrers(r->g->store, r->name, note_referrer, r, &ignored) || r->found;
}

bool gate_facts(struct gate *g, const struct gate_subject *s, struct policy_facts *out,
                struct err *e)
{
    const struct stix_object *o = s->object;
    const struct gate_org *creator, *source;
    bool subscriber;
    g->local = (struct stix_local){0};
    if (!gate_org_of_identity(g, o->created_by_ref, &creator, e) ||
        !gate_org_of(g, s->source_org, &source, e) ||
        (!s->plain && !gate_local(g, o->json, &g->local, e)) ||
        !gate_names_subscriber(g, s, &subscriber, e))
        return false;
    /* What came from abroad stays bound to its nation whoever hands it in, so the floors look at
     * the creator when that is a foreign organisation known here, else at the submitter. */
    bool foreign = creator && !str_eq(creator->party.nation, g->x->config.nation);
    *out = (struct policy_facts){
        .type = o->type,
        .tlp = marking_of_whole(o, s->marking),
        .pap = o->pap,
        .labels = o->labels,
        .source = foreign ? creator->party : source->party,
        .creator_identity = o->created_by_ref,
        .home = g->x->config.nation,
        .granular_tlps = o->granular ? markings_of_parts(o->json) : 0,
        .object = o->json,
        .now_us = g->now_us,
        .made_us = o->has_version ? o->version_us : s->received_us,
        .subscriber = subscriber,
        .local = g->local.count > 0,
        .lists = gate_lists(g->policy, g->arena, o),
    };
    if (creator)
        out->creator = creator->party;
    if (policy_asks(g->policy) & POLICY_ASKS_REFERENCED) {
        struct referenced *r = arena_calloc(g->arena, 1, sizeof *r);
        if (!r)
            return arena_ok(g->arena, e);
        *r = (struct referenced){.g = g, .name = s->name};
        out->referenced = is_referenced;
        out->referenced_ctx = r;
    }
    return true;
}
