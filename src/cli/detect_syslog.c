#include <stdio.h>

#include "cli/detect_priv.h"

static void on_heard(void *ctx, struct str where, enum sensor_hearing now,
                     const struct sensor_heard *h)
{
    bool *lost = ctx;
    *lost = *lost || h->dropped;
    switch (now) {
    case SENSOR_LISTENS:
        fprintf(stderr, "setu detect: listening on %.*s\n", STR_FMT(where));
        break;
    case SENSOR_LOSES:
        fprintf(
            stderr,
            "setu detect: warning: %.*s: messages came faster than they were looked at, and the "
            "system dropped some: raise net.core.rmem_max, or use tcp:\n",
            STR_FMT(where));
        break;
    case SENSOR_HEARD:
        fprintf(stderr, "%.*s: %llu messages, %llu connections, %llu dropped\n", STR_FMT(where),
                (unsigned long long)h->messages, (unsigned long long)h->connections,
                (unsigned long long)h->dropped);
        break;
    }
}

bool detect_syslog_check(const struct cli *c, struct err *e)
{
    size_t count = 0;
    for (struct str a; (a = cli_text_nth(c, "syslog", count)).n; count++)
        if (!sensor_syslog_check(a, e))
            return err_prefix(e, "--syslog");
    return count <= LIMIT_SENSOR_SYSLOG_ADDRESSES ||
           err_set(e, ERR_USAGE, "--syslog: at most %d addresses are listened on",
                   LIMIT_SENSOR_SYSLOG_ADDRESSES);
}

bool detect_syslog(const struct cli *c, const struct sensor_scan *s, bool *lost, struct err *e)
{
    struct sensor_syslog from = {.heard = on_heard, .ctx = lost};
    for (struct str a; (a = cli_text_nth(c, "syslog", from.count)).n;)
        from.address[from.count++] = a;
    return sensor_syslog_listen(s, &from, e) || err_prefix(e, "--syslog");
}
