/* The store: what goes in comes out, in order, for those it was released to. */
#include <pthread.h>

#include "folder.h"
#include "sqlite_faults.h"
#include "test.h"

#include "store/sqlite_priv.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct store *open_store(const char *name)
{
    struct store *s = NULL;
    struct err e = {0};
    if (!file_exists(at(name)))
        CHECK_ROW(store_create(at(name), &e), "%s", e.msg);
    CHECK_ROW(store_open(at(name), STORE_WRITE, &s, &e), "%s", e.msg);
    return s;
}

static void begin(struct store *s)
{
    struct err e = {0};
    CHECK_ROW(store_begin(s, &e), "%s", e.msg);
}

static void commit(struct store *s)
{
    struct err e = {0};
    CHECK_ROW(store_commit(s, &e), "%s", e.msg);
}

static int64_t collection(struct store *s, const char *uuid)
{
    struct err e = {0};
    int64_t id = 0;
    struct store_collection c = {.uuid = str_of(uuid), .root = STR("api"), .title = STR("t")};
    CHECK_ROW(store_collection_add(s, &c, &id, &e), "%s", e.msg);
    return id;
}

static int64_t audience(struct store *s, const char *text)
{
    struct err e = {0};
    int64_t id = 0;
    CHECK_ROW(store_audience_put(s, str_of(text), &id, &e), "%s", e.msg);
    return id;
}

static struct store_object object(struct store *s, const char *id, int64_t version_us)
{
    struct err e = {0};
    struct str text = str_of(id), type = text;
    struct store_object o = {.source_org = 1,
                             .received_us = 5,
                             .version_us = version_us,
                             .has_version = true,
                             .id = text,
                             .version = STR("v"),
                             .type = str_slice(text, 0, str_find(type, '-')),
                             .bytes = text};
    CHECK_ROW(store_object_add(s, &o, &e), "%s", e.msg);
    return o;
}

static int64_t release(struct store *s, int64_t coll, int64_t aud, const struct store_object *o)
{
    struct err e = {0};
    int64_t date = 0;
    CHECK_ROW(store_release_add(s, coll, aud, o, &date, &e), "%s", e.msg);
    return date;
}

/* ---- reading into text: "id@version id@version…", with + at the end when there is more ---- */

struct seen {
    char text[13000];
    size_t n, rows, stop_at;
    int64_t last_date;
    bool in_order;
};

static bool note(void *ctx, const struct store_row *r)
{
    struct seen *s = ctx;
    s->in_order = s->in_order && r->date_added > s->last_date;
    s->last_date = r->date_added;
    int n = snprintf(s->text + s->n, sizeof s->text - s->n, "%s%.*s@%lld", s->n ? " " : "",
                     STR_FMT(r->object->id), (long long)r->object->version_us);
    s->n += n > 0 && (size_t)n < sizeof s->text - s->n ? (size_t)n : 0;
    return ++s->rows != s->stop_at;
}

static struct seen latest; /* of reading() */

static const char *reading(struct store *s, const struct store_query *q)
{
    struct err e = {0};
    bool more = false;
    latest = (struct seen){.in_order = true, .last_date = INT64_MIN};
    CHECK_ROW(store_read(s, q, note, &latest, &more, &e), "%s", e.msg);
    CHECK_ROW(latest.in_order, "%s", latest.text);
    if (more)
        strcat(latest.text, "+");
    return latest.text;
}

#define CHECK_TEXT(got, want, ...)                                                                 \
    do {                                                                                           \
        const char *got_text = (got);                                                              \
        CHECK_ROW(strcmp(got_text, want) == 0, __VA_ARGS__);                                       \
        if (strcmp(got_text, want) != 0)                                                           \
            fprintf(stderr, "    got:  %s\n    want: %s\n", got_text, want);                       \
    } while (0)

/* ---- opening ---- */

static void sql(const char *name, const char *text)
{
    sqlite3 *db = NULL;
    CHECK(sqlite3_open(at(name), &db) == SQLITE_OK);
    CHECK_ROW(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void test_opening(void)
{
    static const struct {
        const char *name, *sql;
        enum err_code code;
        const char *says;
    } rows[] = {
        {"good", NULL, ERR_NONE, ""},
        {"newer", "PRAGMA user_version=1000", ERR_STORE_VERSION, "use the newer setu"},
        {"older", "PRAGMA user_version=0", ERR_STORE_VERSION, "export"},
        {"other", "PRAGMA application_id=7", ERR_STORE_VERSION, "no database of Setu"},
        {"empty", "", ERR_STORE_VERSION, "no database of Setu"},
        {"missing", "", ERR_NOT_FOUND, "setu init"},
        {"text", "", ERR_STORE, "not a database: it is damaged, bring back"},
        {"folder", "", ERR_IO, "cannot open"},
    };
    struct err e = {0};
    CHECK(shell("cd %s && : >empty && seq 5000 >text && mkdir folder", folder));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store *s = NULL;
        e = (struct err){0};
        if (!rows[i].sql || rows[i].sql[0])
            CHECK(store_create(at(rows[i].name), &e));
        if (rows[i].sql && rows[i].sql[0])
            sql(rows[i].name, rows[i].sql);
        bool ok = store_open(at(rows[i].name), STORE_READ, &s, &e);
        CHECK_ROW(ok == (rows[i].code == ERR_NONE) && e.code == rows[i].code &&
                      strstr(e.msg, rows[i].says) && (s != NULL) == ok,
                  "%s: %s: %s", rows[i].name, err_name(e.code), e.msg);
        store_close(s);
    }
    CHECK(!store_create(at("good"), &e) && e.code == ERR_CONFLICT);
    CHECK(!store_create(at("no/such"), &e) && e.code == ERR_IO);
    store_close(NULL);
}

/* ---- what the statements cost ---- */

/* Looks at every row of its table, or index, because it is to, or because few are there. */
static bool may_scan(enum store_statement which)
{
    static const enum store_statement list[] = {
        STORE_USER_EACH,       STORE_COLLECTION_EACH,   STORE_OBJECT_COUNT,
        STORE_COPY_ANY,        STORE_PENDING_NEXT,      STORE_DESK_ANY,
        STORE_DESK_EXPIRE,     STORE_LEDGER_SIZE,       STORE_STATUS_EXPIRE,
        STORE_PEER_EACH,       STORE_DATES_RAISE,       STORE_WITNESS_EACH,
        STORE_LEDGER_RELEASES, STORE_LEDGER_NODE_COUNT, STORE_PEER_AGAIN,
        STORE_WITHDRAWAL_EACH, STORE_WITHDRAWAL_ANY,    STORE_LEDGER_OBJECTS,
        STORE_ENVELOPE_BYTES,  STORE_ENVELOPE_WAITING,  STORE_ENVELOPE_BACKLOG,
        STORE_ENVELOPE_NAMING,
    };
    for (size_t i = 0; i < COUNT(list); i++)
        if (list[i] == which)
            return true;
    return false;
}

/* A plan of SQLite's that would walk over what others have released, or over all. */
static bool walks(enum store_statement which, const char *step)
{
    /* What is bound to a statement is no table. */
    if (strstr(step, "SCAN") && strcmp(step, "SCAN CONSTANT ROW") != 0 &&
        !strstr(step, "SCAN json_each VIRTUAL TABLE"))
        return !may_scan(which);
    if (strstr(step, "TEMP B-TREE") &&
        (which == STORE_RELEASE_RUN || which == STORE_RELEASE_TYPE_RUN))
        return true; /* all rows, to give out the first */
    if (which == STORE_MOVED_EACH)
        return false; /* as many rows as there are audiences that took from this one */
    return strstr(step, "(collection=? AND audience=?)") || strstr(step, "(collection=?)") ||
           strstr(step, "(collection=? AND audience=? AND type=?)");
}

static void check_plan(sqlite3 *db, enum store_statement which, const char *sql)
{
    char text[2000];
    sqlite3_stmt *stmt = NULL;
    snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql);
    CHECK_ROW(sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK, "%s", text);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(stmt, 3);
        CHECK_ROW(!walks(which, step), "%s: %s", sql, step);
    }
    sqlite3_finalize(stmt);
}

static void test_plans(void)
{
    static const char *const texts[] = {
#define X(name, sql) sql,
        STORE_STATEMENTS(X)
#undef X
    };
    sqlite3 *db = NULL;
    store_close(open_store("plans"));
    CHECK(sqlite3_open(at("plans"), &db) == SQLITE_OK);
    for (size_t i = 0; i < COUNT(texts); i++)
        check_plan(db, (enum store_statement)i, texts[i]);
    sqlite3_close(db);
}

static void test_read_handle(void)
{
    struct store *w = open_store("handles"), *r = NULL;
    struct err e = {0};
    int64_t id;
    CHECK(store_open(at("handles"), STORE_READ, &r, &e));
    CHECK(store_begin(r, &e));
    CHECK(!store_audience_put(r, STR("+IN"), &id, &e) && e.code == ERR_STORE);
    store_rollback(r);
    /* A transaction of a reader shows one state; one rolled back leaves nothing. */
    begin(w);
    audience(w, "+IN");
    store_rollback(w);
    struct buf b;
    buf_init(&b, 0);
    CHECK(store_begin(r, &e));
    CHECK(!store_value_get(r, STR("k"), &b, &e) && e.code == ERR_NOT_FOUND);
    begin(w);
    CHECK(store_value_put(w, STR("k"), STR("1"), &e));
    commit(w);
    CHECK(!store_value_get(r, STR("k"), &b, &e));
    store_rollback(r);
    CHECK(store_value_get(r, STR("k"), &b, &e));
    buf_done(&b);
    store_close(r);
    store_close(w);
}

