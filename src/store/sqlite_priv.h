/* Shared by the files of the SQLite driver: the handle, its statements, small helpers. */
#ifndef STORE_SQLITE_PRIV_H
#define STORE_SQLITE_PRIV_H

#include <sqlite3.h>

#include "crypt/crypt.h"
#include "store/store.h"

#define STORE_SCHEMA_VERSION 9

#define STORE_WITHDRAWAL_COLUMNS                                                                   \
    "SELECT w.leaf,w.collection,w.audience,w.at_us,w.source,w.stix_id,w.version,ifnull(a.text,'')" \
    " FROM withdrawal w LEFT JOIN audience a ON a.id=w.audience"
#define STORE_RECEIPT_COLUMNS "SELECT party,entry,leaf,own,at_us,outcome,proof FROM receipt"
/* Every fixed statement, prepared at its first use and kept. No SQL is built from input. */
#define STORE_STATEMENTS(X)                                                                        \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(BEGIN_READ, "BEGIN")                                                                         \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(ORG_GET, "SELECT id,nation,name,identity FROM org WHERE id=?1")                              \
    X(ORG_FIND, "SELECT id FROM org WHERE nation=?1 AND name=?2")                                  \
    X(ORG_BY_IDENTITY, "SELECT id FROM org WHERE identity=?1 AND identity<>''")                    \
    X(ORG_ADD, "INSERT INTO org(nation,name,identity) VALUES(?1,?2,?3)")                           \
    X(ORG_IDENTITY, "UPDATE org SET identity=?2 WHERE id=?1")                                      \
    X(USER_ADD, "INSERT INTO user(name,role,org,password,token_hash,cert_hash,created_us,"         \
                "expires_us,revoked_us) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,0)")                        \
    X(USER_REVOKE, "UPDATE user SET revoked_us=?2 WHERE name=?1 AND revoked_us=0")                 \
    X(USER_BY_NAME, STORE_USER_COLUMNS "WHERE u.name=?1")                                          \
    X(USER_GET, STORE_USER_COLUMNS "WHERE u.id=?1")                                                \
    X(USER_BY_TOKEN, STORE_USER_COLUMNS "WHERE u.token_hash=?1")                                   \
    X(USER_BY_CERT, STORE_USER_COLUMNS "WHERE u.cert_hash=?1")                                     \
    X(USER_EACH, STORE_USER_COLUMNS "ORDER BY u.id")                                               \
    X(COLLECTION_ADD, "INSERT INTO collection(uuid,root,title,alias,description,marking,last_us)"  \
                      " VALUES(?1,?2,?3,nullif(?4,''),?5,?6,0)")                                   \
    X(COLLECTION_EACH, "SELECT id,uuid,root,title,ifnull(alias,''),description,marking"            \
                       " FROM collection ORDER BY id")                                             \
    X(COLLECTION_LAST, "SELECT last_us FROM collection WHERE id=?1")                               \
    X(COLLECTION_SET_LAST, "UPDATE collection SET last_us=?2 WHERE id=?1")                         \
    X(AUDIENCE_FIND, "SELECT id FROM audience WHERE text=?1")                                      \
    X(AUDIENCE_ADD, "INSERT INTO audience(text) VALUES(?1)")                                       \
    X(AUDIENCE_EACH, "SELECT id,text FROM audience WHERE id>?1 ORDER BY id")                       \
    X(OBJECT_VERSIONS, STORE_OBJECT_COLUMNS ",bytes FROM object WHERE name=?1"                     \
                                            " ORDER BY version_us,id")                             \
    X(OBJECT_ANY, STORE_OBJECT_COLUMNS " FROM object WHERE name=?1"                                \
                                       " ORDER BY version_us DESC LIMIT 1")                        \
    X(OBJECT_VERSION, STORE_OBJECT_COLUMNS ",bytes FROM object"                                    \
                                           " WHERE name=?1 AND version_us=?2")                     \
    X(OBJECT_OWN, STORE_OBJECT_COLUMNS ",bytes FROM object WHERE name=?1 AND source_org=?2"        \
                                       " ORDER BY version_us DESC")                                \
    X(OBJECT_REVOKED, "SELECT 1 FROM object WHERE name=?1 AND version_us<?2 AND flags&2 LIMIT 1")  \
    X(OBJECT_ADD, "INSERT INTO object(name,version_us,source_org,received_us,flags,stix_id,"       \
                  "version,type,bytes,owner_org,marking,user,first_org)"                           \
                  " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)")                           \
    X(OBJECT_MARKING, "UPDATE object SET marking=?2 WHERE id=?1 AND marking<?2")                   \
    X(OBJECT_AFTER, STORE_OBJECT_COLUMNS ",bytes FROM object WHERE id>?1 AND flags&4=0"            \
                                         " ORDER BY id LIMIT ?2")                                  \
    X(OBJECT_COUNT, "SELECT count(*) FROM object WHERE flags&4=0")                                 \
    X(OBJECT_GET, STORE_OBJECT_COLUMNS ",bytes FROM object WHERE id=?1")                           \
    /* In the order of a JSON array of numbers; a row of NULL for each that is not there. */       \
    X(OBJECTS_WHOLE, STORE_OBJECT_COLUMNS ",bytes " STORE_OF_LIST)                                 \
    X(OBJECTS_HEAD, STORE_OBJECT_COLUMNS " " STORE_OF_LIST)                                        \
    X(OBJECTS_BYTES, "SELECT id,name,flags,marking,bytes " STORE_OF_LIST)                          \
    X(OBJECT_HEAD, STORE_OBJECT_COLUMNS " FROM object WHERE id=?1")                                \
    X(OBJECT_DELETE, "DELETE FROM object WHERE id=?1 AND NOT EXISTS(SELECT 1 FROM release"         \
                     " WHERE object=?1) AND NOT(flags&4 AND " STORE_HAS_ORIGINAL("?1") ")")        \
    X(OBJECT_DELETE_COPIES,                                                                        \
      "DELETE FROM object WHERE id IN(SELECT object FROM derived WHERE origin=?1) AND NOT"         \
      " EXISTS(SELECT 1 FROM release WHERE object=object.id) AND NOT " STORE_HAS_ORIGINAL(         \
          "object.id"))                                                                            \
    X(RELEASE_ADD, "INSERT INTO release(collection,audience,date_added,object,name,version_us,"    \
                   "type,superseded,leaf) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)")                     \
    X(RELEASE_SUPERSEDE, "UPDATE release SET superseded=1 WHERE collection=?1 AND name=?2"         \
                         " AND superseded=0 AND version_us<?3")                                    \
    X(RELEASE_STANDING, "SELECT min(version_us),max(version_us) FROM release"                      \
                        " WHERE collection=?1 AND name=?2 AND superseded=0")                       \
    X(RELEASE_NEWER, "SELECT 1 FROM release WHERE collection=?1 AND name=?2"                       \
                     " AND version_us>?3 LIMIT 1")                                                 \
    X(RELEASE_OF_NAME, "SELECT r.audience,r.date_added,r.object,r.version_us,o.source_org,"        \
                       "o.owner_org FROM release r INDEXED BY release_name JOIN object o"          \
                       " ON o.id=r.object WHERE r.collection=?1 AND r.name=?2")                    \
    X(RELEASE_RUN, "SELECT date_added,object,name,version_us,type,superseded FROM release"         \
                   " WHERE collection=?1 AND audience=?2 AND date_added>?3"                        \
                   " ORDER BY date_added LIMIT ?4")                                                \
    X(RELEASE_TYPE_RUN, "SELECT date_added,object,name,version_us,type,superseded FROM release"    \
                        " INDEXED BY release_type WHERE collection=?1 AND audience=?2"             \
                        " AND date_added>?3 AND type=?5 ORDER BY date_added LIMIT ?4")             \
    X(DATA_VERSION, "PRAGMA data_version")                                                         \
    X(RELEASE_OF_READER, "SELECT date_added,object,version_us FROM release"                        \
                         " INDEXED BY release_name WHERE name=?1 AND collection=?2"                \
                         " AND superseded=?3 AND audience=?4")                                     \
    X(RELEASE_LAST, "SELECT version_us FROM release WHERE name=?1 AND collection=?2"               \
                    " AND superseded=?3 AND audience=?4 ORDER BY version_us DESC LIMIT 1")         \
    X(RELEASE_FIRST, "SELECT version_us FROM release WHERE name=?1 AND collection=?2"              \
                     " AND superseded=?3 AND audience=?4 ORDER BY version_us LIMIT 1")             \
    X(RELEASE_OF_OBJECT, "SELECT " STORE_RELEASE_COLUMNS                                           \
                         " FROM release r JOIN audience a ON a.id=r.audience WHERE r.object=?1")   \
    X(RELEASE_OF_COPIES,                                                                           \
      "SELECT " STORE_RELEASE_COLUMNS " FROM derived d JOIN release r ON r.object=d.object"        \
      " JOIN audience a ON a.id=r.audience WHERE d.origin=?1")                                     \
    X(RELEASE_READERS, "SELECT DISTINCT a.text FROM release r JOIN audience a ON a.id=r.audience"  \
                       " WHERE r.name=?1 ORDER BY a.text")                                         \
    X(RELEASE_SET_AUDIENCE, "UPDATE release SET audience=?4 WHERE collection=?1 AND audience=?2"   \
                            " AND date_added=?3")                                                  \
    X(RELEASE_DELETE, "DELETE FROM release WHERE collection=?1 AND audience=?2 AND date_added=?3") \
    X(RELEASE_NEWEST_DATE, "SELECT date_added FROM release WHERE collection=?1 AND audience=?2"    \
                           " AND date_added>?3 ORDER BY date_added DESC LIMIT 1")                  \
    X(MOVED_ADD, "INSERT INTO moved(collection,audience,other,count) VALUES(?1,?2,?3,1)"           \
                 " ON CONFLICT DO UPDATE SET count=count+1")                                       \
    X(MOVED_EACH, "SELECT other,count FROM moved WHERE collection=?1 AND audience=?2")             \
    X(REFERENCE_PUT, "INSERT OR IGNORE INTO reference(target,object) VALUES(?1,?2)")               \
    X(REFERRERS, "SELECT o.id,o.type FROM reference f JOIN object o ON o.id=f.object"              \
                 " WHERE f.target=?1 AND o.flags&4=0 ORDER BY o.id")                               \
    X(COPY_PUT, "INSERT OR IGNORE INTO copy(origin,profile,name,origin_id,copy_id,varied)"         \
                " VALUES(?1,?2,?3,?4,?5,?6)")                                                      \
    X(COPY_ANY, "SELECT 1 FROM copy LIMIT 1")                                                      \
    X(COPIES_OF,                                                                                   \
      "SELECT copy_id,min(varied) FROM copy WHERE origin=?1 GROUP BY copy_id ORDER BY copy_id")    \
    X(COPY_ORIGIN, "SELECT DISTINCT origin_id FROM copy WHERE name=?1 LIMIT 2")                    \
    X(DERIVED_PUT, "INSERT OR IGNORE INTO derived(origin,object) VALUES(?1,?2)")                   \
    X(DERIVED_COPIES, STORE_OBJECT_COLUMNS ",bytes FROM object WHERE id IN"                        \
                                           " (SELECT object FROM derived WHERE origin=?1)"         \
                                           " ORDER BY version_us,id")                              \
    X(DERIVED_ORIGINS, "SELECT origin FROM derived WHERE object=?1")                               \
    X(SUBMITTER_PUT, "INSERT OR IGNORE INTO submitter(object,collection,org) VALUES(?1,?2,?3)")    \
    X(SUBMITTER_EACH, "SELECT o.id,o.nation,o.name FROM submitter s JOIN org o ON o.id=s.org"      \
                      " WHERE s.object=?1 AND s.collection=?2")                                    \
    X(PENDING_PUT, "INSERT OR IGNORE INTO pending(object) VALUES(?1)")                             \
    X(PENDING_NEXT, "SELECT object FROM pending ORDER BY object LIMIT ?1")                         \
    X(PENDING_DELETE, "DELETE FROM pending WHERE object=?1")                                       \
    X(DESK_ADD, "INSERT INTO desk(kind,state,object,collection,audience,org,user,stix_id,type,"    \
                "rule_line,rule,officers,by_name,at_us,expires_us,reason,bytes)"                   \
                " VALUES(?1,0,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,'',?15)")                \
    X(DESK_GET, STORE_DESK_COLUMNS ",bytes FROM desk WHERE id=?1")                                 \
    X(DESK_OPEN, STORE_DESK_COLUMNS " FROM desk WHERE state=0 AND id>?1 ORDER BY id")              \
    X(DESK_ALL, STORE_DESK_COLUMNS " FROM desk WHERE id>?1 ORDER BY id")                           \
    X(DESK_ANY, "SELECT 1 FROM desk WHERE state=0 LIMIT 1")                                        \
    X(DESK_OF_OBJECT, STORE_DESK_COLUMNS " FROM desk WHERE object=?1 AND collection=?2"            \
                                         " ORDER BY id")                                           \
    X(DESK_CLOSE, "UPDATE desk SET state=?2,reason=?3 WHERE id=?1 AND state=0")                    \
    X(DESK_EXPIRE, "UPDATE desk SET state=3 WHERE state=0 AND expires_us<=?1")                     \
    X(VOTE_PUT, "INSERT OR IGNORE INTO vote(desk,party,user,at_us) VALUES(?1,?2,?3,?4)")           \
    X(VOTE_EACH, "SELECT v.party,u.name,v.at_us,v.user FROM vote v JOIN user u ON u.id=v.user"     \
                 " WHERE v.desk=?1 ORDER BY v.party,v.at_us")                                      \
    X(LEDGER_SIZE, "SELECT first+count FROM leaves ORDER BY first DESC LIMIT 1")                   \
    X(LEDGER_ADD, "INSERT INTO leaves(first,count,entries,body) VALUES(?1,?2,?3,?4)")              \
    X(LEDGER_ENTRIES, "SELECT first,count,entries FROM leaves WHERE first>=(SELECT max(first)"     \
                      " FROM leaves WHERE first<=?1) ORDER BY first")                              \
    X(LEDGER_ROWS, "SELECT first,count,entries,body FROM leaves WHERE first>=(SELECT max(first)"   \
                   " FROM leaves WHERE first<=?1) ORDER BY first")                                 \
    X(LEDGER_BODY, "UPDATE leaves SET body=?2 WHERE first=?1")                                     \
    X(LEDGER_NODES, "SELECT number,hash FROM node WHERE level=?1 AND number>=?2 ORDER BY number")  \
    X(LEDGER_NODE_COUNT, "SELECT count(*) FROM node")                                              \
    X(LEDGER_RELEASES, "SELECT collection,audience,date_added,object,name,version_us,leaf"         \
                       " FROM release WHERE leaf BETWEEN ?1 AND ?2")                               \
    X(LEDGER_OBJECTS, STORE_OBJECT_COLUMNS ",bytes FROM object ORDER BY id")                       \
    X(LEDGER_NODE_PUT, "INSERT OR REPLACE INTO node(level,number,hash) VALUES(?1,?2,?3)")          \
    X(TYPE_FIND, "SELECT id FROM type WHERE name=?1")                                              \
    X(TYPE_ADD, "INSERT INTO type(name) VALUES(?1)")                                               \
    X(STATUS_PUT, "INSERT OR REPLACE INTO status(uuid,user,at_us,json) VALUES(?1,?2,?3,?4)")       \
    X(STATUS_GET, "SELECT json FROM status WHERE uuid=?1 AND user=?2")                             \
    X(STATUS_EXPIRE, "DELETE FROM status WHERE at_us<?1"                                           \
                     " AND uuid NOT IN(SELECT uuid FROM envelope)")                                \
    X(ENVELOPE_PUT, "INSERT INTO envelope(uuid,user,collection,at_us,bytes,body)"                  \
                    " VALUES(?1,?2,?3,?4,?5,?6)")                                                  \
    X(ENVELOPE_BYTES, "SELECT ifnull(sum(e.bytes),0),ifnull(sum(e.bytes) FILTER(WHERE u.org=?2),"  \
                      "0),ifnull(sum(e.bytes) FILTER(WHERE e.user=?1),0) FROM envelope e"          \
                      " LEFT JOIN user u ON u.id=e.user")                                          \
    X(ENVELOPE_BACKLOG, "SELECT count(*),ifnull(sum(bytes),0),ifnull(min(at_us),0) FROM envelope") \
    X(ENVELOPE_WAITING, "SELECT e.id,ifnull(u.org,0) FROM envelope e"                              \
                        " LEFT JOIN user u ON u.id=e.user ORDER BY e.id")                          \
    X(ENVELOPE_GET, "SELECT id,uuid,user,collection,at_us,decided,body FROM envelope WHERE id=?1") \
    X(ENVELOPE_DECIDED, "SELECT decided FROM envelope WHERE id=?1")                                \
    X(ENVELOPE_ADVANCE, "UPDATE envelope SET decided=?3 WHERE id=?1 AND decided=?2")               \
    X(ENVELOPE_TAKE, "DELETE FROM envelope WHERE id=?1 AND decided=?2")                            \
    X(PIECE_PUT, "INSERT INTO piece(envelope,first,results) VALUES(?1,?2,?3)")                     \
    X(PIECE_EACH, "SELECT first,results FROM piece WHERE envelope=?1 ORDER BY first")              \
    X(PIECE_END, "DELETE FROM piece WHERE envelope=?1")                                            \
    X(ENVELOPE_NAMING,                                                                             \
      "SELECT e.id,ifnull(u.org,0) FROM envelope e JOIN status s ON s.uuid=e.uuid"                 \
      " LEFT JOIN user u ON u.id=e.user WHERE (?1=0 OR e.collection=?1)"                           \
      " AND (?2=0 OR u.org=?2) AND instr(s.json,?3) ORDER BY e.id")                                \
    X(ENVELOPE_WITHDRAW, "INSERT OR IGNORE INTO withdrawn(envelope,stix_id)"                       \
                         " SELECT id,?2 FROM envelope WHERE id=?1")                                \
    X(ENVELOPE_WITHDRAWN, "SELECT 1 FROM withdrawn WHERE envelope=?1 AND stix_id=?2")              \
    X(ENVELOPE_WITHDRAWN_ANY, "SELECT 1 FROM withdrawn WHERE envelope=?1 LIMIT 1")                 \
    X(ENVELOPE_END, "DELETE FROM withdrawn WHERE envelope=?1")                                     \
    X(VALUE_GET, "SELECT value FROM value WHERE key=?1")                                           \
    X(VALUE_PUT, "INSERT OR REPLACE INTO value(key,value) VALUES(?1,?2)")                          \
    X(QUICK_CHECK, "PRAGMA quick_check(20)")                                                       \
    X(INTEGRITY_CHECK, "PRAGMA integrity_check(20)")                                               \
    X(DATES_LAST, "SELECT max(last_us) FROM collection")                                           \
    X(DATES_RAISE, "UPDATE collection SET last_us=max(?1,last_us+?2)")                             \
    X(PEER_ADD, "INSERT INTO peer(name,url,ca,auth,remote,nation,org,collection,cursor,"           \
                "withdrawn) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,'',0)")                                 \
    X(PEER_WITHDRAWN, "UPDATE peer SET withdrawn=?2 WHERE id=?1")                                  \
    X(PEER_AGAIN, "UPDATE peer SET withdrawn=0 WHERE nation||'/'||org=?1")                         \
    X(WITHDRAWAL_ADD, "INSERT INTO withdrawal(leaf,collection,audience,at_us,source,name,"         \
                      "stix_id,version) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")                          \
    X(WITHDRAWAL_ANY, "SELECT 1 FROM withdrawal LIMIT 1")                                          \
    X(WITHDRAWAL_OF_READER, "SELECT leaf,stix_id,version FROM withdrawal"                          \
                            " INDEXED BY withdrawal_reader WHERE collection=?1 AND audience=?2"    \
                            " AND leaf>=?3 ORDER BY leaf LIMIT ?4")                                \
    X(WITHDRAWAL_OF_NAME, STORE_WITHDRAWAL_COLUMNS " WHERE w.name=?1 ORDER BY w.leaf")             \
    X(WITHDRAWAL_GET, STORE_WITHDRAWAL_COLUMNS " WHERE w.leaf=?1")                                 \
    X(WITHDRAWAL_EACH, STORE_WITHDRAWAL_COLUMNS " ORDER BY w.leaf")                                \
    X(RECEIPT_EACH, STORE_RECEIPT_COLUMNS " WHERE given=?1 ORDER BY party,entry")                  \
    X(RECEIPT_PUT, "INSERT INTO receipt(given,party,entry,leaf,own,at_us,outcome,proof)"           \
                   " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")                                             \
    X(RECEIPT_GET, STORE_RECEIPT_COLUMNS " WHERE given=?1 AND party=?2 AND entry=?3")              \
    X(RECEIPT_OF_LEAF, STORE_RECEIPT_COLUMNS " WHERE given=0 AND leaf=?1 ORDER BY party")          \
    X(PEER_CURSOR, "UPDATE peer SET cursor=?2 WHERE id=?1")                                        \
    X(WITNESS_GET, STORE_WITNESS_COLUMNS " WHERE party=?1")                                        \
    X(WITNESS_PUT, "INSERT OR REPLACE INTO witness(party,log_key,witness_key,seen,state,"          \
                   "evidence,cosigned,seen_us,cosigned_us,accepted_us)"                            \
                   " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")                                      \
    X(WITNESS_EACH, STORE_WITNESS_COLUMNS " ORDER BY party")                                       \
    X(EVIDENCE_ADD, "INSERT INTO evidence(party,at_us,finding,older,newer)"                        \
                    " SELECT ?1,?2,?3,?4,?5"                                                       \
                    " WHERE (SELECT count(*) FROM evidence WHERE party=?1)<?6"                     \
                    " AND NOT EXISTS(SELECT 1 FROM evidence WHERE party=?1 AND finding=?3"         \
                    " AND older=?4 AND newer=?5)")                                                 \
    X(EVIDENCE_EACH, "SELECT at_us,finding,older,newer FROM evidence WHERE party=?1 ORDER BY id")  \
    X(PEER_EACH, "SELECT id,collection,name,url,ca,auth,remote,nation,org,cursor,"                 \
                 "withdrawn FROM peer ORDER BY id")

