/*
 * A node made of a backup. The file is read twice: once to believe it, to its last byte, before
 * anything is written; once to unpack it beside the place where the node is to be, which it takes
 * when all else has been checked.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/archive_priv.h"
#include "exchange/gate_priv.h"

#define PIECE_BYTES   (1u << 20)
#define FACTS_MOST    (64u << 10)
#define FINDING_BYTES 200

struct member {
    struct archive_member m;
    uint64_t at; /* of its contents in the file */
    unsigned char digest[CRYPT_SHA256_BYTES];
};

struct restoring {
    const struct exchange_restore_options *o;
    struct file_in in;
    struct crypt_hash hash; /* of the whole file */
    struct member *list;
    size_t count, room;
    struct buf facts_text, sums;
    struct archive_facts facts;
    struct arena *arena;
    char *piece;
    char final[LIMIT_PATH_BYTES], dir[LIMIT_PATH_BYTES + 32];
    uint64_t done, all;
    struct exchange_restore result;
};

static bool damaged(const struct restoring *r, struct err *e, const char *why)
{
    return err_set(e, ERR_INVALID, "%s: %s: take another backup, this one is damaged", r->o->file,
                   why);
}

/* ---- reading ---- */

static bool take(struct restoring *r, size_t n, struct err *e)
{
    struct str bytes = {r->piece, n};
    if (r->o->stop && r->o->stop())
        return err_set(e, ERR_BUSY, "stopped: nothing was restored");
    if (!file_in_take(&r->in, r->piece, n, e))
        return false;
    crypt_hash_add(&r->hash, bytes);
    r->done += n;
    if (r->o->progress)
        r->o->progress(r->o->ctx, r->done, r->all);
    return true;
}

/* Reads what a member holds; each piece goes to `fd` (below 0: nowhere) and to `keep` (or NULL). */
static bool take_contents(struct restoring *r, struct member *m, int fd, struct buf *keep,
                          struct err *e)
{
    struct crypt_hash hash;
    crypt_hash_begin(&hash);
    for (uint64_t left = m->m.bytes; left > 0;) {
        size_t n = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        if (!take(r, n, e))
            return false;
        crypt_hash_add(&hash, (struct str){r->piece, n});
        for (size_t put = 0; fd >= 0 && put < n;) {
            ssize_t w = write(fd, r->piece + put, n - put);
            if (w < 0)
                return err_errno(e, "cannot write", r->dir);
            put += (size_t)w;
        }
        if (keep)
            buf_put(keep, r->piece, n);
        left -= n;
    }
    crypt_hash_end(&hash, m->digest);
    return !keep || buf_ok(keep, e);
}

static bool take_zeros(struct restoring *r, size_t n, struct err *e)
{
    if (n && !take(r, n, e))
        return false;
    for (size_t i = 0; i < n; i++)
        if (r->piece[i])
            return damaged(r, e, "bytes stand between its files");
    return true;
}

/* ---- the first pass: is it whole, and a backup? ---- */

static uint64_t most_of(const char *name, uint64_t left)
{
    uint64_t most = LIMIT_BACKUP_FILE_BYTES;
    if (strcmp(name, ARCHIVE_DATABASE) == 0)
        most = left;
    else if (strcmp(name, ARCHIVE_FACTS) == 0)
        most = FACTS_MOST;
    else if (strcmp(name, ARCHIVE_SUMS) == 0)
        most = LIMIT_BACKUP_SUMS_BYTES;
    return most < left ? most : left;
}

static bool has(const struct restoring *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->list[i].m.name, name) == 0)
            return true;
    return false;
}

