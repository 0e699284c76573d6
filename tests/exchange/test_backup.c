/*
 * Backups: what one holds, that a node comes back of it and says so, that no other file passes for
 * one, and that whatever fails on the way leaves nothing behind.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "exchange/node.h"

#include "exchange/archive_priv.h"

/* ---- headers ---- */

static void test_names(void)
{
    static const struct {
        const char *name;
        bool valid;
        unsigned mode;
    } rows[] = {
        {"setu.conf", true, 0640},
        {"policy.conf", true, 0640},
        {"node.key", true, 0600},
        {"setu.db", true, 0600},
        {"setu-backup.json", true, 0644},
        {"SHA256SUMS", true, 0644},
        {"tls/ca.pem", true, 0644},
        {"tls/ca.key", true, 0600},
        {"peers/jpcert.token", true, 0600},
        {"peers/jpcert-ca.pem", true, 0644},
        {"", false, 0},
        {"setu.db-wal", false, 0},
        {"setu.dbx", false, 0},
        {"other", false, 0},
        {"tls", false, 0},
        {"tls/", false, 0},
        {"tls/.", false, 0},
        {"tls/..", false, 0},
        {"tls/.hidden", false, 0},
        {"tls/a/b", false, 0},
        {"tls/../x", false, 0},
        {"tls//x", false, 0},
        {"/tls/x", false, 0},
        {"../setu.conf", false, 0},
        {"./setu.conf", false, 0},
        {"/etc/passwd", false, 0},
        {"peers/a b", false, 0},
        {"peers/a\nb", false, 0},
        {"peers/\xc3\xa4", false, 0},
        {"other/x", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str name = str_of(rows[i].name);
        CHECK_ROW(archive_name_valid(name) == rows[i].valid, "%s", rows[i].name);
        if (rows[i].valid)
            CHECK_ROW(archive_mode(name) == rows[i].mode, "%s", rows[i].name);
    }
    char longest[ARCHIVE_NAME_BYTES + 1] = "tls/";
    memset(longest + 4, 'x', ARCHIVE_NAME_BYTES - 4);
    CHECK(archive_name_valid((struct str){longest, ARCHIVE_NAME_BYTES - 1}));
    CHECK(!archive_name_valid((struct str){longest, ARCHIVE_NAME_BYTES}));
}

static void test_headers(void)
{
    static const uint64_t sizes[] = {
        0, 1, 511, 512, 0777777777, (1ull << 33) - 1, 1ull << 33, 1ull << 40, INT64_MAX};
    unsigned char block[ARCHIVE_BLOCK];
    struct err e;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct archive_member m = {"tls/node.pem", sizes[i], 1795682583}, back;
        archive_header_put(&m, block);
        bool ok = archive_header_get(block, &back, &e);
        CHECK_ROW(ok && back.bytes == m.bytes && back.at_s == m.at_s &&
                      strcmp(back.name, m.name) == 0,
                  "%zu", i);
        size_t refused = 0;
        for (size_t bit = 0; bit < ARCHIVE_BLOCK * 8; bit++) {
            block[bit / 8] ^= (unsigned char)(1u << bit % 8);
            refused += !archive_header_get(block, &back, &e) && e.code == ERR_INVALID;
            block[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        CHECK_ROW(refused == ARCHIVE_BLOCK * 8, "%zu: %zu", i, refused);
    }
    memset(block, 0, sizeof block);
    struct archive_member none;
    CHECK(!archive_header_get(block, &none, &e));
    memset(block, 0xFF, sizeof block);
    CHECK(!archive_header_get(block, &none, &e));
}

/* ---- there and back ---- */

static bool take(struct node *n, const char *file, struct exchange_backup *made, struct err *e)
{
    const struct exchange_backup_options o = {.file = at(file), .force = true};
    return exchange_backup(n->x, &o, made, e);
}

static bool bring_back(const char *file, const char *dir, struct exchange_restore *out,
                       struct err *e)
{
    const struct exchange_restore_options o = {.file = at(file), .dir = at(dir)};
    return exchange_restore(&o, out, e);
}

/* Opens a restored node as the same people. */
static bool reopen(struct node *n, const struct node *as, const char *dir, struct err *e)
{
    *n = (struct node){.arena = arena_new(16 << 20), .c = as->c};
    memcpy(n->tokens, as->tokens, sizeof n->tokens);
    bool ok = exchange_open(at(dir), &n->x, e) && exchange_session_open(n->x, &n->s, e);
    for (size_t i = 0; i < PEOPLE && ok; i++)
        ok = exchange_login_token(n->s, n->arena, str_of(n->tokens[i]), &n->who[i], e);
    return ok;
}

/* The folder holds these names, each behind which a blank stands, and no other. */
static bool nothing_but(const char *names)
{
    size_t all = 0;
    DIR *d = opendir(folder);
    for (const struct dirent *each = d ? readdir(d) : NULL; each; each = readdir(d)) {
        char name[300];
        if (strcmp(each->d_name, ".") == 0 || strcmp(each->d_name, "..") == 0)
            continue;
        size_t n = (size_t)snprintf(name, sizeof name, "%s ", each->d_name);
        const char *found = strstr(names, name);
        if (!found || (found != names && found[-1] != ' ')) {
            fprintf(stderr, "    left: %s\n", each->d_name);
            all = SIZE_MAX / 2;
        }
        all += n;
    }
    if (d)
        closedir(d);
    return all == strlen(names);
}

/* The records of a kind, as "ACTOR SIZE REASON|…", with the audiences of their leaves. */
struct told {
    struct json_reader *json;
    struct arena *arena;
    const char *kind;
    char text[1000];
    size_t n;
    int64_t audience;
    uint64_t last;
};

static bool note_record(void *ctx, const struct store_leaf *l)
{
    struct told *t = ctx;
    struct ledger_record r;
    struct err e;
    if (!ledger_record_parse(t->json, t->arena, l->record, &r, &e) ||
        strcmp(ledger_kind_name(r.kind), t->kind) != 0)
        return true;
    t->n += (size_t)snprintf(
        t->text + t->n, sizeof t->text - t->n, "%.*s %llu %.*s|", STR_FMT(r.text[LEDGER_ACTOR]),
        (unsigned long long)r.number[LEDGER_SIZE], STR_FMT(r.text[LEDGER_REASON]));
    t->audience = l->audience;
    t->last = l->index;
    return true;
}

static bool audience_is(void *ctx, int64_t id, struct str text)
{
    const struct told *t = ctx;
    CHECK(id != t->audience || str_eq(text, STR("+*")));
    return true;
}

static void records(const char *dir, const char *kind, struct told *t)
{
    char path[800];
    struct store *s = NULL;
    struct err e = {0};
    *t = (struct told){
        .json = json_reader_new(), .arena = arena_new(16 << 20), .kind = kind, .audience = -1};
    snprintf(path, sizeof path, "%s/setu.db", at(dir));
    CHECK_ROW(store_open(path, STORE_READ, &s, &e) &&
                  store_ledger_each(s, 0, UINT64_MAX, note_record, t, &e),
              "%s", e.msg);
    if (s && strcmp(kind, "restore") == 0)
        CHECK(store_audience_each(s, 0, audience_is, t, &e));
    store_close(s);
    json_reader_free(t->json);
    arena_free(t->arena);
}

static uint64_t log_size(struct node *n)
{
    struct buf note;
    struct str text;
    struct err e;
    uint64_t size = 0;
    buf_init(&note, 0);
    CHECK(exchange_ledger_checkpoint(n->s, NULL, &note, &e));
    text = buf_view(&note);
    str_cut(&text, '\n');
    CHECK(str_to_u64(str_cut(&text, '\n'), &size));
    buf_done(&note);
    return size;
}

static void check_confirming(struct node *back, uint64_t size)
{
    struct exchange_restored r = {0};
    struct told told;
    struct err e = {0};
    char all[200];
    static const char *const bad_reasons[] = {"", "a\nb", "\xff", "\xc2\x85"};
    CHECK(exchange_restored(back->s, &r, &e) && r.count == 1 && r.size == size);
    for (const char *who = "ntjdusrxb"; *who; who++)
        CHECK_ROW(!exchange_restore_confirm(back->s, person(back, *who), STR("x"), &r, &e) &&
                      e.code == ERR_FORBIDDEN,
                  "%c", *who);
    for (size_t i = 0; i < COUNT(bad_reasons); i++)
        CHECK_ROW(
            !exchange_restore_confirm(back->s, person(back, 'a'), str_of(bad_reasons[i]), &r, &e) &&
                e.code == ERR_USAGE,
            "%zu", i);
    CHECK(exchange_restored(back->s, &r, &e) && r.count == 1);
    CHECK_ROW(exchange_restore_confirm(back->s, person(back, 'a'), STR("a disk failed"), &r, &e),
              "%s", e.msg);
    CHECK(r.count == 1 && r.size == size);
    CHECK(exchange_restored(back->s, &r, &e) && r.count == 0);
    CHECK(!exchange_restore_confirm(back->s, person(back, 'a'), STR("again"), &r, &e) &&
          e.code == ERR_CONFLICT);
    records("back", "restore", &told);
    snprintf(all, sizeof all, "IN/cert-in/(node) %llu |IN/cert-in/admin %llu a disk failed|",
             (unsigned long long)size, (unsigned long long)size);
    CHECK_TEXT(told.text, all, "records");
}

static void test_there_and_back(void)
{
    struct node n, back;
    struct exchange_backup made;
    struct exchange_restore restored;
    struct told told;
    struct stat st;
    struct err e = {0};
    char want[100];
    node_make(&n, "node", NULL);
    for (int i = 1; i < 9; i++)
        CHECK_TEXT(
            submit(&n, "nt"[i % 2], &n.c, indicator(i, 1, marked(STIX_TLP_GREEN + i % 2)), false),
            "accepted", "%d", i);
    uint64_t size = log_size(&n);
    CHECK_ROW(take(&n, "b.tar", &made, &e), "%s", e.msg);
    CHECK(made.size == size && made.files == 8);
    CHECK(stat(at("b.tar"), &st) == 0 && (st.st_mode & 0777) == 0600 &&
          (uint64_t)st.st_size == made.bytes);
    CHECK(shell("test \"$(sha256sum < '%s')\" = '%s  -'", at("b.tar"), made.digest));
    CHECK(shell("mkdir '%s' && cd '%s' && tar xf '%s' && sha256sum --quiet -c SHA256SUMS",
                at("open"), at("open"), at("b.tar")));
    CHECK(shell("rm -r '%s'", at("open")));
    records("node", "backup", &told);
    snprintf(want, sizeof want, "IN/cert-in/(node) %llu |", (unsigned long long)size);
    CHECK_TEXT(told.text, want, "backup");
    CHECK(told.audience == 0 && told.last == size);
    /* What comes later is not in it. */
    CHECK_TEXT(submit(&n, 'n', &n.c, indicator(9, 1, ""), false), "accepted", "later");

    CHECK_ROW(bring_back("b.tar", "back", &restored, &e), "%s", e.msg);
    CHECK(restored.size == size && restored.leaf == size && restored.files == 8);
    CHECK(restored.backup_us == made.at_us && strcmp(restored.digest, made.digest) == 0);
    CHECK(nothing_but("b.tar back node "));
    CHECK_ROW(reopen(&back, &n, "back", &e), "%s", e.msg);
    for (const char *who = readers; *who; who++) {
        const char *there = reads(&n, *who, &n.c, STORE_ALL);
        size_t before = strlen(there);
        if (before >= 4 && strcmp(there + before - 4, " 9@1") == 0)
            before -= 4;
        snprintf(want, sizeof want, "%.*s", (int)before, there);
        CHECK_TEXT(reads(&back, *who, &back.c, STORE_ALL), want, "%c", *who);
    }
    CHECK(log_size(&back) == size + 1);
    records("back", "restore", &told);
    snprintf(want, sizeof want, "IN/cert-in/(node) %llu |", (unsigned long long)size);
    CHECK_TEXT(told.text, want, "restore");
    CHECK(told.audience > 0 && told.last == size);
    check_confirming(&back, size);
    node_done(&back);

    /* Keys and modes. */
    CHECK(shell("for f in node.key tls/ca.key tls/node.key tls/ca.pem tls/node.pem setu.conf "
                "policy.conf; do cmp '%s'/$f '%s'/$f || exit 1; done",
                at("node"), at("back")));
    CHECK(shell("cd '%s' && test -z \"$(find . -name '*key' -perm /077)\" && "
                "test $(stat -c %%a .) = 700 && test $(stat -c %%a setu.db) = 600",
                at("back")));
    node_done(&n);
    CHECK(shell("rm -r '%s' '%s' '%s'", at("back"), at("node"), at("b.tar")));
}

/* Restored again before anybody confirmed: an officer stands for both. */
static void test_restored_twice(void)
{
    struct node n, back;
    struct exchange_backup made;
    struct exchange_restore one, two;
    struct exchange_restored r = {0};
    struct told told;
    struct err e = {0};
    char want[300];
    node_make(&n, "node", NULL);
    CHECK(take(&n, "a.tar", &made, &e) && bring_back("a.tar", "first", &one, &e));
    CHECK_ROW(reopen(&back, &n, "first", &e), "%s", e.msg);
    CHECK(take(&back, "b.tar", &made, &e));
    node_done(&back);
    CHECK_ROW(bring_back("b.tar", "back", &two, &e), "%s", e.msg);
    CHECK_ROW(reopen(&back, &n, "back", &e), "%s", e.msg);
    CHECK(exchange_restored(back.s, &r, &e) && r.count == 2 && r.size == two.size &&
          r.leaf == two.leaf && two.size == one.size + 1);
    CHECK(exchange_restore_confirm(back.s, person(&back, 'a'), STR("x"), &r, &e) && r.count == 2);
    node_done(&back);
    records("back", "restore", &told);
    snprintf(want, sizeof want,
             "IN/cert-in/(node) %llu |IN/cert-in/(node) %llu |IN/cert-in/admin %llu x|"
             "IN/cert-in/admin %llu x|",
             (unsigned long long)one.size, (unsigned long long)two.size,
             (unsigned long long)one.size, (unsigned long long)two.size);
    CHECK_TEXT(told.text, want, "records");
    node_done(&n);
    CHECK(shell("rm -r '%s'/*", folder));
}

/* ---- instants ---- */

#define HOUR_US ((int64_t)3600 * 1000000)

static bool note_date(void *ctx, const struct store_row *r)
{
    int64_t *last = ctx;
    if (r->date_added > *last)
        *last = r->date_added;
    return true;
}

static int64_t last_date(struct node *n)
{
    int64_t last = 0;
    bool more;
    struct err e;
    struct exchange_query q = {
        .collection = &n->c, .after_us = INT64_MIN, .limit = 100000, .versions = STORE_ALL};
    CHECK(exchange_read(n->s, person(n, 'a'), &q, note_date, &last, &more, &e));
    return last;
}

/* Whatever the clock did before, what a restored node releases comes later than all that it gave
 * out before it was lost: `ahead` is how far its clock was wrong, and set right before the backup.
 */
static void one_clock(int64_t ahead)
{
    struct node n, back;
    struct exchange_backup made;
    struct exchange_restore restored;
    struct err e = {0};
    const int64_t noon = 1795608000ll * 1000000;
    base_clock_set(noon + ahead);
    node_make(&n, "node", NULL);
    CHECK_TEXT(submit(&n, 'n', &n.c, indicator(1, 1, ""), false), "accepted", "before");
    base_clock_set(noon);
    CHECK_ROW(take(&n, "b.tar", &made, &e), "%s", e.msg);
    /* Until it is lost, it gives out a hundred more within a second. */
    for (int i = 2; i < 102; i++) {
        base_clock_set(noon + i * 10000);
        CHECK_TEXT(submit(&n, 'n', &n.c, indicator(i, 1, ""), false), "accepted", "%d", i);
    }
    int64_t given = last_date(&n);
    base_clock_set(noon + 1100000);
    CHECK_ROW(bring_back("b.tar", "back", &restored, &e), "%s", e.msg);
    CHECK_ROW(reopen(&back, &n, "back", &e), "%s", e.msg);
    CHECK(last_date(&back) < given);
    CHECK_TEXT(submit(&back, 'n', &back.c, indicator(200, 1, ""), false), "accepted", "after");
    CHECK_ROW(last_date(&back) > given, "ahead %lld", (long long)ahead);
    node_done(&back);
    node_done(&n);
    base_clock_set(INT64_MIN);
    CHECK(shell("rm -r '%s'/*", folder));
}

static void test_clock_behind(void)
{
    struct node n;
    struct exchange_backup made;
    struct exchange_restore restored;
    struct err e = {0};
    node_make(&n, "node", NULL);
    CHECK(take(&n, "b.tar", &made, &e));
    base_clock_set(made.at_us - 1);
    CHECK(!bring_back("b.tar", "back", &restored, &e) && e.code == ERR_CONFLICT);
    CHECK(nothing_but("b.tar node "));
    base_clock_set(made.at_us);
    CHECK_ROW(bring_back("b.tar", "back", &restored, &e), "%s", e.msg);
    base_clock_set(INT64_MIN);
    node_done(&n);
    CHECK(shell("rm -r '%s'/*", folder));
}

/* ---- what is no backup ---- */

/* Members by name and contents; builds the file as the writer would. */
struct part {
    const char *name;
    struct str bytes;
};

struct built {
    struct buf file, sums;
};

static void build_member(struct built *b, const char *name, struct str bytes, int64_t at_s)
{
    static const char zeros[ARCHIVE_BLOCK];
    unsigned char block[ARCHIVE_BLOCK], digest[32];
    struct archive_member m = {.bytes = bytes.n, .at_s = at_s};
    snprintf(m.name, sizeof m.name, "%s", name);
    archive_header_put(&m, block);
    buf_put(&b->file, block, sizeof block);
    buf_str(&b->file, bytes);
    buf_put(&b->file, zeros, archive_padding(bytes.n));
    crypt_sha256(bytes, digest);
    buf_hex(&b->sums, digest, sizeof digest);
    buf_printf(&b->sums, "  %s\n", name);
}

static void build_end(struct built *b, int64_t at_s)
{
    static const char zeros[2 * ARCHIVE_BLOCK];
    struct buf sums = b->sums;
    buf_init(&b->sums, 0);
    build_member(b, ARCHIVE_SUMS, buf_view(&sums), at_s);
    buf_put(&b->file, zeros, sizeof zeros);
    buf_done(&b->sums);
    buf_init(&b->sums, 0);
    buf_done(&sums);
}

enum { MOST_PARTS = 12 };

struct sample {
    struct str file; /* the whole backup */
    struct part parts[MOST_PARTS];
    size_t count;
    int64_t at_s;
};

static void split(struct sample *s)
{
    struct archive_member m;
    struct err e;
    s->count = 0;
    for (size_t at_byte = 0; s->count < MOST_PARTS;) {
        CHECK(archive_header_get((const unsigned char *)s->file.p + at_byte, &m, &e));
        s->at_s = m.at_s;
        if (strcmp(m.name, ARCHIVE_SUMS) == 0)
            break;
        struct part *p = &s->parts[s->count++];
        static char names[MOST_PARTS][ARCHIVE_NAME_BYTES];
        memcpy(names[s->count - 1], m.name, sizeof m.name);
        *p = (struct part){names[s->count - 1],
                           str_slice(s->file, at_byte + 512, at_byte + 512 + m.bytes)};
        at_byte += 512 + m.bytes + archive_padding(m.bytes);
    }
}

static struct part *part(struct sample *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->parts[i].name, name) == 0)
            return &s->parts[i];
    abort();
}

