/* A node that is made anew for every case from one template, and what its readers are given. */
#ifndef TESTS_EXCHANGE_HISTORY_NODE_H
#define TESTS_EXCHANGE_HISTORY_NODE_H

#include <sys/stat.h>

#include "folder.h"
#include "model.h"
#include "sqlite_faults.h"

#include "crypt/crypt.h"
#include "exchange/exchange.h"

/* What all nodes have in common: an organisation's user each, officers of the home organisation. */
struct template
{
    struct arena *arena;
    struct str database, key, conf;
    struct principal users[PARTIES], officers[OFFICERS], admin;
    struct exchange_collection collections[COLLECTIONS];
};

struct node {
    const char *name;
    const struct template *t;
    struct exchange *x;
    struct exchange_session *s;
};

static void must_do(bool ok, const struct err *e)
{
    if (ok)
        return;
    fprintf(stderr, "the test cannot go on: %s\n", e->msg);
    exit(1);
}

static void put_file(const char *name, const char *file, struct str bytes)
{
    char path[800];
    snprintf(path, sizeof path, "%s/%s", at(name), file);
    FILE *f = fopen(path, "wb");
    must(f && fwrite(bytes.p, 1, bytes.n, f) == bytes.n && fclose(f) == 0);
}

static struct str get_file(const char *name, const char *file)
{
    char path[800];
    struct str text;
    struct err e = {0};
    snprintf(path, sizeof path, "%s/%s", at(name), file);
    must_do(file_read(path, 0, &text, &e), &e);
    return text;
}

static void add_person(struct template *t, struct exchange *x, struct exchange_session *s,
                       const struct exchange_user_new *u, struct principal *out)
{
    char token[64];
    struct err e = {0};
    must_do(exchange_user_add(x, u, token, &e) &&
                exchange_login_token(s, t->arena, str_of(token), out, &e),
            &e);
}

static void add_people(struct template *t, struct exchange *x, struct exchange_session *s)
{
    char name[16], identity[ID_BYTES];
    for (unsigned i = 0; i < PARTIES; i++) {
        put_identity(i, identity);
        snprintf(name, sizeof name, "u%u", i);
        struct exchange_user_new u = {.name = str_of(name),
                                      .org = str_of(parties[i].org),
                                      .nation = str_of(codes[parties[i].nation]),
                                      .identity = str_of(identity),
                                      .role = EXCHANGE_CONTRIBUTOR};
        add_person(t, x, s, &u, &t->users[i]);
    }
    for (unsigned i = 0; i < OFFICERS + 1; i++) {
        snprintf(name, sizeof name, "o%u", i);
        struct exchange_user_new u = {.name = str_of(name),
                                      .org = STR("cert-in"),
                                      .nation = STR("IN"),
                                      .role = i < OFFICERS ? EXCHANGE_OFFICER : EXCHANGE_ADMIN};
        add_person(t, x, s, &u, i < OFFICERS ? &t->officers[i] : &t->admin);
    }
}

static void template_make(struct template *t)
{
    static const char *const titles[COLLECTIONS] = {"green", "amber"};
    char token[64], uuid[37], identity[ID_BYTES];
    struct err e = {0};
    struct str user;
    struct exchange *x;
    struct exchange_session *s;
    put_identity(HOME, identity);
    struct exchange_init i = {.dir = at("template"),
                              .name = STR("Node of IN"),
                              .nation = STR("IN"),
                              .org = STR("cert-in"),
                              .identity = str_of(identity)};
    t->arena = arena_new(16 << 20);
    must_do(exchange_init(&i, &user, token, &e) && exchange_open(at("template"), &x, &e) &&
                exchange_session_open(x, &s, &e),
            &e);
    add_people(t, x, s);
    for (unsigned c = 0; c < COLLECTIONS; c++) {
        struct exchange_collection_new n = {.title = str_of(titles[c]),
                                            .marking = (enum stix_tlp)defaults[c]};
        must_do(
            exchange_collection_add(x, &n, uuid, &e) &&
                exchange_collection_find(s, t->arena, str_of(uuid), false, &t->collections[c], &e),
            &e);
    }
    exchange_session_close(s);
    exchange_close(x);
    t->database = get_file("template", "setu.db");
    t->key = get_file("template", "node.key");
    t->conf = get_file("template", "setu.conf");
}

static void node_open(struct node *n)
{
    struct err e = {0};
    must_do(exchange_open(at(n->name), &n->x, &e) && exchange_session_open(n->x, &n->s, &e), &e);
}

