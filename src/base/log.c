#include <stdatomic.h>
#include <stdio.h>

#include "base/base.h"

static atomic_int least_level = LOG_INFO;

void log_set_level(enum log_level least)
{
    atomic_store(&least_level, (int)least);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char when[INSTANT_TEXT_BYTES], line[2048];
    struct buf shown;
    va_list ap;
    if ((int)level < atomic_load(&least_level))
        return;
    instant_text(instant_now(), 3, when);
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    /* Texts from outside must neither begin another line nor move the reader's terminal. */
    buf_init(&shown, 0);
    buf_printable(&shown, str_of(line), sizeof line);
    struct str text = shown.failed ? STR("(no memory for what is to be told)") : buf_view(&shown);
    /* One call, so that lines of several threads do not mix. */
    fprintf(stderr, "%s %s %.*s\n", when, names[level], STR_FMT(text));
    buf_done(&shown);
}
