/* A node's folder: making it, opening it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/exchange_priv.h"

#define CERT_DAYS 825
#define CA_DAYS   3650

static bool guard_open(struct exchange *x, struct err *e)
{
    const struct exchange_config *c = &x->config;
    char path[LIMIT_PATH_BYTES];
    x->guard = stix_guard_new();
    if (!x->guard)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = (stix_guard_plmns(x->guard, c->home_plmns, e) || err_prefix(e, "home-plmns")) &&
              (stix_guard_numbers(x->guard, c->home_numbers, e) || err_prefix(e, "home-numbers")) &&
              (stix_guard_users(x->guard, c->user_prefixes, e) || err_prefix(e, "user-prefixes"));
    return ok || err_prefix(e, "%s", exchange_path(x, "setu.conf", path));
}

/* ---- opening ---- */

const char *exchange_path(const struct exchange *x, const char *name, char out[LIMIT_PATH_BYTES])
{
    snprintf(out, LIMIT_PATH_BYTES, "%s/%s", x->dir, name);
    return out;
}

bool exchange_open(const char *dir, struct exchange **out, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    struct store *probe = NULL;
    struct exchange *x = base_alloc(sizeof *x);
    if (!x || !(x->arena = arena_new(1 << 20))) {
        base_free(x);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->wake, NULL);
    pthread_mutex_init(&x->failures_lock, NULL);
    bool ok = exchange_pages_init(&x->pages) || err_set(e, ERR_MEMORY, "out of memory");
    exchange_recents_init(&x->recents);
    exchange_watches_init(&x->watches);
    exchange_later_init(&x->later);
    exchange_wal_init(&x->wal);
    exchange_beside_init(&x->beside);
    x->last = &x->first;
    x->dir = arena_cstr(x->arena, str_of(dir));
    ok = ok && arena_ok(x->arena, e);
    if (ok && access(exchange_path(x, "setu.conf", path), F_OK) != 0)
        ok = errno == ENOENT || errno == ENOTDIR
                 ? err_set(e, ERR_NOT_FOUND, "%s is no node: `setu init %s` makes one", dir, dir)
                 : err_errno(e, "cannot look at", path);
    ok = ok && exchange_config_open(x, e) && guard_open(x, e) &&
         crypt_key_file(exchange_path(x, "node.key", path), false, x->key, e) &&
         store_open(exchange_path(x, "setu.db", path), STORE_READ, &probe, e) &&
         exchange_policy_open(x, probe, e);
    store_close(probe);
    if (!ok) {
        exchange_close(x);
        return false;
    }
    *out = x;
    return true;
}

void exchange_close(struct exchange *x)
{
    if (!x)
        return;
    exchange_later_stop(x);
    exchange_failures_flush(x);
    exchange_writer_stop(x);
    exchange_wal_stop(&x->wal);
    exchange_beside_stop(&x->beside);
    exchange_later_done(&x->later);
    exchange_policy_free(x);
    exchange_watches_done(&x->watches);
    exchange_recents_done(&x->recents);
    exchange_pages_done(&x->pages);
    stix_guard_free(x->guard);
    exchange_config_done(x);
    pthread_mutex_destroy(&x->failures_lock);
    arena_free(x->arena);
    pthread_cond_destroy(&x->wake);
    pthread_mutex_destroy(&x->lock);
    base_free(x);
}

const char *exchange_dir(const struct exchange *x)
{
    return x->dir;
}

void exchange_mac(const struct exchange *x, struct str data, unsigned char out[32])
{
    crypt_hmac_sha256(x->key, data, out);
}

/* ---- making ---- */

/* What `setu init` has worked out before it touches the disk. */
struct making {
    const struct exchange_init *i;
    char final[LIMIT_PATH_BYTES], dir[LIMIT_PATH_BYTES];
    char org[LIMIT_NAME_BYTES + 1], identity[64], listen[256], hosts[512];
};

/* A name for policy.conf from a free title: lower case letters, digits and hyphens. */
static void slug(struct str title, char out[LIMIT_NAME_BYTES + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < title.n && n < LIMIT_NAME_BYTES; i++) {
        char c = title.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[n++] = c;
        else if (n && out[n - 1] != '-')
            out[n++] = '-';
    }
    while (n && out[n - 1] == '-')
        n--;
    out[n] = '\0';
}

static bool put_text(const struct making *m, const char *name, struct str text, unsigned mode,
                     struct err *e)
{
    char path[LIMIT_PATH_BYTES + 64];
    snprintf(path, sizeof path, "%s/%s", m->dir, name);
    return file_write(path, text, mode, e);
}