static void refuses(struct str file, const char *what, enum err_code code, const char *says)
{
    struct exchange_restore restored;
    struct err e = {0};
    FILE *f = fopen(at("bad.tar"), "wb");
    CHECK(f && fwrite(file.p, 1, file.n, f) == file.n && fclose(f) == 0);
    bool ok = bring_back("bad.tar", "back", &restored, &e);
    CHECK_ROW(!ok && e.code == code && strstr(e.msg, says), "%s: %s: %s", what, err_name(e.code),
              e.msg);
    CHECK_ROW(!file_exists(at("back")), "%s", what);
}

static void refuses_parts(const struct sample *s, const char *what, enum err_code code,
                          const char *says)
{
    struct built b;
    buf_init(&b.file, 0);
    buf_init(&b.sums, 0);
    for (size_t i = 0; i < s->count; i++)
        build_member(&b, s->parts[i].name, s->parts[i].bytes, s->at_s);
    build_end(&b, s->at_s);
    refuses(buf_view(&b.file), what, code, says);
    buf_done(&b.file);
}

/* The sample with one part in another form. */
static void refuses_changed(const struct sample *s, const char *name, struct str bytes,
                            enum err_code code, const char *says)
{
    struct sample other = *s;
    part(&other, name)->bytes = bytes;
    refuses_parts(&other, name, code, says);
}