static bool check_member(const struct restoring *r, const struct archive_member *m, struct err *e)
{
    char why[200];
    if ((r->count == 0) != (strcmp(m->name, ARCHIVE_FACTS) == 0))
        return damaged(r, e, r->count ? "two sets of facts" : "its first file is none of facts");
    if (has(r, m->name) || (r->count && m->at_s != r->list[0].m.at_s)) {
        snprintf(why, sizeof why, "%s comes twice, or of another time", m->name);
        return damaged(r, e, why);
    }
    if (m->bytes <= most_of(m->name, r->in.size - r->in.at))
        return true;
    snprintf(why, sizeof why, "%s would have %llu bytes, more than there are or may be", m->name,
             (unsigned long long)m->bytes);
    return damaged(r, e, why);
}

static bool next_member(struct restoring *r, struct err *e)
{
    struct archive_member m;
    void *items = r->list;
    if (r->count == LIMIT_BACKUP_FILES + 4)
        return damaged(r, e, "it has too many files");
    if (!base_grow(&items, &r->room, r->count + 1, sizeof *r->list))
        return err_set(e, ERR_MEMORY, "out of memory");
    r->list = items;
    uint64_t at = r->in.at;
    if (!take(r, ARCHIVE_BLOCK, e))
        return false;
    if (!archive_header_get((unsigned char *)r->piece, &m, e))
        return err_prefix(e, "%s: what stands at byte %llu", r->o->file, (unsigned long long)at);
    if (!check_member(r, &m, e))
        return false;
    struct member *next = &r->list[r->count];
    *next = (struct member){.m = m, .at = r->in.at};
    struct buf *keep = strcmp(m.name, ARCHIVE_FACTS) == 0  ? &r->facts_text
                       : strcmp(m.name, ARCHIVE_SUMS) == 0 ? &r->sums
                                                           : NULL;
    if (!take_contents(r, next, -1, keep, e) || !take_zeros(r, archive_padding(m.bytes), e))
        return false;
    r->count++;
    return true;
}

/* The list at the end names all before it, in order, with what they hold. */
static bool check_sums(const struct restoring *r, struct err *e)
{
    struct str rest = buf_view(&r->sums);
    char why[200];
    struct buf line;
    buf_init(&line, 0);
    bool ok = true;
    for (size_t i = 0; i + 1 < r->count && ok; i++) {
        buf_clear(&line);
        buf_hex(&line, r->list[i].digest, CRYPT_SHA256_BYTES);
        buf_printf(&line, "  %s\n", r->list[i].m.name);
        ok = buf_ok(&line, e);
        if (ok && !str_starts(rest, buf_view(&line))) {
            snprintf(why, sizeof why, "%s is not as " ARCHIVE_SUMS " says", r->list[i].m.name);
            ok = damaged(r, e, why);
        }
        rest = str_from(rest, line.n);
    }
    buf_done(&line);
    return ok && (rest.n == 0 || damaged(r, e, ARCHIVE_SUMS " names more than there is"));
}

static bool check_needed(const struct restoring *r, struct err *e)
{
    static const char *const needed[] = {"setu.conf", "policy.conf", "node.key", ARCHIVE_DATABASE};
    char why[100];
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (has(r, needed[i]))
            continue;
        snprintf(why, sizeof why, "%s is missing", needed[i]);
        return damaged(r, e, why);
    }
    return true;
}

/* Whoever polls this node holds instants that its clock had reached. */
static bool check_facts(struct restoring *r, struct err *e)
{
    char now[INSTANT_TEXT_BYTES], then[INSTANT_TEXT_BYTES];
    if (!archive_facts_get(r->arena, buf_view(&r->facts_text), &r->facts, e))
        return err_prefix(e, "%s", r->o->file);
    if (r->facts.schema != store_schema())
        return err_set(e, ERR_STORE_VERSION,
                       "%s: its database has schema %llu, this program knows "
                       "%u: restore it with the setu that made it",
                       r->o->file, (unsigned long long)r->facts.schema, store_schema());
    if (now_us() >= r->facts.at_us)
        return true;
    instant_text(instant_now(), 0, now);
    instant_text(instant_of_us(r->facts.at_us), 0, then);
    return err_set(
        e, ERR_CONFLICT,
        "%s was made at %s, and the clock here says %s: set the clock, else readers would "
        "miss what is released",
        r->o->file, then, now);
}