static bool make_config(const struct making *m, struct err *e)
{
    struct buf b;
    buf_init(&b, 0);
    buf_printf(&b,
               "# setu.conf: one setting a line. See setu(1).\n"
               "name \"%.*s\"\nnation %.*s\norg %s\nidentity %s\nlisten %s\n"
               "# public-url https://cti.example.org\n# api-root api\n# max-body-bytes %u\n# "
               "page-max %u\n",
               STR_FMT(m->i->name), STR_FMT(m->i->nation), m->org, m->identity, m->listen,
               LIMIT_HTTP_BODY_BYTES, LIMIT_TAXII_PAGE_MAX);
    bool ok = buf_ok(&b, e) && put_text(m, "setu.conf", buf_view(&b), 0640, e);
    buf_clear(&b);
    ok = ok && policy_default_text(m->i->nation, m->i->nation, str_of(m->org), &b, e) &&
         put_text(m, "policy.conf", buf_view(&b), 0640, e);
    buf_done(&b);
    return ok;
}

static bool make_keys(const struct making *m, struct err *e)
{
    struct buf ca, ca_key, cert, key;
    unsigned char node_key[CRYPT_KEY_BYTES];
    char path[LIMIT_PATH_BYTES + 64];
    struct str name = m->i->name;
    buf_init(&ca, 0);
    buf_init(&ca_key, 0);
    buf_init(&cert, 0);
    buf_init(&key, 0);
    struct arena *a = arena_new(4096 * 8);
    struct str ca_name = a ? arena_printf(a, "%.*s CA", STR_FMT(name)) : STR_NONE;
    if (!ca_name.n)
        err_set(e, ERR_MEMORY, "out of memory");
    snprintf(path, sizeof path, "%s/node.key", m->dir);
    bool ok = ca_name.n && crypt_key_file(path, true, node_key, e) &&
              crypt_ca_make(ca_name, CA_DAYS, &ca, &ca_key, e) &&
              crypt_cert_issue(buf_view(&ca), buf_view(&ca_key), name, str_of(m->hosts), CERT_DAYS,
                               &cert, &key, e) &&
              put_text(m, "tls/ca.pem", buf_view(&ca), 0644, e) &&
              put_text(m, "tls/ca.key", buf_view(&ca_key), 0600, e) &&
              put_text(m, "tls/node.pem", buf_view(&cert), 0644, e) &&
              put_text(m, "tls/node.key", buf_view(&key), 0600, e);
    arena_free(a);
    buf_done(&ca);
    buf_done(&ca_key);
    buf_done(&cert);
    buf_done(&key);
    return ok;
}

static bool make_store(const struct making *m, struct str admin, char token[64], struct err *e)
{
    char path[LIMIT_PATH_BYTES + 64];
    struct exchange *x = NULL;
    snprintf(path, sizeof path, "%s/setu.db", m->dir);
    struct exchange_user_new u = {.name = admin,
                                  .org = str_of(m->org),
                                  .nation = m->i->nation,
                                  .identity = str_of(m->identity),
                                  .role = EXCHANGE_ADMIN};
    bool ok =
        store_create(path, e) && exchange_open(m->dir, &x, e) && exchange_user_add(x, &u, token, e);
    exchange_close(x);
    return ok;
}

static bool make_all(struct making *m, struct str admin, char token[64], struct err *e)
{
    char tls[LIMIT_PATH_BYTES + 64];
    snprintf(tls, sizeof tls, "%s/tls", m->dir);
    if (mkdir(m->dir, 0700) != 0)
        return err_errno(e, "cannot create", m->final);
    if (mkdir(tls, 0700) != 0)
        return err_errno(e, "cannot create", tls);
    if (!make_config(m, e) || !make_keys(m, e) || !make_store(m, admin, token, e))
        return false;
    /* rename(2) replaces an empty folder and nothing else. */
    if (rename(m->dir, m->final) != 0)
        return err_errno(e, "cannot create", m->final);
    if (file_sync_folder(m->final, e))
        return true;
    if (rename(m->final, m->dir) != 0)
        return err_hint(e, "%s stands, but perhaps not after a power cut", m->final);
    return false;
}

/* Removes what make_all left behind; the names are its own. */
static void unmake(const struct making *m)
{
    static const char *const files[] = {"setu.conf",   "policy.conf",  "node.key",     "tls/ca.pem",
                                        "tls/ca.key",  "tls/node.pem", "tls/node.key", "setu.db",
                                        "setu.db-wal", "setu.db-shm",  "tls",          ""};
    char path[LIMIT_PATH_BYTES + 64];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", m->dir, files[i]);
        remove(path);
    }
}

