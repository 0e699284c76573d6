/*
 * Verifying a node's ledger: whatever is changed in the database behind the node's back is found,
 * every byte of every leaf among it, and what was changed by the node itself never.
 */
#include "node.h"

#include "ledger/ledger.h"

static sqlite3 *db;

static void count_finding(void *ctx, const struct exchange_audit_finding *f)
{
    struct buf *b = ctx;
    buf_printf(b, "%s: %s\n", f->what, f->message);
}

/* How many findings; the texts are in `out`. */
static uint64_t audit(struct node *n, struct buf *out)
{
    struct exchange_audit o = {.finding = count_finding, .ctx = out};
    struct exchange_audit_report r = {0};
    struct err e = {0};
    struct buf note;
    buf_init(&note, 0);
    buf_clear(out);
    bool ok = exchange_ledger_audit(n->s, &o, &note, &r, &e);
    if (!ok) /* it could not even look: that is found, too */
        buf_printf(out, "%s\n", e.msg);
    buf_done(&note);
    return ok ? r.findings : 1;
}

static void run_sql(const char *text)
{
    char *why = NULL;
    CHECK_ROW(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s: %s", text, why);
    sqlite3_free(why);
}

/* An untouched copy of the database as it is, to come back to. */
static void copy_database(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    CHECK(b && sqlite3_backup_step(b, -1) == SQLITE_DONE);
    CHECK(sqlite3_backup_finish(b) == SQLITE_OK);
}

static void fill(struct node *n, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        const char *text = indicator(i, 1, marked(i % 2 ? STIX_TLP_GREEN : STIX_TLP_CLEAR));
        const char *said = submit(n, 'a', &n->c, text, false);
        CHECK_ROW(strcmp(said, "accepted") == 0, "%s", said);
    }
}

/* ---- every byte ---- */

struct cell {
    const char *table, *column;
    int64_t row;
    size_t bytes;
};

static void flip(const struct cell *c, size_t at, unsigned char with)
{
    sqlite3_blob *blob = NULL;
    unsigned char byte = 0;
    CHECK(sqlite3_blob_open(db, "main", c->table, c->column, c->row, 1, &blob) == SQLITE_OK);
    CHECK(sqlite3_blob_read(blob, &byte, 1, (int)at) == SQLITE_OK);
    byte = (unsigned char)(byte ^ with);
    CHECK(sqlite3_blob_write(blob, &byte, 1, (int)at) == SQLITE_OK);
    CHECK(sqlite3_blob_close(blob) == SQLITE_OK);
}

static size_t list_cells(struct cell *list, size_t most)
{
    static const char *const columns[] = {"entries", "body"};
    size_t n = 0;
    for (size_t k = 0; k < COUNT(columns); k++) {
        char text[100];
        sqlite3_stmt *stmt = NULL;
        snprintf(text, sizeof text, "SELECT first,length(%s) FROM leaves", columns[k]);
        CHECK(sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK);
        while (sqlite3_step(stmt) == SQLITE_ROW && n < most)
            list[n++] = (struct cell){"leaves", columns[k], sqlite3_column_int64(stmt, 0),
                                      (size_t)sqlite3_column_int64(stmt, 1)};
        sqlite3_finalize(stmt);
    }
    return n;
}

static void test_every_byte(struct node *n, struct buf *out)
{
    struct cell list[200];
    size_t cells = list_cells(list, COUNT(list)), bytes = 0;
    CHECK(cells > 10);
    for (size_t i = 0; i < cells; i++) {
        for (size_t at = 0; at < list[i].bytes; at++, bytes++) {
            flip(&list[i], at, 1);
            CHECK_ROW(audit(n, out) > 0, "%s of row %lld, byte %zu", list[i].column,
                      (long long)list[i].row, at);
            flip(&list[i], at, 1);
        }
    }
    CHECK_ROW(audit(n, out) == 0, "%.*s", (int)out->n, out->p);
    CHECK(bytes > 5000);
}

/* ---- rows ---- */

