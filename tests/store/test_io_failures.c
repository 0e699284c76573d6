/*
 * The store on a disk and a memory that fail: the k-th write, sync, read or allocation of SQLite,
 * for every k until nothing fails. What was acknowledged stays, what failed is not there, and only
 * what nobody can know may be either. The same for a power cut at every write.
 */
#include "folder.h"
#include "sqlite_faults.h"
#include "test.h"

#include "store/store.h"

enum { STEPS = 3, ROWS = STEPS + 1 };

enum outcome { NEVER, ACKNOWLEDGED, FAILED, UNKNOWN };

struct run {
    enum outcome rows[ROWS];
    enum err_code open, codes[ROWS]; /* why it failed */
    bool at_commit[ROWS];
};

/* One transaction of several pages: an object, its release, a value. */
static bool write_row(struct store *s, int i, bool *at_commit, struct err *e)
{
    static char bytes[20000];
    char id[32];
    int64_t aud, date;
    memset(bytes, 'a' + i, sizeof bytes);
    snprintf(id, sizeof id, "t--%d", i);
    struct store_object o = {.version_us = 1,
                             .id = str_of(id),
                             .version = STR("1"),
                             .type = STR("t"),
                             .bytes = {bytes, sizeof bytes}};
    *at_commit = false;
    if (!store_begin(s, e))
        return false;
    bool ok = store_audience_put(s, STR("+IN"), &aud, e) && store_object_add(s, &o, e) &&
              store_release_add(s, 1, aud, &o, &date, e) &&
              store_value_put(s, str_of(id), STR("here"), e);
    *at_commit = ok;
    if (ok)
        return store_commit(s, e);
    store_rollback(s);
    return false;
}

static void one_row(struct store *s, int i, struct run *r)
{
    struct err e = {0};
    bool ok = write_row(s, i, &r->at_commit[i], &e);
    r->codes[i] = e.code;
    r->rows[i] = ok ? ACKNOWLEDGED : e.code == ERR_COMMIT_UNKNOWN ? UNKNOWN : FAILED;
    CHECK_ROW(ok == (e.code == ERR_NONE) && (ok || e.msg[0]), "row %d: %s", i, e.msg);
}

/* Opens, writes, closes. */
static void run(const char *name, struct run *r)
{
    struct store *s = NULL;
    struct err e = {0};
    *r = (struct run){0};
    if (!store_open(at(name), STORE_WRITE, &s, &e)) {
        r->open = e.code;
        CHECK_ROW(e.code != ERR_NONE && e.msg[0], "opening fails without a reason");
        return;
    }
    for (int i = 0; i < STEPS; i++)
        one_row(s, i, r);
    store_close(s);
}

static bool note_row(void *ctx, const struct store_row *row)
{
    bool *there = ctx;
    unsigned i = (unsigned)(row->object->id.p[3] - '0');
    bool whole = row->object->bytes.n == 20000;
    for (size_t k = 0; k < row->object->bytes.n && whole; k++)
        whole = row->object->bytes.p[k] == (char)('a' + (int)i);
    CHECK_ROW(i < ROWS && whole && !there[i], "row %u", i);
    if (i < ROWS)
        there[i] = true;
    return true;
}

/* Which rows stand in a database, seen with a healthy disk. */
static bool look(const char *name, bool there[ROWS])
{
    struct store *s = NULL;
    struct err e = {0};
    struct buf b;
    bool more, ok = store_open(at(name), STORE_WRITE, &s, &e);
    int64_t aud = 1;
    struct store_query q = {.collection = 1,
                            .audiences = &aud,
                            .audience_count = 1,
                            .after_us = INT64_MIN,
                            .limit = 100,
                            .versions = STORE_ALL,
                            .with_bytes = true};
    memset(there, 0, ROWS * sizeof *there);
    ok = ok && store_read(s, &q, note_row, there, &more, &e);
    CHECK_ROW(ok, "%s", e.msg);
    buf_init(&b, 0);
    for (int i = 0; i < ROWS && ok; i++) { /* all of a transaction, or nothing */
        char key[32];
        snprintf(key, sizeof key, "t--%d", i);
        CHECK_ROW(store_value_get(s, str_of(key), &b, &e) == there[i], "row %d", i);
    }
    buf_done(&b);
    store_close(s);
    return ok;
}

static void check_rows(const char *name, const struct run *r, const char *what, long k)
{
    bool there[ROWS];
    if (!look(name, there))
        return;
    for (int i = 0; i < ROWS; i++)
        CHECK_ROW(r->rows[i] == UNKNOWN || there[i] == (r->rows[i] == ACKNOWLEDGED),
                  "%s %ld: row %d is %s, its outcome was %d", what, k, i,
                  there[i] ? "there" : "not there", r->rows[i]);
}

static void remove_db(const char *name)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", "~", "-wal~"};
    char path[720];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s%s", at(name), ends[i]);
        remove(path);
    }
}

static void fresh(const char *name)
{
    remove_db(name);
    CHECK(copy_file(at("template"), at(name)));
}

static void make_template(void)
{
    struct store *s = NULL;
    struct err e = {0};
    int64_t id;
    struct store_collection c = {.uuid = STR("c"), .root = STR("api"), .title = STR("t")};
    CHECK_ROW(store_create(at("template"), &e) && store_open(at("template"), STORE_WRITE, &s, &e) &&
                  store_begin(s, &e) && store_collection_add(s, &c, &id, &e) && store_commit(s, &e),
              "%s", e.msg);
    store_close(s);
}

/* ---- one failure ---- */

