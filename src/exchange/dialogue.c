/*
 * Objects of the dialogue in the store. They are read by release rows as everything else is, and
 * come in through exchange_prepare; what is added here is that their schemas are heard, and that
 * the definitions of their types go with them.
 */
#include <stdlib.h>

#include "exchange/exchange_priv.h"

/* ---- reading ---- */

/* A row that was read; where the newest version of an id is not asked for, no older one is. */
struct entry {
    struct exchange_statement st;
    int64_t copy; /* the number of a copy that was made here, or 0 */
    bool asked_for;
};

struct reading {
    struct exchange_session *s;
    const struct exchange_statement_query *q;
    struct arena *a;
    const struct dialogue_rules *rules;
    struct entry *list;
    size_t count, room;
    struct err *e;
    bool failed;
};

static void note_fault(void *ctx, size_t at, struct str path, struct str message)
{
    struct reading *l = ctx;
    struct exchange_statement *st = &l->list[l->count].st;
    (void)at;
    if (!st->fault.n)
        st->fault = arena_printf(l->a, "%.*s %.*s", STR_FMT(path), STR_FMT(message));
}

static bool fail(struct reading *l)
{
    l->failed = true;
    return false;
}

static int64_t time_of(const struct json *v, const char *name)
{
    struct instant t;
    struct err e;
    return instant_parse(json_get_str(v, str_of(name)), &t, &e) ? instant_us(t) : 0;
}

static bool take_row(void *ctx, const struct store_row *r)
{
    struct reading *l = ctx;
    const struct store_object *o = r->object;
    void *items = l->list;
    enum dialogue_type type;
    if (!dialogue_type_of(o->type, &type))
        return true;
    if (l->count == LIMIT_DIALOGUE_OBJECTS)
        return err_set(l->e, ERR_LIMIT,
                       "more than %d objects of the dialogue: `accept ... limit` in policy.conf "
                       "bounds what "
                       "a partner sends",
                       LIMIT_DIALOGUE_OBJECTS),
               fail(l);
    if (!base_grow(&items, &l->room, l->count + 1, sizeof *l->list))
        return err_set(l->e, ERR_MEMORY, "out of memory"), fail(l);
    l->list = items;
    struct exchange_statement *st = &l->list[l->count].st;
    *st = (struct exchange_statement){.type = type,
                                      .id = arena_str(l->a, o->id),
                                      .text = arena_str(l->a, o->bytes),
                                      .version_us = o->version_us,
                                      .arrived_us = r->date_added,
                                      .source_org = o->source_org};
    if (!arena_ok(l->a, l->e) || !json_parse(l->s->json, l->a, st->text, false, &st->json, l->e))
        return fail(l);
    st->author = json_get_str(st->json, STR("created_by_ref"));
    st->created_us = time_of(st->json, "created");
    st->exercise = json_is(json_get(st->json, STR("exercise")), JSON_TRUE);
    dialogue_object_check(l->rules, st->json, note_fault, l);
    l->list[l->count].copy = o->copy ? o->object : 0;
    l->list[l->count++].asked_for = !o->revoked && (l->q->both || st->exercise == l->q->exercise) &&
                                    (l->q->faulty || !st->fault.n);
    return true;
}

static int by_id(const void *x, const void *y)
{
    const struct exchange_statement *a = &((const struct entry *)x)->st;
    const struct exchange_statement *b = &((const struct entry *)y)->st;
    int order = str_cmp(a->id, b->id);
    return order ? order : (a->version_us < b->version_us) - (a->version_us > b->version_us);
}

static int by_time(const void *x, const void *y)
{
    const struct exchange_statement *a = x, *b = y;
    if (a->created_us != b->created_us)
        return a->created_us < b->created_us ? -1 : 1;
    return str_cmp(a->id, b->id);
}

/* Several collections may hold versions of one id; copies the newest of each into the arena. */
static bool newest_of_each(struct reading *l, struct exchange_statements *out, struct err *e)
{
    struct exchange_statement *kept = arena_calloc(l->a, l->count ? l->count : 1, sizeof *kept);
    size_t n = 0;
    if (!kept)
        return arena_ok(l->a, e) ? err_set(e, ERR_MEMORY, "out of memory") : false;
    if (l->count)
        qsort(l->list, l->count, sizeof *l->list, by_id);
    for (size_t i = 0; i < l->count; i++)
        if ((i == 0 || !str_eq(l->list[i].st.id, l->list[i - 1].st.id)) && l->list[i].asked_for)
            kept[n++] = l->list[i].st;
    if (n)
        qsort(kept, n, sizeof *kept, by_time);
    *out = (struct exchange_statements){kept, n};
    return true;
}

static bool note_number(void *ctx, int64_t number)
{
    *(int64_t *)ctx = number;
    return false;
}

