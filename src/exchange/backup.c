/*
 * A backup: one file that holds a whole node, taken while others read and write it. For a moment
 * nobody writes, so that the small files and the database's state belong together; the database is
 * then copied as it was at that moment, beside the file, and all of it packed (archive_priv.h).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/archive_priv.h"
#include "exchange/gate_priv.h"

#define PIECE_BYTES (1u << 20)
/* For the progress alone. */
#define PAGE_BYTES 8192

struct small {
    char name[ARCHIVE_NAME_BYTES];
    struct str bytes;
};

struct backup {
    struct exchange *x;
    const struct exchange_backup_options *o;
    struct exchange_backup *result;
    struct small *files;
    size_t count, room, small_bytes;
    struct store *reader; /* in a transaction, as long as the copying takes */
    char copy[LIMIT_PATH_BYTES + 32], root[LEDGER_HEX_BYTES];
    struct archive_facts facts;
    struct file_out out;
    struct crypt_hash hash;
    struct buf sums;
    uint64_t written, done, all; /* done, all: of the progress */
};

static bool stopped(const struct backup *b, struct err *e)
{
    return b->o->stop && b->o->stop() && !err_set(e, ERR_BUSY, "stopped: nothing was written");
}

static void tell(const struct backup *b)
{
    if (b->o->progress)
        b->o->progress(b->o->ctx, b->done, b->all);
}

/* ---- the small files ---- */

static bool add_file(struct backup *b, const char *name, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    void *items = b->files;
    if (b->count == LIMIT_BACKUP_FILES)
        return err_set(e, ERR_LIMIT, "%s has more than %d files", exchange_dir(b->x),
                       LIMIT_BACKUP_FILES);
    if (!base_grow(&items, &b->room, b->count + 1, sizeof *b->files))
        return err_set(e, ERR_MEMORY, "out of memory");
    b->files = items;
    struct small *f = &b->files[b->count];
    *f = (struct small){.bytes = STR_NONE};
    snprintf(f->name, sizeof f->name, "%s", name);
    if (!file_read(exchange_path(b->x, name, path), LIMIT_BACKUP_FILE_BYTES, &f->bytes, e))
        return false;
    b->count++;
    b->small_bytes += f->bytes.n;
    return b->small_bytes <= LIMIT_BACKUP_FILES_BYTES ||
           err_set(e, ERR_LIMIT, "the files of %s beside its database have more than %u bytes",
                   exchange_dir(b->x), LIMIT_BACKUP_FILES_BYTES);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct small *)a)->name, ((const struct small *)b)->name);
}

/* Files of a folder, whatever they are called; what is no file, or hidden, stays out. */
static bool add_entry(struct backup *b, const char *folder, const char *entry, struct err *e)
{
    char name[2 * LIMIT_PATH_BYTES], path[LIMIT_PATH_BYTES];
    struct stat st;
    snprintf(name, sizeof name, "%s/%s", folder, entry);
    if (entry[0] == '.' || strlen(name) >= LIMIT_PATH_BYTES ||
        stat(exchange_path(b->x, name, path), &st) != 0 || !S_ISREG(st.st_mode))
        return true;
    if (!archive_name_valid(str_of(name)))
        return err_set(e, ERR_INVALID,
                       "%s: a file of a backup has a name of at most %d ASCII characters without "
                       "blanks: rename it",
                       path, ARCHIVE_NAME_BYTES - 1);
    return add_file(b, name, e);
}

static bool add_folder(struct backup *b, const char *folder, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    size_t first = b->count;
    bool ok = true;
    DIR *d = opendir(exchange_path(b->x, folder, path));
    if (!d)
        return errno == ENOENT || err_errno(e, "cannot read", path);
    for (const struct dirent *each = readdir(d); each && ok; each = readdir(d))
        ok = add_entry(b, folder, each->d_name, e);
    closedir(d);
    if (b->count > first)
        qsort(b->files + first, b->count - first, sizeof *b->files, by_name);
    return ok;
}

static bool add_files(struct backup *b, struct err *e)
{
    return add_file(b, "setu.conf", e) && add_file(b, "policy.conf", e) &&
           add_file(b, "node.key", e) && add_folder(b, "tls", e) && add_folder(b, "peers", e);
}

static void forget_files(struct backup *b)
{
    for (size_t i = 0; i < b->count; i++) {
        crypt_wipe((void *)(uintptr_t)b->files[i].bytes.p, b->files[i].bytes.n);
        base_free((void *)(uintptr_t)b->files[i].bytes.p);
    }
    base_free(b->files);
}

/* ---- one state of all ---- */

static bool read_head(struct backup *b, struct err *e)
{
    struct ledger_tiles tiles = store_ledger_tiles(b->reader);
    struct ledger_tree tree;
    struct ledger_head head;
    if (!store_ledger_size(b->reader, &b->facts.size, e) ||
        !ledger_tree_read(&tiles, b->facts.size, &tree, e))
        return false;
    ledger_tree_head(&tree, &head);
    ledger_hex(head.root.b, b->root);
    return true;
}

