#include "peer/curl_priv.h"

_Static_assert(sizeof LIBRARY_CURL > 1, "libcurl.so was not found where pkg-config says");

struct peer_curl peer_curl;

static bool begin(struct err *e)
{
    return peer_curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ||
           err_set(e, ERR_MEMORY, "libcurl: no memory");
}

bool peer_curl_load(struct err *e)
{
#define X(name) "curl_" #name,
    static const char *const names[] = {PEER_CURL(X)};
#undef X
    static struct base_library library = {.soname = LIBRARY_CURL,
                                          .names = names,
                                          .count = sizeof names / sizeof *names,
                                          .functions = &peer_curl,
                                          .begin = begin};
    return base_library_load(&library, e);
}