/* A copy is kept while an original of it is, so that no other content takes its id and version. */
#define STORE_HAS_ORIGINAL(copy)                                                                   \
    "EXISTS(SELECT 1 FROM derived d JOIN object o ON o.id=d.origin WHERE d.object=" copy ")"
#define STORE_WITNESS_COLUMNS                                                                      \
    "SELECT party,log_key,witness_key,seen,state,evidence,cosigned,seen_us,cosigned_us,"           \
    "accepted_us FROM witness"
#define STORE_DESK_COLUMNS                                                                         \
    "SELECT id,kind,state,object,collection,audience,org,user,stix_id,type,rule_line,rule,"        \
    "officers,by_name,at_us,expires_us,reason"
#define STORE_RELEASE_COLUMNS                                                                      \
    "r.collection,r.audience,r.date_added,r.object,r.name,a.text,r.version_us,r.leaf"
#define STORE_USER_COLUMNS                                                                         \
    "SELECT u.id,u.org,u.name,u.role,o.nation,o.name,o.identity,u.password,u.created_us,"          \
    "u.expires_us,u.revoked_us,u.token_hash,u.cert_hash"                                           \
    " FROM user u JOIN org o ON o.id=u.org "
#define STORE_OF_LIST                                                                              \
    "FROM (SELECT value AS number FROM json_each(?1)) LEFT JOIN object ON object.id=number"
