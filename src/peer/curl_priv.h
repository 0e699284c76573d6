/*
 * Inside the room: libcurl, which is loaded by the first who calls peer_curl_load (see
 * base_library_load), from any thread.
 */
#ifndef PEER_CURL_PRIV_H
#define PEER_CURL_PRIV_H

#include <curl/curl.h>

#include "base/base.h"

/* What of it is used. */
#define PEER_CURL(X)                                                                               \
    X(easy_cleanup)                                                                                \
    X(easy_getinfo)                                                                                \
    X(easy_header)                                                                                 \
    X(easy_init)                                                                                   \
    X(easy_perform)                                                                                \
    X(easy_setopt)                                                                                 \
    X(easy_strerror)                                                                               \
    X(free)                                                                                        \
    X(global_init)                                                                                 \
    X(slist_append)                                                                                \
    X(slist_free_all)                                                                              \
    X(url)                                                                                         \
    X(url_cleanup)                                                                                 \
    X(url_get)                                                                                     \
    X(url_set)

struct peer_curl {
#define X(name) __typeof__(curl_##name) *name;
    PEER_CURL(X)
#undef X
};
/* Without functions until peer_curl_load has returned true. */
extern struct peer_curl peer_curl;
bool peer_curl_load(struct err *e) BASE_CHECKED;

#endif