/* ---- people ---- */

static bool count_user(void *ctx, const struct store_user *u)
{
    char *names = ctx;
    snprintf(names + strlen(names), 200 - strlen(names), "%.*s ", STR_FMT(u->name));
    return !str_eq(u->name, STR("stop"));
}

static void test_users(void)
{
    static const unsigned char t1[32] = {1}, t2[32] = {2}, c1[32] = {3}, none[32] = {9};
    static const struct {
        struct store_user_new u;
        bool ok;
    } rows[] = {
        {{.name = {"token", 5}, .role = {"reader", 6}, .token_hash = t1}, true},
        {{.name = {"cert", 4}, .role = {"sensor", 6}, .cert_hash = c1, .expires_us = 77}, true},
        {{.name = {"pass\0word", 9}, .role = {"reader", 6}, .password = {"$argon2id", 9}}, true},
        {{.name = {"token", 5}, .role = {"reader", 6}, .token_hash = t2}, false},
        {{.name = {"other", 5}, .role = {"reader", 6}, .token_hash = t1}, false},
        {{.name = {"other", 5}, .role = {"reader", 6}, .cert_hash = c1}, false},
        {{.name = {"stop", 4}, .role = {"reader", 6}}, true}, /* without any: many may be */
        {{.name = {"after", 5}, .role = {"reader", 6}}, true},
    };
    struct store *s = open_store("users");
    struct arena *a = arena_new(100000);
    struct store_user u;
    struct err e = {0};
    int64_t org, same, id = 0;
    begin(s);
    CHECK(store_org_put(s, STR("IN"), STR("cert-in"), STR("identity--1"), &org, &e));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_user_new n = rows[i].u;
        n.org = org;
        e = (struct err){0};
        bool ok = store_user_add(s, &n, &id, &e);
        CHECK_ROW(ok == rows[i].ok && e.code == (ok ? ERR_NONE : ERR_CONFLICT), "%zu", i);
    }
    commit(s);
    CHECK(store_user_by_token(s, a, t1, &u, &e) && str_eq(u.name, STR("token")) &&
          u.token_hash.n == 32 && !u.cert_hash.n && u.org == org &&
          str_eq(u.org_name, STR("cert-in")) && str_eq(u.nation, STR("IN")) &&
          str_eq(u.identity, STR("identity--1")) && u.revoked_us == 0 && u.created_us > 0);
    CHECK(store_user_by_cert(s, a, c1, &u, &e) && str_eq(u.name, STR("cert")) &&
          u.cert_hash.n == 32 && u.expires_us == 77 && str_eq(u.role, STR("sensor")));
    CHECK(store_user_by_name(s, a, STR("pass\0word"), &u, &e) &&
          str_eq(u.password, STR("$argon2id")) && !u.token_hash.n);
    CHECK(!store_user_by_name(s, a, STR("pass"), &u, &e) && e.code == ERR_NOT_FOUND);
    CHECK(store_user_get(s, a, 1, &u, &e) && u.id == 1);
    CHECK(!store_user_get(s, a, 99, &u, &e) && e.code == ERR_NOT_FOUND);
    CHECK(!store_user_by_name(s, a, STR("token\0"), &u, &e) && e.code == ERR_NOT_FOUND);
    CHECK(!store_user_by_name(s, a, STR_NONE, &u, &e) && e.code == ERR_NOT_FOUND);
    CHECK(!store_user_by_token(s, a, none, &u, &e) && e.code == ERR_NOT_FOUND);
    CHECK(!store_user_by_token(s, a, c1, &u, &e) && !store_user_by_cert(s, a, t1, &u, &e));
    char names[200] = "";
    CHECK(store_user_each(s, a, count_user, names, &e));
    CHECK_ROW(strcmp(names, "token cert pass stop ") == 0 ||
                  memcmp(names, "token cert pass", 15) == 0,
              "%s", names);
    CHECK(!strstr(names, "after")); /* a callback that says no ends it */

    begin(s);
    CHECK(store_user_revoke(s, STR("token"), 123, &e));
    CHECK(!store_user_revoke(s, STR("token"), 456, &e) && e.code == ERR_NOT_FOUND);
    CHECK(!store_user_revoke(s, STR("nobody"), 456, &e) && e.code == ERR_NOT_FOUND);
    commit(s);
    CHECK(store_user_by_token(s, a, t1, &u, &e) && u.revoked_us == 123); /* the exchange refuses */

    begin(s);
    CHECK(store_org_put(s, STR("IN"), STR("cert-in"), STR_NONE, &same, &e) && same == org);
    struct store_org o;
    CHECK(store_org_get(s, a, org, &o, &e) && str_eq(o.identity, STR("identity--1")));
    CHECK(store_org_put(s, STR("IN"), STR("cert-in"), STR("identity--2"), &same, &e) &&
          same == org);
    CHECK(store_org_put(s, STR("JP"), STR("cert-in"), STR_NONE, &same, &e) && same != org);
    commit(s);
    CHECK(store_org_get(s, a, org, &o, &e) && str_eq(o.identity, STR("identity--2")) &&
          str_eq(o.nation, STR("IN")) && str_eq(o.name, STR("cert-in")));
    CHECK(!store_org_get(s, a, 999, &o, &e) && e.code == ERR_NOT_FOUND);
    arena_free(a);
    store_close(s);
}

/* ---- collections and audiences ---- */

static bool list_collection(void *ctx, const struct store_collection *c)
{
    char *list = ctx;
    snprintf(list + strlen(list), 200 - strlen(list), "%.*s/%.*s:%u ", STR_FMT(c->root),
             STR_FMT(c->alias), c->marking);
    return true;
}

static void test_collections(void)
{
    static const struct {
        const char *uuid, *root, *alias;
        bool ok;
    } rows[] = {
        {"u1", "api", "a", true},  {"u2", "api", "", true},    {"u3", "api", "", true},
        {"u4", "api", "a", false}, {"u5", "other", "a", true}, {"u1", "other", "b", false},
    };
    struct store *s = open_store("collections");
    struct err e = {0};
    int64_t id = 0;
    begin(s);
    for (unsigned i = 0; i < COUNT(rows); i++) {
        struct store_collection c = {.uuid = str_of(rows[i].uuid),
                                     .root = str_of(rows[i].root),
                                     .title = STR("t"),
                                     .alias = str_of(rows[i].alias),
                                     .marking = i};
        e = (struct err){0};
        bool ok = store_collection_add(s, &c, &id, &e);
        CHECK_ROW(ok == rows[i].ok && e.code == (ok ? ERR_NONE : ERR_CONFLICT), "%u: %s", i, e.msg);
    }
    commit(s);
    char list[200] = "";
    CHECK(store_collection_each(s, list_collection, list, &e));
    CHECK_TEXT(list, "api/a:0 api/:1 api/:2 other/a:4 ", "in the order they were made");
    store_close(s);
}

static bool list_audience(void *ctx, int64_t id, struct str text)
{
    char *list = ctx;
    snprintf(list + strlen(list), 200 - strlen(list), "%lld=%.*s ", (long long)id, STR_FMT(text));
    return true;
}

static void test_audiences(void)
{
    struct store *s = open_store("audiences");
    struct err e = {0};
    begin(s);
    int64_t a = audience(s, "+IN"), b = audience(s, "+IN +JP"), nobody = audience(s, "");
    CHECK(a != b && b != nobody && a < b && b < nobody);
    CHECK(audience(s, "+IN") == a && audience(s, "+IN +JP") == b && audience(s, "") == nobody);
    commit(s);
    char list[200] = "", want[200];
    CHECK(store_audience_each(s, a, list_audience, list, &e));
    snprintf(want, sizeof want, "%lld=+IN +JP %lld= ", (long long)b, (long long)nobody);
    CHECK_TEXT(list, want, "above %lld", (long long)a);
    store_close(s);
}

/* ---- object versions ---- */

static bool list_version(void *ctx, const struct store_object *o)
{
    char *list = ctx;
    snprintf(list + strlen(list), 300 - strlen(list), "%lld/%lld%s:%.*s ", (long long)o->name,
             (long long)o->version_us, o->revoked ? "!" : "", STR_FMT(o->bytes));
    return true;
}

static void test_versions(void)
{
    struct store *s = open_store("versions");
    struct err e = {0};
    char list[300] = "";
    begin(s);
    struct store_object o2 = object(s, "tool--1", 20), other = object(s, "tool--2", 5);
    struct store_object o1 = object(s, "tool--1", 10);
    struct store_object o3 = {.version_us = 30,
                              .revoked = true,
                              .id = STR("tool--1"),
                              .type = STR("tool"),
                              .bytes = STR("{\"a\":\"\0\"}")};
    CHECK(store_object_add(s, &o3, &e));
    commit(s);
    CHECK(o1.name == o2.name && o3.name == o2.name && other.name != o2.name);
    CHECK(o1.object != o2.object && o3.object != o1.object);
    CHECK(store_object_versions(s, STR("tool--1"), list_version, list, &e));
    char want[200];
    long long n = (long long)o2.name;
    snprintf(want, sizeof want, "%lld/10:tool--1 %lld/20:tool--1 %lld/30!:{\"a\":\"", n, n, n);
    CHECK_ROW(strncmp(list, want, strlen(want)) == 0, "%s", list);
    list[0] = '\0';
    CHECK(store_object_versions(s, STR("tool--3"), list_version, list, &e) && list[0] == '\0');
    store_close(s);
}

/* ---- date_added ---- */

