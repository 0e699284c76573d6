/*
 * Do store and ledger agree? What the store has is fingerprinted and looked up among the records,
 * and the other way round: each object has its acceptance, each hold, user and decision its record;
 * each release row is what its leaf records, less what withdrawals took from it, and each release
 * without a row was withdrawn; each policy follows the one before. The log was verified before, so
 * records are only looked at.
 */
#include <string.h>

#include "exchange/agree_priv.h"

/* Release rows are looked up for so many leaves at a time: 12 bytes each. */
#define CHUNK_LEAVES ((uint64_t)1 << 22)

/* The record at hand is its word; returns whether the store has it. */
static bool found(struct agree *g, const struct ledger_record *r, uint64_t leaf)
{
    struct audit_key k;
    bool *mark =
        audit_key_of(r, leaf, &k) ? audit_set_mark(&g->wanted, agree_mark_of_key(g, &k)) : NULL;
    if (mark)
        *mark = true;
    return mark;
}

/* ---- release rows ---- */

/* Its place in the list; behind it: there is no such object. */
static uint32_t object_of(const struct agree *g, int64_t object)
{
    size_t from = 0, to = g->object_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (g->objects[middle].object < object)
            from = middle + 1;
        else
            to = middle;
    }
    bool there = from < g->object_count && g->objects[from].object == object;
    return there ? (uint32_t)from : UINT32_MAX;
}

static bool note_row(void *ctx, const struct store_release *r)
{
    struct agree *g = ctx;
    long long object = r->object;
    uint32_t place = object_of(g, r->object);
    if (r->leaf < g->base || r->leaf >= g->end) {
        audit_tell(g->a, "store", r->leaf,
                   "a release row, of object number %lld, names a leaf that is not there", object);
        return true;
    }
    struct row *row = &g->rows[r->leaf - g->base];
    g->a->out->releases++;
    if (place == UINT32_MAX)
        audit_tell(g->a, "store", r->leaf,
                   "a release row is of an object that is not there, number %lld", object);
    if (row->audience)
        audit_tell(g->a, "store", r->leaf,
                   "two release rows name this leaf, one of them of object number %lld", object);
    row->object = place;
    row->collection = agree_collection(g, r->collection);
    row->audience =
        r->audience > 0 && r->audience < (int64_t)g->to.stored ? (uint32_t)r->audience : UINT32_MAX;
    return true;
}

/* With those of the first and the last chunk come the rows that name no leaf of the log. */
static bool rows_of_chunk(struct agree *g)
{
    struct audit *a = g->a;
    memset(g->rows, 0, (size_t)(g->end - g->base) * sizeof *g->rows);
    return store_ledger_releases(a->s->store, g->base ? (int64_t)g->base : INT64_MIN,
                                 g->end < a->out->size ? (int64_t)g->end - 1 : INT64_MAX, note_row,
                                 g, a->e);
}

/* ---- releases and withdrawals ---- */

static uint64_t place_of(const struct agree *g, const struct ledger_record *r)
{
    struct str parts[] = {r->text[LEDGER_OBJECT], r->text[LEDGER_VERSION],
                          r->text[LEDGER_COLLECTION]};
    return agree_mark(g, 'w', parts, 3);
}

static bool owe(struct agree *g, uint64_t of, uint64_t leaf, uint32_t audience)
{
    void *items = g->owed;
    size_t n = g->owed_count ? g->owed_count : 1;
    if (!base_grow(&items, &g->owed_room, n + 1, sizeof *g->owed))
        return err_set(g->a->e, ERR_MEMORY, "out of memory");
    g->owed = items;
    uint32_t *head = &g->heads[of % (sizeof g->heads / sizeof *g->heads)];
    g->owed[n] = (struct owed){of, leaf, audience, *head};
    *head = (uint32_t)n;
    g->owed_count = n + 1;
    return true;
}

