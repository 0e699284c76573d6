#include <pthread.h>

#include "peer/curl_priv.h"

_Static_assert(sizeof LIBRARY_CURL > 1, "libcurl.so was not found where pkg-config says");

struct peer_curl peer_curl;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct err failure;
static bool loaded;

static void load(void)
{
    static const char *const names[] = {
#define X(name) "curl_" #name,
        PEER_CURL(X)
#undef X
    };
    if (!base_library_load(LIBRARY_CURL, names, sizeof names / sizeof *names, &peer_curl, &failure))
        return;
    loaded = peer_curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!loaded)
        err_set(&failure, ERR_MEMORY, "libcurl: no memory");
}

bool peer_curl_load(struct err *e)
{
    pthread_once(&once, load);
    if (!loaded)
        *e = failure;
    return loaded;
}