static void test_dates(void)
{
    static const struct {
        int64_t clock, date;
    } rows[] = {
        {1000, 1000}, {1000, 1001}, /* the clock stands */
        {500, 1002},                /* it goes back */
        {-500, 1003}, {1003, 1004}, {1005, 1005}, {900000, 900000}, {899999, 900001},
    };
    struct store *s = open_store("dates");
    struct err e = {0};
    begin(s);
    int64_t c = collection(s, "c"), d = collection(s, "d"), a = audience(s, "+IN"),
            b = audience(s, "+JP"), date = 0;
    struct store_object o = object(s, "tool--1", 10);
    commit(s);
    for (size_t i = 0; i < COUNT(rows); i++) {
        base_clock_set(rows[i].clock);
        if (i == 4) { /* a later process goes on where the earlier one ended */
            store_close(s);
            s = open_store("dates");
        }
        begin(s);
        o.version_us = (int64_t)i;
        CHECK_ROW(release(s, c, i % 2 ? a : b, &o) == rows[i].date, "row %zu", i);
        if (i == 5) {
            CHECK(release(s, c, a, &o) == 1006); /* what is rolled back is not used up */
            store_rollback(s);
            begin(s);
            CHECK(release(s, c, a, &o) == 1005);
        }
        commit(s);
    }
    begin(s);
    CHECK(release(s, d, a, &o) == 899999); /* each collection has its own order */
    CHECK(!store_release_add(s, 99, a, &o, &date, &e) && e.code == ERR_NOT_FOUND);
    store_rollback(s);
    base_clock_set(INT64_MIN);
    store_close(s);
}

/* ---- match[version] ---- */

/* Which versions went to whom:    v1 v2 v3 v4
 *   +A  the first reader           x  x
 *   +B  the second                    x'  x        (x': a later, disjoint release of v2)
 *   +C  the third                            x     */
static void test_match_version(void)
{
    enum { A = 1, B = 2, C = 4, D = 8 };
    static const struct {
        unsigned who, versions;
        const char *exact, *want;
    } rows[] = {
        {A, STORE_LAST, "", "x@2"},
        {A, STORE_FIRST, "", "x@1"},
        {A, STORE_FIRST | STORE_LAST, "", "x@1 x@2"},
        {A, STORE_ALL, "", "x@1 x@2"},
        {A, 0, "1", "x@1"},
        {A, 0, "3", ""}, /* not this reader's */
        {A, 0, "149", "x@1"},
        {A, STORE_LAST, "1", "x@1 x@2"},
        {B, STORE_LAST, "", "x@3"},
        {B, STORE_FIRST, "", "x@2"},
        {B, STORE_ALL, "", "x@3 x@2"}, /* in order of date_added */
        {B, 0, "1", ""},
        {C, STORE_LAST, "", "x@4"},
        {C, STORE_FIRST, "", "x@4"},
        {A | C, STORE_LAST, "", "x@4"},
        {A | C, STORE_FIRST, "", "x@1"},
        {A | C, STORE_ALL, "", "x@4 x@1 x@2"},
        {B | C, STORE_FIRST | STORE_LAST, "", "x@4 x@2"},
        {D, STORE_ALL, "", ""},
        {0, STORE_ALL, "", ""},
        {A | D, STORE_LAST, "", "x@2"},
    };
    struct store *s = open_store("match");
    begin(s);
    int64_t c = collection(s, "c");
    int64_t aud[] = {audience(s, "+A"), audience(s, "+B"), audience(s, "+C"), audience(s, "+D")};
    /* In the order 4, 1, 3, 2: the last to come is not the newest. */
    struct store_object v4 = object(s, "x", 4), v1 = object(s, "x", 1), v3 = object(s, "x", 3),
                        v2 = object(s, "x", 2);
    release(s, c, aud[2], &v4);
    release(s, c, aud[0], &v1);
    release(s, c, aud[1], &v3);
    release(s, c, aud[0], &v2);
    release(s, c, aud[1], &v2);
    commit(s);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t mine[4], exact[4];
        struct store_query q = {.collection = c,
                                .audiences = mine,
                                .after_us = INT64_MIN,
                                .limit = 100,
                                .versions = rows[i].versions,
                                .version_us = exact,
                                .with_bytes = true};
        for (size_t k = 0; k < 4; k++)
            if (rows[i].who & (1u << k))
                mine[q.audience_count++] = aud[k];
        for (const char *p = rows[i].exact; *p; p++)
            exact[q.version_count++] = *p - '0';
        CHECK_TEXT(reading(s, &q), rows[i].want, "row %zu", i);
        struct str ids[] = {STR("x"), STR("nothing"), STR("x")};
        q.ids = ids;
        q.id_count = 3;
        CHECK_TEXT(reading(s, &q), rows[i].want, "row %zu by id", i);
        q.id_count = 0;
        q.collection = 99;
        CHECK_TEXT(reading(s, &q), "", "row %zu elsewhere", i);
    }
    store_close(s);
}

static int count_statement(unsigned what, void *ctx, void *stmt, void *text)
{
    (void)what, (void)stmt, (void)text;
    ++*(size_t *)ctx;
    return 0;
}

static bool count_row(void *ctx, const struct store_row *r)
{
    size_t *rows = ctx;
    char id[20];
    snprintf(id, sizeof id, "tool--%zu", *rows + 1);
    CHECK_ROW(str_eq(r->object->id, str_of(id)), "%zu", *rows);
    return ++*rows > 0;
}

/* However many rows a page has, a few statements fetch it: of whole objects, of manifest records.
 */
static void test_statements_of_a_page(void)
{
    struct store *s = open_store("statements"), *r = NULL;
    struct err e = {0};
    char id[20];
    begin(s);
    int64_t c = collection(s, "c"), a = audience(s, "+A");
    for (int i = 1; i <= 1000; i++) {
        snprintf(id, sizeof id, "tool--%d", i);
        struct store_object o = object(s, id, 1);
        release(s, c, a, &o);
    }
    commit(s);
    CHECK(store_open(at("statements"), STORE_READ, &r, &e));
    static const struct {
        size_t limit, most;
        bool more;
    } rows[] = {{1, 4, true}, {100, 5, true}, {128, 5, true}, {129, 6, true}, {1000, 16, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int with_bytes = 0; with_bytes < 2; with_bytes++) {
            size_t statements = 0, given = 0;
            bool more;
            struct store_query q = {.collection = c,
                                    .audiences = &a,
                                    .audience_count = 1,
                                    .after_us = INT64_MIN,
                                    .limit = rows[i].limit,
                                    .versions = STORE_LAST,
                                    .with_bytes = with_bytes};
            CHECK(store_begin(r, &e));
            sqlite3_trace_v2(r->db, SQLITE_TRACE_STMT, count_statement, &statements);
            CHECK(store_read(r, &q, count_row, &given, &more, &e));
            sqlite3_trace_v2(r->db, 0, NULL, NULL);
            store_rollback(r);
            CHECK_ROW(given == rows[i].limit && more == rows[i].more && statements > 0 &&
                          statements <= rows[i].most,
                      "limit %zu: %zu rows by %zu statements", rows[i].limit, given, statements);
        }
    }
    store_close(r);
    store_close(s);
}

struct bytes_row {
    struct store_object o;
    size_t total;
    char bytes[40];
};

static bool keep_row(void *ctx, const struct store_row *r)
{
    struct bytes_row *b = ctx;
    b->o = *r->object;
    b->total += r->object->bytes.n;
    snprintf(b->bytes, sizeof b->bytes, "%.*s", STR_FMT(r->object->bytes));
    return true;
}

/* Who wants the bytes alone gets those, and what a record of the reading needs. */
static void test_bytes_only(void)
{
    struct store *s = open_store("bytes");
    struct err e = {0};
    begin(s);
    int64_t c = collection(s, "c"), a = audience(s, "+A");
    struct store_object x = object(s, "x", 1), o = {.id = STR("indicator--1"),
                                                    .version = STR("v"),
                                                    .version_us = 7,
                                                    .has_version = true,
                                                    .type = STR("indicator"),
                                                    .tlp = 3,
                                                    .marking = 2,
                                                    .bytes = STR("its bytes")};
    static char long_text[20000];
    memset(long_text, 'x', sizeof long_text);
    struct store_object large = {.id = STR("tool--1"),
                                 .version = STR("v"),
                                 .version_us = 7,
                                 .has_version = true,
                                 .type = STR("tool"),
                                 .bytes = {long_text, sizeof long_text}};
    CHECK(store_object_add(s, &large, &e));
    release(s, c, a, &large);
    CHECK(store_object_add(s, &o, &e));
    release(s, c, a, &x);
    release(s, c, a, &o);
    commit(s);
    for (int alone = 0; alone < 2; alone++) {
        struct bytes_row row = {.bytes = ""};
        bool more;
        struct store_query q = {.collection = c,
                                .audiences = &a,
                                .audience_count = 1,
                                .after_us = INT64_MIN,
                                .limit = 9,
                                .versions = STORE_LAST,
                                .with_bytes = true,
                                .bytes_only = alone};
        CHECK(store_read(s, &q, keep_row, &row, &more, &e));
        CHECK_TEXT(row.bytes, "its bytes", "%d", alone);
        CHECK_ROW(row.o.object == o.object && row.o.name == o.name && row.o.tlp == 3 &&
                      row.o.marking == 2 && (row.o.id.n > 0) == (alone == 0) &&
                      row.total == 20000 + 1 + 9,
                  "%d: %zu", alone, row.total);
    }
    sqlite3 *db;
    CHECK(sqlite3_open(at("bytes"), &db) == SQLITE_OK &&
          sqlite3_exec(db, "DELETE FROM object WHERE stix_id='indicator--1'", NULL, NULL, NULL) ==
              SQLITE_OK);
    sqlite3_close(db);
    for (int alone = 0; alone < 2; alone++) {
        struct bytes_row row = {.bytes = ""};
        bool more;
        struct store_query q = {.collection = c,
                                .audiences = &a,
                                .audience_count = 1,
                                .after_us = INT64_MIN,
                                .limit = 9,
                                .versions = STORE_LAST,
                                .with_bytes = true,
                                .bytes_only = alone};
        CHECK_ROW(!store_read(s, &q, keep_row, &row, &more, &e) && e.code == ERR_STORE &&
                      strstr(e.msg, "without its object"),
                  "%d: %s", alone, e.msg);
    }
    store_close(s);
}