static bool note_source(void *ctx, const struct store_object *o)
{
    *(int64_t *)ctx = o->source_org;
    return false;
}

/* A copy that this node made, as of what a partner says about a copy, is whose its original is. */
static bool source_of_copy(struct reading *l, struct entry *t, struct err *e)
{
    int64_t origin = 0;
    return !t->copy ||
           (store_derived_origins(l->s->store, t->copy, note_number, &origin, e) &&
            (!origin || store_object_get(l->s->store, origin, note_source, &t->st.source_org, e)));
}

/* The organisations that submitted them, by name. */
static bool name_sources(struct reading *l, struct err *e)
{
    for (size_t i = 0; i < l->count; i++) {
        struct store_org o;
        struct exchange_statement *st = &l->list[i].st;
        const struct exchange_statement *known = NULL;
        if (!source_of_copy(l, &l->list[i], e))
            return false;
        for (size_t k = i; k-- > 0 && !known;)
            if (l->list[k].st.source_org == st->source_org)
                known = &l->list[k].st;
        if (!known && !store_org_get(l->s->store, l->a, st->source_org, &o, e))
            return false;
        st->source = known ? known->source : (struct policy_party){o.nation, o.name};
    }
    return true;
}

static bool read_collections(struct reading *l, struct err *e)
{
    struct exchange_collection *c;
    struct str types[DIALOGUE_TYPE_COUNT];
    size_t count, type_count = 0;
    bool more, ok;
    if (!exchange_collections(l->s, l->a, &c, &count, e))
        return false;
    for (size_t i = 0; i < DIALOGUE_TYPE_COUNT; i++)
        if (l->q->types == 0 || l->q->types & (1u << i))
            types[type_count++] = str_of(dialogue_type_name((enum dialogue_type)i));
    ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        struct exchange_query q = {.collection = &c[i],
                                   .after_us = INT64_MIN,
                                   .limit = SIZE_MAX,
                                   .ids = &l->q->id,
                                   .id_count = l->q->id.n != 0,
                                   .types = types,
                                   .type_count = type_count,
                                   .versions = STORE_LAST,
                                   .with_bytes = true};
        ok = exchange_read(l->s, l->q->who, &q, take_row, l, &more, e) && !l->failed;
    }
    return ok;
}

bool exchange_dialogue_read(struct exchange_session *s, struct arena *a,
                            const struct exchange_statement_query *q,
                            struct exchange_statements *out, struct err *e)
{
    struct err mine = {0};
    struct reading l = {.s = s, .q = q, .a = a, .e = &mine};
    bool ok = dialogue_rules_load(a, s->json, &l.rules, e);
    if (ok && !read_collections(&l, e)) {
        ok = false;
        if (l.failed)
            *e = mine;
    }
    ok = ok && name_sources(&l, e) && newest_of_each(&l, out, e);
    base_free(l.list);
    return ok;
}

/* ---- writing ---- */

struct first_fault {
    size_t count;
    struct str id;
    struct err *e;
};

static void keep_first(void *ctx, size_t at, struct str path, struct str message)
{
    struct first_fault *f = ctx;
    if (f->count++ == 0)
        err_set_at(f->e, ERR_INVALID, at, "%.*s: %.*s: %.*s", STR_FMT(f->id), STR_FMT(path),
                   STR_FMT(message));
}

/* Every object of the dialogue is as its schema says; *types: which types there are. */
static bool check_all(struct exchange_session *s, struct arena *a, const struct json *first,
                      unsigned *types, struct err *e)
{
    const struct dialogue_rules *rules;
    struct err none = {0}, fault = {0};
    struct first_fault f = {.e = &fault};
    *types = 0;
    if (!dialogue_rules_load(a, s->json, &rules, e))
        return false;
    for (const struct json *v = first; v; v = v->next) {
        enum dialogue_type type;
        if (!dialogue_type_of(json_get_str(v, STR("type")), &type))
            continue;
        *types |= 1u << type;
        f.id = json_get_str(v, STR("id"));
        dialogue_object_check(rules, v, keep_first, &f);
    }
    if (!f.count)
        return true;
    *e = none;
    *e = fault;
    return false;
}

/* An envelope of all; the first `before` objects are definitions. */
struct envelope {
    struct buf text;
    size_t before;
};

