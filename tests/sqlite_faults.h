/*
 * SQLite over a disk and a memory that fail on order. faults_install makes a VFS the default one:
 * it passes everything to SQLite's own, except that it never waits for the disk, and that the k-th
 * operation of the kinds asked for fails. With `keep` it also copies what a file held at each sync
 * to FILE~: after a power cut nothing more than that is sure to be there.
 */
#ifndef TESTS_SQLITE_FAULTS_H
#define TESTS_SQLITE_FAULTS_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULT_READ = 1, FAULT_WRITE = 2, FAULT_SYNC = 4, FAULT_MEMORY = 8 };

static struct {
    atomic_long left; /* 0: none fails; below 0: all do */
    atomic_bool goes_on, struck, keep;
    atomic_uint kinds;
    int rc; /* of a write */
} fault;

/* The k-th operation of `kinds` fails (k 0: none), and with `goes_on` all behind it. Writes give
 * `rc`. Returns whether the order before this one has struck. */
static inline bool faults_order(long k, unsigned kinds, int rc, bool goes_on)
{
    atomic_store(&fault.left, 0);
    atomic_store(&fault.kinds, kinds);
    atomic_store(&fault.goes_on, goes_on);
    fault.rc = rc;
    bool struck = atomic_exchange(&fault.struck, false);
    atomic_store(&fault.left, k);
    return struck;
}

static bool faults_strike(unsigned kind)
{
    long left = atomic_load(&fault.left), next;
    if (left == 0 || !(atomic_load(&fault.kinds) & kind))
        return false;
    do {
        if (left <= 0)
            return left < 0;
        next = left > 1 ? left - 1 : atomic_load(&fault.goes_on) ? -1 : 0;
    } while (!atomic_compare_exchange_weak(&fault.left, &left, next));
    if (left == 1)
        atomic_store(&fault.struck, true);
    return left == 1;
}

/* ---- files ---- */

struct faults_file {
    sqlite3_file base;
    const char *name; /* SQLite keeps it as long as the file is open; NULL: a temporary one */
    sqlite3_file *real;
};

static sqlite3_vfs *faults_real_vfs;

static sqlite3_file *faults_real(sqlite3_file *f)
{
    return ((struct faults_file *)f)->real;
}

static int faults_close(sqlite3_file *f)
{
    return faults_real(f)->pMethods->xClose(faults_real(f));
}

static int faults_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    if (faults_strike(FAULT_READ))
        return SQLITE_IOERR_READ;
    return faults_real(f)->pMethods->xRead(faults_real(f), p, n, at);
}

static int faults_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    if (faults_strike(FAULT_WRITE)) {
        /* A failing disk has often written a part. */
        if (n > 1)
            faults_real(f)->pMethods->xWrite(faults_real(f), p, n / 2, at);
        return fault.rc;
    }
    return faults_real(f)->pMethods->xWrite(faults_real(f), p, n, at);
}

static int faults_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    if (faults_strike(FAULT_WRITE))
        return SQLITE_IOERR_TRUNCATE;
    return faults_real(f)->pMethods->xTruncate(faults_real(f), n);
}

static void faults_keep(struct faults_file *f)
{
    char path[1100], block[8192];
    sqlite3_int64 size = 0;
    snprintf(path, sizeof path, "%s~", f->name);
    FILE *out = fopen(path, "wb");
    if (!out || f->real->pMethods->xFileSize(f->real, &size) != SQLITE_OK)
        abort();
    for (sqlite3_int64 at = 0; at < size; at += (sqlite3_int64)sizeof block) {
        sqlite3_int64 n = size - at < (sqlite3_int64)sizeof block ? size - at : (int)sizeof block;
        if (f->real->pMethods->xRead(f->real, block, (int)n, at) != SQLITE_OK ||
            fwrite(block, 1, (size_t)n, out) != (size_t)n)
            abort();
    }
    fclose(out);
}

static int faults_sync(sqlite3_file *f, int flags)
{
    (void)flags;
    if (faults_strike(FAULT_SYNC))
        return SQLITE_IOERR_FSYNC;
    if (atomic_load(&fault.keep) && ((struct faults_file *)f)->name)
        faults_keep((struct faults_file *)f);
    return SQLITE_OK;
}