/* Two collections hold different versions of one object: "last" is each one's own, also where the
 * newest version was the first to be stored. */
static void test_last_per_collection(void)
{
    struct store *s = open_store("last");
    begin(s);
    int64_t c = collection(s, "c"), d = collection(s, "d"), a = audience(s, "+A");
    struct store_object v2 = object(s, "x", 2), v1 = object(s, "x", 1);
    release(s, c, a, &v2);
    release(s, d, a, &v1);
    struct store_query q = {.audiences = &a,
                            .audience_count = 1,
                            .after_us = INT64_MIN,
                            .limit = 9,
                            .versions = STORE_LAST};
    q.collection = c;
    CHECK_TEXT(reading(s, &q), "x@2", "c");
    q.collection = d;
    CHECK_TEXT(reading(s, &q), "x@1", "d");
    release(s, d, a, &v2);
    CHECK_TEXT(reading(s, &q), "x@2", "d with both");
    q.versions = STORE_FIRST;
    CHECK_TEXT(reading(s, &q), "x@1", "d with both");
    commit(s);
    store_close(s);
}

/* ---- limits, ids, types ---- */

static void test_limits(void)
{
    static const struct {
        size_t limit, bytes;
        int64_t after; /* index of the row before */
        const char *want;
    } rows[] = {
        {100, 0, 0, "tool--1@1 tool--2@2 note--3@3 note--4@4"},
        {4, 0, 0, "tool--1@1 tool--2@2 note--3@3 note--4@4"},
        {3, 0, 0, "tool--1@1 tool--2@2 note--3@3+"},
        {1, 0, 0, "tool--1@1+"},
        {1, 0, 3, "note--4@4"},
        {1, 0, 4, ""},
        {0, 0, 0, "+"},
        {100, 28, 0, "tool--1@1 tool--2@2 note--3@3 note--4@4"},
        {100, 27, 0, "tool--1@1 tool--2@2 note--3@3+"},
        {100, 14, 1, "tool--2@2 note--3@3+"},
        {100, 1, 1, "tool--2@2+"}, /* one row always comes */
        {2, 14, 2, "note--3@3 note--4@4"},
        {1, 14, 2, "note--3@3+"},
    };
    static const char *const ids[] = {"tool--1", "tool--2", "note--3", "note--4"};
    struct store *s = open_store("limits");
    int64_t dates[5] = {INT64_MIN};
    begin(s);
    int64_t c = collection(s, "c"), aud[] = {audience(s, "+A"), audience(s, "+B")};
    for (int i = 0; i < 4; i++) {
        struct store_object o = object(s, ids[i], i + 1);
        dates[i + 1] = release(s, c, aud[i % 2], &o);
    }
    commit(s);
    struct str all[] = {STR("note--4"), STR("tool--1"), STR("note--3"), STR("tool--2"),
                        STR("note--4")};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_query q = {.collection = c,
                                .audiences = aud,
                                .audience_count = 2,
                                .after_us = dates[rows[i].after],
                                .limit = rows[i].limit,
                                .limit_bytes = rows[i].bytes,
                                .versions = STORE_LAST,
                                .with_bytes = true};
        CHECK_TEXT(reading(s, &q), rows[i].want, "row %zu", i);
        q.ids = all;
        q.id_count = COUNT(all);
        CHECK_TEXT(reading(s, &q), rows[i].want, "row %zu by id", i);
    }
    store_close(s);
}

static void test_filters(void)
{
    static const struct {
        const char *ids, *types, *want;
    } rows[] = {
        {"", "note", "note--3@3 note--4@4"},
        {"", "note tool", "tool--1@1 tool--2@2 note--3@3 note--4@4"},
        {"", "unknown", ""},
        {"", "unknown tool", "tool--1@1 tool--2@2"},
        {"note--4 tool--1 note--4", "", "tool--1@1 note--4@4"},
        {"note--4 tool--1", "tool", "tool--1@1"},
        {"note--4", "tool unknown", ""},
        {"nobody", "", ""},
        {"nobody tool--2", "", "tool--2@2"},
        {"tool--", "", ""},
        {"TOOL--1", "", ""},
    };
    struct store *s = open_store("limits");
    int64_t aud[] = {audience(s, "+A"), audience(s, "+B")};
    struct err e = {0};
    bool more;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str ids[4], types[4], rest;
        struct store_query q = {.collection = 1,
                                .audiences = aud,
                                .audience_count = 2,
                                .after_us = INT64_MIN,
                                .limit = 9,
                                .ids = ids,
                                .types = types,
                                .versions = STORE_ALL};
        for (rest = rows[i].ids[0] ? str_of(rows[i].ids) : STR_NONE; rest.p;)
            ids[q.id_count++] = str_cut(&rest, ' ');
        for (rest = rows[i].types[0] ? str_of(rows[i].types) : STR_NONE; rest.p;)
            types[q.type_count++] = str_cut(&rest, ' ');
        CHECK_TEXT(reading(s, &q), rows[i].want, "ids %s types %s", rows[i].ids, rows[i].types);
    }
    /* A type asked for many times is one type; the callback may stop the reading. */
    struct str same[65];
    struct seen seen = {.in_order = true, .last_date = INT64_MIN, .stop_at = 1};
    for (size_t i = 0; i < COUNT(same); i++)
        same[i] = STR("tool");
    struct store_query q = {.collection = 1,
                            .audiences = aud,
                            .audience_count = 2,
                            .after_us = INT64_MIN,
                            .limit = 9,
                            .types = same,
                            .type_count = COUNT(same),
                            .versions = STORE_ALL};
    CHECK(store_read(s, &q, note, &seen, &more, &e) && seen.rows == 1);
    CHECK_TEXT(reading(s, &q), "tool--1@1 tool--2@2", "after a reading that was stopped");
    /* As many types as a query can tell apart; those that nothing here has do not count. */
    char names[65][8];
    begin(s);
    for (size_t i = 0; i < COUNT(same); i++) {
        snprintf(names[i], sizeof names[i], "t%zu-1", i);
        struct store_object o = object(s, names[i], 1);
        if (i < 64)
            release(s, 1, aud[0], &o);
        same[i] = o.type;
    }
    q.type_count = COUNT(same);
    q.limit = 1;
    CHECK_TEXT(reading(s, &q), "t0-1@1+", "64 types");
    struct store_object last = object(s, names[64], 1);
    release(s, 1, aud[0], &last);
    CHECK(!store_read(s, &q, note, &seen, &more, &e) && e.code == ERR_USAGE);
    store_rollback(s);
    store_close(s);
}

/* Rows of ten audiences come as one sequence, whoever reads how many of them. */
static void test_merging(void)
{
    struct store *s = open_store("merging");
    int64_t aud[10], c;
    char name[16];
    begin(s);
    c = collection(s, "c");
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "+A%d", i);
        aud[i] = audience(s, name);
    }
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "t--%d", i);
        struct store_object o = object(s, name, 1);
        release(s, c, aud[i * 7 % 10], &o);
    }
    commit(s);
    for (size_t first = 0; first < 10; first++) {
        for (size_t n = 0; first + n <= 10; n++) {
            struct seen seen = {.in_order = true, .last_date = INT64_MIN};
            struct err e = {0};
            struct store_query q = {.collection = c,
                                    .audiences = aud + first,
                                    .audience_count = n,
                                    .after_us = INT64_MIN,
                                    .limit = 7,
                                    .versions = STORE_LAST};
            bool more = true;
            while (more && seen.rows <= 100) { /* page by page */
                CHECK(store_read(s, &q, note, &seen, &more, &e));
                q.after_us = seen.last_date;
            }
            CHECK_ROW(seen.rows == n * 10 && seen.in_order, "%zu from %zu", n, first);
        }
    }
    store_close(s);
}

/* Of several types in several audiences: what is asked for, in order, page by page. */
static void test_merging_types(void)
{
    static const char *const types[] = {"a", "b", "c", "d"};
    struct store *s = open_store("types");
    int64_t aud[3], c;
    char name[16];
    begin(s);
    c = collection(s, "c");
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "+A%d", i);
        aud[i] = audience(s, name);
    }
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "%s--%d", types[i * 11 % 4], i);
        struct store_object o = object(s, name, 1);
        release(s, c, aud[i * 7 % 3], &o);
    }
    commit(s);
    for (unsigned set = 1; set < 16; set++) {
        struct str asked[4];
        struct seen seen = {.in_order = true, .last_date = INT64_MIN};
        struct err e = {0};
        struct store_query q = {.collection = c,
                                .audiences = aud,
                                .audience_count = 2,
                                .after_us = INT64_MIN,
                                .limit = 3,
                                .types = asked,
                                .versions = STORE_LAST};
        size_t want = 0;
        for (unsigned t = 0; t < 4; t++)
            if (set & 1u << t)
                asked[q.type_count++] = str_of(types[t]);
        for (int i = 0; i < 300; i++)
            want += (set & 1u << (i * 11 % 4)) && i * 7 % 3 < 2;
        for (bool more = true; more && seen.rows <= 300; q.after_us = seen.last_date)
            CHECK(store_read(s, &q, note, &seen, &more, &e));
        CHECK_ROW(seen.rows == want && seen.in_order, "types %u: %zu of %zu", set, seen.rows, want);
    }
    store_close(s);
}