static void test_parts(const struct sample *s)
{
    static const char *const extra[] = {"../evil",     "tls/../../evil", "/tmp/evil", "tls/a/b",
                                        "setu.db-wal", "tls/.x",         "peers/",    "peers/a b"};
    struct sample other;
    struct built b;
    buf_init(&b.file, 0);
    buf_init(&b.sums, 0);
    for (size_t i = 0; i < s->count; i++)
        build_member(&b, s->parts[i].name, s->parts[i].bytes, s->at_s);
    build_end(&b, s->at_s);
    CHECK(str_eq(buf_view(&b.file), s->file)); /* so what follows differs in one thing only */
    buf_done(&b.file);
    for (size_t i = 0; i < COUNT(extra); i++) {
        other = *s;
        other.parts[other.count++] = (struct part){extra[i], STR("x")};
        refuses_parts(&other, extra[i], ERR_INVALID, "names a file that no backup holds");
    }
    other = *s;
    other.parts[other.count++] = *part(&other, "node.key");
    refuses_parts(&other, "twice", ERR_INVALID, "node.key comes twice");
    for (size_t i = 0; i < s->count; i++) {
        static const char *const needed[] = {"setu-backup.json", "setu.conf", "policy.conf",
                                             "node.key", "setu.db"};
        for (size_t k = 0; k < COUNT(needed); k++) {
            if (strcmp(s->parts[i].name, needed[k]) != 0)
                continue;
            other = *s;
            memmove(other.parts + i, other.parts + i + 1,
                    (other.count - i - 1) * sizeof *other.parts);
            other.count--;
            refuses_parts(&other, needed[k], ERR_INVALID, i ? needed[k] : "none of facts");
        }
    }
    refuses_changed(s, "setu-backup.json", STR("{}"), ERR_INVALID, "format is not");
    refuses_changed(s, "setu-backup.json", STR("no"), ERR_SYNTAX, "setu-backup.json");
    refuses_changed(s, "setu-backup.json", STR("{\"format\":\"setu-backup/1\"}"), ERR_INVALID,
                    "missing or malformed");
    refuses_changed(s, "setu.db", STR("no database"), ERR_STORE, "setu.db");
    refuses_changed(s, "policy.conf", STR("release everything"), ERR_SYNTAX, "policy.conf");
    refuses_changed(s, "setu.conf", STR("name x\n"), ERR_SYNTAX, "setu.conf");
    refuses_changed(s, "node.key", STR("short"), ERR_IO, "node.key");
}