static bool check_release(struct agree *g, const struct store_leaf *l,
                          const struct ledger_record *r)
{
    struct str parts[] = {r->text[LEDGER_OBJECT], r->text[LEDGER_VERSION], r->text[LEDGER_DIGEST]};
    struct row *row = &g->rows[l->index - g->base];
    uint32_t to = (uint32_t)l->audience, more, gone = to;
    if (row->audience && (row->object >= g->object_count ||
                          g->objects[row->object].of != agree_mark(g, 'r', parts, 3) ||
                          !str_eq(agree_uuid(g, row->collection), r->text[LEDGER_COLLECTION]))) {
        audit_tell(g->a, "store", l->index,
                   "its release row is of another object, version, collection or content than the "
                   "record's, %.*s",
                   STR_FMT(parts[0]));
        return true;
    }
    if (row->audience == to)
        return true;
    if (row->audience) {
        if (!audit_combine(&g->to, row->audience, to, POLICY_WITHOUT, &more, g->a->e) ||
            !audit_combine(&g->to, to, row->audience, POLICY_WITHOUT, &gone, g->a->e))
            return false;
        if (more || row->audience == UINT32_MAX)
            audit_tell(g->a, "store", l->index,
                       "%.*s is shown to more than the record says it was released to",
                       STR_FMT(parts[0]));
    }
    return gone == 0 || owe(g, place_of(g, r), l->index, gone);
}

static bool add_gone(const struct agree *g, struct gone *list, struct gone_one one)
{
    void *items = list->list;
    if (!base_grow(&items, &list->room, list->count + 1, sizeof *list->list))
        return err_set(g->a->e, ERR_MEMORY, "out of memory");
    list->list = items;
    list->list[list->count++] = one;
    return true;
}

static bool keep_withdrawal(struct agree *g, const struct store_leaf *l,
                            const struct ledger_record *r)
{
    const struct audit_key k = {
        .kind = AUDIT_RELEASE,
        .part = {r->text[LEDGER_OBJECT], r->text[LEDGER_VERSION], r->text[LEDGER_COLLECTION]}};
    return add_gone(g, &g->kept,
                    (struct gone_one){.of = agree_forgotten_as(g, &k), .leaf = l->index});
}

static bool check_withdrawal(struct agree *g, const struct store_leaf *l,
                             const struct ledger_record *r)
{
    uint64_t of = place_of(g, r);
    uint32_t left = (uint32_t)l->audience;
    uint32_t *at = &g->heads[of % (sizeof g->heads / sizeof *g->heads)];
    while (*at && left) {
        struct owed *o = &g->owed[*at];
        uint32_t rest = o->audience, kept = left;
        if (o->of == of &&
            (!audit_combine(&g->to, left, o->audience, POLICY_WITHOUT, &kept, g->a->e) ||
             !audit_combine(&g->to, o->audience, left, POLICY_WITHOUT, &rest, g->a->e)))
            return false;
        left = kept;
        o->audience = rest;
        if (rest == 0)
            *at = o->next; /* all of it is accounted for */
        else
            at = &o->next;
    }
    return left == 0 || keep_withdrawal(g, l, r);
}

/* ---- each leaf ---- */

static void lacks(struct agree *g, const struct store_leaf *l, bool there, const char *what)
{
    if (!there)
        audit_tell(g->a, "store", l->index, "the store has no %s as the record says it", what);
}

static uint64_t version_of(const struct agree *g, const struct ledger_record *r, bool any)
{
    struct str parts[] = {r->text[LEDGER_OBJECT], any ? STR("") : r->text[LEDGER_VERSION]};
    return agree_mark(g, 'v', parts, 2);
}

/* The withdrawal of what has no versions names none; its acceptance names when it came. */
static bool was_withdrawn(const struct agree *g, const struct gone_one *o)
{
    return *audit_set_mark(&g->withdrawn, o->of) || *audit_set_mark(&g->withdrawn, o->of_any);
}