/* A page ends early where nearly every row is passed over, and the next one goes on behind it. */
static void test_skipping(void)
{
    struct store *s = open_store("skipping");
    struct err e = {0};
    struct seen seen = {.in_order = true, .last_date = INT64_MIN};
    int64_t upto = 7, exact = 50;
    size_t pages = 0;
    bool more = true;
    begin(s);
    int64_t c = collection(s, "c"), aud[] = {audience(s, "+A")};
    for (int v = 1; v <= 100; v++) {
        struct store_object o = object(s, "t--1", v);
        release(s, c, aud[0], &o);
    }
    commit(s);
    struct store_query q = {.collection = c,
                            .audiences = aud,
                            .audience_count = 1,
                            .after_us = INT64_MIN,
                            .limit = 200,
                            .versions = STORE_LAST,
                            .version_us = &exact,
                            .version_count = 1,
                            .skip_limit = 30,
                            .upto_us = &upto};
    for (; more && pages < 9; pages++) {
        int64_t before = q.after_us;
        CHECK(store_read(s, &q, note, &seen, &more, &e));
        CHECK(!more || upto > before);
        q.after_us = upto > seen.last_date ? upto : seen.last_date;
    }
    CHECK_ROW(pages == 4 && strcmp(seen.text, "t--1@50 t--1@100") == 0, "%zu: %s", pages,
              seen.text);
    upto = 7;
    q.after_us = INT64_MIN;
    q.skip_limit = 0;
    CHECK_TEXT(reading(s, &q), "t--1@50 t--1@100", "without a limit");
    CHECK(upto == 7);
    store_close(s);
}

/* What is held is one state for all transactions in it, and no longer. */
static void check_holding(struct store *s, struct store *w, const struct store_query *q)
{
    struct err e = {0};
    struct store_stand before, stand;
    int64_t states[2];
    CHECK(store_hold(s, &e));
    CHECK(store_begin(s, &e) && store_state(s, &states[0], &e) && store_stand(s, q, &before, &e));
    store_rollback(s);
    begin(w);
    struct store_object o = object(w, "held", 1);
    int64_t newest = release(w, q->collection, q->audiences[0], &o);
    commit(w);
    for (int i = 0; i < 2; i++) {
        CHECK(store_begin(s, &e) && store_state(s, &states[1], &e) &&
              store_stand(s, q, &stand, &e));
        store_rollback(s);
        CHECK_ROW((states[0] == states[1]) == (i == 0), "%d", i);
        CHECK_ROW(stand.newest_us == (i == 0 ? before.newest_us : newest), "%d", i);
        store_let_go(s);
    }
}

/* What lingers is gone on with as long as nobody writes, and shows nobody what is old. */
static void check_lingering(struct store *s, struct store *w, const struct store_query *q)
{
    enum way { HELD_AGAIN, BEGUN, ASKED, LET_GO, WAYS };
    struct err e = {0};
    struct store_stand stand;
    int64_t states[2], newest = 0;
    for (int i = 0; i < 2 * WAYS; i++) {
        bool writes = i >= WAYS;
        enum way way = i % WAYS;
        /* Twice, for the first has to find out how to look. */
        for (int k = 0; k < 2; k++) {
            CHECK(store_hold(s, &e) && store_state(s, &states[0], &e));
            store_linger(s);
        }
        if (writes) {
            char name[16];
            snprintf(name, sizeof name, "linger%d", i);
            begin(w);
            struct store_object o = object(w, name, 1);
            newest = release(w, q->collection, q->audiences[0], &o);
            commit(w);
        }
        if (way == LET_GO)
            store_let_go(s);
        if (way == HELD_AGAIN || way == LET_GO)
            CHECK(store_hold(s, &e));
        if (way == BEGUN)
            CHECK(store_begin(s, &e));
        CHECK(store_state(s, &states[1], &e));
        CHECK_ROW((states[0] != states[1]) == writes, "%d", i);
        CHECK((way == BEGUN || store_begin(s, &e)) && store_stand(s, q, &stand, &e));
        CHECK_ROW(!writes || stand.newest_us == newest, "%d", i);
        store_rollback(s);
        store_let_go(s);
    }
    /* Not of a transaction that reads what it holds: that stays as it was. */
    CHECK(store_hold(s, &e) && store_begin(s, &e) && store_state(s, &states[0], &e));
    store_rollback(s);
    store_linger(s);
    store_linger(s);
    store_let_go(s);
    store_let_go(s);
}

/* Commits a row; returns by how much the write-ahead log grew, less than 0 where it began anew. */
static long grown(struct store *w, int64_t collection, int64_t audience, int n)
{
    char name[16];
    long before = (long)store_wal_pages(w);
    snprintf(name, sizeof name, "wal%d", n);
    begin(w);
    struct store_object o = object(w, name, 1);
    release(w, collection, audience, &o);
    commit(w);
    return (long)store_wal_pages(w) - before;
}

/* Once all was brought back, the log begins anew, but not beside a transaction that lingers. */
static void test_wal(void)
{
    struct store *w = open_store("wal"), *s = NULL, *back = NULL;
    struct err e = {0};
    int64_t state;
    bool all;
    begin(w);
    int64_t c = collection(w, "c"), a = audience(w, "+A");
    commit(w);
    CHECK(store_open(at("wal"), STORE_READ, &s, &e) &&
          store_open(at("wal"), STORE_READ, &back, &e));
    store_wal_apart(w);
    CHECK(grown(w, c, a, 0) > 0 && grown(w, c, a, 1) > 0);
    CHECK(store_wal_bring_back(back, &all, &e) && all && grown(w, c, a, 2) < 0);
    for (int i = 0; i < 2; i++) {
        CHECK(store_hold(s, &e) && store_state(s, &state, &e));
        store_linger(s);
    }
    CHECK(store_wal_bring_back(back, &all, &e) && grown(w, c, a, 3) > 0 && grown(w, c, a, 4) > 0);
    CHECK(store_wal_bring_back(back, &all, &e) && !all);
    store_let_go(s);
    CHECK(store_wal_bring_back(back, &all, &e) && all && grown(w, c, a, 5) < 0);
    store_close(back);
    store_close(s);
    store_close(w);
}

/* What a reader of three audiences learns of changes: not of those among its own, nor of others'.
 */
static void test_stand(void)
{
    struct store *w = open_store("stand"), *s = NULL;
    struct err e = {0};
    int64_t aud[4], dates[4], states[2];
    begin(w);
    int64_t c = collection(w, "c"), d = collection(w, "d");
    aud[0] = audience(w, "+A");
    aud[1] = audience(w, "+B");
    aud[2] = audience(w, "+C");
    aud[3] = audience(w, "+D");
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        struct store_object o = object(w, name, 1);
        dates[i] = release(w, c, aud[i], &o);
    }
    commit(w);
    CHECK(store_open(at("stand"), STORE_READ, &s, &e));
    /* Rows go from one audience to another, or to nobody: by how much it moves for each reader. */
    static const struct {
        int row, from, to;
        unsigned moved[2]; /* for a reader of A, B and C; of B and D */
    } rows[] = {{0, 0, 1, {0, 1}},
                {0, 1, 3, {1, 1}},
                {3, 3, -1, {1, 2}},
                {2, 2, 0, {1, 2}},
                {2, 0, -1, {2, 2}}};
    const int64_t second[] = {aud[1], aud[3]};
    const struct store_query readers[] = {
        {.collection = c, .audiences = aud, .audience_count = 3},
        {.collection = c, .audiences = second, .audience_count = 2}};
    struct store_stand stand = {0}, before;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_release r = {
            .collection = c, .audience = aud[rows[i].from], .date_added = dates[rows[i].row]};
        CHECK(store_begin(s, &e) && store_state(s, &states[0], &e));
        store_rollback(s);
        begin(w);
        CHECK(store_release_set(w, &r, rows[i].to < 0 ? 0 : aud[rows[i].to], &e));
        commit(w);
        CHECK(store_begin(s, &e) && store_state(s, &states[1], &e) && states[0] != states[1]);
        CHECK(store_state(s, &states[0], &e) && states[0] == states[1]);
        for (size_t k = 0; k < 2; k++) {
            CHECK(store_stand(s, &readers[k], &stand, &e));
            CHECK_ROW(stand.moved == rows[i].moved[k], "%zu, reader %zu: %llu", i, k,
                      (unsigned long long)stand.moved);
        }
        store_rollback(s);
    }
    /* The newest row: its own, of this collection. */
    CHECK(store_begin(s, &e) && store_stand(s, &readers[0], &before, &e));
    store_rollback(s);
    CHECK(before.newest_us == dates[1]);
    begin(w);
    struct store_object y = object(w, "y", 1), z = object(w, "x1", 2);
    release(w, d, aud[0], &y);
    release(w, c, aud[3], &y);
    int64_t newest = release(w, c, aud[2], &z);
    commit(w);
    CHECK(store_begin(s, &e) && store_stand(s, &readers[0], &stand, &e));
    CHECK(stand.newest_us == newest && stand.moved == before.moved);
    /* Which names were added: its own rows' alone. */
    static const struct {
        size_t limit, count;
        bool more;
    } asked[] = {{9, 1, false}, {1, 1, false}, {0, 0, true}};
    for (size_t i = 0; i < COUNT(asked); i++) {
        struct store_query since = readers[0];
        struct store_name names[9] = {{0, 0}};
        size_t count = 9;
        bool more = !asked[i].more;
        since.after_us = before.newest_us;
        since.limit = asked[i].limit;
        CHECK_ROW(store_names_after(s, &since, names, &count, &more, &e) &&
                      count == asked[i].count && more == asked[i].more,
                  "%zu: %zu", i, count);
        CHECK_ROW(names[0].name == (count ? z.name : 0) &&
                      names[0].date_added == (count ? newest : 0),
                  "%zu", i);
    }
    store_rollback(s);
    check_holding(s, w, &readers[0]);
    check_lingering(s, w, &readers[0]);
    store_close(s);
    store_close(w);
}