#define STORE_OBJECT_COLUMNS                                                                       \
    "SELECT id,name,version_us,source_org,received_us,flags,stix_id,version,type,owner_org,"       \
    "marking,user,first_org"

enum store_statement {
#define X(name, sql) STORE_##name,
    STORE_STATEMENTS(X)
#undef X
        STORE_STATEMENT_COUNT
};

/* object.flags; from bit STORE_TLP on the TLP of the object's own markings */
enum { STORE_HAS_VERSION = 1, STORE_REVOKED = 2, STORE_COPY = 4, STORE_TLP = 3 };

/* A row of one audience. */
struct store_release_row {
    int64_t date_added, object, name, version_us, type;
    bool superseded;
};
struct store_merge;

/* A type's name and number; a longer name is looked up each time. */
#define STORE_TYPES_KNOWN 24
struct store_type {
    int64_t id;
    size_t bytes;
    char name[32];
};

/* Of the index of the write-ahead log, what changes with every commit of any process (SQLite's
 * WAL-mode file format, §2.1): one of the two copies. */
enum { STORE_WAL_HEAD_BYTES = 48 };

struct store {
    sqlite3 *db;
    bool in_transaction, writable;
    size_t wal_pages, wal_most; /* after the last commit; at which it is brought back */
    /* By store_hold; by store_linger, until something else is asked; of the state that is held. */
    bool held, idle, state_known;
    int64_t state;
    const volatile void *wal_index;               /* NULL: not found yet */
    unsigned char wal_head[STORE_WAL_HEAD_BYTES]; /* as it was before the state was read */
    unsigned char name_key[CRYPT_NAME_KEY_BYTES];
    sqlite3_stmt *statements[STORE_STATEMENT_COUNT];
    struct store_merge *merge; /* sqlite_merge.c; NULL until it is needed */
    /* The last date_added of the collection that got rows last; written with the commit. */
    struct store_dates {
        int64_t collection, last_us; /* collection 0: none is known */
        bool changed;
    } dates;
    struct store_type types[STORE_TYPES_KNOWN]; /* found in the table, or put there */
    size_t types_known;
    struct store_added added[LIMIT_STORE_ADDED];
    size_t added_count; /* one more than there is room for: some are missing */
};