/* The definitions of these types and their author, from what the program carries. */
static bool put_definitions(struct exchange_session *s, struct arena *a, unsigned types,
                            struct envelope *out, struct err *e)
{
    struct str text = dialogue_reference(DIALOGUE_REFERENCE_EXTENSIONS);
    const struct json *v;
    if (!types)
        return true;
    if (!json_parse(s->json, a, text, false, &v, e))
        return err_prefix(e, "schemas/extensions.json");
    for (v = json_get(v, STR("objects"))->u.child; v; v = v->next) {
        bool wanted = str_eq(json_get_str(v, STR("type")), STR("identity"));
        for (unsigned i = 0; i < DIALOGUE_TYPE_COUNT && !wanted; i++)
            wanted =
                types & (1u << i) && str_eq(json_get_str(v, STR("id")),
                                            str_of(dialogue_extension_id((enum dialogue_type)i)));
        if (!wanted)
            continue;
        buf_str(&out->text, json_source(text, v));
        buf_byte(&out->text, ',');
        out->before++;
    }
    return true;
}

static void tell(const struct exchange_saying *d, const struct exchange_batch *b, size_t before,
                 size_t *refused)
{
    *refused = 0;
    for (size_t i = before; i < exchange_batch_count(b); i++) {
        const struct exchange_result *r = exchange_batch_result(b, i);
        *refused += r->outcome == EXCHANGE_REFUSED || r->outcome == EXCHANGE_QUARANTINED;
        if (d->each)
            d->each(d->ctx, r);
    }
}

static bool hand_in(struct exchange_session *s, const struct exchange_saying *d, struct arena *a,
                    const struct envelope *all, size_t *refused, struct err *e)
{
    struct exchange_submission sub = {.who = d->who, .collection = d->collection};
    struct exchange_batch *b;
    const struct json *v;
    if (!json_parse(s->json, a, buf_view(&all->text), false, &v, e))
        return false;
    v = json_get(v, STR("objects"));
    if (!exchange_prepare(s, &sub, buf_view(&all->text), v->u.child, v->count, &b, e))
        return false;
    bool ok = exchange_commit_wait(s->x, b, e);
    if (ok)
        tell(d, b, all->before, refused);
    exchange_batch_free(b);
    return ok;
}

static bool add(struct exchange_session *s, const struct exchange_saying *d, struct arena *a,
                struct envelope *all, size_t *refused, struct err *e)
{
    enum stix_container kind;
    const struct json *root, *first;
    size_t count;
    unsigned types;
    if (!json_parse(s->json, a, d->objects, false, &root, e) ||
        !stix_container_open(root, &kind, &first, &count, e) || !check_all(s, a, first, &types, e))
        return false;
    buf_lit(&all->text, "{\"objects\":[");
    if (!put_definitions(s, a, types, all, e))
        return false;
    for (const struct json *v = first; v; v = v->next) {
        buf_str(&all->text, json_source(d->objects, v));
        buf_byte(&all->text, v->next ? ',' : ' ');
    }
    buf_lit(&all->text, "]}");
    return buf_ok(&all->text, e) && hand_in(s, d, a, all, refused, e);
}

bool exchange_dialogue_add(struct exchange_session *s, const struct exchange_saying *d,
                           size_t *refused, struct err *e)
{
    struct arena *a = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    struct envelope all = {.before = 0};
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&all.text, 2 * LIMIT_DIALOGUE_FILE_BYTES);
    bool ok = add(s, d, a, &all, refused, e);
    buf_done(&all.text);
    arena_free(a);
    return ok;
}

bool exchange_say(struct exchange_session *s, const struct exchange_saying *how,
                  const struct buf *objects, size_t *refused, struct err *e)
{
    struct exchange_saying d = *how;
    if (!buf_ok(objects, e))
        return false;
    d.objects = buf_view(objects);
    return exchange_dialogue_add(s, &d, refused, e);
}

/* ---- who is meant ---- */

static bool identity_of_party(struct exchange_session *s, struct arena *a,
                              const struct policy_party *party, struct str *out, struct err *e)
{
    struct principal p;
    struct store_org o;
    if (!exchange_login_partner(s, *party, &p, e) || !store_org_get(s->store, a, p.org, &o, e))
        return false;
    if (!o.identity.n)
        return err_set(e, ERR_NOT_FOUND,
                       "no STIX identity of %.*s is known: give it with `setu user add --identity`",
                       STR_FMT(party->org));
    *out = o.identity;
    return true;
}

bool exchange_identity_find(struct exchange_session *s, const struct principal *who,
                            struct arena *a, struct str name, struct str *out, struct err *e)
{
    struct exchange_request_query q = {.who = who, .id = name};
    struct exchange_contacts found;
    struct policy_party party;
    struct str type;
    struct err ignored;
    if (!stix_id_parse(name, &type, &ignored))
        return exchange_party_find(s, a, name, &party, e) &&
               identity_of_party(s, a, &party, out, e);
    if (str_eq(type, STR("identity"))) {
        *out = name;
        return true;
    }
    if (!exchange_contacts_read(s, a, &q, &found, e) || !exchange_contact_holds(found.list, e))
        return false;
    *out = json_get_str(found.list->said->json, STR("organisation_ref"));
    return true;
}