/* ---- taking back ---- */

static size_t versions_stored(struct store *s, const char *id)
{
    char list[300] = "";
    struct err e;
    size_t n = 0;
    CHECK(store_object_versions(s, str_of(id), list_version, list, &e));
    for (const char *p = list; *p; p++)
        n += *p == ' ';
    return n;
}

/* All versions of a name in a collection, or one. */
static bool take_back(struct store *s, int64_t collection, int64_t name, const int64_t *version_us,
                      size_t *removed, struct err *e)
{
    struct store_removal r = {collection, name, 0, version_us, version_us ? 1 : 0};
    return store_release_remove(s, &r, removed, e);
}

static void test_removal(void)
{
    struct store *s = open_store("removal");
    struct err e = {0};
    size_t removed = 99;
    begin(s);
    int64_t c = collection(s, "c"), d = collection(s, "d"),
            aud[] = {audience(s, "+A"), audience(s, "+B")};
    struct store_object v1 = object(s, "x", 1), v2 = object(s, "x", 2), y = object(s, "y", 1);
    release(s, c, aud[0], &v1);
    release(s, c, aud[0], &v2);
    release(s, c, aud[1], &v2);
    release(s, d, aud[0], &v2);
    release(s, c, aud[0], &y);
    commit(s);
    struct store_query q = {.audiences = aud,
                            .audience_count = 1,
                            .after_us = INT64_MIN,
                            .limit = 9,
                            .versions = STORE_LAST};
    const int64_t two = 2, three = 3;
    begin(s);
    CHECK(take_back(s, c, v1.name, &three, &removed, &e) && removed == 0);
    CHECK(take_back(s, c, 999, NULL, &removed, &e) && removed == 0);
    CHECK(take_back(s, c, v1.name, &two, &removed, &e) && removed == 2); /* two audiences */
    q.collection = c;
    CHECK_TEXT(reading(s, &q), "x@1 y@1", "the version before is the last again");
    q.collection = d;
    CHECK_TEXT(reading(s, &q), "x@2", "the other collection keeps its row");
    CHECK(versions_stored(s, "x") == 2);
    CHECK(take_back(s, d, v1.name, NULL, &removed, &e) && removed == 1);
    CHECK(versions_stored(s, "x") == 1);
    store_rollback(s);
    CHECK(versions_stored(s, "x") == 2);
    begin(s);
    CHECK(take_back(s, c, v1.name, NULL, &removed, &e) && removed == 3);
    CHECK(versions_stored(s, "x") == 1); /* version 1 stood nowhere else */
    CHECK(take_back(s, d, v1.name, NULL, &removed, &e) && removed == 1);
    CHECK(versions_stored(s, "x") == 0 && versions_stored(s, "y") == 1);
    /* A new object never takes over what a removed one left. */
    struct store_object z = object(s, "z", 7);
    release(s, c, aud[0], &z);
    q.collection = c;
    q.versions = STORE_ALL;
    CHECK_TEXT(reading(s, &q), "y@1 z@7", "after removal");
    commit(s);
    store_close(s);
}

static bool list_row(void *ctx, const struct store_release *r)
{
    char *list = ctx;
    snprintf(list + strlen(list), 300 - strlen(list), "%lld:%lld@%lld:%.*s ",
             (long long)r->collection, (long long)r->object, (long long)r->version_us,
             STR_FMT(r->audience_text));
    return true;
}

static bool list_text(void *ctx, struct str text)
{
    char *list = ctx;
    snprintf(list + strlen(list), 300 - strlen(list), "[%.*s]", STR_FMT(text));
    return true;
}

static bool list_copy(void *ctx, struct str id, bool varied)
{
    char *list = ctx;
    snprintf(list + strlen(list), 200 - strlen(list), "[%.*s%s]", STR_FMT(id), varied ? "*" : "");
    return true;
}

static bool first_row(void *ctx, const struct store_release *r)
{
    *(struct store_release *)ctx = *r;
    return false;
}

static void test_release_rows(void)
{
    struct store *s = open_store("rows");
    struct err e = {0};
    char list[300] = "", want[300];
    begin(s);
    int64_t a = audience(s, "+AA"), b = audience(s, "+BB"), c = collection(s, "c"),
            d = collection(s, "d");
    struct store_object v1 = object(s, "x", 1), v2 = object(s, "x", 2), y = object(s, "y", 1);
    release(s, c, a, &v1);
    int64_t date = release(s, d, b, &v1);
    release(s, c, b, &v2);
    release(s, c, a, &y);
    CHECK(store_release_each(s, v1.object, list_row, list, &e));
    snprintf(want, sizeof want, "%lld:%lld@1:+AA %lld:%lld@1:+BB ", (long long)c,
             (long long)v1.object, (long long)d, (long long)v1.object);
    CHECK_TEXT(list, want, "all collections, this version");
    list[0] = '\0';
    CHECK(store_release_readers(s, v1.name, list_text, list, &e));
    CHECK_TEXT(list, "[+AA][+BB]", "each audience once");
    /* Another audience, the same date. */
    struct store_release r;
    CHECK(store_release_each(s, v1.object, first_row, &r, &e));
    CHECK(store_release_set(s, &r, b, &e));
    list[0] = '\0';
    CHECK(store_release_readers(s, v1.name, list_text, list, &e));
    CHECK_TEXT(list, "[+BB]", "nobody of +AA is left");
    struct store_query q = {.collection = d,
                            .audiences = &b,
                            .audience_count = 1,
                            .after_us = date - 1,
                            .limit = 9,
                            .versions = STORE_ALL};
    CHECK_TEXT(reading(s, &q), "x@1", "the row of the other collection stands");
    /* Without a row the object goes. */
    r.audience = b;
    CHECK(store_release_set(s, &r, 0, &e) && versions_stored(s, "x") == 2);
    r.collection = d;
    r.date_added = date;
    CHECK(store_release_set(s, &r, 0, &e) && versions_stored(s, "x") == 1);
    commit(s);
    store_close(s);
}

/* ---- pages while the database changes, against plain SQL ---- */

struct plain {
    sqlite3 *db;
    char want[13000];
    size_t rows;
};

/* The same page from a connection of its own, which keeps nothing. */
static void plain_page(struct plain *p, const struct store_query *q)
{
    char text[400];
    size_t n = 0;
    sqlite3_stmt *stmt = NULL;
    int at = snprintf(text, sizeof text,
                      "SELECT o.stix_id,o.version_us FROM release r JOIN object o ON o.id=r.object "
                      "WHERE collection=%lld AND date_added>%lld AND audience IN(0",
                      (long long)q->collection, (long long)q->after_us);
    for (size_t i = 0; i < q->audience_count; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, ",%lld", (long long)q->audiences[i]);
    snprintf(text + at, sizeof text - (size_t)at, ") ORDER BY date_added");
    CHECK(sqlite3_prepare_v2(p->db, text, -1, &stmt, NULL) == SQLITE_OK);
    p->want[0] = '\0';
    p->rows = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW && ++p->rows <= q->limit)
        n += (size_t)snprintf(p->want + n, sizeof p->want - n, "%s%s@%lld", n ? " " : "",
                              (const char *)sqlite3_column_text(stmt, 0),
                              sqlite3_column_int64(stmt, 1));
    if (p->rows > q->limit)
        strcat(p->want, "+");
    sqlite3_finalize(stmt);
}

static unsigned chance(unsigned below)
{
    static unsigned long long state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % below);
}

#define PAGE_AUDIENCES 12

/* Adds, moves or takes back a row, in a transaction that is kept or not. */
static void change_rows(struct store *s, int64_t c, const int64_t *aud, unsigned step)
{
    struct err e = {0};
    char name[24];
    struct store_release r;
    snprintf(name, sizeof name, "t--%u", step);
    begin(s);
    struct store_object o = object(s, name, 1);
    release(s, c, aud[chance(PAGE_AUDIENCES)], &o);
    struct store_object before = {.object = o.object > 1 ? chance((unsigned)o.object) + 1 : 1};
    r.object = 0;
    CHECK(store_release_each(s, before.object, first_row, &r, &e));
    if (r.object && chance(3) == 0)
        CHECK(store_release_set(s, &r, chance(2) ? aud[chance(PAGE_AUDIENCES)] : 0, &e));
    if (chance(3) == 0) {
        struct store_query q = {.collection = c,
                                .audiences = aud,
                                .audience_count = PAGE_AUDIENCES,
                                .after_us = INT64_MIN,
                                .limit = 50,
                                .versions = STORE_ALL};
        CHECK(strlen(reading(s, &q)) > 0); /* what will not have been leaves no trace */
        store_rollback(s);
        return;
    }
    commit(s);
}

