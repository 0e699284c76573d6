/* What the store has, as fingerprints: asked for before the records are looked at, and told when no
 * record has it. */
#include <string.h>

#include "exchange/agree_priv.h"

/* ---- fingerprints ---- */

/* A keyed hash of texts as records have them; nobody outside can make two of one. */
uint64_t agree_mark(const struct agree *g, char kind, const struct str *parts, size_t count)
{
    char room[4 * 257 + 1];
    size_t n = 0;
    room[n++] = kind;
    for (size_t i = 0; i < count; i++) {
        struct str s = parts[i];
        if (s.n > 256) { /* rare: its hash stands for it */
            char digest[LEDGER_HEX_BYTES];
            ledger_digest(s, digest);
            memcpy(room + n, digest, sizeof digest);
            n += sizeof digest;
        } else {
            memcpy(room + n, s.p ? s.p : "", s.n);
            n += s.n;
        }
        room[n++] = '\0';
    }
    must(n <= sizeof room);
    return crypt_name64(g->key, (struct str){room, n});
}

uint64_t agree_mark_of_key(const struct agree *g, const struct audit_key *k)
{
    return agree_mark(g, (char)k->kind, k->part, 3);
}

uint64_t agree_number_of_hex(struct str digest)
{
    uint64_t n = 0;
    for (size_t i = 0; i < 16 && i < digest.n; i++)
        n = n << 4 |
            (unsigned char)(digest.p[i] <= '9' ? digest.p[i] - '0' : digest.p[i] - 'a' + 10);
    return n;
}

/* By a digest under the node's key, 64 bits of it: as erasures have it. */
uint64_t agree_forgotten_as(const struct agree *g, const struct audit_key *k)
{
    char digest[LEDGER_HEX_BYTES];
    audit_key_digest(g->a->s->x, k, digest);
    return agree_number_of_hex((struct str){digest, sizeof digest});
}

/* Its place in the list; behind it: there is no such collection. */
uint32_t agree_collection(const struct agree *g, int64_t collection)
{
    uint32_t i = 0;
    while (i < g->collection_count && g->collections[i].id != collection)
        i++;
    return i;
}

struct str agree_uuid(const struct agree *g, uint32_t place)
{
    return place < g->collection_count ? g->collections[place].uuid : STR("?");
}

/* A text as JSON writes it, without its quotes; lives until the next call. */
static struct str escaped(struct str s, struct buf *b)
{
    buf_clear(b);
    json_put_string(b, s);
    return b->failed ? STR("") : str_slice(buf_view(b), 1, b->n - 1);
}

/* ---- what the store has: asked for first, then told where no record has it ---- */

enum asked { ASK_WANT, ASK_TELL };

struct asking {
    struct agree *g;
    enum asked how;
    struct buf text;
};

/* Of an entry that is asked for now, or was and is not found. */
static bool ask(struct asking *q, enum audit_kind kind, const struct str part[3], const char *of)
{
    struct agree *g = q->g;
    const struct audit_key k = {.kind = kind, .part = {part[0], part[1], part[2]}};
    if (q->how == ASK_WANT)
        g->failed = !audit_set_add(&g->wanted, agree_mark_of_key(g, &k), g->a->e);
    else if (!*audit_set_mark(&g->wanted, agree_mark_of_key(g, &k)) &&
             !audit_set_mark(&g->forgotten, agree_forgotten_as(g, &k)))
        audit_tell(g->a, "store", AUDIT_NO_LEAF, "%s %.*s %.*s: the ledger has no record of it", of,
                   STR_FMT(part[0]), STR_FMT(part[kind == AUDIT_OBJECT ? 2 : 1]));
    return !g->failed;
}

/* What its release rows are compared with. */
static bool keep_object(struct agree *g, const struct store_object *o, struct str digest)
{
    struct str parts[] = {o->id, o->version, digest};
    void *items = g->objects;
    if (!base_grow(&items, &g->object_room, g->object_count + 1, sizeof *g->objects)) {
        g->failed = true;
        return err_set(g->a->e, ERR_MEMORY, "out of memory");
    }
    g->objects = items;
    g->objects[g->object_count++] = (struct is){o->object, agree_mark(g, 'r', parts, 3)};
    return true;
}

/* Of an organisation that is asked for the first time. One that is not there is nobody's. */
static bool add_organisation(struct agree *g, int64_t id)
{
    struct store_org org = {.nation = STR("?"), .name = STR("?")};
    struct err e = {0};
    struct buf text;
    void *items = g->orgs;
    if (!base_grow(&items, &g->org_room, g->org_count + 1, sizeof *g->orgs))
        return err_set(g->a->e, ERR_MEMORY, "out of memory");
    g->orgs = items;
    if (!store_org_get(g->a->s->store, g->arena, id, &org, &e) && e.code != ERR_NOT_FOUND) {
        *g->a->e = e;
        return false;
    }
    buf_init(&text, 0);
    struct str name = escaped(org.name, &text);
    g->orgs[g->org_count++] =
        (struct org){id, arena_printf(g->arena, "%.*s/%.*s", STR_FMT(org.nation), STR_FMT(name))};
    bool ok = buf_ok(&text, g->a->e) && arena_ok(g->arena, g->a->e);
    buf_done(&text);
    return ok;
}