/* While the lock is held nobody writes: what applies a policy or adds a partner is either wholly
 * before this moment or wholly behind it, or says in the database how to go on. */
static bool fix_state(struct backup *b, struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    struct store *lock = NULL;
    exchange_path(b->x, ARCHIVE_DATABASE, path);
    bool ok = store_open(path, STORE_READ, &b->reader, e) &&
              store_open(path, STORE_WRITE, &lock, e) && store_begin(lock, e);
    if (ok) {
        const struct exchange_config *c = exchange_config(b->x);
        b->facts = (struct archive_facts){.at_us = now_us(),
                                          .schema = store_schema(),
                                          .name = c->name,
                                          .nation = c->nation,
                                          .org = c->org,
                                          .root = {b->root, sizeof b->root}};
        ok = add_files(b, e) && store_begin(b->reader, e) && read_head(b, e);
        store_rollback(lock);
    }
    store_close(lock);
    return ok;
}

static bool copied(void *ctx, uint64_t done, uint64_t all)
{
    struct backup *b = ctx;
    struct err ignored;
    b->done = done * PAGE_BYTES;
    b->all = 2 * all * PAGE_BYTES;
    tell(b);
    return !stopped(b, &ignored);
}

/* SQLite would make the file readable to others. */
static bool copy_database(struct backup *b, struct err *e)
{
    struct store_copying c = {.path = b->copy, .progress = copied, .ctx = b};
    unlink(b->copy);
    int fd = open(b->copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "cannot create", b->copy);
    close(fd);
    bool ok = store_copy(b->reader, &c, e);
    store_rollback(b->reader);
    return ok;
}

/* ---- packing ---- */

static bool put(struct backup *b, struct str bytes, struct err *e)
{
    crypt_hash_add(&b->hash, bytes);
    b->written += bytes.n;
    return file_out_put(&b->out, bytes, e);
}

static bool put_header(struct backup *b, const char *name, uint64_t bytes, struct err *e)
{
    unsigned char block[ARCHIVE_BLOCK];
    struct archive_member m = {.bytes = bytes, .at_s = b->facts.at_us / 1000000};
    snprintf(m.name, sizeof m.name, "%s", name);
    archive_header_put(&m, block);
    return put(b, (struct str){(const char *)block, sizeof block}, e);
}

static bool put_padding(struct backup *b, uint64_t bytes, struct err *e)
{
    static const char zeros[ARCHIVE_BLOCK];
    return put(b, (struct str){zeros, archive_padding(bytes)}, e);
}

static void note_sum(struct backup *b, const char *name, const unsigned char digest[32])
{
    buf_hex(&b->sums, digest, CRYPT_SHA256_BYTES);
    buf_printf(&b->sums, "  %s\n", name);
}

static bool put_member(struct backup *b, const char *name, struct str bytes, struct err *e)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    crypt_sha256(bytes, digest);
    note_sum(b, name, digest);
    return put_header(b, name, bytes.n, e) && put(b, bytes, e) && put_padding(b, bytes.n, e);
}

static bool put_contents(struct backup *b, struct file_in *in, char *piece, struct err *e)
{
    struct crypt_hash hash;
    unsigned char digest[CRYPT_SHA256_BYTES];
    crypt_hash_begin(&hash);
    b->done = in->size;
    b->all = 2 * in->size;
    while (in->at < in->size) {
        uint64_t left = in->size - in->at;
        struct str s = {piece, left < PIECE_BYTES ? (size_t)left : PIECE_BYTES};
        if (stopped(b, e) || !file_in_take(in, piece, s.n, e))
            return false;
        crypt_hash_add(&hash, s);
        if (!put(b, s, e))
            return false;
        b->done += s.n;
        tell(b);
    }
    crypt_hash_end(&hash, digest);
    note_sum(b, ARCHIVE_DATABASE, digest);
    return true;
}

static bool put_database(struct backup *b, struct err *e)
{
    struct file_in in;
    char *piece = base_alloc(PIECE_BYTES);
    if (!piece)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = file_in_open(&in, b->copy, e);
    if (ok) {
        ok = put_header(b, ARCHIVE_DATABASE, in.size, e) && put_contents(b, &in, piece, e) &&
             put_padding(b, in.size, e);
        file_in_close(&in);
    }
    base_free(piece);
    return ok;
}

static bool put_facts(struct backup *b, struct err *e)
{
    struct buf facts;
    buf_init(&facts, 0);
    archive_facts_put(&b->facts, &facts);
    bool ok = buf_ok(&facts, e) && put_member(b, ARCHIVE_FACTS, buf_view(&facts), e);
    buf_done(&facts);
    return ok;
}