static void test_pages(void)
{
    struct store *writer = open_store("pages"), *reader = NULL;
    struct err e = {0};
    static struct plain plain;
    int64_t aud[PAGE_AUDIENCES], c, at_us = INT64_MIN;
    char name[16];
    begin(writer);
    c = collection(writer, "c");
    for (int i = 0; i < PAGE_AUDIENCES; i++) {
        snprintf(name, sizeof name, "+A%d", i);
        aud[i] = audience(writer, name);
    }
    commit(writer);
    CHECK(store_open(at("pages"), STORE_READ, &reader, &e));
    CHECK(sqlite3_open(at("pages"), &plain.db) == SQLITE_OK);
    for (unsigned step = 0; step < 3000; step++) {
        if (chance(4) == 0)
            change_rows(writer, c, aud, step);
        size_t first = chance(PAGE_AUDIENCES);
        struct store_query q = {.collection = c,
                                .audiences = aud + first,
                                .audience_count = chance(PAGE_AUDIENCES - (unsigned)first) + 1,
                                .after_us = at_us,
                                .limit = chance(20) ? chance(30) + 1 : SIZE_MAX,
                                .versions = STORE_ALL};
        plain_page(&plain, &q);
        CHECK_TEXT(reading(chance(4) ? reader : writer, &q), plain.want, "step %u", step);
        at_us = plain.rows > q.limit && chance(8) ? latest.last_date : INT64_MIN;
    }
    sqlite3_close(plain.db);
    store_close(reader);
    store_close(writer);
}

static bool note_marking(void *ctx, const struct store_object *o)
{
    *(unsigned *)ctx = o->marking;
    return true;
}

static bool list_number(void *ctx, int64_t n)
{
    char *list = ctx;
    snprintf(list + strlen(list), 300 - strlen(list), "%lld ", (long long)n);
    return true;
}

static bool list_referrer(void *ctx, int64_t object, struct str type)
{
    char *list = ctx;
    snprintf(list + strlen(list), 300 - strlen(list), "%lld:%.*s ", (long long)object,
             STR_FMT(type));
    return true;
}

static bool list_org(void *ctx, const struct store_org *o)
{
    return list_text(ctx, o->name);
}

static void test_links(void)
{
    struct store *s = open_store("links");
    struct err e = {0};
    char list[300] = "", want[300];
    unsigned marking = 99;
    int64_t org, taken[4];
    size_t n = 0;
    begin(s);
    struct store_object x = object(s, "tool--x", 1), y = object(s, "note--y", 1),
                        z = object(s, "tool--z", 1);
    CHECK(store_object_mark(s, x.object, 3, &e) && store_object_mark(s, x.object, 2, &e));
    CHECK(store_object_get(s, x.object, note_marking, &marking, &e) && marking == 3);
    CHECK(!store_object_get(s, 999, note_marking, &marking, &e) && e.code == ERR_NOT_FOUND);
    int64_t target = store_name(s, STR("tool--x"));
    CHECK(target == x.name && target != y.name);
    CHECK(store_reference_put(s, target, y.object, &e) &&
          store_reference_put(s, target, y.object, &e) && store_reference_put(s, target, 999, &e));
    CHECK(store_referrers(s, target, list_referrer, list, &e));
    snprintf(want, sizeof want, "%lld:note ", (long long)y.object);
    CHECK_TEXT(list, want, "once, and none that is gone");
    list[0] = '\0';
    CHECK(store_derived_put(s, x.object, z.object, &e) &&
          store_derived_put(s, y.object, z.object, &e));
    CHECK(store_derived_origins(s, z.object, list_number, list, &e));
    snprintf(want, sizeof want, "%lld %lld ", (long long)x.object, (long long)y.object);
    CHECK_TEXT(list, want, "both originals");
    list[0] = '\0';
    CHECK(store_org_put(s, STR("JP"), STR("nisc"), STR_NONE, &org, &e));
    CHECK(store_submitter_put(s, x.object, 7, org, &e) &&
          store_submitter_put(s, x.object, 7, org, &e) &&
          store_submitter_put(s, x.object, 8, org, &e));
    CHECK(store_submitter_each(s, x.object, 7, list_org, list, &e));
    CHECK_TEXT(list, "[nisc]", "once a collection");
    CHECK(store_pending_put(s, 5, &e) && store_pending_put(s, 3, &e) &&
          store_pending_put(s, 5, &e) && store_pending_put(s, 9, &e));
    CHECK(store_pending_take(s, 2, taken, &n, &e) && n == 2 && taken[0] == 3 && taken[1] == 5);
    CHECK(store_pending_take(s, 4, taken, &n, &e) && n == 1 && taken[0] == 9);
    CHECK(store_pending_take(s, 4, taken, &n, &e) && n == 0);
    commit(s);
    store_close(s);
}

static void test_copies(void)
{
    static const struct {
        const char *profile, *origin, *copy;
    } rows[] = {
        {"p1", "tool--x", "tool--c1"},
        {"p2", "tool--x", "tool--c2"},
        {"p1", "ipv4-addr--x", "ipv4-addr--net"},
        {"p1", "ipv4-addr--y", "ipv4-addr--net"},
    };
    struct store *s = open_store("copies");
    struct err e = {0};
    struct arena *a = arena_new(1 << 16);
    struct str id;
    begin(s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct store_copy c = {
            .origin_id = str_of(rows[i].origin), .copy_id = str_of(rows[i].copy), .varied = i == 1};
        memcpy(c.profile, rows[i].profile, 2);
        CHECK_ROW(store_copy_put(s, &c, &e) && store_copy_put(s, &c, &e), "row %zu", i);
    }
    commit(s);
    char list[200] = "";
    CHECK(store_copies_of(s, STR("tool--x"), list_copy, list, &e));
    CHECK_TEXT(list, "[tool--c1][tool--c2*]", "each copy once");
    list[0] = '\0';
    CHECK(store_copies_of(s, STR("tool--y"), list_copy, list, &e) && !list[0]);
    CHECK(store_copy_origin(s, a, STR("tool--c2"), &id, &e) && str_eq(id, STR("tool--x")));
    CHECK(store_copy_origin(s, a, STR("tool--x"), &id, &e) && id.n == 0);
    CHECK(store_copy_origin(s, a, STR("ipv4-addr--net"), &id, &e) && id.n == 0);
    arena_free(a);
    store_close(s);
}

/* ---- status, values, partners ---- */

static void test_status(void)
{
    struct store *s = open_store("status");
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    begin(s);
    CHECK(store_status_put(s, "s1", 1, 100, STR("{\"a\":1}"), &e));
    CHECK(store_status_put(s, "s2", 2, 200, STR("two"), &e));
    CHECK(store_status_put(s, "s1", 1, 150, STR("one"), &e));
    commit(s);
    CHECK(store_status_get(s, STR("s1"), 1, &b, &e) && str_eq(buf_view(&b), STR("one")));
    CHECK(!store_status_get(s, STR("s1"), 2, &b, &e) && e.code == ERR_NOT_FOUND);
    CHECK(!store_status_get(s, STR("s3"), 1, &b, &e) && e.code == ERR_NOT_FOUND);
    CHECK(!store_status_get(s, STR_NONE, 1, &b, &e) && e.code == ERR_NOT_FOUND);
    begin(s);
    CHECK(store_status_expire(s, 200, &e));
    commit(s);
    buf_clear(&b);
    CHECK(!store_status_get(s, STR("s1"), 1, &b, &e) && e.code == ERR_NOT_FOUND);
    CHECK(store_status_get(s, STR("s2"), 2, &b, &e) && str_eq(buf_view(&b), STR("two")));
    buf_done(&b);
    store_close(s);
}

static void note_envelope(void *ctx, const struct store_envelope *v)
{
    struct buf *b = ctx;
    buf_printf(b, "[%lld %.*s %lld %lld %lld %.*s]", (long long)v->id, STR_FMT(v->uuid),
               (long long)v->user, (long long)v->collection, (long long)v->at_us, STR_FMT(v->body));
}

static void note_waiting(void *ctx, int64_t id, int64_t org)
{
    buf_printf(ctx, "%lld of %lld;", (long long)id, (long long)org);
}

static bool note_piece(void *ctx, uint64_t first, struct str results)
{
    buf_printf(ctx, "%llu:%.*s;", (unsigned long long)first, STR_FMT(results));
    return true;
}