/* What was accepted is there, or was withdrawn afterwards. */
static bool check_acceptance(struct agree *g, const struct store_leaf *l,
                             const struct ledger_record *r)
{
    struct str is[] = {r->text[LEDGER_OBJECT], r->text[LEDGER_VERSION], r->text[LEDGER_DIGEST]};
    struct gone_one o = {.leaf = l->index};
    if (found(g, r, l->index))
        return true;
    o.of = version_of(g, r, false);
    o.of_any = version_of(g, r, true);
    o.is = agree_mark(g, 'r', is, 3);
    is[1] = STR("");
    o.is_any = agree_mark(g, 'r', is, 3);
    if (!audit_set_add(&g->withdrawn, o.of, g->a->e) ||
        !audit_set_add(&g->withdrawn, o.of_any, g->a->e))
        return false;
    *audit_set_mark(&g->withdrawn, o.of) = *audit_set_mark(&g->withdrawn, o.of_any) = false;
    return add_gone(g, &g->gone, o);
}

/* Is the audience this party, NATION/org, and nobody else? */
static bool is_only(struct str audience, struct str party)
{
    return audience.n == party.n + 1 && audience.p[0] == '+' && str_ends(audience, party);
}

/* What is listed of a withdrawal is what those who had it are told. */
struct listed {
    const struct store_leaf *l;
    const struct ledger_record *r;
    bool same;
};

static bool note_listed(void *ctx, const struct store_withdrawal *w)
{
    struct listed *x = ctx;
    struct str version = x->r->text[LEDGER_VERSION];
    char at[INSTANT_TEXT_BYTES];
    x->same = w->audience == x->l->audience &&
              str_eq(instant_text(instant_of_us(w->at_us), 6, at), x->r->text[LEDGER_AT]) &&
              str_eq(w->version, version.p ? version : STR(""));
    return false;
}

static bool check_listed(struct agree *g, const struct store_leaf *l, const struct ledger_record *r)
{
    struct listed x = {.l = l, .r = r};
    (void)found(g, r, l->index);
    if (!store_withdrawal_get(g->a->s->store, l->index, note_listed, &x, g->a->e))
        return false;
    bool *gone = audit_set_mark(&g->withdrawn, version_of(g, r, false));
    if (gone)
        *gone = true;
    if (!x.same)
        audit_tell(g->a, "store", l->index,
                   "those from whom %.*s was withdrawn would not be told so as recorded",
                   STR_FMT(r->text[LEDGER_OBJECT]));
    return true;
}

/* Who may see the record is told beside it; where the record names them, by their digest. */
static bool check_readers(struct agree *g, const struct store_leaf *l,
                          const struct ledger_record *r)
{
    bool known = l->audience >= 0 && l->audience < (int64_t)g->to.stored;
    struct str digest = r->text[LEDGER_AUDIENCE];
    if (known && digest.n && r->kind != LEDGER_ERASURE_RECORD)
        known = str_eq(digest, (struct str){g->to.list[l->audience].digest, LEDGER_HEX_BYTES});
    else if (known && r->kind == LEDGER_RECEIPT_RECORD)
        known = str_starts(r->text[LEDGER_OUTCOME], STR("confirmed-"))
                    ? l->audience == 0
                    : is_only(g->to.list[l->audience].text, r->text[LEDGER_PEER]);
    else if (known && r->kind == LEDGER_RESTORE_RECORD && !r->text[LEDGER_PEER].n)
        known = str_eq(g->to.list[l->audience].text, STR("+*"));
    else
        known = known && l->audience == 0;
    if (!known)
        audit_tell(g->a, "leaf", l->index,
                   "the record would be shown to others than those it concerns");
    return known;
}

static void check_policy(struct agree *g, const struct store_leaf *l, const struct ledger_record *r)
{
    struct str before = r->text[LEDGER_PREVIOUS], now = r->text[LEDGER_POLICY];
    struct str last = {g->policy, g->has_policy ? sizeof g->policy : 0};
    if (!str_eq(before, last))
        audit_tell(g->a, "record", l->index,
                   "the policy before this one is not the one that was put in force before");
    if (now.n == sizeof g->policy) {
        memcpy(g->policy, now.p, sizeof g->policy);
        g->has_policy = true;
    }
}