/* Facts that are not this database's. */
static void test_facts(const struct sample *s)
{
    static const struct {
        const char *from, *to;
        enum err_code code;
        const char *says;
    } rows[] = {
        {"\"size\":", "\"size\":1", ERR_INVALID, "as many leaves"},
        {"\"root\":\"", "\"root\":\"0", ERR_INVALID, "missing or malformed"},
        {"\"schema\":", "\"schema\":9", ERR_STORE_VERSION, "restore it with the setu that made it"},
        {"\"at\":\"2", "\"at\":\"3", ERR_CONFLICT, "set the clock"},
    };
    struct sample other = *s;
    struct str facts = part(&other, "setu-backup.json")->bytes;
    char text[1000];
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *found = memmem(facts.p, facts.n, rows[i].from, strlen(rows[i].from));
        size_t before = found ? (size_t)(found - facts.p) : 0;
        CHECK_ROW(found, "%zu", i);
        int n = snprintf(text, sizeof text, "%.*s%s%.*s", (int)before, facts.p, rows[i].to,
                         (int)(facts.n - before - strlen(rows[i].from)),
                         facts.p + before + strlen(rows[i].from));
        refuses_changed(s, "setu-backup.json", (struct str){text, (size_t)n}, rows[i].code,
                        rows[i].says);
    }
    /* Another root of the right length. */
    snprintf(text, sizeof text, "%.*s", (int)facts.n, facts.p);
    char *root = strstr(text, "\"root\":\"") + 8;
    *root = *root == '0' ? '1' : '0';
    refuses_changed(s, "setu-backup.json", str_of(text), ERR_INVALID, "has not the head");
}

