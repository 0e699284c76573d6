/* A folder of a test's own under TMPDIR, and the few things done with files in it. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"

static char folder[512];

static void folder_make(const char *name)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/setu-%s-XXXXXX", tmp ? tmp : "/tmp", name);
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(1);
    }
}

/* FOLDER/NAME; good for the next few calls. */
static const char *at(const char *name)
{
    static _Thread_local char paths[8][700];
    static _Thread_local unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline bool BASE_PRINTF(1, 2) shell(const char *fmt, ...)
{
    char command[2000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    return system(command) == 0;
}

static inline bool copy_file(const char *from, const char *to)
{
    struct err e;
    struct str all;
    if (!file_read(from, 0, &all, &e))
        return false;
    FILE *f = fopen(to, "wb");
    bool ok = f && fwrite(all.p, 1, all.n, f) == all.n;
    if (f)
        ok = fclose(f) == 0 && ok;
    base_free((void *)(uintptr_t)all.p);
    return ok;
}

static void folder_remove(void)
{
    shell("rm -rf '%s'", folder);
}

#endif