static bool organisation_of(struct agree *g, int64_t id, struct str *out)
{
    size_t i = 0;
    while (i < g->org_count && g->orgs[i].id != id)
        i++;
    g->failed = i == g->org_count && !add_organisation(g, id);
    if (!g->failed)
        *out = g->orgs[i].text;
    return !g->failed;
}

static bool ask_object(void *ctx, const struct store_object *o)
{
    struct asking *q = ctx;
    char digest[LEDGER_HEX_BYTES];
    ledger_digest(o->bytes, digest);
    struct str parts[3] = {o->id, {digest, sizeof digest}, STR("")};
    if (q->how == ASK_WANT && !keep_object(q->g, o, parts[1]))
        return false;
    if (o->copy)
        return true;
    if (!organisation_of(q->g, o->source_org, &parts[2]))
        return false;
    q->g->a->out->objects += q->how == ASK_WANT;
    return ask(q, AUDIT_OBJECT, parts, "object");
}

static bool ask_desk(void *ctx, const struct store_desk *d)
{
    struct asking *q = ctx;
    bool decided = d->state == STORE_DESK_APPROVED || d->state == STORE_DESK_REFUSED;
    struct str id = escaped(d->stix_id, &q->text),
               uuid = agree_uuid(q->g, agree_collection(q->g, d->collection));
    struct str hold[3] = {id, d->audience, uuid}, outcome[3] = {id, STR("approved"), uuid};
    if (d->state == STORE_DESK_REFUSED)
        outcome[1] = STR("refused");
    if (d->kind == STORE_DESK_QUARANTINE)
        hold[1] = STR("quarantine");
    return ask(q, d->kind == STORE_DESK_HOLD ? AUDIT_HOLD : AUDIT_QUARANTINE, hold,
               "release desk:") &&
           (!decided || ask(q, AUDIT_DECISION, outcome, "release desk:"));
}

static bool ask_user(void *ctx, const struct store_user *u)
{
    struct asking *q = ctx;
    struct str name = escaped(u->name, &q->text);
    char before[LEDGER_HEX_BYTES], after[LEDGER_HEX_BYTES];
    ledger_user_digest(u, false, before);
    ledger_user_digest(u, true, after);
    struct str added[3] = {name, STR("added"), {before, sizeof before}},
               gone[3] = {name, STR("revoked"), {after, sizeof after}};
    return ask(q, AUDIT_PERSON, added, "user") &&
           (!u->revoked_us || ask(q, AUDIT_PERSON, gone, "user"));
}

static bool ask_withdrawal(void *ctx, const struct store_withdrawal *w)
{
    struct asking *q = ctx;
    char room[AUDIT_NUMBER_BYTES];
    struct str parts[3] = {w->id, audit_number(w->leaf, room), w->collection};
    return ask(q, AUDIT_TAKEN, parts, "withdrawal of");
}

static bool ask_receipt(void *ctx, const struct store_receipt *r)
{
    struct asking *q = ctx;
    char room[AUDIT_NUMBER_BYTES + LEDGER_HEX_BYTES];
    struct str of = audit_number(r->own, room);
    ledger_hex(r->entry.b, room + of.n);
    of.n += LEDGER_HEX_BYTES;
    struct str parts[3] = {r->party, of, r->outcome};
    return ask(q, AUDIT_RECEIPT, parts, r->given ? "receipt to" : "receipt of");
}

static bool ask_withdrawals(struct asking *q)
{
    struct audit *a = q->g->a;
    return store_withdrawal_all(a->s->store, ask_withdrawal, q, a->e) && !q->g->failed &&
           store_receipt_all(a->s->store, true, ask_receipt, q, a->e) && !q->g->failed &&
           store_receipt_all(a->s->store, false, ask_receipt, q, a->e) && !q->g->failed;
}

static bool ask_collection(void *ctx, const struct store_collection *c)
{
    struct asking *q = ctx;
    char digest[LEDGER_HEX_BYTES];
    ledger_collection_digest(c, digest);
    struct str parts[3] = {c->uuid, STR("added"), {digest, sizeof digest}};
    return ask(q, AUDIT_MADE, parts, "collection");
}

static bool ask_all(struct agree *g, enum asked how)
{
    struct asking q = {.g = g, .how = how};
    struct store *s = g->a->s->store;
    struct arena *people = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    buf_init(&q.text, 0);
    bool ok = (people || err_set(g->a->e, ERR_MEMORY, "out of memory")) &&
              store_ledger_objects(s, ask_object, &q, g->a->e) && !g->failed &&
              store_desk_each(s, true, ask_desk, &q, g->a->e) && !g->failed &&
              store_user_each(s, people, ask_user, &q, g->a->e) && !g->failed &&
              store_collection_each(s, ask_collection, &q, g->a->e) && !g->failed &&
              ask_withdrawals(&q) && buf_ok(&q.text, g->a->e);
    buf_done(&q.text);
    arena_free(people);
    return ok;
}

bool agree_ask(struct agree *g)
{
    return ask_all(g, ASK_WANT);
}

bool agree_report_missing(struct agree *g)
{
    return audit_set_all(&g->wanted) || ask_all(g, ASK_TELL);
}