static void test_rows(struct node *n, struct buf *out)
{
    static const char *const changes[] = {
        /* the log */
        "DELETE FROM leaves WHERE first=(SELECT max(first) FROM leaves)", /* cut off */
        "DELETE FROM leaves WHERE first=(SELECT first FROM leaves LIMIT 1 OFFSET 4)",
        "DELETE FROM leaves",
        "UPDATE leaves SET first=first+1000000",
        "UPDATE leaves SET count=count+1 WHERE first=0",
        "UPDATE leaves SET first=100000 WHERE first=(SELECT max(first) FROM leaves)",
        "UPDATE leaves SET entries=zeroblob(length(entries)) WHERE first=0",
        "UPDATE leaves SET body=x'' WHERE first=0",
        "UPDATE leaves SET body=body||x'00' WHERE first=0",
        "UPDATE leaves SET entries=(SELECT l.entries FROM leaves l WHERE l.count=leaves.count AND"
        " l.first<>leaves.first LIMIT 1),body=(SELECT l.body FROM leaves l WHERE "
        "l.count=leaves.count"
        " AND l.first<>leaves.first LIMIT 1) WHERE first=(SELECT max(first) FROM leaves)",
        "DELETE FROM node",
        "UPDATE node SET hash=zeroblob(32) WHERE level=1",
        "INSERT INTO node(level,number,hash) VALUES(1,77,zeroblob(32))",
        "DELETE FROM value WHERE key='ledger-head'",
        "UPDATE value SET value=substr(value,1,20) WHERE key='ledger-head'",
        "UPDATE value SET value=zeroblob(64) WHERE key='policy-recorded'",
        /* what it records */
        "DELETE FROM object WHERE id=1",
        "UPDATE object SET bytes=bytes||' ' WHERE id=1",
        "UPDATE object SET bytes=replace(bytes,'198','197') WHERE id=2",
        "INSERT INTO object SELECT 500,name+1,version_us,source_org,received_us,flags,"
        "'indicator--x',version,type,owner_org,marking,user,first_org,bytes FROM object WHERE id=1",
        "DELETE FROM release WHERE object=1",
        "UPDATE release SET audience=(SELECT max(id) FROM audience) WHERE object=1",
        "UPDATE release SET leaf=leaf+1 WHERE object=1",
        "UPDATE release SET leaf=-1 WHERE object=1",
        "UPDATE release SET object=2 WHERE object=1",
        "INSERT INTO release SELECT collection,audience,date_added+1,object,name,version_us,type,"
        "superseded,leaf FROM release WHERE object=1",
        "INSERT INTO release SELECT collection,1,date_added+1,object,name,version_us,type,"
        "superseded,0 FROM release WHERE object=1",
        "INSERT INTO user(name,role,org,password,token_hash,cert_hash,created_us,expires_us,"
        "revoked_us) SELECT 'mallory','admin',org,'',x'01',NULL,1,0,0 FROM user LIMIT 1",
        "UPDATE user SET revoked_us=5 WHERE id=2",
        "UPDATE user SET name='other' WHERE id=2",
        "UPDATE user SET role='admin' WHERE id=(SELECT id FROM user WHERE role<>'admin' LIMIT 1)",
        "UPDATE user SET org=org+1 WHERE id=2",
        "UPDATE user SET password='x' WHERE id=2",
        "UPDATE user SET token_hash=x'02' WHERE id=2",
        "UPDATE user SET cert_hash=x'03' WHERE id=2",
        "UPDATE user SET created_us=created_us+1 WHERE id=2",
        "UPDATE user SET expires_us=77 WHERE id=2",
        "DELETE FROM user WHERE id=2",
        "UPDATE collection SET marking=1",
        "UPDATE collection SET title='x'",
        "UPDATE collection SET alias='x'",
        "UPDATE collection SET description='x'",
        "UPDATE collection SET root='x'",
        "UPDATE desk SET audience='+JP'",
        "UPDATE desk SET stix_id='indicator--x'",
        "DELETE FROM desk",
    };
    sqlite3 *kept = NULL;
    CHECK(sqlite3_open(":memory:", &kept) == SQLITE_OK);
    copy_database(db, kept);
    for (size_t i = 0; i < COUNT(changes); i++) {
        run_sql(changes[i]);
        CHECK_ROW(sqlite3_changes(db) > 0, "%s", changes[i]);
        CHECK_ROW(audit(n, out) > 0, "%s", changes[i]);
        copy_database(kept, db);
        CHECK_ROW(audit(n, out) == 0, "after %s: %.*s", changes[i], (int)out->n, out->p);
    }
    sqlite3_close(kept);
}