static bool add_bare(struct agree *g, uint64_t leaf, const struct row *row)
{
    void *items = g->bare;
    if (!base_grow(&items, &g->bare_room, g->bare_count + 1, sizeof *g->bare))
        return err_set(g->a->e, ERR_MEMORY, "out of memory");
    g->bare = items;
    g->bare[g->bare_count++] = (struct bare){leaf, *row};
    return true;
}

/* An erased release, and the audience that it was to. */
static uint64_t reach_of(const struct agree *g, uint64_t leaf, struct str audience)
{
    char room[AUDIT_NUMBER_BYTES];
    struct str parts[] = {audit_number(leaf, room), audience};
    return agree_mark(g, 'x', parts, 2);
}

static bool check_erasure(struct agree *g, const struct ledger_record *r)
{
    const struct str *t = r->text;
    uint64_t leaf = r->number[LEDGER_LEAF];
    return audit_set_add(&g->erasures, leaf + 1, g->a->e) &&
           (!t[LEDGER_DIGEST].n ||
            audit_set_add(&g->forgotten, agree_number_of_hex(t[LEDGER_DIGEST]), g->a->e)) &&
           (!t[LEDGER_AUDIENCE].n ||
            audit_set_add(&g->reached, reach_of(g, leaf, t[LEDGER_AUDIENCE]), g->a->e));
}

/* False only on a failure. */
static bool look_at(struct agree *g, const struct store_leaf *l, const struct ledger_record *r)
{
    switch (r->kind) {
    case LEDGER_ACCEPTANCE_RECORD:
        return check_acceptance(g, l, r);
    case LEDGER_QUARANTINE_RECORD:
    case LEDGER_HOLD_RECORD:
        lacks(g, l, found(g, r, l->index), "entry of the release desk");
        return true;
    case LEDGER_APPROVAL_RECORD:
        (void)found(g, r, l->index);
        return true;
    case LEDGER_USER_CHANGE_RECORD:
        lacks(g, l, found(g, r, l->index), "user");
        return true;
    case LEDGER_COLLECTION_CHANGE_RECORD:
        lacks(g, l, found(g, r, l->index), "collection");
        return true;
    case LEDGER_POLICY_CHANGE_RECORD:
        check_policy(g, l, r);
        return true;
    case LEDGER_RELEASE_RECORD:
        return check_release(g, l, r);
    case LEDGER_WITHDRAWAL_RECORD:
        return check_listed(g, l, r) && check_withdrawal(g, l, r);
    case LEDGER_RECEIPT_RECORD:
        lacks(g, l, found(g, r, l->index), "receipt");
        return true;
    case LEDGER_ERASURE_RECORD:
        return check_erasure(g, r);
    case LEDGER_REFUSAL_RECORD:
    case LEDGER_PEER_CHANGE_RECORD:
    case LEDGER_TOKEN_CHANGE_RECORD:
    case LEDGER_SIGN_IN_FAILURE_RECORD:
    case LEDGER_EXPORT_RECORD:
    case LEDGER_BACKUP_RECORD:
    case LEDGER_RESTORE_RECORD:
    case LEDGER_READ_RECORD:
    case LEDGER_KIND_COUNT:
        return true;
    }
    return true;
}

static bool each_leaf(void *ctx, const struct store_leaf *l)
{
    struct agree *g = ctx;
    struct ledger_record r;
    const struct row *row = &g->rows[l->index - g->base];
    audit_step(g->a);
    if (l->record.n == 0) { /* erased: the row is all there is */
        if (l->audience)
            audit_tell(g->a, "leaf", l->index, "an erased record has readers");
        g->failed = !add_gone(g, &g->erased, (struct gone_one){.leaf = l->index}) ||
                    (row->audience && !add_bare(g, l->index, row));
        return !g->failed;
    }
    if (!ledger_record_scan(l->record, &r)) {
        audit_tell(g->a, "record", l->index, "no record of a known kind in canonical form");
        return true;
    }
    if (row->audience && r.kind != LEDGER_RELEASE_RECORD)
        audit_tell(g->a, "store", l->index,
                   "a release row names this leaf, whose record is of kind %s",
                   ledger_kind_name(r.kind));
    if (check_readers(g, l, &r))
        g->failed = !look_at(g, l, &r);
    return !g->failed;
}

