#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

struct err_row {
    const char *name, *text;
    int http, exit;
};

static const struct err_row rows[] = {
#define X(name, http, status, text) {#name, text, http, status},
    ERR_TABLE(X)
#undef X
};

const char *err_name(enum err_code code)
{
    return rows[code].name;
}

const char *err_text(enum err_code code)
{
    return rows[code].text;
}

int err_http(enum err_code code)
{
    return rows[code].http;
}

int err_exit(enum err_code code)
{
    return rows[code].exit;
}

static void fill(struct err *e, enum err_code code, size_t at, const char *fmt, va_list ap)
{
    e->code = code;
    e->at = at;
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
}

bool(err_set)(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, code, 0, fmt, ap);
    va_end(ap);
    return false;
}

bool(err_set_at)(struct err *e, enum err_code code, size_t at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, code, at, fmt, ap);
    va_end(ap);
    return false;
}

bool(err_prefix)(struct err *e, const char *fmt, ...)
{
    char before[sizeof e->msg], all[2 * sizeof e->msg + 4];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(before, sizeof before, fmt, ap);
    va_end(ap);
    snprintf(all, sizeof all, "%s: %s", before, e->msg);
    memcpy(e->msg, all, sizeof e->msg - 1);
    e->msg[sizeof e->msg - 1] = '\0';
    return false;
}

bool(err_hint)(struct err *e, const char *fmt, ...)
{
    size_t n = strlen(e->msg);
    va_list ap;
    n += (size_t)snprintf(e->msg + n, sizeof e->msg - n, ": ");
    va_start(ap, fmt);
    if (n < sizeof e->msg)
        vsnprintf(e->msg + n, sizeof e->msg - n, fmt, ap);
    va_end(ap);
    return false;
}

bool(err_errno)(struct err *e, const char *what, const char *path)
{
    int n = errno;
    enum err_code code = ERR_IO;
    if (n == ENOSPC || n == EDQUOT)
        code = ERR_FULL;
    else if (n == ENOMEM)
        code = ERR_MEMORY;
    return err_set(e, code, "%s %s: %s", what, path, strerror(n));
}

void base_must_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "setu: %s:%d: invariant broken: %s\n", file, line, what);
    abort();
}