static bool check_archive(struct restoring *r, struct err *e)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    crypt_hash_begin(&r->hash);
    do {
        if (!next_member(r, e))
            return false;
    } while (strcmp(r->list[r->count - 1].m.name, ARCHIVE_SUMS) != 0);
    if (!take_zeros(r, 2 * ARCHIVE_BLOCK, e))
        return false;
    if (r->in.at != r->in.size)
        return damaged(r, e, "something stands behind its end");
    crypt_hash_end(&r->hash, digest);
    ledger_hex(digest, r->result.digest);
    return check_sums(r, e) && check_needed(r, e) && check_facts(r, e);
}

/* ---- the second pass: unpacking ---- */

static bool unpack_to(struct restoring *r, struct member *m, int fd, const char *path,
                      struct err *e)
{
    unsigned char before[CRYPT_SHA256_BYTES];
    memcpy(before, m->digest, sizeof before);
    r->in.at = m->at;
    if (!take_contents(r, m, fd, NULL, e))
        return false;
    if (memcmp(before, m->digest, sizeof before) != 0)
        return damaged(r, e, "it changed while it was read");
    return (fchmod(fd, archive_mode(str_of(m->m.name))) == 0 && fsync(fd) == 0) ||
           err_errno(e, "cannot write", path);
}

static bool unpack_member(struct restoring *r, struct member *m, struct err *e)
{
    char path[sizeof r->dir + ARCHIVE_NAME_BYTES + 1];
    snprintf(path, sizeof path, "%s/%s", r->dir, m->m.name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "cannot create", path);
    bool ok = unpack_to(r, m, fd, path, e);
    if (close(fd) != 0 && ok)
        ok = err_errno(e, "cannot write", path);
    return ok;
}

static bool make_folder(const struct restoring *r, const char *name, struct err *e)
{
    char path[sizeof r->dir + 16];
    snprintf(path, sizeof path, "%s%s%s", r->dir, name[0] ? "/" : "", name);
    return mkdir(path, 0700) == 0 || err_errno(e, "cannot create", path);
}

/* All but the facts, which come first, and the digests, which come last. */
static bool unpack(struct restoring *r, struct err *e)
{
    bool ok = make_folder(r, "", e) && make_folder(r, "tls", e) && make_folder(r, "peers", e);
    for (size_t i = 1; i + 1 < r->count && ok; i++)
        ok = unpack_member(r, &r->list[i], e);
    return ok;
}

/* ---- what came out ---- */

struct finding {
    char text[FINDING_BYTES];
};

static bool note_finding(void *ctx, struct str text)
{
    struct finding *f = ctx;
    snprintf(f->text, sizeof f->text, "%.*s", STR_FMT(text));
    return false;
}

static bool check_head(const struct restoring *r, struct store *s, struct err *e)
{
    struct ledger_tiles tiles = store_ledger_tiles(s);
    struct ledger_tree tree;
    struct ledger_head head;
    char root[LEDGER_HEX_BYTES];
    uint64_t size;
    if (!store_ledger_size(s, &size, e))
        return false;
    if (size != r->facts.size)
        return damaged(r, e, "its ledger has not as many leaves as it states");
    if (!ledger_tree_read(&tiles, size, &tree, e))
        return false;
    ledger_tree_head(&tree, &head);
    ledger_hex(head.root.b, root);
    return str_eq((struct str){root, sizeof root}, r->facts.root) ||
           damaged(r, e, "its ledger has not the head that it states");
}

static bool check_database(const struct restoring *r, struct err *e)
{
    char path[sizeof r->dir + 16];
    struct store *s = NULL;
    struct finding f = {""};
    snprintf(path, sizeof path, "%s/" ARCHIVE_DATABASE, r->dir);
    bool ok = store_open(path, STORE_READ, &s, e) && store_check(s, true, note_finding, &f, e);
    if (ok && f.text[0])
        ok = damaged(r, e, f.text);
    ok = ok && check_head(r, s, e);
    store_close(s);
    return ok;
}

