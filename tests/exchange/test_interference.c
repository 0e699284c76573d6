/*
 * Non-interference: two nodes that differ only in objects which a reader may not see answer it byte
 * for byte the same on every path on which it reads, but for the values of date_added and `next`,
 * whose order alone counts. One history is written to the first node; the second gets it without
 * those objects, or with other words in them. The answers are those of the TAXII room, made without
 * sockets. Pages that are kept from before a step must be what a new reading gives after it. A case
 * is one reader after one step. SETU_INTERFERENCE sets how many, SETU_TEST_SEED
 * where they begin.
 */
#include <stdarg.h>

#include "history_node.h"

#include "exchange/exchange_priv.h"
#include "http/http_priv.h"
#include "taxii/taxii_priv.h"

enum { STEPS = 12, READERS = 3, BATCH = 3, DATES_MOST = 200, TAGS_MOST = 2000 };

/* ---- what is done ---- */

enum kind { SUBMIT, WITHDRAW, VOTE, POLICY, CLOCK, KINDS };

struct op {
    enum kind kind;
    struct content contents[BATCH];
    unsigned count, from, collection;
    int user; /* officer, -1 the organisation's, -2 the administrator */
    bool from_partner;
    unsigned object, versions; /* of a withdrawal */
    int64_t exact;
    char id[ID_BYTES]; /* of a withdrawal or a vote */
    unsigned nth;      /* of the desk's entries for this id and collection */
    unsigned officer;
    int party; /* -1: all */
    bool refuse, quarantine;
    char *policy;
    int64_t now_us;
};

struct answers {
    char *text[STEPS][READERS];
};

struct scene {
    uint64_t seed;
    struct model m; /* which objects there are; what they are submitted as */
    unsigned redacts, arrivals;
    struct op ops[STEPS];
    unsigned readers[READERS];
    bool hidden[READERS][OBJECTS_MOST + 1]; /* never seen, never submitted by the reader */
    struct answers first;
    struct arena *arena;
};

/* ---- making steps ---- */

static bool random_ref(const struct scene *s, const struct content *c, unsigned kinds,
                       char out[ID_BYTES])
{
    for (unsigned tries = 0; tries < 8 && c->object > 1; tries++) {
        unsigned object = 1 + below(c->object - 1);
        put_id(object, s->m.types[object], out);
        if (kinds & bit(s->m.types[object]) && !refers_to(c, out))
            return true;
    }
    return false;
}

static void random_refs(const struct scene *s, struct content *c)
{
    static const unsigned kinds[TYPES] = {
        [RELATIONSHIP] = 1 << INDICATOR | 1 << MALWARE | 1 << ADDRESS | 1 << REPORT,
        [SIGHTING] = 1 << INDICATOR | 1 << MALWARE,
        [REPORT] = 1 << INDICATOR | 1 << MALWARE | 1 << ADDRESS | 1 << RELATIONSHIP,
        [NOTE] = (1 << TYPES) - 1};
    unsigned want = c->type == RELATIONSHIP ? 2 : c->type == SIGHTING ? 1 : 1 + below(REFS_MOST);
    c->ref_count = 0;
    while (kinds[c->type] && c->ref_count < want &&
           random_ref(s, c, kinds[c->type], c->refs[c->ref_count]))
        c->ref_count++;
    if (kinds[c->type] && c->ref_count < (c->type == RELATIONSHIP ? 2u : 1u)) {
        c->type = MALWARE;
        c->ref_count = 0;
    }
}

static void random_content(struct scene *s, struct content *c)
{
    struct model *m = &s->m;
    bool fresh = m->object_count == 0 || (m->object_count < OBJECTS_MOST && !one_in(4));
    *c = (struct content){.confidence = one_in(2) ? (int)below(101) : -1, .creator = -1};
    c->object = fresh ? m->object_count + 1 : 1 + below(m->object_count);
    c->type = fresh ? (enum thing_type)below(TYPES) : m->types[c->object];
    random_refs(s, c);
    if (fresh)
        m->types[++m->object_count] = c->type;
    c->type = m->types[c->object];
    if (c->ref_count == 0 && c->type >= RELATIONSHIP) /* nothing to refer to any more: as before */
        *c = m->stored[0].content;
    c->tlp = one_in(4) ? STIX_TLP_NONE : STIX_TLP_CLEAR + below(one_in(3) ? 5 : 3);
    c->labels = one_in(2) ? below(1 << LABELS) : 0;
    c->value = below(VALUES);
    c->a = one_in(2);
    c->b = one_in(2);
    if (s->redacts && c->a && c->type != ADDRESS && one_in(3))
        c->granular = STIX_TLP_CLEAR + below(5);
    if (one_in(3) && c->type != ADDRESS)
        c->creator = (int)random_party();
    c->version = ++m->versions[c->object];
}

