/* A node for tests: its policy, its people, and short words for what they do. */
#ifndef TESTS_EXCHANGE_NODE_H
#define TESTS_EXCHANGE_NODE_H

#include "folder.h"
#include "sqlite_faults.h"
#include "test.h"

#include "crypt/crypt.h"
#include "exchange/exchange.h"
#include "json/json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define NODE_POLICY                                                                                \
    "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"                             \
    "nation JP \"Japan\" { agency jpcert operator docomo }\n"                                      \
    "nation US \"United States\" { agency cisa }\n"                                                \
    "deny label \"national-only\" to any except IN\n"                                              \
    "release to IN\n"                                                                              \
    "release tlp:clear to any\n"                                                                   \
    "release tlp:green to JP\n"                                                                    \
    "release tlp:amber types indicator, sighting to agency of JP\n"

/* The letter stands for a party in tables. */
static const struct person {
    char letter;
    const char *name, *nation, *org;
    enum exchange_role role;
} people[] = {
    {'a', "admin", "IN", "cert-in", EXCHANGE_ADMIN},
    {'n', "nciipc", "IN", "nciipc", EXCHANGE_CONTRIBUTOR},
    {'t', "airtel", "IN", "airtel", EXCHANGE_CONTRIBUTOR},
    {'j', "jpcert", "JP", "jpcert", EXCHANGE_CONTRIBUTOR},
    {'d', "docomo", "JP", "docomo", EXCHANGE_CONTRIBUTOR},
    {'u', "cisa", "US", "cisa", EXCHANGE_CONTRIBUTOR},
    {'s', "probe", "IN", "airtel", EXCHANGE_SENSOR},
    {'r', "reader", "IN", "nciipc", EXCHANGE_READER},
    {'x', "auditor", "IN", "cert-in", EXCHANGE_AUDITOR},
    {'b', "branch", "JP", "jpcert", EXCHANGE_ADMIN}, /* an administrator, not of the home org */
};
enum { PEOPLE = sizeof people / sizeof *people };
static const char readers[] = "antjdu";

struct node {
    struct exchange *x;
    struct exchange_session *s;
    struct arena *arena;
    struct exchange_collection c;
    struct principal who[PEOPLE];
    char tokens[PEOPLE][64];
};

static inline bool node_init(const char *name, char token[64])
{
    struct exchange_init i = {
        .dir = at(name), .name = STR("Node of IN"), .nation = STR("IN"), .org = STR("cert-in")};
    struct err e = {0};
    struct str user;
    bool ok = exchange_init(&i, &user, token, &e);
    CHECK_ROW(ok && str_eq(user, STR("admin")), "%s", e.msg);
    return ok;
}

static inline void node_write(const char *name, const char *file, const char *text)
{
    struct err e = {0};
    char path[800];
    snprintf(path, sizeof path, "%s/%s", at(name), file);
    CHECK_ROW(file_write(path, str_of(text), 0600, &e), "%s", e.msg);
}

static inline const struct principal *person(const struct node *n, char letter)
{
    for (size_t i = 0; i < PEOPLE; i++)
        if (people[i].letter == letter)
            return &n->who[i];
    abort();
}

static inline void node_collection(struct node *n, const char *title, enum stix_tlp marking,
                                   struct exchange_collection *out)
{
    struct err e = {0};
    char uuid[37];
    struct exchange_collection_new c = {.title = str_of(title), .marking = marking};
    CHECK_ROW(exchange_collection_add(n->x, &c, uuid, &e) &&
                  exchange_collection_find(n->s, n->arena, str_of(uuid), false, out, &e),
              "%s", e.msg);
}

/* Makes a node with all people and one collection; `policy` NULL: NODE_POLICY. */
static inline void node_make(struct node *n, const char *name, const char *policy)
{
    struct err e = {0};
    *n = (struct node){.arena = arena_new(16 << 20)};
    node_init(name, n->tokens[0]);
    node_write(name, "policy.conf", policy ? policy : NODE_POLICY);
    CHECK_ROW(exchange_open(at(name), &n->x, &e) && exchange_session_open(n->x, &n->s, &e), "%s",
              e.msg);
    for (size_t i = 0; i < PEOPLE; i++) {
        struct exchange_user_new u = {.name = str_of(people[i].name),
                                      .org = str_of(people[i].org),
                                      .nation = str_of(people[i].nation),
                                      .role = people[i].role};
        if (i > 0)
            CHECK_ROW(exchange_user_add(n->x, &u, n->tokens[i], &e), "%s", e.msg);
        CHECK_ROW(exchange_login_token(n->s, n->arena, str_of(n->tokens[i]), &n->who[i], &e), "%s",
                  e.msg);
    }
    node_collection(n, "first", STIX_TLP_AMBER, &n->c);
}

static inline void node_done(struct node *n)
{
    exchange_session_close(n->s);
    exchange_close(n->x);
    arena_free(n->arena);
}

/* ---- objects ---- */

#define UUID_OF "00000000-0000-4000-8000-%012d"

