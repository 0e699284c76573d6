/* The SQLite driver: its schema, opening, statements, transactions. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypt/crypt.h"
#include "store/sqlite_priv.h"

#define APPLICATION_ID 0x53657475 /* "Setu" */
#define BUSY_MS        30000

/* Compact integer keys throughout: an object's bytes stand in order of arrival (rowid), its STIX id
 * is named by a keyed hash of 64 bits, and a release row is a few small numbers, so that a page is
 * one sequential read of `release` and one of `object`. A reader's look-up by id goes to its own
 * rows of `release` alone: that another has rows of this name does not change its steps.
 * Status resources have random names too, so they stand in order of arrival, and an index of the
 * names beside them: a third of the pages that a commit writes. */
static const char schema[] =
    "CREATE TABLE value(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
    "CREATE TABLE org(id INTEGER PRIMARY KEY, nation TEXT NOT NULL, name TEXT NOT NULL,"
    " identity TEXT NOT NULL, UNIQUE(nation,name));"
    "CREATE UNIQUE INDEX org_identity ON org(identity) WHERE identity<>'';"
    "CREATE TABLE user(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,"
    " org INTEGER NOT NULL REFERENCES org, password TEXT NOT NULL, token_hash BLOB UNIQUE,"
    " cert_hash BLOB UNIQUE, created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL,"
    " revoked_us INTEGER NOT NULL);"
    "CREATE TABLE collection(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE,"
    " root TEXT NOT NULL, title TEXT NOT NULL, alias TEXT, description TEXT NOT NULL,"
    " marking INTEGER NOT NULL, last_us INTEGER NOT NULL, UNIQUE(root,alias));"
    "CREATE TABLE audience(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
    "CREATE TABLE type(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE object(id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER NOT NULL,"
    " version_us INTEGER NOT NULL, source_org INTEGER NOT NULL, received_us INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, stix_id TEXT NOT NULL, version TEXT NOT NULL, type TEXT NOT NULL,"
    " owner_org INTEGER NOT NULL, marking INTEGER NOT NULL, user INTEGER NOT NULL,"
    " first_org INTEGER NOT NULL,"
    " bytes BLOB NOT NULL);"
    "CREATE INDEX object_name ON object(name,version_us,flags);"
    "CREATE TABLE release(collection INTEGER NOT NULL, audience INTEGER NOT NULL,"
    " date_added INTEGER NOT NULL, object INTEGER NOT NULL, name INTEGER NOT NULL,"
    " version_us INTEGER NOT NULL, type INTEGER NOT NULL, superseded INTEGER NOT NULL,"
    " leaf INTEGER NOT NULL,"
    " PRIMARY KEY(collection,audience,date_added)) WITHOUT ROWID;"
    "CREATE INDEX release_name ON release(name,collection,superseded,audience,version_us);"
    "CREATE INDEX release_type ON release(collection,audience,type,date_added);"
    "CREATE INDEX release_object ON release(object);"
    "CREATE TABLE submitter(object INTEGER NOT NULL, collection INTEGER NOT NULL,"
    " org INTEGER NOT NULL, PRIMARY KEY(object,collection,org)) WITHOUT ROWID;"
    "CREATE TABLE reference(target INTEGER NOT NULL, object INTEGER NOT NULL,"
    " PRIMARY KEY(target,object)) WITHOUT ROWID;"
    "CREATE TABLE copy(origin INTEGER NOT NULL, profile BLOB NOT NULL, name INTEGER NOT NULL,"
    " origin_id TEXT NOT NULL, copy_id TEXT NOT NULL, varied INTEGER NOT NULL,"
    " PRIMARY KEY(origin,profile,name))"
    " WITHOUT ROWID;"
    "CREATE INDEX copy_name ON copy(name);"
    "CREATE TABLE derived(origin INTEGER NOT NULL, object INTEGER NOT NULL,"
    " PRIMARY KEY(origin,object)) WITHOUT ROWID;"
    "CREATE INDEX derived_object ON derived(object);"
    "CREATE TABLE pending(object INTEGER PRIMARY KEY);"
    "CREATE TABLE desk(id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
    " state INTEGER NOT NULL, object INTEGER NOT NULL, collection INTEGER NOT NULL,"
    " audience TEXT NOT NULL, org INTEGER NOT NULL, user INTEGER NOT NULL, stix_id TEXT NOT NULL,"
    " type TEXT NOT NULL, rule_line INTEGER NOT NULL, rule TEXT NOT NULL, officers INTEGER NOT "
    "NULL,"
    " by_name INTEGER NOT NULL, at_us INTEGER NOT NULL, expires_us INTEGER NOT NULL,"
    " reason TEXT NOT NULL, bytes BLOB);"
    "CREATE INDEX desk_object ON desk(object,collection);"
    "CREATE INDEX desk_waiting ON desk(id) WHERE state=0;"
    "CREATE TABLE leaves(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, entries BLOB NOT NULL,"
    " body BLOB NOT NULL);"
    "CREATE TABLE node(level INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL,"
    " PRIMARY KEY(level,number)) WITHOUT ROWID;"
    "CREATE TABLE vote(desk INTEGER NOT NULL, party TEXT NOT NULL, user INTEGER NOT NULL,"
    " at_us INTEGER NOT NULL, PRIMARY KEY(desk,party,user)) WITHOUT ROWID;"
    "CREATE TABLE status(uuid TEXT PRIMARY KEY, user INTEGER NOT NULL, at_us INTEGER NOT NULL,"
    " json BLOB NOT NULL);"
    "CREATE TABLE peer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, url TEXT NOT NULL,"
    " ca TEXT NOT NULL, auth TEXT NOT NULL, remote TEXT NOT NULL, nation TEXT NOT NULL,"
    " org TEXT NOT NULL, collection INTEGER NOT NULL REFERENCES collection,"
    " cursor TEXT NOT NULL, withdrawn INTEGER NOT NULL, UNIQUE(name,remote));";