static bool put_end(struct backup *b, struct err *e)
{
    static const char zeros[2 * ARCHIVE_BLOCK];
    struct str sums = buf_view(&b->sums);
    return buf_ok(&b->sums, e) && put_header(b, ARCHIVE_SUMS, sums.n, e) && put(b, sums, e) &&
           put_padding(b, sums.n, e) && put(b, (struct str){zeros, sizeof zeros}, e);
}

static bool put_all(struct backup *b, struct err *e)
{
    bool ok = put_facts(b, e);
    for (size_t i = 0; i < b->count && ok; i++)
        ok = put_member(b, b->files[i].name, b->files[i].bytes, e);
    return ok && put_database(b, e) && put_end(b, e);
}

/* ---- the file's place ---- */

static bool resolve(const char *path, char out[LIMIT_PATH_BYTES], struct err *e)
{
    char real[PATH_MAX];
    if (!realpath(path, real))
        return err_errno(e, "cannot look at", path);
    if (strlen(real) >= LIMIT_PATH_BYTES)
        return err_set(e, ERR_IO, "path is too long: %s", path);
    memcpy(out, real, strlen(real) + 1);
    return true;
}

/* Not among the node's own files, and in nobody's place. */
static bool check_place(const struct backup *b, struct err *e)
{
    char folder[LIMIT_PATH_BYTES], node[LIMIT_PATH_BYTES], real[LIMIT_PATH_BYTES];
    const char *file = b->o->file, *slash = strrchr(file, '/');
    size_t n = slash ? (size_t)(slash - file) + 1 : 0;
    if (strlen(file) >= LIMIT_PATH_BYTES || !file[n])
        return err_set(e, ERR_USAGE, "%s is no name of a file, or too long", file);
    memcpy(folder, n ? file : ".", n ? n : 1);
    folder[n ? n : 1] = '\0';
    if (!resolve(folder, real, e) || !resolve(exchange_dir(b->x), node, e))
        return false;
    n = strlen(node);
    if (strncmp(real, node, n) == 0 && (real[n] == '/' || !real[n]))
        return err_set(e, ERR_USAGE,
                       "%s lies in the node's own directory: a backup belongs elsewhere, best on "
                       "another disk",
                       file);
    if (file_is_dir(file))
        return err_set(e, ERR_USAGE, "%s is a directory: name a file in it", file);
    return b->o->force || !file_exists(file) ||
           err_set(e, ERR_CONFLICT, "%s exists: choose another name, or give --force", file);
}

/* ---- the whole ---- */

struct backup_job {
    struct exchange_waiter w;
    const struct exchange_backup *made;
};

static bool record_backup(struct exchange *x, struct store *s, struct exchange_job *j,
                          struct err *e)
{
    const struct exchange_backup *made = ((struct backup_job *)j)->made;
    struct ledger_record r = {.kind = LEDGER_BACKUP_RECORD};
    ledger_record_number(&r, LEDGER_SIZE, made->size);
    ledger_record_text(&r, LEDGER_DIGEST, str_of(made->digest));
    (void)s;
    return gate_act_for(x->gate, NULL, e) && gate_record(x->gate, &r, 0, e) &&
           gate_backup_taken(x->gate, made->at_us, made->size, e);
}

static bool pack(struct backup *b, struct err *e)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    if (!file_out_open(&b->out, b->o->file, 0600, e))
        return false;
    crypt_hash_begin(&b->hash);
    if (!put_all(b, e)) {
        file_out_drop(&b->out);
        return false;
    }
    crypt_hash_end(&b->hash, digest);
    ledger_hex(digest, b->result->digest);
    b->result->digest[LEDGER_HEX_BYTES] = '\0';
    return file_out_end(&b->out, e);
}

bool exchange_backup(struct exchange *x, const struct exchange_backup_options *o,
                     struct exchange_backup *out, struct err *e)
{
    struct exchange_backup made = {0};
    struct backup b = {.x = x, .o = o, .result = &made, .out = {.fd = -1}};
    struct backup_job j = {.made = &made, .w = {.job = {.apply = record_backup}}};
    buf_init(&b.sums, LIMIT_BACKUP_SUMS_BYTES);
    snprintf(b.copy, sizeof b.copy, "%s.%ld.db", o->file, (long)getpid());
    bool ok = check_place(&b, e);
    if (ok) {
        ok = fix_state(&b, e) && copy_database(&b, e) && pack(&b, e);
        unlink(b.copy);
    }
    store_close(b.reader);
    forget_files(&b);
    buf_done(&b.sums);
    if (!ok)
        return e->code == ERR_FULL &&
               err_hint(e, "while it is made, a backup needs the database's size twice there");
    made.at_us = b.facts.at_us;
    made.size = b.facts.size;
    made.files = b.count + 1;
    made.bytes = b.written;
    *out = made;
    return exchange_run(x, &j.w, e) ||
           err_hint(e, "%s is whole, but the ledger does not tell of it", o->file);
}