#define FAULTS_PASS(name, params, args)                                                            \
    static int faults_##name params                                                                \
    {                                                                                              \
        return faults_real(f)->pMethods->name args;                                                \
    }
FAULTS_PASS(xFileSize, (sqlite3_file * f, sqlite3_int64 *n), (faults_real(f), n))
FAULTS_PASS(xLock, (sqlite3_file * f, int level), (faults_real(f), level))
FAULTS_PASS(xUnlock, (sqlite3_file * f, int level), (faults_real(f), level))
FAULTS_PASS(xCheckReservedLock, (sqlite3_file * f, int *out), (faults_real(f), out))
FAULTS_PASS(xFileControl, (sqlite3_file * f, int op, void *arg), (faults_real(f), op, arg))
FAULTS_PASS(xSectorSize, (sqlite3_file * f), (faults_real(f)))
FAULTS_PASS(xDeviceCharacteristics, (sqlite3_file * f), (faults_real(f)))
FAULTS_PASS(xShmMap, (sqlite3_file * f, int page, int bytes, int extend, void volatile **out),
            (faults_real(f), page, bytes, extend, out))
FAULTS_PASS(xShmLock, (sqlite3_file * f, int at, int n, int flags), (faults_real(f), at, n, flags))
FAULTS_PASS(xShmUnmap, (sqlite3_file * f, int remove_it), (faults_real(f), remove_it))

static void faults_xShmBarrier(sqlite3_file *f)
{
    faults_real(f)->pMethods->xShmBarrier(faults_real(f));
}

/* Version 2: without xFetch, so that every read and write passes here. */
static const sqlite3_io_methods faults_methods = {.iVersion = 2,
                                                  .xClose = faults_close,
                                                  .xRead = faults_read,
                                                  .xWrite = faults_write,
                                                  .xTruncate = faults_truncate,
                                                  .xSync = faults_sync,
                                                  .xFileSize = faults_xFileSize,
                                                  .xLock = faults_xLock,
                                                  .xUnlock = faults_xUnlock,
                                                  .xCheckReservedLock = faults_xCheckReservedLock,
                                                  .xFileControl = faults_xFileControl,
                                                  .xSectorSize = faults_xSectorSize,
                                                  .xDeviceCharacteristics =
                                                      faults_xDeviceCharacteristics,
                                                  .xShmMap = faults_xShmMap,
                                                  .xShmLock = faults_xShmLock,
                                                  .xShmBarrier = faults_xShmBarrier,
                                                  .xShmUnmap = faults_xShmUnmap};

static int faults_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    struct faults_file *mine = (struct faults_file *)f;
    (void)vfs;
    mine->name = name;
    mine->real = (sqlite3_file *)(void *)(mine + 1);
    int rc = faults_real_vfs->xOpen(faults_real_vfs, name, mine->real, flags, out);
    mine->base.pMethods = mine->real->pMethods ? &faults_methods : NULL;
    return rc;
}

static int faults_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    char path[1100];
    (void)vfs;
    if (faults_strike(FAULT_WRITE))
        return SQLITE_IOERR_DELETE;
    snprintf(path, sizeof path, "%s~", name);
    if (atomic_load(&fault.keep))
        remove(path);
    return faults_real_vfs->xDelete(faults_real_vfs, name, sync_folder);
}

/* ---- memory ---- */

static sqlite3_mem_methods faults_real_mem;

static void *faults_malloc(int n)
{
    return faults_strike(FAULT_MEMORY) ? NULL : faults_real_mem.xMalloc(n);
}

static void *faults_realloc(void *p, int n)
{
    return faults_strike(FAULT_MEMORY) ? NULL : faults_real_mem.xRealloc(p, n);
}

/* Call it before anything opens a database. */
static inline bool faults_install(void)
{
    static sqlite3_vfs vfs;
    static sqlite3_mem_methods mem;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &faults_real_mem) != SQLITE_OK)
        return false;
    mem = faults_real_mem;
    mem.xMalloc = faults_malloc;
    mem.xRealloc = faults_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &mem) != SQLITE_OK ||
        !(faults_real_vfs = sqlite3_vfs_find(NULL)))
        return false;
    vfs = *faults_real_vfs;
    vfs.zName = "faults";
    vfs.szOsFile += (int)sizeof(struct faults_file);
    vfs.xOpen = faults_open;
    vfs.xDelete = faults_delete;
    return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK;
}

#endif