/* How often rows went from an audience to another, or to nobody (0). */
static const char moved_schema[] =
    "CREATE TABLE moved(collection INTEGER NOT NULL, audience INTEGER NOT NULL,"
    " other INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY(collection,audience,other)) WITHOUT ROWID;";
/* What was acknowledged, and is not decided about yet. */
static const char envelope_schema[] =
    "CREATE TABLE envelope(id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL,"
    " user INTEGER NOT NULL, collection INTEGER NOT NULL, at_us INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, decided INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL);"
    /* What became of its first objects, where not all are decided about. */
    "CREATE TABLE piece(envelope INTEGER NOT NULL, first INTEGER NOT NULL, results BLOB NOT NULL,"
    " PRIMARY KEY(envelope,first)) WITHOUT ROWID;"
    /* What its sender took back meanwhile. */
    "CREATE TABLE withdrawn(envelope INTEGER NOT NULL, stix_id TEXT NOT NULL,"
    " PRIMARY KEY(envelope,stix_id)) WITHOUT ROWID;";
static const char witness_schema[] =
    "CREATE TABLE witness(party TEXT PRIMARY KEY, log_key TEXT NOT NULL, witness_key TEXT NOT NULL,"
    " seen TEXT NOT NULL, state TEXT NOT NULL, evidence TEXT NOT NULL, cosigned TEXT NOT NULL,"
    " seen_us INTEGER NOT NULL, cosigned_us INTEGER NOT NULL,"
    " accepted_us INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE evidence(id INTEGER PRIMARY KEY, party TEXT NOT NULL, at_us INTEGER NOT NULL,"
    " finding TEXT NOT NULL, older TEXT NOT NULL, newer TEXT NOT NULL);"
    "CREATE INDEX evidence_party ON evidence(party,id);"
    "CREATE TABLE withdrawal(leaf INTEGER PRIMARY KEY, collection TEXT NOT NULL,"
    " audience INTEGER NOT NULL, at_us INTEGER NOT NULL, source INTEGER NOT NULL,"
    " name INTEGER NOT NULL, stix_id TEXT NOT NULL, version TEXT NOT NULL);"
    "CREATE INDEX withdrawal_reader ON withdrawal(collection,audience,leaf);"
    "CREATE INDEX withdrawal_name ON withdrawal(name,leaf);"
    "CREATE TABLE receipt(given INTEGER NOT NULL, party TEXT NOT NULL, entry BLOB NOT NULL,"
    " leaf INTEGER NOT NULL, own INTEGER NOT NULL, at_us INTEGER NOT NULL, outcome TEXT NOT NULL,"
    " proof TEXT NOT NULL, PRIMARY KEY(given,party,entry)) WITHOUT ROWID;"
    "CREATE INDEX receipt_leaf ON receipt(given,leaf);";