/* Something new, or what somebody submitted before, by whomever. */
static void next_content(struct scene *s, struct content *c)
{
    struct model *m = &s->m;
    if (m->count && one_in(4)) {
        *c = m->stored[below(m->count)].content;
        return;
    }
    random_content(s, c);
    if (m->count < STORED_MOST)
        m->stored[m->count++].content = *c;
}

static void make_submit(struct scene *s, struct op *o)
{
    o->kind = SUBMIT;
    o->count = 1 + below(BATCH);
    o->from = one_in(3) ? HOME : random_party();
    o->user = o->from == HOME && one_in(2) ? (int)below(OFFICERS) : -1;
    o->collection = below(COLLECTIONS);
    o->from_partner = parties[o->from].nation != NATION_IN;
    for (unsigned i = 0; i < o->count; i++)
        next_content(s, &o->contents[i]);
}

static void make_withdraw(struct scene *s, struct op *o)
{
    static const unsigned modes[] = {STORE_ALL, STORE_ALL, STORE_LAST, STORE_FIRST};
    const struct content *c = &s->m.stored[below(s->m.count)].content;
    o->kind = WITHDRAW;
    o->from = one_in(2) ? HOME : random_party();
    o->user = o->from == HOME ? -2 : -1;
    o->collection = below(COLLECTIONS);
    o->object = c->object;
    o->versions = modes[below(COUNT(modes))];
    put_id(c->object, c->type, o->id);
}

/* What hidden objects change by the letter of the policy is no interference: a limit that they use
 * up, a rule that asks by what an object is referenced. */
static void make_policy(struct scene *s, struct world_policy *p, bool first)
{
    if (first)
        random_policy(p, s->redacts, s->arrivals);
    else
        edit_policy(p, s->redacts, s->arrivals);
    for (unsigned i = 0; i < p->count; i++) {
        p->rules[i].referenced = p->rules[i].limit = 0;
        p->rules[i].owner = false;
    }
    policy_put(p);
}

/* ---- the desk ---- */

struct finding {
    const struct scene *s;
    const struct node *n;
    struct op *op;
    unsigned skip, seen; /* the entry looked for; how many of its key were before it */
    bool choose;
    int64_t id;
};

static unsigned number_of(const struct node *n, int64_t collection)
{
    unsigned c = 0;
    while (c < COLLECTIONS && n->t->collections[c].id != collection)
        c++;
    return c;
}

/* One that waits is chosen; in the other node it is found again by what it is about. */
static bool find_entry(void *ctx, const struct exchange_desk_entry *d)
{
    struct finding *f = ctx;
    bool quarantine = d->desk.kind == STORE_DESK_QUARANTINE;
    unsigned c = number_of(f->n, d->desk.collection);
    if (!f->choose) {
        if (c == f->op->collection && str_eq(d->desk.stix_id, str_of(f->op->id)) &&
            quarantine == f->op->quarantine && f->seen++ == f->op->nth)
            f->id = d->desk.id;
        return !f->id;
    }
    if (d->desk.state != STORE_DESK_WAITING || f->skip-- > 0)
        return true;
    snprintf(f->op->id, ID_BYTES, "%.*s", STR_FMT(d->desk.stix_id));
    f->op->collection = c;
    f->op->quarantine = quarantine;
    f->id = d->desk.id;
    return false;
}

struct counting {
    struct op *op;
    const struct node *n;
    int64_t id;
    unsigned count;
};