static const struct kind {
    const char *name;
    unsigned kinds;
    int rc;
    enum err_code code;
    bool may_be_unknown;
} kinds[] = {
    {"write", FAULT_WRITE, SQLITE_IOERR_WRITE, ERR_STORE, true},
    {"full", FAULT_WRITE, SQLITE_FULL, ERR_FULL, false},
    {"sync", FAULT_SYNC, 0, ERR_STORE, true},
    {"read", FAULT_READ, 0, ERR_STORE, true},
    {"memory", FAULT_MEMORY, 0, ERR_MEMORY, true},
};

enum { FULL = 1, MEMORY = 4 };

static void check_codes(const struct kind *kind, const struct run *r, long k)
{
    for (int i = 0; i < STEPS; i++) {
        if (r->rows[i] == UNKNOWN)
            CHECK_ROW(kind->may_be_unknown && r->at_commit[i], "%s %ld: row %d", kind->name, k, i);
        else if (r->rows[i] == FAILED)
            CHECK_ROW(r->codes[i] == kind->code || r->codes[i] == ERR_STORE, "%s %ld: %s",
                      kind->name, k, err_name(r->codes[i]));
    }
}

/* The failure is a single one: at most one row is lost, and the same handle goes on. */
static void test_one_failure(const struct kind *kind)
{
    struct run r;
    size_t failed = 0, unknown = 0;
    long k = 1;
    for (bool struck = true; struck && k < 20000; k++) {
        fresh("db");
        faults_order(k, kind->kinds, kind->rc, false);
        run("db", &r);
        struck = faults_order(0, 0, 0, false);
        size_t lost = 0;
        for (int i = 0; i < STEPS; i++) {
            lost += r.rows[i] != ACKNOWLEDGED;
            failed += r.rows[i] == FAILED;
            unknown += r.rows[i] == UNKNOWN;
        }
        CHECK_ROW(lost <= (r.open ? STEPS : struck), "%s %ld: %zu lost", kind->name, k, lost);
        check_codes(kind, &r, k);
        if (!r.open)
            check_rows("db", &r, kind->name, k);
    }
    CHECK_ROW(k < 20000 && failed + unknown > 0, "%s", kind->name);
    CHECK_ROW(kind->may_be_unknown || unknown == 0, "%s", kind->name);
}

/* ---- a disk that stays broken, then a power cut ---- */

static void test_stays_full(const struct kind *kind)
{
    struct run r;
    bool struck = true;
    for (long k = 1; struck && k < 20000; k++) {
        fresh("db");
        faults_order(k, kind->kinds, kind->rc, true);
        struct store *s = NULL;
        struct err e = {0};
        r = (struct run){0};
        bool ok = store_open(at("db"), STORE_WRITE, &s, &e);
        for (int i = 0; i < STEPS && ok; i++)
            one_row(s, i, &r);
        struck = faults_order(0, 0, 0, false);
        /* Room again: the same handle writes, and every refusal had said what was lacking. */
        CHECK_ROW(ok || e.code == kind->code, "%s %ld: %s", kind->name, k, err_name(e.code));
        for (int i = 0; i < STEPS && ok; i++)
            CHECK_ROW(r.rows[i] == ACKNOWLEDGED || r.codes[i] == kind->code, "%s %ld: %s",
                      kind->name, k, err_name(r.codes[i]));
        if (ok)
            one_row(s, STEPS, &r);
        CHECK_ROW(!ok || r.rows[STEPS] == ACKNOWLEDGED, "%s %ld", kind->name, k);
        store_close(s);
        if (ok)
            check_rows("db", &r, kind->name, k);
    }
}

/* At the k-th write or sync the power goes: nothing works any more, and afterwards each file holds
 * no more than at its last sync. */
static void test_power_cut(void)
{
    struct run r;
    bool struck = true;
    for (long k = 1; struck && k < 20000; k++) {
        fresh("db");
        remove_db("cut");
        CHECK(copy_file(at("db"), at("db~")));
        atomic_store(&fault.keep, true);
        faults_order(k, FAULT_WRITE | FAULT_SYNC | FAULT_READ, SQLITE_IOERR_WRITE, true);
        run("db", &r);
        struck = faults_order(0, 0, 0, false);
        atomic_store(&fault.keep, false);
        CHECK(copy_file(at("db~"), at("cut")));
        if (file_exists(at("db-wal~")))
            CHECK(copy_file(at("db-wal~"), at("cut-wal")));
        check_rows("cut", &r, "cut", k);
        check_rows("db", &r, "crash", k); /* and when only the program died */
    }
}

/* ---- making a database ---- */

static void test_create(const struct kind *kind)
{
    struct err e;
    long k = 1;
    for (bool ok = false; !ok && k < 20000; k++) {
        struct store *s = NULL;
        e = (struct err){0};
        remove_db("new");
        faults_order(k, kind->kinds, kind->rc, false);
        ok = store_create(at("new"), &e);
        bool struck = faults_order(0, 0, 0, false);
        CHECK_ROW(ok || (e.code != ERR_NONE && e.msg[0]), "%s %ld", kind->name, k);
        if (ok) {
            CHECK_ROW(store_open(at("new"), STORE_READ, &s, &e), "%s %ld: %s", kind->name, k,
                      e.msg);
            store_close(s);
        } else {
            CHECK_ROW(!file_exists(at("new")) && !file_exists(at("new-wal")) &&
                          !file_exists(at("new-journal")),
                      "%s %ld leaves files: %s", kind->name, k, e.msg);
        }
        ok = ok && !struck;
    }
    CHECK(k < 20000);
}

int main(void)
{
    CHECK(faults_install());
    folder_make("io");
    make_template();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        test_create(&kinds[i]);
        test_one_failure(&kinds[i]);
    }
    test_stays_full(&kinds[FULL]);
    test_stays_full(&kinds[MEMORY]);
    test_power_cut();
    folder_remove();
    TEST_END();
}