/* An indicator; `extra` is text behind its members, as `,"labels":["x"]`. */
static inline const char *indicator(int number, int version, const char *extra)
{
    static _Thread_local char texts[64][800];
    static _Thread_local unsigned turn;
    char *t = texts[turn++ % 64];
    snprintf(t, sizeof texts[0],
             "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--" UUID_OF "\","
             "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:%02d.000Z\","
             "\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\",\"pattern_type\":\"stix\","
             "\"valid_from\":\"2026-01-01T00:00:00Z\"%s}",
             number, version, extra);
    return t;
}

#define INDICATOR_ID(n) "indicator--00000000-0000-4000-8000-00000000000" #n

static inline const char *marked(enum stix_tlp tlp)
{
    static _Thread_local char text[120];
    snprintf(text, sizeof text, ",\"object_marking_refs\":[\"%.*s\"]", STR_FMT(stix_tlp_id(tlp)));
    return text;
}

/* ---- submitting ---- */

/* A batch with what it borrows. */
struct parcel {
    struct arena *arena;
    struct str text;
    struct exchange_batch *b;
};

static inline void parcel_free(struct parcel *p)
{
    exchange_batch_free(p->b);
    arena_free(p->arena);
    *p = (struct parcel){0};
}

/* Prepares an array of objects; `objects` is its text without brackets. */
static inline bool parcel_make(struct exchange_session *s, const struct principal *who,
                               const struct exchange_collection *c, const char *objects,
                               bool from_partner, exchange_status_fn *status, struct parcel *p,
                               struct err *e)
{
    const struct json *doc;
    *p = (struct parcel){.arena = arena_new(64 << 20)};
    bool ok = p->arena || err_set(e, ERR_MEMORY, "no memory in the test");
    if (ok)
        p->text = arena_printf(p->arena, "[%s]", objects);
    ok = ok && arena_ok(p->arena, e) &&
         json_parse(exchange_session_json(s), p->arena, p->text, false, &doc, e);
    if (ok) {
        struct exchange_submission sub = {
            .who = who, .collection = c, .from_partner = from_partner, .status = status};
        ok = exchange_prepare(s, &sub, p->text, doc->u.child, doc->count, &p->b, e);
    }
    if (!ok)
        parcel_free(p);
    return ok;
}

/* "accepted", "refused policy.conf:3" …, one for each object, joined by commas. */
static inline const char *outcomes(const struct exchange_batch *b)
{
    static _Thread_local char text[1000];
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < exchange_batch_count(b) && n < sizeof text - 200; i++) {
        const struct exchange_result *r = exchange_batch_result(b, i);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s%.*s", i ? "," : "",
                              exchange_outcome_name(r->outcome), r->rule.n ? " " : "",
                              STR_FMT(r->rule));
    }
    return text;
}

static inline const char *submit(struct node *n, char who, const struct exchange_collection *c,
                                 const char *objects, bool from_partner)
{
    static _Thread_local char text[1000];
    struct parcel p;
    struct err e = {0};
    if (!parcel_make(n->s, person(n, who), c, objects, from_partner, NULL, &p, &e)) {
        snprintf(text, sizeof text, "%s", err_name(e.code));
        return text;
    }
    bool ok = exchange_commit_wait(n->x, p.b, &e);
    snprintf(text, sizeof text, "%s", ok ? outcomes(p.b) : err_name(e.code));
    parcel_free(&p);
    return text;
}

/* ---- reading ---- */

struct listing {
    char text[2000];
    size_t n, rows;
};

/* The last digit of each id and the second of its version: "1@0 1@5". */
static inline bool list_row(void *ctx, const struct store_row *r)
{
    struct listing *l = ctx;
    struct str v = r->object->version;
    char end = r->object->id.n ? r->object->id.p[r->object->id.n - 1] : '?';
    l->rows++;
    if (l->n + 20 < sizeof l->text)
        l->n += (size_t)snprintf(l->text + l->n, sizeof l->text - l->n, "%s%c@%.*s",
                                 l->n ? " " : "", end, v.n > 18 ? 1 : 0, v.n > 18 ? v.p + 18 : "");
    return true;
}

static inline const char *reads(struct node *n, char who, const struct exchange_collection *c,
                                unsigned versions)
{
    static _Thread_local struct listing l;
    struct err e = {0};
    bool more = false;
    struct exchange_query q = {.collection = c,
                               .after_us = INT64_MIN,
                               .limit = 100000,
                               .versions = versions,
                               .with_bytes = true};
    l = (struct listing){.n = 0};
    if (!exchange_read(n->s, person(n, who), &q, list_row, &l, &more, &e))
        snprintf(l.text, sizeof l.text, "%s", err_name(e.code));
    return l.text;
}

#define CHECK_TEXT(got, want, ...)                                                                 \
    do {                                                                                           \
        const char *got_text = (got);                                                              \
        CHECK_ROW(strcmp(got_text, want) == 0, __VA_ARGS__);                                       \
        if (strcmp(got_text, want) != 0)                                                           \
            fprintf(stderr, "    got:  %s\n    want: %s\n", got_text, want);                       \
    } while (0)

#endif