static bool count_before(void *ctx, const struct exchange_desk_entry *d)
{
    struct counting *c = ctx;
    c->count += d->desk.id < c->id && str_eq(d->desk.stix_id, str_of(c->op->id)) &&
                number_of(c->n, d->desk.collection) == c->op->collection &&
                (d->desk.kind == STORE_DESK_QUARANTINE) == c->op->quarantine;
    return true;
}

static bool make_vote(struct scene *s, struct node *n, struct op *o)
{
    struct err e = {0};
    struct finding f = {.s = s, .n = n, .op = o, .skip = below(4), .choose = true};
    must_do(exchange_desk_each(n->s, s->arena, true, find_entry, &f, &e), &e);
    if (!f.id)
        return false;
    struct counting c = {o, n, f.id, 0};
    must_do(exchange_desk_each(n->s, s->arena, true, count_before, &c, &e), &e);
    o->kind = VOTE;
    o->nth = c.count;
    o->officer = below(OFFICERS);
    o->party = one_in(2) && !o->quarantine ? (int)random_party() : -1;
    o->refuse = one_in(5);
    return true;
}

/* ---- doing steps ---- */

static void do_submit(struct node *n, const struct op *o, const bool *without, bool altered)
{
    struct parcel p;
    struct buf b;
    unsigned count = 0;
    buf_init(&b, 0);
    for (unsigned i = 0; i < o->count; i++) {
        struct content c = o->contents[i];
        if (without && without[c.object] && !altered)
            continue;
        if (without && without[c.object])
            c.b = !c.b; /* no rule asks for it */
        buf_lit(&b, count++ ? "," : "");
        put_content(&b, &c);
    }
    if (count) {
        node_submit(n, sender(n, o->from, o->user), o->collection, buf_view(&b), o->from_partner,
                    &p);
        parcel_free(&p);
    }
    buf_done(&b);
}

static void do_vote(struct scene *s, struct node *n, struct op *o)
{
    struct err e = {0};
    enum store_desk_state state;
    struct finding f = {.s = s, .n = n, .op = o};
    must_do(exchange_desk_each(n->s, s->arena, true, find_entry, &f, &e), &e);
    struct policy_party to = {str_of(o->party < 0 ? "" : codes[parties[o->party].nation]),
                              str_of(o->party < 0 ? "" : parties[o->party].org)};
    struct exchange_verdict v = {.officer = &n->t->officers[o->officer],
                                 .id = f.id,
                                 .to = o->party < 0 ? NULL : &to,
                                 .refuse = o->refuse,
                                 .reason = STR("because")};
    if (f.id && !exchange_desk_decide(n->s, &v, &state, &e) && e.code == ERR_INTERNAL)
        must_do(false, &e);
}

static void do_withdraw(struct node *n, const struct op *o)
{
    struct err e = {0};
    struct exchange_query q = {.collection = &n->t->collections[o->collection],
                               .versions = o->versions};
    const struct principal *who = o->user == -2 ? &n->t->admin : sender(n, o->from, o->user);
    (void)!exchange_withdraw(n->s, who, &q, str_of(o->id), STR(""), &e);
}

/* `without`: objects that are left out, or altered. */
static void do_op(struct scene *s, struct node *n, struct op *o, const bool *without, bool altered)
{
    struct err e = {0};
    base_clock_set(o->now_us);
    switch (o->kind) {
    case SUBMIT:
        do_submit(n, o, without, altered);
        break;
    case WITHDRAW:
        do_withdraw(n, o);
        break;
    case VOTE:
        do_vote(s, n, o);
        break;
    case POLICY:
    case CLOCK:
        must_do(exchange_policy_apply(n->x, str_of(o->policy), NULL, NULL, &e), &e);
        break;
    case KINDS:
        break;
    }
}

/* ---- asking ---- */

/* The dates that a reader sees in one collection, in order; each stands for its number. */
struct dates {
    char text[DATES_MOST][INSTANT_TEXT_BYTES], next[DATES_MOST][64];
    unsigned count;
};

/* Ids of redacted copies, which a reader cannot tell from random ones, by the order in which it met
 * them first. */
enum { COPIES_KNOWN = 400, UUID = 36 };
struct known_copies {
    char uuid[COPIES_KNOWN][UUID + 1];
    unsigned count;
};