/* A page of the database is another than it was, and the digests were made anew. */
static void test_database(const struct sample *s)
{
    struct sample other = *s;
    struct str db = part(&other, "setu.db")->bytes;
    char *copy = base_alloc(db.n);
    size_t refused = 0, pages = 0;
    for (size_t page = 1; page < db.n / 8192 && copy; page += 5, pages++) {
        struct built b;
        struct exchange_restore restored;
        struct err e = {0};
        memcpy(copy, db.p, db.n);
        memset(copy + page * 8192, 0x5A, 8192);
        part(&other, "setu.db")->bytes = (struct str){copy, db.n};
        buf_init(&b.file, 0);
        buf_init(&b.sums, 0);
        for (size_t i = 0; i < other.count; i++)
            build_member(&b, other.parts[i].name, other.parts[i].bytes, s->at_s);
        build_end(&b, s->at_s);
        FILE *f = fopen(at("bad.tar"), "wb");
        CHECK(f && fwrite(b.file.p, 1, b.file.n, f) == b.file.n && fclose(f) == 0);
        refused += !bring_back("bad.tar", "back", &restored, &e) && e.msg[0];
        CHECK_ROW(!file_exists(at("back")), "page %zu: %s", page, e.msg);
        buf_done(&b.file);
    }
    CHECK_ROW(refused == pages && pages > 5, "%zu of %zu", refused, pages);
    base_free(copy);
}