static const char *const sql_texts[] = {
#define X(name, sql) sql,
    STORE_STATEMENTS(X)
#undef X
};

/* ---- helpers ---- */

enum err_code store_code(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    default:
        return ERR_STORE;
    }
}

bool store_fail(struct store *s, struct err *e, const char *what)
{
    int rc = sqlite3_extended_errcode(s->db);
    return err_set(e, store_code(rc), "%s: %s", what, sqlite3_errmsg(s->db));
}

sqlite3_stmt *store_statement(struct store *s, enum store_statement which, struct err *e)
{
    sqlite3_stmt **slot = &s->statements[which];
    store_end_idle(s); /* what is asked behind no store_hold is asked of the state of now */
    if (*slot) {
        sqlite3_reset(*slot);
        return *slot;
    }
    if (sqlite3_prepare_v3(s->db, sql_texts[which], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL) !=
        SQLITE_OK) {
        store_fail(s, e, "store");
        return NULL;
    }
    return *slot;
}

bool store_step(struct store *s, sqlite3_stmt *stmt, bool *row, struct err *e)
{
    int rc = sqlite3_step(stmt);
    *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return true;
    store_fail(s, e, "store");
    sqlite3_reset(stmt);
    return false;
}

bool store_run(struct store *s, sqlite3_stmt *stmt, struct err *e)
{
    bool row;
    if (!store_step(s, stmt, &row, e))
        return false;
    sqlite3_reset(stmt);
    return true;
}

bool store_find_id(struct store *s, sqlite3_stmt *stmt, int64_t *id, struct err *e)
{
    bool row;
    if (!store_step(s, stmt, &row, e))
        return false;
    *id = row ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return true;
}