/* Where it lies, where it listens, and for whom its certificate is. */
static bool plan_places(struct making *m, struct err *e)
{
    const struct exchange_init *i = m->i;
    struct str listen = i->listen.n ? i->listen : STR("127.0.0.1:6443");
    size_t n = strlen(i->dir);
    if (!exchange_listen_valid(listen) || listen.n >= sizeof m->listen)
        return err_set(e, ERR_USAGE, "--listen %.*s: write HOST:PORT, as 127.0.0.1:6443",
                       STR_FMT(listen));
    snprintf(m->listen, sizeof m->listen, "%.*s", STR_FMT(listen));
    int hosts = snprintf(m->hosts, sizeof m->hosts, "localhost,127.0.0.1,::1%s%.*s",
                         i->hosts.n ? "," : "", STR_FMT(i->hosts));
    if (hosts < 0 || (size_t)hosts >= sizeof m->hosts)
        return err_set(e, ERR_USAGE, "--hosts has more than %zu bytes: name fewer",
                       sizeof m->hosts - sizeof "localhost,127.0.0.1,::1,");
    while (n > 1 && i->dir[n - 1] == '/')
        n--;
    if (n == 0 || n > LIMIT_PATH_BYTES - 64)
        return err_set(e, ERR_USAGE, "DIR is empty or too long");
    snprintf(m->final, sizeof m->final, "%.*s", (int)n, i->dir);
    snprintf(m->dir, sizeof m->dir, "%.*s.init-%ld", (int)n, i->dir, (long)getpid());
    return true;
}

static bool plan(struct making *m, struct err *e)
{
    const struct exchange_init *i = m->i;
    char uuid[CRYPT_UUID_TEXT];
    if (i->name.n == 0 || i->name.n > LIMIT_NAME_BYTES || str_find(i->name, '"') < i->name.n ||
        exchange_has_control(i->name) || !utf8_valid(i->name))
        return err_set(e, ERR_USAGE,
                       "--name must be 1 to %d bytes of text without quotes and control characters",
                       LIMIT_NAME_BYTES);
    if (!policy_nation_valid(i->nation))
        return err_set(e, ERR_USAGE,
                       "--nation \"%.*s\": two capital letters (ISO 3166-1), as IN or JP",
                       STR_FMT(i->nation));
    slug(i->org.n ? i->org : i->name, m->org);
    if (!m->org[0])
        return err_set(e, ERR_USAGE, "--org NAME is needed: letters, digits and hyphens");
    if (i->org.n && !str_eq(i->org, str_of(m->org)))
        return err_set(e, ERR_USAGE,
                       "--org \"%.*s\": write it in lower case letters, digits and hyphens, as %s",
                       STR_FMT(i->org), m->org);
    crypt_uuid4(uuid);
    snprintf(m->identity, sizeof m->identity, "identity--%s", uuid);
    if (i->identity.n) {
        struct str type;
        if (!stix_id_parse(i->identity, &type, e) || !str_eq(type, STR("identity")) ||
            i->identity.n >= sizeof m->identity)
            return err_set(e, ERR_USAGE, "--identity must be a STIX id: identity--UUID");
        snprintf(m->identity, sizeof m->identity, "%.*s", STR_FMT(i->identity));
    }
    return plan_places(m, e);
}

bool exchange_place_free(const char *path)
{
    struct stat st;
    size_t names = 0;
    if (lstat(path, &st) != 0)
        return true; /* what else is wrong with it, mkdir tells */
    DIR *d = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
    if (!d)
        return false;
    for (const struct dirent *each = readdir(d); each; each = readdir(d))
        names += strcmp(each->d_name, ".") != 0 && strcmp(each->d_name, "..") != 0;
    closedir(d);
    return names == 0;
}

bool exchange_init(const struct exchange_init *i, struct str *user, char token[64], struct err *e)
{
    static const struct str admin = {"admin", 5};
    struct making m = {.i = i};
    if (!plan(&m, e))
        return false;
    /* An empty folder stays as it is until make_all's rename replaces it. */
    if (!exchange_place_free(m.final))
        return err_set(e, ERR_CONFLICT, "%s exists and is not an empty directory; choose another",
                       m.final);
    if (!make_all(&m, admin, token, e)) {
        unmake(&m);
        return false;
    }
    *user = admin;
    return true;
}
