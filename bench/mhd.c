/*
 * libmicrohttpd alone, as the limit of what a server on it can do: mhd PORT FILE... answers the
 * path /N with the bytes of the N-th file, counted from 0, from memory, with the daemon's settings
 * of `http`. Port 0: any. Prints its port and serves until it is killed.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/limits.h"

enum { MOST_FILES = 8 };

static struct MHD_Response *responses[MOST_FILES];
static int response_count;

/* Answered on the second call, as the library wants it where the connection is to stay. */
/* NOLINTNEXTLINE(readability-function-size): MHD_AccessHandlerCallback */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *c, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_bytes, void **seen)
{
    static int first;
    int n = atoi(url + 1);
    (void)cls;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_bytes;
    if (!*seen) {
        *seen = &first;
        return MHD_YES;
    }
    return n >= 0 && n < response_count ? MHD_queue_response(c, MHD_HTTP_OK, responses[n]) : MHD_NO;
}

static bool take(const char *path)
{
    struct str bytes;
    struct err e = {0};
    if (response_count == MOST_FILES || !file_read(path, 64 << 20, &bytes, &e))
        return false;
    struct MHD_Response *r = MHD_create_response_from_buffer(bytes.n, (void *)(uintptr_t)bytes.p,
                                                             MHD_RESPMEM_PERSISTENT);
    responses[response_count++] = r;
    return r && MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
                                        "application/taxii+json;version=2.1") == MHD_YES;
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (!take(argv[i])) {
            fprintf(stderr, "mhd: %s cannot be served\n", argv[i]);
            return 3;
        }
    }
    struct MHD_Daemon *d =
        argc < 3 ? NULL
                 : MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)atoi(argv[1]), NULL,
                                    NULL, on_access, NULL, MHD_OPTION_THREAD_POOL_SIZE,
                                    (unsigned)LIMIT_HTTP_LOOPS, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info) {
        fprintf(stderr, "mhd: usage: mhd PORT FILE...\n");
        return 2;
    }
    printf("%u\n", (unsigned)info->port);
    fflush(stdout);
    for (;;)
        pause();
}