/* Prepares (once) and resets a statement; NULL with `e` filled on failure. */
sqlite3_stmt *store_statement(struct store *s, enum store_statement which, struct err *e);
enum err_code store_code(int rc); /* of a result of SQLite */
bool store_fail(struct store *s, struct err *e, const char *what);
void store_end_idle(struct store *s); /* the transaction that store_linger left open */
bool store_run_simple(struct store *s, enum store_statement which, struct err *e) BASE_CHECKED;
/* Steps a statement that returns no row, and resets it. */
bool store_run(struct store *s, sqlite3_stmt *stmt, struct err *e) BASE_CHECKED;
/* Runs a look-up of one integer; *id is 0 when there is no row. */
bool store_find_id(struct store *s, sqlite3_stmt *stmt, int64_t *id, struct err *e) BASE_CHECKED;
/* Steps to a row: *row says whether there was one. The caller resets the statement. */
bool store_step(struct store *s, sqlite3_stmt *stmt, bool *row, struct err *e) BASE_CHECKED;
void store_bind_str(sqlite3_stmt *stmt, int i, struct str s);
void store_bind_blob(sqlite3_stmt *stmt, int i, const void *p, size_t n);
struct str store_column(sqlite3_stmt *stmt, int i); /* text or blob; lives until the next step */
/* Columns of STORE_OBJECT_COLUMNS and, when `with_bytes`, the bytes behind them. */
void store_object_columns(sqlite3_stmt *stmt, bool with_bytes, struct store_object *o);
/* Runs a prepared statement over object rows with their bytes, and resets it. */
bool store_each_object(struct store *s, sqlite3_stmt *stmt, store_object_fn *each, void *ctx,
                       struct err *e) BASE_CHECKED;
/* The number of a type's name: *id 0 when there is none and `make` is false. */
bool store_type_id(struct store *s, struct str name, bool make, int64_t *id,
                   struct err *e) BASE_CHECKED;
/* The rows of the query's audiences in its collection behind q->after_us, of these types (none:
 * of all), merged by date_added. One merge at a time, within a transaction. */
bool store_merge_start(struct store *s, const struct store_query *q, const int64_t *types,
                       size_t type_count, struct err *e) BASE_CHECKED;
/* *row is NULL at the end; it lives until the next call. */
bool store_merge_next(struct store *s, const struct store_release_row **row, int64_t *audience,
                      struct err *e) BASE_CHECKED;
void store_merge_free(struct store *s);
/* Writes the last date_added, before a commit. */
bool store_dates_write(struct store *s, struct err *e) BASE_CHECKED;
/* Notes that a row was added. */
void store_note_added(struct store *s, int64_t collection, int64_t audience);
/* Notes that a row of `audience` went to `other` (0: to nobody). */
bool store_moved(struct store *s, int64_t collection, int64_t audience, int64_t other,
                 struct err *e) BASE_CHECKED;

#endif
