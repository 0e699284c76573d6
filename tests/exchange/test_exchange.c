/* The verbs of a node: made, opened, signed in to, written to, read, taken back, explained. */
#include <pthread.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <time.h>

#include "exchange/node.h"

#include "policy/policy.h"

/* ---- making a node ---- */

static void test_init(void)
{
    static const struct {
        struct str name, nation, org, identity;
        enum err_code code;
    } rows[] = {
        {{"CERT-In", 7}, {"IN", 2}, {NULL, 0}, {NULL, 0}, ERR_NONE},
        {{"x", 1}, {"IN", 2}, {"cert-in", 7}, {NULL, 0}, ERR_NONE},
        {{"x", 1},
         {"IN", 2},
         {NULL, 0},
         {"identity--00000000-0000-4000-8000-000000000001", 46},
         ERR_NONE},
        {{"", 0}, {"IN", 2}, {NULL, 0}, {NULL, 0}, ERR_USAGE},
        {{"a\"b", 3}, {"IN", 2}, {NULL, 0}, {NULL, 0}, ERR_USAGE},
        {{"a\nb", 3}, {"IN", 2}, {NULL, 0}, {NULL, 0}, ERR_USAGE},
        {{"\xff", 1}, {"IN", 2}, {NULL, 0}, {NULL, 0}, ERR_USAGE},
        {{"\xe0\xa4\xb8", 3}, {"IN", 2}, {NULL, 0}, {NULL, 0}, ERR_USAGE}, /* no org from it */
        {{"\xe0\xa4\xb8", 3}, {"IN", 2}, {"sa", 2}, {NULL, 0}, ERR_NONE},
        {{"x", 1}, {"in", 2}, {NULL, 0}, {NULL, 0}, ERR_USAGE},
        {{"x", 1}, {"IND", 3}, {NULL, 0}, {NULL, 0}, ERR_USAGE},
        {{"x", 1}, {"", 0}, {NULL, 0}, {NULL, 0}, ERR_USAGE},
        {{"x", 1}, {"IN", 2}, {"Cert-In", 7}, {NULL, 0}, ERR_USAGE},
        {{"x", 1}, {"IN", 2}, {"a b", 3}, {NULL, 0}, ERR_USAGE},
        {{"x", 1}, {"IN", 2}, {"agency", 6}, {NULL, 0}, ERR_INVALID}, /* a word of the language */
        {{"x", 1}, {"IN", 2}, {NULL, 0}, {"identity--1", 11}, ERR_USAGE},
        {{"x", 1},
         {"IN", 2},
         {NULL, 0},
         {"tool--00000000-0000-4000-8000-000000000001", 42},
         ERR_USAGE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exchange_init in = {.dir = at("init/"),
                                   .name = rows[i].name,
                                   .nation = rows[i].nation,
                                   .org = rows[i].org,
                                   .identity = rows[i].identity};
        char token[64] = "";
        struct str user;
        struct err e = {0};
        struct exchange *x = NULL;
        bool ok = exchange_init(&in, &user, token, &e);
        CHECK_ROW(ok == (rows[i].code == ERR_NONE) && e.code == rows[i].code, "row %zu: %s", i,
                  e.msg);
        /* Nothing stays behind, under this name or another. */
        if (!ok)
            CHECK_ROW(shell("test -z \"$(ls -A '%s')\"", folder), "row %zu", i);
        if (ok)
            CHECK_ROW(strncmp(token, "setu_", 5) == 0 && exchange_open(at("init"), &x, &e),
                      "row %zu: %s", i, e.msg);
        exchange_close(x);
        CHECK(shell("rm -rf '%s'", at("init")));
    }
}

static void test_init_places(void)
{
    struct err e = {0};
    struct stat st;
    char token[64];
    struct str user;
    struct exchange_init in = {.name = STR("x"), .nation = STR("IN")};
    CHECK(shell("cd '%s' && mkdir full empty && echo mine >full/file && echo mine >file", folder));
    static const char *const refused[] = {"full", "file", "file/below", "no/such"};
    for (size_t i = 0; i < COUNT(refused); i++) {
        in.dir = at(refused[i]);
        CHECK_ROW(!exchange_init(&in, &user, token, &e) &&
                      e.code == (i < 2 ? ERR_CONFLICT : ERR_IO),
                  "%s: %s", refused[i], e.msg);
    }
    in.dir = "";
    CHECK(!exchange_init(&in, &user, token, &e) && e.code == ERR_USAGE);
    CHECK(shell("cd '%s' && test \"$(cat full/* file)\" = 'mine\nmine' && test $(ls | wc -l) = 3",
                folder));
    in.dir = at("empty");
    CHECK_ROW(exchange_init(&in, &user, token, &e), "%s", e.msg);
    CHECK(!exchange_init(&in, &user, token, &e) && e.code == ERR_CONFLICT);
    CHECK(stat(at("empty/node.key"), &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(stat(at("empty/tls/ca.key"), &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(stat(at("empty/tls/node.key"), &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(stat(at("empty"), &st) == 0 && (st.st_mode & 0777) == 0700);
    CHECK(shell("rm -rf '%s'/*", folder));
}

/* ---- setu.conf and policy.conf ---- */

/* The settings that `setu init` writes as comments hold once the `#` is taken away. */
static void test_template(void)
{
    char token[64], conf[2000], path[800], *to = conf;
    struct str text, rest;
    struct exchange *x = NULL;
    struct err e = {0};
    node_init("template", token);
    snprintf(path, sizeof path, "%s/setu.conf", at("template"));
    CHECK(file_read(path, sizeof conf - 1, &text, &e));
    for (rest = str_from(text, str_find(text, '\n') + 1); rest.p;) {
        struct str line = str_cut(&rest, '\n');
        if (str_starts(line, STR("# ")))
            line = str_from(line, 2);
        to += sprintf(to, "%.*s\n", STR_FMT(line));
    }
    base_free((void *)(uintptr_t)text.p);
    node_write("template", "setu.conf", conf);
    CHECK_ROW(exchange_open(at("template"), &x, &e), "%s", e.msg);
    CHECK(x && str_eq(exchange_config(x)->public_url, STR("https://cti.example.org")));
    exchange_close(x);
}

static void test_config(void)
{
    static const struct {
        const char *conf, *says; /* NULL: it opens */
    } rows[] = {
        {"name x\nnation IN\norg a\n", NULL},
        {"# c\n\n  name \"x y\" \r\nnation IN\r\norg a\npage-max 7", NULL},
        {"name x\nnation IN\norg a\nmax-body-bytes 2147483648", NULL},
        {"", "must be set"},
        {"name x\nnation IN\n", "must be set"},
        {"name x\nnation IN\norg a\ncolour red\n", "setu.conf: line 4: no setting is called"},
        {"\npage-max 0\n", "setu.conf: line 2: page-max takes a whole number from 1 to 10000"},
        {"page-max 10001", "setu.conf: line 1: "},
        {"page-max", "setu.conf: line 1: "},
        {"page-max 1e3", "setu.conf: line 1: "},
        {"max-body-bytes 1023", "setu.conf: line 1: "},
        {"name x\nnation india\norg a\n", "setu.conf: line 2: nation "},
        {"name x\nnation IN\norg A B\n", "setu.conf: line 3: org "},
        {"name x\nnation IN\norg a\nidentity me\n", "setu.conf: line 4: identity "},
        {"name x\nnation IN\norg a\nlisten [::1]:0\n", NULL},
        {"name x\nnation IN\norg a\nlisten nonsense\n",
         "line 4: listen \"nonsense\": write HOST:PORT"},
        {"name x\nnation IN\norg a\nlisten 127.0.0.1:70000\n", "line 4: listen "},
        {"name x\nnation IN\norg a\napi-root a/b\n", "setu.conf: line 4: api-root "},
        {"name x\nnation IN\norg a\napi-root\n", "setu.conf: line 4: api-root "},
        {"name x\nnation IN\norg a\npublic-url https://cti.example.org:8443/a\n", NULL},
        {"name x\nnation IN\norg a\npublic-url cti.example.org\n", "line 4: public-url "},
        {"name x\nnation IN\norg a\npublic-url http://cti.example.org\n", "line 4: public-url "},
        {"name x\nnation IN\norg a\npublic-url https://\n", "line 4: public-url "},
        {"name x\nnation IN\norg a\npublic-url https://a.example # of a proxy\n", "public-url "},
    };
    char token[64];
    node_init("conf", token);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exchange *x = NULL;
        struct err e = {0};
        node_write("conf", "setu.conf", rows[i].conf);
        bool ok = exchange_open(at("conf"), &x, &e);
        CHECK_ROW(ok == !rows[i].says && (ok || e.code == ERR_SYNTAX), "row %zu: %s", i, e.msg);
        if (rows[i].says)
            CHECK_ROW(strstr(e.msg, rows[i].says), "row %zu: %s", i, e.msg);
        if (i == 1 && ok)
            CHECK(str_eq(exchange_config(x)->name, STR("x y")) &&
                  exchange_config(x)->page_max == 7 &&
                  str_eq(exchange_config(x)->api_root, STR("api")));
        exchange_close(x);
    }
}

/* Read again: what was in force lasts, so a file that says the same must not take memory. */
static void test_config_again(void)
{
    static const struct {
        const char *conf;
        bool ok, other;
        const char *kept;
    } rows[] = {
        {"name x\nnation IN\norg a\npage-max 7\n", true, false, ""},
        {"# c\nname \"x\"\npage-max 7\nnation IN\norg a\n", true, false, ""},
        {"name x\nnation IN\norg a\npage-max 8\n", true, true, ""},
        {"name x\nnation IN\norg a\npage-max 8\naccess-log /a\n", true, true, ""},
        {"name x\nnation JP\norg b\npage-max 8\naccess-log /a\n", true, false, "nation, org"},
        {"name x\nnation IN\norg a\npage-max many\n", false, false, ""},
        {"name x\nnation IN\norg a\npage-max 7\n", true, true, ""},
    };
    char token[64];
    struct exchange *x = NULL;
    struct err e = {0};
    node_init("again", token);
    node_write("again", "setu.conf", rows[0].conf);
    CHECK_ROW(exchange_open(at("again"), &x, &e), "%s", e.msg);
    for (size_t i = 0; x && i < COUNT(rows); i++) {
        const struct exchange_config *before = exchange_config(x);
        struct buf kept;
        buf_init(&kept, 0);
        node_write("again", "setu.conf", rows[i].conf);
        CHECK_ROW(exchange_config_reload(x, &kept, &e) == rows[i].ok, "row %zu", i);
        CHECK_ROW((exchange_config(x) != before) == rows[i].other, "row %zu", i);
        CHECK_ROW(str_eq(buf_view(&kept), str_of(rows[i].kept)), "row %zu", i);
        buf_done(&kept);
    }
    CHECK(x && exchange_config(x)->page_max == 7 && exchange_config(x)->access_log.n == 0);
    exchange_close(x);
}

static void test_broken_nodes(void)
{
    static const struct {
        const char *file, *text, *says;
        enum err_code code;
    } rows[] = {
        {"policy.conf", "nation IN \"India\" { agency a }\nrelease tlp:clear to anyone\n",
         "policy.conf:2:22: ", ERR_SYNTAX},
        {"policy.conf", "nation IN {\n", "policy.conf:1:", ERR_SYNTAX},
        {"policy.conf", "\xff", "policy.conf:1:1: ", ERR_SYNTAX},
        {"node.key", "short", "node.key is no key", ERR_IO},
        {"setu.db", "no database", "", ERR_STORE},
    };
    char token[64], name[16], path[800];
    struct err e = {0};
    struct exchange *x = NULL;
    CHECK(!exchange_open(at("missing"), &x, &e) && e.code == ERR_NOT_FOUND);
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(name, sizeof name, "broken%zu", i);
        node_init(name, token);
        node_write(name, rows[i].file, rows[i].text);
        e = (struct err){0};
        CHECK_ROW(!exchange_open(at(name), &x, &e) && e.code == rows[i].code &&
                      strstr(e.msg, rows[i].says),
                  "%s: %s", rows[i].file, e.msg);
        snprintf(path, sizeof path, "%s/%s", at(name), rows[i].file);
        remove(path);
        CHECK_ROW(!exchange_open(at(name), &x, &e) && x == NULL, "without %s", rows[i].file);
    }
}

/* ---- signing in ---- */

static void add_user(struct node *n, const char *name, const char *password, const char *cert,
                     int64_t expires_us, char token[64])
{
    struct err e = {0};
    struct exchange_user_new u = {.name = str_of(name),
                                  .org = STR("nciipc"),
                                  .nation = STR("IN"),
                                  .role = EXCHANGE_READER,
                                  .password = str_of(password),
                                  .cert_pem = str_of(cert),
                                  .expires_us = expires_us};
    CHECK_ROW(exchange_user_add(n->x, &u, token, &e), "%s: %s", name, e.msg);
}

static bool refused(const struct err *e)
{
    return e->code == ERR_UNAUTHORIZED &&
           strcmp(e->msg, "the credentials are missing, wrong, expired or revoked") == 0;
}

static void test_tokens(struct node *n)
{
    char good[64], other[64], old[64], gone[64], huge[LIMIT_SECRET_BYTES + 2], none[64], nul[64];
    struct principal p;
    struct err e = {0};
    add_user(n, "good", NULL, NULL, now_us() + 3600000000, good);
    add_user(n, "other", NULL, NULL, 0, other);
    add_user(n, "old", NULL, NULL, now_us() - 1, old);
    add_user(n, "gone", NULL, NULL, 0, gone);
    add_user(n, "word", "correct horse", NULL, 0, none);
    CHECK(strlen(good) > 40 && strcmp(good, other) != 0 && none[0] == '\0');
    CHECK(exchange_user_revoke(n->x, STR("gone"), &e));
    CHECK(!exchange_user_revoke(n->x, STR("gone"), &e) && e.code == ERR_NOT_FOUND);
    memset(huge, 'x', sizeof huge);
    memcpy(nul, good, sizeof nul);
    size_t length = strlen(good);
    const struct {
        struct str name, secret; /* name STR_NONE: bearer token */
        bool ok;
    } rows[] = {
        {STR_NONE, str_of(good), true},
        {STR_NONE, str_of(other), true},
        {STR_NONE, {good, length - 1}, false},
        {STR_NONE, {nul, length + 1}, false}, /* with its NUL */
        {STR_NONE, STR(""), false},
        {STR_NONE, STR_NONE, false},
        {STR_NONE, {huge, sizeof huge}, false},
        {STR_NONE, {huge, LIMIT_SECRET_BYTES}, false},
        {STR_NONE, str_of(old), false},
        {STR_NONE, str_of(gone), false},
        {STR_NONE, STR("correct horse"), false},
        {STR("good"), str_of(good), true},
        {STR("other"), str_of(good), false}, /* the right token of somebody else */
        {STR("GOOD"), str_of(good), false},
        {STR("good\0"), str_of(good), false},
        {STR(""), str_of(good), false},
        {STR_NONE, str_of(good), true},
        {{huge, LIMIT_NAME_BYTES + 1}, str_of(good), false},
        {STR("nobody"), str_of(good), false},
        {STR("good"), STR(""), false},
        {STR("good"), {huge, sizeof huge}, false},
        {STR("old"), str_of(old), false},
        {STR("gone"), str_of(gone), false},
        {STR("word"), STR("correct horse"), true},
        {STR("word"), STR("correct horse"), true}, /* remembered */
        {STR("word"), STR("Correct horse"), false},
        {STR("word"), STR("correct horse\0"), false},
        {STR("word"), STR(""), false},
        {STR("word"), str_of(good), false},
        {STR("good"), STR("correct horse"), false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        e = (struct err){0};
        bool ok = rows[i].name.p
                      ? exchange_login_basic(n->s, n->arena, rows[i].name, rows[i].secret, &p, &e)
                      : exchange_login_token(n->s, n->arena, rows[i].secret, &p, &e);
        CHECK_ROW(ok == rows[i].ok && (ok || refused(&e)), "row %zu: %s", i, e.msg);
        if (ok)
            CHECK_ROW(str_eq(p.party.org, STR("nciipc")) && str_eq(p.party.nation, STR("IN")) &&
                          p.role == EXCHANGE_READER && p.user && p.org,
                      "row %zu", i);
    }
    /* What was remembered dies with the user. */
    CHECK(exchange_login_token(n->s, n->arena, str_of(good), &p, &e));
    CHECK(exchange_user_revoke(n->x, STR("good"), &e));
    CHECK(!exchange_login_token(n->s, n->arena, str_of(good), &p, &e) && refused(&e));
    CHECK(exchange_user_revoke(n->x, STR("word"), &e));
    CHECK(!exchange_login_basic(n->s, n->arena, STR("word"), STR("correct horse"), &p, &e));
    CHECK(refused(&e));
}

/* Processor time of this thread in a sign-in that is refused. */
static int64_t cost_us(struct node *n, const char *name, const char *secret)
{
    struct timespec from, to;
    struct principal p;
    struct err e = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    CHECK_ROW(!exchange_login_basic(n->s, n->arena, str_of(name), str_of(secret), &p, &e) &&
                  refused(&e),
              "%s %s: %s", name, secret, e.msg);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

/* Only whether Argon2id ran is looked at, so the bounds are wide. */
static void test_cost_of_refusals(struct node *n)
{
    char token[64];
    struct principal p;
    struct err e = {0};
    add_user(n, "p-here", "correct horse", NULL, 0, token);
    add_user(n, "p-gone", "correct horse", NULL, 0, token);
    add_user(n, "p-old", "correct horse", NULL, now_us() - 1, token);
    CHECK(exchange_user_revoke(n->x, STR("p-gone"), &e));
    add_user(n, "p-token", NULL, NULL, 0, token);
    int64_t one = cost_us(n, "p-here", "wrong horse");
    static const char *const rows[][2] = {{"p-gone", "correct horse"}, {"p-gone", "wrong horse"},
                                          {"p-old", "correct horse"},  {"p-token", "wrong horse"},
                                          {"p-absent", "wrong horse"}, {"p-here", "wrong horse"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t us = cost_us(n, rows[i][0], rows[i][1]);
        CHECK_ROW(us > one / 4 && us < one * 4, "%s: %lld, %lld us", rows[i][0], (long long)us,
                  (long long)one);
        enum exchange_login quick =
            exchange_login_quick(n->s, n->arena, str_of(rows[i][0]), str_of(rows[i][1]), &p, &e);
        CHECK_ROW(quick == EXCHANGE_LOGIN_SLOW, "%s", rows[i][0]);
    }
    CHECK(cost_us(n, "p-here", "setu_x") < one / 4);
    CHECK(exchange_login_quick(n->s, n->arena, STR("p-here"), STR("setu_x"), &p, &e) ==
          EXCHANGE_LOGIN_REFUSED);
    CHECK(exchange_login_quick(n->s, n->arena, STR("p-token"), str_of(token), &p, &e) ==
          EXCHANGE_LOGIN_DONE);
    CHECK(exchange_login_basic(n->s, n->arena, STR("p-here"), STR("correct horse"), &p, &e));
    CHECK(exchange_login_quick(n->s, n->arena, STR("p-here"), STR("correct horse"), &p, &e) ==
          EXCHANGE_LOGIN_DONE);
    struct exchange_user_new u = {.name = STR("p-prefix"),
                                  .org = STR("a"),
                                  .nation = STR("IN"),
                                  .password = STR("setu_correct horse")};
    CHECK(!exchange_user_add(n->x, &u, token, &e) && e.code == ERR_USAGE);
}

static void test_certificates(struct node *n)
{
    struct buf ca, ca_key, cert, key, stranger;
    struct buf *const all[] = {&ca, &ca_key, &cert, &key, &stranger};
    struct principal p;
    struct err e = {0};
    char none[64];
    for (size_t i = 0; i < COUNT(all); i++)
        buf_init(all[i], 0);
    CHECK(crypt_ca_make(STR("CA"), 10, &ca, &ca_key, &e));
    CHECK(crypt_cert_issue(buf_view(&ca), buf_view(&ca_key), STR("soc"), STR("soc.example"), 10,
                           &cert, &key, &e));
    buf_clear(&key);
    CHECK(crypt_cert_issue(buf_view(&ca), buf_view(&ca_key), STR("soc"), STR("soc.example"), 10,
                           &stranger, &key, &e));
    buf_byte(&cert, '\0');
    cert.n--;
    add_user(n, "soc", NULL, cert.p, 0, none);
    CHECK(none[0] == '\0');
    struct exchange_user_new unfit = {
        .name = STR("ca"), .org = STR("nciipc"), .nation = STR("IN"), .cert_pem = buf_view(&ca)};
    CHECK(!exchange_user_add(n->x, &unfit, none, &e) && e.code == ERR_INVALID);
    CHECK(exchange_login_cert(n->s, n->arena, buf_view(&cert), &p, &e) &&
          str_eq(p.name, STR("soc")));
    CHECK(!exchange_login_cert(n->s, n->arena, buf_view(&stranger), &p, &e) && refused(&e));
    CHECK(!exchange_login_cert(n->s, n->arena, buf_view(&ca), &p, &e) && refused(&e));
    CHECK(!exchange_login_cert(n->s, n->arena, STR("junk"), &p, &e) && refused(&e));
    CHECK(!exchange_login_cert(n->s, n->arena, STR_NONE, &p, &e) && refused(&e));
    CHECK(!exchange_login_basic(n->s, n->arena, STR("soc"), STR("x"), &p, &e) && refused(&e));
    base_clock_set(now_us() + 11 * 86400000000);
    CHECK(!exchange_login_cert(n->s, n->arena, buf_view(&cert), &p, &e) && refused(&e));
    base_clock_set(INT64_MIN);
    CHECK(exchange_user_revoke(n->x, STR("soc"), &e));
    CHECK(!exchange_login_cert(n->s, n->arena, buf_view(&cert), &p, &e) && refused(&e));
    for (size_t i = 0; i < COUNT(all); i++)
        buf_done(all[i]);
}

static void test_users_refused(struct node *n)
{
    static const struct {
        struct str name, org, nation, identity;
        enum err_code code;
    } rows[] = {
        {{"", 0}, {"a", 1}, {"IN", 2}, {NULL, 0}, ERR_USAGE},
        {{"a:b", 3}, {"a", 1}, {"IN", 2}, {NULL, 0}, ERR_USAGE},
        {{"\xff", 1}, {"a", 1}, {"IN", 2}, {NULL, 0}, ERR_USAGE},
        {{"a\nb", 3}, {"a", 1}, {"IN", 2}, {NULL, 0}, ERR_USAGE},
        {{"\x7f", 1}, {"a", 1}, {"IN", 2}, {NULL, 0}, ERR_USAGE},
        {{"\xc2\x9b", 2}, {"a", 1}, {"IN", 2}, {NULL, 0}, ERR_USAGE},
        {{"x", 1}, {"A", 1}, {"IN", 2}, {NULL, 0}, ERR_USAGE},
        {{"x", 1}, {"a", 1}, {"india", 5}, {NULL, 0}, ERR_USAGE},
        {{"x", 1}, {"a", 1}, {"IN", 2}, {"me", 2}, ERR_USAGE},
        {{"admin", 5}, {"a", 1}, {"IN", 2}, {NULL, 0}, ERR_CONFLICT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char token[64];
        struct err e = {0};
        struct exchange_user_new u = {.name = rows[i].name,
                                      .org = rows[i].org,
                                      .nation = rows[i].nation,
                                      .identity = rows[i].identity};
        CHECK_ROW(!exchange_user_add(n->x, &u, token, &e) && e.code == rows[i].code && !token[0],
                  "row %zu: %s", i, e.msg);
    }
}

/* ---- collections ---- */

static void test_collections(struct node *n)
{
    struct err e = {0};
    char uuid[37];
    struct exchange_collection found;
    struct exchange_collection_new twins = {.title = STR("twins"), .alias = STR("t-1")};
    CHECK(exchange_collection_add(n->x, &twins, uuid, &e));
    CHECK(!exchange_collection_add(n->x, &twins, uuid, &e) && e.code == ERR_CONFLICT);
    twins.alias = STR_NONE;
    CHECK(exchange_collection_add(n->x, &twins, uuid, &e));
    static const struct {
        const char *key;
        bool by_title;
        enum err_code code;
    } rows[] = {
        {"t-1", false, ERR_NONE},         {"twins", true, ERR_CONFLICT},
        {"twins", false, ERR_NOT_FOUND},  {"first", true, ERR_NONE},
        {"first", false, ERR_NOT_FOUND},  {"", false, ERR_NOT_FOUND},
        {"nothing", true, ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        e = (struct err){0};
        bool ok = exchange_collection_find(n->s, n->arena, str_of(rows[i].key), rows[i].by_title,
                                           &found, &e);
        CHECK_ROW(ok == (rows[i].code == ERR_NONE) && e.code == rows[i].code, "%s: %s", rows[i].key,
                  e.msg);
    }
    CHECK(exchange_collection_find(n->s, n->arena, str_of(uuid), false, &found, &e) &&
          str_eq(found.title, STR("twins")) && found.alias.n == 0);
    static const struct exchange_collection_new bad[] = {
        {.title = {"", 0}},
        {.title = {"\xff", 1}},
        {.title = {"a\nb", 3}},
        {.title = {"a\x1b[2J", 5}},
        {.title = {"a\xc2\x9b", 3}},
        {.title = {"x", 1}, .alias = {"a/b", 3}},
        {.title = {"x", 1}, .alias = {"a b", 3}},
        {.title = {"x", 1}, .uuid = {"1234", 4}},
        {.title = {"x", 1}, .uuid = {"00000000-0000-4000-8000-00000000000/", 36}},
        /* TAXII 2.1 section 5.1: an alias must not be mistaken for an id */
        {.title = {"x", 1}, .alias = {"00000000-0000-4000-8000-000000000001", 36}},
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(!exchange_collection_add(n->x, &bad[i], uuid, &e) && e.code == ERR_USAGE,
                  "row %zu", i);
}

/* ---- what becomes of an object, and who reads it ---- */

static enum policy_verdict explained(struct node *n, const char *id, char letter)
{
    struct exchange_explanation x = {.decision = POLICY_DENIED};
    struct err e = {0};
    CHECK_ROW(exchange_explain(n->s, n->arena, str_of(id), &person(n, letter)->party, &x, &e) ||
                  e.code == ERR_NOT_FOUND,
              "%s", e.msg);
    return x.decision;
}

/* Who sees the id, by letters; and the explanation says the same for each of them. */
static void check_readers(struct node *n, const struct exchange_collection *c, const char *id,
                          const char *want, size_t row)
{
    char got[16] = "";
    size_t count = 0;
    for (const char *p = readers; *p; p++) {
        bool yes = false;
        struct err e = {0};
        CHECK_ROW(exchange_sees(n->s, person(n, *p), c, str_of(id), &yes, &e), "%s", e.msg);
        if (yes)
            got[count++] = *p;
        CHECK_ROW((explained(n, id, *p) == POLICY_RELEASED) == yes, "row %zu: explained to %c", row,
                  *p);
    }
    CHECK_TEXT(got, want, "row %zu: readers of %s", row, id);
}

#define ID(n) "indicator--00000000-0000-4000-8000-0000000000" #n

static void test_outcomes(struct node *n)
{
    enum { PARTNER = true, OWN = false };
    char granular[300], amber_tool[400], reordered[700];
    snprintf(granular, sizeof granular,
             ",\"granular_markings\":[{\"marking_ref\":\"%.*s\",\"selectors\":[\"pattern\"]}]",
             STR_FMT(stix_tlp_id(STIX_TLP_CLEAR)));
    snprintf(
        amber_tool, sizeof amber_tool,
        "{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"tool--" UUID_OF
        "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","
        "\"name\":\"nmap\"}",
        40);
    snprintf(reordered, sizeof reordered,
             "{ \"valid_from\":\"2026-01-01T00:00:00Z\", \"pattern_type\":\"stix\","
             "\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\",\"spec_version\":\"2.1\","
             "\"modified\":\"2026-01-01T00:00:01.000Z\",\"created\":\"2026-01-01T00:00:00.000Z\","
             "\"id\":\"" ID(10) "\",\"type\":\"indicator\" }");
    char strict[200], red[200], green[200], clear[200];
    snprintf(strict, sizeof strict, "%s", marked(STIX_TLP_AMBER_STRICT));
    snprintf(red, sizeof red, "%s", marked(STIX_TLP_RED));
    snprintf(green, sizeof green, "%s", marked(STIX_TLP_GREEN));
    snprintf(clear, sizeof clear, "%s", marked(STIX_TLP_CLEAR));
#define SCO(value, more)                                                                           \
    "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--00000000-0000-5000-8000-000000000030\","          \
    "\"value\":\"" value "\"" more "}"
#define SIGHTING                                                                                   \
    "{\"type\":\"sighting\",\"spec_version\":\"2.1\",\"id\":\"sighting--00000000-0000-4000-8000-"  \
    "000000000050\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00."  \
    "000Z\",\"sighting_of_ref\":\"" ID(10) "\"}"
    const struct {
        char who;
        const char *object;
        bool from_partner;
        const char *outcome, *id, *readers;
    } rows[] = {
        /* at home: the collection's default is amber */
        {'n', indicator(10, 1, ""), OWN, "accepted", ID(10), "antj"},
        {'n', indicator(10, 1, ""), OWN, "unchanged", ID(10), "antj"},
        {'n', reordered, OWN, "unchanged", ID(10), "antj"},
        {'n', indicator(10, 1, ",\"name\":\"new\""), OWN, "refused stix21-3.6-versioning", ID(10),
         "antj"},
        {'n', indicator(10, 2, ",\"name\":\"new\""), OWN, "accepted", ID(10), "antj"},
        {'t', indicator(10, 3, ""), OWN, "refused stix21-3.6-creator", ID(10), "antj"},
        {'t', indicator(10, 1, ""), OWN, "unchanged", ID(10), "antj"}, /* the same bytes are fine */
        {'n', indicator(10, 4, ",\"revoked\":true"), OWN, "accepted", ID(10), "antj"},
        {'n', indicator(10, 5, ""), OWN, "refused stix21-3.6-revoked", ID(10), "antj"},
        {'n', indicator(10, 3, ""), OWN, "accepted", ID(10),
         "antj"}, /* older than the revocation */
        /* markings */
        {'n', indicator(20, 1, clear), OWN, "accepted", ID(20), "antjdu"},
        {'n', indicator(21, 1, green), OWN, "accepted", ID(21), "antjd"},
        {'n', indicator(22, 1, strict), OWN, "accepted", ID(22), "n"},
        {'n', indicator(23, 1, red), OWN, "accepted", ID(23), "n"},
        {'n', indicator(24, 1, granular), OWN, "accepted", ID(24), "antj"},
        {'n', indicator(25, 1, ",\"labels\":[\"national-only\"]"), OWN, "accepted", ID(25), "ant"},
        {'n', amber_tool, OWN, "accepted", "tool--00000000-0000-4000-8000-000000000040", "ant"},
        /* observables have no version: each submitter's own, the latest counts */
        {'n', SCO("198.51.100.7", ""), OWN, "accepted",
         "ipv4-addr--00000000-0000-5000-8000-000000000030", "ant"},
        {'n', SCO("198.51.100.7", ""), OWN, "unchanged",
         "ipv4-addr--00000000-0000-5000-8000-000000000030", "ant"},
        {'n', SCO("198.51.100.8", ""), OWN, "accepted",
         "ipv4-addr--00000000-0000-5000-8000-000000000030", "ant"},
        /* from abroad: no arrival rule stands, so only what was pulled comes in */
        {'j', indicator(31, 1, clear), OWN, "refused policy-default", ID(31), ""},
        {'j', indicator(31, 1, clear), PARTNER, "accepted", ID(31), "antjdu"},
        {'j', indicator(32, 1, ""), PARTNER, "accepted", ID(32), "antj"},
        {'u', indicator(33, 1, ""), PARTNER, "accepted", ID(33), "antu"}, /* no third nation */
        {'j', indicator(10, 9, ""), PARTNER, "refused stix21-3.6-creator", ID(10), "antj"},
        /* roles */
        {'s', SIGHTING, OWN, "accepted", "sighting--00000000-0000-4000-8000-000000000050", "antj"},
        {'s', indicator(51, 1, ""), OWN, "refused setu-sensor", ID(51), ""},
        {'r', indicator(52, 1, ""), OWN, "FORBIDDEN", ID(52), ""},
        {'x', indicator(52, 1, ""), OWN, "FORBIDDEN", ID(52), ""},
        /* not STIX */
        {'n', "{\"type\":\"indicator\"}", OWN, NULL, ID(60), ""},
        {'n', "7", OWN, NULL, ID(60), ""},
        {'n', "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000061\"}", OWN,
         "refused stix21-8-bundle", ID(61), ""},
        {'n', indicator(62, 1, ",\"confidence\":101"), OWN, NULL, ID(62), ""},
        {'n', indicator(63, 1, ",\"pattern_version\":7"), OWN, NULL, ID(63), ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = submit(n, rows[i].who, &n->c, rows[i].object, rows[i].from_partner);
        if (rows[i].outcome)
            CHECK_TEXT(got, rows[i].outcome, "row %zu", i);
        else
            CHECK_ROW(strncmp(got, "refused stix21-", 15) == 0, "row %zu: %s", i, got);
        check_readers(n, &n->c, rows[i].id, rows[i].readers, i);
    }
    CHECK_TEXT(reads(n, 'x', &n->c, STORE_ALL), "FORBIDDEN", "an auditor reads the ledger only");
}

/* One envelope: objects stand for themselves, and the second of two equal ones is unchanged. */
static void test_batch(struct node *n)
{
    struct exchange_collection c;
    char all[6000];
    snprintf(all, sizeof all, "%s,%s,%s,%s,{},%s", indicator(1, 1, ""), indicator(1, 1, ""),
             indicator(1, 1, ",\"name\":\"x\""), indicator(1, 2, ""), indicator(2, 1, ""));
    node_collection(n, "batch", STIX_TLP_GREEN, &c);
    const char *got = submit(n, 't', &c, all, false);
    CHECK_ROW(strncmp(got,
                      "accepted,unchanged,refused stix21-3.6-versioning,accepted,refused stix21-",
                      72) == 0 &&
                  strcmp(got + strlen(got) - 9, ",accepted") == 0,
              "%s", got);
    CHECK_TEXT(reads(n, 'd', &c, STORE_LAST), "1@2 2@1", "a reader of green");
    CHECK_TEXT(reads(n, 'd', &c, STORE_ALL), "1@1 1@2 2@1", "a reader of green");
    CHECK_TEXT(reads(n, 'u', &c, STORE_ALL), "", "nobody else");
    CHECK_TEXT(submit(n, 't', &c, "", false), "", "no objects");
}

/* ---- versions and their readers ---- */

static void test_versions(struct node *n)
{
    struct exchange_collection c;
    node_collection(n, "versions", STIX_TLP_AMBER, &c);
    char clear[120];
    snprintf(clear, sizeof clear, "%s", marked(STIX_TLP_CLEAR));
    CHECK_TEXT(submit(n, 'n', &c, indicator(3, 5, clear), false), "accepted", "5");
    CHECK_TEXT(submit(n, 'n', &c, indicator(3, 3, ""), false), "accepted", "3");
    CHECK_TEXT(submit(n, 'n', &c, indicator(3, 7, marked(STIX_TLP_RED)), false), "accepted", "7");
    CHECK_TEXT(submit(n, 'n', &c, indicator(3, 1, clear), false), "accepted", "1");
    static const struct {
        char who;
        unsigned versions;
        const char *want;
    } rows[] = {
        {'n', STORE_LAST, "3@7"},
        {'n', STORE_ALL, "3@5 3@3 3@7 3@1"},
        {'j', STORE_LAST, "3@5"}, /* red is not released to this reader */
        {'j', STORE_FIRST, "3@1"},
        {'j', STORE_ALL, "3@5 3@3 3@1"},
        {'u', STORE_ALL, "3@5 3@1"},
        {'u', STORE_LAST, "3@5"},
        {'u', STORE_FIRST | STORE_LAST, "3@5 3@1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_TEXT(reads(n, rows[i].who, &c, rows[i].versions), rows[i].want, "%c", rows[i].who);
}

/* Who submits what stands here already may read it: it has the bytes. Nobody else gains. */
static void test_second_submitter(struct node *n)
{
    struct exchange_collection c, d;
    node_collection(n, "second", STIX_TLP_AMBER, &c);
    node_collection(n, "elsewhere", STIX_TLP_AMBER, &d);
    char strict[120];
    snprintf(strict, sizeof strict, "%s", marked(STIX_TLP_AMBER_STRICT));
    CHECK_TEXT(submit(n, 'n', &c, indicator(4, 1, strict), false), "accepted", "first");
    CHECK_TEXT(reads(n, 't', &c, STORE_LAST), "", "before");
    CHECK_TEXT(submit(n, 't', &c, indicator(4, 1, strict), false), "unchanged", "second");
    CHECK_TEXT(reads(n, 't', &c, STORE_LAST), "4@1", "after");
    CHECK_TEXT(submit(n, 't', &c, indicator(4, 1, strict), false), "unchanged", "again");
    CHECK_TEXT(reads(n, 't', &c, STORE_ALL), "4@1", "one row, not two");
    CHECK_TEXT(reads(n, 'n', &c, STORE_ALL), "4@1", "the first keeps its own");
    CHECK_TEXT(reads(n, 'a', &c, STORE_ALL), "", "others see nothing");

    /* In another collection the object is still its first submitter's: what one nation shared goes
     * to no third one because somebody at home passed it on. */
    CHECK_TEXT(submit(n, 'u', &c, indicator(5, 1, ""), true), "accepted", "from a partner");
    CHECK_TEXT(reads(n, 'j', &c, STORE_LAST), "", "no third nation");
    CHECK_TEXT(submit(n, 't', &d, indicator(5, 1, ""), false), "accepted", "passed on");
    CHECK_TEXT(reads(n, 't', &d, STORE_LAST), "5@1", "at home");
    CHECK_TEXT(reads(n, 'j', &d, STORE_LAST), "", "still no third nation");
    CHECK_TEXT(reads(n, 'u', &d, STORE_LAST), "5@1", "its source");
    CHECK(explained(n, INDICATOR_ID(5), 'j') == POLICY_DENIED);
}

/* ---- taking back ---- */

static const char *withdraw(struct node *n, char who, const struct exchange_collection *c,
                            const char *id, unsigned versions, int64_t version)
{
    static char text[20];
    struct err e = {0};
    int64_t us = (int64_t)1767225600000000 + version * 1000000;
    struct exchange_query q = {
        .collection = c, .versions = versions, .version_us = &us, .version_count = version != 0};
    bool ok = exchange_withdraw(n->s, person(n, who), &q, str_of(id), STR(""), &e);
    snprintf(text, sizeof text, "%s", ok ? "done" : err_name(e.code));
    return text;
}

static void test_withdraw(struct node *n)
{
    struct exchange_collection c, d;
    char all[9000], strict[120];
    node_collection(n, "withdraw", STIX_TLP_GREEN, &c);
    node_collection(n, "keep", STIX_TLP_GREEN, &d);
    snprintf(strict, sizeof strict, "%s", marked(STIX_TLP_AMBER_STRICT));
    snprintf(all, sizeof all, "%s,%s,%s,%s", indicator(6, 1, ""), indicator(6, 2, ""),
             indicator(6, 3, ""), indicator(7, 1, strict));
    CHECK_TEXT(submit(n, 'n', &c, all, false), "accepted,accepted,accepted,accepted", "in");
    CHECK_TEXT(submit(n, 'n', &d, indicator(6, 2, ""), false), "accepted", "elsewhere too");
    static const struct {
        char who;
        const char *id;
        unsigned versions;
        int64_t version;
        const char *outcome, *left; /* as 'n' reads the collection */
    } rows[] = {
        {'t', INDICATOR_ID(6), STORE_ALL, 0, "FORBIDDEN", "6@1 6@2 6@3 7@1"},
        {'b', INDICATOR_ID(6), STORE_ALL, 0, "FORBIDDEN", "6@1 6@2 6@3 7@1"},
        {'r', INDICATOR_ID(6), STORE_ALL, 0, "FORBIDDEN", "6@1 6@2 6@3 7@1"},
        {'s', INDICATOR_ID(6), STORE_ALL, 0, "FORBIDDEN", "6@1 6@2 6@3 7@1"},
        {'x', INDICATOR_ID(6), STORE_ALL, 0, "FORBIDDEN", "6@1 6@2 6@3 7@1"},
        /* what one cannot see is not there, whoever it belongs to */
        {'t', INDICATOR_ID(7), STORE_ALL, 0, "NOT_FOUND", "6@1 6@2 6@3 7@1"},
        {'a', INDICATOR_ID(7), STORE_ALL, 0, "NOT_FOUND", "6@1 6@2 6@3 7@1"},
        {'n', INDICATOR_ID(9), STORE_ALL, 0, "NOT_FOUND", "6@1 6@2 6@3 7@1"},
        {'n', INDICATOR_ID(6), 0, 9, "NOT_FOUND", "6@1 6@2 6@3 7@1"},
        {'n', INDICATOR_ID(6), 0, 2, "done", "6@1 6@3 7@1"},
        {'n', INDICATOR_ID(6), 0, 2, "NOT_FOUND", "6@1 6@3 7@1"},
        {'n', INDICATOR_ID(6), STORE_LAST, 0, "done", "6@1 7@1"},
        {'a', INDICATOR_ID(6), STORE_ALL, 0, "done", "7@1"},
        {'n', INDICATOR_ID(6), STORE_ALL, 0, "NOT_FOUND", "7@1"},
        {'n', INDICATOR_ID(7), STORE_FIRST | STORE_LAST, 0, "done", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_TEXT(withdraw(n, rows[i].who, &c, rows[i].id, rows[i].versions, rows[i].version),
                   rows[i].outcome, "row %zu", i);
        CHECK_TEXT(reads(n, 'n', &c, STORE_ALL), rows[i].left, "row %zu", i);
    }
    CHECK_TEXT(reads(n, 'n', &d, STORE_ALL), "6@2", "the other collection");
    CHECK_TEXT(submit(n, 't', &c, indicator(7, 1, ""), false), "accepted",
               "an id that nobody holds is free");
}

/* ---- explaining, and what a session sees ---- */

static void test_explain(struct node *n)
{
    struct exchange_explanation x = {0};
    struct err e = {0};
    struct policy_party p;
    struct exchange_session *other = NULL;
    struct exchange_collection c;
    node_collection(n, "explain", STIX_TLP_AMBER, &c);
    CHECK(!exchange_explain(n->s, n->arena, STR("x"), &person(n, 'j')->party, &x, &e) &&
          e.code == ERR_NOT_FOUND);
    CHECK_TEXT(submit(n, 'n', &c, indicator(8, 1, ""), false), "accepted", "8");
    CHECK(
        exchange_explain(n->s, n->arena, str_of(INDICATOR_ID(8)), &person(n, 'j')->party, &x, &e));
    CHECK(x.decision == POLICY_RELEASED && x.rule.line == 8 && !x.copied &&
          str_eq(x.copy, str_of(indicator(8, 1, ""))));
    /* The explanation leaves no old view behind: the next reading sees what came in meanwhile. */
    CHECK(exchange_session_open(n->x, &other, &e));
    struct exchange_session *mine = n->s;
    n->s = other;
    CHECK_TEXT(submit(n, 'n', &c, indicator(9, 1, ""), false), "accepted", "9");
    n->s = mine;
    CHECK_TEXT(reads(n, 'j', &c, STORE_LAST), "8@1 9@1", "after an explanation");
    exchange_session_close(other);

    CHECK(exchange_party_find(n->s, n->arena, STR("cisa"), &p, &e) && str_eq(p.nation, STR("US")));
    CHECK(exchange_party_find(n->s, n->arena, STR("probe"), &p, &e) &&
          str_eq(p.org, STR("airtel")));
    CHECK(!exchange_party_find(n->s, n->arena, STR("nobody"), &p, &e) && e.code == ERR_NOT_FOUND);
}

/* Arrival rules: the refusal names its line. */
static void test_arrivals(void)
{
    static struct node n;
    node_make(&n, "arrivals",
              "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"
              "nation JP \"Japan\" { agency jpcert operator docomo }\n"
              "nation US \"United States\" { agency cisa }\n"
              "refuse from any label \"exercise\"\n"
              "accept from JP types indicator\n"
              "release to IN, JP\n");
    static const struct {
        char who;
        const char *extra;
        bool from_partner;
        const char *outcome;
    } rows[] = {
        {'j', "", false, "accepted"},
        {'j', ",\"labels\":[\"exercise\"]", false, "refused policy.conf:4"},
        {'n', ",\"labels\":[\"exercise\"]", false, "refused policy.conf:4"},
        {'n', "", false, "accepted"},
        {'u', "", false, "refused policy-default"},
        {'u', "", true, "refused policy-default"}, /* rules stand, and none accepts it */
    };
    for (int i = 0; i < (int)COUNT(rows); i++)
        CHECK_TEXT(submit(&n, rows[i].who, &n.c, indicator(100 + i, 1, rows[i].extra),
                          rows[i].from_partner),
                   rows[i].outcome, "row %d", i);
    node_done(&n);
}

/* ---- status ---- */

static bool status_of_test(const struct exchange_batch *b, struct buf *out)
{
    buf_printf(out, "{\"id\":\"%s\",\"outcomes\":\"%s\"}", exchange_batch_uuid(b), outcomes(b));
    return true;
}

static void test_status(struct node *n)
{
    struct parcel p;
    struct err e = {0};
    struct buf json;
    buf_init(&json, 0);
    CHECK(parcel_make(n->s, person(n, 'n'), &n->c, indicator(70, 1, ""), false, status_of_test, &p,
                      &e));
    struct str uuid = str_of(exchange_batch_uuid(p.b));
    CHECK(!exchange_status(n->s, person(n, 'n'), uuid, &json, &e) && e.code == ERR_NOT_FOUND);
    CHECK_ROW(exchange_commit_wait(n->x, p.b, &e), "%s", e.msg);
    CHECK(exchange_status(n->s, person(n, 'n'), uuid, &json, &e) && json.n);
    CHECK(str_ends(buf_view(&json), STR("\"outcomes\":\"accepted\"}")));
    /* another user of the same organisation, and another organisation */
    CHECK(!exchange_status(n->s, person(n, 'r'), uuid, &json, &e) && e.code == ERR_NOT_FOUND);
    CHECK(!exchange_status(n->s, person(n, 'j'), uuid, &json, &e) && e.code == ERR_NOT_FOUND);
    parcel_free(&p);
    buf_done(&json);
}

/* ---- group commit ---- */

enum { THREADS = 6, BATCHES = 40 };

struct note {
    sem_t *done;
    atomic_int calls, ok;
    enum err_code code; /* of a failure */
};

static void note_done(void *ctx, struct exchange_batch *b, bool ok, const struct err *e)
{
    struct note *note = ctx;
    (void)b;
    if (!ok)
        note->code = e->code;
    atomic_fetch_add(&note->calls, 1);
    atomic_fetch_add(&note->ok, ok);
    sem_post(note->done);
}

struct submitter {
    struct node *n;
    int number;
    bool ok;
};

static void *submit_many(void *arg)
{
    struct submitter *m = arg;
    struct exchange_session *s = NULL;
    static struct parcel parcels[THREADS][BATCHES];
    static struct note notes[THREADS][BATCHES];
    struct err e = {0};
    sem_t done;
    sem_init(&done, 0, 0);
    m->ok = exchange_session_open(m->n->x, &s, &e);
    int sent = 0;
    for (; sent < BATCHES && m->ok; sent++) {
        struct parcel *p = &parcels[m->number][sent];
        struct note *note = &notes[m->number][sent];
        note->done = &done;
        m->ok =
            parcel_make(s, person(m->n, 'n'), &m->n->c,
                        indicator(1000 + m->number * BATCHES + sent, 1, ""), false, NULL, p, &e) &&
            exchange_commit(m->n->x, p->b, note_done, note, &e);
    }
    for (int i = 0; i < sent; i++)
        sem_wait(&done);
    for (int i = 0; i < sent; i++) {
        m->ok = m->ok && notes[m->number][i].calls == 1 && notes[m->number][i].ok == 1;
        parcel_free(&parcels[m->number][i]);
    }
    exchange_session_close(s);
    sem_destroy(&done);
    return NULL;
}

static void test_group_commit(void)
{
    static struct node n;
    pthread_t threads[THREADS];
    struct submitter m[THREADS];
    node_make(&n, "group", NULL);
    for (int i = 0; i < THREADS; i++) {
        m[i] = (struct submitter){&n, i, false};
        CHECK(pthread_create(&threads[i], NULL, submit_many, &m[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_ROW(m[i].ok, "thread %d", i);
    }
    /* What was acknowledged is in the database, whoever looks. */
    struct exchange *again = NULL;
    struct err e = {0};
    exchange_session_close(n.s);
    CHECK(exchange_open(at("group"), &again, &e) && exchange_session_open(again, &n.s, &e));
    struct listing l = {.n = 0};
    struct exchange_query q = {
        .collection = &n.c, .after_us = INT64_MIN, .limit = 100000, .versions = STORE_LAST};
    bool more;
    CHECK(exchange_read(n.s, person(&n, 'a'), &q, list_row, &l, &more, &e));
    CHECK_ROW(l.rows == THREADS * BATCHES, "%zu rows", l.rows);
    exchange_session_close(n.s);
    n.s = NULL;
    exchange_close(again);
    node_done(&n);
}

/* ---- the queue, and jobs that share a transaction ---- */

static sem_t entered, go_on;

/* Runs in the writer's transaction: holds it until the test says so. */
static bool status_that_waits(const struct exchange_batch *b, struct buf *out)
{
    (void)b;
    sem_post(&entered);
    sem_wait(&go_on);
    buf_lit(out, "{}");
    return true;
}

static atomic_int good_calls;

/* Good the first time, in the shared transaction; not when the batch is alone. */
static bool status_good_once(const struct exchange_batch *b, struct buf *out)
{
    (void)b;
    buf_lit(out, "{}");
    return atomic_fetch_sub(&good_calls, 1) > 0;
}

static bool status_never(const struct exchange_batch *b, struct buf *out)
{
    (void)b;
    (void)out;
    return false;
}

struct sent {
    struct parcel p;
    struct note note;
};

static void send_one(struct node *n, struct sent *s, sem_t *done, const char *object,
                     exchange_status_fn *status)
{
    struct err e = {0};
    s->note = (struct note){.done = done};
    CHECK_ROW(parcel_make(n->s, person(n, 'n'), &n->c, object, false, status, &s->p, &e) &&
                  exchange_commit(n->x, s->p.b, note_done, &s->note, &e),
              "%s", e.msg);
}

/* One job that fails takes nothing with it, and what it had written counts for nobody. */
static void test_shared_transaction(void)
{
    static struct node n;
    struct sent hold, first, second, broken;
    sem_t done;
    node_make(&n, "shared", NULL);
    sem_init(&done, 0, 0);
    send_one(&n, &hold, &done, indicator(1, 1, ""), status_that_waits);
    sem_wait(&entered);
    atomic_store(&good_calls, 1);
    send_one(&n, &first, &done, indicator(2, 1, ""), status_good_once);
    send_one(&n, &second, &done, indicator(2, 1, ",\"name\":\"other\""), NULL);
    send_one(&n, &broken, &done, indicator(3, 1, ""), status_never);
    sem_post(&go_on);
    for (int i = 0; i < 4; i++)
        sem_wait(&done);
    CHECK(hold.note.ok == 1 && hold.note.calls == 1);
    CHECK(first.note.ok == 0 && first.note.calls == 1);
    CHECK(second.note.ok == 1 && second.note.calls == 1);
    CHECK(broken.note.ok == 0 && broken.note.calls == 1 && broken.note.code == ERR_INTERNAL);
    /* In the shared transaction it met the first one's content; alone it is the first. */
    CHECK_TEXT(outcomes(second.p.b), "accepted", "after the first was rolled back");
    CHECK_TEXT(exchange_batch_result(second.p.b, 0)->message.p,
               "released to IN, JP/jpcert (policy.conf:5)", "told");
    CHECK_TEXT(reads(&n, 'n', &n.c, STORE_ALL), "1@1 2@1", "what stands");
    struct sent *all[] = {&hold, &first, &second, &broken};
    for (size_t i = 0; i < COUNT(all); i++)
        parcel_free(&all[i]->p);
    sem_destroy(&done);
    node_done(&n);
}

static void test_full_queue(void)
{
    enum { MOST = LIMIT_EXCHANGE_QUEUE_BATCHES };
    static struct sent sent[MOST + 1];
    static struct node n;
    struct parcel one_more;
    struct note note;
    struct err e = {0};
    sem_t done;
    node_make(&n, "queue", NULL);
    sem_init(&done, 0, 0);
    send_one(&n, &sent[0], &done, indicator(1, 1, ""), status_that_waits);
    sem_wait(&entered);
    for (int i = 1; i <= MOST; i++)
        send_one(&n, &sent[i], &done, indicator(1 + i, 1, ""), NULL);
    note = (struct note){.done = &done};
    CHECK(parcel_make(n.s, person(&n, 'n'), &n.c, indicator(5000, 1, ""), false, NULL, &one_more,
                      &e));
    CHECK(!exchange_commit(n.x, one_more.b, note_done, &note, &e) && e.code == ERR_BUSY);
    CHECK(!exchange_commit_wait(n.x, one_more.b, &e) && e.code == ERR_BUSY);
    CHECK(!exchange_user_revoke(n.x, STR("reader"), &e) && e.code == ERR_BUSY);
    sem_post(&go_on);
    /* Closing waits for what was handed in. */
    exchange_session_close(n.s);
    exchange_close(n.x);
    int ok = 0;
    for (int i = 0; i <= MOST; i++) {
        ok += sent[i].note.ok == 1 && sent[i].note.calls == 1;
        parcel_free(&sent[i].p);
    }
    CHECK_ROW(ok == MOST + 1 && note.calls == 0, "%d", ok);
    n.s = NULL;
    n.x = NULL;
    CHECK(exchange_open(at("queue"), &n.x, &e) && exchange_session_open(n.x, &n.s, &e));
    CHECK_ROW(exchange_commit_wait(n.x, one_more.b, &e), "%s", e.msg); /* the caller kept it */
    parcel_free(&one_more);
    sem_destroy(&done);
    node_done(&n);
}

/* ---- what a sender is told, and what it leaves behind ---- */

static bool copy_text(void *ctx, const struct store_row *r)
{
    snprintf(ctx, 2000, "%.*s", (int)r->object->bytes.n, r->object->bytes.p);
    return false;
}

/* The message about one object that is refused. */
static const char *told(struct node *n, char who, const char *object)
{
    static char text[500];
    struct parcel p;
    struct err e = {0};
    CHECK(parcel_make(n->s, person(n, who), &n->c, object, false, NULL, &p, &e) &&
          exchange_commit_wait(n->x, p.b, &e));
    const struct exchange_result *r = exchange_batch_result(p.b, 0);
    snprintf(text, sizeof text, "%s: %.*s", exchange_outcome_name(r->outcome), STR_FMT(r->message));
    parcel_free(&p);
    return text;
}

static bool count_refusals(void *ctx, const struct exchange_leaf *l)
{
    struct ledger_record r;
    *(unsigned *)ctx += ledger_record_scan(l->record, &r) && r.kind == LEDGER_REFUSAL_RECORD;
    return true;
}

static unsigned refusals(struct node *n)
{
    unsigned count = 0;
    uint64_t size = 0;
    struct err e = {0};
    CHECK(exchange_ledger_size(n->s, &size, &e) &&
          exchange_ledger_each(n->s, NULL, 0, size, count_refusals, &count, &e));
    return count;
}

static void test_told(void)
{
    static struct node n;
    char copy[2000] = "", later[2000];
    bool more;
    struct err e = {0};
    node_make(&n, "told",
              "nation IN \"India\" { agency cert-in, nciipc }\n"
              "nation JP \"Japan\" { agency jpcert }\n"
              "refuse from JP label \"secret-name\"\naccept from JP\n"
              "release to IN, JP\nredact drop $.x_secret to JP\n");
    const char *labelled = indicator(1, 1, ",\"labels\":[\"secret-name\"]");
    CHECK(strcmp(told(&n, 'j', labelled), "refused: a rule of this node refuses it") == 0);
    CHECK(refusals(&n) == 1);
    CHECK(strcmp(told(&n, 'j', labelled), "refused: a rule of this node refuses it") == 0);
    CHECK(refusals(&n) == 2);
    /* A copy's id is this node's own: nobody gives it a later version. */
    CHECK(strcmp(submit(&n, 'a', &n.c, indicator(2, 1, ",\"x_secret\":\"s\""), false),
                 "accepted") == 0);
    struct exchange_query q = {.collection = &n.c,
                               .after_us = INT64_MIN,
                               .limit = 1,
                               .versions = STORE_ALL,
                               .with_bytes = true,
                               .types = &STR("indicator"),
                               .type_count = 1};
    CHECK(exchange_read(n.s, person(&n, 'j'), &q, copy_text, copy, &more, &e));
    char *modified = strstr(copy, "\"modified\":\"2026-01-01T00:00:01");
    CHECK(modified != NULL && !strstr(copy, "x_secret"));
    snprintf(later, sizeof later, "%s", copy);
    if (modified)
        later[modified - copy + (ptrdiff_t)strlen("\"modified\":\"2026-01-01T00:00:0")] = '9';
    CHECK(strcmp(submit(&n, 'a', &n.c, later, false), "refused setu-copy") == 0);
    CHECK(refusals(&n) == 3);
    node_done(&n);
}

static bool note_entry(void *ctx, const struct exchange_desk_entry *d)
{
    *(int64_t *)ctx = d->desk.id;
    return true;
}

/* Only officers and administrators of the node's own organisation decide. */
static void test_officers(void)
{
    static struct node n;
    struct err e = {0};
    int64_t id = 0;
    enum store_desk_state state = STORE_DESK_VOID;
    node_make(&n, "officers",
              "nation IN \"India\" { agency cert-in, nciipc operator airtel }\n"
              "nation JP \"Japan\" { agency jpcert operator docomo }\n"
              "release to IN\nhold to JP\n");
    const char *said = submit(&n, 'n', &n.c, indicator(1, 1, marked(STIX_TLP_GREEN)), false);
    CHECK_ROW(strncmp(said, "held", 4) == 0, "%s", said);
    CHECK(exchange_desk_each(n.s, n.arena, false, note_entry, &id, &e) && id > 0);
    for (const char *who = "ntjdusrxb"; *who; who++) {
        struct exchange_verdict v = {.officer = person(&n, *who), .id = id};
        e = (struct err){0};
        CHECK_ROW(!exchange_desk_decide(n.s, &v, &state, &e) && e.code == ERR_FORBIDDEN, "%c: %s",
                  *who, e.msg);
    }
    struct principal neighbour = *person(&n, 'a'); /* an officer of another agency here */
    neighbour.party.org = STR("nciipc");
    struct exchange_verdict v = {.officer = &neighbour, .id = id};
    CHECK(!exchange_desk_decide(n.s, &v, &state, &e) && e.code == ERR_FORBIDDEN);
    v.officer = person(&n, 'a');
    CHECK_ROW(exchange_desk_decide(n.s, &v, &state, &e) && state == STORE_DESK_APPROVED, "%s",
              e.msg);
    node_done(&n);
}

static bool put_nothing(const struct exchange_batch *b, struct buf *out)
{
    (void)b;
    buf_lit(out, "{}");
    return true;
}

static void note_deferred(void *ctx, struct exchange_batch *b, bool ok, const struct err *e)
{
    CHECK_ROW(ok, "%s", e->msg);
    *(bool *)ctx = ok;
    exchange_batch_free(b);
}

/* What the writer takes in while the exchange closes is kept, and wakes nobody who is gone. The
 * thread sanitizer sees a lock that is. */
static void test_deferred_at_the_end(void)
{
    struct node n;
    struct exchange_batch *b;
    struct exchange *x;
    struct exchange_session *s;
    const struct json *doc;
    struct store_backlog log;
    struct err e = {0};
    bool done = false;
    node_make(&n, "deferred", NULL);
    struct exchange_submission sub = {
        .who = person(&n, 'n'), .collection = &n.c, .status = put_nothing};
    struct arena *a = arena_new(1 << 20);
    struct str text = arena_printf(a, "[%s]", indicator(1, 1, ""));
    CHECK_ROW(json_parse(exchange_session_json(n.s), a, text, false, &doc, &e) &&
                  exchange_defer(&sub, text, doc->u.child, 1, &b, &e) &&
                  exchange_commit(n.x, b, note_deferred, &done, &e),
              "%s", e.msg);
    node_done(&n);
    CHECK(done);
    CHECK_ROW(exchange_open(at("deferred"), &x, &e) && exchange_session_open(x, &s, &e) &&
                  exchange_backlog(s, &log, &e) && log.count == 1,
              "%s", e.msg);
    exchange_session_close(s);
    exchange_close(x);
    arena_free(a);
}

int main(void)
{
    static struct node n;
    struct err e;
    if (!crypt_init(&e) || !faults_install())
        return 1;
    sem_init(&entered, 0, 0);
    sem_init(&go_on, 0, 0);
    folder_make("exchange");
    test_init();
    test_init_places();
    test_template();
    test_config();
    test_config_again();
    test_broken_nodes();
    node_make(&n, "node", NULL);
    test_cost_of_refusals(&n);
    test_tokens(&n);
    test_certificates(&n);
    test_users_refused(&n);
    test_collections(&n);
    test_outcomes(&n);
    test_batch(&n);
    test_versions(&n);
    test_second_submitter(&n);
    test_withdraw(&n);
    test_explain(&n);
    test_status(&n);
    node_done(&n);
    test_arrivals();
    test_told();
    test_officers();
    test_group_commit();
    test_shared_transaction();
    test_full_queue();
    test_deferred_at_the_end();
    folder_remove();
    TEST_END();
}
