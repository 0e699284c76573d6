/* What an administrator should know of a node: its files. The database is doctor_store.c's. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "exchange/doctor_priv.h"

#define MIB           (1u << 20)
#define FREE_LEAST    (100ull * MIB)
#define FREE_ENOUGH   (1024ull * MIB)
#define WAL_MOST      (256ull * MIB) /* four times what a checkpoint leaves */
#define WARNINGS_TOLD 5

static const char *const health_names[] = {"ok", "warning", "error"};

const char *exchange_health_name(enum exchange_health h)
{
    return health_names[h];
}

/* ---- telling ---- */

void doctor_look(struct doctor *d, const char *check)
{
    d->check = check;
    d->told = 0;
    arena_reset(d->arena);
}

static void tell(struct doctor *d, enum exchange_health h, const char *action, const char *message)
{
    const struct exchange_finding f = {d->check, h, str_of(message), str_of(action ? action : "")};
    d->told++;
    d->o->each(d->o->ctx, &f);
}

void doctor_tell(struct doctor *d, enum exchange_health h, const char *action, const char *fmt, ...)
{
    char message[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    tell(d, h, action, message);
}

void doctor_else_ok(struct doctor *d, const char *fmt, ...)
{
    char message[1024];
    va_list ap;
    if (d->told)
        return;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    tell(d, EXCHANGE_OK, NULL, message);
}

const char *doctor_day(int64_t us)
{
    static _Thread_local char texts[4][INSTANT_TEXT_BYTES];
    static _Thread_local unsigned turn;
    char *t = texts[turn++ % 4];
    instant_text(instant_of_us(us), 0, t);
    t[10] = '\0';
    return t;
}

bool doctor_read(struct doctor *d, const char *name, struct str *out)
{
    char path[LIMIT_PATH_BYTES];
    struct err e;
    if (file_read(exchange_path(&d->x, name, path), LIMIT_BACKUP_FILE_BYTES, out, &e))
        return true;
    doctor_tell(d, EXCHANGE_ERROR, "bring it back, from a backup if need be", "%s", e.msg);
    return false;
}

static void give_back(struct str text)
{
    crypt_wipe((void *)(uintptr_t)text.p, text.n);
    base_free((void *)(uintptr_t)text.p);
}

/* ---- the folder, setu.conf ---- */

static void look_at_folder(struct doctor *d)
{
    struct stat st;
    const char *dir = exchange_dir(&d->x);
    doctor_look(d, "directory");
    if (stat(dir, &st) != 0)
        doctor_tell(d, EXCHANGE_ERROR, NULL, "%s cannot be looked at", dir);
    else if (st.st_mode & 0022)
        doctor_tell(d, EXCHANGE_ERROR, "chmod 700 it", "others may write in %s", dir);
    else if (st.st_mode & 0055)
        doctor_tell(d, EXCHANGE_WARNING, "chmod 700 it", "others may look into %s", dir);
    doctor_else_ok(d, "%s is its owner's alone", dir);
}

static void look_at_configuration(struct doctor *d)
{
    struct err e;
    doctor_look(d, "configuration");
    d->configured = exchange_config_open(&d->x, &e);
    if (!d->configured)
        doctor_tell(d, EXCHANGE_ERROR, "mend the line, see setu(1)", "%s", e.msg);
    doctor_else_ok(d, "%.*s of %.*s, listens on %.*s", STR_FMT(d->x.config.org),
                   STR_FMT(d->x.config.nation), STR_FMT(d->x.config.listen));
}

/* ---- keys ---- */

static void look_at_secret(struct doctor *d, const char *name, bool needed)
{
    char path[LIMIT_PATH_BYTES];
    struct stat st;
    if (stat(exchange_path(&d->x, name, path), &st) != 0) {
        if (needed)
            doctor_tell(d, EXCHANGE_ERROR, "bring it back from a backup", "%s is missing", path);
        return;
    }
    if (st.st_mode & 0077)
        doctor_tell(d, EXCHANGE_ERROR, "chmod 600 it, and think of making another",
                    "others may read %s", path);
    if (access(path, R_OK) != 0)
        doctor_tell(d, EXCHANGE_ERROR, "give it to the user that runs the node",
                    "%s cannot be read by this user", path);
    if (strcmp(name, "node.key") == 0 && st.st_size != CRYPT_KEY_BYTES)
        doctor_tell(d, EXCHANGE_ERROR, "bring it back from a backup",
                    "%s has %lld bytes and not %d: it is no key of a node", path,
                    (long long)st.st_size, CRYPT_KEY_BYTES);
}

static void look_at_keys(struct doctor *d)
{
    char path[LIMIT_PATH_BYTES], name[LIMIT_PATH_BYTES];
    doctor_look(d, "keys");
    look_at_secret(d, "node.key", true);
    look_at_secret(d, "tls/node.key", true);
    look_at_secret(d, "tls/ca.key", false); /* a careful one keeps it elsewhere */
    DIR *peers = opendir(exchange_path(&d->x, "peers", path));
    for (const struct dirent *each = peers ? readdir(peers) : NULL; each; each = readdir(peers)) {
        struct str entry = str_of(each->d_name);
        snprintf(name, sizeof name, "peers/%s", each->d_name);
        if (str_ends(entry, STR(".token")) || str_ends(entry, STR(".password")))
            look_at_secret(d, name, true);
    }
    if (peers)
        closedir(peers);
    doctor_else_ok(d, "nobody but their owner reads them");
}

/* ---- certificates ---- */

void doctor_dates(struct doctor *d, const char *what, struct str pem, const char *action)
{
    struct crypt_cert c;
    struct err e;
    if (!crypt_cert_read(pem, &c, &e))
        doctor_tell(d, EXCHANGE_ERROR, action, "%s: %s", what, e.msg);
    else if (d->now_us < c.from_us)
        doctor_tell(d, EXCHANGE_ERROR, "look at the clock", "%s is valid from %s on only", what,
                    doctor_day(c.from_us));
    else if (d->now_us >= c.until_us)
        doctor_tell(d, EXCHANGE_ERROR, action, "%s has expired on %s", what,
                    doctor_day(c.until_us));
    else if (d->now_us + DOCTOR_SOON_US >= c.until_us)
        doctor_tell(d, EXCHANGE_WARNING, action, "%s expires on %s", what, doctor_day(c.until_us));
}

/* Of HOST:PORT, [HOST]:PORT, https://HOST/… the host; empty when it stands for every address. */
static struct str host_of(struct str s)
{
    static const char *const every[] = {"0.0.0.0", "::", "*"};
    if (str_starts(s, STR("https://")))
        s = str_from(s, 8);
    s = str_cut(&s, '/');
    struct str host = s;
    if (s.n && s.p[0] == '[')
        host = str_slice(s, 1, str_find(s, ']'));
    else
        host = str_cut(&s, ':');
    for (size_t i = 0; i < sizeof every / sizeof *every; i++)
        if (str_eq(host, str_of(every[i])))
            return STR_NONE;
    return host;
}

static void look_at_host(struct doctor *d, struct str pem, const char *setting, struct str value)
{
    struct str host = host_of(value);
    if (host.n && !crypt_cert_has_host(pem, host))
        doctor_tell(d, EXCHANGE_WARNING, "issue one with that name, or give `setu serve` your own",
                    "tls/node.pem is not for %.*s, which setu.conf has as %s", STR_FMT(host),
                    setting);
}

static void look_at_node_certificate(struct doctor *d, struct str pem, struct str ca)
{
    struct str key;
    struct err e;
    doctor_dates(d, "tls/node.pem", pem, "issue another, and give it to the partners");
    if (ca.n && !crypt_cert_issued_by(pem, ca))
        doctor_tell(d, EXCHANGE_ERROR, "give clients the authority that signed it as tls/ca.pem",
                    "tls/node.pem was not signed by tls/ca.pem");
    if (d->configured) {
        look_at_host(d, pem, "listen", d->x.config.listen);
        if (str_starts(d->x.config.public_url, STR("https://")))
            look_at_host(d, pem, "public-url", d->x.config.public_url);
    }
    if (!doctor_read(d, "tls/node.key", &key))
        return;
    if (!crypt_cert_has_key(pem, key, &e))
        doctor_tell(d, EXCHANGE_ERROR, "bring back the pair from a backup",
                    "tls/node.key does not fit tls/node.pem: %s", e.msg);
    give_back(key);
}

static void look_at_certificates(struct doctor *d)
{
    struct str ca = STR_NONE, pem;
    struct crypt_cert c = {0};
    struct err ignored;
    doctor_look(d, "certificates");
    if (doctor_read(d, "tls/ca.pem", &ca))
        doctor_dates(d, "tls/ca.pem", ca, "make another authority, and give it to the partners");
    if (doctor_read(d, "tls/node.pem", &pem)) {
        look_at_node_certificate(d, pem, ca);
        if (!crypt_cert_read(pem, &c, &ignored))
            c.until_us = 0;
        give_back(pem);
    }
    if (ca.p)
        give_back(ca);
    doctor_else_ok(d, "tls/node.pem is valid until %s", doctor_day(c.until_us));
}

/* ---- the policy's text ---- */

struct warnings {
    struct doctor *d;
    size_t count;
};

static void note_warning(void *ctx, unsigned line, struct str message)
{
    struct warnings *w = ctx;
    if (w->count++ < WARNINGS_TOLD)
        doctor_tell(w->d, EXCHANGE_WARNING, "see `setu policy check`", "policy.conf: line %u: %.*s",
                    line, STR_FMT(message));
}

static void look_at_policy(struct doctor *d)
{
    struct warnings w = {.d = d};
    const struct policy_check_options o = {"policy.conf", d->now_us, note_warning, &w};
    struct policy *p;
    struct str text;
    struct err e;
    doctor_look(d, "policy");
    if (!doctor_read(d, "policy.conf", &text))
        return;
    if (policy_check(text, &o, &p, &e))
        policy_free(p);
    else
        doctor_tell(d, EXCHANGE_ERROR, "mend it: the node does not start with it", "%s", e.msg);
    base_free((void *)(uintptr_t)text.p);
    if (w.count > WARNINGS_TOLD)
        doctor_tell(d, EXCHANGE_WARNING, "see `setu policy check`",
                    "policy.conf: %zu more such lines", w.count - WARNINGS_TOLD);
    doctor_else_ok(d, "policy.conf is in order");
}

/* ---- the disk ---- */

static uint64_t size_of(const struct doctor *d, const char *name)
{
    char path[LIMIT_PATH_BYTES];
    struct stat st;
    return stat(exchange_path(&d->x, name, path), &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void look_at_disk(struct doctor *d)
{
    struct statvfs fs;
    uint64_t database = size_of(d, "setu.db"), wal = size_of(d, "setu.db-wal");
    doctor_look(d, "disk");
    if (statvfs(exchange_dir(&d->x), &fs) != 0) {
        doctor_tell(d, EXCHANGE_ERROR, NULL, "the file system of %s does not answer",
                    exchange_dir(&d->x));
        return;
    }
    uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (left < FREE_LEAST)
        doctor_tell(d, EXCHANGE_ERROR, "make room: what arrives will be refused",
                    "only %llu MiB are free", (unsigned long long)(left / MIB));
    else if (left < FREE_ENOUGH || left < database)
        doctor_tell(d, EXCHANGE_WARNING, "make room",
                    "%llu MiB are free, and the database has %llu MiB",
                    (unsigned long long)(left / MIB), (unsigned long long)(database / MIB));
    if (wal > WAL_MOST)
        doctor_tell(
            d, EXCHANGE_WARNING,
            "find the process that has setu.db open and reads on (a backup, a sqlite3), and "
            "let it end",
            "setu.db-wal has %llu MiB: something keeps it from being taken in",
            (unsigned long long)(wal / MIB));
    doctor_else_ok(d, "%llu MiB are free; the database has %llu MiB, its write-ahead log %llu",
                   (unsigned long long)(left / MIB), (unsigned long long)(database / MIB),
                   (unsigned long long)(wal / MIB));
}

/* ---- the whole ---- */

void doctor_files(struct doctor *d)
{
    look_at_folder(d);
    look_at_configuration(d);
    look_at_keys(d);
    look_at_certificates(d);
    look_at_policy(d);
    look_at_disk(d);
}

bool exchange_doctor(const struct exchange_doctor_options *o, struct err *e)
{
    struct doctor d = {.o = o, .now_us = now_us()};
    char path[LIMIT_PATH_BYTES];
    struct stat st;
    d.x.arena = arena_new(1 << 20);
    d.arena = arena_new(64 << 20);
    bool ok = (d.x.arena && d.arena) || err_set(e, ERR_MEMORY, "out of memory");
    if (ok) {
        d.x.dir = arena_cstr(d.x.arena, str_of(o->dir));
        ok = arena_ok(d.x.arena, e) &&
             (stat(exchange_path(&d.x, "", path), &st) == 0 ||
              err_errno(e, "cannot look at", path)) &&
             (lstat(exchange_path(&d.x, "setu.conf", path), &st) == 0 ||
              lstat(exchange_path(&d.x, "setu.db", path), &st) == 0 ||
              err_set(e, ERR_NOT_FOUND, "%s is no node: `setu init %s` makes one", o->dir, o->dir));
    }
    if (ok) {
        doctor_files(&d);
        doctor_store(&d);
    }
    exchange_config_done(&d.x);
    arena_free(d.x.arena);
    arena_free(d.arena);
    return ok;
}
