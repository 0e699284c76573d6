/*
 * What both sides hold: what the partner is shown and did not submit, and what it submitted here.
 * The partner's node finds the same objects the other way round. Versions count by their own dates,
 * not by when they arrived, and an object is of who made it, not of who was first to send it: these
 * are the same on both nodes.
 */
#include <stdlib.h>

#include "review/review_priv.h"

struct loading {
    struct exchange_session *s;
    struct arena *a, *scratch; /* scratch: of one object */
    struct review_facts *f;
    const struct dialogue_rules *rules;
    int64_t partner_org;
    bool sent; /* rows that the partner is shown; else home's */
    bool all_rights;
    const struct str *rights; /* ids that the reader is shown, sorted */
    size_t right_count;
    struct facts_object *list;
    size_t count, room;
    struct err *e;
    bool failed;
};

static bool fail(struct loading *l)
{
    l->failed = true;
    return false;
}

static int cmp_str(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* ---- one object ---- */

static int64_t time_of(const struct json *v, const char *name)
{
    struct instant t;
    struct err e;
    return instant_parse(json_get_str(v, str_of(name)), &t, &e) ? instant_us(t) : 0;
}

static bool has_text(const struct json *list, struct str text)
{
    for (const struct json *v = json_is(list, JSON_ARRAY) ? list->u.child : NULL; v; v = v->next)
        if (json_is(v, JSON_STRING) && str_eq(v->u.s, text))
            return true;
    return false;
}

static void count_fault(void *ctx, size_t at, struct str path, struct str message)
{
    (void)at, (void)path, (void)message;
    ++*(size_t *)ctx;
}

/* Who describes a technique: the source of its first reference that has an id. */
static struct str source_of(const struct json *v)
{
    const struct json *list = json_get(v, STR("external_references"));
    for (v = json_is(list, JSON_ARRAY) ? list->u.child : NULL; v; v = v->next)
        if (json_get_str(v, STR("external_id")).n)
            return json_get_str(v, STR("source_name"));
    return STR_NONE;
}

/* What its members say that is counted. */
static bool look_into(struct loading *l, const struct store_object *o, struct facts_object *x)
{
    enum dialogue_type type;
    bool dialogue = dialogue_type_of(o->type, &type);
    bool sighting = str_eq(o->type, STR("sighting")), report = str_eq(o->type, STR("report"));
    bool indicator = str_eq(o->type, STR("indicator"));
    struct arena *a = dialogue ? l->a : l->scratch;
    const struct json *v;
    size_t faults = 0;
    x->advisory = str_eq(o->type, STR("vulnerability"));
    struct str text = dialogue ? arena_str(a, o->bytes) : o->bytes;
    if (!arena_ok(a, l->e) || !json_parse(exchange_session_json(l->s), a, text, false, &v, l->e))
        return fail(l);
    x->creator = arena_str(l->a, json_get_str(v, STR("created_by_ref")));
    if (dialogue) {
        dialogue_object_check(l->rules, v, count_fault, &faults);
        x->text = text;
        x->json = faults ? NULL : v;
    }
    if (sighting)
        x->ref = arena_str(l->a, json_get_str(v, STR("sighting_of_ref")));
    if (sighting && !(x->seen_us = time_of(v, "first_seen")))
        x->seen_us = time_of(v, "created");
    if (indicator)
        x->ref = arena_str(l->a, json_get_str(v, STR("pattern")));
    if (str_eq(o->type, STR("attack-pattern")))
        x->ref = arena_str(l->a, source_of(v));
    if (str_eq(o->type, STR("relationship")) &&
        str_eq(json_get_str(v, STR("relationship_type")), STR("indicates"))) {
        x->ref = arena_str(l->a, json_get_str(v, STR("source_ref")));
        x->target = arena_str(l->a, json_get_str(v, STR("target_ref")));
    }
    if (report)
        x->advisory = has_text(json_get(v, STR("report_types")), STR("vulnerability"));
    arena_reset(l->scratch);
    return true;
}

static bool is_wanted(const struct loading *l, const struct store_object *o, enum facts_way way)
{
    static const char *const ours[] = {"indicator", "sighting", "attack-pattern", "relationship"};
    bool any = way == FACTS_SHARED;
    for (size_t i = 0; i < sizeof ours / sizeof *ours && !any; i++)
        any = str_eq(o->type, str_of(ours[i]));
    if (!any)
        return false;
    return l->all_rights || (l->right_count && bsearch(&o->id, l->rights, l->right_count,
                                                       sizeof *l->rights, cmp_str));
}

static bool take_row(void *ctx, const struct store_row *r)
{
    struct loading *l = ctx;
    const struct store_object *o = r->object;
    bool partners = o->source_org == l->partner_org;
    enum facts_way way = l->sent || partners ? FACTS_SHARED : FACTS_OURS;
    void *items = l->list;
    /* An observable has no versions and no dates of its own: nothing of it is the same on both
     * nodes but its id. */
    if ((l->sent && partners) || !o->has_version || o->version_us > l->f->as_of_us ||
        !is_wanted(l, o, way))
        return true;
    if (!base_grow(&items, &l->room, l->count + 1, sizeof *l->list))
        return err_set(l->e, ERR_MEMORY, "out of memory") || fail(l);
    l->list = items;
    struct facts_object *x = &l->list[l->count];
    *x = (struct facts_object){.way = way,
                               .got = partners,
                               .id = arena_str(l->a, o->id),
                               .type = arena_str(l->a, o->type),
                               .version = arena_str(l->a, o->version),
                               .version_us = o->version_us,
                               .added_us = r->date_added,
                               .tlp = (enum stix_tlp)o->tlp,
                               .revoked = o->revoked};
    if (!look_into(l, o, x))
        return false;
    /* A matrix has thousands of relationships, and few of them indicate. */
    l->count += way == FACTS_SHARED || x->target.n || !str_eq(o->type, STR("relationship"));
    return arena_ok(l->a, l->e) || fail(l);
}

/* ---- reading ---- */

static bool read_all(struct loading *l, const struct principal *who, const struct policy_party *as,
                     bool with_bytes, store_row_fn *each)
{
    struct exchange_collection *c;
    size_t count;
    bool more, ok = exchange_collections(l->s, l->a, &c, &count, l->e);
    for (size_t i = 0; i < count && ok; i++) {
        struct exchange_query q = {.collection = &c[i],
                                   .after_us = INT64_MIN,
                                   .limit = SIZE_MAX,
                                   .versions = STORE_ALL,
                                   .with_bytes = with_bytes,
                                   .as = as};
        ok = exchange_read(l->s, who, &q, each, l, &more, l->e) && !l->failed;
    }
    return ok;
}

struct gathering_rights {
    struct loading l; /* first */
    struct str *ids;
    size_t count, room;
};

static bool take_right(void *ctx, const struct store_row *r)
{
    struct gathering_rights *g = ctx;
    void *items = g->ids;
    if (!base_grow(&items, &g->room, g->count + 1, sizeof *g->ids))
        return err_set(g->l.e, ERR_MEMORY, "out of memory") || fail(&g->l);
    g->ids = items;
    g->ids[g->count++] = arena_str(g->l.a, r->object->id);
    return true;
}

/* The ids that the reader is shown, in any collection. */
static bool load_rights(struct gathering_rights *g, const struct principal *home)
{
    bool ok = read_all(&g->l, home, &g->l.f->reader, false, take_right) && arena_ok(g->l.a, g->l.e);
    if (ok && g->count)
        qsort(g->ids, g->count, sizeof *g->ids, cmp_str);
    return ok;
}

/* ---- the newest of each ---- */

static int by_way_and_id(const void *x, const void *y)
{
    const struct facts_object *a = x, *b = y;
    if (a->way != b->way)
        return a->way < b->way ? -1 : 1;
    int order = str_cmp(a->id, b->id);
    return order ? order : (a->version_us < b->version_us) - (a->version_us > b->version_us);
}

static bool keep_newest(struct loading *l)
{
    struct facts_object *kept = arena_calloc(l->a, l->count ? l->count : 1, sizeof *kept);
    size_t n = 0;
    if (!kept)
        return arena_ok(l->a, l->e) ? err_set(l->e, ERR_MEMORY, "out of memory") : false;
    if (l->count)
        qsort(l->list, l->count, sizeof *l->list, by_way_and_id);
    for (size_t i = 0; i < l->count; i++) {
        bool again =
            n && kept[n - 1].way == l->list[i].way && str_eq(kept[n - 1].id, l->list[i].id);
        if (!again)
            kept[n++] = l->list[i];
        else if (l->list[i].added_us < kept[n - 1].added_us)
            kept[n - 1].added_us = l->list[i].added_us;
    }
    l->f->objects = kept;
    l->f->count = n;
    facts_attribute(l->f, NULL);
    for (size_t i = 0, way = 0; way < FACTS_OURS + 2; way++) {
        while (i < n && kept[i].way < way)
            i++;
        l->f->starts[way] = i;
    }
    return true;
}

static int id_of_object(const void *key, const void *x)
{
    return str_cmp(*(const struct str *)key, ((const struct facts_object *)x)->id);
}

const struct facts_object *facts_find_way(const struct review_facts *f, enum facts_way way,
                                          struct str id)
{
    size_t from = f->starts[way], n = f->starts[way + 1] - from;
    return n ? bsearch(&id, f->objects + from, n, sizeof *f->objects, id_of_object) : NULL;
}

const struct facts_object *facts_find(const struct review_facts *f, struct str id)
{
    return facts_find_way(f, FACTS_SHARED, id);
}

/* ---- whose they are ---- */

static bool lists(const struct json *parties, struct str nation, struct str identity)
{
    const struct json *v = json_get(parties, nation);
    return has_text(v, identity);
}

void facts_attribute(struct review_facts *f, const struct json *parties)
{
    for (size_t i = 0; i < f->count; i++) {
        struct facts_object *o = &f->objects[i];
        if (!o->creator.n)
            o->side = o->got ? FACTS_PARTNERS : FACTS_HOMES;
        else if (str_eq(o->creator, f->identities[REVIEW_HOME]) ||
                 lists(parties, f->home.nation, o->creator))
            o->side = FACTS_HOMES;
        else if (str_eq(o->creator, f->identities[REVIEW_PARTNER]) ||
                 lists(parties, f->partner.nation, o->creator))
            o->side = FACTS_PARTNERS;
        else
            o->side = FACTS_NEITHERS;
    }
}

/* ---- all of it ---- */

static bool load_objects(struct loading *l, const struct principal *home)
{
    struct gathering_rights g = {.l = *l};
    bool ok = l->f->home_reads || load_rights(&g, home);
    l->rights = g.ids;
    l->right_count = g.count;
    l->all_rights = l->f->home_reads;
    l->sent = true;
    ok = ok && read_all(l, home, &l->f->partner, true, take_row);
    l->sent = false;
    ok = ok && read_all(l, home, NULL, true, take_row) && keep_newest(l);
    l->rights = NULL;
    base_free(g.ids);
    return ok;
}

bool facts_load(struct exchange_session *s, struct arena *a, const struct review_asked *q,
                struct review_facts **out, struct err *e)
{
    struct review_facts *f = arena_calloc(a, 1, sizeof *f);
    struct principal home, partner, reader;
    if (!f || !exchange_login_home(s, a, &home, e))
        return f ? false : err_set(e, ERR_MEMORY, "out of memory");
    *f = (struct review_facts){.home = home.party,
                               .partner = q->partner,
                               .reader = q->reader.org.n ? q->reader : home.party,
                               .as_of_us = q->as_of_us};
    f->home_reads =
        str_eq(f->reader.org, home.party.org) && str_eq(f->reader.nation, home.party.nation);
    if (!exchange_login_partner(s, f->partner, &partner, e) ||
        !exchange_login_partner(s, f->reader, &reader, e))
        return false;
    f->identities[REVIEW_HOME] = home.identity;
    if (!exchange_identity_find(s, &home, a, f->partner.org, &f->identities[REVIEW_PARTNER], e))
        return false;
    reader.role = f->home_reads ? EXCHANGE_OFFICER : EXCHANGE_PEER;
    struct loading l = {.s = s, .a = a, .f = f, .partner_org = partner.org, .e = e};
    l.scratch = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    bool ok = (l.scratch || err_set(e, ERR_MEMORY, "out of memory")) &&
              dialogue_rules_load(a, exchange_session_json(s), &l.rules, e) &&
              load_objects(&l, &home) && facts_requests_load(s, a, &home, f, e) &&
              facts_ledger_load(s, a, &reader, f, e);
    base_free(l.list);
    arena_free(l.scratch);
    if (ok)
        *out = f;
    return ok;
}

bool review_facts_load(struct exchange_session *s, struct arena *a, const struct review_asked *q,
                       const struct review_facts **out, struct err *e)
{
    struct review_facts *f;
    if (!facts_load(s, a, q, &f, e))
        return false;
    *out = f;
    return true;
}