static bool walk_leaves(struct agree *g)
{
    struct audit *a = g->a;
    struct store *s = a->s->store;
    uint64_t size = a->out->size;
    bool ok = true;
    do {
        g->base = g->end;
        g->end = size - g->base < CHUNK_LEAVES ? size : g->base + CHUNK_LEAVES;
        ok = rows_of_chunk(g) && store_ledger_each(s, g->base, g->end, each_leaf, g, a->e) &&
             !g->failed;
    } while (ok && g->end < size);
    return ok;
}

/* ---- the end of it ---- */

static bool tell_owed(void *ctx, const struct store_leaf *l)
{
    struct agree *g = ctx;
    struct ledger_record r;
    if (ledger_record_scan(l->record, &r))
        audit_tell(g->a, "store", l->index,
                   "%.*s was released to more than have it, and no withdrawal is recorded",
                   STR_FMT(r.text[LEDGER_OBJECT]));
    return true;
}

static bool tell_gone(void *ctx, const struct store_leaf *l)
{
    struct agree *g = ctx;
    struct ledger_record r;
    if (ledger_record_scan(l->record, &r))
        audit_tell(g->a, "store", l->index, "%.*s was accepted and is not there",
                   STR_FMT(r.text[LEDGER_OBJECT]));
    return true;
}

/* Others may have brought the same, before or behind. */
static bool report_gone(struct agree *g)
{
    struct audit *a = g->a;
    struct audit_set here = {0};
    bool ok = true;
    for (size_t i = 0; i < g->object_count && g->gone.count && ok; i++)
        ok = audit_set_add(&here, g->objects[i].of, a->e);
    for (size_t i = 0; i < g->gone.count && ok; i++) {
        const struct gone_one *o = &g->gone.list[i];
        if (!was_withdrawn(g, o) && !audit_set_mark(&here, o->is) &&
            !audit_set_mark(&here, o->is_any))
            ok = store_ledger_each(a->s->store, o->leaf, o->leaf + 1, tell_gone, g, a->e);
    }
    audit_set_done(&here);
    return ok;
}

static bool tell_kept(void *ctx, const struct store_leaf *l)
{
    struct agree *g = ctx;
    struct ledger_record r;
    if (ledger_record_scan(l->record, &r))
        audit_tell(g->a, "store", l->index,
                   "the record says that %.*s was withdrawn from some who still have it or never "
                   "had it",
                   STR_FMT(r.text[LEDGER_OBJECT]));
    return true;
}

/* The release of what was withdrawn may be erased. */
static bool report_kept(struct agree *g)
{
    struct audit *a = g->a;
    for (size_t i = 0; i < g->kept.count; i++) {
        const struct gone_one *o = &g->kept.list[i];
        if (!audit_set_mark(&g->forgotten, o->of) &&
            !store_ledger_each(a->s->store, o->leaf, o->leaf + 1, tell_kept, g, a->e))
            return false;
    }
    return true;
}

/* Of what a row is whose record is erased: the erasure knows. */
struct baring {
    struct agree *g;
    struct str collection;
    bool known;
};

static bool note_bare(void *ctx, const struct store_object *o)
{
    struct baring *x = ctx;
    const struct audit_key k = {.kind = AUDIT_RELEASE, .part = {o->id, o->version, x->collection}};
    x->known = audit_set_mark(&x->g->forgotten, agree_forgotten_as(x->g, &k));
    return false;
}

/* Its readers are some of those that the release was to. */
static bool reaches(struct agree *g, const struct bare *b, bool *yes)
{
    *yes = false;
    for (uint32_t to = 1; to < g->to.stored && !*yes; to++) {
        struct str digest = {g->to.list[to].digest, LEDGER_HEX_BYTES};
        uint32_t more = 0;
        if (!audit_set_mark(&g->reached, reach_of(g, b->leaf, digest)))
            continue;
        if (b->row.audience != to &&
            !audit_combine(&g->to, b->row.audience, to, POLICY_WITHOUT, &more, g->a->e))
            return false;
        *yes = more == 0 && b->row.audience != UINT32_MAX;
    }
    return true;
}