/* One byte of it another, or all behind it missing, or something behind its end. */
static void test_bytes(const struct sample *s)
{
    char *copy = base_alloc(s->file.n + 512);
    if (!copy)
        abort();
    memcpy(copy, s->file.p, s->file.n);
    struct exchange_restore restored;
    struct err e;
    size_t tried = 0, refused = 0;
    for (size_t i = 0; i < s->file.n; i += i < 8192 || i + 4096 > s->file.n ? 17 : 1999) {
        copy[i] ^= 0x10;
        int fd = open(at("bad.tar"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        CHECK(fd >= 0 && write(fd, copy, s->file.n) == (ssize_t)s->file.n && close(fd) == 0);
        copy[i] ^= 0x10;
        tried++;
        refused += !bring_back("bad.tar", "back", &restored, &e);
    }
    CHECK_ROW(refused == tried && tried > 500, "%zu of %zu changed", refused, tried);
    tried = refused = 0;
    for (size_t n = 0; n < s->file.n; n += n < 8192 ? 127 : 4999) {
        int fd = open(at("bad.tar"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        CHECK(fd >= 0 && write(fd, copy, n) == (ssize_t)n && close(fd) == 0);
        tried++;
        refused += !bring_back("bad.tar", "back", &restored, &e) && e.code == ERR_INVALID;
    }
    CHECK_ROW(refused == tried, "%zu of %zu cut short", refused, tried);
    memset(copy + s->file.n, 0, 512);
    refuses((struct str){copy, s->file.n + 1}, "behind", ERR_INVALID, "behind its end");
    refuses((struct str){copy, s->file.n + 512}, "behind", ERR_INVALID, "behind its end");
    base_free(copy);
    CHECK(!file_exists(at("back")));
}

static void test_no_backup(void)
{
    struct node n;
    struct exchange_backup made;
    struct exchange_restore restored;
    struct sample s = {.count = 0};
    struct err e = {0};
    node_make(&n, "node", NULL);
    for (int i = 1; i < 100; i++)
        CHECK_TEXT(submit(&n, 'n', &n.c, indicator(i, 1, ""), false), "accepted", "%d", i);
    CHECK_ROW(take(&n, "b.tar", &made, &e), "%s", e.msg);
    node_done(&n);
    CHECK(file_read(at("b.tar"), 0, &s.file, &e));
    split(&s);
    test_parts(&s);
    test_facts(&s);
    test_database(&s);
    test_bytes(&s);
    CHECK(!bring_back("no.tar", "back", &restored, &e) && e.code == ERR_IO);
    CHECK(!bring_back("node", "back", &restored, &e) && e.code == ERR_IO);
    CHECK(mkfifo(at("fifo"), 0600) == 0 && !bring_back("fifo", "back", &restored, &e) &&
          e.code == ERR_IO);
    CHECK(!bring_back("b.tar", "node", &restored, &e) && e.code == ERR_CONFLICT);
    CHECK(!bring_back("b.tar", "b.tar", &restored, &e) && e.code == ERR_CONFLICT);
    CHECK(!bring_back("b.tar", "none/back", &restored, &e) && e.code == ERR_IO);
    CHECK(nothing_but("b.tar bad.tar fifo node "));
    CHECK(mkdir(at("back"), 0700) == 0);
    CHECK_ROW(bring_back("b.tar", "back", &restored, &e), "%s",
              e.msg); /* an empty folder is fine */
    base_free((void *)(uintptr_t)s.file.p);
    CHECK(shell("rm -r '%s'/*", folder));
}

/* ---- where a backup may not go ---- */

static void test_places(void)
{
    struct node n;
    struct exchange_backup made;
    struct err e = {0};
    char path[800];
    static const struct {
        const char *file;
        bool force;
        enum err_code code;
    } rows[] = {
        {"node/b.tar", false, ERR_USAGE},     {"node/setu.db", true, ERR_USAGE},
        {"node/tls/ca.key", true, ERR_USAGE}, {"other/../node/x", true, ERR_USAGE},
        {"link/x", true, ERR_USAGE},          {"other", true, ERR_USAGE},
        {"other/", true, ERR_USAGE},          {"none/x", false, ERR_IO},
        {"there", false, ERR_CONFLICT},       {"there", true, ERR_NONE},
        {"other/x", false, ERR_NONE},         {"node2", false, ERR_NONE},
    };
    node_make(&n, "node", NULL);
    CHECK(shell("cd '%s' && mkdir other && ln -s node link && echo mine > there", folder));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exchange_backup_options o = {.file = path, .force = rows[i].force};
        snprintf(path, sizeof path, "%s", at(rows[i].file));
        e = (struct err){0};
        bool ok = exchange_backup(n.x, &o, &made, &e);
        CHECK_ROW(ok == (rows[i].code == ERR_NONE) && e.code == rows[i].code, "%s: %s",
                  rows[i].file, e.msg);
        if (i == 8)
            CHECK(shell("test \"$(cat '%s')\" = mine", at("there")));
    }
    CHECK(nothing_but("link node node2 other there "));
    node_done(&n);
    CHECK(shell("rm -r '%s'/*", folder));
}

/* ---- failures ---- */

static long stop_at, asked;

/* What is there so far holds keys. */
static bool stop(void)
{
    DIR *d = opendir(folder);
    struct stat st;
    for (const struct dirent *each = d ? readdir(d) : NULL; each; each = readdir(d))
        if (strncmp(each->d_name, "c.tar", 5) == 0 || strncmp(each->d_name, "back", 4) == 0)
            CHECK_ROW(fstatat(dirfd(d), each->d_name, &st, 0) == 0 && (st.st_mode & 0077) == 0,
                      "%s", each->d_name);
    if (d)
        closedir(d);
    return ++asked == stop_at;
}

static void test_stopped(struct node *n)
{
    struct exchange_backup made;
    struct exchange_restore restored;
    struct err e = {0};
    bool ok = false;
    for (stop_at = 1; !ok && stop_at < 100; stop_at++) {
        const struct exchange_backup_options o = {.file = at("c.tar"), .stop = stop};
        asked = 0;
        ok = exchange_backup(n->x, &o, &made, &e);
        CHECK_ROW(ok || (e.code == ERR_BUSY && nothing_but("b.tar node ")), "%ld: %s", stop_at,
                  e.msg);
    }
    CHECK_ROW(ok && stop_at > 2, "%ld", stop_at);
    CHECK(unlink(at("c.tar")) == 0);
    ok = false;
    for (stop_at = 1; !ok && stop_at < 200; stop_at++) {
        const struct exchange_restore_options o = {
            .file = at("b.tar"), .dir = at("back"), .stop = stop};
        asked = 0;
        ok = exchange_restore(&o, &restored, &e);
        CHECK_ROW(ok || (e.code == ERR_BUSY && nothing_but("b.tar node ")), "%ld: %s", stop_at,
                  e.msg);
    }
    CHECK_ROW(ok && stop_at > 20, "%ld", stop_at);
    CHECK(shell("rm -r '%s'", at("back")));
}

/* The k-th allocation, or operation of SQLite's, fails. */
static void order(long k, unsigned kinds)
{
    if (kinds)
        faults_order(k, kinds, SQLITE_FULL, true);
    else
        base_fail_allocation(k, false);
}

static bool struck(unsigned kinds)
{
    return kinds ? faults_order(0, 0, 0, false) : base_fail_allocation(0, false);
}

static void test_backup_fails(struct node *n, unsigned kinds)
{
    struct exchange_backup made;
    struct err e;
    bool ok = false;
    long k = 1;
    for (; !ok && k < 5000; k++) {
        const struct exchange_backup_options o = {.file = at("c.tar")};
        e = (struct err){0};
        order(k, kinds);
        ok = exchange_backup(n->x, &o, &made, &e);
        bool hit = struck(kinds);
        CHECK_ROW(ok || (hit && e.msg[0]), "%u %ld: %s", kinds, k, e.msg);
        /* Only when the record is what failed does the file stand, and then it is said. */
        bool whole = !ok && strstr(e.msg, "is whole");
        CHECK_ROW(file_exists(at("c.tar")) == (ok || whole), "%u %ld: %s", kinds, k, e.msg);
        unlink(at("c.tar"));
        CHECK_ROW(nothing_but("b.tar node "), "%u %ld: %s", kinds, k, e.msg);
        ok = ok && !hit;
    }
    CHECK_ROW(ok && k > 2, "%u: %ld", kinds, k);
}

static void test_restore_fails(unsigned kinds)
{
    struct exchange_restore restored;
    struct err e;
    bool ok = false;
    long k = 1;
    for (; !ok && k < 5000; k++) {
        e = (struct err){0};
        order(k, kinds);
        ok = bring_back("b.tar", "back", &restored, &e);
        bool hit = struck(kinds);
        CHECK_ROW(ok || (hit && e.msg[0] && nothing_but("b.tar node ")), "%u %ld: %s", kinds, k,
                  e.msg);
        if (ok)
            CHECK(shell("rm -r '%s'", at("back")));
        ok = ok && !hit;
    }
    CHECK_ROW(ok && k > 2, "%u: %ld", kinds, k);
}

static void test_failures(void)
{
    static const unsigned kinds[] = {0, FAULT_READ, FAULT_WRITE, FAULT_SYNC, FAULT_MEMORY};
    struct node n;
    struct exchange_backup made;
    struct err e = {0};
    node_make(&n, "node", NULL);
    for (int i = 1; i < 9; i++)
        CHECK_TEXT(submit(&n, 'n', &n.c, indicator(i, 1, ""), false), "accepted", "%d", i);
    CHECK_ROW(take(&n, "b.tar", &made, &e), "%s", e.msg);
    test_stopped(&n);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        test_backup_fails(&n, kinds[i]);
        test_restore_fails(kinds[i]);
    }
    node_done(&n);
}

int main(void)
{
    struct err e;
    if (!crypt_init(&e) || !faults_install())
        return 1;
    folder_make("backup");
    test_names();
    test_headers();
    test_there_and_back();
    test_restored_twice();
    one_clock(0);
    one_clock(HOUR_US);
    one_clock(-HOUR_US);
    test_clock_behind();
    test_no_backup();
    test_places();
    test_failures();
    folder_remove();
    TEST_END();
}