struct restore_job {
    struct exchange_waiter w;
    const struct restoring *r;
    uint64_t leaf;
};

static bool record_restore(struct exchange *x, struct store *s, struct exchange_job *job,
                           struct err *e)
{
    struct restore_job *j = (struct restore_job *)job;
    const struct gate_restoring g = {.size = j->r->facts.size,
                                     .backup_us = j->r->facts.at_us,
                                     .digest = {j->r->result.digest, LEDGER_HEX_BYTES}};
    (void)s;
    return gate_restored(x->gate, &g, &j->leaf, e);
}

static bool record(struct restoring *r, struct err *e)
{
    struct restore_job j = {.r = r, .w = {.job = {.apply = record_restore}}};
    struct exchange *x = NULL;
    bool ok = exchange_open(r->dir, &x, e) && exchange_run(x, &j.w, e);
    exchange_close(x);
    r->result.leaf = j.leaf;
    return ok;
}

/* ---- the whole ---- */

/* Names become durable from the inside out; the last step gives the node its place. */
static bool settle(const struct restoring *r, struct err *e)
{
    static const char *const inside[] = {"tls/", "peers/", ""};
    char path[sizeof r->dir + 16];
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        snprintf(path, sizeof path, "%s/%s", r->dir, inside[i]);
        if (!file_sync_folder(path, e))
            return false;
    }
    if (rename(r->dir, r->final) != 0)
        return err_errno(e, "cannot create", r->final);
    if (file_sync_folder(r->final, e))
        return true;
    if (rename(r->final, r->dir) != 0)
        return err_hint(e, "%s stands, but perhaps not after a power cut", r->final);
    return false;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

static bool plan(struct restoring *r, struct err *e)
{
    size_t n = strlen(r->o->dir);
    while (n > 1 && r->o->dir[n - 1] == '/')
        n--;
    if (n == 0 || n > LIMIT_PATH_BYTES - 64)
        return err_set(e, ERR_USAGE, "DIR is empty or too long");
    snprintf(r->final, sizeof r->final, "%.*s", (int)n, r->o->dir);
    snprintf(r->dir, sizeof r->dir, "%.*s.restore-%ld", (int)n, r->o->dir, (long)getpid());
    if (!exchange_place_free(r->final))
        return err_set(e, ERR_CONFLICT, "%s exists and is not an empty directory; choose another",
                       r->final);
    r->arena = arena_new(FACTS_MOST * 8);
    r->piece = base_alloc(PIECE_BYTES);
    return (r->arena && r->piece) || err_set(e, ERR_MEMORY, "out of memory");
}

static bool make(struct restoring *r, struct err *e)
{
    bool ok = unpack(r, e) && check_database(r, e) && record(r, e) && settle(r, e);
    if (!ok)
        nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return ok;
}

bool exchange_restore(const struct exchange_restore_options *o, struct exchange_restore *out,
                      struct err *e)
{
    struct restoring r = {.o = o, .in = {.fd = -1}};
    buf_init(&r.facts_text, FACTS_MOST);
    buf_init(&r.sums, LIMIT_BACKUP_SUMS_BYTES);
    bool ok = plan(&r, e) && file_in_open(&r.in, o->file, e);
    r.all = 2 * r.in.size;
    ok = ok && check_archive(&r, e) && make(&r, e);
    file_in_close(&r.in);
    if (r.piece)
        crypt_wipe(r.piece, PIECE_BYTES);
    base_free(r.piece);
    base_free(r.list);
    buf_done(&r.facts_text);
    buf_done(&r.sums);
    if (ok) {
        *out = r.result;
        out->size = r.facts.size;
        out->files = r.count - 2;
        out->backup_us = r.facts.at_us;
        out->digest[LEDGER_HEX_BYTES] = '\0';
    }
    arena_free(r.arena);
    return ok;
}