void store_bind_str(sqlite3_stmt *stmt, int i, struct str s)
{
    sqlite3_bind_text64(stmt, i, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void store_bind_blob(sqlite3_stmt *stmt, int i, const void *p, size_t n)
{
    if (p)
        sqlite3_bind_blob64(stmt, i, p, n, SQLITE_STATIC);
    else
        sqlite3_bind_null(stmt, i);
}

struct str store_column(sqlite3_stmt *stmt, int i)
{
    const char *p = sqlite3_column_blob(stmt, i);
    return (struct str){p, p ? (size_t)sqlite3_column_bytes(stmt, i) : 0};
}

bool store_run_simple(struct store *s, enum store_statement which, struct err *e)
{
    sqlite3_stmt *stmt = store_statement(s, which, e);
    return stmt && store_run(s, stmt, e);
}

/* ---- opening ---- */

static bool execute(sqlite3 *db, const char *sql, struct err *e)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return err_set(e, store_code(sqlite3_errcode(db)), "store: %s", sqlite3_errmsg(db));
}

static bool cannot_open(struct err *e, int rc, const char *verb, const char *path, sqlite3 *db)
{
    enum err_code code = store_code(rc) == ERR_STORE ? ERR_IO : store_code(rc);
    return err_set(e, code, "cannot %s %s: %s", verb, path, sqlite3_errmsg(db));
}

static void remove_files(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char file[LIMIT_PATH_BYTES + 16];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
}

/* The key of store_name, made with the database. */
static bool make_name_key(sqlite3 *db, struct err *e)
{
    unsigned char key[CRYPT_NAME_KEY_BYTES];
    sqlite3_stmt *stmt = NULL;
    base_random(key, sizeof key);
    bool ok = sqlite3_prepare_v2(db, "INSERT INTO value(key,value) VALUES('name-key',?1)", -1,
                                 &stmt, NULL) == SQLITE_OK &&
              sqlite3_bind_blob(stmt, 1, key, sizeof key, SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_step(stmt) == SQLITE_DONE;
    if (!ok)
        err_set(e, store_code(sqlite3_errcode(db)), "store: %s", sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    return ok;
}

/* Without its count of all memory, SQLite takes no lock that all handles share. */
static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static pthread_once_t configured = PTHREAD_ONCE_INIT;

bool store_create(const char *path, struct err *e)
{
    sqlite3 *db = NULL;
    char version[96];
    pthread_once(&configured, configure);
    if (file_exists(path))
        return err_set(e, ERR_CONFLICT, "%s exists already", path);
    sqlite3_snprintf(sizeof version, version, "PRAGMA application_id=%d; PRAGMA user_version=%d;",
                     APPLICATION_ID, STORE_SCHEMA_VERSION);
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    bool ok = rc == SQLITE_OK || cannot_open(e, rc, "create", path, db);
    ok = ok && execute(db, "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; BEGIN", e) &&
         execute(db, schema, e) && execute(db, moved_schema, e) &&
         execute(db, envelope_schema, e) && execute(db, witness_schema, e) &&
         make_name_key(db, e) && execute(db, version, e) && execute(db, "COMMIT", e);
    sqlite3_close(db);
    if (!ok)
        remove_files(path);
    return ok;
}

static bool read_pragma(sqlite3 *db, const char *path, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
              sqlite3_step(stmt) == SQLITE_ROW;
    if (ok)
        *out = sqlite3_column_int64(stmt, 0);
    else
        err_set(e, store_code(sqlite3_errcode(db)), "%s: %s%s", path, sqlite3_errmsg(db),
                sqlite3_errcode(db) == SQLITE_NOTADB || sqlite3_errcode(db) == SQLITE_CORRUPT
                    ? ": it is damaged, bring back a copy of it"
                    : "");
    sqlite3_finalize(stmt);
    return ok;
}

static bool check_version(sqlite3 *db, const char *path, struct err *e)
{
    int64_t application, version;
    if (!read_pragma(db, path, "PRAGMA application_id", &application, e) ||
        !read_pragma(db, path, "PRAGMA user_version", &version, e))
        return false;
    if (application != APPLICATION_ID)
        return err_set(e, ERR_STORE_VERSION, "%s is no database of Setu: bring the node's own back",
                       path);
    if (version != STORE_SCHEMA_VERSION)
        return err_set(e, ERR_STORE_VERSION, "%s has schema %lld, this program knows %d: %s", path,
                       (long long)version, STORE_SCHEMA_VERSION,
                       version > STORE_SCHEMA_VERSION
                           ? "use the newer setu that made it"
                           : "export with the setu that made it, import with this one");
    return true;
}

static bool read_name_key(struct store *s, struct err *e)
{
    struct buf key;
    buf_init(&key, sizeof s->name_key);
    bool ok = store_value_get(s, STR("name-key"), &key, e);
    if (ok && key.n != sizeof s->name_key)
        ok = err_set(e, ERR_STORE, "the key of its names has %zu bytes", key.n);
    if (ok)
        memcpy(s->name_key, key.p, sizeof s->name_key);
    buf_done(&key);
    return ok;
}

int64_t store_name(const struct store *s, struct str id)
{
    int64_t name = (int64_t)crypt_name64(s->name_key, id);
    return name ? name : 1; /* 0 is no name */
}

/* What ends a transaction is prepared before one begins, so that it never lacks the memory. */
static bool prepare_transactions(struct store *s, struct err *e)
{
    return store_statement(s, s->writable ? STORE_BEGIN : STORE_BEGIN_READ, e) &&
           store_statement(s, STORE_COMMIT, e) && store_statement(s, STORE_ROLLBACK, e);
}

/* What fails here is tried again at the next commit; what was committed stands in the log. */
static int note_wal(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct store *s = ctx;
    s->wal_pages = (size_t)pages;
    if (s->wal_pages >= s->wal_most)
        (void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

void store_wal_apart(struct store *s)
{
    s->wal_most = LIMIT_STORE_WAL_MOST_PAGES;
}

size_t store_wal_pages(const struct store *s)
{
    return s->wal_pages;
}

bool store_wal_bring_back(struct store *s, bool *all, struct err *e)
{
    int log = 0, back = 0;
    store_end_idle(s);
    must(!s->in_transaction && !s->held);
    int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &back);
    *all = rc == SQLITE_OK && log == back;
    return rc == SQLITE_OK || rc == SQLITE_BUSY || store_fail(s, e, "store");
}

bool store_open(const char *path, enum store_mode mode, struct store **out, struct err *e)
{
    int rc = SQLITE_OK;
    struct store *s = base_alloc(sizeof *s);
    if (!s)
        return err_set(e, ERR_MEMORY, "out of memory");
    pthread_once(&configured, configure);
    s->writable = mode == STORE_WRITE;
    s->wal_most = LIMIT_STORE_WAL_PAGES;
    bool ok = false;
    if (!file_exists(path))
        err_set(e, ERR_NOT_FOUND, "%s does not exist; `setu init` makes a node", path);
    else if ((rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                   NULL)) != SQLITE_OK)
        cannot_open(e, rc, "open", path, s->db);
    else
        /* synchronous=FULL: an acknowledged commit survives a power cut. secure_delete: what was
         * erased or taken back is overwritten, whatever the library was built for. The size limit
         * of the write-ahead log bounds what a checkpoint leaves behind. A reader's cache is small,
         * for there are several and the kernel's is behind it; to map the file gained nothing and
         * had all of it count as this process's memory, once for each handle. */
        ok = sqlite3_busy_timeout(s->db, BUSY_MS) == SQLITE_OK && check_version(s->db, path, e) &&
             execute(s->db,
                     "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
                     "PRAGMA journal_size_limit=67108864;"
                     "PRAGMA secure_delete=ON",
                     e) &&
             execute(s->db,
                     s->writable ? "PRAGMA cache_size=-65536"
                                 : "PRAGMA cache_size=-8192; PRAGMA query_only=ON",
                     e) &&
             prepare_transactions(s, e) && read_name_key(s, e);
    if (ok)
        sqlite3_wal_hook(s->db, note_wal, s);
    if (!ok) {
        store_close(s);
        return false;
    }
    *out = s;
    return true;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < STORE_STATEMENT_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    store_merge_free(s);
    sqlite3_close(s->db);
    base_free(s);
}

bool store_begin(struct store *s, struct err *e)
{
    must(!s->in_transaction);
    s->added_count = 0;
    /* SQLite itself ends a transaction in which the disk failed. */
    if (s->held && sqlite3_get_autocommit(s->db))
        s->held = false;
    s->in_transaction =
        s->held || store_run_simple(s, s->writable ? STORE_BEGIN : STORE_BEGIN_READ, e);
    return s->in_transaction;
}

bool store_commit(struct store *s, struct err *e)
{
    must(s->in_transaction);
    if (!store_dates_write(s, e)) {
        store_rollback(s);
        return false;
    }
    s->dates.collection = 0;
    if (store_run_simple(s, STORE_COMMIT, e)) {
        s->in_transaction = false;
        return true;
    }
    bool open = !sqlite3_get_autocommit(s->db);
    store_rollback(s);
    /* Still open, or no room for the frame that commits: it did not happen. Else the disk failed on
     * the way, and whether that frame is there only a recovery could tell. */
    if (!open && e->code != ERR_FULL)
        e->code = ERR_COMMIT_UNKNOWN;
    return false;
}

void store_rollback(struct store *s)
{
    struct err ignored;
    if (s->held) { /* it goes on, and had nothing to undo */
        s->in_transaction = false;
        return;
    }
    if (s->in_transaction && !sqlite3_get_autocommit(s->db) &&
        !store_run_simple(s, STORE_ROLLBACK, &ignored))
        must(sqlite3_get_autocommit(s->db));
    s->in_transaction = false;
    s->dates = (struct store_dates){0};
    if (s->types_known)
        memset(s->types, 0, sizeof s->types); /* some may have been new */
    s->types_known = 0;
}