/* ---- what may be: erasing ---- */

static bool may_go(struct node *n, uint64_t leaf)
{
    struct err e = {0};
    struct principal officer = *person(n, 'a');
    officer.role = EXCHANGE_OFFICER;
    bool ok = exchange_ledger_erase(n->s, &officer, leaf, STR("the law asks for it"), &e);
    CHECK_ROW(ok || e.code == ERR_FORBIDDEN, "leaf %d: %s", (int)leaf, e.msg);
    return ok;
}

static void test_erased(struct node *n, struct buf *out)
{
    struct store *s = NULL;
    struct err e = {0};
    uint64_t size = 0;
    sqlite3 *kept = NULL;
    CHECK(sqlite3_open(":memory:", &kept) == SQLITE_OK);
    copy_database(db, kept);
    CHECK(exchange_ledger_size(n->s, &size, &e));
    for (uint64_t i = 0; i < 40; i++) {
        CHECK_ROW(may_go(n, i), "leaf %d", (int)i);
        CHECK_ROW(audit(n, out) == 0, "leaf %d: %.*s", (int)i, (int)out->n, out->p);
    }
    CHECK(!may_go(n, size)); /* the record of the first erasure */
    struct err gone = {0}, none = {0}, who = {0};
    struct principal officer = *person(n, 'a');
    CHECK(!exchange_ledger_erase(n->s, person(n, 'n'), 50, STR("x"), &who) &&
          who.code == ERR_FORBIDDEN);
    officer.role = EXCHANGE_OFFICER;
    CHECK(!exchange_ledger_erase(n->s, &officer, 3, STR("x"), &gone) && gone.code == ERR_CONFLICT);
    CHECK(!exchange_ledger_erase(n->s, &officer, 1u << 30, STR("x"), &none) &&
          none.code == ERR_NOT_FOUND);
    /* Behind the node's back: nobody has said so. */
    CHECK(store_open(at("audited/setu.db"), STORE_WRITE, &s, &e) && store_begin(s, &e) &&
          store_ledger_erase(s, 60, &e) && store_commit(s, &e));
    CHECK(audit(n, out) == 1);
    store_close(s);
    copy_database(kept, db);
    sqlite3_close(kept);
}

/* ---- what may be: much was taken back ---- */

static void test_taken_back(struct node *n, struct buf *out)
{
    struct exchange_query q = {.collection = &n->c, .versions = STORE_ALL};
    struct err e = {0};
    for (int i = 1000; i < 2000; i++) {
        char id[80];
        fill(n, i, 1);
        snprintf(id, sizeof id, "indicator--" UUID_OF, i);
        CHECK_ROW(exchange_withdraw(n->s, person(n, 'a'), &q, str_of(id), STR(""), &e), "%s: %s",
                  id, e.msg);
    }
    CHECK_ROW(audit(n, out) == 0, "%.*s", (int)out->n, out->p);
}

int main(void)
{
    static struct node n;
    struct err e = {0};
    struct buf out;
    if (!crypt_init(&e) || !faults_install())
        return 1;
    folder_make("audit");
    buf_init(&out, 0);
    node_make(&n, "audited", NODE_POLICY "hold label \"asked\" to US\n");
    fill(&n, 1, 6);
    const char *said = submit(&n, 'a', &n.c, indicator(90, 1, ",\"labels\":[\"asked\"]"), false);
    CHECK_ROW(strcmp(said, "held policy.conf:9") == 0, "%s", said);
    CHECK(sqlite3_open(at("audited/setu.db"), &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    CHECK_ROW(audit(&n, &out) == 0, "%.*s", (int)out.n, out.p);
    test_every_byte(&n, &out);
    fill(&n, 100, 300); /* so that there are tiles */
    test_rows(&n, &out);
    test_erased(&n, &out);
    test_taken_back(&n, &out);
    sqlite3_close(db);
    buf_done(&out);
    node_done(&n);
    folder_remove();
    TEST_END();
}