struct asking {
    struct node *n;
    struct known_copies *copies;
    unsigned who;
    struct http_server *server;
    struct dates dates[COLLECTIONS];
    unsigned about; /* the collection that is asked about */
    char tags[TAGS_MOST][40];
    unsigned tag_count;
    struct buf *out;
};

static bool note_date(void *ctx, const struct store_row *r)
{
    struct dates *d = ctx;
    must(d->count < DATES_MOST);
    instant_text(instant_of_us(r->date_added), 6, d->text[d->count++]);
    return true;
}

static void learn_dates(struct asking *a, unsigned c)
{
    struct err e = {0};
    bool more;
    struct dates *d = &a->dates[c];
    struct exchange_query q = {.collection = &a->n->t->collections[c],
                               .after_us = INT64_MIN,
                               .limit = SIZE_MAX,
                               .versions = STORE_ALL};
    struct http_request r = {.server = a->server};
    struct instant t;
    struct buf b;
    d->count = 0;
    must_do(exchange_read(a->n->s, &a->n->t->users[a->who], &q, note_date, d, &more, &e), &e);
    buf_init(&b, 0);
    for (unsigned i = 0; i < d->count; i++) {
        buf_clear(&b);
        must_do(instant_parse(str_of(d->text[i]), &t, &e), &e);
        taxii_next_put(&r, q.collection, instant_us(t), &b);
        snprintf(d->next[i], sizeof d->next[i], "%.*s", (int)b.n, b.p);
    }
    buf_done(&b);
}

/* How long the date or `next` is that begins the text and stands for the number; 0: none does. */
static size_t number_of_date(const struct asking *a, struct str text, unsigned *k)
{
    const struct dates *d = &a->dates[a->about];
    for (*k = 0; *k < d->count; ++*k) {
        if (str_starts(text, str_of(d->text[*k])))
            return strlen(d->text[*k]);
        if (str_starts(text, str_of(d->next[*k])))
            return strlen(d->next[*k]);
    }
    return 0;
}