static bool report_bare(struct agree *g)
{
    for (size_t i = 0; i < g->bare_count; i++) {
        const struct bare *b = &g->bare[i];
        struct baring x = {.g = g, .collection = agree_uuid(g, b->row.collection)};
        bool reached;
        if (b->row.object >= g->object_count || !audit_set_mark(&g->erasures, b->leaf + 1))
            continue; /* that is told */
        if (!store_object_get(g->a->s->store, g->objects[b->row.object].object, note_bare, &x,
                              g->a->e) ||
            !reaches(g, b, &reached))
            return false;
        if (!x.known || !reached)
            audit_tell(g->a, "store", b->leaf,
                       "its record is erased, and its release row is not of what was released, or "
                       "shown to others");
    }
    return true;
}

static void report_erased(struct agree *g)
{
    for (size_t i = 0; i < g->erased.count; i++)
        if (!audit_set_mark(&g->erasures, g->erased.list[i].leaf + 1))
            audit_tell(g->a, "record", g->erased.list[i].leaf,
                       "it is gone, and no record says that an officer erased it");
}

static bool report_owed(struct agree *g)
{
    struct audit *a = g->a;
    for (size_t h = 0; h < sizeof g->heads / sizeof *g->heads; h++)
        for (uint32_t i = g->heads[h]; i; i = g->owed[i].next)
            if (!store_ledger_each(a->s->store, g->owed[i].leaf, g->owed[i].leaf + 1, tell_owed, g,
                                   a->e))
                return false;
    return true;
}

static bool report_policy(struct agree *g)
{
    struct buf recorded;
    struct err none = {0};
    buf_init(&recorded, 0);
    bool ok = store_value_get(g->a->s->store, STR("policy-recorded"), &recorded, &none) ||
              none.code == ERR_NOT_FOUND;
    if (!ok)
        *g->a->e = none;
    else if (!str_eq(buf_view(&recorded),
                     (struct str){g->policy, g->has_policy ? sizeof g->policy : 0}))
        audit_tell(g->a, "store", AUDIT_NO_LEAF,
                   "the policy that decided last is not the one that the ledger names last");
    buf_done(&recorded);
    return ok;
}

static bool agree_open(struct agree *g)
{
    struct audit *a = g->a;
    uint64_t chunk = a->out->size < CHUNK_LEAVES ? a->out->size : CHUNK_LEAVES;
    base_random(g->key, sizeof g->key);
    g->arena = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    g->rows = base_alloc(((size_t)chunk + 1) * sizeof *g->rows);
    return ((g->arena && g->rows) || err_set(a->e, ERR_MEMORY, "out of memory")) &&
           exchange_collections(a->s, g->arena, &g->collections, &g->collection_count, a->e) &&
           audit_audiences_open(&g->to, a->s, a->e);
}

static void agree_free(struct agree *g)
{
    audit_audiences_done(&g->to);
    audit_set_done(&g->wanted);
    audit_set_done(&g->withdrawn);
    audit_set_done(&g->erasures);
    audit_set_done(&g->forgotten);
    base_free(g->gone.list);
    base_free(g->kept.list);
    base_free(g->erased.list);
    audit_set_done(&g->reached);
    base_free(g->bare);
    base_free(g->orgs);
    base_free(g->objects);
    base_free(g->rows);
    base_free(g->owed);
    arena_free(g->arena);
    base_free(g);
}

bool audit_agree(struct audit *a)
{
    struct agree *g = base_alloc(sizeof *g);
    if (!g)
        return err_set(a->e, ERR_MEMORY, "out of memory");
    g->a = a;
    bool ok = agree_open(g) && agree_ask(g) && walk_leaves(g) && report_owed(g) && report_bare(g) &&
              report_kept(g) && report_gone(g) && report_policy(g) && agree_report_missing(g);
    if (ok)
        report_erased(g);
    agree_free(g);
    return ok;
}