static void test_envelopes(void)
{
    struct store *s = open_store("envelopes");
    struct store_envelope v[] = {
        {.user = 1, .collection = 7, .at_us = 10, .uuid = STR("e1"), .body = STR("one")},
        {.user = 2, .collection = 8, .at_us = 20, .uuid = STR("e2"), .body = STR("second")},
        {.user = 1, .collection = 7, .at_us = 30, .uuid = STR("e3"), .body = STR("third")},
    };
    struct err e = {0};
    struct buf b;
    struct store_waiting_bytes w = {9, 9, 9};
    const char *const names[] = {"one", "two"};
    int64_t org[2], user;
    struct store_backlog log = {9, 9, 9};
    bool there;
    buf_init(&b, 0);
    CHECK(store_envelope_bytes(s, 1, 1, &w, &e) && !w.all && !w.org && !w.user);
    CHECK(store_envelope_backlog(s, &log, &e) && !log.count && !log.bytes && !log.oldest_us);
    CHECK(store_envelope_get(s, 1, note_envelope, &b, &e) && b.n == 0);
    CHECK(store_envelope_waiting(s, note_waiting, &b, &e) && b.n == 0);
    begin(s);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str name = str_of(names[i]);
        CHECK(store_org_put(s, STR("IN"), name, STR_NONE, &org[i], &e));
        struct store_user_new u = {.name = name, .role = STR("r"), .org = org[i]};
        CHECK(store_user_add(s, &u, &user, &e) && user == (int64_t)i + 1);
    }
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        CHECK_ROW(store_envelope_put(s, &v[i], &e), "row %zu", i);
    CHECK(store_status_put(s, "e1", 1, 10, STR("{}"), &e));
    CHECK(store_status_put(s, "e2", 2, 10, STR("{}"), &e));
    commit(s);
    CHECK(store_envelope_bytes(s, 1, org[1], &w, &e) && w.all == 14 && w.org == 6 && w.user == 8);
    CHECK(store_envelope_bytes(s, 3, org[0], &w, &e) && w.all == 14 && w.org == 8 && w.user == 0);
    CHECK(store_envelope_backlog(s, &log, &e) && log.count == 3 && log.bytes == 14 &&
          log.oldest_us == 10);
    CHECK(store_envelope_waiting(s, note_waiting, &b, &e));
    CHECK(store_envelope_get(s, 1, note_envelope, &b, &e));
    CHECK(store_envelope_get(s, 2, note_envelope, &b, &e));
    CHECK(store_envelope_get(s, 4, note_envelope, &b, &e));
    CHECK(str_eq(buf_view(&b), STR("1 of 1;2 of 2;3 of 1;[1 e1 1 7 10 one][2 e2 2 8 20 second]")));
    buf_clear(&b);
    CHECK(store_envelope_naming(s, 0, 0, STR("}"), note_waiting, &b, &e) &&
          store_envelope_naming(s, 8, 0, STR("{"), note_waiting, &b, &e) &&
          store_envelope_naming(s, 7, org[1], STR("{"), note_waiting, &b, &e) &&
          store_envelope_naming(s, 0, org[0], STR("}{"), note_waiting, &b, &e));
    CHECK(str_eq(buf_view(&b), STR("1 of 1;2 of 2;2 of 2;")));
    begin(s);
    CHECK(store_envelope_withdraw(s, 1, STR("x"), &there, &e) && there);
    CHECK(store_envelope_withdraw(s, 1, STR("x"), &there, &e) && !there);
    CHECK(store_envelope_withdraw(s, 4, STR("x"), &there, &e) && !there);
    CHECK(store_envelope_withdrawn(s, 1, STR("x"), &there, &e) && there);
    CHECK(store_envelope_withdrawn(s, 1, STR("y"), &there, &e) && !there);
    CHECK(store_envelope_withdrawn(s, 1, STR_NONE, &there, &e) && there);
    CHECK(store_envelope_withdrawn(s, 2, STR_NONE, &there, &e) && !there);
    CHECK(store_envelope_end(s, 1, &e) && store_envelope_withdrawn(s, 1, STR_NONE, &there, &e) &&
          !there);
    CHECK(store_envelope_advance(s, 1, 0, 5, &there, &e) && there);
    CHECK(store_envelope_advance(s, 1, 0, 5, &there, &e) && !there);
    CHECK(store_piece_put(s, 1, 5, STR("b"), &e) && store_piece_put(s, 1, 0, STR("a"), &e));
    buf_clear(&b);
    CHECK(store_piece_each(s, 1, note_piece, &b, &e) && store_piece_each(s, 2, note_piece, &b, &e));
    CHECK(str_eq(buf_view(&b), STR("0:a;5:b;")));
    CHECK(store_envelope_take(s, 1, 0, &there, &e) && !there);
    CHECK(store_envelope_waits(s, 1, &there, &e) && there);
    CHECK(store_envelope_take(s, 1, 5, &there, &e) && there);
    CHECK(store_envelope_take(s, 1, 5, &there, &e) && !there);
    CHECK(store_envelope_waits(s, 1, &there, &e) && !there);
    buf_clear(&b);
    CHECK(store_envelope_end(s, 1, &e) && store_piece_each(s, 1, note_piece, &b, &e) && b.n == 0);
    CHECK(store_status_expire(s, 20, &e));
    commit(s);
    CHECK(store_envelope_bytes(s, 1, 1, &w, &e) && w.all == 11 && w.user == 5);
    buf_clear(&b);
    CHECK(!store_status_get(s, STR("e1"), 1, &b, &e) && e.code == ERR_NOT_FOUND);
    CHECK(store_status_get(s, STR("e2"), 2, &b, &e)); /* its envelope waits */
    buf_done(&b);
    store_close(s);
}

static void test_values(void)
{
    struct store *s = open_store("values");
    struct err e = {0};
    struct buf b;
    buf_init(&b, 0);
    CHECK(!store_value_get(s, STR("k"), &b, &e) && e.code == ERR_NOT_FOUND);
    begin(s);
    CHECK(store_value_put(s, STR("k"), STR("old"), &e));
    CHECK(store_value_put(s, STR("k"), STR("new\0\xff"), &e));
    CHECK(store_value_put(s, STR("none"), STR_NONE, &e));
    commit(s);
    CHECK(store_value_get(s, STR("k"), &b, &e) && str_eq(buf_view(&b), STR("new\0\xff")));
    CHECK(store_value_get(s, STR("none"), &b, &e) && b.n == 5); /* nothing is appended */
    buf_done(&b);
    buf_init(&b, 3);
    CHECK(!store_value_get(s, STR("k"), &b, &e) && e.code == ERR_LIMIT);
    buf_done(&b);
    store_close(s);
}

static bool list_peer(void *ctx, const struct store_peer *p)
{
    char *list = ctx;
    snprintf(list + strlen(list), 300 - strlen(list), "%.*s>%.*s>%lld>%.*s ", STR_FMT(p->name),
             STR_FMT(p->remote), (long long)p->collection, STR_FMT(p->cursor));
    return true;
}

static void test_peers(void)
{
    struct store *s = open_store("peers");
    struct arena *a = arena_new(100000);
    struct err e = {0};
    char list[300] = "";
    begin(s);
    struct store_peer p = {.collection = collection(s, "c"),
                           .name = STR("jpcert"),
                           .url = STR("https://jp.example/taxii2/"),
                           .remote = STR("shared"),
                           .nation = STR("JP"),
                           .org = STR("jpcert")};
    CHECK(store_peer_add(s, &p, &e));
    CHECK(!store_peer_add(s, &p, &e) && e.code == ERR_CONFLICT);
    p.remote = STR("other");
    CHECK(store_peer_add(s, &p, &e));
    CHECK(store_peer_cursor(s, 2, STR("2026-01-31T12:00:00Z"), &e));
    commit(s);
    CHECK(store_peer_each(s, a, list_peer, list, &e));
    CHECK_TEXT(list, "jpcert>shared>1> jpcert>other>1>2026-01-31T12:00:00Z ", "partners");
    arena_free(a);
    store_close(s);
}

/* ---- two writers, and a reader that follows ---- */

enum { WRITES = 150 };

static void *write_many(void *arg)
{
    struct store *s = NULL;
    struct err e = {0};
    char id[32];
    bool ok = store_open(at("threads"), STORE_WRITE, &s, &e);
    for (int i = 0; i < WRITES && ok; i++) {
        struct store_object o = {
            .version_us = 1, .id = str_of(id), .type = STR("t"), .bytes = STR("{}")};
        int64_t date;
        snprintf(id, sizeof id, "t--%s-%d", (const char *)arg, i);
        ok = store_begin(s, &e) && store_object_add(s, &o, &e) &&
             store_release_add(s, 1, 1, &o, &date, &e) && store_commit(s, &e);
    }
    if (!ok)
        fprintf(stderr, "write_many: %s\n", e.msg);
    store_close(s);
    return ok ? arg : NULL;
}

static bool follow(void *ctx, const struct store_row *r)
{
    struct seen *s = ctx;
    s->in_order = s->in_order && r->date_added > s->last_date;
    s->last_date = r->date_added;
    s->rows++;
    return true;
}

static void test_threads(void)
{
    static char one[] = "one", two[] = "two";
    struct store *s = open_store("threads");
    struct seen seen = {.in_order = true, .last_date = INT64_MIN};
    struct err e = {0};
    pthread_t a, b;
    void *ok_a = NULL, *ok_b = NULL;
    begin(s);
    CHECK(collection(s, "c") == 1 && audience(s, "+A") == 1);
    commit(s);
    store_close(s);
    CHECK(store_open(at("threads"), STORE_READ, &s, &e));
    base_clock_set(now_us()); /* it stands: nothing but the order in the store helps */
    CHECK(pthread_create(&a, NULL, write_many, one) == 0);
    CHECK(pthread_create(&b, NULL, write_many, two) == 0);
    int64_t end = monotonic_us() + 60000000, audience_id = 1;
    /* A poller by time alone misses no row, although commits come from two sides. */
    while (seen.rows < 2 * WRITES && monotonic_us() < end) {
        bool more;
        struct store_query q = {.collection = 1,
                                .audiences = &audience_id,
                                .audience_count = 1,
                                .after_us = seen.last_date,
                                .limit = 10,
                                .versions = STORE_LAST};
        if (!store_read(s, &q, follow, &seen, &more, &e))
            break;
    }
    pthread_join(a, &ok_a);
    pthread_join(b, &ok_b);
    base_clock_set(INT64_MIN);
    CHECK(ok_a && ok_b);
    CHECK_ROW(seen.rows == 2 * WRITES && seen.in_order, "%zu rows", seen.rows);
    store_close(s);
}

int main(void)
{
    CHECK(faults_install());
    folder_make("store");
    test_opening();
    test_plans();
    test_read_handle();
    test_users();
    test_collections();
    test_audiences();
    test_versions();
    test_dates();
    test_match_version();
    test_statements_of_a_page();
    test_bytes_only();
    test_last_per_collection();
    test_limits();
    test_filters();
    test_merging();
    test_merging_types();
    test_skipping();
    test_stand();
    test_wal();
    test_removal();
    test_release_rows();
    test_pages();
    test_links();
    test_copies();
    test_status();
    test_envelopes();
    test_values();
    test_peers();
    test_threads();
    folder_remove();
    TEST_END();
}