static bool is_uuid(struct str text)
{
    for (size_t i = 0; i < UUID; i++) {
        char c = i < text.n ? text.p[i] : '\0';
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

/* The number of the copy whose uuid begins the text; -1: it begins with none. */
static int number_of_copy(struct asking *a, struct str text)
{
    struct str uuid = str_slice(text, 0, UUID), head = STR("00000000-0000-");
    struct known_copies *k = a->copies;
    if (!is_uuid(text) || str_starts(uuid, head))
        return -1;
    for (unsigned i = 0; i < k->count; i++)
        if (str_eq(uuid, str_of(k->uuid[i])))
            return (int)i;
    must(k->count < COPIES_KNOWN);
    snprintf(k->uuid[k->count], UUID + 1, "%.*s", UUID, uuid.p);
    return (int)k->count++;
}

/* Writes the text with every date_added, every `next` and every copy's id as its number. */
static void put_plain(struct asking *a, struct str text)
{
    static const char *const before[] = {"\"date_added\":\"", "\"next\":\"",
                                         "added_after=", "next="};
    for (size_t i = 0; i < text.n; i++) {
        struct str so_far = {text.p, i};
        unsigned k;
        bool here = i == 0;
        char last = i ? text.p[i - 1] : '\0';
        for (size_t w = 0; w < COUNT(before) && (last == '"' || last == '='); w++)
            here = here || str_ends(so_far, str_of(before[w]));
        size_t n = here ? number_of_date(a, str_from(text, i), &k) : 0;
        int copy = last == '-' && so_far.n > 1 && so_far.p[i - 2] == '-'
                       ? number_of_copy(a, str_from(text, i))
                       : -1;
        if (n)
            buf_printf(a->out, "<%u>", k);
        else if (copy >= 0)
            buf_printf(a->out, "<copy %d>", copy);
        else
            buf_byte(a->out, text.p[i]);
        i += n ? n - 1 : copy >= 0 ? UUID - 1 : 0;
    }
}

/* Tags follow from dates; which pages have the same one does not. */
static unsigned number_of_tag(struct asking *a, struct str tag)
{
    unsigned i = 0;
    while (i < a->tag_count && !str_eq(str_of(a->tags[i]), tag))
        i++;
    must(i < TAGS_MOST);
    if (i == a->tag_count)
        snprintf(a->tags[a->tag_count++], sizeof a->tags[0], "%.*s", STR_FMT(tag));
    return i;
}

/* One request by the routes of TAXII, as the HTTP room would hand it in. */
static void ask(struct asking *a, const char *fmt, ...)
{
    char uri[600];
    va_list ap;
    struct err e = {0};
    va_start(ap, fmt);
    vsnprintf(uri, sizeof uri, fmt, ap);
    va_end(ap);
    struct http_request r = {.server = a->server,
                             .arena = arena_new(1 << 20),
                             .session = a->n->s,
                             .who = a->n->t->users[a->who],
                             .method = HTTP_GET,
                             .head.target = str_of(uri)};
    atomic_store(&r.state, HTTP_ROUTED);
    if (http_uri_parse(&r, &e) && taxii_admit(&r, &e))
        taxii_route(&r);
    else
        http_reply_err(&r, &e);
    must(r.status != 503);
    atomic_store(&a->server->replies_bytes, 0); /* it is sent */
    buf_lit(a->out, "\n--- ");
    put_plain(a, str_of(uri));
    buf_printf(a->out, " %d %s", r.status, r.type);
    for (size_t i = 0; i < r.header_count; i++) {
        buf_printf(a->out, " %s: ", r.headers[i].name.p);
        if (str_eq(r.headers[i].name, STR("ETag")))
            buf_printf(a->out, "<tag %u>", number_of_tag(a, r.headers[i].value));
        else
            put_plain(a, r.headers[i].value);
    }
    buf_byte(a->out, '\n');
    put_plain(a, r.release ? r.shared : buf_view(&r.reply));
    http_release(&r);
    buf_done(&r.reply);
    arena_free(r.arena);
}

static void ask_lists(struct asking *a, unsigned c)
{
    static const char *const versions[] = {"", "&match[version]=all", "&match[version]=first",
                                           "&match[version]=first,last"};
    char uuid[40];
    snprintf(uuid, sizeof uuid, "%.*s", STR_FMT(a->n->t->collections[c].uuid));
    ask(a, "/api/collections/%s/", uuid);
    for (unsigned k = 0; k < 2; k++) {
        const char *what = k ? "manifest" : "objects";
        for (size_t v = 0; v < COUNT(versions); v++) {
            ask(a, "/api/collections/%s/%s/?%s", uuid, what, versions[v]);
            ask(a, "/api/collections/%s/%s/?limit=%u%s", uuid, what, 1 + (unsigned)v, versions[v]);
        }
        for (unsigned i = 0; i < a->dates[c].count; i++) {
            ask(a, "/api/collections/%s/%s/?added_after=%s&limit=2&match[version]=all", uuid, what,
                a->dates[c].text[i]);
            ask(a, "/api/collections/%s/%s/?next=%s&limit=%u", uuid, what, a->dates[c].next[i],
                1 + i % 3);
        }
        for (unsigned t = 0; t < TYPES; t++)
            ask(a, "/api/collections/%s/%s/?match[type]=%s&limit=3", uuid, what, type_names[t]);
        ask(a, "/api/collections/%s/%s/?limit=0", uuid, what);
        ask(a, "/api/collections/%s/%s/?next=x", uuid, what);
    }
}

/* By the id of every object that there is in either node, and of one that is in none. */
static void ask_objects(struct asking *a, const struct scene *s, unsigned c)
{
    char uuid[40], id[ID_BYTES];
    snprintf(uuid, sizeof uuid, "%.*s", STR_FMT(a->n->t->collections[c].uuid));
    for (unsigned i = 1; i <= s->m.object_count + 1; i++) {
        put_id(i, i > s->m.object_count ? INDICATOR : s->m.types[i], id);
        ask(a, "/api/collections/%s/objects/%s/", uuid, id);
        ask(a, "/api/collections/%s/objects/%s/versions/", uuid, id);
        ask(a, "/api/collections/%s/objects/?match[id]=%s&match[version]=all", uuid, id);
        ask(a, "/api/collections/%s/manifest/?match[id]=%s", uuid, id);
    }
}

/* All that the reader is told. */
static char *ask_all(struct scene *s, struct node *n, unsigned who, struct known_copies *copies)
{
    static struct asking a;
    static struct http_server server;
    struct buf out;
    buf_init(&out, 0);
    server.exchange = n->x;
    memset(&a, 0, sizeof a);
    a.n = n;
    a.copies = copies;
    a.who = who;
    a.server = &server;
    a.out = &out;
    for (unsigned c = 0; c < COLLECTIONS; c++)
        learn_dates(&a, c);
    ask(&a, "/taxii2/");
    ask(&a, "/api/");
    ask(&a, "/api/collections/");
    ask(&a, "/api/status/00000000-0000-4000-8000-000000000000/");
    ask(&a, "/api/collections/nothing/objects/");
    for (unsigned c = 0; c < COLLECTIONS; c++) {
        a.about = c;
        ask_lists(&a, c);
        ask_objects(&a, s, c);
    }
    buf_byte(&out, '\0');
    must(!out.failed);
    return out.p;
}

/* ---- scenes ---- */

/* What a reader is told of an object that it may see has the object's tag. */
static void note_seen(struct scene *s, unsigned k, const char *text)
{
    for (const char *at = text; (at = strstr(at, "\"x_tag\":\"CNRY-")) != NULL; at++)
        s->hidden[k][strtoul(at + 14, NULL, 10)] = false;
}

static void make_op(struct scene *s, struct node *n, unsigned k, struct world_policy *p)
{
    struct op *o = &s->ops[k];
    unsigned what = below(20);
    int64_t before = k ? s->ops[k - 1].now_us : day_us(8) + 60000000;
    *o = (struct op){.now_us = before + 60000000};
    if (what < 3 && k > 2) {
        make_withdraw(s, o);
    } else if (what < 9 && k > 2 && make_vote(s, n, o)) {
        return;
    } else if (what < 12 && k > 2) {
        o->kind = one_in(3) ? CLOCK : POLICY;
        if (o->kind == CLOCK)
            o->now_us = (before / DAY_US + 1 + below(3)) * DAY_US + 60000000;
        else
            make_policy(s, p, false);
        o->policy = arena_cstr(s->arena, str_of(p->text));
    } else {
        make_submit(s, o);
    }
}

static void tell_difference(const struct scene *s, unsigned k, unsigned r, const char *a,
                            const char *b);

/* What is kept from before the step is not told after it: the same again, with nothing kept. */
static void ask_afresh(struct scene *s, struct node *n, unsigned k, unsigned r,
                       struct known_copies *copies, const char *told)
{
    exchange_pages_done(&n->x->pages);
    must(exchange_pages_init(&n->x->pages));
    char *fresh = ask_all(s, n, s->readers[r], copies);
    bool same = strcmp(told, fresh) == 0;
    if (!same)
        tell_difference(s, k, r, told, fresh);
    test_passed += same;
    test_failed += !same;
    base_free(fresh);
}

static void play_first(struct scene *s, const struct template *t)
{
    static struct world_policy p;
    static struct known_copies copies[READERS];
    struct node n;
    memset(copies, 0, sizeof copies);
    make_policy(s, &p, true);
    base_clock_set(day_us(8) + 60000000);
    char *text = arena_cstr(s->arena, str_of(p.text));
    node_start(&n, "first", t, text);
    s->ops[0].policy = text;
    for (unsigned k = 0; k < STEPS; k++) {
        make_op(s, &n, k, &p);
        do_op(s, &n, &s->ops[k], NULL, false);
        for (unsigned r = 0; r < READERS; r++) {
            s->first.text[k][r] = NULL;
            char *seen = ask_all(s, &n, s->readers[r], &copies[r]);
            note_seen(s, r, seen);
            if (r == k % READERS)
                ask_afresh(s, &n, k, r, &copies[r], seen);
            base_free(seen);
            for (unsigned i = 0; i < s->ops[k].count && s->ops[k].from == s->readers[r]; i++)
                s->hidden[r][s->ops[k].contents[i].object] = false;
        }
    }
    s->ops[0].policy = text;
    node_close(&n);
}

static void tell_difference(const struct scene *s, unsigned k, unsigned r, const char *a,
                            const char *b)
{
    size_t i = 0, line = 0;
    while (a[i] && a[i] == b[i]) {
        if (strncmp(a + i, "\n--- ", 5) == 0)
            line = i;
        i++;
    }
    fprintf(stderr, "---- SETU_TEST_SEED=%llu step %u, %s\n%.300s\n...\n%.600s\nis not\n%.600s\n",
            (unsigned long long)s->seed, k, parties[s->readers[r]].org, a + line,
            a + (i > line + 200 ? i - 200 : line), b + (i > line + 200 ? i - 200 : line));
    for (unsigned x = 0; x <= s->m.object_count; x++)
        if (s->hidden[r][x])
            fprintf(stderr, "hidden: %u %s\n", x, type_names[s->m.types[x]]);
    if (getenv("SETU_TRACE"))
        for (unsigned x = 0; x <= k; x++) {
            const struct op *o = &s->ops[x];
            struct buf out;
            buf_init(&out, 0);
            for (unsigned y = 0; y < o->count; y++) {
                buf_lit(&out, "\n  ");
                put_content(&out, &o->contents[y]);
            }
            fprintf(stderr, "%u: kind %d from %s user %d in %u %s%s %.*s\n", x, (int)o->kind,
                    parties[o->from].org, o->user, o->collection, o->id, o->policy ? o->policy : "",
                    (int)out.n, out.p ? out.p : "");
            buf_done(&out);
        }
}

/* The same steps again in both, so that each is asked while the clock stands where it stood. */
static unsigned play_both(struct scene *s, const struct template *t, unsigned r)
{
    static struct known_copies copies[2];
    struct node a, b;
    unsigned cases = 0;
    bool altered = one_in(3), same = true;
    memset(copies, 0, sizeof copies);
    base_clock_set(day_us(8) + 60000000);
    node_start(&a, "first", t, s->ops[0].policy);
    node_start(&b, "second", t, s->ops[0].policy);
    for (unsigned k = 0; k < STEPS && same; k++) {
        do_op(s, &a, &s->ops[k], NULL, false);
        do_op(s, &b, &s->ops[k], s->hidden[r], altered);
        char *x = ask_all(s, &a, s->readers[r], &copies[0]);
        char *y = ask_all(s, &b, s->readers[r], &copies[1]);
        same = strcmp(x, y) == 0;
        if (!same)
            tell_difference(s, k, r, x, y);
        base_free(x);
        base_free(y);
        cases++;
        test_passed += same;
        test_failed += !same;
    }
    node_close(&a);
    node_close(&b);
    return cases;
}

static unsigned play(uint64_t seed, const struct template *t)
{
    static struct scene s;
    unsigned cases = 0;
    struct arena *arena = s.arena ? s.arena : arena_new(64 << 20);
    arena_reset(arena);
    memset(&s, 0, sizeof s);
    s.arena = arena;
    s.seed = world_state = seed;
    s.redacts = one_in(4) ? 0 : 5;
    s.arrivals = one_in(2) ? 0 : 3;
    for (unsigned r = 0; r < READERS; r++) {
        s.readers[r] = below(PARTIES);
        memset(s.hidden[r], true, sizeof s.hidden[r]);
    }
    play_first(&s, t);
    for (unsigned r = 0; r < READERS; r++)
        cases += play_both(&s, t, r);
    return cases;
}

/* Scenes in which a reader once was told something. */
static const uint64_t found[] = {9882405732557275009u};

int main(void)
{
    static struct template t;
    struct err e;
    uint64_t want = world_number("SETU_INTERFERENCE", 2000), cases = 0, first;
    if (!crypt_init(&e) || !faults_install())
        return 1;
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    folder_make("interference");
    first = world_first_seed();
    template_make(&t);
    for (size_t i = 0; i < COUNT(found); i++)
        (void)play(found[i], &t);
    for (uint64_t i = 0;
         cases < want && !world_ended() && test_failed < world_number("SETU_FAILURES", 3); i++)
        cases += play(world_seed(first, i), &t);
    printf("%llu cases\n", (unsigned long long)cases);
    arena_free(t.arena);
    base_clock_set(INT64_MIN);
    folder_remove();
    TEST_END();
}
