/*
 * Verifying a node's ledger: whatever is changed in the database behind the node's back is found,
 * every byte of every leaf among it, and what was changed by the node itself never.
 */
#include "node.h"

#include "exchange/gate_priv.h"
#include "ledger/ledger.h"
#include "store/leaves.h"

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

static int64_t number_in(const char *text)
{
    sqlite3_stmt *stmt = NULL;
    CHECK(sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK &&
          sqlite3_step(stmt) == SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
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
        "UPDATE leaves SET count=count+576460752303423488 WHERE first=0", /* times 32: 0 */
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
        "UPDATE object SET source_org=source_org+1 WHERE id=1",
        "UPDATE object SET source_org=77 WHERE id=2",
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

static void take_back(struct node *n, int number)
{
    struct exchange_query q = {.collection = &n->c, .versions = STORE_ALL};
    struct err e = {0};
    char id[80];
    snprintf(id, sizeof id, "indicator--" UUID_OF, number);
    CHECK_ROW(exchange_withdraw(n->s, person(n, 'a'), &q, str_of(id), STR(""), &e), "%s: %s", id,
              e.msg);
}

static bool may_go(struct node *n, uint64_t leaf)
{
    struct err e = {0};
    struct principal officer = *person(n, 'a');
    officer.role = EXCHANGE_OFFICER;
    bool ok = exchange_ledger_erase(n->s, &officer, leaf, STR("the law asks for it"), &e);
    CHECK_ROW(ok || e.code == ERR_FORBIDDEN, "leaf %d: %s", (int)leaf, e.msg);
    return ok;
}

/* Release rows whose record is erased, as they are not. */
static void test_bare_rows(struct node *n, struct buf *out)
{
    static const char *const changes[] = {
        "UPDATE release SET audience=(SELECT id FROM audience WHERE text='+*') WHERE leaf=",
        "UPDATE release SET audience=7777 WHERE leaf=",
        "UPDATE release SET object=(SELECT max(id) FROM object) WHERE leaf=",
    };
    sqlite3 *kept = NULL;
    char text[200];
    CHECK(sqlite3_open(":memory:", &kept) == SQLITE_OK);
    copy_database(db, kept);
    int64_t leaf = number_in("SELECT min(leaf) FROM release WHERE leaf BETWEEN 3 AND 59");
    for (size_t i = 0; i < COUNT(changes); i++) {
        snprintf(text, sizeof text, "%s%lld", changes[i], (long long)leaf);
        run_sql(text);
        CHECK_ROW(audit(n, out) > 0, "%s", text);
        copy_database(kept, db);
    }
    sqlite3_close(kept);
    CHECK_ROW(audit(n, out) == 0, "%.*s", (int)out->n, out->p);
}

static void test_erased(struct node *n, struct buf *out)
{
    struct store *s = NULL;
    struct err e = {0};
    uint64_t size = 0;
    sqlite3 *kept = NULL;
    int erased = 0;
    CHECK(sqlite3_open(":memory:", &kept) == SQLITE_OK);
    copy_database(db, kept);
    CHECK(exchange_ledger_size(n->s, &size, &e));
    for (uint64_t i = 3; i < 60; i++) {
        erased += may_go(n, i);
        CHECK_ROW(audit(n, out) == 0, "leaf %d: %.*s", (int)i, (int)out->n, out->p);
    }
    CHECK_ROW(erased > 40, "%d", erased);
    CHECK(!may_go(n, size)); /* the record of the first erasure */
    struct err gone = {0}, none = {0}, who = {0};
    struct principal officer = *person(n, 'a');
    CHECK(!exchange_ledger_erase(n->s, person(n, 'n'), 50, STR("x"), &who) &&
          who.code == ERR_FORBIDDEN);
    officer.role = EXCHANGE_OFFICER;
    CHECK(!exchange_ledger_erase(n->s, &officer, 2, STR("x"), &gone) && gone.code == ERR_CONFLICT);
    CHECK(!exchange_ledger_erase(n->s, &officer, 1u << 30, STR("x"), &none) &&
          none.code == ERR_NOT_FOUND);
    test_bare_rows(n, out);
    for (int i = 1; i < 7; i++)
        take_back(n, i); /* whose releases were erased */
    CHECK_ROW(audit(n, out) == 0, "%.*s", (int)out->n, out->p);
    /* Behind the node's back: nobody has said so. */
    CHECK(store_open(at("audited/setu.db"), STORE_WRITE, &s, &e) && store_begin(s, &e) &&
          store_ledger_erase(s, 60, &e) && store_commit(s, &e));
    CHECK(audit(n, out) == 1);
    store_close(s);
    copy_database(kept, db);
    sqlite3_close(kept);
}

/* ---- who is shown each record ---- */

/* Records as a restored node writes them, and one that withdrawals and receipts came and went. */
struct writing {
    struct exchange_waiter w;
    struct ledger_record record;
    const char *audience; /* or NULL */
    const char *outcome;  /* of a receipt: as the store has it */
};

static bool write_apply(struct exchange *x, struct store *s, struct exchange_job *job,
                        struct err *e)
{
    struct writing *w = (struct writing *)job;
    struct store_receipt row = {.party = STR("JP/nisc"),
                                .own = gate_next_leaf(x->gate),
                                .leaf = 7,
                                .given = w->audience != NULL,
                                .at_us = 1,
                                .outcome = w->outcome ? str_of(w->outcome) : STR("")};
    char digest[LEDGER_HEX_BYTES];
    int64_t audience = 0;
    base_random(row.entry.b, sizeof row.entry.b);
    ledger_hex(row.entry.b, digest);
    if (w->outcome)
        ledger_record_text(&w->record, LEDGER_DIGEST, (struct str){digest, sizeof digest});
    return (!w->audience || store_audience_put(s, str_of(w->audience), &audience, e)) &&
           gate_record(x->gate, &w->record, audience, e) &&
           (!w->outcome || store_receipt_put(s, &row, e));
}

static void write_record(struct node *n, const struct writing *what)
{
    struct writing w = *what;
    struct err e = {0};
    w.w.job = (struct exchange_job){.objects = 1, .apply = write_apply};
    CHECK_ROW(exchange_run(n->x, &w.w, &e), "%s", e.msg);
}

static void write_restores_and_receipts(struct node *n)
{
    struct writing restore = {.record.kind = LEDGER_RESTORE_RECORD, .audience = "+*"};
    struct writing receipt = {.record.kind = LEDGER_RECEIPT_RECORD};
    ledger_record_number(&restore.record, LEDGER_SIZE, 9);
    write_record(n, &restore);
    ledger_record_text(&restore.record, LEDGER_PEER, STR("JP/nisc"));
    restore.audience = NULL; /* a partner's, which an officer here accepts */
    write_record(n, &restore);
    ledger_record_text(&receipt.record, LEDGER_OBJECT, STR(INDICATOR_ID(1)));
    ledger_record_text(&receipt.record, LEDGER_PEER, STR("JP/nisc"));
    ledger_record_text(&receipt.record, LEDGER_OUTCOME, STR("removed"));
    receipt.audience = "+JP/nisc";
    receipt.outcome = "removed";
    write_record(n, &receipt);
    ledger_record_text(&receipt.record, LEDGER_OUTCOME, STR("confirmed-kept"));
    receipt.audience = NULL;
    receipt.outcome = "kept";
    write_record(n, &receipt);
}

/* Writes the row anew with another audience beside one of its leaves; what was there. */
static int64_t show_to(int64_t first, int place, int64_t audience)
{
    struct leaf_past read, written;
    struct store_leaf l;
    struct buf body;
    struct err e = {0};
    sqlite3_stmt *stmt = NULL;
    int64_t was = 0;
    CHECK(sqlite3_prepare_v2(db, "SELECT body FROM leaves WHERE first=?1", -1, &stmt, NULL) ==
          SQLITE_OK);
    sqlite3_bind_int64(stmt, 1, first);
    CHECK(sqlite3_step(stmt) == SQLITE_ROW);
    struct str rest = {sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0)};
    buf_init(&body, 0);
    leaf_past_init(&read);
    leaf_past_init(&written);
    for (int i = 0; rest.n; i++) {
        CHECK(leaf_take(&read, &rest, &l, &e));
        if (i == place) {
            was = l.audience;
            l.audience = audience;
        }
        leaf_put(&written, &l, &body);
    }
    leaf_past_done(&read);
    leaf_past_done(&written);
    sqlite3_finalize(stmt);
    CHECK(sqlite3_prepare_v2(db, "UPDATE leaves SET body=?2 WHERE first=?1", -1, &stmt, NULL) ==
          SQLITE_OK);
    sqlite3_bind_int64(stmt, 1, first);
    sqlite3_bind_blob64(stmt, 2, body.p, body.n, SQLITE_STATIC);
    CHECK(sqlite3_step(stmt) == SQLITE_DONE);
    sqlite3_finalize(stmt);
    buf_done(&body);
    return was;
}

/* Whatever audience there is, beside whatever leaf: one is right. */
static void test_every_reader(struct node *n, struct buf *out)
{
    sqlite3_stmt *stmt = NULL;
    int64_t last = number_in("SELECT max(id) FROM audience") + 1;
    int leaves = 0;
    CHECK(last > 3);
    CHECK(sqlite3_prepare_v2(db, "SELECT first,count FROM leaves", -1, &stmt, NULL) == SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        int64_t first = sqlite3_column_int64(stmt, 0);
        for (int place = 0; place < sqlite3_column_int(stmt, 1); place++, leaves++) {
            int right = 0;
            int64_t was = show_to(first, place, -1);
            CHECK_ROW(audit(n, out) > 0, "leaf %lld", (long long)first + place);
            for (int64_t to = 0; to <= last; to++) {
                show_to(first, place, to);
                bool holds = audit(n, out) == 0;
                right += holds;
                CHECK_ROW(holds == (to == was), "leaf %lld, %lld in the place of %lld",
                          (long long)first + place, (long long)to, (long long)was);
            }
            show_to(first, place, was);
            CHECK_ROW(right == 1, "leaf %lld", (long long)first + place);
        }
    }
    sqlite3_finalize(stmt);
    CHECK_ROW(audit(n, out) == 0, "%.*s", (int)out->n, out->p);
    CHECK_ROW(leaves > 20, "%d", leaves);
}

/* ---- what may be: much was taken back ---- */

static void test_taken_back(struct node *n, struct buf *out)
{
    for (int i = 1000; i < 2000; i++) {
        fill(n, i, 1);
        take_back(n, i);
    }
    CHECK_ROW(audit(n, out) == 0, "%.*s", (int)out->n, out->p);
}

/* ---- records that nobody waits for, and one that is waited for ---- */

static struct {
    char kind[40];
    struct err why;
    unsigned count;
} lost;

static void note_lost(const char *kind, const struct err *why)
{
    snprintf(lost.kind, sizeof lost.kind, "%s", kind);
    lost.why = *why;
    lost.count++;
}

static void test_full_disk(struct node *n, struct buf *out)
{
    const struct exchange_export export = {.format = STR("stix"), .count = 3};
    struct err e = {0};
    exchange_on_lost(n->x, note_lost);
    faults_order(1, FAULT_WRITE | FAULT_SYNC, SQLITE_FULL, true);
    exchange_sign_in_failed(n->x, STR("192.0.2.7"));
    bool ok = exchange_ledger_export(n->x, &export, &e); /* behind it in the queue */
    CHECK(faults_order(0, 0, 0, false));
    CHECK_ROW(!ok && e.msg[0], "%s", e.msg);
    CHECK_ROW(exchange_records_lost(n->x) == 1 && lost.count == 1, "%u", lost.count);
    CHECK_TEXT(lost.kind, "sign-in-failure", "what was lost");
    CHECK(lost.why.msg[0]);
    e = (struct err){0};
    CHECK_ROW(exchange_ledger_export(n->x, &export, &e), "%s", e.msg);
    CHECK(exchange_records_lost(n->x) == 1);
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
    write_restores_and_receipts(&n);
    CHECK_ROW(may_go(&n, 2), "%s", "a record is erased");
    CHECK_ROW(audit(&n, &out) == 0, "%.*s", (int)out.n, out.p);
    test_every_reader(&n, &out);
    test_every_byte(&n, &out);
    fill(&n, 100, 300); /* so that there are tiles */
    test_rows(&n, &out);
    test_erased(&n, &out);
    test_taken_back(&n, &out);
    test_full_disk(&n, &out);
    sqlite3_close(db);
    buf_done(&out);
    node_done(&n);
    folder_remove();
    TEST_END();
}