static void node_close(struct node *n)
{
    exchange_session_close(n->s);
    exchange_close(n->x);
    n->s = NULL;
    n->x = NULL;
}

/* The folder is the last case's. */
static void node_start(struct node *n, const char *name, const struct template *t,
                       const char *policy)
{
    static const char *const rest[] = {"setu.db-wal", "setu.db-shm"};
    char path[800];
    *n = (struct node){.name = name, .t = t};
    mkdir(at(name), 0700);
    for (size_t i = 0; i < COUNT(rest); i++) {
        snprintf(path, sizeof path, "%s/%s", at(name), rest[i]);
        unlink(path);
    }
    put_file(name, "setu.db", t->database);
    put_file(name, "node.key", t->key);
    put_file(name, "setu.conf", t->conf);
    put_file(name, "policy.conf", str_of(policy));
    node_open(n);
}

/* ---- writing ---- */

static const struct principal *sender(const struct node *n, unsigned from, int user)
{
    return user >= 0 ? &n->t->officers[user] : &n->t->users[from];
}

struct parcel {
    struct arena *arena;
    struct exchange_batch *b;
};

static void parcel_free(struct parcel *p)
{
    exchange_batch_free(p->b);
    arena_free(p->arena);
}

/* Submits the objects of an array's inside. */
static void node_submit(struct node *n, const struct principal *who, unsigned collection,
                        struct str objects, bool from_partner, struct parcel *p)
{
    const struct json *doc;
    struct err e = {0};
    p->arena = arena_new(64 << 20);
    struct str text = arena_printf(p->arena, "%s", "");
    char *copy = arena_calloc(p->arena, 1, objects.n + 2 + BASE_PADDING);
    must(copy != NULL);
    copy[0] = '[';
    memcpy(copy + 1, objects.p, objects.n);
    copy[objects.n + 1] = ']';
    text = (struct str){copy, objects.n + 2};
    must_do(json_parse(exchange_session_json(n->s), p->arena, text, true, &doc, &e), &e);
    struct exchange_submission sub = {
        .who = who, .collection = &n->t->collections[collection], .from_partner = from_partner};
    must_do(exchange_prepare(n->s, &sub, text, doc->u.child, doc->count, &p->b, &e) &&
                exchange_commit_wait(n->x, p->b, &e),
            &e);
}

/* ---- reading ---- */

enum { ROWS_MOST = 200 };

struct row {
    int64_t date, object, version_us;
    struct str id, type, bytes;     /* in the arena of the rows */
    unsigned of_object, of_version; /* by its tag; 0: none */
    bool claimed;
};

struct rows {
    struct row list[ROWS_MOST];
    unsigned count;
    struct arena *arena;
};

static void read_tag(struct row *r)
{
    static const char tag[] = "\"x_tag\":\"CNRY-";
    const char *at = r->bytes.n ? memmem(r->bytes.p, r->bytes.n, tag, sizeof tag - 1) : NULL;
    r->of_object = r->of_version = 0;
    if (at && sscanf(at + sizeof tag - 1, "%3u-%2u", &r->of_object, &r->of_version) != 2)
        r->of_object = 0;
}

static bool note_row(void *ctx, const struct store_row *row)
{
    struct rows *l = ctx;
    must(l->count < ROWS_MOST);
    struct row *r = &l->list[l->count++];
    char *bytes = arena_calloc(l->arena, 1, row->object->bytes.n + 1);
    must(bytes != NULL);
    if (row->object->bytes.n)
        memcpy(bytes, row->object->bytes.p, row->object->bytes.n);
    *r = (struct row){.date = row->date_added,
                      .object = row->object->object,
                      .version_us = row->object->version_us,
                      .id = arena_str(l->arena, row->object->id),
                      .type = arena_str(l->arena, row->object->type),
                      .bytes = {bytes, row->object->bytes.n}};
    read_tag(r);
    return true;
}

/* Adds what the query gives to the rows; whether there would be more. */
static bool read_more(struct node *n, unsigned who, struct exchange_query q, unsigned collection,
                      struct rows *out)
{
    struct err e = {0};
    bool more = false;
    q.collection = &n->t->collections[collection];
    q.limit = q.limit ? q.limit : SIZE_MAX;
    q.with_bytes = true;
    must_do(exchange_read(n->s, &n->t->users[who], &q, note_row, out, &more, &e), &e);
    return more;
}

static inline void read_all(struct node *n, unsigned who, unsigned collection, struct rows *out)
{
    struct exchange_query q = {.after_us = INT64_MIN, .versions = STORE_ALL};
    out->count = 0;
    read_more(n, who, q, collection, out);
}

#endif
